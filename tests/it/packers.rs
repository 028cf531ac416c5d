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

/// A 7z by its parts, each of which may lie.
pub struct SevenZ {
    /// The one packed stream.
    pub packed: Vec<u8>,
    /// The coders of the one block: flags, id and properties of each.
    pub coders: Vec<u8>,
    /// How many coders, and bytes that each gives.
    pub sizes: Vec<u64>,
    /// Name, bytes and checksum of each file.
    pub files: Vec<(String, u64, u32)>,
}

impl SevenZ {
    /// Files packed as one with LZMA2.
    pub fn of(files: &[(String, Vec<u8>)]) -> Self {
        let whole: Vec<u8> =
            files.iter().flat_map(|it| it.1.clone()).collect();
        let mut options = lzma_rust2::Lzma2Options::with_preset(1);
        options.lzma_options.dict_size = 1 << 20;
        let mut out = lzma_rust2::Lzma2Writer::new(Vec::new(), options);
        out.write_all(&whole).unwrap();
        let packed = out.finish().unwrap();
        let files = files.iter().map(|(name, bytes)| {
            (name.clone(), bytes.len() as u64, crc(bytes))
        });
        // A dictionary of 1 MiB.
        let coders = vec![0x21, 0x21, 1, 16];
        let (sizes, files) = (vec![whole.len() as u64], files.collect());
        Self { packed, coders, sizes, files }
    }

    /// Its directory, not packed.
    pub fn directory(&self) -> Vec<u8> {
        let mut out = vec![0x01, 0x04, 0x06, 0x00, 0x01, 0x09];
        number(&mut out, self.packed.len() as u64);
        out.extend([0x00, 0x07, 0x0B, 0x01, 0x00]);
        out.push(self.sizes.len() as u8);
        out.extend(&self.coders);
        for at in 1..self.sizes.len() as u8 {
            out.extend([at, at - 1]);
        }
        out.push(0x0C);
        for size in &self.sizes {
            number(&mut out, *size);
        }
        out.extend([0x00, 0x08, 0x0D]);
        number(&mut out, self.files.len() as u64);
        if self.files.len() > 1 {
            out.push(0x09);
        }
        for file in self.files.iter().rev().skip(1).rev() {
            number(&mut out, file.1);
        }
        out.extend([0x0A, 0x01]);
        for file in &self.files {
            out.extend(file.2.to_le_bytes());
        }
        out.extend([0x00, 0x00, 0x05]);
        number(&mut out, self.files.len() as u64);
        let mut names = vec![0];
        for file in &self.files {
            let units = file.0.encode_utf16().chain([0]);
            names.extend(units.flat_map(u16::to_le_bytes));
        }
        out.push(0x11);
        number(&mut out, names.len() as u64);
        out.extend(names);
        out.extend([0x00, 0x00]);
        out
    }

    /// The whole, with this directory.
    pub fn with(&self, directory: &[u8]) -> Vec<u8> {
        let mut place = (self.packed.len() as u64).to_le_bytes().to_vec();
        place.extend((directory.len() as u64).to_le_bytes());
        place.extend(crc(directory).to_le_bytes());
        let mut out = b"7z\xBC\xAF\x27\x1C\x00\x04".to_vec();
        out.extend(crc(&place).to_le_bytes());
        out.extend(place);
        out.extend(&self.packed);
        out.extend(directory);
        out
    }

    /// The whole.
    pub fn bytes(&self) -> Vec<u8> {
        self.with(&self.directory())
    }
}

/// 7-Zip's way to write a number, in its longest form.
fn number(out: &mut Vec<u8>, value: u64) {
    out.push(0xFF);
    out.extend(value.to_le_bytes());
}

/// The checksum of zip and 7z.
pub fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// A member of a zip by its parts, each of which may lie.
#[derive(Clone)]
pub struct ZipMember {
    pub name: Vec<u8>,
    pub method: u16,
    pub flags: u16,
    pub crc: u32,
    pub size: u32,
    /// Its bytes as they lie there.
    pub packed: Vec<u8>,
}

impl ZipMember {
    /// Bytes that were packed in that way.
    pub fn new(
        name: &str,
        method: u16,
        bytes: &[u8],
        packed: Vec<u8>,
    ) -> Self {
        let (name, crc) = (name.as_bytes().to_vec(), crc(bytes));
        let size = bytes.len() as u32;
        Self { name, method, flags: 0, crc, size, packed }
    }

    /// Bytes as they are.
    pub fn stored(name: &str, bytes: &[u8]) -> Self {
        Self::new(name, 0, bytes, bytes.to_vec())
    }

    /// Bytes packed with Deflate.
    pub fn deflated(name: &str, bytes: &[u8]) -> Self {
        Self::new(name, 8, bytes, deflate(bytes))
    }

    /// The fields that both headers have, from the version needed on.
    fn fields(&self) -> Vec<u8> {
        let mut out = vec![20, 0];
        out.extend(self.flags.to_le_bytes());
        out.extend(self.method.to_le_bytes());
        out.extend([0; 4]);
        out.extend(self.crc.to_le_bytes());
        out.extend((self.packed.len() as u32).to_le_bytes());
        out.extend(self.size.to_le_bytes());
        out.extend((self.name.len() as u16).to_le_bytes());
        out.extend([0; 2]);
        out
    }

    /// What stands before and with its bytes.
    pub fn local(&self) -> Vec<u8> {
        let head = [b"PK\x03\x04".as_slice(), &self.fields(), &self.name];
        [head.concat(), self.packed.clone()].concat()
    }

    /// Its entry of the directory.
    pub fn entry(&self, place: u32) -> Vec<u8> {
        let mut out = b"PK\x01\x02\x14\0".to_vec();
        out.extend(self.fields());
        out.extend([0; 10]);
        out.extend(place.to_le_bytes());
        out.extend(&self.name);
        out
    }
}

/// The end of a zip.
pub fn zip_end(count: u16, length: u32, place: u32) -> Vec<u8> {
    let mut out = b"PK\x05\x06\0\0\0\0".to_vec();
    out.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    out.extend(length.to_le_bytes());
    out.extend(place.to_le_bytes());
    out.extend([0; 2]);
    out
}

/// A zip of these members.
pub fn zip_of(members: &[ZipMember]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for member in members {
        directory.extend(member.entry(out.len() as u32));
        out.extend(member.local());
    }
    let (length, place) = (directory.len() as u32, out.len() as u32);
    out.extend(directory);
    out.extend(zip_end(members.len() as u16, length, place));
    out
}

pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::default();
    let mut out = flate2::write::DeflateEncoder::new(Vec::new(), level);
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// Encrypts a member in the old way.
pub fn encrypted(mut member: ZipMember, password: &[u8]) -> ZipMember {
    let (mut out, check) = (Vec::new(), (member.crc >> 24) as u8);
    let mut to =
        rawzip::zipcrypto::Encryptor::new(&mut out, password, [7; 11], check)
            .unwrap();
    to.write_all(&member.packed).unwrap();
    drop(to);
    (member.packed, member.flags) = (out, 1);
    member
}
