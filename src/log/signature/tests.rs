//! Each row by its example, and phrases of every generation.

use super::*;
use crate::log::effect::{Effect, effect_of};
use crate::log::framing::Framing;
use crate::log::record::Record;

fn records(text: &str) -> Vec<Record> {
    let mut framing = Framing::default();
    let mut records = Vec::new();
    let mut take = |raw: crate::log::framing::RawRecord| records.push(Record::read(&raw));
    framing.push(text.as_bytes(), &mut take);
    framing.finish(&mut take);
    records
}

#[test]
fn each_example_yields_its_row() {
    for row in signatures() {
        let records = records(row.example);
        assert!(!records.is_empty(), "{}: no record", row.name);
        let effects: Vec<Effect> = records.iter().map(effect_of).collect();
        match row.class {
            Class::FailedShard => {
                for (effect, record) in effects.iter().zip(&records) {
                    let Effect::Failed(failure) = effect else {
                        panic!("{}: {record:?}", row.name)
                    };
                    assert_eq!(failure.signature.name, row.name, "{record:?}");
                    assert!(failure.line.len() > 50, "{failure:?}");
                }
            }
            Class::Cause(cause) => {
                let told = records.iter().all(|record| {
                    let rows = [record.message(), &record.trace].map(cause_row);
                    let first = rows.into_iter().flatten().min_by_key(|(at, _)| *at);
                    first.is_some_and(|(_, told)| told.name == row.name)
                });
                assert!(told, "{}: {records:?}", row.name);
                let says = |effect: &Effect| match effect {
                    Effect::Failed(failure) => failure.key.1 == cause,
                    Effect::NodeWide(told, _)
                    | Effect::Event(super::super::finding::NodeEvent::BootFailed {
                        cause: told,
                        ..
                    }) => *told == cause,
                    _ => false,
                };
                assert!(effects.iter().all(says), "{}: {effects:?}", row.name);
            }
            Class::Sign => {
                let is_event = |effect: &Effect| matches!(effect, Effect::Event(_));
                assert!(effects.iter().all(is_event), "{}: {effects:?}", row.name);
            }
            Class::Harmless => {
                assert!(row.words.iter().any(|word| row.example.contains(word)), "{}", row.name);
                assert!(
                    effects.iter().all(|effect| *effect == Effect::Nothing),
                    "{}: {effects:?}",
                    row.name
                );
            }
        }
    }
}

#[test]
fn a_record_without_a_telling_word_says_nothing() {
    // What is skipped unread must have nothing to say: every example that says something has one.
    for row in signatures() {
        for record in row.example.split_inclusive("\n[") {
            let says = records(record).iter().any(|record| effect_of(record) != Effect::Nothing);
            assert!(!says || find_telling(record.as_bytes()).is_some(), "{}: {record}", row.name);
        }
    }
}

#[test]
fn names_and_words_are_those_of_one_row() {
    let mut names: Vec<&str> = signatures().map(|row| row.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

fn found(text: &str) -> Option<(String, &'static str)> {
    announced(text).map(|found| (found.shard.to_string(), found.signature.name))
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
        ("[n1] [bitbucket-search][2]failed engine [x]", "[bitbucket-search][2]", "failed-engine"),
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
        ("Exception: [idx][2] failed to recover shard", "[idx][2]", "failed-to-recover-shard"),
        (
            "[n1] [.ds-logs-app-2026.11.23-000001][12] failed engine [x]",
            "[.ds-logs-app-2026.11.23-000001][12]",
            "failed-engine",
        ),
        (
            "[n1] [größe-%7b'=&;!@~$(x)][0] failed engine [x]",
            "[größe-%7b'=&;!@~$(x)][0]",
            "failed-engine",
        ),
        ("[Robert \"Bobby\" Drake] [a{b}c][0] failed engine [x]", "[a{b}c][0]", "failed-engine"),
        ("[a [x][7] node] [日本][0] failed engine [x]", "[日本][0]", "failed-engine"),
        ("[n1] [a[b]c.d][4] failed engine [x]", "[a[b]c.d][4]", "failed-engine"),
    ] {
        assert_eq!(found(text), Some((shard.to_owned(), name)), "{text}");
    }
}

/// An exception's bracket before a name is none of it.
#[test]
fn what_a_nested_exception_names_begins_behind_its_bracket() {
    for (text, shard, name) in [
        (
            "reason[x], details[Failed to start shard, message [IndexShardGatewayRecoveryException[\
             [v001][0] failed to recover shard]; nested: EOFException; ]",
            "[v001][0]",
            "failed-to-recover-shard",
        ),
        (
            "[n1] unexpected failure while sending request [internal:cluster/shard/failure] to [{n1}] for \
             shard entry [shard id [[logs][0]], failure [RecoveryFailedException[[logs][0]: Recovery \
             failed on {n1}{NID}; nested: EngineException[failed to recover from translog]; ]",
            "[logs][0]",
            "recovery-failed-on",
        ),
    ] {
        assert_eq!(found(text), Some((shard.to_owned(), name)), "{text}");
    }
}

/// Words that servers wrote in runs made for this table, beside those of the examples.
#[test]
fn every_generation_of_causes_is_read() {
    for (text, name) in [
        (
            "org.elasticsearch.index.mapper.DocumentParsingException: [1:2] failed to parse: [1:16] \
             Unrecognized token 'x10'",
            "mapping",
        ),
        (
            "[logs][[logs][0]] ElasticsearchException[failed to create shard]; nested: \
             LockObtainFailedException[Can't lock shard [logs][0], timed out after 5000ms];",
            "cannot-lock-shard",
        ),
        (
            "org.apache.lucene.store.LockObtainFailedException: Lock held by another program: \
             /var/lib/elasticsearch/nodes/0/indices/x/0/index/write.lock",
            "lock-obtain",
        ),
    ] {
        assert_eq!(cause_row(text).map(|(_, row)| row.name), Some(name), "{text}");
    }
}

#[test]
fn words_alone_name_nothing() {
    for text in ["failed engine", "a user wrote: sending failed shard for lunch", "[n1] started"] {
        assert_eq!(found(text), None, "{text}");
    }
}

#[test]
fn roles_are_told_apart() {
    assert_eq!(role_of("[idx][2], node[x], [P], s[INITIALIZING]"), Some(Role::Primary));
    assert_eq!(role_of("[idx][2], node[x], [R], s[INITIALIZING]"), Some(Role::Replica));
    assert_eq!(role_of("[idx][2], node[x], relocating [y], [R], s[x]"), Some(Role::Replica));
    assert_eq!(role_of("[idx][2] failed engine"), None);
}
