//! Planning what is done to volumes.

use super::plan::{
    Look, RECLAIM, RECORD, SHRINK, copying, following, step, touched_point, touched_volume,
};
use super::{convert, error};
use crate::engine::{self, VolumeInfo};
use crate::model::{Bytes, Loss, Operation, OperationKind, Plan, Problem, Undo, Value};

impl Look<'_> {
    pub(super) fn create_volume(&self) -> Result<Plan, Problem> {
        let name = self.operation.get_text("name")?;
        let size = self.operation.get_size("size")?;
        let mut plan = self.plan(
            name,
            format!("create the volume {name} of {size}"),
            Undo::By {
                how: "delete the volume".to_owned(),
                operation: None,
            },
        );
        plan.steps = vec![step(
            RECORD,
            "creating the volume",
            format!("create volume \"{name}\", {} bytes, thin", size.0),
        )];
        plan.notes = self.name_note(name, self.volume_named(name));
        Ok(plan)
    }

    pub(super) fn update_volume(&self) -> Result<Plan, Problem> {
        let info = self.volume()?;
        let id = convert::volume_id(info.id);
        let back = Operation::new(self.operation.kind).on_volume(&id);
        let fields = ["name", "description", "instance", "device"];
        let mut plan = self.update("volume", &info.name, &info.name, &info.attrs, &fields, back)?;
        plan.touches = vec![touched_volume(&info, "")];
        Ok(plan)
    }

    pub(super) fn extend_volume(&self) -> Result<Plan, Problem> {
        let info = self.volume()?;
        self.shared.not_filling(info.id)?;
        let size = self.operation.get_size("size")?;
        if size.0 <= info.size {
            return Err(Problem::user(format!(
                "{} is {} already; the new size must be larger",
                info.name,
                Bytes(info.size)
            )));
        }
        let mut plan = self.plan(
            format!("{} to {size}", info.name),
            format!("extend {} from {} to {size}", info.name, Bytes(info.size)),
            Undo::By {
                how: "shrink it again".to_owned(),
                operation: Some(
                    Operation::new(OperationKind::ShrinkVolume)
                        .on_volume(&convert::volume_id(info.id))
                        .with("size", Value::Size(Bytes(info.size))),
                ),
            },
        );
        plan.steps = vec![step(
            RECORD,
            "extending the volume",
            format!(
                "resize volume {} from {} to {} bytes",
                info.id, info.size, size.0
            ),
        )];
        plan.touches = vec![touched_volume(&info, "")];
        Ok(plan)
    }

    pub(super) fn shrink_volume(&self) -> Result<Plan, Problem> {
        let info = self.volume()?;
        self.not_copying(&info)?;
        let size = self.operation.get_size("size")?;
        if size.0 >= info.size {
            return Err(Problem::user(format!(
                "{} is {} already; the new size must be smaller",
                info.name,
                Bytes(info.size)
            )));
        }
        let guard = self.operation.flag("guard");
        let mut plan = self.plan(
            format!("{} to {size}", info.name),
            format!("shrink {} from {} to {size}", info.name, Bytes(info.size)),
            match guard {
                true => Undo::By {
                    how: format!("restore {} to its guard snapshot", info.name),
                    operation: None,
                },
                false => Undo::Never("what is cut off is not kept".to_owned()),
            },
        );
        let lost = self.data_beyond(&info, size.0)?;
        if guard {
            plan.steps.push(step(
                RECORD,
                "keeping the present state",
                format!("snapshot volume {} as a guard", info.id),
            ));
            plan.notes.push(format!(
                "what {} holds now is kept as a guard snapshot",
                info.name
            ));
        }
        plan.steps.push(step(
            SHRINK,
            "shrinking the volume",
            format!(
                "resize volume {} from {} to {} bytes",
                info.id, info.size, size.0
            ),
        ));
        plan.touches = vec![touched_volume(&info, "")];
        plan.losses.push(Loss {
            what: format!("the last {} of {}", Bytes(info.size - size.0), info.name),
            bytes: Some(lost),
        });
        if lost.0 > 0 && !guard {
            plan.confirm = Some(info.name);
        }
        plan.notes
            .push("a file system or partition table on it must be made smaller before".to_owned());
        Ok(plan)
    }

    /// How much of a volume is written from this byte on.
    fn data_beyond(&self, info: &VolumeInfo, from: u64) -> Result<Bytes, Problem> {
        const LOOK: u64 = 1 << 32;
        let (mut at, mut data) = (from, 0);
        while at < info.size {
            let len = LOOK.min(info.size - at);
            let source = engine::Source::Volume(info.id);
            let extents =
                self.shared.store.extents(source, at, len).map_err(|e| {
                    error::problem(&e, format!("{} cannot be looked at", info.name))
                })?;
            let found = extents.iter();
            data += found
                .filter(|extent| extent.kind == engine::ExtentKind::Data)
                .map(|extent| extent.len)
                .sum::<u64>();
            // A look may end before what was asked for does.
            match extents.last() {
                Some(last) => at = last.offset + last.len,
                None => break,
            }
        }
        Ok(Bytes(data))
    }

    pub(super) fn delete_volume(&self) -> Result<Plan, Problem> {
        let info = self.volume()?;
        self.shared.not_filling(info.id)?;
        let points = self.points_of(&info)?;
        let cascade = self.operation.flag("snapshots");
        if !points.is_empty() && !cascade {
            return Err(Problem::conflict(format!(
                "{} has {} snapshots, and they were not to go with it",
                info.name,
                points.len()
            ))
            .hint("delete its snapshots first, or say that they go with it (snapshots = true)"));
        }
        let mut plan = self.plan(
            &info.name,
            match points.len() {
                0 => format!("delete the volume {}", info.name),
                1 => format!("delete the volume {} and its snapshot", info.name),
                n => format!("delete the volume {} and its {n} snapshots", info.name),
            },
            Undo::Never("what is deleted is gone".to_owned()),
        );
        plan.steps = vec![
            step(
                RECORD,
                "deleting the volume",
                format!("delete volume {}, snapshots too: {cascade}", info.id),
            ),
            following(RECLAIM, "freeing its room", "wait until the room is free"),
        ];
        let ids: Vec<_> = points.iter().map(|p| p.id.to_string()).collect();
        plan.touches = vec![touched_volume(&info, &ids.join(","))];
        plan.losses.push(Loss {
            what: format!("all that {} holds now", info.name),
            bytes: Some(Bytes(info.usage.referenced)),
        });
        for point in &points {
            plan.touches
                .push(touched_point(point, &self.full_name(point)));
            plan.losses.push(Loss {
                what: format!("its snapshot {}, with all that it holds", point.name),
                bytes: Some(Bytes(point.usage.referenced)),
            });
        }
        let clones: usize = points.iter().map(|p| p.clones.len()).sum();
        if clones > 0 {
            plan.notes
                .push(format!("{clones} clones of its snapshots stay whole"));
        }
        plan.confirm = Some(info.name);
        Ok(plan)
    }

    pub(super) fn flatten(&self) -> Result<Plan, Problem> {
        let info = self.volume()?;
        if info.parent.is_none() {
            return Err(Problem::conflict(format!(
                "{} shares nothing: it stands alone already",
                info.name
            )));
        }
        self.not_copying(&info)?;
        let mut plan = self.plan(
            &info.name,
            format!("copy what {} shares, so that it stands alone", info.name),
            Undo::Never("nothing is lost by it; what was copied stays copied".to_owned()),
        );
        plan.copies = Bytes(info.usage.referenced.saturating_sub(info.usage.written));
        plan.steps = vec![copying(plan.copies)];
        plan.touches = vec![touched_volume(&info, "")];
        plan.notes.push(
            "its snapshots stay, apart from it: a restore to one is still possible".to_owned(),
        );
        Ok(plan)
    }
}
