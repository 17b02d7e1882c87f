//! Log bytes -> findings: lines, stamps, signatures, scan; rotation and following.
//!
//! Everything here is pure but [`LogSource`] with [`Log`], [`scan_files`], [`Follower`] with [`Tail`],
//! and [`Wake`]. A finding only nominates a shard; what is done to it is decided by its bytes.

mod boot;
mod clock;
mod effect;
mod fields;
mod files;
mod finding;
mod follow;
mod framing;
mod journal;
mod known;
mod lineage;
mod memo;
mod place;
mod read;
mod record;
mod rolled;
mod scan;
mod shape;
mod signature;
mod since;
mod source;
mod start;
mod tail;
mod unpack;
mod wake;

pub use boot::{BootCause, BootTrouble, boot_reason, boot_troubles};
pub use files::LogFiles;
pub use finding::{Cause, Finding, NodeEvent, Role, Scan, ShardName};
pub use follow::Follower;
pub use journal::{Journal, NoJournal};
pub use place::Position;
pub use read::{ReadLog, scan_files};
pub use scan::Scanner;
pub use signature::{Class, Signature, signatures, telling_words};
pub use since::{NoTime, Since};
pub use source::{Log, LogSource};
pub use tail::{LogPlace, Tail};
pub use unpack::LogError;
pub use wake::Wake;
