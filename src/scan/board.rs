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
use crate::scan::tray::Tray;
use crate::scan::work::{Work, lock};

/// What a thread does next.
pub(super) enum Task<'s, C: Collector> {
    /// Open an exhibit and work on it.
    Open(&'s Exhibit),
    /// Help with an open one.
    Help(Arc<Work<'s, C>>),
    /// Open members of an archive.
    Take(Arc<Tray>),
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
    /// Archives whose members are there to be taken.
    trays: Vec<Arc<Tray>>,
    /// Exhibits that are being opened, are open or are being closed.
    underway: usize,
}

impl<'s, C: Collector> Board<'s, C> {
    /// A board of closed exhibits, the next one last.
    pub fn new(closed: Vec<&'s Exhibit>) -> Self {
        let (open, trays) = (Vec::new(), Vec::new());
        let plan = Plan { closed, open, trays, underway: 0 };
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
            // What is open first: so few archives are open at once.
            let mut trays = plan.trays.iter();
            if let Some(tray) = trays.find(|it| it.has_more()) {
                return Some(Task::Take(Arc::clone(tray)));
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

    /// Shows an archive, so that others can take its members.
    pub fn put_up(&self, tray: &Arc<Tray>) {
        lock(&self.plan).trays.push(Arc::clone(tray));
        self.changed.ring();
    }

    /// A thread found nothing more in an archive. The last one gets it back,
    /// to close it and then say [`Board::closed`].
    pub fn take_down(&self, tray: Arc<Tray>) -> Option<Tray> {
        let mut plan = lock(&self.plan);
        plan.trays.retain(|it| !Arc::ptr_eq(it, &tray));
        drop(plan);
        Arc::into_inner(tray)
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
