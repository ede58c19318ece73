//! Planning to fill a volume from an image.

use std::path::Path;

use super::import::{self, STREAM, Unfinished};
use super::plan::{FILL, Look, RECORD, step, touched_volume};
use crate::engine::images::{Format, Image, OpenImage};
use crate::engine::{self, VolumeInfo};
use crate::model::{Bytes, Kind, Loss, Operation, Plan, PlannedStep, Problem, Undo, Value};

impl Look<'_> {
    pub(super) fn import_image(&self) -> Result<Plan, Problem> {
        let file = self.operation.get_text("file")?;
        let stream = file == STREAM;
        let (size, told, notes) = if stream {
            self.input()?;
            (None, "standard input".to_owned(), Vec::new())
        } else {
            let image = open(self.operation)?;
            let size = image.size();
            let told = format!("{file} ({}, {size} bytes, holes left out)", image.format());
            (Some(size), told, notes(&image))
        };
        let into = match self.operation.values.get("volume") {
            Some(Value::Object(object)) if object.kind == Kind::Volume => Some(self.volume()?),
            _ => None,
        };
        let name = self.operation.find_text("name");
        let resume = self.operation.flag("resume");
        let source = if stream { "standard input" } else { file };
        let fill = |id: &str| step(FILL, "copying the image", format!("copy {told} to {id}"));
        let mut plan = match (name, into) {
            _ if stream && resume => {
                return Err(Problem::user(
                    "what comes through a pipe is not there a second time: nothing to go on with",
                ));
            }
            (Some(name), None) if resume => self.go_on(&self.unfinished(name, file)?, file, fill),
            (None, Some(info)) if resume => {
                if Unfinished::find(&info.attrs).is_none() {
                    return Err(import::nothing_to_resume(&info.name));
                }
                self.go_on(&info, file, fill)
            }
            (Some(name), None) => self.import_new(name, source, size, &fill("it")),
            (None, Some(info)) => {
                if let Some(size) = size.filter(|size| *size > info.size) {
                    return Err(import::too_large(size, &info));
                }
                self.not_copying(&info)?;
                self.import_over(&info, source, fill(&format!("volume {}", info.id)))
            }
            _ => {
                return Err(Problem::user(
                    "an image goes either into a new volume or into one that is there",
                )
                .hint("give a name for a new one, or a volume, not both"));
            }
        };
        plan.copies = Bytes(size.unwrap_or(0).next_multiple_of(engine::BLOCK_SIZE));
        plan.notes.extend(notes);
        Ok(plan)
    }

    /// Refuses where nothing comes from standard input that is a raw image.
    fn input(&self) -> Result<(), Problem> {
        if self.operation.flag("backing") {
            return Err(Problem::user("a raw image has no backing file"));
        }
        match &*self.shared.input.lock() {
            Some(input) => input.check(format(self.operation)?),
            None => Err(Problem::user(
                "- stands for standard input, and nothing is to be read from it here",
            )
            .hint("name a file")),
        }
    }

    fn import_new(&self, name: &str, file: &str, size: Option<u64>, fill: &PlannedStep) -> Plan {
        let bytes = size.map(|size| size.next_multiple_of(engine::BLOCK_SIZE));
        let told = match bytes {
            Some(bytes) => format!(" of {}", Bytes(bytes)),
            None => String::new(),
        };
        let mut plan = self.plan(
            format!("{name} ← {file}"),
            format!("make the new volume {name}{told} from {file}"),
            Undo::By {
                how: "delete the volume".to_owned(),
                operation: None,
            },
        );
        let call = match bytes {
            Some(bytes) => format!("create volume \"{name}\", {bytes} bytes, thin"),
            None => format!("create volume \"{name}\", thin; it grows with what comes"),
        };
        plan.steps = vec![step(RECORD, "creating the volume", call), fill.clone()];
        plan.notes = self.name_note(name, self.volume_named(name));
        plan
    }

    fn import_over(&self, info: &VolumeInfo, file: &str, fill: PlannedStep) -> Plan {
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
        plan.steps.push(fill);
        plan.touches = vec![touched_volume(info, "")];
        plan
    }

    /// Goes on with an import that has not come to its end.
    fn go_on(&self, info: &VolumeInfo, file: &str, fill: impl Fn(&str) -> PlannedStep) -> Plan {
        let position = Unfinished::find(&info.attrs).map_or(0, |before| before.position);
        let mut plan = self.plan(
            format!("{} ← {file}", info.name),
            format!(
                "go on with the import of {file} into {} at {}",
                info.name,
                Bytes(position)
            ),
            Undo::Never(
                "what the volume held before the import is in its guard snapshot, if it has one"
                    .to_owned(),
            ),
        );
        plan.steps = vec![fill(&format!("volume {}", info.id))];
        plan.touches = vec![touched_volume(info, "")];
        plan
    }

    /// The volume of this name into which the import of this file is unfinished.
    fn unfinished(&self, name: &str, file: &str) -> Result<VolumeInfo, Problem> {
        let named = self.shared.store.volumes().into_iter();
        let mut found = named.filter(|info| {
            info.name == name
                && Unfinished::find(&info.attrs).is_some_and(|before| before.file == file)
        });
        match (found.next(), found.next()) {
            (Some(info), None) => Ok(info),
            (None, _) => Err(import::nothing_to_resume(name)),
            (Some(_), Some(_)) => Err(Problem::conflict(format!(
                "several imports of {file} into volumes called {name} are unfinished"
            ))
            .hint("name the one that is meant by its id, with --into")),
        }
    }
}

/// The format that was said, if one was.
fn format(operation: &Operation) -> Result<Option<Format>, Problem> {
    match operation.find_text("format") {
        None | Some("auto") => Ok(None),
        Some(text) => match text.parse() {
            Ok(format) => Ok(Some(format)),
            Err(why) => Err(Problem::user(format!("the format of the image: {why}"))
                .hint("leave it out to have it found from the image's first bytes")),
        },
    }
}

/// Opens the image that an import is of.
pub(super) fn open(operation: &Operation) -> Result<Image, Problem> {
    let path = Path::new(operation.get_text("file")?);
    let options = OpenImage {
        format: format(operation)?,
        references: operation.flag("backing"),
    };
    let image = Image::open(path, &options).map_err(|e| import::image_problem(&e))?;
    if image.size() == 0 {
        return Err(Problem::user(format!(
            "the disk in {} is 0 bytes large",
            path.display()
        )));
    }
    if image.size() > engine::MAX_VOLUME_SIZE {
        return Err(Problem::user(format!(
            "{} is {}, and a volume has at most {}",
            path.display(),
            Bytes(image.size()),
            Bytes(engine::MAX_VOLUME_SIZE)
        )));
    }
    Ok(image)
}

/// What is to be known of an image before it is taken in.
fn notes(image: &Image) -> Vec<String> {
    let mut notes = Vec::new();
    let Some(header) = image.header() else {
        return notes;
    };
    if image.format_was_found() {
        notes.push(
            "it begins as a qcow2 image does, and is read as one; the format raw takes its bytes as a disk's"
                .to_owned(),
        );
    }
    if image.files() > 1 {
        notes.push(format!(
            "it is read through {} files; what they hold is taken in too",
            image.files()
        ));
    }
    if header.snapshots > 0 {
        notes.push(format!(
            "its {} internal snapshots are not taken in",
            header.snapshots
        ));
    }
    notes
}
