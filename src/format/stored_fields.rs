//! `.fdt` and `.fdm`: the stored fields of a segment's documents, in chunks that are packed by
//! LZ4. Only what a node's own index in `_state/` is written with is read: Lucene 8.4 and later,
//! the fast mode. The offsets in `.fdx` are not needed to read all of it.
//!
//! | codec in the header of `.fdt` | Lucene | chunk size | token | lists | chunk's bytes |
//! |---|---|---|---|---|---|
//! | `Lucene50StoredFieldsFastData` 1, 2 | 5.0 to 8.6 | vint behind the header, then a vint | documents × 2 + sliced | packed | LZ4 |
//! | `Lucene87StoredFieldsFastData` 3 | 8.7, 8.8 | first vint behind the header of `.fdm` | documents × 2 + sliced | packed | LZ4 with dictionary |
//! | `Lucene87StoredFieldsFastData` 4 | 8.9 to 8.11 | same | documents × 4 + dirty × 2 + sliced | packed | LZ4 with dictionary |
//! | `Lucene90StoredFieldsFastData` 1 | 9.0 and later | same | documents × 4 + dirty × 2 + sliced | grouped | LZ4 with dictionary |
//!
//! | chunk | type |
//! |---|---|
//! | number of documents before it | vint |
//! | token | vint |
//! | number of fields of each document | list, see `stored_ints.rs` |
//! | length of each document | list |
//! | documents | one block; if sliced, one for each so many bytes as the chunk size |
//!
//! Behind the last chunk of `Lucene50StoredFields`: two vlongs. A block with a dictionary:
//!
//! | block | type |
//! |---|---|
//! | length of the dictionary, of a part | vint, vint |
//! | packed lengths of the dictionary and of each part | vint each |
//! | the dictionary | LZ4 block; the document bytes begin with it |
//! | each part | LZ4 block with the dictionary before it |
//!
//! A document is its fields; what a field is called is in another file:
//!
//! | field | type |
//! |---|---|
//! | field number × 8 + type | vlong |
//! | 0 text, 1 bytes | vint length, bytes |
//! | 2 number | vint, zigzag |
//! | 3 to 5 float, long, double | not written to `_state/`, not read |
//!
//! Sources: `CompressingStoredFieldsReader`, `LZ4WithPresetDictCompressionMode` (Lucene 8.4.1 to
//! 8.11), `Lucene90CompressingStoredFieldsReader` (9.8.0, 10.x).

use std::ops::Range;

use super::codec::index_file_body;
use super::cursor::Cursor;
use super::defect::{Defect, Unreadable};
use super::lz4::lz4_block;
use super::stored_ints::{grouped_ints, packed_ints};

/// Documents in a chunk; Lucene writes 1024 at most.
const CHUNK_DOCUMENTS_MAX: u32 = 65_536;
/// Bytes of a chunk: some 80 KiB and the one document with which that is passed.
const CHUNK_MAX_BYTES: usize = 64 * 1024 * 1024;
/// Documents of a segment; each is an index, a mapping or a page of one.
const DOCUMENTS_MAX: u32 = 10_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Lucene50,
    Lucene87,
    Lucene90,
}

/// A stored value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StoredValue<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
    Number(i32),
}

/// Reads the chunks of a `.fdt`, first to last.
pub(super) struct StoredFields<'a> {
    form: Form,
    /// Bits of a chunk's token below its number of documents.
    token_flags: u32,
    chunk_size: usize,
    body: Cursor<'a>,
    document_count: u32,
    read_count: u32,
}

/// Some documents one after the other.
pub(super) struct Chunk {
    pub(super) first_document: u32,
    bytes: Vec<u8>,
    /// Place and number of fields of each document.
    documents: Vec<(Range<usize>, u32)>,
}

impl<'a> StoredFields<'a> {
    /// The chunk size in a `.fdm`, from Lucene 8.7 on.
    pub(super) fn chunk_size(meta: &[u8], segment_id: Option<[u8; 16]>) -> Result<u32, Unreadable> {
        let (header, mut body) = index_file_body(meta, segment_id)?;
        body.vint("the chunk size")
            .map_err(|defect| Unreadable::Newer(format!("{header}: {defect}")))
    }

    /// Opens a `.fdt`, from Lucene 8.7 on with the chunk size in its `.fdm`.
    pub(super) fn open(
        data: &'a [u8],
        chunk_size: Option<u32>,
        segment_id: Option<[u8; 16]>,
        document_count: u32,
    ) -> Result<Self, Unreadable> {
        let (header, mut body) = index_file_body(data, segment_id)?;
        let (form, token_flags) = match (header.codec.as_str(), header.version) {
            ("Lucene50StoredFieldsFastData", 1 | 2) => (Form::Lucene50, 1),
            ("Lucene87StoredFieldsFastData", 3) => (Form::Lucene87, 1),
            ("Lucene87StoredFieldsFastData", 4) => (Form::Lucene87, 2),
            ("Lucene90StoredFieldsFastData", 1) => (Form::Lucene90, 2),
            _ => return Err(Unreadable::Newer(header.to_string())),
        };
        if document_count > DOCUMENTS_MAX {
            return Err(Unreadable::Newer(format!("{document_count} documents")));
        }
        let chunk_size = if form == Form::Lucene50 {
            let chunk_size = body.vint("the chunk size")?;
            body.vint("the version of packed numbers")?;
            chunk_size
        } else {
            chunk_size.ok_or_else(|| Defect::new(0, "a .fdm beside it", "none"))?
        };
        let chunk_size = usize::try_from(chunk_size).unwrap_or(usize::MAX);
        Ok(Self { form, token_flags, chunk_size, body, document_count, read_count: 0 })
    }

    /// The next chunk; `None` behind the last.
    pub(super) fn next_chunk(&mut self) -> Result<Option<Chunk>, Defect> {
        if self.read_count >= self.document_count {
            if self.form == Form::Lucene50 {
                self.body.vlong("the number of chunks")?;
                self.body.vlong("the number of dirty chunks")?;
            }
            return self.body.finish().map(|()| None);
        }
        let at = self.body.offset();
        let first_document = self.body.vint("the number of documents before")?;
        if first_document != self.read_count {
            let expected = format!("{} documents before", self.read_count);
            return Err(Defect::new(at, expected, first_document.to_string()));
        }
        let at = self.body.offset();
        let token = self.body.vint("a chunk's token")?;
        let count = token >> self.token_flags;
        let left = self.document_count.saturating_sub(self.read_count);
        if count == 0 || count > left.min(CHUNK_DOCUMENTS_MAX) {
            return Err(Defect::new(at, "a number of documents", count.to_string()));
        }
        let list = if self.form == Form::Lucene90 { grouped_ints } else { packed_ints };
        let count_long = usize::try_from(count).unwrap_or(usize::MAX);
        let field_counts = list(&mut self.body, count_long)?;
        let lengths = list(&mut self.body, count_long)?;
        let mut documents = Vec::with_capacity(count_long);
        let mut end = 0_usize;
        for (length, field_count) in lengths.into_iter().zip(field_counts) {
            let from = end;
            end = end.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
            documents.push((from..end, field_count));
        }
        if end > CHUNK_MAX_BYTES {
            let expected = format!("at most {CHUNK_MAX_BYTES} bytes of documents");
            return Err(Defect::new(at, expected, end.to_string()));
        }
        let slice = if token & 1 == 1 { self.chunk_size } else { end };
        let bytes = self.unpack(end, slice)?;
        self.read_count = self.read_count.saturating_add(count);
        Ok(Some(Chunk { first_document, bytes, documents }))
    }

    /// Unpacks `length` bytes in blocks of `slice` bytes each.
    fn unpack(&mut self, length: usize, slice: usize) -> Result<Vec<u8>, Defect> {
        let mut bytes = Vec::new();
        loop {
            let left = length.saturating_sub(bytes.len());
            let block = left.min(slice);
            if block == 0 && left > 0 {
                return Err(Defect::new(self.body.offset(), "a chunk size", "0"));
            }
            if self.form == Form::Lucene50 {
                let mut window = Vec::new();
                lz4_block(&mut self.body, &mut window, block)?;
                bytes.append(&mut window);
            } else {
                with_dictionary(&mut self.body, block, &mut bytes)?;
            }
            if bytes.len() >= length {
                return Ok(bytes);
            }
        }
    }
}

fn with_dictionary(body: &mut Cursor, length: usize, to: &mut Vec<u8>) -> Result<(), Defect> {
    if length == 0 {
        return Ok(());
    }
    let at = body.offset();
    let dictionary_length = body.vint("a dictionary's length")? as usize;
    let part_length = body.vint("a part's length")? as usize;
    let behind = length.checked_sub(dictionary_length);
    let Some(parts) = behind.and_then(|rest| match rest {
        0 => Some(0),
        rest => (part_length > 0).then(|| rest.div_ceil(part_length)),
    }) else {
        let expected = format!("a dictionary and parts of together {length} bytes");
        return Err(Defect::new(at, expected, format!("{dictionary_length} and {part_length}")));
    };
    for _ in 0..=parts {
        body.vint("a packed length")?;
    }
    let mut window = Vec::new();
    lz4_block(body, &mut window, dictionary_length)?;
    to.extend_from_slice(&window);
    let mut left = length.saturating_sub(dictionary_length);
    while left > 0 {
        let part = left.min(part_length);
        lz4_block(body, &mut window, part)?;
        to.extend_from_slice(window.get(dictionary_length..).unwrap_or_default());
        window.truncate(dictionary_length);
        left = left.saturating_sub(part);
    }
    Ok(())
}

impl Chunk {
    /// Length of the documents in it.
    pub(super) fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// How many documents are in it.
    pub(super) fn document_count(&self) -> usize {
        self.documents.len()
    }

    /// The stored values of one document, in order.
    pub(super) fn values(&self, index: usize) -> Result<Vec<StoredValue<'_>>, Defect> {
        let (place, field_count) = self.documents.get(index).cloned().unwrap_or_default();
        let mut cursor = Cursor::new(self.bytes.get(place).unwrap_or_default());
        let mut values = Vec::new();
        for _ in 0..field_count {
            let at = cursor.offset();
            let field = cursor.vlong("a field's number and type")?;
            values.push(match field & 7 {
                0 => {
                    let bytes = counted(&mut cursor)?;
                    let text = std::str::from_utf8(bytes);
                    StoredValue::Text(text.map_err(|_| Defect::new(at, "a text", "other bytes"))?)
                }
                1 => StoredValue::Bytes(counted(&mut cursor)?),
                2 => {
                    let number = cursor.vint("a number")?;
                    let magnitude = (number >> 1).cast_signed();
                    StoredValue::Number(if number & 1 == 0 { magnitude } else { !magnitude })
                }
                other => return Err(Defect::new(at, "type 0, 1 or 2", other.to_string())),
            });
        }
        cursor.finish()?;
        Ok(values)
    }
}

fn counted<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Defect> {
    let length = cursor.vint("a value's length")?;
    cursor.take(usize::try_from(length).unwrap_or(usize::MAX), "a value")
}
