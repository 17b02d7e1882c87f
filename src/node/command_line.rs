//! Settings that a unit's start command says, variables expanded.
//!
//! The packages pass settings on the command line, often through variables of the unit's
//! environment: `-Des.default.path.data=$DATA_DIR` up to 2.x, `-Edefault.path.data=${DATA_DIR}` in
//! 5.x, `ES_PATH_CONF` from 6.0 on (packaging files of 1.7.6, 2.4.6, 5.6.3 and 7.10.2).

use std::collections::BTreeMap;

use super::unit::UnitFacts;

/// Settings given on a server's command line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CommandSettings {
    /// Those that win over the configuration file.
    pub(super) given: BTreeMap<String, String>,
    /// Those the configuration file wins over (`default.` settings of 5.x and older).
    pub(super) defaults: BTreeMap<String, String>,
}

impl UnitFacts {
    /// The settings on the command line, variables expanded.
    pub(super) fn command_settings(&self) -> CommandSettings {
        let words: Vec<String> = self.command_line.iter().map(|word| self.expand(word)).collect();
        let mut settings = CommandSettings::default();
        let mut words = words.iter().skip(1).map(String::as_str);
        while let Some(word) = words.next() {
            let pair = match word {
                // `-E name=value` (5.0 and later) has its pair in a word of its own.
                "-E" => words.next(),
                // `-Ename=value` (5.0 and later), `-Des.name=value` and `--name=value` (2.x and
                // older); for home and configuration the start scripts still use the second.
                _ => word
                    .strip_prefix("-E")
                    .or_else(|| word.strip_prefix("-Des."))
                    .or_else(|| word.strip_prefix("-Dopensearch."))
                    .or_else(|| word.strip_prefix("--")),
            };
            let Some((name, value)) = pair.and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            match name.strip_prefix("default.") {
                Some(name) => settings.defaults.insert(name.to_owned(), value.to_owned()),
                None => settings.given.insert(name.to_owned(), value.to_owned()),
            };
        }
        settings
    }

    /// The folder the server is installed in, when the start command tells it.
    pub(super) fn home(&self) -> Option<String> {
        let settings = self.command_settings();
        if let Some(home) = settings.given.get("path.home") {
            return Some(home.clone());
        }
        let variables = ["ES_HOME", "OPENSEARCH_HOME"];
        if let Some(home) = variables.iter().find_map(|name| self.environment.get(*name)) {
            return Some(home.clone());
        }
        let (folder, program) = self.command_line.first()?.rsplit_once('/')?;
        let home = folder.strip_suffix("/bin")?;
        let known = ["elasticsearch", "opensearch", "systemd-entrypoint"];
        known.contains(&program).then(|| home.to_owned())
    }

    /// Puts the environment's values in place of `${NAME}` anywhere, and of a whole `$NAME`, as
    /// systemd does. A variable that is not set becomes nothing.
    fn expand(&self, word: &str) -> String {
        let value = |name: &str| self.environment.get(name).map_or("", String::as_str);
        if let Some(name) = word.strip_prefix('$')
            && !name.starts_with(['{', '$'])
        {
            return value(name).to_owned();
        }
        let mut expanded = String::with_capacity(word.len());
        let mut rest = word;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else { break };
            expanded.push_str(before);
            expanded.push_str(value(name));
            rest = after;
        }
        expanded.push_str(rest);
        expanded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(environment: &[(&str, &str)], command_line: &str) -> UnitFacts {
        UnitFacts {
            name: "elasticsearch.service".to_owned(),
            environment: environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            command_line: command_line.split(' ').map(str::to_owned).collect(),
            user: None,
        }
    }

    #[test]
    fn packaged_command_lines_of_2x_and_5x_give_defaults() {
        let environment = [("DATA_DIR", "/a,/b"), ("LOG_DIR", "/logs")];
        let unit_2x = unit(
            &environment,
            "/usr/share/elasticsearch/bin/elasticsearch -Des.pidfile=/x \
             -Des.default.path.logs=${LOG_DIR} -Des.default.path.data=${DATA_DIR}",
        );
        let settings = unit_2x.command_settings();
        assert_eq!(settings.defaults["path.data"], "/a,/b");
        assert_eq!(settings.defaults["path.logs"], "/logs");
        assert_eq!(settings.given["pidfile"], "/x");

        let unit_5x = unit(
            &environment,
            "/usr/share/elasticsearch/bin/elasticsearch -p /x --quiet \
             -Edefault.path.logs=${LOG_DIR} -E path.data=/own",
        );
        let settings = unit_5x.command_settings();
        assert_eq!(settings.defaults["path.logs"], "/logs");
        assert_eq!(settings.given["path.data"], "/own");
        assert_eq!(settings.given.len(), 1);
    }

    #[test]
    fn home_is_beside_the_program_or_named() {
        assert_eq!(unit(&[], "/opt/es/bin/elasticsearch -d").home().unwrap(), "/opt/es");
        assert_eq!(unit(&[], "/usr/bin/java -Des.path.home=/opt/es").home().unwrap(), "/opt/es");
        assert_eq!(unit(&[("ES_HOME", "/e")], "/usr/bin/run").home().unwrap(), "/e");
        assert_eq!(unit(&[], "/usr/bin/java -jar x.jar").home(), None);
        assert_eq!(unit(&[], "").home(), None);
    }

    #[test]
    fn variables_expand_as_systemd_does() {
        let unit = unit(&[("A", "1")], "x");
        assert_eq!(unit.expand("${A}-${B}-${A"), "1--${A");
        assert_eq!(unit.expand("$A"), "1");
        assert_eq!(unit.expand("a$A"), "a$A");
    }
}
