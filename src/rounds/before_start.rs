//! Whether a start can work: a list of checks over what is known, each with the sentence that says
//! what to do. A start that cannot work is not tried.

use std::path::PathBuf;

use crate::log::{BootCause, BootTrouble};
use crate::node::{FreeSpace, WatermarkStage, Watermarks};

/// What a server needs beside what it replays, for its own state and new generations. 7.17.28 with two
/// shards of 1.3 MB of translog each: without a byte it does not come up, with 1 MiB it finds no
/// master, with 4 MiB both start.
pub(super) const ROOM_BYTES: u64 = 8 * 1024 * 1024;
/// Files that a start makes anew: some for itself, and some for each shard.
pub(super) const INODES: u64 = 64;
pub(super) const INODES_EACH: u64 = 8;
/// Paths of one kind that are named.
const NAMED_MAX: usize = 3;

/// What is known before a start.
#[derive(Debug, Clone, Default)]
pub(super) struct StartFacts {
    pub(super) places: Vec<Place>,
    pub(super) watermarks: Watermarks,
    /// The server's version, where its log tells.
    pub(super) version: Option<String>,
    /// Why the last start failed.
    pub(super) last_start: Vec<BootTrouble>,
    /// `vm.max_map_count` now.
    pub(super) max_map_count: Option<u64>,
    /// Files and folders that the server's user cannot write, and whose they are.
    pub(super) foreign: Vec<(PathBuf, u32)>,
    /// Who the server's user is.
    pub(super) user: Option<(String, u32)>,
}

/// A folder that the server writes into.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) kind: PlaceKind,
    /// The room there, where it is known.
    pub(super) space: Option<FreeSpace>,
    /// What a start takes of it, in bytes.
    pub(super) needed_bytes: u64,
    /// The same in files.
    pub(super) needed_inodes: u64,
    pub(super) is_read_only: bool,
}

/// Which folder it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlaceKind {
    Data,
    Logs,
}

impl PlaceKind {
    fn words(self) -> &'static str {
        match self {
            Self::Data => "data path",
            Self::Logs => "log path",
        }
    }
}

/// What a check comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Remark {
    /// The start cannot work.
    Blocks(String),
    /// It can, and a person should know this.
    Says(String),
}

/// Goes through the list.
pub(super) fn remarks(facts: &StartFacts) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for place in &facts.places {
        remarks.extend(place_remark(place));
    }
    remarks.extend(facts.places.iter().filter_map(|place| watermark_remark(place, facts)));
    remarks.extend(foreign_remark(facts));
    remarks.extend(facts.last_start.iter().map(|trouble| boot_remark(trouble, facts)));
    // Two data paths on one file system say the same.
    let mut told: Vec<Remark> = Vec::new();
    remarks.retain(|remark| {
        let is_new = !told.contains(remark);
        told.push(remark.clone());
        is_new
    });
    remarks
}

fn place_remark(place: &Place) -> Option<Remark> {
    let (path, kind) = (place.path.display(), place.kind.words());
    if place.is_read_only {
        return Some(Remark::Blocks(format!(
            "the file system of the {kind} {path} is read-only; where the system made it so itself \
             (`dmesg` tells), look at the disk, then mount it writable"
        )));
    }
    let space = place.space?;
    if space.free_bytes < place.needed_bytes {
        return Some(Remark::Blocks(format!(
            "{} of {} bytes are free for the server on the file system of the {kind} {path}, and a \
             start needs about {}; make room there",
            space.free_bytes, space.total_bytes, place.needed_bytes
        )));
    }
    let left = space.free_inodes.filter(|left| *left < place.needed_inodes)?;
    Some(Remark::Blocks(format!(
        "{left} more files can be made on the file system of the {kind} {path}, and a start makes \
         about {}; delete files that nobody needs there (`df -i`)",
        place.needed_inodes
    )))
}

/// A full disk keeps nobody's own primaries from starting: see `node/watermarks.rs`.
fn watermark_remark(place: &Place, facts: &StartFacts) -> Option<Remark> {
    let space = place.space.filter(|_| place.kind == PlaceKind::Data)?;
    let found = facts.watermarks.exceeded(space, facts.version.as_deref())?;
    let then = match found.stage {
        WatermarkStage::Low => "shards that are here start, and no others come to this node",
        WatermarkStage::High => "shards that are here start, and then leave for other nodes",
        WatermarkStage::Flood => {
            "shards that are here start, and within a minute the server makes their indices read-only"
        }
    };
    Some(Remark::Says(format!(
        "the data path {} is above the {} watermark ({} from {}): {} bytes are free and {} are \
         wanted; {then}",
        place.path.display(),
        found.stage,
        found.value,
        found.origin,
        space.free_bytes,
        found.needed_bytes
    )))
}

fn foreign_remark(facts: &StartFacts) -> Option<Remark> {
    let (name, uid) = facts.user.as_ref()?;
    let (first, _) = facts.foreign.first()?;
    let named = facts.foreign.iter().take(NAMED_MAX);
    let named: Vec<String> =
        named.map(|(path, owner)| format!("{} (user {owner})", path.display())).collect();
    let more = facts.foreign.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(Remark::Blocks(format!(
        "the server's user {name} ({uid}) cannot write {}{more}; give it its files back, as in `chown \
         -R {name} {}`",
        named.join(", "),
        first.display()
    )))
}

/// A reason of the last start counts while it is still there; where that cannot be looked at, it is
/// only said.
fn boot_remark(trouble: &BootTrouble, facts: &StartFacts) -> Remark {
    let action = trouble.cause.action();
    let sentence = |how: &str| format!("the last start failed: {}; {how}{action}", trouble.line);
    match (trouble.cause, facts.max_map_count) {
        (BootCause::MapCount { needed }, Some(now)) if now < needed => {
            Remark::Blocks(sentence(&format!("it is {now} still: ")))
        }
        (BootCause::MapCount { .. }, Some(now)) => {
            Remark::Says(format!("the last start failed: {}; it is {now} now", trouble.line))
        }
        // Where there is still none, that is told for itself.
        (BootCause::NoSpace, _) => Remark::Says(format!("the last start failed: {}", trouble.line)),
        _ => Remark::Says(sentence("if that is not done yet: ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(free_bytes: u64) -> Place {
        Place {
            path: PathBuf::from("/data"),
            kind: PlaceKind::Data,
            space: Some(FreeSpace {
                free_bytes,
                total_bytes: 1000 * ROOM_BYTES,
                free_inodes: Some(100),
            }),
            needed_bytes: ROOM_BYTES,
            needed_inodes: 80,
            is_read_only: false,
        }
    }

    fn facts(place: Place) -> StartFacts {
        StartFacts { places: vec![place], ..StartFacts::default() }
    }

    fn blocks(facts: &StartFacts) -> Vec<String> {
        let blocked = |remark| match remark {
            Remark::Blocks(text) => Some(text),
            Remark::Says(_) => None,
        };
        remarks(facts).into_iter().filter_map(blocked).collect()
    }

    fn says(facts: &StartFacts) -> Vec<String> {
        let said = |remark| match remark {
            Remark::Blocks(_) => None,
            Remark::Says(text) => Some(text),
        };
        remarks(facts).into_iter().filter_map(said).collect()
    }

    #[test]
    fn with_room_nothing_is_said() {
        assert_eq!(remarks(&facts(place(500 * ROOM_BYTES))), []);
    }

    #[test]
    fn too_few_bytes_or_files_and_a_read_only_disk_block() {
        let told = blocks(&facts(place(ROOM_BYTES - 1)));
        assert!(told[0].contains("make room there"), "{told:?}");
        let mut few = place(500 * ROOM_BYTES);
        few.needed_inodes = 101;
        assert!(blocks(&facts(few))[0].contains("`df -i`"));
        let mut read_only = place(500 * ROOM_BYTES);
        (read_only.is_read_only, read_only.kind) = (true, PlaceKind::Logs);
        let told = blocks(&facts(read_only));
        assert!(told[0].contains("log path /data is read-only"), "{told:?}");
    }

    #[test]
    fn a_watermark_is_said_once_and_blocks_nothing() {
        let mut facts = facts(place(40 * ROOM_BYTES));
        facts.places.push(place(40 * ROOM_BYTES));
        assert_eq!(blocks(&facts), [""; 0]);
        let told = says(&facts);
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("above the flood_stage watermark (95% from default)"), "{told:?}");
        assert!(told[0].contains("read-only"), "{told:?}");
        // A log path has no watermarks.
        facts.places.iter_mut().for_each(|place| place.kind = PlaceKind::Logs);
        assert_eq!(remarks(&facts), []);
    }

    #[test]
    fn files_of_another_user_block() {
        let user = Some(("elasticsearch".to_owned(), 110));
        let foreign = (0..5).map(|n| (PathBuf::from(format!("/data/{n}")), 0)).collect();
        let facts = StartFacts { foreign, user, ..StartFacts::default() };
        let told = blocks(&facts);
        assert!(told[0].contains("/data/2 (user 0) and 2 more"), "{told:?}");
        assert!(told[0].ends_with("`chown -R elasticsearch /data/0`"), "{told:?}");
    }

    #[test]
    fn a_reason_of_the_last_start_blocks_only_while_it_is_seen_to_be_there() {
        let trouble = |cause| BootTrouble { cause, line: "too low".to_owned() };
        let mut facts = StartFacts {
            last_start: vec![trouble(BootCause::MapCount { needed: 262_144 })],
            max_map_count: Some(65_530),
            ..StartFacts::default()
        };
        assert!(blocks(&facts)[0].contains("sysctl -w vm.max_map_count=262144"));
        facts.max_map_count = Some(262_144);
        assert_eq!((blocks(&facts).len(), says(&facts).len()), (0, 1));
        facts.last_start = vec![trouble(BootCause::MemoryLock)];
        let told = says(&facts);
        assert!(told[0].contains("if that is not done yet: `LimitMEMLOCK=infinity`"), "{told:?}");
    }
}
