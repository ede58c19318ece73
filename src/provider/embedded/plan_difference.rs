//! Planning to apply a difference.

use std::fs::File;
use std::io::BufReader;

use super::convert;
use super::difference::{self, identity};
use super::import::STREAM;
use super::plan::{APPLY, Look, step, touched_point, touched_volume};
use crate::engine::images::{DifferenceHead, DifferenceReader, Seal, seal_at_end};
use crate::engine::{PointInfo, VolumeInfo};
use crate::model::{Bytes, Operation, OperationKind, Plan, Problem, Undo, Value};

impl Look<'_> {
    pub(super) fn apply_difference(&self) -> Result<Plan, Problem> {
        let file = self.operation.get_text("file")?;
        let (head, seal) = self.look_at_difference(file)?;
        let told = if file == STREAM {
            "standard input"
        } else {
            file
        };
        let to = head.to.as_deref().unwrap_or("what it was then");
        let into = match self.operation.values.contains_key("volume") {
            true => Some(self.volume()?),
            false => None,
        };
        let name = self.operation.find_text("name");
        let size = Bytes(head.size);
        let mut plan = match (into, name, &head.from) {
            (Some(_), Some(_), _) | (None, None, _) => {
                return Err(Problem::user(
                    "a difference goes either into a volume that is there or into a new one",
                ));
            }
            (None, Some(name), Some(from)) => {
                return Err(Problem::not_found(format!(
                    "there is no volume {name} for what changed since {from}"
                ))
                .hint("apply what was exported without --since first"));
            }
            (None, Some(name), None) => {
                let mut plan = self.plan(
                    format!("{name} ← {to}"),
                    format!("make the new volume {name} of {size} from {told}"),
                    Undo::By {
                        how: "delete the volume".to_owned(),
                        operation: None,
                    },
                );
                plan.notes = self.name_note(name, self.volume_named(name));
                plan
            }
            (Some(info), None, from) => {
                self.not_copying(&info)?;
                let base = match from {
                    Some(from) => Some(self.base(&info, from, seal.as_ref())?),
                    None => None,
                };
                self.not_applied(&info, &head, seal.as_ref())?;
                self.unchanged(&info, base.as_ref())?;
                let mut plan = self.plan(
                    format!("{} ← {to}", info.name),
                    format!("bring {} to {to} by {told}", info.name),
                    match &base {
                        Some(base) => Undo::By {
                            how: format!("restore {} to {}", info.name, base.name),
                            operation: Some(
                                Operation::new(OperationKind::Restore)
                                    .on_volume(&convert::volume_id(info.id))
                                    .on_snapshot(&convert::snapshot_id(base.id))
                                    .with("guard", Value::Flag(true)),
                            ),
                        },
                        None => Undo::Never("the volume was empty".to_owned()),
                    },
                );
                if info.size != head.size {
                    plan.notes
                        .push(format!("its size goes from {} to {size}", Bytes(info.size)));
                }
                plan.touches = vec![touched_volume(&info, "")];
                if let Some(base) = &base {
                    plan.touches
                        .push(touched_point(base, &self.full_name(base)));
                }
                plan
            }
        };
        plan.steps = vec![step(
            APPLY,
            "applying the difference",
            format!(
                "put {} and what {told} holds together apart, check it, and switch to it at one moment",
                head.from.as_deref().unwrap_or("nothing"),
            ),
        )];
        if let Some(to) = &head.to {
            plan.notes.push(format!("the snapshot {to} is taken of it"));
        }
        if seal.is_none() && file != STREAM {
            plan.notes
                .push("nothing in it says whether it was altered".to_owned());
        }
        Ok(plan)
    }

    /// What the difference says of itself.
    fn look_at_difference(&self, file: &str) -> Result<(DifferenceHead, Option<Seal>), Problem> {
        if file == STREAM {
            let input = self.shared.input.lock();
            let Some(input) = &*input else {
                return Err(Problem::user(
                    "- stands for standard input, and nothing is to be read from it here",
                )
                .hint("name a file"));
            };
            let reader = DifferenceReader::open(input.head())
                .map_err(|e| difference::unreadable(file, &e))?;
            return Ok((reader.head().clone(), None));
        }
        let opened = difference::open_file(file)?;
        let reader = DifferenceReader::open(BufReader::new(&opened))
            .map_err(|e| difference::unreadable(file, &e))?;
        let head = reader.head().clone();
        let seal = seal_of(file, &opened)?;
        if seal.is_none() && !self.operation.flag("foreign") {
            return Err(difference::without_seal(file));
        }
        Ok((head, seal))
    }

    /// The snapshot that the difference is since.
    fn base(
        &self,
        info: &VolumeInfo,
        from: &str,
        seal: Option<&Seal>,
    ) -> Result<PointInfo, Problem> {
        let id = seal.and_then(|seal| seal.from.as_deref());
        let mut found = self.points_of(info)?;
        found.retain(|point| match id {
            Some(id) => identity(point) == id,
            None => point.name == from,
        });
        let several = found.len() > 1 && id.is_none();
        match found.into_iter().next_back() {
            Some(_) if several => Err(Problem::conflict(format!(
                "{} has several snapshots called {from}, and the difference is since one of them",
                info.name
            ))
            .hint("apply it from a file rather than a pipe: its end says which one")),
            Some(point) => Ok(point),
            None => Err(Problem::conflict(format!(
                "{} has no snapshot that is the {from} of the difference",
                info.name
            ))
            .because(match id {
                Some(id) => format!("it is since {from} with the id {id}"),
                None => format!("it is since {from}"),
            })
            .hint("apply the differences in their order, beginning with one without --since")),
        }
    }

    /// Refuses what is there already.
    fn not_applied(
        &self,
        info: &VolumeInfo,
        head: &DifferenceHead,
        seal: Option<&Seal>,
    ) -> Result<(), Problem> {
        let Some(id) = seal.and_then(|seal| seal.to.as_deref()) else {
            return Ok(());
        };
        let there = self.points_of(info)?;
        match there.iter().find(|point| identity(point) == id) {
            Some(point) => Err(Problem::conflict(format!(
                "{} has {} already: it is {}",
                info.name,
                head.to.as_deref().unwrap_or(id),
                self.full_name(point)
            ))),
            None => Ok(()),
        }
    }

    /// Refuses where the volume was written to since: it would be gone.
    fn unchanged(&self, info: &VolumeInfo, base: Option<&PointInfo>) -> Result<(), Problem> {
        let Some(base) = base else {
            if info.usage.referenced == 0 {
                return Ok(());
            }
            return Err(Problem::conflict(format!(
                "{} is not empty, and the difference is from nothing",
                info.name
            ))
            .hint(
                "apply it to a new volume, or export it with --since a snapshot that both have",
            ));
        };
        let full = self.full_name(base);
        let changed = |what: String| {
            Problem::conflict(format!("{} is not what {full} is", info.name))
                .because(what)
                .hint(format!(
                    "restore it to {full} (its guard snapshot keeps what was written), or apply to a clone"
                ))
        };
        if info.size != base.size {
            return Err(changed(format!(
                "its size is {} and was {}",
                Bytes(info.size),
                Bytes(base.size)
            )));
        }
        if let Some(at) = difference::first_change(&self.shared.store, base, info.id)? {
            return Err(changed(format!(
                "it was written to since, at {} first",
                Bytes(at)
            )));
        }
        Ok(())
    }
}

fn seal_of(file: &str, opened: &File) -> Result<Option<Seal>, Problem> {
    seal_at_end(opened).map_err(|e| difference::unreadable(file, &e))
}
