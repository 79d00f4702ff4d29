//! A paper as a page to print: one file, no script, nothing fetched from elsewhere.

use super::markup::Markup;
use super::{Block, Cell, Layout, Paper, Part, Row, Table, Weight};

/// How an official document looks (GB/T 9704): 22 lines of 28 characters on a sheet.
const STYLE: &str = include_str!("paper.css");

/// A page, and the one style that is its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Html {
    /// The whole file.
    pub text: String,
    /// What stands between its `<style>` tags: whoever sends it allows this style and no other.
    pub style: &'static str,
}

/// Prints a paper as a page.
#[must_use]
pub fn html(paper: &Paper) -> Html {
    let mut page = Markup::default();
    page.raw("<!doctype html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.raw("<meta name=\"viewport\" content=\"width=device-width\">\n");
    page.within("<title>", &paper.title, "</title>\n");
    page.raw("<style>").raw(STYLE).raw("</style>\n</head>\n<body>\n");
    if let Some(mark) = paper.mark {
        // Fixed, so it stands on every sheet; the words above the title are what is read aloud.
        page.raw("<div class=\"mark\" aria-hidden=\"true\">").text(mark).raw("</div>\n");
    }
    for (at, part) in paper.parts.iter().enumerate() {
        let stamp = paper.mark.filter(|_| at == 0);
        put_part(&mut page, part, stamp);
    }
    page.raw("</body>\n</html>\n");
    Html { text: page.finish(), style: STYLE }
}

fn put_part(page: &mut Markup, part: &Part, stamp: Option<&'static str>) {
    page.raw(match part.layout {
        Layout::Upright => "<section class=\"upright\">\n",
        Layout::Wide => "<section class=\"wide\">\n",
    });
    if let Some(stamp) = stamp {
        page.within("<p class=\"stamp\">【", stamp, "】</p>\n");
    }
    for block in &part.blocks {
        put_block(page, block);
    }
    page.raw("</section>\n");
}

fn put_block(page: &mut Markup, block: &Block) {
    match block {
        Block::Title(text) => page.within("<h1>", text, "</h1>\n"),
        Block::Byline(text) => page.within("<p class=\"byline\">", text, "</p>\n"),
        Block::Label(text) => page.within("<p class=\"label\">", text, "</p>\n"),
        Block::Heading(text) => page.within("<h2>", text, "</h2>\n"),
        Block::Subheading(text) => page.within("<h3>", text, "</h3>\n"),
        Block::Text(text) => page.within("<p class=\"text\">", text, "</p>\n"),
        Block::Numbered(items) => {
            for (number, item) in (1..).zip(items) {
                page.raw("<p class=\"item\">").number(number).within(". ", item, "</p>\n");
            }
            page
        }
        Block::Signature(lines) => {
            page.raw("<div class=\"signature\"><div>\n");
            for line in lines {
                page.within("<p>", line, "</p>\n");
            }
            page.raw("</div></div>\n")
        }
        Block::Remark(text) => page.within("<p class=\"remark\">", text, "</p>\n"),
        Block::Table(table) => {
            put_table(page, table);
            page
        }
    };
}

fn put_table(page: &mut Markup, table: &Table) {
    let whole: usize = table.columns.iter().map(|column| usize::from(column.width)).sum();
    page.raw("<table>\n<colgroup>");
    for column in &table.columns {
        // Thousandths, for columns are narrow beside a whole sheet.
        let share = usize::from(column.width) * 1000 / whole.max(1);
        page.raw("<col width=\"").number(share / 10).raw(".").number(share % 10).raw("%\">");
    }
    page.raw("</colgroup>\n<thead><tr>");
    for column in &table.columns {
        page.within("<th scope=\"col\">", column.heading, "</th>");
    }
    page.raw("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        put_row(page, table, row);
    }
    page.raw("</tbody>\n</table>\n");
}

fn put_row(page: &mut Markup, table: &Table, row: &Row) {
    page.raw(match row.weight {
        Weight::Plain => "<tr>",
        Weight::Subtotal => "<tr class=\"subtotal\">",
        Weight::Total => "<tr class=\"total\">",
    });
    for (column, cell) in table.columns.iter().zip(&row.cells) {
        page.raw(match cell {
            Cell::Number(_) if !column.centred => "<td class=\"n\">",
            _ if column.centred => "<td class=\"c\">",
            _ => "<td>",
        });
        page.text(&cell.shown()).raw("</td>");
    }
    page.raw("</tr>\n");
}

#[cfg(test)]
mod tests {
    use super::super::Column;
    use super::*;

    #[test]
    fn whatever_stands_on_a_page_is_escaped() {
        let nasty = || "<script>\"'&".to_owned();
        let table = Table {
            columns: vec![Column::text("名", 10), Column::short("数", 5)],
            rows: vec![Row::plain(vec![Cell::Text(nasty()), Cell::Number(3)])],
        };
        let blocks = vec![
            Block::Title(nasty()),
            Block::Byline(nasty()),
            Block::Label(nasty()),
            Block::Heading(nasty()),
            Block::Subheading(nasty()),
            Block::Text(nasty()),
            Block::Numbered(vec![nasty()]),
            Block::Signature(vec![nasty()]),
            Block::Remark(nasty()),
            Block::Table(table),
        ];
        let parts = vec![Part { layout: Layout::Upright, blocks }];
        let paper = Paper { title: nasty(), stem: "paper", mark: Some("草稿"), parts, sheets: Vec::new() };
        let page = html(&paper).text;
        assert_eq!(page.matches("&lt;script&gt;&quot;&#39;&amp;").count(), 11);
        assert!(!page.contains("<script") && !page.contains("style=") && !page.contains("http"));
        assert_eq!(page.matches("草稿").count(), 2);
        assert!(page.contains("<col width=\"66.6%\"><col width=\"33.3%\">"));
    }
}
