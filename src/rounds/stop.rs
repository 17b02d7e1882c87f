//! The stop of the node and the locks that prove it. What would keep the locks from being taken is
//! found before the stop, so that a node is not down for nothing.

use std::path::PathBuf;

use super::event::Stage;
use super::job::{Job, Progress};
use super::survey::Surveyed;
use crate::apply::StateDir;
use crate::clock::millis;
use crate::node::{HeldLocks, NodeError, NodeFolder, check_lockable, hold_locks};
use crate::plan::{Refusal, Rule};

impl Job<'_> {
    pub(super) fn stop_and_lock(
        &mut self,
        number: u32,
        state: &StateDir,
        surveyed: &[Surveyed],
        progress: &Progress,
    ) -> Result<HeldLocks, Refusal> {
        check_lockable(&lock_files(surveyed, progress))
            .map_err(|error| Refusal::new(Rule::Layout, error.to_string()))?;
        let limit = self.settings.limits.stop;
        let name = self.service.name();
        self.stage(number, Stage::Stop, &format!("{name}, at most {} s", limit.as_secs()));
        self.note_stopped(state);
        self.service.stop(limit).map_err(|error| {
            Refusal::new(Rule::InUse, format!("the node cannot be stopped: {error}"))
                .unless("stop it by hand and run again with --service none")
        })?;
        let lock_files = lock_files(surveyed, progress);
        // A process that has been told to end may hold its locks a moment longer.
        let limits = self.settings.limits;
        let count = lock_files.len();
        let detail = format!("{count} lock files, at most {} s", limits.locks.as_secs());
        self.stage(number, Stage::Lock, &detail);
        let began_ms = self.clock.now_ms();
        loop {
            match hold_locks(&lock_files) {
                Ok(locks) => return Ok(locks),
                Err(NodeError::LockHeld(_))
                    if self.service.can_start()
                        && self.clock.now_ms().saturating_sub(began_ms) < millis(limits.locks) =>
                {
                    self.clock.sleep(limits.poll);
                }
                Err(error) => return Err(Refusal::new(Rule::InUse, error.to_string())),
            }
        }
    }
}

/// The lock files there are, of the node and of the shards.
fn lock_files(surveyed: &[Surveyed], progress: &Progress) -> Vec<PathBuf> {
    let nodes = progress.inventory.node_folders.iter().flat_map(NodeFolder::lock_files);
    nodes.chain(surveyed.iter().flat_map(|shard| shard.candidate.folder.lock_files())).collect()
}
