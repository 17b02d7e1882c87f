//! Fields of a JSON record that may be cut off anywhere.
//!
//! A log line that a full disk cut short is no JSON any more, and what is whole in it still tells.
//! So the record is read from the left, and reading ends where it stops making sense.

/// Deepest nesting that is passed over.
const DEPTH_MAX: usize = 64;

/// A field's value, where it is one that records have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A string.
    Text(String),
    /// An array of strings.
    List(Vec<String>),
    /// An array of numbers: the journal's way to tell a text that is not printable.
    Bytes(Vec<u8>),
}

/// Hands the wanted fields of the outermost object to `take`, in order.
pub(super) fn each_field(
    raw: &[u8],
    wants: &dyn Fn(&str) -> bool,
    take: &mut dyn FnMut(&str, Value),
) {
    let mut reader = Reader { rest: raw };
    let _ = reader.object(wants, take);
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn object(
        &mut self,
        wants: &dyn Fn(&str) -> bool,
        take: &mut dyn FnMut(&str, Value),
    ) -> Option<()> {
        self.expect(b'{')?;
        loop {
            self.blanks();
            if self.peek()? == b'}' {
                return Some(());
            }
            let (key, _) = self.string()?;
            self.blanks();
            self.expect(b':')?;
            self.blanks();
            if wants(&key) {
                self.value(&key, take)?;
            } else {
                self.pass_over()?;
            }
            self.blanks();
            if self.peek()? == b',' {
                self.expect(b',')?;
            }
        }
    }

    fn value(&mut self, key: &str, take: &mut dyn FnMut(&str, Value)) -> Option<()> {
        match self.peek()? {
            b'"' => {
                let (text, is_whole) = self.string()?;
                take(key, Value::Text(text));
                is_whole.then_some(())
            }
            b'[' => {
                let (texts, bytes, is_whole) = self.list();
                let is_bytes = texts.is_empty() && !bytes.is_empty();
                take(key, if is_bytes { Value::Bytes(bytes) } else { Value::List(texts) });
                is_whole.then_some(())
            }
            _ => self.pass_over(),
        }
    }

    fn list(&mut self) -> (Vec<String>, Vec<u8>, bool) {
        let mut texts = Vec::new();
        let mut bytes = Vec::new();
        let is_whole = self.list_into(&mut texts, &mut bytes).is_some();
        (texts, bytes, is_whole)
    }

    fn list_into(&mut self, texts: &mut Vec<String>, bytes: &mut Vec<u8>) -> Option<()> {
        self.expect(b'[')?;
        loop {
            self.blanks();
            match self.peek()? {
                b']' => return self.expect(b']'),
                b',' => self.expect(b',')?,
                b'"' => {
                    let (text, is_whole) = self.string()?;
                    texts.push(text);
                    is_whole.then_some(())?;
                }
                b'0'..=b'9' => bytes.push(self.number()),
                _ => self.pass_over()?,
            }
        }
    }

    fn number(&mut self) -> u8 {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.rest.split_at_checked(digits).unwrap_or((self.rest, &[]));
        self.rest = rest;
        std::str::from_utf8(number).ok().and_then(|text| text.parse().ok()).unwrap_or(b'?')
    }

    /// A string, and whether it has its end.
    fn string(&mut self) -> Option<(String, bool)> {
        self.expect(b'"')?;
        let mut text: Vec<u8> = Vec::new();
        loop {
            let Some(at) = memchr::memchr2(b'"', b'\\', self.rest) else {
                text.extend_from_slice(self.rest);
                self.rest = &[];
                return Some((String::from_utf8_lossy(&text).into_owned(), false));
            };
            let (plain, rest) = self.rest.split_at_checked(at)?;
            text.extend_from_slice(plain);
            self.rest = rest.get(1..)?;
            if rest.first() == Some(&b'"') {
                return Some((String::from_utf8_lossy(&text).into_owned(), true));
            }
            let mut buffer = [0; 4];
            match self.escaped() {
                Some(character) => {
                    text.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
                }
                None => return Some((String::from_utf8_lossy(&text).into_owned(), false)),
            }
        }
    }

    /// What follows a backslash.
    fn escaped(&mut self) -> Option<char> {
        let escape = self.next()?;
        Some(match escape {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let first = self.hex()?;
                if (0xd800..0xdc00).contains(&first) && self.rest.starts_with(b"\\u") {
                    self.rest = self.rest.get(2..)?;
                    let second = self.hex()?;
                    let pair = [first, second];
                    let decoded = char::decode_utf16(pair).next().and_then(Result::ok);
                    return Some(decoded.unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                char::from_u32(u32::from(first)).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            other => char::from(other),
        })
    }

    fn hex(&mut self) -> Option<u16> {
        let (digits, rest) = self.rest.split_at_checked(4)?;
        self.rest = rest;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }

    /// Passes over a value of any kind.
    fn pass_over(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            self.blanks();
            match self.peek()? {
                b'"' => {
                    let (_, is_whole) = self.string()?;
                    is_whole.then_some(())?;
                }
                b'{' | b'[' => {
                    depth = depth.checked_add(1).filter(|depth| *depth <= DEPTH_MAX)?;
                    self.next()?;
                    continue;
                }
                b'}' | b']' | b',' | b':' if depth > 0 => {
                    let byte = self.next()?;
                    if !matches!(byte, b'}' | b']') {
                        continue;
                    }
                    depth = depth.saturating_sub(1);
                }
                b'}' | b']' | b',' | b':' => return None,
                _ => {
                    let ends = |byte: &u8| b",]}: \t\n\r".contains(byte);
                    let length = self.rest.iter().position(ends)?;
                    self.rest = self.rest.get(length..)?;
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(raw: &str) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        each_field(raw.as_bytes(), &|key| key != "not", &mut |key, value| {
            found.push((key.to_owned(), value));
        });
        found
    }

    fn text(key: &str, value: &str) -> (String, Value) {
        (key.to_owned(), Value::Text(value.to_owned()))
    }

    #[test]
    fn strings_lists_and_what_is_passed_over() {
        let raw = r#"{"a": "x\"y\n\u00e9\ud83d\ude00", "n": 12, "not": {"a": ["b", {"c": "}"}]},
            "list": ["one",
            "two"], "bytes": [104, 105], "z": "end"}"#;
        let list = Value::List(vec!["one".to_owned(), "two".to_owned()]);
        let expected = vec![
            text("a", "x\"y\né😀"),
            ("list".to_owned(), list),
            ("bytes".to_owned(), Value::Bytes(b"hi".to_vec())),
            text("z", "end"),
        ];
        assert_eq!(read(raw), expected);
    }

    #[test]
    fn a_record_that_is_cut_off_tells_what_it_has() {
        let raw = r#"{"a": "whole", "b": "half of i"#;
        assert_eq!(read(raw), vec![text("a", "whole"), text("b", "half of i")]);
        let raw = r#"{"a": ["one", "tw"#;
        let list = Value::List(vec!["one".to_owned(), "tw".to_owned()]);
        assert_eq!(read(raw), vec![("a".to_owned(), list)]);
    }

    proptest! {
        #[test]
        fn what_a_real_writer_wrote_is_read(
            fields in proptest::collection::vec(("[a-z.@_]{1,9}", any::<String>()), 0..9)
        ) {
            let mut object = serde_json::Map::new();
            for (key, value) in fields.iter().filter(|(key, _)| key != "not") {
                object.insert(key.clone(), serde_json::Value::String(value.clone()));
            }
            let raw = serde_json::to_string(&object).unwrap();
            let expected: Vec<_> =
                object.iter().map(|(key, value)| text(key, value.as_str().unwrap())).collect();
            prop_assert_eq!(read(&raw), expected);
        }

        #[test]
        fn any_bytes_come_to_an_end(raw in any::<Vec<u8>>()) {
            each_field(&raw, &|_| true, &mut |_, _| ());
            let mut object = b"{\"a\":".to_vec();
            object.extend(raw);
            each_field(&object, &|_| false, &mut |_, _| ());
        }
    }
}
