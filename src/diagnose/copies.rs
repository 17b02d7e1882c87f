//! Recognises what failed starts of 2.x leave behind: generations that repeat earlier ones.
//!
//! A replay that fails has by then written every operation before the bad one into a new
//! generation, byte for byte, once a try (observed on 2.4.6: 390 generations in 40 seconds).
//! Nothing that a client wrote can be in them: the shard never started.

use std::path::Path;

use super::evidence::{Evidence, TranslogFile};
use super::family::Family;
use super::read::ReadError;
use super::source::FileSource;
use super::walk::Listed;
use crate::format::ReadAt;

const BLOCK_BYTES: usize = 64 * 1024;

/// A stretch of a file.
struct Part<'a> {
    path: &'a Path,
    from_offset: u64,
    to_offset: u64,
}

/// Sets `copies_earlier` on every generation behind the first damaged one that repeats the
/// operations before the damage.
pub(super) fn mark_copies(evidence: &mut Evidence) -> Result<(), ReadError> {
    if Family::of(evidence) != Some(Family::Generations) {
        return Ok(());
    }
    let first = evidence.commit_number("translog_generation").and_then(|n| u64::try_from(n).ok());
    let Some(first) = first else { return Ok(()) };
    let damaged = evidence.translogs.range(first..).find(|(_, file)| file.walk.is_cut());
    let Some((&damaged, _)) = damaged else { return Ok(()) };
    let originals: Vec<Part> =
        evidence.translogs.range(first..=damaged).map(|(_, file)| records_of(file)).collect();
    let mut copies = Vec::new();
    for (generation, file) in evidence.translogs.range(damaged.saturating_add(1)..) {
        if !file.walk.is_cut() && is_repeated(&records_of(file), &originals)? {
            copies.push(*generation);
        }
    }
    for generation in copies {
        if let Some(file) = evidence.translogs.get_mut(&generation) {
            file.copies_earlier = true;
            file.walk.listed = Listed::default();
        }
    }
    Ok(())
}

/// Whether the bytes of `copy` are the first bytes of the originals, one behind the other.
fn is_repeated(copy: &Part, originals: &[Part]) -> Result<bool, ReadError> {
    let fail = |path: &Path, source| ReadError { path: path.to_path_buf(), source };
    let source = FileSource::open(copy.path).map_err(|error| fail(copy.path, error))?;
    let mut offset = copy.from_offset;
    for part in originals {
        let original = FileSource::open(part.path).map_err(|error| fail(part.path, error))?;
        let mut at = part.from_offset;
        while at < part.to_offset && offset < copy.to_offset {
            let left = part.to_offset.saturating_sub(at).min(copy.to_offset.saturating_sub(offset));
            let length = usize::try_from(left).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
            let ours = block(&source, offset, length).map_err(|error| fail(copy.path, error))?;
            let theirs = block(&original, at, length).map_err(|error| fail(part.path, error))?;
            if ours != theirs || ours.len() != length {
                return Ok(false);
            }
            at = at.saturating_add(length as u64);
            offset = offset.saturating_add(length as u64);
        }
    }
    Ok(offset >= copy.to_offset)
}

fn block(source: &FileSource, offset: u64, length: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match source.read_at(offset.saturating_add(filled as u64), rest)? {
            0 => break,
            count => filled = filled.saturating_add(count),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// The same for the streams of 1.x: a start that was ended in the middle of a replay leaves a
/// `translog-<id>` with the first operations of `.recovering`.
pub(super) fn mark_stream_copies(evidence: &mut Evidence) -> Result<(), ReadError> {
    evidence.streams.sort_by_key(|stream| (stream.id, !stream.recovering));
    let mut copies = Vec::new();
    for (index, stream) in evidence.streams.iter().enumerate() {
        for earlier in evidence.streams.iter().take(index) {
            let repeats = stream.file.walk.whole.count > 0
                && is_repeated(&records_of(&stream.file), &[records_of(&earlier.file)])?;
            if repeats && !copies.contains(&index) {
                copies.push(index);
            }
        }
    }
    for index in copies {
        if let Some(stream) = evidence.streams.get_mut(index) {
            stream.file.copies_earlier = true;
        }
    }
    Ok(())
}

fn records_of(file: &TranslogFile) -> Part<'_> {
    Part {
        path: &file.path,
        from_offset: file.walk.from_offset,
        to_offset: file.walk.whole.end_offset,
    }
}
