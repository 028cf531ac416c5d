//! Who does what next.
//!
//! In: exhibits, the largest first. Out: each thread's next task. A thread
//! opens an exhibit of its own while there are any, so that ten thousand
//! small files cost no more talk than one; once there are none it helps
//! with those that others have open, so that nobody waits for a long file
//! at the end.

use std::sync::{Arc, Mutex};

use crate::evidence::Exhibit;
use crate::scan::bell::Bell;
use crate::scan::collector::Collector;
use crate::scan::work::{Work, lock};

/// What a thread does next.
pub(super) enum Task<'s, C: Collector> {
    /// Open an exhibit and work on it.
    Open(&'s Exhibit),
    /// Help with an open one.
    Help(Arc<Work<'s, C>>),
}

/// What is to be done.
pub(super) struct Board<'s, C: Collector> {
    plan: Mutex<Plan<'s, C>>,
    changed: Bell,
}

struct Plan<'s, C: Collector> {
    /// Not yet opened, the next one last.
    closed: Vec<&'s Exhibit>,
    /// Each with the number of threads that work on it.
    open: Vec<(Arc<Work<'s, C>>, usize)>,
    /// Exhibits that are being opened, are open or are being closed.
    underway: usize,
}

impl<'s, C: Collector> Board<'s, C> {
    /// A board of closed exhibits, the next one last.
    pub fn new(closed: Vec<&'s Exhibit>) -> Self {
        let plan = Plan { closed, open: Vec::new(), underway: 0 };
        Self { plan: Mutex::new(plan), changed: Bell::default() }
    }

    /// A board with one open exhibit, which nobody works on yet.
    pub fn of(work: Work<'s, C>) -> Self {
        let board = Self::new(Vec::new());
        {
            let mut plan = lock(&board.plan);
            plan.open.push((Arc::new(work), 0));
            plan.underway = 1;
        }
        board
    }

    /// True where there are many exhibits.
    pub fn is_crowded(&self) -> bool {
        const MANY: usize = 256;
        lock(&self.plan).closed.len() > MANY
    }

    /// The next task; `None` where nothing is left. Waits while something
    /// may come.
    pub fn next(&self, interrupted: &dyn Fn() -> bool) -> Option<Task<'s, C>> {
        let mut plan = lock(&self.plan);
        loop {
            if interrupted() {
                plan.closed.clear();
            }
            if let Some(exhibit) = plan.closed.pop() {
                plan.underway += 1;
                return Some(Task::Open(exhibit));
            }
            let open = plan.open.iter_mut();
            if let Some((work, workers)) =
                open.into_iter().find(|(work, _)| work.has_more())
            {
                *workers += 1;
                return Some(Task::Help(Arc::clone(work)));
            }
            if plan.underway == 0 {
                return None;
            }
            plan = self.changed.wait(plan);
        }
    }

    /// Shows an exhibit that was opened, so that others can help.
    pub fn show(&self, work: Work<'s, C>) -> Arc<Work<'s, C>> {
        let work = Arc::new(work);
        lock(&self.plan).open.push((Arc::clone(&work), 1));
        self.changed.ring();
        work
    }

    /// A thread is done with an exhibit. The last one gets it back, to close
    /// it and then say [`Board::closed`].
    pub fn leave(&self, work: Arc<Work<'s, C>>) -> Option<Work<'s, C>> {
        let mut plan = lock(&self.plan);
        let at = plan.open.iter().position(|(it, _)| Arc::ptr_eq(it, &work));
        let at = at?;
        let (_, workers) = plan.open.get_mut(at)?;
        *workers -= 1;
        if *workers > 0 || work.has_more() {
            // Under the lock: the last one must find no other owner.
            drop(work);
            return None;
        }
        plan.open.swap_remove(at);
        drop(plan);
        Arc::into_inner(work)
    }

    /// A member of an archive is opened, beside what [`Board::next`] gave.
    pub fn opened(&self) {
        lock(&self.plan).underway += 1;
    }

    /// An exhibit is closed.
    pub fn closed(&self) {
        lock(&self.plan).underway -= 1;
        self.changed.ring();
    }
}
