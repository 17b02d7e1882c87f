//! Any file of a Lucene index: its header and its footer, and with a pass over all of it the
//! checksum of its content.
//!
//! | Lucene that wrote the segment | header | object id and suffix | footer |
//! |---|---|---|---|
//! | up to 4.7 (ES up to 1.1) | most files from 4.0 on | - | none |
//! | 4.8 to 4.10 (ES 1.2 to 1.7) | all but `.del` | - | all |
//! | 5.0 and later (ES 2.0 and later) | all | all | all |
//!
//! The bytes are in `codec.rs`. The version of a segment is in its `.si` file, not in the commit:
//! a commit of 5.x can list segments of 4.x. The object id is that of the segment. Files that
//! are none of Lucene's have none of this: `write.lock`, `_checksums-*`, `recovery.*`.
//!
//! Sources: `CodecUtil` (Lucene 4.0.0 to 10.x), `Lucene40LiveDocsFormat` (4.10.4) for `.del`.

use std::io;

use super::codec::{CRC_BYTES, FOOTER_BYTES, codec_name, stored_crc};
use super::cursor::Cursor;
use super::defect::Defect;
use super::window::{ReadAt, Window};

/// Header, object id and suffix: 9 + 127 + 16 + 1 + 255 bytes at most.
const HEADER_MAX_BYTES: usize = 408;
const OBJECT_ID_BYTES: usize = 16;

/// What surrounds the content of an index file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexFileForm {
    /// Lucene up to 4.7: no footer, and not always a header.
    Bare,
    /// 4.8 to 4.10: a footer; a header except in `.del`.
    Footer,
    /// 5.0 and later: a header with the segment's id, and a footer.
    IndexHeader,
}

impl IndexFileForm {
    /// The form of the files of a segment by the Lucene that wrote it: major and minor.
    #[must_use]
    pub fn of(lucene_major: u32, lucene_minor: u32) -> Self {
        match (lucene_major, lucene_minor) {
            (0..=3, _) | (4, 0..=7) => Self::Bare,
            (4, _) => Self::Footer,
            _ => Self::IndexHeader,
        }
    }
}

/// How much of a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Header and footer, as a server does at a start.
    Ends,
    /// Every byte.
    Whole,
}

/// What an index file says of itself, when nothing is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexFile {
    /// Name of the codec in its header; `None` where it has no header.
    pub codec: Option<String>,
    /// Version of the codec.
    pub version: Option<u32>,
    /// Id of the segment it belongs to, from Lucene 5.0 on.
    pub object_id: Option<[u8; 16]>,
    /// The suffix of its header.
    pub suffix: Option<String>,
    /// The CRC in its footer; `None` before Lucene 4.8.
    pub crc: Option<u32>,
}

/// Reads the ends of an index file, and with [`Depth::Whole`] all of it, in 256 KiB of memory.
/// What is damaged is the inner error.
///
/// # Errors
/// When the source cannot be read.
pub fn check_index_file<R: ReadAt + ?Sized>(
    source: &R,
    form: IndexFileForm,
    depth: Depth,
) -> io::Result<Result<IndexFile, Defect>> {
    let len_bytes = source.len_bytes();
    let mut window = Window::new(source);
    let start = window.get(0, HEADER_MAX_BYTES)?.to_vec();
    let mut file = match header(&start, form) {
        Ok(file) => file,
        Err(defect) => return Ok(Err(defect)),
    };
    if form == IndexFileForm::Bare {
        return Ok(Ok(file));
    }
    let footer_offset = len_bytes.saturating_sub(FOOTER_BYTES as u64);
    let Ok(footer) = <[u8; FOOTER_BYTES]>::try_from(window.get(footer_offset, FOOTER_BYTES)?)
    else {
        let defect = Defect::new(len_bytes, "a codec footer", "the end of the file");
        return Ok(Err(defect));
    };
    let stored = match stored_crc(footer, len_bytes) {
        Ok(stored) => stored,
        Err(defect) => return Ok(Err(defect)),
    };
    file.crc = Some(stored);
    if depth == Depth::Whole {
        let crc_offset = len_bytes.saturating_sub(CRC_BYTES as u64);
        let computed = window.crc32(0, crc_offset)?;
        if stored != computed {
            let expected = format!("CRC {computed:08x}");
            return Ok(Err(Defect::new(crc_offset, expected, format!("{stored:08x}"))));
        }
    }
    Ok(Ok(file))
}

fn header(start: &[u8], form: IndexFileForm) -> Result<IndexFile, Defect> {
    let mut file =
        IndexFile { codec: None, version: None, object_id: None, suffix: None, crc: None };
    let mut cursor = Cursor::new(start);
    match codec_name(&mut cursor) {
        Ok(codec) => file.codec = Some(codec),
        // Up to 4.10 some files have none.
        Err(_) if form != IndexFileForm::IndexHeader => return Ok(file),
        Err(defect) => return Err(defect),
    }
    file.version = Some(cursor.u32("the codec version")?);
    if form == IndexFileForm::IndexHeader {
        let object_id = cursor.take(OBJECT_ID_BYTES, "the object id")?;
        file.object_id = object_id.try_into().ok();
        let length = cursor.u8("the suffix's length")?;
        let suffix = cursor.take(usize::from(length), "the suffix")?;
        file.suffix = Some(String::from_utf8_lossy(suffix).into_owned());
    }
    Ok(file)
}

#[cfg(test)]
mod tests;
