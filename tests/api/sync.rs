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
        for item in first.json()["items"].as_array().unwrap() {
            assert_eq!((&item["state"], &item["version"]), (&json!("recorded"), &json!(3)), "each tells what has become of the check");
        }
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
        assert_eq!(strings(&shown("53-discipline")["allowed_actions"]), ["void", "add_addendum", "give_up_attachments"]);
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

        // What is bound to one is not shown by another; once that is void, it goes along.
        let mut again = kit.body("covert");
        again["record"] = whole["record"].clone();
        again["record"]["answers"][0]["attachment_ids"] = json!([id()]);
        let items = [json!({ "check": again })];
        let refused = sync(world, "53-inspector", &items).expect(200, "").json();
        assert_eq!(wrong(&refused["items"][0]), ["/items/0/check/record/answers/2/attachment_ids/0 unknown_reference"]);
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

    fn a_photo_that_never_comes_is_given_up(world) {
        let kit = Kit::of(world, "5301");
        let (check, photos) = (kit.body("covert"), ids());
        let items = [json!({ "check": check }), record(&check, &kit.record_showing(&photos))];
        sync(world, "53-inspector", &items).expect(200, "");
        kit.send_photo(&photos[2]).expect(201, "");
        let path = format!("/unannounced-checks/{}", check["id"].as_str().unwrap());
        let waits = |who: &str| {
            let view = world.as_(who).get("/auth/me/waiting").expect(200, "").json();
            let these = view["items"].as_array().unwrap().iter().filter(|item| item["check_id"] == check["id"]);
            these.map(|item| item["kind"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        for who in ["53-inspector", "53-discipline"] {
            assert_eq!(waits(who), ["check_to_complete"], "{who}");
        }
        let give_up = |who: &str, ids: &[&str], reason: &str| {
            world.as_(who).post(&format!("{path}/give-up-attachments"), &json!({ "attachment_ids": ids, "reason": reason }))
        };
        give_up("53-group-office", &[&photos[0]], "代为放弃。").expect(404, "not_found");
        let wrong = give_up("53-inspector", &[&photos[0], &photos[2], &id()], "手机遗失。").expect(422, "invalid_body").wrong();
        assert_eq!(wrong, ["/attachment_ids/1 unknown_reference", "/attachment_ids/2 unknown_reference"]);
        let left = give_up("53-inspector", &[&photos[0]], "手机遗失。").expect(200, "").json();
        assert_eq!((strings(&left["awaited_attachment_ids"]), &left["lost_attachments"][0]["id"]), (vec![photos[1].clone()], &json!(photos[0])));
        let lost = &left["lost_attachments"][0];
        assert_eq!((&lost["reason"], &lost["given_up_by"]["id"]), (&json!("手机遗失。"), &json!(world.user("53-inspector"))));
        assert_eq!(left["record"]["answers"][0]["attachment_ids"], json!([photos[0]]), "the record stays as it was");
        // The commander gives up the rest and goes on; what comes after all is shown nowhere.
        give_up("53-discipline", &[&photos[1]], "文件损坏。").expect(200, "");
        give_up("53-discipline", &[&photos[1]], "文件损坏。").expect(409, "nothing_awaited");
        assert_eq!(waits("53-discipline"), ["check_to_confirm"]);
        kit.act(check["id"].as_str().unwrap(), "confirm").expect(200, "");
        assert_eq!(kit.send_photo(&photos[0]).expect(201, "").json()["bound_to"], Value::Null);
        // Told again, it is as it was.
        assert_eq!(told(&sync(world, "53-inspector", &items).expect(200, "")), ["200", "200"]);
    }

    fn what_was_told_before_it_was_over_is_told_whole(world) {
        let kit = Kit::of(world, "5301");
        let begun = kit.body("covert");
        assert_eq!(told(&sync(world, "53-inspector", &[json!({ "check": begun })])), ["201"]);
        // Of that the phone heard no answer: it tells all in one.
        let mut over = begun.clone();
        over["record"] = kit.record_showing(&ids());
        let mut short = over.clone();
        short["record"]["answers"].as_array_mut().unwrap().pop();
        let refused = sync(world, "53-inspector", &[json!({ "check": short })]).expect(200, "").json();
        assert_eq!(wrong(&refused["items"][0]), ["/items/0/check/record/answers required"]);
        for _ in 0..2 {
            let reply = sync(world, "53-inspector", &[json!({ "check": over })]).expect(200, "");
            assert_eq!((told(&reply), &reply.json()["items"][0]["state"]), (vec!["200".to_owned()], &json!("recorded")));
        }
        let mut other = over.clone();
        other["place"]["text"] = json!("二楼");
        assert_eq!(told(&sync(world, "53-inspector", &[json!({ "check": other })])), ["409 id_taken"]);
    }

    fn a_clock_is_asked_each_time_it_is_sent(world) {
        let kit = Kit::of(world, "5301");
        world.advance(3600);
        // The device is four hours slow, and what it begins and ends it tells by its own clock.
        let slow = |seconds: i64| world.clock.now().plus_seconds(seconds - 4 * 3600);
        let mut check = kit.body("covert");
        check["begun_at"] = json!(slow(-600));
        // What an item says of when it was sent, long ago, is not asked.
        check["sent_at"] = json!(slow(-600));
        let mut seen = kit.record_showing(&ids());
        seen["ended_at"] = json!(slow(-60));
        let items = json!([{ "check": check }, { "record": { "check_id": check["id"], "record": seen } }]);
        let send = || {
            let body = json!({ "sent_at": slow(0), "items": items });
            world.as_("53-inspector").call("POST", "/sync").json(&body).header("Idempotency-Key", "slow").send()
        };
        let first = send().expect(200, "");
        assert_eq!(told(&first), ["201", "200"]);
        // Sent again hours later, with the clock as it is then: the same request.
        world.advance(7 * 3600);
        assert_eq!(send().expect(200, "").body, first.body);
        let shown = world.as_("53-inspector").get(&format!("/unannounced-checks/{}", check["id"].as_str().unwrap())).expect(200, "").json();
        assert_eq!(shown["skew_ms"], json!(-4 * 3600 * 1000));
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
fn two_who_tell_the_same_at_once_are_told_the_same() {
    let world = &World::on(Backend::Postgres);
    let kit = Kit::of(world, "5301");
    world.as_("53-inspector");
    let check = kit.body("covert");
    let items = [
        json!({ "check": check }),
        addendum(&check, &id(), &id()),
        record(&check, &kit.record_showing(&ids())),
    ];
    let tell = || sync(world, "53-inspector", &items);
    let (first, second) = meet(world, "unannounced_checks", tell, tell);
    let mut whole = [told(&first.expect(200, "")), told(&second.expect(200, ""))];
    whole.sort();
    // Whichever was first with each: nothing is refused, nothing is there twice.
    assert!(whole.iter().flatten().all(|line| ["200", "201"].contains(&line.as_str())), "{whole:?}");
    assert_eq!(whole.iter().filter(|one| one[0] == "201").count(), 1);
    let path = format!("/unannounced-checks/{}", check["id"].as_str().unwrap());
    let now = world.as_("53-inspector").get(&path).expect(200, "").json();
    assert_eq!(
        (now["addenda"].as_array().unwrap().len(), now["awaited_attachment_ids"].as_array().unwrap().len()),
        (1, 4)
    );
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
