//! State files of an index, a shard and a node: `_state/state-N.st` and `node-N.st`, and `state-N`
//! up to 1.4.
//!
//! | field | type | versions |
//! |---|---|---|
//! | codec header | magic `3FD76C17`, `05` `state`, i32 version | 0 (1.5 to 2.x), 1 (5.x to 7.x, OpenSearch), 2 (8 and later) |
//! | content type | i32: 0 JSON, 1 SMILE, 2 YAML, 3 CBOR; little-endian in version 2 | all |
//! | old version | i64 | 0 |
//! | document | JSON or SMILE, one object | all |
//! | footer | codec footer, 16 bytes | all |
//!
//! Up to 1.4 the file is the bare document, without a checksum. YAML and CBOR are never written
//! and not read. The documents nest a few levels; more than 128 are refused. Sources: `MetaDataStateFormat` (1.5.0, 2.4.6, 5.6.3,
//! 7.8.0, 8.x), `IndexMetaData`, `ShardStateMetaData`; version 2 as read on 8.19.0 and 9.1.0.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::codec::{CODEC_MAGIC, FOOTER_BYTES, check_footer, expect_codec_name};
use super::cursor::Cursor;
use super::defect::{Defect, Unreadable};

const NAME: &str = "state";
const JSON: u32 = 0;
const SMILE: u32 = 1;
/// The first bytes of a SMILE document.
const SMILE_START: &[u8] = b":)\n";

/// What is kept of an index's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexState {
    /// Its name.
    pub name: String,
    /// Its UUID.
    pub uuid: Option<String>,
    /// How often its metadata were changed: of two states of an index the higher is the newer.
    pub version: Option<i64>,
    /// Whether it is open.
    pub open: bool,
    /// Number of replicas.
    pub replica_count: Option<u32>,
    /// Its settings, flat, such as `index.store.type`.
    pub settings: BTreeMap<String, String>,
    /// Allocation ids that are in sync, by shard; from 5.0 on.
    pub in_sync_allocations: BTreeMap<u32, Vec<String>>,
}

/// What a copy of a shard says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardState {
    /// Whether it was the primary.
    pub primary: bool,
    /// UUID of its index, from 2.0 on.
    pub index_uuid: Option<String>,
    /// Its allocation id, from 5.0 on.
    pub allocation_id: Option<String>,
    /// `REMOTE` where the data is kept elsewhere (OpenSearch).
    pub data_location: Option<String>,
}

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeState {
    /// Its id, from 5.0 on.
    pub id: Option<String>,
    /// The version that wrote it, as a number, from 7.0 on: 7172899 is 7.17.28. Of OpenSearch
    /// with bit 27 flipped.
    pub version: Option<u64>,
}

#[derive(Deserialize)]
struct NodeDocument {
    #[serde(default)]
    node_id: Option<String>,
    #[serde(default)]
    node_version: Option<u64>,
}

#[derive(Deserialize)]
struct IndexDocument {
    #[serde(default)]
    version: Option<i64>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    settings: BTreeMap<String, Value>,
    #[serde(default)]
    in_sync_allocations: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct ShardDocument {
    #[serde(default)]
    primary: bool,
    #[serde(default)]
    index_uuid: Option<String>,
    #[serde(default)]
    allocation_id: Option<AllocationDocument>,
    #[serde(default)]
    index_data_location: Option<String>,
}

#[derive(Deserialize)]
struct AllocationDocument {
    id: String,
}

impl IndexState {
    /// Decodes the state file of an index.
    ///
    /// # Errors
    /// When it is damaged, or its version or content type is not known.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let by_name: BTreeMap<String, IndexDocument> = document(bytes)?;
        let state = by_name.into_iter().next().map(Self::of);
        state.ok_or_else(|| Defect::new(0, "an index", "an empty document").into())
    }

    /// Decodes the bare SMILE document, of which something else vouches for the bytes.
    pub(super) fn decode_smile(bytes: &[u8]) -> Result<Self, String> {
        let by_name: BTreeMap<String, IndexDocument> =
            serde_smile::from_slice(bytes).map_err(|error| format!("SMILE: {error}"))?;
        by_name.into_iter().next().map(Self::of).ok_or_else(|| "an empty document".to_owned())
    }

    fn of((name, document): (String, IndexDocument)) -> Self {
        let settings: BTreeMap<String, String> =
            document.settings.into_iter().map(|(key, value)| (key, text(value))).collect();
        let in_sync = document.in_sync_allocations.into_iter();
        Self {
            name,
            uuid: settings.get("index.uuid").cloned(),
            version: document.version,
            open: document.state.as_deref() != Some("close"),
            replica_count: settings
                .get("index.number_of_replicas")
                .and_then(|count| count.parse().ok()),
            settings,
            in_sync_allocations: in_sync
                .filter_map(|(number, ids)| Some((number.parse().ok()?, ids)))
                .collect(),
        }
    }
}

impl ShardState {
    /// Decodes the state file of a shard.
    ///
    /// # Errors
    /// When it is damaged, or its version or content type is not known.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let document: ShardDocument = document(bytes)?;
        Ok(Self {
            primary: document.primary,
            index_uuid: document.index_uuid,
            allocation_id: document.allocation_id.map(|allocation| allocation.id),
            data_location: document.index_data_location,
        })
    }
}

impl NodeState {
    /// Decodes the state file of a node.
    ///
    /// # Errors
    /// When it is damaged, or its version or content type is not known.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let document: NodeDocument = document(bytes)?;
        Ok(Self { id: document.node_id, version: document.node_version })
    }
}

/// The state file a server reads: the highest number, and of two of that number the `.st` one.
pub fn newest_state_file<'a>(
    names: impl Iterator<Item = &'a str>,
    prefix: &str,
) -> Option<&'a str> {
    names
        .filter_map(|name| {
            let rest = name.strip_prefix(prefix)?;
            let digits = rest.strip_suffix(".st");
            let number: u64 = digits.unwrap_or(rest).parse().ok()?;
            Some(((number, digits.is_some()), name))
        })
        .max()
        .map(|(_, name)| name)
}

/// A state file of version 0 around a JSON document: what 1.5 to 2.x wrote by default.
#[must_use]
pub fn encode_json_state(document: &Value) -> Vec<u8> {
    let mut bytes = Vec::from(CODEC_MAGIC.to_be_bytes());
    bytes.push(5);
    bytes.extend_from_slice(NAME.as_bytes());
    bytes.extend_from_slice(&0_u32.to_be_bytes());
    bytes.extend_from_slice(&JSON.to_be_bytes());
    bytes.extend_from_slice(&1_u64.to_be_bytes());
    bytes.extend_from_slice(document.to_string().as_bytes());
    super::codec::footer(&mut bytes);
    bytes
}

/// A state file of version 1 around a SMILE document: what 5.x to 7.x and OpenSearch write.
///
/// # Errors
/// When the document cannot be written as SMILE.
pub fn encode_smile_state(document: &Value) -> Result<Vec<u8>, serde_smile::Error> {
    let mut bytes = Vec::from(CODEC_MAGIC.to_be_bytes());
    bytes.push(5);
    bytes.extend_from_slice(NAME.as_bytes());
    bytes.extend_from_slice(&1_u32.to_be_bytes());
    bytes.extend_from_slice(&SMILE.to_be_bytes());
    bytes.extend(serde_smile::to_vec(document)?);
    super::codec::footer(&mut bytes);
    Ok(bytes)
}

/// The document in a state file, not decoded yet.
pub(super) struct Content<'a> {
    pub(super) version: Option<u32>,
    pub(super) is_smile: bool,
    pub(super) offset: usize,
    bytes: &'a [u8],
}

impl Content<'_> {
    pub(super) fn decode<T: DeserializeOwned>(&self) -> Result<T, Unreadable> {
        let (what, decoded) = if self.is_smile {
            ("SMILE", serde_smile::from_slice(self.bytes).map_err(|error| error.to_string()))
        } else {
            ("JSON", serde_json::from_slice(self.bytes).map_err(|error| error.to_string()))
        };
        decoded.map_err(|error| match self.version {
            // The checksum holds: what cannot be read is not damaged.
            Some(version) => Unreadable::Newer(format!(
                "state file version {version} of another form ({what}: {error})"
            )),
            None => Defect::new(self.offset as u64, format!("a {what} document"), "none").into(),
        })
    }
}

/// The document of a state file.
pub(super) fn document<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    content_of(bytes)?.decode()
}

/// What a state file holds, by its frame.
pub(super) fn content_of(bytes: &[u8]) -> Result<Content<'_>, Unreadable> {
    let bare = |is_smile| Content { version: None, is_smile, offset: 0, bytes };
    if bytes.starts_with(SMILE_START) {
        return Ok(bare(true));
    }
    if bytes.first() == Some(&b'{') {
        return Ok(bare(false));
    }
    let mut cursor = Cursor::new(bytes);
    expect_codec_name(&mut cursor, NAME)?;
    check_footer(bytes)?;
    let version = cursor.u32("the version")?;
    if version > 2 {
        return Err(Unreadable::Newer(format!("state file of version {version}")));
    }
    let content_type = cursor.u32("the content type")?;
    let content_type = if version == 2 { content_type.swap_bytes() } else { content_type };
    if version == 0 {
        cursor.take(8, "the old version")?;
    }
    let from = cursor.position();
    let end = bytes.len().saturating_sub(FOOTER_BYTES);
    let content =
        bytes.get(from..end).ok_or_else(|| Defect::new(from as u64, "a document", "the footer"))?;
    let is_smile = match content_type {
        JSON => false,
        SMILE => true,
        other => return Err(Unreadable::Newer(format!("state file of content type {other}"))),
    };
    Ok(Content { version: Some(version), is_smile, offset: from, bytes: content })
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "numbers of small literals")]
mod tests;
