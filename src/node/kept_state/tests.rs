//! What a node keeps beside the state files of its indices: newer, older, unreadable.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::super::inventory::tests::Disk;
use super::super::places::node_places;
use super::super::target::shard_at;
use super::KeptStates;
use crate::format::encode_smile_state;
use crate::format::kept_writer::{index_document, state_files, whole};

const UUID: &str = "RQ9UjpSCRaW8Wkh2AsmvFw";
const SHARD: &str = "indices/RQ9UjpSCRaW8Wkh2AsmvFw/0";

/// A data path of 8.x whose node keeps the index in version `kept`, and whose index has its own
/// state in version `own`; each has one in-sync id, named after where it is said.
fn disk(kept: i64, own: Option<i64>) -> Disk {
    let disk = Disk::new();
    disk.shard(&format!("d/{SHARD}"), "translog-1.tlog");
    let document = |version, id: &str| index_document("logs", UUID, version, &json!({"0": [id]}));
    if let Some(version) = own {
        let bytes = encode_smile_state(&document(version, "own")).unwrap();
        let folder = disk.path(&format!("d/indices/{UUID}/_state"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("state-9.st"), bytes).unwrap();
    }
    keep(&disk, "d", kept, "kept");
    disk
}

fn keep(disk: &Disk, data_path: &str, version: i64, id: &str) {
    let document = index_document("logs", UUID, version, &json!({"0": [id]}));
    let folder = disk.path(&format!("{data_path}/_state"));
    fs::create_dir_all(&folder).unwrap();
    for (name, bytes) in state_files(&[whole(&document)], &[]) {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

/// Name and in-sync ids of the only shard, and what is noted.
fn found(disk: &Disk, data_paths: &[&str]) -> (String, Vec<String>, Vec<String>) {
    let inventory = disk.inventory(data_paths);
    let [shard] = inventory.shards.as_slice() else { panic!("{:?}", inventory.shards) };
    let in_sync = shard.index_state.as_ref().map(|state| state.in_sync_allocations[&0].clone());
    (shard.shard.to_string(), in_sync.unwrap_or_default(), inventory.notes)
}

#[test]
fn the_higher_metadata_version_counts() {
    for (kept, own, wanted) in
        [(5, None, "kept"), (5, Some(4), "kept"), (5, Some(5), "own"), (5, Some(6), "own")]
    {
        let disk = disk(kept, own);
        let (name, in_sync, notes) = found(&disk, &["d"]);
        assert_eq!((name.as_str(), in_sync.as_slice()), ("[logs][0]", &[wanted.to_owned()][..]));
        assert_eq!(notes, [""; 0], "{kept} {own:?}");
        // The same by the shard's path, and for a check of the whole node.
        let path = disk.path(&format!("d/{SHARD}"));
        let places = node_places(&[disk.path("d")], "c").unwrap().places;
        for folder in [shard_at(&path).unwrap(), places[0].read(&KeptStates::default()).unwrap()] {
            assert_eq!(folder.shard.index, "logs");
            assert_eq!(folder.index_state.unwrap().in_sync_allocations[&0], [wanted]);
        }
    }
}

#[test]
fn a_data_path_that_stayed_behind_does_not_count() {
    let disk = disk(5, None);
    keep(&disk, "e", 7, "newest");
    fs::create_dir_all(disk.path("e/indices")).unwrap();
    assert_eq!(found(&disk, &["d", "e"]).1, ["newest"]);
    assert_eq!(found(&disk, &["e", "d"]).1, ["newest"]);
}

#[test]
fn what_cannot_be_read_is_noted_and_the_state_files_count() {
    for name in ["segments_2", "_0.si", "_0.fdt", "_0.fdm"] {
        let disk = disk(5, Some(4));
        let path = disk.path(&format!("d/_state/{name}"));
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        bad[20] ^= 4;
        let spoilers: [&dyn Fn(); 3] = [
            &|| fs::write(&path, &bad).unwrap(),
            &|| fs::write(&path, &good[..good.len() - 1]).unwrap(),
            &|| fs::remove_file(&path).unwrap(),
        ];
        for (kind, spoil) in spoilers.iter().enumerate() {
            spoil();
            // Without a commit there is no index to read.
            let is_none = name == "segments_2" && kind == 2;
            let (shard, in_sync, notes) = found(&disk, &["d"]);
            assert_eq!(
                (shard.as_str(), in_sync.as_slice()),
                ("[logs][0]", &["own".to_owned()][..])
            );
            assert_eq!(notes.len(), usize::from(!is_none), "{name} {kind}: {notes:?}");
            assert!(notes.iter().all(|note| note.contains(name)), "{notes:?}");
            let kept = KeptStates::default();
            kept.of(&disk.path("d"));
            assert_eq!(kept.into_notes(), notes);
        }
    }
}

fn voting(term: i64, ids: &[&str]) -> Value {
    json!({"meta-data": {"version": 1, "cluster_coordination":
        {"term": term, "last_committed_config": ids, "last_accepted_config": ids}}})
}

/// Writes a state file of 7.0 to 7.5 into a node's `_state`.
fn put(disk: &Disk, path: &str, document: &Value) {
    let path = disk.path(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, encode_smile_state(document).unwrap()).unwrap();
}

fn voters(disk: &Disk, data_paths: &[&str]) -> (Vec<String>, Vec<String>) {
    let inventory = disk.inventory(data_paths);
    let ids = inventory.beyond.voters.map(|voters| voters.ids).unwrap_or_default();
    (ids.into_iter().collect(), inventory.notes)
}

#[test]
fn from_7_0_to_7_5_the_file_that_the_manifest_names_tells_who_votes() {
    let disk = Disk::new();
    disk.shard(&format!("d/nodes/0/{SHARD}"), "translog-1.tlog");
    let state = "d/nodes/0/_state";
    put(&disk, &format!("{state}/node-0.st"), &json!({"node_id": "me"}));
    // No manifest: before 7.0, or never taken over.
    put(&disk, &format!("{state}/global-4.st"), &voting(1, &["old"]));
    assert_eq!(voters(&disk, &["d"]).0, [""; 0]);
    put(&disk, &format!("{state}/manifest-1.st"), &json!({"generation": -1}));
    assert_eq!(voters(&disk, &["d"]), (Vec::new(), Vec::new()));
    put(&disk, &format!("{state}/manifest-2.st"), &json!({"generation": 4}));
    // Written, and its manifest not yet.
    put(&disk, &format!("{state}/global-5.st"), &voting(2, &["early"]));
    assert_eq!(voters(&disk, &["d"]), (vec!["old".to_owned()], Vec::new()));
    assert_eq!(disk.inventory(&["d"]).beyond.own_ids, BTreeSet::from(["me".to_owned()]));
    for (name, wanted) in [("global-4.st", "global-4.st"), ("manifest-2.st", "manifest-2.st")] {
        let path = disk.path(&format!("{state}/{name}"));
        let good = fs::read(&path).unwrap();
        fs::write(&path, &good[1..]).unwrap();
        let (ids, notes) = voters(&disk, &["d"]);
        assert_eq!((ids.len(), notes.len()), (0, 1), "{notes:?}");
        assert!(notes[0].contains(wanted), "{notes:?}");
        fs::write(&path, &good).unwrap();
    }
    fs::remove_file(disk.path(&format!("{state}/global-4.st"))).unwrap();
    assert!(voters(&disk, &["d"]).1[0].contains("global-4.st cannot be read"));
}

#[test]
fn of_two_data_paths_the_newer_tells_who_votes_and_which_indices_there_are() {
    let disk = Disk::new();
    let kept = |path: &str, term, voter, indices: &[(&str, &str)]| {
        let documents = indices.iter().map(|(name, uuid)| {
            whole(&index_document(name, uuid, 1, &json!({"0": ["x"], "1": ["y"], "2": []})))
        });
        let documents: Vec<_> = documents.chain([whole(&voting(term, &[voter]))]).collect();
        let folder = disk.path(&format!("{path}/_state"));
        fs::create_dir_all(&folder).unwrap();
        for (name, bytes) in state_files(&documents, &[]) {
            fs::write(folder.join(name), bytes).unwrap();
        }
    };
    disk.shard(&format!("d/{SHARD}"), "translog-1.tlog");
    fs::create_dir_all(disk.path("e/indices")).unwrap();
    kept("d", 3, "new", &[("logs", UUID), ("other", "0123456789012345678901")]);
    kept("e", 2, "old", &[("logs", UUID), ("deleted", "1123456789012345678901")]);
    for data_paths in [["d", "e"], ["e", "d"]] {
        let beyond = disk.inventory(&data_paths).beyond;
        assert_eq!(beyond.voters.unwrap().ids, BTreeSet::from(["new".to_owned()]));
        let elsewhere: Vec<String> =
            beyond.shards_elsewhere.iter().map(ToString::to_string).collect();
        assert_eq!(elsewhere, ["[logs][1]", "[other][0]", "[other][1]"]);
    }
}

#[test]
fn a_segment_name_leads_to_no_other_folder() {
    let disk = disk(5, None);
    disk.file("d/other/_0.si", "");
    let found = super::file(&disk.path("d/_state"), "../other/_0.si", 10);
    assert!(found.unwrap_err().to_string().contains("cannot be read"));
    assert!(super::file(&disk.path("d/_state"), "..", 10).is_err());
}
