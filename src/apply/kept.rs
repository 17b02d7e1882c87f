//! Which files of the shards a run keeps, in its quarantine or in its journal.

use std::collections::BTreeSet;
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
    /// In the journal, which has these bytes.
    Journal(Vec<u8>),
}

impl RunFolder {
    /// The files that each round keeps, first round first.
    ///
    /// # Errors
    /// When a journal of the run cannot be used.
    pub fn kept_files(&self) -> Result<Vec<Vec<KeptFile>>, JournalError> {
        let journals = Journals::read(self.path())?;
        Ok(journals.rounds.iter().map(|journal| kept_in_round(journal.steps())).collect())
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

/// Of a file that was emptied before it moved the journal has what it held.
fn kept_in_round(steps: &[Step]) -> Vec<KeptFile> {
    let rewritten: BTreeSet<&Path> =
        steps.iter().filter_map(Step::rewritten).map(|(path, _)| path).collect();
    let is_emptied =
        |step: &Step| matches!(step, Step::Move { from, .. } if rewritten.contains(from.as_path()));
    steps.iter().filter(|step| !is_emptied(step)).flat_map(kept_by).collect()
}

fn kept_by(step: &Step) -> Vec<KeptFile> {
    match step {
        Step::Move { from, to, .. } => {
            vec![KeptFile { file: from.clone(), kept: KeptAt::File(to.clone()) }]
        }
        Step::Keep { file, kept, .. } | Step::Copy { file, kept, .. } => {
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
        Step::Record { file, content, .. } => {
            vec![KeptFile { file: file.clone(), kept: KeptAt::Journal(content.clone()) }]
        }
        _ => Vec::new(),
    }
}

fn plan_number(path: &Path) -> Option<u32> {
    path.file_name()?.to_str()?.strip_prefix("plan-")?.strip_suffix(".json")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::sim::disk::SimDisk;
    use crate::apply::store::Attributes;

    #[test]
    fn of_a_file_that_was_emptied_the_journal_has_the_content() {
        let (file, moved) = (PathBuf::from("/0/t"), PathBuf::from("/.etf-t"));
        let mut disk = SimDisk::new();
        disk.make_folder(Path::new("/0"), Attributes::own_folder()).unwrap();
        disk.make_file(&file, Attributes::own_file()).unwrap();
        let was = disk.fingerprint(&file).unwrap();
        let (from, to, old) = (file.clone(), file.clone(), b"old".to_vec());
        let steps = [
            Step::Rewrite { from, to, was, old: old.clone(), new: Vec::new(), times: None },
            Step::Move { from: file.clone(), to: moved, was },
        ];
        assert_eq!(kept_in_round(&steps), [KeptFile { file, kept: KeptAt::Journal(old) }]);
    }
}
