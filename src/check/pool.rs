//! Does one thing to many, on a few threads, and takes the results in order.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// Results that may wait for an earlier one before the threads pause.
const AHEAD_MAX: usize = 256;

struct State<T> {
    next_input: usize,
    next_output: usize,
    waiting: BTreeMap<usize, T>,
}

/// Calls `work` for each input on at most as many threads as there are processors, and `take`
/// with each result in the order of the inputs.
pub(super) fn each_in_order<I: Sync, T: Send>(
    inputs: &[I],
    work: impl Fn(&I) -> T + Sync,
    mut take: impl FnMut(T),
) {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let state = Mutex::new(State { next_input: 0, next_output: 0, waiting: BTreeMap::new() });
    let changed = Condvar::new();
    let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
    let is_near =
        |state: &mut State<T>| state.next_input.saturating_sub(state.next_output) >= AHEAD_MAX;
    let next_input = || {
        let held = changed.wait_while(lock(), is_near);
        let mut state = held.unwrap_or_else(PoisonError::into_inner);
        let index = state.next_input;
        state.next_input = index.saturating_add(1);
        inputs.get(index).map(|input| (index, input))
    };
    let worker = || {
        while let Some((index, input)) = next_input() {
            let result = work(input);
            lock().waiting.insert(index, result);
            changed.notify_all();
        }
    };
    thread::scope(|scope| {
        for _ in 0..processors.min(inputs.len()) {
            scope.spawn(worker);
        }
        for index in 0..inputs.len() {
            let held = changed.wait_while(lock(), |state| !state.waiting.contains_key(&index));
            let mut state = held.unwrap_or_else(PoisonError::into_inner);
            let result = state.waiting.remove(&index);
            state.next_output = index.saturating_add(1);
            drop(state);
            changed.notify_all();
            result.into_iter().for_each(&mut take);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_however_long_each_takes() {
        let inputs: Vec<u64> = (0..2_000).collect();
        let mut taken = Vec::new();
        let spin = |input: &u64| {
            let turns = if input.is_multiple_of(7) { 20_000 } else { 10 };
            let sum = (0..turns).fold(*input, |sum, turn| sum.wrapping_mul(31).wrapping_add(turn));
            (*input, sum)
        };
        each_in_order(&inputs, spin, |(input, _)| taken.push(input));
        assert_eq!(taken, inputs);
    }

    #[test]
    fn no_input_is_no_work() {
        each_in_order(&[0_u8; 0], |input| *input, |_| panic!("nothing to take"));
    }
}
