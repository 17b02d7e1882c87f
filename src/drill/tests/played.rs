//! A played node after an outage, and jobs on it in simulated time.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use super::super::check::DocumentCheck;
use super::super::documents::Documents;
use super::super::practice::Practice;
use super::super::release::Release;
use super::super::server::{PlayedHealth, PlayedService, Shared};
use crate::apply::{DiskStore, StateDir};
use crate::clock::SimulatedClock;
use crate::cluster::{ClusterError, Explanation, InSync, ShardCopy, Stores};
use crate::log::ShardName;
use crate::rounds::{Budget, Ending, Event, FlagConsent, HealthView, Job, JobSettings, Limits};
use crate::service::Service;

/// What unwinds instead of a process that is killed: locks end, and nothing else is done.
#[derive(Debug)]
pub(super) struct Killed;

pub(super) fn kill() -> ! {
    resume_unwind(Box::new(Killed))
}

pub(super) struct Play {
    _top: tempfile::TempDir,
    pub(super) server: Shared,
    pub(super) settings: JobSettings,
    pub(super) clock: SimulatedClock,
    pub(super) told: RefCell<Vec<Event>>,
}

impl Play {
    /// A node whose shards are broken, and which runs without them.
    pub(super) fn new(release: Release) -> Self {
        let top = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let root = top.path().canonicalize().unwrap();
        let mut say = |_| {};
        let mut practice = Practice { root: &root, cancelled: &|| false, say: &mut say };
        let server = practice.broken(release).unwrap();
        let settings = JobSettings { limits: Limits::default(), ..practice.settings(&server) };
        let (clock, told) = (SimulatedClock::default(), RefCell::default());
        Self { _top: top, server, settings, clock, told }
    }

    pub(super) fn service(&self) -> PlayedService {
        PlayedService(Rc::clone(&self.server))
    }

    pub(super) fn health(&self) -> PlayedHealth {
        PlayedHealth(Rc::clone(&self.server))
    }

    pub(super) fn state(&self) -> StateDir {
        StateDir::new(self.settings.state_dir.clone())
    }

    /// A job with the node's own service and cluster.
    pub(super) fn run(&self) -> Ending {
        self.run_with(&mut self.service(), &mut self.health(), &mut |_| {})
    }

    /// A job; `at` is called with each event.
    pub(super) fn run_with(
        &self,
        service: &mut dyn Service,
        health: &mut dyn HealthView,
        at: &mut dyn FnMut(&Event),
    ) -> Ending {
        self.told.borrow_mut().clear();
        let mut consent =
            FlagConsent { yes: true, accept_data_loss: true, budget: Budget::default() };
        Job {
            settings: &self.settings,
            service,
            health: Some(health),
            consent: &mut consent,
            store: &mut DiskStore::default(),
            clock: &self.clock,
            cancelled: &|| false,
            say: &mut |event| {
                at(&event);
                self.told.borrow_mut().push(event);
            },
        }
        .run()
    }

    /// A job that may be killed; `None` when it was.
    pub(super) fn run_until_killed(
        &self,
        service: &mut dyn Service,
        at: &mut dyn FnMut(&Event),
    ) -> Option<Ending> {
        let run = || self.run_with(service, &mut self.health(), at);
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(ending) => Some(ending),
            Err(payload) if payload.is::<Killed>() => None,
            Err(payload) => resume_unwind(payload),
        }
    }

    /// What is wrong with what the server serves.
    pub(super) fn problems(&self) -> Vec<String> {
        let server = self.server.borrow();
        let nothing = Documents::new();
        let check = |shard: &super::super::node::PracticeShard| {
            let expected = shard.history.without(&shard.lost_acts);
            let found = server.documents_of(&shard.name).unwrap_or(&nothing);
            DocumentCheck::of(&expected, found).problems()
        };
        let mut problems: Vec<String> = server.node.shards.iter().flat_map(check).collect();
        if !server.is_running() {
            problems.push("the server is down".to_owned());
        }
        problems
    }

    /// Everything that was said, as a person would read it.
    pub(super) fn said(&self) -> String {
        let mut text = crate::report::TextReport::default();
        let lines: Vec<String> =
            self.told.borrow().iter().flat_map(|event| text.lines(event)).collect();
        anstream::adapter::strip_str(&lines.join("\n")).to_string()
    }
}

/// Changes what is told of copies; it gets the count of requests for another try so far.
type Alter<'a> = Box<dyn FnMut(&mut [ShardCopy], u32) + 'a>;

/// The node's cluster with other copies told than there are; a request for another try is counted
/// and nothing else.
pub(super) struct Altered<'a> {
    inner: PlayedHealth,
    alter: Alter<'a>,
    /// What is said of each shard that is on no node.
    pub(super) explanation: Option<Explanation>,
    /// Whether a recovery is always on its way.
    pub(super) is_moving: bool,
    /// How often it tells its copies before it answers no more.
    pub(super) answer_count: u32,
    progress: u64,
    pub(super) asked_count: u32,
}

impl<'a> Altered<'a> {
    pub(super) fn new(play: &Play, alter: impl FnMut(&mut [ShardCopy], u32) + 'a) -> Self {
        Self {
            inner: play.health(),
            alter: Box::new(alter),
            explanation: None,
            is_moving: false,
            answer_count: u32::MAX,
            progress: 0,
            asked_count: 0,
        }
    }
}

impl HealthView for Altered<'_> {
    fn copies(&mut self) -> Result<Vec<ShardCopy>, ClusterError> {
        let mut copies = self.inner.copies()?;
        let Some(left) = self.answer_count.checked_sub(1) else {
            let (url, reason) = ("played".to_owned(), "it is silent now".to_owned());
            return Err(ClusterError::NotAnswering { url, reason });
        };
        self.answer_count = left;
        (self.alter)(&mut copies, self.asked_count);
        Ok(copies)
    }

    fn local_node(&mut self) -> Option<String> {
        self.inner.local_node()
    }

    fn in_sync(&mut self, indices: &[&str]) -> Result<InSync, ClusterError> {
        self.inner.in_sync(indices)
    }

    fn stores(&mut self, indices: &[&str]) -> Result<Stores, ClusterError> {
        self.inner.stores(indices)
    }

    fn node_names(&mut self) -> BTreeMap<String, String> {
        self.inner.node_names()
    }

    fn retry_failed(&mut self) -> Result<(), ClusterError> {
        self.asked_count += 1;
        Ok(())
    }

    fn explain(&mut self, _: &ShardName) -> Option<Explanation> {
        self.explanation.clone()
    }

    fn allocate_stale_primary(
        &mut self,
        shard: &ShardName,
        node: &str,
    ) -> Result<(), ClusterError> {
        self.inner.allocate_stale_primary(shard, node)
    }

    fn clear_flood_block(&mut self, index: &str) -> Result<(), ClusterError> {
        self.inner.clear_flood_block(index)
    }

    fn recovery_progress(&mut self) -> u64 {
        self.progress += u64::from(self.is_moving);
        self.progress
    }
}
