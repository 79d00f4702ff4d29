//! Days and numbers as an official document writes them.

use chrono::{Datelike, NaiveDate, Weekday};

/// 2026年3月2日.
#[must_use]
pub fn day(day: NaiveDate) -> String {
    format!("{}年{}月{}日", day.year(), day.month(), day.day())
}

/// 2026年3月2日至3月29日: what is the same is said once.
#[must_use]
pub fn span(from: NaiveDate, to: NaiveDate) -> String {
    if from == to {
        return day(from);
    }
    let end = if from.year() == to.year() { format!("{}月{}日", to.month(), to.day()) } else { day(to) };
    format!("{}至{end}", day(from))
}

/// 星期三.
#[must_use]
pub const fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "星期一",
        Weekday::Tue => "星期二",
        Weekday::Wed => "星期三",
        Weekday::Thu => "星期四",
        Weekday::Fri => "星期五",
        Weekday::Sat => "星期六",
        Weekday::Sun => "星期日",
    }
}

const fn digit(digit: usize) -> char {
    match digit {
        1 => '一',
        2 => '二',
        3 => '三',
        4 => '四',
        5 => '五',
        6 => '六',
        7 => '七',
        8 => '八',
        9 => '九',
        _ => '零',
    }
}

/// 一, 十, 十二, 一百零三: the numbers of headings. From 1000 on in figures, which no list of ours reaches.
#[must_use]
pub fn numeral(number: usize) -> String {
    if !(1..1000).contains(&number) {
        return number.to_string();
    }
    let (hundreds, tens, ones) = (number / 100, number / 10 % 10, number % 10);
    let mut text = String::new();
    if hundreds > 0 {
        text.extend([digit(hundreds), '百']);
    }
    if tens > 0 {
        // Ten to nineteen are 十, 十一; after a hundred 一十.
        if tens > 1 || hundreds > 0 {
            text.push(digit(tens));
        }
        text.push('十');
    } else if hundreds > 0 && ones > 0 {
        text.push('零');
    }
    if ones > 0 {
        text.push(digit(ones));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_out() {
        let on = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(day(on("2026-03-02")), "2026年3月2日");
        assert_eq!(span(on("2026-03-02"), on("2026-03-29")), "2026年3月2日至3月29日");
        assert_eq!(span(on("2026-12-02"), on("2027-01-09")), "2026年12月2日至2027年1月9日");
        assert_eq!(span(on("2026-03-02"), on("2026-03-02")), "2026年3月2日");
    }

    #[test]
    fn numbers_are_written_out() {
        let told = [1, 9, 10, 11, 20, 21, 59, 100, 101, 110, 111, 120, 300, 999, 1000].map(numeral);
        let wanted = [
            "一",
            "九",
            "十",
            "十一",
            "二十",
            "二十一",
            "五十九",
            "一百",
            "一百零一",
            "一百一十",
            "一百一十一",
            "一百二十",
            "三百",
            "九百九十九",
            "1000",
        ];
        assert_eq!(told, wanted);
    }
}
