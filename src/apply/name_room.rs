//! Room for names in a folder that has no block yet, on a full file system: XFS gives it one only
//! when many blocks are free, of which it takes one. Small files that leave a shard give them: they
//! are emptied before the first file moves, and the journal has what they held.

use std::path::{Path, PathBuf};

use super::in_place::{REWRITE_MAX_BYTES, roomy};
use super::lower::LowerError;
use super::quarantine::Quarantine;
use super::room::anchors_of;
use super::step::{Step, Sum};
use super::store::{Fingerprint, Store};

/// What a name in an inode takes beside itself, in bytes (`xfs_dir2_sf_entry`, at most).
const NAME_BYTES: u64 = 12;

/// Makes room for the names that the steps that `prepare` and those that `exchange` files give in the
/// folder that takes the quarantine: the steps that come before these, none where there is the room.
/// What moves empty is what is expected of it then.
///
/// # Errors
/// [`LowerError::Space`] when the files that leave have not the room in them, or the journal would
/// not outlast a restart of the machine.
pub(super) fn make_name_room(
    store: &dyn Store,
    (prepare, exchange): (&[&Step], &mut [Step]),
    quarantines: &[&Quarantine],
    journal_lasts: bool,
) -> Result<Vec<Step>, LowerError> {
    let mut emptying = Vec::new();
    for anchor in anchors_of(quarantines) {
        let room = store.room(anchor)?;
        let Some(free_name_bytes) = room.inode_name_bytes else { continue };
        let needed_bytes = room.spare_blocks.saturating_mul(room.block_bytes);
        let steps = prepare.iter().copied().chain(&*exchange);
        if names_bytes(steps, anchor) <= free_name_bytes || needed_bytes <= room.free_bytes {
            continue;
        }
        let mut free_bytes = room.free_bytes;
        let mut leaving = if journal_lasts { small(store, exchange, anchor)? } else { Vec::new() };
        while free_bytes < needed_bytes {
            let Some((allocated_bytes, index)) = leaving.pop() else {
                let (folder, free) = (anchor.to_path_buf(), room.free_bytes);
                return Err(LowerError::Space { folder, need: needed_bytes, free, unit: "bytes" });
            };
            if let Some(step) = empty(store, exchange, index)? {
                emptying.push(step);
                free_bytes = free_bytes.saturating_add(allocated_bytes);
            }
        }
    }
    let sync = Step::sync_after(&emptying);
    Ok(emptying.into_iter().chain(sync).collect())
}

/// What names take that are new in this folder.
fn names_bytes<'a>(steps: impl Iterator<Item = &'a Step>, folder: &Path) -> u64 {
    let paths = steps.filter_map(|step| match step {
        Step::Stage { staged: path, .. }
        | Step::Keep { kept: path, .. }
        | Step::Move { to: path, .. }
        | Step::MoveFolder { to: path, .. } => Some(path),
        _ => None,
    });
    let names =
        paths.filter(|path| path.parent() == Some(folder)).filter_map(|path| path.file_name());
    names.map(|name| (name.len() as u64).saturating_add(NAME_BYTES)).sum()
}

/// The moves of small files into this folder, by the bytes that each has set aside, fewest first.
fn small(
    store: &dyn Store,
    steps: &[Step],
    folder: &Path,
) -> Result<Vec<(u64, usize)>, LowerError> {
    let mut found = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let Step::Move { from, to, was } = step else { continue };
        let is_small = (1..=REWRITE_MAX_BYTES).contains(&was.len_bytes);
        if is_small && to.parent() == Some(folder) {
            found.push((store.facts(from)?.allocated_bytes, index));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The step that empties the file that moves; `None` where it is not for this program alone.
fn empty(store: &dyn Store, steps: &mut [Step], index: usize) -> Result<Option<Step>, LowerError> {
    let Some(Step::Move { from, was, .. }) = steps.get_mut(index) else { return Ok(None) };
    let Some((full, old)) = roomy(store, from, 0)? else { return Ok(None) };
    *was = emptied(*was);
    let (from, to): (PathBuf, PathBuf) = (from.clone(), from.clone());
    Ok(Some(Step::Rewrite { from, to, was: full, old, new: Vec::new(), times: None }))
}

fn emptied(was: Fingerprint) -> Fingerprint {
    let Sum { len_bytes, crc32 } = Sum::of(&[]);
    Fingerprint { len_bytes, crc32, ..was }
}

#[cfg(test)]
mod tests;
