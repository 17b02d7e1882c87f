//! A file is what it was when it was judged, at the moment of each step; and a new one is what it is
//! to be from its first moment on.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;
use std::rc::Rc;

use super::super::fault_store::FaultStore;
use super::super::node::Node;
use super::outside::Outside;
use crate::apply::ApplyError;
use crate::plan::{Change, Piece};

/// The rename itself is the moment of the swap: what was renamed is seen to be another file, and
/// goes back.
#[test]
fn a_file_swapped_between_the_look_and_the_rename() {
    let mut counting = FaultStore::counting();
    Node::new().repair(&mut counting).unwrap();
    let renames = (1..).zip(&counting.calls).filter(|(_, call)| **call == "rename_new");
    let calls: Vec<usize> = renames.map(|(at_call, _)| at_call).collect();
    let tlog = "translog/translog-3.tlog";
    // Behind that of the journal come those of the four files that leave both shards, and of the six
    // that come in.
    for (at_call, is_leaving) in [(calls[1], true), (calls[5], false)] {
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
    // Other content in it is told before it is written over.
    let mut node = Node::new();
    let path = node.shard("logs").join("index/segments_5");
    let written_to = vec![b'x'; 90];
    let (file, content) = (path.clone(), written_to.clone());
    let act = Box::new(move || fs::write(file, content).unwrap());
    let error = work(&mut node, FaultStore::acting(overwrite, act)).0.unwrap_err();
    assert!(matches!(error, ApplyError::Changed { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), written_to);
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
