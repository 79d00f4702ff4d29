//! Attachments: a file is what its bytes say; nobody sees it but whoever uploaded it, and then whoever sees what it is bound to;
//! nothing of when and where it was taken is in what is given away.

use pingyi::demo::photos::photo;
use pingyi::inspections::attachments::leftovers;
use serde_json::{Value, json};

use crate::support::checks::{Kit, photo_bytes, upload};
use crate::support::client::Reply;
use crate::support::raw::Raw;
use crate::support::{World, both};

fn send(world: &World, who: &str, fields: &[(&str, &str)], name: &str, bytes: &[u8]) -> Reply {
    world.as_(who).call("POST", "/attachments").form(fields, Some((name, bytes))).send()
}

/// The checksum of a PNG's chunk.
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 },
        )
    };
    !bytes.iter().fold(!0, step)
}

/// A PNG that says it is so large, and has next to nothing in it.
fn png_of(width: u32, height: u32) -> Vec<u8> {
    let chunk = |kind: &[u8; 4], body: &[u8]| {
        let named = [kind, body].concat();
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&length[..], &named, &crc(&named).to_be_bytes()].concat()
    };
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let parts = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &head),
        chunk(b"IDAT", b"\x78\x9c\x03\0\0\0\0\x01"),
        chunk(b"IEND", b""),
    ];
    parts.concat()
}

/// An empty ZIP archive.
const ZIP: &[u8] = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// What is kept in the folder of this world: the sizes of all its files.
fn kept(world: &World) -> Vec<u64> {
    fn of(dir: &std::path::Path, found: &mut Vec<u64>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let facts = entry.metadata().unwrap();
            if facts.is_dir() { of(&entry.path(), found) } else { found.push(facts.len()) }
        }
    }
    let mut found = Vec::new();
    of(&world.files(), &mut found);
    found
}

both! {
    fn a_photo_is_taken_as_it_is_and_says_when_and_where(world) {
        let bytes = photo_bytes(world);
        let made = send(world, "53-inspector", &[], "DCIM/大厅 3 号窗口.html", &bytes).expect(201, "");
        let path = format!("/attachments/{}", made.id());
        assert_eq!(made.header("location"), Some(format!("/api/v1{path}").as_str()));
        let shown = made.json();
        assert_eq!((&shown["media_type"], &shown["bytes"]), (&json!("image/jpeg"), &json!(bytes.len())));
        assert_eq!((&shown["file_name"], &shown["width"], &shown["height"]), (&json!("大厅 3 号窗口.html"), &json!(64), &json!(48)));
        assert_eq!((&shown["bound_to"], &shown["version"]), (&Value::Null, &json!(1)));
        let capture = &shown["capture"];
        let second = world.clock.now().micros() / 1_000_000 * 1_000_000;
        assert_eq!(capture["at"], json!(pingyi::db::Instant::from_micros(second)));
        assert_eq!((&capture["latitude"], &capture["longitude"], &capture["datum"]), (&json!("25.0405000"), &json!("102.7097000"), &json!("wgs84")));
        assert_eq!((&capture["zone_assumed"], &capture["device"]), (&json!(false), &json!("PINGYI DEMO-1")));

        // Nobody else knows of it, whoever they are.
        world.as_("53-inspector").get(&path).expect(200, "");
        for other in ["53-discipline", "53-group-head", "53-special-supervisor", "5301-unit-head", "50-inspector"] {
            world.as_(other).get(&path).expect(404, "not_found");
            world.as_(other).get(&format!("{path}/content")).expect(404, "not_found");
        }
        world.as_("53-auditor").get(&path).expect(403, "forbidden");

        // The bytes are what came, whole and in parts.
        let content = |query: &str| world.as_("53-inspector").call("GET", &format!("{path}/content{query}"));
        let whole = content("").send().expect(200, "");
        assert!(whole.body == bytes);
        assert_eq!(whole.header("content-type"), Some("image/jpeg"));
        let named = whole.header("content-disposition").unwrap();
        assert!(named.starts_with("attachment") && named.contains(".jpg"), "{named}");
        assert_eq!((whole.header("x-content-type-options"), whole.header("accept-ranges")), (Some("nosniff"), Some("bytes")));
        let etag = whole.header("etag").unwrap().to_owned();
        assert_eq!(content("").header("If-None-Match", &etag).send().status, 304);
        let part = |range: &str| content("").header("Range", range).send();
        let length = bytes.len();
        for (range, from, to) in [("bytes=0-9", 0, 9), ("bytes=10-", 10, length - 1), ("bytes=-7", length - 7, length - 1), ("bytes=5-999999999", 5, length - 1)] {
            let reply = part(range).expect(206, "");
            assert!(reply.body == bytes[from..=to], "{range}");
            assert_eq!(reply.header("content-range"), Some(format!("bytes {from}-{to}/{length}").as_str()), "{range}");
        }
        for range in ["bytes=0-1,5-6", "lines=1-2", "bytes=x", "bytes=9-5"] {
            assert!(part(range).expect(200, "").body == bytes, "{range}");
        }
        let beyond = part(&format!("bytes={length}-")).expect(416, "range_not_satisfiable");
        assert_eq!(beyond.header("content-range"), Some(format!("bytes */{length}").as_str()));
        assert_eq!(content("").header("Range", "bytes=0-9").header("If-Range", &etag).send().status, 206);
        assert_eq!(content("").header("Range", "bytes=0-9").header("If-Range", "\"v1.0\"").send().status, 200);

        // What is given away says nothing of it.
        assert!(holds(&bytes, b"DEMO-1"));
        let mut tags = vec![etag];
        for variant in ["copy", "thumbnail"] {
            let given = content(&format!("?variant={variant}")).send().expect(200, "");
            assert!(!holds(&given.body, b"DEMO-1") && !holds(&given.body, b"Exif") && given.body.starts_with(b"\xff\xd8"), "{variant}");
            tags.push(given.header("etag").unwrap().to_owned());
        }
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), 3);
    }

    fn a_phone_that_sends_again_gets_the_same(world) {
        let (bytes, id) = (photo_bytes(world), uuid::Uuid::now_v7().to_string());
        let fields: &[(&str, &str)] = &[("id", &id)];
        send(world, "53-inspector", fields, "a.jpg", &bytes).expect(201, "");
        let before = kept(world).len();
        assert_eq!(send(world, "53-inspector", fields, "b.jpg", &bytes).expect(200, "").id(), id);
        send(world, "53-inspector", fields, "a.jpg", &photo_bytes(world)).expect(409, "id_taken");
        send(world, "53-special-supervisor", fields, "a.jpg", &bytes).expect(409, "id_taken");
        // With a key, whatever stands between the parts.
        let key = |edge: &str| {
            let mut body = format!("--{edge}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"c.jpg\"\r\n\r\n").into_bytes();
            body.extend_from_slice(&bytes);
            body.extend_from_slice(format!("\r\n--{edge}--\r\n").as_bytes());
            let call = world.as_("53-inspector").call("POST", "/attachments").header("Idempotency-Key", "photo-1");
            call.bytes(&format!("multipart/form-data; boundary={edge}"), body).send().expect(201, "").id()
        };
        assert_eq!(key("one"), key("two"));
        assert_eq!(kept(world).len(), before + 3, "nothing is kept twice");
    }

    fn hostile_files_are_refused_with_a_reason(world) {
        let good = photo_bytes(world);
        let with = |more: &[u8]| [&good[..], more].concat();
        let script = "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
        // Behind the first segment, where a comment may stand.
        let commented = [&good[..2], b"\xff\xfe\0\x1b", b"<script>alert(1)</script>", &good[2..]].concat();
        let cases: Vec<(&str, Vec<u8>, &str)> = vec![
            ("a.svg", script.as_bytes().to_vec(), "file_type_not_allowed"),
            ("a.jpg", script.as_bytes().to_vec(), "file_type_not_allowed"),
            ("a.jpg", b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), "file_type_not_allowed"),
            ("a.jpg", b"%PDF-1.7\n%%EOF".to_vec(), "file_type_not_allowed"),
            ("a.jpg", ZIP.to_vec(), "file_type_not_allowed"),
            ("a.jpg", Vec::new(), "file_type_not_allowed"),
            ("a.jpg", with(ZIP), "file_polyglot"),
            ("a.jpg", with(script.as_bytes()), "file_polyglot"),
            ("a.jpg", commented, "file_polyglot"),
            ("a.jpg", good[..good.len() / 2].to_vec(), "file_damaged"),
            ("a.jpg", good[..3].to_vec(), "file_damaged"),
            ("a.png", png_of(1, 1_000_000_000), "picture_too_large"),
            ("a.png", png_of(1_000_000_000, 1), "picture_too_large"),
            ("a.png", png_of(15_000, 15_000), "picture_too_large"),
            ("a.png", png_of(40, 40), "file_damaged"),
            ("a.png", b"\x89PNG\r\n\x1a\n".to_vec(), "file_damaged"),
            ("a.webp", b"RIFF\xff\xff\xff\xffWEBPVP8 ".to_vec(), "file_damaged"),
        ];
        for (name, bytes, code) in cases {
            let reply = send(world, "53-inspector", &[], name, &bytes).expect(422, "invalid_body");
            assert_eq!(reply.wrong(), [format!("/file {code}")], "{}", reply.story());
        }
        let hash = "0".repeat(64);
        let wrong = send(world, "53-inspector", &[("sha256", &hash)], "a.jpg", &good).expect(422, "invalid_body");
        assert_eq!(wrong.wrong(), ["/sha256 hash_mismatch"]);
        let odd = send(world, "53-inspector", &[("id", "x"), ("sha256", "y"), ("owner", "z")], "a.jpg", &good).expect(422, "invalid_body");
        for place in ["/id", "/sha256", "/owner"] {
            assert!(odd.wrong().iter().any(|told| told.starts_with(place)), "{}", odd.story());
        }
        let large = photo((4000, 3000), 1, None).unwrap();
        let inspector = world.as_("53-inspector");
        let call = || inspector.call("POST", "/attachments");
        assert_eq!(call().form(&[], None).send().expect(422, "invalid_body").wrong(), ["/file required"]);
        // A file under another name is told as that, however large it is and whatever is in it.
        let misnamed = |name: &str| {
            let head = format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.jpg\"\r\n\r\n");
            let body = [head.as_bytes(), &large, b"\r\n--x--\r\n"].concat();
            call().bytes("multipart/form-data; boundary=x", body).send().expect(422, "invalid_body").wrong()
        };
        for (name, told) in [("foto", "/foto unknown_field"), ("sha256", "/sha256 wrong_type")] {
            let wrong = misnamed(name);
            assert!(wrong.contains(&told.to_owned()) && wrong.contains(&"/file required".to_owned()), "{wrong:?}");
        }
        call().bytes("multipart/form-data; boundary=x", "nonsense").send().expect(400, "");
        call().bytes("multipart/form-data", "nonsense").send().expect(400, "malformed_form");
        call().bytes("application/json", "{}").send().expect(415, "unsupported_media_type");
        call().form(&[("id", "1"), ("id", "2")], Some(("a.jpg", &good))).send().expect(400, "malformed_form");
        call().form(&[], Some(("a.jpg", &vec![0; 20 * 1024 * 1024 + 1]))).send().expect(413, "body_too_large");
        world.as_("5301-system-admin").call("POST", "/attachments").form(&[], Some(("a.jpg", &good))).send().expect(403, "forbidden");
        assert_eq!(kept(world), Vec::<u64>::new(), "nothing of all that is kept");

        // What phones put behind a picture is let pass, and is in no copy.
        let second = [&good[..], &photo((32, 32), 9, None).unwrap()].concat();
        let film = with(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isomWHERE-I-WAS");
        let notes = with(b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1773108751000SEFHj\0\0\0SEFT");
        let padded = [&good[..], &[0; 40], &photo((32, 32), 7, None).unwrap()].concat();
        for bytes in [second, film, notes, padded, with(&[0; 64])] {
            let id = send(world, "53-inspector", &[], "IMG.jpg", &bytes).expect(201, "").id();
            let copy = inspector.get(&format!("/attachments/{id}/content?variant=copy")).expect(200, "");
            assert!(!holds(&copy.body, b"WHERE-I-WAS"));
        }
        // The camera's own limit, and a little less than ours.
        let made = send(world, "53-inspector", &[], "12MP.jpg", &large).expect(201, "");
        let path = format!("/attachments/{}/content?variant=thumbnail", made.id());
        assert!(inspector.get(&path).expect(200, "").body.len() < 40_000);
    }

    fn evidence_is_bound_to_its_check_and_seen_by_its_readers(world) {
        let kit = Kit::of(world, "5301");
        let check = kit.begin("open");
        let inspector = world.as_("53-inspector");
        let path = format!("/unannounced-checks/{check}/record");
        let mut record = kit.record();
        // What the items ask for is missing, is somebody else's, is not there.
        let (theirs, mine) = (upload(world, "53-discipline", "a.jpg").expect(201, "").id(), kit.photo());
        let given = record["answers"][0]["attachment_ids"].clone();
        record["answers"][0].as_object_mut().unwrap().remove("attachment_ids");
        record["answers"][2]["attachment_ids"] = json!([theirs]);
        record["attachment_ids"] = json!([uuid::Uuid::now_v7()]);
        let told = inspector.post(&path, &record).expect(422, "invalid_body").wrong();
        assert_eq!(
            told,
            ["/answers/2/attachment_ids/0 unknown_reference", "/attachment_ids/0 unknown_reference", "/answers/0/attachment_ids evidence_required"]
        );
        record["answers"][0]["attachment_ids"] = given.clone();
        record["answers"][2]["attachment_ids"] = json!([mine]);
        record["attachment_ids"] = json!([]);
        let shown = inspector.post(&path, &record).expect(200, "").json();
        assert_eq!(shown["attachments"].as_array().unwrap().len(), 3);
        assert_eq!(shown["record"]["answers"][0]["attachment_ids"], given);
        // Sent again it is the same, though what it names is bound by now.
        inspector.post(&path, &record).expect(200, "");

        let photo = format!("/attachments/{mine}");
        let seen = world.as_("5301-unit-head").get(&photo).expect(200, "").json();
        assert_eq!(seen["bound_to"], json!({ "kind": "unannounced_check", "id": check, "shown_in": "record" }));
        world.as_("5301-unit-head").get(&format!("{photo}/content")).expect(200, "");
        world.as_("5303-unit-head").get(&photo).expect(404, "not_found");
        // Bound once.
        let other = kit.taken("open", &["record"]);
        let again = json!({ "content": "同一张照片。", "attachment_ids": [mine] });
        let told = inspector.post(&format!("/unannounced-checks/{other}/addenda"), &again).expect(422, "invalid_body").wrong();
        assert_eq!(told, ["/attachment_ids/0 unknown_reference"]);
        let late = kit.photo();
        let addendum = json!({ "id": uuid::Uuid::now_v7(), "content": "补拍一张。", "attachment_ids": [late] });
        let added = inspector.post(&format!("/unannounced-checks/{check}/addenda"), &addendum).expect(201, "").json();
        assert_eq!(added["addenda"][0]["attachment_ids"], json!([late]));
        inspector.post(&format!("/unannounced-checks/{check}/addenda"), &addendum).expect(200, "");

        // The head shows what speaks against it; nobody who decides brings evidence.
        for action in ["confirm", "release"] {
            kit.act(&check, action).expect(200, "");
        }
        let stub = upload(world, "5301-unit-head", "存根.jpg").expect(201, "").id();
        let objection = json!({ "content": "有存根。", "attachment_ids": [stub] });
        let contested = world.as_("5301-unit-head").post(&format!("/unannounced-checks/{check}/contest"), &objection).expect(200, "").json();
        assert_eq!((&contested["objection"]["attachment_ids"], contested["attachments"].as_array().unwrap().len()), (&json!([stub]), 5));
        inspector.get(&format!("/attachments/{stub}")).expect(200, "");
        let mut answers = record["answers"].clone();
        answers[0]["yes"] = json!(true);
        answers[2]["attachment_ids"] = json!([upload(world, "53-group-office", "b.jpg").expect(201, "").id()]);
        let decision = json!({ "outcome": "amended", "reasons": "部分采纳。", "answers": answers });
        let told = world.as_("53-group-office").post(&format!("/unannounced-checks/{check}/decide"), &decision).expect(422, "invalid_body").wrong();
        assert_eq!(told, ["/answers/2/attachment_ids/0 unknown_reference"]);
    }

    fn a_check_entered_anew_shows_what_the_voided_one_showed(world) {
        let kit = Kit::of(world, "5301");
        let inspector = world.as_("53-inspector");
        let record = kit.record();
        let mut wrong = kit.body("covert");
        wrong["record"] = record.clone();
        let first = inspector.post("/unannounced-checks", &wrong).expect(201, "").id();
        let mut right = kit.body("covert");
        right["record"] = record.clone();
        // While the first stands its photos are its own.
        inspector.post("/unannounced-checks", &right).expect(422, "invalid_body");
        kit.act(&first, "void").expect(200, "");
        let second = inspector.post("/unannounced-checks", &right).expect(201, "").json();
        assert_eq!(second["attachments"].as_array().unwrap().len(), 3);
        let photo = record["answers"][0]["attachment_ids"][0].as_str().unwrap();
        let seen = inspector.get(&format!("/attachments/{photo}")).expect(200, "").json();
        assert_eq!((&seen["bound_to"]["id"], &seen["version"]), (&second["id"], &json!(3)));
        // Once only: the second stands.
        let mut third = kit.body("covert");
        third["record"] = record;
        inspector.post("/unannounced-checks", &third).expect(422, "invalid_body");
    }

    fn what_nobody_comes_back_for_is_taken_away(world) {
        let kit = Kit::of(world, "5301");
        let bound = kit.taken("open", &["record"]);
        let lost = kit.photo();
        // An upload that was cut off between the store and the database.
        let owner = |sql: &str| Raw::owner(world, "53").run(sql).expect("a row is entered");
        owner("INSERT INTO uploads (tenant_id, id, user_id, created_at) SELECT tenant_id, id, uploaded_by, created_at FROM attachments WHERE check_id IS NULL");
        let clear = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(leftovers::clear(world.doors())).expect("it is cleared")
        };
        assert_eq!(clear(), 0);
        assert_eq!(kept(world).len(), 4 * 3);
        world.advance(2 * 86_400);
        assert_eq!(clear(), 1, "the upload, of which nothing was kept");
        world.as_("53-inspector").get(&format!("/attachments/{lost}")).expect(200, "");
        world.advance(763 * 86_400);
        assert_eq!(clear(), 0, "as long as a check may be kept to which it belongs");
        world.advance(2 * 86_400);
        assert_eq!(clear(), 2, "the attachment, and its bytes");
        world.as_("53-inspector").get(&format!("/attachments/{lost}")).expect(404, "not_found");
        assert_eq!(kept(world).len(), 3 * 3);
        let shown = world.as_("53-inspector").get(&format!("/unannounced-checks/{bound}")).expect(200, "").json();
        let photo = shown["attachments"][0]["id"].as_str().unwrap();
        world.as_("53-inspector").get(&format!("/attachments/{photo}/content")).expect(200, "");
        assert_eq!(clear(), 0);
    }

    fn a_store_that_cannot_keep_it_answers_so_and_nothing_is_half_there(world) {
        // Where the folder was there is a file.
        let (dir, away) = (world.files(), world.files().with_extension("away"));
        std::fs::rename(&dir, &away).unwrap();
        std::fs::write(&dir, "in the way").unwrap();
        let (bytes, id) = (photo_bytes(world), uuid::Uuid::now_v7().to_string());
        let call = world.as_("53-inspector").call("POST", "/attachments").form(&[("id", &id)], Some(("a.jpg", &bytes)));
        let refused = call.that_may_fail().send().expect(503, "unavailable");
        assert!(refused.header("retry-after").is_some());
        world.as_("53-inspector").get(&format!("/attachments/{id}")).expect(404, "not_found");
        std::fs::remove_file(&dir).unwrap();
        std::fs::rename(&away, &dir).unwrap();
        send(world, "53-inspector", &[("id", &id)], "a.jpg", &bytes).expect(201, "");
    }
}
