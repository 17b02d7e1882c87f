//! Every attack before every call of everything that changes a disk.

use std::fs;

use super::super::fault_store::{Fault, FaultStore};
use super::super::node::Node;
use super::outside::{FLAT_ATTACKS, Outside, QUARANTINE_ATTACKS, SHARD_ATTACKS};
use crate::apply::{ApplyError, DiskStore, NewerFiles, Store};
use crate::plan::Change;

/// Something this program does, and what comes before it.
struct Work {
    name: &'static str,
    prepare: fn(&mut Node),
    act: fn(&mut Node, &mut dyn Store) -> Result<(), ApplyError>,
    /// Whether there is no room for folders.
    is_full: bool,
}

const REPAIR: Work = Work {
    name: "repair",
    prepare: |_| {},
    act: |node, store| node.repair(store).map(drop),
    is_full: false,
};

/// Calls of a repair: the first one behind its journal, the second one that takes a file out of the
/// first shard, and the first when that shard is done.
const STOPS: [usize; 3] = [6, 101, 118];

const WORKS: [Work; 8] = [
    REPAIR,
    Work { name: "repair without room", is_full: true, ..REPAIR },
    Work {
        name: "repair that takes the shard away",
        act: |node, store| {
            let mut changes = node.changes();
            changes.truncate(1);
            changes[0].changes = vec![Change::MoveFolder { path: node.shard("logs") }];
            node.run.repair(store, &|| false, &changes).map(drop)
        },
        ..REPAIR
    },
    Work {
        name: "resume from the first step",
        prepare: |node| stop_at(node, STOPS[0]),
        act: |node, store| node.go_on(store).map(drop),
        ..REPAIR
    },
    Work {
        name: "resume from half-way",
        prepare: |node| stop_at(node, STOPS[1]),
        act: |node, store| node.go_on(store).map(drop),
        ..REPAIR
    },
    Work {
        name: "undo from half-way",
        prepare: |node| stop_at(node, STOPS[2]),
        act: |node, store| node.undo(store).map(drop),
        ..REPAIR
    },
    Work {
        name: "undo with newer files",
        prepare: |node| {
            node.repair(&mut DiskStore::default()).unwrap();
            fs::write(node.shard("logs").join("translog/translog.ckp"), "newer").unwrap();
        },
        act: |node, store| node.run.undo(store, &|| false, NewerFiles::Keep).map(drop),
        ..REPAIR
    },
    Work {
        name: "redo",
        prepare: |node| {
            node.repair(&mut DiskStore::default()).unwrap();
            node.undo(&mut DiskStore::default()).unwrap();
        },
        act: |node, store| node.run.redo(store, &|| false).map(drop),
        ..REPAIR
    },
];

fn stop_at(node: &mut Node, call: usize) {
    node.repair(&mut FaultStore::new(call, Fault::StopBefore)).unwrap_err();
}

impl Work {
    /// A node on which it can begin. One of its files has a label, where the file system takes one.
    fn node(&self) -> Node {
        let mut node = Node::new();
        let tlog = node.shard("logs").join("translog/translog-3.tlog");
        let _ = rustix::fs::setxattr(&tlog, "user.label", b"x", rustix::fs::XattrFlags::empty());
        (self.prepare)(&mut node);
        node
    }

    fn store(&self, store: FaultStore) -> FaultStore {
        // Four new files, and no folder.
        if self.is_full { store.with_free_inodes(4) } else { store }
    }

    /// Does it once for each attack before each of its calls.
    fn attacked(&self) {
        let mut counting = self.store(FaultStore::counting());
        (self.act)(&mut self.node(), &mut counting).unwrap();
        let on_quarantine = if self.is_full { FLAT_ATTACKS } else { QUARANTINE_ATTACKS };
        for (attack_name, attack) in SHARD_ATTACKS.into_iter().chain(on_quarantine) {
            let mut refused = 0;
            for at_call in 1..=counting.calls.len() {
                let mut node = self.node();
                let outside = Outside::new(&node);
                let (shard, target) = (node.shard("logs"), outside.folder.clone());
                let act = Box::new(move || attack(&shard, &target));
                let mut store = self.store(FaultStore::acting(at_call, act));
                let call = counting.calls[at_call - 1];
                let told = format!("{}: {attack_name} before call {at_call} ({call})", self.name);
                refused += usize::from((self.act)(&mut node, &mut store).is_err());
                outside.assert_untouched(&told);
                // What he did is no less harmless to what comes next.
                let _ = node.undo(&mut DiskStore::default());
                outside.assert_untouched(&told);
            }
            assert!(refused > 0, "{}: {attack_name}: never refused", self.name);
        }
    }
}

#[test]
fn swaps_before_every_call_of_a_repair() {
    WORKS[..3].iter().for_each(Work::attacked);
}

#[test]
fn swaps_before_every_call_of_a_resume() {
    WORKS[3..5].iter().for_each(Work::attacked);
}

#[test]
fn swaps_before_every_call_of_an_undo_and_a_redo() {
    WORKS[5..].iter().for_each(Work::attacked);
}
