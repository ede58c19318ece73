//! The output side of the terminal: turns each frame into as few bytes as will do.
//!
//! It knows what the terminal shows, so that it can move the cursor by the shortest way, write over a
//! small gap instead of jumping it, and erase to the end of a row. It does no I/O: a
//! frame is taken from it and written by another, in one write. It never asks the terminal
//! anything.

use std::convert::Infallible;
use std::io::Write as _;

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use unicode_width::UnicodeWidthStr as _;

use super::pen::{Pen, is_blank};

/// A gap of unchanged cells no wider than this is written again: a jump costs as much.
const GAP: u16 = 3;

/// What the terminal shows, and the bytes that will change it.
#[derive(Debug)]
pub(crate) struct Screen {
    size: Size,
    cells: Vec<Cell>,
    /// Which cells differ from what the terminal shows.
    dirty: Vec<bool>,
    /// Which rows have such cells.
    rows: Vec<bool>,
    /// Everything must be wiped first.
    wipe: bool,
    pen: Pen,
    /// Where the cursor is; `None` where that is not certain.
    at: Option<Position>,
    /// Where it should stand when the frame is done; `None` hides it.
    wanted: Option<Position>,
    hidden: bool,
    /// Each frame is one update of the whole for the terminal.
    synchronized: bool,
    frame: Vec<u8>,
}

impl Screen {
    /// A terminal of this size of which nothing is known, but whether it takes synchronized updates.
    pub(crate) fn new(size: Size, synchronized: bool) -> Self {
        let mut screen = Self {
            size,
            cells: Vec::new(),
            dirty: Vec::new(),
            rows: Vec::new(),
            wipe: true,
            pen: Pen::PLAIN,
            at: None,
            wanted: None,
            hidden: false,
            synchronized,
            frame: Vec::new(),
        };
        screen.resize(size);
        screen
    }

    /// The terminal has another size now. What it shows is not known any more.
    pub(crate) fn resize(&mut self, size: Size) {
        let count = usize::from(size.width) * usize::from(size.height);
        self.size = size;
        self.cells = vec![Cell::default(); count];
        self.dirty = vec![false; count];
        self.rows = vec![false; usize::from(size.height)];
        self.wipe = true;
        self.at = None;
    }

    /// The bytes of the frame that was flushed last; empty where nothing changed.
    pub(crate) fn take_frame(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.frame)
    }

    fn index(&self, x: u16, y: u16) -> usize {
        usize::from(y) * usize::from(self.size.width) + usize::from(x)
    }

    fn encode(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.wipe {
            out.extend_from_slice(b"\x1b[m\x1b[2J");
            self.pen = Pen::PLAIN;
            self.at = None;
            self.wipe = false;
        }
        for y in 0..self.size.height {
            if std::mem::take(&mut self.rows[usize::from(y)]) {
                self.encode_row(y, &mut out);
            }
        }
        out
    }

    fn encode_row(&mut self, y: u16, out: &mut Vec<u8>) {
        let width = self.size.width;
        let tail = self.tail(y);
        let mut x = 0;
        while x < width {
            let i = self.index(x, y);
            let columns = columns(&self.cells[i]);
            if !self.dirty[i] {
                x += columns;
                continue;
            }
            if x >= tail && width - x > 3 {
                self.go(x, y, out);
                let pen = self.pen.nearest(&self.cells[i]);
                self.pen.change(pen, out);
                out.extend_from_slice(b"\x1b[K");
                let end = self.index(0, y) + usize::from(width);
                self.dirty[i..end].fill(false);
                return;
            }
            self.go(x, y, out);
            self.put(i, out);
            let end = x + columns;
            for covered in x..end.min(width) {
                let i = self.index(covered, y);
                self.dirty[i] = false;
            }
            // At the edge a terminal may or may not have wrapped; and terminals do not agree
            // on how wide some characters are.
            let certain = end < width && self.cells[i].symbol().len() <= 3 && columns == 1;
            self.at = certain.then_some(Position { x: end, y });
            x = end;
        }
    }

    fn put(&mut self, i: usize, out: &mut Vec<u8>) {
        let cell = &self.cells[i];
        self.pen.change(self.pen.nearest(cell), out);
        out.extend_from_slice(cell.symbol().as_bytes());
    }

    /// From where on a row is blank to its end, all in one background.
    fn tail(&self, y: u16) -> u16 {
        let start = self.index(0, y);
        let row = &self.cells[start..start + usize::from(self.size.width)];
        let Some(last) = row.last() else { return 0 };
        let blank = |cell: &&Cell| is_blank(cell) && cell.bg == last.bg;
        let blanks = row.iter().rev().take_while(blank).count();
        self.size.width - blanks as u16
    }

    /// Brings the cursor to a place by the shortest way.
    fn go(&mut self, x: u16, y: u16, out: &mut Vec<u8>) {
        let target = Position { x, y };
        let Some(at) = self.at else {
            absolute(target, out);
            self.at = Some(target);
            return;
        };
        if at == target {
            return;
        }
        if at.y == y && at.x < x && x - at.x <= GAP && self.rewrite(at.x, x, y, out) {
            self.at = Some(target);
            return;
        }
        let mut best = Vec::new();
        absolute(target, &mut best);
        for way in [relative(at, target), by_return(at, target)] {
            if way.len() < best.len() {
                best = way;
            }
        }
        out.extend_from_slice(&best);
        self.at = Some(target);
    }

    /// Writes unchanged cells again where that needs no change of the pen.
    fn rewrite(&self, from: u16, to: u16, y: u16, out: &mut Vec<u8>) -> bool {
        let gap = &self.cells[self.index(from, y)..self.index(to, y)];
        let same = |c: &Cell| c.symbol().len() == 1 && self.pen.nearest(c) == self.pen;
        if !gap.iter().all(same) {
            return false;
        }
        for cell in gap {
            out.extend_from_slice(cell.symbol().as_bytes());
        }
        true
    }
}

/// How many columns a cell's symbol takes; at least its own.
fn columns(cell: &Cell) -> u16 {
    match cell.symbol() {
        symbol if symbol.len() == 1 => 1,
        symbol => symbol.width().clamp(1, 2) as u16,
    }
}

// Writing to memory does not fail, so the results of `write!` are dropped below.

fn absolute(to: Position, out: &mut Vec<u8>) {
    let _ = match (to.x, to.y) {
        (0, 0) => write!(out, "\x1b[H"),
        (0, y) => write!(out, "\x1b[{}H", y + 1),
        (x, y) => write!(out, "\x1b[{};{}H", y + 1, x + 1),
    };
}

fn steps(count: u16, letter: char, out: &mut Vec<u8>) {
    let _ = match count {
        0 => Ok(()),
        1 => write!(out, "\x1b[{letter}"),
        n => write!(out, "\x1b[{n}{letter}"),
    };
}

fn relative(from: Position, to: Position) -> Vec<u8> {
    let mut out = Vec::new();
    steps(to.y.saturating_sub(from.y), 'B', &mut out);
    steps(from.y.saturating_sub(to.y), 'A', &mut out);
    steps(to.x.saturating_sub(from.x), 'C', &mut out);
    steps(from.x.saturating_sub(to.x), 'D', &mut out);
    out
}

fn by_return(from: Position, to: Position) -> Vec<u8> {
    let mut out = vec![b'\r'];
    if to.y > from.y && to.y - from.y <= 3 {
        out.extend(std::iter::repeat_n(b'\n', usize::from(to.y - from.y)));
    } else {
        steps(to.y.saturating_sub(from.y), 'B', &mut out);
        steps(from.y.saturating_sub(to.y), 'A', &mut out);
    }
    steps(to.x, 'C', &mut out);
    out
}

impl Backend for Screen {
    type Error = Infallible;

    fn draw<'a, I>(&mut self, content: I) -> Result<(), Infallible>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        for (x, y, cell) in content {
            if x >= self.size.width || y >= self.size.height {
                continue;
            }
            let i = self.index(x, y);
            let old = &self.cells[i];
            if old != cell {
                let same = is_blank(old) && is_blank(cell) && old.bg == cell.bg;
                self.cells[i] = cell.clone();
                if !same {
                    self.dirty[i] = true;
                    self.rows[usize::from(y)] = true;
                }
            }
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> Result<(), Infallible> {
        self.wanted = None;
        Ok(())
    }

    fn show_cursor(&mut self) -> Result<(), Infallible> {
        self.wanted = self.wanted.or(Some(Position::ORIGIN));
        Ok(())
    }

    fn get_cursor_position(&mut self) -> Result<Position, Infallible> {
        // Never asked of the terminal: one that does not answer would stall the program.
        Ok(self.at.unwrap_or(Position::ORIGIN))
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> Result<(), Infallible> {
        self.wanted = Some(position.into());
        Ok(())
    }

    fn clear(&mut self) -> Result<(), Infallible> {
        self.resize(self.size);
        Ok(())
    }

    fn clear_region(&mut self, _region: ClearType) -> Result<(), Infallible> {
        // Regions are cleared for inline viewports only, which the console has none of.
        self.clear()
    }

    fn size(&self) -> Result<Size, Infallible> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> Result<WindowSize, Infallible> {
        Ok(WindowSize {
            columns_rows: self.size,
            pixels: Size::ZERO,
        })
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        let body = self.encode();
        let drawn = !body.is_empty();
        if drawn && self.synchronized {
            self.frame.extend_from_slice(b"\x1b[?2026h");
        }
        self.frame.extend_from_slice(&body);
        let mut cursor = Vec::new();
        match self.wanted {
            Some(place) => {
                self.go(place.x, place.y, &mut cursor);
                if std::mem::take(&mut self.hidden) {
                    cursor.extend_from_slice(b"\x1b[?25h");
                }
            }
            None if !self.hidden => {
                self.hidden = true;
                cursor.extend_from_slice(b"\x1b[?25l");
            }
            None => {}
        }
        self.frame.extend_from_slice(&cursor);
        if drawn && self.synchronized {
            self.frame.extend_from_slice(b"\x1b[?2026l");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::style::{Color, Modifier, Style};

    use super::*;

    fn frame(
        terminal: &mut Terminal<Screen>,
        lines: &[(&str, Style)],
        cursor: Option<(u16, u16)>,
    ) -> String {
        terminal
            .draw(|frame| {
                for (y, (text, style)) in lines.iter().enumerate() {
                    frame.buffer_mut().set_string(0, y as u16, text, *style);
                }
                if let Some(cursor) = cursor {
                    frame.set_cursor_position(cursor);
                }
            })
            .unwrap();
        String::from_utf8(terminal.backend_mut().take_frame()).unwrap()
    }

    fn terminal(width: u16, height: u16) -> Terminal<Screen> {
        Terminal::new(Screen::new(Size { width, height }, true)).unwrap()
    }

    #[test]
    fn a_frame_is_one_synchronized_update_and_no_change_is_no_byte() {
        let mut terminal = terminal(20, 3);
        let plain = Style::new();
        let first = frame(
            &mut terminal,
            &[("one", plain), ("two", plain)],
            Some((0, 1)),
        );
        assert_eq!(
            first,
            "\x1b[?2026h\x1b[m\x1b[2J\x1b[Hone\r\ntwo\r\x1b[?2026l"
        );
        let second = frame(
            &mut terminal,
            &[("one", plain), ("two", plain)],
            Some((0, 1)),
        );
        assert_eq!(second, "");
        let moved = frame(
            &mut terminal,
            &[("one", plain), ("two", plain)],
            Some((0, 0)),
        );
        assert_eq!(moved, "\x1b[H");
        let hidden = frame(&mut terminal, &[("one", plain), ("two", plain)], None);
        assert_eq!(hidden, "\x1b[?25l");
    }

    #[test]
    fn a_shorter_row_is_erased_and_a_small_gap_written_over() {
        let mut terminal = terminal(30, 2);
        let plain = Style::new();
        frame(&mut terminal, &[("abcdefghijklmnop", plain)], None);
        let shorter = frame(&mut terminal, &[("ab", plain)], None);
        assert!(shorter.ends_with("\x1b[K\x1b[?2026l"), "{shorter:?}");
        assert!(
            !shorter.contains("ab") && shorter.len() <= 24,
            "{shorter:?}"
        );
        frame(&mut terminal, &[("abcdefghijkl", plain)], None);
        let gap = frame(&mut terminal, &[("abXdeYghijkl", plain)], None);
        assert!(gap.contains("XdeY"), "{gap:?}");
    }

    #[test]
    fn colour_inside_a_reversed_row_never_resets_it() {
        let mut terminal = terminal(20, 1);
        let reversed = Style::new().add_modifier(Modifier::REVERSED);
        let bytes = {
            terminal
                .draw(|frame| {
                    let buffer = frame.buffer_mut();
                    buffer.set_string(0, 0, "ab", reversed);
                    buffer.set_string(2, 0, "cd", reversed.fg(Color::Red));
                    buffer.set_string(4, 0, "ef", reversed);
                })
                .unwrap();
            String::from_utf8(terminal.backend_mut().take_frame()).unwrap()
        };
        assert!(bytes.contains("\x1b[7mab\x1b[31mcd\x1b[39mef"), "{bytes:?}");
    }

    #[test]
    fn wide_characters_are_followed_by_a_certain_move() {
        let mut terminal = terminal(20, 1);
        frame(&mut terminal, &[("", Style::new())], None);
        let bytes = frame(&mut terminal, &[("日本x", Style::new())], None);
        assert!(bytes.contains("日\x1b[1;3H本\x1b[1;5Hx"), "{bytes:?}");
    }

    proptest::proptest! {
        /// Whatever is drawn, a terminal that obeys the bytes shows the last frame.
        #[test]
        fn the_bytes_lead_to_the_frame(frames in proptest::collection::vec(
            proptest::collection::vec(("[ a-f]{0,12}", 0u8..4), 4), 1..6)) {
            let mut terminal = terminal(12, 4);
            let mut model = Model::new(12, 4);
            for lines in &frames {
                let lines: Vec<_> = lines.iter().map(|(text, style)| {
                    let style = match style {
                        0 => Style::new(),
                        1 => Style::new().bg(Color::Blue),
                        2 => Style::new().add_modifier(Modifier::REVERSED),
                        _ => Style::new().fg(Color::Rgb(1, 2, 3)),
                    };
                    (text.as_str(), style)
                }).collect();
                model.obey(&frame(&mut terminal, &lines, None));
                for (y, (text, style)) in lines.iter().enumerate() {
                    let row = model.text(y);
                    proptest::prop_assert_eq!(row.trim_end(), text.trim_end());
                    if style.add_modifier.contains(Modifier::REVERSED) {
                        for x in 0..text.len() {
                            proptest::prop_assert!(model.reversed(x, y));
                        }
                    }
                }
            }
        }
    }

    /// A terminal of the few sequences that the screen sends.
    struct Model {
        width: usize,
        cells: Vec<(char, bool)>,
        x: usize,
        y: usize,
        reverse: bool,
    }

    impl Model {
        fn new(width: usize, height: usize) -> Self {
            Self {
                width,
                cells: vec![('?', false); width * height],
                x: 0,
                y: 0,
                reverse: false,
            }
        }

        fn text(&self, y: usize) -> String {
            self.cells[y * self.width..][..self.width]
                .iter()
                .map(|c| c.0)
                .collect()
        }

        fn reversed(&self, x: usize, y: usize) -> bool {
            self.cells[y * self.width + x].1
        }

        fn obey(&mut self, bytes: &str) {
            let mut chars = bytes.chars();
            while let Some(c) = chars.next() {
                match c {
                    '\x1b' => {
                        assert_eq!(chars.next(), Some('['));
                        let mut arguments = String::new();
                        let last = loop {
                            match chars.next().unwrap() {
                                c if c.is_ascii_alphabetic() => break c,
                                c => arguments.push(c),
                            }
                        };
                        self.sequence(&arguments, last);
                    }
                    '\r' => self.x = 0,
                    '\n' => self.y += 1,
                    c => {
                        self.cells[self.y * self.width + self.x] = (c, self.reverse);
                        self.x += 1;
                    }
                }
            }
        }

        fn sequence(&mut self, arguments: &str, last: char) {
            if arguments.starts_with('?') {
                return;
            }
            let numbers: Vec<usize> = arguments
                .split(';')
                .map(|n| n.parse().unwrap_or(0))
                .collect();
            let count = numbers[0].max(1);
            match last {
                'H' => {
                    self.y = count - 1;
                    self.x = numbers.get(1).map_or(0, |n| n - 1);
                }
                'A' => self.y -= count,
                'B' => self.y += count,
                'C' => self.x += count,
                'D' => self.x -= count,
                'J' => self.cells.fill((' ', false)),
                'K' => {
                    let start = self.y * self.width;
                    self.cells[start + self.x..start + self.width].fill((' ', self.reverse));
                }
                'm' => {
                    let mut skip = 0;
                    for n in numbers {
                        if skip > 0 {
                            skip -= 1;
                            continue;
                        }
                        match n {
                            0 | 27 => self.reverse = false,
                            7 => self.reverse = true,
                            38 | 48 => skip = 4,
                            _ => {}
                        }
                    }
                }
                other => panic!("unknown sequence {other}"),
            }
        }
    }
}
