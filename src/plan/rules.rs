//! Diagnosis -> plan or refusal: the rules that come before any repair.

use std::path::PathBuf;

use serde::Serialize;

use super::chain::plan_chain;
use super::change::{Change, Piece};
use super::loss::Loss;
use super::policy::{Context, Copies, Fresh, HealthyCopyRule, Level, Policy};
use super::refusal::{Refusal, Rule};
use super::stream::plan_stream;
use crate::diagnose::{Diagnosis, Evidence, Judged, Verdict};
use crate::log::ShardName;

/// Room that is left free beside what a repair writes: names, journal blocks.
const RESERVE_BYTES: u64 = 64 * 1024;

/// The repair of one shard, before it is known where the quarantine is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The shard.
    #[serde(skip)]
    pub shard: ShardName,
    /// The level it keeps.
    pub level: Level,
    /// What it does, for a person, in order.
    pub steps: Vec<String>,
    /// What it changes.
    #[serde(skip)]
    pub changes: Vec<Change>,
    /// Operations that the next start replays.
    #[serde(rename = "kept_operations")]
    pub kept_operation_count: u64,
    /// What is lost.
    #[serde(rename = "lost")]
    pub loss: Loss,
    /// Bytes it writes beside the shard.
    pub space_bytes: u64,
    /// What the other levels would keep and lose.
    pub alternatives: Vec<Alternative>,
}

/// A plan in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) steps: Vec<String>,
    pub(super) changes: Vec<Change>,
    pub(super) kept_operation_count: u64,
    pub(super) loss: Loss,
}

/// Plans the repair of a shard that wants one.
///
/// # Errors
/// The refusal, when a rule of safety is against it.
pub fn plan(
    shard: &ShardName,
    evidence: &Evidence,
    diagnosis: &Diagnosis,
    context: &Context,
    policy: Policy,
    fresh: &Fresh,
) -> Result<Plan, Refusal> {
    check_verdict(shard, diagnosis, policy)?;
    check_context(shard, context, policy)?;
    let draft = draft(shard, evidence, diagnosis, policy, fresh)?;
    if policy.level == Level::All && draft.loss.is_some() {
        return Err(loses(shard, &draft));
    }
    let space_bytes = space_bytes(&draft.changes);
    if let Some(free_bytes) = context.free_bytes
        && space_bytes > 0
        && free_bytes < space_bytes.saturating_add(RESERVE_BYTES)
    {
        let message = format!(
            "{shard} needs {space_bytes} bytes on its file system and {free_bytes} are free"
        );
        return Err(Refusal::new(Rule::Space, message)
            .unless("make room on that file system and run again"));
    }
    let others = Level::ALL.into_iter().filter(|level| *level != policy.level);
    let alternatives = others
        .filter_map(|level| {
            let other = self::draft(shard, evidence, diagnosis, Policy { level, ..policy }, fresh);
            other.ok().and_then(|draft| Alternative::of(level, &draft))
        })
        .collect();
    Ok(Plan {
        shard: shard.clone(),
        level: policy.level,
        steps: draft.steps,
        changes: draft.changes,
        kept_operation_count: draft.kept_operation_count,
        loss: draft.loss,
        space_bytes,
        alternatives,
    })
}

fn draft(
    shard: &ShardName,
    evidence: &Evidence,
    diagnosis: &Diagnosis,
    policy: Policy,
    fresh: &Fresh,
) -> Result<Draft, Refusal> {
    let mut draft = match &diagnosis.judged {
        Judged::Chain(chain) => plan_chain(evidence, chain, policy, fresh)?,
        Judged::Stream(stream) => plan_stream(evidence, stream, policy.level)?,
        Judged::Nothing => return Err(not_understood(shard, "its translog could not be laid out")),
    };
    if matches!(policy.level, Level::All | Level::Valid) {
        draft.loss.mark_overwritten(evidence);
    }
    Ok(draft)
}

/// What would be kept and lost at another level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Alternative {
    /// The level.
    pub level: Level,
    /// Operations that the next start would replay.
    #[serde(rename = "kept_operations")]
    pub kept_operation_count: u64,
    /// Operations that would be lost.
    #[serde(rename = "lost_operations")]
    pub lost_operation_count: u64,
}

impl Alternative {
    /// `None` for a level that would refuse.
    fn of(level: Level, draft: &Draft) -> Option<Self> {
        if level == Level::All && draft.loss.is_some() {
            return None;
        }
        let lost_operation_count = draft.loss.operation_count;
        Some(Self { level, kept_operation_count: draft.kept_operation_count, lost_operation_count })
    }
}

fn loses(shard: &ShardName, draft: &Draft) -> Refusal {
    let message = format!(
        "{shard} cannot be repaired without losing {} operations, and --keep all loses none",
        draft.loss.operation_count
    );
    Refusal::new(Rule::Level, message).unless("say --keep valid to lose only what cannot be read")
}

fn not_understood(shard: &ShardName, why: &str) -> Refusal {
    Refusal::new(Rule::NotUnderstood, format!("{shard} is left alone: {why}"))
}

fn check_verdict(shard: &ShardName, diagnosis: &Diagnosis, policy: Policy) -> Result<(), Refusal> {
    let takes_more = policy.beyond_checkpoint && diagnosis.verdict == Verdict::Sound;
    if diagnosis.verdict.wants_repair() || takes_more {
        return Ok(());
    }
    let first = diagnosis.problems.first();
    let why = first.map_or_else(
        || diagnosis.verdict.text().to_owned(),
        |problem| format!("{} ({}): {}", problem.code, problem.file.display(), problem.message),
    );
    match diagnosis.verdict {
        Verdict::Unknown => Err(not_understood(shard, &why)),
        _ => Err(not_understood(shard, &format!("it wants no repair, {why}"))),
    }
}

fn check_context(shard: &ShardName, context: &Context, policy: Policy) -> Result<(), Refusal> {
    if let Some(why) = &context.kept_elsewhere {
        let message = format!("{shard} is left alone: {why}");
        return Err(Refusal::new(Rule::DataElsewhere, message));
    }
    if !context.index_is_open {
        let message = format!("{shard} belongs to a closed index, whose translog must not change");
        return Err(Refusal::new(Rule::ClosedIndex, message)
            .unless("open the index, let the shard fail, and run again"));
    }
    match (&context.copies, policy.healthy_copy) {
        (Copies::InSyncElsewhere(others), HealthyCopyRule::Refuse) => {
            let message = format!(
                "another in-sync copy of {shard} is known ({}), which is worth more than a repair \
                 that loses operations",
                others.join(", ")
            );
            Err(Refusal::new(Rule::HealthyCopy, message).unless(
                "start the node that holds it, or say --despite-healthy-copy to repair all the same",
            ))
        }
        (Copies::Stale, HealthyCopyRule::Refuse) => {
            let message = format!(
                "this copy of {shard} is not among the in-sync ones: the server would not use it, \
                 repaired or not"
            );
            Err(Refusal::new(Rule::StaleCopy, message)
                .unless("say --despite-healthy-copy to repair all the same"))
        }
        _ => Ok(()),
    }
}

/// Bytes that are written beside what is there. A new file that can have the room of one that
/// leaves takes none: with no byte free it is written in place.
fn space_bytes(changes: &[Change]) -> u64 {
    let leaves = |path: &PathBuf| changes.contains(&Change::MoveAway { path: path.clone() });
    let mut sum: u64 = 0;
    for change in changes {
        let Change::Write { path, content, like } = change else { continue };
        let is_bytes = content.iter().all(|piece| matches!(piece, Piece::Bytes(_)));
        if is_bytes && (leaves(path) || (like.parent() == path.parent() && leaves(like))) {
            continue;
        }
        for piece in content {
            let len_bytes = match piece {
                Piece::Bytes(bytes) => bytes.len() as u64,
                Piece::Range { from_offset, to_offset, .. } => {
                    to_offset.saturating_sub(*from_offset)
                }
            };
            sum = sum.saturating_add(len_bytes);
        }
    }
    sum
}
