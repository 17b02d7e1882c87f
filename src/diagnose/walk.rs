//! One pass over the records of a translog: how many are whole, where the first bad one is, and
//! which whole ones come after it.

use std::io;

use super::listed::{Listed, ListedOperation, Listing};
use super::salvage::{Stretch, salvage};
use super::tally::Tally;
use crate::format::{BadRecord, Brief, Fix, Framing, Item, ReadAt, Record, Records, heal_record};

/// Records of one file that are corrected before the next bad one counts as damage.
const HEALED_MAX: usize = 10_000;

/// What a checkpoint says of a translog: what the server reads of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Offset of the first byte that no longer counts.
    pub offset: u64,
    /// Number of operations the server reads; `None` where the checkpoint does not know.
    pub operation_count: Option<u64>,
}

/// A record that is whole once the one bit that flipped in it is flipped back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healed {
    /// The bit.
    pub fix: Fix,
    /// What is wrong with the record as it is.
    pub bad: BadRecord,
}

/// What one pass over a translog found. A record whose one flipped bit can be flipped back counts
/// as whole.
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
    /// Where the first record is whose size field is wrong although it is whole, up to 1.7.
    pub odd_size_offset: Option<u64>,
    /// Runs of whole records behind the first bad one, where the server needs them.
    pub behind: Vec<Stretch>,
    /// Records that are whole once corrected, in file order.
    pub healed: Vec<Healed>,
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

    /// Whether the server cannot read every record that it needs as the file is.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.is_cut() || !self.healed.is_empty()
    }

    /// Whether a replay fails before its end: at damage, or at a bound's offset inside a record.
    #[must_use]
    pub fn stops_a_replay(&self) -> bool {
        let ends_behind = |bound: Bound| {
            self.counted.as_ref().is_some_and(|counted| counted.end_offset > bound.offset)
        };
        self.is_damaged() || self.bound.is_some_and(ends_behind)
    }

    /// The whole records that end at or before the bound's offset.
    #[must_use]
    pub fn within(&self) -> &Tally {
        self.within.as_ref().unwrap_or(&self.whole)
    }

    /// Every whole record that the server needs, also behind the first bad one.
    #[must_use]
    pub fn salvaged(&self) -> Tally {
        self.behind.iter().fold(self.whole.clone(), |sum, stretch| sum.joined(&stretch.tally))
    }

    /// The record that a bad one is once its one flipped bit is flipped back: `records` go on
    /// behind it.
    pub(super) fn heal<R: ReadAt + ?Sized>(
        &mut self,
        source: &R,
        records: &mut Records<R>,
        bad: &BadRecord,
        to_offset: u64,
    ) -> io::Result<Option<Record>> {
        if self.healed.len() >= HEALED_MAX {
            return Ok(None);
        }
        let healed = heal_record(source, self.framing, bad.offset, to_offset)?;
        Ok(healed.map(|(record, fix)| {
            records.go_on_behind(&record);
            self.healed.push(Healed { fix, bad: bad.clone() });
            record
        }))
    }

    fn take(&mut self, record: &Record, listing: Listing) {
        if record.note.is_some() {
            self.odd_size_offset.get_or_insert(record.offset);
        }
        if listing == Listing::Everything && self.counted.is_none() {
            self.listed.push(|| ListedOperation::of(record));
        }
        self.count(record.brief());
    }

    fn count(&mut self, record: Brief) {
        let end_offset = record.offset.saturating_add(record.len_bytes);
        if self.within.is_none() && self.bound.is_some_and(|bound| end_offset > bound.offset) {
            self.within = Some(self.whole.clone());
        }
        self.whole.add(record);
        let wanted_count = self.bound.and_then(|bound| bound.operation_count);
        if wanted_count == Some(self.whole.count) {
            self.counted = Some(self.whole.clone());
        }
    }

    /// Whether the server reads as far as a bad record.
    fn needs(&self, bad: &BadRecord) -> bool {
        match self.bound {
            Some(Bound { operation_count: Some(_), .. }) => self.counted.is_none(),
            Some(bound) => bad.offset < bound.offset,
            None => true,
        }
    }
}

/// Walks the records of `source` from `from_offset` (behind the header) on.
///
/// A bad record that the server needs is corrected where one flipped bit explains it, and records
/// after one that cannot be are looked for up to the bound's offset, or to the end of the file
/// without a bound.
///
/// # Errors
/// When the file cannot be read.
pub fn walk<R: ReadAt + Sync + ?Sized>(
    source: &R,
    framing: Framing,
    from_offset: u64,
    bound: Option<Bound>,
    listing: Listing,
) -> io::Result<Walk> {
    let len_bytes = source.len_bytes();
    let start = Tally::empty_at(from_offset.min(len_bytes));
    let counts_none = bound.and_then(|bound| bound.operation_count) == Some(0);
    let mut walk = Walk {
        len_bytes,
        framing,
        from_offset,
        bound,
        counted: counts_none.then(|| start.clone()),
        within: None,
        whole: start,
        bad: None,
        odd_size_offset: None,
        behind: Vec::new(),
        healed: Vec::new(),
        listed: Listed::default(),
    };
    let needed_to = bound.map_or(len_bytes, |bound| bound.offset.min(len_bytes));
    let mut records = Records::new(source, framing, from_offset, len_bytes);
    loop {
        if listing == Listing::AfterDamage {
            records.skim(|record| walk.count(record))?;
        }
        match records.next_item()? {
            Item::Record(record) => walk.take(&record, listing),
            Item::Bad(bad) => {
                if walk.needs(&bad) {
                    if let Some(record) = walk.heal(source, &mut records, &bad, needed_to)? {
                        walk.take(&record, listing);
                        continue;
                    }
                    salvage(source, &bad, needed_to, &mut walk)?;
                }
                walk.bad = Some(bad);
                return Ok(walk);
            }
            Item::End { .. } => return Ok(walk),
        }
    }
}
