//! The loop: signals, keys, tasks, answers and deadlines in one order; each is told to the state, what it
//! asks for is performed, and a frame is drawn when the terminal is ready for one.

mod perform;
mod seats;
mod signals;

use std::io;
use std::time::{Duration, Instant};

use crossterm::event::{Event as Input, EventStream, MouseButton, MouseEventKind};
use futures_util::StreamExt as _;
use ratatui::Terminal;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use tokio::sync::mpsc;

#[cfg(test)]
pub(super) use self::perform::{House, Performer};
#[cfg(test)]
pub(super) use self::seats::Teller;
use self::seats::listed;
pub(super) use self::seats::{Inbox, Incoming, Seats};
pub(crate) use self::signals::{Signal, Signals};
use super::event::{Answer, Cost, Effect, Event, Moment, Opened};
use super::key::Key;
use super::log::{LogLine, LogTap};
use super::record::{Recorder, crash};
use super::state::{Beginning, TabId, unopened};
use super::tabs::{Asked, Tabs};
use super::terminal::{
    Features, Screen, Session, Writer, copy, faults, give_back, here, take_mouse,
};
use super::view::{Hit, Scene, view};
use super::{Farewell, Opener, Setup};
use crate::config::{Config, Fault, Kept, Source, Watch};
use crate::model::{Problem, ProblemKind, Time};

/// Answers that wait to be taken in; more wait where they come from.
pub(super) const QUEUE: usize = 4;
/// Keys that are taken in before a frame is drawn: a burst is one frame.
const BURST: usize = 256;
/// How long a slow terminal is waited for at the end.
const PARTING: Duration = Duration::from_millis(500);
/// How long input that is there already may take to be handed out; not zero, which never looks.
const AT_ONCE: Duration = Duration::from_micros(20);

/// What comes from outside.
enum Woken {
    Signal(Signal),
    Input(io::Result<Input>),
    InputEnded,
    Told(Incoming),
    Logged(Vec<LogLine>),
    Time,
    Drawable,
}

struct Runtime<'a> {
    tabs: Tabs,
    started: Instant,
    terminal: Terminal<Screen>,
    writer: Writer,
    seats: &'a mut Seats,
    scene: Scene,
    /// Something changed since the last frame.
    changed: bool,
    ended: bool,
    suspend: bool,
    /// Bytes that go out with the next frame.
    lead: Vec<u8>,
    recorder: Recorder,
    log: Option<LogTap>,
    source: Option<Source>,
    /// What was spent since the last frame.
    cost: Cost,
}

/// Runs the console to its end. Whatever comes of it, what is open is closed.
pub(super) async fn run(mut setup: Setup) -> Result<Farewell, Problem> {
    let started = Instant::now();
    let settled = size().map(|size| (size, beginning(&setup, size, moment(started))));
    let (events, queue) = mpsc::channel(QUEUE);
    let (mut seats, inbox) = Seats::of(&mut setup, events.clone(), queue);
    let ended = match settled {
        Ok((size, beginning)) => {
            drive(setup, started, size, beginning, &mut seats, inbox, events).await
        }
        Err(problem) => Err(problem),
    };
    seats.close_all().await?;
    ended
}

async fn drive(
    setup: Setup,
    started: Instant,
    (width, height): (u16, u16),
    (beginning, forgotten): (Beginning, Option<Problem>),
    seats: &mut Seats,
    mut inbox: Inbox,
    events: mpsc::Sender<Event>,
) -> Result<Farewell, Problem> {
    let options = setup.options;
    let settings = &options.config.settings;
    let crashes = options.state.as_ref().filter(|_| settings.crash_files);
    crash::leave_in(crashes.map(|state| state.join("crashes")).as_deref());
    let mouse = settings.mouse;
    let features = beginning.features;
    tracing::info!(width, height, colors = ?features.tier(settings), ascii = features.is_ascii(settings), copies = ?features.copies(settings), "the console begins");
    let recorder = Recorder::start(&beginning, options.record.as_deref())?;
    let (tabs, asked) = Tabs::new(beginning);
    // Nothing that can fail by what the user said comes after the terminal is taken.
    let (session, lead) = Session::enter(mouse)?;
    let mut signals = Signals::listen()?;
    let opener = seats.rereads();
    let screen = Screen::new(Size { width, height }, features.synchronized);
    let mut runtime = Runtime {
        tabs,
        started,
        terminal: Terminal::new(screen).unwrap_or_else(|e| match e {}),
        writer: Writer::start()?,
        seats,
        scene: Scene::default(),
        changed: true,
        ended: false,
        suspend: false,
        lead,
        recorder,
        log: options.log,
        source: options.source.clone(),
        cost: Cost::default(),
    };
    let mut input = EventStream::new();
    // What changed between the first look at the tasks and this one.
    if let Some(event) = runtime.seats.tasks(TabId::default()) {
        runtime.happened(event);
    }
    if let Some(problem) = forgotten {
        runtime.happened(Event::Fault(problem));
    }
    runtime.draw();
    // Only what the first screen needs comes before it.
    let watch = options.source.clone().and_then(|source| {
        Watch::start(source, move |read| {
            for event in reread(opener.as_deref(), read) {
                // The console ends before its configuration does.
                let _ = events.blocking_send(event);
            }
        })
    });
    runtime.seats.follow(TabId::default());
    for (tab, effect) in asked {
        runtime.perform(tab, effect);
    }

    while !runtime.ended {
        here();
        let woken = runtime.wait(&mut signals, &mut input, &mut inbox).await;
        let typed = matches!(woken, Woken::Input(_));
        runtime.take(woken, &mut inbox)?;
        // Whatever else is there already belongs to the same frame.
        for _ in 0..if typed { BURST } else { 0 } {
            let Some(more) = at_once() else {
                break;
            };
            runtime.take(Woken::Input(more), &mut inbox)?;
            if runtime.ended || runtime.suspend {
                break;
            }
        }
        for fault in faults() {
            let problem = Problem::new(ProblemKind::Bug, "a part of the program broke off")
                .because(fault)
                .hint("what it did is in the journal; please report this");
            runtime.happened(Event::Fault(problem));
        }
        if std::mem::take(&mut runtime.suspend) {
            runtime.suspended(&mut signals).await?;
        }
        if let Some(problem) = runtime.recorder.failed() {
            runtime.happened(Event::Fault(problem));
        }
        if let Some(why) = runtime.writer.failed() {
            return Err(Problem::new(ProblemKind::System, "the terminal is gone").because(why));
        }
        runtime.draw();
    }
    drop(input);
    drop(watch);
    let drained = runtime.writer.drain(PARTING);
    give_back(drained);
    drop(session);
    Ok(Farewell {
        unfinished: runtime.tabs.unfinished(),
        signal: runtime.tabs.present().signal,
    })
}

/// What a console on this begins with; and why what was chosen the last time is not known, where it is not.
pub(super) fn beginning(
    setup: &Setup,
    size: (u16, u16),
    now: Moment,
) -> (Beginning, Option<Problem>) {
    let options = &setup.options;
    let settings = &options.config.settings;
    let kept = options
        .kept
        .as_deref()
        .map_or_else(|| Ok(Kept::default()), Kept::read);
    let (kept, forgotten) = match kept {
        Ok(kept) => (kept, None),
        Err(problem) => (Kept::default(), Some(problem)),
    };
    let (listed, unread) = match &setup.opener {
        Some(opener) => opener.list(),
        None => (Vec::new(), None),
    };
    if let Some(problem) = unread {
        // Who asks for none of it is not bothered; who does is told.
        tracing::warn!(%problem, "not everything that can be opened is known");
    }
    let mut beside = setup.open.iter().cloned();
    let opening = setup.first.is_none();
    let (site, opened) = match &setup.first {
        Some(lease) => (lease.site(), Seats::told(&**lease, settings.read_only)),
        None => {
            let site = beside.next().unwrap_or_default();
            let named = listed.iter().find(|listed| listed.site == site);
            let opened = Opened {
                profile: site.name(named).to_owned(),
                system: unopened(),
                read_only: None,
                tasks: Vec::new(),
            };
            (site, opened)
        }
    };
    let beginning = Beginning {
        profile: opened.profile,
        system: opened.system,
        read_only: opened.read_only,
        features: Features::find(&|name: &str| std::env::var(name).ok()),
        config: options.config.clone(),
        perf: options.perf,
        tasks: opened.tasks,
        welcome: options.welcome.clone(),
        kept,
        size,
        now,
        tours: setup.tours.all.clone(),
        no_tours: setup.tours.none.clone(),
        begin: setup.tours.begin.clone(),
        opening,
        beside: beside.filter(|other| *other != site).collect(),
        site,
        listed,
    };
    (beginning, forgotten)
}

/// What the console is told of a configuration that was read: it, and what can be opened now.
pub(super) fn reread(opener: Option<&dyn Opener>, read: Result<Config, Vec<Fault>>) -> Vec<Event> {
    let mut events = Vec::new();
    if let (Some(opener), Ok(config)) = (opener, &read) {
        opener.configure(config);
        events = listed(opener);
    }
    let configured = read.map(|config| Box::new(config.without_profiles()));
    events.insert(0, Event::Configured(configured));
    events
}

impl Runtime<'_> {
    /// Waits for whatever comes first; what comes at once is taken in this order.
    async fn wait(
        &self,
        signals: &mut Signals,
        input: &mut EventStream,
        inbox: &mut Inbox,
    ) -> Woken {
        let due = self.tabs.deadline().map(|due| self.started + due);
        let sleep = async {
            match due {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            signal = signals.next() => Woken::Signal(signal),
            event = input.next() => event.map_or(Woken::InputEnded, Woken::Input),
            incoming = inbox.next() => Woken::Told(incoming),
            lines = next_lines(self.log.as_ref()) => Woken::Logged(lines),
            () = sleep => Woken::Time,
            () = self.writer.ready(), if self.changed => Woken::Drawable,
        }
    }

    fn take(&mut self, woken: Woken, inbox: &mut Inbox) -> Result<(), Problem> {
        match woken {
            Woken::Signal(Signal::End(number)) => self.happened(Event::Signal(number)),
            Woken::Signal(Signal::Stop) => self.suspend = true,
            Woken::Signal(Signal::Continued) => self.again()?,
            Woken::Signal(Signal::Resized) => self.measure()?,
            Woken::Input(Ok(input)) => self.read(input),
            Woken::Input(Err(e)) => {
                let problem = Problem::new(ProblemKind::System, "the terminal cannot be read");
                return Err(problem.caused_by(&e));
            }
            Woken::InputEnded => {
                return Err(Problem::new(ProblemKind::System, "the terminal is gone"));
            }
            Woken::Told(Incoming::Tasks(tab, batch)) => {
                self.happened(Event::Tab(tab, Box::new(Event::Tasks(batch))));
            }
            Woken::Told(Incoming::Arrived(tab, arrival)) => {
                for event in self.seats.arrived(inbox, tab, arrival) {
                    self.happened(event);
                }
            }
            Woken::Told(Incoming::Event(event)) => self.happened(*event),
            Woken::Logged(lines) => self.happened(Event::Logged(lines)),
            Woken::Time => self.happened(Event::Deadline),
            Woken::Drawable => {}
        }
        Ok(())
    }

    fn read(&mut self, input: Input) {
        match input {
            Input::Key(key) => {
                if let Some(key) = Key::read(key) {
                    self.happened(Event::Key(key));
                }
            }
            Input::Paste(text) => self.happened(Event::Paste(text)),
            Input::Mouse(mouse) => match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => {
                    if let Some(hit) = self.scene.at(mouse.column, mouse.row) {
                        let hit = hit.clone();
                        self.happened(Event::Click(hit));
                    }
                }
                MouseEventKind::Down(MouseButton::Right) => {
                    let row = match self.scene.at(mouse.column, mouse.row) {
                        Some(Hit::Row(id) | Hit::Menu(id)) => Some(id.clone()),
                        _ => None,
                    };
                    self.happened(Event::Menu(row));
                }
                MouseEventKind::ScrollDown => self.happened(Event::Wheel(3)),
                MouseEventKind::ScrollUp => self.happened(Event::Wheel(-3)),
                _ => {}
            },
            // A size is heard as a signal: the input loses it when a key comes with it.
            Input::Resize(..) | Input::FocusGained | Input::FocusLost => {}
        }
    }

    /// Tells the tabs, and performs what they ask for.
    fn happened(&mut self, event: Event) {
        // A page that is shown together with those after it changes nothing yet.
        let page = match &event {
            Event::Tab(_, of_tab) => matches!(**of_tab, Event::Answer(_, Answer::Page(_))),
            other => matches!(other, Event::Answer(_, Answer::Page(_))),
        };
        let before = page.then(|| self.tabs.present().inventory.shown());
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for (tab, effect) in self.tell(event) {
                events.extend(self.perform(tab, effect));
            }
        }
        let after = || self.tabs.present().inventory.shown();
        self.changed |= before.is_none_or(|before| before != after());
    }

    /// Does what has to do with the terminal; all else is done behind the tabs.
    fn perform(&mut self, tab: TabId, effect: Effect) -> Vec<Event> {
        match effect {
            Effect::Quit => self.ended = true,
            Effect::Suspend => self.suspend = true,
            Effect::Copy(what, text) => return vec![self.copy(what, &text)],
            Effect::Picture(form) => {
                let state = self.tabs.present();
                let (width, height) = state.size;
                let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
                view(state, &mut buffer);
                let teller = self.seats.teller(tab);
                self.seats.house().keep_picture(buffer, form, teller);
            }
            Effect::Mouse(on) => self.lead.extend_from_slice(take_mouse(on)),
            Effect::Repaint => self.terminal.clear().unwrap_or_else(|e| match e {}),
            Effect::Reload => return self.reload(),
            Effect::Gather => self.seats.gather(tab, &self.tabs.present().config),
            effect => self.seats.perform(tab, effect),
        }
        Vec::new()
    }

    fn tell(&mut self, event: Event) -> Asked {
        let at = moment(self.started);
        self.recorder.keep(self.tabs.present(), at, &event);
        let before = Instant::now();
        let configured = matches!(event, Event::Configured(Ok(_)));
        let effects = self.tabs.update(at, event);
        self.cost.update += micros(before);
        if let (true, Some(log)) = (configured, &self.log) {
            log.set_level(self.tabs.present().config.settings.log.level);
        }
        effects
    }

    /// Puts a text into the clipboard, with the next frame.
    fn copy(&mut self, what: &str, text: &str) -> Event {
        let state = self.tabs.present();
        let route = state.features.copies(&state.config.settings);
        Event::Told(match copy(text, route) {
            Ok(bytes) => {
                self.lead.extend(bytes);
                Ok(format!(
                    "{what}: {} characters are on their way to the clipboard",
                    text.chars().count()
                ))
            }
            Err(why) => Err(Problem::user(format!("the {what} is not copied")).because(why)),
        })
    }

    /// Reads the configuration again because the user asks for it.
    fn reload(&self) -> Vec<Event> {
        let opener = self.seats.rereads();
        match &self.source {
            Some(source) => reread(opener.as_deref(), source.read()),
            None => vec![no_configuration()],
        }
    }

    /// Draws, where something changed and the terminal has taken the frame before.
    fn draw(&mut self) {
        if !self.changed || self.ended || !self.writer.is_idle() {
            return;
        }
        self.changed = false;
        let began = Instant::now();
        let mut drawing = 0;
        let (state, scene) = (self.tabs.present(), &mut self.scene);
        let drawn = self.terminal.draw(|frame| {
            *scene = view(state, frame.buffer_mut());
            if let Some(cursor) = scene.cursor {
                frame.set_cursor_position(cursor);
            }
            drawing = micros(began);
        });
        drawn.map(drop).unwrap_or_else(|e| match e {});
        let mut bytes = std::mem::take(&mut self.lead);
        bytes.extend(self.terminal.backend_mut().take_frame());
        let cost = Cost {
            frame: self.cost.frame + 1,
            view: drawing,
            encode: micros(began).saturating_sub(drawing),
            bytes: bytes.len() as u64,
            ..self.cost
        };
        self.cost = Cost { update: 0, ..cost };
        if !bytes.is_empty() {
            self.writer.send(bytes);
        }
        if self.tabs.present().cost.is_some() {
            // Seen with the next frame: one drawn for it alone would be followed by another, for ever.
            let effects = self.tell(Event::Drawn(cost));
            debug_assert!(effects.is_empty(), "what a frame cost asks for nothing");
        }
    }

    /// Gives the terminal back, stops, and goes on when it is continued.
    async fn suspended(&mut self, signals: &mut Signals) -> Result<(), Problem> {
        give_back(self.writer.drain(PARTING));
        signals.stop().await;
        self.again()
    }

    /// Takes the terminal again, whole: whoever had it meanwhile has written on it.
    fn again(&mut self) -> Result<(), Problem> {
        self.lead = Session::resume(self.tabs.present().mouse)?;
        self.measure()
    }

    /// Takes the size that the terminal has now.
    fn measure(&mut self) -> Result<(), Problem> {
        let (width, height) = size()?;
        self.terminal.backend_mut().resize(Size { width, height });
        // Also where the size is what it was: in between it may have been another, and what it showed is gone.
        self.terminal.clear().unwrap_or_else(|e| match e {});
        self.happened(Event::Resize(width, height));
        Ok(())
    }
}

/// Input that is there already. The stream hands out one event for each time that its thread wakes,
/// so the source itself is asked; while the thread waits there, nothing is.
fn at_once() -> Option<io::Result<Input>> {
    match crossterm::event::poll(AT_ONCE) {
        Ok(true) => Some(crossterm::event::read()),
        Ok(false) => None,
        Err(e) => Some(Err(e)),
    }
}

/// What the log has to tell; nothing, ever, where there is none.
pub(super) async fn next_lines(log: Option<&LogTap>) -> Vec<LogLine> {
    match log {
        Some(log) => log.next().await,
        None => std::future::pending().await,
    }
}

/// The terminal's size: columns, rows.
///
/// # Errors
/// Where it does not tell.
pub(super) fn size() -> Result<(u16, u16), Problem> {
    crossterm::terminal::size().map_err(|e| {
        Problem::new(ProblemKind::System, "the terminal does not tell its size").caused_by(&e)
    })
}

pub(super) fn moment(started: Instant) -> Moment {
    Moment {
        wall: Time::now(),
        // Whole microseconds, as a recording keeps them.
        clock: Duration::from_micros(micros(started)),
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Said where there is no configuration to read again.
pub(super) fn no_configuration() -> Event {
    Event::Told(Err(Problem::user("there is no configuration to read")))
}
