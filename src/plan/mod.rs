//! Diagnosis + policy -> plan or refusal: the changes to a shard, the exact loss, the space needed.

mod change;

pub use change::{Change, Content, Piece};
