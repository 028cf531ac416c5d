//! The fields that IIS and HTTP.sys log, by the names in `#Fields`.
//!
//! Source: "W3C Extended Log File Format (IIS)" and "Error logging in HTTP
//! APIs" (Microsoft). Any other name is a custom field, found by its name.

macro_rules! fields {
    ($($variant:ident = $name:literal,)*) => {
        /// A field with a name that IIS or HTTP.sys gives it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs)] // the names are those of the log
        pub enum Field { $($variant,)* }

        impl Field {
            /// How many there are.
            pub const COUNT: usize = [$(Self::$variant,)*].len();

            /// The name in `#Fields`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            const ALL: [Self; Self::COUNT] = [$(Self::$variant,)*];
        }
    };
}

fields! {
    Date = "date",
    Time = "time",
    SSitename = "s-sitename",
    SComputername = "s-computername",
    SIp = "s-ip",
    CsMethod = "cs-method",
    CsUriStem = "cs-uri-stem",
    CsUriQuery = "cs-uri-query",
    SPort = "s-port",
    CsUsername = "cs-username",
    CIp = "c-ip",
    CsVersion = "cs-version",
    CsUserAgent = "cs(user-agent)",
    CsCookie = "cs(cookie)",
    CsReferer = "cs(referer)",
    CsHost = "cs-host",
    ScStatus = "sc-status",
    ScSubstatus = "sc-substatus",
    ScWin32Status = "sc-win32-status",
    ScBytes = "sc-bytes",
    CsBytes = "cs-bytes",
    TimeTaken = "time-taken",
    CsUri = "cs-uri",
    CPort = "c-port",
    SSiteid = "s-siteid",
    SReason = "s-reason",
    SQueuename = "s-queuename",
}

impl Field {
    /// The field that a column name means, in any letter case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        let alias = ALIASES
            .iter()
            .find(|(alias, _)| alias.eq_ignore_ascii_case(name))
            .map(|(_, field)| *field);
        alias.or_else(|| {
            Self::ALL.into_iter().find(|field| {
                field.name().as_bytes().eq_ignore_ascii_case(name)
            })
        })
    }
}

/// Other names of the same: IIS Advanced Logging has its own for the time
/// taken and for times of the server's clock.
const ALIASES: [(&[u8], Field); 5] = [
    (b"cs(host)", Field::CsHost),
    (b"cs(referrer)", Field::CsReferer),
    (b"date-local", Field::Date),
    (b"time-local", Field::Time),
    (b"timetakenms", Field::TimeTaken),
];

/// True for a column of the server's clock.
pub(super) fn is_local(name: &[u8]) -> bool {
    let ending = name.len().saturating_sub(6);
    let is_local = |end: &[u8]| end.eq_ignore_ascii_case(b"-local");
    name.get(ending..).is_some_and(is_local)
        && matches!(Field::from_name(name), Some(Field::Date | Field::Time))
}
