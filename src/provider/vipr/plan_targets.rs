//! Plans of what is done to linked targets.

use super::act::{Act, Of, targets};
use super::convert::mode;
use super::inventory::Inventory;
use super::plan::{Look, touched_session, touched_snapshot, touched_volume};
use super::plan_sessions::target_names;
use crate::model::{CopyMode, Kind, Loss, OperationKind, Plan, Problem, Undo, Value};
use crate::provider::cinder::plan::by;
use crate::wire::vipr::{Session, Snapshot, Task};

impl Look<'_> {
    pub(super) async fn link(&self) -> Result<Plan, Problem> {
        let (session, volumes, tasks) = self.the_session().await?;
        let name = session.base.name();
        let Some(new) = targets(self.operation, "name", "1")? else {
            return Err(
                Problem::user("at least one target is to be linked").hint("set count to 1 or more")
            );
        };
        self.idle(name, &tasks)?;
        let mut plan = self.plan(
            &format!("{} ← {name}", new.target_name),
            format!(
                "link {} to the snapshot session {name}",
                match new.count * volumes.len() as i64 {
                    1 => "a target".to_owned(),
                    n => format!("{n} targets"),
                }
            ),
            by("unlink and delete what was linked"),
        );
        plan.touches = vec![touched_session(&session, &tasks)];
        for volume in &volumes {
            let (volume, all, tasks) = self.volume(volume.base.id.as_str()).await?;
            self.targets_fit(&new, &volume, &all)?;
            plan.touches.push(touched_volume(&volume, &all, &tasks));
        }
        let act = Act::Link(Of::session(&session));
        plan.steps = vec![self.step(&act, "linking")?];
        plan.notes.push(target_names(&new, volumes.len()));
        if new.copy_mode.as_deref() == Some("copy") {
            let sizes = volumes.iter().filter_map(|volume| volume.device.size());
            plan.copies.0 = sizes.map(|size| size.0).sum::<u64>() * new.count.unsigned_abs();
        }
        Ok(plan)
    }

    /// The target of the operation, what it has to do with, the session that it shows, and the tasks on that.
    async fn the_target(&self) -> Result<(Snapshot, Inventory, Session, Vec<Task>), Problem> {
        let id = self.operation.object("target", Kind::Target)?;
        let target: Snapshot = self.shared.one(id).await?;
        let all = match target.source() {
            Some(source) => self.shared.around(source).await?,
            None => Inventory::default(),
        };
        let session = all.session_of(&target.base.id).cloned().ok_or_else(|| {
            let name = target.base.name();
            Problem::not_found(format!("{name} is linked to no snapshot session"))
        })?;
        let tasks = self
            .shared
            .tasks_of::<Session>(session.base.id.as_str())
            .await?;
        Ok((target, all, session, tasks))
    }

    pub(super) async fn relink(&self) -> Result<Plan, Problem> {
        let (target, _, now, _) = self.the_target().await?;
        let (session, _, tasks) = self.the_session().await?;
        let (name, to) = (target.base.name(), session.base.name());
        if !session.has_source_of(&now) {
            return Err(Problem::conflict(format!("{name} cannot show {to}"))
                .because(format!(
                    "{to} is of another source than {}, which it shows now",
                    now.base.name()
                ))
                .hint("link a new target to that session instead"));
        }
        self.idle(to, &tasks)?;
        let undo = match session.base.id == now.base.id {
            true => Undo::Never("what was written to the target is not kept".to_owned()),
            false => {
                let back = crate::model::ObjectRef::new(Kind::Session, now.base.id.to_string());
                Undo::By {
                    how: format!(
                        "relink it to {}; what was written to it is gone",
                        now.base.name()
                    ),
                    operation: Some(
                        self.on_target(OperationKind::RelinkTarget, &target.base.id)
                            .with("session", Value::Object(back)),
                    ),
                }
            }
        };
        let summary = match session.base.id == now.base.id {
            true => format!("let the linked target {name} show {to} afresh"),
            false => format!(
                "let the linked target {name} show {to} rather than {}",
                now.base.name()
            ),
        };
        let mut plan = self.plan(&format!("{name} ← {to}"), summary, undo);
        let act = Act::Relink(Of::session(&session), vec![target.base.id.clone()]);
        plan.steps = vec![self.step(&act, "relinking")?];
        plan.touches = vec![
            touched_snapshot(Kind::Target, &target, &[]),
            touched_session(&session, &tasks),
        ];
        plan.losses = vec![Loss {
            what: format!("what hosts wrote to {name} since it was linked"),
            bytes: None,
        }];
        let hosts = self.seen_by::<Snapshot>(&target.base.id).await?;
        if !hosts.is_empty() {
            plan.notes.push(format!(
                "{name} is exported to {}: what they read changes under them; the system does not look",
                hosts.join(", ")
            ));
        }
        plan.notes.extend(set(&now));
        plan.confirm = Some(name.to_owned());
        Ok(plan)
    }

    pub(super) async fn unlink(&self) -> Result<Plan, Problem> {
        let (target, _, session, tasks) = self.the_target().await?;
        let (name, from) = (target.base.name(), session.base.name());
        let delete = self.operation.flag("delete");
        let hosts = self.seen_by::<Snapshot>(&target.base.id).await?;
        if !hosts.is_empty() {
            return Err(
                Problem::conflict(format!("{name} is exported to {}", hosts.join(", ")))
                    .because("the system unlinks no target that hosts see, deleted or not")
                    .hint("take it away from its hosts first"),
            );
        }
        self.idle(from, &tasks)?;
        let summary = match delete {
            true => format!("unlink the target {name} from {from} and delete it"),
            false => format!("unlink the target {name} from {from}"),
        };
        let undo = match delete {
            true => Undo::Never("what is deleted is gone; the session stays".to_owned()),
            false => Undo::Never("it becomes a volume, which is no target again".to_owned()),
        };
        let mut plan = self.plan(name, summary, undo);
        let of = Of::session(&session);
        let act = Act::Unlink(of, vec![target.base.id.clone()], delete);
        plan.steps = vec![self.step(&act, "unlinking")?];
        plan.touches = vec![
            touched_snapshot(Kind::Target, &target, &[]),
            touched_session(&session, &tasks),
        ];
        if delete {
            plan.losses = vec![Loss {
                what: format!("the device of {name}, and what hosts wrote to it"),
                bytes: None,
            }];
            plan.confirm = Some(name.to_owned());
        } else {
            plan.notes.push(format!(
                "it becomes a volume of the same name, with a new id; {name} is no target any more"
            ));
            plan.notes.push(match mode(&target.base) {
                CopyMode::Copy => "it was linked to be copied: it is whole once that copy is done, which the system does not tell".to_owned(),
                CopyMode::NoCopy => "it was linked without copying: what it then holds is not defined".to_owned(),
                CopyMode::Unknown(_) => "whether it was copied is not told: without that, what it then holds is not defined".to_owned(),
            });
        }
        plan.notes.extend(set(&session));
        Ok(plan)
    }
}

/// Of a group whole sets go.
fn set(session: &Session) -> Option<String> {
    session
        .source()
        .is_none()
        .then(|| "it is of a consistency group: all targets of the same set go with it".to_owned())
}
