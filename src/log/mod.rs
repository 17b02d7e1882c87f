//! Log bytes -> findings: lines, stamps, signatures, scan; rotation and following.
//!
//! Everything here is pure but [`scan_files`], [`live_log_files`] and [`Follower`]. A finding only
//! nominates a shard; what is done to it is decided by its bytes.

mod cause;
mod files;
mod finding;
mod follow;
mod record;
mod scan;
mod signature;

pub use files::{LogError, live_log_files, scan_files};
pub use finding::{Cause, Finding, NodeEvent, Role, Scan, ShardName};
pub use follow::Follower;
pub use scan::Scanner;
pub use signature::{SIGNATURES, Signature};
