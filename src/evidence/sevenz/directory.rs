//! The directory of a 7z: which files lie in which packed blocks.
//!
//! In: the bytes of a header, unpacked. Out: a [`Directory`], or `None`
//! where it is damaged. Layout as in `7zFormat.txt` of 7-Zip's source.
//!
//! Why not by a package: the one that is kept up reads such headers without
//! a bound, and brings twenty packages into the lock file. A count is
//! believed here only as far as the bytes behind it could hold it.

use crate::limits;

/// What a 7z holds.
#[derive(Debug, Default)]
pub(super) struct Directory {
    /// Where each packed stream begins, behind the signature header, and how
    /// long it is.
    pub packs: Vec<(u64, u64)>,
    pub blocks: Vec<Block>,
    pub files: Vec<Entry>,
}

/// Files packed as one: 7-Zip calls it a folder.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// The first decodes what is packed, the next what that gives; `None`
    /// where they make no chain.
    pub coders: Option<Vec<Coder>>,
    /// Its first packed stream, and how many it has.
    pub pack: usize,
    packs: usize,
    /// Files in it.
    streams: usize,
    pub crc: Option<u32>,
}

/// One step of unpacking.
#[derive(Clone, Debug, Default)]
pub(super) struct Coder {
    pub method: u64,
    pub props: Vec<u8>,
    /// Bytes that it gives.
    pub size: u64,
}

/// What a name in the directory stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    File,
    Folder,
    Link,
}

/// One name in the directory.
#[derive(Debug)]
pub(super) struct Entry {
    pub name: Vec<u8>,
    pub what: What,
    pub size: u64,
    pub crc: Option<u32>,
    /// The block that holds its bytes; none where it has no bytes.
    pub block: Option<usize>,
}

/// The header, or how it is packed.
pub(super) enum Header {
    Plain(Directory),
    Packed(Directory),
}

/// A file's part of a block.
type Part = (u64, Option<u32>);

/// Reads a header.
pub(super) fn read(bytes: &[u8]) -> Option<Header> {
    let mut from = Cursor(bytes);
    match from.byte()? {
        0x17 => Some(Header::Packed(streams(&mut from)?.0)),
        0x01 => plain(&mut from).map(Header::Plain),
        _ => None,
    }
}

fn plain(from: &mut Cursor<'_>) -> Option<Directory> {
    let (mut directory, mut parts) = (Directory::default(), Vec::new());
    loop {
        match from.byte()? {
            0x00 => return Some(directory),
            0x02 => while from.property()?.0 != 0 {},
            0x03 => drop(streams(from)?),
            0x04 => (directory, parts) = streams(from)?,
            0x05 => directory.files = files(from, &directory, &parts)?,
            _ => return None,
        }
    }
}

/// Where the packed bytes are, how they are packed, and how they are cut
/// into files.
fn streams(from: &mut Cursor<'_>) -> Option<(Directory, Vec<Part>)> {
    let mut directory = Directory::default();
    let mut parts = None;
    loop {
        match from.byte()? {
            0x00 => break,
            0x06 => directory.packs = packs(from)?,
            0x07 => directory.blocks = blocks(from)?,
            0x08 => parts = Some(cuts(from, &mut directory.blocks)?),
            _ => return None,
        }
    }
    let mut first = 0_usize;
    for block in &mut directory.blocks {
        block.pack = first;
        first = first.checked_add(block.packs)?;
    }
    let whole = |block: &Block| (block.size(), block.crc);
    let parts =
        parts.unwrap_or_else(|| directory.blocks.iter().map(whole).collect());
    Some((directory, parts))
}

fn packs(from: &mut Cursor<'_>) -> Option<Vec<(u64, u64)>> {
    let mut at = from.number()?;
    let count = from.count()?;
    let mut packs = Vec::new();
    loop {
        match from.byte()? {
            0x00 => return Some(packs),
            0x09 => {
                for _ in 0..count {
                    let size = from.number()?;
                    packs.push((at, size));
                    at = at.checked_add(size)?;
                }
            }
            0x0A => drop(digests(from, count)?),
            _ => return None,
        }
    }
}

fn blocks(from: &mut Cursor<'_>) -> Option<Vec<Block>> {
    if from.byte()? != 0x0B {
        return None;
    }
    let count = from.count()?;
    from.is_here()?;
    let mut blocks = Vec::new();
    let mut shapes = Vec::new();
    for _ in 0..count {
        let (block, shape) = block(from)?;
        blocks.push(block);
        shapes.push(shape);
    }
    loop {
        match from.byte()? {
            0x00 => return Some(blocks),
            0x0C => {
                for (block, shape) in blocks.iter_mut().zip(&shapes) {
                    let mut sizes = Vec::new();
                    for _ in 0..shape.outputs {
                        sizes.push(from.number()?);
                    }
                    block.coders = shape.chain(&sizes);
                }
            }
            0x0A => {
                let sums = digests(from, count)?;
                for (block, sum) in blocks.iter_mut().zip(sums) {
                    block.crc = sum;
                }
            }
            _ => return None,
        }
    }
}

/// How the coders of a block hang together.
struct Shape {
    coders: Vec<Coder>,
    outputs: usize,
    /// Input and the output that feeds it.
    bonds: Vec<(usize, usize)>,
    /// All have one input and one output.
    is_simple: bool,
}

impl Shape {
    /// The coders in the order of unpacking, with the sizes of what they
    /// give.
    fn chain(&self, sizes: &[u64]) -> Option<Vec<Coder>> {
        let count = self.coders.len();
        if !self.is_simple {
            return None;
        }
        let is_fed = |at: &usize| self.bonds.iter().any(|it| it.0 == *at);
        let mut next = (0..count).find(|at| !is_fed(at));
        let mut chain = Vec::new();
        while let Some(at) = next {
            if chain.len() == count {
                return None;
            }
            let mut coder = self.coders.get(at)?.clone();
            coder.size = *sizes.get(at)?;
            chain.push(coder);
            next = self.bonds.iter().find(|it| it.1 == at).map(|it| it.0);
        }
        (chain.len() == count).then_some(chain)
    }
}

fn block(from: &mut Cursor<'_>) -> Option<(Block, Shape)> {
    // 7-Zip itself reads no more.
    const MOST: usize = 32;
    let few = |number: u64| {
        let number = usize::try_from(number).ok();
        number.filter(|it| *it <= MOST)
    };
    let count = few(from.number()?).filter(|it| *it > 0)?;
    let (mut coders, mut is_simple) = (Vec::new(), true);
    let (mut inputs, mut outputs) = (0, 0);
    for _ in 0..count {
        let flags = from.byte()?;
        let id = from.take(u64::from(flags & 0x0F))?;
        let method = match id.len() {
            0..=8 => {
                id.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
            }
            _ => return None,
        };
        let (mut ins, mut outs) = (1, 1);
        if flags & 0x10 != 0 {
            (ins, outs) = (few(from.number()?)?, few(from.number()?)?);
            is_simple &= (ins, outs) == (1, 1);
        }
        let length = if flags & 0x20 != 0 { from.number()? } else { 0 };
        let props = from.take(length)?.to_vec();
        if flags & 0x80 != 0 {
            return None;
        }
        coders.push(Coder { method, props, size: 0 });
        (inputs, outputs) = (inputs + ins, outputs + outs);
    }
    let bound = outputs.checked_sub(1)?;
    let mut bonds = Vec::new();
    for _ in 0..bound {
        bonds.push((few_of(from, inputs)?, few_of(from, outputs)?));
    }
    let packs = inputs.checked_sub(bound).filter(|it| *it > 0)?;
    if packs > 1 {
        for _ in 0..packs {
            few_of(from, inputs)?;
        }
    }
    let block = Block { packs, streams: 1, ..Block::default() };
    Some((block, Shape { coders, outputs, bonds, is_simple }))
}

/// A number below `end`.
fn few_of(from: &mut Cursor<'_>, end: usize) -> Option<usize> {
    let number = usize::try_from(from.number()?).ok();
    number.filter(|it| *it < end)
}

/// How blocks are cut into files.
fn cuts(from: &mut Cursor<'_>, blocks: &mut [Block]) -> Option<Vec<Part>> {
    let mut kind = from.byte()?;
    if kind == 0x0D {
        for block in &mut *blocks {
            block.streams = from.count()?;
        }
        kind = from.byte()?;
    }
    let total = blocks.iter().map(|block| block.streams).sum::<usize>();
    if total > limits::MEMBERS {
        return None;
    }
    let mut parts: Vec<Part> = Vec::new();
    for block in &*blocks {
        let mut left = block.size();
        for _ in 1..block.streams {
            let size = if kind == 0x09 { from.number()? } else { 0 };
            left = left.checked_sub(size)?;
            parts.push((size, None));
        }
        if block.streams > 0 {
            let crc = block.crc.filter(|_| block.streams == 1);
            parts.push((left, crc));
        }
    }
    if kind == 0x09 {
        kind = from.byte()?;
    }
    loop {
        match kind {
            0x00 => return Some(parts),
            0x0A => {
                let mut bare: Vec<_> =
                    parts.iter_mut().filter(|it| it.1.is_none()).collect();
                let sums = digests(from, bare.len())?;
                for (part, sum) in bare.iter_mut().zip(sums) {
                    part.1 = sum;
                }
            }
            _ => drop(from.sized()?),
        }
        kind = from.byte()?;
    }
}

fn digests(from: &mut Cursor<'_>, count: usize) -> Option<Vec<Option<u32>>> {
    let known = from.bits(count)?;
    let mut sums = Vec::new();
    for at in 0..count {
        let sum = if known.has(at) { Some(from.four()?) } else { None };
        sums.push(sum);
    }
    Some(sums)
}

/// What is told of all files at once.
struct Told<'b> {
    has_no_bytes: Bits<'b>,
    is_empty: Bits<'b>,
    is_removal: Bits<'b>,
    /// UTF-16, each with a zero behind it.
    names: &'b [u8],
    attributes: Vec<Option<u32>>,
}

fn files(
    from: &mut Cursor<'_>,
    directory: &Directory,
    parts: &[Part],
) -> Option<Vec<Entry>> {
    let count = from.count()?;
    let told = told(from, count)?;
    let streams = directory.blocks.iter().enumerate();
    let streams = streams.flat_map(|(at, it)| vec![at; it.streams]);
    let mut streams = streams.zip(parts);
    let mut names = told.names.chunks_exact(2);
    let (mut files, mut bare) = (Vec::new(), 0);
    for at in 0..count {
        let name = name(&mut names);
        let attributes = told.attributes.get(at).copied().flatten();
        let is_link = attributes.is_some_and(is_link);
        let mut entry =
            Entry { name, what: What::File, size: 0, crc: None, block: None };
        if told.has_no_bytes.has(at) {
            if !told.is_empty.has(bare) || told.is_removal.has(bare) {
                entry.what = What::Folder;
            }
            bare += 1;
        } else {
            let (block, (size, crc)) = streams.next()?;
            (entry.block, entry.size, entry.crc) = (Some(block), *size, *crc);
        }
        if is_link {
            entry.what = What::Link;
        }
        files.push(entry);
    }
    Some(files)
}

fn told<'b>(from: &mut Cursor<'b>, count: usize) -> Option<Told<'b>> {
    let none = Bits { all: false, bytes: &[] };
    let mut told = Told {
        has_no_bytes: none,
        is_empty: none,
        is_removal: none,
        names: &[],
        attributes: Vec::new(),
    };
    loop {
        let (kind, bytes) = from.property()?;
        let mut of = Cursor(bytes);
        match kind {
            0x00 => return Some(told),
            0x0E => told.has_no_bytes = Bits { all: false, bytes },
            0x0F => told.is_empty = Bits { all: false, bytes },
            0x10 => told.is_removal = Bits { all: false, bytes },
            0x11 => {
                of.is_here()?;
                told.names = of.0;
            }
            0x15 => {
                let known = of.bits(count)?;
                of.is_here()?;
                for at in 0..count {
                    let one =
                        if known.has(at) { Some(of.four()?) } else { None };
                    told.attributes.push(one);
                }
            }
            // Times and padding.
            _ => {}
        }
    }
}

/// The next name, as UTF-8 with slashes; what is no UTF-16 is replaced.
fn name(units: &mut std::slice::ChunksExact<'_, u8>) -> Vec<u8> {
    let units = units.map_while(|unit| {
        let unit = unit.first_chunk().map(|it| u16::from_le_bytes(*it));
        unit.filter(|it| *it != 0)
    });
    let name = char::decode_utf16(units);
    let name = name.map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER));
    name.collect::<String>().into_bytes()
}

/// A reparse point of Windows, or a link of Unix (the mode stands in the
/// upper half where bit 15 says so).
fn is_link(attributes: u32) -> bool {
    let is_unix = attributes & 0x8000 != 0;
    attributes & 0x400 != 0
        || (is_unix && (attributes >> 16) & 0o170_000 == 0o120_000)
}

impl Block {
    /// Bytes that it unpacks to.
    fn size(&self) -> u64 {
        let last = self.coders.as_ref().and_then(|coders| coders.last());
        last.map_or(0, |coder| coder.size)
    }
}

/// Bytes yet to be read.
struct Cursor<'b>(&'b [u8]);

/// One bit for each of many.
#[derive(Clone, Copy)]
struct Bits<'b> {
    all: bool,
    bytes: &'b [u8],
}

impl Bits<'_> {
    fn has(&self, at: usize) -> bool {
        let byte = self.bytes.get(at / 8).copied().unwrap_or(0);
        self.all || byte << (at % 8) & 0x80 != 0
    }
}

impl<'b> Cursor<'b> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn take(&mut self, count: u64) -> Option<&'b [u8]> {
        let count = usize::try_from(count).ok()?;
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn four(&mut self) -> Option<u32> {
        self.take(4)?.first_chunk().map(|it| u32::from_le_bytes(*it))
    }

    /// 7-Zip's own way: the ones at the start of the first byte say how many
    /// bytes follow, the rest of it are the highest bits.
    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        let follow = first.leading_ones();
        let mut value = 0;
        for at in 0..follow {
            value |= u64::from(self.byte()?) << (8 * at);
        }
        let mask = 0xFF_u8.checked_shr(follow + 1).unwrap_or(0);
        let high = u64::from(first & mask);
        Some(value | high.checked_shl(8 * follow).unwrap_or(0))
    }

    /// How many of something follow. Each takes a byte at least, and nobody
    /// reads more than an archive may hold.
    fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        let most = limits::MEMBERS.min(self.0.len());
        (count <= most).then_some(count)
    }

    /// A property and its bytes.
    fn property(&mut self) -> Option<(u64, &'b [u8])> {
        match self.number()? {
            0 => Some((0, &[])),
            kind => Some((kind, self.sized()?)),
        }
    }

    fn sized(&mut self) -> Option<&'b [u8]> {
        let size = self.number()?;
        self.take(size)
    }

    /// What follows stands here, not in another stream.
    fn is_here(&mut self) -> Option<()> {
        (self.byte()? == 0).then_some(())
    }

    /// A byte that says "all", or a bit for each.
    fn bits(&mut self, count: usize) -> Option<Bits<'b>> {
        if self.byte()? != 0 {
            return Some(Bits { all: true, bytes: &[] });
        }
        let bytes = self.take(count.div_ceil(8) as u64)?;
        Some(Bits { all: false, bytes })
    }
}
