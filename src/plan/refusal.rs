//! What the program will not do, and what would allow it.

use std::fmt;

use serde::Serialize;

/// A rule of safety.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Another in-sync copy is worth more than a repair.
    HealthyCopy,
    /// The copy is not one the cluster would take.
    StaleCopy,
    /// A closed index.
    ClosedIndex,
    /// The data lies elsewhere (remote store, snapshot).
    DataElsewhere,
    /// Nothing may be lost, and something would be.
    Level,
    /// The files are not understood.
    NotUnderstood,
    /// The files cannot be read.
    Unreadable,
    /// Not enough free space.
    Space,
    /// A symbolic link or another thing that is not what belongs there.
    Layout,
    /// The person has not agreed.
    Consent,
    /// More loss or more shards than the budget.
    Budget,
    /// The service cannot be stopped, or somebody else has the files open.
    InUse,
    /// An earlier run on this node is unfinished.
    UnfinishedRun,
    /// Things changed since they were judged.
    Changed,
    /// The node could not be started again.
    NoStart,
}

/// A refusal: not an error, and nothing has been touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The rule.
    pub rule: Rule,
    /// One sentence: what is refused and why.
    pub message: String,
    /// What would allow it, when anything would.
    pub allow: Option<String>,
}

impl Refusal {
    /// A refusal that nothing allows.
    pub fn new(rule: Rule, message: impl Into<String>) -> Self {
        Self { rule, message: message.into(), allow: None }
    }

    /// The same, with what would allow it.
    #[must_use]
    pub fn unless(mut self, allow: impl Into<String>) -> Self {
        self.allow = Some(allow.into());
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.allow {
            Some(allow) => write!(f, "{}; {allow}", self.message),
            None => f.write_str(&self.message),
        }
    }
}
