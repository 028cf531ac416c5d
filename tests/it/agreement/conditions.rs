//! Made conditions, which a third evaluator here judges as well: two that
//! read precedence wrongly would agree with each other.
//!
//! In: expressions grown from dice. Out: their text with as few parentheses
//! as precedence allows, and some too many; and what they amount to.

use std::collections::BTreeMap;

use iisleuth::signature::Scratch;

use super::events::Request;
use super::known::CONDITIONS;
use super::modifiers::taken;
use super::{SEED, others, ours, rule, verdicts};
use crate::library::Dice;

/// Conditions made.
const COUNT: usize = 400;

/// The searches, each with the columns that tell whether it holds.
const SEARCHES: &str = "
    sel_a:
        x-a: 'yes'
    sel_b:
        x-b|startswith: y
    sel_both:
        x-a: 'yes'
        x-b: 'yes'
    filter_one:
        - x-c: 'yes'
          x-a: 'yes'
        - x-d: 'yes'
    filter_null:
        x-d: null
    _hidden:
        x-b|contains|all: [y, e, s]
    keys:
        - needle
        - 'thr*ad'
    keys_all:
        '|contains|all': [needle, thread]
    mixed:
        - needle
        - x-c: 'yes'
";

const NAMES: [&str; 9] = [
    "sel_a",
    "sel_b",
    "sel_both",
    "filter_one",
    "filter_null",
    "_hidden",
    "keys",
    "keys_all",
    "mixed",
];

/// What `… of` may name, with the searches that are meant.
const TARGETS: [(&str, &[usize]); 9] = [
    ("them", &[0, 1, 2, 3, 4, 6, 7, 8]),
    ("sel_*", &[0, 1, 2]),
    ("sel*", &[0, 1, 2]),
    ("sel_b*", &[1, 2]),
    ("filter_*", &[3, 4]),
    ("*_all", &[7]),
    ("k*s", &[6]),
    ("_hid*", &[5]),
    ("mixed", &[8]),
];

/// What the columns hold.
#[derive(Clone, Copy, Debug)]
struct World {
    a: bool,
    b: bool,
    c: bool,
    d: bool,
    needle: bool,
    thread: bool,
}

impl World {
    fn all() -> impl Iterator<Item = Self> {
        (0..64_u32).map(|bits| {
            let bit = |n: u32| bits >> n & 1 == 1;
            let [a, b, c, d] = [0, 1, 2, 3].map(bit);
            Self { a, b, c, d, needle: bit(4), thread: bit(5) }
        })
    }

    fn request(self) -> Request {
        let yes = |is: bool| if is { "yes" } else { "no" };
        let word = match (self.needle, self.thread) {
            (true, true) => "Needle,thread",
            (true, false) => "NEEDLE",
            (false, true) => "thread",
            (false, false) => "-",
        };
        Request::new(&[
            ("c-ip", "198.51.100.9"),
            ("x-a", yes(self.a)),
            ("x-b", yes(self.b)),
            ("x-c", yes(self.c)),
            ("x-d", if self.d { "yes" } else { "-" }),
            ("x-e", word),
        ])
    }

    fn holds(self, search: usize) -> bool {
        match search {
            0 => self.a,
            1 | 5 => self.b,
            2 => self.a && self.b,
            3 => self.c && self.a || self.d,
            4 => !self.d,
            6 => self.needle || self.thread,
            7 => self.needle && self.thread,
            8 => self.needle || self.c,
            other => panic!("no search {other}"),
        }
    }
}

/// A condition.
#[derive(Clone, Debug)]
enum Tree {
    Or(Vec<Tree>),
    And(Vec<Tree>),
    Not(Box<Tree>),
    Name(usize),
    Of(&'static str, usize),
}

impl Tree {
    fn grow(dice: &mut Dice, depth: usize) -> Self {
        let kind = if depth == 0 { 6 } else { dice.below(8) };
        let some = |dice: &mut Dice| {
            let count = 2 + dice.below(2);
            (0..count).map(|_| Self::grow(dice, depth - 1)).collect()
        };
        match kind {
            0 | 1 => Self::Or(some(dice)),
            2 | 3 => Self::And(some(dice)),
            4 | 5 => Self::Not(Box::new(Self::grow(dice, depth - 1))),
            _ if dice.below(3) == 0 => {
                let quantity = ["1", "any", "all"][dice.below(3)];
                Self::Of(quantity, dice.below(TARGETS.len()))
            }
            _ => Self::Name(dice.below(NAMES.len())),
        }
    }

    fn holds(&self, world: World) -> bool {
        match self {
            Self::Or(parts) => parts.iter().any(|it| it.holds(world)),
            Self::And(parts) => parts.iter().all(|it| it.holds(world)),
            Self::Not(part) => !part.holds(world),
            Self::Name(search) => world.holds(*search),
            Self::Of(quantity, target) => {
                let mut each =
                    TARGETS[*target].1.iter().map(|it| world.holds(*it));
                match *quantity {
                    "all" => each.all(|it| it),
                    _ => each.any(|it| it),
                }
            }
        }
    }

    /// How tightly it binds.
    fn rank(&self) -> usize {
        match self {
            Self::Or(_) => 0,
            Self::And(_) => 1,
            Self::Not(_) => 2,
            Self::Name(_) | Self::Of(..) => 3,
        }
    }

    fn text(&self, within: usize, dice: &mut Dice) -> String {
        let join = |parts: &[Self], word: &str, dice: &mut Dice| {
            // The parts of a chain must bind tighter, but for `a or (b or c)`
            // written without: that means the same.
            let texts: Vec<_> =
                parts.iter().map(|it| it.text(self.rank(), dice)).collect();
            texts.join(word)
        };
        let text = match self {
            Self::Or(parts) => join(parts, " or ", dice),
            Self::And(parts) => join(parts, " and ", dice),
            Self::Not(part) => format!("not {}", part.text(2, dice)),
            Self::Name(search) => NAMES[*search].to_owned(),
            Self::Of(quantity, target) => {
                format!("{quantity} of {}", TARGETS[*target].0)
            }
        };
        if self.rank() < within || dice.below(6) == 0 {
            format!("({text})")
        } else {
            text
        }
    }
}

#[test]
fn conditions_mean_the_same_to_both_and_what_they_should() {
    let mut dice = Dice::new(SEED);
    let mut trees = Vec::new();
    let mut file = String::new();
    for number in 0..COUNT {
        // Some rules have a list of conditions.
        let count = if number % 5 == 0 { 2 } else { 1 };
        let own: Vec<_> =
            (0..count).map(|_| Tree::grow(&mut dice, 3)).collect();
        let texts: Vec<_> =
            own.iter().map(|it| it.text(0, &mut dice)).collect();
        let text = match texts.as_slice() {
            [text] => format!("    condition: {text}\n"),
            texts => format!("    condition: ['{}']\n", texts.join("', '")),
        };
        let detection = format!("{}\n{text}", SEARCHES.trim_matches('\n'));
        file.push_str(&rule(&format!("c{number:04}"), &detection));
        trees.push((text, own));
    }
    let (set, theirs) = (ours(&file, true).unwrap(), others(&file));
    let mut scratch = Scratch::default();
    let mut told: BTreeMap<bool, usize> = BTreeMap::new();
    for world in World::all() {
        let request = world.request();
        for ((text, trees), index) in trees.iter().zip(0_u32..) {
            let other = &theirs[&set.rule(index).unwrap().name];
            let other = other.as_ref().unwrap();
            let wanted = trees.iter().any(|tree| tree.holds(world));
            let found =
                verdicts(&set, index, other, &request, &mut scratch).unwrap();
            assert_eq!(found, (wanted, wanted), "{text}{world:?}");
            *told.entry(wanted).or_default() += 1;
        }
    }
    println!("{COUNT} conditions: {told:?}");
    assert!(told[&true] > 5000 && told[&false] > 5000, "{told:?}");
}

#[test]
fn who_refuses_which_condition_is_listed() {
    for refusal in &CONDITIONS {
        let detection = format!(
            "    a: {{x: a}}\n    b: {{x: b}}\n    _c: {{x: c}}\n    \
             condition: {}\n",
            refusal.detection
        );
        taken(refusal, &detection);
    }
}

/// `1 of *` is `1 of them` to us, as in pySigma: searches whose names begin
/// with `_` are hidden from both. The other hides them from `them` alone.
#[test]
fn hidden_searches_are_hidden_from_patterns_too() {
    let detection = "    a: {x-a: 'yes'}\n    _b: {x-b: 'yes'}\n    \
                     condition: 1 of *\n";
    let file = rule("hidden", detection);
    let (set, theirs) = (ours(&file, true).unwrap(), others(&file));
    let mut scratch = Scratch::default();
    let only_b = [("c-ip", "-"), ("x-a", "no"), ("x-b", "yes")];
    let request = Request::new(&only_b);
    let other = theirs["hidden"].as_ref().unwrap();
    let found = verdicts(&set, 0, other, &request, &mut scratch);
    assert_eq!(found, Some((false, true)));
}
