//! The log language of IIS: directives, layouts, lines, records, time
//! stamps, decoding.
//!
//! In: bytes, one line at a time. Out: borrowed [`Record`]s, or the reason
//! why a line is none. No I/O, no threads, no clock. Content never rejects
//! a line; only its column count can.

pub mod decode;
pub mod dialect;
mod directive;
mod field;
pub mod index;
mod layout;
mod parser;
mod record;
pub mod simd;
mod time;

pub use dialect::Dialect;
pub use directive::{Directive, split_directives};
pub use field::Field;
pub use layout::Layout;
pub(crate) use parser::bounded;
pub use parser::{Line, Parser, Reject, State};
pub use record::{Disguise, Record, Target};
pub use time::{Date, Timestamp, parse_date, parse_time};
