//! Damages records at random, over and over, and counts what healing makes of it: a single flipped
//! bit must always be flipped back, and whatever is healed must be the record as it was.
//!
//!     cargo run --release --example simulate_heals [COUNT [SEED]]
//!
//! Prints the seed and the counts by kind of damage; fails on a wrong or a missed heal.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    reason = "a simulation fails by panicking, over records of its own"
)]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::thread;

use es_translog_fix::format::{
    Framing, Item, Operation, OperationKind, Records, encode_record, heal_record,
};

const COUNT: u64 = 1_000_000;
const SEED: u64 = 1;
/// Words of a document: up to a little more than 2 KiB of it.
const WORDS_MAX: u64 = 200;
const KINDS: [&str; 5] = ["1 flip", "2 flips", "3 flips", "zeroed", "torn"];

/// A small generator of numbers (`SplitMix64`), so that a seed says everything.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// What became of the damages of one kind.
#[derive(Default)]
struct Counts {
    damages: u64,
    /// The record reads as it was all the same: a size field that its server does not read.
    harmless: u64,
    healed: u64,
    not_healed: u64,
    wrong: u64,
}

fn record(numbers: &mut Numbers) -> (Framing, Vec<u8>) {
    let formats = [(Framing::SizeIgnored, 6, 2), (Framing::Sized, 6, 2), (Framing::Sized, 7, 2)];
    let newer = [(Framing::Sized, 8, 4), (Framing::Sized, 10, 6), (Framing::Sized, 11, 7)];
    let all = [formats, newer].concat();
    let (framing, index, delete) = all[numbers.below(all.len() as u64) as usize];
    let kind = if numbers.below(8) == 0 { OperationKind::Delete } else { OperationKind::Index };
    let has_seq_no = index >= 8;
    let operation = Operation {
        id: Some(format!("{:x}", numbers.next())),
        doc_type: Some("doc".to_owned()),
        version: Some(1),
        seq_no: has_seq_no.then(|| numbers.below(1 << 40).cast_signed()),
        primary_term: has_seq_no.then_some(3),
        ..Operation::new(kind, if kind == OperationKind::Delete { delete } else { index })
    };
    let words: Vec<String> =
        (0..=numbers.below(WORDS_MAX)).map(|_| format!("w{:x}", numbers.below(1 << 32))).collect();
    let source = format!("{{\"n\":{},\"text\":\"{}\"}}", numbers.below(1 << 20), words.join(" "));
    (framing, encode_record(&operation, source.as_bytes()).unwrap())
}

/// Damages `file` between two offsets; it differs afterwards.
fn damage(numbers: &mut Numbers, kind: usize, file: &mut [u8], (from, to): (usize, usize)) {
    let before = file.to_vec();
    while file == before {
        let length = (to - from) as u64;
        match KINDS[kind] {
            "zeroed" => {
                let count = (1 + numbers.below(length)) as usize;
                let at = from + numbers.below(length - count as u64 + 1) as usize;
                file[at..at + count].fill(0);
            }
            // The rest of the chunk is missing: what follows is there instead.
            "torn" => {
                let at = from + numbers.below(length) as usize;
                let missing = (1 + numbers.below((to - at) as u64)) as usize;
                file.copy_within(at + missing.., at);
            }
            _ => {
                for _ in 0..=kind {
                    let bit = numbers.below(length * 8) as usize;
                    file[from + bit / 8] ^= 1 << (bit % 8);
                }
            }
        }
    }
}

fn simulate(seed: u64, count: u64) -> BTreeMap<usize, Counts> {
    let mut numbers = Numbers(seed);
    let mut all: BTreeMap<usize, Counts> = BTreeMap::new();
    for number in 0..count {
        let kind = if number % 2 == 0 { 0 } else { 1 + (number / 2 % 4) as usize };
        let (framing, sound) = record(&mut numbers);
        let behind: Vec<u8> = sound.iter().rev().copied().cycle().take(4096).collect();
        let mut file = [&sound[..], &sound[..], &behind[..]].concat();
        let (from, to) = (sound.len(), 2 * sound.len());
        damage(&mut numbers, kind, &mut file, (from, to));
        let counts = all.entry(kind).or_default();
        counts.damages += 1;
        let len_bytes = file.len() as u64;
        let mut records = Records::new(&file[..], framing, from as u64, len_bytes);
        if matches!(records.next_item().unwrap(), Item::Record(_)) {
            // The size field is not under the checksum.
            let is_right = file[from + 4..to] == sound[4..];
            *(if is_right { &mut counts.harmless } else { &mut counts.wrong }) += 1;
            continue;
        }
        let Some((healed, fix)) = heal_record(&file[..], framing, from as u64, len_bytes).unwrap()
        else {
            counts.not_healed += 1;
            continue;
        };
        file[fix.offset as usize] = fix.becomes;
        let end = (healed.offset + healed.len_bytes) as usize;
        let is_right = file[from..end] == sound;
        *(if is_right { &mut counts.healed } else { &mut counts.wrong }) += 1;
        if !is_right {
            println!("WRONG: seed {seed}, damage {number}, {}, {framing:?}", KINDS[kind]);
        }
    }
    all
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse().unwrap());
    let count = arguments.next().unwrap_or(COUNT);
    let seed = arguments.next().unwrap_or(SEED);
    let thread_count = thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let mut total: BTreeMap<usize, Counts> = BTreeMap::new();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..thread_count)
            .map(|number| {
                let share = count / thread_count + u64::from(number < count % thread_count);
                let seed = seed.wrapping_mul(1_000_003).wrapping_add(number);
                scope.spawn(move || simulate(seed, share))
            })
            .collect();
        for (kind, counts) in threads.into_iter().flat_map(|thread| thread.join().unwrap()) {
            let sum = total.entry(kind).or_default();
            sum.damages += counts.damages;
            sum.harmless += counts.harmless;
            sum.healed += counts.healed;
            sum.not_healed += counts.not_healed;
            sum.wrong += counts.wrong;
        }
    });
    println!("{count} damages, seed {seed}, {thread_count} threads");
    for (kind, counts) in &total {
        let Counts { damages, harmless, healed, not_healed, wrong } = counts;
        println!(
            "{}: {damages} damages, {healed} healed, {harmless} harmless, {not_healed} left as \
             damage, {wrong} wrong",
            KINDS[*kind]
        );
    }
    let wrong: u64 = total.values().map(|counts| counts.wrong).sum();
    let missed = total.get(&0).map_or(0, |counts| counts.not_healed);
    println!("wrong heals: {wrong}; single flips not healed: {missed}");
    if wrong + missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
