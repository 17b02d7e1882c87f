//! Records named one by one, for a plan, and the stretches in which none can be read.

use serde::Serialize;

use crate::format::{OperationKind, Record};

/// Operations of one file that are listed one by one; more are only counted.
pub const LISTED_OPERATIONS_MAX: usize = 10_000;
/// Unreadable stretches of one file that are listed before the rest counts as one.
const RANGES_MAX: usize = 1_000;

/// Which whole records a walk lists one by one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Listing {
    /// Those after the first bad record: what a cut there loses.
    #[default]
    AfterDamage,
    /// All of them: what an empty translog loses.
    Everything,
}

/// A whole record, as it is named in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedOperation {
    /// Where its record begins in the file, in bytes.
    pub offset: u64,
    /// Length of its record on the disk.
    pub length_bytes: u64,
    /// What it does.
    pub kind: OperationKind,
    /// The document it is about.
    pub id: Option<String>,
    /// Sequence number, where the format has one.
    pub seq_no: Option<i64>,
    /// Whether its checksum holds. Where it does not, the other fields are a guess.
    pub readable: bool,
}

/// Records listed one by one, and the stretches between them that cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    /// The first ones, in file order.
    pub operations: Vec<ListedOperation>,
    /// How many more there are than `operations` holds.
    pub unlisted_count: u64,
    /// Stretches in which no record can be read: first offset, and the first one behind it.
    pub ranges: Vec<(u64, u64)>,
    /// Unreadable stretches that hold no operation: zeros, or the beginning of a record which is
    /// whole further on, because a full disk cut its write short and it was done again.
    pub vain_ranges: Vec<(u64, u64)>,
}

impl Listed {
    /// Number of whole records, listed or not.
    #[must_use]
    pub fn readable_count(&self) -> u64 {
        let listed = self.operations.iter().filter(|operation| operation.readable).count();
        self.unlisted_count.saturating_add(listed as u64)
    }

    /// Only what is at or behind an offset.
    #[must_use]
    pub fn behind(&self, offset: u64) -> Self {
        let behind = self.operations.iter().filter(|operation| operation.offset >= offset);
        Self { operations: behind.cloned().collect(), ..self.clone() }
    }

    /// Only what cannot be read.
    #[must_use]
    pub fn unreadable(&self) -> Self {
        let unreadable = self.operations.iter().filter(|operation| !operation.readable);
        Self {
            operations: unreadable.cloned().collect(),
            unlisted_count: 0,
            ranges: self.ranges.clone(),
            vain_ranges: self.vain_ranges.clone(),
        }
    }

    pub(super) fn push(&mut self, operation: impl FnOnce() -> ListedOperation) {
        if self.operations.len() < LISTED_OPERATIONS_MAX {
            self.operations.push(operation());
        } else {
            self.unlisted_count = self.unlisted_count.saturating_add(1);
        }
    }

    /// Takes the last ones back: they are there a second time.
    pub(super) fn drop_last(&mut self, count: u64) {
        let unlisted_count = count.min(self.unlisted_count);
        self.unlisted_count = self.unlisted_count.saturating_sub(unlisted_count);
        let listed_count = usize::try_from(count.saturating_sub(unlisted_count));
        let kept_count = self.operations.len().saturating_sub(listed_count.unwrap_or(usize::MAX));
        self.operations.truncate(kept_count);
    }

    /// As [`Listed::push_range`], for a stretch with which nothing is lost.
    pub(super) fn push_vain(&mut self, from_offset: u64, to_offset: u64) {
        if self.vain_ranges.len() < RANGES_MAX {
            self.vain_ranges.push((from_offset, to_offset));
        }
    }

    pub(super) fn push_range(&mut self, from_offset: u64, to_offset: u64) {
        if to_offset <= from_offset {
            return;
        }
        if self.ranges.len() < RANGES_MAX {
            self.ranges.push((from_offset, to_offset));
        } else if let Some(last) = self.ranges.last_mut() {
            last.1 = to_offset;
        }
    }
}

impl ListedOperation {
    /// A whole record.
    pub(super) fn of(record: &Record) -> Self {
        Self {
            offset: record.offset,
            length_bytes: record.len_bytes,
            kind: record.operation.kind,
            id: record.operation.id.clone(),
            seq_no: record.operation.seq_no,
            readable: true,
        }
    }
}
