//! The program from outside: the real binary in a process of its own, a plain HTTP/1.1 client, and
//! databases that are made for one test and dropped with it. Shared by `faults`, `migrations` and `bench`.

#![allow(dead_code, unused_imports, reason = "each suite uses a part of it")]

mod account;
mod http;
mod phone;
mod postgres;
mod server;
mod template;

pub use account::{Account, Session, accounts_of, login, sign_in};
pub use http::{Connection, Reply};
pub use phone::Phone;
pub use postgres::{Cluster, Database, Line, execute, own_database, query, scalar};
pub use server::{Program, Store};

/// The two databases each test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The embedded one.
    Sqlite,
    /// PostgreSQL, from `scripts/postgres`.
    Postgres,
}

/// A small generator of random numbers; a failing test names its seed.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Begins with a seed of its own.
    pub fn new() -> Self {
        Self::seeded(uuid::Uuid::new_v4().as_u64_pair().0 | 1)
    }

    /// Begins with this seed.
    pub fn seeded(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// What it began with, or is at.
    pub fn seed(&self) -> u64 {
        self.0
    }

    /// The next number below `limit` (xorshift64*, Vigna 2014).
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limit
    }
}

/// Waits until `done` answers something, asking every few milliseconds.
pub fn until<R>(within: std::time::Duration, what: &str, mut done: impl FnMut() -> Option<R>) -> R {
    let started = std::time::Instant::now();
    loop {
        if let Some(result) = done() {
            return result;
        }
        assert!(started.elapsed() < within, "waited {within:?} in vain for {what}");
        nap(std::time::Duration::from_millis(5));
    }
}

/// Lets time pass where nothing can be waited for.
#[allow(
    clippy::disallowed_methods,
    reason = "the moment of a kill and the pace of a slow client are times, not events"
)]
pub fn nap(time: std::time::Duration) {
    std::thread::sleep(time);
}

/// Lets this process, and the programs that it starts from here on, open files for a thousand connections, where the system
/// allows that. Where it does not, whatever opens them says so.
pub fn many_files() {
    const WANTED: u32 = 4096;
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    if soft.and_then(|soft| soft.parse::<u32>().ok()).is_some_and(|soft| soft < WANTED) {
        let (own, most) = (std::process::id().to_string(), format!("--nofile={WANTED}:"));
        drop(std::process::Command::new("prlimit").args(["--pid", &own, &most]).output());
    }
}

/// `VmRSS` of a process in kB; what [`memory`] calls the highest is the highest from here on.
pub fn memory_from_here(pid: u32) -> u64 {
    let now = memory(pid).unwrap().0;
    std::fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
    now
}

/// `VmRSS` and `VmHWM` of a process, in kB; none once it has ended.
pub fn memory(pid: u32) -> Option<(u64, u64)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let of = |name: &str| {
        text.lines().find(|line| line.starts_with(name))?.split_whitespace().nth(1)?.parse().ok()
    };
    Some((of("VmRSS:")?, of("VmHWM:")?))
}
