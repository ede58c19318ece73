//! Making calls.

use std::error::Error as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Url, redirect};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::again;
use super::error::{HttpError, Phase};
use super::redact;
use super::request::{Method, Request, Response};
use super::trace::{Call, Trace};
use crate::model::Time;

/// A call is sent on this often at most, to the same host.
const HOPS: usize = 3;

/// How long is waited, and how much is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Finding the address, connecting and TLS.
    pub connect: Duration,
    /// From the request to the first byte of the answer.
    pub first_byte: Duration,
    /// From one part of the body to the next.
    pub between: Duration,
    /// One whole attempt.
    pub whole: Duration,
    /// The largest body that is taken, in bytes.
    pub body: usize,
    /// How many calls are under way at once.
    pub calls: usize,
    /// How many times a call is made at most.
    pub attempts: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(60),
            between: Duration::from_secs(20),
            whole: Duration::from_secs(180),
            body: 32 << 20,
            calls: 8,
            attempts: 4,
        }
    }
}

/// How a client is made.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Certificates of authorities that are trusted beside the system's, as PEM.
    pub ca_bundle: Option<Vec<u8>>,
    /// Trust whoever answers. Never unless the user said so.
    pub insecure: bool,
    /// The limits.
    pub limits: Limits,
}

/// Calls one system. Cheap to clone; all clones share connections, limits and trace.
#[derive(Clone, Debug)]
pub struct Client {
    inner: reqwest::Client,
    limits: Limits,
    slots: Arc<Semaphore>,
    trace: Arc<Trace>,
}

impl Client {
    /// A client that is not connected to anything yet.
    ///
    /// # Errors
    /// [`HttpError::Setup`] where the certificates cannot be read.
    pub fn new(options: &Options, trace: Arc<Trace>) -> Result<Self, HttpError> {
        // Somebody else, as a test may, has chosen it already: it is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let setup = |what: &str, e: &reqwest::Error| HttpError::Setup {
            what: format!("{what}: {}", chain(e)),
        };
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("snapdeck/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .connect_timeout(options.limits.connect)
            .pool_idle_timeout(Duration::from_secs(60))
            .tcp_nodelay(true)
            .tls_info(true);
        if let Some(pem) = &options.ca_bundle {
            let certificates = Certificate::from_pem_bundle(pem)
                .map_err(|e| setup("the CA bundle holds no certificates that can be read", &e))?;
            builder = builder.tls_certs_merge(certificates);
        }
        if options.insecure {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        let inner = builder
            .build()
            .map_err(|e| setup("no HTTP client can be made", &e))?;
        Ok(Self {
            inner,
            limits: options.limits,
            slots: Arc::new(Semaphore::new(options.limits.calls.max(1))),
            trace,
        })
    }

    /// What it keeps of its calls.
    #[must_use]
    pub fn trace(&self) -> &Arc<Trace> {
        &self.trace
    }

    /// How many calls may be under way at once.
    #[must_use]
    pub fn concurrency(&self) -> usize {
        self.limits.calls
    }

    /// Makes a call, again where that is safe and may help. Any status is an answer.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let mut attempt = 1;
        loop {
            let result = self.attempt(request, attempt).await;
            let pause = match &result {
                _ if attempt >= self.limits.attempts => None,
                Ok(response) if request.stands.is_some_and(|stands| stands(response)) => None,
                Ok(response) => again::after(response, request.repeatable, attempt),
                Err(error) => {
                    let safe = request.repeatable || !error.may_have_been_heard();
                    (safe && error.may_pass()).then(|| again::pause(attempt))
                }
            };
            let Some(pause) = pause else {
                return result;
            };
            tracing::info!(
                method = request.method.word(),
                url = %request.told(&request.url),
                attempt,
                millis = pause.as_millis() as u64,
                "a call is made again after a pause"
            );
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    /// One attempt, followed to where the same host sends it on.
    async fn attempt(&self, request: &Request, attempt: u32) -> Result<Response, HttpError> {
        let mut url = parse(&request.url)?;
        for _ in 0..HOPS {
            let response = self.once(request, &url, attempt).await?;
            let sends_on = request.follows && matches!(response.status, 301 | 302 | 307 | 308);
            let Some(target) = response.header("location").filter(|_| sends_on) else {
                return Ok(response);
            };
            let host = host(&url);
            let target = url.join(target).map_err(|e| HttpError::Redirect {
                host: host.clone(),
                target: format!("\"{target}\", which is no address ({e})"),
            })?;
            let reads = matches!(request.method, Method::Get | Method::Head);
            if target.origin() != url.origin() || !reads {
                return Err(HttpError::Redirect {
                    host,
                    target: without_secrets(&target),
                });
            }
            url = target;
        }
        Err(HttpError::Redirect {
            host: host(&url),
            target: "itself, again and again".to_owned(),
        })
    }

    async fn once(
        &self,
        request: &Request,
        url: &Url,
        attempt: u32,
    ) -> Result<Response, HttpError> {
        // The semaphore is never closed.
        let _slot = self.slots.acquire().await.ok();
        let (at, begun) = (Time::now(), Instant::now());
        let body = request.body.as_ref().map(ToString::to_string);
        let id = format!("req-{}", uuid::Uuid::now_v7());
        let result = match timeout(
            self.limits.whole,
            self.exchange(request, url, body.as_deref(), &id),
        )
        .await
        {
            Ok(result) => result,
            Err(_) => Err(HttpError::Timeout {
                host: host(url),
                phase: Phase::Whole,
                limit: self.limits.whole,
            }),
        };
        let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let answer = result.as_ref().ok();
        let sent = request
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let came = answer.into_iter().flat_map(|a| &a.headers);
        tracing::debug!(
            method = request.method.word(),
            url = %request.told(&without_secrets(url)),
            status = answer.map(|a| a.status),
            millis,
            "called"
        );
        self.trace.add(Call {
            number: 0,
            at,
            method: request.method.word().to_owned(),
            url: request.told(&without_secrets(url)),
            status: answer.map(|a| a.status),
            error: result.as_ref().err().map(ToString::to_string),
            bytes: answer.map_or(0, |a| a.body.len() as u64),
            millis,
            attempt,
            request_id: answer
                .and_then(|a| a.request_id().map(str::to_owned))
                .or(Some(id)),
            request_headers: redact::headers(sent),
            request_body: body.map(|body| redact::body(body.as_bytes())),
            response_headers: redact::headers(came.map(|(n, v)| (n.as_str(), v.as_str()))),
            response_body: match answer {
                Some(_) if request.private => redact::REDACTED.to_owned(),
                Some(answer) => redact::body(&answer.body),
                None => String::new(),
            },
        });
        result
    }

    async fn exchange(
        &self,
        request: &Request,
        url: &Url,
        body: Option<&str>,
        id: &str,
    ) -> Result<Response, HttpError> {
        let host = host(url);
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Head => reqwest::Method::HEAD,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("application/json"));
        if let Ok(id) = HeaderValue::from_str(id) {
            headers.insert("x-openstack-request-id", id);
        }
        for (name, value) in &request.headers {
            let mut value = HeaderValue::from_str(value).map_err(|_| HttpError::Setup {
                what: format!("the value of the header {name} has characters that no header has"),
            })?;
            value.set_sensitive(redact::is_secret_header(name));
            headers.insert(
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| HttpError::Setup {
                    what: format!("\"{name}\" is no name of a header"),
                })?,
                value,
            );
        }
        let mut call = self.inner.request(method, url.clone()).headers(headers);
        if let (Some(body), Some(kind)) = (body, &request.body) {
            call = call
                .header("content-type", kind.media())
                .body(body.to_owned());
        }
        let patience = self.limits.connect + self.limits.first_byte;
        let mut answer = match timeout(patience, call.send()).await {
            Ok(answer) => answer.map_err(|e| self.failed(&e, &host))?,
            Err(_) => {
                return Err(HttpError::Timeout {
                    host,
                    phase: Phase::FirstByte,
                    limit: self.limits.first_byte,
                });
            }
        };
        let mut response = Response {
            status: answer.status().as_u16(),
            headers: answer
                .headers()
                .iter()
                .map(|(name, value)| {
                    let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                    (name.as_str().to_owned(), value)
                })
                .collect(),
            body: Vec::new(),
            certificate: answer
                .extensions()
                .get::<reqwest::tls::TlsInfo>()
                .and_then(|info| info.peer_certificate())
                .map(<[u8]>::to_vec),
        };
        let limit = self.limits.body;
        if answer
            .content_length()
            .is_some_and(|length| length > limit as u64)
        {
            return Err(HttpError::TooLarge { host, limit });
        }
        loop {
            let chunk = match timeout(self.limits.between, answer.chunk()).await {
                Ok(chunk) => chunk.map_err(|e| HttpError::Broken {
                    host: host.clone(),
                    why: chain(&e),
                })?,
                Err(_) => {
                    return Err(HttpError::Timeout {
                        host,
                        phase: Phase::Between,
                        limit: self.limits.between,
                    });
                }
            };
            let Some(chunk) = chunk else {
                return Ok(response);
            };
            if response.body.len() + chunk.len() > limit {
                return Err(HttpError::TooLarge { host, limit });
            }
            response.body.extend_from_slice(&chunk);
        }
    }

    fn failed(&self, error: &reqwest::Error, host: &str) -> HttpError {
        let (host, why) = (host.to_owned(), chain(error));
        if error.is_connect() && error.is_timeout() {
            return HttpError::Timeout {
                host,
                phase: Phase::Connect,
                limit: self.limits.connect,
            };
        }
        if error.is_connect() {
            let tls = why.contains("certificate") || why.contains("tls") || why.contains("TLS");
            return match tls {
                true => HttpError::Tls { host, why },
                false => HttpError::Connect { host, why },
            };
        }
        HttpError::Broken { host, why }
    }
}

/// The causes of an error, without the address, which may hold secrets and is told anyway.
fn chain(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(source) = next {
        let text = source.to_string();
        if parts.last() != Some(&text) {
            parts.push(text);
        }
        next = source.source();
    }
    match parts.is_empty() {
        true => error.to_string(),
        false => parts.join(": "),
    }
}

fn parse(url: &str) -> Result<Url, HttpError> {
    let wrong = |why: String| HttpError::Address {
        url: url.to_owned(),
        why,
    };
    let parsed = Url::parse(url).map_err(|e| wrong(e.to_string()))?;
    match parsed.scheme() {
        "http" | "https" if parsed.has_host() => Ok(parsed),
        _ => Err(wrong(
            "it begins with neither http:// nor https://".to_owned(),
        )),
    }
}

/// The host and the port, as they are told.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// The address without what a person may have put before the host.
fn without_secrets(url: &Url) -> String {
    let mut url = url.clone();
    // Neither fails for an address that has a host.
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.to_string()
}
