//! Rows of the tables of what real servers do that are easily judged too kindly or too harshly.

use super::Verdict::{Damaged, NotTheTranslog, SilentlyShort, Sound};
use super::fixture::{STREAM_ID, Shard, stream_bytes};
use super::{Evidence, Listing, Verdict, diagnose};
use crate::format::{Depth, IndexState, ShardState};

fn check(shard: &Shard, what: &str, verdict: Verdict, codes: &[&str]) {
    assert_eq!(shard.judge(), (verdict, codes.to_vec()), "{what}");
}

#[test]
fn a_length_of_a_uuid_is_no_other_shard() {
    let shard = Shard::generations();
    shard.edit("translog-3.tlog", |bytes| bytes[20] ^= 4);
    check(&shard, "11e of 2.4.6", Damaged, &["T02"]);
    let (evidence, _) = shard.read(Listing::AfterDamage);
    assert_eq!(evidence.translogs[&3].walk.whole.count, 10, "its records are found");
}

#[test]
fn a_checkpoint_of_an_earlier_generation_is_not_called_damaged_when_that_is_all_there_is() {
    let shard = Shard::generations();
    shard.rename("translog-2.tlog", "translog-1.tlog");
    shard.remove("translog-2.ckp");
    shard.remove("translog-3.tlog");
    shard.edit_checkpoint("translog.ckp", |c| c.generation = 1);
    check(&shard, "g-1 of 2.4.6 starts", Verdict::Unknown, &["T16"]);
}

#[test]
fn a_generation_that_no_folder_can_have_reached_is_left_to_a_person() {
    // Up to 5.x no checksum tells that a bit of the number is another one. With files that say
    // otherwise it is repaired from these.
    for more in [1 << 16, 1 << 40] {
        let shard = Shard::generations();
        shard.edit_checkpoint("translog.ckp", |c| c.generation += more);
        check(&shard, "the files say otherwise", Damaged, &["C07"]);
        shard.remove("translog-2.tlog");
        shard.remove("translog-3.tlog");
        check(&shard, "nothing is there", Verdict::Unknown, &["T16"]);
    }
}

#[test]
fn the_range_matters_from_7_7_on() {
    let shard = Shard::sequenced();
    shard.edit_checkpoint("translog.ckp", |c| (c.min_seq_no, c.max_seq_no) = (-1, -1));
    check(&shard, "7.17.28 drops them", SilentlyShort, &["C05"]);
    shard.edit_commit(&[("translog_generation", "1")]);
    check(&shard, "6.8.23 does not look", Sound, &["C05"]);
}

#[test]
fn a_range_drops_a_generation_as_a_whole_or_nothing_of_it() {
    let shard = Shard::sequenced();
    shard.edit_checkpoint("translog.ckp", |c| c.max_seq_no -= 3);
    check(&shard, "7.17.28 replays what is above it too", Sound, &["C05"]);
    let shard = Shard::sequenced();
    shard.edit_checkpoint("translog.ckp", |c| c.min_seq_no = -1);
    check(&shard, "7.17.28 does not look at the lowest alone", Sound, &["C05"]);
}

#[test]
fn a_term_behind_that_of_the_header_is_refused_by_the_server() {
    let shard = Shard::sequenced();
    shard.edit("translog-3.tlog", |bytes| bytes[43..51].copy_from_slice(&0_i64.to_be_bytes()));
    let seal = |bytes: &mut Vec<u8>| {
        let crc = crc32fast::hash(&bytes[..51]).to_be_bytes();
        bytes[51..55].copy_from_slice(&crc);
    };
    shard.edit("translog-3.tlog", seal);
    check(&shard, "0 switches it off", Sound, &[]);
    let shard = Shard::sequenced_of_term(2);
    check(&shard, "records of term 2 behind a header of term 1", Damaged, &["T18"]);
}

#[test]
fn a_next_generation_stays_in_the_way_on_2_0() {
    let shard = Shard::generations();
    let header = shard.get("translog-3.tlog")[..43].to_vec();
    shard.put("translog-4.tlog", &header);
    check(&shard, "12d of 2.4.6 heals", Sound, &["T10"]);
    shard.remake_commit(5, 2);
    check(&shard, "12d of 2.0.2 does not", Damaged, &["T19"]);
}

#[test]
fn streams_that_no_start_reads() {
    let plain = format!("translog-{STREAM_ID}");
    let recovering = format!("translog-{STREAM_ID}.recovering");
    let shard = Shard::stream();
    shard.remove(&plain);
    check(&shard, "10 of 1.7.6: commit only", Sound, &["T15"]);
    shard.put(&format!("translog-{}", STREAM_ID - 5), &stream_bytes(0..10));
    check(&shard, "23 of 1.7.6: a file of another id", SilentlyShort, &["T09"]);
    let shard = Shard::stream();
    shard.put(&recovering, &stream_bytes(30..38));
    shard.edit(&plain, |bytes| bytes[200] ^= 0x10);
    check(&shard, "22a of 1.7.6 starts without them", SilentlyShort, &["T04", "T09"]);
    let shard = Shard::stream();
    shard.put(&format!("translog-{}", STREAM_ID - 5), &stream_bytes(30..38));
    check(&shard, "what a flush left is in the commit", Sound, &[]);
}

#[test]
fn every_commit_is_read_by_the_server() {
    let shard = Shard::sequenced();
    std::fs::write(shard.path().join("index/segments_2"), b"junk").unwrap();
    check(&shard, "an older one", NotTheTranslog, &["I07"]);
}

#[test]
fn names_and_files_of_the_index_are_verified() {
    let shard = Shard::sequenced();
    let judged = |shard: &Shard| {
        let mut evidence = Evidence::read(&shard.shard_folder(), Listing::AfterDamage).unwrap();
        evidence.verify_index(Depth::Whole).unwrap();
        diagnose(&evidence)
    };
    assert_eq!(judged(&shard).verdict, Sound);
    std::fs::write(shard.path().join("index/segments_3.bak"), b"").unwrap();
    let diagnosis = judged(&shard);
    assert_eq!(diagnosis.verdict, NotTheTranslog);
    assert_eq!(diagnosis.problems[0].code.text(), "I08");
}

#[test]
fn a_closed_index_needs_everything_in_its_commit() {
    let shard = Shard::sequenced();
    let mut folder = shard.shard_folder();
    folder.index_state = Some(IndexState {
        name: "logs".to_owned(),
        uuid: None,
        version: None,
        open: false,
        replica_count: None,
        settings: std::collections::BTreeMap::new(),
        in_sync_allocations: std::collections::BTreeMap::new(),
    });
    let evidence = Evidence::read(&folder, Listing::AfterDamage).unwrap();
    let diagnosis = diagnose(&evidence);
    assert_eq!(diagnosis.verdict, NotTheTranslog);
    assert!(diagnosis.next_action(&folder.shard, &evidence).unwrap().contains("_open"));
}

#[test]
fn states_that_hide_a_shard_from_its_node() {
    let shard = Shard::sequenced();
    std::fs::create_dir(shard.path().join("_state")).unwrap();
    std::fs::write(shard.path().join("_state/state-3.st"), b"junk").unwrap();
    check(&shard, "unreadable", NotTheTranslog, &["S01"]);
    let mut folder = shard.shard_folder();
    folder.index_uuid = Some("this".to_owned());
    folder.shard_state = Some(ShardState {
        primary: true,
        index_uuid: Some("that".to_owned()),
        allocation_id: None,
        data_location: None,
    });
    let diagnosis = diagnose(&Evidence::read(&folder, Listing::AfterDamage).unwrap());
    assert_eq!(diagnosis.problems[0].code.text(), "S03");
}

/// What takes no room on the disk is zeros all the same.
#[test]
fn a_hole_is_judged_as_the_zeros_that_it_reads_as() {
    const HOLE_BYTES: usize = 1 << 20;
    let tail = stream_bytes(10..14);
    for tail in [&[][..], &tail[..]] {
        let walks = [true, false].map(|is_hole| {
            let shard = Shard::stream();
            let name = format!("translog-{STREAM_ID}");
            let mut bytes = shard.get(&name);
            let whole_bytes = bytes.len();
            bytes.resize(whole_bytes + HOLE_BYTES, 0);
            bytes.extend(tail);
            if is_hole {
                let file = std::fs::File::create(shard.file(&name)).unwrap();
                let write = std::os::unix::fs::FileExt::write_all_at;
                write(&file, &bytes[..whole_bytes], 0).unwrap();
                write(&file, tail, (whole_bytes + HOLE_BYTES) as u64).unwrap();
                file.set_len(bytes.len() as u64).unwrap();
            } else {
                shard.put(&name, &bytes);
            }
            let (evidence, diagnosis) = shard.read(Listing::AfterDamage);
            (evidence.streams[0].file.walk.clone(), diagnosis.verdict)
        });
        assert_eq!(walks[0], walks[1]);
    }
}
