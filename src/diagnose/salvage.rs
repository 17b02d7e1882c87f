//! Finds the whole records behind a bad one.

use std::io;

use super::listed::ListedOperation;
use super::tally::Tally;
use super::walk::Walk;
use crate::format::{
    BadKind, BadRecord, Framing, Item, ReadAt, Record, Records, Window, find_record, same_bytes,
};

/// Runs of whole records that are kept apart; behind so many unreadable stretches the rest is one.
const STRETCHES_MAX: usize = 100_000;

/// Longest unreadable stretch that is compared with the records behind it, and how far behind it
/// these can be: the longest write that is repeated.
const REPEATED_MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Of the stretch and a record so many bytes are compared first.
const HEAD_BYTES: u64 = 64;
const BLOCK_BYTES: usize = 4096;
const SIZE_FIELD_BYTES: u64 = 4;

/// A run of whole records behind a bad one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// Where it begins.
    pub from_offset: u64,
    /// Its records.
    pub tally: Tally,
}

/// Adds what is whole behind `bad`, up to `to_offset`, to a walk.
pub(super) fn salvage<R: ReadAt + ?Sized>(
    source: &R,
    bad: &BadRecord,
    to_offset: u64,
    walk: &mut Walk,
) -> io::Result<()> {
    let framing = walk.framing;
    let mut bad = bad.clone();
    let mut is_first = true;
    loop {
        let next = if walk.behind.len() < STRETCHES_MAX {
            next_whole(source, framing, &bad, to_offset)?
        } else {
            None
        };
        let gap = Gap::read(source, bad.offset, next.unwrap_or(to_offset))?;
        let listed_before = walk.listed.operations.len();
        let mut is_repeated = false;
        let again = match next {
            Some(next) => run(source, &gap, next, to_offset, walk, &mut is_repeated)?,
            None => None,
        };
        // Zeros behind whole records are room that was never written, unless a checkpoint counts
        // what was there; a file of nothing else has lost what it held.
        let may_be_room =
            walk.whole.count > 0 && walk.bound.is_none_or(|bound| bound.operation_count.is_none());
        if is_repeated || (may_be_room && gap.is_zeros(source)?) {
            walk.listed.push_vain(gap.from_offset, gap.to_offset);
        } else {
            walk.listed.push_range(gap.from_offset, gap.to_offset);
            if let Some(partial) = partial(&bad).filter(|_| is_first) {
                walk.listed.operations.insert(listed_before, partial);
            }
        }
        match again {
            Some(again) => bad = again,
            None => return Ok(()),
        }
        is_first = false;
    }
}

/// An unreadable stretch.
struct Gap {
    from_offset: u64,
    to_offset: u64,
    head: Vec<u8>,
}

impl Gap {
    fn read<R: ReadAt + ?Sized>(source: &R, from_offset: u64, to_offset: u64) -> io::Result<Self> {
        let head_bytes = to_offset.saturating_sub(from_offset).min(HEAD_BYTES);
        let head = source.bytes_at(from_offset, usize::try_from(head_bytes).unwrap_or(0))?;
        Ok(Self { from_offset, to_offset, head })
    }

    /// Whether it is zeros, and more of them than a size field that was cut short can be.
    fn is_zeros<R: ReadAt + ?Sized>(&self, source: &R) -> io::Result<bool> {
        let mut at = self.from_offset;
        if self.to_offset.saturating_sub(at) <= SIZE_FIELD_BYTES {
            return Ok(false);
        }
        let mut block = [0; BLOCK_BYTES];
        while at < self.to_offset {
            at = at.max(source.written_from(at));
            if at >= self.to_offset {
                break;
            }
            let rest = usize::try_from(self.to_offset.saturating_sub(at)).unwrap_or(BLOCK_BYTES);
            let Some(part) = block.get_mut(..rest.min(BLOCK_BYTES)) else { return Ok(false) };
            let count = source.fill_at(at, part)?;
            if count == 0 || part.iter().take(count).any(|byte| *byte != 0) {
                return Ok(false);
            }
            at = at.saturating_add(count as u64);
        }
        Ok(true)
    }

    /// Whether it is the beginning of a record: one that a full disk cut short and that was
    /// written again (observed on 1.7.6).
    fn begins<R: ReadAt + ?Sized>(
        &self,
        window: &mut Window<'_, R>,
        record: &Record,
    ) -> io::Result<bool> {
        let length = self.to_offset.saturating_sub(self.from_offset);
        let is_far = record.offset.saturating_sub(self.to_offset) > REPEATED_MAX_BYTES;
        if length > record.len_bytes || length > REPEATED_MAX_BYTES || is_far {
            return Ok(false);
        }
        if window.get(record.offset, self.head.len())? != self.head {
            return Ok(false);
        }
        let source = window.source();
        let begins = same_bytes((source, self.from_offset), (source, record.offset), length)?;
        Ok(begins && length > 0)
    }

    /// Whether the bytes before it are those of a stretch behind it: the records of a write that
    /// was cut short are there once more.
    fn follows_a_copy<R: ReadAt + ?Sized>(
        &self,
        source: &R,
        from_offset: u64,
        to_offset: u64,
    ) -> io::Result<bool> {
        let length = to_offset.saturating_sub(from_offset);
        let Some(before) = self.from_offset.checked_sub(length) else { return Ok(false) };
        same_bytes((source, before), (source, from_offset), length)
    }
}

/// Where the next whole record begins. A size field that leads from the bad record to a whole one,
/// or to the end, is believed: what looks like a record inside a document is none.
fn next_whole<R: ReadAt + ?Sized>(
    source: &R,
    framing: Framing,
    bad: &BadRecord,
    to_offset: u64,
) -> io::Result<Option<u64>> {
    if let Some(end_offset) = said_end_offset(source, bad)? {
        if end_offset == to_offset {
            return Ok(None);
        }
        let mut records = Records::new(source, framing, end_offset, to_offset);
        if let Item::Record(record) = records.next_item()?
            && record.note.is_none()
        {
            return Ok(Some(end_offset));
        }
    }
    find_record(source, framing, bad.offset.saturating_add(1), to_offset)
}

/// Where the size field of a bad record says that it ends, where it may be right.
fn said_end_offset<R: ReadAt + ?Sized>(source: &R, bad: &BadRecord) -> io::Result<Option<u64>> {
    let mut size = [0; 4];
    let is_read = source.fill_at(bad.offset, &mut size)? == size.len();
    let may_be_right = matches!(bad.kind, BadKind::Checksum | BadKind::Body);
    let behind = bad.offset.saturating_add(size.len() as u64);
    Ok((is_read && may_be_right)
        .then(|| behind.saturating_add(u64::from(u32::from_be_bytes(size)))))
}

/// Takes a run of whole records in; returns the bad one that ends it. `is_repeated` tells whether
/// the gap before the run is the beginning of one of them.
fn run<R: ReadAt + ?Sized>(
    source: &R,
    gap: &Gap,
    from_offset: u64,
    to_offset: u64,
    walk: &mut Walk,
    is_repeated: &mut bool,
) -> io::Result<Option<BadRecord>> {
    let framing = walk.framing;
    let mut stretch = Stretch { from_offset, tally: Tally::empty_at(from_offset) };
    let mut records = Records::new(source, framing, from_offset, to_offset);
    let mut window = Window::new(source);
    let end = loop {
        match records.next_item()? {
            Item::Record(record) => {
                if !*is_repeated && gap.begins(&mut window, &record)? {
                    *is_repeated = true;
                    if gap.follows_a_copy(source, from_offset, record.offset)? {
                        walk.listed.drop_last(stretch.tally.count);
                    }
                }
                take(&record, &mut stretch, walk);
            }
            Item::Bad(bad) => match walk.heal(source, &mut records, &bad, to_offset)? {
                Some(record) => take(&record, &mut stretch, walk),
                None => break Some(bad),
            },
            Item::End { .. } => break None,
        }
    };
    walk.behind.push(stretch);
    Ok(end)
}

fn take(record: &Record, stretch: &mut Stretch, walk: &mut Walk) {
    stretch.tally.add(record.brief());
    walk.listed.push(|| ListedOperation::of(record));
}

/// What can be told of a bad record without trust.
fn partial(bad: &BadRecord) -> Option<ListedOperation> {
    bad.partial.as_ref().map(|partial| ListedOperation {
        offset: bad.offset,
        length_bytes: 0,
        kind: partial.kind,
        id: partial.id.clone(),
        seq_no: partial.seq_no,
        readable: false,
    })
}
