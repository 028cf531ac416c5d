//! What the directives of a file say of its kind.
//!
//! In: lines that begin with `#`. Out: signs, and the dialect they decide.
//! A client cannot write a directive, so they outweigh every row.

use super::rows::Rows;
use crate::w3c::directive::{Directive, split_directives};
use crate::w3c::{Dialect, Field, Form, Layout};

/// What the directives of a file announce.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // independent signs, not states
pub(super) struct Directives {
    /// A directive that every W3C log has, `#Fields` aside.
    any: bool,
    /// The program names itself.
    software: bool,
    iis: bool,
    http_api: bool,
    /// A layout with the columns of this kind of log.
    web: bool,
    http_sys: bool,
    other: bool,
    /// What else it is, by software or layout.
    foreign: Option<Dialect>,
}

impl Directives {
    pub fn add(&mut self, line: &[u8]) {
        let lower = line.to_ascii_lowercase();
        self.any |= lower.starts_with(b"#version:");
        if lower.starts_with(b"#log-type:") {
            let dialect = if has(&lower, b"smtp") {
                Dialect::Smtp
            } else {
                Dialect::ExchangeProxy
            };
            self.foreign = Some(dialect);
        }
        for directive in split_directives(&lower) {
            match directive {
                Directive::Fields(text) => self.fields(text),
                Directive::Software(text) => self.software(text),
                Directive::Date(_) => self.any = true,
                Directive::Other => {}
            }
        }
    }

    fn software(&mut self, name: &[u8]) {
        self.any = true;
        self.software = true;
        self.iis |= has(name, b"internet information");
        self.http_api |= has(name, b"http api");
        let foreign = [
            (&b"exchange"[..], Dialect::ExchangeProxy),
            (b"firewall", Dialect::Firewall),
            (b"urlscan", Dialect::UrlScan),
            (b"smtp", Dialect::Smtp),
        ];
        let found = foreign.into_iter().find(|(part, _)| has(name, part));
        self.foreign = self.foreign.or(found.map(|(_, dialect)| dialect));
    }

    fn fields(&mut self, text: &[u8]) {
        let Some(layout) = Layout::from_fields(text) else { return };
        if layout.form() == Form::Csv {
            // Exchange has logs of everything in this form; only those of
            // its web services have a URL.
            self.foreign = Some(if layout.has(Field::CsUriStem) {
                Dialect::ExchangeProxy
            } else {
                Dialect::OtherW3c
            });
            return;
        }
        let named = |name: &[u8]| layout.column_named(name).is_some();
        let is_page = layout.has(Field::CsUriQuery)
            || layout.has(Field::CsUserAgent)
            || layout.has(Field::CsReferer);
        let foreign = if layout.has(Field::SReason) {
            self.http_sys = true;
            return;
        } else if named(b"x-action") && named(b"x-reason") && !is_page {
            Dialect::UrlScan
        } else if (named(b"x-session") || named(b"x-fullpath")) && !is_page {
            Dialect::Ftp
        } else if layout.names().any(is_web_column) {
            self.web = true;
            return;
        } else if named(b"src-ip") && named(b"protocol") {
            Dialect::Firewall
        } else {
            self.other = true;
            return;
        };
        self.foreign = self.foreign.or(Some(foreign));
    }

    /// True where a layout has columns of a web server.
    pub fn is_web(&self) -> bool {
        self.web
    }

    /// What the directives decide, with the rows' word on services that
    /// share the layout of a web log.
    pub fn dialect(&self, rows: &Rows) -> Option<Dialect> {
        if self.web {
            return Some(rows.service().unwrap_or(Dialect::W3c));
        }
        if self.http_sys {
            return Some(Dialect::HttpErr);
        }
        if self.foreign.is_some() {
            return self.foreign;
        }
        if self.other {
            return Some(Dialect::OtherW3c);
        }
        // No layout at all: the rows are searched all the same.
        if self.iis {
            return Some(Dialect::W3c);
        }
        self.http_api.then_some(Dialect::HttpErr)
    }

    /// What is left where no row has a shape either.
    pub fn without_rows(&self, rows: &Rows, is_binary: bool) -> Dialect {
        if self.any && rows.is_empty() {
            Dialect::W3c
        } else if self.software {
            Dialect::OtherW3c
        } else if is_binary {
            Dialect::Binary
        } else {
            Dialect::Unknown
        }
    }
}

/// True for a column that IIS or another web server or proxy logs; date and
/// time say nothing, everything has them.
fn is_web_column(name: &[u8]) -> bool {
    match Field::from_name(name) {
        Some(Field::Date | Field::Time) => false,
        Some(_) => true,
        None => {
            let prefixes = [&b"cs-"[..], b"sc-", b"cs(", b"sc("];
            prefixes.into_iter().any(|prefix| {
                name.get(..prefix.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            })
        }
    }
}

fn has(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}
