//! Bytes <-> values, sans I/O: translog header, operations, checkpoint; `segments_N`; state files;
//! markers. One byte table a file.
//!
//! Decoders take bytes and return a value or a [`Defect`] with its place. They open, seek and
//! truncate nothing, and no input makes them panic.
#![deny(clippy::arithmetic_side_effects)]

mod bitflip;
mod blocks;
mod body;
mod brief;
mod checkpoint;
mod cluster_state;
mod codec;
mod compound;
mod cursor;
mod defect;
mod header;
mod heal;
mod heal_whole;
mod index_file;
mod live_docs;
mod lz4;
mod marker;
mod operation;
mod operation_decode;
mod operation_encode;
mod pages;
mod record;
mod record_body;
mod record_search;
mod records;
#[cfg(test)]
#[expect(
    clippy::cast_possible_truncation,
    clippy::arithmetic_side_effects,
    reason = "bytes of small literals"
)]
pub(crate) mod samples;
mod segment;
mod segment_files;
mod segment_info;
mod segments;
mod segments_3;
mod segments_encode;
mod skim;
mod state;
mod state_document;
mod stored_fields;
mod stored_ints;
mod translog_footer;
mod voters;
mod window;

pub use bitflip::{BitSearch, FlippedBit, find_flipped_bit};
pub use brief::Brief;
pub use checkpoint::{Checkpoint, CheckpointForm};
#[cfg(test)]
pub(crate) use cluster_state::writer as kept_writer;
pub use cluster_state::{ClusterStateReader, KeptState};
pub use compound::{CompoundEntries, CompoundPart};
pub use defect::{Defect, Unreadable};
pub use header::{HEADER_MAX_BYTES, HeaderVersion, TranslogHeader};
pub use heal::{Fix, heal_record};
pub use heal_whole::{Corrected, heal_checkpoint, heal_header};
pub use index_file::{Depth, IndexFile, IndexFileForm, check_index_file};
pub use marker::CorruptionMarker;
pub use operation::{Operation, OperationKind, Span};
pub use operation_encode::encode_record;
pub use record::{BadKind, BadRecord, Framing, Item, Record};
pub use record_search::find_record;
pub use records::Records;
pub use segment::Segment;
pub use segment_files::{FileError, SegmentFiles};
pub use segment_info::SegmentInfo;
pub use segments::Commit;
pub use segments_encode::encode_empty_commit;
pub use state::{
    IndexState, NodeState, ShardState, encode_json_state, encode_smile_state, newest_state_file,
};
pub use state_document::{StateFile, decode_state};
pub use translog_footer::{TRANSLOG_FOOTER_BYTES, is_translog_footer};
pub use voters::{Manifest, Voters};
pub use window::ReadAt;
pub(crate) use window::{Window, same_bytes};
