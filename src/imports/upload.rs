//! The body of an import, and how it is run.

use std::marker::PhantomData;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use super::cells::{MOST_COLUMNS, MOST_ROWS};
use super::reading::{Table, read};
use super::report::{ImportReport, TableFormat};
use super::{Counts, ImportRow};
use crate::access::{Done, Gate, Tx};
use crate::audit::Change;
use crate::errors::{AppError, Code, Result, text};
use crate::web::{Allowance, Body, Collector, Plain, Sent, Shapes, reference};

/// Files read at once: each may take a few hundred megabytes while it is.
static TURNS: Semaphore = Semaphore::const_new(2);
/// How long one waits for its turn.
const WAIT: Duration = Duration::from_secs(10);

const CSV: &str = "text/csv";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const NDJSON: &str = "application/x-ndjson";

/// A file whose rows are `R`, as it was sent: it is read once it is known that the caller may.
pub struct Upload<R> {
    sent: Sent,
    format: TableFormat,
    shapes: Shapes,
    of: PhantomData<fn() -> R>,
}

impl<R: ImportRow> Body for Upload<R> {
    const PRESENT: bool = true;
    const MEDIA: &'static [&'static str] = &[CSV, XLSX, NDJSON];
    const CHARSETS: &'static [&'static str] = &["utf-8", "gb18030", "gbk", "gb2312"];
    const ALLOWANCE: Allowance = Allowance::FILE;

    fn schema(schemas: &mut Collector) -> Option<String> {
        Some(schemas.request::<R>())
    }

    fn example() -> Option<Value> {
        Some(R::example())
    }

    fn content(schemas: &mut Collector) -> Option<Map<String, Value>> {
        let row = schemas.request::<R>();
        let most = Self::ALLOWANCE.bytes;
        let file = |format: &str, description: String, example: Value| {
            let schema = json!({
                "type": "string", "format": format, "minLength": 1, "maxLength": most, "description": description,
            });
            json!({ "schema": schema, "example": example })
        };
        let [english, chinese] = R::SHEET;
        let csv = format!(
            "UTF-8 (有无 BOM 均可) 或 GB18030; 分隔符为逗号、分号或制表符, 由标题行判定; 首行为标题, 用 {row} 的属性名或其中文名 \
             (属性说明的第一个短语), 次序不限; 单元格首尾空白略去, 空单元格即缺省; 至多 {MOST_ROWS} 行、{MOST_COLUMNS} 列。"
        );
        let xlsx = format!(
            "只读名为 {english} 或 {chinese} 的工作表, 没有则读第一张; 标题与 CSV 相同; 日期单元格即日期; 公式取其保存时的值; \
             不随任何外部链接。"
        );
        Some(
            [
                (CSV.to_owned(), file("csv", csv, json!(sample::<R>()))),
                (XLSX.to_owned(), file("binary", xlsx, json!("(Excel 工作簿)"))),
                // Each line is one of these; a file of one line is one.
                (NDJSON.to_owned(), json!({ "schema": reference(&row), "example": R::example() })),
            ]
            .into_iter()
            .collect(),
        )
    }

    fn parse(shapes: &Shapes, sent: Sent) -> Result<Self> {
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
        Ok(Self { sent, format, shapes: shapes.clone(), of: PhantomData })
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
    /// Reads the file, checks it, and writes it unless this is a trial: all of it in one transaction,
    /// or nothing.
    ///
    /// # Errors
    /// `malformed_file`, `body_too_large`, `import_refused` with every error of every row; those of
    /// [`Gate::run`].
    pub async fn run(self, gate: Gate<R::Action>, dry_run: bool) -> Result<Done<Plain<ImportReport>>> {
        let busy = || AppError::new(Code::Unavailable).retry_after(5);
        let _turn = tokio::time::timeout(WAIT, TURNS.acquire())
            .await
            .map_err(|_| busy())?
            .map_err(AppError::internal)?;
        let Self { sent, format, shapes, .. } = self;
        let today = gate.facts().now.shanghai_day();
        let reading = tokio::task::spawn_blocking(move || read::<R>(&shapes, sent, format, today));
        let table = reading.await.map_err(AppError::internal)??;
        if dry_run {
            // What a trial tells, errors too, is told of what is there: the log knows who asked.
            gate.record_look("import_trial", table.about.sha256.clone(), table.about.facts()).await?;
            // A transaction that cannot write: whatever a plan does, a trial leaves nothing.
            let report = gate
                .look(move |tx| {
                    let about = table.about.clone();
                    let (counts, _) = plan(tx, table)?;
                    Ok(about.report(true, counts))
                })
                .await?;
            return Done::with(Plain(report));
        }
        let (sha256, facts) = (table.about.sha256.clone(), table.about.facts());
        let run = gate.run(move |tx| {
            let about = table.about.clone();
            let (counts, changes) = plan(tx, table)?;
            let report = about.report(false, counts);
            if counts.new + counts.changed == 0 {
                tx.nothing_changed();
            } else {
                R::write(tx, changes)?;
                record(tx, &report)?;
            }
            Ok(Plain(report))
        });
        match run.await {
            Err(refused) if refused.code() == Code::ImportRefused => {
                gate.record_look("import_refused", sha256, facts).await?;
                Err(refused)
            }
            outcome => outcome,
        }
    }
}

fn plan<R: ImportRow>(tx: &mut Tx<'_, R::Action>, table: Table<R>) -> Result<(Counts, R::Changes)> {
    let Table { rows, mut refusals, about } = table;
    refusals.look_again();
    let planned = R::plan(tx, &rows, &mut refusals)?;
    if refusals.is_empty() { Ok(planned) } else { Err(refusals.refuse(&about.facts())) }
}

/// The audit row of the import itself, under the digest of its file.
fn record<A: crate::access::policy::Action>(tx: &mut Tx<'_, A>, report: &ImportReport) -> Result<()> {
    let facts = crate::access::facts(report)?;
    tx.record(&Change {
        entity: "import",
        entity_id: &report.sha256,
        before: None,
        after: Some(&facts),
        reason: None,
    })
}
