//! The ways to write a request so that the server takes it for the same.
//!
//! In: a line with its columns. Out: the line with its path and query
//! written another way. Nothing else of the line is touched. Where a way
//! would change what a request of some form means, it gives no line, and
//! says why here.

use iisleuth::signature::TestLine;

use crate::scanning::Lcg;

/// Writes the lines of one way; all places, or some.
type Way = fn(&Request, bool) -> Vec<String>;

/// All ways, by name.
pub const WAYS: [(&str, Way); 15] = [
    ("case", |it, _| it.cases()),
    ("percent one", |it, every| it.each_unit(every, percent)),
    ("percent all", |it, _| it.all_units(percent)),
    ("double one", |it, every| it.each_unit(every, double)),
    ("double all", |it, _| it.all_units(double)),
    ("unicode one", |it, every| it.each_unit(every, unicode)),
    ("unicode all", |it, _| it.all_units(unicode)),
    ("digit case", |it, _| it.digits()),
    ("plus", |it, _| it.blanks()),
    ("dot folder", |it, every| it.detours(every, "/./")),
    ("two slashes", |it, every| it.detours(every, "//")),
    ("up again", |it, every| it.detours(every, "/x/../")),
    ("backslash", |it, every| it.detours(every, "\\")),
    ("parameter before", |it, _| it.parameters("a=1&", "")),
    ("parameter behind", |it, _| it.parameters("", "&a=1")),
];

/// Places of a line that are tried where not all are.
const SOME: usize = 4;

/// What a line asks for.
pub struct Request {
    columns: Vec<String>,
    place: Place,
    stem: String,
    query: Option<String>,
}

/// Where path and query stand.
enum Place {
    /// In columns of their own, of which the query's may be missing.
    Two(usize, Option<usize>),
    /// In one column, after this.
    One(usize, &'static str),
    /// The line names neither.
    None,
}

impl Request {
    pub fn of(test: &TestLine) -> Self {
        let names: Vec<&str> = test.fields.split_whitespace().collect();
        let columns: Vec<String> =
            test.line.split(' ').map(str::to_owned).collect();
        let at = |name| names.iter().position(|own| *own == name);
        let value = |at: Option<usize>| {
            Some(columns[at?].clone()).filter(|text| text != "-")
        };
        let (stem, query) = (at("cs-uri-stem"), at("cs-uri-query"));
        let refused = value(stem)
            .is_some_and(|it| it.starts_with("/<Rejected-By-UrlScan>"));
        let (place, stem, query) = match (stem, at("cs-uri")) {
            (Some(_), _) if refused => {
                let url = value(query).unwrap_or_default();
                let url = url.trim_start_matches('~').to_owned();
                let (stem, rest) = split(&url);
                (Place::One(query.unwrap(), "~"), stem, rest)
            }
            (Some(own), _) => {
                let text = value(stem).unwrap_or_default();
                (Place::Two(own, query), text, value(query))
            }
            (None, Some(own)) => {
                let (stem, rest) = split(&columns[own]);
                (Place::One(own, ""), stem, rest)
            }
            (None, None) => (Place::None, String::new(), None),
        };
        Self { columns, place, stem, query }
    }

    fn line(&self, stem: &str, query: Option<&str>) -> String {
        let mut columns = self.columns.clone();
        match self.place {
            Place::Two(own, other) => {
                stem.clone_into(&mut columns[own]);
                if let Some(other) = other {
                    query.unwrap_or("-").clone_into(&mut columns[other]);
                }
            }
            Place::One(own, lead) => {
                let rest = query.map(|query| format!("?{query}"));
                let rest = rest.unwrap_or_default();
                columns[own] = format!("{lead}{stem}{rest}");
            }
            Place::None => {}
        }
        columns.join(" ")
    }

    /// The lines in which stem and query are written so; none that is the
    /// line itself.
    fn lines(
        &self,
        ways: impl IntoIterator<Item = (String, Option<String>)>,
    ) -> Vec<String> {
        let own = self.columns.join(" ");
        let mut lines: Vec<String> = ways
            .into_iter()
            .map(|(stem, query)| self.line(&stem, query.as_deref()))
            .filter(|line| *line != own)
            .collect();
        lines.dedup();
        lines
    }

    /// Some of so many places, the same in every run.
    fn places(&self, count: usize, every: bool) -> Vec<usize> {
        if every || count <= SOME {
            return (0..count).collect();
        }
        let seed = self.columns.join(" ").bytes().fold(0_u64, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        });
        let mut random = Lcg::new(seed);
        (0..SOME).map(|_| random.below(count)).collect()
    }

    /// Letters in upper case, in lower case, and in the other case. Escapes
    /// stay: see [`Self::digits`].
    fn cases(&self) -> Vec<String> {
        let upper = |unit: &str| unit.to_ascii_uppercase();
        let lower = |unit: &str| unit.to_ascii_lowercase();
        let other = |unit: &str| match unit {
            unit if unit == upper(unit) => lower(unit),
            unit => upper(unit),
        };
        let all: [&dyn Fn(&str) -> String; 3] = [&upper, &lower, &other];
        let ways = all.map(|change| {
            let letters = |text: &str| {
                write(text, |unit| {
                    (!unit.starts_with('%')).then(|| change(unit))
                })
            };
            (letters(&self.stem), self.query.as_deref().map(letters))
        });
        self.lines(ways)
    }

    /// One character after the other written as an escape.
    fn each_unit(&self, every: bool, escape: Escape) -> Vec<String> {
        let stem = units(&self.stem);
        let query = units(self.query.as_deref().unwrap_or_default());
        let places = self.places(stem.len() + query.len(), every);
        let ways = places.into_iter().map(|place| {
            let one = |own: &[&str], before: usize, in_stem: bool| {
                let units = own.iter().enumerate().map(|(at, unit)| {
                    (at + before == place)
                        .then(|| escape(unit, in_stem))
                        .flatten()
                        .unwrap_or_else(|| (*unit).to_owned())
                });
                units.collect::<String>()
            };
            let own = one(&query, stem.len(), false);
            (one(&stem, 0, true), self.query.as_ref().map(|_| own))
        });
        self.lines(ways)
    }

    /// All characters written as escapes, but the slash that begins the path:
    /// without it it would be none.
    fn all_units(&self, escape: Escape) -> Vec<String> {
        let path = match self.stem.strip_prefix('/') {
            Some(rest) => {
                format!("/{}", write(rest, |unit| escape(unit, true)))
            }
            None => self.stem.clone(),
        };
        let all = |text: &str| write(text, |unit| escape(unit, false));
        let query = self.query.as_deref().map(all);
        self.lines([
            (path.clone(), self.query.clone()),
            (self.stem.clone(), query.clone()),
            (path, query),
        ])
    }

    /// The digits of escapes in the other case.
    fn digits(&self) -> Vec<String> {
        let swap = |digit: char| match digit {
            'a'..='f' => digit.to_ascii_uppercase(),
            'A'..='F' => digit.to_ascii_lowercase(),
            _ => digit,
        };
        let other = |text: &str| {
            write(text, |unit| {
                let rest = unit.strip_prefix('%')?;
                Some(format!(
                    "%{}",
                    rest.chars().map(swap).collect::<String>()
                ))
            })
        };
        self.lines([(other(&self.stem), self.query.as_deref().map(other))])
    }

    /// A blank as `%20` and as a plus.
    fn blanks(&self) -> Vec<String> {
        let ways = [("+", "%20"), ("%20", "+")].map(|(from, to)| {
            let other = |text: &str| text.replace(from, to);
            (other(&self.stem), self.query.as_deref().map(other))
        });
        self.lines(ways)
    }

    /// Something else in place of a slash of the path, and of all. No path
    /// is a path without its first slash, so a backslash never stands there.
    fn detours(&self, every: bool, detour: &str) -> Vec<String> {
        if !self.stem.starts_with('/') {
            return Vec::new();
        }
        let least = usize::from(detour == "\\");
        let slashes: Vec<usize> = self
            .stem
            .match_indices('/')
            .map(|(at, _)| at)
            .filter(|at| *at >= least)
            .collect();
        let written = |places: &[usize]| {
            let each = self.stem.char_indices().map(|(at, char)| {
                if places.contains(&at) {
                    detour.to_owned()
                } else {
                    char.to_string()
                }
            });
            (each.collect::<String>(), self.query.clone())
        };
        let places = self.places(slashes.len(), every);
        let ones = places.into_iter().map(|at| written(&[slashes[at]]));
        self.lines(ones.chain([written(&slashes)]))
    }

    /// One more parameter. A query that is no list of parameters, such as
    /// `/c+dir`, `wsdl` or an address, would be another with it.
    fn parameters(&self, before: &str, behind: &str) -> Vec<String> {
        let query = match &self.query {
            None => "a=1".to_owned(),
            Some(query) if is_list(query) => {
                format!("{before}{query}{behind}")
            }
            Some(_) => return Vec::new(),
        };
        self.lines([(self.stem.clone(), Some(query))])
    }
}

fn split(url: &str) -> (String, Option<String>) {
    match url.split_once('?') {
        Some((stem, query)) => (stem.to_owned(), Some(query.to_owned())),
        None => (url.to_owned(), None),
    }
}

/// True for `name=value` with more of its kind behind it.
fn is_list(query: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.$:[]".contains(c);
    query
        .split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(is_part))
}

/// The characters of a text, an escape as one.
fn units(text: &str) -> Vec<&str> {
    let mut units = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_hex = |range: std::ops::Range<usize>| {
            rest.get(range).is_some_and(|digits| {
                digits.bytes().all(|it| it.is_ascii_hexdigit())
            })
        };
        let is_wide = matches!(rest.get(1..2), Some("u" | "U"));
        let length = match first {
            '%' if is_hex(1..3) => 3,
            '%' if is_wide && is_hex(2..6) => 6,
            _ => first.len_utf8(),
        };
        let (unit, tail) = rest.split_at(length);
        units.push(unit);
        rest = tail;
    }
    units
}

/// The text, each unit written another way where there is one.
fn write(text: &str, change: impl Fn(&str) -> Option<String>) -> String {
    let each = |unit: &str| change(unit).unwrap_or_else(|| unit.to_owned());
    units(text).into_iter().map(each).collect()
}

/// Another way to write a unit of a path, or of a query.
type Escape = fn(&str, bool) -> Option<String>;

/// The character that a unit is written for, where an escape means the same.
/// In a query `&` and `=` part parameters only as they are, and `+` is a
/// blank; a path has the blank's plus only in the log.
fn plain(unit: &str, in_stem: bool) -> Option<&str> {
    match unit {
        "&" | "=" if !in_stem => None,
        "+" => Some(" "),
        _ if unit.len() > 1 && unit.starts_with('%') => None,
        _ => Some(unit),
    }
}

fn percent(unit: &str, in_stem: bool) -> Option<String> {
    let bytes = plain(unit, in_stem)?.bytes();
    Some(bytes.map(|byte| format!("%{byte:02x}")).collect())
}

/// The escape of the escape. One that is there already is escaped once more.
fn double(unit: &str, in_stem: bool) -> Option<String> {
    let once = if unit.len() > 1 && unit.starts_with('%') {
        unit.to_owned()
    } else {
        percent(unit, in_stem)?
    };
    Some(once.replace('%', "%25"))
}

fn unicode(unit: &str, in_stem: bool) -> Option<String> {
    let chars = plain(unit, in_stem)?.encode_utf16();
    Some(chars.map(|unit| format!("%u{unit:04X}")).collect())
}
