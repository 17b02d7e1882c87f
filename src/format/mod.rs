//! Bytes <-> values, sans I/O: translog header, operations, checkpoint; `segments_N`; state files;
//! markers. One byte table a file.
//!
//! Decoders take bytes and return a value or a [`Defect`] with its place. They open, seek and
//! truncate nothing, and no input makes them panic.
#![deny(clippy::arithmetic_side_effects)]

mod defect;

pub use defect::{Defect, Unreadable};
