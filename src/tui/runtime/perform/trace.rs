//! Telling of the calls that are made, and keeping them in a file.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Performer, write_new};
use crate::http::{Call, har};
use crate::model::Problem;
use crate::tui::event::Event;

/// Calls are told at most this often: many come at once, and an eye sees no more.
const TOLD_EVERY: Duration = Duration::from_millis(200);

impl Performer {
    /// Tells of the calls that are made, where there are any.
    pub(super) fn follow_calls(&mut self) {
        let Some(trace) = self.connection.trace.clone() else {
            return;
        };
        let events = self.events.clone();
        let job = tokio::spawn(async move {
            let (mut told, mut next) = (trace.subscribe(), 0);
            loop {
                let calls = trace.since(next);
                if let Some(last) = calls.last() {
                    next = last.number + 1;
                    if events.send(Event::Called(calls)).await.is_err() {
                        return;
                    }
                }
                if told.changed().await.is_err() {
                    return;
                }
                tokio::time::sleep(TOLD_EVERY).await;
            }
        });
        self.watching.push(job.abort_handle());
    }

    /// Keeps the calls in a file, and tells where.
    pub(super) fn save_trace(&self) {
        let Some(trace) = &self.connection.trace else {
            return;
        };
        let (events, calls) = (self.events.clone(), trace.since(0));
        let pictures = self.house.pictures.as_ref();
        let folder = pictures.map(|folder| folder.with_file_name("traces"));
        tokio::task::spawn_blocking(move || {
            let told = match folder {
                Some(folder) => keep_trace(&folder, &calls),
                None => Err(Problem::user("there is no folder to keep the calls in")),
            };
            let _ = events.blocking_send(Event::Told(told));
        });
    }
}

/// Writes calls into a folder; says what is to be said of it.
fn keep_trace(folder: &Path, calls: &[Arc<Call>]) -> Result<String, Problem> {
    let text = har(calls).to_string();
    let path = write_new(folder, "har", text.as_bytes(), "trace")?;
    Ok(format!("{} calls are in {}", calls.len(), path.display()))
}
