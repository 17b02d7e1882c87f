//! Somebody starts the server by hand, and the program a second time, while a repair is under way:
//! the server does not start, or comes up beside the node and is told; the second copy is refused;
//! and the repair comes to what it would have come to by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::batch::{Cell, ROUTING, fill_and_break};
use crate::cell_loss::outcome;
use crate::checks::Checks;
use crate::documents::Story;
use crate::fingerprint::{Fingerprint, Times};
use crate::frozen::Frozen;
use crate::gauntlet::copy;
use crate::kind::Kind;
use crate::process::Process;
use crate::tool::{Run, Tool, View};
use crate::version::Version;

/// How often each kind of damage is there: enough for a repair to be stopped in its middle.
const OF_EACH_KIND: usize = 3;
/// The index that a server makes which came up beside the node.
const BESIDE: &str = "beside";
const QUARANTINE: &str = "data.es-translog-fix";

/// A server's run on its way.
struct Meanwhile<'a> {
    node: Process,
    tool: &'a mut Tool,
    checks: &'a mut Checks,
    cells: Vec<Cell>,
}

/// Runs it on one server.
pub(crate) fn run(
    version: &Version,
    distribution: &Path,
    work: &Path,
    (tool, checks, seed): (&mut Tool, &mut Checks, u64),
) -> Result<(), String> {
    let mut node = Process::install(version, distribution, work)?;
    let kinds = Kind::fast(version);
    let cells = fill_and_break(&mut node, &kinds.repeat(OF_EACH_KIND), seed)?;
    Meanwhile { node, tool, checks, cells }.run()
}

impl Meanwhile<'_> {
    fn run(&mut self) -> Result<(), String> {
        let before = fingerprint(&self.node.data())?;
        self.node.step("an undisturbed repair, on a copy");
        let undisturbed = self.node.work.join("undisturbed");
        self.copy_to(&undisturbed)?;
        let alone =
            self.program("alone", &self.instead(&undisturbed), &self.node.repair_words("valid"))?;
        self.node.step("the repair, stopped in its middle");
        let state = self.node.work.join("state");
        let output = self.node.work.join("frozen");
        let frozen = Frozen::start(&self.node.repair_words("valid"), &state, &output)?;
        let during = fingerprint(&self.node.data())?;
        self.checks.holds("files have changed", during != before, || "none has".to_owned());
        self.start_server()?;
        let after = fingerprint(&self.node.data())?;
        self.checks.same("the server changes nothing of the node", during.difference(&after));
        self.second_copy(frozen.pid())?;
        self.checks.same("nor does the second copy", {
            during.difference(&fingerprint(&self.node.data())?)
        });
        self.node.step("the repair goes on");
        let run = frozen.go_on()?;
        self.ends_well(&run, &alone)?;
        self.same_as_alone(&before, &undisturbed)?;
        self.undo(&run, &before)?;
        self.starts(&run)
    }

    fn is_started_beside(&self) -> bool {
        !self.node.version.gives_up()
    }

    fn program(&mut self, label: &str, view: &View, words: &[String]) -> Result<Run, String> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.tool.run(label, view, &words)
    }

    /// Copies the node and what the program keeps of it.
    fn copy_to(&self, folder: &Path) -> Result<(), String> {
        fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        for name in ["data", QUARANTINE, "state", "config", "logs"] {
            let from = self.node.work.join(name);
            if from.exists() {
                copy(&from, folder)?;
            }
        }
        Ok(())
    }

    fn instead(&self, folder: &Path) -> View {
        View::Instead { folder: folder.to_path_buf(), place: self.node.work.clone() }
    }

    fn start_server(&mut self) -> Result<(), String> {
        self.node.step("the server, started by hand");
        self.node.start()?;
        if !self.is_started_beside() {
            let said = self.node.ends_by_itself()?;
            let is_lock = said.contains("failed to obtain node lock");
            self.checks.holds("the server does not start: the lock is taken", is_lock, || said);
            return Ok(());
        }
        self.node.settle(0, None)?;
        self.node.api.create_index(BESIDE, 1)?;
        let only = BTreeSet::from([BESIDE.to_owned()]);
        let settled = self.node.settle(1, Some(&only))?;
        self.node.api.bulk(BESIDE, ROUTING, &Story::of(BESIDE, 0).flushed)?;
        self.node.api.flush()?;
        self.checks.holds("the server comes up empty, beside", settled.started == only, || {
            format!("{:?}", settled.started)
        });
        Ok(())
    }

    fn second_copy(&mut self, first: u32) -> Result<(), String> {
        self.node.step("a second copy of the program");
        let run = self.program("second", &View::Plain, &self.node.repair_words("valid"))?;
        let is_refused = run.exit_code == 64 && run.stderr.contains(&format!("pid {first})"));
        self.checks
            .holds("a second copy is refused and names the first", is_refused, || run.words());
        Ok(())
    }

    /// What it ends with, and that it tells of the server.
    fn ends_well(&mut self, run: &Run, alone: &Run) -> Result<(), String> {
        let (document, other) = (run.json()?, alone.json()?);
        let is_same = run.exit_code == alone.exit_code
            && self
                .cells
                .iter()
                .all(|cell| outcome(&document, cell.index()) == outcome(&other, cell.index()));
        self.checks.holds("it comes to the same for every shard", is_same, || run.words());
        let told = document.get("other_nodes").cloned().unwrap_or_default();
        if !self.is_started_beside() {
            self.checks.holds("no other node is told", told == json!([]), || told.to_string());
            return Ok(());
        }
        let [one] = told.as_array().map(Vec::as_slice).unwrap_or_default() else {
            return Err(format!("not one other node is told: {told}"));
        };
        let is_right = one.get("indices") == Some(&json!([BESIDE]))
            && one
                .get("path")
                .and_then(Value::as_str)
                .is_some_and(|path| path.ends_with("nodes/1"))
            && one.get("command").and_then(Value::as_str).is_some_and(|text| text.contains("java"))
            && one.get("pid").and_then(Value::as_i64).is_some_and(|pid| pid > 0)
            && one.get("file_count").and_then(Value::as_u64).is_some_and(|count| count > 0);
        self.checks.holds("the node beside is told, with its index", is_right, || told.to_string());
        self.node.stop(Signal::SIGTERM)
    }

    /// Only what is random by design may differ: the ids in a commit that a repair writes.
    fn same_as_alone(&mut self, before: &Fingerprint, alone: &Path) -> Result<(), String> {
        let [ours, theirs] = [&self.node.work, alone].map(|top| -> Result<_, String> {
            Ok((
                fingerprint(&top.join("data"))?,
                Fingerprint::of(&top.join(QUARANTINE), Times::Modified)?,
            ))
        });
        let (ours, theirs) = (ours?, theirs?);
        let before = before.contents();
        let is_new_commit = |path: &Path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("segments_") && !before.contains_key(path)
        };
        let known = |(path, (len, crc)): (&Path, (u64, u32))| {
            let crc = if is_new_commit(path) { 0 } else { crc };
            (path.to_path_buf(), (len, crc))
        };
        let data = [&ours.0, &theirs.0]
            .map(|all| all.contents().into_iter().map(known).collect::<BTreeMap<_, _>>());
        self.checks.holds(
            "the data are those of an undisturbed repair",
            data[0] == data[1],
            || differences(&data[0], &data[1]),
        );
        // The first folder has the name of the run, and so has a text in each shard's.
        let below_run = |(path, content): (&Path, (u64, u32))| {
            let content = if path.ends_with("MANIFEST.txt") { (0, 0) } else { content };
            (path.components().skip(1).collect::<PathBuf>(), content)
        };
        let kept = [&ours.1, &theirs.1]
            .map(|all| all.contents().into_iter().map(below_run).collect::<BTreeMap<_, _>>());
        self.checks.holds("and the quarantine is that of one", kept[0] == kept[1], || {
            differences(&kept[0], &kept[1])
        });
        println!("      {} entries in data, {} in quarantine", data[0].len(), kept[0].len());
        Ok(())
    }

    /// On a copy, so that the repaired files are still there for the server.
    fn undo(&mut self, run: &Run, before: &Fingerprint) -> Result<(), String> {
        let document = run.json()?;
        let id = document.get("run").and_then(Value::as_str).ok_or("no run in the report")?;
        let copied = self.node.work.join("copy");
        self.copy_to(&copied)?;
        let mut words = vec!["undo".to_owned(), id.to_owned()];
        words.extend(self.node.flags());
        let undone = self.program("undo", &self.instead(&copied), &words)?;
        self.checks.holds("undo goes", undone.exit_code == 2, || undone.words());
        let after = fingerprint(&copied.join("data"))?;
        self.checks.same("undo restores every byte", before.difference(&after));
        Ok(())
    }

    /// The node, started at last.
    fn starts(&mut self, run: &Run) -> Result<(), String> {
        self.node.step("the node, started at last");
        let document = run.json()?;
        let indices = self.cells.iter().map(Cell::index);
        let repaired = indices.filter(|index| outcome(&document, index) == "repaired");
        let repaired: BTreeSet<String> = repaired.map(str::to_owned).collect();
        self.node.start()?;
        let started = self.node.settle(self.cells.len(), Some(&repaired))?.started;
        let missing: Vec<&String> = repaired.difference(&started).collect();
        self.checks.holds(
            &format!("all {} repaired shards start", repaired.len()),
            missing.is_empty() && !repaired.is_empty(),
            || format!("not started: {missing:?}"),
        );
        self.node.stop(Signal::SIGTERM)
    }
}

/// Everything of the node: not what a server began beside it, in a folder of its own.
fn fingerprint(data: &Path) -> Result<Fingerprint, String> {
    let is_beside = |path: &Path| {
        let is_nodes = path.ends_with("nodes");
        is_nodes || path.ancestors().any(|path| path.ends_with("nodes/1"))
    };
    Ok(Fingerprint::of(data, Times::Modified)?.without(is_beside))
}

type Contents = BTreeMap<PathBuf, (u64, u32)>;

fn differences(ours: &Contents, theirs: &Contents) -> String {
    let of = |one: &Contents, two: &Contents| -> Vec<String> {
        let other = one.iter().filter(|(path, content)| two.get(*path) != Some(content));
        other.map(|(path, content)| format!("{} {content:?}", path.display())).collect()
    };
    format!("here {}, there {}", of(ours, theirs).join(", "), of(theirs, ours).join(", "))
}
