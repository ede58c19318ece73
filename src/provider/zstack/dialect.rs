//! What is this system's own in being called: signing in and out, its proofs, how it says no.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::config::{AccessKey, Account, Auth};
use crate::http::{Client, Limits, Method, Options, Request, Response, Trace};
use crate::model::{Problem, ProblemKind, Time};
use crate::provider::cinder::dialect::{Dialect, Proof};
use crate::provider::cinder::session::{Session, Signed, not_understood};
use crate::wire::keystone::{Reference, Token};
use crate::wire::zstack::{self, Action, Inventory, Login};

/// The server's clock, where a key is compared with it by the face of the clock and not by the instant, is most often that of
/// China, in hours before UTC.
const OTHER_ZONE: i8 = 8;
/// How long signing out may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// ZStack Cloud.
pub(super) struct ZStack {
    signs: bool,
    /// Whether calls are signed in the other zone.
    other_zone: Arc<AtomicBool>,
}

impl ZStack {
    /// For this account.
    pub(super) fn new(account: &Account) -> Self {
        Self {
            signs: matches!(account.auth, Auth::Keys(_)),
            other_zone: Arc::default(),
        }
    }
}

fn is_answer(answer: &Response) -> bool {
    zstack::is_answer(answer.status, &answer.body)
}

/// The address of the interface, from one that may end before its path or after its version: "port 8080 and the context
/// path `zstack` are the shipped defaults" (1.1).
pub(super) fn address(account: &Account) -> Result<String, Problem> {
    let own = account.volume_endpoint.as_deref();
    let said = own.unwrap_or(&account.endpoint).trim_end_matches('/');
    if said.is_empty() {
        let problem = Problem::new(
            ProblemKind::Config,
            "the profile does not say where the system is",
        );
        return Err(problem.hint("set endpoint in the profile (http://HOST:8080/zstack)"));
    }
    let said = said.strip_suffix("/v1").unwrap_or(said);
    let after = said.split_once("://").map_or(said, |(_, rest)| rest);
    Ok(match after.contains('/') {
        true => format!("{said}/v1"),
        false => format!("{said}/zstack/v1"),
    })
}

#[async_trait]
impl Dialect for ZStack {
    fn address(&self, account: &Account, _token: &Token) -> Result<String, Problem> {
        address(account)
    }

    fn problem(&self, answer: &Response, what: String) -> Problem {
        zstack::problem(answer.status, &answer.body, what)
    }

    fn is_stale(&self, answer: &Response) -> bool {
        match self.signs {
            // By the face of another clock it may be taken (2.6).
            true => {
                answer.status == 403 && {
                    self.other_zone.fetch_xor(true, Ordering::Relaxed);
                    true
                }
            }
            false => zstack::is_stale(answer.status, &answer.body),
        }
    }

    fn may_have_heard(&self, status: u16) -> bool {
        matches!(status, 500 | 502..=504)
    }

    fn signs_in_by_itself(&self) -> bool {
        true
    }

    async fn with_keys(&self, session: &Session) -> Result<Signed, Problem> {
        let root = address(&session.account)?;
        let (proof, user): (Box<dyn Proof>, Reference) = match &session.account.auth {
            Auth::Keys(key) => {
                let user = Reference {
                    id: key.id.clone(),
                    name: key.id.clone(),
                };
                let signature = Signature {
                    key: key.clone(),
                    root: root.clone(),
                    other_zone: self.other_zone.clone(),
                };
                (Box::new(signature), user)
            }
            Auth::Password { user, password } => {
                let name = user.name.clone().or_else(|| user.id.clone());
                let name = name.unwrap_or_default();
                let found = log_in(session, &root, &name, password).await?;
                let user = Reference {
                    id: found.account_uuid.unwrap_or_default(),
                    name,
                };
                (Box::new(OAuth(found.uuid.into())), user)
            }
            Auth::Token(own) => {
                let user = Reference {
                    id: String::new(),
                    name: "of a session that was there".to_owned(),
                };
                (Box::new(OAuth(own.clone())), user)
            }
            Auth::ApplicationCredential { .. } | Auth::Login(_) => {
                let problem = Problem::new(
                    ProblemKind::Config,
                    "the system takes no application credential",
                );
                return Err(problem.hint("set user or access-key in the profile"));
            }
        };
        Ok(Signed {
            proof,
            // "Every authorised call pushes the end to now + 7200 s" (2.2); when it has come, a call says so.
            expires: None,
            volume: root,
            compute: None,
            said: Token {
                expires_at: None,
                user: Some(user),
                project: None,
                roles: Vec::new(),
                catalog: Vec::new(),
            },
        })
    }

    /// "`DELETE /v1/accounts/sessions/{sessionUuid}` answers 200 `{}`, also for an unknown session" (2.4). An account has
    /// 500 of them at most: those of programs that have ended would fill that.
    fn sign_out(&self, account: &Account, signed: &Signed) {
        if !matches!(account.auth, Auth::Password { .. }) {
            return;
        }
        let Some(session) = signed.proof.session() else {
            return;
        };
        let request = Request::new(
            Method::Delete,
            format!("{}/accounts/sessions/{session}", signed.volume),
        )
        .hiding(session);
        let options = Options {
            ca_bundle: account.ca_bundle.clone(),
            insecure: account.insecure,
            limits: Limits {
                connect: FAREWELL,
                first_byte: FAREWELL,
                between: FAREWELL,
                whole: FAREWELL,
                attempts: 1,
                ..Limits::default()
            },
        };
        // What called until now may be gone already, and with it what its calls ran on.
        let goodbye = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let client = Client::new(&options, Arc::new(Trace::default()));
            if let (Ok(runtime), Ok(client)) = (runtime, client) {
                // "Ignore the result" (16).
                let _ = runtime.block_on(client.send(&request));
            }
        });
        // A thread that has failed has nothing to say either.
        let _ = goodbye.join();
    }
}

async fn log_in(
    session: &Session,
    root: &str,
    name: &str,
    password: &SecretString,
) -> Result<zstack::Session, Problem> {
    let what = format!("signing in at {root} failed");
    let action = Action::LogInByAccount(Login {
        account_name: name.to_owned(),
        password: zstack::password(password.expose_secret()),
    });
    // A session too many harms nobody.
    let request = Request::new(Method::Put, format!("{root}/accounts/login"))
        .json(json!(action))
        .repeatable()
        .private()
        .stands(is_answer);
    let sent = session.client.send(&request).await;
    let answer = sent.map_err(|e| e.problem(&what))?;
    if !answer.is_success() {
        return Err(session.refused(&answer, what));
    }
    let read: Inventory<zstack::Session> = serde_json::from_slice(&answer.body)
        .map_err(|e| not_understood(&answer, &what, &e.to_string()))?;
    Ok(read.inventory)
}

/// A session: `Authorization: OAuth <uuid>`.
struct OAuth(SecretString);

impl Proof for OAuth {
    fn prove(&self, request: Request) -> Request {
        let header = format!("OAuth {}", self.0.expose_secret());
        request.header("Authorization", header).stands(is_answer)
    }

    fn shown(&self, request: Request) -> Request {
        request.header("Authorization", "OAuth $SESSION")
    }

    fn session(&self) -> Option<String> {
        Some(self.0.expose_secret().to_owned())
    }
}

/// A signature of each call (2.6).
struct Signature {
    key: AccessKey,
    root: String,
    other_zone: Arc<AtomicBool>,
}

impl Proof for Signature {
    fn prove(&self, request: Request) -> Request {
        let hours = match self.other_zone.load(Ordering::Relaxed) {
            true => OTHER_ZONE,
            false => 0,
        };
        let date = zstack::http_date(Time::now(), hours);
        let rest = request.url.strip_prefix(&self.root).unwrap_or_default();
        let path = rest.split('?').next().unwrap_or_default();
        let secret = self.key.secret.expose_secret();
        let verb = request.method.word();
        let signature = zstack::signature(secret, verb, &date, &format!("/v1{path}"));
        let header = format!("ZStack {}:{signature}", self.key.id);
        request
            .header("Date", date)
            .header("Authorization", header)
            .stands(is_answer)
    }

    fn shown(&self, request: Request) -> Request {
        request.header("Date", "$DATE").header(
            "Authorization",
            format!("ZStack {}:$SIGNATURE", self.key.id),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Profile, ProviderKind, SecretSource, Surroundings};

    fn account(endpoint: &str) -> Account {
        let profile = Profile {
            provider: ProviderKind::Zstack,
            endpoint: Some(endpoint.to_owned()),
            user: Some("admin".into()),
            secret: SecretSource {
                env: Some("PW".into()),
                ..Default::default()
            },
            ..Profile::default()
        };
        Account::of(&profile, &Surroundings::new([("PW", "x")], Vec::new())).unwrap()
    }

    #[test]
    fn an_address_gets_the_path_and_the_version_that_it_needs() {
        for (said, full) in [
            ("http://z:8080", "http://z:8080/zstack/v1"),
            ("http://z:8080/", "http://z:8080/zstack/v1"),
            ("http://z:8080/zstack", "http://z:8080/zstack/v1"),
            ("http://z:8080/zstack/v1/", "http://z:8080/zstack/v1"),
            ("https://z/cloud/zstack", "https://z/cloud/zstack/v1"),
        ] {
            assert_eq!(address(&account(said)).unwrap(), full);
        }
        assert!(address(&account("")).is_err());
    }

    #[test]
    fn what_is_shown_holds_no_secret() {
        let call = || Request::new(Method::Get, "http://z/zstack/v1/volumes?q=a");
        let oauth = OAuth("5e55101".to_owned().into());
        let shown = oauth.shown(call()).curl();
        assert!(
            shown.contains("-H \"Authorization: OAuth $SESSION\""),
            "{shown}"
        );
        assert!(!format!("{:?}", oauth.prove(call())).contains("5e55101"));
        let signature = Signature {
            key: AccessKey {
                id: "AK1".into(),
                secret: "demoSecret0123456789".to_owned().into(),
                token: None,
            },
            root: "http://z/zstack/v1".into(),
            other_zone: Arc::default(),
        };
        let sent = signature.prove(call());
        let date = &sent.headers[0].1;
        let right = zstack::signature("demoSecret0123456789", "GET", date, "/v1/volumes");
        assert_eq!(sent.headers[1].1, format!("ZStack AK1:{right}"));
        assert!(date.ends_with(" UTC"), "{date}");
        assert!(!format!("{sent:?}").contains(&right));
        let farewell =
            Request::new(Method::Delete, "http://z/v1/sessions/5e55101").hiding("5e55101");
        assert!(!farewell.curl().contains("5e55101"), "{farewell:?}");
    }
}
