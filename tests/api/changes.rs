//! What has changed since somebody asked last: nothing of theirs is skipped, nothing of others' shows, not even in where they go on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::client::Reply;
use crate::support::live::Running;
use crate::support::sealing::seal;
use crate::support::{World, both, story};

const OFFICE: &str = "53-group-office";

fn ask(world: &World, who: &str, query: &str) -> Reply {
    world.as_(who).get(&format!("/changes{query}")).expect(200, "")
}

fn begin(world: &World, who: &str) -> String {
    let first = ask(world, who, "").json();
    assert_eq!((&first["reset"], &first["items"]), (&json!(true), &json!([])));
    place(&first)
}

fn place(answer: &Value) -> String {
    answer["next_since"].as_str().unwrap().to_owned()
}

fn about(answer: &Value) -> Vec<String> {
    let one = |item: &Value| {
        format!("{} {}", item["action"].as_str().unwrap(), item["id"].as_str().unwrap_or_default())
    };
    answer["items"].as_array().unwrap().iter().map(one).collect()
}

both! {
    fn whoever_comes_back_is_told_what_they_may_know(world) {
        let (office, city) = ("53-group-office", "5303-group-office");
        // Everybody has signed in, which the log tells of.
        for who in [office, city, "53-auditor", "50-group-office"] {
            world.as_(who);
        }
        seal(world, "53");
        let mut at_office = begin(world, office);
        let at_city = begin(world, city);
        // What happened before is told once more at most, until they have caught up.
        at_office = place(&ask(world, office, &format!("?since={at_office}")).json());
        let quiet = ask(world, city, &format!("?since={at_city}"));
        let at_city = place(&quiet.json());

        let campaign = story::campaign(world, "5301");
        let user = world.user("5301-liaison");
        world.as_("53-system-admin").post(&format!("/users/{user}/disable"), &json!({})).expect(200, "");
        // Not sealed, not told; then to whom it may concern, and nobody else: not by a byte.
        let unsealed = ask(world, office, &format!("?since={at_office}"));
        assert_eq!(unsealed.json()["items"], json!([]));
        seal(world, "53");
        let before = ask(world, city, &format!("?since={at_city}"));
        let told = ask(world, office, &format!("?since={at_office}")).json();
        let founded = [format!("campaign.create {campaign}"), format!("leading_group.set {campaign}")];
        assert_eq!(about(&told), [founded.as_slice(), &[format!("user.disable {user}")]].concat());
        let told = ask(world, office, &format!("?since={at_office}&kind=campaign")).json();
        assert_eq!(about(&told), [format!("campaign.create {campaign}")]);
        assert_eq!((&told["has_more"], &told["reset"]), (&json!(false), &json!(false)));
        assert_eq!(before.json()["items"], json!([]));
        assert_eq!(place(&before.json()), at_city);
        assert_eq!(before.header("etag"), None);

        // The same again, until they go on.
        assert_eq!(ask(world, office, &format!("?since={at_office}&kind=campaign")).json(), told);
        let next = place(&ask(world, office, &format!("?since={at_office}")).json());
        let rest = ask(world, office, &format!("?since={next}"));
        assert_eq!((about(&rest.json()), place(&rest.json())), (Vec::new(), next.clone()));
        assert_eq!(ask(world, office, &format!("?since={next}")).body, rest.body);
        world.as_("5303-group-office").post("/campaigns", &json!({})).expect(422, "invalid_body");
        seal(world, "53");
        assert_eq!(ask(world, office, &format!("?since={next}")).body, rest.body, "what is refused is nobody's news");

        // Bit by bit, and of some kinds only.
        let made: Vec<String> = (0..5).map(|_| story::campaign(world, "53")).collect();
        seal(world, "53");
        let (mut since, mut heard) = (next.clone(), Vec::new());
        loop {
            let some = ask(world, office, &format!("?since={since}&most=2&kind=campaign")).json();
            assert!(some["items"].as_array().unwrap().len() <= 2);
            heard.extend(about(&some));
            since = place(&some);
            if some["has_more"] == false {
                break;
            }
        }
        assert_eq!(heard, made.iter().map(|id| format!("campaign.create {id}")).collect::<Vec<_>>());
        let plans = ask(world, office, &format!("?since={next}&kind=plan&kind=unit")).json();
        assert_eq!((about(&plans), &plans["has_more"]), (Vec::new(), &json!(false)));

        // What was told of some kinds alone says nothing of others.
        let only = place(&ask(world, office, &format!("?since={next}&kind=campaign")).json());
        assert_eq!(ask(world, office, &format!("?since={only}&kind=campaign")).json()["reset"], false);
        for other in ["", "&kind=plan", "&kind=campaign&kind=plan"] {
            assert_eq!(ask(world, office, &format!("?since={only}{other}")).json()["reset"], true, "{other}");
        }

        // A place that is none of this province's.
        let foreign = begin(world, "50-group-office");
        for odd in [foreign.as_str(), "abc", &next[1..]] {
            assert_eq!(ask(world, office, &format!("?since={odd}")).json()["reset"], true, "{odd}");
        }
        world.as_(office).get("/changes?since=..").expect(400, "invalid_query");
    }

    fn nothing_is_skipped_while_many_write(world) {
        let _running = Running::beside(world.doors());
        world.as_(OFFICE);
        let mut since = begin(world, OFFICE);
        // How many there are, once all are made.
        let all = AtomicUsize::new(usize::MAX);
        let mut heard: Vec<String> = Vec::new();
        let made: Vec<String> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..3)
                .map(|_| scope.spawn(|| (0..12).map(|_| story::campaign(world, "53")).collect::<Vec<_>>()))
                .collect();
            let reader = scope.spawn(|| {
                let late = Instant::now() + Duration::from_secs(40);
                while heard.len() < all.load(Ordering::Relaxed) {
                    assert!(Instant::now() < late, "{} were told of", heard.len());
                    let some = ask(world, OFFICE, &format!("?since={since}&kind=campaign&most=5")).json();
                    heard.extend(about(&some));
                    since = place(&some);
                }
            });
            let made: Vec<String> = writers.into_iter().flat_map(|one| one.join().unwrap()).collect();
            all.store(made.len(), Ordering::Relaxed);
            reader.join().unwrap();
            made
        });
        let mut wanted: Vec<String> = made.iter().map(|id| format!("campaign.create {id}")).collect();
        wanted.sort();
        heard.sort();
        assert_eq!(heard, wanted);
    }
}
