//! State files of every version and content type: read, flipped, cut.

use serde_json::json;

use super::*;

/// Accepted by Lucene 8.8.1 and, from the 19th byte on, by Jackson.
const SHARD_1: &str = "3fd76c17057374617465000000010000000\
    13a290a05fa867072696d61727923\
    89696e6465785f75756964555a78395f2d6162634445463031323334353637383951\
    8c616c6c6f636174696f6e5f6964fa81696455616263444546676869\
    4a4b4c6d6e6f505152737475\
    41fbfbc02893e800000000000000007ba3c716";

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn index_document() -> Value {
    json!({"größe": {"version": 7, "state": "close", "mappings": ["x"], "settings": {
        "index.uuid": "U", "index.number_of_replicas": "2"
    }, "in_sync_allocations": {"0": ["a", "b"], "1": []}}})
}

/// The file as 8.0 and later write it.
fn version_2(document: &Value) -> Vec<u8> {
    let mut bytes = encode_smile_state(document).unwrap();
    bytes[10..18].copy_from_slice(&[0, 0, 0, 2, 1, 0, 0, 0]);
    bytes.truncate(bytes.len() - FOOTER_BYTES);
    super::super::codec::footer(&mut bytes);
    bytes
}

#[test]
fn the_vector_of_a_shard_reads() {
    let found = ShardState::decode(&bytes_of(SHARD_1)).unwrap();
    assert!(found.primary);
    assert_eq!(found.index_uuid.as_deref(), Some("Zx9_-abcDEF0123456789Q"));
    assert_eq!(found.allocation_id.as_deref(), Some("abcDEFghiJKLmnoPQRstuA"));
}

#[test]
fn every_version_and_content_type_reads() {
    let document = index_document();
    let bare_json = document.to_string().into_bytes();
    let bare_smile = serde_smile::to_vec(&document).unwrap();
    for bytes in [
        encode_json_state(&document),
        encode_smile_state(&document).unwrap(),
        version_2(&document),
        bare_json,
        bare_smile,
    ] {
        let found = IndexState::decode(&bytes).unwrap();
        assert_eq!((found.name.as_str(), found.uuid.as_deref()), ("größe", Some("U")));
        assert_eq!((found.open, found.replica_count), (false, Some(2)));
        assert_eq!(found.in_sync_allocations[&0], ["a", "b"]);
    }
    let node = version_2(&json!({"node_id": "n", "node_version": 8_190_099, "more": [1.5]}));
    let wanted = NodeState { id: Some("n".to_owned()), version: Some(8_190_099) };
    assert_eq!(NodeState::decode(&node).unwrap(), wanted);
}

#[test]
fn every_flip_and_cut_under_a_footer_is_damage() {
    let document = index_document();
    for good in
        [encode_json_state(&document), encode_smile_state(&document).unwrap(), version_2(&document)]
    {
        for index in 0..good.len() {
            let cut = IndexState::decode(&good[..index]);
            assert!(matches!(cut, Err(Unreadable::Damaged(_))), "cut at {index}");
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[index] ^= 1 << bit;
                let found = IndexState::decode(&bad);
                let is_damage = matches!(found, Err(Unreadable::Damaged(_)));
                assert!(is_damage, "byte {index} bit {bit}: {found:?}");
            }
        }
    }
}

#[test]
fn what_is_not_known_under_a_sound_checksum_is_newer() {
    let good = version_2(&index_document());
    for (at, value) in [(13, 3), (14, 2), (14, 9), (18, 0)] {
        let mut other = good.clone();
        other[at] = value;
        other.truncate(other.len() - FOOTER_BYTES);
        super::super::codec::footer(&mut other);
        let found = IndexState::decode(&other);
        assert!(matches!(found, Err(Unreadable::Newer(_))), "byte {at} {value}: {found:?}");
    }
}

#[test]
fn deep_nesting_is_refused() {
    let json = "[".repeat(100_000);
    assert!(IndexState::decode(format!("{{\"a\":{json}").as_bytes()).is_err());
    let mut smile = b":)\n\x05\xfa\x80a".to_vec();
    smile.resize(100_000, 0xf8);
    assert!(IndexState::decode(&smile).is_err());
}
