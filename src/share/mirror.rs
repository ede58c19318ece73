//! The tasks of another process, as it tells of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::client::{Asked, ask};
use super::wire::Request;
use crate::model::{Operation, Plan, Problem, Task, TaskId};
use crate::task::{Backend, Control};

type Tasks = BTreeMap<TaskId, (Arc<Task>, u64)>;

/// The tasks of the process that has the store in `dir`.
pub(super) struct Mirror {
    dir: PathBuf,
    read_only: bool,
    tasks: Arc<Mutex<Tasks>>,
    version: watch::Receiver<u64>,
}

fn put(tasks: &Mutex<Tasks>, batch: Vec<Task>, version: u64) {
    let mut tasks = tasks.lock();
    for task in batch {
        tasks.insert(task.id.clone(), (Arc::new(task), version));
    }
}

impl Mirror {
    /// Follows them, until the other process ends.
    pub(super) async fn follow(dir: &Path, read_only: bool) -> Result<Self, Problem> {
        let mut asked = Asked::new(dir, &Request::Tasks).await?;
        let tasks: Arc<Mutex<Tasks>> = Arc::default();
        let first: Option<Vec<Task>> = asked.next().await?;
        put(&tasks, first.unwrap_or_default(), 0);
        let (sender, version) = watch::channel(0);
        let mirrored = tasks.clone();
        tokio::spawn(async move {
            while let Ok(Some(batch)) = asked.next::<Vec<Task>>().await {
                let next = *sender.borrow() + 1;
                put(&mirrored, batch, next);
                // Nobody listening is no fault; nobody left at all is the end.
                if sender.send(next).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            dir: dir.to_owned(),
            read_only,
            tasks,
            version,
        })
    }

    async fn refresh(&self) {
        // What was just begun or changed is known before anybody asks for it.
        if let Ok(mut asked) = Asked::new(&self.dir, &Request::Tasks).await
            && let Ok(Some(all)) = asked.next::<Vec<Task>>().await
        {
            let mut tasks = self.tasks.lock();
            for task in all {
                let entry = tasks.entry(task.id.clone());
                entry.or_insert_with(|| (Arc::new(task), *self.version.borrow()));
            }
        }
    }
}

#[async_trait]
impl Backend for Mirror {
    fn tasks(&self) -> Vec<Arc<Task>> {
        let tasks = self.tasks.lock();
        tasks.values().rev().map(|(task, _)| task.clone()).collect()
    }

    fn task(&self, id: &TaskId) -> Option<Arc<Task>> {
        self.tasks.lock().get(id).map(|(task, _)| task.clone())
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.version.clone()
    }

    fn changed_since(&self, version: u64) -> Vec<Arc<Task>> {
        let tasks = self.tasks.lock();
        let changed = tasks.values().filter(|(_, at)| *at > version);
        changed.map(|(task, _)| task.clone()).collect()
    }

    fn is_read_only(&self) -> bool {
        self.read_only
    }

    async fn plan(&self, operation: &Operation) -> Result<Plan, Problem> {
        ask(&self.dir, &Request::Plan(operation.clone())).await
    }

    async fn submit(&self, plan: Plan, by: &str) -> Result<TaskId, Problem> {
        let request = Request::Submit {
            plan: Box::new(plan),
            by: by.to_owned(),
        };
        let id: TaskId = ask(&self.dir, &request).await?;
        self.refresh().await;
        Ok(id)
    }

    async fn control(&self, id: &TaskId, control: Control) -> Result<(), Problem> {
        let id = id.clone();
        ask(&self.dir, &Request::Control { id, control }).await
    }

    async fn follow_on(&self) -> usize {
        ask(&self.dir, &Request::FollowOn).await.unwrap_or(0)
    }

    /// What runs goes on in the process that has the store.
    async fn close(&self) {}
}
