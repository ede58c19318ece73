//! The registry itself.

use super::{Action, ActionId, Group, change, go, lie, table, tabs, terminal, tour};
use crate::tui::key::Key;
use crate::tui::state::Place;

macro_rules! action {
    ($id:ident, $group:ident, [$($key:expr),*], $name:literal, $doc:literal, $enabled:expr, $run:expr) => {
        Action {
            id: ActionId::$id,
            name: $name,
            doc: $doc,
            defaults: &[$($key),*],
            group: Group::$group,
            enabled: $enabled,
            run: $run,
        }
    };
}

/// Every action, in the order of [`ActionId`].
#[rustfmt::skip]
pub(crate) static ACTIONS: &[Action] = &[
    action!(Open, Move, [Key::ENTER, Key::RIGHT, Key::char('l')], "open",
        "open what is selected", go::can_open, go::open),
    action!(Back, Move, [Key::ESC, Key::LEFT, Key::char('h')], "back",
        "go back to where you were", go::can_go_back, go::back),
    action!(Palette, Program, [Key::char(':')], "command",
        "run any command by its name", go::always, go::palette),
    action!(Related, Move, [Key::char('o')], "go to",
        "go to what it has to do with: its volume, group, session, targets, clones, tasks", go::can_relate, go::relate),
    action!(Backward, Move, [Key::char('[')], "backward",
        "back to where you were before, in whatever view", go::can_go_backward, go::backward),
    action!(Forward, Move, [Key::char(']')], "forward",
        "forward again", go::can_go_forward, go::forward),
    action!(Filter, Look, [Key::char('/')], "filter",
        "show only what matches: name, state:error, size>1T, age<30d, !linked, name~db", table::has_rows, table::filter),
    action!(Sort, Look, [Key::char('s')], "sort",
        "sort by a column; the same one again reverses", table::can_sort, table::sort),
    action!(Columns, Look, [Key::char(',')], "columns",
        "choose which columns this view shows", table::has_rows, table::columns),
    action!(Mark, Look, [Key::SPACE], "mark",
        "mark this row, to act on several at once", table::can_mark, table::mark),
    action!(MarkAll, Look, [Key::char('*')], "mark all",
        "mark every row that is shown, or none", table::can_mark, table::mark_all),
    action!(Describe, Look, [Key::char('d')], "describe",
        "show every field of it", go::has_object, go::describe),
    action!(Raw, Look, [Key::char('y')], "raw",
        "show it as the system has it", go::has_object, go::raw),
    action!(Map, Look, [Key::char('B')], "block map",
        "show how it lies: shared, own, never written, changed since the marked one", lie::can_map, lie::map),
    action!(Difference, Look, [Key::char('f')], "difference",
        "show what differs between the marked point in time and this one", lie::can_compare, lie::compare),
    action!(Create, Change, [Key::char('c')], "create",
        "make another of what is listed here", |s| change::allowed(s, ActionId::Create), |s| change::run(s, ActionId::Create)),
    action!(Snapshot, Change, [Key::char('S')], "snapshot",
        "take a point in time of what is selected or marked", |s| change::allowed(s, ActionId::Snapshot), |s| change::run(s, ActionId::Snapshot)),
    action!(Group, Change, [Key::char('M')], "group",
        "take one point in time of all marked volumes", |s| change::allowed(s, ActionId::Group), |s| change::run(s, ActionId::Group)),
    action!(Session, Change, [Key::char('N')], "session",
        "take a point in time that targets can be linked to", |s| change::allowed(s, ActionId::Session), |s| change::run(s, ActionId::Session)),
    action!(Edit, Change, [Key::char('e')], "edit",
        "change its name and description", |s| change::allowed(s, ActionId::Edit), |s| change::run(s, ActionId::Edit)),
    action!(Delete, Change, [Key::char('D')], "delete",
        "delete what is selected or marked", |s| change::allowed(s, ActionId::Delete), |s| change::run(s, ActionId::Delete)),
    action!(Restore, Change, [Key::char('R')], "restore",
        "take a volume back to a point in time", |s| change::allowed(s, ActionId::Restore), |s| change::run(s, ActionId::Restore)),
    action!(Clone, Change, [Key::char('C')], "clone",
        "make a new volume from a point in time", |s| change::allowed(s, ActionId::Clone), |s| change::run(s, ActionId::Clone)),
    action!(Flatten, Change, [Key::char('F')], "flatten",
        "copy what a volume shares, so that it stands alone", |s| change::allowed(s, ActionId::Flatten), |s| change::run(s, ActionId::Flatten)),
    action!(Extend, Change, [Key::char('+')], "extend",
        "make a volume larger", |s| change::allowed(s, ActionId::Extend), |s| change::run(s, ActionId::Extend)),
    action!(Shrink, Change, [Key::char('-')], "shrink",
        "make a volume smaller", |s| change::allowed(s, ActionId::Shrink), |s| change::run(s, ActionId::Shrink)),
    action!(Link, Change, [Key::char('L')], "link",
        "link a target to a session, or a target to another one", |s| change::allowed(s, ActionId::Link), |s| change::run(s, ActionId::Link)),
    action!(Part, Change, [Key::char('U')], "unlink",
        "part a target from its session, or the members of a group", |s| change::allowed(s, ActionId::Part), |s| change::run(s, ActionId::Part)),
    action!(Menu, Change, [Key::char('a')], "actions",
        "list all that can be done with it, and why not", go::always, go::menu),
    action!(Retry, Task, [Key::char('t')], "retry",
        "run the step that failed or was interrupted again", change::can_retry, change::retry),
    action!(Cancel, Task, [Key::char('x')], "cancel",
        "end a task; what is done stays done", change::can_cancel, change::cancel),
    action!(Pause, Task, [Key::char('z')], "pause",
        "let a copy stand still, or go on", change::can_pause, change::pause),
    action!(Undo, Task, [Key::char('u')], "undo",
        "take back what a task did, where it has an inverse", change::can_undo, change::undo),
    action!(RollBack, Task, [Key::char('b')], "roll back",
        "take back what a task had done before it failed", change::can_roll_back, change::roll_back),
    action!(Pane, Task, [Key::char('T')], "task pane",
        "enlarge or hide the docked tasks", go::always, go::pane),
    action!(Refresh, Look, [Key::char('r')], "refresh",
        "read what is shown again", go::always, go::refresh),
    action!(Messages, Look, [Key::char('!'), Key::char('9')], "messages",
        "show what went wrong so far", go::always, |s| go::view(s, &Place::Messages)),
    action!(Help, Program, [Key::char('?'), Key::f(1)], "help",
        "show the keys of this view", go::always, go::help),
    action!(Quit, Program, [Key::char('q'), Key::ctrl('c')], "quit",
        "leave; what runs is followed on at the next start", go::always, go::quit),
    action!(Suspend, Program, [Key::ctrl('z')], "suspend",
        "stop the program; the shell's fg brings it back", go::always, go::suspend),
    action!(Volumes, Move, [Key::char('1')], "volumes",
        "show all volumes", |s| go::can_view(s, &Place::Volumes), |s| go::view(s, &Place::Volumes)),
    action!(Snapshots, Move, [Key::char('2')], "snapshots",
        "show all snapshots", |s| go::can_view(s, &Place::Snapshots), |s| go::view(s, &Place::Snapshots)),
    action!(Groups, Move, [Key::char('3')], "groups",
        "show all groups", |s| go::can_view(s, &Place::Groups), |s| go::view(s, &Place::Groups)),
    action!(Sessions, Move, [Key::char('4')], "sessions",
        "show all sessions with their targets", |s| go::can_view(s, &Place::Sessions), |s| go::view(s, &Place::Sessions)),
    action!(Targets, Move, [Key::char('5')], "targets",
        "show all linked targets and copies under way", |s| go::can_view(s, &Place::Targets), |s| go::view(s, &Place::Targets)),
    action!(Tasks, Move, [Key::char('7')], "tasks now",
        "show what runs, waits, or was done since the console began", |s| go::can_view(s, &Place::Tasks), |s| go::view(s, &Place::Tasks)),
    action!(Journal, Move, [Key::char('8')], "journal",
        "show everything that was ever done", |s| go::can_view(s, &Place::Journal), |s| go::view(s, &Place::Journal)),
    action!(Pulse, Move, [Key::char('0')], "pulse",
        "show everything at a glance, and what needs attention", |s| go::can_view(s, &Place::Pulse), |s| go::view(s, &Place::Pulse)),
    action!(Instances, Move, [Key::char('6')], "instances",
        "show the machines with their volumes and points in time", |s| go::can_view(s, &Place::Instances), |s| go::view(s, &Place::Instances)),
    action!(NextView, Move, [Key::TAB], "next view",
        "show the next view", go::always, |s| go::turn(s, 1)),
    action!(PreviousView, Move, [Key::BACK_TAB], "previous view",
        "show the view before", go::always, |s| go::turn(s, -1)),
    action!(Up, Move, [Key::UP, Key::char('k')], "up",
        "one row up", go::always, |s| table::step(s, table::Step::By(-1))),
    action!(Down, Move, [Key::DOWN, Key::char('j')], "down",
        "one row down", go::always, |s| table::step(s, table::Step::By(1))),
    action!(PageUp, Move, [Key::PAGE_UP, Key::ctrl('b'), Key::ctrl('u')], "page up",
        "one page up", go::always, |s| table::step(s, table::Step::Pages(-1))),
    action!(PageDown, Move, [Key::PAGE_DOWN, Key::ctrl('f'), Key::ctrl('d')], "page down",
        "one page down", go::always, |s| table::step(s, table::Step::Pages(1))),
    action!(Top, Move, [Key::HOME, Key::char('g')], "top",
        "to the first row", go::always, |s| table::step(s, table::Step::First)),
    action!(Bottom, Move, [Key::END, Key::char('G')], "bottom",
        "to the last row", go::always, |s| table::step(s, table::Step::Last)),
    action!(Copy, Look, [Key::char('Y')], "copy",
        "put its name, id or text into the clipboard", terminal::can_copy, terminal::copy),
    action!(Picture, Program, [Key::f(9)], "picture",
        "keep a picture of the screen: text, ANSI or SVG", go::always, terminal::picture),
    action!(Mouse, Program, [Key::f(6)], "mouse",
        "leave the mouse to the terminal, or take it", go::always, terminal::mouse),
    action!(Perf, Program, [Key::f(7)], "frame cost",
        "show what each frame costs", go::always, terminal::perf),
    action!(Log, Program, [Key::f(8)], "log",
        "show what parts of the program said", terminal::can_log, terminal::log),
    action!(Repaint, Program, [Key::ctrl('l')], "repaint",
        "draw everything anew", go::always, terminal::repaint),
    action!(Reload, Program, [Key::ctrl('r')], "reload",
        "read the configuration again", go::always, terminal::reload),
    action!(Trace, Look, [Key::char('w')], "trace",
        "show the calls that were made to the system", |s| go::can_view(s, &Place::Trace), |s| go::view(s, &Place::Trace)),
    action!(SaveTrace, Look, [Key::char('W')], "save trace",
        "keep the calls in a HAR file, without their secrets", go::can_save_trace, go::save_trace),
    action!(Tours, Tour, [Key::char('V')], "tours",
        "choose a walkthrough", tour::can_choose, tour::choose),
    action!(TourPanel, Tour, [Key::char('v')], "tour panel",
        "show the words of the tour, or hide them", tour::is_on_one, tour::panel),
    action!(TourNext, Tour, [Key::char('n'), Key::f(3)], "tour: on",
        "go on to the next step of the tour, done or not", tour::can_go_on, tour::go_on),
    action!(TourBack, Tour, [Key::f(4)], "tour: back",
        "go back to the step before", tour::can_go_back, tour::go_back),
    action!(TourLeave, Tour, [Key::f(5)], "tour: leave",
        "leave the tour", tour::is_on_one, tour::leave),
    action!(Support, Program, [Key::f(12)], "bundle",
        "gather what helps whoever looks for a fault, and names nobody; there, write it", go::always, terminal::support),
    action!(Profiles, Move, [Key::char('p')], "profiles",
        "show the store and the profiles: what is open, and what can be opened", |s| go::can_view(s, &Place::Profiles), |s| go::view(s, &Place::Profiles)),
    action!(Tab, Move, [Key::alt('1'), Key::alt('2'), Key::alt('3'), Key::alt('4'), Key::alt('5'), Key::alt('6'), Key::alt('7'), Key::alt('8'), Key::alt('9')], "tab",
        "go to a tab: the first key to the first, and so on", tabs::are_several, tabs::choose),
    action!(NextTab, Move, [Key::char('}')], "next tab",
        "go to the next of the tabs", tabs::are_several, |s| tabs::turn(s, 1)),
    action!(PreviousTab, Move, [Key::char('{')], "previous tab",
        "go to the tab before", tabs::are_several, |s| tabs::turn(s, -1)),
    action!(CloseTab, Move, [Key::ctrl('w')], "close tab",
        "close this tab, or the selected profile's; what runs on it is told first", tabs::can_close, tabs::close),
    action!(SignIn, Move, [Key::char('I')], "sign in again",
        "open again what could not be opened, or sign in anew; what is shown stays", tabs::can_sign_in, tabs::sign_in),
];

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn every_action_stands_in_its_place_with_a_key_and_a_sentence() {
        for (i, action) in ACTIONS.iter().enumerate() {
            assert_eq!(action.id as usize, i, "{}", action.name);
            assert!(!action.defaults.is_empty(), "{} has no key", action.name);
            assert!(!action.doc.is_empty() && !action.name.is_empty());
        }
    }

    #[test]
    fn no_key_does_two_things() {
        let mut seen = HashMap::new();
        for action in ACTIONS {
            for key in action.defaults {
                let before = seen.insert(*key, action.name);
                assert_eq!(before, None, "{key} is also {}", action.name);
            }
        }
    }
}
