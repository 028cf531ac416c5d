//! AES as `WinZip` and 7-Zip use it, to read and never to write.
//!
//! In: a password and encrypted bytes. Out: the bytes as they were packed.
//! The block cipher and the hashes are other people's; here is only how two
//! archivers put them together: `WinZip`'s "AES Encryption Information"
//! (PBKDF2, counter mode, HMAC-SHA1 behind the bytes), and 7-Zip's
//! `7zAes.cpp` (SHA-256 again and again, chained blocks, no check at all).

use std::io::{self, Read};

use aes::cipher::{
    Array, BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _,
};
use aes::{Aes128, Aes192, Aes256};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::feed::fill;
use crate::limits;

/// Bytes of a block of AES.
const BLOCK: usize = 16;

/// Blocks decrypted at once.
const AT_ONCE: usize = 512;

/// HMAC-SHA1 (RFC 2104).
#[derive(Clone)]
struct Hmac {
    inner: Sha1,
    outer: Sha1,
}

impl Hmac {
    fn new(key: &[u8]) -> Self {
        let mut block = [0_u8; 64];
        let hashed;
        let key = if key.len() > block.len() {
            hashed = Sha1::digest(key);
            hashed.as_slice()
        } else {
            key
        };
        for (to, from) in block.iter_mut().zip(key) {
            *to = *from;
        }
        let keyed =
            |pad: u8| Sha1::new().chain_update(block.map(|it| it ^ pad));
        Self { inner: keyed(0x36), outer: keyed(0x5C) }
    }

    fn finish(self) -> [u8; 20] {
        self.outer.chain_update(self.inner.finalize()).finalize().into()
    }
}

/// PBKDF2 with HMAC-SHA1 (RFC 8018), a thousand rounds as `WinZip` has it.
fn derive(password: &[u8], salt: &[u8], key: &mut [u8]) {
    const ROUNDS: usize = 1000;
    let keyed = Hmac::new(password);
    for (number, part) in (1_u32..).zip(key.chunks_mut(20)) {
        let mut hmac = keyed.clone();
        hmac.inner.update(salt);
        hmac.inner.update(number.to_be_bytes());
        let mut last = hmac.finish();
        let mut sum = last;
        for _ in 1..ROUNDS {
            let mut hmac = keyed.clone();
            hmac.inner.update(last);
            last = hmac.finish();
            for (to, from) in sum.iter_mut().zip(last) {
                *to ^= from;
            }
        }
        for (to, from) in part.iter_mut().zip(sum) {
            *to = from;
        }
    }
}

enum Cipher {
    Short(Box<Aes128>),
    Middle(Box<Aes192>),
    Long(Box<Aes256>),
}

impl Cipher {
    fn new(key: &[u8]) -> Option<Self> {
        Some(match key.len() {
            16 => Self::Short(Box::new(Aes128::new_from_slice(key).ok()?)),
            24 => Self::Middle(Box::new(Aes192::new_from_slice(key).ok()?)),
            _ => Self::Long(Box::new(Aes256::new_from_slice(key).ok()?)),
        })
    }

    fn encrypt(&self, blocks: &mut [Array<u8, aes::cipher::consts::U16>]) {
        match self {
            Self::Short(cipher) => cipher.encrypt_blocks(blocks),
            Self::Middle(cipher) => cipher.encrypt_blocks(blocks),
            Self::Long(cipher) => cipher.encrypt_blocks(blocks),
        }
    }
}

/// A member of a zip that `WinZip` encrypted.
pub(super) struct WinZip<R> {
    packed: R,
    /// Bytes left before the check.
    left: u64,
    cipher: Cipher,
    counter: u128,
    /// What the counter gave, and how much of it was used.
    stream: Vec<u8>,
    used: usize,
    mac: Option<Hmac>,
}

/// Bytes of the check behind an encrypted member.
const MAC: usize = 10;

impl<R: Read> WinZip<R> {
    /// Bytes before the encrypted ones; `None` for a strength that is none.
    pub fn start(strength: u8) -> Option<usize> {
        matches!(strength, 1..=3).then(|| usize::from(strength) * 4 + 4 + 2)
    }

    /// What one of the passwords opens. `start` are the bytes before the
    /// encrypted ones, `left` how many follow.
    pub fn open<'p>(
        packed: R,
        left: u64,
        strength: u8,
        start: &[u8],
        passwords: impl Iterator<Item = &'p [u8]>,
    ) -> Option<Self> {
        let (salt, check) = start.split_last_chunk::<2>()?;
        let length = usize::from(strength) * 8 + 8;
        for password in passwords {
            let mut keys = vec![0; 2 * length + 2];
            derive(password, salt, &mut keys);
            if !keys.ends_with(check) {
                continue;
            }
            let (key, rest) = keys.split_at_checked(length)?;
            return Some(Self {
                packed,
                left: left.checked_sub(MAC as u64)?,
                cipher: Cipher::new(key)?,
                counter: 0,
                stream: Vec::new(),
                used: 0,
                mac: Some(Hmac::new(rest.get(..length)?)),
            });
        }
        None
    }

    fn next_stream(&mut self) {
        let mut blocks = [Array::from([0_u8; BLOCK]); AT_ONCE];
        for block in &mut blocks {
            self.counter += 1;
            *block = Array::from(self.counter.to_le_bytes());
        }
        self.cipher.encrypt(&mut blocks);
        self.stream.clear();
        self.stream.extend(blocks.iter().flatten());
        self.used = 0;
    }

    fn check(&mut self) -> io::Result<usize> {
        let Some(mac) = self.mac.take() else { return Ok(0) };
        let mut stored = [0; MAC];
        self.packed.read_exact(&mut stored)?;
        if mac.finish().starts_with(&stored) {
            return Ok(0);
        }
        Err(io::Error::other("encrypted bytes were changed"))
    }
}

impl<R: Read> Read for WinZip<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return self.check();
        }
        if self.used == self.stream.len() {
            self.next_stream();
        }
        let stream = self.stream.get(self.used..).unwrap_or_default();
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let room = into.len().min(stream.len()).min(left);
        let into = into.get_mut(..room).unwrap_or_default();
        let count = self.packed.read(into)?;
        let into = into.get_mut(..count).unwrap_or_default();
        if count == 0 && room > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(mac) = &mut self.mac {
            mac.inner.update(&*into);
        }
        for (byte, key) in into.iter_mut().zip(stream) {
            *byte ^= key;
        }
        self.used += count;
        self.left -= count as u64;
        Ok(count)
    }
}

/// Rounds that stand for no hash at all.
const NO_HASH: u8 = 0x3F;

/// What a coder of 7-Zip says about its encryption.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lock {
    /// The hash runs two to the power of this.
    pub rounds: u8,
    pub salt: Vec<u8>,
    pub start: [u8; BLOCK],
}

impl Lock {
    /// Reads the properties of the coder.
    pub fn read(props: &[u8]) -> Option<Self> {
        let first = *props.first()?;
        let rounds = first & 0x3F;
        let mut start = [0; BLOCK];
        let Some(second) = props.get(1) else {
            return Some(Self { rounds, salt: Vec::new(), start });
        };
        let salt = usize::from((first >> 7) + (second >> 4));
        let length = usize::from(((first >> 6) & 1) + (second & 15));
        let (salt, rest) = props.get(2..)?.split_at_checked(salt)?;
        for (to, from) in start.iter_mut().zip(rest.get(..length)?) {
            *to = *from;
        }
        Some(Self { rounds, salt: salt.to_vec(), start })
    }

    /// True where nobody waits for the key for long.
    pub fn is_cheap(&self) -> bool {
        self.rounds == NO_HASH || self.rounds <= limits::KEY_ROUNDS
    }

    /// The key that a password makes.
    pub fn key(&self, password: &[u8]) -> [u8; 32] {
        // 7-Zip takes the password in UTF-16.
        let word = String::from_utf8_lossy(password);
        let word = word.encode_utf16().flat_map(u16::to_le_bytes);
        let word: Vec<u8> = self.salt.iter().copied().chain(word).collect();
        if self.rounds == NO_HASH {
            let mut key = [0; 32];
            for (to, from) in key.iter_mut().zip(word) {
                *to = from;
            }
            return key;
        }
        let mut hash = Sha256::new();
        for round in 0..1_u64 << self.rounds {
            hash.update(&word);
            hash.update(round.to_le_bytes());
        }
        hash.finalize().into()
    }
}

/// Bytes that 7-Zip encrypted: each block is chained to the one before.
pub(super) struct Chained<R> {
    packed: R,
    cipher: Box<Aes256>,
    last: [u8; BLOCK],
    /// What is decrypted; from `at` on not yet given.
    buffer: Vec<u8>,
    at: usize,
}

impl<R: Read> Chained<R> {
    pub fn new(packed: R, lock: &Lock, key: [u8; 32]) -> Self {
        let cipher = Box::new(Aes256::new(&Array::from(key)));
        let (buffer, at) = (Vec::new(), 0);
        Self { packed, cipher, last: lock.start, buffer, at }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.buffer.resize(BLOCK * AT_ONCE, 0);
        let (count, fault) =
            fill(&mut self.packed, &mut self.buffer, usize::MAX);
        if let Some(fault) = fault {
            return Err(fault);
        }
        // Less than a block at the end is none.
        self.buffer.truncate(count - count % BLOCK);
        self.at = 0;
        for bytes in self.buffer.chunks_exact_mut(BLOCK) {
            let Some(bytes) = bytes.first_chunk_mut::<BLOCK>() else { break };
            let packed = *bytes;
            let mut block = Array::from(packed);
            self.cipher.decrypt_block(&mut block);
            for ((to, from), last) in
                bytes.iter_mut().zip(block).zip(self.last)
            {
                *to = from ^ last;
            }
            self.last = packed;
        }
        Ok(())
    }
}

impl<R: Read> Read for Chained<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.buffer.len() {
            self.refill()?;
        }
        let mut ready = self.buffer.get(self.at..).unwrap_or_default();
        let count = ready.read(into)?;
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_as_in_rfc_2202() {
        let of = |key: &[u8], text: &[u8]| {
            let mut hmac = Hmac::new(key);
            hmac.inner.update(text);
            let bytes = hmac.finish();
            bytes.iter().fold(String::new(), |text, byte| {
                text + &format!("{byte:02x}")
            })
        };
        let long = of(
            &[0xAA; 80],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
        );
        assert_eq!(long, "aa4ae5e15272d00e95705637ce8a3b55ed402112");
        assert_eq!(
            of(b"Jefe", b"what do ya want for nothing?"),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
    }
}
