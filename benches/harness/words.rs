//! The words that made-up logs are made of. All invented, or what every
//! browser and every worm sends.

pub const SYSTEMS: [&str; 8] = [
    "Windows+NT+10.0;+Win64;+x64",
    "Windows+NT+6.1;+WOW64",
    "Windows+NT+6.3;+Win64;+x64",
    "Macintosh;+Intel+Mac+OS+X+10_15_7",
    "X11;+Linux+x86_64",
    "iPhone;+CPU+iPhone+OS+17_5+like+Mac+OS+X",
    "Linux;+Android+14;+SM-A546B",
    "Linux;+Android+10;+K",
];

pub const BROWSERS: [&str; 6] = [
    "Mozilla/5.0+(compatible;+Googlebot/2.1;++http://www.google.com/bot.html)",
    "Mozilla/5.0+(compatible;+bingbot/2.0;++http://www.bing.com/bingbot.htm)",
    "Mozilla/4.0+(compatible;+MSIE+6.0;+Windows+NT+5.1;+SV1)",
    "Microsoft+Office/16.0+(Windows+NT+10.0;+Microsoft+Outlook+16.0;+Pro)",
    "FreightTracker/3.2+(build+4471;+scheduled)",
    "-",
];

pub const FOLDERS: [&str; 16] = [
    "catalogue",
    "orders",
    "content",
    "media",
    "api",
    "v2",
    "static",
    "track",
    "news",
    "account",
    "en",
    "de",
    "services",
    "assets",
    "portal",
    "library",
];

pub const PAGES: [&str; 20] = [
    "index", "list", "details", "logo", "main", "site", "shipment", "search",
    "basket", "login", "profile", "report", "overview", "contact", "print",
    "status", "customer", "invoice", "header", "vendor",
];

pub const ENDINGS: [&str; 12] = [
    ".aspx", ".aspx", ".js", ".css", ".png", ".jpg", ".htm", ".ashx", ".svg",
    "", ".asp", ".json",
];

pub const KEYS: [&str; 16] = [
    "id", "page", "q", "lang", "sort", "session", "from", "to", "ref",
    "category", "v", "token", "filter", "size", "order", "date",
];

pub const VALUES: [&str; 20] = [
    "en",
    "desc",
    "2025-03-01",
    "hamburg",
    "open",
    "all",
    "true",
    "premium",
    "container",
    "road",
    "winter+sale",
    "pdf",
    "monthly",
    "rotterdam",
    "large",
    "name",
    "summary",
    "spare+parts",
    "north",
    "express",
];

/// Verb, stem and query of attacks, one or two of each family.
pub const ATTACKS: [(&str, &str, &str); 20] = [
    (
        "GET",
        "/default.ida",
        "NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN\
         NNNNNNNN%u9090%u6858%ucbd3%u7801%u9090%u6858%ucbd3%u7801=a",
    ),
    ("GET", "/scripts/root.exe", "/c+dir"),
    ("GET", "/MSADC/root.exe", "/c+dir"),
    ("GET", "/scripts/..%255c../winnt/system32/cmd.exe", "/c+dir"),
    ("GET", "/scripts/..%c1%1c../winnt/system32/cmd.exe", "/c+dir+c:\\"),
    ("GET", "/_vti_bin/..%c0%af../winnt/system32/cmd.exe", "/c+dir"),
    ("GET", "/NULL.printer", "-"),
    ("GET", "/d/winnt/system32/cmd.exe", "/c+dir"),
    ("GET", "/c/winnt/system32/cmd.exe", "/c+dir"),
    ("GET", "/iisadmpwd/aexp2.htr", "-"),
    ("GET", "/_vti_bin/_vti_aut/dvwssr.dll", "-"),
    ("GET", "/msadc/msadcs.dll", "-"),
    ("GET", "/iissamples/exair/search/advsearch.asp", "-"),
    (
        "POST",
        "/autodiscover/autodiscover.json",
        "@evil.example/mapi/nspi/?&Email=autodiscover/autodiscover.json%3f@\
         evil.example",
    ),
    ("POST", "/ecp/y.js", "-"),
    (
        "POST",
        "/_layouts/15/ToolPane.aspx",
        "DisplayMode=Edit&a=/ToolPane.aspx",
    ),
    ("GET", "/_layouts/15/spinstall0.aspx", "-"),
    ("POST", "/Telerik.Web.UI.WebResource.axd", "type=rau"),
    ("GET", "/catalogue/list.asp", "id=1%27+union+all+select+1,2,3--"),
    ("GET", "/shop/view.asp", "id=1;exec+master..xp_cmdshell+'ping'"),
];
