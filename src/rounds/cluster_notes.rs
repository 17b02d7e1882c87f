//! What a person should know of the cluster before a node of it is stopped, in sentences.

use std::collections::{BTreeMap, BTreeSet};

use super::silent_notes::{SilentFacts, silent_notes};
use crate::cluster::{ShardCopy, SnapshotOfIndex};
use crate::log::ShardName;

/// Names in one sentence.
const NAMES_MAX: usize = 5;
/// Sentences about snapshots.
const SNAPSHOTS_MAX: usize = 20;
/// Why a copy has no node when its node has left (`UnassignedInfo.Reason`).
const NODE_LEFT: &str = "NODE_LEFT";

/// What the sentences are made from.
#[derive(Debug, Clone, Default)]
pub(super) struct NoteFacts<'a> {
    /// Every copy of every shard; none where no API answers.
    pub copies: &'a [ShardCopy],
    /// The shards whose folders are on this node.
    pub own: BTreeSet<&'a ShardName>,
    /// This node's id.
    pub local_node: Option<&'a str>,
    /// The names of the nodes that are up, by id.
    pub node_names: BTreeMap<String, String>,
    /// The id of the elected master.
    pub master: Option<&'a str>,
    /// The ids of the nodes that elect it.
    pub voting: &'a [String],
    /// Shards with an in-sync copy that is on no node that is up.
    pub away: BTreeSet<&'a ShardName>,
    /// What the files tell, where the cluster does not.
    pub silent: Option<SilentFacts<'a>>,
    /// Snapshots that have damaged indices.
    pub snapshots: &'a [SnapshotOfIndex],
}

/// The sentences.
#[must_use]
pub(super) fn notes(facts: &NoteFacts) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(master_note(facts));
    notes.extend(missing_voters_note(facts));
    let left = left_shards(facts);
    notes.extend(left_copies_note(&left));
    notes.extend(away_note(facts, &left));
    notes.extend(red_note(facts));
    notes.extend(facts.silent.iter().flat_map(silent_notes));
    notes.extend(snapshot_notes(facts.snapshots));
    notes
}

fn master_note(facts: &NoteFacts) -> Option<String> {
    let is_master = facts.master.is_some() && facts.master == facts.local_node;
    // A node alone has nobody to hand over to.
    (is_master && facts.node_names.len() > 1).then(|| {
        "this node is the cluster's elected master: while it is stopped, another master-eligible \
         node has to take over"
            .to_owned()
    })
}

fn missing_voters_note(facts: &NoteFacts) -> Option<String> {
    if facts.node_names.is_empty() {
        return None;
    }
    let away: Vec<&str> = facts
        .voting
        .iter()
        .filter(|id| !facts.node_names.contains_key(*id))
        .map(String::as_str)
        .collect();
    let voter_count = facts.voting.len();
    let here = facts.local_node.is_some_and(|id| facts.voting.iter().any(|voter| voter == id));
    let left_count = voter_count.saturating_sub(away.len()).saturating_sub(usize::from(here));
    // A majority of the voters has to be up (7.0 and later).
    let is_short = left_count.saturating_mul(2) <= voter_count && voter_count > 1;
    let consequence = if is_short {
        "; with this one stopped the cluster has no master until enough of them are up"
    } else {
        ""
    };
    (!away.is_empty()).then(|| {
        format!(
            "{} of {voter_count} nodes that elect the master are not in the cluster: {}{consequence}",
            away.len(),
            listed(away.iter().copied())
        )
    })
}

fn left_shards<'a>(facts: &NoteFacts<'a>) -> BTreeSet<&'a ShardName> {
    facts
        .copies
        .iter()
        .filter(|copy| copy.node.is_none() && copy.reason.as_deref() == Some(NODE_LEFT))
        .map(|copy| &copy.shard)
        .collect()
}

fn left_copies_note(left: &BTreeSet<&ShardName>) -> Option<String> {
    (!left.is_empty()).then(|| {
        format!(
            "other nodes of the cluster are down: copies of {} shards were on nodes that have left",
            left.len()
        )
    })
}

/// After a restart of the whole cluster no copy counts as left.
fn away_note(facts: &NoteFacts, left: &BTreeSet<&ShardName>) -> Option<String> {
    let away = facts.away.difference(left).count();
    (away > 0).then(|| {
        format!(
            "other nodes of the cluster are down: in-sync copies of {away} shards are on no node \
             that is up"
        )
    })
}

fn red_note(facts: &NoteFacts) -> Option<String> {
    let red: BTreeSet<&ShardName> = facts
        .copies
        .iter()
        .filter(|copy| copy.primary && !copy.state.serves() && !facts.own.contains(&copy.shard))
        .map(|copy| &copy.shard)
        .collect();
    (!red.is_empty()).then(|| {
        let names: Vec<String> = red.iter().map(ToString::to_string).collect();
        format!(
            "{} more shards of the cluster are red, and no folder of theirs is on this node: {}",
            red.len(),
            listed(names.iter().map(String::as_str))
        )
    })
}

fn snapshot_notes(snapshots: &[SnapshotOfIndex]) -> Vec<String> {
    let told = snapshots.iter().take(SNAPSHOTS_MAX).map(|found| {
        let SnapshotOfIndex { index, repository, snapshot, ended_at } = found;
        format!("{index} is in the snapshot {repository}/{snapshot} of {ended_at}")
    });
    let more = snapshots.len().saturating_sub(SNAPSHOTS_MAX);
    let rest = (more > 0).then(|| format!("{more} more of the indices are in snapshots"));
    told.chain(rest).collect()
}

/// The first names, and how many more there are.
pub(super) fn listed<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(NAMES_MAX);
    let first: Vec<&str> = names.take(NAMES_MAX).collect();
    match more {
        0 => first.join(", "),
        _ => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::CopyState;

    fn shard(number: u32) -> ShardName {
        ShardName { index: "logs".to_owned(), number }
    }

    fn copy(number: u32, primary: bool, state: CopyState, reason: Option<&str>) -> ShardCopy {
        ShardCopy {
            shard: shard(number),
            primary,
            state,
            node: state.serves().then(|| "n1".to_owned()),
            allocation_id: None,
            reason: reason.map(str::to_owned),
        }
    }

    fn nodes(ids: &[&str]) -> BTreeMap<String, String> {
        ids.iter().map(|id| ((*id).to_owned(), format!("name of {id}"))).collect()
    }

    fn one(facts: &NoteFacts) -> String {
        let notes = notes(facts);
        assert_eq!(notes.len(), 1, "{notes:?}");
        notes.into_iter().next().unwrap()
    }

    #[test]
    fn nothing_is_said_where_nothing_is_told() {
        assert_eq!(notes(&NoteFacts::default()), Vec::<String>::new());
    }

    #[test]
    fn the_master_is_told_where_another_node_can_take_over() {
        let (local_node, master) = (Some("n1"), Some("n1"));
        let facts = NoteFacts {
            local_node,
            master,
            node_names: nodes(&["n1", "n2"]),
            ..Default::default()
        };
        assert!(one(&facts).contains("elected master"));
        let other = NoteFacts { master: Some("n2"), ..facts.clone() };
        assert_eq!(notes(&other), Vec::<String>::new());
        let alone = NoteFacts { node_names: nodes(&["n1"]), ..facts };
        assert_eq!(notes(&alone), Vec::<String>::new());
    }

    #[test]
    fn voters_that_are_away_are_told_and_what_that_means() {
        let voting = ["n1", "n2", "n3"].map(str::to_owned);
        let facts = NoteFacts {
            local_node: Some("n1"),
            voting: &voting,
            node_names: nodes(&["n1", "n2"]),
            ..Default::default()
        };
        let note = one(&facts);
        assert!(note.starts_with("1 of 3 nodes that elect the master"), "{note}");
        assert!(note.contains(": n3; with this one stopped the cluster has no master"), "{note}");
        let elsewhere = NoteFacts { local_node: Some("n9"), ..facts.clone() };
        assert!(one(&elsewhere).ends_with(": n3"));
        let all = NoteFacts { node_names: nodes(&["n1", "n2", "n3"]), ..facts };
        assert_eq!(notes(&all), Vec::<String>::new());
    }

    #[test]
    fn copies_whose_nodes_have_left_are_counted_by_shard() {
        let copies = [
            copy(0, true, CopyState::Started, None),
            copy(0, false, CopyState::Unassigned, Some("NODE_LEFT")),
            copy(1, true, CopyState::Started, None),
            copy(1, false, CopyState::Unassigned, Some("INDEX_CREATED")),
        ];
        let note = one(&NoteFacts { copies: &copies, ..Default::default() });
        assert!(note.contains("copies of 1 shards"), "{note}");
        // Told once of each shard.
        let names = [shard(0), shard(1), shard(2)];
        let away: BTreeSet<&ShardName> = names.iter().collect();
        let both = NoteFacts { copies: &copies, away: away.clone(), ..Default::default() };
        assert_eq!(notes(&both).len(), 2);
        assert!(notes(&both)[1].contains("in-sync copies of 2 shards are on no node that is up"));
        let note = one(&NoteFacts { away, ..Default::default() });
        assert!(note.contains("in-sync copies of 3 shards"), "{note}");
    }

    #[test]
    fn red_shards_that_are_not_this_nodes_are_named() {
        let copies: Vec<ShardCopy> =
            (0..9).map(|number| copy(number, true, CopyState::Unassigned, None)).collect();
        let own = [shard(0), shard(1)];
        let facts = NoteFacts { copies: &copies, own: own.iter().collect(), ..Default::default() };
        let note = one(&facts);
        assert!(note.starts_with("7 more shards of the cluster are red"), "{note}");
        let names = "[logs][2], [logs][3], [logs][4], [logs][5], [logs][6] and 2 more";
        assert!(note.ends_with(names), "{note}");
        let all: Vec<ShardName> = (0..9).map(shard).collect();
        let own = NoteFacts { own: all.iter().collect(), ..facts };
        assert_eq!(notes(&own), Vec::<String>::new());
    }

    #[test]
    fn snapshots_are_told_up_to_a_number() {
        let found = |number| SnapshotOfIndex {
            index: format!("logs-{number}"),
            repository: "nightly".to_owned(),
            snapshot: "two".to_owned(),
            ended_at: "2026-11-30T20:04:14.613Z".to_owned(),
        };
        let snapshots: Vec<SnapshotOfIndex> = (0..23).map(found).collect();
        let notes = notes(&NoteFacts { snapshots: &snapshots, ..Default::default() });
        let first = "logs-0 is in the snapshot nightly/two of 2026-11-30T20:04:14.613Z";
        assert_eq!((notes.len(), notes[0].as_str()), (21, first));
        assert_eq!(notes[20], "3 more of the indices are in snapshots");
    }
}
