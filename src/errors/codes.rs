//! The code table: one line a code. Everything that names a code (the document, `/dictionaries`,
//! the pages under `/problems/`) is made from it.

/// What sort of refusal a code is; `web::problem` maps it to a status, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request cannot be read.
    BadRequest,
    /// Nobody is signed in, or the credentials are no longer good.
    Unauthenticated,
    /// None of the caller's role bindings has the action.
    Forbidden,
    /// Absent, of another tenant, or out of reach: one answer for all three.
    NotFound,
    /// The path exists, not with this method.
    MethodNotAllowed,
    /// No representation the caller accepts.
    NotAcceptable,
    /// The state of the object forbids it.
    Conflict,
    /// It was there, and has come to an end that is told.
    Gone,
    /// The caller's `If-Match` is stale.
    PreconditionFailed,
    /// The body is too large.
    TooLarge,
    /// The address is too long.
    UriTooLong,
    /// The body is of a media type we do not read.
    UnsupportedMedia,
    /// The part of a file that is asked for is not there.
    RangeNotSatisfiable,
    /// Well-formed, but its shape or a rule forbids it.
    Unprocessable,
    /// `If-Match` is missing.
    PreconditionRequired,
    /// Too many failed attempts.
    TooMany,
    /// Our fault.
    Internal,
    /// Try again later.
    Unavailable,
    /// Not an answer of its own: the code of one field error.
    Field,
}

macro_rules! codes {
    ($($name:ident = $kind:ident, $code:literal, $zh:literal, $en:literal;)+) => {
        /// A stable code of an error. Clients may rely on its name, not on its sentences.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = concat!("`", $code, "`: ", $en)] $name,)+
        }

        impl Code {
            /// Every code, in the table's order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name on the wire, `snake_case`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What sort of refusal it is.
            #[must_use]
            pub const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)+ }
            }

            /// The title in Chinese.
            #[must_use]
            pub const fn title_zh(self) -> &'static str {
                match self { $(Self::$name => $zh,)+ }
            }

            /// The title in English.
            #[must_use]
            pub const fn title_en(self) -> &'static str {
                match self { $(Self::$name => $en,)+ }
            }
        }
    };
}

codes! {
    // Reading the request
    MalformedForm = BadRequest, "malformed_form", "请求体不是有效的表单", "The body is not a valid form";
    MalformedJson = BadRequest, "malformed_json", "请求体不是有效的 JSON", "The body is not valid JSON";
    MalformedFile = BadRequest, "malformed_file", "文件无法读取", "The file cannot be read";
    InvalidQuery = BadRequest, "invalid_query", "查询参数有误", "A query parameter is wrong";
    InvalidHeader = BadRequest, "invalid_header", "请求头有误", "A request header is wrong";
    InvalidCursor = BadRequest, "invalid_cursor", "游标无效, 请从第一页重新查询", "The cursor is not valid here; start again from the first page";
    IncompleteBody = BadRequest, "incomplete_body", "请求体没有收完", "The body did not arrive whole";
    MethodNotAllowed = MethodNotAllowed, "method_not_allowed", "此路径不支持该方法", "The path does not support this method";
    NotAcceptable = NotAcceptable, "not_acceptable", "没有符合 Accept 的表示", "No representation matches Accept";
    RangeNotSatisfiable = RangeNotSatisfiable, "range_not_satisfiable", "所要的一段不在文件之内", "The part asked for is not in the file";
    UnsupportedMediaType = UnsupportedMedia, "unsupported_media_type", "不支持的内容类型", "The content type is not supported";
    BodyTooLarge = TooLarge, "body_too_large", "请求体过大", "The body is too large";
    UriTooLong = UriTooLong, "uri_too_long", "地址过长", "The address is too long";
    InvalidBody = Unprocessable, "invalid_body", "请求内容不符合要求", "The body does not match its schema";
    ImportRefused = Unprocessable, "import_refused", "文件有误, 一行也未导入, 见 errors", "The file has errors and nothing of it was imported; errors lists them";
    ImportUnderWay = Conflict, "import_under_way", "有导入正在向该单位录入人员或下级单位, 请待其结束", "An import is entering officers at this unit or units below it; wait until it has ended";
    TooManyJobs = Conflict, "too_many_jobs", "您未做完的后台任务过多, 请待其中一些结束", "Too many of your jobs are still to be done; wait until some have ended";
    JobNotCancellable = Conflict, "job_not_cancellable", "任务正在生效、正在撤销或已结束, 不能取消", "The job is being put in force or taken back, or has ended; it cannot be cancelled";
    NotFound = NotFound, "not_found", "没有找到", "Not found";
    PreconditionRequired = PreconditionRequired, "precondition_required", "修改须带 If-Match", "A change needs If-Match";
    PreconditionFailed = PreconditionFailed, "precondition_failed", "内容已被他人修改, 请取得最新版本后再改", "It has been changed meanwhile; fetch the newest version first";
    IdempotencyKeyReused = Unprocessable, "idempotency_key_reused", "同一 Idempotency-Key 已用于另一请求", "The Idempotency-Key was used for another request";
    IdempotencyInProgress = Conflict, "idempotency_in_progress", "同一 Idempotency-Key 的请求正在处理", "A request with this Idempotency-Key is still running";
    IdTaken = Conflict, "id_taken", "该标识已用于内容不同的对象", "The id belongs to an object with other content";
    ConcurrentChange = Conflict, "concurrent_change", "同时有人做了同样的修改, 请重试", "Somebody has made the same change at the same time; try again";
    ExportTooLarge = Unprocessable, "export_too_large", "符合条件的行过多, 不能一次导出", "Too many rows match to be exported at once";
    ExportsBusy = Unavailable, "exports_busy", "正在导出的过多, 请稍后再试", "Too many exports are under way; try again later";
    Timeout = Unavailable, "timeout", "处理超时, 请稍后再试", "The request took too long; try again later";
    Unavailable = Unavailable, "unavailable", "服务暂不可用, 请稍后再试", "The service is not available; try again later";
    Internal = Internal, "internal", "服务内部错误", "An internal error";

    // Who is asking
    Unauthenticated = Unauthenticated, "unauthenticated", "请先登录", "Sign in first";
    TokenInvalid = Unauthenticated, "token_invalid", "访问令牌无效或已过期", "The access token is invalid or has expired";
    LoginFailed = Unauthenticated, "login_failed", "用户名或密码不正确", "The login or the password is wrong";
    RefreshInvalid = Unauthenticated, "refresh_invalid", "刷新令牌无效, 请重新登录", "The refresh token is not valid; sign in again";
    RefreshSuperseded = Conflict, "refresh_superseded", "刷新令牌刚被另一请求换过, 请使用新的令牌", "Another request has just rotated this token; use its successor";
    TooManyListeners = TooMany, "too_many_listeners", "该账号的实时连接过多, 请先关闭一些", "The account has too many lines open; close some first";
    TooManyRequests = TooMany, "too_many_requests", "请求过多, 请稍后再试", "Too many requests; try again later";
    TooManyAttempts = TooMany, "too_many_attempts", "失败次数过多, 请稍后再试", "Too many failed attempts; try again later";
    Forbidden = Forbidden, "forbidden", "您的角色没有此项权限", "None of your roles may do this";
    PasswordChangeRequired = Forbidden, "password_change_required", "首次登录须先修改密码", "Change the first password before anything else";
    PasswordWrong = Unprocessable, "password_wrong", "原密码不正确", "The current password is wrong";
    PasswordWeak = Unprocessable, "password_weak", "密码过于常见或容易猜到", "The password is too common or too easy to guess";

    // Accounts and bindings
    LoginTaken = Conflict, "login_taken", "登录名已被使用", "The login is taken";
    GrantNotAllowed = Unprocessable, "grant_not_allowed", "您的角色不能授予此角色", "Your role may not grant this role";
    GrantToSelf = Unprocessable, "grant_to_self", "不得给自己授权", "Nobody grants a role to itself";
    ChangeOwnAccount = Unprocessable, "change_own_account", "不得停用、重置自己的账号, 也不得改动其所属民警", "Nobody disables or resets the own account, or changes whose it is";
    AccountOutOfHands = Unprocessable, "account_out_of_hands", "该账号持有三员角色或您辖区之外的角色, 不由您处置", "The account holds a separated role, or one beyond your reach: it is not yours to reset or disable";
    RolesExclusive = Unprocessable, "roles_exclusive", "三员与业务角色互斥", "The three administrator roles exclude each other and every business role";
    RoleHeld = Conflict, "role_held", "该账号在该单位已有此角色", "The account holds this role at this unit already";
    UserDisabled = Conflict, "user_disabled", "账号已停用", "The account is disabled";
    UserActive = Conflict, "user_active", "账号未停用", "The account is not disabled";
    BindingRevoked = Conflict, "binding_revoked", "授权已撤销", "The binding is revoked already";
    SessionEnded = Conflict, "session_ended", "会话已结束", "The session has ended already";

    // Units
    UnitCodeTaken = Conflict, "unit_code_taken", "该代码已有单位使用", "A unit has this code already";
    UnitDeactivated = Conflict, "unit_deactivated", "单位已停用", "The unit is deactivated";
    UnitIsRoot = Unprocessable, "unit_is_root", "省厅不能划转、合并或停用", "The province itself is not moved, merged or deactivated";
    MoveIntoItself = Unprocessable, "move_into_itself", "不能划入或并入本单位及其下级", "A unit cannot go to itself or to a unit below it";
    UnitInUse = Unprocessable, "unit_in_use", "单位尚有未了事项, 见 errors", "Things still stand at the unit; errors lists them";

    // Officers and posts
    OfficerNumberTaken = Conflict, "officer_number_taken", "该警号或编号已有人使用", "An officer has this number already";
    IdCardTaken = Conflict, "id_card_taken", "该身份证号码已有人使用", "An officer has this identity card already";
    OfficerLeft = Conflict, "officer_left", "已离队", "The officer has left";
    OfficerHasAccount = Conflict, "officer_has_account", "该民警或辅警已有账号", "The officer has an account already";
    OfficerServing = Conflict, "officer_serving", "尚在职, 离队后方可清除个人信息", "The officer still serves; what is personal is erased afterwards";
    PersonErased = Conflict, "person_erased", "个人信息已清除", "What was personal has been erased";
    StandInEnded = Conflict, "stand_in_ended", "代理已终止", "The stand-in has ended already";
    AuxiliaryCannotLead = Unprocessable, "auxiliary_cannot_lead", "辅警不能任领导职务", "Auxiliaries hold no post that leads";
    HeadOverlaps = Unprocessable, "head_overlaps", "同一时间一个单位只有一名主要负责人", "A unit has one head at a time";
    NotTheHead = Unprocessable, "not_the_head", "须现任主要负责人或其代理本人办理", "The unit's present head, or who stands in, must do it in person";
    StandInNotPossible = Unprocessable, "stand_in_not_possible", "不能这样代理, 见 errors", "There can be no such stand-in; errors tells why";

    // Campaigns and plans
    CampaignLaunched = Conflict, "campaign_launched", "活动已启动, 不能再改", "The campaign is launched and can no longer be changed";
    PlanExists = Conflict, "plan_exists", "该单位在此活动中已有方案", "The unit has a plan in this campaign already";
    PlanNotEditable = Conflict, "plan_not_editable", "方案已提交或已批准, 不能修改", "The plan is submitted or approved and can no longer be edited";
    PlanNotSubmittable = Conflict, "plan_not_submittable", "只有草稿或被退回的方案可以提交", "Only a draft or a returned plan can be submitted";
    PlanNotSubmitted = Conflict, "plan_not_submitted", "方案不在待批状态", "The plan is not waiting for approval";
    PlanNotApproved = Conflict, "plan_not_approved", "方案未获批准", "The plan is not approved";
    PlanNotWithdrawable = Conflict, "plan_not_withdrawable", "只有草稿或待批的方案可以撤回", "Only a draft or a submitted plan can be withdrawn";
    PlanNotRunning = Conflict, "plan_not_running", "方案不在实施中", "The plan is not running";
    PlanNotConcluding = Conflict, "plan_not_concluding", "方案未进入总结评议", "The plan is not concluding";
    PlanUnfinished = Unprocessable, "plan_unfinished", "尚有未了事项, 方案不能结束", "Something is unfinished that keeps the plan open";
    PlanIncomplete = Unprocessable, "plan_incomplete", "方案不完整, 不能提交", "The plan is not complete enough to submit";
    DownstreamInflation = Unprocessable, "downstream_inflation", "与上级方案不一致 (层层加码), 不能提交", "The plan departs from the plan above it (downstream inflation)";
    ParentPlanNotPublished = Unprocessable, "parent_plan_not_published", "上级方案尚未发布", "The parent plan is not published";
    UnitOutOfScope = Unprocessable, "unit_out_of_scope", "该单位不在活动范围内", "The unit is not in the campaign's scope";
    AuthorisationNotInForce = Unprocessable, "authorisation_not_in_force", "授权在检查当日没有生效", "The authorisation was not in force on the day of the check";
    InspectsOwnUnit = Unprocessable, "inspects_own_unit", "不得检查本人所在的单位及其上级", "Nobody inspects their own unit, nor one above it";
    CommanderHasConflict = Unprocessable, "commander_has_conflict", "指挥员已申报与受检单位的利害关系, 须回避", "The commander has declared an interest in the unit";
    ReplacerIsConcerned = Unprocessable, "replacer_is_concerned", "检查人员、原任与新任指挥员不得办理更换", "Neither the team nor either commander says who commands";
    OwnConflict = Unprocessable, "own_conflict", "不得终止本人的利害关系申报", "Nobody ends a declaration of their own interest";
    NotInTeam = Unprocessable, "not_in_team", "须为此次检查的检查人员或指挥员", "It takes one of the check's team, or its commander";
    NotTheCommander = Unprocessable, "not_the_commander", "须为此次检查的指挥员", "It takes the check's commander";
    ConfirmerIsRecorder = Unprocessable, "confirmer_is_recorder", "记录的人不得确认", "Whoever recorded it may not confirm it";
    DeciderIsChecker = Unprocessable, "decider_is_checker", "检查人员与指挥员不得答复异议", "Neither the team nor the commander answers an objection";
    DeciderOfTheUnit = Unprocessable, "decider_of_the_unit", "受检单位的人不得答复异议", "Nobody of the inspected unit answers its objection";
    ApproverIsAuthor = Unprocessable, "approver_is_author", "编制或提交的人不得批准", "Whoever wrote or submitted it may not decide on it";
    NotTheRightHead = Unprocessable, "not_the_right_head", "应由本级(没有则最近上级)领导小组组长决定", "The leading group's head at the unit, else at the nearest level above, decides";
    ParentAmended = Unprocessable, "parent_amended", "上级方案已修订, 请按新版本核对后重新提交", "The plan above was amended; compare with its new version and submit again";
    AmendmentInHand = Conflict, "amendment_in_hand", "方案正在修订", "An amendment of the plan is in hand";
    PlanEnded = Conflict, "plan_ended", "方案已结束或已撤回", "The plan is closed or withdrawn";
    NotAVoter = Unprocessable, "not_a_voter", "不在本次表决的成员之列", "Only who was a member of the leading group on the day of submission votes";
    VoteCast = Conflict, "vote_cast", "已表决, 不得更改", "The vote is cast and is not changed";
    QuorumNotReached = Unprocessable, "quorum_not_reached", "参加表决的成员未达法定人数", "Too few members have cast a vote";
    VoteNotCarried = Unprocessable, "vote_not_carried", "赞成票未多于反对票", "There are not more votes for it than against it";
    AuthorisationDecided = Conflict, "authorisation_decided", "授权已作决定", "The authorisation has been decided on";
    AuthorisationEnded = Conflict, "authorisation_ended", "授权已终止或期限已过", "The authorisation has ended or its time has passed";
    AuthorisationNotApproved = Conflict, "authorisation_not_approved", "授权未获批准", "The authorisation has not been approved";
    CommanderPresent = Conflict, "commander_present", "指挥员仍可办理, 不予更换", "The commander can act, and is not replaced";
    AlreadyDeclared = Conflict, "already_declared", "同一利害关系已申报, 尚未终止", "The same interest is declared already, and the declaration stands";
    ConflictEnded = Conflict, "conflict_ended", "申报已终止", "The declaration has ended already";
    CheckRecorded = Conflict, "check_recorded", "检查已记录, 更正请补记", "The check is recorded; corrections are addenda";
    CheckNotRecorded = Conflict, "check_not_recorded", "检查不在已记录的状态", "The check does not stand as recorded";
    BundleTooLarge = Unprocessable, "bundle_too_large", "可检查的单位过多, 请以 unit_id 缩小范围", "There are too many units to take along; narrow them by unit_id";
    NothingAwaited = Conflict, "nothing_awaited", "没有尚未到达的照片", "No photo is still to come";
    AttachmentsAwaited = Conflict, "attachments_awaited", "所列照片尚未全部到达", "Photos that the record or an addendum names have not all come yet";
    CheckNotConfirmed = Conflict, "check_not_confirmed", "检查不在已确认的状态", "The check does not stand as confirmed";
    CheckNotReleased = Conflict, "check_not_released", "检查尚未公布", "The check has not been released";
    ObjectionClosed = Conflict, "objection_closed", "异议期已过或已提出过异议", "The time to object is over, or somebody has objected";
    CheckNotContested = Conflict, "check_not_contested", "检查没有待答复的异议", "No objection to the check waits for an answer";
    CheckNotVoidable = Conflict, "check_not_voidable", "检查已确认或已作废, 不能作废", "The check is confirmed or voided and cannot be voided";
    TooManyAddenda = Conflict, "too_many_addenda", "补记已满 200 条", "There are 200 addenda already";
    TooManyUnbound = Conflict, "too_many_unbound", "尚未使用的附件已满 500 个", "There are 500 attachments that are bound to nothing";
    AttachmentBound = Conflict, "attachment_bound", "附件已用于检查, 不能收回", "The attachment is bound to a check and can no longer be taken back";
    TooManyUnfinished = Conflict, "too_many_unfinished", "未传完的文件合计已满 200 MiB, 请先传完或终止其中一些", "Unfinished uploads amount to 200 MiB; finish some or end them first";
    UploadOffsetMismatch = Conflict, "upload_offset_mismatch", "与已收的字节数不符, 请以 HEAD 取得后从该处续传", "That is not how many bytes have come; ask with HEAD and go on from there";
    UploadRefused = Gone, "upload_refused", "文件已收全, 但未获接受, 上传已结束", "The file came whole and was not accepted: the upload has ended";
    TusVersionUnsupported = PreconditionFailed, "tus_version_unsupported", "须带 Tus-Resumable: 1.0.0", "Send Tus-Resumable: 1.0.0";
    CheckEnded = Conflict, "check_ended", "检查已定案或作废", "The check is final or voided";
    ChecklistRetired = Conflict, "checklist_retired", "检查清单已停用", "The checklist is retired";
    ChecklistUnchanged = Conflict, "checklist_unchanged", "没有尚未发布的修改", "Nothing of the checklist is left to publish";
    CommentResolved = Conflict, "comment_resolved", "批注已处理", "The comment is resolved already";
    CommentOfAnother = Unprocessable, "comment_of_another", "由批注人或编制方案的单位标为已处理", "Who made the comment, or whoever writes the plan, says that it is dealt with";
    PlanNotInForce = Conflict, "plan_not_in_force", "方案不在执行中", "The plan is not in force";

    // Tasks under way
    AssignmentDone = Conflict, "assignment_done", "已完成", "It is done already";
    AssignmentOpen = Conflict, "assignment_open", "尚未完成, 无可退回", "It is not done, so there is nothing to take back";
    AssignmentRetired = Conflict, "assignment_retired", "该单位已不再承担此任务", "The unit no longer has this task";
    AssignmentCarried = Conflict, "assignment_carried", "已由下级方案中的任务承接, 请在该任务办理", "A child plan's task stands for it: act on that one";
    UnitNotAssigned = Unprocessable, "unit_not_assigned", "该单位不承担此任务", "The unit does not have this task";
    ReopenFromAbove = Unprocessable, "reopen_from_above", "由上级的办公室或领导小组组长退回, 本单位不得自行退回", "An office or a group's head above takes it back, never the unit itself";
    TaskWithoutEntries = Conflict, "task_without_entries", "该任务不须逐日填报", "The task has no daily entries";
    NotAPerson = Unprocessable, "not_a_person", "不是该任务的责任人", "The officer is no person of this task";
    EntryExists = Conflict, "entry_exists", "该日已填报", "There is an entry for the day already";
    EntryClosed = Conflict, "entry_closed", "只能在填报当日更正", "An entry is corrected on the day it was made, and no later";

    // Calendar
    CalendarDayPast = Unprocessable, "calendar_day_past", "已过的日子不能再改", "A day gone by can no longer be changed";
    CalendarRange = Unprocessable, "calendar_range", "日期超出日历的范围", "The days asked for are out of the calendar's range";

    // Field errors
    Required = Field, "required", "必填", "Required";
    UnknownField = Field, "unknown_field", "没有这个字段", "There is no such field";
    UnknownParameter = Field, "unknown_parameter", "没有这个参数", "There is no such parameter";
    RepeatedParameter = Field, "repeated_parameter", "参数不可重复", "The parameter may be given only once";
    NotInExport = Field, "not_in_export", "导出时不可用", "It has no place in an export";
    WrongType = Field, "wrong_type", "类型不符", "It has the wrong type";
    NotAllowedValue = Field, "not_allowed_value", "不在允许的取值之内", "It is not one of the allowed values";
    TooShort = Field, "too_short", "过短", "It is too short";
    TooLong = Field, "too_long", "过长", "It is too long";
    TooSmall = Field, "too_small", "过小", "It is too small";
    TooBig = Field, "too_big", "过大", "It is too big";
    TooFew = Field, "too_few", "项数过少", "There are too few items";
    TooMany = Field, "too_many", "项数过多", "There are too many items";
    WrongFormat = Field, "wrong_format", "格式不符", "It has the wrong format";
    NotUnique = Field, "not_unique", "有重复", "It is not unique";
    UnknownReference = Field, "unknown_reference", "没有这个对象, 或不在您的范围内", "There is no such object, or it is out of your reach";
    CircularReference = Field, "circular_reference", "上级循环", "It refers to itself in a circle";
    NotByImport = Field, "not_by_import", "此项不能由导入更改", "An import does not change this";
    OutOfOrder = Field, "out_of_order", "先后次序不对", "It is out of order";
    OutsidePhases = Field, "outside_phases", "不在方案各阶段的日期之内", "It lies outside the plan's phases";
    TasksFromAboveOpen = Field, "tasks_from_above_open", "上级交办的任务尚未完成", "Tasks that the plan above asks for are not done";
    GraveFindingsOpen = Field, "grave_findings_open", "尚有严重问题未销号", "Grave findings are still open";
    DeadlineShortened = Field, "deadline_shortened", "时限早于上级方案", "The deadline is earlier than in the plan above";
    DeadlineExtended = Field, "deadline_extended", "时限晚于上级方案", "The deadline is later than in the plan above";
    TargetRaised = Field, "target_raised", "目标高于上级方案", "The target is higher than in the plan above";
    TargetLowered = Field, "target_lowered", "目标低于上级方案", "The target is lower than in the plan above";
    FrequencyRaised = Field, "frequency_raised", "频次高于上级方案", "The frequency is higher than in the plan above";
    FrequencyLowered = Field, "frequency_lowered", "频次低于上级方案", "The frequency is lower than in the plan above";
    IndicatorAdded = Field, "indicator_added", "上级方案没有此指标", "The plan above has no such indicator";
    TaskDropped = Field, "task_dropped", "漏列上级方案的任务", "A task of the plan above is missing";
    TaskAddedDownstream = Field, "task_added_downstream", "向下级加派了上级方案没有的任务", "It binds units below to what the plan above does not ask";
    WrongKind = Field, "wrong_kind", "对象的种类不符", "It is of the wrong kind";
    InThePast = Field, "in_the_past", "不得早于今日", "It lies in the past";
    InTheFuture = Field, "in_the_future", "不得晚于今日", "It lies in the future";
    UnitBelow = Field, "unit_below", "下级单位仍在", "A unit still stands below it";
    OpenPlan = Field, "open_plan", "方案尚未了结", "A plan is still open";
    AuthorisationAtUnit = Field, "authorisation_at_unit", "检查授权尚未终止", "Its authorisation has not ended";
    ChecklistAtUnit = Field, "checklist_at_unit", "检查清单尚未停用", "Its checklist is not retired";
    RunsCampaign = Field, "runs_campaign", "主办的活动尚在", "It runs a campaign";
    NamedInTask = Field, "named_in_task", "任务以其为责任单位", "A task names it as responsible";
    AccountAtUnit = Field, "account_at_unit", "账号属于该单位", "An account belongs to it";
    OfficerAtUnit = Field, "officer_at_unit", "民警或辅警在该单位", "An officer belongs to it";
    RoleHeldAtUnit = Field, "role_held_at_unit", "有人在该单位持有角色", "Somebody holds a role there";
    OpenAssignment = Field, "open_assignment", "有未完成的任务", "It has an open task";
    OfficerElsewhere = Field, "officer_elsewhere", "不在该单位及其下级", "The officer belongs neither to the unit nor below it";
    AlreadyNamed = Field, "already_named", "已是该任务另一单位的责任人", "The officer is a person of this task for another unit";
    FileTypeNotAllowed = Field, "file_type_not_allowed", "文件的内容不是 JPEG、PNG 或 WebP 图片", "By its bytes the file is no JPEG, PNG or WebP picture";
    FileDamaged = Field, "file_damaged", "图片残缺或损坏", "The picture is cut off or damaged";
    FilePolyglot = Field, "file_polyglot", "图片之中另藏有内容", "Something else is hidden in the picture";
    PictureTooLarge = Field, "picture_too_large", "图片的像素过多", "The picture has too many pixels";
    HashMismatch = Field, "hash_mismatch", "收到的文件与所说的 SHA-256 不符", "The file that came is not the one the SHA-256 is of";
    ConflictDeclared = Field, "conflict_declared", "已申报与受检单位的利害关系, 须回避", "They have declared an interest in the unit and keep away from it";
    EvidenceRequired = Field, "evidence_required", "此项须附证据", "The item needs evidence";
    ControlCharacter = Field, "control_character", "含有不可见的控制字符", "It holds a control character";
    Blank = Field, "blank", "不能只有空白", "It may not be blank";
}
