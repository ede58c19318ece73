//! What one step of a plan does, and the calls that it makes: a plan shows them, a run sends them.

use serde_json::{Map, Value, json};

use super::convert::with_mark;
use super::labels::Labels;
use super::look::escape;
use super::session::Ask;
use super::{KEY, REVERT};
use crate::http::Method;
use crate::model::{Bytes, Kind, Operation, Problem, ProblemKind, VolumeId};

/// What stands for a key that is known only when the step is run.
pub(super) const SOME_KEY: &str = "$TASK";
/// What stands for a group that an earlier step makes.
pub(super) const SOME_GROUP: &str = "$GROUP";

/// What one step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Makes a volume, empty or from a snapshot.
    MakeVolume,
    /// Changes a volume's name or description.
    EditVolume,
    /// Makes a volume larger.
    Extend,
    /// Removes a volume.
    DropVolume,
    /// Takes a volume out of its group.
    LeaveGroup(String),
    /// Removes a group that was made for a group snapshot and is empty.
    DropGroup(String),
    /// Takes a snapshot; of a volume in use by force, where the version needs that.
    MakeSnapshot(bool),
    /// Changes a snapshot's name or description.
    EditSnapshot,
    /// Sets metadata of a volume or a snapshot.
    SetMetadata,
    /// Takes this key of its metadata away.
    DropMetadata(String),
    /// Has the service say another status of it.
    ResetStatus,
    /// Removes a snapshot.
    DropSnapshot,
    /// Takes a volume back.
    Revert,
    /// Makes a group of this type for volumes of these types.
    MakeGroup(String, Vec<String>),
    /// Puts volumes into the group that the step before has made.
    JoinGroup,
    /// Takes a snapshot of a group; `None` for the one that an earlier step has made.
    TakeGroup(Option<String>),
    /// Removes a group snapshot.
    DropGroupSnapshot,
}

impl Act {
    /// The name of the step, which a journal keeps: the verb, and what is not in the operation.
    pub(super) fn name(&self) -> String {
        match self {
            Self::MakeVolume => "make-volume".to_owned(),
            Self::EditVolume => "edit-volume".to_owned(),
            Self::Extend => "extend".to_owned(),
            Self::DropVolume => "delete-volume".to_owned(),
            Self::LeaveGroup(group) => format!("leave-group:{group}"),
            Self::DropGroup(group) => format!("delete-group:{group}"),
            Self::MakeSnapshot(false) => "make-snapshot".to_owned(),
            Self::MakeSnapshot(true) => "make-snapshot:force".to_owned(),
            Self::EditSnapshot => "edit-snapshot".to_owned(),
            Self::SetMetadata => "set-metadata".to_owned(),
            Self::DropMetadata(key) => format!("drop-metadata:{key}"),
            Self::ResetStatus => "reset-status".to_owned(),
            Self::DropSnapshot => "delete-snapshot".to_owned(),
            Self::Revert => "revert".to_owned(),
            Self::MakeGroup(kind, types) => format!("make-group:{kind}:{}", types.join(",")),
            Self::JoinGroup => "join-group".to_owned(),
            Self::TakeGroup(None) => "take-group".to_owned(),
            Self::TakeGroup(Some(group)) => format!("take-group:{group}"),
            Self::DropGroupSnapshot => "delete-group-snapshot".to_owned(),
        }
    }

    /// What a name says.
    pub(super) fn parse(name: &str) -> Result<Self, Problem> {
        // A key may have anything in it.
        if let Some(key) = name.strip_prefix("drop-metadata:") {
            return Ok(Self::DropMetadata(key.to_owned()));
        }
        let mut parts = name.splitn(3, ':');
        let verb = parts.next().unwrap_or_default();
        let (first, second) = (parts.next(), parts.next());
        Ok(match (verb, first, second) {
            ("make-volume", None, None) => Self::MakeVolume,
            ("edit-volume", None, None) => Self::EditVolume,
            ("extend", None, None) => Self::Extend,
            ("delete-volume", None, None) => Self::DropVolume,
            ("leave-group", Some(group), None) => Self::LeaveGroup(group.to_owned()),
            ("delete-group", Some(group), None) => Self::DropGroup(group.to_owned()),
            ("make-snapshot", None, None) => Self::MakeSnapshot(false),
            ("make-snapshot", Some("force"), None) => Self::MakeSnapshot(true),
            ("edit-snapshot", None, None) => Self::EditSnapshot,
            ("set-metadata", None, None) => Self::SetMetadata,
            ("reset-status", None, None) => Self::ResetStatus,
            ("delete-snapshot", None, None) => Self::DropSnapshot,
            ("revert", None, None) => Self::Revert,
            ("make-group", Some(kind), Some(types)) => Self::MakeGroup(
                kind.to_owned(),
                types.split(',').map(str::to_owned).collect(),
            ),
            ("join-group", None, None) => Self::JoinGroup,
            ("take-group", group, None) => Self::TakeGroup(group.map(str::to_owned)),
            ("delete-group-snapshot", None, None) => Self::DropGroupSnapshot,
            _ => {
                let what = format!("there is no step \"{name}\"");
                return Err(Problem::new(ProblemKind::Bug, what));
            }
        })
    }

    /// The calls, in their order. `key` is the idempotency key, `group` the group that an earlier step has made,
    /// `since` when the volume was last changed before it is taken back.
    pub(super) fn asks(
        &self,
        operation: &Operation,
        key: &str,
        group: &str,
        since: &str,
    ) -> Result<Vec<Ask>, Problem> {
        let one = |ask| Ok(vec![ask]);
        let volume = || Ok::<_, Problem>(format!("/volumes/{}", operation.volume()?));
        let snapshot = || Ok::<_, Problem>(format!("/snapshots/{}", operation.snapshot()?));
        match self {
            Self::MakeVolume => one(post(
                "/volumes",
                json!({"volume": new_volume(operation, key)?}),
            )),
            Self::EditVolume => one(put(volume()?, json!({"volume": edits(operation)}))),
            Self::Extend => {
                let size = gib(operation.get_size("size")?);
                one(post(
                    format!("{}/action", volume()?),
                    json!({"os-extend": {"new_size": size}}),
                ))
            }
            Self::DropVolume => {
                let cascade = match operation.flag("snapshots") {
                    true => "?cascade=true",
                    false => "",
                };
                one(Ask::new(Method::Delete, format!("{}{cascade}", volume()?)))
            }
            Self::LeaveGroup(group) => one(put(
                format!("/groups/{group}"),
                json!({"group": {"remove_volumes": operation.volume()?.as_str()}}),
            )),
            Self::DropGroup(group) => one(post(
                format!("/groups/{group}/action"),
                json!({"delete": {"delete-volumes": false}}),
            )),
            Self::MakeSnapshot(force) => {
                let mut body = json!({
                    "volume_id": operation.volume()?.as_str(),
                    "name": operation.get_text("name")?,
                    "description": operation.find_text("description"),
                    "metadata": {KEY: key},
                });
                if *force {
                    body["force"] = true.into();
                }
                one(post("/snapshots", json!({"snapshot": body})))
            }
            Self::EditSnapshot => one(put(snapshot()?, json!({"snapshot": edits(operation)}))),
            Self::SetMetadata => {
                let labels = Labels::parse(operation.get_text("metadata")?, "")?;
                let path = format!("{}/metadata", volume().or_else(|_| snapshot())?);
                one(post(path, json!({"metadata": labels.set})))
            }
            Self::DropMetadata(key) => {
                let of = volume().or_else(|_| snapshot())?;
                let path = format!("{of}/metadata/{}", escape(key));
                one(Ask::new(Method::Delete, path))
            }
            Self::ResetStatus => {
                let path = format!("{}/action", volume().or_else(|_| snapshot())?);
                let status = operation.get_text("status")?;
                one(post(path, json!({"os-reset_status": {"status": status}})))
            }
            Self::DropSnapshot => one(Ask::new(Method::Delete, snapshot()?)),
            Self::Revert => {
                let note = |said: String| {
                    Ok::<_, Problem>(post(
                        format!("{}/metadata", snapshot()?),
                        json!({"metadata": {REVERT: said}}),
                    ))
                };
                Ok(vec![
                    // Without this nobody could tell afterwards whether it was begun, or done.
                    note(format!("{key} begun {since}"))?,
                    post(
                        format!("{}/action", volume()?),
                        json!({"revert": {"snapshot_id": operation.snapshot()?.as_str()}}),
                    ),
                    note(format!("{key} done"))?,
                ])
            }
            Self::MakeGroup(kind, types) => one(post(
                "/groups",
                json!({"group": {
                    "name": operation.get_text("name")?,
                    "description": with_mark("", key),
                    "group_type": kind,
                    "volume_types": types,
                }}),
            )),
            Self::JoinGroup => {
                let volumes = operation.volumes()?;
                let ids: Vec<&str> = volumes.iter().map(VolumeId::as_str).collect();
                one(put(
                    format!("/groups/{group}"),
                    json!({"group": {"add_volumes": ids.join(",")}}),
                ))
            }
            Self::TakeGroup(own) => {
                let description = operation.find_text("description").unwrap_or_default();
                one(post(
                    "/group_snapshots",
                    json!({"group_snapshot": {
                        "group_id": own.as_deref().unwrap_or(group),
                        "name": operation.get_text("name")?,
                        "description": with_mark(description, key),
                    }}),
                ))
            }
            Self::DropGroupSnapshot => one(Ask::new(
                Method::Delete,
                format!(
                    "/group_snapshots/{}",
                    operation.object("group", Kind::Group)?
                ),
            )),
        }
    }
}

fn post(path: impl Into<String>, body: Value) -> Ask {
    Ask::new(Method::Post, path).body(body)
}

fn put(path: impl Into<String>, body: Value) -> Ask {
    Ask::new(Method::Put, path).body(body)
}

/// The size as the service counts it.
pub(in crate::provider) fn gib(size: Bytes) -> u64 {
    size.0 >> 30
}

fn new_volume(operation: &Operation, key: &str) -> Result<Value, Problem> {
    let mut body = Map::new();
    body.insert("name".to_owned(), operation.get_text("name")?.into());
    if let Ok(size) = operation.get_size("size") {
        body.insert("size".to_owned(), gib(size).into());
    }
    if let Ok(snapshot) = operation.snapshot() {
        body.insert("snapshot_id".to_owned(), snapshot.as_str().into());
    }
    for (field, member) in [
        ("description", "description"),
        ("type", "volume_type"),
        ("zone", "availability_zone"),
    ] {
        if let Some(text) = operation.find_text(field) {
            body.insert(member.to_owned(), text.into());
        }
    }
    body.insert("metadata".to_owned(), json!({KEY: key}));
    Ok(Value::Object(body))
}

/// What is to be different.
fn edits(operation: &Operation) -> Value {
    let said = ["name", "description"].into_iter().filter_map(|field| {
        let text = operation.find_text(field)?;
        Some((field.to_owned(), Value::from(text)))
    });
    Value::Object(said.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OperationKind;

    #[test]
    fn a_journal_gives_back_what_was_planned() {
        for act in [
            Act::MakeVolume,
            Act::EditVolume,
            Act::Extend,
            Act::DropVolume,
            Act::LeaveGroup("g".into()),
            Act::DropGroup("g".into()),
            Act::MakeSnapshot(false),
            Act::MakeSnapshot(true),
            Act::EditSnapshot,
            Act::SetMetadata,
            Act::DropMetadata("a:b:c".into()),
            Act::ResetStatus,
            Act::DropSnapshot,
            Act::Revert,
            Act::MakeGroup("t".into(), vec!["a".into(), "b".into()]),
            Act::JoinGroup,
            Act::TakeGroup(None),
            Act::TakeGroup(Some("g".into())),
            Act::DropGroupSnapshot,
        ] {
            assert_eq!(Act::parse(&act.name()).unwrap(), act);
        }
        assert!(Act::parse("burn").is_err());
    }

    #[test]
    fn the_bodies_are_those_of_the_service() {
        let revert = Operation::new(OperationKind::Restore)
            .on_volume(&"v".into())
            .on_snapshot(&"s".into());
        let asks = Act::Revert.asks(&revert, "k/0", "", "then").unwrap();
        let paths: Vec<_> = asks.iter().map(|ask| ask.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "/snapshots/s/metadata",
                "/volumes/v/action",
                "/snapshots/s/metadata"
            ]
        );
        assert_eq!(asks[1].body, Some(json!({"revert": {"snapshot_id": "s"}})));
        let take = Operation::new(OperationKind::CreateSnapshot)
            .on_volume(&"v".into())
            .text("name", "n");
        let asks = Act::MakeSnapshot(false).asks(&take, "k/0", "", "").unwrap();
        assert_eq!(
            asks[0].body,
            Some(
                json!({"snapshot": {"volume_id": "v", "name": "n", "description": null,
                "metadata": {"snapdeck_key": "k/0"}}})
            )
        );
    }
}
