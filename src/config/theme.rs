//! Themes: what each role on the screen looks like, read from TOML. Pure data; what a
//! terminal can show of it is decided by the console.
//!
//! ```toml
//! name = "dusk"
//! about = "quiet violet on the terminal's own background"
//! ground = "#14171e"           # the background that it is made for, where it paints none
//! [colours]
//! ink = "#c8d0e0 white"        # true colour, and what 16 colours show instead
//! [roles]
//! text = "ink"                 # a colour of the theme, #rrggbb, a name or "none"
//! title = { fg = "ink", bold = true }
//! ```

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use toml::{Spanned, Value};

/// A colour as a theme says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Colour {
    /// Whatever the terminal has.
    #[default]
    None,
    /// One of the 16 of the terminal's own palette, 0 to 15.
    Ansi(u8),
    /// Red, green and blue; and which of the 16 stands for it where there are no more.
    Rgb {
        /// Red, green, blue.
        rgb: (u8, u8, u8),
        /// One of the 16; `None` takes the nearest.
        ansi: Option<u8>,
    },
}

/// What a role looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Of the text.
    pub fg: Colour,
    /// Of what is behind it.
    pub bg: Colour,
    /// Heavy.
    pub bold: bool,
    /// Faint.
    pub dim: bool,
    /// Slanted.
    pub italic: bool,
    /// Underlined.
    pub underline: bool,
    /// Text and background exchanged.
    pub reverse: bool,
}

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident => $name:literal,)+) => {
        /// What a piece of the screen is for. A theme gives each a look.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Role { $($(#[$doc])* $role,)+ }

        impl Role {
            /// Every role, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$role),+];

            /// The key in a theme file.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$role => $name,)+ }
            }
        }
    };
}

roles! {
    /// What is behind everything; only its `bg` counts.
    Background => "background",
    /// Plain text.
    Text => "text",
    /// Less important text.
    Dim => "dim",
    /// The name of the program and of the view in hand.
    Title => "title",
    /// What leads the eye.
    Accent => "accent",
    /// Titles of columns.
    Heading => "heading",
    /// The selected row.
    Selection => "selection",
    /// A marked row.
    Mark => "mark",
    /// What a filter found.
    Match => "match",
    /// Lines and frames.
    Border => "border",
    /// The frame of a dialog.
    Dialog => "dialog",
    /// The frame of a dialog that would destroy something, and its word.
    Danger => "danger",
    /// A good state.
    Ok => "ok",
    /// A state to look at.
    Warn => "warn",
    /// A bad state.
    Error => "error",
    /// Under way.
    Busy => "busy",
    /// Neither good nor bad.
    Info => "info",
    /// A key that can be pressed.
    Key => "key",
    /// The done part of a bar.
    Bar => "bar",
    /// The rest of a bar.
    BarRest => "bar-rest",
    /// A field that can be typed into.
    Input => "input",
    /// The button that has the focus.
    Button => "button",
}

/// A whole theme: a look for every role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Theme {
    /// What `:theme` calls it.
    pub name: String,
    /// One line on it.
    pub about: String,
    /// The background of the terminals that it is made for, where it paints none itself.
    pub ground: (u8, u8, u8),
    looks: Vec<Look>,
}

/// Why a theme cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct ThemeError {
    /// The line in the file, from 1.
    pub line: usize,
    /// What is wrong there.
    pub why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default)]
    about: String,
    ground: Option<Spanned<String>>,
    #[serde(default)]
    colours: BTreeMap<String, Spanned<String>>,
    roles: BTreeMap<String, Spanned<Value>>,
}

const BUILT_IN: [&str; 6] = [
    include_str!("../../themes/dark.toml"),
    include_str!("../../themes/light.toml"),
    include_str!("../../themes/high-contrast.toml"),
    include_str!("../../themes/colour-blind.toml"),
    include_str!("../../themes/mono.toml"),
    include_str!("../../themes/dusk.toml"),
];

const ANSI: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "white",
    "bright-black",
    "bright-red",
    "bright-green",
    "bright-yellow",
    "bright-blue",
    "bright-magenta",
    "bright-cyan",
    "bright-white",
];

impl Theme {
    /// The themes that come with the program; the first is the default. One that cannot be read
    /// is left out, which a test forbids.
    #[must_use]
    pub fn built_in() -> Vec<Self> {
        static READ: LazyLock<Vec<Theme>> = LazyLock::new(|| {
            let read = BUILT_IN.iter().filter_map(|text| Theme::parse(text).ok());
            read.collect()
        });
        READ.clone()
    }

    /// The built-in theme of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::built_in().into_iter().find(|t| t.name == name)
    }

    /// Reads a theme file. Every role must have a look.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, ThemeError> {
        let line_of = |byte: usize| text[..byte.min(text.len())].matches('\n').count() + 1;
        let file: File = toml::from_str(text).map_err(|e| ThemeError {
            line: e.span().map_or(1, |span| line_of(span.start)),
            why: e.message().to_owned(),
        })?;
        let mut colours = BTreeMap::new();
        for (name, value) in &file.colours {
            let colour = parse_colour(value.get_ref()).map_err(|why| ThemeError {
                line: line_of(value.span().start),
                why,
            })?;
            colours.insert(name.as_str(), colour);
        }
        let ground = match &file.ground {
            None => (0, 0, 0),
            Some(said) => match parse_colour(said.get_ref()) {
                Ok(Colour::Rgb { rgb, .. }) => rgb,
                _ => {
                    return Err(ThemeError {
                        line: line_of(said.span().start),
                        why: format!("\"{}\" is not a colour; say #rrggbb", said.get_ref()),
                    });
                }
            },
        };
        let mut looks = vec![None; Role::ALL.len()];
        for (name, value) in &file.roles {
            let here = |why| ThemeError {
                line: line_of(value.span().start),
                why,
            };
            let role = Role::ALL.iter().find(|role| role.name() == name);
            let role = role.ok_or_else(|| here(format!("there is no role \"{name}\"")))?;
            looks[*role as usize] = Some(parse_look(value.get_ref(), &colours).map_err(here)?);
        }
        let looks = Role::ALL
            .iter()
            .map(|role| {
                looks[*role as usize].ok_or_else(|| ThemeError {
                    line: text.lines().count(),
                    why: format!("the role \"{}\" has no look", role.name()),
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            name: file.name,
            about: file.about,
            ground,
            looks,
        })
    }

    /// The look of a role.
    #[must_use]
    pub fn look(&self, role: Role) -> Look {
        self.looks.get(role as usize).copied().unwrap_or_default()
    }
}

impl Default for Theme {
    /// The dark theme; were it not readable, one without any looks.
    fn default() -> Self {
        Self::built_in().into_iter().next().unwrap_or(Self {
            name: "plain".to_owned(),
            about: String::new(),
            ground: (0, 0, 0),
            looks: Vec::new(),
        })
    }
}

fn parse_look(value: &Value, colours: &BTreeMap<&str, Colour>) -> Result<Look, String> {
    let colour = |text: &str| match colours.get(text) {
        Some(colour) => Ok(*colour),
        None => parse_colour(text),
    };
    let mut look = Look::default();
    match value {
        Value::String(text) => look.fg = colour(text)?,
        Value::Table(table) => {
            for (key, value) in table {
                match (key.as_str(), value) {
                    ("fg", Value::String(text)) => look.fg = colour(text)?,
                    ("bg", Value::String(text)) => look.bg = colour(text)?,
                    ("bold", Value::Boolean(on)) => look.bold = *on,
                    ("dim", Value::Boolean(on)) => look.dim = *on,
                    ("italic", Value::Boolean(on)) => look.italic = *on,
                    ("underline", Value::Boolean(on)) => look.underline = *on,
                    ("reverse", Value::Boolean(on)) => look.reverse = *on,
                    ("fg" | "bg", _) => return Err(format!("{key} is a colour, as text")),
                    ("bold" | "dim" | "italic" | "underline" | "reverse", _) => {
                        return Err(format!("{key} is true or false"));
                    }
                    _ => {
                        return Err(format!(
                            "\"{key}\" is not part of a look; fg, bg, bold, dim, italic, underline and reverse are"
                        ));
                    }
                }
            }
        }
        _ => return Err("a look is a colour, or { fg = .., bg = .., bold = true }".to_owned()),
    }
    Ok(look)
}

fn parse_colour(text: &str) -> Result<Colour, String> {
    let ansi = |name: &str| ANSI.iter().position(|a| *a == name).map(|n| n as u8);
    let unknown = || {
        format!("\"{text}\" is not a colour; say #rrggbb, \"none\", or a name such as bright-blue")
    };
    if text == "none" {
        return Ok(Colour::None);
    }
    if let Some(n) = ansi(text) {
        return Ok(Colour::Ansi(n));
    }
    let (hex, fallback) = match text.split_once(' ') {
        Some((hex, name)) => (hex, Some(ansi(name.trim()).ok_or_else(unknown)?)),
        None => (text, None),
    };
    let digits = hex
        .strip_prefix('#')
        .filter(|d| d.len() == 6 && d.bytes().all(|b| b.is_ascii_hexdigit()));
    let number = digits.and_then(|d| u32::from_str_radix(d, 16).ok());
    let [_, r, g, b] = number.ok_or_else(unknown)?.to_be_bytes();
    Ok(Colour::Rgb {
        rgb: (r, g, b),
        ansi: fallback,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_theme_is_read() {
        for text in BUILT_IN {
            Theme::parse(text).unwrap();
        }
        let names: Vec<_> = Theme::built_in().into_iter().map(|t| t.name).collect();
        assert_eq!(
            names,
            [
                "dark",
                "light",
                "high-contrast",
                "colour-blind",
                "mono",
                "dusk"
            ]
        );
    }

    #[test]
    fn errors_name_the_line_and_what_was_meant() {
        let good = BUILT_IN[0];
        let line = good.lines().position(|l| l.starts_with("text =")).unwrap() + 1;
        let bad = good.replacen("text = \"none\"", "text = \"purplish\"", 1);
        let error = Theme::parse(&bad).unwrap_err();
        assert_eq!(error.line, line);
        assert!(
            error.why.contains("\"purplish\" is not a colour"),
            "{error}"
        );

        let bad = good.replacen("text = \"none\"", "txt = \"none\"", 1);
        let error = Theme::parse(&bad).unwrap_err();
        assert_eq!(
            (error.line, error.why.as_str()),
            (line, "there is no role \"txt\"")
        );

        let bad = good.replacen("text = \"none\"", "text = { fgg = \"none\" }", 1);
        assert!(Theme::parse(&bad).unwrap_err().why.contains("\"fgg\""));

        let bad = good.replacen("text = \"none\"\n", "", 1);
        assert_eq!(
            Theme::parse(&bad).unwrap_err().why,
            "the role \"text\" has no look"
        );
    }

    #[test]
    fn colours_are_read_in_each_form() {
        assert_eq!(parse_colour("none"), Ok(Colour::None));
        assert_eq!(parse_colour("bright-red"), Ok(Colour::Ansi(9)));
        let rgb = (0x10, 0x20, 0xff);
        assert_eq!(parse_colour("#1020ff"), Ok(Colour::Rgb { rgb, ansi: None }));
        assert_eq!(
            parse_colour("#1020ff blue"),
            Ok(Colour::Rgb { rgb, ansi: Some(4) })
        );
        for bad in ["", "#12345", "#12345g", "#1020ff bluish", "#+12345"] {
            assert!(parse_colour(bad).is_err(), "{bad}");
        }
    }
}
