//! Looking at the system.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};

use super::look::is_uuid;
use super::{Shared, convert, plan, sight};
use crate::model::{
    Capabilities, Change, Kind, Object, ObjectRef, Operation, Page, Plan, Problem, ProblemKind,
    Query, Raw, VolumeId,
};
use crate::provider::cinder::reader::{Pages, pages, raw};
use crate::provider::cinder::watch;
use crate::provider::{Content, Reader};
use crate::wire::zstack::{Group, Number, Snapshot, Volume};

/// The means to look.
pub(super) struct ZStackReader {
    shared: Arc<Shared>,
}

impl ZStackReader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[async_trait]
impl Reader for ZStackReader {
    fn capabilities(&self) -> &Capabilities {
        &self.shared.capabilities
    }

    fn list(&self, query: Query) -> BoxStream<'static, Result<Page, Problem>> {
        let shared = self.shared.clone();
        let begun = async move {
            let begun = match query.kind {
                Kind::Volume => volumes(shared, query.early).await,
                Kind::Snapshot => snapshots(shared, query.volume).await,
                Kind::Group => groups(shared).await,
                Kind::Session | Kind::Target => {
                    let items = Vec::new();
                    let total = Some(0);
                    Ok(stream::iter([Ok(Page { items, total })]).boxed())
                }
            };
            begun.unwrap_or_else(|problem| stream::iter([Err(problem)]).boxed())
        };
        stream::once(begun).flatten().boxed()
    }

    async fn show(&self, object: &ObjectRef) -> Result<Object, Problem> {
        show(&self.shared, object).await
    }

    async fn raw(&self, object: &ObjectRef) -> Result<Raw, Problem> {
        Ok(raw(&self.shared.answer(object).await?))
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
                .hint("make a volume from the snapshot, and attach that to a VM"),
        )
    }
}

async fn volumes(shared: Arc<Shared>, early: bool) -> Result<Pages, Problem> {
    let changes = shared.changes_so_far();
    let scan = shared.all_volumes(changes);
    let rest = {
        let shared = shared.clone();
        // Where each stands in its trees, and what its VM is called.
        async move {
            let sight = Arc::new(shared.sight(changes).await?);
            let before = shared.drawn.lock().replace(sight.clone());
            let news = before.is_none_or(|before| before != sight);
            Ok::<_, Problem>((sight, news))
        }
    };
    let sight = if early {
        let known = shared.drawn.lock().clone();
        let shared = shared.clone();
        tokio::spawn(async move {
            // What is wrong with snapshots is told where they are listed.
            if let Ok((_, true)) = rest.await {
                let _ = shared.changes.send(Change::Kind(Kind::Volume));
            }
        });
        known
    } else {
        Some(rest.await?.0)
    };
    Ok(pages(scan, move |items: &[Volume]| {
        let lines = sight.as_ref().map(|sight| &sight.lines);
        let machines = sight.as_ref().map(|sight| &sight.machines);
        let volume = |v| Object::Volume(convert::volume(v, lines, machines, &shared.zone));
        items.iter().map(volume).collect()
    }))
}

async fn snapshots(shared: Arc<Shared>, of: Option<VolumeId>) -> Result<Pages, Problem> {
    let changes = shared.changes_so_far();
    let scan = match &of {
        Some(volume) if !is_uuid(volume.as_str()) => {
            return Err(Problem::not_found(format!(
                "there is no volume \"{volume}\""
            )));
        }
        Some(volume) => shared.snapshots_of(volume.as_str()),
        None => shared.all_snapshots(changes),
    };
    let beside = shared.beside(changes).await?;
    Ok(pages(scan, move |items: &[Snapshot]| {
        let fits = |one: &&Snapshot| {
            let own = one.volume_uuid.as_deref();
            of.as_ref().is_none_or(|of| own == Some(of.as_str()))
        };
        let mut found: Vec<&Snapshot> = items.iter().filter(fits).collect();
        found.sort_by_cached_key(|one| {
            let taken = sight::moment(one.create_date.as_ref(), &shared.zone);
            let distance = one.distance.as_ref().and_then(Number::get);
            (taken, distance, one.uuid.clone())
        });
        let object = |one| Object::Snapshot(convert::snapshot(one, &beside, &shared.zone));
        found.into_iter().map(object).collect()
    }))
}

async fn groups(shared: Arc<Shared>) -> Result<Pages, Problem> {
    let changes = shared.changes_so_far();
    let scan = shared.all_groups();
    let (beside, machines) = tokio::join!(shared.beside(changes), shared.machines(changes));
    let (beside, machines) = (beside?, machines?);
    Ok(pages(scan, move |items: &[Group]| {
        let zone = &shared.zone;
        let group = |one| Object::Group(convert::group(one, &beside, &machines, zone));
        items.iter().map(group).collect()
    }))
}

async fn show(shared: &Arc<Shared>, object: &ObjectRef) -> Result<Object, Problem> {
    let (changes, zone) = (shared.changes_so_far(), &shared.zone);
    match object.kind {
        Kind::Volume => {
            let volume: Volume = shared.one(&object.id).await?;
            let (trees, machines) =
                tokio::join!(shared.trees_of(&volume.uuid), shared.machines(changes));
            let lines = sight::lines(trees?.iter(), zone);
            let machines = machines?;
            let volume = convert::volume(&volume, Some(&lines), Some(&machines), zone);
            Ok(Object::Volume(volume))
        }
        Kind::Snapshot => {
            let snapshot: Snapshot = shared.one(&object.id).await?;
            let beside = shared.beside(changes).await?;
            Ok(Object::Snapshot(convert::snapshot(
                &snapshot, &beside, zone,
            )))
        }
        Kind::Group => {
            let group: Group = shared.one(&object.id).await?;
            let (beside, machines) = tokio::join!(shared.beside(changes), shared.machines(changes));
            let group = convert::group(&group, &beside?, &machines?, zone);
            Ok(Object::Group(group))
        }
        Kind::Session | Kind::Target => Err(Problem::new(
            ProblemKind::NotFound,
            format!("there is no {object}"),
        )),
    }
}
