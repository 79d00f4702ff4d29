//! How much room text takes in a workbook, which does not measure it by itself before it is printed.

/// Points a line takes.
const LINE: f64 = 15.0;
/// Points above and below the lines of a cell, together.
const PADDING: f64 = 9.0;
/// Points a row may be high: Excel knows no higher one.
const HIGHEST: f64 = 409.0;
/// Lines that fit into the highest row.
const MOST_LINES: usize = 26;
/// Digits the widest column may be wide.
const WIDEST: u16 = 120;

/// Digits a sign takes: a Chinese one is as wide as two.
fn wide(sign: char) -> usize {
    if sign.is_ascii() { 1 } else { 2 }
}

/// Lines a text takes in a column so many digits wide.
pub(super) fn lines(text: &str, width: u16) -> usize {
    // The cell's own margin and its indent; and a Chinese sign that does not fit any more goes to the next line.
    let room = usize::from(width).saturating_sub(3).max(2);
    let of = |line: &str| line.chars().map(wide).sum::<usize>().div_ceil(room).max(1);
    text.lines().map(of).sum::<usize>().max(1)
}

/// Points a row of so many lines is high.
pub(super) fn height(lines: usize) -> f64 {
    let lines = u32::try_from(lines).unwrap_or(u32::MAX);
    (f64::from(lines) * LINE + PADDING).clamp(22.0, HIGHEST)
}

/// The width at which each of the texts fits into the highest row, the wanted one at least.
pub(super) fn roomy<'t>(wanted: u16, texts: impl Iterator<Item = &'t str>) -> u16 {
    let longest = texts.max_by_key(|text| lines(text, wanted)).unwrap_or_default();
    let mut width = wanted;
    while width < WIDEST && lines(longest, width) > MOST_LINES {
        width += 2;
    }
    width
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_as_high_as_their_text() {
        assert_eq!(
            [lines("", 12), lines("一二三四五", 13), lines("一二三四五六", 13), lines("a\nb", 13)],
            [1, 1, 2, 2]
        );
        assert!(height(1) < height(2) && height(1000) <= HIGHEST);
    }

    #[test]
    fn a_column_grows_until_its_longest_text_fits() {
        let long = "长".repeat(1000);
        let width = roomy(40, ["短", &long].into_iter());
        assert!(width > 40 && lines(&long, width) <= MOST_LINES);
        assert_eq!(roomy(40, ["短"].into_iter()), 40);
    }
}
