//! Records of a translog: one operation each, one after the other without a gap.
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

use super::brief::Brief;
use super::defect::Defect;
use super::operation::Operation;

/// Bytes of the size field and of the CRC.
pub(super) const SIZE_BYTES: u64 = 4;
pub(super) const CRC_BYTES: u64 = 4;
/// Smallest size field with a CRC: type and CRC.
pub(super) const SIZED_MIN: u64 = 5;

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

impl Framing {
    /// Bytes of the CRC at the end of a record.
    pub(super) fn crc_bytes(self) -> u64 {
        if self == Self::Headerless { 0 } else { CRC_BYTES }
    }
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

impl Record {
    /// What a verdict counts of it.
    #[must_use]
    pub fn brief(&self) -> Brief {
        let Operation { seq_no, primary_term, .. } = self.operation;
        Brief { offset: self.offset, len_bytes: self.len_bytes, seq_no, primary_term }
    }
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
