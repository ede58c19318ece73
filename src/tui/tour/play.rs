//! Plays a tour: presses what a user would press, at a speed at which it can be followed. The keys come
//! from the keymap in force.

use std::collections::VecDeque;
use std::time::Duration;

use super::walk::{Walk, next};
use super::{Press, Step};
use crate::config::theme::Role;
use crate::model::Problem;
use crate::tui::actions::{Action, ActionId};
use crate::tui::key::Key;
use crate::tui::overlay::{Overlay, key as to_overlay};
use crate::tui::rows;
use crate::tui::state::{Purpose, RowId, State};
use crate::tui::update::press;

/// Between two keys.
const KEY: Duration = Duration::from_millis(600);
/// Between two characters that are typed.
const CHAR: Duration = Duration::from_millis(90);
/// Between two rows that are passed on the way to another.
const ROW: Duration = Duration::from_millis(120);
/// The words of a step are read for so long, and each of their characters for so much longer.
const READ: Duration = Duration::from_millis(1_500);
const READ_CHAR: Duration = Duration::from_millis(40);
/// What a step waits for comes within so long, or it does not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A tour that plays itself.
#[derive(Debug)]
pub(crate) struct Play {
    speed: f64,
    /// When the next key is pressed.
    due: Duration,
    /// Since when it is at this step.
    step: Option<(usize, Duration)>,
    /// What is pressed yet at this step.
    left: VecDeque<Press>,
    /// What is typed yet.
    typing: VecDeque<char>,
    /// What was pressed last.
    pub(crate) pressed: String,
}

impl Play {
    /// One that begins now, so many times as fast as it is read.
    pub(super) fn new(speed: f64, now: Duration) -> Self {
        Self {
            speed: speed.clamp(0.05, 1_000.0),
            due: now,
            step: None,
            left: VecDeque::new(),
            typing: VecDeque::new(),
            pressed: String::new(),
        }
    }

    /// Whether something is pressed yet at this step.
    pub(super) fn is_pressing(&self) -> bool {
        !self.left.is_empty() || !self.typing.is_empty()
    }

    pub(super) fn due(&self) -> Duration {
        self.due
    }

    pub(super) fn speed(&self) -> f64 {
        self.speed
    }

    fn after(&mut self, now: Duration, pause: Duration) {
        self.due = now + pause.div_f64(self.speed);
    }
}

/// How long the words of a step are read.
fn reading(step: &Step) -> Duration {
    let characters = step.say.chars().count().min(300) as u32;
    READ + READ_CHAR * characters
}

/// The user has the keys from now on. Says whether a key is spent on that: at the end there is nothing to stop.
pub(crate) fn stop(state: &mut State) -> bool {
    let Some(walk) = &mut state.walk else {
        return false;
    };
    let playing = walk.play.take().is_some() && walk.now().is_some();
    if playing {
        state.notify("it is not played any more: the keys are yours", Role::Info);
    }
    playing
}

/// Whether the console waits for something that a key would come too early for.
fn is_busy(state: &State) -> bool {
    let waits = |purpose: &Purpose| {
        matches!(
            purpose,
            Purpose::Plan
                | Purpose::Submit
                | Purpose::Look
                | Purpose::Stage
                | Purpose::Control(_)
                | Purpose::History(_)
        )
    };
    let now = state.now.clock;
    let deaf = |overlay: &Overlay| overlay.deadline(now).is_some();
    state.asked.values().any(|(purpose, _)| waits(purpose))
        || state.overlays.last().is_some_and(deaf)
}

/// Presses the next key where it is time to.
pub(crate) fn go_on(state: &mut State) {
    let now = state.now.clock;
    let due = |walk: &Walk| walk.play.as_ref().is_some_and(|play| play.due <= now);
    let Some(mut walk) = state.walk.take_if(|walk| due(walk)) else {
        return;
    };
    let Some(mut play) = walk.play.take() else {
        return;
    };
    let Some(step) = walk.now().cloned() else {
        // Its end: what is left is the panel that says so.
        state.walk = Some(walk);
        return;
    };
    if play.step.is_none_or(|(at, _)| at != walk.step) {
        play.step = Some((walk.step, now));
        // What is so already is not done again.
        let open = !walk.is_done();
        play.left = step.play.iter().filter(|_| open).cloned().collect();
        play.typing.clear();
        play.after(now, reading(&step));
        put_back(state, walk, play);
        return;
    }
    let waited = play.step.map_or(Duration::ZERO, |(_, since)| now - since);
    if waited > PATIENCE + reading(&step) && !walk.is_done() {
        state.walk = Some(walk);
        stuck(state, &step);
        return;
    }
    if is_busy(state) {
        play.after(now, CHAR);
    } else if let Some(c) = play.typing.pop_front() {
        let pause = if play.typing.is_empty() { KEY } else { CHAR };
        play.after(now, pause);
        put_back(state, walk, play);
        to_overlay(state, Key::char(c));
        return;
    } else if let Some(one) = play.left.pop_front() {
        play.after(now, KEY);
        let pressed = pressed(state, &mut play, one, now);
        put_back(state, walk, play);
        if let Some(key) = pressed {
            press(state, key);
        }
        return;
    } else if step.expect.is_empty() {
        put_back(state, walk, play);
        next(state);
        return;
    } else {
        play.after(now, KEY);
    }
    put_back(state, walk, play);
}

fn put_back(state: &mut State, mut walk: Walk, play: Play) {
    walk.play = Some(play);
    state.walk = Some(walk);
}

fn stuck(state: &mut State, step: &Step) {
    let what = format!("the tour stands still at \"{}\"", step.title);
    let problem = Problem::user(what).because("what it waits for does not come");
    state.complain(problem.hint("the keys are yours"));
}

/// The key that is pressed now; what is left of it comes next.
fn pressed(state: &State, play: &mut Play, one: Press, now: Duration) -> Option<Key> {
    let key = match one {
        Press::Key(key) => key,
        Press::Do(id) => match state.keymap.keys(id).first() {
            Some(key) => *key,
            // One without a key is run by its name.
            None => {
                play.left.push_front(Press::Key(Key::ENTER));
                play.left
                    .push_front(Press::Type(Action::of(id).name.to_owned()));
                *state.keymap.keys(ActionId::Palette).first()?
            }
        },
        Press::Type(text) => {
            play.typing.extend(text.chars());
            play.pressed = text;
            play.after(now, CHAR);
            return None;
        }
        Press::Row(name) => {
            play.after(now, ROW);
            let way = way_to(state, &name);
            if way != Way::Here {
                play.left.push_front(Press::Row(name));
            }
            let step = match way {
                Way::Here | Way::Nowhere => return None,
                Way::Up => ActionId::Up,
                Way::Down => ActionId::Down,
                Way::PageUp => ActionId::PageUp,
                Way::PageDown => ActionId::PageDown,
            };
            *state.keymap.keys(step).first()?
        }
    };
    play.pressed = key.to_string();
    Some(key)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Here,
    Up,
    Down,
    PageUp,
    PageDown,
    /// It is not there, or not yet.
    Nowhere,
}

/// Which way the row of this name is.
fn way_to(state: &State, name: &str) -> Way {
    let screen = state.screen();
    let Some(rows) = rows::of(state, &screen.place) else {
        return Way::Nowhere;
    };
    let is = |row: &u32| match rows.id(*row as usize) {
        RowId::Object(object) => {
            let found = state.find(&object);
            found.is_some_and(|found| found.name() == name || found.full_name() == name)
        }
        RowId::Instance(instance) => instance == name,
        RowId::Here => name == "here",
        RowId::Task(_)
        | RowId::Message(_)
        | RowId::Stretch(_)
        | RowId::Call(_)
        | RowId::Site(_) => false,
    };
    let Some(at) = screen
        .shown
        .iter()
        .position(|row| (*row as usize) < rows.len() && is(row))
    else {
        return Way::Nowhere;
    };
    let page = crate::tui::layout::rows(state).max(2) - 1;
    match at as isize - screen.cursor as isize {
        0 => Way::Here,
        by if by >= page as isize => Way::PageDown,
        by if by > 0 => Way::Down,
        by if -by >= page as isize => Way::PageUp,
        _ => Way::Up,
    }
}
