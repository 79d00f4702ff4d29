//! What a phone tells when it is back: each thing done by itself, by the same rules and rights as alone.
//!
//! Every one bears an id that the phone chose, and doing it again changes nothing: whoever was cut off sends the whole again.

use std::collections::HashMap;

use crate::access::Gate;
use crate::access::policy::{CheckAddendum, CheckCreate, CheckRecordSet, CheckSync};
use crate::errors::{AppError, Code, Kind, Place, Result};
use crate::inspections::attachments::rules::AttachmentId;
use crate::inspections::checks::awaited::Photos;
use crate::inspections::checks::rules::{AddendumId, Check, CheckId, CheckRecord, CheckState};
use crate::inspections::checks::service::{self as checks, NewCheck};
use crate::inspections::checks::transitions;

/// How often what another request does at the same time is tried again.
const TURNS: usize = 4;

/// One of the things a phone has to tell.
#[derive(Debug, Clone)]
pub enum Item {
    /// A check was begun, and maybe recorded.
    Check(Box<NewCheck>),
    /// A check was recorded.
    Record(CheckId, Box<CheckRecord>),
    /// Something was added to a record.
    Addendum(CheckId, AddendumId, String, Vec<AttachmentId>),
}

impl Item {
    /// What has to be there before it: a check before its record, that before what is added to it.
    const fn turn(&self) -> u8 {
        match self {
            Self::Check(_) => 0,
            Self::Record(..) => 1,
            Self::Addendum(..) => 2,
        }
    }

    /// Where its fields stand in an item of the body.
    const fn pointer(&self) -> &'static str {
        match self {
            Self::Check(_) => "check",
            Self::Record(..) => "record/record",
            Self::Addendum(..) => "addendum",
        }
    }

    /// The check it is about.
    const fn check(&self) -> Option<CheckId> {
        match self {
            Self::Check(new) => new.id,
            Self::Record(check, _) | Self::Addendum(check, ..) => Some(*check),
        }
    }
}

/// What the check of an item has become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Became {
    /// Whether the item has made something new.
    pub made: bool,
    /// Its state.
    pub state: CheckState,
    /// Its version.
    pub version: i64,
    /// The photos that are still to come.
    pub awaited: Vec<AttachmentId>,
}

/// Why an item was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The code.
    pub code: Code,
    /// What is wrong where in the body.
    pub fields: Vec<(String, Code)>,
}

/// What has come of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The check it is about.
    pub check: Option<CheckId>,
    /// What that has become, or why it was refused.
    pub result: std::result::Result<Became, Refused>,
}

fn became(check: Check, made: bool, today: chrono::NaiveDate) -> Became {
    Became { made, state: check.state_on(today), version: check.version, awaited: check.awaited }
}

/// Does an item. What meets the same item of another request, sent before and still being done, is done again: it finds there what
/// that one has made.
async fn done(gate: &Gate<CheckSync>, item: Item) -> Result<Became> {
    for _ in 1..TURNS {
        match tried(gate, item.clone()).await {
            Err(error) if error.code() == Code::ConcurrentChange => {}
            outcome => return outcome,
        }
    }
    match tried(gate, item).await {
        Err(error) if error.code() == Code::ConcurrentChange => Err(AppError::unavailable(1, error)),
        outcome => outcome,
    }
}

async fn entered(gate: &Gate<CheckSync>, new: NewCheck) -> Result<(Check, bool)> {
    gate.at::<CheckCreate>().step(move |tx| checks::create(tx, &new, Photos::MayFollow)).await
}

async fn recorded(gate: &Gate<CheckSync>, id: CheckId, record: CheckRecord) -> Result<Check> {
    let set = gate.at::<CheckRecordSet>();
    set.step(move |tx| transitions::set_record(tx, id, &record, Photos::MayFollow)).await
}

async fn tried(gate: &Gate<CheckSync>, item: Item) -> Result<Became> {
    let today = gate.facts().now.shanghai_day();
    match item {
        Item::Check(new) => match entered(gate, (*new).clone()).await {
            Err(error) if error.code() == Code::IdTaken => {
                // It may have been told of before it was over.
                let Some(record) = new.record.clone() else { return Err(error) };
                let (check, _) = entered(gate, NewCheck { record: None, ..*new }).await?;
                let check = recorded(gate, check.id, record).await.map_err(|error| error.below("/record"))?;
                Ok(became(check, false, today))
            }
            Err(error) => Err(error),
            Ok((check, existed)) => Ok(became(check, !existed, today)),
        },
        Item::Record(id, record) => Ok(became(recorded(gate, id, *record).await?, false, today)),
        Item::Addendum(check, id, content, shown) => {
            let add = gate.at::<CheckAddendum>();
            let (check, existed) = add
                .step(move |tx| {
                    let said = (content.as_str(), shown.as_slice());
                    transitions::add_addendum(tx, check, Some(id), said, Photos::MayFollow)
                })
                .await?;
            Ok(became(check, !existed, today))
        }
    }
}

/// Does them all, whatever order they came in; what has come of each, in that order.
///
/// # Errors
/// When the service cannot do it just now: some may be done then, and are so when they are sent again.
pub async fn all(gate: &Gate<CheckSync>, items: Vec<Item>) -> Result<Vec<Outcome>> {
    let mut turns: Vec<(usize, Item)> = items.into_iter().enumerate().collect();
    turns.sort_by_key(|(at, item)| (item.turn(), *at));
    let mut outcomes = Vec::with_capacity(turns.len());
    for (at, item) in turns {
        let (check, place) = (item.check(), format!("/items/{at}/{}", item.pointer()));
        let result = match done(gate, item).await {
            Ok(became) => Ok(became),
            Err(error) => Err(refused(error, &place)?),
        };
        outcomes.push((at, Outcome { check, result }));
    }
    // Of a check that several of them are about each tells what it is in the end.
    let last: HashMap<CheckId, Became> = outcomes
        .iter()
        .filter_map(|(_, one)| Some((one.check?, one.result.as_ref().ok()?.clone())))
        .collect();
    for (_, one) in &mut outcomes {
        if let (Some(last), Ok(became)) = (one.check.and_then(|check| last.get(&check)), &mut one.result) {
            *became = Became { made: became.made, ..last.clone() };
        }
    }
    outcomes.sort_by_key(|(at, _)| *at);
    Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
}

/// What an item was refused for; what is no fault of the item's, the whole fails for.
fn refused(error: AppError, place: &str) -> Result<Refused> {
    if matches!(error.code().kind(), Kind::Unavailable | Kind::Internal | Kind::Unauthenticated) {
        return Err(error);
    }
    let field = |error: &crate::errors::FieldError| match &error.place {
        Place::Body(pointer) => Some((format!("{place}{pointer}"), error.code)),
        Place::Query(_) | Place::Header(_) | Place::Row(..) => None,
    };
    Ok(Refused { code: error.code(), fields: error.errors().iter().filter_map(field).collect() })
}
