//! All shards below a node's data paths, whatever release laid them out.
//!
//! | layout | node folder | index folder | releases |
//! |---|---|---|---|
//! | [`Layout::ClusterNamed`] | `D/CLUSTER/nodes/ORDINAL` | `indices/NAME` | up to 2.x; 5.x keeps it |
//! | [`Layout::Ordinal`] | `D/nodes/ORDINAL` | `indices/UUID` | 5.x to 7.x, OpenSearch |
//! | [`Layout::Flat`] | `D` | `indices/UUID` | 8.0 and later |
//!
//! `NodeEnvironment.java`, 0.90.13, 1.7.6, 2.4.6, 5.6.3, 7.10.2; observed on 8.19.0 and OpenSearch
//! 2.19.1. 5.x goes on in a cluster-named folder that it finds, with index folders renamed to UUIDs.
//!
//! Symbolic links below a data path are noted and never followed; a data path may be one itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::copies::settle_copies;
use super::error::NodeError;
use super::folders::{Kind, Notes, folders_in, kind_of};
use super::kept_state::KeptCluster;
use super::shards::{node_id, shards_of};
use crate::format::{IndexState, ShardState, Voters};
use crate::log::ShardName;

/// How a release lays out a data path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layout {
    /// `D/CLUSTER/nodes/ORDINAL`: up to 2.x, and 5.x in a folder it took over.
    ClusterNamed,
    /// `D/nodes/ORDINAL`: 5.x to 7.x, and OpenSearch.
    Ordinal,
    /// The data path itself: 8.0 and later.
    Flat,
}

/// A folder that one server process locks as its own in one data path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFolder {
    /// The data path it belongs to, links resolved.
    pub data_path: PathBuf,
    /// The folder, which holds `node.lock` and `indices`.
    pub path: PathBuf,
    /// How it is laid out.
    pub layout: Layout,
    /// Its number, but for [`Layout::Flat`].
    pub ordinal: Option<u32>,
}

/// One shard copy on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct ShardFolder {
    /// The shard. Where no file tells the index's name, the name is that of its folder.
    pub shard: ShardName,
    /// UUID of the index: its folder's name from 5.0 on, what the index's state says before.
    pub index_uuid: Option<String>,
    /// The shard's folder, which holds `index`, `translog` and `_state`.
    pub path: PathBuf,
    /// Folders of the same copy in further data paths: up to 1.7 its files lie in all of them.
    pub stripes: Vec<PathBuf>,
    /// The index's folder, which holds `_state` and the shard's folder.
    pub index_path: PathBuf,
    /// The node's folder.
    pub node_folder: PathBuf,
    /// The data path, links resolved.
    pub data_path: PathBuf,
    /// How the node's folder is laid out.
    pub layout: Layout,
    /// The index's metadata, where a readable file has it: the index's own, or the node's if that
    /// is newer.
    pub index_state: Option<IndexState>,
    /// The shard's state, where a readable file has it.
    pub shard_state: Option<ShardState>,
}

impl ShardFolder {
    /// The folders of this copy: its own and its stripes.
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(&self.path).chain(&self.stripes).map(PathBuf::as_path)
    }

    /// The lock files of this copy that exist: `index/write.lock` of each folder.
    #[must_use]
    pub fn lock_files(&self) -> Vec<PathBuf> {
        existing(self.folders().map(|folder| folder.join("index/write.lock")))
    }
}

impl NodeFolder {
    /// The lock files of this folder that exist: `node.lock`, and from 7.6 on that of the node's
    /// own Lucene index.
    #[must_use]
    pub fn lock_files(&self) -> Vec<PathBuf> {
        existing(["node.lock", "_state/write.lock"].map(|name| self.path.join(name)).into_iter())
    }
}

/// What lies below a node's data paths.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inventory {
    /// The node folders, in the order of their data paths.
    pub node_folders: Vec<NodeFolder>,
    /// The shards, by index and number.
    pub shards: Vec<ShardFolder>,
    /// What was left out or looks odd, one sentence each.
    pub notes: Vec<String>,
    /// Symbolic links where folders belong; never followed.
    pub links: Vec<PathBuf>,
    /// The cluster beyond this node, as the node keeps it.
    pub beyond: Beyond,
}

/// What the files of a node tell of the other nodes of its cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beyond {
    /// The nodes that elect the master, from 7.0 on.
    pub voters: Option<Voters>,
    /// The ids of the nodes whose folders these are, from 5.0 on.
    pub own_ids: BTreeSet<String>,
    /// Shards with in-sync copies and no folder here, from 7.6 on.
    pub shards_elsewhere: Vec<ShardName>,
}

/// Lists the node folders and shards below `data_paths`.
///
/// `cluster_name` finds the folder of 2.x and older. Reads folders and state files only. A shard
/// folder with neither `index` nor `translog` is left out and noted.
///
/// # Errors
///
/// [`NodeError::Folder`] when a data path or a node's folder can't be read. What is wrong deeper
/// down is noted, so that one bad folder does not hide the others.
pub fn inventory(data_paths: &[PathBuf], cluster_name: &str) -> Result<Inventory, NodeError> {
    let mut inventory = Inventory::default();
    let mut notes = Notes::default();
    let mut seen: Vec<PathBuf> = Vec::new();
    for path in data_paths {
        let data_path = fs::canonicalize(path)
            .map_err(|source| NodeError::Folder { path: path.clone(), source })?;
        if !seen.contains(&data_path) {
            let found = node_folders(&data_path, cluster_name, &mut notes)?;
            inventory.node_folders.extend(found);
            seen.push(data_path);
        }
    }
    let mut shards = Vec::new();
    let paths = inventory.node_folders.iter().map(|folder| folder.path.as_path());
    let kept = KeptCluster::of(paths, &mut notes);
    for node_folder in &inventory.node_folders {
        shards.extend(shards_of(node_folder, &kept, &mut notes)?);
    }
    inventory.shards = settle_copies(shards, &mut notes);
    let ids = inventory.node_folders.iter().filter_map(|folder| node_id(&folder.path));
    inventory.beyond = Beyond {
        own_ids: ids.collect(),
        voters: kept.voters().cloned(),
        shards_elsewhere: kept.shards_without(&inventory.shards),
    };
    note_ordinals(&inventory, &mut notes);
    (inventory.notes, inventory.links) = notes.into_parts();
    Ok(inventory)
}

pub(super) fn node_folders(
    data_path: &Path,
    cluster_name: &str,
    notes: &mut Notes,
) -> Result<Vec<NodeFolder>, NodeError> {
    let mut found = Vec::new();
    let indices_kind = kind_of(&data_path.join("indices"))?;
    let nodes_kind = kind_of(&data_path.join("nodes"))?;
    // From 8.0 on `nodes` is a file that keeps older releases out.
    if indices_kind == Some(Kind::Folder) || nodes_kind == Some(Kind::File) {
        let (data_path, path) = (data_path.to_owned(), data_path.to_owned());
        found.push(NodeFolder { data_path, path, layout: Layout::Flat, ordinal: None });
    }
    for name in folders_in(data_path, notes)? {
        if name == "nodes" {
            found.extend(ordinals(data_path, data_path, Layout::Ordinal, notes)?);
        } else if name == cluster_name {
            let cluster = data_path.join(name);
            found.extend(ordinals(data_path, &cluster, Layout::ClusterNamed, notes)?);
        } else if kind_of(&data_path.join(&name).join("nodes"))? == Some(Kind::Folder) {
            notes.add(format!(
                "{} has the data of a cluster named {name}, not {cluster_name}: left out",
                data_path.display(),
            ));
        }
    }
    if found.is_empty() {
        notes.add(format!("{} has no node's folder", data_path.display()));
    }
    Ok(found)
}

/// The folders `nodes/ORDINAL` below `parent`.
fn ordinals(
    data_path: &Path,
    parent: &Path,
    layout: Layout,
    notes: &mut Notes,
) -> Result<Vec<NodeFolder>, NodeError> {
    let numbered_in = parent.join("nodes");
    if kind_of(&numbered_in)? != Some(Kind::Folder) {
        return Ok(Vec::new());
    }
    let names = folders_in(&numbered_in, notes)?;
    let numbered = names.iter().filter_map(|name| Some((name, number(name)?)));
    let mut found: Vec<NodeFolder> = numbered
        .map(|(name, ordinal)| NodeFolder {
            data_path: data_path.to_owned(),
            path: numbered_in.join(name),
            layout,
            ordinal: Some(ordinal),
        })
        .collect();
    found.sort_by_key(|folder| folder.ordinal);
    Ok(found)
}

/// Two ordinals with shards in them are two servers' folders, or what is left when a server of 2.x
/// or older found its own locked and began an empty one.
fn note_ordinals(inventory: &Inventory, notes: &mut Notes) {
    let mut ordinals: Vec<u32> = inventory
        .node_folders
        .iter()
        .filter(|folder| inventory.shards.iter().any(|shard| shard.node_folder == folder.path))
        .filter_map(|folder| folder.ordinal)
        .collect();
    ordinals.sort_unstable();
    ordinals.dedup();
    if ordinals.len() > 1 {
        let list: Vec<String> = ordinals.iter().map(u32::to_string).collect();
        notes.add(format!("shards of more than one node ordinal: {}", list.join(", ")));
    }
}

/// The number that a folder is named, as a server writes it: no sign, no leading zero.
pub(super) fn number(name: &str) -> Option<u32> {
    let number: u32 = name.parse().ok()?;
    (number.to_string() == name).then_some(number)
}

fn existing(paths: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    paths.filter(|path| fs::symlink_metadata(path).is_ok_and(|facts| facts.is_file())).collect()
}

#[cfg(test)]
pub(in crate::node) mod tests;
