//! A quarantine on another file system, for who asked for it: what leaves a shard is copied there,
//! synced and read again, and only then removed.

use std::path::Path;

use super::lowering::Parts;
use super::quarantine::Quarantine;
use super::step::Step;
use super::store::{Fingerprint, Labels};

/// A file of a shard that is to be kept, and its place in the quarantine.
pub(super) struct Leaving<'a> {
    pub(super) file: &'a Path,
    pub(super) place: &'a Path,
    pub(super) was: Fingerprint,
    pub(super) labels: Labels,
}

impl Leaving<'_> {
    fn copy(self) -> Step {
        let (file, kept) = (self.file.to_path_buf(), self.place.to_path_buf());
        Step::Copy { file, kept, was: self.was, labels: self.labels }
    }
}

impl Parts {
    /// The file leaves the shard.
    pub(super) fn move_away(&mut self, quarantine: &Quarantine, one: Leaving<'_>) {
        let (from, to, was) = (one.file.to_path_buf(), one.place.to_path_buf(), one.was);
        if quarantine.is_elsewhere() {
            self.leave.push(Step::Remove { file: from, kept: to, was });
            self.stage.push(one.copy());
        } else {
            self.leave.push(Step::Move { from, to, was });
        }
    }

    /// The file stays in the shard, and the server may remove it.
    pub(super) fn keep(&mut self, quarantine: &Quarantine, one: Leaving<'_>) {
        if quarantine.is_elsewhere() {
            return self.stage.push(one.copy());
        }
        let (file, kept) = (one.file.to_path_buf(), one.place.to_path_buf());
        self.keep.push(Step::Keep { file, kept, was: one.was });
    }
}
