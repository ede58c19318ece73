//! Looking at single things and at lists.

use std::sync::Arc;

use super::Shared;
use super::convert::Beside;
use super::sight::{self, Lines, Machines, Sight};
use crate::http::Response;
use crate::model::{Kind, ObjectRef, Problem};
use crate::provider::cinder::look::escape;
use crate::provider::cinder::scan::{Next, Scan, Way};
use crate::provider::cinder::session::{Ask, Service, not_understood};
use crate::wire::cinder::Named;
use crate::wire::zstack::{Availability, Group, LongJob, Results, Snapshot, Tree, Vm, Volume};

/// How many things a page has at most: "limit, default 1000" (6.1).
pub(super) const PAGE: usize = 1000;
/// How many trees a page has at most: each holds all its snapshots.
const TREES: usize = 100;
/// How many groups are asked about at once, in the address of one call.
const AT_ONCE: usize = 50;

/// Where things of a kind are.
pub(super) trait Place: Named {
    /// The path.
    const PATH: &'static str;
    /// How many are asked for at once.
    const SIZE: usize = PAGE;
}

impl Place for Volume {
    const PATH: &'static str = "/volumes";
}
impl Place for Snapshot {
    const PATH: &'static str = "/volume-snapshots";
}
impl Place for Group {
    const PATH: &'static str = "/volume-snapshots/group";
}
impl Place for Vm {
    const PATH: &'static str = "/vm-instances";
}
impl Place for LongJob {
    const PATH: &'static str = "/longjobs";
}
impl Place for Tree {
    const PATH: &'static str = "/volume-snapshots/trees";
    const SIZE: usize = TREES;
}

/// Whether a text can be an id: what cannot be is not even asked for, and none is taken for one of the words that stand in
/// paths where ids do.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The path of a thing.
pub(super) fn path<T: Place>(id: &str) -> Result<String, Problem> {
    match is_uuid(id) {
        true => Ok(format!("{}/{id}", T::PATH)),
        false => Err(nothing(T::ONE, id)),
    }
}

fn nothing(one: &str, id: &str) -> Problem {
    Problem::not_found(format!("there is no {one} \"{id}\""))
}

/// How a list is asked for, narrowed by conditions. "Order without `sort` is unspecified", and pages of what has no order
/// would lose something: ids are all different.
fn way<T: Place>(conditions: &[String]) -> Way {
    let mut first = format!(
        "{}?limit={}&replyWithCount=true&sort=%2Buuid",
        T::PATH,
        T::SIZE
    );
    for condition in conditions {
        first.push_str(&format!("&q={}", escape(condition)));
    }
    Way {
        service: Service::Volume,
        first,
        count: "",
        next: Next::Start,
        size: T::SIZE,
    }
}

impl Shared {
    /// The answer that shows a thing.
    pub(super) async fn answer(&self, object: &ObjectRef) -> Result<Response, Problem> {
        match object.kind {
            Kind::Volume => Ok(self.found::<Volume>(&object.id).await?.1),
            Kind::Snapshot => Ok(self.found::<Snapshot>(&object.id).await?.1),
            Kind::Group => Ok(self.found::<Group>(&object.id).await?.1),
            Kind::Session | Kind::Target => Err(nothing(object.kind.one(), &object.id)),
        }
    }

    /// "A missing resource is not 404", but "an empty list with 200" (1.4, 6).
    async fn found<T: Place>(&self, id: &str) -> Result<(T, Response), Problem> {
        let what = format!("the {} {id} cannot be shown", T::ONE);
        let answer = self.session.read(&Ask::get(path::<T>(id)?), &what).await?;
        let page = T::page(&answer.body).map_err(|why| not_understood(&answer, &what, &why))?;
        let found = page.items.into_iter().find(|one| one.id() == id);
        Ok((found.ok_or_else(|| nothing(T::ONE, id))?, answer))
    }

    /// A thing of this id.
    pub(super) async fn one<T: Place>(&self, id: &str) -> Result<T, Problem> {
        Ok(self.found(id).await?.0)
    }

    /// Everything that these conditions let pass.
    pub(super) async fn all<T: Place + Clone>(
        &self,
        conditions: &[String],
    ) -> Result<Vec<T>, Problem> {
        let pages = Scan::<T>::begin(&self.session, way::<T>(conditions))
            .all()
            .await?;
        Ok(pages.iter().flat_map(|page| page.iter().cloned()).collect())
    }

    /// The trees of a volume.
    pub(super) async fn trees_of(&self, volume: &str) -> Result<Vec<Tree>, Problem> {
        if !is_uuid(volume) {
            return Err(nothing(Volume::ONE, volume));
        }
        let mut trees: Vec<Tree> = self.all(&[format!("volumeUuid={volume}")]).await?;
        // A condition that is not heeded lets others pass.
        trees.retain(|tree| tree.volume_uuid.as_deref() == Some(volume));
        Ok(trees)
    }

    /// The snapshots of a volume.
    pub(super) fn snapshots_of(&self, volume: &str) -> Arc<Scan<Snapshot>> {
        Scan::begin(
            &self.session,
            way::<Snapshot>(&[format!("volumeUuid={volume}")]),
        )
    }

    /// All groups.
    pub(super) fn all_groups(&self) -> Arc<Scan<Group>> {
        Scan::begin(&self.session, way::<Group>(&[]))
    }

    /// All volumes that people have, by the list that others may be reading just now.
    pub(super) fn all_volumes(&self, changes: u64) -> Arc<Scan<Volume>> {
        let disks = ["type?=Root,Data".to_owned()];
        self.volumes.join_or(changes, || {
            Scan::begin(&self.session, way::<Volume>(&disks))
        })
    }

    /// All snapshots, likewise.
    pub(super) fn all_snapshots(&self, changes: u64) -> Arc<Scan<Snapshot>> {
        self.snapshots
            .join_or(changes, || Scan::begin(&self.session, way::<Snapshot>(&[])))
    }

    /// All machines, likewise.
    pub(super) async fn machines(&self, changes: u64) -> Result<Machines, Problem> {
        let scan = self
            .machines
            .join_or(changes, || Scan::begin(&self.session, way::<Vm>(&[])));
        let pages = scan.all().await?;
        Ok(sight::machines(pages.iter().flat_map(|page| page.iter())))
    }

    async fn lines(&self, changes: u64) -> Result<Lines, Problem> {
        let scan = self
            .trees
            .join_or(changes, || Scan::begin(&self.session, way::<Tree>(&[])));
        let pages = scan.all().await?;
        Ok(sight::lines(
            pages.iter().flat_map(|page| page.iter()),
            &self.zone,
        ))
    }

    /// All trees and machines.
    pub(super) async fn sight(&self, changes: u64) -> Result<Sight, Problem> {
        let (lines, machines) = tokio::join!(self.lines(changes), self.machines(changes));
        Ok(Sight {
            lines: lines?,
            machines: machines?,
        })
    }

    /// What is known of all volumes.
    pub(super) async fn beside(&self, changes: u64) -> Result<Beside, Problem> {
        Ok(Beside::new(&self.all_volumes(changes).all().await?))
    }

    /// Whether these groups can be gone back to (9.15). "Match by uuid."
    pub(super) async fn availabilities(
        &self,
        groups: &[&str],
    ) -> Result<Vec<Availability>, Problem> {
        let what = "it cannot be found out whether the group can be gone back to";
        let mut all = Vec::new();
        for some in groups.chunks(AT_ONCE) {
            let query: Vec<String> = some
                .iter()
                .map(|id| format!("uuids={}", escape(id)))
                .collect();
            let path = format!(
                "/volume-snapshots/groups/availabilities?{}",
                query.join("&")
            );
            let answer = self.session.read(&Ask::get(path), what).await?;
            #[derive(serde::Deserialize)]
            struct Said {
                results: Vec<Availability>,
            }
            let said: Said = serde_json::from_slice(&answer.body)
                .map_err(|e| not_understood(&answer, what, &e.to_string()))?;
            all.extend(said.results);
        }
        Ok(all)
    }
}

/// What came of each snapshot, as it is told: those that were done, and those that were not, with the whole chain of why.
pub(super) fn told(
    results: &Results,
    names: impl Fn(&str) -> String,
) -> (Vec<String>, Vec<String>) {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for item in results.results.iter().flatten() {
        let name = item
            .snapshot_uuid
            .as_deref()
            .map_or_else(|| "a snapshot".to_owned(), &names);
        match (item.success, &item.error) {
            (true, _) => done.push(name),
            (false, Some(error)) => failed.push(format!("{name}: {}", error.chain().join(" ← "))),
            (false, None) => failed.push(format!("{name}: no reason is given")),
        }
    }
    (done, failed)
}
