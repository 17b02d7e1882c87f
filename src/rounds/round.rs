//! One round: stop, prove it, read again under the locks, repair, let go, start, watch.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::cluster_facts::ClusterFacts;
use super::consent::request_of;
use super::ending::{Mark, mark_left};
use super::event::{Event, Stage};
use super::going_on::RoundDone;
use super::job::{Job, Progress};
use super::survey::{Candidate, Decision, SurveyError, Surveyed, survey};
use super::unapplied::Unapplied;
use super::verdict::RoundVerdict;
use crate::apply::{ApplyError, RunAbout, ShardChanges, StateDir};
use crate::log::{Log, ShardName, Tail, boot_troubles};
use crate::plan::{Kind, Refusal, Rule};

/// A round on its way, for the record of it.
pub(super) struct Record {
    pub(super) number: u32,
    pub(super) stopped_at: Option<String>,
    pub(super) started_at: Option<String>,
    pub(super) repaired: Vec<ShardName>,
    /// Those of them that were moved away.
    pub(super) moved: BTreeSet<ShardName>,
    /// Those of them that the server uses only when it is told to.
    pub(super) stale: Vec<ShardName>,
    /// Shards that have to come up: the repaired ones, and those that only get another try.
    pub(super) waited_for: Vec<ShardName>,
}

impl Record {
    /// It is over, and another round could do nothing.
    fn done(&self, verdict: RoundVerdict) -> RoundDone {
        RoundDone { verdict, repaired_count: self.repaired.len(), again: Vec::new() }
    }
}

impl Job<'_> {
    pub(super) fn round(
        &mut self,
        number: u32,
        state: &StateDir,
        surveyed: &[Surveyed],
        cluster: &ClusterFacts,
        progress: &mut Progress,
    ) -> Result<RoundDone, SurveyError> {
        let mut record = Record {
            number,
            stopped_at: None,
            started_at: None,
            repaired: Vec::new(),
            moved: BTreeSet::new(),
            stale: Vec::new(),
            waited_for: Vec::new(),
        };
        let locks = match self.stop_and_lock(number, state, surveyed, progress) {
            Ok(locks) => locks,
            Err(refusal) => {
                self.leaves_damage(refusal, progress);
                return Ok(record.done(RoundVerdict::StillDown));
            }
        };
        record.stopped_at = Some(now());
        if !self.repair_under_locks(&mut record, state, surveyed, cluster, progress) {
            drop(locks);
            return Ok(record.done(RoundVerdict::StillDown));
        }
        let startable = self.before_start(&record.waited_for, progress);
        let mut log = Tail::at_end(self.log().as_ref())?;
        let is_other_running = self.is_other_node_running(progress);
        drop(locks);
        if !self.service.can_start() || is_other_running {
            self.let_go();
            progress.ending.add(Mark::PersonNeeded);
            let first = startable.err().map(|why| format!("{why}; then ")).unwrap_or_default();
            let text = format!(
                "the files are repaired; {first}start the node and see that its shards come up"
            );
            self.note(&text);
            return Ok(self.round_ended(record, RoundVerdict::NotWatched));
        }
        if let Err(why) = startable {
            self.let_go();
            progress.ending.add(Mark::PersonNeeded);
            let name = self.service.name();
            self.note(&format!(
                "the files are repaired; {name} is not started, because that cannot work: {why}; then \
                 run again, or start it by hand"
            ));
            return Ok(self.round_ended(record, RoundVerdict::NotStarted));
        }
        if !self.start(number, state, progress) {
            return Ok(self.round_ended(record, RoundVerdict::NodeDied));
        }
        record.started_at = Some(now());
        self.watch_round(record, &mut log, cluster, progress)
    }

    /// Reads again and repairs. False when that did not come to its end: then it has been said
    /// why, and the service is left as the files allow.
    fn repair_under_locks(
        &mut self,
        record: &mut Record,
        state: &StateDir,
        surveyed: &[Surveyed],
        cluster: &ClusterFacts,
        progress: &mut Progress,
    ) -> bool {
        let number = record.number;
        let candidates: Vec<Candidate> = surveyed
            .iter()
            .filter(|shard| matches!(shard.decision, Decision::Repair(_) | Decision::Sound))
            .map(|shard| shard.candidate.clone())
            .collect();
        self.stage(number, Stage::Reread, &format!("{} shards, node stopped", candidates.len()));
        let again = survey(candidates, self.settings.policy, cluster);
        for shard in &again {
            (self.say)(Event::Judged(Box::new(shard.report(number))));
            mark_left(shard, &mut progress.ending);
            record.waited_for.push(shard.shard().clone());
        }
        let request = request_of(&again, 0);
        let total =
            progress.spent.lost_operation_count.saturating_add(request.lost_operation_count);
        let refusal = if total > progress.accepted_operation_count {
            let message = format!(
                "with the node stopped the repair loses {} operations, more than the {} agreed to",
                total, progress.accepted_operation_count
            );
            Some(Refusal::new(Rule::Changed, message).unless("run again and look at the new plan"))
        } else {
            self.settings.budget.check(progress.spent, &request).err()
        };
        if let Some(refusal) = refusal {
            self.leaves_damage(refusal, progress);
            self.start(number, state, progress);
            return false;
        }
        progress.spent.shard_count = progress.spent.shard_count.saturating_add(request.shard_count);
        progress.spent.lost_operation_count = total;
        let plans: Vec<&Surveyed> = again.iter().filter(|shard| shard.plan().is_some()).collect();
        if plans.is_empty() {
            return true;
        }
        self.stage(number, Stage::Repair, &format!("{} shards", plans.len()));
        match self.apply(state, number, &plans, progress) {
            Ok(()) => {
                self.all_repaired(record, &plans);
                true
            }
            Err(Unapplied::Refused(refusal)) => {
                self.leaves_damage(refusal, progress);
                self.start(number, state, progress);
                false
            }
            Err(Unapplied::Stopped(message)) => {
                let run = progress.run.as_ref().map(|run| run.id().to_string()).unwrap_or_default();
                let cancelled = (self.cancelled)();
                progress.ending.add(if cancelled { Mark::Cancelled } else { Mark::Failed });
                progress.ending.add(Mark::DamageLeft);
                (self.say)(Event::Error {
                    text: format!(
                        "{message}; the node stays stopped, go on with `es-translog-fix resume \
                         {run}` or take it back with `es-translog-fix undo {run}`"
                    ),
                });
                false
            }
        }
    }

    fn all_repaired(&mut self, record: &mut Record, plans: &[&Surveyed]) {
        for shard in plans {
            let path = shard.candidate.folder.path.clone();
            let kind = shard.plan().map_or(Kind::Repair, |plan| plan.kind);
            if kind == Kind::MoveAway {
                record.moved.insert(shard.shard().clone());
            }
            if shard.plan().is_some_and(|plan| plan.needs_reroute) {
                record.stale.push(shard.shard().clone());
            }
            record.repaired.push(shard.shard().clone());
            (self.say)(Event::Repaired { shard: shard.shard().clone(), kind, path });
        }
    }

    fn apply(
        &mut self,
        state: &StateDir,
        number: u32,
        plans: &[&Surveyed],
        progress: &mut Progress,
    ) -> Result<(), Unapplied> {
        let stopped = |error: &dyn std::fmt::Display| Unapplied::Stopped(error.to_string());
        if progress.run.is_none() {
            let about = RunAbout {
                data_paths: self.settings.data_paths.clone(),
                service: self.service.name(),
                quarantine_dir: self.settings.quarantine_dir.clone(),
                arguments: self.settings.arguments.clone(),
            };
            let run = state.begin(about).map_err(|error| stopped(&error))?;
            let path = run.path().to_path_buf();
            if let Some(warning) = run.warning() {
                self.note(&warning);
            }
            (self.say)(Event::RunBegun { id: run.id().to_string(), path });
            progress.run = Some(run);
        }
        let Some(run) = progress.run.as_mut() else { return Ok(()) };
        let reports: Vec<_> = plans.iter().map(|shard| shard.report(number)).collect();
        let json = serde_json::to_vec_pretty(&reports).map_err(|error| stopped(&error))?;
        run.put(&format!("plan-{number}.json"), &json).map_err(|error| stopped(&error))?;
        let changes: Vec<ShardChanges> =
            plans.iter().filter_map(|shard| self.changes_of(shard)).collect();
        let receipt = match run.repair(self.store, self.cancelled, &changes) {
            Err(ApplyError::Lower(error)) => return Err(Unapplied::refused(&error)),
            other => other.map_err(|error| stopped(&error))?,
        };
        receipt.notes.iter().for_each(|note| self.note(note));
        (self.say)(Event::Quarantined { paths: receipt.quarantines });
        Ok(())
    }

    fn changes_of(&self, shard: &Surveyed) -> Option<ShardChanges> {
        let folder = &shard.candidate.folder;
        let data_path_of = |path: &PathBuf| {
            let data_paths = &self.settings.data_paths;
            let found = data_paths.iter().find(|data_path| path.starts_with(data_path));
            found.unwrap_or(&folder.data_path).clone()
        };
        let main = (folder.path.clone(), folder.data_path.clone());
        let stripes = folder.stripes.iter().map(|path| (path.clone(), data_path_of(path)));
        Some(ShardChanges {
            shard: folder.shard.to_string(),
            shard_folders: std::iter::once(main).chain(stripes).collect(),
            changes: shard.plan()?.changes.clone(),
        })
    }

    /// Starts the service; what goes wrong is said.
    pub(super) fn start(&mut self, number: u32, state: &StateDir, progress: &mut Progress) -> bool {
        if !self.may_start(progress) {
            self.let_go();
            return false;
        }
        let limit = self.settings.limits.start;
        let name = self.service.name();
        self.stage(number, Stage::Start, &format!("{name}, at most {} s", limit.as_secs()));
        let started = self.service.start(limit);
        self.tell_of_service();
        if let Err(error) = started {
            let text = format!("the node does not start: {error}");
            let known = boot_troubles(&text).into_iter().map(|trouble| trouble.cause.action());
            let actions: Vec<String> = known.collect();
            let then = if actions.is_empty() { "" } else { "; to do: " };
            progress.ending.absorb(&self.failed(&format!("{text}{then}{}", actions.join("; "))));
            return false;
        }
        self.forget_stopped(state);
        true
    }

    pub(super) fn log(&self) -> Option<Log> {
        self.settings.logs.find(&self.settings.cluster_name).ok()
    }

    pub(super) fn round_ended(&mut self, record: Record, verdict: RoundVerdict) -> RoundDone {
        let done = record.done(verdict);
        (self.say)(Event::RoundEnded {
            number: record.number,
            stopped_at: record.stopped_at,
            started_at: record.started_at,
            repaired: record.repaired,
            verdict,
        });
        done
    }
}

pub(super) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
