//! The stop of the node and the locks that prove it. What would keep the locks from being taken is
//! found before the stop, so that a node is not down for nothing.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::event::Stage;
use super::job::{Job, Progress};
use super::survey::Surveyed;
use crate::node::{HeldLocks, NodeError, NodeFolder, check_lockable, hold_locks};
use crate::plan::{Refusal, Rule};

/// A process that has been told to end may hold its locks a moment longer.
const LOCKS_PATIENCE: Duration = Duration::from_secs(10);

impl Job<'_> {
    pub(super) fn stop_and_lock(
        &mut self,
        number: u32,
        surveyed: &[Surveyed],
        progress: &Progress,
    ) -> Result<HeldLocks, Refusal> {
        check_lockable(&lock_files(surveyed, progress))
            .map_err(|error| Refusal::new(Rule::Layout, error.to_string()))?;
        let limit = self.settings.limits.stop;
        let name = self.service.name();
        self.stage(number, Stage::Stop, &format!("{name}, at most {} s", limit.as_secs()));
        self.service.stop(limit).map_err(|error| {
            Refusal::new(Rule::InUse, format!("the node cannot be stopped: {error}"))
                .unless("stop it by hand and run again with --service none")
        })?;
        let lock_files = lock_files(surveyed, progress);
        self.stage(number, Stage::Lock, &format!("{} lock files", lock_files.len()));
        let began = Instant::now();
        loop {
            match hold_locks(&lock_files) {
                Ok(locks) => return Ok(locks),
                Err(NodeError::LockHeld(_))
                    if self.service.can_start() && began.elapsed() < LOCKS_PATIENCE =>
                {
                    std::thread::sleep(self.settings.limits.poll);
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
