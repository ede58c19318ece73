//! The rows of each view: columns, cells, order, and what a filter looks at. Only
//! the cells that are seen are ever made.

mod calls;
mod filter;
mod groups;
mod instance;
mod instances;
mod members;
mod messages;
mod profiles;
mod pulse;
mod sessions;
mod snapshots;
mod stretches;
mod targets;
mod tasks;
mod tree;
mod volumes;

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::config::theme::Role;
use crate::model::{Bytes, Kind, ObjectRef, VolumeId};
use crate::tui::state::{Place, RowId, Sort, State};

pub(crate) use filter::{Filter, completions, search};
pub(crate) use groups::state_cell as group_state;
pub(crate) use profiles::{tab_state, waited};
pub(crate) use pulse::summary as pulse_summary;
pub(crate) use snapshots::state_cell as snapshot_state;
pub(crate) use targets::state_cell as target_state;
pub(crate) use tasks::{bar, glyph as task_glyph, left, part_glyph, rate, step_text, took};
pub(crate) use volumes::state_cell as volume_state;

/// A column of a view.
#[derive(Debug)]
pub(crate) struct Column {
    /// What a filter and the sort menu call it.
    pub(crate) key: &'static str,
    /// What stands above it.
    pub(crate) title: &'static str,
    /// How wide it is; the first column takes what its names need.
    pub(crate) width: u16,
    /// Figures are set to the right.
    pub(crate) right: bool,
    /// Its natural order is the greatest or the newest first.
    pub(crate) falls: bool,
    /// Which go first where it is narrow: the highest. Zero stays.
    pub(crate) rank: u8,
}

impl Column {
    /// A column of text; `rank` says which go first where it is narrow.
    const fn text(key: &'static str, title: &'static str, width: u16, rank: u8) -> Self {
        Self {
            key,
            title,
            width,
            right: false,
            falls: false,
            rank,
        }
    }

    /// A column of figures, the greatest first.
    const fn figure(key: &'static str, title: &'static str, width: u16, rank: u8) -> Self {
        Self {
            right: true,
            falls: true,
            ..Self::text(key, title, width, rank)
        }
    }

    /// A column of times, the newest first.
    const fn time(key: &'static str, title: &'static str, width: u16, rank: u8) -> Self {
        Self {
            falls: true,
            ..Self::text(key, title, width, rank)
        }
    }
}

/// Pieces of text, each with its role.
pub(crate) type Spans<'a> = Vec<(Cow<'a, str>, Role)>;

/// What a cell says, to be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    /// A size.
    Bytes(Bytes),
    /// A number of things.
    Count(u64),
    /// Seconds since then.
    Age(u64),
}

/// How long ago something was, to be compared with.
fn age_of(then: Option<crate::model::Time>, state: &State) -> Option<Quantity> {
    let age = crate::model::Age::between(then?, state.now.wall);
    Some(Quantity::Age(age.0.max(0).unsigned_abs()))
}

/// Something that a row says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Word<'a> {
    /// Its name.
    Name(&'a str),
    /// Something that many rows say; the number stands for it as long as the data is what it is.
    Shared(usize, &'a str),
    /// Anything else.
    Text(&'a str),
}

/// The rows of a view.
pub(crate) trait Rows {
    /// The columns; the first is the name.
    fn columns(&self) -> &'static [Column];
    /// How many rows there are before any filter.
    fn len(&self) -> usize;
    /// What a row stands for.
    fn id(&self, row: usize) -> RowId;
    /// Whether a row stands for this.
    fn is(&self, row: usize, id: &RowId) -> bool;
    /// The name: what a filter is matched with first.
    fn name(&self, row: usize) -> Cow<'_, str>;
    /// One cell.
    fn cell(&self, row: usize, column: usize) -> Spans<'_>;
    /// The order of two rows by a column.
    fn order(&self, a: usize, b: usize, column: usize) -> Ordering;
    /// Whether the rows may be put in another order.
    fn sortable(&self) -> bool {
        true
    }
    /// The row that this one stands below, or the row itself: they are never parted.
    fn head(&self, row: usize) -> usize {
        row
    }
    /// Whether no row stands below another.
    fn is_flat(&self) -> bool {
        true
    }
    /// What a cell says, to be compared with.
    fn quantity(&self, _row: usize, _column: usize) -> Option<Quantity> {
        None
    }
    /// The words that a filter knows of a row beside its cells.
    fn traits(&self) -> &'static [&'static str] {
        &[]
    }
    /// Whether a row is what such a word says; `None` for a word that is none of them.
    fn trait_of(&self, _row: usize, _word: &str) -> Option<bool> {
        None
    }
    /// Tells the words of a row that a plain word of a filter is looked for in, those of all its cells that
    /// are said in words, until `look` has found it. `None` where they are to be taken from the cells.
    fn words(&self, _row: usize, _look: &mut dyn FnMut(Word<'_>) -> bool) -> Option<bool> {
        None
    }
    /// Which row stands for this.
    fn place(&self, id: &RowId) -> Option<usize> {
        (0..self.len()).find(|&row| self.is(row, id))
    }
    /// What is drawn before the name, where rows form a tree.
    fn lead(&self, _row: usize) -> Spans<'_> {
        Vec::new()
    }
    /// Counts the changes of the data.
    fn version(&self) -> u64;
    /// What to do when there is nothing: a sentence.
    fn empty(&self) -> String;
}

/// The rows of a place; `None` for a place of text.
pub(crate) fn of<'a>(state: &'a State, place: &Place) -> Option<Box<dyn Rows + 'a>> {
    match place {
        Place::Pulse => Some(Box::new(pulse::Pulse::new(state))),
        Place::Instances => Some(Box::new(instances::Instances { state })),
        Place::Instance(name) => Some(Box::new(instance::OneInstance::new(state, name))),
        Place::Volumes => Some(Box::new(volumes::Volumes { state })),
        Place::Snapshots => Some(Box::new(snapshots::Snapshots { state })),
        Place::Groups => Some(Box::new(groups::Groups { state })),
        Place::Sessions => Some(Box::new(sessions::Sessions { state })),
        Place::Targets => Some(Box::new(targets::Targets::new(state))),
        Place::Members(object) => Some(Box::new(members::Members::new(state, object))),
        Place::Tasks => Some(Box::new(tasks::Tasks::present(state))),
        Place::Journal => Some(Box::new(tasks::Tasks::all(state))),
        Place::Messages => Some(Box::new(messages::Messages { state })),
        Place::Trace => Some(Box::new(calls::Calls { state })),
        Place::Profiles => Some(Box::new(profiles::Profiles::new(state))),
        Place::Tree(volume) => Some(Box::new(tree::Tree::new(state, volume))),
        Place::Difference(..) => Some(Box::new(stretches::Stretches { state })),
        Place::Map(..)
        | Place::Task(_)
        | Place::Describe(_)
        | Place::Raw(_)
        | Place::Message(_)
        | Place::Call(_)
        | Place::Log
        | Place::Bundle
        | Place::Opening => None,
    }
}

/// The name of a view, and its columns; none where there is no such view.
pub(crate) fn columns_of(state: &State, view: &str) -> (Option<&'static str>, &'static [Column]) {
    let object = |kind| ObjectRef::new(kind, "");
    let others = [
        Place::Tree(VolumeId(String::new())),
        Place::Members(object(Kind::Group)),
        Place::Instance(String::new()),
        Place::Difference(object(Kind::Snapshot), object(Kind::Snapshot)),
    ];
    let found = Place::VIEWS
        .into_iter()
        .chain(others)
        .find(|place| place.view() == view);
    found.map_or((None, &[]), |place| {
        let columns = of(state, &place).map_or(&[][..], |rows| rows.columns());
        (Some(place.view()), columns)
    })
}

/// The rows of those that were shown that pass a filter which was typed on, in the order that they
/// have; `None` where all must be looked at again.
pub(crate) fn narrow(
    rows: &dyn Rows,
    shown: &[u32],
    old: &str,
    new: &str,
) -> Option<(Vec<u32>, u16)> {
    let typed_on = rows.is_flat() && filter::narrows(old, new, rows);
    typed_on.then(|| pick(rows, shown, new))
}

/// The rows of these that pass a filter, in the order that they have; and the width of the widest name.
pub(crate) fn pick(rows: &dyn Rows, of: &[u32], filter: &str) -> (Vec<u32>, u16) {
    let mut filter = Filter::parse(filter);
    let passes = |&row: &u32| filter.passes(rows, row as usize);
    let shown: Vec<u32> = of.iter().copied().filter(passes).collect();
    let widest = widest(rows, &shown);
    (shown, widest)
}

/// The rows that pass a filter, in the order of a sort; and the width of the widest name.
pub(crate) fn arrange(rows: &dyn Rows, filter: &str, sort: Option<Sort>) -> (Vec<u32>, u16) {
    let mut shown: Vec<u32> = (0..rows.len() as u32).collect();
    if !filter.trim().is_empty() {
        let mut filter = Filter::parse(filter);
        let passes: Vec<bool> = shown
            .iter()
            .map(|&row| filter.passes(rows, row as usize))
            .collect();
        // What stands below one that passes is shown with it, and what it stands below too.
        let mut above = passes.clone();
        for (row, _) in passes.iter().enumerate().filter(|(_, passes)| **passes) {
            above[rows.head(row)] = true;
        }
        shown.retain(|&row| above[row as usize] || passes[rows.head(row as usize)]);
    }
    if let Some(sort) = sort.filter(|_| rows.sortable()) {
        shown.sort_by(|&a, &b| {
            let (x, y) = (rows.head(a as usize), rows.head(b as usize));
            if x == y {
                return a.cmp(&b);
            }
            let order = rows.order(x, y, sort.column);
            if sort.descending {
                order.reverse()
            } else {
                order
            }
        });
    }
    let widest = widest(rows, &shown);
    (shown, widest)
}

/// The width of the widest name among these rows.
fn widest(rows: &dyn Rows, shown: &[u32]) -> u16 {
    let name = |&row: &u32| {
        let lead: u16 = rows
            .lead(row as usize)
            .iter()
            .map(|(text, _)| crate::tui::text::width(text))
            .sum();
        crate::tui::text::width(&rows.name(row as usize)) + lead
    };
    shown.iter().map(name).max().unwrap_or(0)
}

/// One piece of text.
fn one<'a>(text: impl Into<Cow<'a, str>>, role: Role) -> Spans<'a> {
    vec![(text.into(), role)]
}

/// A text, or the sign that there is none.
fn known(value: Option<&str>, state: &State) -> Spans<'static> {
    match value {
        Some(value) => one(state.clean(value).into_owned(), Role::Text),
        None => one(state.glyphs().none, Role::Dim),
    }
}

/// A figure, or the sign that nobody knows it.
fn figure(value: Option<crate::model::Bytes>, state: &State, role: Role) -> Spans<'static> {
    match value {
        Some(bytes) => one(bytes.to_string(), role),
        None => one(state.glyphs().none, Role::Dim),
    }
}

/// How long ago, as coarse as the screen is redrawn.
pub(crate) fn ago(then: Option<crate::model::Time>, state: &State) -> Cow<'static, str> {
    match then {
        None => state.glyphs().none.into(),
        Some(then) => match crate::model::Age::between(then, state.now.wall) {
            age if age.0 < 60 => "just now".into(),
            age => age.ago().into(),
        },
    }
}
