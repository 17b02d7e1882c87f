//! The real job on a played node: killed at every point, and held against every limit.

mod killed;
mod last_start;
mod limits;
mod played;
mod recovering;
