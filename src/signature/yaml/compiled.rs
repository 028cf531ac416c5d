//! The events of a YAML file as the build script wrote them down, so that
//! the program need not parse its own signatures at each start.
//!
//! In: bytes of `embed/build.rs`, which says how they are laid out. Out: the
//! events that the parser would tell, each with its place.

use std::borrow::Cow;

use saphyr_parser::{Event, ScalarStyle};

use crate::signature::diagnostic::Position;

/// A YAML file.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Its events, where the build script found nothing wrong with it; else
    /// empty.
    pub events: &'a [u8],
}

impl<'a> From<&'a [u8]> for Text<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self { bytes, events: &[] }
    }
}

/// Events written down.
pub(super) struct Events<'a> {
    rest: &'a [u8],
}

impl<'a> Events<'a> {
    pub fn new(events: &'a [u8]) -> Self {
        Self { rest: events }
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// Seven bits a byte, the lowest first.
    fn number(&mut self) -> Option<usize> {
        let mut number = 0;
        let mut shift = 0;
        loop {
            let byte = self.byte()?;
            number |= usize::from(byte & 127).checked_shl(shift)?;
            if byte < 128 {
                return Some(number);
            }
            shift += 7;
        }
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.number()?;
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        std::str::from_utf8(text).ok()
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = (Event<'a>, Position);

    fn next(&mut self) -> Option<Self::Item> {
        let kind = self.byte()?;
        let (line, column) = (self.number()?, self.number()?);
        let style = match kind {
            b'p' => Some(ScalarStyle::Plain),
            b's' => Some(ScalarStyle::SingleQuoted),
            b'd' => Some(ScalarStyle::DoubleQuoted),
            b'l' => Some(ScalarStyle::Literal),
            b'f' => Some(ScalarStyle::Folded),
            _ => None,
        };
        let event = match (style, kind) {
            (Some(style), _) => {
                Event::Scalar(Cow::Borrowed(self.text()?), style, 0, None)
            }
            (None, b'[') => Event::SequenceStart(0, None),
            (None, b'{') => Event::MappingStart(0, None),
            (None, b']') => Event::SequenceEnd,
            (None, b'}') => Event::MappingEnd,
            _ => return None,
        };
        Some((event, Position { line, column }))
    }
}
