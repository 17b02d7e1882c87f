//! `watch`: stays on, follows the log, and reports each new failure; repairs when told to.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use super::Failure;
use super::arguments::{OutputForm, WatchArguments};
use super::exit::Exit;
use super::main_job::{job_settings, repair};
use super::node::{Node, ServiceUse};
use super::signals::Cancel;
use super::sink::{Sink, say_error};
use crate::apply::{StateDir, StateError};
use crate::log::{Cause, NodeEvent, Position, Scan, ShardName, Tail, Wake, find_logs};
use crate::report::{Journal, Summary};
use crate::rounds::{Budget, Event, JobSettings, Target, Targets};

/// Between two looks when nothing wakes.
const LOOK: Duration = Duration::from_millis(500);
/// Failures of other shards are waited for so long before a repair stops the node.
const GATHER: Duration = Duration::from_secs(10);
/// Repairs in one life; a node that goes on failing needs a person.
const REPAIRS_MAX: u32 = 20;
/// Where the place in the log is kept, below the state folder.
const PLACE: &str = "watch.json";

/// Follows the log until a signal ends it.
pub(super) fn run(arguments: &WatchArguments, typed: Vec<String>) -> Result<Exit, Failure> {
    let cancel = Cancel::install();
    let main = &arguments.main;
    let usage = if main.yes { ServiceUse::Needed } else { ServiceUse::LookOnly };
    let mut node = Node::find(&main.node, usage)?;
    let settings = job_settings(main, &node, typed);
    let logs = find_logs(&settings.log_dir, &settings.cluster_name).map_err(Failure::of)?;
    let sink = RefCell::new(Sink::new(main.output, !main.yes));
    let journal = Journal::connect();
    let is_ndjson = main.output.output == OutputForm::Ndjson;
    let mut say = |event: Event| {
        // Under systemd the journal gets fields; a program that reads standard output, lines.
        let is_told = !is_ndjson && journal.as_ref().is_some_and(|journal| journal.tell(&event));
        if !is_told {
            sink.borrow_mut().take(&event);
        }
    };
    logs.notes.iter().for_each(|text| say(Event::Note { text: text.clone() }));
    let state = StateDir::new(settings.state_dir.clone());
    let place = state.make().map(|folder| folder.join(PLACE)).inspect_err(say_forgetful).ok();
    let mut watch = Watch {
        tail: tail(&logs.live, place.as_deref(), &mut say)?,
        wake: Wake::new(&logs.live),
        reported: BTreeSet::new(),
        waiting: BTreeSet::new(),
        budget: settings.budget,
        place,
    };
    say(Event::Note { text: format!("watching {}", logs.live.display()) });
    let mut repairs = 0;
    while !cancel.is_asked() {
        let scan = watch.tail.poll().map_err(Failure::of)?;
        let is_quiet = scan.bytes == 0;
        watch.report(scan, &mut say);
        watch.keep();
        if main.yes && !watch.waiting.is_empty() && repairs < REPAIRS_MAX {
            repairs += 1;
            let began = Instant::now();
            while began.elapsed() < GATHER && !cancel.is_asked() {
                let late = watch.tail.poll().map_err(Failure::of)?;
                watch.report(late, &mut say);
                watch.wake.wait(LOOK);
            }
            let settings = watch.job(&settings);
            let summary = repair(main, &settings, &mut node, &cancel, &mut say)?;
            watch.spend(&summary);
            watch.tail = Tail::at_end(Some(&logs.live)).map_err(Failure::of)?;
        } else if is_quiet {
            watch.wake.wait(LOOK);
        }
    }
    watch.keep();
    Ok(Exit::CANCELLED)
}

struct Watch {
    tail: Tail,
    wake: Wake,
    /// What was told since the node's last start.
    reported: BTreeSet<(ShardName, Cause)>,
    /// Shards to repair.
    waiting: BTreeSet<ShardName>,
    /// What may still be lost and touched.
    budget: Budget,
    /// Where the place in the log is kept; `None` where it cannot be, which is said once.
    place: Option<PathBuf>,
}

impl Watch {
    /// Tells what is new.
    fn report(&mut self, scan: Scan, say: &mut dyn FnMut(Event)) {
        if scan.node_events.iter().any(|event| matches!(event, NodeEvent::Starting { .. })) {
            self.reported.clear();
        }
        for finding in scan.findings {
            if self.reported.insert((finding.shard.clone(), finding.cause)) {
                self.waiting.insert(finding.shard.clone());
                say(Event::Found {
                    index: finding.shard.index,
                    shard: finding.shard.number,
                    cause: finding.cause,
                    count: finding.count,
                    line: finding.line,
                });
            }
        }
        for (cause, count, line) in scan.node_wide {
            say(Event::NodeWide { cause, count, line });
        }
        for event in scan.node_events {
            if let NodeEvent::BootFailed { cause, line } = event {
                say(Event::Error { text: format!("the node did not come up: {cause}: {line}") });
            }
        }
    }

    /// The job for the shards that wait, under what is left of the budget.
    fn job(&mut self, settings: &JobSettings) -> JobSettings {
        let shards = std::mem::take(&mut self.waiting).into_iter();
        let targets = shards.map(|shard| Target::Shard(shard.index, shard.number)).collect();
        JobSettings { targets: Targets::Named(targets), budget: self.budget, ..settings.clone() }
    }

    /// Keeps the place, so that a stopped watch goes on where it was.
    fn keep(&mut self) {
        let (Some(position), Some(live)) = (self.tail.position(), self.tail.live()) else { return };
        let (Some(place), Ok(bytes)) = (&self.place, serde_json::to_vec(&(live, position))) else {
            return;
        };
        if std::fs::read(place).is_ok_and(|kept| kept == bytes) {
            return;
        }
        if let Err(source) = replace(place, &bytes) {
            say_forgetful(&StateError::Io { action: "write", path: place.clone(), source });
            self.place = None;
        }
    }

    fn spend(&mut self, summary: &Summary) {
        if summary.run.is_none() {
            return;
        }
        let repaired: usize = summary.rounds.iter().map(|round| round.repaired.len()).sum();
        let less = |limit: Option<u64>, spent: u64| limit.map(|limit| limit.saturating_sub(spent));
        self.budget.lost_operations_max =
            less(self.budget.lost_operations_max, summary.loss.operations);
        self.budget.shards_max = less(self.budget.shards_max, repaired as u64);
    }
}

/// Writes a file whole, without following a link that has its name.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut fresh = NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    fresh.write_all(bytes)?;
    fresh.persist(path)?;
    Ok(())
}

fn say_forgetful(error: &StateError) {
    say_error(&format!(
        "cannot keep the place in the log: {error}; after a stop, the watch begins at the end of it"
    ));
}

/// From the place that was kept, else from the end of the log.
fn tail(live: &Path, place: Option<&Path>, say: &mut dyn FnMut(Event)) -> Result<Tail, Failure> {
    let kept = place.and_then(|place| std::fs::read(place).ok());
    let kept = kept.and_then(|bytes| serde_json::from_slice::<(PathBuf, Position)>(&bytes).ok());
    let Some((_, position)) = kept.filter(|(path, _)| path == live) else {
        return Tail::at_end(Some(live)).map_err(Failure::of);
    };
    let (tail, is_found) = Tail::resume(live, position).map_err(Failure::of)?;
    if !is_found {
        let text = "the place where the last watch ended is gone; the log is read from its start";
        say(Event::Note { text: text.to_owned() });
    }
    Ok(tail)
}
