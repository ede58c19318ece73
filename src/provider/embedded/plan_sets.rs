//! Planning what is done to groups and sessions.

use super::plan::{Look, RECLAIM, RECORD, following, step, touched_point, touched_volume};
use super::sets::{self, Set, SetKind};
use super::{attributes, convert, error, targets};
use crate::engine::VolumeInfo;
use crate::model::{Bytes, Kind, Loss, Operation, Plan, Problem, Touched, Undo};

/// What is pinned of a set: its name and who its members are.
pub(super) fn touched_set(set: &Set) -> Touched {
    let members: Vec<String> = set.members.iter().map(|p| p.id.to_string()).collect();
    Touched {
        object: set.reference(),
        name: set.name(),
        revision: format!("{}|{}", set.name(), members.join(",")),
    }
}

fn volumes(count: usize) -> String {
    match count {
        1 => "1 volume".to_owned(),
        n => format!("{n} volumes"),
    }
}

impl Look<'_> {
    /// The group or session that the operation is about.
    pub(super) fn set(&self, kind: SetKind) -> Result<Set, Problem> {
        let word = kind.kind().one();
        let id = self.operation.object(word, kind.kind())?;
        sets::find(self.shared, kind, id)
    }

    pub(super) fn volume_info(&self, id: &str) -> Result<VolumeInfo, Problem> {
        self.shared
            .store
            .volume(convert::engine_volume(id)?)
            .map_err(|e| error::problem(&e, format!("volume {id} cannot be looked at")))
    }

    pub(super) fn create_set(&self, kind: SetKind) -> Result<Plan, Problem> {
        let word = kind.kind().one();
        let name = self.operation.get_text("name")?;
        let mut members = Vec::new();
        for id in self.operation.volumes()? {
            let info = self.volume_info(id.as_str())?;
            self.shared.not_filling(info.id)?;
            members.push(info);
        }
        let how_many = volumes(members.len());
        let mut plan = self.plan(
            format!("{name} · {how_many}"),
            format!("take the {word} {name} of {how_many} at one moment"),
            Undo::By {
                how: format!("delete the {word}"),
                operation: None,
            },
        );
        let lines: Vec<String> = members
            .iter()
            .map(|info| format!("snapshot volume {} as \"{name}\"", info.id))
            .collect();
        plan.steps = vec![step(
            RECORD,
            format!("taking the {word}"),
            format!("{}\n(one record, nothing is copied)", lines.join("\n")),
        )];
        plan.touches = members
            .iter()
            .map(|info| touched_volume(info, ""))
            .collect();
        let names = sets::volume_names(self.shared);
        let mut all = sets::all(self.shared, kind, &names).into_iter();
        plan.notes = self.name_note(name, all.any(|set| set.name() == name));
        Ok(plan)
    }

    pub(super) fn update_group(&self) -> Result<Plan, Problem> {
        let set = self.set(SetKind::Group)?;
        let name = set.name();
        let back = Operation::new(self.operation.kind).with(
            Kind::Group.one(),
            crate::model::Value::Object(set.reference()),
        );
        let Some(first) = set.members.first() else {
            return Err(Problem::not_found("the group has no members"));
        };
        let fields = ["name", "description"];
        let mut plan = self.update("group", &name, &name, &first.attrs, &fields, back)?;
        plan.touches = vec![touched_set(&set)];
        Ok(plan)
    }

    pub(super) fn delete_set(&self, kind: SetKind) -> Result<Plan, Problem> {
        let word = kind.kind().one();
        let set = self.set(kind)?;
        let name = set.name();
        if kind == SetKind::Session {
            let linked = targets::linked(self.shared).of(&set.id);
            if !linked.is_empty() {
                return Err(Problem::conflict(format!(
                    "{} are linked to the session {name}",
                    match linked.len() {
                        1 => "1 target".to_owned(),
                        n => format!("{n} targets"),
                    }
                ))
                .hint("unlink them first; they stay whole"));
            }
        }
        let mut plan = self.plan(
            &name,
            format!("delete the {word} {name} of {}", volumes(set.members.len())),
            Undo::Never("a point in time that is deleted is gone".to_owned()),
        );
        let lines: Vec<String> = set
            .members
            .iter()
            .map(|point| format!("delete point {}", point.id))
            .collect();
        plan.steps = vec![
            step(
                RECORD,
                format!("deleting the {word}"),
                format!("{}\n(one record)", lines.join("\n")),
            ),
            following(RECLAIM, "freeing its room", "wait until the room is free"),
        ];
        plan.touches = vec![touched_set(&set)];
        let mut clones = 0;
        for point in &set.members {
            let full = self.full_name(point);
            plan.touches.push(touched_point(point, &full));
            plan.losses.push(Loss {
                what: format!("the point in time {full}; what only it holds is freed"),
                bytes: point.usage.exclusive.map(Bytes),
            });
            clones += point.clones.len();
        }
        if clones > 0 {
            let note = format!("{clones} clones of its members stay whole");
            plan.notes.push(note);
        }
        plan.confirm = Some(name);
        Ok(plan)
    }

    pub(super) fn ungroup(&self) -> Result<Plan, Problem> {
        let set = self.set(SetKind::Group)?;
        let name = set.name();
        let mut plan = self.plan(
            &name,
            format!("let the members of {name} be snapshots by themselves"),
            Undo::Never("they cannot be made one group again; nothing else is lost".to_owned()),
        );
        plan.steps = vec![step(
            RECORD,
            "parting the group",
            format!(
                "take the mark of the group {} off {} points (one record)",
                set.id,
                set.members.len()
            ),
        )];
        plan.touches = vec![touched_set(&set)];
        Ok(plan)
    }

    pub(super) fn restore_set(&self, kind: SetKind) -> Result<Plan, Problem> {
        let word = kind.kind().one();
        let set = self.set(kind)?;
        let name = set.name();
        if !set.is_whole() {
            return Err(Problem::conflict(format!(
                "{} of the {} points in time of {name} are gone",
                set.taken() - set.members.len() as u64,
                set.taken()
            ))
            .hint("restore the snapshots that are left, one by one"));
        }
        let guard = self.operation.flag("guard");
        let how_many = volumes(set.members.len());
        let undo = match guard {
            true => Undo::By {
                how: "restore the group of their guard snapshots".to_owned(),
                operation: None,
            },
            false => Undo::Never("what the volumes held is not kept".to_owned()),
        };
        let mut plan = self.plan(
            format!("{how_many} ← {name}"),
            format!("take {how_many} back to the {word} {name} at one moment"),
            undo,
        );
        plan.touches = vec![touched_set(&set)];
        let mut lines = Vec::new();
        for point in &set.members {
            let info = self.volume_info(&point.volume.to_string())?;
            self.not_copying(&info)?;
            lines.push(format!(
                "restore volume {} to point {}, {}",
                info.id,
                point.id,
                match guard {
                    true => "keeping its head as a guard snapshot",
                    false => "dropping its head",
                }
            ));
            plan.touches.push(touched_volume(&info, ""));
            if info.size != point.size {
                plan.notes.push(format!(
                    "the size of {} goes from {} to {}",
                    info.name,
                    Bytes(info.size),
                    Bytes(point.size)
                ));
            }
            if info.attrs.contains_key(attributes::INSTANCE) {
                plan.notes.push(format!(
                    "{} is in use: its host must not have it mounted while it is taken back",
                    info.name
                ));
            }
            if !guard {
                plan.losses.push(Loss {
                    what: format!("what was written to {} since its last snapshot", info.name),
                    bytes: info.usage.exclusive.map(Bytes),
                });
            }
        }
        plan.steps = vec![step(
            RECORD,
            match guard {
                true => "keeping the present states, restoring",
                false => "restoring",
            },
            format!("{}\n(one record, nothing is copied)", lines.join("\n")),
        )];
        self.read_back(&mut plan);
        match guard {
            true => plan.notes.push(
                "what the volumes hold now is kept as guard snapshots, which are a group"
                    .to_owned(),
            ),
            false => plan.confirm = Some(name),
        }
        Ok(plan)
    }
}
