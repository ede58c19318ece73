//! What is this service's own in being called: where it is, how it says no, and signing with an access key.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use secrecy::ExposeSecret as _;

use crate::config::{AccessKey, Account, Auth, Scope};
use crate::http::{Method, Request, Response};
use crate::model::{Problem, ProblemKind, Time};
use crate::provider::cinder::dialect::{Dialect, Proof, in_catalog};
use crate::provider::cinder::look::escape;
use crate::provider::cinder::session::{Session, Signed, not_understood};
use crate::wire::evs::{self, Signing};
use crate::wire::keystone::{Projects, Reference, Token};

/// What the service is called in catalogs, where there are any.
const TYPES: [&str; 4] = ["volumev2", "volumev3", "evs", "volume"];
/// A signature that is this old, in seconds, is refused (section 8.1).
const HOLDS: i64 = 15 * 60;
/// Clocks that are no further apart than this, in seconds, are not the reason.
const AGREE: i64 = 60;

/// Huawei Cloud EVS.
pub(super) struct Evs {
    /// Whether calls are signed.
    signs: bool,
    /// How far the service's clock is before ours, in seconds, as far as that mattered.
    ahead: Arc<AtomicI64>,
}

impl Evs {
    /// For this account.
    pub(super) fn new(account: &Account) -> Self {
        Self {
            signs: matches!(account.auth, Auth::Keys(_)),
            ahead: Arc::default(),
        }
    }
}

#[async_trait]
impl Dialect for Evs {
    fn address(&self, account: &Account, token: &Token) -> Result<String, Problem> {
        let found = match (&account.volume_endpoint, &account.usual_service) {
            (Some(own), _) => own.clone(),
            (None, usual) => match (in_catalog(account, token, &TYPES), usual) {
                (Ok(found), _) => found,
                (Err(_), Some(usual)) => usual.clone(),
                (Err(problem), None) => {
                    return Err(problem.hint("set region or service-endpoint in the profile"));
                }
            },
        };
        let project = token.project.as_ref().ok_or_else(|| {
            Problem::new(ProblemKind::Config, "the token is for no project")
                .hint("set project or region in the profile: the service takes no other tokens")
        })?;
        Ok(of_project(&found, &project.id))
    }

    fn problem(&self, answer: &Response, what: String) -> Problem {
        let problem = evs::problem(answer.status, &answer.body, what);
        let apart = answer.clock_ahead().unwrap_or(0).abs();
        match self.signs && answer.status == 401 && apart >= HOLDS {
            true => problem
                .because(format!(
                    "the clocks are {apart} s apart, and a signature holds for {HOLDS} s"
                ))
                .hint("set this machine's clock"),
            false => problem,
        }
    }

    fn is_stale(&self, answer: &Response) -> bool {
        evs::is_stale(answer.status, &answer.body)
    }

    fn may_have_heard(&self, status: u16) -> bool {
        matches!(status, 500 | 502..=504)
    }

    async fn with_keys(&self, session: &Session) -> Result<Signed, Problem> {
        let account = &session.account;
        let Auth::Keys(key) = &account.auth else {
            return Err(Problem::new(ProblemKind::Bug, "there is no access key"));
        };
        let own = account.volume_endpoint.as_ref();
        let root = own.or(account.usual_service.as_ref()).ok_or_else(|| {
            Problem::new(
                ProblemKind::Config,
                "the profile does not say where the service is",
            )
            .hint("set region or service-endpoint in the profile")
        })?;
        let named = match &account.scope {
            Scope::Project(named) => (named.id.clone(), named.name.clone()),
            _ => (None, None),
        };
        let project = match named {
            (Some(id), _) => Reference {
                id,
                name: String::new(),
            },
            (None, Some(name)) if !account.endpoint.is_empty() => {
                self.project(session, key, &name).await?
            }
            _ => {
                return Err(
                    Problem::new(ProblemKind::Config, "the profile names no project")
                        .hint("set project-id, or region and endpoint, in the profile"),
                );
            }
        };
        Ok(Signed {
            volume: of_project(root, &project.id),
            proof: Box::new(self.signature(key, Some(project.id.clone()))),
            expires: None,
            compute: None,
            said: Token {
                expires_at: None,
                user: Some(Reference {
                    id: key.id.clone(),
                    name: String::new(),
                }),
                project: Some(project),
                roles: Vec::new(),
                catalog: Vec::new(),
            },
        })
    }
}

impl Evs {
    /// Signatures by the clock as it is known now.
    fn signature(&self, key: &AccessKey, project: Option<String>) -> Signature {
        Signature {
            key: key.clone(),
            project,
            ahead: self.ahead.load(Ordering::Relaxed),
            learned: self.ahead.clone(),
        }
    }

    /// The project of this name: "`GET {iam}/v3/projects?name={region}` … exactly one" (section 8.5).
    async fn project(
        &self,
        session: &Session,
        key: &AccessKey,
        name: &str,
    ) -> Result<Reference, Problem> {
        let what = format!("the project \"{name}\" cannot be found");
        let url = format!("{}/projects?name={}", session.identity(), escape(name));
        let mut tried = false;
        loop {
            let proof = self.signature(key, None);
            let request = proof.prove(Request::new(Method::Get, url.clone()));
            let sent = session.client.send(&request).await;
            let answer = sent.map_err(|e| e.problem(&what))?;
            if !tried && self.is_stale(&answer) && proof.may_be_renewed(&answer) {
                tried = true;
                continue;
            }
            if !answer.is_success() {
                return Err(session.refused(&answer, what));
            }
            let found: Projects = serde_json::from_slice(&answer.body)
                .map_err(|e| not_understood(&answer, &what, &e.to_string()))?;
            let count = found.projects.len();
            let mut all = found.projects.into_iter();
            return match (all.next(), count) {
                (Some(one), 1) => Ok(one),
                _ => Err(Problem::new(ProblemKind::Config, what)
                    .because(format!("there are {count} of this name"))
                    .hint("set project-id in the profile")),
            };
        }
    }
}

/// The address of a project's block storage, from one that may name a version and a project already.
fn of_project(address: &str, project: &str) -> String {
    let mut root = address.trim_end_matches('/');
    if let Some(rest) = root.strip_suffix(project) {
        root = rest.trim_end_matches('/');
    }
    if let Some((rest, last)) = root.rsplit_once('/') {
        let digits = last.strip_prefix('v').unwrap_or("x");
        if digits.chars().all(|c| c.is_ascii_digit() || c == '.') {
            root = rest;
        }
    }
    format!("{root}/v2/{project}")
}

/// A signature of each call.
struct Signature {
    key: AccessKey,
    project: Option<String>,
    /// How far the service's clock is before ours, in seconds.
    ahead: i64,
    /// Where it is learned how far it is.
    learned: Arc<AtomicI64>,
}

impl Signature {
    /// The call with all headers but the one that holds the signature.
    fn dressed(&self, request: Request, date: &str, token: &str) -> Request {
        let mut request = request.header("X-Sdk-Date", date);
        if let Some(project) = &self.project {
            request = request.header("X-Project-Id", project);
        }
        match self.key.token {
            Some(_) => request.header("X-Security-Token", token),
            None => request,
        }
    }
}

impl Proof for Signature {
    fn prove(&self, request: Request) -> Request {
        let ahead = jiff::SignedDuration::from_secs(self.ahead);
        let now = Time::now().checked_add(ahead).unwrap_or(Time::MAX);
        let token = self.key.token.as_ref();
        let token = token.map_or("", |token| token.expose_secret());
        let request = self.dressed(request, &evs::date(now), token);
        // What is no address is said to be none when it is called.
        let Ok(url) = reqwest::Url::parse(&request.url) else {
            return request;
        };
        let host = url.host_str().unwrap_or_default();
        let host = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let body = request.body.as_ref().map(ToString::to_string);
        let mut headers = vec![("host".to_owned(), host)];
        if body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        let own = request.headers.iter();
        headers.extend(own.map(|(name, value)| ((*name).to_owned(), value.clone())));
        let signing = Signing {
            method: request.method.word(),
            path: url.path(),
            query: url.query().unwrap_or_default(),
            headers,
            body: body.as_deref().unwrap_or_default().as_bytes(),
        };
        let proof = signing.authorization(&self.key.id, self.key.secret.expose_secret());
        request.header("Authorization", proof)
    }

    /// Signed by the service's clock it may be taken; signed again by the same clock it is not.
    fn may_be_renewed(&self, answer: &Response) -> bool {
        let ahead = answer.clock_ahead().unwrap_or(0);
        let differs = (ahead - self.ahead).abs() > AGREE;
        if differs {
            tracing::warn!(
                seconds = ahead,
                "the clocks are apart: calls are signed by the service's"
            );
            self.learned.store(ahead, Ordering::Relaxed);
        }
        differs
    }

    fn shown(&self, request: Request) -> Request {
        self.dressed(request, "$DATE", "$SECURITY_TOKEN")
            .header("Authorization", "$AUTHORIZATION")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_gets_the_version_and_the_project_that_it_needs() {
        for address in [
            "https://evs.example-1.test",
            "https://evs.example-1.test/",
            "https://evs.example-1.test/v3/p1",
            "https://evs.example-1.test/v2.1/p1/",
            "https://evs.example-1.test/v2",
        ] {
            assert_eq!(
                of_project(address, "p1"),
                "https://evs.example-1.test/v2/p1"
            );
        }
        assert_eq!(of_project("https://h/evs", "p1"), "https://h/evs/v2/p1");
    }

    #[test]
    fn what_is_shown_of_a_signed_call_holds_no_secret() {
        let signature = Signature {
            key: AccessKey {
                id: "AK1".into(),
                secret: "s3cret".to_owned().into(),
                token: Some("t0ken".to_owned().into()),
            },
            project: Some("p1".into()),
            ahead: 0,
            learned: Arc::default(),
        };
        let call = || {
            Request::new(Method::Post, "https://h/v2/p1/snapshots").json(json!({"snapshot": {}}))
        };
        let shown = signature.shown(call()).curl();
        assert!(
            shown.contains("-H \"X-Sdk-Date: $DATE\"")
                && shown.contains("\"Authorization: $AUTHORIZATION\"")
                && shown.contains("\"X-Security-Token: $SECURITY_TOKEN\""),
            "{shown}"
        );
        let sent = signature.prove(call());
        let (_, proof) = sent.headers.last().unwrap();
        assert!(
            proof.starts_with(
                "SDK-HMAC-SHA256 Access=AK1, SignedHeaders=content-type;host;x-project-id;x-sdk-date;x-security-token, Signature="
            ),
            "{proof}"
        );
        let told = format!("{shown}{sent:?}");
        assert!(
            !told.contains("s3cret") && !told.contains("t0ken"),
            "{told}"
        );
        let end = proof.rsplit('=').next().unwrap();
        assert!(end.len() == 64 && !told.contains(end), "{told}");
    }
}
