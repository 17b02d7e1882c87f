//! The crash matrix: real plans for each format family, level of repair and layout of the
//! quarantine, stopped at every call that writes, with every kind of crash and torn write, then
//! resumed and undone; and the same for stops of these. There are two legal endings, byte for byte.
//!
//! Every stop is made. Where two leave the same disk the way on from it is gone once.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use super::matrix_cases::cases;
use crate::apply::StepKind;
use crate::apply::sim::case::{Case, ROUND_JOURNAL, UNDO_JOURNAL};
use crate::apply::sim::crash::{CRASHES, Crash};
use crate::apply::sim::disk::SimDisk;
use crate::apply::sim::endings::Action;
use crate::apply::sim::store::{SimStore, Torn};

/// What is made of a case so far.
struct Stops<'a> {
    case: &'a Case,
    /// The disks that were seen.
    keys: HashSet<u64>,
    count: usize,
}

impl<'a> Stops<'a> {
    fn of(case: &'a Case) -> Self {
        Self { case, keys: HashSet::new(), count: 0 }
    }

    /// The disks, not seen before, that a stop at any call of an action leaves, and one behind its
    /// end; with how it came to that.
    fn of_action(
        &mut self,
        (disk, told): (&SimDisk, &str),
        action: Action,
    ) -> Vec<(SimDisk, String)> {
        let mut store = SimStore::watching(disk);
        let done = action(self.case, &mut store);
        assert!(done.is_ok(), "{}: {told}: {done:?}", self.case.name);
        let mut left = Vec::new();
        for stopped in store.into_stops() {
            let crashes = if stopped.torn == Torn::Not { &CRASHES[..] } else { &TORN_CRASHES };
            for crash in crashes {
                let mut disk = stopped.disk.clone();
                disk.crash(*crash);
                self.count += 1;
                if self.keys.insert(disk.key()) {
                    let (call, torn) = (stopped.call, stopped.torn);
                    left.push((disk, format!("{told} stopped at {call:?}, {torn:?}, {crash:?};")));
                }
            }
        }
        left
    }
}

/// A torn write that is lost is none.
const TORN_CRASHES: [Crash; 1] = [Crash::All];

/// Fewest stops of the whole matrix: fewer means that it tests less than it says.
const STOPS_MIN: usize = 10_000;
/// Fewest cases in which files are emptied for the room that they have.
const FULL_MIN: usize = 7;

#[expect(clippy::print_stdout, reason = "the number of cases is a result of the test")]
fn tell((stop_count, disk_count): (usize, usize), what: &str) {
    println!("{stop_count} stops, {disk_count} disks: {what}");
}

/// Every disk that a stopped repair leaves, then every one that a stop in going on with it, or in
/// taking it back, leaves; each of them is gone on with and taken back to the end.
fn stop_twice(second: Action, what: &str) {
    let mut total = (0, 0);
    for case in cases() {
        let (mut stops, mut ends) = (Stops::of(&case), HashSet::new());
        for (disk, told) in stops.of_action((&case.disk, "repair"), Case::go_on) {
            if what == RESUMED {
                case.check(&disk, &told, &mut ends);
            }
            for (disk, told) in stops.of_action((&disk, &format!("{told} {what}")), second) {
                case.check(&disk, &told, &mut ends);
            }
        }
        let counts = (stops.count, stops.keys.len());
        tell(counts, &format!("{}, {what}", case.name));
        total = (total.0 + counts.0, total.1 + counts.1);
    }
    tell(total, &format!("repair, {what}"));
    assert!(total.0 >= STOPS_MIN, "{} stops", total.0);
}

const RESUMED: &str = "resumed";

#[test]
fn a_repair_and_its_resumption_stopped_at_every_call() {
    stop_twice(Case::go_on, RESUMED);
}

#[test]
fn a_repair_and_its_undo_stopped_at_every_call() {
    stop_twice(Case::undo, "undone");
}

#[test]
fn an_undo_taken_back_stopped_at_every_call() {
    let mut total = (0, 0);
    for case in cases() {
        let repaired = case.finish(&case.disk, Case::go_on, "repaired");
        let undone = case.finish(&repaired, Case::undo, "undone");
        let mut stops = Stops::of(&case);
        for (disk, told) in stops.of_action((&undone, "redo"), Case::redo) {
            for (disk, told) in stops.of_action((&disk, &told), Case::redo) {
                case.assert_repaired(&case.finish(&disk, Case::redo, &told), &told);
            }
            case.assert_repaired(&case.finish(&disk, Case::redo, &told), &told);
        }
        total = (total.0 + stops.count, total.1 + stops.keys.len());
    }
    tell(total, "redo");
    assert!(total.0 >= STOPS_MIN, "{} stops", total.0);
}

#[test]
fn every_kind_of_step_is_stopped() {
    let mut kinds = BTreeSet::new();
    for case in cases() {
        let repaired = case.finish(&case.disk, Case::go_on, "repaired");
        let undone = case.finish(&repaired, Case::undo, "undone");
        kinds.extend(Case::kinds(&undone, ROUND_JOURNAL));
        kinds.extend(Case::kinds(&undone, UNDO_JOURNAL));
    }
    assert_eq!(kinds, BTreeSet::from(StepKind::ALL));
    // And files are emptied before they move.
    let full_count = cases().iter().filter(|case| case.disk.is_full).count();
    assert!(full_count >= FULL_MIN, "{full_count} cases on a full disk");
}

/// A file that stays in the shard, and whose content the journal has, is removed by the server.
#[test]
fn what_the_journal_keeps_comes_back_when_the_server_removed_it() {
    let mut count = 0;
    for case in cases().iter().filter(|case| case.disk.is_full) {
        let mut disk = case.finish(&case.disk, Case::go_on, "repaired");
        for file in Case::recorded(&disk) {
            let was = disk.fingerprint(&file).unwrap();
            disk.rename(&file, Path::new("/state/removed")).unwrap();
            let undone = case.finish(&disk, Case::undo, "removed by the server, undone");
            let now = undone.fingerprint(&file).unwrap();
            assert_eq!((now.len_bytes, now.crc32), (was.len_bytes, was.crc32), "{}", case.name);
            assert_eq!((now.times, now.attributes), (was.times, was.attributes), "{}", case.name);
            disk.rename(Path::new("/state/removed"), &file).unwrap();
            count += 1;
        }
    }
    assert!(count >= 3, "{count} files");
}
