//! What the document says of exports: the two further media types of every list, each example made
//! from the list's own.

use serde_json::{Map, Value, json};

use super::sheet::Sheet;
use super::{Format, csv};

/// Bytes of a file at most, as the document says; rows are what is counted.
const LONGEST: i64 = 2_147_483_647;

/// Adds the media types to an operation that answers pages, and their schemas.
pub(in crate::web) fn describe(operation: &mut Value, schemas: &mut Map<String, Value>) {
    let Some(sheet) = Sheet::of(operation, schemas) else { return };
    let row = operation.pointer("/responses/200/content/application~1json/example/items/0");
    let rows: Vec<Value> = row.into_iter().cloned().collect();
    let Some(success) = operation.pointer_mut("/responses/200").and_then(Value::as_object_mut) else {
        return;
    };
    success.insert(
        "description".into(),
        json!("成功。JSON 为一页; CSV 与 XLSX 为符合条件的全部行, 作为附件下载 (见开头的**导出**)。"),
    );
    if let Some(headers) = success.get_mut("headers").and_then(Value::as_object_mut) {
        headers.insert(
            "Content-Disposition".into(),
            json!({ "$ref": "#/components/headers/ContentDisposition" }),
        );
    }
    let Some(content) = success.get_mut("content").and_then(Value::as_object_mut) else { return };
    let file = [csv::head(&sheet), csv::rows(&sheet, &rows)].into_iter().filter_map(Result::ok).flatten();
    let example = String::from_utf8(file.collect()).unwrap_or_default();
    content.insert(
        Format::Csv.media().into(),
        json!({ "schema": { "$ref": "#/components/schemas/CsvFile" }, "example": example }),
    );
    content.insert(
        Format::Xlsx.media().into(),
        json!({ "schema": { "$ref": "#/components/schemas/XlsxFile" } }),
    );
    schemas.entry("CsvFile").or_insert_with(|| {
        json!({
            "type": "string", "maxLength": LONGEST, "pattern": "^[^\\u0000]*$",
            "description": "CSV (RFC 4180): UTF-8 带 BOM, CRLF 换行, 首行为中文表头 (行模式各属性的 x-title)。时刻为北京时间; \
                以 = + - @ (含全角) 、制表符或换行开头的文字前加单引号, 不会被当作公式。代码须保留前导零时请用 XLSX。",
        })
    });
    schemas.entry("XlsxFile").or_insert_with(|| {
        json!({
            "type": "string", "format": "binary", "maxLength": LONGEST,
            "description": "XLSX 工作簿: 一张工作表, 中文表头, 冻结首行, 可筛选; 文字 (含代码、长数字) 一律为文本, 日期为真正的日期。",
        })
    });
}
