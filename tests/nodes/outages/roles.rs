//! A master without data and a node with all of it, which is the damaged one.

use std::fs;

use serde_json::Value;

use super::About;
use super::scene::{events, keep_machine};
use crate::checks::Checks;
use crate::damage::{Damage, Translog};
use crate::documents::{Story, difference};
use crate::pair::{BOTH, Pair, Who};
use crate::run::{property_of, succeed};
use crate::tool::{Run, Tool, View};

const INDEX: &str = "orders";
const MASTER: Who = Who::First;
const DATA: Who = Who::Second;

/// See the head of this file.
pub(super) fn dedicated_master(
    (version, binary, records): About<'_>,
    checks: &mut Checks,
) -> Result<(), String> {
    checks.step("installing two nodes");
    let pair = Pair::install(version)?;
    for (who, roles) in [(MASTER, "master"), (DATA, "data, ingest")] {
        set_roles(&pair, who, roles)?;
    }
    let mut tool = Tool::new(binary, records);
    let result = play(&pair, &mut tool, checks);
    Pair::keep_logs(records)?;
    keep_machine(records)?;
    result
}

fn set_roles(pair: &Pair, who: Who, roles: &str) -> Result<(), String> {
    let path = who.config().join(format!("{}.yml", pair.version.program()));
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    let settings = fs::read_to_string(&path).map_err(fail)?;
    let others = settings.lines().filter(|line| !line.starts_with("node.roles:"));
    let mut settings: Vec<&str> = others.collect();
    let roles = format!("node.roles: [{roles}]\n");
    settings.push(&roles);
    fs::write(&path, settings.join("\n")).map_err(fail)
}

fn play(pair: &Pair, tool: &mut Tool, checks: &mut Checks) -> Result<(), String> {
    let (story, readable_count) = fill_and_break(pair, checks)?;
    checks.step("start with the damage");
    succeed("systemctl", &["restart", &DATA.unit()])?;
    pair.wait("the damaged shard to be given up", |copies| {
        copies.iter().any(|copy| copy.is_given_up)
    })?;
    let master_began = since(MASTER)?;
    let data_began = since(DATA)?;
    let run = run(tool, MASTER, "on-the-master", &[])?;
    checks.exit("on-the-master", 64, &run);
    let wanted = ["[orders][0]", "another node's", "this node is the cluster's elected master"];
    let missing: Vec<&&str> = wanted.iter().filter(|word| !run.stdout.contains(**word)).collect();
    checks.holds(
        "it says whose the shard is, and that this is the master",
        missing.is_empty(),
        || format!("{missing:?} not in what it said; {}", run.words()),
    );
    checks.same("the data node is left alone", changed(&data_began, &since(DATA)?));
    checks.same("and the master too", changed(&master_began, &since(MASTER)?));

    let run = self::run(tool, DATA, "on-the-data-node", &["--accept-data-loss"])?;
    checks.exit("on-the-data-node", 1, &run);
    let told: Vec<String> = events(&run, "note").iter().map(Value::to_string).collect();
    let told = told.join("\n");
    let is_clean = ["elected master", "elect the master", "other nodes of the cluster are down"]
        .iter()
        .all(|words| !told.contains(words));
    checks.holds("it tells of no master and no lost node", is_clean, || told.clone());
    checks.same("the master stays up", changed(&master_began, &since(MASTER)?));
    let found = pair.api(MASTER).documents(INDEX, 0)?;
    let differs = difference(&story.documents(readable_count), &found);
    checks.same("the right documents", differs);
    let run = self::run(tool, DATA, "again", &[])?;
    checks.exit("again", 0, &run);
    Ok(())
}

/// Fills an index, kills the node that has it, and breaks it.
fn fill_and_break(pair: &Pair, checks: &mut Checks) -> Result<(Story, usize), String> {
    checks.step("first start and indexing");
    BOTH.into_iter().try_for_each(Pair::start)?;
    let api = pair.api(MASTER);
    pair.wait("two nodes", |_| api.node_count() == Ok(2))?;
    api.create_index(INDEX, 1)?;
    pair.wait("the shard", |copies| copies.iter().all(|copy| copy.state == "STARTED"))?;
    let story = Story::of(INDEX, 0);
    api.bulk(INDEX, "r", &story.flushed)?;
    api.flush()?;
    api.bulk(INDEX, "r", &story.unflushed)?;
    let uuid = api.index_uuid(INDEX)?;
    Pair::kill(DATA)?;
    let folder = pair.version.shard_folder(&DATA.data(), INDEX, &uuid, 0);
    let readable_count =
        Translog::of(&pair.version, &folder)?.damage(&pair.version, Damage::TornTail)?;
    Ok((story, readable_count))
}

/// Runs the program as on the machine of this node.
fn run(tool: &mut Tool, who: Who, label: &str, arguments: &[&str]) -> Result<Run, String> {
    let (config, url, unit) = (who.config().display().to_string(), who.url(), who.unit());
    let node = ["--config", &config, "--url", &url, "--service", &unit, "--yes"];
    let words = [&node[..], &["--output", "ndjson"], arguments].concat();
    tool.run(label, &View::Plain, &words)
}

/// Which start of its unit a node is in.
fn since(who: Who) -> Result<String, String> {
    property_of(&who.unit(), "InvocationID")
}

fn changed(before: &str, after: &str) -> Option<String> {
    (before != after).then(|| format!("started anew: {before} {after}"))
}
