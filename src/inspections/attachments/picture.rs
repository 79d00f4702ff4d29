//! What an uploaded picture is, as its bytes say: nothing that its name or its sender says is believed.

use std::io::Cursor;

use exif::{Exif, In, Tag, Value};
use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageResult, Limits};

use super::extent;
use super::rules::{Capture, LONGEST_SIDE, MOST_PIXELS, MediaType};
use crate::db::Instant;
use crate::errors::{AppError, Code, FieldError, Result, Text, text};
use crate::inspections::checks::rules::Datum;

/// Pixels along the longer side of the copy, and of the thumbnail.
const COPY_SIDE: u32 = 2048;
const THUMBNAIL_SIDE: u32 = 320;
/// How well they are kept, of 100.
const COPY_QUALITY: u8 = 85;
const THUMBNAIL_QUALITY: u8 = 75;
/// Bytes that a decoder may set aside.
const MOST_MEMORY: u64 = 512 * 1024 * 1024;

/// What a picture is.
#[derive(Debug)]
pub(super) struct Picture {
    pub media_type: MediaType,
    pub width: u32,
    pub height: u32,
    pub capture: Option<Capture>,
    /// The pixels as they are to be seen, and nothing else; JPEG.
    pub copy: Vec<u8>,
    pub thumbnail: Vec<u8>,
}

fn fault(code: Code, detail: Text) -> AppError {
    AppError::fields(Code::InvalidBody, vec![FieldError::body("/file", code, detail)])
}

fn damaged() -> AppError {
    fault(Code::FileDamaged, Code::FileDamaged.title())
}

/// Looks at a file; what is wrong with it stands at `/file`.
pub(super) fn look(bytes: &[u8]) -> Result<Picture> {
    let media_type = match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => MediaType::Jpeg,
        Ok(ImageFormat::Png) => MediaType::Png,
        Ok(ImageFormat::WebP) => MediaType::Webp,
        _ => return Err(fault(Code::FileTypeNotAllowed, Code::FileTypeNotAllowed.title())),
    };
    match media_type {
        MediaType::Jpeg => whole(media_type, bytes, JpegDecoder::new(Cursor::new(bytes))),
        MediaType::Png => whole(media_type, bytes, PngDecoder::with_limits(Cursor::new(bytes), limits())),
        MediaType::Webp => whole(media_type, bytes, WebPDecoder::new(Cursor::new(bytes))),
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    limits
}

fn whole<D: ImageDecoder>(media_type: MediaType, bytes: &[u8], decoder: ImageResult<D>) -> Result<Picture> {
    let mut decoder = decoder.map_err(|error| match error {
        image::ImageError::Limits(_) => too_large(None),
        _ => damaged(),
    })?;
    let (width, height) = decoder.dimensions();
    // Before anything of it is unpacked.
    let pixels = u64::from(width) * u64::from(height);
    let is_deep = decoder.total_bytes() > 4 * MOST_PIXELS;
    if pixels > MOST_PIXELS || is_deep || width.max(height) > LONGEST_SIDE {
        return Err(too_large(Some((width, height))));
    }
    let end = extent::end_of(media_type, bytes).ok_or_else(damaged)?;
    if let Some(what) = extent::hidden(bytes, end) {
        let detail = text!("图片之中另藏有 {what}", "Something else is hidden in the picture: {what}");
        return Err(fault(Code::FilePolyglot, detail));
    }
    decoder.set_limits(limits()).map_err(|_| too_large(Some((width, height))))?;
    let capture = decoder.exif_metadata().ok().flatten().and_then(capture);
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut seen = DynamicImage::from_decoder(decoder).map_err(|_| damaged())?;
    seen.apply_orientation(orientation);
    let (width, height) = (seen.width(), seen.height());
    let thumbnail = encoded(&seen.thumbnail(THUMBNAIL_SIDE, THUMBNAIL_SIDE), THUMBNAIL_QUALITY)?;
    if width.max(height) > COPY_SIDE {
        // By whole pixels: what weighs them in fractions needs more memory than the picture itself.
        seen = seen.thumbnail(COPY_SIDE, COPY_SIDE);
    }
    let copy = encoded(&seen, COPY_QUALITY)?;
    Ok(Picture { media_type, width, height, capture, copy, thumbnail })
}

fn too_large(sides: Option<(u32, u32)>) -> AppError {
    let (megapixels, side) = (MOST_PIXELS / 1_000_000, LONGEST_SIDE);
    let told = sides.map_or_else(String::new, |(width, height)| format!(" ({width} × {height})"));
    let detail = text!(
        "图片至多 {megapixels} 百万像素, 每边至多 {side} 像素{told}",
        "A picture may have {megapixels} million pixels, and {side} along a side{told}"
    );
    fault(Code::PictureTooLarge, detail)
}

fn encoded(seen: &DynamicImage, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // JPEG knows neither transparency nor more than eight bits.
    let plain = seen.to_rgb8();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(&plain).map_err(|_| damaged())?;
    Ok(bytes)
}

/// What the camera wrote into the picture (Exif 2.32); none when it wrote nothing of use. What is damaged of it is left out:
/// the picture is no worse for it.
fn capture(raw: Vec<u8>) -> Option<Capture> {
    let mut reader = exif::Reader::new();
    reader.continue_on_error(true);
    let read = reader.read_raw(raw).or_else(|error| error.distill_partial_result(|_| {})).ok()?;
    let (at, zone_assumed) = taken(&read).map_or((None, false), |(at, assumed)| (Some(at), assumed));
    let place = degrees(&read, Tag::GPSLatitude, Tag::GPSLatitudeRef, b'S', 90).zip(degrees(
        &read,
        Tag::GPSLongitude,
        Tag::GPSLongitudeRef,
        b'W',
        180,
    ));
    let datum = place.as_ref().map(|_| {
        let named = ascii(&read, Tag::GPSMapDatum).unwrap_or_default().to_ascii_uppercase();
        if named.contains("GCJ") { Datum::Gcj02 } else { Datum::Wgs84 }
    });
    let device: Vec<String> = [Tag::Make, Tag::Model].iter().filter_map(|tag| ascii(&read, *tag)).collect();
    let device = Some(device.join(" ")).filter(|device| !device.is_empty());
    let (latitude, longitude) = place.unzip();
    let found = Capture { at, zone_assumed, latitude, longitude, datum, device };
    let is_empty = found.at.is_none() && found.latitude.is_none() && found.device.is_none();
    (!is_empty).then_some(found)
}

fn ascii(read: &Exif, tag: Tag) -> Option<String> {
    let Value::Ascii(lines) = &read.get_field(tag, In::PRIMARY)?.value else { return None };
    let text = String::from_utf8_lossy(lines.first()?).into_owned();
    let clean: String = text.chars().filter(|c| !c.is_control()).take(49).collect();
    Some(clean.trim().to_owned()).filter(|text| !text.is_empty())
}

/// When it was taken, and whether that says nothing of the zone.
fn taken(read: &Exif) -> Option<(Instant, bool)> {
    let told = ascii(read, Tag::DateTimeOriginal)?;
    let zone = ascii(read, Tag::OffsetTimeOriginal);
    let read = |zone: &str| {
        let at = chrono::DateTime::parse_from_str(&format!("{told} {zone}"), "%Y:%m:%d %H:%M:%S %:z").ok()?;
        Some(Instant::from_micros(at.timestamp_micros()))
    };
    match zone.as_deref().and_then(read) {
        Some(at) => Some((at, false)),
        None => read("+08:00").map(|at| (at, true)),
    }
}

/// Degrees, minutes and seconds as decimal degrees with seven places.
fn degrees(read: &Exif, tag: Tag, sense: Tag, negative: u8, most: i64) -> Option<String> {
    const PLACES: i128 = 10_000_000;
    let Value::Rational(parts) = &read.get_field(tag, In::PRIMARY)?.value else { return None };
    let [degrees, minutes, seconds] = parts.as_slice() else { return None };
    // Thirds are rounded once, at the end: in parts of 3600 of the last place nothing is lost by adding.
    let part = |part: &exif::Rational, of: i128| {
        (part.denom != 0).then(|| i128::from(part.num) * PLACES * 3600 / (i128::from(part.denom) * of))
    };
    let whole = (part(degrees, 1)? + part(minutes, 60)? + part(seconds, 3600)? + 1800) / 3600;
    if whole > i128::from(most) * PLACES {
        return None;
    }
    let is_negative = ascii(read, sense)?.as_bytes().first() == Some(&negative);
    let sign = if is_negative && whole > 0 { "-" } else { "" };
    Some(format!("{sign}{}.{:07}", whole / PLACES, whole % PLACES))
}
