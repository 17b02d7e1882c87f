//! A service user who is the enemy: what he puts into his own folders between the judgement and
//! each step makes this program, which runs as root, touch nothing outside the shard.

mod outside;
mod state;
mod swaps;

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::fault_store::FaultStore;
use super::node::Node;
use crate::apply::{ApplyError, DiskStore, LowerError, RunState};
use crate::plan::{Change, Piece};
use outside::Outside;

/// The rename itself is the moment of the swap: what was renamed is seen to be another file, and
/// goes back.
#[test]
fn a_file_swapped_between_the_look_and_the_rename() {
    let mut counting = FaultStore::counting();
    Node::new().repair(&mut counting).unwrap();
    let renames = (1..).zip(&counting.calls).filter(|(_, call)| **call == "rename_new");
    let calls: Vec<usize> = renames.map(|(at_call, _)| at_call).collect();
    let tlog = "translog/translog-3.tlog";
    // Behind that of the journal come those of two files that leave and three that come in.
    for (at_call, is_leaving) in [(calls[1], true), (calls[3], false)] {
        let mut node = Node::new();
        let (place, kept) = (node.shard("logs").join(tlog), node.kept("logs", tlog));
        let staged = kept.ancestors().nth(3).unwrap().join("staged").join(tlog);
        let (from, to) = if is_leaving { (place, kept) } else { (staged, place) };
        let path = from.clone();
        let act = Box::new(move || {
            fs::rename(&path, path.with_extension("aside")).unwrap();
            fs::write(&path, "another").unwrap();
        });
        let error = node.repair(&mut FaultStore::acting(at_call, act)).unwrap_err();
        let is_told = matches!(&error, ApplyError::Swapped(path) if path.ends_with(tlog));
        assert!(is_told, "{error}");
        assert_eq!(fs::read(&from).unwrap(), b"another");
        assert!(!to.exists());
    }
}

/// The same for a file that is written in place and gets another name.
#[test]
fn a_file_swapped_before_it_is_written_in_place_or_renamed() {
    let work = |node: &mut Node, store: FaultStore| {
        let mut store = store.with_free_inodes(0);
        let path = node.shard("logs").join("index/segments_5");
        let content = vec![Piece::Bytes(b"a commit of a new history".to_vec())];
        let mut changes = node.changes();
        changes.truncate(1);
        let write =
            Change::Write { path: path.with_file_name("segments_6"), content, like: path.clone() };
        changes[0].changes = vec![Change::MoveAway { path }, write];
        let done = node.run.repair(&mut store, &|| false, &changes);
        (done, store.calls)
    };
    let (done, calls) = work(&mut Node::new(), FaultStore::counting());
    done.unwrap();
    let overwrite = calls.iter().position(|call| *call == "overwrite").unwrap();
    let rename = calls.iter().rposition(|call| *call == "rename_new").unwrap();
    assert!(rename > overwrite);
    for index in [overwrite, rename] {
        let mut node = Node::new();
        let path = node.shard("logs").join("index/segments_5");
        let swapped = path.clone();
        let act = Box::new(move || {
            fs::rename(&swapped, swapped.with_extension("aside")).unwrap();
            fs::write(&swapped, "another").unwrap();
        });
        let (done, _) = work(&mut node, FaultStore::acting(index + 1, act));
        let error = done.unwrap_err().to_string();
        assert!(error.contains("another file"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"another");
        assert!(!path.with_file_name("segments_6").exists());
    }
}

/// The same file with other content is another file too.
#[test]
fn a_file_written_to_since_it_was_judged() {
    let mut counting = FaultStore::counting();
    Node::new().repair(&mut counting).unwrap();
    let rename = counting.calls.iter().rposition(|call| *call == "rename_new").unwrap() + 1;
    let first_step = counting.calls.iter().position(|call| *call == "create_folder").unwrap() + 1;
    let path_of = |node: &Node, name: &str| {
        let kept = node.kept("%2Emonitoring", "translog");
        let is_staged = name.starts_with("staged/");
        let shard = node.shard(".monitoring");
        if is_staged { kept.ancestors().nth(2).unwrap().join(name) } else { shard.join(name) }
    };
    // What is kept, what is copied from, and what comes in.
    for (at_call, name, told) in [
        (first_step, "translog/translog-2.tlog", "translog/translog-2.tlog"),
        (first_step, "translog/translog-3.tlog", "staged/translog/translog-3.tlog"),
        (rename - 2, "staged/index/segments_6", "staged/index/segments_6"),
    ] {
        let mut node = Node::new();
        let path = path_of(&node, name);
        let act = Box::new(move || {
            let len = usize::try_from(path.metadata().unwrap().len()).unwrap();
            fs::write(path, vec![b'x'; len]).unwrap();
        });
        let error = node.repair(&mut FaultStore::acting(at_call, act)).unwrap_err();
        let expected = path_of(&node, told);
        let is_told = matches!(&error, ApplyError::Changed { path, .. } if *path == expected);
        assert!(is_told, "{name}: {error}");
    }
}

/// A name that is new, or a second one, is made at once or not at all.
#[test]
fn a_name_that_is_taken_or_leads_elsewhere_when_it_is_needed() {
    let mut counting = FaultStore::counting();
    Node::new().repair(&mut counting).unwrap();
    let staged = |node: &Node| {
        let kept = node.kept("logs", "translog");
        kept.ancestors().nth(2).unwrap().join("staged/translog/translog-3.tlog")
    };
    let tlog = |node: &Node| node.shard("logs").join("translog/translog-2.tlog");
    // Before the first new file in the quarantine, behind that of the journal.
    let creates = (1..).zip(&counting.calls).filter(|(_, call)| **call == "create_file");
    let (create, _) = creates.into_iter().nth(2).unwrap();
    let link = counting.calls.iter().position(|call| *call == "link_new").unwrap() + 1;
    for (at_call, path_of) in [(create, &staged as &dyn Fn(&Node) -> PathBuf), (link, &tlog)] {
        for is_symbolic in [true, false] {
            let mut node = Node::new();
            let outside = Outside::new(&node);
            let (path, target) = (path_of(&node), outside.folder.join("shadow"));
            let secret = target.clone();
            let act = Box::new(move || {
                let _ = fs::rename(&path, path.with_extension("aside"));
                if is_symbolic {
                    symlink(target, &path).unwrap();
                } else {
                    fs::hard_link(target, &path).unwrap();
                }
            });
            let error = node.repair(&mut FaultStore::acting(at_call, act)).unwrap_err();
            outside.assert_untouched(&error.to_string());
            let names = secret.metadata().unwrap().nlink();
            assert!(!is_symbolic || names == 1, "{error}");
        }
    }
}

#[test]
fn a_new_file_is_nobody_elses_for_an_instant() {
    let mut counting = FaultStore::counting();
    Node::new().repair(&mut counting).unwrap();
    let appends = (1..).zip(&counting.calls).filter(|(_, call)| **call == "append");
    let seen = Rc::new(Cell::new(0));
    for (at_call, _) in appends {
        let mut node = Node::new();
        let shard = node.shard("logs");
        let wanted = shard.join("translog/translog-3.tlog").metadata().unwrap();
        let staged = node.kept("logs", "translog").ancestors().nth(2).unwrap().join("staged");
        let seen = Rc::clone(&seen);
        let act = Box::new(move || {
            for part in ["translog", "index"] {
                let folder = staged.join(part);
                for entry in folder.read_dir().into_iter().flatten() {
                    let facts = entry.unwrap().metadata().unwrap();
                    assert_eq!((facts.uid(), facts.gid()), (wanted.uid(), wanted.gid()));
                    assert_eq!(facts.mode(), wanted.mode());
                    assert_eq!(folder.metadata().unwrap().mode() & 0o7777, 0o700);
                    seen.set(seen.get() + usize::from(facts.len() == 0));
                }
            }
        });
        node.repair(&mut FaultStore::acting(at_call, act)).unwrap();
    }
    assert!(seen.get() >= 3, "{} files were seen before they had content", seen.get());
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
