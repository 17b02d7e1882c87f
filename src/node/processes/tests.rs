use std::process::{Child, Command, Stdio};

use super::*;

/// A `cat` that ends with this value.
struct Other(Child);

impl Other {
    fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn told(user: &FolderUser) -> (i32, &str, FolderUse, &Path) {
    (user.pid, user.command.as_str(), user.usage, user.path.as_path())
}

#[test]
fn a_process_with_a_file_open_below_the_path_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let path = root.join("file");
    fs::write(&path, "").unwrap();
    let paths = [folder.path().to_owned()];
    let reading = Other::start(Command::new("cat").stderr(fs::File::open(&path).unwrap()));
    let found = processes_using(&paths);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(told(&found[0]), (reading.pid(), "cat", FolderUse::Reading, path.as_path()));
    let sentence = format!("process {} (cat) reads {}", reading.pid(), path.display());
    assert_eq!(found[0].to_string(), sentence);
    drop(reading);

    let file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    let writing = Other::start(Command::new("cat").stderr(file).current_dir(&root));
    let found = processes_using(&paths);
    assert_eq!(told(&found[0]), (writing.pid(), "cat", FolderUse::Writing, path.as_path()));
    drop(writing);

    let other = tempfile::tempdir().unwrap();
    assert_eq!(processes_using(&[other.path().to_owned()]), []);
}

#[test]
fn a_shell_that_works_in_it_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().canonicalize().unwrap().join("below");
    fs::create_dir(&below).unwrap();
    let shell = Other::start(Command::new("cat").current_dir(&below));
    let found = processes_using(&[folder.path().to_owned()]);
    assert_eq!(told(&found[0]), (shell.pid(), "cat", FolderUse::WorkingFolder, below.as_path()));
}

#[test]
fn mapped_files_are_read_from_the_table() {
    let maps = b"7f1c2a000000-7f1c2a021000 r--s 00000000 fe:01 262155     /data/a b/_0.cfs\n\
        7f1c2b000000-7f1c2b021000 rw-s 00000000 fe:01 262156                     /data/x\n\
        7f1c2c000000-7f1c2c021000 rw-p 00000000 fe:01 262157                     /lib/y.so\n\
        7ffd4c5d4000-7ffd4c5f5000 rw-p 00000000 00:00 0                          [stack]\n\
        7ffd4c600000-7ffd4c605000 rw-p 00000000 00:00 0\n";
    let found: Vec<(FolderUse, PathBuf)> = mappings(maps).collect();
    let expected = [
        (FolderUse::Reading, PathBuf::from("/data/a b/_0.cfs")),
        (FolderUse::Writing, PathBuf::from("/data/x")),
        (FolderUse::Reading, PathBuf::from("/lib/y.so")),
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_access_of_a_descriptor_is_told() {
    let text = |flags: &str| format!("pos:\t0\nflags:\t{flags}\nmnt_id:\t29\nino:\t1\n");
    assert_eq!(use_of_descriptor(&text("0100000")), FolderUse::Reading);
    assert_eq!(use_of_descriptor(&text("0100001")), FolderUse::Writing);
    assert_eq!(use_of_descriptor(&text("02100002")), FolderUse::Writing);
    assert_eq!(use_of_descriptor(""), FolderUse::Reading);
}

#[test]
fn a_server_is_known_by_its_class() {
    let class = "org.elasticsearch.server/org.elasticsearch.bootstrap.Elasticsearch";
    let server = Other::start(Command::new("sh").args(["-c", "cat; :", class]));
    let found = server_processes();
    assert!(found.iter().any(|(pid, _)| *pid == server.pid()), "{found:?}");
}

#[test]
fn a_command_that_cannot_be_read_is_said() {
    assert_eq!(command_of(-1), "command line not readable");
}
