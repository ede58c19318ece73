//! Text from elsewhere, made safe to show, and fitted to a width.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// How many combining marks one character may carry before the rest is counted instead of shown.
const MARKS: usize = 4;

/// The same text with everything made visible that would act on the terminal or hide, as
/// [`model::visible`](crate::model::visible) has it; with what stands on nothing or piles up
/// made harmless as well. With `ascii`, what is not ASCII becomes `?`, and controls `^[`.
pub(crate) fn clean(text: &str, ascii: bool) -> Cow<'_, str> {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return Cow::Borrowed(text);
    }
    let visible = crate::model::visible(text);
    let mut out = String::with_capacity(visible.len() + 8);
    for cluster in visible.graphemes(true) {
        if ascii {
            ascii_cluster(cluster, &mut out);
        } else {
            unicode_cluster(cluster, &mut out);
        }
    }
    Cow::Owned(out)
}

fn ascii_cluster(cluster: &str, out: &mut String) {
    for c in cluster.chars() {
        match u32::from(c) {
            0x20..0x7f => out.push(c),
            // The pictures of controls.
            n @ 0x2400..=0x241f => out.extend(['^', char::from((n - 0x2400) as u8 + 0x40)]),
            0x2421 => out.push_str("^?"),
            _ => match c {
                // What this program and its systems say themselves has an ASCII form.
                '\u{2190}' => out.push_str("<-"),
                '\u{2192}' => out.push_str("->"),
                '\u{b7}' => out.push('.'),
                '\u{2013}' | '\u{2014}' => out.push('-'),
                '\u{2018}' | '\u{2019}' => out.push('\''),
                '\u{201c}' | '\u{201d}' => out.push('"'),
                '\u{2026}' => out.push_str("..."),
                '\u{d7}' => out.push('x'),
                _ if c.width() == Some(0) => {}
                _ => out.push('?'),
            },
        }
    }
}

fn unicode_cluster(cluster: &str, out: &mut String) {
    let mut marks = 0;
    let mut base = false;
    for c in cluster.chars() {
        if c.is_control() {
            out.push_str(&format!("<U+{:04X}>", u32::from(c)));
            base = true;
        } else if c.width() == Some(0) && c != '\u{200d}' {
            if !base {
                // A mark with nothing to stand on would fall on its neighbour.
                out.push('\u{25cc}');
                base = true;
            }
            marks += 1;
            if marks <= MARKS {
                out.push(c);
            }
        } else {
            base = true;
            out.push(c);
        }
    }
    if marks > MARKS {
        out.push_str(&format!("<+{}>", marks - MARKS));
    }
}

/// Whether a character is written from right to left.
pub(crate) fn is_right_to_left(c: char) -> bool {
    matches!(
        u32::from(c),
        0x590..=0x8ff | 0xfb1d..=0xfdff | 0xfe70..=0xfeff | 0x1_0800..=0x1_0fff | 0x1_e800..=0x1_efff
    )
}

/// How many columns a clean text takes.
pub(crate) fn width(text: &str) -> u16 {
    if text.is_ascii() {
        return text.len().min(usize::from(u16::MAX)) as u16;
    }
    text.graphemes(true)
        .map(|g| g.width().min(2))
        .sum::<usize>()
        .min(usize::from(u16::MAX)) as u16
}

/// A clean text in at most so many columns: what does not fit is cut, and `mark` says so.
pub(crate) fn fit<'a>(text: &'a str, columns: u16, mark: &str) -> Cow<'a, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let room = columns.saturating_sub(width(mark));
    let mut out = String::new();
    let mut used = 0;
    for cluster in text.graphemes(true) {
        let w = cluster.width().min(2) as u16;
        if used + w > room {
            break;
        }
        used += w;
        out.push_str(cluster);
    }
    if width(mark) <= columns {
        out.push_str(mark);
    }
    Cow::Owned(out)
}

/// The words of a text and the blanks between them; a word that is too long for a line in its parts.
fn runs(text: &str, columns: u16) -> impl Iterator<Item = &str> {
    let mut rest = text;
    let runs = std::iter::from_fn(move || {
        let blank = rest.chars().next()?.is_whitespace();
        let end = rest.find(|c: char| c.is_whitespace() != blank);
        let (run, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        Some(run)
    });
    runs.flat_map(move |run| {
        let long = width(run) > columns;
        let parts = run.split_word_bounds().filter(move |_| long);
        parts.chain((!long).then_some(run))
    })
}

/// A clean text in lines of at most so many columns, broken at blanks where there are any.
pub(crate) fn wrap(text: &str, columns: u16) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in runs(text, columns) {
        let w = width(word);
        if used + w > columns {
            if used > 0 {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0;
            }
            if word.trim().is_empty() {
                continue;
            }
            if w > columns {
                for cluster in word.graphemes(true) {
                    let w = width(cluster);
                    if used + w > columns && used > 0 {
                        lines.push(std::mem::take(&mut line));
                        used = 0;
                    }
                    line.push_str(cluster);
                    used += w;
                }
                continue;
            }
        }
        if used == 0 && word.trim().is_empty() && !lines.is_empty() {
            continue;
        }
        line.push_str(word);
        used += w;
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_or_hides_is_made_visible() {
        for (text, unicode, ascii) in [
            ("plain", "plain", "plain"),
            ("a\x1b[2Jb", "a␛[2Jb", "a^[[2Jb"),
            ("tab\tnl\n", "tab␉nl␊", "tab^Inl^J"),
            ("\u{9b}31m", "<U+009B>31m", "<U+009B>31m"),
            ("gpj\u{202e}exe", "gpj<U+202E>exe", "gpj<U+202E>exe"),
            ("ad\u{200b}min", "ad<U+200B>min", "ad<U+200B>min"),
            ("日本", "日本", "??"),
            ("db ← nightly · 2", "db ← nightly · 2", "db <- nightly . 2"),
            ("e\u{301}", "e\u{301}", "e"),
            ("👩\u{200d}💻", "👩\u{200d}💻", "???"),
        ] {
            assert_eq!(clean(text, false), unicode);
            if !text.contains('\u{200d}') {
                assert_eq!(clean(text, true), ascii);
            }
        }
        assert!(clean("a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}", false).ends_with("<+2>"));
    }

    #[test]
    fn cutting_leaves_a_mark() {
        assert_eq!(fit("db01-data", 9, "…"), "db01-data");
        assert_eq!(fit("db01-data", 6, "…"), "db01-…");
        assert_eq!(fit("日本語", 4, "…"), "日…");
        assert_eq!(fit("abc", 0, "…"), "");
        assert_eq!(fit("abc", 1, "…"), "…");
    }

    #[test]
    fn lines_break_at_blanks() {
        assert_eq!(wrap("the quick brown fox", 10), ["the quick", "brown fox"]);
        assert_eq!(
            wrap("it is old, and so on", 9),
            ["it is", "old, and", "so on"]
        );
        assert_eq!(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("", 4), [""]);
    }

    proptest::proptest! {
        #[test]
        fn nothing_shown_can_act(text in "\\PC{0,6}|.{0,30}", columns in 0u16..20, ascii: bool) {
            let shown = clean(&text, ascii);
            proptest::prop_assert!(!shown.chars().any(char::is_control));
            proptest::prop_assert!(!ascii || shown.is_ascii());
            let fitted = fit(&shown, columns, "…");
            proptest::prop_assert!(width(&fitted) <= columns);
            for line in wrap(&shown, columns.max(2)) {
                proptest::prop_assert!(width(&line) <= columns.max(2), "{:?}", line);
            }
        }
    }
}
