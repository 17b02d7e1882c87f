//! Which files of the shards a run keeps, in its quarantine or in its journal.

use std::path::{Path, PathBuf};

use super::journal::JournalError;
use super::run::RunFolder;
use super::step::Step;
use super::summary::Journals;

/// A file of a shard as it was before a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// Its place in the shard.
    pub file: PathBuf,
    /// Where it is kept.
    pub kept: KeptAt,
}

/// Where a file of a shard is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptAt {
    /// In the quarantine, under this name.
    File(PathBuf),
    /// In the journal, which has these bytes: it was written anew in place.
    Journal(Vec<u8>),
}

impl RunFolder {
    /// The files that each round keeps, first round first.
    ///
    /// # Errors
    /// When a journal of the run cannot be used.
    pub fn kept_files(&self) -> Result<Vec<Vec<KeptFile>>, JournalError> {
        let journals = Journals::read(self.path())?;
        let of_round = |steps: &[Step]| steps.iter().flat_map(kept_by).collect();
        Ok(journals.rounds.iter().map(|journal| of_round(journal.steps())).collect())
    }

    /// The files `plan-N.json` of the run, first round first.
    ///
    /// # Errors
    /// When the run's folder cannot be listed.
    pub fn plan_files(&self) -> std::io::Result<Vec<PathBuf>> {
        let mut numbered = Vec::new();
        for entry in self.path().read_dir()? {
            let path = entry?.path();
            numbered.extend(plan_number(&path).map(|number| (number, path)));
        }
        numbered.sort();
        Ok(numbered.into_iter().map(|(_, path)| path).collect())
    }
}

fn kept_by(step: &Step) -> Vec<KeptFile> {
    match step {
        Step::Move { from, to, .. } => {
            vec![KeptFile { file: from.clone(), kept: KeptAt::File(to.clone()) }]
        }
        Step::Keep { file, kept, .. } => {
            vec![KeptFile { file: file.clone(), kept: KeptAt::File(kept.clone()) }]
        }
        Step::MoveFolder { from, to, was } => {
            let files = was.entries.iter().flatten().filter(|(_, len_bytes)| len_bytes.is_some());
            files
                .map(|(inside, _)| KeptFile {
                    file: from.join(inside),
                    kept: KeptAt::File(to.join(inside)),
                })
                .collect()
        }
        Step::Rewrite { from, old, .. } => {
            vec![KeptFile { file: from.clone(), kept: KeptAt::Journal(old.clone()) }]
        }
        _ => Vec::new(),
    }
}

fn plan_number(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.strip_prefix("plan-")?.strip_suffix(".json")?.parse().ok()
}
