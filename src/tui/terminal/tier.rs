//! What the terminal can show and take, told from the environment alone. Nothing is asked of the terminal
//! itself: it would stall a slow link, and an answer that comes late is taken for keys.

use serde::{Deserialize, Serialize};

use crate::config::{Clipboard, Colors, GlyphChoice, Settings};

/// How many colours the terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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

/// How a text reaches the clipboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CopyRoute {
    /// The terminal takes OSC 52, or ignores it.
    Plain,
    /// Through tmux.
    Tmux,
    /// Through GNU screen.
    Screen,
    /// Not at all: the terminal would show it as text.
    Never,
}

/// What the terminal can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Features {
    /// Its colours.
    pub(crate) colors: ColorTier,
    /// Only ASCII may be shown.
    pub(crate) ascii: bool,
    /// Its background is light.
    pub(crate) light: bool,
    /// It takes an update as a whole (DEC mode 2026), or ignores that it is asked to.
    pub(crate) synchronized: bool,
    /// How a text reaches the clipboard.
    pub(crate) copies: CopyRoute,
}

/// The variables that say what a terminal is; none of them holds a secret.
const VARIABLES: [&str; 16] = [
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "TERM_PROGRAM",
    "TERM_PROGRAM_VERSION",
    "VTE_VERSION",
    "KONSOLE_VERSION",
    "KITTY_WINDOW_ID",
    "WT_SESSION",
    "COLORFGBG",
    "TMUX",
    "STY",
    "SSH_TTY",
    "LC_ALL",
    "LC_CTYPE",
    "LANG",
];
/// Of these only whether they are set is told: they hold paths and names.
const SET_ONLY: [&str; 5] = ["TMUX", "STY", "SSH_TTY", "WT_SESSION", "KITTY_WINDOW_ID"];

/// What the terminal is taken for, in lines.
pub(crate) fn report(lookup: Lookup<'_>, size: Option<(u16, u16)>) -> String {
    let found = Features::find(lookup);
    let mut out = format!(
        "colours {:?}, ascii {}, light {}, synchronized {}, copies {:?}\n",
        found.colors, found.ascii, found.light, found.synchronized, found.copies
    );
    out.push_str(&match size {
        Some((width, height)) => format!("{width}x{height}\n"),
        None => "no terminal here\n".to_owned(),
    });
    for name in VARIABLES {
        out.push_str(&match lookup(name) {
            None => format!("{name} is not set\n"),
            Some(_) if SET_ONLY.contains(&name) => format!("{name} is set\n"),
            Some(value) => format!("{name}={value}\n"),
        });
    }
    out
}

type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A variable that says something.
fn get(lookup: Lookup<'_>, name: &str) -> Option<String> {
    lookup(name).filter(|value| !value.is_empty())
}

fn term(lookup: Lookup<'_>) -> String {
    get(lookup, "TERM").unwrap_or_default()
}

/// A terminal that takes no sequence but the oldest, or none at all.
fn is_plain(term: &str) -> bool {
    term.is_empty() || ["dumb", "unknown", "emacs"].contains(&term) || term.starts_with("vt")
}

impl Features {
    /// What the environment promises.
    pub(crate) fn find(lookup: Lookup<'_>) -> Self {
        let term = term(lookup);
        Self {
            colors: colors(lookup),
            ascii: is_ascii(lookup),
            light: is_light(lookup),
            synchronized: !is_plain(&term) && term != "linux",
            copies: copy_route(lookup),
        }
    }

    /// The colours that are shown: what the user says goes before what was found.
    pub(crate) fn tier(&self, settings: &Settings) -> ColorTier {
        match settings.colors {
            Colors::Auto => self.colors,
            Colors::None => ColorTier::None,
            Colors::Sixteen => ColorTier::Ansi16,
            Colors::TwoHundredFiftySix => ColorTier::Ansi256,
            Colors::True => ColorTier::True,
        }
    }

    /// Whether only ASCII is shown.
    pub(crate) fn is_ascii(&self, settings: &Settings) -> bool {
        match settings.glyphs {
            GlyphChoice::Auto => self.ascii,
            GlyphChoice::Ascii => true,
            GlyphChoice::Unicode => false,
        }
    }

    /// How a text is copied.
    pub(crate) fn copies(&self, settings: &Settings) -> CopyRoute {
        match settings.clipboard {
            Clipboard::Auto => self.copies,
            Clipboard::Off => CopyRoute::Never,
        }
    }
}

/// The colours that the environment promises. `NO_COLOR` wins over everything.
fn colors(lookup: Lookup<'_>) -> ColorTier {
    let get = |name: &str| get(lookup, name);
    if get("NO_COLOR").is_some() {
        return ColorTier::None;
    }
    let term = term(lookup);
    if is_plain(&term) || term.ends_with("-m") || term.ends_with("-mono") {
        return ColorTier::None;
    }
    if term == "linux" || term.starts_with("linux-") {
        // The console of the kernel says truecolor at times, and shows none of it.
        return ColorTier::Ansi16;
    }
    let has = |names: &[&str]| names.iter().any(|name| term.contains(name));
    let palette = if has(&["256"]) {
        ColorTier::Ansi256
    } else {
        ColorTier::Ansi16
    };
    if term.starts_with("screen") && get("STY").is_some() {
        // What the terminal around it says does not hold for screen, which has no more than these.
        return palette;
    }
    if matches!(get("COLORTERM").as_deref(), Some("truecolor" | "24bit"))
        || has(&[
            "direct",
            "kitty",
            "alacritty",
            "foot",
            "ghostty",
            "wezterm",
            "contour",
        ])
    {
        return ColorTier::True;
    }
    if term.starts_with("screen") || term.starts_with("tmux") {
        // These variables are of the terminal in which it was started, not of the one that shows it now.
        return palette;
    }
    let program = get("TERM_PROGRAM").unwrap_or_default();
    let vte = get("VTE_VERSION").and_then(|version| version.parse::<u32>().ok());
    if ["iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio"].contains(&program.as_str())
        || vte.is_some_and(|version| version >= 3600)
        || ["WT_SESSION", "KONSOLE_VERSION", "KITTY_WINDOW_ID"]
            .iter()
            .any(|name| get(name).is_some())
    {
        ColorTier::True
    } else {
        palette
    }
}

/// Whether only ASCII may be shown: the locale is not UTF-8, or the font of the
/// kernel's console lacks the glyphs.
fn is_ascii(lookup: Lookup<'_>) -> bool {
    let get = |name: &str| get(lookup, name);
    let locale = get("LC_ALL")
        .or_else(|| get("LC_CTYPE"))
        .or_else(|| get("LANG"))
        .unwrap_or_default()
        .to_ascii_lowercase();
    let utf8 = locale.contains("utf-8") || locale.contains("utf8");
    let term = term(lookup);
    !utf8 || is_plain(&term) || term.starts_with("linux")
}

/// Whether the background is light, as some terminals say in `COLORFGBG`: `15;0` is white on black.
fn is_light(lookup: Lookup<'_>) -> bool {
    let said = get(lookup, "COLORFGBG").unwrap_or_default();
    let background = said.rsplit(';').next().and_then(|n| n.parse::<u8>().ok());
    matches!(background, Some(7 | 9..=15))
}

fn copy_route(lookup: Lookup<'_>) -> CopyRoute {
    let term = term(lookup);
    if is_plain(&term) || term.starts_with("linux") {
        CopyRoute::Never
    } else if get(lookup, "TMUX").is_some() || term.starts_with("tmux") {
        CopyRoute::Tmux
    } else if get(lookup, "STY").is_some() || term.starts_with("screen") {
        CopyRoute::Screen
    } else {
        CopyRoute::Plain
    }
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
            ("TERM=vt220", ColorTier::None),
            ("TERM=xterm-mono", ColorTier::None),
            ("TERM=xterm", ColorTier::Ansi16),
            ("TERM=linux COLORTERM=truecolor", ColorTier::Ansi16),
            ("TERM=tmux-256color", ColorTier::Ansi256),
            ("TERM=tmux-256color COLORTERM=truecolor", ColorTier::True),
            ("TERM=tmux-256color VTE_VERSION=7600", ColorTier::Ansi256),
            (
                "TERM=screen STY=1.pts COLORTERM=truecolor",
                ColorTier::Ansi16,
            ),
            (
                "TERM=screen.xterm-256color STY=1.pts COLORTERM=truecolor",
                ColorTier::Ansi256,
            ),
            ("TERM=xterm-256color COLORTERM=truecolor", ColorTier::True),
            ("TERM=xterm-256color VTE_VERSION=7600", ColorTier::True),
            ("TERM=xterm-256color VTE_VERSION=3400", ColorTier::Ansi256),
            (
                "TERM=xterm-256color TERM_PROGRAM=Apple_Terminal",
                ColorTier::Ansi256,
            ),
            (
                "TERM=xterm-256color TERM_PROGRAM=iTerm.app",
                ColorTier::True,
            ),
            ("TERM=xterm-256color WT_SESSION=x", ColorTier::True),
            ("TERM=xterm-kitty", ColorTier::True),
            (
                "TERM=xterm-256color COLORTERM=truecolor NO_COLOR=1",
                ColorTier::None,
            ),
            ("TERM=xterm-256color NO_COLOR=", ColorTier::Ansi256),
        ] {
            assert_eq!(
                Features::find(&environment(text)).colors,
                expected,
                "{text}"
            );
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
            assert_eq!(Features::find(&environment(text)).ascii, ascii, "{text}");
        }
    }

    #[test]
    fn the_background_and_the_way_to_the_clipboard_are_found() {
        let find = |text: &'static str| Features::find(&environment(text));
        assert!(find("TERM=xterm COLORFGBG=0;15").light);
        assert!(find("TERM=xterm COLORFGBG=0;default;15").light);
        assert!(!find("TERM=xterm COLORFGBG=15;0").light);
        assert!(!find("TERM=xterm").light);
        for (text, route) in [
            ("TERM=xterm", CopyRoute::Plain),
            ("TERM=xterm-256color TMUX=/tmp/x", CopyRoute::Tmux),
            ("TERM=tmux-256color", CopyRoute::Tmux),
            ("TERM=screen STY=1.pts", CopyRoute::Screen),
            ("TERM=screen TMUX=/tmp/x", CopyRoute::Tmux),
            ("TERM=screen", CopyRoute::Screen),
            ("TERM=dumb TMUX=/tmp/x", CopyRoute::Never),
            ("TERM=linux", CopyRoute::Never),
            ("", CopyRoute::Never),
        ] {
            assert_eq!(find(text).copies, route, "{text}");
        }
        assert!(!find("TERM=linux").synchronized && find("TERM=xterm").synchronized);
    }

    #[test]
    fn what_is_set_goes_before_what_is_found() {
        let found = Features::find(&environment("TERM=xterm LANG=C NO_COLOR=1"));
        let mut settings = Settings::default();
        assert_eq!(found.tier(&settings), ColorTier::None);
        assert!(found.is_ascii(&settings));
        settings.colors = Colors::True;
        settings.glyphs = GlyphChoice::Unicode;
        settings.clipboard = Clipboard::Off;
        assert_eq!(found.tier(&settings), ColorTier::True);
        assert!(!found.is_ascii(&settings));
        assert_eq!(found.copies(&settings), CopyRoute::Never);
    }
}
