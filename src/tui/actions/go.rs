//! Going about: opening, going back, views, menus, and leaving.

use super::related::related;
use super::{ActionId, lie, tabs};
use crate::config::theme::Role;
use crate::model::{Kind, VolumeId};
use crate::tui::event::Effect;
use crate::tui::overlay::{Chooser, Help, Overlay, Question};
use crate::tui::state::{Location, Pane, Place, Purpose, RowId, State, TabAct};

pub(super) fn always(_state: &State) -> Result<(), String> {
    Ok(())
}

/// Where `Enter` leads from here.
fn target(state: &State) -> Option<Place> {
    let screen = state.screen();
    match (&screen.place, screen.selected.as_ref()?) {
        (place, RowId::Object(object)) if !place.is_text() => Some(match object.kind {
            Kind::Volume => Place::Tree(VolumeId(object.id.clone())),
            Kind::Group | Kind::Session if place.object().as_ref() != Some(object) => {
                Place::Members(object.clone())
            }
            _ => Place::Describe(object.clone()),
        }),
        (Place::Tree(volume), RowId::Here) => Some(Place::Describe(volume.into())),
        (_, RowId::Instance(name)) if screen.place != Place::Instance(name.clone()) => {
            Some(Place::Instance(name.clone()))
        }
        (Place::Tasks | Place::Journal | Place::Pulse, RowId::Task(id)) => {
            Some(Place::Task(id.clone()))
        }
        (Place::Messages | Place::Pulse, RowId::Message(number)) => Some(Place::Message(*number)),
        (Place::Trace, RowId::Call(number)) => Some(Place::Call(*number)),
        _ => None,
    }
}

pub(super) fn can_open(state: &State) -> Result<(), String> {
    if state.screen().shown.is_empty() && !state.screen().place.is_text() {
        return Err("there is nothing to open".to_owned());
    }
    match target(state) {
        _ if matches!(state.screen().selected, Some(RowId::Site(_))) => Ok(()),
        Some(_) => Ok(()),
        None => Err("this is as deep as it goes".to_owned()),
    }
}

pub(super) fn open(state: &mut State) {
    if let Some(RowId::Site(site)) = state.screen().selected.clone() {
        // Whoever comes back wants what was looked at before.
        if state.trail.has_past() {
            backward(state);
        }
        state.effect(Effect::Tab(TabAct::Open(site)));
        return;
    }
    if let Some(place) = target(state) {
        go_to(state, place);
    }
}

/// Goes one deeper.
pub(crate) fn go_to(state: &mut State, place: Place) {
    if let Place::Task(id) = &place {
        state.tasks.seen(id);
    }
    state.views.push(place);
}

pub(super) fn can_go_back(state: &State) -> Result<(), String> {
    let screen = state.screen();
    if state.views.stack().len() > 1 || !screen.filter.is_empty() || !screen.marks.is_empty() {
        return Ok(());
    }
    if tabs::gives_up(state) {
        return Ok(());
    }
    Err("this is the first screen; q quits".to_owned())
}

/// Takes back what narrows or marks first, then the screen.
pub(super) fn back(state: &mut State) {
    let screen = state.views.screen_mut();
    if !screen.filter.is_empty() {
        screen.filter.clear();
    } else if !screen.marks.is_empty() {
        screen.marks.clear();
    } else if tabs::gives_up(state) {
        tabs::close_this(state);
    } else {
        state.forget(|purpose| matches!(purpose, Purpose::Raw(_)));
        if state.screen().look.is_some() {
            lie::forget(state);
        }
        state.views.pop();
    }
}

pub(super) fn has_object(state: &State) -> Result<(), String> {
    state
        .object()
        .map(|_| ())
        .ok_or_else(|| "nothing is selected that has fields".to_owned())
}

pub(super) fn describe(state: &mut State) {
    if let Some(object) = state.object() {
        if state.screen().place == Place::Describe(object.clone()) {
            return;
        }
        go_to(state, Place::Describe(object));
    }
}

pub(super) fn raw(state: &mut State) {
    if let Some(object) = state.object() {
        if state.screen().place == Place::Raw(object.clone()) {
            return;
        }
        go_to(state, Place::Raw(object.clone()));
        state.ask(Purpose::Raw(object.clone()), |t| Effect::Raw(t, object));
    }
}

/// Whether the system has what a view shows.
pub(super) fn can_view(state: &State, place: &Place) -> Result<(), String> {
    if state.views.has(place) {
        return Ok(());
    }
    if *place == Place::Profiles {
        return Err("there is no profile; `snapdeck profile add` makes one".to_owned());
    }
    if !state.stage.is_open() {
        return Err("this is not open".to_owned());
    }
    if *place == Place::Trace {
        return Err("nothing is called: the system is here".to_owned());
    }
    let kind = place.kinds().first().copied().unwrap_or(Kind::Volume);
    let (system, word) = (state.system.system, state.word(kind));
    Err(format!("{system} has no {word}s"))
}

/// Shows one of the views, as it was left.
pub(super) fn view(state: &mut State, place: &Place) {
    if state.views.turn_to(place) {
        // Asked for again, it shows its first screen.
        while state.views.pop() {}
    }
}

pub(super) fn turn(state: &mut State, by: isize) {
    state.views.turn(by);
}

pub(super) fn can_relate(state: &State) -> Result<(), String> {
    match related(state).is_empty() {
        true => Err("nothing is selected that has to do with anything".to_owned()),
        false => Ok(()),
    }
}

pub(super) fn relate(state: &mut State) {
    let chooser = Chooser::related(state);
    state.open(Overlay::Chooser(Box::new(chooser)));
}

pub(super) fn can_go_backward(state: &State) -> Result<(), String> {
    let there = state.trail.has_past();
    there
        .then_some(())
        .ok_or_else(|| "this is where you began".to_owned())
}

pub(super) fn backward(state: &mut State) {
    let to = state.trail.back();
    travel(state, to);
}

pub(super) fn can_go_forward(state: &State) -> Result<(), String> {
    let there = state.trail.has_future();
    there
        .then_some(())
        .ok_or_else(|| "you have not gone back".to_owned())
}

pub(super) fn forward(state: &mut State) {
    let to = state.trail.forward();
    travel(state, to);
}

/// Goes to where somebody was, and asks again for what that screen shows.
fn travel(state: &mut State, to: Option<Location>) {
    let Some(to) = to else {
        return;
    };
    state.views.restore(&to);
    let screen = state.screen();
    match screen.place.clone() {
        Place::Raw(object) if screen.raw.is_none() => {
            state.ask(Purpose::Raw(object.clone()), |t| Effect::Raw(t, object));
        }
        Place::Map(..) | Place::Difference(..) if screen.look.is_none() => lie::look(state),
        _ => {}
    }
}

pub(super) fn palette(state: &mut State) {
    let chooser = Chooser::palette(state);
    state.open(Overlay::Chooser(Box::new(chooser)));
}

pub(super) fn menu(state: &mut State) {
    let chooser = Chooser::menu(state);
    state.open(Overlay::Chooser(Box::new(chooser)));
}

pub(super) fn help(state: &mut State) {
    state.open(Overlay::Help(Help::default()));
}

pub(super) fn pane(state: &mut State) {
    let shown = !state.tasks.in_pane(state.now.clock).is_empty();
    state.tasks.pane = match state.tasks.pane {
        Pane::Large => Pane::Hidden,
        Pane::Hidden if shown => Pane::Auto,
        Pane::Auto | Pane::Hidden => Pane::Large,
    };
    let text = match state.tasks.pane {
        Pane::Auto => "tasks show themselves while there are any",
        Pane::Large => "tasks are shown with their steps",
        Pane::Hidden => "tasks are hidden; the top line still counts them",
    };
    state.notify(text, Role::Info);
}

pub(super) fn refresh(state: &mut State) {
    if state.screen().place == Place::Profiles {
        state.effect(Effect::Profiles);
    }
    if !state.stage.is_open() {
        if tabs::can_sign_in(state).is_ok() {
            tabs::sign_in(state);
        }
        return;
    }
    state.inventory.volumes.stale = true;
    let place = state.screen().place.clone();
    for kind in place.kinds() {
        state.inventory.outdate(*kind);
    }
    let volume = match &place {
        Place::Tree(volume) => Some(volume.clone()),
        Place::Volumes => state.beside.as_ref().map(|o| VolumeId(o.id.clone())),
        _ => None,
    };
    if let Some(volume) = volume {
        let now = state.now;
        state.inventory.want_history(&volume, now).list.stale = true;
    }
    if let Place::Raw(object) = place {
        state.ask(Purpose::Raw(object.clone()), |t| Effect::Raw(t, object));
    }
    lie::look(state);
    state.notify("reading again", Role::Info);
}

pub(super) fn suspend(state: &mut State) {
    state.effect(Effect::Suspend);
}

/// Leaves, once it is clear that whoever leaves knows what runs.
pub(crate) fn quit(state: &mut State) {
    let mut running = state.running();
    for tab in state.others() {
        let name = state.clean(&tab.name);
        running.extend(tab.running.iter().map(|task| format!("{task}, on {name}")));
    }
    if running.is_empty() {
        state.effect(Effect::Quit);
        return;
    }
    if state.overlays.iter().any(Overlay::asks_to_leave) {
        return;
    }
    let question = Question::quit(&running, state.now.clock);
    state.open(Overlay::Question(question));
}

/// Whether an action moves among rows: such keys are not worth a place in the bottom line.
pub(crate) fn is_row(id: ActionId) -> bool {
    use ActionId as A;
    matches!(
        id,
        A::Up | A::Down | A::PageUp | A::PageDown | A::Top | A::Bottom
    )
}

pub(super) fn can_save_trace(state: &State) -> Result<(), String> {
    can_view(state, &Place::Trace)?;
    match state.calls.is_empty() {
        true => Err("nothing was called so far".to_owned()),
        false => Ok(()),
    }
}

/// Keeps the calls in a file that other tools read.
pub(super) fn save_trace(state: &mut State) {
    state.effect(Effect::SaveTrace);
}

/// Whether an action is about a screen, and means nothing where lines are read out.
pub(crate) fn is_of_screen(id: ActionId) -> bool {
    use ActionId as A;
    is_row(id)
        || matches!(
            id,
            A::Help | A::Filter | A::Pane | A::Picture | A::Mouse | A::Perf | A::Repaint
        )
}
