//! A list of exploited faults, as CISA publishes it.
//!
//! In: a file, JSON (`vulnerabilities`) or a table with the same names as
//! columns. Out: its entries, or a fault with file, line and column. The file
//! may come from anywhere, so its size and its cells are bounded.

use std::path::Path;

use serde::Deserialize;
use serde::de::Error as _;

use crate::case::csv;
use crate::cli::given;
use crate::cli::output::show;
use crate::error::{Error, Result};
use crate::limits;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// `CVE-2021-34473`.
    #[serde(rename = "cveID", deserialize_with = "cve")]
    pub cve: String,
    /// Who makes the product.
    #[serde(rename = "vendorProject")]
    pub vendor: String,
    /// The product.
    pub product: String,
    /// When it was taken up.
    #[serde(rename = "dateAdded", default)]
    pub added: String,
    /// `Known` where extortionists are known to use it.
    #[serde(rename = "knownRansomwareCampaignUse", default)]
    pub ransomware: String,
}

impl Entry {
    /// True where extortionists are known to use it.
    pub fn is_ransomware(&self) -> bool {
        self.ransomware.trim().eq_ignore_ascii_case("known")
    }
}

/// The names of the columns, in the order of [`Entry`].
const COLUMNS: [&str; 5] = [
    "cveID",
    "vendorProject",
    "product",
    "dateAdded",
    "knownRansomwareCampaignUse",
];

/// Columns that must be there.
const NEEDED: usize = 3;

#[derive(Deserialize)]
struct Catalogue {
    vulnerabilities: Vec<Entry>,
}

/// Reads the list.
pub fn read(path: &Path) -> Result<Vec<Entry>> {
    let name = show(path);
    let bytes = given::read(path, limits::KEV_BYTES)?;
    if bytes.len() as u64 > limits::KEV_BYTES {
        let bound = limits::KEV_BYTES;
        let message = format!("{name}: larger than {bound} bytes");
        return Err(Error::usage(message));
    }
    parse(&name, &bytes)
}

fn parse(name: &str, bytes: &[u8]) -> Result<Vec<Entry>> {
    let fault = |line: usize, column: usize, what: &str| {
        Error::usage(format!("{name}:{line}:{column}: {what}"))
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = memchr::memchr_iter(b'\n', valid).count() + 1;
        let last = valid.rsplit(|byte| *byte == b'\n').next();
        let last = String::from_utf8_lossy(last.unwrap_or_default());
        fault(line, last.chars().count() + 1, "the file is not UTF-8")
    })?;
    if text.trim_start().starts_with(['{', '[']) {
        let read: serde_json::Result<Catalogue> = serde_json::from_str(text);
        let list = read.map_err(|error| {
            let what = error.to_string();
            let what = what.split(" at line ").next().unwrap_or_default();
            fault(error.line(), error.column(), what)
        })?;
        return Ok(list.vulnerabilities);
    }
    table(text).map_err(|it| fault(it.line, it.column, &it.detail))
}

fn table(text: &str) -> std::result::Result<Vec<Entry>, csv::Fault> {
    let first = csv::Fault { line: 1, column: 1, detail: String::new() };
    let at_start = |detail: String| csv::Fault { detail, ..first.clone() };
    let cells = memchr::memchr3_iter(b',', b';', b'\n', text.as_bytes());
    if cells.count() > limits::KEV_CELLS {
        let bound = limits::KEV_CELLS;
        return Err(at_start(format!("more than {bound} cells")));
    }
    let mut lines = csv::read(text)?.into_iter();
    let head = lines.next().unwrap_or_default();
    let place = |name: &&str| {
        let same = |it: &csv::Cell| it.text.trim().eq_ignore_ascii_case(name);
        head.iter().position(same)
    };
    let places = COLUMNS.map(|name| place(&name));
    let missing = COLUMNS.iter().zip(&places).take(NEEDED);
    let missing = missing.filter(|(_, at)| at.is_none()).map(|(it, _)| it);
    if let Some(name) = missing.into_iter().next() {
        let what = format!(
            "no column {name}: this is neither CISA's JSON nor its table"
        );
        return Err(at_start(what));
    }
    let mut entries = Vec::new();
    for line in lines {
        let cell = |at: usize| -> Option<&csv::Cell> {
            line.get((*places.get(at)?)?)
        };
        let text = |at: usize| {
            cell(at).map(|it| it.text.trim().to_owned()).unwrap_or_default()
        };
        let id = text(0);
        if !is_cve(&id) {
            let at = cell(0).or(line.first());
            let what = format!("`{}` is no CVE id", shorten(&id));
            return Err(at.map_or_else(
                || at_start(what.clone()),
                |it| it.fault(what.clone()),
            ));
        }
        entries.push(Entry {
            cve: id.to_ascii_uppercase(),
            vendor: text(1),
            product: text(2),
            added: text(3),
            ransomware: text(4),
        });
    }
    Ok(entries)
}

fn cve<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> std::result::Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let id = text.trim();
    if is_cve(id) {
        return Ok(id.to_ascii_uppercase());
    }
    let id = shorten(id);
    Err(D::Error::custom(format!("`{id}` is no CVE id")))
}

/// An id as far as a message needs it.
fn shorten(id: &str) -> String {
    id.chars().take(40).collect()
}

fn is_cve(id: &str) -> bool {
    let digits = |it: &str| it.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = id.split('-').collect();
    match parts.as_slice() {
        [word, year, number] => {
            word.eq_ignore_ascii_case("cve")
                && year.len() == 4
                && (4..20).contains(&number.len())
                && digits(year)
                && digits(number)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"title": "x", "vulnerabilities": [
  {"cveID": "CVE-2021-34473", "vendorProject": "Microsoft",
   "product": "Exchange Server", "dateAdded": "2021-11-03",
   "knownRansomwareCampaignUse": "Known", "notes": "y", "cwes": []}
]}"#;

    const CSV: &str = "\u{feff}cveID,vendorProject,product,vulnerabilityName,\
        dateAdded,knownRansomwareCampaignUse\r\nCVE-2021-34473,Microsoft,\
        Exchange Server,\"a, \"\"b\"\"\nc\",2021-11-03,Known\r\n";

    fn fault(text: &[u8]) -> String {
        parse("kev", text).unwrap_err().to_string()
    }

    #[test]
    fn both_forms_are_the_same() {
        let json = parse("kev", JSON.as_bytes()).unwrap();
        assert_eq!(json, parse("kev", CSV.as_bytes()).unwrap());
        let [one] = json.as_slice() else { panic!("{json:?}") };
        assert_eq!(one.cve, "CVE-2021-34473");
        assert!(one.is_ransomware());
    }

    #[test]
    fn faults_have_places() {
        let bad = JSON.replace("CVE-2021-34473", "CVE-2021");
        assert_eq!(fault(bad.as_bytes()), "kev:2:22: `CVE-2021` is no CVE id");
        let bad = JSON.replace("\"product\"", "\"produce\"");
        assert!(fault(bad.as_bytes()).contains("missing field `product`"));
        let bad = CSV.replace("CVE-2021", "CWE-2021");
        assert_eq!(
            fault(bad.as_bytes()),
            "kev:2:1: `CWE-2021-34473` is no CVE id"
        );
        let quote = CSV.replace("c\",", "c,");
        assert!(fault(quote.as_bytes()).starts_with("kev:2:"));
        assert_eq!(
            fault(b"a,b\n"),
            "kev:1:1: no column cveID: this is neither CISA's JSON nor its \
             table"
        );
        assert_eq!(fault(b"a,b\n\xff"), "kev:2:1: the file is not UTF-8");
        assert!(fault(b"").contains("no column cveID"));
        let cells = ",".repeat(limits::KEV_CELLS + 1);
        assert!(fault(cells.as_bytes()).contains("more than"));
        let deep = "[".repeat(100_000);
        assert!(fault(deep.as_bytes()).starts_with("kev:1:"));
    }
}
