//! Made-up logs of any size, the same bytes for the same seed.
//!
//! In: a [`Recipe`]. Out: whole lines. What matters to a reader of logs is
//! made like the real thing: lines of some 270 bytes, pages and browsers
//! that come back, queries and clients that mostly do not, escapes in 14 of
//! 100 lines, one attack in 1,000. Nothing here is copied from a real log.

use std::io::Write as _;

use super::words::{
    ATTACKS, BROWSERS, ENDINGS, FOLDERS, KEYS, PAGES, SYSTEMS, VALUES,
};

/// What the lines look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// IIS 10 with its default fields.
    Iis10,
    /// IIS 5 as of 2001: fewer fields, short lines.
    Iis5,
    /// IIS 10, and every line has escapes.
    Escaped,
    /// IIS 10, and every line is an attack.
    Attacks,
    /// One line and no end.
    OneLine,
    /// Lines of one byte, under a layout of two columns.
    ShortLines,
    /// Lines of 64 k columns.
    Columns,
    /// A new layout before each line.
    Layouts,
}

impl Shape {
    /// The word on the command line.
    pub const ALL: [(&'static str, Self); 8] = [
        ("iis10", Self::Iis10),
        ("iis5", Self::Iis5),
        ("escaped", Self::Escaped),
        ("attacks", Self::Attacks),
        ("one-line", Self::OneLine),
        ("short-lines", Self::ShortLines),
        ("columns", Self::Columns),
        ("layouts", Self::Layouts),
    ];
}

/// What to make.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    pub shape: Shape,
    pub seed: u64,
    /// Distinct clients to draw from.
    pub clients: u32,
}

impl Default for Recipe {
    fn default() -> Self {
        Self { shape: Shape::Iis10, seed: 1, clients: 50_000 }
    }
}

/// Random numbers that are the same everywhere: SplitMix64. Its state goes on
/// by a fixed step, so seeds must not be that many steps apart: they would be
/// the same numbers, a little later.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Less than `most`, all alike.
    pub fn below(&mut self, most: u64) -> u64 {
        ((u128::from(self.roll()) * u128::from(most)) >> 64) as u64
    }

    /// Less than `most`, small numbers far more often.
    fn favoured(&mut self, most: u64) -> u64 {
        let most_of = self.below(most) + 1;
        let most_of = self.below(most_of) + 1;
        self.below(most_of)
    }

    fn chance(&mut self, of_thousand: u64) -> bool {
        self.below(1000) < of_thousand
    }
}

fn pick<'t, T: ?Sized>(dice: &mut Dice, of: &[&'t T]) -> &'t T {
    of[dice.below(of.len() as u64) as usize]
}

/// Makes the lines of one log after the other.
pub struct Generator {
    recipe: Recipe,
    dice: Dice,
    agents: Vec<Vec<u8>>,
    pages: Vec<Vec<u8>>,
    /// Seconds since the first midnight.
    clock: u64,
    /// Lines within the second.
    within: u64,
}

/// 2025-01-01, or 2001-07-01 for IIS 5, in days since 1970.
const FIRST_DAY: [u64; 2] = [20_089, 11_504];

impl Generator {
    pub fn new(recipe: Recipe) -> Self {
        // The browsers and pages of a site do not change with the seed.
        let mut dice = Dice::new(7);
        let agents = (0..400).map(|_| agent(&mut dice)).collect();
        let pages = (0..900).map(|_| page(&mut dice)).collect();
        let dice = Dice::new(recipe.seed);
        Self { recipe, dice, agents, pages, clock: 0, within: 0 }
    }

    /// The directives before a log.
    pub fn header(&mut self, out: &mut Vec<u8>) {
        let fields = match self.recipe.shape {
            Shape::Iis5 => {
                "date time c-ip cs-username s-ip s-port cs-method \
                 cs-uri-stem cs-uri-query sc-status cs(User-Agent)"
            }
            Shape::ShortLines => "date time",
            Shape::Columns => {
                out.extend_from_slice(b"#Fields:");
                (0..65_000).for_each(|n| {
                    let _ = write!(out, " x{n}");
                });
                out.push(b'\n');
                return;
            }
            _ => {
                "date time s-ip cs-method cs-uri-stem cs-uri-query s-port \
                 cs-username c-ip cs(User-Agent) cs(Referer) sc-status \
                 sc-substatus sc-win32-status time-taken"
            }
        };
        let iis =
            if self.recipe.shape == Shape::Iis5 { "5.0" } else { "10.0" };
        let (day, time) = (self.day(), clock_of(self.clock));
        let _ = write!(
            out,
            "#Software: Microsoft Internet Information Services {iis}\r\n\
             #Version: 1.0\r\n#Date: {day} {time}\r\n#Fields: {fields}\r\n"
        );
    }

    /// Appends lines of at least `bytes` bytes.
    pub fn lines(&mut self, bytes: u64, out: &mut Vec<u8>) {
        let end = out.len() + usize::try_from(bytes).unwrap();
        match self.recipe.shape {
            Shape::OneLine => {
                self.line(out);
                out.truncate(out.len() - 2);
                out.resize(end.max(out.len()), b'a');
                return;
            }
            Shape::ShortLines => {
                while out.len() < end {
                    out.extend_from_slice(b"a\n");
                }
                return;
            }
            _ => {}
        }
        while out.len() < end {
            match self.recipe.shape {
                Shape::Columns => {
                    (0..65_000).for_each(|_| out.extend_from_slice(b"a "));
                    out.pop();
                    out.push(b'\n');
                }
                Shape::Layouts => {
                    let n = self.dice.roll() % 1_000_000;
                    let _ = write!(
                        out,
                        "#Fields: date time s-ip cs-method cs-uri-stem \
                         cs-uri-query s-port cs-username c-ip \
                         cs(User-Agent) cs(Referer) sc-status sc-substatus \
                         sc-win32-status x{n}\r\n"
                    );
                    self.line(out);
                }
                _ => self.line(out),
            }
        }
    }

    /// Goes on with the next day.
    pub fn next_day(&mut self) {
        self.clock = (self.clock / 86_400 + 1) * 86_400;
    }

    fn day(&self) -> String {
        let first = FIRST_DAY[usize::from(self.recipe.shape == Shape::Iis5)];
        civil(first + self.clock / 86_400)
    }

    /// The name that IIS gives the log of this day.
    pub fn file_name(&self) -> String {
        let day = self.day();
        let lead =
            if self.recipe.shape == Shape::Iis5 { "ex" } else { "u_ex" };
        format!("{lead}{}{}{}.log", &day[2..4], &day[5..7], &day[8..10])
    }

    fn line(&mut self, out: &mut Vec<u8>) {
        self.within += 1;
        if self.within > self.dice.below(60) {
            (self.clock, self.within) = (self.clock + 1, 0);
            // A log stays on its day, however long it is.
            if self.clock.is_multiple_of(86_400) {
                self.clock -= 86_400;
            }
        }
        let attack = match self.recipe.shape {
            Shape::Attacks => true,
            _ => self.dice.chance(1),
        };
        let escaped = match self.recipe.shape {
            Shape::Escaped => true,
            _ => self.dice.chance(140),
        };
        if self.recipe.shape == Shape::Iis5 {
            self.iis5(attack, escaped, out);
        } else {
            self.iis10(attack, escaped, out);
        }
    }

    fn iis10(&mut self, attack: bool, escaped: bool, out: &mut Vec<u8>) {
        let client = self.client();
        let (day, time) = (self.day(), clock_of(self.clock));
        let _ = write!(out, "{day} {time} 10.4.0.21 ");
        let status = self.request(attack, escaped, out);
        let user = if self.dice.chance(60) { "FREIGHT\\office" } else { "-" };
        let _ = write!(out, " 443 {user} {client} ");
        let agent = self.dice.favoured(self.agents.len() as u64);
        out.extend_from_slice(&self.agents[agent as usize]);
        out.push(b' ');
        self.referer(out);
        let win32 = if status == 404 { 2 } else { 0 };
        let taken = self.dice.favoured(4000);
        let _ = write!(out, " {status} 0 {win32} {taken}\r\n");
    }

    fn iis5(&mut self, attack: bool, escaped: bool, out: &mut Vec<u8>) {
        let client = self.client();
        let (day, time) = (self.day(), clock_of(self.clock));
        let _ = write!(out, "{day} {time} {client} - 10.1.2.3 80 ");
        let status = self.request(attack, escaped, out);
        let _ = write!(out, " {status} ");
        let agent = self.dice.favoured(self.agents.len() as u64);
        let agent = &self.agents[agent as usize];
        out.extend_from_slice(&agent[..agent.len().min(40)]);
        out.extend_from_slice(b"\r\n");
    }

    fn client(&mut self) -> String {
        let n = self.dice.below(u64::from(self.recipe.clients)) as u32;
        // Spread over the address space, one address a number.
        let [a, b, c, d] = n.wrapping_mul(0x9E37_79B1).to_be_bytes();
        format!("{}.{b}.{c}.{d}", a.max(1))
    }

    /// Verb, stem and query; returns the status.
    fn request(
        &mut self,
        attack: bool,
        escaped: bool,
        out: &mut Vec<u8>,
    ) -> u16 {
        if attack {
            let (verb, stem, query) =
                ATTACKS[self.dice.below(ATTACKS.len() as u64) as usize];
            let _ = write!(out, "{verb} {stem} {query}");
            return [404, 200, 403, 500][self.dice.below(4) as usize];
        }
        let verb = if self.dice.chance(150) { "POST " } else { "GET " };
        out.extend_from_slice(verb.as_bytes());
        let page = self.dice.favoured(self.pages.len() as u64);
        out.extend_from_slice(&self.pages[page as usize]);
        out.push(b' ');
        if escaped || self.dice.chance(720) {
            self.query(escaped, out);
        } else {
            out.push(b'-');
        }
        match self.dice.below(100) {
            0..=80 => 200,
            81..=90 => 304,
            91..=95 => 302,
            96..=98 => 404,
            _ => 500,
        }
    }

    fn query(&mut self, escaped: bool, out: &mut Vec<u8>) {
        for n in 0..=self.dice.below(4) {
            if n > 0 {
                out.push(b'&');
            }
            let key = pick(&mut self.dice, &KEYS);
            let _ = write!(out, "{key}=");
            if escaped && n == 0 {
                let (a, b) = (
                    pick(&mut self.dice, &VALUES),
                    pick(&mut self.dice, &VALUES),
                );
                let _ = match self.dice.below(4) {
                    0 => write!(out, "%2F{a}%2F{b}"),
                    1 => write!(out, "{a}%20{b}%3A1"),
                    2 => write!(out, "{a}%c3%bc{b}"),
                    _ => write!(out, "{a}%2C{b}"),
                };
            } else if self.dice.chance(400) {
                let _ = write!(out, "{}", self.dice.below(10_000_000));
            } else if self.dice.chance(100) {
                let (a, b) = (self.dice.roll(), self.dice.roll());
                let _ = write!(out, "{a:016x}{b:016x}");
            } else {
                let value = pick(&mut self.dice, &VALUES);
                let _ = write!(out, "{value}");
            }
        }
    }

    fn referer(&mut self, out: &mut Vec<u8>) {
        if self.dice.chance(300) {
            out.push(b'-');
            return;
        }
        out.extend_from_slice(b"https://www.freight.example");
        let page = self.dice.favoured(self.pages.len() as u64);
        out.extend_from_slice(&self.pages[page as usize]);
        if self.dice.chance(200) {
            let id = self.dice.below(20_000);
            let key = pick(&mut self.dice, &KEYS);
            let _ = write!(out, "?{key}={id}");
        }
    }
}

fn agent(dice: &mut Dice) -> Vec<u8> {
    let system = pick(dice, &SYSTEMS);
    let major = 100 + dice.favoured(40);
    let build = dice.below(7000);
    let text = match dice.below(6) {
        0 => format!(
            "Mozilla/5.0+({system};+rv:{major}.0)+Gecko/20100101+\
             Firefox/{major}.0"
        ),
        1 => format!(
            "Mozilla/5.0+({system})+AppleWebKit/605.1.15+(KHTML,+like+Gecko)\
             +Version/{}.{}+Safari/605.1.15",
            major - 88,
            build % 7
        ),
        2 => pick(dice, &BROWSERS).to_owned(),
        _ => format!(
            "Mozilla/5.0+({system})+AppleWebKit/537.36+(KHTML,+like+Gecko)+\
             Chrome/{major}.0.{build}.{}+Safari/537.36",
            build % 200
        ),
    };
    text.into_bytes()
}

fn page(dice: &mut Dice) -> Vec<u8> {
    let mut text = String::new();
    for _ in 0..=dice.below(3) {
        text += "/";
        text += pick(dice, &FOLDERS);
    }
    text += "/";
    text += pick(dice, &PAGES);
    if dice.chance(300) {
        text += &format!("-{}", dice.below(400));
    }
    text += pick(dice, &ENDINGS);
    text.into_bytes()
}

fn clock_of(seconds: u64) -> String {
    let of_day = seconds % 86_400;
    format!("{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// A day since 1970 as `YYYY-MM-DD` (Howard Hinnant's algorithm).
pub fn civil(days: u64) -> String {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year =
        (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let m = (5 * of_year + 2) / 153;
    let day = of_year - (153 * m + 2) / 5 + 1;
    let month = if m < 10 { m + 3 } else { m - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
