//! Performs what the state asks for, each on a task of its own, and sends back what came of it.

mod trace;

use std::collections::HashMap;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use parking_lot::Mutex;
use ratatui::buffer::Buffer;
use tokio::task::AbortHandle;

use super::seats::Teller;
use crate::config::{Config, Kept};
use crate::model::{
    Change, Kind, ObjectRef, Operation, Plan, Problem, ProblemKind, Query, Task, TaskId, Time,
};
use crate::provider::{Connection, Content, DataRange, Difference, Reader};
use crate::support::{Bundle, Places};
use crate::task::{Control, Tracker};
use crate::tui::event::{Answer, Effect, Event, Looked, PictureForm, Slice, Ticket};
use crate::tui::record::picture;
use crate::tui::{Act, Stage};

/// A slice has about so many stretches at most.
const SLICE: usize = 4096;
/// A slice is read for about so long at most.
const MOMENT: Duration = Duration::from_millis(30);

/// What a console has once, however many tabs it has.
#[derive(Clone, Default)]
pub(in crate::tui) struct House {
    /// Where pictures of the screen are kept.
    pictures: Option<PathBuf>,
    /// Where what was chosen is kept, and what it was last.
    kept: (Option<PathBuf>, Arc<Mutex<Option<Kept>>>),
}

impl House {
    pub(in crate::tui) fn new(pictures: Option<PathBuf>, kept: Option<PathBuf>) -> Self {
        Self {
            pictures,
            kept: (kept, Arc::default()),
        }
    }

    /// Keeps a picture of the screen, and tells where.
    pub(in crate::tui) fn keep_picture(&self, buffer: Buffer, form: PictureForm, teller: Teller) {
        let folder = self.pictures.clone();
        tokio::task::spawn_blocking(move || {
            let told = match folder {
                Some(folder) => keep(&folder, &buffer, form),
                None => Err(Problem::user("there is no folder to keep a picture in")),
            };
            let _ = teller.blocking_send(Event::Told(told));
        });
    }

    /// Keeps what was chosen, in the background: a slow disk makes no key wait.
    pub(super) fn keep(&self, chosen: Kept, teller: Teller) {
        let (Some(file), newest) = self.kept.clone() else {
            return;
        };
        *newest.lock() = Some(chosen);
        tokio::task::spawn_blocking(move || {
            if let Err(problem) = keep_newest(&file, &newest) {
                let _ = teller.blocking_send(Event::Fault(problem));
            }
        });
    }

    /// Keeps what was chosen just before the end.
    pub(super) fn keep_at_last(&self) {
        if let (Some(file), newest) = &self.kept
            && let Err(problem) = keep_newest(file, newest)
        {
            tracing::warn!(%problem, "what was chosen is not kept");
        }
    }
}

/// The means to ask one system and to change it. What it watches and what it was asked ends with it; what was
/// confirmed goes on.
pub(in crate::tui) struct Performer {
    connection: Connection,
    tracker: Tracker,
    writable: bool,
    events: Teller,
    house: House,
    /// What lets something happen in the estate.
    stage: Option<Stage>,
    /// Where a support bundle is taken from, and the one that was gathered last.
    support: (Option<Places>, Arc<Mutex<Option<Bundle>>>),
    /// Lists under way, which can be given up.
    asked: HashMap<Ticket, AbortHandle>,
    /// What watches.
    watching: Vec<AbortHandle>,
}

impl Drop for Performer {
    fn drop(&mut self) {
        for job in self.asked.values().chain(&self.watching) {
            job.abort();
        }
    }
}

impl Performer {
    pub(in crate::tui) fn new(
        connection: Connection,
        tracker: Tracker,
        writable: bool,
        events: Teller,
        house: House,
        support: Option<Places>,
    ) -> Self {
        Self {
            connection,
            tracker,
            writable,
            events,
            house,
            stage: None,
            support: (support, Arc::default()),
            asked: HashMap::new(),
            watching: Vec::new(),
        }
    }

    /// The same with what lets something happen in the estate.
    pub(in crate::tui) fn with_stage(mut self, stage: Option<Stage>) -> Self {
        self.stage = stage;
        self
    }

    /// The tasks as they are now.
    pub(super) fn tasks(&self) -> Vec<Arc<Task>> {
        self.tracker.tasks()
    }

    /// Follows what changes in the system.
    pub(in crate::tui) fn watch(&mut self) {
        self.follow_calls();
        let mut changes = self.connection.reader.watch();
        let events = self.events.clone();
        let job = tokio::spawn(async move {
            while let Some(change) = changes.next().await {
                if events.send(Event::Changed(change)).await.is_err() {
                    return;
                }
            }
            let problem = Problem::new(ProblemKind::System, "changes are not told any more")
                .hint("r reads what is shown again; where another program had the store open and ended, start anew");
            let _ = events.send(Event::Fault(problem)).await;
        });
        self.watching.push(job.abort_handle());
    }

    /// Takes up what was under way when the program last ended.
    pub(in crate::tui) fn follow_on(&self) {
        if !self.writable {
            return;
        }
        let (tracker, events) = (self.tracker.clone(), self.events.clone());
        tokio::spawn(async move {
            if tracker.follow_on().await > 0 {
                // What it made meanwhile may be of any kind.
                for kind in Kind::ALL {
                    let _ = events.send(Event::Changed(Change::Kind(kind))).await;
                }
            }
        });
    }

    pub(in crate::tui) fn perform(&mut self, effect: Effect) {
        self.asked.retain(|_, handle| !handle.is_finished());
        tell(&effect);
        match effect {
            Effect::List(ticket, query) => self.list(ticket, query),
            Effect::Show(ticket, object) => self.show(ticket, object),
            Effect::Raw(ticket, object) => self.raw(ticket, object),
            Effect::Look(ticket, layers) => self.look(ticket, layers),
            Effect::Plan(ticket, operations) => self.plan(ticket, operations),
            Effect::Submit(ticket, plans) => self.submit(ticket, plans),
            Effect::Control(ticket, task, control) => self.control(ticket, task, control),
            Effect::Stage(ticket, act) => self.stage(ticket, act),
            Effect::Forget(ticket) => {
                if let Some(handle) = self.asked.remove(&ticket) {
                    handle.abort();
                }
            }
            Effect::Lock => self.writable = false,
            Effect::Bundle => self.bundle(),
            Effect::SaveTrace => self.save_trace(),
            // The loop itself does these, or what keeps the tabs.
            Effect::Keep(_)
            | Effect::Open(_)
            | Effect::Renew
            | Effect::Close
            | Effect::Tab(_)
            | Effect::Profiles
            | Effect::Copy(..)
            | Effect::Picture(_)
            | Effect::Mouse(_)
            | Effect::Repaint
            | Effect::Reload
            | Effect::Gather
            | Effect::Suspend
            | Effect::Quit => {}
        }
    }

    /// Gathers what would be in a support bundle.
    pub(in crate::tui) fn gather(&self, config: &Config) {
        let (events, (places, last)) = (self.events.clone(), self.support.clone());
        let config = Ok(config.clone());
        tokio::task::spawn_blocking(move || {
            let gathered = match places {
                Some(places) => {
                    let bundle = Bundle::gather(&config, &places, crate::tui::terminal());
                    let manifest = bundle.manifest().to_owned();
                    *last.lock() = Some(bundle);
                    Ok(manifest)
                }
                None => Err(Problem::user("there is nothing to gather here")),
            };
            let _ = events.blocking_send(Event::Gathered(gathered));
        });
    }

    /// Writes what was gathered last, just as it was shown.
    fn bundle(&self) {
        let (events, (places, last)) = (self.events.clone(), self.support.clone());
        tokio::task::spawn_blocking(move || {
            let folder = places.and_then(|places| places.state);
            let told = match (folder, &*last.lock()) {
                (Some(folder), Some(bundle)) => write_bundle(&folder.join("support"), bundle),
                _ => Err(Problem::user("there is no folder to keep it in")
                    .hint("`snapdeck support` writes it anywhere")),
            };
            let _ = events.blocking_send(Event::Told(told));
        });
    }

    /// Runs a question that can be given up.
    fn ask(&mut self, ticket: Ticket, work: impl Future<Output = Answer> + Send + 'static) {
        let events = self.events.clone();
        let handle = tokio::spawn(async move {
            let began = Instant::now();
            let answer = work.await;
            let ms = began.elapsed().as_millis();
            tracing::debug!(question = ticket.0, ms, "answered");
            let _ = events.send(Event::Answer(ticket, answer)).await;
        });
        self.asked.insert(ticket, handle.abort_handle());
    }

    fn list(&mut self, ticket: Ticket, query: Query) {
        let mut pages = self.connection.reader.list(query);
        let events = self.events.clone();
        self.ask(ticket, async move {
            while let Some(page) = pages.next().await {
                match page {
                    Ok(page) => {
                        let _ = events.send(Event::Answer(ticket, Answer::Page(page))).await;
                    }
                    Err(problem) => return Answer::Listed(Err(problem)),
                }
            }
            Answer::Listed(Ok(()))
        });
    }

    fn show(&mut self, ticket: Ticket, object: ObjectRef) {
        let reader = self.connection.reader.clone();
        self.ask(ticket, async move {
            Answer::Shown(Box::new(reader.show(&object).await))
        });
    }

    fn raw(&mut self, ticket: Ticket, object: ObjectRef) {
        let reader = self.connection.reader.clone();
        self.ask(
            ticket,
            async move { Answer::Raw(reader.raw(&object).await) },
        );
    }

    /// Looks at one slice after another, so that it can be given up between any two.
    fn look(&mut self, ticket: Ticket, layers: Vec<Looked>) {
        let (reader, events) = (self.connection.reader.clone(), self.events.clone());
        self.ask(ticket, async move {
            for layer in layers {
                if let Err(problem) = look(&reader, &layer, ticket, &events).await {
                    return Answer::Looked(Err(problem));
                }
            }
            Answer::Looked(Ok(()))
        });
    }

    fn plan(&mut self, ticket: Ticket, operations: Vec<Operation>) {
        let tracker = self.tracker.clone();
        self.ask(ticket, async move {
            let mut plans = Vec::with_capacity(operations.len());
            for operation in &operations {
                plans.push(tracker.plan(operation).await);
            }
            Answer::Planned(plans)
        });
    }

    /// What was confirmed is handed over to its end, whatever the screen does.
    fn submit(&self, ticket: Ticket, plans: Vec<Plan>) {
        let (tracker, events, writable) =
            (self.tracker.clone(), self.events.clone(), self.writable);
        tokio::spawn(async move {
            let mut results = Vec::with_capacity(plans.len());
            for plan in plans {
                results.push(if writable {
                    tracker.submit(plan).await
                } else {
                    Err(read_only())
                });
            }
            let answer = Answer::Submitted(results);
            let _ = events.send(Event::Answer(ticket, answer)).await;
        });
    }

    /// Lets something happen in the estate.
    fn stage(&self, ticket: Ticket, act: Act) {
        let (events, stage) = (self.events.clone(), self.stage.clone());
        tokio::task::spawn_blocking(move || {
            let staged = match stage {
                Some(stage) => stage(&act),
                None => Err(Problem::user("nothing can be let happen here")),
            };
            let _ = events.blocking_send(Event::Answer(ticket, Answer::Staged(staged)));
        });
    }

    fn control(&self, ticket: Ticket, task: TaskId, control: Control) {
        let (tracker, events, writable) =
            (self.tracker.clone(), self.events.clone(), self.writable);
        tokio::spawn(async move {
            let result = if writable {
                tracker.control(&task, control).await
            } else {
                Err(read_only())
            };
            let answer = Answer::Controlled(result);
            let _ = events.send(Event::Answer(ticket, answer)).await;
        });
    }
}

/// Writes a bundle into a folder; says what is to be said of it.
fn write_bundle(folder: &Path, bundle: &Bundle) -> Result<String, Problem> {
    let path = folder.join(bundle.file_name());
    let mut folders = std::fs::DirBuilder::new();
    let made = folders.recursive(true).mode(0o700).create(folder);
    made.map_err(|e| {
        let what = format!("the folder {} cannot be made", folder.display());
        Problem::new(ProblemKind::System, what).caused_by(&e)
    })?;
    bundle.write(&path)?;
    Ok(format!(
        "the bundle is {}; nothing was sent",
        path.display()
    ))
}

/// Writes what was chosen last, once; one at a time, so that nothing older comes after it.
fn keep_newest(file: &Path, newest: &Mutex<Option<Kept>>) -> Result<(), Problem> {
    let mut newest = newest.lock();
    newest.take().map_or(Ok(()), |kept| kept.write(file))
}

/// Says in the log what is asked for, without what it is called.
fn tell(effect: &Effect) {
    match effect {
        Effect::List(ticket, query) => {
            tracing::debug!(question = ticket.0, kind = query.kind.many(), "lists");
        }
        Effect::Show(ticket, object) => {
            tracing::debug!(question = ticket.0, id = object.id, "looks at one");
        }
        Effect::Raw(ticket, object) => {
            tracing::debug!(question = ticket.0, id = object.id, "asks for the body");
        }
        Effect::Plan(ticket, operations) => {
            tracing::debug!(question = ticket.0, count = operations.len(), "plans");
        }
        Effect::Submit(ticket, plans) => {
            for plan in plans {
                let operation = plan.operation.kind.name();
                tracing::info!(question = ticket.0, operation, "begins");
            }
        }
        Effect::Control(ticket, task, control) => {
            tracing::info!(question = ticket.0, %task, ?control, "controls a task");
        }
        _ => {}
    }
}

/// Writes a picture into a folder; says what is to be said of it.
fn keep(folder: &Path, buffer: &Buffer, form: PictureForm) -> Result<String, Problem> {
    let text = picture(buffer, form);
    let path = write_new(folder, form.ending(), text.as_bytes(), "picture")?;
    Ok(format!("the picture is {}", path.display()))
}

/// Writes a new file with a name of its own into a folder, for this user alone.
fn write_new(folder: &Path, ending: &str, bytes: &[u8], what: &str) -> Result<PathBuf, Problem> {
    let now = Time::now().to_zoned(jiff::tz::TimeZone::UTC);
    let stamp = now.strftime("%Y%m%d-%H%M%S-%3f");
    let path = folder.join(format!("snapdeck-{stamp}.{ending}"));
    let mut options = std::fs::File::options();
    // It shows whatever was on the screen.
    options.write(true).create_new(true).mode(0o600);
    let mut folders = std::fs::DirBuilder::new();
    folders.recursive(true).mode(0o700);
    folders
        .create(folder)
        .and_then(|()| options.open(&path))
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|e| {
            let what = format!("the {what} {} cannot be written", path.display());
            Problem::new(ProblemKind::System, what).caused_by(&e)
        })?;
    Ok(path)
}

/// One layer to its end.
async fn look(
    reader: &Arc<dyn Reader>,
    layer: &Looked,
    ticket: Ticket,
    events: &Teller,
) -> Result<(), Problem> {
    let mut offset = 0;
    let (opening, asked) = (reader.clone(), layer.clone());
    let source = blocking(move || Source::open(&*opening, &asked)).await?;
    loop {
        let from = source.clone();
        let (ranges, end) = blocking(move || from.slice(offset)).await?;
        let over = end >= source.size() || end <= offset;
        offset = end;
        let slice = Slice {
            layer: layer.layer,
            size: source.size(),
            ranges,
            end: if over { source.size() } else { end },
            listed: layer.listed,
        };
        let sent = events.send(Event::Answer(ticket, Answer::Slice(slice)));
        if sent.await.is_err() || over {
            return Ok(());
        }
    }
}

/// Runs what may wait for the disk where waiting harms nobody.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|e| {
        Problem::new(ProblemKind::Bug, "a part of the program ended abruptly").caused_by(&e)
    })?
}

/// Where a layer is read from.
#[derive(Clone)]
enum Source {
    Content(Arc<dyn Content>),
    Difference(Arc<dyn Difference>),
}

impl Source {
    fn open(reader: &dyn Reader, layer: &Looked) -> Result<Self, Problem> {
        Ok(match &layer.from {
            None => Self::Content(reader.content(&layer.to)?),
            Some(from) => Self::Difference(reader.difference(from, &layer.to)?),
        })
    }

    fn size(&self) -> u64 {
        match self {
            Self::Content(content) => content.size(),
            Self::Difference(difference) => difference.size(),
        }
    }

    /// What there is from `offset` on, as much as is read within a moment; and up to where.
    fn slice(&self, offset: u64) -> Result<(Vec<DataRange>, u64), Problem> {
        let begun = Instant::now();
        let mut all = Vec::new();
        let mut end = offset;
        while all.len() < SLICE && begun.elapsed() < MOMENT && end < self.size() {
            let from = end;
            match self {
                Self::Content(content) => {
                    let ranges = content.ranges(end)?;
                    end = ranges.last().map_or(end, |last| last.offset + last.length);
                    all.extend(ranges);
                }
                Self::Difference(difference) => {
                    let changes = difference.changes(end)?;
                    end = changes.end;
                    all.extend(changes.ranges);
                }
            }
            if end <= from {
                break;
            }
        }
        Ok((all, end))
    }
}

fn read_only() -> Problem {
    Problem::new(
        ProblemKind::Auth,
        "nothing can be changed: this is read-only",
    )
}
