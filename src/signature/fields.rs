//! The names of fields that a rule may use.
//!
//! In: the `detection` of a rule and the columns of its own that it names.
//! Out: a fault for each name that is neither a column of the logs that this
//! program reads, nor Sigma's word for one. A misspelt field is a rule that
//! never fires and never says so; that is worse than a rule that is refused.
//! Custom columns of IIS may have any name: a rule says which it means under
//! `iisleuth: columns:`, and `x-…` and `cs(…)` need no saying.

use crate::signature::diagnostic::{Faults, nearest, quote};
use crate::signature::entries::Entries;
use crate::signature::view::View;
use crate::signature::yaml::{Node, Value};

/// Names that the view does not give a meaning of its own.
///
/// Sources: the taxonomy of Sigma for web servers and proxies; "W3C Extended
/// Log File Format (IIS)"; "Error logging in HTTP APIs"; the `#Fields` of
/// Advanced Logging and of the HTTP proxy of Exchange 2013 to 2019.
const COLUMNS: &[&str] = &[
    // Sigma
    "c-uri-path",
    "cs-content-type",
    "r-ip",
    "sc-content-type",
    "user",
    // IIS and HTTP.sys
    "s-event",
    "s-process-type",
    "s-user-time",
    "s-kernel-time",
    "s-page-faults",
    "s-total-procs",
    "s-active-procs",
    "s-stopped-procs",
    "s-proxy",
    "streamid",
    "streamid_ex",
    "transport",
    "fault-code",
    "extended-fault-code",
    "crypt-protocol",
    "crypt-cipher",
    "crypt-hash",
    "crypt-keyexchange",
    "cs-data",
    "cs-ssl-protocol",
    "rfc931",
    // Advanced Logging
    "beginrequest-utc",
    "endrequest-utc",
    "contentpath",
    "cpu-utilization",
    "cs-uri-path",
    "s-contentpath",
    "s-requestid",
    "sc-win32status",
    "time-takenms",
    "requestheaders",
    // Exchange
    "requestid",
    "majorversion",
    "minorversion",
    "buildversion",
    "revisionversion",
    "clientrequestid",
    "protocol",
    "protocolaction",
    "authenticationtype",
    "isauthenticated",
    "organization",
    "anchormailbox",
    "backendstatus",
    "errorcode",
    "proxyaction",
    "targetserver",
    "targetserverversion",
    "routingtype",
    "routinghint",
    "backendcookie",
    "serverlocatorhost",
    "serverlocatorlatency",
    "targetoutstandingrequests",
    "authmoduleperfcontext",
    "httppipelinelatency",
    "calculatetargetbackendlatency",
    "glslatencybreakup",
    "totalglslatency",
    "adlatency",
    "activitycontextlifetime",
    "backendgenericinfo",
    "backendprocessinglatency",
    "genericinfo",
    "genericerrors",
    "edgetraceid",
    "databaseguid",
    "useradobjectguid",
    "partitionendpointlookuplatency",
    "routingstatus",
    "clientipaddress",
];

/// Names that messages suggest: those that rules use most.
const SUGGESTED: &[&str] = &[
    "cs-uri-query",
    "cs-uri-stem",
    "cs-uri",
    "cs-method",
    "cs-user-agent",
    "cs-referer",
    "cs-cookie",
    "cs-host",
    "cs-username",
    "cs-version",
    "cs-bytes",
    "c-uri",
    "c-uri-query",
    "c-uri-stem",
    "c-uri-extension",
    "c-useragent",
    "c-ip",
    "c-port",
    "src_ip",
    "dst_ip",
    "s-ip",
    "s-port",
    "s-sitename",
    "s-computername",
    "s-reason",
    "sc-status",
    "sc-substatus",
    "sc-win32-status",
    "sc-bytes",
];

/// True for a name, in lower case, that a log may have a column for.
pub(super) fn is_known(name: &str) -> bool {
    let header = name.split_once('(').is_some_and(|(side, rest)| {
        matches!(side, "cs" | "sc" | "rs" | "s" | "c")
            && rest.len() > 1
            && rest.ends_with(')')
    });
    header
        || name.strip_prefix("x-").is_some_and(|rest| !rest.is_empty())
        || COLUMNS.contains(&name)
        || !matches!(View::of(Some(name), false), View::Custom(_))
}

/// Checks all names of a detection.
pub(super) fn check(
    detection: Entries<'_>,
    own: &[String],
    faults: &mut Faults<'_>,
) {
    for (key, node) in detection.iter() {
        if matches!(key.key(), "condition" | "timeframe") {
            continue;
        }
        let maps = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        for map in maps {
            let Value::Map(entries) = &map.value else { continue };
            for (key, value) in entries {
                if faults.is_full() {
                    return;
                }
                check_key(key, value, own, faults);
            }
        }
    }
}

fn check_key(
    key: &Node,
    value: &Node,
    own: &[String],
    faults: &mut Faults<'_>,
) {
    let key_text = key.key();
    let (name, modifiers) = key_text.split_once('|').unwrap_or((key_text, ""));
    check_name(name, key, own, faults);
    if modifiers.split('|').any(|word| word == "fieldref") {
        let nodes = match &value.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(value),
        };
        for node in nodes {
            check_name(node.text().unwrap_or_default(), node, own, faults);
        }
    }
}

/// Checks one name.
pub(super) fn check_name(
    name: &str,
    node: &Node,
    own: &[String],
    faults: &mut Faults<'_>,
) {
    let name = name.trim();
    let lower = name.to_lowercase();
    let is_own = |column: &String| column.trim().eq_ignore_ascii_case(name);
    if name.is_empty() || is_known(&lower) || own.iter().any(is_own) {
        return;
    }
    let mut help = String::new();
    if let Some(near) = nearest(&lower, SUGGESTED) {
        help = format!("did you mean `{near}`? ");
    }
    help.push_str(
        "A column of your own logs is named under `iisleuth: columns:`",
    );
    let what = format!("unknown field {}", quote(name));
    faults.advise(node.at(), what, help);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::Raw;
    use crate::signature::yaml;

    #[test]
    fn names_of_columns_and_of_sigma_are_known() {
        for name in COLUMNS.iter().chain(SUGGESTED) {
            assert_eq!(**name, name.to_lowercase());
            assert!(is_known(name), "{name}");
        }
        for name in ["date", "x-forwarded-for", "cs(x-real-ip)", "host"] {
            assert!(is_known(name), "{name}");
        }
        for name in ["cs-uri-qery", "x-", "cs()", "uri", "foo(bar)"] {
            assert!(!is_known(name), "{name}");
        }
    }

    #[test]
    fn an_unknown_name_is_a_fault_with_its_place() {
        let file = Raw::from("a.yml");
        let text = "a:\n  cs-uri-qeury|contains: x\nb:\n- Tenant: y\n- \
                    cs-uri-stem|fieldref: [Own, cs-ur]\ncondition: a\n";
        let (mut faults, documents) =
            yaml::parse(&file, text.as_bytes().into());
        let node = documents.first().unwrap();
        let map = Entries::of(node, "x", &mut faults).unwrap();
        check(map, &["own".to_owned()], &mut faults);
        let found = faults.finish(()).unwrap_err();
        let found: Vec<_> = found
            .iter()
            .map(|d| (d.line, d.column, d.message.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (2, 3, "unknown field `cs-uri-qeury`"),
                (4, 3, "unknown field `Tenant`"),
                (5, 31, "unknown field `cs-ur`"),
            ]
        );
    }
}
