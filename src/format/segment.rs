//! One segment in a commit of Lucene 4.0 and later.
//!
//! | field | type | formats |
//! |---|---|---|
//! | name | string, such as `_a3` | all |
//! | flag | u8: 1 = an id follows (0 for segments of 4.x in a commit of 5.x) | 4 to 6 |
//! | id | 16 bytes | 4 to 6 if the flag is 1, >= 7 |
//! | codec | string | all |
//! | delete generation | i64, -1 none | all |
//! | number of deletes | i32 | all |
//! | field infos generation | i64 | >= 1 |
//! | doc values generation | i64 | >= 3 |
//! | number of soft deletes | i32 | >= 9 |
//! | flag | u8: 1 = an id follows, 0 | >= 10 |
//! | id of this state | 16 bytes | >= 10 if the flag is 1 |
//! | updates | i32 count of (i64 generation, strings) | 1, 2 |
//! | field infos files | strings | >= 3 |
//! | doc values files | i32 count of (i32 field, strings) | >= 3 |
//!
//! Strings: i32 count (vint from 5 on), then each as vint length and UTF-8.
//!
//! Sources: `SegmentInfos` (Lucene 4.0.0 to 10.x).

use super::cursor::{Cursor, ENTRIES_MAX};
use super::defect::Defect;
use super::segments::base_36;

/// A segment, as a commit lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its name, such as `_a3`.
    pub name: String,
    /// Its id, which is in the header of each of its files, from Lucene 5.0 on.
    pub id: Option<[u8; 16]>,
    /// The codec that wrote it; empty for Lucene 3.
    pub codec: String,
    /// The Lucene that wrote it, where the commit says so (Lucene 3 only).
    pub lucene_version: Option<String>,
    /// Number of documents, where the commit says so (Lucene 3 only).
    pub document_count: Option<u32>,
    /// Generation of its list of deleted documents; -1 for none.
    pub delete_generation: i64,
    /// Number of deleted documents.
    pub delete_count: u32,
    /// Number of documents that are deleted softly.
    pub soft_delete_count: u32,
    /// Files of later updates. What the segment was written with is listed in its `.si` file.
    pub update_files: Vec<String>,
}

impl Segment {
    /// Name of its file of deleted documents, where it has one.
    #[must_use]
    pub fn deletes_file(&self) -> Option<String> {
        let generation = u64::try_from(self.delete_generation).ok().filter(|number| *number > 0)?;
        let is_old = matches!(
            self.codec.as_str(),
            "" | "Lucene40"
                | "Lucene41"
                | "Lucene42"
                | "Lucene45"
                | "Lucene46"
                | "Lucene49"
                | "Lucene410"
        );
        let extension = if is_old { "del" } else { "liv" };
        Some(format!("{}_{}.{extension}", self.name, base_36(generation)))
    }
}

/// Reads one entry.
pub(super) fn segment(cursor: &mut Cursor, format: i32) -> Result<Segment, Defect> {
    let name = cursor.string("a segment's name")?;
    let has_id = match format {
        4..=6 => cursor.flag("a segment id's flag")?,
        _ => format >= 7,
    };
    let id = if has_id { Some(cursor.array("a segment's id")?) } else { None };
    let codec = cursor.string("a segment's codec")?;
    let delete_generation = cursor.i64("a delete generation")?;
    let delete_count = cursor.u32("a number of deletes")?;
    if format >= 1 {
        cursor.i64("a field infos generation")?;
    }
    if format >= 3 {
        cursor.i64("a doc values generation")?;
    }
    let soft_delete_count = if format >= 9 { cursor.u32("a number of soft deletes")? } else { 0 };
    if format >= 10 && cursor.flag("a segment state's flag")? {
        cursor.take(16, "a segment state's id")?;
    }
    let mut update_files = Vec::new();
    if matches!(format, 1 | 2) {
        for _ in 0..cursor.count(ENTRIES_MAX, "a number of updates")? {
            cursor.i64("an update's generation")?;
            update_files.append(&mut cursor.strings(false)?);
        }
    }
    if format >= 3 {
        let is_vint = format >= 5;
        update_files.append(&mut cursor.strings(is_vint)?);
        for _ in 0..cursor.count(ENTRIES_MAX, "a number of updated fields")? {
            cursor.u32("a field's number")?;
            update_files.append(&mut cursor.strings(is_vint)?);
        }
    }
    Ok(Segment {
        name,
        id,
        codec,
        lucene_version: None,
        document_count: None,
        delete_generation,
        delete_count,
        soft_delete_count,
        update_files,
    })
}
