//! What a plan has to know of a shard beyond its files: its other copies, the state of its index, and
//! the room on its file system.

use std::path::Path;

use super::cluster_facts::ClusterFacts;
use super::copies::other_copies;
use crate::format::IndexState;
use crate::node::{ShardFolder, free_space, used_space};
use crate::plan::Context;

/// Kinds of stores whose files come from a snapshot: `snapshot` on Elasticsearch, `remote_snapshot`
/// on OpenSearch.
const SNAPSHOT_STORES: [&str; 2] = ["snapshot", "remote_snapshot"];

pub(super) fn context(folder: &ShardFolder, cluster: &ClusterFacts) -> Context {
    let index = folder.index_state.as_ref();
    Context {
        copies: other_copies(&cluster.of(folder)),
        shard_folders: folder.folders().map(Path::to_path_buf).collect(),
        folder_bytes: folder.folders().map(used_space).fold(0, u64::saturating_add),
        node: cluster.local_name(),
        index_is_open: index.is_none_or(is_open),
        kept_elsewhere: index.and_then(kept_elsewhere).map(str::to_owned),
        free_bytes: free_space(&folder.path).ok().map(|space| space.free_bytes),
    }
}

fn setting<'a>(index: &'a IndexState, name: &str) -> Option<&'a str> {
    index.settings.get(name).map(String::as_str)
}

/// Whether the index is opened with an engine that writes. A frozen one (6.6 to 7.x) has the engine
/// of a closed one, which wants everything in the commit.
fn is_open(index: &IndexState) -> bool {
    index.open && setting(index, "index.frozen") != Some("true")
}

/// Why the files here are not what the shard is made of.
fn kept_elsewhere(index: &IndexState) -> Option<&'static str> {
    if setting(index, "index.remote_store.enabled") == Some("true") {
        return Some("its translog is kept in a remote store, and comes from there");
    }
    let store = setting(index, "index.store.type")?;
    SNAPSHOT_STORES
        .contains(&store)
        .then_some("it is mounted from a snapshot, and comes from there")
}
