//! What a line means: a number, a name, an action, an answer. All of it becomes events, as keys and the mouse do.

use super::answer::on_review;
use super::talk::{Scene, Talk};
use super::{Desk, say};
use crate::tui::actions::{self, ACTIONS, Action, ActionId};
use crate::tui::event::Event;
use crate::tui::key::Key;
use crate::tui::overlay::Overlay;
use crate::tui::page;
use crate::tui::rows;
use crate::tui::state::{RowId, State};
use crate::tui::view::Hit;

/// What can be said where rows or a text are in hand.
const COMMANDS: [(&str, &str); 15] = [
    (
        "3",
        "reads what the third is, and all that can be done with it",
    ),
    (
        "a name",
        "the same; choose NAME where the name is a number or a command",
    ),
    ("open 3", "goes into it: a volume to its points in time"),
    ("an empty line", "reads this again"),
    ("next, previous, first", "read on, or back"),
    (
        "views",
        "reads the names of the views; the name of one goes there",
    ),
    ("back", "goes back"),
    (
        "filter TEXT, or /TEXT",
        "reads only what matches; filter alone takes it away",
    ),
    (
        "sort, columns",
        "by what it is ordered, and what of each is read",
    ),
    (
        "mark 1 3",
        "marks these, or takes the mark away, to act on several at once",
    ),
    (
        "actions",
        "reads what can be done with the marked, and what not and why",
    ),
    (":TEXT", "searches all commands and things by name"),
    ("wait", "asks nothing until no task runs"),
    (
        "undo, retry, cancel, pause",
        "for the task in hand, or the last",
    ),
    ("quit", "leaves; so does the end of the input"),
];

/// Numbers that are apart by blanks or commas; `None` where anything else is said.
pub(super) fn numbers(text: &str) -> Option<Vec<usize>> {
    let words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let numbers: Option<Vec<usize>> = words.map(|word| word.parse().ok()).collect();
    numbers.filter(|numbers| !numbers.is_empty())
}

/// The action that a line begins with, and what is said after it.
fn action(line: &str) -> Option<(&'static Action, &str)> {
    let lower = line.to_lowercase();
    let after = |name: &str| {
        let rest = lower.strip_prefix(name)?;
        // What is said of it begins after a blank.
        (rest.is_empty() || rest.starts_with(' ')).then_some(name.len())
    };
    let named = ACTIONS
        .iter()
        .filter(|action| !actions::is_of_screen(action.id));
    let found = named.filter_map(|action| {
        let length = after(&action.id.name()).max(after(action.name))?;
        Some((action, length))
    });
    let (action, length) = found.max_by_key(|(_, length)| *length)?;
    Some((action, line.get(length..)?.trim()))
}

fn fire(desk: &mut impl Desk, id: ActionId) {
    desk.happened(Event::Click(Hit::Action(id)));
}

pub(super) fn press(desk: &mut impl Desk, part: usize) {
    desk.happened(Event::Click(Hit::Part(part)));
}

pub(super) fn key(desk: &mut impl Desk, key: Key) {
    desk.happened(Event::Key(key));
}

/// Puts a text where one is typed, in the place of what was there.
pub(super) fn type_in(desk: &mut impl Desk, text: &str) {
    key(desk, Key::ctrl('u'));
    desk.happened(Event::Paste(text.to_owned()));
}

/// Whether an answer is a plain yes, or a plain no.
pub(super) fn yes_or_no(line: &str) -> Option<bool> {
    match line.to_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "n" | "no" => Some(false),
        _ => None,
    }
}

impl Talk {
    /// Takes a line.
    pub(super) fn hear(&mut self, desk: &mut impl Desk, line: &str) {
        // Time goes on while somebody types.
        desk.happened(Event::Deadline);
        self.heard = desk.state().now.clock;
        self.asks = true;
        self.waits = false;
        let line = line.trim();
        match desk.state().overlays.last() {
            Some(Overlay::Chooser(_)) => self.on_chooser(desk, line),
            Some(Overlay::Form(_)) => self.on_form(desk, line),
            Some(Overlay::Review(review)) => {
                let (over, confirm) = (review.results.is_some(), review.confirm.clone());
                on_review(desk, line, over, confirm.as_deref());
            }
            Some(Overlay::Question(_)) => match yes_or_no(line) {
                Some(true) => key(desk, Key::char('y')),
                _ => key(desk, Key::ESC),
            },
            Some(Overlay::Filter(_) | Overlay::Help(_)) => key(desk, Key::ESC),
            None => self.on_screen(desk, line),
        }
    }

    fn on_screen(&mut self, desk: &mut impl Desk, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let (lower, rest) = (word.to_lowercase(), rest.trim());
        match (lower.as_str(), rest) {
            ("", _) => self.again = true,
            ("?" | "help", "") => help(desk),
            ("next" | "n" | "more", "") => self.turn(desk, true),
            ("previous" | "p", "") => self.turn(desk, false),
            ("first", "") => self.top = 0,
            ("views" | "v", "") => views(desk),
            ("wait" | "w", "") => self.waits = true,
            ("b", "") => fire(desk, ActionId::Back),
            ("a", "") => fire(desk, ActionId::Menu),
            ("exit" | "q", "") => fire(desk, ActionId::Quit),
            ("filter", filter) => narrow(desk, filter),
            ("choose", name) if !name.is_empty() => self.choose_named(desk, name),
            _ => self.on_words(desk, line),
        }
    }

    fn on_words(&mut self, desk: &mut impl Desk, line: &str) {
        if let Some(filter) = line.strip_prefix('/') {
            narrow(desk, filter.trim());
        } else if let Some(search) = line.strip_prefix(':') {
            fire(desk, ActionId::Palette);
            if !search.trim().is_empty() {
                type_in(desk, search.trim());
            }
        } else if let Some(numbers) = numbers(line) {
            match (numbers.as_slice(), self.row(desk, numbers[0])) {
                (_, None) => {}
                ([_], Some(id)) => choose(desk, &id),
                _ => desk.line("One at a time; mark chooses several."),
            }
        } else if let Some((action, "")) = action(line) {
            fire(desk, action.id);
        } else if let (Some((action, rest)), false) = (action(line), is_name(desk.state(), line)) {
            let rows = match numbers(rest) {
                Some(numbers) => numbers.iter().map(|n| self.row(desk, *n)).collect(),
                None => named(desk, rest).map(|row| vec![row]),
            };
            if let Some(rows) = rows {
                act_on(desk, action.id, &rows);
            }
        } else {
            self.choose_named(desk, line);
        }
    }

    /// What the row with this number was when it was read.
    fn row(&self, desk: &mut impl Desk, number: usize) -> Option<RowId> {
        let (first, rows) = &self.rows;
        let found = number.checked_sub(first + 1).and_then(|n| rows.get(n));
        if found.is_none() {
            desk.line(&match rows.len() {
                0 => "There are no numbers here.".to_owned(),
                n => format!(
                    "There is no {number} here; what was read is {} to {}.",
                    first + 1,
                    first + n
                ),
            });
        }
        found.cloned()
    }

    /// Reads what the row of this name is.
    fn choose_named(&mut self, desk: &mut impl Desk, name: &str) {
        if let Some(row) = named(desk, name) {
            choose(desk, &row);
        }
    }
}

/// Does an action to these rows.
fn act_on(desk: &mut impl Desk, id: ActionId, rows: &[RowId]) {
    let marks = id == ActionId::Mark || rows.len() > 1;
    for row in rows {
        if !select(desk, row) {
            return;
        }
        if marks {
            fire(desk, ActionId::Mark);
        }
    }
    if id != ActionId::Mark {
        fire(desk, id);
    } else {
        let count = desk.state().screen().marks.len();
        desk.line(&format!("{count} marked."));
    }
}

/// The rows that are called so, and those whose names begin so.
fn called(state: &State, name: &str) -> (Vec<RowId>, Vec<RowId>) {
    let screen = state.screen();
    let lower = name.to_lowercase();
    let (mut exact, mut begin) = (Vec::new(), Vec::new());
    let Some(rows) = rows::of(state, &screen.place) else {
        return (exact, begin);
    };
    for row in screen.shown.iter().map(|row| *row as usize) {
        let found = rows.name(row);
        if found == name {
            exact.push(rows.id(row));
        } else if found.to_lowercase().starts_with(&lower) {
            begin.push(rows.id(row));
        }
    }
    (exact, begin)
}

/// Whether a row is called just so.
fn is_name(state: &State, name: &str) -> bool {
    !called(state, name).0.is_empty()
}

/// The row of this name, or the only one whose name begins so; says so where it is none or not the only one.
fn named(desk: &mut impl Desk, name: &str) -> Option<RowId> {
    if desk.state().screen().place.is_text() {
        desk.line("This is a text, and that is no command; ? tells the commands.");
        return None;
    }
    let (exact, begin) = called(desk.state(), name);
    let mut found = if exact.is_empty() { begin } else { exact };
    match found.len() {
        0 => desk.line(&format!(
            "Nothing here is called so, and it is no command: {name}. ? tells the commands."
        )),
        1 => {}
        count => desk.line(&format!(
            "{count} are called so or begin so; filter {name} reads them."
        )),
    }
    found.pop().filter(|_| found.is_empty())
}

/// Selects a row; says so where it is not there any more.
fn select(desk: &mut impl Desk, id: &RowId) -> bool {
    if !is_there(desk.state(), id) {
        desk.line("It is not there any more.");
        return false;
    }
    if desk.state().screen().selected.as_ref() != Some(id) {
        desk.happened(Event::Click(Hit::Row(id.clone())));
    }
    desk.state().screen().selected.as_ref() == Some(id)
}

fn is_there(state: &State, id: &RowId) -> bool {
    let screen = state.screen();
    let Some(rows) = rows::of(state, &screen.place) else {
        return false;
    };
    let mut shown = screen.shown.iter().map(|row| *row as usize);
    shown.any(|row| row < rows.len() && rows.is(row, id))
}

/// Reads what a row is, and what can be done with it.
fn choose(desk: &mut impl Desk, id: &RowId) {
    if !select(desk, id) {
        return;
    }
    match id {
        RowId::Object(_) => {
            for line in say::fields(desk.state(), id) {
                desk.line(&line);
            }
            fire(desk, ActionId::Menu);
        }
        _ => fire(desk, ActionId::Open),
    }
}

/// Reads only what matches.
fn narrow(desk: &mut impl Desk, filter: &str) {
    fire(desk, ActionId::Filter);
    if matches!(desk.state().overlays.last(), Some(Overlay::Filter(_))) {
        type_in(desk, filter);
        key(desk, Key::ENTER);
    }
}

fn views(desk: &mut impl Desk) {
    let state = desk.state();
    let (places, current) = state.views.tabs();
    let mut said = vec!["Views:".to_owned()];
    for (i, place) in places.enumerate() {
        let Some(action) = Action::of_view(place) else {
            continue;
        };
        let here = if i == current { " (here)" } else { "" };
        let title = page::title(state, place);
        said.push(format!(
            "{}: {title}, {}{here}",
            action.id.name(),
            action.doc
        ));
    }
    for line in said {
        desk.line(&line);
    }
}

/// Everything that can be said where rows or a text are in hand.
fn help(desk: &mut impl Desk) {
    desk.line("Commands:");
    for (said, does) in COMMANDS {
        desk.line(&format!("{said}: {does}"));
    }
    desk.line("Actions, with numbers after them where rows are meant, as in restore 3:");
    let skipped = [ActionId::Palette, ActionId::Mark, ActionId::Quit];
    for action in ACTIONS {
        let view = matches!(action.id, ActionId::NextView | ActionId::PreviousView);
        if actions::is_of_screen(action.id) || skipped.contains(&action.id) || view {
            continue;
        }
        let title = action.title(desk.state()).into_owned();
        let reason = (action.enabled)(desk.state()).err();
        let reason = reason.map_or_else(String::new, |r| format!(". Not possible now: {r}"));
        desk.line(&format!("{}: {title}{reason}", action.id.name()));
    }
}

impl Scene {
    /// Whether an answer to it changes something for good.
    pub(super) fn decides(&self) -> bool {
        matches!(self, Self::Review(..) | Self::Question(_))
    }
}
