//! A practice node's folder: made whole, in the real formats and layout of its release, and then
//! broken.
//!
//! There is no Lucene here: `index/` has a commit without segments. What a real shard has in its
//! segments, the committed documents, is in a plain JSON file of the practice node, outside every
//! shard: `committed/INDEX-SHARD.json`. The played server reads it as a real one reads Lucene.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::chain_files::write_chain;
use super::damage::{Damage, Records};
use super::documents::History;
use super::error::DrillError;
use super::release::{Release, ShardSpec};
use super::stream_files::write_stream;
use crate::format::{encode_json_state, encode_smile_state};
use crate::log::ShardName;

/// A practice node.
#[derive(Debug)]
pub(super) struct PracticeNode {
    pub(super) release: Release,
    /// Its data path.
    pub(super) data_path: PathBuf,
    pub(super) log_dir: PathBuf,
    pub(super) shards: Vec<PracticeShard>,
}

/// A shard of it, and what clients did to it.
#[derive(Debug)]
pub(super) struct PracticeShard {
    pub(super) name: ShardName,
    pub(super) index_uuid: String,
    pub(super) allocation_id: String,
    /// Its folder.
    pub(super) path: PathBuf,
    /// Where the played server finds its committed documents.
    pub(super) committed_file: PathBuf,
    pub(super) history: History,
    pub(super) damage: Option<Damage>,
    /// Acts of the history that the damage destroys.
    pub(super) lost_acts: Range<usize>,
    /// The translog that is being written when the disk is full.
    pub(super) live: Live,
}

/// The newest translog file of a shard.
#[derive(Debug, Clone, Default)]
pub(super) struct Live {
    pub(super) path: PathBuf,
    pub(super) records: Records,
    /// Acts that are in files before it.
    pub(super) earlier_act_count: usize,
}

impl PracticeNode {
    /// Makes a whole node below a folder.
    pub(super) fn make(root: &Path, release: Release) -> Result<Self, DrillError> {
        let folder = root.join(release.node());
        let node = Self {
            release,
            data_path: folder.join("data"),
            log_dir: folder.join("logs"),
            shards: Vec::new(),
        };
        make_folder(&node.log_dir)?;
        make_folder(&node.folder())?;
        put(&node.folder().join("node.lock"), b"")?;
        let mut shards = Vec::new();
        for (place, spec) in release.shards().iter().enumerate() {
            shards.push(node.make_shard(&folder, place as u64, spec)?);
        }
        Ok(Self { shards, ..node })
    }

    /// The folder that holds `node.lock` and `indices`.
    pub(super) fn folder(&self) -> PathBuf {
        match self.release {
            Release::Stream => self.data_path.join(self.release.node()).join("nodes/0"),
            Release::Sequenced => self.data_path.join("nodes/0"),
        }
    }

    /// Its log file.
    pub(super) fn log_file(&self) -> PathBuf {
        self.log_dir.join(format!("{}.log", self.release.node()))
    }

    /// Does to each shard what the full disk does.
    pub(super) fn damage(&mut self) -> Result<(), DrillError> {
        for shard in &mut self.shards {
            let Some(damage) = shard.damage else { continue };
            let lost = shard.live.records.damage(damage);
            let act_of = |record: usize| shard.live.earlier_act_count.saturating_add(record);
            shard.lost_acts = act_of(lost.start)..act_of(lost.end);
            if damage == Damage::EmptiedCheckpoint {
                put(&shard.path.join("translog/translog.ckp"), b"")?;
            } else {
                put(&shard.live.path, &shard.live.records.bytes)?;
            }
        }
        Ok(())
    }

    fn make_shard(
        &self,
        folder: &Path,
        seed: u64,
        spec: &ShardSpec,
    ) -> Result<PracticeShard, DrillError> {
        let index_uuid = uuid_of(&format!("{} {}", self.release.node(), spec.index));
        let index_folder = match self.release {
            Release::Stream => spec.index,
            Release::Sequenced => &index_uuid,
        };
        let index_path = self.folder().join("indices").join(index_folder);
        let path = index_path.join(spec.number.to_string());
        for name in ["translog", "index", "_state"] {
            make_folder(&path.join(name))?;
        }
        put(&path.join("index/write.lock"), b"")?;
        let name = ShardName { index: spec.index.to_owned(), number: spec.number };
        let history = History::of(spec.topic, seed);
        let mut shard = PracticeShard {
            allocation_id: uuid_of(&format!("{} {name}", self.release.node())),
            committed_file: folder
                .join("committed")
                .join(format!("{}-{}.json", spec.index, spec.number)),
            name,
            index_uuid,
            path,
            history,
            damage: spec.damage,
            lost_acts: 0..0,
            live: Live::default(),
        };
        self.write_states(&index_path, &shard)?;
        make_folder(&folder.join("committed"))?;
        put(&shard.committed_file, json!(shard.history.committed).to_string().as_bytes())?;
        shard.live = match self.release {
            Release::Stream => write_stream(&shard, seed)?,
            Release::Sequenced => write_chain(&shard)?,
        };
        Ok(shard)
    }

    fn write_states(&self, index_path: &Path, shard: &PracticeShard) -> Result<(), DrillError> {
        let shard_count = self
            .release
            .shards()
            .iter()
            .filter(|spec| spec.index == shard.name.index)
            .count()
            .to_string();
        let ids: serde_json::Map<String, serde_json::Value> = self
            .release
            .shards()
            .iter()
            .filter(|spec| spec.index == shard.name.index)
            .map(|spec| {
                let name = ShardName { index: spec.index.to_owned(), number: spec.number };
                let id = uuid_of(&format!("{} {name}", self.release.node()));
                (spec.number.to_string(), json!([id]))
            })
            .collect();
        let settings = json!({
            "index.uuid": shard.index_uuid, "index.number_of_shards": shard_count,
            "index.number_of_replicas": "0",
        });
        let smile = |document: &serde_json::Value| {
            encode_smile_state(document).map_err(|_| DrillError::Encode { what: "a state file" })
        };
        let index_name = shard.name.index.as_str();
        let (index_state, shard_state) = match self.release {
            Release::Stream => (
                encode_json_state(&json!({ index_name: {
                    "version": 3, "state": "open", "settings": settings, "mappings": [],
                    "aliases": {},
                }})),
                encode_json_state(&json!({ "version": 1, "primary": true })),
            ),
            Release::Sequenced => (
                smile(&json!({ index_name: {
                    "version": 4, "mapping_version": 2, "settings_version": 1,
                    "routing_num_shards": 1024, "state": "open", "settings": settings,
                    "mappings": [], "aliases": {}, "primary_terms": [1, 1],
                    "in_sync_allocations": ids,
                }}))?,
                smile(&json!({
                    "primary": true, "index_uuid": shard.index_uuid,
                    "allocation_id": { "id": shard.allocation_id },
                }))?,
            ),
        };
        make_folder(&index_path.join("_state"))?;
        put(&index_path.join("_state/state-2.st"), &index_state)?;
        put(&shard.path.join("_state/state-0.st"), &shard_state)
    }
}

pub(super) fn put(path: &Path, bytes: &[u8]) -> Result<(), DrillError> {
    fs::write(path, bytes).map_err(DrillError::folder("write", path))
}

pub(super) fn make_folder(path: &Path) -> Result<(), DrillError> {
    fs::create_dir_all(path).map_err(DrillError::folder("make", path))
}

/// A UUID as servers write them, the same for the same words.
pub(super) fn uuid_of(words: &str) -> String {
    let bytes: Vec<u8> = (0..4_u8)
        .flat_map(|part| crc32fast::hash(format!("{part} {words}").as_bytes()).to_be_bytes())
        .collect();
    URL_SAFE_NO_PAD.encode(bytes)
}
