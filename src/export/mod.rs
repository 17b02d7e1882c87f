//! `export`: operations of translogs as the lines of a bulk request, in the order in which they
//! were written, in constant memory.
//!
//! A bulk request has no place for a sequence number or a primary term that any release would
//! take (`if_seq_no` means a condition), so these stand in a second file, one line an operation.
#![deny(clippy::arithmetic_side_effects)]

mod bulk;
mod lost;
mod out;
mod part;
mod run;

pub use lost::{LostError, lost_parts};
pub use out::{BulkFile, MetadataFile, OutError};
pub use part::{Part, parts_of};
pub use run::{ExportTotal, export_part};
