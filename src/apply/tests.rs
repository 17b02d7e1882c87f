//! Tests of the whole stage on a real file system.
