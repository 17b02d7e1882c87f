//! Diagnosis + policy -> plan or refusal: the changes to a shard, the exact loss, the space needed.
//!
//! Planning is pure: what it needs to know of the shard beyond its files, and the random values of
//! a new commit, are handed in.
#![deny(clippy::arithmetic_side_effects)]

mod chain;
mod chain_checkpoint;
mod chain_none;
mod chain_translog;
mod change;
mod commit;
mod copies;
mod global_checkpoint;
mod loss;
mod policy;
mod refusal;
mod rules;
mod runs;
mod stream;
#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "offsets of files made here")]
mod tests;

pub(crate) use change::as_base64;
pub use change::{Change, Content, Piece};
pub use copies::{NAME_OF_THIS_NODE, stale_primary_request};
pub use loss::{Loss, LostOperation, LostRange};
pub use policy::{Context, Copies, Fresh, HealthyCopyRule, Level, Policy};
pub use refusal::{Refusal, Rule};
pub use rules::{Alternative, Kind, Plan, plan};
