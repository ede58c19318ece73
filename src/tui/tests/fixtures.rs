//! An estate made of model objects.

use std::time::Duration;

use crate::model::*;
use crate::tui::event::Moment;

/// A fixed day, so that frames do not change.
pub(crate) const DAY: i64 = 1_790_000_000;

/// So many milliseconds after the console began.
pub(crate) fn moment(ms: u64) -> Moment {
    Moment {
        wall: Time::from_millisecond(DAY * 1_000 + ms as i64).unwrap(),
        clock: Duration::from_millis(ms),
    }
}

/// So many seconds before the console began.
pub(crate) fn before(seconds: i64) -> Time {
    Time::from_second(DAY - seconds).unwrap()
}

/// A volume without snapshots.
pub(crate) fn volume(name: &str) -> Volume {
    Volume {
        id: VolumeId(format!("v-{name}")),
        name: name.to_owned(),
        state: VolumeState::Available,
        size: Bytes::gib(8),
        used: Some(Bytes::gib(2)),
        exclusive: Some(Bytes::mib(412)),
        written: Some(Bytes::mib(18)),
        parent: None,
        instance: None,
        device: None,
        description: String::new(),
        created: Some(before(40 * 86_400)),
        snapshots: 0,
        last_snapshot: None,
        copy: None,
        metadata: Default::default(),
    }
}
