//! Judges one generation: its header, its checkpoint against its records, and what of it stays.

use super::chain::CommitView;
use super::evidence::{Evidence, TranslogFile};
use super::family::Family;
use super::header::{judge_header, judge_term};
use super::problem::{Code, Problem, Severity};
use super::record_problems::{bad_record, healed_records, not_replayed, notes};
use super::salvage::Stretch;
use super::tally::Tally;
use super::walk::Walk;
use crate::format::{Checkpoint, Fix, TranslogHeader};

/// What stands at the beginning of a generation's translog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderState {
    /// A header that the server accepts.
    Sound(TranslogHeader),
    /// One that it does not accept, as it was before one bit of it flipped.
    Corrected(TranslogHeader),
    /// None that it accepts; the records behind it may still be whole.
    Damaged,
    /// The file is not there.
    Missing,
}

/// One generation, judged.
#[derive(Debug, Clone)]
pub struct JudgedGeneration {
    /// Its number.
    pub number: u64,
    /// Its header.
    pub header: HeaderState,
    /// Offset at which its records begin in the file as it is.
    pub from_offset: u64,
    /// The records up to the first one that cannot be read.
    pub kept: Tally,
    /// Runs of whole records behind that.
    pub behind: Vec<Stretch>,
    /// Bits to flip back in all of them, in file order.
    pub fixes: Vec<Fix>,
    /// How many operations that the server needs are not in `kept`; `None` where all are.
    pub missing_count: Option<u64>,
    /// How many of those are not in `behind` either.
    pub unreadable_count: u64,
    /// Its checkpoint, where it can be believed.
    pub checkpoint: Option<Checkpoint>,
    /// Whether its checkpoint has to be written anew.
    pub checkpoint_wrong: bool,
    /// Whether the server replays it; otherwise it only opens it.
    pub replayed: bool,
}

/// Judges generation `number` under the checkpoint that governs it.
pub(super) fn judge_generation(
    evidence: &Evidence,
    commit: CommitView,
    number: u64,
    last: u64,
    checkpoint: Option<&Checkpoint>,
    problems: &mut Vec<Problem>,
) -> JudgedGeneration {
    let Some(file) = evidence.translogs.get(&number) else {
        return judge_missing(evidence, commit, number, checkpoint, problems);
    };
    let mut judged = JudgedGeneration {
        number,
        header: judge_header(file, commit, problems),
        from_offset: file.walk.from_offset,
        kept: file.walk.whole.clone(),
        behind: Vec::new(),
        fixes: Vec::new(),
        missing_count: None,
        unreadable_count: 0,
        checkpoint: checkpoint.cloned(),
        checkpoint_wrong: checkpoint.is_none(),
        replayed: is_replayed(commit, number, checkpoint, Some(&file.walk)),
    };
    judge_term(file, &mut judged, problems);
    if judged.replayed {
        take_healed(file, &mut judged, problems);
    } else if !file.walk.healed.is_empty() {
        problems.push(not_replayed(file));
    }
    judge_records(file, checkpoint, commit, number == last, &mut judged, problems);
    judged
}

/// Records that one flipped bit damages are whole once that is flipped back.
fn take_healed(file: &TranslogFile, judged: &mut JudgedGeneration, problems: &mut Vec<Problem>) {
    judged.fixes = file.walk.healed.iter().map(|healed| healed.fix).collect();
    problems.extend(healed_records(file));
}

fn judge_missing(
    evidence: &Evidence,
    commit: CommitView,
    number: u64,
    checkpoint: Option<&Checkpoint>,
    problems: &mut Vec<Problem>,
) -> JudgedGeneration {
    let folder = evidence.translog_folders.first().cloned().unwrap_or_default();
    let path = folder.join(format!("translog-{number}.tlog"));
    problems.push(Problem::new(
        Code::TranslogMissing,
        path,
        format!("translog-{number}.tlog is not there"),
    ));
    let counted = checkpoint.map(|checkpoint| checkpoint.operation_count.max(0));
    let replayed = is_replayed(commit, number, checkpoint, None);
    let lost = replayed && counted != Some(0);
    let gone_count = counted.map_or(1, i32::unsigned_abs).into();
    JudgedGeneration {
        number,
        header: HeaderState::Missing,
        from_offset: 0,
        kept: Tally::empty_at(0),
        behind: Vec::new(),
        fixes: Vec::new(),
        missing_count: lost.then_some(gone_count),
        unreadable_count: if lost { gone_count } else { 0 },
        checkpoint: checkpoint.cloned(),
        checkpoint_wrong: true,
        replayed,
    }
}

/// Whether a start reads the records of a generation. Up to 7.6 it does from the commit's
/// generation on, later where its range of sequence numbers reaches above the local checkpoint.
fn is_replayed(
    commit: CommitView,
    number: u64,
    checkpoint: Option<&Checkpoint>,
    walk: Option<&Walk>,
) -> bool {
    if let Some(first) = commit.generation {
        return number >= first;
    }
    if commit.family == Family::Generations {
        return true;
    }
    let Some(checkpoint) = checkpoint else { return true };
    let highest = walk.map_or(-1, |walk| walk.whole.max_seq_no).max(checkpoint.max_seq_no);
    highest > commit.local_checkpoint
}

/// The records against the checkpoint: sets `kept`, `missing_count` and `checkpoint_wrong`.
fn judge_records(
    file: &TranslogFile,
    checkpoint: Option<&Checkpoint>,
    commit: CommitView,
    is_last: bool,
    judged: &mut JudgedGeneration,
    problems: &mut Vec<Problem>,
) {
    let walk = &file.walk;
    let Some(checkpoint) = checkpoint else {
        if walk.bad.is_some() && judged.replayed {
            problems.push(bad_record(file));
            judged.behind.clone_from(&walk.behind);
            judged.unreadable_count = (walk.listed.ranges.len() as u64).max(1);
            let readable = walk.salvaged().count.saturating_sub(walk.whole.count);
            judged.missing_count = Some(readable.saturating_add(judged.unreadable_count));
        }
        return;
    };
    if walk.is_cut() {
        return judge_cut(file, checkpoint, is_last, judged, problems);
    }
    let counted = walk.counted.clone().unwrap_or_else(|| walk.within().clone());
    let wrong = |code, message: String| Problem::new(code, checkpoint_path(file, is_last), message);
    if counted.end_offset > checkpoint.offset {
        let message = format!(
            "counts {} operations, which end at {}, and says they end at {}",
            counted.count, counted.end_offset, checkpoint.offset
        );
        problems.push(wrong(Code::CheckpointOffset, message));
        judged.checkpoint_wrong = true;
        judged.kept = counted;
        return;
    }
    let within = walk.within();
    let says_count = u64::try_from(checkpoint.operation_count).unwrap_or(0);
    if within.count > says_count && judged.replayed {
        let message = format!(
            "counts {} operations, and {} are there before its offset {}",
            checkpoint.operation_count, within.count, checkpoint.offset
        );
        problems.push(wrong(Code::CheckpointShort, message));
        judged.checkpoint_wrong = true;
        judged.kept = within.clone();
        return;
    }
    if judged.replayed && leaves_out(checkpoint, &counted) {
        let message = format!(
            "says sequence numbers {} to {}, and {} to {} are there",
            checkpoint.min_seq_no, checkpoint.max_seq_no, counted.min_seq_no, counted.max_seq_no
        );
        let problem = wrong(Code::CheckpointRange, message);
        // Up to 7.6 a start goes by generations and not by these (observed on 6.8.23). Later ones
        // leave a generation out as a whole, when its highest number says that all of it is in the
        // commit, and drop none of the operations of one that they open (observed on 7.17.28).
        if commit.generation.is_some() || checkpoint.max_seq_no > commit.local_checkpoint {
            problems.push(problem.as_severe_as(Severity::Note));
        } else {
            problems.push(problem);
            judged.checkpoint_wrong = true;
        }
    }
    notes(file, checkpoint, &counted, problems);
    judged.kept = counted;
}

fn checkpoint_path(file: &TranslogFile, is_last: bool) -> std::path::PathBuf {
    if is_last { file.path.with_file_name("translog.ckp") } else { file.path.with_extension("ckp") }
}

fn leaves_out(checkpoint: &Checkpoint, counted: &Tally) -> bool {
    checkpoint.form.has_seq_nos()
        && counted.max_seq_no >= 0
        && (checkpoint.max_seq_no < counted.max_seq_no
            || checkpoint.min_seq_no < 0
            || checkpoint.min_seq_no > counted.min_seq_no)
}

/// Fewer whole records than the checkpoint counts.
fn judge_cut(
    file: &TranslogFile,
    checkpoint: &Checkpoint,
    is_last: bool,
    judged: &mut JudgedGeneration,
    problems: &mut Vec<Problem>,
) {
    let walk = &file.walk;
    let says_count = u64::try_from(checkpoint.operation_count).unwrap_or(0);
    if walk.bad.is_none() && walk.whole.end_offset == checkpoint.offset {
        let message = format!(
            "counts {says_count} operations, and {} are there up to its offset {}",
            walk.whole.count, checkpoint.offset
        );
        let path = checkpoint_path(file, is_last);
        problems.push(Problem::new(Code::CheckpointLong, path, message));
        judged.checkpoint_wrong = true;
        return;
    }
    if !judged.replayed {
        problems.push(not_replayed(file));
        return;
    }
    problems.push(bad_record(file));
    judged.behind.clone_from(&walk.behind);
    judged.missing_count = Some(says_count.saturating_sub(walk.whole.count));
    judged.unreadable_count = says_count.saturating_sub(walk.salvaged().count);
    judged.checkpoint_wrong = true;
}
