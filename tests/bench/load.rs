//! Clients that keep a server busy at little cost of their own, and what the kernel says it cost.

use std::sync::Barrier;
use std::time::Instant;

use super::process::{Connection, Program};

/// What one run of an operation cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// CPU of the process (of the floor's threads), microseconds an operation.
    pub cpu_micros: f64,
    /// Operations a second.
    pub rate: f64,
}

/// Sends `total` requests over `connections`, each as soon as the last is answered. The requests are
/// made beforehand.
pub fn drive(
    program: &Program,
    connections: usize,
    total: usize,
    status: u16,
    request: impl Fn(usize, usize) -> Vec<u8>,
) -> Cost {
    let each = (total / connections).max(1);
    let work: Vec<(Connection, Vec<Vec<u8>>)> = (0..connections)
        .map(|n| {
            let requests = (0..each).map(|m| request(n, m)).collect();
            (Connection::open(program.address).unwrap(), requests)
        })
        .collect();
    let barrier = Barrier::new(connections + 1);
    let (cpu, begun) = std::thread::scope(|scope| {
        for (mut connection, requests) in work {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                for bytes in requests {
                    connection.send(&bytes).unwrap();
                    assert_eq!(connection.skim().unwrap(), status);
                }
            });
        }
        let cpu = process_ticks(program.pid());
        let begun = Instant::now();
        barrier.wait();
        (cpu, begun)
    });
    let wall = begun.elapsed().as_secs_f64();
    let count = (each * connections) as f64;
    // USER_HZ is 100 on Linux whatever the kernel's own rate.
    let cpu_micros = (process_ticks(program.pid()) - cpu) as f64 * 10_000.0 / count;
    Cost { cpu_micros, rate: count / wall }
}

/// utime and stime of a process, in ticks.
fn process_ticks(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// CPU of the calling thread, in nanoseconds.
pub fn thread_nanos() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}
