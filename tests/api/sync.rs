//! What a phone tells when it is back: in any order, again and again, nothing lost and nothing doubled.

use serde_json::{Value, json};

use crate::races::meet;
use crate::support::checks::{Kit, photo_bytes};
use crate::support::client::{Reply, strings};
use crate::support::{Backend, World, both};

fn id() -> String {
    uuid::Uuid::now_v7().to_string()
}

fn ids() -> [String; 3] {
    [id(), id(), id()]
}

fn batch(world: &World, items: &[Value]) -> Value {
    json!({ "sent_at": world.clock.now(), "items": items })
}

fn sync(world: &World, who: &str, items: &[Value]) -> Reply {
    world.as_(who).post("/sync", &batch(world, items))
}

/// `201`, `200`, or `422 code`, one an item.
fn told(reply: &Reply) -> Vec<String> {
    let line = |one: &Value| match one["code"].as_str() {
        Some(code) => format!("{} {code}", one["status"]),
        None => one["status"].to_string(),
    };
    reply.json()["items"].as_array().unwrap().iter().map(line).collect()
}

fn wrong(item: &Value) -> Vec<String> {
    let line =
        |one: &Value| format!("{} {}", one["pointer"].as_str().unwrap(), one["code"].as_str().unwrap());
    item["errors"].as_array().unwrap().iter().map(line).collect()
}

fn record(check: &Value, record: &Value) -> Value {
    json!({ "record": { "check_id": check["id"], "record": record } })
}

fn addendum(check: &Value, id: &str, photo: &str) -> Value {
    json!({ "addendum": { "check_id": check["id"], "id": id, "content": "补拍存根。", "attachment_ids": [photo] } })
}

both! {
    fn a_day_without_signal_comes_in_any_order(world) {
        let kit = Kit::of(world, "5301");
        let (photos, later, added) = (ids(), id(), id());
        let check = kit.body("covert");
        let seen = kit.record_showing(&photos);
        world.advance(3 * 3600);
        // The last first.
        let items = [addendum(&check, &added, &later), record(&check, &seen), json!({ "check": check })];
        let first = sync(world, "53-inspector", &items).expect(200, "");
        assert_eq!(told(&first), ["201", "200", "201"]);
        assert_eq!((&first.json()["done"], &first.json()["refused"]), (&json!(3), &json!(0)));
        let mut all: Vec<String> = photos.iter().chain([&later]).cloned().collect();
        all.sort();
        let path = format!("/unannounced-checks/{}", check["id"].as_str().unwrap());
        let shown = |who: &str| world.as_(who).get(&path).expect(200, "").json();
        let now = shown("53-inspector");
        assert_eq!((strings(&now["awaited_attachment_ids"]), &now["attachments"]), (all.clone(), &json!([])));
        assert_eq!((&now["deducted"], &now["state"]), (&json!("3.00"), &json!("recorded")));
        assert_eq!(now["begun_at"], check["begun_at"]);

        // What has not all come is not confirmed.
        let confirm = || world.as_("53-discipline").post(&format!("{path}/confirm"), &json!({}));
        confirm().expect(409, "attachments_awaited");
        assert_eq!(strings(&shown("53-discipline")["allowed_actions"]), ["void", "add_addendum"]);
        let mut last = now["version"].as_i64().unwrap();
        for (at, photo) in [3, 0, 2, 1].into_iter().enumerate() {
            let photo = [&photos[0], &photos[1], &photos[2], &later][photo];
            let sent = kit.send_photo(photo).expect(201, "").json();
            assert_eq!((&sent["bound_to"]["id"], &sent["version"]), (&check["id"], &json!(2)));
            assert_eq!(sent["bound_to"]["shown_in"], if *photo == later { "addendum" } else { "record" });
            let now = shown("53-inspector");
            assert_eq!(now["awaited_attachment_ids"].as_array().unwrap().len(), 3 - at);
            assert!(now["version"].as_i64().unwrap() > last, "its commander decides on what it shows now");
            last = now["version"].as_i64().unwrap();
        }
        let now = shown("53-inspector");
        assert_eq!(now["addenda"][0]["attachment_ids"], json!([later]));
        assert_eq!(now["attachments"].as_array().unwrap().len(), 4);

        // The whole again, and again: the same.
        let mut turned = items.to_vec();
        for _ in 0..3 {
            turned.rotate_left(1);
            assert_eq!(told(&sync(world, "53-inspector", &turned).expect(200, "")), ["200", "200", "200"]);
        }
        assert_eq!(shown("53-inspector"), now);
        confirm().expect(200, "");
        assert_eq!(told(&sync(world, "53-inspector", &items).expect(200, "")), ["200", "200", "200"]);
    }

    fn each_is_judged_by_itself(world) {
        let kit = Kit::of(world, "5301");
        let elsewhere = kit.body("covert");
        let good = kit.body("covert");
        let (mut far, mut foreign) = (kit.body("covert"), kit.body("covert"));
        far["unit_id"] = json!(world.unit("5303"));
        foreign["unit_id"] = json!(world.unit("50"));
        let mut short = kit.record_showing(&ids());
        short["answers"].as_array_mut().unwrap().pop();
        let items = [
            json!({ "check": far }), json!({ "check": good }), record(&elsewhere, &kit.record_showing(&ids())),
            json!({ "check": foreign }), record(&good, &short), addendum(&good, &id(), &id()),
        ];
        let reply = sync(world, "53-inspector", &items).expect(200, "");
        let wanted = [
            "422 invalid_body", "201", "404 not_found", "422 invalid_body", "422 invalid_body", "409 check_not_recorded",
        ];
        assert_eq!(told(&reply), wanted);
        let answers = reply.json();
        let at = |item: usize| wrong(&answers["items"][item]);
        assert_eq!(at(0), ["/items/0/check/unit_id not_allowed_value"]);
        assert_eq!(at(3), ["/items/3/check/unit_id unknown_reference"]);
        assert_eq!(at(4), ["/items/4/record/record/answers required"]);
        assert_eq!((&answers["done"], &answers["refused"]), (&json!(1), &json!(5)));

        // Whose it is not, is told as of any other request.
        let other = sync(world, "53-group-office", &[json!({ "check": kit.body("covert") }), record(&good, &short)]);
        assert_eq!(told(&other.expect(200, "")), ["403 forbidden", "403 forbidden"]);
        let stranger = sync(world, "53-special-supervisor", &[record(&good, &short)]).expect(200, "");
        assert_eq!(told(&stranger), ["404 not_found"]);
        sync(world, "5301-unit-head", &items).expect(403, "forbidden");

        // What is no item at all is told of before any is done.
        let late = kit.body("covert");
        let mut nameless = kit.body("covert");
        nameless.as_object_mut().unwrap().remove("id");
        nameless["place"].as_object_mut().unwrap().remove("datum");
        let broken = [json!({ "check": late }), json!({}), json!({ "check": nameless })];
        let refused = sync(world, "53-inspector", &broken).expect(422, "invalid_body").wrong();
        assert_eq!(refused, ["/items/1 required", "/items/2/check/place/datum required", "/items/2/check/id required"]);
        let path = format!("/unannounced-checks/{}", late["id"].as_str().unwrap());
        world.as_("53-inspector").get(&path).expect(404, "not_found");
    }

    fn an_answer_that_was_lost_is_given_again(world) {
        let kit = Kit::of(world, "5301");
        let body = batch(world, &[json!({ "check": kit.body("open") })]);
        let send = |body: &Value| {
            world.as_("53-inspector").call("POST", "/sync").json(body).header("Idempotency-Key", "day-1").send()
        };
        let first = send(&body).expect(200, "");
        assert_eq!(told(&first), ["201"]);
        assert_eq!(send(&body).expect(200, "").body, first.body);
        send(&batch(world, &[json!({ "check": kit.body("open") })])).expect(422, "idempotency_key_reused");
        assert_eq!(told(&world.as_("53-inspector").post("/sync", &body)), ["200"]);
    }

    fn a_photo_is_awaited_from_whoever_made_the_check(world) {
        let kit = Kit::of(world, "5301");
        let (check, photos) = (kit.body("covert"), ids());
        let mut whole = check.clone();
        whole["record"] = kit.record_showing(&photos);
        // One is there already, two follow.
        kit.send_photo(&photos[1]).expect(201, "");
        let reply = sync(world, "53-inspector", &[json!({ "check": whole })]).expect(200, "").json();
        let mut missing = [photos[0].clone(), photos[2].clone()];
        missing.sort();
        assert_eq!(strings(&reply["items"][0]["awaited_attachment_ids"]), missing);

        // Somebody who has nothing to do with it sends one under that id: it is theirs, and shown nowhere.
        let stranger = world.as_("53-special-supervisor").call("POST", "/attachments");
        let taken = stranger.form(&[("id", &photos[0])], Some(("x.jpg", &photo_bytes(world)))).send().expect(201, "").json();
        assert_eq!(taken["bound_to"], Value::Null);
        kit.send_photo(&photos[0]).expect(409, "id_taken");
        let path = format!("/unannounced-checks/{}", check["id"].as_str().unwrap());
        let awaited = || strings(&world.as_("53-inspector").get(&path).expect(200, "").json()["awaited_attachment_ids"]);
        assert_eq!(awaited(), missing);

        // Nobody else waits for the same; once the first is void, somebody may, and what it showed goes along.
        let mut again = kit.body("covert");
        again["record"] = whole["record"].clone();
        again["record"]["answers"][0]["attachment_ids"] = json!([id()]);
        let items = [json!({ "check": again })];
        let refused = sync(world, "53-inspector", &items).expect(200, "").json();
        assert_eq!(wrong(&refused["items"][0]), [
            "/items/0/check/record/answers/7/attachment_ids/0 unknown_reference",
            "/items/0/check/record/answers/2/attachment_ids/0 unknown_reference",
        ]);
        kit.act(check["id"].as_str().unwrap(), "void").expect(200, "");
        assert_eq!(awaited(), Vec::<String>::new());
        let entered = sync(world, "53-inspector", &items).expect(200, "");
        assert_eq!(told(&entered), ["201"]);
        assert_eq!(entered.json()["items"][0]["awaited_attachment_ids"].as_array().unwrap().len(), 2);
        let sent = kit.send_photo(&photos[2]).expect(201, "").json();
        assert_eq!(sent["bound_to"]["id"], again["id"]);

        // A photo of another province is as much to come as one that is nowhere.
        let of_50 = Kit::of(world, "500103").photo();
        let told_of = |photo: &str| {
            let mut one = kit.body("covert");
            one["record"] = kit.record_showing(&[photo.to_owned(), id(), id()]);
            let item = sync(world, "53-inspector", &[json!({ "check": one })]).expect(200, "").json()["items"][0].clone();
            assert!(strings(&item["awaited_attachment_ids"]).contains(&photo.to_owned()));
            (item["status"].clone(), item["awaited_attachment_ids"].as_array().unwrap().len())
        };
        assert_eq!(told_of(&of_50), told_of(&id()));

        // Where all of them have to be here, what is not is unknown.
        let mut alone = kit.body("covert");
        alone["record"] = kit.record_showing(&ids());
        world.as_("53-inspector").post("/unannounced-checks", &alone).expect(422, "invalid_body");
    }

    fn what_is_told_late_is_judged_by_when_it_was(world) {
        let kit = Kit::of(world, "5301");
        let (before, photos) = (kit.body("covert"), ids());
        let list = world.as_("53-group-office").get("/checklists").expect(200, "").json()["items"][0]["id"].as_str().unwrap().to_owned();
        world.advance(3600);
        world.as_("53-group-office").post(&format!("/checklists/{list}/retire"), &json!({})).expect(200, "");
        world.advance(3600);
        let after = kit.body("covert");
        world.advance(3600);
        let items = [json!({ "check": after }), json!({ "check": before }), record(&before, &kit.record_showing(&photos))];
        let reply = sync(world, "53-inspector", &items).expect(200, "");
        assert_eq!(told(&reply), ["422 invalid_body", "201", "200"]);
        assert_eq!(wrong(&reply.json()["items"][0]), ["/items/0/check/checklist_version_id unknown_reference"]);
    }
}

#[test]
fn a_photo_and_the_record_that_names_it_may_meet() {
    let world = &World::on(Backend::Postgres);
    let kit = Kit::of(world, "5301");
    world.as_("53-inspector");
    // Whichever is first in the database, the other finds it.
    for closed in ["awaited_attachments", "attachments"] {
        let (check, photos) = (kit.body("covert"), ids());
        kit.send_photo(&photos[1]).expect(201, "");
        kit.send_photo(&photos[2]).expect(201, "");
        assert_eq!(told(&sync(world, "53-inspector", &[json!({ "check": check })])), ["201"]);
        let seen = record(&check, &kit.record_showing(&photos));
        let (tell, send) =
            (|| sync(world, "53-inspector", std::slice::from_ref(&seen)), || kit.send_photo(&photos[0]));
        let (told_of, sent) = if closed == "attachments" {
            let (a, b) = meet(world, closed, send, tell);
            (b, a)
        } else {
            meet(world, closed, tell, send)
        };
        assert_eq!(told(&told_of.expect(200, "")), ["200"]);
        sent.expect(201, "");
        let path = format!("/unannounced-checks/{}", check["id"].as_str().unwrap());
        let now = world.as_("53-inspector").get(&path).expect(200, "").json();
        assert_eq!(
            (now["attachments"].as_array().unwrap().len(), &now["awaited_attachment_ids"]),
            (3, &json!([])),
            "{closed}"
        );
    }
}
