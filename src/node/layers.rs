//! Where a setting can come from, the strongest first, and looking one up.

use std::collections::BTreeMap;

use super::error::NodeError;
use super::placeholder::expand;
use super::settings::{Origin, Sourced};
use super::yaml::FlatSettings;

/// Settings of one origin.
pub(super) struct Layer {
    pub(super) origin: Origin,
    pub(super) settings: FlatSettings,
}

/// All settings of a node that were written down, and the environment its placeholders mean.
pub(super) struct Layers {
    /// The strongest first.
    pub(super) layers: Vec<Layer>,
    /// The environment of the server.
    pub(super) environment: BTreeMap<String, String>,
}

impl Layers {
    /// The value of a setting, placeholders expanded. One that becomes empty is not set.
    ///
    /// # Errors
    ///
    /// [`NodeError::Placeholder`] when a placeholder means nothing here.
    pub(super) fn text(&self, key: &str) -> Result<Option<Sourced<String>>, NodeError> {
        for layer in &self.layers {
            if let Some(raw) = layer.settings.get(key) {
                let value = self.expanded(key, raw, layer)?;
                if !value.is_empty() {
                    return Ok(Some(Sourced { value, origin: layer.origin.clone() }));
                }
            }
        }
        Ok(None)
    }

    /// The values of a list setting: a string is split at its commas, and numbered keys follow
    /// (`ImmutableSettings.getAsArray`, 1.7.6; `Settings.getAsList`, 7.10.2).
    ///
    /// # Errors
    ///
    /// [`NodeError::Placeholder`] when a placeholder means nothing here.
    pub(super) fn list(&self, key: &str) -> Result<Vec<Sourced<String>>, NodeError> {
        for layer in &self.layers {
            let single = layer.settings.get(key);
            let numbered =
                (0_u32..).map_while(|number| layer.settings.get(&format!("{key}.{number}")));
            let mut values = Vec::new();
            if let Some(raw) = single {
                let text = self.expanded(key, raw, layer)?;
                values.extend(text.split(',').map(|part| part.trim().to_owned()));
            }
            for raw in numbered {
                values.push(self.expanded(key, raw, layer)?);
            }
            values.retain(|value| !value.is_empty());
            if !values.is_empty() {
                let origin = &layer.origin;
                let sourced = |value| Sourced { value, origin: origin.clone() };
                return Ok(values.into_iter().map(sourced).collect());
            }
        }
        Ok(Vec::new())
    }

    fn expanded(&self, key: &str, raw: &str, layer: &Layer) -> Result<String, NodeError> {
        let value = expand(raw, &|name| self.meaning(name)).map_err(|name| {
            NodeError::Placeholder { key: key.to_owned(), name, origin: layer.origin.clone() }
        })?;
        Ok(value.trim().to_owned())
    }

    /// What a placeholder's name means: a variable of the environment, else another setting.
    /// `env.NAME` (2.x and older) means the environment alone, and nothing if it is not there.
    fn meaning(&self, name: &str) -> Option<String> {
        if let Some(variable) = name.strip_prefix("env.") {
            return Some(self.environment.get(variable).cloned().unwrap_or_default());
        }
        let setting = || self.layers.iter().find_map(|layer| layer.settings.get(name));
        self.environment.get(name).or_else(setting).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(origin: &str, settings: &[(&str, &str)]) -> Layer {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Layer {
            origin: Origin::Unit(origin.to_owned()),
            settings: settings.iter().map(owned).collect(),
        }
    }

    fn values(layers: &Layers, key: &str) -> Vec<String> {
        layers.list(key).unwrap().into_iter().map(|sourced| sourced.value).collect()
    }

    #[test]
    fn the_strongest_layer_wins_and_lists_are_not_mixed() {
        let layers = Layers {
            layers: vec![
                layer("strong", &[("d", " /a , /b,"), ("d.0", "/c"), ("empty", "${env.NO}")]),
                layer("weak", &[("d.0", "/x"), ("d.1", "/y"), ("d.2", "/z"), ("empty", "no")]),
            ],
            environment: BTreeMap::new(),
        };
        assert_eq!(values(&layers, "d"), ["/a", "/b", "/c"]);
        assert_eq!(layers.text("empty").unwrap().unwrap().value, "no");
        assert_eq!(layers.text("none").unwrap(), None);
        assert_eq!(values(&layers, "none"), [""; 0]);
    }

    #[test]
    fn placeholders_mean_the_environment_then_settings() {
        let layers = Layers {
            layers: vec![layer("x", &[("root", "/r"), ("d", "${root}/${E}"), ("bad", "${F}")])],
            environment: BTreeMap::from([("E".to_owned(), "e,f".to_owned())]),
        };
        assert_eq!(values(&layers, "d"), ["/r/e", "f"]);
        let error = layers.text("bad").unwrap_err().to_string();
        assert_eq!(error, "setting bad has ${F}, which stands for nothing (from x)");
    }
}
