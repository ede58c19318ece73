//! Changing the system: which operation an action means for what is in hand, whether it can
//! be done, and how it begins. What there is to do comes from the system's own specs.

use super::ActionId;
use crate::model::{Availability, Kind, ObjectRef, OperationKind, OperationSpec, VolumeId};
use crate::task::Control;
use crate::tui::event::Effect;
use crate::tui::overlay::{Form, Overlay, Question};
use crate::tui::state::{Place, Purpose, State};

/// The operation that an action means for what is in hand.
pub(super) fn kind(id: ActionId, state: &State) -> Option<OperationKind> {
    let on = state.objects().first().map(|object| object.kind);
    let by = |volume, snapshot| match on {
        Some(Kind::Snapshot) => snapshot,
        _ => volume,
    };
    use OperationKind as O;
    Some(match id {
        ActionId::Create => match state.screen().place {
            Place::Volumes => O::CreateVolume,
            Place::Snapshots | Place::Tree(_) => O::CreateSnapshot,
            _ => return None,
        },
        ActionId::Snapshot => O::CreateSnapshot,
        ActionId::Edit => by(O::UpdateVolume, O::UpdateSnapshot),
        ActionId::Delete => by(O::DeleteVolume, O::DeleteSnapshot),
        ActionId::Restore => O::Restore,
        ActionId::Clone => O::Clone,
        ActionId::Flatten => O::Flatten,
        ActionId::Extend => O::ExtendVolume,
        _ => return None,
    })
}

/// Whether an action that changes something can be done now.
pub(super) fn allowed(state: &State, id: ActionId) -> Result<(), String> {
    match kind(id, state) {
        Some(kind) => can(state, kind),
        None => Err("nothing can be made here; volumes and snapshots can".to_owned()),
    }
}

pub(super) fn run(state: &mut State, id: ActionId) {
    if let Some(kind) = kind(id, state) {
        begin(state, kind);
    }
}

/// Whether several things may be done to at once.
fn in_bulk(kind: OperationKind) -> bool {
    use OperationKind as O;
    matches!(
        kind,
        O::DeleteVolume | O::DeleteSnapshot | O::CreateSnapshot | O::Flatten
    )
}

/// Whether an operation can be begun for what is in hand.
///
/// # Errors
/// The reason why not, as a clause in lower case.
pub(crate) fn can(state: &State, kind: OperationKind) -> Result<(), String> {
    if let Some(reason) = &state.read_only {
        return Err(reason.clone());
    }
    let Some(spec) = state.system.operation(kind) else {
        return Err(format!("{} does not have it", state.system.system));
    };
    if let Availability::Unsupported(reason) = &spec.availability {
        return Err(reason.clone());
    }
    let Some(on) = spec.on else {
        return Ok(());
    };
    let objects = state.objects();
    if objects.is_empty() {
        return Err(format!("select a {} first", state.word(on)));
    }
    if objects.len() > 1 && !in_bulk(kind) {
        let many = state.counted(objects.len() as u64, objects[0].kind);
        return Err(format!(
            "it is done to one at a time, and {many} are marked"
        ));
    }
    for object in &objects {
        suits(state, spec, on, object)?;
    }
    Ok(())
}

/// Whether an operation on `on` can start from this thing.
fn suits(state: &State, spec: &OperationSpec, on: Kind, object: &ObjectRef) -> Result<(), String> {
    if object.kind == on || takes(spec, object.kind) {
        return Ok(());
    }
    match (on, object.kind) {
        // A snapshot stands for its volume where another is to be taken.
        (Kind::Volume, Kind::Snapshot) if spec.kind == OperationKind::CreateSnapshot => Ok(()),
        // A volume stands for its snapshots: the form asks which.
        (Kind::Snapshot, Kind::Volume)
            if matches!(spec.kind, OperationKind::Clone | OperationKind::Restore) =>
        {
            match state.volume(&object.id) {
                Some(volume) if volume.snapshots == 0 => {
                    let name = state.clean(&volume.name);
                    Err(format!("{name} has no {} yet", state.word(Kind::Snapshot)))
                }
                _ => Ok(()),
            }
        }
        _ => {
            let (want, have) = (state.word(on), state.word(object.kind));
            Err(format!("it is done to a {want}, and this is a {have}"))
        }
    }
}

/// Whether an operation has a field for a thing of this kind.
fn takes(spec: &OperationSpec, kind: Kind) -> bool {
    spec.field(kind.one()).is_some()
}

/// Every operation that the system knows of and that could ever begin from what is in hand.
pub(crate) fn offered(state: &State) -> impl Iterator<Item = &OperationSpec> {
    let kind = state.object().map(|object| object.kind);
    state.system.operations.iter().filter(move |spec| {
        let Some(on) = spec.on else { return true };
        kind.is_none_or(|kind| {
            on == kind
                || takes(spec, kind)
                || spec.kind == OperationKind::CreateSnapshot
                || (on == Kind::Snapshot && spec.kind == OperationKind::Clone)
        })
    })
}

/// Opens the form of an operation for what is in hand.
pub(crate) fn begin(state: &mut State, kind: OperationKind) {
    let Some(spec) = state.system.operation(kind).cloned() else {
        return;
    };
    let mut objects = match spec.on {
        Some(_) => state.objects(),
        None => Vec::new(),
    };
    let mut within = None;
    for object in &mut objects {
        match (spec.on, object.kind) {
            (Some(Kind::Volume), Kind::Snapshot) if !takes(&spec, Kind::Snapshot) => {
                if let Some(snapshot) = state.snapshot(&object.id) {
                    *object = ObjectRef::from(&snapshot.volume);
                }
            }
            (Some(Kind::Snapshot), Kind::Volume) if !takes(&spec, Kind::Volume) => {
                within = Some(VolumeId(object.id.clone()));
            }
            _ => {}
        }
    }
    if within.is_some() {
        objects.clear();
    }
    objects.dedup();
    let mut form = Form::new(state, spec, objects, within);
    if form.is_settled() {
        form.plan(state);
    }
    state.open(Overlay::Form(Box::new(form)));
}

fn control(state: &State, control: Control) -> Result<(), String> {
    let id = state
        .task_for(control)
        .ok_or_else(|| "no task is in hand".to_owned())?;
    if let Some(reason) = &state.read_only {
        return Err(reason.clone());
    }
    match state.tasks.get(&id) {
        Some(task) => control.allowed(task),
        None => Err("the task is not there any more".to_owned()),
    }
}

pub(super) fn can_retry(state: &State) -> Result<(), String> {
    control(state, Control::Retry)
}

pub(super) fn retry(state: &mut State) {
    if let Some(id) = state.task_for(Control::Retry) {
        state.ask(Purpose::Control(id.clone()), |t| {
            Effect::Control(t, id, Control::Retry)
        });
    }
}

pub(super) fn can_cancel(state: &State) -> Result<(), String> {
    control(state, Control::Cancel)
}

/// Asks first: what is cancelled does not come back by itself.
pub(super) fn cancel(state: &mut State) {
    let Some(id) = state.task_for(Control::Cancel) else {
        return;
    };
    let Some(task) = state.tasks.get(&id) else {
        return;
    };
    let what = format!(
        "{} {}",
        task.plan.operation.kind.verb(),
        state.clean(&task.plan.subject)
    );
    let question = Question::cancel(id, &what, state.now.clock);
    state.open(Overlay::Question(question));
}
