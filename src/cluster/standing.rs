//! Which of the shards that are waited for have come up on this node.

use std::collections::BTreeSet;

use super::ShardCopy;
use crate::log::ShardName;

/// Those of `expected` that have a copy on this node which serves.
///
/// `local_node` is the id of this node. Where it is not known, a copy counts only if no other
/// node has any copy of anything: a copy that serves elsewhere says nothing about this node.
#[must_use]
pub fn started_here(
    expected: &[ShardName],
    copies: &[ShardCopy],
    local_node: Option<&str>,
) -> BTreeSet<ShardName> {
    let nodes: BTreeSet<&str> = copies.iter().filter_map(|copy| copy.node.as_deref()).collect();
    let alone = nodes.first().copied().filter(|_| nodes.len() == 1);
    let Some(here) = local_node.or(alone) else { return BTreeSet::new() };
    copies
        .iter()
        .filter(|copy| copy.node.as_deref() == Some(here))
        .filter(|copy| copy.state.serves())
        .filter(|copy| expected.contains(&copy.shard))
        .map(|copy| copy.shard.clone())
        .collect()
}

#[cfg(test)]
mod tests;
