//! The failures that are known: one row a phrase, with the shard's place in it.

use std::sync::LazyLock;

use regex::Regex;

use super::finding::{Role, ShardName};

/// A phrase that announces a failed shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    /// Its name.
    pub name: &'static str,
    /// The words that every such record has.
    pub words: &'static str,
    /// Servers that write it.
    pub versions: &'static str,
    /// The pattern; `SHARD` stands for the shard's name and number.
    pattern: &'static str,
}

/// Every known phrase. Sources: `IndicesClusterStateService`, `ShardStateAction`, `Engine`,
/// `AllocationService`, `IndexShardGatewayRecoveryException` (0.90.0 to 9.x, OpenSearch).
pub const SIGNATURES: &[Signature] = &[
    Signature {
        name: "marking-and-sending",
        words: "marking and sending shard failed due to",
        versions: "1.5.1 and later, OpenSearch",
        pattern: r"\[?SHARD\]? ?marking and sending shard failed due to",
    },
    Signature {
        name: "failed-engine",
        words: "failed engine",
        versions: "0.90 and later, OpenSearch",
        pattern: r"SHARD ?failed engine",
    },
    Signature {
        name: "failing-shard",
        words: "failing shard [",
        versions: "6.3 and later, OpenSearch",
        pattern: r"failing shard \[(?:failed shard, shard |FailedShard\[routingEntry=)SHARD",
    },
    Signature {
        name: "received-shard-failed",
        words: "received shard failed for",
        versions: "0.90 to 6.2",
        pattern: r"received shard failed for (?:target shard \[|shard id \[)?SHARD",
    },
    Signature {
        name: "sending-failed-shard",
        words: "sending failed shard for",
        versions: "0.90 to 1.5",
        pattern: r"sending failed shard for SHARD",
    },
    Signature {
        name: "sending-failed-shard-after-recovery",
        words: "sending failed shard after recovery failure",
        versions: "1.5.0",
        pattern: r"SHARD ?sending failed shard after recovery failure",
    },
    Signature {
        name: "failed-to-start-shard",
        words: "failed to start shard",
        versions: "0.90 to 1.4",
        pattern: r"SHARD ?failed to start shard",
    },
    Signature {
        name: "failed-to-create-shard",
        words: "failed to create shard",
        versions: "0.90 to 1.5",
        pattern: r"SHARD ?failed to create shard",
    },
    Signature {
        name: "retry-recovery",
        words: "retry recovery for shard after failure",
        versions: "9.x",
        pattern: r"retry recovery for shard after failure \[SHARD",
    },
    Signature {
        name: "failed-to-recover-shard",
        words: "failed to recover shard",
        versions: "0.90 to 1.7, in the trace",
        pattern: r"SHARD ?failed to recover shard",
    },
    Signature {
        name: "shard-exception",
        words: "RecoveryException",
        versions: "2.0 and later, in the trace",
        pattern: r"\]\[SHARD\] (?:[a-z.]*\.)?IndexShardRecoveryException",
    },
    Signature {
        name: "failed-to-parse",
        words: "failed to parse",
        versions: "all",
        pattern: r"SHARD .*failed to parse",
    },
];

/// `[index][number]`: no name has a blank, a slash, a comma or one of `*?"<>|#` in it, but it may
/// have brackets, so the number's bracket is what tells its end.
const SHARD: &str = r#"\[(?<index>[^\s/\\*?"<>|,#]{1,255}?)\]\[(?<number>\d{1,9})\]"#;

#[expect(clippy::expect_used, reason = "constant patterns, compiled by every test")]
static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let compile = |signature: &Signature| Regex::new(&signature.pattern.replace("SHARD", SHARD));
    SIGNATURES.iter().map(|signature| compile(signature).expect("a valid pattern")).collect()
});

#[expect(clippy::expect_used, reason = "a constant pattern, compiled by every test")]
static ROLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r", node\[[^\]]*\], (?:relocating \[[^\]]*\], )?\[([PR])\]")
        .expect("a valid pattern")
});

/// The shard that a text announces as failed, and by which phrase.
pub(super) fn announced(text: &str) -> Option<(&'static Signature, ShardName)> {
    SIGNATURES.iter().zip(PATTERNS.iter()).find_map(|(signature, pattern)| {
        if !text.contains(signature.words) {
            return None;
        }
        let captures = pattern.captures(text)?;
        let index = captures.name("index")?.as_str();
        let number = captures.name("number")?.as_str().parse().ok()?;
        Some((signature, ShardName { index: index.to_owned(), number }))
    })
}

/// Which copy a record is about.
pub(super) fn role_of(text: &str) -> Option<Role> {
    let captures = ROLE.captures(text)?;
    match captures.get(1)?.as_str() {
        "P" => Some(Role::Primary),
        _ => Some(Role::Replica),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(String, &'static str)> {
        announced(text).map(|(signature, shard)| (shard.to_string(), signature.name))
    }

    #[test]
    fn every_generation_of_phrases_is_read() {
        for (text, shard, name) in [
            (
                "[Mad-Dog] [orders-2014.11.02][3] failed to start shard",
                "[orders-2014.11.02][3]",
                "failed-to-start-shard",
            ),
            (
                "[n1] [idx][2] sending failed shard for [idx][2], node[x], [P], s[INITIALIZING], indexUUID [u], reason [..]",
                "[idx][2]",
                "sending-failed-shard",
            ),
            (
                "[n1] [idx][2] received shard failed for [idx][2], node[x], [P]",
                "[idx][2]",
                "received-shard-failed",
            ),
            (
                "[n1] [idx][0] received shard failed for target shard [[idx][0], node[x], [P], v[3]",
                "[idx][0]",
                "received-shard-failed",
            ),
            (
                "[n1] [i02][1] received shard failed for shard id [[i02][1]], allocation id [r6]",
                "[i02][1]",
                "received-shard-failed",
            ),
            (
                "[n1] [[orders][0]] marking and sending shard failed due to [failed recovery]",
                "[orders][0]",
                "marking-and-sending",
            ),
            (
                "[n1] [i02][1] marking and sending shard failed due to [failed recovery]",
                "[i02][1]",
                "marking-and-sending",
            ),
            (
                "[n1] [i02][1] failed engine [failed to recover from translog]",
                "[i02][1]",
                "failed-engine",
            ),
            (
                "[n1] [bitbucket-search][2]failed engine [x]",
                "[bitbucket-search][2]",
                "failed-engine",
            ),
            (
                "[n1] failing shard [failed shard, shard [i02][1], node[x], [P]",
                "[i02][1]",
                "failing-shard",
            ),
            (
                "[n1] failing shard [FailedShard[routingEntry=[c02][0], node[NID], [P]",
                "[c02][0]",
                "failing-shard",
            ),
            (
                "IndexShardGatewayRecoveryException: [idx][2] failed to recover shard",
                "[idx][2]",
                "failed-to-recover-shard",
            ),
        ] {
            assert_eq!(found(text), Some((shard.to_owned(), name)), "{text}");
        }
    }

    #[test]
    fn names_with_brackets_and_dots() {
        let text = "[n1] [a[b]c.d][4] failed engine [x]";
        assert_eq!(found(text), Some(("[a[b]c.d][4]".to_owned(), "failed-engine")));
    }

    #[test]
    fn words_alone_name_nothing() {
        for text in
            ["failed engine", "a user wrote: sending failed shard for lunch", "[n1] started"]
        {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn roles_are_told_apart() {
        assert_eq!(role_of("[idx][2], node[x], [P], s[INITIALIZING]"), Some(Role::Primary));
        assert_eq!(role_of("[idx][2], node[x], [R], s[INITIALIZING]"), Some(Role::Replica));
        assert_eq!(role_of("[idx][2] failed engine"), None);
    }
}
