//! Damaged shards of each format family with the plans that repair them, in a file system in memory
//! that stops at a chosen call.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::crash::Crash;
use super::disk::SimDisk;
use super::picture::Picture;
use super::store::SimStore;
use crate::apply::execute::Executor;
use crate::apply::journal::{Intent, Journal};
use crate::apply::lower::{LowerError, lower};
use crate::apply::quarantine::{Arrangement, Base, Bases, Quarantine};
use crate::apply::redo::redo_steps;
use crate::apply::undo::undo_steps;
use crate::apply::{ApplyError, Attributes, NewerFiles, Owner, Step, StepKind, Store};
use crate::diagnose::Listing;
use crate::diagnose::fixture::Shard;
use crate::plan::{Change, Context, Copies, Fresh, HealthyCopyRule, Level, Policy, plan};

/// Another file system.
pub(super) const ELSEWHERE: &str = "/elsewhere";
const RUN: &str = "/state/runs/20261125T000000Z-0001";

/// The journal of the repair.
pub(in crate::apply) const ROUND_JOURNAL: &str = "round-1.journal";
/// The journal of an undo, beside that of the round.
pub(in crate::apply) const UNDO_JOURNAL: &str = "undo.journal";

/// Shards with damage, and the plans that repair them.
#[derive(Clone)]
pub(in crate::apply) struct Case {
    pub(in crate::apply) name: String,
    pub(in crate::apply) disk: SimDisk,
    /// Folder and changes of each shard.
    shards: Vec<(PathBuf, Vec<Change>)>,
    pub(super) arrangement: Arrangement,
    /// The quarantine is on another file system.
    pub(super) is_elsewhere: bool,
    pub(super) before: Picture,
    pub(super) repaired: Picture,
    pub(in crate::apply) call_count: usize,
}

fn own() -> Attributes {
    Attributes { owner: Owner { uid: 0, gid: 0 }, mode: 0o600 }
}

/// `None` where the level keeps everything and this damage cannot be repaired so.
pub(in crate::apply) fn changes_of(shard: &Shard, level: Level) -> Option<Vec<Change>> {
    let (evidence, diagnosis) = shard.read(Listing::Everything);
    let context = Context {
        copies: Copies::Lone,
        shard_folders: vec![shard.path().to_path_buf()],
        folder_bytes: 0,
        node: None,
        index_is_open: true,
        kept_elsewhere: None,
        free_bytes: None,
    };
    let policy = Policy { level, healthy_copy: HealthyCopyRule::Refuse, beyond_checkpoint: false };
    let fresh = Fresh { history_uuid: "zyxwvutsrqponmlkjihgfe".into(), commit_id: [9; 16] };
    let name = shard.shard_folder().shard;
    let planned = plan(&name, &evidence, &diagnosis, &context, policy, &fresh);
    planned.ok().map(|plan| plan.changes)
}

impl Case {
    /// The shards as they are on the real disk, repaired without a stop.
    pub(in crate::apply) fn new(
        name: String,
        shards: Vec<(PathBuf, Vec<Change>)>,
        arrangement: Arrangement,
    ) -> Self {
        let mut disk = SimDisk::new();
        for (folder, _) in &shards {
            disk.load(folder);
        }
        for path in ["/state", "/state/runs", RUN, ELSEWHERE] {
            disk.make_folder(Path::new(path), own()).unwrap();
        }
        disk.crash(Crash::All);
        disk.stop_clock();
        let mut case = Self {
            name,
            before: Picture::new(),
            repaired: Picture::new(),
            call_count: 0,
            disk,
            shards,
            arrangement,
            is_elsewhere: false,
        };
        case.before = case.picture(&case.disk);
        case.repair().unwrap();
        case
    }

    /// Repairs it once without a stop.
    fn repair(&mut self) -> Result<(), ApplyError> {
        let mut store = SimStore::new(self.disk.clone());
        self.go_on(&mut store)?;
        self.call_count = store.calls.len();
        self.repaired = self.picture(&store.disk);
        Ok(())
    }

    /// The same on a file system that has no room for names: small files are emptied, or in the
    /// journal; `None` where that changes nothing, or a file has to be written, which is refused.
    pub(in crate::apply) fn on_a_full_disk(&self) -> Option<Self> {
        let mut full = Self { name: format!("{}, full", self.name), ..self.clone() };
        full.disk.is_full = true;
        match full.repair() {
            Err(ApplyError::Lower(LowerError::Space { .. })) => return None,
            other => other.unwrap(),
        }
        (full.call_count != self.call_count).then_some(full)
    }

    /// The same with a quarantine on another file system.
    pub(in crate::apply) fn elsewhere(&self) -> Self {
        let name = format!("{}, elsewhere", self.name);
        let mut elsewhere = Self { name, is_elsewhere: true, ..self.clone() };
        elsewhere.repair().unwrap();
        elsewhere
    }

    /// The path of a journal of the run.
    pub(super) fn journal(name: &str) -> PathBuf {
        Path::new(RUN).join(name)
    }

    /// A journal of the run as a disk has it.
    pub(super) fn opened(disk: &SimDisk, journal: &str) -> Result<Journal, ApplyError> {
        Ok(Journal::open(&SimStore::new(disk.clone()), &Self::journal(journal))?)
    }

    /// The kinds of steps in a journal.
    pub(in crate::apply) fn kinds(disk: &SimDisk, journal: &str) -> BTreeSet<StepKind> {
        Self::opened(disk, journal).unwrap().steps().iter().map(Step::kind).collect()
    }

    /// The files that the journal of the repair keeps and that stay.
    pub(in crate::apply) fn recorded(disk: &SimDisk) -> Vec<PathBuf> {
        let journal = Self::opened(disk, ROUND_JOURNAL).unwrap();
        let files = journal.steps().iter().filter_map(|step| match step {
            Step::Record { file, .. } => Some(file.clone()),
            _ => None,
        });
        files.collect()
    }

    /// Whether the shards differ after the repair.
    pub(in crate::apply) fn repairs(&self) -> bool {
        self.repaired != self.before
    }

    /// The folder that takes the quarantines.
    pub(super) fn anchor(&self) -> &Path {
        self.shards[0].0.parent().unwrap()
    }

    fn quarantines(&self) -> Vec<Quarantine> {
        let quarantine = |(index, (folder, _)): (usize, &(PathBuf, Vec<Change>))| {
            let within =
                |anchor: PathBuf| Base { folder: anchor.join("data.es-translog-fix"), anchor };
            let own = within(self.anchor().to_path_buf());
            let bases = if self.is_elsewhere {
                Bases { kept: within(PathBuf::from(ELSEWHERE)), own: Some(own) }
            } else {
                Bases { kept: own, own: None }
            };
            let parts = ["run", "round-1", "logs", &index.to_string()].map(str::to_owned);
            Quarantine::new(folder, bases, &parts, index + 1, self.arrangement)
        };
        self.shards.iter().enumerate().map(quarantine).collect()
    }

    /// As the program does after a crash: a round without a journal is begun, one with a journal is
    /// gone on with.
    pub(in crate::apply) fn go_on(&self, store: &mut SimStore) -> Result<(), ApplyError> {
        let path = Self::journal(ROUND_JOURNAL);
        let mut journal = if store.inode(&path)?.is_some() {
            Journal::open(store, &path)?
        } else {
            let quarantines = self.quarantines();
            let shards: Vec<(&[Change], Vec<Quarantine>)> = self
                .shards
                .iter()
                .zip(&quarantines)
                .map(|((_, changes), place)| (changes.as_slice(), vec![place.clone()]))
                .collect();
            let lowered = lower(store, &shards, true)?;
            let intent = Intent {
                round: 1,
                shards: vec!["[logs][0]".to_owned()],
                quarantines,
                folders: lowered.folders,
                steps: lowered.steps,
                notes: lowered.notes,
            };
            Journal::begin(store, &path, own(), intent)?
        };
        Executor::new(store, &|| false).run(&mut journal).map(drop)
    }

    pub(in crate::apply) fn undo(&self, store: &mut SimStore) -> Result<(), ApplyError> {
        let round = Self::journal(ROUND_JOURNAL);
        if store.inode(&round)?.is_none() {
            return Ok(());
        }
        let round = Journal::open(store, &round)?;
        self.take_back(store, UNDO_JOURNAL, |store| {
            Ok(undo_steps(store, &[round], NewerFiles::Refuse)?)
        })
    }

    pub(in crate::apply) fn redo(&self, store: &mut SimStore) -> Result<(), ApplyError> {
        let undo = Journal::open(store, &Self::journal(UNDO_JOURNAL))?;
        self.take_back(store, "undo-2.journal", |store| Ok(redo_steps(store, &undo)?))
    }

    fn take_back(
        &self,
        store: &mut SimStore,
        name: &str,
        steps: impl FnOnce(&SimStore) -> Result<Vec<Step>, ApplyError>,
    ) -> Result<(), ApplyError> {
        let path = Self::journal(name);
        let mut journal = if store.inode(&path)?.is_some() {
            Journal::open(store, &path)?
        } else {
            let quarantines = self.quarantines();
            let intent = Intent { quarantines, steps: steps(store)?, ..Intent::default() };
            Journal::begin(store, &path, own(), intent)?
        };
        Executor::new(store, &|| false).run(&mut journal).map(drop)
    }
}
