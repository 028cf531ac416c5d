//! Faults in files that people write: where, what, and what to do.
//!
//! In: positions found by the YAML reader and the words of the other readers
//! of this folder. Out: [`Diagnostic`]s, which carry the line they speak of,
//! so that they can be shown after the file is gone. The shape is that of a
//! compiler's messages because editors and eyes already know it.
//!
//! Rule files may come from strangers: nothing here is escaped, the caller
//! escapes each line of [`Diagnostic::render`] when it writes it.

use std::cell::OnceCell;

use unicode_width::UnicodeWidthChar as _;

use crate::error::Error;
use crate::raw::Raw;

/// Faults of one file that are kept. More help nobody, and each may carry a
/// line of text: without a bound a file of faults costs more than a rule.
const LISTED: usize = 20;

/// Characters of a source line that are kept with a fault.
const SOURCE_CHARS: usize = 300;

/// Characters of a name or value that a message quotes.
const QUOTED_CHARS: usize = 60;

/// One fault of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, as given.
    pub file: Raw,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong. May quote the file: escape it.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The text of that line; `None` where the column lies far out in a very
    /// long line.
    pub source: Option<String>,
}

impl Diagnostic {
    /// The lines for people: the message, the place, the source line with a
    /// caret below the column, the help. They are not escaped yet.
    pub fn render(&self) -> Vec<String> {
        self.render_as("error")
    }

    /// The same under another word than `error`.
    pub fn render_as(&self, word: &str) -> Vec<String> {
        let file = String::from_utf8_lossy(self.file.as_bytes());
        let mut lines = vec![
            format!("{word}: {}", self.message),
            format!(" --> {file}:{}:{}", self.line, self.column),
        ];
        if let Some(source) = &self.source {
            let number = self.line.to_string();
            let margin = " ".repeat(number.len());
            lines.push(format!("{number} | {source}"));
            lines.push(format!("{margin} | {}^", lead(source, self.column)));
        }
        if let Some(help) = &self.help {
            lines.push(format!("help: {help}"));
        }
        lines
    }

    /// The fault on one line, as grep and editors write it.
    pub fn brief(&self) -> String {
        let file = String::from_utf8_lossy(self.file.as_bytes());
        format!("{file}:{}:{}: {}", self.line, self.column, self.message)
    }
}

impl From<Diagnostic> for Error {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::signature(diagnostic.brief())
    }
}

/// Blanks as wide as the text before the column. Tabs stay tabs.
fn lead(source: &str, column: usize) -> String {
    let mut blanks = String::new();
    for char in source.chars().take(column.saturating_sub(1)) {
        match char {
            '\t' => blanks.push('\t'),
            _ => (0..char.width().unwrap_or(0)).for_each(|_| blanks.push(' ')),
        }
    }
    blanks
}

/// A name or value for a message: in backquotes, cut where it is long.
pub(super) fn quote(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS) {
        None => format!("`{text}`"),
        Some((cut, _)) => {
            format!("`{}…`", text.get(..cut).unwrap_or_default())
        }
    }
}

/// The known word nearest to `word`, where one is near enough to be meant.
pub(super) fn nearest<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    let word: Vec<char> = word.to_lowercase().chars().take(32).collect();
    let near = known
        .iter()
        .map(|other| (distance(&word, other), *other))
        .min_by_key(|(distance, _)| *distance);
    near.filter(|(distance, other)| {
        *distance <= 2 && *distance * 2 <= other.len().max(word.len())
    })
    .map(|(_, other)| other)
}

/// The help for an unknown word: the nearest one, else all of them.
pub(super) fn suggest(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", known.join(", ")),
    }
}

/// Letters to insert, delete or replace (Levenshtein).
pub(super) fn distance(from: &[char], to: &str) -> usize {
    let mut row: Vec<usize> = (0..=from.len()).collect();
    for (line, char) in to.chars().enumerate() {
        let mut left = line + 1;
        let mut next = vec![left];
        for (pair, other) in row.windows(2).zip(from) {
            let &[diagonal, above] = pair else { continue };
            let replaced = diagonal + usize::from(*other != char);
            left = replaced.min(left + 1).min(above + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

/// A place in a file; both count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub line: usize,
    pub column: usize,
}

/// A fault inside one scalar, before anyone knows where that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misread {
    /// Characters of the scalar's value before the fault.
    pub offset: usize,
    pub message: String,
    pub help: Option<String>,
}

impl Misread {
    pub fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into(), help: None }
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The faults of one file as they are found.
#[derive(Debug)]
pub(super) struct Faults<'a> {
    file: &'a Raw,
    text: &'a [u8],
    /// Where lines start; made with the first fault.
    starts: OnceCell<Vec<usize>>,
    found: Vec<Diagnostic>,
    unlisted: usize,
}

impl<'a> Faults<'a> {
    pub fn new(file: &'a Raw, text: &'a [u8]) -> Self {
        let starts = OnceCell::new();
        Self { file, text, starts, found: Vec::new(), unlisted: 0 }
    }

    /// True where no further fault will be listed. Loops over a large file
    /// check it, since finding the words of a fault takes time.
    pub fn is_full(&self) -> bool {
        self.found.len() >= LISTED
    }

    /// Counts a fault that is not listed.
    pub fn skip(&mut self) {
        self.unlisted += 1;
    }

    /// The file's name.
    pub fn file(&self) -> &'a Raw {
        self.file
    }

    /// The file's text.
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.found.len() + self.unlisted
    }

    /// Adds a fault.
    pub fn add(&mut self, at: Position, message: impl Into<String>) {
        self.push(at, message.into(), None);
    }

    /// Adds a fault with what to do about it.
    pub fn advise(
        &mut self,
        at: Position,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(at, message.into(), Some(help.into()));
    }

    /// Adds a fault.
    pub fn push(
        &mut self,
        at: Position,
        message: String,
        help: Option<String>,
    ) {
        if self.is_full() {
            self.skip();
            return;
        }
        let source = self.source(at);
        let file = self.file.clone();
        let Position { line, column } = at;
        self.found.push(Diagnostic {
            file,
            line,
            column,
            message,
            help,
            source,
        });
    }

    /// The value where there is no fault, else all faults in the order of
    /// the file.
    pub fn finish<T>(mut self, value: T) -> Result<T, Vec<Diagnostic>> {
        if self.found.is_empty() {
            return Ok(value);
        }
        self.found.sort_by_key(|fault| (fault.line, fault.column));
        if self.unlisted > 0 {
            let last = self.found.last();
            let (line, column) =
                last.map_or((1, 1), |fault| (fault.line, fault.column));
            self.found.push(Diagnostic {
                file: self.file.clone(),
                line,
                column,
                message: "further faults are not listed".to_owned(),
                help: None,
                source: None,
            });
        }
        Err(self.found)
    }

    /// What is listed, as it came: for findings that are no faults.
    pub fn into_found(self) -> Vec<Diagnostic> {
        self.found
    }

    /// The text from where a line starts to the end of the file.
    pub fn rest_from(&self, line: usize) -> Option<&'a [u8]> {
        let starts = self.starts.get_or_init(|| line_starts(self.text));
        let start = *starts.get(line.checked_sub(1)?)?;
        self.text.get(start..)
    }

    fn source(&self, at: Position) -> Option<String> {
        let rest = self.rest_from(at.line)?;
        let line = rest.split(|byte| matches!(byte, b'\n' | b'\r')).next()?;
        if at.column > SOURCE_CHARS {
            return None;
        }
        let head = line.get(..SOURCE_CHARS * 4).unwrap_or(line);
        let text = String::from_utf8_lossy(head);
        match text.char_indices().nth(SOURCE_CHARS) {
            None => Some(text.into_owned()),
            Some((cut, _)) => {
                Some(format!("{}…", text.get(..cut).unwrap_or_default()))
            }
        }
    }
}

/// Where lines start. As in YAML, a line ends with LF, CR LF or CR.
fn line_starts(text: &[u8]) -> Vec<usize> {
    let mut starts = vec![0];
    let mut bytes = text.iter().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        let followed = bytes.peek().is_some_and(|(_, next)| **next == b'\n');
        if *byte == b'\n' || (*byte == b'\r' && !followed) {
            starts.push(at + 1);
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: usize, column: usize) -> Position {
        Position { line, column }
    }

    #[test]
    fn renders_like_a_compiler() {
        let file = Raw::from("a.yml");
        let mut faults = Faults::new(&file, "x: 1\n\té界y: 2\r\nz".as_bytes());
        faults.advise(at(2, 4), "what is `y`", "known: x");
        let found = faults.finish(()).unwrap_err();
        let lines = found[0].render();
        assert_eq!(
            lines,
            [
                "error: what is `y`",
                " --> a.yml:2:4",
                "2 | \té界y: 2",
                "  | \t   ^",
                "help: known: x",
            ]
        );
        let error = Error::from(found[0].clone());
        assert!(error.is_signature());
        assert_eq!(error.to_string(), "a.yml:2:4: what is `y`");
    }

    #[test]
    fn keeps_a_bounded_number() {
        let file = Raw::from("a.yml");
        let text = vec![b'x'; 1 << 20];
        let mut faults = Faults::new(&file, &text);
        for column in 1..1000 {
            faults.add(at(1, column), "no");
        }
        assert_eq!(faults.count(), 999);
        let found = faults.finish(()).unwrap_err();
        assert_eq!(found.len(), LISTED + 1);
        assert_eq!(found[LISTED].message, "further faults are not listed");
        assert!(found[0].source.as_ref().unwrap().len() < 400);
    }

    #[test]
    fn survives_places_that_are_not_there() {
        let file = Raw::from(&b"\xff.yml"[..]);
        let mut faults = Faults::new(&file, b"\xff\xfe");
        faults.add(at(0, 0), "zero");
        faults.add(at(7, 900), "far");
        faults.add(at(1, 3), "end");
        for diagnostic in faults.finish(()).unwrap_err() {
            assert!(diagnostic.render().len() >= 2);
        }
    }

    #[test]
    fn suggests_the_nearest_word() {
        let known = ["contains", "startswith", "re", "all"];
        assert_eq!(nearest("contain", &known), Some("contains"));
        assert_eq!(nearest("starstwith", &known), Some("startswith"));
        assert_eq!(nearest("xyz", &known), None);
        assert_eq!(nearest("", &known), None);
        assert_eq!(suggest("Contains", &known), "did you mean `contains`?");
        assert_eq!(nearest(&"x".repeat(1 << 20), &known), None);
    }

    #[test]
    fn counts_lines_as_yaml_does() {
        assert_eq!(line_starts(b"a\nb\r\nc\rd"), [0, 2, 5, 7]);
    }
}
