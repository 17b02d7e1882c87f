//! What a running `journalctl` writes, taken as it comes: the pipe makes it wait while nobody
//! reads, and it ends with whoever listens to it.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::limit;

/// First bytes of its complaints that are kept.
const SAID_MAX_BYTES: usize = 1024;
/// Between two looks for its end.
const TURN: Duration = limit::JOURNAL_END_LOOK.time();
/// How long it may go on after it has closed its output.
const LAST_TURNS: u32 = limit::JOURNAL_END_LOOKS.count();

/// A program that writes.
#[derive(Debug)]
pub(super) struct Output {
    child: Child,
    stdout: ChildStdout,
    stderr: ChildStderr,
    said: Vec<u8>,
    started: Instant,
}

/// What there was to read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// So many bytes.
    Bytes(usize),
    /// Nothing for now.
    Nothing,
    /// It has closed its output.
    End,
}

impl Output {
    /// Starts a program, in a process group of its own: a Ctrl-C is not meant for it.
    pub(super) fn of(command: &mut Command) -> io::Result<Self> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.process_group(0).spawn()?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(io::Error::other("it has no output"));
        };
        fcntl(&stdout, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        fcntl(&stderr, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self { child, stdout, stderr, said: Vec::new(), started: Instant::now() })
    }

    /// How long it has been running.
    pub(super) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Reads what it has written, without waiting for more.
    pub(super) fn take(&mut self, block: &mut [u8]) -> io::Result<Taken> {
        self.hear();
        match self.stdout.read(block) {
            Ok(0) => Ok(Taken::End),
            Ok(count) => Ok(Taken::Bytes(count)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(Taken::Nothing)
            }
            Err(error) => Err(error),
        }
    }

    /// Waits until it has written something, or `most` has passed.
    pub(super) fn wait(&self, most: Duration) {
        let timeout = PollTimeout::try_from(most).unwrap_or(PollTimeout::from(1_000_u16));
        let mut fds = [PollFd::new(self.stdout.as_fd(), PollFlags::POLLIN)];
        // A wait that a signal ends is one that was shorter.
        let _ = poll(&mut fds, timeout);
    }

    /// Keeps the beginning of what it complains of, and makes room for more.
    fn hear(&mut self) {
        let mut block = [0; SAID_MAX_BYTES];
        while let Ok(count @ 1..) = self.stderr.read(&mut block) {
            let room = SAID_MAX_BYTES.saturating_sub(self.said.len()).min(count);
            self.said.extend_from_slice(block.get(..room).unwrap_or_default());
        }
    }

    /// How it ended, after its output did.
    pub(super) fn ended(mut self) -> io::Result<()> {
        for _ in 0..LAST_TURNS {
            self.hear();
            if let Some(status) = self.child.try_wait()? {
                self.hear();
                let said = String::from_utf8_lossy(&self.said);
                let said = said.lines().last().unwrap_or("without a word");
                let fault = || io::Error::other(format!("journalctl failed ({status}): {said}"));
                return if status.success() { Ok(()) } else { Err(fault()) };
            }
            std::thread::sleep(TURN);
        }
        Err(io::Error::other("journalctl closed its output and does not end"))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // It only reads; fails where it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
