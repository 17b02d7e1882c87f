//! The cases of the crash matrix: a damaged shard of each format family with every level's repair.

use crate::apply::quarantine::Arrangement;
use crate::apply::sim::case::{Case, changes_of};
use crate::diagnose::fixture::{STREAM_ID, Shard};
use crate::plan::{Change, Level};

fn flip_middle(bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
}

/// Shards of each family with a record that cannot be read: something is lost, by level.
fn shards_that_lose() -> Vec<(&'static str, Shard)> {
    let shards = vec![
        ("sequence numbers", Shard::sequenced(), "translog-2.tlog".to_owned()),
        ("generations, 2.x", Shard::generations(), "translog-2.tlog".to_owned()),
        ("generations, 5.x", Shard::generations_5(), "translog-2.tlog".to_owned()),
        ("stream", Shard::stream(), format!("translog-{STREAM_ID}")),
    ];
    let damaged = shards.into_iter().map(|(family, shard, file)| {
        shard.edit(&file, |bytes| flip_middle(bytes));
        (family, shard)
    });
    damaged.collect()
}

/// Shards of each family with a damage whose repair loses nothing.
fn shards_that_keep() -> Vec<(&'static str, Shard)> {
    let (sequenced, stream) = (Shard::sequenced(), Shard::stream());
    let (generations, generations_5) = (Shard::generations(), Shard::generations_5());
    // Laid out flat, one log is written over to be the other, and a new one takes its name.
    let (two_logs, short) = (Shard::sequenced(), Shard::sequenced());
    short.edit("translog.ckp", |bytes| bytes.truncate(1));
    two_logs.remove("translog-1.tlog");
    two_logs.edit("translog-2.tlog", |bytes| bytes[200] ^= 1);
    sequenced.edit("translog.ckp", |bytes| bytes[20] ^= 1);
    generations.edit("translog-2.tlog", |bytes| bytes[200] ^= 1);
    generations_5.edit("translog.ckp", |bytes| bytes[20] ^= 1);
    stream.edit(&format!("translog-{STREAM_ID}"), |bytes| bytes.extend([0; 20]));
    vec![
        ("sequence numbers", sequenced),
        ("sequence numbers, two logs", two_logs),
        ("sequence numbers, short checkpoint", short),
        ("generations, 2.x", generations),
        ("generations, 5.x", generations_5),
        ("stream", stream),
    ]
}

/// Cases that are repaired with a quarantine on another file system as well.
const ELSEWHERE: [&str; 5] = [
    "sequence numbers, level valid, Folders",
    "sequence numbers, level prefix, Flat",
    "generations, 2.x, level none, Folders",
    "stream, level valid, Folders",
    "two shards in a round, level none, Flat",
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |name: &str, shards: &[(&Shard, Vec<Change>)]| {
        for arrangement in [Arrangement::Folders, Arrangement::Flat] {
            cases.push(case(format!("{name}, {arrangement:?}"), shards, arrangement));
        }
        cases.extend(cases.last().and_then(Case::on_a_full_disk));
    };
    let losing = shards_that_lose();
    for (family, shard) in &losing {
        // Levels that come to the same repair are one case.
        let mut known: Vec<Vec<Change>> = Vec::new();
        for level in [Level::Valid, Level::Prefix, Level::None] {
            let changes = changes_of(shard, level);
            let changes = changes.unwrap_or_else(|| panic!("{family}, level {level}"));
            if !known.contains(&changes) {
                known.push(changes.clone());
                add(&format!("{family}, level {level}"), &[(shard, changes)]);
            }
        }
    }
    let keeping = shards_that_keep();
    let keep = |(family, shard): &(&str, Shard)| {
        changes_of(shard, Level::All).unwrap_or_else(|| panic!("{family}, level all"))
    };
    for one in &keeping {
        add(&format!("{}, level all", one.0), &[(&one.1, keep(one))]);
    }
    let two: Vec<(&Shard, Vec<Change>)> =
        keeping.iter().rev().take(2).map(|one| (&one.1, keep(one))).collect();
    add("two shards in a round, level all", &two);
    let lossy = losing.iter().take(2).map(|one| (&one.1, changes_of(&one.1, Level::None).unwrap()));
    add("two shards in a round, level none", &lossy.collect::<Vec<_>>());
    // Nothing in a folder that leaves whole is looked at: the families do not differ.
    let (_, whole) = &losing[0];
    add("moved away", &[(whole, vec![Change::MoveFolder { path: whole.path().to_path_buf() }])]);
    let is_elsewhere = |case: &&Case| ELSEWHERE.contains(&case.name.as_str());
    let elsewhere: Vec<Case> = cases.iter().filter(is_elsewhere).map(Case::elsewhere).collect();
    assert_eq!(elsewhere.len(), ELSEWHERE.len());
    cases.extend(elsewhere);
    cases
}

fn case(name: String, shards: &[(&Shard, Vec<Change>)], arrangement: Arrangement) -> Case {
    let shards = shards.iter();
    let shards =
        shards.map(|(shard, changes)| (shard.path().to_path_buf(), changes.clone())).collect();
    let case = Case::new(name, shards, arrangement);
    assert!(case.repairs(), "{}: it repairs nothing", case.name);
    assert!(case.call_count > 10, "{}: {} calls", case.name, case.call_count);
    case
}
