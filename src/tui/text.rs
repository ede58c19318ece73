//! Text from elsewhere, made safe to show, and fitted to a width.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// How many combining marks one character may carry before the rest is counted instead of shown.
const MARKS: usize = 4;

/// The same text with everything made visible that would act on the terminal or hide:
/// controls as `^[`, direction overrides and what has no width as `<U+202E>`. With
/// `ascii`, what is not ASCII becomes `?`.
pub(crate) fn clean(text: &str, ascii: bool) -> Cow<'_, str> {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for cluster in text.graphemes(true) {
        clean_cluster(cluster, ascii, &mut out);
    }
    Cow::Owned(out)
}

fn clean_cluster(cluster: &str, ascii: bool, out: &mut String) {
    let mut marks = 0;
    let mut base = false;
    let joined = cluster.chars().filter(|c| c.width() == Some(2)).count() > 1;
    for c in cluster.chars() {
        if c.is_control() {
            match u32::from(c) {
                n @ 0..0x20 => out.extend(['^', char::from(n as u8 + 0x40)]),
                0x7f => out.push_str("^?"),
                n => out.push_str(&format!("<U+{n:04X}>")),
            }
        } else if is_hidden(c) && !(joined && c == '\u{200d}') {
            out.push_str(&format!("<U+{:04X}>", u32::from(c)));
        } else if c.width() == Some(0) && c != '\u{200d}' {
            if !base && !ascii {
                // A mark with nothing to stand on would fall on its neighbour.
                out.push('\u{25cc}');
                base = true;
            }
            marks += 1;
            if marks <= MARKS && !ascii {
                out.push(c);
            }
        } else if ascii && !c.is_ascii() {
            base = true;
            out.push('?');
        } else {
            base = true;
            out.push(c);
        }
    }
    if marks > MARKS {
        out.push_str(&format!("<+{}>", marks - MARKS));
    }
}

/// What is not seen, and changes what is read.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0e}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
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

/// A clean text in lines of at most so many columns, broken at blanks where there are any.
pub(crate) fn wrap(text: &str, columns: u16) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_word_bounds() {
        let w = width(word);
        if used + w > columns {
            if word.trim().is_empty() {
                continue;
            }
            if used > 0 {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0;
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
            ("a\x1b[2Jb", "a^[[2Jb", "a^[[2Jb"),
            ("tab\tnl\n", "tab^Inl^J", "tab^Inl^J"),
            ("\u{9b}31m", "<U+009B>31m", "<U+009B>31m"),
            ("gpj\u{202e}exe", "gpj<U+202E>exe", "gpj<U+202E>exe"),
            ("ad\u{200b}min", "ad<U+200B>min", "ad<U+200B>min"),
            ("日本", "日本", "??"),
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
