//! `elasticsearch.yml` as flat settings: `path: {data: x}` and `path.data: x` are the same.
//!
//! Lists become numbered keys, `path.data.0`, as the servers' own loaders have it
//! (`XContentSettingsLoader.java`, 1.7.6; `Settings.java`, 7.10.2). Values keep their spelling: a
//! cluster may be called `1.10` or `0x7`. A repeated key counts with its last value, as it did
//! before servers refused it. The older `elasticsearch.json` reads the same way, JSON being YAML.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Spanned};

/// Flat settings in no order that matters.
pub(super) type FlatSettings = BTreeMap<String, String>;

/// The settings that `text` holds.
///
/// # Errors
///
/// What is wrong with it as YAML, with line and column, in one line.
pub(super) fn read_flat(text: &str) -> Result<FlatSettings, String> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        null_as_string: true,
        // A snippet is many lines, and may show a password.
        with_snippet: false,
    };
    let root: Spanned<Node> = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| error.to_string().replace('\n', " "))?;
    if !matches!(root.value, Node::Map(_) | Node::Nothing) {
        return Err("not a map of settings".to_owned());
    }
    let mut settings = FlatSettings::new();
    flatten(text, String::new(), &root, &mut settings);
    Ok(settings)
}

/// A YAML node with no meaning given to plain scalars.
enum Node {
    Nothing,
    /// A scalar that YAML takes for a number or a truth value: its spelling is in the file.
    Plain,
    Text(String),
    List(Vec<Spanned<Node>>),
    Map(Vec<(String, Spanned<Node>)>),
}

fn flatten(text: &str, key: String, node: &Spanned<Node>, settings: &mut FlatSettings) {
    match &node.value {
        Node::Nothing => {}
        Node::Plain => {
            if let Some(spelling) = spelling(text, node) {
                settings.insert(key, spelling.trim().to_owned());
            }
        }
        Node::Text(value) => {
            settings.insert(key, value.clone());
        }
        Node::List(items) => {
            for (number, item) in items.iter().enumerate() {
                flatten(text, join(&key, &number.to_string()), item, settings);
            }
        }
        Node::Map(entries) => {
            for (name, value) in entries {
                flatten(text, join(&key, name), value, settings);
            }
        }
    }
}

fn join(key: &str, name: &str) -> String {
    if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") }
}

fn spelling<'a>(text: &'a str, node: &Spanned<Node>) -> Option<&'a str> {
    let span = node.defined.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let end = start.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
    text.get(start..end)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a setting")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Plain)
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(text: &str) -> Vec<(String, String)> {
        read_flat(text).unwrap().into_iter().collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn dotted_nested_and_flow_forms_are_one() {
        for text in [
            "path.data: /a\npath.logs: /l\n",
            "path:\n  data: /a\n  logs: /l\n",
            "path: {data: /a, logs: /l}",
            "{\"path\": {\"data\": \"/a\"}, \"path.logs\": \"/l\"}",
            "---\n# first\npath.data: /a # why\npath:\n   logs: '/l'\n",
        ] {
            assert_eq!(flat(text), pairs(&[("path.data", "/a"), ("path.logs", "/l")]), "{text}");
        }
    }

    #[test]
    fn lists_become_numbered_keys() {
        let expected = pairs(&[("path.data.0", "/a"), ("path.data.1", "/b c")]);
        assert_eq!(flat("path.data: [\"/a\", /b c]"), expected);
        assert_eq!(flat("path:\n  data:\n  - /a\n  - /b c\n"), expected);
        assert_eq!(flat("path.data: []"), []);
    }

    #[test]
    fn values_keep_their_spelling() {
        for spelling in ["1.10", "007", "0x7", "1_000", "true", "yes", "-0", "1e3", ".5", "+1"] {
            assert_eq!(flat(&format!("a: {spelling}  # c\n")), pairs(&[("a", spelling)]));
            assert_eq!(flat(&format!("\u{e9}: x\na: [{spelling}]\n"))[0].1, spelling);
        }
    }

    #[test]
    fn a_file_of_comments_or_nothing_has_no_settings() {
        for text in ["", "# all defaults\n", "---\n", "\n\n", "a:\nb: ~\n"] {
            assert_eq!(flat(text), [], "{text:?}");
        }
    }

    #[test]
    fn the_last_of_a_repeated_key_counts() {
        assert_eq!(flat("a.b: 1\na.b: 2\na:\n  b: 3\n"), pairs(&[("a.b", "3")]));
    }

    #[test]
    fn what_is_no_map_is_refused_in_one_line() {
        for text in ["path.data /a", "- a\n- b", "a: [", "a: {b: c", "a: b: c"] {
            let reason = read_flat(text).unwrap_err();
            assert!(!reason.is_empty() && !reason.contains('\n'), "{text}: {reason}");
        }
    }
}
