//! State files, corruption markers, Lucene files, and what is none of a shard's files.

use std::io;

use serde_json::Value;

use super::field::{Field, Piece, hex};
use super::flip::explain_footer;
use crate::diagnose::FileSource;
use crate::format::{
    CorruptionMarker, Depth, IndexFileForm, ReadAt, check_index_file, decode_state,
};

/// Bytes of an unknown file that are shown.
const UNKNOWN_SHOWN_BYTES: usize = 32;

/// Tells a state file: what is round the document, and the document.
pub(super) fn state(bytes: &[u8], say: &mut dyn FnMut(Piece)) {
    match decode_state(bytes) {
        Ok(state) => {
            let mut field = |field| say(Piece::Field(field));
            if let Some(version) = state.version {
                field(Field::at(10, "version", version));
            }
            field(Field::of("content type", state.content_type));
            document(&state.document, state.offset, &mut field);
        }
        Err(unreadable) => say(Piece::unreadable(unreadable, explain_footer(bytes))),
    }
}

/// An object's entries as fields, one level deep; index metadata has its name on top.
fn document(document: &Value, offset: u64, field: &mut dyn FnMut(Field)) {
    match document {
        Value::Object(entries) => {
            field(Field::at(offset, "document", format!("{} entries", entries.len())));
            for (key, value) in entries {
                match value {
                    Value::Object(inner) if inner.len() > 1 => {
                        for (inner_key, value) in inner {
                            field(Field::of(format!("{key} / {inner_key}"), value.clone()));
                        }
                    }
                    _ => field(Field::of(key.clone(), value.clone())),
                }
            }
        }
        other => field(Field::at(offset, "document", other.clone())),
    }
}

/// Tells a corruption marker.
pub(super) fn marker(bytes: &[u8], say: &mut dyn FnMut(Piece)) {
    match CorruptionMarker::decode(bytes) {
        Ok(marker) => {
            say(Piece::Field(Field::at(10, "version", marker.version)));
            say(Piece::Field(Field::of("message", marker.message)));
            say(Piece::Field(Field::of("stack trace", marker.stack_trace)));
        }
        Err(unreadable) => say(Piece::unreadable(unreadable, explain_footer(bytes))),
    }
}

/// Tells a Lucene file: header and footer, and whether the checksum holds.
pub(super) fn lucene_file(source: &FileSource, say: &mut dyn FnMut(Piece)) -> io::Result<()> {
    // The newest form that fits: a file of 4.8 to 4.10 has no id, one up to 4.7 no footer.
    let mut first_defect = None;
    for form in [IndexFileForm::IndexHeader, IndexFileForm::Footer] {
        let file = match check_index_file(source, form, Depth::Whole)? {
            Ok(file) => file,
            Err(defect) => {
                first_defect = first_defect.or(Some(defect));
                continue;
            }
        };
        let mut field = |field| say(Piece::Field(field));
        let codec_bytes = file.codec.as_ref().map_or(0, |codec| codec.len() as u64);
        if let Some(codec) = file.codec {
            field(Field::at(4, "codec name", codec));
        }
        let version_at = codec_bytes.saturating_add(5);
        field(Field::at(version_at, "version", file.version));
        if let Some(id) = file.object_id {
            field(Field::at(version_at.saturating_add(4), "object id", hex(&id)));
            field(Field::at(version_at.saturating_add(20), "suffix", file.suffix));
        }
        let crc = file.crc.map(|crc| format!("{crc:08x} holds over {} bytes", source.len_bytes()));
        field(Field::at(source.len_bytes().saturating_sub(16), "footer CRC", crc));
        return Ok(());
    }
    if let Some(defect) = first_defect {
        say(Piece::Defect { defect, flipped_bit: None });
        say(Piece::note("a file of Lucene 4.7 and earlier has no footer, which is no damage"));
    }
    Ok(())
}

/// Says that a file is none that is known here.
pub(super) fn unknown(source: &FileSource, say: &mut dyn FnMut(Piece)) -> io::Result<()> {
    let mut start = vec![0; UNKNOWN_SHOWN_BYTES];
    let count = source.read_at(0, &mut start)?;
    start.truncate(count);
    say(Piece::Field(Field::at(0, "first bytes", hex(&start))));
    say(Piece::note("neither its name nor its first bytes are those of a shard's file"));
    Ok(())
}
