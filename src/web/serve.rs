//! From a request to an answer, in the order the conventions give: unknown path, wrong method, who,
//! may they, media types, can it be read, has it the right shape; the rest is the service's.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, web};
use futures_util::FutureExt;
use serde_json::Value;

use super::accept::{Representation, choose, offers};
use super::answer::{Answer, Given, IntoAnswer};
use super::coding::{PackedOnce, Uncoded, coded_tag};
use super::content;
use super::endpoint::Endpoint;
use super::export::{Account, Asked, Exports, Format, check_query, give};
use super::form::receive_form;
use super::headers::{bearer, check_tags, facts_of, idempotency_claim, text_header};
use super::input::{Body, PathIds, parse_query};
use super::live;
use super::printed;
use super::problem::{Language, problem_response};
use super::rates::{Caller, Left, Rates};
use super::receive::{Allowance, Sent, leave_body, read_body, spool_body};
use super::routes::{Api, BASE, stands_at_root};
use super::sent_headers::read_headers;
use super::shape::Shapes;
use crate::access::policy::Action;
use crate::access::{Doors, Facts, Gate, Precondition};
use crate::errors::{AppError, Code, Result};

/// Bytes of an address at most.
const LONGEST_URI: usize = 8 * 1024;

/// What every request shares.
pub struct Context {
    /// Database, clock, keys.
    pub doors: Arc<Doors>,
    /// Every route.
    pub api: Api,
    /// The document.
    pub document: Value,
    /// The document's bytes, as served.
    pub document_text: web::Bytes,
    /// The same in a coding, once somebody has asked for that.
    pub document_packed: PackedOnce,
    /// What exports of lists share.
    pub exports: Exports,
    /// The proxies whose word about a caller's address is taken.
    pub proxies: Vec<IpAddr>,
    /// The compiled schemas.
    pub shapes: Shapes,
    /// How many requests each caller may make; none for as many as they like.
    pub rates: Option<Rates>,
}

/// The id of a request, told in `X-Request-Id`; set by the outermost middleware.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

pub(super) fn request_id(request: &HttpRequest) -> String {
    request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

fn language(request: &HttpRequest) -> Language {
    Language::from_header(text_header(request.headers(), header::ACCEPT_LANGUAGE.as_str()))
}

/// Answers a refusal to this request, and logs what is our fault.
pub fn refuse(request: &HttpRequest, error: &AppError) -> HttpResponse {
    let id = request_id(request);
    if let Some(source) = error.source_for_log() {
        tracing::error!(request_id = %id, code = error.code().name(), %source, "request failed");
    }
    problem_response(error, language(request), request.path(), &id)
}

/// 405 with the methods there are.
pub(super) async fn method_not_allowed(request: HttpRequest, allow: String) -> HttpResponse {
    let mut response = refuse(&request, &AppError::new(Code::MethodNotAllowed));
    if let Ok(allow) = header::HeaderValue::from_str(&allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// 404 for a path that is not in the table.
pub async fn unknown_path(request: HttpRequest) -> HttpResponse {
    if request.path().len() + request.query_string().len() > LONGEST_URI {
        return refuse(&request, &AppError::new(Code::UriTooLong));
    }
    refuse(&request, &AppError::new(Code::NotFound))
}

/// Registers every route, and the answer to all others.
pub fn configure(context: &Arc<Context>, config: &mut web::ServiceConfig) {
    context.api.register(config);
    config.app_data(web::Data::from(context.clone()));
}

pub(super) async fn serve<E: Endpoint>(
    request: HttpRequest,
    payload: web::Payload,
    context: web::Data<Context>,
) -> HttpResponse {
    let context = context.into_inner();
    let begun = std::time::Instant::now();
    let mut response = outcome::<E>(&request, payload, &context).await;
    if let Some(left) = request.extensions().get::<Left>() {
        left.tell(response.headers_mut());
    }
    for (name, says) in E::Body::TELLS {
        if let Ok(name) = header::HeaderName::from_bytes(name.as_bytes()) {
            response.headers_mut().insert(name, header::HeaderValue::from_static(says));
        }
    }
    if !E::Reply::CODED {
        response.extensions_mut().insert(Uncoded);
    }
    context.doors.metrics().answered(E::ID, response.status().as_u16(), begun.elapsed());
    response
}

async fn outcome<E: Endpoint>(
    request: &HttpRequest,
    payload: web::Payload,
    context: &Arc<Context>,
) -> HttpResponse {
    let deadline = E::Body::ALLOWANCE.whole.max(E::Reply::PATIENCE);
    match within(deadline, answer::<E>(request, payload, context)).await {
        Ok(Outcome::Answer(answer)) => respond::<E>(request, answer),
        Ok(Outcome::File(asked)) => {
            give(asked, context).await.unwrap_or_else(|error| refuse(request, &error))
        }
        Ok(Outcome::Events(answer)) => live::give(answer).unwrap_or_else(|error| refuse(request, &error)),
        Ok(Outcome::Content(answer)) => content::give(request, answer, context.doors.files())
            .await
            .unwrap_or_else(|error| refuse(request, &error)),
        Ok(Outcome::Paper(asked)) => {
            printed::give(asked, context).await.unwrap_or_else(|error| refuse(request, &error))
        }
        Err(error) => {
            let mut response = refuse(request, &error);
            if error.code() == Code::PreconditionFailed
                && let Some(etag) = current_etag::<E>(request, context).await
                && let Ok(etag) = header::HeaderValue::from_str(&etag)
            {
                response.headers_mut().insert(header::ETAG, etag);
            }
            response
        }
    }
}

/// Work that is given up at the deadline of a request that carries little, as each page of an export is.
pub(super) async fn in_time<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    within(Allowance::JSON.whole, work).await
}

/// Work that is given up after so long, and whose panic is an error like another.
async fn within<T>(deadline: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(deadline, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(AppError::internal("a handler panicked")),
        Err(_) => Err(AppError::new(Code::Timeout).retry_after(2)),
    }
}

/// What a request comes to when nothing is wrong with it.
enum Outcome {
    /// An answer.
    Answer(Answer),
    /// A list to be given as a file.
    File(Asked),
    /// Events to be sent.
    Events(Answer),
    /// A file to be given.
    Content(Answer),
    /// A paper to be given.
    Paper(printed::Asked),
}

async fn answer<E: Endpoint>(
    request: &HttpRequest,
    payload: web::Payload,
    context: &Arc<Context>,
) -> Result<Outcome> {
    if request.path().len() + request.query_string().len() > LONGEST_URI {
        return Err(AppError::new(Code::UriTooLong));
    }
    let mut facts = facts_of::<E>(request, context);
    let token = bearer(request.headers());
    // Whether the caller is known comes before all that follows; whether they may, before what is
    // wrong with their input.
    let opened = Gate::<E::Action>::open(&context.doors, token, facts.clone());
    // Whoever looks whether the server is well asks as often as they like.
    if let Some(rates) = context.rates.as_ref().filter(|_| !stands_at_root(E::PATH)) {
        let address = || Caller::Address(facts.address.clone());
        let account = opened.as_ref().ok().and_then(Gate::account);
        let caller = account.map_or_else(address, |(of, id)| Caller::Account(of, id));
        let (left, outcome) = rates.count(&caller);
        request.extensions_mut().insert(left);
        outcome?;
    }
    let gate = opened?;
    let sent = if E::Body::SPOOLED || E::Body::FORM {
        // Nobody makes the server keep a large file who may not have it read.
        gate.authorize().await?;
        // What is wrong beside the file is told before it is taken.
        choose(request.headers(), offers(E::Reply::GIVEN))?;
        check_tags(request.headers())?;
        parse_query::<E::Query>(&context.shapes, E::ID, request.query_string())?;
        // It may take long to arrive: what follows happens when it has.
        let sent = if E::Body::FORM {
            receive_form::<E::Body>(request, payload).await
        } else {
            spool_body::<E::Body, E::Action>(request, payload, &gate).await
        };
        facts.now = context.doors.now();
        sent
    } else if E::Body::STREAMED {
        leave_body::<E::Body>(request, payload)
    } else if E::Body::PRESENT {
        read_body::<E::Body>(request, payload).await
    } else {
        Ok(Sent::default())
    };
    let input = sent.and_then(|sent| read_input::<E>(request, sent, context, &mut facts));
    let (representation, path, query, body) = match input {
        Ok(input) => input,
        Err(error) => {
            gate.authorize().await?;
            return Err(error);
        }
    };
    if E::Reply::GIVEN == Given::Pages
        && let Some(cursor) = cursor_of(request.query_string())
        && let Err(error) = gate.check_cursor(cursor)
    {
        gate.authorize().await?;
        return Err(error);
    }
    let gate = gate.with_facts(facts);
    match representation {
        Representation::Json => Ok(Outcome::Answer(E::handle(gate, path, query, body).await?.into_answer())),
        Representation::Live => Ok(Outcome::Events(E::handle(gate, path, query, body).await?.into_answer())),
        Representation::Kept => Ok(Outcome::Content(E::handle(gate, path, query, body).await?.into_answer())),
        Representation::File(format) => Ok(Outcome::File(asked::<E>(request, context, gate, format))),
        Representation::Print(form) => {
            let account = accountant(gate.clone());
            let paper = E::handle(gate, path, query, body).await?.into_answer().paper;
            Ok(Outcome::Paper(printed::Asked {
                form,
                path: request.path().to_owned(),
                query: request.query_string().to_owned(),
                paper: paper.ok_or_else(|| AppError::internal(format!("{} answered no paper", E::ID)))?,
                account,
            }))
        }
    }
}

/// Who leaves the audit row of what is given as a file.
fn accountant<A: Action>(gate: Gate<A>) -> Account {
    Box::new(move |path, facts| Box::pin(async move { gate.record_look("export", path, facts).await }))
}

/// The list as a file, its endpoint's type forgotten: how to read a page, how to account for it.
fn asked<E: Endpoint>(
    request: &HttpRequest,
    context: &Arc<Context>,
    gate: Gate<E::Action>,
    format: Format,
) -> Asked {
    let ids: Vec<String> = request.match_info().iter().map(|(_, value)| value.to_owned()).collect();
    let (account, context) = (accountant(gate.clone()), context.clone());
    Asked {
        format,
        operation: E::ID,
        path: request.path().to_owned(),
        query: request.query_string().to_owned(),
        request_id: request_id(request),
        read: Box::new(move |query| {
            // What the caller may counts as it is when the page is read, not as it was at first.
            let facts = Facts { now: context.doors.now(), ..gate.facts().clone() };
            let (gate, context, ids) = (gate.clone().with_facts(facts), context.clone(), ids.clone());
            Box::pin(async move { ask::<E>(&context, gate, &ids, &query).await })
        }),
        account,
    }
}

/// What a request asks for, and how it wants it.
type Input<E> = (Representation, <E as Endpoint>::Path, <E as Endpoint>::Query, <E as Endpoint>::Body);

fn read_input<E: Endpoint>(
    request: &HttpRequest,
    mut sent: Sent,
    context: &Context,
    facts: &mut Facts,
) -> Result<Input<E>> {
    let representation = choose(request.headers(), offers(E::Reply::GIVEN))?;
    check_tags(request.headers())?;
    sent.headers = read_headers::<E::Body>(request.headers())?;
    if E::VERB == super::Verb::Post {
        facts.idempotency = idempotency_claim::<E>(request, context.doors.keys(), &E::Body::gist(&sent))?;
    }
    let query = parse_query::<E::Query>(&context.shapes, E::ID, request.query_string())?;
    if matches!(representation, Representation::File(_)) {
        check_query(request.query_string())?;
    }
    let body = E::Body::parse(&context.shapes, sent)?;
    let path = path_ids::<E>(request).ok_or_else(|| AppError::new(Code::NotFound))?;
    Ok((representation, path, query, body))
}

fn cursor_of(query: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes())
        .find_map(|(name, value)| (name == "cursor").then(|| value.into_owned()))
}

fn path_ids<E: Endpoint>(request: &HttpRequest) -> Option<E::Path> {
    let values: Vec<&str> = request.match_info().iter().map(|(_, value)| value).collect();
    E::Path::parse(&values)
}

fn respond<E: Endpoint>(request: &HttpRequest, answer: Answer) -> HttpResponse<BoxBody> {
    let mut builder = HttpResponse::build(StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK));
    if let Some(etag) = &answer.etag {
        builder.insert_header((header::ETAG, etag.as_str()));
        let known = text_header(request.headers(), header::IF_NONE_MATCH.as_str());
        if E::VERB == super::Verb::Get
            && let Some(held) = known.and_then(|known| held(known, etag))
        {
            builder.status(StatusCode::NOT_MODIFIED).insert_header((header::ETAG, held));
            return builder.finish();
        }
    }
    if let Some(location) = &answer.location {
        builder.insert_header((header::LOCATION, format!("{BASE}{location}")));
    }
    if let Some(cursor) = &answer.next_link {
        builder.insert_header((header::LINK, next_link(request, cursor)));
    }
    for (name, says) in E::Reply::headers(&answer.body) {
        builder.insert_header((name, says));
    }
    if answer.status == 204 || E::VERB == super::Verb::Head {
        return builder.finish();
    }
    builder.content_type("application/json").body(answer.body)
}

/// By which of its names the caller has this already, as it is or coded: the answer then tells that this copy is
/// still good. If-None-Match compares weakly (RFC 9110 §13.1.2).
pub(super) fn held(header: &str, etag: &str) -> Option<String> {
    let coded = coded_tag(etag);
    header.split(',').map(str::trim).find_map(|tag| match tag.trim_start_matches("W/") {
        "*" => Some(etag.to_owned()),
        tag => (tag == etag || tag == coded).then(|| tag.to_owned()),
    })
}

fn next_link(request: &HttpRequest, cursor: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(request.query_string().as_bytes()) {
        if name != "cursor" {
            query.append_pair(&name, &value);
        }
    }
    query.append_pair("cursor", cursor);
    format!("<{}?{}>; rel=\"next\"", request.path(), query.finish())
}

/// What the caller would get now: asked of the endpoint that shows the resource, as the caller.
async fn current_etag<E: Endpoint>(request: &HttpRequest, context: &Arc<Context>) -> Option<String> {
    let route = context.api.shows(E::PATH)?;
    let mut facts = facts_of::<E>(request, context);
    facts.precondition = Precondition::None;
    let ids = request.match_info().iter().map(|(_, value)| value.to_owned()).take(route.ids).collect();
    let token = bearer(request.headers()).map(ToOwned::to_owned);
    (route.fetch)(context.clone(), token, facts, ids).await.ok()?.etag
}

/// Runs a GET endpoint without a request of its own.
pub(super) async fn fetch<E: Endpoint>(
    context: Arc<Context>,
    token: Option<String>,
    facts: Facts,
    ids: Vec<String>,
) -> Result<Answer> {
    let gate = Gate::<E::Action>::open(&context.doors, token.as_deref(), facts)?;
    ask::<E>(&context, gate, &ids, "").await
}

/// Asks an endpoint that takes no body, as whoever is at the gate.
async fn ask<E: Endpoint>(
    context: &Context,
    gate: Gate<E::Action>,
    ids: &[String],
    query: &str,
) -> Result<Answer> {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let path = E::Path::parse(&ids).ok_or_else(|| AppError::new(Code::NotFound))?;
    let query = parse_query::<E::Query>(&context.shapes, E::ID, query)?;
    let body = E::Body::parse(&context.shapes, Sent::default())?;
    E::handle(gate, path, query, body).await.map(crate::access::Done::into_answer)
}
