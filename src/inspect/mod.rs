//! `inspect`: any one file of a shard, decoded field by field with offsets, for someone who knows
//! the format. Files of any length are read in constant memory: what is found is handed over
//! piece by piece.
#![deny(clippy::arithmetic_side_effects)]

mod checkpoint;
mod commit;
mod compound;
mod field;
mod flip;
mod kind;
mod record;
mod translog;
mod whole;

pub use field::{Field, Piece};
pub use kind::FileKind;
pub use record::RecordLine;

use std::io;
use std::path::Path;

use crate::diagnose::FileSource;
use crate::format::ReadAt;

/// Files of which all is decoded at once are this long at most.
const DECODED_MAX_BYTES: u64 = 64 * 1024 * 1024;

/// What is wanted of a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct InspectOptions {
    /// Every record of a translog.
    pub records: bool,
    /// The documents in the records.
    pub documents: bool,
}

/// Decodes a file and hands over what it says, piece by piece: its kind first, then fields,
/// records and defects in file order.
///
/// # Errors
/// When it cannot be read. What is damaged or unknown is a piece, and no error.
pub fn inspect_file(
    path: &Path,
    options: InspectOptions,
    say: &mut dyn FnMut(Piece),
) -> io::Result<()> {
    let source = FileSource::open(path)?;
    let kind = FileKind::of(path, &source)?;
    say(Piece::Kind { kind, len_bytes: source.len_bytes() });
    match kind {
        FileKind::Translog => translog::inspect(path, &source, options, say),
        FileKind::LuceneFile => {
            whole::lucene_file(&source, say)?;
            compound::inspect(path, say)
        }
        FileKind::Unknown => whole::unknown(&source, say),
        FileKind::Checkpoint | FileKind::Commit | FileKind::State | FileKind::Marker => {
            let bytes = source.read_all(DECODED_MAX_BYTES)?;
            match kind {
                FileKind::Checkpoint => checkpoint::inspect(&bytes, say),
                FileKind::Commit => commit::inspect(path, &bytes, say),
                FileKind::Marker => whole::marker(&bytes, say),
                _ => whole::state(&bytes, say),
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
