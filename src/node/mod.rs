//! Settings, the `path.data` grammar by version, the inventory of shards, the locks of a node.
