//! CSV as Excel and WPS open it on a Windows of Chinese: UTF-8 with a byte order mark, RFC 4180
//! with CRLF, no cell a formula.

use csv::{Terminator, WriterBuilder};
use serde_json::Value;

use super::cell::{Cell, is_like_a_formula};
use super::sheet::Sheet;
use crate::errors::{AppError, Result};

/// Without it Excel reads the file in the machine's own code page.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The beginning of a file: the mark and the headings.
pub(super) fn head(sheet: &Sheet) -> Result<Vec<u8>> {
    let mut bytes = BYTE_ORDER_MARK.as_bytes().to_vec();
    let headings = sheet.columns.iter().map(|column| Cell::Text(column.heading.clone()));
    bytes.append(&mut records([headings])?);
    Ok(bytes)
}

/// The rows of one page.
pub(super) fn rows(sheet: &Sheet, rows: &[Value]) -> Result<Vec<u8>> {
    records(rows.iter().map(|row| sheet.columns.iter().map(|column| column.cell(row))))
}

fn records<R: IntoIterator<Item = Cell>>(records: impl IntoIterator<Item = R>) -> Result<Vec<u8>> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    for record in records {
        writer.write_record(record.into_iter().map(plain)).map_err(AppError::internal)?;
    }
    writer.into_inner().map_err(|error| AppError::internal(error.to_string()))
}

/// The text of a cell. What could be taken for a formula begins with an apostrophe, which spreadsheets
/// take for «this is text»; numbers are ours and stay what they are.
fn plain(cell: Cell) -> String {
    match cell {
        Cell::Text(text) if is_like_a_formula(&text) => format!("'{text}"),
        cell => cell.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be_and_never_formulas() {
        let text = |text: &str| Cell::Text(text.to_owned());
        let row = [
            text("=HYPERLINK(\"http://x\")"),
            text("甲,乙"),
            text("一\r\n二"),
            Cell::Number((-5).into()),
            Cell::Empty,
        ];
        let bytes = records([row]).unwrap();
        let wanted = "\"'=HYPERLINK(\"\"http://x\"\")\",\"甲,乙\",\"一\r\n二\",-5,\r\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), wanted);
    }
}
