//! Logs as servers write them, read whole and in pieces.

use super::*;
use std::time::Duration;

use crate::log::{Cause, telling_words};
use nix::time::{ClockId, clock_gettime};
use proptest::prelude::*;

/// 7.17.28: a start with one shard whose translog is damaged.
const LOG_7: &str = "\
[2026-11-23T09:07:40,001][INFO ][o.e.n.Node               ] [n1] version[7.17.28], pid[71], build[default]
[2026-11-23T09:07:43,000][INFO ][o.e.n.Node               ] [n1] started
[2026-11-23T09:07:43,200][INFO ][o.e.g.GatewayService     ] [n1] recovered [26] indices into cluster_state
[2026-11-23T09:08:01,923][WARN ][o.e.i.e.Engine           ] [n1] [i02][1] failed engine [failed to recover from translog]
org.elasticsearch.index.engine.EngineException: failed to recover from translog
\tat org.elasticsearch.index.engine.InternalEngine.recoverFromTranslogInternal(InternalEngine.java:510) ~[elasticsearch-7.17.28.jar:7.17.28]
Caused by: org.elasticsearch.index.translog.TranslogCorruptedException: translog from source [/var/lib/elasticsearch/nodes/0/indices/RQ9UjpSCRaW8Wkh2AsmvFw/1/translog/translog-5.tlog] is corrupted, checksum verification failed - expected: 0x47fa5e7b, got: 0x69590263
[2026-11-23T09:08:01,928][WARN ][o.e.i.c.IndicesClusterStateService] [n1] [i02][1] marking and sending shard failed due to [failed recovery]
org.elasticsearch.indices.recovery.RecoveryFailedException: [i02][1]: Recovery failed on {n1}{WfEwxpwBSaGlNzNKl6QBLQ}{wvAbUkVPRVqttkXCAS5-4g}{127.0.0.1}{127.0.0.1:19600}{cdfhimrsw}
Caused by: org.elasticsearch.index.shard.IndexShardRecoveryException: failed to recover from gateway
Caused by: org.elasticsearch.index.translog.TranslogCorruptedException: translog from source [/x] is corrupted
";

/// 2.4.6: a disk that is full.
const LOG_2: &str = "\
[2026-11-23 09:07:40,001][INFO ][node                     ] [Mad-Dog] version[2.4.6], pid[997], build[5376dca/2017-07-18T12:17:44Z]
[2026-11-23 09:08:00,000][WARN ][indices.cluster          ] [Mad-Dog] [[idx][0]] marking and sending shard failed due to [engine failure, reason [index]]
java.io.IOException: No space left on device
\tat sun.nio.ch.FileDispatcherImpl.write0(Native Method)
[2026-11-23 09:08:00,100][WARN ][gateway                  ] [Mad-Dog] [_global]: failed to write global state
java.io.IOException: No space left on device
";

const CLEAN_START: &str = "\
[2026-11-23T10:00:00,001][INFO ][o.e.n.Node               ] [n1] version[7.17.28], pid[90], build[default]
[2026-11-23T10:00:03,000][INFO ][o.e.n.Node               ] [n1] started
[2026-11-23T10:00:04,000][INFO ][o.e.g.GatewayService     ] [n1] recovered [26] indices into cluster_state
[2026-11-23T10:00:05,000][INFO ][o.e.c.r.a.AllocationService] [n1] Cluster health status changed from [RED] to [GREEN] (reason: [shards started [[a][0], [b][2]]]).
";

fn scan(text: &str) -> Scan {
    let mut scanner = Scanner::new();
    scanner.push(text.as_bytes());
    scanner.finish()
}

#[test]
fn a_damaged_translog_is_one_finding() {
    let scan = scan(LOG_7);
    assert_eq!(scan.findings.len(), 1, "{:?}", scan.findings);
    let finding = &scan.findings[0];
    assert_eq!(finding.shard.to_string(), "[i02][1]");
    assert_eq!((finding.cause, finding.count), (Cause::Translog, 2));
    assert_eq!(finding.index_uuid.as_deref(), Some("RQ9UjpSCRaW8Wkh2AsmvFw"));
    assert_eq!(finding.paths[0].file_name().unwrap(), "translog-5.tlog");
    assert_eq!(scan.version.as_deref(), Some("7.17.28"));
    assert!(!scan.is_past);
}

#[test]
fn a_full_disk_is_told_with_and_without_a_shard() {
    let scan = scan(LOG_2);
    assert_eq!(scan.findings.len(), 1);
    assert_eq!(scan.findings[0].cause, Cause::DiskFull);
    assert_eq!(scan.node_wide.len(), 1);
    assert_eq!((scan.node_wide[0].0, scan.node_wide[0].1), (Cause::DiskFull, 1));
}

#[test]
fn a_later_clean_start_makes_failures_past() {
    let scan = scan(&format!("{LOG_7}{CLEAN_START}"));
    assert!(scan.is_past);
    assert_eq!(scan.findings.len(), 1);
    assert!(scan_is_clean(&super::tests::scan(CLEAN_START)));
}

fn scan_is_clean(scan: &Scan) -> bool {
    let green = |event: &NodeEvent| matches!(event, NodeEvent::Health { to, started, .. } if to == "GREEN" && started.len() == 2);
    scan.findings.is_empty() && scan.node_events.iter().any(green)
}

#[test]
fn a_boot_that_fails_is_told() {
    let text = "[2026-11-23T10:00:00,001][ERROR][o.e.b.Bootstrap          ] [n1] Exception\n\
                Caused by: java.io.IOException: No space left on device\n";
    let scan = scan(text);
    assert!(matches!(
        scan.node_events.as_slice(),
        [NodeEvent::BootFailed { cause: Cause::DiskFull, .. }]
    ));
}

#[test]
fn info_lines_and_forged_text_nominate_nothing() {
    let text = "[2026-11-23T10:00:00,001][INFO ][o.e.i.s.IndexShard] [n1] [a][0] ignoring recovery of a corrupt translog entry\n\
                MapperParsingException: [a][0] failed engine [x]\n\
                [2026-11-23T10:00:00,001][DEBUG][action.bulk] [n1] [b][1] failed engine [x]\n\
                no stamp at all [c][0] failed engine [x]\n";
    assert!(scan(text).findings.is_empty());
}

#[test]
fn shown_lines_are_safe_and_bounded() {
    let long = "x".repeat(5_000);
    let text = format!(
        "[2026-11-23T10:00:00,001][WARN ][o.e.i.e.Engine] [n\u{1b}[2J] [a][0] failed engine [{long}]\n"
    );
    let scan = scan(&text);
    let line = &scan.findings[0].line;
    assert!(!line.contains('\u{1b}') && line.len() < 600, "{line}");
}

/// Following a log tells the same, whenever it is looked at.
fn looked_at(text: &str, cuts: &[usize]) -> Vec<(String, u64)> {
    let mut scanner = Scanner::following();
    let mut counts = std::collections::BTreeMap::new();
    let mut from = 0;
    for cut in cuts.iter().copied().chain([text.len()]) {
        let to = cut.clamp(from, text.len());
        scanner.push(&text.as_bytes()[from..to]);
        from = to;
        for finding in scanner.harvest().findings {
            *counts.entry(format!("{} {}", finding.shard, finding.cause)).or_insert(0) +=
                finding.count;
        }
    }
    for finding in scanner.finish().findings {
        *counts.entry(format!("{} {}", finding.shard, finding.cause)).or_insert(0) += finding.count;
    }
    counts.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn looks_make_no_difference(
        starts in 1_usize..4,
        mut cuts in proptest::collection::vec(0_usize..12_000, 0..20),
    ) {
        let text = format!("{LOG_7}{LOG_2}{CLEAN_START}").repeat(starts);
        cuts.sort_unstable();
        let whole = looked_at(&text, &[]);
        prop_assert_eq!(whole.len(), 2);
        prop_assert_eq!(looked_at(&text, &cuts), whole);
    }

    #[test]
    fn pieces_make_no_difference(cuts in proptest::collection::vec(0_usize..3_000, 0..20)) {
        let text = format!("{LOG_7}{LOG_2}{CLEAN_START}");
        let whole = scan(&text);
        let mut cuts = cuts;
        cuts.sort_unstable();
        let mut scanner = Scanner::new();
        let mut from = 0;
        for cut in cuts {
            let to = cut.min(text.len());
            scanner.push(&text.as_bytes()[from..to]);
            from = to;
        }
        scanner.push(&text.as_bytes()[from..]);
        let pieces = scanner.finish();
        prop_assert_eq!(pieces.findings, whole.findings);
        prop_assert_eq!(pieces.node_wide, whole.node_wide);
        prop_assert_eq!(pieces.record_count, whole.record_count);
    }
}

/// A clock that was set back while the server ran: what it wrote last is what counts.
#[test]
fn a_clock_that_is_set_back_hides_nothing_behind_the_time_asked_for() {
    let found = |since: &str| {
        let mut scanner = Scanner::new();
        scanner.since(Stamp::read(since.as_bytes()));
        scanner.push(format!("{CLEAN_START}{LOG_7}").as_bytes());
        let scan = scanner.finish();
        (scan.findings.len(), scan.notes.join(" "))
    };
    let (count, notes) = found("2026-11-23 09:30:00");
    assert_eq!(count, 1);
    assert!(notes.contains("goes back 1 times"), "{notes}");
    assert_eq!(found("2026-11-23 11:00:00").0, 0);
}

/// What a log can have that is worst to read: the time goes with its length and not beyond.
#[test]
fn a_hostile_log_takes_time_by_its_length() {
    let head = "[2026-11-23T10:00:00,001][WARN ][o.e.i.e.Engine] [n1] [a][0] ";
    let telling = telling_words().concat();
    let almost: String = telling_words().iter().filter_map(|word| word.get(1..7)).collect();
    let brackets = "[".repeat(300) + "a][0] failed engine";
    let record = |body: &str| format!("{head}{body} failed engine\n");
    for (name, first, again) in [
        ("one line of telling words", head.to_owned(), telling.clone()),
        ("one record of telling lines", format!("{head}\n"), format!("{telling}\n")),
        ("telling lines without a record", String::new(), format!("\t{telling}\n")),
        ("telling records", String::new(), format!("{head}{telling}\n")),
        ("words that are almost telling", format!("{head}\n"), format!("{almost}\n")),
        ("brackets", String::new(), format!("{head}{brackets}\n")),
        ("NUL bytes", format!("{head}\n"), "\0 \0".to_owned()),
        ("records that end at once", String::new(), format!("{head}\n")),
        ("shards that never end", String::new(), record(&"[a][0".repeat(1_000))),
        ("shards of every length", String::new(), record(&format!("[{}][1] ", "a".repeat(254)))),
        ("beginnings", String::new(), record(&"failing shard [ sending failed ".repeat(200))),
        ("identifiers", String::new(), record(&"[a/AAAAAAAAAAAAAAAAAAAAAA".repeat(200))),
        ("paths", String::new(), record(&"/a/translog/".repeat(500))),
        ("nodes", String::new(), record(&", node[".repeat(800))),
    ] {
        let time = |bytes: usize| {
            let text = first.clone() + &again.repeat(bytes / again.len());
            let once = || {
                let began = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap();
                let mut scanner = Scanner::new();
                scanner.push(text.as_bytes());
                drop(scanner.finish());
                Duration::from(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap() - began)
            };
            (0..3).map(|_| once()).min().unwrap()
        };
        let (short, long) = (time(64 * 1024), time(1024 * 1024));
        // 16 times the length; a square would be 256 times the time.
        assert!(long <= short * 64 + Duration::from_millis(50), "{name}: {short:?}, {long:?}");
    }
}
