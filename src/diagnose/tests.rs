//! What each damage is called, in each family: the tables of what real servers do with it.

use super::Verdict;
use super::Verdict::{Damaged, NotTheTranslog, SilentlyShort, Sound, Unknown};
use super::fixture::{STREAM_ID, Shard, stream_bytes};

fn flip(at: usize) -> impl FnOnce(&mut Vec<u8>) {
    move |bytes| bytes[at] ^= 0x10
}

fn check(shard: &Shard, what: &str, verdict: Verdict, codes: &[&str]) {
    assert_eq!(shard.judge(), (verdict, codes.to_vec()), "{what}");
}

type Case = (&'static str, fn(&Shard), Verdict, &'static [&'static str]);

const SEQUENCED: &[Case] = &[
    ("nothing", |_| {}, Sound, &[]),
    ("tail cut", |s| s.edit("translog-3.tlog", |b| b.truncate(b.len() - 9)), Damaged, &["T05"]),
    (
        "cut between records",
        |s| {
            let one = (s.get("translog-3.tlog").len() - 55) / 10;
            s.edit("translog-3.tlog", |b| b.truncate(b.len() - one));
        },
        Damaged,
        &["T05"],
    ),
    ("bit flip", |s| s.edit("translog-3.tlog", flip(300)), Damaged, &["T04"]),
    ("flip in an older one", |s| s.edit("translog-2.tlog", flip(300)), Damaged, &["T04"]),
    ("flip in a committed one", |s| s.edit("translog-1.tlog", flip(300)), Sound, &["T14"]),
    ("emptied", |s| s.put("translog-3.tlog", b""), Damaged, &["T02", "T05"]),
    ("header magic", |s| s.edit("translog-3.tlog", flip(1)), Damaged, &["T02"]),
    ("header term", |s| s.edit("translog-3.tlog", flip(45)), Damaged, &["T02"]),
    ("header newer", |s| s.edit("translog-3.tlog", |b| b[16] = 9), Unknown, &["T08"]),
    ("tlog gone", |s| s.remove("translog-3.tlog"), Damaged, &["T01"]),
    ("committed tlog gone", |s| s.remove("translog-1.tlog"), Damaged, &["T01"]),
    ("ckp gone", |s| s.remove("translog.ckp"), Damaged, &["C01"]),
    ("ckp emptied", |s| s.put("translog.ckp", b""), Damaged, &["C02"]),
    (
        "ckp names the next generation",
        |s| s.edit_checkpoint("translog.ckp", |c| c.generation = 4),
        Damaged,
        &["C07"],
    ),
    (
        "ckp names a generation that is gone, with records of its own",
        |s| {
            s.edit_checkpoint("translog.ckp", |c| {
                (c.generation, c.min_seq_no, c.max_seq_no) = (4, 30, 39);
            });
        },
        Damaged,
        &["C01", "T01"],
    ),
    ("ckp flip", |s| s.edit("translog.ckp", flip(30)), Damaged, &["C02"]),
    ("older ckp gone", |s| s.remove("translog-2.ckp"), Damaged, &["C01"]),
    (
        "older ckp names another",
        |s| {
            s.edit_checkpoint("translog-2.ckp", |c| c.generation = 1);
        },
        Damaged,
        &["C07"],
    ),
    (
        "count short",
        |s| {
            s.edit_checkpoint("translog.ckp", |c| c.operation_count = 8);
        },
        SilentlyShort,
        &["C03"],
    ),
    (
        "count long",
        |s| {
            s.edit_checkpoint("translog.ckp", |c| c.operation_count = 12);
        },
        Damaged,
        &["C04"],
    ),
    (
        "range too small",
        |s| {
            s.edit_checkpoint("translog.ckp", |c| (c.min_seq_no, c.max_seq_no) = (-1, -1));
        },
        SilentlyShort,
        &["C05"],
    ),
    (
        "offset in a record",
        |s| {
            s.edit_checkpoint("translog.ckp", |c| c.offset -= 3);
        },
        Damaged,
        &["C08"],
    ),
    (
        "offset past the end",
        |s| {
            s.edit_checkpoint("translog.ckp", |c| c.offset += 4096);
        },
        Sound,
        &["C10"],
    ),
    (
        "garbage behind the offset",
        |s| {
            s.edit("translog-3.tlog", |b| b.extend([0x55; 300]));
        },
        Sound,
        &["T11"],
    ),
    (
        "copy differs",
        |s| {
            s.put("translog-3.ckp", &s.get("translog-2.ckp"));
        },
        Damaged,
        &["C06"],
    ),
    ("copy equal", |s| s.put("translog-3.ckp", &s.get("translog.ckp")), Sound, &[]),
    (
        "empty next generation",
        |s| {
            s.put("translog-4.tlog", &s.get("translog-3.tlog")[..55]);
        },
        Sound,
        &["T10"],
    ),
    (
        "operations behind the last generation",
        |s| {
            s.put("translog-4.tlog", &s.get("translog-3.tlog"));
        },
        Unknown,
        &["T16"],
    ),
    (
        "left-over of a checkpoint copy",
        |s| {
            s.put("translog-8271827361827364554.ckp", b"");
        },
        Sound,
        &["T13"],
    ),
    (
        "another shard's translog",
        |s| {
            s.edit("translog-3.tlog", |b| {
                b[21..43].copy_from_slice(b"ZZZZZZZZZZZZZZZZZZZZZZ");
                let crc = crc32fast::hash(&b[..51]).to_be_bytes();
                b[51..55].copy_from_slice(&crc);
            });
        },
        NotTheTranslog,
        &["T03"],
    ),
];

#[test]
fn sequenced_shards() {
    for (what, damage, verdict, codes) in SEQUENCED {
        let shard = Shard::sequenced();
        damage(&shard);
        check(&shard, what, *verdict, codes);
    }
}

#[test]
fn shards_of_2_x() {
    let cases: &[Case] = &[
        ("nothing", |_| {}, Sound, &[]),
        ("flip", |s| s.edit("translog-2.tlog", flip(200)), Damaged, &["T04"]),
        ("21 bytes of checkpoint", |s| s.edit("translog.ckp", |b| b.push(0)), Sound, &["C11"]),
        (
            "19 bytes of checkpoint",
            |s| {
                s.edit("translog.ckp", |b| {
                    b.pop();
                });
            },
            Damaged,
            &["C02"],
        ),
        (
            "count -1",
            |s| {
                s.edit_checkpoint("translog.ckp", |c| c.operation_count = -1);
            },
            SilentlyShort,
            &["C03"],
        ),
        (
            "generation flipped up",
            |s| {
                s.edit_checkpoint("translog.ckp", |c| c.generation = 1027);
            },
            Damaged,
            &["C07"],
        ),
        (
            "generation flipped down",
            |s| {
                s.edit_checkpoint("translog.ckp", |c| c.generation = 1);
            },
            Damaged,
            &["C07"],
        ),
        (
            "a flip in the UUID, which has no checksum",
            |s| {
                s.edit("translog-3.tlog", |b| b[30] ^= 1);
            },
            Damaged,
            &["T02"],
        ),
    ];
    for (what, damage, verdict, codes) in cases {
        let shard = Shard::generations();
        damage(&shard);
        check(&shard, what, *verdict, codes);
    }
}

#[test]
fn shards_of_1_x() {
    let plain = format!("translog-{STREAM_ID}");
    let recovering = format!("translog-{STREAM_ID}.recovering");
    let shard = Shard::stream();
    check(&shard, "nothing", Sound, &[]);
    shard.edit(&plain, flip(200));
    check(&shard, "flip", Damaged, &["T04"]);

    let shard = Shard::stream();
    shard.edit(&plain, |bytes| bytes[17] ^= 1);
    check(&shard, "a size field, which the server does not read", Sound, &["T17"]);

    let shard = Shard::stream();
    shard.edit(&plain, |bytes| bytes.truncate(bytes.len() - 10));
    check(&shard, "torn", Damaged, &["T05"]);

    let shard = Shard::stream();
    shard.put(&recovering, b"");
    check(&shard, "an empty .recovering hides a full file", SilentlyShort, &["T09", "T15"]);

    let shard = Shard::stream();
    shard.put(&recovering, &stream_bytes(0..20));
    check(&shard, "a part of the replay beside .recovering", Sound, &[]);

    let shard = Shard::stream();
    shard.remove(&plain);
    shard.put(&format!("translog-{}.recovering", STREAM_ID - 1), &stream_bytes(0..20));
    check(&shard, "a stop in the middle committed a part", SilentlyShort, &["T09"]);

    let shard = Shard::stream();
    shard.put(&plain, b"");
    check(&shard, "emptied", Sound, &["T15"]);

    let shard = Shard::stream();
    std::fs::write(shard.path().join("index/segments_3"), b"").unwrap();
    check(&shard, "an interrupted commit", Sound, &["I06"]);
    std::fs::write(shard.path().join("index/segments_4"), b"").unwrap();
    check(&shard, "two of them", NotTheTranslog, &["I02"]);
}

#[test]
fn an_index_that_is_not_right_is_not_the_translog() {
    let shard = Shard::sequenced();
    std::fs::write(shard.path().join("index/corrupted_x"), b"").unwrap();
    check(&shard, "marker", NotTheTranslog, &["I03"]);
    let shard = Shard::sequenced();
    std::fs::write(shard.path().join("index/segments_3"), b"junk").unwrap();
    check(&shard, "commit", NotTheTranslog, &["I02"]);
    let shard = Shard::sequenced();
    std::fs::remove_file(shard.path().join("index/segments_3")).unwrap();
    check(&shard, "no commit", NotTheTranslog, &["I01"]);
}
