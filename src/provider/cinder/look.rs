//! Looking at single things.

use std::sync::Arc;

use super::Shared;
use super::scan::Scan;
use super::session::{Ask, not_understood};
use crate::http::Response;
use crate::model::{Kind, ObjectRef, Problem, ProblemKind};
use crate::wire::cinder::{Group, GroupSnapshot, Microversion, Named, One, Snapshot, Volume};

/// Whether a text can be an id at all: what cannot be is not even asked for.
pub(in crate::provider) fn is_id(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !text.is_empty() && text.len() <= 64 && text.chars().all(fits)
}

/// A text as it is written into a query.
pub(in crate::provider) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// The path of a thing.
pub(super) fn path(object: &ObjectRef) -> Result<String, Problem> {
    let many = match object.kind {
        Kind::Volume => Volume::MANY,
        Kind::Snapshot => Snapshot::MANY,
        Kind::Group => GroupSnapshot::MANY,
        Kind::Session | Kind::Target => return Err(nothing(object)),
    };
    match is_id(&object.id) {
        true => Ok(format!("/{many}/{}", object.id)),
        false => Err(nothing(object)),
    }
}

fn nothing(object: &ObjectRef) -> Problem {
    Problem::not_found(format!(
        "there is no {} \"{}\"",
        object.kind.one(),
        object.id
    ))
}

impl Shared {
    /// The answer that shows a thing.
    pub(super) async fn answer(&self, object: &ObjectRef) -> Result<Response, Problem> {
        let what = format!("{object} cannot be shown");
        self.session.read(&Ask::get(path(object)?), &what).await
    }

    async fn one<T: Named>(&self, path: String) -> Result<T, Problem> {
        let what = format!("{path} cannot be shown");
        let answer = self.session.read(&Ask::get(path), &what).await?;
        One::<T>::read(&answer.body).map_err(|why| not_understood(&answer, what, &why))
    }

    pub(in crate::provider) async fn volume(&self, id: &str) -> Result<Volume, Problem> {
        self.one(path(&ObjectRef::new(Kind::Volume, id))?).await
    }

    pub(in crate::provider) async fn snapshot(&self, id: &str) -> Result<Snapshot, Problem> {
        self.one(path(&ObjectRef::new(Kind::Snapshot, id))?).await
    }

    pub(super) async fn group_snapshot(&self, id: &str) -> Result<GroupSnapshot, Problem> {
        self.one(path(&ObjectRef::new(Kind::Group, id))?).await
    }

    /// A group of volumes, with its members where the service tells them.
    pub(super) async fn group(&self, id: &str) -> Result<Group, Problem> {
        if !is_id(id) {
            return Err(Problem::not_found(format!(
                "there is no group of volumes \"{id}\""
            )));
        }
        let members = match self.session.version >= Microversion::LIST_VOLUME {
            true => "?list_volume=true",
            false => "",
        };
        self.one(format!("/groups/{id}{members}")).await
    }

    /// Everything of a kind that a query lets pass.
    pub(super) async fn all<T: Named + Clone>(&self, query: &str) -> Result<Vec<T>, Problem> {
        Ok(flat(Scan::<T>::start(&self.session, query).all().await?))
    }

    /// The snapshots of a volume, the oldest first.
    pub(super) async fn snapshots_of(&self, volume: &str) -> Result<Vec<Snapshot>, Problem> {
        let mut all: Vec<Snapshot> = self.all(&format!("&volume_id={}", escape(volume))).await?;
        // A filter that is not heeded lets others pass.
        all.retain(|snapshot| snapshot.volume_id == volume);
        sort(&mut all);
        Ok(all)
    }

    /// All volumes, from the list that others may be reading just now.
    pub(in crate::provider) async fn volumes(&self) -> Result<Vec<Arc<Vec<Volume>>>, Problem> {
        let scan = self.volumes.join(&self.session, self.changes_so_far());
        scan.all().await
    }

    /// All snapshots, likewise.
    pub(in crate::provider) async fn snapshots(&self) -> Result<Vec<Arc<Vec<Snapshot>>>, Problem> {
        let scan = self.snapshots.join(&self.session, self.changes_so_far());
        scan.all().await
    }

    /// The members of a group snapshot. They bear its name; one that was renamed since is found by the volumes of
    /// its group.
    pub(super) async fn members(&self, of: &GroupSnapshot) -> Result<Vec<Snapshot>, Problem> {
        let query = format!("&name={}", escape(&of.name));
        let mut found: Vec<Snapshot> = self.all(&query).await?;
        found.retain(|snapshot| snapshot.group_snapshot_id.as_deref() == Some(of.id.as_str()));
        let group = match &of.group_id {
            Some(id) => match self.group(id).await {
                Ok(group) => Some(group),
                Err(problem) if problem.kind == ProblemKind::NotFound => None,
                Err(problem) => return Err(problem),
            },
            None => None,
        };
        for volume in group.into_iter().flat_map(|group| group.volumes) {
            if found.iter().all(|snapshot| snapshot.volume_id != volume) {
                let own = self.snapshots_of(&volume).await?;
                found.extend(own.into_iter().filter(|snapshot| {
                    snapshot.group_snapshot_id.as_deref() == Some(of.id.as_str())
                }));
            }
        }
        Ok(found)
    }
}

/// Pages as one list.
pub(in crate::provider) fn flat<T: Clone>(pages: Vec<Arc<Vec<T>>>) -> Vec<T> {
    pages
        .into_iter()
        .flat_map(|page| match Arc::try_unwrap(page) {
            Ok(items) => items,
            Err(shared) => shared.to_vec(),
        })
        .collect()
}

/// The oldest first.
pub(super) fn sort(snapshots: &mut [Snapshot]) {
    snapshots.sort_by(|a, b| (&a.created_at, &a.id).cmp(&(&b.created_at, &b.id)));
}
