//! The house rules of `src/lib.rs`, read off the source: which file may know what. A failing check
//! names the file, the line and the rule.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests stand outside #[test] functions, where clippy.toml's allowances do not reach"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A source file: its path below `src`, its code without comments and unit tests.
struct Source {
    path: String,
    code: String,
    lines: usize,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut todo: Vec<PathBuf> = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                // Unit tests stand at the end of their file.
                let tested = text.split("#[cfg(test)]").next().unwrap_or_default();
                let code: Vec<&str> = tested
                    .lines()
                    .map(|line| if line.trim_start().starts_with("//") { "" } else { line })
                    .map(|line| line.split(" // ").next().unwrap_or_default())
                    .collect();
                let path = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
                found.push(Source { path, code: code.join("\n"), lines: text.lines().count() });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(found.len() > 50, "the sources are under src");
    found
}

impl Source {
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    fn room(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    fn is_store(&self) -> bool {
        self.name() == "store.rs" || self.name().ends_with("_store.rs")
    }

    /// The lines in which a word stands, as `path:line`.
    fn lines_with(&self, word: &str) -> Vec<String> {
        let boundary = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        let holds = |line: &str| {
            line.match_indices(word).any(|(at, _)| {
                let whole =
                    boundary(line[..at].chars().next_back()) || !word.starts_with(char::is_alphanumeric);
                let ends = boundary(line[at + word.len()..].chars().next())
                    || !word.ends_with(char::is_alphanumeric);
                whole && ends
            })
        };
        let lines = self.code.lines().enumerate().filter(|(_, line)| holds(line));
        lines.map(|(at, line)| format!("src/{}:{}: {}", self.path, at + 1, line.trim())).collect()
    }

    /// How often a piece of code stands in it, white space apart.
    fn count(&self, piece: &str) -> usize {
        let tight: String = self.code.chars().filter(|c| !c.is_whitespace()).collect();
        tight.matches(piece).count()
    }
}

#[track_caller]
fn settle(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}\n  {}", found.join("\n  "));
}

fn forbid(files: impl Fn(&Source) -> bool, words: &[&str], rule: &str) {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| files(source)) {
        for word in words {
            found.extend(source.lines_with(word));
        }
    }
    settle(&found, rule);
}

#[test]
fn http_extracts_calls_and_converts() {
    forbid(
        |source| source.name() == "http.rs",
        &["diesel", "with_conn", "schema::"],
        "http.rs knows no database",
    );
}

#[test]
fn services_know_neither_the_wire_nor_the_database() {
    let words = ["actix_web", "diesel", "with_conn", "schema::", "HttpRequest", "StatusCode"];
    forbid(
        |source| source.name() == "service.rs",
        &words,
        "service.rs holds use cases on a Tx: no actix, no diesel",
    );
}

#[test]
fn rules_are_pure() {
    let words = [
        "actix_web",
        "diesel",
        "with_conn",
        "schema::",
        "Clock",
        "now()",
        "tokio",
        "std::fs",
        "std::io",
        "std::net",
        "std::env",
        "Tx",
        "Gate",
        "Doors",
        "Db",
        "store",
        "service",
        "http",
    ];
    forbid(|source| source.name() == "rules.rs", &words, "rules.rs is pure: no actix, diesel, clock, I/O");
}

#[test]
fn stores_know_nothing_of_the_wire() {
    forbid(
        Source::is_store,
        &["actix_web", "HttpRequest", "HttpResponse"],
        "a store knows rows and queries only",
    );
}

#[test]
fn a_store_is_private_to_its_capability() {
    let mut found = Vec::new();
    for source in sources() {
        for line in source.code.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) "))
                && rest.starts_with("mod ")
                && rest.trim_end_matches(';').ends_with("store")
            {
                found.push(format!("src/{}: {line}", source.path));
            }
            for (at, _) in line.match_indices("crate::") {
                let path: String = line[at + 7..]
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
                    .collect();
                let pieces: Vec<&str> = path.split("::").collect();
                let to_store = pieces.iter().any(|piece| *piece == "store" || piece.ends_with("_store"))
                    || line[at..].contains("store::") && pieces.len() > 1;
                if to_store && pieces.first() != Some(&source.room()) {
                    found.push(format!("src/{}: {line}", source.path));
                }
            }
        }
    }
    settle(&found, "another capability is reached through its service, never through its store");
}

/// Files outside `db/` and the stores that speak to the database, each with its reason.
const SPEAK_SQL: &[(&str, &str)] = &[
    ("access/holders.rs", "what others may ask about people; a store with a wider door"),
    ("access/idempotency.rs", "runs round every write, inside the gate's transaction"),
    ("access/identity.rs", "the gate's own look at account, session and roles"),
    ("access/reach.rs", "the macro every store begins with"),
    ("access/remembered.rs", "counts of changes, which triggers write and only what is remembered reads"),
    ("access/sessions/throttle.rs", "the store of failed logins"),
    ("access/spool.rs", "pieces of a body, which are kept before there is a job to look after them"),
    ("access/tx.rs", "nothing but the connection's type"),
    ("audit/mod.rs", "the one statement that adds a row to the log"),
    ("errors/mod.rs", "what the database's errors mean"),
];

#[test]
fn sql_is_spoken_in_stores() {
    let mut speakers = BTreeSet::new();
    for source in sources().iter().filter(|source| !source.is_store() && source.room() != "db") {
        if !source.lines_with("diesel").is_empty() || !source.lines_with("with_conn!").is_empty() {
            speakers.insert(source.path.clone());
        }
    }
    let known: BTreeSet<String> =
        SPEAK_SQL.iter().map(|(path, _)| (*path).to_owned()).filter(|path| speakers.contains(path)).collect();
    let strangers: Vec<String> = speakers.difference(&known).map(|path| format!("src/{path}")).collect();
    settle(
        &strangers,
        "queries stand in a store.rs; SPEAK_SQL in tests/architecture.rs lists the exceptions with reasons",
    );
}

#[test]
fn routes_are_mounted_in_one_place() {
    let allowed = ["web/routes.rs", "web/docs.rs"];
    let words = [".route(", ".service(", "web::resource(", "web::scope("];
    forbid(
        |source| !allowed.contains(&source.path.as_str()),
        &words,
        "an endpoint is mounted by app::api() alone: what is registered elsewhere is missing from the document",
    );
}

/// Where each of these doors is opened, and how often: a new place is a new way round the gate.
#[rustfmt::skip]
const DOORS: &[(&str, &[(&str, usize)])] = &[
    ("Tx::new(", &[("access/errands.rs", 6), ("access/gate.rs", 3), ("access/listeners.rs", 1)]),
    // A read whose one audit row needs a writing transaction: an export.
    ("Tx::<A>::new(", &[("access/gate.rs", 1)]),
    // Signing in: locate the login, read its credentials, and ask the throttle before and after waiting.
    (".db.read(", &[("access/errands.rs", 2), ("access/gate.rs", 4), ("access/listeners.rs", 1), ("access/sessions/service.rs", 5)]),
    // A piece of a body that is kept for its job: no action of its own, and nothing anybody sees.
    (".db.write(", &[("access/errands.rs", 3), ("access/gate.rs", 4), ("access/sessions/service.rs", 2)]),
    // What moves units or changes many, and the sweep of days.
    (".db.write_alone(", &[("access/errands.rs", 1), ("access/gate.rs", 1)]),
    ("Who::Public,", &[("access/gate.rs", 1)]),
    ("Who::CommandLine(os_user", &[("access/errands.rs", 1)]),
    // What the server does by itself: the sweep of days.
    ("Who::Job(job", &[("access/errands.rs", 3)]),
    (
        "background(doors,",
        &[
            ("campaigns/clearing/sweep.rs", 1),
            ("inspections/candidates/missing.rs", 1),
            ("inspections/checks/embargo.rs", 1),
        ],
    ),
    // The relay of the audit chain, which keeps no writer waiting.
    // Jobs: finding them, holding them, taking back what came to nothing.
    ("beside(&self.doors,", &[("audit/relay.rs", 5), ("jobs/runner.rs", 4)]),
    ("beside(self.doors,", &[("imports/arrange.rs", 1), ("imports/work.rs", 1)]),
    ("beside(gate.doors(),", &[("imports/upload.rs", 1)]),
    ("(look_beside(", &[("imports/work.rs", 1)]),
    // What the server does in every province now and then; bytes of files, kept and taken away beside what is known of them.
    (
        "beside(doors,",
        &[
            ("inspections/attachments/leftovers.rs", 6),
            ("inspections/attachments/upload.rs", 1),
            ("inspections/candidates/missing.rs", 1),
            ("inspections/checks/embargo.rs", 1),
            ("org/everywhere.rs", 1),
        ],
    ),
    // What a job does under the rights of whoever began it.
    ("on_behalf::<R::Action", &[("imports/arrange.rs", 2), ("imports/work.rs", 4)]),
    // `pingyi audit`, which only looks, and leaves a row of what it gives away; the demo, loaded from the command line.
    ("command_line(doors,", &[("commands/audit.rs", 1), ("demo/load.rs", 3)]),
    // And `pingyi attachments verify`, which looks at what is kept beside the database.
    ("command_line_looks(doors,", &[("commands/audit.rs", 1), ("inspections/attachments/verify.rs", 4)]),
    ("Utc::now", &[("db/clock.rs", 1)]),
    ("SystemTime::now", &[]),
    ("Local::now", &[]),
    ("implAction", &[("access/policy.rs", 3)]),
    ("implPublicAction", &[("access/policy.rs", 1)]),
];

#[test]
fn the_doors_past_the_gate_are_counted() {
    let sources = sources();
    for (piece, wanted) in DOORS {
        let found: BTreeMap<&str, usize> = sources
            .iter()
            .map(|source| (source.path.as_str(), source.count(piece)))
            .filter(|(_, count)| *count > 0)
            .collect();
        let wanted: BTreeMap<&str, usize> = wanted.iter().copied().collect();
        assert_eq!(found, wanted, "{piece}: say in the review why there is another, and count it in DOORS");
    }
}

/// What the lower rooms may know of the others.
const FOUNDATIONS: &[(&str, &[&str])] = &[("errors", &["errors"]), ("db", &["db", "errors"])];

#[test]
fn the_foundations_know_nothing_of_the_house() {
    let mut found = Vec::new();
    for source in sources() {
        let Some((_, known)) = FOUNDATIONS.iter().find(|(room, _)| *room == source.room()) else { continue };
        for line in source.code.lines() {
            for (at, _) in line.match_indices("crate::") {
                let room: String =
                    line[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let is_module =
                    !line[..at].ends_with('$') && room.chars().next().is_some_and(char::is_lowercase);
                if is_module && !known.contains(&room.as_str()) {
                    found.push(format!("src/{}: {}", source.path, line.trim()));
                }
            }
        }
    }
    settle(&found, "errors and db stand below everything else");
}

#[test]
fn no_capability_is_known_to_the_wire() {
    let rooms = [
        "crate::org",
        "crate::campaigns",
        "crate::inspections",
        "crate::waiting",
        "crate::demo",
        "crate::reference",
        "crate::commands",
    ];
    forbid(
        |source| source.room() == "web",
        &rooms,
        "web/ is what every endpoint shares; it knows no capability",
    );
}

#[test]
fn every_room_is_in_the_list_of_rooms() {
    let map = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let rooms: BTreeSet<String> = sources()
        .iter()
        .filter(|source| source.path.contains('/'))
        .map(|source| source.room().to_owned())
        .filter(|room| room != "commands")
        .collect();
    let missing: Vec<String> =
        rooms.into_iter().filter(|room| !map.contains(&format!("[`{room}`]"))).collect();
    settle(&missing, "enter the room in the table of src/lib.rs");
}

#[test]
fn no_file_is_longer_than_five_hundred_lines() {
    let long = sources().into_iter().filter(|source| source.lines > 500);
    let long: Vec<String> =
        long.map(|source| format!("src/{}: {} lines", source.path, source.lines)).collect();
    settle(&long, "split it where it has two subjects");
}
