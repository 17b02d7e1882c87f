//! Two nodes of one cluster, both down: what the files of each tell of the other.

use serde_json::json;

use super::About;
use super::scene::{events, keep_machine};
use crate::checks::Checks;
use crate::damage::{Damage, Translog};
use crate::documents::Story;
use crate::pair::{BOTH, Pair, Who};
use crate::tool::{Run, Tool, View};
use crate::version::{Vendor, Version};

/// An index with a copy on each node.
const SHARED: &str = "orders";

/// See the head of this file.
pub(super) fn silent_cluster(
    (version, binary, records): About<'_>,
    checks: &mut Checks,
) -> Result<(), String> {
    checks.step("installing two nodes");
    let pair = Pair::install(version)?;
    let mut tool = Tool::new(binary, records);
    let result = play(&pair, &mut tool, checks);
    Pair::keep_logs(records)?;
    keep_machine(records)?;
    result
}

fn play(pair: &Pair, tool: &mut Tool, checks: &mut Checks) -> Result<(), String> {
    let master_id = fill_and_break(pair, checks)?;
    let keeps_all = keeps_every_index(&pair.version);
    let elsewhere = |who: Who| {
        let note = "1 more shards of the cluster have no folder on this node: ";
        keeps_all.then(|| format!("{note}[{}][0]", alone_on(who)))
    };

    let run = run(tool, Who::First, "the-master", &["--all", "--accept-data-loss"])?;
    checks.exit("the-master", 64, &run);
    let shared = "1 of its shards have in-sync copies on other nodes".to_owned();
    let wanted = [Some(shared.clone()), elsewhere(Who::Second)];
    checks.same("the master's files tell of the other node", differs(&run, wanted));

    let run = self::run(tool, Who::Second, "the-data-node", &["--all", "--dry-run"])?;
    checks.exit("the-data-node", 0, &run);
    // From 7.6 on it keeps no more than that it has no vote.
    let voter = if keeps_all {
        "it elects no master, and needs another node that is the master".to_owned()
    } else {
        format!("another node elects the cluster's master, and has to be up: {master_id}")
    };
    let wanted = [Some(voter), Some(shared), elsewhere(Who::First)];
    checks.same("the data node's files tell of the master", differs(&run, wanted));
    Ok(())
}

/// How what was told of the cluster is not what should have been.
fn differs(run: &Run, wanted: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let told = events(run, "note");
    let told = told.iter().filter_map(|note| note.get("text")?.as_str());
    let told: Vec<&str> = told.filter(|text| text.contains("as the node's files tell")).collect();
    let mut lead = "no API answers; ";
    let of = |note| format!("{}as the node's files tell, {note}", std::mem::take(&mut lead));
    let wanted: Vec<String> = wanted.into_iter().flatten().map(of).collect();
    (told != wanted).then(|| format!("{told:?} instead of {wanted:?}"))
}

/// Whether a node keeps every index of the cluster, not only its own.
fn keeps_every_index(version: &Version) -> bool {
    version.vendor == Vendor::OpenSearch || (version.major, version.minor) >= (7, 6)
}

fn alone_on(who: Who) -> String {
    format!("only-on-{}", who.number())
}

/// An index with a copy on each node, and one on each alone; of the first the copy on the first
/// node is damaged. Gives the id of the master.
fn fill_and_break(pair: &Pair, checks: &mut Checks) -> Result<String, String> {
    checks.step("first start and indexing");
    BOTH.into_iter().try_for_each(Pair::start)?;
    let api = pair.api(Who::First);
    pair.wait("two nodes", |_| api.node_count() == Ok(2))?;
    api.create_index_on(SHARED, &Who::First.name())?;
    for who in BOTH {
        let settings = json!({
            "number_of_shards": 1,
            "number_of_replicas": 0,
            "index.routing.allocation.require._name": who.name(),
        });
        api.put(&format!("/{}", alone_on(who)), &json!({ "settings": settings }))?;
    }
    pair.wait("every copy", |copies| {
        copies.len() == 4 && copies.iter().all(|copy| copy.state == "STARTED")
    })?;
    let story = Story::of(SHARED, 0);
    api.bulk(SHARED, "r", &story.flushed)?;
    api.flush()?;
    api.bulk(SHARED, "r", &story.unflushed)?;
    let (uuid, master_id) = (api.index_uuid(SHARED)?, api.node_id(&Who::First.name())?);
    BOTH.into_iter().try_for_each(Pair::kill)?;
    let folder = pair.version.shard_folder(&Who::First.data(), SHARED, &uuid, 0);
    Translog::of(&pair.version, &folder)?.damage(&pair.version, Damage::FlippedBits)?;
    Ok(master_id)
}

/// Runs the program as on the machine of this node, on every shard that is asked for.
fn run(tool: &mut Tool, who: Who, label: &str, arguments: &[&str]) -> Result<Run, String> {
    let (config, url, unit) = (who.config().display().to_string(), who.url(), who.unit());
    let node = ["--config", &config, "--url", &url, "--service", &unit, "--yes"];
    let words = [&node[..], &["--output", "ndjson"], arguments].concat();
    tool.run(label, &View::Plain, &words)
}
