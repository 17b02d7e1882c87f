//! What is around a node: the master, who votes, and the indices that a full disk made read-only.
//!
//! `master_node` and `blocks` are parts of the cluster state of every release. The flood stage came
//! with 6.0: its block has the number 12 in `blocks.indices.INDEX`
//! (`IndexMetadata.INDEX_READ_ONLY_ALLOW_DELETE_BLOCK`). The voting configuration came with 7.0.

use std::collections::BTreeMap;

use serde_json::Value;

/// The block of the flood stage.
const FLOOD_BLOCK: &str = "12";

/// What is around a node. What the server does not tell is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The id of the elected master.
    pub master: Option<String>,
    /// The ids of the nodes that elect it (7.0 and later).
    pub voting: Vec<String>,
    /// Indices that are read-only since the flood stage of a disk, by name.
    pub flood_blocks: BTreeMap<String, FloodBlock>,
    /// The version of the node that was asked.
    pub version: Option<String>,
}

/// A block of the flood stage on an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FloodBlock {
    /// Whether the index has no other block.
    pub is_alone: bool,
}

impl Surroundings {
    /// Whether the server takes the blocks away itself when its disk has room again: Elasticsearch
    /// from 7.4 on, and every OpenSearch. Elasticsearch has the setting from 5.x on, so a version
    /// under 5 is OpenSearch's.
    #[must_use]
    pub fn server_clears_blocks(&self) -> bool {
        let version = self.version.as_deref().unwrap_or_default();
        let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
        let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        match major {
            0 | 5 | 6 => false,
            7 => minor >= 4,
            _ => true,
        }
    }
}

/// The master and the blocks in a cluster state.
pub(super) fn master_and_blocks(state: &Value) -> (Option<String>, BTreeMap<String, FloodBlock>) {
    let master = state.get("master_node").and_then(Value::as_str).map(str::to_owned);
    let indices = state.get("blocks").and_then(|blocks| blocks.get("indices"));
    let indices = indices.and_then(Value::as_object).into_iter().flatten();
    let flooded = |(index, blocks): (&String, &Value)| {
        let blocks = blocks.as_object().filter(|blocks| blocks.contains_key(FLOOD_BLOCK))?;
        Some((index.clone(), FloodBlock { is_alone: blocks.len() == 1 }))
    };
    (master, indices.filter_map(flooded).collect())
}

/// The ids in the voting configuration that is in force.
pub(super) fn voting(state: &Value) -> Vec<String> {
    let config = state
        .get("metadata")
        .and_then(|metadata| metadata.get("cluster_coordination")?.get("last_committed_config"));
    let ids = config.and_then(Value::as_array).into_iter().flatten();
    ids.filter_map(|id| id.as_str().map(str::to_owned)).collect()
}

/// The version of the one node in the answer of `_nodes/_local`.
pub(super) fn version(answer: &Value) -> Option<String> {
    let mut nodes = answer.get("nodes")?.as_object()?.values();
    Some(nodes.next()?.get("version")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::real::{SERVERS, answer};
    use super::*;

    #[test]
    fn the_master_of_real_servers_is_read() {
        for server in SERVERS {
            let (master, blocks) = master_and_blocks(&answer(server, "master"));
            assert_eq!(master.map(|id| id.len()), Some(22), "{server}");
            assert!(blocks.is_empty(), "{server}");
            if server == "es-0.90.13" {
                continue;
            }
            let voting = voting(&answer(server, "voting"));
            let has_voting = ["es-7.17.28", "es-8.19.0", "os-2.19.1"].contains(&server);
            assert_eq!(voting.len(), usize::from(has_voting), "{server}");
        }
    }

    #[test]
    fn the_flood_stage_of_real_servers_is_told_from_other_blocks() {
        for server in ["es-5.6.16", "es-7.17.28", "es-8.19.0", "os-2.19.1"] {
            let alone = BTreeMap::from([("logs-1".to_owned(), FloodBlock { is_alone: true })]);
            assert_eq!(master_and_blocks(&answer(server, "blocks")).1, alone, "{server}");
        }
        let state = json!({"blocks": {"indices": {
            "a": {"12": {}, "4": {}}, "b": {"4": {}}, "c": [],
        }}});
        let blocks = master_and_blocks(&state).1;
        let expected = BTreeMap::from([("a".to_owned(), FloodBlock { is_alone: false })]);
        assert_eq!(blocks, expected);
    }

    #[test]
    fn servers_that_clear_their_blocks_are_known_by_their_version() {
        for (server, clears) in
            [("es-0.90.13", false), ("es-7.17.28", true), ("es-8.19.0", true), ("os-2.19.1", true)]
        {
            let version = version(&answer(server, "local_node"));
            assert_eq!(version.as_deref(), server.get(3..), "{server}");
            let around = Surroundings { version, ..Surroundings::default() };
            assert_eq!(around.server_clears_blocks(), clears, "{server}");
        }
        for (version, clears) in
            [("5.6.16", false), ("6.8.23", false), ("7.3.2", false), ("7.4.0", true), ("", false)]
        {
            let version = Some(version.to_owned());
            let around = Surroundings { version, ..Surroundings::default() };
            assert_eq!(around.server_clears_blocks(), clears, "{around:?}");
        }
    }
}
