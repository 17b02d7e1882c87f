//! How much room a file system has, as the server's user sees it.

use std::io;
use std::path::Path;

use nix::sys::statvfs::statvfs;

/// Room on the file system that holds a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreeSpace {
    /// Bytes that a process without special rights can still write. A server does not run as root
    /// (5.0 and later refuse to), so blocks kept for root are not counted.
    pub free_bytes: u64,
    /// Bytes the file system holds in all.
    pub total_bytes: u64,
    /// Files that can still be made; `None` where the file system has no fixed number (btrfs).
    pub free_inodes: Option<u64>,
}

/// The room on the file system that holds `path`.
///
/// # Errors
///
/// What `statvfs(3)` gives: no such path, or no right to pass through its folders.
pub fn free_space(path: &Path) -> io::Result<FreeSpace> {
    let facts = statvfs(path)?;
    let block_bytes = facts.fragment_size();
    Ok(FreeSpace {
        free_bytes: facts.blocks_available().saturating_mul(block_bytes),
        total_bytes: facts.blocks().saturating_mul(block_bytes),
        free_inodes: (facts.files() > 0).then(|| facts.files_available()),
    })
}

/// Bytes of the files in a folder and below, as far as they can be looked at.
#[must_use]
pub fn used_space(folder: &Path) -> u64 {
    let mut left = vec![folder.to_path_buf()];
    let mut bytes: u64 = 0;
    while let Some(entries) = left.pop().map(|path| path.read_dir()) {
        for entry in entries.into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(facts) if facts.is_dir() => left.push(entry.path()),
                Ok(facts) if facts.is_file() => bytes = bytes.saturating_add(facts.len()),
                _ => {}
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_is_at_most_total() {
        let space = free_space(Path::new("/")).unwrap();
        assert!(space.total_bytes > 0);
        assert!(space.free_bytes <= space.total_bytes);
    }

    #[test]
    fn proc_has_no_inodes_to_count() {
        assert_eq!(free_space(Path::new("/proc")).unwrap().free_inodes, None);
    }

    #[test]
    fn a_missing_path_is_an_error() {
        let error = free_space(Path::new("/no/such/folder")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
