//! The translog of a 1.7 shard: one file, `translog-<id>`, and the commit that names its id.

use std::collections::BTreeMap;

use super::damage::Records;
use super::documents::Act;
use super::error::DrillError;
use super::node::{Live, PracticeShard, put};
use crate::format::{
    Commit, HeaderVersion, Operation, OperationKind, TranslogHeader, encode_empty_commit,
    encode_record,
};

/// Ids begin as a clock in milliseconds.
const FIRST_ID: u64 = 1_795_000_000_000;
/// When the first act was done, in milliseconds since 1970.
const FIRST_ACT_MS: i64 = 1_795_514_400_000;
/// `SegmentInfos` of Lucene 4.10, and its number.
const COMMIT_FORMAT: i32 = 3;
const LUCENE_VERSION: (u32, u32, u32) = (4, 10, 4);
const COMMIT_GENERATION: u64 = 2;
/// INDEX and DELETE as 1.7 writes them.
const INDEX_FORMAT: u32 = 6;
const DELETE_FORMAT: u32 = 2;

/// Writes a whole translog and its commit.
pub(super) fn write_stream(shard: &PracticeShard, seed: u64) -> Result<Live, DrillError> {
    let id = FIRST_ID.saturating_add(seed);
    let user_data = [("translog_id".to_owned(), id.to_string())];
    let commit =
        encode_empty_commit(COMMIT_FORMAT, LUCENE_VERSION, COMMIT_GENERATION, [0; 16], &user_data);
    put(&shard.path.join("index").join(Commit::file_name(COMMIT_GENERATION)), &commit)?;
    let header = TranslogHeader { version: HeaderVersion::V1, uuid: None, primary_term: None };
    let mut records = Records::behind(header.encode());
    let mut versions = BTreeMap::new();
    for (act, at_ms) in shard.history.acts.iter().zip(FIRST_ACT_MS..) {
        let committed = i64::from(shard.history.committed.contains_key(act.id()));
        let version = versions.entry(act.id()).or_insert(committed);
        *version = version.saturating_add(1);
        records.push(&record(act, *version, at_ms)?);
    }
    let path = shard.path.join("translog").join(format!("translog-{id}"));
    put(&path, &records.bytes)?;
    Ok(Live { path, records, earlier_act_count: 0 })
}

fn record(act: &Act, version: i64, at_ms: i64) -> Result<Vec<u8>, DrillError> {
    let (kind, format, source) = match act {
        Act::Put { source, .. } => (OperationKind::Index, INDEX_FORMAT, source.as_str()),
        Act::Remove { .. } => (OperationKind::Delete, DELETE_FORMAT, ""),
    };
    let mut operation = Operation::new(kind, format);
    operation.id = Some(act.id().to_owned());
    operation.doc_type = Some("log".to_owned());
    operation.version = Some(version);
    operation.timestamp_ms = Some(at_ms);
    encode_record(&operation, source.as_bytes()).ok_or(DrillError::Encode { what: "a record" })
}
