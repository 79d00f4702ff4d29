//! Two servers on one database behave as one: what is done at one counts at the other with the next request.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Reply;
use crate::support::live::{Ear, Running};
use crate::support::sealing::seal_all;
use crate::support::{Second, World, both, people, story};

const OFFICE: &str = "53-group-office";

fn keyed(world: &World, second: &Second, at: usize, key: &str, body: &Value) -> Reply {
    let who = world.as_(OFFICE);
    let who = if at == 0 { who } else { who.at(second) };
    who.call("POST", "/campaigns").header("Idempotency-Key", key).json(body).send()
}

fn campaigns(world: &World) -> Value {
    world.as_(OFFICE).get("/campaigns?count=exact").expect(200, "").json()["total"].clone()
}

both! {
    fn a_right_counts_and_ceases_to_count_at_the_other(world) {
        let second = world.second();
        let security = world.as_("53-security-admin");
        let list = format!("/users/{}/role-bindings", world.user("53-nobody"));
        let there = || world.as_("53-nobody").at(&second);
        // It has been looked up there before anything changes here.
        there().get("/plans").expect(403, "forbidden");
        let body = json!({ "role": "group_member", "unit_id": world.unit("53") });
        let binding = security.post(&list, &body).expect(201, "").id();
        there().get("/plans").expect(200, "");
        security.delete(&format!("{list}/{binding}")).expect(204, "");
        there().get("/plans").expect(403, "forbidden");

        // Nor does an account that is disabled here, or a session that ends here, go on there.
        world.as_("5301-liaison").at(&second).get("/plans").expect(200, "");
        let path = format!("/users/{}/disable", world.user("5301-liaison"));
        world.as_("53-system-admin").post(&path, &json!({})).expect(200, "");
        world.as_("5301-liaison").at(&second).get("/plans").expect(401, "token_invalid");
        world.as_("5303-group-office").at(&second).get("/plans").expect(200, "");
        world.as_("5303-group-office").post("/auth/logout", &json!({})).expect(204, "");
        world.as_("5303-group-office").at(&second).get("/plans").expect(401, "token_invalid");
    }

    fn a_key_has_one_effect_whichever_is_asked(world) {
        let second = world.second();
        let body = story::campaign_body(world, "53");
        let first = keyed(world, &second, 0, "morning", &body).expect(201, "");
        let again = keyed(world, &second, 1, "morning", &body).expect(201, "");
        assert_eq!((first.text(), first.etag(), first.header("location")), (again.text(), again.etag(), again.header("location")));
        let mut other = body.clone();
        other["year"] = json!(2027);
        keyed(world, &second, 1, "morning", &other).expect(422, "idempotency_key_reused");
        assert_eq!(campaigns(world), 1);
        for round in 1..=4 {
            let key = format!("at once {round}");
            let replies: Vec<Reply> = std::thread::scope(|scope| {
                let (second, key, body) = (&second, &key, &body);
                let sent: Vec<_> = (0..16).map(|at| scope.spawn(move || keyed(world, second, at % 2, key, body))).collect();
                sent.into_iter().map(|one| one.join().unwrap()).collect()
            });
            let made: Vec<String> = replies.iter().filter(|reply| reply.status == 201).map(Reply::text).collect();
            assert!(!made.is_empty() && made.windows(2).all(|two| two[0] == two[1]), "one answer: {made:?}");
            for late in replies.iter().filter(|reply| reply.status != 201) {
                assert_eq!((late.status, late.code().as_str()), (409, "idempotency_in_progress"), "{}", late.story());
            }
            assert_eq!(campaigns(world), 1 + round, "one effect");
        }
    }

    fn a_refresh_token_works_once_whichever_is_asked(world) {
        let second = world.second();
        let refresh = |at: usize, token: &str| {
            let who = world.anonymous();
            let who = if at == 0 { who } else { who.at(&second) };
            who.post("/auth/refresh", &json!({ "refresh_token": token }))
        };
        for round in 0..4 {
            let first = world.sign_in("53-liaison").json()["refresh_token"].as_str().unwrap().to_owned();
            let replies: Vec<Reply> = std::thread::scope(|scope| {
                let (refresh, first) = (&refresh, &first);
                let sent: Vec<_> = (0..4).map(|at| scope.spawn(move || refresh(at % 2, first))).collect();
                sent.into_iter().map(|one| one.join().unwrap()).collect()
            });
            let won = replies.iter().filter(|reply| reply.status == 200).count();
            let lost = replies.iter().filter(|reply| reply.status == 409 && reply.code() == "refresh_superseded").count();
            assert_eq!((won, lost), (1, 3), "round {round}");
        }
        // Used here, and later there: theft, whoever is told.
        let stolen = world.sign_in("53-liaison").json()["refresh_token"].as_str().unwrap().to_owned();
        let newest = refresh(0, &stolen).expect(200, "").json()["refresh_token"].as_str().unwrap().to_owned();
        world.clock.advance(10);
        refresh(1, &stolen).expect(401, "refresh_invalid");
        refresh(0, &newest).expect(401, "refresh_invalid");
    }

    fn guesses_are_counted_together(world) {
        let second = world.second();
        let guess = |at: usize, password: &str| {
            let who = world.anonymous();
            let who = if at == 0 { who } else { who.at(&second) };
            who.post("/auth/login", &json!({ "login": "53-liaison", "password": password }))
        };
        for at in 0..10 {
            guess(at % 2, "wrong-password-1").expect(401, "login_failed");
        }
        guess(0, people::PASSWORD).expect(429, "too_many_attempts");
        guess(1, people::PASSWORD).expect(429, "too_many_attempts");
    }

    fn all_who_listen_hear_the_same_in_the_same_order(world) {
        const WRITERS: usize = 8;
        const EACH: usize = 6;
        let second = world.second();
        // Whatever the people here came with has been told.
        seal_all(world, "53");
        let _running = (Running::beside(world.doors()), Running::beside(&second.doors));
        let token = world.as_(OFFICE).token().to_owned();
        let ears = [Ear::open(world.address(), &token, None), Ear::open(second.address, &token, None)];
        let body = story::campaign_body(world, "53");
        let mut made: Vec<String> = std::thread::scope(|scope| {
            let (body, second) = (&body, &second);
            let write = move |writer: usize| -> Vec<String> {
                let make = |at: usize| keyed(world, second, (writer + at) % 2, &format!("{writer} {at}"), body);
                (0..EACH).map(|at| make(at).expect(201, "").id()).collect()
            };
            let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
            writers.into_iter().flat_map(|one| one.join().unwrap()).collect()
        });
        let heard = ears.map(|ear| -> Vec<String> {
            let next = || ear.next(Duration::from_secs(30)).expect("an event");
            let all = (0..WRITERS * EACH).map(|_| next()).inspect(|event| assert_eq!(event.short(), "campaign campaign.create"));
            let all = all.map(|event| event.about().to_owned()).collect();
            assert_eq!(ear.next(Duration::from_millis(800)), None, "and nothing twice");
            all
        });
        assert_eq!(heard[0], heard[1], "one order");
        let mut once = heard[0].clone();
        once.sort_unstable();
        made.sort_unstable();
        assert_eq!(once, made);
    }
}
