//! Plans as text: one worked plan a damage, family and level, in `testdata/plans`.
//!
//! `ES_TRANSLOG_FIX_BLESS=1 cargo test` writes them anew; read the difference before you keep it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::{Change, Content, Context, Copies, Fresh, HealthyCopyRule, Level, Piece, Plan, Policy};
use crate::diagnose::fixture::{STREAM_ID, Shard};
use crate::diagnose::{Code, Diagnosis, Evidence, Listing, Severity};
use crate::format::Checkpoint;

fn fresh() -> Fresh {
    Fresh { history_uuid: "newhistorynewhistory00".to_owned(), commit_id: [9; 16] }
}

fn context() -> Context {
    Context {
        copies: Copies::Lone,
        shard_folders: vec!["/data/nodes/0/indices/u/0".into()],
        folder_bytes: 0,
        node: None,
        index_is_open: true,
        kept_elsewhere: None,
        free_bytes: Some(u64::MAX),
    }
}

fn policy(level: Level) -> Policy {
    Policy { level, healthy_copy: HealthyCopyRule::Refuse, beyond_checkpoint: false }
}

fn plan(shard: &Shard, policy: Policy) -> (Evidence, Diagnosis, Result<Plan, super::Refusal>) {
    let listing =
        if policy.level == Level::None { Listing::Everything } else { Listing::AfterDamage };
    let (evidence, diagnosis) = shard.read(listing);
    let name = shard.shard_folder().shard;
    let plan = super::plan(&name, &evidence, &diagnosis, &context(), policy, &fresh());
    (evidence, diagnosis, plan)
}

/// Diagnosis and plan as a person could check them by hand, without the throw-away folder's path.
fn worked(shard: &Shard, level: Level) -> String {
    let (_, diagnosis, plan) = plan(shard, policy(level));
    let mut text = format!("{}\n", diagnosis.verdict.text());
    for problem in &diagnosis.problems {
        let file = name(&problem.file);
        let _ = writeln!(text, "{} {file} {:?}: {}", problem.code, problem.offset, problem.message);
    }
    let plan = match plan {
        Ok(plan) => plan,
        Err(refusal) => {
            let _ = writeln!(text, "refused ({:?}): {refusal}", refusal.rule);
            return text;
        }
    };
    for step in &plan.steps {
        let _ = writeln!(text, "step: {step}");
    }
    for change in &plan.changes {
        let _ = writeln!(text, "{}", change_text(change));
    }
    let loss = &plan.loss;
    let _ = writeln!(
        text,
        "keeps {}, loses {} ({} unreadable, {} bytes)",
        plan.kept_operation_count, loss.operation_count, loss.unreadable_count, loss.bytes
    );
    for lost in &loss.operations {
        let _ = writeln!(
            text,
            "lost: {} {:?} {:?} seq_no {:?} at {}{}{}{}",
            name(&lost.file),
            lost.kind,
            lost.id.as_deref().unwrap_or("-"),
            lost.seq_no,
            lost.offset,
            if lost.readable { "" } else { ", unreadable" },
            if lost.in_commit { ", in the commit" } else { "" },
            if lost.overwritten { ", overwritten later" } else { "" },
        );
    }
    for range in &loss.ranges {
        let (file, from, to) = (name(&range.file), range.from_offset, range.to_offset);
        let _ = writeln!(text, "unreadable: {file} {from}..{to}");
    }
    for other in &plan.alternatives {
        let _ = writeln!(
            text,
            "{} would keep {} and lose {}",
            other.level, other.kept_operation_count, other.lost_operation_count
        );
    }
    text
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn change_text(change: &Change) -> String {
    match change {
        Change::MoveAway { path } => format!("move away {}", name(path)),
        Change::MoveFolder { path } => format!("move the folder {} away", name(path)),
        Change::Keep { path } => format!("keep a second name of {}", name(path)),
        Change::Write { path, content, .. } => {
            let name = name(path);
            if let [Piece::Bytes(bytes)] = content.as_slice()
                && let Ok(checkpoint) = Checkpoint::decode(bytes)
            {
                return format!("write {name}: {checkpoint:?}");
            }
            format!("write {name}: {}", content_text(content))
        }
    }
}

fn content_text(content: &Content) -> String {
    let pieces = content.iter().map(|piece| match piece {
        Piece::Bytes(bytes) => format!("{} bytes", bytes.len()),
        Piece::Range { file, from_offset, to_offset } => {
            format!("{} {from_offset}..{to_offset}", name(file))
        }
    });
    pieces.collect::<Vec<_>>().join(" + ")
}

fn check(what: &str, shard: &Shard) {
    let mut text = String::new();
    for level in Level::ALL {
        let _ = writeln!(text, "# {level}\n{}", worked(shard, level));
    }
    // A stream's name holds the clock of its making, and the folder's path is another each time.
    let text = text.replace(&shard.path().display().to_string(), "SHARD");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/plans").join(what);
    if std::env::var_os("ES_TRANSLOG_FIX_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{}", path.display());
}

fn flip(at: usize, mask: u8) -> impl FnOnce(&mut Vec<u8>) {
    move |bytes| bytes[at] ^= mask
}

#[test]
fn sequenced_shards() {
    type Case = (&'static str, fn(&Shard));
    let cases: &[Case] = &[
        ("7x-T01-missing-generation", |s| s.remove("translog-2.tlog")),
        ("7x-T02-header", |s| s.edit("translog-3.tlog", flip(1, 0x30))),
        ("7x-T02-header-one-bit", |s| s.edit("translog-3.tlog", flip(30, 0x10))),
        ("7x-T04-one-bit", |s| s.edit("translog-3.tlog", flip(300, 0x10))),
        ("7x-T04-two-bits", |s| s.edit("translog-3.tlog", flip(300, 0x11))),
        ("7x-T04-closed-generation", |s| s.edit("translog-2.tlog", flip(300, 0x11))),
        ("7x-T05-torn-tail", |s| s.edit("translog-3.tlog", |b| b.truncate(b.len() - 9))),
        ("7x-T06-size-and-more", |s| {
            s.edit("translog-3.tlog", |b| b[55..60].copy_from_slice(&[0, 0, 0, 1, 2]));
        }),
        ("7x-C01-missing-checkpoint", |s| s.remove("translog.ckp")),
        ("7x-C01-closed-checkpoint", |s| s.remove("translog-2.ckp")),
        ("7x-C02-one-bit", |s| s.edit("translog.ckp", flip(30, 0x10))),
        ("7x-C02-emptied", |s| s.put("translog.ckp", b"")),
        ("7x-C03-count-short", |s| s.edit_checkpoint("translog.ckp", |c| c.operation_count = 8)),
        ("7x-C04-count-long", |s| s.edit_checkpoint("translog.ckp", |c| c.operation_count = 12)),
        ("7x-C05-range", |s| {
            s.edit_checkpoint("translog.ckp", |c| (c.min_seq_no, c.max_seq_no) = (-1, -1));
        }),
        ("7x-C06-copy-differs", |s| s.put("translog-3.ckp", &s.get("translog-2.ckp"))),
        ("7x-C07-next-generation", |s| s.edit_checkpoint("translog.ckp", |c| c.generation = 4)),
        ("7x-C07-generation-before", |s| s.edit_checkpoint("translog.ckp", |c| c.generation = 2)),
        ("7x-C07-generation-removed", |s| {
            s.edit_checkpoint("translog.ckp", |c| c.generation = 2);
            s.remove("translog-3.tlog");
        }),
        ("7x-C08-offset-in-a-record", |s| s.edit_checkpoint("translog.ckp", |c| c.offset -= 3)),
        ("7x-T03-foreign", |s| s.edit("translog-3.tlog", |b| make_foreign(b))),
        ("7x-T08-newer", |s| s.edit("translog-3.tlog", |b| b[16] = 9)),
        ("7x-T16-behind-the-last", |s| s.put("translog-4.tlog", &s.get("translog-3.tlog"))),
        ("7x-I01-no-commit", |s| s.remove("../index/segments_3")),
        ("7x-I02-commit", |s| s.put("../index/segments_3", b"junk")),
        ("7x-I03-marker", |s| s.put("../index/corrupted_x", b"")),
        ("7x-I07-older-commit", |s| s.put("../index/segments_2", b"junk")),
    ];
    for (what, damage) in cases {
        let shard = Shard::sequenced();
        damage(&shard);
        check(what, &shard);
    }
}

fn make_foreign(bytes: &mut [u8]) {
    bytes[21..43].copy_from_slice(b"ZZZZZZZZZZZZZZZZZZZZZZ");
    let crc = crc32fast::hash(&bytes[..51]).to_be_bytes();
    bytes[51..55].copy_from_slice(&crc);
}

#[test]
fn records_of_a_later_term() {
    check("7x-T18-term", &Shard::sequenced_of_term(2));
}

#[test]
fn each_code_that_is_repaired_has_a_worked_plan() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/plans");
    let files: Vec<String> =
        folder.read_dir().unwrap().map(|entry| name(&entry.unwrap().path())).collect();
    for code in Code::ALL {
        let is_repaired = matches!(code.severity(), Severity::Damage | Severity::Short);
        let infix = format!("-{}-", code.text());
        let has_plan = files.iter().any(|file| file.contains(&infix));
        assert!(has_plan || !is_repaired, "{} has no plan in {}", code.text(), folder.display());
    }
}

#[test]
fn shards_of_2_x() {
    let shard = Shard::generations();
    shard.edit("translog-2.tlog", flip(200, 0x11));
    check("2x-T04-two-bits", &shard);
    let shard = Shard::generations();
    shard.edit_checkpoint("translog.ckp", |checkpoint| checkpoint.generation = 1027);
    check("2x-C07-generation", &shard);
    let shard = Shard::generations();
    shard.put("translog-4.tlog", &shard.get("translog-3.tlog")[..43]);
    shard.remake_commit(5, 2);
    check("2x-T19-next-stays", &shard);
}

#[test]
fn shards_of_1_x() {
    let plain = format!("translog-{STREAM_ID}");
    let shard = Shard::stream();
    shard.edit(&plain, flip(200, 0x11));
    check("1x-T04-two-bits", &shard);
    let shard = Shard::stream();
    shard.put(&plain, &torn_and_repeated());
    check("1x-T07-torn-and-repeated", &shard);
    let shard = Shard::stream();
    shard.put(&format!("{plain}.recovering"), b"");
    check("1x-T09-hidden", &shard);
}

/// Ten operations; the write of the fifth to tenth stopped inside the sixth and was done again.
fn torn_and_repeated() -> Vec<u8> {
    let whole = crate::diagnose::fixture::stream_bytes(0..10);
    let four = crate::diagnose::fixture::stream_bytes(0..4).len();
    let five = crate::diagnose::fixture::stream_bytes(0..5).len();
    let mut bytes = whole[..five + 30].to_vec();
    bytes.extend_from_slice(&whole[four..]);
    bytes
}

#[test]
fn operations_behind_the_checkpoint_are_taken_when_asked_for() {
    let shard = Shard::sequenced();
    shard.edit_checkpoint("translog.ckp", |checkpoint| {
        checkpoint.operation_count = 8;
        let record_bytes = (checkpoint.offset - 55) / 10;
        checkpoint.offset -= 2 * record_bytes;
        checkpoint.max_seq_no = 27;
    });
    let (_, diagnosis, refused) = plan(&shard, policy(Level::Valid));
    assert_eq!(diagnosis.verdict, crate::diagnose::Verdict::Sound);
    assert!(refused.is_err(), "nothing is taken unasked");
    let asked = Policy { beyond_checkpoint: true, ..policy(Level::Valid) };
    let taken = plan(&shard, asked).2.unwrap();
    assert_eq!((taken.kept_operation_count, taken.loss.operation_count), (20, 0));
    let text = taken.changes.iter().map(change_text).collect::<Vec<_>>().join("\n");
    assert!(text.contains("operation_count: 10") && text.contains("max_seq_no: 29"), "{text}");
    assert!(text.contains("write segments_4"), "a history of its own: {text}");
}
