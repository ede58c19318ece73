//! A machine as the compute service shows it.

use serde::Deserialize;

/// A machine, as far as it matters for its snapshots.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Machine {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// `ACTIVE`, `SHUTOFF`, `ERROR`.
    #[serde(default)]
    pub status: Option<String>,
    /// What is being done with it, where anything is.
    #[serde(default, rename = "OS-EXT-STS:task_state")]
    pub task_state: Option<String>,
    /// What is attached to it.
    #[serde(default, rename = "os-extended-volumes:volumes_attached")]
    attached: Option<Vec<Attached>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Attached {
    id: String,
}

#[derive(Deserialize)]
struct One {
    server: Machine,
}

impl Machine {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with the body.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        let body: One = serde_json::from_slice(body).map_err(|e| e.to_string())?;
        Ok(body.server)
    }

    /// What it is called; its id where it has no name.
    #[must_use]
    pub fn called(&self) -> &str {
        match self.name.as_deref() {
            Some(name) if !name.is_empty() => name,
            _ => &self.id,
        }
    }

    /// The ids of the volumes that are attached to it; `None` where the service does not tell.
    #[must_use]
    pub fn volumes(&self) -> Option<Vec<&str>> {
        let attached = self.attached.as_ref()?;
        Some(attached.iter().map(|at| at.id.as_str()).collect())
    }

    /// Whether it is shut off; `None` where the service does not tell how it is.
    #[must_use]
    pub fn is_off(&self) -> Option<bool> {
        let status = self.status.as_deref()?;
        Some(status.eq_ignore_ascii_case("SHUTOFF"))
    }
}
