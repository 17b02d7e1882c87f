//! Changes -> steps: gives every change its place in the quarantine and what must hold before it.
//!
//! The order is what makes a stop harmless. For all shards together, first the folders of the
//! quarantine are made, every new file is written and synced where no server looks, and files that
//! stay get their second name: what the file system cannot do, and a lack of space, show before
//! a shard has changed. Then, a few shards at a time, the old files leave, the names are synced, and
//! the new files come in.

use std::path::PathBuf;

use super::journal::FolderBefore;
use super::lowering::Lowering;
use super::quarantine::Quarantine;
use super::room::check_room;
use super::step::Step;
use super::store::Store;
use super::store_error::StoreError;
use crate::plan::Change;

/// Why changes could not be turned into steps; nothing has been changed.
#[derive(Debug, thiserror::Error)]
pub enum LowerError {
    /// A file could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file the plan speaks of is not there, or shorter than it was.
    #[error("{} is gone or shorter since it was judged; run again", .0.display())]
    Gone(PathBuf),
    /// A file that belongs to somebody else than the shard does.
    #[error(
        "{} belongs to user {uid} and the shard's folder to user {folder_uid}; nothing was done: \
         see why, give it the right owner (chown) and run again", path.display()
    )]
    ForeignOwner {
        /// The file.
        path: PathBuf,
        /// Its owner.
        uid: u32,
        /// The owner of the shard's folder.
        folder_uid: u32,
    },
    /// Not enough room for what must be written.
    #[error(
        "{need} {unit} are needed on the file system of {}, and {free} are free; nothing was done: \
         make room there and run again", folder.display()
    )]
    Space {
        /// A folder on that file system.
        folder: PathBuf,
        /// What is needed.
        need: u64,
        /// What is free.
        free: u64,
        /// What is counted.
        unit: &'static str,
    },
    /// A shard that is to leave whole, with a quarantine on another file system.
    #[error(
        "{} is to leave whole, and --quarantine-dir is on another file system; nothing was done: run \
         again without it, or with a folder on the shard's own", .0.display()
    )]
    Elsewhere(PathBuf),
    /// A change outside the shard it is for: a bug, stopped before it does harm.
    #[error("{} lies outside the shard's folders; nothing was done", .0.display())]
    Outside(PathBuf),
    /// A new file where one is that does not leave, or two changes of one file: a bug as well.
    #[error("two changes want {}; nothing was done", .0.display())]
    Twice(PathBuf),
}

/// The steps of a round, and the folders they change as they are now.
#[derive(Debug, Default)]
pub(crate) struct Lowered {
    pub(crate) steps: Vec<Step>,
    pub(crate) folders: Vec<FolderBefore>,
    /// What a person should know, one sentence each.
    pub(crate) notes: Vec<String>,
    /// The manifests of all shards.
    pub(crate) manifest: String,
}

/// Turns the changes of shards, each with the quarantines of its folders, into steps. What a file
/// holds that leaves is for the journal alone to keep only if that outlasts the machine's restart.
///
/// # Errors
/// When a file that is to change is gone, is not a regular file, or lies outside its shard; and
/// when there is not the room for it.
pub(crate) fn lower(
    store: &dyn Store,
    shards: &[(&[Change], Vec<Quarantine>)],
    journal_lasts: bool,
) -> Result<Lowered, LowerError> {
    let mut lowering = Lowering::new(store);
    for (changes, quarantines) in shards {
        lowering.shard(changes, quarantines)?;
    }
    let quarantines: Vec<&Quarantine> =
        shards.iter().flat_map(|(_, quarantines)| quarantines).collect();
    lowering.make_name_room(&quarantines, journal_lasts)?;
    let lowered = lowering.finish();
    check_room(store, &lowered.steps, &quarantines)?;
    Ok(lowered)
}
