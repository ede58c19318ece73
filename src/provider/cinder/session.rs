//! Signed in: the token, renewed in one place, and the calls that carry it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::dialect::{Dialect, Proof};
use crate::config::{Account, Auth, Scope};
use crate::http::{Client, HttpError, Method, Request, Response};
use crate::model::{Problem, ProblemKind, Time};
use crate::wire::cinder::{self, Microversion, Versions};
use crate::wire::keystone::{self, Token, TokenReply};

/// A token is renewed when it has less than this to live, in seconds.
const MARGIN: i64 = 120;
/// A sign-in that was refused is not tried again for this long: accounts are locked after a few.
const REFUSED: Duration = Duration::from_secs(10);

/// Where a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider) enum Service {
    /// Block storage.
    Volume,
    /// Compute.
    Compute,
    /// The host of block storage, with the whole path: a link that it has given.
    Link,
    /// Block storage in another version than that of its address, for the same project.
    Version(&'static str),
}

/// A call, before it is known where the service is and with which token.
#[derive(Clone, Debug)]
pub(in crate::provider) struct Ask {
    pub(in crate::provider) method: Method,
    pub(in crate::provider) service: Service,
    /// What comes after the address of the catalog, with the query.
    pub(in crate::provider) path: String,
    pub(in crate::provider) body: Option<Value>,
    /// Headers of its own.
    pub(in crate::provider) headers: Vec<(&'static str, String)>,
    /// It reads, whatever its method is called.
    pub(in crate::provider) reads: bool,
}

impl Ask {
    pub(in crate::provider) fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            service: Service::Volume,
            path: path.into(),
            body: None,
            headers: Vec::new(),
            reads: matches!(method, Method::Get | Method::Head),
        }
    }

    pub(in crate::provider) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(in crate::provider) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::Get, path)
    }

    pub(in crate::provider) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// The same for another service.
    pub(in crate::provider) fn at(mut self, service: Service) -> Self {
        self.service = service;
        self
    }

    /// The same as a call that only reads.
    pub(in crate::provider) fn reading(mut self) -> Self {
        self.reads = true;
        self
    }
}

/// What came of signing in.
pub(in crate::provider) struct Signed {
    /// What goes with every call.
    pub(in crate::provider) proof: Box<dyn Proof>,
    /// Until when it holds; `None` where it has no end.
    pub(in crate::provider) expires: Option<Time>,
    /// The address of the volume service, with version and project.
    pub(in crate::provider) volume: String,
    /// The address of the compute service, where the catalog has one.
    pub(in crate::provider) compute: Option<String>,
    /// Everything else that the token says.
    pub(in crate::provider) said: Token,
}

impl Signed {
    fn is_fresh(&self) -> bool {
        self.expires
            .is_none_or(|expires| expires.as_second() - Time::now().as_second() > MARGIN)
    }
}

/// A call that did not do what it should.
#[derive(Debug)]
pub(in crate::provider) enum Failed {
    /// The system answered that it does not do it, or it was not even called.
    Refused(Problem),
    /// It was sent, and no answer came: it may have been done.
    Unknown(Problem),
}

impl Failed {
    pub(in crate::provider) fn problem(self) -> Problem {
        match self {
            Self::Refused(problem) | Self::Unknown(problem) => problem,
        }
    }
}

/// An account that is signed in, and stays so.
pub(in crate::provider) struct Session {
    pub(in crate::provider) client: Client,
    pub(in crate::provider) account: Account,
    /// What is asked for with every call.
    pub(in crate::provider) version: Microversion,
    /// What is this service's own.
    dialect: Arc<dyn Dialect>,
    signed: Mutex<Option<Arc<Signed>>>,
    refused: Mutex<Option<(Instant, Problem)>>,
    renewing: tokio::sync::Mutex<()>,
}

impl Session {
    /// Signs in, and agrees on a version.
    pub(in crate::provider) async fn open(
        client: Client,
        account: Account,
    ) -> Result<Self, Problem> {
        let mut session = Self::new(client, account, Arc::new(super::dialect::Cinder));
        session.version = session.negotiate().await?;
        Ok(session)
    }

    /// One that has not signed in yet, and asks for what every server has.
    pub(in crate::provider) fn new(
        client: Client,
        account: Account,
        dialect: Arc<dyn Dialect>,
    ) -> Self {
        Self {
            client,
            account,
            dialect,
            version: Microversion::FIRST,
            signed: Mutex::default(),
            refused: Mutex::default(),
            renewing: tokio::sync::Mutex::default(),
        }
    }

    /// What is added to the query of a list for things of all projects, where those are wanted.
    pub(in crate::provider) fn of_whom(&self) -> &'static str {
        match self.account.all_tenants {
            true => "&all_tenants=1",
            false => "",
        }
    }

    /// The address at which to sign in.
    pub(in crate::provider) fn identity(&self) -> String {
        let endpoint = &self.account.endpoint;
        match endpoint.ends_with("/v3") {
            true => endpoint.clone(),
            false => format!("{endpoint}/v3"),
        }
    }

    /// The token that there is, or a new one.
    pub(in crate::provider) async fn signed(&self) -> Result<Arc<Signed>, Problem> {
        let now = self.signed.lock().clone();
        match now {
            Some(signed) if signed.is_fresh() => Ok(signed),
            stale => self.renew(stale.as_ref()).await,
        }
    }

    /// A token that is not this one: however many calls meet its end, one of them signs in.
    pub(in crate::provider) async fn renew(
        &self,
        stale: Option<&Arc<Signed>>,
    ) -> Result<Arc<Signed>, Problem> {
        let _only_one = self.renewing.lock().await;
        let now = self.signed.lock().clone();
        if let Some(now) = now
            && now.is_fresh()
            && stale.is_none_or(|stale| !Arc::ptr_eq(stale, &now))
        {
            return Ok(now);
        }
        if let Some((at, problem)) = &*self.refused.lock()
            && at.elapsed() < REFUSED
        {
            return Err(problem.clone());
        }
        match self.sign_in().await {
            Ok(signed) => {
                let signed = Arc::new(signed);
                *self.signed.lock() = Some(signed.clone());
                Ok(signed)
            }
            Err(problem) => {
                if problem.kind == ProblemKind::Auth {
                    *self.refused.lock() = Some((Instant::now(), problem.clone()));
                }
                Err(problem)
            }
        }
    }

    async fn sign_in(&self) -> Result<Signed, Problem> {
        let own = self.dialect.signs_in_by_itself();
        let body = keystone::sign_in(&self.account.auth, &self.account.scope).filter(|_| !own);
        let Some(body) = body else {
            return self.dialect.with_keys(self).await;
        };
        let url = format!("{}/auth/tokens", self.identity());
        let what = || format!("signing in at {} failed", self.account.endpoint);
        // A token too many harms nobody.
        let request = Request::new(Method::Post, &url).json(body).repeatable();
        let mut answer = self
            .client
            .send(&request)
            .await
            .map_err(|e| e.problem(what()))?;
        let mut token = answer.header("x-subject-token").map(str::to_owned);
        if answer.status == 403
            && let (Auth::Token(own), Scope::Own) = (&self.account.auth, &self.account.scope)
        {
            // Not every token may be exchanged; it says of itself what it is for.
            let own = own.expose_secret().to_owned();
            let request = Request::new(Method::Get, &url)
                .header("X-Auth-Token", own.clone())
                .header("X-Subject-Token", own.clone());
            answer = self
                .client
                .send(&request)
                .await
                .map_err(|e| e.problem(what()))?;
            token = Some(own);
        }
        if !answer.is_success() {
            let problem = self.refused(&answer, what());
            return Err(match answer.status {
                401 => problem.hint("look at user, domain, project and secret: the service does not say which is wrong"),
                404 => problem.hint("look at the endpoint: there is no identity service at it"),
                _ => problem,
            });
        }
        let reply: TokenReply = serde_json::from_slice(&answer.body)
            .map_err(|e| not_understood(&answer, what(), &e.to_string()))?;
        let token = token.ok_or_else(|| {
            not_understood(&answer, what(), "there is no header X-Subject-Token in it")
        })?;
        let account = &self.account;
        let compute = keystone::find(
            &reply.token.catalog,
            &keystone::COMPUTE,
            &account.interface,
            account.region.as_deref(),
        );
        Ok(Signed {
            proof: Box::new(SecretString::from(token)),
            expires: reply.token.expires_at.as_deref().and_then(cinder::time),
            volume: self.dialect.address(account, &reply.token)?,
            compute: compute.map(str::to_owned),
            said: reply.token,
        })
    }

    /// The microversion that both sides have.
    async fn negotiate(&self) -> Result<Microversion, Problem> {
        let signed = self.signed().await?;
        let Some(at) = signed.volume.rfind("/v3") else {
            return Err(Problem::new(
                ProblemKind::Config,
                format!("{} is not of version 3", signed.volume),
            )
            .hint("this program speaks version 3 of the volume service only"));
        };
        let url = format!("{}/v3/", &signed.volume[..at]);
        let request = signed.proof.prove(Request::new(Method::Get, url));
        let what = "the versions of the volume service cannot be read";
        let answer = self
            .client
            .send(&request)
            .await
            .map_err(|e| e.problem(what))?;
        if answer.status == 404 {
            // Hidden by a proxy; the first one is always there.
            return Ok(Microversion::FIRST);
        }
        if !(answer.is_success() || answer.status == 300) {
            return Err(self.refused(&answer, what));
        }
        let versions: Versions = serde_json::from_slice(&answer.body)
            .map_err(|e| not_understood(&answer, what, &e.to_string()))?;
        let highest = versions.highest().ok_or_else(|| {
            Problem::new(ProblemKind::Config, "the volume service has no version 3")
        })?;
        Ok(highest.min(Microversion::OURS))
    }

    /// The call as it goes over the wire, but for what proves who makes it.
    fn request(&self, signed: &Signed, ask: &Ask) -> Result<Request, Problem> {
        let base = match ask.service {
            Service::Volume => signed.volume.clone(),
            Service::Link => origin(&signed.volume).to_owned(),
            Service::Compute => signed.compute.clone().ok_or_else(|| {
                Problem::new(ProblemKind::Config, "the catalog has no compute service")
            })?,
            Service::Version(version) => in_version(&signed.volume, version)?,
        };
        let mut request = Request::new(ask.method, format!("{base}{}", ask.path));
        let block_storage = matches!(ask.service, Service::Volume | Service::Link);
        if block_storage && self.dialect.has_microversions() {
            request = request.header("OpenStack-API-Version", self.version.header());
        }
        for (name, value) in &ask.headers {
            request = request.header(name, value.clone());
        }
        if ask.reads {
            request = request.repeatable();
        }
        Ok(match &ask.body {
            Some(body) => request.json(body.clone()),
            None => request,
        })
    }

    /// The call as a line for a shell, with `$TOKEN` for the token.
    pub(in crate::provider) async fn curl(&self, ask: &Ask) -> Result<String, Problem> {
        let signed = self.signed().await?;
        Ok(signed.proof.shown(self.request(&signed, ask)?).curl())
    }

    /// Makes a call; an answer other than success is an error. A token that has run out is renewed once.
    pub(in crate::provider) async fn call(
        &self,
        ask: &Ask,
        what: &str,
    ) -> Result<Response, Failed> {
        let mut signed = self.signed().await.map_err(Failed::Refused)?;
        let mut renewed = false;
        loop {
            let request = self.request(&signed, ask).map_err(Failed::Refused)?;
            let request = signed.proof.prove(request);
            let answer = match self.client.send(&request).await {
                Ok(answer) => answer,
                Err(error) => return Err(lost(&error, ask, what)),
            };
            let stale = self.dialect.is_stale(&answer) && signed.proof.may_be_renewed(&answer);
            if stale && !renewed {
                renewed = true;
                signed = self.renew(Some(&signed)).await.map_err(Failed::Refused)?;
                continue;
            }
            if answer.is_success() {
                return Ok(answer);
            }
            let problem = self.refused(&answer, what);
            // A gateway that lost the service in mid-way says so; the service may have heard.
            let heard = self.dialect.may_have_heard(answer.status);
            return Err(match heard && !request.repeatable {
                true => Failed::Unknown(problem),
                false => Failed::Refused(problem),
            });
        }
    }

    /// The problem that an answer is.
    pub(in crate::provider) fn refused(
        &self,
        answer: &Response,
        what: impl Into<String>,
    ) -> Problem {
        let mut problem = self.dialect.problem(answer, what.into());
        if let Some(id) = answer.request_id() {
            problem.request_id = Some(id.to_owned());
        }
        problem
    }

    /// A call that only reads.
    pub(in crate::provider) async fn read(
        &self,
        ask: &Ask,
        what: &str,
    ) -> Result<Response, Problem> {
        self.call(ask, what).await.map_err(Failed::problem)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(signed) = self.signed.get_mut().take() {
            self.dialect.sign_out(&self.account, &signed);
        }
    }
}

/// The part of an address before its path.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let path = url[host..].find('/').map_or(url.len(), |at| host + at);
    &url[..path]
}

fn lost(error: &HttpError, ask: &Ask, what: &str) -> Failed {
    let problem = error.problem(what);
    match error.may_have_been_heard() && !ask.reads {
        true => Failed::Unknown(problem),
        false => Failed::Refused(problem),
    }
}

/// The address of the same project in another version.
fn in_version(address: &str, version: &str) -> Result<String, Problem> {
    let parts = address
        .rsplit_once('/')
        .and_then(|(rest, project)| Some((rest.rsplit_once('/')?.0, project)));
    let (root, project) = parts.ok_or_else(|| {
        Problem::new(
            ProblemKind::Config,
            format!("{address} names no version and no project"),
        )
    })?;
    Ok(format!("{root}/{version}/{project}"))
}

/// The problem of an answer that is not what it should be.
pub(in crate::provider) fn not_understood(
    answer: &Response,
    what: impl Into<String>,
    why: &str,
) -> Problem {
    let mut problem = Problem::new(ProblemKind::System, what).because(format!(
        "the answer ({}, {} bytes) is not what it should be: {why}",
        answer.status,
        answer.body.len()
    ));
    problem.request_id = answer.request_id().map(str::to_owned);
    let media = answer.header("content-type").unwrap_or_default();
    match media.contains("json") {
        true => problem,
        false => problem
            .because(format!("it is of the type \"{media}\", not JSON"))
            .hint("a proxy or a sign-in page may stand before the service; look at the endpoint"),
    }
}
