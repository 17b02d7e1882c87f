//! Whether verdict and server agree: many damaged shards in one start of each server.
//!
//! `sound`: the server starts the shard with every operation that its files hold. `damaged` and
//! `unknown`: it does not start it, or the table of problems says that it is harmless to the
//! server: up to 1.7 a torn last record (T05), without which the server starts. `silently short`:
//! it starts it and operations that the files hold are missing.

use std::path::Path;

use nix::sys::signal::Signal;

use crate::batch::{Cell, fill_and_break};
use crate::documents::difference;
use crate::kind::{Kind, RANDOM};
use crate::process::Process;
use crate::tool::Tool;
use crate::verdicts::{Said, verdicts};
use crate::version::Version;

/// Variants more of each kind that is at a random place.
const MORE_OF_RANDOM: usize = 3;

/// What the server does with a shard.
enum Server {
    Refuses,
    /// With every operation that its files hold.
    StartsAll,
    /// With other documents.
    StartsOther(String),
}

/// How it went with one server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Agreement {
    pub(crate) variant_count: usize,
    pub(crate) sound_count: usize,
    pub(crate) damaged_count: usize,
    pub(crate) short_count: usize,
    pub(crate) other_count: usize,
    pub(crate) harmless_count: usize,
    pub(crate) disagreements: Vec<String>,
    pub(crate) without: Option<String>,
}

/// Runs it on one server.
pub(crate) fn run(
    version: &Version,
    distribution: &Path,
    work: &Path,
    tool: &mut Tool,
    seed: u64,
) -> Result<Agreement, String> {
    let mut node = Process::install(version, distribution, work)?;
    let mut kinds = Kind::all(version);
    for kind in RANDOM.into_iter().filter(|kind| Kind::all(version).contains(kind)) {
        kinds.extend([kind; MORE_OF_RANDOM]);
    }
    let cells = fill_and_break(&mut node, &kinds, seed)?;
    let said = verdicts(tool, &node, "check")?;
    node.step("start with the damage");
    node.start()?;
    let settled = node.settle(cells.len(), None)?;
    node.step(&format!("{} of {} shards started", settled.started.len(), cells.len()));
    let mut agreement = Agreement { without: Kind::without(version), ..Agreement::default() };
    for cell in &cells {
        let said = said.get(cell.index()).cloned().unwrap_or_default();
        let is_started = settled.started.contains(cell.index());
        let server = if is_started {
            let found = node.api.documents(cell.index(), 0)?;
            match difference(&cell.story.documents_kept(&cell.truth.whole()), &found) {
                None => Server::StartsAll,
                Some(difference) => Server::StartsOther(difference),
            }
        } else {
            Server::Refuses
        };
        agreement.take(version, cell, &said, &server);
    }
    node.stop(Signal::SIGKILL)?;
    Ok(agreement)
}

impl Agreement {
    /// Takes a shard in.
    fn take(&mut self, version: &Version, cell: &Cell, said: &Said, server: &Server) {
        self.variant_count += 1;
        let damage = said.of_severity("damage");
        let is_forgiven = version.has_stream() && damage.iter().all(|code| *code == "T05");
        let is_right = match (said.verdict.as_str(), server) {
            ("sound", Server::StartsAll) => {
                self.sound_count += 1;
                true
            }
            ("damaged", Server::Refuses) => {
                self.damaged_count += 1;
                true
            }
            ("damaged", Server::StartsAll) if is_forgiven => {
                self.damaged_count += 1;
                self.harmless_count += 1;
                true
            }
            ("silently-short", Server::StartsOther(_)) => {
                self.short_count += 1;
                true
            }
            ("unknown" | "not-the-translog", Server::Refuses) => {
                self.other_count += 1;
                true
            }
            _ => false,
        };
        if !is_right {
            let server = match server {
                Server::Refuses => "does not start it".to_owned(),
                Server::StartsAll => "starts it with all that is there".to_owned(),
                Server::StartsOther(difference) => format!("starts it with {difference}"),
            };
            let (index, verdict) = (cell.index(), said.text());
            self.disagreements.push(format!("{index}: check says {verdict}; the server {server}"));
        }
    }
}
