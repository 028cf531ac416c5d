//! What an exhibit is, once it is open: lines, or an archive of others.
//!
//! In: open content. Out: its dialect, and where its blocks come from; or
//! the archive that it turned out to be. Content tells, not the name.

use std::io::Read as _;

use crate::evidence::{
    Archive, Budget, Content, Seekable, SevenZ, Stream, Tar, Zip,
};
use crate::limits;
use crate::scan::collector::Setting;
use crate::scan::source::Source;
use crate::scan::utf16::Utf16;
use crate::scan::work::{Held, Origin};
use crate::w3c::Dialect;
use crate::w3c::dialect::detect;

/// An exhibit that is being opened.
pub(super) struct Opened {
    pub setting: Setting,
    pub origin: Origin,
    /// Archives that it lies in.
    pub depth: usize,
    /// What may still come out of it, if it is one.
    pub budget: Budget,
}

/// What an exhibit turned out to hold.
pub(super) enum Holding<'a> {
    Lines(Held<'a>, Source),
    Archive(Archive),
}

/// Tells the dialect of an open exhibit, and where its blocks come from.
pub(super) fn hold<'a>(
    content: Content,
    chunk_bytes: usize,
    opened: &mut Opened,
) -> Holding<'a> {
    let Opened { setting, budget, .. } = opened;
    match content {
        Content::Mapped(mapping) => {
            let source = in_memory(mapping.bytes(), chunk_bytes, setting);
            Holding::Lines(Held::Mapped(Box::new(mapping)), source)
        }
        Content::Whole(whole) => {
            let source = in_memory(whole.bytes(), chunk_bytes, setting);
            Holding::Lines(Held::Whole(Box::new(whole)), source)
        }
        Content::Zip(zip) => {
            setting.dialect = Dialect::Archive;
            Holding::Archive(Archive::Zip(zip))
        }
        Content::SevenZ(sevenz) => {
            setting.dialect = Dialect::Archive;
            Holding::Archive(Archive::SevenZ(sevenz))
        }
        Content::Stream(mut stream) => {
            let head = first_bytes(&mut stream);
            if Tar::is_start(&head) {
                setting.dialect = Dialect::Archive;
                let tar = Tar::new(head, stream);
                return Holding::Archive(Archive::Tar(tar));
            }
            if Zip::is_start(&head) {
                setting.dialect = Dialect::Archive;
                let name = setting.name.clone();
                let zip = Zip(Seekable::stream(name, head, stream, budget));
                return Holding::Archive(Archive::Zip(zip));
            }
            if SevenZ::is_start(&head) {
                setting.dialect = Dialect::Archive;
                let name = setting.name.clone();
                let sevenz =
                    SevenZ(Seekable::stream(name, head, stream, budget));
                return Holding::Archive(Archive::SevenZ(sevenz));
            }
            let source = match tell(&head, setting) {
                Some(text) => {
                    let decoder = Utf16::of_read(head);
                    Source::utf16_stream(stream, decoder, text, chunk_bytes)
                }
                None => Source::stream(stream, head, chunk_bytes),
            };
            Holding::Lines(Held::Stream, source)
        }
    }
}

/// The blocks of content in memory.
fn in_memory(
    bytes: &[u8],
    chunk_bytes: usize,
    setting: &mut Setting,
) -> Source {
    let start = head(bytes);
    match tell(start, setting) {
        Some(text) => {
            let decoder = Utf16::new(start);
            Source::utf16_memory(decoder, text, chunk_bytes)
        }
        None => Source::memory(chunk_bytes),
    }
}

/// Tells the dialect of what begins so; how the text begins where it is in
/// UTF-16.
fn tell(start: &[u8], setting: &mut Setting) -> Option<Vec<u8>> {
    setting.dialect = detect(start);
    let is_utf16 = setting.dialect == Dialect::Utf16;
    is_utf16.then(|| {
        let text = Utf16::head(start);
        setting.encoding = Some(Utf16::name(start));
        setting.dialect = detect(&text);
        text
    })
}

/// The start of a stream, to tell its dialect by.
fn first_bytes(stream: &mut Stream) -> Vec<u8> {
    let mut head = Vec::new();
    let most = limits::SNIFF_BYTES as u64;
    // `Stream` reports no error: damage ends it and is told at its end.
    let _ = stream.take(most).read_to_end(&mut head);
    head
}

pub(super) fn head(bytes: &[u8]) -> &[u8] {
    bytes.get(..limits::SNIFF_BYTES).unwrap_or(bytes)
}
