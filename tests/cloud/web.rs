//! The wire of the cloud: HTTP/1.1 with connections that stay, and faults.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Fault, State};

/// A call that was heard.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
    /// The body, byte by byte.
    pub(crate) bytes: Vec<u8>,
    /// The query, as it was sent.
    pub(crate) raw_query: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn new(status: u16, body: Value) -> Self {
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let media = ("Content-Type".to_owned(), "application/json".to_owned());
        Self {
            status,
            headers: vec![media],
            body,
        }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::new(200, body)
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::new(status, Value::Null)
    }

    pub(crate) fn fault(status: u16, name: &str, message: &str) -> Self {
        Self::new(status, json!({name: {"code": status, "message": message}}))
    }

    pub(crate) fn html(status: u16) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), "text/html".to_owned())],
            body: "<html>sign in here</html>".to_owned(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

pub(crate) async fn serve(state: Arc<Mutex<State>>) -> (u16, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let base = format!("http://127.0.0.1:{port}");
    let job = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (state, base) = (state.clone(), base.clone());
            tokio::spawn(async move {
                // Whoever goes away in mid-way is no matter of the test.
                let _ = talk(stream, &state, &base).await;
            });
        }
    });
    (port, job)
}

async fn talk(mut stream: TcpStream, state: &Mutex<State>, base: &str) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::new();
    while let Some(asked) = hear(&mut stream, &mut buffer).await? {
        let (fault, answer, ahead) = {
            let mut state = state.lock();
            state.log.push(asked.clone());
            let fault = state.befalls(&asked);
            if matches!(fault, Some(Fault::Expire)) {
                state.expire();
            }
            let done = !matches!(fault, Some(Fault::Say(_) | Fault::LoseCall | Fault::Hang));
            let answer = done.then(|| state.answer(&asked, base));
            (fault, answer, state.ahead)
        };
        let answer = match (fault, answer) {
            (Some(Fault::LoseAnswer | Fault::LoseCall), _) => return Ok(()),
            (Some(Fault::Hang | Fault::HoldAnswer), _) => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                return Ok(());
            }
            (Some(fault @ (Fault::Truncate | Fault::Flood | Fault::Drip)), Some(answer)) => {
                return spoil(&mut stream, &fault, &answer, ahead).await;
            }
            (Some(Fault::Say(answer)), _) | (_, Some(answer)) => answer,
            (_, None) => return Ok(()),
        };
        let head = head(&answer, answer.body.len(), ahead);
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(answer.body.as_bytes()).await?;
    }
    Ok(())
}

/// `ahead` is how far its clock is before ours, in seconds.
fn head(answer: &Answer, length: usize, ahead: i64) -> String {
    let mut head = format!(
        "HTTP/1.1 {} X\r\nContent-Length: {length}\r\n",
        answer.status
    );
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("X-Openstack-Request-Id: req-of-the-cloud\r\nDate: ");
    let now = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(ahead);
    let now = now.to_zoned(jiff::tz::TimeZone::UTC);
    head.push_str(&now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    head.push_str("\r\n\r\n");
    head
}

async fn spoil(
    stream: &mut TcpStream,
    fault: &Fault,
    answer: &Answer,
    ahead: i64,
) -> std::io::Result<()> {
    let length = match fault {
        Fault::Flood => usize::MAX >> 4,
        _ => answer.body.len() + 1000,
    };
    let head = match fault {
        // Without a length it is read to the end of the connection.
        Fault::Flood => head(answer, length, ahead).replace(
            &format!("Content-Length: {length}\r\n"),
            "Connection: close\r\n",
        ),
        _ => head(answer, length, ahead),
    };
    stream.write_all(head.as_bytes()).await?;
    match fault {
        Fault::Flood => loop {
            stream.write_all(&[b' '; 65_536]).await?;
        },
        Fault::Drip => loop {
            stream.write_all(b" ").await?;
            tokio::time::sleep(Duration::from_millis(200)).await;
        },
        _ => stream.write_all(answer.body.as_bytes()).await,
    }
}

async fn hear(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Option<Asked>> {
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let asked = parse(&head);
            let length: usize = asked
                .header("content-length")
                .and_then(|length| length.parse().ok())
                .unwrap_or(0);
            if buffer.len() >= end + 4 + length {
                let body = &buffer[end + 4..end + 4 + length];
                let bytes = body.to_vec();
                let body = serde_json::from_slice(body).unwrap_or(Value::Null);
                buffer.drain(..end + 4 + length);
                return Ok(Some(Asked {
                    body,
                    bytes,
                    ..asked
                }));
            }
        }
        let mut chunk = [0; 16_384];
        let n = stream.read(&mut chunk).await?;
        if n == 0 {
            return Ok(None);
        }
        buffer.extend_from_slice(&chunk[..n]);
    }
}

fn parse(head: &str) -> Asked {
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let method = first.next().unwrap_or_default().to_owned();
    let target = first.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.to_owned(), unescape(value))
        });
    let headers = lines.filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_lowercase(), value.to_owned()))
    });
    Asked {
        method,
        path: path.to_owned(),
        query: pairs.collect(),
        headers: headers.collect(),
        body: Value::Null,
        bytes: Vec::new(),
        raw_query: query.to_owned(),
    }
}

/// A text without its percent signs.
pub(super) fn unescape(text: &str) -> String {
    let mut out = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap()
}
