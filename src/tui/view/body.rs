//! The list or the text in hand. Of a list only the rows that are seen are made.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Hit;
use super::canvas::Canvas;
use crate::config::theme::Role;
use crate::model::{Kind, VolumeId};
use crate::tui::actions::{Action, ActionId};
use crate::tui::layout;
use crate::tui::page;
use crate::tui::rows::{self, Column, Rows};
use crate::tui::state::{PATIENCE, Place, Screen, Standing, State};
use crate::tui::text;

/// What stands left of the first column: the cursor and the mark.
const GUTTER: u16 = 3;
/// Between two columns.
const GAP: u16 = 2;
/// The least that the first column keeps.
const LEAST_NAME: u16 = 14;

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let screen = state.screen();
    if let Some(rows) = rows::of(state, &screen.place) {
        let mut area = area;
        if let Place::Tree(volume) = &screen.place {
            summary(canvas, state, area, volume);
            area.y += 2;
            area.height = area.height.saturating_sub(2);
        }
        if screen.place == Place::Pulse {
            let above = layout::heading(state) - 1;
            let lines = rows::pulse_summary(state, area.width);
            for (line, y) in lines.iter().zip(area.y..area.bottom()) {
                let room = area.width.saturating_sub(GUTTER + 1);
                canvas.spans(area.x + GUTTER, y, room, line);
            }
            area.y += above;
            area.height = area.height.saturating_sub(above);
        }
        if let Place::Difference(..) = &screen.place {
            let above = layout::heading(state) - 1;
            let lines = page::map::difference(state, area.width, layout::map_rows(state));
            for (line, y) in lines.iter().zip(area.y..area.bottom()) {
                let room = area.width.saturating_sub(GUTTER + 1);
                canvas.spans(area.x + GUTTER, y, room, line);
            }
            area.y += above;
            area.height = area.height.saturating_sub(above);
        }
        table(canvas, state, area, &*rows);
    } else {
        text(canvas, state, area);
    }
}

fn text(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let lines = page::lines(state, area.width);
    let screen = state.screen();
    for (i, line) in lines
        .iter()
        .skip(screen.top)
        .take(usize::from(area.height))
        .enumerate()
    {
        canvas.spans(
            area.x + 2,
            area.y + i as u16,
            area.width.saturating_sub(3),
            line,
        );
    }
    thumb(canvas, area, screen.top, lines.len());
    if state.overlays.is_empty() {
        canvas.cursor(area.x, area.y);
    }
}

/// What sums up the volume above its tree.
fn summary(canvas: &mut Canvas<'_>, state: &State, area: Rect, volume: &VolumeId) {
    let Some(volume) = state.volume(volume.as_str()) else {
        return;
    };
    let mut facts: rows::Spans<'_> = vec![(volume.size.to_string().into(), Role::Text)];
    let mut fact = |said: String| facts.push((format!(", {said}").into(), Role::Dim));
    if let Some(used) = volume.used {
        fact(format!("{used} used"));
    }
    if let Some(own) = volume.exclusive {
        fact(format!("{own} own"));
    }
    fact(state.counted(volume.snapshots, Kind::Snapshot));
    if let Some(instance) = &volume.instance {
        let device = volume.device.as_deref().map(|d| format!(" as {d}"));
        let said = format!("on {instance}{}", device.unwrap_or_default());
        fact(state.clean(&said).into_owned());
    }
    let mut line = rows::volume_state(volume, state);
    line.push(("  ".into(), Role::Text));
    line.extend(facts);
    canvas.spans(
        area.x + GUTTER,
        area.y,
        area.width.saturating_sub(GUTTER + 1),
        &line,
    );
}

/// A column with its place.
struct Placed {
    index: usize,
    x: u16,
    width: u16,
}

/// Which columns there is room for, and where. The first stays whatever happens; the others go by rank.
fn place(
    columns: &[Column],
    hidden: impl Fn(&str) -> bool,
    area: Rect,
    widest: u16,
) -> Vec<Placed> {
    let room = area.width.saturating_sub(GUTTER + 1);
    let mut order: Vec<usize> = (1..columns.len()).collect();
    order.retain(|&i| !hidden(columns[i].key));
    order.sort_by_key(|&i| columns[i].rank);
    let title = text::width(columns[0].title);
    let natural = widest.max(title).max(columns[0].width.min(20));
    let mut chosen = vec![];
    let mut used = 0;
    for i in order {
        let column = &columns[i];
        // Names are cut only for what matters most.
        let name = if column.rank <= 3 {
            natural.min(LEAST_NAME.max(room / 3))
        } else {
            natural
        };
        let with = used + GAP + column.width;
        if name + with <= room {
            chosen.push(i);
            used = with;
        }
    }
    chosen.sort_unstable();
    let name = room.saturating_sub(used).min(natural);
    let mut x = area.x + GUTTER;
    let mut placed = vec![Placed {
        index: 0,
        x,
        width: name,
    }];
    x += name;
    for index in chosen {
        let width = columns[index].width;
        placed.push(Placed {
            index,
            x: x + GAP,
            width,
        });
        x += GAP + width;
    }
    // What is left belongs to the last, where it holds text.
    if let Some(last) = placed.last_mut().filter(|p| !columns[p.index].right) {
        last.width += (area.right() - 1).saturating_sub(last.x + last.width);
    }
    placed
}

fn table(canvas: &mut Canvas<'_>, state: &State, area: Rect, rows: &dyn Rows) {
    if area.height == 0 {
        return;
    }
    let screen = state.screen();
    let columns = rows.columns();
    let view = screen.place.view();
    let hidden = |key: &str| state.hidden.iter().any(|(v, k)| *v == view && *k == key);
    let placed = place(columns, hidden, area, screen.widest);
    for p in &placed {
        let column = &columns[p.index];
        let sorted = screen
            .sort
            .filter(|sort| sort.column == p.index && rows.sortable());
        let mut title = column.title.to_owned();
        if let Some(sort) = sorted {
            let glyph = if sort.descending == column.falls {
                canvas.glyphs.up
            } else {
                canvas.glyphs.down
            };
            title = format!("{title} {glyph}");
        }
        // A title may lean over the gap before it.
        let width = text::width(&title);
        let x = if column.right {
            (p.x + p.width).saturating_sub(width)
        } else {
            p.x
        };
        let role = if sorted.is_some() {
            Role::Accent
        } else {
            Role::Heading
        };
        canvas.text(
            x,
            area.y,
            width.min(area.right().saturating_sub(x)),
            &title,
            role,
        );
    }
    let body = Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    };
    if screen.shown.is_empty() {
        nothing(canvas, state, body, rows);
        return;
    }
    let seen = screen
        .shown
        .iter()
        .enumerate()
        .skip(screen.top)
        .take(usize::from(body.height));
    for (i, (at, &row)) in seen.enumerate() {
        let line = Rect {
            y: body.y + i as u16,
            height: 1,
            ..body
        };
        draw_row(
            canvas,
            state,
            line,
            rows,
            row as usize,
            at == screen.cursor,
            &placed,
        );
    }
    thumb(canvas, body, screen.top, screen.shown.len());
}

fn draw_row(
    canvas: &mut Canvas<'_>,
    state: &State,
    line: Rect,
    rows: &dyn Rows,
    row: usize,
    selected: bool,
    placed: &[Placed],
) {
    let id = rows.id(row);
    let marked = state.screen().marks.contains(&id);
    if marked {
        canvas.text(line.x + 1, line.y, 1, canvas.glyphs.mark, Role::Mark);
    }
    for p in placed {
        let lead = if p.index == 0 {
            rows.lead(row)
        } else {
            Vec::new()
        };
        let x = canvas.spans(p.x, line.y, p.width, &lead);
        let room = p.width.saturating_sub(x - p.x);
        let cell = rows.cell(row, p.index);
        let width: u16 = cell.iter().map(|(said, _)| text::width(said)).sum();
        let right = rows.columns()[p.index].right;
        let x = if right {
            x + room.saturating_sub(width)
        } else {
            x
        };
        if p.index == 0 && (selected || marked) {
            let role = if selected {
                Role::Selection
            } else {
                Role::Mark
            };
            let style = canvas.skin.style(role);
            let said: String = cell.into_iter().map(|(said, _)| said).collect();
            let end = canvas.styled(x, line.y, room, &said, style);
            if selected {
                // One blank on each side, so that it reads as one piece.
                pad(canvas, x, end, p, line.y, style);
            }
        } else {
            canvas.spans(x, line.y, room, &cell);
        }
    }
    if selected {
        canvas.text(line.x, line.y, 1, canvas.glyphs.cursor, Role::Accent);
        if state.overlays.is_empty() {
            canvas.cursor(line.x, line.y);
        }
    }
    canvas.hit(line, Hit::Row(id.clone()));
    let gutter = Rect {
        width: GUTTER.min(line.width),
        ..line
    };
    canvas.hit(gutter, Hit::Menu(id));
}

/// Widens the selected name by a blank where there is one.
fn pad(canvas: &mut Canvas<'_>, start: u16, end: u16, p: &Placed, y: u16, style: Style) {
    let free = |canvas: &Canvas<'_>, x: u16| {
        canvas
            .buffer
            .cell((x, y))
            .is_some_and(|cell| cell.symbol() == " ")
    };
    if end <= p.x + p.width && free(canvas, end) {
        canvas.styled(end, y, 1, " ", style);
    }
    if start == p.x && start > 0 && free(canvas, start - 1) {
        canvas.styled(start - 1, y, 1, " ", style);
    }
}

/// Where in the list the screen is.
fn thumb(canvas: &mut Canvas<'_>, area: Rect, top: usize, count: usize) {
    let page = usize::from(area.height);
    if count <= page || page == 0 {
        return;
    }
    let size = (page * page / count).max(1);
    let start = (top * page / count).min(page - size);
    // On the line between the list and what stands beside it, where there is one.
    let x = area.right().min(canvas.buffer.area.right() - 1);
    for y in 0..size {
        let y = area.y + (start + y) as u16;
        canvas.text(x, y, 1, canvas.glyphs.thumb, Role::Border);
    }
}

/// A list without rows says why, and what to do next.
fn nothing(canvas: &mut Canvas<'_>, state: &State, area: Rect, rows: &dyn Rows) {
    let screen = state.screen();
    let mut lines: Vec<(String, Role)> = Vec::new();
    if !screen.filter.is_empty() && rows.len() > 0 {
        lines.push(("nothing matches the filter".to_owned(), Role::Text));
        lines.push(("<esc> takes it away".to_owned(), Role::Dim));
    } else if let Some(waiting) = waiting(state, screen) {
        lines.extend(waiting);
    } else {
        lines.push((rows.empty(), Role::Text));
        if let Some(next) = next(state, screen) {
            lines.push((next, Role::Dim));
        }
    }
    let mut y = area.y + 1;
    for (said, role) in lines {
        for line in text::wrap(&said, area.width.saturating_sub(GUTTER + 1)) {
            canvas.text(
                area.x + GUTTER,
                y,
                area.width.saturating_sub(GUTTER),
                &line,
                role,
            );
            y += 1;
        }
    }
}

/// What to do where a list is empty.
fn next(state: &State, screen: &Screen) -> Option<String> {
    let key = |id| Action::of(id).hint(state);
    match screen.place {
        Place::Volumes if state.read_only.is_none() => Some(format!(
            "{} makes one, and \"snapdeck import IMAGE --name NAME\" brings one in",
            key(ActionId::Create)
        )),
        Place::Snapshots => Some(format!(
            "{} shows the volumes; there {} takes one",
            key(ActionId::Volumes),
            key(ActionId::Snapshot)
        )),
        Place::Groups | Place::Sessions if state.read_only.is_none() => Some(format!(
            "{} takes one; marked among the volumes, several are taken at one moment",
            key(ActionId::Create)
        )),
        Place::Targets if state.read_only.is_none() => Some(format!(
            "{} links one to a {}",
            key(ActionId::Link),
            state.word(crate::model::Kind::Session)
        )),
        Place::Tasks | Place::Journal if state.tasks.items.is_empty() => {
            Some("whatever you change is listed here, step by step".to_owned())
        }
        _ => None,
    }
}

/// Why there are no rows yet; `Some` of nothing while it is too early to say.
fn waiting(state: &State, screen: &Screen) -> Option<Vec<(String, Role)>> {
    let kinds = screen.place.kinds().iter();
    let lists: Vec<_> = kinds.map(|kind| state.inventory.standing(*kind)).collect();
    if let Some(problem) = lists.iter().find_map(|list| list.problem) {
        let mut lines = vec![(state.clean(&problem.to_string()).into_owned(), Role::Error)];
        let hints = problem
            .hints
            .iter()
            .map(|h| (state.clean(h).into_owned(), Role::Info));
        lines.extend(hints);
        let again = Action::of(ActionId::Refresh).hint(state);
        lines.push((format!("{again} tries again"), Role::Dim));
        return Some(lines);
    }
    let first = |list: &&Standing<'_>| list.loaded.is_none();
    let since = lists.iter().filter(first).find_map(|list| list.asked)?;
    if state.now.clock < since + PATIENCE {
        return Some(Vec::new());
    }
    Some(vec![("reading the list".to_owned(), Role::Dim)])
}
