//! Decodes the body of a record into an operation.
//!
//! INDEX and CREATE (types 2 and 1), fields in order:
//!
//! | field | type | f0 to f5 (to 1.0) | f6 (1.1 to 2.4) | f7 (5.x) | f8 (6.x) | f9, f10 (7.x) | f11 (8.0) |
//! |---|---|---|---|---|---|---|---|
//! | id | string | y | y | y | y | y | y |
//! | type | string | y | y | y | y | y | - |
//! | source | bytes | y | y | y | y | y | y |
//! | routing | optional string | f>=1 | y | y | y | y | y |
//! | parent | optional string | f>=2 | y | y | y | - | - |
//! | version | i64 | f>=3 | y | y | y | y | y |
//! | timestamp | i64 | f>=4 | y | y | - | - | - |
//! | ttl | i64 | f>=5 | y | y | - | - | - |
//! | version type | u8 | - | y | y | y | f9 | - |
//! | auto id timestamp | i64 | - | - | y | y | y | y |
//! | seq no, primary term | i64 each | - | - | - | y | y | y |
//!
//! f12 (9.3): version, seq no, primary term, auto id timestamp, uid bytes, routing, source.
//!
//! DELETE (type 3): f0 term field and text; f1 + version; f2 + version type; f3 (5.5) type, id,
//! field, text, version, version type; f4, f5 (6.x) as f3 with term bytes, + seq no, term; f6 (7.x)
//! without version type; f7 (8.0) id, version, seq no, term; f8 (9.3) version, seq no, term, uid.
//!
//! `NO_OP` (type 4 from 6.0 on): seq no, primary term, reason string. `DELETE_BY_QUERY` (type 4 to
//! 2.x): vint format, source bytes, f<2: optional string and strings, f>=1: strings.
//!
//! Sources: `Translog` (0.20.6 to 8.x, 9.3), `Uid` (7.10.2); read on servers 1.7.6 to 9.3.0.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::body::Body;
use super::defect::{Defect, Unreadable};
use super::operation::{Operation, OperationKind};

const INDEX_FORMAT_MAX: u32 = 12;
const DELETE_FORMAT_MAX: u32 = 8;
/// Strings in one list of a delete-by-query.
const NAMES_MAX: u32 = 100_000;

/// Decodes a body from its type byte on; it may be longer than the operation.
pub(super) fn decode(body: &mut Body) -> Result<Operation, Unreadable> {
    let start = body.clone();
    match body.u8("an operation type")? {
        1 => index(body, OperationKind::Create),
        2 => index(body, OperationKind::Index),
        3 => delete(body),
        4 => no_op_or_query(body),
        5 => Err(Unreadable::Newer("operation type 5".to_owned())),
        other => Err(start.defect("operation type 1 to 4", other.to_string()).into()),
    }
}

/// As much of a body as can be read, for a record whose checksum does not hold.
pub(super) fn decode_partly(mut body: Body) -> Option<Operation> {
    decode(&mut body).ok().filter(|operation| operation.id.is_some() || operation.seq_no.is_some())
}

fn format(body: &mut Body, max: u32, what: &str) -> Result<u32, Unreadable> {
    let format = body.vint(what)?;
    if format > max {
        return Err(Unreadable::Newer(format!("{what} {format}")));
    }
    Ok(format)
}

fn index(body: &mut Body, kind: OperationKind) -> Result<Operation, Unreadable> {
    let format = format(body, INDEX_FORMAT_MAX, "index format")?;
    let mut operation = Operation::new(kind, format);
    if format == 12 {
        return Ok(index_12(body, operation)?);
    }
    operation.id = Some(body.string("an id")?);
    if format <= 10 {
        operation.doc_type = Some(body.string("a type")?);
    }
    operation.source = Some(body.span("a source")?);
    if format >= 1 {
        operation.routing = body.optional_string("a routing")?;
    }
    if (2..=8).contains(&format) {
        operation.parent = body.optional_string("a parent")?;
    }
    if format >= 3 {
        operation.version = Some(body.i64("a version")?);
    }
    if (4..=7).contains(&format) {
        operation.timestamp_ms = Some(body.i64("a timestamp")?);
    }
    if (5..=7).contains(&format) {
        operation.ttl_ms = Some(body.i64("a ttl")?);
    }
    if (6..=9).contains(&format) {
        operation.version_type = Some(version_type(body)?);
    }
    if format >= 7 {
        operation.auto_id_timestamp_ms = Some(body.i64("an auto id timestamp")?);
    }
    if format >= 8 {
        seq_no_and_term(body, &mut operation)?;
    }
    Ok(operation)
}

fn index_12(body: &mut Body, mut operation: Operation) -> Result<Operation, Defect> {
    operation.version = Some(body.i64("a version")?);
    seq_no_and_term(body, &mut operation)?;
    operation.auto_id_timestamp_ms = Some(body.i64("an auto id timestamp")?);
    operation.id = Some(id_of(body.bytes("a uid")?));
    operation.routing = body.optional_string("a routing")?;
    operation.source = Some(body.span("a source")?);
    Ok(operation)
}

fn delete(body: &mut Body) -> Result<Operation, Unreadable> {
    let format = format(body, DELETE_FORMAT_MAX, "delete format")?;
    let mut operation = Operation::new(OperationKind::Delete, format);
    match format {
        0..=2 => {
            body.string("a term's field")?;
            let uid = body.string("a term's text")?;
            let (doc_type, id) = uid.split_once('#').unwrap_or(("", &uid));
            operation.id = Some(id.to_owned());
            operation.doc_type = Some(doc_type.to_owned()).filter(|text| !text.is_empty());
        }
        3 => {
            operation.doc_type = Some(body.string("a type")?);
            operation.id = Some(body.string("an id")?);
            body.string("a term's field")?;
            body.string("a term's text")?;
        }
        4..=6 => {
            operation.doc_type = Some(body.string("a type")?);
            operation.id = Some(body.string("an id")?);
            body.string("a term's field")?;
            body.bytes("a term")?;
        }
        7 => operation.id = Some(body.string("an id")?),
        _ => {}
    }
    if format >= 1 {
        operation.version = Some(body.i64("a version")?);
    }
    if (2..=5).contains(&format) {
        operation.version_type = Some(version_type(body)?);
    }
    if format >= 4 {
        seq_no_and_term(body, &mut operation)?;
    }
    if format == 8 {
        operation.id = Some(id_of(body.bytes("a uid")?));
    }
    Ok(operation)
}

/// The two share a type. A no-op begins with a sequence number, whose first byte is 0; a
/// delete-by-query with a format, which releases wrote as 2. The body must end with either; where
/// its end is not known (up to 1.7) there are no no-ops.
fn no_op_or_query(body: &mut Body) -> Result<Operation, Unreadable> {
    let (mut as_no_op, mut as_query) = (body.clone(), body.clone());
    let no_op = no_op(&mut as_no_op);
    let query = query(&mut as_query);
    let is_no_op = no_op.is_ok() && as_no_op.rest_bytes() == 0;
    let is_query = query.is_ok() && as_query.rest_bytes() == 0;
    let is_no_op = match (is_no_op, is_query) {
        (true, true) => body.peek() == Some(0),
        (false, false) if as_no_op.starved_at().is_some() => true,
        (false, false) => query.is_err() && as_query.starved_at().is_none(),
        (is_no_op, _) => is_no_op,
    };
    if is_no_op {
        *body = as_no_op;
        return Ok(no_op?);
    }
    *body = as_query;
    Ok(query?)
}

fn no_op(body: &mut Body) -> Result<Operation, Defect> {
    let mut operation = Operation::new(OperationKind::NoOp, 0);
    seq_no_and_term(body, &mut operation)?;
    operation.reason = Some(body.string("a reason")?);
    Ok(operation)
}

fn query(body: &mut Body) -> Result<Operation, Defect> {
    let start = body.clone();
    let format = body.vint("a delete-by-query format")?;
    if format > 2 {
        return Err(start.defect("delete-by-query format 0 to 2", format.to_string()));
    }
    let mut operation = Operation::new(OperationKind::DeleteByQuery, format);
    operation.source = Some(body.span("a query")?);
    if format < 2 {
        body.optional_string("a parser's name")?;
    }
    strings(body, "types")?;
    if format >= 1 {
        strings(body, "aliases")?;
    }
    Ok(operation)
}

fn strings(body: &mut Body, what: &str) -> Result<(), Defect> {
    let start = body.clone();
    let count = body.vint(what)?;
    if count > NAMES_MAX {
        return Err(start.defect(what, format!("{count} of them")));
    }
    for _ in 0..count {
        body.string(what)?;
    }
    Ok(())
}

fn version_type(body: &mut Body) -> Result<u8, Defect> {
    let start = body.clone();
    match body.u8("a version type")? {
        known @ 0..=3 => Ok(known),
        other => Err(start.defect("version type 0 to 3", other.to_string())),
    }
}

fn seq_no_and_term(body: &mut Body, operation: &mut Operation) -> Result<(), Defect> {
    operation.seq_no = Some(body.i64("a sequence number")?);
    operation.primary_term = Some(body.i64("a primary term")?);
    Ok(())
}

/// The id that users know from the bytes of a uid (`Uid.decodeId`).
fn id_of(uid: &[u8]) -> String {
    match uid {
        [0xfe, digits @ ..] => {
            let nibbles = digits.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
            nibbles
                .take_while(|nibble| *nibble <= 9)
                .map(|digit| char::from(b'0' | digit))
                .collect()
        }
        [0xff, text @ ..] => String::from_utf8_lossy(text).into_owned(),
        [0xfd, raw @ ..] | raw => URL_SAFE_NO_PAD.encode(raw),
    }
}
