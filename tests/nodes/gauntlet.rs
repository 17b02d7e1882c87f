//! Every kind of damage, after 0, 1 and 3 failed starts, at every level: the program repairs with
//! the node down, and the server has to start each shard with exactly the operations that can be
//! kept, and go on with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;

use crate::batch::{Cell, fill_and_break};
use crate::documents::Documents;
use crate::kind::Kind;
use crate::process::Process;
use crate::run::succeed;
use crate::stage::Stage;
use crate::tool::Tool;
use crate::version::Version;

/// Failed starts before a repair.
const FAILED_STARTS: [usize; 3] = [0, 1, 3];

/// What a run is to do.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) levels: Vec<String>,
    /// The kinds of damage, by name; all when empty.
    pub(crate) kinds: Vec<String>,
    pub(crate) is_fast: bool,
}

impl Plan {
    fn asks_for(&self, kind: Kind) -> bool {
        let name = format!("{kind:?}");
        (!self.is_fast || kind.is_fast()) && (self.kinds.is_empty() || self.kinds.contains(&name))
    }
}

/// How it went with one server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Score {
    /// Cells by level: right, refused as they have to be, nothing to repair, skipped.
    pub(crate) counts: BTreeMap<String, [usize; 4]>,
    pub(crate) skipped: BTreeMap<String, Vec<String>>,
    pub(crate) failures: Vec<String>,
}

/// Runs it on one server.
pub(crate) fn run(
    version: &Version,
    distribution: &Path,
    work: &Path,
    tool: &mut Tool,
    plan: &Plan,
) -> Result<Score, String> {
    let mut node = Process::install(version, distribution, work)?;
    let kinds = Kind::all(version);
    let kinds: Vec<Kind> = kinds.into_iter().filter(|kind| plan.asks_for(*kind)).collect();
    let mut cells = fill_and_break(&mut node, &kinds, plan.seed)?;
    let mut score = Score::default();
    if let Some(without) = Kind::without(version) {
        score.skipped.insert(without, Vec::new());
    }
    let failed_starts: &[usize] = if plan.is_fast { &[1] } else { &FAILED_STARTS };
    let mut gone_by_itself: BTreeMap<String, Documents> = BTreeMap::new();
    let last = failed_starts.last().copied().unwrap_or(0);
    for start_count in 0..=last {
        if start_count > 0 {
            fail_once(&mut node, &cells, start_count, &mut gone_by_itself)?;
            for cell in &mut cells {
                cell.forget_removed();
            }
        }
        if !failed_starts.contains(&start_count) {
            continue;
        }
        let saved = work.join(format!("saved-{start_count}"));
        copy(&node.data(), &saved)?;
        for level in &plan.levels {
            let mut stage = Stage {
                node: &mut node,
                tool,
                cells: &cells,
                by_itself: &gone_by_itself,
                label: format!("{level}-after-{start_count}"),
                level,
                score: &mut score,
            };
            if let Err(error) = stage.run() {
                score.failures.push(format!("{level} after {start_count} failed starts: {error}"));
            }
            node.stop(Signal::SIGKILL)?;
            clear(work, &node.data())?;
            copy(&saved, &node.data())?;
        }
    }
    node.step(&format!("{} wrong", score.failures.len()));
    for failure in &score.failures {
        println!("{version}: WRONG {failure}");
    }
    Ok(score)
}

/// A start that fails on the damage; what starts all the same is remembered.
fn fail_once(
    node: &mut Process,
    cells: &[Cell],
    number: usize,
    by_itself: &mut BTreeMap<String, Documents>,
) -> Result<(), String> {
    node.step(&format!("failed start {number}"));
    node.start()?;
    let settled = node.settle(cells.len(), None)?;
    for cell in cells.iter().filter(|cell| settled.started.contains(cell.index())) {
        by_itself.insert(cell.index().to_owned(), node.api.documents(cell.index(), 0)?);
    }
    // An ordinary stop in the middle of a retry is what a repair begins with.
    node.stop(if number.is_multiple_of(2) { Signal::SIGTERM } else { Signal::SIGKILL })
}

/// Copies a folder with owners and times.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), String> {
    succeed("cp", &["-a", &from.display().to_string(), &to.display().to_string()])
}

fn clear(work: &Path, data: &Path) -> Result<(), String> {
    let quarantine = PathBuf::from(format!("{}.es-translog-fix", data.display()));
    for folder in [data.to_path_buf(), quarantine, work.join("state"), work.join("copy")] {
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        }
    }
    fs::create_dir_all(work.join("state")).map_err(|error| error.to_string())
}
