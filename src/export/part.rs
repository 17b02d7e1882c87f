//! Which records of which files are exported, in which order.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use crate::diagnose::{Bound, Evidence, FileSource, TranslogFile};
use crate::format::{Framing, ReadAt};

/// A file whose operations are exported.
#[derive(Debug, Clone)]
pub struct Part {
    /// Name of the index the operations go to.
    pub index: String,
    /// Number of the shard they come from.
    pub shard: u32,
    /// The file; of what a run wrote anew in place, where it was.
    pub path: PathBuf,
    /// What it held, where that is no longer in a file.
    pub content: Option<Vec<u8>>,
    /// How its records are told apart.
    pub framing: Framing,
    /// Where its records begin.
    pub from_offset: u64,
    /// What its checkpoint counts; the rest was not, as a rule, acknowledged.
    pub bound: Option<Bound>,
    /// The offsets of the records that are meant; `None` is all of them.
    pub only: Option<BTreeSet<u64>>,
    /// Sequence numbers up to this are in the Lucene commit; -1 before 6.0.
    pub local_checkpoint: i64,
}

impl Part {
    /// Opens what holds the records.
    pub(super) fn open(&self) -> io::Result<PartSource<'_>> {
        match &self.content {
            Some(bytes) => Ok(PartSource::Bytes(bytes)),
            None => FileSource::open_in_shard(&self.path).map(PartSource::File),
        }
    }
}

/// What holds the records of a part.
pub(super) enum PartSource<'a> {
    File(FileSource),
    Bytes(&'a [u8]),
}

impl ReadAt for PartSource<'_> {
    fn len_bytes(&self) -> u64 {
        match self {
            Self::File(file) => file.len_bytes(),
            Self::Bytes(bytes) => bytes.len_bytes(),
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read_at(offset, buffer),
            Self::Bytes(bytes) => bytes.read_at(offset, buffer),
        }
    }

    fn written_from(&self, offset: u64) -> u64 {
        match self {
            Self::File(file) => file.written_from(offset),
            Self::Bytes(bytes) => bytes.written_from(offset),
        }
    }
}

/// The parts of a shard, in the order in which they were written. Files in which a failed start
/// repeated earlier operations are left out.
#[must_use]
pub fn parts_of(index: &str, shard: u32, evidence: &Evidence) -> Vec<Part> {
    let local_checkpoint = evidence.commit_number("local_checkpoint").unwrap_or(-1);
    let part = |file: &TranslogFile| Part {
        index: index.to_owned(),
        shard,
        path: file.path.clone(),
        content: None,
        framing: file.walk.framing,
        from_offset: file.walk.from_offset,
        bound: file.walk.bound,
        only: None,
        local_checkpoint,
    };
    let mut streams: Vec<_> = evidence.streams.iter().collect();
    streams.sort_by_key(|stream| (stream.id, !stream.recovering));
    let streams = streams.into_iter().map(|stream| &stream.file);
    let files = streams.chain(evidence.translogs.values());
    files.filter(|file| !file.copies_earlier).map(part).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::diagnose::Listing;
    use crate::diagnose::fixture::Shard;

    #[test]
    fn a_folder_that_became_a_link_since_it_was_judged() {
        let shard = Shard::sequenced();
        let (evidence, _) = shard.read(Listing::AfterDamage);
        let parts = parts_of("logs", 0, &evidence);
        assert!(!parts.is_empty() && parts.iter().all(|part| part.open().is_ok()));
        let (translog, aside) = (shard.path().join("translog"), shard.path().join("aside"));
        fs::rename(&translog, &aside).unwrap();
        symlink(&aside, &translog).unwrap();
        assert!(parts.iter().all(|part| part.open().is_err()));
    }
}
