//! What a run dropped: its plans name the records, its quarantine has the files, and its journal
//! what those held that were written anew in place.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::part::Part;
use crate::apply::{JournalError, KeptAt, KeptFile, RunFolder, RunState};
use crate::diagnose::{FileSource, framing_of};
use crate::format::{Framing, HEADER_MAX_BYTES, ReadAt, TranslogHeader};

/// Longest plan that is read; each lost operation of it takes some 200 bytes.
const PLAN_MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// Why the operations that a run dropped are not to be had.
#[derive(Debug, thiserror::Error)]
pub enum LostError {
    /// The run was taken back: the files are in their shards again.
    #[error("run {0} was undone: its files are in their shards again; export the shards")]
    Undone(String),
    /// A journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

#[derive(Deserialize)]
struct PlannedShard {
    index: String,
    shard: u32,
    #[serde(default)]
    plan: Option<PlannedRepair>,
}

#[derive(Deserialize)]
struct PlannedRepair {
    lost: PlannedLoss,
}

#[derive(Deserialize)]
struct PlannedLoss {
    operations: Vec<PlannedOperation>,
    #[serde(default)]
    unlisted_count: u64,
    #[serde(default)]
    ranges: Vec<PlannedRange>,
}

/// A stretch in which nothing could be read: it is told as a gap again.
#[derive(Deserialize)]
struct PlannedRange {
    file: PathBuf,
    from_offset: u64,
}

#[derive(Deserialize)]
struct PlannedOperation {
    file: PathBuf,
    offset: u64,
    readable: bool,
    in_commit: bool,
}

/// The parts of the kept files that hold what the run dropped and the commit does not have.
///
/// # Errors
/// When the run was undone, or a plan, a journal or a kept file cannot be read.
pub fn lost_parts(run: &RunFolder) -> Result<Vec<Part>, LostError> {
    if run.state() == RunState::Undone {
        return Err(LostError::Undone(run.id().to_string()));
    }
    let failed = |path: &Path, source| LostError::Read { path: path.to_path_buf(), source };
    let mut parts = Vec::new();
    let plan_files = run.plan_files().map_err(|error| failed(run.path(), error))?;
    for (plan_file, kept) in plan_files.iter().zip(run.kept_files()?) {
        let bytes = FileSource::open(plan_file)
            .and_then(|file| file.read_all(PLAN_MAX_BYTES))
            .map_err(|error| failed(plan_file, error))?;
        let shards: Vec<PlannedShard> =
            serde_json::from_slice(&bytes).map_err(|error| failed(plan_file, error.into()))?;
        for shard in &shards {
            parts.extend(parts_of_shard(shard, &kept)?);
        }
    }
    Ok(parts)
}

fn parts_of_shard(shard: &PlannedShard, kept: &[KeptFile]) -> Result<Vec<Part>, LostError> {
    let Some(plan) = &shard.plan else { return Ok(Vec::new()) };
    let mut by_file: BTreeMap<&Path, BTreeSet<u64>> = BTreeMap::new();
    // In the order in which they were written, which names of files do not tell.
    let mut files: Vec<&Path> = Vec::new();
    for operation in plan.lost.operations.iter().filter(|lost| lost.readable && !lost.in_commit) {
        if !files.contains(&operation.file.as_path()) {
            files.push(&operation.file);
        }
        by_file.entry(&operation.file).or_default().insert(operation.offset);
    }
    let mut gaps_from: BTreeMap<&Path, u64> = BTreeMap::new();
    for range in &plan.lost.ranges {
        if !files.contains(&range.file.as_path()) {
            files.push(&range.file);
        }
        gaps_from.entry(&range.file).or_insert(range.from_offset);
    }
    let mut parts = Vec::new();
    for file in files {
        let place = kept.iter().find(|kept| kept.file == file);
        let (path, content) = match place.map(|place| &place.kept) {
            Some(KeptAt::File(path)) => (path.clone(), None),
            Some(KeptAt::Journal(bytes)) => (file.to_path_buf(), Some(bytes.clone())),
            None => (file.to_path_buf(), None),
        };
        let offsets = by_file.remove(file).unwrap_or_default();
        let (framing, header_end) = header_of(&path, content.as_deref())?;
        let first = [offsets.first().copied(), gaps_from.get(file).copied()];
        let first = first.into_iter().flatten().min().unwrap_or(header_end);
        // A plan lists so many operations and counts the rest: then all from the first one on.
        let only = (plan.lost.unlisted_count == 0).then_some(offsets);
        parts.push(Part {
            index: shard.index.clone(),
            shard: shard.shard,
            path,
            content,
            framing,
            from_offset: first,
            bound: None,
            only,
            local_checkpoint: -1,
        });
    }
    Ok(parts)
}

/// How the records of a kept file are told apart, and where they begin.
fn header_of(path: &Path, content: Option<&[u8]>) -> Result<(Framing, u64), LostError> {
    let failed = |source| LostError::Read { path: path.to_path_buf(), source };
    let start = match content {
        Some(content) => content.bytes_at(0, HEADER_MAX_BYTES),
        None => FileSource::open_in_shard(path).and_then(|file| file.bytes_at(0, HEADER_MAX_BYTES)),
    };
    let start = start.map_err(failed)?;
    Ok(match TranslogHeader::decode(&start) {
        Ok(header) => {
            let end = header.as_ref().map_or(0, TranslogHeader::len_bytes);
            (framing_of(header.as_ref()), end)
        }
        Err(_) if path.extension().is_some_and(|extension| extension == "tlog") => {
            (Framing::Sized, 0)
        }
        Err(_) => (Framing::SizeIgnored, 0),
    })
}
