//! Extended attributes, such as the labels of `SELinux`: what is written anew has those of a file
//! beside it that it is like, and what comes back has its own.

#![allow(clippy::unwrap_used, reason = "a failed call fails the test")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rustix::fs::XattrFlags;
use support::{Node, told};

/// A name that anybody may set, and the one of `SELinux`, which without it only root may.
const NAMES: [&str; 2] = ["user.keeper", "security.selinux"];

/// The attributes of every file of the translog and index folders, by name.
type Labels = BTreeMap<(PathBuf, &'static str), Vec<u8>>;

fn labels(node: &Node) -> Labels {
    let mut all = Labels::new();
    for path in node.picture().into_keys() {
        for name in NAMES {
            let mut value = vec![0; 256];
            if let Ok(length) = rustix::fs::getxattr(&path, name, &mut value[..]) {
                value.truncate(length);
                all.insert((path.clone(), name), value);
            }
        }
    }
    all
}

/// Gives every file of the shards attributes that no other has; the names that could be set.
fn label_all(node: &Node) -> Vec<&'static str> {
    let mut set: Vec<&str> = NAMES.to_vec();
    for (number, path) in node.picture().into_keys().enumerate() {
        set.retain(|name| {
            let value = format!("system_u:object_r:keeper_{number}_t:s0\0");
            rustix::fs::setxattr(&path, *name, value.as_bytes(), XattrFlags::empty()).is_ok()
        });
    }
    set
}

#[test]
#[expect(clippy::print_stdout, reason = "what is skipped is said")]
fn files_keep_their_attributes() {
    let node = Node::new(&std::env::temp_dir(), 2);
    let set = label_all(&node);
    for name in NAMES.iter().filter(|name| !set.contains(*name)) {
        println!("{name} skipped: it cannot be set here");
    }
    if set.is_empty() {
        return;
    }
    let before = (node.picture(), labels(&node));
    let output = node.repair().output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    let repaired = labels(&node);
    let is_new = |path: &Path| node.picture().get(path) != before.0.get(path);
    let changed: Vec<PathBuf> = node.picture().into_keys().filter(|path| is_new(path)).collect();
    assert!(changed.len() >= 6, "{changed:?}");
    for path in &changed {
        for name in &set {
            let label = repaired.get(&(path.clone(), *name)).unwrap();
            // A checkpoint is like its translog, a new commit like the old one.
            let of_folder = before.1.iter().filter(|((file, of), _)| {
                file.parent() == path.parent() && of == name && !file.ends_with("write.lock")
            });
            let mut of_folder = of_folder.map(|(_, label)| label);
            assert!(of_folder.any(|of_file| of_file == label), "{name} of {}", path.display());
        }
    }
    let output = node.command(&["undo", &node.run_id().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert_eq!((node.picture(), labels(&node)), before);
}
