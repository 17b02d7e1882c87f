//! The log files of a node: which is written to, and which were rolled away from it.
//!
//! `CLUSTER.log` everywhere, beside it `CLUSTER_server.json` with the same records from 7.0 on:
//! one of the two is read. Rolled files are `CLUSTER.log.2015-01-01` up to 2.x,
//! `CLUSTER-2017-01-01.log` in 5.x, `CLUSTER-2019-01-01-1.log.gz` (`.json.gz`) from 6.0 on, and
//! `.1`, `.2.gz`, `-20260101.gz` where logrotate made them.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::rolled::rolled;

/// Logs beside the server's own, which hold the words of users.
const NEIGHBOURS: [&str; 8] =
    ["_deprecation", "slowlog", "_audit", "gc.log", "_querylog", "_access", "_task", "_indexing"];

/// The plain twin may be this much older than the JSON one and still be the one that is read.
const TWIN_LAG: Duration = Duration::from_mins(1);

/// The files of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFiles {
    /// The one that is written to; it may not be there yet.
    pub live: PathBuf,
    /// Those rolled away, oldest first.
    pub rolled: Vec<PathBuf>,
    /// What a person should know about the choice.
    pub notes: Vec<String>,
}

impl LogFiles {
    /// Whether there is anything to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rolled.is_empty() && !self.live.is_file()
    }
}

/// Finds a node's log. `logs` is the folder of its logs, or one log file.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn find_logs(logs: &Path, cluster_name: &str) -> io::Result<LogFiles> {
    if logs.is_file() {
        let rolled = rolled(logs)?;
        return Ok(LogFiles { live: logs.to_path_buf(), rolled, notes: Vec::new() });
    }
    let mut notes = Vec::new();
    let by_name = twins(logs, cluster_name);
    let files = of_twins(&by_name, &mut notes)?;
    if !files.is_empty() {
        return Ok(LogFiles { notes, ..files });
    }
    let others = other_names(logs)?;
    let mut names = others.iter();
    if let (Some(name), None) = (names.next(), names.next()) {
        notes.push(format!(
            "no log in {} is named after cluster {cluster_name}; the only one there is {name}'s, \
             and it is read",
            logs.display()
        ));
        let files = of_twins(&twins(logs, name), &mut notes)?;
        return Ok(LogFiles { notes, ..files });
    }
    if !others.is_empty() {
        let names: Vec<&str> = others.iter().map(String::as_str).collect();
        notes.push(format!(
            "no log in {} is named after cluster {cluster_name}, and there are several others: \
             {}; name one with --logs",
            logs.display(),
            names.join(", ")
        ));
    }
    Ok(LogFiles { notes, ..files })
}

/// The plain log and its JSON twin.
fn twins(folder: &Path, name: &str) -> [PathBuf; 2] {
    [folder.join(format!("{name}.log")), folder.join(format!("{name}_server.json"))]
}

/// The plain log, unless only its twin is there or is still written to.
fn of_twins([plain, json]: &[PathBuf; 2], notes: &mut Vec<String>) -> io::Result<LogFiles> {
    let modified = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let live = match (modified(plain), modified(json)) {
        (None, Some(_)) => json,
        (Some(plain_at), Some(json_at)) if plain_at + TWIN_LAG < json_at => {
            notes.push(format!(
                "{} is older than {}, which is read instead",
                plain.display(),
                json.display()
            ));
            json
        }
        _ => plain,
    };
    Ok(LogFiles { live: live.clone(), rolled: rolled(live)?, notes: Vec::new() })
}

/// Names of clusters that have a log in the folder.
fn other_names(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let entries = match folder.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let stem = name.strip_suffix("_server.json").or_else(|| name.strip_suffix(".log"));
        let is_neighbour = NEIGHBOURS.iter().any(|part| name.contains(part));
        let is_rolled = |stem: &str| {
            let digits = stem.bytes().rev().take_while(u8::is_ascii_digit).count();
            digits > 0
                && stem.len() > digits
                && stem.bytes().filter(u8::is_ascii_digit).count() >= 8
        };
        if let Some(stem) = stem
            && !is_neighbour
            && !is_rolled(stem)
        {
            names.insert(stem.to_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
