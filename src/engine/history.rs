//! What records do to volumes and snapshots: who descends from whom.

use super::apply::{State, missing};
use super::catalog::{Exclusive, Node, Role, Volume};
use super::error::Result;
use super::ids::{PointId, VolumeId};
use super::info::Attrs;
use super::packed::Label;

impl State {
    pub(super) fn volume(&self, id: VolumeId) -> Result<&Volume> {
        self.catalog
            .volumes
            .get(&id)
            .ok_or_else(|| missing("a volume"))
    }

    pub(super) fn add_volume(
        &mut self,
        head: Node,
        id: VolumeId,
        name: &str,
        created: i64,
        attrs: &Attrs,
    ) {
        let volume = Volume {
            id,
            head: head.id,
            name: name.to_owned(),
            created,
            attrs: attrs.clone(),
        };
        self.catalog.volumes.insert(id, volume);
        self.catalog.add_head(head);
    }

    /// A new head below a point in time, with all that it has.
    pub(super) fn branch(&self, from: u64, volume: VolumeId, created: i64) -> Result<Node> {
        let point = self
            .catalog
            .nodes
            .get(&from)
            .ok_or_else(|| missing("a node"))?;
        Ok(Node {
            id: self.catalog.next_node,
            parent: Some(from).into(),
            role: Role::Head(volume),
            created,
            freeze: 0,
            written: 0,
            exclusive: Exclusive::known(0),
            tree: point.tree.clone(),
            size: point.size,
            referenced: point.referenced,
        })
    }

    /// A node has got a child that shares all it has.
    pub(super) fn shares_all(&mut self, node: u64) {
        if let Some(node) = self.catalog.node_mut(node) {
            node.exclusive.set(0);
        }
    }

    pub(super) fn update_point(
        &mut self,
        id: PointId,
        name: Option<&String>,
        attrs: Option<&Attrs>,
    ) -> Result<()> {
        let (_, node) = *self
            .catalog
            .points
            .get(&id)
            .ok_or_else(|| missing("a snapshot"))?;
        if let Some(node) = self.catalog.node_mut(node)
            && let Role::Point { label, .. } = &mut node.role
        {
            *label = match (name, attrs) {
                (name, Some(attrs)) => Label::new(name.map_or(label.name(), |n| n), attrs),
                (Some(name), None) => Label::new(name, &label.attrs().unpack()),
                (None, None) => return Ok(()),
            };
        }
        Ok(())
    }

    pub(super) fn end_copy_of(&mut self, volume: VolumeId) {
        self.catalog.jobs.retain(|_, job| job.volume != volume);
        self.catalog.jobs_dirty = true;
    }

    pub(super) fn delete_volume(&mut self, id: VolumeId) -> Result<()> {
        let volume = self
            .catalog
            .volumes
            .remove(&id)
            .ok_or_else(|| missing("a volume"))?;
        self.end_copy_of(id);
        let lsn = self.lsn + 1;
        if let Some(head) = self.catalog.node_mut(volume.head) {
            head.freeze = lsn;
        }
        self.catalog.hide(volume.head);
        let points: Vec<(PointId, u64)> = self.catalog.points_of(id).collect();
        for (_, point) in points {
            self.catalog.hide(point);
        }
        Ok(())
    }

    pub(super) fn snapshot(
        &mut self,
        lsn: u64,
        volume: VolumeId,
        point: PointId,
        name: &str,
        created: i64,
        attrs: &Attrs,
    ) -> Result<()> {
        let old = self.volume(volume)?.head;
        let role = Role::Point {
            id: point,
            volume,
            label: Label::new(name, attrs),
        };
        self.freeze(lsn, old, role, created);
        let head = self.branch(old, volume, created)?;
        self.move_head(volume, head);
        Ok(())
    }

    /// The head becomes a point in time.
    fn freeze(&mut self, lsn: u64, head: u64, role: Role, created: i64) {
        if let Role::Point { id, .. } = role {
            self.catalog.points.insert((id, head));
        }
        if let Some(node) = self.catalog.node_mut(head) {
            node.role = role;
            node.freeze = lsn;
            node.created = created;
        }
    }

    fn move_head(&mut self, volume: VolumeId, head: Node) {
        let parent = head.parent.get();
        if let Some(volume) = self.catalog.volumes.get_mut(&volume) {
            volume.head = head.id;
        }
        self.catalog.add_head(head);
        if let Some(parent) = parent {
            self.shares_all(parent);
        }
    }

    pub(super) fn restore(
        &mut self,
        lsn: u64,
        id: VolumeId,
        from: u64,
        created: i64,
        keep: Option<&(PointId, String, Attrs)>,
        attrs: Option<&Attrs>,
    ) -> Result<()> {
        let old = self.volume(id)?.head;
        let head = self.branch(from, id, created)?;
        self.end_copy_of(id);
        match keep {
            Some((point, name, attrs)) => {
                let role = Role::Point {
                    id: *point,
                    volume: id,
                    label: Label::new(name, attrs),
                };
                self.freeze(lsn, old, role, created);
            }
            None => {
                if let Some(node) = self.catalog.node_mut(old) {
                    node.freeze = lsn;
                }
                self.catalog.hide(old);
            }
        }
        self.move_head(id, head);
        if let (Some(volume), Some(attrs)) = (self.catalog.volumes.get_mut(&id), attrs) {
            volume.attrs.clone_from(attrs);
        }
        Ok(())
    }
}
