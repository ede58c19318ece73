//! What the names of elements say of what is in them (sections 3.2 to 3.4): which are lists, and how those are written
//! in either dialect; which are numbers, and which are yes or no.

/// Lists with a wrapper, and the name of what is in it. As the root of a body none of these is one.
const WRAPPED: [(&str, &str); 17] = [
    ("tags", "tag"),
    ("linked_targets", "linked_target"),
    ("associated_resources", "associated_resource"),
    ("protocols", "protocol"),
    ("warning_messages", "warning_message"),
    ("volumes", "volume"),
    ("ids", "id"),
    (
        "high_availability_backing_volumes",
        "high_availability_backing_volume",
    ),
    ("volume_groups", "volume_group"),
    ("home_tenant_roles", "home_tenant_role"),
    ("vdc_roles", "vdc_role"),
    ("subtenant_roles", "subtenant"),
    ("roles", "role"),
    ("targets", "target"),
    ("native_mirrors", "native_mirror"),
    ("user_mappings", "user_mapping"),
    ("rp_targets", "rp_target"),
];

/// Roots that are lists, and the name of what is in them.
const ROOTS: [(&str, &str); 24] = [
    ("tasks", "task"),
    ("bulk_tasks", "task"),
    ("tasks_ids", "task"),
    ("snapshot_sessions", "snapshot_session"),
    ("bulk_block_snapshot_sessions", "block_snapshot_session"),
    ("snapshots", "snapshot"),
    ("bulk_block_snapshots", "block_snapshot"),
    ("volumes", "volume"),
    ("bulk_volumes", "volume"),
    ("bulk_consistency_groups", "consistency_group"),
    ("projects", "project"),
    ("bulk_projects", "project"),
    ("project_resources", "project_resource"),
    ("subtenants", "subtenant"),
    ("results", "resource"),
    ("ids", "id"),
    ("volume_ids", "id"),
    ("itls", "itl"),
    ("bulk_itls", "itl"),
    ("tags", "tag"),
    ("vpool_list", "virtualpool"),
    ("varrays", "varray"),
    ("add_volumes", "volume"),
    ("remove_volumes", "volume"),
];

/// Repeated elements in what is no list by itself.
const REPEATED: [(&str, &str); 4] = [
    ("consistency_group", "types"),
    ("consistency_group", "system_consistency_groups"),
    ("tag_changes", "add"),
    ("tag_changes", "remove"),
];

const FLAGS: [&str; 14] = [
    "global",
    "remote",
    "inactive",
    "internal",
    "is_sync_active",
    "read_only",
    "is_composite",
    "thinly_provisioned",
    "has_xio_3x_backend_volumes",
    "supports_snapshot_sessions",
    "array_consistency",
    "retryable",
    "create_inactive",
    "delete_target",
];

const NUMBERS: [&str; 10] = [
    "creation_time",
    "start_time",
    "end_time",
    "progress",
    "code",
    "count",
    "hlu",
    "tcp_port",
    "percent_synced",
    "max_native_snapshots",
];

/// The name of what is in a list with a wrapper.
pub(super) fn inner(name: &str) -> Option<&'static str> {
    let found = WRAPPED.iter().find(|(outer, _)| *outer == name);
    found.map(|(_, inner)| *inner)
}

/// The name of what is in a root that is a list.
pub(super) fn of_root(name: &str) -> Option<&'static str> {
    let found = ROOTS.iter().find(|(root, _)| *root == name);
    found.map(|(_, inner)| *inner)
}

/// Whether elements of this name are a list there, however many there are.
pub(super) fn is_list(parent: &str, name: &str) -> bool {
    of_root(parent) == Some(name) || REPEATED.contains(&(parent, name))
}

pub(super) fn is_flag(name: &str) -> bool {
    FLAGS.contains(&name)
}

pub(super) fn is_number(name: &str) -> bool {
    NUMBERS.contains(&name)
}
