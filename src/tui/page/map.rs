//! The block map: a volume or a snapshot as it lies, and where two points in time differ.

use super::{Line, Page};
use crate::config::theme::Role;
use crate::model::{Bytes, Kind, ObjectRef};
use crate::tui::event::Layer;
use crate::tui::layout;
use crate::tui::rows::ago;
use crate::tui::state::{Look, Place, State};

/// How wide the offset before each row is.
const OFFSET: u16 = 11;
/// A cell as full as so many of its eighths.
const EIGHTHS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// What is in a part of the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Changed,
    Own,
    Shared,
    Never,
}

impl Sort {
    fn role(self) -> Role {
        match self {
            Self::Changed => Role::Warn,
            Self::Own => Role::Accent,
            Self::Shared => Role::Info,
            Self::Never => Role::BarRest,
        }
    }

    /// What stands for it where there are no dots.
    fn ascii(self) -> &'static str {
        match self {
            Self::Changed => "*",
            Self::Own => "#",
            Self::Shared => "=",
            Self::Never => ".",
        }
    }
}

/// What is most worth seeing in the part `index` of `parts`.
fn sort(look: &Look, index: u64, parts: u64, parent: bool) -> Sort {
    let (sums, _) = look.part(index, parts);
    let [data, own, changed] = sums;
    match (changed, own, data) {
        (1.., ..) => Sort::Changed,
        (_, 1.., _) => Sort::Own,
        (.., 1..) if parent => Sort::Shared,
        (.., 1..) => Sort::Own,
        _ => Sort::Never,
    }
}

/// The rows of cells, with the offset before each.
fn cells(state: &State, look: &Look, columns: u16, rows: u16, parent: bool) -> Vec<Line> {
    let columns = u64::from(columns.max(1));
    let cells = columns * u64::from(rows.max(1));
    (0..u64::from(rows.max(1)))
        .map(|row| {
            let at = u128::from(look.size) * u128::from(row * columns) / u128::from(cells);
            let offset = Bytes(at as u64).to_string();
            let lead = format!("{offset:>width$}  ", width = usize::from(OFFSET) - 2);
            let mut line: Line = vec![(lead.into(), Role::Dim)];
            for column in 0..columns {
                let cell = row * columns + column;
                let found = sort(look, cell, cells, parent);
                let glyph = match (state.ascii, found) {
                    (true, _) => found.ascii(),
                    (false, Sort::Never) => state.glyphs().waiting,
                    (false, _) => full(look, cell, cells),
                };
                match line.last_mut() {
                    Some((said, role)) if *role == found.role() => said.to_mut().push_str(glyph),
                    _ => line.push((glyph.into(), found.role())),
                }
            }
            line
        })
        .collect()
}

/// A cell that is as full as many of its eighths hold the sort that it is shown as.
fn full(look: &Look, cell: u64, cells: u64) -> &'static str {
    let [_, own, changed] = look.part(cell, cells).0;
    let layer = match (changed, own) {
        (1.., _) => Layer::Changed,
        (_, 1..) => Layer::Own,
        _ => Layer::Data,
    };
    let holds = |eighth: &u64| look.part(cell * 8 + eighth, cells * 8).0[layer as usize] > 0;
    let count = (0..8).filter(holds).count();
    EIGHTHS[count.saturating_sub(1)]
}

/// An entry of the legend.
fn legend(line: &mut Line, state: &State, sort: Sort, said: &str) {
    let glyph = match (state.ascii, sort) {
        _ if state.speaks => "",
        (true, _) => sort.ascii(),
        (false, Sort::Never) => state.glyphs().waiting,
        (false, _) => state.glyphs().bar,
    };
    let gap = match (line.is_empty(), state.speaks) {
        (true, _) => "",
        (false, true) => ", ",
        (false, false) => "   ",
    };
    let room = if state.speaks { "" } else { " " };
    line.push((format!("{gap}{glyph}{room}").into(), sort.role()));
    line.push((state.clean(said).into_owned().into(), Role::Text));
}

/// How far it is known, and why no further.
fn standing(state: &State, look: &Look) -> Option<Line> {
    if let Some(problem) = &look.problem {
        let said = format!(
            "{} {}",
            state.glyphs().bad,
            state.clean(&problem.to_string())
        );
        return Some(vec![(said.into(), Role::Error)]);
    }
    (!look.done).then(|| {
        let said = format!("{} looking, {} %", state.glyphs().busy, look.percent());
        vec![(said.into(), Role::Busy)]
    })
}

/// What a thing descends from, where that is known.
pub(crate) fn parent(state: &State, object: &ObjectRef) -> Option<ObjectRef> {
    match object.kind {
        Kind::Volume => state
            .volume(&object.id)?
            .parent
            .as_ref()
            .map(ObjectRef::from),
        Kind::Snapshot => state
            .snapshot(&object.id)?
            .parent
            .as_ref()
            .map(ObjectRef::from),
        Kind::Group | Kind::Session | Kind::Target => None,
    }
}

impl Page<'_> {
    pub(super) fn map(&mut self, object: &ObjectRef, mark: Option<&ObjectRef>) {
        let state = self.state;
        let Some(look) = &state.screen().look else {
            return;
        };
        if look.size == 0 {
            if let Some(line) = standing(state, look) {
                self.lines.push(line);
            }
            return;
        }
        let [data, own, changed] = look.totals;
        let bytes = |n: u64| Bytes(n).to_string();
        let parent = parent(state, object);
        let mut line = Line::new();
        match &parent {
            Some(parent) => {
                let name = state.name_of(parent);
                let shared = bytes(data.saturating_sub(own));
                legend(
                    &mut line,
                    state,
                    Sort::Shared,
                    &format!("{shared} as in {name}"),
                );
                legend(&mut line, state, Sort::Own, &format!("{} own", bytes(own)));
            }
            None => legend(&mut line, state, Sort::Own, &format!("{} own", bytes(data))),
        }
        let never = bytes(look.size.saturating_sub(data));
        legend(
            &mut line,
            state,
            Sort::Never,
            &format!("{never} never written"),
        );
        self.lines.push(line);
        if let Some(mark) = mark {
            let mut line = Line::new();
            let said = format!("{} changed since {}", bytes(changed), state.name_of(mark));
            legend(&mut line, state, Sort::Changed, &said);
            self.lines.push(line);
        }
        if state.speaks {
            self.lines.extend(standing(state, look));
            return;
        }
        let columns = self.width.saturating_sub(OFFSET);
        let height = layout::layout(state).map_or(0, |layout| layout.body.height);
        let rows = height
            .saturating_sub(self.lines.len() as u16 + 3)
            .clamp(1, 64);
        let cell = look
            .size
            .div_ceil(u64::from(columns.max(1)) * u64::from(rows));
        let mut line = standing(state, look).unwrap_or_default();
        let gap = if line.is_empty() { "" } else { "   " };
        line.push((format!("{gap}a cell is {}", Bytes(cell)).into(), Role::Dim));
        self.lines.push(line);
        self.blank();
        let cells = cells(state, look, columns, rows, parent.is_some());
        self.lines.extend(cells);
    }
}

/// What stands above the list of differences: from what to what, how much, and where.
pub(crate) fn difference(state: &State, width: u16, rows: u16) -> Vec<Line> {
    let (Place::Difference(from, to), Some(look)) = (&state.screen().place, &state.screen().look)
    else {
        return Vec::new();
    };
    let taken = |object: &ObjectRef| match object.kind {
        Kind::Snapshot => ago(state.snapshot(&object.id).and_then(|s| s.created), state),
        _ => "now".into(),
    };
    let first: Line = vec![
        (state.name_of(from).into(), Role::Text),
        (format!(", {}  ", taken(from)).into(), Role::Dim),
        (
            match state.speaks {
                true => "to ".into(),
                false => format!("{}  ", state.glyphs().into).into(),
            },
            Role::Border,
        ),
        (state.name_of(to).into(), Role::Text),
        (format!(", {}", taken(to)).into(), Role::Dim),
    ];
    let changed = look.totals[Layer::Changed as usize];
    let places = match look.count {
        1 => "1 place".to_owned(),
        n => format!("{n} places"),
    };
    let mut second: Line = vec![
        (Bytes(changed).to_string().into(), Role::Warn),
        (
            format!(" differ in {places}, of {}", Bytes(look.size)).into(),
            Role::Dim,
        ),
    ];
    if let Some(standing) = standing(state, look) {
        second.push(("   ".into(), Role::Text));
        second.extend(standing);
    }
    let mut lines = vec![first, second];
    if rows > 0 {
        let columns = width.saturating_sub(OFFSET + 4);
        lines.extend(cells(state, look, columns, rows, false));
    }
    lines
}
