//! The few fields of a record that a verdict counts, read without allocating: the fast lane for
//! sound records.
//!
//! It knows less than `operation_decode.rs` and never more: what it takes, that decoder takes with
//! the same fields (tested over every sample and its mutations). What it does not take is for
//! that decoder to judge.

/// What a verdict counts of a whole record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brief {
    /// Where it begins, in bytes.
    pub offset: u64,
    /// Its length on disk.
    pub len_bytes: u64,
    /// Its sequence number, 6.0 and later.
    pub seq_no: Option<i64>,
    /// The primary term it was done in, 6.0 and later.
    pub primary_term: Option<i64>,
}

/// Sequence number and primary term of a body; no format has one of them alone.
pub(super) type Numbers = Option<(i64, i64)>;

/// Reads a whole body, from the type to its last byte; `None` when this does not know it.
pub(super) fn numbers_of(body: &[u8]) -> Option<Numbers> {
    let mut fields = Fields { rest: body };
    let numbers = match fields.byte()? {
        1 | 2 => index(&mut fields)?,
        3 => delete(&mut fields)?,
        // A delete-by-query has its format there, which releases wrote as 2.
        4 if fields.rest.first() == Some(&0) => {
            let numbers = fields.numbers()?;
            fields.text()?;
            Some(numbers)
        }
        _ => return None,
    };
    fields.rest.is_empty().then_some(numbers)
}

fn index(fields: &mut Fields) -> Option<Numbers> {
    let format = fields.vint()?;
    if format == 12 {
        fields.long()?;
        let numbers = fields.numbers()?;
        fields.long()?;
        fields.bytes()?;
        fields.optional_text()?;
        fields.bytes()?;
        return Some(Some(numbers));
    }
    if format > 12 {
        return None;
    }
    fields.text()?;
    if format <= 10 {
        fields.text()?;
    }
    fields.bytes()?;
    if format >= 1 {
        fields.optional_text()?;
    }
    if (2..=8).contains(&format) {
        fields.optional_text()?;
    }
    if format >= 3 {
        fields.long()?;
    }
    if (4..=7).contains(&format) {
        fields.long()?;
    }
    if (5..=7).contains(&format) {
        fields.long()?;
    }
    if (6..=9).contains(&format) {
        fields.version_type()?;
    }
    if format >= 7 {
        fields.long()?;
    }
    if format >= 8 { fields.numbers().map(Some) } else { Some(None) }
}

fn delete(fields: &mut Fields) -> Option<Numbers> {
    let format = fields.vint()?;
    let text_count = match format {
        0..=2 => 2,
        3 => 4,
        4..=6 => 3,
        7 => 1,
        8 => 0,
        _ => return None,
    };
    for _ in 0..text_count {
        fields.text()?;
    }
    if (4..=6).contains(&format) {
        fields.bytes()?;
    }
    if format >= 1 {
        fields.long()?;
    }
    if (2..=5).contains(&format) {
        fields.version_type()?;
    }
    let numbers = if format >= 4 { Some(fields.numbers()?) } else { None };
    if format == 8 {
        fields.bytes()?;
    }
    Some(numbers)
}

/// The fields that are left.
struct Fields<'a> {
    rest: &'a [u8],
}

impl Fields<'_> {
    fn skip(&mut self, count: u32) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn long(&mut self) -> Option<i64> {
        let (first, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(i64::from_be_bytes(*first))
    }

    fn numbers(&mut self) -> Option<(i64, i64)> {
        Some((self.long()?, self.long()?))
    }

    fn vint(&mut self) -> Option<u32> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            let bits = u32::from(byte & 0x7f);
            if shift == 28 && bits > 0x0f {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn bytes(&mut self) -> Option<()> {
        let count = self.vint()?;
        self.skip(count)
    }

    /// UTF-16 units of 1 to 3 bytes; mostly each is one.
    fn text(&mut self) -> Option<()> {
        let count = self.vint()?;
        let text = self.rest.get(..usize::try_from(count).ok()?)?;
        if text.is_ascii() {
            return self.skip(count);
        }
        for _ in 0..count {
            let more = match self.byte()? {
                0x00..=0x7f => 0,
                0xc0..=0xdf => 1,
                0xe0..=0xef => 2,
                _ => return None,
            };
            for _ in 0..more {
                if self.byte()? & 0xc0 != 0x80 {
                    return None;
                }
            }
        }
        Some(())
    }

    fn optional_text(&mut self) -> Option<()> {
        match self.byte()? {
            0 => Some(()),
            1 => self.text(),
            _ => None,
        }
    }

    fn version_type(&mut self) -> Option<()> {
        self.byte().filter(|byte| *byte <= 3).map(|_| ())
    }
}

#[cfg(test)]
mod tests;
