//! Memory maps that survive a file which shrinks, and all code that is for
//! one platform only: how a file is opened, and where mapping is safe.
//!
//! In: an open regular file. Out: a [`Mapping`], its bytes as one slice.
//!
//! Reading a mapped page that the file no longer has, or that the medium
//! cannot give, raises SIGBUS, which kills. So each mapping is entered in a
//! table, and a handler puts zero pages where pages vanished and notes from
//! which offset on. Whoever scans asks [`Mapping::lost`] after each chunk,
//! drops what came from beyond, and calls [`Mapping::check`] at the end.
//! (Others who do so: libwayland, wlroots, EFL.)
//!
//! Honestly: a `&[u8]` that changes under Rust's eyes is undefined by the
//! letter of the language. The guard bounds what follows, it does not
//! abolish it. So: no `&str` from mapped bytes, no bound derived by reading
//! twice, no unchecked access, and a copy of whatever goes into a hit. Who
//! scans logs that are being written uses `--no-mmap`.

#![allow(unsafe_code)]

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use memmap2::{Mmap, MmapOptions};

use super::exhibit::Seen;
use super::hash::{Digest, sha256};
use crate::raw::Raw;
use crate::warning::Warning;

/// A file in memory. Fields drop in order: the slot must be free before the
/// pages are given back.
#[derive(Debug)]
pub struct Mapping {
    slot: guard::Slot,
    pages: Mmap,
    file: File,
    name: Raw,
    seen: Seen,
    /// The new end, where the file was found shorter.
    shrunk: AtomicU64,
    /// The pages before this were given back.
    released: AtomicUsize,
}

impl Mapping {
    /// Maps the file, or gives it back where that is refused or unsafe.
    pub(super) fn new(
        file: File,
        path: &Path,
        name: Raw,
        seen: Seen,
    ) -> Result<Self, File> {
        let Ok(length) = usize::try_from(seen.bytes) else {
            return Err(file);
        };
        if length == 0 || !may_map(path) {
            return Err(file);
        }
        // SAFETY: read-only pages of a file opened read-only. That others
        // may change or cut the file is what the guard and the rules in the
        // head of this file are for.
        let pages = unsafe { MmapOptions::new().len(length).map(&file) };
        let Ok(pages) = pages else { return Err(file) };
        let Some(slot) = guard::Slot::take(&pages) else { return Err(file) };
        let (shrunk, released) =
            (AtomicU64::new(u64::MAX), AtomicUsize::new(0));
        Ok(Self { slot, pages, file, name, seen, shrunk, released })
    }

    /// The bytes of the file as long as it was when it was opened. Those at
    /// and after [`Mapping::lost`] mean nothing.
    pub fn bytes(&self) -> &[u8] {
        &self.pages
    }

    /// The offset from which bytes vanished, if some did: results from there
    /// on are void. Asks for the file's size, because a cut inside a page
    /// leaves zeros there and raises no fault.
    pub fn lost(&self) -> Option<u64> {
        self.lost_by(&Seen::now(&self.file))
    }

    /// The same for a file that looks so now.
    fn lost_by(&self, now: &io::Result<Seen>) -> Option<u64> {
        if let Ok(now) = now
            && now.bytes < self.seen.bytes
        {
            self.shrunk.fetch_min(now.bytes, Ordering::SeqCst);
        }
        let shrunk = self.shrunk.load(Ordering::SeqCst);
        Some(self.slot.lost().min(shrunk)).filter(|from| *from != u64::MAX)
    }

    /// Gives back the pages before `end`, a stride at a time, for bytes that
    /// nobody will read soon. The system keeps them in its cache, and whoever
    /// reads them all the same finds them there. Done while others scan, it
    /// takes no time of its own, and the tables of pages stay small.
    #[cfg(unix)]
    pub fn release(&self, end: u64) {
        const STRIDE: usize = 64 << 20;
        let end = usize::try_from(end).unwrap_or(0).min(self.pages.len());
        let end = end / STRIDE * STRIDE;
        let start = self.released.fetch_max(end, Ordering::SeqCst);
        if start < end {
            // SAFETY: the pages are read-only and of a file, so nothing is
            // lost: the next read brings them back. Where the guard has put
            // zero pages, zero pages come.
            let _ = unsafe {
                self.pages.unchecked_advise_range(
                    memmap2::UncheckedAdvice::DontNeed,
                    start,
                    end - start,
                )
            };
        }
    }

    /// Elsewhere the system gives pages back by itself.
    #[cfg(not(unix))]
    pub fn release(&self, end: u64) {
        let end = usize::try_from(end).unwrap_or(0);
        self.released.fetch_max(end, Ordering::SeqCst);
    }

    /// After the scan: what happened to the file meanwhile. `Lost` where
    /// bytes vanished, `Changed` where size or time differ.
    pub fn check(&self) -> Option<Warning> {
        let now = Seen::now(&self.file);
        let read = self.lost_by(&now).unwrap_or(self.seen.bytes);
        let (kind, detail) = self.seen.compare(now, read)?;
        Some(Warning::new(kind, self.name.clone(), detail))
    }

    /// SHA-256 of the bytes; None where the file changed or lost bytes up to
    /// the end of the hashing.
    pub fn sha256(&self) -> Option<Digest> {
        let digest = sha256(self.bytes());
        self.check().is_none().then_some(digest)
    }
}

/// The path that these bytes are the name of, as [`Raw::from_path`] made it.
pub(super) fn path_of(name: &Raw) -> Cow<'_, Path> {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let name = std::ffi::OsStr::from_bytes(name.as_bytes());
        Cow::Borrowed(Path::new(name))
    }
    #[cfg(not(unix))]
    {
        if let Ok(text) = std::str::from_utf8(name.as_bytes()) {
            return Cow::Borrowed(Path::new(text));
        }
        #[cfg(windows)]
        {
            use std::os::windows::ffi::OsStringExt as _;
            let units = units(name.as_bytes());
            Cow::Owned(std::ffi::OsString::from_wide(&units).into())
        }
        #[cfg(not(windows))]
        Cow::Owned(
            String::from_utf8_lossy(name.as_bytes()).into_owned().into(),
        )
    }
}

/// The units of a name of Windows that is no Unicode: halves of pairs are
/// encoded as three bytes each.
#[cfg(any(windows, test))]
fn units(name: &[u8]) -> Vec<u16> {
    let half = |bytes: &[u8; 3]| match *bytes {
        [0xED, high @ 0xA0..=0xBF, low @ 0x80..=0xBF] => {
            Some(0xD000 | u16::from(high & 0x3F) << 6 | u16::from(low & 0x3F))
        }
        _ => None,
    };
    let (mut units, mut rest) = (Vec::new(), name);
    while let Some(chunk) = rest.utf8_chunks().next() {
        units.extend(chunk.valid().encode_utf16());
        rest = rest.get(chunk.valid().len()..).unwrap_or_default();
        let passed = match rest.first_chunk().and_then(half) {
            Some(half) => {
                units.push(half);
                3
            }
            None => chunk.invalid().len(),
        };
        rest = rest.get(passed..).unwrap_or_default();
    }
    units
}

/// Opens for reading: never waits for a pipe or a terminal, and leaves the
/// time of last access alone where the system allows that.
pub(super) fn open_read_only(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            // Only the owner may ask for this; others are refused.
            options.custom_flags(flags | libc::O_NOATIME);
            match options.open(path) {
                Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {}
                other => return other,
            }
        }
        options.custom_flags(flags);
    }
    options.open(path)
}

/// On macOS maps do not pay (ripgrep measured it); elsewhere the guard makes
/// them safe.
#[cfg(unix)]
fn may_map(_: &Path) -> bool {
    cfg!(not(target_os = "macos"))
}

/// A mapped file cannot be cut on Windows, but a drive can go away, which
/// raises an error that no guard catches: so fixed drives only.
#[cfg(windows)]
fn may_map(path: &Path) -> bool {
    use std::path::{Component, Prefix};
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetDriveTypeW(root: *const u16) -> u32;
    }
    const DRIVE_FIXED: u32 = 3;
    // The canonical path of a file on a mapped share is the share's.
    let Ok(path) = path.canonicalize() else { return false };
    let Some(Component::Prefix(prefix)) = path.components().next() else {
        return false;
    };
    let (Prefix::VerbatimDisk(letter) | Prefix::Disk(letter)) = prefix.kind()
    else {
        return false;
    };
    let root = [letter, b':', b'\\', 0].map(u16::from);
    // SAFETY: a text that ends in zero and outlives the call.
    unsafe { GetDriveTypeW(root.as_ptr()) == DRIVE_FIXED }
}

#[cfg(not(any(unix, windows)))]
fn may_map(_: &Path) -> bool {
    false
}

/// Elsewhere nothing is guarded: see `may_map`.
#[cfg(not(unix))]
#[allow(
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "the shape of the guard on Unix"
)]
mod guard {
    #[derive(Debug)]
    pub(super) struct Slot;

    impl Slot {
        pub(super) fn take(_: &[u8]) -> Option<Self> {
            Some(Self)
        }

        pub(super) fn lost(&self) -> u64 {
            u64::MAX
        }
    }
}

/// The table of mappings and the handler of SIGBUS.
///
/// The handler does what may be done in one: atomics and one raw system
/// call. All orders are `SeqCst`: the path is cold, and the argument short.
#[cfg(unix)]
mod guard {
    use std::ptr;
    use std::sync::OnceLock;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::SeqCst;

    use libc::{SIGBUS, c_int, c_void, sigaction, siginfo_t};

    /// Mappings at one time; one more is read buffered.
    const SLOTS: usize = 256;
    /// `start` of a slot that is free, or being filled: no address of ours.
    const FREE: usize = 0;
    const FILLING: usize = 1;
    const NOTHING: usize = usize::MAX;

    #[derive(Debug)]
    struct Entry {
        start: AtomicUsize,
        end: AtomicUsize,
        /// Offset of the first page that vanished.
        lost: AtomicUsize,
    }

    static TABLE: [Entry; SLOTS] = [const {
        Entry {
            start: AtomicUsize::new(FREE),
            end: AtomicUsize::new(FREE),
            lost: AtomicUsize::new(NOTHING),
        }
    }; SLOTS];
    /// Bytes of a page; a power of two.
    static PAGE: AtomicUsize = AtomicUsize::new(0);
    /// What handled SIGBUS before: the standard library's handler, which
    /// tells of overflowed stacks.
    static PREVIOUS: OnceLock<sigaction> = OnceLock::new();
    static INSTALLED: OnceLock<bool> = OnceLock::new();

    /// A guarded range of addresses; free again when dropped.
    #[derive(Debug)]
    pub(super) struct Slot(&'static Entry);

    impl Slot {
        /// Guards these mapped bytes, which start at a page. None where
        /// there is no slot or no handler.
        pub(super) fn take(bytes: &[u8]) -> Option<Self> {
            if !*INSTALLED.get_or_init(|| install().is_some()) {
                return None;
            }
            let free = |entry: &&Entry| {
                entry
                    .start
                    .compare_exchange(FREE, FILLING, SeqCst, SeqCst)
                    .is_ok()
            };
            let entry = TABLE.iter().find(free)?;
            let range = bytes.as_ptr_range();
            entry.lost.store(NOTHING, SeqCst);
            entry.end.store(range.end.addr(), SeqCst);
            entry.start.store(range.start.addr(), SeqCst);
            Some(Self(entry))
        }

        pub(super) fn lost(&self) -> u64 {
            match self.0.lost.load(SeqCst) {
                NOTHING => u64::MAX,
                offset => offset as u64,
            }
        }
    }

    impl Drop for Slot {
        fn drop(&mut self) {
            self.0.start.store(FREE, SeqCst);
        }
    }

    /// Installs the handler. `SA_ONSTACK`: an overflowed stack raises SIGBUS
    /// on some systems, and must still reach the handler before ours.
    fn install() -> Option<()> {
        // SAFETY: asks for a number.
        let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        let page = usize::try_from(page).ok()?;
        if !page.is_power_of_two() {
            return None;
        }
        PAGE.store(page, SeqCst);
        // SAFETY: all zeros is a valid `sigaction`: default, no flags.
        let mut previous: sigaction = unsafe { std::mem::zeroed() };
        // SAFETY: only asks; the target is a valid `sigaction`.
        if unsafe { sigaction(SIGBUS, ptr::null(), &raw mut previous) } != 0 {
            return None;
        }
        PREVIOUS.set(previous).ok()?;
        // SAFETY: as above.
        let mut ours: sigaction = unsafe { std::mem::zeroed() };
        let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) =
            on_fault;
        ours.sa_sigaction = handler as usize;
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        // SAFETY: the mask is ours to write; the handler has the signature
        // that `SA_SIGINFO` asks for and does only what a handler may do.
        let result = unsafe {
            libc::sigemptyset(&raw mut ours.sa_mask);
            sigaction(SIGBUS, &raw const ours, ptr::null_mut())
        };
        (result == 0).then_some(())
    }

    /// Ours: pages are put there and the read repeats. Not ours: what
    /// handled SIGBUS before gets it, and a guard is no longer needed.
    extern "C" fn on_fault(
        signal: c_int,
        info: *mut siginfo_t,
        _: *mut c_void,
    ) {
        // SAFETY: the system passes a valid `siginfo_t` under `SA_SIGINFO`.
        let (code, address) =
            unsafe { ((*info).si_code, (*info).si_addr().addr()) };
        // A code above zero is a fault; else some process sent the signal,
        // and there is no address.
        if code > 0 && TABLE.iter().any(|entry| cover(entry, address)) {
            return;
        }
        // SAFETY: `previous` was filled by the system. A fault repeats when
        // the handler returns; a signal that was sent does not, so it is
        // raised again (it waits until then, as SIGBUS is blocked here).
        unsafe {
            if let Some(previous) = PREVIOUS.get() {
                sigaction(signal, previous, ptr::null_mut());
            }
            if code <= 0 {
                libc::raise(signal);
            }
        }
    }

    /// Puts zero pages from the fault to the end, if it is in this entry.
    ///
    /// The thread that faulted borrows its mapping, so its entry stands
    /// still. Entries of others may come and go: `start` is read again after
    /// `end`, which shows a pair that is not of one mapping. (The same start
    /// twice with another end would need both mappings to have been there,
    /// and then the address was in neither's hole.)
    fn cover(entry: &Entry, address: usize) -> bool {
        let start = entry.start.load(SeqCst);
        let end = entry.end.load(SeqCst);
        if entry.start.load(SeqCst) != start
            || start <= FILLING
            || !(start..end).contains(&address)
        {
            return false;
        }
        let mask = PAGE.load(SeqCst).wrapping_sub(1);
        let from = address & !mask;
        let length = (end.wrapping_add(mask) & !mask).wrapping_sub(from);
        // Noted first: who sees a zero page sees the note.
        entry.lost.fetch_min(from.wrapping_sub(start), SeqCst);
        // SAFETY: the range lies in a live mapping of ours, so nothing else
        // is replaced; it stays readable, and is unmapped with the rest.
        let result = unsafe {
            libc::mmap(
                ptr::without_provenance_mut(from),
                length,
                libc::PROT_READ,
                libc::MAP_FIXED | libc::MAP_PRIVATE | libc::MAP_ANON,
                -1,
                0,
            )
        };
        result != libc::MAP_FAILED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_windows_are_what_they_were() {
        let name = "W3SVC1/\u{e9}\u{1f41b}.log";
        let expected: Vec<u16> = name.encode_utf16().collect();
        assert_eq!(units(name.as_bytes()), expected);
        let halves = b"a\xED\xA0\xBDb\xED\xB0\x9B";
        assert_eq!(units(halves), [0x61, 0xD83D, 0x62, 0xDC1B]);
    }

    #[test]
    fn a_name_leads_back_to_its_path() {
        let path = Path::new("some/where/x.log");
        assert_eq!(path_of(&Raw::from_path(path)), path);
    }
}
