//! `snapdeck describe`: all there is to know of one thing.

use std::fmt::Write as _;

use super::args::{DescribeArgs, GlobalOptions, ListKind};
use super::format::OneFormat;
use super::get::{TaskRow, age};
use super::open::{Opened, Purpose, open};
use super::output;
use super::text;
use crate::model::{
    Group, Kind, LinkedTarget, Member, Object, Problem, Query, Session, Snapshot, SnapshotTree,
    TaskId, Time, TreeRowKind, Volume,
};
use crate::provider::{Resolver, list_all};

/// Describes one thing.
pub(super) async fn describe(options: &GlobalOptions, args: &DescribeArgs) -> Result<u8, Problem> {
    let opened = open(options, Purpose::Look).await?;
    let text = match args.kind {
        ListKind::Volumes => object(&opened, Kind::Volume, args).await?,
        ListKind::Snapshots => object(&opened, Kind::Snapshot, args).await?,
        ListKind::Groups => object(&opened, Kind::Group, args).await?,
        ListKind::Sessions => object(&opened, Kind::Session, args).await?,
        ListKind::Targets => object(&opened, Kind::Target, args).await?,
        ListKind::Tasks => task(&opened, args)?,
    };
    output::print(&text)?;
    opened.close().await?;
    Ok(0)
}

async fn object(opened: &Opened, kind: Kind, args: &DescribeArgs) -> Result<String, Problem> {
    let reader = &*opened.connection.reader;
    let object = Resolver::new(reader).find(kind, &args.name, None).await?;
    match args.output {
        OneFormat::Json => output::json(&object),
        OneFormat::Yaml => output::yaml(&object),
        OneFormat::Raw => Ok(reader.raw(&object.reference()).await?.text + "\n"),
        OneFormat::Text => match &object {
            Object::Snapshot(snapshot) => Ok(lines(&snapshot_fields(snapshot))),
            Object::Volume(volume) => {
                let all = list_all(reader, Query::snapshots_of(volume.id.clone())).await?;
                let snapshots: Vec<_> = all
                    .into_iter()
                    .filter_map(|object| match object {
                        Object::Snapshot(snapshot) => Some(snapshot),
                        _ => None,
                    })
                    .collect();
                let mut text = lines(&volume_fields(volume));
                text.push('\n');
                text.push_str(&tree(volume, &snapshots));
                Ok(text)
            }
            Object::Group(group) => {
                let mut text = lines(&group_fields(group));
                text.push_str(&members(&group.members));
                Ok(text)
            }
            Object::Session(session) => {
                let mut text = lines(&session_fields(session));
                text.push_str(&members(&session.members));
                Ok(text)
            }
            Object::Target(target) => Ok(lines(&target_fields(target))),
        },
    }
}

fn task(opened: &Opened, args: &DescribeArgs) -> Result<String, Problem> {
    let id = TaskId(args.name.clone());
    let task = opened.tracker.task(&id).ok_or_else(|| {
        Problem::not_found(format!("there is no task \"{id}\""))
            .hint("`snapdeck get tasks` lists them")
    })?;
    let summary = task.plan.summary.clone();
    let row = TaskRow::from(task);
    match args.output {
        OneFormat::Json | OneFormat::Raw => output::json(&row),
        OneFormat::Yaml => output::yaml(&row),
        OneFormat::Text => Ok(format!(
            "{}\n{}",
            text::visible(&summary),
            output::yaml(&row)?
        )),
    }
}

fn volume_fields(volume: &Volume) -> Vec<(&'static str, String)> {
    vec![
        ("name", volume.name.clone()),
        ("id", volume.id.to_string()),
        ("state", volume.state.to_string()),
        ("size", volume.size.to_string()),
        ("used", text::size(volume.used)),
        ("exclusive", text::size(volume.exclusive)),
        ("written since", text::size(volume.written)),
        ("instance", volume.instance.clone().unwrap_or_default()),
        ("device", volume.device.clone().unwrap_or_default()),
        ("description", volume.description.clone()),
        (
            "created",
            volume.created.map(|t| t.to_string()).unwrap_or_default(),
        ),
        ("snapshots", text::count(volume.snapshots)),
        ("last snapshot", age(volume.last_snapshot)),
    ]
}

fn snapshot_fields(snapshot: &Snapshot) -> Vec<(&'static str, String)> {
    let clones: Vec<_> = snapshot.clones.iter().map(ToString::to_string).collect();
    vec![
        ("name", snapshot.name.clone()),
        ("id", snapshot.id.to_string()),
        ("state", snapshot.state.to_string()),
        (
            "volume",
            snapshot
                .volume_name
                .clone()
                .unwrap_or_else(|| snapshot.volume.to_string()),
        ),
        (
            "parent",
            snapshot
                .parent
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        ),
        ("size", snapshot.size.to_string()),
        ("used", text::size(snapshot.used)),
        ("exclusive", text::size(snapshot.exclusive)),
        ("written", text::size(snapshot.written)),
        ("description", snapshot.description.clone()),
        (
            "taken",
            snapshot.created.map(|t| t.to_string()).unwrap_or_default(),
        ),
        ("guard", snapshot.guard.to_string()),
        ("clones", clones.join(" ")),
    ]
}

fn when(time: Option<Time>) -> String {
    time.map(|time| time.to_string()).unwrap_or_default()
}

fn group_fields(group: &Group) -> Vec<(&'static str, String)> {
    vec![
        ("name", group.name.clone()),
        ("id", group.id.to_string()),
        ("state", group.state.to_string()),
        ("members", group.members.len().to_string()),
        ("taken with", group.taken.to_string()),
        ("exclusive", text::size(group.exclusive())),
        ("instance", group.instance.clone().unwrap_or_default()),
        ("description", group.description.clone()),
        ("taken", when(group.created)),
    ]
}

fn session_fields(session: &Session) -> Vec<(&'static str, String)> {
    let targets: Vec<_> = session.targets.iter().map(ToString::to_string).collect();
    vec![
        ("name", session.name.clone()),
        ("id", session.id.to_string()),
        ("state", session.state.to_string()),
        ("members", session.members.len().to_string()),
        ("taken with", session.taken.to_string()),
        ("targets", targets.join(" ")),
        ("exclusive", text::size(session.exclusive())),
        ("description", session.description.clone()),
        ("taken", when(session.created)),
    ]
}

fn target_fields(target: &LinkedTarget) -> Vec<(&'static str, String)> {
    let or_gone = |name: &Option<String>| name.clone().unwrap_or_else(|| "gone".to_owned());
    let copied = target
        .copy
        .map(|copy| format!("{} of {}", copy.done, copy.total));
    vec![
        ("name", target.name.clone()),
        ("id", target.id.to_string()),
        ("state", target.state.to_string()),
        ("mode", target.mode.to_string()),
        ("session", or_gone(&target.session_name)),
        ("source", or_gone(&target.source_name)),
        ("volume", target.volume.to_string()),
        ("size", target.size.to_string()),
        ("shared", text::size(target.shared)),
        ("written", text::size(target.written)),
        ("copied", copied.unwrap_or_default()),
        ("linked", when(target.created)),
    ]
}

/// The members, one line each.
fn members(members: &[Member]) -> String {
    let mut out = String::from("\n");
    for member in members {
        let volume = member.volume_name.as_deref();
        let _ = writeln!(
            out,
            "o {}@{}  {}, {} its own",
            text::visible(volume.unwrap_or(member.volume.as_str())),
            text::visible(&member.name),
            member.size,
            text::size(member.exclusive)
        );
        if member.failed {
            out.push_str("  not restored\n");
        }
        if let Some(safety) = &member.safety {
            let _ = writeln!(out, "  before the restore: snapshot {safety}");
        }
    }
    out
}

fn lines(fields: &[(&'static str, String)]) -> String {
    let mut out = String::new();
    for (name, value) in fields {
        let value = if value.is_empty() { "-" } else { value };
        let _ = writeln!(out, "{name:<14} {}", text::visible(value));
    }
    out
}

/// The tree in ASCII: a pipe or a log file takes it anywhere.
fn tree(volume: &Volume, snapshots: &[Snapshot]) -> String {
    let mut out = String::new();
    for row in SnapshotTree::build(volume, snapshots).rows {
        for rail in &row.rails {
            out.push_str(if *rail { "| " } else { "  " });
        }
        out.push_str(match row.branch {
            Some(true) => "`-",
            Some(false) => "|-",
            None => "",
        });
        match row.kind {
            TreeRowKind::Here => out.push_str("@ you are here"),
            TreeRowKind::Snapshot(n) => {
                if let Some(snapshot) = snapshots.get(n) {
                    let _ = write!(
                        out,
                        "o {}  {}, {} its own",
                        text::visible(&snapshot.name),
                        age(snapshot.created),
                        text::size(snapshot.exclusive)
                    );
                }
            }
        }
        out.push('\n');
    }
    out
}
