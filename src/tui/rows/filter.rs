//! What `/` takes: words that must all match. A word is matched loosely with the name and
//! exactly within any other cell; `!word` inverts, `column:word` looks at one column.

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::Rows;

struct Term {
    invert: bool,
    column: Option<String>,
    text: String,
    loose: Pattern,
}

/// A filter, read.
pub(crate) struct Filter {
    terms: Vec<Term>,
    matcher: Matcher,
    buffer: Vec<char>,
}

impl Filter {
    /// Reads what was typed; a word that is not whole yet (`!`, `state:`) lets all pass.
    pub(crate) fn parse(text: &str) -> Self {
        let terms = text
            .split_whitespace()
            .filter_map(|word| {
                let (invert, word) = match word.strip_prefix('!') {
                    Some(rest) => (true, rest),
                    None => (false, word),
                };
                let (column, word) = match word.split_once(':') {
                    Some((column, rest)) if !column.is_empty() => {
                        (Some(column.to_lowercase()), rest)
                    }
                    _ => (None, word),
                };
                (!word.is_empty()).then(|| Term {
                    invert,
                    column,
                    text: word.to_lowercase(),
                    loose: pattern(word),
                })
            })
            .collect();
        Self {
            terms,
            matcher: Matcher::new(Config::DEFAULT),
            buffer: Vec::new(),
        }
    }

    /// Whether a row passes.
    pub(crate) fn passes(&mut self, rows: &dyn Rows, row: usize) -> bool {
        let Self {
            terms,
            matcher,
            buffer,
        } = self;
        terms.iter().all(|term| {
            let found = match &term.column {
                Some(key) => rows.columns().iter().enumerate().any(|(column, c)| {
                    c.key.starts_with(key.as_str()) && within(rows, row, column, &term.text)
                }),
                None => {
                    // Loosely inverted, a word would take away far more than was meant.
                    let name = rows.name(row);
                    let mut loose = || {
                        let name = Utf32Str::new(&name, buffer);
                        term.loose.score(name, matcher).is_some()
                    };
                    (!term.invert && loose())
                        || (0..rows.columns().len())
                            .any(|column| within(rows, row, column, &term.text))
                }
            };
            found != term.invert
        })
    }
}

fn within(rows: &dyn Rows, row: usize, column: usize, text: &str) -> bool {
    let cell: String = rows.cell(row, column).into_iter().map(|s| s.0).collect();
    cell.to_lowercase().contains(text)
}

fn pattern(text: &str) -> Pattern {
    Pattern::new(
        text,
        CaseMatching::Ignore,
        Normalization::Smart,
        AtomKind::Fuzzy,
    )
}

/// The candidates that loosely match, the best first; all in their order for an empty text.
pub(crate) fn fuzzy<'a>(
    text: &str,
    candidates: impl Iterator<Item = (usize, &'a str)>,
) -> Vec<usize> {
    if text.trim().is_empty() {
        return candidates.map(|(i, _)| i).collect();
    }
    let pattern = pattern(text.trim());
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut found: Vec<(u32, usize)> = candidates
        .filter_map(|(i, candidate)| {
            let score = pattern.score(Utf32Str::new(candidate, &mut buffer), &mut matcher)?;
            Some((score, i))
        })
        .collect();
    found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    found.into_iter().map(|(_, i)| i).collect()
}
