//! Papers: what an endpoint answers with when an office is to print it, a page or a workbook as `Accept`
//! says, and nothing else.
//!
//! What is printed leaves the house as an exported list does: the audit log has its row before the first
//! byte, and no cache keeps it, so that none is had twice and told once.

use actix_web::HttpResponse;
use actix_web::http::header;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tokio::task::spawn_blocking;

use super::answer::{Answer, Given, IntoAnswer};
use super::export::{Account, Format, file_name};
use super::schemas::Collector;
use super::serve::{Context, in_time};
use crate::audit::hex;
use crate::errors::{AppError, Result};
use crate::papers::{self, Paper};

/// Characters of a file's name at most.
const LONGEST_NAME: usize = 60;

/// What a paper is given as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A page to print.
    Html,
    /// A workbook to print.
    Xlsx,
}

impl Form {
    /// Its media type.
    #[must_use]
    pub const fn media(self) -> &'static str {
        match self {
            Self::Html => "text/html",
            Self::Xlsx => Format::Xlsx.media(),
        }
    }

    /// How names of such files end.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Xlsx => Format::Xlsx.ending(),
        }
    }
}

impl IntoAnswer for Paper {
    const STATUS: u16 = 200;
    const ETAG: bool = false;
    const LOCATION: bool = false;
    const GIVEN: Given = Given::Paper;
    const KEPT: bool = false;

    fn schema(_: &mut Collector) -> Option<String> {
        None
    }
    fn example() -> Option<Value> {
        None
    }
    fn into_answer(self) -> Result<Answer> {
        let paper = Some(Box::new(self));
        Ok(Answer { paper, ..Answer::of(200, String::new()) })
    }
}

/// A paper that is to be given.
pub(super) struct Asked {
    pub form: Form,
    pub path: String,
    pub query: String,
    pub paper: Box<Paper>,
    pub account: Account,
}

/// Gives it.
///
/// # Errors
/// `exports_busy`; what keeps the audit log from taking its row.
pub(super) async fn give(asked: Asked, context: &Context) -> Result<HttpResponse> {
    let Asked { form, path, query, paper, account } = asked;
    let place = context.exports.place()?;
    let sealed = hex(&context.doors.keys().seal("export", &[query.as_bytes()]));
    let facts = json!({ "path": path, "query": sealed, "format": form.ending(), "rows": paper.rows() });
    let day = context.doors.now().shanghai_day();
    let how = if form == Form::Html { "inline" } else { "attachment" };
    // File systems take 255 bytes.
    let title: String = paper.title.chars().take(LONGEST_NAME).collect();
    let named = file_name(how, &title, paper.stem, day, form.ending());
    // The library may panic, and a long paper takes its time.
    let printed = spawn_blocking(move || print(form, &paper)).await.map_err(AppError::internal)??;
    drop(place);
    in_time(account(path, facts)).await?;
    let mut builder = HttpResponse::Ok();
    builder.insert_header((header::CONTENT_DISPOSITION, named));
    builder.insert_header((header::CACHE_CONTROL, "private, no-store"));
    Ok(match printed {
        Printed::Page(page) => {
            builder.insert_header((header::CONTENT_SECURITY_POLICY, policy(page.style)));
            builder.content_type("text/html; charset=utf-8").body(page.text)
        }
        Printed::Book(bytes) => builder.content_type(form.media()).body(bytes),
    })
}

enum Printed {
    Page(papers::Html),
    Book(Vec<u8>),
}

fn print(form: Form, paper: &Paper) -> Result<Printed> {
    match form {
        Form::Html => Ok(Printed::Page(papers::html(paper))),
        Form::Xlsx => papers::workbook(paper).map(Printed::Book).map_err(AppError::internal),
    }
}

/// Nothing but the page's own style: no script, nothing fetched, nothing sent, no frame round it.
fn policy(style: &str) -> String {
    let hash = STANDARD.encode(digest(&SHA256, style.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// Bytes of a paper at most, as the document says.
const LONGEST: i64 = 2_147_483_647;

/// What stands in the document for a page; the true one is longer by its style.
const EXAMPLE: &str = "<!doctype html>\n<html lang=\"zh-CN\">\n<head><meta charset=\"utf-8\"><title>实施方案</title></head>\n\
    <body><section class=\"upright\"><h1>云南省公安厅主题活动实施方案</h1></section></body>\n</html>\n";

/// Adds the two media types to an operation that answers with a paper, and their schemas.
pub(super) fn describe(operation: &mut Value, schemas: &mut Map<String, Value>) {
    let Some(success) = operation.pointer_mut("/responses/200").and_then(Value::as_object_mut) else {
        return;
    };
    success.insert(
        "description".into(),
        json!("成功。网页供直接打印, XLSX 供下载后打印; 不缓存, 每次都记入审计 (见开头的**打印**)。"),
    );
    if let Some(headers) = success.get_mut("headers").and_then(Value::as_object_mut) {
        headers.insert(
            "Content-Disposition".into(),
            json!({ "$ref": "#/components/headers/ContentDisposition" }),
        );
    }
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    success.insert(
        "content".into(),
        json!({
            Form::Html.media(): { "schema": reference("PrintedPage"), "example": EXAMPLE },
            Form::Xlsx.media(): { "schema": reference("PrintedWorkbook") },
        }),
    );
    schemas.entry("PrintedPage").or_insert_with(|| {
        json!({
            "type": "string", "maxLength": LONGEST, "pattern": "^[^\\u0000]*$",
            "description": "供打印的网页 (UTF-8): 公文版式 (参照 GB/T 9704), 自成一体, 不含脚本, 不引用任何外部资源。",
        })
    });
    schemas.entry("PrintedWorkbook").or_insert_with(|| {
        json!({
            "type": "string", "format": "binary", "maxLength": LONGEST,
            "description": "供打印的 XLSX 工作簿: A4, 缩放至一页宽, 每页重复表头, 页脚有页码; 文字一律为文本, 不会被当作公式。",
        })
    });
}
