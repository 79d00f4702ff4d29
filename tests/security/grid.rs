//! The policy as a grid in a file, so that a change of rights shows in a review as such.

use std::fmt::Write;

use pingyi::access::Role;
use pingyi::access::policy::{Audience, EFFECTS, ROWS};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/security/policy.grid");

fn grid() -> String {
    let mut text = String::from("roles:");
    for role in Role::ALL {
        write!(text, " {role}").unwrap();
    }
    text.push('\n');
    for row in ROWS {
        let mode = if row.writes { "write" } else { "read" };
        let cells: Vec<&str> = Role::ALL.iter().map(|&role| row.cell(role).letter()).collect();
        let who = match row.audience {
            Audience::Roles => cells.join(" "),
            Audience::Account => "every account, on its own".to_owned(),
            Audience::Public => "everybody".to_owned(),
        };
        writeln!(text, "{:<22} {mode:<5} {who}", row.name).unwrap();
    }
    for role in Role::ALL {
        let granted: Vec<&str> =
            pingyi::access::grantable_by(*role).iter().map(|role| role.as_str()).collect();
        if !granted.is_empty() {
            writeln!(text, "{role} grants {}", granted.join(" ")).unwrap();
        }
    }
    for (effect, actions) in EFFECTS {
        writeln!(text, "{effect} is an effect of {}", actions.join(" ")).unwrap();
    }
    text
}

#[test]
fn the_policy_is_the_one_agreed_on() {
    if std::env::var_os("PINGYI_BLESS").is_some() {
        std::fs::write(FILE, grid()).unwrap();
    }
    let agreed = std::fs::read_to_string(FILE).unwrap_or_default();
    let made = grid();
    let differing: Vec<String> = made
        .lines()
        .filter(|line| !agreed.lines().any(|old| old == *line))
        .map(|line| format!("+ {line}"))
        .chain(
            agreed
                .lines()
                .filter(|line| !made.lines().any(|new| new == *line))
                .map(|line| format!("- {line}")),
        )
        .collect();
    assert!(
        agreed == made,
        "the policy table changed; if that is meant, run with PINGYI_BLESS=1 and commit tests/security/policy.grid\n{}",
        differing.join("\n")
    );
}
