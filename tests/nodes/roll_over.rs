//! A server that rolls its own log while it is followed, and while nobody follows it: every byte
//! comes once and in order, and the watch tells of each shard that fails.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use es_translog_fix::log::{Follower, Log, LogSource};
use flate2::read::MultiGzDecoder;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::BINARY;
use crate::batch::fill_and_break;
use crate::checks::Checks;
use crate::kind::Kind;
use crate::logs::failed;
use crate::process::Process;
use crate::run::wait_for;
use crate::tool::Tool;
use crate::version::{CLUSTER, Version};

/// A server that fails on some shards writes many times this.
const ROLL_AT: &str = "32KB";
const DAY: Duration = Duration::from_hours(24);
/// Between two looks of a follower.
const LOOK: Duration = Duration::from_millis(20);
/// For what was rolled last to be compressed, and for the watch to tell.
const LATE: Duration = Duration::from_secs(30);

/// Runs it on one server.
pub(crate) fn run(
    version: &Version,
    distribution: &Path,
    work: &Path,
    (_, checks, seed): (&mut Tool, &mut Checks, u64),
) -> Result<(), String> {
    let mut node = Process::install(version, distribution, work)?;
    if version.gives_up() {
        roll_by_size(&work.join("config/log4j2.properties"))?;
    }
    let cells = fill_and_break(&mut node, &Kind::fast(version), seed)?;
    let mut follows = Vec::new();
    for name in [format!("{CLUSTER}.log"), format!("{CLUSTER}_server.json")] {
        let path = work.join("logs").join(name);
        if path.exists() {
            follows.push(Follow::begin(path)?);
        }
    }
    let mut watch = watch(&node)?;
    let mut down = BTreeSet::new();
    for (round, days) in [(1, 3), (2, 2), (3, 1)] {
        let is_followed = round != 2;
        if !version.gives_up() {
            age(&work.join("logs").join(format!("{CLUSTER}.log")), DAY * days)?;
        }
        node.step(if is_followed { "a start, followed" } else { "a start that nobody follows" });
        node.start()?;
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let settling = scope.spawn(|| {
                let settled = node.settle(cells.len(), None);
                is_over.store(true, Ordering::Relaxed);
                settled
            });
            while !is_over.load(Ordering::Relaxed) {
                follows.iter_mut().filter(|_| is_followed).for_each(Follow::take);
                std::thread::sleep(LOOK);
            }
            settling.join().map_err(|_| "settling panicked".to_owned())?
        })?;
        down.extend(failed(&node)?);
        node.stop(Signal::SIGTERM)?;
        follows = follows.into_iter().map(Follow::again).collect::<Result<_, _>>()?;
    }
    let is_told = |told: BTreeSet<String>| told.is_superset(&down);
    let all_told = wait_for(LATE, || told(&node).is_ok_and(is_told));
    checks.holds(&format!("the watch tells of {} shards", down.len()), all_told, || {
        format!("{:?} of {down:?}", told(&node))
    });
    let id = i32::try_from(watch.id()).map_err(|error| error.to_string())?;
    kill(Pid::from_raw(id), Signal::SIGTERM).map_err(|error| error.to_string())?;
    watch.wait().map_err(|error| error.to_string())?;
    for follow in follows {
        follow.check(checks);
    }
    Ok(())
}

/// Has every file roll by size, as the vendor's own configuration does, only sooner.
fn roll_by_size(config: &Path) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", config.display());
    let text = fs::read_to_string(config).map_err(fail)?;
    let mut lines = Vec::new();
    for line in text.lines() {
        let Some((name, file)) = line.split_once(".fileName = ") else {
            let is_old = [
                ".policies.",
                ".strategy.",
                ".filePattern ",
                ".type = File",
                ".type = RollingFile",
            ];
            if !is_old.iter().any(|part| line.contains(part)) {
                lines.push(line.to_owned());
            }
            continue;
        };
        let (base, extension) = file.rsplit_once('.').ok_or("a log without an extension")?;
        let base = base.strip_suffix("_server").unwrap_or(base);
        lines.push(format!(
            "{line}\n{name}.type = RollingFile\n\
             {name}.filePattern = {base}-%d{{yyyy-MM-dd}}-%i.{extension}.gz\n\
             {name}.policies.type = Policies\n\
             {name}.policies.size.type = SizeBasedTriggeringPolicy\n\
             {name}.policies.size.size = {ROLL_AT}\n\
             {name}.strategy.type = DefaultRolloverStrategy\n{name}.strategy.fileIndex = nomax"
        ));
    }
    fs::write(config, lines.join("\n") + "\n").map_err(fail)
}

/// Makes a log as old as one that was written to days ago: up to 2.x a server rolls it then, at the
/// first line that it writes.
fn age(log: &Path, by: Duration) -> Result<(), String> {
    let then = SystemTime::now().checked_sub(by).ok_or("no such time")?;
    let file = File::options().append(true).open(log);
    file.and_then(|file| file.set_modified(then)).map_err(|error| error.to_string())
}

/// A log that is followed, and what came of it.
struct Follow {
    path: PathBuf,
    follower: Follower,
    taken: Vec<u8>,
    /// Bytes that were there before.
    before_bytes: usize,
}

impl Follow {
    fn begin(path: PathBuf) -> Result<Self, String> {
        let before_bytes = whole(&path)?.0.len();
        let follower = Follower::at_end(&path).map_err(|error| error.to_string())?;
        Ok(Self { path, follower, taken: Vec::new(), before_bytes })
    }

    /// Takes what is there. An error shows in the comparison.
    fn take(&mut self) {
        while let Ok(bytes) = self.follower.poll()
            && !bytes.is_empty()
        {
            self.taken.extend(bytes);
        }
    }

    /// Gone on with by another follower, from the place where this one stands.
    fn again(mut self) -> Result<Self, String> {
        self.take();
        let place = self.follower.position().ok_or("no place in the log")?;
        let resumed = Follower::resume(&self.path, place).map_err(|error| error.to_string())?;
        self.follower = resumed.0;
        if resumed.1 {
            Ok(self)
        } else {
            Err(format!("{}: the place is gone", self.path.display()))
        }
    }

    fn check(mut self, checks: &mut Checks) {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut wanted = (Vec::new(), 0);
        let is_same = wait_for(LATE, || {
            self.take();
            wanted = whole(&self.path).unwrap_or_default();
            wanted.0.get(self.before_bytes..) == Some(&self.taken)
        });
        let (count, rolled_count) = (self.taken.len(), wanted.1);
        checks.holds(&format!("{name}: {count} bytes, once and in order"), is_same, || {
            let wanted = wanted.0.get(self.before_bytes..).unwrap_or_default();
            let same =
                wanted.iter().zip(&self.taken).take_while(|(one, other)| one == other).count();
            format!("{count} bytes instead of {}, the same up to {same}", wanted.len())
        });
        checks.holds(&format!("{name}: rolled {rolled_count} times"), rolled_count >= 3, || {
            "too seldom to show anything".to_owned()
        });
    }
}

/// All that a log and the files rolled away from it hold, and the number of those.
fn whole(path: &Path) -> Result<(Vec<u8>, usize), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    let Log::Files(files) = LogSource::Path(path.to_owned()).find(CLUSTER).map_err(fail)? else {
        return Err("no files".to_owned());
    };
    let mut bytes = Vec::new();
    for file in files.rolled.iter().chain([&files.live]) {
        let mut opened = File::open(file).map_err(fail)?;
        if file.extension().is_some_and(|extension| extension == "gz") {
            MultiGzDecoder::new(opened).read_to_end(&mut bytes).map_err(fail)?;
        } else {
            opened.read_to_end(&mut bytes).map_err(fail)?;
        }
    }
    Ok((bytes, files.rolled.len()))
}

fn events_path(node: &Process) -> PathBuf {
    node.work.join("watch.ndjson")
}

/// The program's own watch of the plain log.
fn watch(node: &Process) -> Result<Child, String> {
    let events = File::create(events_path(node)).map_err(|error| error.to_string())?;
    let mut command = Command::new(BINARY);
    command.args(["watch", "--output", "ndjson"]).args(node.flags().iter().skip(1));
    command.stdin(Stdio::null()).stdout(events).stderr(Stdio::null());
    let child = command.spawn().map_err(|error| error.to_string())?;
    let is_on = wait_for(LATE, || {
        fs::read_to_string(events_path(node)).is_ok_and(|events| events.contains("watching"))
    });
    if is_on { Ok(child) } else { Err("the watch does not begin".to_owned()) }
}

/// The shards that the watch told of.
fn told(node: &Process) -> Result<BTreeSet<String>, String> {
    let events = fs::read_to_string(events_path(node)).map_err(|error| error.to_string())?;
    let events = events.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let found = events.filter(|event| event.get("event") == Some(&Value::from("found")));
    let shard = |event: Value| {
        let index = event.get("index")?.as_str()?.to_owned();
        Some(format!("{index}/{}", event.get("shard")?))
    };
    Ok(found.filter_map(shard).collect())
}
