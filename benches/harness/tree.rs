//! Writes made-up logs to disk: one file, or daily files in folders by
//! server, plain or gzip.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};

use super::generate::{Generator, Recipe};

/// Bytes made at a time.
const BLOCK: u64 = 4 << 20;

/// Writes one log of at least `bytes` bytes.
pub fn file(recipe: Recipe, bytes: u64, path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut generator = Generator::new(recipe);
    log(&mut generator, bytes, File::create(path)?)
}

/// Writes daily logs of `bytes` bytes together; returns their paths.
pub fn tree(
    recipe: Recipe,
    bytes: u64,
    files: u64,
    gzip: bool,
    root: &Path,
) -> io::Result<Vec<PathBuf>> {
    const SERVERS: u64 = 8;
    let mut paths = Vec::new();
    for server in 0..SERVERS.min(files) {
        let folder = root.join(format!("WEB{:02}", server + 1)).join("W3SVC1");
        fs::create_dir_all(&folder)?;
        let seed = recipe.seed.wrapping_mul(1_000).wrapping_add(server);
        let mut generator = Generator::new(Recipe { seed, ..recipe });
        let days = (files - server).div_ceil(SERVERS);
        for _ in 0..days {
            let mut name = generator.file_name();
            let size = bytes / files;
            if gzip {
                name += ".gz";
                let out = File::create(folder.join(&name))?;
                let out = GzEncoder::new(out, Compression::default());
                log(&mut generator, size, out)?;
            } else {
                log(&mut generator, size, File::create(folder.join(&name))?)?;
            }
            paths.push(folder.join(name));
            generator.next_day();
        }
    }
    Ok(paths)
}

/// Zips the files below a folder, each packed as in a gzip file.
pub fn zip(root: &Path, path: &Path) -> io::Result<()> {
    let mut archive =
        rawzip::ZipArchiveWriter::new(BufWriter::new(File::create(path)?));
    let other = |error: rawzip::Error| io::Error::other(error.to_string());
    for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
        let entry = entry.map_err(io::Error::other)?;
        if !entry.file_type().is_file() {
            continue;
        }
        let name = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let name = name.to_string_lossy().replace('\\', "/");
        let method = rawzip::CompressionMethod::DEFLATE;
        let member = archive.new_file(&name).compression_method(method);
        let (mut member, config) = member.start().map_err(other)?;
        let packer = DeflateEncoder::new(&mut member, Compression::default());
        let mut writer = config.wrap(packer);
        io::copy(&mut File::open(entry.path())?, &mut writer)?;
        let (packer, descriptor) = writer.finish().map_err(other)?;
        packer.finish()?;
        member.finish(descriptor).map_err(other)?;
    }
    archive.finish().map_err(other)?;
    Ok(())
}

fn log(
    generator: &mut Generator,
    bytes: u64,
    out: impl Write,
) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    let mut block = Vec::new();
    generator.header(&mut block);
    let mut left = bytes;
    loop {
        left = left.saturating_sub(block.len() as u64);
        out.write_all(&block)?;
        block.clear();
        if left == 0 {
            return out.flush();
        }
        generator.lines(left.min(BLOCK), &mut block);
    }
}
