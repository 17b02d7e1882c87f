//! Which files are emptied, and when it is refused.

use std::path::PathBuf;

use super::*;
use crate::apply::sim::disk::SimDisk;
use crate::apply::sim::store::SimStore;
use crate::apply::store::Attributes;

const SHARD: &str = "/data/0";
const ANCHOR: &str = "/data";

/// A full file system with a shard of files of these lengths, and the steps that move them out.
fn leaving(lengths: &[usize]) -> (SimStore, Vec<Step>) {
    let mut disk = SimDisk::new();
    for folder in [ANCHOR, SHARD] {
        disk.make_folder(Path::new(folder), Attributes::own_folder()).unwrap();
    }
    let mut steps = Vec::new();
    for (number, len) in lengths.iter().enumerate() {
        let from = Path::new(SHARD).join(number.to_string());
        disk.make_file(&from, Attributes::own_file()).unwrap();
        disk.write(&from, 0, &vec![7; *len]).unwrap();
        let was = disk.fingerprint(&from).unwrap();
        steps.push(Step::Move { from, to: Path::new(ANCHOR).join(format!(".etf-{number}")), was });
    }
    disk.is_full = true;
    (SimStore::new(disk), steps)
}

fn make(
    store: &SimStore,
    (keep, steps): (&mut [Step], &mut [Step]),
    journal_lasts: bool,
) -> Result<Vec<Step>, LowerError> {
    let quarantine = Quarantine {
        shard_folder: PathBuf::from(SHARD),
        anchor: PathBuf::from(ANCHOR),
        folder: Path::new(ANCHOR).join(".etf-"),
        arrangement: Arrangement::Flat,
        own: None,
    };
    Naming::new(store, (&[], keep, steps), journal_lasts).make_room(&[&quarantine])
}

#[test]
fn the_largest_of_the_small_ones_give_their_room() {
    let (store, mut steps) = leaving(&[10, 4_097, 2 * 1024 * 1024, 0]);
    let made = make(&store, (&mut [], &mut steps), true).unwrap();
    // Two blocks are wanted, and one file that is not too large for the journal has them.
    let [Step::Rewrite { from, to, old, new, .. }] = made.as_slice() else {
        panic!("{made:?}");
    };
    assert_eq!((from, to), (&Path::new(SHARD).join("1"), from));
    assert_eq!((old.len(), new.len()), (4_097, 0));
    let lengths: Vec<u64> = steps
        .iter()
        .map(|step| match step {
            Step::Move { was, .. } => was.len_bytes,
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(lengths, [10, 0, 2 * 1024 * 1024, 0]);
}

#[test]
fn where_there_is_room_nothing_is_emptied() {
    let (mut store, mut steps) = leaving(&[10, 10]);
    store.disk.is_full = false;
    let before = steps.clone();
    assert_eq!(make(&store, (&mut [], &mut steps), true).unwrap(), []);
    assert_eq!(steps, before);
}

#[test]
fn too_few_files_or_a_journal_that_does_not_last_are_refused_with_the_number() {
    for (lengths, journal_lasts) in [(&[10][..], true), (&[10, 10], false)] {
        let (store, mut steps) = leaving(lengths);
        let refused = make(&store, (&mut [], &mut steps), journal_lasts).unwrap_err().to_string();
        let wanted = "8192 bytes are needed on the file system of /data, and 0 are free";
        assert!(refused.starts_with(wanted), "{refused}");
    }
}

/// A second name elsewhere would be emptied as well.
#[test]
fn a_file_with_a_second_name_keeps_its_content() {
    let (mut store, mut steps) = leaving(&[10, 10]);
    let name = Path::new(SHARD).join("0");
    store.disk.link(&name, Path::new("/data/other")).unwrap();
    assert!(matches!(make(&store, (&mut [], &mut steps), true), Err(LowerError::Space { .. })));
}

#[test]
fn what_stays_needs_no_name_where_the_journal_has_it() {
    let (store, moves) = leaving(&[10, 3]);
    let mut keep: Vec<Step> = moves
        .into_iter()
        .map(|step| match step {
            Step::Move { from, to, was } => Step::Keep { file: from, kept: to, was },
            other => other,
        })
        .collect();
    assert_eq!(make(&store, (&mut keep, &mut []), true).unwrap(), []);
    let held: Vec<usize> = keep
        .iter()
        .map(|step| match step {
            Step::Record { content, .. } => content.len(),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(held, [10, 3]);
}
