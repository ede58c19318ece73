//! Plans of what is done to volumes.

use super::act::{Act, Of};
use super::plan::{Look, touched_volume};
use crate::model::{Kind, Loss, ObjectRef, Plan, Problem, ProblemKind, Touched, Undo};
use crate::provider::cinder::look::escape;
use crate::provider::cinder::plan::by;
use crate::wire::vipr::{Group, Reference, Urn, Volume};

/// The one that is asked for by name or id, or the only one there is.
fn choose(what: &str, asked: Option<&str>, all: Vec<(Urn, String)>) -> Result<Urn, Problem> {
    let names: Vec<String> = all.iter().map(|(_, name)| name.clone()).collect();
    let fits = |(id, name): &(Urn, String)| {
        asked.is_none_or(|asked| asked == name || asked == id.as_str())
    };
    let mut found: Vec<Urn> = all.into_iter().filter(fits).map(|(id, _)| id).collect();
    match (found.len(), asked) {
        (1, _) => Ok(found.remove(0)),
        (0, Some(asked)) => Err(
            Problem::not_found(format!("there is no {what} \"{asked}\""))
                .hint(format!("there is {}", names.join(", "))),
        ),
        (0, None) => Err(Problem::new(
            ProblemKind::System,
            format!("there is no {what} that may be used"),
        )),
        (_, Some(asked)) => Err(Problem::user(format!(
            "there is more than one {what} \"{asked}\""
        ))
        .hint("give its id")),
        (_, None) => {
            Err(Problem::user(format!("in which {what}?"))
                .hint(format!("one of {}", names.join(", "))))
        }
    }
}

fn named(all: Vec<Reference>) -> Vec<(Urn, String)> {
    let pair = |one: Reference| {
        let name = one.name.unwrap_or_else(|| one.id.to_string());
        (one.id, name)
    };
    all.into_iter().map(pair).collect()
}

impl Look<'_> {
    pub(super) async fn create_volume(&self) -> Result<Plan, Problem> {
        let name = self.operation.get_text("name")?;
        let size = self.operation.get_size("size")?;
        if name.chars().count() < 2 {
            return Err(
                Problem::user("the name has one character").because("the system takes 2 to 128")
            );
        }
        let asked = |field: &str| self.operation.find_text(field);
        let (pools, arrays, projects) = tokio::join!(
            self.shared
                .references("/block/vpools", &["vpool_list"], "virtualpool"),
            self.shared
                .references("/vdc/varrays", &["varrays"], "varray"),
            self.shared.projects(),
        );
        let pool = choose("virtual pool", asked("pool"), named(pools?))?;
        let array = choose("virtual array", asked("array"), named(arrays?))?;
        let project = choose("project", asked("project"), projects?)?;
        let group = match asked("consistency-group") {
            None => None,
            Some(id) if Urn::parse(id).is_some() => {
                let group: Group = self.shared.one(id).await?;
                Some(group.base.id)
            }
            Some(name) => {
                let found = self.shared.groups_named(name).await?;
                let all = found.into_iter().map(|group| {
                    let name = group.base.name().to_owned();
                    (group.base.id, name)
                });
                Some(choose("consistency group", Some(name), all.collect())?)
            }
        };
        let query = format!("project={project}&name={}", escape(name));
        let ids = self.shared.search::<Volume>(&query).await?;
        let mut same = self.shared.bulk::<Volume>(&ids).await?;
        same.retain(|volume| volume.base.name() == name);
        let mut plan = self.plan(
            name,
            format!("create the volume {name} of {size}"),
            by("delete it again"),
        );
        let act = Act::MakeVolume([pool, array, project], group);
        plan.steps = vec![self.step(&act, "creating the volume")?];
        if !same.is_empty() {
            plan.notes.push(format!(
                "there is a volume called {name} in the project already"
            ));
        }
        // What bears the name already was not made by this.
        plan.touches = same
            .iter()
            .map(|volume| Touched {
                object: ObjectRef::new(Kind::Volume, volume.base.id.to_string()),
                name: name.to_owned(),
                revision: format!("{name}|{}", volume.base.id.uuid().unwrap_or_default()),
            })
            .collect();
        Ok(plan)
    }

    pub(super) async fn expand(&self) -> Result<Plan, Problem> {
        let (volume, all, tasks) = self.the_volume().await?;
        let (name, size) = (volume.base.name(), self.operation.get_size("size")?);
        let now = volume.device.size().unwrap_or_default();
        if size <= now {
            return Err(Problem::user(format!("{name} has {now} already"))
                .hint("give a size that is larger"));
        }
        self.idle(name, &tasks)?;
        let never = Undo::Never("the system makes no volume smaller".to_owned());
        let mut plan = self.plan(name, format!("expand {name} from {now} to {size}"), never);
        plan.steps = vec![self.step(&Act::Expand, "expanding the volume")?];
        plan.touches = vec![touched_volume(&volume, &all, &tasks)];
        Ok(plan)
    }

    pub(super) async fn delete_volume(&self) -> Result<Plan, Problem> {
        let (volume, all, tasks) = self.the_volume().await?;
        let name = volume.base.name();
        let hosts = self.seen_by::<Volume>(&volume.base.id).await?;
        if !hosts.is_empty() {
            return Err(
                Problem::conflict(format!("{name} is exported to {}", hosts.join(", ")))
                    .hint("take it away from its hosts first"),
            );
        }
        let copies = volume.full_copies().len();
        if copies > 0 {
            return Err(
                Problem::conflict(format!("{name} has {copies} full copies"))
                    .because("the system deletes no volume whose copies are not detached")
                    .hint("detach them first"),
            );
        }
        self.idle(name, &tasks)?;
        let sessions = all.sessions_of(&volume);
        let snapshots = all.snapshots_of(&volume.base.id);
        let (s, t) = (sessions.len(), snapshots.len());
        if s + t > 0 && !self.operation.flag("snapshots") {
            return Err(Problem::conflict(format!(
                "{name} has {s} snapshot sessions, and {t} snapshots and linked targets"
            ))
            .hint("delete them too (`--snapshots`), or delete them first"));
        }
        if let Some(shared) = sessions.iter().find(|session| session.source().is_none()) {
            return Err(Problem::conflict(format!(
                "the snapshot session {} is of the whole consistency group of {name}",
                shared.base.name()
            ))
            .hint("delete that session first, if nobody needs it"));
        }
        let never = Undo::Never("what is deleted is gone".to_owned());
        let summary = match s + t {
            0 => format!("delete the volume {name}"),
            _ => format!(
                "delete the volume {name}, its {s} snapshot sessions, and its {t} snapshots and linked targets"
            ),
        };
        let mut plan = self.plan(name, summary, never);
        for session in &sessions {
            let of = Of::session(session);
            let targets: Vec<Urn> = session.targets().cloned().collect();
            if !targets.is_empty() {
                let act = Act::Unlink(of, targets, true);
                let title = format!(
                    "unlinking and deleting the targets of {}",
                    session.base.name()
                );
                plan.steps.push(self.step(&act, title)?);
            }
        }
        for snapshot in &snapshots {
            if all.session_of(&snapshot.base.id).is_none() {
                let act = Act::DropSnapshot(snapshot.base.id.clone());
                let title = format!("deleting the snapshot {}", snapshot.base.name());
                plan.steps.push(self.step(&act, title)?);
            }
        }
        for session in &sessions {
            let act = Act::DropSession(Of::session(session));
            let title = format!("deleting the snapshot session {}", session.base.name());
            plan.steps.push(self.step(&act, title)?);
        }
        plan.steps
            .push(self.step(&Act::DropVolume, "deleting the volume")?);
        plan.touches = vec![touched_volume(&volume, &all, &tasks)];
        plan.losses = vec![Loss {
            what: format!("all that {name} holds"),
            bytes: volume.device.size(),
        }];
        if s + t > 0 {
            plan.losses.push(Loss {
                what: format!("its {s} snapshot sessions, and {t} snapshots and linked targets"),
                bytes: None,
            });
        }
        plan.confirm = Some(name.to_owned());
        Ok(plan)
    }
}
