//! Real servers under a real systemd, from red to green:
//!
//! ```text
//! cargo test --test nodes -- [VERSION...]      es-7.17.28, os-2.19.1, ...; none is all of them
//! cargo test --test nodes -- agree [VERSION...]
//! cargo test --test nodes -- gauntlet [VERSION...] [--levels valid,prefix,none,all] [--fast]
//! cargo test --test nodes -- replicas [VERSION...]     two nodes and a damaged copy on one of them
//! cargo test --test nodes -- outages [NAME...] [--servers VERSION,...] [--fast]   scripted outages
//! cargo test --test nodes -- packaged [VERSION...]     the units, the alert, and the runbook
//! cargo test --test nodes -- meanwhile [VERSION...]    a server started in the middle of a repair
//! cargo test --test nodes -- mount-point [VERSION...]  the quarantine at the top of a data path
//! cargo test --test nodes -- full-disk [VERSION...]    forty shards without a free byte, and a kill
//! cargo test --test nodes -- logs [VERSION...]         what the log names and what the cluster says
//! cargo test --test nodes -- roll-over [VERSION...]    a log that its server rolls is followed
//! cargo test --test nodes -- services                  units and containers, with a played server
//! ```
//!
//! Needs root, Maven, Java and unshare(1); what is missing is named, and what needs it is skipped.
//! The servers are composed once and kept in `ES_TRANSLOG_FIX_NODES`
//! (`~/.cache/es-translog-fix-nodes`). Logs and everything the program said stay in
//! `target/*/tmp/nodes/VERSION/`. The last line is `N passed, N failed, N skipped`.
//!
//! Outside, `prepare` looks for what is needed and composes; inside the sandbox the same program
//! runs `red_to_green`. `node`, `http`, `documents`, `damage`, `tool` and `fingerprint` are for any
//! other run with real servers too.
#![expect(clippy::print_stdout, reason = "it tells a person how it goes")]

mod agree;
mod batch;
mod breakage;
mod cell_loss;
mod checkpoint;
mod checks;
mod containers;
mod damage;
mod documents;
mod engine;
mod few;
mod fingerprint;
mod frozen;
mod full_disk;
mod gauntlet;
mod held;
mod http;
mod http_copies;
mod kind;
mod logs;
mod loss;
mod many;
mod meanwhile;
mod more_files;
mod mount;
mod mount_point;
mod node;
mod outages;
mod packaged;
mod places;
mod pair;
mod played_server;
mod prepare;
mod process;
mod random;
mod red_to_green;
mod refusals;
mod replicas;
mod roll_over;
mod run;
mod scene;
mod services;
mod stage;
mod static_binary;
mod streams;
mod subject;
#[path = "../support/mod.rs"]
mod support;
mod tool;
mod verdicts;
mod version;
mod wanted;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use checks::Checks;
use version::Version;

/// First argument of the part that runs in the sandbox.
const INSIDE: &str = "--inside";
/// The program under test.
const BINARY: &str = env!("CARGO_BIN_EXE_es-translog-fix");
/// What is run when nothing is named.
const VERSIONS: [&str; 6] =
    ["es-1.7.6", "es-2.4.6", "es-5.6.16", "es-7.17.28", "es-8.19.0", "os-2.19.1"];

/// Servers that are started in the middle of a repair when none is named.
const MEANWHILE_VERSIONS: [&str; 4] = ["es-1.7.6", "es-2.4.6", "es-7.17.28", "es-8.19.0"];
/// Servers whose data path is a mount point when none is named.
const MOUNT_POINT_VERSIONS: [&str; 4] = ["es-1.7.6", "es-7.17.28", "es-8.19.0", "es-9.3.0"];
/// Servers whose disk is full when none is named.
const FULL_DISK_VERSIONS: [&str; 5] =
    ["es-2.4.6", "es-5.6.16", "es-7.17.28", "es-8.19.0", "os-2.19.1"];
/// The words for the runs that mount something.
const MOUNT_POINT: &str = "mount-point";
const FULL_DISK: &str = "full-disk";
/// Servers whose log is read when none is named: each that is known to start.
const LOG_VERSIONS: [&str; 17] = [
    "es-0.90.13",
    "es-1.3.9",
    "es-1.4.5",
    "es-1.7.6",
    "es-2.0.2",
    "es-2.4.6",
    "es-5.6.16",
    "es-6.2.4",
    "es-6.8.23",
    "es-7.10.2",
    "es-7.17.28",
    "es-8.19.0",
    "es-9.1.0",
    "es-9.3.0",
    "os-1.3.20",
    "os-2.19.1",
    "os-3.2.0",
];
/// Servers whose log is followed when none is named: each generation of its logging.
const ROLL_OVER_VERSIONS: [&str; 8] = [
    "es-0.90.13",
    "es-1.7.6",
    "es-2.4.6",
    "es-5.6.16",
    "es-6.8.23",
    "es-7.17.28",
    "es-9.3.0",
    "os-2.19.1",
];
/// The word for the runs with two nodes.
const REPLICAS: &str = "replicas";
/// What is run with two nodes when nothing is named.
const REPLICA_VERSIONS: [&str; 4] = ["es-6.8.23", "es-7.17.28", "es-8.19.0", "os-2.19.1"];
/// The word for the run with the units of the package.
const PACKAGED: &str = "packaged";
/// Servers whose repair is a unit when none is named.
const PACKAGED_VERSIONS: [&str; 2] = ["es-8.19.0", "os-2.19.1"];

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let first = arguments.first().and_then(|first| first.to_str());
    let rest = arguments.get(1..).unwrap_or_default();
    let words = |all: &[OsString]| -> Vec<String> {
        all.iter().map(|word| word.to_string_lossy().into_owned()).collect()
    };
    match first {
        Some(tool::MEASURE) => tool::measure(rest),
        Some(INSIDE) => match words(rest).as_slice() {
            [version, records] => inside(version, &PathBuf::from(records), red_to_green::run),
            [version, records, what, name] if what == outages::OUTAGES => {
                inside(version, &PathBuf::from(records), |version, binary, records, checks| {
                    outages::run(name, (version, binary, records), checks)
                })
            }
            [version, records, what] if what == REPLICAS => {
                inside(version, &PathBuf::from(records), replicas::run)
            }
            [version, records, what] if what == PACKAGED => {
                inside(version, &PathBuf::from(records), packaged::run)
            }
            _ => ExitCode::from(2),
        },
        Some(played_server::PLAY_SERVER) => played_server::run(&words(rest)),
        Some(played_server::PLAY_WRITER) => played_server::write(&words(rest)),
        Some("services") => services::outside(&words(rest)),
        Some(services::INSIDE) => match rest {
            [records, named @ ..] => services::inside(Path::new(records), &words(named)),
            _ => ExitCode::from(2),
        },
        Some(outages::OUTAGES) => outages::all(&words(rest)),
        Some("gauntlet") => many::gauntlet(&words(rest)),
        Some("agree") => many::agree(&words(rest)),
        Some("meanwhile") => {
            few::all("meanwhile", &words(rest), &MEANWHILE_VERSIONS, meanwhile::run)
        }
        Some(MOUNT_POINT | FULL_DISK) => few::in_namespace(&words(&arguments)),
        Some(few::IN_NAMESPACE) => match words(rest).split_first() {
            Some((mode, rest)) if mode == FULL_DISK => {
                few::all(FULL_DISK, rest, &FULL_DISK_VERSIONS, full_disk::run)
            }
            Some((_, rest)) => few::all(MOUNT_POINT, rest, &MOUNT_POINT_VERSIONS, mount_point::run),
            None => ExitCode::from(2),
        },
        Some("logs") => few::all("logs", &words(rest), &LOG_VERSIONS, logs::run),
        Some("roll-over") => {
            few::all("roll-over", &words(rest), &ROLL_OVER_VERSIONS, roll_over::run)
        }
        _ => {
            let mut names: Vec<String> =
                words(&arguments).into_iter().filter(|word| !word.starts_with('-')).collect();
            let first = names.first().map(String::as_str);
            let (what, versions): (_, &[&str]) = match first {
                Some(REPLICAS) => (Some(REPLICAS), &REPLICA_VERSIONS),
                Some(PACKAGED) => (Some(PACKAGED), &PACKAGED_VERSIONS),
                _ => (None, &VERSIONS),
            };
            if what.is_some() {
                names.remove(0);
            }
            if names.is_empty() {
                names = versions.iter().map(|&name| name.to_owned()).collect();
            }
            prepare::run_all(&names, what)
        }
    }
}

/// One server's run, in the sandbox.
fn inside(
    name: &str,
    records: &Path,
    run: impl FnOnce(&Version, &Path, &Path, &mut Checks) -> Result<(), String>,
) -> ExitCode {
    let mut checks = Checks::new();
    let done = Version::parse(name)
        .and_then(|version| run(&version, Path::new(BINARY), records, &mut checks));
    if let Err(error) = done {
        checks.check("the run comes to its end", Err(error));
    }
    match checks.finish(&records.join(prepare::OUTCOME_FILE)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("cannot keep the outcome: {error}");
            ExitCode::FAILURE
        }
    }
}
