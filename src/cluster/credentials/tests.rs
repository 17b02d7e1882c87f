use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;

const SECRET: &str = "s3cr3t";

fn file(folder: &Path, text: &str, mode: u32) -> PathBuf {
    let path = folder.join("es-translog-fix");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn found(
    flag: Option<&Path>,
    variables: &[(&str, &str)],
) -> Result<Option<(Credentials, CredentialsPlace)>, CredentialsError> {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    find_credentials(flag, &|name| variables.get(name).cloned())
}

#[test]
fn each_kind_becomes_its_header() {
    for (line, kind, header) in [
        ("basic elastic:s3cr3t\n", "basic", "Basic ZWxhc3RpYzpzM2NyM3Q="),
        ("basic a:b c:d\r\n", "basic", "Basic YTpiIGM6ZA=="),
        ("apikey aWQ6a2V5", "apikey", "ApiKey aWQ6a2V5"),
        ("apikey id:key", "apikey", "ApiKey aWQ6a2V5"),
        ("bearer abc.def", "bearer", "Bearer abc.def"),
    ] {
        let credentials = Credentials::parse(line).unwrap();
        assert_eq!((credentials.kind().to_string().as_str(), credentials.header()), (kind, header));
        assert_eq!(format!("{credentials:?}"), format!("Credentials({kind})"));
    }
}

#[test]
fn what_is_not_understood_is_refused_and_not_shown() {
    for line in [
        "",
        "s3cr3t",
        "basic s3cr3t",
        "basic :s3cr3t",
        "Basic me:s3cr3t",
        "apikey s3cr3t s3cr3t",
        "bearer s3cr3t\nbearer s3cr3t",
        "bearer ",
        "password s3cr3t",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let error = found(Some(&file(folder.path(), line, 0o600)), &[]).unwrap_err().to_string();
        assert!(!error.contains(SECRET), "{line:?}: {error}");
        assert!(error.contains("cannot use the credentials in"), "{line:?}: {error}");
    }
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [0o640, 0o604, 0o660, 0o644] {
        let path = file(folder.path(), "bearer s3cr3t", mode);
        let error = found(Some(&path), &[]).unwrap_err().to_string();
        let expected = format!("can be read by others (mode {mode:03o})");
        assert!(error.contains(&expected) && !error.contains(SECRET), "{error}");
    }
    for mode in [0o600, 0o400] {
        assert!(found(Some(&file(folder.path(), "bearer s3cr3t", mode)), &[]).is_ok());
    }
    let missing = found(Some(&folder.path().join("none")), &[]).unwrap_err().to_string();
    assert!(missing.contains("No such file"), "{missing}");
    assert!(found(Some(folder.path()), &[]).is_err(), "a folder");
}

#[test]
fn the_strongest_place_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "bearer s3cr3t", 0o440);
    let handed = ("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap());
    let (credentials, place) = found(None, &[handed]).unwrap().unwrap();
    assert_eq!(credentials.kind(), CredentialsKind::Bearer);
    assert!(place.to_string().ends_with("es-translog-fix (CREDENTIALS_DIRECTORY)"), "{place}");
    let basic = ("ES_TRANSLOG_FIX_BASIC", "me:s3cr3t");
    let (credentials, place) = found(None, &[handed, basic]).unwrap().unwrap();
    assert_eq!(credentials.kind(), CredentialsKind::Basic);
    assert_eq!(place.to_string(), "environment variable ES_TRANSLOG_FIX_BASIC");
    let key = ("ES_TRANSLOG_FIX_API_KEY", "s3cr3t");
    let error = found(None, &[basic, key]).unwrap_err().to_string();
    assert!(error.contains("ES_TRANSLOG_FIX_API_KEY are both set"), "{error}");
    assert!(!error.contains(SECRET), "{error}");
    let named = ("ES_TRANSLOG_FIX_CREDENTIALS_FILE", path.to_str().unwrap());
    let error = found(None, &[basic, named]).unwrap_err();
    assert!(matches!(error, CredentialsError::OpenToOthers { mode: 0o440, .. }), "{error}");
    assert_eq!(found(None, &[("ES_TRANSLOG_FIX_BASIC", "")]).unwrap(), None);
    let other = tempfile::tempdir().unwrap();
    let none = ("CREDENTIALS_DIRECTORY", other.path().to_str().unwrap());
    assert_eq!(found(None, &[none]).unwrap(), None);
}
