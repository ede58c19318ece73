//! The walkthroughs of the demo: which there are, with which it begins, and what happens on them.

use std::path::Path;
use std::sync::Arc;

use super::args::DemoArgs;
use crate::model::{Problem, ProblemKind};
use crate::provider::embedded::demo_stage::Stage;
use crate::tui::{Act, Begin, Tour, Tours};

/// What was said about tours, looked up before anything is made.
pub(super) struct Chosen {
    all: Vec<Tour>,
    begin: Option<Begin>,
    offered: bool,
}

impl Chosen {
    /// What was said on the command line.
    ///
    /// # Errors
    /// Where there is no tour of the name, or its file is wrong.
    pub(super) fn from(args: &DemoArgs) -> Result<Self, Problem> {
        let mut all = Tour::all()?;
        let begin = match (&args.tour, &args.autoplay) {
            (Some(name), _) => Some((name, None)),
            (None, Some(name)) => Some((name, Some(args.speed))),
            (None, None) => None,
        };
        let begin = match begin {
            Some((name, speed)) => Some(Begin {
                tour: found(&mut all, name)?,
                speed,
            }),
            None => None,
        };
        Ok(Self {
            all,
            begin,
            offered: !args.no_tour,
        })
    }

    /// Whether the first line says that there are tours.
    pub(super) fn is_quiet(&self) -> bool {
        self.offered && self.begin.is_none()
    }

    /// The tours on an estate on which things can be let happen.
    pub(super) fn on(self, stage: Stage) -> Tours {
        if !self.offered {
            return Self::off("there are none: the demo was begun without");
        }
        Tours {
            all: self.all,
            none: None,
            begin: self.begin,
            stage: Some(Arc::new(move |act| happen(&stage, act))),
        }
    }

    /// No tours, and why.
    pub(super) fn off(why: &str) -> Tours {
        Tours {
            none: Some(why.to_owned()),
            ..Tours::default()
        }
    }

    /// Refuses where a tour was asked for and cannot be taken.
    ///
    /// # Errors
    /// The reason.
    pub(super) fn refuse(&self, why: &str) -> Result<Tours, Problem> {
        match &self.begin {
            Some(begin) => {
                let what = format!("the tour {} cannot be taken here", begin.tour);
                Err(Problem::conflict(what).because(why))
            }
            None => Ok(Self::off(why)),
        }
    }
}

/// The name of the tour that is meant: one of the program's, or one in a file, which is then among them.
fn found(all: &mut Vec<Tour>, name: &str) -> Result<String, Problem> {
    if all.iter().any(|tour| tour.name() == name) {
        return Ok(name.to_owned());
    }
    let path = Path::new(name);
    let is_file = path.extension().is_some() || name.contains('/');
    if !is_file {
        let names: Vec<_> = all.iter().map(Tour::name).collect();
        return Err(Problem::user(format!("there is no tour {name}"))
            .hint(format!("there are {}", names.join(", "))));
    }
    let text = std::fs::read_to_string(path).map_err(|e| {
        Problem::new(
            ProblemKind::Config,
            format!("the tour {name} cannot be read"),
        )
        .caused_by(&e)
    })?;
    let tour = Tour::parse(name, &text)?;
    all.insert(0, tour);
    Ok(name.to_owned())
}

/// Lets it happen, and says so.
fn happen(stage: &Stage, act: &Act) -> Result<String, Problem> {
    Ok(match act {
        Act::Write(name) => {
            let written = stage.write(name)?;
            format!("the host has written {written} to {name}")
        }
        Act::Spoil(name) => {
            stage.spoil(name)?;
            format!("a block of {name} cannot be read from now on")
        }
        Act::Mend => {
            stage.mend();
            "every block can be read again".to_owned()
        }
    })
}
