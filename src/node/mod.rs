//! Settings, the `path.data` grammar by version, the inventory of shards, the locks of a node.

mod error;
mod locks;
mod processes;
mod space;
mod unit;

pub use error::NodeError;
pub use locks::{HeldLocks, LockHolder, hold_locks, lock_holder};
pub use processes::processes_using;
pub use space::{FreeSpace, free_space};
pub use unit::UnitFacts;
