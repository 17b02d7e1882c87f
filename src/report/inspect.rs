//! What `inspect` decoded, for a person and for a program.

use std::fmt::Write as _;

use anstyle::Style;
use serde_json::{Value, json};

use super::check::event_line;
use super::json::SCHEMA_VERSION;
use super::safe::safe;
use super::style::{BAD, DIM, WARN};
use crate::format::OperationKind;
use crate::inspect::{Field, Piece, RecordLine};

const HEX_LINE_BYTES: usize = 16;

/// The lines for one piece of a file.
#[must_use]
pub fn piece_lines(piece: &Piece) -> Vec<String> {
    match piece {
        Piece::Kind { kind, len_bytes } => {
            vec![format!("  {:<10} {:<28} {}, {len_bytes} bytes", "", "kind", kind.text())]
        }
        Piece::Field(field) => field_lines(field),
        Piece::Record(record) => record_lines(record),
        Piece::Defect { defect, flipped_bit } => {
            let mut lines = vec![format!(
                "  @{:<9} {BAD}damaged{BAD:#}: expected {}, found {}",
                defect.offset,
                safe(&defect.expected),
                safe(&defect.found)
            )];
            lines.extend(flipped_bit.iter().map(|bit| format!("  {:<10} {bit}", "")));
            lines
        }
        Piece::Note { text } => vec![format!("  {:<10} {WARN}note{WARN:#}: {}", "", safe(text))],
    }
}

fn field_lines(field: &Field) -> Vec<String> {
    let at = field.offset.map_or_else(String::new, |offset| format!("@{offset}"));
    let name = safe(&field.name);
    let text = match &field.value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let mut parts = text.lines();
    let first = safe(parts.next().unwrap_or_default());
    let mut lines = vec![format!("  {at:<10} {name:<28} {first}")];
    lines.extend(parts.map(|part| format!("  {:<10} {:<28} {}", "", "", safe(part))));
    lines
}

/// The names of the columns of [`record_lines`].
#[must_use]
pub fn record_heading() -> String {
    format!(
        "{DIM}  {:<10} {:>7} {:<7} {:<4} {:>8} {:>4} {:>7} {:>8} {:<8} id{DIM:#}",
        "offset", "length", "kind", "fmt", "seq_no", "term", "version", "source", "crc"
    )
}

fn record_lines(record: &RecordLine) -> Vec<String> {
    let number = |value: Option<i64>| value.map_or_else(|| "-".to_owned(), |v| v.to_string());
    let kind = match record.kind {
        OperationKind::Create => "create",
        OperationKind::Index => "index",
        OperationKind::Delete => "delete",
        OperationKind::DeleteByQuery => "query",
        OperationKind::NoOp => "no-op",
    };
    let source = record.source_length_bytes.map_or_else(|| "-".to_owned(), |v| v.to_string());
    let mut line = format!(
        "  @{:<9} {:>7} {kind:<7} f{:<3} {:>8} {:>4} {:>7} {source:>8} {:<8} {}",
        record.offset,
        record.length_bytes,
        record.format,
        number(record.seq_no),
        number(record.primary_term),
        number(record.version),
        record.crc.as_deref().unwrap_or("-"),
        safe(record.id.as_deref().unwrap_or("-")),
    );
    let labelled = [
        ("type", record.doc_type.as_deref()),
        ("routing", record.routing.as_deref()),
        ("reason", record.reason.as_deref()),
    ];
    for (label, value) in labelled {
        if let Some(value) = value {
            // Writing to a string cannot fail.
            let _ = write!(line, " {label}={}", safe(value));
        }
    }
    if !record.counted {
        line.push_str(if record.after_damage { " (after damage)" } else { " (not counted)" });
    }
    if let Some(note) = &record.note {
        let _ = write!(line, " ({})", safe(note));
    }
    let mut lines = vec![line];
    lines.extend(record.document.iter().map(|document| format!("    {}", safe(document))));
    lines
}

/// Lines of hexadecimal digits for the bytes around a place. Text is shown beside them only where
/// documents may be shown, as it may be a part of one.
#[must_use]
pub fn hex_lines(bytes: &[u8], from_offset: u64, marked: u64, with_text: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut offset = from_offset;
    for row in bytes.chunks(HEX_LINE_BYTES) {
        let end = offset.saturating_add(row.len() as u64);
        let mark = if (offset..end).contains(&marked) { '>' } else { ' ' };
        let digits: Vec<String> = row
            .iter()
            .zip(offset..)
            .map(|(byte, at)| {
                let style = if at == marked { BAD } else { Style::new() };
                format!("{style}{byte:02x}{style:#}")
            })
            .collect();
        let pad = "   ".repeat(HEX_LINE_BYTES.saturating_sub(row.len()));
        let shown = |byte: &u8| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' };
        let text: String = if with_text { row.iter().map(shown).collect() } else { String::new() };
        lines.push(format!(" {mark} {offset:<9}  {}{pad}  {text}", digits.join(" ")));
        offset = end;
    }
    lines
}

/// One piece as a line of NDJSON.
///
/// # Errors
/// Never in practice.
pub fn piece_line(file: &str, piece: &Piece) -> Result<String, serde_json::Error> {
    let mut fields = json!({ "file": file });
    if let (Value::Object(fields), Value::Object(piece)) =
        (&mut fields, serde_json::to_value(piece)?)
    {
        fields.extend(piece);
    }
    event_line("inspected", &fields)
}

/// The beginning of the JSON document.
#[must_use]
pub fn inspect_open() -> String {
    format!("{{\n\"schema\": {SCHEMA_VERSION},\n\"command\": \"inspect\",\n\"pieces\": [")
}

/// The end of the JSON document.
#[must_use]
pub fn inspect_close(exit_code: u8) -> String {
    format!("],\n\"exit_code\": {exit_code}\n}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_byte_that_is_marked_is_in_the_marked_line() {
        let bytes: Vec<u8> = (0..40).collect();
        let lines = hex_lines(&bytes, 100, 117, false);
        assert_eq!(lines.len(), 3);
        assert!(lines[1].starts_with(" > 116 ") && !lines[0].contains('>'), "{lines:?}");
        assert!(!lines[2].contains('\''), "no text beside the digits: {lines:?}");
        assert!(hex_lines(b"abc", 0, 0, true)[0].ends_with("abc"));
    }
}
