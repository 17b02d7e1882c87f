//! The routing table: every copy of every shard, and how it is.
//!
//! `routing_table.indices.INDEX.shards.N` is a list of copies in the cluster state of 0.90 to
//! 9.x and of OpenSearch. `allocation_id` came with 2.0 and `unassigned_info` with 1.7. A copy
//! that moves is listed once, on the node it leaves, which serves it until the move is done.

use serde::Serialize;
use serde_json::Value;

use crate::log::ShardName;

/// How a copy of a shard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CopyState {
    /// It serves.
    Started,
    /// It recovers, and does not serve yet.
    Initializing,
    /// It serves, and is on its way to another node.
    Relocating,
    /// No node has it.
    Unassigned,
}

impl CopyState {
    /// Whether a copy answers requests.
    #[must_use]
    pub fn serves(self) -> bool {
        matches!(self, Self::Started | Self::Relocating)
    }
}

/// A copy of a shard, as the cluster lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShardCopy {
    /// The shard.
    pub shard: ShardName,
    /// Whether it is the primary.
    pub primary: bool,
    /// How it is.
    pub state: CopyState,
    /// The id of the node that has it.
    pub node: Option<String>,
    /// Its allocation id (2.0 and later).
    pub allocation_id: Option<String>,
    /// `unassigned_info.reason`, such as `ALLOCATION_FAILED` (1.7 and later).
    pub reason: Option<String>,
}

/// All copies in a cluster state, ordered by shard, primaries first.
pub(super) fn parse(cluster_state: &Value) -> Result<Vec<ShardCopy>, String> {
    let indices = cluster_state
        .get("routing_table")
        .and_then(|table| table.get("indices"))
        .and_then(Value::as_object)
        .ok_or("it has no routing_table.indices")?;
    let mut copies = Vec::new();
    for (index, entry) in indices {
        let shards = entry.get("shards").and_then(Value::as_object);
        for (number, list) in shards.ok_or_else(|| format!("index {index:?} has no shards"))? {
            let unusable = || format!("shard {number:?} of index {index:?} is no list of copies");
            let number = number.parse().map_err(|_| unusable())?;
            let shard = ShardName { index: index.clone(), number };
            for copy in list.as_array().ok_or_else(unusable)? {
                copies.push(parse_copy(&shard, copy)?);
            }
        }
    }
    copies.sort_by(|a, b| (&a.shard, !a.primary).cmp(&(&b.shard, !b.primary)));
    Ok(copies)
}

fn parse_copy(shard: &ShardName, copy: &Value) -> Result<ShardCopy, String> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let state = match copy.get("state").and_then(Value::as_str) {
        Some("STARTED") => CopyState::Started,
        Some("INITIALIZING") => CopyState::Initializing,
        Some("RELOCATING") => CopyState::Relocating,
        Some("UNASSIGNED") => CopyState::Unassigned,
        other => return Err(format!("a copy of {shard} has the state {other:?}")),
    };
    let primary = copy.get("primary").and_then(Value::as_bool);
    Ok(ShardCopy {
        shard: shard.clone(),
        primary: primary.ok_or_else(|| format!("a copy of {shard} does not say if primary"))?,
        state,
        node: text(copy.get("node")),
        allocation_id: text(copy.get("allocation_id").and_then(|id| id.get("id"))),
        reason: text(copy.get("unassigned_info").and_then(|info| info.get("reason"))),
    })
}

#[cfg(test)]
mod tests;
