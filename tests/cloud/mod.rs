//! A cloud to test against: Keystone and Cinder as far as a client can tell, with a memory, made after the recorded
//! answers in `tests/recorded/cinder/`, and EVS, ViPR and ZStack, made after their references. It stands in for a peer and for its faults; it
//! is no cloud.

#![allow(dead_code, reason = "each test file uses a part of it")]
mod cinder;
pub(crate) mod drive;
mod evs;
mod powervc;
pub(crate) mod vipr;
mod web;
pub(crate) mod zstack;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use snapdeck::config::{AccessKey, Account, Auth, Login, Named, Scope};
use snapdeck::http::{Client, Limits, Options, Trace};

pub(crate) use cinder::Cinder;
pub(crate) use evs::{ACCESS_KEY, Evs, SECRET_KEY};
pub(crate) use powervc::Power;
pub(crate) use web::{Answer, Asked};

/// The project of everything in it.
pub(crate) const PROJECT: &str = "132002f646e744c6b4086bdc56a91639";
const PASSWORD: &str = "correct horse";

/// What goes wrong with a call.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The connection is closed; what was asked for was done.
    LoseAnswer,
    /// The connection is closed, and nothing was done.
    LoseCall,
    /// This answer instead, and nothing is done.
    Say(Answer),
    /// Nothing is ever said, and nothing is done.
    Hang,
    /// Nothing is ever said; what was asked for was done.
    HoldAnswer,
    /// The body ends before it should.
    Truncate,
    /// The body has no end.
    Flood,
    /// A byte now and then.
    Drip,
    /// Every token has run out.
    Expire,
}

/// When something goes wrong.
#[derive(Clone, Debug)]
pub(crate) struct When {
    method: &'static str,
    path: &'static str,
    /// How many calls it befalls.
    left: usize,
    fault: Fault,
}

pub(crate) struct State {
    pub(crate) cinder: Cinder,
    pub(crate) power: Power,
    pub(crate) evs: Evs,
    pub(crate) vipr: vipr::Vipr,
    pub(crate) zstack: zstack::ZStack,
    /// How far its clock is before ours, in seconds.
    pub(crate) ahead: i64,
    tokens: HashSet<String>,
    sign_ins: usize,
    refuses: bool,
    /// The catalog has no compute service.
    pub(crate) without_compute: bool,
    faults: Vec<When>,
    log: Vec<Asked>,
}

/// The cloud, until it is dropped.
pub(crate) struct Cloud {
    port: u16,
    pub(crate) state: Arc<Mutex<State>>,
    job: tokio::task::JoinHandle<()>,
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.job.abort();
    }
}

impl Cloud {
    pub(crate) async fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            cinder: Cinder::new("3.71"),
            power: Power::default(),
            evs: Evs::new(),
            vipr: vipr::Vipr::new(),
            zstack: zstack::ZStack::new(),
            ahead: 0,
            tokens: HashSet::new(),
            sign_ins: 0,
            refuses: false,
            without_compute: false,
            faults: Vec::new(),
            log: Vec::new(),
        }));
        let (port, job) = web::serve(state.clone()).await;
        Self { port, state, job }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}/identity/v3", self.port)
    }

    /// From now on this befalls so many calls of this method whose path has this in it.
    pub(crate) fn befall(
        &self,
        method: &'static str,
        path: &'static str,
        left: usize,
        fault: Fault,
    ) {
        let when = When {
            method,
            path,
            left,
            fault,
        };
        self.state.lock().faults.push(when);
    }

    /// Nothing goes wrong from now on.
    pub(crate) fn heal(&self) {
        let mut state = self.state.lock();
        state.faults.clear();
        state.refuses = false;
        state.cinder.repeats = false;
    }

    pub(crate) fn refuse_sign_in(&self) {
        self.state.lock().refuses = true;
    }

    pub(crate) fn sign_ins(&self) -> usize {
        self.state.lock().sign_ins
    }

    /// The calls of this method whose path has this in it.
    pub(crate) fn heard(&self, method: &str, path: &str) -> Vec<Asked> {
        let state = self.state.lock();
        let fits = |asked: &&Asked| asked.method == method && asked.path.contains(path);
        state.log.iter().filter(fits).cloned().collect()
    }

    pub(crate) fn account(&self) -> Account {
        let named = |name: &str| Named {
            id: None,
            name: Some(name.to_owned()),
            domain_id: None,
            domain_name: Some("Default".to_owned()),
        };
        Account {
            endpoint: self.endpoint(),
            auth: Auth::Password {
                user: named("demo"),
                password: PASSWORD.to_owned().into(),
            },
            scope: Scope::Project(named("demo")),
            region: Some("RegionOne".to_owned()),
            interface: "public".to_owned(),
            volume_endpoint: None,
            usual_service: None,
            all_tenants: false,
            ca_bundle: None,
            insecure: false,
        }
    }

    /// The address of ViPR.
    pub(crate) fn vipr(&self) -> String {
        format!("http://127.0.0.1:{}/vipr", self.port)
    }

    /// An account there, for all projects.
    pub(crate) fn root(&self) -> Account {
        Account {
            endpoint: self.vipr(),
            auth: Auth::Login(Login {
                user: "root".to_owned(),
                password: PASSWORD.to_owned().into(),
                proxy: None,
            }),
            scope: Scope::Own,
            ..self.account()
        }
    }

    /// The address of EVS.
    pub(crate) fn evs(&self) -> String {
        format!("http://127.0.0.1:{}/evs", self.port)
    }

    /// An account that signs each call, for the project of this name or this id.
    pub(crate) fn keys(&self, name: Option<&str>, id: Option<&str>) -> Account {
        Account {
            auth: Auth::Keys(AccessKey {
                id: ACCESS_KEY.to_owned(),
                secret: SECRET_KEY.to_owned().into(),
                token: None,
            }),
            scope: Scope::Project(Named {
                id: id.map(str::to_owned),
                name: name.map(str::to_owned),
                domain_id: None,
                domain_name: None,
            }),
            volume_endpoint: Some(self.evs()),
            ..self.account()
        }
    }

    /// The address of ZStack.
    pub(crate) fn zstack(&self) -> String {
        format!("http://127.0.0.1:{}/zstack", self.port)
    }

    /// An account of ZStack.
    pub(crate) fn zstack_account(&self, auth: Auth) -> Account {
        Account {
            endpoint: self.zstack(),
            auth,
            scope: Scope::Own,
            region: None,
            ..self.account()
        }
    }

    pub(crate) fn client(&self) -> Client {
        let limits = Limits {
            connect: Duration::from_secs(5),
            first_byte: Duration::from_secs(1),
            between: Duration::from_secs(1),
            whole: Duration::from_secs(4),
            body: 8 << 20,
            calls: 8,
            attempts: 3,
        };
        let options = Options {
            limits,
            ..Options::default()
        };
        Client::new(&options, Arc::new(Trace::default())).unwrap()
    }
}

impl State {
    /// What befalls this call.
    fn befalls(&mut self, asked: &Asked) -> Option<Fault> {
        let fits = |when: &&mut When| {
            when.left > 0 && when.method == asked.method && asked.path.contains(when.path)
        };
        let when = self.faults.iter_mut().find(fits)?;
        when.left -= 1;
        Some(when.fault.clone())
    }

    fn answer(&mut self, asked: &Asked, base: &str) -> Answer {
        let path = asked.path.clone();
        if let Some(rest) = path.strip_prefix("/identity/v3") {
            return self.identity(asked, rest, base);
        }
        if let Some(rest) = path.strip_prefix("/compute/v2.1") {
            return match self.knows(asked) {
                true => {
                    let rest = rest.to_owned();
                    self.power.compute(&mut self.cinder, asked, &rest, base)
                }
                false => unauthorized(),
            };
        }
        if let Some(rest) = path.strip_prefix("/evs") {
            let known = self.knows(asked) || evs::is_signed(asked, self.ahead);
            return self.evs.answer(asked, rest, known);
        }
        if let Some(rest) = path.strip_prefix("/vipr") {
            return self.vipr.answer(asked, rest, base);
        }
        if let Some(rest) = path.strip_prefix("/zstack") {
            return self.zstack.answer(asked, rest, base);
        }
        let Some(rest) = path.strip_prefix("/volume/v3/") else {
            return Answer::fault(404, "itemNotFound", "The resource could not be found.");
        };
        if !self.knows(asked) {
            return unauthorized();
        }
        if rest.is_empty() {
            return self.cinder.versions();
        }
        match rest.strip_prefix(PROJECT) {
            Some(rest) => {
                let rest = rest.to_owned();
                let own = self.power.volume(&mut self.cinder, asked, &rest, base);
                own.unwrap_or_else(|| self.cinder.answer(asked, &rest))
            }
            None => Answer::fault(400, "badRequest", "Malformed request url"),
        }
    }

    fn knows(&self, asked: &Asked) -> bool {
        let token = asked.header("x-auth-token");
        token.is_some_and(|token| self.tokens.contains(token))
    }

    fn identity(&mut self, asked: &Asked, rest: &str, base: &str) -> Answer {
        if rest.is_empty() {
            return Answer::ok(json!({"version": {"id": "v3.14", "status": "stable"}}));
        }
        if (asked.method.as_str(), rest) == ("GET", "/projects") {
            let id = match asked.query("name") {
                Some("RegionOne") => vec![json!({"id": PROJECT, "name": "RegionOne"})],
                _ => Vec::new(),
            };
            return match evs::is_signed(asked, self.ahead) {
                true => Answer::ok(json!({"projects": id})),
                false => evs::not_signed(),
            };
        }
        if (asked.method.as_str(), rest) != ("POST", "/auth/tokens") {
            return Answer::fault(404, "error", "not found");
        }
        self.sign_ins += 1;
        let said = asked.body["auth"]["identity"]["password"]["user"]["password"].as_str();
        if self.refuses || said != Some(PASSWORD) {
            return unauthorized();
        }
        let token = format!("TOKEN-{}", self.sign_ins);
        self.tokens.insert(token.clone());
        let at = |kind: &str, url: String| {
            json!({"type": kind, "name": kind, "endpoints": [
                {"interface": "public", "region": "RegionOne", "region_id": "RegionOne", "url": url},
            ]})
        };
        let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
        let mut body = json!({"token": {
            "methods": ["password"], "expires_at": expires.to_string(),
            "user": {"id": "u", "name": "demo"}, "project": {"id": PROJECT, "name": "demo"},
            "roles": [{"id": "r", "name": "member"}],
            "catalog": [
                at("volumev3", format!("{base}/volume/v3/{PROJECT}")),
                at("volumev2", format!("{base}/evs/v2/{PROJECT}")),
            ],
        }});
        if !self.without_compute
            && let Some(catalog) = body["token"]["catalog"].as_array_mut()
        {
            catalog.push(at("compute", format!("{base}/compute/v2.1")));
        }
        Answer::new(201, body).with("X-Subject-Token", &token)
    }

    fn expire(&mut self) {
        self.tokens.clear();
        self.vipr.tokens.clear();
        self.zstack.sessions.clear();
    }
}

fn unauthorized() -> Answer {
    let message = "The request you have made requires authentication.";
    let body: Value = json!({"error": {"code": 401, "title": "Unauthorized", "message": message}});
    Answer::new(401, body)
}
