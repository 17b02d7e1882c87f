//! Where shard copies are, before anything of them is read: thousands of places cost little
//! memory, and each is read only when its turn comes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::copies::settle_copies;
use super::error::NodeError;
use super::folders::{Kind, Notes, folders_in, folders_or_note, kind_of};
use super::inventory::{ShardFolder, node_folders};
use super::kept_state::KeptStates;
use super::target::{loose_shard, shard_at, shard_in};

/// Folders between a given path and a shard; the deepest layout (a data path of 2.x, in a copy
/// of a whole machine) has some ten.
const DEPTH_MAX: usize = 24;
/// Folders above a shard in which the node's lock file is looked for: index, `indices`, node.
const LOCK_LEVELS: usize = 4;

/// One shard copy's place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShardPlace {
    /// The shard's folder.
    pub path: PathBuf,
    /// Folders of the same copy in further data paths, up to 1.7.
    pub stripes: Vec<PathBuf>,
}

/// The shard copies below some paths.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Their places, in order.
    pub places: Vec<ShardPlace>,
    /// What was left out or looks odd, one sentence each.
    pub notes: Vec<String>,
}

impl ShardPlace {
    /// Reads what the folders and state files say of the shard; a copy that lies outside a
    /// node's folders is named by the folders it is in. What its node keeps is read once for all
    /// shards read with the same `kept`.
    ///
    /// # Errors
    /// When a folder is a link or cannot be read.
    pub fn read(&self, kept: &KeptStates) -> Result<ShardFolder, NodeError> {
        let mut folder = match shard_in(&self.path, kept) {
            Err(NodeError::NotAShard { .. }) => loose_shard(&self.path)?,
            other => other?,
        };
        folder.stripes.clone_from(&self.stripes);
        Ok(folder)
    }

    /// The node's lock file that would be held while a server has this shard open.
    #[must_use]
    pub fn node_lock(&self) -> Option<PathBuf> {
        let above = self.path.ancestors().skip(1).take(LOCK_LEVELS);
        above.map(|folder| folder.join("node.lock")).find(|file| file.is_file())
    }
}

/// The shards of a node. Up to 1.7 the folders of one copy in several data paths are one place.
///
/// # Errors
/// When a data path or a node's folder cannot be read.
pub fn node_places(data_paths: &[PathBuf], cluster_name: &str) -> Result<Places, NodeError> {
    let mut notes = Notes::default();
    // The same place below each data path is the same copy of the shard.
    let mut by_place: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    let mut seen: Vec<PathBuf> = Vec::new();
    for path in data_paths {
        let data_path = canonical(path)?;
        if seen.contains(&data_path) {
            continue;
        }
        for node_folder in node_folders(&data_path, cluster_name, &mut notes)? {
            let mut found = Vec::new();
            walk(&node_folder.path.join("indices"), DEPTH_MAX, &mut found, &mut notes);
            for shard in found {
                let place = shard.strip_prefix(&data_path).unwrap_or(&shard).to_owned();
                by_place.entry(place).or_default().push(shard);
            }
        }
        seen.push(data_path);
    }
    let mut places = Vec::new();
    for copies in by_place.into_values() {
        places.extend(settled(copies, &mut notes)?);
    }
    Ok(Places { places, notes: notes.into_parts().0 })
}

/// The shards below a path of any kind: a shard's folder, an index, a node, a data path, a copy
/// or a mounted image of one. A link that is named is followed, those below it are not.
///
/// # Errors
/// When the path cannot be read.
pub fn places_below(path: &Path) -> Result<Places, NodeError> {
    let root = canonical(path)?;
    let mut notes = Notes::default();
    let mut found = Vec::new();
    if is_shard(&root, &folders_in(&root, &mut notes)?) {
        found.push(root);
    } else {
        walk(&root, DEPTH_MAX, &mut found, &mut notes);
    }
    let places = found.into_iter().map(|path| ShardPlace { path, stripes: Vec::new() }).collect();
    Ok(Places { places, notes: notes.into_parts().0 })
}

fn canonical(path: &Path) -> Result<PathBuf, NodeError> {
    fs::canonicalize(path).map_err(|source| NodeError::Folder { path: path.to_owned(), source })
}

fn walk(folder: &Path, depth_left: usize, found: &mut Vec<PathBuf>, notes: &mut Notes) {
    let Some(depth_left) = depth_left.checked_sub(1) else {
        notes.add(format!("{} is too deep to be looked into", folder.display()));
        return;
    };
    if kind_of(folder).ok().flatten() != Some(Kind::Folder) {
        return;
    }
    let names = folders_or_note(folder, notes);
    if is_shard(folder, &names) {
        found.push(folder.to_path_buf());
        return;
    }
    for name in names.iter().filter(|name| *name != "_state") {
        walk(&folder.join(name), depth_left, found, notes);
    }
}

/// Whether a folder with these folders in it is a shard's. Up to 2.x an index may be called
/// `index` or `translog`, so `indices` never is one.
fn is_shard(folder: &Path, names: &[String]) -> bool {
    names.iter().any(|name| name == "index" || name == "translog")
        && folder.file_name().is_none_or(|name| name != "indices")
}

/// The copies of one place: alone, stripes of one, or one with debris.
fn settled(copies: Vec<PathBuf>, notes: &mut Notes) -> Result<Vec<ShardPlace>, NodeError> {
    if copies.len() < 2 {
        let place = |path| ShardPlace { path, stripes: Vec::new() };
        return Ok(copies.into_iter().map(place).collect());
    }
    let folders = copies.iter().map(|path| shard_at(path)).collect::<Result<Vec<_>, _>>()?;
    let settled = settle_copies(folders, notes).into_iter();
    Ok(settled.map(|folder| ShardPlace { path: folder.path, stripes: folder.stripes }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn paths(places: &Places, root: &Path) -> Vec<String> {
        let below =
            |place: &ShardPlace| place.path.strip_prefix(root).unwrap().display().to_string();
        places.places.iter().map(below).collect()
    }

    #[test]
    fn shards_are_found_from_any_folder_above_them() {
        let folder = TempDir::new().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for shard in ["a/indices/u/0", "a/indices/u/1", "a/indices/index/0", "copies/of-a-shard"] {
            fs::create_dir_all(root.join(shard).join("translog")).unwrap();
        }
        fs::create_dir_all(root.join("a/indices/u/_state")).unwrap();
        std::os::unix::fs::symlink(root.join("a"), root.join("link")).unwrap();
        let all = places_below(&root).unwrap();
        let expected = ["a/indices/index/0", "a/indices/u/0", "a/indices/u/1", "copies/of-a-shard"];
        assert_eq!(paths(&all, &root), expected);
        assert!(all.notes.iter().any(|note| note.contains("link")), "{:?}", all.notes);
        for (given, count) in [("a/indices/u", 2), ("a/indices/u/1", 1), ("link", 3)] {
            assert_eq!(places_below(&root.join(given)).unwrap().places.len(), count, "{given}");
        }
        assert!(places_below(&root.join("gone")).is_err());
        let loose = ShardPlace { path: root.join("copies/of-a-shard"), stripes: Vec::new() };
        assert_eq!(
            loose.read(&KeptStates::default()).unwrap().shard.to_string(),
            "[of-a-shard][0]"
        );
    }

    #[test]
    fn a_node_has_its_places_and_its_lock() {
        let folder = TempDir::new().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("nodes/0/indices/u/2/translog")).unwrap();
        fs::write(root.join("nodes/0/node.lock"), b"").unwrap();
        let found = node_places(std::slice::from_ref(&root), "c").unwrap();
        assert_eq!(paths(&found, &root), ["nodes/0/indices/u/2"]);
        assert_eq!(found.places[0].node_lock(), Some(root.join("nodes/0/node.lock")));
    }
}
