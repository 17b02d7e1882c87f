//! That this program stopped a node, written down before it does and forgotten when the node is
//! started again: what is killed in between, the next run recognises.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::run_lock::data_path_name;
use super::state_dir::{StateDir, make, resolved};
use super::state_error::StateError;
use super::state_files::{make_folder, sync_folder, write_file};
use super::state_way::{check_own, check_way};

/// Folder of these records in the state folder.
const STOPPED: &str = "stopped";
/// Longest record that is read, in bytes.
const RECORD_MAX_BYTES: u64 = 1024 * 1024;

/// A node that was stopped and is to be started again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedNode {
    /// The service, for people.
    pub service: String,
    /// When it was stopped (UTC, RFC 3339).
    pub stopped_at: String,
    /// The data paths of the node, links resolved.
    pub data_paths: Vec<PathBuf>,
}

impl StateDir {
    /// Writes down that a node is about to be stopped. On the disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note_stopped(&self, node: StoppedNode) -> Result<(), StateError> {
        let node = StoppedNode { data_paths: resolved(&node.data_paths), ..node };
        let Some(name) = file_name(&node.data_paths) else { return Ok(()) };
        self.where_room_is(|state| {
            make(state)?;
            let folder = state.join(STOPPED);
            make_folder(&folder)?;
            check_own(&folder)?;
            let fail = |source: serde_json::Error| StateError::io("write", &folder, source.into());
            write_file(&folder, &name, &serde_json::to_vec(&node).map_err(fail)?)
        })
    }

    /// What was written down of a node with these data paths, and not forgotten since.
    ///
    /// # Errors
    /// When somebody else could have written it.
    pub fn stopped_on(&self, data_paths: &[PathBuf]) -> Result<Option<StoppedNode>, StateError> {
        let data_paths = resolved(data_paths);
        let Some(name) = file_name(&data_paths) else { return Ok(None) };
        for state in [&self.path, &self.spare] {
            let path = state.join(STOPPED).join(&name);
            let is_there = path
                .symlink_metadata()
                .is_ok_and(|facts| facts.is_file() && facts.len() <= RECORD_MAX_BYTES);
            if !is_there {
                continue;
            }
            check_way(&path)?;
            let fail = |source| StateError::io("read", &path, source);
            let bytes = std::fs::read(&path).map_err(fail)?;
            // One that is not whole was never written by this program.
            let node = serde_json::from_slice(&bytes).ok();
            let node = node.filter(|node: &StoppedNode| node.data_paths == data_paths);
            if node.is_some() {
                return Ok(node);
            }
        }
        Ok(None)
    }

    /// Forgets it: the node was started, or somebody else has started it.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget_stopped(&self, data_paths: &[PathBuf]) -> Result<(), StateError> {
        let Some(name) = file_name(&resolved(data_paths)) else { return Ok(()) };
        for state in [&self.path, &self.spare] {
            let folder = state.join(STOPPED);
            let path = folder.join(&name);
            match std::fs::remove_file(&path) {
                Ok(()) => sync_folder(&folder)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(StateError::io("remove", &path, source)),
            }
        }
        Ok(())
    }
}

/// By the first data path, which no two nodes share.
fn file_name(data_paths: &[PathBuf]) -> Option<String> {
    Some(format!("{}.json", data_path_name(data_paths.first()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stopped_is_known_until_it_is_forgotten() {
        let top = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let path = top.path().join(name);
            std::fs::create_dir(&path).unwrap();
            path.canonicalize().unwrap()
        };
        let data = vec![folder("data")];
        let other = vec![folder("other")];
        let state = StateDir::with_spare(top.path().join("state"), top.path().join("spare"));
        assert_eq!(state.stopped_on(&data).unwrap(), None);
        let node = StoppedNode {
            service: "unit x".to_owned(),
            stopped_at: "2026-11-23T09:00:00Z".to_owned(),
            data_paths: data.clone(),
        };
        state.note_stopped(node.clone()).unwrap();
        assert_eq!(state.stopped_on(&data).unwrap(), Some(node));
        assert_eq!(state.stopped_on(&other).unwrap(), None);
        state.forget_stopped(&data).unwrap();
        assert_eq!(state.stopped_on(&data).unwrap(), None);
        state.forget_stopped(&data).unwrap();
    }

    #[test]
    fn half_a_record_is_none() {
        let top = tempfile::tempdir().unwrap();
        let data = vec![top.path().canonicalize().unwrap()];
        let state = StateDir::with_spare(top.path().join("state"), top.path().join("spare"));
        let node = StoppedNode {
            service: String::new(),
            stopped_at: String::new(),
            data_paths: data.clone(),
        };
        state.note_stopped(node).unwrap();
        let file = top.path().join("state").join(STOPPED).join(file_name(&data).unwrap());
        let bytes = std::fs::read(&file).unwrap();
        std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        assert_eq!(state.stopped_on(&data).unwrap(), None);
    }
}
