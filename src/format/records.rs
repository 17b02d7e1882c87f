//! The records of a translog, one after the other.
//!
//! | offset | size | up to 1.3 | 1.4 and later |
//! |---|---|---|---|
//! | 0 | 4 | i32 S = bytes that follow: type and body | i32 S = type, body and CRC |
//! | 4 | 1 | operation type | same |
//! | 5 | | body | body |
//! | 4+S-4 | 4 | - | CRC-32 of type and body, not of the size |
//!
//! Up to 1.7 the server reads past the size and finds the record's end by its body (observed on
//! 1.7.6: a wrong size is no damage); from 2.0 on it goes by the size and checks the CRC first.
//!
//! Sources: `FsTranslog` (0.20.6), `ChecksummedTranslogStream` (1.7.5), `Translog` (2.4.1, 7.10.2,
//! 8.x).

use std::io;

use super::body::Body;
use super::defect::{Defect, Unreadable};
use super::operation::Operation;
use super::operation_decode::{decode, decode_partly};
use super::window::{ReadAt, Window};

/// Bytes of the size field and of the CRC.
const SIZE_BYTES: u64 = 4;
const CRC_BYTES: u64 = 4;
/// Smallest size field with a CRC: type and CRC.
const SIZED_MIN: u64 = 5;
/// Records up to this length are held in memory whole.
const WHOLE_MAX_BYTES: u64 = 256 * 1024;
/// Of longer ones the first and last this many bytes are; only a source is longer.
const END_BYTES: u64 = 64 * 1024;
/// Longest record that is parsed where nothing but its body tells its end.
const PARSED_MAX_BYTES: u64 = 16 * 1024 * 1024;

/// How records are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Up to 1.3: no checksum; the body tells the end.
    Headerless,
    /// 1.4 to 1.7: a checksum; the body tells the end.
    SizeIgnored,
    /// 2.0 and later: a checksum; the size field tells the end.
    Sized,
}

/// A whole record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it begins, in bytes.
    pub offset: u64,
    /// Its length on disk.
    pub len_bytes: u64,
    /// What it says.
    pub operation: Operation,
    /// What is odd about it although its server takes it.
    pub note: Option<String>,
}

/// How a record is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadKind {
    /// It runs past the end.
    Torn,
    /// Its size field is impossible.
    SizeField,
    /// Its checksum does not hold.
    Checksum,
    /// Its body is none.
    Body,
    /// Its checksum holds over something this program does not know.
    Newer,
}

/// A bad record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecord {
    /// Where it begins.
    pub offset: u64,
    /// What is wrong, and where.
    pub defect: Defect,
    /// How it is bad.
    pub kind: BadKind,
    /// What can be read of it, without trust.
    pub partial: Option<Operation>,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A whole record.
    Record(Record),
    /// A bad one; nothing after it is looked at.
    Bad(BadRecord),
    /// The end, exactly behind a record.
    End {
        /// Where.
        offset: u64,
    },
}

/// Reads records one after the other until the end or the first bad one.
pub struct Records<'a, R: ReadAt + ?Sized> {
    window: Window<'a, R>,
    framing: Framing,
    offset: u64,
    to_offset: u64,
}

impl<'a, R: ReadAt + ?Sized> Records<'a, R> {
    /// The records between two offsets.
    pub fn new(source: &'a R, framing: Framing, from_offset: u64, to_offset: u64) -> Self {
        let to_offset = to_offset.min(source.len_bytes());
        Self { window: Window::new(source), framing, offset: from_offset, to_offset }
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
}

/// The next offset at or behind `from_offset` at which a whole record begins; `None` when there is
/// none up to `to_offset`.
///
/// # Errors
/// When the source cannot be read.
pub fn find_record<R: ReadAt + ?Sized>(
    source: &R,
    framing: Framing,
    from_offset: u64,
    to_offset: u64,
) -> io::Result<Option<u64>> {
    let to_offset = to_offset.min(source.len_bytes());
    let mut window = Window::new(source);
    let mut records = Window::new(source);
    let mut offset = from_offset;
    while offset.saturating_add(SIZE_BYTES) < to_offset {
        let Ok([s0, s1, s2, s3, kind]) = <[u8; 5]>::try_from(window.get(offset, 5)?) else {
            return Ok(None);
        };
        let size = u64::from(u32::from_be_bytes([s0, s1, s2, s3]));
        let rest = to_offset.saturating_sub(offset).saturating_sub(SIZE_BYTES);
        let is_plausible = matches!(kind, 1..=4) && size <= rest && size >= SIZED_MIN;
        if is_plausible
            && let Item::Record(record) = record_at(&mut records, framing, offset, to_offset)?
            && record.note.is_none()
        {
            return Ok(Some(offset));
        }
        offset = offset.saturating_add(1);
    }
    Ok(None)
}

fn record_at<R: ReadAt + ?Sized>(
    window: &mut Window<R>,
    framing: Framing,
    offset: u64,
    to_offset: u64,
) -> io::Result<Item> {
    let rest = to_offset.saturating_sub(offset);
    let Ok(size) = window.get(offset, 4)?.try_into().map(u32::from_be_bytes) else {
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
    let body_bytes = crc_offset.saturating_sub(body_offset);
    let (head, tail);
    let mut body = if body_bytes <= WHOLE_MAX_BYTES {
        head = window.get(body_offset, length(body_bytes))?.to_vec();
        Body::whole(&head, body_offset)
    } else {
        head = window.get(body_offset, length(END_BYTES))?.to_vec();
        let tail_offset = crc_offset.saturating_sub(END_BYTES);
        tail = window.get(tail_offset, length(END_BYTES))?.to_vec();
        let gap_bytes = body_bytes.saturating_sub(END_BYTES.saturating_mul(2));
        Body::with_gap(&head, gap_bytes, &tail, body_offset)
    };
    let newer = |defect: Defect| bad(offset, BadKind::Newer, defect, None);
    Ok(match decode(&mut body) {
        Ok(operation) if body.rest_bytes() == 0 => {
            let len_bytes = end_offset.saturating_sub(offset);
            Item::Record(Record { offset, len_bytes, operation, note: None })
        }
        // The checksum holds, so nothing is damaged: this program does not know the record.
        Ok(_) => {
            newer(body.defect("the end of the record", format!("{} more bytes", body.rest_bytes())))
        }
        Err(Unreadable::Newer(what)) => newer(Defect::new(body_offset, "a known record", what)),
        Err(Unreadable::Damaged(defect)) => newer(defect),
    })
}

/// A record whose end its body tells.
fn parsed_record<R: ReadAt + ?Sized>(
    window: &mut Window<R>,
    framing: Framing,
    offset: u64,
    said_end: u64,
    to_offset: u64,
) -> io::Result<Item> {
    let is_sized_well = framing == Framing::SizeIgnored
        && said_end <= to_offset
        && said_end >= offset.saturating_add(SIZE_BYTES).saturating_add(SIZED_MIN);
    if is_sized_well {
        let item = sized_record(window, offset, said_end)?;
        if matches!(item, Item::Record(_)) {
            return Ok(item);
        }
    }
    let body_offset = offset.saturating_add(SIZE_BYTES);
    let body_bytes = to_offset.saturating_sub(body_offset).min(PARSED_MAX_BYTES);
    let bytes = window.get(body_offset, length(body_bytes))?.to_vec();
    let mut body = Body::whole(&bytes, body_offset);
    let operation = match decode(&mut body) {
        Ok(operation) => operation,
        Err(Unreadable::Newer(what)) => {
            let defect = Defect::new(body_offset, "a known operation", what);
            return Ok(bad(offset, BadKind::Body, defect, None));
        }
        Err(Unreadable::Damaged(defect)) => {
            let kind = if said_end > to_offset { BadKind::Torn } else { BadKind::Body };
            return Ok(bad(offset, kind, defect, None));
        }
    };
    let crc_offset = body_offset.saturating_add(body.read_bytes());
    let mut end_offset = crc_offset;
    if framing == Framing::SizeIgnored {
        end_offset = crc_offset.saturating_add(CRC_BYTES);
        if end_offset > to_offset {
            let defect = torn(crc_offset, to_offset.saturating_sub(crc_offset));
            return Ok(bad(offset, BadKind::Torn, defect, Some(operation)));
        }
        if let Some(defect) = crc_defect(window, body_offset, crc_offset)? {
            return Ok(bad(offset, BadKind::Checksum, defect, Some(operation)));
        }
    }
    let note = (said_end != end_offset)
        .then(|| "its size field is wrong, which its server does not read".to_owned());
    let len_bytes = end_offset.saturating_sub(offset);
    Ok(Item::Record(Record { offset, len_bytes, operation, note }))
}

/// What can be read of a record that is not whole, without trust.
fn partial<R: ReadAt + ?Sized>(
    window: &mut Window<R>,
    offset: u64,
    to_offset: u64,
) -> io::Result<Option<Operation>> {
    let body_offset = offset.saturating_add(SIZE_BYTES);
    let body_bytes = to_offset.saturating_sub(body_offset).min(WHOLE_MAX_BYTES);
    let bytes = window.get(body_offset, length(body_bytes))?.to_vec();
    Ok(decode_partly(Body::whole(&bytes, body_offset)))
}

fn crc_defect<R: ReadAt + ?Sized>(
    window: &mut Window<R>,
    body_offset: u64,
    crc_offset: u64,
) -> io::Result<Option<Defect>> {
    let computed = window.crc32(body_offset, crc_offset)?;
    let stored = window.get(crc_offset, 4)?.try_into().map_or(0, u32::from_be_bytes);
    let expected = || format!("CRC {computed:08x}");
    Ok((stored != computed).then(|| Defect::new(crc_offset, expected(), format!("{stored:08x}"))))
}

fn torn(offset: u64, rest: u64) -> Defect {
    Defect::new(offset, "4 bytes", format!("{rest}"))
}

fn bad(offset: u64, kind: BadKind, defect: Defect, partial: Option<Operation>) -> Item {
    Item::Bad(BadRecord { offset, defect, kind, partial })
}

fn length(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
