//! Commits of every format from a writer of its own, flipped and cut at every byte.

use super::super::encode_empty_commit;
use super::*;

/// Accepted by Lucene 9.8.0: no segment, `history_uuid` is `abc`.
const EMPTY_10: &str = "3fd76c17087365676d656e74730000000a000102030405060708090a0b0c0d0e0f0131\
                        0908000900000000000000040000000000010c686973746f72795f75756964036162\
                        63c02893e800000000000000005c488859";

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Appends what the fields of a commit look like, by format.
struct Writer {
    bytes: Vec<u8>,
    format: i32,
}

impl Writer {
    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    fn string(&mut self, text: &str) -> &mut Self {
        self.bytes.push(u8::try_from(text.len()).unwrap());
        self.raw(text.as_bytes())
    }

    fn count(&mut self, count: u8) -> &mut Self {
        if self.format < 5 { self.raw(&[0, 0, 0, count]) } else { self.raw(&[count]) }
    }

    fn strings(&mut self, texts: &[&str]) -> &mut Self {
        self.count(u8::try_from(texts.len()).unwrap());
        for text in texts {
            self.string(text);
        }
        self
    }

    fn entry_3(&mut self, name: &str) {
        self.string("3.6.2").string(name).raw(&[0, 0, 0, 9]).raw(&[0xff; 8]);
        self.raw(&[0, 0, 0, 4]).string("_0").raw(&[1]);
        self.raw(&[1, 0, 0, 0, 1]).raw(&[0, 0, 0, 0, 0, 0, 0, 3]).raw(&[1]);
        self.raw(&[0, 0, 0, 2, 1]).count(1).string("os").string("linux").raw(&[0]);
    }

    fn entry(&mut self, name: &str) {
        let format = self.format;
        self.string(name);
        if (4..=6).contains(&format) {
            self.raw(&[1]);
        }
        if format >= 4 {
            self.raw(&[5; 16]);
        }
        self.string("Lucene99").raw(&[0, 0, 0, 0, 0, 0, 0, 37]).raw(&[0, 0, 0, 2]);
        if format >= 1 {
            self.raw(&[0xff; 8]);
        }
        if format >= 3 {
            self.raw(&[0xff; 8]);
        }
        if format >= 9 {
            self.raw(&[0, 0, 0, 1]);
        }
        if format >= 10 {
            self.raw(&[1]).raw(&[6; 16]);
        }
        if matches!(format, 1 | 2) {
            self.raw(&[0, 0, 0, 1]).raw(&[0, 0, 0, 0, 0, 0, 0, 1]).strings(&["_0_1.fnm"]);
        }
        if format >= 3 {
            self.strings(&["_0_1.fnm"]).raw(&[0, 0, 0, 1, 0, 0, 0, 8]).strings(&["_0_1.dvd"]);
        }
    }
}

/// Commit 36 with two segments.
fn commit(format: i32) -> Vec<u8> {
    let mut writer = Writer { bytes: Vec::new(), format };
    if format >= 0 {
        writer.raw(&[0x3f, 0xd7, 0x6c, 0x17]).string("segments");
    }
    writer.raw(&format.to_be_bytes());
    if format >= 4 {
        writer.raw(&[9; 16]).string("10");
    }
    if format >= 6 {
        writer.raw(&[9, 12, 1]);
    }
    if format >= 7 {
        writer.raw(&[8]);
    }
    writer.raw(&[0, 0, 0, 0, 0, 0, 0, 77]);
    if format >= 8 {
        writer.raw(&[0x81, 2])
    } else {
        writer.raw(&[0, 0, 1, 1])
    };
    writer.raw(&[0, 0, 0, 2]);
    if format >= 6 {
        writer.raw(&[9, 0, 0]);
    }
    for name in ["_0", "_a3"] {
        if format < 0 { writer.entry_3(name) } else { writer.entry(name) }
    }
    writer.count(2).string("translog_uuid").string("U").string("größe").string("𝒳");
    if format >= 2 {
        writer.raw(&[0xc0, 0x28, 0x93, 0xe8, 0, 0, 0, 0]);
    }
    let crc = u64::from(crc32fast::hash(&writer.bytes));
    writer.raw(&crc.to_be_bytes());
    writer.bytes
}

const FORMATS: [i32; 12] = [-11, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

#[test]
fn every_format_reads_whole() {
    for format in FORMATS {
        let found = Commit::decode(&commit(format), 36).unwrap();
        assert_eq!((found.format, found.generation), (format, 36));
        assert_eq!(found.lucene_version, (format >= 6).then_some((9, 12, 1)));
        assert_eq!(found.commit_id, (format >= 4).then_some([9; 16]));
        assert_eq!(found.user_value("translog_uuid"), Some("U"));
        assert_eq!(found.user_value("größe"), Some("𝒳"));
        let names: Vec<&str> = found.segments.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["_0", "_a3"]);
        let segment = &found.segments[0];
        assert_eq!(segment.delete_count, 2);
        assert_eq!(segment.id, (format >= 4).then_some([5; 16]));
        assert_eq!(segment.soft_delete_count, u32::from(format >= 9));
        let files: &[&str] = match format {
            ..=0 => &[],
            1 | 2 => &["_0_1.fnm"],
            _ => &["_0_1.fnm", "_0_1.dvd"],
        };
        assert_eq!(segment.update_files, files);
        let deletes = (format >= 0).then_some("_0_11.liv");
        assert_eq!(segment.deletes_file().as_deref(), deletes);
    }
}

#[test]
fn every_flip_and_every_cut_is_damage() {
    for format in FORMATS {
        let good = commit(format);
        for index in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[index] ^= 1 << bit;
                let found = Commit::decode(&bad, 36);
                let is_damage = matches!(found, Err(Unreadable::Damaged(_)));
                assert!(is_damage, "format {format} byte {index} bit {bit}: {found:?}");
            }
            let found = Commit::decode(&good[..index], 36);
            let is_damage = matches!(found, Err(Unreadable::Damaged(_)));
            assert!(is_damage, "format {format} cut at {index}: {found:?}");
        }
    }
}

/// Every field of four bytes at 0, 1 and the maximum, under a checksum that holds.
#[test]
fn any_number_anywhere_ends_and_is_no_damage_under_a_sound_checksum() {
    for format in FORMATS {
        let good = commit(format);
        // The footer is no content.
        let end = good.len() - 19;
        for index in 0..end {
            for number in [0, 1, u32::MAX] {
                let mut bad = good.clone();
                bad[index..index + 4].copy_from_slice(&number.to_be_bytes());
                let crc_at = bad.len() - 8;
                let crc = u64::from(crc32fast::hash(&bad[..crc_at]));
                bad[crc_at..].copy_from_slice(&crc.to_be_bytes());
                let header = if format < 0 { 4 } else { 17 };
                let is_named = index < header || (format >= 4 && index < 36);
                let found = Commit::decode(&bad, 36);
                let is_damage = matches!(found, Err(Unreadable::Damaged(_)));
                assert!(!is_damage || is_named, "format {format} byte {index}: {found:?}");
            }
        }
    }
}

#[test]
fn the_vector_of_lucene_reads_and_is_written_alike() {
    let bytes = bytes_of(EMPTY_10);
    let found = Commit::decode(&bytes, 1).unwrap();
    assert_eq!(found.user_data, [("history_uuid".to_owned(), "abc".to_owned())]);
    let id = std::array::from_fn(|index| u8::try_from(index).unwrap());
    let same = Commit::with_user_data(&bytes, 1, id, &found.user_data).unwrap();
    assert_eq!(same, bytes);
}

#[test]
fn a_rewritten_commit_keeps_all_but_the_user_data() {
    let other = [("history_uuid".to_owned(), "new".to_owned())];
    for format in FORMATS {
        let original = commit(format);
        let old = Commit::decode(&original, 36).unwrap();
        let same = Commit::with_user_data(&original, 36, [9; 16], &old.user_data).unwrap();
        assert_eq!(same, original, "format {format}");
        let bytes = Commit::with_user_data(&original, 37, [3; 16], &other).unwrap();
        let new = Commit::decode(&bytes, 37).unwrap();
        assert_eq!((new.segments, new.user_data.as_slice()), (old.segments, &other[..]));
        let renamed = Commit::decode(&bytes, 36);
        assert_eq!(renamed.is_err(), format >= 4, "format {format}: {renamed:?}");
    }
}

#[test]
fn a_format_that_is_not_known_is_newer_only_under_a_sound_checksum() {
    let mut bytes = encode_empty_commit(11, (11, 0, 0), 1, [1; 16], &[]);
    assert!(matches!(Commit::decode(&bytes, 1), Err(Unreadable::Newer(_))));
    bytes[40] ^= 1;
    assert!(matches!(Commit::decode(&bytes, 1), Err(Unreadable::Damaged(_))));
}
