//! The stop of the node and the locks that prove it. What would keep the locks from being taken is
//! found before the stop, so that a node is not down for nothing.

use std::path::PathBuf;

use super::event::Stage;
use super::job::{Job, Progress};
use super::survey::Surveyed;
use crate::apply::StateDir;
use crate::clock::millis;
use crate::node::{
    HeldLocks, NodeError, NodeFolder, bystanders, check_lockable, hold_locks, writers,
};
use crate::plan::{Refusal, Rule};

impl Job<'_> {
    /// Stops the node and takes its locks. When that is refused after the stop, the node is as it
    /// was before, as far as this program may.
    pub(super) fn stop_and_lock(
        &mut self,
        number: u32,
        state: &StateDir,
        surveyed: &[Surveyed],
        progress: &mut Progress,
    ) -> Result<HeldLocks, Refusal> {
        check_lockable(&lock_files(surveyed, progress))
            .map_err(|error| Refusal::new(Rule::Layout, error.to_string()))?;
        let limit = self.settings.limits.stop;
        for text in self.service.advice(limit) {
            self.note(&text);
        }
        for user in bystanders(&self.settings.data_paths, &self.settings.cluster_name) {
            self.note(&format!("{user}; it is no part of the service and is left alone"));
        }
        let name = self.service.name();
        self.stage(number, Stage::Stop, &format!("{name}, at most {} s", limit.as_secs()));
        self.note_stopped(state);
        let stopped = self.service.stop(limit);
        self.tell_of_service();
        stopped.map_err(|error| {
            Refusal::new(Rule::InUse, format!("the node cannot be stopped: {error}"))
                .unless("stop it by hand and run again with --service none")
        })?;
        match self.lock(number, surveyed, progress) {
            Ok(locks) => Ok(locks),
            Err(NotAlone::Server(refusal)) => {
                self.let_go();
                Err(refusal)
            }
            Err(NotAlone::Other(refusal)) => {
                self.start(number, state, progress);
                Err(refusal)
            }
        }
    }

    /// Takes the locks, and sees that nobody else writes.
    fn lock(
        &mut self,
        number: u32,
        surveyed: &[Surveyed],
        progress: &Progress,
    ) -> Result<HeldLocks, NotAlone> {
        let lock_files = lock_files(surveyed, progress);
        // A process that has been told to end may hold its locks a moment longer.
        let limits = self.settings.limits;
        let count = lock_files.len();
        let detail = format!("{count} lock files, at most {} s", limits.locks.as_secs());
        self.stage(number, Stage::Lock, &detail);
        let refusal = |text: String| Refusal::new(Rule::InUse, text);
        let began_ms = self.clock.now_ms();
        let locks = loop {
            match hold_locks(&lock_files) {
                Ok(locks) => break locks,
                Err(NodeError::LockHeld(_))
                    if self.service.can_start()
                        && self.clock.now_ms().saturating_sub(began_ms) < millis(limits.locks) =>
                {
                    self.clock.sleep(limits.poll);
                }
                Err(error @ NodeError::LockHeld(_)) => {
                    return Err(NotAlone::Server(refusal(error.to_string())));
                }
                Err(error) => return Err(NotAlone::Other(refusal(error.to_string()))),
            }
        };
        match writers(&self.settings.data_paths).as_slice() {
            [] => Ok(locks),
            writers => {
                drop(locks);
                let said: Vec<String> = writers.iter().map(ToString::to_string).collect();
                let text = format!("with the node stopped, {}", said.join("; "));
                Err(NotAlone::Other(refusal(text).unless("let it end, or end it, and run again")))
            }
        }
    }

    /// Lets the service come up by another's hand.
    pub(super) fn let_go(&mut self) {
        for text in self.service.release() {
            self.note(&text);
        }
        self.tell_of_service();
    }

    /// Says what came up while the service was stopped or started.
    pub(super) fn tell_of_service(&mut self) {
        for text in self.service.take_notes() {
            self.note(&text);
        }
    }
}

/// Who is in the way after the stop.
enum NotAlone {
    /// Another server has the node open: the service is not started beside it.
    Server(Refusal),
    /// Anything else: the service can run again as it did.
    Other(Refusal),
}

/// The lock files there are, of the node and of the shards.
fn lock_files(surveyed: &[Surveyed], progress: &Progress) -> Vec<PathBuf> {
    let nodes = progress.inventory.node_folders.iter().flat_map(NodeFolder::lock_files);
    nodes.chain(surveyed.iter().flat_map(|shard| shard.candidate.folder.lock_files())).collect()
}
