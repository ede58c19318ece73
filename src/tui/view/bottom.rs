//! The line at the bottom: the keys in force, or what is to be said now, or the filter that is
//! being typed.

use ratatui::layout::Rect;

use super::Hit;
use super::canvas::Canvas;
use crate::config::theme::Role;
use crate::tui::actions::{Action, ActionId, failed_restore};
use crate::tui::overlay::{FilterLine, Focus, Holds, Overlay};
use crate::tui::rows;
use crate::tui::state::{Place, State};
use crate::tui::text;

/// A key and what it does here.
type Hint = (String, &'static str, Option<ActionId>);

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, area: Rect) {
    if let Some(notice) = &state.notice {
        let clean = state.clean(&notice.text);
        let glyph = match notice.role {
            Role::Error => canvas.glyphs.bad,
            Role::Warn => canvas.glyphs.warn,
            _ => canvas.glyphs.dot,
        };
        let mut room = area.width.saturating_sub(2);
        if notice.role == Role::Error {
            // Where the whole of it can be read, since it may be cut here.
            let key = format!("{} messages", Action::of(ActionId::Messages).hint(state));
            let width = text::width(&key);
            if room > width + 20 {
                room -= width + 2;
                let x = area.right() - 1 - width;
                canvas.text(x, area.y, width, &key, Role::Key);
            }
        }
        canvas.text(
            area.x + 1,
            area.y,
            room,
            &format!("{glyph} {clean}"),
            notice.role,
        );
        return;
    }
    let hints = match state.overlays.last() {
        Some(overlay) => of_overlay(overlay),
        None => of_place(state),
    };
    let mut x = area.x + 1;
    let last = hints.len().saturating_sub(1);
    for (i, (key, name, action)) in hints.into_iter().enumerate() {
        let key = format!("<{key}>");
        let width = text::width(&key) + 1 + text::width(name);
        // Help is the one key that is always there.
        let kept = if i == last { 0 } else { 9 };
        if x + width + kept >= area.right() {
            continue;
        }
        let start = x;
        x = canvas.text(x, area.y, width, &key, Role::Key);
        x = canvas.text(x + 1, area.y, width, name, Role::Dim);
        if let Some(id) = action {
            canvas.hit(Rect::new(start, area.y, width, 1), Hit::Action(id));
        }
        x += 2;
    }
}

/// The keys that matter most here, of those that can be used now; help comes last.
fn of_place(state: &State) -> Vec<Hint> {
    use ActionId as A;
    let screen = state.screen();
    let marked = !screen.marks.is_empty();
    let ids: &[A] = match &screen.place {
        _ if marked => &[
            A::Snapshot,
            A::Group,
            A::Session,
            A::Difference,
            A::Map,
            A::Part,
            A::Delete,
            A::Flatten,
            A::Mark,
            A::MarkAll,
            A::Back,
        ],
        Place::Volumes => &[
            A::Open,
            A::Snapshot,
            A::Create,
            A::Menu,
            A::Mark,
            A::Filter,
            A::Sort,
            A::Describe,
            A::Delete,
            A::Palette,
        ],
        Place::Snapshots => &[
            A::Open,
            A::Restore,
            A::Clone,
            A::Delete,
            A::Menu,
            A::Mark,
            A::Filter,
            A::Sort,
            A::Palette,
        ],
        Place::Tree(_) => &[
            A::Back,
            A::Create,
            A::Restore,
            A::Clone,
            A::Delete,
            A::Map,
            A::Mark,
            A::Describe,
            A::Menu,
            A::Filter,
            A::Palette,
        ],
        Place::Groups => &[
            A::Open,
            A::Restore,
            A::Create,
            A::Edit,
            A::Delete,
            A::Part,
            A::Menu,
            A::Mark,
            A::Filter,
            A::Palette,
        ],
        Place::Sessions | Place::Targets => &[
            A::Open,
            A::Link,
            A::Part,
            A::Restore,
            A::Create,
            A::Delete,
            A::Menu,
            A::Mark,
            A::Filter,
            A::Palette,
        ],
        Place::Members(_) => &[
            A::Back,
            A::Open,
            A::Restore,
            A::Link,
            A::Part,
            A::Delete,
            A::Menu,
            A::Palette,
        ],
        Place::Tasks | Place::Journal => &[
            A::Open,
            A::Retry,
            A::RollBack,
            A::Pause,
            A::Cancel,
            A::Undo,
            A::Filter,
            A::Sort,
            A::Palette,
        ],
        Place::Task(_) => &[
            A::Back,
            A::Retry,
            A::RollBack,
            A::Pause,
            A::Cancel,
            A::Undo,
            A::Palette,
        ],
        Place::Messages => &[A::Open, A::Filter, A::Volumes, A::Palette],
        Place::Pulse => &[
            A::Open,
            A::Related,
            A::Retry,
            A::RollBack,
            A::Filter,
            A::Refresh,
            A::Palette,
        ],
        Place::Instances | Place::Instance(_) => &[
            A::Open,
            A::Group,
            A::Snapshot,
            A::Restore,
            A::Related,
            A::Menu,
            A::Mark,
            A::Filter,
            A::Palette,
        ],
        Place::Map(..) | Place::Difference(..) => {
            &[A::Back, A::Sort, A::Filter, A::Refresh, A::Palette]
        }
        Place::Describe(_) | Place::Raw(_) => &[A::Back, A::Raw, A::Describe, A::Menu, A::Palette],
        Place::Message(_) => &[A::Back, A::Copy, A::Palette],
        Place::Trace => &[A::Open, A::SaveTrace, A::Sort, A::Filter, A::Palette],
        Place::Call(_) => &[A::Back, A::Copy, A::SaveTrace, A::Palette],
        Place::Log => &[A::Back, A::Picture, A::Palette],
        Place::Bundle => &[A::Support, A::Back, A::Palette],
        Place::Profiles => &[
            A::Open,
            A::SignIn,
            A::CloseTab,
            A::Refresh,
            A::Filter,
            A::Palette,
        ],
        Place::Opening => &[A::SignIn, A::Back, A::Profiles, A::NextTab, A::Palette],
    };
    let mut hints: Vec<Hint> = Vec::new();
    if state.messages.unseen() > 0 {
        hints.push(of_action(A::Messages, state));
    }
    // What is done next after a restore that failed stands first.
    let next = match failed_restore(state) {
        Some(_) => &[A::Retry, A::RollBack][..],
        None => &[],
    };
    for &id in next.iter().chain(ids) {
        if (Action::of(id).enabled)(state).is_ok() {
            hints.push(of_action(id, state));
        }
    }
    hints.push(of_action(A::Help, state));
    // What has no key is found by its name.
    hints.retain(|(key, ..)| !key.is_empty());
    hints
}

fn of_action(id: ActionId, state: &State) -> Hint {
    let action = Action::of(id);
    (action.key(state), action.name, Some(id))
}

fn of_overlay(overlay: &Overlay) -> Vec<Hint> {
    let keys: &[(&str, &'static str)] = match overlay {
        Overlay::Chooser(list) if list.chosen.is_some() => &[
            ("space", "choose this too"),
            ("enter", "done"),
            ("up/down", "move"),
            ("esc", "close"),
        ],
        Overlay::Chooser(_) => &[("enter", "choose"), ("up/down", "move"), ("esc", "close")],
        Overlay::Filter(_) => &[],
        Overlay::Help(_) => &[("up/down", "scroll"), ("esc", "close")],
        Overlay::Form(form) if form.waiting.is_some() => &[("esc", "give up")],
        Overlay::Form(form) => match form.fields.get(form.focus).map(|f| &f.holds) {
            Some(Holds::Flag(_)) => &[
                ("space", "yes or no"),
                ("tab", "next"),
                ("F2", "plan"),
                ("esc", "give up"),
            ],
            Some(Holds::Choice(_)) => &[
                ("space", "next word"),
                ("tab", "next"),
                ("F2", "plan"),
                ("esc", "give up"),
            ],
            Some(Holds::Object(_) | Holds::Objects(_)) => &[
                ("space", "list"),
                ("tab", "next"),
                ("F2", "plan"),
                ("esc", "give up"),
            ],
            Some(_) => &[("enter", "next"), ("F2", "plan"), ("esc", "give up")],
            None => &[("enter", "plan"), ("tab", "next"), ("esc", "give up")],
        },
        Overlay::Review(review) if review.results.is_some() => &[("esc", "close")],
        Overlay::Review(review) if review.waiting.is_some() => &[],
        Overlay::Review(review) => match (&review.confirm, review.focus) {
            (Some(_), Focus::Name) => &[
                ("enter", "do it, once the name is typed"),
                ("up/down", "scroll"),
                ("esc", "back"),
            ],
            (None, _) => &[
                ("y", "do it"),
                ("enter", "press the button"),
                ("tab", "other button"),
                ("esc", "back"),
            ],
            _ => &[
                ("enter", "press the button"),
                ("tab", "next"),
                ("esc", "back"),
            ],
        },
        Overlay::Question(_) => &[
            ("enter", "press the button"),
            ("tab", "other button"),
            ("y", "yes"),
            ("esc", "no"),
        ],
    };
    keys.iter()
        .map(|(key, name)| ((*key).to_owned(), *name, None))
        .collect()
}

/// The filter that is being typed.
pub(super) fn filter(canvas: &mut Canvas<'_>, state: &State, area: Rect, line: &FilterLine) {
    canvas.wipe(area);
    let x = canvas.text(area.x + 1, area.y, 2, "/", Role::Key);
    let rows = rows::of(state, &state.screen().place);
    let more = rows.map_or_else(Vec::new, |rows| {
        rows::completions(&*rows, line.input.value())
    });
    let hint = match more.as_slice() {
        [] => "size>1T  age<30d  state:error  name~db  !linked".to_owned(),
        more => format!("<tab> {}", more.join("  ")),
    };
    let said = format!("{} found   {hint}", state.screen().shown.len());
    let width = text::width(&said);
    let mut room = area.width.saturating_sub(4);
    if room > width + 24 {
        room -= width + 2;
        canvas.text(area.right() - 1 - width, area.y, width, &said, Role::Dim);
    }
    canvas.field(
        Rect::new(x, area.y, room.max(1), 1),
        &line.input,
        true,
        state.ascii,
    );
}
