//! Applying a difference: it is put together with what it is since in a volume apart, held
//! against its checksum there, and only then does the volume become that, at one moment.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::import::{self, STREAM};
use super::run::said;
use super::{Shared, attributes, content, convert, error};
use crate::engine::images::{DifferenceError, DifferenceHead, DifferenceReader, Record, Seal};
use crate::engine::{self, Attrs, PointInfo, SnapshotRequest, Store, VolumeId};
use crate::model::{
    Bytes, Kind, ObjectRef, Operation, Plan, Problem, ProblemKind, Progress, StepOutcome,
};
use crate::provider::{Difference as _, Fate, StepContext};

/// How much is read and written at once, in bytes.
const CHUNK: usize = 1 << 20;

/// The id that a snapshot had where it was first taken.
pub(super) fn identity(point: &PointInfo) -> String {
    match point.attrs.get(attributes::ORIGIN) {
        Some(origin) => origin.clone(),
        None => point.id.to_string(),
    }
}

/// Where a volume first differs from a snapshot, up to the end of the volume.
pub(super) fn first_change(
    store: &Store,
    base: &PointInfo,
    id: VolumeId,
) -> Result<Option<u64>, Problem> {
    let written = content::StoreDifference::open(
        store,
        &ObjectRef::from(&convert::snapshot_id(base.id)),
        &ObjectRef::from(&convert::volume_id(id)),
    )?;
    let mut at = 0;
    while at < written.size() {
        let changes = written.changes(at)?;
        if let Some(range) = changes.ranges.first() {
            return Ok(Some(range.offset));
        }
        at = changes.end;
    }
    Ok(None)
}

/// Opens the file of a difference.
pub(super) fn open_file(file: &str) -> Result<File, Problem> {
    let failed = |e: &io::Error| {
        let kind = match e.kind() {
            io::ErrorKind::NotFound => ProblemKind::NotFound,
            _ => ProblemKind::User,
        };
        Problem::new(kind, format!("the difference {file} cannot be read")).caused_by(e)
    };
    // Looked at first: to open a pipe would wait for its other end.
    if !std::fs::metadata(file).map_err(|e| failed(&e))?.is_file() {
        return Err(Problem::user(format!("{file} is not a regular file")));
    }
    File::open(file).map_err(|e| failed(&e))
}

/// The problem that a difference cannot be read.
pub(super) fn unreadable(file: &str, e: &DifferenceError) -> Problem {
    let kind = match e {
        DifferenceError::Io(_) => ProblemKind::System,
        _ => ProblemKind::User,
    };
    let name = match file {
        STREAM => "what comes from standard input",
        file => file,
    };
    Problem::new(kind, format!("{name} cannot be applied")).because(e.to_string())
}

/// The problem that nothing says whether a difference is what was written.
pub(super) fn without_seal(file: &str) -> Problem {
    Problem::user(format!("{file} cannot be applied"))
        .because("it has no checksum at its end: it was cut short, or was not written by snapdeck")
        .hint("where `rbd export-diff` wrote it, say --foreign")
}

/// What came of applying it.
pub(super) fn fate(shared: &Shared, operation: &Operation, key: &str) -> Result<Fate, Problem> {
    if let Some(outcome) = done(shared, key) {
        // It ended before it had cleared away what it put together.
        sweep(shared, key).map_err(|e| error::problem(&e, "what is left over was not removed"))?;
        return Ok(Fate::Done(outcome));
    }
    // What is half done is done anew from the file; what lacks only its snapshot gets it.
    let file = operation.get_text("file")?;
    Ok(
        match Path::new(file).is_file() || lacking(shared, key).is_some() {
            true => Fate::Running,
            false => Fate::NotDone,
        },
    )
}

/// The snapshot that was taken by this step, or the volume that it made.
fn done(shared: &Shared, key: &str) -> Option<StepOutcome> {
    let store = &shared.store;
    let made_here = |attrs: &Attrs| attributes::made_by(attrs, key);
    let staged = |attrs: &Attrs| attrs.contains_key(attributes::STAGING);
    let volume = store.volumes().into_iter().find(|v| made_here(&v.attrs));
    match volume {
        Some(volume) if staged(&volume.attrs) => None,
        Some(volume) => Some(StepOutcome {
            message: "applied".to_owned(),
            made: vec![ObjectRef::from(&convert::volume_id(volume.id))],
        }),
        None if applied_here(shared, key) => {
            let taken = store
                .points_where(|attrs| attributes::made_by(attrs, key))
                .into_iter()
                .next();
            Some(StepOutcome {
                message: "applied".to_owned(),
                made: taken
                    .map(|point| ObjectRef::from(&convert::snapshot_id(point.id)))
                    .into_iter()
                    .collect(),
            })
        }
        None => None,
    }
}

/// Whether this step has changed a volume, and nothing is left to do to it.
fn applied_here(shared: &Shared, key: &str) -> bool {
    shared.store.volumes().iter().any(|volume| {
        attributes::changed_by(&volume.attrs, key)
            && !volume.attrs.contains_key(attributes::APPLIED)
    })
}

/// The snapshot that is to be taken of a volume once it is what the difference leads to.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Applied {
    key: String,
    name: Option<String>,
    origin: Option<String>,
    taken: Option<String>,
}

/// The volume to which this step applied all, and which lacks its snapshot.
fn lacking(shared: &Shared, key: &str) -> Option<(VolumeId, Applied)> {
    shared.store.volumes().into_iter().find_map(|volume| {
        let text = volume.attrs.get(attributes::APPLIED)?;
        let applied: Applied = serde_json::from_str(text).ok()?;
        (applied.key == key).then_some((volume.id, applied))
    })
}

/// Removes what an earlier run put together and does not need any more.
fn sweep(shared: &Shared, key: &str) -> Result<(), engine::EngineError> {
    for volume in shared.store.volumes() {
        if volume.attrs.get(attributes::STAGING).map(String::as_str) == Some(key) {
            shared.store.delete_volume(volume.id, true)?;
        }
    }
    Ok(())
}

/// Applies the difference. Blocking.
pub(super) fn apply(
    shared: &Shared,
    plan: &Plan,
    context: &StepContext,
    key: &str,
) -> Result<StepOutcome, Problem> {
    let run = Apply {
        shared,
        store: &shared.store,
        plan,
        context,
        key,
    };
    run.sweep()?;
    if let Some(outcome) = done(shared, key) {
        return Ok(outcome);
    }
    if let Some((volume, applied)) = lacking(shared, key) {
        return run.snapshot(volume, &applied);
    }
    let result = run.whole();
    if result.is_err() {
        // Nothing of it is kept; what this leaves is swept by the next run.
        let _ = run.sweep();
    }
    result
}

struct Apply<'a> {
    shared: &'a Shared,
    store: &'a Store,
    plan: &'a Plan,
    context: &'a StepContext,
    key: &'a str,
}

impl Apply<'_> {
    fn failed(&self, e: &engine::EngineError) -> Problem {
        error::problem(e, "the difference was not applied; nothing was changed")
    }

    fn sweep(&self) -> Result<(), Problem> {
        sweep(self.shared, self.key).map_err(|e| self.failed(&e))
    }

    fn whole(&self) -> Result<StepOutcome, Problem> {
        let operation = &self.plan.operation;
        let file = operation.get_text("file")?;
        let foreign = operation.flag("foreign");
        if file == STREAM {
            let Some(input) = self.shared.input.lock().take() else {
                return Err(
                    Problem::conflict("standard input was read already, or there is none")
                        .hint("cancel this task, and apply it anew"),
                );
            };
            return self.read(
                file,
                foreign,
                BufReader::new(Waiting {
                    input: input.into_read(),
                    context: self.context,
                }),
                0,
            );
        }
        let opened = open_file(file)?;
        let length = opened.metadata().map_or(0, |metadata| metadata.len());
        self.read(
            file,
            foreign,
            BufReader::with_capacity(CHUNK, opened),
            length,
        )
    }

    /// The snapshot that the plan found the difference to be since.
    fn base(&self) -> Result<Option<PointInfo>, Problem> {
        let mut touched = self.plan.touches.iter();
        match touched.find(|touched| touched.object.kind == Kind::Snapshot) {
            Some(touched) => {
                let id = convert::engine_point(&touched.object.id)?;
                self.store.point(id).map(Some).map_err(|e| self.failed(&e))
            }
            None => Ok(None),
        }
    }

    /// The volume that it is applied to; none: a new one.
    fn target(&self) -> Result<Option<VolumeId>, Problem> {
        match self.plan.operation.values.contains_key("volume") {
            true => {
                let id = self.plan.operation.volume()?;
                convert::engine_volume(id.as_str()).map(Some)
            }
            false => Ok(None),
        }
    }

    fn read(
        &self,
        file: &str,
        foreign: bool,
        input: impl Read,
        length: u64,
    ) -> Result<StepOutcome, Problem> {
        let unreadable = |e| unreadable(file, &e);
        let failed = |e| self.failed(&e);
        let mut reader = DifferenceReader::open(input).map_err(unreadable)?;
        let head = reader.head().clone();
        let target = self.target()?;
        let _filling = match target {
            Some(id) => Some(self.shared.fill(id)?),
            None => None,
        };
        let base = self.base()?;
        if base.is_some() != head.from.is_some() {
            return Err(Problem::conflict(format!(
                "{file} is not what it was when this was planned"
            )));
        }
        let staging = self.stage(target, base.as_ref(), &head)?;
        let size = head.size.next_multiple_of(engine::BLOCK_SIZE);
        if self.store.volume(staging).map_err(failed)?.size != size {
            self.store.resize_volume(staging, size).map_err(failed)?;
        }
        let mut buffer = vec![0; CHUNK];
        let (mut data, mut seen) = (0, 0);
        while let Some(record) = reader.next_record().map_err(unreadable)? {
            let (mut at, length_of) = match record {
                Record::Data { offset, length } => (offset, length),
                Record::Zeroes { offset, length } => {
                    import::clear(self.store, staging, offset, length).map_err(failed)?;
                    (offset, 0)
                }
            };
            let end = at + length_of;
            while at < end {
                self.cancelled()?;
                let n = reader.data(&mut buffer).map_err(unreadable)?;
                let part = buffer.get(..n).unwrap_or_default();
                self.store.write(staging, at, part).map_err(failed)?;
                at += n as u64;
                data += n as u64;
            }
            seen += length_of + 17;
            let progress = Progress {
                done: Bytes(seen),
                total: Bytes(length),
                rate: Bytes(0),
            };
            (self.context.progress)(progress.into());
            self.cancelled()?;
        }
        let seal = reader.seal().map_err(unreadable)?;
        self.held_against(file, foreign, seal.as_ref(), base.as_ref())?;
        let applied = Applied {
            key: self.key.to_owned(),
            name: head.to.clone(),
            origin: seal.as_ref().and_then(|seal| seal.to.clone()),
            taken: seal.and_then(|seal| seal.taken),
        };
        self.store.flush().map_err(failed)?;
        let outcome = match target {
            Some(id) => self.switch(id, staging, base.as_ref(), &applied),
            None => self.keep(staging, &applied),
        }?;
        Ok(StepOutcome {
            message: format!("{} of data", Bytes(data)),
            ..outcome
        })
    }

    fn cancelled(&self) -> Result<(), Problem> {
        match self.context.should_stop() {
            true => Err(Problem::user("cancelled; nothing was changed")),
            false => Ok(()),
        }
    }

    /// The volume in which it is put together: what it is since, or an empty one.
    fn stage(
        &self,
        target: Option<VolumeId>,
        base: Option<&PointInfo>,
        head: &DifferenceHead,
    ) -> Result<VolumeId, Problem> {
        let failed = |e| self.failed(&e);
        let mut attrs = Attrs::new();
        attrs.insert(attributes::STAGING.to_owned(), self.key.to_owned());
        let name = match target {
            Some(id) => {
                let name = self.store.volume(id).map_err(failed)?.name;
                let why = format!("a difference for {name} is put together here; it goes after");
                attributes::put(&mut attrs, attributes::DESCRIPTION, Some(&why));
                format!("{name} (applying)")
            }
            None => {
                attributes::put(&mut attrs, attributes::MADE, Some(self.key));
                self.plan.operation.get_text("name")?.to_owned()
            }
        };
        match base {
            Some(base) => self.store.clone_volume(base.id, &name, attrs),
            None => {
                let size = head.size.next_multiple_of(engine::BLOCK_SIZE);
                self.store.create_volume(&name, size, attrs)
            }
        }
        .map_err(failed)
    }

    /// Holds what the end of the difference says against what it was applied to.
    fn held_against(
        &self,
        file: &str,
        foreign: bool,
        seal: Option<&Seal>,
        base: Option<&PointInfo>,
    ) -> Result<(), Problem> {
        let Some(seal) = seal else {
            return match foreign {
                true => Ok(()),
                false => Err(without_seal(file)),
            };
        };
        if seal.from != base.map(identity) {
            return Err(Problem::conflict(format!(
                "{} is since another snapshot than the one here",
                if file == STREAM {
                    "the difference"
                } else {
                    file
                }
            ))
            .because(match &seal.from {
                Some(id) => format!("it is since the one with the id {id}"),
                None => "it is from nothing".to_owned(),
            })
            .because("nothing was changed"));
        }
        let there = self.store.points().into_iter().any(|point| {
            Some(identity(&point)) == seal.to && Some(point.volume) == self.target().ok().flatten()
        });
        match there {
            true => Err(Problem::conflict(
                "what the difference leads to is there already; nothing was changed",
            )),
            false => Ok(()),
        }
    }

    /// Makes the volume what was put together.
    fn switch(
        &self,
        id: VolumeId,
        staging: VolumeId,
        base: Option<&PointInfo>,
        applied: &Applied,
    ) -> Result<StepOutcome, Problem> {
        let failed = |e| self.failed(&e);
        let info = self.store.volume(id).map_err(failed)?;
        // A volume that somebody wrote to meanwhile is not what the plan saw.
        let same = match base {
            Some(base) => {
                info.size == base.size && first_change(self.store, base, info.id)?.is_none()
            }
            None => info.usage.referenced == 0,
        };
        if !same {
            return Err(Problem::conflict(format!(
                "{} was written to meanwhile; nothing was changed",
                info.name
            )));
        }
        let whole = self
            .store
            .snapshot(&[SnapshotRequest {
                volume: staging,
                name: "whole".to_owned(),
                attrs: Attrs::new(),
            }])
            .map_err(failed)?;
        let Some(whole) = whole.first() else {
            return Err(Problem::new(ProblemKind::Bug, "no snapshot was made"));
        };
        let mut attrs = info.attrs;
        attrs.remove(import::UNFINISHED);
        attributes::note_change(&mut attrs, self.key);
        let text = serde_json::to_string(applied).unwrap_or_default();
        attrs.insert(attributes::APPLIED.to_owned(), text);
        self.store
            .restore(id, *whole, None, Some(attrs))
            .map_err(failed)?;
        let outcome = self.snapshot(id, applied)?;
        self.sweep()?;
        Ok(outcome)
    }

    /// Takes the snapshot that the difference leads to.
    fn snapshot(&self, id: VolumeId, applied: &Applied) -> Result<StepOutcome, Problem> {
        let failed =
            |e| error::problem(&e, "the difference was applied, and not all is told of it");
        let mut outcome = said("applied");
        if let Some(name) = &applied.name {
            let mut attrs = Attrs::new();
            attributes::put(&mut attrs, attributes::MADE, Some(self.key));
            attributes::put(&mut attrs, attributes::ORIGIN, applied.origin.as_deref());
            attributes::put(&mut attrs, attributes::TAKEN, applied.taken.as_deref());
            let made = self
                .store
                .snapshot(&[SnapshotRequest {
                    volume: id,
                    name: name.clone(),
                    attrs,
                }])
                .map_err(failed)?;
            let made = made.into_iter().map(convert::snapshot_id);
            outcome.made = made.map(|id| ObjectRef::from(&id)).collect();
        }
        let mut attrs = self.store.volume(id).map_err(failed)?.attrs;
        attrs.remove(attributes::APPLIED);
        self.store
            .update_volume(id, None, Some(attrs))
            .map_err(failed)?;
        Ok(outcome)
    }

    /// Keeps the new volume in which it was put together.
    fn keep(&self, id: VolumeId, applied: &Applied) -> Result<StepOutcome, Problem> {
        let failed = |e| self.failed(&e);
        if let Some(name) = &applied.name {
            let mut attrs = Attrs::new();
            attributes::put(&mut attrs, attributes::ORIGIN, applied.origin.as_deref());
            attributes::put(&mut attrs, attributes::TAKEN, applied.taken.as_deref());
            self.store
                .snapshot(&[SnapshotRequest {
                    volume: id,
                    name: name.clone(),
                    attrs,
                }])
                .map_err(failed)?;
        }
        let mut attrs = self.store.volume(id).map_err(failed)?.attrs;
        attrs.remove(attributes::STAGING);
        self.store
            .update_volume(id, None, Some(attrs))
            .map_err(failed)?;
        Ok(StepOutcome {
            message: String::new(),
            made: vec![ObjectRef::from(&convert::volume_id(id))],
        })
    }
}

/// A stream that is waited for until somebody wants it ended.
struct Waiting<'a, R> {
    input: R,
    context: &'a StepContext,
}

impl<R: Read> Read for Waiting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.input.read(buffer) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    if self.context.should_stop() {
                        return Err(io::Error::other("cancelled; nothing was changed"));
                    }
                }
                other => return other,
            }
        }
    }
}
