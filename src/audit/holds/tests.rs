//! What is said of lists of rows held back, and what is told when a list was touched.

use super::*;

fn digest(number: u8) -> Digest {
    sha256(&[&[number]])
}

fn leaves(count: u8) -> Vec<Leaf> {
    let leaf = |number: u8| Leaf {
        entry_id: number.to_string(),
        commitment: digest(number),
        stand: if number.is_multiple_of(2) {
            Stand::Told(digest(number))
        } else {
            Stand::Waits(digest(number))
        },
    };
    (0..count).map(leaf).collect()
}

fn tree(leaves: &[Leaf]) -> Tree {
    let mut tree = Tree::default();
    for leaf in leaves {
        tree.push(&leaf.commitment);
    }
    tree
}

fn opener() -> Opener {
    Opener::of_seed(&[7; 32])
}

/// A checkpoint: the rows of the chain under it, its text, and what it says of rows held back.
type Made = (u64, String, Said);

/// A checkpoint of so many rows of the chain, made when the list was this.
fn said(list: &[Leaf], size: u64) -> Made {
    let text = format!("pingyi/53\n{size}\n");
    let said = opener().say(&text, &tree(list));
    (size, text, said)
}

/// Three checkpoints: of nothing held back, of three rows, of all five.
fn three() -> Vec<Made> {
    vec![said(&[], 10), said(&leaves(3), 20), said(&leaves(5), 30)]
}

fn name(fault: &Fault) -> String {
    let place = fault.position.map(|at| at.to_string()).or_else(|| fault.entry_id.clone());
    format!("{} {}", fault.kind, place.unwrap_or_default())
}

/// What is found when whoever has this key goes through a list beside checkpoints.
fn found(list: &[Leaf], made: &[Made], opener: Option<&Opener>) -> Vec<Fault> {
    let (mut review, mut rows) = (Review::default(), list.iter().cloned());
    for (size, text, said) in made {
        let Some(opener) = opener else {
            review.cannot_open(*size);
            continue;
        };
        let opening = opener.open(text, said);
        while review.size() < opening.held
            && let Some(row) = rows.next()
        {
            review.step(row);
        }
        review.compare(*size, said.commitment, opening);
    }
    for row in rows {
        review.step(row);
    }
    if review.begin_again() {
        for row in list {
            review.step(row.clone());
        }
    }
    review.end()
}

fn told(list: &[Leaf], made: &[Made]) -> Vec<String> {
    found(list, made, Some(&opener())).iter().map(name).collect()
}

#[test]
fn what_is_said_depends_on_the_salt_the_count_and_the_root() {
    let one = Opening { salt: [1; 32], held: 2 };
    let whole = one.commitment(&digest(1));
    assert_eq!(whole, one.commitment(&digest(1)));
    for other in [
        Opening { salt: [2; 32], ..one }.commitment(&digest(1)),
        Opening { held: 3, ..one }.commitment(&digest(1)),
        one.commitment(&digest(2)),
    ] {
        assert_ne!(whole, other);
    }
    // By its definition.
    let by_hand =
        [b"pingyi audit holds v1\0".as_slice(), &[1; 32], &[0, 0, 0, 0, 0, 0, 0, 2], &digest(1)].concat();
    assert_eq!(whole, sha256(&[&by_hand]));
}

#[test]
fn what_opens_it_follows_from_the_key_and_the_text_by_its_definition() {
    let hmac_of =
        |key: &[u8], data: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data).as_ref().to_vec();
    let (list, text) = (tree(&leaves(3)), "pingyi/53\n20\n");
    let made = opener().say(text, &list);
    let key = hmac_of(&[7; 32], b"pingyi audit holds key v1\0");
    let salt = hmac_of(&key, &[b"salt\0", text.as_bytes()].concat());
    let opening = Opening { salt: salt.try_into().unwrap(), held: 3 };
    assert_eq!(made.commitment, opening.commitment(&list.root()));
    let veil = hmac_of(&key, &[b"held\0".as_slice(), &made.commitment, text.as_bytes()].concat());
    assert_eq!(made.veiled, 3 ^ u64::from_be_bytes(veil[..8].try_into().unwrap()));
    assert_eq!(opener().open(text, &made), opening);
    assert_eq!(Said::of_text(&made.to_string()), Some(made));
}

#[test]
fn of_the_same_list_nothing_is_said_twice_in_the_same_words() {
    let (list, opener) = (tree(&leaves(3)), opener());
    let one = opener.say("pingyi/53\n20\n", &list);
    for other in [
        opener.say("pingyi/53\n21\n", &list),
        opener.say("pingyi/50\n20\n", &list),
        Opener::of_seed(&[8; 32]).say("pingyi/53\n20\n", &list),
        // Nor is it seen by the length that the list is another, were all else the same.
        opener.say("pingyi/53\n20\n", &tree(&leaves(4))),
    ] {
        assert!(one.commitment != other.commitment && one.veiled != other.veiled, "{one} {other}");
        // And a veil is not the same twice: it would tell how many rows are between two lists.
        assert_ne!(one.veiled ^ other.veiled, 3 ^ 4);
    }
    assert_eq!(one.to_string().len(), opener.say("", &Tree::default()).to_string().len());
}

#[test]
fn a_list_that_nobody_touched_is_whole_wherever_its_rows_are_by_now() {
    assert_eq!(told(&leaves(5), &three()), [""; 0]);
    // More was held back since.
    assert_eq!(told(&leaves(9), &three()), [""; 0]);
    // Several are of the same list.
    let again = [three(), vec![said(&leaves(5), 31), said(&leaves(5), 32), said(&leaves(6), 33)]].concat();
    assert_eq!(told(&leaves(9), &again), [""; 0]);
    // Nothing was ever held back, and nothing said.
    assert_eq!(told(&leaves(0), &[]), [""; 0]);
    assert_eq!(told(&leaves(0), &[said(&[], 10), said(&[], 20)]), [""; 0]);
}

#[test]
fn a_row_that_is_gone_or_changed_is_told_by_its_id() {
    for (stand, wanted) in [
        (Stand::Gone, "held_deleted 1"),
        (Stand::Adrift, "held_deleted 1"),
        (Stand::Waits(digest(9)), "held_edited 1"),
        (Stand::Told(digest(9)), "held_edited 1"),
    ] {
        let mut touched = leaves(5);
        touched[1].stand = stand;
        assert_eq!(told(&touched, &three()), [wanted]);
    }
}

#[test]
fn a_list_that_was_touched_fits_no_checkpoint_from_there_on() {
    let touched = |change: fn(&mut Vec<Leaf>)| {
        let mut list = leaves(5);
        change(&mut list);
        list
    };
    // Row and list written anew together: each by itself is in order.
    let anew = touched(|list| (list[1].commitment, list[1].stand) = (digest(9), Stand::Waits(digest(9))));
    assert_eq!(told(&anew, &three()), ["holds_rewritten 20"]);
    let later = touched(|list| (list[4].commitment, list[4].stand) = (digest(9), Stand::Waits(digest(9))));
    assert_eq!(told(&later, &three()), ["holds_rewritten 30"]);
    assert_eq!(told(&touched(|list| drop(list.remove(1))), &three()), ["holds_rewritten 20"]);
    assert_eq!(told(&touched(|list| drop(list.pop())), &three()), ["holds_rewritten 30"]);
    assert_eq!(told(&touched(|list| list.swap(0, 1)), &three()), ["holds_rewritten 20"]);
    assert_eq!(told(&[], &three()), ["holds_rewritten 20"]);
}

#[test]
fn one_that_does_not_fit_hides_none_of_those_behind_it() {
    let sizes = |list: &[Leaf], made: &[Made]| {
        let faults = found(list, made, Some(&opener()));
        assert!(faults.iter().all(|one| one.kind == FaultKind::HoldsRewritten), "{faults:?}");
        faults.first().map(|one| (one.position.unwrap(), one.detail.contains("2 checkpoints")))
    };
    let stray = |size: u64, held: u8| {
        let mut other = leaves(held);
        other.reverse();
        said(&other, size)
    };
    let [first, second, third]: [Made; 3] = three().try_into().unwrap();
    // Of another list that is as long, shorter, longer than any.
    for held in [2, 3, 4, 200] {
        let made = [first.clone(), stray(15, held), second.clone(), third.clone()];
        assert_eq!(sizes(&leaves(5), &made), Some((15, false)), "{held}");
    }
    // What comes behind one of a longer list is looked at again, and told if it does not fit either.
    let made = [first.clone(), stray(15, 200), stray(16, 3), second.clone(), third.clone()];
    assert_eq!(sizes(&leaves(5), &made), Some((15, true)));
    // The list was begun anew: those before are of what it had, those behind of what it has.
    let made = [said(&leaves(9)[4..], 11), said(&leaves(9)[2..], 12), said(&[], 13), second, third];
    assert_eq!(sizes(&leaves(5), &made), Some((11, true)));
    // A second time through, a row is not told of again.
    let mut touched = leaves(5);
    touched[1].stand = Stand::Gone;
    assert_eq!(told(&touched, &[said(&leaves(5), 1), first]), ["held_deleted 1"]);
}

#[test]
fn what_another_key_has_signed_or_somebody_made_up_is_told() {
    // Without the key nothing is opened, which is not to say that it does not fit.
    let unopened = found(&leaves(5), &three(), None);
    assert_eq!(unopened.iter().map(name).collect::<Vec<_>>(), ["holds_unopened 10"]);
    assert!(unopened[0].detail.contains("3 checkpoints"), "{unopened:?}");
    // By another key, of other rows, of another length, under another text.
    let changes: [fn(&mut Made); 4] = [
        |one| one.2 = Opener::of_seed(&[8; 32]).say(&one.1, &tree(&leaves(3))),
        |one| one.2.commitment[0] ^= 1,
        |one| one.2.veiled ^= 1,
        |one| one.1.push(' '),
    ];
    for change in changes {
        let mut made = three();
        change(&mut made[1]);
        assert_eq!(told(&leaves(5), &made), ["holds_rewritten 20"]);
    }
}
