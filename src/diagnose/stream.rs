//! Judges the translog of 0.20 to 1.7: one stream of records, in up to three files.
//!
//! A start renames `translog-<id>` to `.recovering`, replays that alone, and throws away what
//! else is there. A stop in the middle of it can leave a commit that names the next id and a
//! `.recovering` of the old one that no start looks at again (observed on 1.7.6), so every file
//! is judged.

use std::path::PathBuf;

use super::evidence::{Evidence, StreamFile};
use super::problem::{Code, Problem, Severity};
use super::record_problems::{bad_record, healed_records};
use super::salvage::Stretch;
use super::tally::Tally;
use crate::format::{Fix, HeaderVersion, TranslogHeader, Unreadable};

/// A file whose whole records stay.
#[derive(Debug, Clone)]
pub struct StreamPart {
    /// The file.
    pub path: PathBuf,
    /// Offset at which its records begin.
    pub from_offset: u64,
    /// The records up to the first one that cannot be read.
    pub kept: Tally,
    /// Runs of whole records behind that.
    pub behind: Vec<Stretch>,
    /// Bits to flip back in all of them, in file order.
    pub fixes: Vec<Fix>,
    /// Whether a record is bad behind `kept`.
    pub is_cut: bool,
}

/// The files of one shard's stream, judged.
#[derive(Debug, Clone)]
pub struct Stream {
    /// The commit's `translog_id`.
    pub id: u64,
    /// The header of the stream that is written: `None` before 1.4.
    pub header: Option<TranslogHeader>,
    /// Files with records, in the order in which they were written.
    pub parts: Vec<StreamPart>,
}

/// Judges the stream of a shard. `None` when there is no commit id to go by.
pub(super) fn judge_stream(evidence: &Evidence, problems: &mut Vec<Problem>) -> Option<Stream> {
    let id = evidence.commit_number("translog_id").and_then(|id| u64::try_from(id).ok())?;
    let read = server_reads(evidence, id);
    if evidence.streams.is_empty() {
        let folder = evidence.translog_folders.first().cloned().unwrap_or_default();
        let message = format!("no translog-{id} in it; the commit holds all that can be found");
        problems.push(Problem::new(Code::StreamEmpty, folder, message));
    }
    let mut parts = Vec::new();
    let mut header = None;
    for stream in in_order(evidence, id, read.is_none()) {
        let is_read = read.is_some_and(|read| read.file.path == stream.file.path);
        header = header.or_else(|| header_of(stream, is_read, problems));
        if stream.file.copies_earlier {
            continue;
        }
        if stream.file.walk.bad.is_some() {
            problems.push(as_read(bad_record(&stream.file), is_read));
        }
        if let Some(offset) = stream.file.walk.odd_size_offset {
            let message = "a size field is wrong, which its server does not read";
            problems.push(Problem::new(Code::SizeIgnored, &stream.file.path, message).at(offset));
        }
        let healed = healed_records(&stream.file);
        problems.extend(healed.map(|problem| as_read(problem, is_read)));
        let kept = stream.file.walk.whole.clone();
        if !is_read && kept.count > 0 {
            let message = format!("{} operations that the server would throw away", kept.count);
            problems.push(Problem::new(Code::StreamHidden, &stream.file.path, message));
        }
        if is_read && stream.file.len_bytes == 0 {
            let message = "empty; the commit holds all that can be found";
            problems.push(Problem::new(Code::StreamEmpty, &stream.file.path, message));
        }
        parts.push(StreamPart {
            path: stream.file.path.clone(),
            from_offset: stream.file.walk.from_offset,
            kept,
            behind: stream.file.walk.behind.clone(),
            fixes: stream.file.walk.healed.iter().map(|healed| healed.fix).collect(),
            is_cut: stream.file.walk.bad.is_some(),
        });
    }
    Some(Stream { id, header, parts })
}

/// Damage in a file that no start reads keeps no shard down.
fn as_read(problem: Problem, is_read: bool) -> Problem {
    if is_read { problem } else { problem.as_severe_as(Severity::Short) }
}

/// The one file a start replays: `.recovering` before the plain one.
fn server_reads(evidence: &Evidence, id: u64) -> Option<&StreamFile> {
    let of_id = || evidence.streams.iter().filter(|stream| stream.id == id);
    of_id().find(|stream| stream.recovering).or_else(|| of_id().next())
}

/// Files that can hold operations which are not in the commit, oldest first. A plain one of
/// another id is what a flush left, whose operations are in the commit or, of a later id, in the
/// current one too; where there is no current one it is all there is.
fn in_order(evidence: &Evidence, id: u64, has_none_of_id: bool) -> Vec<&StreamFile> {
    let is_wanted = |stream: &&StreamFile| {
        stream.id == id || (stream.recovering && stream.id < id) || stream.id > id || has_none_of_id
    };
    let mut streams: Vec<&StreamFile> = evidence.streams.iter().filter(is_wanted).collect();
    streams.sort_by_key(|stream| (stream.id, !stream.recovering, stream.file.path.clone()));
    streams
}

fn header_of(
    stream: &StreamFile,
    is_read: bool,
    problems: &mut Vec<Problem>,
) -> Option<TranslogHeader> {
    match &stream.file.header {
        Ok(header) => header.clone(),
        Err(Unreadable::Newer(what)) => {
            let problem = Problem::new(Code::TranslogNewer, &stream.file.path, what.clone());
            problems.push(problem.at(0));
            None
        }
        Err(Unreadable::Damaged(defect)) => {
            if is_read || stream.file.walk.whole.count > 0 {
                let problem =
                    Problem::new(Code::TranslogHeader, &stream.file.path, defect.to_string());
                problems.push(problem.at(defect.offset));
            }
            Some(TranslogHeader { version: HeaderVersion::V1, uuid: None, primary_term: None })
        }
    }
}
