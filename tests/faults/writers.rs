//! Many writers of one thing: the entity tag decides, nothing is lost.

use std::sync::Barrier;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::process::{Connection, Random, Reply, nap};
use super::work::{BOTH, Demo, Kind, create};

#[test]
fn of_thirty_two_changes_with_one_etag_one_wins() {
    for backend in BOTH {
        let demo = Demo::start(backend);
        let crew = demo.crew();
        for kind in [Kind::Campaign, Kind::User] {
            let (id, made) = create(&demo, &crew, kind, 1);
            let (path, etag) = (format!("{}/{id}", kind.path()), made.etag());
            let barrier = Barrier::new(32);
            let replies: Vec<(u64, Reply)> = std::thread::scope(|scope| {
                let one = |mark: u64| {
                    let mut connection = Connection::open(demo.at()).unwrap();
                    let body = super::work::content(kind, mark).to_string();
                    barrier.wait();
                    let headers = [("If-Match", etag.as_str())];
                    let session = crew.session(kind);
                    (mark, session.ask(&mut connection, "PATCH", &path, &headers, Some(&body)).unwrap())
                };
                let threads: Vec<_> = (100..132).map(|mark| scope.spawn(move || one(mark))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|(_, reply)| reply.status == 200);
            assert_eq!(
                won.len(),
                1,
                "{backend:?} {kind:?}: {:?}",
                replies.iter().map(|r| r.1.status).collect::<Vec<_>>()
            );
            let (mark, winner) = won[0];
            for (_, reply) in lost {
                assert_eq!((reply.status, reply.code().as_str()), (412, "precondition_failed"));
                assert_eq!(reply.etag(), winner.etag(), "the current entity tag comes with the refusal");
            }
            let now = crew.session(kind).get(demo.at(), &path).expect(200);
            assert_eq!(now.etag(), winner.etag());
            assert_eq!(super::work::mark_of(kind, &now.json()), *mark);
            assert_eq!(now.json()["version"], json!(2));
            assert_eq!(demo.audit_rows()[&format!("{} {id}", kind.entity())], 2);
        }
    }
}

#[test]
fn no_update_is_lost_in_a_run_of_read_change_write() {
    for backend in BOTH {
        let demo = Demo::start(backend);
        let crew = demo.crew();
        let (id, _) = create(&demo, &crew, Kind::Campaign, 0);
        let path = format!("/campaigns/{id}");
        let start = json!({ "theme": "计数 0" }).to_string();
        crew.office.once(demo.at(), "PATCH", &path, &[("If-Match", "*")], Some(&start)).expect(200);
        let (won, lost) = (AtomicI64::new(0), AtomicI64::new(0));
        // For three seconds, and on a machine on which little happens in those until enough has met.
        let begun = Instant::now();
        let is_over = || {
            let enough = [&won, &lost].into_iter().all(|count| count.load(Ordering::Relaxed) > 10);
            begun.elapsed() >= Duration::from_secs(if enough { 3 } else { 60 })
        };
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    let mut random = Random::new();
                    let mut connection = Connection::open(demo.at()).unwrap();
                    while !is_over() {
                        let read =
                            crew.office.ask(&mut connection, "GET", &path, &[], None).unwrap().expect(200);
                        let view = read.json();
                        let count: i64 =
                            view["theme"].as_str().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
                        nap(Duration::from_millis(random.below(4)));
                        let body = json!({ "theme": format!("计数 {}", count + 1) }).to_string();
                        let etag = read.etag();
                        let reply = crew.office.ask(
                            &mut connection,
                            "PATCH",
                            &path,
                            &[("If-Match", &etag)],
                            Some(&body),
                        );
                        match reply.unwrap().status {
                            200 => won.fetch_add(1, Ordering::Relaxed),
                            412 => lost.fetch_add(1, Ordering::Relaxed),
                            other => panic!("{other}"),
                        };
                    }
                });
            }
        });
        let (won, lost) = (won.into_inner(), lost.into_inner());
        let end = crew.office.get(demo.at(), &path).expect(200).json();
        assert_eq!(end["theme"], json!(format!("计数 {won}")), "{won} changes were acknowledged");
        assert_eq!(end["version"], json!(won + 2));
        assert_eq!(demo.audit_rows()[&format!("campaign {id}")], won + 2);
        println!("{backend:?}: {won} changes, {lost} refused");
        assert!(won > 10 && lost > 10, "too few met each other: {won} and {lost}");
    }
}
