//! What is personal of an officer: checked, masked, and committed to rather than logged.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::audit::{fresh_salt, hex};
use crate::errors::Result;

/// Name, numbers, and the salt under which the audit log has committed to them. Erasing takes all of
/// it away (PIPL art. 47), so that what the log keeps can no longer be guessed at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name; none once erased.
    pub name: Option<String>,
    /// The number of the identity card (GB 11643), 18 characters.
    pub id_card: Option<String>,
    /// The telephone number.
    pub phone: Option<String>,
    /// 128 random bits in hexadecimal; empty once erased.
    pub salt: String,
}

impl Person {
    /// Somebody new, with a salt of their own.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn new(name: &str, id_card: Option<&str>, phone: Option<&str>) -> Result<Self> {
        Ok(Self {
            name: Some(name.to_owned()),
            id_card: id_card.map(ToOwned::to_owned),
            phone: phone.map(ToOwned::to_owned),
            salt: fresh_salt()?,
        })
    }

    /// Nobody any more.
    #[must_use]
    pub fn erased() -> Self {
        Self { name: None, id_card: None, phone: None, salt: String::new() }
    }

    /// What the audit log may keep: digests over salt and value, none over a bare value.
    #[must_use]
    pub fn commitments(&self) -> Value {
        let commit = |field: &str, value: Option<&String>| {
            let value = value?;
            let text = format!("{}\n{field}\n{value}", self.salt);
            Some(hex(digest(&SHA256, text.as_bytes()).as_ref()))
        };
        json!({
            "name": commit("name", self.name.as_ref()),
            "id_card": commit("id_card", self.id_card.as_ref()),
            "phone": commit("phone", self.phone.as_ref()),
        })
    }
}

/// Whether a text is the number of an identity card: a region, a date that is one, a sequence, and
/// the check character (GB 11643-1999, ISO 7064 mod 11-2).
#[must_use]
pub fn is_id_card(text: &str) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
    let digits: Option<Vec<u32>> = text.chars().take(17).map(|c| c.to_digit(10)).collect();
    let Some(digits) = digits.filter(|digits| digits.len() == 17) else { return false };
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    let check = CHECKS.get((sum % 11) as usize);
    let born = text.get(6..14).and_then(|day| NaiveDate::parse_from_str(day, "%Y%m%d").ok());
    let real = born.is_some_and(|day| NaiveDate::from_ymd_opt(1900, 1, 1).is_some_and(|first| day >= first));
    text.chars().count() == 18 && text.chars().nth(17).as_ref() == check && real
}

/// The number with all but the first three and the last four characters hidden.
#[must_use]
pub fn masked(number: &str) -> String {
    let count = number.chars().count();
    let tail = count.min(4);
    let head = count.saturating_sub(tail + 1).min(3);
    let mut shown = String::with_capacity(count);
    for (at, c) in number.chars().enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(shown, "{}", if at < head || at >= count - tail { c } else { '*' });
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_identity_card_has_a_true_date_and_a_true_check_character() {
        for good in ["11010519491231002X", "440524188001010014".replace("1880", "1980").as_str()] {
            let fixed: String = (0..11)
                .map(|at| {
                    format!("{}{}", &good[..17], ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'][at])
                })
                .find(|one| is_id_card(one))
                .unwrap();
            assert!(is_id_card(&fixed), "{fixed}");
        }
        assert!(is_id_card("11010519491231002X"));
        for bad in [
            "",
            "110105194912310021",
            "11010519491331002X",
            "11010519491231002x",
            "1101051949123100",
            "王0105194912310",
            "11010518491231002X",
            "11010519491231002X ",
        ] {
            assert!(!is_id_card(bad), "{bad}");
        }
    }

    #[test]
    fn a_mask_shows_the_ends_only() {
        assert_eq!(masked("11010519491231002X"), "110***********002X");
        assert_eq!(masked("13812345678"), "138****5678");
        assert_eq!(masked("0871-63051234"), "087******1234");
        assert_eq!(masked("12345"), "*2345");
    }

    #[test]
    fn commitments_differ_for_equal_values_and_stay_for_the_same_person() {
        let one = Person::new("王建国", None, Some("13812345678")).unwrap();
        let other = Person::new("王建国", None, Some("13812345678")).unwrap();
        assert_ne!(one.commitments(), other.commitments());
        assert_eq!(one.commitments(), one.clone().commitments());
        // The whole number: three digits of it stand in one of thirty random texts as they please.
        assert!(!one.commitments().to_string().contains("13812345678"));
        assert_eq!(Person::erased().commitments(), json!({ "name": null, "id_card": null, "phone": null }));
    }

    proptest! {
        #[test]
        fn a_mask_keeps_the_length_and_hides_something(number in "[0-9X-]{5,30}") {
            let shown = masked(&number);
            prop_assert_eq!(shown.chars().count(), number.chars().count());
            prop_assert!(shown.contains('*'));
        }
    }
}
