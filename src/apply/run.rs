//! One run on the disk: its rounds are repaired, finished or taken back here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::error::ApplyError;
use super::execute::{Executor, with_suffix};
use super::journal::{Intent, Journal};
use super::lower::lower;
use super::quarantine::{Quarantine, base_for, label_of};
use super::state_error::StateError;
use super::state_files::write_file;
use super::step::Step;
use super::store::{Attributes, Owner, Store};
use super::summary::{AboutFile, Journals, RunId, RunState, round_journal, undo_journal};
use super::undo::{UndoError, undo_steps};
use crate::plan::Change;

/// The journals are the tool's own and nobody else's to read.
const FILE_MODE: u32 = 0o600;

/// The changes of one shard.
#[derive(Debug, Clone)]
pub struct ShardChanges {
    /// The shard, as `[index][0]`.
    pub shard: String,
    /// Its folder, and up to 1.7 its stripes in further data paths, each with its data path.
    pub shard_folders: Vec<(PathBuf, PathBuf)>,
    /// What changes in them.
    pub changes: Vec<Change>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The round, from 1; 0 for an undo.
    pub round: u32,
    /// The folders in which the shards' old files are.
    pub quarantines: Vec<PathBuf>,
    /// Steps done by this call; 0 when there was nothing to do.
    pub step_count: usize,
}

/// A run in the state folder.
///
/// Where it stands is read from its journals at every call, so two calls of one process are not
/// different from two of two processes.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    id: RunId,
}

impl RunFolder {
    pub(super) fn at(path: PathBuf, id: RunId) -> Self {
        Self { path, id }
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// Its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How far it got.
    #[must_use]
    pub fn state(&self) -> RunState {
        match Journals::read(&self.path) {
            Ok(journals) => journals.state(),
            Err(error) => RunState::Unreadable(error.to_string()),
        }
    }

    /// Puts a file of this name (`plan-1.json`, `report.json`) into the run's folder, whole and on
    /// the disk, for its owner only; one that is there is replaced.
    ///
    /// # Errors
    /// When it cannot be written, or the name is not that of a file in the folder.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StateError> {
        write_file(&self.path, name, bytes)
    }

    /// Does one round: the changes of these shards, each step in the journal before it happens.
    /// `cancelled` is asked before each step.
    ///
    /// # Errors
    /// See [`ApplyError`].
    pub fn repair(
        &mut self,
        store: &mut dyn Store,
        cancelled: &dyn Fn() -> bool,
        shards: &[ShardChanges],
    ) -> Result<Receipt, ApplyError> {
        let journals = Journals::read(&self.path)?;
        if !matches!(journals.state(), RunState::Empty | RunState::Done) {
            let why = format!("run {} is unfinished or was undone", self.id);
            return Err(ApplyError::NotNow(why));
        }
        let last = journals.rounds.last().map_or(0, |journal| journal.intent().round);
        let intent = self.intent(store, last.saturating_add(1), shards)?;
        let path = round_journal(&self.path, intent.round);
        let mut journal = Journal::begin(store, &path, own_file(), intent)?;
        execute(store, cancelled, &mut journal)
    }

    /// Finishes a round or an undo that was stopped; otherwise there is nothing to do.
    ///
    /// # Errors
    /// See [`ApplyError`].
    pub fn resume(
        &mut self,
        store: &mut dyn Store,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Receipt, ApplyError> {
        let Journals { mut rounds, undo } = Journals::read(&self.path)?;
        match undo.or_else(|| rounds.pop()) {
            Some(mut journal) => execute(store, cancelled, &mut journal),
            None => Ok(nothing()),
        }
    }

    /// The steps that [`RunFolder::undo`] would do; none when there is nothing to take back.
    ///
    /// # Errors
    /// When the server has since written to a shard, or a file is missing from the quarantine.
    pub fn undo_plan(&self, store: &dyn Store) -> Result<Vec<Step>, UndoError> {
        let Journals { mut rounds, undo } = Journals::read(&self.path)?;
        if let Some(undo) = undo {
            let settled_count = if undo.is_ended() { usize::MAX } else { undo.settled_count() };
            return Ok(undo.steps().iter().skip(settled_count).cloned().collect());
        }
        rounds.reverse();
        undo_steps(store, &rounds)
    }

    /// Takes every round back, newest first, or goes on with that. Everything is checked before
    /// the first change. The folders of the quarantine, and new files that were staged, stay.
    ///
    /// # Errors
    /// See [`ApplyError`].
    pub fn undo(
        &mut self,
        store: &mut dyn Store,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Receipt, ApplyError> {
        match self.state() {
            RunState::Empty => return Ok(nothing()),
            RunState::Undone | RunState::UndoUnfinished => return self.resume(store, cancelled),
            RunState::Unfinished { .. } | RunState::Done | RunState::Unreadable(_) => {}
        }
        let steps = self.undo_plan(store)?;
        let intent = Intent { steps, ..Intent::default() };
        let mut journal = Journal::begin(store, &undo_journal(&self.path), own_file(), intent)?;
        execute(store, cancelled, &mut journal)
    }

    fn intent(
        &self,
        store: &dyn Store,
        round: u32,
        shards: &[ShardChanges],
    ) -> Result<Intent, ApplyError> {
        let about = AboutFile::read(&self.path)
            .map_err(|source| StateError::io("read what it is about from", &self.path, source))?;
        let asked_for = about.about.quarantine_dir.as_deref();
        let inside = Path::new(self.id.as_str()).join(format!("round-{round}"));
        let mut taken = BTreeSet::new();
        let mut placed = Vec::new();
        for shard in shards {
            let label = inside.join(shard_label(&shard.shard));
            let mut quarantines = Vec::new();
            for (shard_folder, data_path) in &shard.shard_folders {
                let base = base_for(shard_folder, data_path, asked_for)?;
                let folder = free_label(&mut taken, &base.folder.join(&label));
                let shard_folder = shard_folder.clone();
                quarantines.push(Quarantine { shard_folder, anchor: base.anchor, folder });
            }
            placed.push((shard.changes.as_slice(), quarantines));
        }
        let lowered = lower(store, &placed)?;
        let quarantines = taken.into_iter().collect();
        let shards = shards.iter().map(|shard| shard.shard.clone()).collect();
        Ok(Intent { round, shards, quarantines, folders: lowered.folders, steps: lowered.steps })
    }
}

fn execute(
    store: &mut dyn Store,
    cancelled: &dyn Fn() -> bool,
    journal: &mut Journal,
) -> Result<Receipt, ApplyError> {
    let step_count = Executor { store, cancelled }.run(journal)?;
    let Intent { round, quarantines, .. } = journal.intent();
    Ok(Receipt { round: *round, quarantines: quarantines.clone(), step_count })
}

fn nothing() -> Receipt {
    Receipt { round: 0, quarantines: Vec::new(), step_count: 0 }
}

fn own_file() -> Attributes {
    let owner =
        Owner { uid: nix::unistd::geteuid().as_raw(), gid: nix::unistd::getegid().as_raw() };
    Attributes { owner, mode: FILE_MODE }
}

/// `[index][0]` -> `index/0`; anything else becomes one folder.
fn shard_label(shard: &str) -> PathBuf {
    let inner = shard.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match inner.and_then(|inner| inner.rsplit_once("][")) {
        Some((index, number)) => Path::new(&label_of(index)).join(label_of(number)),
        None => PathBuf::from(label_of(shard)),
    }
}

/// The stripes of a shard, and two shards of one name, get folders of their own.
fn free_label(taken: &mut BTreeSet<PathBuf>, folder: &Path) -> PathBuf {
    let mut free = folder.to_path_buf();
    let mut number: u32 = 2;
    while !taken.insert(free.clone()) {
        free = with_suffix(folder, &format!("-{number}"));
        number = number.saturating_add(1);
    }
    free
}
