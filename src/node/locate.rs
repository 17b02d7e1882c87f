//! Findings of the log matched with folders on disk.
//!
//! A log says what its writer liked: names from it are compared with what lies on disk and never
//! become part of a path. A finding that fits no folder, or more than one, is given back with the
//! reason.

use std::path::{Component, Path};

use super::inventory::{Inventory, ShardFolder, number};
use crate::log::Finding;

/// A finding and the shard it speaks of.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    /// What the log says.
    pub finding: Finding,
    /// Where the shard lies.
    pub folder: ShardFolder,
}

/// A finding that no one folder could be given to.
#[derive(Debug, Clone, PartialEq)]
pub struct Unlocated {
    /// What the log says.
    pub finding: Finding,
    /// Why, in one sentence's part.
    pub reason: String,
}

/// Finds the folder of each finding's shard.
///
/// By number and index name, of which the disk settles where it begins; by the index's UUID as well
/// where the log tells it. An index whose
/// name no state file tells is found by its UUID alone, from the log's brackets or from a path in
/// the finding's stack trace, and takes the log's name.
#[must_use]
pub fn locate(findings: Vec<Finding>, inventory: &Inventory) -> (Vec<Located>, Vec<Unlocated>) {
    let mut located = Vec::new();
    let mut unlocated = Vec::new();
    for finding in findings {
        match folder_of(&finding, inventory) {
            Ok(folder) => {
                let finding = Finding { shard: folder.shard.clone(), ..finding };
                located.push(Located { finding, folder });
            }
            Err(reason) => unlocated.push(Unlocated { finding, reason }),
        }
    }
    (located, unlocated)
}

fn folder_of(finding: &Finding, inventory: &Inventory) -> Result<ShardFolder, String> {
    let same_number =
        inventory.shards.iter().filter(|folder| folder.shard.number == finding.shard.number);
    let named = |name: &str| -> Vec<&ShardFolder> {
        let is_it = |folder: &&ShardFolder| is_named(folder) && folder.shard.index == name;
        same_number.clone().filter(is_it).collect()
    };
    let mut readings = readings(&finding.shard.index).map(|name| named(&name));
    let by_name = readings.find(|folders| !folders.is_empty()).unwrap_or_default();
    let candidates = if by_name.is_empty() {
        let uuids = told_uuids(finding);
        same_number
            .filter(|folder| !is_named(folder))
            .filter(|folder| folder.index_uuid.as_deref().is_some_and(|uuid| uuids.contains(&uuid)))
            .collect()
    } else {
        fitting_uuid(finding, by_name)?
    };
    match candidates.as_slice() {
        [] => Err("no such shard on this node's disks: it is deleted, or another node's, where \
                   this program has to run"
            .to_owned()),
        [only] => {
            let mut folder = (*only).clone();
            if !is_named(only) {
                folder.shard = finding.shard.clone();
            }
            Ok(folder)
        }
        several => {
            let paths: Vec<String> =
                several.iter().map(|folder| folder.path.display().to_string()).collect();
            Err(format!("more than one folder fits: {}", paths.join(", ")))
        }
    }
}

/// What an index may be called that a log seems to name so. Names may have brackets in them, and
/// what stands before one in the log has, too: what lies on disk tells which are whose.
fn readings(name: &str) -> impl Iterator<Item = String> + '_ {
    let shorter = name.match_indices('[').filter_map(|(at, _)| name.get(at.saturating_add(1)..));
    [name.to_owned(), format!("[{name}")].into_iter().chain(shorter.map(str::to_owned))
}

/// Whether a folder's index has a name, not only the UUID that its folder is called.
fn is_named(folder: &ShardFolder) -> bool {
    folder.index_state.is_some() || folder.index_uuid.as_ref() != Some(&folder.shard.index)
}

/// Those of `folders` that have the UUID in the log, where it has one. Folders whose UUID nothing
/// tells (up to 2.x, without a readable state) stay.
fn fitting_uuid<'a>(
    finding: &Finding,
    folders: Vec<&'a ShardFolder>,
) -> Result<Vec<&'a ShardFolder>, String> {
    let Some(told) = &finding.index_uuid else { return Ok(folders) };
    let fits = |folder: &&ShardFolder| folder.index_uuid.as_ref().is_none_or(|uuid| uuid == told);
    let fitting: Vec<&ShardFolder> = folders.into_iter().filter(fits).collect();
    if fitting.is_empty() {
        return Err(format!("an index of that name is there, but its UUID is not {told}"));
    }
    Ok(fitting)
}

/// The UUIDs a finding tells: in brackets, and in paths `.../indices/UUID/NUMBER/...`.
fn told_uuids(finding: &Finding) -> Vec<&str> {
    let in_paths = finding.paths.iter().filter_map(|path| index_folder_in(path, finding));
    finding.index_uuid.as_deref().into_iter().chain(in_paths).collect()
}

fn index_folder_in<'a>(path: &'a Path, finding: &Finding) -> Option<&'a str> {
    let mut parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    parts.find(|name| *name == "indices")?;
    let folder_name = parts.next()?;
    (number(parts.next()?)? == finding.shard.number).then_some(folder_name)
}

#[cfg(test)]
mod tests;
