//! What was read of one shard, before anything is concluded from it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::listed::Listing;
use super::problem::Problem;
use super::walk::Walk;
use crate::format::{Checkpoint, Commit, Corrected, TranslogHeader, Unreadable};

/// Commit format of Lucene 4.9 and 4.10; from 5.0 on a commit is written as `pending_segments_N`.
const LAST_FORMAT_WITHOUT_PENDING: i32 = 3;

/// A file and how long it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// The file.
    pub path: PathBuf,
    /// Its length in bytes.
    pub len_bytes: u64,
}

/// A `segments_N` file.
#[derive(Debug, Clone)]
pub struct CommitFile {
    /// The file.
    pub path: PathBuf,
    /// Its N.
    pub generation: u64,
    /// Its bytes, as a new commit is made from them.
    pub bytes: Vec<u8>,
    /// What it says.
    pub commit: Result<Commit, Unreadable>,
}

/// A checkpoint file.
#[derive(Debug, Clone)]
pub struct CheckpointFile {
    /// The file.
    pub path: PathBuf,
    /// Its length in bytes.
    pub len_bytes: u64,
    /// What it says.
    pub checkpoint: Result<Checkpoint, Unreadable>,
    /// What it said before one bit of it flipped, where that explains its damage.
    pub corrected: Option<Corrected<Checkpoint>>,
}

impl CheckpointFile {
    /// What it says, or said before one bit of it flipped.
    #[must_use]
    pub fn believed(&self) -> Option<&Checkpoint> {
        let corrected = self.corrected.as_ref().map(|corrected| &corrected.value);
        self.checkpoint.as_ref().ok().or(corrected)
    }
}

/// A translog file with its records walked.
#[derive(Debug, Clone)]
pub struct TranslogFile {
    /// The file.
    pub path: PathBuf,
    /// Its length in bytes.
    pub len_bytes: u64,
    /// Its header; `Ok(None)` for a file without one (up to 1.3, or empty).
    pub header: Result<Option<TranslogHeader>, Unreadable>,
    /// What the header was before one bit of it flipped, where that explains its damage.
    pub corrected_header: Option<Corrected<TranslogHeader>>,
    /// Its records, from the header's end on. Behind a damaged header they are looked for where
    /// a sound one would end.
    pub walk: Walk,
    /// Whether its operations are, in order, all in the files before it: what a failed start
    /// leaves behind.
    pub copies_earlier: bool,
}

/// A translog of 1.x and earlier: `translog-<id>` or `translog-<id>.recovering`.
#[derive(Debug, Clone)]
pub struct StreamFile {
    /// Its id.
    pub id: u64,
    /// Whether it has `.recovering` at its end.
    pub recovering: bool,
    /// The file.
    pub file: TranslogFile,
}

/// Everything that was read of one shard.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Its translog folders: one, or up to 1.7 one in each data path.
    pub translog_folders: Vec<PathBuf>,
    /// The folder of its Lucene index.
    pub index_folder: PathBuf,
    /// Its commits, oldest first.
    pub commits: Vec<CommitFile>,
    /// Highest N of any `segments_N` or `pending_segments_N`.
    pub highest_commit_generation: u64,
    /// Files in which the server says that the Lucene index is corrupted.
    pub markers: Vec<PathBuf>,
    /// `translog.ckp`.
    pub checkpoint: Option<CheckpointFile>,
    /// `translog-N.ckp` by N.
    pub generation_checkpoints: BTreeMap<u64, CheckpointFile>,
    /// `translog-N.tlog` by N.
    pub translogs: BTreeMap<u64, TranslogFile>,
    /// Translogs of 1.x and earlier.
    pub streams: Vec<StreamFile>,
    /// Left-overs of an interrupted checkpoint copy, named like a generation far too high.
    pub temporary: Vec<FileFacts>,
    /// Whether the index's state says that it is closed.
    pub index_is_closed: bool,
    /// What is wrong with the shard's state files.
    pub state_problems: Vec<Problem>,
    /// What is wrong with the files of the Lucene commit, where that was looked at.
    pub index_problems: Vec<Problem>,
    /// Which operations are named one by one.
    pub listing: Listing,
    /// Files whose names mean nothing to the server.
    pub foreign: Vec<FileFacts>,
}

impl Evidence {
    /// The commit a server opens: the newest. Lucene up to 4 wrote a commit under its final name,
    /// and where the newest is torn it goes back to the one before (`SegmentInfos`,
    /// `FindSegmentsFile`; observed on 1.7.6).
    #[must_use]
    pub fn newest_commit(&self) -> Option<&CommitFile> {
        let newest = self.commits.last()?;
        let before = newest.generation.checked_sub(1)?;
        let is_torn = matches!(newest.commit, Err(Unreadable::Damaged(_)));
        let earlier = self.commits.iter().find(|commit| {
            let format = commit.commit.as_ref().map_or(i32::MAX, |commit| commit.format);
            is_torn && commit.generation == before && format <= LAST_FORMAT_WITHOUT_PENDING
        });
        Some(earlier.unwrap_or(newest))
    }

    /// The number in a key of the newest commit's user data.
    #[must_use]
    pub fn commit_number(&self, key: &str) -> Option<i64> {
        self.commit_text(key)?.parse().ok()
    }

    /// A key of the newest commit's user data.
    #[must_use]
    pub fn commit_text(&self, key: &str) -> Option<&str> {
        self.newest_commit()?.commit.as_ref().ok()?.user_value(key)
    }
}
