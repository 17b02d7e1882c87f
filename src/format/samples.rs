//! Records of every kind and format for tests, written from the tables of the format and not with
//! `operation_encode.rs`.

use super::record::Framing;

/// A record and what it says.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) body: Vec<u8>,
    pub(crate) has_seq_no: bool,
}

/// A field as it stands in a body.
enum Field {
    Vint(u32),
    Text(&'static str),
    Bytes(&'static [u8]),
    Optional(Option<&'static str>),
    Long(i64),
    Byte(u8),
    Texts(&'static [&'static str]),
}
use Field::{Byte, Bytes, Long, Optional, Text, Texts, Vint};

const SOURCE: &[u8] = "{\"a\":\"größe 𝒳\"}".as_bytes();
const SEQ_NO: Field = Long(7);
const TERM: Field = Long(3);

fn vint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(0x80 | (value & 0x7f) as u8);
        value >>= 7;
    }
    out.push(value as u8);
}

fn text(out: &mut Vec<u8>, text: &str) {
    vint(out, u32::try_from(text.encode_utf16().count()).unwrap());
    for unit in text.encode_utf16().map(u32::from) {
        match unit {
            0..=0x7f => out.push(unit as u8),
            0x80..=0x7ff => out.extend([0xc0 | (unit >> 6) as u8, 0x80 | (unit & 63) as u8]),
            _ => out.extend([
                0xe0 | (unit >> 12) as u8,
                0x80 | ((unit >> 6) & 63) as u8,
                0x80 | (unit & 63) as u8,
            ]),
        }
    }
}

fn body(kind: u8, fields: &[Field]) -> Vec<u8> {
    let mut out = vec![kind];
    for field in fields {
        match field {
            Vint(value) => vint(&mut out, *value),
            Text(value) => text(&mut out, value),
            Bytes(value) => {
                vint(&mut out, u32::try_from(value.len()).unwrap());
                out.extend_from_slice(value);
            }
            Optional(None) => out.push(0),
            Optional(Some(value)) => {
                out.push(1);
                text(&mut out, value);
            }
            Long(value) => out.extend_from_slice(&value.to_be_bytes()),
            Byte(value) => out.push(*value),
            Texts(values) => {
                vint(&mut out, u32::try_from(values.len()).unwrap());
                for value in *values {
                    text(&mut out, value);
                }
            }
        }
    }
    out
}

fn index_fields(format: u32) -> Vec<Field> {
    if format == 12 {
        let uid: &[u8] = &[0xfe, 0x12, 0x3f];
        let start = [Vint(12), Long(5), SEQ_NO, TERM, Long(-1), Bytes(uid)];
        return start.into_iter().chain([Optional(Some("r")), Bytes(SOURCE)]).collect();
    }
    let mut fields = vec![Vint(format), Text("id-ä𝒳")];
    if format <= 10 {
        fields.push(Text("doc"));
    }
    fields.push(Bytes(SOURCE));
    if format >= 1 {
        fields.push(Optional(Some("routing")));
    }
    if (2..=8).contains(&format) {
        fields.push(Optional(None));
    }
    if format >= 3 {
        fields.push(Long(5));
    }
    if (4..=7).contains(&format) {
        fields.push(Long(1_400_000_000_000));
    }
    if (5..=7).contains(&format) {
        fields.push(Long(-1));
    }
    if (6..=9).contains(&format) {
        fields.push(Byte(1));
    }
    if format >= 7 {
        fields.push(Long(-1));
    }
    if format >= 8 {
        fields.extend([SEQ_NO, TERM]);
    }
    fields
}

fn delete_fields(format: u32) -> Vec<Field> {
    let uid: &[u8] = &[0xfe, 0x12, 0x3f];
    let mut fields = vec![Vint(format)];
    match format {
        0..=2 => fields.extend([Text("_uid"), Text("doc#id-ä")]),
        3 => fields.extend([Text("doc"), Text("id-ä"), Text("_uid"), Text("doc#id-ä")]),
        4..=6 => fields.extend([Text("doc"), Text("123"), Text("_id"), Bytes(uid)]),
        7 => fields.push(Text("id-ä")),
        _ => {}
    }
    if format >= 1 {
        fields.push(Long(5));
    }
    if (2..=5).contains(&format) {
        fields.push(Byte(0));
    }
    if format >= 4 {
        fields.extend([SEQ_NO, TERM]);
    }
    if format == 8 {
        fields.push(Bytes(uid));
    }
    fields
}

fn query_fields(format: u32) -> Vec<Field> {
    let mut fields = vec![Vint(format), Bytes(b"{\"match_all\":{}}")];
    if format < 2 {
        fields.push(Optional(Some("parser")));
    }
    fields.push(Texts(&["doc", "other"]));
    if format >= 1 {
        fields.push(Texts(&[]));
    }
    fields
}

/// One record of each kind and format.
pub(crate) fn samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut add = |name: &str, format: u32, body: Vec<u8>, has_seq_no: bool| {
        samples.push(Sample { name: format!("{name} {format}"), body, has_seq_no });
    };
    for format in 0..=6 {
        add("create", format, body(1, &index_fields(format)), false);
    }
    for format in 0..=12 {
        add("index", format, body(2, &index_fields(format)), format >= 8);
    }
    for format in 0..=8 {
        add("delete", format, body(3, &delete_fields(format)), format >= 4);
    }
    for format in 0..=2 {
        add("delete-by-query", format, body(4, &query_fields(format)), false);
    }
    add("no-op", 0, body(4, &[SEQ_NO, TERM, Text("filling gaps")]), true);
    samples
}

/// The body in a record of a framing.
pub(crate) fn framed(body: &[u8], framing: Framing) -> Vec<u8> {
    let has_crc = framing != Framing::Headerless;
    let size = u32::try_from(body.len()).unwrap() + if has_crc { 4 } else { 0 };
    let mut record = Vec::from(size.to_be_bytes());
    record.extend_from_slice(body);
    if has_crc {
        record.extend_from_slice(&crc32fast::hash(body).to_be_bytes());
    }
    record
}
