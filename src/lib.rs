//! Finds, proves and repairs damaged Elasticsearch and OpenSearch translogs.
//!
//! The program is a pipeline of values; read the modules in this order and you have read it:
//! log bytes -> finding -> located shard -> evidence -> diagnosis -> plan -> receipt -> verdict.
//! A stage uses its own types, those of stages before it, and `format`; nothing reaches back.
//! Only `apply` writes below a data path, through one small trait; nothing deletes but what
//! was copied to another file system first, for who asked for that.

pub mod cli;
pub mod clock;
pub mod limit;
pub mod log;
pub mod format;
pub mod node;
pub mod diagnose;
pub mod check;
pub mod inspect;
pub mod plan;
pub mod apply;
pub mod export;
pub mod service;
pub mod cluster;
pub mod rounds;
pub mod report;
pub mod drill;
