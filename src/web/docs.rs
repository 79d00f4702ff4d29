//! What people read in a browser: the documentation page, the document itself, a page a code.

use actix_web::{HttpRequest, HttpResponse, web};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::problem::status_of;
use super::routes::BASE;
use super::serve::{Context, refuse};
use crate::errors::{AppError, Code, Kind};

/// Where the document is.
pub(super) const DOCUMENT: &str = "/api/v1/openapi.json";

/// Mounts `/docs`, the document, and `/problems/{code}`. They stand beside the table of routes, for
/// they are for people: no role, no JSON of ours, no operation.
pub fn docs(config: &mut web::ServiceConfig) {
    config
        .service(web::resource(DOCUMENT).route(web::get().to(openapi)).default_service(web::to(only_get)))
        .service(
            web::resource("/problems/{code}")
                .route(web::get().to(problem))
                .default_service(web::to(only_get)),
        )
        .service(web::resource("/docs").route(web::get().to(to_docs)).default_service(web::to(only_get)))
        .service(SwaggerUi::new("/docs/{_:.*}").config(
            Config::new([DOCUMENT]).try_it_out_enabled(true).persist_authorization(true).use_base_layout(),
        ));
}

async fn only_get(request: HttpRequest) -> HttpResponse {
    super::serve::method_not_allowed(request, "GET".to_owned()).await
}

async fn to_docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header(("Location", "/docs/")).finish()
}

async fn openapi(context: web::Data<Context>) -> HttpResponse {
    let mut response =
        HttpResponse::Ok().content_type("application/json").body(context.document_text.clone());
    response.extensions_mut().insert(context.document_packed.clone());
    response
}

async fn problem(request: HttpRequest, path: web::Path<String>) -> HttpResponse {
    let name = path.replace('-', "_");
    let Some(code) = Code::ALL.iter().find(|code| code.name() == name) else {
        return refuse(&request, &AppError::new(Code::NotFound));
    };
    let (zh, en) = advice(code.kind());
    // What is wrong with one field is told within the answer about all of them.
    let place = if code.kind() == Kind::Field { "errors[].code" } else { "type" };
    let page = format!(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><title>{name} · 评议</title>\
         <style>body{{font:16px/1.7 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}}\
         code{{background:#eee;padding:.1em .3em}}</style></head><body><h1>{}</h1><p lang=\"en\">{}</p>\
         <p><code>{name}</code> · HTTP {} · <code>{place}</code></p><p>{zh}</p><p lang=\"en\">{en}</p><p><a href=\"/docs/\">接口文档</a> · \
         <a href=\"{BASE}/dictionaries\">/dictionaries</a></p></body></html>",
        code.title_zh(),
        code.title_en(),
        status_of(code.kind()),
    );
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page)
}

/// What whoever meets a refusal of this kind can do.
const fn advice(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::BadRequest => (
            "请求无法读取, 按 detail 修正后重发。",
            "The request could not be read; mend it as detail says and send it again.",
        ),
        Kind::Unauthenticated => (
            "请登录, 或用刷新令牌换取新的访问令牌。",
            "Sign in, or get a new access token with the refresh token.",
        ),
        Kind::Forbidden => (
            "由安全管理员授予相应角色; GET /policy 列出各角色的权限。",
            "A security administrator may grant the role; GET /policy lists what each role may do.",
        ),
        Kind::NotFound => (
            "不存在、属于他省或不在您的辖区内, 三者回答相同。",
            "It does not exist, belongs to another province, or lies out of your reach: the answer is the same.",
        ),
        Kind::MethodNotAllowed => {
            ("Allow 头列出可用的方法。", "The Allow header lists the methods there are.")
        }
        Kind::NotAcceptable | Kind::RangeNotSatisfiable | Kind::UnsupportedMedia => {
            ("改用文档所列的内容类型。", "Use a media type that the document lists.")
        }
        Kind::Conflict => (
            "先取得对象的最新状态; allowed_actions 给出此刻可做的操作。",
            "Fetch the newest state first; allowed_actions tells what can be done now.",
        ),
        Kind::Gone => (
            "它已有结局, 不会再来; detail 与 facts 说明原因, 需要时重新开始。",
            "It has come to its end and does not come back; detail and facts tell why. Begin anew where that helps.",
        ),
        Kind::PreconditionFailed => (
            "他人已修改: 取得最新版本 (ETag), 合并后再提交。",
            "Somebody else has changed it: fetch the newest version (ETag), merge, send again.",
        ),
        Kind::PreconditionRequired => {
            ("带上 If-Match, 值为所知版本的 ETag。", "Send If-Match with the ETag of the version you know.")
        }
        Kind::TooLarge | Kind::UriTooLong => ("减少内容或分批发送。", "Send less, or in several requests."),
        Kind::Unprocessable | Kind::Field => (
            "errors 一次列出全部问题及其位置, 逐一修正。",
            "errors lists everything that is wrong and where; mend each.",
        ),
        Kind::TooMany | Kind::Unavailable => {
            ("等待 Retry-After 所给的秒数后再试。", "Try again after the seconds that Retry-After gives.")
        }
        Kind::Internal => (
            "是我们的错; 请把 request_id 告诉管理员。",
            "It is our fault; tell the administrator the request_id.",
        ),
    }
}
