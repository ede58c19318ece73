//! Serving volumes and snapshots over NBD, for this program and for those that it lets in.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::path::Path;

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::text;
use crate::engine::nbd::{Export, Listener, Server};
use crate::engine::{Source, Store};
use crate::model::{Kind, ObjectRef, Problem, ProblemKind};
use crate::share::{NbdRequest, Services};

/// The port that IANA gave to NBD.
const PORT: u16 = 10809;

/// Serving what a store that is open here holds.
pub(super) struct NbdService {
    store: Store,
}

impl NbdService {
    pub(super) fn new(store: &Store) -> Self {
        Self {
            store: store.clone(),
        }
    }
}

#[async_trait]
impl Services for NbdService {
    async fn nbd(
        &self,
        request: NbdRequest,
        notes: mpsc::UnboundedSender<String>,
        stop: CancellationToken,
    ) -> Result<(), Problem> {
        let failed = |e: std::io::Error| Problem::new(ProblemKind::System, e.to_string());
        let source = source(&request.object)?;
        let export = Export::new(&self.store, source, &request.name, request.read_only)
            .map_err(|e| Problem::new(ProblemKind::System, e.to_string()))?;
        let listener = match &request.unix {
            Some(path) => Listener::unix(path).map_err(|e| unusable_socket(path, &e))?,
            None => {
                let address = address(request.listen.as_deref())?;
                Listener::tcp(address).map_err(|e| unusable_address(address, &e))?
            }
        };
        let read_only = match export.is_read_only() {
            true => " (read-only)",
            false => "",
        };
        let name = text::visible(&request.name);
        let uri = listener.uri(export.name());
        // Nobody listening is no reason to end the service.
        let tell = move |line: String| drop(notes.send(line));
        tell(format!("serving {name}{read_only} at {uri}"));
        if listener.is_public() {
            tell("warning: whoever reaches this address can use it; nothing is encrypted".into());
        }
        let note = move |words: &str| tell(text::visible(words));
        let (server, stopper) = Server::new(export, Box::new(note)).map_err(failed)?;
        let mut work = tokio::task::spawn_blocking(move || server.run(listener));
        let ended = tokio::select! {
            ended = &mut work => ended,
            () = stop.cancelled() => {
                stopper.stop();
                work.await
            }
        };
        ended
            .map_err(|e| Problem::new(ProblemKind::Bug, "the server ended abruptly").caused_by(&e))?
            .map_err(|e| Problem::new(ProblemKind::System, "serving failed").caused_by(&e))
    }
}

fn source(object: &ObjectRef) -> Result<Source, Problem> {
    let foreign =
        |_| Problem::user("only volumes and snapshots of the embedded store can be served");
    match object.kind {
        Kind::Volume | Kind::Target => object.id.parse().map(Source::Volume).map_err(foreign),
        Kind::Snapshot => object.id.parse().map(Source::Point).map_err(foreign),
        Kind::Group | Kind::Session => Err(Problem::user(format!(
            "a {} has several devices; name one of its members",
            object.kind.one()
        ))),
    }
}

/// HOST, HOST:PORT or :PORT; loopback and the protocol's own port where one is not said.
fn address(text: Option<&str>) -> Result<SocketAddr, Problem> {
    let text = text.unwrap_or_default();
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, PORT));
    }
    let wrong = || {
        Problem::user(format!("\"{text}\" is no address"))
            .hint("say HOST, HOST:PORT or :PORT, as in 127.0.0.1:10809")
    };
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| wrong())?),
        None => (text, PORT),
    };
    if host.is_empty() {
        return Ok(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port));
    }
    let mut found = (host, port)
        .to_socket_addrs()
        .map_err(|e| wrong().caused_by(&e))?;
    found.next().ok_or_else(wrong)
}

fn unusable_address(address: SocketAddr, e: &std::io::Error) -> Problem {
    let kind = match e.kind() {
        std::io::ErrorKind::AddrInUse => ProblemKind::Conflict,
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::AddrNotAvailable => {
            ProblemKind::User
        }
        _ => ProblemKind::System,
    };
    Problem::new(kind, format!("{address} cannot be listened on")).caused_by(e)
}

fn unusable_socket(path: &Path, e: &std::io::Error) -> Problem {
    let name = path.display();
    match e.kind() {
        std::io::ErrorKind::AddrInUse => {
            Problem::conflict(format!("a server listens at {name} already"))
        }
        std::io::ErrorKind::AlreadyExists => {
            Problem::conflict(format!("{name} is there and is no socket"))
        }
        std::io::ErrorKind::NotFound
        | std::io::ErrorKind::PermissionDenied
        | std::io::ErrorKind::InvalidInput => {
            Problem::user(format!("the socket {name} cannot be made")).caused_by(e)
        }
        _ => {
            let what = format!("the socket {name} cannot be made");
            Problem::new(ProblemKind::System, what).caused_by(e)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_of_an_address_is_loopback_and_the_protocols_port() {
        let said = |text| address(Some(text)).map(|a| a.to_string()).unwrap();
        assert_eq!(address(None).unwrap().to_string(), "127.0.0.1:10809");
        assert_eq!(said(":0"), "127.0.0.1:0");
        assert_eq!(said("10.0.0.1"), "10.0.0.1:10809");
        assert_eq!(said("::1"), "[::1]:10809");
        assert_eq!(said("[::1]:7"), "[::1]:7");
        assert!(address(Some("127.0.0.1:port")).is_err());
    }
}
