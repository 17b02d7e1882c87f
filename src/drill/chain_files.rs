//! The translog of a 7.17 shard: two generations with their checkpoints, and the commit.
//!
//! Generation 2 begins with operations that are in the commit already, as after any flush;
//! generation 3 is being written.

use std::collections::BTreeMap;
use std::path::Path;

use super::damage::Records;
use super::documents::Act;
use super::error::DrillError;
use super::node::{Live, PracticeShard, put, uuid_of};
use crate::format::{
    Checkpoint, CheckpointForm, Commit, HeaderVersion, Operation, OperationKind, TranslogHeader,
    encode_empty_commit, encode_record,
};

const FIRST_GENERATION: u64 = 2;
const LAST_GENERATION: u64 = 3;
/// Acts in generation 2; the others are in generation 3.
const EARLIER_ACT_COUNT: usize = 30;
/// Committed operations that generation 2 begins with.
const COMMITTED_TAIL_COUNT: usize = 20;
/// `SegmentInfos` of Lucene 8.6 and later, and the Lucene of 7.17.28.
const COMMIT_FORMAT: i32 = 10;
const LUCENE_VERSION: (u32, u32, u32) = (8, 11, 3);
const COMMIT_GENERATION: u64 = 3;
/// INDEX and DELETE as 7.x writes them.
const INDEX_FORMAT: u32 = 10;
const DELETE_FORMAT: u32 = 6;
const PRIMARY_TERM: i64 = 1;
/// `SequenceNumbers.UNASSIGNED_SEQ_NO`: nothing is trimmed.
const NOTHING_TRIMMED: i64 = -2;

/// Writes two whole generations and the commit.
pub(super) fn write_chain(shard: &PracticeShard) -> Result<Live, DrillError> {
    let translog_uuid = uuid_of(&format!("translog of {}", shard.allocation_id));
    let committed_count = i64::try_from(shard.history.committed.len()).unwrap_or(0);
    let last_committed = committed_count.saturating_sub(1).to_string();
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let user_data = [
        pair("translog_uuid", &translog_uuid),
        pair("history_uuid", &uuid_of(&format!("history of {}", shard.allocation_id))),
        pair("local_checkpoint", &last_committed),
        pair("max_seq_no", &last_committed),
        pair("max_unsafe_auto_id_timestamp", "-1"),
        pair("min_retained_seq_no", "0"),
        pair("es_version", "7.17.28"),
    ];
    let commit =
        encode_empty_commit(COMMIT_FORMAT, LUCENE_VERSION, COMMIT_GENERATION, [7; 16], &user_data);
    put(&shard.path.join("index").join(Commit::file_name(COMMIT_GENERATION)), &commit)?;

    let committed = shard.history.committed.iter();
    let committed: Vec<Act> =
        committed.map(|(id, source)| Act::Put { id: id.clone(), source: source.clone() }).collect();
    let (before, tail) = committed.split_at(committed.len().saturating_sub(COMMITTED_TAIL_COUNT));
    let earlier: Vec<&Act> =
        tail.iter().chain(shard.history.acts.iter().take(EARLIER_ACT_COUNT)).collect();
    let later: Vec<&Act> = shard.history.acts.iter().skip(EARLIER_ACT_COUNT).collect();
    let mut writer = Writer {
        folder: shard.path.join("translog"),
        header: TranslogHeader {
            version: HeaderVersion::V3,
            uuid: Some(translog_uuid),
            primary_term: Some(PRIMARY_TERM),
        },
        versions: before.iter().map(|act| (act.id(), 1)).collect(),
        seq_no: i64::try_from(before.len()).unwrap_or(0),
    };
    writer.generation(FIRST_GENERATION, "translog-2.ckp", &earlier)?;
    let records = writer.generation(LAST_GENERATION, "translog.ckp", &later)?;
    let path = writer.folder.join(format!("translog-{LAST_GENERATION}.tlog"));
    Ok(Live { path, records, earlier_act_count: EARLIER_ACT_COUNT })
}

struct Writer<'a> {
    folder: std::path::PathBuf,
    header: TranslogHeader,
    /// Version of each document so far.
    versions: BTreeMap<&'a str, i64>,
    /// The next one.
    seq_no: i64,
}

impl<'a> Writer<'a> {
    fn generation(
        &mut self,
        generation: u64,
        checkpoint_name: &str,
        acts: &[&'a Act],
    ) -> Result<Records, DrillError> {
        let mut records = Records::behind(self.header.encode());
        let first = self.seq_no;
        for act in acts {
            let version = self.versions.entry(act.id()).or_insert(0);
            *version = version.saturating_add(1);
            records.push(&record(act, *version, self.seq_no)?);
            self.seq_no = self.seq_no.saturating_add(1);
        }
        let last = self.seq_no.saturating_sub(1);
        put(&self.folder.join(format!("translog-{generation}.tlog")), &records.bytes)?;
        let checkpoint = Checkpoint {
            form: CheckpointForm::V3,
            offset: records.bytes.len() as u64,
            operation_count: i32::try_from(acts.len()).unwrap_or(0),
            generation,
            min_seq_no: first,
            max_seq_no: last,
            global_checkpoint: last,
            min_translog_generation: i64::try_from(FIRST_GENERATION).unwrap_or(1),
            trimmed_above_seq_no: NOTHING_TRIMMED,
        };
        put(&self.folder.join(checkpoint_name), &checkpoint.encode())?;
        Ok(records)
    }
}

fn record(act: &Act, version: i64, seq_no: i64) -> Result<Vec<u8>, DrillError> {
    let (kind, format, source) = match act {
        Act::Put { source, .. } => (OperationKind::Index, INDEX_FORMAT, source.as_str()),
        Act::Remove { .. } => (OperationKind::Delete, DELETE_FORMAT, ""),
    };
    let mut operation = Operation::new(kind, format);
    operation.id = Some(act.id().to_owned());
    operation.doc_type = Some("_doc".to_owned());
    operation.version = Some(version);
    operation.seq_no = Some(seq_no);
    operation.primary_term = Some(PRIMARY_TERM);
    encode_record(&operation, source.as_bytes()).ok_or(DrillError::Encode { what: "a record" })
}

/// What a start that fails in the middle of a replay leaves, once a try: the old checkpoint under
/// its generation's name, a generation without operations, and a checkpoint that names it
/// (observed on 5.6.16, 6.8.23, 7.17.28).
pub(super) fn add_empty_generation(
    folder: &Path,
    header: &TranslogHeader,
    newest: &Checkpoint,
) -> Result<Checkpoint, DrillError> {
    put(&folder.join(format!("translog-{}.ckp", newest.generation)), &newest.encode())?;
    let generation = newest.generation.saturating_add(1);
    let bytes = header.encode();
    put(&folder.join(format!("translog-{generation}.tlog")), &bytes)?;
    let next = Checkpoint {
        offset: bytes.len() as u64,
        operation_count: 0,
        generation,
        min_seq_no: -1,
        max_seq_no: -1,
        trimmed_above_seq_no: NOTHING_TRIMMED,
        ..newest.clone()
    };
    put(&folder.join("translog.ckp"), &next.encode())?;
    Ok(next)
}
