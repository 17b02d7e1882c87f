//! One run on the disk: its rounds are repaired, finished or taken back here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::error::ApplyError;
use super::execute::Executor;
use super::halt::Halted;
use super::journal::{Intent, Journal};
use super::lower::{LowerError, Lowered, lower};
use super::place::with_suffix;
use super::quarantine::{Arrangement, Quarantine, bases_for, label_of};
use super::state_error::StateError;
use super::state_files::{put_file, write_file};
use super::store::{Attributes, Store};
use super::summary::{AboutFile, Journals, RunId, RunState, round_journal};
use crate::plan::Change;

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
    /// What a person should know, one sentence each.
    pub notes: Vec<String>,
}

/// A run in the state folder.
///
/// Where it stands is read from its journals at every call, so two calls of one process are not
/// different from two of two processes.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    id: RunId,
    /// In the spare state folder, which ends with the machine.
    pub(super) is_volatile: bool,
}

impl RunFolder {
    pub(super) fn at(path: PathBuf, id: RunId) -> Self {
        Self { path, id, is_volatile: false }
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

    /// What a person must know of where the run is recorded.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        self.is_volatile.then(|| {
            format!(
                "THERE IS NO ROOM IN THE STATE FOLDER: this run is recorded in {}, which is gone \
                 when this machine restarts, and with it `undo` and `resume`; copy that folder to \
                 a disk before a restart",
                self.path.display()
            )
        })
    }

    /// How far it got.
    #[must_use]
    pub fn state(&self) -> RunState {
        match Journals::read(&self.path) {
            Ok(journals) => journals.state(),
            Err(error) => RunState::Unreadable(error.to_string()),
        }
    }

    /// Puts a file of a round, `plan-1.json`, into the run's folder, whole, for its owner only. It is
    /// on the disk as soon as the journal of the round is, which is begun afterwards.
    ///
    /// # Errors
    /// When it cannot be written, or the name is not that of a file in the folder.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StateError> {
        put_file(&self.path, name, bytes)
    }

    /// Puts a file of the run, `report.json`, into its folder, whole and on the disk, for its owner
    /// only; one that is there is replaced.
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
        if let Some(halted) = Halted::of(&self.path)? {
            return Err(halted.into());
        }
        let journals = Journals::read(&self.path)?;
        let is_open = matches!(journals.state(), RunState::Empty | RunState::Done);
        if !is_open || !journals.undos.is_empty() {
            let why = format!("run {} is unfinished or was undone", self.id);
            return Err(ApplyError::NotNow(why));
        }
        let last = journals.rounds.last().map_or(0, |journal| journal.intent().round);
        let intent = self.intent(store, last.saturating_add(1), shards)?;
        let path = round_journal(&self.path, intent.round);
        let mut journal = self.begin(store, &path, intent)?;
        self.execute(store, cancelled, &mut journal)
    }

    /// Does what is left of a journal. A sync that fails is the last thing that happens in the run.
    pub(super) fn execute(
        &self,
        store: &mut dyn Store,
        cancelled: &dyn Fn() -> bool,
        journal: &mut Journal,
    ) -> Result<Receipt, ApplyError> {
        if let Some(halted) = Halted::of(&self.path)? {
            return Err(halted.into());
        }
        let done = Executor::new(store, cancelled).run(journal);
        let step_count = done.map_err(|error| self.halted(error))?;
        let Intent { round, quarantines, notes, .. } = journal.intent().clone();
        let quarantines = quarantines.into_iter().map(|quarantine| quarantine.folder).collect();
        Ok(Receipt { round, quarantines, step_count, notes })
    }

    /// Begins a journal, in which a failed sync halts the run as well.
    pub(super) fn begin(
        &self,
        store: &mut dyn Store,
        path: &Path,
        intent: Intent,
    ) -> Result<Journal, ApplyError> {
        if let Some(halted) = Halted::of(&self.path)? {
            return Err(halted.into());
        }
        Journal::begin(store, path, Attributes::own_file(), intent)
            .map_err(|error| self.halted(error.into()))
    }

    fn halted(&self, error: ApplyError) -> ApplyError {
        match error.failed_sync() {
            Some(failed) => Halted::note(&self.path, failed).into(),
            None => error,
        }
    }

    /// With folders in the quarantine and every new file written beside the old one; where there is
    /// not the room for that, in the room that the old files have.
    fn intent(
        &self,
        store: &dyn Store,
        round: u32,
        shards: &[ShardChanges],
    ) -> Result<Intent, ApplyError> {
        let (lowered, quarantines) = match self.lower(store, round, shards, Arrangement::Folders) {
            Err(ApplyError::Lower(LowerError::Space { .. })) => {
                self.lower(store, round, shards, Arrangement::Flat)?
            }
            other => other?,
        };
        let Lowered { steps, folders, notes, manifest } = lowered;
        self.put(&format!("manifest-{round}.txt"), manifest.as_bytes())?;
        let shards = shards.iter().map(|shard| shard.shard.clone()).collect();
        Ok(Intent { round, shards, quarantines, folders, steps, notes })
    }

    fn lower(
        &self,
        store: &dyn Store,
        round: u32,
        shards: &[ShardChanges],
        arrangement: Arrangement,
    ) -> Result<(Lowered, Vec<Quarantine>), ApplyError> {
        let about = AboutFile::read(&self.path)
            .map_err(|source| StateError::io("read what it is about from", &self.path, source))?;
        let asked_for = about.about.quarantine_dir.as_deref();
        let mut taken = BTreeSet::new();
        let mut placed = Vec::new();
        for (number, shard) in (1..).zip(shards) {
            let mut parts = vec![self.id.as_str().to_owned(), format!("round-{round}")];
            parts.extend(shard_labels(&shard.shard));
            let mut quarantines = Vec::new();
            for (shard_folder, data_path) in &shard.shard_folders {
                let bases = bases_for(shard_folder, data_path, asked_for)?;
                let mut quarantine =
                    Quarantine::new(shard_folder, bases, &parts, number, arrangement);
                let own = quarantine.own.as_mut().map(|own| &mut own.folder);
                for folder in std::iter::once(&mut quarantine.folder).chain(own) {
                    *folder = free_label(&mut taken, folder);
                }
                quarantines.push(quarantine);
            }
            placed.push((shard.changes.as_slice(), quarantines));
        }
        let lowered = lower(store, &placed, !self.is_volatile)?;
        let quarantines = placed.into_iter().flat_map(|(_, quarantines)| quarantines).collect();
        Ok((lowered, quarantines))
    }
}

/// `[index][0]` -> `index` and `0`; anything else becomes one label.
fn shard_labels(shard: &str) -> Vec<String> {
    let inner = shard.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match inner.and_then(|inner| inner.rsplit_once("][")) {
        Some((index, number)) => vec![label_of(index), label_of(number)],
        None => vec![label_of(shard)],
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
