//! One server from red to green: filled, killed, broken in four ways, repaired by the program with
//! no path told, and looked at again. Runs inside the sandbox.

use std::path::{Path, PathBuf};

use crate::checks::Checks;
use crate::damage::{Damage, Translog};
use crate::documents::{Operation, Story, difference};
use crate::fingerprint::{Fingerprint, Times};
use crate::http::ShardState;
use crate::loss;
use crate::node::Node;
use crate::refusals;
use crate::run::wait_for;
use crate::tool::{Tool, View};
use crate::version::Version;

const INDICES: [&str; 3] = ["orders", "logs-2026.11", "users"];
const SHARD_COUNT: u32 = 3;
/// Which shard gets which damage: place in the list of all shards.
const DAMAGED: [(usize, Damage); 5] = [
    (0, Damage::TornTail),
    (1, Damage::ZeroedTail),
    (3, Damage::FlippedBits),
    (5, Damage::FlippedBit),
    (7, Damage::Emptied),
];
/// Most memory the program may use.
const PEAK_MAX_KIB: i64 = 32 * 1024;
pub(crate) const REPAIR: [&str; 6] =
    ["--yes", "--accept-data-loss", "--keep", "prefix", "--output", "json"];

/// A shard: what was sent to it, and what became of its translog.
pub(crate) struct Shard {
    pub(crate) story: Story,
    pub(crate) translog: Translog,
    pub(crate) damage: Option<Damage>,
    /// How many of the operations after the flush can be read.
    pub(crate) readable_count: usize,
}

impl Shard {
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.story.index, self.story.shard)
    }

    /// The operations that are lost.
    pub(crate) fn lost(&self) -> &[Operation] {
        self.story.unflushed.get(self.readable_count..).unwrap_or_default()
    }

    /// Whether its server fails on it: 1.x takes an emptied file for one without operations.
    pub(crate) fn fails(&self, version: &Version) -> bool {
        match self.damage {
            None => false,
            Some(Damage::Emptied) => !version.has_stream(),
            Some(_) => true,
        }
    }
}

/// Does the whole run; the records are kept in `records`.
pub(crate) fn run(
    version: &Version,
    binary: &Path,
    records: &Path,
    checks: &mut Checks,
) -> Result<(), String> {
    let mut tool = Tool::new(binary, records);
    checks.step("installing");
    let node = Node::install(version)?;
    let result = (|| {
        let shards = fill_and_break(&node, checks)?;
        refusals::before_repair(&node, &mut tool, &shards, checks)?;
        let repaired = repair(&node, &mut tool, &shards, checks)?;
        look_again(&node, &shards, checks)?;
        refusals::false_alarm(&node, &mut tool, &shards, checks)?;
        undo(&node, &mut tool, &repaired, checks)?;
        refusals::strange_shards(&node, &mut tool, &shards, checks)
    })();
    checks.outcome.peak_kib = tool.peak_kib;
    let within = tool.peak_kib > 0 && tool.peak_kib < PEAK_MAX_KIB;
    checks.holds("peak memory under 32 MiB", within, || format!("{} KiB", tool.peak_kib));
    node.keep_logs(records)?;
    result
}

pub(crate) fn all_started(shards: &[ShardState]) -> bool {
    let started = shards.iter().filter(|shard| shard.state == "STARTED").count();
    started == shards.len() && started == INDICES.len() * SHARD_COUNT as usize
}

/// Fills the node, kills it, breaks some shards, and has the server fail on them.
pub(crate) fn fill_and_break(node: &Node, checks: &mut Checks) -> Result<Vec<Shard>, String> {
    let mut shards = fill(node, &INDICES, SHARD_COUNT, checks)?;
    break_some(&mut shards, &DAMAGED, &node.version, checks)?;
    node.set_aside()?;
    fail_on_them(node, &shards, checks)?;
    Ok(shards)
}

/// Fills indices of so many shards and kills the node: nothing is broken yet.
pub(crate) fn fill(
    node: &Node,
    indices: &[&str],
    shard_count: u32,
    checks: &mut Checks,
) -> Result<Vec<Shard>, String> {
    let version = &node.version;
    checks.step("first start");
    node.start(|_| true)?;
    checks.step("indexing");
    let mut filled = Vec::new();
    for index in indices {
        node.api.create_index(index, shard_count)?;
        node.wait(|shards| shards.iter().all(|shard| shard.state == "STARTED"))?;
        let routings = node.api.routings(index, shard_count)?;
        for (shard, routing) in (0..shard_count).zip(routings) {
            let story = Story::of(index, shard);
            node.api.bulk(index, &routing, &story.flushed)?;
            filled.push((story, routing));
        }
    }
    node.api.flush()?;
    let mut folders = Vec::new();
    for (story, routing) in &filled {
        node.api.bulk(&story.index, routing, &story.unflushed)?;
        let uuid = node.api.index_uuid(&story.index)?;
        folders.push(version.shard_folder(&node.data(), &story.index, &uuid, story.shard));
    }
    checks.step("kill -9");
    node.kill()?;
    let shard_of = |((story, _), folder): ((Story, String), PathBuf)| {
        let translog = Translog::of(version, &folder)?;
        let readable_count = story.unflushed.len();
        if translog.frames.len() != readable_count {
            let found = translog.frames.len();
            let path = translog.path.display();
            return Err(format!("{path} has {found} records, not {readable_count}"));
        }
        Ok(Shard { story, translog, damage: None, readable_count })
    };
    filled.into_iter().zip(folders).map(shard_of).collect()
}

/// Breaks the shards at these places of the list.
pub(crate) fn break_some(
    shards: &mut [Shard],
    damaged: &[(usize, Damage)],
    version: &Version,
    checks: &mut Checks,
) -> Result<(), String> {
    for &(place, damage) in damaged {
        let shard = shards.get_mut(place).ok_or("no such shard")?;
        shard.readable_count = shard.translog.damage(version, damage)?;
        shard.damage = Some(damage);
        let (kept, lost) = (shard.readable_count, shard.lost().len());
        checks.step(&format!("{}: {}, {kept} kept, {lost} lost", shard.name(), damage.text()));
    }
    Ok(())
}

/// Starts the broken node: the server itself has to fail on the damaged shards, and to say so.
pub(crate) fn fail_on_them(
    node: &Node,
    shards: &[Shard],
    checks: &mut Checks,
) -> Result<(), String> {
    checks.step("start with the damage");
    let failing: Vec<&Shard> = shards.iter().filter(|shard| shard.fails(&node.version)).collect();
    let sound_count = shards.len() - failing.len();
    let log_before = node.log_text()?.len();
    node.start(|states| {
        let count = |wanted: &str| states.iter().filter(|shard| shard.state == wanted).count();
        let is_failed = |shard: &&&Shard| {
            states.iter().any(|state| {
                state.index == shard.story.index
                    && state.shard == shard.story.shard
                    && state.state != "STARTED"
            })
        };
        count("STARTED") == sound_count
            && failing.iter().filter(is_failed).count() == failing.len()
            && (!node.version.gives_up() || count("INITIALIZING") == 0)
    })?;
    let is_named = |shard: &Shard, log: &str| {
        let bracketed = format!("[{}][{}]", shard.story.index, shard.story.shard);
        log.lines().any(|line| line.contains(&bracketed) && line.contains("ail"))
    };
    let all_named = wait_for(std::time::Duration::from_secs(20), || {
        let log = node.log_text().unwrap_or_default();
        let since = log.get(log_before..).unwrap_or(&log);
        failing.iter().all(|shard| is_named(shard, since))
    });
    checks.holds("the server fails on the damaged shards and logs it", all_named, || {
        "not every damaged shard is in its log".to_owned()
    });
    Ok(())
}

/// The main job. Returns the id of the run.
fn repair(
    node: &Node,
    tool: &mut Tool,
    shards: &[Shard],
    checks: &mut Checks,
) -> Result<String, String> {
    checks.step("repair");
    let (stops_before, starts_before) = node.stops_and_starts()?;
    Node::keep_copies(true)?;
    let run = tool.run("repair", &View::Plain, &REPAIR)?;
    Node::keep_copies(false)?;
    checks.holds("repaired, shards are up (exit 1)", run.exit_code == 1, || run.words());
    let document = run.json()?;
    let rounds = document.get("rounds").and_then(serde_json::Value::as_array);
    let round_count = rounds.map_or(0, Vec::len);
    checks.outcome.round_count = round_count as u64;
    let (stops, starts) = node.stops_and_starts()?;
    let (stop_count, start_count) = (stops - stops_before, starts - starts_before);
    let is_one_each = (stop_count, start_count) == (round_count, round_count);
    checks.holds(
        "at most two rounds, one stop and one start a round",
        is_one_each && (1..=2).contains(&round_count),
        || format!("{round_count} rounds, {stop_count} stops, {start_count} starts"),
    );
    let is_up = node.api.shards().map(|states| all_started(&states));
    checks
        .holds("every shard is started", is_up == Ok(true), || format!("{:?}", node.api.shards()));
    check_documents(node, shards, "after the repair", checks)?;
    for shard in shards.iter().filter(|shard| shard.fails(&node.version)) {
        let lost = loss::check(&document, shard, &node.version);
        checks.check(&format!("{}: the loss is reported as it is", shard.name()), lost);
        checks.outcome.lost_count += shard.lost().len() as u64;
    }
    let id = document.get("run").and_then(serde_json::Value::as_str);
    id.map(str::to_owned).ok_or("no id of the run in the report".to_owned())
}

pub(crate) fn check_documents(
    node: &Node,
    shards: &[Shard],
    when: &str,
    checks: &mut Checks,
) -> Result<(), String> {
    for shard in shards {
        let wanted = shard.story.documents(shard.readable_count);
        let found = node.api.documents(&shard.story.index, shard.story.shard)?;
        let name = format!("{}: the right documents {when}", shard.name());
        checks.same(&name, difference(&wanted, &found));
    }
    Ok(())
}

fn look_again(node: &Node, shards: &[Shard], checks: &mut Checks) -> Result<(), String> {
    checks.step("flush and restart");
    node.api.flush()?;
    node.stop()?;
    node.start(all_started)?;
    check_documents(node, shards, "after a flush and a restart", checks)
}

/// Takes the repair back on the copy that was made before the start.
fn undo(node: &Node, tool: &mut Tool, id: &str, checks: &mut Checks) -> Result<(), String> {
    checks.step("undo on a copy");
    let (before, repaired) = Node::copies();
    let name = node.version.program();
    let view = View::Instead { folder: repaired.clone(), place: "/var/lib".into() };
    let run = tool.run("undo", &view, &["undo", id, "--yes", "--service", "none"])?;
    let code = run.exit_code;
    checks.holds("undo does it, and leaves the start to a person", code == 2, || run.words());
    let wanted = Fingerprint::of(&before.join(name), Times::Modified)?;
    let found = Fingerprint::of(&repaired.join(name), Times::Modified)?;
    checks.same(
        "undo puts the data folder back: bytes, owner, mode and times",
        wanted.difference(&found),
    );
    Ok(())
}
