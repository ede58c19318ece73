//! Looking into a service step by step, to say where it ends and why.

use super::look::{quota_lines, quota_set};
use super::{Family, over, session};
use crate::config::{Account, Auth};
use crate::http::{Client, Method, Request};
use crate::model::{Problem, ProblemKind};
use crate::provider::Finding;
use crate::provider::cinder::doctor::{Step, at, first_page, reach, signed_in, tell_end};
use crate::wire::evs::Start;

/// Walks the steps and tells each finding; ends at the first that fails.
pub async fn examine(
    client: Client,
    account: Account,
    read_only: bool,
    mut tell: impl FnMut(Finding) + Send,
) {
    tell_end(walk(client, account, read_only, &mut tell).await, &mut tell);
}

async fn walk(
    client: Client,
    account: Account,
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
    let insecure = account.insecure;
    let signs = matches!(account.auth, Auth::Keys(_));
    let session = session(client.clone(), account.clone());
    // Where calls are signed, nobody signs in anywhere.
    let first = match (signs, &account.volume_endpoint, &account.usual_service) {
        (false, ..) => session.identity(),
        (true, Some(own), _) => own.clone(),
        (true, None, Some(usual)) => usual.clone(),
        (true, None, None) => {
            let problem = Problem::new(
                ProblemKind::Config,
                "the profile does not say where the service is",
            );
            let problem = problem.hint("set region or service-endpoint in the profile");
            return Err(("name", problem));
        }
    };
    let answer = reach(&client, &first, insecure, &mut well).await?;
    if signs && answer.clock_ahead().is_some_and(|s| s.abs() >= 15 * 60) {
        let told = "a signature holds for 15 minutes: calls are signed by the service's clock";
        well("clock", vec![told.to_owned()]);
    }

    let signed = at("sign-in", session.signed().await)?;
    let told = match signs {
        false => signed_in(&signed),
        true => vec![format!(
            "nobody signs in: calls are signed with the access key {}, for the project {}",
            signed.said.user.as_ref().map_or("", |key| key.id.as_str()),
            signed.said.project.as_ref().map_or("", |p| p.id.as_str()),
        )],
    };
    well("sign-in", told);
    let told = match signed.said.catalog.is_empty() {
        true => "no catalog: the address is the profile's, or that of the region",
        false => "by the catalog, unless the profile says otherwise",
    };
    let address = format!("block storage at {}", signed.volume);
    well("catalog", vec![address, told.to_owned()]);

    let family = at("versions", Family::find(&session).await)?;
    let mut told = vec![format!("called are {} of version 2", family.told())];
    let root = signed.volume.rsplitn(3, '/').nth(2).unwrap_or_default();
    let request = Request::new(Method::Get, format!("{root}/"));
    // It needs no proof, and a gateway may hide it.
    if let Ok(answer) = client.send(&request).await
        && let Ok(start) = serde_json::from_slice::<Start>(&answer.body)
    {
        let ids: Vec<&str> = start.versions().collect();
        told.push(format!("the service has {}", ids.join(", ")));
    }
    well("versions", told);

    let quotas = quota_set(&session).await;
    let connection = over("doctor", session, family, read_only);
    let reader = &*connection.reader;
    let roles: Vec<&str> = signed.said.roles.iter().map(|r| r.name.as_str()).collect();
    let mut told = match roles.is_empty() {
        true => vec!["roles: not told".to_owned()],
        false => vec![format!("roles: {}", roles.join(", "))],
    };
    if read_only {
        told.push("the profile is read-only: nothing is changed from here".to_owned());
    }
    if let Ok(quotas) = &quotas {
        told.extend(quota_lines(quotas, &["volumes", "snapshots", "gigabytes"]));
    }
    well("permissions", told);

    for &kind in &reader.capabilities().kinds {
        well(
            kind.many(),
            vec![at(kind.many(), first_page(reader, kind).await)?],
        );
    }
    Ok(())
}
