//! The two families of paths that lead to the same things: that of Cinder, and the vendor's own.

use crate::model::{Problem, ProblemKind};
use crate::provider::cinder::scan::{Next, PAGE, Way};
use crate::provider::cinder::session::{Ask, Service, Session};

/// The version under which the vendor's family makes and extends disks (section 5.2).
pub(super) const MAKES: Service = Service::Version("v2.1");
/// The version under which its jobs are (section 5.3).
pub(super) const JOBS: Service = Service::Version("v1");

/// Which paths are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Family {
    /// The vendor's, for want of the others.
    pub(super) vendor: bool,
    /// A disk is rolled back by the vendor's path: the other one is superseded.
    vendor_rollback: bool,
}

impl Family {
    /// What every service has.
    pub(super) const NATIVE: Self = Self {
        vendor: false,
        vendor_rollback: true,
    };

    /// Asks for both at once: "prefer the seed family, fall back to the vendor family on a gateway 404" (section 1.1).
    pub(super) async fn find(session: &Session) -> Result<Self, Problem> {
        let ask = |path: &str| Ask::get(format!("{path}?limit=1"));
        let (native, vendor) = (ask("/snapshots/detail"), ask("/cloudsnapshots/detail"));
        let (native, vendor) = tokio::join!(
            session.read(&native, "the snapshots cannot be listed"),
            session.read(&vendor, "the snapshots cannot be listed"),
        );
        match (native, vendor) {
            (Ok(_), vendor) => Ok(Self {
                vendor: false,
                vendor_rollback: vendor.is_ok(),
            }),
            (Err(problem), Ok(_)) if problem.kind == ProblemKind::NotFound => Ok(Self {
                vendor: true,
                vendor_rollback: true,
            }),
            (Err(problem), _) => Err(problem),
        }
    }

    /// What it is called.
    pub(super) fn told(self) -> &'static str {
        match self.vendor {
            true => "cloudsnapshots and cloudvolumes",
            false => "snapshots and volumes",
        }
    }

    /// Where the snapshots are.
    pub(super) fn snapshots(self) -> &'static str {
        match self.vendor {
            true => "/cloudsnapshots",
            false => "/snapshots",
        }
    }

    /// Where the disks are.
    pub(super) fn volumes(self) -> &'static str {
        match self.vendor {
            true => "/cloudvolumes",
            false => "/volumes",
        }
    }

    /// Where a disk is rolled back to this snapshot.
    pub(super) fn rollback(self, snapshot: &str) -> String {
        match self.vendor_rollback {
            true => format!("/cloudsnapshots/{snapshot}/rollback"),
            false => format!("/os-vendor-snapshots/{snapshot}/rollback"),
        }
    }

    /// How the snapshots are listed; `query` narrows it (`&volume_id=…`).
    pub(super) fn list_snapshots(self, query: &str) -> Way {
        Way {
            service: Service::Volume,
            first: format!("{}/detail?limit={PAGE}{query}", self.snapshots()),
            count: "",
            // "Advance by `marker` (native) or `offset` (vendor)" (section 3.2).
            next: match self.vendor {
                true => Next::Offset,
                false => Next::Full,
            },
            size: PAGE,
        }
    }

    /// How the disks are listed, the oldest first.
    pub(super) fn list_volumes(self, query: &str) -> Way {
        let sorted = "sort_key=created_at&sort_dir=asc";
        Way {
            service: Service::Volume,
            first: format!("{}/detail?limit={PAGE}&{sorted}{query}", self.volumes()),
            count: "",
            next: Next::Full,
            size: PAGE,
        }
    }
}
