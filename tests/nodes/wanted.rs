//! What a run with many shards is asked for on the command line.

/// Servers at a time: each has a heap of 512 MiB.
const AT_A_TIME: usize = 2;
const SEED: u64 = 2026;
const LEVELS: [&str; 4] = ["valid", "prefix", "none", "all"];
/// Servers of a quick run when none is named.
const FAST_VERSIONS: [&str; 4] = ["es-1.7.6", "es-5.6.16", "es-8.19.0", "os-2.19.1"];

/// What a run was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) versions: Vec<String>,
    pub(crate) seed: u64,
    pub(crate) levels: Vec<String>,
    /// The kinds of damage, by name; all when empty.
    pub(crate) kinds: Vec<String>,
    pub(crate) is_fast: bool,
    pub(crate) at_a_time: usize,
}

impl Wanted {
    /// Reads the words behind the name of the mode.
    pub(crate) fn parse(words: &[String], versions: &[&str]) -> Result<Self, String> {
        let mut wanted = Self {
            versions: Vec::new(),
            seed: SEED,
            levels: LEVELS.map(str::to_owned).to_vec(),
            kinds: Vec::new(),
            is_fast: false,
            at_a_time: AT_A_TIME,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--seed" => {
                    let number = words.next().and_then(|number| number.parse().ok());
                    wanted.seed = number.ok_or("--seed takes a number")?;
                }
                "--levels" => {
                    let list = words.next().ok_or("--levels takes valid,prefix,none,all")?;
                    wanted.levels = list.split(',').map(str::to_owned).collect();
                }
                "--kinds" => {
                    let list = words.next().ok_or("--kinds takes FlipSource,TwoIntact,...")?;
                    wanted.kinds = list.split(',').map(str::to_owned).collect();
                }
                "--jobs" => {
                    let number = words.next().and_then(|number| number.parse().ok());
                    wanted.at_a_time = number.ok_or("--jobs takes a number")?;
                }
                "--fast" => {
                    wanted.is_fast = true;
                    wanted.levels.truncate(1);
                }
                word if word.starts_with('-') => return Err(format!("unknown: {word}")),
                word => wanted.versions.push(word.to_owned()),
            }
        }
        let versions = if wanted.is_fast { &FAST_VERSIONS } else { versions };
        if wanted.versions.is_empty() {
            wanted.versions = versions.iter().map(|name| (*name).to_owned()).collect();
        }
        Ok(wanted)
    }
}
