//! A data path that is a mount point: the quarantine is a hidden folder at its top, and the server
//! leaves it alone while it starts, indexes, flushes, makes and deletes indices and starts again.

use std::collections::BTreeSet;
use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::batch::{Cell, ROUTING, fill_and_break};
use crate::cell_loss::outcome;
use crate::checks::Checks;
use crate::documents::Story;
use crate::fingerprint::{Fingerprint, Times};
use crate::kind::Kind;
use crate::mount::Mount;
use crate::process::Process;
use crate::tool::{Tool, View};
use crate::version::Version;

/// Name of the quarantine at the top of a data path that is a mount point.
const HIDDEN: &str = ".es-translog-fix";
const LATER: &str = "later";
/// What the data path is.
const MEMORY: &str = "mount -t tmpfs -o size=1g data $1";

/// Runs it on one server, in a mount namespace of this process's own.
pub(crate) fn run(
    version: &Version,
    distribution: &Path,
    work: &Path,
    (tool, checks, seed): (&mut Tool, &mut Checks, u64),
) -> Result<(), String> {
    let _mount = Mount::new(MEMORY, &work.join("data"), &work.join("blocks"))?;
    let mut node = Process::install(version, distribution, work)?;
    let cells = fill_and_break(&mut node, &Kind::fast(version), seed)?;
    let words = node.repair_words("valid");
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let document = tool.run("repair", &View::Plain, &words)?.json()?;
    let hidden = node.data().join(HIDDEN);
    let told = document.get("quarantine").map(Value::to_string).unwrap_or_default();
    let is_told = told.contains(&hidden.display().to_string());
    checks.holds("the quarantine is at the top of the data path", is_told, || told);
    // Without the time of the last change of an inode: what stays in a shard and is kept under a
    // second name gets a new one when the server deletes the first.
    let kept = Fingerprint::of(&hidden, Times::Modified)?;
    let file_count = kept.contents().values().filter(|(len, _)| *len > 0).count();
    checks.holds("files are kept in it", file_count > 0, || "none is".to_owned());
    let repaired =
        cells.iter().map(Cell::index).filter(|index| outcome(&document, index) == "repaired");
    let mut indices: BTreeSet<String> = repaired.map(str::to_owned).collect();
    use_it(&mut node, &cells, &mut indices, checks)?;
    node.stop(Signal::SIGTERM)?;
    node.step("started again");
    node.start()?;
    check_started(&mut node, cells.len(), &indices, checks)?;
    node.stop(Signal::SIGTERM)?;
    let after = Fingerprint::of(&hidden, Times::Modified)?;
    checks.same(
        &format!("all {file_count} files with content in it are as they were"),
        kept.difference(&after),
    );
    Ok(())
}

/// Starts the server and does with it what is done with one every day.
fn use_it(
    node: &mut Process,
    cells: &[Cell],
    indices: &mut BTreeSet<String>,
    checks: &mut Checks,
) -> Result<(), String> {
    node.step("the server, in use");
    node.start()?;
    check_started(node, cells.len(), indices, checks)?;
    for cell in cells.iter().filter(|cell| indices.contains(cell.index())) {
        node.api.bulk(cell.index(), ROUTING, &cell.story.later())?;
    }
    node.api.flush_of(indices)?;
    node.api.create_index(LATER, 1)?;
    node.api.bulk(LATER, ROUTING, &Story::of(LATER, 0).flushed)?;
    let deleted = indices.pop_first().ok_or("no index was repaired")?;
    node.api.delete_index(&deleted)?;
    indices.insert(LATER.to_owned());
    Ok(())
}

fn check_started(
    node: &mut Process,
    count: usize,
    expected: &BTreeSet<String>,
    checks: &mut Checks,
) -> Result<(), String> {
    let started = node.settle(count, Some(expected))?.started;
    let missing: Vec<&String> = expected.difference(&started).collect();
    checks.holds(&format!("{} shards are up", expected.len()), missing.is_empty(), || {
        format!("not started: {missing:?}")
    });
    Ok(())
}
