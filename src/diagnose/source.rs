//! Files as decoders want them: opened for reading only, links not followed, times left alone.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;
use rustix::fs::SeekFrom;
use rustix::io::Errno;

use crate::format::ReadAt;
use crate::node::nofollow::HeldFolders;

/// A file of a shard, open for reading.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    len_bytes: u64,
}

impl FileSource {
    /// Opens a regular file of a shard: no part of its path may be a link, nor may it be a second
    /// name of somebody else's file, because whoever owns the shard could have put it there.
    ///
    /// # Errors
    /// When it cannot be opened, or is not a regular file.
    pub fn open_in_shard(path: &Path) -> io::Result<Self> {
        let file = HeldFolders::default().read_own(path)?;
        let len_bytes = file.metadata()?.len();
        Ok(Self { file, len_bytes })
    }

    /// Opens a regular file. A link in its last component, a folder, a pipe are errors.
    ///
    /// # Errors
    /// When it cannot be opened, or is not a regular file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
        let mut options = OpenOptions::new();
        options.read(true).custom_flags((flags | OFlag::O_NOATIME).bits());
        let file = match options.open(path) {
            // Only the owner and root may leave the access time alone.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                options.custom_flags(flags.bits()).open(path)
            }
            other => other,
        }?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        Ok(Self { file, len_bytes: metadata.len() })
    }

    /// The whole content, when it is at most `limit_bytes` long.
    ///
    /// # Errors
    /// When it is longer or cannot be read.
    pub fn read_all(mut self, limit_bytes: u64) -> io::Result<Vec<u8>> {
        if self.len_bytes > limit_bytes {
            return Err(io::Error::other(format!(
                "{} bytes, longer than any such file ({limit_bytes} bytes)",
                self.len_bytes
            )));
        }
        let mut bytes = Vec::new();
        Read::by_ref(&mut self.file).take(limit_bytes).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl ReadAt for FileSource {
    fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn written_from(&self, offset: u64) -> u64 {
        written_from(&self.file, offset)
    }
}

/// The first offset from here on at which something may have been written to a file; its length
/// where nothing is. Moves the place from which the file is read in order.
pub(crate) fn written_from(file: &File, offset: u64) -> u64 {
    match rustix::fs::seek(file, SeekFrom::Data(offset)) {
        Err(Errno::NXIO) => file.metadata().map_or(offset, |facts| facts.len().max(offset)),
        // A file system that does not tell.
        Err(_) => offset,
        Ok(written_from) => written_from,
    }
}
