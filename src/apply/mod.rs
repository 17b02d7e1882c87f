//! Plan -> Receipt: quarantine, write, rename, sync, each step in the journal before it happens.
//!
//! The only stage that changes a data path, and it does so through one small trait, [`Store`].
//! Repair, resume and undo are the same executor over different lists of [`Step`]s. What
//! has to go is renamed into the quarantine on its own file system (or, for who asked for another
//! one, copied there, and removed when the copy is on the disk), and what is written is written
//! whole in the quarantine, synced, and renamed into place.

mod before;
mod content;
mod disk;
mod disk_facts;
mod disk_room;
mod disk_sync;
mod error;
mod execute;
mod halt;
mod in_place;
mod journal;
mod kept;
mod labels;
mod lower;
mod lowering;
mod manifest;
mod mount;
mod name_room;
mod newer;
mod parts;
mod place;
mod quarantine;
mod redo;
mod rewrite;
mod room;
mod run;
mod run_lock;
mod sequence;
#[cfg(any(test, fuzzing))]
#[cfg_attr(not(test), allow(dead_code, reason = "the fuzz target needs only a part"))]
#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "what a test or the fuzz target misses fails it"
)]
mod sim;
mod state_dir;
mod state_error;
mod state_files;
mod state_way;
mod step;
mod step_kind;
mod stopped;
mod store;
mod store_error;
mod summary;
mod taking_back;
#[cfg(test)]
mod tests;
mod tree;
mod undo;
mod undo_anew;
mod undo_error;
mod view;
mod waiting;
mod whole;

pub use disk::DiskStore;
pub use error::ApplyError;
pub use journal::JournalError;
pub use kept::{KeptAt, KeptFile};
pub use lower::LowerError;
pub use run::{Receipt, RunFolder, ShardChanges};
pub use run_lock::RunLock;
#[cfg(any(test, fuzzing))]
pub use sim::check_stops;
pub use state_dir::StateDir;
pub use state_error::StateError;
pub use step::{Step, Sum};
pub use step_kind::{States, StepKind};
pub use stopped::StoppedNode;
pub use store::{Attributes, Facts, Fingerprint, Labels, Owner, Room, Store, Thing, Times};
pub use store_error::StoreError;
pub use summary::{RunAbout, RunId, RunState, RunSummary};
pub use tree::Tree;
pub use undo::NewerFiles;
pub use undo_error::UndoError;
