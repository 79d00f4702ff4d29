//! Workbooks as Excel writes them, and as somebody with a grudge does.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// What stands in a cell.
#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    /// Nothing.
    Blank,
    /// A text.
    Text(&'a str),
    /// A number, as Excel writes it.
    Number(&'a str),
    /// A day, as the number Excel keeps of it.
    Day(u32),
    /// A formula and the text it had when the file was saved.
    Formula(&'a str, &'a str),
    /// An error.
    Error(&'a str),
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The XML of a sheet; rows stand from the first on, and blank ones are left out.
pub fn sheet(rows: &[Vec<Cell<'_>>]) -> String {
    let mut xml = String::from(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>"#,
    );
    for (row, cells) in (1..).zip(rows) {
        if cells.is_empty() {
            continue;
        }
        write!(xml, r#"<row r="{row}">"#).unwrap();
        for (column, cell) in (b'A'..=b'Z').map(char::from).zip(cells) {
            let at = format!("{column}{row}");
            match cell {
                Cell::Blank => write!(xml, r#"<c r="{at}"/>"#),
                Cell::Text(text) => {
                    write!(xml, r#"<c r="{at}" t="inlineStr"><is><t>{}</t></is></c>"#, escape(text))
                }
                Cell::Number(number) => write!(xml, r#"<c r="{at}"><v>{number}</v></c>"#),
                Cell::Day(day) => write!(xml, r#"<c r="{at}" s="1"><v>{day}</v></c>"#),
                Cell::Formula(formula, value) => write!(
                    xml,
                    r#"<c r="{at}" t="str"><f>{}</f><v>{}</v></c>"#,
                    escape(formula),
                    escape(value)
                ),
                Cell::Error(error) => write!(xml, r#"<c r="{at}" t="e"><v>{error}</v></c>"#),
            }
            .unwrap();
        }
        xml.push_str("</row>");
    }
    xml.push_str("</sheetData></worksheet>");
    xml
}

/// A workbook of these sheets, and of other parts beside what a workbook needs.
pub fn workbook(sheets: &[(&str, String)], others: &[(&str, Vec<u8>)]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let mut list = String::new();
    let mut relations = String::new();
    for (at, (name, _)) in (1..).zip(sheets) {
        write!(list, r#"<sheet name="{}" sheetId="{at}" r:id="rId{at}"/>"#, escape(name)).unwrap();
        write!(
            relations,
            r#"<Relationship Id="rId{at}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{at}.xml"/>"#
        )
        .unwrap();
    }
    let mut parts: Vec<(String, Vec<u8>)> = vec![
        (
            "_rels/.rels".into(),
            format!(
                r#"<Relationships xmlns="{RELATIONS}"><Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
            )
            .into(),
        ),
        (
            "xl/workbook.xml".into(),
            format!(r#"<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{list}</sheets></workbook>"#).into(),
        ),
        (
            "xl/_rels/workbook.xml.rels".into(),
            format!(r#"<Relationships xmlns="{RELATIONS}">{relations}</Relationships>"#).into(),
        ),
        (
            "xl/styles.xml".into(),
            format!(
                r#"<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"></xf><xf numFmtId="14"></xf></cellXfs></styleSheet>"#
            )
            .into(),
        ),
    ];
    for (at, (_, xml)) in (1..).zip(sheets) {
        parts.push((format!("xl/worksheets/sheet{at}.xml"), xml.clone().into()));
    }
    for (name, bytes) in others {
        parts.retain(|(known, _)| known != name);
        parts.push(((*name).to_owned(), bytes.clone()));
    }
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        archive.start_file(name, options).expect("a part");
        archive.write_all(&bytes).expect("its bytes");
    }
    archive.finish().expect("the archive").into_inner()
}
