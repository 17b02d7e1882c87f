//! Who has a node open, and who else uses its folders, found from its data paths alone.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::folders::Notes;
use super::inventory::{NodeFolder, node_folders};
use super::locks::{LockHolder, lock_holder};
use super::processes::{FolderUse, FolderUser, control_groups, processes_using};

/// The processes that hold a lock of the node with these data paths, one entry a lock; empty where
/// nobody does, and where the folders cannot be read.
#[must_use]
pub fn lock_holders(data_paths: &[PathBuf], cluster_name: &str) -> Vec<LockHolder> {
    let mut notes = Notes::default();
    let folders =
        data_paths.iter().filter_map(|path| node_folders(path, cluster_name, &mut notes).ok());
    let files: Vec<PathBuf> =
        folders.flatten().flat_map(|folder: NodeFolder| folder.lock_files()).collect();
    files.iter().filter_map(|file| lock_holder(file).ok().flatten()).collect()
}

/// The processes that use something below the data paths beside the server that has the node open:
/// a backup, a shell, another program. Nobody where no server has it open.
#[must_use]
pub fn bystanders(data_paths: &[PathBuf], cluster_name: &str) -> Vec<FolderUser> {
    let holders = lock_holders(data_paths, cluster_name).into_iter();
    let groups: BTreeSet<String> =
        holders.filter_map(|holder| control_groups(holder.pid)).collect();
    if groups.is_empty() {
        return Vec::new();
    }
    let is_server = |pid: i32| control_groups(pid).is_none_or(|group| groups.contains(&group));
    let users = processes_using(data_paths).into_iter();
    users.filter(|user| !is_server(user.pid)).collect()
}

/// The processes that can write to something below the data paths; for a node that is stopped.
#[must_use]
pub fn writers(data_paths: &[PathBuf]) -> Vec<FolderUser> {
    let users = processes_using(data_paths).into_iter();
    users.filter(|user| user.usage == FolderUse::Writing).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::node::hold_locks;

    #[test]
    fn who_holds_a_node_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let paths = [folder.path().to_owned(), folder.path().join("gone")];
        assert_eq!(lock_holders(&paths, "c"), []);
        let lock = folder.path().join("nodes/0/node.lock");
        fs::create_dir_all(lock.parent().unwrap()).unwrap();
        fs::write(&lock, "").unwrap();
        assert_eq!(lock_holders(&paths, "c"), []);
        let held = hold_locks(std::slice::from_ref(&lock)).unwrap();
        let found = lock_holders(&paths, "c");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, lock);
        // This process, and what it starts, is no bystander of itself.
        assert_eq!(bystanders(&paths, "c"), []);
        drop(held);
    }
}
