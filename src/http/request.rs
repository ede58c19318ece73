//! A call as it is to be made, and its answer.

use std::fmt;

use super::redact;
use crate::model::Time;

/// What is done at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Read the head alone.
    Head,
    /// Make, or do.
    Post,
    /// Replace.
    Put,
    /// Remove.
    Delete,
}

impl Method {
    /// The word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// What is sent along.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// JSON.
    Json(serde_json::Value),
    /// XML.
    Xml(String),
}

impl Body {
    /// The media type.
    #[must_use]
    pub fn media(&self) -> &'static str {
        match self {
            Self::Json(_) => "application/json",
            Self::Xml(_) => "application/xml",
        }
    }
}

impl fmt::Display for Body {
    /// As it goes over the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(value) => value.fmt(f),
            Self::Xml(text) => f.write_str(text),
        }
    }
}

/// A call that is to be made.
#[derive(Clone)]
pub struct Request {
    /// What is done.
    pub method: Method,
    /// The whole address.
    pub url: String,
    /// Headers, beside those that every call has.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Option<Body>,
    /// Whether doing it twice is doing it once. What only reads is so anyway.
    pub repeatable: bool,
    /// Whether it is sent on to where the same host says. Where it is not, being sent on is an answer.
    pub follows: bool,
    /// Whether an answer is one, whatever its status says otherwise of trying again.
    pub stands: Option<fn(&Response) -> bool>,
    /// What is secret of its address, and told nowhere.
    pub hidden: Option<String>,
    /// What is answered is a secret, and kept nowhere.
    pub private: bool,
}

impl fmt::Debug for Request {
    /// As it is shown to people: there are secrets among its headers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.curl())
    }
}

impl Request {
    /// A call without headers and body.
    #[must_use]
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body: None,
            repeatable: matches!(method, Method::Get | Method::Head),
            follows: true,
            stands: None,
            hidden: None,
            private: false,
        }
    }

    /// The same, with which answers stand as they are.
    #[must_use]
    pub fn stands(mut self, stands: fn(&Response) -> bool) -> Self {
        self.stands = Some(stands);
        self
    }

    /// The same, with this part of its address kept secret.
    #[must_use]
    pub fn hiding(mut self, secret: impl Into<String>) -> Self {
        self.hidden = Some(secret.into());
        self
    }

    /// The same as one whose answer is a secret.
    #[must_use]
    pub fn private(mut self) -> Self {
        self.private = true;
        self
    }

    /// An address of it as it may be told.
    #[must_use]
    pub(super) fn told(&self, url: &str) -> String {
        match self.hidden.as_deref().filter(|secret| !secret.is_empty()) {
            Some(secret) => url.replace(secret, redact::REDACTED),
            None => url.to_owned(),
        }
    }

    /// The same with a header more.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same with a body of JSON.
    #[must_use]
    pub fn json(self, body: serde_json::Value) -> Self {
        self.body(Body::Json(body))
    }

    /// The same with a body.
    #[must_use]
    pub fn body(mut self, body: Body) -> Self {
        self.body = Some(body);
        self
    }

    /// The same as one that is not sent on.
    #[must_use]
    pub fn stay(mut self) -> Self {
        self.follows = false;
        self
    }

    /// The same as one that may be sent again when no answer came.
    #[must_use]
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// The call as a line for a shell. Secrets are variables there (`$TOKEN`), which the reader fills, and so is every
    /// header whose value is the name of one, perhaps after a scheme (`OAuth $SESSION`).
    #[must_use]
    pub fn curl(&self) -> String {
        let mut line = String::from("curl -sS");
        if self.method != Method::Get {
            line.push_str(" -X ");
            line.push_str(self.method.word());
        }
        for (name, value) in &self.headers {
            let last = value.rsplit(' ').next().unwrap_or_default();
            match (redact::is_secret_header(name), last.starts_with('$')) {
                // In double quotes, so that the shell puts the value there.
                (_, true) => line.push_str(&format!(" -H \"{name}: {value}\"")),
                (true, false) => line.push_str(&format!(" -H \"{name}: $TOKEN\"")),
                (false, false) => {
                    line.push_str(&format!(" -H {}", quote(&format!("{name}: {value}"))));
                }
            }
        }
        if let Some(body) = &self.body {
            line.push_str(&format!(" -H 'Content-Type: {}' -d ", body.media()));
            line.push_str(&quote(&match body {
                Body::Json(value) => redact::json(value).to_string(),
                Body::Xml(text) => redact::xml(text),
            }));
        }
        line.push(' ');
        line.push_str(&quote(&self.told(&self.url)));
        line
    }
}

/// A text as a shell takes it literally.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// An answer, whole.
#[derive(Clone, Default)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, their names in lower case, in the order of the wire.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The certificate of the other side, as DER; `None` without TLS.
    pub certificate: Option<Vec<u8>>,
}

impl fmt::Debug for Response {
    /// Without headers and body: there may be secrets in both.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} bytes", self.status, self.body.len())
    }
}

impl Response {
    /// The first header of this name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// How far the other side's clock is before ours by this answer, in seconds; `None` where it does not tell its time.
    #[must_use]
    pub fn clock_ahead(&self) -> Option<i64> {
        let theirs = jiff::fmt::rfc2822::parse(self.header("date")?).ok()?;
        Some(theirs.timestamp().as_second() - Time::now().as_second())
    }

    /// Whether it says that what was asked for was done or begun.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The system's own id of the call.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        [
            "x-openstack-request-id",
            "x-compute-request-id",
            "x-request-id",
        ]
        .into_iter()
        .find_map(|name| self.header(name))
    }
}
