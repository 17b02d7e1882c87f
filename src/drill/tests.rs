//! The real job on a played node: killed at every point, and held against every limit.

mod killed;
mod limits;
mod played;
