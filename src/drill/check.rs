//! Whether a shard holds what it should after the repair, and whether the job told the loss as it
//! was: compared with what the drill itself wrote, document by document.

use std::collections::BTreeSet;

use serde::Serialize;

use super::documents::{Act, Documents};
use super::node::PracticeShard;
use super::release::Release;
use crate::plan::Loss;

/// The documents of one shard, compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DocumentCheck {
    /// Documents that have to be there.
    pub expected: u64,
    /// Documents that are there.
    pub found: u64,
    /// Ids that are not there.
    pub missing: Vec<String>,
    /// Ids that should not be there.
    pub unexpected: Vec<String>,
    /// Ids that are there with another content.
    pub different: Vec<String>,
}

impl DocumentCheck {
    pub(super) fn of(expected: &Documents, found: &Documents) -> Self {
        let missing = expected.keys().filter(|id| !found.contains_key(*id)).cloned().collect();
        let unexpected = found.keys().filter(|id| !expected.contains_key(*id)).cloned().collect();
        let is_different = |(id, source): &(&String, &String)| {
            found.get(*id).is_some_and(|other| other != *source)
        };
        let different = expected.iter().filter(is_different).map(|(id, _)| id.clone()).collect();
        let (expected, found) = (expected.len() as u64, found.len() as u64);
        Self { expected, found, missing, unexpected, different }
    }

    /// What is wrong, one sentence a kind.
    pub(super) fn problems(&self) -> Vec<String> {
        let kinds = [
            ("missing", &self.missing),
            ("there and should not be", &self.unexpected),
            ("there with another content", &self.different),
        ];
        let wrong = kinds.into_iter().filter(|(_, ids)| !ids.is_empty());
        wrong
            .map(|(kind, ids)| {
                let first = ids.first().map_or("", String::as_str);
                format!("{} documents are {kind}, the first is {first}", ids.len())
            })
            .collect()
    }
}

/// Whether the loss that the job told is the one there is.
///
/// A checkpoint of 7.x counts operations, so there the number has to be exact. 1.x has none: a
/// stretch that cannot be read counts as one there, however many records were in it.
pub(super) fn loss_problems(
    release: Release,
    shard: &PracticeShard,
    told: Option<&Loss>,
) -> Vec<String> {
    let lost = shard.history.lost(&shard.lost_acts);
    let Some(told) = told else {
        let has_damage = shard.damage.is_some();
        return if has_damage {
            vec!["it was broken and not repaired".to_owned()]
        } else {
            Vec::new()
        };
    };
    let mut problems = Vec::new();
    if shard.damage.is_none() {
        problems.push("it was sound and was repaired".to_owned());
    }
    let count = told.operation_count;
    let lost_count = lost.len() as u64;
    if told.is_estimate && release == Release::Sequenced {
        problems.push("the job only guessed how many operations are lost".to_owned());
    }
    if (!told.is_estimate && count != lost_count) || (lost_count > 0 && count == 0) {
        problems.push(format!("{lost_count} operations are lost and the job told of {count}"));
    }
    let lost_ids: BTreeSet<&str> = lost.iter().map(Act::id).collect();
    let named = told.operations.iter().filter(|lost| lost.readable && !lost.in_commit);
    let wrong: Vec<&str> =
        named.filter_map(|lost| lost.id.as_deref()).filter(|id| !lost_ids.contains(id)).collect();
    if let Some(first) = wrong.first() {
        let count = wrong.len();
        problems.push(format!("{count} operations told as lost are not, the first is on {first}"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drill::damage::Damage;
    use crate::drill::node::PracticeNode;
    use crate::format::OperationKind;
    use crate::plan::LostOperation;

    fn documents(entries: &[(&str, &str)]) -> Documents {
        entries.iter().map(|(id, source)| ((*id).to_owned(), (*source).to_owned())).collect()
    }

    #[test]
    fn a_lost_a_risen_and_a_changed_document_are_each_noticed() {
        let expected = documents(&[("a", "1"), ("b", "2"), ("c", "3")]);
        assert_eq!(DocumentCheck::of(&expected, &expected).problems(), Vec::<String>::new());
        let found = documents(&[("a", "1"), ("c", "33"), ("d", "4")]);
        let check = DocumentCheck::of(&expected, &found);
        assert_eq!((check.expected, check.found), (3, 3));
        assert_eq!(check.missing, ["b"]);
        assert_eq!(check.unexpected, ["d"]);
        assert_eq!(check.different, ["c"]);
        assert_eq!(check.problems().len(), 3);
    }

    fn shard(root: &std::path::Path, damage: Option<Damage>) -> PracticeShard {
        let node = PracticeNode::make(root, Release::Sequenced).unwrap();
        let mut shard = node.shards.into_iter().next().unwrap();
        shard.damage = damage;
        let count = shard.history.acts.len();
        shard.lost_acts = count - usize::from(damage.is_some()) * 2..count;
        shard
    }

    fn told(operation_count: u64, id: &str) -> Loss {
        let operation = LostOperation {
            file: std::path::PathBuf::from("f"),
            offset: 0,
            length_bytes: 1,
            kind: OperationKind::Index,
            id: Some(id.to_owned()),
            seq_no: None,
            readable: true,
            in_commit: false,
            overwritten: false,
        };
        Loss { operations: vec![operation], operation_count, ..Loss::default() }
    }

    #[test]
    fn a_loss_that_was_told_wrong_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let broken = shard(folder.path(), Some(Damage::TornTail));
        let last = broken.history.acts.last().unwrap().id().to_owned();
        let problems = |loss: Option<&Loss>, release| loss_problems(release, &broken, loss).len();
        assert_eq!(problems(Some(&told(2, &last)), Release::Sequenced), 0);
        assert_eq!(problems(Some(&told(1, &last)), Release::Sequenced), 1);
        let estimate = |count| Loss { is_estimate: true, ..told(count, &last) };
        assert_eq!(problems(Some(&told(1, &last)), Release::Stream), 1);
        assert_eq!(problems(Some(&estimate(1)), Release::Stream), 0);
        assert_eq!(problems(Some(&estimate(0)), Release::Stream), 1);
        assert_eq!(problems(Some(&estimate(2)), Release::Sequenced), 1);
        assert_eq!(problems(Some(&told(2, "kept")), Release::Sequenced), 1);
        assert_eq!(problems(None, Release::Sequenced), 1);
        let sound = shard(&folder.path().join("sound"), None);
        assert_eq!(loss_problems(Release::Sequenced, &sound, None), Vec::<String>::new());
        assert_eq!(loss_problems(Release::Sequenced, &sound, Some(&Loss::default())).len(), 1);
    }
}
