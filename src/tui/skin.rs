//! A theme as this terminal can show it: every role's style, worked out once.

use ratatui::style::{Color, Modifier, Style};

use super::terminal::{ColorTier, ansi};
use crate::config::Theme;
use crate::config::theme::{Colour, Look, Role};

/// The styles of all roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Skin {
    styles: Vec<Style>,
}

impl Skin {
    /// What `theme` looks like with so many colours. Colours are taken out here, before anything is
    /// written; the selection then shows by being reversed.
    pub(crate) fn new(theme: &Theme, tier: ColorTier) -> Self {
        let styles = Role::ALL
            .iter()
            .map(|&role| style(theme.look(role), role, tier))
            .collect();
        Self { styles }
    }

    /// The style of a role.
    pub(crate) fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }
}

fn style(look: Look, role: Role, tier: ColorTier) -> Style {
    let mut modifier = Modifier::empty();
    modifier.set(Modifier::BOLD, look.bold);
    modifier.set(Modifier::DIM, look.dim);
    modifier.set(Modifier::ITALIC, look.italic);
    modifier.set(Modifier::UNDERLINED, look.underline);
    modifier.set(Modifier::REVERSED, look.reverse);
    let mut style = Style::new();
    if tier == ColorTier::None {
        match role {
            Role::Selection | Role::Button => {
                modifier |= Modifier::REVERSED | Modifier::BOLD;
            }
            Role::Input => modifier |= Modifier::UNDERLINED,
            Role::Key | Role::Accent | Role::Mark => modifier |= Modifier::BOLD,
            _ => {}
        }
    } else {
        if let Some(fg) = colour(look.fg, tier) {
            style = style.fg(fg);
        }
        if let Some(bg) = colour(look.bg, tier) {
            style = style.bg(bg);
        }
    }
    style.add_modifier(modifier)
}

fn colour(colour: Colour, tier: ColorTier) -> Option<Color> {
    match colour {
        Colour::None => None,
        Colour::Ansi(n) => Some(Color::Indexed(n)),
        Colour::Rgb { rgb, ansi } => Some(match tier {
            ColorTier::True => Color::Rgb(rgb.0, rgb.1, rgb.2),
            ColorTier::Ansi256 => Color::Indexed(nearest(rgb, 16..=255)),
            ColorTier::Ansi16 | ColorTier::None => {
                Color::Indexed(ansi.unwrap_or_else(|| nearest(rgb, 0..=15)))
            }
        }),
    }
}

/// Which of these palette entries is nearest to a colour.
fn nearest(rgb: (u8, u8, u8), range: std::ops::RangeInclusive<u8>) -> u8 {
    let distance = |n: u8| {
        let (r, g, b) = entry(n);
        let part = |a: u8, b: u8, weight: i32| {
            let d = i32::from(a) - i32::from(b);
            d * d * weight
        };
        // The eye tells greens apart best and blues worst.
        part(rgb.0, r, 3) + part(rgb.1, g, 4) + part(rgb.2, b, 2)
    };
    range.min_by_key(|&n| distance(n)).unwrap_or(7)
}

/// A colour of a style by its parts, the numbered ones as xterm has them; `None` for the terminal's own.
pub(crate) fn rgb(colour: Color) -> Option<(u8, u8, u8)> {
    match colour {
        Color::Rgb(r, g, b) => Some((r, g, b)),
        Color::Indexed(n) => Some(entry(n)),
        named => ansi(named).map(entry),
    }
}

/// The palette of xterm.
fn entry(n: u8) -> (u8, u8, u8) {
    const LOW: [(u8, u8, u8); 16] = [
        (0, 0, 0),
        (205, 0, 0),
        (0, 205, 0),
        (205, 205, 0),
        (0, 0, 238),
        (205, 0, 205),
        (0, 205, 205),
        (229, 229, 229),
        (127, 127, 127),
        (255, 0, 0),
        (0, 255, 0),
        (255, 255, 0),
        (92, 92, 255),
        (255, 0, 255),
        (0, 255, 255),
        (255, 255, 255),
    ];
    match n {
        0..16 => LOW[usize::from(n)],
        16..232 => {
            let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
            let cube = n - 16;
            (level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        232.. => {
            let grey = 8 + 10 * (n - 232);
            (grey, grey, grey)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_come_down_to_what_the_terminal_has() {
        let rgb = |rgb, ansi| Colour::Rgb { rgb, ansi };
        let red = rgb((255, 0, 0), None);
        assert_eq!(colour(red, ColorTier::True), Some(Color::Rgb(255, 0, 0)));
        assert_eq!(colour(red, ColorTier::Ansi256), Some(Color::Indexed(196)));
        assert_eq!(colour(red, ColorTier::Ansi16), Some(Color::Indexed(9)));
        let chosen = rgb((255, 0, 0), Some(4));
        assert_eq!(colour(chosen, ColorTier::Ansi16), Some(Color::Indexed(4)));
    }

    #[test]
    fn without_colours_no_style_has_one_and_the_selection_still_shows() {
        for theme in Theme::built_in() {
            let skin = Skin::new(&theme, ColorTier::None);
            for &role in Role::ALL {
                let style = skin.style(role);
                assert_eq!((style.fg, style.bg), (None, None), "{}", role.name());
            }
            let selection = skin.style(Role::Selection);
            assert!(selection.add_modifier.contains(Modifier::REVERSED));
        }
    }

    #[test]
    fn in_sixteen_colours_nothing_else_is_sent() {
        for theme in Theme::built_in() {
            let skin = Skin::new(&theme, ColorTier::Ansi16);
            for &role in Role::ALL {
                let style = skin.style(role);
                for colour in [style.fg, style.bg].into_iter().flatten() {
                    assert!(matches!(colour, Color::Indexed(0..16)), "{}", role.name());
                }
            }
        }
    }
}
