//! Plans of what is done to snapshot sessions.

use super::act::{Act, Of, Place, targets};
use super::inventory::{Inventory, part};
use super::plan::{Look, touched_session, touched_volume};
use crate::model::{Kind, Loss, Operation, OperationKind, Plan, Problem, ProblemKind, Undo, Value};
use crate::provider::cinder::plan::by;
use crate::wire::vipr::{
    DATETIME, Group, LONGEST_NAME, NewTargets, Session, Task, Urn, Volume, expanded_length, label,
};

/// So many targets the sessions of one source have together (section 8.3).
const MOST_TARGETS: i64 = 1024;

/// Refuses a name that the system would not take.
pub(super) fn fits(what: &str, name: &str, most: usize) -> Result<(), Problem> {
    let length = expanded_length(name.trim());
    if length > most {
        return Err(Problem::user(format!("{what} has {length} characters"))
            .because(format!(
                "the system takes {most}; {DATETIME} becomes 15 of them"
            ))
            .hint("give a shorter name"));
    }
    if label(name).is_empty() {
        return Err(
            Problem::user(format!("{what} has no character that arrays take"))
                .hint("use letters, digits and _#@+-"),
        );
    }
    Ok(())
}

/// What is taken, of which volumes.
struct Taken {
    place: Place,
    volumes: Vec<(Volume, Inventory, Vec<Task>)>,
    notes: Vec<String>,
}

impl Taken {
    fn names(&self) -> String {
        let names: Vec<&str> = self
            .volumes
            .iter()
            .map(|(volume, ..)| volume.base.name())
            .collect();
        names.join(", ")
    }
}

fn has_no_sessions(name: &str, array: Option<&str>) -> Problem {
    Problem::conflict(format!("there are no snapshot sessions of {name}"))
        .because(format!(
            "its array ({}) does not have them: VMAX3 has, and VPLEX before one",
            array.unwrap_or("of a type that is not told")
        ))
        .hint("take a snapshot instead")
}

impl Look<'_> {
    /// Of what a session of these volumes is taken.
    async fn place(&self) -> Result<Taken, Problem> {
        let wanted = self.operation.volumes()?;
        let mut volumes = Vec::new();
        for id in &wanted {
            volumes.push(self.volume(id.as_str()).await?);
        }
        let Some((first, ..)) = volumes.first() else {
            return Err(Problem::user("of which volume?"));
        };
        let group = first.device.group().cloned();
        let same = volumes
            .iter()
            .all(|(volume, ..)| volume.device.group() == group.as_ref());
        let (several, part) = (volumes.len() > 1, part(&first.device));
        let group =
            match (group, several) {
                (None, false) => None,
                // It is in no group of the array yet, and stands alone.
                (Some(_), false) if part.is_none() => None,
                (Some(group), _) if same => Some(group),
                (Some(_) | None, _) => {
                    return Err(Problem::user("these volumes are not of one consistency group")
                    .because("one session is of one volume, or of volumes of one consistency group")
                    .hint("take a session of each"));
                }
            };
        let Some(group) = group else {
            let place = Place::Volume(first.base.id.clone());
            return Ok(Taken {
                place,
                volumes,
                notes: Vec::new(),
            });
        };
        self.group_place(&group, volumes).await
    }

    async fn group_place(
        &self,
        group: &Urn,
        chosen: Vec<(Volume, Inventory, Vec<Task>)>,
    ) -> Result<Taken, Problem> {
        let found: Group = self.shared.one(group.as_str()).await?;
        let name = found.base.name();
        if found.supports_snapshot_sessions == Some(false) {
            let array = chosen
                .first()
                .and_then(|(volume, ..)| volume.system_type.as_deref());
            return Err(has_no_sessions(name, array));
        }
        if found.types.iter().flatten().any(|kind| kind == "RP") {
            return Err(
                Problem::conflict(format!("{name} is protected by RecoverPoint"))
                    .because("the system takes no sessions of such groups"),
            );
        }
        let members = self.shared.members(group).await?;
        if let Some(alone) = members
            .iter()
            .find(|one| one.device.replication_group().is_none())
        {
            return Err(Problem::conflict(format!(
                "{} of the consistency group {name} is in no replication group",
                alone.base.name()
            ))
            .because("the system takes sessions of whole replication groups only"));
        }
        // Whole replication groups go, whatever was chosen of them.
        let parts: Vec<_> = chosen
            .iter()
            .filter_map(|(volume, ..)| part(&volume.device))
            .collect();
        let goes = |one: &&Volume| part(&one.device).is_some_and(|own| parts.contains(&own));
        let going: Vec<Urn> = members
            .iter()
            .filter(goes)
            .map(|one| one.base.id.clone())
            .collect();
        let subset = match going.len() == members.len() {
            true => Vec::new(),
            false => going.clone(),
        };
        let mut notes = Vec::new();
        let (mut volumes, before) = (chosen, going.len());
        for id in going {
            if volumes.iter().all(|(volume, ..)| volume.base.id != id) {
                volumes.push(self.volume(id.as_str()).await?);
            }
        }
        let mut distinct = parts;
        distinct.sort();
        distinct.dedup();
        notes.push(format!(
            "it is of the consistency group {name}: of all {before} volumes of {} replication group(s), each with a session of its own",
            distinct.len()
        ));
        Ok(Taken {
            place: Place::Group(group.clone(), subset),
            volumes,
            notes,
        })
    }

    /// Refuses targets that there can not be, and says what they will be called.
    pub(super) fn targets_fit(
        &self,
        new: &NewTargets,
        volume: &Volume,
        all: &Inventory,
    ) -> Result<(), Problem> {
        fits("the name of the targets", &new.target_name, LONGEST_NAME)?;
        let there: usize = all
            .sessions_of(volume)
            .iter()
            .map(|one| one.targets().count())
            .sum();
        if there as i64 + new.count > MOST_TARGETS {
            return Err(Problem::new(
                ProblemKind::Quota,
                format!("{} has {there} linked targets already", volume.base.name()),
            )
            .because(format!("there are {MOST_TARGETS} at most of one source"))
            .hint("unlink some"));
        }
        for n in 1..=new.count {
            self.free(&label(&format!("{}-{n}", new.target_name)), volume, all)?;
        }
        Ok(())
    }

    pub(super) async fn create_session(&self) -> Result<Plan, Problem> {
        let name = self.operation.get_text("name")?.trim();
        let new = targets(self.operation, "target-name", "0")?;
        fits("the name", name, LONGEST_NAME)?;
        let taken = self.place().await?;
        let mut notes = taken.notes.clone();
        for (volume, all, tasks) in &taken.volumes {
            if volume.supports_snapshot_sessions == Some(false) {
                return Err(has_no_sessions(
                    volume.base.name(),
                    volume.system_type.as_deref(),
                ));
            }
            if volume.base.is_internal() {
                return Err(Problem::user(format!(
                    "{} was made by the controller for itself",
                    volume.base.name()
                )));
            }
            self.idle(volume.base.name(), tasks)?;
            notes.extend(self.room(volume, all).await?);
            if !name.contains(DATETIME) {
                self.free(&label(name), volume, all)?;
            }
            if let Some(new) = &new {
                self.targets_fit(new, volume, all)?;
            }
        }
        let of = taken.names();
        let subject = format!("{name} of {of}");
        let summary = match &new {
            None => format!("take the snapshot session {name} of {of}"),
            Some(new) => format!(
                "take the snapshot session {name} of {of} and link {} {}",
                new.count * taken.volumes.len() as i64,
                if new.count * taken.volumes.len() as i64 == 1 {
                    "target"
                } else {
                    "targets"
                },
            ),
        };
        let undo = match &new {
            None => by("delete it again"),
            Some(_) => by("unlink its targets and delete it again"),
        };
        let mut plan = self.plan(&subject, summary, undo);
        let act = Act::MakeSession(taken.place.clone(), None);
        plan.steps = vec![self.step(&act, "taking the snapshot session")?];
        let touched = |(volume, all, tasks): &(Volume, Inventory, Vec<Task>)| {
            touched_volume(volume, all, tasks)
        };
        plan.touches = taken.volumes.iter().map(touched).collect();
        plan.notes = notes;
        if let Some(new) = &new {
            plan.notes.push(target_names(new, taken.volumes.len()));
        }
        Ok(plan)
    }

    /// The session in this field, its volumes, and the tasks on it.
    pub(super) async fn the_session(&self) -> Result<(Session, Vec<Volume>, Vec<Task>), Problem> {
        let id = self.operation.object("session", Kind::Session)?;
        let session: Session = self.shared.one(id).await?;
        let (volumes, tasks) = tokio::join!(
            self.shared.volumes_of(&session),
            self.shared.tasks_of::<Session>(id)
        );
        Ok((session, volumes?, tasks?))
    }

    pub(super) async fn delete_session(&self) -> Result<Plan, Problem> {
        let (session, volumes, tasks) = self.the_session().await?;
        let name = session.base.name();
        let linked = session.targets().count();
        if linked > 0 {
            let many = if linked == 1 {
                "target is"
            } else {
                "targets are"
            };
            return Err(
                Problem::conflict(format!("{linked} {many} linked to {name}"))
                    .because("the system deletes no session that has targets")
                    .hint("unlink them first: with delete they go, without they become volumes"),
            );
        }
        self.idle(name, &tasks)?;
        let never = Undo::Never("what is deleted is gone".to_owned());
        let mut plan = self.plan(name, format!("delete the snapshot session {name}"), never);
        let act = Act::DropSession(Of::session(&session));
        plan.steps = vec![self.step(&act, "deleting the snapshot session")?];
        plan.touches = vec![touched_session(&session, &tasks)];
        let of: Vec<&str> = volumes.iter().map(|volume| volume.base.name()).collect();
        plan.losses = vec![Loss {
            what: format!("the point in time {name} of {}", of.join(", ")),
            bytes: None,
        }];
        plan.notes.extend(other_parts(&session));
        plan.confirm = Some(name.to_owned());
        Ok(plan)
    }

    pub(super) async fn restore_session(&self) -> Result<Plan, Problem> {
        let (session, volumes, tasks) = self.the_session().await?;
        let name = session.base.name();
        if volumes.is_empty() {
            return Err(Problem::conflict(format!(
                "the volumes of {name} are gone, or may not be seen"
            )));
        }
        self.idle(name, &tasks)?;
        let guarded = self.operation.flag("guard");
        let of: Vec<&str> = volumes.iter().map(|volume| volume.base.name()).collect();
        let of = of.join(", ");
        let undo = match guarded {
            true => by("restore its guard session"),
            false => Undo::Never(format!("what was written since {name} is gone")),
        };
        let mut plan = self.plan(
            &format!("{of} ← {name}"),
            format!("put the data of the snapshot session {name} back on {of}"),
            undo,
        );
        plan.touches = vec![touched_session(&session, &tasks)];
        for volume in &volumes {
            let (volume, all, tasks) = self.volume(volume.base.id.as_str()).await?;
            let named = volume.base.name();
            self.idle(named, &tasks)?;
            if volume.has_mirrors() {
                return Err(Problem::conflict(format!("{named} has continuous copies"))
                    .because("the system restores no such volume")
                    .hint("detach them first"));
            }
            if guarded {
                plan.notes.extend(self.room(&volume, &all).await?);
            }
            let hosts = self.seen_by::<Volume>(&volume.base.id).await?;
            if !hosts.is_empty() {
                plan.notes.push(format!(
                    "{named} is exported to {}: it must be unmounted there; the system does not look",
                    hosts.join(", ")
                ));
            }
            plan.touches.push(touched_volume(&volume, &all, &tasks));
        }
        if guarded {
            let place = match (session.source(), session.device.group()) {
                (None, Some(group)) => {
                    let all = self.shared.members(group).await?;
                    let ids: Vec<Urn> = volumes
                        .iter()
                        .map(|volume| volume.base.id.clone())
                        .collect();
                    let subset = if all.len() == ids.len() {
                        Vec::new()
                    } else {
                        ids
                    };
                    Place::Group(group.clone(), subset)
                }
                (Some(source), _) => Place::Volume(source.clone()),
                (None, None) => {
                    return Err(Problem::conflict(format!(
                        "{name} does not say what it is of"
                    )));
                }
            };
            let act = Act::MakeSession(place, Some(self.guard()));
            plan.steps
                .push(self.step(&act, "keeping what is there now")?);
            plan.notes
                .push(format!("what {of} holds now is kept as a guard session"));
        } else {
            plan.losses.push(Loss {
                what: format!("what was written to {of} since its last point in time"),
                bytes: None,
            });
            plan.confirm = Some(name.to_owned());
        }
        let act = Act::RestoreSession(Of::session(&session));
        plan.steps.push(self.step(&act, "putting the data back")?);
        plan.notes.extend(other_parts(&session));
        Ok(plan)
    }

    /// An operation on a session, which takes back another one.
    pub(super) fn on_target(&self, kind: OperationKind, target: &Urn) -> Operation {
        let object = crate::model::ObjectRef::new(Kind::Target, target.to_string());
        Operation::new(kind).with("target", Value::Object(object))
    }
}

/// A group that spans arrays has a session for each replication group.
fn other_parts(session: &Session) -> Option<String> {
    session.source().is_none().then(|| {
        format!(
            "it is of one replication group ({}); sessions of the same set ({}) for others are not touched",
            session.device.replication_group().unwrap_or("-"),
            session.session_set_name.as_deref().unwrap_or("-")
        )
    })
}

/// What new targets will be called.
pub(super) fn target_names(new: &NewTargets, volumes: usize) -> String {
    let base = &new.target_name;
    let each = if volumes > 1 {
        ", with a number more for each volume"
    } else {
        ""
    };
    match new.count {
        1 => format!("the target is called {base}-1{each}"),
        n => format!("the targets are called {base}-1 to {base}-{n}{each}"),
    }
}
