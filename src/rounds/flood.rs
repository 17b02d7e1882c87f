//! The block of the flood stage: what is done about it on an index of this node.
//!
//! A server sets `index.blocks.read_only_allow_delete` on the indices of a node whose disk is fuller
//! than `cluster.routing.allocation.disk.watermark.flood_stage` (6.0 and later). From 7.4 on, and on
//! OpenSearch, it takes that back itself when the disk is below the high watermark.

use crate::cluster::clear_flood_block;

/// What is known of a block.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct BlockFacts {
    /// Whether the index has no other block.
    pub is_alone: bool,
    /// Whether the disk is below the flood stage.
    pub has_room: bool,
    /// Whether the server clears such blocks.
    pub server_clears: bool,
    /// Whether the person asks for it.
    pub is_asked: bool,
}

/// What is done about a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockWay {
    /// The server does it.
    Server,
    /// There is no room yet.
    NoRoom,
    /// Somebody has set other blocks too.
    NotAlone,
    /// The person has not asked.
    Ask,
    /// It is cleared.
    Clear,
}

impl BlockWay {
    /// Whether nobody else will do it.
    pub(super) fn is_left_to_a_person(self) -> bool {
        matches!(self, Self::NoRoom | Self::NotAlone | Self::Ask)
    }
}

/// Chooses the way.
#[must_use]
pub(super) fn way_of(facts: BlockFacts) -> BlockWay {
    match facts {
        BlockFacts { server_clears: true, .. } => BlockWay::Server,
        BlockFacts { has_room: false, .. } => BlockWay::NoRoom,
        BlockFacts { is_alone: false, .. } => BlockWay::NotAlone,
        BlockFacts { is_asked: false, .. } => BlockWay::Ask,
        _ => BlockWay::Clear,
    }
}

/// The sentence about it.
#[must_use]
pub(super) fn told(index: &str, way: BlockWay) -> String {
    let (path, body) = clear_flood_block(index);
    let request = format!("PUT {path} {body}");
    let start = format!("{index} is read-only since the disk was at the flood stage");
    match way {
        BlockWay::Server => format!(
            "{start}; the server ends that itself when the disk is below the high watermark"
        ),
        BlockWay::NoRoom => format!("{start}, and it still is; make room, and then {request}"),
        BlockWay::NotAlone => {
            format!("{start}, and has other blocks too; look at them, and then {request}")
        }
        BlockWay::Ask => format!("{start}, and there is room again; {request} or --clear-blocks"),
        BlockWay::Clear => format!("{start}, and there is room again: cleared by {request}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_cleared_only_where_everything_allows_it() {
        let all =
            BlockFacts { is_alone: true, has_room: true, server_clears: false, is_asked: true };
        assert_eq!(way_of(all), BlockWay::Clear);
        for (facts, way) in [
            (BlockFacts { is_asked: false, ..all }, BlockWay::Ask),
            (BlockFacts { is_alone: false, ..all }, BlockWay::NotAlone),
            (BlockFacts { has_room: false, ..all }, BlockWay::NoRoom),
            (BlockFacts { server_clears: true, ..all }, BlockWay::Server),
            (BlockFacts { server_clears: true, has_room: false, ..all }, BlockWay::Server),
        ] {
            assert_eq!(way_of(facts), way, "{facts:?}");
            assert_eq!(way.is_left_to_a_person(), way != BlockWay::Server, "{facts:?}");
        }
    }

    #[test]
    fn the_request_is_whole() {
        let request = r#"PUT /a%2Fb/_settings {"index.blocks.read_only_allow_delete":null}"#;
        let text = told("a/b", BlockWay::Ask);
        assert!(text.contains(request) && text.contains("--clear-blocks"), "{text}");
        assert!(!told("a", BlockWay::Server).contains("PUT"));
    }
}
