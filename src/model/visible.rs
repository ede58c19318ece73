//! Text from elsewhere, made harmless to a terminal and to a reader's eye.

use std::borrow::Cow;

/// The text with control characters, escape sequences, bidirectional overrides and
/// characters of no width shown as marks (`␛`, `<U+202E>`), so that none of them acts.
/// Text without any is borrowed as it is. Combining marks and joiners within emoji stay.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            _ if !acts(c) => safe.push(c),
            // The pictures of the C0 controls stand in their order at U+2400.
            '\0'..='\x1f' => safe.extend(char::from_u32(0x2400 + u32::from(c))),
            '\x7f' => safe.push('\u{2421}'),
            other => safe.push_str(&format!("<U+{:04X}>", u32::from(other))),
        }
    }
    Cow::Owned(safe)
}

/// Whether a character does something to the text around it rather than being part of it.
fn acts(c: char) -> bool {
    match c {
        '\u{200b}'
        | '\u{200c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{061c}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0001}'
        | '\u{e0020}'..='\u{e007f}'
        | '\u{00ad}'
        | '\u{180e}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{3164}'
        | '\u{ffa0}' => true,
        c => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts() {
        assert!(matches!(visible("db01-data 日本 é 👩‍💻"), Cow::Borrowed(_)));
        assert_eq!(visible("a\u{1b}[2Jb"), "a\u{241b}[2Jb");
        assert_eq!(visible("x\u{202e}y\n"), "x<U+202E>y\u{240a}");
        assert_eq!(visible("\u{9b}31m"), "<U+009B>31m");
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_no_control_is_left(text in "\\PC{0,20}|.{0,20}|[\\x00-\\x9f]{0,20}") {
            let safe = visible(&text);
            proptest::prop_assert!(!safe.chars().any(acts));
            proptest::prop_assert_eq!(visible(&safe), safe.as_ref());
        }
    }
}
