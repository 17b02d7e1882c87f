//! The log files of a node: which to read, and reading them.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use super::finding::Scan;
use super::scan::Scanner;

const BLOCK_BYTES: usize = 256 * 1024;
/// Rolled files that are read to find the last start.
const ROLLED_MAX: usize = 10;
/// What every start of every version writes first.
const START_WORDS: [&[u8]; 2] = [b"], pid[", b"initializing ..."];
/// Logs beside the server's own, which hold the words of users.
const NEIGHBOURS: [&str; 8] = [
    "_deprecation",
    "slowlog",
    "_audit",
    "gc.log",
    "_querylog",
    "_access",
    "_task",
    "_server.json",
];

/// A log file could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the log {}: {source}", path.display())]
pub struct LogError {
    /// The file.
    pub path: PathBuf,
    /// The system's answer.
    pub source: io::Error,
}

impl LogError {
    pub(super) fn new(path: &Path, source: io::Error) -> Self {
        Self { path: path.to_path_buf(), source }
    }
}

/// Opens a file for reading without leaving a trace, where the system allows that.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags((flags | OFlag::O_NOATIME).bits());
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            options.custom_flags(flags.bits()).open(path)
        }
        other => other,
    }
}

/// The server's plain log, and, as long as none holds a start, the plain rolled ones before it;
/// oldest first. Empty when there is none.
///
/// # Errors
/// When the folder cannot be read.
pub fn live_log_files(log_dir: &Path, cluster_name: &str) -> io::Result<Vec<PathBuf>> {
    let live = log_dir.join(format!("{cluster_name}.log"));
    if !live.is_file() {
        return Ok(Vec::new());
    }
    let mut files = vec![live.clone()];
    if holds_start(&live)? {
        return Ok(files);
    }
    for path in rolled(log_dir, cluster_name)?.into_iter().take(ROLLED_MAX) {
        let is_enough = holds_start(&path)?;
        files.insert(0, path);
        if is_enough {
            break;
        }
    }
    Ok(files)
}

/// `CLUSTER.log.2015-01-01` up to 2.x, `CLUSTER-2017-01-01.log` from 5.0 on; newest first.
fn rolled(log_dir: &Path, cluster_name: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in log_dir.read_dir()? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_rolled = name.starts_with(&format!("{cluster_name}.log."))
            || (name.starts_with(&format!("{cluster_name}-")) && has_extension(&name, "log"));
        let is_neighbour = NEIGHBOURS.iter().any(|part| name.contains(part));
        let metadata = entry.metadata()?;
        if is_rolled && !is_neighbour && !has_extension(&name, "gz") && metadata.is_file() {
            found.push((metadata.modified()?, entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().rev().map(|(_, path)| path).collect())
}

fn has_extension(name: &str, wanted: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == wanted)
}

fn holds_start(path: &Path) -> io::Result<bool> {
    let mut file = open(path)?;
    let overlap = START_WORDS.iter().map(|words| words.len()).max().unwrap_or(0);
    let mut block: Vec<u8> = Vec::new();
    loop {
        let keep = block.len().saturating_sub(overlap);
        block.drain(..keep);
        let before = block.len();
        Read::by_ref(&mut file).take(BLOCK_BYTES as u64).read_to_end(&mut block)?;
        let holds = |words: &&[u8]| block.windows(words.len()).any(|window| window == *words);
        if START_WORDS.iter().any(holds) {
            return Ok(true);
        }
        if block.len() == before {
            return Ok(false);
        }
    }
}

/// Scans files one behind the other, as one log.
///
/// # Errors
/// When one cannot be read.
pub fn scan_files(files: &[PathBuf]) -> Result<Scan, LogError> {
    let mut scanner = Scanner::new();
    let mut block = vec![0; BLOCK_BYTES];
    for path in files {
        let fail = |error| LogError::new(path, error);
        let mut file = open(path).map_err(fail)?;
        loop {
            let count = file.read(&mut block).map_err(fail)?;
            match block.get(..count) {
                Some(read) if !read.is_empty() => scanner.push(read),
                _ => break,
            }
        }
    }
    Ok(scanner.finish())
}
