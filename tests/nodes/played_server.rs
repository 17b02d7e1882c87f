//! A program that a unit starts in the place of a server: it takes the locks that a server takes,
//! as Java takes them, and waits for its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

/// First argument of the played server.
pub(crate) const PLAY_SERVER: &str = "--play-server";
/// First argument of a program that has the file of its second one open for writing.
pub(crate) const PLAY_WRITER: &str = "--play-writer";
/// What names its data path, as a server's command line does.
pub(crate) const DATA_FLAG: &str = "-Epath.data=";
/// Where it writes its process id when it has its locks, beside the data path.
const SERVING: &str = "serving";

/// The file that is written when the server of a data path has its locks.
pub(crate) fn serving_file(data: &Path) -> PathBuf {
    data.with_file_name(SERVING)
}

/// The process that serves a data path.
pub(crate) fn serving(data: &Path) -> Option<u32> {
    fs::read_to_string(serving_file(data)).ok()?.trim().parse().ok()
}

/// Plays the server; ends by a signal only.
pub(crate) fn run(words: &[String]) -> ExitCode {
    let data = words.iter().find_map(|word| word.strip_prefix(DATA_FLAG)).map(PathBuf::from);
    let Some(data) = data else { return ExitCode::from(2) };
    let held = match take_locks(&data) {
        Ok(held) => held,
        Err(error) => {
            println!("failed to obtain node locks: {error}");
            return ExitCode::FAILURE;
        }
    };
    let written = fs::write(serving_file(&data), std::process::id().to_string()).is_ok();
    println!("{} locks are held, told: {written}", held.len());
    forever()
}

/// Plays somebody who writes.
pub(crate) fn write(words: &[String]) -> ExitCode {
    match words.first().map(fs::File::create) {
        Some(Ok(_open)) => forever(),
        _ => ExitCode::FAILURE,
    }
}

fn forever() -> ! {
    loop {
        std::thread::sleep(Duration::from_mins(1));
    }
}

/// `node.lock`, and the `write.lock` of each shard.
fn take_locks(data: &Path) -> std::io::Result<Vec<fs::File>> {
    let node = data.join("nodes/0");
    let mut files = vec![node.join("node.lock")];
    for index in node.join("indices").read_dir()? {
        for shard in index?.path().read_dir()? {
            files.push(shard?.path().join("index/write.lock"));
        }
    }
    files.iter().filter(|path| path.exists() || path.ends_with("node.lock")).map(take).collect()
}

fn take(path: &PathBuf) -> std::io::Result<fs::File> {
    let file = fs::OpenOptions::new().read(true).write(true).open(path)?;
    #[expect(clippy::cast_possible_truncation, reason = "F_WRLCK is 1, SEEK_SET is 0")]
    let lock = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(&file, FcntlArg::F_SETLK(&lock))?;
    Ok(file)
}
