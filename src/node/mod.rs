//! Settings, the `path.data` grammar by version, the inventory of shards, the locks of a node.

mod address;
mod command_line;
mod copies;
mod descriptors;
mod error;
mod folders;
mod installation;
mod inventory;
mod kept_state;
mod layers;
mod locate;
mod locks;
pub(crate) mod nofollow;
mod other_nodes;
mod placeholder;
mod places;
mod processes;
mod settings;
mod shards;
mod space;
mod target;
mod unit;
mod yaml;

pub use error::NodeError;
pub use inventory::{Inventory, Layout, NodeFolder, ShardFolder, inventory};
pub use kept_state::KeptStates;
pub use locate::{Located, Unlocated, locate};
pub use locks::{HeldLocks, LockHolder, check_lockable, hold_locks, lock_holder};
pub use other_nodes::{OtherNode, other_nodes};
pub use places::{Places, ShardPlace, node_places, places_below};
pub use processes::processes_using;
pub use settings::{NodeSettings, Origin, SettingsFlags, Sourced, resolve_settings};
pub use shards::node_id;
pub use space::{FreeSpace, free_space, used_space};
pub use target::shard_at;
pub use unit::UnitFacts;
