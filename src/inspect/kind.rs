//! What a file is: by its codec name, which no renaming changes, else by its own name.

use std::io;
use std::path::Path;

use serde::Serialize;

use crate::format::{Commit, Framing, Item, ReadAt, Records};

/// Codec magic, and the longest codec name with its length.
const START_BYTES: usize = 4 + 1 + 127;
const CODEC_MAGIC: [u8; 4] = [0x3F, 0xD7, 0x6C, 0x17];
/// Lengths of a checkpoint without a codec header: 20, and 21 is accepted too.
const RAW_CHECKPOINT_BYTES: std::ops::RangeInclusive<u64> = 20..=21;

/// Kind of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// A translog of any version.
    Translog,
    /// A checkpoint of any version.
    Checkpoint,
    /// `segments_N`.
    Commit,
    /// `state-N.st` and its like.
    State,
    /// `corrupted_*`.
    Marker,
    /// Any other file with a codec header or footer.
    LuceneFile,
    /// None of these.
    Unknown,
}

impl FileKind {
    /// The kind in words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Translog => "translog",
            Self::Checkpoint => "translog checkpoint",
            Self::Commit => "Lucene commit",
            Self::State => "state file",
            Self::Marker => "corruption marker",
            Self::LuceneFile => "Lucene file",
            Self::Unknown => "unknown file",
        }
    }

    /// Tells the kind of a file.
    pub(super) fn of<R: ReadAt>(path: &Path, source: &R) -> io::Result<Self> {
        let mut start = vec![0; START_BYTES];
        let count = source.read_at(0, &mut start)?;
        start.truncate(count);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(codec) = codec_name(&start) {
            return Ok(match codec {
                b"translog" => Self::Translog,
                b"ckp" => Self::Checkpoint,
                b"segments" => Self::Commit,
                b"state" => Self::State,
                b"store" if name.starts_with("corrupted_") => Self::Marker,
                _ => Self::by_name(&name).unwrap_or(Self::LuceneFile),
            });
        }
        if let Some(kind) = Self::by_name(&name) {
            return Ok(kind);
        }
        if start.starts_with(b":)\n") {
            return Ok(Self::State);
        }
        if RAW_CHECKPOINT_BYTES.contains(&source.len_bytes()) && name.contains("ckp") {
            return Ok(Self::Checkpoint);
        }
        // Up to 1.3 a translog has no header: it is one when its first record is whole.
        if start.first() == Some(&0) {
            let mut records = Records::new(source, Framing::Headerless, 0, source.len_bytes());
            if matches!(records.next_item()?, Item::Record(_)) {
                return Ok(Self::Translog);
            }
        }
        Ok(Self::Unknown)
    }

    fn by_name(name: &str) -> Option<Self> {
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
        let is_translog = name.starts_with("translog-") && extension.is_none_or(is_translog_end);
        let committed = name.strip_prefix("pending_").unwrap_or(name);
        match extension {
            Some("ckp") => Some(Self::Checkpoint),
            Some("tlog") => Some(Self::Translog),
            _ if is_translog => Some(Self::Translog),
            _ if Commit::generation_of(committed).is_some() => Some(Self::Commit),
            Some("st") => Some(Self::State),
            None if name.starts_with("state-") || name.starts_with("global-") => Some(Self::State),
            _ if name.starts_with("corrupted_") => Some(Self::Marker),
            _ if name.starts_with('_') && extension.is_some() => Some(Self::LuceneFile),
            _ => None,
        }
    }
}

fn is_translog_end(extension: &str) -> bool {
    extension == "recovering"
}

fn codec_name(start: &[u8]) -> Option<&[u8]> {
    let rest = start.strip_prefix(CODEC_MAGIC.as_slice())?;
    let (length, rest) = rest.split_first()?;
    rest.get(..usize::from(*length))
}
