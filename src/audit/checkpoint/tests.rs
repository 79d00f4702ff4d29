//! Notes that open, and those that do not.

use super::*;

fn made() -> (Signer, Checkpoint) {
    let signer = Signer::of_seed(&[7; 32]).unwrap();
    let at = "2026-03-02T01:00:00.000000Z".to_owned();
    let (origin, holds) = ("pingyi/53".to_owned(), Some(Said { commitment: [3; 32], veiled: 5 }));
    (signer, Checkpoint { origin, size: 12, root: [1; 32], link: [2; 32], at, holds })
}

#[test]
fn a_note_opens_with_its_key_and_no_other() {
    let (signer, checkpoint) = made();
    let note = signer.sign(&checkpoint);
    let verifier = signer.verifier("pingyi/53");
    assert_eq!(verifier.open(&note), Some(checkpoint.clone()));
    assert_eq!(Verifier::parse(&verifier.to_string()), Ok(verifier.clone()));
    for (from, to) in [
        ("\n12\n", "\n13\n"),
        ("pingyi/53\n", "pingyi/50\n"),
        ("link 02", "link 03"),
        ("T01", "T02"),
        ("holds 03", "holds 04"),
        (" 0000000000000005", " 0000000000000006"),
    ] {
        assert_eq!(verifier.open(&note.replacen(from, to, 1)), None, "{from}");
    }
    assert_eq!(Signer::of_seed(&[8; 32]).unwrap().verifier("pingyi/53").open(&note), None);
    assert_eq!(signer.verifier("pingyi/50").open(&note), None);
    // What stands behind the signed text is not of it.
    assert_eq!(verifier.open(&note.replacen("\n\n", "\nmore\n\n", 1)), None);
}

#[test]
fn a_note_of_before_the_commitment_opens_and_none_is_made_of_it() {
    let (signer, checkpoint) = made();
    let (new, verifier) = (signer.sign(&checkpoint), signer.verifier("pingyi/53"));
    let old = Checkpoint { holds: None, ..checkpoint };
    let note = signer.sign(&old);
    assert_eq!(verifier.open(&note), Some(old));
    // The line is signed: it can neither be left out nor be put in.
    let line = format!("holds {} 0000000000000005\n", hex(&[3; 32]));
    assert!(new.contains(&line), "{new}");
    assert_eq!(verifier.open(&new.replacen(&line, "", 1)), None);
    assert_eq!(verifier.open(&note.replacen("\n\n", &format!("\n{line}\n"), 1)), None);
    let digest = hex(&[3; 32]);
    let lines = ["holds", "holds 03", "link 03", ""].map(ToOwned::to_owned);
    // What is written otherwise than we do is not what was signed.
    let lengths =
        ["", " ", " 5", " 000000000000000A", " +00000000000000a", " 0000000000000005 ", " 00000000000000005"];
    for wrong in lines.into_iter().chain(lengths.map(|length| format!("holds {digest}{length}"))) {
        let text = format!("{}{wrong}\n", new.split_once("holds ").unwrap().0);
        assert_eq!(Checkpoint::of_text(&text), None, "{wrong}");
    }
}

#[test]
fn only_the_key_that_signed_opens_what_is_held_back() {
    let (signer, checkpoint) = made();
    let mut list = Tree::default();
    list.push(&[4; 32]);
    let committed = signer.committed(checkpoint.clone(), &list);
    let said = committed.holds.unwrap();
    assert_eq!(committed, Checkpoint { holds: Some(said), ..checkpoint });
    // It follows from the note and the key alone, whenever the key is there again.
    let (again, verifier) = (Signer::of_seed(&[7; 32]).unwrap(), signer.verifier("pingyi/53"));
    let read = verifier.open(&signer.sign(&committed)).unwrap();
    let opening = again.opener(&verifier).unwrap().open(&read.text_in_front(), &said);
    assert_eq!((opening.held, opening.commitment(&list.root())), (1, said.commitment));
    // The same key is that of every province.
    assert!(signer.opener(&signer.verifier("pingyi/50")).is_some());
    let other = Signer::of_seed(&[8; 32]).unwrap();
    assert!(other.opener(&verifier).is_none());
    let theirs = other.opener(&other.verifier("pingyi/53")).unwrap().open(&read.text_in_front(), &said);
    assert!(theirs.salt != opening.salt && theirs.held != opening.held);
}

#[test]
fn a_key_is_told_whole_or_not_at_all() {
    let (signer, _) = made();
    let told = signer.verifier("pingyi/53").to_string();
    for wrong in
        ["", "a+b", "pingyi/53+00000000+AAAA", &told[..told.len() - 4], &told.replacen("53", "50", 1)]
    {
        assert!(Verifier::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn notes_are_read_one_after_another() {
    let (signer, checkpoint) = made();
    let other = Checkpoint { size: 13, ..checkpoint.clone() };
    let file = format!("{}\n{}\n", signer.sign(&checkpoint), signer.sign(&other));
    let verifier = signer.verifier("pingyi/53");
    let sizes: Vec<_> = notes(&file).iter().map(|note| verifier.open(note).unwrap().size).collect();
    assert_eq!(sizes, [12, 13]);
    assert_eq!(notes(""), Vec::<String>::new());
}
