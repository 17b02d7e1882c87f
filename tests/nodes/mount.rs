//! A file system of its own, mounted as long as a value lives, in a mount namespace of this process.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::succeed;

/// See the head of this file.
pub(crate) struct Mount(PathBuf);

impl Mount {
    /// Mounts what `line` says, a line for a shell: `$1` is the folder, which is made, and `$2` a name
    /// for a file with its blocks.
    pub(crate) fn new(line: &str, place: &Path, blocks: &Path) -> Result<Self, String> {
        fs::create_dir_all(place).map_err(|error| format!("{}: {error}", place.display()))?;
        let [place_name, blocks] = [place, blocks].map(|path| path.display().to_string());
        succeed("sh", &["-euc", line, "sh", &place_name, &blocks])?;
        Ok(Self(place.to_path_buf()))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = succeed("umount", &["--lazy", &self.0.display().to_string()]);
    }
}
