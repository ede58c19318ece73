//! Walkthroughs: what to do, step by step, written in files (`docs/tours.md`). A step is ticked by what
//! the user really did, in whatever way; and a tour can be played without one.

mod expect;
mod panel;
mod play;
mod walk;

use serde::{Deserialize, Serialize};

use super::actions::ActionId;
use super::key::Key;
use crate::model::{Problem, ProblemKind};

pub(crate) use expect::Expect;
pub(crate) use panel::{Words, marks};
pub(crate) use play::{Play, go_on, stop};
pub(crate) use walk::{Tick, Walk, advance, leave, next, previous};

/// Those of the program: the name, and the file.
const OWN: [(&str, &str); 5] = [
    (
        "first-look",
        include_str!("../../../assets/tours/first-look.toml"),
    ),
    (
        "bad-upgrade",
        include_str!("../../../assets/tours/bad-upgrade.toml"),
    ),
    (
        "failed-restore",
        include_str!("../../../assets/tours/failed-restore.toml"),
    ),
    (
        "one-moment",
        include_str!("../../../assets/tours/one-moment.toml"),
    ),
    (
        "linked-targets",
        include_str!("../../../assets/tours/linked-targets.toml"),
    ),
];

/// A walkthrough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tour {
    /// What it is called on the command line.
    #[serde(default)]
    name: String,
    /// What it is about, in a few words.
    title: String,
    /// What whoever takes it knows afterwards, in a sentence.
    teaches: String,
    /// The volumes that it is done with: where one is gone, it is not offered.
    #[serde(default)]
    needs: Vec<String>,
    /// What is said at its end.
    end: String,
    /// Its steps, one at least.
    steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Step {
    /// What is done, in a few words.
    pub(crate) title: String,
    /// The words. `{name}` stands for the key of the action of this name.
    pub(crate) say: String,
    /// What must be so for it to be done, all of it; a step without is for reading.
    #[serde(default)]
    pub(crate) expect: Vec<Expect>,
    /// What happens in the estate when it is begun.
    #[serde(default)]
    pub(crate) stage: Option<Act>,
    /// What is pressed where it is played.
    #[serde(default)]
    pub(crate) play: Vec<Press>,
}

/// What is pressed where a tour is played.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Press {
    /// The key that does this action now.
    Do(ActionId),
    /// A key of forms and dialogs, which is always the same.
    Key(Key),
    /// This text, a character at a time.
    Type(String),
    /// Up or down, until the row of this name is selected.
    Row(String),
}

/// What happens in the estate besides what the user does. It really happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// The host of the volume of this name writes to it.
    Write(String),
    /// The medium cannot read a block of the newest snapshot of the volume of this name.
    Spoil(String),
    /// The medium reads everything again.
    Mend,
}

/// With which tour the console begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Begin {
    /// Its name.
    pub tour: String,
    /// It is played, so many times as fast as it is read.
    pub speed: Option<f64>,
}

impl Tour {
    /// Those of the program, in the order in which they are best taken.
    ///
    /// # Errors
    /// Where one of them is wrong: a fault of this program.
    pub fn all() -> Result<Vec<Self>, Problem> {
        let read = OWN.into_iter().map(|(name, text)| Self::parse(name, text));
        read.collect()
    }

    /// Reads one. `name` is what it is called.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problem> {
        let wrong = |why: String| {
            let what = format!("the tour {name} cannot be read");
            Problem::new(ProblemKind::Config, what)
                .because(why)
                .hint("docs/tours.md says what a tour is made of")
        };
        let mut tour: Self = toml::from_str(text).map_err(|e| wrong(e.to_string()))?;
        if tour.steps.is_empty() {
            return Err(wrong("it has no steps".to_owned()));
        }
        for step in &tour.steps {
            for action in placeholders(&step.say) {
                ActionId::named(action)
                    .ok_or_else(|| wrong(format!("there is no action \"{action}\"")))?;
            }
            for expect in &step.expect {
                expect.check().map_err(&wrong)?;
            }
        }
        name.clone_into(&mut tour.name);
        Ok(tour)
    }

    /// What it is called on the command line.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is about.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What it teaches.
    #[must_use]
    pub fn teaches(&self) -> &str {
        &self.teaches
    }

    pub(crate) fn needs(&self) -> &[String] {
        &self.needs
    }

    pub(crate) fn end(&self) -> &str {
        &self.end
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }
}

/// The names between braces.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split('{').skip(1);
    parts.filter_map(|part| part.split_once('}').map(|(name, _)| name))
}

/// A text with the keys in force in the place of the names of actions.
pub(crate) fn worded(text: &str, key: impl Fn(ActionId) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let named = after.split_once('}');
        match named.and_then(|(name, after)| Some((ActionId::named(name)?, after))) {
            Some((action, after)) => {
                out.push_str(&key(action));
                rest = after;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}
