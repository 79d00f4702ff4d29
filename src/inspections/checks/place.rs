//! Where something was seen: in words, and in coordinates that say by which datum.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::text_enum;

text_enum! {
    /// The datum of coordinates.
    Datum as "datum" {
        Wgs84 = "wgs84", "WGS-84", "WGS-84", grey;
        Gcj02 = "gcj02", "GCJ-02 (火星坐标)", "GCJ-02", grey;
    }
}

/// 地点。有坐标的, 经纬度与坐标系须一并写明。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// 地点, 如 一楼办证大厅 3 号窗口。
    #[schema(min_length = 1, max_length = 200)]
    pub text: String,
    /// 纬度, 十进制度, 至多七位小数。
    #[serde(default)]
    #[schema(max_length = 11, pattern = r"^-?(90(\.0{1,7})?|[1-8]?[0-9](\.[0-9]{1,7})?)$")]
    pub latitude: Option<String>,
    /// 经度, 十进制度, 至多七位小数。
    #[serde(default)]
    #[schema(max_length = 12, pattern = r"^-?(180(\.0{1,7})?|(1[0-7][0-9]|[1-9]?[0-9])(\.[0-9]{1,7})?)$")]
    pub longitude: Option<String>,
    /// 坐标系。
    #[serde(default)]
    pub datum: Option<Datum>,
    /// 定位误差, 米。
    #[serde(default)]
    #[schema(minimum = 0, maximum = 100_000)]
    pub accuracy_m: Option<i32>,
}

impl Place {
    /// Whether coordinates are whole or not there at all: the fields that are missing.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let parts = [
            ("latitude", self.latitude.is_some()),
            ("longitude", self.longitude.is_some()),
            ("datum", self.datum.is_some()),
        ];
        if parts.iter().all(|(_, there)| !there) && self.accuracy_m.is_none() {
            return Vec::new();
        }
        parts.iter().filter(|(_, there)| !there).map(|(name, _)| *name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_whole_or_not_there() {
        let place = |latitude: Option<&str>, datum, accuracy_m| Place {
            text: "大厅".into(),
            latitude: latitude.map(Into::into),
            longitude: latitude.map(Into::into),
            datum,
            accuracy_m,
        };
        assert_eq!(place(None, None, None).missing(), Vec::<&str>::new());
        assert_eq!(place(Some("25.04"), Some(Datum::Gcj02), None).missing(), Vec::<&str>::new());
        assert_eq!(place(Some("25.04"), None, None).missing(), ["datum"]);
        assert_eq!(place(None, None, Some(10)).missing(), ["latitude", "longitude", "datum"]);
    }
}
