//! Where a process comes from, as its control group says it (`/proc/PID/cgroup`). Pure, but for the
//! reading of that file.
//!
//! One line a hierarchy, `NUMBER:CONTROLLERS:PATH`; the unified one is `0::PATH`, and before it
//! systemd had one of its own, `N:name=systemd:PATH` (cgroups(7)). systemd puts a service at
//! `/system.slice/UNIT`, what somebody started in his session at
//! `/user.slice/user-UID.slice/session-N.scope`, and units of a user's own manager below
//! `user@UID.service`. Containers are `docker-ID.scope`, `libpod-ID.scope` and the like, or
//! `/docker/ID` without systemd.

use std::fmt;

use super::container::Engine;

/// Fewest characters of a container's id in a name that has nothing else.
const ID_CHARS: usize = 64;
/// How much of it people and engines use.
const SHORT_ID_CHARS: usize = 12;

/// Where a process comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A unit of the system's manager.
    Unit(String),
    /// A unit of a user's own manager.
    UserUnit(String),
    /// Somebody's session.
    Session,
    /// A container.
    Container {
        /// Its engine, where it is one that this program can ask.
        engine: Option<Engine>,
        /// Its id, shortened.
        id: String,
    },
    /// No unit of any kind.
    Nowhere,
}

impl Origin {
    /// What a person can do about a process that no unit stops.
    #[must_use]
    pub fn what_to_do(&self) -> String {
        match self {
            Self::Unit(unit) => format!("say --service {unit}"),
            Self::UserUnit(unit) => format!(
                "say --stop-command and --start-command for it, or `systemctl --user stop {unit}` \
                 as that user and --service none"
            ),
            Self::Container { engine: Some(engine), id } => {
                format!("say --service {}:{id}", engine.program())
            }
            Self::Container { engine: None, .. } => {
                "stop it where it is run from and say --service none".to_owned()
            }
            Self::Session | Self::Nowhere => "stop it by hand and say --service none, or say what \
                stops it with --stop-command and --start-command"
                .to_owned(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit(unit) => write!(f, "belongs to unit {unit}"),
            Self::UserUnit(unit) => write!(f, "belongs to a user's own unit {unit}"),
            Self::Session => f.write_str("was started by hand in a session"),
            Self::Container { engine: Some(engine), id } => {
                write!(f, "runs in {} container {id}", engine.program())
            }
            Self::Container { engine: None, id } => write!(f, "runs in container {id}"),
            Self::Nowhere => f.write_str("was started by hand, in no unit"),
        }
    }
}

/// Where a process comes from; [`Origin::Nowhere`] also when it is gone.
#[must_use]
pub fn origin_of(pid: i32) -> Origin {
    std::fs::read_to_string(format!("/proc/{pid}/cgroup"))
        .map_or(Origin::Nowhere, |text| parse(&text))
}

fn parse(text: &str) -> Origin {
    let lines: Vec<(&str, &str)> =
        text.lines().filter_map(|line| line.split_once(':')?.1.split_once(':')).collect();
    let of = |wanted: &str| {
        lines.iter().find(|(controllers, _)| *controllers == wanted).map(|(_, path)| *path)
    };
    // Where both are there, systemd's own is the one it keeps (hybrid: the unified may be empty).
    let systemd = of("name=systemd").map(of_path).filter(|origin| *origin != Origin::Nowhere);
    let unified = || of("").map(of_path).filter(|origin| *origin != Origin::Nowhere);
    let any = || lines.iter().map(|(_, path)| of_path(path)).find(|one| *one != Origin::Nowhere);
    systemd.or_else(unified).or_else(any).unwrap_or(Origin::Nowhere)
}

fn of_path(path: &str) -> Origin {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    let service = |names: &[&str]| {
        names.iter().find(|name| name.ends_with(".service")).map(|name| (*name).to_owned())
    };
    let user_manager = names
        .iter()
        .position(|name| name.strip_prefix("user@").is_some_and(|rest| rest.ends_with(".service")));
    // A container that a unit runs in its own group (Podman's split mode) stops with the unit.
    let before_container =
        names.iter().position(|name| container(name).is_some()).unwrap_or(names.len());
    let is_container = before_container < names.len();
    if let Some(at) = user_manager {
        let below = names.get(at.saturating_add(1)..).unwrap_or_default();
        if is_container {
            return found_container(&names);
        }
        return service(below).map_or(Origin::Session, Origin::UserUnit);
    }
    let outer = names.get(..before_container).unwrap_or_default();
    let is_runtime = |unit: &str| {
        ["docker.service", "containerd.service", "crio.service", "kubelet.service"].contains(&unit)
    };
    match service(outer) {
        Some(unit) if !(is_container && is_runtime(&unit)) => Origin::Unit(unit),
        _ if is_container => found_container(&names),
        _ if names.iter().any(|name| is_session(name)) => Origin::Session,
        _ => Origin::Nowhere,
    }
}

fn is_session(name: &str) -> bool {
    name.strip_prefix("session-").is_some_and(|rest| rest.strip_suffix(".scope").is_some())
}

fn found_container(names: &[&str]) -> Origin {
    let id_of = |name: &&&str| container(name).map(|(engine, id)| (engine, id.to_owned()));
    let Some((mut engine, id)) = names.iter().rev().find_map(|name| id_of(&name)) else {
        return Origin::Nowhere;
    };
    // Without systemd the engine is in the name of the folder above.
    if names.contains(&"docker") {
        engine = Some(Engine::Docker);
    } else if names.contains(&"libpod_parent") {
        engine = Some(Engine::Podman);
    }
    Origin::Container { engine, id: id.chars().take(SHORT_ID_CHARS).collect() }
}

/// The container that the name of a control group tells.
fn container(name: &str) -> Option<(Option<Engine>, &str)> {
    let bare = name.strip_suffix(".scope").unwrap_or(name);
    // containerd without systemd: `SLICE:cri-containerd:ID`.
    let bare = bare.rsplit(':').next().unwrap_or(bare);
    let is_id = |id: &str| id.len() >= ID_CHARS && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let prefixes = [
        ("docker-", Some(Engine::Docker)),
        ("libpod-payload-", Some(Engine::Podman)),
        ("libpod-", Some(Engine::Podman)),
        ("crio-", None),
        ("cri-containerd-", None),
    ];
    let after_prefix = prefixes.iter().find_map(|(prefix, engine)| {
        bare.strip_prefix(prefix).filter(|id| is_id(id)).map(|id| (*engine, id))
    });
    after_prefix.or_else(|| is_id(bare).then_some((None, bare)))
}

#[cfg(test)]
mod tests;
