//! What `check` says of each shard, read from its JSON.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::process::Process;
use crate::tool::{Tool, View};

/// What is said of one shard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) verdict: String,
    /// Codes with their severity.
    pub(crate) codes: Vec<(String, String)>,
}

impl Said {
    /// The codes of a severity.
    pub(crate) fn of_severity(&self, wanted: &str) -> Vec<&str> {
        let found = self.codes.iter().filter(|(_, severity)| severity == wanted);
        found.map(|(code, _)| code.as_str()).collect()
    }

    pub(crate) fn text(&self) -> String {
        let codes: Vec<&str> = self.codes.iter().map(|(code, _)| code.as_str()).collect();
        format!("{} {}", self.verdict, codes.join(" "))
    }
}

/// Runs `check` on the node's data, and returns what it says by index.
pub(crate) fn verdicts(
    tool: &mut Tool,
    node: &Process,
    label: &str,
) -> Result<BTreeMap<String, Said>, String> {
    let data = node.data().display().to_string();
    let run = tool.run(label, &View::Plain, &["check", "--output", "json", &data])?;
    let document = run.json()?;
    let mut all = BTreeMap::new();
    for shard in document.get("shards").and_then(Value::as_array).into_iter().flatten() {
        let word = |value: &Value, name: &str| {
            value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let problems = shard.get("problems").and_then(Value::as_array);
        let codes = problems
            .into_iter()
            .flatten()
            .map(|problem| (word(problem, "code"), word(problem, "severity")))
            .collect();
        all.insert(word(shard, "index"), Said { verdict: word(shard, "verdict"), codes });
    }
    Ok(all)
}
