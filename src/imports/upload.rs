//! The body of an import, and how it is taken on.

use std::marker::PhantomData;

use serde_json::{Map, Value, json};

use super::ImportRow;
use super::cells::{MOST_COLUMNS, malformed};
use super::report::{Manner, TableFormat};
use crate::access::{Done, Gate, beside};
use crate::errors::{AppError, Code, Result, text};
use crate::jobs::http::JobView;
use crate::jobs::runner::JOB;
use crate::jobs::service::{self, NewJob};
use crate::web::{Accepted, Allowance, Body, Collector, Sent, Shapes, Spooled, reference};

/// Bytes of a workbook at most: it is read as a whole.
const MOST_OF_A_WORKBOOK: usize = 20 * 1024 * 1024;

const CSV: &str = "text/csv";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const NDJSON: &str = "application/x-ndjson";

/// A file whose rows are `R`, kept in pieces for its job.
pub struct Upload<R> {
    spooled: Spooled,
    format: TableFormat,
    charset: Option<String>,
    of: PhantomData<fn() -> R>,
}

impl<R: ImportRow> Body for Upload<R> {
    const PRESENT: bool = true;
    const MEDIA: &'static [&'static str] = &[CSV, XLSX, NDJSON];
    const CHARSETS: &'static [&'static str] = &["utf-8", "gb18030", "gbk", "gb2312"];
    const ALLOWANCE: Allowance = Allowance::FILE;
    const SPOOLED: bool = true;

    fn most(media: &str) -> usize {
        if media == XLSX { MOST_OF_A_WORKBOOK } else { Self::ALLOWANCE.bytes }
    }

    fn schema(schemas: &mut Collector) -> Option<String> {
        Some(schemas.request::<R>())
    }

    fn example() -> Option<Value> {
        Some(R::example())
    }

    fn content(schemas: &mut Collector) -> Option<Map<String, Value>> {
        let row = schemas.request::<R>();
        let file = |format: &str, most: usize, description: String, example: Value| {
            let schema = json!({
                "type": "string", "format": format, "minLength": 1, "maxLength": most, "description": description,
            });
            json!({ "schema": schema, "example": example })
        };
        let (most, workbook) = (Self::most(CSV), Self::most(XLSX));
        let [english, chinese] = R::SHEET;
        let rows = R::MOST;
        let csv = format!(
            "UTF-8 (有无 BOM 均可) 或 GB18030; 分隔符为逗号、分号或制表符, 由标题行判定; 首行为标题, 用 {row} 的属性名或其中文名 \
             (属性说明的第一个短语), 次序不限; 单元格首尾空白略去, 空单元格即缺省; 至多 {rows} 行、{MOST_COLUMNS} 列、512 MiB。"
        );
        let xlsx = format!(
            "只读名为 {english} 或 {chinese} 的工作表, 没有则读第一张; 标题与 CSV 相同; 日期单元格即日期; 公式取其保存时的值; \
             不随任何外部链接; 至多 20 MiB。"
        );
        Some(
            [
                (CSV.to_owned(), file("csv", most, csv, json!(sample::<R>()))),
                (XLSX.to_owned(), file("binary", workbook, xlsx, json!("(Excel 工作簿)"))),
                // Each line is one of these; a file of one line is one.
                (NDJSON.to_owned(), json!({ "schema": reference(&row), "example": R::example() })),
            ]
            .into_iter()
            .collect(),
        )
    }

    fn parse(_: &Shapes, sent: Sent) -> Result<Self> {
        let format = match sent.media {
            XLSX => TableFormat::Xlsx,
            NDJSON => TableFormat::Ndjson,
            _ => TableFormat::Csv,
        };
        if format != TableFormat::Csv && sent.charset.as_deref().is_some_and(|set| set != "utf-8") {
            let detail = text!(
                "只有 text/csv 可用 UTF-8 以外的编码",
                "Only text/csv may be in an encoding other than UTF-8"
            );
            return Err(AppError::because(Code::UnsupportedMediaType, detail));
        }
        let spooled = sent.spooled.ok_or_else(|| AppError::internal("a file is kept in pieces"))?;
        if spooled.bytes == 0 {
            return Err(malformed(text!("文件是空的", "The file is empty")));
        }
        Ok(Self { spooled, format, charset: sent.charset, of: PhantomData })
    }
}

/// A heading and a row, of the row's example.
fn sample<R: ImportRow>() -> String {
    let example = R::example();
    let cells = example.as_object().into_iter().flatten();
    let (names, values): (Vec<&str>, Vec<&str>) =
        cells.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default())).unzip();
    format!("{}\n{}\n", names.join(","), values.join(","))
}

impl<R: ImportRow> Upload<R> {
    /// Takes the import on: its job is answered, and done beside the server.
    ///
    /// # Errors
    /// Those of [`Gate::run`].
    pub async fn take_on(
        self,
        gate: Gate<R::Action>,
        manner: impl Into<Manner>,
    ) -> Result<Done<Accepted<JobView>>> {
        let Manner { dry_run, skip_refused } = manner.into();
        let Self { spooled, format, charset, .. } = self;
        let new = NewJob {
            id: spooled.job,
            kind: R::KIND,
            dry_run,
            skip_refused,
            format,
            charset,
            sha256: spooled.sha256,
            bytes: spooled.bytes,
        };
        let (own, tenant) = (format!("/jobs/{}", new.id), gate.tenant()?);
        let (body, location) = (new.id, own.clone());
        let outcome = gate
            .run(move |tx| Ok(Accepted { location, view: JobView::from(service::take_on(tx, new)?) }))
            .await;
        if outcome.as_ref().is_ok_and(|done| done.location() == Some(&own)) {
            gate.doors().jobs().add(tenant);
        } else {
            // A retry, whose body is here twice, or nothing came of it. What fails now is cleared away later.
            while matches!(
                beside(gate.doors(), tenant, JOB, move |tx| service::discard(tx, body)).await,
                Ok(true)
            ) {}
        }
        outcome
    }
}
