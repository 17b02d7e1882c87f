//! Judges what stands at the beginning of a generation's translog.

use super::chain::CommitView;
use super::evidence::TranslogFile;
use super::generation::{HeaderState, JudgedGeneration};
use super::problem::{Code, Problem};
use crate::format::{Corrected, Unreadable};

/// Characters in which a UUID without a checksum may differ before it is another shard's.
const UUID_FLIPS_MAX: usize = 2;

pub(super) fn judge_header(
    file: &TranslogFile,
    commit: CommitView,
    problems: &mut Vec<Problem>,
) -> HeaderState {
    if let Some(Corrected { value, offset, bit }) = &file.corrected_header
        && value.uuid.as_deref() == Some(commit.uuid)
    {
        let message =
            format!("bit {bit} of the byte at {offset} of the header flipped, which can be undone");
        problems.push(Problem::new(Code::TranslogHeader, &file.path, message).at(*offset));
        return HeaderState::Corrected(value.clone());
    }
    let header = match &file.header {
        Ok(Some(header)) => header,
        Ok(None) => {
            let what = if file.len_bytes == 0 { "the file is empty" } else { "no header" };
            problems.push(Problem::new(Code::TranslogHeader, &file.path, what).at(0));
            return HeaderState::Damaged;
        }
        Err(Unreadable::Newer(what)) => {
            problems.push(Problem::new(Code::TranslogNewer, &file.path, what.clone()).at(0));
            return HeaderState::Damaged;
        }
        Err(Unreadable::Damaged(defect)) => {
            let problem = Problem::new(Code::TranslogHeader, &file.path, defect.to_string());
            problems.push(problem.at(defect.offset));
            return HeaderState::Damaged;
        }
    };
    let uuid = header.uuid.as_deref().unwrap_or("");
    if uuid == commit.uuid {
        return HeaderState::Sound(header.clone());
    }
    let message = format!("UUID {} expected, {} found", commit.uuid, uuid.escape_debug());
    // Without the CRC of version 3 a flipped bit shows as another UUID.
    let checked = header.primary_term.is_some();
    let code = if !checked && is_nearly(uuid, commit.uuid) {
        Code::TranslogHeader
    } else {
        Code::TranslogForeign
    };
    problems.push(Problem::new(code, &file.path, message));
    HeaderState::Damaged
}

/// Whether a UUID is the right one but for flipped bits, in it or in its length.
fn is_nearly(found: &str, expected: &str) -> bool {
    if found.len() != expected.len() {
        return found.starts_with(expected) || expected.starts_with(found);
    }
    let differing = found.bytes().zip(expected.bytes()).filter(|(a, b)| a != b).count();
    differing <= UUID_FLIPS_MAX
}

/// A server refuses an operation with a later term than the header's, unless that is 0
/// (`BaseTranslogReader.read`, 6.4 to 8.x).
pub(super) fn judge_term(
    file: &TranslogFile,
    judged: &mut JudgedGeneration,
    problems: &mut Vec<Problem>,
) {
    let HeaderState::Sound(header) = &judged.header else { return };
    let term = header.primary_term.filter(|term| *term > 0);
    let read = file.walk.counted.as_ref().unwrap_or(&file.walk.whole);
    let highest = read.max_primary_term;
    if let Some(term) = term.filter(|term| judged.replayed && highest > *term) {
        let message = format!("term {term} in the header, {highest} in a record");
        problems.push(Problem::new(Code::RecordTerm, &file.path, message).at(0));
        judged.header = HeaderState::Damaged;
    }
}
