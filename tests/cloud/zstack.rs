//! ZStack Cloud as its reference has it: a job for every change, sessions that slide, trees with markers, groups of VMs,
//! results for each snapshot, errors as it sends them. The numbers of sections are those of the reference.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};
use snapdeck::wire::zstack::{password, signature};

use super::web::{Answer, Asked};

pub(crate) const ACCOUNT: &str = "admin";
pub(crate) const CLEAR: &str = "correct horse";
pub(crate) const KEY: &str = "demoKey01";
pub(crate) const KEY_SECRET: &str = "demoSecret0123456789";

type Done = Result<Value, Value>;

struct Job {
    /// How often it is still said to be under way.
    left: u32,
    done: Done,
}

pub(crate) struct ZStack {
    pub(crate) volumes: Vec<Value>,
    pub(crate) vms: Vec<Value>,
    pub(crate) snapshots: Vec<Value>,
    /// By id: volume, whether it is current, when it was made.
    trees: Vec<(String, String, bool, String)>,
    pub(crate) groups: Vec<Value>,
    pub(crate) long_jobs: Vec<Value>,
    jobs: HashMap<String, Job>,
    pub(crate) sessions: HashSet<String>,
    pub(crate) logins: usize,
    /// How often a job is said to be under way.
    pub(crate) polls: u32,
    /// The longest chain (10.3).
    pub(crate) max: u64,
    /// Where jobs are said to be.
    pub(crate) host: Option<String>,
    /// Volumes to which nothing can be done.
    pub(crate) stuck: HashSet<String>,
    /// The next job fails with this.
    pub(crate) fails: Option<Value>,
    /// All jobs have been cleaned up.
    pub(crate) forgetful: bool,
    /// Every page is the first.
    pub(crate) repeats: bool,
    /// Whether keys are compared by the face of a clock that is so many hours before ours.
    pub(crate) clock: i8,
    next: u64,
}

fn error(code: &str, details: &str) -> Value {
    json!({"error": {"code": code, "description": "as the code says", "details": details}})
}

fn text(status: u16, text: &str) -> Answer {
    Answer {
        status,
        headers: vec![(
            "Content-Type".to_owned(),
            "text/plain;charset=utf-8".to_owned(),
        )],
        body: text.to_owned(),
    }
}

fn is(value: &Value, name: &str, text: &str) -> bool {
    value[name].as_str() == Some(text)
}

impl ZStack {
    pub(super) fn new() -> Self {
        Self {
            volumes: Vec::new(),
            vms: Vec::new(),
            snapshots: Vec::new(),
            trees: Vec::new(),
            groups: Vec::new(),
            long_jobs: Vec::new(),
            jobs: HashMap::new(),
            sessions: HashSet::new(),
            logins: 0,
            polls: 1,
            max: 64,
            host: None,
            stuck: HashSet::new(),
            fails: None,
            forgetful: false,
            repeats: false,
            clock: 0,
            next: 0,
        }
    }

    fn id(&mut self) -> String {
        self.next += 1;
        format!("{:08x}d1e54a5b8c6d7e8f{:08x}", self.next, 0x0a1b_2c3d_u32)
    }

    /// "`MMM d, yyyy h:mm:ss a`", in a zone eight hours before UTC; each a second after the one before.
    fn date(&self) -> String {
        let at = jiff::Timestamp::from_second(1_731_594_000 + i64::try_from(self.next).unwrap())
            .unwrap();
        let at = jiff::tz::offset(8).to_datetime(at);
        let half = if at.hour() < 12 { "AM" } else { "PM" };
        let hour = match at.hour() % 12 {
            0 => 12,
            hour => hour,
        };
        format!(
            "{} {}, {} {hour}:{:02}:{:02} {half}",
            at.strftime("%b"),
            at.day(),
            at.year(),
            at.minute(),
            at.second()
        )
    }

    /// A VM with a root volume and data volumes of these names.
    pub(crate) fn seed(
        &mut self,
        name: &str,
        state: &str,
        root: &str,
        data: &[&str],
    ) -> (String, Vec<String>) {
        let vm = self.id();
        let mut ids = Vec::new();
        for (slot, disk) in std::iter::once(&root).chain(data).enumerate() {
            let kind = if slot == 0 { "Root" } else { "Data" };
            let id = self.volume(disk, kind, 10 << 30);
            let own = self.volumes.last_mut().unwrap();
            own["vmInstanceUuid"] = json!(vm);
            own["deviceId"] = json!(slot);
            ids.push(id);
        }
        let date = self.date();
        self.vms.push(
            json!({"uuid": vm, "name": name, "rootVolumeUuid": ids[0], "state": state,
            "type": "UserVm", "hypervisorType": "KVM", "createDate": date, "lastOpDate": date,
            "cpuNum": 2.0, "vmNics": [], "vmCdRoms": []}),
        );
        (vm, ids)
    }

    pub(crate) fn volume(&mut self, name: &str, kind: &str, size: u64) -> String {
        let (id, date) = (self.id(), self.date());
        self.volumes.push(json!({"uuid": id, "name": name, "type": kind, "format": "qcow2", "size": size,
            "actualSize": 1.073741824E9, "state": "Enabled", "status": "Ready", "isShareable": false,
            "primaryStorageUuid": "0fd630f1f29d4da9953f48f1a09f76b5",
            "installPath": format!("/vg_a/vol-{id}/{id}.qcow2"), "createDate": date, "lastOpDate": date}));
        id
    }

    /// So many snapshots of a volume, one after another.
    pub(crate) fn take(&mut self, volume: &str, count: usize) -> Vec<String> {
        (0..count)
            .map(|n| self.snap(volume, &format!("s{n}"), None, None))
            .collect()
    }

    /// A group that is there already.
    pub(crate) fn group(&mut self, root: &str, name: &str) -> String {
        let body = json!({"rootVolumeUuid": root, "name": name});
        let made = self.make_group(&body).unwrap();
        made["inventory"]["uuid"].as_str().unwrap().to_owned()
    }

    pub(crate) fn set(&mut self, id: &str, name: &str, value: Value) {
        let all = self
            .volumes
            .iter_mut()
            .chain(&mut self.vms)
            .chain(&mut self.snapshots);
        for one in all.filter(|one| is(one, "uuid", id)) {
            one[name] = value.clone();
        }
    }

    pub(crate) fn snapshot_names(&self, volume: &str) -> Vec<String> {
        let own = self
            .snapshots
            .iter()
            .filter(|one| is(one, "volumeUuid", volume));
        own.map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The name of the snapshot that a volume stands on.
    pub(crate) fn here(&self, volume: &str) -> Option<String> {
        let tree = self.trees.iter().find(|tree| tree.1 == volume && tree.2)?;
        let mut own = self
            .snapshots
            .iter()
            .filter(|one| is(one, "treeUuid", &tree.0));
        let here = own.find(|one| one["latest"] == true)?;
        here["name"].as_str().map(str::to_owned)
    }

    fn find(&self, id: &str) -> Option<&Value> {
        self.snapshots.iter().find(|one| is(one, "uuid", id))
    }

    fn vm_of(&self, volume: &str) -> Option<&Value> {
        let own = self.volumes.iter().find(|one| is(one, "uuid", volume))?;
        let vm = own["vmInstanceUuid"].as_str()?;
        self.vms.iter().find(|one| is(one, "uuid", vm))
    }

    fn moved(&mut self, volume: &str) {
        let (id, date) = (self.id(), self.date());
        self.set(
            volume,
            "installPath",
            json!(format!("/vg_a/vol-{volume}/{id}.qcow2")),
        );
        self.set(volume, "lastOpDate", json!(date));
    }

    /// Section 10.4, with the cases of 10.3.
    fn snap(
        &mut self,
        volume: &str,
        name: &str,
        id: Option<&str>,
        description: Option<&Value>,
    ) -> String {
        let fresh = self.id();
        let id = id.map_or(fresh, str::to_owned);
        let date = self.date();
        let current = self
            .trees
            .iter()
            .find(|tree| tree.1 == volume && tree.2)
            .map(|tree| tree.0.clone());
        let latest = current.as_ref().and_then(|tree| {
            self.snapshots
                .iter_mut()
                .find(|one| is(one, "treeUuid", tree) && one["latest"] == true)
        });
        let deep = latest.as_ref().map(|one| one["distance"].as_u64().unwrap());
        let (tree, parent, distance) = match (current, latest, deep) {
            (Some(tree), Some(latest), Some(deep)) if deep < self.max => {
                latest["latest"] = json!(false);
                (tree, Some(latest["uuid"].clone()), deep + 1)
            }
            (current, ..) => {
                let tree = self.id();
                for other in self.trees.iter_mut().filter(|tree| tree.1 == volume) {
                    other.2 = false;
                }
                self.trees
                    .push((tree.clone(), volume.to_owned(), true, date.clone()));
                (tree, None, u64::from(current.is_none()))
            }
        };
        let kind = self
            .volumes
            .iter()
            .find(|one| is(one, "uuid", volume))
            .map(|one| one["type"].clone());
        let mut made = json!({"uuid": id, "name": name, "type": "Hypervisor", "volumeUuid": volume,
            "treeUuid": tree, "volumeType": kind, "format": "qcow2", "latest": true, "size": 7.34003200E8,
            "distance": distance, "state": "Enabled", "status": "Ready", "createDate": date, "lastOpDate": date,
            "primaryStorageInstallPath": format!("/vg_a/vol-{volume}/snapshots/{id}.qcow2"), "backupStorageRefs": []});
        if let Some(parent) = parent {
            made["parentUuid"] = parent;
        }
        if let Some(Value::String(text)) = description {
            made["description"] = json!(text);
        }
        self.snapshots.push(made);
        self.moved(volume);
        id
    }

    /// Section 10.5.
    fn revert(&mut self, id: &str) -> Result<(), Value> {
        let Some(to) = self.find(id).cloned() else {
            return Err(error("SYS.1003", "no such snapshot"));
        };
        let volume = to["volumeUuid"].as_str().unwrap().to_owned();
        if self.stuck.contains(&volume) {
            return Err(
                json!({"error": {"code": "SYS.1006", "description": "An operation failed", "details": "storage refused",
                "cause": {"code": "PRIMARY_STORAGE.1002", "details": "no room on vg_a"}}}),
            );
        }
        if let Some(vm) = self.vm_of(&volume).filter(|vm| !is(vm, "state", "Stopped")) {
            let told = format!("VM {} must be Stopped but is {}", vm["name"], vm["state"]);
            return Err(error("SYS.1006", &told));
        }
        for one in self
            .snapshots
            .iter_mut()
            .filter(|one| one["treeUuid"] == to["treeUuid"])
        {
            one["latest"] = json!(is(one, "uuid", id));
        }
        for tree in self.trees.iter_mut().filter(|tree| tree.1 == volume) {
            tree.2 = is(&to, "treeUuid", &tree.0);
        }
        self.moved(&volume);
        Ok(())
    }

    /// Section 10.6: "**the whole subtree goes**".
    fn drop(&mut self, id: &str) -> Result<(), Value> {
        let Some(top) = self.find(id).cloned() else {
            return Ok(());
        };
        let volume = top["volumeUuid"].as_str().unwrap().to_owned();
        if self.stuck.contains(&volume) {
            return Err(
                json!({"error": {"code": "SYS.1004", "description": "Unable to delete a resource", "details": "",
                "cause": {"code": "VOLUME_SNAPSHOT.1002", "description": "Failed to delete volume snapshots in batch.",
                    "causes": [{"code": "SYS.1006", "details": "a clone depends on it", "opaque": {"SNAPSHOT_UUID": id}}]}}}),
            );
        }
        let mut gone = HashSet::from([id.to_owned()]);
        loop {
            let before = gone.len();
            let below = self
                .snapshots
                .iter()
                .filter(|one| one["parentUuid"].as_str().is_some_and(|p| gone.contains(p)));
            let below: Vec<String> = below
                .map(|one| one["uuid"].as_str().unwrap().to_owned())
                .collect();
            gone.extend(below);
            if gone.len() == before {
                break;
            }
        }
        let removed: Vec<Value> = self
            .snapshots
            .iter()
            .filter(|one| gone.contains(one["uuid"].as_str().unwrap()))
            .cloned()
            .collect();
        self.snapshots
            .retain(|one| !gone.contains(one["uuid"].as_str().unwrap()));
        if removed.iter().any(|one| one["latest"] == true)
            && let Some(parent) = top["parentUuid"].as_str()
        {
            self.set(parent, "latest", json!(true));
        }
        let left = &self.snapshots;
        self.trees
            .retain(|tree| left.iter().any(|one| is(one, "treeUuid", &tree.0)));
        for one in &removed {
            let Some(group) = one["groupUuid"].as_str() else {
                continue;
            };
            if is(one, "volumeType", "Root") {
                self.part(group);
            }
            for group in &mut self.groups {
                for member in group["volumeSnapshotRefs"].as_array_mut().unwrap() {
                    if member["volumeSnapshotUuid"] == one["uuid"] {
                        member["snapshotDeleted"] = json!(true);
                    }
                }
            }
        }
        Ok(())
    }

    fn part(&mut self, group: &str) {
        self.groups.retain(|one| !is(one, "uuid", group));
        for one in self
            .snapshots
            .iter_mut()
            .filter(|one| is(one, "groupUuid", group))
        {
            one.as_object_mut().unwrap().remove("groupUuid");
        }
    }

    fn make_group(&mut self, said: &Value) -> Done {
        let root = said["rootVolumeUuid"].as_str().unwrap_or_default();
        let name = named(said)?;
        let volume = self
            .volumes
            .iter()
            .find(|one| is(one, "uuid", root))
            .cloned();
        let volume = volume.ok_or_else(|| error("SYS.1003", "no such volume"))?;
        let vm = self
            .vm_of(root)
            .cloned()
            .filter(|_| is(&volume, "type", "Root"));
        let vm = vm.ok_or_else(|| error("SYS.1007", "it is no root volume of a VM"))?;
        let memory = said["withMemory"] == true;
        if memory && !["Running", "Paused"].contains(&vm["state"].as_str().unwrap()) {
            return Err(error("SYS.1007", "there is no memory"));
        }
        let mut disks: Vec<Value> = self
            .volumes
            .iter()
            .filter(|one| one["vmInstanceUuid"] == vm["uuid"])
            .cloned()
            .collect();
        if disks.iter().any(|one| !is(one, "status", "Ready")) {
            return Err(error("SYS.1006", "a volume is not Ready"));
        }
        if memory {
            let id = self.volume("memory", "Memory", 4 << 30);
            disks.extend(
                self.volumes
                    .iter()
                    .find(|one| is(one, "uuid", &id))
                    .cloned(),
            );
        }
        let fresh = self.id();
        let id = said["resourceUuid"].as_str().map_or(fresh, str::to_owned);
        let mut refs = Vec::new();
        for disk in &disks {
            let of = disk["uuid"].as_str().unwrap();
            let called = format!("{name}-{}", disk["name"].as_str().unwrap());
            let snapshot = self.snap(of, &called, None, said.get("description"));
            self.set(&snapshot, "groupUuid", json!(id));
            let date = self.date();
            refs.push(json!({"volumeSnapshotUuid": snapshot, "volumeSnapshotGroupUuid": id,
                "deviceId": disk["deviceId"].as_u64().unwrap_or(99), "snapshotDeleted": false, "volumeUuid": of,
                "volumeName": disk["name"], "volumeType": disk["type"], "volumeSnapshotName": called,
                "createDate": date, "lastOpDate": date}));
        }
        // "Order of results is not the order asked."
        refs.reverse();
        let date = self.date();
        let mut made = json!({"uuid": id, "name": name, "snapshotCount": refs.len() as f64, "vmInstanceUuid": vm["uuid"],
            "createDate": date, "lastOpDate": date, "volumeSnapshotRefs": refs});
        if let Some(text) = said["description"].as_str() {
            made["description"] = json!(text);
        }
        self.groups.push(made.clone());
        Ok(json!({"inventory": made}))
    }

    /// Section 9.15.
    fn reasons(&self, group: &Value) -> Vec<&'static str> {
        let attached: Vec<&Value> = self
            .volumes
            .iter()
            .filter(|one| one["vmInstanceUuid"] == group["vmInstanceUuid"])
            .collect();
        let refs: Vec<&Value> = group["volumeSnapshotRefs"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| !is(one, "volumeType", "Memory"))
            .collect();
        let mut reasons = Vec::new();
        if refs.iter().any(|one| one["snapshotDeleted"] == true) {
            reasons.push("a snapshot was deleted");
        }
        if refs.iter().any(|one| {
            attached
                .iter()
                .all(|disk| disk["uuid"] != one["volumeUuid"])
        }) {
            reasons.push("a disk is not attached any more");
        }
        if attached
            .iter()
            .any(|disk| refs.iter().all(|one| disk["uuid"] != one["volumeUuid"]))
        {
            reasons.push("a new disk is attached");
        }
        reasons
    }

    /// Each member, done by itself.
    fn each(
        &mut self,
        group: &Value,
        mut act: impl FnMut(&mut Self, &str) -> Result<(), Value>,
    ) -> Value {
        let mut results = Vec::new();
        for one in group["volumeSnapshotRefs"].as_array().unwrap() {
            let mut result = json!({"snapshotUuid": one["volumeSnapshotUuid"], "volumeUuid": one["volumeUuid"], "success": true});
            if let Err(error) = act(self, one["volumeSnapshotUuid"].as_str().unwrap()) {
                result["success"] = json!(false);
                result["error"] = error["error"].clone();
            }
            results.push(result);
        }
        json!({"results": results})
    }

    // ---- calls

    fn is_signed(&self, asked: &Asked, path: &str) -> Result<bool, Answer> {
        let said = asked.header("authorization").unwrap_or_default();
        let Some(key) = said.strip_prefix("ZStack ") else {
            return Ok(false);
        };
        let Some((id, proof)) = key.split_once(':') else {
            return Err(text(400, "a key has two parts"));
        };
        let date = asked.header("date").unwrap_or_default();
        let face = date.rsplit_once(' ').map_or(date, |(face, _)| face);
        let Ok(face) = jiff::civil::DateTime::strptime("%a, %d %b %Y %H:%M:%S", face) else {
            return Err(text(400, "no date"));
        };
        let now = jiff::tz::offset(self.clock).to_datetime(jiff::Timestamp::now());
        if (face - now).total(jiff::Unit::Second).unwrap().abs() > 900.0 {
            return Err(text(403, "the request is too old"));
        }
        Ok(id == KEY && proof == signature(KEY_SECRET, &asked.method, date, path))
    }

    /// `path` is what comes after the context path.
    pub(super) fn answer(&mut self, asked: &Asked, path: &str, base: &str) -> Answer {
        let Some(rest) = path.strip_prefix("/v1") else {
            return text(404, "no such path");
        };
        let parts: Vec<&str> = rest.split('/').skip(1).collect();
        let method = asked.method.as_str();
        match (method, parts.as_slice()) {
            ("PUT", ["accounts", "login"]) => return self.login(asked),
            ("DELETE", ["accounts", "sessions", id]) => {
                self.sessions.remove(*id);
                return Answer::ok(json!({}));
            }
            ("GET", ["accounts", "sessions", id, "valid"]) => {
                return Answer::ok(json!({"valid": self.sessions.contains(*id)}));
            }
            ("PUT", ["management-nodes", "actions"]) => {
                return Answer::ok(json!({"version": "5.2.1", "success": true}));
            }
            // "The job path does **not** authenticate."
            ("GET", ["api-jobs", id]) => return self.poll(id),
            _ => {}
        }
        let said = asked.header("authorization");
        let known = match said {
            None => return text(400, "no Authorization"),
            Some(said) if said.starts_with("OAuth ") => self.sessions.contains(&said[6..]),
            Some(said) if said.starts_with("ZStack ") => match self.is_signed(asked, path) {
                Ok(known) => known,
                Err(answer) => return answer,
            },
            Some(_) => return text(400, "the scheme is not known"),
        };
        if method == "GET" {
            return match self.read(asked, &parts) {
                Some(_) if !known => Answer::new(503, error("ID.1001", "session expired")),
                Some(answer) => answer,
                None => text(404, "no such path"),
            };
        }
        let Some(job) = asked.header("x-job-uuid").map(str::to_owned) else {
            return text(400, "X-Job-UUID, by this stand-in");
        };
        if job.len() != 32 || self.jobs.contains_key(&job) {
            return text(400, "X-Job-UUID");
        }
        let done = match (self.fails.take(), known) {
            (Some(error), _) => Some(Err(error)),
            (None, false) => Some(Err(error("ID.1001", "session expired"))),
            (None, true) => self.change(asked, &parts),
        };
        let Some(done) = done else {
            return text(404, "no such path");
        };
        let host = self.host.clone().unwrap_or_else(|| base.to_owned());
        self.jobs.insert(
            job.clone(),
            Job {
                left: self.polls,
                done,
            },
        );
        Answer::new(
            202,
            json!({"location": format!("{host}/zstack/v1/api-jobs/{job}"), "apiTimeout": 1.08E7}),
        )
    }

    fn login(&mut self, asked: &Asked) -> Answer {
        self.logins += 1;
        let said = &asked.body["logInByAccount"];
        if !is(said, "accountName", ACCOUNT) || !is(said, "password", &password(CLEAR)) {
            return Answer::new(503, error("ID.1000", "wrong account name or password"));
        }
        let id = self.id();
        self.sessions.insert(id.clone());
        let date = self.date();
        Answer::ok(
            json!({"inventory": {"uuid": id, "accountUuid": "36c27e8ff05c4780bf6d2fa65700f22e",
            "userUuid": "36c27e8ff05c4780bf6d2fa65700f22e", "expiredDate": date, "createDate": date}}),
        )
    }

    fn poll(&mut self, id: &str) -> Answer {
        if self.forgetful {
            return text(404, "no such job");
        }
        let Some(job) = self.jobs.get_mut(id) else {
            return text(404, "no such job");
        };
        if job.left > 0 {
            job.left -= 1;
            return Answer::new(202, json!({}));
        }
        match &job.done {
            Ok(result) => Answer::ok(result.clone()),
            Err(error) => Answer::new(503, error.clone()),
        }
    }

    fn read(&self, asked: &Asked, parts: &[&str]) -> Option<Answer> {
        let all = match parts {
            ["management-nodes", "platform-timezone"] => {
                return Some(Answer::ok(
                    json!({"timezone": "Asia/Shanghai", "offset": "+08:00", "success": true}),
                ));
            }
            ["task-progresses", _] => {
                return Some(Answer::ok(json!({"inventories": [
                    {"taskName": "all", "type": "Task", "content": "at work", "time": 1_731_715_200_000_u64},
                    {"taskName": "own", "type": "Progress", "content": "40", "time": 1_731_715_200_000_u64}]})));
            }
            ["volume-snapshots", "groups", "availabilities"] => {
                let mut results = Vec::new();
                for (_, id) in asked.query.iter().filter(|(name, _)| name == "uuids") {
                    let Some(group) = self.groups.iter().find(|one| is(one, "uuid", id)) else {
                        return Some(Answer::new(503, error("SYS.1003", "no such group")));
                    };
                    let reasons = self.reasons(group);
                    results.push(json!({"uuid": id, "available": reasons.is_empty(), "reason": reasons.join("\n")}));
                }
                return Some(Answer::ok(json!({"results": results})));
            }
            ["longjobs", ..] => self.long_jobs.clone(),
            ["volumes", ..] => self.volumes.clone(),
            ["vm-instances", ..] => self.vms.iter().map(|vm| self.whole(vm)).collect(),
            ["volume-snapshots", "trees", ..] => {
                self.trees.iter().map(|tree| self.tree(tree)).collect()
            }
            ["volume-snapshots", "group", ..] => self.groups.clone(),
            ["volume-snapshots", ..] => self.snapshots.clone(),
            _ => return None,
        };
        let id = match parts {
            [_, "trees" | "group"] | [_] => None,
            [_, "trees" | "group", id] | [_, id] => Some(*id),
            _ => return None,
        };
        Some(self.queried(asked, all, id))
    }

    /// Section 6.
    fn queried(&self, asked: &Asked, mut all: Vec<Value>, id: Option<&str>) -> Answer {
        if let Some(id) = id {
            all.retain(|one| is(one, "uuid", id));
            return Answer::ok(json!({"inventories": all, "schema": {}}));
        }
        for (_, condition) in asked.query.iter().filter(|(name, _)| name == "q") {
            let Some((field, value)) = condition
                .split_once("?=")
                .or_else(|| condition.split_once('='))
            else {
                return text(400, "no operator");
            };
            let values: Vec<&str> = value.split(',').collect();
            all.retain(|one| one[field].as_str().is_some_and(|own| values.contains(&own)));
        }
        let sort = asked.query("sort").unwrap_or_default();
        let field = sort.trim_start_matches(['+', '-']).to_owned();
        all.sort_by_key(|one| one[&field].as_str().unwrap_or_default().to_owned());
        if sort.starts_with('-') {
            all.reverse();
        }
        let number = |name: &str, usual: usize| {
            asked
                .query(name)
                .map_or(Some(usual), |text| text.parse().ok())
        };
        let (Some(limit), Some(start)) = (number("limit", 1000), number("start", 0)) else {
            return text(400, "no number");
        };
        let (total, start) = (all.len(), if self.repeats { 0 } else { start });
        let page: Vec<Value> = all.into_iter().skip(start).take(limit).collect();
        let mut body = json!({"inventories": page, "schema": {}});
        if asked.query("replyWithCount") == Some("true") {
            body["total"] = json!(total);
        }
        Answer::ok(body)
    }

    fn whole(&self, vm: &Value) -> Value {
        let mut whole = vm.clone();
        let own = self
            .volumes
            .iter()
            .filter(|one| one["vmInstanceUuid"] == vm["uuid"]);
        whole["allVolumes"] = own.cloned().collect();
        whole
    }

    fn tree(&self, (id, volume, current, date): &(String, String, bool, String)) -> Value {
        let own: Vec<&Value> = self
            .snapshots
            .iter()
            .filter(|one| is(one, "treeUuid", id))
            .collect();
        // The newest first, so that what hangs from a leaf is there before it.
        let mut leaves: HashMap<&str, Vec<Value>> = HashMap::new();
        let mut root = Value::Null;
        let mut deepest = own.clone();
        deepest.sort_by_key(|one| std::cmp::Reverse(one["distance"].as_u64()));
        for one in deepest {
            let mut leaf = Map::new();
            leaf.insert("inventory".into(), one.clone());
            leaf.insert(
                "children".into(),
                leaves
                    .remove(one["uuid"].as_str().unwrap())
                    .unwrap_or_default()
                    .into(),
            );
            match one["parentUuid"].as_str() {
                Some(parent) => {
                    leaf.insert("parentUuid".into(), json!(parent));
                    leaves.entry(parent).or_default().push(leaf.into());
                }
                None => root = leaf.into(),
            }
        }
        json!({"uuid": id, "volumeUuid": volume, "current": current, "status": "Completed", "tree": root,
            "createDate": date, "lastOpDate": date})
    }

    /// A call that changes something, by its arguments; `None` where there is no such path.
    fn change(&mut self, asked: &Asked, parts: &[&str]) -> Option<Done> {
        let params = &asked.body["params"];
        let action = asked
            .body
            .as_object()
            .and_then(|body| body.iter().find(|(_, value)| value.is_object()));
        let (action, said) =
            action.map_or(("", &Value::Null), |(name, said)| (name.as_str(), said));
        let enforcing = asked.query("deleteMode") == Some("Enforcing");
        Some(match (asked.method.as_str(), parts, action) {
            ("POST", ["volumes", volume, "volume-snapshots"], "params") => {
                self.make_snapshot(volume, params)
            }
            ("POST", ["volumes", "data", "from", "volume-snapshots", id], "params") => {
                self.make_volume(id, params)
            }
            ("POST", ["volume-snapshots", "group"], "params") => self.make_group(params),
            ("POST", ["longjobs"], "params") => self.submit(params, asked),
            ("PUT", ["volume-snapshots", "group", id, "actions"], "updateVolumeSnapshotGroup") => {
                edit(&mut self.groups, id, said)
            }
            ("PUT", ["volume-snapshots", "group", id, "actions"], "revertVmFromSnapshotGroup") => {
                let group = self.groups.iter().find(|one| is(one, "uuid", id)).cloned();
                match group {
                    None => Err(error("SYS.1003", "no such group")),
                    Some(group) => match self.reasons(&group).join("\n").as_str() {
                        "" => Ok(self.each(&group, Self::revert)),
                        reasons => Err(error("SYS.1006", reasons)),
                    },
                }
            }
            ("DELETE", ["volume-snapshots", "group", id], _) => {
                let Some(group) = self.groups.iter().find(|one| is(one, "uuid", id)).cloned()
                else {
                    return Some(Ok(json!({})));
                };
                Ok(self.each(&group, |own, id| match own.drop(id) {
                    Err(_) if enforcing => Ok(()),
                    other => other,
                }))
            }
            ("DELETE", ["volume-snapshots", "ungroup", id], _) => {
                self.part(id);
                Ok(json!({}))
            }
            ("PUT", ["volume-snapshots", id, "actions"], "updateVolumeSnapshot") => {
                edit(&mut self.snapshots, id, said)
            }
            ("PUT", ["volume-snapshots", id, "actions"], "revertVolumeFromSnapshot") => {
                self.revert(id).map(|()| json!({}))
            }
            ("PUT", ["volume-snapshots", id, "actions"], "getVolumeSnapshotSize") => {
                match self.find(id) {
                    Some(_) => Ok(
                        json!({"size": 10_737_418_240_u64, "actualSize": 734_003_200, "success": true}),
                    ),
                    None => Err(error("SYS.1003", "no such snapshot")),
                }
            }
            ("DELETE", ["volume-snapshots", id], _) => match self.drop(id) {
                Err(_) if enforcing => Ok(json!({})),
                other => other.map(|()| json!({})),
            },
            ("PUT", ["vm-instances", id, "actions"], "stopVmInstance" | "startVmInstance") => {
                let state = if action == "stopVmInstance" {
                    "Stopped"
                } else {
                    "Running"
                };
                self.set(id, "state", json!(state));
                Ok(json!({"inventory": self.vms.iter().find(|one| is(one, "uuid", id))}))
            }
            _ => return None,
        })
    }

    /// Section 13: begun and, for what a test sees, over.
    fn submit(&mut self, said: &Value, asked: &Asked) -> Done {
        let data: Value = serde_json::from_str(said["jobData"].as_str().unwrap()).unwrap();
        let snapshot = data["uuid"].as_str().unwrap();
        let done = match said["jobName"].as_str() {
            Some("APIDeleteVolumeSnapshotMsg") => self.drop(snapshot),
            Some("APIRevertVolumeFromSnapshotMsg") => self.revert(snapshot),
            _ => return Err(error("SYS.1007", "jobName")),
        };
        let (state, result) = match done {
            Ok(()) => ("Succeeded", "Succeeded".to_owned()),
            Err(error) => {
                let detail = error["error"]["cause"]["code"].clone();
                (
                    "Failed",
                    json!({"message": "it failed", "detail": detail}).to_string(),
                )
            }
        };
        let date = self.date();
        let job = json!({"uuid": said["resourceUuid"], "name": said["jobName"], "jobName": said["jobName"],
            "apiId": asked.header("x-job-uuid"), "jobData": said["jobData"], "jobResult": result, "state": state,
            "createDate": date, "lastOpDate": date, "executeTime": 1.0});
        self.long_jobs.push(job.clone());
        Ok(json!({"inventory": job}))
    }

    fn make_snapshot(&mut self, volume: &str, said: &Value) -> Done {
        let name = named(said)?;
        let Some(of) = self.volumes.iter().find(|one| is(one, "uuid", volume)) else {
            return Err(error("SYS.1003", "no such volume"));
        };
        if !is(of, "status", "Ready") || !is(of, "state", "Enabled") || is(of, "type", "Memory") {
            return Err(error("SYS.1006", "the volume is in the wrong state"));
        }
        let id = self.snap(
            volume,
            &name,
            said["resourceUuid"].as_str(),
            said.get("description"),
        );
        Ok(json!({"inventory": self.find(&id)}))
    }

    fn make_volume(&mut self, snapshot: &str, said: &Value) -> Done {
        let name = named(said)?;
        if self.find(snapshot).is_none() {
            return Err(error("SYS.1003", "no such snapshot"));
        }
        let id = self.volume(&name, "Data", 10 << 30);
        let made = self.volumes.last_mut().unwrap();
        made["uuid"] = json!(said["resourceUuid"].as_str().unwrap_or(&id));
        Ok(json!({"inventory": made}))
    }
}

fn named(said: &Value) -> Result<String, Value> {
    let strict = said["resourceUuid"].as_str().is_none_or(|id| {
        let bytes = id.as_bytes();
        bytes.len() == 32 && (b'1'..=b'5').contains(&bytes[12]) && b"89ab".contains(&bytes[16])
    });
    match said["name"].as_str().map(str::trim) {
        Some(name) if name.len() <= 255 && strict => Ok(name.to_owned()),
        _ => Err(error("SYS.1007", "name or resourceUuid")),
    }
}

fn edit(all: &mut [Value], id: &str, said: &Value) -> Done {
    let Some(one) = all.iter_mut().find(|one| is(one, "uuid", id)) else {
        return Err(error("SYS.1003", "no such resource"));
    };
    for (name, value) in said.as_object().unwrap() {
        one[name] = json!(value.as_str().unwrap().trim());
    }
    Ok(json!({"inventory": one}))
}
