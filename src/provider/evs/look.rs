//! Looking at single things, and at lists.

use std::collections::HashMap;
use std::sync::Arc;

use super::line::Line;
use super::{Shared, convert};
use crate::http::Response;
use crate::model::{Kind, ObjectRef, Problem, ProblemKind};
use crate::provider::cinder::convert::Beside;
use crate::provider::cinder::look::{escape, flat, is_id};
use crate::provider::cinder::scan::Scan;
use crate::provider::cinder::session::{Ask, Session, not_understood};
use crate::wire::cinder::{Named, One};
use crate::wire::evs::{Job, Quotas, Snapshot, Volume, Zone};

/// The pages of a list.
pub(super) type Pages<T> = Vec<Arc<Vec<T>>>;

fn nothing(object: &ObjectRef) -> Problem {
    let word = match object.kind {
        Kind::Volume => "disk",
        other => other.one(),
    };
    Problem::not_found(format!("there is no {word} \"{}\"", object.id))
}

impl Shared {
    /// The path of a thing.
    fn path(&self, object: &ObjectRef) -> Result<String, Problem> {
        let many = match object.kind {
            Kind::Volume => self.family.volumes(),
            Kind::Snapshot => self.family.snapshots(),
            Kind::Group | Kind::Session | Kind::Target => return Err(nothing(object)),
        };
        match is_id(&object.id) {
            true => Ok(format!("{many}/{}", object.id)),
            false => Err(nothing(object)),
        }
    }

    /// The answer that shows a thing.
    pub(super) async fn answer(&self, object: &ObjectRef) -> Result<Response, Problem> {
        let what = format!("{object} cannot be shown");
        let ask = Ask::get(self.path(object)?);
        self.session.read(&ask, &what).await
    }

    async fn one<T: Named>(&self, object: &ObjectRef) -> Result<T, Problem> {
        let answer = self.answer(object).await?;
        let what = format!("{object} cannot be shown");
        One::<T>::read(&answer.body).map_err(|why| not_understood(&answer, what, &why))
    }

    pub(super) async fn volume(&self, id: &str) -> Result<Volume, Problem> {
        self.one(&ObjectRef::new(Kind::Volume, id)).await
    }

    pub(super) async fn snapshot(&self, id: &str) -> Result<Snapshot, Problem> {
        self.one(&ObjectRef::new(Kind::Snapshot, id)).await
    }

    /// A job of the vendor's family.
    pub(super) async fn job(&self, id: &str) -> Result<Job, Problem> {
        let what = "the job cannot be followed";
        if !is_id(id) {
            return Err(Problem::new(ProblemKind::System, what).because("its id is none"));
        }
        let mut ask = Ask::get(format!("/jobs/{id}"));
        ask.service = super::family::JOBS;
        let answer = self.session.read(&ask, what).await?;
        serde_json::from_slice(&answer.body)
            .map_err(|e| not_understood(&answer, what, &e.to_string()))
    }

    /// The snapshots of a disk, as they come.
    pub(super) async fn snapshots_of(&self, volume: &str) -> Result<Vec<Snapshot>, Problem> {
        if !is_id(volume) {
            return Err(nothing(&ObjectRef::new(Kind::Volume, volume)));
        }
        let way = self
            .family
            .list_snapshots(&format!("&volume_id={}", escape(volume)));
        let mut all: Vec<Snapshot> = flat(Scan::begin(&self.session, way).all().await?);
        // A filter that is not heeded lets others pass.
        all.retain(|snapshot| snapshot.volume_id == volume);
        Ok(all)
    }

    /// The disks of this name.
    pub(super) async fn volumes_named(&self, name: &str) -> Result<Vec<Volume>, Problem> {
        let way = self.family.list_volumes(&format!("&name={}", escape(name)));
        Ok(flat(Scan::begin(&self.session, way).all().await?))
    }

    /// All disks, by the list that others may be reading just now.
    pub(super) fn all_volumes(&self, changes: u64) -> Arc<Scan<Volume>> {
        let way = self.family.list_volumes("");
        self.volumes
            .join_or(changes, || Scan::begin(&self.session, way))
    }

    /// All snapshots, likewise.
    pub(super) fn all_snapshots(&self, changes: u64) -> Arc<Scan<Snapshot>> {
        let way = self.family.list_snapshots("");
        self.snapshots
            .join_or(changes, || Scan::begin(&self.session, way))
    }

    /// All disks and what they say of snapshots.
    pub(super) async fn beside(&self, changes: u64) -> Result<Beside, Problem> {
        let pages: Pages<Volume> = self.all_volumes(changes).all().await?;
        Ok(convert::beside(&pages))
    }

    /// The lines of all disks.
    pub(super) async fn lines(&self, changes: u64) -> Result<HashMap<String, Line>, Problem> {
        let (disks, snapshots) = (self.all_volumes(changes), self.all_snapshots(changes));
        let (disks, snapshots) = tokio::join!(disks.all(), snapshots.all());
        let (disks, snapshots) = (disks?, snapshots?);
        let beside = convert::beside(&disks);
        let all = snapshots.iter().flat_map(|page| page.iter());
        Ok(Line::all(all, |volume| beside.source(volume)))
    }

    /// The zones in which something can be made.
    pub(super) async fn zones(&self) -> Result<Vec<String>, Problem> {
        let what = "the zones cannot be listed";
        let ask = Ask::get("/os-availability-zone");
        let answer = self.session.read(&ask, what).await?;
        Zone::read(&answer.body).map_err(|why| not_understood(&answer, what, &why))
    }
}

/// What is used of what the project may have.
pub(super) async fn quota_set(session: &Session) -> Result<Quotas, Problem> {
    let signed = session.signed().await?;
    let project = signed.said.project.as_ref();
    let project = project.map_or("", |project| project.id.as_str());
    let what = "the quotas cannot be read";
    let ask = Ask::get(format!("/os-quota-sets/{}?usage=True", escape(project)));
    let answer = session.read(&ask, what).await?;
    Quotas::read(&answer.body).map_err(|why| not_understood(&answer, what, &why))
}

/// The same, a line for each of these names that has a limit.
pub(super) fn quota_lines(quotas: &Quotas, names: &[&str]) -> Vec<String> {
    let line = |name: &&str| {
        let quota = quotas.0.get(*name)?;
        let word = match name.strip_prefix("gigabytes") {
            Some("") => "GiB".to_owned(),
            Some(kind) => format!("GiB of {}", kind.trim_start_matches('_')),
            None => name.replacen('_', " of ", 1),
        };
        let used = quota.in_use + quota.reserved;
        // -1 is no limit.
        (quota.limit >= 0).then(|| format!("the project uses {used} of {} {word}", quota.limit))
    };
    names.iter().filter_map(line).collect()
}
