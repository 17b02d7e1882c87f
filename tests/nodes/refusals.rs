//! What the program must leave alone: dry runs, no consent, a node that does not stop, failures in
//! the log over sound shards, and shards that are not what they should be.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, symlink};
use std::path::Path;

use crate::checks::Checks;
use crate::fingerprint::{Fingerprint, Times};
use crate::loss;
use crate::node::Node;
use crate::red_to_green::{REPAIR, Shard, fail_on_them};
use crate::run::succeed;
use crate::tool::{Run, Tool, View};

/// Exit code of a refusal, alone or in a sum.
const REFUSED: i32 = 64;

/// Dry runs and refusals, on the running and on the stopped node: nothing may change.
pub(crate) fn before_repair(
    node: &Node,
    tool: &mut Tool,
    shards: &[Shard],
    checks: &mut Checks,
) -> Result<(), String> {
    let read_only = View::ReadOnly(vec![node.data(), node.logs()]);
    checks.step("dry run and refusals on the running node");
    let dry = tool.run("dry-run-running", &read_only, &["--dry-run", "--output", "json"])?;
    check_dry_run(&dry, node, shards, "running", checks);
    refusal(tool, "no-consent", &["--output", "json"], "--yes", checks)?;
    refusal(
        tool,
        "not-stopped",
        &["--yes", "--accept-data-loss", "--service", "none"],
        "",
        checks,
    )?;
    let overrides = format!("/run/systemd/system/{}.d", node.unit_name());
    fs::create_dir_all(&overrides).map_err(|error| error.to_string())?;
    let file = format!("{overrides}/keep-running.conf");
    fs::write(&file, "[Unit]\nRefuseManualStop=yes\n").map_err(|error| error.to_string())?;
    succeed("systemctl", &["daemon-reload"])?;
    refusal(tool, "unstoppable", &REPAIR, "stop", checks)?;
    fs::remove_file(&file).map_err(|error| error.to_string())?;
    succeed("systemctl", &["daemon-reload"])?;
    checks.step("dry run on the stopped node");
    node.stop()?;
    let state = |folder: &Path| Fingerprint::of(folder, Times::ModifiedAndChanged);
    let before = [state(&node.data())?, state(&node.logs())?];
    let dry = tool.run("dry-run-stopped", &View::Plain, &["--dry-run", "--output", "json"])?;
    check_dry_run(&dry, node, shards, "stopped", checks);
    let dry = tool.run("dry-run-read-only", &read_only, &["--dry-run", "--output", "json"])?;
    check_dry_run(&dry, node, shards, "stopped and read-only", checks);
    refusal(tool, "no-consent-stopped", &["--output", "json"], "--yes", checks)?;
    let after = [state(&node.data())?, state(&node.logs())?];
    let [data, logs] = [0, 1].map(|at| before.get(at).zip(after.get(at)));
    let differs =
        |pair: Option<(&Fingerprint, &Fingerprint)>| pair.and_then(|(a, b)| a.difference(b));
    checks.same("dry runs and refusals change nothing in the data folder", differs(data));
    checks.same("dry runs and refusals change nothing in the log folder", differs(logs));
    let is_clean = !Path::new("/var/lib/es-translog-fix/runs").exists();
    checks.holds("they leave no record of a run", is_clean, || "there is one".to_owned());
    if node.version.has_stream() {
        // A 1.x that is stopped in the middle of a retry can commit a part of the replay; its next
        // start then passes over the damage in silence, and there would be nothing to repair.
        node.put_back()?;
    }
    fail_on_them(node, shards, checks)
}

/// The dry run has to name exactly the shards that the server fails on.
fn check_dry_run(run: &Run, node: &Node, shards: &[Shard], when: &str, checks: &mut Checks) {
    let wanted: Vec<String> =
        shards.iter().filter(|shard| shard.fails(&node.version)).map(Shard::name).collect();
    let found = run.json().map(|document| loss::planned_shards(&document));
    checks.check(
        &format!("dry run, {when}: exit 4 and a plan for each failing shard and no other"),
        match found {
            Ok(mut found) => {
                found.sort();
                let mut wanted = wanted;
                wanted.sort();
                if run.exit_code == 4 && found == wanted {
                    Ok(())
                } else {
                    Err(format!("{}; planned {found:?}, not {wanted:?}", run.words()))
                }
            }
            Err(error) => Err(error),
        },
    );
}

fn refusal(
    tool: &mut Tool,
    label: &str,
    arguments: &[&str],
    word: &str,
    checks: &mut Checks,
) -> Result<(), String> {
    refusal_in(tool, label, &View::Plain, arguments, word, checks)
}

fn refusal_in(
    tool: &mut Tool,
    label: &str,
    view: &View,
    arguments: &[&str],
    word: &str,
    checks: &mut Checks,
) -> Result<(), String> {
    let run = tool.run(label, view, arguments)?;
    let is_refused =
        run.exit_code & REFUSED != 0 && (run.stderr.contains(word) || run.stdout.contains(word));
    checks.holds(&format!("refused ({label})"), is_refused, || run.words());
    Ok(())
}

/// The server's own words about failures come again over shards that are sound and up.
pub(crate) fn false_alarm(
    node: &Node,
    tool: &mut Tool,
    shards: &[Shard],
    checks: &mut Checks,
) -> Result<(), String> {
    checks.step("failures in the log over sound shards");
    let before = node.stops_and_starts()?;
    let again = tool.run("second-run", &View::Plain, &REPAIR)?;
    checks.holds("a second run finds nothing to do", again.exit_code == 0, || again.words());
    let log = node.log_text()?;
    let failures: Vec<&str> = log.lines().filter(|line| line.contains("ail")).collect();
    let path = node.logs().join(format!("{}.log", crate::version::CLUSTER));
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = fs::OpenOptions::new().append(true).open(&path).map_err(fail)?;
    writeln!(file, "{}", failures.join("\n")).map_err(fail)?;
    let run = tool.run("false-alarm", &View::Plain, &REPAIR)?;
    let document = run.json()?;
    let said: BTreeSet<String> =
        document.get("findings").map(loss::names_of).into_iter().flatten().collect();
    let failing = shards.iter().filter(|shard| shard.fails(&node.version));
    let wanted: BTreeSet<String> = failing.map(Shard::name).collect();
    let is_calm = run.exit_code == 0 && document.get("run").is_some_and(serde_json::Value::is_null);
    checks.holds("failures over sound shards: nothing is done", is_calm, || run.words());
    let text = || format!("{said:?}, not {wanted:?}");
    checks.holds("and it says which shards the log names", said == wanted, text);
    let after = node.stops_and_starts()?;
    checks.holds("and the node is not stopped", before == after, || format!("{after:?}"));
    Ok(())
}

/// On the copy of the damaged node: a shard folder that is a link, and a translog of a version that
/// nobody knows.
pub(crate) fn strange_shards(
    node: &Node,
    tool: &mut Tool,
    shards: &[Shard],
    checks: &mut Checks,
) -> Result<(), String> {
    checks.step("a link and an unknown version, on a copy of the damaged node");
    let (copy, _) = Node::copies();
    let view = View::Instead { folder: copy.clone(), place: "/var/lib".into() };
    let mut failing = shards.iter().filter(|shard| shard.fails(&node.version));
    let (linked, newer) = failing.next().zip(failing.next()).ok_or("no failing shards")?;
    let in_copy = |path: &Path| path.strip_prefix("/var/lib").map(|inside| copy.join(inside));
    let folder_of = |shard: &Shard| {
        let folder = shard.translog.path.ancestors().nth(2);
        folder.unwrap_or(Path::new("/")).to_path_buf()
    };
    let place = in_copy(&folder_of(linked)).map_err(|error| error.to_string())?;
    let elsewhere = copy.join("elsewhere");
    fs::rename(&place, &elsewhere).map_err(|error| error.to_string())?;
    symlink("/var/lib/elsewhere", &place).map_err(|error| error.to_string())?;
    let folder = in_copy(&folder_of(newer).join("translog")).map_err(|error| error.to_string())?;
    make_unknown(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let before = Fingerprint::of(&copy, Times::ModifiedAndChanged)?;
    let link = folder_of(linked).display().to_string();
    for (label, target, word) in
        [("link", link, "symbolic link"), ("unknown-version", newer.name(), "version 9")]
    {
        let arguments = ["--yes", "--accept-data-loss", "--service", "none", &target];
        refusal_in(tool, label, &view, &arguments, word, checks)?;
    }
    let after = Fingerprint::of(&copy, Times::ModifiedAndChanged)?;
    checks.same("and nothing is changed", before.difference(&after));
    Ok(())
}

/// Gives each translog of a shard a version in its header that no server has written.
fn make_unknown(folder: &Path) -> std::io::Result<()> {
    const VERSION_OFFSET: u64 = 13;
    for entry in folder.read_dir()? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("translog-") && !name.contains(".ckp") {
            let file = fs::OpenOptions::new().write(true).open(&path)?;
            file.write_all_at(&[0, 0, 0, 9], VERSION_OFFSET)?;
        }
    }
    Ok(())
}
