//! What the node's files tell of the rest of its cluster where the cluster itself does not answer.

use super::cluster_notes::listed;
use crate::node::Beyond;

/// What the sentences are made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct SilentFacts<'a> {
    /// Whether something answered that gives no news, of which a sentence tells already.
    pub is_asked: bool,
    /// Shards of this node with in-sync copies on other nodes.
    pub shared_shard_count: usize,
    /// The cluster beyond this node.
    pub beyond: &'a Beyond,
}

/// The sentences: none where this node is all of the cluster.
#[must_use]
pub(super) fn silent_notes(facts: &SilentFacts) -> Vec<String> {
    let told = [voters_note(facts.beyond), shared_note(facts), elsewhere_note(facts.beyond)];
    let mut lead = if facts.is_asked { "" } else { "no API answers; " };
    let mut notes = Vec::new();
    for note in told.into_iter().flatten() {
        notes.push(format!("{lead}as the node's files tell, {note}"));
        lead = "";
    }
    notes
}

fn voters_note(beyond: &Beyond) -> Option<String> {
    let voters = beyond.voters.as_ref()?;
    if voters.are_others {
        return Some("it elects no master, and needs another node that is the master".to_owned());
    }
    // Whose votes are the other ones' is not known where the folders do not tell whose they are.
    if beyond.own_ids.is_empty() {
        return None;
    }
    let others: Vec<&str> = voters.ids.difference(&beyond.own_ids).map(String::as_str).collect();
    let (count, ids) = (voters.ids.len(), listed(others.iter().copied()));
    let half = "of which more than half have to be up";
    match others.len() {
        0 => None,
        1 if count == 1 => {
            Some(format!("another node elects the cluster's master, and has to be up: {ids}"))
        }
        others if others == count => {
            Some(format!("{count} other nodes elect the cluster's master, {half}: {ids}"))
        }
        _ => Some(format!("{count} nodes elect the cluster's master, {half}: this one and {ids}")),
    }
}

fn shared_note(facts: &SilentFacts) -> Option<String> {
    (facts.shared_shard_count > 0).then(|| {
        format!("{} of its shards have in-sync copies on other nodes", facts.shared_shard_count)
    })
}

fn elsewhere_note(beyond: &Beyond) -> Option<String> {
    let names: Vec<String> = beyond.shards_elsewhere.iter().map(ToString::to_string).collect();
    (!names.is_empty()).then(|| {
        format!(
            "{} more shards of the cluster have no folder on this node: {}",
            names.len(),
            listed(names.iter().map(String::as_str))
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Voters;
    use crate::log::ShardName;

    fn told(voters: &[&str], own: &[&str], shared_shard_count: usize) -> Vec<String> {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        let voters = Some(Voters { ids: ids(voters), ..Voters::default() });
        let beyond = Beyond { voters, own_ids: ids(own), ..Beyond::default() };
        silent_notes(&SilentFacts { is_asked: false, shared_shard_count, beyond: &beyond })
    }

    #[test]
    fn a_node_alone_tells_nothing() {
        for (voters, own) in [(&[][..], &[][..]), (&["a"], &["a"]), (&[], &["a"]), (&["a"], &[])] {
            assert_eq!(told(voters, own, 0), [""; 0], "{voters:?} {own:?}");
        }
    }

    #[test]
    fn the_nodes_that_elect_are_told_and_whether_this_is_one() {
        let lead = "no API answers; as the node's files tell, ";
        let half = "elect the cluster's master, of which more than half have to be up: ";
        let cases: [(&[&str], String); 4] = [
            (&["b"], "another node elects the cluster's master, and has to be up: b".to_owned()),
            (&["b", "c"], format!("2 other nodes {half}b, c")),
            (&["a", "b", "c"], format!("3 nodes {half}this one and b, c")),
            (
                &["a", "b", "c", "d", "e", "f", "g"],
                format!("7 nodes {half}this one and b, c, d, e, f and 1 more"),
            ),
        ];
        for (voters, wanted) in cases {
            assert_eq!(told(voters, &["a"], 0), [format!("{lead}{wanted}")]);
        }
    }

    #[test]
    fn a_node_that_elects_none_needs_another() {
        let voters = Some(Voters { are_others: true, ..Voters::default() });
        let beyond = Beyond { voters, ..Beyond::default() };
        let facts = SilentFacts { is_asked: false, shared_shard_count: 0, beyond: &beyond };
        let wanted = "no API answers; as the node's files tell, it elects no master, and needs \
                      another node that is the master";
        assert_eq!(silent_notes(&facts), [wanted]);
    }

    #[test]
    fn shards_that_are_elsewhere_too_and_only_are_told() {
        let notes = told(&["a", "b", "c"], &["a"], 3);
        assert_eq!(notes.len(), 2);
        let shared = "as the node's files tell, 3 of its shards have in-sync copies on other nodes";
        assert_eq!(notes[1], shared);
        assert_eq!(told(&["a"], &["a"], 3), [format!("no API answers; {shared}")]);
        let shards = (0..7).map(|number| ShardName { index: "logs".to_owned(), number });
        let beyond = Beyond { shards_elsewhere: shards.collect(), ..Beyond::default() };
        let facts = SilentFacts { is_asked: true, shared_shard_count: 0, beyond: &beyond };
        let wanted = "as the node's files tell, 7 more shards of the cluster have no folder on this \
                      node: [logs][0], [logs][1], [logs][2], [logs][3], [logs][4] and 2 more";
        assert_eq!(silent_notes(&facts), [wanted]);
    }
}
