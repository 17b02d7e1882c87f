//! A Lucene commit, `segments_N`.

use std::path::Path;

use super::field::{Field, Piece, hex};
use super::flip::explain_footer;
use crate::format::{Commit, Segment};

/// Tells a whole commit. Its N is in its name.
pub(super) fn inspect(path: &Path, bytes: &[u8], say: &mut dyn FnMut(Piece)) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let committed = name.strip_prefix("pending_").unwrap_or(&name);
    let Some(generation) = Commit::generation_of(committed) else {
        say(Piece::note("a commit is named segments_N; without its N it cannot be decoded"));
        return;
    };
    let commit = match Commit::decode(bytes, generation) {
        Ok(commit) => commit,
        Err(unreadable) => {
            say(Piece::unreadable(unreadable, explain_footer(bytes)));
            return;
        }
    };
    let mut field = |field| say(Piece::Field(field));
    field(Field::of("generation", commit.generation));
    field(Field::at(13, "format", commit.format));
    if let Some((major, minor, fix)) = commit.lucene_version {
        field(Field::of("Lucene version", format!("{major}.{minor}.{fix}")));
    }
    field(Field::of("number of segments", commit.segments.len()));
    if let Some(id) = commit.commit_id {
        field(Field::at(17, "commit id", hex(&id)));
    }
    for segment in &commit.segments {
        field(segment_field(segment, bytes));
    }
    for (key, value) in &commit.user_data {
        let offset = place_of(bytes, &[key, value]);
        field(Field { offset, ..Field::of(format!("user data {key}"), value.as_str()) });
    }
    field(Field::of("checksum", "holds"));
}

fn segment_field(segment: &Segment, bytes: &[u8]) -> Field {
    let mut text = format!("codec {}", segment.codec);
    if let Some(id) = segment.id {
        text = format!("{text}, id {}", hex(&id));
    }
    let counts = [
        (segment.delete_count, "deleted"),
        (segment.soft_delete_count, "softly deleted"),
        (segment.document_count.unwrap_or(0), "documents"),
    ];
    for (count, what) in counts.iter().filter(|(count, _)| *count > 0) {
        text = format!("{text}, {count} {what}");
    }
    let files: Vec<String> =
        segment.update_files.iter().cloned().chain(segment.deletes_file()).collect();
    if !files.is_empty() {
        text = format!("{text}, updated by {}", files.join(" "));
    }
    let offset = segment_place(segment, bytes);
    Field { offset, ..Field::of(format!("segment {}", segment.name), text) }
}

/// Where a segment's entry begins: its name, and where it has one its id behind that.
fn segment_place(segment: &Segment, bytes: &[u8]) -> Option<u64> {
    let mut wanted = vec![u8::try_from(segment.name.len()).ok()?];
    wanted.extend_from_slice(segment.name.as_bytes());
    let names = wanted.len();
    wanted.extend_from_slice(segment.id.as_ref().map_or(&[][..], |id| id));
    let at = |wanted: &[u8]| bytes.windows(wanted.len()).position(|window| window == wanted);
    // In a commit of 5.x a flag stands between the two.
    at(&wanted).or_else(|| at(wanted.get(..names)?)).and_then(|at| u64::try_from(at).ok())
}

/// Where these strings stand one after the other, each behind its length; user data come last,
/// so the last place counts.
fn place_of(bytes: &[u8], texts: &[&String]) -> Option<u64> {
    let mut wanted = Vec::new();
    for text in texts {
        // A length of up to 127 is one byte; longer ones are not looked for.
        wanted.push(u8::try_from(text.len()).ok().filter(|length| *length < 0x80)?);
        wanted.extend_from_slice(text.as_bytes());
    }
    let last = bytes.windows(wanted.len()).rposition(|window| window == wanted)?;
    u64::try_from(last).ok()
}
