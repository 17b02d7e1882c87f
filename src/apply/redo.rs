//! The steps of an undo, taken back: the repair is there again. What is not as the undo left it is
//! not touched.

use std::path::Path;

use super::journal::Journal;
use super::sequence::Sequence;
use super::step::Step;
use super::store::Store;
use super::tree::Tree;
use super::undo_error::UndoError;
use super::view::View;

/// The steps that take an undo back.
///
/// # Errors
/// When a file is not what the undo left.
pub(crate) fn redo_steps(store: &dyn Store, undo: &Journal) -> Result<Vec<Step>, UndoError> {
    let mut view = View::new(store);
    let mut steps = Sequence::default();
    let mut part = Vec::new();
    for step in undo.steps().iter().rev() {
        let (from, to) = match step {
            Step::Move { from, to, .. }
            | Step::MoveFolder { from, to, .. }
            | Step::Rewrite { from, to, .. } => (from, to),
            Step::Install { staged, path, .. } => (staged, path),
            Step::Sync { .. } => {
                steps.part(part.drain(..));
                continue;
            }
            Step::CreateFolder { .. }
            | Step::Keep { .. }
            | Step::Record { .. }
            | Step::Copy { .. }
            | Step::Remove { .. }
            | Step::Stage { .. }
            | Step::SetTimes { .. } => continue,
        };
        if let Step::MoveFolder { was, .. } = step {
            part.push(put_back(&mut view, (from, to), was)?);
            continue;
        }
        let now = view.fingerprint(to)?.ok_or_else(|| UndoError::gone(to))?;
        if from != to && view.is_there(from)? {
            let files = vec![(from.clone(), "it is new".to_owned())];
            return Err(UndoError::Newer { files });
        }
        view.rename(to, from);
        part.push(match step {
            Step::Rewrite { old, new, .. } => {
                if view.read(from, new.len())? != *new {
                    return Err(UndoError::Newer { files: vec![(to.clone(), now.to_string())] });
                }
                view.write(from, now.with_content(old));
                Step::Rewrite {
                    from: to.clone(),
                    to: from.clone(),
                    was: now,
                    old: new.clone(),
                    new: old.clone(),
                    times: None,
                }
            }
            _ => Step::Move { from: to.clone(), to: from.clone(), was: now },
        });
    }
    steps.part(part);
    Ok(steps.finish())
}

/// A folder that an undo moved, moved again.
fn put_back(
    view: &mut View<'_>,
    (from, to): (&Path, &Path),
    was: &Tree,
) -> Result<Step, UndoError> {
    if view.inode(to)? != Some(was.inode) {
        return Err(UndoError::gone(to));
    }
    if view.is_there(from)? {
        return Err(UndoError::Newer { files: vec![(from.to_path_buf(), "it is new".to_owned())] });
    }
    view.rename_folder(to, from);
    let was = Tree::identity(was.inode);
    Ok(Step::MoveFolder { from: to.to_path_buf(), to: from.to_path_buf(), was })
}
