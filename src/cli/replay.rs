//! `snapdeck replay`: plays a recording, or makes something else of it.

use std::time::Duration;

use super::args::{GlobalOptions, ReplayArgs, ReplayForm};
use super::console::needs_terminal;
use super::output;
use crate::model::{Problem, ProblemKind};
use crate::tui::{self, Export, PictureForm, Playback};

/// Reads a time: seconds, `M:SS`, `H:MM:SS`.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let mut seconds = 0.0;
    for part in text.split(':') {
        let part: f64 = part
            .parse()
            .map_err(|_| "a time is written 12, 12.5, 1:30 or 1:02:30".to_owned())?;
        seconds = seconds * 60.0 + part;
    }
    Duration::try_from_secs_f64(seconds).map_err(|e| e.to_string())
}

/// Reads how many times as fast.
pub(super) fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.01..=1_000.0).contains(&speed) => Ok(speed),
        _ => Err("a speed is a number from 0.01 to 1000".to_owned()),
    }
}

/// Plays a recording, or makes something else of it.
pub(super) async fn replay(options: &GlobalOptions, args: &ReplayArgs) -> Result<u8, Problem> {
    let Some(form) = args.to else {
        needs_terminal()?;
        tui::play(Playback {
            file: args.file.clone(),
            at: args.at.unwrap_or_default(),
            speed: args.speed,
            paused: args.paused,
            config: options.configured.config.clone(),
        })
        .await?;
        return Ok(0);
    };
    let export = match form {
        ReplayForm::Cast => Export::Cast {
            speed: args.speed,
            pause: args.pause,
        },
        ReplayForm::Text => Export::Picture(PictureForm::Text),
        ReplayForm::Ansi => Export::Picture(PictureForm::Ansi),
        ReplayForm::Svg => Export::Picture(PictureForm::Svg),
    };
    let text = tui::export(&args.file, export, args.at)?;
    match &args.output {
        Some(file) => std::fs::write(file, text).map_err(|e| {
            let what = format!("{} cannot be written", file.display());
            Problem::new(ProblemKind::System, what).caused_by(&e)
        })?,
        None => output::print(&text)?,
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_players_write_them() {
        for (text, seconds) in [
            ("12", 12.0),
            ("1.5", 1.5),
            ("1:30", 90.0),
            ("1:02:03", 3723.0),
        ] {
            assert_eq!(time(text).unwrap().as_secs_f64(), seconds);
        }
        for bad in ["", "x", "1:", "-3", "1:-90", "inf"] {
            assert!(time(bad).is_err(), "{bad}");
        }
        assert!(speed("0").is_err() && speed("nan").is_err() && speed("2.5").is_ok());
    }
}
