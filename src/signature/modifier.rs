//! The modifiers behind a field's name: `cs-uri-query|contains|all`.
//!
//! In: the key of a search. Out: a [`Plan`], what its value is to be taken
//! for. A modifier that is unknown, or does not fit the others, is an error.

use std::cmp::Ordering;

use crate::signature::diagnostic::{Faults, Misread, quote, suggest};
use crate::signature::yaml::Node;

/// Bytes of a field's name: each test of a list keeps a copy.
const FIELD_BYTES: usize = 256;

/// A modifier, by what it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Modifier {
    All,
    Neq,
    Place(Place),
    Cased,
    WinDash,
    Code(Code),
    Kind(Kind),
    Flag(char),
    /// Known to Sigma, not to this program.
    Refused(&'static str),
}

/// Where in the text a pattern stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Whole,
    Start,
    End,
    Within,
}

/// A way to write a value as other bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Utf16Le,
    Utf16Be,
    Utf16,
    Base64,
    Base64Offset,
}

/// What a test asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Regex,
    Cidr,
    Compare([Option<Ordering>; 2]),
    Exists,
    FieldRef,
}

pub(super) const LESS: Option<Ordering> = Some(Ordering::Less);
pub(super) const SAME: Option<Ordering> = Some(Ordering::Equal);
pub(super) const MORE: Option<Ordering> = Some(Ordering::Greater);

/// All modifiers; messages list those that are not refused.
pub(super) const MODIFIERS: [(&str, Modifier); 35] = [
    ("contains", Modifier::Place(Place::Within)),
    ("startswith", Modifier::Place(Place::Start)),
    ("endswith", Modifier::Place(Place::End)),
    ("all", Modifier::All),
    ("re", Modifier::Kind(Kind::Regex)),
    ("i", Modifier::Flag('i')),
    ("m", Modifier::Flag('m')),
    ("s", Modifier::Flag('s')),
    ("ignorecase", Modifier::Flag('i')),
    ("multiline", Modifier::Flag('m')),
    ("dotall", Modifier::Flag('s')),
    ("cased", Modifier::Cased),
    ("exists", Modifier::Kind(Kind::Exists)),
    ("cidr", Modifier::Kind(Kind::Cidr)),
    ("lt", Modifier::Kind(Kind::Compare([LESS, None]))),
    ("lte", Modifier::Kind(Kind::Compare([LESS, SAME]))),
    ("gt", Modifier::Kind(Kind::Compare([MORE, None]))),
    ("gte", Modifier::Kind(Kind::Compare([MORE, SAME]))),
    ("neq", Modifier::Neq),
    ("base64", Modifier::Code(Code::Base64)),
    ("base64offset", Modifier::Code(Code::Base64Offset)),
    ("wide", Modifier::Code(Code::Utf16Le)),
    ("utf16le", Modifier::Code(Code::Utf16Le)),
    ("utf16be", Modifier::Code(Code::Utf16Be)),
    ("utf16", Modifier::Code(Code::Utf16)),
    ("windash", Modifier::WinDash),
    ("fieldref", Modifier::Kind(Kind::FieldRef)),
    ("expand", Modifier::Refused(EXPAND)),
    ("minute", Modifier::Refused(TIME)),
    ("hour", Modifier::Refused(TIME)),
    ("day", Modifier::Refused(TIME)),
    ("week", Modifier::Refused(TIME)),
    ("month", Modifier::Refused(TIME)),
    ("year", Modifier::Refused(TIME)),
    ("eq", Modifier::Refused("equality needs no modifier")),
];

pub(super) const EXPAND: &str =
    "placeholders have no values here; write the values into the rule";
pub(super) const TIME: &str =
    "parts of times are not compared; use the report's filter";

/// What the modifiers of one key ask for.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // each is one modifier
pub(super) struct Plan {
    pub(super) field: Option<String>,
    pub(super) kind: Kind,
    pub(super) place: Place,
    pub(super) all: bool,
    pub(super) neq: bool,
    pub(super) cased: bool,
    pub(super) windash: bool,
    pub(super) flags: String,
    pub(super) codes: Vec<Code>,
}

impl Plan {
    /// Keywords: anywhere in the line.
    pub(super) fn keywords() -> Self {
        Self {
            field: None,
            kind: Kind::Text,
            place: Place::Within,
            all: false,
            neq: false,
            cased: false,
            windash: false,
            flags: String::new(),
            codes: Vec::new(),
        }
    }

    /// Reads a key. Faults of all modifiers are told, not only the first.
    pub(super) fn read(key: &Node, faults: &mut Faults<'_>) -> Option<Self> {
        let mut plan = Self::keywords();
        let mut words = Vec::new();
        let mut offset = 0;
        let before = faults.count();
        for (n, word) in key.key().split('|').enumerate() {
            if n == 0 {
                if word.len() > FIELD_BYTES {
                    let what = "the name of the field is too long";
                    faults.add(key.at(), what);
                    return None;
                }
                let name = word.trim().to_lowercase();
                plan.field = Some(name).filter(|name| !name.is_empty());
            } else {
                match find(word, offset) {
                    Ok(modifier) => words.push((offset, word, modifier)),
                    Err(fault) => faults.misread(key, fault),
                }
            }
            offset += word.chars().count() + 1;
        }
        if plan.field.is_some() {
            plan.place = Place::Whole;
        }
        if let Err(fault) = plan.choose(&words) {
            faults.misread(key, fault);
        }
        for (n, (offset, word, modifier)) in words.iter().enumerate() {
            let before = words.get(..n).unwrap_or_default();
            if let Some(why) = plan.misfit(*modifier, before) {
                let message = format!("{} {why}", quote(word));
                faults.misread(key, Misread::new(*offset, message));
            }
            plan.apply(*modifier);
        }
        if plan.codes.contains(&Code::Base64Offset)
            && plan.place == Place::Whole
        {
            let what = "`base64offset` finds parts of a text only";
            faults.advise(key.at(), what, "add `|contains`");
        }
        (faults.count() == before).then_some(plan)
    }

    /// Sets the kind of test before the modifiers that must fit it.
    pub(super) fn choose(
        &mut self,
        words: &[Word<'_>],
    ) -> Result<(), Misread> {
        let mut chosen: Option<&str> = None;
        for (offset, word, modifier) in words {
            let Modifier::Kind(kind) = *modifier else { continue };
            let text = quote(word);
            if let Some(first) = chosen {
                let what = format!("{text} cannot go with {}", quote(first));
                return Err(Misread::new(*offset, what));
            }
            if self.field.is_none() && kind != Kind::Regex {
                let what = format!("{text} needs a field");
                return Err(Misread::new(*offset, what));
            }
            self.kind = kind;
            chosen = Some(word);
        }
        Ok(())
    }

    /// Why a modifier does not fit the kind or those before it.
    pub(super) fn misfit(
        &self,
        modifier: Modifier,
        before: &[Word<'_>],
    ) -> Option<&'static str> {
        let text = self.kind == Kind::Text;
        let placed =
            before.iter().any(|word| matches!(word.2, Modifier::Place(_)));
        if before.iter().any(|word| word.2 == modifier) {
            return Some("stands twice");
        }
        match modifier {
            Modifier::All => (self.kind == Kind::Exists)
                .then_some("means nothing for `exists`"),
            Modifier::Neq => {
                matches!(self.kind, Kind::Exists | Kind::Compare(_)).then_some(
                    "means nothing here; turn the value or comparison round",
                )
            }
            Modifier::Place(_) if !text && self.kind != Kind::FieldRef => {
                Some("fits texts and `fieldref` only")
            }
            Modifier::Place(_) if placed => {
                Some("cannot go with the one before it; use a wildcard")
            }
            Modifier::Place(place)
                if self.field.is_none() && place != Place::Within =>
            {
                Some("needs a field: keywords are looked for anywhere")
            }
            Modifier::Cased | Modifier::WinDash | Modifier::Code(_)
                if !text =>
            {
                Some("fits texts only")
            }
            Modifier::Code(_) if placed => {
                Some("must stand before `contains` and its kin")
            }
            Modifier::WinDash if !self.codes.is_empty() => {
                Some("must stand before the encodings")
            }
            Modifier::Code(code) => self.misfit_code(code),
            Modifier::Flag(_)
                if !before
                    .iter()
                    .any(|word| word.2 == Modifier::Kind(Kind::Regex)) =>
            {
                Some("must follow `re`")
            }
            _ => None,
        }
    }

    pub(super) fn misfit_code(&self, code: Code) -> Option<&'static str> {
        let based = !matches!(
            self.codes.last(),
            None | Some(Code::Utf16 | Code::Utf16Le | Code::Utf16Be)
        );
        let wide = !matches!(code, Code::Base64 | Code::Base64Offset);
        if based {
            return Some("must stand before base64, which comes last");
        }
        (wide && !self.codes.is_empty()).then_some("is a second encoding")
    }

    pub(super) fn apply(&mut self, modifier: Modifier) {
        match modifier {
            Modifier::All => self.all = true,
            Modifier::Neq => self.neq = true,
            Modifier::Place(place) => self.place = place,
            Modifier::Cased => self.cased = true,
            Modifier::WinDash => self.windash = true,
            Modifier::Code(code) => self.codes.push(code),
            Modifier::Flag(flag) => self.flags.push(flag),
            Modifier::Kind(_) | Modifier::Refused(_) => {}
        }
    }
}

/// A modifier, its spelling and the characters before it.
pub(super) type Word<'k> = (usize, &'k str, Modifier);

/// The modifier of a word.
pub(super) fn find(word: &str, offset: usize) -> Result<Modifier, Misread> {
    let name = quote(word);
    match MODIFIERS.iter().find(|(known, _)| *known == word) {
        Some((_, Modifier::Refused(why))) => {
            let what = format!("the modifier {name} is not supported");
            Err(Misread::new(offset, what).help(*why))
        }
        Some((_, modifier)) => Ok(*modifier),
        None => {
            let usable = MODIFIERS
                .iter()
                .filter(|entry| !matches!(entry.1, Modifier::Refused(_)));
            let known: Vec<_> = usable.map(|(known, _)| *known).collect();
            let what = format!("unknown modifier {name}");
            Err(Misread::new(offset, what).help(suggest(word, &known)))
        }
    }
}
