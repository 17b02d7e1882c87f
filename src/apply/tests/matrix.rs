//! The crash matrix: real plans for each format family, level of repair and layout of the
//! quarantine, stopped at every call that writes, with every kind of crash, then resumed and undone.
//! There are two legal endings, byte for byte.

use super::matrix_case::{Case, cases};
use super::sim_disk::{CRASHES, Crash, SimDisk};
use super::sim_store::SimStore;

/// Fewest cases of the whole matrix: fewer means that it tests less than it says.
const CASES_MIN: usize = 10_000;

#[expect(clippy::print_stdout, reason = "the number of cases is a result of the test")]
fn tell(count: usize, what: &str) {
    println!("{count} cases: {what}");
}

#[test]
fn stopped_at_every_call_with_every_crash() {
    let mut count = 0;
    for case in cases() {
        let stops = case.stops(&case.disk, Case::go_on, &mut |disk, told| case.check(disk, told));
        // Stopped in the repair, and again when that is gone on with.
        let mut again = 0;
        for at_call in (3..case.call_count).step_by(1 + case.call_count / 3) {
            let crash = CRASHES[at_call % CRASHES.len()];
            let mut store = SimStore::stopping(&case.disk, at_call, false);
            case.go_on(&mut store).unwrap_err();
            store.disk.crash(crash);
            let check = &mut |disk: &SimDisk, told: &str| {
                case.check(disk, &format!("stopped at {at_call} with {crash:?}, then {told}"));
            };
            again += case.stops(&store.disk, Case::go_on, check);
        }
        count += 2 * (stops + again);
        tell(2 * (stops + again), &case.name);
    }
    tell(count, "repair and resume");
    assert!(count >= CASES_MIN, "{count} cases");
}

#[test]
fn undo_stopped_at_every_call_with_every_crash() {
    let mut count = 0;
    for case in cases() {
        for at_call in [case.call_count / 2, case.call_count * 3 / 4, 0] {
            let mut store = SimStore::stopping(&case.disk, at_call, false);
            let _ = case.go_on(&mut store);
            store.disk.crash(Crash::All);
            count += case.stops(&store.disk, Case::undo, &mut |disk, told| {
                let mut store = SimStore::new(disk.clone());
                case.undo(&mut store)
                    .unwrap_or_else(|error| panic!("{}: {told}: {error}", case.name));
                case.assert_before(&store.disk, &format!("repair stopped at {at_call}, {told}"));
            });
        }
    }
    tell(count, "undo");
    assert!(count >= CASES_MIN / 10, "{count} cases");
}

#[test]
fn an_undo_taken_back_at_every_call_with_every_crash() {
    let mut count = 0;
    for case in cases() {
        let mut store = SimStore::new(case.disk.clone());
        case.go_on(&mut store).unwrap();
        case.undo(&mut store).unwrap();
        case.assert_before(&store.disk, "undone");
        count += case.stops(&store.disk, Case::redo, &mut |disk, told| {
            let mut store = SimStore::new(disk.clone());
            case.redo(&mut store).unwrap_or_else(|error| panic!("{}: {told}: {error}", case.name));
            case.assert_repaired(&store.disk, &format!("redo, {told}"));
        });
    }
    tell(count, "redo");
    assert!(count >= CASES_MIN / 20, "{count} cases");
}
