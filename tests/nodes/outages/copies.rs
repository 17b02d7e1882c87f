//! Two nodes of one cluster and a damaged copy on the first: a healthy replica, that replica away,
//! and a replica with the operations that the damaged copy lost.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::About;
use super::scene::{events, keep_machine};
use crate::checks::Checks;
use crate::damage::{Damage, Translog};
use crate::documents::{Documents, Story, difference};
use crate::pair::{BOTH, Pair, Who, is_green};
use crate::tool::{Run, Tool, View};

pub(super) const INDICES: [&str; 2] = ["orders", "users"];
const WAIT: [&str; 4] = ["--start-timeout", "60", "--wait", "25"];

/// Both nodes, what they were sent, and the program.
pub(super) struct Copies<'a> {
    pub(super) pair: Pair,
    tool: Tool,
    pub(super) checks: &'a mut Checks,
    stories: Vec<Story>,
    /// Operations of each that can still be read on the first node.
    readable_counts: Vec<usize>,
}

pub(super) fn saved() -> PathBuf {
    PathBuf::from("/var/pair-copies")
}

/// Sets the scene, plays it, and keeps its logs however it ends.
fn play(
    about: About<'_>,
    checks: &mut Checks,
    play: impl FnOnce(&mut Copies<'_>) -> Result<(), String>,
) -> Result<(), String> {
    checks.step("installing two nodes");
    play_on(Pair::install(about.0)?, about, checks, |_| Ok(()), play)
}

/// The same on these nodes; `before_the_end` is what happens before the first two are killed.
pub(super) fn play_on(
    pair: Pair,
    (_, binary, records): About<'_>,
    checks: &mut Checks,
    before_the_end: impl FnOnce(&Pair) -> Result<(), String>,
    play: impl FnOnce(&mut Copies<'_>) -> Result<(), String>,
) -> Result<(), String> {
    let tool = Tool::new(binary, records);
    let stories = INDICES.iter().map(|index| Story::of(index, 0)).collect();
    let mut copies = Copies { pair, tool, checks, stories, readable_counts: Vec::new() };
    let result = copies.fill_and_break(before_the_end).and_then(|()| play(&mut copies));
    Pair::keep_logs(records)?;
    keep_machine(records)?;
    result
}

impl Copies<'_> {
    /// Both copies have every operation; those of the first node are then damaged.
    fn fill_and_break(
        &mut self,
        before_the_end: impl FnOnce(&Pair) -> Result<(), String>,
    ) -> Result<(), String> {
        self.checks.step("filling both");
        BOTH.into_iter().try_for_each(Pair::start)?;
        let api = self.pair.api(Who::First);
        self.pair.wait("two nodes", |_| api.node_count() == Ok(2))?;
        for index in INDICES {
            api.create_index_on(index, &Who::First.name())?;
        }
        self.pair.wait("every copy", |copies| is_green(copies, INDICES.len()))?;
        for story in &self.stories {
            api.bulk(&story.index, "r", &story.flushed)?;
        }
        api.flush()?;
        for story in &self.stories {
            api.bulk(&story.index, "r", &story.unflushed)?;
        }
        let mut folders = Vec::new();
        for index in INDICES {
            let uuid = api.index_uuid(index)?;
            folders.push(self.pair.version.shard_folder(&Who::First.data(), index, &uuid, 0));
        }
        before_the_end(&self.pair)?;
        BOTH.into_iter().try_for_each(Pair::kill)?;
        for folder in folders {
            let translog = Translog::of(&self.pair.version, &folder)?;
            self.readable_counts.push(translog.damage(&self.pair.version, Damage::FlippedBits)?);
        }
        Pair::save(&saved())
    }

    /// The first node is up alone and has given its copies up.
    pub(super) fn alone_and_red(&mut self) -> Result<(), String> {
        self.checks.step("the first node alone");
        Pair::restore(&saved())?;
        self.pair.configure(false)?;
        Pair::start(Who::First)?;
        self.pair.wait("the damaged copies to be given up", |copies| {
            copies.iter().filter(|copy| copy.is_given_up).count() >= INDICES.len()
        })
    }

    fn second_comes(&mut self) -> Result<(), String> {
        self.checks.step("the second node comes");
        Pair::start(Who::Second)?;
        self.pair.wait("every copy", |copies| is_green(copies, INDICES.len()))
    }

    pub(super) fn run(
        &mut self,
        label: &str,
        wanted: i32,
        arguments: &[&str],
    ) -> Result<Run, String> {
        let (config, url) = (Who::First.config().display().to_string(), Who::First.url());
        let unit = Who::First.unit();
        let node = ["--config", &config, "--url", &url, "--service", &unit];
        let words: Vec<&str> =
            node.into_iter().chain(WAIT).chain(arguments.iter().copied()).collect();
        let run = self.tool.run(label, &View::Plain, &words)?;
        self.checks.exit(label, wanted, &run);
        Ok(run)
    }

    /// The copies on these nodes hold these documents, compared one by one.
    pub(super) fn compare(
        &mut self,
        when: &str,
        nodes: [Who; 2],
        wanted: impl Fn(&Story, usize) -> Documents,
    ) -> Result<(), String> {
        let api = self.pair.api(Who::First);
        for (story, readable_count) in self.stories.iter().zip(&self.readable_counts) {
            let holds = |who: Who| api.documents_on(&story.index, &who.name());
            self.pair.wait("both copies", |_| nodes.iter().all(|who| holds(*who).is_ok()))?;
            let (first, second) = (holds(nodes[0])?, holds(nodes[1])?);
            let name = format!("{when}: {}", story.index);
            let count = first.len();
            let both = difference(&first, &second);
            self.checks.same(&format!("{name}: both copies hold the same {count}"), both);
            let differs = difference(&wanted(story, *readable_count), &first);
            self.checks.same(&format!("{name}: and what they have to"), differs);
        }
        Ok(())
    }

    /// Nothing was changed.
    pub(super) fn no_run(&mut self, label: &str) {
        let run_count = Path::new(super::scene::STATE).join("runs").read_dir();
        let is_clean = run_count.map_or(0, Iterator::count) == 0;
        self.checks.holds(&format!("{label}: no run is recorded"), is_clean, || "one is".into());
    }
}

pub(super) fn whole(story: &Story, _: usize) -> Documents {
    story.documents(story.unflushed.len())
}

/// A healthy replica: away, it is waited for; there, the damaged copy is built anew from it.
pub(super) fn healthy_replica(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    play(about, checks, |copies| {
        copies.alone_and_red()?;
        let run = copies.run("other-down", 64, &["--yes", "--accept-data-loss"])?;
        let said = format!("{}{}", run.stdout, run.stderr);
        let ways_on = ["--prefer-peer", "--despite-healthy-copy", "start the node that holds it"];
        let missing: Vec<&&str> = ways_on.iter().filter(|word| !said.contains(**word)).collect();
        copies.checks.holds("it names every way on", missing.is_empty(), || {
            format!("{missing:?} not in what it said")
        });
        copies.no_run("other down");
        copies.run("prefer-peer", 3, &["--yes", "--prefer-peer", "--output", "ndjson"])?;
        copies.second_comes()?;
        copies.compare("--prefer-peer, and the other is back", BOTH, whole)?;

        copies.alone_and_red()?;
        copies.checks.step("the other comes before the program does");
        Pair::start(Who::Second)?;
        let api = copies.pair.api(Who::First);
        copies.pair.wait("two nodes", |_| api.node_count() == Ok(2))?;
        let run = copies.run("both-up", 1, &["--yes", "--output", "ndjson"])?;
        let repaired = events(&run, "repaired");
        let is_moved =
            |event: &Value| event.get("kind").and_then(Value::as_str) == Some("move-away");
        let moved = repaired.iter().filter(|event| is_moved(event)).count();
        copies.checks.holds("each damaged copy is moved away", moved == INDICES.len(), || {
            format!("{moved}")
        });
        copies.pair.wait("every copy", |copies| is_green(copies, INDICES.len()))?;
        copies.compare("both up", BOTH, whole)
    })
}

/// The damaged copy is repaired with a loss although a replica has what it lost, and that replica
/// comes back: both copies must be the same then.
pub(super) fn replica_had_more(about: About<'_>, checks: &mut Checks) -> Result<(), String> {
    play(about, checks, |copies| {
        copies.alone_and_red()?;
        let words = ["--yes", "--accept-data-loss", "--despite-healthy-copy", "--output", "ndjson"];
        let run = copies.run("despite", 1, &words)?;
        let judged = events(&run, "judged");
        let lost = judged.iter().filter_map(|event| event.pointer("/plan/lost/operation_count"));
        let lost = lost.filter_map(Value::as_u64).max();
        copies.checks.holds("the loss is told", lost == Some(1), || format!("{lost:?}"));
        let api = copies.pair.api(Who::First);
        let (first, readable_count) =
            copies.stories.iter().zip(&copies.readable_counts).next().ok_or("no story")?;
        let found = api.documents_on(&first.index, &Who::First.name())?;
        let differs = difference(&first.documents_without(*readable_count), &found);
        copies.checks.same("the first node alone has what could be read", differs);
        copies.second_comes()?;
        copies.compare(
            "the replica with the lost operation is back",
            BOTH,
            Story::documents_without,
        )?;
        copies.checks.step("writes, a flush and a restart of both");
        let api = copies.pair.api(Who::First);
        for story in &copies.stories {
            api.bulk(&story.index, "r", &story.later())?;
        }
        api.flush()?;
        for who in BOTH {
            crate::run::succeed("systemctl", &["restart", &who.unit()])?;
        }
        copies.pair.wait("every copy", |copies| is_green(copies, INDICES.len()))?;
        copies.compare("after writes and restarts", BOTH, |story, readable_count| {
            let mut documents = story.documents_without(readable_count);
            crate::documents::apply(&mut documents, story.later().iter());
            documents
        })
    })
}
