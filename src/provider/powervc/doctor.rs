//! Looking into a PowerVC step by step: what block storage needs, and then what machines and their snapshots need.

use crate::config::Account;
use crate::http::Client;
use crate::model::{Problem, ProblemKind};
use crate::provider::Finding;
use crate::provider::cinder::doctor::examine_over;
use crate::provider::cinder::scan::Scan;
use crate::provider::cinder::session::Session;
use crate::wire::cinder::Server;

use super::Shared;

/// Walks the steps and tells each finding; ends at the first that fails.
pub(super) async fn examine(
    client: Client,
    account: Account,
    read_only: bool,
    mut tell: impl FnMut(Finding) + Send,
) {
    let over = |session| super::over("doctor", session, read_only);
    let walked = examine_over(client.clone(), account.clone(), read_only, over, &mut tell).await;
    if walked.is_none() {
        return;
    }
    let (step, found) = match Session::open(client, account).await {
        Ok(session) => ("machines", machines(&super::share(session)).await),
        Err(problem) => ("machines", Err(problem)),
    };
    tell(match found {
        Ok(told) => Finding {
            step,
            told,
            problem: None,
        },
        Err(problem) => Finding {
            step,
            told: Vec::new(),
            problem: Some(problem),
        },
    });
}

/// Whether there is a compute service, and what it has: it is what takes snapshots of machines and restores them.
async fn machines(shared: &Shared) -> Result<Vec<String>, Problem> {
    if shared.session().signed().await?.compute.is_none() {
        return Err(Problem::new(
            ProblemKind::Config,
            "the catalog has no compute service, which takes and restores instance snapshots",
        )
        .hint("look at interface and region in the profile; without it volumes can be used as those of `cinder`"));
    }
    let pages = Scan::<Server>::start(shared.session(), "").all().await?;
    let count: usize = pages.iter().map(|page| page.len()).sum();
    let busy = shared.instance_snapshots().await?;
    let failed = busy
        .iter()
        .filter(|one| one.status.state() == crate::model::GroupState::RestoreError)
        .count();
    let mut told = vec![format!("{count} machines")];
    if failed > 0 {
        told.push(format!(
            "{failed} instance snapshots whose restore failed: retry them or roll them back"
        ));
    }
    told.push(
        "whether the account may take and restore is told only when it does: PowerVC answers 403 then"
            .to_owned(),
    );
    Ok(told)
}
