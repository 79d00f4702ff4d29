//! Answers in gzip, for whoever asks for them so: the same once unpacked, under a name of their own that is as good as the
//! other; never what holds a secret, is packed already or stays open; and nothing packed is taken in.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use pingyi::web::Format;
use serde_json::{Map, Value, json};

use crate::support::checks::{Kit, upload};
use crate::support::client::Reply;
use crate::support::people::PASSWORD;
use crate::support::sheets::{export, table};
use crate::support::tus::{PART, Phone};
use crate::support::{Backend, World, both, story};

/// Asks for gzip however short the answer is.
const ALWAYS: &str = "gzip, identity;q=0";

fn ask(world: &World, who: &str, path: &str, coding: &str) -> Reply {
    world.as_(who).call("GET", path).header("Accept-Encoding", coding).send()
}

fn varies(reply: &Reply) -> bool {
    let vary = reply.header("vary").unwrap_or_default();
    vary.split(',').any(|name| name.trim() == "Accept-Encoding")
}

/// The answer that is in this one.
#[track_caller]
fn unpacked(mut reply: Reply) -> Reply {
    assert_eq!(reply.header("content-encoding"), Some("gzip"), "{}", reply.story());
    assert!(varies(&reply), "{:?}", reply.headers);
    // What is packed as it goes out is of a length that nobody knows before.
    let length = reply.header("content-length").map(|length| length.parse().expect("a number"));
    assert!(length.is_none_or(|length: usize| length == reply.body.len()), "{:?}", reply.headers);
    let mut body = Vec::new();
    GzDecoder::new(reply.body.as_slice()).read_to_end(&mut body).expect("it is whole");
    reply.body = body;
    reply
}

/// The answer, which is given as it is, and its length with it.
#[track_caller]
fn as_it_is(reply: Reply) -> Reply {
    assert_eq!(reply.header("content-encoding"), None, "{}", reply.story());
    let length = reply.header("content-length").map(|length| length.parse().expect("a number"));
    assert_eq!(length, Some(reply.body.len()), "{:?}", reply.headers);
    reply
}

fn coded(etag: &str) -> String {
    format!("{}.gzip\"", etag.strip_suffix('"').expect("a strong tag"))
}

#[test]
fn the_caller_says_which_coding_it_reads() {
    let world = &World::on(Backend::Sqlite);
    let head = "53-group-head";
    let plain = as_it_is(world.as_(head).get("/dictionaries").expect(200, "")).text();
    let codings = [
        "gzip",
        "GZIP",
        "br, gzip;q=0.5",
        "gzip;q=0.5, *;q=0.1",
        "gzip, identity;q=0.9",
        "gzip, *;q=0",
        ALWAYS,
    ];
    for coding in codings {
        assert_eq!(
            unpacked(ask(world, head, "/dictionaries", coding).expect(200, "")).text(),
            plain,
            "{coding}"
        );
    }
    // Whoever can read nothing that is here gets it as it is.
    let none = [
        "",
        "identity",
        "gzip;q=0",
        "gzip;q=0.5, identity",
        "deflate, br, zstd",
        "*",
        "*;q=0",
        "identity;q=0",
        "gzip;q=x",
    ];
    for coding in none {
        let reply = as_it_is(ask(world, head, "/dictionaries", coding).expect(200, ""));
        assert!(varies(&reply) && reply.text() == plain, "{coding}");
    }
    // Two headers are one list.
    let call = world.as_(head).call("GET", "/dictionaries").header("Accept-Encoding", "br");
    unpacked(call.header("Accept-Encoding", "gzip").send());
    // What is short is not worth it, unless it may not come as it is.
    let live = as_it_is(ask(world, head, "/health/live", "gzip").expect(200, ""));
    assert!(varies(&live) && live.body.len() < 1024, "{}", live.story());
    assert_eq!(unpacked(ask(world, head, "/health/live", ALWAYS)).text(), live.text());
}

#[test]
fn what_an_answer_depends_on_stands_on_one_line() {
    let world = &World::on(Backend::Sqlite);
    for (path, coding) in [("/dictionaries", "identity"), ("/dictionaries", "gzip"), ("/health/live", "gzip")]
    {
        let reply = ask(world, "53-group-head", path, coding);
        let lines: Vec<&str> = reply
            .headers
            .iter()
            .filter(|(name, _)| name == "vary")
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(lines.len(), 1, "{path} {coding}: {lines:?}");
        let names: Vec<&str> = lines[0].split(',').map(str::trim).collect();
        for name in ["Authorization", "Accept-Language", "Accept", "Accept-Encoding", "Origin"] {
            assert_eq!(names.iter().filter(|one| **one == name).count(), 1, "{path} {coding}: {names:?}");
        }
        assert!(!names.contains(&"accept-encoding"), "{names:?}");
    }
}

#[test]
fn pages_and_the_document_are_coded_too() {
    let world = &World::on(Backend::Sqlite);
    let nobody = world.anonymous();
    for (path, coding) in
        [("/api/v1/openapi.json", "gzip"), ("/docs/", ALWAYS), ("/problems/not-found", ALWAYS)]
    {
        let plain = as_it_is(nobody.get(path).expect(200, ""));
        let packed = nobody.call("GET", path).header("Accept-Encoding", coding).send().expect(200, "");
        assert_eq!(unpacked(packed).text(), plain.text(), "{path}");
    }
    // The document is packed once.
    let again =
        nobody.call("GET", "/api/v1/openapi.json").header("Accept-Encoding", "gzip").send().expect(200, "");
    let length: usize = again.header("content-length").expect("it is there whole").parse().unwrap();
    assert_eq!((again.header("content-encoding"), again.body.len()), (Some("gzip"), length));
    let plain = nobody.get("/api/v1/openapi.json").expect(200, "");
    assert_eq!(unpacked(again).text(), plain.text());
    let paper = format!("/plans/{}/print", story::launched(world, "53").plan);
    let plain = as_it_is(world.as_("53-group-head").get(&paper).expect(200, ""));
    let packed = unpacked(ask(world, "53-group-head", &paper, "gzip").expect(200, ""));
    assert_eq!(
        (packed.text(), packed.header("content-type")),
        (plain.text(), Some("text/html; charset=utf-8"))
    );
    assert_eq!(packed.header("content-security-policy"), plain.header("content-security-policy"));
}

both! {
    fn a_phone_takes_a_smaller_bundle_along(world) {
        Kit::of(world, "5301");
        let plain = as_it_is(world.as_("53-inspector").get("/offline-bundle").expect(200, ""));
        let take = || ask(world, "53-inspector", "/offline-bundle", "gzip").expect(200, "");
        let packed = take();
        assert!(packed.body.len() * 2 < plain.body.len(), "{} of {}", packed.body.len(), plain.body.len());
        // No moment stands in it: who compares two answers learns of nothing but what they say.
        assert_eq!((&packed.body[4..8], &packed.body), (&[0; 4][..], &take().body));
        let inside = unpacked(packed);
        assert_eq!((inside.text(), inside.header("content-type")), (plain.text(), Some("application/json")));
    }

    fn a_version_is_the_same_in_either_coding(world) {
        let office = world.as_("53-group-office");
        let path = format!("/campaigns/{}", story::campaign(world, "53"));
        let plain = as_it_is(office.get(&path).expect(200, "")).etag();
        let packed = unpacked(ask(world, "53-group-office", &path, ALWAYS).expect(200, "")).etag();
        assert_eq!(packed, coded(&plain), "other bytes have another name");
        // Whichever copy one has, it is told to be good, by its own name, whichever coding is asked for now.
        for (held, told) in [
            (plain.clone(), &plain), (packed.clone(), &packed), (format!("W/{packed}"), &packed),
            (format!("\"v9.0000\", {packed}"), &packed), ("*".to_owned(), &plain),
        ] {
            for coding in ["identity", ALWAYS] {
                let call = office.call("GET", &path).header("If-None-Match", &held).header("Accept-Encoding", coding);
                let reply = call.send().expect(304, "");
                assert_eq!((reply.etag(), reply.body.len(), reply.header("content-encoding")), (told.clone(), 0, None), "{held} {coding}");
                assert!(varies(&reply), "{:?}", reply.headers);
            }
        }
        for stale in ["\"v1.0000.gzip\"".to_owned(), packed.replace(".gzip", ".br"), format!("{}.gzip", plain.trim_matches('"'))] {
            office.call("GET", &path).header("If-None-Match", &stale).send().expect(200, "");
        }

        // It is changed with what was read packed; the answer is packed, and good for the next change.
        let change = |etag: &str, year: u16, coding: &str| {
            let call = office.call("PATCH", &path).json(&json!({ "year": year })).header("If-Match", etag);
            call.header("Accept-Encoding", coding).send()
        };
        let second = unpacked(change(&packed, 2027, ALWAYS)).expect(200, "");
        assert!(second.etag().starts_with("\"v2.") && second.etag().ends_with(".gzip\""), "{}", second.etag());
        assert_eq!(second.json()["version"], 2);
        let third = change(&second.etag(), 2028, "identity").expect(200, "").etag();
        // Two versions too late: the refusal, coded or not, names what there is.
        for (stale, coding) in [(&packed, ALWAYS), (&plain, ALWAYS), (&second.etag(), "identity")] {
            let reply = change(stale, 2029, coding);
            let reply = if coding == ALWAYS { unpacked(reply) } else { as_it_is(reply) };
            let reply = reply.expect(412, "precondition_failed");
            assert_eq!(reply.etag(), third, "{stale} {coding}");
        }
        change(&coded(&third), 2029, "identity").expect(200, "");
    }

    fn a_retry_is_answered_alike_in_either_coding(world) {
        let office = world.as_("53-group-office");
        let body = story::campaign_body(world, "53");
        let send = |coding: &str| {
            let call = office.call("POST", "/campaigns").header("Idempotency-Key", "morning").json(&body);
            call.header("Accept-Encoding", coding).send()
        };
        let first = unpacked(send(ALWAYS)).expect(201, "");
        let plain = as_it_is(send("identity")).expect(201, "");
        let again = unpacked(send(ALWAYS)).expect(201, "");
        assert_eq!((first.text(), again.text()), (plain.text(), plain.text()));
        assert_eq!((first.etag(), again.etag()), (coded(&plain.etag()), coded(&plain.etag())));
        assert_eq!((first.header("location"), again.header("location")), (plain.header("location"), plain.header("location")));
    }

    fn refusals_are_coded_as_answers_are(world) {
        let office = world.as_("53-group-office");
        let unknown: Map<String, Value> = (0..60).map(|n| (format!("unknown_{n}"), json!(n))).collect();
        let unknown = Value::Object(unknown);
        let packed = office.call("POST", "/campaigns").json(&unknown).header("Accept-Encoding", "gzip").send();
        assert_eq!(packed.header("content-type"), Some("application/problem+json"));
        let refused = unpacked(packed).expect(422, "invalid_body");
        assert_eq!(refused.errors(), office.post("/campaigns", &unknown).expect(422, "invalid_body").errors());
        let absent = "/campaigns/01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d42";
        as_it_is(ask(world, "53-group-office", absent, "gzip")).expect(404, "not_found");
        unpacked(ask(world, "53-group-office", absent, ALWAYS)).expect(404, "not_found");
        let nowhere = unpacked(ask(world, "53-group-office", "/nowhere", ALWAYS)).expect(404, "not_found");
        assert_eq!(nowhere.header("content-language"), Some("zh-CN"));
    }

    fn a_coded_export_is_whole(world) {
        let head = world.as_("53-group-head");
        let plain = export(&head, "/units", Format::Csv).expect(200, "");
        let packed = head.call("GET", "/units").header("Accept", "text/csv").header("Accept-Encoding", "gzip").send();
        let inside = unpacked(packed.expect(200, ""));
        assert_eq!(inside.body, plain.body);
        assert_eq!(table(Format::Csv, &inside).len(), table(Format::Csv, &plain).len());
        assert_eq!(inside.header("content-disposition"), plain.header("content-disposition"));
        // A workbook is packed as it is.
        let book = head.call("GET", "/units").header("Accept", Format::Xlsx.media()).header("Accept-Encoding", ALWAYS).send();
        table(Format::Xlsx, &as_it_is(book));
    }

    fn what_holds_a_secret_is_packed_already_or_stays_open_is_given_as_it_is(world) {
        let nobody = world.anonymous();
        let post = |path: &str, body: &Value| {
            as_it_is(nobody.call("POST", path).json(body).header("Accept-Encoding", ALWAYS).send())
        };
        let tokens = post("/auth/login", &json!({ "login": "53-group-head", "password": PASSWORD })).expect(200, "").json();
        let next = post("/auth/refresh", &json!({ "refresh_token": tokens["refresh_token"] })).expect(200, "").json();
        assert!(next["access_token"].is_string(), "{next}");

        let inspector = world.as_("53-inspector");
        let photo = upload(world, "53-inspector", "photo.jpg").expect(201, "").id();
        let path = format!("/attachments/{photo}/content");
        let plain = inspector.get(&path).expect(200, "");
        let asked = as_it_is(ask(world, "53-inspector", &path, ALWAYS).expect(200, ""));
        assert_eq!((&asked.body, asked.etag(), varies(&asked)), (&plain.body, plain.etag(), false));
        let part = inspector.call("GET", &path).header("Range", "bytes=3-12").header("Accept-Encoding", ALWAYS).send();
        assert_eq!(as_it_is(part.expect(206, "")).body, plain.body[3..13]);
        let known = inspector.call("GET", &path).header("If-None-Match", &plain.etag()).header("Accept-Encoding", ALWAYS);
        assert_eq!(known.send().expect(304, "").etag(), plain.etag());

        let line = ask(world, "53-group-office", "/events", ALWAYS).expect(200, "");
        assert!(line.header("content-type").unwrap_or_default().starts_with("text/event-stream"), "{:?}", line.headers);
        assert_eq!((line.header("content-encoding"), varies(&line)), (None, false));

        // Without a body there is no coding to tell of.
        let phone = Phone::of(world, "53-inspector");
        let upload = phone.begin(10, &[]);
        for head in [phone.call("HEAD", &upload), inspector.call("HEAD", "/unannounced-checks")] {
            let reply = head.header("Accept-Encoding", ALWAYS).send();
            assert!([200, 405].contains(&reply.status) && reply.header("content-encoding").is_none(), "{}", reply.story());
        }
        let gone = phone.call("DELETE", &upload).header("Accept-Encoding", ALWAYS).send().expect(204, "");
        assert_eq!((gone.header("content-encoding"), gone.body.len()), (None, 0));
    }

    fn nothing_packed_is_taken_in(world) {
        let office = world.as_("53-group-office");
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(story::campaign_body(world, "53").to_string().as_bytes()).unwrap();
        let packed = packer.finish().unwrap();
        let campaigns = || office.get("/campaigns?count=exact").expect(200, "").json()["total"].clone();
        let before = campaigns();
        let post = || office.call("POST", "/campaigns").bytes("application/json", packed.clone());
        for coding in ["gzip", "x-gzip", "deflate", "br", "zstd", "gzip, gzip"] {
            let refused = post().header("Content-Encoding", coding).send().expect(415, "unsupported_media_type");
            assert_eq!(refused.header("content-type"), Some("application/problem+json"));
        }
        post().send().expect(400, "malformed_json");
        assert_eq!(campaigns(), before);

        let inspector = world.as_("53-inspector");
        let form = inspector.call("POST", "/attachments").form(&[], Some(("photo.jpg", &packed)));
        form.header("Content-Encoding", "gzip").send().expect(415, "unsupported_media_type");
        let phone = Phone::of(world, "53-inspector");
        let upload = phone.begin(packed.len(), &[]);
        let part = phone.call("PATCH", &upload).header("Upload-Offset", "0").bytes(PART, packed.clone());
        part.header("Content-Encoding", "gzip").send().expect(415, "unsupported_media_type");
        assert_eq!(phone.offset(&upload), 0);
    }
}
