//! Makes an asciicast (version 2) of a recording: what a terminal was sent, and when.

use std::fmt::Write as _;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::layout::Size;

use super::player::Player;
use crate::tui::event::Event;
use crate::tui::terminal::Screen;

/// What happens within so long is one frame, as it is for the eye.
const FRAME: Duration = Duration::from_millis(16);

/// How time passes in what is made of a recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    /// So many times as fast.
    pub(super) speed: f64,
    /// No pause is longer than this.
    pub(super) pause: Option<Duration>,
}

/// The asciicast of what a player has before it.
pub(super) fn cast(player: &mut Player, pace: Pace) -> String {
    let (width, height) = player.state().size;
    let beginning = &player.recording().beginning;
    let title = format!("snapdeck {}", beginning.profile);
    let header = serde_json::json!({
        "version": 2,
        "width": width,
        "height": height,
        "timestamp": beginning.now.wall.as_second(),
        "title": title,
        "env": { "TERM": "xterm-256color" },
    });
    let mut out = format!("{header}\n");
    let screen = Screen::new(Size { width, height }, true);
    let mut terminal = Terminal::new(screen).unwrap_or_else(|e| match e {});
    // What the pace takes out is taken out of everything that follows.
    let mut shown = 0.0;
    let mut last = player.last().map_or(Duration::ZERO, |entry| entry.at.clock);
    frame(player, &mut terminal, shown, &mut out);
    while let Some(due) = player.due() {
        let gap = due.saturating_sub(last);
        let gap = pace.pause.map_or(gap, |most| gap.min(most));
        shown += gap.as_secs_f64() / pace.speed;
        last = due;
        while player.due().is_some_and(|next| next < due + FRAME) && player.step() {
            if let Some(Event::Resize(width, height)) = player.last().map(|entry| &entry.event) {
                let size = Size {
                    width: *width,
                    height: *height,
                };
                terminal.backend_mut().resize(size);
                line(&mut out, shown, "r", &format!("{width}x{height}"));
            }
            if let Some(entry) = player.last() {
                last = entry.at.clock;
            }
        }
        frame(player, &mut terminal, shown, &mut out);
    }
    out
}

fn frame(player: &Player, terminal: &mut Terminal<Screen>, at: f64, out: &mut String) {
    let drawn = terminal.draw(|frame| {
        let scene = crate::tui::view::view(player.state(), frame.buffer_mut());
        if let Some(cursor) = scene.cursor {
            frame.set_cursor_position(cursor);
        }
    });
    drawn.map(drop).unwrap_or_else(|e| match e {});
    let bytes = terminal.backend_mut().take_frame();
    if !bytes.is_empty() {
        line(out, at, "o", &String::from_utf8_lossy(&bytes));
    }
}

fn line(out: &mut String, at: f64, kind: &str, said: &str) {
    // Writing to memory does not fail.
    let _ = writeln!(
        out,
        "[{at:.6},\"{kind}\",{}]",
        serde_json::Value::from(said)
    );
}
