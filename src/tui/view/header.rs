//! The line at the top: where the user is, what the system is, what runs.

use ratatui::layout::Rect;

use super::Hit;
use super::canvas::Canvas;
use crate::config::theme::Role;
use crate::model::Kind;
use crate::tui::actions::{Action, ActionId};
use crate::tui::layout::Layout;
use crate::tui::page;
use crate::tui::rows::Spans;
use crate::tui::state::{PATIENCE, Place, Stage, Standing, State};
use crate::tui::text;

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    let area = layout.header;
    if layout.rule.height > 0 {
        tabs(canvas, state, layout.rule);
    }

    // What runs is never out of sight: it is set first, from the right.
    let mut right = area.right().saturating_sub(1);
    let mut facts: Vec<Spans<'static>> = Vec::new();
    facts.extend(running(state));
    facts.extend(troubles(state));
    facts.extend(state.stage.is_open().then(|| vec![access(state)]));
    facts.extend(freshness(state));
    facts.extend(counts(state));
    facts.extend(system(state));

    let way = way(state);
    let needed: u16 = way.iter().map(|(said, _)| text::width(said)).sum();
    let left_end = area.x + 1 + needed.min(area.width * 3 / 5);
    let mut first = true;
    for fact in facts {
        let width: u16 = fact.iter().map(|(said, _)| text::width(said)).sum();
        let gap = if first { 0 } else { 3 };
        if right < left_end + width + gap + 2 {
            continue;
        }
        if !first {
            right -= gap;
            canvas.text(right + 1, area.y, 1, canvas.glyphs.dot, Role::Border);
        }
        right -= width;
        canvas.spans(right, area.y, width, &fact);
        first = false;
    }
    let room = right.saturating_sub(area.x + 3);
    canvas.spans(area.x + 1, area.y, room, &way);
}

/// Program, profile, view, object, and what narrows the list.
fn way(state: &State) -> Spans<'static> {
    let into = || (format!(" {} ", state.glyphs().into).into(), Role::Border);
    let mut way: Spans<'static> = Vec::new();
    if state.size.0 >= 60 {
        way.push(("snapdeck".into(), Role::Title));
        way.push(("  ".into(), Role::Dim));
    }
    way.push((state.clean(&state.profile).into_owned().into(), Role::Text));
    let stack = state.views.stack();
    for (depth, screen) in stack.iter().enumerate() {
        way.push(into());
        let last = depth + 1 == stack.len();
        let title = match (&screen.place, depth) {
            // The volume is on the way already; its fields are one step further.
            (Place::Describe(object), d) if d > 0 && same(&stack[d - 1].place, object) => {
                "all fields".to_owned()
            }
            _ => page::title(state, &screen.place),
        };
        way.push((title.into(), if last { Role::Accent } else { Role::Text }));
    }
    let screen = state.screen();
    if !screen.filter.is_empty() {
        let filter = state.clean(&screen.filter).into_owned();
        way.push(("  ".into(), Role::Text));
        way.push((format!("/{filter}").into(), Role::Match));
        let count = format!(" {} found", screen.shown.len());
        way.push((count.into(), Role::Dim));
    }
    if !screen.marks.is_empty() {
        let count = format!("  {} {} marked", state.glyphs().mark, screen.marks.len());
        way.push((count.into(), Role::Mark));
    }
    way
}

fn same(place: &Place, object: &crate::model::ObjectRef) -> bool {
    matches!(place, Place::Tree(id) if object.kind == Kind::Volume && id.as_str() == object.id)
}

fn access(state: &State) -> (std::borrow::Cow<'static, str>, Role) {
    if state.read_only.is_some() {
        ("READ-ONLY".into(), Role::Warn)
    } else {
        ("rw".into(), Role::Dim)
    }
}

/// The kind of system; how far it is open, where it is not.
fn system(state: &State) -> Option<Spans<'static>> {
    let glyphs = state.glyphs();
    let (said, role) = match &state.stage {
        Stage::Open(_) => (state.clean(state.system.system).into_owned(), Role::Dim),
        Stage::Opening(since) if state.now.clock >= *since + PATIENCE => {
            (format!("{} opening", glyphs.busy), Role::Busy)
        }
        Stage::Opening(_) => return None,
        Stage::Failed(..) => (format!("{} not open", glyphs.bad), Role::Error),
    };
    Some(vec![(said.into(), role)])
}

/// The tasks of this tab, and those of others: what runs is never out of sight.
fn running(state: &State) -> Option<Spans<'static>> {
    let count = state.tasks.active().count();
    let told = |count: usize| match count {
        1 => "1 task".to_owned(),
        n => format!("{n} tasks"),
    };
    let others: Vec<_> = state
        .others()
        .filter(|tab| !tab.running.is_empty())
        .collect();
    let elsewhere: usize = others.iter().map(|tab| tab.running.len()).sum();
    let on = match others.as_slice() {
        [] => None,
        [one] => Some(state.clean(&one.name).into_owned()),
        many => Some(format!("{} others", many.len())),
    };
    let said = match (count, on) {
        (0, None) => return None,
        (_, None) => told(count),
        (0, Some(on)) => format!("{} on {on}", told(elsewhere)),
        (_, Some(on)) => {
            let dot = state.glyphs().dot;
            format!("{} {dot} {elsewhere} on {on}", told(count))
        }
    };
    let said = format!("{} {said}", state.glyphs().busy);
    Some(vec![(said.into(), Role::Busy)])
}

/// Errors that nobody has read.
fn troubles(state: &State) -> Option<Spans<'static>> {
    let count = state.messages.unseen();
    let word = if count == 1 { "message" } else { "messages" };
    (count > 0).then(|| {
        vec![(
            format!("{} {count} {word} (!)", state.glyphs().warn).into(),
            Role::Error,
        )]
    })
}

/// How old what is shown is, where it is not what the system has now.
fn freshness(state: &State) -> Option<Spans<'static>> {
    if let Stage::Open(Some(since)) = state.stage
        && state.now.clock >= since + PATIENCE
    {
        let said = format!("{} signing in again", state.glyphs().busy);
        return Some(vec![(said.into(), Role::Busy)]);
    }
    let inventory = &state.inventory;
    let place = &state.screen().place;
    let history = match place {
        Place::Tree(volume) => inventory.history(volume).map(|h| h.list.standing()),
        _ => None,
    };
    let lists = place.kinds().iter().map(|kind| inventory.standing(*kind));
    let volumes = inventory.volumes.standing();
    let mut all = history.into_iter().chain(lists).chain([volumes]);
    let (said, role) = all.find_map(|list| told(list, state))?;
    Some(vec![(said.into(), role)])
}

fn told(list: Standing<'_>, state: &State) -> Option<(String, Role)> {
    let slow = list
        .asked
        .is_some_and(|since| state.now.clock >= since + PATIENCE);
    match (list.loaded, &list.problem) {
        (Some(at), Some(_)) => {
            let age = crate::model::Age::between(at, state.now.wall);
            Some((
                format!("{} stale, {age} old", state.glyphs().warn),
                Role::Warn,
            ))
        }
        (None, Some(_)) => Some((format!("{} not read", state.glyphs().warn), Role::Error)),
        _ if slow => Some((format!("{} reading", state.glyphs().busy), Role::Busy)),
        _ => None,
    }
}

fn counts(state: &State) -> Option<Spans<'static>> {
    let volumes = &state.inventory.volumes;
    volumes.loaded?;
    let mut said = state.counted(volumes.items.len() as u64, Kind::Volume);
    // Where one is not counted yet, neither is the sum.
    let snapshots: Option<u64> = volumes.items.iter().map(|v| v.snapshots).sum();
    if let Some(count) = snapshots {
        let counted = state.counted(count, Kind::Snapshot);
        said.push_str(&format!(" {} {counted}", state.glyphs().dot));
    }
    Some(vec![(said.into(), Role::Dim)])
}

/// The views, each with its key, in the line under the top one; those that there is no room for are
/// behind a mark.
fn tabs(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    let (places, current) = state.views.tabs();
    let tabs: Vec<(String, String, Option<ActionId>)> = places
        .map(|place| {
            let action = Action::of_view(place);
            let key = action.map(|action| action.digit(state)).unwrap_or_default();
            (key, page::tab(state, place), action.map(|a| a.id))
        })
        .collect();
    let width = |tab: &(String, String, _)| text::width(&tab.0) + text::width(&tab.1) + 3;
    let widths: Vec<u16> = tabs.iter().map(width).collect();
    let shown = fitting(&widths, current, area.width.saturating_sub(6));
    let mut x = area.x + 2;
    canvas.line(area.x, area.y, 1, canvas.glyphs.rule, Role::Border);
    if shown.start > 0 {
        x = canvas.text(x, area.y, 1, canvas.glyphs.cut, Role::Dim) + 2;
    }
    for (i, (key, title, action)) in tabs.iter().enumerate().take(shown.end).skip(shown.start) {
        let start = x;
        x = canvas.text(x, area.y, area.width, key, Role::Key) + 1;
        let role = if i == current {
            Role::Accent
        } else {
            Role::Dim
        };
        x = canvas.text(x, area.y, area.width, title, role) + 2;
        if let Some(id) = action {
            let tab = Rect::new(start, area.y, x - start - 1, 1);
            canvas.hit(tab, Hit::Action(*id));
        }
    }
    if shown.end < tabs.len() {
        x = canvas.text(x, area.y, 1, canvas.glyphs.cut, Role::Dim) + 2;
    }
    let rest = area.right().saturating_sub(x.saturating_sub(1));
    canvas.line(x - 1, area.y, rest, canvas.glyphs.rule, Role::Border);
}

/// As many of these widths around the one in hand as there is room for.
pub(super) fn fitting(widths: &[u16], current: usize, room: u16) -> std::ops::Range<usize> {
    let mut shown = current..current + 1;
    let mut left = room.saturating_sub(widths.get(current).copied().unwrap_or(0));
    loop {
        let after = widths.get(shown.end).copied().filter(|w| *w <= left);
        let before = shown.start.checked_sub(1).map(|i| widths[i]);
        let before = before.filter(|w| *w <= left);
        match (before, after) {
            (Some(width), _) => {
                shown.start -= 1;
                left -= width;
            }
            (None, Some(width)) => {
                shown.end += 1;
                left -= width;
            }
            (None, None) => return shown,
        }
    }
}
