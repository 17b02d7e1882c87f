//! Where each operation after the flush lies in a shard's files, told by size fields alone, and
//! what of it is left when the files have been damaged: bytes compared with what was there.

use std::path::{Path, PathBuf};

use crate::damage::{Frame, frames};
use crate::version::Version;

/// The first bytes of a translog with a header (`CodecUtil.CODEC_MAGIC`).
const MAGIC: [u8; 4] = [0x3f, 0xd7, 0x6c, 0x17];

/// Length of a record's size field.
const SIZE_BYTES: usize = 4;

/// A shard's translog folder as the server left it: the newest translog, and its checkpoint.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) folder: PathBuf,
    /// Number of the newest generation, or the id of a stream.
    pub(crate) number: u64,
    pub(crate) tlog: Vec<u8>,
    /// `translog.ckp`; empty up to 1.7.
    pub(crate) checkpoint: Vec<u8>,
    pub(crate) header_bytes: u64,
    pub(crate) frames: Vec<Frame>,
    pub(crate) is_stream: bool,
    /// Whether records have a checksum.
    pub(crate) has_checksums: bool,
}

impl Files {
    pub(crate) fn read(version: &Version, shard_folder: &Path) -> Result<Self, String> {
        let folder = shard_folder.join("translog");
        let is_stream = version.has_stream();
        let suffix = if is_stream { "" } else { ".tlog" };
        let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
        let mut number = None;
        for entry in folder.read_dir().map_err(fail)? {
            let name = entry.map_err(fail)?.file_name().to_string_lossy().into_owned();
            let middle = name.strip_prefix("translog-").and_then(|rest| rest.strip_suffix(suffix));
            number = number.max(middle.and_then(|middle| middle.parse::<u64>().ok()));
        }
        let number = number.ok_or(format!("no translog in {}", folder.display()))?;
        let tlog =
            std::fs::read(folder.join(format!("translog-{number}{suffix}"))).map_err(fail)?;
        let checkpoint = if is_stream {
            Vec::new()
        } else {
            std::fs::read(folder.join("translog.ckp")).map_err(fail)?
        };
        let has_checksums = tlog.starts_with(&MAGIC);
        let header_bytes = if has_checksums { version.translog_header_bytes() } else { 0 };
        let frames = frames(&tlog, header_bytes)?;
        Ok(Self {
            folder,
            number,
            tlog,
            checkpoint,
            header_bytes,
            frames,
            is_stream,
            has_checksums,
        })
    }

    /// Name of the translog of a generation or id.
    pub(crate) fn name(&self, number: u64) -> String {
        let suffix = if self.is_stream { "" } else { ".tlog" };
        format!("translog-{number}{suffix}")
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join(self.name(self.number))
    }

    /// Bytes of the record of an operation.
    pub(crate) fn record(&self, frame: Frame) -> Vec<u8> {
        let offset = |offset| usize::try_from(offset).unwrap_or(usize::MAX);
        self.tlog.get(offset(frame.offset)..offset(frame.end_offset)).unwrap_or_default().to_vec()
    }

    /// Where the operations are, undamaged: in the newest translog.
    pub(crate) fn places(&self) -> Places {
        let place = |frame: &Frame| {
            vec![Place { file: self.path(), frame: *frame, record: self.record(*frame) }]
        };
        Places { of: self.frames.iter().map(place).collect(), has_checksums: self.has_checksums }
    }
}

/// One copy of an operation's record.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) file: PathBuf,
    pub(crate) frame: Frame,
    pub(crate) record: Vec<u8>,
}

impl Place {
    /// Where it stands among all records: its generation, and its offset there.
    fn order(&self) -> (u64, u64) {
        let stem = self.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let number = stem.rsplit('-').next().and_then(|number| number.parse().ok());
        (number.unwrap_or(0), self.frame.offset)
    }
}

/// What is left of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Left {
    /// Nothing: the file ends before it or is not there.
    Nothing,
    /// Other bytes than were written.
    Broken,
    /// All, or all but one bit where a checksum tells which.
    Whole,
}

/// Where each operation is, or was: some are in two files.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) of: Vec<Vec<Place>>,
    pub(crate) has_checksums: bool,
}

/// What is left of all operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Truth {
    /// Of each operation the best that is left, and where.
    pub(crate) left: Vec<(Left, PathBuf, Frame)>,
    /// The operations before the first broken one of their file, or of one before it.
    pub(crate) prefix: Vec<bool>,
}

impl Places {
    /// Compares the files with what was written.
    pub(crate) fn truth(&self, is_stream: bool) -> Truth {
        let left_of = |place: &Place| {
            let bytes = std::fs::read(&place.file).unwrap_or_default();
            let from = usize::try_from(place.frame.offset).unwrap_or(usize::MAX);
            let found = bytes.get(from..).unwrap_or_default();
            let wanted = &place.record;
            // Up to 1.7 no server reads the size field.
            let unread_bytes = if is_stream { SIZE_BYTES } else { 0 };
            let both = found.iter().zip(wanted).skip(unread_bytes);
            let differing: u32 = both.map(|(found, wanted)| (found ^ wanted).count_ones()).sum();
            if found.is_empty() {
                Left::Nothing
            } else if found.len() < wanted.len() || differing > u32::from(self.has_checksums) {
                Left::Broken
            } else {
                Left::Whole
            }
        };
        let all: Vec<Vec<(Left, &Place)>> = self
            .of
            .iter()
            .map(|places| places.iter().map(|place| (left_of(place), place)).collect())
            .collect();
        let gone = || all.iter().flatten().filter(|(left, _)| *left != Left::Whole);
        let first_gone_of = |file: &Path| {
            let of_file = gone().filter(|(_, place)| place.file == file);
            of_file.map(|(_, place)| place.frame.offset).min().unwrap_or(u64::MAX)
        };
        // Streams are read one by one; generations one after the other.
        let first_gone = gone().map(|(_, place)| place.order()).min();
        let is_before = |place: &Place| {
            if is_stream {
                place.frame.offset < first_gone_of(&place.file)
            } else {
                first_gone.is_none_or(|gone| place.order() < gone)
            }
        };
        let mut truth = Truth { left: Vec::new(), prefix: Vec::new() };
        for places in &all {
            let best = places.iter().max_by_key(|(left, _)| *left);
            let Some((left, place)) = best else { continue };
            truth.left.push((*left, place.file.clone(), place.frame));
            let kept = places.iter().any(|(left, place)| *left == Left::Whole && is_before(place));
            truth.prefix.push(kept);
        }
        truth
    }
}

impl Truth {
    /// Nothing is left of what was in files that are no more.
    pub(crate) fn forget_removed(&mut self) {
        for ((left, file, _), is_in_prefix) in self.left.iter_mut().zip(&mut self.prefix) {
            if *left != Left::Nothing && !file.exists() {
                *left = Left::Nothing;
                *is_in_prefix = false;
            }
        }
    }

    /// Whether every operation can be read.
    pub(crate) fn is_whole(&self) -> bool {
        self.left.iter().all(|(left, ..)| *left == Left::Whole)
    }

    /// Whether the files show that an operation is gone.
    pub(crate) fn shows_a_loss(&self) -> bool {
        self.left.iter().any(|(left, ..)| *left == Left::Broken)
    }

    pub(crate) fn whole(&self) -> Vec<bool> {
        self.left.iter().map(|(left, ..)| *left == Left::Whole).collect()
    }
}
