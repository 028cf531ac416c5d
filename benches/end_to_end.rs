//! The whole program against the clock and against other programs.
//!
//!     cargo bench --bench end_to_end -- figures --bytes 1073741824 --record
//!     cargo bench --bench end_to_end -- generate --shape iis5 x.log
//!
//! See `benches/README.md`.
#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used)]
#![allow(clippy::print_stdout, clippy::print_stderr, missing_docs)]

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use clap::{Parser, Subcommand};
use iisleuth::evidence::{Access, Content, Hashing, discover};

mod harness;
use harness::figures::{self, Bench, Figure};
use harness::generate::{Recipe, Shape};
use harness::{record, tree};

#[derive(Parser)]
struct Args {
    /// Given by `cargo bench`.
    #[arg(long, hide = true, global = true)]
    bench: bool,
    #[command(subcommand)]
    command: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Measure.
    Figures {
        /// Bytes of the log that most figures are of.
        #[arg(long, default_value_t = 64 << 20)]
        bytes: u64,
        /// Counted pairs of runs.
        #[arg(long, default_value_t = 5)]
        pairs: usize,
        /// These figures alone; "adverse" is one.
        #[arg(long)]
        only: Vec<String>,
        /// Where made-up logs are kept.
        #[arg(long, default_value = "target/bench")]
        folder: PathBuf,
        /// Add the figures to benches/records.
        #[arg(long)]
        record: bool,
    },
    /// Write made-up logs.
    Generate {
        #[arg(long, default_value = "iis10")]
        shape: String,
        #[arg(long, default_value_t = 64 << 20)]
        bytes: u64,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[arg(long, default_value_t = 50_000)]
        clients: u32,
        /// So many daily files in folders by server, not one file.
        #[arg(long)]
        files: Option<u64>,
        /// Compress each of them.
        #[arg(long)]
        gzip: bool,
        path: PathBuf,
    },
    /// Inflate all files and do nothing else.
    #[command(hide = true)]
    Inflate { threads: usize, path: PathBuf },
    /// Hash a file and do nothing else.
    #[command(hide = true)]
    Hash { path: PathBuf },
}

fn main() {
    let figures = Action::Figures {
        bytes: 64 << 20,
        pairs: 3,
        only: Vec::new(),
        folder: "target/bench".into(),
        record: false,
    };
    match Args::parse().command.unwrap_or(figures) {
        Action::Figures { bytes, pairs, only, folder, record } => {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let bench = Bench {
                program: env!("CARGO_BIN_EXE_iisleuth").into(),
                own: std::env::current_exe().unwrap(),
                literals: root.join("benches/literals.txt"),
                folder,
                bytes,
                pairs,
                threads: std::thread::available_parallelism()
                    .map_or(1, |it| it.get()),
            };
            let figures = measure(&bench, &only);
            if record {
                let folder = root.join("benches/records");
                record::append(&folder, bytes, &figures).unwrap();
            }
        }
        Action::Generate {
            shape,
            bytes,
            seed,
            clients,
            files,
            gzip,
            path,
        } => {
            let shape = Shape::ALL.iter().find(|(word, _)| *word == shape);
            let (_, shape) = *shape.expect("a shape from benches/README.md");
            let recipe = Recipe { shape, seed, clients };
            match files {
                None => tree::file(recipe, bytes, &path).unwrap(),
                Some(files) => {
                    tree::tree(recipe, bytes, files, gzip, &path).unwrap();
                }
            }
        }
        Action::Inflate { threads, path } => inflate(threads, &path),
        Action::Hash { path } => {
            let found = discover(&[path]).unwrap().exhibits.remove(0);
            let content = found.open(Access::Auto, Hashing::Sha256).unwrap();
            if let Content::Mapped(mapping) = content {
                assert!(mapping.sha256().is_some());
            }
        }
    }
}

fn measure(bench: &Bench, only: &[String]) -> Vec<Figure> {
    let wanted =
        |name: &str| only.is_empty() || only.iter().any(|it| it == name);
    let mut all = Vec::new();
    let mut show = |figures: Vec<Figure>| {
        for figure in &figures {
            let met = if figure.is_met() { "" } else { "  MISSED" };
            println!(
                "{:<48} {:>8.3} {:>8.3} {:>7.3} <= {:.2}{met}",
                figure.name,
                figure.ours,
                figure.other,
                figure.ratio,
                figure.goal
            );
        }
        all.extend(figures);
    };
    println!("{:<48} {:>8} {:>8} {:>7}", "figure", "ours", "other", "ratio");
    for (name, measure) in figures::ALL {
        if wanted(name) {
            show(measure(bench));
        }
    }
    if wanted("adverse") {
        for shape in figures::ADVERSE {
            show(figures::adverse(bench, shape));
        }
    }
    all
}

/// Reads every file through the program's own decoder, on so many threads.
fn inflate(threads: usize, path: &Path) {
    let mut exhibits = discover(&[path.to_owned()]).unwrap().exhibits;
    exhibits.sort_by_key(|exhibit| exhibit.bytes);
    let left = Mutex::new(exhibits);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut buffer = vec![0; 1 << 20];
                loop {
                    let next = left.lock().unwrap().pop();
                    let Some(exhibit) = next else { return };
                    let content =
                        exhibit.open(Access::Buffered, Hashing::None);
                    let Ok(Content::Stream(mut stream)) = content else {
                        continue;
                    };
                    while stream.read(&mut buffer).unwrap_or(0) > 0 {}
                }
            });
        }
    });
}
