//! Every operation × every role, and nobody: the table is what is enforced, cell by cell.

use pingyi::access::Role;
use pingyi::access::policy::{Audience, Cell};

use crate::operations::{Failures, operations};
use crate::support::client::{As, Call};
use crate::support::{both, people};

/// Well-formed JSON and no more: whoever may not is told so before anything is wrong with it.
fn bare<'w>(operation: &crate::operations::Operation, who: &As<'w>) -> Call<'w> {
    let call = operation.with_headers(who.call(operation.method, &operation.at_nothing()));
    match operation.body() {
        Some(body) if operation.takes_file() || operation.takes_form() || operation.takes_part() => {
            call.bytes(&body.media[0], "nonsense")
        }
        Some(_) => call.json(&serde_json::json!({})),
        None => call,
    }
}

both! {
    fn every_cell_of_the_table_is_enforced(world) {
        let mut failures = Failures::default();
        for role in Role::ALL {
            let login = people::root_login(*role);
            for operation in operations() {
                let reply = bare(&operation, &world.as_(&login)).send();
                let forbidden = operation.row.audience == Audience::Roles && operation.row.cell(*role) == Cell::Never;
                let refused = reply.status == 403 && reply.says("forbidden");
                let good = if forbidden {
                    refused
                } else {
                    reply.status != 403 && (operation.row.audience == Audience::Public || reply.status != 401)
                };
                failures.check(good, || {
                    let letter = operation.row.cell(*role).letter();
                    format!("{role} × {} is {letter} in the table: {}", operation.row.name, reply.story())
                });
                if operation.row.name == "account.logout" {
                    world.forget();
                }
            }
        }
        failures.settle("Gate::authorize must come before the input is looked at; see web/serve.rs");
    }

    fn an_account_without_a_role_may_do_nothing_but_its_own(world) {
        let mut failures = Failures::default();
        for operation in operations() {
            let reply = bare(&operation, &world.as_("53-nobody")).send();
            let good = match operation.row.audience {
                Audience::Roles => reply.status == 403 && reply.says("forbidden"),
                Audience::Account => ![401, 403].contains(&reply.status),
                Audience::Public => reply.code() != "unauthenticated",
            };
            failures.check(good, || format!("{}: {}", operation.name(), reply.story()));
            if operation.row.name == "account.logout" {
                world.forget();
            }
        }
        failures.settle("see Gate::open and admit in access/gate.rs");
    }

    fn nobody_may_do_nothing_but_what_is_public(world) {
        let mut failures = Failures::default();
        for operation in operations() {
            let reply = bare(&operation, &world.anonymous()).send();
            let refused = reply.status == 401 && reply.says("unauthenticated");
            let good = refused == (operation.row.audience != Audience::Public);
            failures.check(good, || format!("{}: {}", operation.name(), reply.story()));
            failures.check(!refused || reply.header("www-authenticate").is_some(), || {
                format!("{}: 401 without WWW-Authenticate", operation.name())
            });
        }
        failures.settle("see Gate::open in access/gate.rs");
    }

    fn with_a_first_password_only_the_own_account_is_open(world) {
        let mut failures = Failures::default();
        for operation in operations() {
            let reply = bare(&operation, &world.as_("53-first-password")).send();
            let open = operation.row.audience == Audience::Public
                || ["account.read", "account.password", "account.logout"].contains(&operation.row.name);
            let refused = reply.status == 403 && reply.says("password_change_required");
            failures.check(refused != open, || format!("{}: {}", operation.name(), reply.story()));
            if operation.row.name == "account.logout" {
                world.forget();
            }
        }
        failures.settle("see may_with_first_password in access/gate.rs");
    }
}
