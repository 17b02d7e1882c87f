//! Forty damaged shards on a file system without a free byte, repaired at `prefix`; the program is
//! killed in its middle, and a second run goes on. With room again the server starts all of them,
//! and they have every document up to the damage.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::batch::{Cell, fill_and_break};
use crate::checks::Checks;
use crate::documents::difference;
use crate::fingerprint::{Fingerprint, Times};
use crate::frozen::Frozen;
use crate::kind::Kind;
use crate::mount::Mount;
use crate::process::Process;
use crate::tool::{Tool, View};
use crate::version::Version;

const FILE_SYSTEMS: [(&str, &str); 3] = [
    ("tmpfs", "mount -t tmpfs -o size=600m none $1"),
    ("ext4", "truncate -s 600M $2 && mkfs.ext4 -q -b 4096 $2 && mount -o loop $2 $1"),
    ("xfs", "truncate -s 600M $2 && mkfs.xfs -q -f $2 && mount -o loop $2 $1"),
];
/// Damage that a disk which fills up leaves, and some that it does not; each ends the translog.
const KINDS: [Kind; 4] = [Kind::CutMiddle, Kind::CutInSize, Kind::FlipTwice, Kind::ZeroTail512];
const OF_EACH_KIND: usize = 10;
/// What takes the room that is left, at the top of the data path.
const FILLING: &str = "filling";
/// How the names of what leaves a shard begin there.
const QUARANTINED: &str = ".etf-";

/// Runs it on one server.
pub(crate) fn run(
    version: &Version,
    distribution: &Path,
    work: &Path,
    (tool, checks, seed): (&mut Tool, &mut Checks, u64),
) -> Result<(), String> {
    let mut killed_count = 0;
    for (name, line) in FILE_SYSTEMS {
        let work = work.join(name);
        let mount = match Mount::new(line, &work.join("data"), &work.join("blocks")) {
            Ok(mount) => mount,
            Err(why) => {
                println!("skipped: {name} cannot be mounted here: {why}");
                continue;
            }
        };
        let mut node = Process::install(version, distribution, &work)?;
        let cells = fill_and_break(&mut node, &KINDS.repeat(OF_EACH_KIND), seed)?;
        let mut full = FullDisk { name, node, tool: &mut *tool, checks: &mut *checks, cells };
        killed_count += usize::from(full.run()?);
        drop(mount);
    }
    checks.holds("the program is killed in its middle", killed_count > 0, || "never".to_owned());
    Ok(())
}

/// One server on one file system.
struct FullDisk<'a> {
    name: &'a str,
    node: Process,
    tool: &'a mut Tool,
    checks: &'a mut Checks,
    cells: Vec<Cell>,
}

impl FullDisk<'_> {
    /// Whether the program was killed in its middle.
    fn run(&mut self) -> Result<bool, String> {
        let data = self.node.data();
        fill(&data.join(FILLING))?;
        self.node.step(&format!("{}: without a free byte", self.name));
        let (state, output) = (self.node.work.join("state"), self.node.work.join("frozen"));
        // Ends it by SIGKILL; in memory it may be done before.
        let killed = Frozen::start(&self.node.repair_words("prefix"), &state, &output).map(drop);
        if let Err(why) = &killed {
            self.node.step(&format!("{}: it is not killed: {why}", self.name));
        }
        let run = run_id(&state)?;
        let mut words = vec!["resume".to_owned(), run];
        words.extend(self.node.flags());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let resumed = self.tool.run(&format!("{}-resume", self.name), &View::Plain, &words)?;
        let told = self.told("a second run goes on to the end");
        let wanted = if killed.is_ok() { 2 } else { 0 };
        self.checks.holds(&told, resumed.exit_code == wanted, || resumed.words());
        self.starts()?;
        Ok(killed.is_ok())
    }

    fn starts(&mut self) -> Result<(), String> {
        let data = self.node.data();
        fs::remove_file(data.join(FILLING)).map_err(|error| error.to_string())?;
        let kept = quarantined(&data)?;
        self.node.step(&format!("{}: with room again", self.name));
        self.node.start()?;
        let all: BTreeSet<String> = self.cells.iter().map(|cell| cell.index().to_owned()).collect();
        let started = self.node.settle(all.len(), Some(&all))?.started;
        let mut wrong: Vec<String> = all.difference(&started).cloned().collect();
        for cell in self.cells.iter().filter(|cell| started.contains(cell.index())) {
            let found = self.node.api.documents(cell.index(), 0)?;
            let wanted = cell.story.documents_kept(&cell.truth.prefix);
            wrong.extend(difference(&wanted, &found).map(|why| format!("{} {why}", cell.index())));
        }
        let told = self.told(&format!("{} shards start with every document", all.len()));
        self.checks.holds(&told, wrong.is_empty(), || wrong.join(", "));
        self.node.stop(Signal::SIGTERM)?;
        let after = quarantined(&data)?;
        let told = self.told("the server leaves the quarantine alone");
        self.checks.same(&told, kept.difference(&after));
        Ok(())
    }

    fn told(&self, what: &str) -> String {
        format!("{}: {what}", self.name)
    }
}

/// Leaves no byte free.
fn fill(path: &Path) -> Result<(), String> {
    let file = fs::File::create_new(path);
    let mut file = file.map_err(|error| format!("{}: {error}", path.display()))?;
    let block = vec![7; 1 << 20];
    let mut size = block.len();
    while let Some(part) = block.get(..size).filter(|part| !part.is_empty()) {
        if file.write_all(part).and_then(|()| file.sync_data()).is_err() {
            size /= 2;
        }
    }
    Ok(())
}

/// The only run in a state folder.
fn run_id(state: &Path) -> Result<String, String> {
    let entries = state.join("runs").read_dir().map_err(|error| error.to_string())?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.into_iter().find(|name| !name.starts_with('.')).ok_or("there is no run".to_owned())
}

/// What is in the quarantine at the top of the data path.
fn quarantined(data: &Path) -> Result<Fingerprint, String> {
    let is_other = |path: &Path| {
        let first = path.components().next().map(|part| part.as_os_str().to_string_lossy());
        !first.is_some_and(|name| name.starts_with(QUARANTINED))
    };
    Ok(Fingerprint::of(data, Times::Modified)?.without(is_other))
}
