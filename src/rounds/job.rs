//! The main job: find, prove, plan, ask, and then rounds of stop, repair, start and watch.

use std::collections::BTreeSet;

use super::cluster_facts::ClusterFacts;
use super::consent::{Consent, Spent, request_of};
use super::ending::{Ending, Mark, mark_left};
use super::event::{Event, Stage};
use super::health::HealthView;
use super::nominate::{LastStart, Nominated, nominate};
use super::settings::{JobSettings, Mode};
use super::survey::{SurveyError, Surveyed, survey};
use crate::apply::{RunFolder, RunLock, StateDir, Store};
use crate::clock::Clock;
use crate::node::{Inventory, OtherNode};
use crate::plan::{Refusal, Rule};
use crate::service::Service;

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
    /// The time.
    pub clock: &'a dyn Clock,
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
    /// What the log tells of the last start.
    pub(super) last_start: LastStart,
    /// What was said before a start.
    pub(super) remarks: BTreeSet<String>,
    /// When the rounds began.
    pub(super) began_ms: u64,
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
        let Nominated { inventory, candidates, is_past, last_start, refusals } =
            nominate(self.settings, self.say)?;
        self.stage(0, Stage::Prove, &format!("reading {} shards", candidates.len()));
        let folders = candidates.iter().map(|candidate| &candidate.folder);
        let cluster = ClusterFacts::gather(borrow(&mut self.health), folders);
        let surveyed = survey(candidates, self.settings.policy, &cluster);
        let mut progress = Progress {
            inventory,
            run: None,
            spent: Spent::default(),
            accepted_operation_count: 0,
            ending: Ending::default(),
            other_nodes: Vec::new(),
            last_start,
            remarks: BTreeSet::new(),
            began_ms: self.clock.now_ms(),
        };
        for refusal in refusals {
            progress.ending.absorb(&self.refused(refusal));
        }
        for shard in &surveyed {
            (self.say)(Event::Judged(Box::new(shard.report(0))));
            mark_left(shard, &mut progress.ending);
        }
        self.tell_surroundings(&surveyed, &progress.inventory, &cluster);
        let is_damaged = surveyed.iter().any(|shard| shard.plan().is_some());
        let is_start_due = !is_damaged
            && (self.is_left_stopped(&state) || self.is_start_mended(&cluster, &mut progress));
        let down = if is_start_due {
            (surveyed.len() as u64).max(1)
        } else {
            self.sound_but_down(&surveyed, &cluster, is_past, &mut progress)
        };
        if self.settings.mode == Mode::DryRun || !(is_damaged || down > 0) {
            if is_past {
                self.wait_for_recovering(&surveyed, &cluster, &mut progress)?;
            }
            return Ok(self.nothing_done(is_damaged, progress));
        }
        let lock = match self.agree(&state, &surveyed, down) {
            Ok(lock) => lock,
            Err(refusal) => {
                if is_damaged {
                    progress.ending.add(Mark::DamageLeft);
                }
                progress.ending.absorb(&self.refused(refusal));
                return Ok(progress.ending);
            }
        };
        progress.accepted_operation_count = request_of(&surveyed, down).lost_operation_count;
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

    /// The end of a dry run, and where nothing is to be done.
    fn nothing_done(&mut self, is_damaged: bool, mut progress: Progress) -> Ending {
        let is_dry_run = self.settings.mode == Mode::DryRun;
        if is_damaged {
            progress.ending.add(Mark::DamageLeft);
        }
        if self.tell_last_start(&mut progress) && !is_dry_run {
            progress.ending.add(Mark::PersonNeeded);
        }
        progress.ending
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

    /// The same, of damage that is left by it.
    pub(super) fn leaves_damage(&mut self, refusal: Refusal, progress: &mut Progress) {
        progress.ending.add(Mark::DamageLeft);
        progress.ending.absorb(&self.refused(refusal));
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
