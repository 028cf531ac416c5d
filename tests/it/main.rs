//! The integration tests: one program, a module a topic, so that it links
//! once.
//!
//! | module | asks |
//! |---|---|
//! | `layers` | does the source keep to the way of the data? |
//! | `packages` | does the lock file keep to few, known packages? |
//! | `support` | (what the topics share) |

// Where these fail the message is the panic; clippy knows only `#[test]`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod layers;
mod packages;
mod support;
