//! The cluster's metadata as a node keeps it from 7.6 on, OpenSearch too: documents in a Lucene
//! index in the node's `_state/` folder. Of these the documents of indices are read, and of the
//! cluster's own the nodes that vote, see `voters.rs`.
//!
//! | document | stored fields in order |
//! |---|---|
//! | the cluster's own | `page`, `last_page` (8.x and later), `data` |
//! | an index | `index_uuid`, `page`, `last_page` (8.x and later), `data`, `project_id` (9.x) |
//! | a mapping (8.x and later) | `mapping_hash`, `page`, `last_page`, `data`, `project_id` (9.x) |
//!
//! | data | servers |
//! |---|---|
//! | SMILE | 7.x, OpenSearch |
//! | `DFL` and a 0, raw deflate of SMILE, cut in pages of 1 MB | 8.x and later |
//!
//! `last_page` is 1 on the last page and 0 on the others. The SMILE document of an index is what its state file holds, see `state.rs`. An index and a
//! mapping are told apart by the length of the first field, 22 against 44 characters, and the
//! document must repeat the UUID. The commit's user data have `node_id`, `current_term` and
//! `last_accepted_version`. What a master-eligible node keeps it has accepted, and the rest of
//! the cluster may not have: as a server does, it is taken as it is.
//!
//! Sources: `PersistedClusterStateService` (7.6.0, 8.x, 9.x, OpenSearch 2.x); `DeflateCompressor`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::Read;
use std::mem;

use flate2::read::DeflateDecoder;

use super::defect::Unreadable;
use super::live_docs::LiveDocs;
use super::pages::{Page, Pages};
use super::segment::Segment;
use super::segment_files::{FileError, SegmentFiles};
use super::state::IndexState;
use super::stored_fields::{Chunk, StoredValue};
use super::voters::Voters;

/// Characters of an index's UUID: 16 bytes in base64.
const UUID_LEN: usize = 22;
/// Object, key of nine characters, the key: behind the header of the cluster's own document. An
/// index may be called so too.
const CLUSTER_START: &[u8] = b"\xFA\x88meta-data";
const SMILE_HEADER_BYTES: usize = 4;
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
    waiting_of_cluster: Pages,
    waiting_bytes: usize,
    unpacked_bytes: usize,
    kept: KeptState,
}

/// What a node keeps.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KeptState {
    /// The indices by UUID.
    pub indices: BTreeMap<String, IndexState>,
    /// The nodes that elect the master; none where the cluster's own document does not tell.
    pub voters: Option<Voters>,
}

/// A stored document.
enum Stored<'a> {
    /// All of an index's or the cluster's.
    Whole(&'a [u8]),
    /// Some of the index's with this UUID.
    OfIndex(&'a str, Page<'a>),
    /// Some of the cluster's.
    OfCluster(Page<'a>),
    /// A mapping's.
    Other,
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
        let failed =
            |what: String| FileError { file: file.clone(), reason: Unreadable::Newer(what) };
        while let Some(chunk) = stored.next_chunk().map_err(|defect| failed(defect.to_string()))? {
            self.unpacked_bytes = self.unpacked_bytes.saturating_add(chunk.len_bytes());
            if self.unpacked_bytes > UNPACKED_MAX_BYTES {
                return Err(failed(format!("more than {UNPACKED_MAX_BYTES} bytes of documents")));
            }
            self.add_chunk(&chunk, live.as_ref()).map_err(&failed)?;
        }
        Ok(())
    }

    /// What was gathered.
    ///
    /// # Errors
    /// When the document of an index has not all its pages.
    pub fn finish(self) -> Result<KeptState, String> {
        match self.waiting.first_key_value() {
            None => Ok(self.kept),
            Some((uuid, pages)) => {
                Err(format!("index {}: only {} of its pages", uuid.escape_debug(), pages.count()))
            }
        }
    }

    fn add_chunk(&mut self, chunk: &Chunk, live: Option<&LiveDocs>) -> Result<(), String> {
        for (document, at) in (chunk.first_document..).zip(0..chunk.document_count()) {
            if live.is_some_and(|live| !live.is_live(document)) {
                continue;
            }
            let failed = |what: String| format!("document {document}: {what}");
            let values = chunk.values(at).map_err(|defect| failed(defect.to_string()))?;
            match Stored::of(&values) {
                Stored::Whole(data) => self.add_whole(data, None).map_err(failed)?,
                Stored::OfIndex(uuid, page) => self.add_page(uuid, &page).map_err(failed)?,
                Stored::OfCluster(page) => self.add_page_of_cluster(&page).map_err(failed)?,
                Stored::Other => {}
            }
        }
        Ok(())
    }

    fn add_page(&mut self, uuid: &str, page: &Page) -> Result<(), String> {
        let mut pages = self.waiting.remove(uuid).unwrap_or_default();
        self.wait_with(page)?;
        if !pages.add(page) {
            return Err(format!("page {} of index {uuid} a second time", page.number));
        }
        if !pages.is_whole() {
            self.waiting.insert(uuid.to_owned(), pages);
            return Ok(());
        }
        let data = pages.joined();
        self.waiting_bytes = self.waiting_bytes.saturating_sub(data.len());
        self.add_whole(&data, Some(uuid))
    }

    /// What is odd about the cluster's own pages costs no index.
    fn add_page_of_cluster(&mut self, page: &Page) -> Result<(), String> {
        self.wait_with(page)?;
        if self.waiting_of_cluster.add(page) && self.waiting_of_cluster.is_whole() {
            let data = mem::take(&mut self.waiting_of_cluster).joined();
            self.waiting_bytes = self.waiting_bytes.saturating_sub(data.len());
            let inflated = data.strip_prefix(DEFLATED).map(inflate);
            if let Ok(document) = inflated.unwrap_or(Ok(data)) {
                self.add_cluster(&document);
            }
        }
        Ok(())
    }

    fn wait_with(&mut self, page: &Page) -> Result<(), String> {
        self.waiting_bytes = self.waiting_bytes.saturating_add(page.data.len());
        if self.waiting_bytes > WAITING_MAX_BYTES {
            return Err(format!("more than {WAITING_MAX_BYTES} bytes of pages"));
        }
        Ok(())
    }

    /// A form that is not known tells of no voters.
    fn add_cluster(&mut self, document: &[u8]) {
        let voters = Voters::decode_smile(document).ok().flatten();
        let known = self.kept.voters.take();
        self.kept.voters = voters.into_iter().chain(known).max_by_key(|voters| voters.age);
    }

    /// Adds a whole document, which belongs to the index of this UUID or, where none is stored
    /// beside it, to any index or to the cluster.
    fn add_whole(&mut self, data: &[u8], uuid: Option<&str>) -> Result<(), String> {
        let inflated;
        let document = match data.strip_prefix(DEFLATED) {
            None => data,
            Some(deflated) => {
                inflated = inflate(deflated)?;
                &inflated
            }
        };
        let is_clusters = document
            .get(SMILE_HEADER_BYTES..)
            .is_some_and(|content| content.starts_with(CLUSTER_START));
        let (own_uuid, index) = match IndexState::decode_smile(document) {
            Ok(index) if index.uuid.is_some() => (index.uuid.clone().unwrap_or_default(), index),
            _ if is_clusters && uuid.is_none() => {
                self.add_cluster(document);
                return Ok(());
            }
            Ok(index) => return Err(format!("index {:?} without a UUID", index.name)),
            Err(error) => return Err(error),
        };
        if uuid.is_some_and(|uuid| uuid != own_uuid) {
            return Err(format!("index {own_uuid:?} under another UUID"));
        }
        match self.kept.indices.entry(own_uuid) {
            Entry::Occupied(known) => Err(format!("index {:?} a second time", known.key())),
            Entry::Vacant(place) => {
                place.insert(index);
                Ok(())
            }
        }
    }
}

impl<'a> Stored<'a> {
    fn of(values: &[StoredValue<'a>]) -> Self {
        let is_index = |uuid: &str| uuid.len() == UUID_LEN;
        match *values {
            [StoredValue::Bytes(data)] => Self::Whole(data),
            [StoredValue::Text(uuid), StoredValue::Bytes(data)] if is_index(uuid) => {
                Self::OfIndex(uuid, Page { number: 0, is_last: true, data })
            }
            [
                StoredValue::Text(uuid),
                StoredValue::Number(number),
                StoredValue::Number(is_last),
                StoredValue::Bytes(data),
                ..,
            ] if is_index(uuid) => {
                Self::OfIndex(uuid, Page { number, is_last: is_last == 1, data })
            }
            [
                StoredValue::Number(number),
                StoredValue::Number(is_last),
                StoredValue::Bytes(data),
            ] => Self::OfCluster(Page { number, is_last: is_last == 1, data }),
            _ => Self::Other,
        }
    }
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
#[expect(clippy::arithmetic_side_effects, reason = "numbers of small literals")]
mod tests;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "numbers of small literals")]
pub(crate) mod writer;
