//! A shard named by its folder's path.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::error::NodeError;
use super::folders::{Kind, Notes, kind_of};
use super::inventory::{Layout, NodeFolder, ShardFolder, number};
use super::kept_state::KeptStates;
use super::shards::{read_index, read_shard, read_state};
use crate::format::{IndexState, ShardState};
use crate::log::ShardName;

/// The shard whose folder is `path`: `.../indices/INDEX/NUMBER`.
///
/// Works on one folder and knows no settings: stripes in further data paths are not found, and the
/// layout is told from the names of the folders above.
///
/// # Errors
///
/// [`NodeError::NotAShard`] when the path is not of that form or the folder holds no data,
/// [`NodeError::Link`] when the folder, or one above it up to the data path, is a symbolic link,
/// [`NodeError::Folder`] when one can't be read.
pub fn shard_at(path: &Path) -> Result<ShardFolder, NodeError> {
    shard_in(path, &KeptStates::default())
}

/// [`shard_at`] for one of many shards, of whose nodes each is read once.
pub(super) fn shard_in(path: &Path, kept: &KeptStates) -> Result<ShardFolder, NodeError> {
    let refused =
        |reason: &str| NodeError::NotAShard { path: path.to_owned(), reason: reason.to_owned() };
    let failed = |source| NodeError::Folder { path: path.to_owned(), source };
    let absolute = std::path::absolute(path).map_err(failed)?;
    if absolute.components().any(|part| part == Component::ParentDir) {
        return Err(refused("a path with `..` in it is not taken"));
    }
    let names = Names::of(&absolute).ok_or_else(|| refused("not .../indices/INDEX/NUMBER"))?;
    for folder in [&absolute, &names.index, &names.indices] {
        real_folder(folder, path)?;
    }

    let mut notes = Notes::default();
    // The oldest layout first: it is the one whose index folders can be told from the others'.
    let mut node = names.node(Layout::ClusterNamed, path)?;
    let kept = kept.of(&node.path);
    let mut index = read_index(&node, &names.folder_name, &kept, &mut notes);
    if node.layout == Layout::ClusterNamed && index.is_named_by_uuid() {
        node = names.node(Layout::Ordinal, path)?;
        index = read_index(&node, &names.folder_name, &kept, &mut notes);
    }
    read_shard(&node, &index, names.shard, &mut notes)
        .ok_or_else(|| refused("it holds no index and no translog"))
}

/// A shard whose folder lies anywhere: a copy or a backup. It is named by its index's state where
/// that was copied too, else by the folder.
pub(super) fn loose_shard(path: &Path) -> Result<ShardFolder, NodeError> {
    real_folder(path, path)?;
    let text = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let own_name = text(path).unwrap_or_default();
    let own_number = number(&own_name);
    let above = path.parent().unwrap_or(path);
    let mut notes = Notes::default();
    let index_state = read_state(&above.join("_state"), IndexState::decode, &mut notes);
    let index = match (&index_state, own_number) {
        (Some(state), _) => state.name.clone(),
        (None, Some(_)) => text(above).unwrap_or_default(),
        (None, None) => own_name,
    };
    Ok(ShardFolder {
        shard: ShardName { index, number: own_number.unwrap_or(0) },
        index_uuid: index_state.as_ref().and_then(|state| state.uuid.clone()),
        stripes: Vec::new(),
        index_path: above.to_owned(),
        node_folder: above.to_owned(),
        data_path: above.to_owned(),
        layout: Layout::Flat,
        index_state,
        shard_state: read_state(&path.join("_state"), ShardState::decode, &mut notes),
        path: path.to_owned(),
    })
}

/// The parts of a shard folder's path.
struct Names {
    node: PathBuf,
    indices: PathBuf,
    index: PathBuf,
    folder_name: String,
    shard: u32,
}

impl Names {
    fn of(path: &Path) -> Option<Self> {
        let shard = number(path.file_name()?.to_str()?)?;
        let index = path.parent()?;
        let indices = index.parent()?;
        (indices.file_name()? == "indices").then_some(())?;
        Some(Self {
            node: indices.parent()?.to_owned(),
            indices: indices.to_owned(),
            index: index.to_owned(),
            folder_name: index.file_name()?.to_str()?.to_owned(),
            shard,
        })
    }

    /// The node's folder, links above its data path resolved. `numbered` is its layout when it has
    /// an ordinal; one without is flat.
    fn node(&self, numbered: Layout, target: &Path) -> Result<NodeFolder, NodeError> {
        let ordinal = self.ordinal();
        let (layout, depth) = match (ordinal, numbered) {
            (None, _) => (Layout::Flat, 0),
            (Some(_), Layout::ClusterNamed) => (Layout::ClusterNamed, 3),
            (Some(_), _) => (Layout::Ordinal, 2),
        };
        for folder in self.node.ancestors().take(depth) {
            real_folder(folder, target)?;
        }
        let data_path = self.node.ancestors().nth(depth).unwrap_or(&self.node);
        let below = self.node.strip_prefix(data_path).unwrap_or(Path::new(""));
        let data_path = fs::canonicalize(data_path)
            .map_err(|source| NodeError::Folder { path: data_path.to_owned(), source })?;
        // Joining an empty path would leave a slash at the end.
        let path = if depth == 0 { data_path.clone() } else { data_path.join(below) };
        Ok(NodeFolder { data_path, path, layout, ordinal })
    }

    fn ordinal(&self) -> Option<u32> {
        let nodes = self.node.parent()?.file_name()?;
        if nodes == "nodes" { number(self.node.file_name()?.to_str()?) } else { None }
    }
}

fn real_folder(folder: &Path, target: &Path) -> Result<(), NodeError> {
    let refused = |reason: String| NodeError::NotAShard { path: target.to_owned(), reason };
    match kind_of(folder)? {
        Some(Kind::Folder) => Ok(()),
        Some(Kind::Link) => Err(NodeError::Link { path: folder.to_owned() }),
        Some(_) => Err(refused(format!("{} is no folder", folder.display()))),
        None => Err(refused(format!("there is no {}", folder.display()))),
    }
}
