//! What one step of a plan does, and the call that it makes: a plan shows it, a run sends it.

use super::look::{Thing, path};
use super::session::Ask;
use crate::model::{Operation, Problem, ProblemKind};
use crate::wire::vipr::{
    Group, LinkTargets, NewTargets, RelinkTargets, Session, SessionCreate, Snapshot,
    SnapshotCreate, UnlinkTarget, UnlinkTargets, Urn, Volume, VolumeCreate, VolumeExpand,
    gigabytes,
};

/// Of what a session is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A volume that stands alone.
    Volume(Urn),
    /// A consistency group: of these volumes, or of all where none are named.
    Group(Urn, Vec<Urn>),
}

/// A session, and the consistency group that it is of, by whose path it is reached then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Of {
    pub(super) session: Urn,
    pub(super) group: Option<Urn>,
}

impl Of {
    pub(super) fn session(session: &Session) -> Self {
        let group = session
            .device
            .group()
            .filter(|_| session.source().is_none());
        Self {
            session: session.base.id.clone(),
            group: group.cloned(),
        }
    }

    fn path(&self, what: &str) -> String {
        match &self.group {
            Some(group) => format!(
                "{}/{group}/protection/snapshot-sessions/{}/{what}",
                Group::PATH,
                self.session
            ),
            None => format!("{}/{}/{what}", Session::PATH, self.session),
        }
    }
}

/// What one step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Makes a volume: in this pool, array and project, in this group.
    MakeVolume([Urn; 3], Option<Urn>),
    /// Makes a volume larger.
    Expand,
    /// Removes a volume.
    DropVolume,
    /// Takes a snapshot of a volume; a guard has the name that is said here.
    MakeSnapshot(Urn, Option<String>),
    /// Takes a volume back to a snapshot.
    RestoreSnapshot(Urn),
    /// Removes a snapshot.
    DropSnapshot(Urn),
    /// Takes a session; a guard has the name that is said here.
    MakeSession(Place, Option<String>),
    /// Links new targets.
    Link(Of),
    /// Lets targets show a session.
    Relink(Of, Vec<Urn>),
    /// Parts targets; deletes them too where that is said.
    Unlink(Of, Vec<Urn>, bool),
    /// Puts the data of a session back.
    RestoreSession(Of),
    /// Removes a session.
    DropSession(Of),
}

fn joined(ids: &[Urn]) -> String {
    let ids: Vec<&str> = ids.iter().map(Urn::as_str).collect();
    ids.join(",")
}

fn ids(text: &str) -> Vec<Urn> {
    text.split(',')
        .filter(|id| !id.is_empty())
        .map(Urn::from)
        .collect()
}

fn some(text: &str) -> Option<Urn> {
    (!text.is_empty()).then(|| Urn::from(text))
}

fn optional(id: Option<&Urn>) -> &str {
    id.map_or("", Urn::as_str)
}

impl Act {
    /// The name of the step, which a journal keeps: the verb and what is not in the operation, with `|` between.
    pub(super) fn name(&self) -> String {
        let of = |of: &Of| format!("{}|{}", of.session, optional(of.group.as_ref()));
        match self {
            Self::MakeVolume([pool, array, project], group) => {
                format!(
                    "make-volume|{pool}|{array}|{project}|{}",
                    optional(group.as_ref())
                )
            }
            Self::Expand => "expand".to_owned(),
            Self::DropVolume => "delete-volume".to_owned(),
            Self::MakeSnapshot(volume, guard) => {
                format!(
                    "make-snapshot|{volume}|{}",
                    guard.as_deref().unwrap_or_default()
                )
            }
            Self::RestoreSnapshot(id) => format!("restore-snapshot|{id}"),
            Self::DropSnapshot(id) => format!("delete-snapshot|{id}"),
            Self::MakeSession(Place::Volume(volume), guard) => {
                format!(
                    "make-session|{volume}||{}",
                    guard.as_deref().unwrap_or_default()
                )
            }
            Self::MakeSession(Place::Group(group, volumes), guard) => format!(
                "make-session|{group}|{}|{}",
                joined(volumes),
                guard.as_deref().unwrap_or_default()
            ),
            Self::Link(session) => format!("link|{}", of(session)),
            Self::Relink(session, targets) => format!("relink|{}|{}", of(session), joined(targets)),
            Self::Unlink(session, targets, false) => {
                format!("unlink|{}|{}", of(session), joined(targets))
            }
            Self::Unlink(session, targets, true) => {
                format!("unlink-and-delete|{}|{}", of(session), joined(targets))
            }
            Self::RestoreSession(session) => format!("restore-session|{}", of(session)),
            Self::DropSession(session) => format!("delete-session|{}", of(session)),
        }
    }

    /// What a name says.
    pub(super) fn parse(name: &str) -> Result<Self, Problem> {
        let parts: Vec<&str> = name.split('|').collect();
        let guard = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let of = |session: &str, group: &str| Of {
            session: Urn::from(session),
            group: some(group),
        };
        Ok(match parts.as_slice() {
            ["make-volume", pool, array, project, group] => {
                Self::MakeVolume([pool, array, project].map(|id| Urn::from(*id)), some(group))
            }
            ["expand"] => Self::Expand,
            ["delete-volume"] => Self::DropVolume,
            ["make-snapshot", volume, name] => Self::MakeSnapshot(Urn::from(*volume), guard(name)),
            ["restore-snapshot", id] => Self::RestoreSnapshot(Urn::from(*id)),
            ["delete-snapshot", id] => Self::DropSnapshot(Urn::from(*id)),
            ["make-session", id, volumes, name] => {
                let id = Urn::from(*id);
                let place = match id.is(Group::KIND) {
                    true => Place::Group(id, ids(volumes)),
                    false => Place::Volume(id),
                };
                Self::MakeSession(place, guard(name))
            }
            ["link", session, group] => Self::Link(of(session, group)),
            ["relink", session, group, targets] => Self::Relink(of(session, group), ids(targets)),
            ["unlink", session, group, targets] => {
                Self::Unlink(of(session, group), ids(targets), false)
            }
            ["unlink-and-delete", session, group, targets] => {
                Self::Unlink(of(session, group), ids(targets), true)
            }
            ["restore-session", session, group] => Self::RestoreSession(of(session, group)),
            ["delete-session", session, group] => Self::DropSession(of(session, group)),
            _ => {
                let what = format!("there is no step \"{name}\"");
                return Err(Problem::new(ProblemKind::Bug, what));
            }
        })
    }

    /// The call.
    pub(super) fn ask(&self, operation: &Operation) -> Result<Ask, Problem> {
        let volume = || path::<Volume>(operation.volume()?.as_str());
        match self {
            Self::MakeVolume([pool, array, project], group) => {
                let body = VolumeCreate {
                    name: operation.get_text("name")?.to_owned(),
                    size: gigabytes(operation.get_size("size")?),
                    count: Some(1),
                    vpool: pool.clone(),
                    varray: array.clone(),
                    project: project.clone(),
                    consistency_group: group.clone(),
                };
                Ask::post(Volume::PATH).with("volume_create", &body)
            }
            Self::Expand => {
                let body = VolumeExpand {
                    new_size: gigabytes(operation.get_size("size")?),
                };
                Ask::post(format!("{}/expand", volume()?)).with("volume_expand", &body)
            }
            Self::DropVolume => Ok(Ask::post(format!("{}/deactivate", volume()?))),
            Self::MakeSnapshot(volume, guard) => {
                let body = SnapshotCreate {
                    name: named(operation, guard.as_ref())?,
                    ..SnapshotCreate::default()
                };
                let at = format!("{}/{volume}/protection/snapshots", Volume::PATH);
                Ask::post(at).with("volume_snapshot_create", &body)
            }
            Self::RestoreSnapshot(id) => Ok(Ask::post(format!("{}/{id}/restore", Snapshot::PATH))),
            Self::DropSnapshot(id) => Ok(Ask::post(format!("{}/{id}/deactivate", Snapshot::PATH))),
            Self::MakeSession(place, guard) => {
                let (at, volumes) = match place {
                    Place::Volume(volume) => (format!("{}/{volume}", Volume::PATH), Vec::new()),
                    Place::Group(group, volumes) => {
                        (format!("{}/{group}", Group::PATH), volumes.clone())
                    }
                };
                let targets = match guard {
                    Some(_) => None,
                    None => targets(operation, "target-name", "0")?,
                };
                let body = SessionCreate {
                    name: named(operation, guard.as_ref())?,
                    new_linked_targets: targets,
                    volumes,
                };
                let at = format!("{at}/protection/snapshot-sessions");
                Ask::post(at).with("snapshot_session_create", &body)
            }
            Self::Link(of) => {
                let new_linked_targets = targets(operation, "name", "1")?
                    .ok_or_else(|| Problem::user("at least one target is to be linked"))?;
                let body = LinkTargets { new_linked_targets };
                Ask::post(of.path("link-targets")).with("snapshot_session_link_targets", &body)
            }
            Self::Relink(of, targets) => {
                let body = RelinkTargets {
                    ids: targets.clone(),
                };
                Ask::post(of.path("relink-targets")).with("snapshot_session_relink_targets", &body)
            }
            Self::Unlink(of, targets, delete) => {
                let one = |id: &Urn| UnlinkTarget {
                    id: id.clone(),
                    delete_target: Some(*delete),
                };
                let body = UnlinkTargets {
                    linked_targets: targets.iter().map(one).collect(),
                };
                Ask::post(of.path("unlink-targets")).with("snapshot_session_unlink_targets", &body)
            }
            Self::RestoreSession(of) => Ok(Ask::post(of.path("restore"))),
            Self::DropSession(of) => Ok(Ask::post(of.path("deactivate"))),
        }
    }
}

fn named(operation: &Operation, guard: Option<&String>) -> Result<String, Problem> {
    match guard {
        Some(name) => Ok(name.clone()),
        None => Ok(operation.get_text("name")?.trim().to_owned()),
    }
}

/// The targets that an operation asks for; `None` where it asks for none. Their name is in this field, and there are so
/// many where nothing is said.
pub(super) fn targets(
    operation: &Operation,
    name: &str,
    usual: &str,
) -> Result<Option<NewTargets>, Problem> {
    let said = operation.find_text("count").unwrap_or(usual);
    let count: i64 = said
        .trim()
        .parse()
        .ok()
        .filter(|count| *count >= 0)
        .ok_or_else(|| Problem::user(format!("\"{said}\" is no number of targets")))?;
    if count == 0 {
        return Ok(None);
    }
    let target_name = operation.find_text(name).ok_or_else(|| {
        Problem::user("the targets need a name")
            .hint(format!("set {name}; -1, -2 and so on are added"))
    })?;
    Ok(Some(NewTargets {
        count,
        target_name: target_name.trim().to_owned(),
        // Where a session is made nothing stands in for it.
        copy_mode: Some(operation.find_text("mode").unwrap_or("nocopy").to_owned()),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::OperationKind;

    fn urn(kind: &str, n: u8) -> Urn {
        Urn::from(
            format!("urn:storageos:{kind}:b3a9e0c2-7f14-4e58-9d36-20c1d8ab00{n:02}:vdc1").as_str(),
        )
    }

    #[test]
    fn a_journal_gives_back_what_was_planned() {
        let of = |group: bool| Of {
            session: urn("BlockSnapshotSession", 1),
            group: group.then(|| urn("BlockConsistencyGroup", 2)),
        };
        let ids = vec![urn("BlockSnapshot", 3), urn("BlockSnapshot", 4)];
        let place = [
            urn("VirtualPool", 1),
            urn("VirtualArray", 1),
            urn("Project", 1),
        ];
        for act in [
            Act::MakeVolume(place.clone(), None),
            Act::MakeVolume(place, Some(urn("BlockConsistencyGroup", 2))),
            Act::Expand,
            Act::DropVolume,
            Act::MakeSnapshot(urn("Volume", 1), None),
            Act::MakeSnapshot(urn("Volume", 1), Some("guard-1".into())),
            Act::RestoreSnapshot(urn("BlockSnapshot", 1)),
            Act::DropSnapshot(urn("BlockSnapshot", 1)),
            Act::MakeSession(Place::Volume(urn("Volume", 1)), None),
            Act::MakeSession(Place::Volume(urn("Volume", 1)), Some("guard-1".into())),
            Act::MakeSession(
                Place::Group(urn("BlockConsistencyGroup", 2), Vec::new()),
                None,
            ),
            Act::MakeSession(
                Place::Group(urn("BlockConsistencyGroup", 2), vec![urn("Volume", 1)]),
                None,
            ),
            Act::Link(of(false)),
            Act::Link(of(true)),
            Act::Relink(of(true), ids.clone()),
            Act::Unlink(of(false), ids.clone(), true),
            Act::Unlink(of(false), ids, false),
            Act::RestoreSession(of(true)),
            Act::DropSession(of(false)),
        ] {
            assert_eq!(Act::parse(&act.name()).unwrap(), act);
        }
        for wrong in ["", "burn", "link", "make-session|x"] {
            assert!(Act::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_calls_are_those_of_the_reference() {
        let take = Operation::new(OperationKind::CreateSession)
            .text("name", "nightly-0412")
            .text("count", "2")
            .text("target-name", "nightly-0412-tgt")
            .text("mode", "nocopy");
        let volume = urn("Volume", 10);
        let ask = Act::MakeSession(Place::Volume(volume.clone()), None)
            .ask(&take)
            .unwrap();
        assert_eq!(
            ask.path,
            format!("/block/volumes/{volume}/protection/snapshot-sessions")
        );
        let body = json!({"name": "nightly-0412", "new_linked_targets":
            {"count": 2, "target_name": "nightly-0412-tgt", "copy_mode": "nocopy"}});
        assert_eq!(ask.body, Some(("snapshot_session_create", body)));
        let bare = Operation::new(OperationKind::CreateSession)
            .text("name", "s1")
            .text("count", "0");
        let ask = Act::MakeSession(Place::Volume(volume), None)
            .ask(&bare)
            .unwrap();
        assert_eq!(
            ask.body,
            Some(("snapshot_session_create", json!({"name": "s1"})))
        );
        for wrong in ["-1", "many", "1.5"] {
            let wrong = take.clone().text("count", wrong);
            assert!(targets(&wrong, "target-name", "0").is_err());
        }
        assert!(targets(&bare.text("count", "1"), "target-name", "0").is_err());
        let of = Of {
            session: urn("BlockSnapshotSession", 20),
            group: Some(urn("BlockConsistencyGroup", 50)),
        };
        let ask = Act::RestoreSession(of).ask(&take).unwrap();
        assert_eq!(ask.body, None);
        assert!(ask.path.starts_with("/block/consistency-groups/urn:"));
        assert!(ask.path.ends_with(":vdc1/restore"));
    }
}
