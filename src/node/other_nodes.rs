//! Nodes that a server began below the data paths while a run held the locks of the real one.
//!
//! Up to 2.4 (and later where `node.max_local_storage_nodes` says so) a server that finds
//! `nodes/0` locked takes the next number and comes up empty (`NodeEnvironment.java`, 1.7.6, 2.4.6;
//! observed on both). Its lock files are not there before it starts, and making them would put
//! folders below the data path, so it is not kept out: it is noticed, and what it made is listed.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;
use serde::Serialize;

use super::error::NodeError;
use super::folders::Notes;
use super::inventory::{NodeFolder, node_folders};
use super::locks::{LockHolder, lock_holder};
use super::nofollow::{HeldFolders, Purpose, names_in, stat};

/// Most names that are looked at in one such node.
const NAMES_MAX: u64 = 100_000;
/// Folders below one another that are gone into: a shard's lie five deep.
const DEPTH_MAX: u32 = 32;
/// Most index names that the sentence tells.
const INDICES_TOLD_MAX: usize = 10;

/// A node that was not there when the run began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OtherNode {
    /// Its folder, `nodes/N` with N > 0.
    pub path: PathBuf,
    /// The process that holds its lock now; 0 when that cannot be seen from here.
    pub pid: Option<i32>,
    /// That process's command line, shortened.
    pub command: Option<String>,
    /// The folders of indices in it: names up to 2.x, UUIDs from 5.0 on.
    pub indices: BTreeSet<String>,
    /// Regular files in it, up to a limit.
    pub file_count: u64,
    /// Bytes of these.
    pub bytes: u64,
}

impl OtherNode {
    /// Whether a server has it open.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.pid.is_some()
    }
}

impl fmt::Display for OtherNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a server was started on this data path during the run and began a node of its own, {}: ",
            self.path.display()
        )?;
        if self.indices.is_empty() {
            f.write_str("no index")?;
        } else {
            let told: Vec<&str> =
                self.indices.iter().take(INDICES_TOLD_MAX).map(String::as_str).collect();
            write!(f, "{} indices ({}", self.indices.len(), told.join(", "))?;
            f.write_str(if told.len() < self.indices.len() { ", ...)" } else { ")" })?;
        }
        write!(f, ", {} files, {} bytes. It is left alone; ", self.file_count, self.bytes)?;
        match (self.pid, &self.command) {
            (Some(pid), Some(command)) if pid > 0 => {
                write!(
                    f,
                    "process {pid} ({command}) has it open: stop that before the node starts. "
                )?;
            }
            (Some(_), _) => {
                f.write_str("a process that cannot be seen from here has it open: stop that before the node starts. ")?;
            }
            (None, _) => f.write_str("no process has it open. ")?,
        }
        f.write_str(
            "Documents that were written to it are nowhere else; when none are wanted, remove that \
             folder with its server stopped",
        )
    }
}

/// Those folders that a server began since `before`: numbered above 0, and not known then.
fn appeared<'a>(before: &[NodeFolder], now: &'a [NodeFolder]) -> Vec<&'a NodeFolder> {
    now.iter()
        .filter(|folder| folder.ordinal.is_some_and(|ordinal| ordinal > 0))
        .filter(|folder| before.iter().all(|known| known.path != folder.path))
        .collect()
}

/// The nodes that appeared below `data_paths` since `before` was listed. Reads only.
///
/// # Errors
/// When a data path or a folder of such a node cannot be read.
pub fn other_nodes(
    data_paths: &[PathBuf],
    cluster_name: &str,
    before: &[NodeFolder],
) -> Result<Vec<OtherNode>, NodeError> {
    let mut now = Vec::new();
    for path in data_paths {
        let failed = |source| NodeError::Folder { path: path.clone(), source };
        let data_path = path.canonicalize().map_err(failed)?;
        now.extend(node_folders(&data_path, cluster_name, &mut Notes::default())?);
    }
    let mut seen = BTreeSet::new();
    appeared(before, &now)
        .into_iter()
        .filter(|folder| seen.insert(folder.path.clone()))
        .map(|folder| {
            let failed = |source| NodeError::Folder { path: folder.path.clone(), source };
            look(&folder.path).map_err(failed)
        })
        .collect()
}

fn look(path: &Path) -> io::Result<OtherNode> {
    let holder = lock_holder(&path.join("node.lock"))?;
    let (pid, command) = match holder {
        Some(LockHolder { pid, command, .. }) => (Some(pid), Some(command)),
        None => (None, None),
    };
    let mut count = Count::default();
    count.add(path, DEPTH_MAX)?;
    let indices = folders_of(&path.join("indices"))?;
    let Count { files: file_count, bytes, .. } = count;
    Ok(OtherNode { path: path.to_path_buf(), pid, command, indices, file_count, bytes })
}

#[derive(Default)]
struct Count {
    names: u64,
    files: u64,
    bytes: u64,
}

impl Count {
    /// Counts what is below a folder. A server may be at work in it: what goes meanwhile is passed
    /// over, and so is what is no folder and no regular file.
    fn add(&mut self, path: &Path, depth_max: u32) -> io::Result<()> {
        let Some(below) = depth_max.checked_sub(1) else { return Ok(()) };
        for (name, kind, bytes) in entries(path)? {
            self.names = self.names.saturating_add(1);
            if self.names > NAMES_MAX {
                return Ok(());
            }
            match kind {
                FileType::Directory => self.add(&path.join(name), below)?,
                FileType::RegularFile => {
                    self.files = self.files.saturating_add(1);
                    self.bytes = self.bytes.saturating_add(bytes);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn folders_of(path: &Path) -> io::Result<BTreeSet<String>> {
    let all = entries(path)?.into_iter();
    let folders = all.filter(|(_, kind, _)| *kind == FileType::Directory);
    Ok(folders.map(|(name, ..)| name.to_string_lossy().into_owned()).collect())
}

/// The names in a folder, what each is and how long; none where the folder went away. No link is
/// followed, in no part of the path: the folders are the service user's.
fn entries(path: &Path) -> io::Result<Vec<(std::ffi::OsString, FileType, u64)>> {
    let folder = match HeldFolders::default().folder(path, Purpose::Use) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut found = Vec::new();
    for name in names_in(folder.try_clone()?)? {
        let name = name?;
        let facts = match stat(folder.as_fd(), &name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        let bytes = u64::try_from(facts.st_size).unwrap_or(0);
        found.push((name, FileType::from_raw_mode(facts.st_mode), bytes));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::node::Layout;

    fn folder(path: &str, layout: Layout, ordinal: Option<u32>) -> NodeFolder {
        let data_path = PathBuf::from("/d");
        NodeFolder { data_path, path: PathBuf::from(path), layout, ordinal }
    }

    #[test]
    fn what_was_there_is_not_new_nor_is_number_0() {
        let numbered = |path: &str, ordinal| folder(path, Layout::ClusterNamed, Some(ordinal));
        let before = [numbered("/d/c/nodes/0", 0), numbered("/d/c/nodes/1", 1)];
        assert_eq!(appeared(&before, &before), Vec::<&NodeFolder>::new());
        let now = [
            before[0].clone(),
            before[1].clone(),
            numbered("/d/c/nodes/2", 2),
            numbered("/e/c/nodes/0", 0),
            numbered("/e/c/nodes/1", 1),
            folder("/f", Layout::Flat, None),
        ];
        assert_eq!(appeared(&before, &now), [&now[2], &now[4]]);
    }

    #[test]
    fn the_sentence_names_it_all() {
        let mut node = OtherNode {
            path: PathBuf::from("/d/c/nodes/1"),
            pid: Some(4711),
            command: Some("java -Xmx1g".to_owned()),
            indices: BTreeSet::new(),
            file_count: 3,
            bytes: 99,
        };
        let text = node.to_string();
        assert!(text.contains("/d/c/nodes/1: no index, 3 files, 99 bytes"), "{text}");
        assert!(text.contains("process 4711 (java -Xmx1g) has it open: stop that"), "{text}");
        node.pid = None;
        node.indices = (0..12).map(|number| format!("i{number:02}")).collect();
        let text = node.to_string();
        assert!(text.contains("12 indices (i00, i01,") && text.contains("i09, ...)"), "{text}");
        assert!(text.contains("no process has it open"), "{text}");
    }

    #[test]
    fn what_it_made_is_counted_and_no_link_is_followed() {
        let top = tempfile::tempdir().unwrap();
        let top = top.path().canonicalize().unwrap();
        let nodes = top.join("data/c/nodes");
        fs::create_dir_all(nodes.join("0/indices/logs/0")).unwrap();
        let data_paths = [top.join("data")];
        let before = node_folders(&data_paths[0], "c", &mut Notes::default()).unwrap();
        assert_eq!(other_nodes(&data_paths, "c", &before).unwrap(), []);
        fs::create_dir_all(nodes.join("1/indices/new/0/index")).unwrap();
        fs::write(nodes.join("1/node.lock"), "").unwrap();
        fs::write(nodes.join("1/indices/new/0/index/segments_1"), [0; 50]).unwrap();
        let elsewhere = top.join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("secret"), [0; 7]).unwrap();
        std::os::unix::fs::symlink(&elsewhere, nodes.join("1/indices/linked")).unwrap();
        let found = other_nodes(&data_paths, "c", &before).unwrap();
        let [one] = &found[..] else { panic!("{found:?}") };
        assert_eq!((one.path.clone(), one.is_running()), (nodes.join("1"), false));
        assert_eq!((one.file_count, one.bytes), (2, 50));
        assert_eq!(one.indices, BTreeSet::from(["new".to_owned()]));
        let _held = crate::node::hold_locks(&[nodes.join("1/node.lock")]).unwrap();
        let found = other_nodes(&data_paths, "c", &before).unwrap();
        assert_eq!(found[0].pid, i32::try_from(std::process::id()).ok());
    }
}
