//! A cluster of three nodes over time, of which two run at once, and two replicas: three copies of
//! each shard are in sync, and that of the first node is damaged.

use serde_json::{Value, json};

use super::About;
use super::copies::{Copies, INDICES, play_on, saved, whole};
use super::scene::events;
use crate::checks::Checks;
use crate::http::json_of;
use crate::http_copies::CopyOnNode;
use crate::pair::{BOTH, Pair, Who};
use crate::tool::Run;

const AWAY: &str = "other nodes of the cluster are down: in-sync copies of 2 shards are on no node";

/// See the head of this file.
pub(super) fn three_nodes(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    checks.step("installing three nodes");
    play_on(Pair::install_three(about.0)?, about, checks, third_gets_copies, |copies| {
        two_are_down(copies)?;
        one_is_up(copies)?;
        files_alone(copies)
    })
}

/// The second node leaves with its copies, and the third gets some; nothing is written meanwhile.
fn third_gets_copies(pair: &Pair) -> Result<(), String> {
    let api = pair.api(Who::First);
    for index in INDICES {
        api.put(&format!("/{index}/_settings"), &json!({ "index.number_of_replicas": 2 }))?;
    }
    Pair::kill(Who::Second)?;
    Pair::start(Who::Third)?;
    pair.wait("copies on the third node", |copies| are_on(copies, [Who::First, Who::Third]))?;
    let path = "/_cluster/state/metadata?filter_path=metadata.indices.*.in_sync_allocations";
    pair.wait("three copies in sync", |_| {
        let ids = |index: &Value| index.pointer("/in_sync_allocations/0")?.as_array().map(Vec::len);
        let state = api.get(path).and_then(|text| json_of(path, &text));
        let indices = state.ok().and_then(|it| it.pointer("/metadata/indices").cloned());
        let counts: Vec<_> = indices
            .as_ref()
            .and_then(Value::as_object)
            .map(|indices| indices.values().filter_map(ids).collect())
            .unwrap_or_default();
        counts == vec![3; INDICES.len()]
    })?;
    Pair::kill(Who::Third)
}

/// Whether each of these nodes has a copy of every index that serves, and no other copy is begun.
fn are_on(copies: &[CopyOnNode], nodes: [Who; 2]) -> bool {
    let started: Vec<&CopyOnNode> = copies.iter().filter(|copy| copy.state == "STARTED").collect();
    let on = |who: Who| {
        started.iter().filter(|copy| copy.node.as_deref() == Some(who.name().as_str())).count()
    };
    started.len() == INDICES.len() * 2 && nodes.iter().all(|who| on(*who) == INDICES.len())
}

fn notes(run: &Run) -> Vec<String> {
    let told = events(run, "note");
    told.iter().filter_map(|note| Some(note.get("text")?.as_str()?.to_owned())).collect()
}

fn tells(copies: &mut Copies<'_>, label: &str, run: &Run, wanted: &str) {
    let notes = notes(run);
    let is_told = notes.iter().any(|note| note.contains(wanted));
    copies.checks.holds(&format!("{label}: told: {wanted}"), is_told, || format!("{notes:?}"));
}

/// The damaged copies alone, on a node that is up.
fn two_are_down(copies: &mut Copies<'_>) -> Result<(), String> {
    copies.alone_and_red()?;
    let arguments = ["--yes", "--accept-data-loss", "--output", "ndjson"];
    let run = copies.run("two-are-down", 64, &arguments)?;
    tells(copies, "two are down", &run, AWAY);
    let ids: Vec<usize> =
        run.stdout.lines().map(|line| line.matches("allocation id ").count()).collect();
    copies.checks.holds("both other copies are named", ids.contains(&2), || run.stdout.clone());
    copies.no_run("two are down");
    Ok(())
}

/// One of the other copies is there: it wins, and the third node is told of.
fn one_is_up(copies: &mut Copies<'_>) -> Result<(), String> {
    copies.checks.step("the second node comes, the third stays away");
    Pair::start(Who::Second)?;
    let api = copies.pair.api(Who::First);
    copies.pair.wait("two nodes", |_| api.node_count() == Ok(2))?;
    let run = copies.run("one-is-up", 1, &["--yes", "--output", "ndjson"])?;
    tells(copies, "one is up", &run, AWAY);
    let repaired = events(&run, "repaired");
    let is_moved = |event: &&Value| event.get("kind").and_then(Value::as_str) == Some("move-away");
    let moved_count = repaired.iter().filter(is_moved).count();
    copies.checks.holds("each damaged copy is moved away", moved_count == INDICES.len(), || {
        format!("{moved_count}")
    });
    copies.pair.wait("every copy that two nodes have", |copies| are_on(copies, BOTH))?;
    copies.compare("one is up", BOTH, whole)
}

/// Both others are down, and so is this one: refused until told; then the third alone comes.
fn files_alone(copies: &mut Copies<'_>) -> Result<(), String> {
    copies.checks.step("nothing runs");
    Pair::restore(&saved())?;
    let all = ["--output", "ndjson", "--all", "--yes"];
    let run = copies.run("files-alone", 64, &[&all[..], &["--accept-data-loss"]].concat())?;
    tells(copies, "nothing runs", &run, "2 of its shards have in-sync copies on other nodes");
    let run = copies.run("prefer-peer", 2, &[&all[..], &["--prefer-peer"]].concat())?;
    let repaired_count = events(&run, "repaired").len();
    copies.checks.holds("told, it is done", repaired_count == INDICES.len(), || run.words());
    // A node that was stopped stays stopped.
    let nodes = [Who::First, Who::Third];
    nodes.into_iter().try_for_each(Pair::start)?;
    copies.pair.wait("copies of the third node's", |copies| are_on(copies, nodes))?;
    copies.compare("the third alone has come", nodes, whole)
}
