//! A checkpoint, field by field.

use std::path::Path;

use super::field::{Field, Piece, hex};
use super::flip::explain_footer;
use crate::diagnose::{Bound, FileSource};
use crate::format::{Checkpoint, CheckpointForm};

/// Length of the codec header of a checkpoint.
const HEADER_BYTES: u64 = 12;
/// Longest checkpoint there is, and some more.
const CHECKPOINT_MAX_BYTES: u64 = 1024;
/// Length of a codec footer.
const FOOTER_BYTES: usize = 16;

/// Tells a whole checkpoint.
pub(super) fn inspect(bytes: &[u8], say: &mut dyn FnMut(Piece)) {
    match Checkpoint::decode(bytes) {
        Ok(checkpoint) => {
            for field in fields(&checkpoint, bytes) {
                say(Piece::Field(field));
            }
            if checkpoint.form == CheckpointForm::Raw && bytes.len() > 20 {
                say(Piece::note("longer than 20 bytes; servers of 2.x read the first 20"));
            }
        }
        Err(unreadable) => say(Piece::unreadable(unreadable, explain_footer(bytes))),
    }
}

fn fields(checkpoint: &Checkpoint, bytes: &[u8]) -> Vec<Field> {
    let (base, form) = match checkpoint.form {
        CheckpointForm::Raw => (0, "raw (2.x), 20 bytes, no checksum"),
        CheckpointForm::V1 => (HEADER_BYTES, "1 (5.x)"),
        CheckpointForm::V2 => (HEADER_BYTES, "2 (6.0 to 6.3)"),
        CheckpointForm::V3 => (HEADER_BYTES, "3 (6.4 to 7.17, OpenSearch 1)"),
        CheckpointForm::V4 => {
            (HEADER_BYTES, "4, little-endian payload (8 and later, OpenSearch 2 and later)")
        }
    };
    let at = |offset: u64| base.saturating_add(offset);
    let mut fields = vec![
        Field::at(base.saturating_sub(4), "version", form),
        Field::at(at(0), "offset", checkpoint.offset),
        Field::at(at(8), "number of operations", checkpoint.operation_count),
        Field::at(at(12), "generation", checkpoint.generation),
    ];
    if checkpoint.form.has_seq_nos() {
        let min_generation = checkpoint.min_translog_generation;
        fields.extend([
            Field::at(at(20), "min seq_no", checkpoint.min_seq_no),
            Field::at(at(28), "max seq_no", checkpoint.max_seq_no),
            Field::at(at(36), "global checkpoint", checkpoint.global_checkpoint),
            Field::at(at(44), "min translog generation", min_generation),
        ]);
    }
    if matches!(checkpoint.form, CheckpointForm::V3 | CheckpointForm::V4) {
        let trimmed = checkpoint.trimmed_above_seq_no;
        fields.push(Field::at(at(52), "trimmed above seq_no", trimmed));
    }
    if checkpoint.form != CheckpointForm::Raw {
        let footer_at = bytes.len().saturating_sub(FOOTER_BYTES);
        let crc = bytes.get(bytes.len().saturating_sub(4)..).unwrap_or_default();
        fields.push(Field::at(footer_at as u64, "footer", format!("CRC {} holds", hex(crc))));
    }
    fields
}

/// What the checkpoint beside a translog says of it: its own, or `translog.ckp` when that is of
/// the same generation.
pub(super) fn bound_of(path: &Path) -> Option<Bound> {
    let name = path.file_name()?.to_str()?;
    let digits = name.strip_prefix("translog-")?.strip_suffix(".tlog")?;
    let generation: u64 = digits.parse().ok()?;
    let names = ["translog.ckp".to_owned(), format!("translog-{generation}.ckp")];
    names.iter().find_map(|name| {
        let file = FileSource::open(&path.with_file_name(name)).ok()?;
        let checkpoint = Checkpoint::decode(&file.read_all(CHECKPOINT_MAX_BYTES).ok()?).ok()?;
        let operation_count = u64::try_from(checkpoint.operation_count).ok();
        let bound = Bound { offset: checkpoint.offset, operation_count };
        (checkpoint.generation == generation).then_some(bound)
    })
}
