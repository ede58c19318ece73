//! Who signs in where: a profile and the cloud that it names, made one.

use secrecy::SecretString;

use super::clouds::{Cloud, Clouds, Surroundings};
use super::profile::{Profile, ProviderKind};
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
    /// Nobody signs in: each call is signed.
    Keys(AccessKey),
    /// As a user of the system itself.
    Login(Login),
}

/// A user of the system itself.
#[derive(Clone, Debug)]
pub struct Login {
    /// The name, as it is typed there.
    pub user: String,
    /// The password.
    pub password: SecretString,
    /// The token of the user for whom is called.
    pub proxy: Option<SecretString>,
}

/// An access key, with which each call is signed.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// Its id, which is no secret.
    pub id: String,
    /// The secret key.
    pub secret: SecretString,
    /// The token that belongs to a temporary one.
    pub token: Option<SecretString>,
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
    /// The address at which one signs in; empty where nobody does and none is known.
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
    /// Where the volume service of the region is as a rule, for want of a catalog that says so.
    pub usual_service: Option<String>,
    /// Things of all projects are listed.
    pub all_tenants: bool,
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
        let region = profile.region.clone().or_else(|| cloud.region());
        let usual = region.as_deref();
        let endpoint = profile
            .endpoint
            .clone()
            .or_else(|| cloud.auth(&["auth_url"]))
            .or_else(|| profile.provider.usual_sign_in(usual?))
            .or_else(|| signs(profile, around).then(String::new))
            .ok_or_else(|| missing("address to sign in at", "endpoint"))?;
        let (auth, scope) = credentials(profile, &cloud, around)?;
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
        let own_service = profile.service_endpoint.clone().or_else(|| {
            cloud.key(&[
                "block_storage_endpoint_override",
                "volumev3_endpoint_override",
                "volume_endpoint_override",
            ])
        });
        Ok(Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            auth,
            scope,
            usual_service: usual.and_then(|region| profile.provider.usual_service(region)),
            region,
            interface: interface.trim_end_matches("URL").to_owned(),
            volume_endpoint: own_service,
            all_tenants: profile.all_tenants,
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
            Problem::new(ProblemKind::Config, format!("the profile says no {what}")).hint(
                "set secret.env, secret.command, secret.file or secret.keyring in the profile",
            )
        }),
    };
    if profile.provider == ProviderKind::Vipr && !profile.token {
        return Ok((
            Auth::Login(login(profile, around)?),
            scope(profile, cloud, around, in_domain),
        ));
    }
    if let Some(key) = keys(profile, around)? {
        return Ok((Auth::Keys(key), scope(profile, cloud, around, in_domain)));
    }
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
    let scope = scope(profile, cloud, around, in_domain);
    let has_token = cloud.auth(&["token", "auth_token"]).is_some() && user.is_none();
    if profile.token || kind.ends_with("token") || has_token {
        let token = secret(&["token", "auth_token"], "token")?;
        return Ok((Auth::Token(token), scope));
    }
    let user = user.ok_or_else(|| {
        let ways = match profile.provider {
            ProviderKind::Evs => "user, access-key or token",
            ProviderKind::Cinder | ProviderKind::Powervc => "user, application-credential or token",
            ProviderKind::Zstack => "user or access-key",
            ProviderKind::Vipr => "user or token",
        };
        Problem::new(ProblemKind::Config, "the profile says nobody to sign in as")
            .hint(format!("set {ways} in the profile"))
    })?;
    let password = secret(&["password"], "password")?;
    Ok((Auth::Password { user, password }, scope))
}

/// The user of the profile; the system has no domains, but what stands after `@`.
fn login(profile: &Profile, around: &Surroundings) -> Result<Login, Problem> {
    let user = profile.user.clone().ok_or_else(|| {
        Problem::new(ProblemKind::Config, "the profile says nobody to sign in as")
            .hint("set user or token in the profile")
    })?;
    let proxy = match profile.security_token.is_empty() {
        true => None,
        false => Some(profile.security_token.read(around)?),
    };
    Ok(Login {
        user,
        password: profile.secret.read(around)?,
        proxy,
    })
}

/// Whether calls are signed: the profile has an access key, or it says nothing of how to sign in and the variables of
/// the vendor's own tools have one.
fn signs(profile: &Profile, around: &Surroundings) -> bool {
    let silent = profile.cloud.is_none()
        && profile.user.is_none()
        && profile.application_credential.is_none()
        && !profile.token
        && profile.secret.is_empty();
    let evs = profile.provider == ProviderKind::Evs;
    profile.access_key.is_some() || (evs && silent && around.var("HUAWEICLOUD_SDK_AK").is_some())
}

/// The access key, where calls are signed.
fn keys(profile: &Profile, around: &Surroundings) -> Result<Option<AccessKey>, Problem> {
    if !signs(profile, around) {
        return Ok(None);
    }
    if !matches!(profile.provider, ProviderKind::Evs | ProviderKind::Zstack) {
        return Err(Problem::new(
            ProblemKind::Config,
            format!("{} takes no access key", profile.provider.word()),
        )
        .hint("set user or application-credential in the profile"));
    }
    let var = |name: &str| around.var(&format!("HUAWEICLOUD_SDK_{name}"));
    let Some(id) = &profile.access_key else {
        let secret = var("SK").ok_or_else(|| {
            Problem::new(
                ProblemKind::Config,
                "HUAWEICLOUD_SDK_AK is set, and HUAWEICLOUD_SDK_SK is not",
            )
        })?;
        return Ok(Some(AccessKey {
            id: var("AK").unwrap_or_default().to_owned(),
            secret: secret.to_owned().into(),
            token: var("SECURITY_TOKEN").map(|token| token.to_owned().into()),
        }));
    };
    let token = match profile.security_token.is_empty() {
        true => None,
        false => Some(profile.security_token.read(around)?),
    };
    Ok(Some(AccessKey {
        id: id.clone(),
        secret: profile.secret.read(around)?,
        token,
    }))
}

fn scope(
    profile: &Profile,
    cloud: &Cloud,
    around: &Surroundings,
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
    let (id, name) = match (profile.provider, &id, &name) {
        // A region has a project of its own name there, unless a variable says which one is meant.
        (ProviderKind::Evs, None, None) => {
            let said = around.var("HUAWEICLOUD_SDK_PROJECT_ID");
            let region = profile.region.clone().or_else(|| cloud.region());
            (said.map(str::to_owned), region)
        }
        _ => (id, name),
    };
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
    fn a_region_and_a_key_are_enough() {
        let around = Surroundings::new([("SK", "s3cret"), ("ST", "t0ken")], Vec::new());
        let source = |name: &str| SecretSource {
            env: Some(name.to_owned()),
            ..Default::default()
        };
        let mut profile = Profile {
            provider: ProviderKind::Evs,
            region: Some("example-1".into()),
            access_key: Some("AK".into()),
            secret: source("SK"),
            security_token: source("ST"),
            ..Profile::default()
        };
        let account = Account::of(&profile, &around).unwrap();
        assert_eq!(
            account.endpoint,
            "https://iam.example-1.myhuaweicloud.com/v3"
        );
        let usual = account.usual_service.as_deref();
        assert_eq!(usual, Some("https://evs.example-1.myhuaweicloud.com"));
        let Auth::Keys(key) = &account.auth else {
            panic!("{account:?}");
        };
        assert_eq!(key.secret.expose_secret(), "s3cret");
        assert_eq!(key.token.as_ref().unwrap().expose_secret(), "t0ken");
        let told = format!("{account:?}");
        assert!(
            !told.contains("s3cret") && !told.contains("t0ken"),
            "{told}"
        );
        let Scope::Project(project) = &account.scope else {
            panic!("{account:?}");
        };
        assert_eq!(project.name.as_deref(), Some("example-1"));

        profile.region = Some("evil.example/".into());
        profile.service_endpoint = Some("http://e".into());
        profile.project_id = Some("p".into());
        let account = Account::of(&profile, &around).unwrap();
        assert_eq!(
            (account.endpoint.as_str(), &account.usual_service),
            ("", &None)
        );
        profile.provider = ProviderKind::Cinder;
        let problem = Account::of(&profile, &around).unwrap_err();
        assert!(problem.what.contains("no access key"), "{problem}");
    }

    #[test]
    fn the_variables_of_the_vendors_tools_are_enough() {
        let vars = [
            ("HUAWEICLOUD_SDK_AK", "AK"),
            ("HUAWEICLOUD_SDK_SK", "s3cret"),
            ("HUAWEICLOUD_SDK_PROJECT_ID", "p"),
        ];
        let around = Surroundings::new(vars, Vec::new());
        let mut profile = Profile {
            provider: ProviderKind::Evs,
            region: Some("example-1".into()),
            ..Profile::default()
        };
        let account = Account::of(&profile, &around).unwrap();
        assert!(matches!(account.auth, Auth::Keys(_)));
        let Scope::Project(project) = &account.scope else {
            panic!("{account:?}");
        };
        assert_eq!(project.id.as_deref(), Some("p"));
        // Who says how to sign in is taken at the word.
        profile.user = Some("ana".into());
        let problem = Account::of(&profile, &around).unwrap_err();
        assert!(problem.what.contains("no password"), "{problem}");
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
