//! bzip2, xz and Zstandard, stream after stream, with every fault named and
//! all that was decoded before it kept.
//!
//! In: the raw bytes of a [`Feed`]. Out: decoded bytes, and the faults met.
//!
//! The decoders are pushed, not pulled: they take what the feed has and give
//! what they can, a few KiB at a time whatever the caller's buffer holds. So
//! a fault costs the same bytes for any buffer, and never more than those of
//! one step.

use std::io::Read as _;

use bzip2::Decompress as Bzip2;
use lzma_rust2::{Action, Status, XzStream};
use zstd::stream::raw::{self as zstd_raw, DParameter, Operation as _};

use super::feed::Feed;
use super::gzip::{Faults, moved};
use super::packing::Packing;
use crate::limits::{DECODER_WINDOW_KIB, DECODER_WINDOW_LOG};
use crate::warning::Kind;

/// Decoded bytes of one step.
const STEP: usize = 8 << 10;

/// A decoder of one stream.
pub(super) enum Coder {
    Bzip2(Bzip2),
    Xz(Box<XzStream>),
    Zstd(zstd_raw::Decoder<'static>),
    /// The decoder could not be made.
    None,
}

/// What a step did.
struct Step {
    taken: usize,
    given: usize,
    /// The stream ended.
    ended: bool,
    /// Nothing more can be decoded, and why.
    fault: Option<String>,
}

impl Coder {
    pub fn bzip2() -> Self {
        Self::Bzip2(Bzip2::new(false))
    }

    pub fn xz() -> Self {
        Self::Xz(Box::new(XzStream::new_mem_limit(false, DECODER_WINDOW_KIB)))
    }

    pub fn zstd() -> Self {
        let decoder = zstd_raw::Decoder::new().and_then(|mut decoder| {
            let most = DParameter::WindowLogMax(DECODER_WINDOW_LOG);
            decoder.set_parameter(most).map(|()| decoder)
        });
        decoder.map_or(Self::None, Self::Zstd)
    }

    fn again(&self) -> Self {
        match self {
            Self::Bzip2(_) => Self::bzip2(),
            Self::Xz(_) => Self::xz(),
            Self::Zstd(_) => Self::zstd(),
            Self::None => Self::None,
        }
    }

    fn packing(&self) -> Packing {
        match self {
            Self::Bzip2(_) => Packing::Bzip2,
            Self::Xz(_) => Packing::Xz,
            Self::Zstd(_) | Self::None => Packing::Zstd,
        }
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        match self {
            Self::Bzip2(decoder) => step_bzip2(decoder, input, output),
            Self::Xz(decoder) => step_xz(decoder, input, output),
            Self::Zstd(decoder) => step_zstd(decoder, input, output),
            Self::None => Step {
                taken: 0,
                given: 0,
                ended: false,
                fault: Some("no memory for the decoder".to_owned()),
            },
        }
    }
}

fn step_bzip2(decoder: &mut Bzip2, input: &[u8], output: &mut [u8]) -> Step {
    let before = (decoder.total_in(), decoder.total_out());
    let status = decoder.decompress(input, output);
    Step {
        taken: moved(before.0, decoder.total_in()),
        given: moved(before.1, decoder.total_out()),
        ended: matches!(status, Ok(bzip2::Status::StreamEnd)),
        fault: status.err().map(|_| "damaged data".to_owned()),
    }
}

fn step_xz(decoder: &mut XzStream, input: &[u8], output: &mut [u8]) -> Step {
    let before = (decoder.total_in(), decoder.total_out());
    let action = if input.is_empty() { Action::Finish } else { Action::Run };
    let result = decoder.process(input, output, action);
    let fault = result.as_ref().err().map(|error| {
        let needs = decoder.memory_usage().filter(|_| is_too_big(error));
        needs.map_or_else(
            || "damaged data".to_owned(),
            |kib| format!("needs {} MiB to be decoded", kib.div_ceil(1024)),
        )
    });
    Step {
        taken: moved(before.0, decoder.total_in()),
        given: moved(before.1, decoder.total_out()),
        ended: result.is_ok_and(|it| it.status == Status::StreamEnd),
        fault: fault.filter(|_| !input.is_empty()),
    }
}

fn is_too_big(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::OutOfMemory
}

fn step_zstd(
    decoder: &mut zstd_raw::Decoder<'static>,
    input: &[u8],
    output: &mut [u8],
) -> Step {
    let mut from = zstd_raw::InBuffer::around(input);
    let mut to = zstd_raw::OutBuffer::around(output);
    let result = decoder.run(&mut from, &mut to);
    let (taken, given) = (from.pos(), to.pos());
    let fault = result.as_ref().err().map(|error| {
        let text = error.to_string();
        if text.contains("too much memory") {
            "needs too much memory to be decoded".to_owned()
        } else {
            "damaged data".to_owned()
        }
    });
    // The end of a frame is told once; asked again, the next one begins.
    let ended = matches!(result, Ok(0)) && taken + given > 0;
    Step { taken, given, ended, fault }
}

/// What comes next in the raw bytes.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Body,
    Seam,
    Done,
}

/// A decoder over all streams of a feed.
pub(super) struct Packed {
    coder: Coder,
    state: State,
    /// The bytes of the last step; from `at` up to `end` not yet given.
    buffer: Box<[u8]>,
    at: usize,
    end: usize,
    decoded: u64,
}

impl Packed {
    pub fn new(coder: Coder) -> Self {
        Self {
            coder,
            state: State::Body,
            buffer: vec![0; STEP].into(),
            at: 0,
            end: 0,
            decoded: 0,
        }
    }

    /// The word for messages.
    pub fn name(&self) -> &'static str {
        self.coder.packing().name()
    }

    /// Bytes given so far.
    pub fn decoded(&self) -> u64 {
        self.decoded
    }

    /// Ends the decoding here.
    pub fn stop(&mut self) {
        self.state = State::Done;
        self.at = self.end;
    }

    /// Decodes into `into`, which has room; 0 only at the end.
    pub fn read(
        &mut self,
        feed: &mut Feed,
        into: &mut [u8],
        faults: &mut Faults,
    ) -> usize {
        while self.at == self.end {
            match self.state {
                State::Body => self.body(feed, faults),
                State::Seam => self.seam(feed, faults),
                State::Done => return 0,
            }
        }
        let mut ready = self.buffer.get(self.at..self.end).unwrap_or_default();
        // Reading from memory never fails.
        let count = ready.read(into).unwrap_or(0);
        self.at += count;
        self.decoded += count as u64;
        count
    }

    fn body(&mut self, feed: &mut Feed, faults: &mut Faults) {
        let input = feed.fill();
        let at_end = input.is_empty();
        let step = self.coder.step(input, &mut self.buffer);
        feed.consume(step.taken);
        (self.at, self.end) = (0, step.given.min(self.buffer.len()));
        if step.ended {
            self.state = State::Seam;
        } else if let Some(fault) = step.fault {
            self.cut(feed, faults, &fault);
        } else if step.taken + step.given == 0 {
            let what = if at_end { "ends early" } else { "damaged data" };
            self.cut(feed, faults, what);
        }
    }

    /// Notes a fault after which nothing can be decoded. A failed read looks
    /// like an early end: then it is the one fault.
    fn cut(&mut self, feed: &Feed, faults: &mut Faults, what: &str) {
        self.state = State::Done;
        if feed.fault().is_none() {
            let (name, decoded) = (self.name(), self.decoded);
            let decoded = decoded + self.end as u64;
            let detail =
                format!("{name}: {what} after {decoded} decoded bytes");
            faults.note(Kind::Cut, detail);
        }
    }

    /// What follows a stream: another one, the end, zeros up to either (xz
    /// pads with them, and tapes leave them), or something else.
    fn seam(&mut self, feed: &mut Feed, faults: &mut Faults) {
        feed.skip_zeros();
        let next = feed.peek(Packing::BYTES);
        if next.is_empty() {
            self.state = State::Done;
        } else if Packing::of(next) == Some(self.coder.packing()) {
            self.coder = self.coder.again();
            self.state = State::Body;
        } else {
            let what = format!("bytes that are no {}", self.name());
            self.cut(feed, faults, &what);
        }
    }
}
