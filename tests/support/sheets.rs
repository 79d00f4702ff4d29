//! Exported files, read back the way a spreadsheet reads them.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use pingyi::web::Format;

use super::client::{As, Reply};

/// Both formats.
pub const FORMATS: [Format; 2] = [Format::Csv, Format::Xlsx];

/// Asks for a list as a file.
pub fn export(who: &As<'_>, path: &str, format: Format) -> Reply {
    who.call("GET", path).header("Accept", format.media()).send()
}

/// The cells as a reader sees them, headings first.
#[track_caller]
pub fn table(format: Format, reply: &Reply) -> Vec<Vec<String>> {
    assert_eq!(reply.status, 200, "{}", reply.story());
    match format {
        Format::Csv => {
            let text = std::str::from_utf8(&reply.body).expect("UTF-8");
            let text = text.strip_prefix('\u{feff}').expect("a byte order mark, for Excel");
            assert!(text.ends_with("\r\n") && !text.replace("\r\n", "").contains('\r'), "lines end in CRLF");
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            let rows = reader.records().map(|row| row.expect("a row like the others"));
            rows.map(|row| row.iter().map(ToOwned::to_owned).collect()).collect()
        }
        Format::Xlsx => {
            let rows = cells(reply);
            // At midnight a moment and a day are the same number: the heading tells which it is.
            let is_moment: Vec<bool> =
                rows[0].iter().map(|heading| heading.to_string().ends_with("时刻")).collect();
            let row = |row: &Vec<Data>| {
                row.iter().zip(&is_moment).map(|(cell, is_moment)| shown(cell, *is_moment)).collect()
            };
            rows.iter().map(row).collect()
        }
    }
}

/// The typed cells of a workbook, headings first.
#[track_caller]
pub fn cells(reply: &Reply) -> Vec<Vec<Data>> {
    let mut workbook: Xlsx<_> =
        calamine::open_workbook_from_rs(Cursor::new(reply.body.clone())).expect("a workbook");
    let name = workbook.sheet_names().first().expect("a sheet").clone();
    let formulas = workbook.worksheet_formula(&name).expect("the sheet's formulas");
    assert!(formulas.used_cells().next().is_none(), "a cell of an export is a formula");
    let range = workbook.worksheet_range(&name).expect("the sheet");
    range.rows().map(<[Data]>::to_vec).collect()
}

fn shown(cell: &Data, is_moment: bool) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) => text.clone(),
        Data::Float(number) => number.to_string(),
        Data::Int(number) => number.to_string(),
        Data::DateTime(at) => {
            let (year, month, day, hour, minute, second, milli) = at.to_ymd_hms_milli();
            // A number of days holds no second exactly.
            let second = second + u8::from(milli > 500);
            if !is_moment && at.as_f64().fract() == 0.0 {
                format!("{year:04}-{month:02}-{day:02}")
            } else {
                format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
            }
        }
        other => panic!("no cell of ours is {other:?}"),
    }
}
