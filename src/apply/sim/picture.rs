//! Real folders taken into a [`SimDisk`], and pictures of what is on it to compare.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::crash::Crash;
use super::disk::{Node, SimDisk};
use crate::apply::{Attributes, Labels, Owner};

/// What is seen of a file or folder below a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::apply) struct Seen {
    pub(in crate::apply) inode: u64,
    /// `None` for a folder.
    pub(in crate::apply) content: Option<Rc<Vec<u8>>>,
    pub(in crate::apply) attributes: Attributes,
    pub(in crate::apply) times: (i64, i64),
    pub(in crate::apply) labels: Labels,
}

impl SimDisk {
    /// Takes in a folder of the real disk under the same path, all of it synced.
    pub(in crate::apply) fn load(&mut self, folder: &Path) {
        let mut parts = folder.ancestors().collect::<Vec<_>>();
        parts.reverse();
        for part in parts.iter().skip(1) {
            if self.find(part).is_none() {
                self.make_folder(part, attributes_of(folder)).unwrap();
            }
        }
        let mut paths: Vec<PathBuf> =
            folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                self.load(&path);
                continue;
            }
            self.make_file(&path, attributes_of(&path)).unwrap();
            self.write(&path, 0, &std::fs::read(&path).unwrap()).unwrap();
            let labels = [("security.selinux".to_owned(), b"system_u:es_t".to_vec())];
            self.get_mut(&path).unwrap().labels = Labels::from(labels);
        }
        self.crash(Crash::All);
    }

    /// Everything below and including a folder whose path `wanted` takes.
    pub(in crate::apply) fn picture(
        &self,
        folder: &Path,
        wanted: &dyn Fn(&Path) -> bool,
    ) -> Picture {
        let mut picture = Picture::new();
        let mut left = vec![folder.to_path_buf()];
        while let Some(path) = left.pop() {
            if !wanted(&path) {
                continue;
            }
            let (Some(inode), Some(number)) = (self.get(&path), self.find(&path)) else { continue };
            let content = match &inode.node {
                Node::File(content) => Some(content.now.clone()),
                Node::Folder(names) => {
                    left.extend(names.now.keys().map(|name| path.join(name)));
                    None
                }
            };
            let seen = Seen {
                inode: number,
                content,
                attributes: inode.attributes,
                times: inode.times.now,
                labels: inode.labels.clone(),
            };
            picture.insert(path, seen);
        }
        picture
    }
}

pub(in crate::apply) type Picture = BTreeMap<PathBuf, Seen>;

fn attributes_of(path: &Path) -> Attributes {
    let metadata = path.symlink_metadata().unwrap();
    let owner = Owner { uid: metadata.uid(), gid: metadata.gid() };
    Attributes { owner, mode: metadata.mode() & 0o7777 }
}

pub(in crate::apply) fn assert_same(now: &Picture, wanted: &Picture, told: &str) {
    if now == wanted {
        return;
    }
    let mut paths: Vec<&PathBuf> = now.keys().chain(wanted.keys()).collect();
    paths.retain(|path| now.get(*path) != wanted.get(*path));
    let short = |seen: Option<&Seen>| {
        seen.map(|seen| {
            let content = seen.content.as_deref();
            let content = content.map(|bytes| (bytes.len(), crc32fast::hash(bytes)));
            (seen.inode, content, seen.attributes, seen.times, seen.labels.len())
        })
    };
    let shown: Vec<String> = paths
        .iter()
        .map(|path| {
            let (now, wanted) = (short(now.get(*path)), short(wanted.get(*path)));
            format!("{}:\n  {now:?}\n  {wanted:?}", path.display())
        })
        .collect();
    panic!("{told}:\n{}", shown.join("\n"));
}
