//! What a drill came to: a value for programs, and lines for a person.

use std::path::PathBuf;

use serde::Serialize;

use super::check::DocumentCheck;
use super::damage::Damage;
use super::release::Release;
use crate::report::Summary;
use crate::rounds::{Ending, Event};

/// Wrong things of one node that a person is shown; a program gets all.
const WRONG_SHOWN_MAX: usize = 10;

/// Something that happens in a drill.
#[derive(Debug, Clone)]
pub enum DrillEvent {
    /// The simulation did or found something.
    Simulation {
        /// The node, where it is about one.
        node: Option<Release>,
        /// The sentence.
        text: String,
    },
    /// The real job begins on a node.
    JobBegins {
        /// The node.
        node: Release,
    },
    /// The real job says something.
    Job {
        /// The node.
        node: Release,
        /// What it says.
        event: Box<Event>,
    },
    /// The real job has ended.
    JobEnded {
        /// The node.
        node: Release,
        /// How.
        ending: Ending,
    },
}

/// A whole drill.
#[derive(Debug, Clone, Serialize)]
pub struct DrillReport {
    /// Whether all went as it should.
    pub as_expected: bool,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// The practice nodes.
    pub nodes: Vec<NodeResult>,
}

/// One practice node.
#[derive(Debug, Clone, Serialize)]
pub struct NodeResult {
    /// What it played.
    pub release: Release,
    /// Its shards.
    pub shards: Vec<ShardResult>,
    /// The undo.
    pub undo: UndoResult,
    /// What did not go as it should, beside what is wrong with single shards.
    pub problems: Vec<String>,
    /// The real job's own report.
    pub job: Summary,
}

/// One shard of a practice node.
#[derive(Debug, Clone, Serialize)]
pub struct ShardResult {
    /// Its index.
    pub index: String,
    /// Its number.
    pub shard: u32,
    /// How it was broken.
    pub damage: Option<Damage>,
    /// Operations of clients since its commit.
    pub operations: u64,
    /// Those that the damage took.
    pub lost_operations: u64,
    /// Those that the job told as lost.
    pub told_lost_operations: u64,
    /// The documents that those were about.
    pub lost_document_ids: Vec<String>,
    /// Whether the played server started it after the repair.
    pub is_up: bool,
    /// Its documents after the repair.
    pub documents: DocumentCheck,
    /// What did not go as it should.
    pub problems: Vec<String>,
}

/// The undo of a practice node.
#[derive(Debug, Clone, Default, Serialize)]
pub struct UndoResult {
    /// Files that were compared.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is not as it was before the job.
    pub differences: Vec<String>,
}

impl NodeResult {
    /// Whether all went as it should.
    #[must_use]
    pub fn as_expected(&self) -> bool {
        self.problems.is_empty()
            && self.undo.differences.is_empty()
            && self.shards.iter().all(|shard| shard.problems.is_empty())
    }

    fn lines(&self) -> Vec<String> {
        let version = self.release.version();
        let mut lines = vec![format!("Elasticsearch {version} (simulated)")];
        lines.extend(self.shards.iter().flat_map(ShardResult::lines));
        let lost = self.shards.iter().fold(0, |sum: u64, s| sum.saturating_add(s.lost_operations));
        let all = self.shards.iter().fold(0, |sum: u64, s| sum.saturating_add(s.operations));
        let found = self.shards.iter().fold(0, |sum: u64, s| sum.saturating_add(s.documents.found));
        lines.push(format!(
            "  in all: {lost} of {all} operations since the last commit lost with the damage; {found} \
             documents there, compared one by one"
        ));
        let UndoResult { files, bytes, differences } = &self.undo;
        if differences.is_empty() {
            lines.push(format!(
                "  undo: {files} files ({bytes} bytes) as before the repair: content, mode, owner, \
                 time"
            ));
        }
        let wrong = differences.iter().map(|difference| format!("after undo {difference}"));
        let wrong = self.problems.iter().cloned().chain(wrong).take(WRONG_SHOWN_MAX);
        lines.extend(wrong.map(|problem| format!("  WRONG: {problem}")));
        lines
    }
}

impl ShardResult {
    fn lines(&self) -> Vec<String> {
        let name = format!("[{}][{}]", self.index, self.shard);
        let Some(damage) = self.damage else {
            let mut lines = vec![format!("  {name}  not broken, not touched")];
            lines.extend(self.wrong());
            return lines;
        };
        let kept = self.operations.saturating_sub(self.lost_operations);
        let mut told = String::new();
        if self.told_lost_operations != self.lost_operations && self.problems.is_empty() {
            told = format!(
                " (told as about {}: 1.x does not count its records, so a stretch that cannot be \
                 read is taken for one)",
                self.told_lost_operations
            );
        }
        let state = if self.is_up { "repaired and up" } else { "down" };
        let mut lines = vec![
            format!("  {name}  {}", damage.in_words()),
            format!("      {state}: {kept} operations kept, {} lost{told}", self.lost_operations),
        ];
        lines.extend(self.wrong());
        lines
    }

    fn wrong(&self) -> impl Iterator<Item = String> + '_ {
        self.problems.iter().map(|problem| format!("      WRONG: {problem}"))
    }
}

impl DrillReport {
    /// The summary, for somebody who has never seen the program before.
    #[must_use]
    pub fn lines(&self, kept_in: Option<&PathBuf>) -> Vec<String> {
        let mut lines = vec![String::new(), "What this practice outage showed:".to_owned()];
        lines.extend(self.nodes.iter().flat_map(NodeResult::lines));
        let seconds = self.elapsed_ms.div_euclid(1000);
        let tenths = self.elapsed_ms.rem_euclid(1000).div_euclid(100);
        lines.push(if self.as_expected {
            format!(
                "All went as it should, in {seconds}.{tenths} s: each broken shard was found in the \
                 log, proven from its bytes and repaired; every operation that can still be read was \
                 kept; undo put every byte back."
            )
        } else {
            format!("NOT all went as it should, in {seconds}.{tenths} s: see WRONG above.")
        });
        lines.push(
            "The servers were simulated and the damage was made; reading, repairing and undoing \
             were done by the code that does it on a real node: `es-translog-fix --dry-run` there \
             looks and changes nothing."
                .to_owned(),
        );
        lines.push(match kept_in {
            Some(path) => format!("The practice folder is kept in {}", path.display()),
            None => "The practice folder is deleted; nothing else was touched.".to_owned(),
        });
        lines
    }
}
