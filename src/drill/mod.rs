//! The practice outage: makes node folders, breaks them, plays the service, and has the real job
//! repair them and take the repair back.
//!
//! Two nodes are played, 1.7.6 and 7.17.28. Their translogs, checkpoints, commits and state files
//! have the real formats; what is simulated is the server: it reads its files as the real one
//! does, writes the log lines of the real one, and locks its node folder. Its committed documents
//! are in JSON files beside the data path, see `node`. Everything is below one practice folder,
//! which this stage may write to by itself: it stands for the server there. What is written to
//! repair it goes through `apply`, as always.

mod chain_files;
mod chain_start;
mod check;
mod damage;
mod documents;
mod error;
mod node;
mod practice;
mod release;
mod report;
mod server;
mod server_log;
mod snapshot;
mod start_failure;
mod stream_files;
mod stream_start;
#[cfg(test)]
mod tests;

pub use check::DocumentCheck;
pub use damage::Damage;
pub use error::DrillError;
pub use practice::Practice;
pub use release::Release;
pub use report::{DrillEvent, DrillReport, NodeResult, ShardResult, UndoResult};
