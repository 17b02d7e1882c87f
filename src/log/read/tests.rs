//! Files in order, compressed in every way, from the right one on.

use super::*;
use std::fs;
use std::io::Write;

fn record(day: u32, text: &str) -> String {
    format!("[2026-11-{day:02}T09:00:00,001][WARN ][o.e.i.e.Engine           ] [n1] {text}\n")
}

fn start(day: u32) -> String {
    format!(
        "[2026-11-{day:02}T08:00:00,001][INFO ][o.e.n.Node               ] [n1] version[7.17.28], pid[71], build[x]\n"
    )
}

fn gz(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Written by the tools themselves, so that another writer checks the reader.
fn by_tool(tool: &str, text: &str) -> Option<Vec<u8>> {
    use std::process::{Command, Stdio};
    let mut child =
        Command::new(tool).arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    child.stdin.take()?.write_all(text.as_bytes()).ok()?;
    Some(child.wait_with_output().ok()?.stdout)
}

fn shards(read: &ReadLog) -> Vec<String> {
    read.scan.findings.iter().map(|finding| finding.shard.to_string()).collect()
}

#[test]
fn older_files_are_read_until_one_has_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("lab.log");
    let path = |name: &str| folder.path().join(name);
    fs::write(
        path("lab-2026-11-01-1.log.gz"),
        gz(&(start(1) + &record(1, "[too-old][0] failed engine [x]"))),
    )
    .unwrap();
    fs::write(
        path("lab-2026-11-02-1.log.gz"),
        gz(&(start(2) + &record(2, "[a][0] failed engine [x]"))),
    )
    .unwrap();
    fs::write(path("lab-2026-11-03-1.log"), record(3, "[b][0] failed engine [x]")).unwrap();
    fs::write(&live, record(4, "[c][0] failed engine [x]")).unwrap();
    let logs = crate::log::files::find_logs(folder.path(), "lab").unwrap();
    let read = read_logs(&logs, None).unwrap();
    assert_eq!(shards(&read), ["[a][0]", "[b][0]", "[c][0]"]);
    assert_eq!(read.files.len(), 3);
    let read = read_logs(&logs, Some(&"2026-11-03".parse().unwrap())).unwrap();
    assert_eq!(shards(&read), ["[b][0]", "[c][0]"]);
    let read = read_logs(&logs, Some(&"2026-11-01".parse().unwrap())).unwrap();
    assert_eq!(read.files.len(), 4);
    fs::write(&live, start(5) + &record(5, "[d][0] failed engine [x]")).unwrap();
    let read = read_logs(&logs, None).unwrap();
    assert_eq!((shards(&read), read.files), (vec!["[d][0]".to_owned()], vec![live]));
}

#[test]
fn every_compression_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let text = record(1, "[a][0] failed engine [x]");
    for (name, packed) in [
        ("x.gz", Some(gz(&text))),
        ("y.gz", by_tool("gzip", &text)),
        ("x.zst", by_tool("zstd", &text)),
        ("x.xz", by_tool("xz", &text)),
    ] {
        let Some(packed) = packed else { continue };
        let path = folder.path().join(name);
        fs::write(&path, [packed.clone(), packed].concat()).unwrap();
        let scan = scan_files(&[path]).unwrap();
        assert_eq!(scan.findings[0].count, 2, "{name}: two members");
    }
}

#[test]
fn a_compressed_file_that_is_cut_short_tells_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let text: String =
        (0..5_000_u32).map(|n| record(1, &format!("[a][{n}] failed engine [x]"))).collect();
    let mut packed = gz(&text);
    packed.truncate(packed.len() / 2);
    let path = folder.path().join("x.gz");
    fs::write(&path, packed).unwrap();
    let scan = scan_files(&[path]).unwrap();
    assert!(scan.findings.len() > 100, "{}", scan.findings.len());
    assert!(scan.notes[0].contains("ends before its end"), "{:?}", scan.notes);
}

#[test]
fn a_torn_last_line_does_not_join_the_next_file() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("1"), folder.path().join("2"));
    fs::write(&one, "[2026-11-01T09:00:00,001][WARN ][o.e.i.e.Engine] [n1] [tor").unwrap();
    fs::write(&two, record(2, "[a][0] failed engine [x]")).unwrap();
    let scan = scan_files(&[one, two]).unwrap();
    assert_eq!(scan.findings.len(), 1);
}

#[test]
fn a_device_without_an_end_is_no_log() {
    let top = tempfile::tempdir().unwrap();
    let log = top.path().join("cluster.log");
    std::os::unix::fs::symlink("/dev/zero", &log).unwrap();
    let error = scan_files(&[log]).unwrap_err().to_string();
    assert!(error.contains("not a regular file"), "{error}");
}
