//! What the caller may do with plans now: what would succeed, guards included.

use std::collections::{HashMap, HashSet};

use super::ballots::{self, rules::Ballot};
use super::cascade::departures;
use super::inflation::Offence;
use super::machine::{Unfinished, keeps_open};
use super::rules::{
    Decider, GroupFacts, Plan, PlanAction, PlanContent, PlanState, SubmittedAs, missing, next,
};
use super::transitions::judged;
use super::versions::{self, rules::Hand};
use super::{author_store, store};
use crate::access::policy::{
    Action, PlanAmend, PlanApprove, PlanClose, PlanComment, PlanConclude, PlanPublish, PlanReturn,
    PlanSubmit, PlanUpdate, PlanVote, PlanWithdraw,
};
use crate::access::{Held, Reach, Role, Tx, ancestors, holders};
use crate::campaigns::campaign::service as campaign_service;
use crate::campaigns::rules::PlanId;
use crate::campaigns::tasks;
use crate::errors::{AppError, Code, FieldError, Result, text};
use crate::org::rules::UnitId;
use crate::org::stand_ins::service::{self as stand_ins, Signing};

/// What keeps a plan from being submitted: what is missing, and what departs from the plan above; none
/// when nothing does.
///
/// # Errors
/// When the database fails: what keeps it is the answer.
pub(super) fn what_keeps<A: Action>(
    tx: &mut Tx<'_, A>,
    plan: &Plan,
    content: &PlanContent,
) -> Result<Option<AppError>> {
    if let Some(parent) = plan.parent_plan_id {
        let above = store::find(tx, &Reach::whole_tenant(), parent)?;
        if !above.is_some_and(|above| above.state.is_in_force()) {
            return Ok(Some(AppError::new(Code::ParentPlanNotPublished)));
        }
    }
    let group = campaign_service::group_of(tx, plan.campaign_id)?.content;
    let group = GroupFacts {
        head: group.head_user_id.is_some(),
        office: group.office_unit_id.is_some(),
        members: group.members.len(),
    };
    let mut errors = missing(content, group);
    if ballots::service::voters(tx, plan)?.is_some_and(|members| members.is_empty()) {
        let detail = text!(
            "成员须表决, 但没有可以表决的成员 (编制人不表决)",
            "Members are to vote, and there is none who may (authors do not)"
        );
        errors.push(FieldError::body("/leading_group/members", Code::TooFew, detail));
    }
    let code = if errors.is_empty() { Code::DownstreamInflation } else { Code::PlanIncomplete };
    errors.extend(departures(tx, plan, &content.tasks)?.iter().map(Offence::error));
    Ok((!errors.is_empty()).then(|| AppError::fields(code, errors)))
}

/// In which quality the caller can submit a plan: for the office bound at its unit, or as its head or
/// in the head's stead, for which the binding alone is not enough (domain.md §4).
pub(super) fn submits_as<A: Action>(
    tx: &Tx<'_, A>,
    plan: &Plan,
    signs: &[(UnitId, Signing)],
) -> Option<SubmittedAs> {
    let is_office = |held: &Held| held.role == Role::GroupOffice && held.unit_path == plan.unit_path;
    if tx.held().iter().any(is_office) {
        return Some(SubmittedAs::Office);
    }
    signs.iter().find(|(unit, _)| *unit == plan.unit_id).map(|(_, signing)| match signing {
        Signing::Head => SubmittedAs::Head,
        Signing::StandIn => SubmittedAs::StandIn,
    })
}

/// Of which of the plans the caller is an author, as far as they are in hand.
pub(super) fn authored_by_caller<'p, A: Action>(
    tx: &mut Tx<'_, A>,
    plans: impl IntoIterator<Item = &'p Plan>,
) -> Result<HashSet<PlanId>> {
    let user = tx.user()?;
    let plans: Vec<(PlanId, i32)> = plans.into_iter().map(|plan| (plan.id, plan.number_in_hand())).collect();
    let ids: Vec<PlanId> = plans.iter().map(|(id, _)| *id).collect();
    let authored = author_store::authored(tx, &ids, user)?;
    Ok(plans.into_iter().filter(|one| authored.contains(one)).map(|(id, _)| id).collect())
}

pub(super) fn heads_above<'a, A: Action>(
    tx: &mut Tx<'_, A>,
    paths: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<String>> {
    let mut wanted: Vec<String> = Vec::new();
    for path in paths {
        wanted.extend(ancestors(path));
        wanted.push(path.to_owned());
    }
    wanted.sort_unstable();
    wanted.dedup();
    holders::held_at(tx, Role::GroupHead, &wanted)
}

pub(super) fn my_headships<A: Action>(tx: &Tx<'_, A>) -> Vec<String> {
    tx.held().iter().filter(|held| held.role == Role::GroupHead).map(|held| held.unit_path.clone()).collect()
}

/// What keeps those of the plans open that are being summed up: what the plan above, itself in force, asks for.
/// There is no ledger of findings yet, so none is open.
pub(super) fn unfinished<A: Action>(
    tx: &mut Tx<'_, A>,
    plans: &[&Plan],
) -> Result<HashMap<PlanId, Unfinished>> {
    let concluding = || plans.iter().filter(|plan| plan.state == PlanState::Concluding);
    let above: Vec<PlanId> = concluding().filter_map(|plan| plan.parent_plan_id).collect();
    if above.is_empty() {
        return Ok(HashMap::new());
    }
    let above = store::find_many(tx, &Reach::whole_tenant(), &above)?;
    let in_force = |id: PlanId| above.iter().any(|plan| plan.id == id && plan.state.is_in_force());
    let asked: Vec<PlanId> =
        concluding().filter(|plan| plan.parent_plan_id.is_some_and(in_force)).map(|plan| plan.id).collect();
    let open = tasks::service::open_answers(tx, &asked)?;
    Ok(open
        .into_iter()
        .map(|(id, count)| {
            let asked_from_above = count.try_into().unwrap_or_default();
            (id, Unfinished { asked_from_above, ..Unfinished::default() })
        })
        .collect())
}

/// What the caller may do with each of the plans now: what would succeed, guards included.
///
/// # Errors
/// When the database fails.
pub fn allowed<A: Action>(tx: &mut Tx<'_, A>, plans: &[Plan]) -> Result<HashMap<PlanId, Vec<PlanAction>>> {
    let submittable: Vec<&Plan> = plans
        .iter()
        .filter(|plan| {
            next(plan.standing(), PlanAction::Submit).is_ok() && tx.may::<PlanSubmit>(&plan.unit_path)
        })
        .collect();
    let signs = if submittable.is_empty() { Vec::new() } else { stand_ins::signs_for(tx)? };
    let mut complete: HashSet<PlanId> = HashSet::new();
    for plan in submittable {
        // Those are the plans of the caller's own units: a handful.
        if submits_as(tx, plan, &signs).is_some() {
            let (_, content) = versions::in_hand(tx, plan)?;
            if what_keeps(tx, plan, &content)?.is_none() {
                complete.insert(plan.id);
            }
        }
    }
    let decisions = Decisions::load(tx, plans)?;
    let closable: Vec<&Plan> = plans.iter().filter(|plan| tx.may::<PlanClose>(&plan.unit_path)).collect();
    let unfinished = unfinished(tx, &closable)?;
    let is_finished =
        |plan: &Plan| unfinished.get(&plan.id).is_none_or(|found| keeps_open(*found).is_empty());
    let is_allowed = |tx: &Tx<'_, A>, plan: &Plan, action: PlanAction| match action {
        PlanAction::Update => tx.may::<PlanUpdate>(&plan.unit_path),
        PlanAction::Submit => complete.contains(&plan.id),
        PlanAction::Approve => tx.may::<PlanApprove>(&plan.unit_path) && decisions.allow(plan, action),
        PlanAction::Return => tx.may::<PlanReturn>(&plan.unit_path) && decisions.allow(plan, action),
        PlanAction::Vote => tx.may::<PlanVote>(&plan.unit_path) && decisions.may_vote(plan),
        PlanAction::Publish => tx.may::<PlanPublish>(&plan.unit_path),
        PlanAction::Amend => tx.may::<PlanAmend>(&plan.unit_path),
        PlanAction::Withdraw => tx.may::<PlanWithdraw>(&plan.unit_path),
        PlanAction::Conclude => tx.may::<PlanConclude>(&plan.unit_path),
        PlanAction::Close => tx.may::<PlanClose>(&plan.unit_path) && is_finished(plan),
        PlanAction::Comment => tx.may::<PlanComment>(&plan.unit_path),
    };
    Ok(plans
        .iter()
        .map(|plan| {
            let possible =
                PlanAction::ALL.iter().copied().filter(|action| next(plan.standing(), *action).is_ok());
            (plan.id, possible.filter(|action| is_allowed(tx, plan, *action)).collect())
        })
        .collect())
}

/// What is known of those of the plans that wait for a decision.
#[derive(Default)]
struct Decisions {
    heads: Vec<String>,
    mine: Vec<String>,
    authored: HashSet<PlanId>,
    hands: HashMap<PlanId, Hand>,
    ballots: HashMap<PlanId, Ballot>,
    /// Where the caller is asked to vote and has not.
    asked: HashSet<PlanId>,
}

impl Decisions {
    fn load<A: Action>(tx: &mut Tx<'_, A>, plans: &[Plan]) -> Result<Self> {
        let concerned: Vec<&Plan> = plans
            .iter()
            .filter(|plan| plan.standing().in_hand() == PlanState::Submitted)
            .filter(|plan| tx.may::<PlanApprove>(&plan.unit_path) || tx.may::<PlanVote>(&plan.unit_path))
            .collect();
        if concerned.is_empty() {
            return Ok(Self::default());
        }
        let ids: Vec<PlanId> = concerned.iter().map(|plan| plan.id).collect();
        Ok(Self {
            heads: heads_above(tx, concerned.iter().map(|plan| plan.unit_path.as_str()))?,
            mine: my_headships(tx),
            authored: authored_by_caller(tx, concerned.iter().copied())?,
            hands: versions::in_hands(tx, concerned)?,
            ballots: ballots::service::under_way(tx, &ids)?,
            asked: ballots::service::asked(tx, &ids)?,
        })
    }

    fn allow(&self, plan: &Plan, action: PlanAction) -> bool {
        let decider =
            Decider { heads: &self.heads, mine: &self.mine, is_author: self.authored.contains(&plan.id) };
        let ballot = self.ballots.get(&plan.id);
        self.hands.get(&plan.id).is_some_and(|hand| judged(plan, hand, action, decider, ballot).is_ok())
    }

    fn may_vote(&self, plan: &Plan) -> bool {
        self.asked.contains(&plan.id) && !self.authored.contains(&plan.id)
    }
}

/// Plans told of one kind of what waits, at most, and as many looked through at a time.
const MOST_AWAITED: i64 = 500;

/// Those of the plans in these states of which one of these actions is the caller's to do now. Of a plan that
/// another decides on nothing waits here: they are passed over until as many are found as are told at most.
fn awaiting<A: Action>(
    tx: &mut Tx<'_, A>,
    reach: &Reach,
    states: &[PlanState],
    wanted: &[PlanAction],
) -> Result<Vec<(PlanAction, Plan)>> {
    let most = usize::try_from(MOST_AWAITED).unwrap_or(usize::MAX);
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let plans = store::in_states(tx, reach, states, (after, MOST_AWAITED))?;
        let is_last = plans.len() < most;
        after = plans.last().map(|plan| (plan.updated_at, plan.id));
        let allowed = allowed(tx, &plans)?;
        let first = |plan: &Plan| {
            let may = allowed.get(&plan.id)?;
            wanted.iter().copied().find(|action| may.contains(action))
        };
        found.extend(plans.into_iter().filter_map(|plan| Some((first(&plan)?, plan))));
        if is_last || found.len() >= most {
            found.truncate(most);
            return Ok(found);
        }
    }
}

/// The plans that wait for the caller, each with what it waits for: to be written and submitted, to be
/// decided on, to be voted on, to be published, each amended or not.
///
/// # Errors
/// When the database fails.
pub fn awaited<A: Action>(tx: &mut Tx<'_, A>) -> Result<Vec<(PlanAction, Plan)>> {
    use PlanState::{Approved, Draft, Returned, Submitted};
    let asked: [(&[PlanAction], Option<Reach>, &[PlanState]); 4] = [
        (&[PlanAction::Update], tx.reach_of::<PlanUpdate>(), &[Draft, Returned]),
        (&[PlanAction::Approve, PlanAction::Return], tx.reach_of::<PlanApprove>(), &[Submitted]),
        (&[PlanAction::Vote], tx.reach_of::<PlanVote>(), &[Submitted]),
        (&[PlanAction::Publish], tx.reach_of::<PlanPublish>(), &[Approved]),
    ];
    let mut found = Vec::new();
    for (actions, reach, states) in asked {
        let Some(reach) = reach else { continue };
        found.extend(awaiting(tx, &reach, states, actions)?);
    }
    // While members still vote, it is they who are waited for; what can only be sent back is the head's.
    let voted_on: Vec<PlanId> =
        found.iter().filter(|(action, _)| *action == PlanAction::Return).map(|(_, plan)| plan.id).collect();
    let ballots = ballots::service::under_way(tx, &voted_on)?;
    found.retain(|(action, plan)| {
        *action != PlanAction::Return
            || ballots.get(&plan.id).is_none_or(|ballot| ballot.cast() >= ballot.members)
    });
    if let Some(reach) = tx.reach_of::<PlanAmend>() {
        // What stands under a plan that was amended is to be compared with it, as soon as it is in force.
        let told = store::told_of_parents(tx, &reach, MOST_AWAITED)?;
        let open = |plan: &Plan| next(plan.standing(), PlanAction::Amend).is_ok();
        found.extend(told.into_iter().filter(open).map(|plan| (PlanAction::Amend, plan)));
    }
    Ok(found)
}
