//! Folder -> evidence: the one place of this stage that touches the disk, for reading only.

use std::io;
use std::path::{Path, PathBuf};

use super::copies::{mark_copies, mark_stream_copies};
use super::evidence::{CheckpointFile, CommitFile, Evidence, FileFacts, StreamFile, TranslogFile};
use super::listed::Listing;
use super::names::{IndexName, TranslogName};
use super::source::FileSource;
use super::state::state_problems;
use super::walk::{Bound, Walk, walk};
use crate::format::{
    Checkpoint, Commit, Corrected, Framing, HEADER_MAX_BYTES, HeaderVersion, ReadAt,
    TranslogHeader, Unreadable, heal_checkpoint, heal_header,
};
use crate::node::ShardFolder;
use crate::node::nofollow::{HeldFolders, Purpose, names_in};

/// A commit lists every segment; the largest seen had some 100 KiB.
const COMMIT_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// A checkpoint has at most 88 bytes; more is read so that a damaged one can be described.
const CHECKPOINT_MAX_BYTES: u64 = 1024 * 1024;
/// Files in one folder that are looked at.
const FILES_MAX: usize = 1_000_000;
/// Header lengths of versions 3 and 2 with the usual UUID of 22 characters.
const HEADER_LENGTHS: [u64; 2] = [55, 43];
/// Length of the header of 1.4 to 1.7, which holds no UUID.
const STREAM_HEADER_BYTES: u64 = 17;

/// The evidence could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {source}", path.display())]
pub struct ReadError {
    /// The file or folder.
    pub path: PathBuf,
    /// The system's answer.
    pub source: io::Error,
}

impl ReadError {
    fn new(path: &Path, source: io::Error) -> Self {
        Self { path: path.to_path_buf(), source }
    }
}

impl Evidence {
    /// Reads every translog, checkpoint and commit of a shard.
    ///
    /// # Errors
    /// When a folder or file cannot be read, or a translog or checkpoint is a link or no regular
    /// file. Damaged content is no error.
    pub fn read(folder: &ShardFolder, listing: Listing) -> Result<Self, ReadError> {
        let mut evidence = Self { listing, ..Self::default() };
        evidence.state_problems = state_problems(folder)?;
        evidence.index_is_closed = folder.index_state.as_ref().is_some_and(|state| !state.open);
        let mut reader = Reader { evidence, listing, tlogs: Vec::new() };
        for path in std::iter::once(&folder.path).chain(&folder.stripes) {
            reader.index_folder(&path.join("index"))?;
            reader.translog_folder(&path.join("translog"))?;
        }
        reader.finish()
    }
}

struct Reader {
    evidence: Evidence,
    listing: Listing,
    /// Translogs of 2.0 and later, read when every checkpoint is known.
    tlogs: Vec<(u64, PathBuf)>,
}

impl Reader {
    fn index_folder(&mut self, folder: &Path) -> Result<(), ReadError> {
        // Of several data paths the one with the commit.
        if self.evidence.commits.is_empty() {
            folder.clone_into(&mut self.evidence.index_folder);
        }
        for (name, path) in entries(folder)? {
            let generation = match IndexName::of(&name) {
                IndexName::Commit(generation) => {
                    let bytes = read_file(&path, COMMIT_MAX_BYTES)?;
                    let commit = Commit::decode(&bytes, generation);
                    folder.clone_into(&mut self.evidence.index_folder);
                    self.evidence.commits.push(CommitFile { path, generation, bytes, commit });
                    generation
                }
                IndexName::PendingCommit(generation) => generation,
                IndexName::Marker => {
                    self.evidence.markers.push(path);
                    continue;
                }
                IndexName::Other => continue,
            };
            let highest = self.evidence.highest_commit_generation.max(generation);
            self.evidence.highest_commit_generation = highest;
        }
        Ok(())
    }

    fn translog_folder(&mut self, folder: &Path) -> Result<(), ReadError> {
        self.evidence.translog_folders.push(folder.to_path_buf());
        for (name, path) in entries(folder)? {
            match TranslogName::of(&name) {
                TranslogName::Checkpoint => {
                    self.evidence.checkpoint = Some(checkpoint(path)?);
                }
                TranslogName::GenerationCheckpoint(generation) => {
                    let file = checkpoint(path)?;
                    self.evidence.generation_checkpoints.insert(generation, file);
                }
                TranslogName::Translog(generation) => self.tlogs.push((generation, path)),
                TranslogName::Stream { id, recovering } => {
                    let file = stream(path, self.listing)?;
                    self.evidence.streams.push(StreamFile { id, recovering, file });
                }
                TranslogName::Temporary => self.evidence.temporary.push(facts(path)?),
                TranslogName::Foreign => self.evidence.foreign.push(facts(path)?),
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Evidence, ReadError> {
        self.evidence.commits.sort_by_key(|commit| commit.generation);
        for (generation, path) in std::mem::take(&mut self.tlogs) {
            let bound = self.bound_of(generation);
            let file = translog(path, bound, self.listing)?;
            self.evidence.translogs.insert(generation, file);
        }
        mark_copies(&mut self.evidence)?;
        mark_stream_copies(&mut self.evidence)?;
        self.list_behind_cut()?;
        Ok(self.evidence)
    }

    /// Behind a generation with records missing, a cut there loses every operation: list them.
    fn list_behind_cut(&mut self) -> Result<(), ReadError> {
        let Some(cut) = self.first_cut() else { return Ok(()) };
        let translogs = &mut self.evidence.translogs;
        for (_, file) in translogs.range_mut(cut.saturating_add(1)..) {
            if !file.copies_earlier && file.walk.whole.count > 0 {
                let bound = file.walk.bound;
                *file = translog(file.path.clone(), bound, Listing::Everything)?;
            }
        }
        Ok(())
    }

    /// The first generation that has records missing, or is missing itself.
    fn first_cut(&self) -> Option<u64> {
        let Evidence { translogs, generation_checkpoints, checkpoint, .. } = &self.evidence;
        let cut = translogs.iter().find(|(_, file)| file.walk.is_cut()).map(|(number, _)| *number);
        let follows = |(number, next): (&u64, &u64)| number.saturating_add(1) == *next;
        let gap = translogs.keys().zip(translogs.keys().skip(1)).find(|pair| !follows(*pair));
        let newest = checkpoint.as_ref().and_then(CheckpointFile::believed);
        let named = generation_checkpoints.keys().chain(newest.map(|newest| &newest.generation));
        let missing = named.filter(|number| !translogs.contains_key(number)).min().copied();
        [cut, gap.map(|(before, _)| *before), missing].into_iter().flatten().min()
    }

    /// What the checkpoint of a generation says, where it can be read.
    fn bound_of(&self, generation: u64) -> Option<Bound> {
        let newest = self.evidence.checkpoint.as_ref().and_then(CheckpointFile::believed);
        let own = self.evidence.generation_checkpoints.get(&generation);
        let checkpoint = newest
            .filter(|newest| newest.generation == generation)
            .or_else(|| own.and_then(CheckpointFile::believed))?;
        Some(Bound {
            offset: checkpoint.offset,
            operation_count: u64::try_from(checkpoint.operation_count).ok(),
        })
    }
}

/// Names and paths of a folder, in name order; none when the folder is not there.
pub(super) fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, ReadError> {
    let fail = |error| ReadError::new(folder, error);
    let opened = match HeldFolders::default().folder(folder, Purpose::Use) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(fail)?,
    };
    let mut entries = Vec::new();
    for name in names_in(opened).map_err(fail)?.take(FILES_MAX) {
        let name = name.map_err(fail)?;
        entries.push((name.to_string_lossy().into_owned(), folder.join(&name)));
    }
    entries.sort();
    Ok(entries)
}

fn read_file(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, ReadError> {
    FileSource::open_in_shard(path)
        .and_then(|file| file.read_all(limit_bytes))
        .map_err(|error| ReadError::new(path, error))
}

fn facts(path: PathBuf) -> Result<FileFacts, ReadError> {
    let metadata = path.symlink_metadata().map_err(|error| ReadError::new(&path, error))?;
    Ok(FileFacts { path, len_bytes: metadata.len() })
}

fn checkpoint(path: PathBuf) -> Result<CheckpointFile, ReadError> {
    let bytes = read_file(&path, CHECKPOINT_MAX_BYTES)?;
    let checkpoint = Checkpoint::decode(&bytes);
    let corrected = if checkpoint.is_err() { heal_checkpoint(&bytes) } else { None };
    Ok(CheckpointFile { path, len_bytes: bytes.len() as u64, checkpoint, corrected })
}

fn translog(
    path: PathBuf,
    bound: Option<Bound>,
    listing: Listing,
) -> Result<TranslogFile, ReadError> {
    let fail = |error| ReadError::new(&path, error);
    let source = FileSource::open_in_shard(&path).map_err(fail)?;
    let Start { header, corrected_header } = start(&source).map_err(fail)?;
    let corrected = corrected_header.as_ref().map(|corrected| &corrected.value);
    let usable = header.as_ref().ok().and_then(Option::as_ref).filter(|header| is_usual(header));
    let walk = match usable.or(corrected) {
        Some(header) => walk(&source, framing_of(Some(header)), header.len_bytes(), bound, listing),
        None => walk_behind_damaged_header(&source, bound, listing),
    }
    .map_err(fail)?;
    let len_bytes = source.len_bytes();
    Ok(TranslogFile { len_bytes, header, corrected_header, walk, copies_earlier: false, path })
}

/// Without the CRC of version 3 a UUID of another length is a flipped bit in that length.
fn is_usual(header: &TranslogHeader) -> bool {
    header.version != HeaderVersion::V2 || header.len_bytes() == HEADER_LENGTHS[1]
}

/// The header is of no use, so its length is not known: it is the one behind which records are.
fn walk_behind_damaged_header(
    source: &FileSource,
    bound: Option<Bound>,
    listing: Listing,
) -> io::Result<Walk> {
    let [newer, older] = HEADER_LENGTHS;
    let walk_newer = walk(source, Framing::Sized, newer, bound, listing)?;
    if walk_newer.whole.count > 0 {
        return Ok(walk_newer);
    }
    let walk_older = walk(source, Framing::Sized, older, bound, listing)?;
    Ok(if walk_older.whole.count > 0 { walk_older } else { walk_newer })
}

fn stream(path: PathBuf, listing: Listing) -> Result<TranslogFile, ReadError> {
    let fail = |error| ReadError::new(&path, error);
    let source = FileSource::open_in_shard(&path).map_err(fail)?;
    let Start { header, corrected_header } = start(&source).map_err(fail)?;
    let (framing, from_offset) = match &header {
        Ok(Some(header)) => (framing_of(Some(header)), header.len_bytes()),
        Ok(None) => (Framing::Headerless, 0),
        Err(_) => (Framing::SizeIgnored, STREAM_HEADER_BYTES),
    };
    let walk = walk(&source, framing, from_offset, None, listing).map_err(fail)?;
    let len_bytes = source.len_bytes();
    Ok(TranslogFile { len_bytes, header, corrected_header, walk, copies_earlier: false, path })
}

/// How the records behind a header are told apart.
#[must_use]
pub fn framing_of(header: Option<&TranslogHeader>) -> Framing {
    match header.map(|header| header.version) {
        None => Framing::Headerless,
        Some(HeaderVersion::V1) => Framing::SizeIgnored,
        Some(HeaderVersion::V2 | HeaderVersion::V3) => Framing::Sized,
    }
}

/// What stands at the beginning of a translog.
struct Start {
    header: Result<Option<TranslogHeader>, Unreadable>,
    corrected_header: Option<Corrected<TranslogHeader>>,
}

fn start(source: &FileSource) -> io::Result<Start> {
    let bytes = source.bytes_at(0, HEADER_MAX_BYTES)?;
    let header = TranslogHeader::decode(&bytes);
    // A version that is not known may be a known one with a flipped bit: the CRC tells.
    let corrected_header = if header.is_err() { heal_header(&bytes) } else { None };
    Ok(Start { header, corrected_header })
}
