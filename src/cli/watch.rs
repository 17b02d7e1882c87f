//! `watch`: stays on, follows the log, and reports each new failure; repairs when told to.

mod news;

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sd_notify::NotifyState;
use tempfile::NamedTempFile;

use self::news::News;
use super::Failure;
use super::arguments::{OutputForm, WatchArguments};
use super::exit::Exit;
use super::main_job::{job_settings, repair};
use super::node::{Node, ServiceUse};
use super::signals::Cancel;
use super::sink::{Sink, say_error, tell_manager};
use crate::apply::{StateDir, StateError};
use crate::clock::{Clock, SystemClock, millis};
use crate::limit;
use crate::log::{Finding, Log, LogError, LogPlace, Scan, Tail, Wake};
use crate::report::Summary;
use crate::rounds::{Budget, Event, JobSettings, Target, Targets};

/// Between two looks when nothing wakes.
const LOOK: Duration = limit::WATCH_LOOK.time();
/// Failures of other shards are waited for so long before a repair stops the node.
const GATHER: Duration = limit::GATHER.time();
/// Repairs in one life; a node that goes on failing needs a person.
const REPAIRS_MAX: u32 = limit::REPAIRS.count();
const LAST_REPAIR: &str = "this is the last repair of this watch: a node that goes on failing needs a \
    person; it goes on telling";
/// Longest time after a repair until the log is read to its end and its last record is whole.
const CATCH_UP: Duration = limit::CATCH_UP.time();
/// Where the place in the log is kept, below the state folder.
const PLACE: &str = "watch.json";

/// Follows the log until a signal ends it.
pub(super) fn run(arguments: &WatchArguments, typed: Vec<String>) -> Result<Exit, Failure> {
    let main = &arguments.main;
    if main.output.output == OutputForm::Json {
        let text = "a watch has no end, and so no document; --output ndjson is a line an event";
        return Err(Failure::new(Exit::USAGE, text));
    }
    let cancel = Cancel::install();
    let usage = if main.yes { ServiceUse::Needed } else { ServiceUse::LookOnly };
    let mut node = Node::find(&main.node, usage)?;
    let settings = job_settings(main, &node, typed);
    check_names(&settings.targets)?;
    let log = settings.logs.find(&settings.cluster_name).map_err(Failure::of)?;
    let sink = RefCell::new(Sink::new(main.output, !main.yes));
    let mut say = |event: Event| sink.borrow_mut().take(&event);
    log.notes().iter().for_each(|text| say(Event::Note { text: text.clone() }));
    let state = StateDir::new(settings.state_dir.clone());
    let place = state.make().map(|folder| folder.join(PLACE)).inspect_err(say_forgetful).ok();
    let mut watch = Watch {
        clock: SystemClock::new(),
        tail: tail(&log, place.as_deref(), &mut say)?,
        wake: Wake::new(&log),
        news: News::default(),
        targets: settings.targets.clone(),
        waiting: Vec::new(),
        budget: settings.budget,
        repairs: Repairs(if main.yes { REPAIRS_MAX } else { 0 }),
        place,
    };
    say(Event::Note { text: format!("watching {log}") });
    let status = format!("watching {log}");
    tell_manager(&[NotifyState::Ready, NotifyState::Status(&status)]);
    while !cancel.is_asked() {
        let scan = watch.tail.poll(watch.clock.now_ms()).map_err(Failure::of)?;
        let is_quiet = scan.bytes == 0;
        watch.report(scan, &mut say);
        watch.keep();
        // What was told long ago is not told again at the end.
        sink.borrow_mut().forget();
        if !watch.waiting.is_empty() {
            if watch.repairs.take() {
                say(Event::Note { text: LAST_REPAIR.to_owned() });
            }
            let began_ms = watch.clock.now_ms();
            while is_within(GATHER, began_ms, &watch.clock) && !cancel.is_asked() {
                let late = watch.tail.poll(watch.clock.now_ms()).map_err(Failure::of)?;
                watch.report(late, &mut say);
                watch.wake.wait(LOOK);
            }
            let heard = std::mem::take(&mut watch.waiting);
            let settings = JobSettings {
                targets: Targets::Heard(heard.clone()),
                budget: watch.budget,
                ..settings.clone()
            };
            let summary = repair(main, &settings, &mut node, &cancel, &mut say)?;
            watch.spend(&summary);
            watch.catch_up(&heard, &mut say).map_err(Failure::of)?;
        } else if is_quiet {
            watch.wake.wait(LOOK);
        }
    }
    watch.keep();
    Ok(Exit::CANCELLED)
}

/// A log has no folders of shards.
fn check_names(targets: &Targets) -> Result<(), Failure> {
    let Targets::Named(targets) = targets else { return Ok(()) };
    let Some(folder) = targets.iter().find(|one| matches!(one, Target::Folder(_))) else {
        return Ok(());
    };
    let text = format!("a watch goes by names: say INDEX or INDEX/SHARD instead of {folder}");
    Err(Failure::new(Exit::USAGE, text))
}

struct Watch {
    clock: SystemClock,
    tail: Tail,
    wake: Wake,
    news: News,
    /// What may be repaired.
    targets: Targets,
    /// What is to be repaired.
    waiting: Vec<Finding>,
    repairs: Repairs,
    /// What may still be lost and touched.
    budget: Budget,
    /// Where the place in the log is kept; `None` where it cannot be, which is said once.
    place: Option<PathBuf>,
}

impl Watch {
    /// Tells what is new.
    fn report(&mut self, scan: Scan, say: &mut dyn FnMut(Event)) {
        let told = self.news.take(scan, self.clock.now_ms());
        if self.repairs.are_left() {
            let failed = told.failed.into_iter();
            self.waiting.extend(failed.filter(|one| self.targets.include(&one.shard)));
        }
        told.events.into_iter().for_each(say);
    }

    /// Goes through what was logged during a repair. What became of its own shards it has told.
    fn catch_up(&mut self, heard: &[Finding], say: &mut dyn FnMut(Event)) -> Result<(), LogError> {
        let began_ms = self.clock.now_ms();
        let mut is_more = true;
        while is_within(CATCH_UP, began_ms, &self.clock) && (is_more || self.tail.place().is_none())
        {
            let mut scan = self.tail.poll(self.clock.now_ms())?;
            is_more = scan.bytes > 0;
            scan.findings.retain(|finding| heard.iter().all(|one| one.shard != finding.shard));
            self.report(scan, say);
            if !is_more {
                self.wake.wait(LOOK);
            }
        }
        Ok(())
    }

    /// Keeps the place, so that a stopped watch goes on where it was.
    fn keep(&mut self) {
        let (Some(at), Some(log)) = (self.tail.place(), self.tail.name()) else { return };
        let (Some(place), Ok(bytes)) = (&self.place, serde_json::to_vec(&(log, at))) else {
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

fn is_within(limit: Duration, began_ms: u64, clock: &dyn Clock) -> bool {
    clock.now_ms().saturating_sub(began_ms) < millis(limit)
}

/// Repairs that are left.
struct Repairs(u32);

impl Repairs {
    fn are_left(&self) -> bool {
        self.0 > 0
    }

    /// Takes one; whether it is the last.
    fn take(&mut self) -> bool {
        self.0 = self.0.saturating_sub(1);
        !self.are_left()
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
fn tail(log: &Log, place: Option<&Path>, say: &mut dyn FnMut(Event)) -> Result<Tail, Failure> {
    let kept = place.and_then(|place| std::fs::read(place).ok());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SimulatedClock;

    #[test]
    fn more_failures_are_gathered_and_the_log_is_caught_up_with_for_ten_seconds() {
        for limit in [GATHER, CATCH_UP] {
            let clock = SimulatedClock::default();
            let began_ms = clock.now_ms();
            let mut look_count = 0;
            while is_within(limit, began_ms, &clock) {
                clock.sleep(LOOK);
                look_count += 1;
            }
            assert_eq!(look_count, 20);
        }
    }

    #[test]
    fn the_twentieth_repair_is_the_last() {
        let mut repairs = Repairs(REPAIRS_MAX);
        let mut taken = 1;
        while !repairs.take() {
            taken += 1;
        }
        assert_eq!(taken, 20);
        assert!(!repairs.are_left());
    }
}
