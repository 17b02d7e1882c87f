//! What a run of whole records adds up to.

use super::seq_nos::SeqNoSet;
use crate::format::Brief;

/// What a run of whole records adds up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Number of records.
    pub count: u64,
    /// Offset behind the last of them.
    pub end_offset: u64,
    /// Lowest sequence number, -1 when there is none.
    pub min_seq_no: i64,
    /// Highest sequence number, -1 when there is none.
    pub max_seq_no: i64,
    /// Highest primary term, 0 when there is none.
    pub max_primary_term: i64,
    /// All sequence numbers.
    pub seq_nos: SeqNoSet,
}

impl Tally {
    /// No record, at this offset.
    #[must_use]
    pub fn empty_at(offset: u64) -> Self {
        Self {
            count: 0,
            end_offset: offset,
            min_seq_no: -1,
            max_seq_no: -1,
            max_primary_term: 0,
            seq_nos: SeqNoSet::default(),
        }
    }

    pub(super) fn add(&mut self, record: Brief) {
        self.count = self.count.saturating_add(1);
        self.end_offset = record.offset.saturating_add(record.len_bytes);
        if let Some(seq_no) = record.seq_no.filter(|seq_no| *seq_no >= 0) {
            let lowest = if self.min_seq_no < 0 { seq_no } else { self.min_seq_no };
            self.min_seq_no = lowest.min(seq_no);
            self.max_seq_no = self.max_seq_no.max(seq_no);
            self.seq_nos.insert(seq_no);
        }
        let term = record.primary_term.unwrap_or(0);
        self.max_primary_term = self.max_primary_term.max(term);
    }

    /// Both together, as if `behind` came right behind this one; its end is that of `behind`.
    #[must_use]
    pub fn joined(mut self, behind: &Self) -> Self {
        if behind.count == 0 {
            return self;
        }
        self.count = self.count.saturating_add(behind.count);
        self.end_offset = behind.end_offset;
        self.min_seq_no = match (self.min_seq_no, behind.min_seq_no) {
            (-1, min) | (min, -1) => min,
            (ours, theirs) => ours.min(theirs),
        };
        self.max_seq_no = self.max_seq_no.max(behind.max_seq_no);
        self.max_primary_term = self.max_primary_term.max(behind.max_primary_term);
        self.seq_nos.extend(&behind.seq_nos);
        self
    }
}
