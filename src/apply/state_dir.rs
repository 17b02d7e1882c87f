//! The folder that outlives a run: journals, plans and reports of every run, and the run locks.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::run::RunFolder;
use super::run_lock::RunLock;
use super::state_error::StateError;
use super::state_files::{make_folder, make_hidden, sync_folder, write_file};
use super::state_way::{check_own, check_way};
use super::summary::{ABOUT_NAME, AboutFile, RunAbout, RunId, RunState, RunSummary};

/// How many names are tried for a new run: two of one second may get the same digits.
const NAME_ATTEMPTS_MAX: u32 = crate::limit::RUN_NAMES.count();
/// Folder of the runs in the state folder.
const RUNS: &str = "runs";
/// In memory, on every Linux of the last decade.
const SPARE: &str = "/run/es-translog-fix";
/// Free bytes below which a state folder counts as full.
const JOURNAL_ROOM_BYTES: u64 = 1024 * 1024;

/// The state folder, `/var/lib/es-translog-fix` by default: `runs/ID/` and `locks/`.
///
/// It is made, for its owner only, when the first run begins; looking at it makes nothing. It is
/// not used where somebody else could change it, for reading as little as for writing: what a
/// journal says is done.
#[derive(Debug, Clone)]
pub struct StateDir {
    /// As it was named.
    named: PathBuf,
    pub(super) path: PathBuf,
    /// What is used when no byte is free there.
    pub(super) spare: PathBuf,
}

impl StateDir {
    /// Names the folder; it need not exist.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self::with_spare(path, PathBuf::from(SPARE))
    }

    /// Names the folder, and the one that is used when no byte is free there.
    #[must_use]
    pub fn with_spare(path: PathBuf, spare: PathBuf) -> Self {
        let named = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
        Self { named, path: absolute(path), spare: absolute(spare) }
    }

    /// Makes the folder where it is not there yet; its path.
    ///
    /// # Errors
    /// When it cannot be made, or somebody else could change what is in it.
    pub fn make(&self) -> Result<&Path, StateError> {
        check_way(&self.named)?;
        make(&self.path)?;
        Ok(&self.path)
    }

    /// Every run, oldest first. One that cannot be read is listed as that.
    ///
    /// # Errors
    /// When the folder of the runs cannot be listed.
    pub fn runs(&self) -> Result<Vec<RunSummary>, StateError> {
        let ids = self.ids()?.into_iter();
        Ok(ids.map(|(id, path)| RunSummary::read(path, id)).collect())
    }

    /// The run of this name, or the only one whose name starts so.
    ///
    /// # Errors
    /// When there is no such run or more than one.
    pub fn find(&self, id_or_unique_prefix: &str) -> Result<RunFolder, StateError> {
        let asked = id_or_unique_prefix.to_owned();
        let mut ids = self.ids()?;
        let is_whole = ids.iter().any(|(id, _)| id.as_str() == asked);
        ids.retain(|(id, _)| {
            let starts_so = !asked.is_empty() && id.as_str().starts_with(&asked);
            if is_whole { id.as_str() == asked } else { starts_so }
        });
        match ids.as_slice() {
            [] => Err(StateError::NotFound { asked, runs: self.path.join(RUNS) }),
            [(id, path)] => Ok(RunFolder::at(path.clone(), id.clone())),
            ids => {
                let ids = ids.iter().map(|(id, _)| id.to_string()).collect();
                Err(StateError::Ambiguous { asked, ids })
            }
        }
    }

    /// The newest run on one of these data paths that was stopped in a round or in an undo.
    ///
    /// # Errors
    /// When the folder of the runs cannot be listed.
    pub fn unfinished_on(&self, data_paths: &[PathBuf]) -> Result<Option<RunSummary>, StateError> {
        let data_paths = resolved(data_paths);
        let mut runs = self.runs()?;
        runs.retain(|run| {
            let stopped = matches!(
                run.state,
                RunState::Unfinished { .. } | RunState::UndoUnfinished | RunState::RedoUnfinished
            );
            stopped && run.data_paths.iter().any(|path| data_paths.contains(path))
        });
        Ok(runs.pop())
    }

    /// Makes sure that no other run works on these data paths. The lock ends with the process.
    ///
    /// # Errors
    /// [`StateError::Busy`] when another has it; or the folder cannot be used.
    pub fn lock(&self, data_paths: &[PathBuf]) -> Result<RunLock, StateError> {
        let data_paths = resolved(data_paths);
        self.where_room_is(|folder| {
            let locks = folder.join("locks");
            make(folder)?;
            make_folder(&locks)?;
            check_own(&locks)?;
            RunLock::take(&locks, &data_paths)
        })
    }

    /// Begins a run: a folder of its own, on the disk when this returns. Hold the lock meanwhile.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn begin(&self, about: RunAbout) -> Result<RunFolder, StateError> {
        let about = RunAbout {
            data_paths: resolved(&about.data_paths),
            quarantine_dir: about.quarantine_dir.map(absolute),
            ..about
        };
        let mut run = self.where_room_is(|folder| {
            make(folder)?;
            check_room(folder)?;
            begin_in(&folder.join(RUNS), &about, &mut new_id)
        })?;
        run.is_volatile = run.path().starts_with(&self.spare);
        Ok(run)
    }

    /// Does it in the state folder; where no byte is free or nothing can be written there, in the
    /// spare one.
    pub(super) fn where_room_is<T>(
        &self,
        act: impl Fn(&Path) -> Result<T, StateError>,
    ) -> Result<T, StateError> {
        check_way(&self.named)?;
        match act(&self.path) {
            Err(error) if error.is_no_room() && self.spare != self.path => act(&self.spare),
            other => other,
        }
    }

    fn ids(&self) -> Result<Vec<(RunId, PathBuf)>, StateError> {
        check_way(&self.named)?;
        let mut ids = ids_in(&self.path.join(RUNS))?;
        if self.spare != self.path {
            // Of the spare folder only what can be read is of interest: most machines have none.
            ids.extend(ids_in(&self.spare.join(RUNS)).unwrap_or_default());
        }
        ids.sort();
        Ok(ids)
    }
}

fn ids_in(runs: &Path) -> Result<Vec<(RunId, PathBuf)>, StateError> {
    let fail = |source| StateError::io("list the runs in", runs, source);
    let entries = match runs.read_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(fail)?,
    };
    check_way(runs)?;
    let mut ids = Vec::new();
    for entry in entries {
        let entry = entry.map_err(fail)?;
        let is_folder = entry.file_type().map_err(fail)?.is_dir();
        match entry.file_name().into_string() {
            Ok(name) if is_folder && !name.starts_with('.') => {
                check_way(&entry.path())?;
                ids.push((RunId::of_folder(name), entry.path()));
            }
            _ => {}
        }
    }
    Ok(ids)
}

fn begin_in(
    runs: &Path,
    about: &RunAbout,
    new_id: &mut dyn FnMut(Timestamp) -> RunId,
) -> Result<RunFolder, StateError> {
    make_folder(runs)?;
    check_own(runs)?;
    let now = Timestamp::now();
    for _ in 0..NAME_ATTEMPTS_MAX {
        let id = new_id(now);
        // Written under a hidden name first, so that a run that is listed is whole.
        let (hidden, path) = (runs.join(format!(".{id}")), runs.join(id.as_str()));
        if path.exists() || hidden.exists() {
            continue;
        }
        make_hidden(&hidden)?;
        let file = AboutFile {
            id: id.to_string(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            about: about.clone(),
        };
        let fail = |source| StateError::io("begin the run", &path, source);
        let json = serde_json::to_vec_pretty(&file).map_err(|error| fail(error.into()))?;
        write_file(&hidden, ABOUT_NAME, &json)?;
        std::fs::rename(&hidden, &path).map_err(fail)?;
        sync_folder(runs)?;
        return Ok(RunFolder::at(path, id));
    }
    let why = io::Error::from(io::ErrorKind::AlreadyExists);
    Err(StateError::io("find a new name in", runs, why))
}

/// Room for the journal of any but a giant repair, so that it is not half-way that it runs out.
fn check_room(folder: &Path) -> Result<(), StateError> {
    let fail = |source| StateError::io("use the state folder", folder, source);
    let facts = nix::sys::statvfs::statvfs(folder).map_err(|errno| fail(errno.into()))?;
    let is_root = nix::unistd::geteuid().is_root();
    let blocks = if is_root { facts.blocks_free() } else { facts.blocks_available() };
    if blocks.saturating_mul(facts.fragment_size()) < JOURNAL_ROOM_BYTES {
        return Err(fail(io::Error::from(io::ErrorKind::StorageFull)));
    }
    Ok(())
}

pub(super) fn make(state: &Path) -> Result<(), StateError> {
    check_way(state)?;
    let mut missing: Vec<&Path> = state.ancestors().take_while(|folder| !folder.exists()).collect();
    while let Some(folder) = missing.pop() {
        make_folder(folder)?;
        check_own(folder)?;
    }
    check_own(state)
}

fn new_id(now: Timestamp) -> RunId {
    let mut name = now.strftime("%Y%m%dT%H%M%SZ-").to_string();
    for byte in uuid::Uuid::new_v4().into_bytes().iter().take(2) {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    RunId::of_folder(name)
}

/// A run may go on from another working folder than it began in. Links in the part that is there
/// are resolved now, because no later call follows one.
fn absolute(path: PathBuf) -> PathBuf {
    let path = std::path::absolute(&path).unwrap_or(path);
    for known in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (known.canonicalize(), path.strip_prefix(known)) {
            return if rest.as_os_str().is_empty() { real } else { real.join(rest) };
        }
    }
    path
}

/// Links resolved, so that a data path has one name; one that is gone stays as it is.
pub(super) fn resolved(data_paths: &[PathBuf]) -> Vec<PathBuf> {
    data_paths.iter().map(|path| path.canonicalize().unwrap_or_else(|_| path.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_always_taken_is_tried_so_often() {
        let top = tempfile::tempdir().unwrap();
        let about = RunAbout {
            data_paths: Vec::new(),
            service: String::new(),
            quarantine_dir: None,
            arguments: Vec::new(),
        };
        let mut tried = 0;
        let mut same = |_| {
            tried += 1;
            RunId::of_folder("one".to_owned())
        };
        begin_in(&top.path().join(RUNS), &about, &mut same).unwrap();
        let error = begin_in(&top.path().join(RUNS), &about, &mut same).unwrap_err();
        assert!(error.to_string().contains("find a new name"), "{error}");
        assert_eq!(tried, 1 + NAME_ATTEMPTS_MAX);
    }
}
