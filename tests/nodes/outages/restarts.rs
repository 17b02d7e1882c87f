//! Units that start again by themselves, and damage that comes back with each start.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::About;
use super::scene::{REPAIR, events, play};
use crate::checks::Checks;
use crate::run::succeed;

/// The node has crashed and systemd is about to start it again when the program comes.
pub(super) fn restart_always(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    play(about, checks, |scene| {
        let shards = scene.broken()?;
        scene.drop_in(
            "restart",
            "[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=4\n",
        )?;
        scene.look()?;
        scene.checks.step("the node crashes, and the program is run before it is back");
        let unit = scene.node.unit_name();
        succeed("systemctl", &["kill", "--kill-who=all", "--signal=KILL", &unit])?;
        scene.wait_property("SubState", "auto-restart")?;
        let starts_before = scene.starts()?;
        let run = scene.job("repair", 1, &REPAIR)?;
        let (rounds, starts) = (events(&run, "round-ended").len(), scene.starts()? - starts_before);
        scene.checks.holds("it is started once a round", rounds == starts, || {
            format!("{rounds} rounds, {starts} starts")
        });
        scene.is_green(&shards)?;
        let restart = scene.property("Restart")?;
        scene.checks.holds("Restart= is what it was", restart == "always", || restart.clone());
        scene.text("again", 0, &["--yes"]).map(|_| ())
    })
}

/// A supervisor of its own starts the unit whenever it is down.
pub(super) fn restarted_by_another(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    play(about, checks, |scene| {
        let shards = scene.broken()?;
        let unit = scene.node.unit_name();
        let enabled = scene.property("UnitFileState")?;
        scene.checks.step("something starts the unit twice a second");
        let line = format!("while sleep 0.5; do systemctl start {unit}; done");
        succeed("systemd-run", &["--unit=supervisor", "sh", "-c", &line])?;
        let run = scene.job("repair", 1, &REPAIR)?;
        scene.is_green(&shards)?;
        let rounds = events(&run, "round-ended").len();
        scene.checks.holds("in one round", rounds == 1, || format!("{rounds} rounds"));
        let after = scene.property("UnitFileState")?;
        scene.checks.holds("the unit is let go", enabled == after, || after.clone());
        succeed("systemctl", &["stop", "supervisor"])?;
        succeed("systemctl", &["restart", &unit])
    })
}

/// Each start breaks the biggest translog of a shard before the server reads it.
pub(super) fn damage_returns(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    play(about, checks, |scene| {
        let shards = scene.broken()?;
        scene.look()?;
        scene.checks.step("from now on each start breaks a translog again");
        let translog = shards.first().and_then(|shard| shard.translog.path.parent());
        let folder = translog.ok_or("no translog")?.display();
        let script = format!(
            "#!/bin/sh\nfile=$(ls -S {folder}/*.tlog | head -n 1)\n\
             size=$(stat -c %s \"$file\")\n\
             [ $size -lt 200 ] || printf 'XXXXXXXX' | \
             dd of=\"$file\" bs=1 seek=$((size / 2)) conv=notrunc\n"
        );
        let path = "/usr/local/lib/break-it";
        fs::write(path, script).map_err(|error| error.to_string())?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))
            .map_err(|error| error.to_string())?;
        scene.drop_in("break", &format!("[Service]\nExecStartPre=+{path}\n"))?;
        let run = scene.job("repair", 5, &[&REPAIR[..], &["--max-rounds", "3"]].concat())?;
        let rounds = events(&run, "round-ended").len();
        scene.checks.holds("it ends within its rounds", (1..=3).contains(&rounds), || {
            format!("{rounds} rounds")
        });
        scene.says("which shard makes no progress", &run, &["orders/0", "no progress"]);
        scene.text("what is left", 4, &["--dry-run"]).map(|_| ())
    })
}
