//! A long stretch of a file, block by block, in memory that does not grow: read when asked for, or
//! ahead in a thread where a second processor is there.

use std::io;
use std::num::NonZero;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use super::window::ReadAt;

/// Bytes read at once: small enough to be found in the processor's cache again.
const BLOCK_BYTES: usize = 256 * 1024;
/// Free bytes before a block, for what is left over from the one before.
pub(super) const HEADROOM_BYTES: usize = 256 * 1024;
/// Blocks that are in memory at most.
const BLOCK_COUNT: usize = 6;
/// A shorter stretch is not worth a thread.
const THREAD_MIN_BYTES: u64 = 4 * 1024 * 1024;

/// Bytes of a file behind [`HEADROOM_BYTES`] that are free.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
}

/// Hands `use_blocks` a way to the next block of a stretch, whose last argument is the block that
/// it no longer needs.
pub(super) fn with_blocks<R: ReadAt + Sync + ?Sized, T>(
    source: &R,
    from_offset: u64,
    to_offset: u64,
    use_blocks: impl FnOnce(&mut dyn FnMut(Block) -> io::Result<Option<Block>>) -> T,
) -> T {
    let mut stretch = Stretch { source, offset: from_offset, to_offset };
    let is_long = to_offset.saturating_sub(from_offset) >= THREAD_MIN_BYTES;
    if !is_long || thread::available_parallelism().is_ok_and(|count| count == NonZero::<usize>::MIN)
    {
        return use_blocks(&mut |old| stretch.next(old));
    }
    thread::scope(|scope| {
        let (full_sender, full) = sync_channel(BLOCK_COUNT);
        let (empty, empty_receiver) = channel();
        for _ in 0..BLOCK_COUNT {
            // The receiver is still here.
            let _ = empty.send(Block::default());
        }
        scope.spawn(move || stretch.read_ahead(&empty_receiver, &full_sender));
        let result = use_blocks(&mut |old| next_read(&full, &empty, old));
        // The thread ends when nobody waits for its blocks.
        drop((full, empty));
        result
    })
}

fn next_read(
    full: &Receiver<io::Result<Block>>,
    empty: &Sender<Block>,
    old: Block,
) -> io::Result<Option<Block>> {
    if !old.bytes.is_empty() {
        // Without a reader there is no more to read.
        let _ = empty.send(old);
    }
    full.recv().ok().transpose()
}

/// What is left to read.
struct Stretch<'a, R: ReadAt + ?Sized> {
    source: &'a R,
    offset: u64,
    to_offset: u64,
}

impl<R: ReadAt + ?Sized> Stretch<'_, R> {
    fn read_ahead(&mut self, empty: &Receiver<Block>, full: &SyncSender<io::Result<Block>>) {
        while let Ok(block) = empty.recv() {
            let Some(next) = self.next(block).transpose() else { return };
            if full.send(next).is_err() {
                return;
            }
        }
    }

    /// The next block in the memory of an old one; `None` at the end.
    fn next(&mut self, mut block: Block) -> io::Result<Option<Block>> {
        let rest = usize::try_from(self.to_offset.saturating_sub(self.offset));
        let wanted = rest.unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
        block.bytes.resize(HEADROOM_BYTES.saturating_add(wanted), 0);
        let room = block.bytes.get_mut(HEADROOM_BYTES..).unwrap_or_default();
        let count = self.source.fill_at(self.offset, room)?;
        self.offset = self.offset.saturating_add(count as u64);
        block.bytes.truncate(HEADROOM_BYTES.saturating_add(count));
        Ok((count > 0).then_some(block))
    }
}
