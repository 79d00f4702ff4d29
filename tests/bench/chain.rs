//! What it takes to seal and to verify a long audit log: rows as the program writes them, put into the log of a province
//! where nothing else happens, sealed by the relay of the running program, and gone through by `pingyi audit verify`.

use std::fmt;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;

use super::process::{
    Backend, Connection, Program, Store, accounts_of, execute, memory, nap, sign_in, until,
};

/// The demo's second province.
const TENANT: &str = "50";

const AT_ONCE: usize = 20_000;

/// What was measured.
pub struct Chain {
    rows: usize,
    sealed_in: Duration,
    verified_in: Duration,
    asked_in: Duration,
    verified: usize,
    peak_kb: u64,
}

impl Chain {
    pub fn measure(store: &Store, backend: Backend, program: &Program, rows: usize) -> Self {
        eprintln!("{rows} audit rows: {backend:?}");
        // A few at a time, so that the program's writer has its turns.
        let mut left = rows;
        while left > 0 {
            let some = left.min(AT_ONCE);
            fill(store, some);
            left -= some;
        }
        let begun = Instant::now();
        until(Duration::from_mins(30), "the rows to be sealed", || (unsealed(store) == 0).then_some(()));
        let sealed_in = begun.elapsed();
        assert!(program.pid() > 0, "the relay that seals is the program's");
        let begun = Instant::now();
        let mut verifying = store.command(&["audit", "verify", "--province", TENANT]).spawn().unwrap();
        let mut peak_kb = 0;
        let status = loop {
            if let Ok(Some(status)) = verifying.try_wait() {
                break status;
            }
            peak_kb = memory(verifying.id()).map_or(peak_kb, |(_, peak)| peak_kb.max(peak));
            nap(Duration::from_millis(10));
        };
        let verified_in = begun.elapsed();
        assert!(status.success(), "the chain is whole");
        // An auditor asks the server for the same, which takes longer than other requests may.
        let auditor = sign_in(program.address, &accounts_of(&store.accounts_file()), "auditor", TENANT);
        let mut connection = Connection::open_with(program.address, Duration::from_mins(15)).unwrap();
        let begun = Instant::now();
        let verdict =
            auditor.ask(&mut connection, "GET", "/audit-log/verify", &[], None).unwrap().expect(200).json();
        let asked_in = begun.elapsed();
        assert_eq!(verdict["faults"], serde_json::json!([]));
        Self { rows, sealed_in, verified_in, asked_in, verified: sealed(store), peak_kb }
    }
}

/// Rows with the lengths that the program's have.
fn fill(store: &Store, rows: usize) {
    match store.app_url() {
        None => {
            let sql = format!(
                "CREATE TEMP TABLE new_rows AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) \
                 SELECT randomblob(16) AS id FROM n; \
                 INSERT INTO audit_log (tenant_id, id, at, actor, user_id, roles, action, entity, entity_id, before_digest, \
                 after_digest, reason, request_id, salt) SELECT '{TENANT}', id, CAST(unixepoch() AS INTEGER) * 1000000, \
                 'user:01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77', randomblob(16), 'group_office', 'plan.update', 'plan', \
                 '01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77', lower(hex(randomblob(32))), lower(hex(randomblob(32))), NULL, \
                 '01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d99', lower(hex(randomblob(16))) FROM new_rows; \
                 INSERT INTO audit_unsealed (tenant_id, entry_id) SELECT '{TENANT}', id FROM new_rows;"
            );
            store.sqlite().batch_execute(&sql).unwrap();
        }
        Some(url) => execute(
            url,
            &format!(
                "SET app.tenant = '{TENANT}'; \
                 CREATE TEMP TABLE new_rows AS SELECT gen_random_uuid() AS id FROM generate_series(1, {rows}); \
                 INSERT INTO audit_log (tenant_id, id, at, actor, user_id, roles, action, entity, entity_id, before_digest, \
                 after_digest, reason, request_id, salt) SELECT '{TENANT}', id, now(), \
                 'user:01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77', id, 'group_office', 'plan.update', 'plan', \
                 '01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77', md5(id::text) || md5('a' || id::text), md5('b' || id::text) || \
                 md5('c' || id::text), NULL, '01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d99', md5('d' || id::text) FROM new_rows; \
                 INSERT INTO audit_unsealed (tenant_id, entry_id) SELECT '{TENANT}', id FROM new_rows;"
            ),
        ),
    }
}

/// Rows of a table, narrowed by a condition.
fn count(store: &Store, table: &str) -> usize {
    let sql = format!("SELECT CAST(count(*) AS TEXT) AS line FROM {table} AND tenant_id = '{TENANT}'");
    store.ask(TENANT, &sql)[0].parse().unwrap()
}

fn unsealed(store: &Store) -> usize {
    // What is held back waits for somebody, not for the relay.
    count(store, "audit_unsealed WHERE held_by IS NULL")
}

fn sealed(store: &Store) -> usize {
    count(store, "audit_chain WHERE position > 0")
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = |rows: usize, took: Duration| rows as f64 / took.as_secs_f64();
        write!(
            f,
            "{} audit rows sealed in {:.1} s ({:.0} a second) beside nothing else; {} verified in {:.1} s ({:.0} a second), \
             {:.0} MB at most; asked for over HTTP {:.1} s",
            self.rows,
            self.sealed_in.as_secs_f64(),
            rate(self.rows, self.sealed_in),
            self.verified,
            self.verified_in.as_secs_f64(),
            rate(self.verified, self.verified_in),
            self.peak_kb as f64 / 1024.0,
            self.asked_in.as_secs_f64(),
        )
    }
}
