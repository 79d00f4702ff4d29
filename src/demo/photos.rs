//! Photos as a phone takes them, drawn for the demo and for tests: with the moment and the place in them.

use exif::experimental::Writer;
use exif::{Field, In, Rational, Tag, Value};
use image::codecs::jpeg::JpegEncoder;
use image::{ImageEncoder, Rgb, RgbImage};

use crate::db::Instant;
use crate::errors::{AppError, Result};

/// When and where a photo says it was taken.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// The moment.
    pub at: Instant,
    /// Degrees north, in millionths.
    pub latitude: u32,
    /// Degrees east, in millionths.
    pub longitude: u32,
}

/// A JPEG of so many pixels: a hall, a counter, a notice on the wall, in colours of its own for each `seed`.
///
/// # Errors
/// Never for a size that memory holds.
pub fn photo((width, height): (u32, u32), seed: u8, taken: Option<Taken>) -> Result<Vec<u8>> {
    let drawn = RgbImage::from_fn(width, height, |x, y| {
        let (across, down) = (x * 100 / width.max(1), y * 100 / height.max(1));
        let shade = |part: u32| u8::try_from((part * 2 + u32::from(seed) * 7) % 256).unwrap_or_default();
        match (across, down) {
            (20..40, 20..50) => Rgb([245, 245, 240]),
            (0..100, 60..75) => Rgb([120, 84, shade(across)]),
            (0..100, 75..100) => Rgb([shade(down), 110, 105]),
            _ => Rgb([shade(across), shade(down), 180]),
        }
    });
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 80);
    if let Some(taken) = taken {
        encoder.set_exif_metadata(said(taken)?).map_err(AppError::internal)?;
    }
    encoder
        .write_image(drawn.as_raw(), width, height, image::ExtendedColorType::Rgb8)
        .map_err(AppError::internal)?;
    Ok(bytes)
}

/// What the camera says, as Exif has it.
fn said(taken: Taken) -> Result<Vec<u8>> {
    let local = chrono::DateTime::from_timestamp_micros(taken.at.micros() + 8 * 3_600_000_000)
        .ok_or_else(|| AppError::internal("a moment out of range"))?;
    let text = |text: &str| Value::Ascii(vec![text.as_bytes().to_vec()]);
    let degrees = |millionths: u32| {
        let part = |num: u32, denom: u32| Rational { num, denom };
        let minutes = millionths % 1_000_000 * 60;
        Value::Rational(vec![
            part(millionths / 1_000_000, 1),
            part(minutes / 1_000_000, 1),
            part(minutes % 1_000_000 * 60, 1_000_000),
        ])
    };
    let field = |tag: Tag, value: Value| Field { tag, ifd_num: In::PRIMARY, value };
    let fields = [
        field(Tag::Make, text("PINGYI")),
        field(Tag::Model, text("DEMO-1")),
        field(Tag::DateTimeOriginal, text(&local.format("%Y:%m:%d %H:%M:%S").to_string())),
        field(Tag::OffsetTimeOriginal, text("+08:00")),
        field(Tag::GPSLatitudeRef, text("N")),
        field(Tag::GPSLatitude, degrees(taken.latitude)),
        field(Tag::GPSLongitudeRef, text("E")),
        field(Tag::GPSLongitude, degrees(taken.longitude)),
    ];
    let mut writer = Writer::new();
    for field in &fields {
        writer.push_field(field);
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    writer.write(&mut bytes, false).map_err(AppError::internal)?;
    Ok(bytes.into_inner())
}
