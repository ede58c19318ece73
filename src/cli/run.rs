//! `snapdeck run`, `snapdeck import` and `snapdeck apply`: plan, show, apply.

use super::args::{ApplyArgs, GlobalOptions, ImageFormat, ImportArgs};
use super::follow::{Followed, exit_code, tell_end, watch};
use super::format::OneFormat;
use super::get::TaskRow;
use super::input::Input;
use super::open::{Opened, Purpose, open};
use super::operation_args::OperationArgs;
use super::{EXIT_INTERRUPTED, ask, output, plan_text, text};
use crate::engine::images::Format;
use crate::model::{
    FieldType, Kind, Object, ObjectRef, Operation, OperationKind, Plan, Problem, ProblemKind, Task,
    TaskState,
};
use crate::provider::{Reader, Resolver};

/// What stands for standard input.
const STREAM: &str = "-";

/// Not a field: a volume that is there, or the name of a new one.
const INTO: &str = "into";

/// Runs an operation.
pub(super) async fn run(options: &GlobalOptions, args: &OperationArgs) -> Result<u8, Problem> {
    // Only what makes something out of nothing makes a store.
    let purpose = match (args.plan, args.kind) {
        (
            false,
            OperationKind::CreateVolume
            | OperationKind::ImportImage
            | OperationKind::ApplyDifference,
        ) => Purpose::Change,
        _ => Purpose::Follow,
    };
    let mut opened = open(options, purpose).await?;
    let streams = |(field, text): &(&str, String)| *field == "file" && text == STREAM;
    if args.fields.iter().any(streams) {
        opened.offer_input(Box::new(Input))?;
    }
    if args.wait {
        opened.let_others_in();
    }
    let result = plan_and_run(options, &mut opened, args).await;
    let closed = opened.close().await;
    let code = result?;
    closed?;
    Ok(code)
}

/// Fills a volume from an image: the operation of that name, waited for.
pub(super) async fn import(options: &GlobalOptions, args: &ImportArgs) -> Result<u8, Problem> {
    let path = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let mut fields = vec![
        ("file", path(&args.image)),
        ("guard", args.guard.to_string()),
    ];
    if let Some(format) = args.format {
        let name = match format {
            ImageFormat::Raw => Format::Raw.name(),
            ImageFormat::Qcow2 => Format::Qcow2.name(),
        };
        fields.push(("format", name.to_owned()));
    }
    for (field, said) in [("backing", args.backing), ("resume", args.resume)] {
        if said {
            fields.push((field, "true".to_owned()));
        }
    }
    if let Some(name) = &args.name {
        fields.push(("name", name.clone()));
    }
    if let Some(volume) = &args.into {
        fields.push(("volume", volume.clone()));
    }
    let args = OperationArgs {
        kind: OperationKind::ImportImage,
        fields,
        plan: args.plan,
        wait: true,
        yes: args.yes,
        output: OneFormat::Text,
    };
    run(options, &args).await
}

/// Applies a difference: the operation of that name, waited for.
pub(super) async fn apply_difference(
    options: &GlobalOptions,
    args: &ApplyArgs,
) -> Result<u8, Problem> {
    let fields = vec![
        ("file", args.file.to_string_lossy().into_owned()),
        ("foreign", args.foreign.to_string()),
        (INTO, args.volume.clone()),
    ];
    let args = OperationArgs {
        kind: OperationKind::ApplyDifference,
        fields,
        plan: args.plan,
        wait: true,
        yes: true,
        output: OneFormat::Text,
    };
    run(options, &args).await
}

async fn plan_and_run(
    options: &GlobalOptions,
    opened: &mut Opened,
    args: &OperationArgs,
) -> Result<u8, Problem> {
    let operation = operation(&*opened.connection.reader, args).await?;
    let manner = Manner {
        plan: args.plan,
        wait: args.wait,
        yes: args.yes,
        output: args.output,
    };
    carry_out(options, opened, &operation, &manner).await
}

/// How an operation is gone about.
pub(super) struct Manner {
    /// Say what would be done, and do nothing.
    pub(super) plan: bool,
    /// Wait until everything is over, background copies too.
    pub(super) wait: bool,
    /// Do not ask.
    pub(super) yes: bool,
    /// How to write the result.
    pub(super) output: OneFormat,
}

/// Plans an operation, asks, and runs it.
pub(super) async fn carry_out(
    options: &GlobalOptions,
    opened: &mut Opened,
    operation: &Operation,
    manner: &Manner,
) -> Result<u8, Problem> {
    let plan = opened.tracker.plan(operation).await?;
    if manner.plan {
        output::print(&match manner.output {
            OneFormat::Text => plan_text::plan(&plan),
            OneFormat::Json | OneFormat::Raw => output::json(&plan)?,
            OneFormat::Yaml => output::yaml(&plan)?,
        })?;
        return Ok(0);
    }
    let (asked, yes) = (plan.clone(), manner.yes);
    tokio::task::spawn_blocking(move || ask::confirm(&asked, yes))
        .await
        .map_err(|e| Problem::new(ProblemKind::Bug, "asking failed").caused_by(&e))??;
    apply(options, opened, manner, plan).await
}

#[allow(clippy::print_stderr, reason = "messages go to standard error")]
async fn apply(
    options: &GlobalOptions,
    opened: &mut Opened,
    manner: &Manner,
    plan: Plan,
) -> Result<u8, Problem> {
    let id = opened.tracker.submit(plan).await?;
    let enough = |task: &Task| task.is_settled() || (!manner.wait && only_follows(task));
    let (followed, task) = loop {
        let followed = watch(&opened.tracker, &id, enough).await?;
        let task = opened
            .tracker
            .task(&id)
            .ok_or_else(|| Problem::not_found(format!("there is no task {id}")))?;
        if followed == Followed::Interrupted || enough(&task) || opened.guest_of().is_none() {
            break (followed, task);
        }
        // The program that had the store ended: what it left under way is taken up here.
        *opened = open(options, Purpose::Follow).await?;
        opened.tracker.follow_on().await;
    };
    match manner.output {
        OneFormat::Text => {}
        OneFormat::Json | OneFormat::Raw => {
            output::print(&output::json(&TaskRow::from(task.clone()))?)?;
        }
        OneFormat::Yaml => output::print(&output::yaml(&TaskRow::from(task.clone()))?)?,
    }
    if followed == Followed::Interrupted {
        eprintln!("left under way as task {id}; `snapdeck follow` takes it up again");
        return Ok(EXIT_INTERRUPTED);
    }
    if task.state == TaskState::Failed {
        let problem = task.problem().cloned();
        return Err(problem.unwrap_or_else(|| Problem::new(ProblemKind::Bug, "it failed")));
    }
    if task.is_settled() {
        tell_end(&task);
    } else {
        eprintln!(
            "left for later as task {id}: {}\n  nothing more runs until `snapdeck follow` or the console takes it up",
            text::visible(&task.plan.summary)
        );
    }
    Ok(exit_code(&task))
}

/// Whether all that is left of a task is waiting for the system.
fn only_follows(task: &Task) -> bool {
    task.current().is_some_and(|step| {
        task.plan
            .steps
            .get(step..)
            .is_some_and(|left| left.iter().all(|step| step.follows))
    })
}

/// The operation that was typed, with names made ids.
async fn operation(reader: &dyn Reader, args: &OperationArgs) -> Result<Operation, Problem> {
    let spec = reader
        .capabilities()
        .operation(args.kind)
        .ok_or_else(|| Problem::user(format!("there is no {} here", args.kind)))?;
    let resolver = Resolver::new(reader);
    let mut texts: Vec<(&str, String)> = Vec::new();
    let mut volume: Option<ObjectRef> = None;
    // A volume first, since it narrows what a snapshot's name may mean.
    let (volumes, others): (Vec<_>, Vec<_>) = args.fields.iter().partition(|(name, _)| {
        spec.field(name)
            .is_some_and(|field| field.ty == FieldType::Object(Kind::Volume))
    });
    for (name, text) in volumes.into_iter().chain(others) {
        if *name == INTO {
            texts.push(match resolver.find(Kind::Volume, text, None).await {
                Ok(found) => ("volume", found.id().to_owned()),
                Err(problem) if problem.kind == ProblemKind::NotFound => ("name", text.clone()),
                Err(problem) => return Err(problem),
            });
            continue;
        }
        let text = match spec.field(name).map(|field| &field.ty) {
            Some(FieldType::Objects(kind)) => {
                let found = resolver.find(*kind, text, None).await?;
                match texts.iter_mut().find(|(field, _)| field == name) {
                    Some((_, ids)) => {
                        ids.push(',');
                        ids.push_str(found.id());
                    }
                    None => texts.push((name, found.id().to_owned())),
                }
                continue;
            }
            Some(FieldType::Object(kind)) => {
                let found = resolver.find(*kind, text, volume.as_ref()).await?;
                match &found {
                    Object::Volume(_) => volume = Some(found.reference()),
                    // A snapshot says which volume it is of, where nobody else did.
                    Object::Snapshot(snapshot)
                        if volume.is_none()
                            && spec.field("volume").is_some_and(|field| field.required) =>
                    {
                        texts.push(("volume", snapshot.volume.to_string()));
                    }
                    _ => {}
                }
                found.id().to_owned()
            }
            // A task may be taken up again from another folder.
            Some(FieldType::File) if text == STREAM => text.clone(),
            Some(FieldType::File) => std::path::absolute(text)
                .map_or_else(|_| text.clone(), |path| path.to_string_lossy().into_owned()),
            _ => text.clone(),
        };
        texts.push((*name, text));
    }
    let texts: Vec<(&str, &str)> = texts.iter().map(|(n, t)| (*n, t.as_str())).collect();
    spec.operation(&texts)
}
