//! Changing the system: which operation an action means for what is in hand, whether it can
//! be done, and how it begins. What there is to do comes from the system's own specs.

use std::sync::Arc;

use super::ActionId;
use super::stand_in::{self, Begins, begins};
use crate::model::{
    Availability, GroupState, Kind, ObjectRef, Operation, OperationKind, OperationSpec, Task,
    TaskState,
};
use crate::task::{Control, roll_back as roll_back_of, undo as undo_of};
use crate::tui::event::Effect;
use crate::tui::overlay::{Form, Overlay, Question};
use crate::tui::state::{Place, Purpose, RowId, State};

/// The operation that an action means for what is in hand.
pub(super) fn kind(id: ActionId, state: &State) -> Option<OperationKind> {
    let on = state.objects().first().map(|object| object.kind);
    use OperationKind as O;
    Some(match (id, on) {
        (ActionId::Create, _) => match &state.screen().place {
            Place::Volumes => O::CreateVolume,
            Place::Snapshots | Place::Tree(_) => O::CreateSnapshot,
            Place::Groups | Place::Instances | Place::Instance(_) => O::CreateGroup,
            Place::Sessions => O::CreateSession,
            Place::Targets => O::LinkTarget,
            Place::Members(set) if set.kind == Kind::Session => O::LinkTarget,
            _ => return None,
        },
        (ActionId::Snapshot, _) => O::CreateSnapshot,
        (ActionId::Group, _) => O::CreateGroup,
        (ActionId::Session, _) => O::CreateSession,
        (ActionId::Edit, Some(Kind::Snapshot)) => O::UpdateSnapshot,
        (ActionId::Edit, Some(Kind::Group)) => O::UpdateGroup,
        (ActionId::Edit, Some(Kind::Session)) => return None,
        (ActionId::Edit, _) => O::UpdateVolume,
        (ActionId::Delete, Some(Kind::Snapshot)) => O::DeleteSnapshot,
        (ActionId::Delete, Some(Kind::Group)) => O::DeleteGroup,
        (ActionId::Delete, Some(Kind::Session)) => O::DeleteSession,
        (ActionId::Delete, _) => O::DeleteVolume,
        (ActionId::Restore, Some(Kind::Group)) => O::RestoreGroup,
        (ActionId::Restore, Some(Kind::Session)) => O::RestoreSession,
        (ActionId::Restore, _) => O::Restore,
        (ActionId::Link, Some(Kind::Target)) => O::RelinkTarget,
        (ActionId::Link, _) => O::LinkTarget,
        (ActionId::Part, Some(Kind::Group)) => O::Ungroup,
        (ActionId::Part, _) => O::UnlinkTarget,
        (ActionId::Clone, _) => O::Clone,
        (ActionId::Flatten, _) => O::Flatten,
        (ActionId::Extend, _) => O::ExtendVolume,
        (ActionId::Shrink, _) => O::ShrinkVolume,
        _ => return None,
    })
}

/// Whether an action that changes something can be done now.
pub(super) fn allowed(state: &State, id: ActionId) -> Result<(), String> {
    if let (ActionId::Edit, None) = (id, kind(id, state)) {
        return Err(format!(
            "a {} stays as it was taken",
            state.word(Kind::Session)
        ));
    }
    match kind(id, state) {
        Some(kind) => can(state, kind),
        None => Err("nothing can be made here; where volumes are listed it can".to_owned()),
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
        O::DeleteVolume
            | O::DeleteSnapshot
            | O::DeleteGroup
            | O::DeleteSession
            | O::CreateSnapshot
            | O::Flatten
            | O::Ungroup
            | O::UnlinkTarget
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
    if objects.is_empty() && kind != OperationKind::LinkTarget {
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
        after_a_failure(state, kind, object)?;
    }
    Ok(())
}

/// Some operations are for a group whose restore failed.
fn after_a_failure(state: &State, kind: OperationKind, object: &ObjectRef) -> Result<(), String> {
    let is_one = matches!(
        kind,
        OperationKind::RetryRestore | OperationKind::RollBackRestore
    );
    let group = state.inventory.groups.get(&object.id);
    match group {
        Some(group) if is_one && group.state != GroupState::RestoreError => Err(format!(
            "it is done after a restore that failed, and this is {}",
            state.clean(group.state.word())
        )),
        _ => Ok(()),
    }
}

/// Whether an operation on `on` can start from this thing.
fn suits(state: &State, spec: &OperationSpec, on: Kind, object: &ObjectRef) -> Result<(), String> {
    match begins(state, spec, on, object) {
        Some(Begins::Within(volume)) => match state.volume(volume.as_str()) {
            Some(volume) if volume.snapshots == Some(0) => {
                let name = state.clean(&volume.name);
                Err(format!("{name} has no {} yet", state.word(Kind::Snapshot)))
            }
            _ => Ok(()),
        },
        Some(Begins::With(_) | Begins::Asking) => Ok(()),
        None => {
            let (want, have) = (state.word(on), state.word(object.kind));
            Err(format!("it is done to a {want}, and this is a {have}"))
        }
    }
}

/// Every operation that the system knows of and that could ever begin from what is in hand.
pub(crate) fn offered(state: &State) -> impl Iterator<Item = &OperationSpec> {
    let object = state.object();
    state.system.operations.iter().filter(move |spec| {
        let (Some(on), Some(object)) = (spec.on, &object) else {
            return true;
        };
        on == object.kind || begins(state, spec, on, object).is_some_and(|b| b != Begins::Asking)
    })
}

/// Opens the form of an operation for what is in hand.
pub(crate) fn begin(state: &mut State, kind: OperationKind) {
    let Some(spec) = state.system.operation(kind).cloned() else {
        return;
    };
    let mut targets: Vec<ObjectRef> = Vec::new();
    let mut within = None;
    let mut given = Vec::new();
    match spec.on {
        Some(on) => {
            for object in state.objects() {
                match begins(state, &spec, on, &object) {
                    Some(Begins::With(object)) if !targets.contains(&object) => {
                        targets.push(object);
                    }
                    Some(Begins::Within(volume)) => within = Some(volume),
                    Some(Begins::With(_) | Begins::Asking) | None => {}
                }
            }
        }
        None => given = stand_in::volumes(state),
    }
    if within.is_some() {
        targets.clear();
    }
    let mut form = Form::new(state, spec, targets, given, within);
    if form.is_settled() {
        form.plan(state);
    }
    state.open(Overlay::Form(Box::new(form)));
}

/// The group in hand whose restore failed: what is retried and rolled back there is the restore, as the system has it.
pub(crate) fn failed_restore(state: &State) -> Option<ObjectRef> {
    let objects = state.objects();
    let [object] = objects.as_slice() else {
        return None;
    };
    // A member of it stands for it where it is looked at.
    let group = match (&state.screen().place, object.kind) {
        (_, Kind::Group) => object.clone(),
        (Place::Members(set), _) if set.kind == Kind::Group => set.clone(),
        _ => return None,
    };
    let known = state.inventory.groups.get(&group.id)?;
    (known.state == GroupState::RestoreError).then_some(group)
}

/// Begins what is done after a restore of this group failed.
fn after_failure(state: &mut State, kind: OperationKind, group: ObjectRef) {
    let Some(spec) = state.system.operation(kind).cloned() else {
        return;
    };
    let form = Form::new(state, spec, vec![group], Vec::new(), None);
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
    match failed_restore(state) {
        Some(_) => can_after_failure(state, OperationKind::RetryRestore),
        None => control(state, Control::Retry),
    }
}

pub(super) fn retry(state: &mut State) {
    if let Some(group) = failed_restore(state) {
        return after_failure(state, OperationKind::RetryRestore, group);
    }
    if let Some(id) = state.task_for(Control::Retry) {
        state.ask(Purpose::Control(id.clone()), |t| {
            Effect::Control(t, id, Control::Retry)
        });
    }
}

/// What a pause means for the task in hand: one that stands still goes on.
fn pause_or_resume(state: &State) -> Control {
    let paused = |id| state.tasks.get(&id).map(|task| task.state.clone());
    match state.task_for(Control::Pause).and_then(paused) {
        Some(TaskState::Suspended) => Control::Resume,
        _ => Control::Pause,
    }
}

pub(super) fn can_pause(state: &State) -> Result<(), String> {
    control(state, pause_or_resume(state))
}

pub(super) fn pause(state: &mut State) {
    let asked = pause_or_resume(state);
    if let Some(id) = state.task_for(asked) {
        state.ask(Purpose::Control(id.clone()), |t| {
            Effect::Control(t, id, asked)
        });
    }
}

/// What takes back the task in hand; where none is, the last that was done.
fn undoing(state: &State) -> Result<Operation, String> {
    let last = || {
        let done = |task: &&Arc<Task>| task.state == TaskState::Succeeded;
        state.tasks.items.iter().find(done).map(|task| &task.id)
    };
    let id = match (&state.screen().place, &state.screen().selected) {
        (Place::Task(id), _) | (Place::Tasks | Place::Journal, Some(RowId::Task(id))) => Some(id),
        (Place::Tasks | Place::Journal, _) => None,
        _ => last(),
    };
    let task = id.and_then(|id| state.tasks.get(id));
    let task = task.ok_or_else(|| "nothing was done that could be taken back".to_owned())?;
    undo_of(task)
}

pub(super) fn can_undo(state: &State) -> Result<(), String> {
    if let Some(reason) = &state.read_only {
        return Err(reason.clone());
    }
    offers(state, undoing(state)?.kind)
}

/// Whether the system has what takes something back.
fn offers(state: &State, kind: OperationKind) -> Result<(), String> {
    match state.system.operation(kind).map(|spec| &spec.availability) {
        Some(Availability::Supported) => Ok(()),
        Some(Availability::Unsupported(reason)) => Err(reason.clone()),
        None => Err(format!("{} does not have it", state.system.system)),
    }
}

/// Shows the plan of what takes it back.
pub(super) fn undo(state: &mut State) {
    if let Ok(operation) = undoing(state) {
        show_plan(state, operation);
    }
}

/// Whether the system has what is done after a restore that failed.
fn can_after_failure(state: &State, kind: OperationKind) -> Result<(), String> {
    match &state.read_only {
        Some(reason) => Err(reason.clone()),
        None => offers(state, kind),
    }
}

/// What takes back what the task in hand did before it failed; where none is in hand, the last that did.
fn rolling_back(state: &State) -> Result<Operation, String> {
    let tasks = &state.tasks;
    let id = match (&state.screen().place, &state.screen().selected) {
        (Place::Task(id), _) | (Place::Tasks | Place::Journal, Some(RowId::Task(id))) => Some(id),
        (Place::Tasks | Place::Journal, _) => None,
        _ => {
            let shown = tasks.in_pane(state.now.clock);
            let system = &state.system;
            let can = |task: &&Arc<Task>| {
                roll_back_of(task, system).is_ok() && !tasks.is_rolled_back(task)
            };
            let failed = shown.into_iter().find(can);
            failed.map(|task| &task.id)
        }
    };
    let task = id.and_then(|id| tasks.get(id));
    let task = task.ok_or_else(|| "no task has failed that did something".to_owned())?;
    match tasks.is_rolled_back(task) {
        true => Err("it is rolled back already".to_owned()),
        false => roll_back_of(task, &state.system),
    }
}

pub(super) fn can_roll_back(state: &State) -> Result<(), String> {
    if failed_restore(state).is_some() {
        return can_after_failure(state, OperationKind::RollBackRestore);
    }
    if let Some(reason) = &state.read_only {
        return Err(reason.clone());
    }
    offers(state, rolling_back(state)?.kind)
}

/// Shows the plan of what rolls it back.
pub(super) fn roll_back(state: &mut State) {
    if let Some(group) = failed_restore(state) {
        return after_failure(state, OperationKind::RollBackRestore, group);
    }
    if let Ok(operation) = rolling_back(state) {
        show_plan(state, operation);
    }
}

/// Shows the plan of an operation that is known whole.
fn show_plan(state: &mut State, operation: Operation) {
    let Some(spec) = state.system.operation(operation.kind).cloned() else {
        return;
    };
    let mut form = Form::of(spec, operation);
    form.plan(state);
    state.open(Overlay::Form(Box::new(form)));
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
