//! What one step of a plan does, and the call that it makes.

use serde::Serialize;

use super::convert::GUARD;
use super::look::path;
use crate::http::Method;
use crate::model::{Kind, Operation, Problem, ProblemKind, VolumeId};
use crate::provider::cinder::convert::with_mark;
use crate::provider::cinder::session::{Ask, Service};
use crate::wire::powervc::{Create, How as Flags, Restore, Update};

/// Which restore is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// All volumes go back to their members.
    Plain,
    /// Those that could not be taken back go back to theirs.
    Retry,
    /// All volumes go back to the safety snapshots.
    Rollback,
}

impl How {
    fn verb(self) -> &'static str {
        match self {
            Self::Plain => "restore",
            Self::Retry => "restore-retry",
            Self::Rollback => "restore-rollback",
        }
    }
}

/// A restore, and the object as it was when that was planned: by this it is known afterwards whether it was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Taking {
    /// Which one.
    pub(super) how: How,
    /// The machine.
    pub(super) server: String,
    /// The latest long operation before this one; empty where there was none.
    pub(super) task: String,
    /// When the object was last changed before.
    pub(super) updated: String,
}

/// What one step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Takes an instance snapshot of these volumes of a machine; of all where none are named.
    Take(String, Vec<String>),
    /// The same, of what a restore will replace; and what it is to be called.
    Guard(String, Vec<String>, String),
    /// Changes a name or a description.
    Edit,
    /// Removes an instance snapshot.
    Drop,
    /// Takes a machine back.
    Restore(Taking),
}

impl Act {
    /// The name of the step, which a journal keeps.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Take(server, volumes) => {
                format!("take-instance:{server}:{}", volumes.join(","))
            }
            Self::Guard(server, volumes, name) => {
                format!("take-guard:{server}:{}:{name}", volumes.join(","))
            }
            Self::Edit => "edit-instance".to_owned(),
            Self::Drop => "delete-instance".to_owned(),
            Self::Restore(taking) => format!(
                "{}:{}:{}:{}",
                taking.how.verb(),
                taking.server,
                taking.task,
                taking.updated
            ),
        }
    }

    /// What a name says; `None` where the step is one of block storage.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (verb, rest) = name.split_once(':').unwrap_or((name, ""));
        let volumes = |rest: &str| {
            let (server, volumes) = rest.split_once(':')?;
            let volumes = volumes.split(',').filter(|id| !id.is_empty());
            Some((server.to_owned(), volumes.map(str::to_owned).collect()))
        };
        let taking = |how| {
            // The time is last, since it has colons in it.
            let mut parts = rest.splitn(3, ':').map(str::to_owned);
            Some(Self::Restore(Taking {
                how,
                server: parts.next()?,
                task: parts.next()?,
                updated: parts.next()?,
            }))
        };
        match verb {
            "take-instance" => volumes(rest).map(|(server, all)| Self::Take(server, all)),
            "take-guard" => {
                // The name is last, since it may have colons in it.
                let mut parts = rest.splitn(3, ':');
                let (server, ids, name) = (parts.next()?, parts.next()?, parts.next()?);
                let ids = ids.split(',').filter(|id| !id.is_empty());
                let ids = ids.map(str::to_owned).collect();
                Some(Self::Guard(server.to_owned(), ids, name.to_owned()))
            }
            "edit-instance" => Some(Self::Edit),
            "delete-instance" => Some(Self::Drop),
            "restore" => taking(How::Plain),
            "restore-retry" => taking(How::Retry),
            "restore-rollback" => taking(How::Rollback),
            _ => None,
        }
    }

    /// The description of what this makes, with the key by which it is found again.
    pub(super) fn mark(&self, key: &str) -> String {
        match self {
            Self::Guard(..) => format!("{GUARD}{key}"),
            _ => key.to_owned(),
        }
    }

    /// The call. `key` is the idempotency key.
    pub(super) fn ask(&self, operation: &Operation, key: &str) -> Result<Ask, Problem> {
        let group = || operation.object("group", Kind::Group);
        match self {
            Self::Take(server, volumes) => {
                let description = operation.find_text("description").unwrap_or_default();
                let description = with_mark(description, &self.mark(key));
                let name = operation.get_text("name")?;
                let body = Create::new(name, &description, volumes.clone());
                server_action(server, &body)
            }
            Self::Guard(server, volumes, name) => {
                let said = "what the volumes held before a restore";
                let said = with_mark(said, &self.mark(key));
                let body = Create::new(name, &said, volumes.clone());
                server_action(server, &body)
            }
            Self::Edit => {
                let (name, description) = (
                    operation.find_text("name"),
                    operation.find_text("description"),
                );
                let ask = Ask::new(Method::Put, path(group()?)?);
                Ok(ask.body(json(&Update::new(name, description))?))
            }
            Self::Drop => Ok(Ask::new(Method::Delete, path(group()?)?)),
            Self::Restore(taking) => {
                let set = |how| (taking.how == how).then_some(true);
                let flags = Flags {
                    instance_snapshot_id: group()?.to_owned(),
                    force: operation.flag("force").then_some(true),
                    retry: set(How::Retry),
                    rollback: set(How::Rollback),
                };
                server_action(&taking.server, &Restore { vm_restore: flags })
            }
        }
    }
}

/// The ids of the volumes that an operation names; none where it names none.
pub(super) fn named_volumes(operation: &Operation) -> Vec<VolumeId> {
    operation.volumes().unwrap_or_default()
}

fn server_action(server: &str, body: &impl Serialize) -> Result<Ask, Problem> {
    let ask = Ask::new(Method::Post, format!("/servers/{server}/action"));
    Ok(ask.body(json(body)?).at(Service::Compute))
}

fn json(body: &impl Serialize) -> Result<serde_json::Value, Problem> {
    serde_json::to_value(body)
        .map_err(|e| Problem::new(ProblemKind::Bug, "a body cannot be written").caused_by(&e))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{ObjectRef, OperationKind, Value};

    fn taking(how: How) -> Act {
        Act::Restore(Taking {
            how,
            server: "m".into(),
            task: "t".into(),
            updated: "2026-03-04T05:06:07.000000".into(),
        })
    }

    #[test]
    fn a_journal_gives_back_what_was_planned() {
        for act in [
            Act::Take("m".into(), Vec::new()),
            Act::Take("m".into(), vec!["a".into(), "b".into()]),
            Act::Guard("m".into(), vec!["a".into()], "before: x".into()),
            Act::Edit,
            Act::Drop,
            taking(How::Plain),
            taking(How::Retry),
            taking(How::Rollback),
        ] {
            assert_eq!(Act::parse(&act.name()), Some(act));
        }
        assert_eq!(Act::parse("make-volume"), None, "it is block storage's");
        assert_eq!(Act::parse("restore:m"), None);
    }

    #[test]
    fn the_bodies_are_those_that_are_documented() {
        let take = Operation::new(OperationKind::CreateGroup)
            .text("name", "n")
            .text("description", "d");
        let ask = Act::Take("m".into(), vec!["v".into()])
            .ask(&take, "k/0")
            .unwrap();
        assert_eq!(ask.path, "/servers/m/action");
        assert_eq!(ask.service, Service::Compute);
        let body = json!({"vm-snapshot": {"name": "n", "description": "d [snapdeck k/0]", "volumes": ["v"]}});
        assert_eq!(ask.body, Some(body));
        let group = Value::Object(ObjectRef::new(Kind::Group, "g"));
        let restore = Operation::new(OperationKind::RetryRestore)
            .with("group", group)
            .with("force", Value::Flag(true));
        let ask = taking(How::Retry).ask(&restore, "k").unwrap();
        let body =
            json!({"vm-restore": {"instance_snapshot_id": "g", "force": true, "retry": true}});
        assert_eq!(ask.body, Some(body));
        let ask = taking(How::Rollback).ask(&restore, "k").unwrap();
        let body =
            json!({"vm-restore": {"instance_snapshot_id": "g", "force": true, "rollback": true}});
        assert_eq!(ask.body, Some(body));
    }
}
