//! Looking: volumes and their snapshots by block storage, instance snapshots and mappings here.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt as _, StreamExt as _};

use super::convert::Beside;
use super::{Shared, plan, watch};
use crate::model::{
    Capabilities, Change, Group, GroupId, Kind, LinkedTarget, Object, ObjectRef, Operation, Page,
    Plan, Problem, Query, Raw,
};
use crate::provider::cinder::scan::PAGE;
use crate::provider::{Content, Reader};
use crate::wire::powervc::InstanceSnapshot;

type Pages = BoxStream<'static, Result<Page, Problem>>;

/// The means to look.
pub(super) struct PowerReader {
    shared: Arc<Shared>,
}

impl PowerReader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[async_trait]
impl Reader for PowerReader {
    fn capabilities(&self) -> &Capabilities {
        &self.shared.capabilities
    }

    fn list(&self, query: Query) -> BoxStream<'static, Result<Page, Problem>> {
        let shared = self.shared.clone();
        let begun = async move {
            match query.kind {
                Kind::Snapshot => snapshots(&shared, query),
                Kind::Group => {
                    let found = shared.groups(None).await;
                    paged(found.map(|all| all.into_iter().map(Object::Group).collect()))
                }
                Kind::Target => {
                    let found = shared.all_mappings().await;
                    paged(found.map(|all| all.into_iter().map(Object::Target).collect()))
                }
                Kind::Volume | Kind::Session => shared.volumes.list(query),
            }
        };
        stream::once(begun).flatten().boxed()
    }

    async fn show(&self, object: &ObjectRef) -> Result<Object, Problem> {
        let shared = &self.shared;
        match object.kind {
            Kind::Group => {
                let found = shared.instance_snapshot(&object.id).await?;
                let mut all = shared.groups(Some(vec![found])).await?;
                all.pop().map(Object::Group).ok_or_else(|| missing(object))
            }
            Kind::Target => Ok(Object::Target(shared.target(object).await?)),
            Kind::Snapshot => {
                let mut shown = shared.volumes.show(object).await?;
                let of = shared.memberships().await;
                join(&mut shown, &of);
                Ok(shown)
            }
            Kind::Volume | Kind::Session => shared.volumes.show(object).await,
        }
    }

    async fn raw(&self, object: &ObjectRef) -> Result<Raw, Problem> {
        let shared = &self.shared;
        let (media_type, body) = match object.kind {
            Kind::Group => {
                let answer = shared.answer(&object.id).await?;
                let media = answer.header("content-type").unwrap_or("application/json");
                (media.to_owned(), answer.body.clone())
            }
            Kind::Target => {
                let target = shared.target(object).await?;
                // Both ends tell of it.
                let ends = [target.source.as_ref(), Some(&target.volume)];
                let mut body = None;
                for end in ends.into_iter().flatten() {
                    let all = shared.mappings(end.as_str()).await?;
                    let one = all.iter().find(|mapping| mapping.name == object.id);
                    body = body.or(one.and_then(|mapping| serde_json::to_vec(mapping).ok()));
                }
                let body = body.ok_or_else(|| missing(object))?;
                ("application/json".to_owned(), body)
            }
            _ => return shared.volumes.raw(object).await,
        };
        let text = match serde_json::from_slice::<serde_json::Value>(&body) {
            Ok(value) => serde_json::to_string_pretty(&value).unwrap_or_default(),
            Err(_) => String::from_utf8_lossy(&body).into_owned(),
        };
        Ok(Raw { media_type, text })
    }

    async fn plan(&self, operation: &Operation) -> Result<Plan, Problem> {
        plan::plan(&self.shared, operation).await
    }

    fn watch(&self) -> BoxStream<'static, Change> {
        watch::watch(self.shared.clone())
    }

    fn content(&self, object: &ObjectRef) -> Result<Arc<dyn Content>, Problem> {
        self.shared.volumes.content(object)
    }
}

fn missing(object: &ObjectRef) -> Problem {
    Problem::not_found(format!("there is no {object}"))
}

/// What is there at once, in pages.
fn paged(found: Result<Vec<Object>, Problem>) -> Pages {
    let items = match found {
        Ok(items) => items,
        Err(problem) => return stream::iter([Err(problem)]).boxed(),
    };
    let total = Some(items.len() as u64);
    let mut pages: Vec<Result<Page, Problem>> = items
        .chunks(PAGE)
        .map(|items| {
            Ok(Page {
                items: items.to_vec(),
                total,
            })
        })
        .collect();
    if pages.is_empty() {
        let items = Vec::new();
        pages.push(Ok(Page { items, total }));
    }
    stream::iter(pages).boxed()
}

/// Which instance snapshot a snapshot of a volume belongs to.
type Memberships = HashMap<String, String>;

/// Says of a snapshot which instance snapshot it belongs to.
fn join(object: &mut Object, of: &Memberships) {
    if let Object::Snapshot(snapshot) = object
        && let Some(group) = of.get(snapshot.id.as_str())
    {
        snapshot.group = Some(GroupId(group.clone()));
    }
}

fn snapshots(shared: &Arc<Shared>, query: Query) -> Pages {
    // Asked for at the same time as the first page.
    let asked = {
        let shared = shared.clone();
        tokio::spawn(async move { Arc::new(shared.memberships().await) })
    };
    let of = async move { asked.await.unwrap_or_default() };
    let of = of.boxed().shared();
    let joined = shared.volumes.list(query).then(move |page| {
        let of = of.clone();
        async move {
            let (mut page, of) = (page?, of.await);
            for object in &mut page.items {
                join(object, &of);
            }
            Ok(page)
        }
    });
    joined.boxed()
}

impl Shared {
    /// The members of all instance snapshots. Without them snapshots are shown all the same; what is wrong is told where
    /// instance snapshots are listed.
    async fn memberships(&self) -> Memberships {
        let all = match self.instance_snapshots().await {
            Ok(all) => all,
            Err(problem) => {
                tracing::warn!(%problem, "snapshots are shown without their instance snapshots");
                Vec::new()
            }
        };
        let mut of = Memberships::new();
        for one in &all {
            for (_, snapshot) in one.members() {
                of.insert(snapshot.to_owned(), one.id.clone());
            }
        }
        of
    }

    /// These instance snapshots, or all, as they are shown.
    async fn groups(&self, these: Option<Vec<InstanceSnapshot>>) -> Result<Vec<Group>, Problem> {
        let found = async {
            match these {
                Some(these) => Ok(these),
                None => self.instance_snapshots().await,
            }
        };
        let (found, volumes, snapshots) =
            tokio::join!(found, self.cinder.volumes(), self.cinder.snapshots());
        let (found, volumes, snapshots) = (found?, volumes?, snapshots?);
        let machines = &self.cinder.machines;
        let ids = found.iter().map(|one| one.instance_id.as_str());
        machines.learn_these(self.session(), ids).await;
        let beside = Beside::new(&volumes, &snapshots);
        let mut all: Vec<(Option<&str>, Group)> = found
            .iter()
            .map(|one| (one.created_at.as_deref(), beside.group(one, machines)))
            .collect();
        all.sort_by(|(a, x), (b, y)| (a, &x.id).cmp(&(b, &y.id)));
        Ok(all.into_iter().map(|(_, group)| group).collect())
    }

    /// One mapping, as it is now.
    async fn target(self: &Arc<Self>, object: &ObjectRef) -> Result<LinkedTarget, Problem> {
        let all = self.all_mappings().await?;
        let found = all
            .into_iter()
            .find(|target| target.id.as_str() == object.id);
        found.ok_or_else(|| missing(object))
    }
}
