//! The run for a person: what is found and done as it happens, and the summary at the end.

use super::named::named;
use super::safe::safe;
use super::style::{BAD, DIM, GOOD, WARN};
use super::summary::Summary;
use crate::diagnose::{Severity, Verdict};
use crate::plan::{Kind, Loss, Plan};
use crate::rounds::{Event, ShardOutcome, ShardReport, Stage};

/// Problems of one shard that are shown.
const PROBLEMS_SHOWN_MAX: usize = 6;
/// Lost operations of one shard that are shown by name.
const LOST_SHOWN_MAX: usize = 5;

/// Makes lines from events.
#[derive(Debug, Default)]
pub struct TextReport {
    shards_since_heading: usize,
}

impl TextReport {
    /// The lines for one event; none for those that only a program wants.
    pub fn lines(&mut self, event: &Event) -> Vec<String> {
        match event {
            Event::Setting { name, value, origin } => {
                vec![format!(
                    "{DIM}{name:<12}{DIM:#} {}  {DIM}({}){DIM:#}",
                    safe(value),
                    safe(origin)
                )]
            }
            Event::LogRead { files, bytes, record_count } => {
                let names: Vec<String> =
                    files.iter().map(|path| safe(&path.display().to_string())).collect();
                vec![format!("log: {record_count} records, {bytes} bytes in {}", names.join(", "))]
            }
            Event::Found { .. } | Event::NodeWide { .. } => named(event),
            Event::Judged(report) => judged(report),
            Event::Refused { refusal } => {
                vec![format!("{WARN}refused{WARN:#}: {}", safe(&refusal.to_string()))]
            }
            Event::RunBegun { id, path } => {
                vec![format!("run {id}, journal in {}", safe(&path.display().to_string()))]
            }
            Event::Stage { round, stage, detail } => vec![stage_line(*round, *stage, detail)],
            Event::Repaired { shard, kind, .. } => {
                let done = match kind {
                    Kind::Repair => "repaired",
                    Kind::MoveAway => "moved away",
                };
                vec![format!("{GOOD}{done}{GOOD:#} {}", safe(&shard.to_string()))]
            }
            Event::Quarantined { .. } => Vec::new(),
            Event::Up { shard, rebuilt } => {
                self.shards_since_heading = self.shards_since_heading.saturating_add(1);
                let how = if *rebuilt { ", built anew on this node" } else { "" };
                vec![format!("{GOOD}up{GOOD:#} {}{how}", safe(&shard.to_string()))]
            }
            Event::Failed { shard, cause, line } => vec![
                format!("{BAD}failed again{BAD:#} {}: {cause}", safe(&shard.to_string())),
                format!("  {DIM}{}{DIM:#}", safe(line)),
            ],
            Event::RoundEnded { number, repaired, verdict, .. } => {
                vec![format!("round {number}: {} shards repaired, {}", repaired.len(), verdict)]
            }
            Event::Waiting { round, detail, quiet_s, left_s, .. } => {
                let still = format!(
                    "{detail}; quiet for {quiet_s} s, at most {left_s} s more unless something moves"
                );
                vec![stage_line(*round, Stage::Watch, &still)]
            }
            Event::Stopped { text, rounds, .. } => {
                let mut lines = vec![format!("{BAD}stopped{BAD:#}: {}", safe(text))];
                lines.extend(rounds.iter().map(|line| format!("  {}", safe(line))));
                lines
            }
            Event::OtherNode { node } => {
                vec![format!("{WARN}warning{WARN:#}: {}", safe(&node.to_string()))]
            }
            Event::Note { text } => vec![format!("note: {}", safe(text))],
            Event::Error { text } => vec![format!("{BAD}error{BAD:#}: {}", safe(text))],
        }
    }

    /// The end: what was lost, where it is kept, and how to take it back.
    #[must_use]
    pub fn ending(&self, summary: &Summary, dry_run: bool) -> Vec<String> {
        let mut lines = vec![String::new()];
        let with_plan = summary.shards.iter().filter(|shard| shard.plan.is_some()).count();
        let is_open = |shard: &&ShardReport| shard.outcome == ShardOutcome::Planned;
        let would = match summary.shards.iter().find(is_open) {
            Some(_) if dry_run => "would be",
            Some(_) => "were to be",
            None => "are",
        };
        if with_plan == 0 {
            lines.push(format!("{} shards looked at, none repaired", summary.shards.len()));
            return lines;
        }
        lines.push(format!("{with_plan} shards {would} repaired:"));
        for shard in summary.shards.iter().filter(|shard| shard.plan.is_some()) {
            lines.push(ending_line(shard));
        }
        let lost = summary.loss;
        lines.push(format!(
            "{}{} operations ({} bytes) {would} lost in all",
            if lost.is_estimate { "about " } else { "" },
            lost.operations,
            lost.bytes
        ));
        for path in &summary.quarantine {
            lines.push(format!("kept in {}", safe(&path.display().to_string())));
        }
        if let Some(undo) = summary.undo() {
            lines.push(format!("to take it back before the node writes again: {undo}"));
        }
        lines
    }
}

fn judged(report: &ShardReport) -> Vec<String> {
    let style = match report.verdict {
        Verdict::Sound => GOOD,
        Verdict::Damaged | Verdict::SilentlyShort => BAD,
        Verdict::NotTheTranslog | Verdict::Unknown => WARN,
    };
    let name = format!("[{}][{}]", safe(&report.index), report.shard);
    let path = safe(&report.path.display().to_string());
    let verdict = report.verdict.text();
    let mut lines = vec![format!("{name} {style}{verdict}{style:#}  {DIM}{path}{DIM:#}")];
    for problem in report.problems.iter().take(PROBLEMS_SHOWN_MAX) {
        let file = problem.file.file_name().map(|name| name.to_string_lossy().into_owned());
        let mark = if problem.severity == Severity::Note { "note " } else { "" };
        let file = safe(&file.unwrap_or_default());
        lines.push(format!("  {mark}{} {file}: {}", problem.code, safe(&problem.message)));
    }
    if report.problems.len() > PROBLEMS_SHOWN_MAX {
        let more = report.problems.len().saturating_sub(PROBLEMS_SHOWN_MAX);
        lines.push(format!("  and {more} more"));
    }
    if let Some(plan) = &report.plan {
        lines.extend(plan.steps.iter().map(|step| format!("  plan: {}", safe(step))));
        lines.push(match plan.kind {
            Kind::Repair => {
                let kept = plan.kept_operation_count;
                format!("  keeps {kept} operations, loses {}", lost_in_words(&plan.loss))
            }
            Kind::MoveAway => {
                format!("  loses none; {} bytes are built anew beside it", plan.space_bytes)
            }
        });
        lines.extend(lost_names(&plan.loss));
    }
    lines.extend(report.next_action.iter().map(|action| format!("  next: {action}")));
    if let Some(refusal) = &report.refusal {
        lines.push(format!("  {WARN}left alone{WARN:#}: {}", safe(&refusal.to_string())));
    }
    lines
}

/// A loss in one phrase.
#[must_use]
pub fn lost_in_words(loss: &Loss) -> String {
    if !loss.is_some() {
        return "none".to_owned();
    }
    let about = if loss.is_estimate { "about " } else { "" };
    let Loss { operation_count, unreadable_count, bytes, .. } = loss;
    format!(
        "{about}{operation_count} ({about}{unreadable_count} of them unreadable, {bytes} bytes)"
    )
}

fn lost_names(loss: &Loss) -> Vec<String> {
    let ids: Vec<String> = loss
        .operations
        .iter()
        .filter(|operation| !operation.in_commit)
        .filter_map(|operation| operation.id.as_deref().filter(|id| may_be_id(id)).map(safe))
        .take(LOST_SHOWN_MAX)
        .collect();
    if ids.is_empty() {
        return Vec::new();
    }
    vec![format!("  {DIM}lost documents begin with {}{DIM:#}", ids.join(", "))]
}

/// What is guessed out of a damaged record may be no id at all: zeros, half of another field.
fn may_be_id(id: &str) -> bool {
    !id.is_empty() && !id.chars().any(char::is_control)
}

fn stage_line(round: u32, stage: Stage, detail: &str) -> String {
    let word = match stage {
        Stage::Find => "find",
        Stage::Prove => "prove",
        Stage::Stop => "stop",
        Stage::Lock => "lock",
        Stage::Reread => "read again",
        Stage::Repair => "repair",
        Stage::Start => "start",
        Stage::Watch => "watch",
        Stage::Pause => "pause",
    };
    let number = if round == 0 { String::new() } else { format!("{round} ") };
    format!("{DIM}==>{DIM:#} {number}{word}: {}", safe(detail))
}

fn ending_line(shard: &ShardReport) -> String {
    let outcome = match shard.outcome {
        ShardOutcome::Untouched => "untouched",
        ShardOutcome::Planned => "planned",
        ShardOutcome::Repaired => "files repaired",
        ShardOutcome::Started | ShardOutcome::Rebuilt => "up",
        ShardOutcome::Failed => "failed again",
        ShardOutcome::Refused => "left alone",
    };
    if let Some(plan) = shard.plan.as_ref().filter(|plan| plan.kind == Kind::MoveAway) {
        return moved_line(shard, plan);
    }
    let loss = shard.plan.as_ref().map(|plan| lost_in_words(&plan.loss)).unwrap_or_default();
    format!("  [{}][{}] {outcome}, loses {loss}", safe(&shard.index), shard.shard)
}

fn moved_line(shard: &ShardReport, plan: &Plan) -> String {
    let from = if plan.rebuilt_from.is_empty() {
        "the copy in sync".to_owned()
    } else {
        safe(&plan.rebuilt_from.join(", "))
    };
    let how = match shard.outcome {
        ShardOutcome::Rebuilt => format!("moved away, rebuilt from {from}, nothing lost"),
        ShardOutcome::Started => format!("moved away, served by {from}, nothing lost"),
        ShardOutcome::Repaired => format!("moved away, to be rebuilt from {from}"),
        ShardOutcome::Failed => "moved away, failed again".to_owned(),
        ShardOutcome::Planned => format!("to be moved away and rebuilt from {from}"),
        ShardOutcome::Untouched | ShardOutcome::Refused => "left alone".to_owned(),
    };
    format!("  [{}][{}] {how}", safe(&shard.index), shard.shard)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::format::OperationKind;
    use crate::plan::LostOperation;

    fn lost(id: &str) -> LostOperation {
        LostOperation {
            file: PathBuf::from("translog-3.tlog"),
            offset: 0,
            length_bytes: 1,
            kind: OperationKind::Index,
            id: Some(id.to_owned()),
            seq_no: None,
            readable: false,
            in_commit: false,
            overwritten: false,
        }
    }

    #[test]
    fn a_loss_that_nothing_counts_is_told_as_an_estimate() {
        let mut loss = Loss { operation_count: 1, unreadable_count: 1, ..Loss::default() };
        assert_eq!(lost_in_words(&loss), "1 (1 of them unreadable, 0 bytes)");
        loss.is_estimate = true;
        assert_eq!(lost_in_words(&loss), "about 1 (about 1 of them unreadable, 0 bytes)");
    }

    #[test]
    fn a_guess_that_can_be_no_id_is_not_shown_as_one() {
        let loss = Loss { operations: vec![lost("\0\0\0"), lost("d7")], ..Loss::default() };
        let lines = lost_names(&loss);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains("begin with d7"), "{lines:?}");
        let zeros = Loss { operations: vec![lost("\0\0"), lost("")], ..Loss::default() };
        assert_eq!(lost_names(&zeros), Vec::<String>::new());
    }
}
