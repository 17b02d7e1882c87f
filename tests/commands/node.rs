//! A data path of 7.x with one shard, written byte by byte from the description of the formats.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

pub(crate) const UUID: &str = "abcdefghijklmnopqrstuv";
pub(crate) const HEADER_BYTES: usize = 55;

fn string(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(u8::try_from(text.len()).unwrap());
    bytes.extend_from_slice(text.as_bytes());
}

fn codec(name: &str, version: u32) -> Vec<u8> {
    let mut bytes = vec![0x3F, 0xD7, 0x6C, 0x17];
    string(&mut bytes, name);
    bytes.extend(version.to_be_bytes());
    bytes
}

fn footer(bytes: &mut Vec<u8>) {
    bytes.extend([0xC0, 0x28, 0x93, 0xE8, 0, 0, 0, 0]);
    let crc = crc32fast::hash(bytes);
    bytes.extend(u64::from(crc).to_be_bytes());
}

/// INDEX of format 10, as 7.x writes it.
pub(crate) fn record(seq_no: i64) -> Vec<u8> {
    let mut body = vec![2, 10];
    string(&mut body, &format!("d{seq_no:03}"));
    string(&mut body, "_doc");
    string(&mut body, &format!("{{\n \"n\": {seq_no}, \"secret\": \"word\"}}"));
    body.push(0);
    body.extend(1_i64.to_be_bytes());
    body.extend((-1_i64).to_be_bytes());
    body.extend(seq_no.to_be_bytes());
    body.extend(1_i64.to_be_bytes());
    let mut bytes = u32::try_from(body.len() + 4).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(&body);
    bytes.extend(crc32fast::hash(&body).to_be_bytes());
    bytes
}

/// A data path with one shard of ten operations, none of them in the commit.
pub(crate) struct Node {
    folder: TempDir,
}

impl Node {
    pub(crate) fn new() -> Self {
        let node = Self { folder: TempDir::new().unwrap() };
        let shard = node.shard();
        for folder in ["index", "translog", "_state"] {
            fs::create_dir_all(shard.join(folder)).unwrap();
        }
        fs::write(shard.join("index/segments_2"), commit()).unwrap();
        let mut translog = codec("translog", 3);
        translog.extend(22_u32.to_be_bytes());
        translog.extend_from_slice(UUID.as_bytes());
        translog.extend(1_u64.to_be_bytes());
        translog.extend(crc32fast::hash(&translog).to_be_bytes());
        assert_eq!(translog.len(), HEADER_BYTES);
        (0..10).for_each(|seq_no| translog.extend(record(seq_no)));
        let mut checkpoint = codec("ckp", 3);
        checkpoint.extend((translog.len() as u64).to_be_bytes());
        checkpoint.extend(10_u32.to_be_bytes());
        for field in [1_i64, 0, 9, 9, 1, -2] {
            checkpoint.extend(field.to_be_bytes());
        }
        footer(&mut checkpoint);
        fs::write(node.translog(), translog).unwrap();
        fs::write(shard.join("translog/translog.ckp"), checkpoint).unwrap();
        node
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn shard(&self) -> PathBuf {
        self.path().join("data/nodes/0/indices/0123456789012345678901/0")
    }

    pub(crate) fn translog(&self) -> PathBuf {
        self.shard().join("translog/translog-1.tlog")
    }

    pub(crate) fn flip(&self, offset: usize) {
        let mut bytes = fs::read(self.translog()).unwrap();
        bytes[offset] ^= 0x10;
        fs::write(self.translog(), bytes).unwrap();
    }
}

fn commit() -> Vec<u8> {
    let mut bytes = codec("segments", 10);
    bytes.extend([7; 16]);
    string(&mut bytes, "2");
    bytes.extend([8, 11, 3, 8]);
    bytes.extend(2_u64.to_be_bytes());
    bytes.push(0);
    bytes.extend(0_u32.to_be_bytes());
    let user_data = [
        ("translog_uuid", UUID),
        ("history_uuid", "0123456789012345678901"),
        ("local_checkpoint", "-1"),
        ("max_seq_no", "-1"),
    ];
    bytes.push(4);
    for (key, value) in user_data {
        string(&mut bytes, key);
        string(&mut bytes, value);
    }
    footer(&mut bytes);
    bytes
}
