//! Row-level security, the application role's rights, and the roles the program refuses.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use pingyi::db::{Db, Limits, Location, migrate};

use super::model::of_postgres;
use super::process::{Cluster, query};
use super::schema::migrated;

/// Tables that are read before a tenant is known.
const GLOBAL: [&str; 3] = ["login_directory", "login_throttles", "provinces"];

#[test]
fn every_table_of_a_tenant_is_under_forced_row_level_security() {
    let database = migrated();
    let schema = of_postgres(&database.admin_url);
    let forced = "SELECT c.relname::text AS line FROM pg_class c WHERE c.relkind = 'r' \
                  AND c.relrowsecurity AND c.relforcerowsecurity";
    let forced: BTreeSet<String> = query(&database.admin_url, "", forced).into_iter().collect();
    let wanted: BTreeSet<String> =
        schema.keys().filter(|name| !GLOBAL.contains(&name.as_str())).cloned().collect();
    assert_eq!(forced, wanted, "ENABLE and FORCE ROW LEVEL SECURITY (left) on all but {GLOBAL:?} (right)");

    let policies = "SELECT concat_ws('|', tablename, policyname, permissive, roles::text, cmd, qual, with_check) \
                    AS line FROM pg_policies";
    let found: BTreeSet<String> = query(&database.admin_url, "", policies).into_iter().collect();
    let rule = "(tenant_id = NULLIF(current_setting('app.tenant'::text, true), ''::text))";
    let policies = wanted.iter().map(|name| format!("{name}|tenant|PERMISSIVE|{{public}}|ALL|{rule}|{rule}"));
    assert_eq!(found, policies.collect(), "the policy `tenant` (left) on each of them, and no other");

    for name in &wanted {
        let first = schema[name].primary_key.first().map(String::as_str);
        assert_eq!(first, Some("tenant_id"), "the primary key of {name} begins with tenant_id");
        for (index, _, columns, _) in &schema[name].indices {
            assert_eq!(columns.first().map(String::as_str), Some("tenant_id"), "so does the index {index}");
        }
        for (columns, to, _) in &schema[name].foreign_keys {
            let tenant = columns.first().map(String::as_str) == Some("tenant_id");
            assert!(tenant, "the foreign key of {name} to {to} begins with tenant_id");
        }
    }
}

#[test]
fn the_application_role_sees_no_row_without_or_of_another_tenant() {
    let database = migrated();
    let enter = |tenant: &str| {
        let sql = format!(
            "SET app.tenant = '{tenant}'; \
             INSERT INTO provinces VALUES ('{tenant}', 'x', 'active', 1, now(), now()); \
             INSERT INTO units VALUES ('{tenant}', gen_random_uuid(), NULL, 'c', 'n', 'n', 'province', 'active', \
             '{tenant}/', 1, now(), now())"
        );
        PgConnection::establish(&database.app_url).unwrap().batch_execute(&sql).unwrap();
    };
    enter("53");
    enter("50");
    let seen = |tenant: &str| query(&database.app_url, tenant, "SELECT path AS line FROM units");
    assert_eq!(seen("53"), ["53/"]);
    assert_eq!(seen("50"), ["50/"]);
    assert!(seen("").is_empty());
    assert!(seen("5").is_empty());
    let mut conn = PgConnection::establish(&database.app_url).unwrap();
    conn.batch_execute("SET app.tenant = '50'").unwrap();
    conn.batch_execute("UPDATE units SET name = 'stolen' WHERE tenant_id = '53'").unwrap();
    let foreign = "INSERT INTO units VALUES ('53', gen_random_uuid(), NULL, 'd', 'n', 'n', 'city', 'active', '53/d/', \
                   1, now(), now())";
    let refused = conn.batch_execute(foreign).unwrap_err().to_string();
    assert!(refused.contains("row-level security"), "{refused}");
    assert_eq!(query(&database.app_url, "53", "SELECT name AS line FROM units"), ["n"]);
}

#[test]
fn the_application_role_may_do_its_work_and_no_more() {
    let database = migrated();
    let mut conn = PgConnection::establish(&database.app_url).unwrap();
    conn.batch_execute(
        "SET app.tenant = '53'; INSERT INTO provinces VALUES ('53', 'x', 'active', 1, now(), now()); \
         INSERT INTO audit_log VALUES ('53', gen_random_uuid(), now(), 'cli:x', NULL, '', 'command_line', 'x', 'x', \
         NULL, NULL, NULL, 'x')",
    )
    .unwrap();
    for forbidden in [
        "UPDATE audit_log SET actor = 'y'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "DROP TABLE audit_log",
        "ALTER TABLE audit_log DISABLE TRIGGER ALL",
        "ALTER TABLE units DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON units",
        "CREATE TABLE mine (x int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "UPDATE __diesel_schema_migrations SET version = '0'",
        "DELETE FROM __diesel_schema_migrations",
        "SET ROLE pingyi_owner",
        "SET session_replication_role = replica",
        "COPY units TO PROGRAM 'cat'",
    ] {
        let refused = conn.batch_execute(forbidden).expect_err(forbidden).to_string();
        let of_right = ["permission denied", "must be owner", "must be superuser"]
            .iter()
            .any(|sign| refused.contains(sign));
        assert!(of_right, "{forbidden}: {refused}");
    }
    // The owner is bound by the triggers too.
    let mut owner = PgConnection::establish(&database.admin_url).unwrap();
    owner.batch_execute("SET app.tenant = '53'").unwrap();
    for forbidden in ["UPDATE audit_log SET actor = 'y'", "DELETE FROM audit_log", "TRUNCATE audit_log"] {
        let refused = owner.batch_execute(forbidden).expect_err(forbidden).to_string();
        assert!(refused.contains("append-only"), "{forbidden}: {refused}");
    }
    assert_eq!(query(&database.app_url, "53", "SELECT actor AS line FROM audit_log"), ["cli:x"]);
}

fn refusal(url: &str) -> String {
    let Err(error) = Db::open(&Location::Postgres(url.to_owned()), Limits::default()) else {
        panic!("{} was let in", url.split('@').next().unwrap_or_default());
    };
    error.to_string()
}

#[test]
fn the_program_does_not_start_as_a_role_that_could_step_round_row_level_security() {
    let cluster = Cluster::start();
    let (app, owner) = (cluster.url("pingyi_app"), cluster.url("pingyi_owner"));
    migrate::up(&Location::Postgres(app.clone()), Some(&owner)).unwrap();
    let superuser = app.replace("pingyi_app@", "postgres@");
    super::process::execute(
        &cluster.url("postgres"),
        "CREATE ROLE heir LOGIN IN ROLE pingyi_owner; GRANT pg_read_all_data TO heir",
    );
    for (role, url) in [
        ("the superuser", superuser),
        ("the owner", owner),
        ("a member of the owner", cluster.url("heir")),
        ("BYPASSRLS", cluster.url("pingyi_backup")),
    ] {
        let sentence = refusal(&url);
        assert!(
            sentence.contains("row-level security") && sentence.contains("plain role"),
            "{role}: {sentence}"
        );
    }
    Db::open(&Location::Postgres(app), Limits::default()).unwrap();
}

#[test]
fn a_database_of_another_version_is_refused_with_its_cure() {
    let database = migrated();
    let app = Location::Postgres(database.app_url.clone());
    migrate::ensure_current(&app).unwrap();
    super::process::execute(
        &database.admin_url,
        "INSERT INTO __diesel_schema_migrations VALUES ('99991231')",
    );
    let sentence = migrate::ensure_current(&app).unwrap_err().to_string();
    assert!(sentence.contains("99991231") && sentence.contains("pingyi migrate"), "{sentence}");
}
