//! `.si`: what a segment was written with: the Lucene version, the number of documents, its files.
//!
//! | codec in the header | segment codecs | fields behind the header |
//! |---|---|---|
//! | `Lucene40SegmentInfo` 0 | Lucene40 to 45 | string version, i32 documents, i8 compound, map diagnostics, map attributes, set files |
//! | `Lucene46SegmentInfo` 0, 1 | Lucene46 to 410 | string version, i32 documents, i8 compound, map diagnostics, set files |
//! | `Lucene50SegmentInfo` 0, 1 | Lucene50 to 54 | 3 i32 version, i32 documents, i8 compound, map diagnostics, set files, map attributes |
//! | `Lucene62SegmentInfo` | Lucene62 | same, then the sort |
//! | `Lucene70SegmentInfo`, `Lucene86…` | Lucene70 to 87 | 3 i32 version, u8 flag, 3 i32 least version if 1, then as 62 |
//! | `Lucene90SegmentInfo` | Lucene90 to 95 | same, numbers little-endian |
//! | `Lucene90SegmentInfo` | Lucene99 and later | same, i8 blocks behind compound |
//!
//! The header is plain in 4.x and an index header from 5.0 on. Counts of maps and sets are i32 up
//! to Lucene50 version 0, vints then. A footer is there but in 40 version 0 and 46 version 0.
//! Compound is 1 or -1. The last two rows differ in nothing else: the form is the one in which
//! the set of files holds a `.si`. What describes the sort is not read.
//!
//! Sources: `Lucene40/46/50/62/70/86/90/99SegmentInfoFormat` (Lucene 4.0.0 to 10.x).

use super::codec::{check_footer, codec_name};
use super::cursor::Cursor;
use super::defect::{Defect, Unreadable};

/// What a `.si` file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentInfo {
    /// The Lucene that wrote the segment: major, minor, fix.
    pub lucene_version: (u32, u32, u32),
    /// Number of documents, deleted ones included.
    pub document_count: u32,
    /// Whether its files are packed in a `.cfs`.
    pub is_compound: bool,
    /// Names of its files.
    pub files: Vec<String>,
}

/// How a `.si` is laid out, by the Lucene that changed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Layout {
    L40,
    L46,
    L48,
    L50,
    L51,
    L70,
    L90,
}

impl Layout {
    fn of(codec: &str, version: u32) -> Option<Self> {
        Some(match (codec, version) {
            ("Lucene40SegmentInfo", 0) => Self::L40,
            ("Lucene46SegmentInfo", 0) => Self::L46,
            ("Lucene46SegmentInfo", 1) => Self::L48,
            ("Lucene50SegmentInfo", 0) => Self::L50,
            ("Lucene50SegmentInfo", 1) | ("Lucene62SegmentInfo", _) => Self::L51,
            ("Lucene70SegmentInfo" | "Lucene86SegmentInfo", _) => Self::L70,
            ("Lucene90SegmentInfo", _) => Self::L90,
            _ => return None,
        })
    }

    fn has_vint_counts(self) -> bool {
        self >= Self::L51
    }
}

impl SegmentInfo {
    /// Decodes a whole file.
    ///
    /// # Errors
    /// When it is damaged, or its codec is not known.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut cursor = Cursor::new(bytes);
        let codec = codec_name(&mut cursor)?;
        let version = cursor.u32("the codec version")?;
        let Some(layout) = Layout::of(&codec, version) else {
            check_footer(bytes)?;
            let what = format!("segment info {} of version {version}", codec.escape_debug());
            return Err(Unreadable::Newer(what));
        };
        if layout < Layout::L48 {
            return Ok(whole_body(cursor, layout, bytes.len())?);
        }
        check_footer(bytes)?;
        let with_blocks =
            || body(&mut cursor.clone(), layout, true).ok().filter(Self::lists_itself);
        body(&mut cursor.clone(), layout, false)
            .ok()
            .filter(Self::lists_itself)
            .or_else(|| (layout == Layout::L90).then(with_blocks).flatten())
            .ok_or_else(|| Unreadable::Newer(format!("segment info {codec} of another layout")))
    }

    fn lists_itself(&self) -> bool {
        self.files.iter().any(|name| name.strip_suffix(".si").is_some())
    }
}

/// Nothing covers the content up to Lucene 4.7: that it fills the file is all there is to check.
fn whole_body(mut cursor: Cursor, layout: Layout, len_bytes: usize) -> Result<SegmentInfo, Defect> {
    let info = body(&mut cursor, layout, false)?;
    if cursor.position() == len_bytes {
        return Ok(info);
    }
    let rest = len_bytes.saturating_sub(cursor.position());
    Err(Defect::new(cursor.offset(), "the end of the file", format!("{rest} more bytes")))
}

fn body(cursor: &mut Cursor, layout: Layout, has_blocks: bool) -> Result<SegmentInfo, Defect> {
    if layout >= Layout::L50 {
        cursor.take(16, "the segment's id")?;
        let length = cursor.u8("the suffix's length")?;
        cursor.take(usize::from(length), "the suffix")?;
    }
    let lucene_version = if layout <= Layout::L48 {
        text_version(cursor)?
    } else {
        let major = number(cursor, layout, "the Lucene version")?;
        let minor = number(cursor, layout, "the Lucene version")?;
        (major, minor, number(cursor, layout, "the Lucene version")?)
    };
    if layout >= Layout::L70 && cursor.flag("a least version's flag")? {
        cursor.take(12, "the least version")?;
    }
    let document_count = number(cursor, layout, "a number of documents")?;
    let is_compound = sign(cursor, "the compound flag")?;
    if has_blocks {
        sign(cursor, "the blocks flag")?;
    }
    cursor.string_map(layout.has_vint_counts())?;
    if layout == Layout::L40 {
        cursor.string_map(layout.has_vint_counts())?;
    }
    let files = cursor.strings(layout.has_vint_counts())?;
    if layout >= Layout::L50 {
        cursor.string_map(layout.has_vint_counts())?;
    }
    Ok(SegmentInfo { lucene_version, document_count, is_compound, files })
}

fn number(cursor: &mut Cursor, layout: Layout, what: &str) -> Result<u32, Defect> {
    if layout == Layout::L90 { cursor.u32_little(what) } else { cursor.u32(what) }
}

/// 1 for yes, -1 for no.
fn sign(cursor: &mut Cursor, what: &str) -> Result<bool, Defect> {
    let at = cursor.offset();
    match cursor.u8(what)? {
        1 => Ok(true),
        0xff => Ok(false),
        other => Err(Defect::new(at, format!("1 or -1 as {what}"), other.to_string())),
    }
}

/// Two to four numbers with points between them.
fn text_version(cursor: &mut Cursor) -> Result<(u32, u32, u32), Defect> {
    let at = cursor.offset();
    let text = cursor.string("the Lucene version")?;
    let parts: Option<Vec<u32>> = text.split('.').map(|part| part.parse().ok()).collect();
    match parts.as_deref() {
        Some([major, minor]) => Ok((*major, *minor, 0)),
        Some([major, minor, fix] | [major, minor, fix, _]) => Ok((*major, *minor, *fix)),
        _ => Err(Defect::new(at, "a Lucene version", text.escape_debug().to_string())),
    }
}

#[cfg(test)]
mod tests;
