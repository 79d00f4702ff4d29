//! What a request costs: CPU of the server's process per request and throughput, beside floors that
//! are measured in the same run. Started by `scripts/bench`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a report is what this is for, and whatever goes wrong ends it"
)]

#[path = "../process/mod.rs"]
mod process;

mod chain;
mod floor;
mod load;
mod phone;
mod report;
mod strain;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use process::{Account, Backend, Connection, Program, Session, Store, accounts_of, sign_in, until};
use serde_json::json;

use chain::Chain;
use floor::Floor;
use load::{Cost, drive};
use phone::Pocket;
use report::Report;
use strain::{Strain, Table};

const BINARY: &str = env!("CARGO_BIN_EXE_pingyi");
/// Interleaved, so that a slow minute of the machine hits everything alike.
const RUNS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(at + 1).cloned()
    };
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    // To see that it still runs at all, every operation a few times: what the tests do.
    let smoke = has("--smoke");
    let (scale, runs) = if smoke {
        (200, 1)
    } else if has("--quick") {
        (10, RUNS)
    } else {
        (1, RUNS)
    };
    // For a look under a profiler: one operation, one database.
    let only = after("--only");
    let backends = match after("--backend").as_deref() {
        Some("sqlite") => vec![Backend::Sqlite],
        Some("postgres") => vec![Backend::Postgres],
        _ => vec![Backend::Sqlite, Backend::Postgres],
    };
    let mut subjects: Vec<Subject> = backends.into_iter().map(Subject::new).collect();
    for subject in &mut subjects {
        // Warm-up: caches, the pool, the allocator; measured by nobody.
        if !smoke {
            subject.run(10 * scale, only.as_deref());
            subject.costs.clear();
            subject.starts.clear();
        }
    }
    for run in 1..=runs {
        for subject in &mut subjects {
            eprintln!("run {run} of {runs}: {:?}, process {}", subject.backend, subject.program.pid());
            subject.run(scale, only.as_deref());
        }
    }
    if only.as_deref().is_none_or(|only| only == "import") {
        for subject in &mut subjects {
            subject.import(Table::Units, UNITS / scale, !smoke);
            subject.import(Table::Officers, OFFICERS / scale, !smoke);
        }
    }
    if only.as_deref().is_none_or(|only| only == "audit") {
        for subject in &mut subjects {
            let chain = Chain::measure(&subject.store, subject.backend, &subject.program, AUDIT_ROWS / scale);
            subject.chain = Some(chain);
        }
    }
    for subject in subjects {
        println!("{}", subject.report());
    }
}

/// Rows of the audit log that is sealed and verified once, at the very end.
const AUDIT_ROWS: usize = 1_000_000;
/// Rows of the table that is imported once, at the end.
const OFFICERS: usize = 1_000_000;
/// Rows of the table of units, before it.
const UNITS: usize = 50_000;

/// The units of a level that have a plan.
fn planned(level: &serde_json::Value) -> u64 {
    let states = level["tally"]["states"].as_array().unwrap();
    states.iter().filter(|one| !one["state"].is_null()).map(|one| one["units"].as_u64().unwrap()).sum()
}

/// A campaign of its own.
fn new_campaign(session: &Session, root: &str) -> Vec<u8> {
    let id = uuid::Uuid::now_v7();
    let body = json!({
        "id": id, "unit_id": root, "name": "治庸懒、强担当、树新风",
        "theme": "整治冷硬横推、慵懒散拖, 让群众办事少跑路、有回音。", "year": 2026,
        "phases": [
            { "name": "动员部署", "starts_on": "2026-03-02", "ends_on": "2026-03-29" },
            { "name": "自查自纠", "starts_on": "2026-03-30", "ends_on": "2026-06-14" },
        ],
        "scope": { "kinds": ["city", "county"] },
    });
    session.compose("POST", "/campaigns", &[("Idempotency-Key", &id.to_string())], Some(&body.to_string()))
}

/// A database under the program, with what has been measured on it.
struct Subject {
    backend: Backend,
    store: Store,
    program: Program,
    floor: Floor,
    office: Session,
    pocket: Pocket,
    account: Account,
    unit: String,
    root: String,
    campaign: String,
    demo_loaded_in: Duration,
    costs: BTreeMap<&'static str, Vec<Cost>>,
    starts: Vec<Duration>,
    resident: (u64, u64),
    strains: Vec<Strain>,
    chain: Option<Chain>,
}

impl Subject {
    fn new(backend: Backend) -> Self {
        eprintln!("loading the demo: {backend:?}");
        let store = Store::new(BINARY, backend);
        let program = store.start(&["demo", "--rate-limit", "0"]);
        let (at, demo_loaded_in) = (program.address, program.started_in);
        let accounts = accounts_of(&store.accounts_file());
        let office = sign_in(at, &accounts, "group_office", "53");
        let id = |path: &str| {
            let page = office.get(at, path).expect(200).json();
            page["items"][0]["id"].as_str().unwrap().to_owned()
        };
        // A city with its subtree, and the province that owns what is made.
        let (unit, root) = (id("/units?code=5301"), id("/units?code=53"));
        // The office begins a draft for every city and county that has none yet, but for the counties of
        // Kunming and Qujing, which have published theirs: Kunming begins for its own, and of Qujing nobody has
        // an account in the demo.
        let campaign = id("/campaigns?limit=1");
        let spread = |session: &Session, plan: &str| {
            session.once(at, "POST", &format!("/plans/{plan}/children"), &[], Some("{}")).expect(200);
        };
        spread(&office, &id(&format!("/plans?campaign_id={campaign}&limit=1")));
        let matrix = || office.get(at, &format!("/campaigns/{campaign}/plans")).expect(200).json();
        let kunming = matrix()["branches"][0].clone();
        let head = sign_in(at, &accounts, "unit_head", kunming["unit"]["code"].as_str().unwrap());
        spread(&head, kunming["plan"]["id"].as_str().unwrap());
        let levels = matrix();
        let planned: u64 = levels["levels"].as_array().unwrap().iter().map(planned).sum();
        assert_eq!(planned, 136, "all but Qujing's nine counties have a plan: {levels}");
        let pocket = Pocket::new(at, &accounts);
        let account =
            accounts.into_iter().find(|one| one.role == "group_office" && one.unit_code == "53").unwrap();
        let floor = Floor::new(&store, &unit, &account.login);
        Self {
            backend,
            store,
            program,
            floor,
            office,
            pocket,
            account,
            unit,
            root,
            campaign,
            demo_loaded_in,
            costs: BTreeMap::new(),
            starts: Vec::new(),
            resident: (0, 0),
            strains: Vec::new(),
            chain: None,
        }
    }

    /// A table beside requests at a steady pace.
    fn import(&mut self, table: Table, rows: usize, quiet: bool) {
        let accounts = accounts_of(&self.store.accounts_file());
        let admin = sign_in(self.program.address, &accounts, "system_admin", "53");
        let read = |_: usize| self.office.compose("GET", &format!("/units/{}", self.unit), &[], None);
        let strain = Strain::measure(&self.program, &admin, (table, rows), quiet, read, |_| {
            new_campaign(&self.office, &self.root)
        });
        self.strains.push(strain);
    }

    /// Every operation once (or one alone), with so many times fewer requests.
    fn run(&mut self, scale: usize, only: Option<&str>) {
        let session = self.office.clone();
        let same = |bytes: Vec<u8>| move |_: usize, _: usize| bytes.clone();
        let get = |path: &str| session.compose("GET", path, &[], None);
        let create = |_: usize, _: usize| new_campaign(&session, &self.root);
        let body = json!({ "login": self.account.login, "password": self.account.password }).to_string();
        let login = format!(
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let live = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n".to_vec();
        let one = get(&format!("/units/{}", self.unit));
        let list = get(&format!("/units?unit_id={}&limit=50", self.unit));
        let matrix = get(&format!("/campaigns/{}/plans", self.campaign));
        let progress = get(&format!("/campaigns/{}/progress", self.campaign));
        // A day that nobody has asked for: nothing is remembered of it.
        let days = std::sync::atomic::AtomicU64::new(
            self.costs.values().map(Vec::len).sum::<usize>() as u64 * 4_000,
        );
        let anew = |_: usize, _: usize| {
            let day = chrono::NaiveDate::default()
                + chrono::Days::new(days.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
            get(&format!("/campaigns/{}/progress?on={day}", self.campaign))
        };
        let (program, floor, pocket) = (&self.program, &self.floor, &self.pocket);
        let operations: [(&'static str, &dyn Fn() -> Cost); 18] = [
            ("live", &|| drive(program, 4, 20_000 / scale, 200, same(live.clone()))),
            ("get", &|| drive(program, 4, 12_000 / scale, 200, same(one.clone()))),
            ("get floor", &|| floor.get(40_000 / scale)),
            ("list", &|| drive(program, 4, 4_000 / scale, 200, same(list.clone()))),
            ("list floor", &|| floor.list(8_000 / scale)),
            ("matrix", &|| drive(program, 4, 4_000 / scale, 200, same(matrix.clone()))),
            ("progress", &|| drive(program, 4, 4_000 / scale, 200, same(progress.clone()))),
            ("progress anew", &|| drive(program, 4, 4_000 / scale, 200, anew)),
            ("create", &|| drive(program, 32, 6_400 / scale, 201, create)),
            ("create floor", &|| floor.create(32, 12_800 / scale)),
            ("check", &|| drive(program, 4, 4_000 / scale, 200, same(pocket.check()))),
            ("bundle", &|| drive(program, 4, 400 / scale, 200, same(pocket.bundle()))),
            ("bundle since", &|| drive(program, 4, 400 / scale, 200, same(pocket.bundle_since()))),
            ("changes", &|| drive(program, 4, 400 / scale, 200, same(pocket.changes()))),
            ("changes since", &|| drive(program, 4, 4_000 / scale, 200, same(pocket.changes_since()))),
            ("sync", &|| drive(program, 4, 200 / scale, 200, |_, _| pocket.day())),
            // An account may leave five hundred about.
            ("upload", &|| drive(program, 4, 80 / scale, 201, |_, _| pocket.upload())),
            ("login", &|| drive(program, 2, (100 / scale).max(4), 200, same(login.clone().into_bytes()))),
        ];
        for (name, measure) in operations {
            if only.is_none_or(|only| only == name) {
                self.costs.entry(name).or_default().push(measure());
            }
        }
        if only.is_none() {
            self.resident = process::memory(self.program.pid()).unwrap();
            self.starts.push(self.cold_start());
        }
    }

    /// From exec to the first 200 of readiness, of a second process on the same data.
    fn cold_start(&self) -> Duration {
        let begun = Instant::now();
        let second = self.store.start(&["serve"]);
        until(Duration::from_secs(20), "readiness", || {
            let mut connection = Connection::open(second.address).ok()?;
            let reply = connection.request("GET", "/health/ready", &[], None).ok()?;
            (reply.status == 200).then_some(())
        });
        begun.elapsed()
    }

    fn report(self) -> Report {
        Report {
            backend: self.backend,
            costs: self.costs,
            starts: self.starts,
            resident: self.resident,
            strains: self.strains,
            chain: self.chain,
            demo_loaded_in: self.demo_loaded_in,
        }
    }
}
