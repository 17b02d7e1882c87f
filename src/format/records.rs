//! Reads records one after the other. The bytes of one are in `record.rs`.

use std::io;

use super::body::Body;
use super::brief::Brief;
use super::defect::{Defect, Unreadable};
use super::operation::Operation;
use super::operation_decode::decode_partly;
use super::record::{BadKind, BadRecord, CRC_BYTES, Framing, Item, Record, SIZE_BYTES, SIZED_MIN};
use super::record_body::{HEAD_BYTES_MAX, decode_body, length};
use super::skim::skim;
use super::window::{ReadAt, Window};

/// A pass over sound records has to bring so many to be tried again at once; else so many are read
/// one by one first.
const SKIMMED_MIN: u32 = 64;
const UNSKIMMED_COUNT: u32 = 1024;

/// Reads records one after the other until the end or the first bad one.
pub struct Records<'a, R: ReadAt + ?Sized> {
    window: Window<'a, R>,
    framing: Framing,
    offset: u64,
    to_offset: u64,
    /// Records to read one by one before sound ones are passed over again.
    unskimmed_count: u32,
}

impl<'a, R: ReadAt + ?Sized> Records<'a, R> {
    /// The records between two offsets.
    pub fn new(source: &'a R, framing: Framing, from_offset: u64, to_offset: u64) -> Self {
        let to_offset = to_offset.min(source.len_bytes());
        let window = Window::new(source);
        Self { window, framing, offset: from_offset, to_offset, unskimmed_count: 0 }
    }

    /// Passes over sound records fast, handing over what a verdict counts of each. It stops where
    /// it likes before the first bad one: [`Records::next_item`] reads what is next.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn skim(&mut self, mut take: impl FnMut(Brief)) -> io::Result<()>
    where
        R: Sync,
    {
        if let Some(count) = self.unskimmed_count.checked_sub(1) {
            self.unskimmed_count = count;
            return Ok(());
        }
        let mut skimmed_count = 0_u32;
        let take = |brief| {
            skimmed_count = skimmed_count.saturating_add(1);
            take(brief);
        };
        let source = self.window.source();
        self.offset = skim(source, self.framing, self.offset, self.to_offset, take)?;
        if skimmed_count < SKIMMED_MIN {
            self.unskimmed_count = UNSKIMMED_COUNT;
        }
        Ok(())
    }

    /// The next item; the same again after a bad record and at the end.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn next_item(&mut self) -> io::Result<Item> {
        if self.offset >= self.to_offset {
            return Ok(Item::End { offset: self.offset });
        }
        let item = record_at(&mut self.window, self.framing, self.offset, self.to_offset)?;
        if let Item::Record(record) = &item {
            self.offset = record.offset.saturating_add(record.len_bytes);
        }
        Ok(item)
    }

    /// Goes on behind a record that was read another way, because it is bad as it is.
    pub fn go_on_behind(&mut self, record: &Record) {
        self.offset = record.offset.saturating_add(record.len_bytes);
    }
}

/// The record at `offset`, which ends at or before `to_offset`.
pub(super) fn record_at<R: ReadAt + ?Sized>(
    window: &mut Window<R>,
    framing: Framing,
    offset: u64,
    to_offset: u64,
) -> io::Result<Item> {
    let rest = to_offset.saturating_sub(offset);
    let size = window.get(offset, length(rest.min(SIZE_BYTES)))?;
    let Ok(size) = size.try_into().map(u32::from_be_bytes) else {
        return Ok(bad(offset, BadKind::Torn, torn(offset, rest), None));
    };
    let size = u64::from(size);
    let end_offset = offset.saturating_add(SIZE_BYTES).saturating_add(size);
    if framing != Framing::Sized {
        return parsed_record(window, framing, offset, end_offset, to_offset);
    }
    if size < SIZED_MIN || i32::try_from(size).is_err() {
        let defect = Defect::new(offset, "a record's size", size.to_string());
        return Ok(bad(offset, BadKind::SizeField, defect, partial(window, offset, to_offset)?));
    }
    if end_offset > to_offset {
        let wanted = format!("{} bytes of record", end_offset.saturating_sub(offset));
        let defect = Defect::new(offset, wanted, format!("{rest}"));
        return Ok(bad(offset, BadKind::Torn, defect, partial(window, offset, to_offset)?));
    }
    sized_record(window, offset, end_offset)
}

/// A record whose end is known and that must have a CRC.
fn sized_record<R: ReadAt + ?Sized>(
    window: &mut Window<R>,
    offset: u64,
    end_offset: u64,
) -> io::Result<Item> {
    let body_offset = offset.saturating_add(SIZE_BYTES);
    let crc_offset = end_offset.saturating_sub(CRC_BYTES);
    if let Some(defect) = crc_defect(window, body_offset, crc_offset)? {
        return Ok(bad(offset, BadKind::Checksum, defect, partial(window, offset, crc_offset)?));
    }
    let decoded = decode_body(window, body_offset, crc_offset.saturating_sub(body_offset))?;
    // The checksum holds, so nothing is damaged: this program does not know the record.
    let newer = |defect: Defect| bad(offset, BadKind::Newer, defect, None);
    Ok(match decoded.operation {
        Ok(operation) if decoded.rest_bytes == 0 => {
            let len_bytes = end_offset.saturating_sub(offset);
            Item::Record(Record { offset, len_bytes, operation, note: None })
        }
        Ok(_) => {
            let at = body_offset.saturating_add(decoded.read_bytes);
            let found = format!("{} more bytes", decoded.rest_bytes);
            newer(Defect::new(at, "the end of the record", found))
        }
        Err(Unreadable::Newer(what)) => newer(Defect::new(body_offset, "a known record", what)),
        Err(Unreadable::Damaged(defect)) => newer(defect),
    })
}

/// A record whose end its body tells: up to 1.7.
fn parsed_record<R: ReadAt + ?Sized>(
    window: &mut Window<R>,
    framing: Framing,
    offset: u64,
    said_end: u64,
    to_offset: u64,
) -> io::Result<Item> {
    let body_offset = offset.saturating_add(SIZE_BYTES);
    let mut sized = None;
    if framing == Framing::SizeIgnored && is_sized_well(offset, said_end, to_offset) {
        match sized_record(window, offset, said_end)? {
            Item::Bad(bad) if bad.kind != BadKind::Newer => {}
            item @ Item::Record(_) => return Ok(item),
            item => sized = Some(item),
        }
    }
    let decoded = decode_body(window, body_offset, to_offset.saturating_sub(body_offset))?;
    let is_torn = said_end > to_offset;
    let operation = match (decoded.operation, sized) {
        (Ok(operation), _) => operation,
        (Err(_), Some(newer)) => return Ok(newer),
        (Err(Unreadable::Newer(what)), None) => {
            let defect = Defect::new(body_offset, "a known operation", what);
            return Ok(bad(offset, BadKind::Body, defect, None));
        }
        (Err(Unreadable::Damaged(defect)), None) => {
            let kind = if is_torn { BadKind::Torn } else { BadKind::Body };
            return Ok(bad(offset, kind, defect, None));
        }
    };
    let crc_offset = body_offset.saturating_add(decoded.read_bytes);
    let end_offset = crc_offset.saturating_add(framing.crc_bytes());
    if end_offset > to_offset {
        let defect = torn(crc_offset, to_offset.saturating_sub(crc_offset));
        return Ok(bad(offset, BadKind::Torn, defect, Some(operation)));
    }
    if framing == Framing::SizeIgnored {
        if let Some(defect) = crc_defect(window, body_offset, crc_offset)? {
            return Ok(bad(offset, BadKind::Checksum, defect, Some(operation)));
        }
    } else if said_end != end_offset
        && !is_begin(window, end_offset, to_offset)?
        && (said_end > end_offset || is_begin(window, said_end, to_offset)?)
    {
        // Without a checksum the two ends are all there is: the size leads to the next record, or
        // the body has ended too early, in zeros, and neither does.
        let expected = format!("the end of the operation at {said_end}");
        let defect = Defect::new(body_offset, expected, format!("at {end_offset}"));
        return Ok(bad(offset, BadKind::Body, defect, Some(operation)));
    }
    let note = (said_end != end_offset)
        .then(|| "its size field is wrong, which its server does not read".to_owned());
    let len_bytes = end_offset.saturating_sub(offset);
    Ok(Item::Record(Record { offset, len_bytes, operation, note }))
}

fn is_sized_well(offset: u64, said_end: u64, to_offset: u64) -> bool {
    said_end <= to_offset && said_end >= offset.saturating_add(SIZE_BYTES).saturating_add(SIZED_MIN)
}

/// Whether a record without a checksum can begin here, or the file ends.
fn is_begin<R: ReadAt + ?Sized>(
    window: &mut Window<R>,
    offset: u64,
    to_offset: u64,
) -> io::Result<bool> {
    if offset == to_offset {
        return Ok(true);
    }
    let Ok([s0, s1, s2, s3, kind]) = <[u8; 5]>::try_from(window.get(offset, 5)?) else {
        return Ok(false);
    };
    let size = u64::from(u32::from_be_bytes([s0, s1, s2, s3]));
    let rest = to_offset.saturating_sub(offset).saturating_sub(SIZE_BYTES);
    Ok(matches!(kind, 1..=4) && (1..=rest).contains(&size))
}

/// What can be read of a record that is not whole, without trust.
fn partial<R: ReadAt + ?Sized>(
    window: &mut Window<R>,
    offset: u64,
    to_offset: u64,
) -> io::Result<Option<Operation>> {
    let body_offset = offset.saturating_add(SIZE_BYTES);
    let body_bytes = to_offset.saturating_sub(body_offset).min(HEAD_BYTES_MAX);
    let bytes = window.get(body_offset, length(body_bytes))?;
    Ok(decode_partly(Body::whole(bytes, body_offset)))
}

/// What is wrong with the checksum of a body.
pub(super) fn crc_defect<R: ReadAt + ?Sized>(
    window: &mut Window<R>,
    body_offset: u64,
    crc_offset: u64,
) -> io::Result<Option<Defect>> {
    let computed = window.crc32(body_offset, crc_offset)?;
    let stored = window.get(crc_offset, length(CRC_BYTES))?;
    let Ok(stored) = stored.try_into().map(u32::from_be_bytes) else {
        return Ok(Some(torn(crc_offset, stored.len() as u64)));
    };
    let expected = || format!("CRC {computed:08x}");
    Ok((stored != computed).then(|| Defect::new(crc_offset, expected(), format!("{stored:08x}"))))
}

fn torn(offset: u64, rest: u64) -> Defect {
    Defect::new(offset, "4 bytes", format!("{rest}"))
}

fn bad(offset: u64, kind: BadKind, defect: Defect, partial: Option<Operation>) -> Item {
    Item::Bad(BadRecord { offset, defect, kind, partial })
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "numbers of small literals")]
mod tests;
#[cfg(test)]
mod vectors;
