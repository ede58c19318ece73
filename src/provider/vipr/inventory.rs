//! What there is, and what belongs to what. The system tells neither which snapshots are targets, nor how anything
//! stands but by its tasks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Shared;
use crate::model::Problem;
use crate::wire::vipr::{Device, Group, Session, Snapshot, Task, Urn, Volume};

/// What was read serves others for this long, unless something was changed from here.
const SHARED: Duration = Duration::from_secs(1);

/// A replication group of a consistency group: what a group's session is of.
pub(super) type Part = (Urn, String);

/// The replication group that a device has to do with.
pub(super) fn part(device: &Device) -> Option<Part> {
    let group = device.group()?.clone();
    Some((group, device.replication_group()?.to_owned()))
}

/// What there is, as it was read at one time.
#[derive(Default)]
pub(super) struct Inventory {
    pub(super) volumes: Vec<Volume>,
    pub(super) sessions: Vec<Session>,
    pub(super) snapshots: Vec<Snapshot>,
    /// The tasks under way, by what they are about.
    busy: HashMap<Urn, Task>,
    /// The names of consistency groups.
    pub(super) groups: HashMap<Urn, String>,
    /// The names of projects.
    pub(super) projects: HashMap<Urn, String>,
    places: HashMap<Urn, usize>,
    members: HashMap<Part, Vec<usize>>,
    linked: HashMap<Urn, usize>,
    sessions_by_volume: HashMap<Urn, Vec<usize>>,
    sessions_by_part: HashMap<Part, Vec<usize>>,
    snapshots_by_volume: HashMap<Urn, Vec<usize>>,
}

impl Inventory {
    pub(super) fn new(
        mut volumes: Vec<Volume>,
        mut sessions: Vec<Session>,
        mut snapshots: Vec<Snapshot>,
    ) -> Self {
        volumes
            .sort_by_cached_key(|volume| (volume.base.name().to_owned(), volume.base.id.clone()));
        sessions
            .sort_by_cached_key(|session| (session.base.creation_time, session.base.id.clone()));
        snapshots
            .sort_by_cached_key(|snapshot| (snapshot.base.creation_time, snapshot.base.id.clone()));
        let mut all = Self::default();
        for (n, volume) in volumes.iter().enumerate() {
            all.places.insert(volume.base.id.clone(), n);
            if let Some(part) = part(&volume.device) {
                all.members.entry(part).or_default().push(n);
            }
        }
        for (n, session) in sessions.iter().enumerate() {
            for target in session.targets() {
                all.linked.insert(target.clone(), n);
            }
            match (session.source(), part(&session.device)) {
                (Some(source), _) => {
                    let own = all.sessions_by_volume.entry(source.clone());
                    own.or_default().push(n);
                }
                (None, Some(part)) => all.sessions_by_part.entry(part).or_default().push(n),
                (None, None) => {}
            }
        }
        for (n, snapshot) in snapshots.iter().enumerate() {
            if let Some(source) = snapshot.source() {
                let own = all.snapshots_by_volume.entry(source.clone());
                own.or_default().push(n);
            }
        }
        Self {
            volumes,
            sessions,
            snapshots,
            ..all
        }
    }

    /// The same with what is under way.
    pub(super) fn with_tasks(mut self, tasks: Vec<Task>) -> Self {
        for task in tasks.into_iter().filter(|task| !task.state.is_over()) {
            if let Some(resource) = &task.resource {
                self.busy.insert(resource.id.clone(), task);
            }
        }
        self
    }

    /// The same with the names of groups and projects.
    pub(super) fn with_names(mut self, groups: &[Group], projects: HashMap<Urn, String>) -> Self {
        let names = groups
            .iter()
            .map(|group| (group.base.id.clone(), group.base.name().to_owned()));
        self.groups = names.collect();
        self.projects = projects;
        self
    }

    /// The task that is under way on a thing.
    pub(super) fn task(&self, id: &Urn) -> Option<&Task> {
        self.busy.get(id)
    }

    pub(super) fn volume(&self, id: &Urn) -> Option<&Volume> {
        self.volumes.get(*self.places.get(id)?)
    }

    /// The session that a target shows; `None` for what is no target.
    pub(super) fn session_of(&self, snapshot: &Urn) -> Option<&Session> {
        self.sessions.get(*self.linked.get(snapshot)?)
    }

    /// Whether somebody took it as a snapshot: it is no target, or the one of a session that was made for it alone. Such
    /// a session bears its label, which no other may (10, 8.4).
    pub(super) fn is_plain(&self, snapshot: &Snapshot) -> bool {
        match self.session_of(&snapshot.base.id) {
            None => true,
            Some(session) => session.label() == snapshot.label(),
        }
    }

    /// The volumes that a session is of.
    pub(super) fn volumes_of(&self, session: &Session) -> Vec<&Volume> {
        if let Some(source) = session.source() {
            return self.volume(source).into_iter().collect();
        }
        let members = part(&session.device).and_then(|part| self.members.get(&part));
        members
            .into_iter()
            .flatten()
            .filter_map(|n| self.volumes.get(*n))
            .collect()
    }

    /// The sessions of a volume, alone or with its group, the oldest first.
    pub(super) fn sessions_of(&self, volume: &Volume) -> Vec<&Session> {
        let own = self.sessions_by_volume.get(&volume.base.id);
        let of_part = part(&volume.device).and_then(|part| self.sessions_by_part.get(&part));
        let all = own.into_iter().chain(of_part).flatten();
        all.filter_map(|n| self.sessions.get(*n)).collect()
    }

    /// The snapshots of a volume and the targets of its sessions, the oldest first.
    pub(super) fn snapshots_of(&self, volume: &Urn) -> Vec<&Snapshot> {
        let own = self.snapshots_by_volume.get(volume);
        own.into_iter()
            .flatten()
            .filter_map(|n| self.snapshots.get(*n))
            .collect()
    }
}

/// What was read last, for all who want it.
#[derive(Default)]
pub(super) struct Kept {
    last: tokio::sync::Mutex<Option<(Arc<Inventory>, u64, Instant)>>,
}

impl Shared {
    /// All that is in the projects of the profile. Who comes while it is read waits for it, and reads nothing again.
    pub(super) async fn inventory(&self) -> Result<Arc<Inventory>, Problem> {
        let mut last = self.kept.last.lock().await;
        let changes = self.changes_so_far();
        if let Some((all, then, at)) = &*last
            && *then == changes
            && at.elapsed() < SHARED
        {
            return Ok(all.clone());
        }
        *last = None;
        let all = Arc::new(self.read_all().await?);
        *last = Some((all.clone(), changes, Instant::now()));
        Ok(all)
    }

    async fn read_all(&self) -> Result<Inventory, Problem> {
        let projects = self.project_ids().await?;
        let (volumes, sessions, snapshots, groups, tasks) = tokio::join!(
            self.in_projects::<Volume>(&projects),
            self.in_projects::<Session>(&projects),
            self.in_projects::<Snapshot>(&projects),
            self.in_projects::<Group>(&projects),
            self.under_way(),
        );
        let (mut volumes, mut sessions, mut snapshots) = (volumes?, sessions?, snapshots?);
        volumes.retain(|volume| !volume.base.is_internal());
        sessions.retain(|session| !session.base.is_internal());
        snapshots.retain(|snapshot| !snapshot.base.is_internal());
        // How things stand and what groups are called is told where it may be known.
        let tasks = tasks.unwrap_or_else(|problem| {
            tracing::info!(%problem, "what is under way is not known");
            Vec::new()
        });
        let groups = groups.unwrap_or_default();
        let names = self.project_names.lock().clone();
        let all = Inventory::new(volumes, sessions, snapshots);
        Ok(all.with_tasks(tasks).with_names(&groups, names))
    }

    /// What a volume has to do with, as far as it is wanted to show it.
    pub(super) async fn around(&self, volume: &Urn) -> Result<Inventory, Problem> {
        let names = self.names().await?;
        let volumes = self.bulk::<Volume>(std::slice::from_ref(volume)).await?;
        let Some(found) = volumes.first() else {
            return Ok(Inventory::new(Vec::new(), Vec::new(), Vec::new()));
        };
        let (sessions, snapshots, groups) = tokio::join!(
            self.sessions_of(found),
            self.snapshots_of(&found.base.id),
            self.bulk::<Group>(found.device.group().map_or(&[], std::slice::from_ref)),
        );
        let (sessions, snapshots) = (sessions?, snapshots?);
        let all = Inventory::new(volumes, sessions, snapshots);
        Ok(all.with_names(&groups.unwrap_or_default(), names))
    }

    /// The names of projects.
    pub(super) async fn names(&self) -> Result<HashMap<Urn, String>, Problem> {
        let known = self.project_names.lock().clone();
        if !known.is_empty() {
            return Ok(known);
        }
        self.project_ids().await?;
        Ok(self.project_names.lock().clone())
    }
}

/// Pairs of key and value, without those that say nothing.
pub(super) fn pairs<const N: usize>(all: [(&str, Option<String>); N]) -> BTreeMap<String, String> {
    let said = all.into_iter().filter_map(|(key, value)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some((key.to_owned(), value))
    });
    said.collect()
}
