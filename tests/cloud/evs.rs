//! EVS as its reference has it: both families of paths, its limits, its order of checks, its ways to say no. What it
//! keeps is what Cinder keeps.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use snapdeck::wire::evs::Signing;

use super::PROJECT;
use super::cinder::{Cinder, Then, Thing, snapshot, volume};
use super::web::{Answer, Asked, unescape};

pub(crate) const ACCESS_KEY: &str = "EXAMPLEAK00000000001";
pub(crate) const SECRET_KEY: &str = "exampleSecretKeyForDocsOnly0000000000001";
/// A signature that is older, in seconds, is refused.
const HOLDS: i64 = 15 * 60;

pub(crate) struct Evs {
    /// What there is.
    pub(crate) kept: Cinder,
    /// Whether it has the paths of Cinder.
    pub(crate) native: bool,
    /// Whether it has the vendor's own.
    pub(crate) vendor: bool,
    /// Whether lists have links.
    pub(crate) links: bool,
    /// Its zones.
    pub(crate) zones: Vec<&'static str>,
    /// Every job fails.
    pub(crate) job_fails: bool,
    /// What jobs are about.
    jobs: HashMap<String, Value>,
}

type Answered = Result<Answer, Answer>;

fn evs(status: u16, code: &str, message: &str) -> Answer {
    Answer::new(status, json!({"error": {"code": code, "message": message}}))
}

fn gateway(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({"error_code": code, "error_msg": message, "request_id": "5f1c"});
    Answer::new(status, body)
}

pub(crate) fn not_signed() -> Answer {
    let text = "Incorrect IAM authentication information: verify aksk signature fail";
    gateway(401, "APIGW.0301", text)
}

/// Whether a call bears a right signature (section 8.6), by a clock that is so many seconds before ours.
pub(super) fn is_signed(asked: &Asked, ahead: i64) -> bool {
    let Some(proof) = asked.header("authorization") else {
        return false;
    };
    let Some(rest) = proof.strip_prefix("SDK-HMAC-SHA256 ") else {
        return false;
    };
    let part = |name: &str| {
        let mut parts = rest.split(',').map(str::trim);
        parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
    };
    let (Some(names), Some(said)) = (part("SignedHeaders"), part("Signature")) else {
        return false;
    };
    let names: Vec<&str> = names.split(';').collect();
    let date = asked.header("x-sdk-date").unwrap_or_default();
    let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date)
        .ok()
        .and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC).ok());
    let now = jiff::Timestamp::now().as_second() + ahead;
    let fresh = at.is_some_and(|at| (at.timestamp().as_second() - now).abs() < HOLDS);
    let must = ["host", "x-sdk-date"]
        .iter()
        .all(|name| names.contains(name));
    let headers: Option<Vec<(String, String)>> = names
        .iter()
        .map(|name| Some(((*name).to_owned(), asked.header(name)?.to_owned())))
        .collect();
    let (true, true, Some(headers)) = (fresh, must, headers) else {
        return false;
    };
    let signing = Signing {
        method: &asked.method,
        path: &asked.path,
        query: &asked.raw_query,
        headers,
        body: &asked.bytes,
    };
    part("Access") == Some(ACCESS_KEY) && signing.signature(SECRET_KEY) == said
}

impl Evs {
    pub(super) fn new() -> Self {
        Self {
            kept: Cinder::new("3.50"),
            native: true,
            vendor: true,
            links: true,
            zones: vec!["zone-b"],
            job_fails: false,
            jobs: HashMap::new(),
        }
    }

    /// A disk that is there already, with so many snapshots.
    pub(crate) fn seed(&mut self, name: &str, snapshots: usize) -> String {
        let id = self.kept.seed(name, snapshots);
        self.kept.set(&id, "size", json!(40));
        self.kept.set(&id, "availability_zone", json!("zone-b"));
        self.kept.set(&id, "volume_type", json!("SSD"));
        for own in &mut self.kept.snapshots {
            own.json["size"] = json!(40);
        }
        id
    }

    /// The ids of a disk's snapshots, the oldest first.
    pub(crate) fn snapshots_of(&self, volume: &str) -> Vec<String> {
        let own = self.kept.snapshots.iter();
        let own = own.filter(|thing| thing.json["volume_id"] == volume);
        own.map(|thing| thing.json["id"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(super) fn answer(&mut self, asked: &Asked, rest: &str, known: bool) -> Answer {
        self.kept.settle();
        if rest == "/" {
            let version = |id: &str| json!({"id": id, "min_version": "", "version": ""});
            let all = [version("v1.0"), version("v2.0"), version("v3.0")];
            return Answer::new(300, json!({"versions": all}));
        }
        let parts: Vec<&str> = rest.trim_matches('/').split('/').collect();
        let (version, project, path) = match parts.as_slice() {
            [version, project, path @ ..] => (*version, *project, path),
            _ => return gateway(404, "APIGW.0101", "The API does not exist"),
        };
        let vendor = path.first().is_some_and(|first| first.starts_with("cloud"));
        let there = match (version, vendor) {
            ("v2" | "v2.1", true) => self.vendor,
            ("v2", false) => {
                self.native || path[0] == "os-quota-sets" || path[0] == "os-availability-zone"
            }
            ("v1", false) => path[0] == "jobs",
            _ => false,
        };
        if !there {
            return gateway(
                404,
                "APIGW.0101",
                "The API does not exist or has not been published",
            );
        }
        if !known {
            return match asked.header("x-auth-token") {
                Some(_) => evs(401, "EVS.5401", "The token must be updated"),
                None => not_signed(),
            };
        }
        if project != PROJECT {
            return evs(400, "Common.0018", "Invalid token in the header.");
        }
        let (Ok(answer) | Err(answer)) = self.route(asked, version, path, vendor);
        answer.with("X-Request-Id", "evs-request")
    }

    fn route(&mut self, asked: &Asked, version: &str, path: &[&str], vendor: bool) -> Answered {
        match (asked.method.as_str(), path) {
            ("GET", ["jobs", id]) => self.job(id),
            ("GET", ["os-quota-sets", PROJECT]) => Ok(self.quotas(asked)),
            ("GET", ["os-availability-zone"]) => {
                let zone =
                    |name: &&str| json!({"zoneName": name, "zoneState": {"available": true}});
                let zones: Vec<Value> = self.zones.iter().map(zone).collect();
                Ok(Answer::ok(json!({"availabilityZoneInfo": zones})))
            }
            ("GET", ["snapshots" | "cloudsnapshots", "detail"]) => {
                self.list(asked, "snapshots", vendor)
            }
            ("GET", ["volumes" | "cloudvolumes", "detail"]) => self.list(asked, "volumes", vendor),
            ("GET", ["snapshots" | "cloudsnapshots", id]) => {
                let found = self.kept.find("snapshots", id)?;
                Ok(Answer::ok(
                    json!({"snapshot": shown(&found.json, true, false)}),
                ))
            }
            ("GET", ["volumes" | "cloudvolumes", id]) => {
                let found = self.kept.find("volumes", id)?;
                Ok(Answer::ok(json!({"volume": shown_disk(&found.json)})))
            }
            ("POST", ["snapshots" | "cloudsnapshots"]) => {
                self.make_snapshot(&asked.body["snapshot"], vendor)
            }
            ("PUT", ["snapshots" | "cloudsnapshots", id]) => {
                self.edit("snapshots", id, &asked.body["snapshot"])?;
                let found = self.kept.find("snapshots", id)?;
                Ok(Answer::ok(
                    json!({"snapshot": shown(&found.json, vendor, false)}),
                ))
            }
            ("PUT", ["volumes" | "cloudvolumes", id]) => {
                self.edit("volumes", id, &asked.body["volume"])?;
                let found = self.kept.find("volumes", id)?;
                Ok(Answer::ok(json!({"volume": shown_disk(&found.json)})))
            }
            ("DELETE", ["snapshots" | "cloudsnapshots", id]) => self.drop_snapshot(id),
            ("POST", ["os-vendor-snapshots" | "cloudsnapshots", id, "rollback"]) => {
                self.roll_back(id, &asked.body["rollback"])
            }
            (_, ["snapshots", id, "metadata", key @ ..]) => self.metadata(asked, id, key),
            ("POST", ["volumes"]) => {
                let made = self.make_volume(&asked.body["volume"])?;
                Ok(Answer::new(202, json!({"volume": shown_disk(&made)})))
            }
            ("POST", ["cloudvolumes"]) => {
                let made = self.make_volume(&asked.body["volume"])?;
                let id = made["id"].as_str().unwrap_or_default().to_owned();
                let job = self.begin("createVolume", &id);
                Ok(Answer::ok(match version {
                    "v2.1" => json!({"job_id": job, "volume_ids": [id]}),
                    _ => json!({"job_id": job}),
                }))
            }
            ("POST", ["volumes" | "cloudvolumes", id, "action"]) => {
                self.extend(id, &asked.body["os-extend"])?;
                let job = self.begin("extendVolume", id);
                Ok(match vendor {
                    true => Answer::ok(json!({"job_id": job})),
                    false => Answer::empty(202),
                })
            }
            ("DELETE", ["volumes" | "cloudvolumes", id]) => {
                let cascade = !vendor && asked.query("cascade") == Some("true");
                self.drop_volume(id, cascade)?;
                let job = self.begin("deleteVolume", id);
                Ok(match vendor {
                    true => Answer::ok(json!({"job_id": job})),
                    false => Answer::empty(202),
                })
            }
            _ => Err(gateway(404, "APIGW.0101", "The API does not exist")),
        }
    }

    fn list(&mut self, asked: &Asked, many: &str, vendor: bool) -> Answered {
        let number = |name: &str| -> Result<Option<usize>, Answer> {
            let text = format!("{name} param must be an integer.");
            let parse = |said: &str| said.parse().map_err(|_| evs(400, "EVS.5400", &text));
            asked.query(name).map(parse).transpose()
        };
        let limit = match number("limit")? {
            Some(0) => return Err(evs(400, "EVS.5400", "limit param must be positive.")),
            Some(limit) if limit > 1000 => {
                let text = "invalid filter limit, can not greater than 1000.";
                return Err(evs(400, "EVS.2142", text));
            }
            limit => limit.unwrap_or(1000),
        };
        if asked.query("with_count").is_some() || asked.query("sort").is_some() {
            let text = "Invalid query";
            return Err(Answer::fault(400, "badRequest", text));
        }
        let sorted = asked.query("sort_key").is_some();
        if many == "snapshots" && sorted {
            return Err(evs(400, "EVS.1039", "invalid sort_key!"));
        }
        let repeats = self.kept.repeats;
        let things = match many {
            "volumes" => &self.kept.volumes,
            _ => &self.kept.snapshots,
        };
        let mut all: Vec<Value> = things.iter().map(|thing| thing.json.clone()).collect();
        for key in ["name", "volume_id", "status"] {
            if let Some(wanted) = asked.query(key) {
                all.retain(|one| one[key] == wanted);
            }
        }
        all.sort_by_key(|one| (one["created_at"].to_string(), one["id"].to_string()));
        if asked.query("sort_dir") != Some("asc") {
            all.reverse();
        }
        let total = all.len();
        let mut rest = all;
        if let Some(marker) = asked.query("marker").filter(|_| !repeats) {
            if vendor && many == "snapshots" {
                return Err(evs(400, "EVS.1024", "invalid filter marker!"));
            }
            let at = rest.iter().position(|one| one["id"] == marker);
            let at = at.ok_or_else(|| evs(400, "EVS.1024", "invalid filter marker!"))?;
            rest.drain(..=at);
        }
        if let Some(offset) = number("offset")?.filter(|_| !repeats) {
            rest.drain(..offset.min(rest.len()));
        }
        let full = rest.len() > limit;
        rest.truncate(limit);
        let items: Vec<Value> = rest
            .iter()
            .map(|one| match many {
                "volumes" => shown_disk(one),
                _ => shown(one, true, vendor),
            })
            .collect();
        let link = (full && self.links).then(|| {
            let href = format!("http://inside.invalid/v2/{PROJECT}/{many}/detail?marker=x");
            json!([{"rel": "next", "href": href}])
        });
        let mut body = Map::new();
        body.insert(many.to_owned(), items.into());
        body.insert(format!("{many}_links"), link.unwrap_or(Value::Null));
        if vendor {
            body.insert("count".to_owned(), total.into());
        }
        Ok(Answer::ok(body.into()))
    }

    fn make_snapshot(&mut self, body: &Value, vendor: bool) -> Answered {
        if !body.is_object() {
            return Err(evs(400, "EVS.1052", "invalid http body!"));
        }
        let longer = |key: &str, most: usize| {
            let text = body[key].as_str().unwrap_or_default();
            text.chars().count() > most
        };
        if longer("name", 64) {
            return Err(evs(400, "EVS.1003", "invalid volume name!"));
        }
        if longer("description", 85) {
            return Err(evs(400, "EVS.1004", "invalid volume description!"));
        }
        reserved(&body["metadata"])?;
        let of = body["volume_id"].as_str().unwrap_or_default().to_owned();
        let disk = self.kept.find("volumes", &of)?.json.clone();
        let status = disk["status"].as_str().unwrap_or_default();
        let fit = match body["force"] == true {
            true => ["available", "in-use", "attaching"].contains(&status),
            false => status == "available",
        };
        if !fit {
            let text = format!(
                "Invalid volume: Volume {of} status must be available, but current status is: {status}."
            );
            return Err(Answer::fault(400, "badRequest", &text));
        }
        if self.kept.snapshots.len() >= self.kept.quota {
            return Err(match vendor {
                true => evs(413, "EVS.5413", "Insufficient volume quota."),
                false => Answer::fault(413, "overLimit", "Snapshots quota exceeded"),
            });
        }
        let (id, at) = (self.kept.id(), self.kept.time());
        let size = disk["size"].as_u64().unwrap_or(0);
        let json = snapshot(&id, &at, body, size, "creating");
        let then = if self.kept.fails {
            "error"
        } else {
            "available"
        };
        let due = Cinder::soon(Then::Become(then));
        let answer = json!({"snapshot": shown(&json, vendor, false)});
        self.kept.snapshots.push(Thing { json, due });
        Ok(Answer::new(202, answer))
    }

    fn edit(&mut self, many: &str, id: &str, body: &Value) -> Result<(), Answer> {
        let texts = ["name", "description"].map(|key| body[key].as_str().unwrap_or_default());
        if texts == ["", ""] {
            let text = "volume name and description can not both be empty!";
            return Err(evs(400, "EVS.1007", text));
        }
        if texts[0].chars().count() > 64 {
            return Err(evs(400, "EVS.1003", "invalid volume name!"));
        }
        if texts[1].chars().count() > 85 {
            return Err(evs(400, "EVS.1004", "invalid volume description!"));
        }
        let at = self.kept.time();
        let thing = self.kept.find(many, id)?;
        for key in ["name", "description"] {
            if let Some(text) = body[key].as_str() {
                thing.json[key] = text.into();
            }
        }
        thing.json["updated_at"] = at.into();
        Ok(())
    }

    fn drop_snapshot(&mut self, id: &str) -> Answered {
        let found = self.kept.find("snapshots", id)?;
        if found.json["status"] != "available" && found.json["status"] != "error" {
            let text = "snapshot status must be available or error when delete snapshot!";
            return Err(evs(400, "EVS.1047", text));
        }
        found.json["status"] = "deleting".into();
        found.due = Cinder::soon(Then::Go);
        Ok(Answer::empty(202))
    }

    fn roll_back(&mut self, id: &str, body: &Value) -> Answered {
        let snapshot = self.kept.find("snapshots", id)?.json.clone();
        let wanted = body["volume_id"].as_str().unwrap_or_default().to_owned();
        if snapshot["volume_id"] != wanted.as_str() {
            return Err(evs(400, "EVS.1002", "invalid volume id!"));
        }
        let name = snapshot["name"].as_str().unwrap_or_default();
        if name.starts_with("autobk_snapshot_") {
            return Err(evs(400, "EVS.1070", "invalid request."));
        }
        let disk = self.kept.find("volumes", &wanted)?.json.clone();
        if disk["status"] != "available" && disk["status"] != "error_rollbacking" {
            return Err(evs(400, "EVS.1031", "invalid resources status!"));
        }
        if snapshot["status"] != "available" {
            let text = "The status of snapshot is not available or backing-up.";
            return Err(evs(400, "EVS.2043", text));
        }
        let fails = self.kept.fails;
        let at = self.kept.time();
        let snapshot = self.kept.find("snapshots", id)?;
        snapshot.json["status"] = "rollbacking".into();
        snapshot.due = Cinder::soon(Then::Become("available"));
        let disk = self.kept.find("volumes", &wanted)?;
        disk.json["status"] = "rollbacking".into();
        disk.json["updated_at"] = at.into();
        disk.due = Cinder::soon(Then::Become(match fails {
            true => "error_rollbacking",
            false => "available",
        }));
        Ok(Answer::new(202, json!({"rollback": {"volume_id": wanted}})))
    }

    fn metadata(&mut self, asked: &Asked, id: &str, key: &[&str]) -> Answered {
        let found = self.kept.find("snapshots", id)?;
        let missing = || evs(404, "EVS.5404", "Resource(Snapshot) cound not be found.");
        match (asked.method.as_str(), key) {
            ("POST", []) => {
                let said = asked.body["metadata"].as_object();
                let said = said.ok_or_else(|| evs(400, "EVS.5400", "Malformed request body."))?;
                reserved(&asked.body["metadata"])?;
                if said.iter().any(|(k, v)| {
                    k.is_empty() || k.len() > 255 || v.as_str().is_none_or(|v| v.len() > 255)
                }) {
                    return Err(evs(400, "EVS.5400", "Malformed request body."));
                }
                for (key, value) in said {
                    found.json["metadata"][key] = value.clone();
                }
                Ok(Answer::ok(json!({"metadata": found.json["metadata"]})))
            }
            ("DELETE", [key]) => {
                let own = found.json["metadata"].as_object_mut().ok_or_else(missing)?;
                own.remove(&unescape(key)).ok_or_else(missing)?;
                Ok(Answer::empty(200))
            }
            _ => Err(gateway(404, "APIGW.0101", "The API does not exist")),
        }
    }

    fn make_volume(&mut self, body: &Value) -> Result<Value, Answer> {
        let zone = body["availability_zone"].as_str().unwrap_or_default();
        if !self.zones.contains(&zone) {
            return Err(evs(400, "EVS.1036", "invalid availability zone!"));
        }
        let mut body = body.clone();
        if let Some(source) = body["snapshot_id"].as_str().map(str::to_owned) {
            let snapshot = self.kept.find("snapshots", &source)?.json.clone();
            if snapshot["status"] != "available" && snapshot["status"] != "backing-up" {
                let text = "The status of snapshot is not available or backing-up.";
                return Err(evs(400, "EVS.2043", text));
            }
            let of = snapshot["volume_id"].as_str().unwrap_or_default();
            if let Ok(disk) = self.kept.find("volumes", of)
                && disk.json["availability_zone"] != zone
            {
                let text = "Cannot create volume from snapshot as the az is invalid!";
                return Err(evs(400, "EVS.2054", text));
            }
            if body["size"].is_null() {
                body["size"] = snapshot["size"].clone();
            }
            if body["size"].as_u64() < snapshot["size"].as_u64() {
                return Err(evs(400, "EVS.1010", "invalid volume size!"));
            }
        }
        let size = body["size"].as_u64();
        if size.is_none_or(|size| !(10..=32_768).contains(&size)) {
            return Err(evs(400, "EVS.1010", "invalid volume size!"));
        }
        let (id, at) = (self.kept.id(), self.kept.time());
        let mut json = volume(&id, &at, body.clone(), "creating");
        json["availability_zone"] = zone.into();
        json["volume_type"] = match body["volume_type"].as_str() {
            Some(kind) => kind.into(),
            None => "SSD".into(),
        };
        let then = match self.kept.fails || self.job_fails {
            true => "error",
            false => "available",
        };
        let due = Cinder::soon(Then::Become(then));
        let thing = Thing {
            json: json.clone(),
            due,
        };
        self.kept.volumes.push(thing);
        Ok(json)
    }

    fn extend(&mut self, id: &str, body: &Value) -> Result<(), Answer> {
        let disk = self.kept.find("volumes", id)?;
        if disk.json["status"] != "available" && disk.json["status"] != "in-use" {
            return Err(evs(400, "EVS.1064", "status must be available or in-use"));
        }
        let size = body["new_size"].as_u64();
        let size = size.filter(|size| Some(*size) > disk.json["size"].as_u64());
        let size = size.ok_or_else(|| evs(400, "EVS.1010", "invalid volume size!"))?;
        disk.json["status"] = "extending".into();
        disk.due = Cinder::soon(Then::Grow(size));
        Ok(())
    }

    fn drop_volume(&mut self, id: &str, cascade: bool) -> Result<(), Answer> {
        let mut own = self.kept.snapshots.iter();
        let own = own.any(|s| s.json["volume_id"] == id);
        let disk = self.kept.find("volumes", id)?;
        let status = disk.json["status"].as_str().unwrap_or_default();
        let fit = [
            "available",
            "error",
            "error_extending",
            "error_restoring",
            "error_rollbacking",
        ];
        if !fit.contains(&status) {
            return Err(evs(
                400,
                "EVS.1046",
                "volume status must be available, error, …",
            ));
        }
        if own && !cascade {
            let text = "Invalid volume: it has snapshots.";
            return Err(Answer::fault(400, "badRequest", text));
        }
        disk.json["status"] = "deleting".into();
        disk.due = Cinder::soon(Then::Go);
        for snapshot in &mut self.kept.snapshots {
            if snapshot.json["volume_id"] == id {
                snapshot.due = Cinder::soon(Then::Go);
            }
        }
        Ok(())
    }

    fn begin(&mut self, kind: &str, volume: &str) -> String {
        let id = self.kept.id();
        let job = json!({"job_id": id, "job_type": kind, "begin_time": "2026-03-04T05:06:07.120Z",
            "entities": {"volume_id": volume}});
        self.jobs.insert(id.clone(), job);
        id
    }

    fn job(&mut self, id: &str) -> Answered {
        let missing = || evs(400, "Common.0011", "No jobs found.");
        let mut job = self.jobs.get(id).cloned().ok_or_else(missing)?;
        let of = job["entities"]["volume_id"].as_str().unwrap_or_default();
        let busy = match self.kept.find("volumes", of) {
            Ok(disk) => disk.due.is_some(),
            Err(_) => false,
        };
        let status = match (busy, self.job_fails) {
            (true, _) => "RUNNING",
            (false, true) => "FAIL",
            (false, false) => "SUCCESS",
        };
        job["status"] = status.into();
        job["end_time"] = if busy { "" } else { "2026-03-04T05:06:09.000Z" }.into();
        if status == "FAIL" {
            job["error_code"] = "EVS.2024".into();
            job["fail_reason"] = "no backend has room".into();
        }
        Ok(Answer::ok(job))
    }

    fn quotas(&self, asked: &Asked) -> Answer {
        let snapshots = self.kept.snapshots.len();
        let volumes = self.kept.volumes.len();
        let of = |used: usize, limit: i64| match asked.query("usage") {
            Some("True") => json!({"reserved": 0, "in_use": used, "limit": limit}),
            _ => json!(limit),
        };
        let most = i64::try_from(self.kept.quota).unwrap();
        Answer::ok(
            json!({"quota_set": {"id": PROJECT, "snapshots": of(snapshots, most),
            "volumes": of(volumes, -1), "gigabytes": of(120, 12_500),
            "snapshots_SSD": of(snapshots, 7)}}),
        )
    }
}

/// "Keys starting with `__system__` are reserved to the service."
fn reserved(metadata: &Value) -> Result<(), Answer> {
    let mut keys = metadata.as_object().into_iter().flat_map(Map::keys);
    match keys.any(|key| key.starts_with("__system__")) {
        true => Err(evs(403, "EVS.5403", "metadata can not be operated.")),
        false => Ok(()),
    }
}

/// Nine fields in every view, two more in some, three more in the vendor's list.
fn shown(snapshot: &Value, more: bool, vendor_list: bool) -> Value {
    let mut view = Map::new();
    for key in [
        "id",
        "volume_id",
        "name",
        "description",
        "size",
        "status",
        "metadata",
        "created_at",
        "updated_at",
    ] {
        view.insert(key.to_owned(), snapshot[key].clone());
    }
    if more {
        let prefix = "os-extended-snapshot-attributes";
        view.insert(format!("{prefix}:project_id"), PROJECT.into());
        let progress = match snapshot["status"].as_str() {
            Some("creating") => "0%",
            _ => "100%",
        };
        view.insert(format!("{prefix}:progress"), progress.into());
    }
    if vendor_list {
        view.insert("dedicated_storage_id".to_owned(), Value::Null);
        view.insert("dedicated_storage_name".to_owned(), Value::Null);
        view.insert("service_type".to_owned(), "EVS".into());
    }
    Value::Object(view)
}

/// A disk without what is Cinder's own.
fn shown_disk(disk: &Value) -> Value {
    let mut view = disk.clone();
    if let Some(map) = view.as_object_mut() {
        for key in ["group_id", "consumes_quota", "volume_type_id"] {
            map.remove(key);
        }
    }
    view
}
