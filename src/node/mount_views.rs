//! Where a folder is for a process with mounts of its own, such as a container's, from
//! `/proc/PID/mountinfo`: `ID PARENT DEVICE ROOT POINT ...`, a line a mount. ROOT is a place within
//! the file system, POINT where that is mounted, as the process sees it (proc(5)).

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// A folder here, and the same folder as `/proc` shows it in a process's links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) here: PathBuf,
    pub(super) there: PathBuf,
}

/// The mounts that this process sees, and of which namespace they are.
pub(super) struct Mounts {
    namespace: Option<PathBuf>,
    mounts: Vec<Mount>,
}

impl Mounts {
    /// Those of this process.
    pub(super) fn own() -> Self {
        Self { namespace: namespace("self"), mounts: mounts_of("self") }
    }

    /// The folders as the links of this process show them.
    pub(super) fn seen_by(&self, pid: i32, folders: &[PathBuf]) -> Vec<Seen> {
        let process = pid.to_string();
        let other = namespace(&process).filter(|other| Some(other) != self.namespace.as_ref());
        if other.is_none() {
            let same = |here: &PathBuf| Seen { here: here.clone(), there: here.clone() };
            return folders.iter().map(same).collect();
        }
        let theirs = mounts_of(&process);
        // A process without a root of its own has "/" here.
        let root = fs::read_link(format!("/proc/{process}/root")).unwrap_or_default();
        let found = folders.iter().flat_map(|folder| seen(folder, &self.mounts, &theirs));
        found
            .map(|Seen { here, there }| {
                let there = root.join(there.strip_prefix("/").unwrap_or(&there));
                Seen { here, there }
            })
            .collect()
    }
}

fn namespace(process: &str) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{process}/ns/mnt")).ok()
}

fn mounts_of(process: &str) -> Vec<Mount> {
    parse(&fs::read(format!("/proc/{process}/mountinfo")).unwrap_or_default())
}

#[derive(Debug, PartialEq, Eq)]
struct Mount {
    device: Vec<u8>,
    root: PathBuf,
    point: PathBuf,
}

fn parse(mountinfo: &[u8]) -> Vec<Mount> {
    let mount = |line: &[u8]| {
        let mut words = line.split(|byte| *byte == b' ').skip(2);
        let device = words.next()?.to_vec();
        Some(Mount { device, root: path(words.next()?), point: path(words.next()?) })
    };
    mountinfo.split(|byte| *byte == b'\n').filter_map(mount).collect()
}

/// A path, in which blanks, tabs, line feeds and backslashes are written as `\` and three octal
/// digits.
fn path(word: &[u8]) -> PathBuf {
    let mut bytes = Vec::new();
    let mut rest = word;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        let escaped = escaped.filter(|_| *first == b'\\');
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    PathBuf::from(OsString::from_vec(bytes))
}

/// Where `folder`, or a part of it, is mounted for the others.
fn seen(folder: &Path, own: &[Mount], theirs: &[Mount]) -> Vec<Seen> {
    // The deepest; of those at one place the last covers the others.
    let above = own.iter().filter(|mount| folder.starts_with(&mount.point));
    let Some(mount) = above.max_by_key(|mount| mount.point.components().count()) else {
        return Vec::new();
    };
    let inside = mount.root.join(folder.strip_prefix(&mount.point).unwrap_or(folder));
    let same = theirs.iter().filter(|other| other.device == mount.device);
    let place = |other: &Mount| match (inside.strip_prefix(&other.root), &other.root) {
        (Ok(below), _) => Some(Seen { here: folder.to_owned(), there: other.point.join(below) }),
        (Err(_), root) => root
            .strip_prefix(&inside)
            .ok()
            .map(|part| Seen { here: folder.join(part), there: other.point.clone() }),
    };
    same.filter_map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
        22 21 8:2 / /srv rw - xfs /dev/sdb rw\n23 21 0:5 / /proc rw - proc proc rw\n";

    fn places(folder: &str, theirs: &str) -> Vec<(String, String)> {
        let found = seen(Path::new(folder), &parse(OWN.as_bytes()), &parse(theirs.as_bytes()));
        let text = |path: PathBuf| path.to_str().unwrap().trim_end_matches('/').to_owned();
        found.into_iter().map(|Seen { here, there }| (text(here), text(there))).collect()
    }

    #[test]
    fn a_folder_is_found_where_it_is_mounted() {
        let root = "90 80 0:44 / / rw - overlay overlay rw\n";
        let told = |line: &str| places("/srv/es 1/data", &format!("{root}{line}\n"));
        let pair = |here: &str, there: &str| vec![(here.to_owned(), there.to_owned())];
        let data = "/srv/es 1/data";
        assert_eq!(told(""), []);
        assert_eq!(
            told("91 90 8:2 /es\\0401/data /data rw - xfs /dev/sdb rw"),
            pair(data, "/data")
        );
        assert_eq!(told("91 90 8:2 / /all rw - xfs /dev/sdb rw"), pair(data, "/all/es 1/data"));
        let part = "91 90 8:2 /es\\0401/data/nodes/0 /node rw - xfs /dev/sdb rw";
        assert_eq!(told(part), pair("/srv/es 1/data/nodes/0", "/node"));
        assert_eq!(told("91 90 8:2 /es\\0401/database /data rw - xfs /dev/sdb rw"), []);
        assert_eq!(told("91 90 8:1 /es\\0401/data /data rw - ext4 /dev/sda1 rw"), []);
        assert_eq!(told("91 90 8:2"), []);
    }

    #[test]
    fn the_deepest_and_last_mount_counts() {
        let own = "1 0 8:1 / / rw\n2 1 8:2 / /srv rw\n3 2 8:3 /a /srv rw\n";
        let theirs = parse(b"9 0 8:3 /a /x rw\n10 0 8:2 / /y rw\n");
        let found = seen(Path::new("/srv/data"), &parse(own.as_bytes()), &theirs);
        let (here, there) = (PathBuf::from("/srv/data"), PathBuf::from("/x/data"));
        assert_eq!(found, [Seen { here, there }]);
    }

    #[test]
    fn this_process_sees_what_it_sees() {
        let folders = [PathBuf::from("/srv/data")];
        let pid = i32::try_from(std::process::id()).unwrap();
        let [here, there] = [folders[0].clone(), folders[0].clone()];
        assert_eq!(Mounts::own().seen_by(pid, &folders), [Seen { here, there }]);
    }
}
