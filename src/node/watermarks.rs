//! When a server calls a disk full: `cluster.routing.allocation.disk.watermark.*`.
//!
//! A value is a part that may be used (`85%`, `0.85`) or bytes that have to stay free (`50gb`)
//! (`DiskThresholdSettings.java`, 7.10.2; `RelativeByteSizeValue.java`, 8.x). From 8.5 on a part
//! that nobody set is no more than so many free bytes (`max_headroom`); one that was set has no such
//! bound unless that was set as well. The flood stage came with 6.0; checking at all became the
//! default with 1.3.
//!
//! What was seen above all three of them on 7.17.28, 8.19.0 and OpenSearch 2.19.1, one node each: its
//! own primaries start all the same (an existing primary is allocated by force), and within
//! half a minute every index is read-only; OpenSearch also refuses new indices.

use std::fmt;

use super::layers::Layers;
use super::settings::{Origin, Sourced};
use super::space::FreeSpace;

const PREFIX: &str = "cluster.routing.allocation.disk.";

/// One of the three, by what happens above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// No further shard comes to the node.
    Low,
    /// Shards leave the node.
    High,
    /// Indices with a shard on the node become read-only.
    Flood,
}

impl Stage {
    /// All, the highest first.
    pub const ALL: [Self; 3] = [Self::Flood, Self::High, Self::Low];

    /// The setting's name.
    #[must_use]
    pub fn key(self) -> String {
        format!("{PREFIX}watermark.{self}")
    }

    fn default_used_percent(self) -> f64 {
        match self {
            Self::Low => 85.0,
            Self::High => 90.0,
            Self::Flood => 95.0,
        }
    }

    fn default_headroom_bytes(self) -> u64 {
        match self {
            Self::Low => 200 << 30,
            Self::High => 150 << 30,
            Self::Flood => 100 << 30,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::High => "high",
            Self::Flood => "flood_stage",
        })
    }
}

/// A disk that is fuller than a server wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceeded {
    /// The highest stage that it is above.
    pub stage: Stage,
    /// Bytes that have to be free.
    pub needed_bytes: u64,
    /// The setting's value, as it is written.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// The settings of a node, as far as they are written down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watermarks {
    is_off: bool,
    is_opensearch: bool,
    values: [Option<Sourced<String>>; 3],
    headrooms: [Option<Sourced<String>>; 3],
}

impl Watermarks {
    /// Reads them. What cannot be told is as if it were not set: it keeps nobody from a repair.
    pub(super) fn read(layers: &Layers, is_opensearch: bool) -> Self {
        let text = |key: &str| layers.text(key).ok().flatten();
        let threshold = text(&format!("{PREFIX}threshold_enabled"));
        Self {
            is_off: threshold.is_some_and(|setting| setting.value == "false"),
            is_opensearch,
            values: Stage::ALL.map(|stage| text(&stage.key())),
            headrooms: Stage::ALL.map(|stage| text(&format!("{}.max_headroom", stage.key()))),
        }
    }

    /// Name, value and origin of each that is written down.
    pub fn written(&self) -> impl Iterator<Item = (String, &Sourced<String>)> {
        let values = Stage::ALL.into_iter().zip(&self.values);
        values.filter_map(|(stage, value)| Some((stage.key(), value.as_ref()?)))
    }

    /// The highest stage that a file system is above, for a server of this version.
    #[must_use]
    pub fn exceeded(&self, space: FreeSpace, version: Option<&str>) -> Option<Exceeded> {
        let version = version.map(numbers);
        let is_older = |than| version.is_some_and(|version| version < than) && !self.is_opensearch;
        if self.is_off || is_older((1, 3)) {
            return None;
        }
        let has_headroom = version.is_some_and(|version| version >= (8, 5)) && !self.is_opensearch;
        let rows = Stage::ALL.into_iter().zip(self.values.iter().zip(&self.headrooms));
        rows.filter(|(stage, _)| *stage != Stage::Flood || !is_older((6, 0))).find_map(
            |(stage, (value, headroom))| {
                let (needed_bytes, value, origin) =
                    needed(stage, value.as_ref(), headroom.as_ref(), has_headroom, space);
                let is_above = space.free_bytes < needed_bytes;
                is_above.then_some(Exceeded { stage, needed_bytes, value, origin })
            },
        )
    }
}

/// Bytes that have to be free, and the setting that says so.
fn needed(
    stage: Stage,
    value: Option<&Sourced<String>>,
    headroom: Option<&Sourced<String>>,
    has_headroom: bool,
    space: FreeSpace,
) -> (u64, String, Origin) {
    let amount = value.and_then(|set| Some((Amount::read(&set.value)?, set)));
    let headroom_bytes = match headroom.and_then(|set| Amount::read(&set.value)) {
        Some(Amount::Free(bytes)) => Some(bytes),
        _ => (amount.is_none() && has_headroom).then(|| stage.default_headroom_bytes()),
    };
    let default_percent = stage.default_used_percent();
    let (amount, text, origin) = match amount {
        Some((amount, set)) => (amount, set.value.clone(), set.origin.clone()),
        None => {
            (Amount::Used(default_percent), format!("{default_percent}%"), Origin::PackageDefault)
        }
    };
    let bytes = match amount {
        Amount::Free(bytes) => bytes,
        Amount::Used(percent) => {
            let free = part(space.total_bytes, 100.0 - percent);
            headroom_bytes.map_or(free, |most| free.min(most))
        }
    };
    (bytes, text, origin)
}

/// So many percent of bytes, to a ten-thousandth.
fn part(bytes: u64, percent: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1,000,000")]
    let parts = (percent.clamp(0.0, 100.0) * 10_000.0).round() as u64;
    let wide = u128::from(bytes).saturating_mul(u128::from(parts));
    u64::try_from(wide.checked_div(1_000_000).unwrap_or(0)).unwrap_or(u64::MAX)
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Amount {
    /// Percent that may be used.
    Used(f64),
    /// Bytes that have to be free.
    Free(u64),
}

impl Amount {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if let Some(percent) = text.strip_suffix('%') {
            return percent
                .trim()
                .parse()
                .ok()
                .filter(|p| (0.0..=100.0).contains(p))
                .map(Self::Used);
        }
        if let Ok(ratio) = text.parse::<f64>() {
            return (0.0..=1.0).contains(&ratio).then_some(Self::Used(ratio * 100.0));
        }
        let units = [("pb", 50), ("tb", 40), ("gb", 30), ("mb", 20), ("kb", 10)];
        let long = units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)));
        let short = [("p", 50), ("t", 40), ("g", 30), ("m", 20), ("k", 10), ("b", 0)];
        let short = short.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)));
        let (number, shift) = long.or(short)?;
        let number: f64 = number.trim().parse().ok().filter(|n| *n >= 0.0)?;
        let shift: u32 = shift;
        // A value has at most three digits behind the point that matter.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        let thousandths = (number * 1000.0).round() as u64;
        let unit = 1_u64.checked_shl(shift)?;
        Some(Self::Free(thousandths.saturating_mul(unit).checked_div(1000)?))
    }
}

/// The first two numbers of a version; what is none counts as 0.
fn numbers(version: &str) -> (u32, u32) {
    let mut parts = version.split(['.', '-']).map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::layers::Layer;
    use super::*;

    const GB: u64 = 1 << 30;

    fn watermarks(settings: &[(&str, &str)], is_opensearch: bool) -> Watermarks {
        let settings =
            settings.iter().map(|(key, value)| (format!("{PREFIX}{key}"), (*value).to_owned()));
        let layer = Layer { origin: Origin::Unit("yml".to_owned()), settings: settings.collect() };
        let layers = Layers { layers: vec![layer], environment: BTreeMap::new() };
        Watermarks::read(&layers, is_opensearch)
    }

    fn stage(settings: &[(&str, &str)], free_gb: u64, version: &str) -> Option<Stage> {
        let space =
            FreeSpace { free_bytes: free_gb * GB, total_bytes: 1000 * GB, free_inodes: None };
        watermarks(settings, false).exceeded(space, Some(version)).map(|found| found.stage)
    }

    #[test]
    fn defaults_are_those_of_the_version() {
        for (free_gb, wanted) in [
            (160, None),
            (149, Some(Stage::Low)),
            (99, Some(Stage::High)),
            (49, Some(Stage::Flood)),
        ] {
            assert_eq!(stage(&[], free_gb, "7.17.28"), wanted, "{free_gb}");
        }
        assert_eq!(stage(&[], 49, "5.6.16"), Some(Stage::High), "no flood stage");
        assert_eq!(stage(&[], 1, "1.2.4"), None, "off by default");
        assert_eq!(stage(&[], 149, "1.7.6"), Some(Stage::Low));
        let space = FreeSpace { free_bytes: 49 * GB, total_bytes: 1000 * GB, free_inodes: None };
        let found = watermarks(&[], true).exceeded(space, Some("2.19.1")).unwrap();
        assert_eq!((found.stage, found.needed_bytes), (Stage::Flood, 50 * GB));
        assert_eq!((found.value.as_str(), found.origin), ("95%", Origin::PackageDefault));
        assert!(watermarks(&[], false).exceeded(space, None).is_some(), "an unknown version");
    }

    #[test]
    fn percent_ratio_and_bytes_are_read() {
        for value in ["99%", "0.99", "10gb", "10g", "10240mb", " 99.0% "] {
            let settings = [("watermark.low", "100%"), ("watermark.high", "100%")];
            let settings = [&settings[..], &[("watermark.flood_stage", value)]].concat();
            assert_eq!(stage(&settings, 11, "7.17.28"), None, "{value}");
            assert_eq!(stage(&settings, 9, "7.17.28"), Some(Stage::Flood), "{value}");
        }
        for value in ["nonsense", "101%", "-1", "1.5"] {
            let settings = [("watermark.flood_stage", value)];
            assert_eq!(stage(&settings, 49, "7.17.28"), Some(Stage::Flood), "{value}");
            assert_eq!(stage(&settings, 51, "7.17.28"), Some(Stage::High), "{value}");
        }
        assert_eq!(Amount::read("1.5kb"), Some(Amount::Free(1536)));
        assert_eq!(Amount::read("512b"), Some(Amount::Free(512)));
    }

    #[test]
    fn switched_off_nothing_is_full() {
        assert_eq!(stage(&[("threshold_enabled", "false")], 0, "7.17.28"), None);
    }

    #[test]
    fn a_large_disk_of_8_has_headroom() {
        let space = FreeSpace { free_bytes: 101 * GB, total_bytes: 10_000 * GB, free_inodes: None };
        let stage = |settings, version| {
            watermarks(settings, false).exceeded(space, Some(version)).map(|found| found.stage)
        };
        assert_eq!(
            stage(&[], "8.19.0"),
            Some(Stage::High),
            "100 GB are enough for the flood stage"
        );
        assert_eq!(stage(&[], "7.17.28"), Some(Stage::Flood));
        assert_eq!(stage(&[("watermark.flood_stage", "95%")], "8.19.0"), Some(Stage::Flood), "set");
        let bounded = [
            ("watermark.flood_stage", "95%"),
            ("watermark.flood_stage.max_headroom", "50gb"),
            ("watermark.high", "100%"),
            ("watermark.low", "100%"),
        ];
        assert_eq!(stage(&bounded, "8.19.0"), None);
    }
}
