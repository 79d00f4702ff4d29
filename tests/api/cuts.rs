//! An inspector's day over a line that is cut a hundred times, after any byte of what is asked or answered: whatever was
//! acknowledged is there, once, and in the end everything is, as it was told.

use serde_json::{Value, json};

use crate::support::both;
use crate::support::checks::{Kit, photo_bytes};
use crate::support::client::{As, Call, Reply, strings};
use crate::support::tus::{self, offset};
use crate::uploads::large;

/// What a test draws from: the same each time, and told when it fails.
struct Luck(u64);

impl Luck {
    fn below(&mut self, most: usize) -> usize {
        // Numbers by Knuth's multiplier; the high bits are the random ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

/// A phone on such a line.
struct Phone<'w> {
    line: As<'w>,
    luck: Luck,
    cuts: usize,
}

impl Phone<'_> {
    /// Sends a request that is cut so many times, and then once more until it is answered. Of what was answered on the way, all
    /// is the same but that it is 201 once at most.
    fn tell(&mut self, call: &Call<'_>, times: usize) -> Reply {
        let mut made = 0;
        for _ in 0..times {
            // Mostly while it is being sent; else while the answer comes.
            let after = if self.luck.below(3) > 0 {
                self.luck.below(call.length())
            } else {
                call.length() + self.luck.below(900)
            };
            match call.cut(after) {
                Some(reply) => made += usize::from(reply.status == 201),
                None => self.cuts += 1,
            }
        }
        let reply = call.send();
        assert!(made + usize::from(reply.status == 201) <= 1, "made twice");
        assert!([200, 201].contains(&reply.status), "{}", reply.story());
        let refused = serde_json::from_slice::<Value>(&reply.body).unwrap_or_default()["refused"].clone();
        assert!(refused.is_null() || refused == 0, "{}", reply.story());
        reply
    }

    fn post(&mut self, path: &str, body: &Value, times: usize) -> Reply {
        let call = self.line.call("POST", path).json(body);
        self.tell(&call, times)
    }

    fn photo(&mut self, id: &str, bytes: &[u8], times: usize) -> Reply {
        let call = self.line.call("POST", "/attachments").form(&[("id", id)], Some(("大厅.jpg", bytes)));
        self.tell(&call, times)
    }
}

fn id() -> String {
    uuid::Uuid::now_v7().to_string()
}

both! {
    fn nothing_is_lost_or_doubled_however_often_the_line_is_cut(world) {
        let kit = Kit::of(world, "5301");
        let mut phone = Phone { line: world.as_("53-inspector"), luck: Luck(20_260_310), cuts: 0 };
        // Three checks: one whole in a batch, one begun and recorded apart, one begun on the spot and told of by and by.
        let photos: Vec<(String, Vec<u8>)> = (0..10).map(|_| (id(), photo_bytes(world))).collect();
        let named = |from: usize| [0, 1, 2].map(|at| photos[from + at].0.clone());
        let checks = [kit.body("covert"), kit.body("open"), kit.body("covert")];
        let seen = [0, 3, 6].map(|from| kit.record_showing(&named(from)));
        let added = json!({ "check_id": checks[0]["id"], "id": id(), "content": "补拍存根。", "attachment_ids": [photos[9].0] });
        let mut whole = checks[0].clone();
        whole["record"] = seen[0].clone();
        let first = json!({ "sent_at": world.clock.now(), "items": [
            { "addendum": added }, { "check": whole }, { "check": checks[1] },
        ] });
        let second = json!({ "sent_at": world.clock.now(), "items": [
            { "record": { "check_id": checks[1]["id"], "record": seen[1] } }, { "addendum": added },
        ] });

        // Photos and what names them in any order, each cut again and again.
        for (photo, bytes) in &photos[..4] {
            phone.photo(photo, bytes, 9);
        }
        phone.post("/sync", &first, 14);
        phone.photo(&photos[9].0, &photos[9].1, 9);
        phone.post("/unannounced-checks", &checks[2], 9);
        for (photo, bytes) in &photos[4..6] {
            phone.photo(photo, bytes, 9);
        }
        phone.post("/sync", &second, 14);
        // Where they have to be there first, they are.
        for (photo, bytes) in &photos[6..9] {
            phone.photo(photo, bytes, 9);
        }
        let third = checks[2]["id"].as_str().unwrap().to_owned();
        phone.post(&format!("/unannounced-checks/{third}/record"), &seen[2], 9);
        assert!(phone.cuts >= 100, "the line was cut {} times only", phone.cuts);

        for (at, check) in checks.iter().enumerate() {
            let shown = phone.line.get(&format!("/unannounced-checks/{}", check["id"].as_str().unwrap())).expect(200, "").json();
            assert_eq!((&shown["state"], &shown["awaited_attachment_ids"], &shown["deducted"]), (&json!("recorded"), &json!([]), &json!("3.00")));
            let mut bound: Vec<String> = shown["attachments"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
            let mut wanted = named(at * 3).to_vec();
            wanted.extend((at == 0).then(|| photos[9].0.clone()));
            bound.sort();
            wanted.sort();
            assert_eq!(bound, wanted);
            assert_eq!(shown["addenda"].as_array().unwrap().len(), usize::from(at == 0));
            for item in [0, 2, 7] {
                let evidence = strings(&shown["record"]["answers"][item]["attachment_ids"]);
                assert_eq!(evidence, strings(&seen[at]["answers"][item]["attachment_ids"]));
            }
        }
        // Every photo is there to the last byte.
        for (photo, bytes) in &photos {
            assert!(phone.line.get(&format!("/attachments/{photo}/content")).expect(200, "").body == *bytes);
        }
        let all = phone.line.get("/unannounced-checks?count=exact").expect(200, "").json();
        assert_eq!(all["total"], 3);

        // What the log tells at the release is what happened, each once.
        for check in &checks {
            let id = check["id"].as_str().unwrap();
            kit.act(id, "confirm").expect(200, "");
            kit.act(id, "release").expect(200, "");
        }
        let log = |filter: &str| {
            let page = world.as_("53-auditor").get(&format!("/audit-log?limit=200&{filter}")).expect(200, "").json();
            let actions: Vec<String> = page["items"].as_array().unwrap().iter().map(|one| one["action"].as_str().unwrap().to_owned()).collect();
            actions
        };
        crate::support::sealing::sign(world, "53");
        for (photo, _) in &photos {
            let rows = log(&format!("entity_id={photo}"));
            assert_eq!(rows.len(), 2, "it came, it was bound: {rows:?}");
        }
        for check in &checks {
            let rows = log(&format!("entity_id={}", check["id"].as_str().unwrap()));
            for (action, times) in [("unannounced_check.create", 1), ("unannounced_check.confirm", 1), ("unannounced_check.release", 1)] {
                assert_eq!(rows.iter().filter(|one| *one == action).count(), times, "{rows:?}");
            }
        }
    }

    fn a_photo_in_parts_goes_on_from_where_the_line_was_cut(world) {
        let kit = Kit::of(world, "5301");
        let mut luck = Luck(4);
        let (inspector, photo, bytes) = ("53-inspector", id(), large(world, 3_000_000));
        let mut check = kit.body("covert");
        check["record"] = kit.record();
        check["record"]["attachment_ids"] = json!([photo]);
        world.as_(inspector).post("/sync", &json!({ "sent_at": world.clock.now(), "items": [{ "check": check }] })).expect(200, "");

        let phone = tus::Phone::of(world, inspector);
        let announced = phone.announce(bytes.len(), &[("id", &photo), ("filename", "大厅.jpg")]);
        let mut cuts = 0;
        while cuts < 8 {
            cuts += usize::from(announced.cut(luck.below(announced.length() + 300)).is_none());
        }
        let begun = announced.send();
        assert!([200, 201].contains(&begun.status), "{}", begun.story());
        let path = begun.header("location").unwrap().strip_prefix(pingyi::web::BASE).unwrap().to_owned();
        let (mut arrived, mut steps) = (0, 0);
        loop {
            let ask = phone.call("HEAD", &path);
            cuts += usize::from(ask.cut(luck.below(ask.length() + 300)).is_none());
            let told = ask.send().expect(200, "");
            assert!(offset(&told) >= arrived, "what was told to be kept is kept");
            arrived = offset(&told);
            if let Some(became) = told.header("attachment-id") {
                assert_eq!(became, photo);
                break;
            }
            let part = &bytes[arrived..bytes.len().min(arrived + 100_000)];
            let send = phone.call("PATCH", &path).header("Upload-Offset", &arrived.to_string()).bytes(tus::PART, part);
            cuts += usize::from(send.cut(luck.below(send.length() + 300)).is_none());
            steps += 1;
            assert!(steps < 1000, "it never ends");
        }
        assert!(cuts >= 60, "the line was cut {cuts} times only");
        let seen = world.as_(inspector).get(&format!("/attachments/{photo}")).expect(200, "").json();
        assert_eq!((&seen["bytes"], &seen["bound_to"]["id"]), (&json!(bytes.len()), &check["id"]));
        assert!(world.as_(inspector).get(&format!("/attachments/{photo}/content")).expect(200, "").body == bytes);
        let shown = world.as_(inspector).get(&format!("/unannounced-checks/{}", check["id"].as_str().unwrap())).expect(200, "").json();
        assert_eq!((shown["attachments"].as_array().unwrap().len(), &shown["awaited_attachment_ids"]), (4, &json!([])));
    }
}
