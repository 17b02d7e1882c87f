//! Where the files that leave a shard are kept: on the shard's own file system, so that moving is
//! a rename and needs no space, and outside everything a server walks, upgrades or deletes.
//!
//! Below the folder of a shard, `original/` holds what left it, `staged/` what is written for it, and
//! `newer/` what a server wrote after the repair and an undo that was forced took out, each by the
//! path inside the shard.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::mount::{Mount, mount};
use super::place::with_suffix;
use super::store_error::StoreError;

/// Name of the folder at the top of a data path that is a mount point. Servers 1.7.6, 2.4.6,
/// 7.17.28, 8.19.0 and 9.3.0 were seen to leave it alone, the move from 7.x to 8.x included.
const HIDDEN_NAME: &str = ".es-translog-fix";
/// How the names of a flat quarantine begin.
const FLAT_PREFIX: &str = ".etf-";
/// What holds the files that left a shard, in its quarantine.
const ORIGINAL: &str = "original";
/// What the data path's own name gets where the quarantine lies beside it.
const BESIDE_SUFFIX: &str = ".es-translog-fix";
/// Longest part of an index name that is taken into the name of a folder, in bytes.
const LABEL_MAX_BYTES: usize = 120;

/// How the quarantine is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Arrangement {
    /// A folder for each shard: what a person expects. Each folder takes a block.
    Folders,
    /// A name in a folder that is there already for each file, which takes no block: for a file
    /// system without a free byte.
    Flat,
}

/// The quarantine of one round for one shard folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Quarantine {
    /// The shard folder it serves.
    pub(crate) shard_folder: PathBuf,
    /// The folder that exists already and takes the first new one.
    pub(crate) anchor: PathBuf,
    /// Where the shard's files go, below `anchor`: a folder of this run and round; laid out flat,
    /// how their names begin.
    pub(crate) folder: PathBuf,
    /// How it is laid out.
    pub(crate) arrangement: Arrangement,
    /// Where `folder` is on another file system, as was asked for: the place on the shard's own one
    /// for what is to be renamed into the shard, or out of it once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) own: Option<Base>,
}

impl Quarantine {
    /// That of the shard of this number in the round, for what is told in `parts`: run, round, index
    /// and the shard's own number.
    pub(crate) fn new(
        shard_folder: &Path,
        bases: Bases,
        parts: &[String],
        number: usize,
        arrangement: Arrangement,
    ) -> Self {
        let within = |base: Base| match arrangement {
            Arrangement::Folders => {
                Base { folder: base.folder.join(parts.iter().collect::<PathBuf>()), ..base }
            }
            // Short, because a block of a folder has to take them all: the last digits of the
            // run's name, its round, and the number of the shard in the manifest.
            Arrangement::Flat => {
                let [run, round] = [0, 1].map(|part| parts.get(part).map_or("", String::as_str));
                let run = run.rsplit('-').next().unwrap_or_default();
                let round = round.trim_start_matches("round-");
                let name = format!("{FLAT_PREFIX}{run}-{round}.{number}");
                Base { folder: base.anchor.join(name), ..base }
            }
        };
        let Base { anchor, folder } = within(bases.kept);
        let (shard_folder, own) = (shard_folder.to_path_buf(), bases.own.map(within));
        Self { shard_folder, anchor, folder, arrangement, own }
    }

    /// Whether what leaves the shard is copied to another file system.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.own.is_some()
    }

    /// Whether a path is one of its own.
    pub(crate) fn holds(&self, path: &Path) -> bool {
        is_below(&self.folder, path) || self.own.as_ref().is_some_and(|own| own.holds(path))
    }

    /// The folder that exists already on the shard's own file system.
    pub(crate) fn own_anchor(&self) -> &Path {
        self.own.as_ref().map_or(&self.anchor, |own| &own.anchor)
    }

    /// The folder that exists already and takes the first new one above one of its own paths.
    pub(crate) fn anchor_of(&self, path: &Path) -> &Path {
        match &self.own {
            Some(own) if own.holds(path) => &own.anchor,
            _ => &self.anchor,
        }
    }

    /// Where the shard's folder goes when it leaves whole.
    pub(crate) fn whole(&self) -> PathBuf {
        self.part(ORIGINAL)
    }

    /// Where a shard folder that the server made after that goes when it is undone.
    pub(crate) fn newer_whole(&self) -> PathBuf {
        self.part("newer")
    }

    fn part(&self, part: &str) -> PathBuf {
        match self.arrangement {
            Arrangement::Folders => self.folder.join(part),
            Arrangement::Flat => with_suffix(&self.folder, &format!(".{part}")),
        }
    }

    /// Where a file of the shard goes.
    pub(crate) fn place_of(&self, file: &Path) -> Option<PathBuf> {
        self.inside(ORIGINAL, file)
    }

    /// Where a new file for this place in the shard is written before it is moved in.
    pub(crate) fn stage_of(&self, file: &Path) -> Option<PathBuf> {
        self.inside("staged", file)
    }

    /// Where a file that the server wrote after the repair goes when it is undone.
    pub(crate) fn newer_of(&self, file: &Path) -> Option<PathBuf> {
        self.inside("newer", file)
    }

    fn inside(&self, part: &str, file: &Path) -> Option<PathBuf> {
        let inside = file.strip_prefix(&self.shard_folder).ok()?;
        let folder = match &self.own {
            Some(own) if part != ORIGINAL => &own.folder,
            _ => &self.folder,
        };
        match self.arrangement {
            Arrangement::Folders => Some(folder.join(part).join(inside)),
            Arrangement::Flat => {
                let part = part.get(..1)?;
                Some(with_suffix(folder, &format!("{part}{}", short_name(inside.to_str()?))))
            }
        }
    }
}

/// `translog/translog-3.tlog` -> `t3`, its checkpoint -> `c3`, `index/segments_3` -> `s3`; any
/// other after a `~` as it is.
fn short_name(inside: &str) -> String {
    let between = |start: &str, end: &str| inside.strip_prefix(start)?.strip_suffix(end);
    if let Some(generation) = between("translog/translog-", ".tlog") {
        return format!("t{generation}");
    }
    if let Some(generation) = between("translog/translog-", ".ckp") {
        return format!("c{generation}");
    }
    if let Some(generation) = between("index/segments_", "") {
        return format!("s{generation}");
    }
    format!("~{}", inside.replace('/', "."))
}

/// A folder of the quarantine, of a data path or of one of its shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Base {
    /// The folder that exists already.
    pub(crate) anchor: PathBuf,
    /// The folder that takes the runs, or the files of the shard: the anchor, or one below it.
    pub(crate) folder: PathBuf,
}

impl Base {
    pub(super) fn holds(&self, path: &Path) -> bool {
        is_below(&self.folder, path)
    }
}

/// Where all quarantines of a data path are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bases {
    /// For what leaves the shards.
    pub(crate) kept: Base,
    /// For what is renamed, where `kept` is on another file system.
    pub(crate) own: Option<Base>,
}

/// Laid out flat, the folder is how names begin.
fn is_below(folder: &Path, path: &Path) -> bool {
    let [path, folder] = [path, folder].map(|path| path.as_os_str().as_encoded_bytes());
    path.starts_with(folder)
}

/// Chooses where the quarantine of a shard is: the folder asked for, else beside the data path,
/// else, where the data path is a mount point, a hidden folder at its top. The folder asked for may
/// be on another file system.
///
/// # Errors
/// When a folder cannot be looked at, or moving a file there would be a copy that nobody asked for,
/// or the server would walk it.
pub(crate) fn bases_for(
    shard_folder: &Path,
    data_path: &Path,
    asked_for: Option<&Path>,
) -> Result<Bases, StoreError> {
    let shard_mount = mount(shard_folder)?;
    let data_path = canonical(data_path)?;
    let Some(folder) = asked_for else {
        return Ok(Bases { kept: own_base(&shard_mount, data_path)?, own: None });
    };
    let folder = canonical(folder)?;
    if folder.starts_with(&data_path) {
        return refuse(&folder, "it is inside the data path, where the server walks");
    }
    let is_own = mount(&folder)? == shard_mount;
    let own = if is_own { None } else { Some(own_base(&shard_mount, data_path)?) };
    Ok(Bases { kept: Base { anchor: folder.clone(), folder }, own })
}

fn refuse<T>(folder: &Path, why: &str) -> Result<T, StoreError> {
    Err(StoreError::new("use for the quarantine", folder, io::Error::other(why.to_owned())))
}

/// The place on the shard's own file system.
fn own_base(shard_mount: &Mount, data_path: PathBuf) -> Result<Base, StoreError> {
    if let (Some(parent), Some(name)) = (data_path.parent(), data_path.file_name())
        && mount(parent)? == *shard_mount
    {
        let mut beside = name.to_owned();
        beside.push(BESIDE_SUFFIX);
        return Ok(Base { anchor: parent.to_path_buf(), folder: parent.join(beside) });
    }
    if mount(&data_path)? != *shard_mount {
        let why = "the shard is on another file system than it and the folder above it; name a \
                   folder on the shard's file system with --quarantine-dir";
        return refuse(&data_path, why);
    }
    let folder = data_path.join(HIDDEN_NAME);
    Ok(Base { anchor: data_path, folder })
}

/// The name of a folder that a person recognises and no name can make do harm: bytes other than
/// letters, digits, `-`, `_` and an inner `.` become `%XX`, a long name ends with its CRC.
pub(crate) fn label_of(name: &str) -> String {
    let mut label = String::new();
    for byte in name.bytes() {
        let is_plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_')
            || (byte == b'.' && !label.is_empty());
        let text = if is_plain { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        if label.len().saturating_add(text.len()) > LABEL_MAX_BYTES {
            return format!("{label}~{:08x}", crc32fast::hash(name.as_bytes()));
        }
        label.push_str(&text);
    }
    if label.is_empty() { "_".to_owned() } else { label }
}

fn canonical(path: &Path) -> Result<PathBuf, StoreError> {
    path.canonicalize().map_err(|source| StoreError::new("look at", path, source))
}
