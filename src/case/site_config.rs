//! Sites by name, as the configuration of IIS 7 and later knows them.
//!
//! In: an `applicationHost.config` (`--app-host-config`). Out: its sites:
//! number, name, bindings, log folder. A log says `W3SVC3` and no more; the
//! name says what the site is for, the bindings whether it faces the
//! internet, and a site that wrote no log is a gap in the evidence.
//!
//! Source: "Sites" and "Log Files for a Web Site" (Microsoft, IIS
//! configuration reference).

use std::collections::BTreeSet;

use roxmltree::{Document, Node, ParsingOptions};
use serde::{Deserialize, Serialize};

use crate::case::host::Host;
use crate::error::{Error, Result};
use crate::limits;
use crate::raw::Raw;

/// One site, as the configuration of its host has it.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
)]
pub struct ConfiguredSite {
    /// As logs and folders name it: `W3SVC1`.
    pub site: Raw,
    /// What the administrator called it.
    pub name: Raw,
    /// Protocol and address, port and host header: `http *:80:`.
    pub bindings: BTreeSet<Raw>,
    /// Where its logs lie on the host, where that is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_folder: Option<Raw>,
}

/// The sites of one configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteConfig {
    /// The host that it is of; none where it is that of all evidence.
    host: Option<String>,
    sites: BTreeSet<ConfiguredSite>,
}

impl SiteConfig {
    /// Reads a configuration. `file` names it in messages.
    pub fn read(host: Option<&str>, file: &str, bytes: &[u8]) -> Result<Self> {
        let fault = |line: u32, column: u32, detail: &str| {
            Error::usage(format!("{file}:{line}:{column}: {detail}"))
        };
        if u64::try_from(bytes.len())
            .is_ok_and(|it| it > limits::SITE_CONFIG_BYTES)
        {
            let most = limits::SITE_CONFIG_BYTES;
            let detail = format!("longer than {most} bytes: not read");
            return Err(fault(1, 1, &detail));
        }
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let (line, column) = place(before);
            fault(line, column, "not UTF-8; save the file in that encoding")
        })?;
        let options = ParsingOptions {
            // Entities would need a DTD, so none can multiply.
            allow_dtd: false,
            nodes_limit: limits::SITE_CONFIG_NODES,
            ..ParsingOptions::default()
        };
        let document =
            Document::parse_with_options(text, options).map_err(|error| {
                let detail = format!("not an applicationHost.config: {error}");
                let at = error.pos();
                let (line, column) = match error {
                    roxmltree::Error::DtdDetected => doctype(bytes),
                    roxmltree::Error::UnclosedRootNode => place(bytes),
                    _ => (at.row, at.col),
                };
                fault(line, column, &detail)
            })?;
        let sites = sites(&document).map_err(|(at, detail)| {
            let at = document.text_pos_at(at);
            fault(at.row, at.col, &detail)
        })?;
        Ok(Self { host: host.map(str::to_owned), sites })
    }

    /// Tells a host of its sites, if it is the one.
    pub(super) fn tell(&self, host: &mut Host) {
        let name = host.name.as_bytes();
        let is_own = self
            .host
            .as_ref()
            .is_none_or(|own| own.as_bytes().eq_ignore_ascii_case(name));
        if is_own {
            host.configured_sites.extend(self.sites.iter().cloned());
        }
    }
}

/// Where something is wrong, and what.
type Fault = (usize, String);

/// Where the DTD begins: the parser gives no place for that.
fn doctype(bytes: &[u8]) -> (u32, u32) {
    let at = memchr::memmem::find(bytes, b"<!DOCTYPE").unwrap_or_default();
    place(bytes.get(..at).unwrap_or_default())
}

/// Line and column, from 1, of what follows a text.
fn place(before: &[u8]) -> (u32, u32) {
    let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let own = before.get(start..).unwrap_or_default();
    let column = String::from_utf8_lossy(own).chars().count() + 1;
    let number = |it| u32::try_from(it).unwrap_or(u32::MAX);
    (number(line), number(column))
}

fn sites(
    document: &Document<'_>,
) -> std::result::Result<BTreeSet<ConfiguredSite>, Fault> {
    let root = document.root_element();
    let list = child(root, "system.applicationHost")
        .and_then(|section| child(section, "sites"));
    let Some(list) = list.filter(|_| root.has_tag_name("configuration"))
    else {
        let detail = "holds no configuration/system.applicationHost/sites; \
                      give the file from inetsrv\\config";
        return Err((root.range().start, detail.to_owned()));
    };
    let usual = child(list, "siteDefaults").and_then(directory);
    let rows = list.children().filter(|it| it.has_tag_name("site"));
    rows.map(|site| self::site(site, usual)).collect()
}

fn site(
    site: Node<'_, '_>,
    usual: Option<&str>,
) -> std::result::Result<ConfiguredSite, Fault> {
    let wanted = |name: &str| {
        let detail = format!("this site has no {name}");
        site.attribute(name).ok_or((site.range().start, detail))
    };
    let (name, id) = (wanted("name")?, wanted("id")?);
    let id: u32 = id.parse().map_err(|_| {
        let detail = format!("the id {id:?} of this site is no number");
        (site.range().start, detail)
    })?;
    let bindings = child(site, "bindings").into_iter();
    let bindings = bindings.flat_map(|list| list.children());
    let bindings = bindings.filter(|it| it.has_tag_name("binding"));
    let bindings = bindings.map(|binding| {
        let word = |name| binding.attribute(name).unwrap_or("-");
        Raw::from(format!(
            "{} {}",
            word("protocol"),
            word("bindingInformation")
        ))
    });
    let folder = directory(site).or(usual);
    Ok(ConfiguredSite {
        site: Raw::from(format!("W3SVC{id}")),
        name: Raw::from(name),
        bindings: bindings.collect(),
        log_folder: folder.map(|folder| {
            let folder = folder.trim_end_matches('\\');
            Raw::from(format!("{folder}\\W3SVC{id}"))
        }),
    })
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name(name))
}

/// The folder above those of the sites.
fn directory<'a>(of: Node<'a, '_>) -> Option<&'a str> {
    child(of, "logFile")?.attribute("directory")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<SiteConfig> {
        SiteConfig::read(None, "a.config", text)
    }

    fn wrapped(sites: &str) -> String {
        format!(
            "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <configuration><system.applicationHost><sites>\n{sites}\n\
             </sites></system.applicationHost></configuration>"
        )
    }

    #[test]
    fn faults_say_where_and_what() {
        let laughs = "<?xml version=\"1.0\"?>\n<!DOCTYPE l [\n\
            <!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><l>&b;</l>";
        let nameless = wrapped("<site id=\"1\"/>");
        let wordy = wrapped("  <site name=\"x\" id=\"one\"/>");
        for (text, says) in [
            (laughs.as_bytes(), "a.config:2:1: not an applicationHost"),
            (b"<a>\n<b></a>", "a.config:2:4: not an applicationHost"),
            (b"<configuration/>", "a.config:1:1: holds no configuration/"),
            (b"", "a.config:1:1: not an applicationHost"),
            (b"\xff\xfe<", "a.config:1:1: not UTF-8"),
            (nameless.as_bytes(), "a.config:3:1: this site has no name"),
            (wordy.as_bytes(), "a.config:3:3: the id \"one\" of this"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.is_usage());
            let found = error.to_string();
            assert!(found.starts_with(says), "{found}");
        }
    }

    #[test]
    fn depth_and_number_of_elements_are_bounded() {
        let deep = "<a>".repeat(1 << 20);
        assert!(read(deep.as_bytes()).unwrap_err().is_usage());
        let nodes = usize::try_from(limits::SITE_CONFIG_NODES).unwrap();
        let many = wrapped(&"<x/>".repeat(nodes));
        let error = read(many.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("limit"), "{error}");
    }
}
