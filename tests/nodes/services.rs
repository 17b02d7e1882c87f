//! Units of every kind around a played server, under a real systemd: which one is found, that it is
//! held down during the repair, and that it is afterwards what it was before. Containers of real
//! engines too, where they are installed.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::checks::Checks;
use crate::engine::ENGINES;
use crate::played_server::serving;
use crate::prepare::{OUTCOME_FILE, in_sandbox, missing, records};
use crate::run::{succeed, wait_for};
use crate::scene::{Killed, Scene, put, put_unit, said};
use crate::tool::Run;
use crate::{containers, held};

/// First argument of the part in the sandbox.
pub(crate) const INSIDE: &str = "--inside-services";
/// Most time for it, in seconds.
const LIMIT_S: &str = "900";
const LIMIT: Duration = Duration::from_secs(30);
pub(crate) const REFUSED: i32 = 64;

type Part = fn(&mut Checks) -> Result<(), String>;

/// Sets up the sandbox and says how it went; with words, only what one of them is in the name of.
pub(crate) fn outside(words: &[String]) -> ExitCode {
    if let Some(missing) = missing() {
        println!("skipped: {missing}");
        return ExitCode::SUCCESS;
    }
    let folder = records().join("services");
    // An engine may be installed anywhere.
    let path = format!("PATH={}", std::env::var("PATH").unwrap_or_default());
    let mut part = vec![INSIDE, folder.to_str().unwrap_or_default()];
    part.extend(words_of(words));
    match in_sandbox(&folder, LIMIT_S, (&[], &[&path]), &part) {
        Ok(outcome) => {
            outcome.failed.iter().for_each(|failed| println!("FAILED {failed}"));
            outcome.skipped.iter().for_each(|skipped| println!("skipped {skipped}"));
            let (failed, skipped) = (outcome.failed.len(), outcome.skipped.len());
            println!("{} passed, {failed} failed, {skipped} skipped", outcome.passed_count);
            let is_tried = outcome.passed_count > 0 || skipped > 0;
            if failed == 0 && is_tried { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            println!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

/// All of it, in the sandbox.
pub(crate) fn inside(records: &Path, words: &[String]) -> ExitCode {
    let mut checks = Checks::new();
    let is_wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word));
    let parts: [(&str, Part); 10] = [
        ("a unit that restarts itself", restarts_itself),
        ("an instance of a template, beside another", template),
        ("a stopped unit, found by its drop-in's environment", stopped),
        ("a unit that crashed", crashed),
        ("a masked unit", masked),
        ("a server started by hand", by_hand),
        ("others on the data path", others),
        ("an init script", init_script),
        ("a start during the repair", held::started_meanwhile),
        ("a run that is killed during the repair", held::killed),
    ];
    for (name, part) in parts.into_iter().filter(|(name, _)| is_wanted(name)) {
        checks.step(name);
        let done = part(&mut checks);
        checks.check(&format!("{name}: comes to its end"), done);
    }
    for engine in ENGINES.into_iter().filter(|engine| is_wanted(engine.program)) {
        containers::try_all(&engine, &mut checks);
    }
    match checks.finish(&records.join(OUTCOME_FILE)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("cannot keep the outcome: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A run that ends so and says this.
pub(crate) fn ends(checks: &mut Checks, name: &str, run: &Run, code: i32, words: &[&str]) {
    let text = said(run);
    let unsaid: Vec<&&str> = words.iter().filter(|words| !text.contains(**words)).collect();
    checks.holds(name, run.exit_code == code && unsaid.is_empty(), || {
        format!("exit {}, not said: {unsaid:?}", run.exit_code)
    });
}

fn restarts_itself(checks: &mut Checks) -> Result<(), String> {
    let more = "Restart=always\nRestartSec=100ms\nTimeoutStopSec=5min\n\
        ExecStopPost=/bin/sh -c 'sleep 1; exit 1'\nRestrictRealtime=yes";
    let scene = Scene::new("es-always", 1, more)?;
    let front = "[Unit]\nRequires=es-always.service\nAfter=es-always.service\n\
        [Service]\nExecStart=/bin/sleep 1000\n";
    put_unit("es-front", front)?;
    scene.start()?;
    succeed("systemctl", &["start", "es-front"])?;
    let (before, restarts) = (scene.show("MainPID"), scene.show("NRestarts"));
    let run = scene.repair(&[])?;
    let words = ["es-always.service", &format!("process {before}"), "TimeoutStopUSec=5min"];
    ends(checks, "found by its process and repaired", &run, 1, &words);
    checks.holds("it runs again", scene.serves() && scene.show("MainPID") != before, || {
        scene.show("ActiveState")
    });
    let front = wait_for(LIMIT, || succeed("systemctl", &["is-active", "es-front"]).is_ok());
    checks.holds("and so does what needs it", front, String::new);
    succeed("systemctl", &["stop", "es-front"])?;
    let restarted = scene.show("NRestarts");
    checks.holds("and did not restart itself", restarted == restarts, || restarted.clone());
    checks.holds("nothing holds it any more", scene.is_free(), || format!("{:?}", scene.hold()));
    Ok(())
}

fn template(checks: &mut Checks) -> Result<(), String> {
    let scene = Scene::without_unit("elasticsearch@data1", 1)?;
    let other = Scene::without_unit("elasticsearch@data2", 1)?;
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let server = format!("{} --play-server -Epath.data=${{DATA}}", this.display());
    let text = format!("[Service]\nEnvironmentFile=/etc/es-%i\nExecStart={server}\n");
    for (instance, one) in [("data1", &scene), ("data2", &other)] {
        let file = format!("/etc/es-{instance}");
        fs::write(&file, format!("DATA={}\n", one.data().display()))
            .map_err(|error| format!("{file}: {error}"))?;
    }
    put_unit("elasticsearch@", &text)?;
    scene.start()?;
    other.start()?;
    let before = other.show("MainPID");
    let run = scene.repair(&[])?;
    ends(checks, "the right instance", &run, 1, &["systemd unit elasticsearch@data1.service"]);
    checks.holds("it runs again", scene.serves(), || scene.show("ActiveState"));
    let after = other.show("MainPID");
    checks.holds("the other one was left alone", after == before, || after.clone());
    Ok(())
}

fn stopped(checks: &mut Checks) -> Result<(), String> {
    let scene = Scene::without_unit("search", 1)?;
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let server = format!("{} --play-server -Epath.data=${{WHERE}}", this.display());
    put_unit("search", &format!("[Service]\nExecStart={server}\n"))?;
    let environment = format!("[Service]\nEnvironment=\"WHERE={}\"\n", scene.data().display());
    put("search.service.d/where.conf", &environment)?;
    let run = scene.repair(&[])?;
    let words = ["systemd unit search.service", "its data path", "--start would start it"];
    ends(checks, "repaired, and left to a person", &run, 2, &words);
    let is_down = scene.show("ActiveState") == "inactive";
    checks.holds("it stays stopped", is_down && scene.is_free(), || scene.show("ActiveState"));
    let id = scene.run_id()?;
    let run = scene.tool(&["undo", &id])?;
    ends(checks, "undo leaves it stopped as well", &run, 2, &["is stopped"]);
    let run = scene.repair(&["--start"])?;
    ends(checks, "with --start it is started", &run, 1, &[]);
    checks.holds("and runs", scene.serves(), || scene.show("ActiveState"));
    Ok(())
}

fn crashed(checks: &mut Checks) -> Result<(), String> {
    let scene = Scene::new("es-data1", 1, "")?;
    scene.start()?;
    succeed("systemctl", &["kill", "--signal=KILL", &scene.unit])?;
    checks.holds("it has failed", scene.comes_to("failed"), || scene.show("ActiveState"));
    let run = scene.repair(&["--service", "es-data1"])?;
    ends(checks, "it was meant to run, so it is started", &run, 1, &["es-data1.service"]);
    checks.holds("and runs", scene.serves(), || scene.show("ActiveState"));
    Ok(())
}

fn masked(checks: &mut Checks) -> Result<(), String> {
    let scene = Scene::without_unit("es-masked", 1)?;
    scene.systemctl("mask")?;
    let before = scene.translogs();
    let run = scene.repair(&["--service", "es-masked"])?;
    ends(checks, "refused", &run, REFUSED, &["es-masked.service is masked", "unmask"]);
    let state = scene.show("UnitFileState");
    checks.holds("it is masked as before", state == "masked", || state.clone());
    checks.holds("and no file is changed", scene.translogs() == before, String::new);
    Ok(())
}

fn by_hand(checks: &mut Checks) -> Result<(), String> {
    let scene = Scene::without_unit("es-none", 1)?;
    let mut command = Command::new("systemd-run");
    command.args(["--scope", "--quiet"]).args(server_words(&scene));
    let _server = Killed::start(&mut command)?;
    if !wait_for(LIMIT, || serving(&scene.data()).is_some()) {
        return Err("the server by hand does not serve".to_owned());
    }
    let pid = serving(&scene.data()).unwrap_or_default();
    let run = scene.repair(&[])?;
    let words = [&format!("process {pid} ("), "was started by hand", "--service none"];
    ends(checks, "refused, with the process", &run, REFUSED, &words);
    let run = scene.tool(&["--all", "--dry-run"])?;
    ends(checks, "a dry run needs no service", &run, 4, &[]);

    let scene = Scene::without_unit("es-transient", 1)?;
    succeed(
        "systemd-run",
        &[&["--unit=es-transient"], words_of(&server_words(&scene)).as_slice()].concat(),
    )?;
    let before = (scene.serves(), scene.show("MainPID"));
    let run = scene.repair(&[])?;
    let words = ["es-transient.service was made by systemd-run"];
    ends(checks, "a unit that would be gone is refused", &run, REFUSED, &words);
    let after = (true, scene.show("MainPID"));
    checks.holds("and not stopped", after == before, || format!("{before:?} {after:?}"));

    let scene = Scene::without_unit("es-child", 1)?;
    let mut words = server_words(&scene);
    let _server = Killed::start(Command::new(words.remove(0)).args(words))?;
    if !wait_for(LIMIT, || serving(&scene.data()).is_some()) {
        return Err("the child does not serve".to_owned());
    }
    let run = scene.repair(&[])?;
    let words = ["belongs to unit sandbox.service, which starts something else"];
    ends(checks, "a unit that is there for something else is left alone", &run, REFUSED, &words);
    Ok(())
}

fn words_of(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

fn server_words(scene: &Scene) -> Vec<String> {
    scene.server().split(' ').map(str::to_owned).collect()
}

fn others(checks: &mut Checks) -> Result<(), String> {
    let scene = Scene::new("es-others", 1, "")?;
    scene.start()?;
    let before = scene.translogs();
    let data = scene.data();
    let mut shell = Command::new("sleep");
    let shell = Killed::start(shell.arg("600").current_dir(&data))?;
    let mut writer = Command::new("sh");
    writer.args(["-c", "exec 3>>\"$0\"; exec sleep 600"]).arg(data.join("backup"));
    let writer = Killed::start(&mut writer)?;
    let is_open = wait_for(LIMIT, || data.join("backup").exists());
    checks.holds("the file is open", is_open, String::new);
    let run = scene.repair(&[])?;
    let writing = format!("process {} (sleep 600) has", writer.0.id());
    let working = format!("process {} (sleep 600) works in", shell.0.id());
    let words = [writing.as_str(), working.as_str(), "open for writing", "end it, and run again"];
    ends(checks, "somebody who writes is refused, the shell noted", &run, REFUSED, &words);
    checks.holds("it runs as before", scene.serves() && scene.is_free(), || {
        scene.show("ActiveState")
    });
    checks.holds("and no file is changed", scene.translogs() == before, String::new);
    drop(writer);
    let run = scene.repair(&[])?;
    ends(checks, "the shell alone is only noted", &run, 1, &[&working]);
    Ok(())
}

fn init_script(checks: &mut Checks) -> Result<(), String> {
    let scene = Scene::without_unit("es-sysv", 1)?;
    let script = format!(
        "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: es-sysv\n# Required-Start:\n\
         # Required-Stop:\n# Default-Start: 5\n# Default-Stop: 0\n# Short-Description: x\n\
         ### END INIT INFO\npid=/run/es-sysv.pid\nalive() {{ kill -0 \"$(cat $pid 2>&1)\" 2>&1; }}\n\
         case $1 in\nstart) {} >/dev/null 2>&1 & echo $! > $pid;;\n\
         stop) kill \"$(cat $pid)\"; while alive >&2; do sleep 0.1; done; rm -f $pid;;\n\
         status) alive || exit 3;;\nesac\n",
        scene.server()
    );
    fs::write("/etc/init.d/es-sysv", script).map_err(|error| error.to_string())?;
    succeed("chmod", &["755", "/etc/init.d/es-sysv"])?;
    succeed("systemctl", &["daemon-reload"])?;
    succeed("service", &["es-sysv", "start"])?;
    if !wait_for(LIMIT, || serving(&scene.data()).is_some()) {
        return Err("the init script's server does not serve".to_owned());
    }
    let before = serving(&scene.data());
    let run = scene.repair(&["--service", "sysv:es-sysv"])?;
    ends(checks, "stopped, repaired and started", &run, 1, &["init script es-sysv"]);
    let after = serving(&scene.data());
    checks.holds("another process serves", after != before, || format!("{after:?}"));
    succeed("service", &["es-sysv", "stop"])
}
