//! Inventories of folders made for the purpose; state files in the bare JSON form of 1.4.

use std::os::unix::fs::symlink;

use super::super::target::shard_at;
use super::*;

const UUID: &str = "RQ9UjpSCRaW8Wkh2AsmvFw";
const OTHER_UUID: &str = "b_1-TfTnSc6l6H4Qy2o9QA";

/// Data paths in a temporary folder.
pub(in crate::node) struct Disk {
    root: tempfile::TempDir,
}

impl Disk {
    pub(in crate::node) fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap() }
    }

    pub(in crate::node) fn path(&self, name: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(name)
    }

    pub(in crate::node) fn file(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(in crate::node) fn index(&self, folder: &str, name: &str, uuid: &str) {
        let text = format!(
            "{{\"{name}\":{{\"version\":1,\"state\":\"open\",\
             \"settings\":{{\"index.uuid\":\"{uuid}\"}}}}}}"
        );
        self.file(&format!("{folder}/_state/state-3"), &text);
    }

    pub(in crate::node) fn shard(&self, folder: &str, translog: &str) {
        self.file(&format!("{folder}/_state/state-1"), "{\"version\":1,\"primary\":true}");
        self.file(&format!("{folder}/index/write.lock"), "");
        self.file(&format!("{folder}/translog/{translog}"), "");
    }

    pub(in crate::node) fn inventory(&self, data_paths: &[&str]) -> Inventory {
        let paths: Vec<PathBuf> = data_paths.iter().map(|name| self.path(name)).collect();
        inventory(&paths, "prod").unwrap()
    }
}

fn names(inventory: &Inventory) -> Vec<String> {
    inventory.shards.iter().map(|folder| folder.shard.to_string()).collect()
}

fn has_note(inventory: &Inventory, part: &str) -> bool {
    inventory.notes.iter().any(|note| note.contains(part))
}

#[test]
fn a_node_of_2x_names_its_folders_by_cluster_and_index() {
    let disk = Disk::new();
    let node = "d/prod/nodes/0";
    disk.file(&format!("{node}/node.lock"), "");
    disk.index(&format!("{node}/indices/[odd] n\u{e4}me"), "[odd] n\u{e4}me", UUID);
    disk.shard(&format!("{node}/indices/[odd] n\u{e4}me/0"), "translog.ckp");
    disk.shard(&format!("{node}/indices/no-state/10"), "translog.ckp");
    disk.shard(&format!("{node}/indices/no-state/07"), "translog.ckp");
    disk.shard("d/test/nodes/0/indices/other/0", "translog.ckp");
    let inventory = disk.inventory(&["d", "d/../d"]);
    assert_eq!(names(&inventory), ["[[odd] n\u{e4}me][0]", "[no-state][10]"]);
    let folder = &inventory.shards[0];
    assert_eq!(folder.index_uuid.as_deref(), Some(UUID));
    assert_eq!(folder.layout, Layout::ClusterNamed);
    assert_eq!(folder.data_path, disk.path("d"));
    assert_eq!(folder.node_folder, disk.path(node));
    assert_eq!(folder.path, folder.index_path.join("0"));
    assert!(folder.shard_state.as_ref().unwrap().primary);
    assert_eq!(folder.lock_files(), [folder.path.join("index/write.lock")]);
    assert_eq!(inventory.node_folders.len(), 1);
    assert_eq!(inventory.node_folders[0].lock_files(), [disk.path(node).join("node.lock")]);
    assert_eq!(inventory.shards[1].index_uuid, None);
    assert!(has_note(&inventory, "a cluster named test, not prod"));
}

#[test]
fn a_node_of_5x_to_7x_names_index_folders_by_uuid() {
    let disk = Disk::new();
    let node = "d/nodes/0";
    disk.file(&format!("{node}/_state/write.lock"), "");
    disk.file(&format!("{node}/_state/segments_3"), "");
    disk.index(&format!("{node}/indices/{UUID}"), "logs", UUID);
    disk.shard(&format!("{node}/indices/{UUID}/1"), "translog.ckp");
    disk.shard(&format!("{node}/indices/{OTHER_UUID}/0"), "translog.ckp");
    let inventory = disk.inventory(&["d"]);
    assert_eq!(names(&inventory), [format!("[{OTHER_UUID}][0]"), "[logs][1]".to_owned()]);
    for folder in &inventory.shards {
        assert_eq!(folder.layout, Layout::Ordinal);
        assert!(folder.index_path.ends_with(folder.index_uuid.as_ref().unwrap()));
        assert_eq!(&shard_at(&folder.path).unwrap(), folder);
    }
    assert_eq!(inventory.node_folders[0].ordinal, Some(0));
    assert_eq!(inventory.node_folders[0].lock_files(), [disk.path(node).join("_state/write.lock")]);
}

#[test]
fn a_node_of_8x_has_no_ordinal() {
    let disk = Disk::new();
    disk.file("d/nodes", "written by Elasticsearch 8.19.0 to prevent a downgrade");
    disk.file("d/node.lock", "");
    disk.file("d/.es-translog-fix/x", "");
    disk.index(&format!("d/indices/{UUID}"), "logs", UUID);
    disk.shard(&format!("d/indices/{UUID}/0"), "translog.ckp");
    let inventory = disk.inventory(&["d"]);
    assert_eq!(names(&inventory), ["[logs][0]"]);
    assert_eq!(inventory.shards[0].layout, Layout::Flat);
    assert_eq!(inventory.node_folders[0].path, disk.path("d"));
    assert_eq!(inventory.node_folders[0].ordinal, None);
    assert_eq!(inventory.notes, [""; 0]);
    assert_eq!(shard_at(&inventory.shards[0].path).unwrap(), inventory.shards[0]);
}

#[test]
fn a_cluster_folder_taken_over_by_5x_has_uuids_in_it() {
    let disk = Disk::new();
    let node = "d/prod/nodes/0";
    disk.file(&format!("{node}/_state/node-0.st"), "");
    disk.index(&format!("{node}/indices/{UUID}"), "logs", UUID);
    disk.shard(&format!("{node}/indices/{UUID}/0"), "translog.ckp");
    disk.shard(&format!("{node}/indices/{OTHER_UUID}/0"), "translog.ckp");
    disk.shard(&format!("{node}/indices/short/0"), "translog.ckp");
    let inventory = disk.inventory(&["d"]);
    let uuids: Vec<_> =
        inventory.shards.iter().map(|folder| folder.index_uuid.as_deref()).collect();
    assert_eq!(uuids, [Some(OTHER_UUID), Some(UUID), None]);
    assert_eq!(inventory.shards[1].shard.index, "logs");
}

#[test]
fn stripes_of_1x_are_one_shard() {
    let disk = Disk::new();
    for data_path in ["a", "b", "c"] {
        disk.index(&format!("{data_path}/prod/nodes/0/indices/logs"), "logs", UUID);
        disk.shard(&format!("{data_path}/prod/nodes/0/indices/logs/0"), "translog-1416837600000");
    }
    let inventory = disk.inventory(&["b", "a", "c"]);
    assert_eq!(names(&inventory), ["[logs][0]"]);
    let folder = &inventory.shards[0];
    let place = "prod/nodes/0/indices/logs/0";
    assert_eq!(folder.path, disk.path("b").join(place));
    assert_eq!(folder.stripes, [disk.path("a").join(place), disk.path("c").join(place)]);
    assert_eq!(folder.lock_files().len(), 3);
    assert_eq!(inventory.node_folders.len(), 3);
}

#[test]
fn from_2x_on_the_data_path_with_the_state_has_the_shard() {
    let disk = Disk::new();
    let place = format!("nodes/0/indices/{UUID}/0");
    disk.index(&format!("a/nodes/0/indices/{UUID}"), "logs", UUID);
    disk.file(&format!("a/{place}/translog/translog.ckp"), "");
    disk.shard(&format!("b/{place}"), "translog.ckp");
    let inventory = disk.inventory(&["a", "b"]);
    assert_eq!(names(&inventory), ["[logs][0]"], "the other path's index state names it");
    assert_eq!(inventory.shards[0].path, disk.path("b").join(&place));
    assert!(has_note(&inventory, "another data path has it"));

    disk.shard(&format!("a/{place}"), "translog.ckp");
    let inventory = disk.inventory(&["a", "b"]);
    assert_eq!(names(&inventory), ["[logs][0]", "[logs][0]"]);
    assert!(has_note(&inventory, "one of several data paths"));
}

#[test]
fn a_second_ordinal_with_shards_is_noted() {
    let disk = Disk::new();
    for ordinal in ["0", "1"] {
        disk.shard(&format!("d/prod/nodes/{ordinal}/indices/logs/0"), "translog.ckp");
    }
    disk.file("d/prod/nodes/2/node.lock", "");
    disk.file("d/prod/nodes/not-a-number/node.lock", "");
    let inventory = disk.inventory(&["d"]);
    let ordinals: Vec<_> = inventory.node_folders.iter().map(|folder| folder.ordinal).collect();
    assert_eq!(ordinals, [Some(0), Some(1), Some(2)]);
    assert_eq!(inventory.shards.len(), 2);
    assert!(has_note(&inventory, "more than one node ordinal: 0, 1"));
}

#[test]
fn links_are_noted_and_never_followed() {
    let disk = Disk::new();
    disk.shard(&format!("elsewhere/indices/{UUID}/0"), "translog.ckp");
    let real = disk.path(&format!("elsewhere/indices/{UUID}/0"));
    fs::create_dir_all(disk.path(&format!("d/nodes/0/indices/{UUID}"))).unwrap();
    let shard = disk.path(&format!("d/nodes/0/indices/{UUID}/0"));
    symlink(&real, &shard).unwrap();
    symlink(disk.path("elsewhere"), disk.path("d/nodes/1")).unwrap();
    symlink(real.parent().unwrap(), disk.path(&format!("d/nodes/0/indices/{OTHER_UUID}"))).unwrap();
    fs::create_dir_all(disk.path("d/nodes/2")).unwrap();
    symlink(disk.path("elsewhere/indices"), disk.path("d/nodes/2/indices")).unwrap();
    let inventory = disk.inventory(&["d"]);
    assert_eq!(inventory.shards, []);
    assert_eq!(inventory.notes.iter().filter(|note| note.contains("link")).count(), 4);
    for path in [
        shard,
        disk.path(&format!("d/nodes/0/indices/{OTHER_UUID}/0")),
        disk.path(&format!("d/nodes/1/indices/{UUID}/0")),
        disk.path(&format!("d/nodes/2/indices/{UUID}/0")),
    ] {
        let refused = shard_at(&path);
        assert!(matches!(refused, Err(NodeError::Link { .. })), "{}", path.display());
    }

    // The data path itself may be one: that is how admins move it.
    symlink(disk.path("elsewhere"), disk.path("data")).unwrap();
    let inventory = disk.inventory(&["data"]);
    assert_eq!(inventory.shards[0].path, real);
    let target = disk.path(&format!("data/indices/{UUID}/0"));
    assert_eq!(shard_at(&target).unwrap().path, real);
}

#[test]
fn what_holds_no_data_or_cannot_be_read_is_noted() {
    let disk = Disk::new();
    let text = "{\"logs\":{\"state\":\"open\",\"settings\":{\"index.data_path\":\"/custom\"}}}";
    disk.file(&format!("d/indices/{UUID}/_state/state-1"), text);
    disk.file(&format!("d/indices/{UUID}/0/_state/state-1"), "{\"primary\":true}");
    disk.file(&format!("d/indices/{OTHER_UUID}/0/x"), "");
    disk.shard(&format!("d/indices/{OTHER_UUID}/1"), "translog.ckp");
    disk.file(&format!("d/indices/{OTHER_UUID}/1/_state/state-2"), "");
    let inventory = disk.inventory(&["d"]);
    assert_eq!(names(&inventory), [format!("[{OTHER_UUID}][1]")]);
    assert!(has_note(&inventory, "index.data_path /custom"));
    assert!(has_note(&inventory, "holds no index and no translog"));
    assert!(has_note(&inventory, "state-2 is not readable"));
    assert!(inventory.shards[0].shard_state.is_some(), "the older one serves");
    assert!(matches!(
        super::inventory(&[disk.path("missing")], "prod"),
        Err(NodeError::Folder { .. })
    ));
    fs::create_dir(disk.path("empty")).unwrap();
    assert!(has_note(&disk.inventory(&["empty"]), "has no node's folder"));
}

#[test]
fn a_shard_of_2x_by_its_path() {
    let disk = Disk::new();
    disk.index("d/prod/nodes/0/indices/logs", "logs", UUID);
    disk.shard("d/prod/nodes/0/indices/logs/4", "translog.ckp");
    let folder = shard_at(&disk.path("d/prod/nodes/0/indices/logs/4/")).unwrap();
    assert_eq!(folder, disk.inventory(&["d"]).shards[0]);
    for wrong in ["d/prod/nodes/0/indices/logs", "d/prod/nodes/0/indices/logs/5", "d"] {
        let refused = shard_at(&disk.path(wrong));
        assert!(matches!(refused, Err(NodeError::NotAShard { .. })), "{wrong}");
    }
    let winding = disk.path("d/prod/nodes/0/indices/x/../logs/4");
    assert!(matches!(shard_at(&winding), Err(NodeError::NotAShard { .. })));
}
