//! The kernels and the steps around them, one by one, in bytes a second.
//!
//!     cargo bench --bench kernels
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used)]
#![allow(missing_docs)]

use std::hint::black_box;
use std::sync::OnceLock;

use divan::Bencher;
use divan::counter::BytesCount;
use iisleuth::signature::{Scratch, Signatures};
use iisleuth::w3c::decode::Decoded;
use iisleuth::w3c::dialect::detect;
use iisleuth::w3c::index::Index;
use iisleuth::w3c::simd::Isa;
use iisleuth::w3c::{Line, Parser};

#[allow(dead_code)] // the other benchmark uses more of it
mod harness;
use harness::generate::{Generator, Recipe};

/// As much as is indexed at a time.
const PAGE: usize = 32 << 10;

fn main() {
    divan::main();
}

fn page() -> &'static [u8] {
    static PAGE_TEXT: OnceLock<Vec<u8>> = OnceLock::new();
    PAGE_TEXT.get_or_init(|| {
        let mut text = Vec::new();
        let mut generator = Generator::new(Recipe::default());
        generator.header(&mut text);
        generator.lines(PAGE as u64, &mut text);
        text
    })
}

fn signatures() -> &'static Signatures {
    static SET: OnceLock<Signatures> = OnceLock::new();
    SET.get_or_init(|| Signatures::embedded().unwrap())
}

/// What this machine can do, by name.
fn kernels() -> Vec<&'static str> {
    Isa::available().iter().map(|isa| isa.as_str()).collect()
}

fn isa(name: &str) -> Isa {
    Isa::available().into_iter().find(|isa| isa.as_str() == name).unwrap()
}

#[divan::bench(args = kernels())]
fn index(bencher: Bencher<'_, '_>, name: &str) {
    let mut index = Index::new(isa(name));
    let bencher = bencher.counter(BytesCount::of_slice(page()));
    bencher.bench_local(|| {
        index.read(black_box(page()));
        index.lines()
    });
}

#[divan::bench(args = kernels())]
fn sift(bencher: Bencher<'_, '_>, name: &str) {
    let mut scratch = Scratch::new(isa(name));
    let bencher = bencher.counter(BytesCount::of_slice(page()));
    bencher.bench_local(|| {
        signatures().turn_to(black_box(page()), &[], &mut scratch);
    });
}

#[divan::bench]
fn records_one_by_one(bencher: Bencher<'_, '_>) {
    let bencher = bencher.counter(BytesCount::of_slice(page()));
    bencher.bench_local(|| {
        let mut parser = Parser::default();
        let lines = black_box(page()).split(|byte| *byte == b'\n');
        let is_record =
            |line: &&[u8]| matches!(parser.line(line, false), Line::Record(_));
        lines.filter(is_record).count()
    });
}

#[divan::bench(args = ["plain", "/a%20b?c=%2Fd%2Fe", "..%255c..%c0%af"])]
fn decode(bencher: Bencher<'_, '_>, text: &str) {
    let mut decoded = Decoded::default();
    let bencher = bencher.counter(BytesCount::of_str(text));
    bencher.bench_local(|| {
        decoded.set(black_box(text.as_bytes()));
        decoded.len()
    });
}

#[divan::bench]
fn tell_the_dialect(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| detect(black_box(page())));
}

#[divan::bench(sample_count = 10)]
fn load_the_signatures(bencher: Bencher<'_, '_>) {
    bencher.bench_local(|| Signatures::embedded().unwrap().rules().len());
}
