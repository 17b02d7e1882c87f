//! After a start: watching, and what the shards' standing means for the round.

use super::cluster_facts::ClusterFacts;
use super::ending::Mark;
use super::event::{Event, RoundVerdict, Stage};
use super::health::HealthView;
use super::job::{Job, Progress, borrow, request_of};
use super::nominate::from_findings;
use super::rebuild::Rebuilds;
use super::round::{Record, RoundEnd};
use super::standing::WatchEnd;
use super::survey::{Decision, SurveyError, Surveyed, survey};
use super::watch::watch;
use crate::log::{Finding, ShardName, Tail};
use crate::node::ShardFolder;

impl Job<'_> {
    pub(super) fn watch_round(
        &mut self,
        mut record: Record,
        log: &mut Tail,
        cluster: &ClusterFacts,
        progress: &mut Progress,
    ) -> Result<RoundEnd, SurveyError> {
        let limits = self.settings.limits;
        let waits =
            format!("the shards to start, at most {} s without one", limits.watch.as_secs());
        self.stage(record.number, Stage::Watch, &waits);
        let left = self.stale_primaries(&mut record, cluster, progress);
        let mut folders = progress.inventory.shards.clone();
        folders.retain(|folder| !left.contains(&folder.shard));
        let end = watch(
            log,
            borrow(&mut self.health),
            &record.waited_for,
            &folders,
            Rebuilds::new(&record.moved, cluster.local_node.as_deref(), limits),
            self.cancelled,
            self.say,
        )?;
        match end {
            None => {
                progress.ending.add(Mark::Cancelled);
                self.note("ended by a signal while waiting; the repair is done and the node runs");
                self.round_ended(record, RoundVerdict::TimedOut);
                Ok(RoundEnd::Over)
            }
            Some(WatchEnd::Clean) => {
                if progress.spent.shard_count > left.len() as u64 {
                    progress.ending.add(Mark::Repaired);
                }
                let verdict =
                    if left.is_empty() { RoundVerdict::Clean } else { RoundVerdict::StillDown };
                self.round_ended(record, verdict);
                Ok(RoundEnd::Over)
            }
            Some(WatchEnd::NodeDied(why)) => {
                progress.ending.add(Mark::Failed);
                self.failed(&format!("the node did not come up: {why}"));
                self.round_ended(record, RoundVerdict::StillDown);
                Ok(RoundEnd::Over)
            }
            Some(WatchEnd::TimedOut(shards))
                if shards.iter().all(|shard| record.moved.contains(shard)) =>
            {
                progress.ending.add(Mark::Repaired);
                progress.ending.add(Mark::PersonNeeded);
                let names: Vec<String> = shards.iter().map(ToString::to_string).collect();
                let run = progress.run.as_ref().map(|run| run.id().to_string());
                self.note(&format!(
                    "{}: moved away, and the copy in sync is not back; start the node that holds \
                     it and this one is built anew. If that node is gone for good, stop this one, \
                     take the run back with `es-translog-fix undo {}` and repair with \
                     --despite-healthy-copy",
                    names.join(", "),
                    run.unwrap_or_default()
                ));
                self.round_ended(record, RoundVerdict::TimedOut);
                Ok(RoundEnd::Over)
            }
            Some(WatchEnd::TimedOut(shards)) => {
                progress.ending.add(Mark::Failed);
                let names: Vec<String> = shards.iter().map(ToString::to_string).collect();
                let text = format!(
                    "neither started nor failed in time: {}; ask the cluster why with \
                     GET _cluster/allocation/explain",
                    names.join(", ")
                );
                self.failed(&text);
                self.round_ended(record, RoundVerdict::TimedOut);
                Ok(RoundEnd::Over)
            }
            Some(WatchEnd::Failed(failures)) => Ok(self.failed_again(record, &failures, progress)),
        }
    }

    /// Some shards failed after the start: another round if their bytes show new damage.
    fn failed_again(
        &mut self,
        record: Record,
        failures: &[Finding],
        progress: &mut Progress,
    ) -> RoundEnd {
        let findings = failures.to_vec();
        let mut refusals = Vec::new();
        let candidates = from_findings(findings, &progress.inventory, &mut refusals, self.say);
        let folders = candidates.iter().map(|candidate| &candidate.folder);
        let cluster = ClusterFacts::gather(borrow(&mut self.health), folders);
        let surveyed = survey(candidates, self.settings.policy, &cluster);
        let is_new = surveyed
            .iter()
            .any(|shard| shard.plan().is_some() && !record.repaired.contains(shard.shard()));
        if is_new {
            let request = request_of(&surveyed, 0);
            if let Err(refusal) = self.consent.ask(&request) {
                progress.ending.add(Mark::DamageLeft);
                self.refused(refusal).marks().for_each(|mark| progress.ending.add(mark));
                self.round_ended(record, RoundVerdict::NewDamage);
                return RoundEnd::Over;
            }
            let more = request.lost_operation_count;
            progress.accepted_operation_count =
                progress.accepted_operation_count.saturating_add(more);
            self.round_ended(record, RoundVerdict::NewDamage);
            return RoundEnd::Again(surveyed);
        }
        for shard in &surveyed {
            (self.say)(Event::Judged(Box::new(shard.report(record.number))));
        }
        if progress.spent.shard_count > 0 {
            progress.ending.add(Mark::Repaired);
        }
        let damaged = surveyed.iter().any(|shard| !matches!(shard.decision, Decision::Sound));
        progress.ending.add(if damaged { Mark::DamageLeft } else { Mark::Failed });
        let names: Vec<String> = failures.iter().map(|failure| failure.shard.to_string()).collect();
        self.note(&format!("no progress with {}; stopping here", names.join(", ")));
        self.round_ended(record, RoundVerdict::StillDown);
        RoundEnd::Over
    }

    /// Gives shards with sound files another try, without a stop: the cluster answers.
    pub(super) fn retry(
        &mut self,
        surveyed: &[Surveyed],
        progress: &mut Progress,
    ) -> Result<(), SurveyError> {
        let sound = surveyed.iter().filter(|shard| matches!(shard.decision, Decision::Sound));
        let folders: Vec<ShardFolder> = sound.map(|shard| shard.candidate.folder.clone()).collect();
        let mut log = Tail::at_end(self.log().as_ref())?;
        if let Some(Err(error)) = borrow(&mut self.health).map(HealthView::retry_failed) {
            let text = format!("the cluster does not take a retry: {error}");
            self.failed(&text).marks().for_each(|mark| progress.ending.add(mark));
            return Ok(());
        }
        let limits = self.settings.limits;
        self.stage(0, Stage::Watch, &format!("{} shards that were tried again", folders.len()));
        let health = borrow(&mut self.health);
        let must: Vec<ShardName> = folders.iter().map(|folder| folder.shard.clone()).collect();
        let end = watch(
            &mut log,
            health,
            &must,
            &folders,
            Rebuilds::new(&[], None, limits),
            self.cancelled,
            self.say,
        )?;
        match end {
            Some(WatchEnd::Clean) => {}
            Some(WatchEnd::Failed(failures)) => {
                progress.ending.add(Mark::Failed);
                let names: Vec<String> =
                    failures.iter().map(|failure| failure.shard.to_string()).collect();
                let text = format!("still failing with sound files: {}", names.join(", "));
                self.failed(&text);
            }
            Some(WatchEnd::TimedOut(_) | WatchEnd::NodeDied(_)) => {
                progress.ending.add(Mark::Failed);
                self.failed("the shards neither started nor failed in time");
            }
            None => progress.ending.add(Mark::Cancelled),
        }
        Ok(())
    }
}
