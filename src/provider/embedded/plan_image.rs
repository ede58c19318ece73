//! Planning to fill a volume from an image.

use std::path::Path;

use super::plan::{FILL, Look, RECORD, step, touched_volume};
use crate::engine;
use crate::model::{Bytes, Kind, Loss, Plan, Problem, ProblemKind, Undo, Value};

impl Look<'_> {
    pub(super) fn import_image(&self) -> Result<Plan, Problem> {
        let file = self.operation.get_text("file")?;
        let length = image_length(Path::new(file))?;
        let size = Bytes(length.next_multiple_of(engine::BLOCK_SIZE));
        let into = match self.operation.values.get("volume") {
            Some(Value::Object(object)) if object.kind == Kind::Volume => Some(self.volume()?),
            _ => None,
        };
        let name = self.operation.find_text("name");
        let fill = |id: &str| {
            step(
                FILL,
                "copying the image",
                format!("copy {file} ({length} bytes, holes left out) to {id}"),
            )
        };
        match (name, into) {
            (Some(name), None) => {
                let mut plan = self.plan(
                    format!("{name} ← {file}"),
                    format!("make the new volume {name} of {size} from {file}"),
                    Undo::By {
                        how: "delete the volume".to_owned(),
                        operation: None,
                    },
                );
                plan.steps = vec![
                    step(
                        RECORD,
                        "creating the volume",
                        format!("create volume \"{name}\", {} bytes, thin", size.0),
                    ),
                    fill("it"),
                ];
                plan.copies = size;
                plan.notes = self.name_note(name, self.volume_named(name));
                Ok(plan)
            }
            (None, Some(info)) => {
                if info.size < length {
                    return Err(Problem::user(format!(
                        "the image is {}, and {} has only {}",
                        size,
                        info.name,
                        Bytes(info.size)
                    ))
                    .hint("extend the volume first"));
                }
                self.not_copying(&info)?;
                let guard = self.operation.flag("guard");
                let mut plan = self.plan(
                    format!("{} ← {file}", info.name),
                    format!("replace what {} holds by {file}", info.name),
                    if guard {
                        Undo::By {
                            how: format!("restore {} to its guard snapshot", info.name),
                            operation: None,
                        }
                    } else {
                        Undo::Never("what the volume held is not kept".to_owned())
                    },
                );
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
                } else {
                    plan.losses.push(Loss {
                        what: format!("what was written to {} since its last snapshot", info.name),
                        bytes: info.usage.exclusive.map(Bytes),
                    });
                    plan.confirm = Some(info.name.clone());
                }
                plan.steps.push(fill(&format!("volume {}", info.id)));
                plan.copies = size;
                plan.touches = vec![touched_volume(&info, "")];
                Ok(plan)
            }
            _ => Err(Problem::user(
                "an image goes either into a new volume or into one that is there",
            )
            .hint("give a name for a new one, or a volume, not both")),
        }
    }
}

/// The length of an image file in bytes.
pub(super) fn image_length(path: &Path) -> Result<u64, Problem> {
    let metadata = std::fs::metadata(path).map_err(|e| {
        let kind = match e.kind() {
            std::io::ErrorKind::NotFound => ProblemKind::NotFound,
            _ => ProblemKind::User,
        };
        Problem::new(kind, format!("the image {} cannot be read", path.display())).caused_by(&e)
    })?;
    if !metadata.is_file() {
        return Err(Problem::user(format!(
            "{} is not a regular file",
            path.display()
        )));
    }
    if metadata.len() == 0 {
        return Err(Problem::user(format!("{} is empty", path.display())));
    }
    if metadata.len() > engine::MAX_VOLUME_SIZE {
        return Err(Problem::user(format!(
            "{} is {}, and a volume has at most {}",
            path.display(),
            Bytes(metadata.len()),
            Bytes(engine::MAX_VOLUME_SIZE)
        )));
    }
    Ok(metadata.len())
}
