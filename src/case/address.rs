//! Which client sent a request.
//!
//! In: a record, and the proxies that the user trusts. Out: the address that
//! counts, written one way, and the proxy that passed the request on. Behind
//! a proxy `c-ip` is the proxy; the client stands in a header that anybody
//! can send, so of its list only what trusted proxies added counts: the
//! address farthest to the right that is none of theirs.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

use crate::signature::Network;
use crate::w3c::{Field, Record};

/// What the user says of proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// The column with the addresses that they passed on for.
    pub field: Option<Vec<u8>>,
    /// Where they are.
    pub trusted: Vec<Network>,
}

/// Who sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender<'a> {
    /// The client.
    pub client: Cow<'a, [u8]>,
    /// The proxy, where the client came by one.
    pub proxy: Option<Cow<'a, [u8]>>,
}

impl Proxies {
    /// Who sent the request; `None` where the log does not say.
    pub fn sender<'a>(&self, record: &Record<'a>) -> Option<Sender<'a>> {
        let direct = record.get(Field::CIp)?;
        let client = plain(direct);
        let forwarded = self
            .field
            .as_deref()
            .filter(|_| self.trusts(&client))
            .and_then(|field| self.forwarded(record, field));
        Some(match forwarded {
            Some(address) => {
                let client = Cow::Owned(address.to_string().into_bytes());
                Sender { client, proxy: Some(plain(direct)) }
            }
            None => Sender { client, proxy: None },
        })
    }

    fn trusts(&self, address: &[u8]) -> bool {
        parse(address).is_some_and(|address| self.is_trusted(address))
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// The address farthest to the right that is no trusted proxy; the
    /// first one where all are.
    fn forwarded(&self, record: &Record<'_>, field: &[u8]) -> Option<IpAddr> {
        let in_header = [b"cs(", field, b")"].concat();
        let list = record
            .get_named(field)
            .or_else(|| record.get_named(&in_header))?;
        let mut found = None;
        for word in list.rsplit(|byte| *byte == b',') {
            // A word that is no address was made up: what stands left of it
            // is not to be trusted either.
            let Some(address) = parse(bare(word)) else { break };
            found = Some(address);
            if !self.is_trusted(address) {
                break;
            }
        }
        found
    }
}

/// An address in its usual form: without zone, and as version 4 where
/// version 6 only wraps it. Anything else as logged.
fn plain(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b':') {
        return Cow::Borrowed(text);
    }
    match parse(text) {
        Some(address) => Cow::Owned(address.to_string().into_bytes()),
        None => Cow::Borrowed(text),
    }
}

/// Reads an address, with a zone or mapped into version 6.
fn parse(text: &[u8]) -> Option<IpAddr> {
    let end = text.iter().position(|byte| *byte == b'%');
    let text = text.get(..end.unwrap_or(text.len()))?;
    let address: IpAddr = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(match address {
        IpAddr::V6(v6) => {
            v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4)
        }
        IpAddr::V4(_) => address,
    })
}

/// One word of the list without blanks, quotes, brackets and port.
fn bare(word: &[u8]) -> &[u8] {
    let is_padding = |byte: &u8| matches!(byte, b' ' | b'+' | b'"');
    let start = word.iter().position(|byte| !is_padding(byte));
    let end = word.iter().rposition(|byte| !is_padding(byte));
    let word = match (start, end) {
        (Some(start), Some(end)) => word.get(start..=end).unwrap_or_default(),
        _ => return &[],
    };
    if let [b'[', rest @ ..] = word {
        let end = rest.iter().position(|byte| *byte == b']');
        return rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
    }
    let is_v6 = std::str::from_utf8(word)
        .is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok());
    match word.iter().position(|byte| *byte == b':') {
        Some(colon) if !is_v6 && word.contains(&b'.') => {
            word.get(..colon).unwrap_or_default()
        }
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::w3c::{Line, Parser};

    fn sender(direct: &str, list: &str) -> (String, Option<String>) {
        let proxies = Proxies {
            field: Some(b"X-Forwarded-For".to_vec()),
            trusted: ["10.0.0.0/8", "2001:db8::/32"]
                .map(|text| Network::from_text(text).unwrap())
                .to_vec(),
        };
        let mut parser = Parser::default();
        parser.line(b"#Fields: c-ip cs(X-Forwarded-For)", false);
        let line = format!("{direct} {list}");
        let Line::Record(record) = parser.line(line.as_bytes(), false) else {
            panic!("{line}")
        };
        let found = proxies.sender(&record).unwrap();
        let text = |it: Cow<'_, [u8]>| String::from_utf8(it.into()).unwrap();
        (text(found.client), found.proxy.map(text))
    }

    #[test]
    fn the_rightmost_address_that_is_not_trusted() {
        let by = |proxy: &str| Some(proxy.to_owned());
        for (direct, list, client, proxy) in [
            ("192.0.2.1", "198.51.100.7", "192.0.2.1", None),
            ("10.0.0.1", "198.51.100.7", "198.51.100.7", by("10.0.0.1")),
            ("10.0.0.1", "-", "10.0.0.1", None),
            (
                "10.0.0.1",
                "6.6.6.6,+198.51.100.7,+10.9.9.9",
                "198.51.100.7",
                by("10.0.0.1"),
            ),
            ("10.0.0.1", "10.1.1.1,10.2.2.2", "10.1.1.1", by("10.0.0.1")),
            (
                "10.0.0.1",
                "made-up,198.51.100.7:4711",
                "198.51.100.7",
                by("10.0.0.1"),
            ),
            ("10.0.0.1", "6.6.6.6,made-up", "10.0.0.1", None),
            ("10.0.0.1", "[2001:DB9::7]:443", "2001:db9::7", by("10.0.0.1")),
            (
                "::ffff:10.0.0.1",
                "198.51.100.7",
                "198.51.100.7",
                by("10.0.0.1"),
            ),
            ("2001:db8::1", "2001:db9::7", "2001:db9::7", by("2001:db8::1")),
            ("fe80::1%12", "6.6.6.6", "fe80::1", None),
            ("::FFFF:192.0.2.1", "6.6.6.6", "192.0.2.1", None),
            ("not:an:address", "6.6.6.6", "not:an:address", None),
        ] {
            let expected = (client.to_owned(), proxy);
            assert_eq!(sender(direct, list), expected, "{direct} {list}");
        }
    }
}
