//! `settings` as it is shipped; that every wait takes its limit from the table that it lists; and
//! that every limit is reached by a test.

#![expect(clippy::unwrap_used, reason = "what a test misses fails it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_es-translog-fix");

/// Each limit, and a test that reaches it.
const REACHED_BY: [(&str, &str); 41] = [
    ("stop", "a_stop_over_time_tells_systemds_own_limit_and_kills_nothing"),
    ("start", "a_start_that_brings_nothing_up_is_waited_for_so_long"),
    ("locks", "locks_that_are_not_let_go_are_waited_for_ten_seconds"),
    ("watch", "a_watch_in_which_nothing_moves_ends_and_tells_what_the_cluster_says"),
    ("watch-in-all", "a_watch_in_which_something_always_moves_ends_after_all"),
    ("settle", "a_failure_that_stays_ends_the_watch"),
    ("poll", "a_watch_in_which_nothing_moves_ends_and_tells_what_the_cluster_says"),
    ("looks-again", "what_stays_up_is_looked_at_twice_more"),
    ("service-look", "a_watch_tells_that_the_server_ended"),
    ("told-every", "while_it_moves_it_is_told_every_ten_seconds"),
    ("told-every-max", "while_nothing_moves_it_is_told_every_minute"),
    ("retries", "a_shard_that_was_given_up_is_tried_again_three_times"),
    ("rounds", "the_round_limit"),
    ("rounds-in-all", "the_time_for_all_rounds_ends_a_watch"),
    ("pause", "pauses_grow_up_to_a_bound_a_fifth_more_or_less"),
    ("pause-max", "pauses_grow_up_to_a_bound_a_fifth_more_or_less"),
    ("space-rounds", "room_that_shrinks_ends_it_before_it_is_gone"),
    ("shard-reads", "a_shard_whose_files_are_always_gone_is_read_so_often"),
    ("kept-state-reads", "what_cannot_be_read_is_noted_and_the_state_files_count"),
    ("api", "an_answer_that_never_comes_is_waited_for_no_longer_than_allowed"),
    ("tls-look", "a_port_that_is_silent_about_tls_is_looked_at_for_so_long"),
    ("snapshots", "snapshots_that_take_long_are_let_be"),
    ("manager-answer", "over_time_ends_the_program_and_what_it_started"),
    ("manager-look", "a_start_that_brings_nothing_up_is_waited_for_so_long"),
    ("child-grace", "over_time_ends_the_program_and_what_it_started"),
    ("log-quiet", "a_record_is_whole_after_a_second_of_silence"),
    ("log-look", "without_a_folder_time_wakes"),
    ("journal-silence", "a_journalctl_that_is_silent_is_waited_for_so_long"),
    ("journal-look", "a_journalctl_that_is_silent_is_waited_for_so_long"),
    ("journal-end-look", "a_journalctl_that_closed_its_output_is_waited_for_so_long"),
    ("journal-end-looks", "a_journalctl_that_closed_its_output_is_waited_for_so_long"),
    ("journal-age", "an_empty_journal_and_a_failing_one_are_told"),
    ("watch-look", "more_failures_are_gathered_and_the_log_is_caught_up_with_for_ten_seconds"),
    ("gather", "more_failures_are_gathered_and_the_log_is_caught_up_with_for_ten_seconds"),
    ("repairs", "the_twentieth_repair_is_the_last"),
    ("catch-up", "more_failures_are_gathered_and_the_log_is_caught_up_with_for_ten_seconds"),
    ("news-silence", "a_failure_is_news_once_and_again_after_silence_a_start_or_a_recovery"),
    ("confirmations", "a_node_that_is_up_makes_verdicts_provisional"),
    ("run-names", "a_name_that_is_always_taken_is_tried_so_often"),
    ("journal-names", "a_name_for_the_journal_is_looked_for_so_often"),
    ("aside-names", "what_a_stopped_attempt_left_is_set_aside_so_often"),
];

fn settings(words: &[&str]) -> Output {
    let top = tempfile::tempdir().unwrap();
    let config = top.path().join("elasticsearch.yml");
    let text = "cluster.name: shop\ncluster.routing.allocation.disk.watermark.high: 20gb\n";
    fs::write(&config, text).unwrap();
    let mut command = Command::new(BINARY);
    command.args(["settings", "--service", "none", "--data", "/data"]).args(words);
    command.arg("--config").arg(&config).output().unwrap()
}

fn document(words: &[&str]) -> Value {
    let output = settings(&[words, &["--output", "json"]].concat());
    assert_eq!(output.status.code(), Some(0));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn limit(document: &Value, name: &str) -> Value {
    let limits = document["limits"].as_array().unwrap();
    limits.iter().find(|limit| limit["name"] == name).unwrap().clone()
}

#[test]
fn every_setting_is_told_with_where_it_came_from() {
    let document = document(&[]);
    let settings = document["settings"].as_array().unwrap();
    let of = |name: &str| settings.iter().find(|setting| setting["name"] == name).unwrap();
    assert_eq!(
        (&of("path.data")["value"], &of("path.data")["origin"]),
        (&"/data".into(), &"--data".into())
    );
    assert_eq!(of("cluster.name")["value"], "shop");
    let high = of("cluster.routing.allocation.disk.watermark.high");
    assert_eq!(high["value"], "20gb");
    assert!(high["origin"].as_str().unwrap().ends_with("elasticsearch.yml"));
    assert_eq!(of("state-dir")["origin"], "default");
}

#[test]
fn every_limit_is_told_as_it_is_in_force() {
    let unchanged = document(&[]);
    let wait = limit(&unchanged, "watch");
    assert_eq!(
        (&wait["value"], &wait["unit"], &wait["flag"]),
        (&300.into(), &"s".into(), &"--wait".into())
    );
    assert!(wait["ends"].as_str().unwrap().contains("no recovery moved"));
    let words = ["--wait", "7", "--max-rounds", "2", "--max-time", "60", "--stop-timeout", "8"];
    let changed = document(&words);
    for (name, value) in [("watch", 7), ("rounds", 2), ("rounds-in-all", 60), ("stop", 8)] {
        assert_eq!(limit(&changed, name)["value"], value, "{name}");
    }
    let output = settings(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    for limit in unchanged["limits"].as_array().unwrap() {
        let name = limit["name"].as_str().unwrap();
        let is_told = |line: &str| line.starts_with(&format!("{name} "));
        assert!(text.lines().any(is_told), "{name} is not in {text}");
    }
    let lines = settings(&["--output", "ndjson"]).stdout;
    let lines = String::from_utf8(lines).unwrap();
    let events = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let count = events.filter(|line| line["event"] == "limit").count();
    assert_eq!(count, unchanged["limits"].as_array().unwrap().len());
}

fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
}

fn all_sources(names: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for name in names {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name), &mut found);
    }
    found
}

#[test]
fn each_limit_is_reached_by_a_test() {
    let sources = all_sources(&["src", "tests"]);
    let document = document(&[]);
    let names: Vec<&str> = document["limits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|limit| limit["name"].as_str().unwrap())
        .collect();
    let reached: Vec<&str> = REACHED_BY.iter().map(|(limit, _)| *limit).collect();
    assert_eq!(names, reached);
    for (limit, test) in REACHED_BY {
        let has_test = |(_, text): &(PathBuf, String)| {
            text.contains(&format!("#[test]\n    fn {test}("))
                || text.contains(&format!("#[test]\nfn {test}("))
        };
        assert!(sources.iter().any(has_test), "{limit}: there is no test {test}");
    }
}

/// Files whose times are no limits of waits: ages, zones, the simulation, and how fast a spinner
/// turns.
const NO_WAITS: [&str; 7] = [
    "src/clock.rs",
    "src/limit.rs",
    "src/log/files.rs",
    "src/log/since.rs",
    "src/cli/sink.rs",
    "src/drill/practice.rs",
    "src/rounds/backoff.rs",
];

#[test]
fn no_wait_has_a_limit_of_its_own() {
    for (path, text) in all_sources(&["src"]) {
        let path = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_str().unwrap();
        let is_test = path.contains("/tests");
        if is_test || NO_WAITS.contains(&path) {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (number, line) in (1..).zip(code.lines()) {
            let has_own = line.starts_with("const ")
                && ["Duration::from_", "ATTEMPTS_MAX: u32 = 1", "ATTEMPTS_MAX: u32 = 5"]
                    .iter()
                    .any(|words| line.contains(words))
                && !line.contains("ZONES");
            assert!(!has_own, "{path}:{number}: {line} is in no table: see src/limit.rs");
        }
        if path.starts_with("src/rounds/") {
            for words in ["Instant::now", "thread::sleep"] {
                assert!(!code.contains(words), "{path} has {words}: see src/clock.rs");
            }
        }
    }
}
