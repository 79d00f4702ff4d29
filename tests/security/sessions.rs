//! Signing in, refreshing, guessing: what a thief may try.

use serde_json::{Value, json};

use crate::support::client::Reply;
use crate::support::{World, both, people};

const DAY: i64 = 86_400;

fn pair(world: &World, login: &str) -> (String, String) {
    let body = world.sign_in(login).json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

fn refresh(world: &World, token: &str) -> Reply {
    world.anonymous().post("/auth/refresh", &json!({ "refresh_token": token }))
}

fn refresh_with_key(world: &World, token: &str, key: &str) -> Reply {
    let call = world.anonymous().call("POST", "/auth/refresh").json(&json!({ "refresh_token": token }));
    call.header("Idempotency-Key", key).send()
}

fn next(reply: Reply) -> String {
    reply.expect(200, "").json()["refresh_token"].as_str().unwrap().to_owned()
}

fn log_in(world: &World, login: &str, password: &str) -> Reply {
    world.anonymous().post("/auth/login", &json!({ "login": login, "password": password }))
}

fn told(reply: &Reply) -> String {
    let id = reply.header("x-request-id").unwrap_or_default();
    let mut headers: Vec<String> = reply
        .headers
        .iter()
        .filter(|(name, _)| {
            !["date", "x-request-id", "access-control-expose-headers"].contains(&name.as_str())
        })
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    headers.sort_unstable();
    format!("{}\n{}\n{}", reply.status, headers.join("\n"), reply.text().replace(id, "ID"))
}

both! {
    fn a_refresh_token_works_once(world) {
        let (_, first) = pair(world, "53-liaison");
        let second = next(refresh(world, &first));
        assert_ne!(first, second);
        // Within ten seconds it is a race, and ends nothing.
        refresh(world, &first).expect(409, "refresh_superseded");
        world.clock.advance(9);
        refresh(world, &first).expect(409, "refresh_superseded");
        let third = next(refresh(world, &second));
        // Later it is theft: the family ends, the newest token with it, and the access token too.
        let access = pair(world, "53-unit-head");
        let stolen = access.1.clone();
        let newest = next(refresh(world, &stolen));
        world.clock.advance(10);
        refresh(world, &stolen).expect(401, "refresh_invalid");
        refresh(world, &newest).expect(401, "refresh_invalid");
        world.bearing(&access.0).get("/plans").expect(401, "token_invalid");
        // Nobody else's family is touched.
        next(refresh(world, &third));
    }

    fn a_token_two_generations_old_is_theft_at_once(world) {
        let (_, first) = pair(world, "53-liaison");
        let second = next(refresh(world, &first));
        let third = next(refresh(world, &second));
        refresh(world, &first).expect(401, "refresh_invalid");
        refresh(world, &third).expect(401, "refresh_invalid");
    }

    fn of_two_at_once_one_wins_and_nothing_ends(world) {
        for round in 0..5 {
            let (_, first) = pair(world, "53-liaison");
            let replies: Vec<Reply> = std::thread::scope(|scope| {
                let tries: Vec<_> = (0..4).map(|_| scope.spawn(|| refresh(world, &first))).collect();
                tries.into_iter().map(|one| one.join().unwrap()).collect()
            });
            let won: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 200).collect();
            assert_eq!(won.len(), 1, "round {round}: {:?}", replies.iter().map(|one| one.status).collect::<Vec<_>>());
            for lost in replies.iter().filter(|reply| reply.status != 200) {
                assert!(lost.status == 409 && lost.code() == "refresh_superseded", "{}", lost.story());
            }
            next(refresh(world, won[0].json()["refresh_token"].as_str().unwrap()));
        }
    }

    fn the_same_key_gets_the_same_successor(world) {
        let (_, first) = pair(world, "53-liaison");
        let second = next(refresh_with_key(world, &first, "retry-1"));
        assert_eq!(next(refresh_with_key(world, &first, "retry-1")), second, "the answer that was lost");
        refresh_with_key(world, &first, "retry-2").expect(409, "refresh_superseded");
        refresh(world, &first).expect(409, "refresh_superseded");
        next(refresh(world, &second));
        let (_, first) = pair(world, "53-liaison");
        let replies: Vec<String> = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..4).map(|_| scope.spawn(|| next(refresh_with_key(world, &first, "at once")))).collect();
            tries.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(replies.windows(2).all(|two| two[0] == two[1]), "one successor for one key");
        world.clock.advance(10);
        refresh_with_key(world, &first, "at once").expect(401, "refresh_invalid");
    }

    fn a_session_idles_fourteen_days_and_lives_ninety(world) {
        let (_, token) = pair(world, "53-liaison");
        world.advance(14 * DAY - 1);
        let token = next(refresh(world, &token));
        world.advance(14 * DAY);
        refresh(world, &token).expect(401, "refresh_invalid");
        let (_, mut token) = pair(world, "53-liaison");
        for _ in 0..8 {
            world.advance(11 * DAY);
            token = next(refresh(world, &token));
        }
        // 88 days: used the day before yesterday, and yet over after 90.
        world.advance(2 * DAY - 1);
        let token = next(refresh(world, &token));
        world.advance(1);
        refresh(world, &token).expect(401, "refresh_invalid");
    }

    fn a_refresh_token_that_is_not_ours_says_nothing(world) {
        let (_, token) = pair(world, "53-liaison");
        let model = refresh(world, "AAAA").expect(401, "refresh_invalid");
        let mut bytes = token.clone().into_bytes();
        for at in [0, 3, 10, 24, 30, 40, 60] {
            let old = bytes[at];
            bytes[at] = if old == b'A' { b'B' } else { b'A' };
            let bent = String::from_utf8(bytes.clone()).unwrap();
            assert_eq!(told(&refresh(world, &bent)), told(&model), "bent at {at}");
            bytes[at] = old;
        }
        refresh(world, &"A".repeat(200)).expect(401, "refresh_invalid");
        refresh(world, world.as_("53-liaison").token().split('.').next().unwrap()).expect(401, "refresh_invalid");
        next(refresh(world, &token));
    }

    fn who_exists_is_told_by_nothing(world) {
        world.as_("53-system-admin").post(&format!("/users/{}/disable", world.user("5303-liaison")), &json!({})).expect(200, "");
        let model = log_in(world, "nobody-at-all", "wrong-password-1").expect(401, "login_failed");
        for (login, password) in [
            ("53-liaison", "wrong-password-1"),
            ("53-LIAISON", "wrong-password-1"),
            ("5303-liaison", people::PASSWORD),
            ("5303-liaison", "wrong-password-1"),
            ("' OR 1=1 --", "x"),
            ("王建国", people::PASSWORD),
        ] {
            if login.contains(' ') {
                continue;
            }
            assert_eq!(told(&log_in(world, login, password)), told(&model), "{login}");
        }
        log_in(world, "53-LIAISON", people::PASSWORD).expect(200, "");
    }

    fn ten_wrong_guesses_shut_an_account_for_a_quarter_of_an_hour(world) {
        for _ in 0..10 {
            log_in(world, "53-liaison", "wrong-password-1").expect(401, "login_failed");
        }
        let shut = log_in(world, "53-liaison", people::PASSWORD).expect(429, "too_many_attempts");
        let wait: i64 = shut.header("retry-after").expect("Retry-After").parse().unwrap();
        assert!((1..=15 * 60 + 1).contains(&wait), "{}", shut.story());
        // Whoever does not exist is treated alike, and nobody else is shut out.
        for _ in 0..10 {
            log_in(world, "nobody-at-all", "wrong-password-1").expect(401, "login_failed");
        }
        let same = log_in(world, "nobody-at-all", "wrong-password-1").expect(429, "too_many_attempts");
        assert_eq!(told(&same), told(&shut));
        log_in(world, "53-unit-head", people::PASSWORD).expect(200, "");
        world.clock.advance(wait - 2);
        log_in(world, "53-liaison", people::PASSWORD).expect(429, "too_many_attempts");
        world.clock.advance(2);
        log_in(world, "53-liaison", people::PASSWORD).expect(200, "");
    }

    fn a_hundred_wrong_guesses_from_one_address_shut_it_whoever_is_guessed_at(world) {
        for guess in 0..100 {
            log_in(world, &format!("nobody-{}", guess / 9), "wrong-password-1").expect(401, "login_failed");
        }
        log_in(world, "53-unit-head", people::PASSWORD).expect(429, "too_many_attempts");
        world.clock.advance(15 * 60 + 1);
        log_in(world, "53-unit-head", people::PASSWORD).expect(200, "");
    }

    fn a_success_forgets_the_guesses_before_it(world) {
        for _ in 0..3 {
            for _ in 0..9 {
                log_in(world, "53-liaison", "wrong-password-1").expect(401, "login_failed");
            }
            log_in(world, "53-liaison", people::PASSWORD).expect(200, "");
        }
    }

    fn guesses_at_the_own_password_are_counted_too(world) {
        let who = world.as_("53-liaison");
        let body = json!({ "current_password": "wrong-password-1", "new_password": "滇池东岸的海鸥二月才飞走" });
        for _ in 0..10 {
            who.post("/auth/password", &body).expect(422, "password_wrong");
        }
        let good = json!({ "current_password": people::PASSWORD, "new_password": "滇池东岸的海鸥二月才飞走" });
        assert!(who.post("/auth/password", &good).expect(429, "too_many_attempts").header("retry-after").is_some());
    }

    fn weak_passwords_are_refused_wherever_one_is_chosen(world) {
        let system = world.as_("53-system-admin");
        let reset = format!("/users/{}/reset-password", world.user("5303-liaison"));
        let short = ["", "短", "elevenchars", "翠湖边第三棵柳树下面见"];
        let weak = ["woaini1314520", "123456123456", "gongan110gongan", "aaaaaaaaaaaaaa", "qwertyuiop12"];
        let long = "翠湖边第三棵柳树下面见面".repeat(11);
        let attempt = |password: &str| -> Vec<(Reply, &'static str)> {
            let new = json!({ "login": "chosen-login", "display_name": "新人", "unit_id": world.unit("53"), "password": password });
            let own = json!({ "current_password": people::PASSWORD, "new_password": password });
            vec![
                (system.post("/users", &new), "/password"),
                (system.post(&reset, &json!({ "password": password })), "/password"),
                (world.as_("53-liaison").post("/auth/password", &own), "/new_password"),
            ]
        };
        for password in short.iter().copied().chain([long.as_str()]) {
            for (reply, place) in attempt(password) {
                assert!(reply.status == 422 && reply.code() == "invalid_body", "{}", reply.story());
                assert_eq!(reply.errors()[0].0, place, "{}", reply.story());
            }
        }
        for password in weak {
            for (reply, place) in attempt(password) {
                assert!(reply.status == 422 && reply.code() == "password_weak", "{}", reply.story());
                assert_eq!(reply.errors()[0].0, place, "{}", reply.story());
            }
        }
        let new = json!({ "login": "chosen-login", "display_name": "新人", "unit_id": world.unit("53"), "password": "chosen-login-9x7" });
        system.post("/users", &new).expect(422, "password_weak");
    }

    fn a_changed_password_keeps_this_session_and_ends_the_others(world) {
        let (here, _) = pair(world, "53-liaison");
        let (there, refresh_there) = pair(world, "53-liaison");
        let body = json!({ "current_password": people::PASSWORD, "new_password": "滇池东岸的海鸥二月才飞走" });
        world.bearing(&here).post("/auth/password", &body).expect(204, "");
        world.bearing(&here).get("/plans").expect(200, "");
        world.bearing(&there).get("/plans").expect(401, "token_invalid");
        refresh(world, &refresh_there).expect(401, "refresh_invalid");
        log_in(world, "53-liaison", people::PASSWORD).expect(401, "login_failed");
        log_in(world, "53-liaison", "滇池东岸的海鸥二月才飞走").expect(200, "");
    }

    fn no_secret_leaves_the_server(world) {
        let told = world.sign_in("53-liaison");
        let hash = crate::support::raw::Raw::owner(world, "53").texts("SELECT password_hash AS text FROM users LIMIT 1");
        let tokens: Vec<String> = crate::support::raw::Raw::owner(world, "53")
            .texts("SELECT token_hash AS text FROM sessions UNION SELECT nonce FROM sessions");
        let objects = crate::objects::Objects::of(world);
        for operation in crate::operations::operations().into_iter().filter(|operation| operation.method == "GET") {
            let reply = operation.caller(world).get(&objects.own(&operation));
            let text = reply.text();
            for secret in hash.iter().chain(&tokens) {
                assert!(!text.contains(secret.as_str()) && !text.contains("$argon2"), "{}", reply.story());
            }
        }
        let refresh = told.json()["refresh_token"].as_str().unwrap().to_owned();
        assert!(!tokens.contains(&refresh), "the refresh token itself is kept");
        let _: Value = told.json();
    }
}
