//! Looking into a system step by step, to say where it ends and why.

use super::dialect::address;
use super::{over, session, zone};
use crate::config::{Account, Auth};
use crate::http::{Client, Method, Request, Response};
use crate::model::{Kind, Problem};
use crate::provider::Finding;
use crate::provider::cinder::doctor::{Step, at, first_page, reach, tell_end};

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
    let root = at("name", address(&account))?;
    let signs = matches!(account.auth, Auth::Keys(_));
    // It answers everybody (2.3).
    let nobody = format!("{root}/accounts/sessions/{}/valid", "0".repeat(32));
    reach(&client, &nobody, account.insecure, &mut well).await?;
    let session = session(client.clone(), account);
    let signed = at("sign-in", session.signed().await)?;
    let who = signed.said.user.as_ref();
    let who = who.map_or("", |user| user.name.as_str());
    let told = match signs {
        true => format!("nobody signs in: calls are signed with the access key {who}"),
        false => format!("signed in as {who}; a session ends when it was not used for two hours"),
    };
    well("sign-in", vec![told]);

    let what = serde_json::json!({"getVersion": {}});
    let request = Request::new(Method::Put, format!("{root}/management-nodes/actions")).json(what);
    let answer = client.send(&signed.proof.prove(request)).await;
    let version = answer.ok().filter(Response::is_success);
    let version: Option<serde_json::Value> =
        version.and_then(|a| serde_json::from_slice(&a.body).ok());
    let version = version
        .as_ref()
        .and_then(|body| body.get("version")?.as_str());
    let told = version.map_or_else(
        || "the system does not tell its version".to_owned(),
        |version| format!("version {version} of the system"),
    );
    well("versions", vec![told, format!("called is {root}")]);

    let found = zone(&session).await;
    let told = match &found {
        Some(zone) => format!("its dates are of {} ({})", zone.name, zone.ahead()),
        None => "the system does not tell the zone of its dates: they are taken for UTC".to_owned(),
    };
    well("dates", vec![told]);

    let connection = over("doctor", session, found.unwrap_or_default(), read_only);
    let reader = &*connection.reader;
    let mut told = vec!["only what the account may see is listed".to_owned()];
    if read_only {
        told.push("the profile is read-only: nothing is changed from here".to_owned());
    }
    well("permissions", told);
    for &kind in &reader.capabilities().kinds {
        let page: Result<String, Problem> = first_page(reader, kind).await;
        well(kind.many(), vec![at(Kind::many(kind), page)?]);
    }
    Ok(())
}
