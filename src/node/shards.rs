//! The shards in one node's folder, with what their state files say.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::error::NodeError;
use super::folders::{Kind, Notes, folders_in, folders_or_note, kind_of};
use super::inventory::{Layout, NodeFolder, ShardFolder, number};
use super::kept_state::KeptCluster;
use super::nofollow::HeldFolders;
use crate::format::{IndexState, NodeState, ShardState, Unreadable, newest_state_file};
use crate::log::ShardName;

/// Largest state file read, in bytes. An index's state has its mappings; 4 MiB is a big one.
pub(super) const STATE_MAX_BYTES: u64 = 64 << 20;

/// Length of an index's UUID as text: 16 bytes in URL-safe base64 without padding.
const UUID_LEN: usize = 22;

/// An index's folder in a node's folder.
pub(super) struct IndexFolder {
    path: PathBuf,
    name: String,
    uuid: Option<String>,
    state: Option<IndexState>,
}

impl IndexFolder {
    /// Whether the folder is called by the index's UUID, not by its name.
    pub(super) fn is_named_by_uuid(&self) -> bool {
        self.uuid.as_ref().is_some_and(|uuid| self.path.ends_with(uuid))
    }
}

/// The shards in a node's folder, in no order that matters.
///
/// # Errors
///
/// [`NodeError::Folder`] when the folder of the indices can't be listed.
pub(super) fn shards_of(
    node: &NodeFolder,
    kept: &KeptCluster,
    notes: &mut Notes,
) -> Result<Vec<ShardFolder>, NodeError> {
    let indices = node.path.join("indices");
    match kind_of(&indices)? {
        Some(Kind::Folder) => {}
        Some(Kind::Link) => {
            notes.add_link(indices);
            return Ok(Vec::new());
        }
        _ => return Ok(Vec::new()),
    }
    let mut shards = Vec::new();
    for folder_name in folders_in(&indices, notes)? {
        let index = read_index(node, &folder_name, kept, notes);
        for shard_name in folders_or_note(&index.path, notes) {
            let Some(shard_number) = number(&shard_name) else { continue };
            shards.extend(read_shard(node, &index, shard_number, notes));
        }
    }
    Ok(shards)
}

/// What an index's folder and its state say about the index, or what the node keeps of it, if
/// that is newer.
pub(super) fn read_index(
    node: &NodeFolder,
    folder_name: &str,
    kept: &KeptCluster,
    notes: &mut Notes,
) -> IndexFolder {
    let path = node.path.join("indices").join(folder_name);
    let own = read_state(&path.join("_state"), IndexState::decode, notes);
    let state = kept.newer(folder_name, own);
    let state_uuid = state.as_ref().and_then(|state| state.uuid.clone());
    if named_by_uuid(node, folder_name, state.as_ref()) {
        if state_uuid.as_ref().is_some_and(|uuid| uuid != folder_name) {
            notes.add(format!("{} holds the state of another UUID", path.display()));
        }
        let name = state.as_ref().map_or(folder_name, |state| &state.name).to_owned();
        IndexFolder { path, name, uuid: Some(folder_name.to_owned()), state }
    } else {
        if state.as_ref().is_some_and(|state| state.name != folder_name) {
            notes.add(format!("{} holds the state of another index", path.display()));
        }
        IndexFolder { path, name: folder_name.to_owned(), uuid: state_uuid, state }
    }
}

/// Whether an index's folder is named by its UUID, as from 5.0 on, not by its name.
///
/// A cluster-named folder may have been taken over by 5.x, which renames the index folders
/// (`IndexFolderUpgrader.java`, 5.6.3). Where no index state tells, the node's own does: from 5.0 on
/// it has `node-N.st`, from 7.6 on a Lucene index (`NodeMetaData`, `PersistedClusterStateService`).
fn named_by_uuid(node: &NodeFolder, folder_name: &str, state: Option<&IndexState>) -> bool {
    if node.layout != Layout::ClusterNamed {
        return true;
    }
    if let Some(state) = state {
        return state.name != folder_name && state.uuid.as_deref() == Some(folder_name);
    }
    let url_safe = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let later = |name: &String| name.starts_with("node-") || name.starts_with("segments_");
    folder_name.len() == UUID_LEN
        && folder_name.bytes().all(url_safe)
        && state_names(&node.path.join("_state")).is_ok_and(|names| names.iter().any(later))
}

/// A shard's folder; `None`, with a note, when it holds no data.
pub(super) fn read_shard(
    node: &NodeFolder,
    index: &IndexFolder,
    shard_number: u32,
    notes: &mut Notes,
) -> Option<ShardFolder> {
    let path = index.path.join(shard_number.to_string());
    let has = |name: &str| kind_of(&path.join(name)).is_ok_and(|kind| kind == Some(Kind::Folder));
    if !has("index") && !has("translog") {
        let custom = index.state.as_ref().and_then(|state| state.settings.get("index.data_path"));
        notes.add(match custom {
            Some(place) => format!(
                "{} has its data in a place of its own, index.data_path {place}: left out",
                path.display()
            ),
            None => format!("{} holds no index and no translog: left out", path.display()),
        });
        return None;
    }
    let shard_state = read_state(&path.join("_state"), ShardState::decode, notes);
    Some(ShardFolder {
        shard: ShardName { index: index.name.clone(), number: shard_number },
        index_uuid: index.uuid.clone(),
        stripes: Vec::new(),
        index_path: index.path.clone(),
        node_folder: node.path.clone(),
        data_path: node.data_path.clone(),
        layout: node.layout,
        index_state: index.state.clone(),
        shard_state,
        path,
    })
}

/// The newest readable `state-N` in a `_state` folder. One that can't be read is noted, and the
/// next older one taken: servers up to 7.x do the same (`MetaDataStateFormat.java`, 5.6.3).
pub(super) fn read_state<T>(
    folder: &Path,
    decode: fn(&[u8]) -> Result<T, Unreadable>,
    notes: &mut Notes,
) -> Option<T> {
    let mut names = match state_names(folder) {
        Ok(names) => names,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                notes.add(format!("{} cannot be read, {error}", folder.display()));
            }
            return None;
        }
    };
    while let Some(name) = newest_state_file(names.iter().map(String::as_str), "state-") {
        let name = name.to_owned();
        let path = folder.join(&name);
        let value = read_bounded(&path, STATE_MAX_BYTES)
            .map_err(|error| error.to_string())
            .and_then(|bytes| decode(&bytes).map_err(|defect| defect.to_string()));
        match value {
            Ok(value) => return Some(value),
            Err(reason) => notes.add(format!("{} is not readable: {reason}", path.display())),
        }
        names.retain(|other| *other != name);
    }
    None
}

/// Names of the regular files in a `_state` folder that is no link.
pub(super) fn state_names(folder: &Path) -> io::Result<Vec<String>> {
    if fs::symlink_metadata(folder)?.is_symlink() {
        return Err(io::Error::other("a symbolic link"));
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            names.extend(entry.file_name().into_string());
        }
    }
    Ok(names)
}

pub(super) fn read_bounded(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = HeldFolders::default().read_own(path)?;
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|len_bytes| len_bytes > max_bytes) {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

/// The id of the node whose folder this is, from 5.0 on (`_state/node-N.st`).
#[must_use]
pub fn node_id(node_folder: &Path) -> Option<String> {
    let folder = node_folder.join("_state");
    let names = state_names(&folder).ok()?;
    let name = newest_state_file(names.iter().map(String::as_str), "node-")?.to_owned();
    NodeState::decode(&read_bounded(&folder.join(name), STATE_MAX_BYTES).ok()?).ok()?.id
}
