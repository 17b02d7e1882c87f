//! What is said of the records of a translog: the bad ones, those that can be corrected, and what
//! is odd and no damage.

use super::evidence::TranslogFile;
use super::problem::{Code, Problem};
use super::tally::Tally;
use super::walk::Healed;
use crate::format::{BadKind, Checkpoint};

/// Corrected records of one file that are told one by one.
const HEALED_SHOWN_MAX: usize = 20;

/// The problems of the first records that can be corrected.
pub(super) fn healed_records(file: &TranslogFile) -> impl Iterator<Item = Problem> + '_ {
    file.walk.healed.iter().take(HEALED_SHOWN_MAX).map(|healed| {
        let Healed { fix, bad } = healed;
        let message = format!(
            "{}; it is bit {} of the byte at {} that flipped, which can be undone",
            bad.defect, fix.bit, fix.offset
        );
        Problem::new(code_of(bad.kind), &file.path, message).at(bad.offset)
    })
}

/// Damage that no start reads.
pub(super) fn not_replayed(file: &TranslogFile) -> Problem {
    let message =
        "records are damaged; all of them are in the commit, and the server does not read them";
    Problem::new(Code::NotReplayed, &file.path, message)
}

/// The problem of the first bad record, or of a file that ends early between two.
pub(super) fn bad_record(file: &TranslogFile) -> Problem {
    let walk = &file.walk;
    let kept = walk.whole.count;
    let Some(bad) = &walk.bad else {
        let message = format!("the file ends after {kept} whole records; more are counted");
        return Problem::new(Code::RecordTorn, &file.path, message).at(walk.whole.end_offset);
    };
    let message =
        format!("record {} (after {kept} whole ones): {}", kept.saturating_add(1), bad.defect);
    Problem::new(code_of(bad.kind), &file.path, message).at(bad.offset)
}

fn code_of(kind: BadKind) -> Code {
    match kind {
        BadKind::Torn => Code::RecordTorn,
        BadKind::SizeField => Code::RecordSize,
        BadKind::Checksum => Code::RecordChecksum,
        BadKind::Body => Code::RecordBody,
        BadKind::Newer => Code::TranslogNewer,
    }
}

/// What is odd about a translog that its server takes.
pub(super) fn notes(
    file: &TranslogFile,
    checkpoint: &Checkpoint,
    counted: &Tally,
    problems: &mut Vec<Problem>,
) {
    if file.copies_earlier && counted.count > 0 {
        let message = format!("{} operations repeat those of earlier generations", counted.count);
        problems.push(Problem::new(Code::Copies, &file.path, message));
    }
    if checkpoint.offset > file.len_bytes {
        let message = format!("offset {}, file of {} bytes", checkpoint.offset, file.len_bytes);
        problems.push(Problem::new(Code::OffsetPastEnd, &file.path, message));
    } else if checkpoint.offset < file.len_bytes {
        let whole = file.walk.whole.count.saturating_sub(counted.count);
        let bytes = file.len_bytes.saturating_sub(checkpoint.offset);
        let message =
            format!("{bytes} bytes behind the checkpoint's offset, {whole} whole records");
        problems.push(Problem::new(Code::Beyond, &file.path, message).at(checkpoint.offset));
    }
}
