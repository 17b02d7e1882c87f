//! Which new files can be written in the room of old ones: the changes of a shard for a file system
//! without a free byte.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::rewrite::read;
use super::store::{Fingerprint, Store};
use super::store_error::StoreError;
use crate::plan::{Change, Piece};

/// Largest file that is written in place, in bytes: checkpoints have 20 to 88, commits some KiB.
/// What it held goes into the journal.
pub(super) const REWRITE_MAX_BYTES: u64 = 1024 * 1024;

/// A file that leaves, and a new one that can have its room.
#[derive(Debug)]
pub(super) struct InPlace {
    pub(super) from: PathBuf,
    pub(super) to: PathBuf,
    pub(super) was: Fingerprint,
    pub(super) old: Vec<u8>,
    pub(super) new: Vec<u8>,
}

/// Finds, for every new file that it can, one that leaves and has room for it in the same folder:
/// that of the same name, else the one it is like.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn find_in_place(
    store: &dyn Store,
    changes: &[Change],
) -> Result<Vec<InPlace>, StoreError> {
    let mut leaving: BTreeSet<&Path> = changes
        .iter()
        .filter_map(|change| match change {
            Change::MoveAway { path } => Some(path.as_path()),
            _ => None,
        })
        .collect();
    let mut found = Vec::new();
    for change in changes {
        let Change::Write { path, content, like } = change else { continue };
        let Some(new) = bytes_of(content) else { continue };
        let same_folder = like.parent() == path.parent();
        let from = [path, like].into_iter().find(|from| leaving.contains(from.as_path()));
        let Some(from) = from.filter(|from| *from == path || same_folder) else { continue };
        if let Some((was, old)) = roomy(store, from, new.len() as u64)? {
            leaving.remove(from.as_path());
            found.push(InPlace { from: from.clone(), to: path.clone(), was, old, new });
        }
    }
    Ok(found)
}

/// The file and what it holds, when `wanted_bytes` have room in it.
pub(super) fn roomy(
    store: &dyn Store,
    path: &Path,
    wanted_bytes: u64,
) -> Result<Option<(Fingerprint, Vec<u8>)>, StoreError> {
    let Some(was) = store.fingerprint(path)? else { return Ok(None) };
    let facts = store.facts(path)?;
    // A file that lies in its inode has no block of its own.
    let room_bytes = if facts.allocated_bytes == 0 { was.len_bytes } else { facts.allocated_bytes };
    if facts.link_count != 1 || wanted_bytes > room_bytes || was.len_bytes > REWRITE_MAX_BYTES {
        return Ok(None);
    }
    let Ok(len) = usize::try_from(was.len_bytes) else { return Ok(None) };
    let old = read(store, path, len)?;
    Ok((crc32fast::hash(&old) == was.crc32).then_some((was, old)))
}

/// The bytes of a content that copies from no file.
fn bytes_of(content: &[Piece]) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    for piece in content {
        let Piece::Bytes(bytes) = piece else { return None };
        all.extend_from_slice(bytes);
    }
    Some(all)
}
