//! Room for names in a folder that has no block yet, on a full file system: XFS gives it one only
//! when many blocks are free, of which it takes one. Where the names are too many for its inode, the
//! journal takes what small files hold: of those that stay, which need no second name then; and of
//! those that leave, which are emptied before the first file moves and so give their blocks.

use std::path::Path;

use super::in_place::{REWRITE_MAX_BYTES, roomy};
use super::lower::LowerError;
use super::lowering::Lowering;
use super::manifest::manifest_of_journal;
use super::quarantine::{Arrangement, Quarantine};
use super::rewrite::read;
use super::room::own_anchors;
use super::step::{Step, Sum};
use super::store::{Fingerprint, Room, Store};
use super::store_error::StoreError;

/// What a name in an inode takes beside itself, in bytes (`xfs_dir2_sf_entry`, at most).
const NAME_BYTES: u64 = 12;
/// Most that a journal takes of what files hold for the sake of names, in bytes.
const JOURNAL_MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The steps of a round that give names in the folder that takes the quarantine.
struct Naming<'a> {
    store: &'a dyn Store,
    /// New files.
    stage: &'a [Step],
    /// Second names of files that stay.
    keep: &'a mut [Step],
    /// What leaves the shards.
    exchange: &'a mut [Step],
    /// What the journal still takes, in bytes; none where it does not outlast the machine's restart.
    left_bytes: u64,
}

impl<'a> Naming<'a> {
    fn new(
        store: &'a dyn Store,
        (stage, keep, exchange): (&'a [Step], &'a mut [Step], &'a mut [Step]),
        journal_lasts: bool,
    ) -> Self {
        let left_bytes = if journal_lasts { JOURNAL_MAX_BYTES } else { 0 };
        Self { store, stage, keep, exchange, left_bytes }
    }

    /// Makes room for the names: the steps that come before all others, which empty files. What
    /// moves empty is what is expected of it then.
    ///
    /// # Errors
    /// [`LowerError::Space`] when that is not enough.
    fn make_room(&mut self, quarantines: &[&Quarantine]) -> Result<Vec<Step>, LowerError> {
        let mut emptying = Vec::new();
        for anchor in own_anchors(quarantines) {
            let room = self.store.room(anchor)?;
            let Some(free_name_bytes) = room.inode_name_bytes else { continue };
            let has_room = room.free_bytes >= wanted_bytes(room);
            if has_room || self.names_bytes(anchor) <= free_name_bytes {
                continue;
            }
            self.record_small(anchor)?;
            if self.names_bytes(anchor) > free_name_bytes {
                self.empty_small(anchor, room, &mut emptying)?;
            }
        }
        Ok(emptying)
    }

    /// What names take that are new in this folder.
    fn names_bytes(&self, folder: &Path) -> u64 {
        let steps = self.stage.iter().chain(&*self.keep).chain(&*self.exchange);
        let paths = steps.filter_map(|step| match step {
            Step::Stage { staged: path, .. }
            | Step::Keep { kept: path, .. }
            | Step::Move { to: path, .. }
            | Step::MoveFolder { to: path, .. } => Some(path),
            _ => None,
        });
        let names = paths.filter(|path| path.parent() == Some(folder));
        let names = names.filter_map(|path| path.file_name());
        names.map(|name| (name.len() as u64).saturating_add(NAME_BYTES)).sum()
    }

    /// What small files hold that stay goes into the journal instead of under a second name.
    fn record_small(&mut self, folder: &Path) -> Result<(), StoreError> {
        for step in &mut *self.keep {
            let Step::Keep { file, kept, was } = &*step else { continue };
            let Ok(len) = usize::try_from(was.len_bytes) else { continue };
            if kept.parent() != Some(folder) || !is_small(was, self.left_bytes) {
                continue;
            }
            let content = read(self.store, file, len)?;
            if Sum::of(&content).is_of(was) {
                self.left_bytes = self.left_bytes.saturating_sub(was.len_bytes);
                *step = Step::Record { file: file.clone(), was: *was, content };
            }
        }
        Ok(())
    }

    /// Small files that move are emptied, the largest first, until there is the room.
    fn empty_small(
        &mut self,
        anchor: &Path,
        room: Room,
        emptying: &mut Vec<Step>,
    ) -> Result<(), LowerError> {
        let mut free_bytes = room.free_bytes;
        let mut leaving = self.small_leaving(anchor)?;
        while free_bytes < wanted_bytes(room) {
            let Some((allocated_bytes, index)) = leaving.pop() else {
                return Err(LowerError::Space {
                    folder: anchor.to_path_buf(),
                    need: wanted_bytes(room),
                    free: room.free_bytes,
                    unit: "bytes",
                });
            };
            if let Some(step) = self.empty(index)? {
                emptying.push(step);
                free_bytes = free_bytes.saturating_add(allocated_bytes);
            }
        }
        Ok(())
    }

    /// The moves of small files into this folder, by the bytes that each has set aside, fewest
    /// first.
    fn small_leaving(&self, folder: &Path) -> Result<Vec<(u64, usize)>, StoreError> {
        let mut found = Vec::new();
        for (index, step) in self.exchange.iter().enumerate() {
            let Step::Move { from, to, was } = step else { continue };
            if to.parent() == Some(folder) && is_small(was, self.left_bytes) {
                found.push((self.store.facts(from)?.allocated_bytes, index));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The step that empties a file that moves; `None` where it is not for this program alone, or
    /// the journal takes no more.
    fn empty(&mut self, index: usize) -> Result<Option<Step>, StoreError> {
        let Some(Step::Move { from, was, .. }) = self.exchange.get_mut(index) else {
            return Ok(None);
        };
        if !is_small(was, self.left_bytes) {
            return Ok(None);
        }
        let Some((full, old)) = roomy(self.store, from, 0)? else { return Ok(None) };
        self.left_bytes = self.left_bytes.saturating_sub(was.len_bytes);
        *was = was.with_content(&[]);
        let (from, to) = (from.clone(), from.clone());
        Ok(Some(Step::Rewrite { from, to, was: full, old, new: Vec::new(), times: None }))
    }
}

impl Lowering<'_> {
    /// Leaves to the journal what small files hold, where there is no room for names, and tells the
    /// manifest of it.
    ///
    /// # Errors
    /// As [`Naming::make_room`].
    pub(super) fn make_name_room(
        &mut self,
        quarantines: &[&Quarantine],
        journal_lasts: bool,
    ) -> Result<(), LowerError> {
        let flat = quarantines.iter().filter(|place| place.arrangement == Arrangement::Flat);
        let flat: Vec<&Quarantine> = flat.copied().collect();
        let naming = (self.stage.as_slice(), &mut *self.keep, self.exchange.steps_mut());
        self.empty = Naming::new(self.store, naming, journal_lasts).make_room(&flat)?;
        let in_journal = manifest_of_journal(self.empty.iter().chain(&self.keep));
        self.manifest.push_str(&in_journal);
        Ok(())
    }
}

fn wanted_bytes(room: Room) -> u64 {
    room.spare_blocks.saturating_mul(room.block_bytes)
}

fn is_small(file: &Fingerprint, left_bytes: u64) -> bool {
    (1..=REWRITE_MAX_BYTES.min(left_bytes)).contains(&file.len_bytes)
}

#[cfg(test)]
mod tests;
