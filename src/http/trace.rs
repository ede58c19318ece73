//! What was called, and what came back: the last calls, without their secrets.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::model::Time;

/// One call, over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Its number, from 0.
    pub number: u64,
    /// When it was begun.
    pub at: Time,
    /// What was done (`GET`).
    pub method: String,
    /// Where, without secrets.
    pub url: String,
    /// The status; `None` where no answer came.
    pub status: Option<u16>,
    /// Why no answer came.
    pub error: Option<String>,
    /// How long the answer's body is, in bytes.
    pub bytes: u64,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// The system's own id of it.
    pub request_id: Option<String>,
    /// What was sent with it.
    pub request_headers: Vec<(String, String)>,
    /// The body that was sent.
    pub request_body: Option<String>,
    /// What came with the answer.
    pub response_headers: Vec<(String, String)>,
    /// The body that came.
    pub response_body: String,
}

impl Call {
    /// The address without scheme and host.
    #[must_use]
    pub fn path(&self) -> &str {
        let rest = self
            .url
            .split_once("://")
            .map_or(&*self.url, |(_, rest)| rest);
        rest.find('/').map_or("/", |at| &rest[at..])
    }
}

/// The last calls of one system.
#[derive(Debug)]
pub struct Trace {
    calls: Mutex<Kept>,
    told: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    calls: VecDeque<Arc<Call>>,
    next: u64,
}

impl Default for Trace {
    fn default() -> Self {
        Self {
            calls: Mutex::default(),
            told: watch::Sender::new(0),
        }
    }
}

impl Trace {
    /// How many calls are kept.
    pub const KEPT: usize = 400;

    /// Keeps one more; it gets its number here.
    pub(super) fn add(&self, mut call: Call) {
        let mut kept = self.calls.lock();
        call.number = kept.next;
        kept.next += 1;
        if kept.calls.len() == Self::KEPT {
            kept.calls.pop_front();
        }
        kept.calls.push_back(Arc::new(call));
        let next = kept.next;
        drop(kept);
        self.told.send_replace(next);
    }

    /// The calls that are kept from this number on, the oldest first.
    #[must_use]
    pub fn since(&self, number: u64) -> Vec<Arc<Call>> {
        let kept = self.calls.lock();
        let calls = kept.calls.iter().filter(|call| call.number >= number);
        calls.cloned().collect()
    }

    /// The number that the next call gets, to wait on.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.told.subscribe()
    }
}
