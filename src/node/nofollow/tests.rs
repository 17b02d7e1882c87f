use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;

use super::*;

fn resolvers() -> [HeldFolders; 2] {
    [false, true].map(|by_parts| HeldFolders { held: Vec::new(), by_parts })
}

#[test]
fn a_link_in_any_part_of_a_path_ends_it() {
    let top = tempfile::tempdir().unwrap();
    let top_path = top.path().canonicalize().unwrap();
    fs::create_dir_all(top_path.join("a/b/c")).unwrap();
    fs::write(top_path.join("a/b/c/file"), "x").unwrap();
    symlink(top_path.join("a"), top_path.join("to-a")).unwrap();
    symlink("b", top_path.join("a/to-b")).unwrap();
    symlink("c", top_path.join("a/b/to-c")).unwrap();
    symlink("file", top_path.join("a/b/c/to-file")).unwrap();
    for mut folders in resolvers() {
        for held in [false, true] {
            if held {
                folders.hold(&top_path).unwrap();
            }
            let read = |path: &str| folders.read(&top_path.join(path));
            assert!(read("a/b/c/file").is_ok());
            for path in ["to-a/b/c/file", "a/to-b/c/file", "a/b/to-c/file", "a/b/c/to-file"] {
                let error = read(path).unwrap_err().to_string();
                assert!(error.contains("symbolic link"), "{path}: {error}");
            }
            let error = folders.folder(&top_path.join("a/to-b"), Purpose::Use).unwrap_err();
            assert!(error.to_string().contains("symbolic link"), "{error}");
            assert!(read("a/b/c/none").unwrap_err().kind() == io::ErrorKind::NotFound);
        }
    }
}

#[test]
fn a_held_folder_stays_the_same_when_it_is_renamed() {
    for mut folders in resolvers() {
        let top = tempfile::tempdir().unwrap();
        let data = top.path().canonicalize().unwrap().join("data");
        fs::create_dir(&data).unwrap();
        fs::write(data.join("file"), "ours").unwrap();
        folders.hold(&data).unwrap();
        fs::rename(&data, data.with_file_name("aside")).unwrap();
        fs::create_dir(&data).unwrap();
        fs::write(data.join("file"), "theirs").unwrap();
        let mut text = String::new();
        folders.read(&data.join("file")).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "ours");
    }
}

#[test]
fn a_held_folder_is_not_left_upwards() {
    let top = tempfile::tempdir().unwrap();
    let top_path = top.path().canonicalize().unwrap();
    fs::create_dir_all(top_path.join("data/a")).unwrap();
    fs::create_dir(top_path.join("out")).unwrap();
    for mut folders in resolvers() {
        folders.hold(&top_path.join("data")).unwrap();
        let error = folders.folder(&top_path.join("data/a/../../out"), Purpose::Pass).unwrap_err();
        assert!(error.to_string().contains("climbs"), "{error}");
    }
}

#[test]
fn what_is_no_regular_file_is_not_opened() {
    let top = tempfile::tempdir().unwrap();
    let top_path = top.path().canonicalize().unwrap();
    nix::unistd::mkfifo(&top_path.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(top_path.join("socket")).unwrap();
    fs::create_dir(top_path.join("folder")).unwrap();
    for folders in resolvers() {
        for name in ["pipe", "socket", "folder"] {
            let error = folders.read(&top_path.join(name)).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
        let error = folders.read(Path::new("/dev/null")).unwrap_err().to_string();
        assert!(error.contains("device"), "{error}");
    }
}

/// What is opened is what was looked at, however fast the name changes hands in between.
#[test]
fn a_pipe_exchanged_with_the_file_all_the_time() {
    let top = tempfile::tempdir().unwrap();
    let top_path = top.path().canonicalize().unwrap();
    let (file, pipe) = (top_path.join("file"), top_path.join("pipe"));
    fs::write(&file, "x").unwrap();
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                let exchange = rustix::fs::RenameFlags::EXCHANGE;
                rustix::fs::renameat_with(CWD, &file, CWD, &pipe, exchange).unwrap();
            }
        });
        let folders = HeldFolders::default();
        let opened = (0..60_000).filter_map(|_| folders.read(&file).ok());
        let pipes = opened.filter(|opened| !opened.metadata().unwrap().is_file()).count();
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(pipes, 0);
    });
}
