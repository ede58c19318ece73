//! How far a long operation has come (*Get progress of instance snapshot*).

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::lenient::Figure;
use crate::model::{Part, PartState};

/// Names with states, in the order in which they came. Names are the service's own and never compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tasks(pub Vec<(String, String)>);

impl Serialize for Tasks {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (name, state) in &self.0 {
            map.serialize_entry(name, state)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Tasks {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Tasks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of names and states")
            }

            fn visit_unit<E>(self) -> Result<Tasks, E> {
                Ok(Tasks::default())
            }

            fn visit_none<E>(self) -> Result<Tasks, E> {
                Ok(Tasks::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tasks, A::Error> {
                let mut all = Vec::new();
                while let Some((name, state)) = map.next_entry::<String, Value>()? {
                    let state = match state {
                        Value::String(state) => state,
                        other => other.to_string(),
                    };
                    all.push((name, state));
                }
                Ok(Tasks(all))
            }
        }

        from.deserialize_any(InOrder)
    }
}

/// What is known of a long operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Percent.
    #[serde(default)]
    pub progress: Figure,
    /// The flows.
    #[serde(default, alias = "flow-details")]
    pub flow_details: Tasks,
    /// What is over.
    #[serde(default, alias = "completed-tasks")]
    pub completed_tasks: Tasks,
    /// What is not.
    #[serde(default, alias = "pending-tasks")]
    pub pending_tasks: Tasks,
}

/// How a long operation stands, as far as its progress tells. The status of the object is the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Under way.
    Running,
    /// Over.
    Finished,
    /// Over, and not as it should be.
    Failed,
}

#[derive(Deserialize)]
struct Body {
    details: Progress,
}

impl Progress {
    /// Reads it; `None` where there is nothing in the body, as the documented 204 has it.
    ///
    /// # Errors
    /// What is wrong with the body.
    pub fn read(body: &[u8]) -> Result<Option<Self>, String> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let body: Body = serde_json::from_slice(body).map_err(|e| e.to_string())?;
        Ok(Some(body.details))
    }

    /// How it stands: a flow that has failed counts whatever the percentage.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let mut flows = self.flow_details.0.iter().map(|(_, state)| of(state));
        if flows.clone().any(|state| state == PartState::Failed) {
            return Outcome::Failed;
        }
        let whole = self.progress.percent() == Some(100);
        let through = !self.flow_details.0.is_empty()
            && flows.all(|state| state == PartState::Done)
            && self.pending_tasks.0.is_empty();
        match whole || through {
            true => Outcome::Finished,
            false => Outcome::Running,
        }
    }

    /// Flows, what is over, what is not: as parts of a step.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        [
            &self.flow_details,
            &self.completed_tasks,
            &self.pending_tasks,
        ]
        .into_iter()
        .flat_map(|tasks| &tasks.0)
        .map(|(name, said)| Part {
            name: name.clone(),
            said: said.clone(),
            state: of(said),
        })
        .collect()
    }
}

/// What a word of TaskFlow means. One that is not known is taken for something under way.
fn of(word: &str) -> PartState {
    match word.trim().to_ascii_uppercase().as_str() {
        "SUCCESS" | "IGNORE" => PartState::Done,
        "PENDING" | "SUSPENDED" => PartState::Waiting,
        "FAILURE" | "REVERTED" | "REVERT_FAILURE" => PartState::Failed,
        // RUNNING, RETRYING and REVERTING among them: not over.
        _ => PartState::Running,
    }
}
