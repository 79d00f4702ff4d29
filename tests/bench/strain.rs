//! What a long import takes, and what everybody else notices of it: requests at a steady pace before it and beside it.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::process::{Connection, Program, Session, memory, memory_from_here, nap};

/// Between two requests of one client.
const PACE: Duration = Duration::from_millis(10);
/// How long it is quiet before the import begins.
const QUIET: Duration = Duration::from_secs(20);

/// How long requests took, the shortest first.
struct Took(Vec<Duration>);

impl Took {
    /// The duration that so many of a hundred do not exceed, in milliseconds.
    fn of_hundred(&self, share: usize) -> f64 {
        let at = (self.0.len() * share / 100).min(self.0.len().saturating_sub(1));
        self.0.get(at).map_or(f64::NAN, |took| took.as_secs_f64() * 1e3)
    }
}

/// What is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// Officers, each with a post: each row stands for itself.
    Officers,
    /// Stations of one city: rows that stand under units, and are compared as a whole.
    Units,
}

/// What was measured.
pub struct Strain {
    table: Table,
    rows: usize,
    bytes: usize,
    sent_in: Duration,
    done_in: Duration,
    /// Reading and writing; before, beside.
    took: [[Took; 2]; 2],
    /// Kilobytes, before and at the highest.
    resident: (u64, u64),
}

/// A client that asks at a steady pace until it is told to end.
fn ask(
    program: &Program,
    ended: &AtomicBool,
    status: u16,
    mut request: impl FnMut(usize) -> Vec<u8>,
) -> Took {
    let mut connection = Connection::open_with(program.address, Duration::from_mins(1)).unwrap();
    let (mut took, mut at) = (Vec::new(), 0);
    while !ended.load(Ordering::Relaxed) {
        let bytes = request(at);
        let begun = Instant::now();
        connection.send(&bytes).unwrap();
        assert_eq!(connection.skim().unwrap(), status);
        took.push(begun.elapsed());
        at += 1;
        nap(PACE.saturating_sub(begun.elapsed()));
    }
    took.sort_unstable();
    Took(took)
}

impl Strain {
    /// Imports so many rows while a reader and a writer go on.
    pub fn measure(
        program: &Program,
        admin: &Session,
        (kind, rows): (Table, usize),
        quiet: bool,
        read: impl Fn(usize) -> Vec<u8> + Sync,
        write: impl Fn(usize) -> Vec<u8> + Sync,
    ) -> Self {
        eprintln!("{rows} {kind:?}, process {}", program.pid());
        let beside = |work: &mut dyn FnMut()| {
            let ended = AtomicBool::new(false);
            std::thread::scope(|scope| {
                let reader = scope.spawn(|| ask(program, &ended, 200, &read));
                let writer = scope.spawn(|| ask(program, &ended, 201, &write));
                work();
                ended.store(true, Ordering::Relaxed);
                [reader.join().unwrap(), writer.join().unwrap()]
            })
        };
        let before = beside(&mut || nap(if quiet { QUIET } else { QUIET / 20 }));
        let table = kind.rows(rows);
        let bytes = table.len();
        let resident = memory_from_here(program.pid());
        let begun = Instant::now();
        let (mut sent_in, mut done_in) = (Duration::ZERO, Duration::ZERO);
        let during = beside(&mut || {
            let mut connection = Connection::open_with(program.address, Duration::from_mins(30)).unwrap();
            let media = [("Content-Type", "text/csv")];
            let taken =
                admin.ask(&mut connection, "POST", kind.path(), &media, Some(&table)).unwrap().expect(202);
            sent_in = begun.elapsed();
            let path = format!("/jobs/{}", taken.json()["id"].as_str().unwrap());
            loop {
                let job = admin.get(program.address, &path).expect(200).json();
                match job["state"].as_str().unwrap() {
                    "queued" | "reading" | "finishing" => nap(Duration::from_millis(200)),
                    "done" => {
                        assert_eq!(job["rows_new"], rows);
                        break;
                    }
                    other => panic!("the import is {other}: {job}"),
                }
            }
            done_in = begun.elapsed();
        });
        Self {
            table: kind,
            rows,
            bytes,
            sent_in,
            done_in,
            took: {
                let ([read_before, write_before], [read_during, write_during]) = (before, during);
                [[read_before, read_during], [write_before, write_during]]
            },
            resident: (resident, memory(program.pid()).unwrap().1),
        }
    }
}

impl Table {
    fn path(self) -> &'static str {
        match self {
            Self::Officers => "/officers/imports",
            Self::Units => "/units/imports",
        }
    }

    fn rows(self, rows: usize) -> String {
        use fmt::Write;
        let mut table = String::from(match self {
            Self::Officers => "number,name,kind,rank,unit_code,post_kind,post_title,post_from_on\n",
            Self::Units => "code,name,kind,parent_code,effective_on,reason\n",
        });
        for row in 0..rows {
            match self {
                Self::Officers => {
                    writeln!(
                        table,
                        "9{row:07},王建国,police,constable_1,5301,case_officer,办案民警,2025-06-01"
                    )
                    .unwrap();
                }
                Self::Units => writeln!(table, "5301Z{row:05},第{row}派出所,station,5301,,省厅批复").unwrap(),
            }
        }
        table
    }
}

impl fmt::Display for Strain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (megabytes, seconds) = (self.bytes as f64 / 1e6, self.done_in.as_secs_f64());
        writeln!(
            f,
            "\n{} {:?} ({megabytes:.1} MB) imported in {seconds:.1} s ({:.0} rows/s), {:.1} s of it sending; \
             memory grew from {} to {} MB at the highest",
            self.rows,
            self.table,
            self.rows as f64 / seconds,
            self.sent_in.as_secs_f64(),
            self.resident.0 / 1024,
            self.resident.1 / 1024,
        )?;
        for (name, [before, beside]) in ["GET /units/{id}", "POST /campaigns"].into_iter().zip(&self.took) {
            let (p50, p99) = (before.of_hundred(50), before.of_hundred(99));
            let (p50_beside, p99_beside) = (beside.of_hundred(50), beside.of_hundred(99));
            writeln!(
                f,
                "- {name}, one every {PACE:?}: p50 {p50:.1} ms, p99 {p99:.1} ms; beside it {p50_beside:.1} and {p99_beside:.1} ms \
                 ({:.1} × the p99, at most 5 ×)",
                p99_beside / p99,
            )?;
        }
        Ok(())
    }
}
