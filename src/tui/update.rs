//! What each event does to the state. Pure: nothing is awaited, read or written here; what is to
//! be done outside is returned.

use crate::config::theme::Role;
use crate::model::{Change, Kind, Object, Problem, ProblemKind, TaskState};

use super::actions;
use super::event::{Answer, Effect, Event, Moment, Ticket};
use super::key::Key;
use super::overlay::{self, Overlay};
use super::state::{Place, Purpose, RowId, State, TabAct};
use super::tour;
use super::view::Hit;

/// Takes in one event.
pub(crate) fn update(state: &mut State, at: Moment, event: Event) -> Vec<Effect> {
    state.now = at;
    match event {
        Event::Key(key) if key == Key::ctrl('c') => actions::quit(state),
        // Whoever presses anything while a tour plays itself has the keys from then on, and means nothing by it.
        Event::Key(_) | Event::Paste(_) | Event::Click(_) | Event::Wheel(_)
            if tour::stop(state) => {}
        Event::Key(key) => press(state, key),
        Event::Paste(text) => {
            overlay::paste(state, &text);
        }
        Event::Click(hit) => on_click(state, hit),
        Event::Menu(row) => on_menu(state, row),
        Event::Wheel(rows) => on_wheel(state, rows),
        Event::Resize(width, height) => state.size = (width, height),
        Event::Tasks(tasks) => on_tasks(state, tasks),
        Event::Changed(change) => {
            state.changed.since.get_or_insert(at.clock);
            match change {
                Change::Object(object) => {
                    state.changed.objects.insert(object);
                }
                Change::Kind(kind) => {
                    state.changed.kinds.insert(kind);
                }
            }
        }
        Event::Answer(ticket, answer) => on_answer(state, ticket, answer),
        Event::Deadline => tour::go_on(state),
        Event::Opened(opened) => state.opened(*opened),
        Event::NotOpened(problem) => state.not_opened(problem),
        Event::Renewed(result) => state.renewed(result.map(|opened| *opened)),
        // These are for whoever has the tabs.
        Event::Tab(..) | Event::Profiles(_) => {}
        Event::Fault(problem) | Event::Told(Err(problem)) | Event::Gathered(Err(problem)) => {
            state.complain(problem);
        }
        Event::Told(Ok(said)) => state.notify(said, Role::Info),
        Event::Configured(read) => state.configure(read.map(|config| *config)),
        Event::Gathered(Ok(manifest)) => {
            state.bundle = Some(manifest);
            if state.screen().place != Place::Bundle {
                actions::go_to(state, Place::Bundle);
            }
        }
        Event::Logged(lines) => state.hear(lines),
        Event::Called(calls) => state.called(calls),
        Event::Drawn(cost) => {
            if let Some(shown) = &mut state.cost {
                *shown = cost;
            }
        }
        Event::Signal(signal) => {
            state.signal = Some(signal);
            state.effect(Effect::Quit);
        }
    }
    state.settle();
    state.take_effects()
}

/// A key was pressed, by somebody or by a tour that plays itself.
pub(crate) fn press(state: &mut State, key: Key) {
    if state.notice.as_ref().is_some_and(|n| n.role != Role::Error) {
        state.notice = None;
    }
    // The keys of a tour that type nothing are at hand over every dialog.
    if state.walk.is_some()
        && key.typed().is_none()
        && let Some(action) = state.keymap.action(key)
        && action.group == actions::Group::Tour
    {
        actions::fire(state, action.id);
        return;
    }
    // So are those that lead to another tab: what is open here stays here, and takes no keys there.
    if key.typed().is_none() && actions::leads_to_tab(state, key) {
        return;
    }
    if overlay::key(state, key) {
        return;
    }
    if actions::leads_to_tab(state, key) {
        return;
    }
    if let Some(action) = state.keymap.action(key) {
        actions::fire(state, action.id);
    }
}

fn on_click(state: &mut State, hit: Hit) {
    match hit {
        Hit::Part(part) => overlay::press(state, part),
        // What is open here stays here.
        Hit::Tab(id) => state.effect(Effect::Tab(TabAct::Go(id))),
        _ if state.overlays.iter().any(Overlay::is_dialog) => {}
        Hit::Action(id) => actions::fire(state, id),
        Hit::Menu(id) => on_menu(state, Some(id)),
        Hit::Row(id) => {
            if state.screen().selected.as_ref() == Some(&id) {
                actions::fire(state, actions::ActionId::Open);
            } else {
                let clock = state.now.clock;
                let screen = state.views.screen_mut();
                screen.selected = Some(id);
                screen.moved = clock;
            }
        }
    }
}

/// What can be done with a row; where a list to choose from is open, it goes instead.
fn on_menu(state: &mut State, row: Option<RowId>) {
    if let Some(Overlay::Chooser(_)) = state.overlays.last() {
        overlay::key(state, Key::ESC);
    }
    let Some(row) = row.filter(|_| state.overlays.is_empty()) else {
        return;
    };
    let clock = state.now.clock;
    let screen = state.views.screen_mut();
    screen.selected = Some(row);
    screen.moved = clock;
    // The row may be gone: what is in hand then is another one, and nobody asked about that.
    let asked = state.screen().selected.clone();
    state.settle();
    if state.screen().selected == asked {
        actions::fire(state, actions::ActionId::Menu);
    }
}

fn on_wheel(state: &mut State, rows: i32) {
    use actions::ActionId as A;
    let (key, id) = if rows < 0 {
        (Key::UP, A::Up)
    } else {
        (Key::DOWN, A::Down)
    };
    for _ in 0..rows.unsigned_abs().min(10) {
        if !overlay::key(state, key) {
            actions::fire(state, id);
        }
    }
}

fn on_tasks(state: &mut State, tasks: Vec<std::sync::Arc<crate::model::Task>>) {
    let mut failed = false;
    for task in state.tasks.update(tasks, state.now.clock) {
        failed |= task.state != TaskState::Succeeded;
        if task.state == TaskState::Failed
            && let Some(problem) = task.problem()
        {
            let verb = task.plan.operation.kind.verb();
            let mut problem = problem.clone();
            problem.what = format!("{verb} {}: {}", task.plan.subject, problem.what);
            state.complain(problem);
        }
    }
    // What the question was about is over: it answers itself, unless there is something to see.
    state.leave_at_last(failed);
}

fn on_answer(state: &mut State, ticket: Ticket, answer: Answer) {
    // An answer that nobody waits for any more is dropped.
    let Some((purpose, _)) = state.asked.get(&ticket).cloned() else {
        return;
    };
    let last = !matches!(answer, Answer::Page(_) | Answer::Slice(_));
    if last {
        state.asked.remove(&ticket);
    }
    match (purpose, answer) {
        (purpose, Answer::Page(page)) => {
            let now = state.now;
            match purpose {
                Purpose::List(kind) => state.inventory.page(kind, page.items, now),
                Purpose::History(volume) => {
                    state
                        .inventory
                        .want_history(&volume, now)
                        .list
                        .page(page.items, now);
                }
                _ => {}
            }
        }
        (Purpose::Look, Answer::Slice(slice)) => {
            for look in looks(state, ticket) {
                look.take(&slice);
            }
        }
        (Purpose::Look, Answer::Looked(result)) => {
            for look in looks(state, ticket) {
                look.done = result.is_ok();
                look.version += 1;
                look.problem = result.clone().err();
            }
        }
        (purpose, Answer::Listed(result)) => on_listed(state, &purpose, result),
        (Purpose::Show(object), Answer::Shown(result)) => match *result {
            Ok(shown) => on_shown(state, shown),
            Err(problem) if problem.kind == ProblemKind::NotFound => on_gone(state, &object),
            Err(problem) => state.complain(problem),
        },
        (Purpose::Raw(object), Answer::Raw(result)) => {
            let place = Place::Raw(object);
            match result {
                Ok(raw) => {
                    for screen in state.views.all_mut().filter(|s| s.place == place) {
                        screen.raw = Some(raw.clone());
                    }
                }
                Err(problem) => {
                    let empty = state
                        .views
                        .all_mut()
                        .any(|s| s.place == place && s.raw.is_none());
                    if empty {
                        state.views.drop_where(|p| *p == place);
                    }
                    state.complain(problem);
                }
            }
        }
        (Purpose::Plan, Answer::Planned(plans)) => {
            let mut overlays = std::mem::take(&mut state.overlays);
            let at = overlays.iter().position(|o| matches!(o, Overlay::Form(_)));
            if let Some(at) = at
                && let Overlay::Form(form) = &mut overlays[at]
                && let Some(review) = form.planned(state, ticket, plans)
            {
                overlays.insert(at + 1, Overlay::Review(Box::new(review)));
            }
            state.overlays = overlays;
        }
        (Purpose::Submit, Answer::Submitted(results)) => on_submitted(state, ticket, results),
        (Purpose::Control(_), Answer::Controlled(Err(problem)))
        | (Purpose::Stage, Answer::Staged(Err(problem))) => state.complain(problem),
        (Purpose::Stage, Answer::Staged(Ok(said))) => state.notify(said, Role::Info),
        _ => {}
    }
}

/// What was asked for with this ticket, on whichever screen it is.
fn looks(state: &mut State, ticket: Ticket) -> impl Iterator<Item = &mut super::state::Look> {
    let looks = state.views.all_mut().filter_map(|s| s.look.as_deref_mut());
    looks.filter(move |look| look.ticket == ticket)
}

fn on_listed(state: &mut State, purpose: &Purpose, result: Result<(), Problem>) {
    let now = state.now;
    if let Err(problem) = &result {
        state.complain(problem.clone());
    }
    match purpose {
        Purpose::List(kind) => {
            let good = result.is_ok();
            state.inventory.end(*kind, result, now);
            if good {
                let inventory = &state.inventory;
                let gone = |place: &Place| match place.object().filter(|o| o.kind == *kind) {
                    None => false,
                    Some(object) => match kind {
                        Kind::Volume => inventory.volumes.get(&object.id).is_none(),
                        Kind::Snapshot => false,
                        Kind::Group => inventory.groups.get(&object.id).is_none(),
                        Kind::Session => inventory.sessions.get(&object.id).is_none(),
                        Kind::Target => inventory.targets.get(&object.id).is_none(),
                    },
                };
                state.views.drop_where(gone);
            }
        }
        Purpose::History(volume) => {
            state
                .inventory
                .want_history(volume, now)
                .list
                .end(result, now);
        }
        _ => {}
    }
    refresh_choosers(state);
}

/// A field's list of things follows what arrives.
fn refresh_choosers(state: &mut State) {
    let mut overlays = std::mem::take(&mut state.overlays);
    for overlay in &mut overlays {
        if let Overlay::Chooser(chooser) = overlay {
            chooser.refresh(state);
        }
    }
    state.overlays = overlays;
}

/// One thing is like this now.
fn on_shown(state: &mut State, shown: Object) {
    match shown {
        Object::Volume(volume) => {
            for (id, history) in state.inventory.histories_mut() {
                history.list.stale |= *id == volume.id;
            }
            let id = volume.id.clone();
            state.inventory.volumes.upsert(id.as_str(), volume);
        }
        Object::Snapshot(snapshot) => {
            for (id, history) in state.inventory.histories_mut() {
                history.list.stale |= *id == snapshot.volume;
            }
            state.inventory.seen(snapshot.clone());
            if state.inventory.snapshots.loaded.is_some() {
                let id = snapshot.id.clone();
                state.inventory.snapshots.upsert(id.as_str(), snapshot);
            }
        }
        // These are read whole.
        Object::Group(_) | Object::Session(_) | Object::Target(_) => {}
    }
}

/// One thing is not there any more.
fn on_gone(state: &mut State, object: &crate::model::ObjectRef) {
    match object.kind {
        Kind::Volume if state.inventory.volumes.remove(&object.id) => {
            let gone = |place: &Place| place.object().as_ref() == Some(object);
            state.views.drop_where(gone);
            state.inventory.snapshots.stale = true;
        }
        Kind::Snapshot => {
            state.inventory.forget_snapshot(&object.id);
            let gone = |place: &Place| place.object().as_ref() == Some(object);
            state.views.drop_where(gone);
        }
        _ => {}
    }
}

fn on_submitted(
    state: &mut State,
    ticket: Ticket,
    results: Vec<Result<crate::model::TaskId, Problem>>,
) {
    let begun = results.iter().filter(|r| r.is_ok()).count();
    for problem in results.iter().filter_map(|r| r.as_ref().err()) {
        state.messages.add(problem.clone(), state.now.wall);
    }
    if begun > 0 {
        state.views.screen_mut().marks.clear();
    }
    let done = state.overlays.iter_mut().any(|overlay| match overlay {
        Overlay::Review(review) => review.submitted(ticket, results.clone()),
        _ => false,
    });
    if done {
        let over = |o: &Overlay| matches!(o, Overlay::Review(_) | Overlay::Form(_));
        state.overlays.retain(|overlay| !over(overlay));
    }
}
