//! Every route on one page, and the server round them.

use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Server, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpMessage, HttpRequest, HttpResponse, HttpServer, web};

use crate::access::Doors;
use crate::access::accounts::imports::http as user_imports;
use crate::access::accounts::imports::rules::UserRow;
use crate::access::accounts::{bindings::http as bindings, http as users, sessions::http as user_sessions};
use crate::access::sessions::http as sessions;
use crate::audit::http as audit;
use crate::campaigns::campaign::http as campaigns;
use crate::campaigns::clearing::entries::http as entries;
use crate::campaigns::clearing::http as clearing;
use crate::campaigns::papers::http as papers;
use crate::campaigns::plan::ballots::http as votes;
use crate::campaigns::plan::cascade_http as cascade;
use crate::campaigns::plan::comments::http as comments;
use crate::campaigns::plan::http as plans;
use crate::campaigns::plan::many_http as many_plans;
use crate::campaigns::plan::matrix_http as matrix;
use crate::campaigns::plan::versions::http as versions;
use crate::campaigns::progress::http as progress;
use crate::campaigns::tasks::http as tasks;
use crate::events::changes_http as event_changes;
use crate::events::http as events;
use crate::imports::Importer;
use crate::inspections::attachments::http as attachments;
use crate::inspections::attachments::resumable::http as resumable;
use crate::inspections::authorisations::http as authorisations;
use crate::inspections::candidates::http as candidates;
use crate::inspections::checklists::{http as checklists, versions_http as checklist_versions};
use crate::inspections::checks::{http as checks, transitions_http as check_transitions};
use crate::inspections::conflicts::http as conflicts;
use crate::inspections::offline::bundle_http as offline;
use crate::inspections::offline::sync_http as sync;
use crate::jobs::http as jobs;
use crate::jobs::runner::{Runner, Work};
use crate::org::calendar::http as calendar;
use crate::org::changes::http as changes;
use crate::org::http as org;
use crate::org::imports::http as unit_imports;
use crate::org::imports::rules::UnitRow;
use crate::org::officers::http as officers;
use crate::org::officers::imports::http as officer_imports;
use crate::org::officers::imports::rules::OfficerRow;
use crate::org::posts::http as posts;
use crate::org::settings::http as settings;
use crate::org::stand_ins::http as stand_ins;
use crate::reference::http as reference;
use crate::waiting::http as waiting;
use crate::web::{
    Api, Context, ExportLimits, Exports, PackedOnce, RequestId, coded, configure, document, tus, unknown_path,
};

/// THE LIST OF ROUTES. What is not here is not served; what is here is in the document.
#[must_use]
#[rustfmt::skip]
pub fn api() -> Api {
    let api = Api::default()
        .with::<sessions::LoginEndpoint>().with::<sessions::RefreshEndpoint>()
        .with::<sessions::LogoutEndpoint>().with::<sessions::ChangePassword>()
        .with::<sessions::GetMe>().with::<waiting::GetWaiting>()
        .with::<sessions::ListOwnSessions>()
        .with::<sessions::EndOwnSession>()

        .with::<users::ListUsers>().with::<users::CreateUser>().with::<users::GetUser>().with::<users::UpdateUser>()
        .with::<user_imports::ImportUsers>()
        .with::<users::DisableUser>().with::<users::EnableUser>().with::<users::ResetUserPassword>()
        .with::<bindings::ListRoleBindings>().with::<bindings::GrantRole>()
        .with::<bindings::GetRoleBinding>().with::<bindings::RevokeRole>()
        .with::<user_sessions::ListUserSessions>().with::<user_sessions::EndUserSessions>()

        .with::<org::ListProvinces>().with::<org::GetProvince>()
        .with::<org::ListUnits>()
        .with::<org::GetUnit>()
        .with::<org::ListSubtree>()
        .with::<changes::CreateUnitEndpoint>().with::<changes::UpdateUnit>().with::<changes::ListUnitHistory>()
        .with::<unit_imports::ImportUnits>()
        .with::<changes::MoveUnitEndpoint>().with::<changes::MergeUnitEndpoint>().with::<changes::DeactivateUnitEndpoint>()
        .with::<org::ListCities>().with::<org::CreateCity>().with::<org::GetCity>().with::<org::UpdateCity>()
        .with::<org::ListCounties>().with::<org::CreateCounty>().with::<org::GetCounty>().with::<org::UpdateCounty>()
        .with::<org::ListStations>().with::<org::CreateStation>().with::<org::GetStation>().with::<org::UpdateStation>()
        .with::<org::ListDepartments>().with::<org::CreateDepartment>().with::<org::GetDepartment>().with::<org::UpdateDepartment>()
        .with::<org::ListServiceWindows>().with::<org::CreateServiceWindow>()
        .with::<org::GetServiceWindow>().with::<org::UpdateServiceWindow>()

        .with::<officers::ListOfficers>().with::<officers::CreateOfficer>().with::<officers::GetOfficer>()
        .with::<officer_imports::ImportOfficers>()
        .with::<officers::UpdateOfficer>().with::<officers::LeaveOfficerEndpoint>()
        .with::<officers::RevealOfficer>().with::<officers::EraseOfficer>()
        .with::<posts::ListPosts>().with::<posts::AppointOfficer>().with::<posts::GetPost>().with::<posts::CorrectPost>()
        .with::<posts::GetUnitHead>()
        .with::<stand_ins::ListStandIns>().with::<stand_ins::NameStandIn>()
        .with::<stand_ins::GetStandIn>().with::<stand_ins::EndStandIn>()

        .with::<calendar::GetCalendar>()
        .with::<calendar::GetDeadline>()
        .with::<calendar::GetCalendarDay>().with::<calendar::SetCalendarDay>().with::<calendar::ResetCalendarDay>()
        .with::<settings::GetSettings>().with::<settings::UpdateSettings>()
        .with::<settings::ListSettingsHistory>()

        .with::<campaigns::ListCampaigns>()
        .with::<campaigns::CreateCampaign>()
        .with::<campaigns::GetCampaign>()
        .with::<campaigns::UpdateCampaign>()
        .with::<campaigns::GetLeadingGroup>()
        .with::<campaigns::SetLeadingGroup>()
        .with::<matrix::GetMatrix>()
        .with::<plans::ListPlans>()
        .with::<plans::CreatePlan>()
        .with::<plans::GetPlan>()
        .with::<plans::UpdatePlan>()
        .with::<plans::SubmitPlan>()
        .with::<many_plans::ApprovePlans>()
        .with::<many_plans::ReturnPlans>()
        .with::<plans::ApprovePlan>()
        .with::<plans::ReturnPlan>()
        .with::<plans::PublishPlan>()
        .with::<plans::WithdrawPlan>().with::<plans::ConcludePlan>().with::<plans::ClosePlan>()
        .with::<versions::AmendPlan>().with::<versions::ListVersions>().with::<versions::GetVersion>().with::<versions::GetDiff>()
        .with::<votes::ListVotes>().with::<votes::GetVote>().with::<votes::CastVoteEndpoint>()
        .with::<comments::ListComments>().with::<comments::AddComment>()
        .with::<comments::GetComment>().with::<comments::ResolveComment>()
        .with::<cascade::GetInflation>()
        .with::<cascade::SpreadPlan>()
        .with::<papers::PrintPlan>().with::<papers::PrintTaskList>()
        .with::<plans::ListTasks>()
        .with::<plans::GetTask>()
        .with::<tasks::ListAssignments>().with::<tasks::GetAssignment>().with::<tasks::UpdateAssignment>()
        .with::<tasks::CompleteTaskEndpoint>().with::<tasks::ReopenTaskEndpoint>()
        .with::<entries::ListEntries>().with::<entries::CreateEntry>()
        .with::<entries::GetEntry>().with::<entries::UpdateEntry>()
        .with::<clearing::ListDailyClearing>().with::<clearing::GetClearingSummary>()
        .with::<papers::PrintClearing>()
        .with::<progress::GetProgress>();
    inspections(api)
        .with::<audit::ListAuditLog>().with::<audit::VerifyAuditLog>()
        .with::<audit::ListCheckpoints>().with::<audit::GetCheckpoint>().with::<audit::GetAuditEntry>()

        .with::<events::ListenToEvents>().with::<event_changes::ListChanges>()
        .with::<jobs::ListJobs>().with::<jobs::GetJob>().with::<jobs::CancelJob>().with::<jobs::ListJobRefusals>()

        .with::<reference::GetDictionaries>()
        .with::<reference::GetPolicy>()
        .with::<reference::GetLive>()
        .with::<reference::GetReady>()
        .with::<reference::GetKeys>()
}

/// Those of inspections.
#[rustfmt::skip]
fn inspections(api: Api) -> Api {
    api
        .with::<checklists::ListChecklistTemplates>()
        .with::<checklists::ListChecklists>().with::<checklists::CreateChecklist>()
        .with::<checklists::GetChecklist>().with::<checklists::UpdateChecklist>()
        .with::<checklists::PublishChecklist>().with::<checklists::RetireChecklist>()
        .with::<authorisations::ListAuthorisations>().with::<authorisations::ProposeAuthorisation>()
        .with::<authorisations::GetAuthorisation>().with::<authorisations::UpdateAuthorisation>()
        .with::<authorisations::ApproveAuthorisationEndpoint>().with::<authorisations::RejectAuthorisation>()
        .with::<authorisations::RevokeAuthorisation>().with::<authorisations::ReplaceCommander>()
        .with::<conflicts::ListConflicts>().with::<conflicts::DeclareConflict>()
        .with::<conflicts::GetConflict>().with::<conflicts::EndConflict>()
        .with::<resumable::BeginUpload>().with::<resumable::GetUploadOffset>().with::<resumable::SendUploadPart>().with::<resumable::EndUpload>()
        .with::<attachments::ListAttachments>().with::<attachments::UploadAttachment>().with::<attachments::GetAttachment>().with::<attachments::GetAttachmentContent>()
        .with::<attachments::WithdrawAttachment>()
        .with::<checks::ListChecks>().with::<checks::CreateCheck>().with::<checks::GetCheck>().with::<checks::ListCheckReaders>()
        .with::<offline::GetOfflineBundle>().with::<sync::SyncOffline>()
        .with::<check_transitions::RecordCheck>().with::<check_transitions::ConfirmCheck>()
        .with::<check_transitions::ReleaseCheck>().with::<check_transitions::ContestCheckEndpoint>()
        .with::<check_transitions::DecideCheckEndpoint>().with::<check_transitions::VoidCheckEndpoint>()
        .with::<check_transitions::AddAddendumEndpoint>().with::<check_transitions::GiveUpAttachments>()
        .with::<candidates::ListCandidates>().with::<candidates::GetCandidate>()
        .with::<checklist_versions::ListChecklistVersions>().with::<checklist_versions::GetChecklistVersion>()
}

/// How the server is run.
#[derive(Debug, Clone)]
pub struct Serving {
    /// Worker threads.
    pub workers: usize,
    /// Web origins whose pages may call; `*` for any.
    pub origins: Vec<String>,
}

/// Everything requests share; `proxies` are those whose `X-Forwarded-For` is believed.
#[must_use]
pub fn context(doors: Arc<Doors>, proxies: Vec<IpAddr>) -> Arc<Context> {
    let api = api();
    let (document, shapes) = document(&api);
    let document_text = serde_json::to_vec(&document).unwrap_or_default().into();
    let exports = Exports::of(&document, ExportLimits::default());
    let document_packed = PackedOnce::default();
    Arc::new(Context {
        doors,
        api,
        document,
        document_text,
        document_packed,
        exports,
        proxies,
        shapes,
        rates: None,
    })
}

/// What does the jobs that requests take on. EVERY KIND OF JOB STANDS HERE.
#[must_use]
pub fn runner(context: &Context) -> Runner {
    let shapes = || context.shapes.clone();
    let works: Vec<Box<dyn Work>> = vec![
        Box::new(Importer::<UnitRow>::new(shapes())),
        Box::new(Importer::<OfficerRow>::new(shapes())),
        Box::new(Importer::<UserRow>::new(shapes())),
    ];
    Runner::new(Arc::clone(&context.doors), works)
}

/// Starts to serve on a bound listener; the server drains when it is stopped.
///
/// # Errors
/// When the listener cannot be used.
pub fn start(context: Arc<Context>, listener: TcpListener, serving: &Serving) -> std::io::Result<Server> {
    let origins = serving.origins.clone();
    let server = HttpServer::new(move || {
        let context = context.clone();
        App::new()
            .wrap(from_fn(coded))
            .wrap(from_fn(tus::method_in_a_header))
            .wrap(from_fn(frame))
            .wrap(cors(&origins))
            .configure(crate::web::docs)
            .configure(|config| configure(&context, config))
            .default_service(web::to(unknown_path))
    })
    .workers(serving.workers)
    .disable_signals()
    .keep_alive(Duration::from_secs(75))
    .client_request_timeout(Duration::from_secs(10))
    // Whoever has hung up waits for nothing: what was begun for them (an export, above all) ends.
    .h1_allow_half_closed(false)
    .shutdown_timeout(30)
    .listen(listener)?;
    Ok(server.run())
}

/// Tells the figures of this process on a listener of its own, for as long as the program runs.
///
/// # Errors
/// When the listener cannot be used.
pub fn watched(doors: Arc<Doors>, listener: TcpListener) -> std::io::Result<Server> {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let doors = web::Data::from(doors);
    let server = HttpServer::new(move || {
        let tell = |request: HttpRequest, doors: web::Data<Doors>| async move {
            if request.path() != "/metrics" || request.method() != Method::GET {
                return HttpResponse::NotFound().finish();
            }
            match doors.metrics().text(doors.listeners().count()) {
                Ok(text) => HttpResponse::Ok().content_type(OPEN_METRICS).body(text),
                Err(error) => {
                    tracing::error!(%error, "the metrics could not be told");
                    HttpResponse::InternalServerError().finish()
                }
            }
        };
        App::new().app_data(doors.clone()).default_service(web::to(tell))
    })
    .workers(1)
    .disable_signals()
    .listen(listener)?;
    Ok(server.run())
}

fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers([
            "Authorization",
            "Content-Type",
            "Accept",
            "Accept-Language",
            "If-Match",
            "If-None-Match",
            "Idempotency-Key",
            "Last-Event-ID",
            "Range",
            "If-Range",
            "Tus-Resumable",
            "Upload-Length",
            "Upload-Metadata",
            "Upload-Offset",
            tus::OVERRIDE,
        ])
        .expose_headers([
            "ETag",
            "Location",
            "Link",
            "Retry-After",
            "RateLimit",
            "RateLimit-Policy",
            "X-Request-Id",
            "Content-Language",
            "Content-Disposition",
            "Content-Range",
            "Accept-Ranges",
            "Tus-Resumable",
            "Tus-Version",
            "Tus-Extension",
            "Tus-Max-Size",
            "Upload-Offset",
            "Upload-Length",
            "Upload-Expires",
            "Attachment-Id",
        ])
        .max_age(3600);
    if origins.iter().any(|origin| origin == "*") {
        return cors.allow_any_origin().send_wildcard();
    }
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// Round every request: its id, the headers that every answer bears, the log.
async fn frame(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let id = uuid::Uuid::now_v7().to_string();
    request.extensions_mut().insert(RequestId(id.clone()));
    let started = std::time::Instant::now();
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let mut response = next.call(request).await?.map_into_boxed_body();
    let status = response.status().as_u16();
    tracing::debug!(request_id = %id, %method, %path, status, micros = started.elapsed().as_micros(), "request");
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // On one line: what is further out (CORS) reads the first alone, and replaces them all.
    let told = headers.get_all(header::VARY).filter_map(|value| value.to_str().ok());
    let vary: Vec<&str> = std::iter::once("Authorization, Accept-Language, Accept").chain(told).collect();
    if let Ok(vary) = HeaderValue::from_str(&vary.join(", ")) {
        headers.insert(header::VARY, vary);
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        // Kept by the caller alone, and asked for again each time: the ETag makes that cheap.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    Ok(response)
}
