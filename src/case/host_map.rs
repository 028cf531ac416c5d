//! Hosts, sites and roles as the examiner knows them.
//!
//! In: a table with a head (`--host-map`): conditions on an exhibit's path
//! and on what a record says of its server; and what holds where they do.
//! Out: the row that decides for a record. Logs name servers by addresses
//! that three machines share, or not at all; only a person knows better, so
//! what the table says goes before all that logs and folders say.
//!
//! Rows ask for nothing but path, address, computer and site: records for
//! which the parser says that these repeat need not be looked up again.

pub(crate) mod csv;

use std::collections::BTreeMap;
use std::sync::Arc;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use self::csv::{Cell, Fault};
use crate::error::{Error, Result};
use crate::limits;
use crate::raw::Raw;

/// The names that the head may hold.
const COLUMNS: [&str; 7] =
    ["path", "s-ip", "s-computername", "s-sitename", "host", "site", "role"];

/// Which row decides for which records.
#[derive(Clone, Debug, Default)]
pub struct HostMap {
    rows: Vec<Row>,
    /// The patterns of all rows that have one.
    paths: GlobSet,
    /// The row of each pattern.
    owners: Vec<usize>,
}

/// One row: conditions, and what holds where they do.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    has_path: bool,
    /// What a record must say, where that matters.
    wanted: Server<Option<String>>,
    /// The host's name.
    pub host: Option<Raw>,
    /// The site's.
    pub site: Option<Raw>,
    /// What the host is for, in the examiner's words.
    pub role: Option<Raw>,
}

/// What a record says of the server that wrote it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Server<T> {
    pub address: T,
    pub computer: T,
    pub site: T,
}

impl HostMap {
    /// Reads a table. `file` names it in messages.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self> {
        let place = |fault: Fault| {
            let Fault { line, column, detail } = fault;
            Error::usage(format!("{file}:{line}:{column}: {detail}"))
        };
        let text = text_of(bytes).map_err(place)?;
        Self::parse(text).map_err(place)
    }

    fn parse(text: &str) -> std::result::Result<Self, Fault> {
        let mut lines = csv::read(text)?.into_iter();
        let head = lines.next().unwrap_or_default();
        let columns = columns(&head)?;
        let mut map = Self::default();
        let mut globs = GlobSetBuilder::new();
        let mut names = BTreeMap::new();
        for cells in lines {
            if let Some(cell) = cells.get(columns.len()) {
                let detail = "more cells than the head has columns; put \
                              quotes around a cell that holds a separator";
                return Err(cell.fault(detail));
            }
            let mut row = Row::default();
            for (cell, column) in cells.iter().zip(&columns) {
                let value = cell.text.trim();
                if value.is_empty() {
                    continue;
                }
                if *column == "path" {
                    row.has_path = true;
                    for glob in globs_of(value).map_err(|e| cell.fault(e))? {
                        globs.add(glob);
                        map.owners.push(map.rows.len());
                    }
                } else {
                    row.set(column, value);
                }
            }
            row.host = row.host.map(|name| one_spelling(&mut names, name));
            map.rows.push(row);
        }
        map.paths = globs.build().map_err(|error| Fault {
            line: 1,
            column: 1,
            detail: format!("the paths are too much together: {error}"),
        })?;
        Ok(map)
    }

    /// The rows that may decide for records of an exhibit; none where no
    /// row can.
    pub(super) fn of(self: &Arc<Self>, exhibit: &Raw) -> Option<Rows> {
        let path = String::from_utf8_lossy(exhibit.as_bytes());
        let mut matched = vec![false; self.rows.len()];
        for glob in self.paths.matches(plain(&path)) {
            let owner = self.owners.get(glob);
            let slot = owner.and_then(|owner| matched.get_mut(*owner));
            *slot? = true;
        }
        let mut rows = Vec::new();
        for (number, row) in self.rows.iter().enumerate() {
            let is_met = matched.get(number).copied().unwrap_or_default();
            if row.has_path && !is_met {
                continue;
            }
            rows.push(number);
            // Behind a row that takes everything none is ever reached.
            if row.wanted.is_empty() {
                break;
            }
        }
        let map = Arc::clone(self);
        (!rows.is_empty()).then_some(Rows { map, rows })
    }
}

/// The rows of a map that may decide for records of one exhibit.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    map: Arc<HostMap>,
    rows: Vec<usize>,
}

impl Rows {
    /// The number of the first row whose conditions a record meets.
    pub fn decide(&self, server: Server<Option<&[u8]>>) -> Option<usize> {
        let holds =
            |number: &&usize| self.row(**number).is_some_and(|r| r.is(server));
        self.rows.iter().find(holds).copied()
    }

    /// A row by its number.
    pub fn row(&self, number: usize) -> Option<&Row> {
        self.map.rows.get(number)
    }

    /// The row that decides for all records alike, if one does.
    pub fn one(&self) -> Option<usize> {
        let first = *self.rows.first()?;
        self.row(first).filter(|row| row.wanted.is_empty()).map(|_| first)
    }
}

impl Row {
    fn set(&mut self, column: &str, value: &str) {
        let name = || Some(Raw::from(value));
        let wanted = || Some(value.to_owned());
        match column {
            "s-ip" => self.wanted.address = wanted(),
            "s-computername" => self.wanted.computer = wanted(),
            "s-sitename" => self.wanted.site = wanted(),
            "host" => self.host = name(),
            "site" => self.site = name(),
            _ => self.role = name(),
        }
    }

    fn is(&self, server: Server<Option<&[u8]>>) -> bool {
        let holds = |wanted: &Option<String>, found: Option<&[u8]>| {
            wanted.as_ref().is_none_or(|wanted| {
                let same =
                    |it: &[u8]| it.eq_ignore_ascii_case(wanted.as_bytes());
                found.is_some_and(same)
            })
        };
        holds(&self.wanted.address, server.address)
            && holds(&self.wanted.computer, server.computer)
            && holds(&self.wanted.site, server.site)
    }
}

impl Server<Option<String>> {
    fn is_empty(&self) -> bool {
        let Self { address, computer, site } = self;
        address.is_none() && computer.is_none() && site.is_none()
    }
}

/// The text of a table; what no Excel tells is said here.
fn text_of(bytes: &[u8]) -> std::result::Result<&str, Fault> {
    let fault = |line, column, detail: &str| Fault {
        line,
        column,
        detail: detail.to_owned(),
    };
    if u64::try_from(bytes.len()).is_ok_and(|it| it > limits::HOST_MAP_BYTES) {
        let most = limits::HOST_MAP_BYTES;
        let detail = format!("longer than {most} bytes: this is no host map");
        return Err(fault(1, 1, &detail));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        let own = before.get(start..).unwrap_or_default();
        let column = 1 + String::from_utf8_lossy(own).chars().count();
        fault(line, column, "not UTF-8; save the table as \"CSV UTF-8\"")
    })
}

/// What each column holds.
fn columns(head: &[Cell]) -> std::result::Result<Vec<&'static str>, Fault> {
    let mut columns = Vec::new();
    for cell in head {
        let name = cell.text.trim();
        let known = |column: &&str| column.eq_ignore_ascii_case(name);
        let Some(column) = COLUMNS.into_iter().find(known) else {
            let known = COLUMNS.join(", ");
            let detail =
                format!("no column is called {name:?}; there are {known}");
            return Err(cell.fault(detail));
        };
        if columns.contains(&column) {
            return Err(cell.fault(format!("a second column {column}")));
        }
        columns.push(column);
    }
    let tells = |column: &&str| ["host", "site", "role"].contains(column);
    if !columns.iter().any(tells) {
        let detail = "the first line must name the columns, among them one \
                      of host, site, role";
        let detail = detail.to_owned();
        return Err(Fault { line: 1, column: 1, detail });
    }
    Ok(columns)
}

/// A path with `/` between its parts, wherever it was written.
fn plain(path: &str) -> String {
    let path = path.replace('\\', "/");
    path.strip_prefix("./").map(str::to_owned).unwrap_or(path)
}

/// A pattern, and all below what it names.
fn globs_of(pattern: &str) -> std::result::Result<Vec<globset::Glob>, String> {
    let pattern = plain(pattern);
    let pattern = pattern.trim_end_matches('/');
    [pattern.to_owned(), format!("{pattern}/**")]
        .into_iter()
        .map(|text| {
            GlobBuilder::new(&text)
                .case_insensitive(true)
                .literal_separator(true)
                .backslash_escape(false)
                .build()
                .map_err(|error| {
                    let kind = error.kind();
                    format!("not a pattern: {kind}; `[*]` is a plain star")
                })
        })
        .collect()
}

/// Names that differ in case only are one host: that of the first row.
fn one_spelling(names: &mut BTreeMap<Vec<u8>, Raw>, name: Raw) -> Raw {
    let key = name.as_bytes().to_ascii_lowercase();
    names.entry(key).or_insert(name).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(table: &str, path: &str, record: [&str; 3]) -> Option<String> {
        let map = Arc::new(HostMap::read("m.csv", table.as_bytes()).unwrap());
        let rows = map.of(&Raw::from(path))?;
        let [address, computer, site] =
            record.map(|it| Some(it.as_bytes()).filter(|it| !it.is_empty()));
        let number = rows.decide(Server { address, computer, site })?;
        let host = rows.row(number)?.host.clone()?;
        Some(String::from_utf8_lossy(host.as_bytes()).into_owned())
    }

    #[test]
    fn the_first_row_that_holds_decides() {
        let table = "\u{feff}Host;s-ip;PATH;s-sitename\r\n\
                     A;10.0.0.1;;w3svc2\r\nB;10.0.0.1;;\r\n\
                     C;;**\\web3;\r\nD;;x/*.log;\r\na;;last/**;\r\n";
        let host = |path: &str, ip: &str, site: &str| {
            decide(table, path, [ip, "", site])
        };
        let named = |name: &str| Some(name.to_owned());
        assert_eq!(host("y", "10.0.0.1", "W3SVC2"), named("A"));
        assert_eq!(host("WEB3/y", "10.0.0.1", "W3SVC1"), named("B"));
        assert_eq!(host("e\\Web3\\W3SVC1\\ex.log", "", ""), named("C"));
        assert_eq!(host("z.zip!/web3/ex.log", "10.0.0.2", ""), named("C"));
        assert_eq!(host("x/ex.log", "", ""), named("D"));
        assert_eq!(host("./x/ex.log", "", ""), named("D"));
        assert_eq!(host("x/y/ex.log", "", ""), None);
        assert_eq!(host("last/ex.log", "", ""), named("A"), "one spelling");
    }

    #[test]
    fn faults_say_where_and_what_to_do() {
        let fault = |table: &[u8]| {
            let error = HostMap::read("m.csv", table).unwrap_err();
            assert!(error.is_usage());
            error.to_string()
        };
        for (table, says) in [
            (&b"path,hots\n"[..], "m.csv:1:6: no column is called \"hots\""),
            (b"host,host\n", "m.csv:1:6: a second column host"),
            (b"path,s-ip\n", "m.csv:1:1: the first line must name"),
            (b"", "m.csv:1:1: the first line must name"),
            (b"host\na\nb,c\n", "m.csv:3:3: more cells than the head"),
            (b"path,host\n\n[,b\n", "m.csv:3:1: not a pattern"),
            (b"host\n\xe9\n", "m.csv:2:1: not UTF-8"),
            (b"host\n\"a\n", "m.csv:2:1: this quote is never closed"),
        ] {
            let found = fault(table);
            assert!(found.starts_with(says), "{found}");
        }
    }
}
