//! What differs between services that are signed in to in the same way: where they are, how they say no, and how a call
//! proves who makes it.

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};

use super::session::{Session, Signed};
use crate::config::Account;
use crate::http::{Request, Response};
use crate::model::{Problem, ProblemKind};
use crate::wire::cinder;
use crate::wire::keystone::{self, Token};

/// How a call proves who makes it.
pub(in crate::provider) trait Proof: Send + Sync {
    /// The call with its proof.
    fn prove(&self, request: Request) -> Request;

    /// Whether another one may be taken where this one was not.
    fn may_be_renewed(&self, _answer: &Response) -> bool {
        true
    }

    /// The call as it is shown to people, who put the proof there themselves.
    fn shown(&self, request: Request) -> Request {
        self.prove(request)
    }

    /// The session that is to be signed out of, where there is such a thing.
    fn session(&self) -> Option<String> {
        None
    }
}

/// A token.
impl Proof for SecretString {
    fn prove(&self, request: Request) -> Request {
        request.header("X-Auth-Token", self.expose_secret())
    }
}

/// What is a service's own.
#[async_trait]
pub(in crate::provider) trait Dialect: Send + Sync {
    /// The address of the service, with its version and the project.
    fn address(&self, account: &Account, token: &Token) -> Result<String, Problem>;

    /// Whether a microversion is asked for with every call.
    fn has_microversions(&self) -> bool {
        false
    }

    /// The problem that an answer is.
    fn problem(&self, answer: &Response, what: String) -> Problem;

    /// Whether an answer says that the proof was not taken.
    fn is_stale(&self, answer: &Response) -> bool {
        answer.status == 401
    }

    /// Whether a call that was answered with this status may have been carried out all the same.
    fn may_have_heard(&self, status: u16) -> bool {
        matches!(status, 500 | 502 | 504)
    }

    /// Whether one signs in here in a way of its own, and not with a Keystone.
    fn signs_in_by_itself(&self) -> bool {
        false
    }

    /// Ends what was signed in for, where that is to be said; the session is over. May take a moment.
    fn sign_out(&self, _account: &Account, _signed: &Signed) {}

    /// What stands for signing in where each call is signed.
    async fn with_keys(&self, session: &Session) -> Result<Signed, Problem> {
        let what = format!("{} takes no access key", session.account.endpoint);
        Err(Problem::new(ProblemKind::Config, what))
    }
}

/// OpenStack Block Storage.
pub(in crate::provider) struct Cinder;

impl Dialect for Cinder {
    fn address(&self, account: &Account, token: &Token) -> Result<String, Problem> {
        match &account.volume_endpoint {
            Some(own) => Ok(own.trim_end_matches('/').to_owned()),
            None => in_catalog(account, token, &keystone::VOLUME),
        }
    }

    fn has_microversions(&self) -> bool {
        true
    }

    fn problem(&self, answer: &Response, what: String) -> Problem {
        cinder::problem(answer.status, &answer.body, what)
    }
}

/// The address of the first of these types that the catalog has for this account.
pub(in crate::provider) fn in_catalog(
    account: &Account,
    token: &Token,
    types: &[&str],
) -> Result<String, Problem> {
    let (interface, region) = (&account.interface, account.region.as_deref());
    let found = keystone::find(&token.catalog, types, interface, region);
    found
        .map(str::to_owned)
        .ok_or_else(|| not_in_catalog(account, token, types))
}

fn not_in_catalog(account: &Account, token: &Token, types: &[&str]) -> Problem {
    let region = account.region.as_deref().unwrap_or("any");
    let problem = Problem::new(
        ProblemKind::Config,
        format!(
            "the catalog has no block storage at the interface \"{}\" in the region \"{region}\"",
            account.interface
        ),
    );
    let mut known: Vec<String> = token
        .catalog
        .iter()
        .filter(|service| types.contains(&service.kind.as_str()))
        .flat_map(|service| &service.endpoints)
        .map(|at| {
            format!(
                "{} in {}",
                at.interface,
                at.region.as_deref().unwrap_or("-")
            )
        })
        .collect();
    known.sort();
    known.dedup();
    match (token.catalog.is_empty(), known.is_empty()) {
        (true, _) => problem.hint("the token is for no project: set project in the profile"),
        (false, true) => problem.hint("this cloud has no block storage, or not for this project"),
        (false, false) => problem.hint(format!("there is {}", known.join(", "))),
    }
}
