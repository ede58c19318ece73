//! What follows from every change, whatever it was: rows put in order, the selection kept in
//! sight, missing lists asked for; and when the console must be woken next.

use std::time::Duration;

use super::{Place, Purpose, RowId, Screen, Stage, Stamp, State};
use crate::model::{Kind, ObjectRef, Query};
use crate::tui::Site;
use crate::tui::event::Effect;
use crate::tui::tour;
use crate::tui::{layout, rows};

/// What stands beside a list follows the selection once it rests so long: a held key costs one
/// list, not all that it passes.
const REST: Duration = Duration::from_millis(80);
/// Nothing is said to be loading before so long.
pub(crate) const PATIENCE: Duration = Duration::from_millis(150);
/// Changes are gathered so long before they are asked for.
const GATHER: Duration = Duration::from_millis(40);
/// Ages are told in minutes.
const MINUTE: Duration = Duration::from_secs(60);
/// More changed things than this are asked for by one list.
const ONE_BY_ONE: usize = 16;

impl State {
    /// Brings everything in order after an event.
    pub(crate) fn settle(&mut self) {
        let now = self.now.clock;
        if self.notice.as_ref().is_some_and(|n| n.until <= now) {
            self.notice = None;
        }
        self.inventory.show_pages(now);
        self.inventory.grow_trees();
        // What failed is read where it is told whole.
        if matches!(self.screen().place, Place::Messages | Place::Opening) {
            self.messages.seen = self.messages.next;
        }
        self.arrange();
        let here = self.views.stack().iter().map(|s| s.place.clone()).collect();
        self.trail.note(here);
        self.look_beside();
        self.ask_for_changes();
        self.ask_for_lists();
        tour::advance(self);
    }

    /// When something is due by time alone.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        let now = self.now.clock;
        let screen = self.screen();
        let rest = (self.wanted_beside() != self.beside).then_some(screen.moved + REST);
        let notice = self.notice.as_ref().map(|n| n.until);
        let changes = self.changed.since.map(|since| since + GATHER);
        let slow = self
            .asked
            .values()
            .map(|(_, since)| *since + PATIENCE)
            .filter(|due| *due > now)
            .min();
        let kinds = self.needs().kinds;
        let lists = kinds.into_iter().filter_map(|k| self.inventory.wanted(k));
        let lists = lists.min().map(|due| due.max(now));
        let minute = Duration::from_secs((now.as_secs() / 60 + 1) * 60).max(now + MINUTE / 60);
        [
            rest,
            notice,
            changes,
            slow,
            self.tasks.deadline(now),
            self.walk.as_ref().and_then(|walk| walk.deadline(now)),
            self.inventory.due(),
            self.wait_is_told(),
            lists,
            self.overlays.iter().filter_map(|o| o.deadline(now)).min(),
            Some(minute),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// When it is next said how long something is waited for; also in another tab.
    fn wait_is_told(&self) -> Option<Duration> {
        let now = self.now.clock;
        let others = self.around.tabs.iter().map(|tab| &tab.stage);
        let since = others.chain([&self.stage]).filter_map(Stage::since);
        let next = since.map(|since| match now.saturating_sub(since) {
            waited if waited < PATIENCE => since + PATIENCE,
            waited => since + Duration::from_secs(waited.as_secs() + 1),
        });
        next.min().filter(|due| *due > now)
    }

    /// Puts the rows of the screen in hand in order, and finds the selection again.
    fn arrange(&mut self) {
        let page = layout::rows(self);
        let screen = self.screen();
        let Some(rows) = rows::of(self, &screen.place) else {
            let lines = layout::text_lines(self);
            let screen = self.views.screen_mut();
            screen.top = screen.top.min(lines.saturating_sub(page));
            return;
        };
        let stamp = Stamp {
            version: rows.version(),
            filter: screen.filter.clone(),
            sort: screen.sort.map(|s| (s.column, s.descending)),
        };
        let arranged = (screen.stamp.as_ref() != Some(&stamp)).then(|| {
            let blank = |filter: &str| filter.trim().is_empty();
            let same = screen
                .stamp
                .as_ref()
                .filter(|old| (old.version, old.sort) == (stamp.version, stamp.sort));
            let whole = same
                .filter(|_| rows.is_flat())
                .and_then(|old| match blank(&old.filter) {
                    true => Some(screen.shown.clone()),
                    false => screen.whole.clone(),
                });
            // A filter that is typed on is looked for among what is shown; any other among all, in the
            // order that they have.
            let narrow =
                |old: &Stamp| rows::narrow(&*rows, &screen.shown, &old.filter, &stamp.filter);
            let pick = |whole: &Vec<u32>| rows::pick(&*rows, whole, &stamp.filter);
            let (shown, widest) = same
                .and_then(narrow)
                .or_else(|| whole.as_ref().map(pick))
                .unwrap_or_else(|| rows::arrange(&*rows, &screen.filter, screen.sort));
            (shown, widest, whole.filter(|_| !blank(&stamp.filter)))
        });
        let shown = arranged.as_ref().map_or(&screen.shown, |(shown, ..)| shown);
        // While a list is first read and nobody has moved, what comes later may belong above:
        // the selection stays on the first row, whichever that is.
        let kinds = screen.place.kinds().iter();
        let loaded = kinds
            .map(|kind| self.inventory.standing(*kind))
            .all(|list| list.loaded.is_some());
        let cursor = if screen.filling && screen.moved.is_zero() {
            first_choice(screen, shown, &*rows, &self.site)
        } else {
            place_cursor(screen, shown, &*rows, &self.site)
        };
        let selected = shown.get(cursor).map(|&row| rows.id(row as usize));
        let known: Option<std::collections::BTreeSet<_>> = (arranged.is_some()
            && !screen.marks.is_empty())
        .then(|| (0..rows.len()).map(|row| rows.id(row)).collect());
        drop(rows);

        let screen = self.views.screen_mut();
        screen.filling &= !loaded;
        if let Some((shown, widest, whole)) = arranged {
            screen.shown = shown;
            screen.widest = widest;
            screen.whole = whole;
            screen.stamp = Some(stamp);
        }
        if let Some(known) = known {
            screen.marks.retain(|id| known.contains(id));
        }
        if selected.is_some() {
            screen.selected = selected;
        }
        screen.cursor = cursor;
        keep_in_sight(screen, page);
    }

    /// What should stand beside the list.
    fn wanted_beside(&self) -> Option<ObjectRef> {
        layout::has_side(self).then(|| self.object()).flatten()
    }

    fn look_beside(&mut self) {
        let wanted = self.wanted_beside();
        let rested = self.now.clock >= self.screen().moved + REST;
        let other_kind = match (&wanted, &self.beside) {
            (Some(wanted), Some(beside)) => wanted.kind != beside.kind,
            _ => true,
        };
        if other_kind || rested {
            self.beside = wanted;
        }
    }

    /// Turns gathered changes into questions.
    fn ask_for_changes(&mut self) {
        if self
            .changed
            .since
            .is_none_or(|since| self.now.clock < since + GATHER)
        {
            return;
        }
        let changed = std::mem::take(&mut self.changed);
        for kind in Kind::ALL {
            let some: Vec<_> = changed.objects.iter().filter(|o| o.kind == kind).collect();
            let shown = matches!(kind, Kind::Volume | Kind::Snapshot);
            let many = some.len() > ONE_BY_ONE || (!shown && !some.is_empty());
            if changed.kinds.contains(&kind) || many {
                // One that nobody looks at is read when somebody does.
                self.inventory.outdate(kind);
            } else {
                for object in some {
                    let object = object.clone();
                    self.ask(Purpose::Show(object.clone()), |t| Effect::Show(t, object));
                }
            }
        }
    }

    /// Asks for the lists that the screen needs and that are not there.
    fn ask_for_lists(&mut self) {
        let now = self.now;
        let needs = self.needs();
        for kind in needs.kinds {
            if self
                .inventory
                .wanted(kind)
                .is_some_and(|due| due <= now.clock)
            {
                let ticket = self.ask(Purpose::List(kind), |t| {
                    Effect::List(t, Query::all(kind).early())
                });
                self.inventory.begin(kind, ticket, now);
            }
        }
        if let Some(id) = needs.snapshot
            && self.inventory.look_at(&id)
        {
            let object = ObjectRef::from(&id);
            self.ask(Purpose::Show(object.clone()), |t| Effect::Show(t, object));
        }
        for volume in needs.histories {
            if self.inventory.want_history(&volume, now).list.wants() {
                let query = Query::snapshots_of(volume.clone());
                let ticket = self.ask(Purpose::History(volume.clone()), |t| Effect::List(t, query));
                let history = self.inventory.want_history(&volume, now);
                history.list.begin(ticket, now);
            }
        }
    }
}

/// Where the selected row is among those shown; its neighbour where it is gone.
fn place_cursor(screen: &Screen, shown: &[u32], rows: &dyn rows::Rows, own: &Site) -> usize {
    let last = shown.len().saturating_sub(1);
    let Some(selected) = &screen.selected else {
        return first_choice(screen, shown, rows, own);
    };
    let is = |&row: &u32| rows.is(row as usize, selected);
    if shown.get(screen.cursor).is_some_and(is) {
        return screen.cursor;
    }
    let place = rows.place(selected);
    let at = place.and_then(|place| shown.iter().position(|&row| row as usize == place));
    at.unwrap_or_else(|| screen.cursor.min(last))
}

/// What is selected when a screen is first seen: in a tree where the volume is now, of all that can be opened what this tab
/// is for, else the top.
fn first_choice(screen: &Screen, shown: &[u32], rows: &dyn rows::Rows, own: &Site) -> usize {
    let here = match screen.place {
        Place::Tree(_) => RowId::Here,
        Place::Profiles => RowId::Site(own.clone()),
        _ => return 0,
    };
    let here = |&row: &u32| rows.is(row as usize, &here);
    shown.iter().position(here).unwrap_or(0)
}

/// Scrolls so that the selection is seen; by a third of a page at the edge, since a screen that
/// moves by one row at each key costs far more bytes.
fn keep_in_sight(screen: &mut Screen, page: usize) {
    let count = screen.shown.len();
    let furthest = count.saturating_sub(page);
    let jump = (page / 3).max(1);
    if screen.cursor < screen.top {
        screen.top = (screen.cursor + 1).saturating_sub(jump).min(screen.cursor);
    } else if page > 0 && screen.cursor >= screen.top + page {
        screen.top = (screen.cursor + jump).saturating_sub(page);
    }
    screen.top = screen.top.min(furthest);
}
