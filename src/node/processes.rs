//! Which processes use a folder, as `/proc` shows it: best effort, as far as rights reach.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::mount_views::{Mounts, Seen};

/// Longest command line told, in bytes. A server's is several KiB of JVM flags.
const COMMAND_LEN_BYTES: u64 = 200;
/// Main classes of the servers: 0.90, 1.x to 9.x, OpenSearch.
const SERVER_CLASSES: [&str; 3] = [
    "org.elasticsearch.bootstrap.ElasticSearch",
    "org.elasticsearch.bootstrap.Elasticsearch",
    "org.opensearch.bootstrap.OpenSearch",
];

/// Longest table of mappings read, in bytes; a server's with thousands of mapped files is some MiB.
const MAPS_LEN_BYTES: u64 = 16 * 1024 * 1024;

/// How a process uses a folder, the strongest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FolderUse {
    /// It works in it, or below it.
    WorkingFolder,
    /// It has files open or mapped for reading.
    Reading,
    /// It has files open or mapped for writing.
    Writing,
}

/// A process that uses a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderUser {
    /// Its id.
    pub pid: i32,
    /// Its command line, shortened.
    pub command: String,
    /// The strongest use.
    pub usage: FolderUse,
    /// One of the files or folders.
    pub path: PathBuf,
}

impl fmt::Display for FolderUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, command, usage, path } = self;
        let path = path.display();
        match usage {
            FolderUse::WorkingFolder => write!(f, "process {pid} ({command}) works in {path}"),
            FolderUse::Reading => write!(f, "process {pid} ({command}) reads {path}"),
            FolderUse::Writing => {
                write!(f, "process {pid} ({command}) has {path} open for writing")
            }
        }
    }
}

/// The processes that use something below one of `data_paths`: files open or mapped, or the folder
/// they work in or have as their root.
///
/// This process is left out. Processes of other users, and where those of a container have the
/// folder, stay unseen without the right to look; the locks of a node are the proof, not this.
#[must_use]
pub fn processes_using(data_paths: &[PathBuf]) -> Vec<FolderUser> {
    let roots: Vec<PathBuf> =
        data_paths.iter().map(|path| fs::canonicalize(path).unwrap_or(path.clone())).collect();
    let mounts = Mounts::own();
    let user = |pid: i32| {
        let (usage, path) = strongest_use(pid, &mounts.seen_by(pid, &roots))?;
        Some(FolderUser { pid, command: command_of(pid), usage, path })
    };
    other_processes().into_iter().filter_map(user).collect()
}

/// The control groups of a process, as `/proc` shows them: equal for the processes of a service.
pub(super) fn control_groups(pid: i32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()
}

/// The processes whose command line is that of a server, by the class that each release starts.
#[must_use]
pub fn server_processes() -> Vec<(i32, String)> {
    let is_server = |pid: &i32| {
        fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|bytes| {
            let mut words = bytes.split(|byte| *byte == 0);
            words.any(|word| SERVER_CLASSES.iter().any(|class| word.ends_with(class.as_bytes())))
        })
    };
    let servers = other_processes().into_iter().filter(is_server);
    servers.map(|pid| (pid, command_of(pid))).collect()
}

fn strongest_use(pid: i32, roots: &[Seen]) -> Option<(FolderUse, PathBuf)> {
    let is_below = |path: &Path| roots.iter().any(|root| path.starts_with(&root.there));
    let here = |path: &Path| {
        let place = |root: &Seen| Some(root.here.join(path.strip_prefix(&root.there).ok()?));
        roots.iter().find_map(place)
    };
    let mut found: Option<(FolderUse, PathBuf)> = None;
    let mut take = |usage: FolderUse, path: PathBuf| {
        if found.as_ref().is_none_or(|(strongest, _)| *strongest < usage)
            && let Some(path) = here(&path)
        {
            found = Some((usage, path));
        }
    };
    for name in ["cwd", "root"] {
        if let Ok(path) = fs::read_link(format!("/proc/{pid}/{name}")) {
            take(FolderUse::WorkingFolder, path);
        }
    }
    for descriptor in descriptors(pid) {
        let Ok(path) = fs::read_link(&descriptor) else { continue };
        // Asked for those that count only: a server has thousands.
        if is_below(&path) {
            let text = fs::read_to_string(fdinfo(&descriptor)).unwrap_or_default();
            take(use_of_descriptor(&text), path);
        }
    }
    let maps = fs::File::open(format!("/proc/{pid}/maps"));
    let mut text = Vec::new();
    if maps.and_then(|file| file.take(MAPS_LEN_BYTES).read_to_end(&mut text)).is_ok() {
        mappings(&text).for_each(|(usage, path)| take(usage, path));
    }
    found
}

/// What `/proc/PID/fdinfo/N` says of the access: `flags:` is octal, its last two bits the mode.
fn use_of_descriptor(fdinfo: &str) -> FolderUse {
    let flags = fdinfo.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|text| u32::from_str_radix(text.trim(), 8).ok());
    match flags {
        Some(flags) if flags & 0o3 != 0 => FolderUse::Writing,
        _ => FolderUse::Reading,
    }
}

/// The files in `/proc/PID/maps`: `FROM-TO PERMISSIONS OFFSET DEVICE INODE   PATH`. Only a shared
/// mapping that may be written (`rw-s`) reaches the file.
fn mappings(maps: &[u8]) -> impl Iterator<Item = (FolderUse, PathBuf)> + '_ {
    maps.split(|byte| *byte == b'\n').filter_map(|line| {
        let path = line.get(line.iter().position(|byte| *byte == b'/')?..)?;
        let mut words = line.split(|byte| *byte == b' ');
        let permissions = words.nth(1)?;
        let is_written = permissions.get(1) == Some(&b'w') && permissions.get(3) == Some(&b's');
        let usage = if is_written { FolderUse::Writing } else { FolderUse::Reading };
        Some((usage, PathBuf::from(OsStr::from_bytes(path))))
    })
}

/// The process that holds an open-file-description lock on `file`.
///
/// The kernel names no process for such a lock, but `/proc/PID/fdinfo/N` tells of it.
pub(super) fn description_lock_holder(file: &fs::Metadata) -> Option<i32> {
    let holds = |descriptor: &PathBuf| {
        fs::metadata(descriptor)
            .is_ok_and(|found| found.dev() == file.dev() && found.ino() == file.ino())
            && fs::read_to_string(fdinfo(descriptor)).is_ok_and(|text| text.contains("OFDLCK"))
    };
    other_processes()
        .into_iter()
        .chain(i32::try_from(std::process::id()))
        .find(|pid| descriptors(*pid).iter().any(holds))
}

/// The command line of a process in one line; a sentence when it can't be read.
pub(super) fn command_of(pid: i32) -> String {
    let mut bytes = Vec::new();
    let read = fs::File::open(format!("/proc/{pid}/cmdline"))
        .and_then(|file| file.take(COMMAND_LEN_BYTES).read_to_end(&mut bytes));
    if read.is_err() || bytes.is_empty() {
        return "command line not readable".to_owned();
    }
    let words = String::from_utf8_lossy(&bytes).replace('\0', " ");
    words.trim_end().chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Ids of all processes but this one.
fn other_processes() -> Vec<i32> {
    let own = std::process::id();
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| u32::try_from(*pid).is_ok_and(|pid| pid != own))
        .collect()
}

/// The links `/proc/PID/fd/N` of a process; none when they can't be listed.
fn descriptors(pid: i32) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return Vec::new() };
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// `/proc/PID/fdinfo/N` for `/proc/PID/fd/N`.
fn fdinfo(descriptor: &Path) -> PathBuf {
    let number = descriptor.file_name().unwrap_or_default();
    let process = descriptor.ancestors().nth(2).unwrap_or(descriptor);
    process.join("fdinfo").join(number)
}

#[cfg(test)]
mod tests;
