//! What is measured, and the goal of each figure.
//!
//! In: the program, a folder for made-up logs, their size. Out: figures, as
//! a table and as records.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::generate::{Recipe, Shape};
use super::measure::{Pair, anonymous_mib, median, pairs, run};
use super::{rules, tree};

/// One figure: a ratio, and the most that it should be.
#[derive(Clone, Debug)]
pub struct Figure {
    pub name: String,
    pub ours: f64,
    pub other: f64,
    pub ratio: f64,
    pub goal: f64,
}

impl Figure {
    pub fn is_met(&self) -> bool {
        self.ratio <= self.goal
    }

    fn of(name: &str, pair: Pair, goal: f64) -> Self {
        let (ours, other) = (pair.ours, pair.other);
        Self { name: name.to_owned(), ours, other, ratio: pair.ratio, goal }
    }
}

/// Where and how to measure.
#[derive(Clone, Debug)]
pub struct Bench {
    /// The program.
    pub program: PathBuf,
    /// This benchmark, which can inflate files and do nothing else.
    pub own: PathBuf,
    /// The literals that other programs search for.
    pub literals: PathBuf,
    /// Made-up logs are kept here.
    pub folder: PathBuf,
    /// Bytes of the log that most figures are of.
    pub bytes: u64,
    /// Counted pairs of runs.
    pub pairs: usize,
    /// Threads where the figure says "all".
    pub threads: usize,
}

type Measure = fn(&Bench) -> Vec<Figure>;

/// All figures by name.
pub const ALL: [(&str, Measure); 13] = [
    ("ripgrep", ripgrep),
    ("ripgrep-tree", ripgrep_tree),
    ("grep", grep),
    ("wc", wc),
    ("hash", hash),
    ("threads", threads),
    ("gzip", gzip),
    ("zip", zip),
    ("small-files", small_files),
    ("large", large),
    ("rules", many_rules),
    ("clients", clients),
    ("start", start),
];

/// The figures of logs that nobody wrote in good faith.
pub const ADVERSE: [Shape; 6] = [
    Shape::Escaped,
    Shape::Attacks,
    Shape::OneLine,
    Shape::ShortLines,
    Shape::Columns,
    Shape::Layouts,
];

impl Bench {
    /// The program on a path, without hashing.
    fn scan(&self, threads: usize, path: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["scan", "--quiet", "--hash", "none", "--threads"]);
        command.arg(threads.to_string()).arg(path);
        command
    }

    fn rg(&self, threads: usize, path: &Path) -> Command {
        let mut command = Command::new("rg");
        command.args(["-c", "-i", "-F", "-j", &threads.to_string(), "-f"]);
        command.arg(&self.literals).arg(path);
        command
    }

    /// A made-up log; made where it is not there yet.
    fn log(&self, name: &str, recipe: Recipe, bytes: u64) -> PathBuf {
        let path = self.folder.join(format!("{name}-{bytes}.log"));
        if !path.exists() {
            tree::file(recipe, bytes, &path).expect("the folder takes it");
        }
        path
    }

    fn plain(&self) -> PathBuf {
        self.log("iis10", Recipe::default(), self.bytes)
    }

    fn tree(&self, bytes: u64, files: u64, gzip: bool) -> PathBuf {
        let kind = if gzip { "gzip" } else { "plain" };
        let path = self.folder.join(format!("tree-{kind}-{files}-{bytes}"));
        if !path.exists() {
            tree::tree(Recipe::default(), bytes, files, gzip, &path)
                .expect("the folder takes it");
        }
        path
    }

    fn pairs(
        &self,
        ours: impl Fn() -> Command,
        other: impl Fn() -> Command,
    ) -> Pair {
        pairs(self.pairs, &ours, &other)
    }
}

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

fn ripgrep(bench: &Bench) -> Vec<Figure> {
    if !has("rg") {
        return Vec::new();
    }
    let path = bench.plain();
    let pair = bench.pairs(|| bench.scan(1, &path), || bench.rg(1, &path));
    vec![Figure::of("one thread by ripgrep with 300 literals", pair, 0.30)]
}

fn ripgrep_tree(bench: &Bench) -> Vec<Figure> {
    if !has("rg") {
        return Vec::new();
    }
    let path = bench.tree(2 * bench.bytes, 64, false);
    let pair = bench.pairs(|| bench.scan(2, &path), || bench.rg(2, &path));
    vec![Figure::of("two threads on 64 files by ripgrep", pair, 0.30)]
}

fn grep(bench: &Bench) -> Vec<Figure> {
    if !has("grep") {
        return Vec::new();
    }
    let path = bench.plain();
    let grep = || {
        // To a pipe: where nobody reads its count, it stops at the first.
        let mut command = Command::new("sh");
        command.args(["-c", "LC_ALL=C grep -c -i -F -f \"$0\" \"$1\" | cat"]);
        command.arg(&bench.literals).arg(&path);
        command
    };
    let few = Bench { pairs: 1, ..bench.clone() };
    let pair = few.pairs(|| bench.scan(1, &path), grep);
    vec![Figure::of("one thread by grep with 300 literals", pair, 0.30)]
}

fn wc(bench: &Bench) -> Vec<Figure> {
    if !has("wc") {
        return Vec::new();
    }
    let path = bench.plain();
    let wc = || {
        let mut command = Command::new("wc");
        command.arg("-l").arg(&path);
        command
    };
    let pair = bench.pairs(|| bench.scan(1, &path), wc);
    vec![Figure::of("one thread by wc -l", pair, 5.5)]
}

fn hash(bench: &Bench) -> Vec<Figure> {
    let path = bench.plain();
    let hashed = || {
        let mut command = Command::new(&bench.program);
        command.args(["scan", "--quiet", "--threads", "2"]).arg(&path);
        command
    };
    let alone = || {
        let mut command = Command::new(&bench.own);
        command.arg("hash").arg(&path);
        command
    };
    let by_none = bench.pairs(hashed, || bench.scan(2, &path));
    let by_alone = bench.pairs(hashed, alone);
    vec![
        Figure::of("two threads with SHA-256 by without", by_none, 1.35),
        Figure::of("two threads with SHA-256 by SHA-256 alone", by_alone, 1.1),
    ]
}

fn threads(bench: &Bench) -> Vec<Figure> {
    let path = bench.plain();
    let mut figures = Vec::new();
    for (threads, goal) in [(2, 1.85), (4, 3.6), (8, 6.8), (16, 12.0)] {
        if threads > bench.threads {
            break;
        }
        let one = || bench.scan(1, &path);
        let pair = bench.pairs(|| bench.scan(threads, &path), one);
        let name = format!("{threads} threads by one");
        figures.push(Figure::of(&name, pair, 1.0 / goal));
    }
    figures
}

/// Inflates a tree of gzip files and does nothing else.
fn inflate(bench: &Bench, threads: u32, path: &Path) -> Command {
    let mut command = Command::new(&bench.own);
    command.arg("inflate").arg(threads.to_string()).arg(path);
    command
}

/// A zip of daily logs, by inflating the same bytes out of gzip files.
fn zip(bench: &Bench) -> Vec<Figure> {
    let tree = bench.tree(bench.bytes, 64, true);
    let path = bench.folder.join(format!("tree-{}.zip", bench.bytes));
    if !path.exists() {
        let plain = bench.tree(bench.bytes, 64, false);
        tree::zip(&plain, &path).expect("the folder takes it");
    }
    let scan = || bench.scan(2, &path);
    let two = bench.pairs(scan, || inflate(bench, 2, &tree));
    let one = bench.pairs(scan, || inflate(bench, 1, &tree));
    vec![
        Figure::of("zip on two threads by inflating on two", two, 1.15),
        Figure::of("zip on two threads by inflating on one", one, 1.15),
    ]
}

fn gzip(bench: &Bench) -> Vec<Figure> {
    let path = bench.tree(bench.bytes, 64, true);
    let scan = || bench.scan(2, &path);
    let two = bench.pairs(scan, || inflate(bench, 2, &path));
    let one = bench.pairs(scan, || inflate(bench, 1, &path));
    vec![
        Figure::of("gzip on two threads by inflating on two", two, 1.15),
        Figure::of("gzip on two threads by inflating on one", one, 1.15),
    ]
}

fn small_files(bench: &Bench) -> Vec<Figure> {
    let files = (bench.bytes / (100 << 10)).max(1);
    let (many, one) = (bench.tree(bench.bytes, files, false), bench.plain());
    [1, 2]
        .map(|threads| {
            let one = || bench.scan(threads, &one);
            let pair = bench.pairs(|| bench.scan(threads, &many), one);
            let name =
                format!("files of 100 KiB by one file; threads: {threads}");
            Figure::of(&name, pair, 1.25)
        })
        .to_vec()
}

fn large(bench: &Bench) -> Vec<Figure> {
    let large = bench.log("iis10", Recipe::default(), 16 * bench.bytes);
    let small = bench.plain();
    let few = Bench { pairs: bench.pairs.min(3), ..bench.clone() };
    let pair = few.pairs(|| bench.scan(2, &large), || bench.scan(2, &small));
    let [ours, other] =
        [&large, &small].map(|path| anonymous_mib(&mut bench.scan(2, path)));
    let memory = Figure {
        name: "16 times the bytes: anonymous memory (MiB)".to_owned(),
        ours,
        other,
        ratio: ours / other.max(1.0),
        goal: 1.10,
    };
    let each = Pair { ratio: pair.ratio / 16.0, ..pair };
    vec![Figure::of("16 times the bytes: time a byte", each, 1.10), memory]
}

fn many_rules(bench: &Bench) -> Vec<Figure> {
    let path = bench.plain();
    let own = rules_of(bench);
    let mut figures = Vec::new();
    for (all, goal) in [(1000, 1.15), (3000, 1.40)] {
        let folder = bench.folder.join(format!("rules-{all}"));
        rules::write(all - own, &folder).expect("the folder takes them");
        let with = || {
            let mut command = bench.scan(1, &path);
            command.arg("--rules").arg(&folder);
            command
        };
        let pair = bench.pairs(with, || bench.scan(1, &path));
        let name = format!("{all} rules by {own}");
        figures.push(Figure::of(&name, pair, goal));
    }
    figures
}

/// How many rules come with the program.
fn rules_of(bench: &Bench) -> u64 {
    let mut list = Command::new(&bench.program);
    let output = list.args(["signatures", "check"]).output();
    let text = output.map(|it| String::from_utf8_lossy(&it.stdout).into());
    let text: String = text.unwrap_or_default();
    let words = text.split(|c: char| !c.is_ascii_digit());
    words.filter_map(|word| word.parse().ok()).next().unwrap_or(0)
}

fn clients(bench: &Bench) -> Vec<Figure> {
    let of = |clients| {
        let recipe = Recipe { clients, ..Recipe::default() };
        bench.log(&format!("clients-{clients}"), recipe, bench.bytes)
    };
    let (few, many) = (of(1_000), of(1_000_000));
    let pair = bench.pairs(|| bench.scan(1, &many), || bench.scan(1, &few));
    vec![Figure::of("1000000 clients by 1000", pair, 1.20)]
}

fn start(bench: &Bench) -> Vec<Figure> {
    let path = bench.folder.join("one-line.log");
    let line = "#Fields: date time c-ip cs-uri-stem sc-status\n\
                2025-01-01 00:00:00 192.0.2.1 /index.htm 200\n";
    fs::write(&path, line).expect("the folder takes it");
    let runs =
        (0..bench.pairs.max(5) * 4).map(|_| run(&mut bench.scan(2, &path)));
    let ours = median(runs.collect());
    let name = "start to end on one line by 40 ms".to_owned();
    vec![Figure { name, ours, other: 0.040, ratio: ours / 0.040, goal: 1.0 }]
}

/// How time grows with such a log, and what a byte of it costs.
pub fn adverse(bench: &Bench, shape: Shape) -> Vec<Figure> {
    let word = Shape::ALL.iter().find(|(_, it)| *it == shape).unwrap().0;
    let recipe = Recipe { shape, ..Recipe::default() };
    let seconds = |path: &Path| {
        let runs = (0..bench.pairs).map(|_| run(&mut bench.scan(1, path)));
        median(runs.collect())
    };
    let least = bench.bytes / 32;
    let sizes = [1, 2, 4, 8].map(|times| {
        let bytes = least * times;
        (bytes as f64, seconds(&bench.log(word, recipe, bytes)))
    });
    let plain = seconds(&bench.plain()) / bench.bytes as f64;
    let own = sizes[3].1 / sizes[3].0;
    vec![
        Figure {
            name: format!("{word}: slope of time by bytes"),
            ours: sizes[3].1,
            other: sizes[0].1,
            ratio: slope(&sizes),
            goal: 1.15,
        },
        Figure {
            name: format!("{word}: a byte by an ordinary one (ns)"),
            ours: own * 1e9,
            other: plain * 1e9,
            ratio: own / plain,
            goal: 20.0,
        },
    ]
}

/// Of a line through the logarithms.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let logs = points.iter().map(|(x, y)| (x.ln(), y.ln()));
    let (xs, ys): (Vec<f64>, Vec<f64>) = logs.unzip();
    let mean = |of: &[f64]| of.iter().sum::<f64>() / count;
    let (x, y) = (mean(&xs), mean(&ys));
    let both = xs.iter().zip(&ys).map(|(a, b)| (a - x) * (b - y));
    both.sum::<f64>() / xs.iter().map(|a| (a - x) * (a - x)).sum::<f64>()
}
