//! One line of a log, with all that decides how it is read.
//!
//! In: an exhibit and the number of a line; or a line that somebody typed.
//! Out: a [`LogLine`]: its bytes, and the state of the log before it. The
//! way to it is that of a scan, block after block through the same parser,
//! so that a line means here what it means there.

use std::path::Path;
use std::sync::Arc;
use std::thread;

use crate::evidence::{
    Archive, Budget, Content, Exhibit, Hashing, PathIdentity,
};
use crate::limits;
use crate::raw::Raw;
use crate::scan::collector::Setting;
use crate::scan::open::{Holding, Opened, hold};
use crate::scan::progress::Silent;
use crate::scan::reading::Reading;
use crate::scan::scanner::Scanner;
use crate::scan::source::{BlockBytes, Source};
use crate::scan::work::{Held, Origin};
use crate::w3c::dialect::detect;
use crate::w3c::{
    CodePage, Dialect, Directive, Line, Parser, State, bounded,
    split_directives,
};
use crate::warning::{Kind, Warning};

/// One line of a log.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// Where it stands; none where it was typed.
    pub place: Option<LinePlace>,
    /// What kind of log it is of.
    pub dialect: Dialect,
    /// How the log's text is encoded, where it had to be decoded.
    pub encoding: Option<&'static str>,
    /// How bytes in it are read that are no UTF-8, where the user tells.
    pub codepage: Option<CodePage>,
    /// As found, without its line end; of a line longer than
    /// [`limits::LINE_BYTES`] the start.
    pub text: Vec<u8>,
    /// It goes on beyond that.
    pub cut: bool,
    /// What earlier lines say about it.
    pub state: State,
    /// The line that named the columns in force, if one did.
    pub fields_line: Option<u64>,
}

/// Where a line stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinePlace {
    /// The exhibit, as reports name it.
    pub exhibit: Raw,
    /// From 1.
    pub line: u64,
    /// Where its first byte stands in the content.
    pub offset: u64,
}

/// What became of the search for a line.
#[derive(Debug)]
pub enum Sought {
    /// Here it is.
    Found(Box<LogLine>),
    /// The exhibit has so many lines; what was wrong with it, if anything.
    Short(u64, Vec<Warning>),
    /// It is an archive; some of the exhibits in it.
    Archive(Vec<Raw>),
}

/// Members of an archive that are named where none was asked for.
const NAMED: usize = 5;

impl LogLine {
    /// A line that was typed. Text before its last line is read first: there
    /// may be directives.
    pub fn typed(text: &[u8], reading: &Reading) -> Self {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let (before, last) = match memchr::memrchr(b'\n', text) {
            Some(at) => text.split_at(at + 1),
            None => (&[][..], text),
        };
        let identity = PathIdentity::default();
        let terms = reading.terms(&identity, text);
        let codepage = reading.codepage(&identity, text, terms.as_ref());
        let mut walk = Walk::new(State { terms, ..State::default() });
        for line in before.split_inclusive(|byte| *byte == b'\n') {
            walk.read(line, false);
        }
        Self {
            place: None,
            dialect: detect(text),
            encoding: None,
            codepage,
            ..walk.at(last, false)
        }
    }
}

impl Scanner<'_> {
    /// A line of an exhibit, or of a member of the archive that it is:
    /// `name` is that of either. None where there is no such member.
    pub fn line(
        &self,
        exhibit: &Exhibit,
        name: &Raw,
        number: u64,
    ) -> Result<Option<Sought>, Warning> {
        let setting =
            Setting::unopened(exhibit.name.clone(), exhibit.identity());
        let content = exhibit.open(self.access(), Hashing::None)?;
        let opened = Opened {
            setting,
            origin: Origin::Named,
            depth: 0,
            budget: Budget::of(exhibit.bytes),
        };
        let wanted = Wanted { name, number };
        self.line_in(opened, content, &exhibit.path(), wanted)
    }

    fn line_in(
        &self,
        mut opened: Opened,
        content: Content,
        path: &Path,
        wanted: Wanted<'_>,
    ) -> Result<Option<Sought>, Warning> {
        match hold(content, self.chunk_bytes(), &mut opened) {
            Holding::Lines(held, source) => {
                let is_it = opened.setting.name == *wanted.name;
                let number = wanted.number;
                Ok(is_it.then(|| {
                    self.line_of(opened.setting, &held, source, number)
                }))
            }
            Holding::Archive(archive) => {
                self.line_of_member(opened, archive, path, wanted)
            }
        }
    }

    fn line_of(
        &self,
        mut setting: Setting,
        held: &Held<'_>,
        mut source: Source,
        number: u64,
    ) -> Sought {
        let shared = self.shared(&(), &Silent);
        let terms = shared.terms(&mut setting, held, &source);
        let mut walk = Walk::new(setting.state(terms));
        let mut buffer = Vec::new();
        while let Some(block) =
            source.next(held.bytes(), || std::mem::take(&mut buffer))
        {
            let bytes = match &block.bytes {
                BlockBytes::Part(range) => held.bytes().get(range.clone()),
                BlockBytes::Read(read, length) => read.get(..*length),
            };
            let mut offset = block.offset;
            let lines = bytes.unwrap_or_default();
            for line in lines.split_inclusive(|byte| *byte == b'\n') {
                let cut = block.cut && !line.ends_with(b"\n");
                if walk.lines + 1 == number {
                    let found = walk.at(line, cut);
                    let exhibit = setting.name.clone();
                    let place = LinePlace { exhibit, line: number, offset };
                    return Sought::Found(Box::new(LogLine {
                        place: Some(place),
                        dialect: setting.dialect,
                        encoding: setting.encoding,
                        codepage: setting.codepage,
                        ..found
                    }));
                }
                walk.read(line, cut);
                offset += line.len() as u64;
            }
            if let BlockBytes::Read(read, _) = block.bytes {
                buffer = read;
            }
        }
        let mut warnings = Vec::new();
        if let Held::Mapped(mapping) = held {
            warnings.extend(mapping.check());
        }
        if let Some(stream) = source.into_stream() {
            warnings.extend(stream.finish().warnings);
        }
        Sought::Short(walk.lines, warnings)
    }

    fn line_of_member(
        &self,
        opened: Opened,
        archive: Archive,
        path: &Path,
        wanted: Wanted<'_>,
    ) -> Result<Option<Sought>, Warning> {
        let Opened { setting, depth, budget, .. } = opened;
        let warn = |kind, detail: String| {
            Warning::new(kind, setting.name.clone(), detail)
        };
        if depth >= limits::ARCHIVE_DEPTH {
            let detail = format!("not opened: {depth} archives deep");
            return Err(warn(Kind::Limit, detail));
        }
        let archive = archive.unlock(self.passwords());
        let (walk, members) = archive.open(&setting.name, path, &budget);
        let is_it = setting.name == *wanted.name;
        let mut names = Vec::new();
        let mut found = Ok(None);
        let end = thread::scope(|scope| {
            let walker = thread::Builder::new();
            let walker = walker.spawn_scoped(scope, move || walk.run())?;
            for member in members {
                if is_it {
                    names.push(member.name.clone());
                    if names.len() > NAMED {
                        break;
                    }
                } else if wanted.is_in(&member.name) {
                    let setting = Setting::unopened(
                        member.name.clone(),
                        member.identity(),
                    );
                    let path = member.path.clone();
                    let origin = Origin::Found;
                    let (depth, budget) = (depth + 1, budget.clone());
                    found = member.stream(Hashing::None, &budget).and_then(
                        |stream| {
                            let opened =
                                Opened { setting, origin, depth, budget };
                            let content = Content::Stream(stream);
                            self.line_in(opened, content, &path, wanted)
                        },
                    );
                    break;
                }
            }
            Ok(walker.join())
        });
        match end {
            Err(error) => {
                let error: std::io::Error = error;
                let detail = format!("no thread to unpack it: {error}");
                Err(warn(Kind::Unreadable, detail))
            }
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Ok(Ok(_)) if is_it => Ok(Some(Sought::Archive(names))),
            // An archive that is damaged before the member lacks it.
            Ok(Ok(end)) => match (&found, end.warnings.into_iter().next()) {
                (Ok(None), Some(warning)) => Err(warning),
                _ => found,
            },
        }
    }
}

/// Which line is looked for.
#[derive(Clone, Copy)]
struct Wanted<'w> {
    name: &'w Raw,
    number: u64,
}

impl Wanted<'_> {
    /// True where the line is in the member, or in an archive that it is.
    fn is_in(&self, member: &Raw) -> bool {
        let rest = self.name.as_bytes().strip_prefix(member.as_bytes());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"!/"))
    }
}

/// Reads lines up to the one that is looked for.
struct Walk {
    parser: Parser,
    lines: u64,
    fields_line: Option<u64>,
}

impl Walk {
    fn new(state: State) -> Self {
        Self { parser: Parser::new(state), lines: 0, fields_line: None }
    }

    /// Reads one line, with its line end.
    fn read(&mut self, line: &[u8], cut: bool) {
        self.lines += 1;
        let (text, cut) = without_end(line, cut);
        let before = self.parser.state().layout.clone();
        if let Line::Directive = self.parser.line(text, cut) {
            let is_same = match (&before, &self.parser.state().layout) {
                (Some(old), Some(new)) => Arc::ptr_eq(old, new),
                (old, new) => old.is_none() && new.is_none(),
            };
            let mut directives = split_directives(text);
            let names =
                directives.any(|one| matches!(one, Directive::Fields(_)));
            if names || !is_same {
                self.fields_line = Some(self.lines);
            }
        }
    }

    /// The line that follows.
    fn at(self, line: &[u8], cut: bool) -> LogLine {
        let (text, cut) = without_end(line, cut);
        LogLine {
            place: None,
            dialect: Dialect::Unknown,
            encoding: None,
            codepage: None,
            text: text.to_vec(),
            cut,
            state: self.parser.state().clone(),
            fields_line: self.fields_line,
        }
    }
}

/// The bytes of a line that are parsed, and whether that cuts it.
fn without_end(line: &[u8], cut: bool) -> (&[u8], bool) {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (text, long) = bounded(line);
    (text, long || cut)
}
