//! Find: from the log or the named targets to the folders of the shards to look at.

use std::path::PathBuf;

use super::event::Event;
use super::settings::{JobSettings, Target, Targets};
use super::survey::{Candidate, SurveyError};
use crate::log::{BootTrouble, Finding, NodeEvent, ReadLog, Scan, ShardName};
use crate::node::{Inventory, Located, NodeError, Unlocated, inventory, locate, shard_at};
use crate::plan::{Refusal, Rule};

/// What the log and the folders nominate.
#[derive(Debug)]
pub(super) struct Nominated {
    /// Every shard of the node.
    pub inventory: Inventory,
    /// Those to look at.
    pub candidates: Vec<Candidate>,
    /// Whether a later start came up without any of these failures.
    pub(crate) is_past: bool,
    /// What it tells of the last start.
    pub last_start: LastStart,
    /// Names in the log that no folder could be found for.
    pub refusals: Vec<Refusal>,
}

/// What the log tells of the last start that matters.
#[derive(Debug, Clone, Default)]
pub(super) struct LastStart {
    /// The server's version.
    pub version: Option<String>,
    /// Why the node did not come up.
    pub troubles: Vec<BootTrouble>,
}

impl LastStart {
    fn of(scan: &Scan) -> Self {
        let mut troubles: Vec<BootTrouble> = Vec::new();
        for event in scan.node_events.iter().filter(|_| !scan.is_past) {
            let NodeEvent::BootFailed { troubles: told, .. } = event else { continue };
            for trouble in told {
                if !troubles.iter().any(|known| known.cause == trouble.cause) {
                    troubles.push(trouble.clone());
                }
            }
        }
        Self { version: scan.version.clone(), troubles }
    }
}

/// Finds the shards to look at.
///
/// # Errors
/// When the node's folders or the log cannot be read, or a named target is not there.
pub(super) fn nominate(
    settings: &JobSettings,
    say: &mut dyn FnMut(Event),
) -> Result<Nominated, SurveyError> {
    let inventory = inventory(&settings.data_paths, &settings.cluster_name)?;
    for note in &inventory.notes {
        say(Event::Note { text: note.clone() });
    }
    let mut refusals = Vec::new();
    let mut is_past = false;
    let mut last_start = LastStart::default();
    let candidates = match &settings.targets {
        Targets::All => inventory.shards.iter().map(|folder| Candidate::of(folder, None)).collect(),
        Targets::Named(targets) => named(targets, &inventory, &mut refusals)?,
        Targets::Heard(findings) => {
            candidates_of(locate(findings.clone(), &inventory), &mut refusals)
        }
        Targets::FromLog => {
            let scan = read_log(settings, say)?;
            is_past = scan.is_past;
            last_start = LastStart::of(&scan);
            from_findings(scan.findings, &inventory, &mut refusals, say)
        }
    };
    Ok(Nominated { inventory, candidates, is_past, last_start, refusals })
}

fn read_log(settings: &JobSettings, say: &mut dyn FnMut(Event)) -> Result<Scan, SurveyError> {
    let fail = |source| {
        let path = PathBuf::from(settings.logs.to_string());
        SurveyError::LogFolder { path, source }
    };
    let log = settings.logs.find(&settings.cluster_name).map_err(fail)?;
    for text in log.notes() {
        say(Event::Note { text: text.clone() });
    }
    if log.is_empty() {
        let text = format!(
            "no log of cluster {} is in {}; name the folder with --logs, the unit with --logs \
             journal:UNIT where the journal holds the log, or a shard",
            settings.cluster_name, settings.logs
        );
        say(Event::Note { text });
    }
    let ReadLog { scan, files } = log.read(settings.since.as_ref())?;
    say(Event::LogRead { files, bytes: scan.bytes, record_count: scan.record_count });
    for text in &scan.notes {
        say(Event::Note { text: text.clone() });
    }
    for (cause, count, line) in scan.node_wide.clone() {
        say(Event::NodeWide { cause, count, line });
    }
    Ok(scan)
}

/// Tells findings, by the names that their shards have on disk, and where these are.
pub(super) fn from_findings(
    findings: Vec<Finding>,
    inventory: &Inventory,
    refusals: &mut Vec<Refusal>,
    say: &mut dyn FnMut(Event),
) -> Vec<Candidate> {
    let found = locate(findings, inventory);
    let mut told: Vec<Finding> = Vec::new();
    let located = found.0.iter().map(|one| &one.finding);
    for finding in located.chain(found.1.iter().map(|one| &one.finding)) {
        let is_same =
            |one: &&mut Finding| (&one.shard, one.cause) == (&finding.shard, finding.cause);
        match told.iter_mut().find(is_same) {
            Some(known) => known.join(finding.clone()),
            None => told.push(finding.clone()),
        }
    }
    for finding in told {
        say(Event::found(finding));
    }
    candidates_of(found, refusals)
}

/// Findings -> candidates, each shard once; the log nominates only.
fn candidates_of(
    (located, unlocated): (Vec<Located>, Vec<Unlocated>),
    refusals: &mut Vec<Refusal>,
) -> Vec<Candidate> {
    for unlocated in unlocated {
        let message = format!("{} is left alone: {}", unlocated.finding.shard, unlocated.reason);
        if !refusals.iter().any(|refusal| refusal.message == message) {
            refusals.push(Refusal::new(Rule::Layout, message));
        }
    }
    let mut candidates: Vec<Candidate> = Vec::new();
    for located in located {
        if !candidates.iter().any(|candidate| candidate.folder.path == located.folder.path) {
            candidates.push(Candidate::of(&located.folder, Some(located.finding)));
        }
    }
    candidates
}

fn named(
    targets: &[Target],
    inventory: &Inventory,
    refusals: &mut Vec<Refusal>,
) -> Result<Vec<Candidate>, SurveyError> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for target in targets {
        let mut found = match target {
            Target::Folder(path) => match shard_at(path) {
                Err(error @ NodeError::Link { .. }) => {
                    refusals.push(Refusal::new(Rule::Layout, error.to_string()));
                    continue;
                }
                found => vec![Candidate::of(&found?, None)],
            },
            Target::Index(name) => of_inventory(inventory, |shard| shard.index == *name),
            Target::Shard(name, number) => {
                of_inventory(inventory, |shard| shard.index == *name && shard.number == *number)
            }
        };
        if found.is_empty() && !inventory.links.is_empty() {
            refusals.push(only_links(target, &inventory.links));
            continue;
        }
        if found.is_empty() {
            return Err(SurveyError::NoSuchTarget(target.to_string()));
        }
        found.retain(|new| candidates.iter().all(|old| old.folder.path != new.folder.path));
        candidates.append(&mut found);
    }
    Ok(candidates)
}

fn only_links(target: &Target, links: &[PathBuf]) -> Refusal {
    let links: Vec<String> = links.iter().map(|link| link.display().to_string()).collect();
    let message = format!(
        "{target} is left alone: no folder of it is on this node, and these are symbolic links, \
         which are not followed: {}",
        links.join(", ")
    );
    Refusal::new(Rule::Layout, message)
}

fn of_inventory(inventory: &Inventory, wanted: impl Fn(&ShardName) -> bool) -> Vec<Candidate> {
    let shards = inventory.shards.iter().filter(|folder| wanted(&folder.shard));
    shards.map(|folder| Candidate::of(folder, None)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_folder_that_is_a_link_is_refused() {
        let top = tempfile::tempdir().unwrap();
        let real = top.path().join("elsewhere/translog");
        std::fs::create_dir_all(&real).unwrap();
        let index = top.path().join("nodes/0/indices/orders");
        std::fs::create_dir_all(&index).unwrap();
        let link = index.join("0");
        std::os::unix::fs::symlink(top.path().join("elsewhere"), &link).unwrap();
        let on_disk = inventory(&[top.path().to_path_buf()], "elasticsearch").unwrap();
        for target in [Target::Folder(link), Target::Shard("orders".to_owned(), 0)] {
            let mut refusals = Vec::new();
            let found = named(std::slice::from_ref(&target), &on_disk, &mut refusals).unwrap();
            assert!(found.is_empty());
            let rules: Vec<Rule> = refusals.iter().map(|refusal| refusal.rule).collect();
            assert_eq!(rules, [Rule::Layout], "{target}");
        }
    }
}
