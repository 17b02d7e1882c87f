//! Extended attributes: the `SELinux` label, access control lists, and what else a file carries.

use std::ffi::CStr;
use std::fs::File;
use std::io;

use rustix::fs::XattrFlags;
use rustix::io::Errno;

use super::store::Labels;

/// Longest list of names and longest value that the kernel has (`XATTR_LIST_MAX`,
/// `XATTR_SIZE_MAX`).
const XATTR_MAX_BYTES: usize = 64 * 1024;
/// What is given to the content of a file, and wrong on a file with other content: signatures over
/// it, and rights to who runs it.
const OF_CONTENT: [&str; 3] = ["security.ima", "security.evm", "security.capability"];

/// Every extended attribute of a file that another file in its place should have; none where the
/// file system has no such thing.
pub(super) fn labels_of(file: &File) -> io::Result<Labels> {
    // Mostly there are none, and a large block of zeros costs more than asking first.
    match rustix::fs::flistxattr_query(file) {
        Err(Errno::NOTSUP | Errno::NOSYS) | Ok(0) => return Ok(Labels::new()),
        Err(errno) => return Err(errno.into()),
        Ok(_) => {}
    }
    let mut list = vec![0_u8; XATTR_MAX_BYTES];
    let count = rustix::fs::flistxattr(file, &mut list[..])?;
    list.truncate(count);
    let mut labels = Labels::new();
    for name in list.split_inclusive(|byte| *byte == 0) {
        let Some(text) = CStr::from_bytes_with_nul(name).ok().and_then(|name| name.to_str().ok())
        else {
            continue;
        };
        if OF_CONTENT.contains(&text) {
            continue;
        }
        let mut value = vec![0_u8; XATTR_MAX_BYTES];
        match rustix::fs::fgetxattr(file, text, &mut value[..]) {
            // It went away, or only the system itself may read it.
            Err(Errno::NODATA | Errno::NOTSUP | Errno::PERM) => {}
            other => {
                value.truncate(other?);
                labels.insert(text.to_owned(), value);
            }
        }
    }
    Ok(labels)
}

/// Gives a file these, where it has others or none.
pub(super) fn set_labels(file: &File, labels: &Labels) -> io::Result<()> {
    let now = labels_of(file)?;
    for (name, value) in labels {
        if now.get(name) != Some(value) {
            rustix::fs::fsetxattr(file, name.as_str(), value, XattrFlags::empty())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::print_stdout, reason = "what is skipped is said")]
    fn a_right_to_who_runs_a_file_is_not_handed_on() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("file");
        let file = File::create(&path).unwrap();
        // Version 2, effective: CAP_NET_RAW.
        let mut capability = [0_u8; 20];
        (capability[0], capability[3], capability[5]) = (1, 2, 0x20);
        for (name, value) in [("user.kept", &b"x"[..]), ("security.capability", &capability)] {
            if let Err(errno) = rustix::fs::fsetxattr(&file, name, value, XattrFlags::empty()) {
                println!("skipped: {name} cannot be set here: {errno}");
                return;
            }
        }
        let names: Vec<String> = labels_of(&file).unwrap().into_keys().collect();
        assert!(names.iter().any(|name| name == "user.kept"), "{names:?}");
        assert!(!names.iter().any(|name| name == "security.capability"), "{names:?}");
    }
}
