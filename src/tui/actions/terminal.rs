//! The terminal and the program itself: copying, pictures of the screen, the mouse, the log, what a frame costs.

use crate::config::theme::Role;
use crate::model::ObjectRef;
use crate::tui::event::{Cost, Effect, PictureForm};
use crate::tui::overlay::{Chooser, Entry, Overlay, Pick};
use crate::tui::page;
use crate::tui::state::{Place, State};
use crate::tui::terminal::CopyRoute;

/// What can be copied here: what it is, and the text.
fn texts(state: &State) -> Vec<(&'static str, String)> {
    let screen = state.screen();
    let mut texts = Vec::new();
    let objects = state.objects();
    match objects.as_slice() {
        [] => {}
        [one] => {
            let names = |object: &ObjectRef| {
                let found = state.find(object)?;
                Some((found.name().to_owned(), found.full_name()))
            };
            if let Some((name, full)) = names(one) {
                if full != name {
                    texts.push(("full name", full));
                }
                texts.insert(0, ("name", name));
            }
            texts.push(("id", one.id.clone()));
            let command = format!("snapdeck describe {} {}", one.kind.one(), one.id);
            texts.push(("command", command));
        }
        many => {
            let names = many.iter().map(|object| match state.find(object) {
                Some(found) => found.full_name(),
                None => object.id.clone(),
            });
            texts.push(("names", names.collect::<Vec<_>>().join("\n")));
            let ids: Vec<_> = many.iter().map(|object| object.id.as_str()).collect();
            texts.push(("ids", ids.join("\n")));
        }
    }
    match (&screen.place, &screen.raw) {
        (Place::Raw(_), Some(raw)) => texts.insert(0, ("body", raw.text.clone())),
        (Place::Message(number), _) => {
            if let Some(message) = state.messages.get(*number) {
                let problem = &message.problem;
                texts.push(("message", problem.to_string()));
                if let Some(id) = &problem.request_id {
                    texts.push(("request id", id.clone()));
                }
            }
        }
        (place, _) if place.is_text() => {
            let lines = page::lines(state, state.size.0);
            let lines = lines.iter().map(|line| {
                let line: String = line.iter().map(|(said, _)| said.as_ref()).collect();
                line.trim_end().to_owned()
            });
            texts.push(("text", lines.collect::<Vec<_>>().join("\n")));
        }
        _ => {}
    }
    if let Some(id) = state.task_for(crate::task::Control::Cancel) {
        texts.push(("task id", id.to_string()));
    }
    texts
}

pub(super) fn can_copy(state: &State) -> Result<(), String> {
    if state.features.copies(&state.config.settings) == CopyRoute::Never {
        return Err("this terminal cannot be told to copy, or may not be".to_owned());
    }
    if texts(state).is_empty() {
        return Err("there is nothing to copy here".to_owned());
    }
    Ok(())
}

pub(super) fn copy(state: &mut State) {
    let entries = texts(state).into_iter().map(|(what, text)| {
        let line = text.lines().next().unwrap_or_default();
        let more = if text.lines().count() > 1 { " ..." } else { "" };
        entry(
            what,
            format!("{}{more}", state.clean(line)),
            Pick::Copy(what, text),
        )
    });
    let chooser = Chooser::new("Copy", entries.collect());
    state.open(Overlay::Chooser(Box::new(chooser)));
}

pub(super) fn picture(state: &mut State) {
    let forms = [
        ("text", "what it says, without colours", PictureForm::Text),
        ("ansi", "for `cat` in a terminal", PictureForm::Ansi),
        ("svg", "for a browser or a document", PictureForm::Svg),
    ];
    let entries =
        forms.map(|(name, about, form)| entry(name, about.to_owned(), Pick::Picture(form)));
    let chooser = Chooser::new("Keep a picture of the screen as", entries.into());
    state.open(Overlay::Chooser(Box::new(chooser)));
}

fn entry(label: &str, detail: String, pick: Pick) -> Entry {
    Entry {
        label: label.to_owned(),
        detail,
        key: String::new(),
        reason: None,
        pick,
    }
}

pub(super) fn mouse(state: &mut State) {
    let on = !state.mouse;
    state.take_mouse(on);
    let said = if on {
        "the mouse presses rows and keys"
    } else {
        "the mouse is the terminal's: text can be selected with it"
    };
    state.notify(said, Role::Info);
}

pub(super) fn repaint(state: &mut State) {
    state.effect(Effect::Repaint);
}

pub(super) fn reload(state: &mut State) {
    state.effect(Effect::Reload);
}

/// Gathers what would be in a support bundle; where that is shown, writes it.
pub(super) fn support(state: &mut State) {
    let shown = state.screen().place == Place::Bundle;
    state.effect(match shown {
        true => Effect::Bundle,
        false => Effect::Gather,
    });
}

pub(super) fn perf(state: &mut State) {
    state.cost = match state.cost {
        Some(_) => None,
        None => Some(Cost::default()),
    };
}

pub(super) fn can_log(state: &State) -> Result<(), String> {
    match state.screen().place {
        Place::Log => Err("this is the log".to_owned()),
        _ => Ok(()),
    }
}

pub(super) fn log(state: &mut State) {
    state.views.push(Place::Log);
}
