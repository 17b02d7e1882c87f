//! A log from its files: as far back as the last start that matters, or a given time.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::clock::Stamp;
use super::files::LogFiles;
use super::finding::Scan;
use super::scan::Scanner;
use super::since::{Since, stamps};
use super::unpack::{LogError, is_torn, open_unpacked};

/// Bytes read at once.
const BLOCK_BYTES: usize = 1024 * 1024;
/// The kernel copies to the beginning of a page in half the time it takes to copy to most others.
const PAGE_BYTES: usize = 4096;
/// Rolled files that are read to find the last start.
const ROLLED_MAX: usize = 10;
/// Bytes at the beginning of a file in which its first stamp is.
const FIRST_BYTES: u64 = 256 * 1024;

/// A log that was read.
#[derive(Debug, Clone)]
pub struct ReadLog {
    /// What it told.
    pub scan: Scan,
    /// The files that were read, oldest first.
    pub files: Vec<PathBuf>,
}

/// Reads a node's log: the file that is written to, and as long as none holds a start of the node,
/// those before it. With `since`, every record from then on.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn read_logs(logs: &LogFiles, since: Option<&Since>) -> Result<ReadLog, LogError> {
    let mut files = if logs.live.is_file() { vec![logs.live.clone()] } else { Vec::new() };
    let since = match since {
        Some(Since::Ago(_)) if files.is_empty() => None,
        Some(since) => since.stamp(&logs.live).map_err(|error| LogError::new(&logs.live, error))?,
        None => None,
    };
    let scan = scan_since(&files, since)?;
    if since.is_none() && scan.has_start {
        return Ok(ReadLog { scan, files });
    }
    let mut rolled = logs.rolled.iter().rev();
    if let Some(since) = since {
        while first_stamp(&files)?.is_none_or(|first| first > since)
            && let Some(path) = rolled.next()
        {
            files.insert(0, path.clone());
        }
    } else {
        for path in rolled.take(ROLLED_MAX) {
            files.insert(0, path.clone());
            if scan_files(std::slice::from_ref(path))?.has_start {
                break;
            }
        }
    }
    let is_read = files.len() == usize::from(logs.live.is_file());
    let scan = if is_read { scan } else { scan_since(&files, since)? };
    Ok(ReadLog { scan, files })
}

/// Scans files one behind the other, as one log.
///
/// # Errors
/// When one cannot be read.
pub fn scan_files(files: &[PathBuf]) -> Result<Scan, LogError> {
    scan_since(files, None)
}

fn scan_since(files: &[PathBuf], since: Option<Stamp>) -> Result<Scan, LogError> {
    let mut scanner = Scanner::new();
    scanner.since(since);
    let mut torn = Vec::new();
    let mut room = vec![0; BLOCK_BYTES.saturating_add(PAGE_BYTES)];
    let from = room.as_ptr().align_offset(PAGE_BYTES);
    let block = room.get_mut(from..from.saturating_add(BLOCK_BYTES)).unwrap_or_default();
    for path in files {
        let fail = |error| LogError::new(path, error);
        let mut file = open_unpacked(path).map_err(fail)?;
        loop {
            match file.read(block) {
                Ok(0) => break,
                Ok(count) => scanner.push(block.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_torn(&error) => {
                    torn.push(format!("{} ends before its end: {error}", path.display()));
                    break;
                }
                Err(error) => return Err(fail(error)),
            }
        }
        scanner.end_file();
    }
    let mut scan = scanner.finish();
    scan.notes.extend(torn);
    Ok(scan)
}

/// The first stamp of the oldest file.
fn first_stamp(files: &[PathBuf]) -> Result<Option<Stamp>, LogError> {
    let Some(path) = files.first() else { return Ok(None) };
    let read = |path: &Path| {
        let mut first = Vec::new();
        open_unpacked(path)?.take(FIRST_BYTES).read_to_end(&mut first)?;
        Ok(first)
    };
    let first = match read(path) {
        Ok(first) => first,
        Err(error) if is_torn(&error) => return Ok(None),
        Err(error) => return Err(LogError::new(path, error)),
    };
    Ok(stamps(&first).next())
}

#[cfg(test)]
mod tests;
