//! What the topics share: running the program, folders that go away, golden
//! files, and the corpus of real logs.
//!
//! In: arguments, names, bytes. Out: what the program printed, or a failed
//! test with a message that says what to do.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The program, in surroundings that are the same on every machine.
pub fn bin() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_iisleuth"));
    command.current_dir(root());
    for name in ["COLUMNS", "NO_COLOR", "TERM", "TZ", "LC_ALL"] {
        command.env_remove(name);
    }
    command.stdin(process::Stdio::null());
    command
}

/// The folder of the package.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a run of the program left.
#[derive(Debug)]
pub struct Run {
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl Run {
    /// Runs a command that is set up.
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().expect("the program starts");
        Self {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: output.stderr,
        }
    }

    /// Standard output as text.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// Runs the program with these arguments, in the folder of the package.
pub fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Run {
    Run::of(bin().args(args))
}

/// A new empty folder that goes away with this value.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes the folder. The name tells whose it is.
    pub fn new(name: &str) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("iisleuth-{name}-{}-{next}", process::id());
        // Canonical, because macOS reaches its own through a link.
        let temporary = fs::canonicalize(std::env::temp_dir()).unwrap();
        let path = temporary.join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file below it, with the folders it needs.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
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

/// Compares bytes with a file under `testdata/`. With `IISLEUTH_BLESS=1`
/// the file is written instead: look at the difference before committing.
pub fn golden(path: &str, bytes: &[u8]) {
    let file = root().join("testdata").join(path);
    if std::env::var_os("IISLEUTH_BLESS").is_some_and(|it| it == "1") {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, bytes).unwrap();
        return;
    }
    let hint = "run the tests with IISLEUTH_BLESS=1 to write it anew";
    let Ok(expected) = fs::read(&file) else {
        panic!("testdata/{path} cannot be read; {hint}");
    };
    if expected == bytes {
        return;
    }
    let lines = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(bytes);
        text.split('\n').map(str::to_owned).collect()
    };
    let (expected, found) = (lines(&expected), lines(bytes));
    let same = expected.iter().zip(&found).take_while(|(a, b)| a == b);
    let at = same.count();
    panic!(
        "testdata/{path} differs from line {} on\nexpected: {:?}\n\
         found:    {:?}\n{hint}",
        at + 1,
        expected.get(at),
        found.get(at)
    );
}

/// Real logs of other people, kept beside the package and not part of it.
/// Tests that want them pass without them.
pub fn corpus() -> Option<PathBuf> {
    let path = root().parent()?.join("shared").join("corpus");
    path.is_dir().then_some(path)
}
