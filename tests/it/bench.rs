//! A small run of the end-to-end benchmark, so that it never rots. No
//! timing is asserted: what is measured must be measurable, no more.
//!
//! In: the harness of `benches/`, the program. Out: figures and a record.

use std::fs;
use std::path::PathBuf;

use iisleuth::evidence::Access;
use iisleuth::scan::Scanner;

use crate::scanning::{embedded, options, scan};
use crate::support::{Folder, bin, root};

#[path = "../../benches/harness/mod.rs"]
#[allow(dead_code)] // the benchmark uses more of it
mod harness;

use harness::figures::{ADVERSE, ALL, Bench, Figure, adverse};
use harness::generate::{Generator, Recipe, Shape};
use harness::{record, tree};

fn bench(folder: &Folder) -> Bench {
    let program: PathBuf = bin().get_program().into();
    Bench {
        // Only to have something that runs.
        own: program.clone(),
        program,
        literals: root().join("benches/literals.txt"),
        folder: folder.path().to_owned(),
        bytes: 200 << 10,
        pairs: 1,
        threads: 2,
    }
}

#[test]
fn every_figure_can_be_measured() {
    let folder = Folder::new("bench");
    let bench = bench(&folder);
    let mut figures: Vec<Figure> = Vec::new();
    for (name, measure) in ALL {
        // These need other programs, which may be missing.
        if !["ripgrep", "ripgrep-tree", "grep", "wc"].contains(&name) {
            let found = measure(&bench);
            assert!(!found.is_empty(), "{name}");
            figures.extend(found);
        }
    }
    for shape in ADVERSE {
        figures.extend(adverse(&bench, shape));
    }
    for figure in &figures {
        assert!(figure.ratio.is_finite(), "{figure:?}");
    }
    let records = folder.path().join("records");
    record::append(&records, bench.bytes, &figures).unwrap();
    let file = fs::read_dir(&records).unwrap().next().unwrap().unwrap();
    let text = fs::read_to_string(file.path()).unwrap();
    let columns = |line: &str| line.split(',').count();
    assert_eq!(text.lines().count(), figures.len() + 1);
    assert!(text.lines().all(|line| columns(line) == 10), "{text}");
}

/// What the figures rest on: the logs are what they say they are.
#[test]
fn made_up_logs_are_whole_and_always_the_same() {
    for (word, shape) in Shape::ALL {
        let folder = Folder::new("made-up");
        let recipe = Recipe { shape, ..Recipe::default() };
        let path = folder.path().join("W3SVC1/made.log");
        tree::file(recipe, 300 << 10, &path).unwrap();
        let bytes = fs::read(&path).unwrap();
        let again = folder.path().join("again.log");
        tree::file(recipe, 300 << 10, &again).unwrap();
        assert!(bytes == fs::read(&again).unwrap(), "{word}: other bytes");
        let scanner =
            Scanner::new(embedded(), options(1, 1 << 20, Access::Auto));
        let (case, _) = scan(&scanner.unwrap(), embedded(), &[path]);
        let row = &case.exhibits[0];
        let hits: u64 =
            case.findings.iter().map(|it| it.outcomes.hits()).sum();
        match shape {
            Shape::ShortLines => assert!(row.rejected > 100_000, "{word}"),
            Shape::Attacks => {
                assert!(hits * 10 >= row.records * 9, "{word}: {hits}");
            }
            Shape::OneLine | Shape::Columns => {
                assert!(row.lines < 12, "{word}: {}", row.lines);
            }
            _ => assert_eq!(row.rejected, 0, "{word}"),
        }
        let wrapped = bytes.split(|byte| *byte == b'\n');
        let wrapped = wrapped.filter(|line| line.contains(&b'%')).count();
        if shape == Shape::Iis10 {
            let each = bytes.len() as u64 / row.records;
            assert!((255..290).contains(&each), "{each} bytes a line");
            let share = wrapped * 100 / row.records as usize;
            assert!((11..18).contains(&share), "{share} % with escapes");
        }
    }
}

#[test]
fn the_seed_changes_the_log() {
    let log = |seed| {
        let recipe = Recipe { seed, ..Recipe::default() };
        let mut bytes = Vec::new();
        Generator::new(recipe).lines(10_000, &mut bytes);
        bytes
    };
    assert!(log(1) == log(1) && log(1) != log(2));
}
