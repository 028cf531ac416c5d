//! tar, packed or not: its files become members.
//!
//! In: a [`Stream`] whose first bytes are a tar's. Out: members by the queue
//! of [`super::members`], and at the end what is known of the archive.
//! Nothing is extracted: names are told, never followed.
//!
//! Why not by a package: the one that is kept up reads whole whatever stands
//! before a member, as much as the archive says, and gives up the archive
//! where that is wrong.

mod header;

use std::collections::VecDeque;
use std::io::{self, Cursor, Read, Take};

use self::header::{BLOCK, Block, Header, Kind, Piece, Records};
use super::archive::Faults;
use super::feed::fill;
use super::members::{Members, Refusal, Unwanted};
use super::stream::{Stream, StreamEnd};
use crate::limits;
use crate::warning;

/// A tar whose members are asked for.
#[derive(Debug)]
pub struct Tar {
    /// What was read of the stream to tell what it is.
    head: Vec<u8>,
    stream: Stream,
}

impl Tar {
    /// True where a file that starts so is a tar: its first block is the
    /// header of a member, with the right sum.
    pub fn is_start(head: &[u8]) -> bool {
        let block = head.first_chunk::<BLOCK>();
        block.is_some_and(|it| it[0] != 0 && Header::of(it).is_some())
    }

    /// A tar of which `head` was read already.
    pub fn new(head: Vec<u8>, stream: Stream) -> Self {
        Self { head, stream }
    }

    /// Hands over the members.
    pub(super) fn walk(&mut self, to: &mut Members, faults: &mut Faults) {
        let head = Cursor::new(std::mem::take(&mut self.head));
        let from = head.chain(&mut self.stream);
        let (entries, too_long, is_cut) = (0, 0, false);
        let mut walk = Walk { from, entries, too_long, is_cut, to, faults };
        // Nobody wants more, or there is no more.
        let _ = walk.run();
        walk.tell();
    }

    /// What is known of the archive, once nothing more is asked of it.
    pub(super) fn finish(self) -> StreamEnd {
        self.stream.finish()
    }
}

/// A tar that is being read.
struct Walk<'w, R> {
    from: R,
    entries: u64,
    /// Names and records that were longer than may be.
    too_long: u64,
    is_cut: bool,
    to: &'w mut Members,
    faults: &'w mut Faults,
}

/// What stood before the header of a member.
#[derive(Default)]
struct Told {
    name: Option<Vec<u8>>,
    records: Records,
    /// Something stood there.
    any: bool,
}

impl<R: Read> Walk<'_, R> {
    fn run(&mut self) -> Result<(), Unwanted> {
        let mut told = Told::default();
        // Archives are joined end to end, and behind the last block stands
        // the checksum of what they are packed in: so read to the very end.
        while let Some(block) = self.block() {
            if block == [0; BLOCK] {
                continue;
            }
            let Some(header) = Header::of(&block) else {
                self.cut("the header of a member is damaged");
                return Ok(());
            };
            let Some(size) = header.size() else {
                self.cut("a member without a size");
                return Ok(());
            };
            self.entries += 1;
            told.any = true;
            match header.kind() {
                Kind::Name => {
                    let name = self.before(size);
                    told.name = name.map(|it| header::text(&it).to_vec());
                }
                Kind::Records => {
                    let bytes = self.before(size).unwrap_or_default();
                    told.records = Records::of(&bytes);
                }
                Kind::Passed => self.pass(padded(size)),
                kind => {
                    self.member(&header, kind, std::mem::take(&mut told))?;
                }
            }
        }
        if told.any {
            self.cut("ends before a member");
        }
        Ok(())
    }

    /// Hands over what a header is of.
    fn member(
        &mut self,
        header: &Header<'_>,
        kind: Kind,
        told: Told,
    ) -> Result<(), Unwanted> {
        let own = header.size().unwrap_or(0);
        let size = told.records.size.unwrap_or(own);
        let name = || header.name();
        let name = told.records.path.or(told.name).unwrap_or_else(name);
        match kind {
            Kind::File => {
                let mut bytes = (&mut self.from).take(size);
                let sent = self.to.send(&name, Some(size), &mut bytes);
                let left = bytes.limit();
                sent?;
                self.pass(left + (padded(size) - size));
            }
            Kind::Sparse => self.sparse(header, &name, own)?,
            Kind::Folder => self.pass(padded(size)),
            _ => {
                self.faults.link();
                self.pass(padded(size));
            }
        }
        Ok(())
    }

    /// Hands over a file with holes, of which `size` bytes are there.
    fn sparse(
        &mut self,
        header: &Header<'_>,
        name: &[u8],
        size: u64,
    ) -> Result<(), Unwanted> {
        let whole = header.whole().unwrap_or(0);
        let map = self.map(header).and_then(|map| {
            let is_right = is_right(&map, whole, size);
            if is_right { Ok(map) } else { Err(wrong_map()) }
        });
        match map {
            Ok(map) => {
                let from = (&mut self.from).take(padded(size));
                let mut bytes = Holed { from, at: 0, whole, map };
                let sent = self.to.send(name, Some(whole), &mut bytes);
                let left = bytes.from.limit();
                sent?;
                self.pass(left);
            }
            Err(refusal) => {
                self.to.refuse(name, refusal)?;
                self.pass(padded(size));
            }
        }
        Ok(())
    }

    /// The pieces of a file with holes. All blocks of them are passed, also
    /// where they are too many.
    fn map(
        &mut self,
        header: &Header<'_>,
    ) -> Result<VecDeque<Piece>, Refusal> {
        let (first, mut goes_on) = header.pieces().ok_or_else(wrong_map)?;
        let mut map = VecDeque::from(first);
        let mut blocks = 0;
        while goes_on {
            let block = self.block().ok_or_else(wrong_map)?;
            let (more, again) =
                header::more_pieces(&block).ok_or_else(wrong_map)?;
            goes_on = again;
            blocks += 1;
            if blocks <= limits::TAR_MAP_BLOCKS {
                map.extend(more);
            }
        }
        if blocks > limits::TAR_MAP_BLOCKS {
            let why = "tar: it has more holes than any log".to_owned();
            return Err(Refusal { kind: warning::Kind::Limit, why });
        }
        Ok(map)
    }

    /// What stands before a member; `None` where that is too long.
    fn before(&mut self, size: u64) -> Option<Vec<u8>> {
        if size > limits::TAR_HEADERS {
            self.too_long += 1;
            self.pass(padded(size));
            return None;
        }
        let mut bytes = Vec::new();
        // What cannot be read ends early: so will the archive.
        let _ = (&mut self.from).take(size).read_to_end(&mut bytes);
        self.pass(padded(size) - size);
        Some(bytes)
    }

    /// The next block; `None` at the end.
    fn block(&mut self) -> Option<Block> {
        let mut block = [0; BLOCK];
        match fill(&mut self.from, &mut block, BLOCK) {
            (BLOCK, _) => Some(block),
            (0, None) => None,
            _ => {
                self.cut("ends within a block");
                None
            }
        }
    }

    /// Passes bytes. Where there are none, the next block will show it.
    fn pass(&mut self, bytes: u64) {
        let mut bytes = (&mut self.from).take(bytes);
        let _ = io::copy(&mut bytes, &mut io::sink());
        if bytes.limit() > 0 {
            self.cut("ends within a member");
        }
    }

    /// Says what ended the archive; what is wrong behind that follows.
    fn cut(&mut self, what: &str) {
        if std::mem::replace(&mut self.is_cut, true) {
            return;
        }
        let count = self.entries;
        let detail = format!("tar: after {count} entries: {what}");
        self.faults.note(warning::Kind::Cut, detail);
    }

    fn tell(&mut self) {
        if self.too_long > 0 {
            let detail = format!(
                "tar: names or attributes of more than {} KiB, which were \
                 not read; the members behind them were",
                limits::TAR_HEADERS >> 10
            );
            let kind = warning::Kind::Limit;
            self.faults.count(kind, &detail, self.too_long);
        }
    }
}

/// Up to the end of the last block.
fn padded(size: u64) -> u64 {
    size.checked_next_multiple_of(BLOCK as u64).unwrap_or(size)
}

fn wrong_map() -> Refusal {
    let why = "tar: the map of its holes is damaged".to_owned();
    Refusal { kind: warning::Kind::Cut, why }
}

/// Whether pieces lie one behind the other, and are the bytes that are there.
fn is_right(map: &VecDeque<Piece>, whole: u64, size: u64) -> bool {
    let ends = map.iter().try_fold((0, 0_u64), |(reached, sum), piece| {
        let (at, length) = *piece;
        let end = at.checked_add(length).filter(|_| at >= reached)?;
        Some((end, sum.checked_add(length)?))
    });
    ends.is_some_and(|(end, sum)| end <= whole && sum == size)
}

/// A file with its holes, which read as zeros.
struct Holed<R> {
    from: Take<R>,
    at: u64,
    whole: u64,
    /// The pieces that are not yet read to their ends.
    map: VecDeque<Piece>,
}

impl<R: Read> Read for Holed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.map.front().is_some_and(|piece| piece.1 == 0) {
            self.map.pop_front();
        }
        let begin = self.map.front().map_or(self.whole, |piece| piece.0);
        let hole = begin.saturating_sub(self.at);
        let count = if hole > 0 {
            io::repeat(0).take(hole).read(into)?
        } else {
            let Some((at, left)) = self.map.front_mut() else { return Ok(0) };
            let count = (&mut self.from).take(*left).read(into)?;
            *at += count as u64;
            *left -= count as u64;
            count
        };
        self.at += count as u64;
        Ok(count)
    }
}
