//! Which processes have files open, as `/proc` shows it: best effort, as far as rights reach.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Longest command line told, in bytes. A server's is several KiB of JVM flags.
const COMMAND_LEN_BYTES: u64 = 200;

/// The processes, by id and command line, that have a file below one of `data_paths` open.
///
/// This process is left out. Processes of other users stay unseen without the right to look, and
/// those of a container show paths of their own; the locks of a node are the proof, not this.
#[must_use]
pub fn processes_using(data_paths: &[PathBuf]) -> Vec<(i32, String)> {
    let roots: Vec<PathBuf> =
        data_paths.iter().map(|path| fs::canonicalize(path).unwrap_or(path.clone())).collect();
    let below = |descriptor: &PathBuf| {
        fs::read_link(descriptor).is_ok_and(|file| roots.iter().any(|root| file.starts_with(root)))
    };
    other_processes()
        .into_iter()
        .filter(|pid| descriptors(*pid).iter().any(below))
        .map(|pid| (pid, command_of(pid)))
        .collect()
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
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_with_a_file_open_below_the_path_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        let file = fs::File::open(&path).unwrap();
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .unwrap();
        let found = processes_using(&[folder.path().to_owned()]);
        drop(child.stdin.take());
        child.wait().unwrap();
        assert_eq!(found, [(i32::try_from(child.id()).unwrap(), "cat".to_owned())]);

        let other = tempfile::tempdir().unwrap();
        assert_eq!(processes_using(&[other.path().to_owned()]), []);
    }

    #[test]
    fn a_command_that_cannot_be_read_is_said() {
        assert_eq!(command_of(-1), "command line not readable");
    }
}
