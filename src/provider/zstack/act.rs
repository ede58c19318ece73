//! What one step of a plan does, and the call that it makes: a plan shows it, a run sends it.

use serde::Serialize;
use serde_json::json;

use super::{GUARDS, long};
use crate::http::Method;
use crate::model::{Kind, Operation, Problem, ProblemKind};
use crate::provider::cinder::session::Ask;
use crate::wire::zstack::{Action, NewGroup, NewResource, Params};

/// What one step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Takes a snapshot.
    MakeSnapshot,
    /// Takes a snapshot of what a revert replaces.
    MakeGuard,
    /// Changes a snapshot's name or description.
    EditSnapshot,
    /// Asks how much a snapshot takes, which the system then keeps.
    Measure,
    /// Removes a snapshot and what hangs from it.
    DropSnapshot,
    /// Takes a volume back.
    Revert,
    /// Makes a data volume from a snapshot.
    MakeVolume,
    /// Takes a group of the VM with this root volume.
    MakeGroup(String),
    /// Takes a group of what a revert replaces, likewise.
    MakeGuardGroup(String),
    /// Changes a group's name or description.
    EditGroup,
    /// Removes a group and its snapshots.
    DropGroup,
    /// Takes a VM back.
    RevertGroup,
    /// Removes a group, and leaves its snapshots.
    Ungroup,
    /// Stops this VM, as its guest does it, or by cutting its power.
    StopVm(String, bool),
    /// Starts this VM.
    StartVm(String),
}

/// What is known only when a step is run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blanks<'a> {
    /// The id of what is made.
    pub(super) made: &'a str,
    /// The name of a guard.
    pub(super) guard: &'a str,
    /// The id of the job.
    pub(super) job: &'a str,
}

impl Blanks<'_> {
    /// What stands for them in a plan.
    pub(super) const SHOWN: Blanks<'static> = Blanks {
        made: "$UUID",
        guard: "guard-$TIME",
        job: "$JOB",
    };
}

impl Act {
    /// The name of the step, which a journal keeps: the verb, and what is not in the operation.
    pub(super) fn name(&self) -> String {
        match self {
            Self::MakeSnapshot => "make-snapshot".to_owned(),
            Self::MakeGuard => "make-guard".to_owned(),
            Self::EditSnapshot => "edit-snapshot".to_owned(),
            Self::Measure => "measure".to_owned(),
            Self::DropSnapshot => "delete-snapshot".to_owned(),
            Self::Revert => "revert".to_owned(),
            Self::MakeVolume => "make-volume".to_owned(),
            Self::MakeGroup(root) => format!("make-group:{root}"),
            Self::MakeGuardGroup(root) => format!("make-guard-group:{root}"),
            Self::EditGroup => "edit-group".to_owned(),
            Self::DropGroup => "delete-group".to_owned(),
            Self::RevertGroup => "revert-group".to_owned(),
            Self::Ungroup => "ungroup".to_owned(),
            Self::StopVm(vm, false) => format!("stop-vm:{vm}"),
            Self::StopVm(vm, true) => format!("stop-vm-cold:{vm}"),
            Self::StartVm(vm) => format!("start-vm:{vm}"),
        }
    }

    /// What a name says.
    pub(super) fn parse(name: &str) -> Result<Self, Problem> {
        let (verb, rest) = match name.split_once(':') {
            Some((verb, rest)) => (verb, Some(rest.to_owned())),
            None => (name, None),
        };
        Ok(match (verb, rest) {
            ("make-snapshot", None) => Self::MakeSnapshot,
            ("make-guard", None) => Self::MakeGuard,
            ("edit-snapshot", None) => Self::EditSnapshot,
            ("measure", None) => Self::Measure,
            ("delete-snapshot", None) => Self::DropSnapshot,
            ("revert", None) => Self::Revert,
            ("make-volume", None) => Self::MakeVolume,
            ("make-group", Some(root)) => Self::MakeGroup(root),
            ("make-guard-group", Some(root)) => Self::MakeGuardGroup(root),
            ("edit-group", None) => Self::EditGroup,
            ("delete-group", None) => Self::DropGroup,
            ("revert-group", None) => Self::RevertGroup,
            ("ungroup", None) => Self::Ungroup,
            ("stop-vm", Some(vm)) => Self::StopVm(vm, false),
            ("stop-vm-cold", Some(vm)) => Self::StopVm(vm, true),
            ("start-vm", Some(vm)) => Self::StartVm(vm),
            _ => {
                let what = format!("there is no step \"{name}\"");
                return Err(Problem::new(ProblemKind::Bug, what));
            }
        })
    }

    /// Whether the system has long jobs for it.
    pub(super) fn can_be_long(&self) -> bool {
        matches!(self, Self::DropSnapshot | Self::Revert)
    }

    /// The call.
    pub(super) fn ask(&self, operation: &Operation, blanks: Blanks<'_>) -> Result<Ask, Problem> {
        let text = |field: &str| operation.find_text(field).map(str::to_owned);
        let group = || operation.object("group", Kind::Group);
        let snapshot = || {
            let id = operation.snapshot()?;
            Ok::<_, Problem>(format!("/volume-snapshots/{id}"))
        };
        let mode = text("mode").unwrap_or_else(|| "Permissive".to_owned());
        let (name, description) = (text("name"), text("description"));
        let ask = match self {
            Self::MakeSnapshot => {
                let path = format!("/volumes/{}/volume-snapshots", operation.volume()?);
                post(path, new(operation.get_text("name")?, description, blanks))
            }
            Self::MakeGuard => {
                let path = format!("/volumes/{}/volume-snapshots", operation.volume()?);
                post(path, new(blanks.guard, Some(GUARDS.to_owned()), blanks))
            }
            Self::EditSnapshot => {
                let action = Action::UpdateVolumeSnapshot { name, description };
                put(format!("{}/actions", snapshot()?), &action)
            }
            Self::Measure => {
                let action = Action::GetVolumeSnapshotSize {};
                put(format!("{}/actions", snapshot()?), &action)
            }
            Self::DropSnapshot if long::is_wanted(operation) => {
                let id = operation.snapshot()?;
                let job = long::deletion(id.as_str(), &mode, blanks.made);
                post("/longjobs".to_owned(), job)
            }
            Self::Revert if long::is_wanted(operation) => {
                let id = operation.snapshot()?;
                post(
                    "/longjobs".to_owned(),
                    long::revert(id.as_str(), blanks.made),
                )
            }
            Self::DropSnapshot => {
                let path = format!("{}?deleteMode={mode}", snapshot()?);
                Ask::new(Method::Delete, path)
            }
            Self::Revert => {
                let action = Action::RevertVolumeFromSnapshot {};
                put(format!("{}/actions", snapshot()?), &action)
            }
            Self::MakeVolume => {
                let id = operation.snapshot()?;
                let path = format!("/volumes/data/from/volume-snapshots/{id}");
                post(path, new(operation.get_text("name")?, description, blanks))
            }
            Self::MakeGroup(root) => {
                let memory = operation.flag("memory");
                let name = operation.get_text("name")?;
                post_group(new_group(root, name, description, memory, blanks))
            }
            Self::MakeGuardGroup(root) => {
                let said = Some(GUARDS.to_owned());
                post_group(new_group(root, blanks.guard, said, false, blanks))
            }
            Self::EditGroup => {
                let action = Action::UpdateVolumeSnapshotGroup { name, description };
                put(
                    format!("/volume-snapshots/group/{}/actions", group()?),
                    &action,
                )
            }
            Self::DropGroup => {
                let path = format!("/volume-snapshots/group/{}?deleteMode={mode}", group()?);
                Ask::new(Method::Delete, path)
            }
            Self::RevertGroup => {
                let action = Action::RevertVmFromSnapshotGroup {};
                put(
                    format!("/volume-snapshots/group/{}/actions", group()?),
                    &action,
                )
            }
            Self::Ungroup => {
                let path = format!("/volume-snapshots/ungroup/{}", group()?);
                Ask::new(Method::Delete, path)
            }
            Self::StopVm(vm, cold) => {
                let action = Action::StopVmInstance {
                    kind: Some(if *cold { "cold" } else { "grace" }.to_owned()),
                    stop_ha: cold.then(|| "true".to_owned()),
                };
                put(format!("/vm-instances/{vm}/actions"), &action)
            }
            Self::StartVm(vm) => put(
                format!("/vm-instances/{vm}/actions"),
                &Action::StartVmInstance {},
            ),
        };
        Ok(ask.header("X-Job-UUID", blanks.job))
    }
}

fn new(name: &str, description: Option<String>, blanks: Blanks<'_>) -> NewResource {
    NewResource {
        name: name.to_owned(),
        description,
        resource_uuid: Some(blanks.made.to_owned()),
        tag_uuids: None,
    }
}

fn new_group(
    root: &str,
    name: &str,
    description: Option<String>,
    memory: bool,
    blanks: Blanks<'_>,
) -> NewGroup {
    NewGroup {
        root_volume_uuid: root.to_owned(),
        name: name.to_owned(),
        description,
        with_memory: memory.then_some(true),
        resource_uuid: Some(blanks.made.to_owned()),
        tag_uuids: None,
    }
}

fn post<T: Serialize>(path: String, params: T) -> Ask {
    Ask::new(Method::Post, path).body(json!(Params::new(params)))
}

fn post_group(group: NewGroup) -> Ask {
    post("/volume-snapshots/group".to_owned(), group)
}

fn put(path: String, action: &Action) -> Ask {
    Ask::new(Method::Put, path).body(json!(action))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ObjectRef, OperationKind, Value};

    #[test]
    fn a_journal_gives_back_what_was_planned() {
        for act in [
            Act::MakeSnapshot,
            Act::MakeGuard,
            Act::EditSnapshot,
            Act::Measure,
            Act::DropSnapshot,
            Act::Revert,
            Act::MakeVolume,
            Act::MakeGroup("a".into()),
            Act::MakeGuardGroup("a".into()),
            Act::EditGroup,
            Act::DropGroup,
            Act::RevertGroup,
            Act::Ungroup,
            Act::StopVm("a".into(), false),
            Act::StopVm("a".into(), true),
            Act::StartVm("a".into()),
        ] {
            assert_eq!(Act::parse(&act.name()).unwrap(), act);
        }
        assert!(Act::parse("burn").is_err() && Act::parse("make-group").is_err());
    }

    #[test]
    fn the_calls_are_those_of_the_reference() {
        let group = Value::Object(ObjectRef::new(Kind::Group, "g"));
        let on = |kind| Operation::new(kind).with("group", group.clone());
        let delete = on(OperationKind::DeleteGroup).text("mode", "Enforcing");
        let ask = Act::DropGroup.ask(&delete, Blanks::SHOWN).unwrap();
        // "Query parameter, no body" (0.2).
        assert_eq!(ask.path, "/volume-snapshots/group/g?deleteMode=Enforcing");
        assert_eq!(ask.body, None);
        let back = Act::RevertGroup.ask(&on(OperationKind::RestoreGroup), Blanks::SHOWN);
        let back = back.unwrap();
        assert_eq!(back.path, "/volume-snapshots/group/g/actions");
        assert_eq!(back.body, Some(json!({"revertVmFromSnapshotGroup": {}})));
        assert_eq!(back.headers, [("X-Job-UUID", "$JOB".to_owned())]);
        let parts = Act::Ungroup.ask(&on(OperationKind::Ungroup), Blanks::SHOWN);
        assert_eq!(parts.unwrap().path, "/volume-snapshots/ungroup/g");
        let take = Operation::new(OperationKind::CreateGroup).text("name", "n");
        let ask = Act::MakeGroup("r".into())
            .ask(&take, Blanks::SHOWN)
            .unwrap();
        assert_eq!(
            ask.body,
            Some(json!({"params": {"rootVolumeUuid": "r", "name": "n", "resourceUuid": "$UUID"}}))
        );
        let stop = Act::StopVm("v".into(), true)
            .ask(&take, Blanks::SHOWN)
            .unwrap();
        assert_eq!(
            stop.body,
            Some(json!({"stopVmInstance": {"type": "cold", "stopHA": "true"}}))
        );
    }
}
