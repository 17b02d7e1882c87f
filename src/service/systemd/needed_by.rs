//! Units that are stopped with the node's unit because they need it (`Requires=`, `BindsTo=`,
//! `PartOf=`), and that its start does not start again.

use std::collections::BTreeSet;

use super::{ANSWER_LIMIT, Systemd, systemctl};

/// The unit's side of those three.
const NEEDED_BY: &str = "--property=RequiredBy,BoundBy,ConsistsOf";

impl Systemd {
    /// The services among them that run. Targets are left out: starting one starts all it wants.
    pub(super) fn running_that_need_it(&self) -> Vec<String> {
        let shown = self.run("show", &[NEEDED_BY], ANSWER_LIMIT).ok();
        let shown = shown.and_then(|answer| answer.stdout()).unwrap_or_default();
        let values = shown.lines().filter_map(|line| line.split_once('='));
        let units = values.flat_map(|(_, units)| units.split_ascii_whitespace());
        let services: BTreeSet<&str> =
            units.filter(|unit| unit.strip_suffix(".service").is_some()).collect();
        services.into_iter().filter(|unit| self.is_up(unit)).map(str::to_owned).collect()
    }

    /// Starts those that were stopped with it, without waiting for them.
    pub(super) fn start_what_needs_it(&mut self) {
        for unit in std::mem::take(&mut self.stopped_with) {
            if self.is_up(&unit) {
                continue;
            }
            let told = format!("systemctl start {unit}");
            let words = ["start", "--no-block", "--", &unit];
            let done = systemctl(&self.systemctl, &words, &told, ANSWER_LIMIT);
            self.notes.push(match done {
                Ok(_) => format!("{unit} was stopped with {}, and is started again", self.unit),
                Err(error) => {
                    format!("{unit} was stopped with {} and does not start: {error}", self.unit)
                }
            });
        }
    }

    fn is_up(&self, unit: &str) -> bool {
        let words = ["show", "--property=ActiveState", "--", unit];
        let answer = systemctl(&self.systemctl, &words, "systemctl show", ANSWER_LIMIT).ok();
        let state = answer.and_then(|answer| answer.stdout()).unwrap_or_default();
        matches!(state.trim(), "ActiveState=active" | "ActiveState=activating")
    }
}
