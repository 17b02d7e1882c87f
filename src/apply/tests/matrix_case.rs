//! Damaged shards of each format family with the plans that repair them, in a file system in memory
//! that stops at a chosen call.

use std::path::{Path, PathBuf};

use super::sim_disk::{CRASHES, Crash, SimDisk};
use super::sim_picture::{Picture, assert_same};
use super::sim_store::SimStore;
use crate::apply::execute::Executor;
use crate::apply::journal::{Intent, Journal};
use crate::apply::lower::lower;
use crate::apply::quarantine::{Arrangement, Base, Quarantine};
use crate::apply::redo::redo_steps;
use crate::apply::undo::undo_steps;
use crate::apply::{ApplyError, Attributes, NewerFiles, Owner, Store};
use crate::diagnose::Listing;
use crate::diagnose::fixture::Shard;
use crate::plan::{Change, Context, Copies, Fresh, HealthyCopyRule, Level, Policy, plan};

const RUN: &str = "/state/runs/20261125T000000Z-0001";

/// A shard with damage, and the plan that repairs it.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) disk: SimDisk,
    folder: PathBuf,
    changes: Vec<Change>,
    arrangement: Arrangement,
    before: Picture,
    repaired: Picture,
    pub(super) call_count: usize,
}

fn own() -> Attributes {
    Attributes { owner: Owner { uid: 0, gid: 0 }, mode: 0o600 }
}

fn damaged_shards() -> Vec<(&'static str, Shard)> {
    let damage = |bytes: &mut Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
    };
    let (sequenced, generations, stream) =
        (Shard::sequenced(), Shard::generations(), Shard::stream());
    sequenced.edit("translog-2.tlog", damage);
    generations.edit("translog-2.tlog", damage);
    stream.edit(&format!("translog-{}", crate::diagnose::fixture::STREAM_ID), damage);
    let checkpoint = Shard::sequenced();
    checkpoint.edit("translog.ckp", |bytes| bytes[20] ^= 1);
    vec![
        ("sequence numbers", sequenced),
        ("sequence numbers, checkpoint", checkpoint),
        ("generations", generations),
        ("stream", stream),
    ]
}

/// `None` where the level keeps everything and this damage cannot be repaired so.
fn changes_of(shard: &Shard, level: Level) -> Option<Vec<Change>> {
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
    assert!(planned.is_ok() || level == Level::All, "{planned:?}");
    planned.ok().map(|plan| plan.changes)
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (family, shard) in damaged_shards() {
        // Levels that come to the same repair are one case.
        let mut known: Vec<Vec<Change>> = Vec::new();
        for level in Level::ALL {
            let Some(changes) = changes_of(&shard, level) else { continue };
            if known.contains(&changes) {
                continue;
            }
            known.push(changes.clone());
            for arrangement in [Arrangement::Folders, Arrangement::Flat] {
                let name = format!("{family}, level {level}, {arrangement:?}");
                cases.push(Case::new(name, &shard, changes.clone(), arrangement));
            }
        }
        for arrangement in [Arrangement::Folders, Arrangement::Flat] {
            let name = format!("{family}, moved away, {arrangement:?}");
            let changes = vec![Change::MoveFolder { path: shard.path().to_path_buf() }];
            cases.push(Case::new(name, &shard, changes, arrangement));
        }
    }
    cases
}

impl Case {
    fn new(name: String, shard: &Shard, changes: Vec<Change>, arrangement: Arrangement) -> Self {
        let mut disk = SimDisk::new();
        disk.load(shard.path());
        for path in ["/state", "/state/runs", RUN] {
            disk.make_folder(Path::new(path), own()).unwrap();
        }
        disk.crash(Crash::All);
        let folder = shard.path().to_path_buf();
        let mut case = Self {
            name,
            before: Picture::new(),
            repaired: Picture::new(),
            call_count: 0,
            disk: disk.clone(),
            folder,
            changes,
            arrangement,
        };
        case.before = case.picture(&disk);
        let mut store = SimStore::new(disk);
        case.go_on(&mut store).unwrap();
        case.call_count = store.calls.len();
        case.repaired = case.picture(&store.disk);
        assert_ne!(case.repaired, case.before, "{}: it repairs nothing", case.name);
        assert!(case.call_count > 10, "{}: {:?}", case.name, store.calls);
        case
    }

    /// The shard and the folder beside it that takes the quarantine, without that.
    fn picture(&self, disk: &SimDisk) -> Picture {
        let anchor = self.folder.parent().unwrap();
        disk.picture(anchor, &|path| {
            let path = path.to_string_lossy();
            !path.contains("data.es-translog-fix") && !path.contains(".etf-")
        })
    }

    fn quarantine(&self) -> Quarantine {
        let anchor = self.folder.parent().unwrap().to_path_buf();
        let base = Base { folder: anchor.join("data.es-translog-fix"), anchor };
        let parts = ["run", "round-1", "logs", "0"].map(str::to_owned);
        Quarantine::new(&self.folder, base, &parts, 1, self.arrangement)
    }

    /// As the program does after a crash: a round without a journal is begun, one with a journal is
    /// gone on with.
    pub(super) fn go_on(&self, store: &mut SimStore) -> Result<(), ApplyError> {
        let path = Path::new(RUN).join("round-1.journal");
        let mut journal = if store.inode(&path)?.is_some() {
            Journal::open(store, &path)?
        } else {
            let quarantine = self.quarantine();
            let lowered = lower(store, &[(&self.changes, vec![quarantine.clone()])])?;
            let intent = Intent {
                round: 1,
                shards: vec!["[logs][0]".to_owned()],
                quarantines: vec![quarantine],
                folders: lowered.folders,
                steps: lowered.steps,
                notes: lowered.notes,
            };
            Journal::begin(store, &path, own(), intent)?
        };
        Executor::new(store, &|| false).run(&mut journal).map(drop)
    }

    pub(super) fn undo(&self, store: &mut SimStore) -> Result<(), ApplyError> {
        let round = Path::new(RUN).join("round-1.journal");
        if store.inode(&round)?.is_none() {
            return Ok(());
        }
        let round = Journal::open(store, &round)?;
        self.take_back(store, "undo.journal", |store| {
            Ok(undo_steps(store, &[round], NewerFiles::Refuse)?)
        })
    }

    pub(super) fn redo(&self, store: &mut SimStore) -> Result<(), ApplyError> {
        let undo = Journal::open(store, &Path::new(RUN).join("undo.journal"))?;
        self.take_back(store, "undo-2.journal", |store| Ok(redo_steps(store, &undo)?))
    }

    fn take_back(
        &self,
        store: &mut SimStore,
        name: &str,
        steps: impl FnOnce(&SimStore) -> Result<Vec<crate::apply::Step>, ApplyError>,
    ) -> Result<(), ApplyError> {
        let path = Path::new(RUN).join(name);
        let mut journal = if store.inode(&path)?.is_some() {
            Journal::open(store, &path)?
        } else {
            let quarantines = vec![self.quarantine()];
            let intent = Intent { quarantines, steps: steps(store)?, ..Intent::default() };
            Journal::begin(store, &path, own(), intent)?
        };
        Executor::new(store, &|| false).run(&mut journal).map(drop)
    }

    /// Exactly as it was: bytes, owner, mode, times, labels, and the very same files.
    pub(super) fn assert_before(&self, disk: &SimDisk, told: &str) {
        assert_same(&self.picture(disk), &self.before, &format!("{}: {told}", self.name));
    }

    /// Exactly as a repair without a stop leaves it, but for inodes and times of what is new; and
    /// every file of before is kept in the quarantine, or its bytes in the journal.
    pub(super) fn assert_repaired(&self, disk: &SimDisk, told: &str) {
        let told = format!("{}: {told}", self.name);
        let now = self.picture(disk);
        let comparable = |picture: &Picture| {
            let mut picture = picture.clone();
            for (path, seen) in &mut picture {
                let is_old = self.before.get(path).is_some_and(|old| old.inode == seen.inode);
                if !is_old || seen.content.is_none() {
                    (seen.inode, seen.times) = (0, (0, 0));
                }
                if self.arrangement == Arrangement::Flat {
                    seen.times = (0, 0);
                }
            }
            picture
        };
        assert_same(&comparable(&now), &comparable(&self.repaired), &told);
        let anchor = self.folder.parent().unwrap();
        let everything = disk.picture(anchor, &|_| true);
        for (path, old) in &self.before {
            let kept = everything
                .values()
                .any(|seen| seen.inode == old.inode && (seen.content == old.content));
            let rewritten = now.values().any(|seen| seen.inode == old.inode);
            assert!(
                kept || (rewritten && self.arrangement == Arrangement::Flat),
                "{told}: {path:?}"
            );
        }
    }

    /// Both ways on from a disk after a crash.
    pub(super) fn check(&self, disk: &SimDisk, told: &str) {
        let mut store = SimStore::new(disk.clone());
        self.go_on(&mut store)
            .unwrap_or_else(|error| panic!("{}: {told}: resume: {error}", self.name));
        self.assert_repaired(&store.disk, &format!("{told}, resumed"));
        self.undo(&mut store)
            .unwrap_or_else(|error| panic!("{}: {told}: resume, undo: {error}", self.name));
        self.assert_before(&store.disk, &format!("{told}, resumed and undone"));
        let mut store = SimStore::new(disk.clone());
        self.undo(&mut store)
            .unwrap_or_else(|error| panic!("{}: {told}: undo: {error}", self.name));
        self.assert_before(&store.disk, &format!("{told}, undone"));
    }

    /// Every disk that a stop at any call of an action, with any crash, leaves behind.
    pub(super) fn stops(
        &self,
        disk: &SimDisk,
        action: fn(&Self, &mut SimStore) -> Result<(), ApplyError>,
        check: &mut dyn FnMut(&SimDisk, &str),
    ) -> usize {
        let mut count = 0;
        for at_call in 1.. {
            let mut whole = SimStore::stopping(disk, at_call, false);
            if action(self, &mut whole).is_ok() {
                break;
            }
            let is_write = matches!(whole.calls.last(), Some(&("append" | "overwrite")));
            let mut stopped: Vec<(SimDisk, Crash, bool)> =
                CRASHES.iter().map(|crash| (whole.disk.clone(), *crash, false)).collect();
            if is_write {
                let mut torn = SimStore::stopping(disk, at_call, true);
                action(self, &mut torn).unwrap_err();
                stopped.push((torn.disk, Crash::All, true));
            }
            for (mut disk, crash, torn) in stopped {
                disk.crash(crash);
                let call = whole.calls.last().unwrap();
                check(&disk, &format!("call {at_call} ({call}), {crash:?}, torn {torn}"));
                count += 1;
            }
        }
        count
    }
}
