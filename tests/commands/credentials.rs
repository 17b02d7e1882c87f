//! Credentials of the node's API: taken from a file or the environment, and written nowhere.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use super::node::{HEADER_BYTES, Node, record};
use super::text;

const SECRET: &str = "s3cr3t";
/// `elastic:s3cr3t` in base64.
const ENCODED: &str = "ZWxhc3RpYzpzM2NyM3Q";

/// A damaged shard and its configuration, and the program on it.
fn run(node: &Node, more: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let top = node.path();
    for folder in ["logs", "config"] {
        fs::create_dir_all(top.join(folder)).unwrap();
    }
    fs::write(top.join("config/elasticsearch.yml"), "cluster.name: c\n").unwrap();
    let (data, logs) = (top.join("data"), top.join("logs"));
    let (config, state) = (top.join("config"), top.join("state"));
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_es-translog-fix"))
        .args(["--all", "--data", text(&data), "--logs", text(&logs), "--service", "none"])
        .args(["--config", text(&config), "--state-dir", text(&state)])
        .args(more)
        .env("NO_COLOR", "1")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let all = [stdout, stderr].concat();
    (status.code(), String::from_utf8(all).unwrap())
}

fn damaged() -> Node {
    let node = Node::new();
    node.flip(HEADER_BYTES + 3 * record(0).len() + 20);
    node
}

fn has_secret(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.contains(SECRET) || text.contains(ENCODED)
}

/// Every file below a folder that has the secret.
fn files_with_secret(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with_secret(&path));
        } else if has_secret(&fs::read(&path).unwrap()) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn credentials_are_named_by_kind_and_place_and_never_shown() {
    let url = ["--url", "http://127.0.0.1:1", "--yes", "--accept-data-loss"];
    for form in ["text", "json", "ndjson"] {
        let node = damaged();
        let file = node.path().join("key");
        fs::write(&file, "basic elastic:s3cr3t\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let more = [&url[..], &["--credentials", text(&file), "--output", form]].concat();
        let (code, all) = run(&node, &more, &[]);
        assert_eq!(code, Some(2), "{form}: {all}");
        assert!(all.contains("credentials") && all.contains("basic"), "{form}: {all}");
        assert!(!has_secret(all.as_bytes()), "{form}: {all}");
        fs::remove_file(&file).unwrap();
        assert_eq!(files_with_secret(node.path()), Vec::<String>::new(), "{form}");
    }
    let node = damaged();
    let basic = [("ES_TRANSLOG_FIX_BASIC", "elastic:s3cr3t")];
    let (code, all) = run(&node, &url, &basic);
    assert_eq!(code, Some(2), "{all}");
    assert!(all.contains("environment variable ES_TRANSLOG_FIX_BASIC"), "{all}");
    assert!(!has_secret(all.as_bytes()), "{all}");
    assert_eq!(files_with_secret(node.path()), Vec::<String>::new());
}

#[test]
fn what_would_show_credentials_to_others_is_refused() {
    let node = damaged();
    let file = node.path().join("key");
    fs::write(&file, "bearer s3cr3t\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, all) = run(&node, &["--credentials", text(&file)], &[]);
    assert_eq!(code, Some(64), "{all}");
    assert!(all.contains("can be read by others (mode 644)"), "{all}");
    let bearer = [("ES_TRANSLOG_FIX_BEARER", SECRET)];
    let (code, all) = run(&node, &["--url", "http://192.0.2.1:9200"], &bearer);
    assert_eq!(code, Some(64), "{all}");
    assert!(all.contains("credentials are not sent to http://192.0.2.1:9200"), "{all}");
    let (code, all) = run(&node, &["--url", "https://me:s3cr3t@es.example"], &[]);
    assert_eq!(code, Some(64), "{all}");
    assert!(all.contains("--credentials FILE"), "{all}");
    assert!(!has_secret(all.as_bytes()), "{all}");
}
