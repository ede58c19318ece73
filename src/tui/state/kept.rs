//! What was chosen and is found again at the next start.

use super::{Place, Sort, State};
use crate::config::kept::{FILTERS, Kept};
use crate::tui::event::Effect;
use crate::tui::rows;

impl State {
    /// Takes up what was kept, as far as it still means something.
    pub(super) fn take_up(&mut self, kept: &Kept) {
        self.filters.clone_from(&kept.filters);
        for (view, keys) in &kept.hidden {
            let known = rows::columns_of(self, view);
            for key in keys {
                let found = known.1.iter().skip(1).find(|column| column.key == key);
                if let (Some(view), Some(column)) = (known.0, found) {
                    self.hidden.insert((view, column.key));
                }
            }
        }
        if let Some((name, said)) = &kept.theme
            && *said == self.config.settings.theme
            && let Some(theme) = self.config.theme(name).cloned()
        {
            self.wear(theme);
            self.chosen_theme = kept.theme.clone();
        }
        self.sorts.clone_from(&kept.sorts);
        self.sort_as_kept();
    }

    /// Sorts each view as it was sorted the last time.
    pub(super) fn sort_as_kept(&mut self) {
        for (view, (key, descending)) in self.sorts.clone() {
            let (_, columns) = rows::columns_of(self, &view);
            let column = columns.iter().position(|column| column.key == key);
            let screens = self.views.all_mut().filter(|s| s.place.view() == view);
            if let Some(column) = column {
                for screen in screens {
                    screen.sort = Some(Sort { column, descending });
                }
            }
        }
    }

    /// Takes over what was chosen in another tab: it holds for all of them.
    pub(super) fn take_choices(&mut self, from: &Self) {
        self.sorts.clone_from(&from.sorts);
        self.chosen_theme.clone_from(&from.chosen_theme);
        if self.theme != from.theme {
            self.wear(from.theme.clone());
        }
    }

    /// The view in hand is sorted otherwise now.
    pub(crate) fn keep_sort(&mut self) {
        let screen = self.screen();
        let view = screen.place.view();
        let sort = screen.sort.and_then(|sort| {
            let rows = rows::of(self, &screen.place)?;
            let column = rows.columns().get(sort.column)?;
            Some((column.key.to_owned(), sort.descending))
        });
        // Only a view that is there at the start has its order then.
        if let Some(sort) = sort.filter(|_| Place::VIEWS.contains(&screen.place)) {
            self.sorts.insert(view.to_owned(), sort);
            self.keep();
        }
    }

    /// A theme was chosen, not only tried on.
    pub(crate) fn keep_theme(&mut self) {
        let said = self.config.settings.theme.clone();
        self.chosen_theme = Some((self.theme.name.clone(), said));
        self.keep();
    }

    /// Has what was chosen kept.
    pub(crate) fn keep(&mut self) {
        let surplus = self.filters.len().saturating_sub(FILTERS);
        self.filters.drain(..surplus);
        let mut kept = Kept {
            filters: self.filters.clone(),
            theme: self.chosen_theme.clone(),
            sorts: self.sorts.clone(),
            ..Kept::default()
        };
        for (view, key) in &self.hidden {
            let keys = kept.hidden.entry((*view).to_owned()).or_default();
            keys.insert((*key).to_owned());
        }
        self.effect(Effect::Keep(Box::new(kept)));
    }
}
