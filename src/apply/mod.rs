//! Plan -> Receipt: quarantine, write, rename, sync, each step in the journal before it happens.
//!
//! The only stage that changes a data path, and it does so through one small trait, [`Store`].
//! Repair, resume and undo are the same executor over different lists of [`Step`]s. Nothing here
//! deletes: what has to go is renamed into the quarantine on its own file system, and what is
//! written is written whole in the quarantine, synced, and renamed into place.

mod content;
mod disk;
mod error;
mod execute;
mod journal;
mod kept;
mod lower;
mod quarantine;
mod run;
mod run_lock;
mod state_dir;
mod state_error;
mod state_files;
mod step;
mod store;
mod summary;
#[cfg(test)]
mod tests;
mod undo;
mod view;

pub use disk::DiskStore;
pub use error::ApplyError;
pub use journal::JournalError;
pub use kept::KeptFile;
pub use lower::LowerError;
pub use run::{Receipt, RunFolder, ShardChanges};
pub use run_lock::RunLock;
pub use state_dir::StateDir;
pub use state_error::StateError;
pub use step::{Step, Sum};
pub use store::{Attributes, Fingerprint, Owner, Store, StoreError, Times};
pub use summary::{RunAbout, RunId, RunState, RunSummary};
pub use undo::UndoError;
