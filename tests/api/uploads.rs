//! Files that come in parts (tus 1.0.0): what has arrived stays, whatever happens to the line; nothing is there twice; what is
//! whole is looked at as any other file; nobody but the account that began it knows of it.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use pingyi::inspections::attachments::leftovers;
use serde_json::json;

use crate::support::checks::{Kit, photo_bytes, upload};
use crate::support::raw::Raw;
use crate::support::tus::{PART, Phone, metadata, offset};
use crate::support::{World, both};

/// A photo of so many bytes at least, none of which stands in another's place unnoticed: behind the picture follow numbers.
pub fn large(world: &World, bytes: usize) -> Vec<u8> {
    let mut photo = photo_bytes(world);
    for number in 0_u32.. {
        if photo.len() >= bytes {
            break;
        }
        photo.extend([21, 14, 7, 0].map(|shift| u8::try_from(number >> shift & 0x7f).unwrap() | 0x80));
    }
    photo
}

fn hash(bytes: &[u8]) -> String {
    pingyi::audit::hex(digest(&SHA256, bytes).as_ref())
}

fn count(world: &World, of: &str) -> usize {
    let sql = format!("SELECT CAST(count(*) AS text) AS text FROM {of}");
    Raw::owner(world, "53").texts(&sql)[0].parse().unwrap()
}

fn clear(world: &World) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(leftovers::clear(world.doors())).expect("it is cleared")
}

fn content(world: &World, id: &str) -> Vec<u8> {
    world.as_("53-inspector").get(&format!("/attachments/{id}/content")).expect(200, "").body
}

fn id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// Begins a part of so many bytes, and sends these of them.
fn begin_part(world: &World, path: &str, announced: usize, sent: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(world.address()).unwrap();
    let token = world.as_("53-inspector").token().to_owned();
    let head = format!(
        "PATCH /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nTus-Resumable: 1.0.0\r\n\
         Upload-Offset: 0\r\nContent-Type: {PART}\r\nContent-Length: {announced}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(sent).unwrap();
    stream
}

/// Waits until so many bytes are kept at least.
fn until_kept(phone: &Phone<'_>, path: &str, least: usize) -> usize {
    let late = Instant::now() + Duration::from_secs(20);
    loop {
        let kept = phone.offset(path);
        if kept >= least {
            return kept;
        }
        assert!(Instant::now() < late, "{kept} bytes are kept");
        std::thread::yield_now();
    }
}

both! {
    fn a_photo_in_three_parts_is_the_photo(world) {
        let kit = Kit::of(world, "5301");
        let (phone, bytes, photo) = (Phone::of(world, "53-inspector"), large(world, 700_000), id());
        let pairs = [("filename", "DCIM/大厅 3 号窗口.jpg"), ("id", &photo), ("sha256", &hash(&bytes))];
        let begun = phone.announce(bytes.len(), &pairs).send().expect(201, "");
        let shown = begun.json();
        let path = format!("/uploads/{}", shown["id"].as_str().unwrap());
        assert_eq!(begun.header("location"), Some(format!("/api/v1{path}").as_str()));
        assert_eq!((&shown["file_name"], &shown["attachment_id"], &shown["finished"]), (&json!("大厅 3 号窗口.jpg"), &json!(photo), &json!(false)));
        for (header, says) in [
            ("upload-offset", "0"), ("tus-resumable", "1.0.0"), ("tus-version", "1.0.0"),
            ("tus-extension", "creation,expiration,termination"), ("tus-max-size", "20971520"), ("cache-control", "no-store"),
        ] {
            assert_eq!(begun.header(header), Some(says), "{}", begun.story());
        }
        let expires = begun.header("upload-expires").unwrap().to_owned();
        assert!(expires.ends_with(" GMT") && expires.len() == 29, "{expires}");

        let (first, second) = (300_000, 300_001);
        let told = phone.part(&path, 0, &bytes[..first]).expect(204, "");
        assert_eq!((offset(&told), told.header("upload-expires")), (first, Some(expires.as_str())));
        assert_eq!(offset(&phone.part(&path, first, &bytes[first..second]).expect(204, "")), second);
        // An empty part moves nothing.
        assert_eq!(offset(&phone.part(&path, second, &[]).expect(204, "")), second);
        let head = phone.head(&path).expect(200, "");
        assert_eq!((offset(&head), head.header("upload-length")), (second, Some(bytes.len().to_string().as_str())));
        assert_eq!((head.header("cache-control"), head.header("attachment-id"), head.body.len()), (Some("no-store"), None, 0));
        // Nobody sees it before it is whole, nor does the log tell.
        world.as_("53-inspector").get(&format!("/attachments/{photo}")).expect(404, "not_found");

        let last = phone.part(&path, second, &bytes[second..]).expect(204, "");
        assert_eq!((offset(&last), last.header("attachment-id")), (bytes.len(), Some(photo.as_str())));
        assert_eq!(phone.head(&path).expect(200, "").header("attachment-id"), Some(photo.as_str()));
        assert!(content(world, &photo) == bytes);
        let made = world.as_("53-inspector").get(&format!("/attachments/{photo}")).expect(200, "").json();
        assert_eq!((&made["sha256"], &made["file_name"]), (&json!(hash(&bytes)), &json!("大厅 3 号窗口.jpg")));
        assert_eq!((count(world, "upload_pieces"), count(world, "uploads")), (0, 0), "its bytes are in one place");

        // It is evidence as any other.
        let check = kit.begin("open");
        let mut record = kit.record();
        record["answers"][0]["attachment_ids"] = json!([photo]);
        let shown = world.as_("53-inspector").post(&format!("/unannounced-checks/{check}/record"), &record).expect(200, "").json();
        assert_eq!(shown["record"]["answers"][0]["attachment_ids"], json!([photo]));
    }

    fn a_client_may_say_its_method_in_a_header(world) {
        let (phone, bytes) = (Phone::of(world, "53-inspector"), photo_bytes(world));
        let path = phone.begin(bytes.len(), &[]);
        let posted = |says: &str, offset: usize, part: &[u8]| {
            let call = phone.call("POST", &path).header("X-HTTP-Method-Override", says);
            call.header("Upload-Offset", &offset.to_string()).bytes(PART, part).send()
        };
        assert_eq!(offset(&posted("PATCH", 0, &bytes[..500]).expect(204, "")), 500);
        assert_eq!(phone.offset(&path), 500);
        // What no upload knows stays a POST, which is none either; and nothing else is another method than it is.
        posted("PUT", 500, &bytes[500..]).expect(405, "method_not_allowed");
        posted("patch", 500, &bytes[500..]).expect(405, "method_not_allowed");
        phone.call("GET", &path).header("X-HTTP-Method-Override", "DELETE").send().expect(405, "method_not_allowed");
        let unit = format!("/units/{}", world.unit("5301"));
        for (path, status) in [(unit.as_str(), 405), ("/uploads", 412)] {
            let call = world.as_("53-inspector").call("POST", path);
            call.header("X-HTTP-Method-Override", "DELETE").send().expect(status, "");
        }
        phone.call("POST", &path).header("X-HTTP-Method-Override", "DELETE").send().expect(204, "");
        phone.head(&path).expect(404, "");
    }

    fn what_arrived_before_the_line_broke_is_kept(world) {
        let (phone, bytes) = (Phone::of(world, "53-inspector"), large(world, 900_000));
        let path = phone.begin(bytes.len(), &[("sha256", &hash(&bytes))]);
        let line = begin_part(world, &path, bytes.len(), &bytes[..600_000]);
        // Two pieces are full while the line stands; of the third there is a part when it breaks.
        let full = 2 * 262_144;
        assert_eq!(until_kept(&phone, &path, full), full);
        drop(line);
        let more = until_kept(&phone, &path, full + 1);
        assert!(more <= 600_000, "{more}");
        let last = phone.part(&path, more, &bytes[more..]).expect(204, "");
        assert!(content(world, last.header("attachment-id").unwrap()) == bytes);
    }

    fn a_part_begins_where_the_last_one_ended(world) {
        let (phone, bytes) = (Phone::of(world, "53-inspector"), photo_bytes(world));
        let path = phone.begin(bytes.len(), &[]);
        phone.part(&path, 0, &bytes[..100]).expect(204, "");
        for wrong in [0, 99, 101, bytes.len()] {
            let refused = phone.part(&path, wrong, &bytes[100..101]).expect(409, "upload_offset_mismatch");
            assert_eq!(refused.json()["facts"]["upload_offset"], 100);
        }
        let more = [&bytes[100..], b"x"].concat();
        phone.part(&path, 100, &more).expect(413, "body_too_large");
        // Not announced, but sent: nothing of it is kept.
        let chunked = format!("{:x}\r\n{}\r\n0\r\n\r\n", more.len(), "x".repeat(more.len()));
        let call = phone.call("PATCH", &path).header("Upload-Offset", "100").header("Transfer-Encoding", "chunked");
        call.bytes(PART, chunked).send().expect(413, "body_too_large");
        assert_eq!(phone.offset(&path), 100);
        let call = |media: &str| phone.call("PATCH", &path).header("Upload-Offset", "100").bytes(media, "x").send();
        call("application/octet-stream").expect(415, "unsupported_media_type");
        call("application/json").expect(415, "unsupported_media_type");
        let missing = phone.call("PATCH", &path).bytes(PART, "x").send().expect(400, "invalid_header");
        assert_eq!(missing.errors(), [("Upload-Offset".to_owned(), "required".to_owned())]);
        for said in ["-1", "x", "1.5", "99999999999999999999"] {
            phone.call("PATCH", &path).header("Upload-Offset", said).bytes(PART, "x").send().expect(400, "invalid_header");
        }
        assert_eq!(phone.offset(&path), 100);
        phone.part(&path, 100, &bytes[100..]).expect(204, "");
        // There is nothing behind the end.
        phone.part(&path, bytes.len(), b"x").expect(413, "body_too_large");
        phone.part(&path, bytes.len(), b"").expect(204, "");
    }

    fn of_two_who_send_the_same_part_one_is_told_to_wait(world) {
        let (phone, bytes) = (Phone::of(world, "53-inspector"), large(world, 600_000));
        let (path, photo) = (phone.begin(bytes.len(), &[("sha256", &hash(&bytes))]), world.as_("53-inspector"));
        let send = || phone.part(&path, 0, &bytes);
        let (one, other) = std::thread::scope(|scope| {
            let (one, other) = (scope.spawn(send), scope.spawn(send));
            (one.join().unwrap(), other.join().unwrap())
        });
        let (won, lost) = if one.status == 204 { (one, other) } else { (other, one) };
        lost.expect(409, "upload_offset_mismatch");
        let made = won.expect(204, "").header("attachment-id").unwrap().to_owned();
        photo.get(&format!("/attachments/{made}")).expect(200, "");
        assert!(content(world, &made) == bytes);
        assert_eq!(count(world, "attachments"), 1);
    }

    fn nobody_else_knows_of_it(world) {
        let (phone, bytes) = (Phone::of(world, "53-inspector"), photo_bytes(world));
        let path = phone.begin(bytes.len(), &[]);
        let absent = format!("/uploads/{}", id());
        for other in ["53-discipline", "53-group-head", "5301-unit-head", "50-inspector"] {
            let other = Phone::of(world, other);
            for (method, at) in [("HEAD", &path), ("PATCH", &path), ("DELETE", &path)] {
                let ask = |at: &str| {
                    let call = other.call(method, at);
                    let call = if method == "PATCH" { call.header("Upload-Offset", "0").bytes(PART, "x") } else { call };
                    let reply = call.send();
                    let mut headers = reply.headers.clone();
                    headers.retain(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()));
                    let told = reply.text().replace(reply.header("x-request-id").unwrap(), "ID");
                    (reply.status, headers, told.replace(at, "PATH"))
                };
                let told = ask(at);
                assert_eq!(told, ask(&absent), "{method}");
                assert_eq!(told.0, 404, "{method}");
            }
        }
        world.as_("53-auditor").call("HEAD", &path).header("Tus-Resumable", "1.0.0").send().expect(403, "");
        world.anonymous().call("HEAD", &path).header("Tus-Resumable", "1.0.0").send().expect(401, "");
        assert_eq!(phone.offset(&path), 0);
        // What is under way leaves no row in the log, ended or not.
        let rows = || count(world, "audit_log WHERE action = 'attachment.upload'");
        phone.part(&path, 0, &bytes[..10]).expect(204, "");
        phone.call("DELETE", &path).send().expect(204, "");
        assert_eq!(rows(), 0);
        assert_eq!(count(world, "upload_pieces"), 0);
        phone.head(&path).expect(404, "");
        phone.part(&path, 10, &bytes[10..]).expect(404, "not_found");
        phone.call("DELETE", &path).send().expect(404, "not_found");
        // The attachment leaves its row, as any other, and stays when the upload is ended.
        let path = phone.begin(bytes.len(), &[]);
        let made = phone.part(&path, 0, &bytes).expect(204, "").header("attachment-id").unwrap().to_owned();
        assert_eq!(rows(), 1);
        phone.call("DELETE", &path).send().expect(204, "");
        assert!(content(world, &made) == bytes);
    }

    fn a_file_that_is_refused_ends_its_upload(world) {
        let (phone, good) = (Phone::of(world, "53-inspector"), photo_bytes(world));
        let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
        let hidden = [&good[..], b"<script>alert(1)</script>"].concat();
        let wrong = "0".repeat(64);
        let cases = [
            (&svg[..], ("filename", "a.svg"), "/file file_type_not_allowed"),
            (&hidden, ("filename", "a.jpg"), "/file file_polyglot"),
            (&good, ("sha256", &wrong), "/sha256 hash_mismatch"),
        ];
        for (bytes, pair, told) in cases {
            let path = phone.begin(bytes.len(), &[pair]);
            phone.part(&path, 0, &bytes[..20]).expect(204, "");
            assert_eq!(phone.part(&path, 20, &bytes[20..]).expect(422, "invalid_body").wrong(), [told]);
            phone.head(&path).expect(410, "");
            let gone = phone.part(&path, bytes.len(), b"").expect(410, "upload_refused");
            assert!(told.ends_with(gone.json()["facts"]["code"].as_str().unwrap()), "{}", gone.story());
            phone.call("DELETE", &path).send().expect(204, "");
        }
        assert_eq!((count(world, "upload_pieces"), count(world, "attachments"), count(world, "uploads")), (0, 0, 0));
        // What was refused is not in the way of the same photo, sent whole.
        let (photo, sha256) = (id(), hash(&good));
        let pairs = [("id", photo.as_str()), ("sha256", sha256.as_str())];
        let path = phone.begin(good.len(), &pairs);
        let spoilt = [&good[..good.len() - 1], b"x"].concat();
        phone.part(&path, 0, &spoilt).expect(422, "invalid_body");
        let again = phone.begin(good.len(), &pairs);
        assert_ne!(again, path);
        phone.part(&again, 0, &good).expect(204, "");
        assert!(content(world, &photo) == good);
    }

    fn a_phone_that_asks_again_gets_the_same_upload(world) {
        let (phone, bytes, photo) = (Phone::of(world, "53-inspector"), photo_bytes(world), id());
        let (sha256, length) = (hash(&bytes), bytes.len());
        let pairs = [("filename", "a.jpg"), ("id", photo.as_str()), ("sha256", sha256.as_str())];
        let path = phone.begin(length, &pairs);
        phone.part(&path, 0, &bytes[..50]).expect(204, "");
        let again = phone.announce(length, &pairs).send().expect(200, "");
        assert_eq!((again.header("location"), offset(&again)), (Some(format!("/api/v1{path}").as_str()), 50));
        for (length, pairs) in [
            (length + 1, pairs),
            (length, [("filename", "b.jpg"), pairs[1], pairs[2]]),
            (length, [pairs[0], pairs[1], ("sha256", &"0".repeat(64))]),
        ] {
            phone.announce(length, &pairs).send().expect(409, "id_taken");
        }
        // With a key, though nothing is said of it.
        let keyed = |length: usize| phone.announce(length, &[]).header("Idempotency-Key", "photo-1").send();
        let (one, two) = (keyed(length).expect(201, ""), keyed(length).expect(201, ""));
        assert_eq!((one.header("location"), one.header("upload-expires")), (two.header("location"), two.header("upload-expires")));
        assert_eq!(offset(&two), 0);
        keyed(length + 1).expect(422, "idempotency_key_reused");
        assert_eq!(count(world, "resumable_uploads"), 2);
        // And when it has become the attachment.
        phone.part(&path, 50, &bytes[50..]).expect(204, "");
        let told = phone.announce(length, &pairs).send().expect(200, "");
        assert_eq!((offset(&told), told.header("attachment-id")), (length, Some(photo.as_str())));
        // Of what came in another way nothing is missing; of what is somebody else's nothing is told.
        let whole = photo_bytes(world);
        let form = |id: &str| world.as_("53-inspector").call("POST", "/attachments").form(&[("id", id)], Some(("b.jpg", &whole))).send();
        let sent = id();
        form(&sent).expect(201, "");
        let told = phone.announce(whole.len(), &[("id", &sent), ("sha256", &hash(&whole))]).send().expect(201, "");
        assert_eq!((offset(&told), told.header("attachment-id")), (whole.len(), Some(sent.as_str())));
        let theirs = upload(world, "53-discipline", "c.jpg").expect(201, "").id();
        phone.announce(10, &[("id", &theirs)]).send().expect(409, "id_taken");
    }

    fn what_is_announced_wrongly_is_told_at_once(world) {
        let phone = Phone::of(world, "53-inspector");
        let announce = |headers: &[(&str, &str)]| {
            let call = headers.iter().fold(phone.call("POST", "/uploads"), |call, (name, value)| call.header(name, value));
            call.send()
        };
        let told = |headers: &[(&str, &str)]| announce(headers).expect(400, "invalid_header").errors();
        let places = |errors: &[(&str, &str)]| errors.iter().map(|(at, code)| ((*at).to_owned(), (*code).to_owned())).collect::<Vec<_>>();
        assert_eq!(told(&[]), places(&[("Upload-Length", "required")]));
        for length in ["0", "-5", "x", ""] {
            assert_eq!(told(&[("Upload-Length", length)]), places(&[("Upload-Length", "wrong_format")]), "{length}");
        }
        for length in ["20971521", "99999999999999999999"] {
            announce(&[("Upload-Length", length)]).expect(413, "body_too_large");
        }
        assert_eq!(told(&[("Upload-Defer-Length", "1")]), places(&[("Upload-Length", "required"), ("Upload-Defer-Length", "not_allowed_value")]));
        let odd = metadata(&[("caption", "image/jpeg"), ("id", "x"), ("sha256", "AB"), ("filename", "a"), ("filename", "b")]);
        assert_eq!(
            told(&[("Upload-Length", "5"), ("Upload-Metadata", &odd)]),
            places(&[("Upload-Metadata", "unknown_field"), ("Upload-Metadata", "not_unique"), ("Upload-Metadata", "wrong_format"), ("Upload-Metadata", "wrong_format")])
        );
        for said in ["filename !!!", "filename /w==", "a b c", ","] {
            announce(&[("Upload-Length", "5"), ("Upload-Metadata", said)]).expect(400, "invalid_header");
        }
        assert_eq!(announce(&[("Upload-Length", "5"), ("Upload-Metadata", "filename")]).expect(201, "").json()["file_name"], "未命名");

        // Whoever speaks another version is told which there is, before anything is done.
        let path = phone.begin(5, &[]);
        for method in ["POST", "HEAD", "PATCH", "DELETE"] {
            for version in [None, Some("0.2.2")] {
                let at = if method == "POST" { "/uploads" } else { &path };
                let call = world.as_("53-inspector").call(method, at).header("Upload-Length", "5").header("Upload-Offset", "0");
                let call = if method == "PATCH" { call.bytes(PART, "12345") } else { call };
                let call = version.map_or(call.clone(), |version| call.header("Tus-Resumable", version));
                let refused = call.send().expect(412, if method == "HEAD" { "" } else { "tus_version_unsupported" });
                assert_eq!(refused.header("tus-version"), Some("1.0.0"), "{}", refused.story());
            }
        }
        assert_eq!(phone.offset(&path), 0);
        // HEAD is nobody's but an upload's.
        let told = world.as_("53-inspector").call("HEAD", "/unannounced-checks").send().expect(405, "");
        assert_eq!(told.header("allow"), Some("GET, POST"));
        let told = world.as_("53-inspector").call("GET", &path).send().expect(405, "method_not_allowed");
        assert_eq!(told.header("allow"), Some("DELETE, HEAD, PATCH"));
    }

    fn what_lies_about_is_bounded_and_taken_away_in_time(world) {
        let (phone, bytes, photo) = (Phone::of(world, "53-inspector"), photo_bytes(world), id());
        let pairs = [("id", photo.as_str())];
        let path = phone.begin(bytes.len(), &pairs);
        phone.part(&path, 0, &bytes[..100]).expect(204, "");
        for _ in 0..9 {
            phone.begin(20_971_520, &[]);
        }
        phone.announce(20_971_520, &[]).send().expect(409, "too_many_unfinished");
        Phone::of(world, "53-discipline").begin(20_971_520, &[]);
        // Phones are without a network for days: nothing is taken away before the time that was told.
        world.advance(6 * 86_400);
        assert_eq!(clear(world), 0);
        assert_eq!(phone.offset(&path), 100);
        world.advance(86_400);
        phone.head(&path).expect(404, "");
        phone.part(&path, 100, &bytes[100..]).expect(404, "not_found");
        // Begun again under the same id before anybody has cleared up.
        let again = phone.begin(bytes.len(), &pairs);
        assert_eq!(phone.offset(&again), 0);
        assert_eq!(clear(world), 10);
        assert_eq!((count(world, "upload_pieces"), count(world, "resumable_uploads")), (0, 1));
        phone.part(&again, 0, &bytes).expect(204, "");
        assert!(content(world, &photo) == bytes);
        world.advance(8 * 86_400);
        assert_eq!(clear(world), 1);
        assert!(content(world, &photo) == bytes, "the attachment stays");
    }

    fn what_is_whole_is_finished_by_whoever_asks_next(world) {
        let phone = Phone::of(world, "53-inspector");
        // As a server leaves it that ends between the last piece and the attachment.
        let left = |bytes: &[u8]| {
            let path = phone.begin(bytes.len() + 1, &[]);
            phone.part(&path, 0, bytes).expect(204, "");
            Raw::owner(world, "53").run("UPDATE resumable_uploads SET bytes = arrived WHERE bytes = arrived + 1").unwrap();
            path
        };
        let bytes = photo_bytes(world);
        let path = left(&bytes);
        let made = phone.head(&path).expect(200, "").header("attachment-id").expect("it is made").to_owned();
        assert!(content(world, &made) == bytes);
        let bytes = photo_bytes(world);
        let path = left(&bytes);
        let made = phone.part(&path, bytes.len(), b"").expect(204, "").header("attachment-id").unwrap().to_owned();
        assert!(content(world, &made) == bytes);
        // Two at once make one.
        let (bytes, before) = (photo_bytes(world), count(world, "attachments"));
        let path = left(&bytes);
        let ask = || phone.head(&path);
        let (one, other) = std::thread::scope(|scope| {
            let (one, other) = (scope.spawn(ask), scope.spawn(ask));
            (one.join().unwrap(), other.join().unwrap())
        });
        let (one, other) = (one.expect(200, ""), other.expect(200, ""));
        assert!(one.header("attachment-id").is_some());
        assert_eq!(one.header("attachment-id"), other.header("attachment-id"));
        assert_eq!((count(world, "attachments"), count(world, "uploads"), count(world, "upload_pieces")), (before + 1, 0, 0));
        // And what is not accepted is told to whoever asks first.
        let path = left(b"no picture at all");
        phone.head(&path).expect(422, "");
        phone.head(&path).expect(410, "");
    }
}
