//! What an uploaded picture is, as its bytes say: nothing that its name or its sender says is believed.

use std::io::Cursor;

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageResult, Limits};

use super::rules::{Capture, LONGEST_SIDE, MOST_PIXELS, MediaType};
use super::{camera, extent};
use crate::errors::{AppError, Code, FieldError, Result, Text, text};

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
    let capture = decoder.exif_metadata().ok().flatten().and_then(|raw| camera::capture(&raw));
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
