//! A bounded reader over the bytes of a whole file, in the encodings of Lucene's `DataInput`.

use super::defect::Defect;

/// Entries of one collection; real ones have thousands at most.
pub(super) const ENTRIES_MAX: u32 = 1_000_000;

/// Reads forward; running out is a defect with its place.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Offset in the file.
    pub(super) fn offset(&self) -> u64 {
        self.at as u64
    }

    /// The same as an index.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn take(&mut self, length: usize, what: &str) -> Result<&'a [u8], Defect> {
        let end = self.at.saturating_add(length);
        let taken = self
            .bytes
            .get(self.at..end)
            .ok_or_else(|| Defect::new(self.offset(), what, "the end of the file"))?;
        self.at = end;
        Ok(taken)
    }

    pub(super) fn u8(&mut self, what: &str) -> Result<u8, Defect> {
        Ok(self.take(1, what)?.first().copied().unwrap_or(0))
    }

    /// Four bytes, big-endian.
    pub(super) fn u32(&mut self, what: &str) -> Result<u32, Defect> {
        Ok(self.take(4, what)?.try_into().map_or(0, u32::from_be_bytes))
    }

    /// Four bytes, little-endian.
    pub(super) fn u32_little(&mut self, what: &str) -> Result<u32, Defect> {
        self.u32(what).map(u32::swap_bytes)
    }

    /// Eight bytes, big-endian.
    pub(super) fn i64(&mut self, what: &str) -> Result<i64, Defect> {
        self.array(what).map(i64::from_be_bytes)
    }

    pub(super) fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Defect> {
        let at = self.offset();
        let taken = self.take(N, what)?;
        taken.try_into().map_err(|_| Defect::new(at, what, "too few bytes"))
    }

    /// A byte that is 0 or 1.
    pub(super) fn flag(&mut self, what: &str) -> Result<bool, Defect> {
        let at = self.offset();
        match self.u8(what)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Defect::new(at, format!("0 or 1 as {what}"), other.to_string())),
        }
    }

    /// A number of things that follow, four bytes big-endian.
    pub(super) fn count(&mut self, max: u32, what: &str) -> Result<u32, Defect> {
        let at = self.offset();
        let count = self.u32(what)?;
        if count > max {
            return Err(Defect::new(at, what, count.to_string()));
        }
        Ok(count)
    }

    /// Strings behind their number, a vint from Lucene 5.1 on.
    pub(super) fn strings(&mut self, is_vint: bool) -> Result<Vec<String>, Defect> {
        let count = self.entry_count(is_vint)?;
        (0..count).map(|_| self.string("a name")).collect()
    }

    /// Pairs of strings behind their number.
    pub(super) fn string_map(&mut self, is_vint: bool) -> Result<Vec<(String, String)>, Defect> {
        let count = self.entry_count(is_vint)?;
        (0..count).map(|_| Ok((self.string("a key")?, self.string("a value")?))).collect()
    }

    fn entry_count(&mut self, is_vint: bool) -> Result<u32, Defect> {
        let at = self.offset();
        let what = "a number of entries";
        let count = if is_vint { self.vint(what)? } else { self.u32(what)? };
        if count > ENTRIES_MAX {
            return Err(Defect::new(at, what, count.to_string()));
        }
        Ok(count)
    }

    pub(super) fn vint(&mut self, what: &str) -> Result<u32, Defect> {
        let at = self.offset();
        u32::try_from(self.variable(5, what)?)
            .map_err(|_| Defect::new(at, what, "a number of more than 32 bits"))
    }

    pub(super) fn vlong(&mut self, what: &str) -> Result<u64, Defect> {
        self.variable(9, what)
    }

    fn variable(&mut self, length_max: u32, what: &str) -> Result<u64, Defect> {
        let at = self.offset();
        let mut value: u64 = 0;
        for index in 0..length_max {
            let byte = self.u8(what)?;
            value |= u64::from(byte & 0x7f) << index.saturating_mul(7);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Defect::new(at, what, "a number without an end"))
    }

    /// Nothing may be left over.
    pub(super) fn finish(&self) -> Result<(), Defect> {
        match self.bytes.len().saturating_sub(self.at) {
            0 => Ok(()),
            rest => Err(Defect::new(self.offset(), "the end", format!("{rest} more bytes"))),
        }
    }

    /// A string: vint number of bytes, UTF-8.
    pub(super) fn string(&mut self, what: &str) -> Result<String, Defect> {
        let length = usize::try_from(self.vint(what)?).unwrap_or(usize::MAX);
        let at = self.offset();
        let bytes = self.take(length, what)?;
        String::from_utf8(bytes.to_vec())
            .map_err(|_| Defect::new(at, what, "bytes that are no text"))
    }
}
