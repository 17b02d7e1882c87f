//! Evidence -> diagnosis: a table of problems with stable codes, and what each one costs.
//!
//! [`Evidence::read`] reads a shard's files; [`diagnose`] concludes from that alone, without
//! touching the disk.
#![deny(clippy::arithmetic_side_effects)]

#[macro_use]
mod problem_table;

mod chain;
mod checkpoints;
mod copies;
mod diagnosis;
mod evidence;
mod family;
#[cfg(any(test, fuzzing))]
#[cfg_attr(not(test), allow(dead_code, reason = "the fuzz target needs only the shards"))]
#[expect(clippy::arithmetic_side_effects, reason = "numbers of small literals")]
#[expect(clippy::unwrap_used, reason = "what a test misses fails it")]
pub(crate) mod fixture;
mod generation;
mod header;
mod index;
mod listed;
mod names;
mod next_action;
mod problem;
mod read;
mod record_problems;
mod salvage;
mod seq_nos;
mod source;
mod state;
mod stream;
mod tally;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_copies;
#[cfg(test)]
mod tests_strict;
mod vendor;
mod walk;

pub use chain::Chain;
pub use diagnosis::{Diagnosis, Judged, Verdict, diagnose};
pub use evidence::{CheckpointFile, CommitFile, Evidence, FileFacts, StreamFile, TranslogFile};
pub use family::Family;
pub use generation::{HeaderState, JudgedGeneration};
pub use listed::{LISTED_OPERATIONS_MAX, Listed, ListedOperation, Listing};
pub use next_action::after;
pub use problem::{Code, Problem, Severity};
pub use read::{ReadError, framing_of};
pub use salvage::Stretch;
pub use seq_nos::SeqNoSet;
pub use source::FileSource;
pub(crate) use source::written_from;
pub use stream::{Stream, StreamPart};
pub use tally::Tally;
pub use walk::{Bound, Healed, Walk, walk};
