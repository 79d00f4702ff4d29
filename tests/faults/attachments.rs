//! `pingyi attachments verify`: it finds what is missing beside the database and what is not what was uploaded, names it, and
//! nothing else.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use super::process::{Backend, Store};
use super::work::{BOTH, Demo};

/// What the command says, and whether it is content.
fn verified(store: &Store, more: &[&str]) -> (bool, Vec<String>, String) {
    let arguments = [&["attachments", "verify"], more].concat();
    let done = store.command(&arguments).stdout(Stdio::piped()).output().unwrap();
    let lines = String::from_utf8(done.stdout).unwrap().lines().map(ToOwned::to_owned).collect();
    (done.status.success(), lines, String::from_utf8(done.stderr).unwrap())
}

/// Each attachment of the province, and the folder of its files.
fn all(store: &Store, backend: Backend) -> Vec<(String, PathBuf)> {
    let sql = match backend {
        Backend::Sqlite => {
            "SELECT lower(hex(id)) || ' ' || lower(hex(kept_as)) AS line FROM attachments WHERE tenant_id = '53' ORDER BY id"
        }
        Backend::Postgres => {
            "SELECT id::text || ' ' || kept_as::text AS line FROM attachments WHERE tenant_id = '53' ORDER BY id"
        }
    };
    let spelt = |text: &str| uuid::Uuid::parse_str(text).unwrap().to_string();
    let place = |line: String| {
        let (id, kept_as) = line.split_once(' ').unwrap();
        (spelt(id), store.data_dir().join("files/53").join(spelt(kept_as)))
    };
    store.ask("53", sql).into_iter().map(place).collect()
}

/// Turns one bit of a file round.
fn touch(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn what_is_missing_or_touched_is_named() {
    for backend in BOTH {
        let demo = Demo::start(backend);
        let Demo { program, store, .. } = demo;
        let all = all(&store, backend);
        assert!(all.len() >= 3, "the demo has photos: {all:?}");
        // Beside a program that serves.
        let (is_fine, lines, said) = verified(&store, &[]);
        let whole =
            |count: usize| [format!("{count} attachments: 0 with bytes missing, 0 with bytes that differ")];
        assert!(
            is_fine
                && lines.len() == 1
                && lines[0].ends_with(": 0 with bytes missing, 0 with bytes that differ"),
            "{lines:?} {said}"
        );
        assert_eq!(verified(&store, &["--province", "53"]).1, whole(all.len()));
        program.terminate();
        assert!(program.wait(Duration::from_mins(1)).success());

        let [(lost, at), (touched, on), (cut, of)] = &all[..3] else { panic!("three of them") };
        std::fs::remove_file(at.join("original")).unwrap();
        std::fs::remove_file(at.join("thumbnail")).unwrap();
        touch(&on.join("original"));
        std::fs::write(of.join("copy"), "short").unwrap();
        let (is_fine, lines, said) = verified(&store, &["--province", "53"]);
        let mut wanted = vec![
            format!("53 {lost} original missing"),
            format!("53 {lost} thumbnail missing"),
            format!("53 {touched} original differs: it is not what was uploaded"),
            format!("53 {cut} copy differs: it has 5 bytes"),
            format!("{} attachments: 1 with bytes missing, 2 with bytes that differ", all.len()),
        ];
        let (mut found, last) = (lines.clone(), wanted.len() - 1);
        assert_eq!(found.last(), wanted.last(), "{said}");
        found[..last].sort_unstable();
        wanted[..last].sort_unstable();
        assert_eq!(found, wanted);
        assert!(!is_fine && said.contains("the files are not whole"), "{said}");
        // The whole folder: it is told of each, and nothing is made up.
        std::fs::remove_dir_all(store.data_dir().join("files")).unwrap();
        let (is_fine, lines, _) = verified(&store, &["--province", "53"]);
        let wanted = format!("{0} attachments: {0} with bytes missing, 0 with bytes that differ", all.len());
        assert_eq!((is_fine, lines.len(), lines.last()), (false, all.len() * 3 + 1, Some(&wanted)));
        // A province that is not there has no attachments that could be whole.
        let (is_fine, lines, said) = verified(&store, &["--province", "99"]);
        assert!(!is_fine && lines.is_empty() && said.contains("99"), "{lines:?} {said}");
    }
}
