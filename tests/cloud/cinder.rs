//! Block storage with a memory: what is begun is over a moment later.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::web::{Answer, Asked, unescape};

/// How long everything takes.
const MOMENT: Duration = Duration::from_millis(30);
/// The most that a page has.
const MOST: usize = 1000;
const GROUP_TYPE: &str = "42dce869-39b1-4ebf-a6a7-aefb79a7bc18";

/// What comes of a thing after a moment.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    Become(&'static str),
    Go,
    Grow(u64),
}

#[derive(Clone, Debug)]
pub(crate) struct Thing {
    pub(crate) json: Value,
    pub(crate) due: Option<(Instant, Then)>,
}

pub(crate) struct Cinder {
    version: &'static str,
    pub(crate) volumes: Vec<Thing>,
    pub(crate) snapshots: Vec<Thing>,
    groups: Vec<Thing>,
    group_snapshots: Vec<Thing>,
    made: u64,
    /// Every new thing ends in error.
    pub(crate) fails: bool,
    /// Markers are not heeded: the first page comes again and again.
    pub(crate) repeats: bool,
    /// The most snapshots that the project may have.
    pub(crate) quota: usize,
    /// Whether the account may reset a status.
    pub(crate) resets: bool,
}

impl Cinder {
    pub(crate) fn new(version: &'static str) -> Self {
        Self {
            version,
            volumes: Vec::new(),
            snapshots: Vec::new(),
            groups: Vec::new(),
            group_snapshots: Vec::new(),
            made: 0,
            fails: false,
            repeats: false,
            quota: 1_000_000,
            resets: false,
        }
    }

    pub(crate) fn set_version(&mut self, version: &'static str) {
        self.version = version;
    }

    pub(crate) fn versions(&self) -> Answer {
        Answer::ok(json!({"versions": [{"id": "v3.0", "status": "CURRENT",
            "version": self.version, "min_version": "3.0"}]}))
    }

    pub(crate) fn time(&mut self) -> String {
        self.made += 1;
        let at = jiff::Timestamp::from_millisecond(1_795_262_400_000 + self.made as i64).unwrap();
        let at = at.to_zoned(jiff::tz::TimeZone::UTC);
        at.strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string()
    }

    pub(crate) fn id(&self) -> String {
        uuid::Uuid::now_v7().to_string()
    }

    /// A volume that is there already, with so many snapshots.
    pub(crate) fn seed(&mut self, name: &str, snapshots: usize) -> String {
        let (id, at) = (self.id(), self.time());
        let json = volume(&id, &at, json!({"name": name, "size": 1}), "available");
        self.volumes.push(Thing { json, due: None });
        for n in 0..snapshots {
            let (own, at) = (self.id(), self.time());
            let body = json!({"name": format!("s{n}"), "volume_id": id});
            let json = snapshot(&own, &at, &body, 1, "available");
            self.snapshots.push(Thing { json, due: None });
        }
        id
    }

    /// Sets a member of the volume of this id.
    pub(crate) fn set(&mut self, id: &str, member: &str, value: Value) {
        let all = self.volumes.iter_mut().chain(&mut self.snapshots);
        for thing in all.filter(|thing| thing.json["id"] == id) {
            thing.json[member] = value.clone();
        }
    }

    /// The volume or snapshot of this id.
    pub(crate) fn get(&self, id: &str) -> Option<Value> {
        let mut all = self.volumes.iter().chain(&self.snapshots);
        let found = all.find(|thing| thing.json["id"] == id)?;
        Some(found.json.clone())
    }

    /// A snapshot that somebody else takes of a volume.
    pub(crate) fn take(&mut self, volume: &str, name: &str) -> String {
        let (id, at) = (self.id(), self.time());
        let size = self.get(volume).unwrap()["size"].as_u64().unwrap();
        let body = json!({"name": name, "volume_id": volume});
        let json = snapshot(&id, &at, &body, size, "available");
        self.snapshots.push(Thing { json, due: None });
        id
    }

    /// A snapshot goes.
    pub(crate) fn forget(&mut self, id: &str) {
        self.snapshots.retain(|thing| thing.json["id"] != id);
    }

    /// The ids of all volumes.
    pub(crate) fn volumes(&self) -> Vec<String> {
        let ids = self.volumes.iter().map(|thing| &thing.json["id"]);
        ids.map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn count(&self, many: &str) -> usize {
        match many {
            "volumes" => self.volumes.len(),
            "snapshots" => self.snapshots.len(),
            "groups" => self.groups.len(),
            _ => self.group_snapshots.len(),
        }
    }

    pub(super) fn things(&mut self, many: &str) -> Option<&mut Vec<Thing>> {
        match many {
            "volumes" => Some(&mut self.volumes),
            "snapshots" => Some(&mut self.snapshots),
            "groups" => Some(&mut self.groups),
            "group_snapshots" => Some(&mut self.group_snapshots),
            _ => None,
        }
    }

    pub(crate) fn find(&mut self, many: &str, id: &str) -> Result<&mut Thing, Answer> {
        let word = match many {
            "volumes" => "Volume",
            "snapshots" => "Snapshot",
            "groups" => "Group",
            _ => "GroupSnapshot",
        };
        let missing = Answer::fault(
            404,
            "itemNotFound",
            &format!("{word} {id} could not be found."),
        );
        let things = self.things(many).ok_or(missing.clone())?;
        things
            .iter_mut()
            .find(|thing| thing.json["id"] == id)
            .ok_or(missing)
    }

    pub(super) fn settle(&mut self) {
        let stamp = self.time();
        for many in ["volumes", "snapshots", "groups", "group_snapshots"] {
            let Some(things) = self.things(many) else {
                continue;
            };
            things.retain_mut(|thing| match thing.due.clone() {
                Some((at, then)) if at <= Instant::now() => {
                    thing.due = None;
                    if many == "volumes" || many == "snapshots" {
                        thing.json["updated_at"] = stamp.clone().into();
                    }
                    match then {
                        Then::Go => return false,
                        Then::Become(status) => thing.json["status"] = status.into(),
                        Then::Grow(size) => {
                            thing.json["size"] = size.into();
                            thing.json["status"] = "available".into();
                        }
                    }
                    true
                }
                _ => true,
            });
        }
    }

    pub(super) fn soon(then: Then) -> Option<(Instant, Then)> {
        Some((Instant::now() + MOMENT, then))
    }

    pub(crate) fn answer(&mut self, asked: &Asked, path: &str) -> Answer {
        self.settle();
        let echo = asked
            .header("openstack-api-version")
            .unwrap_or("volume 3.0")
            .to_owned();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let answer = match (asked.method.as_str(), parts.as_slice()) {
            ("GET", ["limits"]) => Ok(Answer::ok(json!({"limits": {"rate": [], "absolute": {
                "maxTotalSnapshots": self.quota, "totalSnapshotsUsed": self.snapshots.len(),
                "maxTotalVolumes": -1, "totalVolumesUsed": self.volumes.len(),
                "maxTotalVolumeGigabytes": 1000, "totalGigabytesUsed": 4}}}))),
            ("GET", ["messages"]) => Ok(Answer::ok(json!({"messages": [
                {"user_message": "schedule allocate volume:Could not find any available weighted backend."}]}))),
            ("GET", ["group_types"]) => Ok(Answer::ok(json!({"group_types": [
                {"id": "d", "name": "default_cgsnapshot_type", "group_specs": {"consistent_group_snapshot_enabled": "<is> True"}},
                {"id": GROUP_TYPE, "name": "consistent", "group_specs": {"consistent_group_snapshot_enabled": "<is> True"}}]}))),
            ("GET", [many, "detail"]) => self.list(asked, many),
            ("GET", [many, id]) => self.show(many, id),
            ("POST", ["volumes"]) => self.make_volume(&asked.body["volume"]),
            ("POST", ["snapshots"]) => self.make_snapshot(&asked.body["snapshot"]),
            ("POST", ["groups"]) => self.make_group(&asked.body["group"]),
            ("POST", ["group_snapshots"]) => self.take_group(&asked.body["group_snapshot"]),
            ("PUT", ["groups", id]) => self.change_group(id, &asked.body["group"]),
            ("PUT", [many, id]) => self.edit(many, id, &asked.body),
            ("POST", [many @ ("volumes" | "snapshots"), id, "metadata"]) => {
                self.note(many, id, &asked.body["metadata"])
            }
            ("DELETE", [many @ ("volumes" | "snapshots"), id, "metadata", key]) => {
                self.drop_metadata(many, id, &unescape(key))
            }
            ("POST", [many @ ("volumes" | "snapshots"), id, "action"])
                if asked.body["os-reset_status"].is_object() =>
            {
                self.reset(many, id, &asked.body["os-reset_status"]["status"])
            }
            ("POST", ["volumes", id, "action"]) => self.act(id, &asked.body),
            ("POST", ["groups", id, "action"]) => self.drop_group(id),
            ("DELETE", ["volumes", id]) => {
                self.drop_volume(id, asked.query("cascade") == Some("true"))
            }
            ("DELETE", ["snapshots", id]) => self.drop_snapshot(id),
            ("DELETE", ["group_snapshots", id]) => self.drop_group_snapshot(id),
            _ => Err(Answer::fault(
                404,
                "itemNotFound",
                "The resource could not be found.",
            )),
        };
        let (Ok(answer) | Err(answer)) = answer;
        answer.with("OpenStack-API-Version", &echo)
    }

    fn list(&mut self, asked: &Asked, many: &str) -> Result<Answer, Answer> {
        if asked.query("group_snapshot_id").is_some() {
            let text = "Invalid filters group_snapshot_id are found in query options.";
            return Err(Answer::fault(400, "badRequest", text));
        }
        let repeats = self.repeats;
        let missing = || Answer::fault(404, "itemNotFound", "The resource could not be found.");
        let things = self.things(many).ok_or_else(missing)?;
        let mut all: Vec<Value> = things.iter().map(|thing| thing.json.clone()).collect();
        for key in ["name", "volume_id", "status"] {
            if let Some(wanted) = asked.query(key) {
                all.retain(|one| one[key] == wanted);
            }
        }
        if asked.query("all_tenants") != Some("1") {
            let own = |one: &Value, key: &str| one[key].is_null() || one[key] == super::PROJECT;
            all.retain(|one| {
                own(one, "os-vol-tenant-attr:tenant_id")
                    && own(one, "os-extended-snapshot-attributes:project_id")
            });
        }
        if let Some(text) = asked.query("metadata") {
            let wanted: Map<String, Value> =
                serde_json::from_str(&text.replace('\'', "\"")).unwrap();
            all.retain(|one| wanted.iter().all(|(k, v)| one["metadata"][k] == *v));
        }
        let (key, down) = match asked.query("sort").and_then(|sort| sort.split_once(':')) {
            Some((key, direction)) => (key.to_owned(), direction == "desc"),
            None => ("created_at".to_owned(), true),
        };
        all.sort_by_key(|one| (one[&key].to_string(), one["id"].to_string()));
        if down {
            all.reverse();
        }
        let total = all.len();
        let mut rest = all;
        if let Some(marker) = asked.query("marker").filter(|_| !repeats) {
            let at = rest
                .iter()
                .position(|one| one["id"] == marker)
                .ok_or_else(missing)?;
            rest.drain(..=at);
        }
        let limit: usize = asked
            .query("limit")
            .map_or(MOST, |l| l.parse().unwrap())
            .min(MOST);
        let links = match many {
            "volumes" => "volumes_links",
            "snapshots" => "snapshots_links",
            "groups" => "group_links",
            _ => "group_snapshot_links",
        };
        let mut body = Map::new();
        let full = rest.len() >= limit;
        rest.truncate(limit);
        for one in &mut rest {
            hide_members(one);
        }
        body.insert(many.to_owned(), rest.into());
        if full && limit > 0 {
            body.insert(
                links.to_owned(),
                json!([{"rel": "next", "href": "http://elsewhere.invalid/steal"}]),
            );
        }
        if asked.query("with_count").is_some() {
            body.insert("count".to_owned(), total.into());
        }
        Ok(Answer::ok(body.into()))
    }

    fn show(&mut self, many: &str, id: &str) -> Result<Answer, Answer> {
        let one = many.trim_end_matches('s').to_owned();
        let mut json = self.find(many, id)?.json.clone();
        if many == "groups" {
            let own = self.volumes.iter().filter(|v| v.json["group_id"] == id);
            json["volumes"] = own.map(|v| v.json["id"].clone()).collect();
        }
        Ok(Answer::ok(json!({one: json})))
    }

    fn make_volume(&mut self, body: &Value) -> Result<Answer, Answer> {
        let mut body = body.clone();
        if let Some(source) = body["snapshot_id"].as_str().map(str::to_owned) {
            let size = self.find("snapshots", &source)?.json["size"].clone();
            if body["size"].is_null() {
                body["size"] = size;
            }
        }
        let (id, at) = (self.id(), self.time());
        let json = volume(&id, &at, body, "creating");
        let then = if self.fails { "error" } else { "available" };
        let due = Self::soon(Then::Become(then));
        self.volumes.push(Thing {
            json: json.clone(),
            due,
        });
        Ok(Answer::new(202, json!({"volume": json})))
    }

    fn make_snapshot(&mut self, body: &Value) -> Result<Answer, Answer> {
        if self.snapshots.len() >= self.quota {
            let text = "SnapshotLimitExceeded: Maximum number of snapshots allowed exceeded";
            let answer = Answer::new(
                413,
                json!({"overLimit": {"code": 413, "message": text, "retryAfter": "0"}}),
            );
            return Err(answer.with("Retry-After", "0"));
        }
        let of = body["volume_id"].as_str().unwrap_or_default().to_owned();
        let volume = self.find("volumes", &of)?.json.clone();
        if volume["status"] == "in-use" && self.version < "3.66" && body["force"] != true {
            let text = format!(
                "Invalid volume: Volume {of} status must be available, but current status is: in-use."
            );
            return Err(Answer::fault(400, "badRequest", &text));
        }
        let (id, at) = (self.id(), self.time());
        let size = volume["size"].as_u64().unwrap();
        let json = snapshot(&id, &at, body, size, "creating");
        let then = if self.fails { "error" } else { "available" };
        let due = Self::soon(Then::Become(then));
        self.snapshots.push(Thing {
            json: json.clone(),
            due,
        });
        Ok(Answer::new(202, json!({"snapshot": json})))
    }

    fn make_group(&mut self, body: &Value) -> Result<Answer, Answer> {
        assert_eq!(body["group_type"], GROUP_TYPE);
        assert_eq!(body["volume_types"], json!(["rbd-id"]));
        let (id, at) = (self.id(), self.time());
        let json = json!({"id": id, "name": body["name"], "description": body["description"],
            "status": "creating", "created_at": at, "group_type": GROUP_TYPE});
        let due = Self::soon(Then::Become("available"));
        self.groups.push(Thing { json, due });
        Ok(Answer::new(
            202,
            json!({"group": {"id": id, "name": body["name"]}}),
        ))
    }

    fn change_group(&mut self, id: &str, body: &Value) -> Result<Answer, Answer> {
        let group = self.find("groups", id)?;
        if group.json["status"] != "available" {
            return Err(Answer::fault(
                400,
                "badRequest",
                "Invalid Group: it is busy",
            ));
        }
        group.json["status"] = "updating".into();
        group.due = Self::soon(Then::Become("available"));
        let ids = |key: &str| -> Vec<String> {
            let text = body[key].as_str().unwrap_or_default();
            text.split(',')
                .filter(|id| !id.is_empty())
                .map(str::to_owned)
                .collect()
        };
        for volume in ids("add_volumes") {
            self.find("volumes", &volume)?.json["group_id"] = id.into();
        }
        for volume in ids("remove_volumes") {
            self.find("volumes", &volume)?.json["group_id"] = Value::Null;
        }
        Ok(Answer::empty(202))
    }

    fn drop_group(&mut self, id: &str) -> Result<Answer, Answer> {
        if self.volumes.iter().any(|v| v.json["group_id"] == id) {
            return Err(Answer::fault(
                400,
                "badRequest",
                "Invalid Group: it still contains volumes.",
            ));
        }
        let group = self.find("groups", id)?;
        group.json["status"] = "deleting".into();
        group.due = Self::soon(Then::Go);
        Ok(Answer::empty(202))
    }

    fn take_group(&mut self, body: &Value) -> Result<Answer, Answer> {
        let group = body["group_id"].as_str().unwrap_or_default().to_owned();
        self.find("groups", &group)?;
        let (id, at) = (self.id(), self.time());
        let json = json!({"id": id, "group_id": group, "group_type_id": GROUP_TYPE,
            "status": "creating", "created_at": at, "name": body["name"],
            "description": body["description"]});
        let due = Self::soon(Then::Become("available"));
        self.group_snapshots.push(Thing {
            json,
            due: due.clone(),
        });
        let members: Vec<Value> = self
            .volumes
            .iter()
            .filter(|v| v.json["group_id"] == group.as_str())
            .map(|v| v.json.clone())
            .collect();
        for volume in members {
            let (own, at) = (self.id(), self.time());
            let like = json!({"name": body["name"], "volume_id": volume["id"]});
            let mut json = snapshot(
                &own,
                &at,
                &like,
                volume["size"].as_u64().unwrap(),
                "creating",
            );
            json["group_snapshot_id"] = id.as_str().into();
            self.snapshots.push(Thing {
                json,
                due: due.clone(),
            });
        }
        Ok(Answer::new(
            202,
            json!({"group_snapshot": {"id": id, "name": body["name"]}}),
        ))
    }

    fn drop_group_snapshot(&mut self, id: &str) -> Result<Answer, Answer> {
        let group = self.find("group_snapshots", id)?;
        group.json["status"] = "deleting".into();
        group.due = Self::soon(Then::Go);
        for snapshot in &mut self.snapshots {
            if snapshot.json["group_snapshot_id"] == id {
                snapshot.json["status"] = "deleting".into();
                snapshot.due = Self::soon(Then::Go);
            }
        }
        Ok(Answer::empty(202))
    }

    fn edit(&mut self, many: &str, id: &str, body: &Value) -> Result<Answer, Answer> {
        let one = many.trim_end_matches('s').to_owned();
        let at = self.time();
        let thing = self.find(many, id)?;
        for key in ["name", "description"] {
            if let Some(text) = body[&one][key].as_str() {
                thing.json[key] = text.into();
            }
        }
        thing.json["updated_at"] = at.into();
        Ok(Answer::ok(json!({one: thing.json})))
    }

    fn note(&mut self, many: &str, id: &str, said: &Value) -> Result<Answer, Answer> {
        let thing = self.find(many, id)?;
        for (key, value) in said.as_object().unwrap() {
            thing.json["metadata"][key] = value.clone();
        }
        Ok(Answer::ok(json!({"metadata": thing.json["metadata"]})))
    }

    fn drop_metadata(&mut self, many: &str, id: &str, key: &str) -> Result<Answer, Answer> {
        let thing = self.find(many, id)?;
        let own = thing.json["metadata"].as_object_mut().unwrap();
        match own.remove(key) {
            Some(_) => Ok(Answer::empty(200)),
            None => {
                let text = format!("{id} has no metadata with key {key}.");
                Err(Answer::fault(404, "itemNotFound", &text))
            }
        }
    }

    fn reset(&mut self, many: &str, id: &str, status: &Value) -> Result<Answer, Answer> {
        let resets = self.resets;
        let thing = self.find(many, id)?;
        if !resets {
            let rule = "volume_extension:snapshot_admin_actions:reset_status";
            let text = format!("Policy doesn't allow {rule} to be performed.");
            return Err(Answer::fault(403, "forbidden", &text));
        }
        thing.json["status"] = status.clone();
        Ok(Answer::empty(202))
    }

    fn act(&mut self, id: &str, body: &Value) -> Result<Answer, Answer> {
        if let Some(size) = body["os-extend"]["new_size"].as_u64() {
            let volume = self.find("volumes", id)?;
            volume.json["status"] = "extending".into();
            volume.due = Self::soon(Then::Grow(size));
            return Ok(Answer::empty(202));
        }
        let wanted = body["revert"]["snapshot_id"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let own = self.snapshots.iter().filter(|s| s.json["volume_id"] == id);
        let latest = own.max_by_key(|s| s.json["created_at"].to_string());
        if latest.is_none_or(|latest| latest.json["id"] != wanted.as_str()) {
            let text = format!(
                "Specified snapshot {wanted} is None or not the latest one of volume {id}."
            );
            return Err(Answer::fault(400, "badRequest", &text));
        }
        let at = self.time();
        let snapshot = self.find("snapshots", &wanted)?;
        snapshot.json["status"] = "restoring".into();
        snapshot.due = Self::soon(Then::Become("available"));
        let volume = self.find("volumes", id)?;
        volume.json["status"] = "reverting".into();
        volume.json["updated_at"] = at.into();
        volume.due = Self::soon(Then::Become("available"));
        Ok(Answer::empty(202))
    }

    fn drop_volume(&mut self, id: &str, cascade: bool) -> Result<Answer, Answer> {
        let own = self.snapshots.iter().any(|s| s.json["volume_id"] == id);
        let volume = self.find("volumes", id)?;
        let free = volume.json["status"] == "available" || volume.json["status"] == "error";
        if !free || !volume.json["group_id"].is_null() || (own && !cascade) {
            let text = "Invalid volume: Volume status must be available or error and must not be migrating, attached, belong to a group, have snapshots.";
            return Err(Answer::fault(400, "badRequest", text));
        }
        volume.json["status"] = "deleting".into();
        volume.due = Self::soon(Then::Go);
        for snapshot in &mut self.snapshots {
            if snapshot.json["volume_id"] == id {
                snapshot.due = Self::soon(Then::Go);
            }
        }
        Ok(Answer::empty(202))
    }

    fn drop_snapshot(&mut self, id: &str) -> Result<Answer, Answer> {
        let snapshot = self.find("snapshots", id)?;
        if snapshot.json["status"] != "available" || !snapshot.json["group_snapshot_id"].is_null() {
            let text = "Invalid snapshot: Snapshot status must be available or error and must not be part of a group.";
            return Err(Answer::fault(400, "badRequest", text));
        }
        snapshot.json["status"] = "deleting".into();
        snapshot.due = Self::soon(Then::Go);
        Ok(Answer::empty(202))
    }
}

/// The members of a group are shown with the group alone.
fn hide_members(one: &mut Value) {
    if let Some(map) = one.as_object_mut() {
        map.remove("volumes");
    }
}

pub(super) fn volume(id: &str, at: &str, body: Value, status: &str) -> Value {
    json!({"id": id, "status": status, "size": body["size"], "availability_zone": "nova",
        "created_at": at, "updated_at": null, "name": body["name"],
        "description": body["description"], "volume_type": "rbd", "volume_type_id": "rbd-id",
        "snapshot_id": body["snapshot_id"], "source_volid": null,
        "metadata": match &body["metadata"] { Value::Object(map) => map.clone().into(), _ => json!({}) },
        "bootable": "false", "encrypted": false, "multiattach": false, "attachments": [],
        "group_id": null, "consumes_quota": true})
}

pub(super) fn snapshot(id: &str, at: &str, body: &Value, size: u64, status: &str) -> Value {
    json!({"id": id, "created_at": at, "updated_at": null, "name": body["name"],
        "description": body["description"], "volume_id": body["volume_id"], "status": status,
        "size": size, "group_snapshot_id": null, "consumes_quota": true,
        "metadata": match &body["metadata"] { Value::Object(map) => map.clone().into(), _ => json!({}) },
        "os-extended-snapshot-attributes:progress": if status == "creating" { "0%" } else { "100%" }})
}
