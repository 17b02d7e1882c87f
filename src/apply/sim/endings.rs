//! The two legal endings of a repair that was stopped, byte for byte: as it was, and repaired.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use super::case::{Case, ELSEWHERE, ROUND_JOURNAL, UNDO_JOURNAL};
use super::disk::SimDisk;
use super::picture::{Picture, assert_same};
use super::store::SimStore;
use crate::apply::quarantine::Arrangement;
use crate::apply::{ApplyError, Step};

/// What a person can do with a run.
pub(in crate::apply) type Action = fn(&Case, &mut SimStore) -> Result<(), ApplyError>;

impl Case {
    /// The shard and the folder beside it that takes the quarantine, without that.
    pub(super) fn picture(&self, disk: &SimDisk) -> Picture {
        let anchor = self.anchor();
        disk.picture(anchor, &|path| {
            let path = path.to_string_lossy();
            !path.contains("data.es-translog-fix") && !path.contains(".etf-")
        })
    }

    /// Exactly as it was: bytes, owner, mode, times, labels, and the very same files, but for those
    /// that come back from another file system.
    pub(in crate::apply) fn assert_before(&self, disk: &SimDisk, told: &str) {
        let comparable = |mut picture: Picture| {
            if self.is_elsewhere {
                for seen in picture.values_mut() {
                    seen.inode = 0;
                }
            }
            picture
        };
        let (now, before) = (self.picture(disk), self.before.clone());
        assert_same(&comparable(now), &comparable(before), &format!("{}: {told}", self.name));
    }

    /// Exactly as a repair without a stop leaves it, but for inodes and times of what is new; and
    /// every file of before is kept in the quarantine, or its bytes in the journal.
    pub(in crate::apply) fn assert_repaired(&self, disk: &SimDisk, told: &str) {
        let told = format!("{}: {told}", self.name);
        let now = self.picture(disk);
        let comparable = |picture: &Picture| {
            let mut picture = picture.clone();
            for (path, seen) in &mut picture {
                let is_old = self.before.get(path).is_some_and(|old| old.inode == seen.inode);
                if !is_old || seen.content.is_none() {
                    (seen.inode, seen.times) = (0, (0, 0));
                }
                if self.arrangement == Arrangement::Flat {
                    seen.times = (0, 0);
                }
            }
            picture
        };
        assert_same(&comparable(&now), &comparable(&self.repaired), &told);
        let written_over = Self::written_over(disk);
        let mut everything = disk.picture(self.anchor(), &|_| true);
        everything.extend(disk.picture(Path::new(ELSEWHERE), &|_| true));
        for (path, old) in &self.before {
            let is_kept = everything
                .values()
                .filter(|seen| self.is_elsewhere || seen.inode == old.inode)
                .any(|seen| seen.content == old.content);
            let in_journal = written_over.get(&old.inode);
            let is_in_journal = in_journal.is_some() && in_journal == old.content.as_deref();
            assert!(is_kept || is_in_journal, "{told}: {}", path.display());
        }
    }

    /// What the journal of the repair keeps of files that it writes in place.
    fn written_over(disk: &SimDisk) -> BTreeMap<u64, Vec<u8>> {
        let round = Self::opened(disk, ROUND_JOURNAL).unwrap();
        let old = round.steps().iter().filter_map(|step| match step {
            Step::Rewrite { was, old, .. } => Some((was.inode, old.clone())),
            _ => None,
        });
        old.collect()
    }

    /// Does it to its end.
    pub(in crate::apply) fn finish(&self, disk: &SimDisk, action: Action, told: &str) -> SimDisk {
        let mut store = SimStore::new(disk.clone());
        action(self, &mut store).unwrap_or_else(|error| panic!("{}: {told}: {error}", self.name));
        store.disk
    }

    /// Every way on from a disk after a crash; an undo that has begun leaves only one. `ends` are the
    /// disks of resumed repairs whose undo is known.
    pub(in crate::apply) fn check(&self, disk: &SimDisk, told: &str, ends: &mut HashSet<u64>) {
        if !Self::is_undoing(disk) {
            let resumed = self.finish(disk, Self::go_on, &format!("{told}, resumed"));
            self.check_end(&resumed, told, ends);
        }
        let undone = self.finish(disk, Self::undo, &format!("{told}, undone"));
        self.assert_before(&undone, &format!("{told}, undone"));
    }

    fn check_end(&self, resumed: &SimDisk, told: &str, ends: &mut HashSet<u64>) {
        if ends.insert(resumed.key()) {
            self.assert_repaired(resumed, &format!("{told}, resumed"));
            let undone = self.finish(resumed, Self::undo, &format!("{told}, resumed and undone"));
            self.assert_before(&undone, &format!("{told}, resumed and undone"));
        }
    }

    /// Whether an undo has begun.
    pub(in crate::apply) fn is_undoing(disk: &SimDisk) -> bool {
        disk.find(&Self::journal(UNDO_JOURNAL)).is_some()
    }

    /// Whether the repair came to its end.
    pub(in crate::apply) fn is_done(disk: &SimDisk) -> bool {
        Self::opened(disk, ROUND_JOURNAL).is_ok_and(|round| round.is_ended())
    }
}
