//! What a service user who is the enemy must not reach, and what he does to reach it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use super::super::node::Node;

/// What is in a file of root that only root may read.
const SECRET: &str = "root:secret";
/// The user of the service.
pub(super) const SERVICE_UID: u32 = 4711;

/// Content, mode, owner, time, number and count of extended attributes of a file.
type Facts = (Vec<u8>, u32, u32, i64, u64, usize);

/// A folder such as `/etc`: what is in it, owner and mode of everything, stays.
pub(super) struct Outside {
    pub(super) folder: PathBuf,
    before: BTreeMap<PathBuf, Facts>,
}

impl Outside {
    pub(super) fn new(node: &Node) -> Self {
        let folder = node.top.path().join("etc");
        fs::create_dir(&folder).unwrap();
        for name in ["shadow", "translog-3.tlog", "translog.ckp", "segments_5", "translog-2.tlog"] {
            fs::write(folder.join(name), SECRET).unwrap();
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        // Where a name that is put there would be run by root.
        fs::create_dir(folder.join("cron.d")).unwrap();
        let before = seen(&folder);
        Self { folder, before }
    }

    /// Nothing in it has changed, and nothing of it is in a new file elsewhere.
    pub(super) fn assert_untouched(&self, told: &str) {
        assert_eq!(seen(&self.folder), self.before, "{told}");
        let names = self.folder.join("cron.d").read_dir().unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().path()).collect();
        assert!(names.is_empty(), "{told}: {names:?}");
        // Without root there is nobody whose files this program can read and he cannot.
        if nix::unistd::geteuid().is_root() {
            let top = self.folder.parent().unwrap();
            top.read_dir()
                .unwrap()
                .for_each(|entry| self.assert_unread(&entry.unwrap().path(), told));
        }
    }

    fn assert_unread(&self, path: &Path, told: &str) {
        let facts = path.symlink_metadata().unwrap();
        if facts.is_dir() {
            path.read_dir()
                .unwrap()
                .for_each(|entry| self.assert_unread(&entry.unwrap().path(), told));
        }
        let is_second_name = self.before.values().any(|(.., inode, _)| *inode == facts.ino());
        if facts.is_file() && !is_second_name {
            let content = fs::read(path).unwrap();
            let is_copied = content.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
            assert!(!is_copied, "{told}: {} holds what it must not", path.display());
        }
    }
}

fn seen(folder: &Path) -> BTreeMap<PathBuf, Facts> {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let facts = path.symlink_metadata().unwrap();
            let content = fs::read(&path).unwrap_or_default();
            let mut names = [0_u8; 1024];
            let labels = rustix::fs::listxattr(&path, &mut names[..]).unwrap_or(0);
            (path, (content, facts.mode(), facts.uid(), facts.mtime(), facts.ino(), labels))
        })
        .collect()
}

/// What he does when the chosen call comes, if his file is still there.
pub(super) type Attack = fn(shard: &Path, outside: &Path);

pub(super) const SHARD_ATTACKS: [(&str, Attack); 6] = [
    ("the translog folder becomes a link", |shard, outside| {
        if fs::rename(shard.join("translog"), shard.join("aside")).is_err() {
            return;
        }
        symlink(outside.join("cron.d"), shard.join("translog")).unwrap();
    }),
    ("the translog folder becomes a second name of a file of root", |shard, outside| {
        if fs::rename(shard.join("translog"), shard.join("aside")).is_err() {
            return;
        }
        fs::hard_link(outside.join("shadow"), shard.join("translog")).unwrap();
    }),
    ("the shard folder becomes a link", |shard, outside| {
        if fs::rename(shard, shard.with_file_name("aside")).is_err() {
            return;
        }
        fs::create_dir(shard.with_file_name("other")).unwrap();
        symlink(outside.join("cron.d"), shard.with_file_name("other").join("translog")).unwrap();
        symlink("other", shard).unwrap();
    }),
    ("the data path becomes a link", |shard, outside| {
        let data = data_path(shard);
        fs::rename(&data, data.with_file_name("aside")).unwrap();
        symlink(outside, data).unwrap();
    }),
    ("the files become links", |shard, outside| {
        replace_files(shard, |name, path| symlink(outside.join(name), path).unwrap());
    }),
    ("the files become second names of files of root", |shard, outside| {
        replace_files(shard, |name, path| fs::hard_link(outside.join(name), path).unwrap());
    }),
];

/// The folder above the data path is his as well.
pub(super) const QUARANTINE_ATTACKS: [(&str, Attack); 2] = [
    ("the quarantine becomes a link", |shard, outside| {
        let quarantine = quarantine(shard);
        let _ = fs::rename(&quarantine, quarantine.with_file_name("aside"));
        symlink(outside.join("cron.d"), quarantine).unwrap();
    }),
    (
        "the quarantine becomes a folder of his with second names of files of root",
        |shard, outside| {
            let quarantine = quarantine(shard);
            let aside = quarantine.with_file_name("aside");
            let _ = fs::rename(&quarantine, &aside);
            mirror(&aside, &quarantine, &outside.join("shadow"));
        },
    ),
];

/// For a quarantine without folders: its files are names in a folder of his.
pub(super) const FLAT_ATTACKS: [(&str, Attack); 2] = [
    ("its files become links", |shard, outside| {
        replace_flat(shard, |path| symlink(outside.join("shadow"), path).unwrap());
    }),
    ("its files become second names of files of root", |shard, outside| {
        replace_flat(shard, |path| fs::hard_link(outside.join("shadow"), path).unwrap());
    }),
];

fn data_path(shard: &Path) -> PathBuf {
    shard.ancestors().nth(5).unwrap().to_path_buf()
}

fn quarantine(shard: &Path) -> PathBuf {
    data_path(shard).with_file_name("data.es-translog-fix")
}

fn replace_files(shard: &Path, put: impl Fn(&str, &Path)) {
    if !shard.exists() {
        return;
    }
    for name in ["translog-3.tlog", "translog.ckp", "translog-2.tlog"] {
        let path = shard.join("translog").join(name);
        let _ = fs::rename(&path, path.with_extension("aside"));
        put(name, &path);
    }
}

fn replace_flat(shard: &Path, put: impl Fn(&Path)) {
    let folder = data_path(shard).parent().unwrap().to_path_buf();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with(".etf-") {
            fs::rename(&path, folder.join(format!("aside{name}"))).unwrap();
            put(&path);
        }
    }
}

/// The same folders, his, with a second name of `file` for each file.
fn mirror(from: &Path, to: &Path, file: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o777)).unwrap();
    let _ = chown(to, Some(SERVICE_UID), None);
    for entry in from.read_dir().into_iter().flatten() {
        let path: OsString = entry.unwrap().file_name();
        if from.join(&path).is_dir() {
            mirror(&from.join(&path), &to.join(&path), file);
        } else {
            fs::hard_link(file, to.join(&path)).unwrap();
        }
    }
}
