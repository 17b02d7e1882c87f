//! Decodes the body of a record of any length in bounded memory: at most [`HEAD_BYTES_MAX`] of its
//! beginning and [`TAIL_BYTES`] behind its source. The rest only goes through the checksum, block by
//! block.

use std::io;

use super::body::Body;
use super::defect::Unreadable;
use super::operation::Operation;
use super::operation_decode::decode;
use super::window::{ReadAt, Window};

/// Bytes from the beginning of a body that are decoded, when the fewer do not do; only a source
/// or a query reaches further.
const HEAD_BYTES: u64 = 4 * 1024;
pub(super) const HEAD_BYTES_MAX: u64 = 256 * 1024;
/// Bytes behind a long source that are decoded.
const TAIL_BYTES: u64 = 64 * 1024;

/// What a body says, as far as it can be decoded.
pub(super) struct Decoded {
    pub(super) operation: Result<Operation, Unreadable>,
    /// Bytes that the operation takes, and those behind it.
    pub(super) read_bytes: u64,
    pub(super) rest_bytes: u64,
    /// Whether bytes behind a long source were read.
    pub(super) is_long: bool,
}

/// Decodes the body of `len_bytes` at `offset`.
pub(super) fn decode_body<R: ReadAt + ?Sized>(
    window: &mut Window<R>,
    offset: u64,
    len_bytes: u64,
) -> io::Result<Decoded> {
    let (decoded, starved_at) = decode_from(window, offset, len_bytes, HEAD_BYTES)?;
    if starved_at.is_none() {
        return Ok(decoded);
    }
    Ok(decode_from(window, offset, len_bytes, HEAD_BYTES_MAX)?.0)
}

fn decode_from<R: ReadAt + ?Sized>(
    window: &mut Window<R>,
    offset: u64,
    len_bytes: u64,
    head_bytes: u64,
) -> io::Result<(Decoded, Option<u64>)> {
    let head = window.get(offset, length(len_bytes.min(head_bytes)))?;
    let mut body = Body::partly(head, len_bytes, offset);
    let operation = decode(&mut body);
    let Some(tail_at) = body.starved_at().filter(|at| *at >= head_bytes) else {
        return Ok((decoded(operation, &body, false), body.starved_at()));
    };
    let head = head.to_vec();
    let tail_bytes = len_bytes.saturating_sub(tail_at).min(TAIL_BYTES);
    let tail = window.get(offset.saturating_add(tail_at), length(tail_bytes))?;
    let mut body = Body::partly(&head, len_bytes, offset).with_tail(tail, tail_at);
    let operation = decode(&mut body);
    Ok((decoded(operation, &body, true), body.starved_at()))
}

fn decoded(operation: Result<Operation, Unreadable>, body: &Body, is_long: bool) -> Decoded {
    let (read_bytes, rest_bytes) = (body.read_bytes(), body.rest_bytes());
    Decoded { operation, read_bytes, rest_bytes, is_long }
}

/// A number of bytes as an index; more than there can be where it is too large.
pub(super) fn length(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
