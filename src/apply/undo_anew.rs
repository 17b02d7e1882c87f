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
        let (Step::Record { file, was, .. } | Step::Copy { file, was, .. }) = step else {
            return Ok(());
        };
        if self.view.fingerprint(file)?.is_some_and(|now| now.same_content(was)) {
            return Ok(());
        }
        match step {
            Step::Copy { kept, labels, .. } => {
                let copy = self.view.fingerprint(kept)?.filter(|copy| copy.same_content(was));
                if copy.is_none() {
                    return Err(UndoError::missing(kept, file));
                }
                self.write_anew((file, file), was, whole(kept, was), labels)
            }
            Step::Record { content, .. } => {
                let content = vec![Piece::Bytes(content.clone())];
                self.write_anew((file, file), was, content, &Labels::new())
            }
            _ => Ok(()),
        }
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
