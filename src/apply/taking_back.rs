//! A run is finished, taken back, or put back again.

use std::path::PathBuf;

use super::error::ApplyError;
use super::journal::{Intent, Journal};
use super::quarantine::Quarantine;
use super::redo::redo_steps;
use super::room::check_room;
use super::run::{Receipt, RunFolder};
use super::step::Step;
use super::store::Store;
use super::summary::{Journals, RunState, undo_journal};
use super::undo::{NewerFiles, undo_steps};
use super::undo_error::UndoError;

impl RunFolder {
    /// Finishes a round, an undo or a redo that was stopped; otherwise there is nothing to do.
    ///
    /// # Errors
    /// See [`ApplyError`].
    pub fn resume(
        &mut self,
        store: &mut dyn Store,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Receipt, ApplyError> {
        let Journals { mut rounds, mut undos } = Journals::read(self.path())?;
        match undos.pop().or_else(|| rounds.pop()) {
            Some(mut journal) => self.execute(store, cancelled, &mut journal),
            None => Ok(nothing()),
        }
    }

    /// The steps that [`RunFolder::resume`] would do.
    ///
    /// # Errors
    /// When a journal cannot be used.
    pub fn left_steps(&self) -> Result<Vec<Step>, ApplyError> {
        let Journals { rounds, undos } = Journals::read(self.path())?;
        let last = undos.last().or(rounds.last());
        Ok(last.map(Journal::left_steps).unwrap_or_default())
    }

    /// The steps that [`RunFolder::undo`] would do; none when there is nothing to take back.
    ///
    /// # Errors
    /// When the server has since written to a shard, or a file is missing from the quarantine.
    pub fn undo_plan(
        &self,
        store: &dyn Store,
        newer_files: NewerFiles,
    ) -> Result<Vec<Step>, UndoError> {
        let journals = Journals::read(self.path())?;
        match journals.state() {
            RunState::Empty | RunState::Undone | RunState::Unreadable(_) => Ok(Vec::new()),
            RunState::UndoUnfinished => {
                Ok(journals.undos.last().map(Journal::left_steps).unwrap_or_default())
            }
            RunState::Unfinished { .. } | RunState::RedoUnfinished | RunState::Done => {
                let mut rounds = journals.rounds;
                rounds.reverse();
                undo_steps(store, &rounds, newer_files)
            }
        }
    }

    /// Takes every round back, newest first, or goes on with that; done already, nothing happens.
    /// Everything is checked before the first change. The folders of the quarantine, and new files
    /// that were staged, stay.
    ///
    /// # Errors
    /// See [`ApplyError`].
    pub fn undo(
        &mut self,
        store: &mut dyn Store,
        cancelled: &dyn Fn() -> bool,
        newer_files: NewerFiles,
    ) -> Result<Receipt, ApplyError> {
        match self.state() {
            RunState::Empty => return Ok(nothing()),
            RunState::Undone | RunState::UndoUnfinished => return self.resume(store, cancelled),
            RunState::Unfinished { .. }
            | RunState::RedoUnfinished
            | RunState::Done
            | RunState::Unreadable(_) => {}
        }
        let steps = self.undo_plan(store, newer_files)?;
        self.take_back(store, cancelled, steps)
    }

    /// The steps that [`RunFolder::redo`] would do.
    ///
    /// # Errors
    /// When the run was not undone, it was stopped before that (what would come back is half a
    /// repair), or a file is not what the undo left.
    pub fn redo_plan(&self, store: &dyn Store) -> Result<Vec<Step>, UndoError> {
        let journals = Journals::read(self.path())?;
        match (journals.state(), journals.undos.last()) {
            (RunState::Undone, _) if !journals.rounds.iter().all(Journal::is_ended) => {
                let why = format!(
                    "run {} was stopped before its end and then undone: there is no whole repair \
                     to put back; start a new repair",
                    self.id()
                );
                Err(UndoError::NotNow(why))
            }
            (RunState::Undone, Some(undo)) => redo_steps(store, undo),
            (RunState::RedoUnfinished, Some(redo)) => Ok(redo.left_steps()),
            _ => {
                let why = format!("run {} was not undone, so no undo can be taken back", self.id());
                Err(UndoError::NotNow(why))
            }
        }
    }

    /// Takes an undo back, so that the shards are as the repair left them, or goes on with that.
    ///
    /// # Errors
    /// See [`ApplyError`].
    pub fn redo(
        &mut self,
        store: &mut dyn Store,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Receipt, ApplyError> {
        if self.state() == RunState::RedoUnfinished {
            return self.resume(store, cancelled);
        }
        let steps = self.redo_plan(store)?;
        self.take_back(store, cancelled, steps)
    }

    fn take_back(
        &self,
        store: &mut dyn Store,
        cancelled: &dyn Fn() -> bool,
        steps: Vec<Step>,
    ) -> Result<Receipt, ApplyError> {
        let Journals { rounds, undos } = Journals::read(self.path())?;
        let quarantines = quarantines_of(&rounds);
        check_room(store, &steps, &quarantines.iter().collect::<Vec<_>>())?;
        let intent = Intent { quarantines, steps, ..Intent::default() };
        let path: PathBuf = undo_journal(self.path(), undos.len());
        let mut journal = self.begin(store, &path, intent)?;
        self.execute(store, cancelled, &mut journal)
    }
}

fn quarantines_of(rounds: &[Journal]) -> Vec<Quarantine> {
    rounds.iter().flat_map(|round| round.intent().quarantines.clone()).collect()
}

fn nothing() -> Receipt {
    Receipt { round: 0, quarantines: Vec::new(), step_count: 0, notes: Vec::new() }
}
