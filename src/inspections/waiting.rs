//! Looking for what waits for somebody: a portion of what may wait after the other.

use crate::errors::Result;

/// Rows looked through at a time.
pub(super) const PORTION: i64 = 100;

/// Those that wait, until as many are found as are told at most: of what another is to do nothing waits here, and it is
/// passed over. `look` tells of the portion behind a place what waits of it, and where the next begins.
///
/// # Errors
/// What `look` answers.
pub(super) fn gathered<T, P>(
    most: usize,
    mut look: impl FnMut(Option<P>) -> Result<(Vec<T>, Option<P>)>,
) -> Result<Vec<T>> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let (more, next) = look(after)?;
        found.extend(more);
        if next.is_none() || found.len() >= most {
            found.truncate(most);
            return Ok(found);
        }
        after = next;
    }
}

/// The place behind a portion, where another may begin: none behind the last.
pub(super) fn behind<R, P>(portion: &[R], place: impl FnOnce(&R) -> P) -> Option<P> {
    let is_full = i64::try_from(portion.len()).is_ok_and(|rows| rows >= PORTION);
    portion.last().filter(|_| is_full).map(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks through the numbers up to the last, those that wait being multiples of ten; how often it looked.
    fn found(last: i64, most: usize) -> (Vec<i64>, usize) {
        let mut looks = 0;
        let found = gathered(most, |after: Option<i64>| {
            looks += 1;
            let first = after.map_or(1, |after| after + 1);
            let portion: Vec<i64> = (first..=last).take(usize::try_from(PORTION).unwrap()).collect();
            let next = behind(&portion, |one| *one);
            Ok((portion.into_iter().filter(|one| one % 10 == 0).collect(), next))
        });
        (found.unwrap(), looks)
    }

    #[test]
    fn it_looks_on_until_there_is_no_more_or_enough() {
        assert_eq!(found(0, 5), (vec![], 1));
        assert_eq!(found(35, 5), (vec![10, 20, 30], 1));
        let (all, looks) = found(250, 500);
        assert_eq!((all.len(), all.last(), looks), (25, Some(&250), 3));
        // A full portion may be the last: the next one tells.
        assert_eq!(found(100, 500).1, 2);
        let (some, looks) = found(1000, 15);
        assert_eq!((some.len(), some.last(), looks), (15, Some(&150), 2));
    }
}
