//! Evidence: finds the inputs, opens them read-only, hashes them, and tells
//! host, site and day from a path.
//!
//! In: the paths of the command line. Out: [`Evidence`], a sorted list of
//! [`Exhibit`]s, each of which opens as [`Content`]: a guarded [`Mapping`],
//! or a [`Stream`] where the file is compressed, empty, standard input, or
//! is not to be mapped.
//!
//! Why apart: everything after this stage works on bytes and knows neither
//! files nor faults of media. Here a fault is a
//! [`Warning`](crate::warning::Warning) and the rest goes on; nothing here
//! writes, locks or changes evidence, and nothing blocks on a pipe.
//!
//! | file | idea |
//! |---|---|
//! | `discover` | arguments and folders become exhibits |
//! | `glob` | patterns that no shell expanded |
//! | `inside` | would this output land in the evidence? |
//! | `identity` | host, site and day from the path |
//! | `exhibit` | one item of evidence, and how it opens |
//! | `map` | memory map with its guard; all code for one platform |
//! | `whole` | a small file, read at once |
//! | `stream`, `feed` | read once: decoded, counted, hashed |
//! | `packing`, `gzip`, `inflate`, `packed` | how bytes are packed, and the decoders |
//! | `archive`, `members`, `tar`, `zip`, `sevenz` | each file in them is an exhibit |
//! | `seekable` | an archive whose directory stands at its end |
//! | `apart` | members that are read in any order |
//! | `password`, `decrypt` | what is encrypted in one |
//! | `budget` | how much may come out of one |
//! | `hash` | SHA-256 |

mod apart;
mod archive;
mod budget;
mod decrypt;
mod discover;
mod exhibit;
mod feed;
mod glob;
mod gzip;
mod hash;
mod identity;
mod inflate;
mod inside;
mod map;
mod members;
mod packed;
mod packing;
mod password;
mod seekable;
mod sevenz;
mod stream;
mod tar;
#[cfg(test)]
mod tests;
mod whole;
mod zip;

pub use self::apart::Apart;
pub use self::archive::{Archive, Walk};
pub use self::budget::Budget;
pub use self::discover::{Evidence, discover, discover_watched};
pub use self::exhibit::{Access, Content, Exhibit, Input};
pub use self::hash::{Digest, Hasher, Hashing, hex, sha256};
pub use self::identity::PathIdentity;
pub use self::inside::is_inside;
pub use self::map::Mapping;
pub use self::members::Member;
pub use self::packing::unpacked_name;
pub use self::password::Passwords;
pub use self::seekable::Seekable;
pub use self::sevenz::SevenZ;
pub use self::stream::{Stream, StreamEnd};
pub use self::tar::Tar;
pub use self::whole::Whole;
pub use self::zip::Zip;
