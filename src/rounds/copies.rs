//! Whether a shard has another copy that is worth more than a repair of this one.

use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::{ShardCopy, StoredCopy};
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
    /// Every copy of the shard on the disk of a node that is up.
    pub stored: &'a [StoredCopy],
    /// This node's id, where it is known.
    pub local_node: Option<&'a str>,
    /// The names of nodes by id.
    pub node_names: &'a BTreeMap<String, String>,
    /// Replicas that the index is set to have, where no API answers.
    pub silent_replica_count: u32,
}

impl CopyFacts<'_> {
    fn in_sync(&self) -> &[String] {
        self.in_sync.unwrap_or_default()
    }

    fn is_own(&self, allocation_id: Option<&str>, node: Option<&str>) -> bool {
        let is_own_id = allocation_id.is_some() && allocation_id == self.own_allocation_id;
        is_own_id || (node.is_some() && node == self.local_node)
    }

    /// Whether an in-sync copy is neither this one nor listed nor stored where a node is up.
    pub(super) fn has_copy_away(&self) -> bool {
        let listed = self.listed.iter().filter(|copy| copy.shard == *self.shard);
        let listed = listed.filter_map(|copy| copy.allocation_id.as_deref());
        let stored = self.stored.iter().filter_map(|copy| copy.allocation_id.as_deref());
        let here: BTreeSet<&str> = listed.chain(stored).chain(self.own_allocation_id).collect();
        !self.stored.is_empty() && self.in_sync().iter().any(|id| !here.contains(id.as_str()))
    }

    fn name_of(&self, node: &str) -> String {
        format!("node {}", self.node_names.get(node).map_or(node, String::as_str))
    }

    /// Nodes that are up and hold another copy that is in sync: one that serves, or one that is on
    /// the disk and in the set.
    fn answering(&self) -> Vec<String> {
        let serving = self.listed.iter().filter(|copy| {
            copy.shard == *self.shard
                && copy.state.serves()
                && !self.is_own(copy.allocation_id.as_deref(), copy.node.as_deref())
        });
        let serving = serving.filter_map(|copy| copy.node.as_deref());
        let stored = self.stored.iter().filter(|copy| {
            let id = copy.allocation_id.as_deref();
            let is_in_sync = self.in_sync().iter().any(|known| Some(known.as_str()) == id);
            copy.is_usable && is_in_sync && !self.is_own(id, Some(&copy.node))
        });
        let nodes: BTreeSet<&str> = serving.chain(stored.map(|copy| copy.node.as_str())).collect();
        nodes.into_iter().map(|node| self.name_of(node)).collect()
    }
}

/// Judges the other copies. Up to 2.x there are no in-sync ids: there only a copy that serves on
/// another node is known to be good.
#[must_use]
pub(super) fn other_copies(facts: &CopyFacts) -> Copies {
    let own = facts.own_allocation_id;
    let is_stale = own.is_some_and(|own| {
        !facts.in_sync().is_empty() && !facts.in_sync().iter().any(|id| id == own)
    });
    let nodes = facts.answering();
    if !nodes.is_empty() {
        return Copies::Answering { nodes, is_stale };
    }
    let elsewhere = facts.in_sync().iter().filter(|id| Some(id.as_str()) != own);
    let silent: Vec<String> = elsewhere.map(|id| format!("allocation id {id}")).collect();
    if is_stale {
        return Copies::Stale(silent);
    }
    // Whose is the only one is not known where this copy does not tell its own.
    if silent.len() > usize::from(own.is_none()) {
        return Copies::Silent(silent);
    }
    let stored = facts.stored.iter();
    let stored =
        stored.filter(|copy| !facts.is_own(copy.allocation_id.as_deref(), Some(&copy.node)));
    let stored: Vec<String> = stored.map(|copy| facts.name_of(&copy.node)).collect();
    if facts.in_sync().is_empty() && !stored.is_empty() {
        return Copies::Silent(stored);
    }
    if facts.in_sync().is_empty() && facts.silent_replica_count > 0 {
        let count = facts.silent_replica_count;
        return Copies::Unknown(format!("the index is set to have {count} replicas"));
    }
    Copies::Lone
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::CopyState;

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
        judge_stored(in_sync, own, listed, &[])
    }

    fn judge_stored(
        in_sync: Option<&[&str]>,
        own: Option<&str>,
        listed: &[ShardCopy],
        stored: &[StoredCopy],
    ) -> Copies {
        let in_sync: Option<Vec<String>> =
            in_sync.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect());
        with_facts(in_sync.as_deref(), own, listed, stored, other_copies)
    }

    fn with_facts<T>(
        in_sync: Option<&[String]>,
        own_allocation_id: Option<&str>,
        listed: &[ShardCopy],
        stored: &[StoredCopy],
        judge: impl FnOnce(&CopyFacts) -> T,
    ) -> T {
        judge(&CopyFacts {
            shard: &shard(),
            in_sync,
            own_allocation_id,
            listed,
            stored,
            local_node: Some("n1"),
            node_names: &BTreeMap::from([("n2".to_owned(), "data-2".to_owned())]),
            silent_replica_count: 0,
        })
    }

    #[test]
    fn an_in_sync_copy_that_no_node_has_is_away() {
        let ids = ["a", "b", "c"].map(str::to_owned);
        let judge: fn(&CopyFacts) -> bool = |facts| facts.has_copy_away();
        let is_away = |listed: &[ShardCopy], stored: &[StoredCopy]| {
            with_facts(Some(&ids), Some("a"), listed, stored, judge)
        };
        assert!(is_away(&[], &[stored("b", true)]));
        assert!(!is_away(&[], &[stored("b", true), stored("c", false)]));
        let listed = copy(CopyState::Started, Some("c"));
        assert!(!is_away(&[listed], &[stored("b", true)]));
        assert!(!is_away(&[], &[]), "not told");
    }

    #[test]
    fn a_lone_copy_may_be_repaired() {
        assert_eq!(judge(Some(&["a"]), Some("a"), &[]), Copies::Lone);
        assert_eq!(judge(None, None, &[]), Copies::Lone);
        let failed = copy(CopyState::Unassigned, None);
        assert_eq!(judge(None, None, &[failed]), Copies::Lone);
    }

    fn answering(is_stale: bool) -> Copies {
        Copies::Answering { nodes: vec!["node data-2".to_owned()], is_stale }
    }

    fn stored(allocation_id: &str, is_usable: bool) -> StoredCopy {
        StoredCopy {
            node: "n2".to_owned(),
            node_name: "data-2".to_owned(),
            allocation_id: Some(allocation_id.to_owned()),
            is_usable,
        }
    }

    #[test]
    fn another_in_sync_id_counts_even_when_it_is_away() {
        let silent = Copies::Silent(vec!["allocation id b".to_owned()]);
        assert_eq!(judge(Some(&["a", "b"]), Some("a"), &[]), silent);
        let unusable = judge_stored(Some(&["a", "b"]), Some("a"), &[], &[stored("b", false)]);
        assert_eq!(unusable, silent);
        assert!(matches!(judge(Some(&["a", "b"]), None, &[]), Copies::Silent(_)));
        assert_eq!(judge(Some(&["a"]), None, &[]), Copies::Lone);
    }

    #[test]
    fn a_copy_answers_when_it_serves_or_is_in_sync_on_a_node_that_is_up() {
        assert_eq!(judge(None, None, &[copy(CopyState::Started, None)]), answering(false));
        let ids: Option<&[&str]> = Some(&["a", "b"]);
        assert_eq!(judge_stored(ids, Some("a"), &[], &[stored("b", true)]), answering(false));
        let old = judge_stored(ids, Some("a"), &[], &[stored("c", true)]);
        assert!(matches!(old, Copies::Silent(_)), "a store that is not in sync: {old:?}");
        let unknown = judge_stored(None, None, &[], &[stored("c", true)]);
        assert!(matches!(unknown, Copies::Silent(_)), "2.x tells no set: {unknown:?}");
    }

    #[test]
    fn the_own_copy_does_not_count_and_a_stale_one_is_named() {
        let own = copy(CopyState::Started, Some("a"));
        assert_eq!(judge(Some(&["a"]), Some("a"), &[own]), Copies::Lone);
        let silent = vec!["allocation id b".to_owned()];
        assert_eq!(judge(Some(&["b"]), Some("a"), &[]), Copies::Stale(silent));
        let peer = copy(CopyState::Started, Some("b"));
        assert_eq!(judge(Some(&["b"]), Some("a"), &[peer]), answering(true));
    }
}
