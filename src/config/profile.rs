//! Profiles: the systems that are called, as the user has set them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::quote;

/// Which system a profile is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderKind {
    /// OpenStack Block Storage, version 3, with Keystone.
    #[default]
    Cinder,
    /// Huawei Cloud Elastic Volume Service, version 2, with IAM or an access key.
    Evs,
    /// IBM PowerVC: OpenStack with snapshots of whole machines.
    Powervc,
    /// ZStack Cloud, by the REST interface of its management server.
    Zstack,
    /// EMC ViPR Controller (CoprHD), with its own users.
    Vipr,
}

/// How bodies are written, for a system that has both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BodyFormat {
    /// XML.
    #[default]
    Xml,
    /// JSON.
    Json,
}

impl BodyFormat {
    /// The word in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Xml => "xml",
            Self::Json => "json",
        }
    }
}

impl ProviderKind {
    /// Every system.
    pub const ALL: [Self; 5] = [
        Self::Cinder,
        Self::Evs,
        Self::Powervc,
        Self::Vipr,
        Self::Zstack,
    ];

    /// The word in the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cinder => "cinder",
            Self::Evs => "evs",
            Self::Vipr => "vipr",
            Self::Powervc => "powervc",
            Self::Zstack => "zstack",
        }
    }

    /// Where one signs in as a rule in a region, where that is known.
    pub(super) fn usual_sign_in(self, region: &str) -> Option<String> {
        match self {
            Self::Cinder | Self::Powervc | Self::Vipr | Self::Zstack => None,
            Self::Evs => Some(format!(
                "https://iam.{}.myhuaweicloud.com/v3",
                host_part(region)?
            )),
        }
    }

    /// Where the block storage of a region is as a rule, where that is known.
    pub(super) fn usual_service(self, region: &str) -> Option<String> {
        match self {
            Self::Cinder | Self::Powervc | Self::Vipr | Self::Zstack => None,
            Self::Evs => Some(format!(
                "https://evs.{}.myhuaweicloud.com",
                host_part(region)?
            )),
        }
    }
}

/// A region that can stand in the name of a host.
fn host_part(region: &str) -> Option<&str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (!region.is_empty() && region.chars().all(fits)).then_some(region)
}

/// One system that is called. Secrets are never written here, only where they come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// Which system it is.
    pub provider: ProviderKind,
    /// The cloud of this name in clouds.yaml; `envvars` for the variables `OS_*`. What is said here beside it goes
    /// before what it says.
    pub cloud: Option<String>,
    /// The address at which to sign in, such as `https://cloud.example.org:5000/v3`.
    pub endpoint: Option<String>,
    /// The name of the user.
    pub user: Option<String>,
    /// The domain that the user is in.
    pub user_domain: Option<String>,
    /// The name of the project.
    pub project: Option<String>,
    /// The id of the project, where its name will not do.
    pub project_id: Option<String>,
    /// The domain that the project is in.
    pub project_domain: Option<String>,
    /// The id of an application credential, to sign in with rather than as a user.
    pub application_credential: Option<String>,
    /// The id of an access key, to sign each call with rather than signing in; its secret key is the secret.
    pub access_key: Option<String>,
    /// Where the token comes from that belongs to a temporary access key; on a ViPR Controller the proxy token of the
    /// user for whom is called.
    pub security_token: SecretSource,
    /// The address of the block storage itself, where it is not that of the catalog.
    pub service_endpoint: Option<String>,
    /// The region; the first one of the catalog where nothing is said.
    pub region: Option<String>,
    /// Which address of the catalog is called: public, internal or admin.
    pub interface: Option<String>,
    /// Where the password, the secret of the application credential, the secret key, or the token comes from.
    pub secret: SecretSource,
    /// The secret is a token, and there is nothing to sign in with.
    pub token: bool,
    /// How bodies are written, where the system has several ways: xml or json.
    pub format: BodyFormat,
    /// Things of all projects are listed, where the account may see them: for administrators.
    pub all_tenants: bool,
    /// Nothing can be changed.
    pub read_only: bool,
    /// A file with certificates of authorities (PEM) that are trusted beside the system's.
    pub ca_bundle: Option<PathBuf>,
    /// Trust whoever answers. Anybody on the way can read the password then.
    pub insecure: bool,
    /// How long is waited, and how much is taken.
    pub limits: CallLimits,
}

/// Where a secret comes from: one of these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SecretSource {
    /// A variable of the environment.
    pub env: Option<String>,
    /// A command for the shell; the first line that it prints.
    pub command: Option<String>,
    /// A file that only its owner can read; its first line.
    pub file: Option<PathBuf>,
    /// The system's keyring, under this name; `snapdeck profile secret` puts it there.
    pub keyring: Option<String>,
}

/// Limits of calls; what is left out has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CallLimits {
    /// Seconds to connect; 10.
    pub connect: Option<u32>,
    /// Seconds until an answer begins; 60.
    pub first_byte: Option<u32>,
    /// Seconds between two parts of an answer; 20.
    pub between: Option<u32>,
    /// Seconds for a whole call; 180.
    pub whole: Option<u32>,
    /// The largest answer, in MiB; 32.
    pub body: Option<u32>,
    /// Calls under way at once; 8.
    pub calls: Option<u32>,
    /// How many times a call is made at most, where it is safe to repeat; 4.
    pub attempts: Option<u32>,
}

/// The profiles by their names.
pub type Profiles = BTreeMap<String, Profile>;

impl Profile {
    /// The profile as a table of `config.toml`.
    #[must_use]
    pub fn toml(&self, name: &str) -> String {
        let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let key = match !name.is_empty() && name.chars().all(bare) {
            true => name.to_owned(),
            false => quote(name),
        };
        let path = |path: &Option<PathBuf>| path.as_ref().map(|p| p.to_string_lossy().into_owned());
        let texts = [
            ("provider", Some(self.provider.word().to_owned())),
            ("cloud", self.cloud.clone()),
            ("endpoint", self.endpoint.clone()),
            ("user", self.user.clone()),
            ("user-domain", self.user_domain.clone()),
            ("project", self.project.clone()),
            ("project-id", self.project_id.clone()),
            ("project-domain", self.project_domain.clone()),
            (
                "application-credential",
                self.application_credential.clone(),
            ),
            ("access-key", self.access_key.clone()),
            ("service-endpoint", self.service_endpoint.clone()),
            ("region", self.region.clone()),
            (
                "format",
                (self.format != BodyFormat::default()).then(|| self.format.word().to_owned()),
            ),
            ("interface", self.interface.clone()),
            ("secret.env", self.secret.env.clone()),
            ("secret.command", self.secret.command.clone()),
            ("secret.file", path(&self.secret.file)),
            ("secret.keyring", self.secret.keyring.clone()),
            ("security-token.env", self.security_token.env.clone()),
            (
                "security-token.command",
                self.security_token.command.clone(),
            ),
            ("security-token.file", path(&self.security_token.file)),
            (
                "security-token.keyring",
                self.security_token.keyring.clone(),
            ),
            ("ca-bundle", path(&self.ca_bundle)),
        ];
        let mut out = format!("[profiles.{key}]\n");
        for (key, text) in texts {
            if let Some(text) = text {
                out.push_str(&format!("{key} = {}\n", quote(&text)));
            }
        }
        for (key, flag) in [
            ("token", self.token),
            ("all-tenants", self.all_tenants),
            ("read-only", self.read_only),
            ("insecure", self.insecure),
        ] {
            if flag {
                out.push_str(&format!("{key} = true\n"));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let profile = Profile {
            endpoint: Some("http://k:5000/v3".into()),
            user: Some("an \"a\" \\".into()),
            secret: SecretSource {
                command: Some("pass show lab".into()),
                ..Default::default()
            },
            read_only: true,
            all_tenants: true,
            access_key: Some("AK".into()),
            format: BodyFormat::Json,
            service_endpoint: Some("http://e".into()),
            security_token: SecretSource {
                env: Some("T".into()),
                ..Default::default()
            },
            ..Profile::default()
        };
        let text = profile.toml("lab 1") + &profile.toml("two");
        let read = crate::config::parse(std::path::Path::new("c"), &text).unwrap();
        assert_eq!(read.settings.profiles["lab 1"], profile);
        assert_eq!(read.settings.profiles["two"], profile);
        let wrong = "[profiles.x]\nendpont = \"a\"\n[profiles.y]\nprovider = \"cindr\"\n";
        let faults = crate::config::parse(std::path::Path::new("c"), wrong).unwrap_err();
        assert!(faults[0].to_string().contains("endpoint"), "{faults:?}");
        assert!(faults[1].to_string().contains("cinder"), "{faults:?}");
    }
}
