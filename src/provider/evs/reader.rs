//! Looking at the service.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};

use super::line::Line;
use super::{Shared, convert, plan};
use crate::model::{
    Capabilities, Change, Kind, Object, ObjectRef, Operation, Page, Plan, Problem, ProblemKind,
    Query, Raw, VolumeId,
};
use crate::provider::cinder::look::flat;
use crate::provider::cinder::reader::{Pages, pages, raw};
use crate::provider::cinder::scan::PAGE;
use crate::provider::cinder::watch;
use crate::provider::{Content, Reader};
use crate::wire::evs::{Snapshot, Volume, time};

/// The means to look.
pub(super) struct EvsReader {
    shared: Arc<Shared>,
}

impl EvsReader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[async_trait]
impl Reader for EvsReader {
    fn capabilities(&self) -> &Capabilities {
        &self.shared.capabilities
    }

    fn list(&self, query: Query) -> BoxStream<'static, Result<Page, Problem>> {
        let shared = self.shared.clone();
        let begun = async move {
            let begun = match query.kind {
                Kind::Volume => volumes(shared, query.early).await,
                Kind::Snapshot => snapshots(shared, query.volume).await,
                Kind::Group | Kind::Session | Kind::Target => {
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
            Problem::user("the service does not let its data be read from here")
                .hint("make a disk from the snapshot, and attach that to a machine"),
        )
    }
}

async fn volumes(shared: Arc<Shared>, early: bool) -> Result<Pages, Problem> {
    let changes = shared.changes_so_far();
    let scan = shared.all_volumes(changes);
    let rest = {
        let shared = shared.clone();
        // How many snapshots each has, and below which it stands.
        async move {
            let lines = Arc::new(shared.lines(changes).await?);
            let before = shared.lines.lock().replace(lines.clone());
            let news = before.is_none_or(|before| before != lines);
            Ok::<_, Problem>((lines, news))
        }
    };
    let lines = if early {
        let known = shared.lines.lock().clone();
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
        let lines = lines.as_deref();
        let disk = |disk| Object::Volume(convert::volume(disk, lines));
        items.iter().map(disk).collect()
    }))
}

/// The snapshots, the oldest first. They come with the newest first, and what each hangs below is known when all before
/// it are.
async fn snapshots(shared: Arc<Shared>, of: Option<VolumeId>) -> Result<Pages, Problem> {
    let changes = shared.changes_so_far();
    let beside = shared.beside(changes);
    let all = async {
        match &of {
            Some(volume) => shared.snapshots_of(volume.as_str()).await,
            None => Ok(flat(shared.all_snapshots(changes).all().await?)),
        }
    };
    let (beside, all) = tokio::join!(beside, all);
    let (beside, mut all) = (beside?, all?);
    let lines = Line::all(all.iter(), |volume| beside.source(volume));
    all.sort_by_cached_key(|one| (one.created().and_then(time), one.id.clone()));
    let total = Some(all.len() as u64);
    let object = |one: &Snapshot| {
        let line = lines.get(&one.volume_id);
        Object::Snapshot(convert::snapshot(one, line, &beside))
    };
    let mut pages: Vec<Result<Page, Problem>> = all
        .chunks(PAGE)
        .map(|page| {
            let items = page.iter().map(object).collect();
            Ok(Page { items, total })
        })
        .collect();
    if pages.is_empty() {
        pages.push(Ok(Page {
            items: Vec::new(),
            total,
        }));
    }
    Ok(stream::iter(pages).boxed())
}

async fn show(shared: &Arc<Shared>, object: &ObjectRef) -> Result<Object, Problem> {
    match object.kind {
        Kind::Volume => {
            let disk = shared.volume(&object.id).await?;
            let own = shared.snapshots_of(&disk.id).await?;
            let lines = Line::all(own.iter(), |_| disk.source());
            Ok(Object::Volume(convert::volume(&disk, Some(&lines))))
        }
        Kind::Snapshot => {
            let snapshot = shared.snapshot(&object.id).await?;
            let beside = shared.beside(shared.changes_so_far());
            let (beside, own) = tokio::join!(beside, shared.snapshots_of(&snapshot.volume_id));
            let (beside, own) = (beside?, own?);
            let lines: HashMap<String, Line> =
                Line::all(own.iter(), |volume| beside.source(volume));
            let line = lines.get(&snapshot.volume_id);
            Ok(Object::Snapshot(convert::snapshot(
                &snapshot, line, &beside,
            )))
        }
        Kind::Group | Kind::Session | Kind::Target => Err(Problem::new(
            ProblemKind::NotFound,
            format!("there is no {object}"),
        )),
    }
}
