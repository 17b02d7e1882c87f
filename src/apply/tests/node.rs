//! A node folder with two shards, the changes that repair them, and pictures of it to compare.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::apply::{
    ApplyError, Attributes, DiskStore, Fingerprint, NewerFiles, Receipt, RunAbout, RunFolder,
    RunState, ShardChanges, StateDir, Store, Times,
};
use crate::plan::{Change, Piece};

/// What the repair writes as the new checkpoint of both shards.
pub(super) const NEW_CHECKPOINT: &[u8] = b"a checkpoint that says less";
/// What it appends to the cut translog.
pub(super) const NEW_TAIL: &[u8] = b" and a new end";
/// How many bytes of the translog it keeps.
pub(super) const KEPT_BYTES: u64 = 700;

/// Bytes, owner, mode and times of a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    File(Fingerprint),
    Folder(Attributes, Times),
}

/// Everything below the folder of the node by path, but for the quarantine.
pub(super) type Picture = BTreeMap<PathBuf, Entry>;

pub(super) struct Node {
    pub(super) top: tempfile::TempDir,
    pub(super) run: RunFolder,
}

/// What differs between two pictures.
pub(super) fn differences(one: &Picture, two: &Picture) -> Vec<String> {
    let paths: BTreeSet<&PathBuf> = one.keys().chain(two.keys()).collect();
    let differing = paths.into_iter().filter(|path| one.get(*path) != two.get(*path));
    let told = differing.map(|path| format!("{path:?}: {:?} / {:?}", one.get(path), two.get(path)));
    told.collect()
}

/// As [`differences`], but for the times of access of folders, which listing them may set.
pub(super) fn changes_between(one: &Picture, two: &Picture) -> Vec<String> {
    let unlisted = |picture: &Picture| {
        let mut picture = picture.clone();
        for entry in picture.values_mut() {
            if let Entry::Folder(_, times) = entry {
                times.accessed_ns = 0;
            }
        }
        picture
    };
    differences(&unlisted(one), &unlisted(two))
}

impl Node {
    /// A node with a begun run on it.
    pub(super) fn new() -> Self {
        let top = fast_folder();
        for (shard, fill) in [("logs", b'l'), (".monitoring", b'm')] {
            let folder = shard_folder(top.path(), shard);
            for part in ["translog", "index", "_state"] {
                fs::create_dir_all(folder.join(part)).unwrap();
            }
            let tlog: Vec<u8> = (0_u16..1500).map(|n| fill ^ n.to_le_bytes()[0]).collect();
            write(&folder.join("translog/translog-2.tlog"), &[fill; 300]);
            write(&folder.join("translog/translog-3.tlog"), &tlog);
            write(&folder.join("translog/translog.ckp"), &[fill; 43]);
            write(&folder.join("index/segments_5"), &[fill; 90]);
            write(&folder.join("_state/state-0.st"), b"state");
        }
        give_away(&top.path().join("node/data"));
        age(&top.path().join("node"), &mut 1_400_000_000_123_456_789);
        let about = RunAbout {
            data_paths: vec![top.path().join("node/data")],
            service: "none".to_owned(),
            quarantine_dir: None,
            arguments: vec!["--yes".to_owned()],
        };
        let run = StateDir::new(top.path().join("state")).begin(about).unwrap();
        Self { top, run }
    }

    pub(super) fn shard(&self, index: &str) -> PathBuf {
        shard_folder(self.top.path(), index)
    }

    pub(super) fn state_dir(&self) -> StateDir {
        StateDir::new(self.top.path().join("state"))
    }

    /// Cuts the translog of both shards and gives them a new checkpoint and a new commit.
    pub(super) fn changes(&self) -> Vec<ShardChanges> {
        ["logs", ".monitoring"].map(|index| self.changes_of(index)).to_vec()
    }

    fn changes_of(&self, index: &str) -> ShardChanges {
        let folder = self.shard(index);
        let at = |name: &str| folder.join(name);
        let (tlog, ckp) = (at("translog/translog-3.tlog"), at("translog/translog.ckp"));
        let cut = vec![
            Piece::Range { file: tlog.clone(), from_offset: 0, to_offset: KEPT_BYTES },
            Piece::Bytes(NEW_TAIL.to_vec()),
        ];
        let write = |path: &Path, content, like: &Path| Change::Write {
            path: path.to_path_buf(),
            content,
            like: like.to_path_buf(),
        };
        let commit = vec![Piece::Bytes(b"a commit of a new history".to_vec())];
        let changes = vec![
            Change::MoveAway { path: tlog.clone() },
            write(&tlog, cut, &tlog),
            Change::MoveAway { path: ckp.clone() },
            write(&ckp, vec![Piece::Bytes(NEW_CHECKPOINT.to_vec())], &ckp),
            write(&at("index/segments_6"), commit, &at("index/segments_5")),
            Change::Keep { path: at("translog/translog-2.tlog") },
        ];
        let data_path = self.top.path().join("node/data");
        let shard_folders = vec![(folder, data_path)];
        ShardChanges { shard: format!("[{index}][0]"), shard_folders, changes }
    }

    pub(super) fn repair(&mut self, store: &mut dyn Store) -> Result<Receipt, ApplyError> {
        let changes = self.changes();
        self.run.repair(store, &|| false, &changes)
    }

    /// Resumes; a run that was stopped before its journal was whole is repaired from the start.
    pub(super) fn go_on(&mut self, store: &mut dyn Store) -> Result<Receipt, ApplyError> {
        match self.run.state() {
            RunState::Empty => self.repair(store),
            _ => self.run.resume(store, &|| false),
        }
    }

    pub(super) fn undo(&mut self, store: &mut dyn Store) -> Result<Receipt, ApplyError> {
        self.run.undo(store, &|| false, NewerFiles::Refuse)
    }

    /// Everything below the node's folder and that itself; leaves no trace in the times.
    pub(super) fn picture(&self) -> Picture {
        let mut picture = Picture::new();
        let node = self.top.path().join("node");
        take(&node, &node, &mut picture);
        picture
    }

    /// The quarantine of this run for a shard's file of this path inside the shard.
    pub(super) fn kept(&self, index_label: &str, file: &str) -> PathBuf {
        let base = self.top.path().join("node/data.es-translog-fix").join(self.run.id().as_str());
        base.join("round-1").join(index_label).join("0/original").join(file)
    }

    /// Holds when both shards are repaired, and nothing else has changed since `before`.
    pub(super) fn assert_repaired(&self, before: &Picture, told: &str) {
        let after = self.picture();
        for (index, label) in [("logs", "logs"), (".monitoring", "%2Emonitoring")] {
            let folder = PathBuf::from("data/nodes/0/indices").join(index).join("0");
            for file in ["translog/translog-3.tlog", "translog/translog.ckp"] {
                let old = before[&folder.join(file)];
                assert_ne!(after[&folder.join(file)], old, "{told}: {file} is new");
                let kept = DiskStore::default().fingerprint(&self.kept(label, file)).unwrap();
                assert_eq!(kept.map(Entry::File), Some(old), "{told}: {file} is kept");
                assert_eq!(owner_of(after[&folder.join(file)]), owner_of(old), "{told}: {file}");
            }
            let read = |name: &str| fs::read(self.shard(index).join(name)).unwrap();
            let old_tlog = read_quietly(&self.kept(label, "translog/translog-3.tlog"));
            let cut = &old_tlog[..usize::try_from(KEPT_BYTES).unwrap()];
            assert_eq!(read("translog/translog-3.tlog"), [cut, NEW_TAIL].concat(), "{told}");
            assert_eq!(read("translog/translog.ckp"), NEW_CHECKPOINT, "{told}");
            assert_eq!(read("index/segments_6"), b"a commit of a new history", "{told}");
            let second = self.kept(label, "translog/translog-2.tlog");
            let same = DiskStore::default().fingerprint(&second).unwrap().map(Entry::File);
            assert_eq!(same, Some(before[&folder.join("translog/translog-2.tlog")]), "{told}");
        }
        let rest = |picture: &Picture| {
            let mut rest = picture.clone();
            rest.retain(|path, entry| {
                let is_new = path.ends_with("translog-3.tlog")
                    || path.ends_with("translog.ckp")
                    || path.ends_with("segments_6");
                matches!(entry, Entry::File(_)) && !is_new
            });
            rest
        };
        assert_eq!(rest(&after), rest(before), "{told}: the other files");
    }
}

/// Up to 4 KiB, without a trace in the time of access.
fn read_quietly(path: &Path) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    let count = DiskStore::default().read_at(path, 0, &mut bytes).unwrap();
    bytes.truncate(count);
    bytes
}

fn owner_of(entry: Entry) -> Attributes {
    match entry {
        Entry::File(file) => file.attributes,
        Entry::Folder(attributes, _) => attributes,
    }
}

fn shard_folder(top: &Path, index: &str) -> PathBuf {
    top.join("node/data/nodes/0/indices").join(index).join("0")
}

fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
}

/// In memory where the machine has a place for that: the tests of stops sync thousands of times.
fn fast_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Everything below and including `path` gets the user of the service.
fn give_away(path: &Path) {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    std::os::unix::fs::chown(path, Some(4711), Some(4712)).unwrap();
    if path.is_dir() {
        path.read_dir().unwrap().for_each(|entry| give_away(&entry.unwrap().path()));
    }
}

/// Gives everything below and including `path` times of its own, long past.
fn age(path: &Path, now_ns: &mut i64) {
    if path.is_dir() {
        for entry in path.read_dir().unwrap() {
            age(&entry.unwrap().path(), now_ns);
        }
    }
    *now_ns += 1_000_000_007;
    let times = Times { accessed_ns: *now_ns, modified_ns: *now_ns + 5_000_000_001 };
    DiskStore::default().set_times(path, times).unwrap();
}

fn take(top: &Path, path: &Path, picture: &mut Picture) {
    let key = path.strip_prefix(top).unwrap().to_path_buf();
    if path.is_file() {
        picture.insert(key, Entry::File(DiskStore::default().fingerprint(path).unwrap().unwrap()));
        return;
    }
    let (attributes, times) = DiskStore::default().folder(path).unwrap().unwrap();
    picture.insert(key, Entry::Folder(attributes, times));
    for name in DiskStore::default().names(path).unwrap() {
        if name != "data.es-translog-fix" {
            take(top, &path.join(name), picture);
        }
    }
    // Listing may have set the access time, which the next picture must not show.
    DiskStore::default().set_times(path, times).unwrap();
}
