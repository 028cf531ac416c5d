//! The hot path: evidence in, records and hits out.
//!
//! In: the exhibits and the compiled signatures. Out: calls on a
//! [`Collector`], in an order that does not depend on threads, chunk sizes
//! or how a file is accessed. Files are scanned in parallel, and so are the
//! chunks of one file: each chunk assumes the layout in force at the last
//! known place, and is scanned again in the rare case that this was wrong.

mod again;
mod bell;
mod board;
mod chunk;
mod collector;
mod ends;
mod joint;
mod line;
mod note;
mod open;
mod progress;
mod reading;
mod scanner;
mod source;
mod span;
mod tray;
mod utf16;
mod work;

pub use again::{Again, Known};
pub use collector::{Collector, Hit, Part, RejectedLine, Setting, Tally};
pub use ends::Reach;
pub use line::{LinePlace, LogLine, Sought};
pub use progress::{Progress, Silent};
pub use reading::Reading;
pub use scanner::{ScanOptions, Scanner};
pub use span::Span;
