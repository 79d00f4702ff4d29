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

/// What a checkpoint of so many rows says of the first so many of these, and what opens it.
fn said(leaves: &[Leaf], held: u8, size: u64) -> ((u64, Digest), Opening) {
    let mut tree = Tree::default();
    for leaf in &leaves[..usize::from(held)] {
        tree.push(&leaf.commitment);
    }
    let opening = Opening::fresh(u64::from(held)).unwrap();
    ((size, opening.commitment(&tree.root())), opening)
}

/// Three checkpoints: of nothing held back, of three rows, of all five.
fn three() -> (Vec<(u64, Digest)>, HashMap<Digest, Opening>) {
    let made = [said(&leaves(5), 0, 10), said(&leaves(5), 3, 20), said(&leaves(5), 5, 30)];
    let openings = made.iter().map(|((_, commitment), opening)| (*commitment, *opening)).collect();
    (made.map(|(one, _)| one).to_vec(), openings)
}

fn told(leaves: Vec<Leaf>, (said, openings): (Vec<(u64, Digest)>, HashMap<Digest, Opening>)) -> Vec<String> {
    let mut review = Review::new(said, &openings);
    for leaf in leaves {
        review.step(leaf);
    }
    let name = |fault: &Fault| {
        let place = fault.position.map(|at| at.to_string()).or_else(|| fault.entry_id.clone());
        format!("{} {}", fault.kind, place.unwrap_or_default())
    };
    review.end().iter().map(name).collect()
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
    // Of the same list nothing is said twice in the same words.
    assert_ne!(Opening::fresh(2).unwrap(), Opening::fresh(2).unwrap());
}

#[test]
fn a_list_that_nobody_touched_is_whole_wherever_its_rows_are_by_now() {
    assert_eq!(told(leaves(5), three()), [""; 0]);
    // More was held back since.
    assert_eq!(told(leaves(9), three()), [""; 0]);
    // Nothing was ever held back, and nothing said.
    assert_eq!(told(leaves(0), (Vec::new(), HashMap::new())), [""; 0]);
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
        assert_eq!(told(touched, three()), [wanted]);
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
    assert_eq!(told(anew, three()), ["holds_rewritten 20"]);
    let later = touched(|list| (list[4].commitment, list[4].stand) = (digest(9), Stand::Waits(digest(9))));
    assert_eq!(told(later, three()), ["holds_rewritten 30"]);
    assert_eq!(told(touched(|list| drop(list.remove(1))), three()), ["holds_rewritten 20"]);
    assert_eq!(told(touched(|list| drop(list.pop())), three()), ["holds_rewritten 30"]);
    assert_eq!(told(touched(|list| list.swap(0, 1)), three()), ["holds_rewritten 20"]);
    assert_eq!(told(Vec::new(), three()), ["holds_rewritten 20"]);
}

#[test]
fn what_nothing_opens_or_something_else_does_is_told() {
    let (said, mut openings) = three();
    openings.remove(&said[1].1);
    assert_eq!(told(leaves(5), (said.clone(), openings.clone())), ["holds_rewritten 20"]);
    // Another salt, another count.
    for wrong in [Opening { salt: [7; 32], held: 3 }, Opening { salt: [0; 32], held: 2 }] {
        let (said, mut openings) = three();
        openings.insert(said[1].1, wrong);
        assert_eq!(told(leaves(5), (said, openings)), ["holds_rewritten 20"]);
    }
}
