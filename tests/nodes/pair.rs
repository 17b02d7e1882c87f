//! Two nodes of one cluster on one machine, or a third one of which two run at a time: each a systemd
//! unit with folders of its own. The first is the only one that may be master. Only for use inside
//! the sandbox.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::http::Api;
use crate::http_copies::CopyOnNode;
use crate::run::{output_of, property_of, succeed, wait_for};
use crate::version::{CLUSTER, Vendor, Version};

/// A start of one node, two on a busy machine.
const START_LIMIT: Duration = Duration::from_mins(3);
const HTTP_PORT: u32 = 20_000;
const TRANSPORT_PORT: u32 = 20_050;

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    First,
    Second,
    Third,
}

pub(crate) const BOTH: [Who; 2] = [Who::First, Who::Second];
const THREE: [Who; 3] = [Who::First, Who::Second, Who::Third];

impl Who {
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::First => 1,
            Self::Second => 2,
            Self::Third => 3,
        }
    }

    pub(crate) fn name(self) -> String {
        format!("node-{}", self.number())
    }

    pub(crate) fn unit(self) -> String {
        format!("search-{}.service", self.number())
    }

    pub(crate) fn data(self) -> PathBuf {
        format!("/var/lib/search-{}", self.number()).into()
    }

    pub(crate) fn logs(self) -> PathBuf {
        format!("/var/log/search-{}", self.number()).into()
    }

    pub(crate) fn config(self) -> PathBuf {
        format!("/etc/search-{}", self.number()).into()
    }

    pub(crate) fn url(self) -> String {
        format!("http://127.0.0.1:{}", HTTP_PORT + self.number())
    }
}

/// The nodes.
pub(crate) struct Pair {
    pub(crate) version: Version,
    nodes: &'static [Who],
}

impl Pair {
    /// Installs two; the program folder is at `/usr/share/PROGRAM`.
    pub(crate) fn install(version: &Version) -> Result<Self, String> {
        Self::install_nodes(version, &BOTH)
    }

    /// Installs three.
    pub(crate) fn install_three(version: &Version) -> Result<Self, String> {
        Self::install_nodes(version, &THREE)
    }

    fn install_nodes(version: &Version, nodes: &'static [Who]) -> Result<Self, String> {
        let program = version.program();
        let pair = Self { version: version.clone(), nodes };
        succeed("systemd-sysusers", &["--inline", &format!("u {program} - \"{program}\" - -")])?;
        for &who in nodes {
            for folder in [who.data(), who.logs(), who.config()] {
                fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
            }
            let home = PathBuf::from(format!("/usr/share/{program}/config"));
            for entry in home.read_dir().map_err(|error| error.to_string())? {
                let from = entry.map_err(|error| error.to_string())?.path();
                let to = who.config().join(from.file_name().unwrap_or_default());
                fs::copy(&from, to).map_err(|error| error.to_string())?;
            }
            let variable = version.config_variable();
            let unit = format!(
                "[Unit]\nDescription={program} {}\n\n[Service]\nType=simple\nUser={program}\n\
                 Group={program}\nEnvironment={variable}={}\n\
                 ExecStart=/usr/share/{program}/bin/{program}\nSuccessExitStatus=143\n\
                 TimeoutStopSec=60\n",
                who.name(),
                who.config().display()
            );
            fs::write(format!("/etc/systemd/system/{}", who.unit()), unit)
                .map_err(|error| error.to_string())?;
        }
        pair.configure(false)?;
        succeed("systemctl", &["daemon-reload"])?;
        Ok(pair)
    }

    /// Writes the settings. `together`: nothing is recovered before both nodes are there.
    pub(crate) fn configure(&self, together: bool) -> Result<(), String> {
        let program = self.version.program();
        for &who in self.nodes {
            let (http, transport) = (HTTP_PORT + who.number(), TRANSPORT_PORT + who.number());
            let mut settings = format!(
                "cluster.name: {CLUSTER}\nnode.name: {}\npath.data: {}\npath.logs: {}\n\
                 network.host: 127.0.0.1\nhttp.port: {http}\ntransport.port: {transport}\n",
                who.name(),
                who.data().display(),
                who.logs().display()
            );
            let first = TRANSPORT_PORT + Who::First.number();
            let seeds = |setting: &str| format!("{setting}: [\"127.0.0.1:{first}\"]\n");
            let has_roles = self.version.vendor == Vendor::OpenSearch || self.version.major >= 8;
            if self.version.has_types() {
                settings = settings.replace("transport.port", "transport.tcp.port");
                settings.push_str("discovery.zen.minimum_master_nodes: 1\n");
                settings.push_str(&seeds("discovery.zen.ping.unicast.hosts"));
            } else {
                settings.push_str(&seeds("discovery.seed_hosts"));
                if who == Who::First {
                    settings += "cluster.initial_master_nodes: [node-1]\n";
                }
            }
            if who != Who::First {
                settings += if has_roles { "node.roles: [data]\n" } else { "node.master: false\n" };
            }
            if together {
                settings += "gateway.recover_after_data_nodes: 2\n";
            }
            let path = who.config().join(format!("{program}.yml"));
            fs::write(&path, settings).map_err(|error| format!("{}: {error}", path.display()))?;
            let owner = format!("{program}:{program}");
            let folders = [who.data(), who.logs(), who.config()];
            let folders = folders.map(|path| path.display().to_string());
            succeed("chown", &["-R", &owner, &folders[0], &folders[1], &folders[2]])?;
        }
        Ok(())
    }

    pub(crate) fn api(&self, who: Who) -> Api {
        Api::new(&self.version, &who.url())
    }

    /// The copies as the first node tells them; none where it does not answer.
    pub(crate) fn copies(&self) -> Vec<CopyOnNode> {
        self.api(Who::First).copies().unwrap_or_default()
    }

    pub(crate) fn start(who: Who) -> Result<(), String> {
        succeed("systemctl", &["start", &who.unit()])
    }

    /// Waits until the copies are as wanted.
    pub(crate) fn wait(
        &self,
        what: &str,
        is_ready: impl Fn(&[CopyOnNode]) -> bool,
    ) -> Result<(), String> {
        let mut last = Vec::new();
        let is_done = wait_for(START_LIMIT, || {
            last = self.copies();
            is_ready(&last)
        });
        if is_done { Ok(()) } else { Err(format!("{what}: not in {START_LIMIT:?}: {last:?}")) }
    }

    /// Ends a node as a crash does.
    pub(crate) fn kill(who: Who) -> Result<(), String> {
        let state = || property_of(&who.unit(), "ActiveState");
        if state()? != "active" {
            return Ok(());
        }
        succeed("systemctl", &["kill", "--kill-who=all", "--signal=KILL", &who.unit()])?;
        let is_gone = wait_for(Duration::from_secs(20), || state().is_ok_and(|it| it == "failed"));
        succeed("systemctl", &["reset-failed", &who.unit()])?;
        if is_gone { Ok(()) } else { Err("the unit is still there after SIGKILL".to_owned()) }
    }

    /// Puts the data folders back as they are in `copy`, the logs empty.
    pub(crate) fn restore(copy: &Path) -> Result<(), String> {
        for who in THREE.into_iter().filter(|who| who.data().is_dir()) {
            Self::kill(who)?;
            for folder in [who.data(), who.logs()] {
                fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
            }
            fs::create_dir_all(who.logs()).map_err(|error| error.to_string())?;
            let from = copy.join(who.name()).display().to_string();
            succeed("cp", &["-a", &from, &who.data().display().to_string()])?;
        }
        Ok(())
    }

    /// Copies the data folders.
    pub(crate) fn save(copy: &Path) -> Result<(), String> {
        fs::create_dir_all(copy).map_err(|error| error.to_string())?;
        for who in THREE.into_iter().filter(|who| who.data().is_dir()) {
            let to = copy.join(who.name()).display().to_string();
            succeed("cp", &["-a", &who.data().display().to_string(), &to])?;
        }
        Ok(())
    }

    pub(crate) fn keep_logs(folder: &Path) -> Result<(), String> {
        for who in THREE.into_iter().filter(|who| who.logs().is_dir()) {
            let to = folder.join(who.name()).display().to_string();
            succeed("cp", &["-rT", &who.logs().display().to_string(), &to])?;
        }
        let journal = output_of("journalctl", &["--no-pager", "--unit", "search-*"])?;
        fs::write(folder.join("journal.txt"), journal).map_err(|error| error.to_string())
    }
}

/// Whether both copies of so many indices of one shard have started.
pub(crate) fn is_green(copies: &[CopyOnNode], index_count: usize) -> bool {
    let started = copies.iter().filter(|copy| copy.state == "STARTED").count();
    started == copies.len() && started == index_count * 2
}
