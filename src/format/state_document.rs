//! The document of a state file as a whole, for whoever wants to look at it. Binary values, which
//! JSON has none of, become their length.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::defect::Unreadable;
use super::state::content_of;

/// A state file of any kind, for whoever wants to look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct StateFile {
    /// Version of its codec; none up to 1.4.
    pub version: Option<u32>,
    /// `JSON` or `SMILE`.
    pub content_type: &'static str,
    /// Where the document begins.
    pub offset: u64,
    /// The document, binary values as their length.
    pub document: Value,
}

/// Decodes any state file: of a shard, an index, a node, of retention leases.
///
/// # Errors
/// When it is damaged, or its version or content type is not known.
pub fn decode_state(bytes: &[u8]) -> Result<StateFile, Unreadable> {
    let content = content_of(bytes)?;
    let AnyValue(document) = content.decode()?;
    let content_type = if content.is_smile { "SMILE" } else { "JSON" };
    let offset = content.offset as u64;
    Ok(StateFile { version: content.version, content_type, offset, document })
}

/// Any value.
pub(super) struct AnyValue(pub(super) Value);

impl<'de> Deserialize<'de> for AnyValue {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(AnyVisitor).map(Self)
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
        Ok(Value::String(format!("({} bytes)", value.len())))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(Self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, input: D) -> Result<Value, D::Error> {
        input.deserialize_any(Self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(AnyValue(value)) = input.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut input: A) -> Result<Value, A::Error> {
        let mut entries = Map::new();
        while let Some((AnyValue(key), AnyValue(value))) = input.next_entry()? {
            let Value::String(key) = key else {
                return Err(A::Error::custom("a key that is no text"));
            };
            entries.insert(key, value);
        }
        Ok(Value::Object(entries))
    }
}
