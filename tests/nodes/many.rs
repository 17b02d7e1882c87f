//! The runs with many damaged shards in one start: what is asked for, two servers at a time, and
//! the tables.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use crate::BINARY;
use crate::agree::{self, Agreement};
use crate::gauntlet::{self, Plan, Score};
use crate::prepare::{compose_or_why, missing};
use crate::tool::Tool;
use crate::version::Version;
use crate::wanted::Wanted;

/// Servers of an agreement run when none is named.
const AGREE_VERSIONS: [&str; 10] = [
    "es-1.7.6",
    "es-2.4.6",
    "es-5.6.16",
    "es-6.8.23",
    "es-7.17.28",
    "es-8.19.0",
    "es-9.3.0",
    "os-1.3.20",
    "os-2.19.1",
    "os-3.2.0",
];
/// Servers of a gauntlet when none is named.
const GAUNTLET_VERSIONS: [&str; 14] = [
    "es-0.90.13",
    "es-1.4.5",
    "es-1.7.6",
    "es-2.4.6",
    "es-5.6.16",
    "es-6.2.4",
    "es-6.8.23",
    "es-7.10.2",
    "es-7.17.28",
    "es-8.19.0",
    "es-9.3.0",
    "os-1.3.20",
    "os-2.19.1",
    "os-3.2.0",
];

/// The outcome of one server's run: a value, or why there is none.
pub(crate) type Outcome<T> = Result<T, Failed>;

/// Why a server's run has no outcome.
#[derive(Debug, Clone)]
pub(crate) enum Failed {
    Skipped(String),
    Failed(String),
}

/// Runs `work` for each version, two at a time, each in a folder of its own that any user can
/// reach. What it leaves there stays when it fails.
pub(crate) fn each<T: Send>(
    mode: &str,
    (names, at_a_time): (&[String], usize),
    work: impl Fn(&Version, &Path, &Path, &mut Tool) -> Result<T, String> + Sync,
) -> Vec<(String, Outcome<T>, u64)> {
    let queue: Mutex<VecDeque<(usize, &String)>> = Mutex::new(names.iter().enumerate().collect());
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.pop_front());
                    let Some((place, name)) = next else { break };
                    let begun = Instant::now();
                    let outcome = one(mode, name, &work);
                    let seconds = begun.elapsed().as_secs();
                    println!("{name}: done in {seconds} s");
                    if let Ok(mut done) = done.lock() {
                        done.push((place, name.clone(), outcome, seconds));
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(place, ..)| *place);
    done.into_iter().map(|(_, name, outcome, seconds)| (name, outcome, seconds)).collect()
}

fn one<T>(
    mode: &str,
    name: &str,
    work: &impl Fn(&Version, &Path, &Path, &mut Tool) -> Result<T, String>,
) -> Outcome<T> {
    let version = Version::parse(name).map_err(Failed::Failed)?;
    if let Some(missing) = missing() {
        return Err(Failed::Skipped(missing));
    }
    let distribution = compose_or_why(name)?;
    let fail = |error: std::io::Error| Failed::Failed(error.to_string());
    let records = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nodes").join(mode).join(name);
    if records.exists() {
        std::fs::remove_dir_all(&records).map_err(fail)?;
    }
    std::fs::create_dir_all(&records).map_err(fail)?;
    let folder = tempfile::Builder::new()
        .prefix(&format!("es-translog-fix-{mode}-{name}-"))
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir_in(scratch())
        .map_err(fail)?;
    let mut tool = Tool::new(Path::new(BINARY), &records);
    let outcome = work(&version, &distribution, folder.path(), &mut tool);
    if let Err(error) = &outcome {
        println!("{name}: {error}; its folder stays: {}", folder.path().display());
        let _ = folder.keep();
    }
    outcome.map_err(Failed::Failed)
}

/// Memory, where there is some: a server syncs each change of its state, which is most of its time
/// with many indices.
fn scratch() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() }
}

/// The agreement run, with its table.
pub(crate) fn agree(words: &[String]) -> ExitCode {
    let wanted = match Wanted::parse(words, &AGREE_VERSIONS) {
        Ok(wanted) => wanted,
        Err(error) => {
            println!("{error}");
            return ExitCode::from(2);
        }
    };
    println!("seed {}", wanted.seed);
    let rows =
        each("agree", (&wanted.versions, wanted.at_a_time), |version, distribution, work, tool| {
            agree::run(version, distribution, work, tool, wanted.seed)
        });
    println!(
        "\n{:<12} {:>8} {:>6} {:>8} {:>9} {:>6} {:>6} {:>13} {:>5}",
        "server",
        "variants",
        "sound",
        "damaged",
        "(harmless",
        "short",
        "other",
        "disagreements",
        "s"
    );
    let mut is_right = true;
    let mut variant_count = 0;
    for (name, row, seconds) in &rows {
        match row {
            Ok(row) => {
                variant_count += row.variant_count;
                is_right &= row.disagreements.is_empty();
                tell(name, row, *seconds);
            }
            Err(Failed::Skipped(why)) => println!("{name:<12} skipped: {why}"),
            Err(Failed::Failed(why)) => {
                is_right = false;
                println!("{name:<12} FAILED: {why}");
            }
        }
    }
    for (name, row, _) in &rows {
        let Ok(row) = row else { continue };
        row.without.iter().for_each(|without| println!("{name}: without {without}"));
        row.disagreements.iter().for_each(|said| println!("{name}: DISAGREES {said}"));
    }
    println!("{variant_count} variants, seed {}", wanted.seed);
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell(name: &str, row: &Agreement, seconds: u64) {
    println!(
        "{name:<12} {:>8} {:>6} {:>8} {:>8}) {:>6} {:>6} {:>13} {seconds:>5}",
        row.variant_count,
        row.sound_count,
        row.damaged_count,
        row.harmless_count,
        row.short_count,
        row.other_count,
        row.disagreements.len()
    );
}

/// The gauntlet, with its table.
pub(crate) fn gauntlet(words: &[String]) -> ExitCode {
    let wanted = match Wanted::parse(words, &GAUNTLET_VERSIONS) {
        Ok(wanted) => wanted,
        Err(error) => {
            println!("{error}");
            return ExitCode::from(2);
        }
    };
    println!("seed {}", wanted.seed);
    let Wanted { seed, levels, kinds, is_fast, .. } = wanted;
    let plan = Plan { seed, levels, kinds, is_fast };
    let rows = each(
        "gauntlet",
        (&wanted.versions, wanted.at_a_time),
        |version, distribution, work, tool| gauntlet::run(version, distribution, work, tool, &plan),
    );
    println!(
        "\n{:<12} {:<7} {:>6} {:>8} {:>8} {:>9} {:>8}",
        "server", "level", "cells", "repaired", "refused", "untouched", "skipped"
    );
    let (mut cell_count, mut failure_count) = (0, 0);
    for (name, row, seconds) in &rows {
        match row {
            Ok(score) => {
                cell_count += tell_score(name, score);
                failure_count += score.failures.len();
                println!("{name:<12} {} wrong, {seconds} s", score.failures.len());
            }
            Err(Failed::Skipped(why)) => println!("{name:<12} skipped: {why}"),
            Err(Failed::Failed(why)) => {
                failure_count += 1;
                println!("{name:<12} FAILED: {why}");
            }
        }
    }
    for (name, row, _) in &rows {
        let Ok(score) = row else { continue };
        for (why, cells) in &score.skipped {
            println!("{name}: skipped, {why}: {}", cells.join(", "));
        }
        score.failures.iter().for_each(|said| println!("{name}: WRONG {said}"));
    }
    println!("{cell_count} cells right, {failure_count} wrong, seed {}", plan.seed);
    if failure_count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tell_score(name: &str, score: &Score) -> usize {
    let mut cell_count = 0;
    for (level, [right, refused, untouched, skipped]) in &score.counts {
        let count = right + refused + untouched + skipped;
        cell_count += count - skipped;
        println!(
            "{name:<12} {level:<7} {count:>6} {right:>8} {refused:>8} {untouched:>9} {skipped:>8}"
        );
    }
    cell_count
}
