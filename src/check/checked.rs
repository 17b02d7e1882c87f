//! One shard, checked: what `check` says of it.

use std::path::PathBuf;

use serde::Serialize;

use crate::diagnose::{
    Diagnosis, Evidence, Judged, Listing, Problem, ReadError, Verdict, diagnose,
};
use crate::format::Depth;
use crate::limit;
use crate::node::{KeptStates, ShardFolder, ShardPlace, lock_holder};

/// How often a shard that its server has open is read again before a bad verdict is believed.
const CONFIRMATIONS_MAX: u32 = limit::CONFIRMATIONS.count();

/// What `check` says of one shard.
#[derive(Debug, Clone, Serialize)]
pub struct CheckedShard {
    /// Its index.
    pub index: String,
    /// Its number.
    pub shard: u32,
    /// UUID of its index, where a file tells.
    pub index_uuid: Option<String>,
    /// Its folder.
    pub path: PathBuf,
    /// Whether a server had it open: what is on the disk then is not all there is.
    pub provisional: bool,
    /// The verdict; `None` when it could not be read.
    pub verdict: Option<Verdict>,
    /// Everything that is wrong or worth a note, worst first.
    pub problems: Vec<Problem>,
    /// Whole operations in the translog that the next start replays.
    pub replayed_operations: Option<u64>,
    /// What a person does next; `None` where nothing is to be done.
    pub next_action: Option<String>,
    /// Why it could not be read.
    pub error: Option<String>,
}

impl CheckedShard {
    /// Whether nothing is wrong with it.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.verdict == Some(Verdict::Sound)
    }
}

/// Reads and judges the shard at a place. A shard that its server has open changes while it is
/// read: a bad verdict counts only when two readings in a row agree.
#[must_use]
pub fn check_shard(place: &ShardPlace, kept: &KeptStates, depth: Depth) -> CheckedShard {
    let folder = match place.read(kept) {
        Ok(folder) => folder,
        Err(error) => return unread(place, error.to_string()),
    };
    let is_open = folder.lock_files().iter().any(|file| matches!(lock_holder(file), Ok(Some(_))));
    let mut last = judge(&folder, depth);
    if is_open {
        for _ in 0..CONFIRMATIONS_MAX {
            if matches!(&last, Ok(judged) if judged.diagnosis.verdict == Verdict::Sound) {
                break;
            }
            let again = judge(&folder, depth);
            let agree = match (&last, &again) {
                (Ok(last), Ok(again)) => last.diagnosis.problems == again.diagnosis.problems,
                (last, again) => last.is_err() && again.is_err(),
            };
            last = again;
            if agree {
                break;
            }
        }
    }
    match last {
        Ok(judged) => checked(&folder, judged, is_open),
        Err(error) => {
            CheckedShard { provisional: is_open, ..named(&folder, Some(error.to_string())) }
        }
    }
}

/// What one reading came to.
struct JudgedShard {
    diagnosis: Diagnosis,
    next_action: Option<String>,
}

fn judge(folder: &ShardFolder, depth: Depth) -> Result<JudgedShard, ReadError> {
    let mut evidence = Evidence::read(folder, Listing::AfterDamage)?;
    evidence.verify_index(depth)?;
    let diagnosis = diagnose(&evidence);
    let next_action = diagnosis.next_action(&folder.shard, &evidence);
    Ok(JudgedShard { diagnosis, next_action })
}

fn checked(folder: &ShardFolder, judged: JudgedShard, provisional: bool) -> CheckedShard {
    let JudgedShard { diagnosis, next_action } = judged;
    CheckedShard {
        provisional,
        verdict: Some(diagnosis.verdict),
        replayed_operations: replayed_count(&diagnosis.judged),
        next_action,
        problems: diagnosis.problems,
        ..named(folder, None)
    }
}

fn replayed_count(judged: &Judged) -> Option<u64> {
    let sum = |counts: &mut dyn Iterator<Item = u64>| counts.fold(0, u64::saturating_add);
    match judged {
        Judged::Chain(chain) => {
            let replayed = chain.generations.values().filter(|generation| generation.replayed);
            Some(sum(&mut replayed.map(|generation| generation.kept.count)))
        }
        Judged::Stream(stream) => Some(sum(&mut stream.parts.iter().map(|part| part.kept.count))),
        Judged::Nothing => None,
    }
}

fn named(folder: &ShardFolder, error: Option<String>) -> CheckedShard {
    CheckedShard {
        index: folder.shard.index.clone(),
        shard: folder.shard.number,
        index_uuid: folder.index_uuid.clone(),
        path: folder.path.clone(),
        provisional: false,
        verdict: None,
        problems: Vec::new(),
        replayed_operations: None,
        next_action: None,
        error,
    }
}

fn unread(place: &ShardPlace, error: String) -> CheckedShard {
    CheckedShard {
        index: String::new(),
        shard: 0,
        index_uuid: None,
        path: place.path.clone(),
        provisional: false,
        verdict: None,
        problems: Vec::new(),
        replayed_operations: None,
        next_action: None,
        error: Some(error),
    }
}
