//! Correlations over ordinary traffic.
//!
//! In: made logs in which few clients send much, for where each client is
//! seen a few times only nothing could add up. Out: the correlations that
//! hold, how often, and one hit of each. One case is a server and what its
//! logs of a day hold:
//!
//! - `DAY`: a hundred clients, from morning to night;
//! - `RUSH`: twenty clients who do nothing else for a quarter of an hour;
//! - `GATEWAY`: four addresses, behind each of which sits an office.

use std::collections::BTreeMap;
use std::sync::Mutex;

use iisleuth::case::Case;
use iisleuth::raw::Raw;
use iisleuth::scan::{ScanOptions, Scanner};
use serde_json::Value;

use super::traffic::{Pace, Traffic};
use super::{Fired, add, for_each};
use crate::scanning::{builder, embedded, scan};
use crate::support::corpus;

const DAY: Pace = Pace { step: 17, outside: 40, inside: (1, 60) };
const RUSH: Pace = Pace { step: 2, outside: 8, inside: (1, 12) };
const GATEWAY: Pace = Pace { step: 2, outside: 2, inside: (1, 2) };

/// The servers: pace, logs, and lines of each.
const SERVERS: [(Pace, usize, usize); 3] =
    [(DAY, 7, 5000), (RUSH, 16, 2000), (GATEWAY, 16, 2000)];

/// The correlations that hold in a case.
fn held(case: &Case) -> Fired {
    let mut lines = Vec::new();
    case.correlated_hits().write(&mut lines).unwrap();
    let mut fired = Fired::new();
    for line in lines.split(|byte| *byte == b'\n').filter(|it| !it.is_empty())
    {
        let hit: Value = serde_json::from_slice(line).unwrap();
        let rule = hit["rule"].as_str().unwrap().to_owned();
        add(&mut fired, BTreeMap::from([(rule, (1, line.to_vec()))]));
    }
    fired
}

/// What so many days of the servers raise, and their lines.
pub fn made(days: usize) -> (Fired, u64) {
    let traffic = Traffic::new();
    let options = ScanOptions { threads: 1, ..ScanOptions::default() };
    let scanner = Scanner::new(embedded(), options).unwrap();
    let all = Mutex::new((Fired::new(), 0));
    for_each(days * SERVERS.len(), |n| {
        let (pace, logs, lines) = SERVERS[n % SERVERS.len()];
        let builder = builder(embedded());
        for log in 0..logs {
            let name = format!("made-{log}");
            let text = traffic.log((n * 100 + log) as u64, lines, pace);
            scanner.scan_bytes(&Raw::from(name.as_str()), &text, &builder);
        }
        let (case, _) = builder.finish();
        let records = case.exhibits.iter().map(|it| it.records);
        let records: u64 = records.sum();
        assert_eq!(records, (logs * lines) as u64, "each line is a record");
        let mut all = all.lock().unwrap();
        add(&mut all.0, held(&case));
        all.1 += records;
    });
    all.into_inner().unwrap()
}

/// What the clean logs of the corpus raise.
pub fn clean() -> Option<Fired> {
    let folder = corpus()?.join("clean");
    let scanner = Scanner::new(embedded(), ScanOptions::default()).unwrap();
    Some(held(&scan(&scanner, embedded(), &[folder]).0))
}
