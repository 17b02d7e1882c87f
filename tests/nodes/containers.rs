//! Containers of real engines around a played server: each that the program stops has to be
//! afterwards what it was before, and nothing may bring it up in between.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::checks::Checks;
use crate::engine::{Contained, Engine};
use crate::held::{Begun, SHARD_COUNT};
use crate::played_server::PLAY_WRITER;
use crate::prepare::missing_of;
use crate::run::wait_for;
use crate::services::{REFUSED, ends};

const LIMIT: Duration = Duration::from_secs(30);

type Part = fn(&Engine, &mut Checks) -> Result<(), String>;

/// All of it with one engine; says so where that is not installed.
pub(crate) fn try_all(engine: &Engine, checks: &mut Checks) {
    let program = engine.program;
    if let Some(missing) = missing_of(engine.needs) {
        checks.skip(&format!("containers of {program}: {missing}"));
        return;
    }
    let version = match engine.prepare() {
        Ok(version) => version,
        Err(error) => return checks.check(&format!("{program} comes up"), Err(error)),
    };
    let parts: [(&str, Part); 10] = [
        ("one that restarts itself", restarts_itself),
        ("a stopped one", stopped),
        ("one that crashed", crashed),
        ("a paused one", paused),
        ("one that does not end", endless),
        ("another one that writes", another),
        ("those that are refused", refused),
        ("one that cannot start again", cannot_start),
        ("a start during the repair", started_meanwhile),
        ("a run that is killed during the repair", killed),
    ];
    for (name, part) in parts {
        let name = format!("{version}, {name}");
        checks.step(&name);
        let done = part(engine, checks);
        checks.check(&format!("{name}: comes to its end"), done);
    }
}

fn restarts_itself(engine: &Engine, checks: &mut Checks) -> Result<(), String> {
    let words = [engine.ending, &["--restart=always"]].concat();
    let node = Contained::new(engine, "es-always", 1, &words)?;
    node.start()?;
    let before = node.last_start();
    let id: String = node.show(".Id").chars().take(12).collect();
    let told = format!("--service {}:{id}", engine.program);
    let run = node.repair(&[])?;
    let words = [&format!("runs in {} container {id}", engine.program), told.as_str()];
    ends(checks, "not stopped of itself", &run, REFUSED, &words);
    checks.holds("it runs as before", node.last_start() == before, || node.status());
    let run = node.repair(&["--service", &format!("{}:{id}", engine.program)])?;
    let name = format!("{} container {}", engine.program, node.name());
    ends(checks, "repaired by its id, told by its name", &run, 1, &[&name]);
    checks.holds("it runs again", node.serves_since(&before), || node.status());
    checks.holds("its restart policy is back", node.policy() == "always 0", || node.policy());
    checks.holds("nothing holds it any more", !node.record().exists(), String::new);
    Ok(())
}

fn stopped(engine: &Engine, checks: &mut Checks) -> Result<(), String> {
    let words = [engine.ending, &["--restart=unless-stopped"]].concat();
    let node = Contained::new(engine, "es-stopped", 1, &words)?;
    node.start()?;
    let before = node.last_start();
    node.tell("stop")?;
    let service = ["--service", &node.service()];
    let run = node.repair(&service)?;
    ends(checks, "repaired, and left to a person", &run, 2, &["--start would start it"]);
    checks.holds("it stays stopped", node.is_down(), || node.status());
    checks.holds("with its policy", node.policy() == "unless-stopped 0", || node.policy());
    let run = node.tool(&["undo", &node.run_id()?, service[0], service[1]])?;
    ends(checks, "undo leaves it stopped as well", &run, 2, &["is stopped"]);
    let run = node.repair(&[&service[..], &["--start"]].concat())?;
    ends(checks, "with --start it is started", &run, 1, &[]);
    checks.holds("and runs", node.serves_since(&before), || node.status());
    Ok(())
}

fn crashed(engine: &Engine, checks: &mut Checks) -> Result<(), String> {
    let node = Contained::new(engine, "es-crashed", 1, engine.ending)?;
    node.start()?;
    let before = node.last_start();
    engine.run(&["kill", "--signal=USR1", node.name()])?;
    checks.holds("it is down", node.goes_down(), || node.status());
    let run = node.repair(&["--service", &node.service()])?;
    ends(checks, "it was meant to run, so it is started", &run, 1, &[]);
    checks.holds("and runs", node.serves_since(&before), || node.status());
    Ok(())
}

/// Docker wakes it to be told; Podman stops none that is paused.
fn paused(engine: &Engine, checks: &mut Checks) -> Result<(), String> {
    let node = Contained::new(engine, "es-paused", 1, engine.ending)?;
    node.start()?;
    let before = node.last_start();
    node.tell("pause")?;
    let translogs = node.translogs();
    let run = node.repair(&["--service", &node.service()])?;
    if engine.program == "docker" {
        ends(checks, "repaired", &run, 1, &[]);
        checks.holds("it runs", node.serves_since(&before), || node.status());
        return Ok(());
    }
    ends(checks, "refused", &run, REFUSED, &["es-paused is paused", "unpause es-paused"]);
    checks.holds("and no file is changed", node.translogs() == translogs, String::new);
    checks.holds("it is paused as before", node.status() == "paused", || node.status());
    checks.holds("nothing holds it", !node.record().exists(), String::new);
    node.tell("unpause")
}

/// The first process of a machine hears no SIGTERM that it does not ask for.
fn endless(engine: &Engine, checks: &mut Checks) -> Result<(), String> {
    let node = Contained::new(engine, "es-endless", 1, &["--restart=always"])?;
    node.start()?;
    let before = node.last_start();
    let service = ["--service", &node.service()];
    let run = node.repair(&[&service[..], &["--stop-timeout", "2"]].concat())?;
    let words = ["did not stop within 2 s", "it has been told to, and is not killed"];
    ends(checks, "refused", &run, REFUSED, &words);
    checks.holds("it was not killed", node.show(".State.Pid") != "0", || node.status());
    checks.holds("nor started", node.last_start() == before, || node.status());
    checks.holds("its policy is there", node.policy() == "always 0", || node.policy());
    engine.run(&["kill", node.name()])?;
    checks.holds("it is down", node.goes_down(), || node.status());
    let run = node.repair(&service)?;
    let words = ["was running when an earlier run stopped it"];
    ends(checks, "repaired when it is down, and started", &run, 1, &words);
    checks.holds("it runs again", node.serves_since(&before), || node.status());
    engine.run(&["kill", node.name()]).map(|_| ())
}

/// It has the folder at another place than this machine and than the server.
fn another(engine: &Engine, checks: &mut Checks) -> Result<(), String> {
    let node = Contained::new(engine, "es-shared", 1, engine.ending)?;
    node.start()?;
    let (before, translogs) = (node.last_start(), node.translogs());
    let told = [PLAY_WRITER, "/elsewhere/data/copy"];
    let writer = engine.create("es-writer", (&node.path(""), "/elsewhere"), &[], &told)?;
    writer.tell("start")?;
    let file = node.data().join("copy");
    checks.holds("the file is open", wait_for(LIMIT, || file.exists()), String::new);
    let told = format!("(/server {}) has {} open for writing", told.join(" "), file.display());
    let alone = format!("{told}; it is no part of the service");
    let words = [alone.as_str(), "with the node stopped, process ", "let it end, or end it"];
    let service = ["--service", &node.service()];
    let run = node.repair(&service)?;
    ends(checks, "named, and refused after the stop", &run, REFUSED, &words);
    checks.holds("no file is changed", node.translogs() == translogs, String::new);
    checks.holds("it runs again", node.serves_since(&before), || node.status());
    Ok(())
}

fn refused(engine: &Engine, checks: &mut Checks) -> Result<(), String> {
    let words = [engine.ending, &["--rm"]].concat();
    let node = Contained::new(engine, "es-removed", 1, &words)?;
    node.start()?;
    let before = node.last_start();
    let run = node.repair(&["--service", &node.service()])?;
    ends(checks, "one that is gone when it stops", &run, REFUSED, &["was made with --rm"]);
    checks.holds("it runs as before", node.last_start() == before, || node.status());
    let other = format!("{}:es-other", engine.program);
    let run = node.repair(&["--service", &other])?;
    let inspect = format!("`{} inspect es-other` failed", engine.program);
    ends(checks, "one that is not there", &run, REFUSED, &[&inspect, "o such container"]);
    if engine.program != "docker" {
        return Ok(());
    }
    crate::run::succeed("systemctl", &["stop", "docker"])?;
    let run = node.repair(&["--service", &node.service()])?;
    let words = ["`docker inspect es-removed` failed", "Cannot connect to the Docker daemon"];
    ends(checks, "an engine that is down", &run, REFUSED, &words);
    crate::run::succeed("systemctl", &["start", "docker"])
}

fn cannot_start(engine: &Engine, checks: &mut Checks) -> Result<(), String> {
    let folder = Path::new("/srv/configuration");
    let mount = format!("type=bind,src={},dst=/configuration", folder.display());
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let words = [engine.ending, &["--mount", &mount, "--restart=on-failure:3"]].concat();
    let node = Contained::new(engine, "es-mounts", 1, &words)?;
    node.start()?;
    fs::remove_dir(folder).map_err(|error| error.to_string())?;
    let run = node.repair(&["--service", &node.service()])?;
    ends(checks, "the engine's words are told", &run, 8, &[&folder.display().to_string()]);
    checks.holds("its policy is back", node.policy() == "on-failure 3", || node.policy());
    checks.holds("nothing holds it any more", !node.record().exists(), String::new);
    Ok(())
}

fn started_meanwhile(engine: &Engine, checks: &mut Checks) -> Result<(), String> {
    let words = [engine.ending, &["--restart=always"]].concat();
    let node = Contained::new(engine, "es-held", SHARD_COUNT, &words)?;
    node.start()?;
    let before = node.last_start();
    let begun = Begun::start(&node, &["--service", &node.service()], || node.record().exists())?;
    let translogs = node.translogs();
    let told = fs::read_to_string(node.path("said")).map_err(|error| error.to_string())?;
    let is_told = told.contains("only the node's own locks keep it down");
    engine.come_up()?;
    if engine.changes_policies() {
        checks.holds("its restart policy is away", node.policy() == "no 0", || node.policy());
        checks.holds("the engine does not start it", node.is_down(), || node.status());
        // By hand: the server finds its locks held, and ends.
        node.tell("start")?;
        checks.holds("nor can a person", !is_told && node.goes_down(), || node.status());
    } else {
        checks.holds("that its policy stays is told", is_told, || told);
    }
    checks.holds("no file is changed", node.translogs() == translogs, String::new);
    let run = begun.go_on(&node, checks)?;
    ends(checks, "repaired", &run, 1, &[]);
    checks.holds("it runs again", node.serves_since(&before), || node.status());
    checks.holds("its restart policy is back", node.policy() == "always 0", || node.policy());
    Ok(())
}

fn killed(engine: &Engine, checks: &mut Checks) -> Result<(), String> {
    let words = [engine.ending, &["--restart=on-failure:3"]].concat();
    let node = Contained::new(engine, "es-killed", SHARD_COUNT, &words)?;
    node.start()?;
    let (before, translogs) = (node.last_start(), node.translogs());
    let by_name = ["--service", &node.service()];
    drop(Begun::start(&node, &by_name, || node.record().exists())?);
    let wanted = if engine.changes_policies() { "no 0" } else { "on-failure 3" };
    checks.holds("it is held after the kill", node.policy() == wanted, || node.policy());
    let run = node.repair(&by_name)?;
    ends(checks, "another run names both ways on", &run, REFUSED, &["resume", "undo"]);
    checks.holds("and leaves the hold", node.record().exists(), String::new);
    let by_id = format!("{}:{}", engine.program, node.show(".Id"));
    let run = node.tool(&["resume", &node.run_id()?, "--service", &by_id])?;
    ends(checks, "resume finishes and starts it", &run, 2, &["was running", "is started again"]);
    checks.holds("it runs", node.serves_since(&before), || node.status());
    checks.holds("its policy is back", node.policy() == "on-failure 3", || node.policy());
    let run = node.tool(&["undo", &node.run_id()?, "--service", &by_id])?;
    ends(checks, "undo takes it back and starts it", &run, 2, &["is started again"]);
    checks.holds("every translog is back", node.translogs() == translogs, String::new);
    checks.holds("nothing holds it any more", !node.record().exists(), String::new);
    Ok(())
}
