//! One shard in several data paths: stripes of one copy up to 1.7, one copy and debris from 2.0 on.
//!
//! Up to 1.7 each data path has the shard's `index`, `translog` and `_state`, and files lie in
//! whichever had room: a new translog goes where least room is left (`FsTranslog.newTranslog`,
//! 1.7.6). From 2.0 on the path with `_state/state-N.st` has the shard, and with two of these a
//! server does not start it, "more than one shard state found" (`ShardPath.java`, 2.4.6, 7.10.2).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::folders::Notes;
use super::inventory::{Layout, ShardFolder};
use super::shards::state_names;
use crate::format::newest_state_file;

/// Joins stripes into one shard, leaves debris out, and sorts by index and number.
pub(super) fn settle_copies(shards: Vec<ShardFolder>, notes: &mut Notes) -> Vec<ShardFolder> {
    // The same place below each data path is the same copy of the shard.
    let mut places: BTreeMap<_, Vec<ShardFolder>> = BTreeMap::new();
    for shard in shards {
        let place = shard.path.strip_prefix(&shard.data_path).unwrap_or(&shard.path).to_owned();
        places.entry(place).or_default().push(shard);
    }
    let mut settled = Vec::new();
    for mut copies in places.into_values() {
        share_index_state(&mut copies);
        if copies.len() < 2 {
            settled.extend(copies);
        } else if striped(&copies) {
            settled.extend(join(copies));
        } else {
            settled.extend(without_debris(copies, notes));
        }
    }
    settled.sort_by(|a, b| (&a.shard, &a.path).cmp(&(&b.shard, &b.path)));
    settled
}

/// Each data path has the index's state; one that is readable serves all.
fn share_index_state(copies: &mut [ShardFolder]) {
    let known = copies.iter().find(|copy| copy.index_state.is_some());
    let Some((shard, index_state)) = known.map(|c| (c.shard.clone(), c.index_state.clone())) else {
        return;
    };
    for copy in copies.iter_mut().filter(|copy| copy.index_state.is_none()) {
        copy.shard = shard.clone();
        copy.index_state.clone_from(&index_state);
    }
}

/// Whether these are the stripes of a copy written by 1.7 or older: from 2.0 on a shard has
/// checkpoints, and translogs named `.tlog`.
fn striped(copies: &[ShardFolder]) -> bool {
    copies.iter().all(|copy| copy.layout == Layout::ClusterNamed)
        && !copies.iter().any(|copy| has_checkpoints(&copy.path.join("translog")))
}

fn has_checkpoints(translog: &Path) -> bool {
    let Ok(entries) = fs::read_dir(translog) else { return false };
    entries.filter_map(Result::ok).any(|entry| {
        let name = entry.file_name();
        let suffix = Path::new(&name).extension();
        suffix.is_some_and(|suffix| suffix == "ckp" || suffix == "tlog")
    })
}

/// The first data path's folder with the others as its stripes.
fn join(copies: Vec<ShardFolder>) -> Option<ShardFolder> {
    let mut copies = copies.into_iter();
    let mut first = copies.next()?;
    for stripe in copies {
        first.shard_state = first.shard_state.or(stripe.shard_state);
        first.index_uuid = first.index_uuid.or(stripe.index_uuid);
        first.stripes.push(stripe.path);
    }
    Some(first)
}

fn without_debris(copies: Vec<ShardFolder>, notes: &mut Notes) -> Vec<ShardFolder> {
    let (owners, debris): (Vec<_>, Vec<_>) = copies.into_iter().partition(has_shard_state);
    match owners.len() {
        0 => return debris,
        1 => {}
        _ => {
            for copy in &owners {
                let path = copy.path.display();
                notes.add(format!("{path} is one of several data paths with this shard"));
            }
        }
    }
    for copy in debris {
        let path = copy.path.display();
        notes.add(format!("{path} has no state, and another data path has it: left out"));
    }
    owners
}

/// Whether a shard's folder has a state file, readable or not.
fn has_shard_state(copy: &ShardFolder) -> bool {
    state_names(&copy.path.join("_state"))
        .is_ok_and(|names| newest_state_file(names.iter().map(String::as_str), "state-").is_some())
}
