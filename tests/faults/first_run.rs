//! The way into an empty system: keys, the first administrator, the first password.

use std::time::Duration;

use serde_json::json;

use super::process::{Backend, Session, Store, login, nap};
use super::work::{BINARY, BOTH};

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_server_with_nothing_in_it_yet_has_nothing_to_complain_of() {
    for backend in BOTH {
        let store = Store::new(BINARY, backend);
        if backend == Backend::Postgres {
            assert!(store.run(&["admin", "keys"]).status.success());
        }
        let program = store.start(&["serve"]);
        // Seals, signs, sweeps and looks for jobs meanwhile.
        nap(Duration::from_secs(2));
        let said = program.said();
        assert!(!said.contains("WARN") && !said.contains("ERROR"), "{said}");
    }
}

#[test]
fn the_first_administrator_must_change_the_first_password() {
    for backend in BOTH {
        let store = Store::new(BINARY, backend);
        let create = [
            "admin",
            "create",
            "--role",
            "system_admin",
            "--province",
            "53",
            "--login",
            "Sys-Admin",
            "--name",
            "李春阳",
        ];
        if backend == Backend::Postgres {
            // Instances share one key file, so none of them makes it by itself.
            for command in [&["serve"][..], &create] {
                let refused = store.run(command);
                assert!(!refused.status.success());
                assert!(said(&refused).contains("pingyi admin keys"), "{}", said(&refused));
            }
            let made = store.run(&["admin", "keys"]);
            assert!(made.status.success(), "{}", said(&made));
            let twice = store.run(&["admin", "keys"]);
            assert!(!twice.status.success(), "keys are never overwritten");
        }
        let made = store.run(&create);
        assert!(made.status.success(), "{}", said(&made));
        let text = said(&made);
        let first = text.trim().rsplit(' ').next().unwrap().to_owned();
        assert!(text.contains("sys-admin is system_admin of 53") && first.len() >= 12, "{text}");
        let again = store.run(&create);
        assert!(!again.status.success() && said(&again).contains("login_taken"), "{}", said(&again));

        let program = store.start(&["serve"]);
        let at = program.address;
        assert!(!program.said().contains(&first));
        let reply = login(at, "sys-admin", &first).expect(200);
        assert_eq!(reply.json()["password_change_required"], json!(true));
        let session = Session::with(&reply);
        let user =
            json!({ "login": "somebody", "display_name": "王建国", "password": "翠湖边第三棵柳树下面见面" })
                .to_string();
        for reply in [
            session.get(at, "/units"),
            session.get(at, "/users"),
            session.get(at, "/dictionaries"),
            session.once(at, "POST", "/users", &[], Some(&user)),
        ] {
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (403, "password_change_required"),
                "{}",
                reply.text()
            );
        }
        let change = |current: &str, new: &str| {
            let body = json!({ "current_password": current, "new_password": new }).to_string();
            session.once(at, "POST", "/auth/password", &[], Some(&body))
        };
        let second = "滇池东岸的海鸥二月才飞走";
        assert_eq!(change("翠湖边第三棵柳树下面见面", second).code(), "password_wrong");
        assert_eq!(change(&first, "password1234").code(), "password_weak");
        change(&first, second).expect(204);
        // The same session goes on.
        let units = session.get(at, "/units").expect(200).json();
        assert_eq!(units["items"].as_array().unwrap().len(), 1, "the province's root alone");
        session.get(at, "/users").expect(200);
        assert_eq!(login(at, "sys-admin", &first).status, 401);
        let reply = login(at, "SYS-ADMIN", second).expect(200);
        assert_eq!(reply.json()["password_change_required"], json!(false));
    }
}

#[test]
fn a_port_in_use_and_a_wrong_address_are_told_in_a_sentence() {
    let store = Store::new(BINARY, Backend::Sqlite);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    let output = store.run(&["serve", "--listen", &port]);
    assert!(!output.status.success());
    assert!(said(&output).contains(&format!("cannot listen on {port}")), "{}", said(&output));
    let output = store.run(&["serve", "--database-url", "mysql://x"]);
    assert!(!output.status.success() && said(&output).contains("postgres://"), "{}", said(&output));
    let output = store.run(&["serve", "--database-url", "postgres://nobody:secret@127.0.0.1:1/x"]);
    assert!(
        !output.status.success() && said(&output).contains("cannot reach PostgreSQL"),
        "{}",
        said(&output)
    );
    assert!(!said(&output).contains("secret"));
}
