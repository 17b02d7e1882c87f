//! Many shards, each an index of its own, filled in one start of a server and then damaged, each
//! in its own way.

use std::collections::BTreeSet;

use nix::sys::signal::Signal;

use crate::documents::{Documents, Story};
use crate::kind::Kind;
use crate::places::{Files, Places, Truth};
use crate::process::Process;
use crate::random::Random;

/// A shard and its damage.
pub(crate) struct Cell {
    pub(crate) kind: Kind,
    pub(crate) story: Story,
    pub(crate) truth: Truth,
    is_stream: bool,
}

impl Cell {
    pub(crate) fn index(&self) -> &str {
        &self.story.index
    }

    /// Which operations after the flush a server kept that started with these documents: it reads
    /// them in order.
    pub(crate) fn kept_by(&self, documents: &Documents) -> Vec<bool> {
        let all = self.story.unflushed.len();
        let kept_count = (0..=all).rev().find(|count| self.story.documents(*count) == *documents);
        (0..all).map(|place| place < kept_count.unwrap_or(0)).collect()
    }

    /// Takes note of translogs that a failed start removed. Only generations: a stream changes its
    /// name.
    pub(crate) fn forget_removed(&mut self) {
        if !self.is_stream {
            self.truth.forget_removed();
        }
    }

    /// Whether nothing that is left shows that an operation is gone: then a repair at `all` is
    /// right, and so is a refusal.
    pub(crate) fn may_be_whole(&self) -> bool {
        self.is_uncounted() && !self.truth.shows_a_loss()
    }

    /// Whether the files look as if an operation were gone, and none is: a checkpoint counts one
    /// that was never there, or, where nothing counts, bytes were added that never were one.
    pub(crate) fn seems_short(&self) -> bool {
        self.kind.counts_more().is_some() || (self.is_stream && self.kind == Kind::GarbageTail)
    }

    /// Whether nothing that is left says how many operations there were: up to 1.7, and where the
    /// checkpoint is gone.
    pub(crate) fn is_uncounted(&self) -> bool {
        self.is_stream || self.kind.loses_count()
    }
}

/// Fills an index a kind, ends the server as a crash does, and damages each.
pub(crate) fn fill_and_break(
    node: &mut Process,
    kinds: &[Kind],
    seed: u64,
) -> Result<Vec<Cell>, String> {
    node.own()?;
    node.step("first start");
    node.start()?;
    node.settle(0, None)?;
    let stories: Vec<Story> =
        kinds.iter().enumerate().map(|(number, kind)| Story::of(&kind.index(number), 0)).collect();
    node.step(&format!("filling {} indices", stories.len()));
    for story in &stories {
        node.api.create_index(&story.index, 1)?;
    }
    let all: BTreeSet<String> = stories.iter().map(|story| story.index.clone()).collect();
    node.settle(stories.len(), Some(&all))?;
    for story in &stories {
        node.api.bulk(&story.index, ROUTING, &story.flushed)?;
    }
    node.api.flush()?;
    let mut folders = Vec::new();
    for story in &stories {
        node.api.bulk(&story.index, ROUTING, &story.unflushed)?;
        // Up to 2.x the folder is named after the index.
        let uuid = node.api.index_uuid(&story.index).unwrap_or_default();
        folders.push(node.version.shard_folder(&node.data(), &story.index, &uuid, 0));
    }
    node.step("kill -9, and damage");
    node.stop(Signal::SIGKILL)?;
    let mut cells = Vec::new();
    for ((story, kind), folder) in stories.into_iter().zip(kinds).zip(folders) {
        let files = Files::read(&node.version, &folder)?;
        if files.frames.len() != story.unflushed.len() {
            let (found, wanted) = (files.frames.len(), story.unflushed.len());
            return Err(format!("{} has {found} records, not {wanted}", files.path().display()));
        }
        let mut random = Random::of(seed, &format!("{} {}", node.version, story.index));
        let places: Places = kind.apply(&files, &mut random)?;
        let truth = places.truth(files.is_stream);
        cells.push(Cell { kind: *kind, story, truth, is_stream: files.is_stream });
    }
    node.own()?;
    Ok(cells)
}

/// All operations on one shard need none; a value that is the same is given all the same, so that
/// records hold one.
pub(crate) const ROUTING: &str = "r0";
