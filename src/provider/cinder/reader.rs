//! Looking at the service.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};

use super::convert::{self, Beside, Tally};
use super::scan::Scan;
use super::{Shared, look, plan, watch};
use crate::http::Response;
use crate::model::{
    Capabilities, Change, Kind, Object, ObjectRef, Operation, Page, Plan, Problem, ProblemKind,
    Query, Raw, VolumeId,
};
use crate::provider::{Content, Reader};
use crate::wire::cinder::{GroupSnapshot, Named, Snapshot, Volume};

pub(in crate::provider) type Pages = BoxStream<'static, Result<Page, Problem>>;

/// The means to look.
pub(in crate::provider) struct CinderReader {
    shared: Arc<Shared>,
}

impl CinderReader {
    pub(in crate::provider) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[async_trait]
impl Reader for CinderReader {
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
            Problem::user("the service does not let its data be read from here")
                .hint("make a volume from the snapshot, and attach that to a machine"),
        )
    }
}

/// The body of an answer, as it is shown to people.
pub(in crate::provider) fn raw(answer: &Response) -> Raw {
    let text = match serde_json::from_slice::<serde_json::Value>(&answer.body) {
        Ok(value) => serde_json::to_string_pretty(&value).unwrap_or_default(),
        Err(_) => String::from_utf8_lossy(&answer.body).into_owned(),
    };
    let media_type = answer.header("content-type").unwrap_or("application/json");
    Raw {
        media_type: media_type.to_owned(),
        text,
    }
}

/// The pages of a scan, each made what `convert` makes of it.
pub(in crate::provider) fn pages<T: Named>(
    scan: Arc<Scan<T>>,
    convert: impl FnMut(&[T]) -> Vec<Object> + Send + 'static,
) -> Pages {
    stream::unfold(
        (scan, 0, convert),
        |(scan, number, mut convert)| async move {
            let page = match scan.page(number).await? {
                Ok((items, total)) => Ok(Page {
                    items: convert(&items),
                    total,
                }),
                Err(problem) => Err(problem),
            };
            let next = match page {
                Ok(_) => number + 1,
                // An error ends it.
                Err(_) => usize::MAX,
            };
            Some((page, (scan, next, convert)))
        },
    )
    .scan(false, |failed, page| {
        let over = *failed;
        *failed = page.is_err();
        std::future::ready((!over).then_some(page))
    })
    .boxed()
}

async fn volumes(shared: Arc<Shared>, early: bool) -> Result<Pages, Problem> {
    let changes = shared.changes_so_far();
    let scan = shared.volumes.join(&shared.session, changes);
    let rest = {
        let (shared, scan) = (shared.clone(), scan.clone());
        // How many snapshots each has, and what its machine is called.
        async move {
            let snapshots = shared.snapshots.join(&shared.session, changes);
            let learned = async {
                match scan.page(0).await {
                    Some(Ok((first, _))) => shared.machines.learn(&shared.session, &first).await,
                    _ => false,
                }
            };
            let (snapshots, learned) = tokio::join!(snapshots.all(), learned);
            let snapshots = snapshots?;
            let tallies = Arc::new(Tally::of(snapshots.iter().flat_map(|page| page.iter())));
            let before = shared.tallies.lock().replace(tallies.clone());
            let news = learned || before.is_none_or(|before| before != tallies);
            Ok::<_, Problem>((tallies, news))
        }
    };
    let tallies = if early {
        let known = shared.tallies.lock().clone();
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
        let volume = |volume| {
            let tallies = tallies.as_deref();
            Object::Volume(convert::volume(volume, tallies, &shared.machines))
        };
        items.iter().map(volume).collect()
    }))
}

async fn snapshots(shared: Arc<Shared>, of: Option<VolumeId>) -> Result<Pages, Problem> {
    let changes = shared.changes_so_far();
    let volumes = shared.volumes.join(&shared.session, changes);
    let scan = match &of {
        Some(volume) if !look::is_id(volume.as_str()) => {
            return Err(Problem::not_found(format!(
                "there is no volume \"{volume}\""
            )));
        }
        Some(volume) => {
            let query = format!("&volume_id={}", look::escape(volume.as_str()));
            Scan::<Snapshot>::start(&shared.session, &query)
        }
        None => shared.snapshots.join(&shared.session, changes),
    };
    let beside = Beside::new(&volumes.all().await?);
    // They come with the oldest first: the one before it of the same volume is its parent.
    let mut last: HashMap<String, String> = HashMap::new();
    Ok(pages(scan, move |items: &[Snapshot]| {
        let mut items: Vec<Snapshot> = items
            .iter()
            .filter(|item| of.as_ref().is_none_or(|of| item.volume_id == of.as_str()))
            .cloned()
            .collect();
        look::sort(&mut items);
        let mut objects = Vec::with_capacity(items.len());
        for item in items {
            let before = last.insert(item.volume_id.clone(), item.id.clone());
            objects.push(Object::Snapshot(beside.snapshot(&item, before.as_deref())));
        }
        objects
    }))
}

async fn groups(shared: Arc<Shared>) -> Result<Pages, Problem> {
    let scan = Scan::<GroupSnapshot>::start(&shared.session, "");
    let (volumes, snapshots) = tokio::join!(shared.volumes(), shared.snapshots());
    let (beside, snapshots) = (Beside::new(&volumes?), snapshots?);
    let mut members: HashMap<String, Vec<Snapshot>> = HashMap::new();
    for snapshot in snapshots.iter().flat_map(|page| page.iter()) {
        if let Some(group) = &snapshot.group_snapshot_id {
            let all = members.entry(group.clone()).or_default();
            all.push(snapshot.clone());
        }
    }
    Ok(pages(scan, move |items: &[GroupSnapshot]| {
        let group = |group: &GroupSnapshot| {
            let members: Vec<&Snapshot> = members.get(&group.id).into_iter().flatten().collect();
            Object::Group(beside.group(group, &members))
        };
        items.iter().map(group).collect()
    }))
}

async fn show(shared: &Arc<Shared>, object: &ObjectRef) -> Result<Object, Problem> {
    match object.kind {
        Kind::Volume => {
            let volume = shared.volume(&object.id).await?;
            let own = shared.snapshots_of(&volume.id).await?;
            shared
                .machines
                .learn(&shared.session, std::slice::from_ref(&volume))
                .await;
            let tallies = Tally::of(own.iter());
            Ok(Object::Volume(convert::volume(
                &volume,
                Some(&tallies),
                &shared.machines,
            )))
        }
        Kind::Snapshot => {
            let snapshot = shared.snapshot(&object.id).await?;
            let (volumes, own) =
                tokio::join!(shared.volumes(), shared.snapshots_of(&snapshot.volume_id));
            let own = own?;
            let at = own.iter().position(|other| other.id == snapshot.id);
            let before = at
                .and_then(|at| at.checked_sub(1))
                .and_then(|at| own.get(at));
            let before = before.map(|before| before.id.as_str());
            Ok(Object::Snapshot(
                Beside::new(&volumes?).snapshot(&snapshot, before),
            ))
        }
        Kind::Group => {
            let group = shared.group_snapshot(&object.id).await?;
            let (volumes, members) = tokio::join!(shared.volumes(), shared.members(&group));
            let members = members?;
            let members: Vec<&Snapshot> = members.iter().collect();
            Ok(Object::Group(
                Beside::new(&volumes?).group(&group, &members),
            ))
        }
        Kind::Session | Kind::Target => Err(Problem::new(
            ProblemKind::NotFound,
            format!("there is no {object}"),
        )),
    }
}
