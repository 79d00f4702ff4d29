//! `pingyi demo`: it keeps what it has, hides what it must, and knows provinces of every shape.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::process::{Backend, Store, accounts_of, login, sign_in};
use super::work::{BINARY, BOTH, Crew, Demo, Kind, create};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_second_start_keeps_the_data_and_says_where_the_accounts_are() {
    for backend in BOTH {
        let mut demo = Demo::start_in(Store::new(BINARY, backend), backend);
        let crew: Crew = demo.crew();
        let (id, made) = create(&demo, &crew, Kind::Campaign, 5);
        let file = demo.store.accounts_file();
        assert_eq!((mode(&file), mode(&demo.store.data_dir())), (0o600, 0o700));
        let first = demo.program.said();
        assert!(first.contains(file.to_str().unwrap()), "{first}");
        for account in &demo.accounts {
            assert!(first.contains(&account.password), "{} is printed once", account.login);
        }
        let bytes = std::fs::read(&file).unwrap();
        demo.program.kill();
        demo.program = demo.store.start(&["demo"]);
        let second = demo.program.said();
        assert!(second.contains("keeps its data") && second.contains(file.to_str().unwrap()), "{second}");
        assert!(
            demo.accounts.iter().all(|one| !second.contains(&one.password)),
            "passwords are printed once only"
        );
        assert_eq!(std::fs::read(&file).unwrap(), bytes);
        let account = &demo.accounts[0];
        login(demo.at(), &account.login, &account.password).expect(200);
        let again = crew.office.get(demo.at(), &format!("/campaigns/{id}")).expect(200);
        assert_eq!((again.etag(), &again.body), (made.etag(), &made.body));
        if backend == Backend::Sqlite {
            assert_eq!(mode(&demo.store.data_dir().join("keys.json")), 0o600);
        }
    }
}

#[test]
fn a_half_loaded_demo_is_refused_with_its_cure() {
    let demo = Demo::start(Backend::Sqlite);
    let store = demo.store;
    drop(demo.program);
    std::fs::remove_file(store.data_dir().join("demo.json")).unwrap();
    let output = store.run(&["demo", "--listen", "127.0.0.1:0"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(said.contains("begin with an empty database"), "{said}");
}

#[test]
fn no_such_province() {
    let store = Store::new(BINARY, Backend::Sqlite);
    let output = store.run(&["demo", "--province", "99", "--listen", "127.0.0.1:0"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(said.contains("no province has the code") && said.contains("99"), "{said}");
}

/// How many cities, counties and stations the province's own people see.
fn counts(province: &str) -> (i64, i64, i64, Option<i64>) {
    let store = Store::new(BINARY, Backend::Sqlite);
    let program = store.start(&["demo", "--province", province]);
    let accounts = accounts_of(&store.accounts_file());
    let auditor = sign_in(program.address, &accounts, "auditor", province);
    let total = |path: &str| {
        let page = auditor.get(program.address, path).expect(200).json();
        page["total"].as_i64().unwrap()
    };
    let of = |kind: &str| total(&format!("/{kind}?count=exact&limit=1"));
    // Dongguan has no counties: its stations stand under the city.
    let dongguan = (province == "44").then(|| {
        let page = auditor.get(program.address, "/cities?code=4419").expect(200).json();
        let id = page["items"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(total(&format!("/counties?parent_id={id}&count=exact&limit=1")), 0);
        total(&format!("/stations?parent_id={id}&count=exact&limit=1"))
    });
    (of("cities"), of("counties"), of("stations"), dongguan)
}

#[test]
fn yunnan_has_16_cities_129_counties_and_1653_stations() {
    assert_eq!(counts("53"), (16, 129, 1653, None));
}

// Stations are derived: one a township of the data, and none twice.
#[test]
fn chongqing_has_no_cities() {
    assert_eq!(counts("50"), (0, 38, 1031, None));
}

#[test]
fn guangdong_has_cities_without_counties() {
    assert_eq!(counts("44"), (21, 122, 1757, Some(36)));
}

/// 103 by GB/T 2260, and the two zones with a statistical code of their own (421071, 421171).
#[test]
fn hubei_has_counties_without_a_city() {
    assert_eq!(counts("42"), (13, 105, 1475, None));
}
