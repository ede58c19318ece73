//! What one step of a plan does, and the calls that it makes: a plan shows them, a run sends them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::family::{Family, MAKES};
use super::{GUARD, ROLLBACK};
use crate::http::Method;
use crate::model::{Operation, Problem, ProblemKind};
use crate::provider::cinder::KEY;
use crate::provider::cinder::act::gib;
use crate::provider::cinder::labels::Labels;
use crate::provider::cinder::session::Ask;
use crate::wire::evs::{
    CreateSnapshot, CreateVolume, Extend, RESERVED, Rollback, UpdateSnapshot, UpdateVolume,
};

/// What one step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Makes a disk, empty or from a snapshot, in this zone.
    MakeVolume(String),
    /// Changes a disk's name or description. The name goes along that it keeps, where the description is to be empty:
    /// "name and description can not both be empty".
    EditVolume(Option<String>),
    /// Makes a disk larger.
    Extend,
    /// Removes a disk.
    DropVolume,
    /// Takes a snapshot.
    MakeSnapshot,
    /// Takes a snapshot of what a rollback replaces.
    MakeGuard,
    /// Changes a snapshot's name or description, likewise.
    EditSnapshot(Option<String>),
    /// Sets metadata of a snapshot.
    SetMetadata,
    /// Takes this key of its metadata away.
    DropMetadata(String),
    /// Removes a snapshot: this one, or that of the operation.
    DropSnapshot(Option<String>),
    /// Rolls a disk back.
    Rollback,
}

/// What is known only when a step is run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blanks<'a> {
    /// The idempotency key.
    pub(super) key: &'a str,
    /// The name of a guard.
    pub(super) guard: &'a str,
    /// What is noted when a rollback is over.
    pub(super) note: &'a str,
}

impl Blanks<'_> {
    /// What stands for them in a plan.
    pub(super) const SHOWN: Blanks<'static> = Blanks {
        key: "$TASK",
        guard: "guard-$TIME",
        note: "$TASK $UPDATED_AT",
    };
}

impl Act {
    /// The name of the step, which a journal keeps: the verb, and what is not in the operation.
    pub(super) fn name(&self) -> String {
        match self {
            Self::MakeVolume(zone) => format!("make-volume:{zone}"),
            Self::EditVolume(None) => "edit-volume".to_owned(),
            Self::EditVolume(Some(name)) => format!("edit-volume:{name}"),
            Self::Extend => "extend".to_owned(),
            Self::DropVolume => "delete-volume".to_owned(),
            Self::MakeSnapshot => "make-snapshot".to_owned(),
            Self::MakeGuard => "make-guard".to_owned(),
            Self::EditSnapshot(None) => "edit-snapshot".to_owned(),
            Self::EditSnapshot(Some(name)) => format!("edit-snapshot:{name}"),
            Self::SetMetadata => "set-metadata".to_owned(),
            Self::DropMetadata(key) => format!("drop-metadata:{key}"),
            Self::DropSnapshot(None) => "delete-snapshot".to_owned(),
            Self::DropSnapshot(Some(id)) => format!("delete-snapshot:{id}"),
            Self::Rollback => "rollback".to_owned(),
        }
    }

    /// What a name says.
    pub(super) fn parse(name: &str) -> Result<Self, Problem> {
        let (verb, rest) = match name.split_once(':') {
            Some((verb, rest)) => (verb, Some(rest.to_owned())),
            None => (name, None),
        };
        Ok(match (verb, rest) {
            ("make-volume", Some(zone)) => Self::MakeVolume(zone),
            ("edit-volume", name) => Self::EditVolume(name),
            ("extend", None) => Self::Extend,
            ("delete-volume", None) => Self::DropVolume,
            ("make-snapshot", None) => Self::MakeSnapshot,
            ("make-guard", None) => Self::MakeGuard,
            ("edit-snapshot", name) => Self::EditSnapshot(name),
            ("set-metadata", None) => Self::SetMetadata,
            ("drop-metadata", Some(key)) => Self::DropMetadata(key),
            ("delete-snapshot", id) => Self::DropSnapshot(id),
            ("rollback", None) => Self::Rollback,
            _ => {
                let what = format!("there is no step \"{name}\"");
                return Err(Problem::new(ProblemKind::Bug, what));
            }
        })
    }

    /// The calls, in their order. The last of a rollback is made when it is over.
    pub(super) fn asks(
        &self,
        operation: &Operation,
        family: Family,
        blanks: Blanks<'_>,
    ) -> Result<Vec<Ask>, Problem> {
        let one = |ask| Ok(vec![ask]);
        let volume = || Ok::<_, Problem>(format!("{}/{}", family.volumes(), operation.volume()?));
        let snapshot =
            || Ok::<_, Problem>(format!("{}/{}", family.snapshots(), operation.snapshot()?));
        match self {
            Self::MakeVolume(zone) => {
                let body = new_volume(operation, zone, blanks.key)?;
                one(made(
                    post(family.volumes(), json!({"volume": body})),
                    family,
                ))
            }
            Self::EditVolume(name) => {
                let body: UpdateVolume = edits(operation, name.as_ref());
                one(Ask::new(Method::Put, volume()?).body(json!({"volume": body})))
            }
            Self::Extend => {
                let body = Extend {
                    new_size: gib(operation.get_size("size")?),
                };
                let path = format!("{}/action", volume()?);
                one(made(post(&path, json!({"os-extend": body})), family))
            }
            Self::DropVolume => {
                let cascade = match operation.flag("snapshots") && !family.vendor {
                    true => "?cascade=true",
                    false => "",
                };
                one(Ask::new(Method::Delete, format!("{}{cascade}", volume()?)))
            }
            Self::MakeSnapshot => {
                let body = CreateSnapshot {
                    volume_id: operation.volume()?.0,
                    name: Some(operation.get_text("name")?.to_owned()),
                    description: operation.find_text("description").map(str::to_owned),
                    force: operation.flag("force"),
                    metadata: [(KEY.to_owned(), blanks.key.to_owned())].into(),
                };
                one(post(family.snapshots(), json!({"snapshot": body})))
            }
            Self::MakeGuard => {
                let target = operation.snapshot()?.0;
                let body = CreateSnapshot {
                    volume_id: operation.volume()?.0,
                    name: Some(blanks.guard.to_owned()),
                    description: Some("what the disk held before it was rolled back".to_owned()),
                    force: false,
                    metadata: [
                        (KEY.to_owned(), blanks.key.to_owned()),
                        (GUARD.to_owned(), target),
                    ]
                    .into(),
                };
                one(post(family.snapshots(), json!({"snapshot": body})))
            }
            Self::EditSnapshot(name) => {
                let body: UpdateSnapshot = edits(operation, name.as_ref());
                one(Ask::new(Method::Put, snapshot()?).body(json!({"snapshot": body})))
            }
            Self::SetMetadata => {
                let labels = Labels::parse(operation.get_text("metadata")?, RESERVED)?;
                let path = format!("{}/metadata", snapshot()?);
                one(post(&path, json!({"metadata": labels.set})))
            }
            Self::DropMetadata(key) => {
                let key = crate::provider::cinder::look::escape(key);
                let path = format!("{}/metadata/{key}", snapshot()?);
                one(Ask::new(Method::Delete, path))
            }
            Self::DropSnapshot(None) => one(Ask::new(Method::Delete, snapshot()?)),
            Self::DropSnapshot(Some(id)) => {
                let path = format!("{}/{id}", family.snapshots());
                one(Ask::new(Method::Delete, path))
            }
            Self::Rollback => {
                let body = Rollback {
                    volume_id: operation.volume()?.0,
                    name: None,
                };
                let path = family.rollback(operation.snapshot()?.as_str());
                let mut asks = vec![post(&path, json!({"rollback": body}))];
                if !family.vendor {
                    // Without this nobody could tell afterwards whether it was done.
                    let noted = json!({"metadata": {ROLLBACK: blanks.note}});
                    asks.push(post(&format!("{}/metadata", snapshot()?), noted));
                }
                Ok(asks)
            }
        }
    }
}

fn post(path: &str, body: Value) -> Ask {
    Ask::new(Method::Post, path).body(body)
}

/// A call that makes or extends a disk: the vendor's family has it under another version.
fn made(mut ask: Ask, family: Family) -> Ask {
    if family.vendor {
        ask.service = MAKES;
    }
    ask
}

fn new_volume(operation: &Operation, zone: &str, key: &str) -> Result<CreateVolume, Problem> {
    let text = |field: &str| operation.find_text(field).map(str::to_owned);
    Ok(CreateVolume {
        availability_zone: zone.to_owned(),
        size: operation.get_size("size").ok().map(gib),
        volume_type: text("type"),
        name: operation.get_text("name")?.to_owned(),
        description: text("description"),
        snapshot_id: operation.snapshot().ok().map(|id| id.0),
        metadata: BTreeMap::from([(KEY.to_owned(), key.to_owned())]),
    })
}

/// What is to be different, with the name that is to be sent along.
fn edits(operation: &Operation, name: Option<&String>) -> UpdateSnapshot {
    let text = |field: &str| operation.find_text(field).map(str::to_owned);
    UpdateSnapshot {
        name: text("name").or(name.cloned()),
        description: text("description"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OperationKind;
    use crate::model::Value as V;

    #[test]
    fn a_journal_gives_back_what_was_planned() {
        for act in [
            Act::MakeVolume("zone-b".into()),
            Act::EditVolume(None),
            Act::EditVolume(Some("a:b".into())),
            Act::Extend,
            Act::DropVolume,
            Act::MakeSnapshot,
            Act::MakeGuard,
            Act::EditSnapshot(None),
            Act::EditSnapshot(Some("n".into())),
            Act::SetMetadata,
            Act::DropMetadata("a:b".into()),
            Act::DropSnapshot(None),
            Act::DropSnapshot(Some("s".into())),
            Act::Rollback,
        ] {
            assert_eq!(Act::parse(&act.name()).unwrap(), act);
        }
        assert!(Act::parse("burn").is_err() && Act::parse("make-volume").is_err());
    }

    #[test]
    fn the_bodies_are_those_of_the_reference() {
        let take = Operation::new(OperationKind::CreateSnapshot)
            .on_volume(&"v".into())
            .text("name", "n")
            .with("force", V::Flag(true));
        let blanks = Blanks {
            key: "k/0",
            ..Blanks::SHOWN
        };
        let asks = Act::MakeSnapshot.asks(&take, Family::NATIVE, blanks);
        let asks = asks.unwrap();
        assert_eq!(asks[0].path, "/snapshots");
        assert_eq!(
            asks[0].body,
            Some(
                json!({"snapshot": {"volume_id": "v", "name": "n", "force": true,
                "metadata": {"snapdeck_key": "k/0"}}})
            )
        );
        let back = Operation::new(OperationKind::Restore)
            .on_volume(&"v".into())
            .on_snapshot(&"s".into());
        let asks = Act::Rollback.asks(&back, Family::NATIVE, blanks).unwrap();
        let paths: Vec<_> = asks.iter().map(|ask| ask.path.as_str()).collect();
        assert_eq!(
            paths,
            ["/cloudsnapshots/s/rollback", "/snapshots/s/metadata"]
        );
        assert_eq!(asks[0].body, Some(json!({"rollback": {"volume_id": "v"}})));
        let rename = Operation::new(OperationKind::UpdateSnapshot)
            .on_snapshot(&"s".into())
            .text("description", "");
        let edit = Act::EditSnapshot(Some("n".into()));
        let asks = edit.asks(&rename, Family::NATIVE, blanks);
        assert_eq!(
            asks.unwrap()[0].body,
            Some(json!({"snapshot": {"name": "n", "description": ""}}))
        );
    }
}
