//! Where the quarantine is, and what its folders are called.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use proptest::prelude::*;

use super::node::Node;
use crate::apply::quarantine::{bases_for, label_of};

#[test]
fn beside_the_data_path_by_its_real_name() {
    let node = Node::new();
    let data_path = node.top.path().join("link");
    symlink(node.top.path().join("node/data"), &data_path).unwrap();
    let base = bases_for(&node.shard("logs"), &data_path, None).unwrap().kept;
    let real = node.top.path().canonicalize().unwrap();
    assert_eq!(base.anchor, real.join("node"));
    assert_eq!(base.folder, real.join("node/data.es-translog-fix"));
}

#[test]
fn a_folder_of_ones_own_is_taken_or_refused() {
    let node = Node::new();
    let (shard, data_path) = (node.shard("logs"), node.top.path().join("node/data"));
    let own = node.top.path().join("own");
    fs::create_dir(&own).unwrap();
    let bases = bases_for(&shard, &data_path, Some(&own)).unwrap();
    assert_eq!((bases.kept.folder, bases.own), (own.canonicalize().unwrap(), None));
    let error = bases_for(&shard, &data_path, Some(&data_path.join("nodes"))).unwrap_err();
    assert!(error.to_string().contains("inside the data path"), "{error}");
    // On another file system: what is renamed stays on the shard's own.
    let bases = bases_for(&shard, &data_path, Some(Path::new("/proc"))).unwrap();
    let own = bases_for(&shard, &data_path, None).unwrap().kept;
    assert_eq!((bases.kept.folder.as_path(), bases.own), (Path::new("/proc"), Some(own)));
}

#[test]
fn hidden_at_the_top_of_a_mount_point() {
    let mount = Path::new("/dev/shm");
    let device = |path: &Path| path.metadata().map(|metadata| metadata.dev()).ok();
    if device(mount).is_none() || device(mount) == device(Path::new("/dev")) {
        return;
    }
    let top = tempfile::tempdir_in(mount).unwrap();
    let base = bases_for(top.path(), mount, None).unwrap().kept;
    assert_eq!(base.anchor, mount);
    assert_eq!(base.folder, mount.join(".es-translog-fix"));
    // The shard on a file system of its own below the data path: there is no place for it.
    let error = bases_for(top.path(), Path::new("/proc/self"), None).unwrap_err();
    assert!(error.to_string().contains("--quarantine-dir"), "{error}");
}

#[test]
fn labels_people_recognise() {
    assert_eq!(label_of("logs-2026.11.24"), "logs-2026.11.24");
    assert_eq!(label_of(".."), "%2E.");
    assert_eq!(label_of("a/b\n"), "a%2Fb%0A");
    assert_eq!(label_of(""), "_");
}

proptest! {
    #[test]
    fn labels_are_safe_and_differ(one in ".{0,300}", two in ".{0,300}") {
        let label = label_of(&one);
        prop_assert!(label.len() <= 200 && !label.is_empty() && !label.starts_with('.'));
        prop_assert!(label.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/'));
        prop_assert!(one == two || label != label_of(&two));
    }
}
