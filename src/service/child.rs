//! Runs a program with its output kept, within bounds of time and memory.
//!
//! The program gets a process group of its own, so that a Ctrl-C meant for this program does not
//! end it half-way, and so that what it started can be ended with it when the time is over.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::ServiceError;

/// The end of each stream that is kept; far more than `systemctl show` of some properties writes.
const KEPT_BYTES: usize = 256 * 1024;
/// Most that is taken from a stream at a time, so that a flood cannot hide that the time is over.
const TURN_BYTES: usize = 1024 * 1024;
/// How often the program is looked at while it writes nothing.
const TURN_MS: u16 = 20;
/// Time from the request to end to the end by force.
const GRACE: Duration = crate::limit::CHILD_GRACE.time();
/// Longest text that goes into an error.
const TOLD_CHARS: usize = 400;

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// By itself.
    Exited(ExitStatus),
    /// Its time was over.
    OverTime,
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// How.
    pub(crate) ending: Ending,
    stdout: Kept,
    stderr: Kept,
}

impl Finished {
    /// All of its standard output; `None` if that was more than is kept.
    pub(crate) fn stdout(&self) -> Option<String> {
        (self.stdout.dropped_bytes == 0).then(|| self.stdout.text())
    }

    /// It, if it ended with success in time; `told` is how its command line is named if not.
    ///
    /// # Errors
    /// [`ServiceError::Failed`] and [`ServiceError::OverTime`].
    pub(super) fn success(self, told: &str, limit: Duration) -> Result<Self, ServiceError> {
        match self.ending {
            Ending::Exited(status) if status.success() => Ok(self),
            Ending::Exited(status) => Err(ServiceError::Failed {
                command: told.to_owned(),
                status: status.to_string(),
                output: self.last_words(),
            }),
            Ending::OverTime => Err(self.over_time(told, limit)),
        }
    }

    /// That its time was over.
    pub(super) fn over_time(&self, told: &str, limit: Duration) -> ServiceError {
        ServiceError::OverTime {
            command: told.to_owned(),
            limit_s: limit.as_secs(),
            output: self.last_words(),
        }
    }

    /// The end of what it wrote, its errors if there are any, as one line of visible characters.
    pub(crate) fn last_words(&self) -> String {
        let errors = one_line(&self.stderr.text());
        if errors.is_empty() { one_line(&self.stdout.text()) } else { errors }
    }
}

/// Runs `command` for no longer than `limit`, with nothing on its standard input.
///
/// What it leaves running in the background has no reader for its output afterwards, as with init
/// scripts: whoever starts a server has to redirect what the server writes.
///
/// # Errors
/// [`ServiceError::Spawn`] if it cannot be run or watched.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Result<Finished, ServiceError> {
    watch(command, limit).map_err(|source| ServiceError::Spawn {
        program: command.get_program().to_string_lossy().into_owned(),
        source,
    })
}

/// What begins the names of the variables that are for this program alone: some hold credentials.
const OWN_VARIABLES: &str = "ES_TRANSLOG_FIX_";

fn without_own_variables(command: &mut Command) {
    let given = command.get_envs().map(|(name, _)| name.to_owned());
    let inherited = std::env::vars_os().map(|(name, _)| name);
    let is_own = |name: &OsString| name.to_string_lossy().starts_with(OWN_VARIABLES);
    let own: Vec<OsString> = given.chain(inherited).filter(is_own).collect();
    for name in own {
        command.env_remove(name);
    }
}

fn watch(command: &mut Command, limit: Duration) -> io::Result<Finished> {
    let started = Instant::now();
    without_own_variables(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let mut stdout = Stream::new(child.stdout.take())?;
    let mut stderr = Stream::new(child.stderr.take())?;
    let ending = loop {
        wait_for_output([stdout.fd(), stderr.fd()])?;
        // Asked before the last reading: what it wrote before it ended is there to be read.
        let status = child.try_wait()?;
        stdout.take_what_is_there()?;
        stderr.take_what_is_there()?;
        if let Some(status) = status {
            break Ending::Exited(status);
        }
        if started.elapsed() >= limit {
            end(&mut child)?;
            stdout.take_what_is_there()?;
            stderr.take_what_is_there()?;
            break Ending::OverTime;
        }
    };
    Ok(Finished { ending, stdout: stdout.kept, stderr: stderr.kept })
}

fn wait_for_output(open: [Option<BorrowedFd<'_>>; 2]) -> io::Result<()> {
    let mut waiting: Vec<PollFd<'_>> =
        open.into_iter().flatten().map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
    match poll(&mut waiting, PollTimeout::from(TURN_MS)) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Asks the group to end, and ends the program itself by force if it does not. The rest of the
/// group is not: it may be a server.
fn end(child: &mut Child) -> io::Result<()> {
    if let Ok(group) = i32::try_from(child.id()) {
        // Fails only if the group is gone.
        let _ = killpg(Pid::from_raw(group), Signal::SIGTERM);
    }
    let asked = Instant::now();
    while child.try_wait()?.is_none() {
        if asked.elapsed() >= GRACE {
            child.kill()?;
            child.wait()?;
            break;
        }
        sleep(Duration::from_millis(u64::from(TURN_MS)));
    }
    Ok(())
}

/// One of the two output streams of a program.
struct Stream<R> {
    source: Option<R>,
    kept: Kept,
}

impl<R: Read + AsFd> Stream<R> {
    fn new(source: Option<R>) -> io::Result<Self> {
        if let Some(source) = &source {
            fcntl(source, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        Ok(Self { source, kept: Kept::default() })
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.source.as_ref().map(AsFd::as_fd)
    }

    fn take_what_is_there(&mut self) -> io::Result<()> {
        let mut buffer = [0; 8192];
        let mut taken_bytes = 0_usize;
        while let Some(source) = &mut self.source
            && taken_bytes < TURN_BYTES
        {
            match source.read(&mut buffer) {
                Ok(0) => self.source = None,
                Ok(len) => {
                    self.kept.add(buffer.get(..len).unwrap_or_default());
                    taken_bytes = taken_bytes.saturating_add(len);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The last [`KEPT_BYTES`] of a stream.
#[derive(Debug, Default)]
struct Kept {
    bytes: VecDeque<u8>,
    dropped_bytes: usize,
}

impl Kept {
    fn add(&mut self, more: &[u8]) {
        self.bytes.extend(more);
        let excess = self.bytes.len().saturating_sub(KEPT_BYTES);
        self.bytes.drain(..excess);
        self.dropped_bytes = self.dropped_bytes.saturating_add(excess);
    }

    fn text(&self) -> String {
        let bytes: Vec<u8> = self.bytes.iter().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The end of `text` as one line: lines joined by "; ", control characters escaped.
fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let safe = lines.join("; ").chars().fold(String::new(), |mut safe, c| {
        if c.is_control() {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
        safe
    });
    let excess = safe.chars().count().saturating_sub(TOLD_CHARS);
    safe.chars().skip(excess).collect()
}

#[cfg(test)]
mod tests;
