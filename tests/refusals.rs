//! What the program will not do: the exit code, the sentence, and that not a byte has changed. With
//! the real program; consent, budget and newer formats are in `commands`, space in `full_disk`, a
//! second run in `signals`, other copies also in `nodes`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed call fails the test")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use es_translog_fix::format::{HeaderVersion, TranslogHeader, encode_smile_state};
use serde_json::json;
use support::{Node, told};

/// The bit of the exit code.
const REFUSED: i32 = 64;
const DAMAGE_LEFT: i32 = 4;
/// Length of a translog's header.
const HEADER_BYTES: usize = 55;

fn node() -> Node {
    Node::new(&std::env::temp_dir(), 1)
}

/// The only index's folder.
fn index_of(node: &Node) -> PathBuf {
    let mut indices = node.path("data/nodes/0/indices").read_dir().unwrap();
    indices.next().unwrap().unwrap().path()
}

/// Asserts that a repair is refused in these words and leaves every file as it is.
fn assert_refused(node: &Node, flags: &[&str], words: &[&str]) {
    assert_left_alone(node, flags, words, REFUSED);
}

/// The same for damage that is left, of which the exit code has another bit.
fn assert_left_alone(node: &Node, flags: &[&str], words: &[&str], bit: i32) {
    let before = node.picture();
    let output = node.repair().args(flags).output().unwrap();
    let said = told(&output);
    assert_eq!(output.status.code(), Some(bit), "{said}");
    for words in words {
        assert!(said.contains(words), "not said: {words}\n{said}");
    }
    assert_eq!(node.picture(), before, "{said}");
}

fn write_state(folder: &Path, document: &serde_json::Value) {
    fs::create_dir_all(folder.join("_state")).unwrap();
    let bytes = encode_smile_state(document).unwrap();
    fs::write(folder.join("_state/state-2.st"), bytes).unwrap();
}

/// The state of the index, with more settings, and of its shard, which has the allocation id `here`.
fn write_states(node: &Node, state: &str, settings: &serde_json::Value, in_sync: &[&str]) {
    let index = index_of(node);
    let uuid = index.file_name().unwrap().to_str().unwrap();
    let mut all = json!({ "index.uuid": uuid, "index.number_of_replicas": "1" });
    all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let document = json!({ "logs": {
        "version": 4, "state": state, "settings": all, "in_sync_allocations": { "0": in_sync },
    }});
    write_state(&index, &document);
    let shard = json!({ "primary": true, "index_uuid": uuid, "allocation_id": { "id": "here" } });
    write_state(&index.join("0"), &shard);
}

#[test]
fn what_only_a_loss_repairs_at_all() {
    let words = ["without losing 1 operations, and --keep all loses none; say --keep valid"];
    assert_refused(&node(), &["--keep", "all"], &words);
}

#[test]
fn a_translog_of_another_shard() {
    let node = node();
    let path = index_of(&node).join("0/translog/translog-3.tlog");
    let mut bytes = fs::read(&path).unwrap();
    let header = TranslogHeader {
        version: HeaderVersion::V3,
        uuid: Some("ZYXWVUTSRQPONMLKJIHGFE".to_owned()),
        primary_term: Some(1),
    };
    bytes.splice(..HEADER_BYTES, header.encode());
    fs::write(&path, bytes).unwrap();
    let words = ["T03 translog-3.tlog", "ZYXWVUTSRQPONMLKJIHGFE found", "of this very shard back"];
    assert_left_alone(&node, &[], &words, DAMAGE_LEFT);
}

#[test]
fn generations_that_do_not_follow() {
    let node = node();
    let translog = index_of(&node).join("0/translog");
    let record = fs::read(translog.join("translog-1.tlog")).unwrap()[HEADER_BYTES..].to_vec();
    let header = fs::read(translog.join("translog-3.tlog")).unwrap()[..HEADER_BYTES].to_vec();
    fs::write(translog.join("translog-4.tlog"), [header, renumbered(&record)].concat()).unwrap();
    assert_refused(&node, &[], &["is left alone", "T16", "translog.ckp ends with generation 3"]);
}

/// The first record with another id.
fn renumbered(records: &[u8]) -> Vec<u8> {
    let size = usize::try_from(u32::from_be_bytes(records[..4].try_into().unwrap())).unwrap();
    let mut record = records[..4 + size].to_vec();
    let id = record.windows(4).position(|part| part == b"d000").unwrap();
    record[id] = b'z';
    let crc = crc32fast::hash(&record[4..size]).to_be_bytes();
    record[size..].copy_from_slice(&crc);
    record
}

#[test]
fn a_lucene_index_that_its_server_marked() {
    let node = node();
    fs::write(index_of(&node).join("0/index/corrupted_x"), b"").unwrap();
    let index = index_of(&node).file_name().unwrap().to_str().unwrap().to_owned();
    let export = format!("(1) es-translog-fix export {index}/0 -o FILE");
    let tool = format!("remove-corrupted-data --index {index} --shard-id 0");
    let words = ["I03 corrupted_x", &export, &tool, "accept_data_loss true"];
    assert_left_alone(&node, &[], &words, DAMAGE_LEFT);
}

#[test]
fn a_shard_without_a_commit() {
    let node = node();
    fs::remove_file(index_of(&node).join("0/index/segments_3")).unwrap();
    assert_left_alone(&node, &[], &["I01 index", "export the translog first"], DAMAGE_LEFT);
}

#[test]
fn a_shard_folder_that_is_a_link() {
    let node = node();
    let (shard, elsewhere) = (index_of(&node).join("0"), node.path("elsewhere"));
    fs::rename(&shard, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &shard).unwrap();
    let before = fs::read(elsewhere.join("translog/translog-2.tlog")).unwrap();
    let target = shard.display().to_string();
    let output = node.command(&["--accept-data-loss", &target]).output().unwrap();
    let said = told(&output);
    assert_eq!(output.status.code(), Some(REFUSED), "{said}");
    assert!(said.contains("symbolic link"), "{said}");
    assert_eq!(fs::read(elsewhere.join("translog/translog-2.tlog")).unwrap(), before);
}

#[test]
fn a_node_that_runs() {
    let node = node();
    let lock = node.path("data/nodes/0/node.lock").canonicalize().unwrap();
    let _held = es_translog_fix::node::hold_locks(&[lock]).unwrap();
    assert_refused(&node, &[], &["node.lock"]);
}

#[test]
fn an_index_that_is_closed_or_frozen() {
    for (state, settings) in [("close", json!({})), ("open", json!({ "index.frozen": "true" }))] {
        let node = node();
        write_states(&node, state, &settings, &["here"]);
        assert_refused(&node, &[], &["closed or frozen index", "open (or unfreeze) the index"]);
    }
}

#[test]
fn an_index_whose_data_lie_elsewhere() {
    for (settings, words) in [
        (json!({ "index.remote_store.enabled": "true" }), "kept in a remote store"),
        (json!({ "index.store.type": "snapshot" }), "mounted from a snapshot"),
        (json!({ "index.store.type": "remote_snapshot" }), "mounted from a snapshot"),
    ] {
        let node = node();
        write_states(&node, "open", &settings, &["here"]);
        assert_refused(&node, &[], &["is left alone", words]);
    }
}

#[test]
fn a_copy_beside_another_one_that_is_in_sync() {
    let node = node();
    write_states(&node, "open", &json!({}), &["here", "there"]);
    assert_refused(&node, &[], &["there", "--prefer-peer", "--despite-healthy-copy"]);
}

#[test]
fn a_copy_that_is_not_in_sync() {
    let node = node();
    write_states(&node, "open", &json!({}), &["there"]);
    assert_refused(&node, &[], &["--prefer-peer", "--despite-healthy-copy"]);
}
