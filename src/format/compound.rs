//! `.cfe`: where each file of a segment lies in the segment's `.cfs`.
//!
//! | field | type |
//! |---|---|
//! | index header | codec `Lucene50CompoundEntries` or `Lucene90CompoundEntries`, version 0 |
//! | number of files | vint |
//! | each: name | string, without the segment's name, such as `.fdt` |
//! | each: offset in the `.cfs`, length | i64, i64; little-endian for 90 |
//! | footer | 16 bytes |
//!
//! Each part of a `.cfs` is a whole file with a header and a footer of its own; between them are
//! zeros, so that each begins at a multiple of 8 (of 64 from 10.5 on).
//!
//! Sources: `Lucene50/90CompoundFormat` (Lucene 8.4.1 to 10.x).

use super::codec::index_file_body;
use super::cursor::{Cursor, ENTRIES_MAX};
use super::defect::{Defect, Unreadable};

/// Where the files of a segment lie in its `.cfs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompoundEntries {
    /// Codec of the file, which tells the Lucene that wrote it.
    pub codec: String,
    /// The files, as the `.cfe` lists them.
    pub parts: Vec<CompoundPart>,
}

/// One file in a `.cfs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompoundPart {
    /// Its name without the segment's name, such as `.fdt` or `_Lucene90_0.doc`.
    pub name: String,
    /// Where it begins in the `.cfs`.
    pub offset: u64,
    /// Its length.
    pub len_bytes: u64,
}

impl CompoundEntries {
    /// Decodes a whole `.cfe`. With a segment's id the file must be that segment's.
    ///
    /// # Errors
    /// When it is damaged, or its codec or version is not known.
    pub fn decode(bytes: &[u8], segment_id: Option<[u8; 16]>) -> Result<Self, Unreadable> {
        let (header, mut body) = index_file_body(bytes, segment_id)?;
        let is_little = match (header.codec.as_str(), header.version) {
            ("Lucene50CompoundEntries", 0) => false,
            ("Lucene90CompoundEntries", 0) => true,
            _ => return Err(Unreadable::Newer(header.to_string())),
        };
        match parts(&mut body, is_little) {
            Ok(parts) => Ok(Self { codec: header.codec, parts }),
            Err(defect) => Err(Unreadable::Newer(format!("{header}: {defect}"))),
        }
    }

    /// The bytes of a part in the whole `.cfs`; `None` where it is not listed.
    ///
    /// # Errors
    /// When the `.cfs` is too short for it.
    #[must_use]
    pub fn part<'a>(&self, compound: &'a [u8], name: &str) -> Option<Result<&'a [u8], Defect>> {
        let part = self.parts.iter().find(|part| part.name == name)?;
        let at = usize::try_from(part.offset).ok();
        let length = usize::try_from(part.len_bytes).ok();
        let bytes =
            at.zip(length).and_then(|(at, length)| compound.get(at..at.checked_add(length)?));
        Some(bytes.ok_or_else(|| {
            let expected = format!("{} bytes of {name} from {} on", part.len_bytes, part.offset);
            Defect::new(compound.len() as u64, expected, "the end of the file")
        }))
    }
}

fn parts(body: &mut Cursor, is_little: bool) -> Result<Vec<CompoundPart>, Defect> {
    let at = body.offset();
    let count = body.vint("the number of files")?;
    if count > ENTRIES_MAX {
        return Err(Defect::new(at, "the number of files", count.to_string()));
    }
    let number = |body: &mut Cursor, what: &str| {
        let bytes = body.array(what)?;
        Ok::<u64, Defect>(if is_little {
            u64::from_le_bytes(bytes)
        } else {
            u64::from_be_bytes(bytes)
        })
    };
    let mut parts = Vec::new();
    for _ in 0..count {
        let name = body.string("a file's name")?;
        let offset = number(body, "a file's offset")?;
        parts.push(CompoundPart { name, offset, len_bytes: number(body, "a file's length")? });
    }
    body.finish()?;
    Ok(parts)
}
