//! The log language of IIS: directives, layouts, lines, records, time
//! stamps, decoding.
//!
//! In: bytes, one line at a time. Out: borrowed [`Record`]s, or the reason
//! why a line is none. No I/O, no threads, no clock. Content never rejects
//! a line; only its column count can.
//!
//! | file | idea |
//! |---|---|
//! | `dialect` | what kind of log a file is |
//! | `directive`, `layout`, `field` | what the columns are |
//! | `index`, `simd` | where they stand in a line of IIS |
//! | `form` | where they stand in a line of any other writer |
//! | `infer`, `terms` | what no directive says |
//! | `parser`, `record` | a line and what it is |
//! | `time`, `dates`, `clock`, `zone` | when it was written |
//! | `decode`, `shorten`, `codepage` | what a URL means |

mod clock;
mod codepage;
mod dates;
pub mod decode;
pub mod dialect;
mod directive;
mod field;
mod form;
pub mod index;
mod infer;
mod layout;
mod parser;
mod record;
pub mod shorten;
pub mod simd;
mod terms;
mod time;
mod zone;

pub use codepage::{CodePage, Paged, STEPS};
pub use dates::DateOrder;
pub use dialect::Dialect;
pub use directive::{Directive, split_directives};
pub use field::Field;
pub use form::Form;
pub use layout::Layout;
pub(crate) use parser::bounded;
pub use parser::{Line, Parser, Reject, State};
pub use record::{Disguise, Record, Target};
pub use terms::{Terms, Told};
pub use time::{Date, TimeNote, Timestamp, parse_date, parse_time};
pub use zone::Zone;
