//! Scripted outages, each from its cause to its end: what is asked for, and how it ended. Each runs
//! in a sandbox of its own and leaves its log in `target/*/tmp/nodes/outages/`.

mod acknowledged;
mod copies;
mod disk;
mod frozen;
mod list;
mod restarts;
mod roles;
mod scene;
mod secured;
mod shapes;
mod shards;
mod silent;
mod starts;
mod stops;
mod three;

use std::path::Path;
use std::process::ExitCode;

use self::list::ALL;
use crate::checks::{Checks, Outcome};
use crate::prepare::{self, Row};
use crate::version::Version;

/// The word for these runs.
pub(crate) const OUTAGES: &str = "outages";
/// Most time that one outage may take, in seconds; two minutes are meant.
const LIMIT_S: &str = "240";

/// What the part in the sandbox gets: the server, the program and the place of the records.
pub(crate) type About<'a> = (&'a Version, &'a Path, &'a Path);
type RunOutage = fn(About<'_>, &mut Checks) -> Result<(), String>;

/// An outage.
struct Outage {
    name: &'static str,
    /// The servers that it is tried on.
    servers: &'static [&'static str],
    /// Whether it is among the few that a quick run has.
    is_fast: bool,
    run: RunOutage,
    /// What is checked, for the table.
    checked: &'static str,
}

/// Runs an outage in the sandbox.
pub(crate) fn run(name: &str, about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    let outage = ALL.iter().find(|outage| outage.name == name).ok_or("no such outage")?;
    (outage.run)(about, checks)
}

/// What is asked for.
struct Wanted {
    names: Vec<String>,
    servers: Vec<String>,
    is_fast: bool,
}

impl Wanted {
    fn parse(words: &[String]) -> Result<Self, String> {
        let mut wanted = Self { names: Vec::new(), servers: Vec::new(), is_fast: false };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--fast" => wanted.is_fast = true,
                "--servers" => {
                    let servers = words.next().ok_or("--servers wants names")?;
                    wanted.servers = servers.split(',').map(str::to_owned).collect();
                }
                name if ALL.iter().any(|outage| outage.name == name) => {
                    wanted.names.push(name.to_owned());
                }
                other => {
                    let names: Vec<&str> = ALL.iter().map(|outage| outage.name).collect();
                    return Err(format!("no outage {other}; there are {}", names.join(", ")));
                }
            }
        }
        Ok(wanted)
    }

    fn has(&self, outage: &Outage) -> bool {
        let is_named = self.names.is_empty() || self.names.iter().any(|name| name == outage.name);
        is_named && (outage.is_fast || !self.is_fast)
    }
}

/// Runs the outages that are asked for, and prints the table.
pub(crate) fn all(words: &[String]) -> ExitCode {
    let wanted = match Wanted::parse(words) {
        Ok(wanted) => wanted,
        Err(error) => {
            println!("{error}");
            return ExitCode::from(2);
        }
    };
    let mut rows = Vec::new();
    for outage in ALL.iter().filter(|outage| wanted.has(outage)) {
        let own: Vec<&str> = outage.servers.iter().copied().take(servers_of(&wanted)).collect();
        let servers: Vec<&str> = if wanted.servers.is_empty() {
            own
        } else {
            wanted.servers.iter().map(String::as_str).collect()
        };
        let missing = match outage.name {
            "tls" => prepare::missing_of(&["nginx", "openssl", "curl"]),
            _ => None,
        };
        for server in servers {
            if let Some(missing) = &missing {
                rows.push((outage, server.to_owned(), Row::Skipped(missing.clone())));
                continue;
            }
            let records = prepare::records().join("nodes").join(OUTAGES).join(outage.name);
            let row = prepare::run(server, &records.join(server), LIMIT_S, &[OUTAGES, outage.name]);
            rows.push((outage, server.to_owned(), row));
        }
    }
    table(&rows)
}

/// On how many servers an outage is tried: a quick run takes one.
fn servers_of(wanted: &Wanted) -> usize {
    if wanted.is_fast { 1 } else { usize::MAX }
}

fn table(rows: &[(&Outage, String, Row)]) -> ExitCode {
    let (mut passed_count, mut failed_count, mut skipped_count) = (0, 0, 0);
    println!(
        "\n{:<22} {:<10} {:<16} {:>4} {:>7}  what was checked",
        "outage", "server", "exit wanted/got", "s", "checks"
    );
    for (outage, server, row) in rows {
        match row {
            Row::Ran(Outcome { passed_count: passed, failed, exits, seconds, .. }) => {
                passed_count += *passed as usize;
                failed_count += failed.len();
                let checks = format!("{passed}/{}", *passed as usize + failed.len());
                let (name, exits, checked) = (outage.name, exits.join(" "), outage.checked);
                println!("{name:<22} {server:<10} {exits:<16} {seconds:>4} {checks:>7}  {checked}");
                for failed in failed {
                    println!("  {name} {server}: FAILED {failed}");
                }
            }
            Row::Skipped(why) => {
                skipped_count += 1;
                println!("{:<22} {server:<10} skipped: {why}", outage.name);
            }
        }
    }
    println!("{passed_count} passed, {failed_count} failed, {skipped_count} skipped");
    if failed_count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
