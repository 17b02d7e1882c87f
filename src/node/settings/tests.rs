//! Settings found in file trees made for the purpose.

use std::fs;

use super::*;

struct Tree {
    root: tempfile::TempDir,
}

impl Tree {
    fn new(files: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self { root }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn resolve(
        &self,
        flags: &SettingsFlags,
        unit: Option<&UnitFacts>,
        environment: &[(&str, String)],
    ) -> Result<NodeSettings, NodeError> {
        let mut environment = owned(environment);
        environment.extend(unit.map(|unit| unit.environment.clone()).unwrap_or_default());
        resolve_below(self.root.path(), flags, unit, &environment)
    }

    fn resolved(&self, unit: Option<&UnitFacts>) -> NodeSettings {
        self.resolve(&SettingsFlags::default(), unit, &[]).unwrap()
    }
}

fn owned(pairs: &[(&str, String)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn unit(name: &str, environment: &[(&str, String)], command_line: &str) -> UnitFacts {
    UnitFacts {
        name: name.to_owned(),
        environment: owned(environment),
        command_line: command_line.split_whitespace().map(str::to_owned).collect(),
        user: None,
    }
}

fn logs(path: impl Into<PathBuf>) -> LogSource {
    LogSource::Path(path.into())
}

fn paths(settings: &NodeSettings) -> Vec<PathBuf> {
    settings.data_paths.iter().map(|path| path.value.clone()).collect()
}

#[test]
fn a_package_of_6x_and_later_says_all_in_its_file() {
    let config = "etc/elasticsearch/elasticsearch.yml";
    let text = "path.data: /var/lib/elasticsearch\npath.logs: /srv/logs\ncluster.name: prod\n\
                node.name: n-${HOSTNAME}\nhttp.port: 9201\n";
    let tree = Tree::new(&[(config, text)]);
    let unit = unit(
        "elasticsearch.service",
        &[("ES_PATH_CONF", tree.path("etc/elasticsearch").display().to_string())],
        "/usr/share/elasticsearch/bin/systemd-entrypoint -p ${PID_DIR}/elasticsearch.pid --quiet",
    );
    for unit in [None, Some(&unit)] {
        let settings = tree.resolved(unit);
        assert_eq!(paths(&settings), [Path::new("/var/lib/elasticsearch")]);
        assert_eq!(settings.data_paths[0].origin, Origin::Config(tree.path(config)));
        assert_eq!(settings.logs.value, logs("/srv/logs"));
        assert_eq!(settings.cluster_name.value, "prod");
        assert_eq!(settings.url.value, "http://127.0.0.1:9201");
        let name = settings.node_name.unwrap().value;
        assert!(name.starts_with("n-") && name.len() > 2, "{name}");
        let expected = match unit {
            None => Origin::PackageDefault,
            Some(_) => Origin::Unit("elasticsearch.service, ES_PATH_CONF".to_owned()),
        };
        assert_eq!(settings.config_file.unwrap().origin, expected);
    }
}

#[test]
fn the_unit_of_2x_hands_over_defaults_that_the_file_beats() {
    let tree = Tree::new(&[("etc/es/elasticsearch.yml", "path.logs: /from/file")]);
    let unit = unit(
        "elasticsearch.service",
        &[
            ("ES_HOME", "/usr/share/elasticsearch".to_owned()),
            ("CONF_DIR", tree.path("etc/es").display().to_string()),
            ("DATA_DIR", "/d1, /d2".to_owned()),
            ("LOG_DIR", "/from/unit".to_owned()),
        ],
        "/usr/share/elasticsearch/bin/elasticsearch -Des.default.path.data=${DATA_DIR} \
         -Des.default.path.logs=${LOG_DIR} -Des.default.path.conf=${CONF_DIR}",
    );
    let settings = tree.resolved(Some(&unit));
    assert_eq!(paths(&settings), [Path::new("/d1"), Path::new("/d2")]);
    assert_eq!(settings.logs.value, logs("/from/file"));
    assert_eq!(settings.cluster_name.value, "elasticsearch");
    assert_eq!(settings.config_file.unwrap().value, tree.path("etc/es/elasticsearch.yml"));

    // A SysV script reads the same variables and passes them on by itself.
    let script = UnitFacts { command_line: vec!["/etc/init.d/elasticsearch".to_owned()], ..unit };
    let settings = tree.resolved(Some(&script));
    assert_eq!(paths(&settings), [Path::new("/d1"), Path::new("/d2")]);
    let expected = Origin::Unit("elasticsearch.service, DATA_DIR".to_owned());
    assert_eq!(settings.data_paths[0].origin, expected);
}

#[test]
fn the_command_line_beats_the_file_and_a_flag_beats_both() {
    let tree = Tree::new(&[("etc/elasticsearch/elasticsearch.yml", "path: {data: [/f, /g]}")]);
    for option in ["-Epath.data=/c", "-E path.data=/c", "-Des.path.data=/c", "--path.data=/c"] {
        let unit = unit("elasticsearch.service", &[], &format!("/x/elasticsearch {option}"));
        assert_eq!(paths(&tree.resolved(Some(&unit))), [Path::new("/c")], "{option}");
    }
    assert_eq!(paths(&tree.resolved(None)), [Path::new("/f"), Path::new("/g")]);
    let flags = SettingsFlags {
        data: vec!["/flag".into()],
        logs: Some(logs("/logs")),
        url: Some("http://h:1".to_owned()),
        ..SettingsFlags::default()
    };
    let settings = tree.resolve(&flags, None, &[]).unwrap();
    assert_eq!(paths(&settings), [Path::new("/flag")]);
    assert_eq!(settings.data_paths[0].origin, Origin::Flag("--data"));
    assert_eq!(settings.logs.value, logs("/logs"));
    assert_eq!(settings.url.value, "http://h:1");
}

#[test]
fn an_archive_keeps_everything_in_its_own_folder() {
    let tree = Tree::new(&[("opt/es/config/elasticsearch.yml", "path.data: d,${path.home}/e")]);
    let home = tree.path("opt/es");
    let command = format!("{}/bin/elasticsearch -d", home.display());
    let by_unit = tree.resolved(Some(&unit("es.service", &[], &command)));
    let flags = SettingsFlags { config: Some(home.join("config")), ..SettingsFlags::default() };
    let by_flag = tree.resolve(&flags, None, &[]).unwrap();
    let variable = [("ES_PATH_CONF", home.join("config").display().to_string())];
    let by_variable = tree.resolve(&SettingsFlags::default(), None, &variable).unwrap();
    for settings in [by_unit, by_flag, by_variable] {
        assert_eq!(paths(&settings), [home.join("d"), home.join("e")]);
        assert_eq!(settings.logs.value, logs(home.join("logs")));
        assert_eq!(settings.logs.origin, Origin::PackageDefault);
    }
}

#[test]
fn opensearch_and_its_kin_have_defaults_of_their_own() {
    for (package, service) in
        [("opensearch", "opensearch.service"), ("wazuh-indexer", "wazuh-indexer.service")]
    {
        let config = format!("etc/{package}/opensearch.yml");
        let tree = Tree::new(&[(&config, "# nothing\n")]);
        let program = tree.path("usr/share").join(package).join("bin/systemd-entrypoint");
        for unit in [None, Some(&unit(service, &[], &program.display().to_string()))] {
            let settings = tree.resolved(unit);
            assert_eq!(paths(&settings), [tree.path("var/lib").join(package)]);
            assert_eq!(settings.cluster_name.value, "opensearch");
        }
    }
}

#[test]
fn a_container_image_is_an_archive_under_usr_share() {
    let home = "usr/share/elasticsearch";
    let tree = Tree::new(&[(&format!("{home}/config/elasticsearch.yml"), "network.host: 0.0.0.0")]);
    let settings = tree.resolved(None);
    assert_eq!(paths(&settings), [tree.path(home).join("data")]);
    assert_eq!(settings.logs.value, logs(tree.path(home).join("logs")));
}

#[test]
fn two_products_need_a_word_about_which() {
    let tree = Tree::new(&[
        ("etc/elasticsearch/elasticsearch.yml", ""),
        ("etc/opensearch/opensearch.yml", ""),
    ]);
    let error = tree.resolve(&SettingsFlags::default(), None, &[]).unwrap_err();
    assert!(matches!(error, NodeError::TwoInstallations { .. }), "{error}");
    let settings = tree.resolved(Some(&unit("opensearch.service", &[], "")));
    assert_eq!(settings.logs.value, logs(tree.path("var/log/opensearch")));

    // The unit's name is a hint, not more.
    let tree = Tree::new(&[("etc/opensearch/opensearch.yml", "")]);
    let settings = tree.resolved(Some(&unit("elasticsearch.service", &[], "")));
    assert_eq!(settings.logs.value, logs(tree.path("var/log/opensearch")));
}

#[test]
fn what_is_wrong_with_a_configuration_is_said() {
    let flags =
        |tree: &Tree| SettingsFlags { config: Some(tree.path("c")), ..SettingsFlags::default() };
    let tree = Tree::new(&[("c/elasticsearch.yml", "path.data: [/a")]);
    let error = tree.resolve(&flags(&tree), None, &[]).unwrap_err();
    assert!(matches!(error, NodeError::ConfigSyntax { .. }), "{error}");
    let tree = Tree::new(&[("c/elasticsearch.yml", "path.data: ${NOWHERE}/a")]);
    let error = tree.resolve(&flags(&tree), None, &[]).unwrap_err();
    assert!(matches!(error, NodeError::Placeholder { .. }), "{error}");
    let tree = Tree::new(&[("c/elasticsearch.yml", ""), ("c/elasticsearch.json", "")]);
    let error = tree.resolve(&flags(&tree), None, &[]).unwrap_err();
    assert!(matches!(error, NodeError::TwoConfigs { .. }), "{error}");
    let tree = Tree::new(&[("d/elasticsearch.yml", "")]);
    let error = tree.resolve(&flags(&tree), None, &[]).unwrap_err();
    assert!(matches!(error, NodeError::NoConfig { .. }), "{error}");
    let long = "#".repeat(usize::try_from(MAX_CONFIG_BYTES).unwrap() + 1);
    let tree = Tree::new(&[("c/elasticsearch.yml", &long)]);
    let error = tree.resolve(&flags(&tree), None, &[]).unwrap_err();
    assert!(matches!(error, NodeError::Config { .. }), "{error}");
}

#[test]
fn with_no_configuration_the_packages_folders_are_taken() {
    let tree = Tree::new(&[("var/lib/opensearch/nodes/0/node.lock", "")]);
    let settings = tree.resolved(None);
    assert_eq!(settings.config_file, None);
    assert_eq!(paths(&settings), [tree.path("var/lib/opensearch")]);
    assert_eq!(settings.data_paths[0].origin, Origin::PackageDefault);
}
