//! The files whose certificates a node's own configuration names for its HTTP: of authorities, and
//! its own.

use std::path::{Path, PathBuf};

use super::error::NodeError;
use super::layers::Layers;
use super::settings::{Origin, Sourced};

/// Elasticsearch 6.x and later, 5.x and 6.x for all channels, OpenSearch, and what it was before.
/// A chain in the file of the node's own certificate may have its authority.
const SETTINGS: [&str; 9] = [
    "xpack.security.http.ssl.certificate_authorities",
    "xpack.security.http.ssl.certificate",
    "xpack.ssl.certificate_authorities",
    "plugins.security.ssl.http.pemtrustedcas_filepath",
    "plugins.security.ssl.http.pemcert_filepath",
    "opendistro_security.ssl.http.pemtrustedcas_filepath",
    "opendistro_security.ssl.http.pemcert_filepath",
    "searchguard.ssl.http.pemtrustedcas_filepath",
    "searchguard.ssl.http.pemcert_filepath",
];
/// What 8.0 and later make at their first start, when nothing else is said.
const MADE_BY_SERVER: &str = "certs/http_ca.crt";

/// The files, those that are there.
///
/// # Errors
///
/// [`NodeError::Placeholder`] when a placeholder means nothing here.
pub(super) fn authorities(
    layers: &Layers,
    config_file: Option<&Sourced<PathBuf>>,
) -> Result<Vec<Sourced<PathBuf>>, NodeError> {
    let Some(folder) = config_file.and_then(|file| file.value.parent()) else {
        return Ok(Vec::new());
    };
    let mut files = Vec::new();
    for key in SETTINGS {
        let values = layers.list(key)?.into_iter();
        files.extend(
            values.map(|text| Sourced { value: folder.join(&text.value), origin: text.origin }),
        );
    }
    let made = Path::new(MADE_BY_SERVER);
    files.push(Sourced { value: folder.join(made), origin: Origin::PackageDefault });
    files.retain(|file| file.value.is_file());
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::super::layers::Layer;
    use super::super::yaml::read_flat;
    use super::*;

    #[test]
    fn the_files_of_the_configuration_are_found_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("elasticsearch.yml");
        let of = |text: &str| {
            let settings = read_flat(text).unwrap();
            let layers = vec![Layer { origin: Origin::Config(file.clone()), settings }];
            let config = Sourced { value: file.clone(), origin: Origin::PackageDefault };
            let layers = Layers { layers, environment: BTreeMap::new() };
            let found = authorities(&layers, Some(&config)).unwrap();
            found.into_iter().map(|file| file.value).collect::<Vec<_>>()
        };
        let in_list = "xpack.security.http.ssl.certificate_authorities: [a.crt, certs/gone.crt]";
        let of_opensearch = "plugins.security.ssl.http.pemtrustedcas_filepath: root-ca.pem";
        assert_eq!(of(in_list), Vec::<PathBuf>::new());
        fs::create_dir(folder.path().join("certs")).unwrap();
        for name in ["a.crt", "certs/http_ca.crt", "root-ca.pem"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let at = |name: &str| folder.path().join(name);
        assert_eq!(of(in_list), [at("a.crt"), at("certs/http_ca.crt")]);
        assert_eq!(of(of_opensearch), [at("root-ca.pem"), at("certs/http_ca.crt")]);
        assert_eq!(of("xpack.security.http.ssl.enabled: true"), [at("certs/http_ca.crt")]);
    }
}
