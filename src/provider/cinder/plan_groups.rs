//! Plans of group snapshots.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use super::act::Act;
use super::convert::{named, volume_name};
use super::plan::{Look, by, touched_volume};
use super::plan_volumes::in_state;
use super::session::{Ask, not_understood};
use crate::model::{Kind, Loss, ObjectRef, Plan, Problem, ProblemKind, Touched, Undo};
use crate::wire::cinder::{GroupType, Page, Volume, VolumeStatus};

impl Look<'_> {
    pub(super) async fn create_group(&self) -> Result<Plan, Problem> {
        let name = self.operation.get_text("name")?;
        let ids = self.operation.volumes()?;
        let volumes = try_join_all(ids.iter().map(|id| self.shared.volume(id.as_str()))).await?;
        for volume in &volumes {
            let fit = [VolumeStatus::Available, VolumeStatus::InUse];
            in_state(volume, &fit, "no group snapshot can be taken")?;
        }
        let names: Vec<String> = volumes.iter().map(volume_name).collect();
        let summary = format!("take the group snapshot {name} of {}", names.join(", "));
        let mut plan = self.plan(name, summary, by("delete it again"));
        plan.touches = volumes
            .iter()
            .map(|volume| touched_volume(volume, &[]))
            .collect();
        let mut groups: Vec<Option<&str>> = volumes
            .iter()
            .map(|volume| volume.group_id.as_deref())
            .collect();
        groups.sort_unstable();
        groups.dedup();
        match groups.as_slice() {
            [Some(group)] => {
                self.all_of(group, &volumes).await?;
                let act = Act::TakeGroup(Some((*group).to_owned()));
                plan.steps = vec![self.step(&act, "taking the group snapshot").await?];
            }
            [None] => {
                let (kind, note) = self.group_type().await?;
                let mut types: Vec<String> = volumes
                    .iter()
                    .filter_map(|v| v.volume_type_id.clone().or_else(|| v.volume_type.clone()))
                    .collect();
                types.sort();
                types.dedup();
                let make = Act::MakeGroup(kind, types);
                plan.steps = vec![
                    self.step(&make, "making a group").await?,
                    self.step(&Act::JoinGroup, "putting the volumes into it")
                        .await?,
                    self.step(&Act::TakeGroup(None), "taking the group snapshot")
                        .await?,
                ];
                plan.notes
                    .push("the volumes are in no group: one is made of them, and stays".to_owned());
                plan.notes.extend(note);
            }
            _ => {
                let each: BTreeMap<String, &str> = names
                    .iter()
                    .cloned()
                    .zip(
                        volumes
                            .iter()
                            .map(|v| v.group_id.as_deref().unwrap_or("none")),
                    )
                    .collect();
                let mut problem = Problem::conflict(
                    "no group snapshot can be taken: the volumes are not in one and the same group",
                );
                for (name, group) in each {
                    problem = problem.because(format!("{name} is in {group}"));
                }
                return Err(problem.hint("take the volumes of one group, or such as are in none"));
            }
        }
        self.quota(&mut plan, "Snapshots").await;
        Ok(plan)
    }

    /// Refuses where the group has volumes that were not named: its snapshot takes them all.
    async fn all_of(&self, group: &str, volumes: &[Volume]) -> Result<(), Problem> {
        let members = self.shared.group(group).await?.volumes;
        let others: Vec<&String> = members
            .iter()
            .filter(|member| volumes.iter().all(|volume| volume.id != **member))
            .collect();
        if others.is_empty() {
            return Ok(());
        }
        let mut names = Vec::new();
        for id in others {
            let volume = self.shared.volume(id).await?;
            names.push(volume_name(&volume));
        }
        Err(Problem::conflict(format!(
            "a snapshot of their group takes all its volumes, and so of {} too",
            names.join(", ")
        ))
        .hint("name all volumes of the group"))
    }

    /// The type for a new group, and what to know of it.
    async fn group_type(&self) -> Result<(String, Option<String>), Problem> {
        let what = "the group types cannot be listed";
        let answer = self
            .shared
            .session
            .read(&Ask::get("/group_types"), what)
            .await?;
        let page = Page::<GroupType>::read(&answer.body)
            .map_err(|why| not_understood(&answer, what, &why))?;
        let types = page.items;
        let names = || {
            types
                .iter()
                .map(|t| t.name.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        if let Some(wanted) = self.operation.find_text("group-type") {
            let found = types.iter().find(|t| t.name == wanted || t.id == wanted);
            return found.map(|t| (t.id.clone(), note(t))).ok_or_else(|| {
                Problem::not_found(format!("there is no group type \"{wanted}\""))
                    .hint(format!("there are {}", names()))
            });
        }
        // The one that the service makes by itself is for what groups were called before.
        let usual = |t: &&GroupType| !t.name.starts_with("default_cgsnapshot");
        let consistent = types.iter().find(|t| usual(t) && t.is_consistent());
        let mut others = types.iter().filter(usual);
        let only = others.next().filter(|_| others.next().is_none());
        match consistent.or(only) {
            Some(found) => Ok((found.id.clone(), note(found))),
            None if types.is_empty() => Err(Problem::new(
                ProblemKind::Config,
                "a group must be made of the volumes, and the service has no group types",
            )
            .hint("an administrator makes one with the spec consistent_group_snapshot_enabled")),
            None => Err(
                Problem::user("a group must be made of the volumes: of which type?")
                    .hint(format!("set group-type to one of {}", names())),
            ),
        }
    }

    pub(super) async fn delete_group(&self) -> Result<Plan, Problem> {
        let id = self.operation.object("group", Kind::Group)?;
        let group = self.shared.group_snapshot(id).await?;
        let members = self.shared.members(&group).await?;
        let name = named(&group.name, &group.id);
        if !group.status.is_settled() {
            return Err(Problem::conflict(format!(
                "{name} cannot be deleted: it is {}",
                group.status.word()
            )));
        }
        let never = Undo::Never("what is deleted is gone".to_owned());
        let summary = format!(
            "delete the group snapshot {name} and its {} snapshots",
            members.len()
        );
        let mut plan = self.plan(&name, summary, never);
        let step = self
            .step(&Act::DropGroupSnapshot, "deleting the group snapshot")
            .await?;
        plan.steps = vec![step];
        let mut ids: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
        ids.sort_unstable();
        plan.touches = vec![Touched {
            object: ObjectRef::new(Kind::Group, group.id.clone()),
            name: name.clone(),
            revision: format!("{}|{}", group.name, ids.join(",")),
        }];
        plan.losses = vec![Loss {
            what: format!("the points in time of {} volumes", members.len()),
            bytes: None,
        }];
        plan.confirm = Some(name);
        Ok(plan)
    }
}

fn note(kind: &GroupType) -> Option<String> {
    (!kind.is_consistent()).then(|| {
        format!(
            "it is not known whether snapshots of groups of the type {} are of one moment",
            kind.name
        )
    })
}
