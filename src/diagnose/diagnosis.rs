//! Evidence -> diagnosis: the verdict on one shard, proven from bytes alone.

use serde::Serialize;

use super::chain::{Chain, judge_chain};
use super::evidence::Evidence;
use super::family::Family;
use super::problem::{Code, Problem, Severity};
use super::stream::{Stream, judge_stream};
use crate::format::Unreadable;

/// What a shard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The server will accept its translog, and lose nothing.
    Sound,
    /// The server will not start it.
    Damaged,
    /// The server will start it and drop operations that are there.
    SilentlyShort,
    /// Something else than the translog is wrong.
    NotTheTranslog,
    /// Not understood; left alone.
    Unknown,
}

impl Verdict {
    /// The verdict in words.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Damaged => "damaged",
            Self::SilentlyShort => "silently short",
            Self::NotTheTranslog => "not the translog",
            Self::Unknown => "unknown",
        }
    }

    /// Whether a repair is called for.
    #[must_use]
    pub fn wants_repair(self) -> bool {
        matches!(self, Self::Damaged | Self::SilentlyShort)
    }
}

/// How the translog is laid out, judged part by part.
#[derive(Debug, Clone)]
pub enum Judged {
    /// 2.0 and later.
    Chain(Chain),
    /// 0.20 to 1.7.
    Stream(Stream),
    /// It could not be laid out.
    Nothing,
}

/// What is wrong with a shard.
#[derive(Debug, Clone)]
pub struct Diagnosis {
    /// The verdict.
    pub verdict: Verdict,
    /// Everything that is wrong or worth a note, worst first.
    pub problems: Vec<Problem>,
    /// The translog, judged part by part.
    pub judged: Judged,
}

/// Judges a shard.
#[must_use]
pub fn diagnose(evidence: &Evidence) -> Diagnosis {
    let mut problems = Vec::new();
    let family = judge_commit(evidence, &mut problems);
    problems.extend(evidence.index_problems.iter().chain(&evidence.state_problems).cloned());
    let judged = match family {
        Some(Family::Stream) => {
            judge_stream(evidence, &mut problems).map_or(Judged::Nothing, Judged::Stream)
        }
        Some(family) => {
            judge_chain(evidence, family, &mut problems).map_or(Judged::Nothing, Judged::Chain)
        }
        None => Judged::Nothing,
    };
    for file in &evidence.temporary {
        let message = "left by an interrupted checkpoint copy";
        problems.push(Problem::new(Code::Temporary, &file.path, message));
    }
    judge_closed(evidence, &mut problems);
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    Diagnosis { verdict: verdict(&problems), problems, judged }
}

/// A closed shard is started only when everything is in the commit: the global checkpoint of
/// `translog.ckp` is then its highest sequence number (observed on 7.17.28).
fn judge_closed(evidence: &Evidence, problems: &mut Vec<Problem>) {
    let is_noted = |problem: &Problem| problem.severity == Severity::Note;
    let by_seq_no = evidence.commit_text("translog_generation").is_none();
    if !evidence.index_is_closed || !by_seq_no || !problems.iter().all(is_noted) {
        return;
    }
    let said = evidence.checkpoint.as_ref().and_then(|file| file.checkpoint.as_ref().ok());
    let highest = evidence.commit_number("max_seq_no");
    if let (Some(said), Some(highest), Some(file)) = (said, highest, &evidence.checkpoint)
        && said.global_checkpoint != highest
    {
        let global_checkpoint = said.global_checkpoint;
        let message = format!("global checkpoint {global_checkpoint}, {highest} in the commit");
        problems.push(Problem::new(Code::ClosedGlobalCheckpoint, &file.path, message));
    }
}

fn judge_commit(evidence: &Evidence, problems: &mut Vec<Problem>) -> Option<Family> {
    for marker in &evidence.markers {
        let message = "the server found Lucene files damaged and will not open the shard";
        problems.push(Problem::new(Code::CommitMarked, marker, message));
    }
    let Some(newest) = evidence.newest_commit() else {
        let message = "no segments_N file: this is no opened shard, or its index is gone";
        problems.push(Problem::new(Code::CommitMissing, &evidence.index_folder, message));
        return None;
    };
    for later in evidence.commits.iter().filter(|later| later.generation > newest.generation) {
        let message = "an interrupted commit; the server goes back to the one before";
        problems.push(Problem::new(Code::CommitTorn, &later.path, message));
    }
    for earlier in evidence.commits.iter().filter(|file| file.generation < newest.generation) {
        if let (Err(Unreadable::Damaged(defect)), Ok(_)) = (&earlier.commit, &newest.commit) {
            let code = Code::OlderCommitUnreadable;
            let problem = Problem::new(code, &earlier.path, defect.to_string());
            problems.push(problem.at(defect.offset));
        }
    }
    match &newest.commit {
        Ok(_) => {}
        Err(Unreadable::Newer(what)) => {
            problems.push(Problem::new(Code::CommitNewer, &newest.path, what.clone()));
            return None;
        }
        Err(Unreadable::Damaged(defect)) => {
            let problem = Problem::new(Code::CommitUnreadable, &newest.path, defect.to_string());
            problems.push(problem.at(defect.offset));
            return None;
        }
    }
    let family = Family::of(evidence);
    if family.is_none() {
        let message = "no translog_uuid and no translog_id this program can go by";
        problems.push(Problem::new(Code::CommitWithoutTranslog, &newest.path, message));
    }
    family
}

fn verdict(problems: &[Problem]) -> Verdict {
    let beyond = |codes: &[Code]| problems.iter().any(|problem| codes.contains(&problem.code));
    if beyond(&[
        Code::TranslogNewer,
        Code::CheckpointNewer,
        Code::CommitNewer,
        Code::ChainUnknown,
        Code::CommitWithoutTranslog,
    ]) {
        return Verdict::Unknown;
    }
    match problems.iter().map(|problem| problem.severity).max() {
        Some(Severity::Beyond) => Verdict::NotTheTranslog,
        Some(Severity::Damage) => Verdict::Damaged,
        Some(Severity::Short) => Verdict::SilentlyShort,
        Some(Severity::Note) | None => Verdict::Sound,
    }
}
