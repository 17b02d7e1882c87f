//! What a run remembers of a service between its stop and its start: a file below `/run` for each
//! service, which a boot clears. A run that is killed leaves it to the next one.

use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Where the files are.
const FOLDER: &str = "/run/es-translog-fix";
/// Longest file that is read, in bytes.
const LEN_MAX_BYTES: u64 = 16 * 1024;
const HEAD: &str = "# es-translog-fix keeps this service down while it changes the node's files.\n\
    # `es-translog-fix resume` or `undo` ends that; so does removing this file, at your own risk.\n";

/// How a service was before it was stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Whether it ran, or was meant to.
    pub was_up: bool,
    /// What changes with each start of it, as its manager says it; empty when that is not known.
    pub started_at: String,
    /// The restart policy of a container, as its engine takes it.
    pub restart_policy: Option<String>,
    /// Units that ran and are stopped with it, because they need it.
    pub stopped_with: Vec<String>,
}

impl Record {
    /// Whether this still tells of the service: it was not started since.
    #[must_use]
    pub fn is_about(&self, now: &Self) -> bool {
        // A manager forgets the start of a unit that is down and that nothing refers to.
        let is_unknown = |mark: &str| mark.is_empty() || mark == "0";
        is_unknown(&now.started_at) || self.started_at == now.started_at
    }

    fn text(&self) -> String {
        let was = if self.was_up { "up" } else { "down" };
        let mut text = format!("{HEAD}was={was}\nstarted_at={}\n", self.started_at);
        let policy = self.restart_policy.iter().map(|policy| ("restart_policy", policy));
        for (name, value) in policy.chain(self.stopped_with.iter().map(|unit| ("with", unit))) {
            text.extend([name, "=", value, "\n"]);
        }
        text
    }

    /// Reads a file's text. One that says nothing is of a service that is not to be started.
    fn parse(text: &str) -> Self {
        let mut record = Self::default();
        for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
            match name {
                "was" => record.was_up = value == "up",
                "started_at" => value.clone_into(&mut record.started_at),
                "restart_policy" => record.restart_policy = Some(value.to_owned()),
                "with" => record.stopped_with.push(value.to_owned()),
                _ => {}
            }
        }
        record
    }
}

/// The folder with the files.
#[derive(Debug, Clone)]
pub struct Records {
    folder: PathBuf,
}

impl Default for Records {
    fn default() -> Self {
        Self { folder: PathBuf::from(FOLDER) }
    }
}

impl Records {
    /// Records in another folder than the system's.
    #[must_use]
    pub fn within(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The file for the service of this name.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.held-for-repair"))
    }

    /// What was written down for it.
    #[must_use]
    pub fn read(&self, name: &str) -> Option<Record> {
        let file = fs::File::open(self.path(name)).ok()?;
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, LEN_MAX_BYTES), &mut bytes).ok()?;
        Some(Record::parse(&String::from_utf8_lossy(&bytes)))
    }

    /// Writes it down, whole or not at all.
    ///
    /// # Errors
    /// When the folder cannot be made or written, mostly for want of rights.
    pub fn write(&self, name: &str, record: &Record) -> io::Result<()> {
        if !self.folder.is_dir() {
            DirBuilder::new().mode(0o755).create(&self.folder)?;
        }
        let mut file = NamedTempFile::new_in(&self.folder)?;
        file.write_all(record.text().as_bytes())?;
        // Anybody may see why a unit does not start.
        file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
        file.persist(self.path(name))?;
        Ok(())
    }

    /// Forgets it.
    ///
    /// # Errors
    /// When the file is there and cannot be removed.
    pub fn forget(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        // Fails while there are others.
        let _ = fs::remove_dir(&self.folder);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::within(&folder.path().join("run"));
        assert_eq!(records.read("es.service"), None);
        records.forget("es.service").unwrap();
        let record = Record {
            was_up: true,
            started_at: "17".to_owned(),
            restart_policy: Some("on-failure:5".to_owned()),
            stopped_with: vec!["front.service".to_owned(), "b.service".to_owned()],
        };
        records.write("es.service", &record).unwrap();
        records.write("other.service", &Record::default()).unwrap();
        assert_eq!(records.read("es.service"), Some(record));
        assert_eq!(records.read("other.service"), Some(Record::default()));
        let mode = records.path("es.service").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
        records.forget("es.service").unwrap();
        records.forget("other.service").unwrap();
        assert!(!folder.path().join("run").exists());
    }

    #[test]
    fn a_start_since_makes_a_record_void() {
        let mark = |text: &str| Record { started_at: text.to_owned(), ..Record::default() };
        assert!(mark("17").is_about(&mark("17")));
        assert!(mark("17").is_about(&mark("0")));
        assert!(mark("17").is_about(&mark("")));
        assert!(!mark("17").is_about(&mark("18")));
        assert!(!mark("0").is_about(&mark("18")));
    }

    #[test]
    fn a_file_of_anything_starts_nothing() {
        assert_eq!(Record::parse("was=what\n=\n\u{0}"), Record::default());
    }
}
