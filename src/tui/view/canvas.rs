//! What is drawn on: a buffer, the styles of roles, and what was found out while drawing.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;

use super::{Hit, Scene};
use crate::config::theme::Role;
use crate::tui::glyphs::Glyphs;
use crate::tui::skin::Skin;
use crate::tui::text;

/// A buffer with the means to draw on it.
pub(super) struct Canvas<'a> {
    pub(super) buffer: &'a mut Buffer,
    pub(super) skin: &'a Skin,
    pub(super) glyphs: &'static Glyphs,
    pub(super) scene: Scene,
}

impl Canvas<'_> {
    /// Writes a clean text into at most `room` columns, cut with a mark. Returns where it ended.
    pub(super) fn text(&mut self, x: u16, y: u16, room: u16, said: &str, role: Role) -> u16 {
        let style = self.skin.style(role);
        self.styled(x, y, room, said, style)
    }

    /// The same in a style of its own.
    pub(super) fn styled(&mut self, x: u16, y: u16, room: u16, said: &str, style: Style) -> u16 {
        let area = self.buffer.area;
        if y >= area.bottom() || x >= area.right() || room == 0 {
            return x;
        }
        let room = room.min(area.right() - x);
        let fitted = text::fit(said, room, self.glyphs.cut);
        let mut at = x;
        let mut last = None;
        for cluster in fitted.graphemes(true) {
            let width = text::width(cluster);
            if width == 0 {
                continue;
            }
            let Some(cell) = self.buffer.cell_mut(Position { x: at, y }) else {
                break;
            };
            cell.set_symbol(cluster).set_style(style);
            for covered in 1..width {
                if let Some(cell) = self.buffer.cell_mut(Position { x: at + covered, y }) {
                    cell.reset();
                    cell.set_style(style);
                }
            }
            last = (width == 1).then_some(at);
            at += width;
        }
        // A terminal that orders by direction would take what stands beside such a text into it: figures change
        // places, and with them the meaning of a row. A mark ends it where it ends.
        if fitted.chars().any(text::is_right_to_left)
            && let Some(last) = last
            && let Some(cell) = self.buffer.cell_mut(Position { x: last, y })
        {
            let marked = format!("{}\u{200e}", cell.symbol());
            cell.set_symbol(&marked);
        }
        at
    }

    /// Writes pieces one after another into at most `room` columns.
    pub(super) fn spans<'s>(
        &mut self,
        x: u16,
        y: u16,
        room: u16,
        spans: impl IntoIterator<Item = &'s (std::borrow::Cow<'s, str>, Role)>,
    ) -> u16 {
        let mut at = x;
        for (said, role) in spans {
            let left = room.saturating_sub(at - x);
            if left == 0 {
                break;
            }
            at = self.text(at, y, left, said, *role);
        }
        at
    }

    /// Fills a part of a row with one glyph.
    pub(super) fn line(&mut self, x: u16, y: u16, width: u16, glyph: &str, role: Role) {
        let style = self.skin.style(role);
        for x in x..x.saturating_add(width) {
            if let Some(cell) = self.buffer.cell_mut(Position { x, y }) {
                cell.set_symbol(glyph).set_style(style);
            }
        }
    }

    /// A column of one glyph.
    pub(super) fn wall(&mut self, x: u16, y: u16, height: u16, role: Role) {
        for y in y..y.saturating_add(height) {
            self.line(x, y, 1, self.glyphs.wall, role);
        }
    }

    /// Wipes an area in a role's background.
    pub(super) fn wipe(&mut self, area: Rect) {
        let style = self.skin.style(Role::Text).patch(background(self.skin));
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                if let Some(cell) = self.buffer.cell_mut(Position { x, y }) {
                    cell.reset();
                    cell.set_style(style);
                }
            }
        }
    }

    /// A frame with a title, wiped inside. Returns what is inside.
    pub(super) fn frame(&mut self, area: Rect, title: &str, role: Role) -> Rect {
        let area = area.intersection(self.buffer.area);
        self.wipe(area);
        if area.width < 4 || area.height < 3 {
            return Rect { height: 0, ..area };
        }
        let [nw, ne, sw, se] = self.glyphs.corners;
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        for y in [area.y, bottom] {
            self.line(area.x, y, area.width, self.glyphs.rule, role);
        }
        self.wall(area.x, area.y, area.height, role);
        self.wall(right, area.y, area.height, role);
        for (x, y, corner) in [
            (area.x, area.y, nw),
            (right, area.y, ne),
            (area.x, bottom, sw),
            (right, bottom, se),
        ] {
            self.line(x, y, 1, corner, role);
        }
        if !title.is_empty() && area.width > 8 {
            let style = self.skin.style(if role == Role::Danger {
                role
            } else {
                Role::Title
            });
            let said = text::fit(title, area.width - 6, self.glyphs.cut).into_owned();
            self.styled(
                area.x + 2,
                area.y,
                area.width - 4,
                &format!(" {said} "),
                style,
            );
        }
        Rect::new(area.x + 2, area.y + 1, area.width - 4, area.height - 2)
    }

    /// Says that the mouse can press an area.
    pub(super) fn hit(&mut self, area: Rect, hit: Hit) {
        self.scene.hits.push((area, hit));
    }

    /// Says where the hardware cursor stands.
    pub(super) fn cursor(&mut self, x: u16, y: u16) {
        self.scene.cursor = Some(Position { x, y });
    }

    /// A field with a line of text, and the cursor in it where it has the focus.
    pub(super) fn field(&mut self, area: Rect, input: &tui_input::Input, focus: bool, ascii: bool) {
        let role = if focus { Role::Input } else { Role::Text };
        self.line(area.x, area.y, area.width, " ", role);
        let room = area.width.saturating_sub(1).max(1);
        // Made visible, a text may be wider than it was typed: the cursor is found in what is shown.
        let before: String = input.value().chars().take(input.cursor()).collect();
        let before = text::width(&text::clean(&before, ascii));
        let skip = before.saturating_sub(room);
        let clean = text::clean(input.value(), ascii);
        let mut passed = 0;
        let mut shown = String::new();
        for cluster in clean.graphemes(true) {
            if passed >= skip {
                shown.push_str(cluster);
            }
            passed += text::width(cluster);
        }
        let style = self.skin.style(role);
        let clipped = clip(&shown, area.width);
        self.styled(area.x, area.y, area.width, clipped, style);
        if focus {
            let x = area.x + (before - skip).min(area.width.saturating_sub(1));
            self.cursor(x, area.y);
        }
    }
}

/// As much of a text as fits, without a mark: it scrolls.
fn clip(said: &str, room: u16) -> &str {
    let mut used = 0;
    for (at, cluster) in said.grapheme_indices(true) {
        used += text::width(cluster);
        if used > room {
            return &said[..at];
        }
    }
    said
}

/// The background of everything, where the theme has one.
pub(super) fn background(skin: &Skin) -> Style {
    let look = skin.style(Role::Background);
    match look.bg {
        Some(bg) => Style::new().bg(bg),
        None => Style::new(),
    }
}
