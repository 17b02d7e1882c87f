//! Files that were rolled away from a log, in the order in which they were written.

use std::cmp::Reverse;
use std::io;
use std::path::{Path, PathBuf};

/// What tools that compress put behind a name.
const PACKED: [&str; 3] = ["gz", "zst", "xz"];

/// When a rolled file was written, as far as its name tells; later is greater.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// A date, and a number that grows.
    Dated(String, u64),
    /// A number that grows with age.
    Numbered(Reverse<u64>),
}

/// The files rolled away from `live`, oldest first.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn rolled(live: &Path) -> io::Result<Vec<PathBuf>> {
    let (Some(folder), Some(name)) = (live.parent(), live.file_name()) else {
        return Ok(Vec::new());
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let name = name.to_string_lossy();
    let entries = match folder.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found: Vec<(Age, bool, PathBuf)> = Vec::new();
    for entry in entries {
        let entry = entry?;
        let other = entry.file_name();
        let Some(other) = other.to_str() else { continue };
        let (plain, is_packed) = without_packing(other);
        if let Some(age) = age_of(plain, &name)
            && entry.file_type()?.is_file()
        {
            found.push((age, is_packed, folder.join(other)));
        }
    }
    found.sort();
    // While one is being compressed it is there twice.
    found.dedup_by(|later, earlier| later.0 == earlier.0);
    Ok(found.into_iter().map(|(_, _, path)| path).collect())
}

fn without_packing(name: &str) -> (&str, bool) {
    match name.rsplit_once('.') {
        Some((plain, extension)) if PACKED.contains(&extension) => (plain, true),
        _ => (name, false),
    }
}

/// How old a file is that was rolled away from `live`; `None` for a file that was not.
fn age_of(name: &str, live: &str) -> Option<Age> {
    if let Some(rest) = name.strip_prefix(live) {
        let rest = rest.strip_prefix('.').or_else(|| rest.strip_prefix('-'))?;
        return age(rest);
    }
    let (stem, extension) = live.rsplit_once('.')?;
    // `CLUSTER_server.json` rolls to `CLUSTER-2020-01-01-1.json.gz`.
    let stem = stem.strip_suffix("_server").unwrap_or(stem);
    let rest = name.strip_prefix(stem)?.strip_suffix(extension)?.strip_suffix('.')?;
    age(rest.strip_prefix('-').or_else(|| rest.strip_prefix('.'))?)
}

/// `2015-01-01`, `2019-01-01-2`, `20260101`, `20260101-1764036000`, or a plain number.
fn age(text: &str) -> Option<Age> {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.split('-').collect();
    if !parts.iter().all(|part| is_digits(part)) {
        return None;
    }
    match parts.as_slice() {
        [number] if number.len() < 8 => Some(Age::Numbered(Reverse(number.parse().ok()?))),
        [date] => Some(Age::Dated((*date).to_owned(), 0)),
        [date, number] if date.len() >= 8 => {
            Some(Age::Dated((*date).to_owned(), number.parse().ok()?))
        }
        [year, month, day] if year.len() == 4 => Some(Age::Dated([*year, month, day].concat(), 0)),
        [year, month, day, number] if year.len() == 4 => {
            Some(Age::Dated([*year, month, day].concat(), number.parse().ok()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_roll_is_put_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for (live, rolled_names, others) in [
            (
                "lab.log",
                &["lab.log.2015-01-01", "lab.log.2015-01-02.gz"][..],
                &["lab.log.bak", "lab_deprecation.log.2015-01-01"][..],
            ),
            (
                "five.log",
                &["five-2017-01-01.log", "five-2019-01-01-2.log.gz", "five-2019-01-01-10.log.gz"],
                &["five-2-2019-01-01-1.log.gz", "five_index_search_slowlog-2019-01-01-1.log.gz"],
            ),
            (
                "seven_server.json",
                &["seven-2020-01-01-1.json.gz", "seven-2020-01-02-1.json.gz"],
                &["seven-2020-01-01-1.log.gz", "seven_deprecation-2020-01-01-1.json.gz"],
            ),
            ("size.log", &["size.log.10.xz", "size.log.9.zst", "size.log.2.gz", "size.log.1"], &[]),
            ("date.log", &["date.log-20260101.gz", "date.log-20260102"], &[]),
        ] {
            let path = folder.path().join(live);
            for name in rolled_names.iter().chain(others).chain([&live]) {
                std::fs::write(folder.path().join(name), "x").unwrap();
            }
            let found: Vec<String> = rolled(&path)
                .unwrap()
                .iter()
                .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
                .collect();
            assert_eq!(found, rolled_names, "{live}");
        }
    }

    #[test]
    fn a_file_that_is_being_compressed_counts_once() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.log", "a.log.1", "a.log.1.gz", "a.log.2.gz"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let found = rolled(&folder.path().join("a.log")).unwrap();
        assert_eq!(found.len(), 2);
        assert!(found[1].ends_with("a.log.1"), "{found:?}");
    }
}
