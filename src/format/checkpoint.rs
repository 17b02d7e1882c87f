//! Checkpoints: what of a generation counts.
//!
//! | offset | field | raw (2.x) 20 B | v1 (5.x) 48 B | v2 (6.0 to 6.3) 80 B | v3, v4 (6.4 and later) 88 B |
//! |---|---|---|---|---|---|
//! | 0 | codec header: magic `3FD76C17`, `03` `ckp`, version | - | 12 B | 12 B | 12 B |
//! | +0 | i64 offset | y | y | y | y |
//! | +8 | i32 number of operations | y | y | y | y |
//! | +12 | i64 generation | y | y | y | y |
//! | +20 | i64 min seq no | - | - | y | y |
//! | +28 | i64 max seq no | - | - | y | y |
//! | +36 | i64 global checkpoint | - | - | y | y |
//! | +44 | i64 min translog generation | - | - | y | y |
//! | +52 | i64 trimmed above seq no | - | - | - | y |
//! | end-16 | footer: `C02893E8`, i32 0, i64 CRC-32 of all before | - | y | y | y |
//!
//! Version 4 (Elasticsearch 8 and later, OpenSearch 2 and later) is version 3 with a little-endian
//! payload; header and footer stay big-endian. 2.4.6 takes 21 bytes for the raw form too.
//!
//! Sources: `Checkpoint` (2.4.1, 5.6.3, 6.2.4, 6.8.4, 7.10.2, 8.x; OpenSearch 1.x, 2.x); read on
//! servers 2.4.6, 5.6.16, 6.2.4, 6.8.23, 7.17.28, 8.19.0, 9.1.0 and OpenSearch 1.3.20 to 3.2.0.

use super::codec::{FOOTER_BYTES, check_footer, footer};
use super::defect::{Defect, Unreadable};

const CODEC_HEADER: [u8; 8] = [0x3F, 0xD7, 0x6C, 0x17, 0x03, b'c', b'k', b'p'];
const PAYLOAD_OFFSET: usize = 12;
const RAW_BYTES: usize = 20;
/// Versions that can come one day; more is a damaged field.
const VERSION_MAX: u32 = 15;

/// `SequenceNumbers.NO_OPS_PERFORMED`.
const NO_OPERATIONS: i64 = -1;
/// `SequenceNumbers.UNASSIGNED_SEQ_NO`.
const UNASSIGNED: i64 = -2;

/// Form of a checkpoint file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckpointForm {
    /// 2.x: 20 bytes, no checksum.
    Raw,
    /// 5.x.
    V1,
    /// 6.0 to 6.3.
    V2,
    /// 6.4 to 7.17, OpenSearch 1.x.
    V3,
    /// Elasticsearch 8 and later, OpenSearch 2 and later.
    V4,
}

impl CheckpointForm {
    /// Whether it says sequence numbers: from 6.0 on.
    #[must_use]
    pub fn has_seq_nos(self) -> bool {
        !matches!(self, Self::Raw | Self::V1)
    }

    fn of(version: u32) -> Option<Self> {
        match version {
            1 => Some(Self::V1),
            2 => Some(Self::V2),
            3 => Some(Self::V3),
            4 => Some(Self::V4),
            _ => None,
        }
    }

    fn version(self) -> u32 {
        match self {
            Self::Raw => 0,
            Self::V1 => 1,
            Self::V2 => 2,
            Self::V3 => 3,
            Self::V4 => 4,
        }
    }

    /// Length of a file of this form.
    #[must_use]
    pub fn len_bytes(self) -> u64 {
        match self {
            Self::Raw => 20,
            Self::V1 => 48,
            Self::V2 => 80,
            Self::V3 | Self::V4 => 88,
        }
    }
}

/// A checkpoint. Fields that a form does not have hold what the server assumes then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its form.
    pub form: CheckpointForm,
    /// Bytes of the translog file that count, header included.
    pub offset: u64,
    /// Number of operations up to there; -1 in a raw one after the upgrade from 1.x.
    pub operation_count: i32,
    /// The generation it is about.
    pub generation: u64,
    /// Lowest sequence number of those operations, -1 for none.
    pub min_seq_no: i64,
    /// Highest sequence number of those operations, -1 for none.
    pub max_seq_no: i64,
    /// The global checkpoint when it was written; -2 for not known.
    pub global_checkpoint: i64,
    /// First generation that is opened; -1 for the commit's.
    pub min_translog_generation: i64,
    /// Operations above are not replayed; -2 for none.
    pub trimmed_above_seq_no: i64,
}

impl Checkpoint {
    /// Decodes a whole checkpoint file.
    ///
    /// # Errors
    /// When it is damaged or cut, or its version is not known and its checksum holds.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let is_raw = matches!(bytes.len(), RAW_BYTES | 21) && !bytes.starts_with(&CODEC_HEADER);
        if is_raw {
            let payload = bytes.get(..RAW_BYTES).unwrap_or_default();
            return Ok(Payload { bytes: payload, form: CheckpointForm::Raw, base: 0 }.checkpoint()?);
        }
        if bytes.is_empty() {
            return Err(Defect::new(0, "a checkpoint", "an empty file").into());
        }
        let start = bytes.get(..CODEC_HEADER.len()).unwrap_or(bytes);
        if start != CODEC_HEADER {
            let found = start.escape_ascii().to_string();
            return Err(Defect::new(0, "the codec header of a checkpoint", found).into());
        }
        let version_at = CODEC_HEADER.len();
        let version = bytes
            .get(version_at..PAYLOAD_OFFSET)
            .and_then(|found| found.try_into().ok())
            .map(u32::from_be_bytes)
            .ok_or_else(|| cut(bytes))?;
        let form = CheckpointForm::of(version);
        check_length(bytes, form)?;
        check_footer(bytes)?;
        let Some(form) = form else {
            if version <= VERSION_MAX {
                return Err(Unreadable::Newer(format!("checkpoint version {version}")));
            }
            let expected = "checkpoint version 1 to 4";
            return Err(Defect::new(version_at as u64, expected, version.to_string()).into());
        };
        let end = bytes.len().saturating_sub(FOOTER_BYTES);
        let payload = bytes.get(PAYLOAD_OFFSET..end).ok_or_else(|| cut(bytes))?;
        Ok(Payload { bytes: payload, form, base: PAYLOAD_OFFSET }.checkpoint()?)
    }

    /// The file's bytes, in its form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let has_seq_nos = self.form.has_seq_nos();
        let mut fields = vec![self.min_seq_no, self.max_seq_no, self.global_checkpoint];
        fields.push(self.min_translog_generation);
        if matches!(self.form, CheckpointForm::V3 | CheckpointForm::V4) {
            fields.push(self.trimmed_above_seq_no);
        }
        let is_little = self.form == CheckpointForm::V4;
        let wide = |value: u64| if is_little { value.to_le_bytes() } else { value.to_be_bytes() };
        let count = self.operation_count;
        let mut payload = Vec::from(wide(self.offset));
        payload.extend(if is_little { count.to_le_bytes() } else { count.to_be_bytes() });
        payload.extend(wide(self.generation));
        if has_seq_nos {
            for field in fields {
                payload.extend(wide(field.cast_unsigned()));
            }
        }
        if self.form == CheckpointForm::Raw {
            return payload;
        }
        let mut bytes = Vec::from(CODEC_HEADER);
        bytes.extend_from_slice(&self.form.version().to_be_bytes());
        bytes.extend(payload);
        footer(&mut bytes);
        bytes
    }

    /// Whether a start finds `translog-N.ckp` equal to `translog.ckp`: every field but the form
    /// and the minimum generation.
    #[must_use]
    pub fn same_state(&self, other: &Self) -> bool {
        self.offset == other.offset
            && self.operation_count == other.operation_count
            && self.generation == other.generation
            && self.min_seq_no == other.min_seq_no
            && self.max_seq_no == other.max_seq_no
            && self.global_checkpoint == other.global_checkpoint
            && self.trimmed_above_seq_no == other.trimmed_above_seq_no
    }
}

/// The fields, in the byte order of their form.
struct Payload<'a> {
    bytes: &'a [u8],
    form: CheckpointForm,
    /// Offset of the payload in the file.
    base: usize,
}

impl Payload<'_> {
    fn checkpoint(&self) -> Result<Checkpoint, Defect> {
        let has_seq_nos = self.form.has_seq_nos();
        let has_trim = matches!(self.form, CheckpointForm::V3 | CheckpointForm::V4);
        let or = |is_there: bool, at: usize, default: i64| {
            if is_there { self.wide(at) } else { Ok(default) }
        };
        Ok(Checkpoint {
            form: self.form,
            offset: self.unsigned(0, "an offset")?,
            operation_count: self.narrow(8)?,
            generation: self.unsigned(12, "a generation")?,
            min_seq_no: or(has_seq_nos, 20, NO_OPERATIONS)?,
            max_seq_no: or(has_seq_nos, 28, NO_OPERATIONS)?,
            global_checkpoint: or(has_seq_nos, 36, UNASSIGNED)?,
            min_translog_generation: or(has_seq_nos, 44, NO_OPERATIONS)?,
            trimmed_above_seq_no: or(has_trim, 52, UNASSIGNED)?,
        })
    }

    fn unsigned(&self, at: usize, what: &str) -> Result<u64, Defect> {
        let value = self.wide(at)?;
        let offset = self.base.saturating_add(at) as u64;
        u64::try_from(value).map_err(|_| Defect::new(offset, what, value.to_string()))
    }

    fn wide(&self, at: usize) -> Result<i64, Defect> {
        let bytes = self.array(at)?;
        let is_little = self.form == CheckpointForm::V4;
        Ok(if is_little { i64::from_le_bytes(bytes) } else { i64::from_be_bytes(bytes) })
    }

    fn narrow(&self, at: usize) -> Result<i32, Defect> {
        let bytes = self.array(at)?;
        let is_little = self.form == CheckpointForm::V4;
        Ok(if is_little { i32::from_le_bytes(bytes) } else { i32::from_be_bytes(bytes) })
    }

    fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], Defect> {
        self.bytes
            .get(at..at.saturating_add(N))
            .and_then(|found| found.try_into().ok())
            .ok_or_else(|| cut(self.bytes))
    }
}

fn check_length(bytes: &[u8], form: Option<CheckpointForm>) -> Result<(), Defect> {
    let length = bytes.len() as u64;
    match form.map(CheckpointForm::len_bytes) {
        Some(wanted) if wanted != length => Err(Defect::new(
            length.min(wanted),
            format!("{wanted} bytes in all"),
            length.to_string(),
        )),
        _ => Ok(()),
    }
}

fn cut(bytes: &[u8]) -> Defect {
    Defect::new(bytes.len() as u64, "the rest of the checkpoint", "the end of the file")
}

#[cfg(test)]
mod tests;
