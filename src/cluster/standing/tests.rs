use super::*;
use crate::cluster::CopyState;

fn shard(number: u32) -> ShardName {
    ShardName { index: "i".to_owned(), number }
}

fn copy(number: u32, state: CopyState, node: Option<&str>) -> ShardCopy {
    ShardCopy {
        shard: shard(number),
        primary: true,
        state,
        node: node.map(str::to_owned),
        allocation_id: None,
        reason: None,
    }
}

fn here(copies: &[ShardCopy], local_node: Option<&str>) -> Vec<u32> {
    let expected = [shard(0), shard(1), shard(2), shard(3)];
    started_here(&expected, copies, local_node).into_iter().map(|shard| shard.number).collect()
}

#[test]
fn only_copies_that_serve_on_this_node_count() {
    let copies = [
        copy(0, CopyState::Started, Some("me")),
        copy(1, CopyState::Started, Some("other")),
        copy(2, CopyState::Initializing, Some("me")),
        copy(2, CopyState::Started, Some("other")),
        copy(3, CopyState::Relocating, Some("me")),
        copy(9, CopyState::Started, Some("me")),
    ];
    assert_eq!(here(&copies, Some("me")), [0, 3]);
    assert_eq!(here(&copies, Some("nobody")), [0_u32; 0]);
}

#[test]
fn a_node_that_is_not_known_is_the_only_one_or_none() {
    let alone = [
        copy(0, CopyState::Started, Some("me")),
        copy(1, CopyState::Initializing, Some("me")),
        copy(2, CopyState::Unassigned, None),
    ];
    assert_eq!(here(&alone, None), [0]);
    let two = [copy(0, CopyState::Started, Some("me")), copy(1, CopyState::Started, Some("b"))];
    assert_eq!(here(&two, None), [0_u32; 0]);
    assert_eq!(here(&[], None), [0_u32; 0]);
}
