//! What an import answers.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::db::text_enum;
use crate::web::Example;

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
    /// 为 true 时只检查不写入: 回答与正式导入相同, 有误为 422, 无误为 200 与报告。
    #[serde(default)]
    pub dry_run: bool,
}

/// 导入的报告。
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImportReport {
    /// 是否只检查未写入。
    pub dry_run: bool,
    /// 文件的格式。
    pub format: TableFormat,
    /// 文本的编码; Excel 工作簿为 null。
    pub encoding: Option<TextEncoding>,
    /// 文件的 SHA-256, 十六进制。
    #[schema(min_length = 64, max_length = 64, pattern = "^[0-9a-f]{64}$")]
    pub sha256: String,
    /// 读到的数据行数, 空行不计。
    #[schema(minimum = 0, maximum = 200_000)]
    pub rows_read: usize,
    /// 新增的行数。
    #[schema(minimum = 0, maximum = 200_000)]
    pub rows_new: usize,
    /// 改动的行数。
    #[schema(minimum = 0, maximum = 200_000)]
    pub rows_changed: usize,
    /// 已有且相同的行数。
    #[schema(minimum = 0, maximum = 200_000)]
    pub rows_unchanged: usize,
    /// 拒绝的行数; 有一行被拒绝则整个文件被拒绝, 故成功时总为 0。
    #[schema(minimum = 0, maximum = 200_000)]
    pub rows_refused: usize,
}

impl Example for ImportReport {
    fn example() -> Value {
        json!({
            "dry_run": false, "format": "csv", "encoding": "gb18030",
            "sha256": "9f2c6a1d0b7e4f583c6d9e8a7b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c",
            "rows_read": 1653, "rows_new": 1650, "rows_changed": 2, "rows_unchanged": 1, "rows_refused": 0,
        })
    }
}
