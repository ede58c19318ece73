//! A picture of the screen as text: plain, or with the sequences that a terminal draws it by.

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr as _;

use super::svg::svg;
use crate::tui::event::PictureForm;
use crate::tui::terminal::Pen;

impl PictureForm {
    /// How the name of such a file ends.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Text => "txt",
            Self::Ansi => "ansi",
            Self::Svg => "svg",
        }
    }
}

/// The screen in a form.
pub(crate) fn picture(buffer: &Buffer, form: PictureForm) -> String {
    match form {
        PictureForm::Text => text(buffer),
        PictureForm::Ansi => ansi(buffer),
        PictureForm::Svg => svg(buffer),
    }
}

fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let mut row = String::new();
        let mut x = 0;
        while x < buffer.area.width {
            let symbol = buffer[(x, y)].symbol();
            row.push_str(symbol);
            x += symbol.width().max(1) as u16;
        }
        out.push_str(row.trim_end());
        out.push('\n');
    }
    out
}

fn ansi(buffer: &Buffer) -> String {
    let mut out = Vec::new();
    let mut pen = Pen::PLAIN;
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let cell = &buffer[(x, y)];
            pen.change(Pen::of(cell), &mut out);
            out.extend_from_slice(cell.symbol().as_bytes());
            x += cell.symbol().width().max(1) as u16;
        }
        // A background must not run on to the edge of a wider terminal.
        pen.change(Pen::PLAIN, &mut out);
        out.push(b'\n');
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use ratatui::style::{Color, Modifier, Style};

    use super::*;

    fn sample() -> Buffer {
        let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 12, 2));
        buffer.set_string(0, 0, "日本 <a&b>", Style::new().fg(Color::Rgb(1, 2, 3)));
        let style = Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD);
        buffer.set_string(0, 1, "x", style.bg(Color::Indexed(4)));
        buffer
    }

    #[test]
    fn text_is_what_is_read() {
        assert_eq!(picture(&sample(), PictureForm::Text), "日本 <a&b>\nx\n");
    }

    #[test]
    fn a_terminal_shows_the_same_by_the_sequences() {
        let said = picture(&sample(), PictureForm::Ansi).replace('\n', "\r\n");
        let mut parser = vt100::Parser::new(
            std::num::NonZero::new(3).unwrap(),
            std::num::NonZero::new(12).unwrap(),
            0,
        );
        parser.process(said.as_bytes());
        let screen = parser.screen();
        let shown: Vec<_> = screen
            .contents()
            .lines()
            .map(|l| l.trim_end().to_owned())
            .collect();
        assert_eq!(shown[..2], ["日本 <a&b>", "x"]);
        let cell = screen.cell(0, 0).unwrap();
        assert_eq!(cell.fgcolor(), vt100::Color::Rgb(1, 2, 3));
        let cell = screen.cell(1, 0).unwrap();
        assert!(cell.inverse() && cell.bold());
        assert_eq!(cell.bgcolor(), vt100::Color::Idx(4));
    }

    #[test]
    fn a_drawing_is_sound_xml_with_every_character_in_its_place() {
        let drawing = picture(&sample(), PictureForm::Svg);
        assert!(drawing.starts_with("<svg ") && drawing.ends_with("</svg>\n"));
        assert!(drawing.contains("&lt;a&amp;b&gt;"));
        assert!(drawing.contains("fill=\"#010203\""));
        assert_eq!(
            drawing.matches("<text").count(),
            drawing.matches("</text>").count()
        );
        // Reversed, the background's blue is the text's colour.
        assert!(drawing.contains("fill=\"#0000ee\""), "{drawing}");
    }
}
