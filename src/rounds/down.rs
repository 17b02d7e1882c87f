//! What is not damaged and down all the same: shards that get another try, and what stands in the
//! way of a start.

use super::aftermath::names;
use super::before_start::{Remark, remarks};
use super::by_shard::ByShard;
use super::cluster_facts::ClusterFacts;
use super::ending::Mark;
use super::health::HealthView;
use super::job::{Job, Progress, borrow};
use super::recovering::Since;
use super::settings::Mode;
use super::start_facts::start_facts;
use super::survey::{Decision, Surveyed};
use crate::limit;
use crate::log::{BootCause, ShardName};
use crate::plan::{Refusal, Rule};
use crate::service::ServiceState;

impl Job<'_> {
    /// Shards with sound files that are down, and can be given another try now. With failures that
    /// are all from before a later start only those that this start has left down.
    pub(super) fn sound_but_down(
        &mut self,
        surveyed: &[Surveyed],
        cluster: &ClusterFacts,
        is_past: bool,
        progress: &mut Progress,
    ) -> u64 {
        let sound: Vec<&Surveyed> = surveyed
            .iter()
            .filter(|shard| matches!(shard.decision, Decision::Sound))
            .filter(|shard| shard.candidate.finding.is_some())
            .collect();
        if sound.is_empty() {
            return 0;
        }
        let copies = ByShard::of(&cluster.copies);
        let is_down = |shard: &&&Surveyed| {
            if is_past {
                return Since::of(shard.shard(), &copies) == Since::Down;
            }
            !cluster.answered || !copies.serves(shard.shard())
        };
        let mut down: Vec<ShardName> =
            sound.iter().filter(is_down).map(|shard| shard.shard().clone()).collect();
        if is_past && down.is_empty() {
            return 0;
        }
        if down.is_empty() {
            down = self.down_after_all(&sound);
        }
        if down.is_empty() {
            self.note("the shards with sound files are up; the failures in the log are past");
            return 0;
        }
        let names = names(&down);
        if let Err(why) = self.before_start(&down, progress) {
            self.note(&format!(
                "{names}: the files are sound; no repair helps, {why}; run again then"
            ));
            if self.settings.mode == Mode::Repair {
                progress.ending.add(Mark::PersonNeeded);
            }
            return 0;
        }
        let state = self.service.state().unwrap_or(ServiceState::Unknown("unknown".to_owned()));
        if !cluster.answered && matches!(state, ServiceState::Stopped | ServiceState::Unknown(_)) {
            self.note(&format!(
                "{names}: the files are sound and the service is stopped; start it when what the \
                 log names is mended"
            ));
            return 0;
        }
        self.note(&format!("{names}: the files are sound; they get another try and no repair"));
        down.len() as u64
    }

    /// Shards that the cluster calls up and at one of the next looks down. A master that has just
    /// been elected, as it is when a full disk has room again, answers from the state of before the
    /// failures until it has gone through them (seen on 8.19.0 and OpenSearch 2.19.1).
    fn down_after_all(&mut self, sound: &[&Surveyed]) -> Vec<ShardName> {
        for _ in 0..limit::LOOKS_AGAIN.count() {
            self.clock.sleep(self.settings.limits.poll);
            let Some(Ok(copies)) = borrow(&mut self.health).map(HealthView::copies) else {
                continue;
            };
            let copies = ByShard::of(&copies);
            let names = sound.iter().map(|shard| shard.shard());
            let down: Vec<ShardName> =
                names.filter(|shard| !copies.serves(shard)).cloned().collect();
            if !down.is_empty() {
                return down;
            }
        }
        Vec::new()
    }

    /// Whether the node died at its last start of something that can be seen to be mended, and its
    /// unit is in the state of a failure since: nobody has stopped it, so it gets another try.
    pub(super) fn is_start_mended(
        &mut self,
        cluster: &ClusterFacts,
        progress: &mut Progress,
    ) -> bool {
        let troubles = progress.last_start.troubles.clone();
        let Some(first) = troubles.first() else { return false };
        let is_seen = |cause| matches!(cause, BootCause::NoSpace | BootCause::MapCount { .. });
        let is_down = !cluster.answered
            && self.service.state().is_ok_and(|state| state == ServiceState::Failed);
        if !is_down || !troubles.iter().all(|trouble| is_seen(trouble.cause)) {
            return false;
        }
        if self.before_start(&[], progress).is_err() {
            return false;
        }
        self.note(&format!(
            "the last start failed: {}; that is mended, so it is started",
            first.line
        ));
        true
    }

    /// Goes through the checks before a start; what a person should know is said, each once.
    ///
    /// # Errors
    /// Why a start cannot work, and what to do.
    pub(super) fn before_start(
        &mut self,
        shards: &[ShardName],
        progress: &mut Progress,
    ) -> Result<(), String> {
        let last_start = &progress.last_start;
        let facts = start_facts(
            self.settings,
            &progress.inventory,
            shards,
            last_start.version.as_deref(),
            &last_start.troubles,
        );
        let mut blocking = Vec::new();
        for remark in remarks(&facts) {
            match remark {
                Remark::Blocks(text) => blocking.push(text),
                Remark::Says(text) => self.say_once(text, progress),
            }
        }
        if blocking.is_empty() { Ok(()) } else { Err(blocking.join("; ")) }
    }

    /// A node that serves other shards, or of which that is not known, is not taken down for a start
    /// that cannot work. One with a full disk has no master, and so tells nothing (seen on 8.19.0).
    ///
    /// # Errors
    /// The refusal.
    pub(super) fn check_before_stop(
        &mut self,
        surveyed: &[Surveyed],
        cluster: &ClusterFacts,
        progress: &mut Progress,
    ) -> Result<(), Refusal> {
        let ours: Vec<ShardName> = surveyed.iter().map(|shard| shard.shard().clone()).collect();
        let here = cluster.local_node.as_deref();
        let is_other = |shard: &ShardName| !ours.contains(shard);
        let serving = cluster.copies.iter().find(|copy| {
            copy.state.serves() && copy.node.as_deref() == here && is_other(&copy.shard)
        });
        let does = match serving {
            Some(serving) => format!("serves other shards, as {}", serving.shard),
            None if !cluster.answered && self.service.state().is_ok_and(|state| state.is_up()) => {
                "may serve other shards".to_owned()
            }
            None => return Ok(()),
        };
        let Err(why) = self.before_start(&ours, progress) else { return Ok(()) };
        let message = format!(
            "the node {does}, and is not stopped, because it could not be started again: {why}"
        );
        Err(Refusal::new(Rule::NoStart, message)
            .unless("do that and run again, or stop the node and say --service none"))
    }

    /// Says why the last start failed, where it did; whether it did.
    pub(super) fn tell_last_start(&mut self, progress: &mut Progress) -> bool {
        let troubles = progress.last_start.troubles.clone();
        if troubles.is_empty() {
            return false;
        }
        if let Err(why) = self.before_start(&[], progress) {
            self.say_once(why, progress);
        }
        true
    }

    fn say_once(&mut self, text: String, progress: &mut Progress) {
        if !progress.remarks.contains(&text) {
            self.note(&text);
            progress.remarks.insert(text);
        }
    }
}
