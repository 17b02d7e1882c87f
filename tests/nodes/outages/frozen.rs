//! A damaged shard of a frozen index, whose engine is that of a closed one.

use serde_json::json;

use super::About;
use super::scene::{Scene, play};
use super::shapes::empty_checkpoint;
use crate::checks::Checks;
use crate::damage::Translog;
use crate::documents::Story;
use crate::red_to_green::{Shard, fail_on_them};

const INDEX: &str = "metrics-2025";
const NOTHING_LOST: [&str; 3] = ["--yes", "--max-lost-ops", "0"];

/// See the head of this file.
pub(super) fn frozen(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    play(about, checks, |scene| {
        let shards = [fill_freeze_and_break(scene)?];
        fail_on_them(&scene.node, &shards, scene.checks)?;
        let before = Scene::translogs(&shards)?;
        let run = scene.text("frozen", 64, &NOTHING_LOST)?;
        scene.says("what to do", &run, &[INDEX, "open (or unfreeze)"]);
        scene.no_run();
        let is_same = before == Scene::translogs(&shards)?;
        scene.checks.holds("it is left as it is", is_same, || "it is not".to_owned());

        scene.checks.step("it is unfrozen, and fails");
        let unfreeze = format!("/{INDEX}/_unfreeze?timeout=5s");
        scene.node.api.post(&unfreeze, "application/json", "")?;
        scene.job("unfrozen", 1, &NOTHING_LOST)?;
        scene.is_green(&shards)?;
        scene.text("again", 0, &["--yes"]).map(|_| ())
    })
}

fn fill_freeze_and_break(scene: &mut Scene<'_>) -> Result<Shard, String> {
    scene.checks.step("first start and indexing");
    let node = &scene.node;
    let api = &node.api;
    node.start(|_| true)?;
    let settings = json!({ "index.number_of_shards": 1, "index.number_of_replicas": 0 });
    api.put(&format!("/{INDEX}"), &json!({ "settings": settings }))?;
    let story = Story::of(INDEX, 0);
    for operations in [&story.flushed, &story.unflushed] {
        api.bulk(INDEX, "r", operations)?;
    }
    api.post(&format!("/{INDEX}/_freeze"), "application/json", "")?;
    node.wait(|shards| shards.iter().all(|shard| shard.state == "STARTED"))?;
    let uuid = api.index_uuid(INDEX)?;
    node.kill()?;
    let version = &scene.node.version;
    let folder = version.shard_folder(&scene.node.data(), INDEX, &uuid, 0);
    empty_checkpoint(story, Translog::of(version, &folder)?)
}
