//! The program stopped or killed in the middle of a repair, while its unit is held down.

use std::io::Read as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::checks::Checks;
use crate::run::{output_of, wait_for};
use crate::scene::Scene;
use crate::services::ends;
use crate::tool::Run;

/// So many shards that there is time to stop the program.
pub(crate) const SHARD_COUNT: usize = 300;
const LIMIT: Duration = Duration::from_mins(2);

/// A repair that has begun, stopped by SIGSTOP.
pub(crate) struct Begun(Child);

impl Begun {
    /// With these words, and held when this says so.
    pub(crate) fn start(
        scene: &Scene,
        more: &[&str],
        is_held: impl Fn() -> bool,
    ) -> Result<Self, String> {
        let words = ["--all", "--accept-data-loss", "--wait", "60", "--output", "ndjson"];
        let mut command = scene.command(&[&words, more].concat());
        let output =
            std::fs::File::create(scene.path("said")).map_err(|error| error.to_string())?;
        let child = command.stdout(output).stderr(Stdio::null()).spawn();
        let begun = Self(child.map_err(|error| error.to_string())?);
        let started = Instant::now();
        // The first file has changed, and the unit is held.
        while !(is_held() && has_moved(scene)) {
            if started.elapsed() > LIMIT {
                return Err("the repair did not begin".to_owned());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        begun.signal(Signal::SIGSTOP)?;
        Ok(begun)
    }

    /// Lets it go on, and waits for its end.
    pub(crate) fn go_on(mut self, scene: &Scene, checks: &mut Checks) -> Result<Run, String> {
        self.signal(Signal::SIGCONT)?;
        let is_over = wait_for(LIMIT, || !matches!(self.0.try_wait(), Ok(None)));
        checks.holds("the repair comes to its end", is_over, String::new);
        let status = self.0.wait().map_err(|error| error.to_string())?;
        let mut stdout = String::new();
        std::fs::File::open(scene.path("said"))
            .and_then(|mut file| file.read_to_string(&mut stdout))
            .map_err(|error| error.to_string())?;
        Ok(Run { exit_code: status.code().unwrap_or(-1), stdout, stderr: String::new() })
    }

    fn signal(&self, signal: Signal) -> Result<(), String> {
        let id = i32::try_from(self.0.id()).map_err(|error| error.to_string())?;
        kill(Pid::from_raw(id), signal).map_err(|error| error.to_string())
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a file has left a shard.
fn has_moved(scene: &Scene) -> bool {
    let runs = scene.state_dir().join("runs").read_dir().into_iter().flatten().flatten();
    runs.map(|run| run.path().join("round-1.journal")).any(|journal| {
        std::fs::read_to_string(journal)
            .is_ok_and(|text| text.matches("\"record\":\"done\"").count() > SHARD_COUNT)
    })
}

pub(crate) fn started_meanwhile(checks: &mut Checks) -> Result<(), String> {
    // As systemd-escape(1) writes a name with a hyphen.
    let scene = Scene::new("es\\x2dheld", SHARD_COUNT, "Restart=always")?;
    scene.start()?;
    let begun = Begun::start(&scene, &[], || scene.is_held())?;
    let before = scene.translogs();
    let started = output_of("systemctl", &["start", &scene.unit]);
    let is_refused = started.as_ref().is_err_and(|error| error.contains("Assertion failed"));
    checks.holds("systemd refuses the start", is_refused, || format!("{started:?}"));
    let restarted = output_of("systemctl", &["restart", &scene.unit]);
    checks.holds("and a restart", restarted.is_err(), String::new);
    let state = scene.show("ActiveState");
    checks.holds("the unit is down", state == "inactive", || state.clone());
    checks.holds("and no file is changed", scene.translogs() == before, String::new);
    let run = begun.go_on(&scene, checks)?;
    let words = ["x2dheld.service during the repair and was refused"];
    ends(checks, "the refused start is told", &run, 1, &words);
    checks.holds("it runs again", scene.serves() && scene.is_free(), || scene.show("ActiveState"));
    Ok(())
}

pub(crate) fn killed(checks: &mut Checks) -> Result<(), String> {
    let scene = Scene::new("es-killed", SHARD_COUNT, "")?;
    scene.start()?;
    let before = scene.translogs();
    drop(Begun::start(&scene, &[], || scene.is_held())?);
    checks.holds("it is held after the kill", scene.is_held(), || format!("{:?}", scene.hold()));
    let started = scene.systemctl("start");
    checks.holds("systemd refuses a start", started.is_err(), String::new);
    let run = scene.repair(&[])?;
    ends(checks, "another run names both ways on", &run, 64, &["resume", "undo"]);
    checks.holds("and leaves the hold", scene.is_held(), || format!("{:?}", scene.hold()));
    let id = scene.run_id()?;
    let run = scene.tool(&["resume", &id])?;
    ends(checks, "resume finishes and starts it", &run, 2, &["was running", "is started again"]);
    checks.holds("it runs", scene.serves() && scene.is_free(), || scene.show("ActiveState"));
    let run = scene.tool(&["undo", &id])?;
    ends(checks, "undo takes it back and starts it", &run, 2, &["is started again"]);
    checks.holds("it runs again", scene.serves() && scene.is_free(), || scene.show("ActiveState"));
    checks.holds("every translog is back", scene.translogs() == before, String::new);
    Ok(())
}
