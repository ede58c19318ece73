//! `snapdeck profile`, and finding the profile that was named.

use futures_util::StreamExt as _;
use serde::Serialize;

use super::args::{GlobalOptions, ProfileAddArgs, ProfileArgs, ProfileCommand};
use super::output::{self, Row};
use super::{config, text};
use crate::config::{Clouds, Fault, Profile, SecretSource, Surroundings, keyring, parse};
use crate::model::{Kind, Problem, ProblemKind, Query};
use crate::provider;

/// The profile of this name: one of the configuration, or a cloud of `clouds.yaml`.
pub(super) fn find(options: &GlobalOptions, name: &str) -> Result<Profile, Problem> {
    let profiles = &options.configured.config.settings.profiles;
    if let Some(profile) = profiles.get(name) {
        return Ok(profile.clone());
    }
    let clouds = Clouds::read(&Surroundings::of_process())?;
    if clouds.names().any(|cloud| cloud == name) {
        return Ok(of_cloud(name));
    }
    let mut known: Vec<&str> = profiles.keys().map(String::as_str).collect();
    known.extend(clouds.names());
    let problem = Problem::new(
        ProblemKind::Config,
        format!("there is no profile \"{name}\""),
    );
    Err(match known.is_empty() {
        true => problem
            .hint("`snapdeck profile add` makes one; the clouds of clouds.yaml are taken too"),
        false => problem.hint(format!("there are {}", known.join(", "))),
    })
}

fn of_cloud(name: &str) -> Profile {
    Profile {
        cloud: Some(name.to_owned()),
        ..Profile::default()
    }
}

/// What a profile, or the cloud that it names, says of systems and people: all that names one.
pub(super) fn names(options: &GlobalOptions, name: &str) -> Vec<String> {
    let Ok(profile) = find(options, name) else {
        return Vec::new();
    };
    let cloud = profile.cloud.as_deref().and_then(|cloud| {
        let clouds = Clouds::read(&Surroundings::of_process()).ok()?;
        clouds.find(cloud, None).ok()
    });
    let of_cloud = |key: &str| cloud.as_ref().and_then(|cloud| cloud.auth(&[key]));
    let endpoint = profile.endpoint.clone().or_else(|| of_cloud("auth_url"));
    let host = endpoint.and_then(|url| {
        let rest = url.split_once("://")?.1;
        let host = rest.split(['/', ':']).next()?;
        Some(host.to_owned())
    });
    let said = [
        host,
        profile.user.or_else(|| of_cloud("username")),
        profile.project.or_else(|| of_cloud("project_name")),
        profile.project_id.or_else(|| of_cloud("project_id")),
        profile.user_domain.or_else(|| of_cloud("user_domain_name")),
        profile
            .project_domain
            .or_else(|| of_cloud("project_domain_name")),
        profile.application_credential,
        profile.cloud,
    ];
    let told = said.into_iter().flatten();
    // Whoever set nothing else has that one.
    told.filter(|name| name.to_lowercase() != "default")
        .collect()
}

/// Does what `snapdeck profile` was asked for.
pub(super) async fn profile(options: &GlobalOptions, args: &ProfileArgs) -> Result<u8, Problem> {
    match &args.what {
        ProfileCommand::List { output } => {
            let clouds = Clouds::read(&Surroundings::of_process())?;
            output::rows(&rows(options, &clouds), *output)?;
        }
        ProfileCommand::Add(asked) => output::print(&add(options, asked)?)?,
        ProfileCommand::Secret { name } => {
            let profile = find(options, name)?;
            let Some(key) = &profile.secret.keyring else {
                return Err(Problem::new(
                    ProblemKind::Config,
                    format!(
                        "the secret of \"{name}\" comes from {}",
                        profile.secret.told()
                    ),
                )
                .hint(
                    "set secret.keyring = \"NAME\" in the profile, and nothing else for its secret",
                ));
            };
            keyring::keep(key)?;
            output::print(&format!("the keyring has it, as {}\n", text::visible(key)))?;
        }
        ProfileCommand::Test { name } => output::print(&test(options, name).await?)?,
    }
    Ok(0)
}

/// A profile in a list.
#[derive(Serialize)]
pub(super) struct ProfileRow {
    pub(super) name: String,
    pub(super) provider: &'static str,
    pub(super) endpoint: Option<String>,
    pub(super) read_only: bool,
    secret: String,
    from: String,
}

impl Row for ProfileRow {
    const HEADER: &'static [&'static str] = &[
        "NAME",
        "PROVIDER",
        "ENDPOINT",
        "WRITES",
        "SECRET FROM",
        "SAID IN",
    ];
    const FIELDS: &'static [&'static str] = &[
        "name",
        "provider",
        "endpoint",
        "read_only",
        "secret",
        "from",
    ];

    fn cells(&self) -> Vec<String> {
        let writes = if self.read_only { "no" } else { "yes" };
        vec![
            self.name.clone(),
            self.provider.to_owned(),
            self.endpoint.clone().unwrap_or_else(|| "-".to_owned()),
            writes.to_owned(),
            self.secret.clone(),
            self.from.clone(),
        ]
    }
}

/// The profiles of the configuration, and the clouds that are none of them.
pub(super) fn rows(options: &GlobalOptions, clouds: &Clouds) -> Vec<ProfileRow> {
    let of_file = |path: Option<&std::path::Path>| match path {
        Some(path) => path.display().to_string(),
        None => "the environment".to_owned(),
    };
    let cloud_file = of_file(clouds.file.as_deref());
    let row = |name: &str, profile: &Profile, from: String| {
        let cloud = profile
            .cloud
            .as_deref()
            .and_then(|cloud| clouds.find(cloud, None).ok());
        let secret = match (profile.secret.is_empty(), &cloud) {
            (false, _) => profile.secret.told(),
            (true, Some(_)) => cloud_file.clone(),
            (true, None) => "nowhere".to_owned(),
        };
        ProfileRow {
            name: name.to_owned(),
            provider: profile.provider.word(),
            endpoint: profile
                .endpoint
                .clone()
                .or_else(|| cloud.as_ref()?.auth(&["auth_url"])),
            read_only: profile.read_only || options.read_only,
            secret,
            from,
        }
    };
    let own = &options.configured.config;
    let mut rows: Vec<ProfileRow> = own
        .settings
        .profiles
        .iter()
        .map(|(name, profile)| row(name, profile, of_file(Some(&own.file))))
        .collect();
    for name in clouds
        .names()
        .filter(|name| !own.settings.profiles.contains_key(*name))
    {
        rows.push(row(name, &of_cloud(name), cloud_file.clone()));
    }
    rows
}

/// Writes a profile at the end of the configuration; what stands there stays as it is.
fn add(options: &GlobalOptions, asked: &ProfileAddArgs) -> Result<String, Problem> {
    let file = config::source(options)?.file;
    let failed = |e: &dyn std::fmt::Display| {
        let what = format!("{} cannot be written", file.display());
        Problem::new(ProblemKind::Config, what).because(e.to_string())
    };
    let mut written = match std::fs::read_to_string(&file) {
        Ok(written) => written,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(failed(&e)),
    };
    let before = parse(&file, &written).map_err(|faults| Fault::problem(&faults))?;
    if before.settings.profiles.contains_key(&asked.name) {
        return Err(
            Problem::conflict(format!("there is a profile \"{}\" already", asked.name))
                .hint(format!("change it in {}", file.display())),
        );
    }
    let profile = Profile {
        provider: asked.provider,
        cloud: asked.cloud.clone(),
        endpoint: asked.endpoint.clone(),
        user: asked.user.clone(),
        user_domain: asked.user_domain.clone(),
        project: asked.project.clone(),
        project_domain: asked.project_domain.clone(),
        application_credential: asked.application_credential.clone(),
        access_key: asked.access_key.clone(),
        project_id: asked.project_id.clone(),
        service_endpoint: asked.service_endpoint.clone(),
        region: asked.region.clone(),
        secret: SecretSource {
            env: asked.secret_env.clone(),
            command: asked.secret_command.clone(),
            file: asked.secret_file.clone(),
            keyring: asked.secret_keyring.clone(),
        },
        ca_bundle: asked.ca_bundle.clone(),
        read_only: options.read_only,
        ..Profile::default()
    };
    if !written.is_empty() {
        written.push_str(if written.ends_with('\n') {
            "\n"
        } else {
            "\n\n"
        });
    }
    written.push_str(&profile.toml(&asked.name));
    parse(&file, &written).map_err(|faults| Fault::problem(&faults))?;
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|e| failed(&e))?;
    }
    // Beside it and then in its place: it is never half written.
    let beside = file.with_extension("toml.new");
    std::fs::write(&beside, written).map_err(|e| failed(&e))?;
    std::fs::rename(&beside, &file).map_err(|e| failed(&e))?;
    let name = text::visible(&asked.name);
    Ok(format!(
        "{name} is written to {}\n`snapdeck doctor {name}` looks whether it works\n",
        text::visible(&file.display().to_string())
    ))
}

async fn test(options: &GlobalOptions, name: &str) -> Result<String, Problem> {
    let profile = find(options, name)?;
    let connection = provider::open(name, &profile, true).await?;
    let mut pages = connection.reader.list(Query::all(Kind::Volume));
    let first = pages.next().await.transpose()?;
    let said = match first {
        None => "no volumes".to_owned(),
        Some(page) => {
            let count = page.items.len() as u64;
            let more = page.total.is_some_and(|total| total > count)
                || (page.total.is_none() && pages.next().await.is_some());
            match (page.total, more) {
                (Some(total), _) => format!("{total} volumes"),
                (None, true) => format!("more than {count} volumes"),
                (None, false) => format!("{count} volumes"),
            }
        }
    };
    Ok(format!("{} works: {said}\n", text::visible(name)))
}
