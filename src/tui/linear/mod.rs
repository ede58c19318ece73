//! The linear mode: the console as questions and lines that are only ever appended, for screen readers and for
//! terminals that can do nothing else. It has the same state, the same `update` and the same actions; in the place
//! of a view there is a talk, and lines in the place of keys.

mod answer;
mod hear;
mod input;
mod prompt;
mod say;
mod talk;

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use self::input::{Input, Output};
use self::talk::Talk;
use super::event::{Effect, Event};
use super::log::{LogLine, LogTap};
use super::record::Recorder;
use super::runtime::{
    Inbox, Incoming, QUEUE, Seats, Signal, Signals, beginning, moment, next_lines,
    no_configuration, reread,
};
use super::state::{Beginning, Stage, State, TabId};
use super::tabs::Tabs;
use super::text;
use super::{Farewell, Setup, Site};
use crate::config::Source;
use crate::model::Problem;

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

struct Linear<'a> {
    tabs: Tabs,
    started: Instant,
    seats: &'a mut Seats,
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
    Told(Incoming),
    Logged(Vec<LogLine>),
    Time,
}

/// Runs the console in lines until the user leaves, the input ends, or a signal ends it. Whatever comes of it, what is
/// open is closed.
pub(super) async fn run(mut setup: Setup) -> Result<Farewell, Problem> {
    // There is no screen to keep pictures of.
    setup.options.state = None;
    let started = Instant::now();
    let beginning = beginning(&setup, SIZE, moment(started));
    let (events, queue) = mpsc::channel(QUEUE);
    let (mut seats, inbox) = Seats::of(&mut setup, events, queue);
    let ended = drive(setup, started, beginning, &mut seats, inbox).await;
    seats.close_all().await?;
    ended
}

async fn drive(
    setup: Setup,
    started: Instant,
    (beginning, forgotten): (Beginning, Option<Problem>),
    seats: &mut Seats,
    mut inbox: Inbox,
) -> Result<Farewell, Problem> {
    let recorder = Recorder::start(&beginning, setup.options.record.as_deref())?;
    let (mut tabs, asked) = Tabs::new(beginning);
    tabs.present_mut().speaks = true;
    let mut signals = Signals::listen()?;
    let mut desk = Linear {
        tabs,
        started,
        seats,
        recorder,
        output: Output::start()?,
        log: setup.options.log,
        source: setup.options.source,
        ended: false,
        suspend: false,
    };
    let mut input = Input::start()?;
    let interactive = std::io::stdin().is_terminal();
    // Each tab is another talk: what was said in one was not said in the other.
    let mut talks: BTreeMap<TabId, Talk> = BTreeMap::new();
    let mut here = desk.state().id;
    greet(&mut desk);
    if let Some(event) = desk.seats.tasks(here) {
        desk.happened(event);
    }
    if let Some(problem) = forgotten {
        desk.happened(Event::Fault(problem));
    }
    desk.seats.follow(here);
    for (tab, effect) in asked {
        desk.perform(tab, effect);
    }
    while !desk.ended {
        let now = desk.state().id;
        let went = now != here;
        if went {
            here = now;
            go(&mut desk);
            talks.retain(|tab, _| desk.tabs.get(*tab).is_some());
        }
        let talk = talks.entry(here).or_insert_with(|| Talk::new(interactive));
        if went {
            talk.come_back(desk.state());
        }
        talk.speak(&mut desk);
        if talk.is_ready(desk.state()) && !desk.ended {
            input.ask();
        }
        let due = [desk.tabs.deadline(), talk.due(desk.state())];
        let due = due.into_iter().flatten().min();
        let woken = desk.wait(due, &mut signals, &mut input, &mut inbox).await;
        match woken {
            Woken::Signal(Signal::End(number)) => desk.happened(Event::Signal(number)),
            Woken::Signal(Signal::Stop) => desk.suspend = true,
            Woken::Signal(Signal::Continued) => talk.asks = true,
            Woken::Signal(Signal::Resized) => {}
            Woken::Line(Some(line)) => talk.hear(&mut desk, &line),
            Woken::Line(None) => desk.ended = true,
            Woken::Told(Incoming::Tasks(tab, batch)) => {
                desk.happened(Event::Tab(tab, Box::new(Event::Tasks(batch))));
            }
            Woken::Told(Incoming::Arrived(tab, arrival)) => {
                for event in desk.seats.arrived(&mut inbox, tab, arrival) {
                    desk.happened(event);
                }
            }
            Woken::Told(Incoming::Event(event)) => desk.happened(*event),
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
    let unfinished = desk.tabs.unfinished();
    for (site, name, task) in &unfinished {
        let verb = task.plan.operation.kind.verb();
        let on = match site {
            Site::Store => String::new(),
            Site::Profile(_) => format!(", on {name}"),
        };
        desk.line(&format!("Under way: {verb} {}{on}", task.plan.subject));
    }
    if !unfinished.is_empty() {
        desk.line("The next start follows it on; snapdeck get tasks tells how it stands.");
    }
    let signal = desk.state().signal;
    desk.output.close();
    Ok(Farewell {
        // They were named.
        unfinished: Vec::new(),
        signal,
    })
}

/// What this is, and where.
fn greet(desk: &mut Linear<'_>) {
    let state = desk.state();
    let may = state.read_only.clone();
    let may = may.unwrap_or_else(|| "changes can be made".to_owned());
    let first = match state.stage.is_open() {
        true => format!(
            "snapdeck {}, linear mode: {}, {}, {may}.",
            env!("CARGO_PKG_VERSION"),
            state.profile,
            state.system.system
        ),
        false => format!(
            "snapdeck {}, linear mode: {} is being opened.",
            env!("CARGO_PKG_VERSION"),
            state.profile
        ),
    };
    desk.line(&first);
}

/// Another tab is in hand.
fn go(desk: &mut Linear<'_>) {
    let state = desk.state();
    let stands = match &state.stage {
        Stage::Opening(_) => "it is being opened",
        Stage::Failed(..) => "it is not open",
        Stage::Open(_) => "it is open",
    };
    let count = state.around.tabs.len();
    let said = format!(
        "Now on {}: {stands}. There are {count} tabs.",
        state.profile
    );
    desk.line(&said);
}

impl Linear<'_> {
    /// Waits for whatever comes first; what comes at once is taken in this order.
    async fn wait(
        &self,
        due: Option<Duration>,
        signals: &mut Signals,
        input: &mut Input,
        inbox: &mut Inbox,
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
            incoming = inbox.next() => Woken::Told(incoming),
            lines = next_lines(self.log.as_ref()) => Woken::Logged(lines),
            line = input.next() => Woken::Line(line),
            () = sleep => Woken::Time,
        }
    }

    /// What has to do with a screen, or with the terminal, is done by lines here.
    fn perform(&mut self, tab: TabId, effect: Effect) -> Vec<Event> {
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
                let opener = self.seats.rereads();
                return match &self.source {
                    Some(source) => reread(opener.as_deref(), source.read()),
                    None => vec![no_configuration()],
                };
            }
            Effect::Picture(_) => {
                let none = Problem::user("there is no screen to keep a picture of");
                return vec![Event::Told(Err(none))];
            }
            Effect::Gather => self.seats.gather(tab, &self.tabs.present().config),
            Effect::Mouse(_) | Effect::Repaint => {}
            effect => self.seats.perform(tab, effect),
        }
        Vec::new()
    }
}

impl Desk for Linear<'_> {
    fn state(&self) -> &State {
        self.tabs.present()
    }

    fn happened(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let at = moment(self.started);
            self.recorder.keep(self.tabs.present(), at, &event);
            for (tab, effect) in self.tabs.update(at, event) {
                events.extend(self.perform(tab, effect));
            }
        }
    }

    fn line(&mut self, line: &str) {
        self.output
            .line(&text::clean(line, self.tabs.present().ascii));
    }

    fn drop_typed(&self) {
        input::drop_typed();
    }
}
