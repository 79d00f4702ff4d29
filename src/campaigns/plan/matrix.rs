//! The matrix of children: which unit of a campaign is how far with its plan, at a glance.

use std::collections::BTreeMap;
use std::fmt::Debug;

use chrono::NaiveDate;

use super::matrix_store::{self as store, Row};
use super::rules::PlanState;
use crate::access::policy::PlanRead;
use crate::access::{About, Source, Tx};
use crate::campaigns::campaign::rules::Campaign;
use crate::campaigns::campaign::service as campaigns;
use crate::campaigns::rules::{CampaignId, PlanId};
use crate::errors::{AppError, Code, Result};
use crate::org::rules::{Unit, UnitId, UnitKind};
use crate::org::service as org;

/// How many units are how far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Units in all.
    pub units: usize,
    /// Of them by the state of their plan; none: without one.
    pub states: BTreeMap<Option<PlanState>, usize>,
    /// Those whose plan was due and is not in force.
    pub overdue: usize,
}

impl Tally {
    fn add(&mut self, state: Option<PlanState>, is_overdue: bool) {
        self.units += 1;
        *self.states.entry(state).or_default() += 1;
        self.overdue += usize::from(is_overdue);
    }
}

/// A unit's plan, as far as the matrix shows it.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// The plan.
    pub id: PlanId,
    /// Its state.
    pub state: PlanState,
    /// Its version.
    pub version: i64,
}

/// A unit directly below the one looked at, with everything below it.
#[derive(Debug, Clone)]
pub struct Branch {
    /// The unit's id.
    pub unit_id: UnitId,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: UnitKind,
    /// Its plan.
    pub plan: Option<Standing>,
    /// Whether that was due and is not in force.
    pub is_overdue: bool,
    /// How far the units below it are.
    pub below: Tally,
    path: String,
}

/// The whole of it.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// Whose units are looked at.
    pub unit: Unit,
    /// The day by which plans are due: the last of the campaign's first phase.
    pub due_on: Option<NaiveDate>,
    /// By the kind of unit, superiors first.
    pub levels: Vec<(UnitKind, Tally)>,
    /// The units directly below, in the order of the tree.
    pub branches: Vec<Branch>,
}

/// Which matrix is asked for.
#[derive(Debug)]
pub struct Asked {
    campaign: CampaignId,
    version: i64,
    unit: Unit,
    today: NaiveDate,
}

impl Asked {
    /// What the matrix tells of.
    #[must_use]
    pub fn about(&self) -> About<'_, impl Debug + use<>> {
        let asked = (self.campaign, self.version, self.unit.id, self.today);
        About { below: &self.unit.path, asked, of: [Source::UNITS, Source::plans(self.campaign)] }
    }
}

/// The matrix of a campaign below a unit; the one that runs it, when none is named.
///
/// # Errors
/// `not_found` for a campaign or unit that the caller cannot read.
pub fn asked(tx: &mut Tx<'_, PlanRead>, campaign: CampaignId, unit: Option<UnitId>) -> Result<Asked> {
    let (runs, version) = campaigns::standing(tx, campaign)?;
    let unit = match unit {
        Some(id) => org::readable(tx, id)?,
        None => org::referred(tx, &[runs])?.pop(),
    };
    let unit = unit.ok_or_else(|| AppError::new(Code::NotFound))?;
    Ok(Asked { campaign, version, unit, today: tx.now().shanghai_day() })
}

/// The matrix, within the caller's reach: what is beyond is not counted.
///
/// # Errors
/// When the database fails.
pub fn matrix(tx: &mut Tx<'_, PlanRead>, asked: &Asked) -> Result<Matrix> {
    let (unit, today) = (asked.unit.clone(), asked.today);
    let campaign = campaigns::of(tx, asked.campaign)?;
    let rows = store::rows(tx, &campaign, &unit.path)?;
    let due_on = campaign.plans_due_on();
    let (levels, branches) = laid_out(rows, &campaign, &unit, due_on.is_some_and(|due_on| due_on < today));
    Ok(Matrix { unit, due_on, levels, branches })
}

/// Rows in the order of the tree, laid out by level and by branch.
fn laid_out(
    rows: Vec<Row>,
    campaign: &Campaign,
    unit: &Unit,
    is_past_due: bool,
) -> (Vec<(UnitKind, Tally)>, Vec<Branch>) {
    let mut levels: BTreeMap<usize, (UnitKind, Tally)> = BTreeMap::new();
    let mut branches: Vec<Branch> = Vec::new();
    for row in rows {
        if row.unit_id == unit.id || !campaign.concerns(row.unit_id, row.kind, &row.path) {
            continue;
        }
        let state = row.plan.map(|plan| plan.state);
        let is_overdue = is_past_due && !state.is_some_and(PlanState::is_in_force);
        let depth = UnitKind::ALL.iter().position(|kind| *kind == row.kind).unwrap_or_default();
        let (_, level) = levels.entry(depth).or_insert_with(|| (row.kind, Tally::default()));
        level.add(state, is_overdue);
        match branches.last_mut().filter(|branch| row.path.starts_with(&branch.path)) {
            Some(branch) => branch.below.add(state, is_overdue),
            None => branches.push(Branch {
                unit_id: row.unit_id,
                code: row.code,
                name: row.name,
                kind: row.kind,
                plan: row.plan,
                is_overdue,
                below: Tally::default(),
                path: row.path,
            }),
        }
    }
    (levels.into_values().collect(), branches)
}
