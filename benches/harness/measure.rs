//! Runs whole programs against the clock.
//!
//! Machines are noisy and drift, so two programs run in turn and their times
//! are compared pair by pair; the median of the ratios is what counts.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Two programs that ran in turn: the medians of their seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pair {
    pub ours: f64,
    pub other: f64,
    /// The median of ours by other, pair by pair.
    pub ratio: f64,
}

fn start(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the program starts")
}

/// Runs a program to its end; its output goes nowhere. How many seconds it
/// took. Nobody looks at it meanwhile: looking takes time from it.
pub fn run(command: &mut Command) -> f64 {
    let begin = Instant::now();
    start(command).wait().expect("the program is ours");
    begin.elapsed().as_secs_f64()
}

/// Runs a program to its end: the most anonymous memory seen, in MiB; 0
/// where nothing tells.
pub fn anonymous_mib(command: &mut Command) -> f64 {
    let mut child = start(command);
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0_u32;
    while child.try_wait().expect("the program is ours").is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with("RssAnon:"));
        let word = line.and_then(|line| line.split_whitespace().nth(1));
        most = most.max(word.and_then(|it| it.parse().ok()).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(1));
    }
    f64::from(most) / 1024.0
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
    let of =
        |pick: fn(&(f64, f64)) -> f64| median(seen.iter().map(pick).collect());
    Pair {
        ours: of(|pair| pair.0),
        other: of(|pair| pair.1),
        ratio: of(|pair| pair.0 / pair.1),
    }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
