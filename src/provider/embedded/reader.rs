//! Looking at a store.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt as _};
use tokio_stream::wrappers::BroadcastStream;

use super::raw::raw;
use super::sets::{self, SetKind};
use super::{Shared, content, convert, error, everything, plan, targets};
use crate::engine::{PointId, PointInfo};
use crate::model::{
    Capabilities, Change, Kind, Object, ObjectRef, Operation, Page, Plan, Problem, ProblemKind,
    Query, Raw, VolumeId,
};
use crate::provider::{Content, Difference, Reader};

/// The means to look at a store.
pub(super) struct EmbeddedReader {
    shared: Arc<Shared>,
}

impl EmbeddedReader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        blocking(&self.shared, work).await
    }
}

/// Runs what may wait for the disk where waiting harms nobody.
pub(super) async fn blocking<T: Send + 'static>(
    shared: &Arc<Shared>,
    work: impl FnOnce(&Shared) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let shared = shared.clone();
    tokio::task::spawn_blocking(move || work(&shared))
        .await
        .map_err(|e| {
            Problem::new(ProblemKind::Bug, "a part of the program ended abruptly").caused_by(&e)
        })?
}

#[async_trait]
impl Reader for EmbeddedReader {
    fn capabilities(&self) -> &Capabilities {
        &self.shared.capabilities
    }

    fn list(&self, query: Query) -> BoxStream<'static, Result<Page, Problem>> {
        let shared = self.shared.clone();
        let size = self.shared.capabilities.page_size;
        match (query.kind, &query.volume) {
            (Kind::Snapshot, None) => return all_snapshots(shared, size).boxed(),
            (Kind::Snapshot, Some(volume)) => {
                return snapshots_of(shared, volume.clone(), size).boxed();
            }
            _ => {}
        }
        stream::once(async move { blocking(&shared, move |shared| list(shared, &query)).await })
            .flat_map(move |listed| {
                let pages = match listed {
                    Ok(objects) => pages(objects, size).into_iter().map(Ok).collect(),
                    Err(problem) => vec![Err(problem)],
                };
                stream::iter(pages)
            })
            .boxed()
    }

    async fn show(&self, object: &ObjectRef) -> Result<Object, Problem> {
        let object = object.clone();
        self.blocking(move |shared| show(shared, &object)).await
    }

    async fn raw(&self, object: &ObjectRef) -> Result<Raw, Problem> {
        let object = object.clone();
        self.blocking(move |shared| raw(shared, &object)).await
    }

    async fn plan(&self, operation: &Operation) -> Result<Plan, Problem> {
        let operation = operation.clone();
        self.blocking(move |shared| plan::plan(shared, &operation))
            .await
    }

    fn watch(&self) -> BoxStream<'static, Change> {
        BroadcastStream::new(self.shared.changes.subscribe())
            .flat_map(|change| match change {
                Ok(change) => stream::iter(with_sets(change)),
                // Fell behind: what was missed can be anything.
                Err(_) => stream::iter(everything().to_vec()),
            })
            .boxed()
    }

    fn content(&self, object: &ObjectRef) -> Result<Arc<dyn Content>, Problem> {
        Ok(Arc::new(content::StoreContent::open(
            &self.shared.store,
            object,
        )?))
    }

    fn difference(&self, from: &ObjectRef, to: &ObjectRef) -> Result<Arc<dyn Difference>, Problem> {
        Ok(Arc::new(content::StoreDifference::open(
            &self.shared.store,
            from,
            to,
        )?))
    }
}

/// Cuts a list into pages; an empty list is one empty page, so that a screen learns of it.
fn pages(objects: Vec<Object>, size: usize) -> Vec<Page> {
    let total = Some(objects.len() as u64);
    if objects.is_empty() {
        let items = Vec::new();
        return vec![Page { items, total }];
    }
    let mut pages = Vec::with_capacity(objects.len().div_ceil(size));
    let mut objects = objects.into_iter();
    loop {
        let items: Vec<_> = objects.by_ref().take(size).collect();
        if items.is_empty() {
            return pages;
        }
        pages.push(Page { items, total });
    }
}

/// All snapshots, each page as it is when it is read: the first is there at once, and all of them
/// are never held at the same time. Whoever wants to be up to date hears of changes anyhow.
fn all_snapshots(
    shared: Arc<Shared>,
    size: usize,
) -> impl Stream<Item = Result<Page, Problem>> + Send {
    let names = Arc::new(sets::volume_names(&shared));
    // The last one that was read, unless the end was reached.
    stream::try_unfold(Some(None), move |at: Option<Option<PointId>>| {
        let (shared, names) = (shared.clone(), names.clone());
        async move {
            let Some(after) = at else {
                return Ok(None);
            };
            let page = move |shared: &Shared| {
                let points = shared.store.points_after(after, size);
                let total = shared.store.point_count();
                let last = points.last().map(|point| point.id);
                Ok((page(&points, &names, total), last))
            };
            let (page, last) = blocking(&shared, page).await?;
            // An empty list is one empty page, so that a screen learns of it.
            if last.is_none() && after.is_some() {
                return Ok(None);
            }
            Ok(Some((page, last.map(Some))))
        }
    })
}

/// The snapshots of one volume, those that there are now; in pages, as all of them are.
fn snapshots_of(
    shared: Arc<Shared>,
    volume: VolumeId,
    size: usize,
) -> impl Stream<Item = Result<Page, Problem>> + Send {
    // What is still to be read and how many there are in all, once that is known; nothing after the end.
    stream::try_unfold(
        Some(None),
        move |left: Option<Option<(Vec<PointId>, usize)>>| {
            let (shared, volume) = (shared.clone(), volume.clone());
            async move {
                let Some(left) = left else {
                    return Ok(None);
                };
                let read = move |shared: &Shared| {
                    let store = &shared.store;
                    let (mut left, total) = match left {
                        Some(left) => left,
                        None => {
                            let id = convert::engine_volume(volume.as_str())?;
                            let all = store.point_ids_of(id).map_err(|e| {
                                let what = format!("the snapshots of {volume} cannot be listed");
                                error::problem(&e, what)
                            })?;
                            let total = all.len();
                            (all, total)
                        }
                    };
                    let rest = left.split_off(size.min(left.len()));
                    let name = left.first().and_then(|first| store.point(*first).ok());
                    let name = name.and_then(|first| store.volume(first.volume).ok());
                    let names = name.map(|volume| (volume.id, volume.name));
                    let page = page(&store.points_at(&left), &names.into_iter().collect(), total);
                    Ok((page, (!rest.is_empty()).then_some(Some((rest, total)))))
                };
                blocking(&shared, read).await.map(Some)
            }
        },
    )
}

/// Snapshots as a page of a list of so many.
fn page(points: &[PointInfo], names: &sets::Names, total: usize) -> Page {
    let items = points.iter().map(|info| {
        let name = names.get(&info.volume).cloned();
        Object::Snapshot(convert::snapshot(info, name))
    });
    Page {
        items: items.collect(),
        total: Some(total as u64),
    }
}

/// A change with what changes with it: groups and sessions are made of snapshots, linked
/// targets are volumes.
fn with_sets(change: Change) -> Vec<Change> {
    let more: &[Kind] = match &change {
        Change::Object(object) if object.kind == Kind::Snapshot => &[Kind::Group, Kind::Session],
        Change::Object(object) if object.kind == Kind::Volume => &[Kind::Target],
        _ => &[],
    };
    let mut all = vec![change];
    all.extend(more.iter().copied().map(Change::Kind));
    all
}

fn list(shared: &Shared, query: &Query) -> Result<Vec<Object>, Problem> {
    let store = &shared.store;
    match query.kind {
        Kind::Group => {
            let names = sets::volume_names(shared);
            let sets = sets::all(shared, SetKind::Group, &names);
            let groups = sets.iter().map(|set| Object::Group(set.group(&names)));
            Ok(groups.collect())
        }
        Kind::Session => {
            let (names, linked) = (sets::volume_names(shared), targets::linked(shared));
            let sets = sets::all(shared, SetKind::Session, &names);
            let sessions = sets.iter();
            Ok(sessions
                .map(|set| Object::Session(set.session(&names, &linked)))
                .collect())
        }
        Kind::Target => Ok(targets::all(shared)
            .into_iter()
            .map(Object::Target)
            .collect()),
        Kind::Volume => {
            let counts = convert::count_points(store, None);
            let mut volumes = store.volumes();
            volumes.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id)));
            Ok(volumes
                .iter()
                .map(|info| Object::Volume(convert::volume(info, &counts)))
                .collect())
        }
        // Read page by page.
        Kind::Snapshot => Ok(Vec::new()),
    }
}

pub(super) fn point(shared: &Shared, id: &str) -> Result<PointInfo, Problem> {
    shared
        .store
        .point(convert::engine_point(id)?)
        .map_err(|e| error::problem(&e, format!("snapshot {id} cannot be shown")))
}

/// One thing, as it is now.
pub(super) fn show(shared: &Shared, object: &ObjectRef) -> Result<Object, Problem> {
    let store = &shared.store;
    match object.kind {
        Kind::Volume => {
            let id = convert::engine_volume(&object.id)?;
            let info = store
                .volume(id)
                .map_err(|e| error::problem(&e, format!("volume {} cannot be shown", object.id)))?;
            Ok(Object::Volume(convert::volume(
                &info,
                &convert::count_points(store, Some(id)),
            )))
        }
        Kind::Snapshot => {
            let info = point(shared, &object.id)?;
            let name = store.volume(info.volume).ok().map(|volume| volume.name);
            Ok(Object::Snapshot(convert::snapshot(&info, name)))
        }
        Kind::Group => {
            let set = sets::find(shared, SetKind::Group, &object.id)?;
            Ok(Object::Group(set.group(&sets::volume_names(shared))))
        }
        Kind::Session => {
            let set = sets::find(shared, SetKind::Session, &object.id)?;
            let (names, linked) = (sets::volume_names(shared), targets::linked(shared));
            Ok(Object::Session(set.session(&names, &linked)))
        }
        Kind::Target => targets::show(shared, &object.id).map(Object::Target),
    }
}
