//! Corruption markers: `index/corrupted_` and 22 characters, in which the server wrote why it
//! will not open a shard's Lucene index again.
//!
//! | field | type | version 0 (1.3) | 1 (1.4 to 1.7) | 2 (2.0 and later) |
//! |---|---|---|---|---|
//! | codec header | magic, `05` `store`, i32 version | y | y | y |
//! | message | string | y | y | - |
//! | stack trace | string | - | y | - |
//! | exception | vint length, then the exception as it goes over the wire | - | - | y |
//! | footer | codec footer | y | y | y |
//!
//! The exception of version 2 is written in a form that changes with every release; only its
//! readable text is taken: class names, message, stack frames.
//!
//! Sources: `Store` (1.3.9, 1.4.5, 1.7.6, 2.4.6, 5.6.3, 6.8.4, 9.x).

use super::body::Body;
use super::codec::{FOOTER_BYTES, check_footer, expect_codec_name};
use super::cursor::Cursor;
use super::defect::Unreadable;

const NAME: &str = "store";
const VERSION_MAX: u32 = 2;
/// Shortest and longest string of an exception that counts as text.
const TEXT_MIN_UNITS: u32 = 4;
const TEXT_MAX_UNITS: u32 = 16 * 1024;
/// Texts of one exception that are kept.
const TEXTS_MAX: usize = 1_000;

/// What a corruption marker says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorruptionMarker {
    /// Its version: 0 to 2.
    pub version: u32,
    /// The message. In version 2 the first text that reads like one.
    pub message: Option<String>,
    /// The stack trace; in version 2 every readable text, in file order, one a line.
    pub stack_trace: Option<String>,
}

impl CorruptionMarker {
    /// Decodes a whole file.
    ///
    /// # Errors
    /// When it is damaged, or its version is not known.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut cursor = Cursor::new(bytes);
        expect_codec_name(&mut cursor, NAME)?;
        check_footer(bytes)?;
        let version = cursor.u32("the version")?;
        if version > VERSION_MAX {
            return Err(Unreadable::Newer(format!("corruption marker version {version}")));
        }
        let (message, stack_trace) = match version {
            0 => (Some(cursor.string("a message")?), None),
            1 => (Some(cursor.string("a message")?), Some(cursor.string("a stack trace")?)),
            _ => {
                let length = usize::try_from(cursor.vint("an exception's length")?);
                let texts = texts(cursor.take(length.unwrap_or(usize::MAX), "an exception")?);
                let message = texts.iter().find(|text| text.contains(' ')).or(texts.first());
                (message.cloned(), (!texts.is_empty()).then(|| texts.join("\n")))
            }
        };
        if cursor.position() != bytes.len().saturating_sub(FOOTER_BYTES) {
            let what = format!("corruption marker version {version} with bytes left over");
            return Err(Unreadable::Newer(what));
        }
        Ok(Self { version, message, stack_trace })
    }
}

/// The strings in an exception's wire form: a length, and that many printable characters.
fn texts(bytes: &[u8]) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() && texts.len() < TEXTS_MAX {
        let used = match text_at(rest) {
            Some((text, used)) => {
                texts.push(text);
                used
            }
            None => 1,
        };
        rest = rest.get(used..).unwrap_or_default();
    }
    texts
}

/// The string that begins here, and the bytes it takes.
fn text_at(bytes: &[u8]) -> Option<(String, usize)> {
    let mut body = Body::whole(bytes, 0);
    let unit_count = body.clone().vint("a length").ok()?;
    if !(TEXT_MIN_UNITS..=TEXT_MAX_UNITS).contains(&unit_count) {
        return None;
    }
    let text = body.string("a text").ok()?;
    let is_printable = |character: char| !character.is_control() || "\n\r\t".contains(character);
    text.chars()
        .all(is_printable)
        .then(|| usize::try_from(body.read_bytes()).ok())?
        .map(|used| (text, used))
}

#[cfg(test)]
mod tests;
