//! What the camera wrote into a picture (Exif 2.32, in the form of a TIFF): a handful of entries of three directories, each read
//! once. Whoever reads all that such a block may say lets a small file take any amount of memory.

use chrono::NaiveDateTime;

use super::rules::Capture;
use crate::db::Instant;
use crate::inspections::checks::rules::Datum;

/// Entries of a directory that are looked at, and bytes of a value.
const MOST_ENTRIES: usize = 200;
const LONGEST: usize = 64;

const MAKE: u16 = 0x010f;
const MODEL: u16 = 0x0110;
const EXIF: u16 = 0x8769;
const GPS: u16 = 0x8825;
const TAKEN: u16 = 0x9003;
const TAKEN_ZONE: u16 = 0x9011;
const LATITUDE: u16 = 2;
const LONGITUDE: u16 = 4;
const MAP_DATUM: u16 = 0x12;

/// A block, and in which order its bytes stand.
#[derive(Clone, Copy)]
struct Block<'b> {
    bytes: &'b [u8],
    is_little: bool,
}

/// A value: its type, how many there are of it, where they begin.
struct Value {
    kind: u16,
    count: usize,
    at: usize,
}

impl<'b> Block<'b> {
    fn of(bytes: &'b [u8]) -> Option<Self> {
        let is_little = match bytes.get(..4)? {
            b"II*\0" => true,
            b"MM\0*" => false,
            _ => return None,
        };
        Some(Self { bytes, is_little })
    }

    fn number(self, at: usize, length: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at.checked_add(length)?)?;
        let add = |number: u32, byte: &u8| number << 8 | u32::from(*byte);
        Some(if self.is_little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) })
    }

    /// The value of a tag in the directory at an offset.
    fn value(self, directory: usize, tag: u16) -> Option<Value> {
        let entries = usize::try_from(self.number(directory, 2)?).ok()?.min(MOST_ENTRIES);
        let at = (0..entries)
            .map(|entry| directory + 2 + entry * 12)
            .find(|at| self.number(*at, 2) == Some(u32::from(tag)))?;
        let kind = u16::try_from(self.number(at + 2, 2)?).ok()?;
        let count = usize::try_from(self.number(at + 4, 4)?).ok()?;
        let size = match kind {
            1 | 2 | 7 => 1,
            3 => 2,
            4 => 4,
            5 => 8,
            _ => return None,
        };
        let length = count.checked_mul(size).filter(|length| *length <= LONGEST)?;
        let place = if length <= 4 { at + 8 } else { usize::try_from(self.number(at + 8, 4)?).ok()? };
        self.bytes.get(place..place.checked_add(length)?)?;
        Some(Value { kind, count, at: place })
    }

    /// The directory that an entry of another one points to.
    fn directory(self, of: usize, tag: u16) -> Option<usize> {
        let value = self.value(of, tag).filter(|value| value.kind == 4 && value.count == 1)?;
        usize::try_from(self.number(value.at, 4)?).ok()
    }

    fn text(self, directory: usize, tag: u16) -> Option<String> {
        let value = self.value(directory, tag).filter(|value| value.kind == 2)?;
        let bytes = self.bytes.get(value.at..value.at + value.count)?;
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        let clean: String =
            String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).take(49).collect();
        Some(clean.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// Degrees, minutes and seconds as decimal degrees with seven places, rounded once.
    fn degrees(self, directory: usize, tag: u16, negative: char, most: i128) -> Option<String> {
        const PLACES: i128 = 10_000_000;
        let value = self.value(directory, tag).filter(|value| value.kind == 5 && value.count == 3)?;
        let mut whole = 0;
        for (part, of) in [(0, 1), (1, 60), (2, 3600)] {
            let [above, below] =
                [0, 4].map(|half| self.number(value.at + part * 8 + half, 4).map(i128::from));
            let below = below.filter(|below| *below != 0)?;
            whole += above? * PLACES * 3600 / (below * of);
        }
        let whole = (whole + 1800) / 3600;
        // The entry before it says on which side: N or S, E or W.
        let side = self.text(directory, tag - 1)?.chars().next()?;
        let sign = if side == negative && whole > 0 { "-" } else { "" };
        (whole <= most * PLACES).then(|| format!("{sign}{}.{:07}", whole / PLACES, whole % PLACES))
    }
}

/// What the camera says of when and where; none when it says nothing of use. What is damaged of it is left out: the picture is no
/// worse for it.
pub(super) fn capture(bytes: &[u8]) -> Option<Capture> {
    let block = Block::of(bytes)?;
    let first = usize::try_from(block.number(4, 4)?).ok()?;
    let (exif, gps) = (block.directory(first, EXIF), block.directory(first, GPS));
    let (at, zone_assumed) = exif
        .and_then(|exif| taken(&block.text(exif, TAKEN)?, block.text(exif, TAKEN_ZONE).as_deref()))
        .map_or((None, false), |(at, assumed)| (Some(at), assumed));
    let place = gps.and_then(|gps| {
        let place = (block.degrees(gps, LATITUDE, 'S', 90)?, block.degrees(gps, LONGITUDE, 'W', 180)?);
        let named = block.text(gps, MAP_DATUM).unwrap_or_default().to_ascii_uppercase();
        Some((place, if named.contains("GCJ") { Datum::Gcj02 } else { Datum::Wgs84 }))
    });
    let device: Vec<String> = [MAKE, MODEL].iter().filter_map(|tag| block.text(first, *tag)).collect();
    let device = Some(device.join(" ")).filter(|device| !device.is_empty());
    if at.is_none() && place.is_none() && device.is_none() {
        return None;
    }
    let (place, datum) = place.unzip();
    let (latitude, longitude) = place.unzip();
    Some(Capture { at, zone_assumed, latitude, longitude, datum, device })
}

/// When it was taken, and whether that says nothing of the zone; none for a year that no camera has seen.
fn taken(told: &str, zone: Option<&str>) -> Option<(Instant, bool)> {
    let local = NaiveDateTime::parse_from_str(told, "%Y:%m:%d %H:%M:%S").ok()?;
    if !(1970..=2200).contains(&chrono::Datelike::year(&local)) {
        return None;
    }
    let offset = |zone: &str| zone.parse::<chrono::FixedOffset>().ok();
    let (offset, is_assumed) = match zone.and_then(offset) {
        Some(offset) => (offset, false),
        None => (chrono::FixedOffset::east_opt(8 * 3600)?, true),
    };
    let at = local.and_local_timezone(offset).single()?;
    Some((Instant::from_micros(at.timestamp_micros()), is_assumed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_with_its_zone_or_as_that_of_beijing() {
        let read = |told: &str, zone| taken(told, zone).map(|(at, assumed)| (at.to_string(), assumed));
        assert_eq!(
            read("2026:03:10 10:12:31", Some("+08:00")),
            Some(("2026-03-10T02:12:31.000000Z".into(), false))
        );
        assert_eq!(
            read("2026:03:10 10:12:31", Some("+09:00")),
            Some(("2026-03-10T01:12:31.000000Z".into(), false))
        );
        assert_eq!(read("2026:03:10 10:12:31", None), Some(("2026-03-10T02:12:31.000000Z".into(), true)));
        for odd in
            ["0000:01:01 00:00:00", "+99999:01:01 00:00:00", "9999:12:31 23:59:59", "2026:13:01 00:00:00", ""]
        {
            assert_eq!(read(odd, Some("-08:00")), None, "{odd}");
        }
    }

    #[test]
    fn a_block_that_points_at_itself_ten_thousand_times_is_read_at_once() {
        // A first directory of nothing but pointers, each into a sea of entries.
        let mut bytes = b"II*\0\x08\0\0\0".to_vec();
        bytes.extend_from_slice(&u16::MAX.to_le_bytes());
        for entry in 0..u32::from(u16::MAX) {
            bytes.extend_from_slice(&EXIF.to_le_bytes());
            bytes.extend_from_slice(&[4, 0, 1, 0, 0, 0]);
            bytes.extend_from_slice(&(entry * 12 + 10).to_le_bytes());
        }
        assert_eq!(capture(&bytes), None);
        for cut in [0, 3, 7, 9, 20, 100] {
            assert_eq!(capture(&bytes[..cut]), None);
        }
    }
}
