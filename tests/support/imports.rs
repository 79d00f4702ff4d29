//! Imports as one step: a test sends a table, the job it becomes is done, and what came of it is told in one answer.

use pingyi::app;
use pingyi::errors::Code;
use pingyi::web::status_of;
use serde_json::{Value, json};

use super::client::{Call, Reply};
use super::{World, sealing};

/// Does every job there is.
pub fn work_off(world: &World) -> usize {
    let runner = app::runner(world.context());
    // The runner is of one thread, as beside a server.
    sealing::run(runner.work_off()).unwrap()
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
