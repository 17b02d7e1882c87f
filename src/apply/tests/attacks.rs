//! A service user who is the enemy: what he puts into his own folders between the judgement and
//! each step makes this program, which runs as root, touch nothing outside the shard.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::fault_store::FaultStore;
use super::node::Node;
use crate::apply::{ApplyError, DiskStore, LowerError, RunState};
use crate::plan::{Change, Piece};

/// A folder such as `/etc`: what is in it, owner and mode of everything, stays.
struct Outside {
    folder: PathBuf,
    before: BTreeMap<PathBuf, (Vec<u8>, u32, u32, i64, u64)>,
}

impl Outside {
    fn new(node: &Node) -> Self {
        let folder = node.top.path().join("etc");
        fs::create_dir(&folder).unwrap();
        for name in ["shadow", "translog-3.tlog", "translog.ckp", "segments_5", "translog-2.tlog"] {
            fs::write(folder.join(name), "root:secret").unwrap();
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
        }
        // Where a name that is put there would be run by root.
        fs::create_dir(folder.join("cron.d")).unwrap();
        let before = seen(&folder);
        Self { folder, before }
    }

    fn assert_untouched(&self, told: &str) {
        assert_eq!(seen(&self.folder), self.before, "{told}");
        let names = self.folder.join("cron.d").read_dir().unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().path()).collect();
        assert!(names.is_empty(), "{told}: {names:?}");
    }
}

fn seen(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u32, u32, i64, u64)> {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let facts = path.symlink_metadata().unwrap();
            let content = fs::read(&path).unwrap_or_default();
            (path, (content, facts.mode(), facts.uid(), facts.mtime(), facts.ino()))
        })
        .collect()
}

/// What he does when the chosen call comes.
type Attack = fn(shard: &Path, outside: &Path);

const ATTACKS: [(&str, Attack); 4] = [
    ("the translog folder becomes a link", |shard, outside| {
        fs::rename(shard.join("translog"), shard.join("aside")).unwrap();
        symlink(outside.join("cron.d"), shard.join("translog")).unwrap();
    }),
    ("the shard folder becomes a link", |shard, outside| {
        fs::rename(shard, shard.with_file_name("aside")).unwrap();
        fs::create_dir(shard.with_file_name("other")).unwrap();
        symlink(outside.join("cron.d"), shard.with_file_name("other").join("translog")).unwrap();
        symlink("other", shard).unwrap();
    }),
    ("the files become links", |shard, outside| {
        for name in ["translog-3.tlog", "translog.ckp", "translog-2.tlog"] {
            let path = shard.join("translog").join(name);
            let _ = fs::rename(&path, path.with_extension("aside"));
            symlink(outside.join(name), &path).unwrap();
        }
    }),
    ("the files become second names of files of root", |shard, outside| {
        for name in ["translog-3.tlog", "translog.ckp", "translog-2.tlog"] {
            let path = shard.join("translog").join(name);
            let _ = fs::rename(&path, path.with_extension("aside"));
            fs::hard_link(outside.join(name), &path).unwrap();
        }
    }),
];

#[test]
fn links_swapped_in_before_every_call() {
    let mut counting = FaultStore::counting();
    Node::new().repair(&mut counting).unwrap();
    for (name, attack) in ATTACKS {
        let mut refused = 0;
        for at_call in 1..=counting.calls.len() {
            let mut node = Node::new();
            let outside = Outside::new(&node);
            let shard = node.shard("logs");
            let (attacked, target) = (shard.clone(), outside.folder.clone());
            let act = Box::new(move || attack(&attacked, &target));
            let mut store = FaultStore::acting(at_call, act);
            let told = format!("{name}, before call {at_call} ({})", counting.calls[at_call - 1]);
            refused += usize::from(node.repair(&mut store).is_err());
            outside.assert_untouched(&told);
            // What he did is no less harmless to an undo.
            let _ = node.undo(&mut DiskStore::default());
            outside.assert_untouched(&told);
        }
        assert!(refused > counting.calls.len() / 3, "{name}: {refused} refused");
    }
}

/// The move itself is the moment of the swap: what was moved is seen to be another file, and goes
/// back.
#[test]
fn a_file_swapped_between_the_look_and_the_move() {
    let mut counting = FaultStore::counting();
    Node::new().repair(&mut counting).unwrap();
    let renames = (1..).zip(&counting.calls).filter(|(_, call)| **call == "rename_new");
    let (at_call, _) = renames.into_iter().nth(1).unwrap();
    let mut node = Node::new();
    let tlog = node.shard("logs").join("translog/translog-3.tlog");
    let path = tlog.clone();
    let act = Box::new(move || {
        fs::rename(&path, path.with_extension("aside")).unwrap();
        fs::write(&path, "another").unwrap();
    });
    let error = node.repair(&mut FaultStore::acting(at_call, act)).unwrap_err();
    assert!(matches!(&error, ApplyError::Swapped(path) if *path == tlog), "{error}");
    assert_eq!(fs::read(&tlog).unwrap(), b"another");
    assert!(!node.kept("logs", "translog/translog-3.tlog").exists());
}

#[test]
fn a_second_name_of_a_file_of_root_is_refused() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let mut node = Node::new();
    let outside = Outside::new(&node);
    let ckp = node.shard("logs").join("translog/translog.ckp");
    fs::remove_file(&ckp).unwrap();
    fs::hard_link(outside.folder.join("shadow"), &ckp).unwrap();
    let before = seen(&outside.folder);
    let error = node.repair(&mut DiskStore::default()).unwrap_err();
    let ApplyError::Lower(LowerError::ForeignOwner { path, uid: 0, folder_uid: 4711 }) = &error
    else {
        panic!("{error}")
    };
    assert_eq!(*path, ckp);
    assert_eq!(node.run.state(), RunState::Empty);
    assert_eq!(seen(&outside.folder), before);
}

#[test]
fn a_second_name_of_a_file_of_the_shard_is_told() {
    let mut node = Node::new();
    let tlog = node.shard("logs").join("translog/translog-3.tlog");
    fs::hard_link(&tlog, node.top.path().join("backup")).unwrap();
    let receipt = node.repair(&mut DiskStore::default()).unwrap();
    let told = receipt.notes.join("\n");
    assert!(told.contains("translog-3.tlog has 1 more names elsewhere"), "{told}");
    assert!(node.top.path().join("backup").is_file());
}

type Make = fn(&Path);

/// A second `/dev/null`; needs root, and a place where devices can be made.
fn make_device(path: &Path) {
    use nix::sys::stat::{Mode, SFlag, makedev, mknod};
    mknod(path, SFlag::S_IFCHR, Mode::S_IRWXU, makedev(1, 3)).unwrap();
}

#[test]
#[expect(clippy::print_stdout, reason = "what is skipped is said")]
fn what_is_no_regular_file_is_left_alone() {
    let mut things: Vec<(&str, Make)> = vec![
        ("pipe", |path| {
            nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        }),
        ("socket", |path| drop(std::os::unix::net::UnixListener::bind(path).unwrap())),
        ("folder", |path| fs::create_dir(path).unwrap()),
    ];
    if nix::unistd::geteuid().is_root() {
        things.push(("device", make_device));
    } else {
        println!("device skipped: only root can make one");
    }
    for (name, make) in things {
        let mut node = Node::new();
        let ckp = node.shard("logs").join("translog/translog.ckp");
        fs::remove_file(&ckp).unwrap();
        make(&ckp);
        let error = node.repair(&mut DiskStore::default()).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("not a regular file"), "{error}");
        assert_eq!(node.run.state(), RunState::Empty);
        assert!(ckp.symlink_metadata().is_ok(), "{name} is there still");
    }
}

/// A name is data: it goes into paths, the journal and the manifest, and comes back out.
#[test]
fn names_with_line_ends_and_escapes() {
    let mut node = Node::new();
    let before = node.picture();
    let odd = node.shard("logs").join("translog/translog-3.tlog\n\u{1b}[2J; rm -rf *");
    fs::write(&odd, "odd").unwrap();
    let uid = node.shard("logs").metadata().unwrap().uid();
    std::os::unix::fs::chown(&odd, Some(uid), None).unwrap();
    let mut changes = node.changes();
    changes[0].changes.push(Change::MoveAway { path: odd.clone() });
    node.run.repair(&mut DiskStore::default(), &|| false, &changes).unwrap();
    assert!(!odd.exists());
    let manifest = fs::read_to_string(node.run.path().join("manifest-1.txt")).unwrap();
    assert!(manifest.contains(r"translog-3.tlog\n\u{1b}[2J; rm"), "{manifest}");
    assert!(!manifest.contains('\u{1b}'));
    node.undo(&mut DiskStore::default()).unwrap();
    assert_eq!(fs::read(&odd).unwrap(), b"odd");
    fs::remove_file(&odd).unwrap();
    let (before, after) = (before.len(), node.picture().len());
    assert_eq!(before, after);
}

/// Whatever stage believed a log or a state file, a change outside the shard is no change.
#[test]
fn a_shard_named_to_climb_out() {
    let mut node = Node::new();
    let outside = Outside::new(&node);
    let climbing = node.shard("logs").join("../../../../../../etc/shadow");
    let piece = Piece::Bytes(b"owned".to_vec());
    for change in [
        Change::MoveAway { path: climbing.clone() },
        Change::Keep { path: climbing.clone() },
        Change::Write { path: climbing.clone(), content: vec![piece], like: climbing.clone() },
    ] {
        let mut changes = node.changes();
        changes[0].shard = "[../../etc][0]".to_owned();
        changes[0].changes = vec![change];
        let error = node.run.repair(&mut DiskStore::default(), &|| false, &changes).unwrap_err();
        assert!(matches!(error, ApplyError::Lower(LowerError::Outside(_))), "{error}");
    }
    outside.assert_untouched("climbing");
    // The name of a shard makes no folder elsewhere.
    let mut changes = node.changes();
    changes[0].shard = "[../../../etc][0]".to_owned();
    let receipt = node.run.repair(&mut DiskStore::default(), &|| false, &changes).unwrap();
    let base = node.top.path().canonicalize().unwrap().join("node/data.es-translog-fix");
    assert!(receipt.quarantines.iter().all(|path| path.starts_with(&base)), "{receipt:?}");
}
