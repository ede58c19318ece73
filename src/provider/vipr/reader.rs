//! Looking at the system.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};

use super::inventory::Inventory;
use super::look::Thing;
use super::{Shared, plan, watch};
use crate::model::{
    Capabilities, Change, Kind, Object, ObjectRef, Operation, Page, Plan, Problem, Query, Raw,
    VolumeId,
};
use crate::provider::cinder::reader::raw;
use crate::provider::{Content, Reader};
use crate::wire::vipr::{Session, Snapshot, Task, Urn, Volume};

/// So many things are in a page.
pub(super) const PAGE: usize = 500;

/// The means to look.
pub(super) struct ViprReader {
    shared: Arc<Shared>,
}

impl ViprReader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[async_trait]
impl Reader for ViprReader {
    fn capabilities(&self) -> &Capabilities {
        &self.shared.capabilities
    }

    fn list(&self, query: Query) -> BoxStream<'static, Result<Page, Problem>> {
        let shared = self.shared.clone();
        let begun = async move {
            let pages = match objects(&shared, &query).await {
                Ok(objects) => pages(objects),
                Err(problem) => vec![Err(problem)],
            };
            stream::iter(pages)
        };
        stream::once(begun).flatten().boxed()
    }

    async fn show(&self, object: &ObjectRef) -> Result<Object, Problem> {
        show(&self.shared, object).await
    }

    async fn raw(&self, object: &ObjectRef) -> Result<Raw, Problem> {
        let id = object.id.as_str();
        let target = Urn::parse(id).is_some_and(|urn| urn.is(Snapshot::KIND));
        let answer = match object.kind {
            Kind::Volume if !target => self.shared.answer::<Volume>(id).await?,
            Kind::Volume | Kind::Snapshot | Kind::Target => {
                self.shared.answer::<Snapshot>(id).await?
            }
            Kind::Session => self.shared.answer::<Session>(id).await?,
            Kind::Group => return Err(nothing(object)),
        };
        Ok(raw(&answer))
    }

    async fn plan(&self, operation: &Operation) -> Result<Plan, Problem> {
        plan::plan(&self.shared, operation).await
    }

    fn watch(&self) -> BoxStream<'static, Change> {
        watch::watch(self.shared.clone())
    }

    fn content(&self, _object: &ObjectRef) -> Result<Arc<dyn Content>, Problem> {
        Err(
            Problem::user("the system does not let its data be read from here")
                .hint("link a target to the session, and export that to a host"),
        )
    }
}

fn nothing(object: &ObjectRef) -> Problem {
    Problem::not_found(format!("there is no {object}"))
}

async fn objects(shared: &Shared, query: &Query) -> Result<Vec<Object>, Problem> {
    let all = shared.inventory().await?;
    Ok(match query.kind {
        Kind::Volume => {
            let volume = |volume| Object::Volume(all.show_volume(volume));
            all.volumes.iter().map(volume).collect()
        }
        Kind::Snapshot => {
            let wanted = |snapshot: &&Snapshot| {
                let of = query.volume.as_ref().map(VolumeId::as_str);
                let source = snapshot.source().map(Urn::as_str);
                (of.is_none() || of == source) && all.is_plain(snapshot)
            };
            let snapshots = all.snapshots.iter().filter(wanted);
            snapshots
                .map(|one| Object::Snapshot(all.show_snapshot(one)))
                .collect()
        }
        Kind::Session => {
            let session = |session| Object::Session(all.show_session(session));
            all.sessions.iter().map(session).collect()
        }
        Kind::Target => {
            let linked = |snapshot: &&Snapshot| all.session_of(&snapshot.base.id).is_some();
            let targets = all.snapshots.iter().filter(linked);
            targets
                .map(|one| Object::Target(all.show_target(one)))
                .collect()
        }
        Kind::Group => Vec::new(),
    })
}

fn pages(objects: Vec<Object>) -> Vec<Result<Page, Problem>> {
    let total = Some(objects.len() as u64);
    if objects.is_empty() {
        return vec![Ok(Page {
            items: objects,
            total,
        })];
    }
    let mut objects = objects.into_iter();
    let page = || {
        let items: Vec<Object> = objects.by_ref().take(PAGE).collect();
        (!items.is_empty()).then_some(Ok(Page { items, total }))
    };
    std::iter::from_fn(page).collect()
}

/// The tasks of a thing, where they may be seen.
async fn tasks<T: Thing>(shared: &Shared, id: &str) -> Vec<Task> {
    shared.tasks_of::<T>(id).await.unwrap_or_default()
}

async fn show(shared: &Shared, object: &ObjectRef) -> Result<Object, Problem> {
    let id = object.id.as_str();
    match object.kind {
        Kind::Volume if Urn::parse(id).is_some_and(|urn| urn.is(Snapshot::KIND)) => {
            let (all, snapshot) = snapshot(shared, id).await?;
            match all.session_of(&snapshot.base.id) {
                Some(_) => Ok(Object::Volume(all.show_device(&snapshot))),
                None => Err(nothing(object)),
            }
        }
        Kind::Volume => {
            let volume: Volume = shared.one(id).await?;
            let (all, tasks) =
                tokio::join!(shared.around(&volume.base.id), tasks::<Volume>(shared, id));
            Ok(Object::Volume(all?.with_tasks(tasks).show_volume(&volume)))
        }
        Kind::Snapshot => {
            let (all, snapshot) = snapshot(shared, id).await?;
            match all.is_plain(&snapshot) {
                true => Ok(Object::Snapshot(all.show_snapshot(&snapshot))),
                false => Err(nothing(object).because("it is a linked target")),
            }
        }
        Kind::Target => {
            let (all, snapshot) = snapshot(shared, id).await?;
            match all.session_of(&snapshot.base.id) {
                Some(_) => Ok(Object::Target(all.show_target(&snapshot))),
                None => Err(nothing(object).because("it is linked to nothing")),
            }
        }
        Kind::Session => {
            let session: Session = shared.one(id).await?;
            let ids = session.device.group().map_or(&[][..], std::slice::from_ref);
            let (names, volumes, groups, tasks) = tokio::join!(
                shared.names(),
                shared.volumes_of(&session),
                shared.bulk(ids),
                tasks::<Session>(shared, id),
            );
            let all = Inventory::new(volumes?, Vec::new(), Vec::new())
                .with_names(&groups.unwrap_or_default(), names?)
                .with_tasks(tasks);
            Ok(Object::Session(all.show_session(&session)))
        }
        Kind::Group => Err(nothing(object)),
    }
}

/// A snapshot or a target, and what it has to do with.
async fn snapshot(shared: &Shared, id: &str) -> Result<(Inventory, Snapshot), Problem> {
    let snapshot: Snapshot = shared.one(id).await?;
    let all = match snapshot.source() {
        Some(source) => shared.around(source).await?,
        None => Inventory::default(),
    };
    Ok((
        all.with_tasks(tasks::<Snapshot>(shared, id).await),
        snapshot,
    ))
}
