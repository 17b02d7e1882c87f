//! Shards, their damage, the repair, the stops and what a crash keeps, all told by a few bytes; the
//! check is that of the crash matrix.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use super::case::{Case, changes_of};
use super::crash::{CRASHES, Crash};
use super::disk::SimDisk;
use super::endings::Action;
use super::store::{SimStore, Torn};
use crate::apply::quarantine::Arrangement;
use crate::diagnose::fixture::Shard;
use crate::plan::{Change, Level};

/// Most stops before the run is finished or taken back.
const STOPS_MAX: u8 = 3;

/// The bytes of a script one by one; zeros behind its end.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn number(&mut self) -> usize {
        usize::from(self.byte()) << 8 | usize::from(self.byte())
    }
}

/// Repairs as the script says, stops as it says, and checks both ways on: one of two endings, byte
/// for byte, and no file lost. `false` when there is nothing to repair.
///
/// # Panics
/// When it ends in another way.
#[must_use]
pub fn check_stops(script: &[u8]) -> bool {
    let mut script = Script(script);
    let Some(case) = case_of(&mut script) else { return false };
    let (mut disk, mut told) = (case.disk.clone(), Vec::new());
    for round in 0..=script.byte() % STOPS_MAX {
        let wants_undo = script.byte() % 2 == 1;
        let is_undo = round > 0 && (wants_undo || Case::is_undoing(&disk));
        let (what, action): (_, Action) =
            if is_undo { ("undo", Case::undo) } else { ("repair", Case::go_on) };
        told.push(format!("{what} {}", stop(&case, &mut disk, action, &mut script)));
    }
    let was_done = Case::is_done(&disk);
    case.check(&disk, &told.join(", then "), &mut HashSet::new());
    if Case::is_undoing(&disk) && was_done {
        let mut undone = case.finish(&disk, Case::undo, &told.join(", then "));
        told.push(format!("redo {}", stop(&case, &mut undone, Case::redo, &mut script)));
        let redone = case.finish(&undone, Case::redo, &told.join(", then "));
        case.assert_repaired(&redone, &told.join(", then "));
    }
    true
}

/// Does it up to some call, or to its end, and lets the machine crash then; tells how.
fn stop(case: &Case, disk: &mut SimDisk, action: Action, script: &mut Script<'_>) -> String {
    let at_call = 1 + script.number() % (case.call_count + 1);
    let torn = match script.byte() {
        0 => Torn::Not,
        share if share % 2 == 1 => Torn::Front(share),
        share => Torn::Back(share),
    };
    let crash = match usize::from(script.byte()) {
        number if number < 128 => CRASHES[number % CRASHES.len()],
        number => Crash::Some(number as u64),
    };
    let mut store = SimStore::stopping(disk, at_call, torn);
    let done = action(case, &mut store);
    assert!(done.is_ok() || store.is_stopped(), "{}: {done:?}", case.name);
    store.disk.crash(crash);
    *disk = store.disk;
    format!("stopped at {at_call} ({:?}, {torn:?}) with {crash:?}", store.calls.last())
}

/// One or two shards with some damage and a repair for it; `None` when there is nothing to repair.
fn case_of(script: &mut Script<'_>) -> Option<Case> {
    let layout = script.byte();
    let arrangement = if layout & 1 == 0 { Arrangement::Folders } else { Arrangement::Flat };
    let level = Level::ALL.get(usize::from(script.byte()) % (Level::ALL.len() + 1));
    let mut shards = Vec::new();
    let mut name = vec![format!("{arrangement:?}, level {level:?}")];
    for _ in 0..=(layout >> 1) & 1 {
        let family = script.byte();
        let shard = match family % 4 {
            0 => Shard::sequenced(),
            1 => Shard::generations(),
            2 => Shard::generations_5(),
            _ => Shard::stream(),
        };
        for _ in 0..=script.byte() % 3 {
            damage(&shard, script);
        }
        let whole = || Some(vec![Change::MoveFolder { path: shard.path().to_path_buf() }]);
        let changes = level.map_or_else(whole, |level| changes_of(&shard, *level));
        name.push(format!("family {}: {changes:?}", family % 4));
        shards.push((shard, changes.unwrap_or_default()));
    }
    let changed = shards.iter().filter(|(_, changes)| !changes.is_empty());
    let changed: Vec<(PathBuf, Vec<Change>)> =
        changed.map(|(shard, changes)| (shard.path().to_path_buf(), changes.clone())).collect();
    let case = (!changed.is_empty()).then(|| Case::new(name.join(", "), changed, arrangement))?;
    let full = if layout & 4 == 0 { None } else { case.on_a_full_disk() };
    Some(full.unwrap_or(case))
}

/// Changes one file of the shard at a chosen place.
fn damage(shard: &Shard, script: &mut Script<'_>) {
    let mut files: Vec<PathBuf> = ["translog", "index"]
        .iter()
        .flat_map(|folder| shard.path().join(folder).read_dir().unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.reverse();
    let (which, how, place) = (script.byte(), script.byte(), script.number());
    let Some(path) = files.get(usize::from(which) % files.len().max(1)) else { return };
    let mut bytes = fs::read(path).unwrap();
    let offset = bytes.len() * place / (usize::from(u16::MAX) + 1);
    match how % 5 {
        0 => bytes.iter_mut().skip(offset).take(1).for_each(|byte| *byte ^= how | 1),
        1 => bytes.truncate(offset),
        2 => bytes.iter_mut().skip(offset).for_each(|byte| *byte = 0),
        3 => bytes.extend_from_slice(&[how; 9]),
        _ => return fs::remove_file(path).unwrap(),
    }
    fs::write(path, bytes).unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One stop of the repair, with a torn write, and one of its undo.
    const STOPS: [u8; 11] = [1, 0, 0, 20, 128, 1, 1, 0, 9, 0, 2];

    #[test]
    fn shards_of_each_layout_level_and_family() {
        for (layout, level) in (0..8_u8).flat_map(|layout| (0..5).map(move |level| (layout, level)))
        {
            for family in 0..4 {
                // One flipped bit of the newest log, or of the only one; in one shard or in two.
                let shard = [family, 0, u8::from(family < 3), 0, 128, 0];
                let count = 1 + usize::from(layout >> 1 & 1);
                let script = [&[layout, level][..], &shard.repeat(count), &STOPS].concat();
                assert!(check_stops(&script), "{script:?}");
            }
        }
    }

    #[test]
    fn stops_at_every_third_call_and_in_redo() {
        let shard = [0, 0, 1, 0, 128, 0];
        for at_call in (0..120).step_by(3) {
            // Of the repair three times; of the whole repair, its undo and the redo of that.
            let repair = [2, 0, 0, at_call, 77, 2, 0, 0, at_call / 2, 0, 3, 0, 0, 9, 0, 200];
            let taken_back = [1, 0, 1, 0, 0, 0, 1, 0, at_call, 77, 3, 0, at_call, 0, 1];
            for stops in [&repair[..], &taken_back] {
                let script = [&[0, 1][..], &shard, stops].concat();
                assert!(check_stops(&script), "{script:?}");
            }
        }
    }

    #[test]
    fn what_the_fuzzer_found() {
        // A log that is written in place to be another one, and a new one that takes its name.
        assert!(check_stops(b"\x01\0\0\x01 Of-\xf2-\x0e\0\0\0\x090-n1"));
        // Everything is written in place, and one name shown twice puts the other into the folder
        // above.
        assert!(check_stops(b"\x11\x01\x80\0\x24\x01\x01\x01\xff\xff\xff\xff\0\x09\0\x02"));
        // The end of a checkpoint that grows in place was written and its middle not, then undone.
        assert!(check_stops(b"\x01\x01\0.\x01\x0b\x01\x01\0.\x0b\x01d028\x06"));
    }

    #[test]
    fn a_shard_that_no_plan_repairs_has_nothing_to_stop() {
        assert!(!check_stops(&[0, 0, 0, 0, 1, 5, 128, 0]));
    }
}
