//! Dated records of what was measured: CSV, one figure a line.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use super::figures::Figure;
use super::generate::civil;

const HEAD: &str =
    "date,commit,machine,bytes,figure,ours_s,other_s,ratio,goal,met\n";

/// Appends figures to `YYYY-MM-DD.csv` in a folder.
pub fn append(
    folder: &Path,
    bytes: u64,
    figures: &[Figure],
) -> io::Result<()> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH);
    let day = civil(seconds.map_or(0, |it| it.as_secs() / 86_400));
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("{day}.csv"));
    let is_new = !path.exists();
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    if is_new {
        file.write_all(HEAD.as_bytes())?;
    }
    let (commit, machine) = (commit(), machine());
    for figure in figures {
        writeln!(
            file,
            "{day},{commit},{machine},{bytes},{},{:.3},{:.3},{:.3},{:.2},{}",
            figure.name,
            figure.ours,
            figure.other,
            figure.ratio,
            figure.goal,
            figure.is_met()
        )?;
    }
    Ok(())
}

fn commit() -> String {
    let output =
        Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let text = output.map(|it| String::from_utf8_lossy(&it.stdout).into());
    text.map_or_else(|_| String::new(), |it: String| it.trim().to_owned())
}

/// The processor and its cores, without commas.
fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(':'));
    let model = model.map_or(std::env::consts::ARCH, |(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(1, |it| it.get());
    format!("{} x{cores}", model.replace(',', ""))
}
