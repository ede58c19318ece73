//! Plays a recording: the same update and the same view, without a store. What the console asked for was
//! answered then, and the answers are in the recording.

use std::sync::Arc;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Entry;
use super::reader::Recording;
use crate::tui::state::State;
use crate::tui::tabs::Tabs;
use crate::tui::view::{Scene, view};

/// A recording, and how far it has been played.
pub(crate) struct Player {
    recording: Arc<Recording>,
    tabs: Tabs,
    /// How many entries have happened.
    next: usize,
}

impl Player {
    /// Before anything has happened.
    pub(crate) fn new(recording: Arc<Recording>) -> Self {
        // What opens the others was done when it was recorded.
        let (tabs, _) = Tabs::new(recording.beginning.clone());
        Self {
            recording,
            tabs,
            next: 0,
        }
    }

    /// The recording.
    pub(crate) fn recording(&self) -> &Recording {
        &self.recording
    }

    /// The console as it was then.
    pub(crate) fn state(&self) -> &State {
        self.tabs.present()
    }

    /// How many entries have happened.
    pub(crate) fn done(&self) -> usize {
        self.next
    }

    /// What happened last.
    pub(crate) fn last(&self) -> Option<&Entry> {
        self.recording.entries.get(self.next.checked_sub(1)?)
    }

    /// When the next thing happens.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.recording.entries.get(self.next).map(|e| e.at.clock)
    }

    /// How long it is.
    pub(crate) fn length(&self) -> Duration {
        self.recording
            .entries
            .last()
            .map_or(Duration::ZERO, |entry| entry.at.clock)
    }

    /// Lets one more thing happen. Says whether there was one.
    pub(crate) fn step(&mut self) -> bool {
        let Some(entry) = self.recording.entries.get(self.next) else {
            return false;
        };
        // What it asks for was answered when it was recorded.
        let _ = self.tabs.update(entry.at, entry.event.clone());
        self.next += 1;
        true
    }

    /// Goes to where so many entries have happened.
    pub(crate) fn go(&mut self, entries: usize) {
        if entries < self.next {
            *self = Self::new(self.recording.clone());
        }
        while self.next < entries && self.step() {}
    }

    /// Goes to a time; all that happened until then has happened.
    pub(crate) fn seek(&mut self, to: Duration) {
        let entries = &self.recording.entries;
        self.go(entries.partition_point(|entry| entry.at.clock <= to));
    }

    /// The screen as it was.
    pub(crate) fn frame(&self) -> (Buffer, Scene) {
        let state = self.tabs.present();
        let (width, height) = state.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        let scene = view(state, &mut buffer);
        (buffer, scene)
    }
}
