//! The cluster's metadata as a node keeps it from 7.6 on, OpenSearch too: documents in a Lucene
//! index in the node's `_state/` folder. Of these the documents of indices are read.
//!
//! | document | stored fields in order |
//! |---|---|
//! | the cluster's own | `page`, `last_page` (7.16 and later), `data` |
//! | an index | `index_uuid`, `page`, `last_page` (7.16 and later), `data`, `project_id` (9.x) |
//! | a mapping (8.x and later) | `mapping_hash`, `page`, `last_page`, `data`, `project_id` (9.x) |
//!
//! | data | servers |
//! |---|---|
//! | SMILE | 7.6 to 7.15, OpenSearch |
//! | `DFL` and a 0, raw deflate of SMILE, cut in pages of 1 MB | 7.16 and later |
//!
//! The SMILE document of an index is what its state file holds, see `state.rs`. An index and a
//! mapping are told apart by the length of the first field, 22 against 44 characters, and the
//! document must repeat the UUID. The commit's user data have `node_id`, `current_term` and
//! `last_accepted_version`. What a master-eligible node keeps it has accepted, and the rest of
//! the cluster may not have: as a server does, it is taken as it is.
//!
//! Sources: `PersistedClusterStateService` (7.6.0, 8.x, 9.x, OpenSearch 2.x); `DeflateCompressor`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::Read;

use flate2::read::DeflateDecoder;

use super::defect::Unreadable;
use super::live_docs::LiveDocs;
use super::segment::Segment;
use super::segment_files::{FileError, SegmentFiles};
use super::state::IndexState;
use super::stored_fields::{Chunk, StoredValue};

/// Characters of an index's UUID: 16 bytes in base64.
const UUID_LEN: usize = 22;
const DEFLATED: &[u8] = b"DFL\0";
/// Bytes of one document, unpacked. 4 MiB is a big one.
const DOCUMENT_MAX_BYTES: usize = 64 * 1024 * 1024;
/// Pages of documents that wait for their other pages.
const WAITING_MAX_BYTES: usize = 128 * 1024 * 1024;
/// Bytes of all chunks unpacked, which bounds the time.
const UNPACKED_MAX_BYTES: usize = 1024 * 1024 * 1024;

/// Gathers the indices from one segment after the other.
#[derive(Debug, Default)]
pub struct ClusterStateReader {
    waiting: BTreeMap<String, Pages>,
    waiting_bytes: usize,
    unpacked_bytes: usize,
    indices: BTreeMap<String, IndexState>,
}

#[derive(Debug, Default)]
struct Pages {
    by_number: BTreeMap<i32, Vec<u8>>,
    last: i32,
}

/// What one stored document says.
struct Page<'a> {
    uuid: &'a str,
    number: i32,
    last: i32,
    data: &'a [u8],
}

impl ClusterStateReader {
    /// Reads a segment of a commit.
    ///
    /// # Errors
    /// When a file is missing or damaged, or of a form that is not known.
    pub fn add_segment(
        &mut self,
        segment: &Segment,
        files: &SegmentFiles,
    ) -> Result<(), FileError> {
        let live = files.live_docs(segment)?;
        let (file, mut stored) = files.stored_fields(segment)?;
        let failed = |what: String| FileError { file: file.clone(), reason: Unreadable::Newer(what) };
        while let Some(chunk) = stored.next_chunk().map_err(|defect| failed(defect.to_string()))? {
            self.unpacked_bytes = self.unpacked_bytes.saturating_add(chunk.len_bytes());
            if self.unpacked_bytes > UNPACKED_MAX_BYTES {
                return Err(failed(format!("more than {UNPACKED_MAX_BYTES} bytes of documents")));
            }
            self.add_chunk(&chunk, live.as_ref()).map_err(&failed)?;
        }
        Ok(())
    }

    /// The indices by UUID.
    ///
    /// # Errors
    /// When a document has not all its pages.
    pub fn finish(self) -> Result<BTreeMap<String, IndexState>, String> {
        match self.waiting.first_key_value() {
            None => Ok(self.indices),
            Some((uuid, pages)) => Err(format!(
                "index {}: {} of its {} pages",
                uuid.escape_debug(),
                pages.by_number.len(),
                i64::from(pages.last).saturating_add(1),
            )),
        }
    }

    fn add_chunk(&mut self, chunk: &Chunk, live: Option<&LiveDocs>) -> Result<(), String> {
        for (document, at) in (chunk.first_document..).zip(0..chunk.document_count()) {
            if live.is_some_and(|live| !live.is_live(document)) {
                continue;
            }
            let failed = |what: String| format!("document {document}: {what}");
            let values = chunk.values(at).map_err(|defect| failed(defect.to_string()))?;
            if let Some(page) = Page::of(&values) {
                self.add_page(page).map_err(failed)?;
            }
        }
        Ok(())
    }

    fn add_page(&mut self, page: Page) -> Result<(), String> {
        let mut pages = self.waiting.remove(page.uuid).unwrap_or_default();
        if pages.by_number.is_empty() {
            pages.last = page.last;
        }
        let is_in_range = (0..=page.last).contains(&page.number) && pages.last == page.last;
        if !is_in_range || pages.by_number.contains_key(&page.number) {
            return Err(format!("page {} of {}", page.number, page.last));
        }
        self.waiting_bytes = self.waiting_bytes.saturating_add(page.data.len());
        if self.waiting_bytes > WAITING_MAX_BYTES {
            return Err(format!("more than {WAITING_MAX_BYTES} bytes of pages"));
        }
        pages.by_number.insert(page.number, page.data.to_vec());
        if pages.by_number.len() <= usize::try_from(page.last).unwrap_or(usize::MAX) {
            self.waiting.insert(page.uuid.to_owned(), pages);
            return Ok(());
        }
        let data: Vec<u8> = pages.by_number.into_values().flatten().collect();
        self.waiting_bytes = self.waiting_bytes.saturating_sub(data.len());
        let index = index_of(&data, page.uuid)?;
        match self.indices.entry(page.uuid.to_owned()) {
            Entry::Occupied(_) => Err(format!("index {} a second time", page.uuid)),
            Entry::Vacant(place) => {
                place.insert(index);
                Ok(())
            }
        }
    }
}

impl<'a> Page<'a> {
    /// The document as a page of an index's metadata; `None` for any other document.
    fn of(values: &[StoredValue<'a>]) -> Option<Self> {
        let (uuid, number, last, data) = match values {
            [StoredValue::Text(uuid), StoredValue::Bytes(data), ..] => (uuid, 0, 0, data),
            [
                StoredValue::Text(uuid),
                StoredValue::Number(number),
                StoredValue::Number(last),
                StoredValue::Bytes(data),
                ..,
            ] => (uuid, *number, *last, data),
            _ => return None,
        };
        (uuid.len() == UUID_LEN).then_some(Self { uuid, number, last, data })
    }
}

fn index_of(data: &[u8], uuid: &str) -> Result<IndexState, String> {
    let inflated;
    let document = match data.strip_prefix(DEFLATED) {
        None => data,
        Some(deflated) => {
            inflated = inflate(deflated)?;
            &inflated
        }
    };
    let index = IndexState::decode_smile(document)?;
    if index.uuid.as_deref() == Some(uuid) {
        return Ok(index);
    }
    Err(format!("the metadata of {:?} under the UUID {uuid:?}", index.uuid.unwrap_or_default()))
}

fn inflate(deflated: &[u8]) -> Result<Vec<u8>, String> {
    let mut inflated = Vec::new();
    let limit = DOCUMENT_MAX_BYTES as u64;
    DeflateDecoder::new(deflated)
        .take(limit.saturating_add(1))
        .read_to_end(&mut inflated)
        .map_err(|error| format!("deflated data: {error}"))?;
    if inflated.len() > DOCUMENT_MAX_BYTES {
        return Err(format!("more than {DOCUMENT_MAX_BYTES} bytes inflated"));
    }
    Ok(inflated)
}

#[cfg(test)]
mod tests;
