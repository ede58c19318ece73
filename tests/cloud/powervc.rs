//! What PowerVC adds: machines, snapshots of them that are restored volume by volume, and FlashCopy mappings. Only what its
//! documentation says, with its error codes; what that leaves open is as kind as a service can be, unless a test asks for the odd.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::PROJECT;
use super::cinder::Cinder;
use super::web::{Answer, Asked};

/// How long each part of a flow takes.
const MOMENT: Duration = Duration::from_millis(60);
/// The machine that is there in every cloud.
pub(crate) const WEB05: &str = "11111111-2222-4333-8444-555555555555";

/// Ids by ids.
type Ids = BTreeMap<String, String>;

/// An instance snapshot.
#[derive(Clone, Debug)]
struct Shot {
    id: String,
    name: Value,
    description: Value,
    status: &'static str,
    machine: String,
    members: Ids,
    safety: Ids,
    failed: Ids,
    link: String,
    created: String,
    updated: Value,
}

/// A long operation, which is kept when it is over.
#[derive(Clone, Debug)]
struct Job {
    task: String,
    action: &'static str,
    shot: String,
    begun: Instant,
    parts: Vec<String>,
    /// The part that fails.
    fails: Option<usize>,
    over: bool,
}

pub(crate) struct Power {
    machines: Vec<Value>,
    shots: Vec<Shot>,
    jobs: Vec<Job>,
    /// What each volume and each snapshot holds.
    pub(crate) content: HashMap<String, String>,
    /// Volumes that cannot be taken back so many times.
    pub(crate) stubborn: HashMap<String, usize>,
    /// The FlashCopy mappings of volumes; where there are none at all the storage is of another kind.
    pub(crate) mappings: HashMap<String, Vec<Value>>,
    /// Everything that may be odd is.
    pub(crate) odd: bool,
    /// Links lead to this host.
    pub(crate) elsewhere: Option<String>,
    /// New instance snapshots end in error.
    pub(crate) fails: bool,
}

impl Default for Power {
    fn default() -> Self {
        Self {
            machines: vec![json!({"id": WEB05, "name": "web05", "status": "ACTIVE"})],
            shots: Vec::new(),
            jobs: Vec::new(),
            content: HashMap::new(),
            stubborn: HashMap::new(),
            mappings: HashMap::new(),
            odd: false,
            elsewhere: None,
            fails: false,
        }
    }
}

fn bad(text: &str) -> Answer {
    Answer::fault(400, "badRequest", text)
}

fn missing(what: &str) -> Answer {
    Answer::fault(404, "itemNotFound", &format!("{what} could not be found."))
}

/// The words that are taken for flags; others are refused.
fn flag(value: &Value) -> Result<bool, Answer> {
    match value {
        Value::Null => Ok(false),
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        other => Err(bad(&format!("{other} is not a boolean"))),
    }
}

impl Power {
    /// A machine with volumes of these names, which hold `new`; it is shut off.
    pub(crate) fn seed(
        &mut self,
        cinder: &mut Cinder,
        name: &str,
        volumes: &[&str],
    ) -> Vec<String> {
        let machine = cinder.id();
        let mut ids = Vec::new();
        for (n, volume) in volumes.iter().enumerate() {
            let id = cinder.seed(volume, 0);
            let device = format!("/dev/sd{}", char::from(b'a' + n as u8));
            cinder.set(&id, "status", json!("in-use"));
            cinder.set(
                &id,
                "attachments",
                json!([{"server_id": machine, "device": device}]),
            );
            self.content.insert(id.clone(), "new".to_owned());
            ids.push(id);
        }
        let attached: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        self.machines
            .push(json!({"id": machine, "name": name, "status": "SHUTOFF",
            "OS-EXT-STS:task_state": null, "os-extended-volumes:volumes_attached": attached}));
        ids
    }

    /// Sets a member of the machine of this name.
    pub(crate) fn set_machine(&mut self, name: &str, member: &str, value: Value) {
        let mut all = self.machines.iter_mut();
        all.find(|machine| machine["name"] == name).unwrap()[member] = value;
    }

    pub(crate) fn count(&self) -> usize {
        self.shots.len()
    }

    /// The status of the only instance snapshot of this name.
    pub(crate) fn status(&self, name: &str) -> &'static str {
        self.shots
            .iter()
            .find(|shot| shot.name == name)
            .unwrap()
            .status
    }

    /// The id of the instance snapshot of this name.
    pub(crate) fn find(&self, name: &str) -> String {
        let shot = self.shots.iter().find(|shot| shot.name == name);
        shot.unwrap().id.clone()
    }

    fn shot(&mut self, id: &str) -> Result<&mut Shot, Answer> {
        let mut all = self.shots.iter_mut();
        all.find(|shot| shot.id == id)
            .ok_or_else(|| missing(&format!("Instance snapshot {id}")))
    }

    /// Begins a long operation; the link to it.
    fn begin(
        &mut self,
        cinder: &Cinder,
        action: &'static str,
        shot: &str,
        parts: Vec<String>,
        base: &str,
    ) -> String {
        let task = cinder.id();
        self.jobs.push(Job {
            task: task.clone(),
            action,
            shot: shot.to_owned(),
            begun: Instant::now(),
            parts,
            fails: None,
            over: false,
        });
        let host = self.elsewhere.clone().unwrap_or_else(|| base.to_owned());
        // The documentation prints the one for the other.
        let action = match (self.odd, action) {
            (true, "restore") => "restore-retry",
            _ => action,
        };
        let link = format!(
            "{host}/volume/v3/{PROJECT}/instance-snapshots/get_progress?action={action}&task_id={task}&id={shot}"
        );
        if let Ok(shot) = self.shot(shot) {
            shot.link.clone_from(&link);
        }
        link
    }

    /// Ends what has run for long enough.
    fn settle(&mut self, cinder: &mut Cinder) {
        for at in 0..self.jobs.len() {
            let job = self.jobs[at].clone();
            let parts = job.fails.map_or(job.parts.len(), |fails| fails + 1);
            if job.over || job.begun.elapsed() < MOMENT * parts as u32 {
                continue;
            }
            self.jobs[at].over = true;
            let now = cinder.time();
            match job.action {
                "snapshot" => {
                    let fails = self.fails;
                    if let Ok(shot) = self.shot(&job.shot) {
                        shot.status = if fails { "error" } else { "available" };
                        shot.updated = now.into();
                    }
                    if fails {
                        self.jobs[at].fails = Some(0);
                    }
                }
                "delete" => {
                    let Some(place) = self.shots.iter().position(|s| s.id == job.shot) else {
                        continue;
                    };
                    let shot = self.shots.remove(place);
                    for id in shot.members.values().chain(shot.safety.values()) {
                        cinder.forget(id);
                    }
                }
                _ => self.end_restore(cinder, at, &now),
            }
        }
    }

    fn end_restore(&mut self, cinder: &mut Cinder, at: usize, now: &str) {
        let job = self.jobs[at].clone();
        let Ok(shot) = self.shot(&job.shot).cloned() else {
            return;
        };
        let goal = match job.action {
            "restore" => shot.members.clone(),
            "restore-retry" => shot.failed.clone(),
            _ => shot.safety.clone(),
        };
        let mut failed = Ids::new();
        for (volume, snapshot) in &goal {
            cinder.set(volume, "status", json!("in-use"));
            match self.stubborn.get_mut(volume) {
                Some(left) if *left > 0 && job.action != "restore-rollback" => {
                    *left -= 1;
                    let member = shot.members[volume].clone();
                    failed.insert(volume.clone(), member);
                }
                _ => {
                    let held = self.content[snapshot].clone();
                    self.content.insert(volume.clone(), held);
                }
            }
        }
        let well = failed.is_empty();
        if well {
            for id in shot.safety.values() {
                cinder.forget(id);
            }
        } else {
            let first = goal.keys().position(|volume| failed.contains_key(volume));
            self.jobs[at].fails = first.map(|n| n + 1);
        }
        let machine = shot.machine.clone();
        let state = if well { "SHUTOFF" } else { "ERROR" };
        for one in self
            .machines
            .iter_mut()
            .filter(|one| one["id"] == machine.as_str())
        {
            one["status"] = state.into();
        }
        if let Ok(shot) = self.shot(&job.shot) {
            shot.status = if well { "available" } else { "restore-error" };
            shot.updated = now.into();
            shot.failed = failed;
            if well {
                shot.safety.clear();
            }
        }
    }

    fn spelled(&self, status: &'static str) -> String {
        match (self.odd, status) {
            (true, "restore-error") => "Restore_Error".to_owned(),
            (true, "available") => "AVAILABLE".to_owned(),
            (true, "rolling-back") => "Rolling back".to_owned(),
            _ => status.to_owned(),
        }
    }

    fn view(&self, shot: &Shot) -> Value {
        let ids = |ids: &Ids| match ids.is_empty() {
            true => Value::Null,
            false => json!(ids),
        };
        let mut body = json!({"id": shot.id, "name": shot.name, "description": shot.description,
            "status": self.spelled(shot.status), "instance_id": shot.machine,
            "snapshots": ids(&shot.members), "temp_snapshots": ids(&shot.safety),
            "failed_snapshots": ids(&shot.failed), "task_uri": shot.link,
            "created_at": shot.created, "updated_at": shot.updated});
        if self.odd {
            body["updated_at"] = json!([shot.created, shot.updated]);
            // What is null is left out.
            let map: &mut Map<String, Value> = body.as_object_mut().unwrap();
            map.retain(|_, value| !value.is_null());
        }
        body
    }

    /// Calls of the compute service.
    pub(crate) fn compute(
        &mut self,
        cinder: &mut Cinder,
        asked: &Asked,
        path: &str,
        base: &str,
    ) -> Answer {
        self.settle(cinder);
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let answer = match (asked.method.as_str(), parts.as_slice()) {
            ("GET", ["servers"]) => {
                let brief = |m: &Value| json!({"id": m["id"], "name": m["name"]});
                let all: Vec<Value> = self.machines.iter().map(brief).collect();
                Ok(Answer::ok(json!({"servers": all})))
            }
            ("GET", ["servers", id]) => self
                .machine(id)
                .map(|machine| Answer::ok(json!({"server": machine}))),
            ("POST", ["servers", id, "action"]) => {
                let (take, back) = (&asked.body["vm-snapshot"], &asked.body["vm-restore"]);
                match (take.is_object(), back.is_object()) {
                    (true, false) => self.take(cinder, id, take, base),
                    (false, true) => self.restore(cinder, id, back, base),
                    _ => Err(bad("There is no such action")),
                }
            }
            _ => Err(missing("The resource")),
        };
        let (Ok(answer) | Err(answer)) = answer;
        answer
    }

    fn machine(&self, id: &str) -> Result<Value, Answer> {
        let mut all = self.machines.iter();
        let found = all.find(|machine| machine["id"] == id).cloned();
        found.ok_or_else(|| missing(&format!("Instance {id}")))
    }

    fn take(
        &mut self,
        cinder: &mut Cinder,
        id: &str,
        body: &Value,
        base: &str,
    ) -> Result<Answer, Answer> {
        let machine = self.machine(id)?;
        let attached: Vec<String> = cinder
            .volumes()
            .into_iter()
            .filter(|volume| {
                let seen = cinder.get(volume).unwrap();
                let all = seen["attachments"].as_array().cloned().unwrap_or_default();
                all.iter().any(|at| at["server_id"] == machine["id"])
            })
            .collect();
        let named: Vec<String> = body["volumes"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|id| id.as_str().unwrap().to_owned())
            .collect();
        if let Some(other) = named.iter().find(|id| !attached.contains(id)) {
            return Err(bad(&format!(
                "Volume {other} is not attached to the virtual machine."
            )));
        }
        let busy = |shot: &Shot| {
            shot.machine == id && !["available", "error", "restore-error"].contains(&shot.status)
        };
        if self.shots.iter().any(busy) {
            return Err(bad(
                "Another snapshot operation is running on the virtual machine.",
            ));
        }
        let volumes = if named.is_empty() { attached } else { named };
        if volumes.is_empty() || !body["name"].is_string() {
            return Err(bad("At least one volume and a name are required."));
        }
        let mut members = Ids::new();
        for volume in volumes {
            let name = format!("{}-{volume}", body["name"].as_str().unwrap());
            let snapshot = cinder.take(&volume, &name);
            let held = self.content[&volume].clone();
            self.content.insert(snapshot.clone(), held);
            members.insert(volume, snapshot);
        }
        let shot = cinder.id();
        let created = cinder.time();
        self.shots.push(Shot {
            id: shot.clone(),
            name: body["name"].clone(),
            description: body["description"].clone(),
            status: "creating",
            machine: id.to_owned(),
            members,
            safety: Ids::new(),
            failed: Ids::new(),
            link: String::new(),
            created,
            updated: Value::Null,
        });
        let parts = [
            "creating_snapshot",
            "powervc_cinder.volume.tasks.snapshots.CreateSnapshot",
            "SnapshotDone",
        ];
        let link = self.begin(
            cinder,
            "snapshot",
            &shot,
            parts.map(str::to_owned).to_vec(),
            base,
        );
        let key = if self.odd {
            "instance-snapshot"
        } else {
            "instance_snapshot"
        };
        Ok(Answer::ok(json!({key: {"id": shot, "task_uri": link}})))
    }

    fn restore(
        &mut self,
        cinder: &mut Cinder,
        id: &str,
        body: &Value,
        base: &str,
    ) -> Result<Answer, Answer> {
        let machine = self.machine(id)?;
        let (force, retry, rollback) = (
            flag(&body["force"])?,
            flag(&body["retry"])?,
            flag(&body["rollback"])?,
        );
        let wanted = body["instance_snapshot_id"].as_str().unwrap_or_default();
        let shot = self.shot(wanted)?.clone();
        if shot.machine != id || (retry && rollback) {
            return Err(bad("The request does not suit the instance snapshot."));
        }
        let needed = if retry || rollback {
            "restore-error"
        } else {
            "available"
        };
        if shot.status != needed {
            let text = format!(
                "Invalid status: the instance snapshot is {}, and must be {needed}.",
                shot.status
            );
            return Err(bad(&text));
        }
        if !retry && !rollback && machine["status"] != "SHUTOFF" && !force {
            return Err(bad("The virtual machine must be shut off."));
        }
        let (action, status, over) = match (retry, rollback) {
            (true, _) => ("restore-retry", "restoring", &shot.failed),
            (_, true) => ("restore-rollback", "rolling-back", &shot.safety),
            _ => ("restore", "restoring", &shot.members),
        };
        let mut parts = vec!["InstRestorePrepare".to_owned()];
        parts.extend(
            over.keys()
                .enumerate()
                .map(|(n, _)| format!("RevertVolume-{}", n + 1)),
        );
        let mut safety = shot.safety.clone();
        if action == "restore" {
            for volume in shot.members.keys() {
                let temporary = cinder.take(volume, "temp");
                let held = self.content[volume].clone();
                self.content.insert(temporary.clone(), held);
                safety.insert(volume.clone(), temporary);
            }
        }
        for volume in over.keys() {
            cinder.set(volume, "status", json!("reverting"));
        }
        let link = self.begin(cinder, action, wanted, parts, base);
        let seen = self.shot(wanted)?;
        seen.status = status;
        seen.safety = safety;
        Ok(Answer::new(202, json!({"task_uri": link})))
    }

    /// Calls of block storage that only PowerVC has; `None` for others.
    pub(crate) fn volume(
        &mut self,
        cinder: &mut Cinder,
        asked: &Asked,
        path: &str,
        base: &str,
    ) -> Option<Answer> {
        self.settle(cinder);
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let answer = match (asked.method.as_str(), parts.as_slice()) {
            ("GET", ["instance-snapshots"]) => {
                let all: Vec<Value> = self.shots.iter().map(|shot| self.view(shot)).collect();
                let key = if self.odd {
                    "instance-snapshots"
                } else {
                    "instance_snapshots"
                };
                Ok(Answer::ok(json!({key: all})))
            }
            // Before what has an id in this place.
            ("GET", ["instance-snapshots", "get_progress"]) => self.progress(asked),
            ("GET", ["instance-snapshots", id]) => self.shot(id).cloned().map(|shot| {
                let key = if self.odd {
                    "instance-snapshot"
                } else {
                    "instance_snapshot"
                };
                Answer::ok(json!({key: self.view(&shot)}))
            }),
            ("PUT", ["instance-snapshots", id]) => self.edit(cinder, id, &asked.body),
            ("DELETE", ["instance-snapshots", id]) => self.remove(cinder, id, base),
            ("POST", ["volumes", id, "action"]) if asked.body["copy-progress"].is_object() => {
                match self.mappings.is_empty() {
                    true => Err(bad("The volume driver does not support this operation.")),
                    false => {
                        let own = self.mappings.get(*id).cloned().unwrap_or_default();
                        Ok(Answer::new(202, json!({"copy_details": own})))
                    }
                }
            }
            _ => return None,
        };
        let (Ok(answer) | Err(answer)) = answer;
        Some(answer)
    }

    fn progress(&self, asked: &Asked) -> Result<Answer, Answer> {
        let wanted = ["action", "task_id", "id"].map(|name| asked.query(name));
        let [Some(_), Some(task), Some(id)] = wanted else {
            return Err(bad("action, task_id and id are required."));
        };
        let mut jobs = self.jobs.iter();
        let job = jobs
            .find(|job| job.task == task && job.shot == id)
            .ok_or_else(|| missing(&format!("Task {task}")))?;
        if self.odd {
            return Ok(Answer::empty(204));
        }
        let at = (job.begun.elapsed().as_millis() / MOMENT.as_millis()) as usize;
        let (mut completed, mut pending) = (Map::new(), Map::new());
        for (n, part) in job.parts.iter().enumerate() {
            match job.fails {
                Some(fails) if job.over && n == fails => {
                    completed.insert(part.clone(), "FAILURE".into());
                }
                Some(fails) if job.over && n > fails => {
                    pending.insert(part.clone(), "PENDING".into());
                }
                _ if job.over || n < at => {
                    completed.insert(part.clone(), "SUCCESS".into());
                }
                _ => {
                    let state = if n == at { "RUNNING" } else { "PENDING" };
                    pending.insert(part.clone(), state.into());
                }
            }
        }
        let flow = match job.action {
            "snapshot" => "InstSnapshotFlow",
            "delete" => "InstDeleteFlow",
            _ => "InstRestoreFlow",
        };
        let state = match (job.over, job.fails) {
            (false, _) => "RUNNING",
            (true, None) => "SUCCESS",
            (true, Some(_)) => "FAILURE",
        };
        let percent = match (job.over, job.fails) {
            (true, None) => 100,
            _ => (completed.len() * 100 / job.parts.len()).min(99),
        };
        Ok(Answer::ok(
            json!({"details": {"progress": percent, "flow_details": {flow: state},
            "completed_tasks": completed, "pending_tasks": pending}}),
        ))
    }

    fn edit(&mut self, cinder: &mut Cinder, id: &str, body: &Value) -> Result<Answer, Answer> {
        let said = match &body["instance-snapshot"] {
            Value::Null => body["instance_snapshot"].clone(),
            said => said.clone(),
        };
        let now = cinder.time();
        let odd = self.odd;
        let shot = self.shot(id)?;
        if said["name"].is_null() && said["description"].is_null() {
            return Err(bad("name or description is required."));
        }
        if said["name"].is_string() {
            shot.name = said["name"].clone();
        }
        if said["description"].is_string() {
            shot.description = said["description"].clone();
        }
        shot.updated = now.into();
        let mut answer = Answer::ok(json!({"instance_snapshot": {"id": id}}));
        if odd {
            answer.body = format!("{{'instance_snapshot': {{'id': \"{id}\"}}}}");
        }
        Ok(answer)
    }

    fn remove(&mut self, cinder: &mut Cinder, id: &str, base: &str) -> Result<Answer, Answer> {
        let shot = self.shot(id)?;
        if !["available", "error", "restore-error"].contains(&shot.status) {
            let text = format!("Invalid status: the instance snapshot is {}.", shot.status);
            return Err(bad(&text));
        }
        shot.status = "deleting";
        let parts = ["DeleteSnapshots".to_owned(), "DeleteDone".to_owned()];
        let link = self.begin(cinder, "delete", id, parts.to_vec(), base);
        match self.odd {
            true => Ok(Answer::empty(204)),
            false => Ok(Answer::ok(json!({"task_uri": link}))),
        }
    }
}
