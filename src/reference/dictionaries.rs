//! Every enum of the interface with its labels. A test compares this list with the document: an enum
//! that is missing here fails it.

use crate::access::Role;
use crate::access::accounts::bindings::rules::{BindingAction, BindingStatus};
use crate::access::accounts::rules::{SessionEndReason, UserAction, UserStatus};
use crate::audit::verify::FaultKind;
use crate::campaigns::clearing::rules::{ClearingState, EntryAction};
use crate::campaigns::plan::ballots::rules::VoteChoice;
use crate::campaigns::plan::comments::rules::CommentAction;
use crate::campaigns::plan::inflation::InflationKind;
use crate::campaigns::plan::rules::{PlanAction, PlanState, SubmittedAs};
use crate::campaigns::plan::versions::{PlanField, TaskChange, TaskField, rules::VersionState};
use crate::campaigns::rules::{CampaignAction, CampaignState, Frequency, ResponsibleExtent, TargetDirection};
use crate::campaigns::tasks::rules::{AssignmentAction, AssignmentState};
use crate::db::{Dictionary, Entry};
use crate::events::kinds::EventKind;
use crate::imports::{TableFormat, TextEncoding};
use crate::inspections::attachments::rules::{AttachmentPlace, MediaType, ParentKind, Variant};
use crate::inspections::authorisations::rules::{AuthorisationAction, AuthorisationState, CheckKind};
use crate::inspections::candidates::rules::CandidateState;
use crate::inspections::checklists::items::{AnswerType, EvidenceRule};
use crate::inspections::checklists::rules::{ChecklistAction, ChecklistState};
use crate::inspections::checklists::templates::ChecklistTemplate;
use crate::inspections::checks::rules::{CheckAction, CheckState, Datum, ObjectionOutcome};
use crate::inspections::conflicts::rules::{ConflictAction, ConflictKind, ConflictState};
use crate::inspections::offline::bundle::OfflineKind;
use crate::jobs::rules::{JobAction, JobKind, JobState};
use crate::org::calendar::rules::{CalendarChangeKind, DayKind};
use crate::org::changes::rules::{UnitAction, UnitChange};
use crate::org::officers::rules::{OfficerAction, OfficerKind, OfficerStatus, PoliceRank};
use crate::org::posts::rules::{PostAction, PostKind};
use crate::org::rules::{ProvinceStatus, UnitKind, UnitStatus};
use crate::org::settings::rules::Setting;
use crate::org::stand_ins::rules::StandInAction;
use crate::rates::RateExclusion;
use crate::waiting::service::WaitingKind;

/// A dictionary: its name and its entries in order.
#[derive(Debug, Clone, Copy)]
pub struct Listed {
    /// The name.
    pub name: &'static str,
    /// The entries.
    pub entries: &'static [Entry],
}

const fn of<D: Dictionary>() -> Listed {
    Listed { name: D::NAME, entries: D::ENTRIES }
}

/// Every dictionary.
pub const ALL: &[Listed] = &[
    of::<EventKind>(),
    of::<Role>(),
    of::<UserStatus>(),
    of::<UserAction>(),
    of::<BindingStatus>(),
    of::<BindingAction>(),
    of::<SessionEndReason>(),
    of::<ProvinceStatus>(),
    of::<UnitKind>(),
    of::<UnitStatus>(),
    of::<UnitChange>(),
    of::<UnitAction>(),
    of::<OfficerKind>(),
    of::<PoliceRank>(),
    of::<OfficerStatus>(),
    of::<OfficerAction>(),
    of::<PostKind>(),
    of::<PostAction>(),
    of::<StandInAction>(),
    of::<DayKind>(),
    of::<CalendarChangeKind>(),
    of::<Setting>(),
    of::<CampaignState>(),
    of::<CampaignAction>(),
    of::<FaultKind>(),
    of::<PlanState>(),
    of::<PlanAction>(),
    of::<SubmittedAs>(),
    of::<InflationKind>(),
    of::<VersionState>(),
    of::<PlanField>(),
    of::<TaskField>(),
    of::<TaskChange>(),
    of::<VoteChoice>(),
    of::<CommentAction>(),
    of::<WaitingKind>(),
    of::<Frequency>(),
    of::<TargetDirection>(),
    of::<ResponsibleExtent>(),
    of::<AssignmentState>(),
    of::<AssignmentAction>(),
    of::<EntryAction>(),
    of::<ClearingState>(),
    of::<ChecklistState>(),
    of::<ChecklistAction>(),
    of::<ChecklistTemplate>(),
    of::<AnswerType>(),
    of::<EvidenceRule>(),
    of::<CheckKind>(),
    of::<OfflineKind>(),
    of::<AuthorisationState>(),
    of::<AuthorisationAction>(),
    of::<ConflictKind>(),
    of::<ConflictState>(),
    of::<ConflictAction>(),
    of::<CheckState>(),
    of::<CheckAction>(),
    of::<Datum>(),
    of::<MediaType>(),
    of::<Variant>(),
    of::<ParentKind>(),
    of::<AttachmentPlace>(),
    of::<ObjectionOutcome>(),
    of::<CandidateState>(),
    of::<RateExclusion>(),
    of::<JobKind>(),
    of::<JobState>(),
    of::<JobAction>(),
    of::<TableFormat>(),
    of::<TextEncoding>(),
];
