//! Follows a journal: one `journalctl` that stays, and the last entry that was told.

use std::time::Duration;

use super::export::Export;
use super::output::{Output, Taken};
use super::{Journal, LINES};
use crate::log::place::POLL_MAX_BYTES;
use crate::log::unpack::LogError;

/// One that ended sooner is not started again: it cannot do its work.
const AGE_MIN: Duration = crate::limit::JOURNAL_AGE.time();

/// A place in a journal.
#[derive(Debug)]
pub(in crate::log) struct JournalFollower {
    journal: Journal,
    export: Export,
    output: Option<Output>,
}

impl JournalFollower {
    /// Marks the end of the journal as it is now.
    pub(in crate::log) fn at_end(journal: &Journal) -> Result<Self, LogError> {
        journal.sync();
        let last = journal.cursor(&[format!("{LINES}1")]).map_err(|error| journal.fail(error))?;
        Ok(Self::after(journal, last))
    }

    /// Goes on behind an entry. When that is not there any more, everything that is comes later;
    /// the second value is false then.
    pub(in crate::log) fn resume(journal: &Journal, cursor: &str) -> (Self, bool) {
        let at = [format!("--cursor={cursor}"), format!("{LINES}1")];
        // What is no cursor is not found; that nothing can be read shows when it is.
        let there = journal.cursor(&at).unwrap_or_default();
        let is_found = there.as_deref() == Some(cursor);
        (Self::after(journal, there.filter(|_| is_found)), is_found)
    }

    fn after(journal: &Journal, cursor: Option<String>) -> Self {
        Self { journal: journal.clone(), export: Export::after(cursor), output: None }
    }

    pub(in crate::log) fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The last entry that was handed out; `None` where its line goes on in the next.
    pub(in crate::log) fn cursor(&self) -> Option<&str> {
        self.export.cursor().filter(|_| !self.export.is_inside_line())
    }

    /// What was logged since the last call, about 1 MiB of it at most.
    pub(in crate::log) fn poll(&mut self) -> Result<Vec<u8>, LogError> {
        self.read().map_err(|error| self.journal.fail(error))
    }

    fn read(&mut self) -> std::io::Result<Vec<u8>> {
        let mut output = match self.output.take() {
            Some(output) => output,
            None => self.start()?,
        };
        let mut block = vec![0; 64 * 1024];
        let mut lines = Vec::new();
        let mut read_bytes = 0_usize;
        while read_bytes < POLL_MAX_BYTES {
            match output.take(&mut block)? {
                Taken::Bytes(count) => {
                    read_bytes = read_bytes.saturating_add(count);
                    self.export.push(block.get(..count).unwrap_or_default(), &mut lines);
                }
                Taken::Nothing => break,
                Taken::End => {
                    // Somebody ended it: the next one goes on behind the last whole entry.
                    let age = output.age();
                    if let Err(error) = output.ended()
                        && age < AGE_MIN
                    {
                        return Err(error);
                    }
                    return Ok(lines);
                }
            }
        }
        self.output = Some(output);
        Ok(lines)
    }

    /// As when somebody ends `journalctl`.
    #[cfg(test)]
    pub(super) fn end_output(&mut self) {
        self.output = None;
    }

    fn start(&mut self) -> std::io::Result<Output> {
        self.export.begin_again();
        let from = self.export.cursor().map(|cursor| format!("--cursor={cursor}"));
        let mut command = self.journal.command()?;
        Output::of(command.args(["--follow", "--no-tail"]).args(from))
    }
}
