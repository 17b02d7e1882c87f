//! Encodes an operation as a whole record: size, body and CRC, as 1.4 and later write it.
//!
//! The fields by format are in `operation_decode.rs`, the framing in `records.rs`. Encoded are the
//! formats that a release writes in its translog: INDEX 6 (1.4 to 2.4), 7 (5.x), 8 (6.x), 10 (7.x),
//! 11 (8.0 and later); DELETE 2 (1.4 to 5.4), 4 (6.0 to 6.3), 6 (7.x), 7 (8.0 and later); `NO_OP`.
//!
//! Sources: `Translog` (1.7.5, 5.6.3, 6.2.4, 7.10.2, 8.x), `Uid` (7.10.2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::operation::{Operation, OperationKind};

/// What the server assumes where an operation has no version.
const NO_VERSION: i64 = -1;
/// `Translog.Index` with no time to live, and with no generated id.
const NONE: i64 = -1;

/// The bytes of a record, with `source` as the document of an INDEX. Fields that the operation
/// does not have are written as a server writes them when nothing is known.
///
/// `None` for what is not encoded: other kinds and formats, and what is longer than a record.
#[must_use]
pub fn encode_record(operation: &Operation, source: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    match (operation.kind, operation.format) {
        (OperationKind::Index, 6 | 7 | 8 | 10 | 11) => index(&mut body, operation, source),
        (OperationKind::Delete, 2 | 4 | 6 | 7) => delete(&mut body, operation),
        (OperationKind::NoOp, _) => no_op(&mut body, operation),
        _ => return None,
    }
    let size = u32::try_from(body.len().checked_add(4)?).ok()?;
    i32::try_from(size).ok()?;
    let crc = crc32fast::hash(&body);
    let mut record = Vec::from(size.to_be_bytes());
    record.append(&mut body);
    record.extend_from_slice(&crc.to_be_bytes());
    Some(record)
}

fn index(body: &mut Vec<u8>, operation: &Operation, source: &[u8]) {
    let format = operation.format;
    body.push(2);
    put_vint(body, format);
    put_string(body, operation.id.as_deref().unwrap_or_default());
    if format <= 10 {
        put_string(body, operation.doc_type.as_deref().unwrap_or("_doc"));
    }
    put_bytes(body, source);
    put_optional(body, operation.routing.as_deref());
    if format <= 8 {
        put_optional(body, operation.parent.as_deref());
    }
    put_i64(body, operation.version.unwrap_or(NO_VERSION));
    if format <= 7 {
        put_i64(body, operation.timestamp_ms.unwrap_or(NONE));
        put_i64(body, operation.ttl_ms.unwrap_or(NONE));
    }
    if format <= 8 {
        body.push(operation.version_type.unwrap_or(0));
    }
    if format >= 7 {
        put_i64(body, operation.auto_id_timestamp_ms.unwrap_or(NONE));
    }
    if format >= 8 {
        put_seq_no_and_term(body, operation);
    }
}

fn delete(body: &mut Vec<u8>, operation: &Operation) {
    let format = operation.format;
    let id = operation.id.as_deref().unwrap_or_default();
    let doc_type = operation.doc_type.as_deref().unwrap_or("_doc");
    body.push(3);
    put_vint(body, format);
    match format {
        2 => {
            put_string(body, "_uid");
            put_string(body, &format!("{doc_type}#{id}"));
        }
        7 => put_string(body, id),
        _ => {
            put_string(body, doc_type);
            put_string(body, id);
            put_string(body, "_id");
            put_bytes(body, &uid_of(id));
        }
    }
    put_i64(body, operation.version.unwrap_or(NO_VERSION));
    if matches!(format, 2 | 4) {
        body.push(operation.version_type.unwrap_or(0));
    }
    if format >= 4 {
        put_seq_no_and_term(body, operation);
    }
}

fn no_op(body: &mut Vec<u8>, operation: &Operation) {
    body.push(4);
    put_seq_no_and_term(body, operation);
    put_string(body, operation.reason.as_deref().unwrap_or_default());
}

fn put_seq_no_and_term(body: &mut Vec<u8>, operation: &Operation) {
    put_i64(body, operation.seq_no.unwrap_or(0));
    put_i64(body, operation.primary_term.unwrap_or(0));
}

fn put_i64(body: &mut Vec<u8>, value: i64) {
    body.extend_from_slice(&value.to_be_bytes());
}

fn put_vint(body: &mut Vec<u8>, mut value: u32) {
    while value > 0x7f {
        body.push(0x80 | (value & 0x7f).to_le_bytes()[0]);
        value >>= 7;
    }
    body.push(value.to_le_bytes()[0]);
}

/// A length; what does not fit makes a record that is too long anyway.
fn put_length(body: &mut Vec<u8>, length: usize) {
    put_vint(body, u32::try_from(length).unwrap_or(u32::MAX));
}

fn put_bytes(body: &mut Vec<u8>, bytes: &[u8]) {
    put_length(body, bytes.len());
    body.extend_from_slice(bytes);
}

/// UTF-16 units of 1 to 3 bytes each (`StreamOutput.writeString`).
fn put_string(body: &mut Vec<u8>, text: &str) {
    put_length(body, text.encode_utf16().count());
    for unit in text.encode_utf16() {
        let low = 0x80 | (unit & 0x3f).to_le_bytes()[0];
        let middle = 0x80 | ((unit >> 6) & 0x3f).to_le_bytes()[0];
        match unit {
            0..=0x7f => body.push(unit.to_le_bytes()[0]),
            0x80..=0x7ff => body.extend_from_slice(&[0xc0 | (unit >> 6).to_le_bytes()[0], low]),
            _ => body.extend_from_slice(&[0xe0 | (unit >> 12).to_le_bytes()[0], middle, low]),
        }
    }
}

fn put_optional(body: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => body.push(0),
        Some(text) => {
            body.push(1);
            put_string(body, text);
        }
    }
}

/// The uid of an id (`Uid.encodeId`): digits two a byte, base 64 decoded, or else the text.
fn uid_of(id: &str) -> Vec<u8> {
    if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) {
        let nibbles: Vec<u8> = id.bytes().map(|byte| byte & 0x0f).collect();
        let pairs = nibbles.chunks(2).map(|pair| match pair {
            [high, low] => (high << 4) | low,
            [high] => (high << 4) | 0x0f,
            _ => 0xff,
        });
        return std::iter::once(0xfe).chain(pairs).collect();
    }
    match URL_SAFE_NO_PAD.decode(id) {
        Ok(raw) if raw.first().is_some_and(|first| *first >= 0xfd) => {
            std::iter::once(0xfd).chain(raw).collect()
        }
        Ok(raw) if !raw.is_empty() => raw,
        _ => std::iter::once(0xff).chain(id.bytes()).collect(),
    }
}

#[cfg(test)]
mod tests;
