//! Reading the content of a file that is to be written, piece by piece, in bounded memory.

use std::path::Path;

use super::step::Sum;
use super::store::{Fingerprint, Store};
use super::store_error::StoreError;
use crate::plan::{Content, Piece};

const BLOCK_BYTES: usize = 256 * 1024;

/// Where the reading of a piece is: the bytes of the next block follow from it.
#[derive(Debug, Default)]
pub(super) struct Reader {
    piece_index: usize,
    /// Bytes of the piece that were given out.
    taken_bytes: u64,
}

impl Reader {
    /// The next block of the content, `None` at its end. A file that ended before the range did
    /// gives an empty block.
    ///
    /// # Errors
    /// When a file that is copied from cannot be read.
    pub(super) fn next_block(
        &mut self,
        store: &dyn Store,
        content: &Content,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        while let Some(piece) = content.get(self.piece_index) {
            let block = match piece {
                Piece::Bytes(bytes) if self.taken_bytes == 0 => bytes.clone(),
                Piece::Range { file, from_offset, to_offset } => {
                    let offset = from_offset.saturating_add(self.taken_bytes);
                    let rest = to_offset.saturating_sub(offset);
                    let wanted = usize::try_from(rest).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
                    let mut block = vec![0; wanted];
                    let count = store.read_at(file, offset, &mut block)?;
                    block.truncate(count);
                    if block.is_empty() && wanted > 0 {
                        return Ok(Some(block));
                    }
                    block
                }
                Piece::Bytes(_) => Vec::new(),
            };
            if !block.is_empty() {
                self.taken_bytes = self.taken_bytes.saturating_add(block.len() as u64);
                return Ok(Some(block));
            }
            self.piece_index = self.piece_index.saturating_add(1);
            self.taken_bytes = 0;
        }
        Ok(None)
    }
}

/// All of a file as it was judged.
pub(super) fn whole(file: &Path, was: &Fingerprint) -> Content {
    let (from_offset, to_offset) = (0, was.len_bytes);
    vec![Piece::Range { file: file.to_path_buf(), from_offset, to_offset }]
}

/// The files that it is copied from.
pub(super) fn files_of(content: &Content) -> Vec<&Path> {
    let files = content.iter().filter_map(|piece| match piece {
        Piece::Range { file, .. } => Some(file.as_path()),
        Piece::Bytes(_) => None,
    });
    files.collect()
}

/// Length and CRC-32 of a content; `None` when a file ended before a range of it did.
///
/// # Errors
/// When a file that is copied from cannot be read.
pub(super) fn sum_of(store: &dyn Store, content: &Content) -> Result<Option<Sum>, StoreError> {
    let mut hasher = crc32fast::Hasher::new();
    let mut len_bytes: u64 = 0;
    let mut reader = Reader::default();
    while let Some(block) = reader.next_block(store, content)? {
        if block.is_empty() {
            return Ok(None);
        }
        hasher.update(&block);
        len_bytes = len_bytes.saturating_add(block.len() as u64);
    }
    Ok(Some(Sum { len_bytes, crc32: hasher.finalize() }))
}
