//! Text from logs and file names, made safe for a terminal.

/// Longest text that is shown in one piece.
const SHOWN_CHARS_MAX: usize = 1_000;

/// The text with control characters, bidirectional overrides and the like escaped, and cut when
/// it is longer than anyone reads.
#[must_use]
pub fn safe(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == SHOWN_CHARS_MAX {
            shown.push_str(" ...");
            break;
        }
        if character.is_control() || is_invisible(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Characters that change how the text around them is shown.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_gets_through() {
        assert_eq!(safe("plain [logs][0]"), "plain [logs][0]");
        assert_eq!(safe("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\u{a}c");
        assert_eq!(safe("x\u{202e}y"), "x\\u{202e}y");
        let long = safe(&"z".repeat(SHOWN_CHARS_MAX + 5));
        assert_eq!(long.len(), SHOWN_CHARS_MAX + 4);
    }
}
