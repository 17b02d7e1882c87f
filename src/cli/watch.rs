//! `watch`: stays on, follows the log, and reports each new failure; repairs when told to.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Failure;
use super::arguments::{OutputForm, WatchArguments};
use super::exit::Exit;
use super::main_job::{job_settings, repair};
use super::node::{Node, ServiceUse};
use super::signals::Cancel;
use super::sink::{Sink, say_error};
use crate::log::{Cause, Log, LogPlace, NodeEvent, Scan, ShardName, Tail, Wake};
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
    let log = settings.logs.find(&settings.cluster_name).map_err(Failure::of)?;
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
    log.notes().iter().for_each(|text| say(Event::Note { text: text.clone() }));
    let place = settings.state_dir.join(PLACE);
    let mut watch = Watch {
        tail: tail(&log, &place, &mut say)?,
        wake: Wake::new(&log),
        reported: BTreeSet::new(),
        waiting: BTreeSet::new(),
        budget: settings.budget,
        is_forgetful: false,
    };
    say(Event::Note { text: format!("watching {log}") });
    let mut repairs = 0;
    while !cancel.is_asked() {
        let scan = watch.tail.poll().map_err(Failure::of)?;
        let is_quiet = scan.bytes == 0;
        watch.report(scan, &mut say);
        watch.keep(&place);
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
            watch.tail = Tail::at_end(Some(&log)).map_err(Failure::of)?;
        } else if is_quiet {
            watch.wake.wait(LOOK);
        }
    }
    watch.keep(&place);
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
    /// Whether the place cannot be kept, which is said once.
    is_forgetful: bool,
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
                say(Event::found(finding));
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
    fn keep(&mut self, place: &Path) {
        let (Some(at), Some(log)) = (self.tail.place(), self.tail.name()) else { return };
        let Ok(bytes) = serde_json::to_vec(&(log, at)) else { return };
        if self.is_forgetful || std::fs::read(place).is_ok_and(|kept| kept == bytes) {
            return;
        }
        let fresh = place.with_extension("new");
        let folder = place.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written = folder
            .and_then(|()| std::fs::write(&fresh, bytes))
            .and_then(|()| std::fs::rename(&fresh, place));
        if let Err(error) = written {
            self.is_forgetful = true;
            say_error(&format!(
                "cannot keep the place in {}: {error}; after a stop, the watch begins at the end \
                 of the log",
                place.display()
            ));
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

/// From the place that was kept, else from the end of the log.
fn tail(log: &Log, place: &Path, say: &mut dyn FnMut(Event)) -> Result<Tail, Failure> {
    let kept = std::fs::read(place).ok();
    let kept = kept.and_then(|bytes| serde_json::from_slice::<(String, LogPlace)>(&bytes).ok());
    let name = log.to_string();
    let Some((_, at)) = kept.filter(|(kept, _)| *kept == name) else {
        return Tail::at_end(Some(log)).map_err(Failure::of);
    };
    let (tail, is_found) = Tail::resume(log, at).map_err(Failure::of)?;
    if !is_found {
        let text = "the place where the last watch ended is gone; the log is read from its start";
        say(Event::Note { text: text.to_owned() });
    }
    Ok(tail)
}
