//! What `/` takes: words that must all match. A word is matched loosely with the name and exactly
//! within any other cell; `!word` inverts. `column:text` looks within one column, `column=text` at
//! all of it, `column~text` matches it loosely, and `column>1T`, `age<30d` compare.

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::{Quantity, Rows, Word};
use crate::model::Bytes;

/// How a term looks at a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Within,
    Whole,
    Loose,
    More,
    MoreOrSame,
    Less,
    LessOrSame,
}

/// The signs, the longer before those that they begin with.
const SIGNS: [(&str, Test); 7] = [
    (">=", Test::MoreOrSame),
    ("<=", Test::LessOrSame),
    (">", Test::More),
    ("<", Test::Less),
    ("~", Test::Loose),
    ("=", Test::Whole),
    (":", Test::Within),
];

struct Term {
    invert: bool,
    column: Option<(String, Test)>,
    /// In small letters.
    text: String,
    loose: Pattern,
    /// Whether what many rows say has it, where that is known.
    shared: Vec<Option<bool>>,
}

impl Term {
    /// Reads one word; `None` while it is not whole yet (`!`, `state:`).
    fn parse(word: &str) -> Option<Self> {
        let (invert, word) = match word.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, word),
        };
        let sign = SIGNS
            .iter()
            .filter_map(|(sign, test)| Some((word.find(sign)?, *sign, *test)))
            .filter(|(at, ..)| *at > 0)
            .min_by_key(|(at, sign, _)| (*at, std::cmp::Reverse(sign.len())));
        let (column, text) = match sign {
            Some((at, sign, test)) => (
                Some((word[..at].to_lowercase(), test)),
                &word[at + sign.len()..],
            ),
            None => (None, word),
        };
        (!text.is_empty()).then(|| Self {
            invert,
            column,
            text: text.to_lowercase(),
            loose: pattern(text),
            shared: Vec::new(),
        })
    }

    /// Whether a row's words have it.
    fn is_among(&mut self, word: Word<'_>, matcher: &mut Matcher, buffer: &mut Vec<char>) -> bool {
        match word {
            // Loosely inverted, a word would take away far more than was meant.
            Word::Name(name) if !self.invert => {
                self.loosely(name, matcher, buffer) || within(name, &self.text)
            }
            Word::Name(text) | Word::Text(text) => within(text, &self.text),
            Word::Shared(number, text) => {
                if self.shared.len() <= number {
                    self.shared.resize(number + 1, None);
                }
                *self.shared[number].get_or_insert_with(|| within(text, &self.text))
            }
        }
    }

    fn loosely(&self, text: &str, matcher: &mut Matcher, buffer: &mut Vec<char>) -> bool {
        if text.is_ascii() && self.text.is_ascii() {
            // All that a loose match asks for: the letters, in their order.
            let mut letters = text.bytes();
            let mut wanted = self.text.bytes();
            return wanted.all(|letter| letters.any(|b| b.to_ascii_lowercase() == letter));
        }
        let text = Utf32Str::new(text, buffer);
        self.loose.score(text, matcher).is_some()
    }
}

/// Whether a text has another in it, which is in small letters.
fn within(text: &str, wanted: &str) -> bool {
    match (text.is_ascii(), wanted.is_ascii()) {
        (true, true) => text
            .as_bytes()
            .windows(wanted.len())
            .any(|part| part.eq_ignore_ascii_case(wanted.as_bytes())),
        (true, false) => false,
        (false, _) => text.to_lowercase().contains(wanted),
    }
}

/// A filter, read.
pub(crate) struct Filter {
    terms: Vec<Term>,
    matcher: Matcher,
    buffer: Vec<char>,
    cell: String,
}

impl Filter {
    /// Reads what was typed; a word that is not whole yet lets all pass.
    pub(crate) fn parse(text: &str) -> Self {
        Self {
            terms: text.split_whitespace().filter_map(Term::parse).collect(),
            matcher: Matcher::new(Config::DEFAULT),
            buffer: Vec::new(),
            cell: String::new(),
        }
    }

    /// Whether a row passes.
    pub(crate) fn passes(&mut self, rows: &dyn Rows, row: usize) -> bool {
        let Self {
            terms,
            matcher,
            buffer,
            cell: kept,
        } = self;
        terms.iter_mut().all(|term| {
            let mut loose = |text: &str| term.loosely(text, matcher, buffer);
            let found = match &term.column {
                Some((key, test)) => columns(rows, key).any(|column| match test {
                    Test::Within => cell(rows, row, column).contains(&term.text),
                    Test::Whole => {
                        let cell = cell(rows, row, column);
                        // A glyph stands before the word of a state.
                        let word = cell.trim_start_matches(|c: char| !c.is_alphanumeric());
                        cell == term.text || word == term.text
                    }
                    Test::Loose => loose(&cell(rows, row, column)),
                    test => compares(rows, row, column, *test, &term.text),
                }),
                None => match rows.trait_of(row, &term.text) {
                    Some(has) => has,
                    None => {
                        let among = &mut |word: Word<'_>| term.is_among(word, matcher, buffer);
                        rows.words(row, among).unwrap_or_else(|| {
                            among(Word::Name(&rows.name(row)))
                                || said(rows).any(|column| says(rows, row, column, kept, among))
                        })
                    }
                },
            };
            found != term.invert
        })
    }
}

/// The columns that a key means: those that begin so; `age` is the time of whatever there is.
fn columns(rows: &dyn Rows, key: &str) -> impl Iterator<Item = usize> {
    let all = rows.columns();
    let aged = key == "age" && !all.iter().any(|column| column.key == "age");
    let wanted = move |column: &super::Column| match aged {
        true => matches!(column.key, "made" | "begun"),
        false => column.key.starts_with(key),
    };
    let found: Vec<usize> = (0..all.len()).filter(|&i| wanted(&all[i])).collect();
    found.into_iter()
}

fn cell(rows: &dyn Rows, row: usize, column: usize) -> String {
    let cell: String = rows.cell(row, column).into_iter().map(|s| s.0).collect();
    cell.to_lowercase()
}

/// The columns that a plain word is looked for in: what is said in words. Figures and times are
/// compared instead.
fn said(rows: &dyn Rows) -> impl Iterator<Item = usize> {
    let columns = rows.columns().iter().enumerate();
    columns
        .filter(|(_, c)| !c.right && !c.falls)
        .map(|(i, _)| i)
}

/// Whether what is looked for is in a cell; `kept` spares making room for each.
fn says(
    rows: &dyn Rows,
    row: usize,
    column: usize,
    kept: &mut String,
    look: &mut dyn FnMut(Word<'_>) -> bool,
) -> bool {
    kept.clear();
    for (piece, _) in rows.cell(row, column) {
        kept.push_str(&piece);
    }
    look(Word::Text(kept))
}

/// Whether all that pass `new` have passed `old`: it was typed on, and what was typed only narrows.
pub(super) fn narrows(old: &str, new: &str, rows: &dyn Rows) -> bool {
    let plain = |filter: &str| {
        let known = |word: &str| rows.traits().contains(&word.to_lowercase().as_str());
        !filter.contains(['!', '<', '>', '=', ':', '~']) && !filter.split_whitespace().any(known)
    };
    new.starts_with(old) && plain(new)
}

fn compares(rows: &dyn Rows, row: usize, column: usize, test: Test, text: &str) -> bool {
    let Some(quantity) = rows.quantity(row, column) else {
        return false;
    };
    let (is, than) = match quantity {
        Quantity::Bytes(bytes) => (bytes.0, text.parse::<Bytes>().ok().map(|b| b.0)),
        Quantity::Count(count) => (count, text.parse().ok()),
        Quantity::Age(seconds) => (seconds, seconds_of(text)),
    };
    than.is_some_and(|than| match test {
        Test::More => is > than,
        Test::MoreOrSame => is >= than,
        Test::Less => is < than,
        _ => is <= than,
    })
}

/// A length of time: `90s`, `5m`, `12h`, `30d`, `2w`, `1y`.
fn seconds_of(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let each = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 7 * 86_400,
        'y' => 365 * 86_400,
        _ => return None,
    };
    let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
    count.checked_mul(each)
}

fn pattern(text: &str) -> Pattern {
    Pattern::new(
        text,
        CaseMatching::Ignore,
        Normalization::Smart,
        AtomKind::Fuzzy,
    )
}

/// Which of these labels and details match, the best first; all in their order for an empty text. Each word must match
/// the label loosely or stand in the detail as typed: a long detail loosely matches nearly anything.
pub(crate) fn search<'a>(
    text: &str,
    candidates: impl Iterator<Item = (&'a str, &'a str)>,
) -> Vec<usize> {
    let words: Vec<(Pattern, String)> = text
        .split_whitespace()
        .map(|word| (pattern(word), word.to_lowercase()))
        .collect();
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut found: Vec<(u32, usize)> = candidates
        .enumerate()
        .filter_map(|(i, (label, detail))| {
            let detail = detail.to_lowercase();
            let mut score = 0;
            for (loose, word) in &words {
                match loose.score(Utf32Str::new(label, &mut buffer), &mut matcher) {
                    // Whatever the label says goes before what only the detail says.
                    Some(points) => score += 1 + points,
                    None if detail.contains(word) => {}
                    None => return None,
                }
            }
            Some((score, i))
        })
        .collect();
    found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    found.into_iter().map(|(_, i)| i).collect()
}

/// What the word that is being typed may be meant to become: the columns that begin so, with what
/// they can be asked.
pub(crate) fn completions(rows: &dyn Rows, text: &str) -> Vec<String> {
    let word = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    let word = word.strip_prefix('!').unwrap_or(word).to_lowercase();
    if word.is_empty() || SIGNS.iter().any(|(sign, _)| word.contains(sign)) {
        return Vec::new();
    }
    let columns = rows.columns().iter().enumerate();
    let matching = columns.filter(|(_, column)| column.key.starts_with(&word));
    let found = matching.map(|(i, column)| {
        // A few rows tell whether it can be compared.
        let counts = (0..rows.len().min(64)).any(|row| rows.quantity(row, i).is_some());
        format!("{}{}", column.key, if counts { ">" } else { ":" })
    });
    let traits = rows.traits().iter().filter(|t| t.starts_with(&word));
    found.chain(traits.map(|t| (*t).to_owned())).collect()
}
