//! `${NAME}` and `${NAME:default}` in a setting's value.
//!
//! As `PropertyPlaceholder.java` has it (1.7.6, 2.4.6, 7.10.2): placeholders nest, the text after
//! the first colon stands in when the name means nothing, and what a name gives is expanded too.

/// Deepest nesting followed. A server fails on a circle; this is where a circle ends here.
const MAX_DEPTH: usize = 16;

/// `text` with every placeholder replaced by what `value_of` gives for its name.
///
/// # Errors
///
/// The name that nothing is known for, or one in a circle.
pub(super) fn expand(
    text: &str,
    value_of: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    expand_at(0, text, value_of)
}

fn expand_at(
    depth: usize,
    text: &str,
    value_of: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    if depth > MAX_DEPTH {
        return Err(text.to_owned());
    }
    let deeper = depth.saturating_add(1);
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((inside, after)) = split_at_end(after) else { break };
        expanded.push_str(before);
        rest = after;
        let inside = expand_at(deeper, inside, value_of)?;
        let (name, default) = match inside.split_once(':') {
            Some((name, default)) => (name, Some(default)),
            None => (inside.as_str(), None),
        };
        match (value_of(name), default) {
            (Some(value), _) => expanded.push_str(&expand_at(deeper, &value, value_of)?),
            (None, Some(default)) => expanded.push_str(default),
            (None, None) => return Err(name.to_owned()),
        }
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// What comes before and after the brace that closes a placeholder opened just before `text`.
fn split_at_end(text: &str) -> Option<(&str, &str)> {
    let mut open_count = 1_usize;
    let mut previous = ' ';
    for (offset, c) in text.char_indices() {
        match c {
            '{' if previous == '$' => open_count = open_count.saturating_add(1),
            '}' => open_count = open_count.saturating_sub(1),
            _ => {}
        }
        if open_count == 0 {
            return Some((text.get(..offset)?, text.get(offset.saturating_add(1)..)?));
        }
        previous = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value_of(name: &str) -> Option<String> {
        let value = match name {
            "A" => "a",
            "PATH" => "/x:${A}",
            "NAME" => "A",
            "EMPTY" => "",
            "CIRCLE" => "${CIRCLE}",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn names_defaults_and_nesting() {
        for (text, expected) in [
            ("plain", "plain"),
            ("${A}", "a"),
            ("/d/${A}/${A}", "/d/a/a"),
            ("${B:}", ""),
            ("${B:/a:b}", "/a:b"),
            ("${B:${A}}/c", "a/c"),
            ("${${NAME}}", "a"),
            ("${PATH}", "/x:a"),
            ("[${EMPTY}]", "[]"),
            ("${A", "${A"),
            ("$A {A} }", "$A {A} }"),
        ] {
            assert_eq!(expand(text, &value_of).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn an_unknown_name_and_a_circle_are_errors() {
        assert_eq!(expand("x${B}", &value_of), Err("B".to_owned()));
        assert_eq!(expand("${CIRCLE}", &value_of), Err("CIRCLE".to_owned()));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_hang(text in "[${}:A\u{e9}CIRLE]{0,60}") {
            let _ = expand(&text, &value_of);
        }
    }
}
