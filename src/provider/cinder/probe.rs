//! Finding out how far a step has come, by looking at what is there. Nothing is sent before this has said that it was
//! not done; what was sent and not answered is looked for in the same way.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::act::Act;
use super::labels::Labels;
use super::session::Ask;
use super::{KEY, MARK, REVERT, Shared, look};
use crate::model::{
    Bytes, Kind, ObjectRef, Operation, Problem, ProblemKind, Progress, StepOutcome,
};
use crate::wire::cinder::{
    Group, GroupSnapshot, GroupStatus, Snapshot, SnapshotStatus, Volume, VolumeStatus,
};

/// How far a step has come.
#[derive(Debug)]
pub(in crate::provider) enum Probe {
    /// Nothing of it is there.
    NotDone,
    /// The service is at it.
    Running(Option<Progress>),
    /// It is done.
    Done(StepOutcome),
    /// It was begun, and failed; done again it may succeed.
    Failed(Problem),
    /// What is there does not tell.
    Unknown(Problem),
}

/// A step that is looked for.
pub(super) struct Search<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) act: &'a Act,
    pub(super) operation: &'a Operation,
    /// The idempotency key.
    pub(super) key: &'a str,
    /// The group that an earlier step has made.
    pub(super) group: Option<&'a str>,
    /// The id of what was made, where the service has told it.
    pub(super) made: Option<&'a str>,
    /// Whether the call was sent just now, so that what is wrong now came of it.
    pub(super) sent: bool,
}

pub(in crate::provider) fn done(made: Option<ObjectRef>) -> Probe {
    Probe::Done(StepOutcome {
        message: String::new(),
        made: made.into_iter().collect(),
    })
}

/// Done where it is so already.
pub(in crate::provider) fn only_if(so: bool) -> Probe {
    match so {
        true => done(None),
        false => Probe::NotDone,
    }
}

/// What is not there is no problem here.
pub(in crate::provider) fn if_there<T>(result: Result<T, Problem>) -> Result<Option<T>, Problem> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(problem) if problem.kind == ProblemKind::NotFound => Ok(None),
        Err(problem) => Err(problem),
    }
}

impl Search<'_> {
    /// Looks.
    pub(super) async fn probe(&self) -> Result<Probe, Problem> {
        let volume = || self.operation.volume();
        match self.act {
            Act::MakeVolume => self.made_volume().await,
            Act::EditVolume => {
                let volume = self.shared.volume(volume()?.as_str()).await?;
                Ok(self.edited(&volume.name, &volume.description))
            }
            Act::Extend => self.extended().await,
            Act::DropVolume => {
                let found = if_there(self.shared.volume(volume()?.as_str()).await)?;
                let Some(volume) = found else {
                    return Ok(done(None));
                };
                let failed = self.sent && volume.status.is_error();
                let deleting = volume.status == VolumeStatus::Deleting;
                self.dropped(deleting, failed, &volume.id, "volume").await
            }
            Act::LeaveGroup(group) => {
                let found = if_there(self.shared.volume(volume()?.as_str()).await)?;
                match found {
                    Some(v) if v.group_id.as_deref() == Some(group) => self.updating(group).await,
                    _ => Ok(done(None)),
                }
            }
            Act::DropGroup(group) => match if_there(self.shared.group(group).await)? {
                None => Ok(done(None)),
                Some(found) => {
                    let failed = self.sent && found.status == GroupStatus::Error;
                    let deleting = found.status == GroupStatus::Deleting;
                    self.dropped(deleting, failed, &found.id, "group").await
                }
            },
            Act::MakeSnapshot(_) => self.made_snapshot().await,
            Act::EditSnapshot => {
                let id = self.operation.snapshot()?;
                let snapshot = self.shared.snapshot(id.as_str()).await?;
                Ok(self.edited(&snapshot.name, &snapshot.description))
            }
            Act::SetMetadata => {
                let labels = Labels::parse(self.operation.get_text("metadata")?, "")?;
                let (metadata, _) = self.kept().await?;
                Ok(only_if(
                    labels.set.iter().all(|(k, v)| metadata.get(k) == Some(v)),
                ))
            }
            Act::DropMetadata(key) => {
                let (metadata, _) = self.kept().await?;
                Ok(only_if(!metadata.contains_key(key)))
            }
            Act::ResetStatus => {
                let (_, status) = self.kept().await?;
                Ok(only_if(status == self.operation.get_text("status")?))
            }
            Act::DropSnapshot => {
                let id = self.operation.snapshot()?;
                let Some(found) = if_there(self.shared.snapshot(id.as_str()).await)? else {
                    return Ok(done(None));
                };
                let failed = self.sent && found.status == SnapshotStatus::ErrorDeleting;
                let deleting = found.status == SnapshotStatus::Deleting;
                self.dropped(deleting, failed, &found.id, "snapshot").await
            }
            Act::Revert => self.reverted().await,
            Act::MakeGroup(..) => match self.shared.made_group(self.key).await? {
                None => Ok(Probe::NotDone),
                Some(group) => {
                    self.group_settled(&group.status, None, &group.id, "group")
                        .await
                }
            },
            Act::JoinGroup => self.joined().await,
            Act::TakeGroup(_) => {
                let all = self.shared.all::<GroupSnapshot>("").await?;
                let mark = format!("{MARK}{}]", self.key);
                let found = all.into_iter().find(|group| {
                    self.made == Some(group.id.as_str()) || group.description.ends_with(&mark)
                });
                let Some(found) = found else {
                    return Ok(Probe::NotDone);
                };
                let made = ObjectRef::new(Kind::Group, found.id.clone());
                self.group_settled(&found.status, Some(made), &found.id, "group snapshot")
                    .await
            }
            Act::DropGroupSnapshot => {
                let id = self.operation.object("group", Kind::Group)?;
                let Some(found) = if_there(self.shared.group_snapshot(id).await)? else {
                    return Ok(done(None));
                };
                let failed = self.sent && found.status.state() == crate::model::GroupState::Error;
                let deleting = found.status == GroupStatus::Deleting;
                self.dropped(deleting, failed, &found.id, "group snapshot")
                    .await
            }
        }
    }

    /// The metadata of what is changed, and the word of its status.
    async fn kept(&self) -> Result<(BTreeMap<String, String>, String), Problem> {
        if let Ok(id) = self.operation.volume() {
            let volume = self.shared.volume(id.as_str()).await?;
            return Ok((volume.metadata, volume.status.word().to_owned()));
        }
        let id = self.operation.snapshot()?;
        let snapshot = self.shared.snapshot(id.as_str()).await?;
        Ok((snapshot.metadata, snapshot.status.word().to_owned()))
    }

    async fn made_volume(&self) -> Result<Probe, Problem> {
        let found = match self.made {
            Some(id) => if_there(self.shared.volume(id).await)?,
            None => {
                let filter = format!("{{'{KEY}': '{}'}}", self.key);
                let query = format!("&metadata={}", look::escape(&filter));
                let all: Vec<Volume> = self.shared.all(&query).await?;
                all.into_iter()
                    .find(|volume| self.is_mine(volume.metadata.get(KEY)))
            }
        };
        let Some(volume) = found else {
            return Ok(Probe::NotDone);
        };
        if volume.status.is_error() {
            return Err(self
                .failed("the volume could not be made", &volume.id)
                .await);
        }
        match volume.status.is_settled() {
            true => Ok(done(Some(ObjectRef::new(Kind::Volume, volume.id)))),
            false => Ok(Probe::Running(None)),
        }
    }

    async fn made_snapshot(&self) -> Result<Probe, Problem> {
        let found = match self.made {
            Some(id) => if_there(self.shared.snapshot(id).await)?,
            None => {
                let all = self
                    .shared
                    .snapshots_of(self.operation.volume()?.as_str())
                    .await?;
                all.into_iter()
                    .find(|snapshot| self.is_mine(snapshot.metadata.get(KEY)))
            }
        };
        let Some(snapshot) = found else {
            return Ok(Probe::NotDone);
        };
        match &snapshot.status {
            SnapshotStatus::Error => Err(self
                .failed("the snapshot could not be taken", &snapshot.id)
                .await),
            status if status.is_settled() => {
                Ok(done(Some(ObjectRef::new(Kind::Snapshot, snapshot.id))))
            }
            _ => Ok(Probe::Running(progress(&snapshot))),
        }
    }

    fn is_mine(&self, key: Option<&String>) -> bool {
        key.is_some_and(|key| key == self.key)
    }

    fn edited(&self, name: &str, description: &str) -> Probe {
        let now = [("name", name), ("description", description)];
        let same = now.iter().all(|(field, now)| {
            let wanted = self.operation.find_text(field);
            wanted.is_none_or(|wanted| wanted.trim() == *now)
        });
        only_if(same)
    }

    async fn extended(&self) -> Result<Probe, Problem> {
        let volume = self
            .shared
            .volume(self.operation.volume()?.as_str())
            .await?;
        if self.sent && volume.status == VolumeStatus::ErrorExtending {
            return Err(self
                .failed("the volume could not be extended", &volume.id)
                .await);
        }
        let large = Bytes::gib(volume.size) >= self.operation.get_size("size")?;
        Ok(match (&volume.status, large) {
            (VolumeStatus::Extending, _) => Probe::Running(None),
            (status, true) if status.is_settled() => done(None),
            _ => Probe::NotDone,
        })
    }

    async fn dropped(
        &self,
        deleting: bool,
        failed: bool,
        id: &str,
        what: &str,
    ) -> Result<Probe, Problem> {
        if failed {
            return Err(self
                .failed(&format!("the {what} could not be deleted"), id)
                .await);
        }
        Ok(match deleting {
            true => Probe::Running(None),
            false => Probe::NotDone,
        })
    }

    /// What is taken back bears the key, and how far it had come when that was written.
    async fn reverted(&self) -> Result<Probe, Problem> {
        let snapshot = self
            .shared
            .snapshot(self.operation.snapshot()?.as_str())
            .await?;
        let said = snapshot.metadata.get(REVERT).map_or("", String::as_str);
        let Some(said) = said
            .strip_prefix(self.key)
            .and_then(|rest| rest.strip_prefix(' '))
        else {
            return Ok(Probe::NotDone);
        };
        if said == "done" {
            return Ok(done(None));
        }
        let volume = self
            .shared
            .volume(self.operation.volume()?.as_str())
            .await?;
        let before = said.strip_prefix("begun ").unwrap_or_default();
        let busy = volume.status == VolumeStatus::Reverting
            || snapshot.status == SnapshotStatus::Restoring;
        if busy {
            return Ok(Probe::Running(None));
        }
        if volume.status.is_error() {
            return Err(self
                .failed("the volume could not be taken back", &volume.id)
                .await);
        }
        if volume.updated_at.as_deref().unwrap_or("never") == before {
            return Ok(Probe::NotDone);
        }
        if self.sent {
            return Ok(done(None));
        }
        let problem = Problem::new(
            ProblemKind::System,
            "it was begun to take the volume back, and the service does not say whether it was done",
        );
        Ok(Probe::Unknown(problem.hint(
            "look at what the volume holds; taken up again, it is taken back once more, and what was written since is gone",
        )))
    }

    async fn updating(&self, group: &str) -> Result<Probe, Problem> {
        let group = self.shared.group(group).await?;
        if self.sent && group.status == GroupStatus::Error {
            return Err(self
                .failed("the group could not be changed", &group.id)
                .await);
        }
        Ok(match group.status.is_settled() {
            true => Probe::NotDone,
            false => Probe::Running(None),
        })
    }

    async fn joined(&self) -> Result<Probe, Problem> {
        let Some(id) = self.group else {
            return Ok(Probe::NotDone);
        };
        let group = self.shared.group(id).await?;
        let wanted = self.operation.volumes()?;
        let mut inside = true;
        for id in &wanted {
            let volume = self.shared.volume(id.as_str()).await?;
            inside &= volume.group_id.as_deref() == Some(group.id.as_str());
        }
        match inside && group.status.is_settled() {
            true => Ok(done(None)),
            false => self.updating(id).await,
        }
    }

    async fn group_settled(
        &self,
        status: &GroupStatus,
        made: Option<ObjectRef>,
        id: &str,
        what: &str,
    ) -> Result<Probe, Problem> {
        if matches!(status, GroupStatus::Error) {
            return Err(self
                .failed(&format!("the {what} could not be made"), id)
                .await);
        }
        Ok(match status.is_settled() {
            true => done(made),
            false => Probe::Running(None),
        })
    }

    /// The problem of something that went wrong over there, with the reason where the service keeps one.
    async fn failed(&self, what: &str, id: &str) -> Problem {
        let problem = Problem::new(ProblemKind::System, what).hint(format!(
            "{id} is in error there: delete it, or ask an administrator"
        ));
        let ask = Ask::get(format!("/messages?resource_uuid={}", look::escape(id)));
        let said = match self
            .shared
            .session
            .read(&ask, "no reason can be read")
            .await
        {
            Ok(answer) => serde_json::from_slice::<Value>(&answer.body).ok(),
            Err(_) => None,
        };
        let message = said
            .as_ref()
            .and_then(|body| body.get("messages")?.get(0)?.get("user_message")?.as_str());
        match message {
            Some(message) => problem.because(message.to_owned()),
            None => problem.because("the service gives no reason"),
        }
    }
}

fn progress(snapshot: &Snapshot) -> Option<Progress> {
    let total = Bytes::gib(snapshot.size);
    let percent = snapshot.percent().filter(|percent| *percent > 0)?;
    Some(Progress {
        done: Bytes(total.0 / 100 * percent),
        total,
        rate: Bytes(0),
    })
}

impl Shared {
    /// The group that a step with this key has made.
    pub(super) async fn made_group(&self, key: &str) -> Result<Option<Group>, Problem> {
        let mark = format!("{MARK}{key}]");
        let all = self.all::<Group>("").await?;
        Ok(all
            .into_iter()
            .find(|group| group.description.ends_with(&mark)))
    }
}
