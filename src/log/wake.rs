//! Waiting for a log to be written to: the kernel wakes up, and where it does not, time does.
//!
//! What is new is always read from the file. A wake-up that is missed, as on a network file
//! system, or comes for nothing costs no more than a look.

use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use super::source::Log;

/// The longest wait between two looks where wake-ups are to be had; changes by other machines and
/// signals make none.
const LOOK_AT_LEAST: Duration = crate::limit::LOG_LOOK.time();

/// Watches the folder of a log.
#[derive(Debug)]
pub struct Wake {
    inotify: Option<Inotify>,
}

impl Wake {
    /// Watches where a log is. A journal, a missing folder and a missing inotify leave it to time.
    #[must_use]
    pub fn new(log: &Log) -> Self {
        match log {
            Log::Files(files) => Self::of_file(&files.live),
            Log::Journal(_) => Self { inotify: None },
        }
    }

    fn of_file(live: &Path) -> Self {
        let watch = || {
            let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).ok()?;
            let flags = AddWatchFlags::IN_MODIFY
                | AddWatchFlags::IN_CREATE
                | AddWatchFlags::IN_MOVED_TO
                | AddWatchFlags::IN_MOVED_FROM;
            inotify.add_watch(live.parent()?, flags).ok()?;
            Some(inotify)
        };
        Self { inotify: watch() }
    }

    /// Waits until something was written, or `most` has passed.
    pub fn wait(&mut self, most: Duration) {
        let Some(inotify) = &self.inotify else {
            std::thread::sleep(most);
            return;
        };
        let most = most.min(LOOK_AT_LEAST);
        let timeout = PollTimeout::try_from(most).unwrap_or(PollTimeout::from(1_000_u16));
        let mut fds = [PollFd::new(inotify.as_fd(), PollFlags::POLLIN)];
        if poll(&mut fds, timeout).is_err() {
            std::thread::sleep(most);
        }
        // What happened does not matter; that something did, does.
        let _ = inotify.read_events();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_write_wakes_and_silence_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        let mut wake = Wake::of_file(&path);
        let began = Instant::now();
        wake.wait(Duration::from_millis(30));
        assert!(began.elapsed() >= Duration::from_millis(30));
        std::fs::write(&path, "x").unwrap();
        let began = Instant::now();
        wake.wait(Duration::from_millis(900));
        assert!(began.elapsed() < Duration::from_millis(800), "{:?}", began.elapsed());
    }

    #[test]
    fn without_a_folder_time_wakes() {
        let mut wake = Wake::of_file(Path::new("/not/there/x.log"));
        let began = Instant::now();
        wake.wait(Duration::from_millis(20));
        assert!(began.elapsed() >= Duration::from_millis(20));
    }
}
