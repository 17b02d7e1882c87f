//! Recognises what failed starts of 2.x leave behind: generations that repeat earlier ones.
//!
//! A replay that fails has by then written every operation before the bad one into a new
//! generation, once a try (observed on 2.4.6: 390 generations in 40 seconds).
//! Nothing that a client wrote can be in them: the shard never started.

use std::path::{Path, PathBuf};

use super::evidence::{Evidence, TranslogFile};
use super::family::Family;
use super::listed::Listed;
use super::read::ReadError;
use super::source::FileSource;
use crate::format::{Framing, Item, Operation, OperationKind, Record, Records, Span, same_bytes};

/// A stretch of a file.
struct Part<'a> {
    path: &'a Path,
    framing: Framing,
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
    let damaged = evidence.translogs.range(first..).find(|(_, file)| file.walk.stops_a_replay());
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

/// Whether every operation of `copy` is in the originals, in the same order.
fn is_repeated(copy: &Part, originals: &[Part]) -> Result<bool, ReadError> {
    let reader = Reader::open(copy)?;
    let mut wanted_records = reader.records();
    let originals = originals.iter().map(Reader::open).collect::<Result<Vec<_>, _>>()?;
    let mut rest = originals.iter().map(|original| (original, original.records()));
    let mut current = rest.next();
    while let Some(wanted) = reader.next(&mut wanted_records)? {
        loop {
            let Some((original, records)) = &mut current else { return Ok(false) };
            if original.find(records, &reader, &wanted)? {
                break;
            }
            current = rest.next();
        }
    }
    Ok(true)
}

/// The whole records of one file.
struct Reader {
    path: PathBuf,
    source: FileSource,
    framing: Framing,
    from_offset: u64,
    to_offset: u64,
}

impl Reader {
    fn open(part: &Part) -> Result<Self, ReadError> {
        let source = FileSource::open_in_shard(part.path)
            .map_err(|source| ReadError { path: part.path.to_path_buf(), source })?;
        Ok(Self {
            path: part.path.to_path_buf(),
            source,
            framing: part.framing,
            from_offset: part.from_offset,
            to_offset: part.to_offset,
        })
    }

    fn records(&self) -> Records<'_, FileSource> {
        Records::new(&self.source, self.framing, self.from_offset, self.to_offset)
    }

    fn next(&self, records: &mut Records<FileSource>) -> Result<Option<Record>, ReadError> {
        match records.next_item() {
            Ok(Item::Record(record)) => Ok(Some(record)),
            Ok(Item::Bad(_) | Item::End { .. }) => Ok(None),
            Err(source) => Err(ReadError { path: self.path.clone(), source }),
        }
    }

    /// Reads on to a record that says the same; false when there is none.
    fn find(
        &self,
        records: &mut Records<FileSource>,
        copies: &Self,
        wanted: &Record,
    ) -> Result<bool, ReadError> {
        while let Some(record) = self.next(records)? {
            if is_same(&record.operation, &wanted.operation)
                && self.same_source(record.operation.source, copies, wanted.operation.source)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn same_source(
        &self,
        ours: Option<Span>,
        copies: &Self,
        theirs: Option<Span>,
    ) -> Result<bool, ReadError> {
        let (Some(ours), Some(theirs)) = (ours, theirs) else { return Ok(ours == theirs) };
        let (from, copy) = ((&self.source, ours.offset), (&copies.source, theirs.offset));
        same_bytes(from, copy, ours.len_bytes)
            .map_err(|source| ReadError { path: self.path.clone(), source })
    }
}

/// A replay writes an operation again with another version type and time stamp, and CREATE as
/// INDEX; the document and its version stay (observed on 1.7.6 and 2.4.6).
fn is_same(a: &Operation, b: &Operation) -> bool {
    let kind = |operation: &Operation| match operation.kind {
        OperationKind::Create => OperationKind::Index,
        other => other,
    };
    let length = |operation: &Operation| operation.source.map(|source| source.len_bytes);
    kind(a) == kind(b)
        && a.id == b.id
        && a.doc_type == b.doc_type
        && a.routing == b.routing
        && a.version == b.version
        && length(a) == length(b)
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
        framing: file.walk.framing,
        from_offset: file.walk.from_offset,
        to_offset: file.walk.whole.end_offset,
    }
}
