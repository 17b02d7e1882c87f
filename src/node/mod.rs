//! Settings, the `path.data` grammar by version, the inventory of shards, the locks of a node.

mod space;
mod unit;

pub use space::{FreeSpace, free_space};
pub use unit::UnitFacts;
