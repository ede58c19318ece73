//! Following tasks to their end (section 15).

use super::Shared;
use crate::model::{Problem, ProblemKind};
use crate::wire::vipr::{Task, TaskWord, Urn};

/// How the tasks of a step stand together.
pub(super) enum Standing {
    /// There are none, or none that is still told of.
    None,
    /// At least one goes on.
    Running,
    /// At least one waits for somebody to decide, and none has failed.
    Suspended(Box<Task>),
    /// All are over, and did what they should.
    Ready,
    /// One has failed.
    Failed(Problem),
}

impl Standing {
    pub(super) fn of(tasks: &[Task]) -> Self {
        if let Some(task) = tasks.iter().find(|task| task.state == TaskWord::Error) {
            return Self::Failed(failed(task));
        }
        if let Some(task) = tasks.iter().find(|task| task.state.is_suspended()) {
            return Self::Suspended(Box::new(task.clone()));
        }
        match (
            tasks.is_empty(),
            tasks.iter().all(|task| task.state.is_over()),
        ) {
            (true, _) => Self::None,
            (false, true) => Self::Ready,
            (false, false) => Self::Running,
        }
    }
}

/// What a task is about, for people.
fn about(task: &Task) -> String {
    let what = task.description.as_deref().unwrap_or(task.operation());
    let name = task
        .resource
        .as_ref()
        .and_then(|resource| resource.name.as_deref());
    match name {
        Some(name) => format!("{what} ({name})"),
        None => what.to_owned(),
    }
}

/// The problem of a task that failed.
fn failed(task: &Task) -> Problem {
    let mut problem = Problem::new(
        ProblemKind::System,
        format!("the system failed to {}", about(task)),
    );
    if let Some(error) = &task.service_error {
        problem.causes = error.told();
    }
    problem
        .causes
        .extend(task.warning_messages.iter().flatten().cloned());
    if problem.causes.is_empty() {
        problem.causes.push(match &task.message {
            Some(message) => message.clone(),
            None => "it gives no reason".to_owned(),
        });
    }
    let again = task
        .service_error
        .as_ref()
        .is_some_and(|error| error.retryable == Some(true));
    let problem = match again {
        true => problem.hint("the same may work later: retry it"),
        false => problem,
    };
    problem.hint(format!("it was the task {}", task.base.id))
}

/// The problem of a task that waits.
pub(super) fn suspended(task: &Task) -> Problem {
    let mut problem = Problem::conflict(format!("the system has suspended it: {}", about(task)));
    match (&task.service_error, &task.message) {
        (Some(error), _) => problem.causes = error.told(),
        (None, Some(message)) => problem.causes.push(message.clone()),
        (None, None) => {}
    }
    let id = &task.base.id;
    if task.can_resume() {
        problem = problem.hint("retry it, and the system goes on where it stands");
    } else if task.can_roll_back() {
        problem = problem
            .hint("retry it, and the system takes back what it has done: it goes no further");
    }
    if task.can_resume() && task.can_roll_back() {
        problem = problem.hint(format!(
            "POST /vdc/tasks/{id}/rollback takes back what it has done"
        ));
    }
    problem.hint(format!("it is the task {id}"))
}

impl Shared {
    /// Tasks by their ids, without those whose record is gone.
    pub(super) async fn tasks(&self, ids: &[Urn]) -> Result<Vec<Task>, Problem> {
        let mut all = Vec::new();
        for id in ids {
            match self.record::<Task>(id.as_str()).await {
                Ok(task) => all.push(task),
                Err(problem) if problem.kind == ProblemKind::NotFound => {}
                Err(problem) => return Err(problem),
            }
        }
        Ok(all)
    }

    /// The tasks that a step has begun from here.
    pub(super) fn begun(&self, key: &str) -> Vec<Urn> {
        self.begun.lock().get(key).cloned().unwrap_or_default()
    }

    /// Whether another step has begun a task.
    pub(super) fn is_others(&self, key: &str, task: &Urn) -> bool {
        let begun = self.begun.lock();
        begun
            .iter()
            .any(|(other, tasks)| other != key && tasks.contains(task))
    }
}
