//! Scripted outages, each from its cause to its end: what there is, what is asked for, and the
//! table. Each runs in a sandbox of its own and leaves its log in `target/*/tmp/nodes/outages/`.

mod acknowledged;
mod copies;
mod disk;
mod restarts;
mod roles;
mod scene;
mod secured;
mod shapes;
mod shards;
mod starts;
mod stops;

use std::path::Path;
use std::process::ExitCode;

use crate::checks::{Checks, Outcome};
use crate::prepare::{self, Row};
use crate::version::Version;

/// The word for these runs.
pub(crate) const OUTAGES: &str = "outages";
/// Most time that one outage may take, in seconds; two minutes are meant.
const LIMIT_S: &str = "240";
const NEW: &[&str] = &["es-8.19.0"];

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

const ALL: &[Outage] = &[
    Outage {
        name: "disk-filled",
        servers: &["es-8.19.0", "os-2.19.1", "es-5.6.16", "es-1.7.6"],
        is_fast: true,
        run: disk::disk_filled,
        checked: "while full: said, nothing done; with room: green, every acknowledged document",
    },
    Outage {
        name: "crashed-on-full-disk",
        servers: NEW,
        is_fast: false,
        run: disk::crashed_on_full_disk,
        checked: "a unit that failed for lack of room: said; with room: green",
    },
    Outage {
        name: "disk-still-full",
        servers: NEW,
        is_fast: false,
        run: disk::disk_still_full,
        checked: "damage and a full disk: no start is tried, the sentence says what to do",
    },
    Outage {
        name: "restart-always",
        servers: NEW,
        is_fast: true,
        run: restarts::restart_always,
        checked: "crashed and about to be restarted; one start a round, green, Restart= kept",
    },
    Outage {
        name: "slow-stop",
        servers: NEW,
        is_fast: false,
        run: stops::slow_stop,
        checked: "a stop of 60 s is waited for; green",
    },
    Outage {
        name: "endless-stop",
        servers: NEW,
        is_fast: false,
        run: stops::endless_stop,
        checked: "refused after --stop-timeout; no byte changed, the sentence says what to do",
    },
    Outage {
        name: "damage-returns",
        servers: NEW,
        is_fast: false,
        run: restarts::damage_returns,
        checked: "ends within the rounds, with a summary that names the shard",
    },
    Outage {
        name: "bad-settings",
        servers: NEW,
        is_fast: false,
        run: starts::bad_settings,
        checked: "repaired, the start fails: the setting is named; green when that is mended",
    },
    Outage {
        name: "no-memory",
        servers: NEW,
        is_fast: false,
        run: starts::no_memory,
        checked: "repaired, the start fails: memory is named; green when that is mended",
    },
    Outage {
        name: "wrong-java",
        servers: &["es-7.17.28"],
        is_fast: false,
        run: starts::wrong_java,
        checked: "repaired, the start fails: the Java is named; green when that is mended",
    },
    Outage {
        name: "forty-shards",
        servers: NEW,
        is_fast: false,
        run: shards::forty_shards,
        checked: "all repaired in one round, every document that could be read",
    },
    Outage {
        name: "shapes",
        servers: &["es-7.17.28", "es-8.19.0"],
        is_fast: false,
        run: shapes::shapes,
        checked: "two data paths, an index of each shape: all but the closed one; then it as well",
    },
    Outage {
        name: "dedicated-master",
        servers: NEW,
        is_fast: false,
        run: roles::dedicated_master,
        checked: "damage on the data node: on the master's machine told, on its own repaired",
    },
    Outage {
        name: "healthy-replica",
        servers: NEW,
        is_fast: false,
        run: copies::healthy_replica,
        checked: "other node down: refused; --prefer-peer: green once it is back; both up: nothing lost",
    },
    Outage {
        name: "replica-had-more",
        servers: NEW,
        is_fast: false,
        run: copies::replica_had_more,
        checked: "repaired despite a better replica: both copies are the same, one by one",
    },
    Outage {
        name: "restarted-by-another",
        servers: NEW,
        is_fast: false,
        run: restarts::restarted_by_another,
        checked: "something starts the unit twice a second: held off for the repair, and let go",
    },
    Outage {
        name: "tls",
        servers: NEW,
        is_fast: false,
        run: secured::tls,
        checked: "asked over TLS with a private authority and a password that stays secret; green",
    },
    Outage {
        name: "by-hand",
        servers: NEW,
        is_fast: false,
        run: shards::by_hand,
        checked: "refused, with pid and command; repaired with --service none once it is stopped",
    },
    Outage {
        name: "private-files",
        servers: NEW,
        is_fast: false,
        run: shards::private_files,
        checked: "owner and mode after the repair, and after undo",
    },
];

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
