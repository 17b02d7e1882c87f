//! Lines that name a failed shard. Sources: `IndicesClusterStateService`, `ShardStateAction`,
//! `Engine`, `AllocationService`, `IndexShardGatewayRecoveryException` (0.90.0 to 9.x, OpenSearch).

use super::Class::FailedShard;
use super::{Signature, signature};

/// The first whose pattern fits names the shard.
#[rustfmt::skip]
pub(super) const ROWS: &[Signature] = &[
    signature!("marking-and-sending", FailedShard, "1.5.1 and later, OpenSearch", ["marking and sending shard failed due to"], "",
        r"\[?SHARD\]? ?marking and sending shard failed due to", "The node's copy failed and its master is told."),
    signature!("failed-engine", FailedShard, "0.90 and later, OpenSearch", ["failed engine"], "",
        r"SHARD ?failed engine", "The shard's engine closed itself, while it replayed the translog or later."),
    signature!("failing-shard", FailedShard, "6.3 and later, OpenSearch; on the master", ["failing shard ["], "",
        r"failing shard \[(?:failed shard, shard |FailedShard\[routingEntry=)SHARD", "The master takes the copy out of service."),
    signature!("received-shard-failed", FailedShard, "0.90 to 6.2; on the master", ["received shard failed for"], "",
        r"received shard failed for (?:target shard \[|shard id \[)?SHARD", "The master was told of a failed copy."),
    signature!("sending-failed-shard", FailedShard, "0.90 to 1.5.0", ["sending failed shard for"], "",
        r"sending failed shard for SHARD", "The node's copy failed and its master is told."),
    signature!("sending-failed-shard-after-recovery", FailedShard, "1.5.0", ["sending failed shard after recovery failure"], "",
        r"SHARD ?sending failed shard after recovery failure", "The node's copy failed while it started."),
    signature!("failed-to-start-shard", FailedShard, "0.90.0 to 1.4.5", ["failed to start shard"], "",
        r"SHARD ?failed to start shard", "The copy failed while it started, most often in its translog."),
    signature!("failed-to-create-shard", FailedShard, "0.90.0 to 1.5.0, and as a reason later", ["failed to create shard"], "",
        r"SHARD ?failed to create shard", "The copy could not be created."),
    signature!("retry-recovery", FailedShard, "after 9.5", ["retry recovery for shard after failure"], "",
        r"retry recovery for shard after failure \[SHARD", "The copy failed while it started, and the node tries again by itself."),
    signature!("failed-to-recover-shard", FailedShard, "0.90 to 1.7, in the trace", ["failed to recover shard"], "",
        r"(?:Exception\[)?SHARD ?failed to recover shard", "Replaying the translog failed."),
    signature!("shard-exception", FailedShard, "2.0 and later, in the trace or where the message lost its front", ["IndexShardRecoveryException"], "",
        r"\]\[SHARD\] (?:[a-z.]*\.)?IndexShardRecoveryException", "The copy failed while it started."),
    signature!("recovery-failed-on", FailedShard, "5.1.1 and later, in the trace", ["Recovery failed on {"], "",
        r"(?:Exception\[)?SHARD: Recovery failed on \{", "The copy failed while it started from this node's disk."),
];
