//! Judges the generations of 2.0 and later: which the server opens, what each holds, what is
//! wrong with it, and what of it can stay.

use std::collections::BTreeMap;

use super::checkpoints::{copy_differs, folder, newest_checkpoint, own_checkpoint};
use super::evidence::{CheckpointFile, Evidence};
use super::family::Family;
use super::generation::{JudgedGeneration, judge_generation};
use super::problem::{Code, Problem};
use crate::format::Checkpoint;

/// Generations between the first and the last that are judged. The fullest real folder seen had
/// some 400; more means a number that cannot be right.
const GENERATIONS_MAX: u64 = 100_000;
/// Most of them that may have no file: more is a number that is damaged.
const MISSING_MAX: u64 = 1_000;
/// Commit format of Lucene 5.1 and 5.2, which 2.0 has; later 2.x have 6.
const FORMAT_OF_2_0: i32 = 5;

/// The generations that the server opens, judged.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Generations or sequence numbers.
    pub family: Family,
    /// The translog's UUID, from the commit.
    pub uuid: String,
    /// First generation the server opens.
    pub first: u64,
    /// Last one: the one it would go on writing behind.
    pub last: u64,
    /// Every generation from the first to the last.
    pub generations: BTreeMap<u64, JudgedGeneration>,
    /// What `translog.ckp` says, or said before one bit of it flipped.
    pub checkpoint: Option<Checkpoint>,
    /// What stands in for it where it cannot: the copy that a start made of it.
    pub stand_in: Option<Checkpoint>,
    /// Whether `translog.ckp` has to be written anew.
    pub checkpoint_lost: bool,
    /// Whether the copy `translog-<last>.ckp` has to go.
    pub copy_differs: bool,
}

/// What the server reads off the newest commit.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommitView<'a> {
    pub(super) family: Family,
    pub(super) uuid: &'a str,
    /// `translog_generation`; 7.7 and later do not write it.
    pub(super) generation: Option<u64>,
    /// Highest sequence number below which everything is in the commit; -1 before 6.0.
    pub(super) local_checkpoint: i64,
}

/// Judges the chain of a shard. Problems are added to `problems`; `None` when the chain cannot be
/// laid out at all (the reason is among the problems).
pub(super) fn judge_chain(
    evidence: &Evidence,
    family: Family,
    problems: &mut Vec<Problem>,
) -> Option<Chain> {
    let commit = CommitView {
        family,
        uuid: evidence.commit_text("translog_uuid")?,
        generation: evidence
            .commit_number("translog_generation")
            .and_then(|number| u64::try_from(number).ok()),
        local_checkpoint: evidence.commit_number("local_checkpoint").unwrap_or(-1),
    };
    let (checkpoint, checkpoint_lost) = newest_checkpoint(evidence, commit, problems);
    let last = match &checkpoint {
        Some(checkpoint) => checkpoint.generation,
        None => evidence.translogs.keys().next_back().copied().or(commit.generation).unwrap_or(1),
    };
    let copy = evidence.generation_checkpoints.get(&last);
    let copy_said = copy.and_then(CheckpointFile::believed);
    let stand_in =
        copy_said.filter(|copy| checkpoint.is_none() && copy.generation == last).cloned();
    let copy_differs = copy_differs(copy, checkpoint.as_ref(), problems);
    let first = first_generation(evidence, commit, checkpoint.as_ref().or(stand_in.as_ref()), last);
    if !is_plausible(evidence, first, last) {
        let message = format!("the generations {first} to {last} make no chain; left alone");
        problems.push(Problem::new(Code::ChainUnknown, folder(evidence), message));
        return None;
    }
    let mut generations = BTreeMap::new();
    for number in first..=last {
        let (governing, is_sound) = if number == last {
            (checkpoint.as_ref().or(stand_in.as_ref()), checkpoint.is_some())
        } else {
            own_checkpoint(evidence, number, problems)
        };
        let mut judged = judge_generation(evidence, commit, number, last, governing, problems);
        judged.checkpoint_wrong |= !is_sound;
        generations.insert(number, judged);
    }
    later_generations(evidence, last, problems);
    reused_numbers(evidence, &generations, problems);
    Some(Chain {
        family,
        uuid: commit.uuid.to_owned(),
        first,
        last,
        generations,
        checkpoint_lost,
        checkpoint,
        stand_in,
        copy_differs,
    })
}

/// Whether these can be the first and the last generation of a chain.
fn is_plausible(evidence: &Evidence, first: u64, last: u64) -> bool {
    let Some(behind_first) = last.checked_sub(first) else { return false };
    let present_count = evidence.translogs.range(first..=last).count() as u64;
    behind_first <= GENERATIONS_MAX && behind_first.saturating_sub(present_count) <= MISSING_MAX
}

/// First generation the server opens (Translog.recoverFromFiles, 2.4 to 8.x).
fn first_generation(
    evidence: &Evidence,
    commit: CommitView,
    checkpoint: Option<&Checkpoint>,
    last: u64,
) -> u64 {
    if commit.family == Family::Generations {
        return commit.generation.unwrap_or(last);
    }
    let said = checkpoint.and_then(|said| u64::try_from(said.min_translog_generation).ok());
    if let Some(first) = said {
        return first;
    }
    if checkpoint.is_some() && commit.generation.is_some() {
        return commit.generation.unwrap_or(last);
    }
    let mut first = last;
    while let Some(before) =
        first.checked_sub(1).filter(|before| evidence.translogs.contains_key(before))
    {
        first = before;
    }
    first
}

/// A server that started with a checkpoint that says too little has gone on, and given the numbers
/// of the operations that it dropped to others: bringing the dropped ones back would make two of
/// one number.
fn reused_numbers(
    evidence: &Evidence,
    generations: &BTreeMap<u64, JudgedGeneration>,
    problems: &mut Vec<Problem>,
) {
    for (number, judged) in generations {
        let is_short = judged.checkpoint.as_ref().is_some_and(|checkpoint| {
            let counted = u64::try_from(checkpoint.operation_count).unwrap_or(0);
            judged.replayed && counted < judged.kept.count
        });
        let later = || generations.range(number.saturating_add(1)..).map(|(_, later)| later);
        let is_reused = || later().any(|later| later.kept.seq_nos.meets(&judged.kept.seq_nos));
        if is_short && is_reused() {
            let path = folder(evidence).join(format!("translog-{number}.tlog"));
            let message = "its checkpoint counts too few operations, the server started without \
                           the others, and later ones have their sequence numbers; left alone";
            problems.push(Problem::new(Code::ChainUnknown, path, message));
        }
    }
}

/// Generations behind the last one: an interrupted roll leaves an empty one.
fn later_generations(evidence: &Evidence, last: u64, problems: &mut Vec<Problem>) {
    let Some(next) = last.checked_add(1) else { return };
    let commit = evidence.newest_commit().and_then(|file| file.commit.as_ref().ok());
    // Only the next one is in the way of a start, and 2.0 never removes it (observed on 2.0.2).
    let stays = commit.is_some_and(|commit| commit.format == FORMAT_OF_2_0);
    for (number, file) in evidence.translogs.range(next..) {
        let count = file.walk.whole.count;
        if count == 0 || file.copies_earlier {
            let message = format!("generation {number} is behind the last one, {last}");
            let is_in_the_way = stays && *number == next;
            let code = if is_in_the_way { Code::NextGenerationStays } else { Code::NextGeneration };
            problems.push(Problem::new(code, &file.path, message));
        } else {
            let message = format!(
                "holds {count} operations, and translog.ckp ends with generation {last}; left alone"
            );
            problems.push(Problem::new(Code::ChainUnknown, &file.path, message));
        }
    }
}
