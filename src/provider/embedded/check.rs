//! Reading a volume back: everything that was written to it, compared with its checksums. What
//! cannot be read is better known while what it replaced is still kept.

use super::run::said;
use super::writer::left;
use super::{convert, error, plan};
use crate::engine::{ExtentKind, Source, Store, VolumeId};
use crate::model::{Bytes, Kind, Plan, Problem, ProblemKind, Progress, StepOutcome};
use crate::provider::StepContext;

/// How much of a mapping is looked at in one call, in bytes of the volume.
const LOOK: u64 = 1 << 30;
/// How much is read at once, in bytes.
const PIECE: u64 = 1 << 20;

/// The volume that a step reads back: each has a step of its own, in the order in which the plan
/// touches them.
pub(super) fn volume(plan: &Plan, step: usize) -> Result<VolumeId, Problem> {
    let before = plan.steps.iter().take(step);
    let number = before.filter(|step| step.name == plan::CHECK).count();
    let mut volumes = plan.touches.iter().map(|touched| &touched.object);
    let mut volumes = volumes
        .by_ref()
        .filter(|object| object.kind == Kind::Volume);
    let object = volumes.nth(number).ok_or_else(|| {
        let what = format!("step {step} has no volume to read back");
        Problem::new(ProblemKind::Bug, what)
    })?;
    convert::engine_volume(&object.id)
}

/// Reads everything back that was written to a volume.
pub(super) fn read_back(
    store: &Store,
    id: VolumeId,
    context: &StepContext,
) -> Result<StepOutcome, Problem> {
    let info = store
        .volume(id)
        .map_err(|e| error::problem(&e, format!("volume {id} cannot be read back")))?;
    let source = Source::Volume(id);
    let failed = |e| {
        let what = format!("{} cannot be read back", info.name);
        error::problem(&e, what)
            .hint("retry once the medium is well again, or roll back to what it held before")
    };
    let mut progress = Progress {
        total: Bytes(info.usage.referenced),
        ..Progress::default()
    };
    let mut buffer = vec![0; PIECE as usize];
    let mut at = 0;
    while at < info.size {
        let length = LOOK.min(info.size - at);
        let extents = store.extents(source, at, length).map_err(failed)?;
        let Some(end) = extents.last().map(|last| last.offset + last.len) else {
            break;
        };
        for extent in extents.iter().filter(|e| e.kind == ExtentKind::Data) {
            for offset in (extent.offset..extent.offset + extent.len).step_by(PIECE as usize) {
                if context.cancel.is_cancelled() {
                    let what = format!("cancelled; not all of {} was read back", info.name);
                    return Err(Problem::user(what));
                }
                if context.detach.is_cancelled() {
                    return Err(left());
                }
                let length = PIECE.min(extent.offset + extent.len - offset);
                let piece = buffer.get_mut(..length as usize).unwrap_or_default();
                store.read(source, offset, piece).map_err(failed)?;
                progress.done.0 += length;
                progress.total = progress.total.max(progress.done);
                (context.progress)(progress.into());
            }
        }
        at = end;
    }
    Ok(said(format!(
        "{} read, all of it as it was written",
        progress.done
    )))
}
