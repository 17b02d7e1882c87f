//! One node with two data paths, and a damaged index of each shape: plain, closed, read-only,
//! a data stream, hidden, and with a leading dot.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::About;
use super::scene::{Scene, events, play};
use crate::checks::Checks;
use crate::damage::{Damage, Translog};
use crate::documents::{Operation, Story};
use crate::node::Node;
use crate::red_to_green::{Shard, fail_on_them};
use crate::run::succeed;

const CLOSED: &str = "archive-2025";
const READ_ONLY: &str = "metrics-2025";
const STREAM: &str = "logs-app";
const BACKING: &str = ".ds-logs-app-2026.11.30-000001";
const TIME: &str = "2026-11-30T00:00:00Z";
const HIDDEN: &str = "audit";
const DOTTED: &str = ".system-like";
/// An index has so many shards that each data path gets one.
const PLAIN: &str = "orders";
const PLAIN_COUNT: u32 = 2;

/// See the head of this file.
pub(super) fn shapes(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    play(about, checks, |scene| {
        let paths = two_data_paths(&scene.node)?;
        let stories = fill(scene)?;
        let (mut open, closed) = break_each(scene, &paths, stories)?;
        let used = paths.iter().filter(|path| open.iter().any(|one| is_below(one, path))).count();
        scene.checks.holds("each data path has a damaged shard", used == 2, || format!("{used}"));
        open.push(closed);
        fail_on_them(&scene.node, &open, scene.checks)?;
        let closed = open.pop().ok_or("no closed index")?;

        let lost_count: usize = open.iter().map(lost_count).sum();
        let (budget, too_small) = (lost_count.to_string(), (lost_count - 1).to_string());
        scene.text("small-budget", 64, &["--yes", "--max-lost-ops", &too_small])?;
        scene.no_run();
        let before = Scene::translogs(std::slice::from_ref(&closed))?;
        let starts_before = scene.starts()?;
        let run = scene.job("repair", 64 + 4 + 1, &["--yes", "--max-lost-ops", &budget])?;
        let repaired_count = events(&run, "repaired").len();
        scene.checks.holds("every open shard is repaired", repaired_count == open.len(), || {
            format!("{repaired_count} of {}", open.len())
        });
        let start_count = scene.starts()? - starts_before;
        scene.checks.holds("in one start", start_count == 1, || format!("{start_count}"));
        scene.says("what to do with the closed one", &run, &[CLOSED, "open (or unfreeze)"]);
        let is_same = before == Scene::translogs(std::slice::from_ref(&closed))?;
        scene.checks.holds("the closed one is left as it is", is_same, || "it is not".to_owned());
        scene.is_green(&open)?;
        scene.text("only-the-closed", 64, &["--yes", "--max-lost-ops", &budget])?;

        scene.checks.step("the closed index is opened, and fails");
        scene.node.api.post(&format!("/{CLOSED}/_open?timeout=5s"), "application/json", "")?;
        open.push(closed);
        scene.job("opened", 1, &["--yes", "--max-lost-ops", "0"])?;
        scene.is_green(&open)?;
        scene.text("again", 0, &["--yes"]).map(|_| ())
    })
}

/// Gives the node that has not yet started two data paths.
fn two_data_paths(node: &Node) -> Result<[PathBuf; 2], String> {
    let paths = ["a", "b"].map(|name| node.data().join(name));
    let [first, second] = paths.each_ref().map(|path| path.display().to_string());
    let file = node.config().join(format!("{}.yml", node.version.program()));
    let settings = fs::read_to_string(&file).map_err(|error| error.to_string())?;
    let one = format!("path.data: {}\n", node.data().display());
    let two = format!("path.data: [{first}, {second}]\n");
    fs::write(&file, settings.replace(&one, &two)).map_err(|error| error.to_string())?;
    let program = node.version.program();
    succeed("install", &["-d", "-o", program, "-g", program, &first, &second]).map(|()| paths)
}

/// Makes an index of each shape, with operations that are in the translog alone where there can be
/// some. The closed one is the last.
fn fill(scene: &mut Scene<'_>) -> Result<Vec<(Story, String)>, String> {
    scene.checks.step("first start and indexing");
    let node = &scene.node;
    let api = &node.api;
    node.start(|_| true)?;
    api.create_index(PLAIN, PLAIN_COUNT)?;
    for (index, is_hidden) in [(READ_ONLY, false), (HIDDEN, true), (DOTTED, true), (CLOSED, false)]
    {
        let settings =
            json!({ "number_of_shards": 1, "number_of_replicas": 0, "hidden": is_hidden });
        api.put(&format!("/{index}"), &json!({ "settings": { "index": settings } }))?;
    }
    let mut steps = Vec::new();
    let stream = make_stream(node, &mut steps)?;
    for step in &steps {
        scene.checks.step(step);
    }
    node.wait(|shards| shards.iter().all(|shard| shard.state == "STARTED"))?;
    let mut stories = Vec::new();
    for (shard, routing) in (0..PLAIN_COUNT).zip(api.routings(PLAIN, PLAIN_COUNT)?) {
        stories.push((Story::of(PLAIN, shard), routing));
    }
    let others = [READ_ONLY, HIDDEN, DOTTED, CLOSED].map(|index| Story::of(index, 0));
    stories.extend(others.into_iter().map(|story| (story, "r".to_owned())));
    for (story, routing) in &stories {
        api.bulk(&story.index, routing, &story.flushed)?;
    }
    // By name: a flush of everything leaves out what is hidden.
    let indices = stories.iter().map(|(story, _)| &story.index).chain([&stream.story.index]);
    api.flush_of(&indices.cloned().collect())?;
    for (story, routing) in &stories {
        api.bulk(&story.index, routing, &story.unflushed)?;
    }
    append(node, stream.name, &stream.story.unflushed)?;
    api.put(&format!("/{READ_ONLY}/_settings"), &json!({ "index.blocks.write": true }))?;
    api.post(&format!("/{CLOSED}/_close"), "application/json", "")?;
    stories.insert(stories.len() - 1, (stream.story, String::new()));
    let mut filled = Vec::new();
    for (story, _) in stories {
        let uuid = api.index_uuid(&story.index)?;
        filled.push((story, uuid));
    }
    node.kill()?;
    Ok(filled)
}

/// Breaks every shard in a way that its shape allows. The open ones, and the closed one.
fn break_each(
    scene: &mut Scene<'_>,
    paths: &[PathBuf],
    filled: Vec<(Story, String)>,
) -> Result<(Vec<Shard>, Shard), String> {
    let version = &scene.node.version;
    let kinds = [
        Damage::TornTail,
        Damage::FlippedBits,
        Damage::FlippedBits,
        Damage::Emptied,
        Damage::ZeroedTail,
        Damage::TornTail,
    ];
    let mut kinds = kinds.into_iter();
    let mut open = Vec::new();
    for (story, uuid) in filled {
        let folder_in = |path: &PathBuf| {
            let folder = version.shard_folder(path, &story.index, &uuid, story.shard);
            folder.join("translog").is_dir().then_some(folder)
        };
        let folder = paths.iter().find_map(folder_in);
        let folder = folder.ok_or(format!("no folder of {}", story.index))?;
        let translog = Translog::of(version, &folder)?;
        let (name, count) = (&story.index, translog.frames.len());
        scene.checks.step(&format!("{name}: {count} records in {}", folder.display()));
        let Some(damage) = kinds.next() else {
            return Ok((open, empty_checkpoint(story, translog)?));
        };
        let readable_count = translog.damage(version, damage)?;
        open.push(Shard { story, translog, damage: Some(damage), readable_count });
    }
    Err("no closed index".to_owned())
}

/// Breaks a shard whose translog has no record to break: closing and freezing put everything into
/// the commit.
pub(super) fn empty_checkpoint(story: Story, translog: Translog) -> Result<Shard, String> {
    let checkpoint = translog.path.with_file_name("translog.ckp");
    let file = fs::OpenOptions::new().write(true).open(&checkpoint);
    let cut = file.and_then(|file| file.set_len(0));
    cut.map_err(|error| format!("{}: {error}", checkpoint.display()))?;
    let (damage, readable_count) = (Some(Damage::Emptied), story.unflushed.len());
    Ok(Shard { story, translog, damage, readable_count })
}

/// How many operations a repair at the default level loses.
fn lost_count(shard: &Shard) -> usize {
    match shard.damage {
        Some(Damage::FlippedBits) => 1,
        _ => shard.lost().len(),
    }
}

fn is_below(shard: &Shard, path: &Path) -> bool {
    shard.translog.path.starts_with(path)
}

/// A data stream: where its documents are sent to, and which.
struct Stream {
    name: &'static str,
    story: Story,
}

/// Makes a data stream with a document. A composed server may lack it: then an index as the
/// backing ones are. What is sent to it is new documents alone, each with its time.
fn make_stream(node: &Node, steps: &mut Vec<String>) -> Result<Stream, String> {
    let settings = json!({ "number_of_shards": 1, "number_of_replicas": 0, "hidden": true });
    let template = json!({
        "index_patterns": [STREAM],
        "data_stream": {},
        "template": { "settings": settings },
    });
    let first = Operation { id: "first".to_owned(), source: Some(json!({ "@timestamp": TIME })) };
    let made = node.api.put("/_index_template/logs", &template);
    let made = made.and_then(|()| append(node, STREAM, std::slice::from_ref(&first)));
    let name = if let Err(why) = made {
        steps.push(format!("no data stream here, {BACKING} instead: {why}"));
        node.api.put(&format!("/{BACKING}"), &json!({ "settings": { "index": settings } }))?;
        append(node, BACKING, std::slice::from_ref(&first))?;
        BACKING
    } else {
        STREAM
    };
    let states = node.api.shards()?;
    let backing = states.iter().find(|shard| shard.index.starts_with(".ds-"));
    let mut story = Story::of(&backing.ok_or("no data stream was made")?.index, 0);
    let is_new = |operation: &Operation| {
        let revision = operation.source.as_ref().and_then(|source| source.get("revision"));
        revision.and_then(Value::as_u64) == Some(1)
    };
    for operations in [&mut story.flushed, &mut story.unflushed] {
        operations.retain(is_new);
        for source in operations.iter_mut().filter_map(|operation| operation.source.as_mut()) {
            source["@timestamp"] = json!(TIME);
        }
    }
    append(node, name, &story.flushed)?;
    story.flushed.push(first);
    Ok(Stream { name, story })
}

/// Appends documents to a data stream.
fn append(node: &Node, name: &str, operations: &[Operation]) -> Result<(), String> {
    let mut lines = String::new();
    for operation in operations {
        let source = operation.source.as_ref().ok_or("a data stream takes documents alone")?;
        let verb = json!({ "create": { "_index": name, "_id": operation.id } });
        lines = format!("{lines}{verb}\n{source}\n");
    }
    let answer = node.api.post("/_bulk", "application/x-ndjson", &lines)?;
    match answer.get("errors") {
        Some(Value::Bool(false)) => Ok(()),
        _ => Err(format!("the data stream does not take them: {answer}")),
    }
}
