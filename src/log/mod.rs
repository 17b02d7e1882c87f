//! Log bytes -> findings: lines, stamps, signatures, scan; rotation and following.
//!
//! Everything here is pure but [`scan_files`], [`live_log_files`] and [`Follower`]. A finding only
//! nominates a shard; what is done to it is decided by its bytes.

mod clock;
mod effect;
mod fields;
mod files;
mod finding;
mod follow;
mod framing;
mod memo;
mod record;
mod scan;
mod shape;
mod signature;
mod start;

pub use files::{LogError, live_log_files, scan_files};
pub use finding::{Cause, Finding, NodeEvent, Role, Scan, ShardName};
pub use follow::Follower;
pub use scan::Scanner;
pub use signature::{Class, Signature, signatures};
