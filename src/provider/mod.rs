//! What every system is to the rest of the program: something that can be
//! read, and, where the profile allows it, changed.
//!
//! Every change is an [`Operation`], and every operation is plan,
//! show, apply: [`Reader::plan`] says what would be done without doing any of it,
//! and [`Writer::run`] does one step of such a plan. There is no second way to
//! change anything. A read-only [`Connection`] has no [`Writer`], so that there is
//! nothing to call.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use tokio_util::sync::CancellationToken;

use crate::http::Trace;
use crate::model::{
    Capabilities, Change, Kind, Object, ObjectRef, Operation, Page, Part, Plan, Problem,
    ProblemKind, Progress, Query, Raw, StepOutcome, TaskId,
};

pub mod cinder;
pub mod conformance;
pub mod embedded;
pub mod evs;
pub mod powervc;
mod profile;
mod resolve;
pub mod vipr;
pub mod zstack;

pub use profile::{Finding, examine, open, operations};
pub use resolve::{Resolver, list_all};

/// The means to look at a system. Changes nothing, ever.
#[async_trait]
pub trait Reader: Send + Sync {
    /// What the system has and can do. The same for the life of the connection.
    fn capabilities(&self) -> &Capabilities;

    /// A list, as a stream of pages. An error ends the stream.
    fn list(&self, query: Query) -> BoxStream<'static, Result<Page, Problem>>;

    /// One thing, as it is now.
    ///
    /// # Errors
    /// [`NotFound`](crate::model::ProblemKind::NotFound) where there is none of this id.
    async fn show(&self, object: &ObjectRef) -> Result<Object, Problem>;

    /// The body of one thing as the system sends it or keeps it.
    ///
    /// # Errors
    /// As [`Reader::show`].
    async fn raw(&self, object: &ObjectRef) -> Result<Raw, Problem>;

    /// What an operation would do, as things stand now. Free of side effects.
    ///
    /// # Errors
    /// The reason why it cannot be done.
    async fn plan(&self, operation: &Operation) -> Result<Plan, Problem>;

    /// What changes from now on. The stream ends when the connection does. A slow
    /// reader is told of kinds rather than of each thing.
    fn watch(&self) -> BoxStream<'static, Change>;

    /// The bytes of a volume or a snapshot, for reading.
    ///
    /// # Errors
    /// A reason, where the system does not let its data be read from here.
    fn content(&self, object: &ObjectRef) -> Result<Arc<dyn Content>, Problem>;

    /// What reads differently in `to`, a volume or a snapshot, from what it was in `from`.
    ///
    /// # Errors
    /// A reason, where the system cannot tell.
    fn difference(&self, from: &ObjectRef, to: &ObjectRef) -> Result<Arc<dyn Difference>, Problem> {
        Err(Problem::user(format!(
            "what differs between {from} and {to} cannot be told here"
        )))
    }
}

/// A run of bytes of one sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DataRange {
    /// Where it begins, in bytes.
    pub offset: u64,
    /// How long it is, in bytes.
    pub length: u64,
    /// Whether anything but zeroes may be there.
    pub data: bool,
}

/// The bytes of a volume or a snapshot. Blocking: called from threads that may wait.
pub trait Content: Send + Sync {
    /// The size in bytes.
    fn size(&self) -> u64;

    /// The runs from `offset` on, in order and without gaps, as many as the system
    /// tells at once; empty only at the end.
    ///
    /// # Errors
    /// Where the mapping cannot be read.
    fn ranges(&self, offset: u64) -> Result<Vec<DataRange>, Problem>;

    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    /// Where the data cannot be read or is not what was written.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Problem>;
}

/// Stretches that differ, as far as was looked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// In order; what is between them is the same. `data` is of what they hold now.
    pub ranges: Vec<DataRange>,
    /// Up to here, in bytes; look on from there.
    pub end: u64,
}

/// What differs between two volumes or snapshots. Blocking: called from threads that may wait.
pub trait Difference: Send + Sync {
    /// The size of the earlier one, in bytes.
    fn old_size(&self) -> u64;

    /// The size of the later one, in bytes. What lies beyond the end of the earlier one differs
    /// where there is data.
    fn size(&self) -> u64;

    /// What differs from `offset` on, as far as the system tells at once. Exact to the block that
    /// the system writes.
    ///
    /// # Errors
    /// Where the mapping or the data cannot be read.
    fn changes(&self, offset: u64) -> Result<Changes, Problem>;
}

/// What came of a step of which only its key is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was done; this came of it.
    Done(StepOutcome),
    /// It was begun, and running it again takes it up where it is.
    Running,
    /// Nothing of it happened, or what happened does no harm and is done again.
    NotDone,
}

/// What a step tells while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// How far it has come.
    Progress(Progress),
    /// The parts that the system works through.
    Parts(Vec<Part>),
    /// It was sent, no answer came, and what came of it is being looked for.
    Lost,
    /// What was being looked for is found.
    Found,
}

impl From<Progress> for Told {
    fn from(progress: Progress) -> Self {
        Self::Progress(progress)
    }
}

/// Called with what a step tells while it runs; cheap, from any thread.
pub type ProgressSink = Arc<dyn Fn(Told) + Send + Sync>;

/// What a step is run with.
#[derive(Clone)]
pub struct StepContext {
    /// The task that it belongs to. With the step's index it is the idempotency
    /// key: a step that is run again with the same key is not done twice.
    pub task: TaskId,
    /// What the steps before it made.
    pub before: Vec<StepOutcome>,
    /// Where progress is told, and what else is known of it while it runs.
    pub progress: ProgressSink,
    /// Somebody wants it ended: the step undoes or leaves what it can, and fails with a
    /// problem that says what is left.
    pub cancel: CancellationToken,
    /// The program ends: the step stops waiting and leaves everything as it is, to be
    /// taken up again at the next start.
    pub detach: CancellationToken,
}

impl StepContext {
    /// Whether the step should end early, for either reason.
    #[must_use]
    pub fn should_stop(&self) -> bool {
        self.cancel.is_cancelled() || self.detach.is_cancelled()
    }

    /// The first thing of this kind that an earlier step made.
    ///
    /// # Errors
    /// [`Bug`](crate::model::ProblemKind::Bug) where none did.
    pub fn made(&self, kind: Kind) -> Result<&ObjectRef, Problem> {
        self.before
            .iter()
            .flat_map(|outcome| &outcome.made)
            .find(|object| object.kind == kind)
            .ok_or_else(|| {
                let what = format!("the {} that was made is not known", kind.one());
                Problem::new(ProblemKind::Bug, what)
            })
    }

    /// Waits a moment; less where the step should end early.
    pub async fn pause(&self, moment: std::time::Duration) {
        tokio::select! {
            () = tokio::time::sleep(moment) => {}
            () = self.cancel.cancelled() => {}
            () = self.detach.cancelled() => {}
        }
    }
}

/// What a step that can be paused is told from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steer {
    /// To stand still until it is told to go on; it does so after a restart too.
    Pause,
    /// To go on.
    Resume,
    /// To end where it is: what was done stays, and is whole.
    End,
}

/// The means to change a system: one step of a plan at a time.
#[async_trait]
pub trait Writer: Send + Sync {
    /// Runs one step to its end.
    ///
    /// # Errors
    /// Why it failed, and what is left of it.
    async fn run(
        &self,
        plan: &Plan,
        step: usize,
        context: StepContext,
    ) -> Result<StepOutcome, Problem>;

    /// Finds out what came of a step that was begun with this key and of which
    /// nothing was heard since.
    ///
    /// # Errors
    /// Where the system cannot be asked.
    async fn fate(&self, plan: &Plan, step: usize, task: &TaskId) -> Result<Fate, Problem>;

    /// Steers a step that was begun and that its plan says can be paused, whether or not
    /// somebody follows it. `before` is what the steps before it made.
    ///
    /// # Errors
    /// [`Conflict`](ProblemKind::Conflict) where nothing of it is under way.
    async fn steer(
        &self,
        plan: &Plan,
        step: usize,
        before: &[StepOutcome],
        steer: Steer,
    ) -> Result<(), Problem>;
}

/// A system that has been opened.
#[derive(Clone)]
pub struct Connection {
    /// What the profile is called.
    pub name: String,
    /// The means to look.
    pub reader: Arc<dyn Reader>,
    /// The means to change; `None` where the profile or the user said read-only.
    pub writer: Option<Arc<dyn Writer>>,
    /// The calls that were made to it; `None` where it is not called.
    pub trace: Option<Arc<Trace>>,
}
