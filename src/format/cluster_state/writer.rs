//! Writes a node's kept cluster state for tests: one segment, one chunk, LZ4 literals only.

use serde_json::{Value, json};

use super::super::codec::{CODEC_MAGIC, footer};

const ID: [u8; 16] = *b"segment-id-of-16";
const ID_STATE: [u8; 16] = *b"commit--id-of-16";

/// A stored value to write.
#[derive(Debug, Clone)]
pub(crate) enum Field {
    Text(String),
    Bytes(Vec<u8>),
    Number(u8),
}

/// The metadata of an index as a server keeps it.
pub(crate) fn index_document(name: &str, uuid: &str, version: i64, in_sync: &Value) -> Value {
    json!({name: {"version": version, "state": "open", "in_sync_allocations": in_sync,
        "settings": {"index.uuid": uuid, "index.number_of_replicas": "1"}}})
}

/// A stored document of 7.x and OpenSearch.
pub(crate) fn whole(document: &Value) -> Vec<Field> {
    vec![Field::Bytes(serde_smile::to_vec(document).unwrap())]
}

/// The files of `_state/` that hold these documents, of which those in `deleted` do not live.
pub(crate) fn state_files(documents: &[Vec<Field>], deleted: &[usize]) -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("_0.fdt".to_owned(), stored_fields(documents)),
        ("_0.fdm".to_owned(), {
            let mut bytes = header("Lucene85FieldsIndexMeta", 4, "");
            bytes.extend(vint(81_920));
            footed(bytes)
        }),
    ];
    if !deleted.is_empty() {
        let mut bytes = header("Lucene50LiveDocs", 0, "1");
        for word in 0..documents.len().div_ceil(64) {
            let is_live = |bit: &usize| {
                let document = word * 64 + bit;
                document < documents.len() && !deleted.contains(&document)
            };
            let live = (0..64).filter(is_live).fold(0_u64, |live, bit| live | 1 << bit);
            bytes.extend(live.to_be_bytes());
        }
        files.push(("_0_1.liv".to_owned(), footed(bytes)));
    }
    files.push(("_0.si".to_owned(), segment_info(documents.len())));
    files.push(("segments_2".to_owned(), commit(deleted.len())));
    files
}

fn stored_fields(documents: &[Vec<Field>]) -> Vec<u8> {
    let encoded: Vec<Vec<u8>> = documents.iter().map(|values| document(values)).collect();
    let mut bytes = header("Lucene87StoredFieldsFastData", 4, "");
    if !documents.is_empty() {
        bytes.extend(vint(0));
        bytes.extend(vint(documents.len() << 2));
        bytes.extend(packed(documents.iter().map(Vec::len)));
        bytes.extend(packed(encoded.iter().map(Vec::len)));
        let data = encoded.concat();
        // A dictionary and two parts, all of them literals.
        let (dictionary, rest) = data.split_at(data.len() / 3);
        let part = rest.len().div_ceil(2).max(1);
        bytes.extend([vint(dictionary.len()), vint(part)].concat());
        let blocks: Vec<Vec<u8>> =
            std::iter::once(dictionary).chain(rest.chunks(part)).map(literals).collect();
        bytes.extend(blocks.iter().flat_map(|block| vint(block.len())));
        bytes.extend(blocks.concat());
    }
    footed(bytes)
}

fn document(values: &[Field]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, value) in values.iter().enumerate() {
        match value {
            Field::Text(text) => {
                bytes.extend([vint(number << 3), vint(text.len())].concat());
                bytes.extend(text.as_bytes());
            }
            Field::Bytes(data) => {
                bytes.extend([vint(number << 3 | 1), vint(data.len())].concat());
                bytes.extend(data);
            }
            Field::Number(value) => {
                bytes.extend([vint(number << 3 | 2), vint(usize::from(*value) << 1)].concat());
            }
        }
    }
    bytes
}

/// Numbers of 31 bits each, or the one.
fn packed(numbers: impl ExactSizeIterator<Item = usize>) -> Vec<u8> {
    if numbers.len() == 1 {
        return numbers.flat_map(vint).collect();
    }
    let bits: Vec<bool> =
        numbers.flat_map(|number| (0..31).rev().map(move |bit| number >> bit & 1 == 1)).collect();
    let mut bytes = vint(31);
    bytes.extend(bits.chunks(8).map(|byte| {
        let value = byte.iter().fold(0_u8, |value, bit| value << 1 | u8::from(*bit));
        value << (8 - byte.len())
    }));
    bytes
}

fn literals(data: &[u8]) -> Vec<u8> {
    let Some(more) = data.len().checked_sub(15) else {
        return [vec![u8::try_from(data.len() << 4).unwrap()], data.to_vec()].concat();
    };
    let mut bytes = vec![0xf0];
    bytes.resize(1 + more / 255, 255);
    bytes.push(u8::try_from(more % 255).unwrap());
    bytes.extend(data);
    bytes
}

fn segment_info(count: usize) -> Vec<u8> {
    let mut bytes = header("Lucene86SegmentInfo", 0, "");
    for number in [8_u32, 11, 1] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.push(0);
    bytes.extend(u32::try_from(count).unwrap().to_be_bytes());
    // Not compound, no diagnostics; three files; no attributes, no sort.
    bytes.extend([0xff, 0, 3]);
    for name in ["_0.fdt", "_0.fdm", "_0.si"] {
        bytes.extend(string(name));
    }
    bytes.extend([0, 0]);
    footed(bytes)
}

fn commit(delete_count: usize) -> Vec<u8> {
    let mut bytes = codec("segments", 10);
    bytes.extend(ID_STATE);
    bytes.extend(string("2"));
    bytes.extend([8, 11, 1, 8]);
    bytes.extend(1_i64.to_be_bytes());
    bytes.push(1);
    bytes.extend(1_u32.to_be_bytes());
    bytes.extend([8, 11, 1]);
    bytes.extend(string("_0"));
    bytes.extend(ID);
    bytes.extend(string("Lucene87"));
    let generation = if delete_count > 0 { 1_i64 } else { -1 };
    bytes.extend(generation.to_be_bytes());
    bytes.extend(u32::try_from(delete_count).unwrap().to_be_bytes());
    bytes.extend([(-1_i64).to_be_bytes(), (-1_i64).to_be_bytes()].concat());
    bytes.extend(0_u32.to_be_bytes());
    bytes.push(0);
    bytes.push(0);
    bytes.extend(0_u32.to_be_bytes());
    bytes.push(1);
    bytes.extend([string("current_term"), string("3")].concat());
    footed(bytes)
}

fn codec(name: &str, version: u32) -> Vec<u8> {
    [CODEC_MAGIC.to_be_bytes().to_vec(), string(name), version.to_be_bytes().to_vec()].concat()
}

fn header(name: &str, version: u32, suffix: &str) -> Vec<u8> {
    [codec(name, version), ID.to_vec(), string(suffix)].concat()
}

fn string(text: &str) -> Vec<u8> {
    [vint(text.len()), text.as_bytes().to_vec()].concat()
}

fn footed(mut bytes: Vec<u8>) -> Vec<u8> {
    footer(&mut bytes);
    bytes
}

fn vint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}
