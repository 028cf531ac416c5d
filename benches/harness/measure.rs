//! Runs whole programs against the clock.
//!
//! Machines are noisy and drift, so two programs run in turn and their times
//! are compared pair by pair; the median of the ratios is what counts.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// One run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Run {
    pub seconds: f64,
    /// The most anonymous memory seen, in KiB; 0 where nothing tells. Looked
    /// at every few milliseconds.
    pub anonymous_kib: u64,
}

/// Two programs that ran in turn.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pair {
    pub ours: Run,
    pub other: Run,
    /// The median of ours by other, pair by pair.
    pub ratio: f64,
}

/// Runs a program to its end; its output goes nowhere.
pub fn run(command: &mut Command) -> Run {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn().expect("the program starts");
    let anonymous_kib = watch(&mut child);
    let seconds = start.elapsed().as_secs_f64();
    Run { seconds, anonymous_kib }
}

fn watch(child: &mut Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("RssAnon:"));
        let word = line.and_then(|line| line.split_whitespace().nth(1));
        most = most.max(word.and_then(|it| it.parse().ok()).unwrap_or(0));
        // A short program is not kept from its end by a long look.
        for _ in 0..8 {
            if child.try_wait().expect("the program is ours").is_some() {
                return most;
            }
            std::thread::sleep(Duration::from_micros(500));
        }
    }
}

/// Runs two programs in turn, after one run of each that does not count.
pub fn pairs(
    runs: usize,
    ours: &dyn Fn() -> Command,
    other: &dyn Fn() -> Command,
) -> Pair {
    run(&mut ours());
    run(&mut other());
    let mut seen = Vec::new();
    for _ in 0..runs.max(1) {
        let (ours, other) = (run(&mut ours()), run(&mut other()));
        seen.push((ours, other));
    }
    let of = |pick: fn(&(Run, Run)) -> Run| {
        let seconds = seen.iter().map(|pair| pick(pair).seconds).collect();
        let most = seen.iter().map(|pair| pick(pair).anonymous_kib).max();
        Run { seconds: median(seconds), anonymous_kib: most.unwrap_or(0) }
    };
    let ratio = |(ours, other): &(Run, Run)| ours.seconds / other.seconds;
    Pair {
        ours: of(|pair| pair.0),
        other: of(|pair| pair.1),
        ratio: median(seen.iter().map(ratio).collect()),
    }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
