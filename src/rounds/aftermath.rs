//! After a start: watching, and what the shards' standing means for the round.

use std::collections::BTreeSet;

use super::cluster_facts::ClusterFacts;
use super::ending::{Mark, mark_left};
use super::event::{Event, Stage};
use super::going_on::{RoundDone, waits};
use super::health::HealthView;
use super::job::{Job, Progress, borrow};
use super::nominate::from_findings;
use super::rebuild::Rebuilds;
use super::round::Record;
use super::standing::WatchEnd;
use super::survey::{Decision, SurveyError, Surveyed, survey};
use super::verdict::RoundVerdict;
use super::watch::Watch;
use crate::log::{Cause, Finding, ShardName, Tail};
use crate::node::ShardFolder;

/// Shards that neither started nor failed, for which the cluster is asked why.
const EXPLAINED_MAX: usize = 3;

impl Job<'_> {
    pub(super) fn watch_round(
        &mut self,
        mut record: Record,
        log: &mut Tail,
        cluster: &ClusterFacts,
        progress: &mut Progress,
    ) -> Result<RoundDone, SurveyError> {
        let limits = self.watch_limits(progress);
        let detail = format!("{} shards to start, {}", record.waited_for.len(), waits(limits));
        self.stage(record.number, Stage::Watch, &detail);
        let left = self.stale_primaries(&mut record, cluster, progress);
        let mut folders = progress.inventory.shards.clone();
        folders.retain(|folder| !left.contains(&folder.shard));
        let end = Watch {
            round: record.number,
            log,
            health: borrow(&mut self.health),
            service: self.service,
            must: &record.waited_for,
            folders: &folders,
            may_ask: true,
            rebuilds: Rebuilds::new(&record.moved, cluster.local_node.as_deref(), limits),
            clock: self.clock,
            cancelled: self.cancelled,
            say: self.say,
        }
        .run()?;
        let verdict = match end {
            None => {
                progress.ending.add(Mark::Cancelled);
                self.note("ended by a signal while waiting; the repair is done and the node runs");
                RoundVerdict::TimedOut
            }
            Some(WatchEnd::Clean) => {
                if progress.spent.shard_count > left.len() as u64 {
                    progress.ending.add(Mark::Repaired);
                }
                if left.is_empty() { RoundVerdict::Clean } else { RoundVerdict::StillDown }
            }
            Some(WatchEnd::NodeDied(why)) => {
                progress.ending.add(Mark::Failed);
                let text =
                    format!("the node did not come up, or ended: {why}; mend that and run again");
                self.failed(&text);
                RoundVerdict::NodeDied
            }
            Some(WatchEnd::TimedOut { shards, .. })
                if shards.iter().all(|shard| record.moved.contains(shard)) =>
            {
                self.not_rebuilt(&shards, progress);
                RoundVerdict::TimedOut
            }
            Some(WatchEnd::TimedOut { shards, is_moving }) => {
                progress.ending.add(Mark::Failed);
                self.overdue(&shards, is_moving);
                RoundVerdict::TimedOut
            }
            Some(WatchEnd::Failed(failures)) => {
                return Ok(self.failed_again(record, &failures, progress));
            }
        };
        Ok(self.round_ended(record, verdict))
    }

    /// Copies that were moved away, and that no other one serves.
    fn not_rebuilt(&mut self, shards: &[ShardName], progress: &mut Progress) {
        progress.ending.add(Mark::Repaired);
        progress.ending.add(Mark::PersonNeeded);
        let run = progress.run.as_ref().map(|run| run.id().to_string());
        self.note(&format!(
            "{}: moved away, and the copy in sync is not back; start the node that holds it and \
             this one is built anew. If that node is gone for good, stop this one, take the run back \
             with `es-translog-fix undo {}` and repair with --despite-healthy-copy",
            names(shards),
            run.unwrap_or_default()
        ));
    }

    /// Shards that are neither up nor failed.
    fn overdue(&mut self, shards: &[ShardName], is_moving: bool) {
        let limits = self.settings.limits;
        let how = if is_moving {
            "still on their way, and the time for all of it is over".to_owned()
        } else {
            format!(
                "neither started nor failed, and nothing moved for {} s",
                limits.watch.as_secs()
            )
        };
        let mut health = borrow(&mut self.health);
        let mut why = |shard: &ShardName| {
            let told = health.as_mut()?.explain(shard)?;
            let given_up = if told.is_given_up { ", and the cluster has given it up" } else { "" };
            Some(format!("{shard}: {}{given_up}", told.text))
        };
        let told: Vec<String> = shards.iter().take(EXPLAINED_MAX).filter_map(&mut why).collect();
        let told = match told.as_slice() {
            [] => "ask the cluster why with GET _cluster/allocation/explain".to_owned(),
            told => format!("the cluster says: {}", told.join("; ")),
        };
        self.failed(&format!("{how}: {}; {told}", names(shards)));
    }

    /// Some shards failed after the start: another round where it could do something for them.
    fn failed_again(
        &mut self,
        record: Record,
        failures: &[Finding],
        progress: &mut Progress,
    ) -> RoundDone {
        let mut refusals = Vec::new();
        let findings = failures.to_vec();
        let candidates = from_findings(findings, &progress.inventory, &mut refusals, self.say);
        let folders = candidates.iter().map(|candidate| &candidate.folder);
        let cluster = ClusterFacts::gather(borrow(&mut self.health), folders);
        let surveyed = survey(candidates, self.settings.policy, &cluster);
        let is_damaged = surveyed.iter().any(|shard| !matches!(shard.decision, Decision::Sound));
        let (again, left): (Vec<_>, Vec<_>) = surveyed.into_iter().partition(can_be_helped);
        for shard in &left {
            (self.say)(Event::Judged(Box::new(shard.report(record.number))));
            mark_left(shard, &mut progress.ending);
        }
        if again.is_empty() {
            if progress.spent.shard_count > 0 {
                progress.ending.add(Mark::Repaired);
            }
            progress.ending.add(if is_damaged { Mark::DamageLeft } else { Mark::Failed });
            let failed: Vec<ShardName> =
                failures.iter().map(|failure| failure.shard.clone()).collect();
            self.note(&format!(
                "no progress with {}: no other round helps; stopping here",
                names(&failed)
            ));
        }
        let is_new = again.iter().any(|shard| shard.plan().is_some());
        let verdict = if is_new { RoundVerdict::NewDamage } else { RoundVerdict::StillDown };
        RoundDone { again, ..self.round_ended(record, verdict) }
    }

    /// Gives shards with sound files another try, without a stop: the cluster answers.
    pub(super) fn retry(
        &mut self,
        surveyed: &[Surveyed],
        progress: &mut Progress,
    ) -> Result<(), SurveyError> {
        let sound = surveyed.iter().filter(|shard| matches!(shard.decision, Decision::Sound));
        let folders: Vec<ShardFolder> = sound.map(|shard| shard.candidate.folder.clone()).collect();
        let log = Tail::at_end(self.log().as_ref())?;
        if let Some(Err(error)) = borrow(&mut self.health).map(HealthView::retry_failed) {
            let text = format!("the cluster does not take a retry: {error}");
            progress.ending.absorb(&self.failed(&text));
            return Ok(());
        }
        let limits = self.watch_limits(progress);
        let detail = format!("{} shards that were tried again, {}", folders.len(), waits(limits));
        self.stage(0, Stage::Watch, &detail);
        self.wait_for_sound(&folders, log, true, progress)
    }

    /// Waits for shards with sound files, with the node running. The cluster is asked to try again
    /// only where that `may_ask`.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) fn wait_for_sound(
        &mut self,
        folders: &[ShardFolder],
        mut log: Tail,
        may_ask: bool,
        progress: &mut Progress,
    ) -> Result<(), SurveyError> {
        let limits = self.watch_limits(progress);
        let must: Vec<ShardName> = folders.iter().map(|folder| folder.shard.clone()).collect();
        let end = Watch {
            round: 0,
            log: &mut log,
            health: borrow(&mut self.health),
            service: self.service,
            must: &must,
            folders,
            may_ask,
            rebuilds: Rebuilds::new(&BTreeSet::new(), None, limits),
            clock: self.clock,
            cancelled: self.cancelled,
            say: self.say,
        }
        .run()?;
        match end {
            Some(WatchEnd::Clean) => {}
            Some(WatchEnd::Failed(failures)) => {
                progress.ending.add(Mark::Failed);
                let failed: Vec<ShardName> =
                    failures.into_iter().map(|failure| failure.shard).collect();
                self.failed(&format!("still failing with sound files: {}", names(&failed)));
            }
            Some(WatchEnd::TimedOut { shards, is_moving }) => {
                progress.ending.add(Mark::Failed);
                self.overdue(&shards, is_moving);
            }
            Some(WatchEnd::NodeDied(why)) => {
                progress.ending.add(Mark::Failed);
                self.failed(&format!("the node ended: {why}; mend that and run again"));
            }
            None => progress.ending.add(Mark::Cancelled),
        }
        Ok(())
    }
}

/// Whether another round could do something: repair it, or start it again where what it failed
/// over may pass.
fn can_be_helped(shard: &Surveyed) -> bool {
    let cause = shard.candidate.finding.as_ref().map(|finding| finding.cause);
    let passes =
        matches!(cause, Some(Cause::DiskFull | Cause::OpenFiles | Cause::LockHeld | Cause::Memory));
    match shard.decision {
        Decision::Repair(_) => true,
        Decision::Sound => passes,
        Decision::NotTheTranslog | Decision::Refused(_) | Decision::Unreadable(_) => false,
    }
}

/// Shards in a sentence.
pub(super) fn names(shards: &[ShardName]) -> String {
    let names: Vec<String> = shards.iter().map(ToString::to_string).collect();
    names.join(", ")
}
