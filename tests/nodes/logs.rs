//! What a server's log names against what its cluster says: damaged shards in one start, and the
//! log read as it is, as its JSON twin, and as others hand it on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::{Compression, write::GzEncoder};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::batch::fill_and_break;
use crate::checks::Checks;
use crate::kind::Kind;
use crate::process::Process;
use crate::tool::{Tool, View};
use crate::version::{CLUSTER, Version};

/// What the log names: shards with the cause and the number of records of each.
type Named = BTreeMap<String, BTreeSet<String>>;

/// Damage of every sort, and shards that are sound.
fn kinds(version: &Version) -> Vec<Kind> {
    let mut kinds = Kind::fast(version);
    kinds.extend([Kind::Intact, Kind::Foreign, Kind::Intact]);
    kinds
}

/// Runs it on one server.
pub(crate) fn run(
    version: &Version,
    distribution: &Path,
    work: &Path,
    (tool, checks, seed): (&mut Tool, &mut Checks, u64),
) -> Result<(), String> {
    let mut node = Process::install(version, distribution, work)?;
    let cells = fill_and_break(&mut node, &kinds(version), seed)?;
    node.step("start with the damage");
    node.start()?;
    node.settle(cells.len(), None)?;
    let failed: BTreeSet<String> = failed(&node)?;
    node.stop(Signal::SIGTERM)?;
    let logs = work.join("logs");
    let plain = logs.join(format!("{CLUSTER}.log"));
    tool.keep(&plain)?;
    let told = named(tool, &node, "plain", &logs)?;
    let shards: BTreeSet<String> = told.keys().cloned().collect();
    checks.holds(
        &format!("the log names the {} failed shards", failed.len()),
        shards == failed,
        || {
            let (more, less) = (shards.difference(&failed), failed.difference(&shards));
            format!("more: {:?}, less: {:?}", more.collect::<Vec<_>>(), less.collect::<Vec<_>>())
        },
    );
    let json = logs.join(format!("{CLUSTER}_server.json"));
    let mut originals = vec![("plain", plain)];
    if json.exists() {
        originals.push(("json", json));
    }
    for (original, path) in originals {
        let text = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let text = String::from_utf8_lossy(&text);
        let same = named(tool, &node, original, &path)?;
        checks.same(&format!("{original}: the same"), difference(&told, &same));
        for (wrapper, wrap) in WRAPPERS {
            let name = format!("{original}-{wrapper}");
            let file = wrapped(work, &name, &text, wrap)?;
            let same = named(tool, &node, &name, &file)?;
            checks.same(&format!("{name}: the same"), difference(&told, &same));
        }
    }
    Ok(())
}

/// The shards that are not started; from 5.0 on, the server has to say that they failed.
pub(crate) fn failed(node: &Process) -> Result<BTreeSet<String>, String> {
    const EXPLAIN: &str = "/_cluster/allocation/explain";
    let down = node.api.shards()?.into_iter().filter(|shard| shard.state != "STARTED");
    let mut failed = BTreeSet::new();
    for shard in down {
        if node.version.gives_up() {
            let question = json!({ "index": shard.index, "shard": shard.shard, "primary": true });
            let answer = node.api.post(EXPLAIN, "application/json", &question.to_string())?;
            let reason = answer.pointer("/unassigned_info/reason").and_then(Value::as_str);
            if reason != Some("ALLOCATION_FAILED") {
                return Err(format!("{} is down, and not as it failed: {answer}", shard.index));
            }
        }
        failed.insert(format!("{}/{}", shard.index, shard.shard));
    }
    Ok(failed)
}

/// What the program finds in a log.
fn named(tool: &mut Tool, node: &Process, label: &str, logs: &Path) -> Result<Named, String> {
    let mut words = ["--dry-run", "--output", "json"].map(str::to_owned).to_vec();
    words.extend(node.flags());
    let place = words.iter().position(|word| word == "--logs").and_then(|at| words.get_mut(at + 1));
    *place.ok_or("no --logs")? = logs.display().to_string();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let document = tool.run(label, &View::Plain, &words)?.json()?;
    let mut named = Named::new();
    for finding in document.get("findings").and_then(Value::as_array).ok_or("no findings")? {
        let text = |field: &str| finding.get(field).map(Value::to_string).unwrap_or_default();
        let index = text("index").replace('"', "");
        let shard = named.entry(format!("{index}/{}", text("shard"))).or_default();
        shard.insert(format!("{} times {}", text("count"), text("cause")));
    }
    Ok(named)
}

fn difference(wanted: &Named, found: &Named) -> Option<String> {
    let named = |all: &Named| -> BTreeSet<String> {
        all.iter().map(|(shard, causes)| format!("{shard}: {causes:?}")).collect()
    };
    let (wanted, found) = (named(wanted), named(found));
    let lists = [wanted.difference(&found), found.difference(&wanted)];
    let [less, more] = lists.map(|list| list.cloned().collect::<Vec<_>>());
    (wanted != found).then(|| format!("instead of {less:?}, {more:?}"))
}

type Wrap = fn(&str) -> Vec<(&'static str, Vec<u8>)>;

/// Who hands a log on: its files, by what comes behind the name.
const WRAPPERS: [(&str, Wrap); 5] = [
    ("docker", |text| one(each_line(text, &docker))),
    ("cri", |text| {
        one(each_line(text, &|line| format!("2026-11-23T10:00:00.123456789Z stdout F {line}")))
    }),
    ("journal", |text| {
        one(each_line(text, &|line| format!("Nov 23 10:00:00 host elasticsearch[71]: {line}")))
    }),
    ("compose", |text| one(each_line(text, &|line| format!("search_1  | {line}")))),
    ("rolled", rolled),
];

fn one(bytes: Vec<u8>) -> Vec<(&'static str, Vec<u8>)> {
    vec![("", bytes)]
}

fn each_line(text: &str, wrap: &dyn Fn(&str) -> String) -> Vec<u8> {
    text.lines().flat_map(|line| (wrap(line) + "\n").into_bytes()).collect()
}

fn docker(line: &str) -> String {
    let log = json!(format!("{line}\n"));
    format!("{{\"log\":{log},\"stream\":\"stdout\",\"time\":\"2026-11-23T10:00:00.1Z\"}}")
}

/// Three files, two of them compressed, parted where a record may be.
fn rolled(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let part =
        |at: usize| text.bytes().take(at).rposition(|byte| byte == b'\n').map_or(0, |at| at + 1);
    let (first, second) = (part(text.len() / 3), part(text.len() / 3 * 2));
    let packed = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).unwrap_or_default()
    };
    let piece = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    vec![
        (".2.gz", packed(piece(0, first))),
        (".1.gz", packed(piece(first, second))),
        ("", piece(second, text.len()).as_bytes().to_vec()),
    ]
}

fn wrapped(work: &Path, name: &str, text: &str, wrap: Wrap) -> Result<PathBuf, String> {
    let folder = work.join(name);
    let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir(&folder).map_err(fail)?;
    for (end, bytes) in wrap(text) {
        fs::write(folder.join(format!("x.log{end}")), bytes).map_err(fail)?;
    }
    Ok(folder.join("x.log"))
}
