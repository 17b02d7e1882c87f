//! What a crash keeps of what was not synced: all, nothing, only names, only contents, names twice, or
//! any part.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::disk::{Inode, Node, SimDisk, TOP};

/// What a crash keeps of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::apply) enum Crash {
    /// All of it, up to the call at which it stopped.
    All,
    /// Nothing.
    Synced,
    /// The names in folders, but no content: a file system that writes content late.
    Names,
    /// Contents, but no names.
    Contents,
    /// All of it, and names that were given up as well: what was renamed is shown twice.
    Twice,
    /// Of each file and folder all or nothing, as this number says.
    Some(u64),
}

pub(in crate::apply) const CRASHES: [Crash; 5] =
    [Crash::All, Crash::Synced, Crash::Names, Crash::Contents, Crash::Twice];

impl SimDisk {
    /// The machine stops and starts again.
    pub(in crate::apply) fn crash(&mut self, crash: Crash) {
        if self.inodes.values().all(|inode| inode.is_synced()) {
            return;
        }
        let keeping = self.keeping(crash);
        for (number, inode) in self.inodes.iter_mut().filter(|(_, inode)| !inode.is_synced()) {
            let (keeps, inode) = (keeping.contains(number), Inode::change(inode));
            match &mut inode.node {
                Node::File(content) => content.crash(keeps),
                Node::Folder(names) => {
                    if crash == Crash::Twice {
                        let given_up = names.synced.clone().into_iter();
                        names.now = given_up.chain(std::mem::take(&mut names.now)).collect();
                    }
                    names.crash(keeps);
                }
            }
            inode.times.crash(keeps);
        }
        // What no folder names any more is given free.
        let named = self.inodes.values().flat_map(|inode| match &inode.node {
            Node::Folder(names) => names.now.values().copied().collect::<Vec<u64>>(),
            Node::File(_) => Vec::new(),
        });
        let named: BTreeSet<u64> = named.chain([TOP]).collect();
        self.inodes.retain(|number, _| named.contains(number));
    }

    /// What is on the disk as it is now, after a crash.
    fn keeping(&self, crash: Crash) -> BTreeSet<u64> {
        let is_kept = |(number, inode): &(&u64, &Rc<Inode>)| {
            let is_folder = matches!(inode.node, Node::Folder(_));
            match crash {
                Crash::All | Crash::Twice => true,
                Crash::Synced => false,
                Crash::Names => is_folder,
                Crash::Contents => !is_folder,
                Crash::Some(which) => {
                    let mixed = (which ^ **number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                    mixed >> 63 == 1
                }
            }
        };
        let mut keeping: BTreeSet<u64> =
            self.inodes.iter().filter(is_kept).map(|(number, _)| *number).collect();
        if matches!(crash, Crash::All | Crash::Twice) {
            return keeping;
        }
        // A renamed file is never under neither of its names.
        while let Some(folder) = self.nameless_in(&keeping) {
            keeping.insert(folder);
        }
        keeping
    }

    /// A folder that has to be kept as it is now, because something in it would have fewer names than
    /// before and now.
    fn nameless_in(&self, keeping: &BTreeSet<u64>) -> Option<u64> {
        let folders = || {
            self.inodes.iter().filter_map(|(number, inode)| match &inode.node {
                Node::Folder(names) => Some((number, names)),
                Node::File(_) => None,
            })
        };
        let mut counts = BTreeMap::<u64, [usize; 3]>::new();
        for (number, names) in folders() {
            let kept = if keeping.contains(number) { &names.now } else { &names.synced };
            for (which, names) in [&names.synced, &names.now, kept].into_iter().enumerate() {
                for one in names.values() {
                    counts.entry(*one).or_default()[which] += 1;
                }
            }
        }
        let is_short = |one: &u64| {
            let [before, now, after] = counts[one];
            after < before.min(now)
        };
        folders()
            .filter(|(number, _)| !keeping.contains(number))
            .find(|(_, names)| {
                let new =
                    names.now.iter().filter(|(name, one)| names.synced.get(*name) != Some(one));
                new.map(|(_, one)| one).any(is_short)
            })
            .map(|(number, _)| *number)
    }
}
