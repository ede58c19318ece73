//! The attributes that the terminal writes with, and the fewest bytes from one set to another.

use std::io::Write as _;

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// What the next character will look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pen {
    pub(crate) fg: Color,
    pub(crate) bg: Color,
    pub(crate) modifier: Modifier,
}

impl Pen {
    /// As a terminal begins.
    pub(crate) const PLAIN: Self = Self {
        fg: Color::Reset,
        bg: Color::Reset,
        modifier: Modifier::empty(),
    };

    /// The pen that writes this cell.
    pub(crate) fn of(cell: &Cell) -> Self {
        Self {
            fg: cell.fg,
            bg: cell.bg,
            modifier: cell.modifier,
        }
    }

    /// The pen that writes this cell, nearest to this one: only what is behind a blank is seen.
    pub(crate) fn nearest(self, cell: &Cell) -> Self {
        match is_blank(cell) {
            true => Self {
                bg: cell.bg,
                modifier: self.modifier - LINES,
                ..self
            },
            false => Self::of(cell),
        }
    }

    /// Writes what turns this pen into `next`. A reset is sent only where nothing is to be
    /// left on: one in the middle of a reversed row would end it.
    pub(crate) fn change(&mut self, next: Self, out: &mut Vec<u8>) {
        if *self == next {
            return;
        }
        if next == Self::PLAIN {
            out.extend_from_slice(b"\x1b[m");
            *self = next;
            return;
        }
        let mut codes = Codes { out, any: false };
        let off = self.modifier - next.modifier;
        let mut on = next.modifier - self.modifier;
        let weight = Modifier::BOLD | Modifier::DIM;
        if off.intersects(weight) {
            codes.put(22);
            on |= next.modifier & weight;
        }
        for (modifier, set, unset) in [
            (Modifier::ITALIC, 3, 23),
            (Modifier::UNDERLINED, 4, 24),
            (Modifier::REVERSED, 7, 27),
            (Modifier::CROSSED_OUT, 9, 29),
        ] {
            if off.contains(modifier) {
                codes.put(unset);
            }
            if on.contains(modifier) {
                codes.put(set);
            }
        }
        if on.contains(Modifier::BOLD) {
            codes.put(1);
        }
        if on.contains(Modifier::DIM) {
            codes.put(2);
        }
        if self.fg != next.fg {
            codes.colour(next.fg, 30);
        }
        if self.bg != next.bg {
            codes.colour(next.bg, 40);
        }
        if codes.any {
            out.push(b'm');
        }
        *self = next;
    }
}

/// What is seen of a blank.
const LINES: Modifier = Modifier::UNDERLINED
    .union(Modifier::REVERSED)
    .union(Modifier::CROSSED_OUT);

/// Whether nothing is seen of a cell but what is behind it.
pub(crate) fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && !cell.modifier.intersects(LINES)
}

struct Codes<'a> {
    out: &'a mut Vec<u8>,
    any: bool,
}

impl Codes<'_> {
    fn put(&mut self, code: u8) {
        let lead: &[u8] = if self.any { b";" } else { b"\x1b[" };
        self.any = true;
        self.out.extend_from_slice(lead);
        // Writing to memory does not fail.
        let _ = write!(self.out, "{code}");
    }

    /// `base` is 30 for the text and 40 for what is behind it.
    fn colour(&mut self, colour: Color, base: u8) {
        match colour {
            Color::Rgb(r, g, b) => {
                for code in [base + 8, 2, r, g, b] {
                    self.put(code);
                }
            }
            Color::Indexed(n) if n >= 16 => {
                for code in [base + 8, 5, n] {
                    self.put(code);
                }
            }
            other => match ansi(other) {
                Some(n) if n < 8 => self.put(base + n),
                Some(n) => self.put(base + 60 + n - 8),
                None => self.put(base + 9),
            },
        }
    }
}

/// The number of one of the 16, where it is one.
pub(crate) fn ansi(colour: Color) -> Option<u8> {
    Some(match colour {
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        Color::Indexed(n) if n < 16 => n,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pen(fg: Color, bg: Color, modifier: Modifier) -> Pen {
        Pen { fg, bg, modifier }
    }

    fn bytes(from: Pen, to: Pen) -> String {
        let mut out = Vec::new();
        let mut pen = from;
        pen.change(to, &mut out);
        assert_eq!(pen, to);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_what_changed_is_sent() {
        let reversed = pen(Color::Reset, Color::Reset, Modifier::REVERSED);
        let both = pen(Color::Blue, Color::Reset, Modifier::REVERSED);
        assert_eq!(bytes(Pen::PLAIN, reversed), "\x1b[7m");
        assert_eq!(bytes(reversed, both), "\x1b[34m");
        assert_eq!(
            bytes(both, reversed),
            "\x1b[39m",
            "no reset: it stays reversed"
        );
        assert_eq!(bytes(both, Pen::PLAIN), "\x1b[m");
        assert_eq!(bytes(both, both), "");
    }

    #[test]
    fn bold_and_dim_share_their_end() {
        let bold = pen(Color::Red, Color::Reset, Modifier::BOLD);
        let dim = pen(Color::Red, Color::Reset, Modifier::DIM);
        let all = pen(Color::Red, Color::Reset, Modifier::BOLD | Modifier::DIM);
        assert_eq!(bytes(bold, dim), "\x1b[22;2m");
        assert_eq!(bytes(all, bold), "\x1b[22;1m");
    }

    #[test]
    fn colours_take_their_shortest_form() {
        let to = |fg| bytes(Pen::PLAIN, pen(fg, Color::Reset, Modifier::empty()));
        assert_eq!(to(Color::White), "\x1b[97m");
        assert_eq!(to(Color::Indexed(4)), "\x1b[34m");
        assert_eq!(to(Color::Indexed(200)), "\x1b[38;5;200m");
        assert_eq!(to(Color::Rgb(1, 2, 3)), "\x1b[38;2;1;2;3m");
        let bg = pen(Color::Reset, Color::DarkGray, Modifier::empty());
        assert_eq!(bytes(Pen::PLAIN, bg), "\x1b[100m");
    }
}
