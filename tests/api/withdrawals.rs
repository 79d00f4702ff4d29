//! Attachments that are taken back: by whoever uploaded them, while nothing is bound to them, with every byte; nobody else can
//! tell, and no check is left with a photo that is gone.

use pingyi::inspections::attachments::leftovers;
use serde_json::{Value, json};

use crate::races::{meet, until_waiting};
use crate::support::checks::{Kit, photo_bytes, upload};
use crate::support::client::Reply;
use crate::support::raw::Raw;
use crate::support::tus::Phone;
use crate::support::{Backend, World, both, sealing};

const INSPECTOR: &str = "53-inspector";

fn path(id: &str) -> String {
    format!("/attachments/{id}")
}

fn send(world: &World, id: &str, bytes: &[u8]) -> Reply {
    world.as_(INSPECTOR).call("POST", "/attachments").form(&[("id", id)], Some(("a.jpg", bytes))).send()
}

/// How many files the store holds.
fn kept(world: &World) -> usize {
    fn of(dir: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|entry| if entry.path().is_dir() { of(&entry.path()) } else { 1 }).sum()
    }
    of(&world.files())
}

fn count(world: &World, of: &str) -> String {
    Raw::owner(world, "53").texts(&format!("SELECT CAST(count(*) AS text) AS text FROM {of}")).remove(0)
}

fn clear(world: &World) -> usize {
    sealing::run(leftovers::clear(world.doors())).expect("it is cleared")
}

fn record(world: &World, check: &str, record: &Value) -> Reply {
    world.as_(INSPECTOR).post(&format!("/unannounced-checks/{check}/record"), record)
}

both! {
    fn whoever_uploaded_it_takes_it_back_with_every_byte(world) {
        let made = upload(world, INSPECTOR, "路人.jpg").expect(201, "");
        let (id, inspector) = (made.id(), world.as_(INSPECTOR));
        let stays = upload(world, INSPECTOR, "大厅.jpg").expect(201, "").id();
        assert_eq!(kept(world), 2 * 3);
        // Whoever may take back their own does not find it, nor does anybody else.
        for other in ["53-discipline", "53-group-head", "53-special-supervisor", "5301-unit-head", "50-inspector"] {
            world.as_(other).delete(&path(&id)).expect(404, "not_found");
        }
        world.as_("53-auditor").delete(&path(&id)).expect(403, "forbidden");
        let as_of = |tag: &str| inspector.call("DELETE", &path(&id)).header("If-Match", tag).send();
        as_of("\"v2.0000\"").expect(412, "precondition_failed");
        inspector.get(&path(&id)).expect(200, "");
        assert!(as_of(&made.etag()).expect(204, "").body.is_empty());
        inspector.get(&path(&id)).expect(404, "not_found");
        inspector.get(&format!("{}/content?variant=thumbnail", path(&id))).expect(404, "not_found");
        inspector.delete(&path(&id)).expect(404, "not_found");
        assert_eq!((kept(world), count(world, "uploads")), (3, "0".to_owned()));
        inspector.get(&format!("{}/content", path(&stays))).expect(200, "");
        // Nothing is shown by it any more, and its id is free.
        let check = Kit::of(world, "5301").taken("covert", &["record"]);
        let late = json!({ "content": "补拍。", "attachment_ids": [id] });
        let told = inspector.post(&format!("/unannounced-checks/{check}/addenda"), &late).expect(422, "invalid_body").wrong();
        assert_eq!(told, ["/attachment_ids/0 unknown_reference"]);
        send(world, &id, &photo_bytes(world)).expect(201, "");
    }

    fn what_a_check_shows_is_not_taken_back(world) {
        let kit = Kit::of(world, "5301");
        let (check, seen) = (kit.begin("open"), kit.record());
        record(world, &check, &seen).expect(200, "");
        let photo = path(seen["answers"][0]["attachment_ids"][0].as_str().unwrap());
        // Whoever sees it is told why; whoever does not, is not.
        for who in [INSPECTOR, "53-discipline", "5301-unit-head"] {
            world.as_(who).delete(&photo).expect(409, "attachment_bound");
        }
        for who in ["5303-unit-head", "50-inspector"] {
            world.as_(who).delete(&photo).expect(404, "not_found");
        }
        let covert = kit.taken("covert", &["record"]);
        let shown = world.as_(INSPECTOR).get(&format!("/unannounced-checks/{covert}")).expect(200, "").json();
        let hidden = path(shown["attachments"][0]["id"].as_str().unwrap());
        world.as_("5301-unit-head").delete(&hidden).expect(404, "not_found");
        world.as_(INSPECTOR).delete(&hidden).expect(409, "attachment_bound");
        // A check that is voided may be looked at for as long as there are checks.
        kit.act(&check, "void").expect(200, "");
        world.as_(INSPECTOR).delete(&photo).expect(409, "attachment_bound");
        world.as_(INSPECTOR).get(&format!("{photo}/content")).expect(200, "");
    }

    fn somebody_else_s_photo_of_the_awaited_id_is_theirs_to_take_back(world) {
        let kit = Kit::of(world, "5301");
        let (check, id) = (kit.begin("covert"), upload(world, "53-special-supervisor", "a.jpg").expect(201, "").id());
        let lost = [id.clone(), kit.photo(), kit.photo()];
        let body = json!({ "sent_at": world.clock.now(), "items": [{ "record": { "check_id": check, "record": kit.record_showing(&lost) } }] });
        let told = world.as_(INSPECTOR).post("/sync", &body).expect(200, "").json();
        assert_eq!(told["items"][0]["awaited_attachment_ids"], json!([id]), "{told}");
        // That a check awaits it is not theirs to know: it goes as any other.
        world.as_("53-special-supervisor").delete(&path(&id)).expect(204, "");
        kit.send_photo(&id).expect(201, "");
        world.as_(INSPECTOR).delete(&path(&id)).expect(409, "attachment_bound");
    }

    fn a_phone_that_sends_it_again_afterwards_makes_it_anew(world) {
        let (bytes, inspector) = (photo_bytes(world), world.as_(INSPECTOR));
        let call = || inspector.call("POST", "/attachments").header("Idempotency-Key", "photo-1").form(&[], Some(("a.jpg", &bytes))).send();
        let first = call().expect(201, "").id();
        assert_eq!(call().expect(201, "").id(), first);
        inspector.delete(&path(&first)).expect(204, "");
        let second = call().expect(201, "").id();
        assert_ne!(first, second);
        inspector.get(&path(&second)).expect(200, "");
        // In parts as well: what the upload says of it is so no more.
        let (phone, id) = (Phone::of(world, INSPECTOR), uuid::Uuid::now_v7().to_string());
        let said: &[(&str, &str)] = &[("id", &id), ("filename", "b.jpg")];
        let keyed = || {
            let begun = phone.announce(bytes.len(), said).header("Idempotency-Key", "parts-1").send().expect(201, "");
            begun.header("location").unwrap().strip_prefix("/api/v1").unwrap().to_owned()
        };
        let upload = keyed();
        assert_eq!(keyed(), upload);
        assert_eq!(phone.part(&upload, 0, &bytes).expect(204, "").header("attachment-id"), Some(id.as_str()));
        inspector.delete(&path(&id)).expect(204, "");
        phone.head(&upload).expect(404, "");
        let ended = keyed();
        assert_eq!((upload == ended, phone.offset(&ended)), (false, 0));
        phone.call("DELETE", &ended).send().expect(204, "");
        let again = keyed();
        assert_eq!((ended == again, phone.offset(&again)), (false, 0), "the answer that was kept is of one that has ended");
        // One that was on its way at the same time is not to bring it back.
        send(world, &id, &bytes).expect(201, "");
        inspector.delete(&path(&id)).expect(204, "");
        phone.part(&again, 0, &bytes).expect(404, "not_found");
        inspector.get(&path(&id)).expect(404, "not_found");
        assert_eq!((count(world, "upload_pieces"), kept(world)), ("0".to_owned(), 3));
    }

    fn the_log_keeps_silent_of_it_as_long_as_of_what_is_left_lying(world) {
        let id = upload(world, INSPECTOR, "a.jpg").expect(201, "").id();
        world.as_(INSPECTOR).delete(&path(&id)).expect(204, "");
        let told = || {
            sealing::sign(world, "53");
            let log = world.as_("53-auditor").get("/audit-log?entity=attachment").expect(200, "").json();
            let verified = world.as_("53-auditor").get("/audit-log/verify").expect(200, "").json();
            assert_eq!(verified["whole"], true, "{verified}");
            let rows = log["items"].as_array().unwrap().iter();
            rows.map(|row| format!("{} {}", row["action"].as_str().unwrap(), row["entity_id"] == id)).collect::<Vec<_>>()
        };
        assert_eq!(told(), Vec::<String>::new());
        world.advance(765 * 86_400);
        assert_eq!((clear(world), told()), (0, vec![]));
        world.advance(2 * 86_400);
        assert_eq!(clear(world), 1);
        let mut rows = told();
        rows.sort_unstable();
        assert_eq!(rows, ["attachment.upload true", "attachment.withdraw true"]);
        assert_eq!((clear(world), count(world, "withdrawn_attachments")), (0, "0".to_owned()));
    }

    fn bytes_that_cannot_go_at_once_go_later(world) {
        let id = upload(world, INSPECTOR, "a.jpg").expect(201, "").id();
        // Where the folder was there is a file.
        let (dir, away) = (world.files(), world.files().with_extension("away"));
        std::fs::rename(&dir, &away).unwrap();
        std::fs::write(&dir, "in the way").unwrap();
        world.as_(INSPECTOR).delete(&path(&id)).expect(204, "");
        world.as_(INSPECTOR).get(&path(&id)).expect(404, "not_found");
        std::fs::remove_file(&dir).unwrap();
        std::fs::rename(&away, &dir).unwrap();
        assert_eq!((kept(world), count(world, "uploads")), (3, "1".to_owned()));
        // At the next look, and not a day later.
        assert_eq!(clear(world), 1);
        assert_eq!((kept(world), count(world, "uploads"), clear(world)), (0, "0".to_owned(), 0));
    }
}

#[test]
fn of_recording_and_taking_back_at_once_one_comes_to_nothing() {
    for recorded_first in [true, false] {
        let world = &World::on(Backend::Postgres);
        let kit = Kit::of(world, "5301");
        let (check, seen) = (kit.begin("open"), kit.record());
        let photo = path(seen["answers"][0]["attachment_ids"][0].as_str().unwrap());
        world.as_(INSPECTOR);
        let (record, withdraw) = (|| record(world, &check, &seen), || world.as_(INSPECTOR).delete(&photo));
        let (recorded, withdrawn) = if recorded_first {
            meet(world, "attachments", record, withdraw)
        } else {
            let (withdrawn, recorded) = meet(world, "attachments", withdraw, record);
            (recorded, withdrawn)
        };
        let found = world.as_(INSPECTOR).get(&photo);
        if recorded.status == 200 {
            withdrawn.expect(409, "attachment_bound");
            found.expect(200, "");
        } else {
            recorded.expect(409, "concurrent_change");
            withdrawn.expect(204, "");
            found.expect(404, "not_found");
        }
    }
}

#[test]
fn a_photo_that_goes_between_the_look_at_it_and_its_binding_is_missed() {
    let world = &World::on(Backend::Postgres);
    let kit = Kit::of(world, "5301");
    let (check, seen) = (kit.begin("open"), kit.record());
    let photo = path(seen["answers"][0]["attachment_ids"][0].as_str().unwrap());
    world.as_(INSPECTOR);
    let mut raw = Raw::owner(world, "53");
    raw.run("BEGIN; LOCK TABLE unannounced_checks IN SHARE MODE").unwrap();
    std::thread::scope(|scope| {
        let recording = scope.spawn(|| record(world, &check, &seen));
        until_waiting(&mut raw, 1);
        world.as_(INSPECTOR).delete(&photo).expect(204, "");
        raw.run("ROLLBACK").unwrap();
        recording.join().unwrap().expect(409, "concurrent_change");
    });
    let told = record(world, &check, &seen).expect(422, "invalid_body").wrong();
    assert_eq!(told, ["/answers/0/attachment_ids/0 unknown_reference"]);
}
