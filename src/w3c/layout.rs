//! The columns that a `#Fields` directive announces, in force until the
//! next one.

use crate::limits;
use crate::w3c::form::{Form, csv_names};
use crate::w3c::{Field, field};

/// No such column.
const NONE: u16 = u16::MAX;

/// The columns of the lines that follow.
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    /// The names as found, one blank between them: small files have a
    /// layout each, and one text is made faster than fifteen.
    text: Vec<u8>,
    /// Where each name ends there.
    ends: Vec<usize>,
    /// The field of each column that a field has.
    fields: Vec<Option<Field>>,
    index: [u16; Field::COUNT],
    lead: Option<usize>,
    form: Form,
    local: bool,
    inferred: bool,
    /// The same for layouts of the same columns in the same order, and for
    /// hardly any others.
    mark: u64,
    /// It has the column in which URLScan says what it did.
    action: bool,
}

/// What tells when and where a record was written.
const ORIGIN: [Field; 6] = [
    Field::Date,
    Field::Time,
    Field::SSitename,
    Field::SComputername,
    Field::SIp,
    Field::SSiteid,
];

impl Layout {
    /// Reads the text after `#Fields:`. Names stand apart by any run of
    /// blanks or tabs; of a name given twice the first column counts.
    /// Names apart by commas are those of a log of Exchange. `None` where no
    /// name is given.
    pub fn from_fields(text: &[u8]) -> Option<Self> {
        match csv_names(text) {
            Some(names) => Self::of(&names, Form::Csv),
            None => Self::of(text, Form::Blanks),
        }
    }

    /// The layout of a form that has one only.
    pub(super) fn fixed(form: Form) -> Option<Self> {
        Self::of(form.names()?.as_bytes(), form)
    }

    /// The layout was told from the rows: it is not certain.
    #[must_use]
    pub(super) fn inferred(self) -> Self {
        Self { inferred: true, ..self }
    }

    /// True where the columns that a verdict hangs on have a name.
    pub fn is_telling(&self) -> bool {
        let url = self.has(Field::CsUriStem) || self.has(Field::CsUri);
        let wanted = [Field::CIp, Field::CsMethod, Field::ScStatus];
        url && wanted.into_iter().all(|field| self.has(field))
    }

    fn of(text: &[u8], form: Form) -> Option<Self> {
        let mut layout = Self {
            text: Vec::with_capacity(text.len()),
            ends: Vec::with_capacity(32),
            fields: Vec::with_capacity(32),
            index: [NONE; Field::COUNT],
            lead: None,
            form,
            local: form.is_local(),
            inferred: false,
            mark: 0,
            action: false,
        };
        let names = text
            .split(u8::is_ascii_whitespace)
            .filter(|name| !name.is_empty())
            .take(limits::COLUMNS - 1);
        for name in names {
            let column = u16::try_from(layout.ends.len()).unwrap_or(NONE);
            if column > 0 {
                layout.text.push(b' ');
            }
            layout.text.extend_from_slice(name);
            layout.ends.push(layout.text.len());
            layout.action |= name.eq_ignore_ascii_case(b"x-action");
            layout.local |= field::is_local(name);
            let field = Field::from_name(name)
                .filter(|field| layout.index[*field as usize] == NONE);
            if let Some(field) = field {
                layout.index[field as usize] = column;
            }
            layout.fields.push(field);
        }
        layout.lead = layout.find_lead();
        layout.mark = layout.find_mark();
        (!layout.ends.is_empty()).then_some(layout)
    }

    /// (FNV-1a.)
    fn find_mark(&self) -> u64 {
        self.text.iter().fold(0xCBF2_9CE4_8422_2325, |mark, byte| {
            let byte = u64::from(byte.to_ascii_lowercase());
            (mark ^ byte).wrapping_mul(0x100_0000_01B3)
        })
    }

    /// See the field.
    #[inline]
    pub fn mark(&self) -> u64 {
        self.mark
    }

    /// The name of each column in small letters: that of its field, where
    /// it has one.
    pub fn columns(&self) -> impl Iterator<Item = Vec<u8>> {
        self.names().zip(&self.fields).map(|(name, field)| match field {
            Some(field) => field.name().as_bytes().to_vec(),
            None => name.to_ascii_lowercase(),
        })
    }

    fn find_lead(&self) -> Option<usize> {
        let is_origin = |field: &Option<Field>| {
            field.is_some_and(|field| ORIGIN.contains(&field))
        };
        let lead = self.fields.iter().take_while(|it| is_origin(it)).count();
        let rest = self.fields.iter().skip(lead);
        let is_stamped = self.has(Field::Date) && self.has(Field::Time);
        let is_whole = is_stamped && !rest.into_iter().any(is_origin);
        let is_plain = self.form == Form::Blanks && !self.local;
        lead.checked_sub(1).filter(|_| is_whole && is_plain)
    }

    /// How its rows are cut into columns.
    #[inline]
    pub fn form(&self) -> Form {
        self.form
    }

    /// True where times are those of the server's clock.
    #[inline]
    pub fn is_local(&self) -> bool {
        self.local
    }

    /// True where a column says what URLScan did.
    pub(super) fn has_action(&self) -> bool {
        self.action
    }

    /// True where no directive named the columns: the rows did.
    pub fn is_inferred(&self) -> bool {
        self.inferred
    }

    /// The column up to which a line tells when, on which host and for
    /// which site it was written, where the columns behind tell nothing of
    /// that.
    #[inline]
    pub(super) fn lead(&self) -> Option<usize> {
        self.lead
    }

    /// How many columns a line must have.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Never true: a layout has a column.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The column of a field, from 0.
    #[inline]
    pub fn column(&self, field: Field) -> Option<usize> {
        match self.index[field as usize] {
            NONE => None,
            column => Some(usize::from(column)),
        }
    }

    /// The field whose column, from 0, it is.
    #[inline]
    pub fn field(&self, column: usize) -> Option<Field> {
        self.fields.get(column).copied().flatten()
    }

    /// True where the layout has the field.
    #[inline]
    pub fn has(&self, field: Field) -> bool {
        self.column(field).is_some()
    }

    /// The column of a custom name, in any letter case.
    pub fn column_named(&self, name: &[u8]) -> Option<usize> {
        self.names().position(|own| own.eq_ignore_ascii_case(name))
    }

    /// The names as found.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        let starts = self.ends.iter().map(|end| end + 1);
        let spans = std::iter::once(0).chain(starts).zip(&self.ends);
        spans
            .map(|(start, end)| self.text.get(start..*end).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_tabs_and_case_do_not_matter() {
        let layout =
            Layout::from_fields(b"  Date\ttime  cs(User-Agent) c-ip c-ip x ")
                .unwrap();
        assert_eq!(layout.len(), 6);
        assert_eq!(layout.column(Field::Date), Some(0));
        assert_eq!(layout.column(Field::CsUserAgent), Some(2));
        assert_eq!(layout.column(Field::CIp), Some(3));
        assert_eq!(layout.column_named(b"X"), Some(5));
        assert_eq!(layout.column(Field::ScStatus), None);
        assert!(Layout::from_fields(b" \t ").is_none());
    }

    #[test]
    fn the_lead_holds_all_that_tells_time_and_place() {
        let lead = |text: &[u8]| Layout::from_fields(text).unwrap().lead();
        assert_eq!(lead(b"date time s-ip cs-method"), Some(2));
        assert_eq!(lead(b"date time cs-method"), Some(1));
        assert_eq!(lead(b"date time c-ip s-ip"), None);
        assert_eq!(lead(b"time s-ip cs-method"), None);
        assert_eq!(lead(b"date time date s-ip"), None);
        assert_eq!(lead(b"cs-method date time"), None);
    }
}
