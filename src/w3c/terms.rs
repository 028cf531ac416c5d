//! What the reading of a log needs to know and no directive in it says.
//!
//! In: what the user told, and what the first rows show. Out: the layouts of
//! rows that no `#Fields` came before, the time zone of local times, and
//! which of day and month comes first.

use std::sync::Arc;

use crate::w3c::dates::{self, DateOrder};
use crate::w3c::dialect::has_own_form;
use crate::w3c::form::Form;
use crate::w3c::infer::infer;
use crate::w3c::zone::Zone;
use crate::w3c::{Field, Layout, Line, Parser, State};

/// What the user tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The zone of local times.
    pub zone: Option<Zone>,
    /// Which of day and month comes first.
    pub date_order: Option<DateOrder>,
    /// The columns of rows that no `#Fields` came before.
    pub fields: Option<Vec<u8>>,
}

/// How rows are read that do not say it themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    /// The zone of local times; read as UTC where nobody tells.
    pub(super) zone: Option<Zone>,
    /// Which of day and month comes first, where that is known.
    pub(super) order: Option<DateOrder>,
    /// Tried one after the other where no `#Fields` is in force.
    pub(super) layouts: Vec<Arc<Layout>>,
}

impl Terms {
    /// The terms of a log that begins with `head`. `day` is that of its name:
    /// a date that is written both ways must fit it. `None` where its own
    /// directives say all there is to say.
    pub fn of(
        head: &[u8],
        told: &Told,
        day: Option<(i32, u8, u8)>,
    ) -> Option<Arc<Self>> {
        let rows = Rows::of(head);
        if rows.without.is_empty() && *told == Told::default() {
            return None;
        }
        let mut terms = Self {
            zone: told.zone.clone(),
            order: told.date_order,
            layouts: Vec::new(),
        };
        if !rows.without.is_empty() {
            terms.layouts = layouts(&rows, told);
            let order = || rows.order(&terms.layouts, day);
            terms.order = terms.order.or_else(order);
        }
        Some(Arc::new(terms))
    }

    /// The order to read a date in.
    pub(super) fn date_order(&self) -> (DateOrder, bool) {
        (self.order.unwrap_or(DateOrder::MonthFirst), self.order.is_some())
    }

    /// The server that the first row names, of a log that is read under
    /// these terms.
    pub fn computer(
        terms: Option<&Arc<Self>>,
        head: &[u8],
    ) -> Option<Vec<u8>> {
        let terms = terms.cloned();
        let mut parser = Parser::new(State { terms, ..State::default() });
        let lines = head.split(|byte| *byte == b'\n');
        lines.take(50).find_map(|line| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let Line::Record(record) = parser.line(line, false) else {
                return None;
            };
            record.get(Field::SComputername).map(<[u8]>::to_owned)
        })
    }

    /// What was told from the rows, and how surely, for people.
    pub fn inferred(&self) -> impl Iterator<Item = String> {
        self.layouts.iter().filter(|it| it.is_inferred()).map(|layout| {
            let names: Vec<_> =
                layout.names().map(String::from_utf8_lossy).collect();
            let surely =
                if layout.is_telling() { "likely" } else { "possible" };
            let names = names.join(" ");
            format!(
                "no #Fields directive: columns told from the rows \
                 ({surely}), else say --fields: {names}"
            )
        })
    }
}

/// The first lines of a log.
struct Rows<'a> {
    /// Rows that no `#Fields` came before.
    without: Vec<&'a [u8]>,
    /// The first `#Fields` after them.
    next: Option<Arc<Layout>>,
}

impl<'a> Rows<'a> {
    fn of(head: &'a [u8]) -> Self {
        /// Enough to see what a column holds.
        const ENOUGH: usize = 500;
        let mut rows = Self { without: Vec::new(), next: None };
        let mut parser = Parser::default();
        for line in head.split_inclusive(|byte| *byte == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            match parser.line(text, false) {
                Line::Rejected(_) if line.ends_with(b"\n") => {
                    rows.without.push(text);
                }
                // The last line of a head may lack its end.
                Line::Rejected(_) if rows.without.is_empty() => {
                    rows.without.push(text);
                }
                Line::Rejected(_) | Line::Blank | Line::Directive => {}
                Line::Record(_) => break,
            }
            rows.next.clone_from(&parser.state().layout);
            if rows.next.is_some() || rows.without.len() >= ENOUGH {
                break;
            }
        }
        rows
    }

    /// The order of day and month that the rows show, or that makes one of
    /// them fall on the day of the file's name, or the day after.
    fn order(
        &self,
        layouts: &[Arc<Layout>],
        day: Option<(i32, u8, u8)>,
    ) -> Option<DateOrder> {
        let layouts = layouts.to_vec();
        let terms = Terms { layouts, ..Terms::default() };
        let terms = Some(Arc::new(terms));
        let mut parser = Parser::new(State { terms, ..State::default() });
        let mut first = None;
        for row in &self.without {
            let Line::Record(record) = parser.line(row, false) else {
                continue;
            };
            if record.layout.form() != Form::Native {
                continue;
            }
            let date = record.get(Field::Date).unwrap_or_default();
            let told = dates::tells(date);
            if told.is_some() {
                return told;
            }
            first = first.or_else(|| Some(date.to_owned()));
        }
        let (first, (_, month, day)) = (first?, day?);
        let on = (month, day);
        let orders = [DateOrder::MonthFirst, DateOrder::DayFirst];
        orders.into_iter().find(|order| {
            dates::read(&first, *order)
                .is_some_and(|(date, _)| date.month_and_day() == on)
        })
    }
}

/// The layouts to try: what the user told, else what the rows show, then
/// the forms that have one only.
fn layouts(rows: &Rows<'_>, told: &Told) -> Vec<Arc<Layout>> {
    let mut layouts = Vec::new();
    if let Some(text) = &told.fields {
        layouts.extend(Layout::from_fields(text));
    } else {
        // What has a form of its own leaves nothing to be guessed: a user's
        // name may look like a path.
        let open = rows.without.iter().filter(|row| !has_own_form(row));
        let open: Vec<_> = open.copied().collect();
        layouts = infer(&open, rows.next.as_deref());
    }
    let forms = [Form::Ncsa, Form::Native, Form::UrlScan];
    layouts.extend(forms.into_iter().filter_map(Layout::fixed));
    layouts.into_iter().map(Arc::new).collect()
}
