//! The end-to-end benchmark: made-up logs, programs run in turn, figures.
//!
//! Shared by `benches/end_to_end.rs`, which measures, and by
//! `tests/it/bench.rs`, which runs a small part so that it never rots.

pub mod figures;
pub mod generate;
pub mod measure;
pub mod record;
pub mod rules;
pub mod tree;
mod words;
