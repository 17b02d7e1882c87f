//! Many damaged shards at once, files that only their owner can read, and a node without a unit.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::About;
use super::scene::{REPAIR, Scene, play};
use crate::checks::Checks;
use crate::damage::Damage;
use crate::fingerprint::{Fingerprint, Times};
use crate::node::Node;
use crate::red_to_green::{Shard, fail_on_them};
use crate::run::{output_of, succeed, wait_for};
use crate::tool::View;

/// Forty damaged shards in four indices.
pub(super) fn forty_shards(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    play(about, checks, |scene| {
        let kinds = [Damage::TornTail, Damage::FlippedBits, Damage::ZeroedTail, Damage::Emptied];
        let damaged: Vec<(usize, Damage)> = (0..40).zip(kinds.into_iter().cycle()).collect();
        let shards = scene.fill_and_break(&["a", "b", "c", "d"], 10, &damaged)?;
        fail_on_them(&scene.node, &shards, scene.checks)?;
        scene.look()?;
        let run = scene.job("repair", 1, &REPAIR)?;
        let count = super::scene::events(&run, "repaired").len();
        scene.checks.holds("all forty are repaired", count == 40, || format!("{count}"));
        scene.is_green(&shards)?;
        scene.text("again", 0, &["--yes"]).map(|_| ())
    })
}

/// Files and folders that nobody but the service's user can read.
pub(super) fn private_files(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    play(about, checks, |scene| {
        scene.drop_in("private", "[Service]\nUMask=0077\n")?;
        for folder in [scene.node.data(), scene.node.logs()] {
            succeed("chmod", &["0700", &folder.display().to_string()])?;
        }
        let shards = scene.broken()?;
        let before = owners(&scene.node.data())?;
        let is_private = before.values().all(Access::is_private);
        scene
            .checks
            .holds("nobody else can read them before", is_private, || format!("{before:?}"));
        scene.look()?;
        Node::keep_copies(true)?;
        let run = scene.job("repair", 1, &REPAIR)?;
        Node::keep_copies(false)?;
        scene.is_green(&shards)?;
        let (stopped, repaired) = Node::copies();
        let name = scene.node.version.program();
        let user = owners(&stopped.join(name))?.values().next().map(|access| access.owner);
        let others: Vec<String> = owners(&repaired)?
            .into_iter()
            .filter(|(path, _)| path.starts_with(repaired.join(name)))
            .filter(|(_, access)| Some(access.owner) != user || !access.is_private())
            .map(|(path, about)| format!("{} {about:?}", path.display()))
            .collect();
        scene
            .checks
            .holds("owner and mode after the repair", others.is_empty(), || others.join(", "));
        let begun = super::scene::events(&run, "run-begun");
        let id = begun.first().and_then(|event| event.get("id")).and_then(|id| id.as_str());
        let id = id.ok_or("no id of the run")?.to_owned();
        let view = View::Instead { folder: repaired.clone(), place: "/var/lib".into() };
        let run = scene.tool.run("undo", &view, &["undo", &id, "--yes", "--service", "none"])?;
        scene.checks.exit("undo on a copy", 2, &run);
        let wanted = Fingerprint::of(&stopped.join(name), Times::Modified)?;
        let found = Fingerprint::of(&repaired.join(name), Times::Modified)?;
        scene.checks.same("undo: bytes, owner, mode and times", wanted.difference(&found));
        Ok(())
    })
}

/// Who may do what.
#[derive(Debug)]
struct Access {
    owner: (u32, u32),
    mode: u32,
}

impl Access {
    /// Whether nobody but the owner can do anything.
    fn is_private(&self) -> bool {
        self.mode.trailing_zeros() >= 6
    }
}

/// Owner and mode of everything below a folder.
fn owners(folder: &Path) -> Result<BTreeMap<PathBuf, Access>, String> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
        for entry in folder.read_dir().map_err(fail)? {
            let path = entry.map_err(fail)?.path();
            let Ok(about) = fs::symlink_metadata(&path) else { continue };
            if about.is_dir() {
                folders.push(path.clone());
            }
            let owner = (about.uid(), about.gid());
            all.insert(path, Access { owner, mode: about.mode() & 0o777 });
        }
    }
    Ok(all)
}

/// A node that somebody has started by hand: there is no unit.
pub(super) fn by_hand(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    play(about, checks, |scene| {
        let damaged = [(0, Damage::TornTail), (2, Damage::FlippedBits)];
        let shards = scene.fill_and_break(&["orders"], 3, &damaged)?;
        let unit = scene.node.unit_name();
        let unit_file = format!("/etc/systemd/system/{unit}");
        succeed("systemctl", &["reset-failed", &unit])?;
        fs::remove_file(&unit_file).map_err(|error| error.to_string())?;
        succeed("systemctl", &["daemon-reload"])?;
        scene.checks.step("started by hand, in a session");
        let program = scene.node.version.program();
        let start = format!(
            "systemd-run --scope --unit=session-7 --uid={program} --gid={program} \
             --setenv={}={} /usr/share/{program}/bin/{program} >/dev/null 2>&1 </dev/null &",
            scene.node.version.config_variable(),
            scene.node.config().display()
        );
        succeed("sh", &["-c", &start])?;
        scene.node.wait(|states| {
            states.iter().filter(|shard| shard.state == "STARTED").count() == 1
                && states.iter().all(|shard| shard.state != "INITIALIZING")
        })?;
        let pid = output_of("sh", &["-c", "pgrep -f 'es.path.home=' | head -n 1"])?;
        let pid = pid.trim().to_owned();
        let before = Scene::translogs(&shards)?;
        let run = scene.text("running", 64, &["--yes", "--accept-data-loss"])?;
        scene.says("which process it is and what to do", &run, &[&pid, "java", "--service none"]);
        let none = ["--yes", "--accept-data-loss", "--service", "none"];
        let run = scene.text("running-none", 64, &none)?;
        scene.says("which process it is", &run, &[&pid, "java", "stop it"]);
        let is_same = before == Scene::translogs(&shards)?;
        scene.checks.holds("no byte of a translog is changed", is_same, || "some are".to_owned());
        scene.no_run();
        scene.checks.step("stopped by hand");
        succeed("systemctl", &["stop", "session-7.scope"])?;
        let is_gone = wait_for(Duration::from_secs(30), || !Path::new("/proc").join(&pid).exists());
        scene.checks.holds("it is gone", is_gone, || pid.clone());
        let run = scene.job("stopped", 2, &none)?;
        scene.says("that a person has to start it", &run, &["start the node"]);
        fs::write(&unit_file, scene.node.unit()).map_err(|error| error.to_string())?;
        succeed("systemctl", &["daemon-reload"])?;
        started(scene, &shards)
    })
}

fn started(scene: &mut Scene<'_>, shards: &[Shard]) -> Result<(), String> {
    let count = shards.len();
    scene
        .node
        .start(|states| states.iter().filter(|shard| shard.state == "STARTED").count() == count)?;
    scene.is_green(shards)
}
