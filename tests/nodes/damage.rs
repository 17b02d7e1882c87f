//! What is broken in a shard's translog, and how many of its operations that leaves.
//!
//! Records are told apart by their size fields alone, and which operation a record is follows from
//! the order in which the operations were sent: nothing of the program under test is used.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::version::Version;

/// Bytes that are zeroed at the end of a translog.
const ZEROED_BYTES: u64 = 4096;
/// Of a torn record on 1.x, so many bytes are missing: 1.x swallows a tear in any other place.
const TORN_STREAM_BYTES: u64 = 5;

/// A kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    /// The file ends inside its last record.
    TornTail,
    /// The last 4 KiB are zeros.
    ZeroedTail,
    /// One bit in the middle is another: the checksum tells which, so nothing is lost.
    FlippedBit,
    /// Two bits of a record in the middle are others.
    FlippedBits,
    /// `translog.ckp` has no bytes; on 1.x the translog itself.
    Emptied,
}

impl Damage {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::TornTail => "torn tail",
            Self::ZeroedTail => "zeroed tail",
            Self::FlippedBit => "flipped bit",
            Self::FlippedBits => "two flipped bits",
            Self::Emptied => "emptied file",
        }
    }
}

/// A record: where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) offset: u64,
    pub(crate) end_offset: u64,
}

/// A shard's newest translog: where the operations since the last flush are.
#[derive(Debug, Clone)]
pub(crate) struct Translog {
    pub(crate) path: PathBuf,
    pub(crate) frames: Vec<Frame>,
}

impl Translog {
    /// Finds and frames it.
    pub(crate) fn of(version: &Version, shard_folder: &Path) -> Result<Self, String> {
        let folder = shard_folder.join("translog");
        let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
        let mut newest = None;
        for entry in folder.read_dir().map_err(fail)? {
            let path = entry.map_err(fail)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let number = name.strip_prefix("translog-").map(|rest| {
                let suffix = if version.has_stream() { "" } else { ".tlog" };
                rest.strip_suffix(suffix).unwrap_or_default()
            });
            let number = number.and_then(|number| number.parse::<u64>().ok());
            newest = newest.max(number.map(|number| (number, path)));
        }
        let (_, path) = newest.ok_or(format!("no translog in {}", folder.display()))?;
        let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let frames = frames(&bytes, version.translog_header_bytes())?;
        Ok(Self { path, frames })
    }

    /// Breaks it. Returns how many of the operations can then still be read.
    pub(crate) fn damage(&self, version: &Version, damage: Damage) -> Result<usize, String> {
        let fail = |error: std::io::Error| format!("{}: {error}", self.path.display());
        let whole_before =
            |offset: u64| self.frames.iter().filter(|frame| frame.end_offset <= offset).count();
        let last = self.frames.last().ok_or("no record to break")?;
        let file = OpenOptions::new().read(true).write(true).open(&self.path).map_err(fail)?;
        match damage {
            Damage::TornTail => {
                let to_offset = if version.has_stream() {
                    last.end_offset - TORN_STREAM_BYTES
                } else {
                    last.offset.midpoint(last.end_offset)
                };
                file.set_len(to_offset).map_err(fail)?;
                Ok(whole_before(to_offset))
            }
            Damage::ZeroedTail => {
                let from_offset = last.end_offset - ZEROED_BYTES;
                let zeros = vec![0; usize::try_from(ZEROED_BYTES).unwrap_or(0)];
                file.write_all_at(&zeros, from_offset).map_err(fail)?;
                Ok(whole_before(from_offset))
            }
            Damage::FlippedBit | Damage::FlippedBits => {
                let mask = if damage == Damage::FlippedBit { 0x04 } else { 0x06 };
                let middle = self.frames.get(self.frames.len() / 2).ok_or("no record")?;
                let offset = middle.offset.midpoint(middle.end_offset);
                let mut byte = [0];
                file.read_exact_at(&mut byte, offset).map_err(fail)?;
                file.write_all_at(&byte.map(|byte| byte ^ mask), offset).map_err(fail)?;
                let is_corrected = damage == Damage::FlippedBit;
                Ok(if is_corrected { self.frames.len() } else { whole_before(offset) })
            }
            Damage::Emptied if version.has_stream() => {
                file.set_len(0).map_err(fail)?;
                Ok(0)
            }
            Damage::Emptied => {
                let checkpoint = self.path.with_file_name("translog.ckp");
                let file = OpenOptions::new().write(true).open(checkpoint).map_err(fail)?;
                file.set_len(0).map_err(fail)?;
                Ok(self.frames.len())
            }
        }
    }
}

/// The records of a translog, told apart by their size fields.
pub(crate) fn frames(bytes: &[u8], header_bytes: u64) -> Result<Vec<Frame>, String> {
    let mut frames = Vec::new();
    let mut rest = bytes.get(usize::try_from(header_bytes).unwrap_or(0)..).unwrap_or_default();
    let mut offset = header_bytes;
    while let Some((size, after)) = rest.split_first_chunk::<4>() {
        let size = u32::from_be_bytes(*size);
        let body = usize::try_from(size).ok().and_then(|size| after.get(size..));
        rest = body.ok_or(format!("the record at {offset} is not whole"))?;
        let end_offset = offset + 4 + u64::from(size);
        frames.push(Frame { offset, end_offset });
        offset = end_offset;
    }
    if rest.is_empty() {
        Ok(frames)
    } else {
        Err(format!("bytes behind the last record, {offset}"))
    }
}
