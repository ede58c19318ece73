//! Opening the system that a profile is for.

use std::sync::Arc;
use std::time::Duration;

use super::{Connection, cinder, embedded, evs, powervc, vipr, zstack};
use crate::config::{Account, CallLimits, Profile, ProviderKind, Surroundings};
use crate::http::{Client, Limits, Options, Trace};
use crate::model::{OperationSpec, Problem, ProblemKind};

/// What one step of an examination has found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The step (`sign-in`).
    pub step: &'static str,
    /// What was found, a line for each.
    pub told: Vec<String>,
    /// Why it ends here.
    pub problem: Option<Problem>,
}

/// Every operation with all the fields that it has on any kind of system: what can be typed before it is known which
/// one is meant. The system's own spec then says what of it there is.
#[must_use]
pub fn operations() -> Vec<OperationSpec> {
    let mut all = embedded::capabilities().operations;
    let called = [
        cinder::capabilities(),
        evs::capabilities(),
        powervc::capabilities(),
        zstack::capabilities(),
        vipr::capabilities(),
    ];
    for other in called.into_iter().flat_map(|system| system.operations) {
        let Some(spec) = all.iter_mut().find(|spec| spec.kind == other.kind) else {
            all.push(other);
            continue;
        };
        for field in other.fields {
            if spec.field(field.name).is_none() {
                spec.fields.push(field);
            }
        }
    }
    all
}

/// Opens the system that a profile is for. `read_only` goes beside what the profile says.
///
/// # Errors
/// Why it cannot be used.
pub async fn open(name: &str, profile: &Profile, read_only: bool) -> Result<Connection, Problem> {
    let (client, account) = prepare(profile).await?;
    // The name stands at the top of every screen.
    let shown = match account.insecure {
        true => format!("{name} (INSECURE)"),
        false => name.to_owned(),
    };
    if account.insecure {
        tracing::warn!(
            profile = name,
            "whoever answers is trusted: the profile says insecure"
        );
    }
    let read_only = read_only || profile.read_only;
    match profile.provider {
        ProviderKind::Cinder => cinder::open(&shown, client, account, read_only).await,
        ProviderKind::Evs => evs::open(&shown, client, account, read_only).await,
        ProviderKind::Powervc => powervc::open(&shown, client, account, read_only).await,
        ProviderKind::Zstack => zstack::open(&shown, client, account, read_only).await,
        ProviderKind::Vipr => vipr::open(&shown, client, account, profile.format, read_only).await,
    }
}

/// Looks step by step where using it ends, and tells each finding.
///
/// # Errors
/// Where there is nothing to look at yet, since the profile itself is wrong.
pub async fn examine(
    profile: &Profile,
    read_only: bool,
    tell: impl FnMut(Finding) + Send,
) -> Result<(), Problem> {
    let (client, account) = prepare(profile).await?;
    let read_only = read_only || profile.read_only;
    match profile.provider {
        ProviderKind::Cinder => cinder::examine(client, account, read_only, tell).await,
        ProviderKind::Evs => evs::examine(client, account, read_only, tell).await,
        ProviderKind::Powervc => powervc::examine(client, account, read_only, tell).await,
        ProviderKind::Zstack => zstack::examine(client, account, read_only, tell).await,
        ProviderKind::Vipr => {
            vipr::examine(client, account, profile.format, read_only, tell).await;
        }
    }
    Ok(())
}

/// The account, with its secret fetched, and the client to call with.
async fn prepare(profile: &Profile) -> Result<(Client, Account), Problem> {
    let own = profile.clone();
    let account =
        tokio::task::spawn_blocking(move || Account::of(&own, &Surroundings::of_process()))
            .await
            .map_err(|e| {
                Problem::new(ProblemKind::Bug, "the profile was not read").caused_by(&e)
            })??;
    let options = Options {
        ca_bundle: account.ca_bundle.clone(),
        insecure: account.insecure,
        limits: limits(&profile.limits),
    };
    let client = Client::new(&options, Arc::new(Trace::default()))
        .map_err(|e| e.problem("the system cannot be called"))?;
    Ok((client, account))
}

fn limits(said: &CallLimits) -> Limits {
    let usual = Limits::default();
    let seconds = |said: Option<u32>, usual| said.map_or(usual, |s| Duration::from_secs(s.into()));
    let number = |said: Option<u32>, usual: usize| said.map_or(usual, |n| n.max(1) as usize);
    Limits {
        connect: seconds(said.connect, usual.connect),
        first_byte: seconds(said.first_byte, usual.first_byte),
        between: seconds(said.between, usual.between),
        whole: seconds(said.whole, usual.whole),
        body: said
            .body
            .map_or(usual.body, |mib| (mib.max(1) as usize) << 20),
        calls: number(said.calls, usual.calls),
        attempts: said.attempts.unwrap_or(usual.attempts).max(1),
    }
}
