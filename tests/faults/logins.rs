//! Many who sign in at once, and what the time an answer takes tells.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use super::process::{login, memory, memory_from_here};
use super::work::{BOTH, Demo};

/// Megabytes that one password takes while it is compared (Argon2id, m = 19 MiB).
const EACH: u64 = 19;

#[test]
fn thirty_two_logins_at_once_take_bounded_memory() {
    const CROWD: usize = 32;
    for backend in BOTH {
        let demo = Demo::start(backend);
        let (at, pid) = (demo.at(), demo.program.pid());
        let account = &demo.accounts[0];
        // Whatever a first login sets aside is there.
        login(at, &account.login, &account.password).expect(200);
        let before = memory_from_here(pid);
        let barrier = Barrier::new(CROWD);
        std::thread::scope(|scope| {
            for _ in 0..CROWD {
                scope.spawn(|| {
                    barrier.wait();
                    login(at, &account.login, &account.password).expect(200);
                });
            }
        });
        let grown = memory(pid).unwrap().1.saturating_sub(before) / 1024;
        println!("{backend:?}: {CROWD} logins at once took {grown} MB more");
        assert!(grown < EACH * CROWD as u64 / 2, "they wait for each other: {grown} MB");
    }
}

#[test]
fn the_time_of_an_answer_does_not_tell_which_logins_there_are() {
    const TRIES: usize = 9;
    for backend in BOTH {
        let demo = Demo::start(backend);
        let mut took: [Vec<Duration>; 2] = Default::default();
        // Each guess at another login, so that none is throttled; turn about, so that a slow minute hits both.
        for account in demo.accounts.iter().take(TRIES) {
            for (known, times) in took.iter_mut().enumerate() {
                let name = if known == 0 { format!("no-{}", account.login) } else { account.login.clone() };
                let begun = Instant::now();
                login(demo.at(), &name, "滇池边的第七只红嘴鸥").expect(401);
                times.push(begun.elapsed());
            }
        }
        let [unknown, wrong] = took.map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2]
        });
        println!(
            "{backend:?}: a login that nobody has {unknown:?}, a wrong password {wrong:?} (medians of {TRIES})"
        );
        let ratio = unknown.as_secs_f64() / wrong.as_secs_f64();
        // Without a password to compare with it would be a hundredth; how busy the machine is changes less.
        assert!((0.2..5.0).contains(&ratio), "{unknown:?} {wrong:?}");
    }
}
