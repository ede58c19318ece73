//! How well a text is told from what is behind it, as the Web Content Accessibility Guidelines reckon it: 1 is not
//! at all, 21 is black on white. A text wants 4.5, or 7 where contrast is what is asked for.

use super::theme::{Colour, Role, Theme};

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// What a text wants.
pub const TEXT: f64 = 4.5;
/// What a text wants where high contrast is asked for.
pub const STRONG: f64 = 7.0;
/// What a sign wants that is no text.
pub const SIGN: f64 = 3.0;

/// The contrast of two colours.
#[must_use]
pub fn ratio(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// How light a colour is, from 0 to 1.
#[must_use]
pub fn luminance((r, g, b): Rgb) -> f64 {
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

/// A part of a colour as light, from 0 to 1.
#[must_use]
pub fn linear(part: u8) -> f64 {
    let part = f64::from(part) / 255.0;
    if part <= 0.04045 {
        part / 12.92
    } else {
        ((part + 0.055) / 1.055).powf(2.4)
    }
}

/// The least contrast that a role wants; `None` for what only parts and decorates.
#[must_use]
pub fn wanted(role: Role) -> Option<f64> {
    match role {
        Role::Background | Role::Border | Role::BarRest => None,
        Role::Bar => Some(SIGN),
        _ => Some(TEXT),
    }
}

/// The text that terminals have on a background where nothing is said.
#[must_use]
pub fn ink_on(ground: Rgb) -> Rgb {
    if luminance(ground) < 0.3 {
        (0xe5, 0xe5, 0xe5)
    } else {
        (0, 0, 0)
    }
}

impl Theme {
    /// The roles that are hard to read in full colour, with the contrast that they have.
    #[must_use]
    pub fn faint(&self) -> Vec<(Role, f64)> {
        let rgb = |colour, plain| match colour {
            Colour::Rgb { rgb, .. } => Some(rgb),
            Colour::None => Some(plain),
            // The terminal's own palette is the user's matter.
            Colour::Ansi(_) => None,
        };
        let ground = rgb(self.look(Role::Background).bg, self.ground);
        let roles = Role::ALL.iter().filter_map(|&role| {
            let (wanted, ground, look) = (wanted(role)?, ground?, self.look(role));
            let found = ratio(rgb(look.fg, ink_on(ground))?, rgb(look.bg, ground)?);
            (found < wanted).then_some((role, found))
        });
        roles.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ratio_is_that_of_the_guidelines() {
        let near = |a: f64, b: f64| (a - b).abs() < 0.01;
        assert!(near(ratio((0, 0, 0), (255, 255, 255)), 21.0));
        assert!(near(ratio((255, 255, 255), (0x77, 0x77, 0x77)), 4.48));
        assert!(near(ratio((9, 9, 9), (9, 9, 9)), 1.0));
        assert!(near(ratio((255, 0, 0), (255, 255, 255)), 4.0));
    }

    #[test]
    fn what_is_hard_to_read_in_a_theme_is_named() {
        let good = include_str!("../../themes/light.toml");
        assert_eq!(Theme::parse(good).unwrap().faint(), []);
        let faint = good.replace("pale = \"#6b7180", "pale = \"#b0b4be");
        let found = Theme::parse(&faint).unwrap().faint();
        let roles: Vec<_> = found.iter().map(|(role, _)| *role).collect();
        assert_eq!(roles, [Role::Dim, Role::Heading]);
        assert!(found[0].1 < 2.5);
    }
}
