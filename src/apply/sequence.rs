//! Steps in order, and where the disk is waited for between them.
//!
//! Waiting is dear: a disk takes some milliseconds for each. So the steps of many files and shards
//! wait together, and of few enough: what was done since the last `Sync` is done again by a run that
//! goes on after a stop, and the shards of one group are the ones that a stop leaves half changed.

use super::step::Step;

/// New files that are waited for at once, and their bytes.
const NEW_FILES_AT_ONCE: usize = 256;
const NEW_BYTES_AT_ONCE: u64 = 16 * 1024 * 1024;
/// Shards that change at once.
const SHARDS_AT_ONCE: usize = 16;

/// Steps, each part of them with a `Sync` behind it.
#[derive(Default)]
pub(super) struct Sequence {
    steps: Vec<Step>,
    /// The steps that no `Sync` has followed yet, with how many new files, of how many bytes.
    part: Vec<Step>,
    new_files: (usize, u64),
}

impl Sequence {
    /// Steps for which the next `Sync` is soon enough, or one after some of the new files.
    pub(super) fn extend(&mut self, steps: impl IntoIterator<Item = Step>) {
        for step in steps {
            let new_bytes = step.new_bytes();
            self.part.push(step);
            let Some(new_bytes) = new_bytes else { continue };
            let (count, bytes) = self.new_files;
            self.new_files = (count.saturating_add(1), bytes.saturating_add(new_bytes));
            if self.new_files.0 >= NEW_FILES_AT_ONCE || self.new_files.1 >= NEW_BYTES_AT_ONCE {
                self.wait();
            }
        }
    }

    /// Waits for what no `Sync` has followed yet.
    pub(super) fn wait(&mut self) {
        let sync = Step::sync_after(&self.part);
        self.steps.append(&mut self.part);
        self.steps.extend(sync);
        self.new_files = (0, 0);
    }

    /// Steps that are waited for before others.
    pub(super) fn part(&mut self, steps: impl IntoIterator<Item = Step>) {
        self.extend(steps);
        self.wait();
    }

    /// All of them.
    pub(super) fn finish(mut self) -> Vec<Step> {
        self.wait();
        self.steps
    }
}

/// What happens to the shards, some of them at once.
#[derive(Default)]
pub(super) struct Exchange {
    done: Sequence,
    /// What leaves the shards of the group, what is written in place there, and what comes in.
    group: [Vec<Step>; 3],
    shard_count: usize,
}

impl Exchange {
    /// One shard more.
    pub(super) fn shard(&mut self, steps: [Vec<Step>; 3]) {
        for (part, steps) in self.group.iter_mut().zip(steps) {
            part.extend(steps);
        }
        self.shard_count = self.shard_count.saturating_add(1);
        if self.shard_count >= SHARDS_AT_ONCE {
            self.end_group();
        }
    }

    /// Each of the three for the whole group before the next: the disk has the old files elsewhere
    /// before new ones have their names.
    fn end_group(&mut self) {
        for part in std::mem::take(&mut self.group) {
            self.done.part(part);
        }
        self.shard_count = 0;
    }

    /// The steps of all shards so far, which take no more shards into their last group.
    pub(super) fn steps_mut(&mut self) -> &mut [Step] {
        self.end_group();
        &mut self.done.steps
    }

    /// All of them.
    pub(super) fn finish(mut self) -> Vec<Step> {
        self.end_group();
        self.done.finish()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::step::Sum;
    use super::super::store::{Attributes, Labels};
    use super::*;

    fn stage(len_bytes: u64) -> Step {
        Step::Stage {
            staged: PathBuf::from("/quarantine/staged/file"),
            content: Vec::new(),
            sum: Sum { len_bytes, crc32: 0 },
            attributes: Attributes::own_file(),
            labels: Labels::new(),
            times: None,
        }
    }

    fn folder(name: &str, shard: usize) -> Step {
        let path = PathBuf::from(format!("/{name}/{shard}/x"));
        Step::CreateFolder { path, attributes: Attributes::own_folder() }
    }

    /// The places of the `Sync`s.
    fn syncs(steps: &[Step]) -> Vec<usize> {
        let numbered = steps.iter().enumerate();
        let syncs = numbered.filter(|(_, step)| matches!(step, Step::Sync { .. }));
        syncs.map(|(index, _)| index).collect()
    }

    #[test]
    fn many_new_files_and_large_ones_are_waited_for_on_the_way() {
        let synced = |files: Vec<u64>| {
            let mut steps = Sequence::default();
            steps.extend(files.into_iter().map(stage));
            syncs(&steps.finish())
        };
        assert_eq!(synced(vec![]), [0; 0]);
        assert_eq!(synced(vec![1; 255]), [255]);
        assert_eq!(synced(vec![1; 256]), [256]);
        assert_eq!(synced(vec![1; 300]), [256, 301]);
        assert_eq!(synced(vec![NEW_BYTES_AT_ONCE; 2]), [1, 3]);
        assert_eq!(synced(vec![NEW_BYTES_AT_ONCE - 1, 1, 5]), [2, 4]);
    }

    #[test]
    fn a_group_of_shards_changes_part_by_part() {
        let mut exchange = Exchange::default();
        for shard in 0..20 {
            exchange.shard([vec![folder("leave", shard)], vec![], vec![folder("enter", shard)]]);
        }
        let steps = exchange.finish();
        assert_eq!(syncs(&steps), [16, 33, 38, 43]);
        let told: Vec<String> = steps.iter().map(ToString::to_string).collect();
        assert_eq!(told[15], "make the folder /leave/15/x");
        assert_eq!(told[17], "make the folder /enter/0/x");
        assert_eq!(told[34], "make the folder /leave/16/x");
    }
}
