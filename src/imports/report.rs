//! How a table arrives, and how it is to be taken.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::db::text_enum;

text_enum! {
    /// The form a table arrives in.
    TableFormat as "table_format" {
        Csv = "csv", "CSV", "CSV", grey;
        Xlsx = "xlsx", "Excel 工作簿", "Excel workbook", green;
        Ndjson = "ndjson", "逐行 JSON", "JSON lines", grey;
    }
}

text_enum! {
    /// The encoding a text was found to be in.
    TextEncoding as "text_encoding" {
        Utf8 = "utf-8", "UTF-8", "UTF-8", grey;
        Gb18030 = "gb18030", "GB18030", "GB18030", grey;
    }
}

/// 导入的方式。
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportQuery {
    /// 为 true 时只检查不写入: 各行数与正式导入相同, 结束时什么也不留下。
    #[serde(default)]
    pub dry_run: bool,
}

/// 导入的方式, 可略去有误的行。
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchQuery {
    /// 为 true 时只检查不写入: 各行数与正式导入相同, 结束时什么也不留下。
    #[serde(default)]
    pub dry_run: bool,
    /// 为 true 时略去有误的行, 导入其余; 缺省有一行有误则一行也不导入。
    #[serde(default)]
    pub skip_refused: bool,
}

/// How a table is to be taken.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Whether it is only tried.
    pub dry_run: bool,
    /// Whether rows with errors are left out, instead of keeping all others out as well.
    pub skip_refused: bool,
}

impl From<ImportQuery> for Manner {
    fn from(query: ImportQuery) -> Self {
        Self { dry_run: query.dry_run, skip_refused: false }
    }
}

impl From<BatchQuery> for Manner {
    fn from(query: BatchQuery) -> Self {
        Self { dry_run: query.dry_run, skip_refused: query.skip_refused }
    }
}
