//! A server on loopback that answers by a script of faults. It stands for systems that misbehave, for nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What is done with one request; the last one of a list for all that follow.
#[derive(Clone, Copy, Debug)]
pub(super) enum Script {
    /// A status, a body, and whether to come again in a second.
    Answer(u16, &'static str, bool),
    /// Send the caller on.
    Redirect(&'static str),
    /// Take the request and say nothing.
    Hang,
    /// Take the request and close.
    Close,
    /// Answer after a while.
    Slow,
    /// A byte now and then, without end.
    Drip,
    /// A part of the body, then nothing.
    Stall,
    /// Less than was announced.
    Truncate,
    /// More than anybody takes, without saying how much.
    Flood,
    /// Announce more than anybody takes.
    LongLie,
}

impl Script {
    pub(super) fn ok(body: &'static str) -> Self {
        Self::Answer(200, body, false)
    }

    pub(super) fn status(status: u16) -> Self {
        Self::Answer(status, "<html>no</html>", false)
    }

    pub(super) fn later(status: u16) -> Self {
        Self::Answer(status, "{}", true)
    }
}

#[derive(Default)]
struct Seen {
    heard: Mutex<Vec<String>>,
    now: AtomicUsize,
    most: AtomicUsize,
}

pub(super) struct Faulty {
    port: u16,
    seen: Arc<Seen>,
    job: tokio::task::JoinHandle<()>,
}

impl Drop for Faulty {
    fn drop(&mut self) {
        self.job.abort();
    }
}

impl Faulty {
    pub(super) async fn start(scripts: Vec<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Seen::default());
        let shared = seen.clone();
        let job = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, scripts) = (shared.clone(), scripts.clone());
                tokio::spawn(async move { serve(stream, &seen, &scripts).await });
            }
        });
        Self { port, seen, job }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn heard(&self) -> Vec<String> {
        self.seen.heard.lock().clone()
    }

    pub(super) fn most_at_once(&self) -> usize {
        self.seen.most.load(Ordering::SeqCst)
    }
}

async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let n = stream.read(&mut buffer).await.ok()?;
        if n == 0 {
            return None;
        }
        bytes.extend_from_slice(&buffer[..n]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            if body.len() >= length {
                return Some(text);
            }
        }
    }
}

async fn serve(mut stream: TcpStream, seen: &Seen, scripts: &[Script]) {
    let Some(text) = request(&mut stream).await else {
        return;
    };
    let turn = {
        let mut heard = seen.heard.lock();
        heard.push(text);
        heard.len() - 1
    };
    let now = seen.now.fetch_add(1, Ordering::SeqCst) + 1;
    seen.most.fetch_max(now, Ordering::SeqCst);
    let script = scripts.get(turn).or(scripts.last()).copied().unwrap();
    // Whoever went away in the midst of it is no matter of the test.
    let _ = answer(&mut stream, script, &seen.now).await;
}

async fn answer(stream: &mut TcpStream, script: Script, now: &AtomicUsize) -> std::io::Result<()> {
    let forever = Duration::from_secs(30);
    let head = |rest: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n{rest}\r\n"
        )
    };
    match script {
        Script::Hang => tokio::time::sleep(forever).await,
        Script::Close => {}
        Script::Slow => {
            tokio::time::sleep(Duration::from_millis(100)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            stream
                .write_all(head("Content-Length: 2\r\n").as_bytes())
                .await?;
            stream.write_all(b"{}").await?;
        }
        Script::Answer(status, body, later) => {
            let later = if later { "Retry-After: 1\r\n" } else { "" };
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nX-Openstack-Request-Id: req-server\r\n\
                 Set-Cookie: id=s3t\r\nConnection: close\r\n{later}\r\n{body}",
                body.len()
            );
            stream.write_all(head.as_bytes()).await?;
        }
        Script::Redirect(to) => {
            let head = format!(
                "HTTP/1.1 302 X\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await?;
        }
        Script::Drip => {
            stream
                .write_all(head("Content-Length: 1000\r\n").as_bytes())
                .await?;
            loop {
                stream.write_all(b" ").await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Script::Stall => {
            stream
                .write_all(head("Content-Length: 1000\r\n").as_bytes())
                .await?;
            stream.write_all(b"{\"a\":").await?;
            tokio::time::sleep(forever).await;
        }
        Script::Truncate => {
            stream
                .write_all(head("Content-Length: 1000\r\n").as_bytes())
                .await?;
            stream.write_all(b"{\"a\":").await?;
        }
        Script::Flood => {
            stream.write_all(head("").as_bytes()).await?;
            loop {
                stream.write_all(&[b' '; 4096]).await?;
            }
        }
        Script::LongLie => {
            stream
                .write_all(head("Content-Length: 100000000\r\n").as_bytes())
                .await?;
            tokio::time::sleep(forever).await;
        }
    }
    stream.shutdown().await
}
