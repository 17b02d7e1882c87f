//! The journal of a round or an undo: what it is about to do, on the disk before it does it.
//!
//! A text file of one record a line: the CRC-32 of the JSON in eight hexadecimal digits, a blank,
//! the JSON. The first record is the [`Intent`] with every step, so that a run that was stopped
//! at any instant can be finished or taken back from it alone. It gets its name only when that
//! record is on the disk: a journal that exists is whole. The later records say how far it got;
//! one that is torn counts as not written, because every step can be done again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::place::with_suffix;
use super::quarantine::Quarantine;
use super::step::Step;
use super::store::{Attributes, Store, Times};
use super::store_error::StoreError;

/// Version of the journal's format that is written, and the newest that is read.
const JOURNAL_VERSION: u32 = 1;
/// Longest journal that is read, in bytes: some 100,000 steps.
const JOURNAL_MAX_BYTES: usize = 256 * 1024 * 1024;
const BLOCK_BYTES: usize = 64 * 1024;
/// How many unfinished journals of stopped attempts are passed over before giving up.
const ATTEMPTS_MAX: u32 = crate::limit::JOURNAL_NAMES.count();

/// A folder as it was before a round: undo gives it these times, and refuses to be the one that
/// loses a name which the server has put there since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FolderBefore {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// Its times.
    pub(crate) times: Times,
    /// The names in it; `None` for a folder of the user's that only takes the quarantine.
    pub(crate) names: Option<BTreeSet<String>>,
}

/// Everything that is going to be done, and what is needed to take it back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Intent {
    /// The round, from 1; 0 for an undo.
    pub(crate) round: u32,
    /// The shards it is for, as `[index][0]`.
    pub(crate) shards: Vec<String>,
    /// Where their files go.
    pub(crate) quarantines: Vec<Quarantine>,
    /// The folders whose times undo sets back.
    pub(crate) folders: Vec<FolderBefore>,
    /// The steps, in order.
    pub(crate) steps: Vec<Step>,
    /// What a person should know, one sentence each.
    pub(crate) notes: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum Record {
    Begin {
        version: u32,
        #[serde(flatten)]
        intent: Intent,
    },
    /// The step of this index (from 0) is done.
    Done { index: usize },
    /// Every step is done and on the disk.
    End,
}

/// The one field that every version of the first record has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// A journal that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its first record does not match its CRC, or a record makes no sense.
    #[error(
        "the journal {} is damaged, so nothing is resumed or undone from it; the files \
         themselves are in the quarantine", .0.display()
    )]
    Damaged(PathBuf),
    /// Written by a newer version of this program.
    #[error(
        "the journal {} has version {version}, and this program knows {JOURNAL_VERSION} at most; \
         use the version that wrote it", path.display()
    )]
    Newer {
        /// The journal.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// It is longer than any that this program writes.
    #[error("the journal {} is longer than {JOURNAL_MAX_BYTES} bytes", .0.display())]
    TooLong(PathBuf),
    /// A record could not be put into JSON, for example because a path is not UTF-8.
    #[error("cannot write the journal {}: {source}", path.display())]
    Unwritable {
        /// The journal.
        path: PathBuf,
        /// The reason.
        source: serde_json::Error,
    },
}

/// A journal on the disk.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    intent: Intent,
    done: BTreeSet<usize>,
    ended: bool,
    /// The last line has no end: the next record starts a line of its own.
    torn: bool,
}

fn record_of(line: &str) -> Option<&str> {
    let (crc, json) = line.split_once(' ')?;
    let crc = u32::from_str_radix(crc, 16).ok()?;
    (crc == crc32fast::hash(json.as_bytes())).then_some(json)
}

impl Journal {
    /// Writes a new journal with every step in it, and waits until it is on the disk.
    ///
    /// # Errors
    /// When a journal is there already or it cannot be written.
    pub(crate) fn begin(
        store: &mut dyn Store,
        path: &Path,
        attributes: Attributes,
        intent: Intent,
    ) -> Result<Self, JournalError> {
        let unnamed = free_name(store, path)?;
        store.create_file(&unnamed, attributes)?;
        let record = Record::Begin { version: JOURNAL_VERSION, intent };
        append(store, &unnamed, &record, "")?;
        store.sync_file(&unnamed)?;
        store.rename_new(&unnamed, path)?;
        if let Some(folder) = path.parent() {
            store.sync_folder(folder)?;
        }
        let Record::Begin { intent, .. } = record else {
            return Err(JournalError::Damaged(unnamed));
        };
        let path = path.to_path_buf();
        Ok(Self { path, intent, done: BTreeSet::new(), ended: false, torn: false })
    }

    /// Reads a journal.
    ///
    /// # Errors
    /// When it cannot be read, its first record is damaged, or it is newer than this program.
    pub(crate) fn open(store: &dyn Store, path: &Path) -> Result<Self, JournalError> {
        let bytes = read_all(store, path)?;
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.split('\n').filter(|line| !line.is_empty());
        let damaged = || JournalError::Damaged(path.to_path_buf());
        let first = lines.next().and_then(record_of).ok_or_else(damaged)?;
        let Version { version } = serde_json::from_str(first).map_err(|_| damaged())?;
        if version > JOURNAL_VERSION {
            return Err(JournalError::Newer { path: path.to_path_buf(), version });
        }
        let Ok(Record::Begin { intent, .. }) = serde_json::from_str(first) else {
            return Err(damaged());
        };
        let (mut done, mut ended) = (BTreeSet::new(), false);
        for json in lines.filter_map(record_of) {
            match serde_json::from_str(json) {
                Ok(Record::Done { index }) => {
                    done.insert(index);
                }
                Ok(Record::End) => ended = true,
                _ => return Err(damaged()),
            }
        }
        Ok(Self { path: path.to_path_buf(), intent, done, ended, torn: !bytes.ends_with(b"\n") })
    }

    /// What it is about.
    pub(crate) fn intent(&self) -> &Intent {
        &self.intent
    }

    /// Every step, in order.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.intent.steps
    }

    /// Whether every step is done.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Whether the step of this index was done, as far as that is known.
    pub(crate) fn is_done(&self, index: usize) -> bool {
        self.done.contains(&index)
    }

    /// How many steps from the first on are done and on the disk: those up to the last `Sync`
    /// that is done.
    pub(crate) fn settled_count(&self) -> usize {
        let is_sync = |index: &&usize| matches!(self.steps().get(**index), Some(Step::Sync { .. }));
        self.done.iter().rev().find(is_sync).map_or(0, |index| index.saturating_add(1))
    }

    /// The steps that are not known to be on the disk.
    pub(crate) fn left_steps(&self) -> Vec<Step> {
        let settled_count = if self.ended { usize::MAX } else { self.settled_count() };
        self.steps().iter().skip(settled_count).cloned().collect()
    }

    /// Notes that a step is done. After a `Sync` it waits until that is on the disk: what comes
    /// next relies on the steps before not being tried again. The others can be, and behind the
    /// last one comes the end, which waits for both.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn done(&mut self, store: &mut dyn Store, index: usize) -> Result<(), JournalError> {
        self.append(store, &Record::Done { index })?;
        let is_last = index.saturating_add(1) == self.steps().len();
        if !is_last && matches!(self.steps().get(index), Some(Step::Sync { .. })) {
            store.sync_file(&self.path)?;
        }
        self.done.insert(index);
        Ok(())
    }

    /// Notes that every step is done, and waits until that is on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn end(&mut self, store: &mut dyn Store) -> Result<(), JournalError> {
        self.append(store, &Record::End)?;
        store.sync_file(&self.path)?;
        self.ended = true;
        Ok(())
    }

    fn append(&mut self, store: &mut dyn Store, record: &Record) -> Result<(), JournalError> {
        append(store, &self.path, record, if self.torn { "\n" } else { "" })?;
        self.torn = false;
        Ok(())
    }
}

fn append(
    store: &mut dyn Store,
    path: &Path,
    record: &Record,
    before: &str,
) -> Result<(), JournalError> {
    let json = serde_json::to_string(record)
        .map_err(|source| JournalError::Unwritable { path: path.to_path_buf(), source })?;
    let line = format!("{before}{:08x} {json}\n", crc32fast::hash(json.as_bytes()));
    Ok(store.append(path, line.as_bytes())?)
}

/// A name for the journal while it is written; an attempt that was stopped may have left one.
fn free_name(store: &dyn Store, path: &Path) -> Result<PathBuf, JournalError> {
    for attempt in 1..ATTEMPTS_MAX {
        let name = with_suffix(path, &format!(".new-{attempt}"));
        if store.fingerprint(&name)?.is_none() {
            return Ok(name);
        }
    }
    Ok(with_suffix(path, &format!(".new-{ATTEMPTS_MAX}")))
}

fn read_all(store: &dyn Store, path: &Path) -> Result<Vec<u8>, JournalError> {
    let mut bytes = Vec::new();
    let mut block = vec![0; BLOCK_BYTES];
    while bytes.len() <= JOURNAL_MAX_BYTES {
        let count = store.read_at(path, bytes.len() as u64, &mut block)?;
        match block.get(..count) {
            Some(read) if !read.is_empty() => bytes.extend_from_slice(read),
            _ => return Ok(bytes),
        }
    }
    Err(JournalError::TooLong(path.to_path_buf()))
}
