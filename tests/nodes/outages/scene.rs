//! One node in its sandbox, what is done to it, and what the program is asked and says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::About;
use crate::checks::Checks;
use crate::damage::Damage;
use crate::documents::{Documents, difference};
use crate::node::Node;
use crate::red_to_green::{Shard, break_some, fail_on_them, fill};
use crate::run::{output_of, property_of, succeed, wait_for};
use crate::tool::{Run, Tool, View};

/// Where the program records its runs.
pub(super) const STATE: &str = "/var/lib/es-translog-fix";
/// Consent to everything, and waits that fit a test.
pub(super) const REPAIR: [&str; 6] =
    ["--yes", "--accept-data-loss", "--start-timeout", "60", "--wait", "40"];

/// See the head of this file.
pub(super) struct Scene<'a> {
    pub(super) node: Node,
    pub(super) tool: Tool,
    pub(super) checks: &'a mut Checks,
    records: PathBuf,
}

/// Sets a scene, plays it, and keeps its logs however it ends.
pub(super) fn play(
    (version, binary, records): About<'_>,
    checks: &mut Checks,
    play: impl FnOnce(&mut Scene<'_>) -> Result<(), String>,
) -> Result<(), String> {
    checks.step("installing");
    let node = Node::install(version)?;
    let tool = Tool::new(binary, records);
    let mut scene = Scene { node, tool, checks, records: records.to_owned() };
    let result = play(&mut scene);
    scene.keep()?;
    result
}

impl Scene<'_> {
    /// Keeps the server's log, the journal, and what the program left on the disk.
    fn keep(&mut self) -> Result<(), String> {
        self.node.keep_logs(&self.records)?;
        keep_machine(&self.records)
    }

    /// Fills indices of so many shards and kills the node: nothing is broken yet.
    pub(super) fn fill(
        &mut self,
        indices: &[&str],
        shard_count: u32,
    ) -> Result<Vec<Shard>, String> {
        fill(&self.node, indices, shard_count, self.checks)
    }

    /// Fills indices, kills the node, and breaks the shards at these places.
    pub(super) fn fill_and_break(
        &mut self,
        indices: &[&str],
        shard_count: u32,
        damaged: &[(usize, Damage)],
    ) -> Result<Vec<Shard>, String> {
        let mut shards = self.fill(indices, shard_count)?;
        break_some(&mut shards, damaged, &self.node.version, self.checks)?;
        Ok(shards)
    }

    /// The same, and the server has failed on them.
    pub(super) fn broken(&mut self) -> Result<Vec<Shard>, String> {
        let damaged = [(0, Damage::TornTail), (2, Damage::FlippedBits)];
        let shards = self.fill_and_break(&["orders"], 3, &damaged)?;
        fail_on_them(&self.node, &shards, self.checks)?;
        Ok(shards)
    }

    /// Changes the unit.
    pub(super) fn drop_in(&self, name: &str, text: &str) -> Result<(), String> {
        let folder = format!("/etc/systemd/system/{}.d", self.node.unit_name());
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        fs::write(format!("{folder}/{name}.conf"), text).map_err(|error| error.to_string())?;
        succeed("systemctl", &["daemon-reload"])
    }

    /// How often the unit was started so far.
    pub(super) fn starts(&self) -> Result<usize, String> {
        self.node.stops_and_starts().map(|(_, starts)| starts)
    }

    /// A property of the unit.
    pub(super) fn property(&self, name: &str) -> Result<String, String> {
        property_of(&self.node.unit_name(), name)
    }

    /// Waits for a property of the unit.
    pub(super) fn wait_property(&self, name: &str, value: &str) -> Result<(), String> {
        let is_it = || self.property(name).is_ok_and(|found| found == value);
        if wait_for(Duration::from_secs(20), is_it) {
            return Ok(());
        }
        Err(format!("{name} of the unit is {:?}, not {value}", self.property(name)))
    }

    /// Runs the program, told line by line as JSON, and checks its exit code.
    pub(super) fn job(
        &mut self,
        label: &str,
        wanted: i32,
        arguments: &[&str],
    ) -> Result<Run, String> {
        let words = [arguments, &["--output", "ndjson"]].concat();
        let run = self.tool.run(label, &View::Plain, &words)?;
        self.checks.exit(label, wanted, &run);
        Ok(run)
    }

    /// The same, told as text.
    pub(super) fn text(
        &mut self,
        label: &str,
        wanted: i32,
        arguments: &[&str],
    ) -> Result<Run, String> {
        let run = self.tool.run(label, &View::Plain, arguments)?;
        self.checks.exit(label, wanted, &run);
        Ok(run)
    }

    /// A dry run as text, for the records and to see that it names damage.
    pub(super) fn look(&mut self) -> Result<(), String> {
        self.text("dry-run", 4, &["--dry-run"]).map(|_| ())
    }

    /// Whether it said all of these words, in whatever form.
    pub(super) fn says(&mut self, name: &str, run: &Run, words: &[&str]) {
        let said = format!("{}{}", run.stdout, run.stderr);
        let missing: Vec<&&str> = words.iter().filter(|word| !said.contains(**word)).collect();
        self.checks.holds(&format!("it says {name}"), missing.is_empty(), || {
            format!("{missing:?} not in what it said; {}", run.words())
        });
    }

    /// The server has every shard started, with these documents.
    pub(super) fn is_green(&mut self, shards: &[Shard]) -> Result<(), String> {
        let states = self.node.api.shards();
        let count = |states: &[crate::http::ShardState]| {
            states.iter().filter(|shard| shard.state == "STARTED").count()
        };
        let is_up = states.as_ref().is_ok_and(|states| count(states) == shards.len());
        self.checks.holds("every shard is started", is_up, || format!("{states:?}"));
        if !is_up {
            return Ok(());
        }
        for shard in shards {
            let wanted = kept(shard);
            let found = self.node.api.documents(&shard.story.index, shard.story.shard)?;
            self.checks.same(
                &format!("{}: the right documents", shard.name()),
                difference(&wanted, &found),
            );
        }
        Ok(())
    }

    /// The translog folders, byte for byte.
    pub(super) fn translogs(shards: &[Shard]) -> Result<BTreeMap<PathBuf, Vec<u8>>, String> {
        let mut all = BTreeMap::new();
        for shard in shards {
            let folder = shard.translog.path.parent().unwrap_or(Path::new("/"));
            let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
            for entry in folder.read_dir().map_err(fail)? {
                let path = entry.map_err(fail)?.path();
                let bytes = fs::read(&path).map_err(fail)?;
                all.insert(path, bytes);
            }
        }
        Ok(all)
    }

    /// Checks that no run was recorded.
    pub(super) fn no_run(&mut self) {
        let is_there = Path::new(STATE).join("runs").exists();
        self.checks.holds("no run is recorded", !is_there, || "there is one".to_owned());
    }
}

/// What a shard holds after a repair at the default level.
pub(super) fn kept(shard: &Shard) -> Documents {
    match shard.damage {
        Some(Damage::FlippedBits) => shard.story.documents_without(shard.readable_count),
        _ => shard.story.documents(shard.readable_count),
    }
}

/// The events of a kind in a run told line by line.
pub(super) fn events(run: &Run, kind: &str) -> Vec<Value> {
    let lines = run.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|event| event.get("event").and_then(Value::as_str) == Some(kind)).collect()
}

/// Keeps the whole journal and what the program left on the disk.
pub(super) fn keep_machine(records: &Path) -> Result<(), String> {
    let listing = output_of(
        "sh",
        &["-c", "ls -lanR /var/lib/es-translog-fix /var/lib/*.es-translog-fix 2>&1 || true"],
    )?;
    fs::write(records.join("run-folders.txt"), listing).map_err(|error| error.to_string())?;
    let journal = output_of("journalctl", &["--no-pager", "--output=short-precise"])?;
    fs::write(records.join("journal-all.txt"), journal).map_err(|error| error.to_string())?;
    if Path::new(STATE).exists() {
        let to = records.join("state").display().to_string();
        succeed("cp", &["-rT", STATE, &to])?;
    }
    Ok(())
}
