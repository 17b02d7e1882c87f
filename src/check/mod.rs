//! `check`: every shard of a node or below some paths, verified by its bytes; no log, no service,
//! nothing written.
#![deny(clippy::arithmetic_side_effects)]

mod checked;
mod pool;
mod total;

pub use checked::{CheckedShard, check_shard};
pub use total::CheckTotal;

use crate::format::Depth;
use crate::node::{KeptStates, ShardPlace};

/// Checks the shards at these places on all processors, and hands each over in order. `kept` is
/// filled with what their nodes keep.
pub fn check_places(
    places: &[ShardPlace],
    kept: &KeptStates,
    depth: Depth,
    take: impl FnMut(CheckedShard),
) {
    pool::each_in_order(places, |place| check_shard(place, kept, depth), take);
}
