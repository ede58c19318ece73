//! A drawing of the screen: a rectangle for each background, a text for each run of one style.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

use crate::tui::skin::rgb;

/// A cell, in units of the drawing.
const CELL: (f64, f64) = (8.4, 18.0);
/// Around the screen.
const EDGE: f64 = 10.0;
/// What a terminal has where nothing is said: text, background.
const PLAIN: ((u8, u8, u8), (u8, u8, u8)) = ((0xd4, 0xd9, 0xe3), (0x14, 0x17, 0x1e));

/// How a run of cells looks.
#[derive(Clone, Copy, PartialEq)]
struct Look {
    fg: (u8, u8, u8),
    bg: (u8, u8, u8),
    modifier: Modifier,
}

impl Look {
    fn of(cell: &Cell) -> Self {
        let fg = colour(cell.fg, PLAIN.0);
        let bg = colour(cell.bg, PLAIN.1);
        let reversed = cell.modifier.contains(Modifier::REVERSED);
        let (fg, bg) = if reversed { (bg, fg) } else { (fg, bg) };
        Self {
            fg,
            bg,
            modifier: cell.modifier - Modifier::REVERSED,
        }
    }
}

fn colour(colour: Color, plain: (u8, u8, u8)) -> (u8, u8, u8) {
    rgb(colour).unwrap_or(plain)
}

fn hex((r, g, b): (u8, u8, u8)) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

pub(super) fn svg(buffer: &Buffer) -> String {
    let area = buffer.area;
    let width = f64::from(area.width) * CELL.0 + 2.0 * EDGE;
    let height = f64::from(area.height) * CELL.1 + 2.0 * EDGE;
    // Behind everything lies what the screen has most of.
    let behind = most(buffer);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.1} {height:.1}\" font-size=\"14\" \
         font-family=\"'JetBrains Mono','DejaVu Sans Mono',Menlo,Consolas,monospace\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n",
        hex(behind)
    );
    for y in 0..area.height {
        for (x, end, look, said) in runs(buffer, y) {
            let left = EDGE + f64::from(x) * CELL.0;
            let top = EDGE + f64::from(y) * CELL.1;
            let wide = f64::from(end - x) * CELL.0;
            // Writing to memory does not fail.
            if look.bg != behind {
                let _ = writeln!(
                    out,
                    "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{:.1}\" fill=\"{}\"/>",
                    CELL.1,
                    hex(look.bg)
                );
            }
            if !said.trim().is_empty() {
                let _ = writeln!(
                    out,
                    "<text x=\"{left:.1}\" y=\"{:.1}\" xml:space=\"preserve\" textLength=\"{wide:.1}\" \
                     lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\"{}>{}</text>",
                    top + CELL.1 * 0.75,
                    hex(look.fg),
                    attributes(look.modifier),
                    escape(&said)
                );
            }
        }
    }
    out.push_str("</svg>\n");
    out
}

/// The runs of one style in a row: from, to, the style, the text.
fn runs(buffer: &Buffer, y: u16) -> Vec<(u16, u16, Look, String)> {
    let mut runs: Vec<(u16, u16, Look, String)> = Vec::new();
    let mut x = 0;
    while x < buffer.area.width {
        let cell = &buffer[(x, y)];
        let columns = (cell.symbol().width().max(1) as u16).min(buffer.area.width - x);
        let look = Look::of(cell);
        // A character of two columns stands by itself: fonts do not agree on how wide it is.
        let alone = columns > 1;
        match runs.last_mut() {
            Some((start, end, last, said))
                if *last == look
                    && !alone
                    && usize::from(*end - *start) == said.chars().count() =>
            {
                *end = x + columns;
                said.push_str(cell.symbol());
            }
            _ => runs.push((x, x + columns, look, cell.symbol().to_owned())),
        }
        x += columns;
    }
    runs
}

fn most(buffer: &Buffer) -> (u8, u8, u8) {
    let mut counts = std::collections::BTreeMap::new();
    for cell in buffer.content() {
        *counts.entry(Look::of(cell).bg).or_insert(0usize) += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map_or(PLAIN.1, |(colour, _)| colour)
}

fn attributes(modifier: Modifier) -> String {
    let mut out = String::new();
    for (which, said) in [
        (Modifier::BOLD, " font-weight=\"bold\""),
        (Modifier::ITALIC, " font-style=\"italic\""),
        (Modifier::UNDERLINED, " text-decoration=\"underline\""),
        (Modifier::DIM, " opacity=\"0.65\""),
    ] {
        if modifier.contains(which) {
            out.push_str(said);
        }
    }
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
