//! Results for people: one file a format, one door for hostile text.
//!
//! In: a [`Case`](crate::case::Case). Out: text. Nothing is written here;
//! who calls decides where it goes.

pub mod escape;
pub mod terminal;

pub use self::escape::Untrusted;
pub use self::terminal::{
    FeatureOf, TerminalOptions, explanation, inventory, summary,
};
