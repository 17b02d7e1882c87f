//! What a repair loses: operations one by one where they can be read, stretches where not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::diagnose::{Evidence, Listed};
use crate::format::OperationKind;

/// A lost operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LostOperation {
    /// The file its record is in.
    pub file: PathBuf,
    /// Where its record begins, in bytes.
    pub offset: u64,
    /// Length of its record on disk; 0 where it is not known.
    pub length_bytes: u64,
    /// What it does.
    pub kind: OperationKind,
    /// The document.
    pub id: Option<String>,
    /// Its sequence number, from 6.0 on.
    pub seq_no: Option<i64>,
    /// Whether its checksum holds; where not, the other fields are a guess.
    pub readable: bool,
    /// Whether it is in the Lucene commit anyway, and so is not lost to the index.
    pub in_commit: bool,
    /// Whether an operation that is kept writes the same document later.
    pub overwritten: bool,
}

/// A stretch of a file in which no record can be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LostRange {
    /// The file.
    pub file: PathBuf,
    /// First byte.
    pub from_offset: u64,
    /// First byte behind it.
    pub to_offset: u64,
}

/// Everything a repair loses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// Operations that can be named, in file order.
    pub operations: Vec<LostOperation>,
    /// Readable operations beyond those listed.
    pub unlisted_count: u64,
    /// Stretches that cannot be read.
    pub ranges: Vec<LostRange>,
    /// Operations that cannot be read: as many as the checkpoint counts, else at least one a
    /// stretch.
    pub unreadable_count: u64,
    /// Operations lost to the index, readable or not; those in the commit are not counted.
    pub operation_count: u64,
    /// Whether no checkpoint counts them: a stretch that cannot be read, or a file that is gone, is
    /// taken for one operation, and a record that 1.x wrote twice counts twice.
    pub is_estimate: bool,
    /// Bytes of records that are no longer replayed.
    pub bytes: u64,
}

impl Loss {
    /// Whether anything is lost to the index.
    #[must_use]
    pub fn is_some(&self) -> bool {
        self.operation_count > 0
    }

    /// Marks what kept operations of the same files write again later.
    pub(super) fn mark_overwritten(&mut self, evidence: &Evidence) {
        let generations = evidence.translogs.values();
        let files = generations.chain(evidence.streams.iter().map(|stream| &stream.file));
        let mut last_writes: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
        let mut order: BTreeMap<&Path, usize> = BTreeMap::new();
        for (index, file) in files.enumerate() {
            order.insert(&file.path, index);
            for kept in file.walk.listed.operations.iter().filter(|kept| kept.readable) {
                if let Some(id) = &kept.id {
                    last_writes.insert(id, (index, kept.offset));
                }
            }
        }
        for lost in &mut self.operations {
            let place = order.get(lost.file.as_path()).map(|index| (*index, lost.offset));
            let last = lost.id.as_deref().and_then(|id| last_writes.get(id));
            lost.overwritten = place.zip(last).is_some_and(|(place, last)| place < *last);
        }
    }

    /// Adds operations that nothing names.
    pub(super) fn add_count(&mut self, count: u64) {
        self.operation_count = self.operation_count.saturating_add(count);
    }

    /// Adds what is listed of one file. `counted` is the number of operations that are gone,
    /// readable or not, where a checkpoint tells.
    pub(super) fn add(
        &mut self,
        file: &Path,
        listed: &Listed,
        counted: Option<u64>,
        local_checkpoint: i64,
    ) {
        let readable = listed.readable_count();
        let stretches = listed.ranges.len() as u64;
        let unreadable = counted
            .map_or(stretches, |counted| counted.saturating_sub(readable).max(stretches.min(1)));
        self.is_estimate |= counted.is_none() && stretches > 0;
        let in_commit =
            |seq_no: Option<i64>| seq_no.is_some_and(|seq_no| seq_no <= local_checkpoint);
        let safe = listed
            .operations
            .iter()
            .filter(|operation| operation.readable && in_commit(operation.seq_no))
            .count() as u64;
        self.unreadable_count = self.unreadable_count.saturating_add(unreadable);
        self.unlisted_count = self.unlisted_count.saturating_add(listed.unlisted_count);
        let gone = readable.saturating_sub(safe).saturating_add(unreadable);
        self.operation_count = self.operation_count.saturating_add(gone);
        for operation in &listed.operations {
            self.bytes = self.bytes.saturating_add(operation.length_bytes);
            self.operations.push(LostOperation {
                file: file.to_path_buf(),
                offset: operation.offset,
                length_bytes: operation.length_bytes,
                kind: operation.kind,
                id: operation.id.clone(),
                seq_no: operation.seq_no,
                readable: operation.readable,
                in_commit: operation.readable && in_commit(operation.seq_no),
                overwritten: false,
            });
        }
        for (from_offset, to_offset) in listed.ranges.iter().copied() {
            self.bytes = self.bytes.saturating_add(to_offset.saturating_sub(from_offset));
            self.ranges.push(LostRange { file: file.to_path_buf(), from_offset, to_offset });
        }
    }
}
