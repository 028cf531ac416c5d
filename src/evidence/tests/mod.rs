//! Tests of the evidence stage on real files: what is found, how it opens,
//! and what happens when it is damaged or changes meanwhile.

mod find;
mod gzip;
mod identity;
mod open;
mod packed;
mod tar;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Access, Content, Exhibit, Hashing, StreamEnd, discover};

/// A folder of its own for one test, removed afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("iisleuth-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }

    fn file(&self, name: impl AsRef<Path>, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn one(path: &Path) -> Exhibit {
    let found = discover(&[path.to_owned()]).unwrap();
    assert_eq!(found.warnings, []);
    let [exhibit] = found.exhibits.as_slice() else { panic!("not one") };
    exhibit.clone()
}

fn read(mut stream: super::Stream) -> (Vec<u8>, StreamEnd) {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    (bytes, stream.finish())
}

fn buffered(path: &Path) -> (Vec<u8>, StreamEnd) {
    match one(path).open(Access::Buffered, Hashing::Sha256).unwrap() {
        Content::Stream(stream) => read(stream),
        other => panic!("{other:?}"),
    }
}
