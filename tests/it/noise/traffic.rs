//! Logs of ordinary traffic.
//!
//! In: the templates beside this file, and a seed. Out: a log of IIS, the
//! same for the same seed.

use std::fmt::Write as _;

use iisleuth::w3c::shorten::resolve;

use super::fill::{Lists, Text};
use crate::library::Dice;

const FILES: [&str; 4] = [
    include_str!("web.txt"),
    include_str!("api.txt"),
    include_str!("microsoft.txt"),
    include_str!("lists.txt"),
];

/// Columns of IIS 8.5 and later with what people add to them.
const NEW: &str = "date time s-ip cs-method cs-uri-stem cs-uri-query s-port \
    cs-username c-ip cs(User-Agent) cs(Referer) cs(Cookie) cs-host sc-status \
    sc-substatus sc-win32-status sc-bytes cs-bytes time-taken";
/// Columns of IIS 5 and 6.
const OLD: &str = "date time c-ip cs-username s-sitename s-computername s-ip \
    s-port cs-method cs-uri-stem cs-uri-query sc-status sc-win32-status \
    sc-bytes cs-bytes time-taken cs-host cs(User-Agent) cs(Cookie) \
    cs(Referer)";

/// One kind of request.
struct Template {
    method: String,
    target: Text,
    status: u32,
    agents: String,
    referer: Option<Text>,
    user: Option<Text>,
    inside: bool,
}

/// What only managed machines and servers use, and no server shows outside.
const INSIDE: [&str; 7] =
    ["wsus", "winrm", "backend", "none", "tfs", "spsearch", "scep"];

impl Template {
    fn is_inside(&self) -> bool {
        self.inside || INSIDE.contains(&self.agents.as_str())
    }
}

impl Pace {
    /// Who sends a request.
    fn client(self, template: &Template, dice: &mut Dice) -> String {
        let (nets, clients) = self.inside;
        let is_outside = dice.below(2) == 0;
        if is_outside && !template.is_inside() {
            return format!("198.51.100.{}", dice.below(self.outside));
        }
        format!("10.{}.{}.7", dice.below(nets), dice.below(clients))
    }
}

/// Requests of one kind of site.
struct Section {
    name: String,
    weight: usize,
    templates: Vec<Template>,
}

/// How many clients send, and how fast.
#[derive(Clone, Copy)]
pub struct Pace {
    /// Seconds between two lines: less than so many.
    pub step: usize,
    /// Clients outside, at most 256.
    pub outside: usize,
    /// Networks inside, and clients in each, at most 256.
    pub inside: (usize, usize),
}

/// So many clients that none is seen often.
pub const CROWD: Pace = Pace { step: 2, outside: 256, inside: (4, 256) };

/// All kinds of traffic.
pub struct Traffic {
    sections: Vec<Section>,
    lists: Lists,
}

impl Traffic {
    pub fn new() -> Self {
        let [web, api, microsoft, lists] = FILES;
        let lists = Lists::new(lists);
        let mut sections: Vec<Section> = Vec::new();
        for line in [web, api, microsoft].iter().flat_map(|it| it.lines()) {
            if line.starts_with("# ") || line.is_empty() {
                continue;
            }
            if let Some(head) = line.strip_prefix("@ ") {
                let mut words = head.split(' ');
                sections.push(Section {
                    name: words.next().unwrap().to_owned(),
                    weight: words.next().unwrap().parse().unwrap(),
                    templates: Vec::new(),
                });
                continue;
            }
            let section = sections.last_mut().expect("a section");
            section.templates.push(template(line, &lists));
        }
        Self { sections, lists }
    }

    /// One log of so many lines, within a day.
    pub fn log(&self, seed: u64, lines: usize, pace: Pace) -> Vec<u8> {
        let mut dice = Dice::new(seed.wrapping_mul(0x2545_F491_4F6C_DD1D));
        let is_old = seed % 8 == 7;
        let software = match (is_old, seed % 3) {
            (true, 0) => "6.0",
            (true, _) => "5.0",
            (false, 0) => "8.5",
            (false, _) => "10.0",
        };
        let fields = if is_old { OLD } else { NEW };
        let mut out = format!(
            "#Software: Microsoft Internet Information Services {software}\n\
             #Version: 1.0\n#Fields: {fields}\n"
        )
        .into_bytes();
        let sections: Vec<&Section> = self
            .sections
            .iter()
            .filter(|it| {
                let is_of_old = ["old", "static", "crawl"];
                match it.name.as_str() {
                    "old" => is_old,
                    name => !is_old || is_of_old.contains(&name),
                }
            })
            .collect();
        let mut second = dice.below(86_400 - lines * (pace.step - 1));
        for _ in 0..lines {
            second += dice.below(pace.step);
            let section = pick(&sections, &mut dice);
            let at = dice.below(section.templates.len());
            let template = &section.templates[at];
            let client = |dice: &mut Dice| pace.client(template, dice);
            let line = self.line(template, second, is_old, client, &mut dice);
            out.extend_from_slice(&line);
            out.push(b'\n');
        }
        out
    }

    fn line(
        &self,
        template: &Template,
        second: usize,
        is_old: bool,
        client: impl Fn(&mut Dice) -> String,
        dice: &mut Dice,
    ) -> Vec<u8> {
        let Self { lists, .. } = self;
        let target = template.target.fill(lists, dice);
        let (stem, query) = match memchr::memchr(b'?', &target) {
            Some(at) => (&target[..at], &target[at + 1..]),
            None => (&target[..], &b"-"[..]),
        };
        let stem = logged(stem, is_old);
        let user = template.user.as_ref();
        let mut user = user.map_or(b"-".to_vec(), |it| it.fill(lists, dice));
        let mut status = template.status;
        // The first of the two or three requests of a logon.
        if user != b"-" && dice.below(4) == 0 {
            (status, user) = (401, b"-".to_vec());
        }
        let referer = match (&template.referer, dice.below(20)) {
            (Some(own), _) => own.fill(lists, dice),
            (None, 0..3) => lists.fill("refsearch", dice),
            (None, 3..8) => lists.fill("url", dice),
            (None, _) => b"-".to_vec(),
        };
        let agent = format!("agent:{}", template.agents);
        let agent = plus(&lists.fill(&agent, dice));
        let cookie = lists.fill("cookie", dice);
        let host = lists.fill("host", dice);
        let (hour, minute) = (second / 3600, second / 60 % 60);
        let time = format!("{hour:02}:{minute:02}:{:02}", second % 60);
        let client = client(dice);
        let port: &[u8] = match template.agents.as_str() {
            "backend" => b"444",
            _ => b"443",
        };
        let (sub, win32) = match (status, dice.below(3)) {
            (401, 0) => (1, 2_148_074_254_u32),
            (401, _) => (2, 5),
            (404, _) => (0, 2),
            (403, _) => (14, 0),
            (200, 0) => (0, 64 * u32::from(dice.below(30) == 0)),
            _ => (0, 0),
        };
        let (sent, got) = (dice.below(90_000), 200 + dice.below(2000));
        let taken = dice.below(900);
        let method = &template.method;
        let text = |bytes: &[u8]| {
            // A log has no blank and no control characters in a column.
            let mut bytes = bytes.to_vec();
            for byte in &mut bytes {
                if *byte <= b' ' {
                    *byte = b'+';
                }
            }
            if bytes.is_empty() { b"-".to_vec() } else { bytes }
        };
        let [stem, query, user, agent, referer, cookie] =
            [&stem, query, &user, &agent, &referer, &cookie].map(text);
        let mut line = Vec::new();
        let mut push = |columns: &[&[u8]]| {
            for column in columns {
                line.extend_from_slice(column);
                line.push(b' ');
            }
        };
        let figures = format!("{sent} {got} {taken}");
        if is_old {
            let head = format!("2005-03-14 {time} {client}");
            push(&[head.as_bytes(), &user, b"W3SVC1 WEB01 10.0.0.5 80"]);
            push(&[method.as_bytes(), &stem, &query]);
            let status = format!("{status} {win32} {figures}");
            push(&[status.as_bytes(), &host, &agent, &cookie, &referer]);
        } else {
            let head = format!("2023-11-20 {time} 10.0.0.5 {method}");
            push(&[head.as_bytes(), &stem, &query, port, &user]);
            push(&[client.as_bytes(), &agent, &referer, &cookie, &host]);
            let mut status = format!("{status} {sub} {win32}");
            write!(status, " {figures}").unwrap();
            push(&[status.as_bytes()]);
        }
        line.pop();
        line
    }
}

fn template(line: &str, lists: &Lists) -> Template {
    let mut columns = line.split(" | ").map(str::trim);
    let (method, target) = columns.next().unwrap().split_once(' ').unwrap();
    let status = columns.next().map_or(200, |it| it.parse().unwrap());
    let agents = columns.next().unwrap_or("browser").to_owned();
    lists.expect(&format!("agent:{agents}"));
    // Administrators sit inside too.
    let inside = line.contains("| CORP\\");
    let mut text = || {
        let text = columns.next().filter(|it| !it.is_empty() && *it != "-")?;
        Some(Text::known(text, lists))
    };
    Template {
        method: method.to_owned(),
        target: Text::known(target, lists),
        status,
        agents,
        referer: text(),
        user: text(),
        inside,
    }
}

/// One of them, as often as it weighs.
fn pick<'t>(sections: &[&'t Section], dice: &mut Dice) -> &'t Section {
    let all: usize = sections.iter().map(|it| it.weight).sum();
    let mut at = dice.below(all);
    for section in sections {
        if at < section.weight {
            return section;
        }
        at -= section.weight;
    }
    unreachable!("the weights add up")
}

/// A path as IIS logs it: decoded, and from version 6 on resolved.
fn logged(path: &[u8], is_old: bool) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut out = Vec::new();
    let mut rest = path;
    while let [first, tail @ ..] = rest {
        let escape = match rest {
            [b'%', a, b, ..] => digit(*a).zip(digit(*b)),
            _ => None,
        };
        match escape {
            Some((a, b)) => {
                out.push(u8::try_from(a * 16 + b).unwrap());
                rest = &rest[3..];
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    let mut short = Vec::new();
    if !is_old && resolve(&out, &mut short) { short } else { out }
}

fn plus(text: &[u8]) -> Vec<u8> {
    text.iter().map(|it| if *it == b' ' { b'+' } else { *it }).collect()
}
