//! Why a server did not come up: from its log, or from what its service manager or its Java says.
//!
//! Texts as Elasticsearch 7.17.28 and 8.19.0 and OpenSearch 2.19.1 were seen to write them; those of
//! other releases after `BootstrapChecks.java` (2.4 to 8.x), `JavaVersionChecker.java` and the JVM's
//! own `arguments.cpp` and `os_linux.cpp`.

use std::fmt;

use serde::Serialize;

/// What keeps a server from coming up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BootCause {
    /// `bootstrap.memory_lock`, and the memory may not be locked.
    MemoryLock,
    /// Too few file descriptors.
    OpenFiles,
    /// Too few threads.
    Threads,
    /// `vm.max_map_count`, and what it has to be.
    MapCount {
        /// At least.
        needed: u64,
    },
    /// Heap sizes that differ.
    HeapSizes,
    /// No discovery settings although it is bound to a network.
    Discovery,
    /// Another bootstrap check.
    OtherCheck,
    /// `elasticsearch.yml` or `opensearch.yml`.
    Settings,
    /// The Java, or an option of it.
    Java,
    /// No memory for the heap.
    Memory,
    /// The data folder is in use.
    InUse,
    /// Rights on files.
    Permission,
    /// An address or a port.
    Address,
    /// Started as root.
    Root,
    /// Data of a newer release.
    Newer,
    /// A plugin of another release.
    Plugin,
    /// No room on a disk.
    NoSpace,
}

/// One reason, with the line that tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BootTrouble {
    /// The reason.
    pub cause: BootCause,
    /// The line, as it is written.
    pub line: String,
}

/// Words that tell a reason; the first row that fits a line counts.
#[rustfmt::skip]
const ROWS: [(BootCause, &[&str]); 25] = [
    (BootCause::MemoryLock, &["memory locking requested for"]),
    (BootCause::OpenFiles, &["max file descriptors [", " is too low"]),
    (BootCause::Threads, &["max number of threads [", " is too low"]),
    (BootCause::HeapSizes, &["initial heap size [", "not equal to maximum heap size"]),
    (BootCause::Discovery, &["the default discovery settings are unsuitable"]),
    (BootCause::OtherCheck, &["bootstrap check failure ["]),
    (BootCause::Settings, &["Failed to load settings from ["]),
    (BootCause::Settings, &["unknown setting ["]),
    (BootCause::Settings, &["Failed to parse value", "for setting ["]),
    (BootCause::Settings, &["SettingsException"]),
    (BootCause::Java, &["UnsupportedClassVersionError"]),
    (BootCause::Java, &["minimum required Java version"]),
    (BootCause::Java, &["requires at least Java"]),
    (BootCause::Java, &["Unrecognized VM option"]),
    (BootCause::Java, &["could not find java"]),
    (BootCause::Java, &["enable the Security Manager"]),
    (BootCause::Memory, &["insufficient memory for the Java Runtime Environment"]),
    (BootCause::Memory, &["os::commit_memory("]),
    (BootCause::Memory, &["Could not reserve enough space for"]),
    (BootCause::Memory, &["OutOfMemoryError"]),
    (BootCause::Root, &["can not run ", "as root"]),
    (BootCause::Newer, &["cannot downgrade a node from version ["]),
    (BootCause::Plugin, &["was built for ", " version "]),
    (BootCause::Address, &["Address already in use"]),
    (BootCause::NoSpace, &["No space left on device"]),
];
/// As the rows above; these are told by what is wrong with a folder, and by much else.
const LAST_ROWS: [(BootCause, &[&str]); 4] = [
    (BootCause::InUse, &["ailed to obtain node lock"]),
    (BootCause::Address, &["BindTransportException"]),
    (BootCause::Address, &["BindHttpException"]),
    (BootCause::Permission, &["AccessDeniedException"]),
];
const MAP_COUNT: &str = "vm.max_map_count [";
const AT_LEAST: &str = "increase to at least [";
/// Reasons of one start that are kept.
const TROUBLES_MAX: usize = 20;
/// Lines that are shown where no reason is known.
const LAST_LINES: usize = 3;
/// Longest line that is kept, in characters.
const LINE_CHARS_MAX: usize = 300;

/// The reasons in what was written when a server did not come up, each once.
#[must_use]
pub fn boot_troubles(text: &str) -> Vec<BootTrouble> {
    let mut troubles: Vec<BootTrouble> = Vec::new();
    for line in text.lines() {
        let Some(cause) = cause_of(line) else { continue };
        if troubles.len() >= TROUBLES_MAX || troubles.iter().any(|known| known.cause == cause) {
            continue;
        }
        let shown = line.trim().chars().filter(|c| !c.is_control()).take(LINE_CHARS_MAX);
        troubles.push(BootTrouble { cause, line: shown.collect() });
    }
    troubles
}

fn cause_of(line: &str) -> Option<BootCause> {
    if let Some(needed) = map_count_of(line) {
        return Some(BootCause::MapCount { needed });
    }
    let mut rows = ROWS.iter().chain(&LAST_ROWS);
    let fits = |words: &[&str]| words.iter().all(|word| line.contains(word));
    rows.find(|(_, words)| fits(words)).map(|(cause, _)| *cause)
}

/// What `vm.max_map_count` has to be, where a line says that it is too low.
fn map_count_of(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once(MAP_COUNT)?;
    let (_, needed) = rest.split_once(AT_LEAST)?;
    needed.split(']').next()?.parse().ok()
}

impl BootCause {
    /// What a person does about it.
    #[must_use]
    pub fn action(self) -> String {
        let text = match self {
            Self::MapCount { needed } => {
                return format!(
                    "`sysctl -w vm.max_map_count={needed}`, and keep it in /etc/sysctl.d"
                );
            }
            Self::MemoryLock => {
                "`LimitMEMLOCK=infinity` in the unit (`systemctl edit`), or bootstrap.memory_lock: \
                 false"
            }
            Self::OpenFiles => "`LimitNOFILE=65535` in the unit (`systemctl edit`)",
            Self::Threads => "`LimitNPROC=4096` in the unit (`systemctl edit`)",
            Self::HeapSizes => "give -Xms and -Xmx the same size in jvm.options",
            Self::Discovery => {
                "set discovery.seed_hosts and cluster.initial_master_nodes, or discovery.type: \
                 single-node"
            }
            Self::OtherCheck => "do what the line says",
            Self::Settings => "mend the line in the server's configuration that it names",
            Self::Java => {
                "give it the Java it was made for (ES_JAVA_HOME, JAVA_HOME), and jvm.options \
                 of its own release"
            }
            Self::Memory => "free memory, or give it a smaller heap (-Xms, -Xmx)",
            Self::InUse => "stop the process that has the data folder",
            Self::Permission => "give the service's user the file back (`chown`)",
            Self::Address => "free the port, or bind it to an address that this machine has",
            Self::Root => {
                "start it as the service's user, and give that user its files back (`chown`)"
            }
            Self::Newer => "the data was written by a newer release: start that one",
            Self::Plugin => "install the plugin for this release, or take it away",
            Self::NoSpace => "make room on the file systems of the data path and the log",
        };
        text.to_owned()
    }
}

impl fmt::Display for BootTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; to do: {}", self.line, self.cause.action())
    }
}

/// Why a server did not come up: the reasons known in what was written, else its last lines.
#[must_use]
pub fn boot_reason(text: &str) -> Option<String> {
    let troubles = boot_troubles(text);
    if !troubles.is_empty() {
        let told: Vec<String> = troubles.iter().map(ToString::to_string).collect();
        return Some(told.join("; "));
    }
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default();
    let all = last.join(" / ");
    let shown: String = all.chars().filter(|c| !c.is_control()).take(LINE_CHARS_MAX).collect();
    (!shown.is_empty()).then_some(shown)
}

#[cfg(test)]
mod tests;
