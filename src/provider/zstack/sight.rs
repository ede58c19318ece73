//! What is seen beside the volumes: their trees, and the machines that they are attached to.

use std::collections::{HashMap, HashSet};

use crate::model::Time;
use crate::wire::zstack::{Date, Group, GroupRef, Tree, Vm, VmState, VolumeType, Zone};

/// The trees of a volume, in short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// How many snapshots there are.
    pub(super) count: u64,
    /// When the newest was taken.
    pub(super) newest: Option<Time>,
    /// The one that the volume stands on.
    pub(super) here: Option<String>,
}

/// The lines of volumes, by their ids.
pub(super) type Lines = HashMap<String, Line>;

/// The lines of the volumes that these trees are of.
pub(super) fn lines<'a>(trees: impl Iterator<Item = &'a Tree>, zone: &Zone) -> Lines {
    let mut all = Lines::new();
    for tree in trees {
        let Some(volume) = &tree.volume_uuid else {
            continue;
        };
        let line = all.entry(volume.clone()).or_default();
        for snapshot in tree.snapshots() {
            line.count += 1;
            let taken = snapshot.create_date.as_ref().and_then(|date| date.at(zone));
            line.newest = line.newest.max(taken);
        }
        if let Some(here) = tree.here() {
            line.here = Some(here.uuid.clone());
        }
    }
    all
}

/// A VM instance, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    /// Its name; with the beginning of its id where others are called the same.
    pub(super) name: String,
    pub(super) state: VmState,
    /// The volumes that are attached to it.
    pub(super) attached: Vec<String>,
}

/// The machines by their ids.
pub(super) type Machines = HashMap<String, Machine>;

/// The machines.
pub(super) fn machines<'a>(all: impl Iterator<Item = &'a Vm> + Clone) -> Machines {
    let mut names: HashMap<&str, u32> = HashMap::new();
    for vm in all.clone() {
        *names.entry(own_name(vm)).or_default() += 1;
    }
    let machine = |vm: &Vm| {
        let name = own_name(vm);
        let alone = names.get(name).is_none_or(|count| *count < 2);
        let start = vm.uuid.get(..8).unwrap_or(&vm.uuid);
        Machine {
            name: match alone {
                true => name.to_owned(),
                false => format!("{name} ({start})"),
            },
            state: state(vm),
            attached: vm.volumes().iter().map(|v| v.uuid.clone()).collect(),
        }
    };
    all.map(|vm| (vm.uuid.clone(), machine(vm))).collect()
}

fn own_name(vm: &Vm) -> &str {
    match vm.name.as_deref() {
        Some(name) if !name.trim().is_empty() => name,
        _ => &vm.uuid,
    }
}

/// How a machine stands; what it does not say is not known.
pub(super) fn state(vm: &Vm) -> VmState {
    vm.state.clone().unwrap_or(VmState::Lost)
}

/// Why a group cannot be gone back to, "comparing its references with the volumes attached to its VM **now**" (9.15); empty
/// where it can.
pub(super) fn unavailable(group: &Group, machine: Option<&Machine>) -> Vec<&'static str> {
    let Some(machine) = machine else {
        return vec!["its VM is not there"];
    };
    let attached: HashSet<&str> = machine.attached.iter().map(String::as_str).collect();
    let disks = || {
        let disk = |one: &&GroupRef| one.volume_type != Some(VolumeType::Memory);
        group.refs().iter().filter(disk)
    };
    let mut reasons = Vec::new();
    if group.refs().iter().any(GroupRef::is_gone) {
        reasons.push("a snapshot of it is deleted");
    }
    if disks().any(|one| !one.is_gone() && !attached.contains(one.volume())) {
        reasons.push("a volume of it is detached");
    }
    if attached
        .iter()
        .any(|id| disks().all(|one| one.volume() != *id))
    {
        reasons.push("a volume was attached since");
    }
    reasons
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sight {
    pub(super) lines: Lines,
    pub(super) machines: Machines,
}

/// When that was, in the zone of the system.
pub(super) fn moment(date: Option<&Date>, zone: &Zone) -> Option<Time> {
    date.and_then(|date| date.at(zone))
}
