//! Use cases on progress.

use std::fmt::Debug;

use chrono::NaiveDate;

use super::rules::Figures;
use super::store;
use crate::access::policy::{Action, Effect, ProgressRead};
use crate::access::{About, EffectTx, Reach, Source, Tx, ancestors};
use crate::campaigns::campaign::service as campaigns;
use crate::campaigns::rules::CampaignId;
use crate::errors::{AppError, Code, Result};
use crate::org::rules::{Unit, UnitId, UnitStatus};
use crate::org::service as org;

/// The unit whose figures are asked for: the one named, else the one at the top of what the caller
/// reaches.
///
/// # Errors
/// `not_found`.
pub fn unit_asked<A: Action>(tx: &mut Tx<'_, A>, named: Option<UnitId>) -> Result<Unit> {
    let found = if let Some(id) = named {
        org::reached(tx, id)?
    } else {
        let top = top_of(tx.reach());
        org::at_paths(tx, top.as_slice())?.pop()
    };
    found.ok_or_else(|| AppError::new(Code::NotFound))
}

fn top_of(reach: &Reach) -> Option<String> {
    let lows = reach.ranges.iter().map(|range| &range.low);
    lows.min_by_key(|low| (low.len(), low.as_str())).cloned()
}

/// The figures of a unit and of those directly under it, on a day; today when it is not said.
#[derive(Debug)]
pub struct Progress {
    /// The day.
    pub on: NaiveDate,
    /// The unit.
    pub unit: (Unit, Figures),
    /// Those directly under it that work or have something to show.
    pub below: Vec<(Unit, Figures)>,
}

/// Whose progress is asked for.
#[derive(Debug)]
pub struct Asked {
    campaign: CampaignId,
    unit: Unit,
    on: NaiveDate,
}

impl Asked {
    /// What the figures tell of.
    #[must_use]
    pub fn about(&self) -> About<'_, impl Debug + use<>> {
        let asked = (self.campaign, self.unit.id, self.on);
        About { below: &self.unit.path, asked, of: [Source::UNITS, Source::progress(self.campaign)] }
    }
}

/// The progress of a campaign at a unit, on a day; today when it is not said.
///
/// # Errors
/// `not_found` for the campaign or the unit.
pub fn asked(
    tx: &mut Tx<'_, ProgressRead>,
    campaign: CampaignId,
    unit: Option<UnitId>,
    on: Option<NaiveDate>,
) -> Result<Asked> {
    campaigns::standing(tx, campaign)?;
    let on = on.unwrap_or_else(|| tx.now().shanghai_day());
    Ok(Asked { campaign, unit: unit_asked(tx, unit)?, on })
}

/// How far a campaign is at a unit and directly below it.
///
/// # Errors
/// When the database fails.
pub fn progress(tx: &mut Tx<'_, ProgressRead>, asked: &Asked) -> Result<Progress> {
    let (unit, on, campaign) = (asked.unit.clone(), asked.on, asked.campaign);
    let under = org::directly_under(tx, unit.id)?;
    let paths: Vec<String> = [&unit].into_iter().chain(&under).map(|unit| unit.path.clone()).collect();
    let mut sums = store::sums(tx, campaign, &paths, on)?;
    let mut figures = |unit: &Unit| Figures::from(sums.remove(&unit.path).unwrap_or_default());
    let own = figures(&unit);
    let below = under.into_iter().map(|unit| (figures(&unit), unit)).map(|(figures, unit)| (unit, figures));
    let below = below.filter(|(unit, figures)| unit.status == UnitStatus::Active || figures.total > 0);
    Ok(Progress { on, unit: (unit, own), below: below.collect() })
}

/// Adds to counters: of which campaign, at which unit, due when, how many more, how many more done.
///
/// # Errors
/// When the database fails.
pub fn add<E: Effect>(tx: &mut EffectTx<'_, E>, added: Vec<store::Added>) -> Result<()> {
    store::add(tx, added)
}

/// Counts a moved subtree at the units above its new place, and no more at those above its old one.
///
/// # Errors
/// When the database fails.
pub fn moved<E: Effect>(tx: &mut EffectTx<'_, E>, from: &str, to: &str) -> Result<()> {
    let (old, new) = (ancestors(from), ancestors(to));
    let counted = store::at(tx, from)?;
    let mut added = Vec::new();
    for (campaign, one) in counted {
        let row = |path: &String, sign: i64| {
            (campaign, path.clone(), one.due_on, one.total * sign, one.done * sign)
        };
        added.extend(old.iter().filter(|path| !new.contains(path)).map(|path| row(path, -1)));
        added.extend(new.iter().filter(|path| !old.contains(path)).map(|path| row(path, 1)));
    }
    store::follow(tx, from, to)?;
    store::add(tx, added)
}
