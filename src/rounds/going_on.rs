//! From round to round, until every shard stands, nothing helps, or a limit is reached.

use std::time::Duration;

use super::cluster_facts::ClusterFacts;
use super::consent::request_of;
use super::course::{Course, EndedRound, Next, Stop};
use super::ending::Mark;
use super::event::{Event, Stage};
use super::job::{Job, Progress};
use super::limits::Limits;
use super::survey::{SurveyError, Surveyed};
use super::verdict::RoundVerdict;
use crate::apply::StateDir;
use crate::clock::millis;
use crate::node::free_space;

/// A round that is over.
pub(super) struct RoundDone {
    pub(super) verdict: RoundVerdict,
    pub(super) repaired_count: usize,
    /// Shards for which another round could do something.
    pub(super) again: Vec<Surveyed>,
}

impl Job<'_> {
    pub(super) fn rounds(
        &mut self,
        state: &StateDir,
        surveyed: Vec<Surveyed>,
        cluster: &ClusterFacts,
        progress: &mut Progress,
    ) -> Result<(), SurveyError> {
        if let Err(refusal) = self.check_before_stop(&surveyed, cluster, progress) {
            self.leaves_damage(refusal, progress);
            return Ok(());
        }
        let limits = self.settings.limits;
        progress.began_ms = self.clock.now_ms();
        let first = surveyed.iter().map(Surveyed::trouble).collect();
        let mut course = Course::new(limits, first, self.free_bytes(), self.settings.seed);
        let mut next = surveyed;
        for number in 1..=limits.rounds_max {
            let done = self.round(number, state, &next, cluster, progress)?;
            let ended = EndedRound {
                verdict: done.verdict,
                repaired_count: done.repaired_count,
                troubles: done.again.iter().map(Surveyed::trouble).collect(),
                at_ms: self.clock.now_ms().saturating_sub(progress.began_ms),
                free_bytes: self.free_bytes(),
            };
            match course.next(ended) {
                Next::Over => return Ok(()),
                Next::Stop(stop) => {
                    self.stop_rounds(&stop, &course, progress);
                    return Ok(());
                }
                Next::Again(pause) => {
                    if !self.goes_on(number, pause, &done.again, progress) {
                        return Ok(());
                    }
                    next = done.again;
                }
            }
        }
        Ok(())
    }

    /// Asks for what the next round does, and pauses. False when there is no next one.
    fn goes_on(
        &mut self,
        number: u32,
        pause: Duration,
        again: &[Surveyed],
        progress: &mut Progress,
    ) -> bool {
        let request = request_of(again, 0);
        if request.shard_count > 0
            && let Err(refusal) = self.consent.ask(&request)
        {
            self.leaves_damage(refusal, progress);
            return false;
        }
        let more = request.lost_operation_count;
        progress.accepted_operation_count = progress.accepted_operation_count.saturating_add(more);
        let detail = format!("{} s before the next round", pause.as_secs());
        self.stage(number, Stage::Pause, &detail);
        if self.sleeps(pause) {
            return true;
        }
        progress.ending.add(Mark::Cancelled);
        progress.ending.add(Mark::DamageLeft);
        self.note("ended by a signal between two rounds; the node runs, and shards still fail");
        false
    }

    fn stop_rounds(&mut self, stop: &Stop, course: &Course, progress: &mut Progress) {
        if progress.spent.shard_count > 0 {
            progress.ending.add(Mark::Repaired);
        }
        progress.ending.add(Mark::DamageLeft);
        let (text, rounds) = (stop.to_string(), course.told().to_vec());
        (self.say)(Event::Stopped { reason: stop.reason(), text, rounds });
    }

    /// Sleeps, and looks for a signal meanwhile. False when one came.
    fn sleeps(&self, time: Duration) -> bool {
        let began_ms = self.clock.now_ms();
        loop {
            if (self.cancelled)() {
                return false;
            }
            let gone = Duration::from_millis(self.clock.now_ms().saturating_sub(began_ms));
            let left = time.saturating_sub(gone);
            if left.is_zero() {
                return true;
            }
            self.clock.sleep(left.min(self.settings.limits.poll));
        }
    }

    /// The limits of a watch that begins now: it ends with the time for all rounds.
    pub(super) fn watch_limits(&self, progress: &Progress) -> Limits {
        let limits = self.settings.limits;
        let gone = Duration::from_millis(self.clock.now_ms().saturating_sub(progress.began_ms));
        let left = limits.rounds_in_all.saturating_sub(gone);
        Limits { watch_in_all: limits.watch_in_all.min(left), ..limits }
    }

    fn free_bytes(&self) -> Vec<u64> {
        let spaces = self.settings.data_paths.iter().filter_map(|path| free_space(path).ok());
        spaces.map(|space| space.free_bytes).collect()
    }
}

/// How long a watch waits, in words.
pub(super) fn waits(limits: Limits) -> String {
    format!(
        "at most {} s in which nothing moves, and {} s in all",
        millis(limits.watch).checked_div(1000).unwrap_or(0),
        millis(limits.watch_in_all).checked_div(1000).unwrap_or(0)
    )
}
