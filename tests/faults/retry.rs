//! A request that is sent again has one effect.

use std::sync::Barrier;

use super::process::{Backend, Connection, Reply};
use super::work::{BOTH, Demo, Kind, new_body};

/// What a retry must repeat.
fn essence(reply: &Reply) -> (u16, Vec<u8>, Option<String>, Option<String>) {
    let header = |name| reply.header(name).map(ToOwned::to_owned);
    (reply.status, reply.body.clone(), header("etag"), header("location"))
}

#[test]
fn the_same_key_has_one_effect_while_the_first_runs_and_after_it() {
    for backend in BOTH {
        let demo = Demo::start(backend);
        let crew = demo.crew();
        for kind in [Kind::Campaign, Kind::User] {
            let id = uuid::Uuid::now_v7();
            let body = new_body(kind, id, &crew, None, 1);
            let session = crew.session(kind);
            let send = |key: &str, body: &str| {
                session.once(demo.at(), "POST", kind.path(), &[("Idempotency-Key", key)], Some(body))
            };
            let barrier = Barrier::new(16);
            let replies: Vec<Reply> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..16)
                    .map(|_| {
                        scope.spawn(|| {
                            let mut connection = Connection::open(demo.at()).unwrap();
                            barrier.wait();
                            let headers = [("Idempotency-Key", "key-1")];
                            session.ask(&mut connection, "POST", kind.path(), &headers, Some(&body)).unwrap()
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let first = replies.iter().find(|reply| reply.status == 201).expect("one is done");
            for reply in &replies {
                if reply.status == 409 {
                    assert_eq!(reply.code(), "idempotency_in_progress", "{}", reply.text());
                    assert!(reply.header("retry-after").is_some());
                    assert_eq!(backend, Backend::Postgres, "SQLite's one writer makes the second wait");
                } else {
                    assert_eq!(essence(reply), essence(first));
                }
            }
            // Afterwards: the same bytes, also when it has been changed meanwhile.
            let path = format!("{}/{id}", kind.path());
            let change = super::work::content(kind, 2).to_string();
            let etag = first.etag();
            session.once(demo.at(), "PATCH", &path, &[("If-Match", &etag)], Some(&change)).expect(200);
            assert_eq!(essence(&send("key-1", &body)), essence(first));
            // Another body, even by one space, is another request.
            let other = send("key-1", &format!("{body} "));
            assert_eq!(
                (other.status, other.code().as_str()),
                (422, "idempotency_key_reused"),
                "{}",
                other.text()
            );
            // What was refused is not kept: the key is free.
            let refused = send("key-2", "{\"name\": 1}");
            assert_eq!(refused.status, 422);
            let fresh = new_body(kind, uuid::Uuid::now_v7(), &crew, None, 1);
            send("key-2", &fresh).expect(201);
            // Another person's key is another key.
            assert_eq!(demo.audit_rows()[&format!("{} {id}", kind.entity())], 2);
        }
        demo.check_integrity();
    }
}

#[test]
fn a_key_belongs_to_its_owner_and_its_route() {
    let demo = Demo::start(Backend::Sqlite);
    let crew = demo.crew();
    let key = [("Idempotency-Key", "shared")];
    let campaign = uuid::Uuid::now_v7();
    let body = new_body(Kind::Campaign, campaign, &crew, None, 1);
    crew.office.once(demo.at(), "POST", "/campaigns", &key, Some(&body)).expect(201);
    let plan = new_body(Kind::Plan, uuid::Uuid::now_v7(), &crew, Some(campaign), 1);
    crew.office.once(demo.at(), "POST", "/plans", &key, Some(&plan)).expect(201);
    let user = new_body(Kind::User, uuid::Uuid::now_v7(), &crew, None, 1);
    crew.admin.once(demo.at(), "POST", "/users", &key, Some(&user)).expect(201);
    // The right is checked before an answer is repeated.
    let forbidden = crew.admin.once(demo.at(), "POST", "/campaigns", &key, Some(&body));
    assert_eq!((forbidden.status, forbidden.code().as_str()), (403, "forbidden"));
}
