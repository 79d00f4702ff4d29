//! What both databases can be asked about a schema, in words that fit both.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_types};

/// A logical type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Uuid,
    /// Microseconds UTC.
    Instant,
    BigInt,
    Integer,
    Bool,
    Date,
    Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: Kind,
    pub nullable: bool,
    pub has_default: bool,
}

/// Name, whether unique, columns, for which rows (normalised, see [`normalised`]; empty for all).
pub type Index = (String, bool, Vec<String>, String);

/// Columns, table referred to, columns there.
type ForeignKey = (Vec<String>, String, Vec<String>);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Table {
    pub columns: Vec<Column>,
    pub primary_key: Vec<String>,
    pub foreign_keys: BTreeSet<ForeignKey>,
    pub indices: BTreeSet<Index>,
    /// Normalised, see [`normalised`].
    pub checks: BTreeSet<String>,
}

impl Table {
    /// The words a column is limited to, by its checks.
    pub fn words(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut found = BTreeMap::new();
        for check in &self.checks {
            let Some((column, list)) = check.split_once(" in ") else { continue };
            if column.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && list.starts_with('\'') {
                let words = list.split(',').map(|word| word.trim_matches('\'').to_owned()).collect();
                found.insert(column.to_owned(), words);
            }
        }
        found
    }
}

pub type Schema = BTreeMap<String, Table>;

/// diesel's own table is no part of the schema.
const OWN: &str = "__diesel_schema_migrations";

/// A type's name by its database, and the column's own name: SQLite has no type for instants, so
/// there the name tells, and PostgreSQL's type proves that the name tells true.
fn kind(declared: &str, column: &str) -> Kind {
    match (declared.to_ascii_lowercase().as_str(), is_instant(column)) {
        ("text", false) => Kind::Text,
        ("blob" | "bytea", false) if column == "bytes" => Kind::Bytes,
        ("blob" | "uuid", false) => Kind::Uuid,
        ("timestamp with time zone", true) => Kind::Instant,
        ("bigint", false) => Kind::BigInt,
        ("integer", false) => Kind::Integer,
        ("boolean", false) => Kind::Bool,
        ("date", false) => Kind::Date,
        (other, instant) => panic!(
            "column {column} is {other}{}: name it *_at (or at, *_until of a moment), or map the type here",
            if instant { ", but its name is an instant's" } else { "" }
        ),
    }
}

/// By name: `at`, `…_at`, and the moment until which a session may idle (`…_until_on` are days).
fn is_instant(column: &str) -> bool {
    column == "at" || column.ends_with("_at") || column == "idle_until"
}

/// The text of a check without what the two databases write differently: casts, parentheses, white
/// space, `= ANY (ARRAY[…])` for `IN (…)`, two comparisons for `BETWEEN`.
pub fn normalised(check: &str) -> String {
    let text = check.replace("::text", "").replace("::bigint", "");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let text = text.replace("= any (array[", "in (").replace("])", ")");
    let text = text.replace(['(', ')'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.replace(", ", ",");
    let words: Vec<&str> = text.split(' ').collect();
    match words.as_slice() {
        [column, "between", low, "and", high] => format!("{column} >= {low} and {column} <= {high}"),
        _ => text,
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    a: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    b: Option<String>,
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    c: Option<String>,
    #[diesel(sql_type = sql_types::BigInt)]
    n: i64,
    #[diesel(sql_type = sql_types::BigInt)]
    m: i64,
}

impl Row {
    fn texts(self) -> (String, String, String) {
        (self.a.unwrap_or_default(), self.b.unwrap_or_default(), self.c.unwrap_or_default())
    }
}

/// Asks SQLite.
pub fn of_sqlite(conn: &mut SqliteConnection) -> Schema {
    let tables = rows_sqlite(
        conn,
        &format!(
            "SELECT name AS a, sql AS b, NULL AS c, 0 AS n, 0 AS m FROM sqlite_master \
             WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> '{OWN}'"
        ),
    );
    let mut schema = Schema::new();
    for row in tables {
        let (name, sql, _) = row.texts();
        let mut table = Table { checks: checks_in(&sql), ..Table::default() };
        let mut key = BTreeMap::new();
        let columns = format!(
            "SELECT name AS a, type AS b, dflt_value AS c, pk AS n, \"notnull\" AS m \
             FROM pragma_table_info('{name}') ORDER BY cid"
        );
        for row in rows_sqlite(conn, &columns) {
            let (place, not_null, has_default) = (row.n, row.m == 1, row.c.is_some());
            let (column, declared, _) = row.texts();
            if place > 0 {
                key.insert(place, column.clone());
            }
            let declared = declared.to_lowercase();
            let kind = if declared == "bigint" && is_instant(&column) {
                Kind::Instant
            } else {
                kind(&declared, &column)
            };
            table.columns.push(Column { name: column, kind, nullable: !not_null, has_default });
        }
        table.primary_key = key.into_values().collect();
        let mut foreign: BTreeMap<i64, ForeignKey> = BTreeMap::new();
        let keys = format!(
            "SELECT \"table\" AS a, \"from\" AS b, \"to\" AS c, id AS n, seq AS m \
             FROM pragma_foreign_key_list('{name}') ORDER BY id, seq"
        );
        for row in rows_sqlite(conn, &keys) {
            let id = row.n;
            let (to, from, there) = row.texts();
            let one = foreign.entry(id).or_default();
            one.0.push(from);
            one.1 = to;
            one.2.push(there);
        }
        table.foreign_keys = foreign.into_values().collect();
        let indices = format!(
            "SELECT l.name AS a, l.origin AS b, s.sql AS c, l.\"unique\" AS n, 0 AS m \
             FROM pragma_index_list('{name}') l LEFT JOIN sqlite_master s ON s.name = l.name"
        );
        for row in rows_sqlite(conn, &indices) {
            let unique = row.n == 1;
            let condition = row.c.as_deref().map(condition).unwrap_or_default();
            let (index, origin, _) = row.texts();
            if origin == "pk" {
                continue;
            }
            let columns = format!(
                "SELECT name AS a, NULL AS b, NULL AS c, 0 AS n, 0 AS m FROM pragma_index_info('{index}') ORDER BY seqno"
            );
            let columns = rows_sqlite(conn, &columns).into_iter().map(|row| row.texts().0).collect();
            table.indices.insert((index, unique, columns, condition));
        }
        schema.insert(name, table);
    }
    schema
}

/// The checks in a CREATE TABLE.
fn checks_in(sql: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in sql.match_indices("CHECK (") {
        let from = at + "CHECK ".len();
        let mut depth = 0;
        let end = sql[from..].char_indices().find_map(|(place, c)| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            (depth == 0).then_some(place)
        });
        found.insert(normalised(&sql[from..=from + end.unwrap()]));
    }
    found
}

fn rows_sqlite(conn: &mut SqliteConnection, sql: &str) -> Vec<Row> {
    diesel::sql_query(sql).load(conn).unwrap_or_else(|error| panic!("{error}: {sql}"))
}

/// Asks PostgreSQL.
pub fn of_postgres(url: &str) -> Schema {
    let mut conn = PgConnection::establish(url).unwrap();
    let mut rows = |sql: &str| -> Vec<Row> {
        diesel::sql_query(sql).load(&mut conn).unwrap_or_else(|error| panic!("{error}: {sql}"))
    };
    let mut schema = Schema::new();
    let columns = format!(
        "SELECT c.relname::text AS a, a.attname::text AS b, format_type(a.atttypid, a.atttypmod) AS c, \
         a.attnotnull::int::bigint AS n, a.atthasdef::int::bigint AS m \
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relname <> '{OWN}' \
         ORDER BY c.relname, a.attnum"
    );
    for row in rows(&columns) {
        let (not_null, has_default) = (row.n == 1, row.m == 1);
        let (table, column, declared) = row.texts();
        let column =
            Column { kind: kind(&declared, &column), name: column, nullable: !not_null, has_default };
        schema.entry(table).or_default().columns.push(column);
    }
    let constraints = format!(
        "SELECT c.relname::text AS a, pg_get_constraintdef(k.oid) AS b, k.contype::text AS c, 0::bigint AS n, \
         0::bigint AS m FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid \
         WHERE c.relnamespace = 'public'::regnamespace AND c.relname <> '{OWN}'"
    );
    for row in rows(&constraints) {
        let (table, text, kind) = row.texts();
        let table = schema.get_mut(&table).unwrap();
        match kind.as_str() {
            "p" => table.primary_key = names_in(&text),
            "f" => {
                let (from, to) = text.split_once(" REFERENCES ").unwrap();
                let (referred, there) = to.split_once('(').unwrap();
                let rest = there.split_once(')').unwrap().1;
                assert_eq!(rest, "", "a foreign key with more to it: {text}");
                table.foreign_keys.insert((names_in(from), referred.to_owned(), names_in(to)));
            }
            "c" => {
                table.checks.insert(normalised(text.strip_prefix("CHECK ").unwrap()));
            }
            other => panic!("a constraint of kind {other}: {text}"),
        }
    }
    let indices = format!(
        "SELECT c.relname::text AS a, i.relname::text AS b, pg_get_indexdef(x.indexrelid) AS c, \
         x.indisunique::int::bigint AS n, 0::bigint AS m \
         FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid \
         WHERE NOT x.indisprimary AND c.relnamespace = 'public'::regnamespace AND c.relname <> '{OWN}'"
    );
    for row in rows(&indices) {
        let unique = row.n == 1;
        let (table, index, text) = row.texts();
        let columns = names_in(&text);
        schema.get_mut(&table).unwrap().indices.insert((index, unique, columns, condition(&text)));
    }
    schema
}

/// For which rows an index is; empty for all.
fn condition(index: &str) -> String {
    index.split_once(" WHERE ").map(|(_, text)| normalised(text)).unwrap_or_default()
}

/// The names in the first parentheses.
fn names_in(text: &str) -> Vec<String> {
    let inside = text.split_once('(').unwrap().1.split_once(')').unwrap().0;
    inside.split(',').map(|name| name.trim().trim_matches('"').to_owned()).collect()
}

/// A table as the program believes it: primary key; name, type and nullability of each column.
type Believed = (Vec<String>, Vec<(String, Kind, bool)>);

/// Reads the tables of `src/db/schema.rs`: what the program believes.
pub fn of_program() -> BTreeMap<String, Believed> {
    let text = concat!(
        include_str!("../../src/db/schema.rs"),
        include_str!("../../src/db/schema/audit.rs"),
        include_str!("../../src/db/schema/inspections.rs"),
        include_str!("../../src/db/schema/jobs.rs")
    );
    let mut tables = BTreeMap::new();
    let mut current: Option<(String, Believed)> = None;
    // The macro that the tables are written in has variables where they have names.
    for line in text.lines().map(str::trim).filter(|line| !line.contains('$')) {
        if let Some((head, _)) = line.split_once(") {").filter(|(head, _)| head.contains(" (")) {
            let (name, key) = head.split_once(" (").unwrap();
            let key = key.split(',').map(|name| name.trim().to_owned()).collect();
            current = Some((name.to_owned(), (key, Vec::new())));
        } else if let (Some((column, declared)), Some(table)) = (line.split_once(" -> "), &mut current) {
            let declared = declared.trim_end_matches(',');
            let inner = declared.strip_prefix("Nullable<").and_then(|text| text.strip_suffix('>'));
            let kind = match inner.unwrap_or(declared) {
                "Text" => Kind::Text,
                "UuidSql" => Kind::Uuid,
                "InstantSql" => Kind::Instant,
                "BigInt" => Kind::BigInt,
                "Integer" => Kind::Integer,
                "Bool" => Kind::Bool,
                "Date" => Kind::Date,
                "Binary" => Kind::Bytes,
                other => panic!("src/db/schema.rs has the type {other}: map it here"),
            };
            table.1.1.push((column.to_owned(), kind, inner.is_some()));
        } else if line == "}"
            && let Some((name, table)) = current.take()
        {
            tables.insert(name, table);
        }
    }
    tables
}
