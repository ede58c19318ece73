//! A ViPR Controller, as far as its reference says how it behaves: things with a memory, tasks that take a while, rules
//! that refuse, both dialects.

use std::collections::{BTreeMap, HashSet};

use base64::Engine as _;
use serde_json::{Value, json};
use snapdeck::wire::vipr::{Form, label};

use super::web::{Answer, Asked};

const PASSWORD: &str = "correct horse";
const TENANT: &str = "urn:storageos:TenantOrg:0a4f6f0e-52c1-4f3b-8d3e-6a1b0c9d0002:global";
pub(crate) const PROJECT: &str =
    "urn:storageos:Project:5be1d2c7-9a44-4c0d-b7e6-1f20aa3c0003:global";
const POOL: &str = "urn:storageos:VirtualPool:d1c0b7aa-1111-4222-8333-944455560005:vdc1";
const ARRAY: &str = "urn:storageos:VirtualArray:d1c0b7aa-1111-4222-8333-944455560004:vdc1";
const SYSTEM: &str = "urn:storageos:StorageSystem:2f8a5d13-64ee-4b1c-a0d7-98c3b2140006:vdc1";

/// How the next task of an operation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// With an error.
    Fails,
    /// It waits until somebody decides; this is allowed then.
    Waits(&'static str),
}

/// What a task brings about.
#[derive(Clone, Debug)]
enum Effect {
    Make(Vec<String>),
    Link(String, Vec<String>),
    Relink(String, Vec<String>),
    Unlink(String, Vec<(String, bool)>),
    Drop(String),
    Resize(String, String),
    Restore(String),
}

struct Job {
    tasks: Vec<String>,
    left: usize,
    effect: Effect,
    ends: Option<Ends>,
}

pub(crate) struct Vipr {
    /// By id: volumes, snapshots, sessions, groups, tasks.
    pub(crate) things: BTreeMap<String, Value>,
    jobs: Vec<Job>,
    pub(crate) tokens: HashSet<String>,
    pub(crate) logins: usize,
    /// What has been restored, in order.
    pub(crate) restored: Vec<String>,
    pub(crate) most: i64,
    /// The words of operations, and how their next tasks end.
    pub(crate) ends: Vec<(&'static str, Ends)>,
    /// Ids of devices that hosts see.
    pub(crate) exported: HashSet<String>,
    /// A call without a token is sent to sign in.
    pub(crate) redirects: bool,
    /// So many looks a task takes.
    pub(crate) slow: usize,
    clock: i64,
    next: u32,
}

type Answered = Result<(u16, &'static str, Value), (u16, i64, String)>;

fn no(status: u16, code: i64, why: &str) -> (u16, i64, String) {
    (status, code, why.to_owned())
}

impl Vipr {
    pub(crate) fn new() -> Self {
        Self {
            things: BTreeMap::new(),
            jobs: Vec::new(),
            tokens: HashSet::new(),
            logins: 0,
            restored: Vec::new(),
            most: 100,
            ends: Vec::new(),
            exported: HashSet::new(),
            redirects: true,
            slow: 2,
            clock: 1_700_000_000_000,
            next: 0,
        }
    }

    fn id(&mut self, kind: &str) -> String {
        self.next += 1;
        format!(
            "urn:storageos:{kind}:4c62b7d8-e0a3-4915-b6f7-{:012x}:vdc1",
            self.next
        )
    }

    fn add(&mut self, kind: &str, name: &str, more: Value) -> String {
        let id = self.id(kind);
        self.clock += 1;
        let mut thing = json!({"id": id, "name": name, "creation_time": self.clock, "tags": [], "inactive": false,
            "internal": false, "global": false, "remote": false, "link": link(&id)});
        for (key, value) in more.as_object().unwrap() {
            thing[key] = value.clone();
        }
        self.things.insert(id.clone(), thing);
        id
    }

    /// A volume, in a group where one is named.
    pub(crate) fn seed(&mut self, name: &str, group: Option<(&str, &str)>) -> String {
        let number = self.next;
        let mut more = json!({"project": plain(PROJECT), "vpool": plain(POOL), "varray": plain(ARRAY),
            "provisioned_capacity_gb": "50.00", "allocated_capacity_gb": "12.31", "access_state": "READWRITE",
            "supports_snapshot_sessions": true, "system_type": "vmax3", "storage_controller": SYSTEM,
            "wwn": format!("60000970{number:024}"), "native_id": format!("{number:05X}"),
            "replication_group_instance": "", "protocols": ["FC"], "protection": null});
        if let Some((group, part)) = group {
            more["consistency_group"] = plain(group);
            more["replication_group_instance"] = part.into();
        }
        self.add("Volume", name, more)
    }

    pub(crate) fn seed_group(&mut self, name: &str) -> String {
        let more = json!({"project": plain(PROJECT), "types": ["LOCAL"], "supports_snapshot_sessions": true});
        self.add("BlockConsistencyGroup", name, more)
    }

    pub(crate) fn alive(&self, kind: &str) -> Vec<&Value> {
        let fits = |thing: &&Value| is(thing, kind) && thing["inactive"] == false;
        self.things.values().filter(fits).collect()
    }

    pub(crate) fn set(&mut self, id: &str, key: &str, value: Value) {
        self.things.get_mut(id).unwrap()[key] = value;
    }

    fn there(&self, id: &str, kind: &str) -> Result<&Value, (u16, i64, String)> {
        match self.things.get(id) {
            Some(thing) if is(thing, kind) && thing["inactive"] == false => Ok(thing),
            Some(thing) if is(thing, kind) => Err(no(404, 2001, "it is deleted")),
            _ => Err(no(404, 2000, "there is no such thing")),
        }
    }

    /// Volumes that a session or snapshot is taken of.
    fn members(&self, group: &str, part: Option<&str>) -> Vec<String> {
        let fits = |volume: &&&Value| {
            volume["consistency_group"]["id"] == group
                && part.is_none_or(|part| volume["replication_group_instance"] == part)
        };
        let all = self.alive("Volume");
        all.iter().filter(fits).map(|one| text(one, "id")).collect()
    }

    fn busy(&self, id: &str) -> bool {
        let pending = |task: &&Value| task["resource"]["id"] == id && task["state"] == "pending";
        self.alive("Task").iter().any(pending)
    }

    fn taken(&self, source: &Value, wanted: &str) -> bool {
        let (volume, group) = (&source["id"], &source["consistency_group"]["id"]);
        let of = |one: &Value| {
            one["parent"]["id"] == *volume
                || (one["parent"].is_null()
                    && one["consistency_group"]["id"] == *group
                    && !group.is_null())
        };
        let sessions = self.alive("BlockSnapshotSession");
        let snapshots = self.alive("BlockSnapshot");
        sessions
            .iter()
            .any(|one| of(one) && one["session_label"] == wanted)
            || snapshots
                .iter()
                .any(|one| of(one) && one["snapset_label"] == wanted)
    }

    /// Begins what one request does: a task on each of these.
    fn begin(&mut self, name: &str, about: &[String], effect: Effect) -> Vec<Value> {
        let op = format!("5d2e8f07-1c9b-4a63-b4d1-{:012x}", self.next);
        let word = name.split(' ').next().unwrap_or_default();
        let at = self.ends.iter().position(|(of, _)| *of == word);
        let ends = at.map(|at| self.ends.remove(at).1);
        let mut tasks = Vec::new();
        for id in about {
            let resource = json!({"id": id, "link": link(id), "name": self.things[id]["name"]});
            let more = json!({"op_id": op, "resource": resource, "state": "pending", "progress": 0,
                "description": name.to_lowercase(), "associated_resources": [], "allowed_operations": "none_specified",
                "start_time": self.clock, "tenant": plain(TENANT)});
            tasks.push(self.add("Task", name, more));
        }
        let said = tasks.iter().map(|id| self.things[id].clone()).collect();
        let left = self.slow;
        self.jobs.push(Job {
            tasks,
            left,
            effect,
            ends,
        });
        said
    }

    /// Time passes: every look brings tasks nearer to their end.
    fn pass(&mut self) {
        let mut over = Vec::new();
        self.jobs.retain_mut(|job| {
            job.left = job.left.saturating_sub(1);
            if job.left > 0 || job.ends == Some(Ends::Waits("")) {
                return true;
            }
            over.push((job.tasks.clone(), job.effect.clone(), job.ends));
            false
        });
        for (tasks, effect, ends) in over {
            let (state, more) = match ends {
                None => (
                    "ready",
                    json!({"message": "Operation completed successfully", "progress": 100, "end_time": self.clock}),
                ),
                Some(Ends::Fails) => (
                    "error",
                    json!({"progress": 100, "end_time": self.clock, "service_error": {"code": 12000,
                    "description": "Storage job failed", "details": "The array refused it.", "retryable": false}}),
                ),
                Some(Ends::Waits(allowed)) => (
                    "suspended_error",
                    json!({"allowed_operations": allowed, "service_error":
                    {"code": 14000, "description": "Workflow step failed", "details": "The array was busy.", "retryable": true}}),
                ),
            };
            for id in &tasks {
                self.set(id, "state", state.into());
                for (key, value) in more.as_object().unwrap() {
                    self.set(id, key, value.clone());
                }
            }
            match ends {
                None => self.apply(&effect),
                Some(Ends::Fails) => {
                    if let Effect::Make(made) | Effect::Link(_, made) = &effect {
                        for id in made {
                            self.set(id, "inactive", true.into());
                        }
                    }
                }
                Some(Ends::Waits(_)) => self.jobs.push(Job {
                    tasks,
                    left: 1,
                    effect,
                    ends: Some(Ends::Waits("")),
                }),
            }
        }
    }

    fn apply(&mut self, effect: &Effect) {
        match effect {
            Effect::Make(made) => {
                let session = made
                    .iter()
                    .find(|id| id.contains(":BlockSnapshotSession:"))
                    .cloned();
                let targets: Vec<String> = made
                    .iter()
                    .filter(|id| id.contains(":BlockSnapshot:"))
                    .cloned()
                    .collect();
                match session {
                    Some(session) => self.show(&session, &targets),
                    None => self.activate(&targets),
                }
            }
            Effect::Link(session, targets) => self.show(session, targets),
            Effect::Relink(session, targets) => {
                for target in targets {
                    self.part(target);
                }
                let session = session.clone();
                self.show(&session, targets);
            }
            Effect::Unlink(_, targets) => {
                for (target, delete) in targets {
                    self.part(target);
                    self.set(target, "inactive", true.into());
                    if !delete {
                        let old = self.things[target].clone();
                        let mut more = json!({"vpool": plain(POOL), "varray": plain(ARRAY), "access_state": "READWRITE",
                            "supports_snapshot_sessions": true, "system_type": "vmax3"});
                        for key in [
                            "project",
                            "provisioned_capacity_gb",
                            "wwn",
                            "native_id",
                            "storage_controller",
                        ] {
                            more[key] = old[key].clone();
                        }
                        self.add("Volume", &text(&old, "name"), more);
                    }
                }
            }
            Effect::Drop(id) => self.set(id, "inactive", true.into()),
            Effect::Resize(id, size) => {
                let size = size.trim_end_matches("GB").to_owned();
                self.set(id, "provisioned_capacity_gb", format!("{size}.00").into());
            }
            Effect::Restore(id) => self.restored.push(id.clone()),
        }
    }

    fn activate(&mut self, targets: &[String]) {
        for target in targets {
            self.set(target, "is_sync_active", true.into());
            self.set(target, "replica_state", "SYNCHRONIZED".into());
        }
    }

    fn show(&mut self, session: &str, targets: &[String]) {
        self.activate(targets);
        let more: Vec<Value> = targets.iter().map(|id| plain(id)).collect();
        let all = self.things.get_mut(session).unwrap();
        all["linked_targets"].as_array_mut().unwrap().extend(more);
    }

    fn part(&mut self, target: &str) {
        for thing in self.things.values_mut() {
            if let Some(all) = thing
                .get_mut("linked_targets")
                .and_then(Value::as_array_mut)
            {
                all.retain(|one| one["id"] != target);
            }
        }
    }

    /// Devices that are to show these volumes.
    fn targets(
        &mut self,
        volumes: &[String],
        new: &Value,
    ) -> Result<Vec<String>, (u16, i64, String)> {
        if new.is_null() {
            return Ok(Vec::new());
        }
        let count = new["count"]
            .as_i64()
            .ok_or_else(|| no(400, 1005, "count"))?;
        let name = new["target_name"]
            .as_str()
            .ok_or_else(|| no(400, 1005, "target_name"))?
            .to_owned();
        if !matches!(new["copy_mode"].as_str(), Some("copy" | "nocopy")) {
            return Err(no(400, 1008, "copy_mode: expected copy or nocopy"));
        }
        let mut made = Vec::new();
        for n in 1..=count {
            let set = label(&format!("{name}-{n}"));
            let first = self.things[&volumes[0]].clone();
            if self.taken(&first, &set) {
                return Err(no(400, 1008, "a target of this name is there already"));
            }
            for (k, volume) in volumes.iter().enumerate() {
                let called = match volumes.len() {
                    1 => format!("{name}-{n}"),
                    _ => format!("{name}-{n}-{}", k + 1),
                };
                made.push(self.snapshot(volume, &called, &set));
            }
        }
        Ok(made)
    }

    fn snapshot(&mut self, volume: &str, name: &str, set: &str) -> String {
        let source = self.things[volume].clone();
        let number = self.next;
        let mut more = json!({"parent": plain(volume), "project": plain(PROJECT), "snapset_label": set,
            "is_sync_active": false, "replica_state": "PREPARED", "technology_type": "NATIVE", "read_only": false,
            "provisioned_capacity_gb": source["provisioned_capacity_gb"], "allocated_capacity_gb": "0.12",
            "wwn": format!("60000971{number:024}"), "native_id": format!("T{number:04X}"), "storage_controller": SYSTEM,
            "replication_group_instance": source["replication_group_instance"]});
        if !source["consistency_group"].is_null() {
            more["consistency_group"] = source["consistency_group"].clone();
        }
        self.add("BlockSnapshot", name, more)
    }

    fn session(&mut self, source: &Value, name: &str) -> String {
        let mut more = json!({"project": plain(PROJECT), "storage_controller": SYSTEM, "linked_targets": [],
            "session_label": label(name), "protocols": []});
        match source["replication_group_instance"].as_str() {
            Some(part) if !part.is_empty() => {
                more["consistency_group"] = source["consistency_group"].clone();
                more["replication_group_instance"] = part.into();
                more["session_set_name"] = name.into();
            }
            _ => more["parent"] = plain(source["id"].as_str().unwrap()),
        }
        self.add("BlockSnapshotSession", name, more)
    }

    fn may_take(
        &self,
        volume: &Value,
        name: &str,
        longest: usize,
    ) -> Result<(), (u16, i64, String)> {
        let id = volume["id"].as_str().unwrap();
        let native = |kind: &str| {
            self.alive(kind)
                .iter()
                .filter(|one| one["parent"]["id"] == id)
                .count()
        };
        let wanted = label(name);
        if volume["supports_snapshot_sessions"] == false {
            Err(no(405, 1007, "this array has no snapshot sessions"))
        } else if name.trim().is_empty() {
            Err(no(400, 1005, "name"))
        } else if name.chars().count() > longest {
            Err(no(400, 1008, "the name is too long"))
        } else if self.busy(id) {
            Err(no(400, 1056, "a task is pending on the volume"))
        } else if self.most == 0 || native("BlockSnapshotSession") as i64 >= self.most {
            Err(no(400, 1013, "the pool is at its limit"))
        } else if self.taken(volume, &wanted) {
            Err(no(400, 1008, "the name is taken"))
        } else {
            Ok(())
        }
    }

    fn take_session(&mut self, source: &str, body: &Value) -> Answered {
        let name = body["name"]
            .as_str()
            .ok_or_else(|| no(400, 1005, "name"))?
            .trim()
            .to_owned();
        let thing = self.things.get(source).cloned().unwrap_or_default();
        let group = match is(&thing, "BlockConsistencyGroup") {
            true => Some(source.to_owned()),
            false => None,
        };
        let Some(group) = group else {
            let volume = self.there(source, "Volume")?.clone();
            self.may_take(&volume, &name, 31)?;
            let targets = self.targets(&[source.to_owned()], &body["new_linked_targets"])?;
            let session = self.session(&volume, &name);
            let about = [session.clone(), source.to_owned()];
            let made = std::iter::once(session).chain(targets).collect();
            let tasks = self.begin("CREATE SNAPSHOT SESSION", &about, Effect::Make(made));
            return Ok((202, "tasks", json!({"task": tasks})));
        };
        let wanted: Vec<&str> = body["volumes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let members = self.members(&group, None);
        if members.is_empty() || wanted.iter().any(|id| !members.iter().any(|own| own == id)) {
            return Err(no(400, 1013, "the volumes are not those of the group"));
        }
        let part = |id: &String| text(&self.things[id], "replication_group_instance");
        let chosen = members
            .iter()
            .filter(|id| wanted.is_empty() || wanted.contains(&id.as_str()));
        let mut parts: Vec<String> = chosen.map(part).collect();
        parts.sort();
        parts.dedup();
        let mut tasks = Vec::new();
        for part in parts {
            let volumes = self.members(&group, Some(&part));
            let first = self.things[&volumes[0]].clone();
            self.may_take(&first, &name, 31)?;
            let targets = self.targets(&volumes, &body["new_linked_targets"])?;
            let session = self.session(&first, &name);
            let about = [session.clone(), group.clone()];
            let made = std::iter::once(session).chain(targets).collect();
            let word = "CREATE CONSISTENCY GROUP SNAPSHOT SESSION";
            tasks.extend(self.begin(word, &about, Effect::Make(made)));
        }
        Ok((202, "tasks", json!({"task": tasks})))
    }

    fn sources(&self, session: &Value) -> Vec<String> {
        match session["parent"]["id"].as_str() {
            Some(parent) => vec![parent.to_owned()],
            None => {
                let group = session["consistency_group"]["id"].as_str().unwrap();
                self.members(group, session["replication_group_instance"].as_str())
            }
        }
    }

    fn on_session(&mut self, id: &str, what: &str, body: &Value) -> Answered {
        let session = self.there(id, "BlockSnapshotSession")?.clone();
        let about = [id.to_owned()];
        let linked = |session: &Value, id: &str| {
            session["linked_targets"]
                .as_array()
                .unwrap()
                .iter()
                .any(|one| one["id"] == id)
        };
        match what {
            "link-targets" => {
                let new = &body["new_linked_targets"];
                if new["count"] == 0 {
                    return Err(no(400, 1008, "count"));
                }
                let targets = self.targets(&self.sources(&session), new)?;
                let effect = Effect::Link(id.to_owned(), targets);
                let tasks = self.begin("LINK SNAPSHOT SESSION TARGETS", &about, effect);
                Ok((202, "tasks", json!({"task": tasks})))
            }
            "relink-targets" => {
                let ids = strings(&body["ids"]);
                if ids.is_empty() {
                    return Err(no(400, 1005, "ids"));
                }
                let mut all = Vec::new();
                for target in &ids {
                    let sessions = self.alive("BlockSnapshotSession");
                    let now = sessions.iter().find(|one| linked(one, target));
                    let now = now.ok_or_else(|| no(400, 1013, "it is linked to nothing"))?;
                    if now["parent"] != session["parent"]
                        || now["consistency_group"] != session["consistency_group"]
                    {
                        return Err(no(400, 1013, "it is of another source"));
                    }
                    all.extend(self.set_of(target));
                }
                let effect = Effect::Relink(id.to_owned(), all);
                let tasks = self.begin("RELINK SNAPSHOT SESSION TARGETS", &about, effect);
                Ok((202, "tasks", json!({"task": tasks})))
            }
            "unlink-targets" => {
                let mut all = Vec::new();
                for one in body["linked_targets"].as_array().into_iter().flatten() {
                    let target = text(one, "id");
                    if !linked(&session, &target) {
                        return Err(no(400, 1013, "it is no target of this session"));
                    }
                    if self.exported.contains(&target) {
                        return Err(no(400, 1013, "it is exported"));
                    }
                    let delete = one["delete_target"] == true;
                    all.extend(self.set_of(&target).into_iter().map(|id| (id, delete)));
                }
                if all.is_empty() {
                    return Err(no(400, 1005, "linked_targets"));
                }
                let effect = Effect::Unlink(id.to_owned(), all);
                let mut tasks = self.begin("UNLINK SNAPSHOT SESSION TARGETS", &about, effect);
                Ok((202, "task", tasks.remove(0)))
            }
            "restore" => {
                if self
                    .sources(&session)
                    .iter()
                    .any(|volume| self.busy(volume))
                {
                    return Err(no(400, 1056, "a task is pending on the volume"));
                }
                let mut tasks = self.begin(
                    "RESTORE SNAPSHOT SESSION",
                    &about,
                    Effect::Restore(id.to_owned()),
                );
                Ok((202, "task", tasks.remove(0)))
            }
            "deactivate" => {
                if self.busy(id) {
                    return Err(no(400, 1056, "a task is pending on the session"));
                }
                if !session["linked_targets"].as_array().unwrap().is_empty() {
                    return Err(no(400, 1013, "it has linked targets"));
                }
                let tasks = self.begin(
                    "DELETE SNAPSHOT SESSION",
                    &about,
                    Effect::Drop(id.to_owned()),
                );
                Ok((202, "tasks", json!({"task": tasks})))
            }
            _ => Err(no(404, 2000, "no such path")),
        }
    }

    /// All targets of a set: of a group they go together.
    fn set_of(&self, target: &str) -> Vec<String> {
        let one = &self.things[target];
        if one["consistency_group"].is_null() {
            return vec![target.to_owned()];
        }
        let same = |other: &&&Value| {
            [
                "snapset_label",
                "consistency_group",
                "replication_group_instance",
            ]
            .iter()
            .all(|key| other[*key] == one[*key])
        };
        let all = self.alive("BlockSnapshot");
        all.iter().filter(same).map(|one| text(one, "id")).collect()
    }

    fn on_snapshot(&mut self, id: &str, what: &str) -> Answered {
        self.there(id, "BlockSnapshot")?;
        let about = [id.to_owned()];
        match what {
            "restore" => {
                let mut tasks = self.begin(
                    "RESTORE VOLUME SNAPSHOT",
                    &about,
                    Effect::Restore(id.to_owned()),
                );
                Ok((202, "task", tasks.remove(0)))
            }
            "deactivate" if self.exported.contains(id) => Err(no(400, 1020, "it is exported")),
            "deactivate" => {
                let sessions = self.alive("BlockSnapshotSession");
                let of = |one: &&&Value| {
                    one["linked_targets"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .any(|t| t["id"] == id)
                };
                let session = sessions.iter().find(of).map(|one| text(one, "id"));
                let tasks = match session {
                    Some(session) => {
                        let effect = Effect::Unlink(session.clone(), vec![(id.to_owned(), true)]);
                        self.begin("UNLINK SNAPSHOT SESSION TARGETS", &[session], effect)
                    }
                    None => self.begin(
                        "DELETE VOLUME SNAPSHOT",
                        &about,
                        Effect::Drop(id.to_owned()),
                    ),
                };
                Ok((202, "tasks", json!({"task": tasks})))
            }
            _ => Err(no(404, 2000, "no such path")),
        }
    }

    fn on_volume(&mut self, id: &str, what: &str, body: &Value) -> Answered {
        let volume = self.there(id, "Volume")?.clone();
        let about = [id.to_owned()];
        match what {
            "expand" => {
                let effect = Effect::Resize(id.to_owned(), text(body, "new_size"));
                let mut tasks = self.begin("EXPAND VOLUME", &about, effect);
                Ok((202, "task", tasks.remove(0)))
            }
            "deactivate" => {
                let of = |kind: &str| self.alive(kind).iter().any(|one| one["parent"]["id"] == id);
                if of("BlockSnapshot") || of("BlockSnapshotSession") || self.exported.contains(id) {
                    return Err(no(400, 1020, "it is referenced by others"));
                }
                let mut tasks = self.begin("DELETE VOLUME", &about, Effect::Drop(id.to_owned()));
                Ok((202, "task", tasks.remove(0)))
            }
            "protection/snapshots" => {
                let name = text(body, "name");
                if self.most == 0 {
                    return Err(no(405, 1007, "the pool keeps none"));
                }
                let sessions = volume["supports_snapshot_sessions"] == true;
                let mut checked = volume.clone();
                checked["supports_snapshot_sessions"] = true.into();
                self.may_take(&checked, &name, 63)?;
                let snapshot = self.snapshot(id, &name, &label(&name));
                let mut made = vec![snapshot.clone()];
                if sessions {
                    made.push(self.session(&volume, &name));
                }
                let mut tasks = self.begin(
                    "CREATE VOLUME SNAPSHOT",
                    &[snapshot, id.to_owned()],
                    Effect::Make(made),
                );
                // The one on the volume is made, and not told.
                tasks.truncate(1);
                Ok((202, "tasks", json!({"task": tasks})))
            }
            _ => Err(no(404, 2000, "no such path")),
        }
    }

    fn make_volume(&mut self, body: &Value) -> Answered {
        for (key, id) in [("vpool", POOL), ("varray", ARRAY), ("project", PROJECT)] {
            if body[key] != id {
                return Err(no(400, 1004, key));
            }
        }
        let id = self.seed(&text(body, "name"), None);
        let size = text(body, "size").trim_end_matches("GB").to_owned();
        self.set(&id, "provisioned_capacity_gb", format!("{size}.00").into());
        let tasks = self.begin(
            "CREATE VOLUME",
            std::slice::from_ref(&id),
            Effect::Make(vec![id.clone()]),
        );
        Ok((202, "tasks", json!({"task": tasks})))
    }

    fn search(&self, kind: &str, asked: &Asked) -> Answered {
        let project = asked.query("project");
        let fits = |thing: &&&Value| {
            let by = |key: &str, wanted: &str| {
                thing[key]
                    .as_str()
                    .is_some_and(|own| own.to_lowercase().starts_with(&wanted.to_lowercase()))
            };
            project.is_none_or(|project| thing["project"]["id"] == project)
                && asked.query("name").is_none_or(|name| by("name", name))
                && asked
                    .query("state")
                    .is_none_or(|state| thing["state"] == state)
        };
        if asked.query.is_empty() {
            return Err(no(400, 1005, "a parameter"));
        }
        let all = self.alive(kind);
        let found = all.iter().filter(fits);
        let found: Vec<Value> = found
            .map(|one| json!({"id": one["id"], "link": one["link"], "match": one["name"]}))
            .collect();
        Ok((200, "results", json!({"resource": found})))
    }

    fn get(&mut self, asked: &Asked, parts: &[&str]) -> Answered {
        let list = |all: Vec<&Value>| -> Vec<Value> {
            all.into_iter()
                .map(|one| json!({"id": one["id"], "name": one["name"], "link": one["link"]}))
                .collect()
        };
        let of = |kind: &str, key: &str, id: &str| {
            let fits =
                |one: &&Value| one[key]["id"] == id && (key == "parent" || one["parent"].is_null());
            list(self.alive(kind).into_iter().filter(fits).collect())
        };
        match parts {
            ["user", "whoami"] => Ok((
                200,
                "user",
                json!({"common_name": "root", "tenant": TENANT,
                "tenantName": "Provider Tenant", "vdc_roles": ["SYSTEM_ADMIN"], "home_tenant_roles": ["TENANT_ADMIN"],
                "subtenant_roles": []}),
            )),
            ["tenant"] => Ok((
                200,
                "tenant_info",
                json!({"id": TENANT, "name": "Provider Tenant"}),
            )),
            ["tenants", _, "subtenants"] => Ok((200, "subtenants", json!({"subtenant": []}))),
            ["tenants", _, "projects"] => Ok((
                200,
                "projects",
                json!({"project": [{"id": PROJECT, "name": "erp"}]}),
            )),
            ["block", "vpools"] => Ok((
                200,
                "vpool_list",
                json!({"virtualpool": [{"id": POOL, "name": "gold"}]}),
            )),
            ["vdc", "varrays"] => Ok((
                200,
                "varrays",
                json!({"varray": [{"id": ARRAY, "name": "dc1"}]}),
            )),
            ["block", "vpools", POOL] => Ok((
                200,
                "block_vpool",
                json!({"id": POOL, "name": "gold",
                "protection": {"snapshots": {"max_native_snapshots": self.most}}}),
            )),
            ["vdc", "tasks", "stats"] => {
                let count = |state: &str| {
                    self.alive("Task")
                        .iter()
                        .filter(|task| task["state"] == state)
                        .count()
                        .to_string()
                };
                Ok((
                    200,
                    "task_stats",
                    json!({"error": count("error"), "pending": count("pending"), "ready": count("ready")}),
                ))
            }
            ["vdc", "tasks"] => Ok((200, "tasks_ids", json!({"task": list(self.alive("Task"))}))),
            [.., "search"] => self.search(kind_of(parts), asked),
            ["block", "volumes", id, "protection", "snapshot-sessions"] => {
                self.there(id, "Volume")?;
                Ok((
                    200,
                    "snapshot_sessions",
                    json!({"snapshot_session": of("BlockSnapshotSession", "parent", id)}),
                ))
            }
            [
                "block",
                "consistency-groups",
                id,
                "protection",
                "snapshot-sessions",
            ] => Ok((
                200,
                "snapshot_sessions",
                json!({"snapshot_session": of("BlockSnapshotSession", "consistency_group", id)}),
            )),
            ["block", "volumes", id, "protection", "snapshots"] => {
                self.there(id, "Volume")?;
                Ok((
                    200,
                    "snapshots",
                    json!({"snapshot": of("BlockSnapshot", "parent", id)}),
                ))
            }
            ["block", _, id, "exports"] => {
                let seen = self.exported.contains(*id);
                let itl = json!({"hlu": 1, "device": {"id": id}, "export": {"id": "x", "name": "db-hosts"}});
                let all: Vec<Value> = seen.then_some(itl).into_iter().collect();
                Ok((200, "itls", json!({"itl": all})))
            }
            ["block", _, id, "tasks"] => {
                self.there(id, kind_of(parts))?;
                let all = self
                    .alive("Task")
                    .into_iter()
                    .filter(|task| task["resource"]["id"] == *id)
                    .cloned();
                Ok((200, "tasks", json!({"task": all.collect::<Vec<Value>>()})))
            }
            [.., id] => {
                let kind = kind_of(parts);
                let mut thing = match self.things.get(*id) {
                    Some(thing) if is(thing, kind) => thing.clone(),
                    _ => return Err(no(404, 2000, "there is no such thing")),
                };
                if kind == "BlockConsistencyGroup" {
                    let volumes = self.members(id, None);
                    thing["volumes"] = volumes.iter().map(|id| plain(id)).collect();
                }
                Ok((200, root_of(kind), thing))
            }
            [] => Err(no(404, 2000, "no such path")),
        }
    }

    fn post(&mut self, parts: &[&str], body: &Value) -> Answered {
        match parts {
            [.., "bulk"] => {
                let kind = kind_of(parts);
                let ids = strings(&body["id"]);
                if ids.len() > 4000 {
                    return Err(no(400, 1031, "ids"));
                }
                let mut all: Vec<Value> = ids
                    .iter()
                    .filter_map(|id| self.things.get(id))
                    .filter(|one| is(one, kind))
                    .cloned()
                    .collect();
                for group in all.iter_mut().filter(|_| kind == "BlockConsistencyGroup") {
                    let volumes = self.members(group["id"].as_str().unwrap(), None);
                    group["volumes"] = volumes.iter().map(|id| plain(id)).collect();
                }
                let one = root_of(kind);
                let root = match one {
                    "block_snapshot" => "bulk_block_snapshots",
                    "block_snapshot_session" => "bulk_block_snapshot_sessions",
                    "volume" => "bulk_volumes",
                    "task" => "bulk_tasks",
                    _ => "bulk_consistency_groups",
                };
                Ok((200, root, json!({one: all})))
            }
            ["block", "volumes"] => self.make_volume(body),
            ["block", _, id, "protection", "snapshot-sessions"] => self.take_session(id, body),
            [
                "block",
                "consistency-groups",
                group,
                "protection",
                "snapshot-sessions",
                id,
                what,
            ] => {
                let session = self.there(id, "BlockSnapshotSession")?;
                if session["consistency_group"]["id"] != *group {
                    return Err(no(400, 1013, "it is of another group"));
                }
                self.on_session(id, what, body)
            }
            ["block", "snapshot-sessions", id, what] => self.on_session(id, what, body),
            ["block", "snapshots", id, what] => self.on_snapshot(id, what),
            ["block", "volumes", id, "protection", what] => {
                let what = format!("protection/{what}");
                self.on_volume(id, &what, body)
            }
            ["block", "volumes", id, what] => self.on_volume(id, what, body),
            ["vdc", "tasks", id, what @ ("resume" | "rollback")] => {
                let task = self.there(id, "Task")?.clone();
                if task["state"] != "suspended_error" {
                    return Err(no(400, 1008, "its workflow does not wait"));
                }
                let op = task["op_id"].clone();
                for job in &mut self.jobs {
                    if job.tasks.iter().any(|own| self.things[own]["op_id"] == op) {
                        job.left = self.slow;
                        job.ends = (*what == "rollback").then_some(Ends::Fails);
                    }
                }
                for task in self.things.values_mut().filter(|one| one["op_id"] == op) {
                    task["state"] = "pending".into();
                    task.as_object_mut().unwrap().remove("service_error");
                }
                Ok((200, "", Value::Null))
            }
            _ => Err(no(404, 2000, "no such path")),
        }
    }

    pub(crate) fn answer(&mut self, asked: &Asked, rest: &str, base: &str) -> Answer {
        let form = match asked.header("accept") {
            Some("application/json") => Form::Json,
            _ => Form::Xml,
        };
        if rest == "/login" {
            return self.login(asked, form);
        }
        let known = asked
            .header("x-sds-auth-token")
            .is_some_and(|token| self.tokens.contains(token));
        if !known && asked.method == "GET" && self.redirects {
            let at = format!("{base}/vipr/login?service=x");
            return Answer::empty(302).with("Location", &at);
        }
        if !known {
            return wrong(Form::Xml, 401, 4000, "not logged in");
        }
        self.pass();
        let body = match (asked.bytes.is_empty(), asked.header("content-type")) {
            (true, _) => Ok(Value::Null),
            (false, Some("application/json")) => Form::Json.read(&[], &asked.bytes),
            (false, Some("application/xml")) => {
                snapdeck::wire::vipr::xml::read(&asked.bytes).map(|(_, body)| body)
            }
            (false, _) => return wrong(form, 415, 1003, "media type"),
        };
        let body = match body {
            Ok(body) => body,
            Err(why) => return wrong(form, 400, 1013, &why),
        };
        let parts: Vec<&str> = rest.split('/').filter(|part| !part.is_empty()).collect();
        let answered = match asked.method.as_str() {
            "GET" => self.get(asked, &parts),
            "POST" => self.post(&parts, &body),
            "PUT" => match parts.as_slice() {
                [_, _, id, "tags"] if self.things.contains_key(*id) => {
                    let all = strings(&self.things[*id]["tags"]);
                    let add = strings(&body["add"]);
                    let all: Vec<String> = all.into_iter().chain(add).collect();
                    self.set(id, "tags", json!(all));
                    Ok((200, "tags", json!({"tag": all})))
                }
                _ => Err(no(404, 2000, "no such path")),
            },
            _ => Err(no(405, 1007, "method")),
        };
        match answered {
            Ok((status, "", _)) => Answer::empty(status),
            Ok((status, root, body)) => said(form, status, root, &body),
            Err((status, code, why)) => wrong(form, status, code, &why),
        }
    }

    fn login(&mut self, asked: &Asked, form: Form) -> Answer {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("root:{PASSWORD}"));
        if asked.header("authorization") != Some(&format!("Basic {pair}")) {
            return Answer::empty(401).with("WWW-Authenticate", "basic realm=\"ViPR\"");
        }
        self.logins += 1;
        let token = format!("SDS-{}", self.logins);
        self.tokens.insert(token.clone());
        said(form, 200, "loggedIn", &json!({"user": "root"})).with("X-SDS-AUTH-TOKEN", &token)
    }
}

/// A body in a dialect.
pub(crate) fn said(form: Form, status: u16, root: &str, body: &Value) -> Answer {
    Answer {
        status,
        headers: vec![("Content-Type".to_owned(), form.media().to_owned())],
        body: form.write(root, body),
    }
}

/// An error in a dialect.
pub(crate) fn wrong(form: Form, status: u16, code: i64, details: &str) -> Answer {
    let body = json!({"code": code, "description": "It is refused", "details": details, "retryable": status == 503});
    said(form, status, "error", &body)
}

fn strings(value: &Value) -> Vec<String> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn is(thing: &Value, kind: &str) -> bool {
    let id = thing["id"].as_str().unwrap_or_default();
    id.split(':').nth(2) == Some(kind)
}

fn kind_of(parts: &[&str]) -> &'static str {
    match (parts.first().copied(), parts.get(1).copied()) {
        (_, Some("volumes")) => "Volume",
        (_, Some("snapshots")) => "BlockSnapshot",
        (_, Some("snapshot-sessions")) => "BlockSnapshotSession",
        (_, Some("consistency-groups")) => "BlockConsistencyGroup",
        (_, Some("tasks")) => "Task",
        _ => "?",
    }
}

fn root_of(kind: &str) -> &'static str {
    match kind {
        "Volume" => "volume",
        "BlockSnapshot" => "block_snapshot",
        "BlockSnapshotSession" => "block_snapshot_session",
        "Task" => "task",
        _ => "consistency_group",
    }
}

fn link(id: &str) -> Value {
    json!({"rel": "self", "href": format!("/block/things/{id}")})
}

fn plain(id: &str) -> Value {
    json!({"id": id, "link": link(id)})
}
