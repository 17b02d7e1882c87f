//! How a job ended, as a set of marks; the command line turns it into an exit code.

use std::collections::BTreeSet;

use super::survey::{Decision, Surveyed};

/// One thing that is true of how a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Damage was repaired and the shards are up.
    Repaired,
    /// A person has one thing left to do.
    PersonNeeded,
    /// Damage is left.
    DamageLeft,
    /// The job could not be done.
    Failed,
    /// A signal ended it.
    Cancelled,
    /// A rule of safety is against it.
    Refused,
}

/// Everything that is true of how a job ended; empty when nothing is damaged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ending(BTreeSet<Mark>);

impl Ending {
    /// An ending with one mark.
    #[must_use]
    pub fn of(mark: Mark) -> Self {
        Self(BTreeSet::from([mark]))
    }

    /// Adds a mark.
    pub fn add(&mut self, mark: Mark) {
        self.0.insert(mark);
    }

    /// Adds every mark of another ending.
    pub(super) fn absorb(&mut self, more: &Self) {
        self.0.extend(&more.0);
    }

    /// Whether it has a mark.
    #[must_use]
    pub fn has(&self, mark: Mark) -> bool {
        self.0.contains(&mark)
    }

    /// All marks.
    pub fn marks(&self) -> impl Iterator<Item = Mark> + '_ {
        self.0.iter().copied()
    }
}

/// Damage that this run will not mend.
pub(super) fn mark_left(shard: &Surveyed, ending: &mut Ending) {
    match &shard.decision {
        Decision::Refused(_) => {
            ending.add(Mark::Refused);
            ending.add(Mark::DamageLeft);
        }
        Decision::Unreadable(_) => {
            ending.add(Mark::Failed);
            ending.add(Mark::DamageLeft);
        }
        Decision::NotTheTranslog => ending.add(Mark::DamageLeft),
        Decision::Sound | Decision::Repair(_) => {}
    }
}
