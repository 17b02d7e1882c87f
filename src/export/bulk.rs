//! One operation as the action line of a bulk request.
//!
//! `create` becomes `index`: a create takes no external version. With `version_type: external`
//! nothing newer is overwritten, and what is there already comes back as a conflict (409).

use serde_json::{Map, Value, json};

use crate::format::{Operation, OperationKind};

/// Index formats up to this are of 6.x and earlier, where every action needs a type.
const TYPED_INDEX_FORMAT_MAX: u32 = 8;
/// The same for deletes.
const TYPED_DELETE_FORMAT_MAX: u32 = 5;
/// The type that 7.x gives to an index without types.
const NO_TYPE: &str = "_doc";

/// The action line; `None` for what a bulk request cannot do.
pub(super) fn action_line(index: &str, operation: &Operation) -> Option<String> {
    let (verb, typed_format_max) = match operation.kind {
        OperationKind::Create | OperationKind::Index => ("index", TYPED_INDEX_FORMAT_MAX),
        OperationKind::Delete => ("delete", TYPED_DELETE_FORMAT_MAX),
        OperationKind::DeleteByQuery | OperationKind::NoOp => return None,
    };
    let id = operation.id.as_ref()?;
    let mut fields = Map::new();
    fields.insert("_index".to_owned(), json!(index));
    if let Some(doc_type) = &operation.doc_type
        && (operation.format <= typed_format_max || doc_type != NO_TYPE)
    {
        fields.insert("_type".to_owned(), json!(doc_type));
    }
    fields.insert("_id".to_owned(), json!(id));
    let texts = [("routing", &operation.routing), ("parent", &operation.parent)];
    for (name, text) in texts {
        if let Some(text) = text {
            fields.insert(name.to_owned(), json!(text));
        }
    }
    if let Some(version) = operation.version.filter(|version| *version > 0) {
        fields.insert("version".to_owned(), json!(version));
        fields.insert("version_type".to_owned(), json!("external"));
    }
    Some(json!({ verb: Value::Object(fields) }).to_string())
}

/// Whether bytes that begin a source can be a JSON object. Up to 9.x a client may also send YAML,
/// SMILE or CBOR, of which a bulk request of lines has no form.
pub(super) fn is_json(start: &[u8]) -> bool {
    start.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

/// Makes one line of a part of a source: in JSON a line end stands only between tokens, where a
/// blank means the same.
pub(super) fn on_one_line(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')) {
        *byte = b' ';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(kind: OperationKind, format: u32) -> Operation {
        let mut operation = Operation::new(kind, format);
        operation.id = Some("a\"1".to_owned());
        operation.doc_type = Some("_doc".to_owned());
        operation
    }

    #[test]
    fn each_kind_is_the_action_that_does_the_same() {
        let mut index = operation(OperationKind::Create, 6);
        index.routing = Some("r".to_owned());
        index.version = Some(3);
        assert_eq!(
            action_line("i", &index).unwrap(),
            r#"{"index":{"_index":"i","_type":"_doc","_id":"a\"1","routing":"r","version":3,"version_type":"external"}}"#
        );
        let delete = operation(OperationKind::Delete, 6);
        let line = action_line("i", &delete).unwrap();
        assert_eq!(line, r#"{"delete":{"_index":"i","_id":"a\"1"}}"#, "7.x: no type");
        assert_eq!(action_line("i", &operation(OperationKind::NoOp, 0)), None);
    }

    #[test]
    fn versions_that_mean_any_are_left_out() {
        let mut index = operation(OperationKind::Index, 10);
        index.version = Some(-3);
        assert!(!action_line("i", &index).unwrap().contains("version"));
    }

    #[test]
    fn sources_stay_on_one_line() {
        let mut source = b"{\r\n \"a\": 1\n}".to_vec();
        on_one_line(&mut source);
        assert_eq!(source, b"{   \"a\": 1 }");
        assert!(is_json(b" \n{") && !is_json(b":)\n\x05") && !is_json(b"---\na: 1"));
    }
}
