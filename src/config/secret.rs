//! Fetching a secret from where the user keeps it.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use secrecy::SecretString;

use super::clouds::Surroundings;
use super::keyring;
use super::profile::SecretSource;
use crate::model::{Problem, ProblemKind};

/// No secret is longer, in bytes.
pub(super) const LONGEST: usize = 16 * 1024;

impl SecretSource {
    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Where the secret comes from, for people.
    #[must_use]
    pub fn told(&self) -> String {
        match (&self.env, &self.command, &self.file, &self.keyring) {
            (Some(name), ..) => format!("the variable {name}"),
            (_, Some(_), ..) => "a command".to_owned(),
            (_, _, Some(path), _) => format!("the file {}", path.display()),
            (.., Some(name)) => format!("the keyring, as {name}"),
            _ => "nowhere".to_owned(),
        }
    }

    /// Fetches the secret. Waits for a command.
    ///
    /// # Errors
    /// Where there is none, or it is kept where others can read it.
    pub fn read(&self, around: &Surroundings) -> Result<SecretString, Problem> {
        let said = [
            self.env.is_some(),
            self.command.is_some(),
            self.file.is_some(),
            self.keyring.is_some(),
        ];
        let wrong = |what: String| Problem::new(ProblemKind::Config, what);
        match said.iter().filter(|said| **said).count() {
            0 => {
                return Err(wrong(
                    "the profile does not say where its secret comes from".to_owned(),
                )
                .hint(
                    "set secret.env, secret.command, secret.file or secret.keyring in the profile",
                ));
            }
            1 => {}
            _ => {
                return Err(wrong(
                    "the profile says of several places that its secret comes from there"
                        .to_owned(),
                )
                .hint("leave one of secret.env, secret.command, secret.file and secret.keyring"));
            }
        }
        let text = if let Some(name) = &self.env {
            around.var(name).map(str::to_owned).ok_or_else(|| {
                wrong(format!("the variable {name} is not set"))
                    .hint("the profile says that its secret is there")
            })?
        } else if let Some(command) = &self.command {
            by_command(command)?
        } else if let Some(path) = &self.file {
            from_file(&around.at_home(path))?
        } else if let Some(name) = &self.keyring {
            keyring::find(name)?
        } else {
            String::new()
        };
        let line = text.lines().next().unwrap_or_default();
        if line.is_empty() {
            return Err(wrong(format!(
                "there is no secret: {} is empty",
                self.told()
            )));
        }
        Ok(SecretString::from(line.to_owned()))
    }
}

fn by_command(command: &str) -> Result<String, Problem> {
    let failed = |why: String| {
        Problem::new(
            ProblemKind::Config,
            "the command of the profile gave no secret",
        )
        .because(why)
    };
    let output = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|e| failed(e.to_string()))?;
    if !output.status.success() {
        // What it said on standard error may be what helps; what it printed may be the secret.
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or_default();
        return Err(failed(format!("it ended with {}: {said}", output.status)));
    }
    if output.stdout.len() > LONGEST {
        return Err(failed(format!("it printed more than {LONGEST} bytes")));
    }
    String::from_utf8(output.stdout).map_err(|_| failed("it printed no text".to_owned()))
}

fn from_file(path: &Path) -> Result<String, Problem> {
    let failed = |why: String| {
        let what = format!("the secret cannot be read from {}", path.display());
        Problem::new(ProblemKind::Config, what).because(why)
    };
    let metadata = std::fs::metadata(path).map_err(|e| failed(e.to_string()))?;
    if metadata.mode() & 0o077 != 0 {
        return Err(failed("others than its owner can read it".to_owned())
            .hint(format!("chmod 600 {}", path.display())));
    }
    if metadata.len() > LONGEST as u64 {
        return Err(failed(format!("it has more than {LONGEST} bytes")));
    }
    std::fs::read_to_string(path).map_err(|e| failed(e.to_string()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use secrecy::ExposeSecret as _;

    use super::*;

    fn read(source: SecretSource) -> Result<String, Problem> {
        let around = Surroundings::new([("PW", "from-env")], Vec::new());
        source.read(&around).map(|s| s.expose_secret().to_owned())
    }

    #[test]
    fn a_secret_comes_from_one_place() {
        let source = SecretSource {
            env: Some("PW".into()),
            ..Default::default()
        };
        assert_eq!(read(source.clone()).unwrap(), "from-env");
        let source = SecretSource {
            command: Some("echo from-command; echo more".into()),
            ..Default::default()
        };
        assert_eq!(read(source.clone()).unwrap(), "from-command");
        let both = SecretSource {
            env: Some("PW".into()),
            ..source
        };
        assert!(read(both).is_err());
        assert!(read(SecretSource::default()).is_err());
        let failing = SecretSource {
            command: Some("echo no; echo locked >&2; exit 3".into()),
            ..Default::default()
        };
        let problem = read(failing).unwrap_err().to_string();
        assert!(
            problem.contains("locked") && !problem.contains("no;"),
            "{problem}"
        );
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pw");
        std::fs::write(&path, "from-file\n").unwrap();
        let source = SecretSource {
            file: Some(path.clone()),
            ..Default::default()
        };
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let problem = read(source.clone()).unwrap_err();
        assert!(problem.hints[0].starts_with("chmod 600"), "{problem:?}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read(source).unwrap(), "from-file");
    }
}
