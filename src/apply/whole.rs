//! A shard that leaves whole: its folder is renamed into the quarantine as it is.

use super::lower::LowerError;
use super::lowering::Lowering;
use super::manifest::manifest_of_folder;
use super::place::outside;
use super::quarantine::Quarantine;
use super::step::Step;
use super::tree::Tree;
use crate::plan::Change;

impl Lowering<'_> {
    /// The shard leaves whole: each of its folders, and nothing else is done to it.
    pub(super) fn whole(
        &mut self,
        changes: &[Change],
        places: &[Quarantine],
    ) -> Result<(), LowerError> {
        self.check_once(changes)?;
        let mut leave = Vec::new();
        for change in changes {
            let Change::MoveFolder { path } = change else {
                return Err(LowerError::Twice(change.path().clone()));
            };
            let place = places.iter().find(|place| place.shard_folder == *path);
            let place = place.ok_or_else(|| outside(path))?;
            if place.is_elsewhere() {
                return Err(LowerError::Elsewhere(path.clone()));
            }
            let gone = || LowerError::Gone(path.clone());
            self.before.note_tree(self.store, path)?;
            let was = Tree::of(self.store, path)?.ok_or_else(gone)?;
            let to = place.whole();
            self.take_in(place, &to, path)?;
            self.tell_of(place, &manifest_of_folder(path, &to, &was));
            leave.push(Step::MoveFolder { from: path.clone(), to, was });
        }
        self.exchange.shard([leave, Vec::new(), Vec::new()]);
        Ok(())
    }
}
