//! Up, down, up: empty, and with data in every table.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::{Connection, PgConnection, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};
use pingyi::access::{Doors, KeyRing};
use pingyi::db::{Clock, Db, Limits, Location, migrate};
use pingyi::files::Files;

use super::model::{Schema, of_postgres, of_sqlite};
use super::process::{Backend, Database, own_database, query};

/// One database of either kind, migrated up.
struct Subject {
    dir: tempfile::TempDir,
    database: Option<Database>,
}

impl Subject {
    fn new(backend: Backend) -> Self {
        let subject = Self {
            dir: tempfile::tempdir().unwrap(),
            database: (backend == Backend::Postgres).then(own_database),
        };
        subject.up();
        subject
    }

    fn location(&self) -> Location {
        match &self.database {
            Some(database) => Location::Postgres(database.app_url.clone()),
            None => Location::Sqlite(self.dir.path().join("pingyi.sqlite3")),
        }
    }

    fn up(&self) {
        let admin = self.database.as_ref().map(|one| one.admin_url.as_str());
        migrate::up(&self.location(), admin).unwrap();
    }

    fn sqlite(&self) -> SqliteConnection {
        let Location::Sqlite(file) = self.location() else { panic!("not embedded") };
        let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
        conn.batch_execute("PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000").unwrap();
        conn
    }

    fn owner(&self) -> Option<PgConnection> {
        self.database.as_ref().map(|one| PgConnection::establish(&one.admin_url).unwrap())
    }

    /// Takes back the newest `count` migrations.
    fn down(&self, count: usize) {
        for _ in 0..count {
            match self.owner() {
                Some(mut conn) => conn.revert_last_migration(migrate::POSTGRES).map(|_| ()).unwrap(),
                None => self.sqlite().revert_last_migration(migrate::SQLITE).map(|_| ()).unwrap(),
            }
        }
    }

    fn schema(&self) -> Schema {
        match &self.database {
            Some(database) => of_postgres(&database.admin_url),
            None => of_sqlite(&mut self.sqlite()),
        }
    }

    /// Whatever there is besides tables: functions, triggers, views, types, sequences.
    fn leftovers(&self) -> Vec<String> {
        match &self.database {
            Some(database) => query(
                &database.admin_url,
                "",
                "SELECT 'function ' || proname AS line FROM pg_proc WHERE pronamespace = 'public'::regnamespace \
                 AND proname NOT LIKE 'diesel%' \
                 UNION ALL SELECT 'relation ' || relname FROM pg_class WHERE relnamespace = 'public'::regnamespace \
                 AND relname NOT LIKE '\\_\\_diesel%' \
                 UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace \
                 AND typname NOT LIKE '%diesel%'",
            ),
            None => lines(
                &mut self.sqlite(),
                "SELECT type || ' ' || name AS line FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' \
                 AND name NOT LIKE '\\_\\_diesel%' ESCAPE '\\'",
            ),
        }
    }

    fn execute(&self, sql: &str) {
        match &self.database {
            Some(database) => {
                let mut conn = PgConnection::establish(&database.app_url).unwrap();
                conn.batch_execute(&format!("SET app.tenant = '53'; {sql}"))
                    .unwrap_or_else(|e| panic!("{e}: {sql}"));
            }
            None => self.sqlite().batch_execute(sql).unwrap_or_else(|error| panic!("{error}: {sql}")),
        }
    }

    /// The lines that a query of the province gives.
    fn lines(&self, sql: &str) -> Vec<String> {
        match &self.database {
            Some(database) => query(&database.app_url, "53", sql),
            None => lines(&mut self.sqlite(), sql),
        }
    }

    /// How many rows of the province each table has.
    fn counts(&self) -> BTreeMap<String, i64> {
        let tables = self.schema().into_keys();
        let count = |table: &String| {
            let of_tenant = table != "login_throttles";
            let filter = if of_tenant { "WHERE tenant_id = '53'" } else { "" };
            let sql = format!("SELECT CAST(count(*) AS TEXT) AS line FROM {table} {filter}");
            self.lines(&sql).first().and_then(|line| line.parse().ok()).unwrap()
        };
        tables.map(|table| (table.clone(), count(&table))).collect()
    }
}

fn lines(conn: &mut SqliteConnection, sql: &str) -> Vec<String> {
    use diesel::RunQueryDsl;
    let rows: Vec<super::process::Line> =
        diesel::sql_query(sql).load(conn).unwrap_or_else(|error| panic!("{error}: {sql}"));
    rows.into_iter().map(super::process::Line::into_text).collect()
}

fn versions() -> usize {
    let migrations =
        MigrationSource::<diesel::sqlite::Sqlite>::migrations(&migrate::SQLITE as &EmbeddedMigrations);
    migrations.unwrap().len()
}

fn up_down_up(backend: Backend) {
    let subject = Subject::new(backend);
    let first = subject.schema();
    assert!(!first.is_empty());
    // Each step down and up again by itself.
    for depth in 1..=versions() {
        subject.down(depth);
        if depth == versions() {
            assert_eq!(subject.leftovers(), Vec::<String>::new(), "down leaves nothing behind");
        }
        subject.up();
        assert_eq!(subject.schema(), first, "after {depth} down and up again");
    }
    // Up on what is up does nothing.
    subject.up();
    assert_eq!(subject.schema(), first);
}

#[test]
fn up_down_up_sqlite() {
    up_down_up(Backend::Sqlite);
}

#[test]
fn up_down_up_postgres() {
    up_down_up(Backend::Postgres);
}

/// The demo fills most tables; these have rows only once somebody works.
const REST: &str = "\
    INSERT INTO login_throttles (key_digest, failures, window_end_at) VALUES ('digest', 3, {at}); \
    INSERT INTO idempotency_keys (tenant_id, user_id, operation, key, request_hash, status, body, authz_version, created_at) \
    SELECT tenant_id, id, 'create_plan', 'key-1', 'hash', 201, '{}', 1, created_at FROM users \
    WHERE tenant_id = '53' ORDER BY login LIMIT 1; \
    INSERT INTO sessions (tenant_id, id, user_id, generation, nonce, token_hash, rotated_at, user_agent, created_at, \
    idle_until, expires_at) SELECT tenant_id, id, id, 1, 'n', 'h', created_at, 'a', created_at, created_at, created_at \
    FROM users WHERE tenant_id = '53' ORDER BY login LIMIT 1; \
    INSERT INTO audit_chain (tenant_id, position, entry_id, commitment, link, sealed_at) \
    SELECT tenant_id, 1, id, 'c', 'l', created_at FROM users WHERE tenant_id = '53' ORDER BY login LIMIT 1; \
    INSERT INTO audit_heads (tenant_id, size, link, roots, signed, updated_at) \
    SELECT tenant_id, 1, 'l', 'r', 1, created_at FROM users WHERE tenant_id = '53' ORDER BY login LIMIT 1; \
    INSERT INTO audit_checkpoints (tenant_id, id, size, root, note, created_at) \
    SELECT tenant_id, id, 1, 'r', 'n', created_at FROM users WHERE tenant_id = '53' ORDER BY login LIMIT 1; \
    INSERT INTO audit_held (tenant_id, position, entry_id, commitment) \
    SELECT tenant_id, 1, id, 'c' FROM users WHERE tenant_id = '53' ORDER BY login LIMIT 1; \
    INSERT INTO campaign_scope_units (tenant_id, campaign_id, position, unit_id, unit_path) \
    SELECT c.tenant_id, c.id, 99, u.id, u.path FROM campaigns c JOIN units u ON u.tenant_id = c.tenant_id \
    WHERE c.tenant_id = '53' AND u.kind = 'city' ORDER BY c.id, u.path LIMIT 1; \
    INSERT INTO calendar_changes (tenant_id, day, kind, name, version, created_by, created_at, updated_by, updated_at) \
    SELECT tenant_id, '2027-04-14', 'holiday', '泼水节', 2, id, created_at, id, created_at FROM users \
    WHERE tenant_id = '53' ORDER BY login LIMIT 1; \
    INSERT INTO settings_versions (tenant_id, version, id, suppression_k, recheck_percent, cooling_off_months, \
    extensions_max, objection_working_days, transfers_max, trimmed_mean, quorum_above_percent, station_budget_minutes, \
    receipt_bits, reason, changed_by, changed_at) \
    SELECT tenant_id, 2, id, 10, 10, 36, 2, 3, 1, false, 50, 12000, 80, '会议决定', id, created_at FROM users \
    WHERE tenant_id = '53' ORDER BY login LIMIT 1; \
    INSERT INTO stand_ins (tenant_id, id, unit_id, officer_id, valid_from_on, valid_until_on, reason, named_by, created_at) \
    SELECT o.tenant_id, o.id, o.unit_id, o.id, '2026-07-01', '2026-07-31', 'r', u.id, u.created_at \
    FROM officers o JOIN users u ON u.tenant_id = o.tenant_id WHERE o.tenant_id = '53' ORDER BY o.number, u.login LIMIT 1; \
    INSERT INTO cleared_days (tenant_id, day, working, owed, swept_at) \
    SELECT tenant_id, '2026-07-01', true, 1, created_at FROM users WHERE tenant_id = '53' ORDER BY login LIMIT 1; \
    INSERT INTO owed_entries (tenant_id, day, task_id, officer_id, unit_id, unit_path) \
    SELECT tenant_id, '2026-07-01', task_id, officer_id, unit_id, unit_path FROM entry_duties \
    WHERE tenant_id = '53' ORDER BY id LIMIT 1; \
    INSERT INTO plan_votes (tenant_id, id, plan_id, number, round, user_id, above_percent, choice, created_at) \
    SELECT tenant_id, id, id, 1, 99, created_by, 50, 'for', created_at FROM plans \
    WHERE tenant_id = '53' ORDER BY id LIMIT 1; \
    INSERT INTO jobs (tenant_id, id, user_id, kind, state, dry_run, skip_refused, format, sha256, bytes, bytes_read, mark, \
    rows_read, rows_new, rows_changed, rows_unchanged, rows_refused, errors_found, settled, cleared, free_at, request_id, \
    created_at, updated_at) SELECT tenant_id, id, id, 'officer_import', 'reading', false, false, 'csv', 's', 9, 9, '', \
    1, 0, 0, 0, 1, 1, 0, false, created_at, 'r', created_at, created_at FROM users \
    WHERE tenant_id = '53' ORDER BY login LIMIT 1; \
    INSERT INTO job_pieces (tenant_id, job_id, place, bytes, created_at) SELECT tenant_id, id, 0, 'bytes', created_at FROM jobs; \
    INSERT INTO job_claims (tenant_id, job_id, name, value, line) SELECT tenant_id, id, 'number', '1', 2 FROM jobs; \
    INSERT INTO job_rows (tenant_id, job_id, line, given, content) SELECT tenant_id, id, 2, 0, '{}' FROM jobs; \
    INSERT INTO job_refusals (tenant_id, job_id, line, place, field, code, detail_zh, detail_en) \
    SELECT tenant_id, id, 2, 0, 'number', 'required', 'z', 'e' FROM jobs; \
    INSERT INTO check_addenda (tenant_id, id, check_id, content, author_id, created_at) \
    SELECT tenant_id, id, id, '补记', created_by, created_at FROM unannounced_checks; \
    INSERT INTO uploads (tenant_id, id, user_id, created_at) SELECT tenant_id, id, uploaded_by, created_at FROM attachments; \
    INSERT INTO withdrawn_attachments (tenant_id, kept_as, withdrawn_at) SELECT tenant_id, kept_as, created_at FROM attachments; \
    INSERT INTO resumable_uploads (tenant_id, id, user_id, attachment_id, file_name, bytes, created_at, expires_at) \
    SELECT tenant_id, id, uploaded_by, id, 'n', 9, created_at, created_at FROM attachments; \
    INSERT INTO upload_pieces (tenant_id, upload_id, place, bytes) SELECT tenant_id, id, 0, 'bytes' FROM resumable_uploads; \
    INSERT INTO check_releases (tenant_id, check_id, release_at) SELECT tenant_id, id, created_at FROM unannounced_checks; \
    INSERT INTO check_disclosures (tenant_id, check_id, disclosed_at) SELECT tenant_id, id, created_at FROM unannounced_checks; \
    INSERT INTO authorisation_commanders (tenant_id, authorisation_id, version, user_id, until_at) \
    SELECT tenant_id, id, 2, commander_id, created_at FROM authorisations; \
    INSERT INTO check_reads (tenant_id, check_id, user_id, first_at, last_at, looks) \
    SELECT tenant_id, id, commander_id, created_at, created_at, 1 FROM unannounced_checks; \
    INSERT INTO awaited_attachments (tenant_id, check_id, attachment_id, shown_in, named_by, created_at) \
    SELECT tenant_id, id, id, 'record', commander_id, created_at FROM unannounced_checks; \
    INSERT INTO offline_bundles (tenant_id, user_id, since, bytes, created_at) \
    SELECT tenant_id, commander_id, 'abc', 'bytes', min(created_at) FROM unannounced_checks GROUP BY tenant_id, commander_id; \
    INSERT INTO open_batches (tenant_id, job_id) SELECT tenant_id, id FROM jobs";

/// Tables that their migration fills from one that was there before, a row for a row.
const FILLED_FROM: &[(&str, &str)] = &[("unit_periods", "units"), ("audit_unsealed", "audit_log")];

fn with_data(backend: Backend) {
    let subject = Subject::new(backend);
    let keys = KeyRing::load_or_create(&subject.dir.path().join("keys.json")).unwrap();
    let open = || Db::open(&subject.location(), Limits { connections: 2, queue: 64 }).unwrap();
    let doors = Arc::new(
        Doors::new(open(), Clock::system(), keys, Files::folder(&subject.dir.path().join("files")).unwrap())
            .unwrap(),
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let today = NaiveDate::from_ymd_opt(2026, 7, 1).unwrap();
    runtime.block_on(pingyi::demo::load(&doors, "53", "test", today, |_| Ok(()), &mut |_, _, _| {})).unwrap();
    drop(doors);
    let at = if backend == Backend::Postgres { "now()" } else { "1767225600000000" };
    subject.execute(&REST.replace("{at}", at));

    let before = subject.counts();
    let empty: Vec<_> = before.iter().filter(|(_, count)| **count == 0).map(|(table, _)| table).collect();
    assert!(empty.is_empty(), "no row in {empty:?}: add one to REST in tests/migrations/round_trip.rs");
    let schema = subject.schema();

    // The newest alone: what it made goes with its rows, everything else stays.
    subject.down(1);
    let below = subject.counts();
    for (table, count) in &below {
        assert_eq!(count, &before[table], "{table} lost rows when the newest migration was taken back");
    }
    subject.up();
    assert_eq!(subject.schema(), schema);
    for (table, count) in subject.counts() {
        let filled = FILLED_FROM.iter().find(|(filled, _)| *filled == table).map(|(_, from)| before[*from]);
        let kept = if below.contains_key(&table) { before[&table] } else { filled.unwrap_or(0) };
        assert_eq!(count, kept, "{table} after up again");
    }
    // And the program works with it.
    runtime.block_on(open().ping()).unwrap();

    // All the way, with data still in the older tables.
    subject.down(versions());
    assert_eq!(subject.leftovers(), Vec::<String>::new());
    subject.up();
    assert_eq!(subject.schema(), schema);
    assert!(subject.counts().values().all(|count| *count == 0));
}

/// Rows of the log that wait for what was taken back would wait for ever once that is forgotten; others go on waiting.
fn what_waits_for_what_was_taken_back_is_told(backend: Backend) {
    let subject = Subject::new(backend);
    let (at, mark) = match backend {
        Backend::Postgres => ("now()", ""),
        Backend::Sqlite => ("1767225600000000", "x"),
    };
    let id = |digit: &str| format!("{mark}'{}'", digit.repeat(32));
    let [taken_back, check] = ["a", "b"].map(id);
    subject.execute(&format!(
        "INSERT INTO provinces (tenant_id, name, status, created_at, updated_at) VALUES ('53', '云南', 'active', {at}, {at}); \
         INSERT INTO withdrawn_attachments (tenant_id, kept_as, withdrawn_at) VALUES ('53', {taken_back}, {at}); \
         INSERT INTO audit_unsealed (tenant_id, entry_id, held_by, uncommitted) VALUES ('53', {}, {taken_back}, TRUE), \
         ('53', {}, {taken_back}, FALSE), ('53', {}, {check}, TRUE), ('53', {}, NULL, FALSE)",
        id("1"),
        id("2"),
        id("3"),
        id("4"),
    ));
    let waiting = |held: &str| {
        subject.lines(&format!(
            "SELECT CAST(count(*) AS TEXT) AS line FROM audit_unsealed WHERE tenant_id = '53' AND held_by {held}"
        ))
    };
    assert_eq!([waiting("IS NULL"), waiting("IS NOT NULL")], [["1"], ["3"]]);
    while subject.schema().contains_key("withdrawn_attachments") {
        subject.down(1);
    }
    assert_eq!([waiting("IS NULL"), waiting("IS NOT NULL")], [["3"], ["1"]]);
    assert_eq!(waiting(&format!("= {check}")), ["1"]);
}

#[test]
fn what_waits_for_what_was_taken_back_is_told_sqlite() {
    what_waits_for_what_was_taken_back_is_told(Backend::Sqlite);
}

#[test]
fn what_waits_for_what_was_taken_back_is_told_postgres() {
    what_waits_for_what_was_taken_back_is_told(Backend::Postgres);
}

#[test]
fn up_down_up_with_data_sqlite() {
    with_data(Backend::Sqlite);
}

#[test]
fn up_down_up_with_data_postgres() {
    with_data(Backend::Postgres);
}
