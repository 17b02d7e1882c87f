//! What failed or short starts added behind the damage.

use super::Verdict::{Damaged, SilentlyShort};
use super::fixture::{Shard, raw_checkpoint};
use super::{Listing, Verdict};

fn check(shard: &Shard, what: &str, verdict: Verdict, codes: &[&str]) {
    assert_eq!(shard.judge(), (verdict, codes.to_vec()), "{what}");
}

#[test]
fn generations_that_repeat_the_good_prefix_are_no_loss() {
    let shard = Shard::generations();
    let good = shard.get("translog-2.tlog");
    let record = (good.len() - 43) / 10;
    let prefix = good[..43 + 4 * record].to_vec();
    shard.edit("translog-2.tlog", |bytes| bytes[43 + 4 * record + 20] ^= 0x10);
    for generation in 3..=5 {
        shard.put(&format!("translog-{generation}.tlog"), &prefix);
        let checkpoint = raw_checkpoint(generation, prefix.len() as u64, 4).encode();
        shard.put(&format!("translog-{generation}.ckp"), &checkpoint);
    }
    shard.rename("translog-5.ckp", "translog.ckp");
    check(&shard, "retries", Damaged, &["T04", "T12"]);
    let (evidence, _) = shard.read(Listing::AfterDamage);
    assert!(evidence.translogs[&5].copies_earlier);
    assert!(!evidence.translogs[&2].copies_earlier);
}

#[test]
fn what_repeats_operations_before_an_offset_inside_a_record_is_a_copy() {
    let shard = Shard::generations();
    shard.put("translog-3.tlog", &shard.get("translog-2.tlog"));
    let is_copy = |shard: &Shard| shard.read(Listing::Everything).0.translogs[&3].copies_earlier;
    assert!(!is_copy(&shard), "nothing failed, so nothing was tried again");
    shard.edit_checkpoint("translog-2.ckp", |checkpoint| checkpoint.offset -= 3);
    assert!(is_copy(&shard));
}

#[test]
fn operations_whose_numbers_a_server_has_given_to_others_are_not_brought_back() {
    let shard = Shard::sequenced();
    shard.edit_checkpoint("translog-2.ckp", |checkpoint| checkpoint.operation_count = 8);
    check(&shard, "short, and the numbers are free", SilentlyShort, &["C03"]);
    shard.put("translog-3.tlog", &shard.get("translog-2.tlog"));
    shard.edit_checkpoint("translog.ckp", |checkpoint| {
        (checkpoint.min_seq_no, checkpoint.max_seq_no) = (10, 19);
    });
    let (verdict, codes) = shard.judge();
    assert_eq!(verdict, Verdict::Unknown, "{codes:?}");
    assert!(codes.contains(&"T16"), "{codes:?}");
}
