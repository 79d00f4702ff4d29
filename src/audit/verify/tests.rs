//! A chain touched in every way, and what is told of it.

use proptest::prelude::*;

use super::*;

fn content(number: usize) -> Content {
    Content {
        tenant: "53".into(),
        id: format!("{number:08}"),
        at: "2026-03-02T01:00:00.000000Z".into(),
        actor: "public".into(),
        user_id: None,
        roles: String::new(),
        action: "plan.submit".into(),
        entity: "plan".into(),
        entity_id: number.to_string(),
        before_digest: None,
        after_digest: None,
        reason: None,
        request_id: "r".into(),
    }
}

/// A chain over these rows, numbered anew.
fn chained(rows: Vec<(Content, Vec<u8>)>) -> Vec<Sealed> {
    let mut before = [0; 32];
    (1..)
        .zip(rows)
        .map(|(position, (content, salt))| {
            let commitment = content.commitment(&salt);
            before = link(&before, position, &commitment);
            let entry_id = content.id.clone();
            Sealed { position, entry_id, commitment, link: before, row: Row::Open(Box::new(content), salt) }
        })
        .collect()
}

fn rows(count: usize) -> Vec<(Content, Vec<u8>)> {
    (0..count).map(|number| (content(number), vec![number.to_le_bytes()[0]; 16])).collect()
}

fn checkpoint(chain: &[Sealed]) -> Checkpoint {
    let mut tree = Tree::default();
    for one in chain {
        tree.push(&one.commitment);
    }
    let link = chain.last().map(|one| one.link).unwrap_or_default();
    Checkpoint {
        origin: "pingyi/53".into(),
        size: tree.size(),
        root: tree.root(),
        link,
        at: String::new(),
        holds: None,
    }
}

fn walked(chain: Vec<Sealed>, checkpoints: Vec<Checkpoint>) -> Vec<(FaultKind, Option<u64>)> {
    let mut walk = Walk::new(checkpoints);
    for one in chain {
        walk.step(one);
    }
    walk.end().faults.into_iter().map(|fault| (fault.kind, fault.position)).collect()
}

#[test]
fn a_row_put_between_two_others_is_told_however_it_is_done() {
    let whole = chained(rows(12));
    let signed = || vec![checkpoint(&whole)];
    // Its place alone is computed: what stands behind does not follow from it.
    let mut put = rows(12);
    put.insert(5, (content(99), vec![9; 16]));
    let mut between: Vec<Sealed> = chained(put.clone());
    for (one, old) in between.iter_mut().skip(6).zip(whole.iter().skip(5)) {
        one.link = old.link;
    }
    assert_eq!(walked(between.clone(), signed()), [(FaultKind::EntryInserted, Some(6))]);
    // Nor does it itself follow from what stands before it.
    between[5].link = [7; 32];
    assert_eq!(walked(between, signed()), [(FaultKind::EntryInserted, Some(6))]);
    // Two, in two places; and one before the last.
    let mut twofold = rows(12);
    twofold.insert(9, (content(98), vec![9; 16]));
    twofold.insert(5, (content(99), vec![9; 16]));
    let mut twofold = chained(twofold);
    for (at, one) in twofold.iter_mut().enumerate() {
        let stood = at - usize::from(at > 5) - usize::from(at > 10);
        one.link = if at == 5 || at == 10 { [7; 32] } else { whole[stood].link };
    }
    let inserted = |at| (FaultKind::EntryInserted, Some(at));
    assert_eq!(walked(twofold, signed()), [inserted(6), inserted(11)]);
    let mut late = rows(12);
    late.insert(11, (content(99), vec![9; 16]));
    let mut late = chained(late);
    late[12].link = whole[11].link;
    assert_eq!(walked(late.clone(), signed()), [inserted(12)]);
    late[11].link = [7; 32];
    assert_eq!(walked(late, signed()), [inserted(12)]);
    // It does not make up for the last one, taken away.
    let mut fewer = rows(12);
    fewer.insert(5, (content(99), vec![9; 16]));
    fewer.truncate(12);
    let mut fewer = chained(fewer);
    for at in 6..12 {
        fewer[at].link = whole[at - 1].link;
    }
    assert_eq!(walked(fewer, signed()), [inserted(6), (FaultKind::Truncated, Some(12))]);
    // All that stands behind is computed anew: the checkpoint tells.
    assert_eq!(walked(chained(put), signed()), [(FaultKind::Rewritten, Some(12))]);
    // A place that is there twice.
    let mut twice = whole.clone();
    twice.insert(5, whole[4].clone());
    assert_eq!(walked(twice, signed()), [(FaultKind::EntryInserted, Some(5))]);
}

#[test]
fn however_many_links_are_broken_what_says_more_is_told() {
    let whole = chained(rows(1000));
    let mut fewer = whole.clone();
    fewer.remove(9);
    fewer.truncate(900);
    for (position, one) in (1..).zip(&mut fewer) {
        one.position = position;
    }
    let told = walked(fewer, vec![checkpoint(&whole)]);
    assert_eq!(told.len(), MOST);
    assert!(told.contains(&(FaultKind::LinkBroken, Some(10))), "{told:?}");
    assert!(told.contains(&(FaultKind::Truncated, Some(900))), "{told:?}");
}

#[test]
fn two_checkpoints_of_one_size_that_differ_are_told() {
    let whole = chained(rows(3));
    let mut other = checkpoint(&whole);
    other.root = [9; 32];
    let told = walked(whole.clone(), vec![checkpoint(&whole), other]);
    assert!(told.iter().all(|(kind, _)| *kind == FaultKind::Rewritten) && !told.is_empty(), "{told:?}");
    // A row that was put in explains nothing of it.
    let mut put = rows(3);
    put.insert(1, (content(99), vec![9; 16]));
    let mut put = chained(put);
    (put[2].link, put[3].link) = (whole[1].link, whole[2].link);
    let mut other = checkpoint(&whole);
    other.root = [9; 32];
    let told = walked(put, vec![checkpoint(&whole), other]);
    assert!(told.contains(&(FaultKind::Rewritten, Some(3))), "{told:?}");
}

proptest! {
    #[test]
    fn what_is_whole_is_called_whole_and_no_touch_goes_unseen(
        count in 2_usize..40, place in 0_usize..40, other in 0_usize..40, what in 0_u8..6,
    ) {
        let whole = chained(rows(count));
        let signed = vec![checkpoint(&whole), checkpoint(&whole[..=count / 2])];
        prop_assert_eq!(walked(whole.clone(), signed.clone()), []);
        let (place, other) = (place % count, other % count);
        let mut touched = whole.clone();
        match what {
            0 => {
                let mut content = content(place);
                content.reason = Some("改".into());
                touched[place].row = Row::Open(Box::new(content), vec![place.to_le_bytes()[0]; 16]);
            }
            1 => touched[place].row = Row::Gone,
            2 => drop(touched.remove(place)),
            3 => touched.truncate(place),
            4 if place != other => {
                let (one, two) = (whole[place].clone(), whole[other].clone());
                touched[place] = Sealed { position: one.position, link: one.link, ..two.clone() };
                touched[other] = Sealed { position: two.position, link: two.link, ..one };
            }
            _ => {
                // Somebody with the whole database and all the time: everything behind is computed anew.
                let mut rows = rows(count);
                rows[place].0.reason = Some("改".into());
                touched = chained(rows);
            }
        }
        prop_assert!(!walked(touched, signed).is_empty());
    }
}
