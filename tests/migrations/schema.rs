//! One logical schema.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use diesel::{Connection, SqliteConnection};
use pingyi::db::migrate;
use pingyi::jobs::rules::JobState;
use pingyi::reference::dictionaries;

use super::model::{Kind, Schema, of_postgres, of_program, of_sqlite};
use super::process::{Database, own_database, query};

fn sqlite() -> Schema {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    migrate::run_sqlite(&mut conn).unwrap();
    of_sqlite(&mut conn)
}

/// A migrated database with the application role's rights.
pub fn migrated() -> Database {
    let database = own_database();
    let location = pingyi::db::Location::Postgres(database.app_url.clone());
    migrate::up(&location, Some(&database.admin_url)).unwrap();
    database
}

#[test]
fn both_have_the_same_versions_with_the_same_files() {
    let names = |folder: &str| -> BTreeMap<String, BTreeSet<String>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
        let name =
            |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let versions = std::fs::read_dir(&root).unwrap().map(name);
        versions
            .map(|version| {
                let files = std::fs::read_dir(root.join(&version)).unwrap().map(name).collect();
                (version, files)
            })
            .collect()
    };
    let both: BTreeSet<String> = ["up.sql", "down.sql"].map(ToOwned::to_owned).into();
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    assert!(!sqlite.is_empty());
    assert_eq!(
        sqlite, postgres,
        "a migration is missing in one of migrations/sqlite and migrations/postgres"
    );
    for (version, files) in sqlite {
        assert_eq!(files, both, "migrations/*/{version} holds up.sql and down.sql");
    }
}

#[test]
fn both_have_the_same_logical_schema() {
    let database = migrated();
    let (sqlite, postgres) = (sqlite(), of_postgres(&database.admin_url));
    let tables = |schema: &Schema| schema.keys().cloned().collect::<Vec<_>>();
    assert_eq!(tables(&sqlite), tables(&postgres));
    for (name, here) in &sqlite {
        let there = &postgres[name];
        assert_eq!(here.columns, there.columns, "columns of {name} (left SQLite, right PostgreSQL)");
        assert_eq!(here.primary_key, there.primary_key, "primary key of {name}");
        assert_eq!(here.foreign_keys, there.foreign_keys, "foreign keys of {name}");
        assert_eq!(here.indices, there.indices, "indices of {name}");
        assert_eq!(here.words(), there.words(), "the words that {name} takes");
        assert_eq!(here.checks, there.checks, "checks of {name}");
    }
}

#[test]
fn the_program_sees_the_tables_as_they_are() {
    let program = of_program();
    let sqlite = sqlite();
    assert_eq!(program.keys().collect::<Vec<_>>(), sqlite.keys().collect::<Vec<_>>());
    for (name, (key, columns)) in &program {
        let table = &sqlite[name];
        let found: Vec<(String, Kind, bool)> =
            table.columns.iter().map(|one| (one.name.clone(), one.kind, one.nullable)).collect();
        assert_eq!(*columns, found, "columns of {name} (left src/db/schema.rs, right the migrations)");
        assert_eq!(*key, table.primary_key, "primary key of {name}");
    }
}

/// Which dictionary each column that takes words only is written in.
const WORDS: &[(&str, &str, &str)] = &[
    ("provinces", "status", "province_status"),
    ("units", "kind", "unit_kind"),
    ("units", "status", "unit_status"),
    ("unit_periods", "status", "unit_status"),
    ("unit_periods", "change", "unit_change"),
    ("plans", "submitted_as", "submitted_as"),
    ("officers", "kind", "officer_kind"),
    ("officers", "rank", "police_rank"),
    ("officers", "status", "officer_status"),
    ("posts", "kind", "post_kind"),
    ("users", "status", "user_status"),
    ("role_bindings", "role", "role"),
    ("sessions", "end_reason", "session_end_reason"),
    ("campaigns", "state", "campaign_state"),
    ("plans", "state", "plan_state"),
    ("plan_versions", "state", "version_state"),
    ("plan_votes", "choice", "vote_choice"),
    ("tasks", "frequency", "frequency"),
    ("tasks", "target_direction", "target_direction"),
    ("task_responsibles", "extent", "responsible_extent"),
    ("task_responsibles", "kind", "unit_kind"),
    ("task_assignments", "state", "assignment_state"),
    ("calendar_changes", "kind", "calendar_change_kind"),
    ("jobs", "kind", "job_kind"),
    ("jobs", "state", "job_state"),
    ("authorisations", "state", "authorisation_state"),
    ("conflicts", "kind", "conflict_kind"),
    ("conflicts", "state", "conflict_state"),
    ("checklists", "state", "checklist_state"),
    ("unannounced_checks", "kind", "check_kind"),
    ("unannounced_checks", "state", "check_state"),
    ("attachments", "media_type", "attachment_type"),
    ("attachments", "shown_in", "attachment_place"),
    ("awaited_attachments", "shown_in", "attachment_place"),
    ("jobs", "format", "table_format"),
    ("jobs", "encoding", "text_encoding"),
];

#[test]
fn columns_take_exactly_the_words_of_their_enum() {
    let mut expected: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for (table, column, dictionary) in WORDS {
        let listed = dictionaries::ALL.iter().find(|one| one.name == *dictionary);
        let listed = listed.unwrap_or_else(|| panic!("there is no dictionary {dictionary}"));
        let words = listed.entries.iter().map(|entry| entry.value.to_owned()).collect();
        expected.insert(((*table).to_owned(), (*column).to_owned()), words);
    }
    let mut found = BTreeMap::new();
    for (name, table) in sqlite() {
        for (column, words) in table.words() {
            found.insert((name.clone(), column), words);
        }
    }
    // A plan's state is kept in two columns, and that it runs in none: its first day tells.
    let of = |column: &str| ("plans".to_owned(), column.to_owned());
    let mut states = found.remove(&of("stage")).unwrap();
    states.insert("running".to_owned());
    found.entry(of("state")).or_default().append(&mut states);
    // Nor is kept that nobody may object to a check any more: the day tells.
    let checks = ("unannounced_checks".to_owned(), "state".to_owned());
    found.entry(checks).or_default().insert("final".to_owned());
    // A job that is taken back ends in one of these.
    let verdicts = found.remove(&("jobs".to_owned(), "verdict".to_owned())).unwrap();
    let ends = JobState::ALL.iter().filter(|state| state.has_ended()).map(|state| state.as_str().to_owned());
    assert_eq!(verdicts, ends.collect());
    // An amendment is in hand in those states alone of which a version is not published, nor gone.
    let hand = found.remove(&of("amendment")).unwrap();
    let gone = ["in_force", "superseded", "withdrawn"].map(ToOwned::to_owned);
    let all = hand.into_iter().chain(gone).collect::<BTreeSet<_>>();
    assert_eq!(Some(&all), found.get(&("plan_versions".to_owned(), "state".to_owned())));
    assert_eq!(
        found, expected,
        "left the CHECKs, right the dictionaries by the list WORDS in tests/migrations/schema.rs"
    );
}

/// What is compared, sorted or cut in ranges must be so bytewise, as SQLite and Rust do it.
#[test]
fn text_that_is_sorted_indexed_or_searched_is_compared_bytewise_on_postgresql() {
    let database = migrated();
    let sql = "SELECT c.relname || '.' || a.attname AS line FROM pg_class c \
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
               JOIN pg_collation k ON k.oid = a.attcollation WHERE k.collname = 'C' AND c.relkind = 'r'";
    let bytewise: BTreeSet<String> = query(&database.admin_url, "", sql).into_iter().collect();
    let schema = of_postgres(&database.admin_url);
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    for (name, table) in &schema {
        let indexed: BTreeSet<&String> =
            table.indices.iter().flat_map(|(_, _, columns, _)| columns).chain(&table.primary_key).collect();
        for column in table.columns.iter().filter(|column| column.kind == Kind::Text) {
            let named =
                ["title", "name", "display_name", "login", "search_text", "code", "path", "unit_path"];
            if indexed.contains(&column.name) || named.contains(&column.name.as_str()) {
                wanted.insert(format!("{name}.{}", column.name));
            }
        }
    }
    let is_text = |table: &str, column: &str| {
        let columns = schema.get(table).map(|table| table.columns.as_slice()).unwrap_or_default();
        columns.iter().any(|one| one.name == column && one.kind == Kind::Text)
    };
    for (table, column) in ordered_in_source() {
        if is_text(&table, &column) {
            wanted.insert(format!("{table}.{column}"));
        }
    }
    let missing: Vec<&String> = wanted.difference(&bytewise).collect();
    assert!(missing.is_empty(), "write COLLATE \"C\" in migrations/postgres for: {missing:?}");
}

/// Every `table::column` in `src/` that is sorted by or compared with less and greater.
fn ordered_in_source() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for sign in [".asc()", ".desc()", ".gt(", ".ge(", ".lt(", ".le(", ".like("] {
                    for (at, _) in text.match_indices(sign) {
                        let name =
                            text[..at].rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
                        if let Some((table, column)) =
                            name.into_iter().next().and_then(|name| name.split_once("::"))
                        {
                            found.insert((table.to_owned(), column.to_owned()));
                        }
                    }
                }
            }
        }
    }
    assert!(
        found.contains(&("units".to_owned(), "path".to_owned())),
        "the scan of src/ finds nothing: {found:?}"
    );
    found
}
