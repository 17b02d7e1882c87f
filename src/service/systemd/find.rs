//! Which unit is the node's: the one named, the packages', or the one that starts a node on given
//! data paths.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::super::show::{LAUNCH_PROPERTIES, Launch, Status, unit_names};
use super::super::{Opener, ServiceError};
use super::facts::facts_of;
use super::{ANSWER_LIMIT, Systemd, systemctl};
use crate::node::{SettingsFlags, UnitFacts, resolve_settings};

/// The units of the packages.
const PACKAGE_UNITS: [&str; 3] =
    ["elasticsearch.service", "opensearch.service", "wazuh-indexer.service"];
/// Words of which one is in a server's unit: its name, its command, or its environment.
const SERVER_WORDS: [&str; 4] = ["elasticsearch", "opensearch", "wazuh-indexer", "path.data"];
/// Where units are that last until the next boot.
const RUNTIME_UNITS: &str = "/run/systemd/system";
/// Most units that are looked at.
const UNITS_MAX: usize = 2_000;
/// Units in one question.
const UNITS_ASKED: usize = 200;

/// What systemd has under a name.
enum Found {
    Loaded(Systemd),
    Nothing,
    Refused(ServiceError),
}

impl Systemd {
    /// Whether systemd runs here, as `sd_booted(3)` has it.
    #[must_use]
    pub fn is_here() -> bool {
        Path::new(RUNTIME_UNITS).is_dir()
    }

    /// The unit called `explicit`, which may leave out `.service`; else that of the packages, if
    /// there is one. `None` if systemd does not run here or has none of these.
    ///
    /// # Errors
    /// When the unit named is missing, or the one found is masked or unusable, or there are two.
    pub fn find(explicit: Option<&str>) -> Result<Option<Self>, ServiceError> {
        if Self::is_here() {
            return Self::find_with(Path::new("systemctl"), explicit);
        }
        match explicit {
            Some(name) => Err(ServiceError::NoSystemd { unit: name.to_owned() }),
            None => Ok(None),
        }
    }

    pub(super) fn find_with(
        systemctl: &Path,
        explicit: Option<&str>,
    ) -> Result<Option<Self>, ServiceError> {
        if let Some(name) = explicit {
            let unit = unit_name(name)?;
            return match Self::look_up(systemctl, unit.clone())? {
                Found::Loaded(unit) => Ok(Some(unit)),
                Found::Nothing => Err(ServiceError::NotFound { unit }),
                Found::Refused(reason) => Err(reason),
            };
        }
        let mut loaded: Vec<Self> = Vec::new();
        let mut refusal = None;
        for name in PACKAGE_UNITS {
            match Self::look_up(systemctl, name.to_owned())? {
                // Two names of one unit are one.
                Found::Loaded(unit) if loaded.iter().all(|other| other.unit != unit.unit) => {
                    loaded.push(unit);
                }
                Found::Refused(reason) => refusal = refusal.or(Some(reason)),
                Found::Loaded(_) | Found::Nothing => {}
            }
        }
        match (Self::only(loaded)?, refusal) {
            (None, Some(reason)) => Err(reason),
            (unit, _) => Ok(unit),
        }
    }

    /// The only one of some units.
    ///
    /// # Errors
    /// [`ServiceError::Ambiguous`] when there are several.
    fn only(mut units: Vec<Self>) -> Result<Option<Self>, ServiceError> {
        if units.len() > 1 {
            let units = units.into_iter().map(|unit| unit.unit).collect();
            return Err(ServiceError::Ambiguous { units });
        }
        Ok(units.pop())
    }

    /// The unit of a process that has a node open. What somebody starts over a connection or in a job
    /// can be in the group of the unit that serves these; that one is not stopped.
    ///
    /// # Errors
    /// [`ServiceError::NotItsUnit`] when the unit says nothing of a server and the process is not
    /// its main one; as for [`Systemd::find`].
    pub fn of(opener: &Opener) -> Result<Self, ServiceError> {
        let Opener { pid, command, unit } = opener.clone();
        match Self::find(Some(&unit))? {
            None => Err(ServiceError::NotFound { unit }),
            Some(found) if found.is_there_for(pid)? => Ok(found),
            Some(_) => Err(ServiceError::NotItsUnit { pid, command, unit }),
        }
    }

    pub(super) fn is_there_for(&self, pid: i32) -> Result<bool, ServiceError> {
        Ok(self.status()?.main_pid == Some(pid)
            || self.facts().is_ok_and(|facts| is_server(&facts)))
    }

    /// The unit's full name.
    #[must_use]
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// The unit that starts a node on one of the data paths, if there is one.
    ///
    /// # Errors
    /// When systemd does not answer, or there are several.
    pub fn find_on(data_paths: &[PathBuf]) -> Result<Option<Self>, ServiceError> {
        if !Self::is_here() {
            return Ok(None);
        }
        Self::only(on_data_paths(Self::servers_with(Path::new("systemctl"))?, data_paths))
    }

    /// The only unit that looks like a server's, whatever its name.
    ///
    /// # Errors
    /// When systemd does not answer, or there are several.
    pub fn find_server() -> Result<Option<Self>, ServiceError> {
        if !Self::is_here() {
            return Ok(None);
        }
        let servers = Self::servers_with(Path::new("systemctl"))?;
        Self::only(servers.into_iter().map(|(unit, _)| unit).collect())
    }

    pub(super) fn servers_with(program: &Path) -> Result<Vec<(Self, UnitFacts)>, ServiceError> {
        let lists: [&[&str]; 2] = [
            &["list-unit-files", "--type=service", "--no-legend", "--full"],
            &["list-units", "--all", "--type=service", "--no-legend", "--full", "--plain"],
        ];
        let mut names: BTreeSet<String> = BTreeSet::new();
        for words in lists {
            let told = format!("systemctl {}", words.first().copied().unwrap_or_default());
            let answer = systemctl(program, words, &told, ANSWER_LIMIT)?;
            let text = answer.stdout().unwrap_or_default();
            names.extend(unit_names(&text).map(str::to_owned));
        }
        let names: Vec<&str> = names.iter().map(String::as_str).take(UNITS_MAX).collect();
        let properties = format!("--property=Id,LoadState,{}", LAUNCH_PROPERTIES.join(","));
        let mut found: BTreeMap<String, UnitFacts> = BTreeMap::new();
        for asked in names.chunks(UNITS_ASKED) {
            let words: Vec<&str> =
                ["show", properties.as_str(), "--"].iter().chain(asked).copied().collect();
            let answer = systemctl(program, &words, "systemctl show", ANSWER_LIMIT)?;
            let text = answer.stdout().unwrap_or_default();
            found.extend(text.split("\n\n").filter_map(server_of));
        }
        let unit = |(unit, facts)| (Self::new(program, unit), facts);
        Ok(found.into_iter().map(unit).collect())
    }

    fn look_up(systemctl: &Path, name: String) -> Result<Found, ServiceError> {
        let named = Self::new(systemctl, name);
        let Status { id, load_state, .. } = named.status()?;
        Ok(match load_state.as_str() {
            "loaded" => Found::Loaded(Self { unit: id, ..named }),
            "not-found" => Found::Nothing,
            "masked" => Found::Refused(ServiceError::Masked { unit: id }),
            _ => Found::Refused(ServiceError::Unusable { unit: id, load_state }),
        })
    }

    fn new(systemctl: &Path, unit: String) -> Self {
        let (systemctl, runtime) = (systemctl.to_owned(), PathBuf::from(RUNTIME_UNITS));
        Self { unit, systemctl, runtime, stopped_with: Vec::new(), notes: Vec::new() }
    }
}

/// Those of some units that start a node on one of the data paths.
pub(super) fn on_data_paths(
    servers: Vec<(Systemd, UnitFacts)>,
    data_paths: &[PathBuf],
) -> Vec<Systemd> {
    let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let wanted: BTreeSet<PathBuf> = data_paths.iter().map(|path| canonical(path)).collect();
    let fits = |facts: &UnitFacts| {
        resolve_settings(&SettingsFlags::default(), Some(facts)).is_ok_and(|settings| {
            settings.data_paths.iter().any(|path| wanted.contains(&canonical(&path.value)))
        })
    };
    servers.into_iter().filter(|(_, facts)| fits(facts)).map(|(unit, _)| unit).collect()
}

/// A server's unit in one answer of `systemctl show`. One whose environment cannot be read is none.
fn server_of(shown: &str) -> Option<(String, UnitFacts)> {
    let value = |name: &str| {
        shown.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::trim)
    };
    let unit = value("Id")?;
    if value("LoadState")? != "loaded" {
        return None;
    }
    let facts = facts_of(unit, Launch::parse(shown)).ok()?;
    is_server(&facts).then_some((unit.to_owned(), facts))
}

/// Whether a unit says anything of a server.
fn is_server(facts: &UnitFacts) -> bool {
    let has_word = |text: &String| SERVER_WORDS.iter().any(|word| text.contains(word));
    let in_environment =
        facts.environment.iter().any(|(name, value)| has_word(name) || has_word(value));
    in_environment || has_word(&facts.name) || facts.command_line.iter().any(has_word)
}

/// The full name of a service unit. Patterns, paths and options are no names.
fn unit_name(given: &str) -> Result<String, ServiceError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    if given.is_empty() || given.starts_with('-') || !given.chars().all(fits) {
        return Err(ServiceError::BadName { name: given.to_owned() });
    }
    let stem = given.strip_suffix(".service").unwrap_or(given);
    Ok(format!("{stem}.service"))
}
