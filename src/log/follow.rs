//! Follows a log that is written to, renamed, cut short and made anew.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::files::{LogError, open};

/// Bytes handed out at once.
const POLL_MAX_BYTES: usize = 4 * 1024 * 1024;

/// A place in a log that may not be there yet.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    file: Option<File>,
    offset: u64,
}

impl Follower {
    /// Marks the end of the log as it is now; its beginning when it is not there.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn at_end(path: &Path) -> Result<Self, LogError> {
        let mut follower = Self { path: path.to_path_buf(), file: None, offset: 0 };
        match open(path) {
            Ok(file) => {
                let metadata = file.metadata().map_err(|error| LogError::new(path, error))?;
                follower.offset = metadata.len();
                follower.file = Some(file);
                Ok(follower)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(follower),
            Err(error) => Err(LogError::new(path, error)),
        }
    }

    /// What was written since the last call, at most 4 MiB of it: first the rest of a file that
    /// was renamed, then the new one from its start; a file that was cut short from its start.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn poll(&mut self) -> Result<Vec<u8>, LogError> {
        self.read().map_err(|error| LogError::new(&self.path, error))
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        if let Some(file) = &self.file {
            let metadata = file.metadata()?;
            if metadata.len() < self.offset {
                self.offset = 0;
            }
            let mut bytes = vec![0; POLL_MAX_BYTES.min(room(metadata.len(), self.offset))];
            let count = file.read_at(&mut bytes, self.offset)?;
            bytes.truncate(count);
            self.offset = self.offset.saturating_add(count as u64);
            if count > 0 || self.is_still_there(&metadata) {
                return Ok(bytes);
            }
        }
        // The file was renamed or removed and is read to its end, or there was none.
        match open(&self.path) {
            Ok(file) => {
                self.file = Some(file);
                self.offset = 0;
                let length =
                    self.file.as_ref().map_or(Ok(0), |file| file.metadata().map(|m| m.len()))?;
                if length == 0 { Ok(Vec::new()) } else { self.read() }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn is_still_there(&self, ours: &std::fs::Metadata) -> bool {
        match std::fs::metadata(&self.path) {
            Ok(now) => now.dev() == ours.dev() && now.ino() == ours.ino(),
            Err(_) => true,
        }
    }
}

fn room(length: u64, offset: u64) -> usize {
    usize::try_from(length.saturating_sub(offset)).unwrap_or(POLL_MAX_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    fn append(path: &Path, text: &str) {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn poll(follower: &mut Follower) -> String {
        String::from_utf8(follower.poll().unwrap()).unwrap()
    }

    #[test]
    fn only_what_is_new_and_through_a_rename() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.log");
        append(&path, "old\n");
        let mut follower = Follower::at_end(&path).unwrap();
        assert_eq!(poll(&mut follower), "");
        append(&path, "one\n");
        assert_eq!(poll(&mut follower), "one\n");
        append(&path, "two\n");
        fs::rename(&path, folder.path().join("c.log.1")).unwrap();
        assert_eq!(poll(&mut follower), "two\n", "the rest of the renamed file first");
        append(&path, "three\n");
        assert_eq!(poll(&mut follower), "three\n");
    }

    #[test]
    fn a_file_cut_short_is_read_from_its_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.log");
        append(&path, "a long old line\n");
        let mut follower = Follower::at_end(&path).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
        append(&path, "new\n");
        assert_eq!(poll(&mut follower), "new\n");
    }

    #[test]
    fn a_file_that_comes_later_is_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.log");
        let mut follower = Follower::at_end(&path).unwrap();
        assert_eq!(poll(&mut follower), "");
        append(&path, "first\n");
        assert_eq!(poll(&mut follower), "first\n");
    }
}
