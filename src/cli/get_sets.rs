//! Rows of groups, sessions and linked targets.

use serde::Serialize;

use super::get::age;
use super::output::Row;
use super::text;
use crate::model::{Group, LinkedTarget, Member, Session};

fn volumes(members: &[Member]) -> String {
    let names = members.iter().map(|member| {
        member
            .volume_name
            .as_deref()
            .unwrap_or(member.volume.as_str())
    });
    names.collect::<Vec<_>>().join(" ")
}

/// `3`, or `2 of 3` where one is gone.
fn count(members: &[Member], taken: u64) -> String {
    match members.len() as u64 == taken {
        true => taken.to_string(),
        false => format!("{} of {taken}", members.len()),
    }
}

/// A group.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct GroupRow(pub(super) Group);

impl Row for GroupRow {
    const HEADER: &'static [&'static str] = &[
        "NAME",
        "STATE",
        "MEMBERS",
        "EXCLUSIVE",
        "INSTANCE",
        "TAKEN",
        "VOLUMES",
        "ID",
    ];

    const FIELDS: &'static [&'static str] = &[
        "id",
        "name",
        "state",
        "taken",
        "instance",
        "description",
        "created",
        "guard",
        "members",
    ];

    fn cells(&self) -> Vec<String> {
        let Self(group) = self;
        vec![
            group.name.clone(),
            group.state.to_string(),
            count(&group.members, group.taken),
            text::size(group.exclusive()),
            group.instance.clone().unwrap_or_else(|| "-".to_owned()),
            age(group.created),
            volumes(&group.members),
            group.id.to_string(),
        ]
    }
}

/// A session.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct SessionRow(pub(super) Session);

impl Row for SessionRow {
    const HEADER: &'static [&'static str] = &[
        "NAME",
        "STATE",
        "MEMBERS",
        "TARGETS",
        "EXCLUSIVE",
        "TAKEN",
        "VOLUMES",
        "ID",
    ];

    const FIELDS: &'static [&'static str] = &[
        "id",
        "name",
        "state",
        "taken",
        "targets",
        "description",
        "created",
        "members",
    ];

    fn cells(&self) -> Vec<String> {
        let Self(session) = self;
        vec![
            session.name.clone(),
            session.state.to_string(),
            count(&session.members, session.taken),
            session.targets.len().to_string(),
            text::size(session.exclusive()),
            age(session.created),
            volumes(&session.members),
            session.id.to_string(),
        ]
    }
}

/// A linked target.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct TargetRow(pub(super) LinkedTarget);

impl Row for TargetRow {
    const HEADER: &'static [&'static str] = &[
        "NAME", "STATE", "MODE", "SESSION", "SOURCE", "SIZE", "SHARED", "WRITTEN", "COPIED",
        "LINKED", "ID",
    ];

    const FIELDS: &'static [&'static str] = &[
        "id",
        "name",
        "state",
        "mode",
        "session",
        "session_name",
        "snapshot",
        "source",
        "source_name",
        "volume",
        "size",
        "shared",
        "written",
        "created",
    ];

    fn cells(&self) -> Vec<String> {
        let Self(target) = self;
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let copied = target.copy.and_then(|copy| copy.fraction());
        vec![
            target.name.clone(),
            target.state.to_string(),
            target.mode.to_string(),
            or_dash(&target.session_name),
            or_dash(&target.source_name),
            target.size.to_string(),
            text::size(target.shared),
            text::size(target.written),
            copied.map_or_else(|| "-".to_owned(), |part| format!("{:.0} %", part * 100.0)),
            age(target.created),
            target.id.to_string(),
        ]
    }
}
