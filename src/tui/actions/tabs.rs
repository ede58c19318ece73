//! Tabs: going to one, closing one, opening one anew.

use super::{Action, ActionId};
use crate::config::theme::Role;
use crate::tui::Site;
use crate::tui::event::Effect;
use crate::tui::key::Key;
use crate::tui::overlay::{Chooser, Overlay, Question};
use crate::tui::state::{Neighbour, Place, RowId, State, TabAct};

pub(super) fn are_several(state: &State) -> Result<(), String> {
    match (state.around.are_several(), state.around.offers()) {
        (true, _) => Ok(()),
        (false, true) => {
            let profiles = Action::of(ActionId::Profiles).hint(state);
            Err(format!(
                "there is but one tab; {profiles} lists what can be opened"
            ))
        }
        (false, false) => Err("there is but one tab, and no profile to open".to_owned()),
    }
}

pub(super) fn choose(state: &mut State) {
    let chooser = Chooser::tabs(state);
    state.open(Overlay::Chooser(Box::new(chooser)));
}

pub(super) fn turn(state: &mut State, by: isize) {
    state.effect(Effect::Tab(TabAct::Turn(by)));
}

/// Where a key leads to another tab, goes there. Says whether it is such a key.
pub(crate) fn leads_to_tab(state: &mut State, key: Key) -> bool {
    let Some(action) = state.keymap.action(key) else {
        return false;
    };
    match action.id {
        ActionId::Tab => {}
        ActionId::NextTab | ActionId::PreviousTab => {
            super::fire(state, action.id);
            return true;
        }
        _ => return false,
    }
    let number = action
        .keys(state)
        .iter()
        .position(|k| *k == key)
        .unwrap_or(0);
    match state.around.tabs.get(number) {
        Some(tab) if state.around.are_several() => {
            let id = tab.id;
            state.effect(Effect::Tab(TabAct::Go(id)));
        }
        _ => match are_several(state) {
            Ok(()) => state.notify(format!("tab: there is no tab {}", number + 1), Role::Warn),
            Err(reason) => state.notify(format!("tab: {reason}"), Role::Warn),
        },
    }
    true
}

/// The tab that is meant: that of the selected profile, or the one in hand. `None` where the selected one has none.
fn meant(state: &State) -> Option<&Neighbour> {
    match (&state.screen().place, &state.screen().selected) {
        (Place::Profiles, Some(RowId::Site(site))) => state.around.tab_of(site),
        _ => state.around.tabs.iter().find(|tab| tab.id == state.id),
    }
}

pub(super) fn can_close(state: &State) -> Result<(), String> {
    are_several(state)?;
    match meant(state) {
        Some(_) => Ok(()),
        None => Err("it is not open".to_owned()),
    }
}

/// Closes a tab, once it is clear that whoever closes it knows what runs on it.
pub(super) fn close(state: &mut State) {
    let Some(tab) = meant(state).cloned() else {
        return;
    };
    if tab.running.is_empty() {
        state.effect(Effect::Tab(TabAct::Close(tab.id)));
        return;
    }
    let stays = tab.site != Site::Store;
    let name = state.clean(&tab.name).into_owned();
    let question = Question::close(tab.id, &name, &tab.running, stays, state.now.clock);
    state.open(Overlay::Question(question));
}

/// Whether going back from here gives the tab up: nothing is open in it, and there are others.
pub(super) fn gives_up(state: &State) -> bool {
    !state.stage.is_open() && state.screen().place == Place::Opening && state.around.are_several()
}

/// Closes the tab in hand, where nothing runs.
pub(super) fn close_this(state: &mut State) {
    state.effect(Effect::Tab(TabAct::Close(state.id)));
}

pub(super) fn can_sign_in(state: &State) -> Result<(), String> {
    match meant(state) {
        Some(tab) => tab.can_renew(),
        // Alone it sees no tab, not even itself.
        None if state.screen().place != Place::Profiles => Neighbour::of(state).can_renew(),
        None => Err("it is not open".to_owned()),
    }
}

pub(super) fn sign_in(state: &mut State) {
    let id = meant(state).map_or(state.id, |tab| tab.id);
    state.effect(Effect::Tab(TabAct::Again(id)));
}
