//! Which nodes elect the cluster's master (7.0 and later, OpenSearch): part of the cluster's own
//! metadata, of which every node keeps a copy that is master-eligible or has data.
//!
//! | kept in | servers |
//! |---|---|
//! | `_state/global-N.st`, with N from `_state/manifest-M.st`; both state files, see `state.rs` | 7.0 to 7.5 |
//! | the cluster's own document in the Lucene index in `_state/`, see `cluster_state.rs` | 7.6 and later, OpenSearch |
//!
//! | key | value |
//! |---|---|
//! | `meta-data` | object; the only key of the document |
//! | `meta-data.version` | how often the metadata were changed |
//! | `meta-data.cluster_coordination` | object; not before 7.0 |
//! | … `.term` | that of the election after which it was accepted |
//! | … `.last_committed_config` | ids of nodes, of which more than half elect |
//! | … `.last_accepted_config` | the same, as the next one is to be; more than half of both elect |
//! | … `.voting_config_exclusions` | nodes about to leave: `node_id`, `node_name`; not read |
//! | `generation` (the manifest) | N |
//!
//! An id that begins `{bootstrap-placeholder}` stands for a node of `cluster.initial_master_nodes`
//! that has not been seen. `STALE_STATE_CONFIG` is what a node keeps that is not master-eligible
//! (7.6 and later), and `_must_join_elected_master_` one that was detached from its cluster: neither
//! elects, so that other nodes do, and which is not told.
//!
//! Sources: `CoordinationMetaData`, `Manifest` (7.4.2), `ClusterBootstrapService`,
//! `GatewayMetaState` (7.17); what 7.4.2, 7.17.28, 8.19.0 and OpenSearch 2.19.1 kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::defect::Unreadable;
use super::state::document;

/// The document's only key.
pub(super) const ROOT: &str = "meta-data";
const UNSEEN: &str = "{bootstrap-placeholder}";
/// What stands for nodes that are not told.
const OTHERS: [&str; 2] = ["STALE_STATE_CONFIG", "_must_join_elected_master_"];

/// The nodes that elect the master.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Voters {
    /// Term and version of the metadata: of two the higher is the newer.
    pub age: (i64, i64),
    /// The ids of the nodes whose votes count now or, if that is being changed, will.
    pub ids: BTreeSet<String>,
    /// Whether other nodes vote, which are not told, and this one does not.
    pub are_others: bool,
}

/// What a node of 7.0 to 7.5 says of which of its state files count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Manifest {
    /// The number of the cluster's file, `global-N.st`.
    pub generation: i64,
}

#[derive(Deserialize)]
struct ClusterDocument {
    #[serde(default)]
    version: i64,
    #[serde(default)]
    cluster_coordination: Option<Coordination>,
}

#[derive(Deserialize)]
struct Coordination {
    #[serde(default)]
    term: i64,
    #[serde(default)]
    last_committed_config: Vec<String>,
    #[serde(default)]
    last_accepted_config: Vec<String>,
}

impl Voters {
    /// Decodes `global-N.st`; none where it does not tell, as before 7.0.
    ///
    /// # Errors
    /// When it is damaged, or its version, content type or form is not known.
    pub fn decode(bytes: &[u8]) -> Result<Option<Self>, Unreadable> {
        document(bytes).map(Self::of)
    }

    /// Decodes the bare SMILE document, of which something else vouches for the bytes.
    pub(super) fn decode_smile(bytes: &[u8]) -> Result<Option<Self>, String> {
        serde_smile::from_slice(bytes).map(Self::of).map_err(|error| format!("SMILE: {error}"))
    }

    fn of(mut by_name: BTreeMap<String, ClusterDocument>) -> Option<Self> {
        let ClusterDocument { version, cluster_coordination } = by_name.remove(ROOT)?;
        let Coordination { term, last_committed_config, last_accepted_config } =
            cluster_coordination?;
        let ids = last_committed_config.into_iter().chain(last_accepted_config);
        let ids = ids.filter(|id| !id.starts_with(UNSEEN));
        let (others, ids): (BTreeSet<_>, BTreeSet<_>) =
            ids.partition(|id| OTHERS.contains(&id.as_str()));
        Some(Self { age: (term, version), ids, are_others: !others.is_empty() })
    }
}

impl Manifest {
    /// Decodes `manifest-N.st`.
    ///
    /// # Errors
    /// When it is damaged, or its version, content type or form is not known.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        document(bytes)
    }
}

#[cfg(test)]
mod tests;
