//! Looking into a service step by step, to say where it ends and why.

use std::net::ToSocketAddrs as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use x509_parser::parse_x509_certificate;

use super::dialect::Cinder;
use super::plan::quota_lines;
use super::session::{Ask, Session, Signed};
use crate::config::Account;
use crate::http::{Client, Method, Request, Response};
use crate::model::{Kind, Problem, ProblemKind, Query, Time};
use crate::provider::{Connection, Finding, Reader};
use crate::wire::cinder::Limits;

/// A clock that is off by more than this is told, in seconds.
const SKEW: i64 = 30;
/// A certificate that ends sooner than this is told, in days.
const SOON: i64 = 30;
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// Walks the steps and tells each finding; ends at the first that fails.
pub async fn examine(
    client: Client,
    account: Account,
    read_only: bool,
    mut tell: impl FnMut(Finding) + Send,
) {
    let over = |session| super::over("doctor", session, read_only);
    examine_over(client, account, read_only, over, &mut tell).await;
}

/// The same for what is built upon block storage; the connection, where all is well.
pub(in crate::provider) async fn examine_over(
    client: Client,
    account: Account,
    read_only: bool,
    over: impl FnOnce(Session) -> Connection + Send,
    tell: &mut (impl FnMut(Finding) + Send),
) -> Option<Connection> {
    match walk(client, account, read_only, over, tell).await {
        Ok(connection) => Some(connection),
        Err(end) => {
            tell_end(Err(end), tell);
            None
        }
    }
}

/// Tells where a walk ended.
pub(in crate::provider) fn tell_end(walked: Step<()>, tell: &mut impl FnMut(Finding)) {
    if let Err((step, problem)) = walked {
        tell(Finding {
            step,
            told: Vec::new(),
            problem: Some(problem),
        });
    }
}

pub(in crate::provider) type Step<T> = Result<T, (&'static str, Problem)>;

pub(in crate::provider) fn at<T>(step: &'static str, result: Result<T, Problem>) -> Step<T> {
    result.map_err(|problem| (step, problem))
}

async fn walk(
    client: Client,
    account: Account,
    read_only: bool,
    over: impl FnOnce(Session) -> Connection + Send,
    tell: &mut (impl FnMut(Finding) + Send),
) -> Step<Connection> {
    let mut well = |step: &'static str, told: Vec<String>| {
        tell(Finding {
            step,
            told,
            problem: None,
        });
    };
    let session = Session::new(client.clone(), account.clone(), Arc::new(Cinder));
    reach(&client, &session.identity(), account.insecure, &mut well).await?;

    let signed = at("sign-in", session.signed().await)?;
    well("sign-in", signed_in(&signed));
    well(
        "catalog",
        vec![
            format!("block storage at {}", signed.volume),
            match &signed.compute {
                Some(url) => format!("compute at {url}"),
                None => "no compute service: machines are shown by their ids".to_owned(),
            },
        ],
    );

    let session = at("versions", Session::open(client, account).await)?;
    let version = session.version;
    let limits = session
        .read(&Ask::get("/limits"), "the limits cannot be read")
        .await;
    let connection = over(session);
    let reader = &*connection.reader;
    let missing: Vec<String> = reader
        .capabilities()
        .operations
        .iter()
        .filter_map(|spec| match &spec.availability {
            crate::model::Availability::Unsupported(why) if why.contains("needs") => {
                Some(format!("no {}: {why}", spec.kind))
            }
            _ => None,
        })
        .collect();
    let mut told = vec![format!("microversion {version}")];
    told.extend(missing);
    well("versions", told);

    let roles: Vec<&str> = signed
        .said
        .roles
        .iter()
        .map(|role| role.name.as_str())
        .collect();
    let mut told = vec![format!("roles: {}", roles.join(", "))];
    let only_reads = !roles.is_empty() && roles.iter().all(|role| *role == "reader");
    if only_reads {
        told.push("the account can look, and change nothing".to_owned());
    }
    if read_only {
        told.push("the profile is read-only: nothing is changed from here".to_owned());
    }
    if let Ok(answer) = &limits
        && let Ok(mut body) =
            serde_json::from_slice::<std::collections::BTreeMap<String, Limits>>(&answer.body)
        && let Some(limits) = body.remove("limits")
    {
        told.extend(quota_lines(&limits, &["Volumes", "Snapshots", "Gigabytes"]));
    }
    well("permissions", told);

    for &kind in &reader.capabilities().kinds {
        well(
            kind.many(),
            vec![at(kind.many(), first_page(reader, kind).await)?],
        );
    }
    Ok(connection)
}

/// Who is signed in for what.
pub(in crate::provider) fn signed_in(signed: &Signed) -> Vec<String> {
    let name = |of: &Option<crate::wire::keystone::Reference>| match of {
        Some(found) if !found.name.is_empty() => found.name.clone(),
        Some(found) => found.id.clone(),
        None => "none".to_owned(),
    };
    let mut told = vec![format!(
        "as {} for the project {}",
        name(&signed.said.user),
        name(&signed.said.project)
    )];
    if let Some(until) = &signed.said.expires_at {
        told.push(format!(
            "the token holds until {until}, and is renewed before"
        ));
    }
    told
}

/// The steps up to an answer of whatever is at an address: name, connection, TLS, clock.
pub(in crate::provider) async fn reach(
    client: &Client,
    url: &str,
    insecure: bool,
    well: &mut (impl FnMut(&'static str, Vec<String>) + Send),
) -> Step<Response> {
    let (host, port, tls) = at("name", address(url))?;
    let found = at("name", resolve(&host, port).await)?;
    let told: Vec<String> = found.iter().map(|a| a.ip().to_string()).collect();
    well("name", vec![format!("{host} is {}", told.join(", "))]);

    let proxied = [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ]
    .into_iter()
    .find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    match proxied {
        Some(name) => well(
            "connection",
            vec![format!("by the proxy of {name}; not tried alone")],
        ),
        None => {
            let told = at("connection", connect(&found).await)?;
            well("connection", vec![told]);
        }
    }

    let what = format!("{url} does not answer");
    let answer = client.send(&Request::new(Method::Get, url)).await;
    let step = if tls { "tls" } else { "answer" };
    let answer = at(step, answer.map_err(|e| e.problem(what)))?;
    if tls {
        well("tls", at("tls", certificate(&answer, insecure))?);
    } else {
        well(
            "tls",
            vec!["none: the password goes over the wire as it is".to_owned()],
        );
    }
    well("clock", vec![skew(&answer)]);
    Ok(answer)
}

pub(in crate::provider) async fn first_page(
    reader: &dyn Reader,
    kind: Kind,
) -> Result<String, Problem> {
    let begun = Instant::now();
    let page = reader.list(Query::all(kind)).next().await;
    let page = page.ok_or_else(|| Problem::new(ProblemKind::System, "the list has no page"))??;
    let of = match page.total {
        Some(total) => format!(" of {total}"),
        None => String::new(),
    };
    Ok(format!(
        "{}{of} on the first page, after {} ms",
        page.items.len(),
        begun.elapsed().as_millis()
    ))
}

/// Host, port, and whether TLS is spoken there.
fn address(url: &str) -> Result<(String, u16, bool), Problem> {
    let wrong = |why: &str| {
        Problem::new(
            ProblemKind::Config,
            format!("\"{url}\" is no address: {why}"),
        )
        .hint("look at the endpoint in the profile")
    };
    let url_parsed = reqwest::Url::parse(url).map_err(|e| wrong(&e.to_string()))?;
    let host = url_parsed
        .host_str()
        .ok_or_else(|| wrong("it names no host"))?;
    let port = url_parsed
        .port_or_known_default()
        .ok_or_else(|| wrong("it begins with neither http:// nor https://"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Ok((host.to_owned(), port, url_parsed.scheme() == "https"))
}

async fn resolve(host: &str, port: u16) -> Result<Vec<std::net::SocketAddr>, Problem> {
    let name = host.to_owned();
    let found = tokio::task::spawn_blocking(move || (name.as_str(), port).to_socket_addrs()).await;
    let failed = |why: String| {
        Problem::new(
            ProblemKind::Network,
            format!("the name {host} is not known"),
        )
        .because(why)
        .hint("look at the name in the endpoint, and at this machine's name service")
    };
    let found = found
        .map_err(|e| failed(e.to_string()))?
        .map_err(|e| failed(e.to_string()))?;
    let all: Vec<_> = found.collect();
    match all.is_empty() {
        true => Err(failed("it has no address".to_owned())),
        false => Ok(all),
    }
}

async fn connect(addresses: &[std::net::SocketAddr]) -> Result<String, Problem> {
    let mut problem = Problem::new(ProblemKind::Network, "nobody takes a connection there")
        .hint("look whether the service runs, and what stands between: routes, firewalls, a VPN");
    for address in addresses {
        let begun = Instant::now();
        match tokio::time::timeout(CONNECT, tokio::net::TcpStream::connect(address)).await {
            Ok(Ok(_)) => {
                return Ok(format!("{address} in {} ms", begun.elapsed().as_millis()));
            }
            Ok(Err(e)) => problem = problem.because(format!("{address}: {e}")),
            Err(_) => {
                problem =
                    problem.because(format!("{address}: nothing for {} s", CONNECT.as_secs()));
            }
        }
    }
    Err(problem)
}

fn certificate(answer: &Response, insecure: bool) -> Result<Vec<String>, Problem> {
    let mut told = Vec::new();
    if insecure {
        told.push(
            "NOT CHECKED: the profile says insecure, and anybody can be at the other end"
                .to_owned(),
        );
    } else {
        told.push("the chain of certificates is trusted".to_owned());
    }
    let Some(der) = &answer.certificate else {
        return Ok(told);
    };
    let (_, certificate) = parse_x509_certificate(der).map_err(|e| {
        Problem::new(ProblemKind::System, "the certificate cannot be understood")
            .because(e.to_string())
    })?;
    told.push(format!(
        "{} by {}",
        certificate.subject(),
        certificate.issuer()
    ));
    let days = (certificate.validity().not_after.timestamp() - Time::now().as_second()) / 86_400;
    told.push(match days {
        ..0 => "it has run out".to_owned(),
        0..=SOON => format!("it runs out in {days} days: have it renewed"),
        _ => format!("it holds for {days} days more"),
    });
    Ok(told)
}

/// How far the clocks are apart.
fn skew(answer: &Response) -> String {
    match answer.clock_ahead() {
        None => "the other side does not tell its time".to_owned(),
        Some(apart) if apart.abs() <= SKEW => "the clocks agree".to_owned(),
        Some(apart) => format!(
            "the clocks are {} s apart: tokens may seem to have run out; look at both clocks",
            apart.abs()
        ),
    }
}
