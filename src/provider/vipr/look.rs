//! Looking at things: one by one, in bulk, by searches. There are no pages anywhere (section 16).

use std::collections::HashMap;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::de::DeserializeOwned;

use super::Shared;
use super::session::{Ask, said};
use crate::http::Response;
use crate::model::{Problem, ProblemKind};
use crate::provider::cinder::look::escape;
use crate::wire::vipr::{
    Base, Group, Ids, Pool, Project, Reference, Session, Snapshot, Task, Tenant, Urn, Volume, list,
};

/// So many things are asked for at once; the system takes 4000.
const BULK: usize = 500;
/// So many calls are made side by side for one list; the client has a limit of its own besides.
const BESIDE: usize = 8;

/// What is shown by its path, and in bulk.
pub(super) trait Thing: DeserializeOwned + Send + 'static {
    /// The type in its id.
    const KIND: &'static str;
    /// What a person calls it.
    const WORD: &'static str;
    /// The root of a body that shows one.
    const ROOT: &'static str;
    /// Where it is.
    const PATH: &'static str;
    /// The root of a body with many.
    const BULK: &'static str;
    /// The name of one among many.
    const ONE: &'static str;

    fn base(&self) -> &Base;
}

macro_rules! thing {
    ($type:ident, $kind:literal, $word:literal, $path:literal, $root:literal, $bulk:literal, $one:literal) => {
        impl Thing for $type {
            const KIND: &'static str = $kind;
            const WORD: &'static str = $word;
            const PATH: &'static str = $path;
            const ROOT: &'static str = $root;
            const BULK: &'static str = $bulk;
            const ONE: &'static str = $one;

            fn base(&self) -> &Base {
                &self.base
            }
        }
    };
}

thing!(
    Volume,
    "Volume",
    "volume",
    "/block/volumes",
    "volume",
    "bulk_volumes",
    "volume"
);
thing!(
    Snapshot,
    "BlockSnapshot",
    "snapshot",
    "/block/snapshots",
    "block_snapshot",
    "bulk_block_snapshots",
    "block_snapshot"
);
thing!(
    Session,
    "BlockSnapshotSession",
    "snapshot session",
    "/block/snapshot-sessions",
    "block_snapshot_session",
    "bulk_block_snapshot_sessions",
    "block_snapshot_session"
);
thing!(
    Group,
    "BlockConsistencyGroup",
    "consistency group",
    "/block/consistency-groups",
    "consistency_group",
    "bulk_consistency_groups",
    "consistency_group"
);
thing!(
    Project,
    "Project",
    "project",
    "/projects",
    "project",
    "bulk_projects",
    "project"
);
thing!(
    Pool,
    "VirtualPool",
    "virtual pool",
    "/block/vpools",
    "block_vpool",
    "bulk_vpools",
    "block_vpool"
);
thing!(
    Task,
    "Task",
    "task",
    "/vdc/tasks",
    "task",
    "bulk_tasks",
    "task"
);

fn nothing<T: Thing>(id: &str) -> Problem {
    Problem::not_found(format!("there is no {} \"{id}\"", T::WORD))
}

/// The path of a thing; what cannot be its id is not even asked for.
pub(super) fn path<T: Thing>(id: &str) -> Result<String, Problem> {
    match Urn::parse(id) {
        Some(urn) if urn.is(T::KIND) => Ok(format!("{}/{urn}", T::PATH)),
        _ => Err(nothing::<T>(id)),
    }
}

fn not_said(what: &str, why: &str) -> Problem {
    Problem::new(ProblemKind::System, what)
        .because(format!("the answer is not what it should be: {why}"))
}

impl Shared {
    /// The answer that shows a thing.
    pub(super) async fn answer<T: Thing>(&self, id: &str) -> Result<Response, Problem> {
        let what = format!("{} {id} cannot be shown", T::WORD);
        self.session.answer(&Ask::get(path::<T>(id)?), &what).await
    }

    /// A thing, also one that is deleted and whose record is left.
    pub(super) async fn record<T: Thing>(&self, id: &str) -> Result<T, Problem> {
        let what = format!("{} {id} cannot be shown", T::WORD);
        let answer = self.answer::<T>(id).await?;
        let body = said(&answer, &[T::ROOT], &what)?;
        serde_json::from_value(body).map_err(|e| not_said(&what, &e.to_string()))
    }

    /// A thing that is there.
    pub(super) async fn one<T: Thing>(&self, id: &str) -> Result<T, Problem> {
        let found: T = self.record(id).await?;
        match found.base().is_there() {
            true => Ok(found),
            false => Err(nothing::<T>(id).because("it is deleted; only its record is left")),
        }
    }

    /// The things with these ids that are there; what may not be seen is left out without a word.
    pub(super) async fn bulk<T: Thing>(&self, ids: &[Urn]) -> Result<Vec<T>, Problem> {
        let what = format!("each {} cannot be read", T::WORD);
        let calls = ids.chunks(BULK).map(|ids| {
            let what = what.clone();
            let ids = Ids { id: ids.to_vec() };
            async move {
                let ask = Ask::post(format!("{}/bulk", T::PATH)).with("ids", &ids)?;
                let body = self.session.read(&ask, &[T::BULK], &what).await?;
                list::<T>(body, T::ONE).map_err(|why| not_said(&what, &why))
            }
        });
        let calls: Vec<_> = calls.collect();
        let found: Vec<Vec<T>> = stream::iter(calls).buffered(BESIDE).try_collect().await?;
        let all = found.into_iter().flatten();
        Ok(all.filter(|one| one.base().is_there()).collect())
    }

    /// What a list refers to.
    pub(super) async fn references(
        &self,
        path: &str,
        roots: &[&str],
        name: &str,
    ) -> Result<Vec<Reference>, Problem> {
        let what = format!("{path} cannot be listed");
        let body = self.session.read(&Ask::get(path), roots, &what).await?;
        list(body, name).map_err(|why| not_said(&what, &why))
    }

    /// The ids that a list refers to.
    pub(super) async fn ids(
        &self,
        path: &str,
        root: &str,
        name: &str,
    ) -> Result<Vec<Urn>, Problem> {
        let all = self.references(path, &[root], name).await?;
        Ok(all.into_iter().map(|one| one.id).collect())
    }

    /// What a search finds.
    pub(super) async fn search<T: Thing>(&self, query: &str) -> Result<Vec<Urn>, Problem> {
        self.ids(
            &format!("{}/search?{query}", T::PATH),
            "results",
            "resource",
        )
        .await
    }

    /// All of a kind that is in these projects.
    pub(super) async fn in_projects<T: Thing>(&self, projects: &[Urn]) -> Result<Vec<T>, Problem> {
        let searches = projects.iter().map(|project| {
            let query = format!("project={project}");
            async move { self.search::<T>(&query).await }
        });
        let searches: Vec<_> = searches.collect();
        let found: Vec<Vec<Urn>> = stream::iter(searches)
            .buffered(BESIDE)
            .try_collect()
            .await?;
        let ids: Vec<Urn> = found.into_iter().flatten().collect();
        self.bulk::<T>(&ids).await
    }

    /// The projects that the profile is for: the one that it names, or all that the user may see.
    pub(super) async fn projects(&self) -> Result<Vec<(Urn, String)>, Problem> {
        let tenant = self
            .session
            .read(
                &Ask::get("/tenant"),
                &["tenant_info"],
                "the tenant cannot be read",
            )
            .await?;
        let tenant: Tenant = serde_json::from_value(tenant)
            .map_err(|e| not_said("the tenant cannot be read", &e.to_string()))?;
        let mut tenants = vec![tenant.id];
        let below = format!("/tenants/{}/subtenants", tenants[0]);
        // There are none below any but the root, and not everybody may see them.
        if let Ok(below) = self.ids(&below, "subtenants", "subtenant").await {
            tenants.extend(below);
        }
        let mut all = Vec::new();
        for (n, tenant) in tenants.iter().enumerate() {
            let path = format!("/tenants/{tenant}/projects");
            match self.references(&path, &["projects"], "project").await {
                Ok(found) => all.extend(found),
                Err(problem) if n == 0 => return Err(problem),
                Err(_) => {}
            }
        }
        let mut found: Vec<(Urn, String)> = all
            .into_iter()
            .map(|project| {
                let name = project.name.unwrap_or_else(|| project.id.to_string());
                (project.id, name)
            })
            .collect();
        found.sort_by(|a, b| a.1.cmp(&b.1));
        found.dedup_by(|a, b| a.0 == b.0);
        let Some(wanted) = &self.project else {
            return Ok(found);
        };
        let known: Vec<String> = found.iter().map(|(_, name)| name.clone()).collect();
        found.retain(|(id, name)| id.as_str() == wanted || name == wanted);
        match found.is_empty() {
            false => Ok(found),
            true => Err(Problem::new(
                ProblemKind::Config,
                format!("there is no project \"{wanted}\", or it may not be seen"),
            )
            .hint(format!("there is {}", known.join(", ")))),
        }
    }

    /// The names of projects and their ids, as they were last read; read now where they never were.
    pub(super) async fn project_ids(&self) -> Result<Vec<Urn>, Problem> {
        let found = self.projects().await?;
        let ids = found.iter().map(|(id, _)| id.clone()).collect();
        *self.project_names.lock() = found.into_iter().collect::<HashMap<_, _>>();
        Ok(ids)
    }

    /// The full tasks of a thing.
    pub(super) async fn tasks_of<T: Thing>(&self, id: &str) -> Result<Vec<Task>, Problem> {
        let at = format!("{}/tasks", path::<T>(id)?);
        let what = format!("the tasks of {} {id} cannot be read", T::WORD);
        let body = self.session.read(&Ask::get(at), &["tasks"], &what).await?;
        list(body, "task").map_err(|why| not_said(&what, &why))
    }

    /// The tasks that are under way, of all that may be seen.
    pub(super) async fn under_way(&self) -> Result<Vec<Task>, Problem> {
        let states = ["pending", "queued", "suspended_error", "suspended_no_error"];
        let searches = states.map(|state| {
            let query = format!("state={state}");
            async move { self.search::<Task>(&query).await }
        });
        let found: Vec<Vec<Urn>> = stream::iter(searches)
            .buffered(BESIDE)
            .try_collect()
            .await?;
        let ids: Vec<Urn> = found.into_iter().flatten().collect();
        let mut tasks = self.bulk::<Task>(&ids).await?;
        tasks.retain(|task| !task.state.is_over());
        Ok(tasks)
    }

    /// The sessions of a volume, and those of its group that it is a part of.
    pub(super) async fn sessions_of(&self, volume: &Volume) -> Result<Vec<Session>, Problem> {
        let (root, one) = ("snapshot_sessions", "snapshot_session");
        let own = format!(
            "/block/volumes/{}/protection/snapshot-sessions",
            volume.base.id
        );
        let mut ids = self.ids(&own, root, one).await?;
        if let (Some(group), Some(_)) = (volume.device.group(), volume.device.replication_group()) {
            let of_group =
                format!("/block/consistency-groups/{group}/protection/snapshot-sessions");
            ids.extend(self.ids(&of_group, root, one).await?);
        }
        let mut all = self.bulk::<Session>(&ids).await?;
        all.retain(|session| {
            session.source() == Some(&volume.base.id)
                || (session.source().is_none()
                    && session.device.group() == volume.device.group()
                    && session.device.replication_group() == volume.device.replication_group())
        });
        Ok(all)
    }

    /// The snapshots of a volume, and the targets of its sessions.
    pub(super) async fn snapshots_of(&self, volume: &Urn) -> Result<Vec<Snapshot>, Problem> {
        let own = format!("/block/volumes/{volume}/protection/snapshots");
        let ids = self.ids(&own, "snapshots", "snapshot").await?;
        let mut all = self.bulk::<Snapshot>(&ids).await?;
        all.retain(|snapshot| snapshot.source() == Some(volume));
        Ok(all)
    }

    /// The volumes that a session is of.
    pub(super) async fn volumes_of(&self, session: &Session) -> Result<Vec<Volume>, Problem> {
        if let Some(parent) = session.source() {
            return self.bulk(std::slice::from_ref(parent)).await;
        }
        let Some(group) = session.device.group() else {
            return Ok(Vec::new());
        };
        let mut all = self.members(group).await?;
        all.retain(|volume| {
            volume.device.replication_group() == session.device.replication_group()
        });
        Ok(all)
    }

    /// The volumes of a consistency group.
    pub(super) async fn members(&self, group: &Urn) -> Result<Vec<Volume>, Problem> {
        let group: Group = self.one(group.as_str()).await?;
        let ids: Vec<Urn> = group
            .volumes
            .into_iter()
            .flatten()
            .map(|one| one.id)
            .collect();
        self.bulk(&ids).await
    }

    /// Whom hosts see a device by: the names of its exports.
    pub(super) async fn exports<T: Thing>(&self, id: &str) -> Result<Vec<String>, Problem> {
        let at = format!("{}/exports", path::<T>(id)?);
        let what = format!("the exports of {} {id} cannot be read", T::WORD);
        let body = self.session.read(&Ask::get(at), &["itls"], &what).await?;
        let all: Vec<serde_json::Value> = list(body, "itl").map_err(|why| not_said(&what, &why))?;
        let name = |itl: &serde_json::Value| {
            let said = |of: &str, key: &str| itl.get(of)?.get(key)?.as_str().map(str::to_owned);
            said("export", "name")
                .or_else(|| said("initiator", "port"))
                .unwrap_or_else(|| "a host".to_owned())
        };
        let mut names: Vec<String> = all.iter().map(name).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The ids of groups that bear this name.
    pub(super) async fn groups_named(&self, name: &str) -> Result<Vec<Group>, Problem> {
        let ids = self
            .search::<Group>(&format!("name={}", escape(name)))
            .await?;
        let mut all = self.bulk::<Group>(&ids).await?;
        all.retain(|group| group.base.name() == name);
        Ok(all)
    }
}
