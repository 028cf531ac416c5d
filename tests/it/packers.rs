//! Ways to pack a file.

use std::io::Write as _;

/// What packs bytes.
pub type Pack = fn(&[u8]) -> Vec<u8>;

/// All of them, by what they put behind a name.
pub const PACKERS: [(&str, Pack); 4] =
    [(".gz", gzip), (".bz2", bzip2), (".xz", xz), (".zst", zstd)];

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::default();
    let mut out = flate2::write::GzEncoder::new(Vec::new(), level);
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let level = bzip2::Compression::fast();
    let mut out = bzip2::write::BzEncoder::new(Vec::new(), level);
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub fn xz(bytes: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut out = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}
