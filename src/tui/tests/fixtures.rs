//! An estate made of model objects.

use std::time::Duration;

use crate::model::*;
use crate::tui::event::Moment;

/// A fixed day, so that frames do not change.
pub(crate) const DAY: i64 = 1_790_000_000;

/// So many milliseconds after the console began.
pub(crate) fn moment(ms: u64) -> Moment {
    Moment {
        wall: Time::from_millisecond(DAY * 1_000 + ms as i64).unwrap(),
        clock: Duration::from_millis(ms),
    }
}

/// So many seconds before the console began.
pub(crate) fn before(seconds: i64) -> Time {
    Time::from_second(DAY - seconds).unwrap()
}

/// A volume without snapshots.
pub(crate) fn volume(name: &str) -> Volume {
    Volume {
        id: VolumeId(format!("v-{name}")),
        name: name.to_owned(),
        state: VolumeState::Available,
        size: Bytes::gib(8),
        used: Some(Bytes::gib(2)),
        exclusive: Some(Bytes::mib(412)),
        written: Some(Bytes::mib(18)),
        parent: None,
        instance: None,
        device: None,
        description: String::new(),
        created: Some(before(40 * 86_400)),
        snapshots: Some(0),
        last_snapshot: None,
        copy: None,
        metadata: Default::default(),
    }
}

/// A snapshot of a volume.
pub(crate) fn snapshot(of: &str, name: &str, parent: Option<&str>, seconds: i64) -> Snapshot {
    Snapshot {
        id: SnapshotId(format!("s-{of}-{name}")),
        name: name.to_owned(),
        state: SnapshotState::Available,
        volume: VolumeId(format!("v-{of}")),
        volume_name: Some(of.to_owned()),
        parent: parent.map(|p| SnapshotId(format!("s-{of}-{p}"))),
        size: Bytes::gib(8),
        used: Some(Bytes::gib(1)),
        exclusive: Some(Bytes::mib(96)),
        written: Some(Bytes::mib(7)),
        description: String::new(),
        created: Some(before(seconds)),
        guard: false,
        clones: Vec::new(),
        group: None,
        session: None,
        metadata: Default::default(),
    }
}

/// Four volumes, one with a tree that branches.
pub(crate) fn estate() -> (Vec<Volume>, Vec<Snapshot>) {
    let snapshots = vec![
        snapshot("db01-data", "nightly-03", None, 2 * 86_400),
        snapshot("db01-data", "before-upgrade", Some("nightly-03"), 90_000),
        Snapshot {
            guard: true,
            ..snapshot("db01-data", "guard-1", Some("before-upgrade"), 80_000)
        },
        Snapshot {
            clones: vec![VolumeId("v-db01-test".into())],
            ..snapshot("db01-data", "nightly-04", Some("nightly-03"), 3_600)
        },
        snapshot("web-root", "nightly-04", None, 86_400),
    ];
    let volumes = vec![
        Volume {
            size: Bytes::gib(64),
            state: VolumeState::InUse,
            instance: Some("db01".into()),
            device: Some("vdb".into()),
            parent: Some(SnapshotId("s-db01-data-before-upgrade".into())),
            snapshots: Some(4),
            last_snapshot: Some(before(180)),
            description: "the main cluster".into(),
            ..volume("db01-data")
        },
        Volume {
            state: VolumeState::Copying,
            copy: Some(Progress {
                done: Bytes::gib(5),
                total: Bytes::gib(8),
                rate: Bytes::mib(120),
            }),
            ..volume("db01-test")
        },
        volume("scratch"),
        Volume {
            size: Bytes::gib(20),
            parent: Some(SnapshotId("s-web-root-nightly-04".into())),
            snapshots: Some(1),
            last_snapshot: Some(before(86_400)),
            ..volume("web-root")
        },
    ];
    (volumes, snapshots)
}

/// The member of a set that a snapshot is.
fn member(of: &Snapshot) -> Member {
    Member {
        snapshot: of.id.clone(),
        name: of.name.clone(),
        state: of.state.clone(),
        volume: of.volume.clone(),
        volume_name: of.volume_name.clone(),
        size: of.size,
        exclusive: of.exclusive,
        failed: false,
        safety: None,
    }
}

/// A group of one point in time of each of these volumes.
pub(crate) fn group(name: &str, volumes: &[&str], seconds: i64) -> Group {
    let members = volumes
        .iter()
        .map(|of| member(&snapshot(of, name, None, seconds)));
    Group {
        id: GroupId(format!("g-{name}")),
        name: name.to_owned(),
        state: GroupState::Available,
        members: members.collect(),
        taken: volumes.len() as u64,
        instance: None,
        description: "before the upgrade".to_owned(),
        created: Some(before(seconds)),
        guard: false,
        metadata: Default::default(),
    }
}

/// A session of one point in time of each of these volumes.
pub(crate) fn session(name: &str, volumes: &[&str], seconds: i64) -> Session {
    let group = group(name, volumes, seconds);
    Session {
        id: SessionId(format!("e-{name}")),
        name: group.name,
        state: group.state,
        members: group.members,
        taken: group.taken,
        targets: Vec::new(),
        description: "for the auditors".to_owned(),
        created: group.created,
        metadata: Default::default(),
    }
}

/// A target that is linked to a session.
pub(crate) fn target(name: &str, session: &Session, copy: Option<Progress>) -> LinkedTarget {
    let member = &session.members[0];
    let (state, mode) = match copy {
        Some(_) => (TargetState::Copying, CopyMode::Copy),
        None => (TargetState::Linked, CopyMode::NoCopy),
    };
    LinkedTarget {
        id: TargetId(format!("t-{name}")),
        name: name.to_owned(),
        state,
        mode,
        session: Some(session.id.clone()),
        session_name: Some(session.name.clone()),
        snapshot: Some(member.snapshot.clone()),
        source: Some(member.volume.clone()),
        source_name: member.volume_name.clone(),
        volume: VolumeId(format!("v-{name}")),
        size: member.size,
        shared: Some(Bytes::gib(1)),
        written: copy.is_none().then_some(Bytes::mib(5)),
        copy,
        created: Some(before(3_600)),
        metadata: Default::default(),
    }
}

/// Two groups, one of which has lost a member; and two sessions, one with two targets.
pub(crate) fn sets() -> (Vec<Group>, Vec<Session>, Vec<LinkedTarget>) {
    let groups = vec![
        Group {
            instance: Some("db01".into()),
            ..group("before-upgrade", &["db01-data", "db01-log"], 7_200)
        },
        Group {
            state: GroupState::Incomplete,
            taken: 3,
            description: String::new(),
            ..group("weekly", &["db01-data", "web-root"], 6 * 86_400)
        },
    ];
    let mut audit = session("audit", &["db01-data"], 90_000);
    let progress = Progress {
        done: Bytes::gib(3),
        total: Bytes::gib(8),
        rate: Bytes::mib(64),
    };
    let targets = vec![
        target("audit-copy", &audit, Some(progress)),
        target("audit-test", &audit, None),
    ];
    audit.targets = targets.iter().map(|target| target.id.clone()).collect();
    let idle = session("reports", &["web-root"], 300_000);
    (groups, vec![audit, idle], targets)
}

/// What the test system can do: one operation of each shape.
pub(crate) fn capabilities() -> Capabilities {
    let volume = || {
        FieldSpec::required(
            "volume",
            "Volume",
            FieldType::Object(Kind::Volume),
            "The volume.",
        )
    };
    let snapshot = || {
        FieldSpec::required(
            "snapshot",
            "Snapshot",
            FieldType::Object(Kind::Snapshot),
            "The point in time.",
        )
    };
    let name = || {
        FieldSpec::required(
            "name",
            "Name",
            FieldType::Name { max: 12 },
            "What it is called.",
        )
    };
    let object =
        |name, label, kind| FieldSpec::required(name, label, FieldType::Object(kind), "Which one.");
    let volumes = || {
        let ty = FieldType::Objects(Kind::Volume);
        FieldSpec::required("volumes", "Volumes", ty, "All of them.")
    };
    let guard =
        || FieldSpec::optional("guard", "Guard", FieldType::Flag, "Keep it first.").default("true");
    let spec = |kind, title, on, fields| OperationSpec {
        kind,
        title,
        doc: "What it does, in a sentence.",
        on,
        fields,
        availability: Availability::Supported,
    };
    use OperationKind as O;
    let mut extend = spec(
        O::ExtendVolume,
        "Extend a disk",
        Some(Kind::Volume),
        vec![volume()],
    );
    extend.availability = Availability::Unsupported("this system cannot make a disk larger".into());
    Capabilities {
        system: "testing",
        called: false,
        kinds: Kind::ALL.to_vec(),
        operations: vec![
            spec(
                O::CreateVolume,
                "Create a disk",
                None,
                vec![
                    name(),
                    FieldSpec::required(
                        "size",
                        "Size",
                        FieldType::Size {
                            min: Bytes(4096),
                            max: Bytes::tib(64),
                            step: Bytes(4096),
                        },
                        "What the host sees.",
                    ),
                ],
            ),
            spec(
                O::UpdateVolume,
                "Edit a disk",
                Some(Kind::Volume),
                vec![
                    volume(),
                    FieldSpec::optional(
                        "name",
                        "Name",
                        FieldType::Name { max: 12 },
                        "Its new name.",
                    ),
                    FieldSpec::optional(
                        "description",
                        "Description",
                        FieldType::Text { max: 40 },
                        "Free text.",
                    ),
                ],
            ),
            extend,
            spec(
                O::DeleteVolume,
                "Delete a disk",
                Some(Kind::Volume),
                vec![volume()],
            ),
            spec(
                O::CreateSnapshot,
                "Take a snapshot",
                Some(Kind::Volume),
                vec![volume(), name()],
            ),
            spec(
                O::DeleteSnapshot,
                "Delete a snapshot",
                Some(Kind::Snapshot),
                vec![snapshot()],
            ),
            spec(
                O::Restore,
                "Restore",
                Some(Kind::Snapshot),
                vec![
                    volume(),
                    snapshot(),
                    FieldSpec::optional(
                        "guard",
                        "Guard snapshot",
                        FieldType::Flag,
                        "Keep it first.",
                    )
                    .default("true"),
                ],
            ),
            spec(
                O::Clone,
                "Clone",
                Some(Kind::Snapshot),
                vec![snapshot(), name()],
            ),
            spec(
                O::CreateGroup,
                "Take a group",
                None,
                vec![name(), volumes()],
            ),
            spec(
                O::UpdateGroup,
                "Edit a group",
                Some(Kind::Group),
                vec![
                    object("group", "Group", Kind::Group),
                    FieldSpec::optional(
                        "name",
                        "Name",
                        FieldType::Name { max: 20 },
                        "Its new name.",
                    ),
                ],
            ),
            spec(
                O::DeleteGroup,
                "Delete a group",
                Some(Kind::Group),
                vec![object("group", "Group", Kind::Group)],
            ),
            spec(
                O::RestoreGroup,
                "Restore a group",
                Some(Kind::Group),
                vec![object("group", "Group", Kind::Group), guard()],
            ),
            spec(
                O::Ungroup,
                "Ungroup",
                Some(Kind::Group),
                vec![object("group", "Group", Kind::Group)],
            ),
            spec(
                O::CreateSession,
                "Take a session",
                None,
                vec![name(), volumes()],
            ),
            spec(
                O::DeleteSession,
                "Delete a session",
                Some(Kind::Session),
                vec![object("session", "Session", Kind::Session)],
            ),
            spec(
                O::RestoreSession,
                "Restore a session",
                Some(Kind::Session),
                vec![object("session", "Session", Kind::Session), guard()],
            ),
            spec(
                O::LinkTarget,
                "Link a target",
                Some(Kind::Session),
                vec![
                    object("session", "Session", Kind::Session),
                    name(),
                    FieldSpec::optional(
                        "mode",
                        "Mode",
                        FieldType::Choice(&["nocopy", "copy"]),
                        "Whether it copies.",
                    )
                    .default("nocopy"),
                ],
            ),
            spec(
                O::RelinkTarget,
                "Relink a target",
                Some(Kind::Target),
                vec![
                    object("target", "Target", Kind::Target),
                    object("session", "Session", Kind::Session),
                ],
            ),
            spec(
                O::UnlinkTarget,
                "Unlink a target",
                Some(Kind::Target),
                vec![object("target", "Target", Kind::Target)],
            ),
        ],
        page_size: 100,
        concurrency: 2,
        words: Words {
            volume: "disk",
            snapshot: "snapshot",
            group: "group",
            session: "session",
            target: "target",
        },
    }
}

/// A plan of two steps; what deletes must be confirmed by name.
pub(crate) fn plan(operation: &Operation) -> Plan {
    let target = operation.values.values().find_map(|value| match value {
        Value::Object(object) => Some(object.clone()),
        _ => None,
    });
    let id = target.as_ref().map_or("new", |t| t.id.as_str()).to_owned();
    let deletes = matches!(
        operation.kind,
        OperationKind::DeleteVolume
            | OperationKind::DeleteSnapshot
            | OperationKind::DeleteGroup
            | OperationKind::DeleteSession
    );
    let step = |name: &str, title: &str| PlannedStep {
        name: name.to_owned(),
        title: title.to_owned(),
        call: format!("POST /things/{id}"),
        follows: false,
        pauses: name == "copy",
    };
    Plan {
        operation: operation.clone(),
        subject: format!("{id} now"),
        summary: format!("{} {id}", operation.kind.verb()),
        steps: vec![
            step("record", "writing it down"),
            step("copy", "copying what is shared"),
        ],
        touches: target
            .into_iter()
            .map(|object| Touched {
                name: object.id.clone(),
                object,
                revision: "1".into(),
            })
            .collect(),
        losses: if deletes {
            vec![Loss {
                what: format!("everything on {id}"),
                bytes: Some(Bytes::mib(12)),
            }]
        } else {
            Vec::new()
        },
        copies: Bytes::mib(300),
        undo: if deletes {
            Undo::Never("what is deleted is gone".into())
        } else {
            Undo::By {
                how: "delete it again".into(),
                operation: None,
            }
        },
        notes: vec!["its host should be quiet".into()],
        confirm: deletes.then_some(id),
    }
}

/// A task that stands like this; the higher the number the newer.
pub(crate) fn task(number: u32, state: TaskState) -> Task {
    let operation =
        Operation::new(OperationKind::Restore).on_volume(&VolumeId("v-db01-data".into()));
    let mut plan = plan(&operation);
    plan.subject = format!("db01 ← nightly-{number:02}");
    let mut task = Task::new(
        TaskId(format!("t{number:04}")),
        plan,
        "console".into(),
        before(12),
    );
    let at = before(11);
    let failure = Problem::new(ProblemKind::System, "the array said no")
        .because("pool 3 is full")
        .hint("make room in pool 3");
    task.apply(&StepEvent::Started { step: 0 }, at);
    task.apply(
        &StepEvent::Done {
            step: 0,
            outcome: StepOutcome::default(),
        },
        at,
    );
    task.apply(&StepEvent::Started { step: 1 }, at);
    let progress = Progress {
        done: Bytes::mib(192),
        total: Bytes::mib(300),
        rate: Bytes::mib(9),
    };
    task.apply(&StepEvent::Progress { step: 1, progress }, at);
    match state {
        TaskState::Running => {}
        TaskState::Failed => {
            task.apply(
                &StepEvent::Failed {
                    step: 1,
                    problem: failure,
                },
                at,
            );
            task.apply(&StepEvent::Finished { state }, at);
        }
        TaskState::Suspended => {
            let reason = "interrupted during \"copying what is shared\"".into();
            task.apply(&StepEvent::Suspended { reason }, at);
        }
        state => {
            let outcome = StepOutcome {
                message: String::new(),
                made: vec![ObjectRef::new(Kind::Snapshot, "s-db01-data-guard-1")],
            };
            task.apply(&StepEvent::Done { step: 1, outcome }, at);
            task.apply(&StepEvent::Finished { state }, at);
        }
    }
    task
}
