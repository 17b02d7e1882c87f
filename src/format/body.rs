//! Primitive fields of a record's body: `StreamInput` of Elasticsearch.
//!
//! | name | bytes |
//! |---|---|
//! | i64 | 8, big-endian |
//! | vint | 1 to 5, seven bits each, least significant first, top bit = more follow |
//! | string | vint number of UTF-16 units, then 1 to 3 bytes a unit (CESU-8) |
//! | optional | one byte 0 or 1, then the value if 1 |
//! | bytes | vint length, then that many bytes |

use super::defect::Defect;
use super::operation::Span;

/// A reader over a body, of which not all need be in memory: the first bytes are, and perhaps
/// some further on. Only the content of a bytes field may lie where none are.
#[derive(Debug, Clone)]
pub(super) struct Body<'a> {
    head: &'a [u8],
    tail: &'a [u8],
    /// Where in the body the tail begins.
    tail_at: u64,
    len_bytes: u64,
    /// Offset of the body in the file.
    base: u64,
    /// How far it is read.
    at: u64,
    /// Whether bytes were asked for that are not in memory.
    starved: bool,
}

impl<'a> Body<'a> {
    /// A body that is in memory whole.
    pub(super) fn whole(bytes: &'a [u8], base: u64) -> Self {
        Self::partly(bytes, bytes.len() as u64, base)
    }

    /// A body of `len_bytes`, of which the head is in memory.
    pub(super) fn partly(head: &'a [u8], len_bytes: u64, base: u64) -> Self {
        Self { head, tail: &[], tail_at: u64::MAX, len_bytes, base, at: 0, starved: false }
    }

    /// The same with the bytes from `tail_at` on in memory as well.
    pub(super) fn with_tail(self, tail: &'a [u8], tail_at: u64) -> Self {
        Self { tail, tail_at, ..self }
    }

    /// Bytes that are read.
    pub(super) fn read_bytes(&self) -> u64 {
        self.at
    }

    /// Bytes that are left.
    pub(super) fn rest_bytes(&self) -> u64 {
        self.len_bytes.saturating_sub(self.at)
    }

    /// Where bytes were asked for that are not in memory.
    pub(super) fn starved_at(&self) -> Option<u64> {
        self.starved.then_some(self.at)
    }

    /// A defect at the next field.
    pub(super) fn defect(&self, expected: &str, found: impl Into<String>) -> Defect {
        Defect::new(self.base.saturating_add(self.at), expected, found)
    }

    /// The next byte, not yet read.
    pub(super) fn peek(&self) -> Option<u8> {
        self.clone().u8("a byte").ok()
    }

    /// The next `length` bytes, which must be in memory.
    fn take(&mut self, length: u64, what: &str) -> Result<&'a [u8], Defect> {
        if self.rest_bytes() < length {
            return Err(self.defect(what, "the end of the record"));
        }
        let (part, start) =
            if self.at >= self.tail_at { (self.tail, self.tail_at) } else { (self.head, 0) };
        let from = usize::try_from(self.at.saturating_sub(start)).ok();
        let length_here = usize::try_from(length).ok();
        let taken = from
            .zip(length_here)
            .and_then(|(from, length)| part.get(from..from.saturating_add(length)));
        let Some(taken) = taken else {
            self.starved = true;
            return Err(self.defect(what, "a field longer than any is"));
        };
        self.at = self.at.saturating_add(length);
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Defect> {
        let taken = self.take(N as u64, what)?;
        taken.try_into().map_err(|_| self.defect(what, "too few bytes"))
    }

    pub(super) fn u8(&mut self, what: &str) -> Result<u8, Defect> {
        let [byte] = self.array(what)?;
        Ok(byte)
    }

    pub(super) fn i64(&mut self, what: &str) -> Result<i64, Defect> {
        Ok(i64::from_be_bytes(self.array(what)?))
    }

    pub(super) fn vint(&mut self, what: &str) -> Result<u32, Defect> {
        let start = self.clone();
        let mut value: u32 = 0;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.u8(what)?;
            let bits = u32::from(byte & 0x7f);
            if shift == 28 && bits > 0x0f {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(start.defect(what, "a number of more than 32 bits"))
    }

    pub(super) fn bool(&mut self, what: &str) -> Result<bool, Defect> {
        let start = self.clone();
        match self.u8(what)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(start.defect(what, format!("byte {other:02x}"))),
        }
    }

    pub(super) fn string(&mut self, what: &str) -> Result<String, Defect> {
        let start = self.clone();
        let unit_count = self.vint(what)?;
        if u64::from(unit_count) > self.rest_bytes() {
            return Err(start.defect(what, format!("a text of {unit_count} units")));
        }
        let mut text = String::new();
        let mut high: Option<u32> = None;
        for _ in 0..unit_count {
            let unit = self.unit(what)?;
            text_push(&mut text, &mut high, unit);
        }
        if high.is_some() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        Ok(text)
    }

    /// One UTF-16 unit.
    fn unit(&mut self, what: &str) -> Result<u32, Defect> {
        let start = self.clone();
        let first = self.u8(what)?;
        let more = match first {
            0x00..=0x7f => return Ok(u32::from(first)),
            0xc0..=0xdf => 1,
            0xe0..=0xef => 2,
            _ => return Err(start.defect(what, format!("byte {first:02x} in a text"))),
        };
        let mut unit = u32::from(first & if more == 1 { 0x1f } else { 0x0f });
        for _ in 0..more {
            let next = self.u8(what)?;
            if next & 0xc0 != 0x80 {
                return Err(start.defect(what, format!("byte {next:02x} in a text")));
            }
            unit = (unit << 6) | u32::from(next & 0x3f);
        }
        Ok(unit)
    }

    pub(super) fn optional_string(&mut self, what: &str) -> Result<Option<String>, Defect> {
        if self.bool(what)? { self.string(what).map(Some) } else { Ok(None) }
    }

    /// A bytes field, left where it is.
    pub(super) fn span(&mut self, what: &str) -> Result<Span, Defect> {
        let start = self.clone();
        let length = u64::from(self.vint(what)?);
        if length > self.rest_bytes() {
            return Err(start.defect(what, format!("{length} bytes")));
        }
        let offset = self.base.saturating_add(self.at);
        self.at = self.at.saturating_add(length);
        Ok(Span { offset, len_bytes: length })
    }

    /// A bytes field, read.
    pub(super) fn bytes(&mut self, what: &str) -> Result<&'a [u8], Defect> {
        let start = self.clone();
        let length = u64::from(self.vint(what)?);
        if length > self.rest_bytes() {
            return Err(start.defect(what, format!("{length} bytes")));
        }
        self.take(length, what)
    }
}

/// Joins surrogate pairs; a lone one becomes the replacement character.
fn text_push(text: &mut String, high: &mut Option<u32>, unit: u32) {
    let pair = high.take();
    match (pair, unit) {
        (Some(high), 0xdc00..=0xdfff) => {
            let low = unit & 0x3ff;
            let code = 0x1_0000_u32.saturating_add((high & 0x3ff) << 10).saturating_add(low);
            text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            return;
        }
        (Some(_), _) => text.push(char::REPLACEMENT_CHARACTER),
        (None, _) => {}
    }
    if matches!(unit, 0xd800..=0xdbff) {
        *high = Some(unit);
    } else {
        text.push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
    }
}
