//! Stops that take long, and stops that never end.

use super::About;
use super::scene::{REPAIR, Scene, play};
use crate::checks::Checks;
use crate::run::succeed;

/// A stop that takes a minute, within what the program waits.
pub(super) fn slow_stop(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    play(about, checks, |scene| {
        let shards = scene.broken()?;
        scene.look()?;
        scene.drop_in("slow", "[Service]\nExecStop=/bin/sleep 60\nTimeoutStopSec=100\n")?;
        let begun = std::time::Instant::now();
        scene.job("repair", 1, &[&REPAIR[..], &["--stop-timeout", "90"]].concat())?;
        let seconds = begun.elapsed().as_secs();
        scene.checks.holds("the stop took its 60 s", seconds >= 60, || format!("{seconds} s"));
        scene.is_green(&shards)?;
        scene.drop_in("slow", "[Service]\nExecStop=\n")
    })
}

/// A stop that never ends: nothing may be changed below a node that may still write.
pub(super) fn endless_stop(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    play(about, checks, |scene| {
        let shards = scene.broken()?;
        scene.look()?;
        scene
            .drop_in("endless", "[Service]\nExecStop=/bin/sleep 3600\nTimeoutStopSec=infinity\n")?;
        let before = Scene::translogs(&shards)?;
        let limit = [&REPAIR[..], &["--stop-timeout", "5"]].concat();
        let begun = std::time::Instant::now();
        let run = scene.text("never-stops", 64, &limit)?;
        let seconds = begun.elapsed().as_secs();
        let is_bounded = (4..30).contains(&seconds);
        scene.checks.holds("it waits as long as it is told", is_bounded, || format!("{seconds} s"));
        scene.says(
            "what did not end and what to do",
            &run,
            &["did not stop within 5 s", "stop it by hand", "--service none"],
        );
        scene.job("once-more", 64, &limit)?;
        let is_same = before == Scene::translogs(&shards)?;
        scene.checks.holds("no byte of a translog is changed", is_same, || "some are".to_owned());
        scene.no_run();
        let unit = scene.node.unit_name();
        scene.drop_in("endless", "[Service]\nExecStop=\n")?;
        succeed("systemctl", &["kill", "--kill-who=all", "--signal=KILL", &unit])
    })
}
