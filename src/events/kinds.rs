//! Which things are told of, to whom.

use crate::access::policy::{
    Action, AuthorisationRead, CalendarRead, CampaignRead, CandidateRead, CheckRead, ChecklistRead,
    ClearingRead, ConflictRead, EntryRead, JobRead, OfficerRead, PlanRead, RoleBindingRead, Row,
    SettingsRead, TaskRead, UnitRead, UserRead,
};
use crate::db::text_enum;

text_enum! {
    /// What an event is about.
    EventKind as "event_kind" {
        Campaign = "campaign", "活动", "Campaign", blue;
        LeadingGroup = "leading_group", "领导小组", "Leading group", blue;
        Plan = "plan", "方案", "Plan", blue;
        Assignment = "assignment", "任务分工", "Assignment", green;
        DayEntry = "day_entry", "逐日填报", "Day entry", green;
        DailyClearing = "daily_clearing", "日清账", "Daily clearing", orange;
        Authorisation = "authorisation", "检查授权", "Authorisation", orange;
        Conflict = "conflict", "利害关系申报", "Declared conflict of interest", orange;
        UnannouncedCheck = "unannounced_check", "明察暗访", "Unannounced check", red;
        FindingCandidate = "finding_candidate", "问题线索", "Finding candidate", red;
        Checklist = "checklist", "检查清单", "Checklist", green;
        Unit = "unit", "单位", "Unit", grey;
        Officer = "officer", "民警辅警", "Officer", grey;
        User = "user", "账号", "Account", grey;
        RoleBinding = "role_binding", "授权", "Role binding", grey;
        Settings = "settings", "参数", "Settings", grey;
        Calendar = "calendar", "工作日历", "Working calendar", grey;
        Job = "job", "后台任务", "Job", grey;
    }
}

impl EventKind {
    /// The right under which it is told.
    #[must_use]
    pub const fn row(self) -> &'static Row {
        match self {
            Self::Campaign | Self::LeadingGroup => CampaignRead::ROW,
            Self::Plan => PlanRead::ROW,
            Self::Assignment => TaskRead::ROW,
            Self::DayEntry => EntryRead::ROW,
            Self::DailyClearing => ClearingRead::ROW,
            Self::Authorisation => AuthorisationRead::ROW,
            Self::Conflict => ConflictRead::ROW,
            Self::UnannouncedCheck => CheckRead::ROW,
            Self::FindingCandidate => CandidateRead::ROW,
            Self::Checklist => ChecklistRead::ROW,
            Self::Unit => UnitRead::ROW,
            Self::Officer => OfficerRead::ROW,
            Self::User => UserRead::ROW,
            Self::RoleBinding => RoleBindingRead::ROW,
            Self::Settings => SettingsRead::ROW,
            Self::Calendar => CalendarRead::ROW,
            Self::Job => JobRead::ROW,
        }
    }
}

/// By which table a row of the log leads to the thing it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lead {
    /// The campaign of this id.
    Campaign,
    /// The plan of this id.
    Plan,
    /// The plan that the comment of this id is on.
    Comment,
    /// The plan that the vote of this id is on.
    Vote,
    /// The assignment of this id.
    Assignment,
    /// The day entry of this id.
    Entry,
    /// The authorisation of this id.
    Authorisation,
    /// The declared conflict of this id.
    Conflict,
    /// The unannounced check of this id.
    Check,
    /// The finding candidate of this id.
    Candidate,
    /// The checklist of this id.
    Checklist,
    /// The unit of this id.
    Unit,
    /// The unit that the stand-in of this id stands in for.
    StandIn,
    /// The officer of this id.
    Officer,
    /// The officer who holds the post of this id.
    Post,
    /// The account of this id.
    User,
    /// The role binding of this id.
    RoleBinding,
    /// The job of this id.
    Job,
    /// It stands nowhere: the whole province's.
    Everywhere,
}

/// What the log calls a thing, what it is told as, and what leads there. What stands neither here
/// nor in [`SILENT`] is not logged in a build for development, so that every test tells what was forgotten.
pub const TOLD: &[(&str, EventKind, Lead)] = &[
    ("campaign", EventKind::Campaign, Lead::Campaign),
    ("campaign_scope", EventKind::Campaign, Lead::Campaign),
    ("leading_group", EventKind::LeadingGroup, Lead::Campaign),
    ("plan", EventKind::Plan, Lead::Plan),
    ("plan_amendment", EventKind::Plan, Lead::Plan),
    ("plan_parent", EventKind::Plan, Lead::Plan),
    ("plan_responsibles", EventKind::Plan, Lead::Plan),
    ("plan_comment", EventKind::Plan, Lead::Comment),
    ("plan_vote", EventKind::Plan, Lead::Vote),
    ("task_assignments", EventKind::Plan, Lead::Plan),
    ("task_assignment", EventKind::Assignment, Lead::Assignment),
    ("assignment_persons", EventKind::Assignment, Lead::Assignment),
    ("day_entry", EventKind::DayEntry, Lead::Entry),
    ("cleared_day", EventKind::DailyClearing, Lead::Everywhere),
    ("authorisation", EventKind::Authorisation, Lead::Authorisation),
    ("conflict", EventKind::Conflict, Lead::Conflict),
    ("unannounced_check", EventKind::UnannouncedCheck, Lead::Check),
    ("finding_candidate", EventKind::FindingCandidate, Lead::Candidate),
    ("checklist", EventKind::Checklist, Lead::Checklist),
    ("unit", EventKind::Unit, Lead::Unit),
    ("stand_in", EventKind::Unit, Lead::StandIn),
    ("officer", EventKind::Officer, Lead::Officer),
    ("post", EventKind::Officer, Lead::Post),
    ("user", EventKind::User, Lead::User),
    ("role_binding", EventKind::RoleBinding, Lead::RoleBinding),
    ("settings", EventKind::Settings, Lead::Everywhere),
    ("calendar_day", EventKind::Calendar, Lead::Everywhere),
    ("job", EventKind::Job, Lead::Job),
];

/// What the log keeps and nobody is told, each with its reason.
pub const SILENT: &[(&str, &str)] = &[
    ("unannounced_check_look", "a look, and changes nothing"),
    ("offline_bundle", "a look, and changes nothing"),
    ("attachment", "what it is bound to tells of it"),
    ("session", "whoever signs in or out is nobody else's news"),
    ("export", "a look, and changes nothing"),
    ("officer_person", "a look at what is personal: who looks is the auditor's to know"),
    ("audit_chain", "a look, and changes nothing"),
    ("officers", "the demo's officers, entered before anybody listens"),
    ("province", "a province is set up before anybody in it can listen"),
];

/// What somebody below may be told of a plan or a campaign above, by what the log calls the thing and the action: what
/// has made it what they can read. An amendment in hand, a vote, a comment are the superior's own.
pub const TOLD_BELOW: &[(&str, &str)] = &[
    ("campaign", "campaign.launch"),
    ("campaign", "work.follow_unit"),
    ("checklist", "checklist.publish"),
    ("checklist", "checklist.retire"),
    ("checklist", "work.follow_unit"),
    ("leading_group", "leading_group.set"),
    ("leading_group", "work.follow_unit"),
    ("plan", "plan.close"),
    ("plan", "plan.conclude"),
    ("plan", "plan.publish"),
    ("plan", "work.follow_unit"),
    ("plan_responsibles", "work.follow_unit"),
    ("task_assignments", "tasks.assign"),
];

/// Whether somebody has said of what the log calls a thing who is told of it, or that nobody is.
#[must_use]
pub fn is_settled(entity: &str) -> bool {
    told(entity).is_some() || SILENT.iter().any(|(name, _)| *name == entity)
}

/// What a row of the log is about; none of what nobody is told.
#[must_use]
pub fn told(entity: &str) -> Option<(EventKind, Lead)> {
    TOLD.iter().find(|(name, ..)| *name == entity).map(|(_, kind, lead)| (*kind, *lead))
}
