//! Metadata contexts: what a client can ask of the blocks besides their content.
//! Source: "Metadata querying" and "Metadata contexts" of the protocol document.

use super::export::Export;
use super::limits::{CONTEXTS, DESCRIPTORS, LISTED, STATUS_WINDOW};
use super::wire::{MAX_STRING, state};
use crate::engine::error::Result;
use crate::engine::{ExtentKind, PointId, PointInfo, Source};

const ALLOCATION: &str = "base:allocation";
const DIRTY_SINCE: &str = "snapdeck:dirty-since:";

/// Something that blocks are asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Context {
    /// What is allocated, and what reads as zeroes.
    Allocation,
    /// What differs from a snapshot; by the name that the client gave it.
    DirtySince(PointId, String),
}

impl Context {
    /// Its name on the wire.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Allocation => ALLOCATION.to_owned(),
            Self::DirtySince(_, name) => format!("{DIRTY_SINCE}{name}"),
        }
    }

    /// Consecutive pieces of `length` bytes from `offset` on, each with its state; `length` is
    /// not 0. They may end before the range does, at about [`DESCRIPTORS`] pieces; with `one` there is one.
    ///
    /// # Errors
    /// Those of the engine.
    pub(super) fn status(
        &self,
        export: &Export,
        offset: u64,
        length: u32,
        one: bool,
    ) -> Result<Vec<(u32, u32)>> {
        let mut pieces = Pieces::default();
        let end = offset + u64::from(length);
        let most = if one { 1 } else { DESCRIPTORS };
        let mut at = offset;
        // One more than is wanted: the last has its full length then.
        while at < end && pieces.0.len() <= most {
            let window = STATUS_WINDOW.min(end - at);
            match self {
                Self::Allocation => self.allocation(export, at, window, &mut pieces)?,
                Self::DirtySince(point, _) => {
                    differing(export, *point, at, window, &mut pieces)?;
                }
            }
            at += window;
        }
        pieces.0.truncate(most);
        Ok(pieces.0)
    }

    fn allocation(
        &self,
        export: &Export,
        offset: u64,
        length: u64,
        pieces: &mut Pieces,
    ) -> Result<()> {
        for extent in export.store.extents(export.source, offset, length)? {
            let flags = match extent.kind {
                ExtentKind::Data => 0,
                ExtentKind::Zero => state::ZERO,
                ExtentKind::Absent => state::HOLE | state::ZERO,
            };
            pieces.push(extent.len, flags);
        }
        Ok(())
    }
}

fn differing(
    export: &Export,
    point: PointId,
    offset: u64,
    length: u64,
    pieces: &mut Pieces,
) -> Result<()> {
    let mut at = offset;
    let changes = export
        .store
        .difference(Source::Point(point), export.source, offset, length)?;
    for extent in changes {
        pieces.push(extent.offset - at, 0);
        pieces.push(extent.len, state::DIRTY);
        at = extent.offset + extent.len;
    }
    pieces.push(offset + length - at, 0);
    Ok(())
}

/// Pieces one after the other, neighbours of one state put together.
#[derive(Default)]
struct Pieces(Vec<(u32, u32)>);

impl Pieces {
    /// All pieces together are never longer than a request, so their lengths fit.
    fn push(&mut self, length: u64, flags: u32) {
        let length = length as u32;
        match self.0.last_mut() {
            _ if length == 0 => {}
            Some((last, same)) if *same == flags => *last += length,
            _ => self.0.push((length, flags)),
        }
    }
}

/// The snapshots that an export can be compared with, oldest first: those of its volume, and
/// the one that a clone descends from.
fn points(export: &Export) -> Vec<PointInfo> {
    let Ok(volume) = export.store.volume(export.volume) else {
        return Vec::new();
    };
    let mut points = export.store.points_of(export.volume).unwrap_or_default();
    let origins = points.iter().map(|point| point.parent);
    let origins: Vec<PointId> = origins.chain([volume.parent]).flatten().collect();
    for origin in origins {
        if points.iter().all(|point| point.id != origin)
            && let Ok(point) = export.store.point(origin)
        {
            points.insert(0, point);
        }
    }
    points
}

/// All contexts of an export, at most [`LISTED`], the latest snapshots first among these. A
/// snapshot whose name is not its own alone goes by its id.
fn all(export: &Export) -> Vec<Context> {
    let points = points(export);
    let mut all = vec![Context::Allocation];
    for point in points.iter().rev().take(LISTED - 1) {
        let alone = points.iter().filter(|p| p.name == point.name).count() == 1;
        let fits = point.name.len() + DIRTY_SINCE.len() <= MAX_STRING;
        let name = if alone && fits {
            point.name.clone()
        } else {
            point.id.to_string()
        };
        all.push(Context::DirtySince(point.id, name));
    }
    all
}

/// The contexts that a query of `LIST_META_CONTEXT` stands for: one, or all of a namespace.
pub(super) fn listed(export: &Export, queries: &[&str]) -> Vec<Context> {
    if queries.is_empty() {
        return all(export);
    }
    let mut found: Vec<Context> = Vec::new();
    for query in queries {
        let these = match *query {
            "base:" => vec![Context::Allocation],
            "snapdeck:" | DIRTY_SINCE => {
                let mut dirty = all(export);
                dirty.retain(|context| *context != Context::Allocation);
                dirty
            }
            exact => named(export, exact).into_iter().collect(),
        };
        for context in these {
            if found.len() < LISTED && !found.contains(&context) {
                found.push(context);
            }
        }
    }
    found
}

/// The contexts that queries of `SET_META_CONTEXT` select, at most [`CONTEXTS`].
pub(super) fn selected(export: &Export, queries: &[&str]) -> Vec<Context> {
    let mut found = Vec::new();
    for query in queries {
        if let Some(context) = named(export, query)
            && found.len() < CONTEXTS
            && !found.contains(&context)
        {
            found.push(context);
        }
    }
    found
}

/// The context of exactly this name.
fn named(export: &Export, name: &str) -> Option<Context> {
    if name == ALLOCATION {
        return Some(Context::Allocation);
    }
    let wanted = name.strip_prefix(DIRTY_SINCE)?;
    let mut by_name = points(export);
    by_name.retain(|point| point.name == wanted);
    let point = match by_name.as_slice() {
        [point] => point.id,
        _ => {
            let id: PointId = wanted.parse().ok()?;
            export.store.point(id).ok()?.id
        }
    };
    Some(Context::DirtySince(point, wanted.to_owned()))
}
