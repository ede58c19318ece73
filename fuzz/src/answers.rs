//! Answers of systems that are called, as bytes from anywhere.

use snapdeck::wire::powervc::{
    Begun, CopyDetails, InstanceSnapshot, InstanceSnapshots, Machine, Progress, Updated,
};

/// Reads them as each answer that there is. What is read as an instance snapshot can be written, and is read again as the same.
pub fn powervc(data: &[u8]) {
    let _ = Begun::read(data);
    let _ = Updated::read(data);
    if let Ok(all) = InstanceSnapshots::read(data) {
        for one in all {
            same(&one);
        }
    }
    if let Ok(one) = InstanceSnapshot::read(data) {
        let _ = (one.task(), one.action(), one.status.state());
        same(&one);
    }
    if let Ok(Some(progress)) = Progress::read(data) {
        let _ = (
            progress.outcome(),
            progress.parts(),
            progress.progress.percent(),
        );
    }
    if let Ok(all) = CopyDetails::read(data) {
        for mapping in all {
            let _ = (mapping.state(), mapping.progress.percent());
        }
    }
    if let Ok(machine) = Machine::read(data) {
        let _ = (machine.called().len(), machine.is_off(), machine.volumes());
    }
}

fn same(one: &InstanceSnapshot) {
    let written = serde_json::json!({"instance_snapshot": one}).to_string();
    let mut again = InstanceSnapshot::read(written.as_bytes()).unwrap();
    // Figures that nobody looks at may lose a last digit.
    again.others.clone_from(&one.others);
    assert_eq!(again, *one);
}
