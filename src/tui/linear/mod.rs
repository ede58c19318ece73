//! The linear mode: the console as questions and lines that are only ever appended, for screen readers and for
//! terminals that can do nothing else. It has the same state, the same `update` and the same actions; in the place
//! of a view there is a talk, and lines in the place of keys.

mod answer;
mod hear;
mod input;
mod prompt;
mod say;
mod talk;

use std::io::IsTerminal as _;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{Stream, StreamExt as _};
use tokio::sync::mpsc;

use self::input::{Input, Output};
use self::talk::Talk;
use super::event::{Effect, Event};
use super::log::{LogLine, LogTap};
use super::record::Recorder;
use super::runtime::{Performer, QUEUE, Signal, Signals, beginning, moment, next_lines};
use super::state::State;
use super::text;
use super::update::update;
use super::{Farewell, Setup};
use crate::config::Source;
use crate::model::{Problem, Task};

/// The size that is taken where there is no screen: without anything beside the list.
const SIZE: (u16, u16) = (80, 24);

/// What a talk has before it.
trait Desk {
    fn state(&self) -> &State;
    /// Tells the state, and performs what it asks for.
    fn happened(&mut self, event: Event);
    /// Appends a line.
    fn line(&mut self, line: &str);
    /// Drops what was typed ahead: a question comes that it was not meant for.
    fn drop_typed(&self);
}

struct Linear {
    state: State,
    started: Instant,
    performer: Performer,
    recorder: Recorder,
    output: Output,
    log: Option<LogTap>,
    source: Option<Source>,
    ended: bool,
    suspend: bool,
}

/// What comes from outside.
enum Woken {
    Signal(Signal),
    Line(Option<String>),
    Tasks(Vec<Arc<Task>>),
    Event(Box<Event>),
    Logged(Vec<LogLine>),
    Time,
}

/// Runs the console in lines until the user leaves, the input ends, or a signal ends it.
pub(super) async fn run(setup: Setup) -> Result<Farewell, Problem> {
    let started = Instant::now();
    let (beginning, forgotten) = beginning(&setup, SIZE, moment(started));
    let recorder = Recorder::start(&beginning, setup.options.record.as_deref())?;
    let mut state = State::new(beginning);
    state.speaks = true;
    let mut signals = Signals::listen()?;
    let (events, mut queue) = mpsc::channel(QUEUE);
    let writable = state.read_only.is_none();
    let performer = Performer::new(
        setup.connection,
        setup.tracker.clone(),
        writable,
        events,
        None,
        setup.options.kept,
        setup.options.support,
    );
    let mut desk = Linear {
        state,
        started,
        performer,
        recorder,
        output: Output::start()?,
        log: setup.options.log,
        source: setup.options.source,
        ended: false,
        suspend: false,
    };
    let mut tasks: Tasks = Box::pin(
        setup
            .tracker
            .updates()
            .chain(futures_util::stream::pending()),
    );
    let mut input = Input::start()?;
    let mut talk = Talk::new(std::io::stdin().is_terminal());
    greet(&mut desk);
    desk.happened(Event::Tasks(setup.tracker.tasks()));
    if let Some(problem) = forgotten {
        desk.happened(Event::Fault(problem));
    }
    desk.performer.watch();
    desk.performer.follow_on();
    while !desk.ended {
        talk.speak(&mut desk);
        if talk.is_ready(&desk.state) && !desk.ended {
            input.ask();
        }
        let due = [desk.state.deadline(), talk.due(&desk.state)];
        let due = due.into_iter().flatten().min();
        let woken = desk
            .wait(due, &mut signals, &mut input, &mut tasks, &mut queue)
            .await;
        match woken {
            Woken::Signal(Signal::End(number)) => desk.happened(Event::Signal(number)),
            Woken::Signal(Signal::Stop) => desk.suspend = true,
            Woken::Signal(Signal::Continued) => talk.asks = true,
            Woken::Signal(Signal::Resized) => {}
            Woken::Line(Some(line)) => talk.hear(&mut desk, &line),
            Woken::Line(None) => desk.ended = true,
            Woken::Tasks(batch) => desk.happened(Event::Tasks(batch)),
            Woken::Event(event) => desk.happened(*event),
            Woken::Logged(lines) => desk.happened(Event::Logged(lines)),
            Woken::Time => desk.happened(Event::Deadline),
        }
        if std::mem::take(&mut desk.suspend) {
            signals.stop().await;
            talk.asks = true;
        }
        if let Some(problem) = desk.recorder.failed() {
            desk.happened(Event::Fault(problem));
        }
        // Nobody reads any more.
        desk.ended |= desk.output.is_broken();
    }
    let unfinished: Vec<_> = desk.state.tasks.active().cloned().collect();
    for task in &unfinished {
        let verb = task.plan.operation.kind.verb();
        desk.line(&format!("Under way: {verb} {}", task.plan.subject));
    }
    if !unfinished.is_empty() {
        desk.line("The next start follows it on; snapdeck get tasks tells how it stands.");
    }
    desk.performer.keep_at_last();
    desk.output.close();
    Ok(Farewell {
        // They were named.
        unfinished: Vec::new(),
        signal: desk.state.signal,
    })
}

type Tasks = Pin<Box<dyn Stream<Item = Vec<Arc<Task>>> + Send>>;

/// What this is, and where.
fn greet(desk: &mut Linear) {
    let state = &desk.state;
    let may = state.read_only.clone();
    let may = may.unwrap_or_else(|| "changes can be made".to_owned());
    let first = format!(
        "snapdeck {}, linear mode: {}, {}, {may}.",
        env!("CARGO_PKG_VERSION"),
        state.profile,
        state.system.system
    );
    desk.line(&first);
}

impl Linear {
    /// Waits for whatever comes first; what comes at once is taken in this order.
    async fn wait(
        &self,
        due: Option<Duration>,
        signals: &mut Signals,
        input: &mut Input,
        tasks: &mut Tasks,
        queue: &mut mpsc::Receiver<Event>,
    ) -> Woken {
        let due = due.map(|due| self.started + due);
        let sleep = async {
            match due {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            signal = signals.next() => Woken::Signal(signal),
            Some(batch) = tasks.next() => Woken::Tasks(batch),
            Some(event) = queue.recv() => Woken::Event(Box::new(event)),
            lines = next_lines(self.log.as_ref()) => Woken::Logged(lines),
            line = input.next() => Woken::Line(line),
            () = sleep => Woken::Time,
        }
    }

    /// What has to do with a screen, or with the terminal, is done by lines here.
    fn perform(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::Quit => self.ended = true,
            Effect::Suspend => self.suspend = true,
            Effect::Copy(what, text) => {
                self.line(&format!("{}:", super::page::capital(what)));
                for line in text.lines() {
                    self.line(line);
                }
            }
            Effect::Reload => {
                let read = self.source.as_ref().map(Source::read);
                return Some(match read {
                    Some(read) => Event::Configured(read.map(Box::new)),
                    None => Event::Told(Err(Problem::user("there is no configuration to read"))),
                });
            }
            Effect::Picture(_) => {
                let none = Problem::user("there is no screen to keep a picture of");
                return Some(Event::Told(Err(none)));
            }
            Effect::Gather => self.performer.gather(&self.state.config),
            Effect::Mouse(_) | Effect::Repaint => {}
            effect => self.performer.perform(effect),
        }
        None
    }
}

impl Desk for Linear {
    fn state(&self) -> &State {
        &self.state
    }

    fn happened(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let at = moment(self.started);
            self.recorder.keep(&self.state, at, &event);
            let effects = update(&mut self.state, at, event);
            for effect in effects {
                events.extend(self.perform(effect));
            }
        }
    }

    fn line(&mut self, line: &str) {
        self.output.line(&text::clean(line, self.state.ascii));
    }

    fn drop_typed(&self) {
        input::drop_typed();
    }
}
