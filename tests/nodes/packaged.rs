//! The units of `packaging/systemd` and the lines of `docs/RUNBOOK.md` on a real server: repaired
//! by hand as the page says, by an alert, and because systemd gave the node up. Runs inside the
//! sandbox.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::checks::Checks;
use crate::node::Node;
use crate::red_to_green::{Shard, all_started, check_documents, fail_on_them, fill_and_break};
use crate::run::{output_of, property_of, succeed, wait_for};
use crate::tool::Tool;
use crate::version::Version;

const UNITS: [(&str, &str); 5] = [
    ("es-translog-fix.service", include_str!("../../packaging/systemd/es-translog-fix.service")),
    ("es-translog-fix@.service", include_str!("../../packaging/systemd/es-translog-fix@.service")),
    ("es-translog-fix.path", include_str!("../../packaging/systemd/es-translog-fix.path")),
    (
        "es-translog-fix-watch.service",
        include_str!("../../packaging/systemd/es-translog-fix-watch.service"),
    ),
    (
        "es-translog-.service.d/10-hardening.conf",
        include_str!("../../packaging/systemd/es-translog-.service.d/10-hardening.conf"),
    ),
];
const ON_FAILURE: &str = include_str!("../../packaging/systemd/on-failure.conf");
const RUNBOOK: &str = include_str!("../../docs/RUNBOOK.md");
const PLACE: &str = "/etc/systemd/system";
const OPTIONS_FILE: &str = "/etc/default/es-translog-fix";
/// Highest exposure that `systemd-analyze security` may find.
const EXPOSURE_MAX: f64 = 3.0;
/// A repair with a stop and a start of the server, in a busy machine.
const RUN_LIMIT: Duration = Duration::from_mins(4);

pub(crate) fn run(
    version: &Version,
    binary: &Path,
    records: &Path,
    checks: &mut Checks,
) -> Result<(), String> {
    let node = Node::install(version)?;
    install(binary)?;
    let result = (|| {
        exposure(checks)?;
        let shards = fill_and_break(&node, checks)?;
        let tool = Tool::new(binary, records);
        by_hand(&node, &tool, checks)?;
        break_again(&node, &shards, checks)?;
        by_alert(&node, &shards, records, checks)?;
        break_again(&node, &shards, checks)?;
        given_up(&node, &shards, checks)?;
        watched(&node, &shards, checks)
    })();
    let journal = output_of("journalctl", &["--output=short-precise"])?;
    fs::write(records.join("journal-of-all.txt"), journal).map_err(|error| error.to_string())?;
    node.keep_logs(records)?;
    result
}

fn write(path: &str, text: &str) -> Result<(), String> {
    let path = Path::new(path);
    let folder = path.parent().unwrap_or(path);
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(folder).map_err(fail)?;
    fs::write(path, text).map_err(fail)
}

fn install(binary: &Path) -> Result<(), String> {
    let place = "/usr/bin/es-translog-fix";
    fs::copy(binary, place).map_err(|error| format!("{place}: {error}"))?;
    for (name, text) in UNITS {
        write(&format!("{PLACE}/{name}"), text)?;
    }
    succeed("systemctl", &["daemon-reload"])?;
    succeed("systemctl", &["start", "es-translog-fix.path"])
}

/// What `systemd-analyze` says of the units as they are loaded.
fn exposure(checks: &mut Checks) -> Result<(), String> {
    for unit in ["es-translog-fix.service", "es-translog-fix-watch.service"] {
        let told = output_of("systemd-analyze", &["--no-pager", "security", unit])?;
        let line = told.lines().find(|line| line.contains("Overall exposure level"));
        let line = line.ok_or_else(|| format!("no exposure in {told}"))?;
        let found = line.rsplit(": ").next().and_then(|rest| rest.split(' ').next());
        let level: f64 = found.unwrap_or_default().parse().map_err(|_| line.to_owned())?;
        checks.holds(&format!("exposure of {unit}: {level}"), level <= EXPOSURE_MAX, || {
            format!("{level} is more than {EXPOSURE_MAX}")
        });
    }
    Ok(())
}

/// Every line of the shell blocks of the page, in their order, on the damaged node.
fn by_hand(node: &Node, tool: &Tool, checks: &mut Checks) -> Result<(), String> {
    let program = node.version.program();
    let mut run_id = String::new();
    for (number, line) in shell_lines(RUNBOOK).enumerate() {
        if line.contains(" RUN") && run_id.is_empty() {
            run_id = last_run()?;
        }
        let command = line
            .replace("lost.ndjson", "/tmp/lost.ndjson")
            .replace("RUN", &run_id)
            .replace(" N", " 1000")
            .replace("elasticsearch", program);
        checks.step(&command);
        let script = format!("{command}; echo \"exit $?\"");
        let said = output_of("sh", &["-c", &format!("{{ {script}; }} 2>&1")])?;
        tool.keep_text(&format!("runbook-{number:02}.txt"), &said)?;
        let wanted = wanted_exit(line);
        let code = said.trim_end().rsplit("exit ").next().unwrap_or_default().to_owned();
        checks.holds(&format!("`{line}` ends with {wanted}"), code == wanted, || {
            said.lines().rev().take(12).collect::<Vec<_>>().join(" | ")
        });
        if line.contains("--max-lost-ops") {
            let is_up = node.api.shards().map(|states| all_started(&states));
            checks.holds("every shard is started", is_up == Ok(true), || format!("{is_up:?}"));
        }
    }
    Ok(())
}

/// What the page promises of a line on a node with damage that costs operations.
fn wanted_exit(line: &str) -> &'static str {
    if line.contains("--max-lost-ops") {
        "1"
    } else if line == "es-translog-fix --dry-run" || line.contains("--lost") {
        // What `valid` drops cannot be read.
        "4"
    } else if line == "es-translog-fix --yes" {
        "64"
    } else if line.starts_with("es-translog-fix undo") {
        // The server has written since; the page says that it names what stands against it.
        "64"
    } else if line.starts_with("systemctl status") {
        // What systemctl says of a unit that is not active.
        "3"
    } else {
        "0"
    }
}

/// The lines of the blocks marked as `sh`.
fn shell_lines(page: &str) -> impl Iterator<Item = &str> {
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines)
}

fn last_run() -> Result<String, String> {
    let told = output_of("es-translog-fix", &["runs", "--output", "ndjson"])?;
    let last = told.lines().last().ok_or("no run")?;
    let run: serde_json::Value = serde_json::from_str(last).map_err(|error| error.to_string())?;
    run.get("id").and_then(serde_json::Value::as_str).map(str::to_owned).ok_or(told)
}

fn break_again(node: &Node, shards: &[Shard], checks: &mut Checks) -> Result<(), String> {
    checks.step("the damage again");
    node.stop()?;
    node.put_back()?;
    fail_on_them(node, shards, checks)
}

/// Waits until a oneshot unit has run once more, and checks what systemd makes of it.
fn has_run(
    unit: &str,
    before: &str,
    (result, code): (&str, &str),
    checks: &mut Checks,
) -> Result<(), String> {
    let ended = || {
        // In this order: a run that begins between the two questions is not over.
        let is_new =
            property_of(unit, "InvocationID").is_ok_and(|id| !id.is_empty() && id != before);
        is_new && property_of(unit, "ActiveState").is_ok_and(|state| state != "activating")
    };
    let is_ended = wait_for(RUN_LIMIT, ended);
    let found = (property_of(unit, "Result")?, property_of(unit, "ExecMainStatus")?);
    let is_wanted = is_ended && found == (result.to_owned(), code.to_owned());
    checks.holds(&format!("{unit} ends with {code}, which is {result}"), is_wanted, || {
        format!("ended: {is_ended}, {found:?}; {}", said_by(unit))
    });
    Ok(())
}

fn said_by(unit: &str) -> String {
    let said = output_of("journalctl", &["--unit", unit, "--lines=8", "--output=cat"]);
    said.unwrap_or_else(|error| error).replace('\n', " | ")
}

/// The path unit, with no hand on the node: refused first, as nothing may be lost, then done.
fn by_alert(
    node: &Node,
    shards: &[Shard],
    records: &Path,
    checks: &mut Checks,
) -> Result<(), String> {
    let unit = "es-translog-fix.service";
    let alert = || write("/run/es-translog-fix.alert", "the disk was full\n");
    checks.step("an alert, and nothing may be lost");
    let before = property_of(unit, "InvocationID")?;
    alert()?;
    has_run(unit, &before, ("exit-code", "64"), checks)?;
    checks.step("an alert, and a budget");
    write(OPTIONS_FILE, "OPTIONS=--max-lost-ops 1000 --keep prefix\n")?;
    let before = property_of(unit, "InvocationID")?;
    alert()?;
    has_run(unit, &before, ("success", "1"), checks)?;
    let is_up = node.api.shards().map(|states| all_started(&states));
    checks.holds("every shard is started", is_up == Ok(true), || format!("{is_up:?}"));
    check_documents(node, shards, "after the alert", checks)?;
    story_is_told(shards, records, checks)?;
    let export =
        format!("es-translog-fix export --lost {} -o /tmp/prefix.ndjson || :", last_run()?);
    succeed("sh", &["-c", &export])?;
    let lost = fs::read_to_string("/tmp/prefix.ndjson").unwrap_or_default();
    checks.holds("what was lost and can be read is handed back", lost.contains("\"_id\""), || {
        lost.chars().take(200).collect()
    });
    checks.step("an alert, and nothing is damaged");
    let before = property_of(unit, "InvocationID")?;
    alert()?;
    has_run(unit, &before, ("success", "0"), checks)
}

/// `systemctl status` and `journalctl` tell what was done.
fn story_is_told(shards: &[Shard], records: &Path, checks: &mut Checks) -> Result<(), String> {
    let status = output_of("sh", &["-c", "systemctl status --lines=100 es-translog-fix || :"])?;
    let journal = output_of("journalctl", &["-t", "es-translog-fix", "--output=json"])?;
    for (name, text) in [("status.txt", &status), ("journal.ndjson", &journal)] {
        fs::write(records.join(name), text).map_err(|error| error.to_string())?;
    }
    let tells = |text: &str| status.contains(text);
    checks.holds("the status tells the end", tells("lost in all") && tells("undo"), || {
        status.clone()
    });
    for shard in shards.iter().filter(|shard| !shard.lost().is_empty()) {
        let index = format!("INDEX={}", shard.story.index);
        let number = format!("SHARD={}", shard.story.shard);
        let id = format!("RUN_ID={}", last_run()?);
        let told = output_of("journalctl", &[&index, &number, &id, "--output=cat", "--quiet"])?;
        let name = format!("{}: the journal tells of its repair by its fields", shard.name());
        checks.holds(&name, told.contains("repaired") && told.contains("up "), || told.clone());
    }
    Ok(())
}

/// `OnFailure=` of the node's own unit.
fn given_up(node: &Node, shards: &[Shard], checks: &mut Checks) -> Result<(), String> {
    checks.step("systemd gives the node up");
    write(&format!("{PLACE}/{}.d/es-translog-fix.conf", node.unit_name()), ON_FAILURE)?;
    succeed("systemctl", &["daemon-reload"])?;
    let unit = format!("es-translog-fix@{}.service", node.version.program());
    // The unit may be gone before all of its processes are.
    let kill = "systemctl kill --kill-who=all --signal=KILL \"$0\" || :";
    succeed("sh", &["-c", kill, &node.unit_name()])?;
    has_run(&unit, "", ("success", "1"), checks)?;
    node.wait(all_started)?;
    check_documents(node, shards, "after the repair by OnFailure=", checks)?;
    fs::remove_file(format!("{PLACE}/{}.d/es-translog-fix.conf", node.unit_name()))
        .map_err(|error| error.to_string())?;
    succeed("systemctl", &["daemon-reload"])
}

/// The watch, as a service: ready when it listens, tells of failures, ends well when stopped.
fn watched(node: &Node, shards: &[Shard], checks: &mut Checks) -> Result<(), String> {
    let unit = "es-translog-fix-watch.service";
    checks.step("the watch");
    succeed("systemctl", &["start", unit])?;
    let status = property_of(unit, "StatusText")?;
    checks.holds("it is ready and says what it watches", status.starts_with("watching "), || {
        status.clone()
    });
    break_again(node, shards, checks)?;
    for shard in shards.iter().filter(|shard| shard.fails(&node.version)) {
        let index = format!("INDEX={}", shard.story.index);
        let number = format!("SHARD={}", shard.story.shard);
        let of_unit = format!("_SYSTEMD_UNIT={unit}");
        let words = [index.as_str(), &number, &of_unit, "-p", "err", "--output=cat", "--quiet"];
        let is_told = || output_of("journalctl", &words).is_ok_and(|told| !told.is_empty());
        let name = format!("{}: the watch tells of it", shard.name());
        checks.holds(&name, wait_for(Duration::from_secs(20), is_told), || said_by(unit));
    }
    succeed("systemctl", &["stop", unit])?;
    // A unit that has ended well and is wanted by none is forgotten, its exit code with it.
    let state = property_of(unit, "ActiveState")?;
    checks.holds("a stop of the watch is a success", state == "inactive", || said_by(unit));
    Ok(())
}
