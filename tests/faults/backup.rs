//! Copies of the database: taken while others write, put back elsewhere, refused when they are not whole.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::listeners::Line;
use super::process::{Backend, Store, accounts_of, sign_in, until};
use super::work::{BINARY, BOTH, Crew, Demo, Kind, new_body};

/// Runs a command of the program, with PostgreSQL's own in reach.
fn run(store: &Store, arguments: &[&str]) -> Output {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(programs) = std::env::var_os("PINGYI_TEST_PG_BIN") {
        let both = [PathBuf::from(programs)].into_iter().chain(std::env::split_paths(&path));
        path = std::env::join_paths(both).unwrap();
    }
    let mut command = store.command(arguments);
    command.env("PATH", path);
    if let Some(url) = store.backup_url() {
        command.env("PINGYI_BACKUP_DATABASE_URL", url);
    }
    command.output().unwrap()
}

#[track_caller]
fn fine(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn refused(output: &Output, why: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(why), "{why:?} is not in {said}");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_copy_taken_while_others_write_is_whole_and_can_be_put_back() {
    for backend in BOTH {
        let demo = Demo::start(backend);
        let crew = demo.crew();
        let dir = tempfile::tempdir().unwrap();
        let copy = dir.path().join("copy.backup");
        let (stop, made) = (AtomicBool::new(false), Mutex::new(Vec::new()));
        let acknowledged = std::thread::scope(|scope| {
            for writer in 0..4_u64 {
                let (stop, made, crew, demo) = (&stop, &made, &crew, &demo);
                scope.spawn(move || {
                    let mut mark = writer * 10_000;
                    while !stop.load(Ordering::Relaxed) {
                        let id = uuid::Uuid::now_v7();
                        let body = new_body(Kind::Campaign, id, crew, None, mark);
                        crew.office.once(demo.at(), "POST", "/campaigns", &[], Some(&body)).expect(201);
                        made.lock().unwrap().push(id);
                        mark += 1;
                    }
                });
            }
            until(Duration::from_mins(1), "some to be made", || {
                (made.lock().unwrap().len() > 20).then_some(())
            });
            let acknowledged = made.lock().unwrap().clone();
            let output = run(&demo.store, &["backup", "create", "--to", text(&copy)]);
            let more = made.lock().unwrap().len();
            until(Duration::from_mins(1), "more to be made", || {
                (made.lock().unwrap().len() > more).then_some(())
            });
            stop.store(true, Ordering::Relaxed);
            fine(&output);
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(said.contains("files of attachments are not in it"), "{said}");
            assert!(more > acknowledged.len(), "others wrote while the copy was taken");
            acknowledged
        });
        assert_private(&copy);
        // What is there is not written over.
        refused(&run(&demo.store, &["backup", "create", "--to", text(&copy)]), "there is a file already");
        refused(&run(&demo.store, &["backup", "create", "--to", "/nowhere/at/all"]), "cannot write");

        // Elsewhere, with the same keys.
        let elsewhere = Store::new(BINARY, backend);
        std::fs::create_dir_all(elsewhere.key_file().parent().unwrap()).unwrap();
        std::fs::copy(demo.store.key_file(), elsewhere.key_file()).unwrap();
        // Somebody has heard, where the copy was taken, of what is not in it.
        let known = last_id(&demo, &crew);
        damaged(&elsewhere, &copy, dir.path());
        fine(&run(&elsewhere, &["backup", "restore", "--from", text(&copy)]));
        let why =
            if backend == Backend::Sqlite { "there is a file already" } else { "the database is not empty" };
        refused(&run(&elsewhere, &["backup", "restore", "--from", text(&copy)]), why);
        files_follow(&demo.store, &elsewhere);
        let program = elsewhere.start(&["serve"]);
        let office =
            sign_in(program.address, &accounts_of(&demo.store.accounts_file()), "group_office", "53");
        for id in &acknowledged {
            office.get(program.address, &format!("/campaigns/{id}")).expect(200);
        }
        // Whoever was signed in still is: sessions and keys came along.
        crew.office.get(program.address, "/auth/me").expect(200);
        // It works on, and the places of its log are given anew: whoever comes with one of the other course of things
        // is told to load anew, and not that nothing has happened.
        for mark in 0..made.lock().unwrap().len() as u64 {
            let body = new_body(Kind::Campaign, uuid::Uuid::now_v7(), &crew, None, mark);
            office.once(program.address, "POST", "/campaigns", &[], Some(&body)).expect(201);
        }
        elsewhere.until_sealed();
        let mut line = Line::open(program.address, &crew.office, Some(&known));
        until(Duration::from_secs(20), "the first words", || line.read().contains("retry:").then_some(()));
        assert!(line.read().contains("event: reset"), "{}", line.read());
        // And its log is one whole chain.
        let body = new_body(Kind::Campaign, uuid::Uuid::now_v7(), &crew, None, 1);
        office.once(program.address, "POST", "/campaigns", &[], Some(&body)).expect(201);
        program.terminate();
        assert!(program.wait(Duration::from_secs(40)).success());
        for province in ["53", "50", "00"] {
            fine(&run(&elsewhere, &["audit", "verify", "--province", province]));
        }
    }
}

/// The id behind everything that has happened.
fn last_id(demo: &Demo, crew: &Crew) -> String {
    demo.store.until_sealed();
    let mut line = Line::open(demo.at(), &crew.office, None);
    until(Duration::from_secs(20), "the first words", || {
        let text = line.read();
        text.lines().find_map(|line| line.strip_prefix("id: ")).map(ToOwned::to_owned)
    })
}

/// The files of attachments are in no copy: without them a command says so, and with them it finds all of them.
fn files_follow(from: &Store, to: &Store) {
    let verify = || run(to, &["attachments", "verify"]);
    refused(&verify(), "the files are not whole");
    let folders = [from, to].map(|store| store.data_dir().join("files"));
    let [there, here] = folders;
    for province in std::fs::read_dir(&there).unwrap().flatten() {
        for upload in std::fs::read_dir(province.path()).unwrap().flatten() {
            let place = here.join(province.file_name()).join(upload.file_name());
            std::fs::create_dir_all(&place).unwrap();
            for file in std::fs::read_dir(upload.path()).unwrap().flatten() {
                std::fs::copy(file.path(), place.join(file.file_name())).unwrap();
            }
        }
    }
    fine(&verify());
}

/// A copy that somebody has cut or touched is refused, and nothing of it stays.
fn damaged(elsewhere: &Store, copy: &Path, dir: &Path) {
    let whole = std::fs::read(copy).unwrap();
    let cut = dir.join("cut.backup");
    std::fs::write(&cut, &whole[..whole.len() * 2 / 3]).unwrap();
    refused(&run(elsewhere, &["backup", "restore", "--from", text(&cut)]), "pingyi:");
    refused(&run(elsewhere, &["backup", "restore", "--from", text(&dir.join("absent"))]), "pingyi:");
    let other = dir.join("other.backup");
    std::fs::write(&other, "no copy at all, but longer than a header of anything would be\n".repeat(40))
        .unwrap();
    refused(&run(elsewhere, &["backup", "restore", "--from", text(&other)]), "pingyi:");
    if elsewhere.app_url().is_none() {
        fine(&run(elsewhere, &["backup", "check", "--from", text(copy)]));
        refused(&run(elsewhere, &["backup", "check", "--from", text(&cut)]), "cannot use");
        assert!(!elsewhere.file().exists(), "nothing of it stays");
    }
}

#[cfg(unix)]
fn assert_private(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(
        std::fs::metadata(file).unwrap().permissions().mode() & 0o777,
        0o600,
        "personal data lie in it"
    );
}
