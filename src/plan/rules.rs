//! Diagnosis -> plan or refusal: the rules that come before any repair.

use std::path::PathBuf;

use serde::Serialize;

use super::chain::plan_chain;
use super::change::{Change, Piece};
use super::copies::{Way, allocate_stale_primary, check_loss, move_away, way};
use super::loss::Loss;
use super::policy::{Context, Copies, Fresh, Level, Policy};
use super::refusal::{Refusal, Rule};
use super::stream::plan_stream;
use crate::diagnose::{Diagnosis, Evidence, Judged, Verdict};
use crate::log::ShardName;

/// Room that is left free beside what a repair writes: names, journal blocks.
const RESERVE_BYTES: u64 = 64 * 1024;

/// What is done about a damaged copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Its files are repaired.
    Repair,
    /// It is moved away whole, and the server builds it anew from another copy.
    MoveAway,
}

/// The repair of one shard, before it is known where the quarantine is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The shard.
    #[serde(skip)]
    pub shard: ShardName,
    /// What is done.
    pub kind: Kind,
    /// Whether the server uses the copy only when it is told to, for it is not in sync.
    pub needs_reroute: bool,
    /// Where the copies are from which the server builds this one anew; empty for a repair.
    pub rebuilt_from: Vec<String>,
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
    check_context(shard, context)?;
    let drafts = |level| draft(shard, evidence, diagnosis, Policy { level, ..policy }, fresh);
    let way = way(shard, context, policy.healthy_copy)?;
    if let Way::MoveAway(rebuilt_from) = way {
        return move_away(shard, context, policy.level, rebuilt_from, &drafts);
    }
    let mut draft = drafts(policy.level)?;
    check_loss(shard, context, policy.healthy_copy, draft.loss.is_some())?;
    let needs_reroute = matches!(context.copies, Copies::Stale(_));
    if needs_reroute {
        draft.steps.push(allocate_stale_primary(shard, context.node.as_deref()));
    }
    if policy.level == Level::All && draft.loss.is_some() {
        return Err(loses(shard, &draft));
    }
    let space_bytes = space_bytes(&draft.changes);
    if space_bytes > 0 {
        let need_bytes = space_bytes.saturating_add(RESERVE_BYTES);
        check_space(shard, context, need_bytes, "make room on that file system and run again")?;
    }
    let alternatives = alternatives(Some(policy.level), &drafts);
    Ok(Plan {
        shard: shard.clone(),
        kind: Kind::Repair,
        needs_reroute,
        rebuilt_from: Vec::new(),
        level: policy.level,
        steps: draft.steps,
        changes: draft.changes,
        kept_operation_count: draft.kept_operation_count,
        loss: draft.loss,
        space_bytes,
        alternatives,
    })
}

/// What the levels would keep and lose, but for one of them.
pub(super) fn alternatives(
    but: Option<Level>,
    drafts: &dyn Fn(Level) -> Result<Draft, Refusal>,
) -> Vec<Alternative> {
    let levels = Level::ALL.into_iter().filter(|level| Some(*level) != but);
    levels.filter_map(|level| Alternative::of(level, &drafts(level).ok()?)).collect()
}

/// Refuses when a plan needs more room than there is.
pub(super) fn check_space(
    shard: &ShardName,
    context: &Context,
    need_bytes: u64,
    allow: &str,
) -> Result<(), Refusal> {
    match context.free_bytes {
        Some(free_bytes) if free_bytes < need_bytes => {
            let message = format!(
                "{shard} needs {need_bytes} bytes on its file system and {free_bytes} are free"
            );
            Err(Refusal::new(Rule::Space, message).unless(allow))
        }
        _ => Ok(()),
    }
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

fn check_context(shard: &ShardName, context: &Context) -> Result<(), Refusal> {
    if let Some(why) = &context.kept_elsewhere {
        let message = format!("{shard} is left alone: {why}");
        return Err(Refusal::new(Rule::DataElsewhere, message));
    }
    if !context.index_is_open {
        let message =
            format!("{shard} belongs to a closed or frozen index, whose translog must not change");
        return Err(Refusal::new(Rule::ClosedIndex, message)
            .unless("open (or unfreeze) the index, let the shard fail, and run again"));
    }
    Ok(())
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
