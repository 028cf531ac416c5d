//! Progress on standard error, and Ctrl-C.
//!
//! In: what a scan tells through its seam. Out: a bar over bytes with rate
//! and time left, where a terminal would show it; and whether someone asked
//! to stop. The first Ctrl-C ends the scan in order, so that what was found
//! is given; the second ends the program at once.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::exit::Exit;
use crate::error::Result;
use crate::evidence::{Evidence, discover, discover_watched};
use crate::scan;

/// Drawn often enough to be alive; seldom enough to cost nothing.
const DRAWS_PER_SECOND: u8 = 10;

/// Fits into 80 columns; narrower terminals cut it.
const TEMPLATE: &str =
    "{bar:28} {bytes}/{total_bytes} {bytes_per_sec} {eta} left";

/// Progress and interruption of one scan.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    interrupted: Arc<AtomicBool>,
}

impl Progress {
    /// Begins to listen for Ctrl-C. A bar is drawn where `visible`.
    pub fn new(visible: bool) -> Self {
        let target = if visible {
            ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { bar, interrupted: listen() }
    }
}

/// Finds the exhibits; says how many there are so far where `visible`.
pub fn find(paths: &[PathBuf], visible: bool) -> Result<Evidence> {
    if !visible {
        return discover(paths);
    }
    let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
    let count = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{human_pos} files found")
    {
        count.set_style(style);
    }
    let evidence = discover_watched(paths, &mut |files| {
        count.set_position(files);
    });
    count.finish_and_clear();
    evidence
}

impl scan::Progress for Progress {
    fn begin(&self, bytes: u64) {
        self.bar.set_length(bytes);
        self.bar.enable_steady_tick(Duration::from_millis(200));
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

/// A flag that the first signal sets. The order matters: the second signal
/// must find the flag set before this one sets it. Where the platform
/// refuses a signal, that signal ends the program as it always does.
fn listen() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let code = i32::from(Exit::Interrupted.code());
    for signal in [SIGINT, SIGTERM] {
        let armed = Arc::clone(&flag);
        let _ = flag::register_conditional_shutdown(signal, code, armed)
            .and_then(|_| flag::register(signal, Arc::clone(&flag)));
    }
    flag
}
