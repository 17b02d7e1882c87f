//! Whether a shard has another copy that is worth more than a repair of this one.

use crate::cluster::{CopyState, ShardCopy};
use crate::log::ShardName;
use crate::plan::Copies;

/// What is known of a shard's copies.
#[derive(Debug, Clone, Copy)]
pub(super) struct CopyFacts<'a> {
    /// The shard.
    pub shard: &'a ShardName,
    /// In-sync allocation ids, from the API or else the node's files; `None` before 5.0.
    pub in_sync: Option<&'a [String]>,
    /// This copy's allocation id, from its own state file.
    pub own_allocation_id: Option<&'a str>,
    /// Every copy the API lists; none where no API answers.
    pub listed: &'a [ShardCopy],
    /// This node's id, where the API tells.
    pub local_node: Option<&'a str>,
}

/// Judges the other copies. Up to 2.x there are no in-sync ids: there only a copy that serves on
/// another node counts.
#[must_use]
pub(super) fn other_copies(facts: &CopyFacts) -> Copies {
    let mut others: Vec<String> = Vec::new();
    if let (Some(in_sync), Some(own)) = (facts.in_sync, facts.own_allocation_id) {
        if !in_sync.is_empty() && !in_sync.iter().any(|id| id == own) {
            return Copies::Stale;
        }
        let elsewhere = in_sync.iter().filter(|id| *id != own);
        others.extend(elsewhere.map(|id| format!("allocation id {id}")));
    }
    let serving = facts.listed.iter().filter(|copy| {
        let own_id = copy.allocation_id.is_some()
            && copy.allocation_id.as_deref() == facts.own_allocation_id;
        let here = copy.node.is_some() && copy.node.as_deref() == facts.local_node;
        copy.shard == *facts.shard
            && matches!(copy.state, CopyState::Started | CopyState::Relocating)
            && !own_id
            && !here
    });
    for copy in serving {
        let node = copy.node.as_deref().unwrap_or("another node");
        others.push(format!("started on node {node}"));
    }
    if others.is_empty() { Copies::Lone } else { Copies::InSyncElsewhere(others) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard() -> ShardName {
        ShardName { index: "logs".to_owned(), number: 1 }
    }

    fn copy(state: CopyState, allocation_id: Option<&str>) -> ShardCopy {
        ShardCopy {
            shard: shard(),
            primary: true,
            state,
            node: Some("n2".to_owned()),
            allocation_id: allocation_id.map(str::to_owned),
            reason: None,
        }
    }

    fn judge(in_sync: Option<&[&str]>, own: Option<&str>, listed: &[ShardCopy]) -> Copies {
        let in_sync: Option<Vec<String>> =
            in_sync.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect());
        other_copies(&CopyFacts {
            shard: &shard(),
            in_sync: in_sync.as_deref(),
            own_allocation_id: own,
            listed,
            local_node: Some("n1"),
        })
    }

    #[test]
    fn a_lone_copy_may_be_repaired() {
        assert_eq!(judge(Some(&["a"]), Some("a"), &[]), Copies::Lone);
        assert_eq!(judge(None, None, &[]), Copies::Lone);
        let failed = copy(CopyState::Unassigned, None);
        assert_eq!(judge(None, None, &[failed]), Copies::Lone);
    }

    #[test]
    fn another_in_sync_id_counts_even_when_it_is_away() {
        let copies = judge(Some(&["a", "b"]), Some("a"), &[]);
        assert_eq!(copies, Copies::InSyncElsewhere(vec!["allocation id b".to_owned()]));
    }

    #[test]
    fn a_copy_that_serves_elsewhere_counts_without_ids() {
        let copies = judge(None, None, &[copy(CopyState::Started, None)]);
        assert!(matches!(copies, Copies::InSyncElsewhere(_)));
    }

    #[test]
    fn the_own_copy_does_not_count_and_a_stale_one_is_named() {
        let own = copy(CopyState::Started, Some("a"));
        assert_eq!(judge(Some(&["a"]), Some("a"), &[own]), Copies::Lone);
        assert_eq!(judge(Some(&["b"]), Some("a"), &[]), Copies::Stale);
    }
}
