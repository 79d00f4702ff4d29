//! THE TABLE: who may do what, and how far.
//!
//! A row is an action, a column a role, a cell how far the action reaches for a holder of the role:
//!
//! | cell | reach |
//! |---|---|
//! | `T` | the whole tenant |
//! | `S` | the unit of the binding and everything below it |
//! | `U` | the unit of the binding alone |
//! | `A` | what is assigned to, or owned by, the account itself |
//! | `-` | never |
//!
//! `read` and `write` say whether the action changes anything: a `write` runs in a writing
//! transaction and must leave an audit row. A `tree` is a write that moves units, or enters and renames many at
//! once: it runs alone in its tenant, since every other write may note where a unit stands. Rows under `account` are open to every signed-in
//! account, on its own things only; rows under `public` need no account. What a superior unit has
//! published (campaigns, plans, tasks) can be read from below, within the same rows.
//!
//! Relations between people (not the author, not one's own unit) are no cells: they are rules of the
//! capabilities, with codes of their own.

use super::roles::Role;

/// How far an action reaches for the holder of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// `-`: never.
    Never,
    /// `A`: what is assigned to the account.
    Assigned,
    /// `U`: the binding's unit.
    Unit,
    /// `S`: the binding's unit and everything below it.
    Subtree,
    /// `T`: the whole tenant.
    Tenant,
}

impl Cell {
    /// The letter in the table.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Never => "-",
            Self::Assigned => "A",
            Self::Unit => "U",
            Self::Subtree => "S",
            Self::Tenant => "T",
        }
    }
}

/// Who may ask at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Holders of the roles the row names.
    Roles,
    /// Every signed-in account, on its own things.
    Account,
    /// Everybody, without an account.
    Public,
}

/// One row of the table.
#[derive(Debug)]
pub struct Row {
    /// The name on the wire, `entity.verb`.
    pub name: &'static str,
    /// What it is, in Chinese.
    pub zh: &'static str,
    /// Whether it changes anything.
    pub writes: bool,
    /// Whether it moves units or changes many, so that no other write of the tenant may run beside it.
    pub alone: bool,
    /// Who may ask at all.
    pub audience: Audience,
    /// One cell a role, in the order of [`Role::ALL`].
    pub cells: [Cell; 17],
}

impl Row {
    /// How far the action reaches for a holder of `role`.
    #[must_use]
    pub fn cell(&self, role: Role) -> Cell {
        self.cells.get(role as usize).copied().unwrap_or(Cell::Never)
    }
}

/// An action: a row of the table as a type. Only the macro `policy!` implements it.
pub trait Action: Send + Sync + 'static {
    /// The row.
    const ROW: &'static Row;
}

/// An action that needs no account.
pub trait PublicAction: Action {}

/// What the command line does. It has no row in the table: whoever may run the program on the
/// server is answered for by the operating system, and the audit log names them.
#[derive(Debug, Clone, Copy)]
pub struct CommandLine;

impl Action for CommandLine {
    const ROW: &'static Row = &Row {
        name: "command_line",
        zh: "命令行",
        writes: true,
        alone: false,
        audience: Audience::Public,
        cells: [Cell::Never; 17],
    };
}

/// What the server does by itself when its time has come. It has no row in the table either: nobody asks
/// for it, and the audit log names the job.
#[derive(Debug, Clone, Copy)]
pub struct Background;

impl Action for Background {
    const ROW: &'static Row = &Row {
        name: "background",
        zh: "后台任务",
        writes: true,
        alone: true,
        audience: Audience::Public,
        cells: [Cell::Never; 17],
    };
}

macro_rules! cell {
    (-) => {
        Cell::Never
    };
    (A) => {
        Cell::Assigned
    };
    (U) => {
        Cell::Unit
    };
    (S) => {
        Cell::Subtree
    };
    (T) => {
        Cell::Tenant
    };
}

/// Whether it writes, and whether alone.
macro_rules! mode {
    (read) => {
        (false, false)
    };
    (write) => {
        (true, false)
    };
    (tree) => {
        (true, true)
    };
}

macro_rules! policy {
    (
        roles { $( $action:ident $name:literal $zh:literal $mode:ident [$($cell:tt)+]; )+ }
        account { $( $account:ident $account_name:literal $account_zh:literal $account_mode:ident; )+ }
        public { $( $public:ident $public_name:literal $public_zh:literal $public_mode:ident; )+ }
    ) => {
        $( policy!(@row $action, $name, $zh, $mode, Audience::Roles, [$(cell!($cell)),+]); )+
        $( policy!(@row $account, $account_name, $account_zh, $account_mode, Audience::Account, [Cell::Assigned; 17]); )+
        $(
            policy!(@row $public, $public_name, $public_zh, $public_mode, Audience::Public, [Cell::Assigned; 17]);
            impl PublicAction for $public {}
        )+

        /// Every row, in the table's order.
        pub const ROWS: &[&Row] = &[$($action::ROW,)+ $($account::ROW,)+ $($public::ROW,)+];
    };
    (@row $action:ident, $name:literal, $zh:literal, $mode:ident, $audience:expr, $cells:expr) => {
        #[doc = concat!("`", $name, "`: ", $zh)]
        #[derive(Debug, Clone, Copy)]
        pub struct $action;

        impl Action for $action {
            const ROW: &'static Row = &Row {
                name: $name,
                zh: $zh,
                writes: mode!($mode).0,
                alone: mode!($mode).1,
                audience: $audience,
                cells: $cells,
            };
        }
    };
}

#[rustfmt::skip]
policy! {
    roles {
    //                                                                  platform  separated  leading group  unit       inspection   rating intake
    //                                                                  PO MV     SA SE AU   GH GM GO       UH LI OF   IN DI SS     RA     IC ID
    ProvinceRead      "province.read"       "查看省份"        read     [T  T      -  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    UnitRead          "unit.read"           "查看单位"        read     [-  -      S  S  T    S  S  S        S  S  S    S  S  S      U      S  U];
    CalendarRead      "calendar.read"       "查看工作日历"    read     [-  -      T  T  T    T  T  T        T  T  T    T  T  T      T      T  T];
    CalendarSet       "calendar.set"        "设定工作日历"    write    [-  -      T  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    CalendarReset     "calendar.reset"      "恢复工作日历"    write    [-  -      T  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    SettingsRead      "settings.read"       "查看参数"        read     [-  -      T  T  T    T  T  T        T  T  T    T  T  T      T      T  T];
    SettingsUpdate    "settings.update"     "修改参数"        write    [-  -      T  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    SettingsHistoryRead "settings_history.read" "查看参数历史" read     [-  -      T  T  T    T  T  T        -  -  -    -  -  -      -      -  -];

    UnitCreate        "unit.create"         "新建单位"        write    [-  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    UnitUpdate        "unit.update"         "单位更名"        write    [-  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    UnitMove          "unit.move"           "单位划转"        tree     [-  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    UnitMerge         "unit.merge"          "单位合并"        tree     [-  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    UnitDeactivate    "unit.deactivate"     "停用单位"        tree     [-  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    UnitImport        "unit.import"         "导入单位"        write    [-  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];

    OfficerRead       "officer.read"        "查看民警辅警"    read     [-  -      S  -  -    S  S  S        S  S  -    S  S  -      -      -  -];
    OfficerCreate     "officer.create"      "登记民警辅警"    write    [-  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    OfficerUpdate     "officer.update"      "修改民警辅警"    write    [-  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    OfficerLeave      "officer.leave"       "民警辅警离队"    write    [-  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    OfficerImport     "officer.import"      "导入民警辅警"    write    [-  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    OfficerReveal     "officer.reveal"      "查看完整号码"    write    [-  -      S  -  -    -  -  -        -  -  -    -  S  -      -      -  -];
    OfficerErase      "officer.erase"       "清除个人信息"    write    [-  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    PostAppoint       "post.appoint"        "任职"            write    [-  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    PostCorrect       "post.correct"        "更正任职"        write    [-  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    StandInName       "stand_in.name"       "指定代理"        write    [-  -      -  -  -    S  -  -        U  -  -    -  -  -      -      -  -];
    StandInEnd        "stand_in.end"        "终止代理"        write    [-  -      -  -  -    S  -  -        U  -  -    -  -  -      -      -  -];

    AuditRead         "audit.read"          "查看审计记录"    read     [-  -      -  -  T    -  -  -        -  -  -    -  -  -      -      -  -];
    AuditVerify       "audit.verify"        "核验审计链"      read     [-  -      -  -  T    -  -  -        -  -  -    -  -  -      -      -  -];

    UserRead          "user.read"           "查看账号"        read     [T  -      S  S  T    -  -  S        -  -  -    -  -  -      -      -  -];
    UserCreate        "user.create"         "新建账号"        write    [T  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    UserUpdate        "user.update"         "修改账号"        write    [T  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    UserImport        "user.import"         "导入账号"        tree     [-  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    UserDisable       "user.disable"        "停用账号"        write    [T  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    UserEnable        "user.enable"         "启用账号"        write    [T  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    UserResetPassword "user.reset_password" "重置密码"        write    [T  -      S  -  -    -  -  -        -  -  -    -  -  -      -      -  -];
    UserSessionRead   "user_session.read"   "查看他人会话"    read     [T  -      -  S  -    -  -  -        -  -  -    -  -  -      -      -  -];
    UserSessionEnd    "user_session.end"    "结束他人会话"    write    [T  -      -  S  -    -  -  -        -  -  -    -  -  -      -      -  -];
    RoleBindingRead   "role_binding.read"   "查看授权"        read     [T  -      S  S  T    -  -  -        -  -  -    -  -  -      -      -  -];
    RoleBindingGrant  "role_binding.grant"  "授予角色"        write    [T  -      -  S  -    -  -  -        -  -  -    -  -  -      -      -  -];
    RoleBindingRevoke "role_binding.revoke" "撤销授权"        write    [T  -      -  S  -    -  -  -        -  -  -    -  -  -      -      -  -];

    CampaignRead      "campaign.read"       "查看活动"        read     [-  -      -  -  -    S  S  S        S  S  S    S  S  S      S      S  -];
    CampaignCreate    "campaign.create"     "新建活动"        write    [-  -      -  -  -    -  -  U        -  -  -    -  -  -      -      -  -];
    CampaignUpdate    "campaign.update"     "修改活动"        write    [-  -      -  -  -    -  -  U        -  -  -    -  -  -      -      -  -];
    LeadingGroupSet   "leading_group.set"   "设定领导小组"    write    [-  -      -  -  -    -  -  U        -  -  -    -  -  -      -      -  -];

    PlanRead          "plan.read"           "查看方案"        read     [-  -      -  -  -    S  S  S        S  S  S    S  S  -      -      -  -];
    PlanCreate        "plan.create"         "编制方案"        write    [-  -      -  -  -    -  -  U        U  U  -    -  -  -      -      -  -];
    PlanSpread        "plan.create_children" "为下级建立方案" write   [-  -      -  -  -    -  -  U        U  -  -    -  -  -      -      -  -];
    PlanUpdate        "plan.update"         "修改方案"        write    [-  -      -  -  -    -  -  U        U  U  -    -  -  -      -      -  -];
    PlanSubmit        "plan.submit"         "提交方案"        write    [-  -      -  -  -    -  -  U        U  -  -    -  -  -      -      -  -];
    PlanApprove       "plan.approve"        "批准方案"        write    [-  -      -  -  -    S  -  -        -  -  -    -  -  -      -      -  -];
    PlanReturn        "plan.return"         "退回方案"        write    [-  -      -  -  -    S  -  -        -  -  -    -  -  -      -      -  -];
    PlanVote          "plan.vote"           "表决方案"        write    [-  -      -  -  -    -  S  -        -  -  -    -  -  -      -      -  -];
    PlanComment       "plan.comment"        "批注方案"        write    [-  -      -  -  -    S  S  S        U  U  -    -  -  -      -      -  -];
    PlanResolve       "plan.resolve_comment" "处理批注"       write    [-  -      -  -  -    S  S  S        U  U  -    -  -  -      -      -  -];
    PlanPublish       "plan.publish"        "发布方案"        write    [-  -      -  -  -    -  -  U        U  -  -    -  -  -      -      -  -];
    PlanAmend         "plan.amend"          "修订方案"        write    [-  -      -  -  -    -  -  U        U  -  -    -  -  -      -      -  -];
    PlanWithdraw      "plan.withdraw"       "撤回方案"        write    [-  -      -  -  -    -  -  U        U  -  -    -  -  -      -      -  -];
    PlanConclude      "plan.conclude"       "方案转入总结"    write    [-  -      -  -  -    -  -  U        U  -  -    -  -  -      -      -  -];
    PlanClose         "plan.close"          "结束方案"        write    [-  -      -  -  -    S  -  -        -  -  -    -  -  -      -      -  -];
    TaskRead          "task.read"           "查看任务"        read     [-  -      -  -  -    S  S  S        S  S  S    S  S  -      -      -  -];
    TaskComplete      "task.complete"       "完成任务"        write    [-  -      -  -  -    -  -  -        U  U  -    -  -  -      -      -  -];
    TaskReopen        "task.reopen"         "退回重做"        write    [-  -      -  -  -    S  -  S        -  -  -    -  -  -      -      -  -];
    TaskNamePersons   "task.name_persons"   "落实责任人"      write    [-  -      -  -  -    -  -  -        U  U  -    -  -  -      -      -  -];
    ProgressRead      "progress.read"       "查看进度"        read     [-  -      -  -  -    S  S  S        S  S  S    S  S  -      -      -  -];
    EntryRead         "entry.read"          "查看逐日填报"    read     [-  -      -  -  -    S  S  S        S  S  A    S  S  -      -      -  -];
    EntryCreate       "entry.create"        "逐日填报"        write    [-  -      -  -  -    -  -  -        U  U  A    -  -  -      -      -  -];
    EntryUpdate       "entry.update"        "更正当日填报"    write    [-  -      -  -  -    -  -  -        U  U  A    -  -  -      -      -  -];
    ClearingRead      "clearing.read"       "查看逐日清账"    read     [-  -      -  -  -    S  S  S        S  S  -    S  S  -      -      -  -];

    ChecklistRead     "checklist.read"      "查看检查清单"    read     [-  -      -  -  -    S  S  S        S  S  S    S  S  S      -      -  -];
    ChecklistCreate   "checklist.create"    "新建检查清单"    write    [-  -      -  -  -    -  -  S        -  -  -    -  S  -      -      -  -];
    ChecklistUpdate   "checklist.update"    "修改检查清单"    write    [-  -      -  -  -    -  -  S        -  -  -    -  S  -      -      -  -];
    ChecklistPublish  "checklist.publish"   "发布检查清单"    write    [-  -      -  -  -    -  -  S        -  -  -    -  S  -      -      -  -];
    ChecklistRetire   "checklist.retire"    "停用检查清单"    write    [-  -      -  -  -    -  -  S        -  -  -    -  S  -      -      -  -];
    AuthorisationRead "authorisation.read"  "查看检查授权"    read     [-  -      -  -  -    S  -  S        -  -  -    A  S  A      -      -  -];
    AuthorisationPropose "authorisation.propose" "提出检查授权" write  [-  -      -  -  -    -  -  S        -  -  -    -  S  -      -      -  -];
    AuthorisationUpdate "authorisation.update" "修改检查授权" write    [-  -      -  -  -    -  -  S        -  -  -    -  S  -      -      -  -];
    AuthorisationApprove "authorisation.approve" "批准检查授权" write  [-  -      -  -  -    -  -  S        -  -  -    -  S  -      -      -  -];
    AuthorisationReject "authorisation.reject" "否决检查授权" write    [-  -      -  -  -    -  -  S        -  -  -    -  S  -      -      -  -];
    AuthorisationRevoke "authorisation.revoke" "撤销检查授权" write    [-  -      -  -  -    -  -  S        -  -  -    -  S  -      -      -  -];
    AuthorisationReplaceCommander "authorisation.replace_commander" "更换指挥员" write [- - - -  -    -  -  S        -  -  -    -  S  -      -      -  -];
    ConflictRead      "conflict.read"       "查看利害关系申报" read    [-  -      -  -  -    A  -  S        -  -  -    A  S  A      -      -  -];
    ConflictDeclare   "conflict.declare"    "申报利害关系"    write    [-  -      -  -  -    A  -  S        -  -  -    A  S  A      -      -  -];
    ConflictEnd       "conflict.end"        "终止利害关系申报" write   [-  -      -  -  -    -  -  S        -  -  -    -  S  -      -      -  -];
    AttachmentRead    "attachment.read"     "查看附件"        read     [-  -      -  -  -    S  S  S        S  S  -    S  S  A      -      -  -];
    AttachmentUpload  "attachment.upload"   "上传附件"        write    [-  -      -  -  -    A  -  A        A  A  -    A  A  A      -      -  -];
    AttachmentWithdraw "attachment.withdraw" "收回附件"       write    [-  -      -  -  -    A  -  A        A  A  -    A  A  A      -      -  -];
    CheckRead         "unannounced_check.read" "查看明察暗访" read     [-  -      -  -  -    S  S  S        S  S  -    S  S  A      -      -  -];
    CandidateRead     "finding_candidate.read" "查看问题线索" read    [-  -      -  -  -    S  S  S        S  S  -    S  S  A      -      -  -];
    CheckReadersRead  "unannounced_check.readers" "查看谁看过暗访" read [-  -      -  -  -    -  -  -        -  -  -    -  S  -      -      -  -];
    CheckCreate       "unannounced_check.create" "录入明察暗访" write  [-  -      -  -  -    -  -  -        -  -  -    A  -  A      -      -  -];
    CheckRecordSet    "unannounced_check.record" "记录明察暗访" write  [-  -      -  -  -    -  -  -        -  -  -    A  -  A      -      -  -];
    CheckSync         "unannounced_check.sync" "离线数据报来" write    [-  -      -  -  -    A  -  A        -  -  -    A  A  A      -      -  -];
    OfflineRead       "unannounced_check.take_along" "取离线数据" read    [-  -      -  -  -    -  -  -        -  -  -    A  -  A      -      -  -];
    CheckConfirm      "unannounced_check.confirm" "确认明察暗访" write [-  -      -  -  -    A  -  A        -  -  -    A  A  -      -      -  -];
    CheckRelease      "unannounced_check.release" "公布明察暗访" write [-  -      -  -  -    A  -  A        -  -  -    A  A  -      -      -  -];
    CheckContest      "unannounced_check.contest" "提出检查异议" write [-  -      -  -  -    -  -  -        U  -  -    -  -  -      -      -  -];
    CheckDecide       "unannounced_check.decide" "答复检查异议" write  [-  -      -  -  -    -  -  S        -  -  -    -  S  -      -      -  -];
    CheckVoid         "unannounced_check.void" "作废明察暗访" write    [-  -      -  -  -    A  -  A        -  -  -    A  A  A      -      -  -];
    CheckGiveUp       "unannounced_check.give_up_attachments" "放弃未到的照片" write [- - -  -  -    A  -  A        -  -  -    A  A  A      -      -  -];
    CheckAddendum     "unannounced_check.add_addendum" "补记明察暗访" write [-  - -  -  -    A  -  A        -  -  -    A  A  A      -      -  -];
    }
    account {
    AccountRead       "account.read"        "查看本人账号"    read;
    AccountPassword   "account.password"    "修改本人密码"    write;
    AccountLogout     "account.logout"      "退出登录"        write;
    SessionRead       "session.read"        "查看本人会话"    read;
    SessionEnd        "session.end"         "结束本人会话"    write;
    EventRead         "event.read"          "接收实时事件"    read;
    JobRead           "job.read"            "查看本人任务"    read;
    JobCancel         "job.cancel"          "取消本人任务"    write;
    DictionaryRead    "dictionary.read"     "查看字典"        read;
    PolicyRead        "policy.read"         "查看权限表"      read;
    }
    public {
    Login             "auth.login"          "登录"            write;
    Refresh           "auth.refresh"        "刷新令牌"        write;
    HealthRead        "health.read"         "查看存活与就绪"  read;
    KeysRead          "keys.read"           "查看公钥"        read;
    }
}

/// A consequence of an action in another capability, or outside the actor's reach.
pub trait Effect: Send + Sync + 'static {
    /// The name in the audit log.
    const NAME: &'static str;
}

/// `impl MayCause<E> for A`: the action `A` may have the effect `E`.
pub trait MayCause<E: Effect>: Action {}

macro_rules! effects {
    ($( $effect:ident $name:literal by $($action:ident),+; )+) => {
        $(
            #[doc = concat!("`", $name, "`")]
            #[derive(Debug, Clone, Copy)]
            pub struct $effect;
            impl Effect for $effect {
                const NAME: &'static str = $name;
            }
            $( impl MayCause<$effect> for $action {} )+
        )+

        /// The table of effects: name, and the actions that may have it.
        pub const EFFECTS: &[(&str, &[&str])] = &[$(($name, &[$($action::ROW.name),+]),)+];
    };
}

effects! {
    // Publishing the plan of the campaign's own unit makes the campaign visible to its scope.
    CampaignLaunch "campaign.launch" by PlanPublish;
    // When a later version of a plan comes into force, the plans below are to be compared with it.
    ParentAmended "plan.parent_amended" by PlanPublish;
    // A plan in force gives its tasks to units, and stands for tasks of the plans above.
    TasksAssign "tasks.assign" by PlanPublish, PlanClose;
    // What is done counts at every unit above, and for the tasks above that it answers.
    ProgressFollow "progress.follow_task" by TaskComplete, TaskReopen, TaskNamePersons;
    // Plans, tasks and campaigns stand where their unit stands, and go to whoever takes over from it.
    WorkFollow "work.follow_unit" by UnitMove, UnitMerge, UnitDeactivate;
    // So do accounts and role bindings.
    AccountsFollow "accounts.follow_unit" by UnitMove, UnitMerge, UnitDeactivate;
    // Who is no longer of a unit or below it carries nothing for it: today is still owed, no day after.
    PersonsFollow "assignment_persons.follow_officer" by OfficerUpdate, OfficerLeave, OfficerImport, UnitMove, UnitMerge;
    // Whoever leaves signs in no more; whose data are erased is named no more.
    AccountOfOfficer "user.follow_officer" by OfficerLeave, OfficerErase;
    // What there was to say of the interests of somebody whose data are erased is said no more.
    ConflictsOfOfficer "conflict.follow_officer" by OfficerErase;
    // What ends or changes somebody's rights ends what they are signed in with.
    SessionsEnd "sessions.end" by AccountPassword, UserDisable, UserResetPassword, OfficerLeave;
}
