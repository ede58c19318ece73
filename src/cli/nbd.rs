//! `snapdeck nbd`: a volume or a snapshot as a network block device.

use std::io::Write as _;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::EXIT_INTERRUPTED;
use super::args::{GlobalOptions, NbdArgs};
use super::nbd_service::NbdService;
use super::open::{Purpose, open};
use crate::model::{Problem, ProblemKind};
use crate::provider::Resolver;
use crate::share::{NbdRequest, Services as _};

/// Serves until it is told to stop, then finishes what is under way and closes the store.
/// Where another program has the store, that one serves as long as this command runs.
pub(super) async fn nbd(options: &GlobalOptions, args: &NbdArgs) -> Result<u8, Problem> {
    let failed = |e: std::io::Error| Problem::new(ProblemKind::System, e.to_string());
    let mut opened = open(options, Purpose::Follow).await?;
    let reader = &*opened.connection.reader;
    let object = Resolver::new(reader).find_content(&args.source).await?;
    let request = NbdRequest {
        object: object.reference(),
        name: object.full_name(),
        unix: match &args.unix {
            Some(path) => Some(std::path::absolute(path).map_err(failed)?),
            None => None,
        },
        listen: args.listen.clone(),
        read_only: options.read_only,
    };
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    if let Some(host) = opened.guest_of() {
        let served = tokio::select! {
            served = host.nbd(request, |note| say(&note)) => served,
            () = either(&mut terminate, &mut interrupt) => {
                say("stopping");
                Ok(())
            }
        };
        opened.close().await?;
        return served.map(|()| 0);
    }
    let service = NbdService::new(opened.store()?);
    opened.let_others_in();
    let (notes, mut heard) = mpsc::unbounded_channel::<String>();
    let stop = CancellationToken::new();
    let mut work = service.nbd(request, notes, stop.clone());
    let ended = loop {
        tokio::select! {
            ended = &mut work => break ended,
            Some(note) = heard.recv() => say(&note),
            () = either(&mut terminate, &mut interrupt) => {
                // Asked twice: what was flushed is safe.
                if stop.is_cancelled() {
                    return Ok(EXIT_INTERRUPTED);
                }
                say("stopping");
                stop.cancel();
            }
        }
    };
    while let Ok(note) = heard.try_recv() {
        say(&note);
    }
    let closed = opened.close().await;
    ended?;
    closed?;
    Ok(0)
}

/// Tells the administrator. That nobody listens any more must not end the service.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

async fn either(a: &mut Signal, b: &mut Signal) {
    tokio::select! {
        _ = a.recv() => {}
        _ = b.recv() => {}
    }
}
