//! A service user who is the enemy: what he puts into his own folders between the judgement and
//! each step makes this program, which runs as root, touch nothing outside the shard.

mod judged;
mod outside;
mod state;
mod swaps;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::fault_store::FaultStore;
use super::node::Node;
use crate::apply::{ApplyError, DiskStore, LowerError, RunState};
use crate::plan::{Change, Piece};
use outside::Outside;

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
    let error = node.repair(&mut DiskStore::default()).unwrap_err();
    let ApplyError::Lower(LowerError::ForeignOwner { path, uid: 0, folder_uid: 4711 }) = &error
    else {
        panic!("{error}")
    };
    assert_eq!(*path, ckp);
    assert_eq!(node.run.state(), RunState::Empty);
    outside.assert_untouched("refused");
}

#[test]
fn a_second_name_of_a_file_of_the_shard_is_told() {
    // Without room for folders a file with one name would be written in place.
    for (name, free_inodes) in [("translog-3.tlog", 1000), ("translog.ckp", 5)] {
        let mut node = Node::new();
        let (file, backup) =
            (node.shard("logs").join("translog").join(name), node.top.path().join("backup"));
        fs::hard_link(&file, &backup).unwrap();
        let before = fs::read(&file).unwrap();
        let mut store = FaultStore::counting().with_free_inodes(free_inodes);
        let told = node.repair(&mut store).unwrap().notes.join("\n");
        assert!(told.contains(&format!("{name} has 1 more names elsewhere")), "{told}");
        assert_eq!(fs::read(&backup).unwrap(), before);
    }
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
