//! All cells of one server at one level after so many failed starts: repaired in one run of the
//! program, taken back on a copy, looked at again, and used.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::batch::{Cell, ROUTING};
use crate::cell_loss;
use crate::documents::{Documents, apply, difference};
use crate::fingerprint::{Fingerprint, Times};
use crate::gauntlet::{Score, copy};
use crate::process::Process;
use crate::tool::{Run, Tool, View};
use crate::verdicts::{Said, verdicts};

const RIGHT: usize = 0;
const REFUSED: usize = 1;
const UNTOUCHED: usize = 2;
const SKIPPED: usize = 3;

/// What a cell has to come to.
enum Expected {
    /// A repair with these operations kept.
    Repaired(Vec<bool>),
    /// Nothing to repair: started with these documents.
    Untouched(Documents),
    /// A refusal, and not a byte changed.
    Refused,
    /// Not counted, and why.
    Skipped(String),
}

/// All cells at one level after some failed starts.
pub(crate) struct Stage<'a> {
    pub(crate) node: &'a mut Process,
    pub(crate) tool: &'a mut Tool,
    pub(crate) cells: &'a [Cell],
    pub(crate) by_itself: &'a BTreeMap<String, Documents>,
    pub(crate) label: String,
    pub(crate) level: &'a str,
    pub(crate) score: &'a mut Score,
}

impl Stage<'_> {
    /// Does all of it.
    pub(crate) fn run(&mut self) -> Result<(), String> {
        self.node.step(&self.label);
        let said = verdicts(self.tool, self.node, &format!("{}-before", self.label))?;
        let before = Fingerprint::of(&self.node.data(), Times::Modified)?;
        let repair = self.repair("repair")?;
        let document = repair.json()?;
        let mut wrong: BTreeMap<&str, String> = BTreeMap::new();
        let mut wanted: BTreeMap<&str, Documents> = BTreeMap::new();
        let mut buckets: BTreeMap<&str, usize> = BTreeMap::new();
        let cells = self.cells;
        for cell in cells {
            let said = said.get(cell.index()).cloned().unwrap_or_default();
            let outcome = cell_loss::outcome(&document, cell.index());
            match self.expected(cell, &said, &outcome) {
                Expected::Skipped(why) => {
                    let names = self.score.skipped.entry(why).or_default();
                    names.push(format!("{:?} {}", cell.kind, self.label));
                    buckets.insert(cell.index(), SKIPPED);
                }
                Expected::Untouched(documents) => {
                    wanted.insert(cell.index(), documents);
                    buckets.insert(cell.index(), UNTOUCHED);
                    if outcome == "repaired" {
                        wrong.insert(cell.index(), "it was repaired, and need not be".into());
                    }
                }
                Expected::Refused => {
                    buckets.insert(cell.index(), REFUSED);
                    if outcome == "repaired" {
                        wrong.insert(cell.index(), "it was repaired at `all` with a loss".into());
                    }
                }
                Expected::Repaired(kept) => {
                    wanted.insert(cell.index(), cell.story.documents_kept(&kept));
                    buckets.insert(cell.index(), RIGHT);
                    if outcome == "repaired" {
                        let lost = cell_loss::check(&document, cell, &kept);
                        lost.err().and_then(|error| wrong.insert(cell.index(), error));
                    } else {
                        let why = cell_loss::refusal(&document, cell.index());
                        let text = format!("{}; not repaired ({outcome}): {why}", said.text());
                        wrong.insert(cell.index(), text);
                    }
                }
            }
        }
        self.undo(&document, &before)?;
        self.look_again(&buckets, &mut wrong)?;
        self.use_them(wanted, &mut wrong)?;
        for (index, bucket) in buckets {
            if let Some(error) = wrong.remove(index) {
                self.score.failures.push(format!("{index} {}: {error}", self.label));
            } else {
                let counts = self.score.counts.entry(self.level.to_owned()).or_default();
                counts.iter_mut().skip(bucket).take(1).for_each(|count| *count += 1);
            }
        }
        Ok(())
    }

    /// The program's main job, with the node down.
    fn repair(&mut self, what: &str) -> Result<Run, String> {
        let words = self.node.repair_words(self.level);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.tool.run(&format!("{}-{what}", self.label), &View::Plain, &words)
    }

    fn expected(&self, cell: &Cell, said: &Said, outcome: &str) -> Expected {
        let truth = &cell.truth;
        let is_to_repair = matches!(said.verdict.as_str(), "damaged" | "silently-short");
        if let Some(documents) = self.by_itself.get(cell.index()) {
            // A start that left operations out has put the others into a commit.
            if is_to_repair && self.level == "none" {
                return Expected::Repaired(cell.kept_by(documents));
            }
            if !is_to_repair {
                return Expected::Untouched(documents.clone());
            }
        }
        match said.verdict.as_str() {
            "sound" => Expected::Untouched(cell.story.documents_kept(&truth.whole())),
            "damaged" | "silently-short" => match self.level {
                "none" => Expected::Repaired(vec![false; truth.left.len()]),
                "prefix" => Expected::Repaired(truth.prefix.clone()),
                "all" if cell.may_be_whole() && outcome == "repaired" => {
                    Expected::Repaired(truth.whole())
                }
                "all" if !truth.is_whole() || cell.seems_short() => Expected::Refused,
                _ => Expected::Repaired(truth.whole()),
            },
            _ => Expected::Skipped(format!(
                "left to a person: {}",
                said.of_severity("beyond").join(" ")
            )),
        }
    }

    /// Takes the repair back on a copy, byte for byte.
    fn undo(&mut self, document: &Value, before: &Fingerprint) -> Result<(), String> {
        let Some(id) = document.get("run").and_then(Value::as_str) else { return Ok(()) };
        let work = self.node.work.clone();
        let copied = work.join("copy");
        fs::create_dir_all(&copied).map_err(|error| error.to_string())?;
        for name in ["data", "data.es-translog-fix", "state", "config", "logs"] {
            if work.join(name).exists() {
                copy(&work.join(name), &copied)?;
            }
        }
        let view = View::Instead { folder: copied.clone(), place: work.clone() };
        let text = |name: &str| work.join(name).display().to_string();
        let (config, data, state) = (text("config"), text("data"), text("state"));
        let words = [
            "undo",
            id,
            "--yes",
            "--service",
            "none",
            "--config",
            &config,
            "--data",
            &data,
            "--state-dir",
            &state,
        ];
        let run = self.tool.run(&format!("{}-undo", self.label), &view, &words)?;
        let after = Fingerprint::of(&copied.join("data"), Times::Modified)?;
        if let Some(difference) = before.difference(&after) {
            let words = run.words();
            self.score.failures.push(format!("{}: undo: {words}: {difference}", self.label));
        }
        Ok(())
    }

    /// `check` says sound, and a second run does nothing.
    fn look_again<'b>(
        &mut self,
        buckets: &BTreeMap<&'b str, usize>,
        wrong: &mut BTreeMap<&'b str, String>,
    ) -> Result<(), String> {
        let said = verdicts(self.tool, self.node, &format!("{}-after", self.label))?;
        for (index, bucket) in buckets {
            let said = said.get(*index).cloned().unwrap_or_default();
            // What the cell keeps its first error for is not told twice.
            if *bucket == RIGHT && said.verdict != "sound" {
                wrong
                    .entry(index)
                    .or_insert_with(|| format!("after the repair check says {}", said.text()));
            }
        }
        let before = Fingerprint::of(&self.node.data(), Times::Modified)?;
        let again = self.repair("again")?;
        let did_nothing = again.json()?.get("run").is_none_or(Value::is_null);
        let after = Fingerprint::of(&self.node.data(), Times::Modified)?;
        if !did_nothing || before != after {
            self.score.failures.push(format!("{}: a second run did something", self.label));
        }
        Ok(())
    }

    /// The server starts them; documents are right, also after more of them, a flush and a restart.
    fn use_them<'b>(
        &mut self,
        mut wanted: BTreeMap<&'b str, Documents>,
        wrong: &mut BTreeMap<&'b str, String>,
    ) -> Result<(), String> {
        let expected: BTreeSet<String> = wanted
            .keys()
            .filter(|index| !wrong.contains_key(*index))
            .map(|index| (*index).to_owned())
            .collect();
        self.node.start()?;
        let settled = self.node.settle(self.cells.len(), Some(&expected))?;
        self.compare(&wanted, &settled.started, "after the repair", wrong);
        let mut used = BTreeSet::new();
        for cell in self.cells.iter().filter(|cell| settled.started.contains(cell.index())) {
            let Some(documents) = wanted.get_mut(cell.index()) else { continue };
            let later = cell.story.later();
            self.node.api.bulk(cell.index(), ROUTING, &later)?;
            apply(documents, later.iter());
            used.insert(cell.index().to_owned());
        }
        self.node.api.flush_of(&used)?;
        self.node.stop(Signal::SIGTERM)?;
        self.node.start()?;
        let settled = self.node.settle(self.cells.len(), Some(&used))?;
        wanted.retain(|index, _| used.contains(*index));
        self.compare(&wanted, &settled.started, "after more, a flush and a restart", wrong);
        Ok(())
    }

    fn compare<'b>(
        &self,
        wanted: &BTreeMap<&'b str, Documents>,
        started: &BTreeSet<String>,
        when: &str,
        wrong: &mut BTreeMap<&'b str, String>,
    ) {
        for (index, documents) in wanted {
            let error = if started.contains(*index) {
                match self.node.api.documents(index, 0) {
                    Ok(found) => difference(documents, &found),
                    Err(error) => Some(error),
                }
            } else {
                Some("it is not started".to_owned())
            };
            if let Some(error) = error {
                wrong.entry(index).or_insert_with(|| format!("{when}: {error}"));
            }
        }
    }
}
