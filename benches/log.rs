//! The speed of reading a log, side by side with the tools people use, in one run.
//!
//! `cargo bench --bench log [-- MIB]`. Each pair runs in turns with a warm page cache and one
//! thread each; the fastest, median and slowest time, the same of the processor time, the ratio of
//! the medians and our peak memory are printed. `rg`, `grep`, `zcat` and `gzip` are taken from the
//! path; what is missing is said to be skipped.

use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use es_translog_fix::log::{scan_files, telling_words};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// Times each side of a pair is run.
const TURNS: usize = 7;

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, path] = words.as_slice()
        && word == "scan"
    {
        return scan(Path::new(path));
    }
    let mib: u64 = words.iter().find_map(|word| word.parse().ok()).unwrap_or(2_048);
    let folder = tempfile::tempdir()?;
    let out = &mut std::io::stdout();
    writeln!(out, "{mib} MiB a log, {TURNS} turns, one thread each, page cache warm")?;
    rare(folder.path(), mib, out)?;
    failures(folder.path(), mib, out)?;
    long_line(folder.path(), mib, out)?;
    Ok(())
}

/// What is measured, as a process of its own: the table of failures by shard and cause.
fn scan(path: &Path) -> Fallible<()> {
    let scan = scan_files(&[path.to_path_buf()])?;
    let mut out = BufWriter::new(std::io::stdout());
    for finding in &scan.findings {
        writeln!(out, "{} {} {}", finding.count, finding.shard, finding.cause)?;
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    writeln!(std::io::stderr(), "{peak}")?;
    Ok(())
}

fn write_log(path: &Path, mib: u64, record: &mut dyn FnMut(u64, &mut String)) -> Fallible<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let (mut written, mut number, mut text) = (0_u64, 0_u64, String::new());
    while written < mib << 20 {
        text.clear();
        record(number, &mut text);
        file.write_all(text.as_bytes())?;
        written += text.len() as u64;
        number += 1;
    }
    file.flush()?;
    Ok(())
}

fn stamp(number: u64) -> String {
    let (second, milli) = (number / 1_000 % 60, number % 1_000);
    format!(
        "2026-11-23T{:02}:{:02}:{second:02},{milli:03}",
        number / 3_600_000 % 24,
        number / 60_000 % 60
    )
}

fn failure(number: u64, text: &mut String) {
    let (index, shard) = (number % 37, number % 5);
    let _ = writeln!(
        text,
        "[{}][WARN ][o.e.i.c.IndicesClusterStateService] [node-1] [logs-app-{index}][{shard}] marking and sending shard failed due to [failed recovery]",
        stamp(number)
    );
    let _ = writeln!(
        text,
        "org.elasticsearch.indices.recovery.RecoveryFailedException: [logs-app-{index}][{shard}]: Recovery failed on {{node-1}}{{WfEwxpwBSaGlNzNKl6QBLQ}}{{127.0.0.1}}{{127.0.0.1:9300}}"
    );
    for frame in 0..38 {
        let _ = writeln!(
            text,
            "\tat org.elasticsearch.index.engine.InternalEngine.recoverFromTranslogInternal(InternalEngine.java:{frame}) ~[elasticsearch-7.17.28.jar:7.17.28]"
        );
    }
    let _ = writeln!(
        text,
        "Caused by: org.elasticsearch.index.translog.TranslogCorruptedException: translog from source [/var/lib/elasticsearch/nodes/0/indices/RQ9UjpSCRaW8Wkh2AsmvFw/{shard}/translog/translog-{index}.tlog] is corrupted, translog truncated"
    );
}

/// One record in 10,000 is a failure.
fn rare(folder: &Path, mib: u64, out: &mut dyn Write) -> Fallible<()> {
    let path = folder.join("rare.log");
    write_log(&path, mib, &mut |number, text| {
        if number % 10_000 == 5_000 {
            return failure(number, text);
        }
        let _ = writeln!(
            text,
            "[{}][INFO ][o.e.c.m.MetadataMappingService] [node-1] [logs-app-{}/RQ9UjpSCRaW8Wkh2AsmvFw] update_mapping [_doc] for field [user.session.{number}]",
            stamp(number),
            number % 37
        );
    })?;
    let list = folder.join("words");
    fs::write(&list, telling_words().join("\n") + "\n")?;
    let rg = ["rg", "-c", "-j1", "-F"].map(PathBuf::from).to_vec();
    let by_list = [rg.clone(), vec![PathBuf::from("-f"), list, path.clone()]].concat();
    pair(out, "1 failure in 10,000: scan / rg -c -F -f words", &ours(&path)?, &by_list)?;
    let each = telling_words().into_iter().flat_map(|word| ["-e", word]).map(PathBuf::from);
    let by_each = [rg, each.collect(), vec![path.clone()]].concat();
    pair(out, "1 failure in 10,000: scan / rg -c -F -e word...", &ours(&path)?, &by_each)?;
    gzip(folder, &path, out)
}

fn gzip(folder: &Path, path: &Path, out: &mut dyn Write) -> Fallible<()> {
    let packed = folder.join("rare.log.gz");
    let made = Command::new("gzip").arg("-c").arg(path).stdout(File::create(&packed)?).status();
    if made.is_ok_and(|status| status.success()) {
        let count = shell(&format!("zcat {} | wc -l", packed.display()));
        pair(out, ".gz: scan / zcat | wc -l", &ours(&packed)?, &count)?;
    }
    fs::remove_file(path)?;
    Ok(())
}

/// Nothing but failures with traces of 40 lines.
fn failures(folder: &Path, mib: u64, out: &mut dyn Write) -> Fallible<()> {
    let path = folder.join("failures.log");
    write_log(&path, mib, &mut |number, text| failure(number, text))?;
    let pipeline = shell(&format!(
        "grep -E 'marking and sending shard failed due to|^Caused by: .*TranslogCorruptedException' {} \
         | sed -E 'N; s/^.*(\\[[^] ]+\\]\\[[0-9]+\\]) marking and.*\\n.*TranslogCorruptedException.*$/\\1 translog/' \
         | sort | uniq -c | sed -E 's/^ +//' | sort",
        path.display()
    ));
    let table = |output: Vec<u8>| {
        let mut lines: Vec<String> =
            String::from_utf8_lossy(&output).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let same = table(output(&ours(&path)?)?.stdout) == table(output(&pipeline)?.stdout);
    writeln!(out, "the same table: {}", if same { "yes" } else { "NO" })?;
    pair(out, "failures only: scan / grep | sed | sort | uniq -c", &ours(&path)?, &pipeline)?;
    fs::remove_file(path)?;
    Ok(())
}

/// One line of twice the size.
fn long_line(folder: &Path, mib: u64, out: &mut dyn Write) -> Fallible<()> {
    let path = folder.join("line.log");
    let mut file = File::create(&path)?;
    let block = vec![b'x'; 1 << 20];
    for _ in 0..mib * 2 {
        file.write_all(&block)?;
    }
    let began = Instant::now();
    let peak = peak(&ours(&path)?)?;
    writeln!(out, "one line of {} MiB: {:?}, {peak}", mib * 2, began.elapsed())?;
    Ok(())
}

/// A program and its arguments.
type Words = Vec<PathBuf>;

fn shell(script: &str) -> Words {
    ["sh", "-c", script].map(PathBuf::from).to_vec()
}

fn ours(path: &Path) -> Fallible<Words> {
    Ok(vec![std::env::current_exe()?, PathBuf::from("scan"), path.to_path_buf()])
}

fn output(words: &Words) -> Fallible<std::process::Output> {
    let (program, arguments) = words.split_first().ok_or("no program")?;
    Ok(Command::new(program).args(arguments).stdin(Stdio::null()).output()?)
}

/// The peak of the memory of a scan.
fn peak(ours: &Words) -> Fallible<String> {
    Ok(String::from_utf8_lossy(&output(ours)?.stderr)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" "))
}

/// How long a command ran, and how long the processors worked for it.
#[derive(Default)]
struct Times {
    walls: Vec<Duration>,
    processors: Vec<Duration>,
}

impl Times {
    fn take(&mut self, words: &Words) -> Fallible<()> {
        let (began, before) = (Instant::now(), processor()?);
        output(words)?;
        self.walls.push(began.elapsed());
        self.processors.push(processor()?.saturating_sub(before));
        Ok(())
    }
}

/// The processor time of all children that ended.
fn processor() -> Fallible<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let time = usage.user_time() + usage.system_time();
    Ok(Duration::from_micros(u64::try_from(time.num_microseconds())?))
}

fn pair(out: &mut dyn Write, name: &str, ours: &Words, theirs: &Words) -> Fallible<()> {
    if output(theirs).is_err() {
        writeln!(out, "{name}: skipped, the other program is not here")?;
        return Ok(());
    }
    let peak = peak(ours)?;
    let (mut our_times, mut their_times) = (Times::default(), Times::default());
    for _ in 0..TURNS {
        our_times.take(ours)?;
        their_times.take(theirs)?;
    }
    for (what, ours, theirs) in [
        ("time", our_times.walls, their_times.walls),
        ("processor", our_times.processors, their_times.processors),
    ] {
        let (ours, theirs) = (spread(ours), spread(theirs));
        let ratio = theirs.1.as_secs_f64() / ours.1.as_secs_f64();
        writeln!(out, "{name}, {what}: {ours:?} / {theirs:?}, {ratio:.2} times the speed")?;
    }
    writeln!(out, "{name}: {peak}")?;
    Ok(())
}

/// Fastest, median, slowest.
fn spread(mut times: Vec<Duration>) -> (Duration, Duration, Duration) {
    times.sort_unstable();
    let at = |index: usize| times.get(index).copied().unwrap_or_default();
    (at(0), at(times.len() / 2), at(times.len().saturating_sub(1)))
}
