//! A damaged copy beside a good one, on two nodes. Ten indices of one shard and one replica: one for
//! each level of repair and one for the default, with the primary on either node. The copies of the
//! first node are damaged; what becomes of both is compared document by document, copy by copy.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::checks::Checks;
use crate::damage::{Damage, Translog};
use crate::documents::{Documents, Story, difference};
use crate::pair::{BOTH, Pair, Who, is_green};
use crate::subject::{Subject, WAYS, Way};
use crate::tool::{Run, Tool, View};
use crate::version::Version;

/// Does the whole run.
pub(crate) fn run(
    version: &Version,
    binary: &Path,
    records: &Path,
    checks: &mut Checks,
) -> Result<(), String> {
    let mut tool = Tool::new(binary, records);
    checks.step("installing");
    let pair = Pair::install(version)?;
    let mut table = Vec::new();
    let result = (|| {
        let subjects = fill_and_break(&pair, checks)?;
        let mut rows = Rows { pair: &pair, tool: &mut tool, subjects, table: &mut table };
        rows.live("both run", true, checks)?;
        rows.live("given up, peer joins", false, checks)?;
        rows.together(checks)?;
        rows.alone(checks)?;
        rows.empty(checks)
    })();
    println!(
        "\n      {:<26} {:<8} {:<8} {:<10} {:>5} {:>5}",
        "start", "way", "primary", "kept", "1", "2"
    );
    for line in &table {
        println!("      {line}");
    }
    checks.outcome.peak_kib = tool.peak_kib;
    Pair::keep_logs(records)?;
    result
}

fn saved() -> PathBuf {
    PathBuf::from("/var/pair-copies")
}

/// Fills both nodes, kills them, and breaks every copy of the first.
fn fill_and_break(pair: &Pair, checks: &mut Checks) -> Result<Vec<Subject>, String> {
    checks.step("filling two nodes");
    Pair::start(Who::First)?;
    Pair::start(Who::Second)?;
    let api = pair.api(Who::First);
    pair.wait("two nodes", |_| api.node_count() == Ok(2))?;
    let mut subjects = Vec::new();
    for way in WAYS {
        for primary in BOTH {
            let index = format!("{}-{}", way.text(), primary.number());
            api.create_index_on(&index, &primary.name())?;
            let story = Story::of(&index, 0);
            subjects.push(Subject { way, primary, story, bad: 0 });
        }
    }
    pair.wait("every copy", |copies| is_green(copies, subjects.len()))?;
    for subject in &subjects {
        api.bulk(subject.index(), "r", &subject.story.flushed)?;
    }
    api.flush()?;
    for subject in &subjects {
        api.bulk(subject.index(), "r", &subject.story.unflushed)?;
    }
    let mut folders = Vec::new();
    for subject in &subjects {
        let uuid = api.index_uuid(subject.index())?;
        let data = Who::First.data();
        folders.push(pair.version.shard_folder(&data, subject.index(), &uuid, 0));
    }
    BOTH.into_iter().try_for_each(Pair::kill)?;
    for (subject, folder) in subjects.iter_mut().zip(folders) {
        let kind = if subject.way == Way::Repaired("all") {
            Damage::FlippedBit
        } else {
            Damage::FlippedBits
        };
        subject.bad = Translog::of(&pair.version, &folder)?.damage(&pair.version, kind)?;
    }
    Pair::save(&saved())?;
    Ok(subjects)
}

struct Rows<'a> {
    pair: &'a Pair,
    tool: &'a mut Tool,
    subjects: Vec<Subject>,
    table: &'a mut Vec<String>,
}

impl Rows<'_> {
    fn tool(&mut self, label: &str, service: &str, arguments: &[&str]) -> Result<Run, String> {
        let (config, url) = (Who::First.config().display().to_string(), Who::First.url());
        let node = ["--config", &config, "--url", &url, "--service", service, "--output", "json"];
        let all: Vec<&str> = node.into_iter().chain(arguments.iter().copied()).collect();
        self.tool.run(label, &View::Plain, &all)
    }

    /// Both nodes run, and the program does what it does of itself. Not `together`: the first has
    /// given its copies up before the other one comes.
    fn live(&mut self, row: &str, together: bool, checks: &mut Checks) -> Result<(), String> {
        checks.step(&format!("{row}: the default"));
        Pair::restore(&saved())?;
        self.pair.configure(together)?;
        let count = self.subjects.len();
        Pair::start(Who::First)?;
        if !together {
            self.pair.wait("the lone copies to be given up", |copies| {
                copies.iter().filter(|copy| copy.is_given_up).count() >= count
            })?;
        }
        Pair::start(Who::Second)?;
        let api = self.pair.api(Who::First);
        self.pair.wait("two nodes", |_| api.node_count() == Ok(2))?;
        self.pair.wait("the damaged copies to be given up", |copies| {
            let is_still = copies.iter().all(|copy| copy.state != "INITIALIZING");
            let given_up_count = copies.iter().filter(|copy| copy.is_given_up).count();
            is_green(copies, count) || (is_still && given_up_count >= count)
        })?;
        if is_green(&self.pair.copies(), count) {
            // 6.8.23 goes over to the other copy of itself, and builds the damaged one anew.
            println!("      the server has healed the damaged copies by itself");
            let run = self.tool("live-healed", &Who::First.unit(), &["--yes"])?;
            let is_calm = run.exit_code == 0;
            checks.holds(&format!("{row}, healed: nothing is done"), is_calm, || run.words());
            return self.compare(row, checks, |_, whole, _| vec![whole]);
        }
        let arguments = ["--yes", "--wait", "90"];
        let run = self.tool(&row.replace([' ', ','], "-"), &Who::First.unit(), &arguments)?;
        checks.holds(&format!("{row}: exit 1"), run.exit_code == 1, || run.words());
        let document = run.json()?;
        let shards = document.get("shards").and_then(Value::as_array).cloned().unwrap_or_default();
        let is_moved = |shard: &&Value| {
            shard.pointer("/plan/kind").and_then(Value::as_str) == Some("move-away")
                && shard.get("outcome").and_then(Value::as_str) == Some("rebuilt")
                && shard.pointer("/plan/lost/operation_count").and_then(Value::as_u64) == Some(0)
        };
        let moved_count = shards.iter().filter(is_moved).count();
        let words = || format!("{moved_count} of {count}: {}", run.words());
        let name = format!("{row}: each copy is moved away and rebuilt");
        checks.holds(&name, moved_count == count, words);
        self.compare(row, checks, |_, whole, _| vec![whole])
    }

    /// Repairs the first node's copies while both are down.
    fn repair(&mut self, label: &str, checks: &mut Checks) -> Result<(), String> {
        Pair::restore(&saved())?;
        let of = |way| {
            let subjects = self.subjects.iter().filter(move |subject| subject.way == way);
            subjects.map(|subject| subject.index().to_owned()).collect::<Vec<_>>()
        };
        for (way, indices) in WAYS.map(|way| (way, of(way))) {
            let indices: Vec<&str> = indices.iter().map(String::as_str).collect();
            let name = format!("{label}-{}", way.text());
            let flags: &[&str] = match way {
                Way::Repaired(level) => {
                    &["--yes", "--accept-data-loss", "--despite-healthy-copy", "--keep", level]
                }
                Way::MovedAway => {
                    let arguments = [&["--yes", "--accept-data-loss"], &indices[..]].concat();
                    let run = self.tool(&format!("{name}-refused"), "none", &arguments)?;
                    let ways_on = ["--prefer-peer", "--despite-healthy-copy"];
                    let is_named = ways_on.iter().all(|flag| run.stdout.contains(flag));
                    let is_refused = run.exit_code & 64 != 0 && is_named;
                    checks.holds(&format!("{name}: refused, both ways named"), is_refused, || {
                        run.words()
                    });
                    &["--yes", "--prefer-peer"]
                }
            };
            let run = self.tool(&name, "none", &[flags, &indices[..]].concat())?;
            let is_done = run.exit_code & 2 != 0 && run.exit_code & (8 | 64) == 0;
            checks.holds(&format!("{name}: done"), is_done, || run.words());
        }
        Ok(())
    }

    /// Both start together; the primary falls on the node that had it.
    fn together(&mut self, checks: &mut Checks) -> Result<(), String> {
        checks.step("both start together");
        self.repair("together", checks)?;
        self.pair.configure(true)?;
        BOTH.into_iter().try_for_each(Pair::start)?;
        let count = self.subjects.len();
        self.pair.wait("every copy", |copies| is_green(copies, count))?;
        self.compare("both start together", checks, |primary, whole, repaired| match primary {
            Who::First => vec![repaired],
            Who::Second | Who::Third => vec![whole],
        })
    }

    /// The first node alone, then the other joins.
    fn alone(&mut self, checks: &mut Checks) -> Result<(), String> {
        checks.step("the repaired one alone, then the other joins");
        self.repair("alone", checks)?;
        self.start_alone()?;
        let down = self.pair.copies();
        let moved = self.subjects.iter().filter(|subject| subject.way == Way::MovedAway);
        let is_down = |subject: &Subject| {
            down.iter().all(|copy| copy.index != subject.index() || copy.state == "UNASSIGNED")
        };
        let all_down = moved.clone().all(is_down);
        checks.holds("alone: a shard that was moved away waits for its peer", all_down, || {
            format!("{down:?}")
        });
        Pair::start(Who::Second)?;
        let count = self.subjects.len();
        self.pair.wait("every copy", |copies| is_green(copies, count))?;
        self.compare("alone, the other joins", checks, |_, _, repaired| vec![repaired])
    }

    fn start_alone(&self) -> Result<(), String> {
        self.pair.configure(false)?;
        Pair::start(Who::First)?;
        let repaired = self.subjects.iter().filter(|subject| subject.way != Way::MovedAway).count();
        self.pair.wait("the repaired primaries", |copies| {
            copies.iter().filter(|copy| copy.state == "STARTED").count() == repaired
        })
    }

    /// The first node alone, then the other joins with nothing.
    fn empty(&mut self, checks: &mut Checks) -> Result<(), String> {
        checks.step("the repaired one alone, then an empty one joins");
        self.repair("empty", checks)?;
        self.start_alone()?;
        let data = Who::Second.data();
        std::fs::remove_dir_all(&data).map_err(|error| error.to_string())?;
        std::fs::create_dir_all(&data).map_err(|error| error.to_string())?;
        self.pair.configure(false)?;
        Pair::start(Who::Second)?;
        // No copy of what was moved away is left: that is what the refusal is for.
        self.subjects.retain(|subject| subject.way != Way::MovedAway);
        let count = self.subjects.len();
        self.pair.wait("every copy of the repaired", |copies| {
            copies.iter().filter(|copy| copy.state == "STARTED").count() == count * 2
        })?;
        self.compare("alone, an empty one joins", checks, |_, _, repaired| vec![repaired])
    }

    /// Holds both copies of each index against each other and against what they have to be.
    fn compare(
        &mut self,
        row: &str,
        checks: &mut Checks,
        allowed: impl Fn(Who, Documents, Documents) -> Vec<Documents>,
    ) -> Result<(), String> {
        let api = self.pair.api(Who::First);
        for subject in &self.subjects {
            let holds = |who: Who| api.documents_on(subject.index(), &who.name());
            // A cluster that has just got its second node still moves copies about (6.8.23).
            self.pair.wait("both copies", |_| BOTH.iter().all(|who| holds(*who).is_ok()))?;
            let copies = self.pair.copies();
            let (first, second) = (holds(Who::First)?, holds(Who::Second)?);
            let is_on_second = copies.iter().any(|copy| {
                copy.index == subject.index()
                    && copy.is_primary
                    && copy.node.as_deref() == Some(Who::Second.name().as_str())
            });
            let primary = if is_on_second { Who::Second } else { Who::First };
            let (whole, repaired) = (subject.whole(), subject.repaired());
            let kept = if first == whole { "everything" } else { "repaired" };
            self.table.push(format!(
                "{row:<26} {:<8} {:<8} {kept:<10} {:>5} {:>5}",
                subject.way.text(),
                format!("{}, was {}", primary.number(), subject.primary.number()),
                first.len(),
                second.len()
            ));
            let name = format!("{row}: {}", subject.index());
            let both = difference(&first, &second);
            checks.same(&format!("{name}: both copies hold the same"), both);
            let wanted = allowed(primary, whole, repaired);
            let is_wanted = wanted.contains(&first);
            checks.holds(&format!("{name}: what it has to hold"), is_wanted, || {
                let differs = wanted.first().and_then(|wanted| difference(wanted, &first));
                differs.unwrap_or_default()
            });
        }
        Ok(())
    }
}
