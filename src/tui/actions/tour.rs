//! Walkthroughs: choosing one, its panel, on, back, and out of it.

use crate::tui::overlay::{Chooser, Overlay};
use crate::tui::state::State;
use crate::tui::tour;

pub(super) fn can_choose(state: &State) -> Result<(), String> {
    match (&state.no_tours, state.tours.is_empty()) {
        (Some(reason), _) => Err(reason.clone()),
        (None, true) => Err("there are none here; `snapdeck demo` has them".to_owned()),
        (None, false) => Ok(()),
    }
}

pub(super) fn choose(state: &mut State) {
    let chooser = Chooser::tours(state);
    state.open(Overlay::Chooser(Box::new(chooser)));
}

pub(super) fn is_on_one(state: &State) -> Result<(), String> {
    match &state.walk {
        Some(_) => Ok(()),
        None => Err("you are on no tour".to_owned()),
    }
}

pub(super) fn panel(state: &mut State) {
    if let Some(walk) = &mut state.walk {
        walk.shown = !walk.shown;
    }
}

pub(super) fn can_go_on(state: &State) -> Result<(), String> {
    is_on_one(state)?;
    match state.walk.as_ref().and_then(|walk| walk.now()) {
        Some(_) => Ok(()),
        None => Err("this is its end".to_owned()),
    }
}

pub(super) fn go_on(state: &mut State) {
    tour::next(state);
}

pub(super) fn can_go_back(state: &State) -> Result<(), String> {
    is_on_one(state)?;
    match &state.walk {
        Some(walk) if walk.step > 0 => Ok(()),
        _ => Err("this is its first step".to_owned()),
    }
}

pub(super) fn go_back(state: &mut State) {
    tour::previous(state);
}

pub(super) fn leave(state: &mut State) {
    tour::leave(state);
}
