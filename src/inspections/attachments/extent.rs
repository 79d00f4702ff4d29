//! Where a picture ends, as its own format says, and what is behind that. A file that is a picture at its beginning and
//! something else at its end is taken for the one here and for the other elsewhere.

use super::rules::MediaType;

/// Where the picture ends; none when it is cut off or damaged.
#[must_use]
pub(super) fn end_of(kind: MediaType, bytes: &[u8]) -> Option<usize> {
    match kind {
        MediaType::Jpeg => jpeg(bytes, 0),
        MediaType::Png => png(bytes),
        MediaType::Webp => webp(bytes),
    }
}

fn big_endian(bytes: &[u8], at: usize, length: usize) -> Option<usize> {
    let four = bytes.get(at..at.checked_add(length)?)?;
    Some(four.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

/// Walks the segments of a JPEG that begins at `at` (ITU-T T.81, B.1.1) to behind its EOI.
fn jpeg(bytes: &[u8], mut at: usize) -> Option<usize> {
    if bytes.get(at..at + 2)? != [0xff, 0xd8] {
        return None;
    }
    at += 2;
    loop {
        if *bytes.get(at)? != 0xff {
            return None;
        }
        let marker = *bytes.get(at + 1)?;
        at += 2;
        match marker {
            // A fill byte.
            0xff => at -= 1,
            0xd9 => return Some(at),
            // Those that stand alone.
            0x01 | 0xd0..=0xd7 => {}
            _ => {
                at += big_endian(bytes, at, 2).filter(|length| *length >= 2)?;
                if marker == 0xda {
                    at = behind_scan(bytes, at)?;
                }
            }
        }
    }
}

/// Where the next marker is behind the coded data of a scan.
fn behind_scan(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xff)?;
        match bytes.get(at + 1)? {
            // Stuffed, or a restart.
            0x00 | 0xd0..=0xd7 => at += 2,
            0xff => at += 1,
            _ => return Some(at),
        }
    }
}

/// Walks the chunks of a PNG to behind its IEND.
fn png(bytes: &[u8]) -> Option<usize> {
    let mut at = 8;
    loop {
        let length = big_endian(bytes, at, 4)?;
        let kind = bytes.get(at + 4..at + 8)?;
        // Length, kind and checksum are four bytes each.
        at = at.checked_add(length)?.checked_add(12)?;
        if at > bytes.len() {
            return None;
        }
        if kind == b"IEND" {
            return Some(at);
        }
    }
}

/// The length that a RIFF file says it has.
fn webp(bytes: &[u8]) -> Option<usize> {
    let length: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
    let end = usize::try_from(u32::from_le_bytes(length)).ok()?.checked_add(8)?;
    (end <= bytes.len()).then_some(end)
}

/// What a file hides that is not the picture; none when it hides nothing. Behind their picture phones put a second one
/// (a map of its brightness), some seconds of film, notes of their own: that is let pass, and is in no copy. What some other program
/// would open as a page, a program or an archive is not.
#[must_use]
pub(super) fn hidden(bytes: &[u8], end: usize) -> Option<&'static str> {
    let before_pixels =
        bytes.windows(2).position(|two| two == b"\xff\xda").unwrap_or(HEAD).clamp(HEAD, 256 * 1024);
    if let Some(what) = marked(bytes.get(..before_pixels.min(end)).unwrap_or_default()) {
        return Some(what);
    }
    if is_archive(bytes) {
        return Some("ZIP");
    }
    let mut at = end;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(next) = jpeg(bytes, at) {
            at = next;
        } else if let Some(zeros) = rest.iter().position(|byte| *byte != 0).filter(|zeros| *zeros > 3) {
            at += zeros;
        } else if rest.get(4..8) == Some(b"ftyp") {
            return marked(rest.get(..rest.len().min(HEAD)).unwrap_or_default());
        } else {
            return marked(rest);
        }
    }
    None
}

/// Bytes at the beginning that programs look at to tell what a file is.
const HEAD: usize = 1024;

fn marked(bytes: &[u8]) -> Option<&'static str> {
    let small = bytes.to_ascii_lowercase();
    MARKS
        .iter()
        .find(|(mark, _)| small.windows(mark.len()).any(|window| window == *mark))
        .map(|(_, what)| *what)
}

/// Whether the file is a ZIP archive to whoever looks for one: its directory stands at the end, and says how long it is.
fn is_archive(bytes: &[u8]) -> bool {
    let from = bytes.len().saturating_sub(66_000);
    let tail = bytes.get(from..).unwrap_or_default();
    let ends = (0..tail.len()).filter(|at| tail.get(*at..at + 4) == Some(b"PK\x05\x06"));
    ends.map(|at| from + at).any(|at| {
        let length =
            bytes.get(at + 12..at + 16).and_then(|four| four.try_into().ok()).map(u32::from_le_bytes);
        let begins = length.and_then(|length| at.checked_sub(usize::try_from(length).ok()?));
        begins.is_some_and(|begins| {
            matches!(bytes.get(begins..begins + 4), Some(b"PK\x01\x02" | b"PK\x05\x06"))
        })
    })
}

/// What no picture holds beside its pixels, in small letters.
const MARKS: &[(&[u8], &str)] = &[
    (b"%pdf-", "PDF"),
    (b"<svg ", "SVG"),
    (b"<html", "HTML"),
    (b"<script", "HTML"),
    (b"<!doctype", "HTML"),
    (b"<?php", "PHP"),
    (b"#!/bin/", "script"),
    (b"pk\x03\x04\x14\0", "ZIP"),
    (b"rar!\x1a\x07", "RAR"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x7felf\x02\x01", "program"),
];
