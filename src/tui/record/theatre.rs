//! Plays a recording in the terminal: at its speed or another, by steps, from any moment.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::{Event as Input, EventStream};
use futures_util::StreamExt as _;
use ratatui::Terminal;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect, Size};
use ratatui::style::{Modifier, Style};

use super::player::Player;
use super::reader::Recording;
use crate::config::Config;
use crate::config::theme::Role;
use crate::model::Problem;
use crate::tui::event::Event;
use crate::tui::key::Key;
use crate::tui::runtime::{Signal, Signals, size};
use crate::tui::state::State;
use crate::tui::terminal::{ColorTier, Features, Screen, Session, Writer, give_back, here};
use crate::tui::text;

/// How far an arrow goes.
const LEAP: Duration = Duration::from_secs(5);
/// How often the bar is drawn anew while it plays.
const BEAT: Duration = Duration::from_millis(250);
/// The speeds that there are.
const SPEEDS: [f64; 9] = [0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0];
/// How long a slow terminal is waited for at the end.
const PARTING: Duration = Duration::from_millis(500);

/// How a recording is played.
#[derive(Clone, Debug)]
pub struct Playback {
    /// The file.
    pub file: PathBuf,
    /// From when on.
    pub at: Duration,
    /// How many times as fast.
    pub speed: f64,
    /// It begins without playing.
    pub paused: bool,
    /// The colours and glyphs that are shown here, whatever they were then.
    pub config: Config,
}

/// Plays until the user leaves.
///
/// # Errors
/// Where the file is no recording, or the terminal is lost.
pub async fn play(playback: Playback) -> Result<(), Problem> {
    let mut recording = Recording::read(&playback.file)?;
    let lookup = |name: &str| std::env::var(name).ok();
    let here_now = Features::find(&lookup);
    fit(&mut recording, &here_now, &playback.config);
    let mut player = Player::new(Arc::new(recording));
    player.seek(playback.at);
    let (session, lead) = Session::enter(false)?;
    let (width, height) = size()?;
    let screen = Screen::new(Size { width, height }, here_now.synchronized);
    let mut theatre = Theatre {
        position: playback.at,
        player,
        speed: playback.speed,
        playing: !playback.paused,
        since: Instant::now(),
        terminal: Terminal::new(screen).unwrap_or_else(|e| match e {}),
        writer: Writer::start()?,
        lead,
        ended: false,
    };
    let mut signals = Signals::listen()?;
    let mut input = EventStream::new();
    theatre.draw();
    while !theatre.ended {
        here();
        tokio::select! {
            biased;
            signal = signals.next() => theatre.signal(signal, &mut signals).await?,
            event = input.next() => match event {
                Some(Ok(Input::Key(key))) => {
                    if let Some(key) = Key::read(key) {
                        theatre.key(key);
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => theatre.ended = true,
            },
            () = tokio::time::sleep(theatre.wait()), if theatre.playing => theatre.go_on(),
            () = theatre.writer.ready(), if !theatre.writer.is_idle() => {}
        }
        theatre.draw();
    }
    drop(input);
    give_back(theatre.writer.drain(PARTING));
    drop(session);
    Ok(())
}

/// Shows no more than this terminal can.
fn fit(recording: &mut Recording, here: &Features, config: &Config) {
    let then = &mut recording.beginning;
    let was = then.features.tier(&then.config.settings);
    let tier = here.tier(&config.settings).min(was);
    let ascii = here.is_ascii(&config.settings) || then.features.is_ascii(&then.config.settings);
    let restrict = |config: &mut Config| {
        use crate::config::{Colors, GlyphChoice};
        config.settings.colors = match tier {
            ColorTier::None => Colors::None,
            ColorTier::Ansi16 => Colors::Sixteen,
            ColorTier::Ansi256 => Colors::TwoHundredFiftySix,
            ColorTier::True => Colors::True,
        };
        config.settings.glyphs = if ascii {
            GlyphChoice::Ascii
        } else {
            GlyphChoice::Unicode
        };
    };
    restrict(&mut then.config);
    for entry in &mut recording.entries {
        if let Event::Configured(Ok(config)) = &mut entry.event {
            restrict(config);
        }
    }
}

struct Theatre {
    player: Player,
    /// Where in the recording it is.
    position: Duration,
    speed: f64,
    playing: bool,
    /// When `position` was so.
    since: Instant,
    terminal: Terminal<Screen>,
    writer: Writer,
    lead: Vec<u8>,
    ended: bool,
}

impl Theatre {
    /// How long until something happens, or the bar moves.
    fn wait(&self) -> Duration {
        let next = self.player.due().unwrap_or(Duration::MAX);
        let left = next.saturating_sub(self.position).as_secs_f64() / self.speed;
        let due = Duration::try_from_secs_f64(left).unwrap_or(BEAT).min(BEAT);
        due.saturating_sub(self.since.elapsed())
    }

    /// Lets as much time pass in the recording as has passed here.
    fn go_on(&mut self) {
        let passed = self.since.elapsed().mul_f64(self.speed);
        self.since = Instant::now();
        self.position += passed;
        while self.player.due().is_some_and(|due| due <= self.position) && self.player.step() {}
        if self.player.due().is_none() {
            self.position = self.player.length();
            self.playing = false;
        }
    }

    fn to(&mut self, position: Duration) {
        self.position = position.min(self.player.length());
        self.since = Instant::now();
        self.player.seek(self.position);
    }

    /// To where so many things have happened, and stays there.
    fn stop_at(&mut self, entries: usize) {
        self.playing = false;
        self.player.go(entries);
        self.position = self.player.last().map_or(Duration::ZERO, |e| e.at.clock);
    }

    fn faster(&mut self, by: isize) {
        let nearest = |(_, a): &(usize, f64)| (a.ln() - self.speed.ln()).abs();
        let now = SPEEDS
            .into_iter()
            .enumerate()
            .min_by(|a, b| nearest(a).total_cmp(&nearest(b)));
        let now = now.map_or(0, |(i, _)| i);
        let next = now.saturating_add_signed(by).min(SPEEDS.len() - 1);
        self.go_on_if_playing();
        self.speed = SPEEDS[next];
    }

    fn go_on_if_playing(&mut self) {
        if self.playing {
            self.go_on();
        }
    }

    fn key(&mut self, key: Key) {
        let length = self.player.length();
        match key {
            key if key == Key::ctrl('c') || key == Key::char('q') || key == Key::ESC => {
                self.ended = true;
            }
            Key::SPACE => {
                self.go_on_if_playing();
                if !self.playing && self.player.due().is_none() {
                    self.to(Duration::ZERO);
                }
                self.playing = !self.playing;
                self.since = Instant::now();
            }
            Key::LEFT => self.to(self.position.saturating_sub(LEAP)),
            Key::RIGHT => self.to(self.position + LEAP),
            Key::UP => self.faster(1),
            Key::DOWN => self.faster(-1),
            Key::HOME => self.to(Duration::ZERO),
            Key::END => self.to(length),
            key => match key.typed() {
                Some('g') => self.to(Duration::ZERO),
                Some('G') => self.to(length),
                Some('+' | '=') => self.faster(1),
                Some('-') => self.faster(-1),
                Some('.') => self.stop_at(self.player.done() + 1),
                Some(',') => self.stop_at(self.player.done().saturating_sub(1)),
                Some(tenth @ '0'..='9') => {
                    let tenth = u32::from(tenth) - u32::from('0');
                    self.to(length.mul_f64(f64::from(tenth) / 10.0));
                }
                _ => {}
            },
        }
    }

    async fn signal(&mut self, signal: Signal, signals: &mut Signals) -> Result<(), Problem> {
        match signal {
            Signal::End(_) => self.ended = true,
            Signal::Stop => {
                give_back(self.writer.drain(PARTING));
                signals.stop().await;
                self.again()?;
            }
            Signal::Continued => self.again()?,
            Signal::Resized => {
                let (width, height) = size()?;
                self.terminal.backend_mut().resize(Size { width, height });
                self.terminal.clear().unwrap_or_else(|e| match e {});
            }
        }
        Ok(())
    }

    fn again(&mut self) -> Result<(), Problem> {
        self.lead = Session::resume(false)?;
        self.terminal.clear().unwrap_or_else(|e| match e {});
        Ok(())
    }

    fn draw(&mut self) {
        if !self.writer.is_idle() {
            return;
        }
        let (recorded, scene) = self.player.frame();
        let bar = self.bar();
        let state = self.player.state();
        let drawn = self.terminal.draw(|frame| {
            let buffer = frame.buffer_mut();
            let area = buffer.area;
            let room = Rect {
                height: area.height.saturating_sub(1),
                ..area
            };
            let at = place(&recorded, room, buffer);
            if area.height > 0 {
                draw_bar(state, &bar, buffer);
            }
            let cursor = scene.cursor.map(|c| Position {
                x: c.x + at.x,
                y: c.y + at.y,
            });
            if let Some(cursor) = cursor.filter(|cursor| room.contains(*cursor)) {
                frame.set_cursor_position(cursor);
            }
        });
        drawn.map(drop).unwrap_or_else(|e| match e {});
        let mut bytes = std::mem::take(&mut self.lead);
        bytes.extend(self.terminal.backend_mut().take_frame());
        if !bytes.is_empty() {
            self.writer.send(bytes);
        }
    }

    /// What the bar says.
    fn bar(&self) -> String {
        let recording = self.player.recording();
        let state = if self.playing { "playing" } else { "paused" };
        let what = self.player.last().map(|entry| match &entry.event {
            Event::Key(key) => format!("key {key}"),
            other => {
                let name = serde_json::to_value(other).ok();
                let name = name.as_ref().and_then(|value| match value {
                    serde_json::Value::String(name) => Some(name.clone()),
                    serde_json::Value::Object(map) => map.keys().next().cloned(),
                    _ => None,
                });
                name.unwrap_or_default()
            }
        });
        let mut said = format!(
            " {state} {} / {}  x{}  {}/{} {}",
            clock(self.position),
            clock(self.player.length()),
            self.speed,
            self.player.done(),
            recording.entries.len(),
            what.unwrap_or_default()
        );
        if recording.program != env!("CARGO_PKG_VERSION") {
            said.push_str(&format!("  (recorded by {})", recording.program));
        }
        if recording.cut && self.player.due().is_none() {
            said.push_str("  (cut short here)");
        }
        said
    }
}

/// Puts the recorded screen into the room, in its middle where there is more, from the top left where there is
/// less. Returns where its top left is.
fn place(recorded: &Buffer, room: Rect, buffer: &mut Buffer) -> Position {
    let (width, height) = (recorded.area.width, recorded.area.height);
    let at = Position {
        x: room.width.saturating_sub(width) / 2,
        y: room.height.saturating_sub(height) / 2,
    };
    for y in 0..height.min(room.height) {
        for x in 0..width.min(room.width) {
            buffer[(at.x + x, at.y + y)] = recorded[(x, y)].clone();
        }
    }
    at
}

fn draw_bar(state: &State, said: &str, buffer: &mut Buffer) {
    let area = buffer.area;
    let y = area.bottom() - 1;
    let style: Style = state.skin.style(Role::Button).add_modifier(Modifier::BOLD);
    let keys = "space pause  left/right 5 s  ,/. step  up/down speed  q leave ";
    let room = area.width.saturating_sub(text::width(said) + 2);
    let mut line = text::fit(said, area.width, "~").into_owned();
    if text::width(keys) <= room {
        let gap = area.width - text::width(said) - text::width(keys);
        line.push_str(&" ".repeat(usize::from(gap)));
        line.push_str(keys);
    }
    let line = format!("{line:<width$}", width = usize::from(area.width));
    buffer.set_string(0, y, line, style);
}

/// A time as players show it.
fn clock(time: Duration) -> String {
    let s = time.as_secs();
    match s {
        ..3_600 => format!("{}:{:02}", s / 60, s % 60),
        _ => format!("{}:{:02}:{:02}", s / 3_600, s / 60 % 60, s % 60),
    }
}
