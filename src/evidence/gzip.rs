//! gzip (RFC 1952), member after member, with every fault named and all that
//! was decoded before it kept.
//!
//! In: the raw bytes of a [`Feed`]. Out: decoded bytes, and the faults met.
//!
//! Why not flate2's `MultiGzDecoder`: it drops what the failing call had
//! decoded, as much as the caller's buffer holds, so that results would
//! depend on buffer sizes; it takes zero padding for damage; and after one
//! wrong checksum it does not go on to the next member. Only the deflate
//! decoder and the checksum are flate2's; the frame is read here.

use flate2::{Crc, FlushDecompress, Status};

use super::feed::Feed;
use super::inflate::Lent;
use crate::warning::Kind;

/// The first two bytes of every member.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Faults by kind: the first one told, all counted.
#[derive(Default)]
pub(super) struct Faults(Vec<(Kind, String, u64)>);

impl Faults {
    pub(super) fn note(&mut self, kind: Kind, detail: String) {
        match self.0.iter_mut().find(|fault| fault.0 == kind) {
            Some(fault) => fault.2 += 1,
            None => self.0.push((kind, detail, 1)),
        }
    }

    pub(super) fn into_inner(self) -> Vec<(Kind, String, u64)> {
        self.0
    }
}

/// What comes next in the raw bytes.
enum State {
    Header,
    Body,
    Trailer,
    Seam,
    Done,
}

/// A gzip decoder over all members of a feed.
pub(super) struct Gzip {
    state: State,
    inflate: Lent,
    /// Checksum and length of the member's decoded bytes.
    crc: Crc,
    decoded: u64,
}

impl Gzip {
    /// A decoder whose feed stands at a member's first byte.
    pub(super) fn new() -> Self {
        Self {
            state: State::Header,
            inflate: Lent::new(),
            crc: Crc::new(),
            decoded: 0,
        }
    }

    /// Bytes decoded so far, of all members.
    pub(super) fn decoded(&self) -> u64 {
        self.decoded
    }

    /// Ends the decoding here.
    pub(super) fn stop(&mut self) {
        self.state = State::Done;
    }

    /// Decodes into `into`, which has room; 0 only at the end.
    pub(super) fn read(
        &mut self,
        feed: &mut Feed,
        into: &mut [u8],
        faults: &mut Faults,
    ) -> usize {
        loop {
            match self.state {
                State::Header => match header(feed) {
                    Ok(()) => {
                        self.inflate.get().reset(false);
                        self.crc.reset();
                        self.state = State::Body;
                    }
                    Err(what) => self.cut(feed, faults, what),
                },
                State::Body => {
                    let count = self.body(feed, into, faults);
                    if count > 0 {
                        return count;
                    }
                }
                State::Trailer => self.trailer(feed, faults),
                State::Seam => self.seam(feed, faults),
                State::Done => return 0,
            }
        }
    }

    /// Notes a fault after which nothing can be decoded.
    fn cut(&mut self, feed: &Feed, faults: &mut Faults, what: &str) {
        self.note(feed, faults, what);
        self.state = State::Done;
    }

    /// A failed read looks like an early end: then it is the one fault.
    fn note(&self, feed: &Feed, faults: &mut Faults, what: &str) {
        if feed.fault().is_none() {
            let decoded = self.decoded;
            let detail = format!("gzip: {what} after {decoded} decoded bytes");
            faults.note(Kind::Cut, detail);
        }
    }

    fn body(
        &mut self,
        feed: &mut Feed,
        into: &mut [u8],
        faults: &mut Faults,
    ) -> usize {
        let input = feed.fill();
        let inflate = self.inflate.get();
        let (taken, given) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(input, into, FlushDecompress::None);
        let ended = input.is_empty();
        let taken = moved(taken, inflate.total_in());
        let given = moved(given, inflate.total_out());
        feed.consume(taken);
        self.crc.update(into.get(..given).unwrap_or_default());
        self.decoded += given as u64;
        match status {
            Ok(Status::StreamEnd) => self.state = State::Trailer,
            Err(_) => self.cut(feed, faults, "damaged data"),
            Ok(_) if taken + given > 0 => {}
            Ok(_) if ended => self.cut(feed, faults, "ends early"),
            Ok(_) => self.cut(feed, faults, "data without an end"),
        }
        given
    }

    /// CRC-32 and length modulo 2^32 of the member. Where they are wrong,
    /// the place of the next member is known all the same.
    fn trailer(&mut self, feed: &mut Feed, faults: &mut Faults) {
        let [crc, length] = [self.crc.sum(), self.crc.amount()];
        let right = [crc.to_le_bytes(), length.to_le_bytes()];
        let Some(stored) = feed.peek(8).get(..8) else {
            return self.cut(feed, faults, "checksum missing");
        };
        let matches = stored == right.as_flattened();
        feed.consume(8);
        if !matches {
            self.note(feed, faults, "wrong checksum or length");
        }
        self.state = State::Seam;
    }

    /// What follows a member: another one, the end, zeros up to either (as
    /// tapes leave them), or something else.
    fn seam(&mut self, feed: &mut Feed, faults: &mut Faults) {
        let padding = feed.skip_zeros();
        if padding > 0 {
            let detail = format!("gzip: {padding} zero bytes after a member");
            faults.note(Kind::Odd, detail);
        }
        let next = feed.peek(MAGIC.len());
        if next.is_empty() {
            self.state = State::Done;
        } else if next.starts_with(&MAGIC) {
            self.state = State::Header;
        } else {
            self.cut(feed, faults, "bytes that are no gzip");
        }
    }
}

/// How far a counter went; one call moves no more than a buffer's length.
pub(super) fn moved(from: u64, to: u64) -> usize {
    usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX)
}

/// Reads a member's header. Its name, time and comment do not matter here.
fn header(feed: &mut Feed) -> Result<(), &'static str> {
    const CRC: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    const RESERVED: u8 = 0xe0;
    let mut crc = Crc::new();
    let mut next = || {
        let byte = feed.byte().ok_or("header ends early")?;
        crc.update(&[byte]);
        Ok::<u8, &'static str>(byte)
    };
    let magic = [next()?, next()?];
    let (method, flags) = (next()?, next()?);
    if magic != MAGIC || method != 8 || flags & RESERVED != 0 {
        return Err("damaged header");
    }
    for _time_and_system in 0..6 {
        next()?;
    }
    if flags & EXTRA != 0 {
        let length = u16::from_le_bytes([next()?, next()?]);
        for _ in 0..length {
            next()?;
        }
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            while next()? != 0 {}
        }
    }
    if flags & CRC != 0 {
        let [low, high, ..] = crc.sum().to_le_bytes();
        let stored = feed.peek(2) == [low, high];
        feed.consume(2);
        return stored.then_some(()).ok_or("damaged header");
    }
    Ok(())
}
