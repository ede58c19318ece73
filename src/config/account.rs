//! Who signs in where: a profile and the cloud that it names, made one.

use secrecy::SecretString;

use super::clouds::{Cloud, Clouds, Surroundings};
use super::profile::Profile;
use crate::model::{Problem, ProblemKind};

/// Something in a domain, by its id or by its name there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The id of the domain.
    pub domain_id: Option<String>,
    /// The name of the domain.
    pub domain_name: Option<String>,
}

/// With what one signs in.
#[derive(Clone, Debug)]
pub enum Auth {
    /// As a user.
    Password {
        /// Who.
        user: Named,
        /// The password.
        password: SecretString,
    },
    /// With an application credential.
    ApplicationCredential {
        /// Its id, or its name with the user's.
        credential: Named,
        /// The user that it is of, where it is named rather than told by its id.
        user: Option<Named>,
        /// Its secret.
        secret: SecretString,
    },
    /// With a token that is there already.
    Token(SecretString),
}

/// For what one signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A project.
    Project(Named),
    /// A domain.
    Domain(Named),
    /// The system itself.
    System,
    /// A trust.
    Trust(String),
    /// What the credential says.
    Own,
}

/// Who signs in where.
#[derive(Clone, Debug)]
pub struct Account {
    /// The address.
    pub endpoint: String,
    /// With what.
    pub auth: Auth,
    /// For what.
    pub scope: Scope,
    /// The region, where one is chosen.
    pub region: Option<String>,
    /// `public`, `internal` or `admin`.
    pub interface: String,
    /// The address of the volume service, where it is not that of the catalog.
    pub volume_endpoint: Option<String>,
    /// Certificates of authorities, as PEM.
    pub ca_bundle: Option<Vec<u8>>,
    /// Whoever answers is trusted.
    pub insecure: bool,
}

impl Account {
    /// Makes a profile and its cloud one, and fetches the secret. Waits for files and commands.
    ///
    /// # Errors
    /// What is missing, and where to say it.
    pub fn of(profile: &Profile, around: &Surroundings) -> Result<Self, Problem> {
        let cloud = match &profile.cloud {
            Some(name) => Clouds::read(around)?.find(name, profile.region.as_deref())?,
            None => Cloud::default(),
        };
        let missing = |what: &str, key: &str| {
            Problem::new(ProblemKind::Config, format!("the profile says no {what}")).hint(format!(
                "set {key} in the profile, or `cloud` to one of clouds.yaml"
            ))
        };
        let endpoint = profile
            .endpoint
            .clone()
            .or_else(|| cloud.auth(&["auth_url"]))
            .ok_or_else(|| missing("address to sign in at", "endpoint"))?;
        let region = profile.region.clone().or_else(|| cloud.region());
        let endpoint = endpoint.replace("{region_name}", region.as_deref().unwrap_or_default());
        let interface = profile
            .interface
            .clone()
            .or_else(|| cloud.key(&["interface", "endpoint_type"]))
            .unwrap_or_else(|| "public".to_owned());
        let bundle = profile
            .ca_bundle
            .clone()
            .or_else(|| cloud.key(&["cacert"]).map(Into::into));
        let ca_bundle = match bundle {
            Some(path) => {
                let path = around.at_home(&path);
                Some(std::fs::read(&path).map_err(|e| {
                    let what = format!("the CA bundle {} cannot be read", path.display());
                    Problem::new(ProblemKind::Config, what).caused_by(&e)
                })?)
            }
            None => None,
        };
        let (auth, scope) = credentials(profile, &cloud, around)?;
        Ok(Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            auth,
            scope,
            region,
            interface: interface.trim_end_matches("URL").to_owned(),
            volume_endpoint: cloud.key(&[
                "block_storage_endpoint_override",
                "volumev3_endpoint_override",
                "volume_endpoint_override",
            ]),
            ca_bundle,
            insecure: profile.insecure || cloud.insecure(),
        })
    }
}

fn credentials(
    profile: &Profile,
    cloud: &Cloud,
    around: &Surroundings,
) -> Result<(Auth, Scope), Problem> {
    let default_id = cloud.auth(&["default_domain_id", "default_domain"]);
    let default_name = cloud.auth(&["default_domain_name"]);
    let domain = cloud.auth(&["domain_id"]);
    let domain_name = cloud.auth(&["domain_name"]);
    // A domain that was said beside a project is meant for the project and the user.
    let in_domain = |id: Option<String>, name: Option<String>| match (&id, &name) {
        (None, None) => (
            domain.clone().or_else(|| default_id.clone()),
            domain_name.clone().or_else(|| default_name.clone()),
        ),
        _ => (id, name),
    };
    let secret = |keys: &[&str], what: &str| match profile.secret.is_empty() {
        false => profile.secret.read(around),
        true => cloud.auth(keys).map(SecretString::from).ok_or_else(|| {
            Problem::new(ProblemKind::Config, format!("the profile says no {what}"))
                .hint("set secret.env, secret.command or secret.file in the profile")
        }),
    };
    let user = {
        let (domain_id, domain_name) = in_domain(
            cloud
                .auth(&["user_domain_id"])
                .filter(|_| profile.user_domain.is_none()),
            profile
                .user_domain
                .clone()
                .or_else(|| cloud.auth(&["user_domain_name", "user_domain"])),
        );
        let name = profile.user.clone().or_else(|| cloud.auth(&["username"]));
        let id = cloud.auth(&["user_id"]).filter(|_| profile.user.is_none());
        (name.is_some() || id.is_some()).then_some(Named {
            id,
            name,
            domain_id,
            domain_name,
        })
    };
    let kind = cloud.key(&["auth_type"]).unwrap_or_default();
    let credential = Named {
        id: profile
            .application_credential
            .clone()
            .or_else(|| cloud.auth(&["application_credential_id"])),
        name: cloud.auth(&["application_credential_name"]),
        domain_id: None,
        domain_name: None,
    };
    if credential.id.is_some() || credential.name.is_some() {
        let secret = secret(
            &["application_credential_secret"],
            "secret of its credential",
        )?;
        let user = user.filter(|_| credential.id.is_none());
        // Its scope is built in, and none must be said.
        let auth = Auth::ApplicationCredential {
            credential,
            user,
            secret,
        };
        return Ok((auth, Scope::Own));
    }
    let scope = scope(profile, cloud, in_domain);
    let has_token = cloud.auth(&["token", "auth_token"]).is_some() && user.is_none();
    if profile.token || kind.ends_with("token") || has_token {
        let token = secret(&["token", "auth_token"], "token")?;
        return Ok((Auth::Token(token), scope));
    }
    let user = user.ok_or_else(|| {
        Problem::new(ProblemKind::Config, "the profile says nobody to sign in as")
            .hint("set user, application-credential or token in the profile")
    })?;
    let password = secret(&["password"], "password")?;
    Ok((Auth::Password { user, password }, scope))
}

fn scope(
    profile: &Profile,
    cloud: &Cloud,
    in_domain: impl Fn(Option<String>, Option<String>) -> (Option<String>, Option<String>),
) -> Scope {
    if let Some(trust) = cloud.auth(&["trust_id"]) {
        return Scope::Trust(trust);
    }
    let said = profile.project.is_some() || profile.project_id.is_some();
    let id = profile
        .project_id
        .clone()
        .or_else(|| cloud.auth(&["project_id", "tenant_id"]).filter(|_| !said));
    let name = profile.project.clone().or_else(|| {
        cloud
            .auth(&["project_name", "tenant_name"])
            .filter(|_| !said)
    });
    if id.is_some() || name.is_some() {
        let (domain_id, domain_name) = in_domain(
            cloud
                .auth(&["project_domain_id"])
                .filter(|_| profile.project_domain.is_none()),
            profile
                .project_domain
                .clone()
                .or_else(|| cloud.auth(&["project_domain_name", "project_domain"])),
        );
        return Scope::Project(Named {
            id,
            name,
            domain_id,
            domain_name,
        });
    }
    if cloud.auth(&["system_scope"]).is_some() {
        return Scope::System;
    }
    let (id, name) = (cloud.auth(&["domain_id"]), cloud.auth(&["domain_name"]));
    match id.is_some() || name.is_some() {
        true => Scope::Domain(Named {
            id,
            name,
            domain_id: None,
            domain_name: None,
        }),
        false => Scope::Own,
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::config::SecretSource;

    fn profile() -> Profile {
        Profile {
            endpoint: Some("http://k:5000/v3/".into()),
            user: Some("ana".into()),
            user_domain: Some("Default".into()),
            project: Some("blue".into()),
            project_domain: Some("Default".into()),
            secret: SecretSource {
                env: Some("PW".into()),
                ..Default::default()
            },
            ..Profile::default()
        }
    }

    #[test]
    fn a_profile_alone_is_enough() {
        let around = Surroundings::new([("PW", "hunter2")], Vec::new());
        let account = Account::of(&profile(), &around).unwrap();
        assert_eq!(account.endpoint, "http://k:5000/v3");
        assert_eq!(account.interface, "public");
        assert!(!format!("{account:?}").contains("hunter2"));
        let Auth::Password { user, password } = &account.auth else {
            panic!("{account:?}");
        };
        assert_eq!(user.domain_name.as_deref(), Some("Default"));
        assert_eq!(password.expose_secret(), "hunter2");
        let Scope::Project(project) = &account.scope else {
            panic!("{account:?}");
        };
        assert_eq!(project.name.as_deref(), Some("blue"));
    }

    #[test]
    fn a_cloud_says_what_the_profile_does_not() {
        let vars = [
            ("OS_AUTH_URL", "http://k/v3"),
            ("OS_APPLICATION_CREDENTIAL_ID", "ac"),
            ("OS_APPLICATION_CREDENTIAL_SECRET", "s"),
            ("OS_INTERFACE", "internalURL"),
            ("OS_INSECURE", "true"),
            ("OS_PROJECT_NAME", "ignored"),
        ];
        let around = Surroundings::new(vars, Vec::new());
        let profile = Profile {
            cloud: Some("envvars".into()),
            ..Profile::default()
        };
        let account = Account::of(&profile, &around).unwrap();
        assert!(matches!(account.auth, Auth::ApplicationCredential { .. }));
        assert_eq!(account.scope, Scope::Own);
        assert_eq!(account.interface, "internal");
        assert!(account.insecure);
    }

    #[test]
    fn what_is_missing_is_named() {
        let around = Surroundings::new([], Vec::new());
        let mut wrong = profile();
        wrong.endpoint = None;
        let problem = Account::of(&wrong, &around).unwrap_err();
        assert!(problem.hints[0].contains("endpoint"), "{problem:?}");
        let problem = Account::of(&profile(), &around).unwrap_err();
        assert!(problem.what.contains("PW"), "{problem:?}");
        let mut wrong = profile();
        wrong.user = None;
        let around = Surroundings::new([("PW", "x")], Vec::new());
        let problem = Account::of(&wrong, &around).unwrap_err();
        assert!(problem.hints[0].contains("user"), "{problem:?}");
    }
}
