//! A service user who is the enemy, and the real program: what lies in the place of his files is
//! neither read nor waited for nor changed, and what it is called does nothing to a terminal.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed call fails the test")]

mod support;

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use support::namespace::{in_a_namespace, place, succeed};
use support::{Node, told};

/// Longest that any of these calls may take.
const PATIENCE: Duration = Duration::from_mins(1);
const SERVICE_UID: u32 = 4711;
const SECRET: &str = "root:$6$secret";

/// How a command ended, and all that it said. It is ended when it takes too long.
fn said(mut command: Command) -> (ExitStatus, String) {
    let mut said = tempfile::tempfile().unwrap();
    command.stdout(said.try_clone().unwrap()).stderr(said.try_clone().unwrap());
    let mut child = command.stdin(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{command:?} waits for ever");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let mut bytes = Vec::new();
    said.seek(SeekFrom::Start(0)).unwrap();
    said.read_to_end(&mut bytes).unwrap();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

/// What each command that reads the shards says, and what it writes.
struct Told {
    said: Vec<String>,
    written: Vec<String>,
}

fn told_by_all(node: &Node) -> Told {
    let shards = node.path("data/nodes/0/indices");
    let out = node.path("out.ndjson");
    let mut said_all = Vec::new();
    let program = || Command::new(env!("CARGO_BIN_EXE_es-translog-fix"));
    for form in ["text", "json"] {
        let mut check = program();
        check.arg("check").arg(&shards).args(["--output", form]);
        let mut dry_run = node.repair();
        dry_run.args(["--dry-run", "--output", form]);
        said_all.extend([said(check).1, said(dry_run).1]);
    }
    let mut export = program();
    export.arg("export").arg(&shards).arg("-o").arg(&out).arg("--metadata");
    export.arg(node.path("metadata.ndjson"));
    said_all.extend([said(export).1, said(node.repair()).1]);
    let written = [out, node.path("metadata.ndjson")].into_iter();
    Told { said: said_all, written: written.flat_map(fs::read_to_string).collect() }
}

fn shard_of(node: &Node) -> PathBuf {
    let mut indices = node.path("data/nodes/0/indices").read_dir().unwrap();
    indices.next().unwrap().unwrap().path().join("0")
}

/// The damaged translog.
fn translog_of(node: &Node) -> Vec<u8> {
    fs::read(shard_of(node).join("translog/translog-2.tlog")).unwrap()
}

/// A node whose files are the service user's, where root runs this.
fn node() -> Node {
    let node = Node::new(&std::env::temp_dir(), 1);
    give_away(&node.path("data"));
    node
}

fn give_away(path: &Path) {
    let _ = chown(path, Some(SERVICE_UID), Some(SERVICE_UID));
    if path.is_dir() {
        path.read_dir().unwrap().for_each(|entry| give_away(&entry.unwrap().path()));
    }
}

type Put = fn(path: &Path, secret: &Path);

#[test]
fn a_secret_in_the_place_of_a_file_is_not_read() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let puts: [Put; 2] = [
        |path, secret| symlink(secret, path).unwrap(),
        |path, secret| fs::hard_link(secret, path).unwrap(),
    ];
    let names = ["translog/translog-2.tlog", "translog/translog.ckp", "index/segments_3"];
    for put in puts {
        for name in names {
            let node = node();
            let (path, secret) = (shard_of(&node).join(name), node.path("shadow"));
            fs::write(&secret, SECRET).unwrap();
            fs::remove_file(&path).unwrap();
            put(&path, &secret);
            let before = secret.metadata().unwrap();
            let told = told_by_all(&node);
            for text in told.said.iter().chain(&told.written) {
                assert!(!text.contains("secret"), "{name}: {text}");
            }
            for text in told.said {
                let is_told = text.contains("not followed") || text.contains("hard link");
                assert!(is_told, "{name}: {text}");
            }
            let after = secret.metadata().unwrap();
            assert_eq!(fs::read(&secret).unwrap(), SECRET.as_bytes());
            let facts = |facts: &fs::Metadata| (facts.uid(), facts.mode(), facts.mtime_nsec());
            assert_eq!(facts(&before), facts(&after), "{name}");
        }
    }
}

type Make = fn(&Path);

#[test]
fn nothing_is_waited_for() {
    let pipe: Make = |path| nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut things: Vec<(&str, Make)> = vec![
        ("pipe", pipe),
        ("socket", |path| drop(std::os::unix::net::UnixListener::bind(path).unwrap())),
        ("link", |path| symlink("/dev/zero", path).unwrap()),
    ];
    if nix::unistd::geteuid().is_root() {
        things.push(("device", |path| {
            use nix::sys::stat::{Mode, SFlag, makedev, mknod};
            mknod(path, SFlag::S_IFCHR, Mode::S_IRWXU, makedev(1, 5)).unwrap();
        }));
    }
    let names = ["translog/translog-2.tlog", "translog/translog.ckp", "index/segments_3"];
    for (what, make) in &things {
        for name in names {
            let node = node();
            let path = shard_of(&node).join(name);
            fs::remove_file(&path).unwrap();
            make(&path);
            for text in told_by_all(&node).said {
                assert!(text.contains(what), "{what} as {name}: {text}");
            }
            assert!(path.symlink_metadata().is_ok(), "{what} is there still");
        }
        // The same in the place of a state, a log, a lock and the configuration.
        let node = node();
        fs::create_dir(shard_of(&node).join("_state")).unwrap();
        make(&shard_of(&node).join("_state/state-1.st"));
        make(&node.path("logs/elasticsearch.log"));
        make(&node.path("elasticsearch.yml"));
        let lock = shard_of(&node).join("index/write.lock");
        fs::remove_file(&lock).unwrap();
        make(&lock);
        told_by_all(&node);
        said(node.command(&["--dry-run"]));
        let mut with_config = node.command(&["--dry-run", "--all"]);
        with_config.arg("--config").arg(node.path("elasticsearch.yml"));
        let (status, text) = said(with_config);
        assert!(!status.success() && text.contains("elasticsearch.yml"), "{what}: {text}");
    }
}

#[test]
fn a_huge_file_without_content() {
    let node = node();
    let path = shard_of(&node).join("translog/translog-2.tlog");
    File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
    told_by_all(&node);
}

#[test]
fn names_that_a_terminal_would_obey() {
    let node = node();
    let odd = "x\u{1b}[2J\n\u{202e}\u{9b}2Jy";
    let translog = shard_of(&node).join("translog");
    for name in [odd.to_owned(), format!("translog-9.tlog{odd}"), format!("translog-9{odd}.ckp")] {
        fs::write(translog.join(name), "odd").unwrap();
    }
    let index = shard_of(&node).parent().unwrap().to_path_buf();
    fs::rename(&index, index.with_file_name(odd)).unwrap();
    give_away(&node.path("data"));
    let line = format!(
        "[2026-11-23T10:00:00,001][WARN ][o.e.i.e.Engine] [n{odd}] [{odd}][0] failed engine [{odd}]\n"
    );
    fs::write(node.path("logs/elasticsearch.log"), line).unwrap();
    let mut texts = told_by_all(&node).said;
    texts.push(said(node.command(&["--dry-run"])).1);
    let mut undo = node.command(&["undo", &node.run_id().unwrap()]);
    undo.arg("--dry-run");
    texts.push(said(undo).1);
    for text in texts {
        assert!(!text.contains('\u{1b}'), "{text}");
        // JSON is for programs, and escapes what it must.
        assert!(text.starts_with('{') || !text.contains(['\u{202e}', '\u{9b}']), "{text}");
    }
}

/// The data path is a mount point, so the quarantine is a hidden folder at its top, and he made
/// that name first.
#[test]
fn the_hidden_quarantine_made_first() {
    let Some(output) = in_a_namespace("inner_made_first", "mount -t tmpfs none $1") else { return };
    assert!(output.status.success(), "{}", told(&output));
}

#[test]
fn inner_made_first() {
    let Some(place) = place() else { return };
    let plants: [(&str, Put); 5] = [
        ("link", |path, target| symlink(target, path).unwrap()),
        ("link to the run", |path, target| {
            fs::create_dir(path).unwrap();
            chown(path, Some(0), None).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
            symlink(target, path.join("runs")).unwrap();
        }),
        ("folder", |path, _| {
            fs::create_dir(path).unwrap();
            chown(path, Some(SERVICE_UID), None).unwrap();
        }),
        ("file", |path, _| fs::write(path, "his").unwrap()),
        ("pipe", |path, _| nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap()),
    ];
    for (what, plant) in plants {
        let node = Node::new(&place, 1);
        give_away(&node.path("data"));
        let (real, data) = (node.path("real"), node.path("data"));
        fs::rename(&data, &real).unwrap();
        fs::create_dir(&data).unwrap();
        succeed("mount", &["--bind", real.to_str().unwrap(), data.to_str().unwrap()]);
        let outside = node.path("etc");
        fs::create_dir(&outside).unwrap();
        plant(&data.join(".es-translog-fix"), &outside);
        let before = translog_of(&node);
        let (status, text) = said(node.repair());
        assert!(!status.success() && text.contains(".es-translog-fix"), "{what}: {text}");
        assert_eq!(translog_of(&node), before, "{what}: {text}");
        assert_eq!(outside.read_dir().unwrap().count(), 0, "{what}: {text}");
        // With that out of the way a new run does it, or this one goes on where it began.
        fs::rename(data.join(".es-translog-fix"), data.join("aside")).unwrap();
        let (mut status, mut text) = said(node.repair());
        if text.contains("was stopped before its end") {
            (status, text) = said(node.command(&["resume", &node.run_id().unwrap()]));
        }
        assert_eq!(status.code(), Some(2), "{what}: {text}");
        assert_ne!(translog_of(&node), before, "{what}: {text}");
        succeed("umount", &[data.to_str().unwrap()]);
    }
}
