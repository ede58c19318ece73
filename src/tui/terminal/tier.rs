//! What the terminal can show, told from the environment alone: asking the terminal
//! itself would stall a slow link.

/// How many colours the terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColorTier {
    /// None; only bold, underline and reverse.
    None,
    /// The 16 of its own palette.
    Ansi16,
    /// The 256 of xterm.
    Ansi256,
    /// Any.
    True,
}

/// The colours that the environment promises. `NO_COLOR` wins over everything.
pub(crate) fn tier(lookup: &dyn Fn(&str) -> Option<String>) -> ColorTier {
    let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
    if get("NO_COLOR").is_some() {
        return ColorTier::None;
    }
    let term = get("TERM").unwrap_or_default();
    if term.is_empty() || term == "dumb" || term.starts_with("vt") {
        return ColorTier::None;
    }
    if term == "linux" {
        // The console of the kernel says truecolor at times, and shows none of it.
        return ColorTier::Ansi16;
    }
    let promised = get("COLORTERM").unwrap_or_default();
    if promised == "truecolor" || promised == "24bit" || term.contains("direct") {
        ColorTier::True
    } else if term.contains("256") || ["kitty", "alacritty"].iter().any(|t| term.contains(t)) {
        ColorTier::Ansi256
    } else {
        ColorTier::Ansi16
    }
}

/// Whether only ASCII may be shown: the locale is not UTF-8, or the font of the
/// kernel's console lacks the glyphs.
pub(crate) fn is_ascii(lookup: &dyn Fn(&str) -> Option<String>) -> bool {
    let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
    let locale = get("LC_ALL")
        .or_else(|| get("LC_CTYPE"))
        .or_else(|| get("LANG"))
        .unwrap_or_default()
        .to_ascii_lowercase();
    let utf8 = locale.contains("utf-8") || locale.contains("utf8");
    let term = get("TERM").unwrap_or_default();
    !utf8 || ["linux", "dumb"].contains(&term.as_str()) || term.starts_with("vt")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(text: &'static str) -> impl Fn(&str) -> Option<String> {
        move |name| {
            text.split_whitespace()
                .filter_map(|pair| pair.split_once('='))
                .find(|(n, _)| *n == name)
                .map(|(_, value)| value.to_owned())
        }
    }

    #[test]
    fn colours_follow_the_environment() {
        for (text, expected) in [
            ("", ColorTier::None),
            ("TERM=dumb", ColorTier::None),
            ("TERM=xterm", ColorTier::Ansi16),
            ("TERM=linux COLORTERM=truecolor", ColorTier::Ansi16),
            ("TERM=tmux-256color", ColorTier::Ansi256),
            ("TERM=xterm-256color COLORTERM=truecolor", ColorTier::True),
            (
                "TERM=xterm-256color COLORTERM=truecolor NO_COLOR=1",
                ColorTier::None,
            ),
            ("TERM=xterm-256color NO_COLOR=", ColorTier::Ansi256),
        ] {
            assert_eq!(tier(&environment(text)), expected, "{text}");
        }
    }

    #[test]
    fn glyphs_follow_the_locale() {
        for (text, ascii) in [
            ("TERM=xterm LANG=C", true),
            ("TERM=xterm", true),
            ("TERM=xterm LANG=de_AT.UTF-8", false),
            ("TERM=xterm LANG=de_AT.UTF-8 LC_ALL=C", true),
            ("TERM=xterm LC_CTYPE=C.utf8 LANG=C", false),
            ("TERM=linux LANG=C.UTF-8", true),
        ] {
            assert_eq!(is_ascii(&environment(text)), ascii, "{text}");
        }
    }
}
