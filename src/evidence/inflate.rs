//! Deflate without a frame, with all that was decoded before a fault kept.
//!
//! In: packed bytes. Out: bytes as they were, then the fault, if one was met.
//!
//! Why not flate2's reader: it drops what the failing call had decoded, so it
//! must be asked for few bytes at a time, and then copies most of them twice.

use std::io::{self, BufRead, Read};
use std::sync::{Mutex, PoisonError};

use flate2::{Decompress, FlushDecompress, Status};

use super::gzip::moved;

/// Decoders that are not in use. Each takes 50 KiB: taken anew for each of a
/// million members, with what is kept of these in between, they tear the
/// memory to pieces that no next one fits in.
static SPARE: Mutex<Vec<Decompress>> = Mutex::new(Vec::new());

/// More are not kept.
const SPARES: usize = 64;

/// A decoder of bare deflate, at its start; goes back when it is dropped.
pub(super) struct Lent(Option<Decompress>);

impl Lent {
    pub fn new() -> Self {
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        let decoder = spare.pop().map(|mut decoder| {
            decoder.reset(false);
            decoder
        });
        Self(decoder)
    }

    /// The decoder.
    pub fn get(&mut self) -> &mut Decompress {
        self.0.get_or_insert_with(|| Decompress::new(false))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARES {
            spare.extend(self.0.take());
        }
    }
}

/// A decoder over bytes that it takes no more of than it needs.
pub(super) struct Inflate<R> {
    packed: R,
    decoder: Lent,
    /// What ended the bytes.
    end: Option<io::Result<()>>,
}

impl<R: BufRead> Inflate<R> {
    pub fn new(packed: R) -> Self {
        Self { packed, decoder: Lent::new(), end: None }
    }

    fn step(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let input = self.packed.fill_buf()?;
        let is_last = input.is_empty();
        let inflate = self.decoder.get();
        let (taken, given) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(input, into, FlushDecompress::None);
        let taken = moved(taken, inflate.total_in());
        let given = moved(given, inflate.total_out());
        self.packed.consume(taken);
        match status {
            Ok(Status::StreamEnd) => self.end = Some(Ok(())),
            Err(_) => self.end = Some(Err(io::Error::other("damaged data"))),
            Ok(_) if taken + given == 0 => {
                let what = if is_last { "ends early" } else { "no end" };
                self.end = Some(Err(io::Error::other(what)));
            }
            Ok(_) => {}
        }
        Ok(given)
    }
}

impl<R: BufRead> Read for Inflate<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.end.is_none() && !into.is_empty() {
            let given = self.step(into)?;
            if given > 0 {
                return Ok(given);
            }
        }
        match self.end.take() {
            Some(Err(fault)) => {
                self.end = Some(Ok(()));
                Err(fault)
            }
            end => {
                self.end = end;
                Ok(0)
            }
        }
    }
}
