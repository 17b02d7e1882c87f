//! What an undo writes anew, because the file itself is not there any more, or is another one: from
//! the journal, or from a copy on another file system.

use std::path::Path;

use super::content::whole;
use super::step::Step;
use super::store::{Fingerprint, Labels};
use super::undo::Undoing;
use super::undo_error::UndoError;
use crate::plan::{Content, Piece};

impl Undoing<'_> {
    /// What the step kept of a file that has another file's content now, or is gone.
    pub(super) fn returns_anew(&mut self, step: &Step) -> Result<(), UndoError> {
        let none = Labels::new();
        let (file, was, content, labels, copy) = match step {
            Step::Record { file, was, content } => {
                (file, was, vec![Piece::Bytes(content.clone())], &none, None)
            }
            Step::Copy { file, kept, was, labels } => {
                (file, was, whole(kept, was), labels, Some(kept))
            }
            _ => return Ok(()),
        };
        if self.has_content(file, was)? {
            return Ok(());
        }
        if let Some(copy) = copy
            && !self.has_content(copy, was)?
        {
            return Err(UndoError::missing(copy, file));
        }
        self.write_anew((file, file), was, content, labels)
    }

    fn has_content(&mut self, path: &Path, was: &Fingerprint) -> Result<bool, UndoError> {
        Ok(self.view.fingerprint(path)?.is_some_and(|now| now.same_content(was)))
    }

    /// A file comes back with this content, under the first of its names.
    pub(super) fn write_anew(
        &mut self,
        names: (&Path, &Path),
        was: &Fingerprint,
        content: Content,
        labels: &Labels,
    ) -> Result<(), UndoError> {
        let step = self.newer.write_anew(&mut self.view, names, was, (content, labels))?;
        self.back.push(step);
        Ok(())
    }
}
