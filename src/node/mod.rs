//! Settings, the `path.data` grammar by version, the inventory of shards, the locks of a node.

mod address;
mod command_line;
mod error;
mod installation;
mod layers;
mod locks;
mod placeholder;
mod processes;
mod settings;
mod space;
mod unit;
mod yaml;

pub use error::NodeError;
pub use locks::{HeldLocks, LockHolder, hold_locks, lock_holder};
pub use processes::processes_using;
pub use settings::{NodeSettings, Origin, SettingsFlags, Sourced, resolve_settings};
pub use space::{FreeSpace, free_space};
pub use unit::UnitFacts;
