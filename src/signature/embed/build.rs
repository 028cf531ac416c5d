//! Build script: lists the files under `signatures/`, so that adding a rule
//! is adding one file. Reads this package, writes one file in `OUT_DIR`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let folder = root.join("signatures");
    println!("cargo::rerun-if-changed=signatures");
    println!("cargo::rerun-if-changed=src/signature/embed/build.rs");
    let mut files = Vec::new();
    list(&folder, &mut files)?;
    files.sort();
    let mut code = String::from("&[\n");
    for file in files {
        let name: Vec<_> = file
            .strip_prefix(&root)
            .unwrap_or(&file)
            .iter()
            .map(|part| part.to_string_lossy())
            .collect();
        let name = name.join("/");
        let path = file.to_string_lossy();
        let _ = writeln!(code, "    ({name:?}, include_bytes!({path:?})),");
    }
    code.push_str("]\n");
    let out = PathBuf::from(variable("OUT_DIR")?).join("embedded.rs");
    fs::write(out, code)
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name)
        .map_err(|error| io::Error::other(format!("{name}: {error}")))
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "yml") {
            files.push(path);
        }
    }
    Ok(())
}
