//! Every list: in every order, a row a page, nothing twice and nothing left out; cursors are good for
//! their owner and their query alone.

use pingyi::access::policy::Audience;
use serde_json::Value;

use crate::objects::Objects;
use crate::operations::{Failures, Operation, operations, resolve};
use crate::support::both;
use crate::support::client::{As, strings};

fn lists() -> impl Iterator<Item = Operation> {
    operations().into_iter().filter(Operation::is_list)
}

fn options(schema: &Value) -> Vec<String> {
    let items = if schema["items"].is_object() { &schema["items"] } else { schema };
    let mut found = strings(&items["enum"]);
    for place in ["oneOf", "anyOf", "allOf"] {
        for inner in items[place].as_array().into_iter().flatten() {
            found.extend(options(inner));
        }
    }
    if let Some(name) = items["$ref"].as_str() {
        let inner = crate::operations::document().pointer(name.trim_start_matches('#')).unwrap();
        found.extend(options(resolve(inner)));
    }
    found
}

/// What tells a row from the others: its id, its code, else everything it says (a period of a unit).
fn name_of(row: &Value) -> String {
    row["id"].as_str().or(row["code"].as_str()).map_or_else(|| row.to_string(), ToOwned::to_owned)
}

fn walk(who: &As<'_>, path: &str, query: &str, limit: u32) -> Vec<String> {
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = who.get(&format!("{path}?limit={limit}{query}{cursor}")).expect(200, "");
        let body = page.json();
        rows.extend(body["items"].as_array().unwrap().iter().map(name_of));
        assert!(rows.len() < 1000, "a list without end: {}", page.story());
        let Some(next) = body["next_cursor"].as_str() else {
            assert!(page.header("link").is_none(), "the last page has a Link: {}", page.story());
            return rows;
        };
        let link = page.header("link").unwrap_or_default().to_owned();
        assert!(
            link.contains(next) && link.ends_with("rel=\"next\""),
            "Link is not next_cursor: {}",
            page.story()
        );
        cursor = format!("&cursor={next}");
    }
}

both! {
    fn pages_hold_every_row_once_in_every_order(world) {
        let objects = Objects::of(world);
        let mut failures = Failures::default();
        for operation in lists() {
            let (who, path) = (operation.caller(world), objects.own(&operation));
            let query = operation.query();
            let sorts = query.get("sort").map(options).unwrap_or_default();
            let mut orders = vec![String::new()];
            orders.extend(sorts.iter().map(|sort| format!("&sort={sort}")));
            failures.check(!query.contains_key("sort") || sorts.len() >= 2, || {
                format!("{}: its orders are not in the document", operation.name())
            });
            let mut sets = Vec::new();
            for order in orders {
                let whole = walk(&who, &path, &order, 200);
                let single = walk(&who, &path, &order, 1);
                failures.check(whole == single, || {
                    format!("{}{order}: {} rows at once, {} one by one", operation.name(), whole.len(), single.len())
                });
                if let Some(up) = order.strip_prefix("&sort=-") {
                    let mut down = walk(&who, &path, &format!("&sort={up}"), 200);
                    down.reverse();
                    failures.check(down == whole, || format!("{}{order} is not {up} turned round", operation.name()));
                }
                let mut set = whole;
                set.sort_unstable();
                sets.push(set);
            }
            let all_same = sets.windows(2).all(|pair| pair[0] == pair[1]);
            failures.check(all_same, || format!("{}: the order changes which rows there are", operation.name()));
            let counted = who.get(&format!("{path}?count=exact&limit=1")).expect(200, "").json()["total"].clone();
            failures.check(counted == sets[0].len(), || format!("{}: total is {counted}", operation.name()));
        }
        failures.settle("the cursor holds the sort keys and ends with one that is unique");
    }

    fn every_value_of_every_filter_is_understood_and_together_they_give_all(world) {
        let objects = Objects::of(world);
        let mut failures = Failures::default();
        for operation in lists() {
            let (who, path) = (operation.caller(world), objects.own(&operation));
            let all = walk(&who, &path, "", 200);
            for (name, schema) in operation.query() {
                let values = options(&schema);
                if values.is_empty() || ["sort", "count", "depth"].contains(&name.as_str()) {
                    continue;
                }
                let mut parts: Vec<String> =
                    values.iter().flat_map(|value| walk(&who, &path, &format!("&{name}={value}"), 200)).collect();
                let every: Vec<String> = values.iter().map(|value| format!("&{name}={value}")).collect();
                let mut together = walk(&who, &path, &every.concat(), 200);
                let mut all = all.clone();
                for rows in [&mut parts, &mut together, &mut all] {
                    rows.sort_unstable();
                }
                failures.check(parts == all && together == all, || {
                    format!("{} by {name}: {} of {} rows", operation.name(), parts.len(), all.len())
                });
            }
        }
        failures.settle("repeated values of a filter mean or");
    }

    fn a_cursor_is_good_for_its_owner_and_its_query_alone(world) {
        let objects = Objects::of(world);
        let mut failures = Failures::default();
        let others =
            ["53-auditor", "50-auditor", "53-group-head", "53-group-member", "53-security-admin", "platform-ministry-viewer", "53-discipline"];
        for operation in lists() {
            let (who, path) = (operation.caller(world), objects.own(&operation));
            let page = who.get(&format!("{path}?limit=1")).expect(200, "").json();
            let Some(cursor) = page["next_cursor"].as_str() else { continue };
            let mut tried = 0;
            for login in others {
                let other = world.as_(login);
                if other.token() == who.token() || other.get(&path).status != 200 {
                    continue;
                }
                tried += 1;
                let reply = other.get(&format!("{path}?limit=1&cursor={cursor}"));
                failures.check(reply.status == 400 && reply.code() == "invalid_cursor", || reply.story());
            }
            // What is one's own alone nobody else may read.
            let is_own = operation.row.audience == Audience::Account;
            failures.check(tried > 0 || is_own, || format!("{}: nobody else may read it", operation.name()));
            if operation.query().contains_key("q") {
                let reply = who.get(&format!("{path}?limit=1&q=a&cursor={cursor}"));
                failures.check(reply.status == 400 && reply.code() == "invalid_cursor", || reply.story());
            }
            let mut bent = cursor.to_owned();
            let last = bent.pop().unwrap();
            bent.push(if last == 'A' { 'B' } else { 'A' });
            let reply = who.get(&format!("{path}?limit=1&cursor={bent}"));
            // The last character may hold bits that stand for nothing: such a spelling is refused as well.
            failures.check(reply.status == 400, || reply.story());
            let other_list = if path.ends_with("/units") { "/tasks" } else { "/units" };
            let reply = world.as_("53-group-head").get(&format!("{other_list}?cursor={cursor}"));
            failures.check(reply.status == 400, || reply.story());
        }
        failures.settle("see Paging in web/page.rs");
    }
}
