//! Which checkpoints of a chain can be believed: `translog.ckp`, its copy, and those of closed
//! generations.

use super::chain::CommitView;
use super::evidence::{CheckpointFile, Evidence};
use super::problem::{Code, Problem};
use crate::format::{Checkpoint, CheckpointForm, Corrected, Unreadable};

/// Length of a checkpoint of 2.x.
const RAW_BYTES: u64 = 20;

/// `translog.ckp`, where it can be believed, and whether it has to be written anew.
pub(super) fn newest_checkpoint(
    evidence: &Evidence,
    commit: CommitView,
    problems: &mut Vec<Problem>,
) -> (Option<Checkpoint>, bool) {
    let Some(file) = &evidence.checkpoint else {
        let path = folder(evidence).join("translog.ckp");
        problems.push(Problem::new(Code::CheckpointMissing, path, "translog.ckp is not there"));
        return (None, true);
    };
    let checkpoint = match &file.checkpoint {
        Ok(checkpoint) => checkpoint,
        Err(unreadable) => {
            problems.push(unreadable_checkpoint(file, unreadable));
            return (file.believed().cloned(), true);
        }
    };
    // Only the 20-byte form of 2.x has no checksum: there a generation that does not exist is a
    // flipped bit, and not a translog that is gone.
    let plausible = evidence.translogs.contains_key(&checkpoint.generation)
        && commit.generation.is_none_or(|first| {
            first <= checkpoint.generation || !evidence.translogs.contains_key(&first)
        });
    if checkpoint.form == CheckpointForm::Raw && !plausible && !evidence.translogs.is_empty() {
        let message = format!(
            "the checkpoint names generation {}, which is not there (its 20 bytes have no checksum)",
            checkpoint.generation
        );
        problems.push(Problem::new(Code::CheckpointGeneration, &file.path, message).at(12));
        return (None, true);
    }
    if let Some((generation, why)) = other_generation(evidence, checkpoint) {
        let message = format!("names generation {}, {why}", checkpoint.generation);
        problems.push(Problem::new(Code::CheckpointGeneration, &file.path, message));
        return (Some(Checkpoint { generation, ..checkpoint.clone() }), true);
    }
    if checkpoint.form == CheckpointForm::Raw && file.len_bytes > RAW_BYTES {
        let message = format!("{} bytes; the server reads the first {RAW_BYTES}", file.len_bytes);
        problems.push(Problem::new(Code::CheckpointLonger, &file.path, message).at(RAW_BYTES));
    }
    (Some(checkpoint.clone()), false)
}

/// What the checkpoint of a closed generation says, and whether its file can stay.
pub(super) fn own_checkpoint<'a>(
    evidence: &'a Evidence,
    number: u64,
    problems: &mut Vec<Problem>,
) -> (Option<&'a Checkpoint>, bool) {
    let Some(file) = evidence.generation_checkpoints.get(&number) else {
        let path = folder(evidence).join(format!("translog-{number}.ckp"));
        let message = format!("translog-{number}.ckp is not there");
        problems.push(Problem::new(Code::CheckpointMissing, path, message));
        return (None, false);
    };
    match &file.checkpoint {
        Ok(checkpoint) if checkpoint.generation == number => (Some(checkpoint), true),
        Ok(checkpoint) => {
            let message =
                format!("names generation {} and not its own, {number}", checkpoint.generation);
            problems.push(Problem::new(Code::CheckpointGeneration, &file.path, message));
            (None, false)
        }
        Err(unreadable) => {
            problems.push(unreadable_checkpoint(file, unreadable));
            (file.believed().filter(|believed| believed.generation == number), false)
        }
    }
}

fn unreadable_checkpoint(file: &CheckpointFile, unreadable: &Unreadable) -> Problem {
    match unreadable {
        Unreadable::Newer(what) => Problem::new(Code::CheckpointNewer, &file.path, what.clone()),
        Unreadable::Damaged(_) if file.len_bytes == 0 => {
            Problem::new(Code::CheckpointUnreadable, &file.path, "the checkpoint is empty").at(0)
        }
        Unreadable::Damaged(defect) => {
            let message = match &file.corrected {
                Some(Corrected { offset, bit, .. }) => format!(
                    "{defect}; it is bit {bit} of the byte at {offset} that flipped, which can be \
                     undone"
                ),
                None => defect.to_string(),
            };
            Problem::new(Code::CheckpointUnreadable, &file.path, message).at(defect.offset)
        }
    }
}

/// A start compares `translog-<last>.ckp`, where there is one, with `translog.ckp`.
pub(super) fn copy_differs(
    copy: Option<&CheckpointFile>,
    checkpoint: Option<&Checkpoint>,
    problems: &mut Vec<Problem>,
) -> bool {
    let (Some(copy), Some(checkpoint)) = (copy, checkpoint) else { return false };
    let message = match &copy.checkpoint {
        Ok(said) if said.same_state(checkpoint) => return false,
        Ok(_) => "says something else than translog.ckp".to_owned(),
        Err(Unreadable::Newer(what)) => {
            problems.push(Problem::new(Code::CheckpointNewer, &copy.path, what.clone()));
            return false;
        }
        Err(Unreadable::Damaged(defect)) => format!("cannot be read, {defect}"),
    };
    problems.push(Problem::new(Code::CheckpointCopy, &copy.path, message));
    true
}

/// The generation that a checkpoint is of, where that is not the one it names, and how this shows.
fn other_generation(evidence: &Evidence, checkpoint: &Checkpoint) -> Option<(u64, String)> {
    let (newest, _) = evidence.translogs.last_key_value()?;
    if !evidence.translogs.contains_key(&checkpoint.generation) {
        let why = format!("which is not there, and says exactly what generation {newest} holds");
        return describes(evidence, checkpoint, *newest).then_some((*newest, why));
    }
    if !is_behind(evidence, checkpoint) {
        return None;
    }
    let next = checkpoint.generation.checked_add(1)?;
    if describes(evidence, checkpoint, next) {
        let why = format!(
            "whose own checkpoint ends before its numbers, and says exactly what generation {next} \
             holds"
        );
        return Some((next, why));
    }
    // 6.8 removes the generation behind the one that is named (observed on 6.2.4 and 6.8.23).
    let why = format!(
        "whose own checkpoint ends before its numbers: it is that of generation {next}, which is gone"
    );
    (*newest == checkpoint.generation).then_some((next, why))
}

/// Whether the generation that a checkpoint names is closed, and holds to the byte what its own
/// checkpoint says, while this one counts operations that come later.
fn is_behind(evidence: &Evidence, checkpoint: &Checkpoint) -> bool {
    let named = checkpoint.generation;
    let own = evidence.generation_checkpoints.get(&named);
    let Some(own) = own.and_then(|own| own.checkpoint.as_ref().ok()) else { return false };
    own.generation == named
        && own.form.has_seq_nos()
        && checkpoint.operation_count > 0
        && checkpoint.min_seq_no > own.max_seq_no
        && holds(evidence, own, named)
}

/// Whether a generation without a checkpoint of its own holds to the byte what a checkpoint says.
fn describes(evidence: &Evidence, checkpoint: &Checkpoint, number: u64) -> bool {
    checkpoint.operation_count > 0
        && !evidence.generation_checkpoints.contains_key(&number)
        && holds(evidence, checkpoint, number)
}

/// Whether count, end and sequence numbers of a generation are those of a checkpoint.
fn holds(evidence: &Evidence, checkpoint: &Checkpoint, number: u64) -> bool {
    let Some(file) = evidence.translogs.get(&number) else { return false };
    let whole = &file.walk.whole;
    u64::try_from(checkpoint.operation_count) == Ok(whole.count)
        && whole.end_offset == checkpoint.offset
        && file.walk.len_bytes == checkpoint.offset
        && (!checkpoint.form.has_seq_nos()
            || (whole.min_seq_no, whole.max_seq_no)
                == (checkpoint.min_seq_no, checkpoint.max_seq_no))
}

/// The folder of the translogs.
pub(super) fn folder(evidence: &Evidence) -> std::path::PathBuf {
    evidence.translog_folders.first().cloned().unwrap_or_default()
}
