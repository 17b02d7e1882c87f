//! What steps need of a file system, and whether it is there: asked before anything is done.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::lower::LowerError;
use super::quarantine::Quarantine;
use super::step::Step;
use super::store::{Room, Store};
use super::store_error::StoreError;

/// What steps need.
struct Need {
    bytes: u64,
    inodes: u64,
}

/// What these steps need on a file system with this room.
///
/// # Errors
/// When a folder cannot be looked at.
fn need_of(store: &dyn Store, steps: &[&Step], room: Room) -> Result<Need, StoreError> {
    let blocks_of = |len_bytes: u64| len_bytes.div_ceil(room.block_bytes.max(1));
    let mut blocks: u64 = 0;
    let mut inodes: u64 = 0;
    for step in steps {
        let (made, taken) = match step {
            Step::CreateFolder { path, .. } if store.folder(path)?.is_none() => (1, 1),
            Step::Stage { sum, .. } => (1, blocks_of(sum.len_bytes)),
            Step::Copy { was, .. } => (1, blocks_of(was.len_bytes)),
            Step::Rewrite { old, new, .. } => {
                let [old, new] = [old, new].map(|bytes| blocks_of(bytes.len() as u64));
                (0, new.saturating_sub(old))
            }
            _ => continue,
        };
        inodes = inodes.saturating_add(made);
        blocks = blocks.saturating_add(taken);
    }
    if blocks > 0 {
        blocks = blocks.saturating_add(room.spare_blocks);
    }
    Ok(Need { bytes: blocks.saturating_mul(room.block_bytes), inodes })
}

/// The folders on the shards' own file systems that take these quarantines.
pub(super) fn own_anchors<'a>(quarantines: &[&'a Quarantine]) -> BTreeSet<&'a Path> {
    quarantines.iter().map(|one| one.own_anchor()).collect()
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
    let elsewhere: Vec<&Quarantine> =
        quarantines.iter().copied().filter(|one| one.is_elsewhere()).collect();
    let (away, own): (Vec<&Step>, Vec<&Step>) =
        steps.iter().partition(|step| is_away(step, &elsewhere));
    check_anchors(store, &own, own_anchors(quarantines))?;
    check_anchors(store, &away, elsewhere.iter().map(|one| one.anchor.as_path()).collect())
}

/// Whether the step makes something on another file system than the shards', for one of the
/// quarantines that have such a place.
fn is_away(step: &Step, elsewhere: &[&Quarantine]) -> bool {
    let (Step::CreateFolder { path: made, .. }
    | Step::Stage { staged: made, .. }
    | Step::Copy { kept: made, .. }) = step
    else {
        return false;
    };
    let is_within = |folder: &Path, holds: bool| holds || folder.starts_with(made);
    elsewhere.iter().any(|one| {
        is_within(&one.folder, one.holds(made))
            && one.own.as_ref().is_some_and(|own| !is_within(&own.folder, own.holds(made)))
    })
}

fn check_anchors(
    store: &dyn Store,
    steps: &[&Step],
    anchors: BTreeSet<&Path>,
) -> Result<(), LowerError> {
    for anchor in anchors {
        let room = store.room(anchor)?;
        let need = need_of(store, steps, room)?;
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
