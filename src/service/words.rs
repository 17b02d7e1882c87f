//! The words of a command line, without a shell. Pure.
//!
//! Blanks part words. Single quotes keep everything between them, double quotes all but a backslash
//! before `"` or `\`; outside quotes a backslash keeps the character behind it. Nothing else is
//! special: `$`, `*`, `|`, `;` and `>` are characters like any other.

/// Splits a command line; `None` when a quote is not closed, or a backslash is its end.
pub(super) fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (None, ' ' | '\t' | '\n') => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), _) if c == open => quote = None,
            (Some('"'), '\\') if !matches!(characters.peek(), Some('"' | '\\')) => {
                word.get_or_insert_default().push(c);
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().push(characters.next()?),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[track_caller]
    fn gives(line: &str, words: &[&str]) {
        assert_eq!(split(line).unwrap(), words, "of {line:?}");
    }

    #[test]
    fn blanks_part_words() {
        gives(" a  b\tc\n", &["a", "b", "c"]);
        gives("  ", &[]);
        gives("a;b | c > $d *", &["a;b", "|", "c", ">", "$d", "*"]);
    }

    #[test]
    fn quotes_keep_words_together() {
        gives("run 'two words' \"three $more words\"", &["run", "two words", "three $more words"]);
        gives("a'b c'd \"\" ''", &["ab cd", "", ""]);
        gives(r#"'a\b' "a\b \" \\ '" a\ b \'"#, &[r"a\b", r#"a\b " \ '"#, "a b", "'"]);
    }

    #[test]
    fn what_is_left_open_is_refused() {
        for line in ["'a", "\"a", "a\\", "a \"b\\\"", "'a\\'b'"] {
            assert_eq!(split(line), None, "{line}");
        }
    }
}
