//! What was checked and how it went, as it goes and in a file that the caller reads.

use std::path::Path;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::tool::Run;

/// The outcome of one server's run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) passed_count: u32,
    pub(crate) failed: Vec<String>,
    /// What was left out, and for want of what.
    #[serde(default)]
    pub(crate) skipped: Vec<String>,
    pub(crate) round_count: u64,
    pub(crate) lost_count: u64,
    pub(crate) peak_kib: i64,
    pub(crate) seconds: u64,
    /// Exit codes of the program, each as `wanted/got`.
    #[serde(default)]
    pub(crate) exits: Vec<String>,
}

/// Checks on their way.
pub(crate) struct Checks {
    begun: Instant,
    pub(crate) outcome: Outcome,
}

impl Checks {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), outcome: Outcome::default() }
    }

    /// Says what is being done.
    pub(crate) fn step(&self, text: &str) {
        println!("  {:>4} s  {text}", self.begun.elapsed().as_secs());
    }

    /// Leaves something out, and says why.
    pub(crate) fn skip(&mut self, what: &str) {
        println!("      skipped {what}");
        self.outcome.skipped.push(what.to_owned());
    }

    /// Takes a check in: the error says what is wrong.
    pub(crate) fn check(&mut self, name: &str, result: Result<(), String>) {
        match result {
            Ok(()) => {
                self.outcome.passed_count += 1;
                println!("      ok      {name}");
            }
            Err(error) => {
                println!("      FAILED  {name}: {error}");
                self.outcome.failed.push(format!("{name}: {error}"));
            }
        }
    }

    /// A check that holds or not.
    pub(crate) fn holds(&mut self, name: &str, holds: bool, otherwise: impl FnOnce() -> String) {
        self.check(name, if holds { Ok(()) } else { Err(otherwise()) });
    }

    /// A check of an exit code, for the table too.
    pub(crate) fn exit(&mut self, label: &str, wanted: i32, run: &Run) {
        self.outcome.exits.push(format!("{wanted}/{}", run.exit_code));
        self.holds(&format!("{label}: exit {wanted}"), run.exit_code == wanted, || run.words());
    }

    /// A check that there is no difference.
    pub(crate) fn same(&mut self, name: &str, difference: Option<String>) {
        self.check(name, difference.map_or(Ok(()), Err));
    }

    /// Writes the outcome.
    pub(crate) fn finish(mut self, path: &Path) -> Result<bool, String> {
        self.outcome.seconds = self.begun.elapsed().as_secs();
        let text = serde_json::to_string(&self.outcome).map_err(|error| error.to_string())?;
        std::fs::write(path, text).map_err(|error| error.to_string())?;
        Ok(self.outcome.failed.is_empty())
    }
}
