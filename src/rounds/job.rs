//! The main job: find, prove, plan, ask, and then rounds of stop, repair, start and watch.

use super::cluster_facts::ClusterFacts;
use super::consent::{Consent, Request, Spent};
use super::ending::{Ending, Mark};
use super::event::{Event, Stage};
use super::health::{HealthView, serves};
use super::nominate::{Nominated, nominate};
use super::round::RoundEnd;
use super::settings::{JobSettings, Mode};
use super::survey::{Decision, SurveyError, Surveyed, survey};
use crate::apply::{RunFolder, RunLock, StateDir, StateError, Store};
use crate::node::{Inventory, OtherNode, free_space};
use crate::plan::{Refusal, Rule};
use crate::service::{Service, ServiceState};

/// A node is not asked to try again with less than this part of its disk free, unless
/// `ROOM_BYTES` are.
const ROOM_PART: u64 = 20;
/// Enough room on a disk of any size.
const ROOM_BYTES: u64 = 1024 * 1024 * 1024;

/// The main job and everything it works with.
pub struct Job<'a> {
    /// What it is told.
    pub settings: &'a JobSettings,
    /// The node's service.
    pub service: &'a mut dyn Service,
    /// The cluster, when there is an address to ask.
    pub health: Option<&'a mut dyn HealthView>,
    /// Who is asked.
    pub consent: &'a mut dyn Consent,
    /// The disk.
    pub store: &'a mut dyn Store,
    /// Whether a signal asks to end.
    pub cancelled: &'a dyn Fn() -> bool,
    /// Who is told.
    pub say: &'a mut dyn FnMut(Event),
}

/// What rounds carry on from one to the next.
pub(super) struct Progress {
    pub(super) inventory: Inventory,
    pub(super) run: Option<RunFolder>,
    pub(super) spent: Spent,
    pub(super) accepted_operation_count: u64,
    pub(super) ending: Ending,
    /// Nodes that appeared meanwhile, as they were said last.
    pub(super) other_nodes: Vec<OtherNode>,
}

impl Job<'_> {
    /// Does the job.
    pub fn run(&mut self) -> Ending {
        let done = self.try_run();
        let mut ending = done.unwrap_or_else(|error| self.failed(&error.to_string()));
        self.flood_blocks(&mut ending);
        ending
    }

    fn try_run(&mut self) -> Result<Ending, SurveyError> {
        let state = StateDir::new(self.settings.state_dir.clone());
        if self.settings.mode == Mode::Repair
            && let Some(refusal) = self.unfinished_run(&state)
        {
            return Ok(self.refused(refusal));
        }
        self.stage(0, Stage::Find, "reading the log and the node's folders");
        let Nominated { inventory, candidates, is_past, refusals } =
            nominate(self.settings, self.say)?;
        self.stage(0, Stage::Prove, &format!("reading {} shards", candidates.len()));
        let folders = candidates.iter().map(|candidate| &candidate.folder);
        let cluster = ClusterFacts::gather(borrow(&mut self.health), folders);
        let surveyed = survey(candidates, self.settings.policy, &cluster);
        let mut ending = Ending::default();
        for refusal in refusals {
            ending = merge(ending, &self.refused(refusal));
        }
        for shard in &surveyed {
            (self.say)(Event::Judged(Box::new(shard.report(0))));
            mark_left(shard, &mut ending);
        }
        self.tell_surroundings(&surveyed, &inventory, &cluster);
        let down = if is_past { 0 } else { self.sound_but_down(&surveyed, &cluster) };
        let is_damaged = surveyed.iter().any(|shard| shard.plan().is_some());
        if self.settings.mode == Mode::DryRun {
            if is_damaged {
                ending.add(Mark::DamageLeft);
            }
            return Ok(ending);
        }
        if !is_damaged && down == 0 {
            return Ok(ending);
        }
        let lock = match self.agree(&state, &surveyed, down) {
            Ok(lock) => lock,
            Err(refusal) => {
                if is_damaged {
                    ending.add(Mark::DamageLeft);
                }
                return Ok(merge(ending, &self.refused(refusal)));
            }
        };
        let mut progress = Progress {
            inventory,
            run: None,
            spent: Spent::default(),
            accepted_operation_count: request_of(&surveyed, down).lost_operation_count,
            ending,
            other_nodes: Vec::new(),
        };
        let done = if is_damaged || !cluster.answered {
            self.rounds(&state, surveyed, &cluster, &mut progress)
        } else {
            self.retry(&surveyed, &mut progress)
        };
        self.is_other_node_running(&mut progress);
        done?;
        drop(lock);
        Ok(progress.ending)
    }

    fn unfinished_run(&mut self, state: &StateDir) -> Option<Refusal> {
        match state.unfinished_on(&self.settings.data_paths) {
            Ok(None) => None,
            Ok(Some(run)) => {
                // Another process may be at it right now.
                if let Err(error @ StateError::Busy { .. }) = state.lock(&self.settings.data_paths)
                {
                    return Some(Refusal::new(Rule::InUse, error.to_string()));
                }
                let id = &run.id;
                let message = format!("run {id} on this node was stopped before its end");
                Some(Refusal::new(Rule::UnfinishedRun, message).unless(format!(
                    "finish it with `es-translog-fix resume {id}` or take it back with \
                     `es-translog-fix undo {id}`"
                )))
            }
            Err(error) => Some(Refusal::new(Rule::UnfinishedRun, error.to_string())),
        }
    }

    /// Budget, consent and the lock of the run.
    fn agree(
        &mut self,
        state: &StateDir,
        surveyed: &[Surveyed],
        retry_count: u64,
    ) -> Result<RunLock, Refusal> {
        let request = request_of(surveyed, retry_count);
        self.settings.budget.check(Spent::default(), &request)?;
        self.consent.ask(&request)?;
        state
            .lock(&self.settings.data_paths)
            .map_err(|error| Refusal::new(Rule::InUse, error.to_string()))
    }

    /// Shards with sound files that are down, and can be given another try now.
    fn sound_but_down(&mut self, surveyed: &[Surveyed], cluster: &ClusterFacts) -> u64 {
        let sound: Vec<&Surveyed> = surveyed
            .iter()
            .filter(|shard| matches!(shard.decision, Decision::Sound))
            .filter(|shard| shard.candidate.finding.is_some())
            .collect();
        let Some(first) = sound.first() else { return 0 };
        let down: Vec<String> = sound
            .iter()
            .filter(|shard| !cluster.answered || !serves(shard.shard(), &cluster.copies))
            .map(|shard| shard.shard().to_string())
            .collect();
        if down.is_empty() {
            self.note("the shards with sound files are up; the failures in the log are past");
            return 0;
        }
        let names = down.join(", ");
        if let Some(why) = no_room(first) {
            self.note(&format!("{names}: the files are sound; no repair helps, {why}"));
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

    /// Rounds until every shard stands, nothing helps, or a limit is reached.
    fn rounds(
        &mut self,
        state: &StateDir,
        surveyed: Vec<Surveyed>,
        cluster: &ClusterFacts,
        progress: &mut Progress,
    ) -> Result<(), SurveyError> {
        let limits = self.settings.limits;
        let mut pause = limits.pause;
        let mut next = surveyed;
        for number in 1..=limits.rounds_max {
            match self.round(number, state, &next, cluster, progress)? {
                RoundEnd::Over => return Ok(()),
                RoundEnd::Again(again) => next = again,
            }
            if number == limits.rounds_max {
                break;
            }
            self.stage(
                number,
                Stage::Pause,
                &format!("{} s before the next round", pause.as_secs()),
            );
            std::thread::sleep(pause);
            pause = pause.saturating_mul(2).min(limits.pause_max);
        }
        self.note(&format!("{} rounds are done and shards still fail", limits.rounds_max));
        progress.ending.add(Mark::DamageLeft);
        Ok(())
    }

    pub(super) fn stage(&mut self, round: u32, stage: Stage, detail: &str) {
        (self.say)(Event::Stage { round, stage, detail: detail.to_owned() });
    }

    pub(super) fn note(&mut self, text: &str) {
        (self.say)(Event::Note { text: text.to_owned() });
    }

    pub(super) fn refused(&mut self, refusal: Refusal) -> Ending {
        (self.say)(Event::Refused { refusal });
        Ending::of(Mark::Refused)
    }

    pub(super) fn failed(&mut self, text: &str) -> Ending {
        (self.say)(Event::Error { text: text.to_owned() });
        Ending::of(Mark::Failed)
    }
}

/// The health view for one call.
pub(super) fn borrow<'a>(
    health: &'a mut Option<&mut dyn HealthView>,
) -> Option<&'a mut dyn HealthView> {
    match health {
        Some(health) => Some(&mut **health),
        None => None,
    }
}

pub(super) fn merge(mut ending: Ending, more: &Ending) -> Ending {
    more.marks().for_each(|mark| ending.add(mark));
    ending
}

/// What a repair of these shards asks for.
pub(super) fn request_of(surveyed: &[Surveyed], retry_count: u64) -> Request {
    let plans: Vec<_> = surveyed.iter().filter_map(Surveyed::plan).collect();
    Request {
        shard_count: plans.len() as u64,
        lost_operation_count: plans
            .iter()
            .fold(0, |sum: u64, plan| sum.saturating_add(plan.loss.operation_count)),
        lost_is_estimate: plans.iter().any(|plan| plan.loss.is_estimate),
        retry_count,
    }
}

/// Damage that this run will not mend.
pub(super) fn mark_left(shard: &Surveyed, ending: &mut Ending) {
    match &shard.decision {
        Decision::Refused(_) => {
            ending.add(Mark::Refused);
            ending.add(Mark::DamageLeft);
        }
        Decision::Unreadable(_) => {
            ending.add(Mark::Failed);
            ending.add(Mark::DamageLeft);
        }
        Decision::NotTheTranslog => ending.add(Mark::DamageLeft),
        Decision::Sound | Decision::Repair(_) => {}
    }
}

/// Why a start or another try would fail for lack of space.
fn no_room(shard: &Surveyed) -> Option<String> {
    let path = &shard.candidate.folder.path;
    let space = free_space(path).ok()?;
    let enough = space.free_bytes >= ROOM_BYTES
        || space.free_bytes.saturating_mul(ROOM_PART) >= space.total_bytes;
    (!enough).then(|| {
        format!(
            "{} of {} bytes are free on its file system; make room and run again",
            space.free_bytes, space.total_bytes
        )
    })
}
