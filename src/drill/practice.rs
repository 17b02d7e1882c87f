//! A drill from beginning to end: make, break, the real job, check, undo, check.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::check::{DocumentCheck, loss_problems};
use super::documents::Documents;
use super::error::DrillError;
use super::node::{PracticeNode, PracticeShard};
use super::release::Release;
use super::report::{DrillEvent, DrillReport, NodeResult, ShardResult, UndoResult};
use super::server::{PlayedHealth, PlayedService, Server, Shared};
use super::snapshot::Snapshot;
use crate::apply::{DiskStore, NewerFiles, StateDir};
use crate::clock::SystemClock;
use crate::log::LogSource;
use crate::node::{Watermarks, hold_locks};
use crate::plan::{HealthyCopyRule, Level, Policy};
use crate::report::Summary;
use crate::rounds::{
    Budget, ClusterRequests, Ending, Event, FlagConsent, Job, JobSettings, Limits, Mark, Mode,
    Targets,
};

/// A played server answers at once, so nothing is waited for as long as on a real node.
const LIMITS: Limits = Limits {
    stop: Duration::from_secs(2),
    start: Duration::from_secs(2),
    watch: Duration::from_secs(2),
    watch_in_all: Duration::from_secs(3),
    locks: Duration::from_secs(2),
    poll: Duration::from_millis(5),
    service_look: Duration::from_secs(1),
    settle: Duration::from_millis(20),
    rounds_max: 2,
    rounds_in_all: Duration::from_secs(30),
    space_rounds: 0,
    pause: Duration::from_millis(100),
    pause_max: Duration::from_millis(100),
};

/// A drill in a practice folder.
pub struct Practice<'a> {
    /// The practice folder, which is there and empty. Links in its path are resolved.
    pub root: &'a Path,
    /// Whether a signal asks to end.
    pub cancelled: &'a dyn Fn() -> bool,
    /// Who is told.
    pub say: &'a mut dyn FnMut(DrillEvent),
}

impl Practice<'_> {
    /// Plays both nodes. What goes wrong is in the report.
    ///
    /// # Errors
    /// When the practice folder cannot be used, or a signal came.
    pub fn run(&mut self) -> Result<DrillReport, DrillError> {
        let began = Instant::now();
        self.simulation(None, format!("the practice folder is {}", self.root.display()));
        let mut nodes = Vec::new();
        for release in Release::ALL {
            nodes.push(self.node(release)?);
        }
        Ok(DrillReport {
            as_expected: nodes.iter().all(NodeResult::as_expected),
            elapsed_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
            nodes,
        })
    }

    fn node(&mut self, release: Release) -> Result<NodeResult, DrillError> {
        let server = self.broken(release)?;
        let data_path = server.borrow().node.data_path.clone();
        let before = Snapshot::of(&data_path)?;
        let (job, ending) = self.job(&server)?;
        let mut problems = ending_problems(&ending);
        let shards = self.check(&server, &job);
        self.simulation(Some(release), "now the repair is taken back, as `undo` does".to_owned());
        problems.extend(self.undo(&server, &job)?);
        let undo = UndoResult {
            files: before.file_count(),
            bytes: before.len_bytes(),
            differences: before.differences(&Snapshot::of(&data_path)?),
        };
        let result = NodeResult { release, shards, undo, problems, job };
        let verdict = if result.undo.differences.is_empty() { "is" } else { "is NOT" };
        self.simulation(Some(release), format!("the data folder {verdict} as before the repair"));
        Ok(result)
    }

    /// A node after the disk was full: made, broken, and started in vain.
    pub(super) fn broken(&mut self, release: Release) -> Result<Shared, DrillError> {
        let node = PracticeNode::make(self.root, release)?;
        let all = |shard: &PracticeShard| shard.history.without(&(0..0)).len();
        let documents: usize = node.shards.iter().map(all).sum();
        let text = format!(
            "made a node of Elasticsearch {} with {} shards and {documents} documents",
            release.version(),
            node.shards.len()
        );
        self.simulation(Some(release), text);
        let server = Rc::new(RefCell::new(Server::new(node)));
        server.borrow_mut().start()?;
        self.told(&server);
        server.borrow_mut().killed_by_full_disk()?;
        server.borrow_mut().node.damage()?;
        self.simulation(Some(release), "its disk is full, and the server is killed:".to_owned());
        let broken: Vec<String> = {
            let server = server.borrow();
            let broken = |shard: &PracticeShard| {
                Some(format!("  {} {}", shard.name, shard.damage?.in_words()))
            };
            server.node.shards.iter().filter_map(broken).collect()
        };
        for text in broken {
            self.simulation(Some(release), text);
        }
        self.simulation(Some(release), "the disk has room again".to_owned());
        server.borrow_mut().start()?;
        self.told(&server);
        Ok(server)
    }

    /// The real job, from the log to the last shard.
    fn job(&mut self, server: &Shared) -> Result<(Summary, Ending), DrillError> {
        let release = server.borrow().node.release;
        let text = "now the real job, as `es-translog-fix --yes --accept-data-loss` does it";
        self.simulation(Some(release), text.to_owned());
        (self.say)(DrillEvent::JobBegins { node: release });
        let settings = self.settings(server);
        let mut summary = Summary::default();
        let mut consent =
            FlagConsent { yes: true, accept_data_loss: true, budget: Budget::default() };
        let say = &mut *self.say;
        let mut tell = |event: Event| {
            for text in server.borrow_mut().take_told() {
                say(DrillEvent::Simulation { node: Some(release), text });
            }
            summary.absorb(&event);
            say(DrillEvent::Job { node: release, event: Box::new(event) });
        };
        let ending = Job {
            settings: &settings,
            service: &mut PlayedService(Rc::clone(server)),
            health: Some(&mut PlayedHealth(Rc::clone(server))),
            consent: &mut consent,
            store: &mut DiskStore::default(),
            clock: &SystemClock::new(),
            cancelled: self.cancelled,
            say: &mut tell,
        }
        .run();
        (self.say)(DrillEvent::JobEnded { node: release, ending: ending.clone() });
        if ending.has(Mark::Cancelled) || (self.cancelled)() {
            return Err(DrillError::Cancelled);
        }
        Ok((summary, ending))
    }

    pub(super) fn settings(&self, server: &Shared) -> JobSettings {
        let server = server.borrow();
        JobSettings {
            data_paths: vec![server.node.data_path.clone()],
            logs: LogSource::Path(server.node.log_dir.clone()),
            cluster_name: server.node.release.node().to_owned(),
            since: None,
            targets: Targets::FromLog,
            mode: Mode::Repair,
            policy: Policy {
                level: Level::Valid,
                healthy_copy: HealthyCopyRule::Refuse,
                beyond_checkpoint: false,
            },
            budget: Budget::default(),
            requests: ClusterRequests::default(),
            limits: LIMITS,
            watermarks: Watermarks::default(),
            user: None,
            seed: 0,
            state_dir: self.root.join("state"),
            quarantine_dir: None,
            arguments: vec![env!("CARGO_PKG_NAME").to_owned(), "drill".to_owned()],
        }
    }

    /// Compares what the played server serves with what was written before the outage.
    fn check(&mut self, server: &Shared, job: &Summary) -> Vec<ShardResult> {
        let server = server.borrow();
        let release = server.node.release;
        let mut results = Vec::new();
        for shard in &server.node.shards {
            let result = check_shard(&server, shard, job);
            let DocumentCheck { expected, found, .. } = &result.documents;
            let text = format!("{} has {found} documents of {expected} expected", shard.name);
            self.simulation(Some(release), text);
            results.push(result);
        }
        results
    }

    /// Takes the run back, as the command does: stopped, under the node's locks. Returns why it
    /// could not.
    fn undo(&mut self, server: &Shared, job: &Summary) -> Result<Vec<String>, DrillError> {
        server.borrow_mut().stop()?;
        self.told(server);
        let Some(id) = &job.run else { return Ok(vec!["the job began no run".to_owned()]) };
        let (data_path, lock_file) = {
            let server = server.borrow();
            (server.node.data_path.clone(), server.node.folder().join("node.lock"))
        };
        let state = StateDir::new(self.root.join("state"));
        let undone = || -> Result<(), String> {
            let _one_run = state.lock(&[data_path]).map_err(|error| error.to_string())?;
            let _locks = hold_locks(&[lock_file]).map_err(|error| error.to_string())?;
            let mut run = state.find(id).map_err(|error| error.to_string())?;
            run.undo(&mut DiskStore::default(), self.cancelled, NewerFiles::Refuse)
                .map_err(|error| error.to_string())?;
            Ok(())
        };
        let undone = undone();
        if (self.cancelled)() {
            return Err(DrillError::Cancelled);
        }
        Ok(undone.err().into_iter().map(|why| format!("undo failed: {why}")).collect())
    }

    fn told(&mut self, server: &Shared) {
        let release = server.borrow().node.release;
        let told = server.borrow_mut().take_told();
        for text in told {
            self.simulation(Some(release), text);
        }
    }

    fn simulation(&mut self, node: Option<Release>, text: String) {
        (self.say)(DrillEvent::Simulation { node, text });
    }
}

fn ending_problems(ending: &Ending) -> Vec<String> {
    let is_well = *ending == Ending::of(Mark::Repaired);
    let marks: Vec<String> = ending.marks().map(|mark| format!("{mark:?}")).collect();
    let problem =
        format!("the job should end with Repaired alone, and ended with {}", marks.join(", "));
    if is_well { Vec::new() } else { vec![problem] }
}

fn check_shard(server: &Server, shard: &PracticeShard, job: &Summary) -> ShardResult {
    let report = job
        .shards
        .iter()
        .find(|report| report.index == shard.name.index && report.shard == shard.name.number);
    let told = report.and_then(|report| report.plan.as_ref()).map(|plan| &plan.loss);
    let found = server.documents_of(&shard.name);
    let expected = shard.history.without(&shard.lost_acts);
    let documents = DocumentCheck::of(&expected, found.unwrap_or(&Documents::new()));
    let mut problems = loss_problems(server.node.release, shard, told);
    if found.is_none() {
        problems.push("it is down".to_owned());
    }
    problems.extend(documents.problems());
    let lost = shard.history.lost(&shard.lost_acts);
    ShardResult {
        index: shard.name.index.clone(),
        shard: shard.name.number,
        damage: shard.damage,
        operations: shard.history.acts.len() as u64,
        lost_operations: lost.len() as u64,
        told_lost_operations: told.map_or(0, |loss| loss.operation_count),
        lost_document_ids: lost.iter().map(|act| act.id().to_owned()).collect(),
        is_up: found.is_some(),
        documents,
        problems,
    }
}
