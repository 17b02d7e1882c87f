//! A real container engine, and a damaged node whose played server runs in a container of it. Only
//! for use inside the sandbox.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::played_server::{DATA_FLAG, PLAY_SERVER, serving_file};
use crate::run::{output_of, succeed, wait_for};
use crate::scene::{Scene, put_unit};

/// Longest time for anything a container does.
const LIMIT: Duration = Duration::from_mins(1);
/// An image with nothing in it: what runs is mounted into it.
const IMAGE: &str = "played";
/// Where the node is in the container: not where it is outside.
const HOME: &str = "/usr/share/elasticsearch";

/// A container engine.
pub(crate) struct Engine {
    pub(crate) program: &'static str,
    /// Programs that it consists of.
    pub(crate) needs: &'static [&'static str],
    /// With these words the server is not the first process of its machine, which hears no SIGTERM.
    pub(crate) ending: &'static [&'static str],
}

pub(crate) const ENGINES: [Engine; 2] = [
    Engine {
        program: "docker",
        needs: &["docker", "dockerd", "containerd", "docker-init", "tar"],
        ending: &["--init"],
    },
    Engine { program: "podman", needs: &["podman", "conmon", "tar"], ending: &["--pid=host"] },
];

impl Engine {
    /// Brings it up with the image.
    pub(crate) fn prepare(&self) -> Result<String, String> {
        let fail = |error: std::io::Error| error.to_string();
        let folder = Path::new("/srv").join(self.program);
        fs::create_dir_all(folder.join("image")).map_err(fail)?;
        if self.program == "docker" {
            // As the packages have it, but for the network and the file system, which are not what
            // is tried here.
            let text = format!(
                "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=notify\nDelegate=yes\n\
                 KillMode=process\nEnvironment=PATH={}\nExecStart=/usr/bin/env dockerd \
                 --iptables=false --ip6tables=false --bridge=none --storage-driver=vfs \
                 --data-root={}/data\n",
                std::env::var("PATH").unwrap_or_default(),
                folder.display()
            );
            put_unit("docker", &text)?;
            succeed("systemctl", &["start", "docker"])?;
        } else {
            let storage = format!(
                "[storage]\ndriver=\"vfs\"\ngraphroot=\"{}/data\"\n\
                 runroot=\"/run/podman-storage\"\n",
                folder.display()
            );
            fs::create_dir_all("/etc/containers").map_err(fail)?;
            fs::write("/etc/containers/storage.conf", storage).map_err(fail)?;
            let policy = "{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}";
            fs::write("/etc/containers/policy.json", policy).map_err(fail)?;
        }
        let (image, tar) = (folder.join("image"), folder.join("image.tar"));
        let (image, tar) = (image.display().to_string(), tar.display().to_string());
        succeed("tar", &["-C", &image, "-cf", &tar, "."])?;
        self.run(&["import", &tar, IMAGE])?;
        self.run(&["--version"])
    }

    pub(crate) fn run(&self, words: &[&str]) -> Result<String, String> {
        output_of(self.program, words).map(|text| text.trim().to_owned())
    }

    /// Makes a container with these words, with a folder of this machine at a place of its own and
    /// this program in it, told these words.
    pub(crate) fn create(
        &self,
        name: &'static str,
        (folder, place): (&Path, &str),
        words: &[&str],
        told: &[&str],
    ) -> Result<Made<'_>, String> {
        let this = std::env::current_exe().map_err(|error| error.to_string())?;
        let folder = format!("{}:{place}", folder.display());
        let server = format!("{}:/server:ro", this.display());
        let create = ["create", "--network=none", "--name", name, "-v", &folder, "-v", &server];
        self.run(&[&create, words, &[IMAGE, "/server"], told].concat())?;
        Ok(Made { engine: self, name })
    }

    /// Whether a container's restart policy can be changed.
    pub(crate) fn changes_policies(&self) -> bool {
        self.run(&["update", "--help"]).is_ok_and(|text| text.contains("--restart"))
    }

    /// What it does with its containers when the machine comes up.
    pub(crate) fn come_up(&self) -> Result<(), String> {
        if self.program == "docker" {
            return succeed("systemctl", &["restart", "docker"]);
        }
        // The command of podman-restart.service.
        self.run(&["start", "--all", "--filter", "restart-policy=always"]).map(|_| ())
    }
}

/// A container, until this value is dropped.
pub(crate) struct Made<'a> {
    engine: &'a Engine,
    name: &'static str,
}

impl Made<'_> {
    pub(crate) fn tell(&self, verb: &str) -> Result<(), String> {
        self.engine.run(&[verb, self.name]).map(|_| ())
    }
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        let _ = self.engine.run(&["rm", "--force", self.name]);
    }
}

/// A damaged node in a container.
pub(crate) struct Contained<'a> {
    made: Made<'a>,
    scene: Scene,
}

/// One start of it: what the engine says of it, and when the server had its locks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Start(String, Option<SystemTime>);

impl<'a> Contained<'a> {
    /// A container made with these words, and not started.
    pub(crate) fn new(
        engine: &'a Engine,
        name: &'static str,
        shard_count: usize,
        words: &[&str],
    ) -> Result<Self, String> {
        let scene = Scene::without_unit(name, shard_count)?;
        let data = format!("{DATA_FLAG}{HOME}/data");
        let top = scene.path("");
        let made = engine.create(name, (&top, HOME), words, &[PLAY_SERVER, &data])?;
        Ok(Self { made, scene })
    }

    pub(crate) fn name(&self) -> &'static str {
        self.made.name
    }

    /// `--service` for it, by its name.
    pub(crate) fn service(&self) -> String {
        format!("{}:{}", self.made.engine.program, self.name())
    }

    /// A value of it.
    pub(crate) fn show(&self, value: &str) -> String {
        let format = format!("{{{{{value}}}}}");
        self.made
            .engine
            .run(&["inspect", "--type=container", "--format", &format, self.name()])
            .unwrap_or_else(|error| error)
    }

    pub(crate) fn status(&self) -> String {
        self.show(".State.Status")
    }

    /// Its restart policy.
    pub(crate) fn policy(&self) -> String {
        let count = self.show(".HostConfig.RestartPolicy.MaximumRetryCount");
        format!("{} {count}", self.show(".HostConfig.RestartPolicy.Name"))
    }

    /// Its start of now.
    pub(crate) fn last_start(&self) -> Start {
        let file = fs::metadata(serving_file(&self.data()));
        Start(self.show(".State.StartedAt"), file.and_then(|file| file.modified()).ok())
    }

    /// Whether it serves since a later start than this one, now or soon.
    pub(crate) fn serves_since(&self, before: &Start) -> bool {
        wait_for(LIMIT, || {
            let now = self.last_start();
            self.status() == "running" && now.0 != before.0 && now.1 != before.1
        })
    }

    /// Starts it and waits until its server has its locks.
    pub(crate) fn start(&self) -> Result<(), String> {
        let before = self.last_start();
        self.tell("start")?;
        if self.serves_since(&before) { Ok(()) } else { Err(format!("{} is down", self.name())) }
    }

    pub(crate) fn tell(&self, verb: &str) -> Result<(), String> {
        self.made.tell(verb)
    }

    /// Whether it is down.
    pub(crate) fn is_down(&self) -> bool {
        ["exited", "stopped"].contains(&self.status().as_str())
    }

    /// Waits until it is down.
    pub(crate) fn goes_down(&self) -> bool {
        wait_for(LIMIT, || self.is_down())
    }

    /// What remembers it while it is held.
    pub(crate) fn record(&self) -> PathBuf {
        let name = format!("{}-{}.held-for-repair", self.made.engine.program, self.name());
        Path::new("/run/es-translog-fix").join(name)
    }
}

impl Deref for Contained<'_> {
    type Target = Scene;

    fn deref(&self) -> &Scene {
        &self.scene
    }
}
