//! What a server acknowledged, what its translogs hold of that, and what of the rest is its own loss.
//!
//! From 2.0 on an operation is acknowledged when the translog is synced up to it, or when the engine
//! was closed meanwhile: the server takes what it then has for synced (`IndexShard`, later
//! `InternalEngine`: "that's fine since we already synced everything on engine close"). Where a
//! refresh on a full disk fails and closes the engine, that last sync fails too, and nobody hears of
//! it: requests that are on their way get 201 for operations that no checkpoint counts, some of them
//! in no file at all. Seen on 5.6.16, in 2 outages of 70. The same documents are missing
//! when a server is started by hand on the files of before the program's first run.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use walkdir::WalkDir;

use super::scene::Scene;
use crate::checkpoint::{Field, get};
use crate::documents::Documents;

/// The index that is written to.
pub(super) const INDEX: &str = "orders";
/// Documents in one request.
pub(super) const BATCH: usize = 100;
/// Requests that are sent after the first failure: a shard takes some again, in part.
const AFTER_FAILURE: usize = 15;
/// What the log says of an engine that was closed over a failure.
const ENGINE_FAILED: &str = "failed engine [";
/// How the source of each document begins, in front of its number.
const SOURCE: &[u8] = b"{\"number\":";

/// The id of a document.
fn id_of(number: usize) -> String {
    format!("d{number:05}")
}

/// What was acknowledged, and by which request.
#[derive(Debug, Default)]
pub(super) struct Acknowledged {
    pub(super) documents: Documents,
    /// Where the log ended when a request was sent, and the ids that were acknowledged.
    requests: Vec<(usize, Vec<String>)>,
}

impl Acknowledged {
    /// Takes in what one request was answered.
    fn add(&mut self, log_offset: usize, taken: Documents) {
        self.requests.push((log_offset, taken.keys().cloned().collect()));
        self.documents.extend(taken);
    }

    /// Takes in what was acknowledged later.
    pub(super) fn extend(&mut self, later: Self) {
        self.documents.extend(later.documents);
        self.requests.extend(later.requests);
    }

    /// The ids of requests that an engine failed during: those that were sent before the log tells of
    /// it, and of which the next one was answered after.
    fn doubtful(&self, log: &str) -> BTreeSet<&String> {
        let offsets: Vec<usize> = self.requests.iter().map(|(offset, _)| *offset).collect();
        let has_failed = |at: usize, from: usize| {
            let to = offsets.get(at + 2).copied().unwrap_or(log.len());
            log.get(from..to).is_some_and(|part| part.contains(ENGINE_FAILED))
        };
        let requests = self.requests.iter().enumerate();
        let doubtful = requests.filter(|(at, (from, _))| has_failed(*at, *from));
        doubtful.flat_map(|(_, (_, taken))| taken).collect()
    }

    /// Those that have to be there: all but what an engine failed over that no file `holds`.
    pub(super) fn wanted(&self, log: &str, holds: &BTreeSet<String>) -> Documents {
        let doubtful = self.doubtful(log);
        let is_wanted = |id: &String| holds.contains(id) || !doubtful.contains(id);
        let wanted = self.documents.iter().filter(|(id, _)| is_wanted(id));
        wanted.map(|(id, source)| (id.clone(), source.clone())).collect()
    }
}

/// The ids of the documents that the translogs below a data path hold, as far as their checkpoints
/// count them (from 2.0 on).
pub(super) fn held(data: &Path) -> Result<BTreeSet<String>, String> {
    let mut held = BTreeSet::new();
    for entry in WalkDir::new(data) {
        let path = entry.map_err(|error| error.to_string())?.into_path();
        if path.extension().is_none_or(|end| end != "tlog") {
            continue;
        }
        let read = |path: &Path| {
            std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let own = path.with_extension("ckp");
        let checkpoint = if own.exists() {
            read(&own)?
        } else {
            let newest = read(&path.with_file_name("translog.ckp"))?;
            let name = format!("translog-{}.tlog", get(&newest, Field::Generation));
            if !path.ends_with(name) {
                continue;
            }
            newest
        };
        let to_offset = usize::try_from(get(&checkpoint, Field::Offset)).unwrap_or(0);
        let bytes = read(&path)?;
        let counted = bytes.get(..to_offset).ok_or(format!("{} is short", path.display()))?;
        held.extend(numbers(counted).map(id_of));
    }
    Ok(held)
}

/// The numbers of the documents whose sources are in some bytes.
fn numbers(bytes: &[u8]) -> impl Iterator<Item = usize> + '_ {
    memchr::memmem::find_iter(bytes, SOURCE).filter_map(|at| {
        let digits =
            bytes.get(at + SOURCE.len()..)?.iter().take_while(|byte| byte.is_ascii_digit());
        digits.fold(None, |number: Option<usize>, digit| {
            Some(number.unwrap_or(0) * 10 + usize::from(digit - b'0'))
        })
    })
}

/// Indexes in small requests until it fails, and a little further; what was acknowledged.
pub(super) fn index_until_full(
    scene: &Scene<'_>,
    batches: std::ops::Range<usize>,
) -> Result<Acknowledged, String> {
    let mut acknowledged = Acknowledged::default();
    let mut failure_count = 0;
    let begun = Instant::now();
    for batch in batches {
        let documents: Vec<(String, Value)> =
            (batch * BATCH..(batch + 1) * BATCH).map(document).collect();
        let log_offset = scene.node.log_text()?.len();
        let taken = send(scene, &documents).unwrap_or_default();
        let is_whole = taken.len() == documents.len();
        let is_taken = |(id, _): &(String, Value)| taken.contains(id);
        acknowledged.add(log_offset, documents.into_iter().filter(is_taken).collect());
        failure_count += usize::from(!is_whole);
        let is_over = failure_count > 0 && begun.elapsed() > Duration::from_secs(15);
        if failure_count > AFTER_FAILURE || is_over {
            return Ok(acknowledged);
        }
    }
    if failure_count > 0 { Ok(acknowledged) } else { Err("the disk did not fill".to_owned()) }
}

fn document(number: usize) -> (String, Value) {
    let mut state = number as u64 + 1;
    let mut words = String::new();
    while words.len() < 900 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        words = format!("{words}{:08x} ", state >> 32);
    }
    (id_of(number), json!({ "number": number, "words": words }))
}

/// Sends documents; the ids that were acknowledged.
fn send(scene: &Scene<'_>, documents: &[(String, Value)]) -> Result<Vec<String>, String> {
    let mut lines = String::new();
    for (id, source) in documents {
        let about = if scene.node.version.has_types() {
            json!({ "index": { "_index": INDEX, "_type": "doc", "_id": id } })
        } else {
            json!({ "index": { "_index": INDEX, "_id": id } })
        };
        lines.extend([about.to_string(), "\n".to_owned(), source.to_string(), "\n".to_owned()]);
    }
    let answer = scene.node.api.post("/_bulk?timeout=1s", "application/x-ndjson", &lines)?;
    let items = answer.get("items").and_then(Value::as_array).ok_or("no items")?;
    let taken = items.iter().filter_map(|item| {
        let about = item.get("index")?;
        let is_done = about.get("status").and_then(Value::as_u64)? < 300;
        let id = about.get("_id").and_then(Value::as_str)?;
        is_done.then(|| id.to_owned())
    });
    Ok(taken.collect())
}
