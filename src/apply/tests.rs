//! Tests of the whole stage on a real file system: a node folder, a state folder, and a store that
//! stops at a given call.

mod attacks;
mod crash;
mod fault_store;
mod journal;
mod matrix;
mod matrix_cases;
mod node;
mod quarantine;
mod refusals;
mod rounds;
mod state;
mod whole;
