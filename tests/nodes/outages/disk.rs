//! A disk that another file fills while the server indexes, and that has room again later.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::About;
use super::acknowledged::{Acknowledged, BATCH, INDEX, held, index_until_full};
use super::scene::{REPAIR, Scene, play};
use crate::checks::Checks;
use crate::damage::Damage;
use crate::documents::{Documents, difference};
use crate::http::json_of;
use crate::mount::Mount;
use crate::run::{succeed, wait_for};
use crate::tool::View;

const SHARD_COUNT: u32 = 2;
/// What another file leaves of the disk for the server to fill.
const LEFT_BYTES: u64 = 6 << 20;
/// Most documents that are sent: no more than one search can return.
const MOST: usize = 7_000;
/// How often, and how many bytes, are given back to a server of 1.x while it indexes.
const GIVEN: usize = 5;
const GIVEN_BYTES: u64 = 200 << 10;
const NO_SPACE: &str = "No space left on device";
const DISK: &str = "if truncate -s 256M $2 && mkfs.ext4 -q -m 0 -b 4096 $2 && mount -o loop $2 $1; then \
    exit; fi; mount -t tmpfs -o size=256m none $1";

/// A disk of its own for the data.
struct Disk {
    _mount: Mount,
    filling: PathBuf,
}

impl Disk {
    fn new(scene: &Scene<'_>) -> Result<Self, String> {
        let data = scene.node.data();
        let mount = Mount::new(DISK, &data, Path::new("/var/blocks"))?;
        let program = scene.node.version.program();
        let place = data.display().to_string();
        succeed("chown", &[&format!("{program}:{program}"), &place])?;
        Ok(Self { _mount: mount, filling: data.join("filling") })
    }

    /// Fills it, but for so many bytes.
    fn fill(&self, left_bytes: u64) -> Result<(), String> {
        let fail = |error: std::io::Error| format!("{}: {error}", self.filling.display());
        let mut file = fs::OpenOptions::new().create(true).append(true).open(&self.filling);
        let file = file.as_mut().map_err(|error| fail(std::io::Error::from(error.kind())))?;
        let free =
            |path: &Path| nix::sys::statvfs::statvfs(path).map_err(|error| fail(error.into()));
        let block = vec![7; 1 << 20];
        let mut size = block.len();
        while let Some(part) = block.get(..size).filter(|part| !part.is_empty()) {
            let space = free(&self.filling)?;
            let free_bytes = space.blocks_available() * space.fragment_size();
            let has_enough = free_bytes < left_bytes + part.len() as u64;
            if has_enough || file.write_all(part).and_then(|()| file.sync_data()).is_err() {
                size /= 2;
            }
        }
        Ok(())
    }

    /// Gives so many bytes of it back.
    fn give_back(&self, bytes: u64) -> Result<(), String> {
        let fail = |error: std::io::Error| format!("{}: {error}", self.filling.display());
        let file = fs::OpenOptions::new().write(true).open(&self.filling).map_err(fail)?;
        let size = file.metadata().map_err(fail)?.len();
        file.set_len(size.saturating_sub(bytes)).and_then(|()| file.sync_all()).map_err(fail)
    }

    fn make_room(&self) -> Result<(), String> {
        fs::remove_file(&self.filling).map_err(|error| error.to_string())
    }
}

/// The server indexes until the disk is full; the program is run before and after there is room.
pub(super) fn disk_filled(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    play(about, checks, |scene| {
        let disk = Disk::new(scene)?;
        let acknowledged = fill_disk(scene, &disk)?;
        let is_stream = scene.node.version.has_stream();
        let mut log_offset = 0;
        if is_stream {
            // Its shards can stay up over a torn translog: the next start reads it.
            scene.node.kill()?;
            log_offset = scene.node.log_text()?.len();
            scene.node.start(|_| true)?;
        }
        let is_logged = wait_for(Duration::from_secs(40), || {
            let all = scene.node.log_text().unwrap_or_default();
            let log = all.get(log_offset..).unwrap_or_default();
            let fails =
                |shard: &str| log.lines().any(|line| line.contains("fail") && line.contains(shard));
            (is_stream || log.contains(NO_SPACE)) && (fails("][0]") || fails("][1]"))
        });
        scene.checks.holds(
            "the server logs that the disk is full, and shards fail",
            is_logged,
            || "it does not".to_owned(),
        );
        let dry = scene.tool.run("still-full-dry", &View::Plain, &["--dry-run"])?;
        // 1.x writes a chunk that was cut once more: that is damage, and its repair needs room too.
        let is_damaged = is_stream;
        scene.checks.exit("still-full-dry", if is_damaged { 64 } else { 0 }, &dry);
        still_full(scene, if is_damaged { 64 } else { 2 })?;
        scene.checks.step("with room again");
        let before = Before::of(scene)?;
        disk.make_room()?;
        scene.job("with-room", i32::from(is_damaged), &REPAIR)?;
        if !is_damaged {
            scene.no_run();
        }
        has_all(scene, &acknowledged, &before)
    })
}

/// The same, and the node has crashed and died of the full disk at its next start.
pub(super) fn crashed_on_full_disk(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    play(about, checks, |scene| {
        let disk = Disk::new(scene)?;
        let acknowledged = fill_disk(scene, &disk)?;
        scene.checks.step("killed, and started without a free byte");
        scene.node.kill()?;
        succeed("systemctl", &["start", &scene.node.unit_name()])?;
        scene.wait_property("ActiveState", "failed")?;
        still_full(scene, 2)?;
        scene.checks.step("with room again");
        let before = Before::of(scene)?;
        disk.make_room()?;
        scene.job("with-room", 0, &REPAIR)?;
        scene.no_run();
        has_all(scene, &acknowledged, &before)
    })
}

/// Starts the server and has it index until the disk is full; what was acknowledged.
fn fill_disk(scene: &mut Scene<'_>, disk: &Disk) -> Result<Acknowledged, String> {
    scene.checks.step("first start");
    scene.node.start(|_| true)?;
    scene.node.api.create_index(INDEX, SHARD_COUNT)?;
    scene.node.wait(|shards| shards.iter().all(|shard| shard.state == "STARTED"))?;
    if scene.node.version.has_stream() {
        // A refresh that fails closes the shard; this way its translog is written on and on.
        let settings = json!({ "index": { "refresh_interval": "-1" } });
        scene.node.api.put(&format!("/{INDEX}/_settings"), &settings)?;
    }
    scene.checks.step("another file leaves 6 MiB, and the server indexes");
    disk.fill(LEFT_BYTES)?;
    let mut acknowledged = index_until_full(scene, 0..MOST / BATCH)?;
    if scene.node.version.has_stream() {
        // A chunk that was cut is written again when there is a little room: that is the damage.
        for part in 0..GIVEN {
            disk.give_back(GIVEN_BYTES)?;
            let batches = (MOST / BATCH + part * 4)..(MOST / BATCH + part * 4 + 4);
            acknowledged.extend(index_until_full(scene, batches).unwrap_or_default());
        }
    }
    disk.fill(0)?;
    scene
        .checks
        .step(&format!("full: {} documents are acknowledged", acknowledged.documents.len()));
    Ok(acknowledged)
}

/// With the disk still full: it says so, and does nothing that makes it worse.
fn still_full(scene: &mut Scene<'_>, wanted: i32) -> Result<(), String> {
    let before = scene.node.stops_and_starts()?;
    scene.text("still-full-text", wanted, &REPAIR)?;
    let run = scene.job("still-full", wanted, &REPAIR)?;
    scene.says("that there is no room and what to do", &run, &["free", "room"]);
    let after = scene.node.stops_and_starts()?;
    scene.checks.holds("the node is neither stopped nor started", before == after, || {
        format!("{before:?}, {after:?}")
    });
    Ok(())
}

/// What there was before the program was run to mend it.
struct Before {
    /// The documents that the translogs hold; none up to 1.7, where all that was acknowledged is
    /// wanted.
    held: BTreeSet<String>,
    log: String,
}

impl Before {
    fn of(scene: &Scene<'_>) -> Result<Self, String> {
        let is_stream = scene.node.version.has_stream();
        let held = if is_stream { BTreeSet::new() } else { held(&scene.node.data())? };
        let log = if is_stream { String::new() } else { scene.node.log_text()? };
        scene.checks.step(&format!("{} documents are in the translogs", held.len()));
        Ok(Self { held, log })
    }
}

/// The node is green and has every operation that its translogs held and every document that was
/// acknowledged, but for what the server itself has lost.
fn has_all(
    scene: &mut Scene<'_>,
    acknowledged: &Acknowledged,
    before: &Before,
) -> Result<(), String> {
    let api = &scene.node.api;
    let health = api.get("/_cluster/health")?;
    let is_green = json_of("health", &health)?.get("status") == Some(&json!("green"));
    scene.checks.holds("green", is_green, || health);
    if !is_green {
        return Ok(());
    }
    let api = &scene.node.api;
    api.post(&format!("/{INDEX}/_refresh"), "application/json", "")?;
    let path = format!("/{INDEX}/_search?size=10000");
    let answer = json_of(&path, &api.get(&path)?)?;
    let failed = answer.pointer("/_shards/failed").and_then(Value::as_u64);
    scene.checks.holds("every shard answers", failed == Some(0), || format!("{failed:?} do not"));
    let hits = answer.pointer("/hits/hits").and_then(Value::as_array).ok_or("no hits")?;
    let mut found = Documents::new();
    for hit in hits {
        let id = hit.get("_id").and_then(Value::as_str).ok_or("no id")?;
        found.insert(id.to_owned(), hit.get("_source").cloned().unwrap_or_default());
    }
    let gone: Vec<&String> = before.held.iter().filter(|id| !found.contains_key(*id)).collect();
    scene.checks.holds("every operation of the translogs is there", gone.is_empty(), || {
        format!("missing {gone:?}")
    });
    let wanted = acknowledged.wanted(&before.log, &before.held);
    let all_count = found.len();
    let lost = acknowledged.documents.keys().filter(|id| !found.contains_key(*id));
    let lost_count = lost.filter(|id| !wanted.contains_key(*id)).count();
    found.retain(|id, _| wanted.contains_key(id));
    let beside = all_count - found.len();
    let name = format!(
        "every acknowledged document is there ({beside} others; {lost_count} were acknowledged \
         while an engine failed, and are in no translog)"
    );
    scene.checks.same(&name, difference(&wanted, &found));
    Ok(())
}

/// Damage, and no room for the node to start: a start that cannot work is not tried.
pub(super) fn disk_still_full(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    play(about, checks, |scene| {
        let disk = Disk::new(scene)?;
        let damaged = [(0, Damage::TornTail), (2, Damage::FlippedBits)];
        let shards = scene.fill_and_break(&[INDEX], 3, &damaged)?;
        crate::red_to_green::fail_on_them(&scene.node, &shards, scene.checks)?;
        scene.checks.step("without a free byte");
        disk.fill(0)?;
        let starts_before = scene.starts()?;
        let run = scene.job("full", 64, &REPAIR)?;
        scene.says("that there is no room and what to do", &run, &["free", "room"]);
        let started = scene.starts()? - starts_before;
        scene.checks.holds("no start is tried", started == 0, || format!("{started}"));
        scene.text("full-text", 64, &REPAIR)?;
        scene.checks.step("with room again");
        disk.make_room()?;
        scene.job("with-room", 1, &REPAIR)?;
        scene.is_green(&shards)
    })
}
