//! What steps need of a file system, and whether it is there: asked before anything is done.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::lower::LowerError;
use super::quarantine::Quarantine;
use super::step::Step;
use super::store::{Store, StoreError};

/// Blocks that names and the journal of the file system may take beside what is counted, where
/// folders are made or files written.
const SLACK_BLOCKS: u64 = 8;

/// What steps need.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) bytes: u64,
    pub(super) inodes: u64,
}

/// What these steps need on a file system of this block size.
///
/// # Errors
/// When a folder cannot be looked at.
pub(super) fn need_of(
    store: &dyn Store,
    steps: &[Step],
    block_bytes: u64,
) -> Result<Need, StoreError> {
    let mut need = Need::default();
    for step in steps {
        let blocks = match step {
            Step::CreateFolder { path, .. } if store.folder(path)?.is_none() => 1,
            Step::Stage { sum, .. } => sum.len_bytes.div_ceil(block_bytes.max(1)),
            _ => continue,
        };
        need.inodes = need.inodes.saturating_add(1);
        need.bytes = need.bytes.saturating_add(blocks.saturating_mul(block_bytes));
    }
    if need.inodes > 0 {
        let slack_bytes = SLACK_BLOCKS.saturating_mul(block_bytes);
        need.bytes = need.bytes.saturating_add(slack_bytes);
    }
    Ok(need)
}

/// Refuses when a file system has less room than the steps need.
///
/// # Errors
/// [`LowerError::Space`] with both numbers.
pub(super) fn check_room(
    store: &dyn Store,
    steps: &[Step],
    quarantines: &[&Quarantine],
) -> Result<(), LowerError> {
    let anchors: BTreeSet<&Path> = quarantines.iter().map(|one| one.anchor.as_path()).collect();
    for anchor in anchors {
        let room = store.room(anchor)?;
        let need = need_of(store, steps, room.block_bytes)?;
        let space = |need, free, unit| LowerError::Space {
            folder: PathBuf::from(anchor),
            need,
            free,
            unit,
        };
        if need.bytes > room.free_bytes {
            return Err(space(need.bytes, room.free_bytes, "bytes"));
        }
        if let Some(free) = room.free_inodes.filter(|free| need.inodes > *free) {
            return Err(space(need.inodes, free, "inodes"));
        }
    }
    Ok(())
}
