//! How much room a file system has: what it says, less what it keeps for itself.

use std::io;
use std::os::fd::OwnedFd;

use super::store::Room;

/// The part of its blocks, and the most of them, that ext4 keeps for itself.
const KEPT_PART: u64 = 50;
const KEPT_BLOCKS_MAX: u64 = 4096;
/// Blocks that names and the journal of a file system may take beside what is counted.
const SPARE_BLOCKS: u64 = 8;
/// `f_type` of XFS.
const XFS_MAGIC: u64 = 0x5846_5342;
/// Blocks that XFS wants free for a new file or folder, and for a name in a folder that has no block
/// yet; it takes hardly one of them. 62 to 65 were seen to do, with 320 MB and with 4 TB.
const XFS_SPARE_BLOCKS: u64 = 80;
/// What a folder of XFS has for names in its inode at least: one of 256 bytes with a label.
const XFS_INODE_NAMES_BYTES: u64 = 120;

/// The room on the file system of an open folder.
///
/// # Errors
/// When the file system does not say.
pub(super) fn room_of(folder: &OwnedFd) -> io::Result<Room> {
    let facts = rustix::fs::fstatvfs(folder)?;
    let is_xfs = u64::try_from(rustix::fs::fstatfs(folder)?.f_type) == Ok(XFS_MAGIC);
    let is_root = nix::unistd::geteuid().is_root();
    // ext4 counts as free what it keeps for itself and gives to nobody (`s_resv_clusters`).
    let kept = if is_xfs { 0 } else { (facts.f_blocks / KEPT_PART).min(KEPT_BLOCKS_MAX) };
    let for_root = facts.f_bfree.saturating_sub(kept);
    let blocks = if is_root { for_root } else { facts.f_bavail };
    let inodes = if is_root { facts.f_ffree } else { facts.f_favail };
    // A folder of XFS is as long as its names until it has a block.
    let names_bytes = u64::try_from(rustix::fs::fstat(folder)?.st_size).unwrap_or(u64::MAX);
    let has_names_in_inode = is_xfs && names_bytes < facts.f_frsize;
    Ok(Room {
        free_bytes: blocks.saturating_mul(facts.f_frsize),
        block_bytes: facts.f_frsize.max(1),
        free_inodes: (facts.f_files > 0).then_some(inodes),
        spare_blocks: if is_xfs { XFS_SPARE_BLOCKS } else { SPARE_BLOCKS },
        inode_name_bytes: has_names_in_inode
            .then(|| XFS_INODE_NAMES_BYTES.saturating_sub(names_bytes)),
    })
}
