//! What is looked at before a start: the room and the rights in the folders that the server writes
//! into, and what the last start failed over.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{AccessFlags, access};

use super::before_start::{INODES, INODES_EACH, Place, PlaceKind, ROOM_BYTES, StartFacts};
use super::settings::JobSettings;
use crate::log::{BootTrouble, LogSource, ShardName};
use crate::node::{Inventory, free_space, used_space};

/// The users of the machine.
const USERS: &str = "/etc/passwd";
const MAX_MAP_COUNT: &str = "/proc/sys/vm/max_map_count";
/// Files of another user that are looked for.
const FOREIGN_MAX: usize = 100;
/// Folders below a shard that are gone through.
const DEPTH_MAX: u32 = 4;

/// Looks at everything.
pub(super) fn start_facts(
    settings: &JobSettings,
    inventory: &Inventory,
    shards: &[ShardName],
    version: Option<&str>,
    last_start: &[BootTrouble],
) -> StartFacts {
    let shards: BTreeSet<&ShardName> = shards.iter().collect();
    let mut places: Vec<Place> = settings
        .data_paths
        .iter()
        .map(|path| {
            let real = path.canonicalize().unwrap_or_else(|_| path.clone());
            let here = || inventory.shards.iter().filter(|folder| folder.data_path == real);
            let replayed_bytes = here()
                .filter(|folder| shards.contains(&folder.shard))
                .map(|folder| used_space(&folder.path.join("translog")))
                .fold(0, u64::saturating_add);
            let needed_bytes = ROOM_BYTES.saturating_add(replayed_bytes);
            place(path, PlaceKind::Data, needed_bytes, here().count() as u64)
        })
        .collect();
    let logs = log_folder(&settings.logs);
    places.extend(logs.as_deref().map(|path| place(path, PlaceKind::Logs, 1 << 20, 0)));
    let user = user_of(settings, inventory);
    let uid = user.as_ref().map(|(_, uid)| *uid);
    let foreign = uid.map(|uid| foreign(inventory, &shards, logs.as_deref(), uid));
    StartFacts {
        places,
        watermarks: settings.watermarks.clone(),
        version: version.map(str::to_owned),
        last_start: last_start.to_vec(),
        max_map_count: std::fs::read_to_string(MAX_MAP_COUNT)
            .ok()
            .and_then(|text| text.trim().parse().ok()),
        foreign: foreign.unwrap_or_default(),
        user,
    }
}

fn place(path: &Path, kind: PlaceKind, needed_bytes: u64, shard_count: u64) -> Place {
    let is_marked = || statvfs(path).is_ok_and(|facts| facts.flags().contains(FsFlags::ST_RDONLY));
    let is_refused = || access(path, AccessFlags::W_OK) == Err(Errno::EROFS);
    let is_seen = kind == PlaceKind::Data || sees_the_mounts_of_services();
    Place {
        path: path.to_path_buf(),
        kind,
        space: free_space(path).ok(),
        needed_bytes,
        needed_inodes: INODES.saturating_add(shard_count.saturating_mul(INODES_EACH)),
        is_read_only: is_seen && (is_marked() || is_refused()),
    }
}

/// Whether mounts are here what they are for the server. To a unit that is kept from what it need not
/// write (`ProtectSystem=strict`) all else looks read-only.
fn sees_the_mounts_of_services() -> bool {
    let mounts_of = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/mnt")).ok();
    mounts_of("self") == mounts_of("1")
}

/// The folder of the log, where it is one.
fn log_folder(logs: &LogSource) -> Option<PathBuf> {
    let LogSource::Path(path) = logs else { return None };
    if path.is_dir() { Some(path.clone()) } else { path.parent().map(Path::to_path_buf) }
}

/// Whom the server runs as: as its service says, else the owner of its folder.
fn user_of(settings: &JobSettings, inventory: &Inventory) -> Option<(String, u32)> {
    let users = std::fs::read_to_string(USERS).unwrap_or_default();
    let named = settings.user.as_deref().and_then(|name| {
        users_in(&users).find(|(user, uid)| *user == name || uid.to_string() == name)
    });
    if let Some((name, uid)) = named {
        return Some((name.to_owned(), uid));
    }
    let uid = inventory.node_folders.first()?.path.metadata().ok()?.uid();
    let name = users_in(&users).find(|(_, of_user)| *of_user == uid).map(|(name, _)| name);
    Some((name.map_or_else(|| uid.to_string(), str::to_owned), uid))
}

/// Names and numbers in passwd(5). Users that are kept elsewhere are known by number alone: the C
/// library's look-up would load what a static program cannot.
fn users_in(text: &str) -> impl Iterator<Item = (&str, u32)> {
    text.lines().filter_map(|line| {
        let mut fields = line.split(':');
        Some((fields.next()?, fields.nth(1)?.parse().ok()?))
    })
}

/// What the server has to write and its user cannot: the folders of the node, its locks, what is in
/// the shards that were repaired, and the log.
fn foreign(
    inventory: &Inventory,
    shards: &BTreeSet<&ShardName>,
    logs: Option<&Path>,
    uid: u32,
) -> Vec<(PathBuf, u32)> {
    let mut paths = BTreeSet::new();
    for node in &inventory.node_folders {
        paths.extend(node.lock_files());
        paths.insert(node.path.clone());
    }
    paths.extend(logs.map(Path::to_path_buf));
    let repaired = inventory.shards.iter().filter(|folder| shards.contains(&folder.shard));
    for folder in repaired {
        folder.folders().for_each(|path| add_below(path, DEPTH_MAX, &mut paths));
    }
    let is_foreign = |path: PathBuf| {
        let facts = path.symlink_metadata().ok()?;
        is_unwritable(&facts, uid).then_some((path, facts.uid()))
    };
    paths.into_iter().filter_map(is_foreign).take(FOREIGN_MAX).collect()
}

fn add_below(path: &Path, depth: u32, paths: &mut BTreeSet<PathBuf>) {
    paths.insert(path.to_path_buf());
    let Some(deeper) = depth.checked_sub(1) else { return };
    for entry in path.read_dir().into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            add_below(&entry.path(), deeper, paths);
        } else {
            paths.insert(entry.path());
        }
    }
}

/// Whether a user who is not root cannot write it by its owner and mode. A group may still let it;
/// which one its process has is not known here.
fn is_unwritable(facts: &Metadata, uid: u32) -> bool {
    const GROUP_OR_OTHERS: u32 = 0o022;
    uid != 0 && facts.uid() != uid && facts.mode() & GROUP_OR_OTHERS == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_folder_of_a_log_that_is_one_file_is_above_it() {
        let top = tempfile::tempdir().unwrap();
        let file = top.path().join("x.log");
        std::fs::write(&file, "").unwrap();
        for path in [top.path().to_path_buf(), file] {
            assert_eq!(log_folder(&LogSource::Path(path)).as_deref(), Some(top.path()));
        }
    }

    #[test]
    fn each_shard_takes_files() {
        let here = place(&std::env::temp_dir(), PlaceKind::Data, 0, 3);
        assert_eq!(here.needed_inodes, INODES + 3 * INODES_EACH);
        assert!(here.space.is_some() && !here.is_read_only);
    }

    #[test]
    fn a_file_of_another_user_is_unwritable_unless_its_mode_says_otherwise() {
        let top = tempfile::tempdir().unwrap();
        let file = top.path().join("x");
        std::fs::write(&file, "").unwrap();
        let owner = file.metadata().unwrap().uid();
        let is_unwritable = |mode, uid| {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            is_unwritable(&file.metadata().unwrap(), uid)
        };
        assert!(is_unwritable(0o644, owner + 1));
        assert!(!is_unwritable(0o664, owner + 1));
        assert!(!is_unwritable(0o644, 0), "root writes everything");
        assert!(owner == 0 || !is_unwritable(0o644, owner));
    }
}
