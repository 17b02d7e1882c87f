//! What is known of a run without doing anything with it: its name, what it was started for, and
//! how far it got.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::disk::DiskStore;
use super::journal::{Journal, JournalError};

/// File with the [`RunAbout`] of a run.
pub(super) const ABOUT_NAME: &str = "run.json";
/// File with the report; its number `/loss/operations` is shown in the list of runs.
const REPORT_NAME: &str = "report.json";
/// Most rounds of a run that are looked for.
const ROUNDS_MAX: u32 = 10_000;

/// Name of a run: when it was started (UTC) and four random hexadecimal digits, as
/// `20261124T143012Z-4f2a`. Sorts by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RunId(String);

impl RunId {
    /// Takes the name of a folder below `runs/`.
    pub(super) fn of_folder(name: String) -> Self {
        Self(name)
    }

    /// The name as text, which is safe as the name of a folder.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a run was started for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunAbout {
    /// The data paths of the node.
    pub data_paths: Vec<PathBuf>,
    /// The service manager and service, for people.
    pub service: String,
    /// The folder asked for with `--quarantine-dir`.
    pub quarantine_dir: Option<PathBuf>,
    /// The command line.
    pub arguments: Vec<String>,
}

/// The content of `run.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AboutFile {
    pub(super) id: String,
    pub(super) tool_version: String,
    pub(super) started_at: String,
    #[serde(flatten)]
    pub(super) about: RunAbout,
}

impl AboutFile {
    pub(super) fn read(run: &Path) -> io::Result<Self> {
        let bytes = std::fs::read(run.join(ABOUT_NAME))?;
        serde_json::from_slice(&bytes).map_err(io::Error::other)
    }
}

/// How far a run got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Nothing was changed on the disk.
    Empty,
    /// It was stopped in this round: `resume` goes on, `undo` takes it back.
    Unfinished {
        /// The round, from 1.
        round: u32,
    },
    /// Every step of every round is done.
    Done,
    /// It was taken back.
    Undone,
    /// It was stopped while it was taken back: `resume` and `undo` both go on with that.
    UndoUnfinished,
    /// It was stopped while an undo was taken back: `resume` goes on, `undo` undoes it again.
    RedoUnfinished,
    /// What it says of itself cannot be read, and why.
    Unreadable(String),
}

/// One line of the list of runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunSummary {
    /// Its name.
    pub id: RunId,
    /// When it was started (UTC, RFC 3339); empty when that cannot be read.
    pub started_at: String,
    /// How far it got.
    pub state: RunState,
    /// The data paths of its node, links resolved.
    pub data_paths: Vec<PathBuf>,
    /// The shards it changed, as `[index][0]`, each once.
    pub shards: Vec<String>,
    /// Operations lost, as `report.json` of the run says.
    pub lost_operation_count: Option<u64>,
    /// Its folder.
    pub path: PathBuf,
}

impl RunSummary {
    /// Reads the folder of a run; what cannot be read becomes [`RunState::Unreadable`].
    pub(super) fn read(path: PathBuf, id: RunId) -> Self {
        let about = AboutFile::read(&path);
        let journals = Journals::read(&path);
        let mut shards = Vec::new();
        for round in journals.iter().flat_map(|journals| &journals.rounds) {
            for shard in &round.intent().shards {
                if !shards.contains(shard) {
                    shards.push(shard.clone());
                }
            }
        }
        let state = match (&journals, &about) {
            (Err(error), _) => RunState::Unreadable(error.to_string()),
            (_, Err(error)) => {
                RunState::Unreadable(format!("cannot read {ABOUT_NAME} of the run: {error}"))
            }
            (Ok(journals), Ok(_)) => journals.state(),
        };
        let (started_at, data_paths) = about.map_or_else(
            |_| (String::new(), vec![]),
            |file| (file.started_at, file.about.data_paths),
        );
        let lost_operation_count = lost_operation_count(&path);
        Self { id, started_at, state, data_paths, shards, lost_operation_count, path }
    }
}

fn lost_operation_count(run: &Path) -> Option<u64> {
    let bytes = std::fs::read(run.join(REPORT_NAME)).ok()?;
    let report: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    report.pointer("/loss/operations")?.as_u64()
}

/// Where the journal of a round is.
pub(super) fn round_journal(run: &Path, round: u32) -> PathBuf {
    run.join(format!("round-{round}.journal"))
}

/// Where the journal of an undo is, or of the redo that takes it back, after `earlier_count` such.
pub(super) fn undo_journal(run: &Path, earlier_count: usize) -> PathBuf {
    match earlier_count {
        0 => run.join("undo.journal"),
        _ => run.join(format!("undo-{}.journal", earlier_count.saturating_add(1))),
    }
}

/// All journals of a run.
pub(super) struct Journals {
    /// Those of the rounds, oldest first.
    pub(super) rounds: Vec<Journal>,
    /// Those of an undo, of the redo that takes it back, of the next undo, and so on.
    pub(super) undos: Vec<Journal>,
}

impl Journals {
    /// Reads all journals of a run.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub(super) fn read(run: &Path) -> Result<Self, JournalError> {
        let store = DiskStore::default();
        let open = |path: PathBuf| {
            if path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                return Ok(None);
            }
            Journal::open(&store, &path).map(Some)
        };
        let mut rounds = Vec::new();
        for round in 1..=ROUNDS_MAX {
            let Some(journal) = open(round_journal(run, round))? else { break };
            rounds.push(journal);
        }
        let mut undos = Vec::new();
        while let Some(journal) = open(undo_journal(run, undos.len()))? {
            undos.push(journal);
        }
        Ok(Self { rounds, undos })
    }

    /// How far the run got.
    pub(super) fn state(&self) -> RunState {
        match (self.undos.last(), self.rounds.last()) {
            (None, None) => RunState::Empty,
            (None, Some(last)) if last.is_ended() => RunState::Done,
            (None, Some(last)) => RunState::Unfinished { round: last.intent().round },
            (Some(last), _) => match (self.undos.len() % 2 == 1, last.is_ended()) {
                (true, true) => RunState::Undone,
                (true, false) => RunState::UndoUnfinished,
                (false, true) => RunState::Done,
                (false, false) => RunState::RedoUnfinished,
            },
        }
    }
}
