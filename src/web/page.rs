//! Pages of lists: a cursor is the place of the last row, sealed for this caller and this query, so
//! that rows that come or go meanwhile neither repeat nor vanish.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::NaiveDate;

use super::answer::Page;
use crate::access::Doors;
use crate::db::{Id, Instant, text_enum};
use crate::errors::{AppError, Code, Result};

/// Rows on a page when the caller does not say.
const DEFAULT_LIMIT: i64 = 50;
/// Rows on a page at most.
const LARGEST_LIMIT: i64 = 200;
const SEAL_BYTES: usize = 16;

text_enum! {
    /// Whether to count the rows of a list.
    Count as "count" {
        Exact = "exact", "精确", "Exact", grey;
    }
}

text_enum! {
    /// By when they were made lists are sorted; ties by id.
    MadeSort as "made_sort" {
        Newest = "-created_at", "新建在前", "Newest first", grey;
        Oldest = "created_at", "先建在前", "Oldest first", grey;
    }
}

/// The place of a row in a list: its sort keys as text, the id last.
pub type Cursor = Vec<String>;

/// The place of a row in a list that is sorted by when they were made.
#[must_use]
pub fn made_place<T>(at: Instant, id: Id<T>) -> Cursor {
    vec![at.micros().to_string(), id.to_string()]
}

/// Loads a query behind a place, sorted by when the rows were made.
macro_rules! load_as_made {
    ($query:expr, $c:expr, $newest_first:expr, $after:expr, $at:expr, $id:expr) => {
        match ($newest_first, $after) {
            (true, None) => $query.order(($at.desc(), $id.desc())).load($c),
            (true, Some((at, id))) => $query
                .filter($at.lt(at).or($at.eq(at).and($id.lt(id))))
                .order(($at.desc(), $id.desc()))
                .load($c),
            (false, None) => $query.order(($at.asc(), $id.asc())).load($c),
            (false, Some((at, id))) => $query
                .filter($at.gt(at).or($at.eq(at).and($id.gt(id))))
                .order(($at.asc(), $id.asc()))
                .load($c),
        }
    };
}
pub(crate) use load_as_made;

/// Which page is asked for.
#[derive(Clone)]
pub struct Paging {
    limit: i64,
    cursor: Option<String>,
    count: bool,
    scope: String,
    doors: Arc<Doors>,
}

/// A sort order: the column's own enum, and whether it is turned round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort<C> {
    /// By what.
    pub by: C,
    /// From the end.
    pub descending: bool,
}

impl Paging {
    /// From the query's parameters; `scope` names the caller and the rest of the query.
    #[must_use]
    pub fn new(
        doors: Arc<Doors>,
        scope: String,
        limit: Option<i64>,
        cursor: Option<String>,
        count: Option<Count>,
    ) -> Self {
        let limit = limit.unwrap_or(DEFAULT_LIMIT).clamp(1, LARGEST_LIMIT);
        Self { limit, cursor, count: count.is_some(), scope, doors }
    }

    /// How many rows to fetch: one more than the page holds tells whether there is another.
    #[must_use]
    pub fn fetch(&self) -> i64 {
        self.limit + 1
    }

    /// Whether the rows are to be counted.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.count
    }

    /// Whether the cursor, if there is one, was given to this caller for this query.
    ///
    /// # Errors
    /// `invalid_cursor`.
    pub fn check(&self) -> Result<()> {
        self.place().map(|_| ())
    }

    /// The place after which the page begins, `keys` texts.
    ///
    /// # Errors
    /// `invalid_cursor` for one of another caller, another query, or none of ours.
    pub fn after(&self, keys: usize) -> Result<Option<Cursor>> {
        match self.place()? {
            Some(place) if place.len() != keys => Err(AppError::new(Code::InvalidCursor)),
            place => Ok(place),
        }
    }

    /// The place of a row by its day and its id.
    ///
    /// # Errors
    /// As [`Paging::after`].
    pub fn after_day<T>(&self) -> Result<Option<(NaiveDate, Id<T>)>> {
        let Some(place) = self.after(2)? else { return Ok(None) };
        let [day, id] = place.as_slice() else { return Err(AppError::new(Code::InvalidCursor)) };
        let place = day.parse().ok().zip(Id::parse(id));
        place.map(Some).ok_or_else(|| AppError::new(Code::InvalidCursor))
    }

    /// The place of a row by the moment it was made and its id: clients may choose ids, so ids alone do not tell.
    ///
    /// # Errors
    /// As [`Paging::after`].
    pub fn after_made<T>(&self) -> Result<Option<(Instant, Id<T>)>> {
        let Some(place) = self.after(2)? else { return Ok(None) };
        let [at, id] = place.as_slice() else { return Err(AppError::new(Code::InvalidCursor)) };
        let place = at.parse().ok().map(Instant::from_micros).zip(Id::parse(id));
        place.map(Some).ok_or_else(|| AppError::new(Code::InvalidCursor))
    }

    fn place(&self) -> Result<Option<Cursor>> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let invalid = || AppError::new(Code::InvalidCursor);
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
        let (seal, place) = bytes.split_at_checked(SEAL_BYTES).ok_or_else(invalid)?;
        let good = aws_lc_rs::constant_time::verify_slices_are_equal(seal, &self.seal(place));
        good.map_err(|_| invalid())?;
        serde_json::from_slice(place).map(Some).map_err(|_| invalid())
    }

    /// Makes the page of the rows fetched.
    #[must_use]
    pub fn page<R>(&self, mut rows: Vec<R>, total: Option<i64>, place: impl Fn(&R) -> Cursor) -> Page<R> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|last| {
            let place = serde_json::to_vec(&place(last)).unwrap_or_default();
            let mut bytes = self.seal(&place).to_vec();
            bytes.extend_from_slice(&place);
            URL_SAFE_NO_PAD.encode(bytes)
        });
        Page { items: rows, next_cursor, total }
    }

    fn seal(&self, place: &[u8]) -> [u8; SEAL_BYTES] {
        let whole = self.doors.keys().seal("cursor", &[self.scope.as_bytes(), place]);
        let mut seal = [0; SEAL_BYTES];
        for (to, from) in seal.iter_mut().zip(whole) {
            *to = from;
        }
        seal
    }
}
