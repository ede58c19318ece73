//! Signed in: the token, renewed in one place, and the calls that carry it (section 5).

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use parking_lot::Mutex;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::Value;

use crate::config::{Account, Auth, Login};
use crate::http::{Body, Client, HttpError, Method, Request, Response};
use crate::model::{Problem, ProblemKind};
use crate::provider::cinder::session::Failed;
use crate::wire::vipr::{self, Form};

/// A sign-in that was refused is not tried again for this long: ten of them lock an address out.
const REFUSED: Duration = Duration::from_secs(10);
const TOKEN: &str = "X-SDS-AUTH-TOKEN";
const PROXY: &str = "X-SDS-AUTH-PROXY-TOKEN";

/// A call, before it is known with which token.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) path: String,
    /// The root of the body, and what is in it.
    pub(super) body: Option<(&'static str, Value)>,
}

impl Ask {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::Get,
            path: path.into(),
            body: None,
        }
    }

    /// A call that has no body.
    pub(super) fn post(path: impl Into<String>) -> Self {
        Self {
            method: Method::Post,
            ..Self::get(path)
        }
    }

    /// The same with a body.
    pub(super) fn with(
        mut self,
        root: &'static str,
        body: &impl Serialize,
    ) -> Result<Self, Problem> {
        let body = serde_json::to_value(body).map_err(|e| {
            Problem::new(ProblemKind::Bug, "a request cannot be written").caused_by(&e)
        })?;
        self.body = Some((root, body));
        Ok(self)
    }

    /// Whether it changes nothing: reading in bulk is a POST.
    fn reads(&self) -> bool {
        self.method == Method::Get || self.path.ends_with("/bulk")
    }
}

/// An account that is signed in, and stays so.
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) account: Account,
    /// In what is spoken.
    pub(super) form: Form,
    token: Mutex<Option<Arc<SecretString>>>,
    refused: Mutex<Option<(Instant, Problem)>>,
    renewing: tokio::sync::Mutex<()>,
}

impl Session {
    /// One that has not signed in yet.
    pub(super) fn new(client: Client, account: Account, form: Form) -> Self {
        Self {
            client,
            account,
            form,
            token: Mutex::default(),
            refused: Mutex::default(),
            renewing: tokio::sync::Mutex::default(),
        }
    }

    /// The address at which to sign in.
    pub(super) fn login(&self) -> String {
        format!("{}/login", self.account.endpoint)
    }

    /// The token that there is, or a new one.
    pub(super) async fn token(&self) -> Result<Arc<SecretString>, Problem> {
        let now = self.token.lock().clone();
        match now {
            Some(token) => Ok(token),
            None => self.renew(None).await,
        }
    }

    /// A token that is not this one: however many calls meet its end, one of them signs in.
    async fn renew(&self, stale: Option<&Arc<SecretString>>) -> Result<Arc<SecretString>, Problem> {
        let _only_one = self.renewing.lock().await;
        let now = self.token.lock().clone();
        if let Some(now) = now
            && stale.is_none_or(|stale| !Arc::ptr_eq(stale, &now))
        {
            return Ok(now);
        }
        if let Some((at, problem)) = &*self.refused.lock()
            && at.elapsed() < REFUSED
        {
            return Err(problem.clone());
        }
        match self.sign_in(stale.is_some()).await {
            Ok(token) => {
                let token = Arc::new(token);
                *self.token.lock() = Some(token.clone());
                Ok(token)
            }
            Err(problem) => {
                if problem.kind == ProblemKind::Auth {
                    *self.refused.lock() = Some((Instant::now(), problem.clone()));
                }
                Err(problem)
            }
        }
    }

    async fn sign_in(&self, again: bool) -> Result<SecretString, Problem> {
        let what = || format!("signing in at {} failed", self.account.endpoint);
        let login = match &self.account.auth {
            Auth::Login(login) => login,
            Auth::Token(token) if !again => return Ok(token.clone()),
            Auth::Token(_) => {
                return Err(Problem::new(ProblemKind::Auth, what())
                    .because("the token of the profile is not, or no longer, taken")
                    .hint("get a new one, or set user and password in the profile"));
            }
            _ => {
                return Err(Problem::new(ProblemKind::Config, what())
                    .because("the system has users and tokens of its own only")
                    .hint("set user or token in the profile"));
            }
        };
        let url = self.login();
        let ask = || {
            Request::new(Method::Get, &url)
                .header("Accept", self.form.media())
                .stay()
        };
        // First without anything: whoever does not refuse that is not to see the password.
        let bare = self.client.send(&ask()).await;
        let bare = bare.map_err(|e| e.problem(what()))?;
        if bare.status != 401 {
            return Err(Problem::new(ProblemKind::Config, what())
                .because(format!(
                    "without credentials it answered {} and not 401: there is no such system",
                    bare.status
                ))
                .hint("look at the endpoint in the profile: https://HOST:4443 as a rule"));
        }
        let known = ask().header("Authorization", basic(login));
        let answer = self.client.send(&known).await;
        let answer = answer.map_err(|e| e.problem(what()))?;
        if !answer.is_success() {
            let problem = refused(&answer, what());
            return Err(match answer.status {
                401 => problem
                    .hint("look at user and secret: the system does not say which is wrong")
                    .hint("after ten failures it refuses an address for ten minutes, whatever the password"),
                _ => problem,
            });
        }
        match answer.header("x-sds-auth-token") {
            Some(token) if !token.is_empty() => Ok(token.to_owned().into()),
            _ => Err(not_understood(
                &answer,
                what(),
                "there is no header X-SDS-AUTH-TOKEN in it",
            )),
        }
    }

    /// The call as it goes over the wire, but for what proves who makes it.
    fn request(&self, ask: &Ask) -> Request {
        let url = format!("{}{}", self.account.endpoint, ask.path);
        let mut request = Request::new(ask.method, url)
            .header("Accept", self.form.media())
            .stay();
        if ask.reads() {
            request = request.repeatable();
        }
        match (&ask.body, self.form) {
            (Some((_, body)), Form::Json) => request.json(body.clone()),
            (Some((root, body)), Form::Xml) => request.body(Body::Xml(self.form.write(root, body))),
            (None, _) => request,
        }
    }

    fn proven(&self, request: Request, token: &SecretString) -> Request {
        let request = request.header(TOKEN, token.expose_secret());
        match &self.account.auth {
            Auth::Login(Login {
                proxy: Some(proxy), ..
            }) => request.header(PROXY, proxy.expose_secret()),
            _ => request,
        }
    }

    /// The call as a line for a shell, with `$TOKEN` for the token.
    pub(super) fn curl(&self, ask: &Ask) -> String {
        let shown = SecretString::from("$TOKEN".to_owned());
        let mut request = self.request(ask).header(TOKEN, shown.expose_secret());
        if matches!(&self.account.auth, Auth::Login(login) if login.proxy.is_some()) {
            request = request.header(PROXY, "$PROXY_TOKEN");
        }
        request.curl()
    }

    /// Makes a call; an answer other than success is an error. A token that has run out is renewed once.
    pub(super) async fn call(&self, ask: &Ask, what: &str) -> Result<Response, Failed> {
        let mut token = self.token().await.map_err(Failed::Refused)?;
        let mut renewed = false;
        loop {
            let request = self.proven(self.request(ask), &token);
            let answer = match self.client.send(&request).await {
                Ok(answer) => answer,
                Err(error) => {
                    let problem = error.problem(what);
                    return Err(match error.may_have_been_heard() && !ask.reads() {
                        true => Failed::Unknown(problem),
                        false => Failed::Refused(problem),
                    });
                }
            };
            if !renewed && is_signed_out(&answer) {
                renewed = true;
                token = self.renew(Some(&token)).await.map_err(Failed::Refused)?;
                continue;
            }
            if answer.is_success() {
                return Ok(answer);
            }
            let problem = match answer.header("location") {
                Some(target) if (300..400).contains(&answer.status) => HttpError::Redirect {
                    host: self.account.endpoint.clone(),
                    target: target.split('?').next().unwrap_or_default().to_owned(),
                }
                .problem(what),
                _ => refused(&answer, what),
            };
            // What it could not hand over to the array has an error as its answer, and may have been begun.
            return Err(match answer.status >= 500 && !ask.reads() {
                true => Failed::Unknown(problem),
                false => Failed::Refused(problem),
            });
        }
    }

    /// A call that only reads; what it says under one of these roots.
    pub(super) async fn read(
        &self,
        ask: &Ask,
        roots: &[&str],
        what: &str,
    ) -> Result<Value, Problem> {
        let answer = self.answer(ask, what).await?;
        said(&answer, roots, what)
    }

    /// The answer to a call that only reads.
    pub(super) async fn answer(&self, ask: &Ask, what: &str) -> Result<Response, Problem> {
        self.call(ask, what).await.map_err(Failed::problem)
    }
}

fn basic(login: &Login) -> String {
    let pair = format!("{}:{}", login.user, login.password.expose_secret());
    let pair = base64::engine::general_purpose::STANDARD.encode(pair);
    format!("Basic {pair}")
}

/// Whether an answer says that the token is none: by itself, or by sending one to sign in.
fn is_signed_out(answer: &Response) -> bool {
    let sent_to = answer.header("location").unwrap_or_default();
    let path = sent_to.split('?').next().unwrap_or_default();
    answer.status == 401 || (answer.status == 302 && path.ends_with("/login"))
}

/// What an answer says whose body is to have one of these roots.
pub(super) fn said(answer: &Response, roots: &[&str], what: &str) -> Result<Value, Problem> {
    let media = answer.header("content-type").unwrap_or_default();
    let form = Form::of(media)
        .ok_or_else(|| not_understood(answer, what, "it is neither XML nor JSON"))?;
    form.read(roots, &answer.body)
        .map_err(|why| not_understood(answer, what, &why))
}

fn refused(answer: &Response, what: impl Into<String>) -> Problem {
    let media = answer.header("content-type").unwrap_or_default();
    vipr::problem(answer.status, media, &answer.body, what)
}

/// The problem of an answer that is not what it should be.
pub(super) fn not_understood(answer: &Response, what: impl Into<String>, why: &str) -> Problem {
    let problem = Problem::new(ProblemKind::System, what).because(format!(
        "the answer ({}, {} bytes) is not what it should be: {why}",
        answer.status,
        answer.body.len()
    ));
    let media = answer.header("content-type").unwrap_or_default();
    match Form::of(media) {
        Some(_) => problem,
        None => problem
            .because(format!("it is of the type \"{media}\""))
            .hint("a proxy or a portal may stand before the system; look at the endpoint"),
    }
}
