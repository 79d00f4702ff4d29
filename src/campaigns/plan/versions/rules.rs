//! What a version is, and what is in hand of a plan.

use crate::access::UserId;
use crate::campaigns::plan::rules::{Plan, PlanContent, PlanState, SubmittedAs};
use crate::campaigns::rules::PlanId;
use crate::db::{Id, Instant, text_enum};

/// Marks the identifier of a version.
#[derive(Debug)]
pub struct VersionEntity;
/// The identifier of a version of a plan; the first version's is the plan's own.
pub type VersionId = Id<VersionEntity>;

text_enum! {
    /// The state of a version of a plan.
    VersionState as "version_state" {
        Draft = "draft", "草稿", "Draft", grey;
        Submitted = "submitted", "待批", "Submitted", orange;
        Returned = "returned", "已退回", "Returned", red;
        Approved = "approved", "已批准", "Approved", blue;
        InForce = "in_force", "生效", "In force", green;
        Superseded = "superseded", "已被取代", "Superseded", grey;
        Withdrawn = "withdrawn", "已撤回", "Withdrawn", grey;
    }
}

impl VersionState {
    /// The state of a version that is a plan before its publication, or the only one after it.
    #[must_use]
    pub const fn of_plan(state: PlanState) -> Self {
        match state {
            PlanState::Draft => Self::Draft,
            PlanState::Submitted => Self::Submitted,
            PlanState::Returned => Self::Returned,
            PlanState::Approved => Self::Approved,
            PlanState::Published | PlanState::Running | PlanState::Concluding | PlanState::Closed => {
                Self::InForce
            }
            PlanState::Withdrawn => Self::Withdrawn,
        }
    }

    /// The state of what is in hand; none when it is in hand no more.
    #[must_use]
    pub const fn in_hand(self) -> Option<PlanState> {
        match self {
            Self::Draft => Some(PlanState::Draft),
            Self::Submitted => Some(PlanState::Submitted),
            Self::Returned => Some(PlanState::Returned),
            Self::Approved => Some(PlanState::Approved),
            Self::InForce | Self::Superseded | Self::Withdrawn => None,
        }
    }

    /// Whether units below see it.
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, Self::InForce | Self::Superseded)
    }
}

/// What is being written, decided on or published: the plan itself the first time, an amendment later.
#[derive(Debug, Clone)]
pub struct Hand {
    /// The version's number.
    pub number: i32,
    /// How far it is.
    pub state: PlanState,
    /// Why it was returned last.
    pub return_comment: Option<String>,
    /// What was said when it was approved.
    pub approval_comment: Option<String>,
    /// When it was submitted last.
    pub submitted_at: Option<Instant>,
    /// In which quality.
    pub submitted_as: Option<SubmittedAs>,
    /// When it was approved or returned last.
    pub decided_at: Option<Instant>,
    /// By whom.
    pub decided_by: Option<UserId>,
    /// Whether the plan above was amended since this was compared with it.
    pub parent_amended: bool,
}

impl Hand {
    /// What is in hand of a plan without an amendment: itself.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        Self {
            number: plan.number,
            state: plan.state,
            return_comment: plan.return_comment.clone(),
            approval_comment: plan.approval_comment.clone(),
            submitted_at: plan.submitted_at,
            submitted_as: plan.submitted_as,
            decided_at: plan.decided_at,
            decided_by: plan.decided_by,
            parent_amended: plan.parent_amended,
        }
    }
}

/// A version of a plan.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its identifier.
    pub id: VersionId,
    /// The plan.
    pub plan_id: PlanId,
    /// How far it is.
    pub state: VersionState,
    /// Why the plan was amended; none for the first.
    pub reason: Option<String>,
    /// Its handling; its number.
    pub hand: Hand,
    /// When it came into force.
    pub published_at: Option<Instant>,
    /// By whom it was begun; none for what was begun before versions were kept.
    pub created_by: Option<UserId>,
    /// When it was begun.
    pub created_at: Instant,
    /// What it says.
    pub content: PlanContent,
}
