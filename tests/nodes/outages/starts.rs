//! Starts that fail for a reason that is none of the translog's: a setting, the heap, the Java.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::About;
use super::scene::{REPAIR, Scene, events, play};
use crate::checks::Checks;
use crate::red_to_green::Shard;

/// A setting that the server does not know.
pub(super) fn bad_settings(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    play(about, checks, |scene| {
        let shards = scene.broken()?;
        let path = scene.node.config().join(format!("{}.yml", scene.node.version.program()));
        let good = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let bad = format!("{good}indices.nonsense.size: 10%\n");
        fs::write(&path, bad).map_err(|error| error.to_string())?;
        fails_to_start(scene, "indices.nonsense.size")?;
        fs::write(&path, good).map_err(|error| error.to_string())?;
        mended(scene, &shards)
    })
}

/// A heap that is bigger than the machine's memory.
pub(super) fn no_memory(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    play(about, checks, |scene| {
        let shards = scene.broken()?;
        let variable = scene.node.version.heap_variable();
        scene.drop_in("heap", &format!("[Service]\nEnvironment={variable}=4000g\n"))?;
        fails_to_start(scene, "memory")?;
        scene.drop_in("heap", "")?;
        mended(scene, &shards)
    })
}

/// A Java that is too new for the server.
pub(super) fn wrong_java(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    const START: &str = "/usr/local/lib/start-with-another-java";
    play(about, checks, |scene| {
        let new = fs::read_dir("/usr/lib/jvm").map_err(|error| error.to_string())?;
        let is_new = |name: &str| ["24", "25", "26"].iter().any(|major| name.contains(major));
        let mut names = new.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let java = names.find(|name| is_new(name)).ok_or("a Java 24 or later is missing")?;
        let shards = scene.broken()?;
        let program = scene.node.version.program();
        let script = format!(
            "#!/bin/sh\nhome=/usr/share/{program}\nscript=$(sed -e 's|^java=.*|\
             java=/usr/lib/jvm/{java}/bin/java|' -e 's|^home=.*||' $home/bin/{program})\n\
             eval \"$script\"\n"
        );
        fs::write(START, script).map_err(|error| error.to_string())?;
        fs::set_permissions(START, fs::Permissions::from_mode(0o755))
            .map_err(|error| error.to_string())?;
        scene.drop_in("java", &format!("[Service]\nExecStart=\nExecStart={START}\n"))?;
        fails_to_start(scene, "Security Manager")?;
        scene.drop_in("java", "")?;
        mended(scene, &shards)
    })
}

/// The files are repaired, and the start fails; the sentence tells why, and no round follows.
fn fails_to_start(scene: &mut Scene<'_>, why: &str) -> Result<(), String> {
    scene.checks.step("a repair before a start that cannot work");
    let starts_before = scene.starts()?;
    let run = scene.job("fails-to-start", 8, &REPAIR)?;
    let started = scene.starts()? - starts_before;
    scene.checks.holds("one start is tried", started == 1, || format!("{started}"));
    scene.says("why the node does not start", &run, &[why]);
    let rounds = events(&run, "round-ended").len();
    scene.checks.holds("no other round follows", rounds <= 1, || format!("{rounds}"));
    let starts_before = scene.starts()?;
    let run = scene.tool.run("still-broken", &crate::tool::View::Plain, &REPAIR)?;
    let started = scene.starts()? - starts_before;
    let is_told = run.exit_code != 0 && run.exit_code & 1 == 0;
    scene.checks.holds("a second run does not call that well", is_told, || run.words());
    scene.checks.holds("and tries one start at most", started <= 1, || run.words());
    Ok(())
}

/// The cause is taken away and the node started.
fn mended(scene: &mut Scene<'_>, shards: &[Shard]) -> Result<(), String> {
    scene.checks.step("the cause is taken away and the node started by hand");
    let count = shards.len();
    let _ = crate::run::succeed("systemctl", &["reset-failed", &scene.node.unit_name()]);
    scene
        .node
        .start(|states| states.iter().filter(|shard| shard.state == "STARTED").count() == count)?;
    scene.is_green(shards)
}
