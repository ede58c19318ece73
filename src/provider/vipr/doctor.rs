//! Looking into a system step by step, to say where it ends and why.

use super::session::{Ask, Session};
use super::{form, over};
use crate::config::{Account, Auth, BodyFormat};
use crate::http::Client;
use crate::provider::Finding;
use crate::provider::cinder::doctor::{Step, at, first_page, reach, tell_end};
use crate::wire::vipr::WhoAmI;

/// Walks the steps and tells each finding; ends at the first that fails.
pub async fn examine(
    client: Client,
    account: Account,
    format: BodyFormat,
    read_only: bool,
    mut tell: impl FnMut(Finding) + Send,
) {
    let walked = walk(client, account, format, read_only, &mut tell).await;
    tell_end(walked, &mut tell);
}

async fn walk(
    client: Client,
    account: Account,
    format: BodyFormat,
    read_only: bool,
    tell: &mut (impl FnMut(Finding) + Send),
) -> Step<()> {
    let mut well = |step: &'static str, told: Vec<String>| {
        tell(Finding {
            step,
            told,
            problem: None,
        });
    };
    let (insecure, given) = (account.insecure, matches!(account.auth, Auth::Token(_)));
    let session = Session::new(client.clone(), account, form(format));
    reach(&client, &session.login(), insecure, &mut well).await?;

    at("sign-in", session.token().await)?;
    let ask = Ask::get("/user/whoami");
    let what = "who has signed in cannot be read";
    let who = at("sign-in", session.read(&ask, &["user"], what).await)?;
    let who: WhoAmI = serde_json::from_value(who).unwrap_or_default();
    let mut told = vec![format!(
        "as {} of the tenant {}",
        who.common_name.as_deref().unwrap_or("somebody"),
        who.tenant_name.as_deref().unwrap_or("that is not told")
    )];
    told.push(match given {
        true => "with the token of the profile, which cannot be renewed".to_owned(),
        false => "the token holds for 8 hours as a rule, 2 without a call; a new one is got then"
            .to_owned(),
    });
    told.push(format!("bodies are {}", session.form.media()));
    well("sign-in", told);

    let mut roles = who.vdc_roles.unwrap_or_default();
    roles.extend(who.home_tenant_roles.unwrap_or_default());
    let mut told = vec![match roles.is_empty() {
        true => "roles: none; what may be done is said by the projects".to_owned(),
        false => format!("roles: {}", roles.join(", ")),
    }];
    if !roles.iter().any(|role| role == "TENANT_ADMIN") {
        told.push("without TENANT_ADMIN changes take OWN or ALL on the project".to_owned());
    }
    if read_only {
        told.push("the profile is read-only: nothing is changed from here".to_owned());
    }
    well("permissions", told);

    let (connection, shared) = over("doctor", session, read_only);
    let projects = at("projects", shared.projects().await)?;
    let names: Vec<&str> = projects.iter().map(|(_, name)| name.as_str()).collect();
    well(
        "projects",
        vec![match names.is_empty() {
            true => "none may be seen: there is nothing to list".to_owned(),
            false => names.join(", "),
        }],
    );
    let reader = &*connection.reader;
    for &kind in &reader.capabilities().kinds {
        well(
            kind.many(),
            vec![at(kind.many(), first_page(reader, kind).await)?],
        );
    }
    Ok(())
}
