//! Offline forensics for IIS logs.
//!
//! Three questions come first: which hosts were probed, which probes
//! succeeded, and which exposed features were hit.
//!
//! The folders are the way of the data, left to right; each knows only what
//! stands before it:
//!
//! `evidence` (bytes as found) → `w3c` (records) → `signature` (rules) →
//! `scan` (hits) → `verdict` (outcomes) → `case` (mergeable facts) →
//! `report`. On top stands `cli`.

pub mod case;
pub mod cli;
pub mod error;
pub mod evidence;
pub mod limits;
pub mod raw;
pub mod report;
pub mod scan;
pub mod signature;
pub mod verdict;
pub mod w3c;
pub mod warning;
