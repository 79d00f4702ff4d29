//! Every list as a file and every paper printed, in both formats: for the same people as elsewhere, each in
//! the log; and nothing else is a file.

use std::collections::BTreeSet;

use pingyi::access::Role;
use pingyi::access::policy::{Audience, Cell};
use pingyi::web::{Form, Format};

use crate::audit::rows;
use crate::objects::Objects;
use crate::operations::{Failures, Operation, document, operations};
use crate::support::both;
use crate::support::client::{As, Reply};
use crate::support::people::{CANARY, root_login};
use crate::support::sheets::{FORMATS, export, table};

fn lists() -> impl Iterator<Item = Operation> {
    operations().into_iter().filter(Operation::is_list)
}

fn papers() -> impl Iterator<Item = Operation> {
    operations().into_iter().filter(Operation::is_paper)
}

const FORMS: [Form; 2] = [Form::Html, Form::Xlsx];

fn print(who: &As<'_>, path: &str, form: Form) -> Reply {
    who.call("GET", path).header("Accept", form.media()).send()
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

#[test]
fn the_document_tells_of_every_list_as_a_file_and_of_nothing_else() {
    let mut failures = Failures::default();
    for operation in operations() {
        let content = operation.said["responses"]["200"]["content"].as_object();
        let media: BTreeSet<&str> = content.into_iter().flatten().map(|(media, _)| media.as_str()).collect();
        let files = FORMATS.iter().filter(|format| media.contains(format.media())).count();
        let wanted = match (operation.is_list(), operation.is_paper()) {
            (true, _) => 2,
            (_, true) => 1,
            _ => 0,
        };
        failures.check(files == wanted, || format!("{} is given as {media:?}", operation.name()));
        if operation.is_paper() {
            let forms: BTreeSet<&str> = FORMS.iter().map(|form| form.media()).collect();
            failures.check(media == forms, || format!("{} is printed as {media:?}", operation.name()));
        }
        let paged =
            ["limit", "cursor", "count"].iter().filter(|name| operation.query().contains_key(**name)).count();
        failures.check(paged == 0 || paged == 3, || {
            format!("{}: a list has limit, cursor and count, all three", operation.name())
        });
    }
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        let labelled =
            schema["x-labels"].as_object().map(|labels| labels.keys().cloned().collect::<Vec<_>>());
        if let Some(labelled) = labelled {
            let words = crate::support::client::strings(&schema["enum"]);
            failures.check(labelled == words, || format!("{name}: x-labels are not those of its words"));
        }
    }
    failures.settle("what answers Page<V> is a list; see web/export/describe.rs");
}

both! {
    fn a_file_holds_the_rows_of_its_list_and_is_in_the_log(world) {
        let objects = Objects::of(world);
        let mut failures = Failures::default();
        for operation in lists() {
            let (who, path) = (operation.caller(world), objects.own(&operation));
            // The platform's people see the names of all provinces, and nothing else of them.
            let provincial = operation.row.audience == Audience::Account
                || Role::ALL.iter().any(|role| !role.is_of_platform() && operation.row.cell(*role) != Cell::Never);
            for format in FORMATS {
                // Each time: in the audit log stands every export that was made before.
                let counted = who.get(&format!("{path}?count=exact&limit=1")).expect(200, "").json()["total"].as_u64();
                let reply = export(&who, &path, format);
                let told = format!("{} as {}", operation.name(), format.ending());
                let table = table(format, &reply);
                let headings = &table[0];
                failures.check(Some(table.len() as u64 - 1) == counted, || {
                    format!("{told}: {} rows, the list has {counted:?}", table.len() - 1)
                });
                failures.check(headings.iter().all(|heading| is_chinese(heading)), || {
                    format!("{told}: describe each property of the row in Chinese: {headings:?}")
                });
                let apart: BTreeSet<&String> = headings.iter().collect();
                failures.check(apart.len() == headings.len(), || {
                    format!("{told}: two headings alike, begin their descriptions differently: {headings:?}")
                });
                failures.check(table.iter().all(|row| row.len() == headings.len()), || format!("{told}: ragged"));
                let foreign = provincial && table.iter().flatten().any(|cell| cell.contains(CANARY));
                failures.check(!foreign, || {
                    format!("{told}: holds another province's row")
                });
                let head = |name: &str| reply.header(name).unwrap_or_default().to_owned();
                let whole = head("content-type").starts_with(format.media())
                    && head("content-disposition").starts_with("attachment; filename=\"")
                    && head("content-disposition").contains("filename*=UTF-8''%")
                    && head("x-content-type-options") == "nosniff"
                    && head("vary").contains("Accept")
                    && head("cache-control").contains("no-store")
                    && head("etag").is_empty()
                    && head("link").is_empty();
                failures.check(whole, || format!("{told}: {:?}", reply.headers));
                let left = rows(world, if provincial { "53" } else { "00" }, &reply);
                let one = left.len() == 1
                    && left[0].starts_with(&format!("{} user:", operation.row.name))
                    && left[0].ends_with(" export");
                failures.check(one, || format!("{told}: the log has {left:?}"));
            }
        }
        failures.settle("see web/export");
    }

    fn whoever_may_not_read_a_list_gets_no_file_of_it(world) {
        let objects = Objects::of(world);
        let mut failures = Failures::default();
        for operation in lists() {
            let path = objects.own(&operation);
            for format in FORMATS {
                for role in Role::ALL.iter().filter(|role| operation.row.cell(**role) == Cell::Never) {
                    let reply = export(&world.as_(&root_login(*role)), &path, format);
                    let refused = reply.status == 403 && reply.code() == "forbidden"
                        && reply.header("content-type") == Some("application/problem+json");
                    failures.check(refused, || reply.story());
                }
                let refused = export(&world.anonymous(), &path, format);
                failures.check(refused.status == 401, || refused.story());
                let nowhere = (!operation.ids().is_empty()).then(|| export(&operation.caller(world), &operation.at_nothing(), format));
                if let Some(reply) = nowhere {
                    failures.check(reply.status == 404 && reply.code() == "not_found", || reply.story());
                    failures.check(rows(world, "53", &reply).is_empty(), || format!("a refusal is in the log: {}", reply.story()));
                }
            }
        }
        failures.settle("a file is read through the list's own gate");
    }

    fn a_paper_is_printed_and_is_in_the_log(world) {
        let objects = Objects::of(world);
        let mut failures = Failures::default();
        for operation in papers() {
            let (who, path) = (operation.caller(world), objects.own(&operation));
            for form in FORMS {
                let reply = print(&who, &path, form);
                let told = format!("{} as {}", operation.name(), form.ending());
                let head = |name: &str| reply.header(name).unwrap_or_default().to_owned();
                let whole = reply.status == 200
                    && head("content-type").starts_with(form.media())
                    && head("content-disposition").contains("filename*=UTF-8''%")
                    && head("x-content-type-options") == "nosniff"
                    && head("vary").contains("Accept")
                    && head("cache-control").contains("no-store")
                    && head("etag").is_empty();
                failures.check(whole, || format!("{told}: {} {:?}", reply.status, reply.headers));
                let inert = match form {
                    // Nothing but its own style: no script, nothing from elsewhere.
                    Form::Html => {
                        let (policy, text) = (head("content-security-policy"), reply.text());
                        policy.starts_with("default-src 'none'; style-src 'sha256-")
                            && !policy.contains("unsafe")
                            && ["<script", "src=", "href=", "url(", "@import", " style=", " on"].iter().all(|word| !text.contains(word))
                            && is_chinese(&text)
                    }
                    Form::Xlsx => head("content-disposition").starts_with("attachment") && reply.body.starts_with(b"PK"),
                };
                failures.check(inert, || format!("{told}: {}", reply.story()));
                failures.check(!reply.text().contains(CANARY), || format!("{told}: holds another province's word"));
                let left = rows(world, "53", &reply);
                let one = left.len() == 1
                    && left[0].starts_with(&format!("{} user:", operation.row.name))
                    && left[0].ends_with(" export");
                failures.check(one, || format!("{told}: the log has {left:?}"));
            }
            failures.check(who.get(&path).header("content-type") == Some("text/html; charset=utf-8"), || {
                format!("{}: a page is what is given when nothing is asked for", operation.name())
            });
            let refused = who.call("GET", &path).header("Accept", "application/json").send();
            failures.check(refused.status == 406 && refused.code() == "not_acceptable", || refused.story());
            failures.check(rows(world, "53", &refused).is_empty(), || format!("a refusal is in the log: {}", refused.story()));
        }
        failures.settle("see web/printed.rs");
    }

    fn whoever_may_not_see_what_a_paper_shows_gets_none(world) {
        let objects = Objects::of(world);
        let mut failures = Failures::default();
        for operation in papers() {
            let path = objects.own(&operation);
            for form in FORMS {
                for role in Role::ALL.iter().filter(|role| operation.row.cell(**role) == Cell::Never) {
                    let reply = print(&world.as_(&root_login(*role)), &path, form);
                    failures.check(reply.status == 403 && reply.code() == "forbidden", || reply.story());
                }
                let refused = print(&world.anonymous(), &path, form);
                failures.check(refused.status == 401, || refused.story());
                if !operation.ids().is_empty() {
                    let reply = print(&operation.caller(world), &operation.at_nothing(), form);
                    failures.check(reply.status == 404 && reply.code() == "not_found", || reply.story());
                    failures.check(rows(world, "53", &reply).is_empty(), || format!("a refusal is in the log: {}", reply.story()));
                }
            }
        }
        failures.settle("a paper is made behind its endpoint's own gate");
    }

    fn what_is_no_list_is_no_file(world) {
        let mut failures = Failures::default();
        for operation in operations().into_iter().filter(|operation| !operation.is_list()) {
            for format in FORMATS.into_iter().filter(|format| !(operation.is_paper() && *format == Format::Xlsx)) {
                let call = operation.call(&operation.caller(world), &operation.at_nothing());
                let reply = call.header("Accept", format.media()).send();
                failures.check(reply.status == 406 && reply.says("not_acceptable"), || reply.story());
            }
        }
        failures.settle("see web/accept.rs");
    }
}
