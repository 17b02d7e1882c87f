//! `_<segment>_<generation>.liv`: which documents of a segment are not deleted.
//!
//! | field | type |
//! |---|---|
//! | index header | codec `Lucene50LiveDocs` or `Lucene90LiveDocs`, version 0, suffix the generation in base 36 |
//! | words | one of 64 bits for each 64 documents, little-endian for 90; bit i of word w, from the low end, is 1 when document 64w + i lives |
//! | footer | 16 bytes |
//!
//! Sources: `Lucene50/90LiveDocsFormat` (Lucene 8.4.1, 9.8.0).

use super::codec::index_file_body;
use super::defect::{Defect, Unreadable};
use super::segment::Segment;
use super::segments::base_36;

/// Which documents of a segment live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LiveDocs {
    words: Vec<u64>,
}

impl LiveDocs {
    /// Decodes a whole `.liv` of a segment of `document_count` documents.
    pub(super) fn decode(
        bytes: &[u8],
        segment: &Segment,
        document_count: u32,
    ) -> Result<Self, Unreadable> {
        let (header, mut body) = index_file_body(bytes, segment.id)?;
        let word: fn([u8; 8]) -> u64 = match (header.codec.as_str(), header.version) {
            ("Lucene50LiveDocs", 0) => u64::from_be_bytes,
            ("Lucene90LiveDocs", 0) => u64::from_le_bytes,
            _ => return Err(Unreadable::Newer(header.to_string())),
        };
        let generation = base_36(u64::try_from(segment.delete_generation).unwrap_or(0));
        if header.suffix != generation {
            let found = header.suffix.escape_debug().to_string();
            return Err(Defect::new(0, format!("suffix {generation}"), found).into());
        }
        let mut words = Vec::new();
        for _ in 0..document_count.div_ceil(u64::BITS) {
            words.push(word(body.array("live documents")?));
        }
        body.finish()?;
        let live = Self { words };
        let deleted = u64::from(document_count).saturating_sub(live.count());
        if deleted != u64::from(segment.delete_count) {
            let expected = format!("{} deleted documents", segment.delete_count);
            return Err(Defect::new(0, expected, deleted.to_string()).into());
        }
        Ok(live)
    }

    fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Whether a document is not deleted.
    pub(super) fn is_live(&self, document: u32) -> bool {
        let word = usize::try_from(document / u64::BITS).ok().and_then(|at| self.words.get(at));
        word.is_some_and(|word| word >> (document % u64::BITS) & 1 == 1)
    }
}
