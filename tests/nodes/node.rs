//! A real server as the packages install it: user, folders under /etc, /var/lib and /var/log, and a
//! systemd unit. Only for use inside the sandbox: it writes to the machine it runs on.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::http::{Api, ShardState};
use crate::run::{output_of, property_of, succeed, wait_for};
use crate::version::{CLUSTER, Version};

/// A server's start, in a busy machine.
const START_LIMIT: Duration = Duration::from_mins(2);
/// The standard port: inside the sandbox every port is free.
const URL: &str = "http://127.0.0.1:9200";
/// Where a data folder is set aside.
const ASIDE: &str = "/var/node-copies/aside";
/// Marks that the unit's hooks are to keep copies of the node's folders.
const KEEP_COPIES: &str = "/run/node-copies/wanted";

/// An installed server.
pub(crate) struct Node {
    pub(crate) version: Version,
    pub(crate) api: Api,
}

impl Node {
    /// Installs the server whose program folder is at `/usr/share/PROGRAM`.
    pub(crate) fn install(version: &Version) -> Result<Self, String> {
        let program = version.program();
        let node = Self { version: version.clone(), api: Api::new(version, URL) };
        let user = format!("u {program} - \"{program}\" - -");
        succeed("systemd-sysusers", &["--inline", &user])?;
        for folder in [node.data(), node.logs(), node.config()] {
            fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        }
        let home = PathBuf::from(format!("/usr/share/{program}"));
        for entry in home.join("config").read_dir().map_err(|error| error.to_string())? {
            let from = entry.map_err(|error| error.to_string())?.path();
            let to = node.config().join(from.file_name().unwrap_or_default());
            fs::copy(&from, to).map_err(|error| error.to_string())?;
        }
        let settings = format!(
            "cluster.name: {CLUSTER}\nnode.name: node-1\npath.data: {}\npath.logs: {}\n\
             network.host: 127.0.0.1\n{}",
            node.data().display(),
            node.logs().display(),
            version.extra_settings()
        );
        write(&node.config().join(format!("{program}.yml")), &settings, 0o660)?;
        let owner = format!("{program}:{program}");
        let folders = [node.data(), node.logs()].map(|path| path.display().to_string());
        succeed("chown", &["-R", &owner, &folders[0], &folders[1]])?;
        let config = node.config().display().to_string();
        succeed("chown", &["-R", &format!("root:{program}"), &config])?;
        // The packages make a keystore when they are installed; here the server makes its own.
        succeed("chmod", &["2770", &config])?;
        write(Path::new(&format!("/etc/default/{program}")), &node.environment(), 0o644)?;
        write(Path::new("/usr/local/lib/node-copies"), COPIES, 0o755)?;
        let unit = node.unit();
        write(Path::new(&format!("/etc/systemd/system/{program}.service")), &unit, 0o644)?;
        succeed("systemctl", &["daemon-reload"])?;
        Ok(node)
    }

    /// The packages' environment file.
    fn environment(&self) -> String {
        let variable = self.version.config_variable();
        format!("{variable}={}\n", self.config().display())
    }

    /// The text of the unit.
    pub(crate) fn unit(&self) -> String {
        let program = self.version.program();
        format!(
            "[Unit]\nDescription={program}\n\n[Service]\nType=simple\nUser={program}\n\
             Group={program}\nEnvironmentFile=-/etc/default/{program}\n\
             ExecStartPre=+/usr/local/lib/node-copies before-start /var/lib/{program}\n\
             ExecStart=/usr/share/{program}/bin/{program}\n\
             ExecStopPost=+/usr/local/lib/node-copies after-stop /var/lib/{program}\n\
             SuccessExitStatus=143\nTimeoutStopSec=60\n"
        )
    }

    pub(crate) fn data(&self) -> PathBuf {
        Path::new("/var/lib").join(self.version.program())
    }

    pub(crate) fn logs(&self) -> PathBuf {
        Path::new("/var/log").join(self.version.program())
    }

    pub(crate) fn config(&self) -> PathBuf {
        Path::new("/etc").join(self.version.program())
    }

    /// The server's plain log.
    pub(crate) fn log_text(&self) -> Result<String, String> {
        let path = self.logs().join(format!("{CLUSTER}.log"));
        let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    pub(crate) fn unit_name(&self) -> String {
        format!("{}.service", self.version.program())
    }

    /// Starts the unit, and waits until `is_ready` says so of its shards.
    pub(crate) fn start(&self, is_ready: impl Fn(&[ShardState]) -> bool) -> Result<(), String> {
        succeed("systemctl", &["start", &self.unit_name()])?;
        self.wait(is_ready)
    }

    /// Waits until the node answers and `is_ready` says so of its shards.
    pub(crate) fn wait(&self, is_ready: impl Fn(&[ShardState]) -> bool) -> Result<(), String> {
        let mut last = String::new();
        let mut is_dead = false;
        let is_done = wait_for(START_LIMIT, || {
            match self.api.shards() {
                Ok(shards) if is_ready(&shards) => return true,
                Ok(shards) => last = format!("{shards:?}"),
                Err(error) => {
                    last = error;
                    is_dead = self.state().is_ok_and(|state| state == "failed");
                }
            }
            is_dead
        });
        match (is_done, is_dead) {
            (true, false) => Ok(()),
            (_, true) => Err("the server ended by itself; see journal.txt".to_owned()),
            (false, false) => Err(format!("not ready in {START_LIMIT:?}: {last}")),
        }
    }

    pub(crate) fn stop(&self) -> Result<(), String> {
        succeed("systemctl", &["stop", &self.unit_name()])
    }

    /// Ends the server as a crash does, and waits until it is gone.
    pub(crate) fn kill(&self) -> Result<(), String> {
        // A process that ends meanwhile makes it fail: what counts is whether the unit is gone.
        let killed = ["kill", "--kill-who=all", "--signal=KILL", &self.unit_name()];
        let _ = succeed("systemctl", &killed);
        let limit = Duration::from_secs(20);
        let is_gone = wait_for(limit, || self.state().is_ok_and(|state| state == "failed"));
        if is_gone { Ok(()) } else { Err("the unit is still there after SIGKILL".to_owned()) }
    }

    /// The unit's state in systemd's words.
    fn state(&self) -> Result<String, String> {
        property_of(&self.unit_name(), "ActiveState")
    }

    /// Keeps the server's log and the unit's journal in a folder.
    pub(crate) fn keep_logs(&self, folder: &Path) -> Result<(), String> {
        let logs = self.logs().display().to_string();
        succeed("cp", &["-r", &logs, &folder.display().to_string()])?;
        let journal = output_of("journalctl", &["--unit", &self.unit_name()])?;
        fs::write(folder.join("journal.txt"), journal).map_err(|error| error.to_string())
    }

    /// How often the unit was stopped and started so far, by systemd's own records.
    pub(crate) fn stops_and_starts(&self) -> Result<(usize, usize), String> {
        const STOPPED: &str = "MESSAGE_ID=9d1aaa27d60140bd96365438aad20286";
        const STARTED: &str = "MESSAGE_ID=39f53479d3a045ac8e11786248231fbf";
        succeed("journalctl", &["--sync"])?;
        let unit = format!("UNIT={}", self.unit_name());
        let count = |message: &str| {
            let arguments = ["--output=cat", "--quiet", "_PID=1", message, &unit];
            output_of("journalctl", &arguments).map(|text| text.lines().count())
        };
        Ok((count(STOPPED)?, count(STARTED)?))
    }

    /// Keeps the data folder of the stopped node as it is, for [`Node::put_back`].
    pub(crate) fn set_aside(&self) -> Result<(), String> {
        fs::create_dir_all(ASIDE).map_err(|error| error.to_string())?;
        succeed("cp", &["-a", &self.data().display().to_string(), ASIDE])
    }

    /// Makes the data folder of the stopped node what it was when it was set aside.
    pub(crate) fn put_back(&self) -> Result<(), String> {
        fs::remove_dir_all(self.data()).map_err(|error| error.to_string())?;
        let aside = Path::new(ASIDE).join(self.version.program()).display().to_string();
        succeed("cp", &["-a", &aside, "/var/lib"])
    }

    /// The folders with copies of /var/lib as it was after the first stop, and before the start
    /// that followed.
    pub(crate) fn copies() -> (PathBuf, PathBuf) {
        ("/var/node-copies/after-stop".into(), "/var/node-copies/before-start".into())
    }

    /// From now on a stop and a start keep copies.
    pub(crate) fn keep_copies(wanted: bool) -> Result<(), String> {
        let mark = Path::new(KEEP_COPIES);
        if wanted {
            fs::create_dir_all("/run/node-copies").map_err(|error| error.to_string())?;
            fs::write(mark, "").map_err(|error| error.to_string())
        } else {
            fs::remove_file(mark).map_err(|error| error.to_string())
        }
    }
}

/// Copies what belongs to a node, its quarantine and the program's records, links and times kept.
const COPIES: &str = r#"#!/bin/sh
set -eu
[ -e /run/node-copies/wanted ] || exit 0
to=/var/node-copies/$1
# Of several rounds the first.
[ ! -e "$to" ] || exit 0
mkdir -p "$to"
set -- "$2" "$2.es-translog-fix" /var/lib/es-translog-fix
for folder; do
    shift
    [ ! -e "$folder" ] || set -- "$@" "$folder"
done
cp -a "$@" "$to"
"#;

fn write(path: &Path, text: &str, mode: u32) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    fs::write(path, text).map_err(fail)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(fail)
}
