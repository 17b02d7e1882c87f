//! Which log is the node's.

use super::*;
use std::fs;

fn names(files: &LogFiles) -> Vec<String> {
    let paths = files.rolled.iter().chain([&files.live]);
    paths.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in files {
        fs::write(folder.path().join(name), "x\n").unwrap();
    }
    folder
}

fn set_age(path: &Path, seconds: u64) {
    let then = std::time::SystemTime::now() - Duration::from_secs(seconds);
    fs::File::options().append(true).open(path).unwrap().set_modified(then).unwrap();
}

#[test]
fn the_plain_twin_is_read_unless_it_is_stale() {
    let folder = folder(&["lab.log", "lab_server.json", "lab_deprecation.log", "gc.log"]);
    let found = find_logs(folder.path(), "lab").unwrap();
    assert_eq!(names(&found), ["lab.log"]);
    assert!(found.notes.is_empty());
    set_age(&folder.path().join("lab.log"), 3_600);
    let found = find_logs(folder.path(), "lab").unwrap();
    assert_eq!(names(&found), ["lab_server.json"]);
    assert_eq!(found.notes.len(), 1);
    fs::remove_file(folder.path().join("lab.log")).unwrap();
    assert_eq!(names(&find_logs(folder.path(), "lab").unwrap()), ["lab_server.json"]);
}

#[test]
fn the_only_other_name_is_taken_and_said() {
    let files = [
        "prod.log",
        "prod_server.json",
        "prod_deprecation.json",
        "gc.log.01",
        "prod-2026-11-01-1.log.gz",
        "prod_index_search_slowlog.log",
    ];
    let folder = folder(&files);
    let found = find_logs(folder.path(), "elasticsearch").unwrap();
    assert_eq!(names(&found), ["prod-2026-11-01-1.log.gz", "prod.log"]);
    assert!(found.notes[0].contains("prod"), "{:?}", found.notes);
    fs::write(folder.path().join("test.log"), "x").unwrap();
    let found = find_logs(folder.path(), "elasticsearch").unwrap();
    assert!(found.is_empty());
    assert!(found.notes[0].contains("prod, test"), "{:?}", found.notes);
}

#[test]
fn one_file_may_be_named_and_none_may_be_there() {
    let folder = folder(&["abc-json.log", "abc-json.log.1"]);
    let found = find_logs(&folder.path().join("abc-json.log"), "x").unwrap();
    assert_eq!(names(&found), ["abc-json.log.1", "abc-json.log"]);
    let missing = find_logs(&folder.path().join("not-there"), "lab").unwrap();
    assert!(missing.is_empty() && missing.live.ends_with("not-there/lab.log"));
}
