//! Rates, never bare: both numbers, what was left out and why, and how sure one can be of the percentage.
//!
//! Whole numbers throughout: the same counts give the same digits everywhere.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::db::text_enum;

text_enum! {
    /// Why something is in no rate.
    RateExclusion as "rate_exclusion" {
        NotDue = "not_due", "未到期", "Not due yet", grey;
    }
}

/// 一个比率, 附其分子与分母。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Rate {
    /// 分子。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    numerator: i64,
    /// 分母。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    denominator: i64,
    /// 百分数, 两位小数, 四舍五入; 分母为零时为 null。
    #[schema(max_length = 6, pattern = r"^[0-9]{1,3}\.[0-9]{2}$")]
    percent: Option<String>,
    /// 未计入分母的数, 按原因; 没有的不列。
    excluded: BTreeMap<RateExclusion, i64>,
    /// 百分数的 95% 威尔逊区间 (z = 1.959963984540054), 下限在前, 两位小数, 四舍五入; 分母为零时为 null。
    #[schema(min_items = 2, max_items = 2)]
    wilson95: Option<[String; 2]>,
}

impl Rate {
    /// So many of so many.
    #[must_use]
    pub fn of(numerator: i64, denominator: i64) -> Self {
        Self {
            numerator,
            denominator,
            percent: percent(numerator, denominator),
            excluded: BTreeMap::new(),
            wilson95: wilson95(numerator, denominator).map(|ends| ends.map(told)),
        }
    }

    /// With so many left out for a reason.
    #[must_use]
    pub fn without(mut self, reason: RateExclusion, count: i64) -> Self {
        if count > 0 {
            self.excluded.insert(reason, count);
        }
        self
    }
}

/// Hundredths of a per cent as they are written.
fn told(hundredths: u32) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// A share in per cent with two decimals, half up; none of nothing.
fn percent(numerator: i64, denominator: i64) -> Option<String> {
    if denominator <= 0 {
        return None;
    }
    let (numerator, denominator) = (i128::from(numerator), i128::from(denominator));
    u32::try_from((numerator * 20_000 + denominator) / (denominator * 2)).ok().map(told)
}

/// z for 95 per cent, in units of 10⁻¹⁵.
const Z: u128 = 1_959_963_984_540_054;
const Z_SQUARED: u128 = Z * Z;
/// The square of its unit.
const UNIT_SQUARED: u128 = 10_u128.pow(30);
/// Hundredths of a per cent in the whole, twice: halves of them are compared.
const HALVES: i128 = 20_000;

/// The ends of Wilson's interval in hundredths of a per cent, half up. They are the x at which
/// (k − nx)² = z²·n·x·(1 − x); at a given x whole numbers decide on which side of them it lies. None of
/// nothing, of what is no share, and beyond 4·10¹⁴, where nobody counts.
fn wilson95(numerator: i64, denominator: i64) -> Option<[u32; 2]> {
    if denominator <= 0 || !(0..=denominator).contains(&numerator) || denominator > 400_000_000_000_000 {
        return None;
    }
    let (k, n) = (i128::from(numerator), i128::from(denominator));
    // Whether x, in halves of hundredths of a per cent, is at or below the lower or the upper end.
    let is_at_most = |x: i128, upper: bool| {
        let off = HALVES * k - n * x;
        let spread = n * x * (HALVES - x);
        let apart = wide(off.unsigned_abs() * off.unsigned_abs(), UNIT_SQUARED)
            .cmp(&wide(spread.unsigned_abs(), Z_SQUARED));
        if upper { off >= 0 || apart != Ordering::Greater } else { off >= 0 && apart != Ordering::Less }
    };
    // Half up: the largest number of hundredths that is at most half a hundredth above the end.
    let rounded = |upper: bool| {
        let (mut low, mut high) = (0_u32, 10_000_u32);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if is_at_most(i128::from(middle) * 2 - 1, upper) { low = middle } else { high = middle - 1 }
        }
        low
    };
    Some([rounded(false), rounded(true)])
}

/// A product of 256 bits, its upper half first.
fn wide(one: u128, other: u128) -> (u128, u128) {
    const LOW: u128 = u64::MAX as u128;
    let (a, b, c, d) = (one >> 64, one & LOW, other >> 64, other & LOW);
    let (low, mid, cross) = (b * d, a * d, b * c);
    let carried = (low >> 64) + (mid & LOW) + (cross & LOW);
    (a * c + (mid >> 64) + (cross >> 64) + (carried >> 64), (carried << 64) | (low & LOW))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_rate_is_told_with_all_that_belongs_to_it() {
        let rate = Rate::of(26_136, 27_112).without(RateExclusion::NotDue, 40);
        let wanted = serde_json::json!({
            "numerator": 26136, "denominator": 27112, "percent": "96.40", "excluded": { "not_due": 40 },
            "wilson95": ["96.17", "96.62"],
        });
        assert_eq!(serde_json::to_value(rate).unwrap(), wanted);
        let nothing = Rate::of(0, 0).without(RateExclusion::NotDue, 0);
        assert_eq!((nothing.percent, nothing.wilson95, nothing.excluded.len()), (None, None, 0));
    }

    #[test]
    fn percentages_are_rounded_half_up() {
        let told = |one, other| percent(one, other).unwrap();
        assert_eq!([told(1, 8), told(2, 3), told(1, 1), told(10, 17)], ["12.50", "66.67", "100.00", "58.82"]);
        assert_eq!([told(1, 20_000), told(1, 20_001)], ["0.01", "0.00"]);
    }

    #[test]
    fn known_intervals_and_the_ends() {
        assert_eq!(wilson95(8, 10), Some([4902, 9433]));
        assert_eq!(wilson95(0, 10), Some([0, 2775]));
        assert_eq!(wilson95(10, 10), Some([7225, 10_000]));
        assert_eq!(wilson95(1, 1), Some([2065, 10_000]));
        assert_eq!(wilson95(200_000_000_000_000, 400_000_000_000_000), Some([5000, 5000]));
        assert_eq!([wilson95(3, 2), wilson95(-1, 2), wilson95(1, i64::MAX)], [None; 3]);
    }

    #[test]
    fn a_wide_product_loses_nothing() {
        assert_eq!(wide(u128::MAX, u128::MAX), (u128::MAX - 1, 1));
        assert_eq!(wide(1 << 127, 2), (1, 0));
        assert_eq!(wide(12, 13), (0, 156));
    }

    /// The textbook's centre and half width, in floating point: near enough to tell all but ties.
    fn textbook(k: f64, n: f64) -> [f64; 2] {
        let z = 1.959_963_984_540_054_f64;
        let (p, z2) = (k / n, z * z);
        let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        [centre - half, centre + half].map(|end| end * 10_000.0)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn it_is_the_textbook_s_interval(
            n in prop_oneof![1_u32..60, 1_u32..100_000, 1_u32..1_000_000_000], share in 0_u64..=1_000_000,
        ) {
            let k = u32::try_from(u64::from(n) * share / 1_000_000).unwrap();
            let found = wilson95(k.into(), n.into()).unwrap();
            for (end, wanted) in found.into_iter().zip(textbook(k.into(), n.into())) {
                prop_assert!((f64::from(end) - wanted).abs() <= 0.5 + 1e-6, "{k}/{n}: {end}, {wanted}");
            }
            let middle = (i128::from(k) * 20_000 + i128::from(n)) / (i128::from(n) * 2);
            prop_assert!(i128::from(found[0]) <= middle && middle <= i128::from(found[1]));
        }

        #[test]
        fn a_wide_product_is_that_of_its_parts(a in any::<u64>(), b in any::<u64>(), c in any::<u64>()) {
            // (a·2⁶⁴ + b)·c, by school.
            let (one, c) = ((u128::from(a) << 64) | u128::from(b), u128::from(c));
            let (low, high) = (u128::from(b) * c, u128::from(a) * c);
            let (sum, over) = low.overflowing_add(high << 64);
            prop_assert_eq!(wide(one, c), ((high >> 64) + u128::from(over), sum));
        }
    }
}
