//! What the clients of these tests do: make and change campaigns, plans and accounts, whose content is
//! spread over several tables and says in each of its parts which writing it came from.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::process::{
    Account, Backend, Connection, Program, Reply, Session, Store, accounts_of, query, sign_in, until,
};

pub const BINARY: &str = env!("CARGO_BIN_EXE_pingyi");
pub const BOTH: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

/// The demo, served.
pub struct Demo {
    pub program: Program,
    pub store: Store,
    pub backend: Backend,
    pub accounts: Vec<Account>,
}

impl Demo {
    /// A demo that was loaded before.
    pub fn start(backend: Backend) -> Self {
        Self::start_with(backend, &[])
    }

    /// The same, with settings.
    pub fn start_with(backend: Backend, settings: &[&str]) -> Self {
        Self::served(Store::with_demo(BINARY, backend), backend, &[&["serve"], settings].concat())
    }

    /// A demo that is loaded here.
    pub fn start_in(store: Store, backend: Backend) -> Self {
        Self::served(store, backend, &["demo"])
    }

    fn served(store: Store, backend: Backend, arguments: &[&str]) -> Self {
        let program = store.start(arguments);
        let accounts = accounts_of(&store.accounts_file());
        Self { program, store, backend, accounts }
    }

    pub fn at(&self) -> SocketAddr {
        self.program.address
    }

    /// Serves again what was killed, once the database has ended all that the dead program had under way.
    pub fn start_again(&mut self) {
        if let Some(url) = self.store.app_url() {
            // A commit may still be on its way inside the server of the database.
            until(Duration::from_secs(20), "the dead program's connections to end", || {
                let sql = "SELECT CAST(count(*) AS TEXT) AS line FROM pg_stat_activity \
                           WHERE datname = current_database() AND pid <> pg_backend_pid()";
                (query(url, "", sql) == ["0"]).then_some(())
            });
        }
        self.check_integrity();
        self.program = self.store.start(&["serve"]);
    }

    /// The relay was killed as well: what it had sealed stands, and the rest is sealed by the next.
    pub fn check_chain(&self) {
        let chain = self.store.run(&["audit", "verify", "--province", "53"]);
        let told = String::from_utf8_lossy(&chain.stdout).into_owned();
        assert!(chain.status.success() && !told.starts_with("0 rows"), "{told}");
    }

    /// Somebody of the province's root.
    #[track_caller]
    pub fn sign_in(&self, role: &str) -> Session {
        sign_in(self.at(), &self.accounts, role, "53")
    }

    /// Everybody who works in these tests.
    pub fn crew(&self) -> Crew {
        let office = self.sign_in("group_office");
        let admin = self.sign_in("system_admin");
        let root = office.get(self.at(), "/units?code=53").expect(200).json();
        let root = root["items"][0]["id"].as_str().unwrap().to_owned();
        Crew { office, admin, root }
    }

    /// The texts of a query as the database has them, beside the program.
    pub fn ask(&self, sql: &str) -> Vec<String> {
        self.store.ask("53", sql)
    }

    /// How many audit rows there are for each entity.
    pub fn audit_rows(&self) -> BTreeMap<String, i64> {
        let sql = "SELECT entity || ' ' || entity_id || '=' || CAST(count(*) AS TEXT) AS line FROM audit_log \
                   WHERE tenant_id = '53' GROUP BY entity, entity_id";
        let lines = self.ask(sql);
        let pairs = lines.iter().map(|line| line.rsplit_once('=').unwrap());
        pairs.map(|(entity, count)| (entity.to_owned(), count.parse().unwrap())).collect()
    }

    /// Whether the embedded database is whole.
    pub fn check_integrity(&self) {
        if self.backend == Backend::Sqlite {
            assert_eq!(self.ask("SELECT integrity_check AS line FROM pragma_integrity_check"), ["ok"]);
            let broken = "SELECT \"table\" AS line FROM pragma_foreign_key_check";
            assert_eq!(self.ask(broken), Vec::<String>::new());
        }
    }
}

/// The office that makes campaigns and plans, the administrator who makes accounts, the root unit's id.
#[derive(Clone)]
pub struct Crew {
    pub office: Session,
    pub admin: Session,
    pub root: String,
}

impl Crew {
    pub fn session(&self, kind: Kind) -> &Session {
        if kind == Kind::User { &self.admin } else { &self.office }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Campaign,
    Plan,
    User,
}

impl Kind {
    pub fn path(self) -> &'static str {
        match self {
            Self::Campaign => "/campaigns",
            Self::Plan => "/plans",
            Self::User => "/users",
        }
    }

    /// As the audit log calls it.
    pub fn entity(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::Plan => "plan",
            Self::User => "user",
        }
    }
}

/// How many parts the content of this writing has.
fn parts(mark: u64) -> u64 {
    1 + mark % 4
}

fn phases(mark: u64) -> Value {
    let phase = |part: u64| {
        let month = part + 3;
        json!({
            "name": format!("阶段{part} m{mark}"), "starts_on": format!("2026-{month:02}-01"),
            "ends_on": format!("2026-{month:02}-28"),
        })
    };
    (0..parts(mark)).map(phase).collect()
}

/// The content of a thing as the writing `mark` leaves it.
pub fn content(kind: Kind, mark: u64) -> Value {
    match kind {
        Kind::Campaign => json!({ "theme": format!("主题 m{mark}"), "phases": phases(mark) }),
        Kind::Plan => {
            let task = |part: u64| {
                json!({
                    "category": "服务窗口", "title": format!("任务{part} m{mark}"),
                    "content": format!("落实一次性告知 m{mark}"), "due_on": "2026-06-12", "frequency": "weekly",
                })
            };
            let tasks: Value = (0..parts(mark)).map(task).collect();
            json!({ "title": format!("方案 m{mark}"), "phases": phases(mark), "tasks": tasks })
        }
        Kind::User => json!({ "display_name": format!("王m{mark}") }),
    }
}

/// The body that makes a new one.
pub fn new_body(kind: Kind, id: Uuid, crew: &Crew, campaign: Option<Uuid>, mark: u64) -> String {
    let mut body = content(kind, mark);
    let more = match kind {
        Kind::Campaign => json!({
            "unit_id": crew.root, "name": format!("主题活动 {id}"), "year": 2026,
            "scope": { "kinds": ["city", "county"] },
        }),
        Kind::Plan => json!({ "unit_id": crew.root, "campaign_id": campaign }),
        Kind::User => json!({
            "unit_id": crew.root, "login": format!("u-{}", id.simple()),
            "password": "翠湖边第三棵柳树下面见面",
        }),
    };
    let map = body.as_object_mut().unwrap();
    map.extend(more.as_object().unwrap().clone());
    map.insert("id".into(), json!(id));
    body.to_string()
}

/// Which writing the view is of; fails when its parts are of different ones, or some are missing.
pub fn mark_of(kind: Kind, view: &Value) -> u64 {
    let mut texts = Vec::new();
    let mut lists = Vec::new();
    match kind {
        Kind::Campaign => {
            texts.push(view["theme"].clone());
            lists.push((&view["phases"], "name"));
        }
        Kind::Plan => {
            texts.push(view["title"].clone());
            lists.extend([(&view["phases"], "name"), (&view["tasks"], "title"), (&view["tasks"], "content")]);
        }
        Kind::User => texts.push(view["display_name"].clone()),
    }
    let mark = |text: &Value| -> u64 {
        let text = text.as_str().unwrap_or_else(|| panic!("{view}"));
        text.rsplit_once('m').unwrap().1.parse().unwrap()
    };
    let first = mark(&texts[0]);
    for (list, field) in lists {
        let list = list.as_array().unwrap_or_else(|| panic!("{view}"));
        assert_eq!(list.len() as u64, parts(first), "half written: {view}");
        for part in list {
            assert_eq!(mark(&part[field]), first, "half written: {view}");
        }
    }
    first
}

/// Makes one; fails unless it is 201.
#[track_caller]
pub fn create(demo: &Demo, crew: &Crew, kind: Kind, mark: u64) -> (Uuid, Reply) {
    let id = Uuid::now_v7();
    let body = new_body(kind, id, crew, None, mark);
    (id, crew.session(kind).once(demo.at(), "POST", kind.path(), &[], Some(&body)).expect(201))
}

/// A GET on a connection of its own that must be answered within the deadline of requests.
pub fn read(demo: &Demo, session: &Session, path: &str) -> std::io::Result<Reply> {
    let mut connection = Connection::open(demo.at())?;
    session.ask(&mut connection, "GET", path, &[], None)
}
