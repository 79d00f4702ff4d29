//! Imports as one step: a test sends a table, the job it becomes is done, and what came of it is told in one answer.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use pingyi::access::beside;
use pingyi::app;
use pingyi::db::TenantId;
use pingyi::errors::Code;
use pingyi::web::status_of;
use serde_json::{Value, json};

use super::client::{Call, Reply};
use super::raw::Raw;
use super::{World, sealing};

/// Does every job there is.
pub fn work_off(world: &World) -> usize {
    let runner = app::runner(world.context());
    // The runner is of one thread, as beside a server.
    sealing::run(runner.work_off()).unwrap()
}

/// Works on what there is until it is enough, as a process that is then killed: what it holds, it holds for half a minute,
/// and those have passed. It is asked whenever the work waits for the database, so that no clock decides how far it comes.
pub fn work_until(world: &World, mut is_enough: impl FnMut() -> bool) {
    let runner = app::runner(world.context());
    sealing::run(async {
        let mut work = pin!(runner.work_off());
        let killed = poll_fn(|task| {
            let is_over = work.as_mut().poll(task).is_ready();
            if is_over || is_enough() { Poll::Ready(()) } else { Poll::Pending }
        });
        killed.await;
    });
    // What was under way in the database ends there: the one writer of SQLite is done with it before this is written.
    let tenant = TenantId::parse("53").unwrap();
    let behind = beside(world.doors(), tenant, "tests", |tx| {
        tx.nothing_changed();
        Ok(())
    });
    sealing::run(behind).unwrap();
    world.advance(31);
}

/// Lets jobs come so many steps on, by whoever is then killed: a step leaves another state or another place.
pub fn work_steps(world: &World, steps: usize) {
    let columns = ["state", "mark", "settled", "rows_read", "rows_new", "rows_changed", "rows_unchanged"];
    let sql = &format!("SELECT {} AS text FROM jobs ORDER BY id", columns.join(" || ' ' || "));
    let mut raw = Raw::owner(world, "53");
    let (mut place, mut made) = (raw.texts(sql), 0);
    work_until(world, || {
        let now = raw.texts(sql);
        made += usize::from(now != place);
        place = now;
        made >= steps
    });
}

impl Call<'_> {
    /// Sends a table and has its job done: the job when it is done; else what a request would have been refused with,
    /// the errors of the rows as its errors.
    pub fn import(&self) -> Reply {
        let taken = self.send();
        if taken.status != 202 {
            return taken;
        }
        work_off(self.world());
        let path = taken.header("location").expect("where the job is").to_owned();
        let job = self.again("GET", &path).send();
        let view = job.json();
        let english = self.sent_header("accept-language").is_some_and(|language| language.starts_with("en"));
        let say = |of: &Value| of[if english { "detail_en" } else { "detail_zh" }].clone();
        let (status, body) = match view["state"].as_str().unwrap_or_default() {
            "done" => (200, view),
            "refused" | "failed" => {
                let code = view["problem"]["code"].as_str().expect("a refused job says why");
                let known = Code::ALL.iter().find(|known| known.name() == code).expect("a code of ours");
                let errors = self.errors(&path);
                let listed: Vec<Value> = errors
                    .iter()
                    .map(|one| {
                        let field = one["field"].as_str().filter(|field| !field.is_empty());
                        json!({ "line": one["line"], "field": field, "code": one["code"], "detail": say(one) })
                    })
                    .collect();
                let facts = json!({
                    "rows_read": view["rows_read"], "rows_refused": view["rows_refused"],
                    "errors_found": view["errors_found"], "errors_listed": listed.len(),
                });
                let body = json!({ "code": code, "detail": say(&view["problem"]), "errors": listed, "facts": facts });
                (status_of(known.kind()), body)
            }
            other => panic!("the job is {other}: {}", job.story()),
        };
        taken.turned(status, &body)
    }

    /// What is wrong with the rows: the first thousand.
    fn errors(&self, job: &str) -> Vec<Value> {
        let (mut all, mut after) = (Vec::new(), String::new());
        while all.len() < 1000 {
            let page =
                self.again("GET", &format!("{job}/refusals?limit=200{after}")).send().expect(200, "").json();
            all.extend(page["items"].as_array().cloned().unwrap_or_default());
            match page["next_cursor"].as_str() {
                Some(cursor) => after = format!("&cursor={cursor}"),
                None => break,
            }
        }
        all
    }
}
