//! Findings against inventories made for the purpose.

use std::path::PathBuf;

use proptest::prelude::*;

use super::super::inventory::tests::Disk;
use super::*;
use crate::log::{Cause, ShardName};

const UUID: &str = "RQ9UjpSCRaW8Wkh2AsmvFw";
const NAMELESS_UUID: &str = "b_1-TfTnSc6l6H4Qy2o9QA";

fn finding(index: &str, number: u32, uuid: Option<&str>, path: Option<&str>) -> Finding {
    Finding {
        shard: ShardName { index: index.to_owned(), number },
        index_uuid: uuid.map(str::to_owned),
        cause: Cause::Translog,
        role: None,
        count: 1,
        first_at: None,
        last_at: None,
        line: String::new(),
        paths: path.map(PathBuf::from).into_iter().collect(),
        signature: "test",
    }
}

fn seven() -> (Disk, Inventory) {
    let disk = Disk::new();
    disk.index(&format!("d/nodes/0/indices/{UUID}"), "logs", UUID);
    disk.shard(&format!("d/nodes/0/indices/{UUID}/0"), "translog.ckp");
    disk.shard(&format!("d/nodes/0/indices/{NAMELESS_UUID}/0"), "translog.ckp");
    let inventory = disk.inventory(&["d"]);
    assert_eq!(inventory.shards.len(), 2);
    (disk, inventory)
}

/// Path of the folder found, or the reason why none was.
fn located(finding: Finding, inventory: &Inventory) -> Result<PathBuf, String> {
    let shard = finding.shard.clone();
    match locate(vec![finding], inventory) {
        (located, unlocated) if unlocated.is_empty() => {
            assert_eq!(located[0].folder.shard, shard);
            Ok(located[0].folder.path.clone())
        }
        (_, unlocated) => Err(unlocated[0].reason.clone()),
    }
}

#[test]
fn by_name_by_uuid_and_by_a_path_in_the_trace() {
    let (disk, inventory) = seven();
    let logs = disk.path(&format!("d/nodes/0/indices/{UUID}/0"));
    let nameless = disk.path(&format!("d/nodes/0/indices/{NAMELESS_UUID}/0"));
    let path = format!("/data/nodes/0/indices/{NAMELESS_UUID}/0/translog/translog-3.tlog");
    for (finding, expected) in [
        (finding("logs", 0, None, None), &logs),
        (finding("logs", 0, Some(UUID), None), &logs),
        (finding("logs", 0, None, Some(&path)), &logs),
        (finding("orders", 0, Some(NAMELESS_UUID), None), &nameless),
        (finding("orders", 0, None, Some(&path)), &nameless),
    ] {
        assert_eq!(located(finding.clone(), &inventory).as_ref(), Ok(expected), "{finding:?}");
    }
}

#[test]
fn what_is_not_here_is_given_back() {
    let (_disk, inventory) = seven();
    let path = format!("/data/nodes/0/indices/{UUID}/0/translog/translog-3.tlog");
    let other_number = path.replace("/0/translog", "/1/translog").replace(UUID, NAMELESS_UUID);
    for finding in [
        finding("logs", 1, None, None),
        finding("logs", 1, Some(UUID), None),
        finding("../logs", 0, None, None),
        finding("orders", 0, None, None),
        finding("orders", 0, Some(UUID), None),
        finding("orders", 0, None, Some(&path)),
        finding("orders", 0, None, Some(&other_number)),
        finding(NAMELESS_UUID, 0, None, None),
    ] {
        let reason = located(finding.clone(), &inventory).unwrap_err();
        let is_it = reason.starts_with("no such shard on this node's disks: ");
        assert!(is_it && reason.contains("another node's"), "{reason}: {finding:?}");
    }
    let reason = located(finding("logs", 0, Some(NAMELESS_UUID), None), &inventory).unwrap_err();
    assert!(reason.contains("its UUID is not"), "{reason}");
}

#[test]
fn two_folders_for_one_shard_are_named_and_none_is_taken() {
    let disk = Disk::new();
    for ordinal in ["0", "1"] {
        disk.shard(&format!("d/prod/nodes/{ordinal}/indices/logs/0"), "translog.ckp");
    }
    let inventory = disk.inventory(&["d"]);
    let reason = located(finding("logs", 0, None, None), &inventory).unwrap_err();
    assert!(reason.contains("nodes/0") && reason.contains("nodes/1"), "{reason}");
}

/// What a log seems to name begins at the first bracket that fits; the disk knows the name.
#[test]
fn where_a_name_begins_is_settled_by_what_lies_on_disk() {
    let disk = Disk::new();
    for name in ["logs", "[x", "a[b]c", "n1][both", "both"] {
        disk.shard(&format!("d/prod/nodes/0/indices/{name}/0"), "translog.ckp");
    }
    let inventory = disk.inventory(&["d"]);
    for (told, expected) in [
        ("logs", Some("logs")),
        ("n1][logs", Some("logs")),
        ("[logs", Some("logs")),
        ("x", Some("[x")),
        ("n1][a[b]c", Some("a[b]c")),
        ("n1][both", Some("n1][both")),
        ("b]c", None),
    ] {
        let (located, _) = locate(vec![finding(told, 0, None, None)], &inventory);
        let found: Vec<&str> = located.iter().map(|one| one.folder.shard.index.as_str()).collect();
        assert_eq!(found, Vec::from_iter(expected), "{told}");
        assert!(located.iter().all(|one| one.finding.shard == one.folder.shard), "{told}");
    }
}

proptest! {
    #[test]
    fn no_name_leads_out_of_the_inventory(name in "\\PC{0,40}", number in 0_u32..3) {
        let inventory = Inventory::default();
        prop_assert!(located(finding(&name, number, None, Some(&name)), &inventory).is_err());
    }
}
