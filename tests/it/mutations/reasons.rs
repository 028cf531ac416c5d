//! Why a rule may miss a request that is written another way.
//!
//! In: a rule and a way. Out: whether the way is left out, because it would
//! change what the request means; or the reason for a miss that stays.

use iisleuth::signature::Rule;

/// Ways, of rules, and the reason.
type Row = (&'static str, &'static [&'static str], &'static str);

/// Ways that change what a rule's requests mean.
const LEFT_OUT: &[Row] = &[
    (
        "case",
        &[
            "dotnet-serialized-object",
            "gladinet-cve-2025-14611",
            "java-serialized-object",
            "skype-lwaclient-ssrf",
            "viewstate-in-query",
            "viewstate-in-query-long",
            "viewstate-object-taken",
            "workspace-one-ssrf",
        ],
        "the value is base64, which another letter case makes another value",
    ),
    (
        "case",
        &["php-object"],
        "the letter before the colon tells what kind of value follows",
    ),
    (
        "case",
        &["wsus-odd-client-spelling"],
        "the letter case is how the tool gives itself away",
    ),
    (
        "dot folder, up again, backslash",
        &["asp-many-slashes"],
        "the number of slashes in a row is the attack",
    ),
    (
        "percent one, percent all, double one, double all, unicode one, \
         unicode all",
        &["webdav-unicode-bypass"],
        "the log writes two characters for two bytes that no client sent so",
    ),
];

const NO_QUERY: &str = "the rule is of requests without a query";
const TOOL: &str = "the rule is of a tool that sends exactly this";
const ESCAPES: &str =
    "the escapes are what tells it from the rule that finds it";
const WORM: &str =
    "the worm sends exactly this; what is like it is found by another rule";
const CLIMB: &str = "a climb more makes it a case for the rules for climbs";

/// Misses that stay.
const REASONS: &[Row] = &[
    (
        "parameter before, parameter behind",
        &[
            "asp-trailing-dot",
            "bin-assembly-request",
            "biztalk-receive-probe",
            "exchange-autodiscover-json-post",
            "frontpage-probe",
            "htw-sample-probe",
            "idq-path-disclosure",
            "nsiislog-probe",
            "php-cgi-binary",
            "sample-directory-probe",
            "ssrs-probe",
            "translate-f",
        ],
        NO_QUERY,
    ),
    (
        "parameter before, parameter behind",
        &[
            "crawler-form-answered",
            "godzilla-call-posted",
            "godzilla-load-posted",
            "nimda-admin-dll",
            "tunnel-pystinger",
            "tunnel-regeorg-session",
            "webdav-scstoragepathfromurl",
            "webshell-behinder-key",
            "webshell-crawler-agent-post",
            "webshell-java-client-post",
        ],
        TOOL,
    ),
    (
        "parameter before",
        &["telerik-dialog-value", "telerik-dialoghandler"],
        "the tool sends this parameter first, the editor itself last",
    ),
    (
        "percent one, percent all, double one, double all, unicode one, \
         unicode all",
        &["aspnet-request-validation-bypass"],
        "the width of `<` is what tells it from the rule that finds it",
    ),
    (
        "percent one, percent all, double one, double all, unicode one, \
         unicode all",
        &[
            "dot-dot-path",
            "double-decode-traversal",
            "encoded-climb-other-target",
            "unicode-traversal",
        ],
        ESCAPES,
    ),
    (
        "percent one, percent all, double one, double all, unicode one, \
         unicode all, dot folder, two slashes, backslash, up again",
        &[
            "nimda-double-decode",
            "nimda-unicode",
            "sadmind-copy-answered",
            "sadmind-iis",
            "sadmind-listing-answered",
        ],
        WORM,
    ),
    (
        "up again",
        &[
            "backdoor-interpreter-answered",
            "cmd-exe-request",
            "dot-dot-path",
            "drive-root-backdoor",
            "htw-script-source",
            "interpreter-copy-ran",
            "sam-backup-request",
            "system-file-request",
            "system-program-request",
        ],
        CLIMB,
    ),
    (
        "up again",
        &["foreign-apache-climb", "foreign-grafana"],
        "folders that are left again stand between the climbs",
    ),
    (
        "up again",
        &["foreign-openfire-papercut"],
        "the climb that follows leaves the folder that the rule names",
    ),
    (
        "case",
        &["gladinet-file-given"],
        "the ticket is base64, which another letter case makes another value",
    ),
    (
        "double one",
        &["asp-htmlencode-overflow"],
        "an escape among bytes that only count in a row",
    ),
    (
        "backslash",
        &["webdav-unicode-bypass"],
        "the rule wants a slash beside the bytes, as those of the attack",
    ),
];

/// True where the way would make another request of the rule's lines.
pub fn is_left_out(rule: &Rule, way: &str) -> bool {
    find(LEFT_OUT, &rule.name, way).is_some()
}

/// The reason for misses of a rule in this way.
pub fn of(rule: &str, way: &str) -> Option<&'static str> {
    find(REASONS, rule, way)
}

/// Rules for which a reason is given that misses nothing.
pub fn idle<'m>(
    missing: impl Iterator<Item = (&'m str, &'m str)> + Clone,
) -> Vec<&'static str> {
    let is_idle = |(ways, rule): &(&str, &str)| {
        let mut missing = missing.clone();
        !missing.any(|(own, way)| {
            own == *rule && ways.split(", ").any(|it| it == way)
        })
    };
    REASONS
        .iter()
        .flat_map(|(ways, rules, _)| rules.iter().map(|it| (*ways, *it)))
        .filter(is_idle)
        .map(|(_, rule)| rule)
        .collect()
}

fn find(table: &[Row], rule: &str, way: &str) -> Option<&'static str> {
    let is_of = |(ways, rules, _): &&Row| {
        ways.split(", ").any(|own| own == way) && rules.contains(&rule)
    };
    table.iter().find(is_of).map(|(.., reason)| *reason)
}
