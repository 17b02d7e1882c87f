//! One pass over the records of a translog: how many are whole, where the first bad one is, and
//! which whole ones come after it.

use std::io;

use serde::Serialize;

use super::seq_nos::SeqNoSet;
use crate::format::{
    BadRecord, Framing, Item, OperationKind, ReadAt, Record, Records, find_record,
};

/// Operations of one file that are listed one by one; more are only counted.
pub const LISTED_OPERATIONS_MAX: usize = 10_000;
/// Unreadable stretches of one file that are listed before the rest counts as one.
const RANGES_MAX: usize = 1_000;

/// What a checkpoint says of a translog: what the server reads of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Offset of the first byte that no longer counts.
    pub offset: u64,
    /// Number of operations the server reads; `None` where the checkpoint does not know.
    pub operation_count: Option<u64>,
}

/// Which whole records a walk lists one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// Those after the first bad record: what a cut there loses.
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

    fn add(&mut self, record: &Record) {
        self.count = self.count.saturating_add(1);
        self.end_offset = record.offset.saturating_add(record.len_bytes);
        if let Some(seq_no) = record.operation.seq_no.filter(|seq_no| *seq_no >= 0) {
            let lowest = if self.min_seq_no < 0 { seq_no } else { self.min_seq_no };
            self.min_seq_no = lowest.min(seq_no);
            self.max_seq_no = self.max_seq_no.max(seq_no);
            self.seq_nos.insert(seq_no);
        }
        let term = record.operation.primary_term.unwrap_or(0);
        self.max_primary_term = self.max_primary_term.max(term);
    }
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
}

impl Listed {
    /// Number of whole records, listed or not.
    #[must_use]
    pub fn readable_count(&self) -> u64 {
        let listed = self.operations.iter().filter(|operation| operation.readable).count();
        self.unlisted_count.saturating_add(listed as u64)
    }

    fn push(&mut self, operation: ListedOperation) {
        if self.operations.len() < LISTED_OPERATIONS_MAX {
            self.operations.push(operation);
        } else {
            self.unlisted_count = self.unlisted_count.saturating_add(1);
        }
    }

    fn push_range(&mut self, from_offset: u64, to_offset: u64) {
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

/// What one pass over a translog found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// Length of the file in bytes.
    pub len_bytes: u64,
    /// How records were told apart.
    pub framing: Framing,
    /// Where the records begin.
    pub from_offset: u64,
    /// What the checkpoint says of the file, where there is one.
    pub bound: Option<Bound>,
    /// Every whole record up to the first bad one or the end of the file.
    pub whole: Tally,
    /// The first of them, as many as the bound counts; `None` when there are fewer.
    pub counted: Option<Tally>,
    /// Those that end at or before the bound's offset, where some of `whole` do not.
    pub within: Option<Tally>,
    /// The first bad record. It is damage only where the server reads that far.
    pub bad: Option<BadRecord>,
    /// Whole records listed one by one, as the [`Listing`] asks.
    pub listed: Listed,
}

impl Walk {
    /// Whether records are missing that the server needs: it counts more than are whole, or,
    /// where nothing counts them, one is bad.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        match self.bound.and_then(|bound| bound.operation_count) {
            Some(_) => self.counted.is_none(),
            None => self.bad.is_some(),
        }
    }

    /// The whole records that end at or before the bound's offset.
    #[must_use]
    pub fn within(&self) -> &Tally {
        self.within.as_ref().unwrap_or(&self.whole)
    }
}

/// Walks the records of `source` from `from_offset` (behind the header) on.
///
/// Records after a bad one are looked for only when the server needs them: up to the bound's
/// offset, or to the end of the file without a bound.
///
/// # Errors
/// When the file cannot be read.
pub fn walk<R: ReadAt + ?Sized>(
    source: &R,
    framing: Framing,
    from_offset: u64,
    bound: Option<Bound>,
    listing: Listing,
) -> io::Result<Walk> {
    let len_bytes = source.len_bytes();
    let start = Tally::empty_at(from_offset.min(len_bytes));
    let wanted_count = bound.and_then(|bound| bound.operation_count);
    let mut walk = Walk {
        len_bytes,
        framing,
        from_offset,
        bound,
        counted: (wanted_count == Some(0)).then(|| start.clone()),
        within: None,
        whole: start,
        bad: None,
        listed: Listed::default(),
    };
    let mut records = Records::new(source, framing, from_offset, len_bytes);
    loop {
        match records.next_item()? {
            Item::Record(record) => {
                if listing == Listing::Everything && walk.counted.is_none() {
                    walk.listed.push(listed(&record));
                }
                let end_offset = record.offset.saturating_add(record.len_bytes);
                if walk.within.is_none() && bound.is_some_and(|bound| end_offset > bound.offset) {
                    walk.within = Some(walk.whole.clone());
                }
                walk.whole.add(&record);
                if wanted_count == Some(walk.whole.count) {
                    walk.counted = Some(walk.whole.clone());
                }
            }
            Item::Bad(bad) => {
                let needed = match wanted_count {
                    Some(_) => walk.counted.is_none(),
                    None => bound.is_none_or(|bound| bad.offset < bound.offset),
                };
                if needed {
                    let to_offset = bound.map_or(len_bytes, |bound| bound.offset.min(len_bytes));
                    list_after(source, framing, &bad, to_offset, &mut walk.listed)?;
                }
                walk.bad = Some(bad);
                return Ok(walk);
            }
            Item::End { .. } => return Ok(walk),
        }
    }
}

/// Lists what is whole after a bad record, up to `to_offset`.
fn list_after<R: ReadAt + ?Sized>(
    source: &R,
    framing: Framing,
    bad: &BadRecord,
    to_offset: u64,
    out: &mut Listed,
) -> io::Result<()> {
    if let Some(partial) = &bad.partial {
        out.push(ListedOperation {
            offset: bad.offset,
            length_bytes: 0,
            kind: partial.kind,
            id: partial.id.clone(),
            seq_no: partial.seq_no,
            readable: false,
        });
    }
    let mut gap_from = bad.offset;
    while let Some(next) =
        find_record(source, framing, gap_from.saturating_add(1), source.len_bytes())?
            .filter(|next| *next < to_offset)
    {
        out.push_range(gap_from, next);
        let mut records = Records::new(source, framing, next, source.len_bytes());
        gap_from = loop {
            match records.next_item()? {
                Item::Record(record) if record.offset < to_offset => out.push(listed(&record)),
                Item::Record(_) => return Ok(()),
                Item::Bad(bad) => break bad.offset,
                Item::End { offset } => break offset,
            }
        };
    }
    out.push_range(gap_from, to_offset);
    Ok(())
}

fn listed(record: &Record) -> ListedOperation {
    ListedOperation {
        offset: record.offset,
        length_bytes: record.len_bytes,
        kind: record.operation.kind,
        id: record.operation.id.clone(),
        seq_no: record.operation.seq_no,
        readable: true,
    }
}
