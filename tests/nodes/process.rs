//! A server as a plain process of a user without rights: quicker than a machine of its own, and
//! enough where only shards matter.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::http::Api;
use crate::run::{succeed, wait_for};
use crate::version::{CLUSTER, Version};

/// `nobody`, on every Linux.
const USER_ID: &str = "65534";
/// A server's start with many damaged shards, on a busy machine.
const SETTLE_LIMIT: Duration = Duration::from_mins(4);
const STOP_LIMIT: Duration = Duration::from_mins(1);
/// Tries after which the server gives a shard up, from 5.0 on.
const ATTEMPTS: u64 = 5;
/// Lines about a failure of a shard after which it counts as failing, before 5.0: at each try the
/// server writes two or more, and one failure can be followed by a success.
const FAILURE_LINES: u64 = 6;
/// The same for a shard that is to start: some do at their second or third try.
const FAILURE_LINES_OF_EXPECTED: u64 = 40;
/// Shows the server's folder where its user can read it.
const AS_USER: &str = "mount --bind \"$1\" \"$2\"; shift 2; exec \"$@\"";

/// What became of the shards of a start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settled {
    pub(crate) started: BTreeSet<String>,
}

/// A server.
pub(crate) struct Process {
    begun: Instant,
    pub(crate) version: Version,
    pub(crate) api: Api,
    pub(crate) work: PathBuf,
    distribution: PathBuf,
    child: Option<Child>,
    log_offset: u64,
    failure_lines: BTreeMap<String, u64>,
}

impl Process {
    /// Lays out a node's folders below `work`.
    pub(crate) fn install(
        version: &Version,
        distribution: &Path,
        work: &Path,
    ) -> Result<Self, String> {
        let fail = |error: std::io::Error| format!("{}: {error}", work.display());
        for folder in ["data", "logs", "config", "scratch", "server", "state"] {
            fs::create_dir_all(work.join(folder)).map_err(fail)?;
        }
        for entry in distribution.join("config").read_dir().map_err(fail)? {
            let from = entry.map_err(fail)?.path();
            let to = work.join("config").join(from.file_name().unwrap_or_default());
            fs::copy(&from, to).map_err(fail)?;
        }
        let (http_port, transport_port) = (free_port()?, free_port()?);
        let settings = format!(
            "cluster.name: {CLUSTER}\nnode.name: node-1\npath.data: {work}/data\n\
             path.logs: {work}/logs\nnetwork.host: 127.0.0.1\nhttp.port: {http_port}\n\
             {}: {transport_port}\n\
             cluster.routing.allocation.disk.threshold_enabled: false\n\
             cluster.routing.allocation.node_initial_primaries_recoveries: 500\n{}",
            version.transport_port_setting(),
            version.extra_settings(),
            work = work.display(),
        );
        let file = work.join("config").join(format!("{}.yml", version.program()));
        fs::write(file, settings).map_err(fail)?;
        Ok(Self {
            begun: Instant::now(),
            version: version.clone(),
            api: Api::new(version, &format!("http://127.0.0.1:{http_port}")),
            work: work.to_path_buf(),
            distribution: distribution.to_path_buf(),
            child: None,
            log_offset: 0,
            failure_lines: BTreeMap::new(),
        })
    }

    /// Says what is being done.
    pub(crate) fn step(&self, text: &str) {
        println!("{:<12} {:>4} s  {text}", self.version.name, self.begun.elapsed().as_secs());
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.work.join("data")
    }

    /// Gives the node's folders to the user that it runs as.
    pub(crate) fn own(&self) -> Result<(), String> {
        let owner = format!("{USER_ID}:{USER_ID}");
        let folders = ["data", "logs", "config", "scratch"].map(|name| self.work.join(name));
        let mut words = vec!["-R".to_owned(), owner];
        words.extend(folders.iter().map(|folder| folder.display().to_string()));
        succeed("chown", &words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Starts the server.
    pub(crate) fn start(&mut self) -> Result<(), String> {
        let program = self.version.program();
        let server = self.work.join("server");
        let console = fs::File::options()
            .create(true)
            .append(true)
            .open(self.work.join("console.txt"))
            .map_err(|error| error.to_string())?;
        self.log_offset = fs::metadata(self.log_path()).map_or(0, |metadata| metadata.len());
        self.failure_lines.clear();
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-euc", AS_USER, "sh"]);
        command.arg(&self.distribution).arg(&server);
        let user = format!("--reuid {USER_ID} --regid {USER_ID} --clear-groups --pdeathsig KILL");
        command.arg("setpriv").args(user.split(' '));
        command.arg(server.join("bin").join(program));
        command.env(self.version.config_variable(), self.work.join("config"));
        command.env(self.version.heap_variable(), "512m");
        command.env(self.version.scratch_variable(), self.work.join("scratch"));
        command.stdin(Stdio::null());
        command.stderr(console.try_clone().map_err(|error| error.to_string())?).stdout(console);
        self.child = Some(command.spawn().map_err(|error| format!("unshare: {error}"))?);
        Ok(())
    }

    fn log_path(&self) -> PathBuf {
        self.work.join("logs").join(format!("{CLUSTER}.log"))
    }

    /// Counts the lines of the log since the start that tell of a failure of a shard.
    fn read_log(&mut self) {
        let Ok(mut file) = fs::File::open(self.log_path()) else { return };
        let mut bytes = Vec::new();
        let is_read = file.seek(SeekFrom::Start(self.log_offset)).is_ok()
            && file.read_to_end(&mut bytes).is_ok();
        if !is_read {
            return;
        }
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
        self.log_offset += whole as u64;
        let text = String::from_utf8_lossy(bytes.get(..whole).unwrap_or_default()).into_owned();
        // Up to 2.x, statistics that are asked for fail at DEBUG while a shard is not up yet, and
        // the lines below such a record name it once more.
        let tells = |line: &&str| {
            line.starts_with("[2") && line.contains("fail") && !line.contains("][DEBUG][")
        };
        for line in text.lines().filter(tells) {
            let index = line.split('[').find_map(|part| {
                let name = part.strip_suffix(']')?;
                name.starts_with('v').then_some(name)
            });
            if let Some(index) = index {
                *self.failure_lines.entry(index.to_owned()).or_default() += 1;
            }
        }
    }

    /// Waits until each shard is started or given up, or, before 5.0, fails again and again;
    /// of those in `expected`, where given, until all are started.
    pub(crate) fn settle(
        &mut self,
        index_count: usize,
        expected: Option<&BTreeSet<String>>,
    ) -> Result<Settled, String> {
        let mut settled = Settled::default();
        let mut problem = String::new();
        let mut is_dead = false;
        let is_done = wait_for(SETTLE_LIMIT, || {
            is_dead = self.child.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)));
            match self.look(index_count, expected, &mut settled) {
                Ok(is_settled) => is_settled || is_dead,
                Err(error) => {
                    problem = error;
                    is_dead
                }
            }
        });
        if is_dead {
            return Err("the server ended by itself; see console.txt".to_owned());
        }
        // What does not start in time is told by what is started.
        if is_done || expected.is_some() {
            return Ok(settled);
        }
        Err(format!("not settled in {SETTLE_LIMIT:?}: {problem}"))
    }

    fn look(
        &mut self,
        index_count: usize,
        expected: Option<&BTreeSet<String>>,
        settled: &mut Settled,
    ) -> Result<bool, String> {
        let states = self.api.shards()?;
        if states.len() < index_count {
            return Ok(false);
        }
        let started = states.iter().filter(|shard| shard.state == "STARTED");
        settled.started = started.map(|shard| shard.index.clone()).collect();
        if settled.started.len() == index_count {
            return Ok(true);
        }
        let mut failing: BTreeSet<String> = BTreeSet::new();
        if self.version.gives_up() {
            let attempts = self.api.failed_attempts()?;
            let given_up = attempts.into_iter().filter(|(_, _, count)| *count >= ATTEMPTS);
            failing.extend(given_up.map(|(index, ..)| index));
        } else {
            self.read_log();
            let most = expected.map_or(FAILURE_LINES, |_| FAILURE_LINES_OF_EXPECTED);
            let again = self.failure_lines.iter().filter(|(_, count)| **count >= most);
            failing.extend(again.map(|(index, _)| index.clone()));
        }
        let is_over = |index: &String| settled.started.contains(index) || failing.contains(index);
        Ok(match expected {
            Some(expected) => expected.iter().all(is_over),
            None => states.iter().all(|shard| is_over(&shard.index)),
        })
    }

    /// Waits until a server that cannot start has ended; what it said.
    pub(crate) fn ends_by_itself(&mut self) -> Result<String, String> {
        let Some(mut child) = self.child.take() else { return Err("it is not started".into()) };
        if !wait_for(SETTLE_LIMIT, || !matches!(child.try_wait(), Ok(None))) {
            self.child = Some(child);
            return Err(format!("the server did not end in {SETTLE_LIMIT:?}"));
        }
        let status = child.wait().map_err(|error| error.to_string())?;
        let read = |path: &Path| fs::read(path).unwrap_or_default();
        let (log, console) = (read(&self.log_path()), read(&self.work.join("console.txt")));
        let new = usize::try_from(self.log_offset).ok().and_then(|offset| log.get(offset..));
        let said = [new.unwrap_or_default(), &console].concat();
        if status.success() {
            return Err("the server ended well".to_owned());
        }
        Ok(String::from_utf8_lossy(&said).into_owned())
    }

    /// Flags of the program for this node with no service, and nobody to ask.
    pub(crate) fn flags(&self) -> Vec<String> {
        let mut words = ["--yes", "--service", "none"].map(str::to_owned).to_vec();
        let folders = [
            ("--config", "config"),
            ("--data", "data"),
            ("--logs", "logs"),
            ("--state-dir", "state"),
        ];
        for (flag, name) in folders {
            words.extend([flag.to_owned(), self.work.join(name).display().to_string()]);
        }
        words
    }

    /// The words of a repair of every shard at a level, told as JSON.
    pub(crate) fn repair_words(&self, level: &str) -> Vec<String> {
        let words = ["--all", "--accept-data-loss", "--keep", level, "--output", "json"];
        words.into_iter().map(str::to_owned).chain(self.flags()).collect()
    }

    /// Ends the server, by SIGKILL or in order.
    pub(crate) fn stop(&mut self, signal: Signal) -> Result<(), String> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let id = i32::try_from(child.id()).map_err(|error| error.to_string())?;
        kill(Pid::from_raw(id), signal).map_err(|error| error.to_string())?;
        if wait_for(STOP_LIMIT, || !matches!(child.try_wait(), Ok(None))) {
            return Ok(());
        }
        child.kill().and_then(|()| child.wait()).map_err(|error| error.to_string())?;
        Err(format!("the server did not stop on {signal} in {STOP_LIMIT:?}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}
