//! A run in one value, folded from its events.

use std::path::PathBuf;

use serde::Serialize;

use crate::diagnose::after;
use crate::log::{Cause, Role, ShardName};
use crate::node::OtherNode;
use crate::plan::Refusal;
use crate::rounds::{Event, RoundVerdict, ShardOutcome, ShardReport, StopReason};

/// A setting, its value, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingLine {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Where it came from.
    pub origin: String,
}

/// What the log says of a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingLine {
    /// Its index.
    pub index: String,
    /// Its number.
    pub shard: u32,
    /// The cause.
    pub cause: Cause,
    /// Which copy, where the log says so.
    pub role: Option<Role>,
    /// How often.
    pub count: u64,
    /// Stamp of the first record, as the log writes it.
    pub first_at: Option<String>,
    /// Stamp of the last one.
    pub last_at: Option<String>,
    /// One of the lines, made safe.
    pub line: String,
    /// What to do about it when the shard's files are sound.
    pub next_action: &'static str,
}

/// One round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoundLine {
    /// Its number, from 1.
    pub number: u32,
    /// When the service was stopped.
    pub stopped_at: Option<String>,
    /// When it was started.
    pub started_at: Option<String>,
    /// What was repaired.
    pub repaired: Vec<ShardName>,
    /// How it ended.
    pub verdict: RoundVerdict,
}

/// Why no other round was begun although shards fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoppedLine {
    /// Why.
    pub reason: StopReason,
    /// Why, in a sentence.
    pub text: String,
}

/// What was lost in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LossLine {
    /// Operations.
    pub operations: u64,
    /// Whether no checkpoint counts them: see [`crate::plan::Loss::is_estimate`].
    pub is_estimate: bool,
    /// Bytes of their records.
    pub bytes: u64,
}

/// A whole run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// The run's id, when it changed anything.
    pub run: Option<String>,
    /// Settings and where they came from.
    pub settings: Vec<SettingLine>,
    /// What the log names.
    pub findings: Vec<FindingLine>,
    /// Every shard that was judged: as it was repaired, else as it was seen last.
    pub shards: Vec<ShardReport>,
    /// Refusals that are not about one shard.
    pub refusals: Vec<Refusal>,
    /// The rounds.
    pub rounds: Vec<RoundLine>,
    /// Why there is no other one, where shards still fail.
    pub stopped: Option<StoppedLine>,
    /// What was lost by repairs that were done, or would be by those planned.
    pub loss: LossLine,
    /// Folders that hold what left the shards.
    pub quarantine: Vec<PathBuf>,
    /// Nodes that a server began below a data path during the run, as they were seen last.
    pub other_nodes: Vec<OtherNode>,
    /// Notes for a person.
    pub notes: Vec<String>,
    /// What went wrong.
    pub errors: Vec<String>,
}

impl Summary {
    /// Takes an event in.
    pub fn absorb(&mut self, event: &Event) {
        match event {
            Event::Setting { name, value, origin } => self.settings.push(SettingLine {
                name: (*name).to_owned(),
                value: value.clone(),
                origin: origin.clone(),
            }),
            Event::Found { index, shard, cause, role, count, first_at, last_at, line } => {
                self.findings.push(FindingLine {
                    index: index.clone(),
                    shard: *shard,
                    cause: *cause,
                    role: *role,
                    count: *count,
                    first_at: first_at.clone(),
                    last_at: last_at.clone(),
                    line: line.clone(),
                    next_action: after(*cause),
                });
            }
            Event::Judged(report) => self.judged(report),
            Event::Refused { refusal } => self.refusals.push(refusal.clone()),
            Event::RunBegun { id, .. } => self.run = Some(id.clone()),
            Event::Repaired { shard, .. } => self.outcome(shard, ShardOutcome::Repaired),
            Event::Up { shard, rebuilt: false } => self.outcome(shard, ShardOutcome::Started),
            Event::Up { shard, rebuilt: true } => self.outcome(shard, ShardOutcome::Rebuilt),
            Event::Failed { shard, .. } => self.outcome(shard, ShardOutcome::Failed),
            Event::Quarantined { paths } => self.quarantine.extend(paths.iter().cloned()),
            Event::RoundEnded { number, stopped_at, started_at, repaired, verdict } => {
                self.rounds.push(RoundLine {
                    number: *number,
                    stopped_at: stopped_at.clone(),
                    started_at: started_at.clone(),
                    repaired: repaired.clone(),
                    verdict: *verdict,
                });
            }
            Event::OtherNode { node } => {
                self.other_nodes.retain(|known| known.path != node.path);
                self.other_nodes.push(node.clone());
            }
            Event::Note { text } => self.notes.push(text.clone()),
            Event::Error { text } => self.errors.push(text.clone()),
            Event::Stopped { reason, text, .. } => {
                self.stopped = Some(StoppedLine { reason: *reason, text: text.clone() });
            }
            Event::LogRead { .. }
            | Event::NodeWide { .. }
            | Event::Stage { .. }
            | Event::Waiting { .. } => {}
        }
        self.loss = self.loss_of_plans();
    }

    /// The line that takes the run back, when it changed anything.
    #[must_use]
    pub fn undo(&self) -> Option<String> {
        self.run.as_ref().map(|id| format!("es-translog-fix undo {id}"))
    }

    /// A shard that was repaired keeps its plan; one seen again before that is seen anew.
    fn judged(&mut self, report: &ShardReport) {
        let open = self
            .shards
            .iter_mut()
            .find(|known| known.path == report.path && known.outcome != ShardOutcome::Repaired);
        match open {
            Some(known)
                if !matches!(known.outcome, ShardOutcome::Started | ShardOutcome::Rebuilt) =>
            {
                *known = report.clone();
            }
            Some(_) => {}
            None => self.shards.push(report.clone()),
        }
    }

    fn outcome(&mut self, shard: &ShardName, outcome: ShardOutcome) {
        let of_shard =
            |known: &&mut ShardReport| known.index == shard.index && known.shard == shard.number;
        for known in self.shards.iter_mut().filter(of_shard) {
            let was_touched = known.plan.is_some() || outcome == ShardOutcome::Failed;
            if was_touched {
                known.outcome = outcome;
            }
        }
    }

    fn loss_of_plans(&self) -> LossLine {
        let plans = self.shards.iter().filter_map(|shard| shard.plan.as_ref());
        plans.fold(LossLine::default(), |sum, plan| LossLine {
            operations: sum.operations.saturating_add(plan.loss.operation_count),
            is_estimate: sum.is_estimate || plan.loss.is_estimate,
            bytes: sum.bytes.saturating_add(plan.loss.bytes),
        })
    }
}
