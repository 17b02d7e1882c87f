//! The played server: reads its shards as the real one does, writes its log, holds its locks.
//!
//! A start that fails leaves in a shard what a real one leaves there. A start that succeeds
//! changes nothing, unlike a real one, which goes on writing: so `undo` can be shown, which is for
//! the time before that.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use super::documents::Documents;
use super::error::DrillError;
use super::node::{PracticeNode, PracticeShard};
use super::release::Release;
use super::server_log::ServerLog;
use super::start_failure::StartFailure;
use super::{chain_start, stream_start};
use crate::cluster::{ClusterError, CopyState, Explanation, InSync, ShardCopy, Stores};
use crate::log::ShardName;
use crate::node::{HeldLocks, hold_locks};
use crate::rounds::HealthView;
use crate::service::{Service, ServiceError, ServiceState};

/// Where the played node would answer; nothing listens there.
const URL: &str = "simulation";

/// A played server and its node.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) node: PracticeNode,
    log: ServerLog,
    /// Held while it runs.
    locks: Option<HeldLocks>,
    /// Each shard since the last start.
    shards: BTreeMap<ShardName, Result<Documents, StartFailure>>,
    /// What it did, for the person who watches.
    told: Vec<String>,
}

/// The one server behind the service and the health view that the job works with.
pub(super) type Shared = Rc<RefCell<Server>>;

impl Server {
    pub(super) fn new(node: PracticeNode) -> Self {
        let log = ServerLog::new(node.release, node.log_file());
        Self { node, log, locks: None, shards: BTreeMap::new(), told: Vec::new() }
    }

    pub(super) fn take_told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }

    /// Documents of a shard that is up.
    pub(super) fn documents_of(&self, shard: &ShardName) -> Option<&Documents> {
        self.shards.get(shard)?.as_ref().ok()
    }

    /// Shards that are down.
    pub(super) fn failed_count(&self) -> usize {
        self.shards.values().filter(|state| state.is_err()).count()
    }

    pub(super) fn start(&mut self) -> Result<(), DrillError> {
        let log_file = self.node.log_file();
        let lock_failed = |error: crate::node::NodeError| {
            let source = io::Error::other(error.to_string());
            DrillError::folder("lock", &self.node.folder())(source)
        };
        self.locks =
            Some(hold_locks(&[self.node.folder().join("node.lock")]).map_err(lock_failed)?);
        let mut indices: Vec<&str> =
            self.node.shards.iter().map(|shard| shard.name.index.as_str()).collect();
        indices.dedup();
        self.log.started(indices.len());
        self.shards.clear();
        for shard in &self.node.shards {
            let state = start_shard(self.node.release, shard);
            if let Err(failure) = &state {
                self.log.shard_failed(shard, failure);
                leave_failed_start(self.node.release, shard, failure)?;
            }
            self.shards.insert(shard.name.clone(), state);
        }
        if self.failed_count() == 0
            && let Some(last) = self.node.shards.last()
        {
            self.log.all_shards_started(last);
        }
        self.tell_start();
        self.log.flush().map_err(DrillError::folder("write", &log_file))
    }

    pub(super) fn stop(&mut self) -> Result<(), DrillError> {
        if self.locks.take().is_none() {
            return Ok(());
        }
        self.shards.clear();
        self.log.stopped();
        self.told.push("the played node stops and lets go of its locks".to_owned());
        let log_file = self.node.log_file();
        self.log.flush().map_err(DrillError::folder("write", &log_file))
    }

    /// The disk is full: the server says so, and is then killed.
    pub(super) fn killed_by_full_disk(&mut self) -> Result<(), DrillError> {
        if let Some(shard) = self.node.shards.first() {
            self.log.disk_full(shard);
        }
        self.locks = None;
        self.shards.clear();
        let log_file = self.node.log_file();
        self.log.flush().map_err(DrillError::folder("write", &log_file))
    }

    /// It is killed, and says nothing.
    #[cfg(test)]
    pub(super) fn killed(&mut self) {
        self.locks = None;
        self.shards.clear();
    }

    /// It writes this record.
    #[cfg(test)]
    pub(super) fn writes(&mut self, level: &str, logger: &str, message: &str) {
        self.log.line(level, logger, message);
        self.log.flush().unwrap();
    }

    pub(super) fn is_running(&self) -> bool {
        self.locks.is_some()
    }

    fn tell_start(&mut self) {
        let version = self.node.release.version();
        let failed = self.failed_count();
        let up = self.shards.len().saturating_sub(failed);
        self.told.push(format!("the played {version} starts; shards up: {up}, failed: {failed}"));
        for shard in &self.node.shards {
            let Some(Err(failure)) = self.shards.get(&shard.name) else { continue };
            let causes: Vec<&str> = failure.causes.iter().map(|cause| message_of(cause)).collect();
            let folder = format!("{}/", shard.path.join("translog").display());
            let causes = causes.join(" <- ").replace(&folder, "");
            self.told.push(format!("  {} failed: {causes}", shard.name));
        }
    }
}

/// What an exception says, or what it is.
fn message_of(cause: &str) -> &str {
    cause.split_once(": ").map_or(cause, |(_, message)| message)
}

fn start_shard(release: Release, shard: &PracticeShard) -> Result<Documents, StartFailure> {
    let fail = |why: String| StartFailure::opening(&[format!("java.io.IOException: {why}")]);
    let text =
        std::fs::read_to_string(&shard.committed_file).map_err(|error| fail(error.to_string()))?;
    let committed: Documents =
        serde_json::from_str(&text).map_err(|error| fail(error.to_string()))?;
    match release {
        Release::Stream => stream_start::documents_after_start(&shard.path, committed),
        Release::Sequenced => chain_start::documents_after_start(&shard.path, committed),
    }
}

fn leave_failed_start(
    release: Release,
    shard: &PracticeShard,
    failure: &StartFailure,
) -> Result<(), DrillError> {
    match release {
        Release::Stream => stream_start::leave_failed_start(&shard.path),
        Release::Sequenced if failure.while_replaying => {
            chain_start::leave_failed_start(&shard.path)
        }
        Release::Sequenced => Ok(()),
    }
}

/// The played server as a service.
pub(super) struct PlayedService(pub(super) Shared);

impl Service for PlayedService {
    fn name(&self) -> String {
        format!("the simulated service of {}", self.0.borrow().node.release.node())
    }

    fn state(&mut self) -> Result<ServiceState, ServiceError> {
        let is_running = self.0.borrow().is_running();
        Ok(if is_running { ServiceState::Running { pid: None } } else { ServiceState::Stopped })
    }

    fn stop(&mut self, _limit: Duration) -> Result<(), ServiceError> {
        let stopped = self.0.borrow_mut().stop();
        stopped.map_err(|error| failed(self.name(), &error))
    }

    fn start(&mut self, _limit: Duration) -> Result<(), ServiceError> {
        let started = self.0.borrow_mut().start();
        started.map_err(|error| failed(self.name(), &error))
    }
}

fn failed(service: String, error: &DrillError) -> ServiceError {
    ServiceError::DidNotStart { service, reason: error.to_string() }
}

/// The played server as a cluster of one node.
pub(super) struct PlayedHealth(pub(super) Shared);

impl HealthView for PlayedHealth {
    fn copies(&mut self) -> Result<Vec<ShardCopy>, ClusterError> {
        let server = self.0.borrow();
        if !server.is_running() {
            let reason = "the played node is stopped".to_owned();
            return Err(ClusterError::NotAnswering { url: URL.to_owned(), reason });
        }
        let has_ids = server.node.release == Release::Sequenced;
        let copy = |shard: &PracticeShard| {
            let is_up = server.documents_of(&shard.name).is_some();
            ShardCopy {
                shard: shard.name.clone(),
                primary: true,
                state: if is_up { CopyState::Started } else { CopyState::Unassigned },
                node: is_up.then(|| server.log.node_id()),
                allocation_id: (is_up && has_ids).then(|| shard.allocation_id.clone()),
                reason: (!is_up).then(|| "ALLOCATION_FAILED".to_owned()),
            }
        };
        Ok(server.node.shards.iter().map(copy).collect())
    }

    fn local_node(&mut self) -> Option<String> {
        Some(self.0.borrow().log.node_id())
    }

    fn in_sync(&mut self, indices: &[&str]) -> Result<InSync, ClusterError> {
        let server = self.0.borrow();
        let mut in_sync = InSync::new();
        if server.node.release == Release::Stream {
            return Ok(in_sync);
        }
        for shard in server.node.shards.iter().filter(|shard| indices.contains(&&*shard.name.index))
        {
            let of_index = in_sync.entry(shard.name.index.clone()).or_default();
            of_index.insert(shard.name.number, vec![shard.allocation_id.clone()]);
        }
        Ok(in_sync)
    }

    fn stores(&mut self, _: &[&str]) -> Result<Stores, ClusterError> {
        Ok(Stores::new())
    }

    fn node_names(&mut self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    fn retry_failed(&mut self) -> Result<(), ClusterError> {
        self.0.borrow_mut().start().map_err(|error| ClusterError::NotAnswering {
            url: URL.to_owned(),
            reason: error.to_string(),
        })
    }

    fn allocate_stale_primary(&mut self, _: &ShardName, _: &str) -> Result<(), ClusterError> {
        Ok(())
    }

    fn clear_flood_block(&mut self, _: &str) -> Result<(), ClusterError> {
        Ok(())
    }

    fn explain(&mut self, shard: &ShardName) -> Option<Explanation> {
        let server = self.0.borrow();
        let failed = matches!(server.shards.get(shard), Some(Err(_)));
        let text = "ALLOCATION_FAILED; the simulated server tries once a start".to_owned();
        failed.then_some(Explanation { is_given_up: true, text })
    }

    fn recovery_progress(&mut self) -> u64 {
        0
    }
}
