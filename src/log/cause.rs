//! The words of an exception chain -> the cause, the telling ones first.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};

use super::finding::Cause;

/// Words and what they mean. Of several that occur, the one whose cause comes first in `ORDER`
/// counts: a full disk makes a translog look corrupt, and not the other way round.
const WORDS: &[(&str, Cause)] = &[
    ("no space left on device", Cause::DiskFull),
    ("disk quota exceeded", Cause::DiskFull),
    ("read-only file system", Cause::DiskFull),
    ("too many open files", Cause::OpenFiles),
    ("lockobtainfailedexception", Cause::LockHeld),
    ("failed to obtain node lock", Cause::LockHeld),
    ("accessdeniedexception", Cause::Permission),
    ("accesscontrolexception", Cause::Permission),
    ("operation not permitted", Cause::Permission),
    ("permission denied", Cause::Permission),
    ("outofmemoryerror", Cause::Memory),
    ("circuitbreakingexception", Cause::Memory),
    ("mapperparsingexception", Cause::Mapping),
    ("failed to parse", Cause::Mapping),
    ("failed to find analyzer", Cause::Mapping),
    ("belongs to a different translog", Cause::WrongTranslog),
    ("preexisting_corruption", Cause::LuceneIndex),
    ("preexisting corrupted", Cause::LuceneIndex),
    ("corrupted index [", Cause::LuceneIndex),
    ("corrupted preexisting index", Cause::LuceneIndex),
    ("indexnotfoundexception", Cause::LuceneIndex),
    ("indexformattoo", Cause::LuceneIndex),
    ("/index/_", Cause::LuceneIndex),
    ("/index/segments", Cause::LuceneIndex),
    ("failed to fetch index version", Cause::LuceneIndex),
    ("recovery failed from {", Cause::Replica),
    ("on replica", Cause::Replica),
    ("translog", Cause::Translog),
    ("failed to recover shard", Cause::Translog),
    ("failed to recovery from gateway", Cause::Translog),
    ("failed to recover from gateway", Cause::Translog),
];

const ORDER: &[Cause] = &[
    Cause::DiskFull,
    Cause::OpenFiles,
    Cause::LockHeld,
    Cause::Permission,
    Cause::Memory,
    Cause::WrongTranslog,
    Cause::Mapping,
    Cause::LuceneIndex,
    Cause::Replica,
    Cause::Translog,
];

#[expect(clippy::expect_used, reason = "constant patterns, compiled by every test")]
static FINDER: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasickBuilder::new()
        .ascii_case_insensitive(true)
        .build(WORDS.iter().map(|(word, _)| word))
        .expect("valid patterns")
});

/// The cause that a text tells.
pub(super) fn cause_of(text: &str) -> Cause {
    let mut best: Option<usize> = None;
    for found in FINDER.find_overlapping_iter(text) {
        let cause = WORDS.get(found.pattern().as_usize()).map(|(_, cause)| *cause);
        let rank = ORDER.iter().position(|known| Some(*known) == cause);
        best = match (best, rank) {
            (Some(best), Some(rank)) => Some(best.min(rank)),
            (best, rank) => best.or(rank),
        };
    }
    best.and_then(|rank| ORDER.get(rank)).copied().unwrap_or(Cause::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_wins_over_the_words_it_causes() {
        let chain = "EngineException: failed to recover from translog\n\
                     Caused by: java.io.IOException: No space left on device";
        assert_eq!(cause_of(chain), Cause::DiskFull);
    }

    #[test]
    fn each_class_is_told() {
        for (text, cause) in [
            ("TranslogCorruptedException: translog stream is corrupted", Cause::Translog),
            ("[i][2] failed to recover shard", Cause::Translog),
            (
                "FileSystemException: /d/translog/translog.ckp: Too many open files",
                Cause::OpenFiles,
            ),
            ("ShardLockObtainFailedException: [i][0]: obtaining shard lock", Cause::LockHeld),
            ("CorruptIndexException: x (resource=/d/0/index/_0.cfs)", Cause::LuceneIndex),
            (
                "expected shard UUID [[4c]] this translog file belongs to a different translog",
                Cause::WrongTranslog,
            ),
            ("[i][0]: Recovery failed from {a}{b} into {c}{d}", Cause::Replica),
            ("MapperParsingException: failed to parse field [x]", Cause::Mapping),
            ("nothing known", Cause::Unknown),
        ] {
            assert_eq!(cause_of(text), cause, "{text}");
        }
    }
}
