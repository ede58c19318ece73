//! The line at the top: where the user is, what the system is, what runs.

use super::canvas::Canvas;
use crate::config::theme::Role;
use crate::model::Kind;
use crate::tui::layout::Layout;
use crate::tui::page;
use crate::tui::rows::Spans;
use crate::tui::state::{Listing, PATIENCE, Place, State};
use crate::tui::text;

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, layout: &Layout) {
    let area = layout.header;
    canvas.line(
        0,
        layout.rule.y,
        layout.rule.width * layout.rule.height,
        canvas.glyphs.rule,
        Role::Border,
    );

    // What runs is never out of sight: it is set first, from the right.
    let mut right = area.right().saturating_sub(1);
    let mut facts: Vec<Spans<'static>> = Vec::new();
    facts.extend(running(state));
    facts.extend(troubles(state));
    facts.push(vec![access(state)]);
    facts.extend(freshness(state));
    facts.extend(counts(state));
    facts.push(vec![(
        state.clean(state.system.system).into_owned().into(),
        Role::Dim,
    )]);

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

fn running(state: &State) -> Option<Spans<'static>> {
    let count = state.tasks.active().count();
    let word = if count == 1 { "task" } else { "tasks" };
    (count > 0).then(|| {
        vec![(
            format!("{} {count} {word}", state.glyphs().busy).into(),
            Role::Busy,
        )]
    })
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
    let inventory = &state.inventory;
    let told = match &state.screen().place {
        Place::Snapshots => told(&inventory.snapshots, state),
        Place::Tree(volume) => inventory.history(volume).and_then(|h| told(&h.list, state)),
        _ => None,
    };
    let (said, role) = told.or_else(|| self::told(&inventory.volumes, state))?;
    Some(vec![(said.into(), role)])
}

fn told<T>(list: &Listing<T>, state: &State) -> Option<(String, Role)> {
    let slow = list
        .asked
        .is_some_and(|(_, since)| state.now.clock >= since + PATIENCE);
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
    let snapshots: u64 = volumes.items.iter().map(|v| v.snapshots).sum();
    let said = format!(
        "{} {} {}",
        state.counted(volumes.items.len() as u64, Kind::Volume),
        state.glyphs().dot,
        state.counted(snapshots, Kind::Snapshot)
    );
    Some(vec![(said.into(), Role::Dim)])
}
