//! The steps of one shard by kind. What leaves it is renamed into the quarantine; into one on another
//! file system, for who asked for that, it is copied, and removed when the copy is on the disk.

use std::path::Path;

use super::lower::LowerError;
use super::lowering::Lowering;
use super::manifest::{Fate, Kept};
use super::quarantine::Quarantine;
use super::step::Step;
use super::store::{Facts, Fingerprint, Labels};

/// The steps of one shard by kind, and what the manifest says.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) keep: Vec<Step>,
    pub(super) stage: Vec<Step>,
    pub(super) leave: Vec<Step>,
    pub(super) rewrite: Vec<Step>,
    pub(super) enter: Vec<Step>,
    pub(super) kept: Vec<Kept>,
}

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
    /// Looks at a file that changes, and tells the manifest of it.
    pub(super) fn take(
        &mut self,
        lowering: &mut Lowering<'_>,
        (origin, place): (&Path, &Path),
        quarantine: &Quarantine,
        fate: Fate,
    ) -> Result<(Fingerprint, Labels), LowerError> {
        let was = lowering.owned(origin, quarantine)?;
        let Facts { link_count, labels, .. } = lowering.store.facts(origin)?;
        if link_count > 1 {
            lowering.notes.push(format!(
                "{} has {} more names elsewhere (hard links); they stay as they are",
                origin.display(),
                link_count.saturating_sub(1)
            ));
        }
        let (origin, place) = (origin.to_path_buf(), place.to_path_buf());
        self.kept.push(Kept { fate, origin, place, was, labels: labels.clone() });
        Ok((was, labels))
    }

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
