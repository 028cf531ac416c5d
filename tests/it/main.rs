//! The integration tests: one program, a module a topic, so that it links
//! once.
//!
//! | module | asks |
//! |---|---|
//! | `accounting` | is every line accounted for, whatever it holds? |
//! | `agreement` | do another evaluator of Sigma and we match the same? |
//! | `archives`, `bombs` | is evidence in archives the same evidence, and do bad ones stay harmless? |
//! | `bad_rules` | are bad rules refused, at once and with the place? |
//! | `bench` | does the benchmark still run? |
//! | `codepages` | are bytes that are no UTF-8 read as they were meant? |
//! | `commands` | do messages and exit codes hold, on the real binary? |
//! | `copies` | do copies count once? |
//! | `corpus` | are real logs accounted for and judged as a person would? |
//! | `crowds` | what does one more of many small files cost? |
//! | `cuts` | does it matter where a file is cut? |
//! | `determinism` | the same bytes, however it is scanned? |
//! | `dialects` | is every dialect read alike, and no byte moved? |
//! | `explain` | does what is said of one line agree with a scan? |
//! | `faults` | do damaged files stay harmless? |
//! | `hostile` | can text from outside steer a terminal? |
//! | `hosts` | does what the examiner knows of hosts go first? |
//! | `inventory` | does the first look tell what is there? |
//! | `layers` | does the source keep to the way of the data? |
//! | `library` | (what tests of the library share) |
//! | `locks` | is what is encrypted opened, or named? |
//! | `missing_columns` | is what cannot be judged for want of a column told as that? |
//! | `mutations` | does a request that means the same keep its hit? |
//! | `noise` | does ordinary traffic raise no alarm? |
//! | `oracle` | do fast path and naive twin agree? |
//! | `packages` | does the lock file keep to few, known packages? |
//! | `packed_samples`, `packers` | (archives of others, and ways to make them) |
//! | `scanning` | (how the topics scan through the library) |
//! | `showcase` | does the made-up incident come out as told? |
//! | `showcase_maker` | (makes the incident) |
//! | `signature_commands` | do the commands on signatures answer what is asked? |
//! | `support` | (what the topics share) |
//! | `verdicts` | does each answer get its outcome? |

// Where these fail the message is the panic; clippy knows only `#[test]`.
#![allow(clippy::unwrap_used, clippy::expect_used)]
// Pedantic lints guard the product; here the plainest way is the best twin.
#![allow(clippy::pedantic)]

mod accounting;
mod agreement;
mod archives;
mod bad_rules;
mod bench;
mod bombs;
mod codepages;
mod commands;
mod copies;
mod corpus;
mod correlations;
mod crowds;
mod cuts;
mod determinism;
mod dialects;
mod explain;
mod faults;
mod hostile;
mod hosts;
mod inventory;
mod layers;
mod library;
mod locks;
mod missing_columns;
mod mutations;
mod noise;
mod oracle;
mod overlaps;
mod packages;
mod packed_samples;
mod packers;
mod scanning;
mod showcase;
mod showcase_maker;
mod signature_commands;
mod support;
mod ties;
mod verdicts;
