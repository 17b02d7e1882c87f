//! Finds telling words at the speed of the disk's cache: a log may be hundreds of gigabytes.
//!
//! Every telling word has a key in it, eight bytes that are rare elsewhere. Of the five places at
//! which four bytes of a key begin, one is a multiple of five from wherever a search begins; so
//! it is enough to look there, whether the four bytes are any that a key has. Only then the eight
//! bytes are compared.

use std::sync::LazyLock;

/// Bytes of a key.
const KEY_BYTES: usize = 8;
/// Bytes that are looked at in one place.
const GRAM_BYTES: usize = 4;
/// Bytes from one place that is looked at to the next.
const STEP_BYTES: usize = KEY_BYTES - GRAM_BYTES + 1;
/// Places that are looked at before what was seen is judged.
const STEPS: usize = 8;
/// Bits of a gram's slot.
const SLOT_BITS: u32 = 15;
/// Bits of a key's slot.
const KEY_SLOT_BITS: u32 = 9;

/// Keys, chosen for grams that few lines and stack traces have. A test tells when a word has none.
#[rustfmt::skip]
const KEYS: [&[u8; KEY_BYTES]; 48] = [
    b"\"started", b" started", b"\"stopped", b" stopped", b"\"MESSAGE", b"[bootstr", b".Bootstr", b"tialized",
    // What comes behind `], pid[` is a number.
    b"], pid[-", b"], pid[0", b"], pid[1", b"], pid[2", b"], pid[3", b"], pid[4", b"], pid[5", b"], pid[6",
    b"], pid[7", b"], pid[8", b"], pid[9",
    b"iled eng", b"iled sha", b"eate sha", b"er shard", b" start s", b"g shard ", b"ceived s", b"rd after",
    b"eryExcep", b"led on {", b"es into ", b"alth sta", b"flood st", b"e bootin", b"to obtai", b"ockObtai",
    b"Can't lo", b"e left o", b"quota ex", b"Read-onl", b" many op", b"n denied", b"ssDenied", b"trolExce",
    b"t permit", b"OutOfMem", b"tBreakin", b"node val", b"uncaught",
];

type Step = [u8; STEP_BYTES];
type Group = [Step; STEPS];

/// Keys, in the form in which they are searched for.
struct Search {
    /// By a gram's slot: where in a key such a gram begins, one bit a place.
    grams: Box<[u8; 1 << SLOT_BITS]>,
    /// Keys, each in its slot or the next free one behind it.
    keys: [Option<u64>; (1 << KEY_SLOT_BITS) + KEYS.len()],
}

static SEARCH: LazyLock<Search> = LazyLock::new(Search::new);

/// Where the key of the first telling word is that is there whole.
pub(in crate::log) fn find_telling(bytes: &[u8]) -> Option<usize> {
    SEARCH.find(bytes)
}

impl Search {
    #[expect(clippy::large_stack_arrays, reason = "once, and no thread has so little")]
    fn new() -> Self {
        let grams = Box::new([0; 1 << SLOT_BITS]);
        let mut search = Self { grams, keys: [None; (1 << KEY_SLOT_BITS) + KEYS.len()] };
        for key in KEYS {
            for (place, gram) in key.windows(GRAM_BYTES).enumerate() {
                if let [a, b, c, d] = *gram
                    && let Some(places) = search.grams.get_mut(slot([a, b, c, d]))
                {
                    *places |= 1 << place;
                }
            }
            let mut slots = search.keys.iter_mut().skip(key_slot(*key));
            if let Some(free) = slots.find(|slot| slot.is_none()) {
                *free = Some(u64::from_le_bytes(*key));
            }
        }
        search
    }

    fn find(&self, bytes: &[u8]) -> Option<usize> {
        let (steps, _) = bytes.as_chunks::<STEP_BYTES>();
        let (groups, _) = steps.as_chunks::<STEPS>();
        let mut from = 0;
        for group in groups {
            let seen = group.iter().fold(0, |seen, step| seen | self.places(*step));
            if seen != 0
                && let Some(at) = self.in_group(bytes, from, group)
            {
                return Some(at);
            }
            from = from.wrapping_add(size_of::<Group>());
        }
        // A key that begins behind the last place that was looked at.
        let from = from.saturating_sub(GRAM_BYTES);
        let rest = bytes.get(from..).unwrap_or_default();
        let at = rest.windows(KEY_BYTES).position(|window| self.is_key(window))?;
        Some(from.saturating_add(at))
    }

    /// The first key of which the group that begins at `from` has a gram.
    #[inline(never)]
    fn in_group(&self, bytes: &[u8], from: usize, group: &Group) -> Option<usize> {
        for (count, step) in group.iter().enumerate() {
            let at = from.saturating_add(count.saturating_mul(STEP_BYTES));
            let mut places = self.places(*step);
            // The furthest in its key first: of two that overlap, that one begins earlier.
            while let Some(place) = places.checked_ilog2() {
                places ^= 1 << place;
                let place = place as usize;
                if let Some(start) = at.checked_sub(place)
                    && let Some(window) = bytes.get(start..start.saturating_add(KEY_BYTES))
                    && self.is_key(window)
                {
                    return Some(start);
                }
            }
        }
        None
    }

    #[inline]
    fn places(&self, [a, b, c, d, _]: Step) -> u8 {
        self.grams.get(slot([a, b, c, d])).copied().unwrap_or(0)
    }

    fn is_key(&self, window: &[u8]) -> bool {
        let Ok(window) = <[u8; KEY_BYTES]>::try_from(window) else { return false };
        let key = u64::from_le_bytes(window);
        let slots = self.keys.iter().skip(key_slot(window));
        slots.map_while(|slot| *slot).any(|known| known == key)
    }
}

/// The highest bits of a product depend on every bit of the gram. With this factor none of the
/// commonest grams of real logs shares a slot with a key's.
#[inline]
fn slot(gram: [u8; GRAM_BYTES]) -> usize {
    (u32::from_le_bytes(gram).wrapping_mul(0x9b35_411b) >> (u32::BITS - SLOT_BITS)) as usize
}

fn key_slot(key: [u8; KEY_BYTES]) -> usize {
    let product = u64::from_le_bytes(key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(product >> (u64::BITS - KEY_SLOT_BITS)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::super::telling_words;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_word_has_a_key_and_every_key_a_word() {
        let words = telling_words();
        for word in &words {
            let text = format!("{word}0");
            assert!(find_telling(text.as_bytes()).is_some(), "{word:?} has no key");
        }
        for key in KEYS.map(|key| String::from_utf8_lossy(key)) {
            let has_key = |word: &&str| word.contains(&*key) || key.contains(*word);
            assert!(words.iter().any(has_key), "{key:?} is in no word");
        }
    }

    fn texts() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            1 => proptest::sample::select(KEYS.to_vec()).prop_map(|key| key.to_vec()),
            3 => (proptest::sample::select(KEYS.to_vec()), 0..KEY_BYTES)
                .prop_map(|(key, cut)| key[cut..].to_vec()),
            3 => (proptest::sample::select(KEYS.to_vec()), 0..KEY_BYTES)
                .prop_map(|(key, cut)| key[..cut].to_vec()),
            3 => proptest::collection::vec(any::<u8>(), 0..90),
        ];
        proptest::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8_000))]

        #[test]
        fn what_is_found_is_the_first_key(text in texts(), from in 0..50_usize) {
            let text = text.get(from..).unwrap_or_default();
            let first = text.windows(KEY_BYTES).position(|window| KEYS.iter().any(|key| *key == window));
            prop_assert_eq!(find_telling(text), first);
        }
    }
}
